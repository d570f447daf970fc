#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A year of alarms, decided by the agent's own monitor and by a second implementation, and compared change by change.

The facts (polls, values that cannot be read, devices that are lost, a machine that sleeps, a wall clock that jumps) are
made here from a seed. rule_driver runs the agent's code over them on simulated time; rules_twin.py decides the same in
Python. Then the engine gets faults, one at a time: each must make a difference.
"""
import os
import pathlib
import random
import re
import subprocess
import tempfile
import unittest

import rules_twin
from support import BUILD, SANITIZERS, SOURCE, cut, say

DAY = 86400000
LOOK = rules_twin.LOOK
DEVICES = ("ups-a", "ups-b", "rack-1", "rack-2")
STALE_AFTER = 900000

POINTS = ("alarm.on-battery", "alarm.on-bypass", "battery.charge", "battery.voltage", "battery.temperature",
          "input.L1.voltage", "input.L2.voltage", "battery.positive.voltage", "battery.negative.voltage",
          "battery.runtime", "output.L1.load", "output.source")

CONFIG = """
alarms:
  - { device: "ups-*", preset: battery-symmetry, warning: 3 V, alarm: 5 V }
  - { preset: input-voltage, warning: 215..245 V, alarm: 205..255 V, delay: 20s, clear-delay: 1m }
  - { name: low-charge, point: battery.charge, below: 41%, hysteresis: 2%, severity: warning }
  - { name: on-and-on, point: battery.charge, below: 99.5%, only-while: on-battery, delay: 90s }
  - { name: battery-voltage, point: battery.voltage, outside: 25..29 V, hysteresis: 0.3 V, delay: 10s,
      not-while: on-battery, hold-off: 30m, severity: alarm }
  - { name: hot, point: battery.temperature, warning: above 30 degC, alarm: above 35 degC, hysteresis: 0.5 degC,
      delay: 10m, clear-delay: 5m }
  - { name: short-of-time, point: battery.runtime, below: 10 min, only-while: low-charge }
  - { device: rack-1, name: comfortable, point: output.L1.load, inside: 40..60 %, hysteresis: 1.5 %, severity: info }
  - { name: not-normal, point: output.source, is-not: normal, delay: 15s, not-while: on-bypass }
  - { name: all-night, point: output.L1.load, above: 70%, delay: 6h, hysteresis: 10% }
