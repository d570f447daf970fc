# SPDX-License-Identifier: Apache-2.0
"""figures - what a benchmark of busbar hands back, and a few measures that several of them take.

A Figure is one line of the table that run.py prints. It says what was measured, what the baseline of the
same run was, and what the target is; whether the target is met follows from these.
"""
import os
import statistics
import subprocess
import time


class Skip(Exception):
    """The benchmark cannot run here; its text says what is missing."""


class Figure:
    """One line of the table.

    name      "scrape 10k series"
    measured  a number, in @unit
    unit      "ms", "ns/series", "MB" ...
    baseline  the same quantity of the thing it is compared with, or None
    at_most   the target as an upper limit, or None
    at_least  the target as a lower limit, or None
    against   "ratio": the limit is for the ratio to the baseline; "value": for the measured number itself
    invert    the ratio is baseline / measured ("5 times faster than") rather than measured / baseline
    note      a few words behind the line, such as what the baseline is
    """

    def __init__(self, name, measured, unit, baseline=None, at_most=None, at_least=None, against=None,
                 invert=False, note=""):
        self.name, self.measured, self.unit, self.baseline = name, measured, unit, baseline
        self.at_most, self.at_least, self.note = at_most, at_least, note
        self.against = against or ("ratio" if baseline is not None else "value")
        self.ratio = None
        if baseline:
            self.ratio = baseline / measured if invert and measured else measured / baseline

    @property
    def ok(self):
        value = self.ratio if self.against == "ratio" else self.measured
        if self.at_most is not None and value > self.at_most:
            return False
        return self.at_least is None or value >= self.at_least

    def row(self):
        """The cells of its line, as texts."""
        def number(value):
            if value is None:
                return "-"
            return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
        unit = "x" if self.against == "ratio" else f" {self.unit}"
        target = "-"
        if self.at_most is not None:
            target = f"<= {self.at_most:g}{unit}"
        elif self.at_least is not None:
            target = f">= {self.at_least:g}{unit}"
        verdict = "" if target == "-" else "ok" if self.ok else "MISSED"
        return [self.name, f"{number(self.measured)} {self.unit}", number(self.baseline),
                "-" if self.ratio is None else f"{self.ratio:.2f}", target, verdict, self.note]


def cpu_seconds(pid):
    """CPU time of all threads of a process, from its own clock (nanoseconds, unlike /proc/PID/stat)."""
    # A process's CPU clock id is made from its pid as the kernel's headers say: ~pid << 3 | CPUCLOCK_SCHED.
    return time.clock_gettime((~pid << 3) | 2)


def private_dirty_kb(pid):
    """Private_Dirty of a process in KiB."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        for line in rollup:
            if line.startswith("Private_Dirty:"):
                return int(line.split()[1])
    raise RuntimeError("smaps_rollup has no Private_Dirty")


def median(values):
    return statistics.median(values)


def pinned(cpu, argv):
    """@argv pinned to processor @cpu where the machine has more than one, else as it is."""
    if len(os.sched_getaffinity(0)) < 2:
        return argv
    cpus = sorted(os.sched_getaffinity(0))
    return ["taskset", "-c", str(cpus[cpu % len(cpus)])] + argv


def output_of(argv, timeout=120):
    """What @argv prints; a failure shows what it said on stderr."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{argv[0]} failed with {done.returncode}: {done.stderr.strip()}")
    return done.stdout
