# SPDX-License-Identifier: Apache-2.0
"""test_agentx_notify.py - notifications from an event to a receiver: snmpd sends them, snmptrapd takes them."""
import calendar
import datetime
import struct
import time
import unittest

from notification_case import (ADDED, ALARM, BACS_ADDED, BACS_ALARM_DESCR, BACS_ALARM_ID, BACS_REMOVED, BASE, CLEARED,
                               DEVICE, EVENTS_LOST, IDENTITIES, LISTED, NAMES, NUMBER, ON_BATTERY, RAISED, REMOVED,
                               SEVERITY, TAIL, TEST, TEST_COMPLETED, TEXT, TIME, UPS, UPS_ALARM_DESCR, UPS_ALARM_ID,
                               AlarmDevice, Case, identity, number, ours)
from snmpd import Snmpd, Snmptrapd
from support import FULL, say, wait_for

ENGINE = "0x80000000016275736261"
# A minute in the life of a UPS, in its own time: at speed 10 it takes 6 seconds.
LIFE = """at 5s mains off
at 15s mains on
at 25s test start
at 45s alarm fan-failure on
at 50s alarm fan-failure off
"""


# Alarms that no device has.
AGENTS_OWN = {"plugin-failed", "config-rejected", "tls-not-verified", "journal-trouble"}


def chunks(whole, size):
    return [whole[i:i + size] for i in range(0, len(whole), size)]


