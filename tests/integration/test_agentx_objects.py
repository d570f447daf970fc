#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The UPS-MIB with all its extensions, through a real snmpd: what a device has is there, right, in order, and no more.

The judge is mib_reference.py, which knows the reference tables and nothing of config/objects.csv.
"""
import datetime
import pathlib
import subprocess
import sys
import tempfile
import threading
import unittest

from mib_reference import NOT_SERVED, ROOT, WITHOUT_POINT, Reference, arcs
from snmpd import Snmpd, SnmpError
from support import SOURCE, Busbard, cut, free_port, say, shared, wait_for

sys.dont_write_bytecode = True
sys.path.insert(0, str(SOURCE / "config"))
import object_table  # noqa: E402 (found by the line above)

ALARM_COUNT, ALARM_DESCRIPTION, ALARM_TIME = (f"{ROOT}.1.6.{rest}" for rest in ("1.0", "2.1.2", "2.1.3"))
BACS_COUNT, BACS_DESCRIPTION = f"{ROOT}.5.3.1.0", f"{ROOT}.5.3.2.1.2"
BACS_VOLTAGE = f"{ROOT}.5.2.3.0"
COMMUNICATIONS_LOST = f"{ROOT}.1.6.3.20"
MODEL, CHARGE, SPIN_LOCK = (f"{ROOT}.1.{rest}.0" for rest in ("1.2", "2.4", "7.2"))
SUBTREES = [f"{ROOT}.1.{group}" for group in range(1, 16)] + \
           [f"{ROOT}.{rest}" for rest in ("5.1", "5.2", "5.3", "5.5", "6")] + [f"{ROOT}.1", f"{ROOT}.5", ROOT]


def simulator(**options):
    return {"plugin": "simulator", **options}


def configuration(snmpd, devices, default):
    return {"devices": devices, "exporters": {"agentx": {"master": snmpd.agentx, "default-device": default}}}


def walk(snmpd, name=ROOT, **options):
    """What is there, or nothing while nobody serves it."""
    try:
        return snmpd.bulkwalk(name, timeout=2, **options)
    except SnmpError:
        return []


def values(varbinds):
    return {varbind.oid: varbind.value for varbind in varbinds}


class Table(unittest.TestCase):
    """config/objects.csv itself."""

    def test_it_has_every_object_of_the_reference_as_the_reference_has_it(self):
        reference = Reference(shared() / "reference")
        ours = {tuple(item.oid): item for item in object_table.load(SOURCE / "config/objects.csv")}
        skip = len(arcs(ROOT))
        self.assertEqual(sorted(ours), sorted(oid[skip:] for oid in reference.by_oid))
        for oid, item in reference.by_oid.items():
            mine = ours[oid[skip:]]
            self.assertIn(mine.name, item.names)
            wanted = "Integer32" if item.syntax == "INTEGER" and item.parent == "bacsSettings" else item.syntax
            self.assertEqual(mine.syntax, wanted, item.name)
            if item.syntax in ("DisplayString", "Integer32"):
                self.assertEqual((mine.low, mine.high), item.range, item.name)
            if "probably a slip" not in item.note:
                self.assertEqual(mine.writable, item.access == "read-write", item.name)
            self.assertEqual(mine.serve == "no", item.name in NOT_SERVED, item.name)
            self.assertEqual(mine.serve != "" and item.name not in NOT_SERVED, item.name in WITHOUT_POINT, item.name)
            if mine.serve == "":
                self.assertEqual(mine.point.replace("*", "1"), reference.point(item, 1), item.name)
        hidden = len(reference.objects) - len(ours)
        say(f"config/objects.csv: {len(ours)} objects agree with the reference, {hidden} more are not accessible")

    def test_what_cannot_be_meant_stops_the_build_with_file_and_line(self):
        head, *rows = (SOURCE / "config/objects.csv").read_text().splitlines()
        good = "upsIdentModel,1.1.2,device.model,DisplayString,0..63,,read-only,,,,,"
        self.assertIn(good, rows)
        for bad, complaint in (
                (good.replace("DisplayString", "Text"), "syntax 'Text' is none of"),
                (good.replace("1.1.2", "1.1.x"), "'1.1.x' is not an object identifier"),
                (good.replace("0..63", "0..300"), "the syntax has 0..255"),
                (good.replace("0..63", "63"), "'63' is not a range"),
                (good.replace("0..63,", "0..63,1/10"), "DisplayString has no scale"),
                (good.replace("read-only", "write"), "access 'write' is none of"),
                (good.replace("device.model", "device model"), "'device model' is not the name of a point"),
                (good.replace("device.model", ""), "a row without a point"),
                (good + ",more", "too many or too few cells"),
                (good.replace("upsIdentModel", "ups{1..3}Model"), "need one run each, of the same length"),
                (good.replace("upsIdentModel", "ups{3..1}Model"), "is not a run of numbers"),
                (good.replace("1.1.2,", "1.1,"), "lies below"),
                ("upsX,1.1.2,device.x,NonNegativeInteger,,0/10,read-only,,,,,", "'0/10' is not a scale"),
                ("upsX,1.1.2,device.x,NonNegativeInteger,,60 over,read-only,,,,,", "'60 over' is not a scale"),
                ("upsX,1.1.2,device.x,NonNegativeInteger,,,read-only,9,1,,,", "low 9 is above high 1"),
                ("upsX,1.1.2,device.x,NonNegativeInteger,,,read-only,,,,no,", "needs a comment"),
                ("upsX,1.1.2,device.x,NonNegativeInteger,,,read-only,,,never,,", "read 'never' is none of")):
            with self.subTest(bad), tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder) / "objects.csv"
                path.write_text("\n".join([head, *(bad if row == good else row for row in rows)]) + "\n")
                for script, more in (("agentx/make_objects.py", []),
                                     ("plugins/ups-snmp/make_tables.py", [SOURCE / "plugins/ups-snmp/quirks.csv"])):
                    done = subprocess.run([sys.executable, SOURCE / script, path, *more, path.with_suffix(".c")],
                                          capture_output=True, text=True, check=False)
                    self.assertEqual(done.returncode, 1, done.stderr)
                    self.assertIn(complaint, done.stderr)
                    self.assertIn(f"{path}:" if "lies below" in complaint else f"{path}:{rows.index(good) + 2}:",
                                  done.stderr)


class Everything(unittest.TestCase):
    """One device that has everything, polled once, so that what busbarctl says holds for as long as the test lasts."""

    @classmethod
    def setUpClass(cls):
        cls.reference = Reference(shared() / "reference")
        cls.snmpd = cls.enterClassContext(Snmpd())
        device = simulator(profile="everything", interval="1h", watch="0s", **{"stale-after": "2h"})
        cls.daemon = cls.enterClassContext(Busbard(configuration(cls.snmpd, {"all": device}, "all")))
        wait_for(lambda: {varbind.oid.rpartition(".")[0] for varbind in walk(cls.snmpd)} >=
                 {CHARGE.removesuffix(".0"), ALARM_DESCRIPTION, BACS_DESCRIPTION}, 20, "values and alarms in the tree")
        cls.points = cls.daemon.points("all")
        cls.found = cls.snmpd.walk(ROOT)

    def test_every_object_of_the_reference_is_there_but_those_with_a_reason(self):
        shown = {self.reference.find(varbind.oid)[0] for varbind in self.found}
        self.assertNotIn(None, shown, "something that the reference does not have")
        missing = {item.name for item in self.reference.accessible if item not in shown}
        self.assertEqual(missing, set(NOT_SERVED))
        for name in sorted(missing):
            print(f"not served: {name}: {NOT_SERVED[name]}")
        scalars = sum(not item.column for item in shown)
        say(f"profile everything through snmpd: {scalars} scalars and {len(shown) - scalars} columns, "
            f"{len(self.found)} instances; not served: {', '.join(sorted(missing))}")

    def test_every_value_is_the_points_scaled_and_of_the_right_type(self):
        compared = 0
        for varbind in self.found:
            item, row = self.reference.find(varbind.oid)
            self.assertEqual(varbind.type, item.type, item.name)
            if item.name in WITHOUT_POINT:
                continue
            point = self.points[self.reference.point(item, row)]
            self.assertEqual(point["quality"].split(",")[0], "good", item.name)
            if item.syntax == "TimeStamp":
                self.assertAlmostEqual(varbind.value, self.uptime_at(point["value"]), delta=200, msg=item.name)
            else:
                self.assertEqual(varbind.value, self.reference.expected(item, point), f"{item.name} from {point}")
            compared += 1
        self.assertGreater(compared, 370)
        say(f"profile everything through snmpd: {compared} values equal the points, scaled by the reference tables")

    def uptime_at(self, text):
        """snmpd's sysUpTime of a moment."""
        ago = datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.fromisoformat(text)
        return max(self.snmpd.get("1.3.6.1.2.1.1.3.0").value - int(ago.total_seconds() * 100), 0)

    def test_scalars_have_instance_0_and_rows_their_numbers(self):
        for varbind in self.found:
            item, row = self.reference.find(varbind.oid)
            if not item.column:
                self.assertEqual(row, 0, varbind.oid)
            elif item.name.endswith("Index") or item.name == "bacsAlarmId":
                self.assertEqual(varbind.value, row, varbind.oid)

    def test_alarms_are_rows_by_the_numbers_of_their_events(self):
        uptime = self.snmpd.get("1.3.6.1.2.1.1.3.0").value
        told = {f"alarm.{row['alarm']}": row["event"] for row in self.daemon.json("alarms") if row["device"] == "all"}
        shown = values(self.found)
        for count, column, bacs in ((ALARM_COUNT, ALARM_DESCRIPTION, False), (BACS_COUNT, BACS_DESCRIPTION, True)):
            identities = {name: oid for oid, name in self.reference.alarms.items() if ("bacs" in name) == bacs}
            expected = {f"{column}.{event}": identities[name] for name, event in told.items() if name in identities}
            self.assertEqual({oid: value for oid, value in shown.items() if oid.startswith(column + ".")}, expected)
            self.assertEqual(shown[count], len(expected))
            for oid in expected:
                since = shown[f"{column.rpartition('.')[0]}.3.{oid.rpartition('.')[2]}"]
                self.assertTrue(0 < since <= uptime, since)
        self.assertGreater(len(told), 1)

    def test_getbulk_says_what_getnext_says_in_every_subtree_with_any_repetitions(self):
        asked = 0
        for subtree in SUBTREES:
            expected = [varbind for varbind in self.found if varbind.oid.startswith(subtree + ".")]
            for repetitions in (1, 7, 100, 2**31 - 1):
                found = self.snmpd.bulkwalk(subtree, repetitions=repetitions)
                self.assertEqual([v.oid for v in found], [v.oid for v in expected], f"{subtree} {repetitions}")
                asked += 1
        say(f"GETBULK: {asked} walks of {len(SUBTREES)} subtrees with up to {2**31 - 1} repetitions")

    def test_get_says_what_getnext_says_instance_by_instance(self):
        count = cut(len(self.found), 120, "instances by GET")
        step = len(self.found) / count
        for varbind in (self.found[int(i * step)] for i in range(count)):
            again = self.snmpd.get(varbind.oid)
            self.assertEqual((again.oid, again.type), (varbind.oid, varbind.type))
            if again.type != "Timeticks":
                self.assertEqual(again.value, varbind.value, varbind.oid)

    def test_what_is_not_there_is_said_to_be_missing_and_not_an_error(self):
        for name, exception in ((f"{ROOT}.1.3.3.1.3.4", "noSuchInstance"), (f"{ROOT}.1.2.4.1", "noSuchInstance"),
                                (f"{ROOT}.1.3.3.1.1.1", "noSuchObject"), (f"{ROOT}.1.8.6.0", "noSuchObject"),
                                (f"{ROOT}.4.1.0", "noSuchObject")):
            self.assertEqual(self.snmpd.get(name).type, exception, name)


