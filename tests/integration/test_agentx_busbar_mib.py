# SPDX-License-Identifier: Apache-2.0
"""The BUSBAR-MIB through snmpd: it says what busbarctl says, in order, whatever happens meanwhile."""
import datetime
import json
import re
import threading
import unittest

from snmpd import Snmpd, SnmpError
from support import SOURCE, Busbard, cut, say, wait_for

BASE = "1.3.6.1.4.1.8072.9999.9999.1628"
AGENT, DEVICES, POINTS, ALARMS = (f"{BASE}.1.{n}" for n in (1, 2, 3, 4))
STATES = {"unknown": 1, "never-connected": 2, "up": 3, "lost": 4}
SEVERITIES = {None: 0, "info": 1, "warning": 2, "alarm": 3}
QUALITIES = {"unknown": 1, "good": 2, "stale": 3, "unsupported": 4, "bad": 5}
ENUMERATION, FLAGS, TRUTH, ALARM, TEXT, TIME, COMMAND = 3, 4, 5, 6, 7, 8, 9  # busbarPointKind


def arcs(oid):
    return tuple(map(int, oid.split(".")))


def text_index(text, implied=True):
    return ("" if implied else f"{len(text)}.") + ".".join(str(ord(letter)) for letter in text)


def one_poll(**options):
    """A simulated device that is polled once: what two programs say of it one after the other is the same."""
    return {"plugin": "simulator", "interval": "1h", "watch": "0s", **options}


class Case(unittest.TestCase):
    def start(self, devices, **more):
        self.snmpd = self.enterContext(Snmpd())
        self.config = {"devices": devices, "exporters": {"agentx": {"master": self.snmpd.agentx}}, **more}
        self.daemon = self.enterContext(Busbard(self.config))
        wait_for(lambda: self.count_devices() == len(devices), 10, "the BUSBAR-MIB with all devices")

    def count_devices(self):
        try:
            return self.snmpd.get(f"{AGENT}.3.0", timeout=1).value
        except SnmpError:
            return None

    def wait_up(self, *names):
        wait_for(lambda: all(row["state"] == "up" for row in self.daemon.json("status")["devices"]
                             if row["device"] in names), 10, f"{names} to be up")

    def assert_in_order(self, found):
        for before, after in zip(found, found[1:]):
            self.assertLess(arcs(before.oid), arcs(after.oid))


