# SPDX-License-Identifier: Apache-2.0
"""What busbard remembers, as busbarctl shows it: events, values and what people said, over restarts, as tables, JSON
and CSV."""
import csv
import datetime
import io
import json
import os
import pathlib
import re
import subprocess
import tempfile
import time
import unittest

from support import BUILD, SANITIZERS, Busbard, Process, cut, say, wait_for

CTL = BUILD / "bin" / "busbarctl"
EVENT_FIELDS = ["number", "time", "event", "severity", "device", "subject", "point", "value", "unit", "source", "text",
                "raised"]
LOG_FIELDS = ["time", "device", "point", "value", "unit"]
FAILURE = "at 1s mains off\nat 4s mains on\nrepeat 6s\n"


def simulator(**options):
    return {"plugin": "simulator", "interval": "200ms", "watch": "100ms", **options}


def parse_time(text):
    """An RFC 3339 time in UTC as seconds; anything else fails."""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", text), text
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def rows_of(output):
    """CSV as Python's own reader has it, after a look at what RFC 4180 says about lines."""
    assert output.endswith("\r\n"), output[-40:]
    assert output.count("\n") == output.count("\r\n") == output.count("\r"), "only CR LF"
    rows = list(csv.reader(io.StringIO(output, newline=""), strict=True))
    assert all(len(row) == len(rows[0]) for row in rows), rows
    return rows


class State(unittest.TestCase):
    """Daemons with one state folder, one after the other."""

    def setUp(self):
        self.state = tempfile.TemporaryDirectory(prefix="busbar-state-")
        self.addCleanup(self.state.cleanup)

    def start(self, devices, plugin_dir=None, **more):
        daemon = Busbard({"state-dir": self.state.name, "devices": devices, **more}, plugin_dir=plugin_dir)
        self.addCleanup(daemon.stop)
        return daemon

    def csv(self, daemon, *args):
        done = subprocess.run([str(CTL), "-s", str(daemon.socket), *map(str, args), "--csv"], capture_output=True,
                              timeout=120, check=False, stdin=subprocess.DEVNULL)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        return rows_of(done.stdout.decode())