class Devices(unittest.TestCase):
    """Objects are there as far as a device has their points."""

    def test_a_device_shows_its_lines_and_no_others(self):
        with Snmpd(contexts=["one", "three"]) as snmpd:
            devices = {"one": simulator(), "three": simulator(profile="three-phase")}
            with Busbard(configuration(snmpd, devices, "one")):
                three = {"1", "2", "3"}
                for name, tables in (("one", ({"1"}, {"1"}, set())), ("three", (three, three, three))):
                    wait_for(lambda: walk(snmpd, CHARGE.removesuffix(".0"), context=name), 20, f"values of {name}")
                    for table, lines in zip(("1.3.3.1", "1.4.4.1", "1.5.3.1"), tables):
                        self.assertEqual(set(snmpd.table(f"{ROOT}.{table}", context=name)), lines, table)
                    self.assertEqual(walk(snmpd, f"{ROOT}.5", context=name), [], "it has no batteries of its own")
                    self.assertEqual(walk(snmpd, f"{ROOT}.1.12", context=name), [], "nor sensors")

    def test_a_device_that_never_answered_has_no_identity_and_an_alarm(self):
        with Snmpd() as snmpd:
            device = {"plugin": "ups-modbus", "address": f"modbus-tcp://127.0.0.1:{free_port()}/1", "timeout": "1s",
                      "interval": "1s", "stale-after": "1s"}
            with Busbard(configuration(snmpd, {"gone": device}, "gone")):
                wait_for(lambda: COMMUNICATIONS_LOST in values(walk(snmpd, ALARM_DESCRIPTION)).values(), 30,
                         "communications-lost in the alarm table")
                found = walk(snmpd)
                self.assertEqual({varbind.oid.removeprefix(f"{ROOT}.").split(".")[1] for varbind in found}, {"6"},
                                 found)