class Content(Case):
    def assert_variables(self, notification, event):
        """Exactly what must stand in it, in that order."""
        columns = {ADDED: (UPS_ALARM_ID, UPS_ALARM_DESCR), REMOVED: (UPS_ALARM_ID, UPS_ALARM_DESCR),
                   BACS_ADDED: (BACS_ALARM_ID, BACS_ALARM_DESCR), BACS_REMOVED: (BACS_ALARM_ID, BACS_ALARM_DESCR)}
        listed = LISTED.get(notification.oid, [])
        if notification.oid in columns:
            row = [f"{column}.{event['raised']}" for column in columns[notification.oid]]
            listed = list(zip(row, ("INTEGER", "OID")))
            self.assertEqual([notification[name] for name in row], [event["raised"], identity(event)])
        self.assertEqual([(name, kind) for name, kind, _ in notification.varbinds], listed + TAIL)
        self.assertEqual(notification[DEVICE].decode(), event["device"])
        self.assertEqual(notification[NUMBER], event["number"])
        self.assertEqual(notification[ALARM].decode(), event["subject"])
        self.assertEqual(notification[TEXT].decode(), event["text"])
        self.assertEqual(notification[SEVERITY], {"info": 1, "warning": 2, "alarm": 3}[event["severity"]])
        self.assertEqual(self.moment(notification[TIME]), event["time"][:21])

    @staticmethod
    def moment(octets):
        """DateAndTime as RFC 3339 in UTC, with tenths of a second."""
        year, month, day, hour, minute, second, tenth, sign, hours, minutes = struct.unpack(">H6BcBB", octets)
        offset = (hours * 60 + minutes) * (-60 if sign == b"-" else 60)
        at = calendar.timegm((year, month, day, hour, minute, second)) - offset
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{tenth}"

    def test_a_life_of_a_ups_is_told_with_exact_objects_over_v2c_and_v3_as_traps_and_informs(self):
        with Snmptrapd() as traps, Snmptrapd() as informs, Snmptrapd(engine=ENGINE) as traps3, Snmptrapd() as informs3:
            receivers = {"trap2sink": traps, "informsink": informs, "v3 trap": traps3, "v3 inform": informs3}
            lines = [traps.sink(), informs.sink(inform=True), traps3.sink(v3=True), informs3.sink(inform=True, v3=True)]
            with Snmpd(lines, engine=ENGINE) as snmpd:
                devices = {"ups-a": self.simulator(LIFE, speed=10)}
                with self.busbard(self.config(snmpd, devices)) as busbard:
                    self.wait_event(busbard, "alarm-cleared", "fan-failure", timeout=40)
                    events = {event["number"]: event for event in busbard.json("events")}
                    for receiver in receivers.values():
                        self.assert_told(busbard, receiver)
        told = set()
        for name, receiver in receivers.items():
            for notification in ours(receiver):
                with self.subTest(receiver=name, number=number(notification)):
                    self.assert_variables(notification, events[number(notification)])
                    self.assertEqual(notification.inform, "inform" in name)
                    self.assertEqual(notification.context, "ups-a" if "v3" in name else None)
                    told.add(notification.oid)
            self.assertEqual(len(ours(receiver)), len(ours(traps)), name)
        self.assertEqual(told, {ON_BATTERY, TEST_COMPLETED, ADDED, REMOVED})
        self.assert_exceptions(events, ours(traps))

    def assert_exceptions(self, events, notifications):
        """RFC 1628: on-battery is not added but removed, a test in progress neither."""
        rows = {(notification.oid, notification[ALARM].decode()) for notification in notifications}
        self.assertLessEqual({(ON_BATTERY, "on-battery"), (REMOVED, "on-battery"), (TEST_COMPLETED, "test-in-progress"),
                              (ADDED, "fan-failure"), (REMOVED, "fan-failure")}, rows)
        for row in ((ADDED, "on-battery"), (ADDED, "test-in-progress"), (REMOVED, "test-in-progress")):
            self.assertNotIn(row, rows)
        raised = {event["subject"]: event["number"] for event in events.values() if event["event"] == "alarm-raised"}
        for notification in notifications:
            if notification.oid == REMOVED:
                self.assertEqual(notification[UPS_ALARM_ID], raised[notification[ALARM].decode()])

    def test_what_the_device_says_stands_in_them_and_what_it_lacks_is_zero_or_empty(self):
        names = [name for name, _ in LISTED[ON_BATTERY] + LISTED[TEST_COMPLETED]]
        with Snmptrapd() as receiver, Snmpd([receiver.sink()], contexts=["ups-a"]) as snmpd, \
                self.busbard(self.config(snmpd, {"ups-a": self.simulator()})) as busbard:
            self.wait_registered(busbard)
            wait_for(lambda: snmpd.get(names[0], context="ups-a").value, what="the UPS to be served")
            shown = {name: snmpd.get(name, context="ups-a") for name in names}
            for name in ("upsTrapOnBattery", "upsTrapTestCompleted"):
                done = busbard.ctl("trap-test", name, "--device", "ups-a")
                self.assertEqual(done.returncode, 0, done.stderr)
            receiver.wait(lambda: receiver.of(ON_BATTERY) and receiver.of(TEST_COMPLETED), what="both tests")
        told = {varbind.oid: varbind for one in ours(receiver) for varbind in one.varbinds}
        lacking = [name for name in names if shown[name].type == "noSuchInstance"]
        self.assertTrue(lacking, "a UPS that was never tested has no upsTestStartTime")
        for name in names:
            with self.subTest(name=name):
                if name in lacking:
                    self.assertIn(told[name].value, (0, b""))
                else:
                    self.assertEqual(told[name], shown[name])

    def test_every_alarm_there_is_is_told_by_the_notification_of_its_mib(self):
        """One device has every alarm of config/alarms.csv; they come all at once, and go."""
        with Snmptrapd() as receiver, Snmpd([receiver.sink()]) as snmpd:
            names = sorted(set(IDENTITIES) - AGENTS_OWN - {"communications-lost"})
            device = AlarmDevice(self.folder, names)
            with self.busbard(self.config(snmpd, {"all": device.section})) as busbard:
                for some in chunks(names, 40):  # what fits into a receiver's socket buffer
                    device.set(*some)
                    self.wait_event(busbard, "alarm-raised", some[-1])
                    self.assert_told(busbard, receiver)
                device.set()
                self.wait_event(busbard, "alarm-cleared", names[-1])
                self.assert_told(busbard, receiver)
                events = {event["number"]: event for event in busbard.json("events")}
        for notification in ours(receiver):
            self.assert_variables(notification, events[number(notification)])
        told = {notification[ALARM].decode() for notification in ours(receiver)}
        self.assertEqual(told, set(names))
        self.assertEqual({notification.oid for notification in ours(receiver)}, set(NAMES.values()) - {EVENTS_LOST})
        say(f"{len(names)} alarms came and went: {len(ours(receiver))} notifications, each with exactly its objects")

    def test_alarms_of_the_agent_itself_are_told_in_the_default_context(self):
        with Snmptrapd(engine=ENGINE) as receiver, Snmpd([receiver.sink(v3=True)], engine=ENGINE) as snmpd:
            config = self.config(snmpd, {"ups-a": self.simulator()})
            with self.busbard(config) as busbard:
                busbard.reload({**config, "nonsense": 1}, check=False)
                busbard.reload(config)
                receiver.wait(lambda: [one for one in receiver.of(CLEARED) if one[ALARM] == b"config-rejected"])
                self.assert_told(busbard, receiver)
        for oid in (RAISED, CLEARED):
            notification, = (one for one in receiver.of(oid) if one[ALARM] == b"config-rejected")
            self.assertEqual(notification[DEVICE], b"")
            self.assertIsNone(notification.context)

    def test_an_alarm_of_a_rule_has_the_identity_of_its_severity_and_says_its_name(self):
        with Snmptrapd() as receiver, Snmpd([receiver.sink()]) as snmpd:
            config = self.config(snmpd, {"ups-a": self.simulator()})
            rule = {"device": "ups-a", "point": "battery.charge", "above": "1%", "severity": "warning",
                    "name": "charged"}
            with self.busbard({**config, "alarms": [rule]}) as busbard:
                receiver.wait(lambda: receiver.of(ADDED), what="the alarm of the rule")
                busbard.reload(config)
                receiver.wait(lambda: receiver.of(REMOVED), what="its end")
                self.assert_told(busbard, receiver)
        for notification in receiver.of(ADDED) + receiver.of(REMOVED):
            self.assertEqual(notification[UPS_ALARM_DESCR], f"{UPS}.1.6.3.175")
            self.assertEqual(notification[ALARM], b"charged")
            self.assertEqual(notification[UPS_ALARM_ID], receiver.of(ADDED)[0][NUMBER])


