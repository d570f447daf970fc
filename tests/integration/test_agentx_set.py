# SPDX-License-Identifier: Apache-2.0
"""SETs through snmpd: what is checked before anything is written, what devices make of it, and who is told.

The devices are simulated UPSs on links of their own: one that works, one that takes two seconds and a half for each
write, one whose polls take two, one that refuses.
"""
import datetime
import threading
import time
import unittest

from mib_reference import NOT_SERVED, Reference
from snmpd import Snmpd, SnmpError
from support import Busbard, say, shared, wait_for

UPS = "1.3.6.1.2.1.33.1"
NAME, ATTACHED = f"{UPS}.1.5.0", f"{UPS}.1.6.0"
MANUFACTURER, CHARGE = f"{UPS}.1.1.0", f"{UPS}.2.4.0"
TEST_ID, SPIN_LOCK, TEST_RESULT = f"{UPS}.7.1.0", f"{UPS}.7.2.0", f"{UPS}.7.3.0"
SHUTDOWN_TYPE, SHUTDOWN, STARTUP, REBOOT, AUTO_RESTART = (f"{UPS}.8.{number}.0" for number in range(1, 6))
BACS = "1.3.6.1.2.1.33.5"
INPUT_VOLTAGE, BEEPER = f"{UPS}.9.1.0", f"{UPS}.9.8.0"
TESTS = f"{UPS}.7.7"
NO_TEST, ABORT, GENERAL_TEST, QUICK_TEST = (f"{TESTS}.{number}" for number in range(1, 5))
IN_PROGRESS, ABORTED = 5, 4

WRITE_DELAY = 2.5  # s, of the slow device
CONTEXTS = ["ups-a", "slow", "busy", "stubborn"]
CONFIG = """
devices:
  ups-a:    {{ plugin: simulator, interval: 200ms, watch: 0s }}
  slow:     {{ plugin: simulator, interval: 1s, watch: 0s, write-delay: {delay}s }}
  busy:     {{ plugin: simulator, interval: 100ms, watch: 0s, poll-delay: 2s, timeout: 10s, stale-after: 1m }}
  stubborn: {{ plugin: simulator, interval: 1s, watch: 0s, refuse-writes: true }}
exporters:
  agentx: {{ master: "{master}", default-device: ups-a, allow-write: {allowed} }}
"""


class Sets(unittest.TestCase):
    CONTEXTS, CONFIG, ALLOWED = CONTEXTS, CONFIG, "true"

    @classmethod
    def setUpClass(cls):
        cls.snmpd = Snmpd(contexts=cls.CONTEXTS)
        cls.addClassCleanup(cls.snmpd.__exit__)
        cls.daemon = Busbard(cls.CONFIG.format(master=cls.snmpd.agentx, allowed=cls.ALLOWED, delay=WRITE_DELAY))
        cls.addClassCleanup(cls.daemon.__exit__, None, None, None)
        for context in cls.CONTEXTS:
            wait_for(lambda context=context: cls.served(context), 20, f"snmpd to serve {context}")

    @classmethod
    def served(cls, context):
        try:
            return cls.snmpd.get(NAME, context=context, timeout=1).value is not None
        except SnmpError:
            return False

    def refused(self, reason, *values, **who):
        with self.assertRaises(SnmpError) as caught:
            self.snmpd.set(*values, **who)
        self.assertEqual(caught.exception.reason, reason, caught.exception)
        return caught.exception

    def becomes(self, name, value, **who):
        wait_for(lambda: self.snmpd.get(name, **who).value == value, 20,
                 lambda: f"{name} to be {value}; it is {self.snmpd.get(name, **who)}")

    def writes(self, device):
        """The events about writes to @device, in order."""
        return [event for event in self.daemon.json("events", "--device", device) if event["event"] == "write"]


