# SPDX-License-Identifier: Apache-2.0
"""Recordings of real devices, served by snmpsim and polled by one busbard, against what LibreNMS made of them.

LibreNMS is the judge of scales: its expected sensor values were written by other people for the same recordings. What
an OID means is taken from the reference tables beside the recordings, not from the plugin. A value that differs must
have a reason from a closed list, and no more than two in a hundred may:

  absent      the recording does not have the object (LibreNMS kept a value from elsewhere)
  quirk       a row of plugins/ups-snmp/quirks.csv is about this device and this object
  rounding    less than one step of the point apart
"""
import csv
import decimal
import json
import re
import unittest

from snmpsim import Snmpsim, records
from support import SOURCE, Busbard, cut, say, shared, wait_for

UPS_OBJECTS = (1, 3, 6, 1, 2, 1, 33, 1)
SYS_OBJECT_ID = (1, 3, 6, 1, 2, 1, 1, 2, 0)
MANUFACTURER, MODEL = (*UPS_OBJECTS, 1, 1, 0), (*UPS_OBJECTS, 1, 2, 0)

# LibreNMS counts these in minutes.
SECONDS_OF = {"battery.runtime": 60, "battery.discharge.time": 60}


def devices_of(recordings, port, **options):
    return {f"r{index}": {"plugin": "ups-snmp", "address": f"snmp://127.0.0.1:{port}", "community": community,
                          "interval": "2s", "stale-after": "300s", "timeout": "10s", **options}
            for index, community in enumerate(recordings)}


def wait_until_all_said(daemon, recordings, having):
    """Wait until every device has either a reading or, without anything to read, said so."""
    expected = {f"r{index}" for index, community in enumerate(recordings) if community in having}

    def look():
        rows = daemon.json("points")
        return expected <= {row["device"] for row in rows if row["quality"] == "good"}
    wait_for(look, 60, lambda: f"readings of all devices; busbard said:\n{daemon.log()}")


class Dictionary:
    """Which point an OID feeds: reference/points.csv and reference/mib-objects.csv, nothing of the plugin."""

    def __init__(self, reference):
        with open(reference / "mib-objects.csv", newline="", encoding="utf-8") as file:
            self.objects = {tuple(map(int, row["oid"].split("."))): row for row in csv.DictReader(file)}
        self.points = {}
        with open(reference / "points.csv", newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                self.points.setdefault(row["mib_object"], []).append(row)

    def find(self, oid):
        """(object name, points.csv row) of an instance."""
        for length in range(len(oid), len(UPS_OBJECTS), -1):
            found = self.objects.get(oid[:length])
            if not found or found["kind"] not in ("scalar", "column"):
                continue
            rows = self.points.get(found["name"], [])
            if found["kind"] == "scalar":
                return found["name"], rows[0] if rows else None
            line = oid[length] if len(oid) > length else 0
            return found["name"], next((row for row in rows if f".L{line}." in row["point"]), None)
        return None, None


def quirks_of(recording):
    """Names of the objects that rows of quirks.csv are about for this recording; "*" and "unsigned" for all."""
    said = {name: value for name, tag, value in recording}
    text = {name: bytes.fromhex(value).decode("latin-1").strip("\0 ") if tag == "4x" else value.strip("\0 ")
            for name, tag, value in recording if tag in ("4", "4x")}
    identity = " ".join(filter(None, (text.get(MANUFACTURER), text.get(MODEL)))).lower()
    with open(SOURCE / "plugins/ups-snmp/quirks.csv", newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file)
                if row["sysobjectid"] == "*" or (said.get(SYS_OBJECT_ID, "") + ".").startswith(row["sysobjectid"] + ".")
                if identity.startswith(row["identity"].lower())]


def raw_number(recording, oid):
    for name, tag, value in recording:
        if name == oid and tag in ("2", "65", "66", "67", "70"):
            return int(value)
    return None


