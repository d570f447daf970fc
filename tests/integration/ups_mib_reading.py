# SPDX-License-Identifier: Apache-2.0
"""What an agent's objects mean, read by somebody else: reference/mib-objects.csv, reference/points.csv and quirks.csv.

This is the judge of test_ups_snmp_mutations.py. It shares no code and no table with the plugin but the list of quirks,
which is what the project claims about devices. For each point it says which values are right; no value is right, too,
since a device may always turn out not to be understood.
"""
import csv
import decimal
import re

from snmp_agent import COUNTER, GAUGE, INTEGER, OBJECT, STRING, TICKS, oid

UPS_MIB = oid("1.3.6.1.2.1.33")
ALARM_DESCRIPTION = oid("1.3.6.1.2.1.33.1.6.2.1.2")
TESTS = oid("1.3.6.1.2.1.33.1.7.7")
SYS_OBJECT_ID = oid("1.3.6.1.2.1.1.2.0")
MANUFACTURER, MODEL = oid("1.3.6.1.2.1.33.1.1.1.0"), oid("1.3.6.1.2.1.33.1.1.2.0")
COUNTER64, ADDRESS, OPAQUE = 0x46, 0x40, 0x44
TEXTUAL = (STRING, ADDRESS, OPAQUE)  # bytes, and what they say is taken