class Allowed(Sets):
    def test_a_name_is_written_and_read_back(self):
        self.snmpd.set((NAME, "s", "rack 7"), context="ups-a")
        self.becomes(NAME, b"rack 7", context="ups-a")
        event = wait_for(lambda: next((event for event in self.writes("ups-a") if event["value"] == "rack 7"), None),
                         what="the event of the write")
        self.assertEqual(event["point"], "ups.id")
        self.assertEqual(event["source"], "snmp, context ups-a")
        self.assertEqual(event["text"], "written")

    def test_the_default_context_writes_to_the_default_device(self):
        self.snmpd.set((ATTACHED, "s", "two servers"))
        self.becomes(ATTACHED, b"two servers", context="ups-a")

    def test_version_3_writes_too(self):
        self.snmpd.set((BEEPER, "i", "1"), v3=True, context="ups-a")
        self.becomes(BEEPER, 1, context="ups-a")

    def test_what_cannot_be_written_is_said_before_anything_is_tried(self):
        before = len(self.writes("ups-a"))
        for reason, *value in (
                ("notWritable", MANUFACTURER, "s", "somebody else"),
                ("notWritable", CHARGE, "i", "50"),
                ("notWritable", INPUT_VOLTAGE, "i", "400"),      # the device has it and does not take values for it
                ("notWritable", f"{UPS}.2.8.0", "i", "0"),
                ("wrongType", NAME, "i", "7"),
                ("wrongType", SHUTDOWN, "s", "soon"),
                ("wrongType", SHUTDOWN, "u", "7"),
                ("wrongType", TEST_ID, "i", "4"),
                ("wrongLength", NAME, "s", "x" * 64),
                ("wrongValue", SHUTDOWN, "i", "-2"),
                ("wrongValue", REBOOT, "i", "301"),
                ("wrongValue", SHUTDOWN_TYPE, "i", "3"),
                ("wrongValue", AUTO_RESTART, "i", "0"),
        ):
            with self.subTest(reason=reason, value=value):
                error = self.refused(reason, tuple(value), context="ups-a")
                self.assertEqual(error.oid, value[0])
        for reason, name in (
                ("noCreation", f"{UPS}.12.1.2.0"),  # an object that can be written, of sensors that it does not have
                ("noCreation", f"{UPS}.1.5.1"),
                ("noCreation", f"{UPS}.1.5"),
                ("notWritable", f"{UPS}.1.99.0"),  # there is no such object
        ):
            with self.subTest(reason=reason, name=name):
                self.refused(reason, (name, "s", "x"), context="ups-a")
        self.assertEqual(len(self.writes("ups-a")), before, "nothing of this reached the device")

    def test_two_points_in_one_pdu_are_refused_and_neither_is_written(self):
        self.refused("resourceUnavailable", (ATTACHED, "s", "one"), (NAME, "s", "other"), context="ups-a")
        self.snmpd.set((BEEPER, "i", "3"), context="ups-a")  # writes keep their order, so they would come before
        self.becomes(BEEPER, 3, context="ups-a")
        self.assertLessEqual({"one", "other"} & {event["value"] for event in self.writes("ups-a")}, set())

    def test_a_device_that_refuses_is_commit_failed(self):
        self.refused("commitFailed", (NAME, "s", "mine"), context="stubborn")
        self.assertNotEqual(self.snmpd.get(NAME, context="stubborn").value, b"mine")
        event = wait_for(lambda: next(iter(self.writes("stubborn")), None), what="the event of the refused write")
        self.assertIn("not written", event["text"])

    def test_a_write_that_takes_too_long_is_answered_in_time_and_its_end_is_an_event(self):
        began = time.monotonic()
        self.refused("commitFailed", (NAME, "s", "late"), context="slow")
        took, answered = time.monotonic() - began, time.time()
        event = wait_for(lambda: next(iter(self.writes("slow")), None), what="the event of the late write")
        self.assertEqual((event["value"], event["text"]), ("late", "written"))
        ended = datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00")).timestamp()
        self.assertLess(answered, ended, "the answer did not wait for the device")
        self.becomes(NAME, b"late", context="slow")
        say(f"SET: a device that takes {WRITE_DELAY} s: the manager heard after {took * 1000:.0f} ms")

    def test_a_write_that_did_not_begin_in_time_never_does(self):
        for number in range(5):  # on a slow machine the SET may come only when the poll is nearly over
            value = f"never {number}"
            # A reading is as old as its poll's beginning, so it is 2 s old when the next poll begins.
            wait_for(lambda: 2.2 < self.row("busy")["age"] < 3, what="a poll of the busy device to have begun")
            try:
                self.snmpd.set((NAME, "s", value), context="busy")
            except SnmpError as error:
                self.assertEqual(error.reason, "commitFailed")
                break
        else:
            self.fail("no SET came during a poll")
        event = wait_for(lambda: next((event for event in self.writes("busy") if event["value"] == value), None),
                         what="the event of the withdrawn write")
        self.assertIn("withdrawn", event["text"])
        polled = self.row("busy")["polls"]
        wait_for(lambda: self.row("busy")["polls"] > polled + 1, what="two more polls of the busy device")
        self.assertNotEqual(self.snmpd.get(NAME, context="busy").text, value)
        self.assertEqual([event["value"] for event in self.writes("busy")].count(value), 1)

    def row(self, device):
        return next(row for row in self.daemon.json("status")["devices"] if row["device"] == device)

    def test_other_managers_are_answered_after_a_slow_set(self):
        waited, faults = [], []
        done = threading.Event()

        def ask():
            while not done.is_set() and not faults:
                began = time.monotonic()
                try:
                    self.snmpd.get(CHARGE, context="ups-a")
                except SnmpError as error:
                    faults.append(error)
                waited.append(time.monotonic() - began)

        other = threading.Thread(target=ask)
        other.start()
        try:
            self.refused("commitFailed", (ATTACHED, "s", "late"), context="slow")
        finally:
            done.set()
            other.join()
        self.assertEqual(faults, [])
        self.assertLess(max(waited), WRITE_DELAY, "nobody waits until the device has finished")
        say(f"SET: another manager waited {max(waited) * 1000:.0f} ms at most meanwhile")