class Events(State):
    def test_survive_a_restart_and_are_numbered_on(self):
        scenario = pathlib.Path(self.state.name) / "failure"
        scenario.write_text(FAILURE)
        devices = {"ups-a": simulator(scenario=str(scenario)), "ups-b": simulator()}
        with self.start(devices) as daemon:
            wait_for(lambda: any(event["subject"] == "input-bad" and event["event"] == "alarm-cleared"
                                 for event in daemon.json("events", "ups-a")), 20, "the mains failure and its end")
            before = daemon.json("events")
        middle = time.time()
        with self.start(devices) as daemon:
            wait_for(lambda: any(event["number"] > before[-1]["number"] and event["subject"] == "input-bad" and
                                 event["event"] == "alarm-raised" for event in daemon.json("events", "ups-a")), 20,
                     "the next mains failure")
            after = daemon.json("events")
            self.assertEqual(after[:len(before)], before, "what was there is there as it was")
            numbers = [event["number"] for event in after]
            self.assertEqual(numbers, sorted(set(numbers)))
            self.assertIn("agent-stopping", [event["event"] for event in after[len(before):]])
            self.check_raised(after)
            self.check_filters(daemon, after, middle)
            self.check_csv(daemon, after)
            self.check_table(daemon, after)
        # A device that is configured no more still has its events.
        with self.start({"ups-b": simulator()}) as daemon:
            gone = daemon.json("events", "--device", "ups-a", "--since", numbers[0])
            self.assertEqual(gone[:2], [event for event in after[1:] if event["device"] == "ups-a"][:2])

    def check_raised(self, events):
        """Every event of an alarm says which raise it belongs to, and no other does."""
        raises = {event["number"]: (event["device"], event["subject"]) for event in events
                  if event["event"] == "alarm-raised"}
        self.assertIn("alarm-cleared", [event["event"] for event in events])
        for event in events:
            if event["event"] == "alarm-raised":
                self.assertEqual(event["raised"], event["number"])
            elif event["event"] == "alarm-cleared":
                self.assertEqual(raises[event["raised"]], (event["device"], event["subject"]))
                self.assertLess(event["raised"], event["number"])
            else:
                self.assertIsNone(event["raised"], event)

    def check_filters(self, daemon, events, middle):
        newest = events[-1]["number"]

        def known(*args):
            return [event for event in daemon.json("events", *args) if event["number"] <= newest]
        of_a = [event for event in events if event["device"] == "ups-a"]
        self.assertEqual(known("--device", "ups-a"), of_a)
        self.assertEqual(known("ups-a"), of_a)
        self.assertEqual(known("-d", "-"), [event for event in events if event["device"] is None])
        self.assertEqual(known("--device", "nobody"), [])
        cut_at = len(events) // 2
        self.assertEqual(known("--since", events[cut_at]["number"]), events[cut_at + 1:])
        self.assertEqual(known("--since", newest), [])
        self.assertEqual(known("--since", "1h"), events)
        self.assertEqual(known("--since", "2000-01-01"), events)
        self.assertEqual(known("--since", "0s"), [])
        stamp = datetime.datetime.fromtimestamp(middle, datetime.timezone.utc)
        later = [event for event in events if parse_time(event["time"]) >= middle]
        self.assertTrue(0 < len(later) < len(events))
        self.assertEqual(known("--since", stamp.isoformat(timespec="milliseconds")), later)
        self.assertEqual(known("--since", stamp.isoformat(timespec="milliseconds"), "-d", "ups-a"),
                         [event for event in later if event["device"] == "ups-a"])
        self.assertEqual(known("-n", 3), events[:3])
        last = daemon.json("events", "--last", 5)
        self.assertEqual(len(last), 5)
        self.assertGreaterEqual(last[-1]["number"], newest)
        reach = len([event for event in daemon.json("events") if event["number"] > events[2]["number"]])
        self.assertEqual(known("--last", reach + 100), events, "more than there are")
        a_last = daemon.json("events", "ups-a", "--last", 2)
        self.assertEqual([event["device"] for event in a_last], ["ups-a", "ups-a"])
        for args, said in ((("--since", "yesterday"), "--since wants a time"), (("ups-a", "-d", "ups-b"), "once"),
                           (("--csv", "--json"), "either --csv or --json")):
            done = daemon.ctl("events", *args)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn(said, done.stderr)

    def check_csv(self, daemon, events):
        rows = self.csv(daemon, "events")
        self.assertEqual(rows[0], EVENT_FIELDS)
        for row, event in zip(rows[1:], events):
            self.assertEqual(dict(zip(EVENT_FIELDS, row)),
                             {field: str(event[field] if event[field] is not None else "") for field in EVENT_FIELDS})
            parse_time(row[1])
        self.assertGreaterEqual(len(rows) - 1, len(events))
        self.assertEqual(self.csv(daemon, "events", "--device", "nobody"), [EVENT_FIELDS])

    def check_table(self, daemon, events):
        lines = daemon.ctl("events").stdout.splitlines()
        self.assertRegex(lines[0], r"^NUMBER  TIME +DEVICE +EVENT +SUBJECT +VALUE  TEXT$")
        for line, event in zip(lines[1:], events):
            self.assertRegex(line, rf"^ *{event['number']}  \S+ \S+  {re.escape(event['device'] or '(agent)')} "
                                   rf"+{event['event']} ")

    def test_are_followed_from_the_journal_into_the_present(self):
        with self.start({"ups-a": simulator()}) as daemon:
            wait_for(lambda: any(event["event"] == "device-found" for event in daemon.json("events")), what="ups-a")
            for _ in range(5):
                daemon.reload()
        with self.start({"ups-a": simulator()}) as daemon:
            with Process([CTL, "-s", daemon.socket, "events", "--follow", "--json"]) as as_json, \
                 Process([CTL, "-s", daemon.socket, "events", "--follow", "--csv", "--last", "4"]) as as_csv:
                wait_for(lambda: "agent-started" in as_json.log(), what="what there is")
                for _ in range(3):
                    daemon.reload()
                newest = daemon.json("events")[-1]["number"]
                wait_for(lambda: f'"number": {newest},' in as_json.log(), what="the newest event")
                wait_for(lambda: f"\r\n{newest}," in as_csv.log() and as_csv.log().endswith("\r\n"), what="the same")
                followed = [json.loads(line) for line in as_json.log().splitlines()]
                rows = rows_of(as_csv.log())
            events = daemon.json("events")
            self.assertEqual(followed, events[:len(followed)], "none is missing, none comes twice")
            numbers = [event["number"] for event in events]
            first = numbers.index(int(rows[1][0]))
            self.assertEqual([int(row[0]) for row in rows[1:]], numbers[first:first + len(rows) - 1])

    def test_hostile_texts_are_neither_formulas_nor_lines(self):
        # The file of a plugin that cannot be loaded is the subject of an event; the text of a rule is that of its own.
        names = ["quote\".so", "comma,.so", "two\r\nlines.so", "esc\x1b[31m.so", "\N{DEVANAGARI LETTER KA}.so"]
        formulas = ['=HYPERLINK("http:x","y")', "+1+1", "-2+3", "@SUM(1,2)", "-"]
        rules = [{"device": "ups-a", "point": "battery.charge", "above": "1%", "severity": "warning",
                  "name": f"rule-{i}", "text": text} for i, text in enumerate(formulas)]
        with tempfile.TemporaryDirectory() as folder:
            os.symlink(BUILD / "lib" / "busbar" / "plugins" / "simulator.so", pathlib.Path(folder) / "simulator.so")
            for name in names:
                (pathlib.Path(folder) / name).write_bytes(b"not a plugin")
            with self.start({"ups-a": simulator()}, plugin_dir=folder, alarms=rules) as daemon:
                def kinds(kind):
                    return [event for event in daemon.json("events") if event["event"] == kind]
                wait_for(lambda: len(kinds("alarm-raised")) >= len(rules), what="the rules")
                self.assertEqual(len(kinds("plugin-failed")), len(names))
                self.assertEqual({event["text"] for event in kinds("alarm-raised")} & set(formulas), set(formulas))
                rows = self.csv(daemon, "events")
                table = daemon.ctl("events", "--color=never").stdout
                alarms = daemon.ctl("alarms", "--color=never").stdout
        self.assertTrue(all(line.isprintable() for line in (table + alarms).splitlines()))
        self.assertEqual(len(re.findall(r"(?m)^.*\(agent\) +plugin-failed ", table)), len(names))
        for row in rows[1:]:
            for field, cell in zip(EVENT_FIELDS, row):
                if cell and cell[0] in "=+-@":
                    self.assertRegex(cell, r"^-?\d+(\.\d+)?$", f"{field} would be run by a spreadsheet")
                self.assertTrue(cell.isprintable(), repr(cell))
        events = [dict(zip(EVENT_FIELDS, row)) for row in rows[1:]]
        self.assertEqual({event["text"] for event in events if event["event"] == "alarm-raised"} & set(formulas), set())
        self.assertLessEqual({f"'{text}" for text in formulas}, {event["text"] for event in events})
        self.assertEqual({pathlib.Path(event["subject"]).name for event in events if event["event"] == "plugin-failed"},
                         {re.sub(r"[\x00-\x1f]", "?", name) for name in names})

    def test_many_are_streamed(self):
        count = cut(25000, 3000, "events of the journal")
        noisy = {f"ups-{i}": simulator(profile="everything", speed=1000, seed=i + 1) for i in range(120)}
        with self.start(noisy) as daemon:
            wait_for(lambda: daemon.json("events", "--last", 1)[0]["number"] >= count, 60, f"{count} events")
        with self.start({"ups-a": simulator(interval="1h", watch="0s")}) as daemon:
            # After this nothing happens any more.
            wait_for(lambda: daemon.json("events", "--last", 1)[0]["event"] == "device-found", what="the last event")
            start = time.monotonic()
            limit = "" if SANITIZERS else "ulimit -v 8192 && "  # KiB of address space, libraries included
            done = subprocess.run(["sh", "-c", f"{limit}exec {CTL} -s {daemon.socket} events --json"], text=True,
                                  capture_output=True, timeout=120, check=False)
            took = time.monotonic() - start
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            events = json.loads(done.stdout)
            numbers = [event["number"] for event in events]
            self.assertGreaterEqual(len(numbers), count)
            self.assertEqual(numbers, sorted(set(numbers)))
            say(f"events --json of {len(events)} events of the journal: {took:.2f} s"
                f"{'' if SANITIZERS else ', busbarctl within 8 MiB'}")
            for last in 1, 256, 1000, 1001, 2500:
                self.assertEqual([event["number"] for event in daemon.json("events", "--last", last)], numbers[-last:])
            of_one = [event["number"] for event in events if event["device"] == "ups-7"]
            for last in 1, len(of_one) // 2, len(of_one), len(of_one) + 1000:
                self.assertEqual([event["number"] for event in daemon.json("events", "ups-7", "--last", last)],
                                 of_one[-last:])
            self.assertEqual([int(row[0]) for row in self.csv(daemon, "events")[1:]], numbers)