class NoJournal(Case):
    """There is no folder to keep one in: events are told from memory, and numbered from the milliseconds since 1970."""

    def test_alarms_are_told_and_shown_under_numbers_that_tell_them_apart(self):
        names = ["low-battery", "fan-failure"]
        with Snmptrapd() as receiver, Snmpd([receiver.sink()], contexts=["ups-a"]) as snmpd:
            device = AlarmDevice(self.folder, names)
            config = {**self.config(snmpd, {"ups-a": device.section}), "state-dir": str(self.folder / "nowhere")}
            with self.busbard(config) as busbard:
                self.wait_registered(busbard)
                device.set(*names)
                added = receiver.wait(lambda: len(receiver.of(ADDED)) >= 2 and receiver.of(ADDED), what="both alarms")
                shown = snmpd.table(f"{BASE}.1.4.1")
                in_context = snmpd.table(f"{UPS}.1.6.2.1", context="ups-a")
                self.assertGreater(min(event["number"] for event in busbard.json("events")), 2 ** 32)
                device.set()
                removed = receiver.wait(lambda: len(receiver.of(REMOVED)) >= 2 and receiver.of(REMOVED),
                                        what="their end")
        rows = {one[ALARM].decode(): one[UPS_ALARM_ID] for one in added}
        self.assertEqual(sorted(rows), sorted(names))
        self.assertEqual({one[ALARM].decode(): one[UPS_ALARM_ID] for one in removed}, rows)
        self.assertEqual([one[NUMBER] for one in added], [one[UPS_ALARM_ID] for one in added])
        self.assertEqual(len({number(one) for one in ours(receiver)}), len(ours(receiver)))
        self.assertEqual({row[3].decode(): int(index) for index, row in shown.items() if row[2] == b"ups-a"}, rows)
        self.assertEqual({int(index) for index in in_context}, set(rows.values()))
        self.assertIn(b"journal-trouble", [one[ALARM] for one in receiver.of(RAISED)])


class TrapTest(Case):
    def test_each_notification_can_be_tried_and_is_marked(self):
        with Snmptrapd() as receiver, Snmpd([receiver.sink()]) as snmpd, \
                self.busbard(self.config(snmpd, {"ups-a": self.simulator()})) as busbard:
            for name, oid in NAMES.items():
                done = busbard.ctl("trap-test", name)
                self.assertEqual(done.returncode, 0, done.stderr)
                receiver.wait(lambda: [one for one in receiver.of(oid) if TEST in one], what=f"the test of {name}")
            self.assertEqual(busbard.ctl("trap-test").returncode, 0)
            receiver.wait(lambda: len([one for one in receiver.of(ADDED) if TEST in one]) == 2, what="the usual test")
            self.assertNotEqual(busbard.ctl("trap-test", "upsTrapNonsense").returncode, 0)
            self.assert_told(busbard, receiver)
        for notification in ours(receiver):
            if TEST in notification:
                self.assertEqual(notification[TEST], 1)
                self.assertEqual(notification.varbinds[-1].oid, TEST)
                listed = LISTED.get(notification.oid, [])
                self.assertEqual([(name, kind) for name, kind, _ in notification.varbinds][:len(listed)], listed)


