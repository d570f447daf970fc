# SPDX-License-Identifier: Apache-2.0
"""The rules of `alarms:` a second time, written from docs/alarms.md rather than from core/rule.c, to be compared with
the agent over a simulated year (test_rules_year.py), from the same configuration and facts (see rule_driver.c).
It looks only when something can change: at polls, ends of delays and hold-offs, and when a device becomes too old."""
import csv
import fnmatch
import re
import yaml

LOOK = 5000  # the agent looks this often
NEVER = 10 ** 18
UNITS = {"": 1, "%": 1, "V": 1, "degC": 1, "s": 1, "min": 60}
DURATIONS = {"s": 1000, "m": 60000, "h": 3600000, "d": 86400000}
PRESETS = {"battery-symmetry": {"point": "battery.positive.voltage", "difference-to": "battery.negative.voltage",
                                "how": "above", "hysteresis": "0.2 V"},
           "input-voltage": {"point": "input.L?.voltage", "how": "outside", "hysteresis": "2 V"}}
COMPARISONS = {"below", "above", "outside", "inside", "is", "is-not"}


def duration(text):
    digits, unit = re.fullmatch(r"(\d+)\s*(\w+)", text).groups()
    return int(digits) * DURATIONS[unit]


class Rule:
    """One alarm: a rule, at one of its levels, for one point."""
    def __init__(self, name, entry, row, how, limit):
        self.name, self.point, self.other, self.how = name, row["point"], entry.get("difference-to"), how
        self.decimals = int(row["decimals"] or 0)
        self.members = dict(pair.split("=") for pair in row["values"].split(";")) if row["kind"] == "enum" else {}
        if self.members:
            self.low = self.high = next(int(value) for value, member in self.members.items() if member == limit)
        else:
            self.low, self.high = self.number(limit.split("..")[0]), self.number(limit.split("..")[-1])
        self.hysteresis = self.number(entry.get("hysteresis", "0"))
        self.delays = {False: duration(entry.get("delay", "0s")), True: duration(entry.get("clear-delay", "0s"))}
        self.only, self.unless = entry.get("only-while"), entry.get("not-while")
        self.hold_off = duration(entry.get("hold-off", "0s"))
        self.counting = None  # since when a delay counts

    def number(self, text):
        digits, unit = re.fullmatch(r"([\d.]+)\s*(\S*)", text).groups()
        return round(float(digits) * UNITS[unit] * 10 ** self.decimals)

    def is_wrong(self, value, slack):
        if self.how in ("inside", "is"):
            return self.low - slack <= value <= self.high + slack
        return (self.how != "above" and value < self.low + slack) or (self.how != "below" and value > self.high - slack)

    def look(self, now, values, alarms):
        """(does the alarm change, the value it was decided by, when to look again)."""
        seen, again, active, gate_is_open = [values[self.point]], NEVER, alarms[self.name][0], True
        seen += [values[self.other]] if self.other else []
        if None in seen:
            return False, None, NEVER
        value = abs(seen[0] - seen[1]) if self.other else seen[0]
        if self.only:
            gate_is_open = alarms[self.only][0]
        if self.unless:
            held, since = alarms[self.unless]
            gate_is_open = not held and (since is None or now >= since + self.hold_off)
            again = NEVER if held or gate_is_open else since + self.hold_off
        if (gate_is_open and self.is_wrong(value, self.hysteresis if active else 0)) == active:
            self.counting = None
            return False, value, again
        self.counting = now if self.counting is None else self.counting
        if now < self.counting + self.delays[active]:
            return False, value, min(again, self.counting + self.delays[active])
        self.counting = None
        return True, value, again

    def show(self, value):
        whole, rest = divmod(value, 10 ** self.decimals)
        return self.members.get(str(value)) or (f"{whole}.{rest:0{self.decimals}d}" if self.decimals else str(whole))


def rules_for(device, points, config, table):
    for entry in config["alarms"]:
        entry = {**PRESETS.get(entry.get("preset"), {}), **entry}
        name = entry.get("name") or entry["preset"]
        wanted = fnmatch.fnmatch(device, entry.get("device", "*"))
        for point in fnmatch.filter(points, entry["point"] if wanted else ""):
            parts = zip(point.split("."), entry["point"].split("."))
            ending = "".join("-" + part.lower() for part, glob in parts if part != glob)
            for how in COMPARISONS & entry.keys():
                yield Rule(name + ending, entry, table[point], how, str(entry[how]))
            for level in (level for level in ("warning", "alarm") if level in entry):
                how, limit = (entry["how"], entry[level]) if "how" in entry else entry[level].split(" ", 1)
                yield Rule(f"{name}-{level}{ending}", entry, table[point], how, limit)


class Device:
    def __init__(self, name, stale_after, points, config, table):
        self.name, self.stale_after = name, stale_after
        self.rules = list(rules_for(name, points, config, table))
        names = [point[6:] for point in points if point.startswith("alarm.")] + ["communications-lost"]
        self.alarms = dict.fromkeys(names + [rule.name for rule in self.rules], (False, None))  # active, since when
        self.polled, self.gap, self.again, self.values = None, 0, LOOK, {}

    def change(self, now, name, value=""):
        self.alarms[name] = (not self.alarms[name][0], now)
        return f"{now} {self.name} {'raised' if self.alarms[name][0] else 'cleared'} {name} {value}".rstrip()

    def look(self, now):
        asked = max(self.polled or 0, self.gap)
        lost = now - asked > self.stale_after
        up = not lost and self.polled is not None and self.polled >= self.gap
        self.again = NEVER if lost else asked + self.stale_after + 1
        said = {point[6:]: bool(value) for point, value in self.values.items() if up and value is not None}
        said["communications-lost"] = lost if up or lost else self.alarms["communications-lost"][0]
        for name in (name for name in self.alarms if name in said and said[name] != self.alarms[name][0]):
            yield self.change(now, name)
        for rule in self.rules:
            rule.counting = rule.counting if up else None
            changes, value, again = rule.look(now, self.values, self.alarms) if up else (False, None, NEVER)
            self.again = min(self.again, again)
            if changes:
                yield self.change(now, rule.name, rule.show(value))


def transitions(config_path, facts, table_path):
    """Every alarm raised or cleared, as rule_driver prints it."""
    with open(config_path, encoding="utf-8") as file, open(table_path, newline="", encoding="utf-8") as rows:
        config, table = yaml.safe_load(file), {row["point"]: row for row in csv.DictReader(rows)}
    points, devices, now = [], {}, 0
    for line in facts:
        first, what, *words = line.split()
        if first in ("points", "device"):
            points = points or [what] + words
            if first == "device":
                devices[what] = Device(what, int(words[0]), points, config, table)
            continue
        until = int(first) + (0 if what == "poll" else LOOK)  # a poll comes before the look of its moment
        while (due := max(now + LOOK, min(-(-d.again // LOOK) * LOOK for d in devices.values()))) < until:
            now = due
            for name in sorted(devices):
                if devices[name].again <= now:
                    yield from devices[name].look(now)
        now = max(now, until - LOOK)
        if what == "poll":
            device = devices[words[0]]
            device.values = {p: None if v == "-" else int(v) for p, v in zip(points, words[1:])}
            device.polled = device.again = until
        elif what == "sleep":  # the first look after it only finds out that there was one
            now += int(words[0]) + LOOK
            for device in devices.values():
                device.gap, device.again = now, now + LOOK
                for rule in device.rules:
                    rule.counting = None