class Log(State):
    def test_has_what_was_measured_over_a_restart(self):
        journal = {"log-interval": "1s", "keep-log": "1d"}
        devices = {"ups-a": simulator(), "ups-b": simulator(profile="three-phase")}

        def rows(daemon, *args):
            done = daemon.ctl("log", *args, "--json")
            return json.loads(done.stdout) if done.returncode == 0 else []
        with self.start(devices, journal=journal) as daemon:
            wait_for(lambda: len(rows(daemon, "battery.charge", "-d", "ups-a")) >= 2, 20, "two samples")
            before = rows(daemon, "battery.charge")
        with self.start(devices, journal=journal) as daemon:
            wait_for(lambda: len(rows(daemon, "battery.charge")) > len(before), 20, "another one")
            charge = rows(daemon, "battery.charge", "--device", "ups-a")
            self.assertEqual(charge[:2], [row for row in before if row["device"] == "ups-a"][:2])
            for row in charge:
                self.assertEqual((row["device"], row["point"], row["unit"]), ("ups-a", "battery.charge", "%"))
                self.assertTrue(0 <= row["value"] <= 100)
            times = [parse_time(row["time"]) for row in charge]
            self.assertEqual(times, sorted(times))
            found = {(row["device"], row["point"]) for row in rows(daemon, "battery.*", "output.L?.load")}
            self.assertLessEqual({("ups-a", "battery.charge"), ("ups-b", "battery.charge"),
                                  ("ups-a", "output.L1.load")}, found)
            later = rows(daemon, "battery.charge", "-d", "ups-a", "--since", charge[1]["time"])
            self.assertEqual(later[:len(charge) - 1], charge[1:])
            self.assertEqual(rows(daemon, "battery.charge", "-d", "ups-a", "-n", 1), charge[:1])
            now = time.time()
            newer = [parse_time(row["time"]) for row in rows(daemon, "battery.charge", "--since", "0s")]
            self.assertTrue(all(moment >= now for moment in newer), f"{newer} at {now}")
            self.check_forms(daemon, charge)
        with self.start({"ups-b": simulator()}, journal=journal) as daemon:
            self.assertEqual(rows(daemon, "battery.charge", "-d", "ups-a")[:len(charge)], charge,
                             "a device that is configured no more")

    def check_forms(self, daemon, charge):
        table = self.csv(daemon, "log", "battery.charge", "battery.temperature", "-d", "ups-a")
        self.assertEqual(table[0], LOG_FIELDS)
        self.assertEqual([[row["time"], row["device"], row["point"], f"{row['value']:.1f}", row["unit"]]
                          for row in charge], [row for row in table[1:] if row[2] == "battery.charge"][:len(charge)])
        lines = daemon.ctl("log", "battery.charge").stdout.splitlines()
        self.assertRegex(lines[0], r"^TIME +DEVICE +POINT +VALUE  UNIT$")
        self.assertRegex(lines[1], r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  ups-a +battery\.charge +\d+\.\d  %$")
        for args, status, said in ((("battery.chrage",), 1, "nothing in the data log fits 'battery.chrage'"),
                                   (("battery.charge", "-d", "nobody"), 1, "of nobody"),
                                   (("battery.charge", "--since", "17"), 2, "a time or a duration"),
                                   ((), 2, "usage: busbarctl log")):
            done = daemon.ctl("log", *args)
            self.assertEqual((done.returncode, done.stdout), (status, ""))
            self.assertIn(said, done.stderr)


class Journal(State):
    def test_check_says_what_there_is(self):
        with self.start({"ups-a": simulator()}) as daemon:
            wait_for(lambda: any(event["event"] == "device-found" for event in daemon.json("events")), what="ups-a")
            events = daemon.json("events")
            done = daemon.ctl("journal", "check")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertRegex(done.stdout, r"(?m)^database +sound$")
            self.assertRegex(done.stdout, rf"(?m)^oldest event +{events[0]['number']}$")
            report = wait_for(lambda: self.durable(daemon), what="all events to be on disk")
            self.assertTrue(report["sound"])
            self.assertIsNone(report["trouble"])
            self.assertTrue(report["path"].startswith(self.state.name), report["path"])
            self.assertGreaterEqual(report["events"], len(events))
            self.assertEqual((report["lost"], report["samples_lost"], report["oldest"]), (0, 0, events[0]["number"]))
            self.assertGreater(report["database_bytes"], 0)
            for args in ((), ("chekc",)):
                self.assertEqual(daemon.ctl("journal", *args).returncode, 2)

    @staticmethod
    def durable(daemon):
        report = daemon.json("journal", "check")
        return report if report["durable"] == report["newest"] and report["pending"] == 0 else None

    def test_trouble_is_told_by_status_and_check(self):
        # A file where the state folder should be: nothing can be kept there.
        with tempfile.NamedTemporaryFile() as file, Busbard({"state-dir": file.name,
                                                            "devices": {"ups-a": simulator()}}) as daemon:
            wait_for(lambda: "journal-trouble" in daemon.json("status")["agent"]["active_alarms"], what="the alarm")
            own = daemon.json("status")["agent"]["own_alarms"]
            self.assertIn(file.name, next(alarm["text"] for alarm in own if alarm["alarm"] == "journal-trouble"))
            self.assertRegex(daemon.ctl("status").stdout,
                             rf"(?m)^busbard journal-trouble since \S+ \S+: .*{re.escape(file.name)}")
            done = daemon.ctl("journal", "check")
            self.assertEqual((done.returncode, done.stderr), (1, ""))
            self.assertRegex(done.stdout, r"(?m)^trouble +\S+ ")
            self.assertTrue(daemon.json("events"), "they are told from memory")


class Alarms(State):
    """What people said about alarms; test_busbarctl_alarms.py has the rest."""

    @staticmethod
    def alarm(daemon, name):
        """The row of an alarm; {} as long as the device is not known."""
        return {row["alarm"]: row for row in daemon.json("alarms", "ups-a", "--all")}.get(name, {})

    def test_what_was_said_holds_after_a_restart(self):
        scenario = pathlib.Path(self.state.name) / "off"
        scenario.write_text("at 0s alarm fan-failure on\n")
        devices = {"ups-a": simulator(scenario=str(scenario))}
        with self.start(devices) as daemon:
            wait_for(lambda: self.alarm(daemon, "fan-failure").get("active"), what="the alarm")
            self.assertEqual(daemon.ctl("ack", "ups-a", "fan-failure").returncode, 0)
            self.assertEqual(daemon.ctl("inhibit", "ups-a", "on-battery", "1h").returncode, 0)
            until = self.alarm(daemon, "on-battery")["inhibited_until"]
        with self.start(devices) as daemon:
            wait_for(lambda: self.alarm(daemon, "fan-failure").get("acknowledged"), what="the acknowledgement")
            self.assertEqual(daemon.json("status")["devices"][0]["open"], 0)
            self.assertAlmostEqual(parse_time(self.alarm(daemon, "on-battery")["inhibited_until"]), parse_time(until),
                                   delta=2)
            self.assertEqual(daemon.ctl("release", "ups-a", "on-battery").returncode, 0)
            kinds = [event["event"] for event in daemon.json("events", "ups-a") if event["subject"] == "on-battery"]
            self.assertEqual(kinds, ["alarm-inhibited", "alarm-released"])


if __name__ == "__main__":
    unittest.main()