class Many(Case):
    DEVICES = 50

    def test_fifty_devices_behind_one_snmpd_can_be_told_apart(self):
        with Snmptrapd(engine=ENGINE) as receiver, Snmpd([receiver.sink(v3=True)], engine=ENGINE) as snmpd:
            devices = {f"ups-{i:02d}": self.simulator("at 1s mains off\n", interval="1s") for i in range(self.DEVICES)}
            with self.busbard(self.config(snmpd, devices)) as busbard:
                receiver.wait(lambda: len({one[DEVICE] for one in receiver.of(ON_BATTERY)}) == self.DEVICES, 30,
                              "every device to say that it runs on battery")
                self.assert_told(busbard, receiver)
        notifications = receiver.of(ON_BATTERY)
        self.assertEqual({one[DEVICE].decode() for one in notifications}, set(devices))
        self.assertEqual(len({number(one) for one in notifications}), self.DEVICES)
        for one in notifications:
            self.assertEqual(one.context, one[DEVICE].decode())


class Promptness(Case):
    def test_a_mains_failure_is_told_within_a_second(self):
        """From the event's own time stamp to its arrival; polls and the watch of the device come before that."""
        delays = []
        with Snmptrapd() as receiver, Snmpd([receiver.sink()]) as snmpd:
            scenario = "at 1s mains off\nat 2s mains on\nrepeat 6s\n"
            with self.busbard(self.config(snmpd, {"ups-a": self.simulator(scenario, speed=2)})) as busbard:
                for count in range(1, 4):
                    receiver.wait(lambda: len({number(one) for one in receiver.of(ON_BATTERY)}) >= count, 30)
                    arrived = time.time()
                    event = self.wait_event(busbard, "alarm-raised", "on-battery", count)[count - 1]
                    delays.append(arrived - self.wall(event["time"]))
        self.assertLess(min(delays), 1)  # what else the machine does can only delay it
        say(f"upsTrapOnBattery arrived {min(delays) * 1000:.0f} to {max(delays) * 1000:.0f} ms after the event")

    @staticmethod
    def wall(text):
        return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Away(Case):
    def alternate(self, busbard, config, count):
        """@count times an alarm of the agent that comes and goes."""
        for _ in range(count):
            busbard.reload({**config, "nonsense": 1}, check=False)
            busbard.reload(config)

    def test_what_happens_while_snmpd_is_away_follows_in_order_over_restarts_of_both(self):
        with Snmptrapd() as receiver, Snmpd([receiver.sink()]) as snmpd:
            config = self.config(snmpd, {"ups-a": self.simulator(LIFE, speed=10)})
            with self.busbard(config) as busbard:
                self.assert_told_something(busbard, receiver)
                snmpd.stop()
                self.alternate(busbard, config, 5)
                snmpd.start()
                self.assert_told(busbard, receiver)
                snmpd.kill()
                self.alternate(busbard, config, 5)
            with self.busbard(config) as busbard:  # snmpd is away all the time
                self.alternate(busbard, config, 5)
            with self.busbard(config) as busbard:
                self.alternate(busbard, config, 1)
                snmpd.start()
                told = self.assert_told(busbard, receiver)
                self.assert_cursor_moves_on(busbard)
            before = len(ours(receiver))
            with self.busbard(config) as busbard:
                self.alternate(busbard, config, 1)
                self.assert_told(busbard, receiver)
                again = [number(one) for one in ours(receiver)[before:] if number(one) <= told[-1][0]]
        self.assertEqual(again, [], "what was delivered stays so over a restart in peace")
        say(f"{len(told)} notifications over 2 restarts of snmpd and 3 of busbard: all came, first receipts in order")

    def test_another_spelling_of_the_same_master_is_no_other_master(self):
        with Snmptrapd() as receiver, Snmpd([receiver.sink()]) as snmpd:
            config = self.config(snmpd, {"ups-a": self.simulator()})
            for master in (snmpd.agentx, snmpd.agentx.replace("unix:", "unix://"), snmpd.agentx.removeprefix("unix:")):
                config["exporters"]["agentx"]["master"] = master
                with self.busbard(config) as busbard:
                    self.assertEqual(busbard.ctl("trap-test").returncode, 0)
                    self.assert_told(busbard, receiver)
        numbers = [number(one) for one in ours(receiver)]
        self.assertEqual(len(numbers), len(set(numbers)), "something was told again")

    def assert_told_something(self, busbard, receiver):
        receiver.wait(lambda: ours(receiver), what="anything")

    def assert_cursor_moves_on(self, busbard):
        def delivered():
            cursors = busbard.json("journal", "check")["cursors"]
            return [row for row in cursors if row["cursor"].startswith("agentx:") and row["backlog"] == 0]
        wait_for(delivered, what=lambda: f"an empty backlog in {busbard.json('journal', 'check')}")

    def test_a_device_that_was_removed_meanwhile_is_told_of_with_what_is_known(self):
        with Snmptrapd() as receiver, Snmpd([receiver.sink()]) as snmpd:
            config = self.config(snmpd, {"ups-a": self.simulator("at 1s mains off\n"), "ups-b": self.simulator()})
            snmpd.stop()
            with self.busbard(config) as busbard:
                self.wait_event(busbard, "alarm-raised", "on-battery")
                del config["devices"]["ups-a"]
                busbard.reload(config)
                snmpd.start()
                self.assert_told(busbard, receiver)
        notification, = receiver.of(ON_BATTERY)
        self.assertEqual([notification[name] for name, _ in LISTED[ON_BATTERY]], [0, 0, 0])
        self.assertEqual(notification[DEVICE], b"ups-a")

    def test_the_minutes_on_battery_are_told_and_none_of_them_waits_for_snmpd(self):
        """Two minutes and a half; the unit tests of repeat.c and notifier.c do it without waiting."""
        if not FULL:
            say("cut: 0 of 1 run of the minutes of upsTrapOnBattery in real time (BUSBAR_FULL=1 does it)")
            self.skipTest("takes four minutes")
        with Snmptrapd() as receiver, Snmpd([receiver.sink()]) as snmpd:
            config = self.config(snmpd, {"ups-a": self.simulator("at 1s mains off\nat 230s mains on\n", battery="1h"),
                                         "ups-b": self.simulator("at 1s mains off\n", battery="1h")})
            of = lambda device: [one for one in receiver.of(ON_BATTERY) if one[DEVICE] == device]
            with self.busbard(config) as busbard:
                receiver.wait(lambda: of(b"ups-a") and of(b"ups-b"), what="the first")
                began = time.monotonic()
                self.assertEqual(busbard.ctl("inhibit", "ups-b", "on-battery", "1h").returncode, 0)
                receiver.wait(lambda: len(of(b"ups-a")) == 2, 70, "the first repeat")
                self.assertAlmostEqual(time.monotonic() - began, 60, delta=3)
                snmpd.stop()
                time.sleep(max(0, began + 150 - time.monotonic()))  # the second repeat is due meanwhile
                snmpd.start()
                receiver.wait(lambda: len(of(b"ups-a")) == 3, 40, "the third minute")
                self.assertAlmostEqual(time.monotonic() - began, 180, delta=5)
                self.wait_event(busbard, "alarm-cleared", "on-battery", timeout=70)
                time.sleep(max(0, began + 245 - time.monotonic()))
                self.assertEqual(len(of(b"ups-a")), 3, "it is over")
                self.assertEqual(len(of(b"ups-b")), 1, "inhibited")
                self.assertEqual({number(one) for one in of(b"ups-a")}, {number(of(b"ups-a")[0])})
                seconds = [one[LISTED[ON_BATTERY][1][0]] for one in of(b"ups-a")]
                self.assertEqual(seconds, sorted(seconds))
                say(f"upsTrapOnBattery after 0, 1 and 3 minutes with {seconds} seconds on battery; "
                    "snmpd was away in the second")


if __name__ == "__main__":
    unittest.main()
