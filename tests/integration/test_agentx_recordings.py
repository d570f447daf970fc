#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Recordings of real devices, walked on both sides of busbar: what the device said is what snmpd now says.

    snmpsim (recordings) → ups-snmp → busbar → agentx → snmpd → ups-snmp → busbar

The first half is compared object by object, as numbers and texts, without a word about points. Blanks and NULs behind a
text are nothing that a device says. A difference must have a reason from a closed list, and no more than two in a
hundred may differ:

  quirk       a row of plugins/ups-snmp/quirks.csv is about this device and this object, which is counted in another
              unit than the MIB's, or below what its syntax has
  rounding    less than one step of the object, or a text cut or spelled as the object's syntax has it

Where a device says that it has none, snmpd must have none, too (absent): with NULL, an empty text, a number that a row
of quirks.csv says to mean that, or all that it says by such a row. Those are counted by themselves.

The second half closes the loop: a busbar that reads ours has the same points, as exactly as the objects can say them.
"""
import csv
import re
import unittest

from mib_reference import NOT_SERVED, ROOT, WITHOUT_POINT, Reference, arcs
from snmpd import Snmpd, SnmpError
from snmpsim import Snmpsim, records
from support import SOURCE, Busbard, say, shared, wait_for

UPS = arcs(ROOT)
SYS_OBJECT_ID = arcs("1.3.6.1.2.1.1.2.0")
MANUFACTURER, MODEL = (*UPS, 1, 1, 1, 0), (*UPS, 1, 1, 2, 0)
ALARM_DESCRIPTION = arcs(f"{ROOT}.1.6.2.1.2")
NUMBERS = ("2", "65", "66", "67", "70")
LINES = 3  # rows of tables with lines

# On a clock of their own, or our own; looked at elsewhere. Rows of alarms are compared by themselves.
NOT_COMPARED = {"upsTestStartTime", "upsTestSpinLock", "upsAlarmDescr", "upsAlarmTime"} | set(NOT_SERVED)


class Recording:
    """What a device said, by the instance that it meant."""

    def __init__(self, path, reference, quirks):
        self.said = {name: (tag, value) for name, tag, value in records(path)}
        self.reference = reference
        self.quirks = [row for row in quirks if self._is_about(row)]
        self.first = self._first_rows()
        self.instances = {}
        for name, value in self.said.items():
            found = self._instance(name)
            if found and found not in self.instances:
                self.instances[found] = value

    def text(self, name):
        tag, value = self.said.get(name, ("4", ""))
        return value if tag == "4" else bytes.fromhex(value).decode("utf-8", "replace") if tag == "4x" else ""

    def _is_about(self, row):
        identity = " ".join(filter(None, (self.text(name).strip("\0 ") for name in (MANUFACTURER, MODEL)))).lower()
        said = self.said.get(SYS_OBJECT_ID, ("6", ""))[1] + "."
        return (row["sysobjectid"] == "*" or said.startswith(row["sysobjectid"] + ".")) and \
            identity.startswith(row["identity"].lower())

    def _split(self, name):
        for length in range(len(UPS) + 2, len(name) + 1):
            found = self.reference.by_oid.get(name[:length])
            if found:
                return found, name[length:]
        return None, ()

    def _first_rows(self):
        """Tables of lines that count from 0: {entry: 1}."""
        rows = {}
        for name in self.said:
            item, rest = self._split(name)
            if item and item.column and rest:
                rows.setdefault(arcs(item.oid)[:-1], set()).add(rest[0])
        return {entry: 1 for entry, numbers in rows.items() if 0 in numbers and LINES not in numbers}

    def _instance(self, name):
        """The name as the MIB has it: object.0, column.row."""
        item, rest = self._split(name)
        if not item or len(rest) > 2 or rest[1:] not in ((), (0,)) or (item.column and not rest):
            return None
        if not item.column:
            return f"{item.oid}.0" if rest in ((), (0,)) else None
        row = rest[0]
        if item.name != "upsModuleStatus":
            row += self.first.get(arcs(item.oid)[:-1], 0)
            if not 1 <= row <= LINES:
                return None
        return f"{item.oid}.{row}"

    def alarms(self):
        """The identities that stand in the alarm table and that somebody knows; None: it has no such table."""
        rows = [value for name, (_, value) in self.said.items() if name[:len(ALARM_DESCRIPTION)] == ALARM_DESCRIPTION]
        if not rows and f"{ROOT}.1.6.1.0" not in self.instances:
            return None
        found = {value.strip().lstrip(".") for value in rows}
        found = {value if value in self.reference.alarms else value.removesuffix(".0") for value in found}
        return sorted(found & self.reference.alarms.keys())

    def matching(self, item, *kinds):
        """The quirks of these kinds that are about an object."""
        return [row for row in self.quirks if row["quirk"] in kinds and
                (row["object"] in (item.name, "*") or (row["object"] == "unsigned" and item.range[0] >= 0))]


def value_of(item, tag, value):
    """What the device said, as Varbind.value has it; None: nothing."""
    if tag in NUMBERS:
        number = int(value)
        return str(number).encode() if item.type == "STRING" else number
    if tag in ("4", "4x"):
        body = bytes.fromhex(value) if tag == "4x" else value.encode()
        if item.type == "STRING":
            return body.rstrip(b"\0 ")
        text = body.strip(b"\0 \t\r\n")
        return int(text) if re.fullmatch(rb"-?\d+", text) else None
    if tag == "6":
        return value.strip(".")
    return None


def is_spelling(item, said, found):
    """Are two texts the same but for what the object's syntax asks for and for what cannot be printed?"""
    if not isinstance(said, bytes) or not isinstance(found, bytes):
        return False
    text = said.decode("utf-8", "replace")
    return "".join(letter if " " <= letter <= "~" else "?" for letter in text)[:item.range[1]].encode() == found


