#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compile config/objects.csv into the table of objects that are served: make_objects.py OBJECTS OUTPUT."""
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "config"))
from object_table import load, text  # noqa: E402 (found by the line above)

# syntax: what AgentX calls it, how a value becomes one.
SYNTAXES = {
    "DisplayString": ("OCTET_STRING", "TEXT"),
    "INTEGER": ("INTEGER", "MEMBER"),
    "Integer32": ("INTEGER", "SCALED"),
    "NonNegativeInteger": ("INTEGER", "SCALED"),
    "PositiveInteger": ("INTEGER", "SCALED"),
    "TestAndIncr": ("INTEGER", "SCALED"),
    "TimeInterval": ("INTEGER", "SCALED"),
    "Counter32": ("COUNTER32", "COUNTER"),
    "Counter64": ("COUNTER64", "SCALED"),
    "Gauge32": ("GAUGE32", "SCALED"),
    "TimeStamp": ("TIME_TICKS", "MOMENT"),
    "OBJECT IDENTIFIER": ("OBJECT_IDENTIFIER", "TEST"),
    "AutonomousType": ("OBJECT_IDENTIFIER", "TEST"),
}


def integer(value):
    return f"{value}LL"


def compiled(item):
    syntax, coding = SYNTAXES[item.syntax]
    return (f'\t{{ {text(item.name)}, {{ {", ".join(map(str, item.oid))} }}, {len(item.oid)}, {text(item.point)}, '
            f'OBJECT_{(item.serve or "point").upper()}, OBJECT_{coding}, CODEC_{syntax}, '
            f'{str(item.writable).lower()}, {str(item.left).lower()}, {item.multiplier}, {item.divisor}, '
            f'{integer(item.low)}, {integer(item.high)} }},')


def main(objects_path, output):
    objects = [item for item in load(objects_path) if item.serve != "no"]
    fed = sorted((item.point, place) for place, item in enumerate(objects) if item.serve in ("", "lock"))
    with open(output, "w", encoding="utf-8") as file:
        file.write("/* Made by make_objects.py from config/objects.csv. */\n"
                   '#include "objects.h"\n\n'
                   "const struct object object_table[] = {\n" + "\n".join(map(compiled, objects)) + "\n};\n"
                   f"const size_t object_count = {len(objects)};\n\n"
                   f"const uint16_t object_by_point[] = {{ {', '.join(str(place) for _, place in fed)} }};\n"
                   f"const size_t object_by_point_count = {len(fed)};\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