def decode_name(body):
    name, arc = [], 0
    for byte in body:
        arc = arc << 7 | byte & 127
        if not byte & 128:
            name += [min(arc // 40, 2), arc - 40 * min(arc // 40, 2)] if not name else [arc]
            arc = 0
    return tuple(name)


def alarm_name(mib_name):
    """alarmSensorManager1Low: alarm.sensor-manager-1-low (the rule stands in reference/README.md)."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", re.sub("^(upsAlarm|bacsAlarm|alarm)", "", mib_name))
    return "alarm." + "-".join(words).lower()


class Reference:
    """The tables, read once."""

    def __init__(self, folder, quirks):
        with open(folder / "mib-objects.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.objects = {oid(row["oid"]): row for row in rows if row["kind"] in ("scalar", "column")}
        self.alarms = {oid(row["oid"]): alarm_name(row["name"]) for row in rows if row["kind"] == "alarm-identity"}
        self.points = {}
        with open(folder / "points.csv", newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                self.points.setdefault(row["mib_object"], []).append(row)
        with open(quirks, newline="", encoding="utf-8") as file:
            self.quirks = list(csv.DictReader(file))

    def point_of(self, object_row, line):
        """(name, row of points.csv) that line @line (0: a scalar) of an object feeds, or (None, None)."""
        for row in self.points.get(object_row["name"], []):
            if object_row["kind"] == "scalar":
                return row["point"], row
            if "<m>" in row["point"]:
                return row["point"].replace("<m>", str(line)), row
            if f".L{line}." in row["point"]:
                return row["point"], row
        return None, None


class Reading:
    """All that may be right: @values {point: set of values}, from the objects {name: (tag, bytes)} of an agent."""

    def __init__(self, reference, objects, before=None):
        """@before: what was read earlier. How rows are counted is known from there, and in which unit perhaps, too."""
        self.reference = reference
        self.before = before
        self.objects = objects
        self.sources = {}   # point: [name of the instance]
        self.values = {}
        self.quirks = [row for row in reference.quirks if self._is_about(row)]
        self._number_rows()
        for name, value in objects.items():
            self._take(name, value)
        self.raised = {self._identity(value) for name, value in objects.items()
                       if name[:len(ALARM_DESCRIPTION)] == ALARM_DESCRIPTION and name != ALARM_DESCRIPTION}

    def _text(self, name):
        tag, body = self.objects.get(name, (None, b""))
        return body.decode("latin-1").strip("\0 ") if tag in TEXTUAL else ""

    def _is_about(self, row):
        tag, body = self.objects.get(SYS_OBJECT_ID, (None, b""))
        said = ".".join(map(str, decode_name(body))) + "." if tag == OBJECT else ""
        identity = " ".join(filter(None, (self._text(MANUFACTURER), self._text(MODEL)))).lower()
        return ((row["sysobjectid"] == "*" or said.startswith(row["sysobjectid"] + ".")) and
                identity.startswith(row["identity"].lower()))

    def _split(self, name):
        """(object's OID, its row, what follows) of an instance, or None."""
        for length in range(len(name), len(UPS_MIB), -1):
            if name[:length] in self.reference.objects:
                return name[:length], self.reference.objects[name[:length]], name[length:]
        return None

    def is_plainly_spelled(self, point):
        """Is its row called object.0 or column.row, as the MIB has it?"""
        found = [self._split(name) for name in self.sources[point]]
        return all(rest == (0,) if row["kind"] == "scalar" else len(rest) == 1 for _, row, rest in found)

    def _number_rows(self):
        """Tables whose rows count from 0: one row 0 in any of the columns tells, unless there are four rows."""
        rows = {}
        for name in self.objects:
            found = self._split(name)
            if found and found[1]["kind"] == "column" and found[2]:
                rows.setdefault(found[0][:-1], set()).add(found[2][0])
        self.zero_based = {entry for entry, numbers in rows.items() if 0 in numbers and 3 not in numbers}
        if self.before:
            self.zero_based = self.before.zero_based

    def _take(self, name, value):
        found = self._split(name)
        if not found:
            return
        object_oid, row, rest = found
        line = 0
        if row["kind"] == "scalar":
            if rest not in ((), (0,)):
                return
        else:
            if len(rest) not in (1, 2) or rest[1:] not in ((), (0,)):
                return
            lines = row["name"] != "upsModuleStatus"
            line = rest[0] + (lines and object_oid[:-1] in self.zero_based)
            if lines and not 1 <= line <= 3:
                return
        point, point_row = self.reference.point_of(row, line)
        if not point:
            return
        self.sources.setdefault(point, []).append(name)
        self.values.setdefault(point, set()).update(self._right(row, point_row, *value))

    def _right(self, row, point, tag, body):
        if point["kind"] == "string":
            return self._texts(tag, body)
        if row["name"] == "upsTestId":
            name = decode_name(body) if tag == OBJECT else ()
            rest = name[len(TESTS):] if name[:len(TESTS)] == TESTS else ()
            number = {rest[0]} if len(rest) == 1 or rest[1:] == (0,) else set()
        else:
            number = self._numbers(tag, body)
        if point["kind"] == "bool":
            return {bool(raw) for raw in number if raw in (0, 1)}
        if point["kind"] == "enum":
            members = dict(part.split("=") for part in point["values"].split(";"))
            return {members[str(raw)] for raw in number if str(raw) in members and not self._unknown(row, raw)}
        if point["kind"] == "timestamp":
            return set()
        unit = re.search(r"[\d.]+", point["mib_unit"])
        return {scaled * decimal.Decimal(unit[0] if unit else 1)
                for raw in number if not self._unknown(row, raw) for scaled in self._scales(row, raw)}

    @staticmethod
    def _texts(tag, body):
        if tag in TEXTUAL:
            return {body.decode("utf-8", "replace")}
        if tag in (INTEGER, GAUGE, COUNTER, COUNTER64):
            return {str(number) for number in Reading._numbers(tag, body)}
        if tag == OBJECT:
            return {".".join(map(str, decode_name(body)))}
        return set()

    @staticmethod
    def _numbers(tag, body):
        if tag in TEXTUAL:
            text = body.rstrip(b"\0 \t\r\n").lstrip(b" \t\r\n")
            return {int(text)} if re.fullmatch(rb"[+-]?[0-9]{1,18}", text) else set()
        if tag == INTEGER:
            return {int.from_bytes(body, "big", signed=True)}
        if tag in (GAUGE, COUNTER, TICKS, COUNTER64):
            number = int.from_bytes(body, "big")
            return {number, number - 2**32} if 2**31 <= number < 2**32 else {number}
        return set()

    def _matching(self, row, kind):
        return [quirk for quirk in self.quirks if quirk["quirk"] == kind and
                (quirk["object"] in ("*", row["name"]) or
                 (quirk["object"] == "unsigned" and ("NonNegative" in row["syntax"] or "Positive" in row["syntax"] or
                                                     "(0.." in row["syntax"])))]

    def _unknown(self, row, raw):
        if self._matching(row, "absent"):
            return True
        signed = bool(self._matching(row, "signed"))
        return any(raw == int(quirk["argument"]) for quirk in self._matching(row, "unknown")
                   if not (signed and quirk["object"] == "unsigned"))

    def _scales(self, row, raw):
        """@raw in the MIB's unit."""
        found = set()
        for quirk in self._matching(row, "scale"):
            above, _, below = quirk["argument"].partition("/")
            return {decimal.Decimal(raw) * int(above) / int(below or 1)}
        for quirk in self._matching(row, "scale-range"):
            low, high, above, below = re.fullmatch(r"(-?\d+)\.\.(-?\d+) (\d+)(?:/(\d+))?", quirk["argument"]).groups()
            scaled = decimal.Decimal(raw) * int(above) / int(below or 1)
            if int(low) <= raw <= int(high):
                return {scaled}
            if self.before:
                found.add(scaled)
        return found | {decimal.Decimal(raw)}

    @staticmethod
    def _identity(value):
        tag, body = value
        if tag == OBJECT:
            return decode_name(body)
        if tag in TEXTUAL:
            text = body.rstrip(b"\0 \t\r\n").decode("latin-1").lstrip(".")
            return oid(text) if re.fullmatch(r"\d+(\.\d+)*", text) else ()
        return ()

    def alarm_is_right(self, point, value):
        """Is it right to say that the alarm is active (or not)?"""
        names = {self.reference.alarms.get(identity) for identity in self.raised}
        names |= {self.reference.alarms.get(identity[:-1]) for identity in self.raised if identity[-1:] == (0,)}
        return value is (point in names)