class Values(Case):
    """One device that has everything and a few more, polled once."""

    def setUp(self):
        rules = [{"device": "ups-b", "point": "battery.charge", "below": "101%", "severity": "warning",
                  "name": "too-low"}]
        # The longer the name the later in the point table, whatever its letters.
        self.start({"zz": one_poll(profile="everything"), "ups-b": one_poll(), "a-longer-name": one_poll()},
                   alarms=rules)
        self.wait_up("zz", "ups-b", "a-longer-name")
        wait_for(lambda: self.daemon.json("alarms"), 10, "the alarm of the rule")

    def exact_points(self, device):
        """As busbarctl prints them, numbers as their texts."""
        done = self.daemon.ctl("points", device, "--json")
        return {row["point"]: row for row in json.loads(done.stdout, parse_float=str, parse_int=str)}

    def test_points_are_those_of_busbarctl(self):
        rows = self.snmpd.table(f"{POINTS}.1")
        count = 0
        for device in ("zz", "ups-b", "a-longer-name"):
            for name, point in self.exact_points(device).items():
                row = rows.pop(f"{text_index(device, implied=False)}.{text_index(name)}")
                self.compare(device, name, point, row)
                count += 1
        self.assertEqual(rows, {}, "rows that busbarctl does not know")
        say(f"BUSBAR-MIB: {count} points through snmpd are as busbarctl prints them")

    def compare(self, device, name, point, row):
        said = f"{device} {name}: {point} {row}"
        value, kind = point["value"], row[9]
        self.assertEqual((row[2], row[3]), (device.encode(), name.encode()))
        self.assertEqual(row[8].decode(), point["unit"], said)
        self.assertEqual(row[10], QUALITIES[point["quality"]], said)
        if value is None:
            for column in (4, 5, 6):
                self.assertNotIn(column, row, said)
            return
        text = row[4].decode()
        self.assertEqual(text, {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else value,
                         said)
        if kind == TEXT:
            self.assertNotIn(5, row, said)
            return
        if kind in (ENUMERATION, FLAGS):
            number = int(point["raw"])
        elif kind in (TRUTH, ALARM):
            number = int(value)
        elif kind == TIME:
            moment = datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
            number = int(moment.timestamp() + 0.5)
        else:
            self.assertEqual(len(value.partition(".")[2]), row[7], said)
            number = int(value.replace(".", ""))
        self.assertEqual(row.get(5), number if -2 ** 31 <= number < 2 ** 31 else None, said)
        self.assertEqual(row.get(6), number if number >= 0 else None, said)

    def test_devices_are_those_of_busbarctl(self):
        rows = self.snmpd.table(f"{DEVICES}.1")
        status = {row["device"]: row for row in self.daemon.json("status")["devices"]}
        self.assertEqual(list(rows), [text_index(name) for name in sorted(status)])
        for name, device in status.items():
            row = rows[text_index(name)]
            points = self.exact_points(name)
            self.assertEqual(row[2].decode(), name)
            for column, point in ((3, "device.mfr"), (4, "device.model"), (5, "device.serial")):
                self.assertEqual(row[column].decode(), points[point]["value"])
            self.assertEqual(row[6].decode(), device["plugin"])
            self.assertEqual(row[7], STATES[device["state"]])
            self.assertLess(abs(row[8] - device["age"]), 30)
            self.assertEqual(row[9], device["alarms"])
            self.assertEqual(row[10], SEVERITIES[device["worst"]])
            self.assertEqual(row[11], len(points))
            self.assertEqual((row[12], row[13], row[14]), (device["polls"], device["errors"], 0))

    def test_alarms_are_those_of_busbarctl(self):
        rows = self.snmpd.table(f"{ALARMS}.1")
        alarms = self.daemon.json("alarms")
        self.assertEqual(len(rows), len(alarms))
        events = {row["number"]: row for row in self.daemon.json("events")}
        for number, row in rows.items():
            event = events[int(number)]
            alarm = next(each for each in alarms if (each["device"], each["alarm"]) ==
                         (row[2].decode(), row[3].decode()))
            self.assertEqual((event["device"], event["subject"]), (alarm["device"], alarm["alarm"]))
            self.assertEqual(row[5], SEVERITIES[alarm["severity"]])
            since = datetime.datetime.fromisoformat(alarm["since"].replace("Z", "+00:00"))
            self.assertLess(abs((self.moment(row[6]) - since).total_seconds()), 0.11)
            self.assertEqual(row[8], 2, "nobody has seen it")
        [rule] = [row for row in rows.values() if row[3] == b"too-low"]
        self.assertEqual((rule[2], rule[9], rule[10]), (b"ups-b", b"battery.charge", b"100.0"))
        self.assertEqual(self.daemon.ctl("ack", "ups-b", "too-low").returncode, 0)
        wait_for(lambda: [row[8] for row in self.snmpd.table(f"{ALARMS}.1").values() if row[3] == b"too-low"] == [1],
                 10, "the alarm to be acknowledged")

    @staticmethod
    def moment(octets):
        year, month, day, hour, minute, second, tenths = (int.from_bytes(octets[:2], "big"), *octets[2:8])
        east = datetime.timedelta(hours=octets[9], minutes=octets[10]) * (-1 if octets[8:9] == b"-" else 1)
        return datetime.datetime(year, month, day, hour, minute, second, tenths * 100000,
                                 datetime.timezone(east))

    def test_all_the_module_has_is_served_and_nothing_else(self):
        module = (SOURCE / "agentx" / "mibs" / "BUSBAR-MIB.txt").read_text()
        nodes = {"busbarMIB": ()}
        readable = set()
        for name, kind, body, parent, number in re.findall(
                r"^(busbar\w+) +(OBJECT-TYPE|OBJECT IDENTIFIER)(.*?)::= \{ (\w+) (\d+) \}", module,
                re.MULTILINE | re.DOTALL):
            nodes[name] = (*nodes[parent], int(number))
            if re.search(r"MAX-ACCESS +read-only", body):
                readable.add(nodes[name])
        found = self.snmpd.walk(BASE)
        self.assert_in_order(found)
        length = len(arcs(BASE))
        served = {arcs(each.oid)[length:length + (3 if arcs(each.oid)[length + 1] == 1 else 4)] for each in found}
        self.assertEqual(served, readable)
        say(f"BUSBAR-MIB: {len(readable)} objects, {len(found)} instances in a walk")

    def test_getnext_and_getbulk_see_the_same(self):
        scalars = len(self.snmpd.walk(AGENT))
        one = [each for each in self.snmpd.walk(BASE)][scalars:]
        for repetitions in (1, 7, 100):
            many = [each for each in self.snmpd.bulkwalk(BASE, repetitions=repetitions)][scalars:]
            self.assertEqual([each.oid for each in one], [each.oid for each in many])
        # whatever is asked for: GETBULK with more than there is ends, and a table's end is another's beginning
        self.assertEqual(len(self.snmpd.getbulk(f"{AGENT}.12.0", repetitions=5)), 5)

    def test_what_is_not_there_is_said_to_be_so(self):
        for name, what in ((f"{DEVICES}.1.2.{text_index('ups')}", "noSuchInstance"),
                           (f"{DEVICES}.1.1.{text_index('ups-b')}", "noSuchObject"),
                           (f"{POINTS}.1.4.5", "noSuchInstance"), (f"{BASE}.1.5.1.0", "noSuchObject"),
                           (f"{BASE}.9", "noSuchObject")):
            self.assertEqual(self.snmpd.get(name).type, what, name)
        with self.assertRaises(SnmpError) as refused:
            self.snmpd.set((f"{DEVICES}.1.2.{text_index('ups-b')}", "s", "mine"))
        self.assertIn(refused.exception.reason, ("notWritable", "noAccess"))

    def test_the_agent_counts(self):
        before = self.snmpd.get(f"{AGENT}.10.0").value
        after = self.snmpd.get(f"{AGENT}.10.0").value
        self.assertGreater(after, before, "requests")
        uptime, devices, up, alarms, polls = (self.snmpd.get(f"{AGENT}.{n}.0").value for n in (2, 3, 4, 5, 6))
        self.assertGreater(uptime, 0)
        status = self.daemon.json("status")
        self.assertEqual((devices, up), (3, 3))
        self.assertEqual(alarms, sum(row["alarms"] for row in status["devices"]) + status["agent"]["alarms"])
        self.assertEqual(polls, sum(row["polls"] for row in status["devices"]))
        self.assertEqual(self.snmpd.get(f"{AGENT}.1.0").text, status["agent"]["version"])
        self.assertEqual(self.snmpd.get(f"{AGENT}.12.0").value, 1)


class Life(Case):
    def test_a_lost_device_keeps_its_rows_but_not_its_measurements(self):
        scenario = "at 2s silence 1h\n"
        self.start({"ups-a": one_poll()})
        path = self.daemon.directory / "silence.scenario"
        path.write_text(scenario)
        self.config["devices"] = {"ups-a": {"plugin": "simulator", "interval": "500ms", "stale-after": "1s",
                                            "scenario": str(path)}}
        self.daemon.reload(self.config)
        index = text_index("ups-a")
        state = f"{DEVICES}.1.7.{index}"

        def charge(column):
            return f"{POINTS}.1.{column}.{text_index('ups-a', implied=False)}.{text_index('battery.charge')}"

        def lost():
            state_now, worth = self.snmpd.get(state, charge(4))
            # In one request both are of the same moment.
            if state_now.value == STATES["up"]:
                self.assertEqual(worth.text, "100.0")
            return state_now.value == STATES["lost"]
        wait_for(lost, 20, "ups-a to be lost")
        self.assertEqual([each.type for each in self.snmpd.get(charge(4), charge(5), charge(6))],
                         ["noSuchInstance"] * 3)
        self.assertEqual(self.snmpd.get(charge(10)).value, QUALITIES["stale"])
        self.assertGreaterEqual(self.snmpd.get(charge(11)).value, 1)
        self.assertEqual(self.snmpd.get(f"{DEVICES}.1.4.{index}").type, "STRING")
        wait_for(lambda: b"communications-lost" in [row[3] for row in self.snmpd.table(f"{ALARMS}.1").values()], 10,
                 "the alarm communications-lost")

    def test_a_device_that_never_answered_has_a_row_and_nothing_else(self):
        self.start({"far": {"plugin": "simulator", "poll-delay": "1h", "interval": "1s", "timeout": "2s"}})
        row = self.snmpd.table(f"{DEVICES}.1")[text_index("far")]
        self.assertEqual(row[2], b"far")
        self.assertIn(row[7], (STATES["unknown"], STATES["never-connected"]))
        self.assertEqual(row[11], 0)
        for column in (3, 4, 5, 8):
            self.assertNotIn(column, row)
        self.assertEqual(self.snmpd.walk(POINTS), [])

    def test_the_order_holds_while_devices_come_go_and_change(self):
        def devices(turn):
            return {f"{'x' * (turn * n % 5)}n{n}": {"plugin": "simulator", "interval": "100ms",
                                                    "profile": "three-phase" if (turn + n) % 2 else "single-phase"}
                    for n in range(6)}
        self.start(devices(0))
        turns = cut(200, 15, "reloads")
        failures, walks = [], [0]
        over = threading.Event()

        def walk():
            while not over.is_set():
                try:
                    found = self.snmpd.bulkwalk(BASE, repetitions=20)
                    self.assert_in_order(found)
                    walks[0] += 1
                except (SnmpError, AssertionError) as error:
                    failures.append(error)
                    return
        walker = threading.Thread(target=walk)
        walker.start()
        try:
            for turn in range(1, turns):
                self.config["devices"] = devices(turn)
                self.daemon.reload(self.config)
            seen = walks[0]
            wait_for(lambda: walks[0] > seen + 1 or failures, 20, "a walk after the last reload")
        finally:
            over.set()
            walker.join()
        self.assertEqual(failures, [])
        say(f"BUSBAR-MIB: {walks[0]} walks in order during {turns} reloads")
        wait_for(lambda: list(self.snmpd.table(f"{DEVICES}.1")) == [text_index(name)
                                                                    for name in sorted(devices(turns - 1))],
                 10, "the devices of the last configuration")

    def test_base_oid_moves_it(self):
        self.start({"ups-a": one_poll()})
        self.config["exporters"]["agentx"]["base-oid"] = "1.3.6.1.4.1.32473.7"
        self.daemon.reload(self.config)
        wait_for(lambda: self.snmpd.walk("1.3.6.1.4.1.32473.7.1.2"), 10, "the tree at its new place")
        self.assertEqual(self.snmpd.walk(BASE), [])


if __name__ == "__main__":
    unittest.main()