def reason(dictionary_row, name, oid, recording, expected, found):
    """Why busbar may say something else than LibreNMS; None: it may not."""
    raw = raw_number(recording, oid)
    if raw is None:
        return "absent"
    for row in quirks_of(recording):
        if row["object"] != name and row["object"] not in ("*", "unsigned"):
            continue
        if row["quirk"] == "unknown" and raw == int(row["argument"]) and found is None:
            return "quirk"
        if row["quirk"] in ("scale", "absent") and row["object"] == name:
            return "quirk"
        if row["quirk"] == "scale-range":
            low, high = map(int, re.match(r"(\d+)\.\.(\d+)", row["argument"]).groups())
            if low <= raw <= high:
                return "quirk"
    step = decimal.Decimal(1).scaleb(-int(dictionary_row["decimals"] or 0))
    if found is not None and abs(found - expected) < step:
        return "rounding"
    return None


def sensors_of(path):
    expected = json.loads(path.read_text(encoding="utf-8"), parse_float=decimal.Decimal)
    discovered = expected.get("sensors", {}).get("discovery") or {}
    for sensor in discovered.get("sensors", []):
        oid = tuple(int(arc) for arc in sensor["sensor_oid"].strip(".").split("."))
        if oid[:len(UPS_OBJECTS)] == UPS_OBJECTS and sensor["sensor_current"] is not None:
            yield oid, sensor


