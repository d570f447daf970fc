#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Rules of the configuration against simulated UPSs, and the configurations of docs/alarms.md word for word."""
import json
import pathlib
import re
import signal
import subprocess
import tempfile
import unittest

import yaml

from modbus_peers import Ups
from support import BUILD, SOURCE, Busbard, free_port, say, wait_for

PAGE = SOURCE / "docs" / "alarms.md"


def simulator(**options):
    return {"plugin": "simulator", "interval": "200ms", "watch": "100ms", **options}


def page_config(name):
    """The configuration that docs/alarms.md shows under that name."""
    found = re.search(rf"<!-- tested: {name} -->\n```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found, f"{PAGE} has no block '{name}'"
    return found.group(1)


def check(path):
    return subprocess.run([BUILD / "bin" / "busbard", "--check", "-c", path], capture_output=True, text=True,
                          timeout=120, check=False)


class Alarms(unittest.TestCase):
    def scenario(self, text):
        folder = tempfile.TemporaryDirectory(prefix="busbar-")
        self.addCleanup(folder.cleanup)
        path = pathlib.Path(folder.name) / "scenario"
        path.write_text(text, encoding="utf-8")
        return str(path)

    def alarm(self, daemon, name, device="ups-a"):
        return next((row for row in daemon.json("alarms", device, "--all") if row["alarm"] == name), None)

    def is_active(self, daemon, name, device="ups-a"):
        row = self.alarm(daemon, name, device)
        return row is not None and row["active"]

    def events(self, daemon, name):
        return [event for event in daemon.json("events") if event["subject"] == name]

    def kinds(self, daemon, name):
        return [event["event"] for event in self.events(daemon, name)]


class Rules(Alarms):
    def test_a_threshold_is_raised_and_cleared_with_what_the_value_was(self):
        rules = [{"point": "output.L1.load", "name": "busy", "above": "60%", "hysteresis": "5%", "severity": "alarm"}]
        with Ups() as ups, Busbard({"devices": {"ups-a": ups.device()}, "alarms": rules}) as daemon:
            ups.set("output.L1.load", 61)
            wait_for(lambda: self.is_active(daemon, "busy"), what="the alarm")
            raised = self.events(daemon, "busy")[0]
            self.assertEqual((raised["event"], raised["severity"], raised["point"], raised["unit"], raised["text"]),
                             ("alarm-raised", "alarm", "output.L1.load", "%", "output.L1.load above 60%"))
            self.assertGreater(float(raised["value"]), 60)
            row = self.alarm(daemon, "busy")
            self.assertEqual(row["event"], raised["number"])
            ups.set("output.L1.load", 55)
            wait_for(lambda: not self.is_active(daemon, "busy"), what="its end")
            cleared = self.events(daemon, "busy")[1]
            self.assertEqual(cleared["event"], "alarm-cleared")
            self.assertLessEqual(float(cleared["value"]), 55)

    def test_a_delay_outlives_what_is_short(self):
        rules = [{"point": "output.L1.load", "name": name, "above": "60%", "delay": delay}
                 for name, delay in (("at-once", "0s"), ("patient", "5s"))]
        with Ups() as ups, Busbard({"devices": {"ups-a": ups.device()}, "alarms": rules}) as daemon:
            ups.set("output.L1.load", 80)
            wait_for(lambda: self.is_active(daemon, "at-once"), what="the alarm")
            ups.set("output.L1.load", 20)
            wait_for(lambda: not self.is_active(daemon, "at-once"), what="its end")
            ups.set("output.L1.load", 80)
            wait_for(lambda: self.is_active(daemon, "patient"), what="the delayed alarm")
            self.assertEqual(self.kinds(daemon, "patient"), ["alarm-raised"])
            self.assertEqual(self.kinds(daemon, "at-once"), ["alarm-raised", "alarm-cleared", "alarm-raised"])

    def test_a_rule_waits_for_its_gate_and_for_the_hold_off(self):
        rules = [{"point": "battery.charge", "name": "drained", "below": "99.9%", "only-while": "on-battery"},
                 {"point": "battery.charge", "name": "weak", "below": "99.9%", "not-while": "on-battery",
                  "hold-off": "2s"}]
        with Ups() as ups, Busbard({"devices": {"ups-a": ups.device()}, "alarms": rules}) as daemon:
            ups.set("alarm.on-battery", 1)
            wait_for(lambda: self.is_active(daemon, "on-battery"), what="the mains failure")
            ups.set("battery.charge", 90)
            wait_for(lambda: self.is_active(daemon, "drained"), what="the alarm behind the gate")
            ups.set("alarm.on-battery", 0)
            wait_for(lambda: self.kinds(daemon, "weak"), what="the alarm after the hold-off")
            order = [(event["event"], event["subject"]) for event in daemon.json("events")
                     if event["subject"] in ("on-battery", "drained", "weak")]
            self.assertEqual(order, [("alarm-raised", "on-battery"), ("alarm-raised", "drained"),
                                     ("alarm-cleared", "on-battery"), ("alarm-cleared", "drained"),
                                     ("alarm-raised", "weak")])
            on_mains = self.events(daemon, "on-battery")[1]["time"]
            weak = self.events(daemon, "weak")[0]["time"]
            self.assertGreaterEqual(self.seconds(weak) - self.seconds(on_mains), 1.9)

    def seconds(self, time):
        hours, minutes, seconds = re.search(r"T(\d+):(\d+):([\d.]+)", time).groups()
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)

    def test_alarms_of_a_silent_device_are_neither_raised_nor_cleared(self):
        rules = [{"point": "output.L1.load", "name": "busy", "above": "60%"},
                 {"point": "output.L1.load", "name": "idle", "below": "60%"}]
        with Ups() as ups, Busbard({"devices": {"ups-a": ups.device()}, "alarms": rules}) as daemon:
            ups.set("output.L1.load", 80)
            wait_for(lambda: self.is_active(daemon, "busy"), what="the alarm")
            ups.silent = True
            wait_for(lambda: self.is_active(daemon, "communications-lost"), what="the device to be lost")
            self.assertTrue(self.is_active(daemon, "busy"))
            self.assertFalse(self.is_active(daemon, "idle"))
            ups.set("output.L1.load", 20)
            ups.silent = False
            wait_for(lambda: not self.is_active(daemon, "communications-lost"), what="the device")
            wait_for(lambda: not self.is_active(daemon, "busy"), what="the end of the alarm")
            order = [(event["event"], event["subject"] or event["device"]) for event in daemon.json("events")
                     if event["event"] in ("device-lost", "device-found") or event["subject"] == "busy"]
            self.assertEqual(order, [("device-found", "ups-a"), ("alarm-raised", "busy"), ("device-lost", "ups-a"),
                                     ("device-found", "ups-a"), ("alarm-cleared", "busy")])

    def test_a_reload_changes_rules_and_leaves_the_others_alone(self):
        devices = {"ups-a": simulator(load=80)}
        kept = {"point": "output.L1.load", "name": "kept", "above": "60%"}
        config = {"devices": devices, "alarms": [kept, {"point": "output.L1.load", "name": "gone", "above": "50%"}]}
        with Busbard(config) as daemon:
            wait_for(lambda: self.is_active(daemon, "kept") and self.is_active(daemon, "gone"), what="both alarms")
            before = self.alarm(daemon, "kept")
            daemon.reload({"devices": devices, "alarms": [kept, {"preset": "output-load", "alarm": "above 70%"}]})
            wait_for(lambda: self.is_active(daemon, "output-load-alarm-l1"), what="the new alarm")
            self.assertIsNone(self.alarm(daemon, "gone"))
            self.assertEqual(self.kinds(daemon, "gone"), ["alarm-raised", "alarm-cleared"])
            self.assertEqual(self.kinds(daemon, "kept"), ["alarm-raised"])
            self.assertEqual(self.alarm(daemon, "kept")["since"], before["since"])

            done = daemon.reload({"devices": devices, "alarms": [{"point": "output.L1.load", "above": "70 V"}]},
                                 check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("output.L1.load is counted in %", done.stdout + done.stderr)
            self.assertTrue(self.is_active(daemon, "output-load-alarm-l1"), "the old rules stay in force")

            daemon.reload({"devices": devices})
            wait_for(lambda: self.alarm(daemon, "kept") is None, what="no rules")
            self.assertEqual(self.kinds(daemon, "kept"), ["alarm-raised", "alarm-cleared"])

    def test_prometheus_has_the_alarms_of_rules(self):
        port = free_port()
        config = {"devices": {"ups-a": simulator(load=80)},
                  "exporters": {"prometheus": {"listen": f"127.0.0.1:{port}"}},
                  "alarms": [{"point": "output.L1.load", "name": "busy", "above": "60%"}]}

        def page():
            return subprocess.run(["curl", "-s", f"http://127.0.0.1:{port}/metrics"], capture_output=True, text=True,
                                  timeout=120, check=False).stdout

        with Busbard(config) as daemon:
            line = 'busbar_alarm_active{device="ups-a",alarm="%s"} 1'
            wait_for(lambda: line % "busy" in page(), what="the series of the rule")
            config["alarms"][0]["name"] = "renamed"
            daemon.reload(config)
            wait_for(lambda: line % "renamed" in page(), what="the series of the other rule")
            self.assertNotIn('alarm="busy"', page())


class People(Alarms):
    def test_what_people_said_survives_restarts(self):
        devices = {"ups-a": simulator(load=80)}
        rules = [{"point": "output.L1.load", "name": "busy", "above": "60%"},
                 {"point": "output.L1.load", "name": "quiet", "above": "50%"}]
        with tempfile.TemporaryDirectory(prefix="busbar-") as state:
            config = {"devices": devices, "alarms": rules, "state-dir": state}
            with Busbard(config) as daemon:
                wait_for(lambda: self.is_active(daemon, "busy"), what="the alarm")
                self.assertEqual(daemon.ctl("ack", "ups-a", "busy").returncode, 0)
                self.assertEqual(daemon.ctl("inhibit", "ups-a", "quiet", "1h").returncode, 0)
                until = self.alarm(daemon, "quiet")["inhibited_until"]
                last = daemon.json("events")[-1]["number"]
            with Busbard(config) as daemon:
                wait_for(lambda: self.is_active(daemon, "busy") and self.is_active(daemon, "quiet"), what="both again")
                self.assertTrue(self.alarm(daemon, "busy")["acknowledged"])
                self.assertEqual(self.alarm(daemon, "quiet")["inhibited_until"], until)
                told = [event["number"] for event in self.events(daemon, "quiet") if event["event"] == "alarm-raised"]
                self.assertEqual([number for number in told if number > last], [], "not told again")
                self.assertEqual(daemon.ctl("release", "ups-a", "quiet").returncode, 0)
                self.assertEqual(daemon.ctl("inhibit", "ups-a", "fan-failure", "2h").returncode, 0)
            with Busbard(config) as daemon:
                wait_for(lambda: self.is_active(daemon, "quiet"), what="the alarm, a third time")
                self.assertIsNone(self.alarm(daemon, "quiet")["inhibited_until"])
                self.assertIsNotNone(self.alarm(daemon, "fan-failure")["inhibited_until"])
                self.assertTrue(self.alarm(daemon, "busy")["acknowledged"])

    @staticmethod
    def found(daemon, device):
        return len([event for event in daemon.json("events", device) if event["event"] == "device-found"])

    def test_alarms_go_on_over_a_restart_and_end_with_the_number_they_began_with(self):
        off = {"ups-a": simulator(scenario=self.scenario("at 0s alarm fan-failure on\n")), "ups-b": simulator(load=80)}
        rules = [{"point": "output.L1.load", "name": "busy", "above": "60%"}]
        with tempfile.TemporaryDirectory(prefix="busbar-") as state:
            config = {"devices": off, "alarms": rules, "state-dir": state}

            def of(daemon, name, device="ups-a"):
                return [event for event in daemon.json("events", device) if event["subject"] == name]
            with Busbard(config) as daemon:
                wait_for(lambda: of(daemon, "fan-failure") and of(daemon, "busy", "ups-b"), what="both alarms")
                before = self.alarm(daemon, "fan-failure")
            config["devices"] = {"ups-a": off["ups-a"]}  # ups-b goes while nobody watches
            with Busbard(config) as daemon:
                after = self.alarm(daemon, "fan-failure")
                self.assertEqual({key: after.get(key) for key in ("active", "event", "since")},
                                 {key: before[key] for key in ("active", "event", "since")}, "before anything is read")
                wait_for(lambda: self.found(daemon, "ups-a") == 2, what="the device to answer again")
                self.assertEqual([event["event"] for event in of(daemon, "fan-failure")], ["alarm-raised"])
                raised, cleared = of(daemon, "busy", "ups-b")
                self.assertEqual((cleared["event"], cleared["raised"], cleared["text"]),
                                 ("alarm-cleared", raised["number"], "the device is configured no more"))
            config["devices"] = {"ups-a": simulator()}
            with Busbard(config) as daemon:
                wait_for(lambda: of(daemon, "fan-failure")[1:], what="the end of the alarm")
                raised, cleared = of(daemon, "fan-failure")
                self.assertEqual((cleared["event"], cleared["raised"]), ("alarm-cleared", before["event"]))

    def test_alarms_of_a_device_end_when_a_reload_takes_it_away_and_go_on_when_it_changes_it(self):
        fan = self.scenario("at 0s alarm fan-failure on\n")
        config = {"devices": {"ups-a": simulator(scenario=fan), "ups-b": simulator(scenario=fan)}}
        with Busbard(config) as daemon:
            def kinds(device):
                return [event["event"] for event in daemon.json("events", device) if event["subject"] == "fan-failure"]
            wait_for(lambda: kinds("ups-a") and kinds("ups-b"), what="both alarms")
            event = self.alarm(daemon, "fan-failure")["event"]
            config["devices"] = {"ups-a": simulator(scenario=fan, load=50)}
            daemon.reload(config)
            self.assertEqual(kinds("ups-b"), ["alarm-raised", "alarm-cleared"])
            wait_for(lambda: self.found(daemon, "ups-a") == 2, what="the device to answer again")
            self.assertEqual(kinds("ups-a"), ["alarm-raised"])
            self.assertEqual(self.alarm(daemon, "fan-failure")["event"], event)

    def test_what_people_said_survives_a_kill(self):
        with tempfile.TemporaryDirectory(prefix="busbar-") as state:
            config = {"devices": {"ups-a": simulator(load=80)}, "state-dir": state,
                      "alarms": [{"point": "output.L1.load", "name": "busy", "above": "60%"}]}
            daemon = Busbard(config)
            try:
                wait_for(lambda: self.is_active(daemon, "busy"), what="the alarm")
                self.assertEqual(daemon.ctl("ack", "ups-a", "busy").returncode, 0)
                self.assertEqual(daemon.ctl("inhibit", "ups-a", "fan-failure", "1h").returncode, 0)
                # Its event was queued behind what was said: once it is durable, so is that.
                last = self.events(daemon, "fan-failure")[-1]["number"]
                wait_for(lambda: daemon.json("journal", "check")["durable"] >= last, what="the journal")
                daemon.signal(signal.SIGKILL)
                daemon.wait()
            finally:
                daemon.stop()
                daemon.folder.cleanup()
            with Busbard(config) as daemon:
                wait_for(lambda: self.is_active(daemon, "busy"), what="the alarm again")
                self.assertTrue(self.alarm(daemon, "busy")["acknowledged"])
                self.assertIsNotNone(self.alarm(daemon, "fan-failure")["inhibited_until"])

    def test_an_inhibited_alarm_is_told_when_the_time_is_over(self):
        rules = [{"point": "output.L1.load", "name": "busy", "above": "60%"}]
        with Ups() as ups, Busbard({"devices": {"ups-a": ups.device()}, "alarms": rules}) as daemon:
            wait_for(lambda: self.alarm(daemon, "busy"), what="the rule")
            self.assertEqual(daemon.ctl("inhibit", "ups-a", "busy", "3s").returncode, 0)
            ups.set("output.L1.load", 80)
            wait_for(lambda: self.is_active(daemon, "busy"), what="the alarm, which is quiet")
            wait_for(lambda: "alarm-raised" in self.kinds(daemon, "busy"), what="the alarm to be told")
            self.assertEqual(self.kinds(daemon, "busy"), ["alarm-inhibited", "alarm-released", "alarm-raised"])


class Page(Alarms):
    """What docs/alarms.md shows is taken as it stands there."""

    def run_rules(self, name, **devices):
        config = yaml.safe_load(page_config(name))
        config["devices"] = devices
        return Busbard(json.loads(json.dumps(config, default=str)))

    def test_the_usual_thresholds_are_alarms_of_a_device_that_has_everything(self):
        with self.run_rules("thresholds", **{"ups-a": simulator(profile="everything"), "ups-b": simulator()}) as daemon:
            wanted = {f"{name}-{level}{line}" for level in ("warning", "alarm") for name, lines in (
                ("battery-voltage", [""]), ("input-voltage", ["-l1", "-l2", "-l3"]), ("ups-temperature", [""]),
                ("autonomy", [""]), ("battery-charge", [""]), ("output-load", ["-l1", "-l2", "-l3"]),
                ("battery-symmetry", [""]), ("seconds-on-battery", [""])) for line in lines}
            wait_for(lambda: self.alarm(daemon, "battery-voltage-alarm"), what="the device")
            self.assertEqual(wanted - {row["alarm"] for row in daemon.json("alarms", "ups-a", "--all")}, set())
            severities = {row["alarm"]: row["severity"] for row in daemon.json("alarms", "ups-a", "--all")}
            self.assertEqual({severities[name] for name in wanted if name.endswith("warning")}, {"warning"})
            self.assertEqual(severities["battery-symmetry-alarm"], "alarm")
            say(f"the {len(wanted)} alarms of docs/alarms.md's thresholds are there")

    def test_the_usual_thresholds_are_raised_by_a_mains_failure(self):
        devices = {"ups-a": simulator(scenario=self.scenario("at 2s mains off\n"), speed=400, battery="20m", low="5m")}
        with self.run_rules("thresholds", **devices) as daemon:
            for name in ("input-voltage-alarm-l1", "seconds-on-battery-warning", "battery-charge-warning",
                         "battery-charge-alarm", "autonomy-warning", "autonomy-alarm", "seconds-on-battery-alarm"):
                wait_for(lambda name=name: "alarm-raised" in self.kinds(daemon, name), 60, what=name)
            self.assertEqual(self.kinds(daemon, "battery-voltage-warning"), [], "held back while on battery")

    def test_every_other_configuration_of_the_page_is_taken(self):
        names = re.findall(r"<!-- tested: (\w+) -->", PAGE.read_text(encoding="utf-8"))
        self.assertEqual(names.count("thresholds"), 1)
        self.assertGreaterEqual(len(names), 4)
        self.assertEqual(len(names), PAGE.read_text(encoding="utf-8").count("```yaml"), "a block that is not tested")
        for name in names:
            text = page_config(name)
            if "devices:" not in text:
                text += "devices:\n  ups-a: { plugin: simulator }\n"
            with self.subTest(name), tempfile.TemporaryDirectory(prefix="busbar-") as folder:
                path = pathlib.Path(folder) / "busbar.yaml"
                path.write_text(text, encoding="utf-8")
                done = check(path)
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_table_of_presets_says_what_they_do(self):
        rows = re.findall(r"^\| [^|]+ \| `([a-z-]+)` \| [^|]+ \| (\w+) \| [^|]+ \| ([^|]+) \|$",
                          PAGE.read_text(encoding="utf-8"), re.MULTILINE)
        self.assertEqual(len(rows), 8)
        for preset, compare, limits in rows:
            with self.subTest(preset), tempfile.TemporaryDirectory(prefix="busbar-") as folder:
                path = pathlib.Path(folder) / "busbar.yaml"
                path.write_text(f"alarms:\n  - {{ preset: {preset} }}\n", encoding="utf-8")
                done = check(path)
                self.assertEqual(done.returncode == 0, limits != "none", done.stderr)
                self.assertIn(compare, ("below", "above", "outside"))


class Battery(Alarms):
    def test_a_battery_is_too_old_after_its_span(self):
        devices = {"ups-a": simulator(**{"battery-installed": "2010-05-01"}),
                   "ups-b": simulator(**{"battery-installed": "2010-05-01", "battery-span": 600}),
                   "ups-c": simulator()}
        with Busbard({"devices": devices}) as daemon:
            wait_for(lambda: self.is_active(daemon, "battery-too-old"), what="the alarm")
            wait_for(lambda: self.alarm(daemon, "battery-too-old", "ups-b"), what="the other")
            self.assertFalse(self.is_active(daemon, "battery-too-old", "ups-b"))
            self.assertIsNone(self.alarm(daemon, "battery-too-old", "ups-c"))

    def test_options_of_the_battery_are_checked(self):
        for options, said in (({"battery-installed": "01.05.2023"}, "must be a date such as 2023-05-01"),
                              ({"battery-span": 12}, "needs battery-installed"),
                              ({"rated-power": 1500}, "needs hold-time"),
                              ({"hold-time": "5m", "rated-power": 10, "assumed-load": 20}, "is more than rated-power")):
            with self.subTest(said), tempfile.TemporaryDirectory(prefix="busbar-") as folder:
                path = pathlib.Path(folder) / "busbar.yaml"
                path.write_text(json.dumps({"devices": {"ups-a": simulator(**options)}}), encoding="utf-8")
                done = check(path)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(said, done.stderr)


if __name__ == "__main__":
    unittest.main()