class Stale(unittest.TestCase):
    """What a silent device still shows: the table "What stale does"."""

    def test_measurements_vanish_identity_and_settings_stay_and_all_come_back(self):
        """The device is an agent that shows everything, and falls silent when the test says so."""
        with Snmpd() as agent, Snmpd() as snmpd:
            behind = configuration(agent, {"all": simulator(profile="everything", interval="500ms")}, "all")
            device = {"plugin": "ups-snmp", "address": f"snmp://{agent.address.removeprefix('udp:')}",
                      "interval": "500ms", "timeout": "500ms", "retries": 0, "stale-after": "3s"}
            with Busbard(behind):
                wait_for(lambda: values(walk(agent, MODEL)), 20, "values of the agent")
                with Busbard(configuration(snmpd, {"ups": device}, "ups")) as daemon:
                    self.follow(agent, snmpd, daemon)

    def follow(self, agent, snmpd, daemon):
        reference = Reference(shared() / "reference")
        wait_for(lambda: values(walk(snmpd, CHARGE)), 20, "values")
        fresh = {varbind.oid.rpartition(".")[0] for varbind in walk(snmpd)}
        agent.pause()

        def silent():
            found = walk(snmpd)
            return COMMUNICATIONS_LOST in values(found).values() and found
        shown = set(values(wait_for(silent, 60, "communications-lost in the alarm table")))
        points = daemon.points("ups")
        kept = dropped = 0
        for item in reference.accessible:
            row = 1 if item.column else 0
            if item.name in WITHOUT_POINT or item.name in NOT_SERVED or item.oid not in fresh:
                continue
            point = points[reference.point(item, row)]
            self.assertTrue(point["quality"].startswith("stale"), point)
            # busbarctl shows the value of what is kept, and null for what is not.
            self.assertEqual(f"{item.oid}.{row}" in shown, point["value"] is not None, item.name)
            kept += point["value"] is not None
            dropped += point["value"] is None
        self.assertIn(SPIN_LOCK, shown)
        self.assertGreater(kept, 50)
        self.assertGreater(dropped, 100)
        say(f"stale: of {kept + dropped} objects {kept} stay and {dropped} are noSuchInstance")
        agent.resume()

        def back():
            found = walk(snmpd)
            return COMMUNICATIONS_LOST not in values(found).values() and \
                {varbind.oid.rpartition(".")[0] for varbind in found} >= fresh - {ALARM_DESCRIPTION, ALARM_TIME}
        wait_for(back, 60, "all of it back")