"""


class Ups:
    """A device that lives on. Its values are near the limits of the rules all the time."""

    def __init__(self, name, seed):
        self.name, self.random = name, random.Random(f"{name} {seed}")
        self.next_poll = self.random.randrange(1, 60) * LOOK
        self.charge, self.on_battery_until, self.lost_until, self.bypass_until = 1000, 0, 0, 0
        self.temperature, self.load, self.volts, self.mains, self.skew = 280, 500, 272, 2300, 15

    def wander(self, value, step, low, high):
        return min(high, max(low, value + self.random.randint(-step, step)))

    def poll(self, now):
        """(values or None when nothing answers, when to poll again)."""
        chance = self.random.random
        if now < self.lost_until:
            return None, self.lost_until
        if chance() < 0.003:
            self.lost_until = now + self.random.choice((2, 3, 3, 4, 10, 200)) * 300000
            return None, self.lost_until // LOOK * LOOK
        if chance() < 0.003:
            self.on_battery_until = now + self.random.choice((1, 4, 12, 60, 400, 1400)) * LOOK
        if chance() < 0.002:
            self.bypass_until = now + self.random.choice((1, 3, 50)) * LOOK
        on_battery, on_bypass = now < self.on_battery_until, now < self.bypass_until
        self.charge = max(0, self.charge - self.random.randint(5, 25)) if on_battery \
            else min(1000, self.charge + self.random.randint(0, 40))
        self.temperature = self.wander(self.temperature, 6, 200, 400)
        self.load = self.wander(self.load, 40, 100, 1100)
        self.volts = self.wander(self.volts, 3, 230, 310)
        self.mains = 0 if on_battery else self.wander(self.mains or 2300, 25, 1900, 2700)
        self.skew = self.wander(self.skew, 3, -70, 70)
        values = [int(on_battery), int(on_bypass), self.charge, self.volts, self.temperature, self.mains,
                  self.mains and self.mains + 7, 1360 + self.skew, 1360, max(1, self.charge * 3), self.load,
                  5 if on_battery else 4 if on_bypass else 3]
        if chance() < 0.06:
            values[self.random.randrange(len(values))] = "-"
        busy = on_battery or chance() < 0.1
        return values, now + self.random.choice((1, 1, 2, 3, 6) if busy else (12, 59, 60, 60, 61)) * LOOK


def make_facts(days, seed):
    """Lines for rule_driver, over so many days."""
    yield "points " + " ".join(POINTS)
    for name in DEVICES:
        yield f"device {name} {STALE_AFTER}"
    chance = random.Random(seed)
    devices = [Ups(name, seed) for name in DEVICES]
    now, next_sleep = 0, 3 * DAY
    while now < days * DAY:
        device = min(devices, key=lambda one: one.next_poll)
        now = max(device.next_poll, now)
        if now >= next_sleep:
            asleep = chance.choice((2, 3, 13, 200, 5000)) * LOOK
            next_sleep = now + asleep + chance.randrange(1, 20) * DAY // LOOK * LOOK
            yield f"{now} sleep {asleep}"
            for one in devices:
                one.next_poll = max(one.next_poll, now + asleep + LOOK * chance.randrange(1, 200))
            continue
        if chance.random() < 0.00003:
            yield f"{now} wall {chance.randrange(-400 * DAY, 400 * DAY)}"
            now += LOOK  # what polls now does so after the next look
        device.next_poll = max(device.next_poll, now)
        values, device.next_poll = device.poll(now)
        if values:
            yield f"{now} poll {device.name} " + " ".join(map(str, values))
    yield f"{now + LOOK} end"


# What a tired programmer could write instead: (where, what, instead of what), patterns for re.sub.
FAULTS = (
    ("below becomes at most", r"value < add\(rule->low, margin\)", "value <= add(rule->low, margin)"),
    ("above becomes at least", r"value > add\(rule->high, -margin\)", "value >= add(rule->high, -margin)"),
    ("below and above swapped", r"case RULE_BELOW:\n\t\treturn below", "case RULE_BELOW:\n\t\treturn above"),
    ("above forgets", r"case RULE_ABOVE:\n\t\treturn above", "case RULE_ABOVE:\n\t\treturn false"),
    ("outside needs both", r"below \|\| above", "below && above"),
    ("outside forgets the upper end", r"below \|\| above", "below"),
    ("inside needs one", r"add\(rule->low, -margin\) && value", "add(rule->low, -margin) || value"),
    ("inside excludes its ends", r"value >= add\(rule->low, -margin\)", "value > add(rule->low, -margin)"),
    ("no hysteresis", r"is_wrong\(rule, value, rule->hysteresis\)", "is_wrong(rule, value, 0)"),
    ("hysteresis in the wrong direction", r"is_wrong\(rule, value, rule->hysteresis\)",
     "is_wrong(rule, value, -rule->hysteresis)"),
    ("no delay", r"facts->active \? rule->clear_delay_ms : rule->delay_ms", "facts->active ? rule->clear_delay_ms : 0"),
    ("no delay for clearing", r"facts->active \? rule->clear_delay_ms : rule->delay_ms",
     "facts->active ? 0 : rule->delay_ms"),
    ("delays swapped", r"facts->active \? rule->clear_delay_ms", "!facts->active ? rule->clear_delay_ms"),
    ("a delay is over a look late", r"now_ms - state->since_ms < delay_ms", "now_ms - state->since_ms <= delay_ms"),
    ("a fine value does not end a delay", r"\t\tstate->pending = false;\n\t\treturn facts->active",
     "\t\treturn facts->active"),
    ("a delay of the other direction counts", r"!state->pending \|\| state->clearing != facts->active",
     "!state->pending"),
    ("a lost device does not end a delay", r"if \(facts->sight == RULE_AWAY\)\n\t\tstate->pending = false;", ""),
    ("a value that cannot be read ends a delay", r"facts->sight == RULE_AWAY", "facts->sight != RULE_SEEN"),
    ("a value that cannot be read is compared", r"facts->sight != RULE_SEEN", "facts->sight == RULE_AWAY"),
    ("only-while does not look", r"return facts->gate_active;", "return true;"),
    ("not-while does not look", r"\tif \(facts->gate_active\)\n\t\treturn false;\n", ""),
    ("no hold-off", r"if \(now_ms >= open_ms\)", "if (now_ms > 0)"),
    ("a hold-off that is over a look late", r"now_ms >= open_ms", "now_ms > open_ms"),
    ("a hold-off for ever", r"now_ms >= open_ms", "now_ms < 0"),
    ("a closed gate keeps the alarm", r": RULE_FINE;", ": RULE_BETWEEN;"),
    ("raising and clearing swapped", r"facts->active \? RULE_CLEARED : RULE_RAISED",
     "facts->active ? RULE_RAISED : RULE_CLEARED"),
)


def run_driver(driver, config, facts):
    with open(facts, encoding="ascii") as stream:
        done = subprocess.run([driver, config], stdin=stream, capture_output=True, text=True, timeout=900, check=False)
    return done.returncode, done.stdout.splitlines(), done.stderr


def cpu_seconds():
    """Of this process and of those it has waited for: what else the machine does must not count."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