class Tests(Sets):
    """upsTest, as RFC 1628 describes it."""

    def lock(self):
        return self.snmpd.get(SPIN_LOCK, context="ups-a").value

    def start(self, test, lock=None):
        self.snmpd.set((SPIN_LOCK, "i", self.lock() if lock is None else lock), (TEST_ID, "o", test), context="ups-a")

    def test_1_no_test_without_the_lock(self):
        self.refused("inconsistentValue", (TEST_ID, "o", QUICK_TEST), context="ups-a")

    def test_2_a_test_runs_its_lock_goes_on_and_no_other_starts_beside_it(self):
        lock = self.lock()
        self.start(QUICK_TEST, lock)
        self.assertEqual(self.lock(), (lock + 1) % 2**31)
        self.becomes(TEST_RESULT, IN_PROGRESS, context="ups-a")
        self.assertEqual(self.snmpd.get(TEST_ID, context="ups-a").value, QUICK_TEST)
        with self.assertRaises(SnmpError) as caught:
            self.start(GENERAL_TEST)
        self.assertIn(caught.exception.reason, ("inconsistentValue", "commitFailed"))
        self.start(ABORT)
        self.becomes(TEST_RESULT, ABORTED, context="ups-a")
        self.assertEqual(self.snmpd.get(TEST_ID, context="ups-a").value, QUICK_TEST, "still the last test")

    def test_3_an_old_lock_value_is_refused(self):
        lock = self.lock()
        with self.assertRaises(SnmpError) as caught:
            self.start(QUICK_TEST, (lock - 1) % 2**31)
        self.assertEqual(caught.exception.reason, "inconsistentValue")
        self.assertEqual(self.lock(), lock)

    def test_4_what_is_no_test_is_refused(self):
        for test in (NO_TEST, f"{TESTS}.6", "1.3.6.1.4.1.1", f"{TESTS}.4.0"):
            with self.subTest(test=test), self.assertRaises(SnmpError) as caught:
                self.start(test)
            self.assertEqual(caught.exception.reason, "wrongValue")

    def test_5_of_two_managers_who_fight_for_the_lock_each_value_goes_to_one(self):
        won, lost = [], []

        def fight():
            for _ in range(10):
                lock = self.lock()
                try:
                    self.snmpd.set((SPIN_LOCK, "i", lock), context="ups-a")
                    won.append(lock)
                except SnmpError as error:
                    lost.append(error.reason)

        managers = [threading.Thread(target=fight) for _ in range(2)]
        first = self.lock()
        for manager in managers:
            manager.start()
        for manager in managers:
            manager.join()
        self.assertEqual(len(won) + len(lost), 20)
        self.assertEqual(len(won), len(set(won)), "no value was taken twice")
        self.assertEqual((self.lock() - first) % 2**31, len(won))
        self.assertLessEqual(set(lost), {"inconsistentValue", "commitFailed"})
        say(f"SET: two managers, 20 tries at the spin lock: {len(won)} won, {len(lost)} lost")


