# SPDX-License-Identifier: Apache-2.0
"""The project's own tables say what the reference tables say.

config/points.csv and config/alarms.csv are ours to word, but what a point is called, which unit it has and how it is
exported are facts that programs outside rely on. The reference tables hold those facts; they lie beside the source
tree, and without them the test is skipped.
"""
import csv
import re
import unittest

from support import SOURCE, say, shared

# What other programs see of a point; its help text is ours.
FACTS = ("class", "kind", "unit", "decimals", "access", "nut", "mib_object", "mib_unit", "modbus_symbols", "metric",
         "labels", "stale", "urgent")


def read(path, key):
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    table = {row[key]: row for row in rows}
    assert len(table) == len(rows), f"{path}: a {key} stands there twice"
    return table


def kebab(name):
    """alarmSensorManager1Low without its prefix: SensorManager1Low -> sensor-manager-1-low."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)
    return "-".join(word.lower() for word in words)


def alarm_name(mib_name):
    rest = re.sub(r"^(upsAlarm|bacsAlarm|alarm)", "", mib_name)
    return ("bacs-" if mib_name.startswith("bacsAlarm") else "") + kebab(rest)


class Tables(unittest.TestCase):
    def setUp(self):
        self.reference = shared() / "reference"
        self.points = read(SOURCE / "config/points.csv", "point")
        self.alarms = read(SOURCE / "config/alarms.csv", "name")

    def test_points_say_what_the_reference_says(self):
        reference = read(self.reference / "points.csv", "point")
        self.assertEqual(list(reference), list(self.points), "the same points in the same order")
        for name, row in reference.items():
            for fact in FACTS:
                self.assertEqual(row[fact], self.points[name][fact], f"{name}: {fact}")
            if row["values"]:
                self.assertEqual(row["values"], self.points[name]["values"], f"{name}: values")
            self.assertTrue(self.points[name]["help"], f"{name} has no help text")
        say(f"{len(reference)} points agree with the reference")

    def test_flag_words_have_the_bits_of_the_reference(self):
        words = {"bacs.status": "bacsStatus", "bacs.alarms": "1002", "module.<m>.alarms": "1002",
                 "bacs.alarms.more": "1005"}
        with open(self.reference / "bacs-flags.csv", newline="", encoding="utf-8") as file:
            flags = [row for row in csv.DictReader(file) if row["bit"]]
        for point, register in words.items():
            bits = [row["bit"] for row in flags if row["register"] == register]
            members = [pair.split("=")[0] for pair in self.points[point]["values"].split(";")]
            self.assertEqual(bits, members, point)

    def test_every_alarm_identity_has_its_alarm(self):
        objects = [row for row in read(self.reference / "mib-objects.csv", "oid").values()
                   if row["kind"] == "alarm-identity"]
        ours = {row["oid"]: name for name, row in self.alarms.items() if row["oid"]}
        self.assertEqual(len(objects), 219)
        self.assertEqual({row["oid"]: alarm_name(row["name"]) for row in objects}, ours)
        say(f"{len(objects)} alarm identities agree with the reference")

    def test_every_alarm_point_has_its_alarm(self):
        for name, row in self.points.items():
            if row["kind"] != "alarm":
                continue
            alarm = self.alarms[name.removeprefix("alarm.")]
            bit = re.fullmatch(r"SNMPALARMS bit (\d+)", row["values"])
            self.assertEqual(alarm["bit"], bit.group(1) if bit else "", name)


if __name__ == "__main__":
    unittest.main()
