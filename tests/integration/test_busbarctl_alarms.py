# SPDX-License-Identifier: Apache-2.0
"""What busbarctl shows of alarms, and what people say about them: seen, keep quiet, no longer."""
import collections
import datetime
import os
import pathlib
import tempfile
import time
import unittest

from support import Busbard, wait_for


def simulator(**options):
    return {"plugin": "simulator", "interval": "200ms", "watch": "100ms", **options}


class Alarms(unittest.TestCase):
    def alarm(self, daemon, device, name):
        """The row of an alarm, with all its fields None as long as the device is not known."""
        rows = {row["alarm"]: row for row in daemon.json("alarms", device, "--all")}
        return rows.get(name) or collections.defaultdict(lambda: None)

    def open_alarms(self, daemon):
        return daemon.json("status")["devices"][0]["open"]

    def test_an_alarm_is_acknowledged(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        scenario = pathlib.Path(folder.name) / "off"
        scenario.write_text("at 500ms mains off\n")
        devices = {"ups-a": simulator(scenario=str(scenario), battery="1d")}
        with Busbard({"devices": devices}) as daemon:
            wait_for(lambda: self.alarm(daemon, "ups-a", "on-battery")["active"], what="on-battery")
            raised = self.alarm(daemon, "ups-a", "on-battery")
            self.assertFalse(raised["acknowledged"])
            self.assertEqual(next(event["subject"] for event in daemon.json("events")
                                  if event["number"] == raised["event"]), "on-battery")
            was_open = self.open_alarms(daemon)
            done = daemon.ctl("ack", "ups-a", "on-battery")
            self.assertEqual((done.returncode, done.stdout, done.stderr),
                             (0, "on-battery of ups-a is acknowledged.\n", ""))
            self.assertTrue(self.alarm(daemon, "ups-a", "on-battery")["acknowledged"])
            self.assertEqual(self.open_alarms(daemon), was_open - 1)
            self.assertRegex(daemon.ctl("alarms").stdout, r"(?m)^ups-a +on-battery +alarm +acknowledged +")
            event = next(event for event in daemon.json("events") if event["event"] == "alarm-acknowledged")
            self.assertEqual((event["device"], event["subject"], event["source"]),
                             ("ups-a", "on-battery", f"busbarctl uid {os.getuid()}"))
            self.assertEqual(daemon.json("ack", "ups-a", "alarm.on-battery"),
                             {"device": "ups-a", "alarm": "on-battery", "done": "acknowledged"})

    def test_an_alarm_is_inhibited_for_a_time_and_released(self):
        with Busbard({"devices": {"ups-a": simulator()}}) as daemon:
            wait_for(lambda: self.alarm(daemon, "ups-a", "fan-failure")["alarm"], what="alarms")
            start = time.time()
            self.assertEqual(daemon.ctl("inhibit", "ups-a", "fan-failure", "1h30m").stdout,
                             "fan-failure of ups-a is inhibited.\n")
            until = self.alarm(daemon, "ups-a", "fan-failure")["inhibited_until"].replace("Z", "+00:00")
            self.assertAlmostEqual(datetime.datetime.fromisoformat(until).timestamp() - start, 5400, delta=30)
            self.assertRegex(daemon.ctl("alarms", "--all").stdout,
                             r"(?m)^ups-a +fan-failure .* inhibited .*\(inhibited until \d{4}-")
            self.assertEqual(daemon.ctl("release", "ups-a", "fan-failure").returncode, 0)
            self.assertIsNone(self.alarm(daemon, "ups-a", "fan-failure")["inhibited_until"])
            self.assertEqual(daemon.ctl("inhibit", "ups-a", "fan-failure", "1h").returncode, 0)
            self.assertEqual(daemon.ctl("inhibit", "ups-a", "fan-failure", "0s").returncode, 0)
            kinds = [event["event"] for event in daemon.json("events") if event["subject"] == "fan-failure"]
            self.assertEqual(kinds, ["alarm-inhibited", "alarm-released"] * 2)

    def test_what_makes_no_sense_is_refused(self):
        with Busbard({"devices": {"ups-a": simulator()}}) as daemon:
            wait_for(lambda: self.alarm(daemon, "ups-a", "fan-failure")["alarm"], what="alarms")
            wait_for(lambda: any(event["event"] == "device-found" for event in daemon.json("events")), what="ups-a")
            before = len(daemon.json("events", "ups-a"))
            for args, status, said in (
                    (("ack", "ups-b", "on-battery"), 1, "no device 'ups-b', did you mean 'ups-a'"),
                    (("ack", "ups-a", "on-batery"), 1, "ups-a has no alarm 'on-batery', did you mean 'on-battery'"),
                    (("ack", "ups-a", "on-battery"), 1, "on-battery of ups-a is not active"),
                    (("ack", "*", "on-battery"), 1, "no device '*'"),
                    (("ack", "-", "on-battery"), 1, "the agent has no alarm 'on-battery'"),
                    (("release", "ups-a", "on-battery"), 1, "on-battery of ups-a is not inhibited"),
                    (("inhibit", "ups-a", "on-battery", "91d"), 2, "90 days"),
                    (("inhibit", "ups-a", "on-battery", "1000000d"), 2, "too long"),
                    (("inhibit", "ups-a", "on-battery", "soon"), 2, "a duration is written"),
                    (("inhibit", "ups-a", "on-battery"), 2, "usage: busbarctl inhibit"),
                    (("ack", "ups-a"), 2, "usage: busbarctl ack")):
                with self.subTest(args=args):
                    done = daemon.ctl(*args)
                    self.assertEqual((done.returncode, done.stdout), (status, ""))
                    self.assertIn(said, done.stderr)
            self.assertEqual(len(daemon.json("events", "ups-a")), before, "nothing happened")

    def test_rules_show_their_value(self):
        rule = {"device": "ups-a", "point": "battery.charge", "above": "1%", "severity": "warning", "name": "too-full"}
        with Busbard({"devices": {"ups-a": simulator()}, "alarms": [rule]}) as daemon:
            row = wait_for(lambda: next((row for row in daemon.json("alarms") if row["alarm"] == "too-full"), None),
                           what="the rule")
            self.assertEqual((row["point"], row["unit"], row["severity"]), ("battery.charge", "%", "warning"))
            self.assertGreater(row["value"], 1)
            self.assertRegex(daemon.ctl("alarms").stdout,
                             rf"(?m)^ups-a +too-full +warning +active +\S+ \S+ +\d+\.\d % +{row['event']} ")


if __name__ == "__main__":
    unittest.main()