class Everything(Sets):
    """A device that has, and takes, whatever can be written."""
    CONTEXTS = ["all"]
    CONFIG = """
devices:
  all: {{ plugin: simulator, profile: everything, interval: 200ms, watch: 0s }}
exporters:
  agentx: {{ master: "{master}", allow-write: {allowed} }}
"""

    @staticmethod
    def a_value(item):
        """(type for snmpset, text, what is read back): one that the object can have, and any point behind it."""
        if item.members:
            number = sorted(item.members)[-1]
            return "i", str(number), number
        if item.type == "STRING":
            return "s", f"mine {item.oid[-12:]}", f"mine {item.oid[-12:]}".encode()
        return "i", "100", 100  # also where it counts in hundredths of the point's unit

    def test_each_object_that_can_be_written_takes_a_value_and_shows_it(self):
        # Names, upsControl, upsConfig, AUX ports, relays, sensors …; upsTest is a matter of its own, see Tests.
        reference = Reference(shared() / "reference")
        expected, unwritable = {}, set()
        for item in reference.accessible:
            name = f"{item.oid}.0"
            if item.access != "read-write" or item.name in NOT_SERVED or name in (TEST_ID, SPIN_LOCK):
                continue
            kind, text, value = self.a_value(item)
            try:
                self.snmpd.set((name, kind, text), context="all")
                expected[name] = value
            except SnmpError as error:
                self.assertEqual(error.reason, "notWritable", f"{item.name}: {error}")
                unwritable.add(item.name)

        def differing():
            shown = {varbind.oid: varbind.value for varbind in self.snmpd.bulkwalk(UPS, 50, context="all")} | \
                {varbind.oid: varbind.value for varbind in self.snmpd.bulkwalk(BACS, 50, context="all")}
            return {name: (shown.get(name), value) for name, value in expected.items() if shown.get(name) != value}
        wait_for(lambda: not differing(), what=lambda: f"what was written; shown and written are {differing()}")
        # A switch over, which the simulator does not have, and an input that the manual calls writable by mistake.
        self.assertEqual({name for name in unwritable if not name.startswith("sts")}, {"input3Value"})
        say(f"SET: {len(expected)} objects of a device with everything were written and read back; {len(unwritable)} "
            "it does not take values for")


class NotAllowed(Sets):
    ALLOWED = "false"

    def test_nothing_is_written_unless_it_is_allowed(self):
        self.refused("notWritable", (NAME, "s", "mine"), context="ups-a")
        self.refused("notWritable", (SPIN_LOCK, "i", self.snmpd.get(SPIN_LOCK, context="ups-a").value),
                     context="ups-a")
        self.assertEqual(self.writes("ups-a"), [])


del Sets  # it has no tests of its own

if __name__ == "__main__":
    unittest.main()
