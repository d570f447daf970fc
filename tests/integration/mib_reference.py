# SPDX-License-Identifier: Apache-2.0
"""What an agent must say of a device, computed by somebody else: from reference/mib-objects.csv and points.csv alone.

Nothing of config/objects.csv is used here: which point an object shows follows from points.csv and the rules of
reference/README.md, how it is scaled from the units in mib-objects.csv, what it may say from the syntax there.
"""
import csv
import decimal
import re

ROOT = "1.3.6.1.2.1.33"
TESTS = f"{ROOT}.1.7.7"

# What has no point: rows' numbers, alarms, the spin lock.
WITHOUT_POINT = {"bacsModuleIndex", "bacsStringIndex", "rauxIndex", "upsAlarmDescr", "upsAlarmTime", "bacsAlarmId",
                 "bacsAlarmDescr", "bacsAlarmTime", "bacsAlarmsPresent", "upsAlarmsPresent", "upsTestSpinLock"}
# What is not served, and why.
NOT_SERVED = {"UpsVarIdIn": "internal to the card that has it", "UpsVarIdOut": "internal to the card that has it"}
# Where the RFC's own syntax cannot say what is meant.
SYNTAX = {"upsEstimatedMinutesRemaining": "NonNegativeInteger"}

RANGES = {"Integer32": (-2**31, 2**31 - 1), "NonNegativeInteger": (0, 2**31 - 1), "PositiveInteger": (1, 2**31 - 1),
          "TestAndIncr": (0, 2**31 - 1), "TimeInterval": (0, 2**31 - 1), "Gauge32": (0, 2**32 - 1),
          "Counter64": (0, 2**63 - 1)}
TYPES = {"DisplayString": "STRING", "AutonomousType": "OID", "OBJECT IDENTIFIER": "OID", "TimeStamp": "Timeticks",
         "Counter32": "Counter32", "Counter64": "Counter64", "Gauge32": "Gauge32"}
# Units that are not said as a number.
FACTORS = {"minutes": 60, "Humidity in per mil": decimal.Decimal("0.1"), "TimeInterval": decimal.Decimal("0.01")}


def arcs(oid):
    return tuple(map(int, oid.split(".")))


def kebab(name):
    return "-".join(word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name))


def alarm_name(name):
    """alarmSensorManager1Low: alarm.sensor-manager-1-low (the rule stands in reference/README.md)."""
    bacs = "bacs-" if name.startswith("bacsAlarm") else ""
    return "alarm." + bacs + kebab(re.sub("^(upsAlarm|bacsAlarm|alarm)", "", name))


class Object:
    """A scalar or column of mib-objects.csv."""

    def __init__(self, row):
        self.name, self.oid, self.parent, self.units = row["name"], row["oid"], row["parent"], row["units"]
        self.column = row["kind"] == "column"
        self.access, self.note = row["access"], row["note"]
        also = re.search(r"named (\w+) in the vendor MIB", self.note)
        self.names = {self.name} | ({also.group(1)} if also else set())
        text = SYNTAX.get(self.name, row["syntax"])
        self.members = {int(value): name for name, value in re.findall(r"(\w+)\((-?\d+)\)", text) if "{" in text}
        self.syntax = "INTEGER" if self.members else re.sub(r"^INTEGER\b", "Integer32", text.split(" (")[0])
        limits = re.search(r"\((-?\d+)\.\.(\d+)\)", text)
        low, high = RANGES.get(self.syntax, (0, 0))
        self.range = (int(limits.group(1)), min(int(limits.group(2)), 2**31 - 1)) if limits else (low, high)

    @property
    def type(self):
        """As Net-SNMP calls it."""
        return TYPES.get(self.syntax, "INTEGER")

    def factor(self):
        """The object's unit in the point's."""
        said = re.match(r"0\.0*1(?= )", self.units)
        return decimal.Decimal(said.group()) if said else \
            decimal.Decimal(FACTORS.get(self.units, FACTORS.get(self.syntax, 1)))


class Reference:
    def __init__(self, folder):
        with open(folder / "mib-objects.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.objects = [Object(row) for row in rows if row["kind"] in ("scalar", "column")]
        self.accessible = [each for each in self.objects if each.access != "not-accessible"]
        self.by_oid = {arcs(each.oid): each for each in self.accessible}
        self.alarms = {row["oid"]: alarm_name(row["name"]) for row in rows if row["kind"] == "alarm-identity"}
        with open(folder / "points.csv", newline="", encoding="utf-8") as file:
            self.points = [row for row in csv.DictReader(file) if row["mib_object"]]

    def find(self, oid):
        """(Object, number of its row) of an instance; (None, 0): it is none."""
        name = arcs(oid)
        found = self.by_oid.get(name[:-1])
        return (found, name[-1]) if found else (None, 0)

    def point(self, item, row):
        """Name of the point that row @row (a column's) of @item shows."""
        for name in sorted(item.names):
            for each in self.points:
                found = self._instance(each, name, row)
                if found:
                    return found
        return self._by_rule(item, row)

    @staticmethod
    def _instance(each, name, row):
        pattern = re.sub(r"<n>", r"(?P<n>\\d+)", each["mib_object"])
        match = re.fullmatch(pattern, name) if "<Name>" not in pattern else None
        line = re.search(r"\.L(\d)\.", each["point"])
        if not match or (line and int(line.group(1)) != row):
            return None
        point = re.sub(r"<[ms]>", str(row), each["point"])
        return point.replace("<n>", match.groupdict().get("n") or "")

    @staticmethod
    def _by_rule(item, row):
        if item.parent == "bacsSettings":
            return f"bacs.settings.{kebab(item.name.removeprefix('bacs'))}"
        rest = item.name.removeprefix("sts").removeprefix("transferSwitch")
        if not item.column:
            return f"sts.{kebab(rest)}"
        place, what = re.fullmatch(r"(Output|Source\d(?:Input|Bypass))(\w+)", rest).groups()
        place = {"Output": "output"}.get(place) or place.lower().replace("input", "").replace("bypass", ".bypass")
        what = {"Power": "realpower", "PercentLoad": "load", "ApparentPower": "power"}.get(what, what.lower())
        return f"sts.{place}.L{row}.{what}"

    def expected(self, item, point):
        """What @item must say where busbarctl says @point (a row of its JSON, with a value)."""
        value = point["value"]
        if item.syntax == "DisplayString":
            return "".join(letter if letter < "\x80" else "?" for letter in value)[:item.range[1]].encode()
        if item.syntax == "OBJECT IDENTIFIER":
            return f"{TESTS}.{point['raw']}"
        if "raw" in point:
            return point["raw"]
        if item.members:
            return int(value)
        if isinstance(value, str):
            return int(value)
        exact = decimal.Decimal(str(value)) / item.factor()
        if item.name == "upsEstimatedMinutesRemaining":  # time that is left: down, and 0 only when it is over
            number = int(exact) if exact >= 1 or exact <= 0 else 1
        else:
            number = int(exact.quantize(0, decimal.ROUND_HALF_UP))  # away from zero
        if item.syntax == "Counter32":
            return number % 2**32
        low, high = item.range
        return min(max(number, low), high)