class Moments(unittest.TestCase):
    """What belongs to one moment, and to which."""

    def test_all_of_a_getbulk_is_of_one_reading(self):
        """One object is asked for once in every repetition, by names that stand nearer and nearer before it. Each
        repetition is a request of its own to the agent, and each poll changes the value."""
        times, repetitions = cut(500, 50, "GETBULKs"), 8
        with Snmpd() as snmpd:
            device = simulator(profile="everything", interval="10ms", watch="0s")
            with Busbard(configuration(snmpd, {"all": device}, "all")):
                wait_for(lambda: values(walk(snmpd, BACS_VOLTAGE)), 20, "values")
                names = [varbind.oid for varbind in snmpd.walk(ROOT)]
                place = names.index(BACS_VOLTAGE)
                before = names[place - repetitions:place]  # scalars that are always there
                seen = set()
                for _ in range(times):
                    found = snmpd.getbulk(*before, repetitions=repetitions)
                    said = [varbind.value for varbind in found if varbind.oid == BACS_VOLTAGE]
                    self.assertEqual(len(said), repetitions)
                    self.assertEqual(len(set(said)), 1, f"values of several readings: {said}")
                    seen.update(said)
        self.assertGreater(len(seen), times // 10, "polls went on meanwhile")
        say(f"GETBULK: {times} with {repetitions} repetitions, each of one reading; {len(seen)} readings were seen")

    def test_an_alarm_from_before_the_start_of_snmpd_has_time_0(self):
        with Snmpd() as snmpd, tempfile.TemporaryDirectory() as folder:
            scenario = pathlib.Path(folder) / "failing.scenario"
            scenario.write_text("at 0s mains off\n")
            device = simulator(interval="500ms", battery="1h", scenario=str(scenario))
            with Busbard(configuration(snmpd, {"ups": device}, "ups")):
                first = values(wait_for(lambda: walk(snmpd, ALARM_TIME), 20, "an alarm"))
                snmpd.restart()
                again = values(wait_for(lambda: walk(snmpd, ALARM_TIME), 20, "the alarm again"))
        self.assertGreater(max(first.values()), 0)
        self.assertEqual({name: again[name] for name in first}, {name: 0 for name in first}, "the row is the same")


class Moving(unittest.TestCase):
    """Walks while values change, devices are lost, and the configuration changes under them."""

    PROFILES = ("everything", "three-phase", "single-phase")

    def check(self, found):
        names = [arcs(varbind.oid) for varbind in found]
        for before, after in zip(names, names[1:]):
            self.assertLess(before, after)

    def walk_until(self, over, snmpd, context, tally):
        while not over.is_set():
            for ask in (snmpd.bulkwalk, snmpd.walk):
                try:
                    found = ask(ROOT, context=context, timeout=2)
                except SnmpError as error:  # the context goes while its device is made anew
                    self.assertEqual(error.reason, "timeout", error)
                    tally["silent"] += 1
                    continue
                self.check(found)
                tally["walks"] += 1
                tally["instances"] += len(found)

    def test_names_grow_whatever_happens_meanwhile(self):
        rounds = cut(60, 8, "reconfigurations while walking")
        with tempfile.TemporaryDirectory() as folder, Snmpd(contexts=["all", "lost"]) as snmpd:
            scenario = pathlib.Path(folder) / "lossy.scenario"
            scenario.write_text("at 1s silence 2s\nrepeat 4s\n")
            lost = simulator(profile="everything", interval="100ms", watch="50ms", scenario=str(scenario),
                             **{"stale-after": "1s"})

            def devices(number):
                profile = self.PROFILES[number % len(self.PROFILES)]
                return {"all": simulator(profile=profile, interval="100ms", watch="50ms", seed=number + 1),
                        "lost": lost}
            with Busbard(configuration(snmpd, devices(0), "all")) as daemon:
                wait_for(lambda: all(walk(snmpd, MODEL, context=name) for name in ("", "all", "lost")), 20, "values")
                over, faults = threading.Event(), []
                tallies = [{"walks": 0, "instances": 0, "silent": 0} for _ in range(3)]

                def run(context, tally):
                    try:
                        self.walk_until(over, snmpd, context, tally)
                    except AssertionError as fault:
                        faults.append(fault)
                threads = [threading.Thread(target=run, args=arguments)
                           for arguments in zip(("", "all", "lost"), tallies)]
                for thread in threads:
                    thread.start()
                try:
                    for number in range(1, rounds + 1):
                        before = [tally["walks"] for tally in tallies]
                        daemon.reload(configuration(snmpd, devices(number), "all"))
                        wait_for(lambda: faults or all(tally["walks"] > count + 1
                                                       for tally, count in zip(tallies, before)), 60, "more walks")
                finally:
                    over.set()
                    for thread in threads:
                        thread.join()
                self.assertEqual(faults, [])
        say(f"walks under change: {sum(tally['walks'] for tally in tallies)} walks of "
            f"{sum(tally['instances'] for tally in tallies)} instances, {rounds} reconfigurations, always in order")


if __name__ == "__main__":
    unittest.main()
