#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""run.py - run the benchmarks and print one line per figure, beside its baseline and its target.

    tests/bench/run.py --build build/release [--list] [NAME ...]

A benchmark is a function in a file bench_*.py beside this one. Each such file has

    def benches():
        return [("scrape", scrape), ...]      # name, function

and each function takes a Context, measures, and yields Figures (figures.py) as it gets them. NAME picks
benchmarks by the beginning of their name. A benchmark whose peer is not installed raises Skip("why").
Files may use tests/integration/support.py (Busbard, Process, free_port, wait_for) for starting programs.

Exit code: 0 when every target is met, 1 when one is missed or a benchmark failed.
"""
import argparse
import importlib
import os
import pathlib
import sys
import tempfile
import traceback

HERE = pathlib.Path(__file__).resolve().parent
HEADINGS = ["figure", "measured", "baseline", "ratio", "target", "", ""]
WIDTHS = [44, 18, 10, 7, 14, 7, 0]


class Context:
    """What a benchmark is given."""

    def __init__(self, build, scratch, full):
        self.build = build      # pathlib.Path of the build tree
        self.bin = build / "bin"
        self.tools = build / "tests"  # where the C programs of tests/bench are built
        self.scratch = scratch  # pathlib.Path of a folder that is removed afterwards
        self.full = full        # BUSBAR_FULL=1: full counts; otherwise cut them, and say so


def line(cells):
    return " ".join(cell.ljust(width) for cell, width in zip(cells, WIDTHS)).rstrip()


def load():
    """All benchmarks in order of their files: [(name, function)]."""
    found = []
    for path in sorted(HERE.glob("bench_*.py")):
        found += importlib.import_module(path.stem).benches()
    return found


def main():
    parser = argparse.ArgumentParser(description="Run busbar's benchmarks.")
    parser.add_argument("--build", default=HERE.parent.parent / "build" / "release", type=pathlib.Path)
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    parser.add_argument("names", nargs="*", help="beginnings of names; default: all")
    arguments = parser.parse_args()

    build = arguments.build.resolve()
    os.environ["BUSBAR_BUILD"] = str(build)
    sys.path[:0] = [str(HERE), str(HERE.parent / "integration")]
    from figures import Skip

    chosen = [(name, function) for name, function in load()
              if not arguments.names or any(name.startswith(start) for start in arguments.names)]
    if arguments.list:
        print("\n".join(name for name, _ in chosen))
        return 0
    if not chosen:
        parser.error("no benchmark has such a name")

    print(line(HEADINGS))
    failed = False
    for name, function in chosen:
        with tempfile.TemporaryDirectory(prefix="busbar-bench-") as scratch:
            try:
                for figure in function(Context(build, pathlib.Path(scratch), os.environ.get("BUSBAR_FULL") == "1")):
                    print(line(figure.row()), flush=True)
                    failed |= not figure.ok
            except Skip as reason:
                print(f"{name}: skipped: {reason}", flush=True)
            except Exception:  # one broken benchmark must not hide the figures of the others
                traceback.print_exc()
                print(f"{name}: failed", flush=True)
                failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
