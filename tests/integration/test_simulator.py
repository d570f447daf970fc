#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The simulator in a real busbard: what its scenarios do to points, alarms and events, and the profile `everything`.

The model itself has unit tests (test_physics.c); here it is about what arrives at busbarctl.
"""
import csv
import pathlib
import re
import subprocess
import tempfile
import unittest

from support import BUILD, SOURCE, Busbard, say, wait_for

SCENARIO = SOURCE / "plugins" / "simulator" / "mains-failure.scenario"


def check(config, files=()):
    """What `busbard --check` says about the YAML text @config: (exit status, output). @files are (name, text)."""
    with tempfile.TemporaryDirectory(prefix="busbar-") as folder:
        path = pathlib.Path(folder)
        (path / "busbar.yaml").write_text(config)
        for name, text in files:
            (path / name).write_text(text)
        done = subprocess.run([BUILD / "bin" / "busbard", "-c", path / "busbar.yaml", "--check"], capture_output=True,
                              text=True, timeout=120, check=False)
        return done.returncode, done.stdout + done.stderr


class Scenario(unittest.TestCase):
    def run_device(self, scenario, **options):
        """A busbard with the device `lab`, to which @scenario happens."""
        folder = tempfile.TemporaryDirectory(prefix="busbar-")
        self.addCleanup(folder.cleanup)
        path = pathlib.Path(folder.name) / "test.scenario"
        path.write_text(scenario)
        device = {"plugin": "simulator", "interval": "100ms", "watch": "0s", "scenario": str(path), **options}
        busbard = Busbard({"devices": {"lab": device}})
        self.addCleanup(busbard.__exit__, None, None, None)
        return busbard

    def wait_point(self, busbard, point, wanted):
        """Wait until @wanted holds of the row of @point, and return all points of that moment."""
        points = {}

        def look():
            points.update(busbard.points("lab"))
            return point in points and wanted(points[point])
        wait_for(look, 10, lambda: f"{point}; it is {points.get(point)}")
        return points

    def test_a_mains_failure_runs_through_points_alarms_and_events(self):
        # It lasts for eight real seconds: time to look.
        busbard = self.run_device("at 10s mains off\nat 90s mains on\n", speed=10)
        points = self.wait_point(busbard, "alarm.on-battery", lambda row: row["value"] is True)
        self.assertEqual(points["output.source"]["value"], "battery")
        self.assertEqual(points["input.L1.voltage"]["value"], 0)
        self.assertLess(points["battery.current"]["value"], 0)
        self.assertIn("OB", points["ups.status"]["value"].split())
        self.assertIn("backup-mode", points["ups.status.word"]["value"].split())
        points = self.wait_point(busbard, "alarm.on-battery", lambda row: row["value"] is False)
        self.assertEqual(points["output.source"]["value"], "normal")
        self.assertLess(points["battery.charge"]["value"], 100)
        self.assertEqual(points["input.failure.count"]["value"], 1)
        self.assertEqual(points["battery.discharge.time"]["value"], 0)

        def told():
            return [event["event"] for event in busbard.json("events")
                    if event.get("device") == "lab" and event.get("subject") == "on-battery"]
        wait_for(lambda: told() == ["alarm-raised", "alarm-cleared"], 5, lambda: f"two events; there are {told()}")

    def test_a_battery_runs_empty_and_the_output_goes_off(self):
        busbard = self.run_device("at 1s mains off\n", speed=100, battery="30s", low="10s", load=100)
        points = self.wait_point(busbard, "alarm.depleted-battery", lambda row: row["value"] is True)
        self.assertEqual(points["output.source"]["value"], "none")
        self.assertEqual(points["battery.status"]["value"], "depleted")
        self.assertEqual(points["output.L1.voltage"]["value"], 0)
        self.assertTrue(points["alarm.ups-output-off"]["value"])

    def test_a_failed_sensor_is_bad_and_not_zero(self):
        busbard = self.run_device("at 5s sensor fail\n", speed=10)
        points = self.wait_point(busbard, "battery.temperature", lambda row: row["quality"] == "bad")
        self.assertIsNone(points["battery.temperature"]["value"])
        self.assertEqual(points["battery.charge"]["quality"], "good")

    def test_silence_loses_the_device_and_finds_it_again(self):
        options = {"stale-after": "1s"}
        busbard = self.run_device("at 20s silence 60s\n", speed=10, **options)

        def states():
            return [event["event"] for event in busbard.json("events")
                    if event.get("device") == "lab" and event["event"] in ("device-lost", "device-found")]
        wait_for(lambda: "device-lost" in states(), 10, lambda: f"the device to be lost; there were {states()}")
        self.wait_point(busbard, "alarm.communications-lost", lambda row: row["value"] is True)
        wait_for(lambda: states()[-1] == "device-found", 10, lambda: f"the device to be back; there were {states()}")

    def test_a_test_finds_a_worn_battery(self):
        busbard = self.run_device("at 1s battery replace\nat 2s test start\n", speed=20)
        points = self.wait_point(busbard, "ups.test.result", lambda row: row["value"] == "done-error")
        self.assertEqual(points["battery.condition"]["value"], "replace")
        self.assertEqual(points["ups.test.duration"]["value"], 10)
        self.assertRegex(points["ups.test.start"]["value"], r"^\d{4}-\d\d-\d\dT")
        self.assertTrue(points["alarm.battery-bad"]["value"])
        self.assertTrue(points["alarm.diagnostic-test-failed"]["value"])


class Configuration(unittest.TestCase):
    def test_a_faulty_scenario_refuses_the_configuration_with_file_and_line(self):
        status, said = check("devices:\n  lab: { plugin: simulator, scenario: bad.scenario }\n",
                             [("bad.scenario", "at 1s mains on\nat 30s mians off\nat 2m load lots\n")])
        self.assertNotEqual(status, 0)
        self.assertRegex(said, r"busbar\.yaml:2:\d+: .*bad\.scenario:2: unknown action 'mians', did you mean 'mains'\?")
        self.assertRegex(said, r"bad\.scenario:3: cannot read 'load lots'")

    def test_a_battery_that_would_always_be_low_is_refused(self):
        status, said = check("devices:\n  lab: { plugin: simulator, battery: 1m }\n")
        self.assertNotEqual(status, 0)
        self.assertIn("must be shorter than 'battery'", said)

    def test_modules_on_top_of_everything_are_refused(self):
        status, said = check("devices:\n  lab: { plugin: simulator, profile: everything, modules: 3 }\n")
        self.assertNotEqual(status, 0)
        self.assertIn("the profile everything has modules of its own", said)

    def test_the_sample_scenario_and_the_manual_pages_example_are_fine(self):
        page = (SOURCE / "docs" / "man" / "busbar-simulator.7.scd").read_text()
        example = re.search(r"# EXAMPLE\n+```\n(.*?)```", page, re.DOTALL).group(1)
        self.assertIn(SCENARIO.name, example)
        example = re.sub(r"/\S*" + re.escape(SCENARIO.name), str(SCENARIO), example)
        status, said = check(example)
        self.assertEqual(status, 0, said)


class Profiles(unittest.TestCase):
    def test_everything_has_a_good_value_in_every_row_of_the_dictionary(self):
        with open(SOURCE / "config" / "points.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        device = {"plugin": "simulator", "profile": "everything", "interval": "100ms", "watch": "0s"}
        with Busbard({"devices": {"all": device}}) as busbard:
            first = wait_for(lambda: busbard.points("all"), 10, "a reading")
            second = wait_for(lambda: self.polled_again(busbard, first), 10, "another poll")
        self.assertGreaterEqual(len(first), len(rows))
        for row in rows:
            name = re.compile(re.sub(r"<\w+>", r"[\\w.-]+", row["point"].replace(".", r"\.")))
            point = next((first[candidate] for candidate in first if name.fullmatch(candidate)), None)
            self.assertIsNotNone(point, row["point"])
            if row["kind"] == "command":
                continue
            self.assertEqual(point["quality"].split(",")[0], "good", row["point"])
            self.assertIsNotNone(point["value"], row["point"])
        changing = [row for row in rows
                    if row["kind"] in ("number", "counter", "enum", "flags") and row["point"] in first]
        still = [row["point"] for row in changing if first[row["point"]]["value"] == second[row["point"]]["value"]]
        self.assertLessEqual(len(still), len(changing) // 20, still)
        say(f"profile everything: {len(rows)} rows of the dictionary, {len(first)} points, "
            f"{len(changing) - len(still)} of {len(changing)} numbers changed between two polls")

    @staticmethod
    def polled_again(busbard, first):
        points = busbard.points("all")
        return points if points["battery.charge"]["value"] != first["battery.charge"]["value"] else None

    def test_three_phase_has_about_a_hundred_points_and_bench_points_come_on_top(self):
        common = {"plugin": "simulator", "interval": "100ms"}
        config = {"devices": {"three": {**common, "profile": "three-phase"}, "bench": {**common, "points": 500}}}
        with Busbard(config) as busbard:
            points = wait_for(lambda: busbard.points("three"), 10, "a reading")
            self.assertTrue(100 <= len(points) <= 130, len(points))
            for line in ("L1", "L2", "L3"):
                self.assertAlmostEqual(points[f"input.{line}.voltage"]["value"], 230, delta=5)
                self.assertAlmostEqual(points[f"bypass.{line}.voltage"]["value"], 230, delta=5)
            bench = wait_for(lambda: busbard.points("bench"), 10, "a reading")
            names = [name for name in bench if name.startswith("vendor.value-")]
            self.assertEqual(len(names), 500)
            wait_for(lambda: all(busbard.points("bench")[name]["value"] != bench[name]["value"] for name in names), 10,
                     "all bench points to change")

    def test_each_module_has_a_row_of_values_that_change(self):
        with Busbard({"devices": {"bacs": {"plugin": "simulator", "modules": 40, "interval": "100ms"}}}) as busbard:
            points = wait_for(lambda: busbard.points("bacs"), 10, "a reading")
            self.assertEqual(points["bacs.module.count"]["value"], 40)
            self.assertNotIn("module.41.voltage", points)
            for module in range(1, 41):
                self.assertAlmostEqual(points[f"module.{module}.voltage"]["value"], 13.5, delta=0.07)
                self.assertAlmostEqual(points[f"module.{module}.temperature"]["value"], 23, delta=1)
                self.assertAlmostEqual(points[f"module.{module}.impedance"]["value"], 5.2, delta=0.3)
                self.assertEqual(points[f"module.{module}.alarms"]["value"], "")
            before = points["module.40.voltage"]["value"]
            wait_for(lambda: busbard.points("bacs")["module.40.voltage"]["value"] != before, 10,
                     "the last module to change")


if __name__ == "__main__":
    unittest.main()