class Mutants:
    """Builds rule_driver with faults in rule.c, by the commands that built it without."""

    def __init__(self, folder):
        self.folder = folder
        self.source = (SOURCE / "core/rule.c").read_text(encoding="utf-8")
        commands = subprocess.run(["ninja", "-C", BUILD, "-t", "commands", "tests/rule_driver"], capture_output=True,
                                  text=True, check=True).stdout.splitlines()
        self.compile = next(line for line in commands if line.rstrip().endswith("core/rule.c"))
        self.link = next(line for line in reversed(commands) if " -o tests/rule_driver " in line)

    def run(self, command):
        done = subprocess.run(command, shell=True, cwd=BUILD, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{command}\n{done.stdout}{done.stderr}")

    def build(self, number, pattern, instead):
        text, count = re.subn(pattern, lambda _: instead, self.source)
        if count == 0:
            raise AssertionError(f"{pattern} does not fit core/rule.c any more")
        source, thing = self.folder / f"fault{number}.c", self.folder / f"fault{number}.o"
        driver = self.folder / f"driver{number}"
        source.write_text(text, encoding="utf-8")
        command = re.sub(r" -o \S+rule\.c\.o", f" -w -o {thing}", self.compile)
        command = re.sub(r" -MF \S+", f" -MF {thing}.d", command)
        self.run(re.sub(r"\S+core/rule\.c\s*$", str(source), command))
        link = self.link.replace(" -o tests/rule_driver ", f" -o {driver} ")
        self.run(re.sub(r"\S+/rule\.c\.o", str(thing), link))
        return driver


class Year(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="busbar-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.config = self.folder / "rules.yaml"
        self.config.write_text(CONFIG, encoding="utf-8")
        self.driver = BUILD / "tests" / "rule_driver"

    def facts(self, days, seed):
        path = self.folder / f"facts-{days}-{seed}"
        with open(path, "w", encoding="ascii") as file:
            for line in make_facts(days, seed):
                file.write(line + "\n")
        return path

    def twin(self, facts):
        with open(facts, encoding="ascii") as stream:
            return list(rules_twin.transitions(self.config, stream, SOURCE / "config/points.csv"))

    def compare(self, ours, twins):
        ours, twins = [line.rstrip() for line in ours], [line.rstrip() for line in twins]
        for number, (one, other) in enumerate(zip(ours, twins)):
            self.assertEqual(one, other, f"change {number + 1}; before it: {ours[max(0, number - 3):number]}")
        self.assertEqual(len(ours), len(twins))

    def test_a_year_is_decided_alike_by_both(self):
        days = 10 if SANITIZERS else cut(365, 30, "days of simulated alarms")
        facts = self.facts(days, 1)
        before = cpu_seconds()
        status, ours, errors = run_driver(self.driver, self.config, facts)
        agent = cpu_seconds() - before
        self.assertEqual(status, 0, errors)
        twins = self.twin(facts)
        both = cpu_seconds() - before
        self.compare(ours, twins)
        for name in ("battery-symmetry-alarm", "input-voltage-warning-l2", "low-charge", "on-and-on", "battery-voltage",
                     "hot-alarm", "short-of-time", "not-normal", "all-night", "communications-lost", "on-battery"):
            self.assertGreater(sum(f" raised {name} " in f"{line} " for line in ours), 0 if days < 30 else 3,
                               f"{name} hardly ever")
        polls = facts.read_text(encoding="ascii").count(" poll ")
        say(f"{days} days, {polls} polls: {len(ours)} alarms raised and cleared, the same in both; "
            f"{agent:.1f} s of CPU for the agent's side, {both - agent:.1f} s for the other")
        if not SANITIZERS:
            self.assertLess(both, 60, "seconds of CPU")

    def test_other_years_are_decided_alike_too(self):
        for seed in range(2, 2 + (2 if SANITIZERS else cut(12, 3, "other seeds"))):
            facts = self.facts(8, seed)
            status, ours, errors = run_driver(self.driver, self.config, facts)
            self.assertEqual(status, 0, errors)
            self.compare(ours, self.twin(facts))

    @unittest.skipIf(SANITIZERS, "faults are looked for in builds without sanitizers")
    def test_every_fault_in_the_engine_is_caught(self):
        facts = self.facts(cut(60, 25, "days of simulated alarms for each fault"), 1)
        twins = [line.rstrip() for line in self.twin(facts)]
        mutants = Mutants(self.folder)
        for number, (what, pattern, instead) in enumerate(FAULTS):
            with self.subTest(what):
                _, ours, _ = run_driver(mutants.build(number, pattern, instead), self.config, facts)
                self.assertGreater(len(ours), 0, "the driver does not run at all")
                self.assertFalse([line.rstrip() for line in ours] == twins, "nobody notices")
        say(f"{len(FAULTS)} faults in the rule engine, each caught by the comparison")


if __name__ == "__main__":
    unittest.main()