class Recordings(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = shared()
        cls.reference = Reference(folder / "reference")
        with open(SOURCE / "plugins/ups-snmp/quirks.csv", newline="", encoding="utf-8") as file:
            quirks = list(csv.DictReader(file))
        files = {path.stem: path for path in sorted((folder / "recordings" / "snmprec").glob("*.snmprec"))}
        files |= {path.stem: path for path in sorted((SOURCE / "tests/integration/data").glob("*.snmprec"))}
        found = {community: Recording(path, cls.reference, quirks) for community, path in files.items()}
        cls.recordings = {community: recording for community, recording in found.items() if recording.instances}
        cls.names = {community: f"r{index}" for index, community in enumerate(cls.recordings)}
        simulator = cls.enterClassContext(Snmpsim({community: files[community] for community in cls.recordings}))
        cls.snmpd = cls.enterClassContext(Snmpd(contexts=list(cls.names.values())))
        options = {"plugin": "ups-snmp", "interval": "2s", "stale-after": "300s", "timeout": "10s"}
        devices = {name: {**options, "address": f"snmp://127.0.0.1:{simulator.port}", "community": community}
                   for community, name in cls.names.items()}
        cls.daemon = cls.enterClassContext(Busbard({"devices": devices, "exporters": {
            "agentx": {"master": cls.snmpd.agentx}}}))
        cls.wait_for_values(cls.daemon, cls.names.values())
        wait_for(lambda: all(cls.walk(name) for name in cls.names.values()), 30, "all contexts")
        address = f"snmp://{cls.snmpd.address.removeprefix('udp:')}"
        cls.reader = cls.enterClassContext(Busbard({"devices": {
            name: {**options, "address": address, "community": name} for name in cls.names.values()}}))
        cls.wait_for_values(cls.reader, cls.names.values())

    @staticmethod
    def wait_for_values(daemon, names):
        expected = set(names)

        def look():
            return expected <= {row["device"] for row in daemon.json("points") if row["quality"] == "good" and
                                not row["point"].startswith("alarm.")}
        wait_for(look, 60, lambda: f"readings of all devices; busbard said:\n{daemon.log()}")

    @classmethod
    def walk(cls, context):
        try:
            return {varbind.oid: varbind.value for varbind in cls.snmpd.bulkwalk(ROOT, context=context, timeout=2)}
        except SnmpError:
            return {}

    @staticmethod
    def says_none(recording, item, said):
        return said is None or any(row["quirk"] == "absent" or said == int(row["argument"])
                                   for row in recording.matching(item, "absent", "unknown"))

    @staticmethod
    def reason(recording, item, said, found):
        """Why snmpd may say something else than the device did; None: it may not."""
        for row in recording.matching(item, "scale", "signed", "scale-range"):
            if row["quirk"] != "scale-range" and row["object"] == item.name:
                return "quirk"
            if row["quirk"] == "scale-range":
                low, high = map(int, re.match(r"(\d+)\.\.(\d+)", row["argument"]).groups())
                if low <= said <= high:
                    return "quirk"
        return "rounding" if is_spelling(item, said, found) else None

    def test_snmpd_says_what_the_devices_said(self):
        compared, absent, differences = 0, 0, []
        for community, recording in self.recordings.items():
            shown = self.walk(self.names[community])
            for oid, (tag, value) in recording.instances.items():
                item, _ = self.reference.find(oid)
                if item.name in NOT_COMPARED:
                    continue
                said, found = value_of(item, tag, value), shown.get(oid)
                compared += 1
                if self.says_none(recording, item, said):
                    self.assertIsNone(found, f"{community}: {item.name} where the device says none, {value!r}")
                    absent += 1
                elif said != found:
                    why = self.reason(recording, item, said, found)
                    print(f"{community}: {item.name} ({oid}) is {found}, the device said {value!r} (type {tag}): {why}")
                    self.assertIsNotNone(why, f"{community}: {item.name}")
                    differences.append(why)
        reasons = ", ".join(f"{why} {differences.count(why)}" for why in sorted(set(differences)))
        say(f"recordings on both sides: {len(self.recordings)} devices, {compared} objects, {len(differences)} differ "
            f"for a reason ({reasons}); {absent} have no value on either side")
        self.assertGreater(compared, 650)
        self.assertLessEqual(len(differences), compared * 0.02)

    def test_alarm_tables_have_the_same_identities(self):
        tables = rows = 0
        for community, recording in self.recordings.items():
            if recording.alarms() is None:
                continue
            shown = self.walk(self.names[community])
            found = sorted(value for oid, value in shown.items()
                           if arcs(oid)[:len(ALARM_DESCRIPTION)] == ALARM_DESCRIPTION)
            self.assertEqual(found, recording.alarms(), community)
            self.assertEqual(shown[f"{ROOT}.1.6.1.0"], len(found), community)
            tables += 1
            rows += len(found)
        say(f"recordings on both sides: {tables} alarm tables with {rows} rows are the same")
        self.assertGreater(rows, 2)

    def may_differ(self, recording, point, first, second):
        """Why a reader of ours may have another value of a point; None: it may not."""
        items = [item for item in self.reference.accessible
                 if item.name not in WITHOUT_POINT | NOT_SERVED.keys()
                 for row in ((1, 2, 3) if item.column else (0,)) if self.reference.point(item, row) == point["point"]]
        if not items:
            return "no object"
        item = items[0]
        if item.syntax == "TimeStamp":
            return "clock"  # what was before snmpd started is 0
        if isinstance(first, str) or isinstance(second, str) or second is None:
            return None
        if abs(first - second) < item.factor():
            return "rounding"
        if first < 0 <= item.range[0] and second == 0:
            return "range"
        return "quirk" if recording.matching(item, "scale") else None  # it takes us for the device

    def test_a_busbar_that_reads_ours_has_the_same_points(self):
        compared, differences = 0, []
        for community, name in self.names.items():
            first, second = self.daemon.points(name), self.reader.points(name)
            for point, row in first.items():
                if row["value"] is None:
                    continue
                compared += 1
                other = second.get(point, {"value": None})["value"]
                if other == row["value"]:
                    continue
                why = self.may_differ(self.recordings[community], row, row["value"], other)
                print(f"{community}: {point} was {row['value']} and is {other}: {why}")
                self.assertIsNotNone(why, f"{community}: {point}")
                differences.append(why)
        reasons = ", ".join(f"{why} {differences.count(why)}" for why in sorted(set(differences)))
        say(f"loop closed: {compared} points of {len(self.names)} devices, {len(differences)} differ when a busbar "
            f"reads ours ({reasons})")
        self.assertGreater(compared, 1000)
        self.assertLessEqual(len(differences), compared * 0.02)


if __name__ == "__main__":
    unittest.main()