class Recordings(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shared = shared()
        cls.folder = cls.shared / "recordings"
        cls.files = {path.stem: path for path in sorted((cls.folder / "snmprec").glob("*.snmprec"))}
        cls.recordings = {community: records(path) for community, path in cls.files.items()}
        cls.having = {community for community, recording in cls.recordings.items()
                      if any(name[:len(UPS_OBJECTS)] == UPS_OBJECTS for name, _, _ in recording)}
        cls.simulator = Snmpsim(cls.files)
        cls.addClassCleanup(cls.simulator.__exit__, None, None, None)

    def compare(self, daemon, community, device, dictionary):
        """(how many were compared, [what differs])."""
        path = self.folder / "librenms-expected" / f"{community}.json"
        compared, differences = 0, []
        points = daemon.points(device)
        for oid, sensor in sensors_of(path) if path.exists() else ():
            name, row = dictionary.find(oid)
            self.assertIsNotNone(row, f"{community}: {sensor['sensor_oid']} feeds no point of reference/points.csv")
            expected = decimal.Decimal(sensor["sensor_current"]) * SECONDS_OF.get(row["point"], 1)
            point = points.get(row["point"], {"value": None, "quality": "no such point"})
            value = point.get("raw", point["value"])
            found = None if point["value"] is None else decimal.Decimal(str(value))
            compared += 1
            if found == expected:
                continue
            why = reason(row, name, oid, self.recordings[community], expected, found)
            differences.append(why)
            self.assertIsNotNone(why, f"{community}: {row['point']} ({sensor['sensor_oid']}) is {found} "
                                      f"({point['quality']}), LibreNMS has {expected}")
            print(f"{community}: {row['point']} is {found} ({point['quality']}), LibreNMS has {expected}: {why}")
        return compared, differences

    def test_values_are_those_of_librenms(self):
        dictionary = Dictionary(self.shared / "reference")
        with Busbard({"devices": devices_of(self.recordings, self.simulator.port)}) as daemon:
            wait_until_all_said(daemon, self.recordings, self.having)
            judged, values, differences = 0, 0, []
            for index, community in enumerate(self.recordings):
                compared, found = self.compare(daemon, community, f"r{index}", dictionary)
                judged += compared > 0
                values += compared
                differences += found
        say(f"recordings: {judged} compared with LibreNMS, {values} values, {len(differences)} differ for a reason "
            f"({', '.join(f'{why} {differences.count(why)}' for why in sorted(set(differences))) or 'none'})")
        self.assertGreaterEqual(judged, 17)
        self.assertGreaterEqual(values, 370)
        self.assertLessEqual(len(differences), values * 0.02)

    def check_rows_come_out(self, **options):
        """Every instance that a recording has and a point takes comes out, in whatever way it is asked for."""
        dictionary = Dictionary(self.shared / "reference")
        chosen = list(self.recordings)
        if options:
            few = cut(len(chosen), 8, f"recordings with {options}")
            having = [community for community in chosen if community in self.having]
            chosen = having[:few]
        rows = 0
        with Busbard({"devices": devices_of(chosen, self.simulator.port, **options)}) as daemon:
            wait_until_all_said(daemon, chosen, self.having)
            for index, community in enumerate(chosen):
                points = daemon.points(f"r{index}")
                for name, _, _ in self.recordings[community]:
                    if name[:len(UPS_OBJECTS)] != UPS_OBJECTS:
                        continue
                    _, row = dictionary.find(name)
                    if row:
                        self.assertIn(row["point"], points, f"{community}: {name}")
                        rows += 1
        say(f"recordings{f' with {options}' if options else ''}: {len(chosen)} served, {rows} instances came out")

    def test_rows_that_exist_come_out(self):
        self.check_rows_come_out()

    def test_version_1_gets_the_same_rows(self):
        self.check_rows_come_out(version="1")

    def test_a_device_without_the_mib_is_not_up(self):
        without = sorted(set(self.recordings) - self.having)[:4]
        with Busbard({"devices": devices_of(without, self.simulator.port)}) as daemon:
            for index in range(len(without)):
                daemon.wait_log(f"r{index}: .*has nothing of UPS-MIB", 30)
            for row in daemon.json("points"):
                self.assertNotEqual((row["point"], row["quality"]), ("battery.charge", "good"))


class OwnWalks(unittest.TestCase):
    """Two small walks of our own making keep the path tested where there are no recordings."""

    @classmethod
    def setUpClass(cls):
        folder = SOURCE / "tests/integration/data"
        cls.files = {path.stem: path for path in folder.glob("*.snmprec")}
        cls.simulator = Snmpsim(cls.files)
        cls.addClassCleanup(cls.simulator.__exit__, None, None, None)

    def check_values(self, **options):
        with Busbard({"devices": devices_of(["ups-one-phase", "ups-three-phase"], self.simulator.port,
                                            **options)}) as daemon:
            wait_until_all_said(daemon, ["ups-one-phase", "ups-three-phase"], self.files)
            one, three = daemon.points("r0"), daemon.points("r1")
        self.assertEqual(one["device.mfr"]["value"], "Example Power")
        self.assertEqual(one["battery.charge"]["value"], 97.0)
        self.assertEqual(one["battery.runtime"]["value"], 42 * 60)
        self.assertEqual(one["battery.voltage"]["value"], 54.3)
        self.assertEqual(one["battery.current"]["value"], -0.2)
        self.assertEqual(one["battery.temperature"]["quality"], "unsupported", "-273: no sensor")
        self.assertEqual(one["input.L1.frequency"]["value"], 49.9)
        self.assertEqual(one["input.L1.current"]["quality"], "unsupported", "-1: unknown")
        self.assertEqual(one["output.source"]["value"], "battery")
        self.assertEqual(one["battery.discharge.time"]["value"], 75)
        self.assertEqual(one["ups.test.id"]["value"], "quick-battery")
        self.assertEqual(one["ups.test.result"]["value"], "done-pass")
        self.assertEqual(one["ups.timer.shutdown"]["value"], -1)
        self.assertIs(one["alarm.on-battery"]["value"], True)
        self.assertIs(one["alarm.input-bad"]["value"], True)
        self.assertIs(one["alarm.aux-input-2"]["value"], True, "the vendor's identity")
        self.assertIs(one["alarm.fan-failure"]["value"], False)
        self.assertEqual(one["alarm.count"]["value"], 3)
        # Rows with one more .0, text with NUL, numbers as text.
        self.assertEqual(three["device.model"]["value"], "Triple 30")
        for line, load in (1, 20.0), (2, 26.0), (3, 31.0):
            self.assertEqual(three[f"output.L{line}.load"]["value"], load)
            self.assertEqual(three[f"input.L{line}.voltage"]["value"], 230.0 + line)
        self.assertEqual(three["input.L3.current"]["quality"], "unsupported", "NULL: absent")
        self.assertEqual(three["battery.charge"]["value"], 100.0)
        self.assertEqual(three["battery.voltage"]["quality"], "bad", "text that is no number")
        self.assertIs(three["alarm.on-battery"]["value"], False)
        self.assertEqual(three["module.2.status"]["value"], "fault")

    def test_values_come_out_with_version_2c(self):
        self.check_values()

    def test_values_come_out_with_version_1(self):
        self.check_values(version="1")


if __name__ == "__main__":
    unittest.main()
