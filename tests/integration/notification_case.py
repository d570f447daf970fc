# SPDX-License-Identifier: Apache-2.0
"""What the tests of SNMP notifications share: a busbard behind snmpd, what each event should become, and what came."""
import csv
import os
import pathlib
import shutil
import tempfile
import unittest

from support import BUILD, SOURCE, Busbard, wait_for

BASE = "1.3.6.1.4.1.8072.9999.9999.1628"
UPS = "1.3.6.1.2.1.33"
UPS_ALARM_ID, UPS_ALARM_DESCR = f"{UPS}.1.6.2.1.1", f"{UPS}.1.6.2.1.2"
BACS_ALARM_ID, BACS_ALARM_DESCR = f"{UPS}.5.3.2.1.1", f"{UPS}.5.3.2.1.2"

ON_BATTERY, TEST_COMPLETED = f"{UPS}.2.1", f"{UPS}.2.2"
ADDED, REMOVED = f"{UPS}.2.3", f"{UPS}.2.4"
BACS_ADDED, BACS_REMOVED = f"{UPS}.5.4.1", f"{UPS}.5.4.2"
RAISED, CLEARED, EVENTS_LOST = f"{BASE}.0.1", f"{BASE}.0.2", f"{BASE}.0.3"

NAMES = {
    "upsTrapOnBattery": ON_BATTERY, "upsTrapTestCompleted": TEST_COMPLETED, "upsTrapAlarmEntryAdded": ADDED,
    "upsTrapAlarmEntryRemoved": REMOVED, "bacsTrapAlarmEntryAdded": BACS_ADDED,
    "bacsTrapAlarmEntryRemoved": BACS_REMOVED, "busbarAlarmRaised": RAISED, "busbarAlarmCleared": CLEARED,
    "busbarEventsLost": EVENTS_LOST,
}

# Scalars that a MIB lists for a notification, with the types they have there.
LISTED = {
    ON_BATTERY: [(f"{UPS}.1.2.3.0", "INTEGER"), (f"{UPS}.1.2.2.0", "INTEGER"), (f"{UPS}.1.9.7.0", "INTEGER")],
    TEST_COMPLETED: [(f"{UPS}.1.7.1.0", "OID"), (f"{UPS}.1.7.2.0", "INTEGER"), (f"{UPS}.1.7.3.0", "INTEGER"),
                     (f"{UPS}.1.7.4.0", "STRING"), (f"{UPS}.1.7.5.0", "Timeticks"), (f"{UPS}.1.7.6.0", "INTEGER")],
}

DEVICE, NUMBER, TIME, TEST, TEXT, ALARM, SEVERITY = (f"{BASE}.1.5.{arc}.0" for arc in range(1, 8))
TAIL = [(DEVICE, "STRING"), (NUMBER, "Gauge32"), (TIME, "STRING"), (TEXT, "STRING"), (ALARM, "STRING"),
        (SEVERITY, "INTEGER")]

with open(SOURCE / "config" / "alarms.csv", newline="", encoding="utf-8") as _file:
    IDENTITIES = {row["name"]: row["oid"] for row in csv.DictReader(_file)}


def identity(event):
    """The identity of the alarm of an event of `busbarctl events --json`, "" for none."""
    rule = "threshold-alarm" if event["severity"] == "alarm" else "threshold-warning"
    return IDENTITIES.get(event["subject"], IDENTITIES[rule])


def expected(event):
    """The snmpTrapOID that an event of `busbarctl events --json` must become, None for none."""
    if event["event"] == "test":
        return NAMES.get(event["subject"] or "upsTrapAlarmEntryAdded")
    if event["event"] == "journal-gap":
        return EVENTS_LOST
    if event["event"] not in ("alarm-raised", "alarm-cleared"):
        return None
    raised = event["event"] == "alarm-raised"
    if not event["device"] or not identity(event):
        return RAISED if raised else CLEARED
    if event["subject"] == "test-in-progress":
        return None if raised else TEST_COMPLETED
    if event["subject"] == "on-battery" and raised:
        return ON_BATTERY
    if identity(event).startswith(f"{UPS}.5.3.3."):
        return BACS_ADDED if raised else BACS_REMOVED
    return ADDED if raised else REMOVED


def number(notification):
    return notification[NUMBER]


def ours(receiver):
    """What came from busbard, in order of arrival; snmpd has a few of its own."""
    return [notification for notification in receiver.received() if NUMBER in notification]


def first_receipts(receiver):
    """[(event number, snmpTrapOID)] in order, without what came again."""
    seen = {}
    for notification in ours(receiver):
        seen.setdefault(number(notification), notification.oid)
    return list(seen.items())


def dropped(receiver):
    """Datagrams that the kernel threw away because the receiver was too slow for its socket's buffer."""
    with open("/proc/net/udp", encoding="ascii") as table:
        return sum(int(row.split()[-1]) for row in table.readlines()[1:]
                   if int(row.split()[1].split(":")[1], 16) == receiver.port)


class AlarmDevice:
    """A device whose alarms are active when a test says so (alarm_device.c); @section is its configuration."""

    def __init__(self, folder, alarms, interval="50ms"):
        handle, name = tempfile.mkstemp(prefix="active-", dir=folder)
        os.close(handle)
        self.path = pathlib.Path(name)
        self.section = {"plugin": "alarm-device", "alarms": list(alarms), "file": name, "interval": interval,
                        "watch": "0s"}

    def set(self, *active):
        """These are active from now on, and no others."""
        new = self.path.with_suffix(".new")
        new.write_text("".join(f"{alarm}\n" for alarm in active))
        new.rename(self.path)


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        plugins = tempfile.TemporaryDirectory(prefix="busbar-plugins-")
        cls.addClassCleanup(plugins.cleanup)
        cls.plugins = plugins.name
        for path in (BUILD / "lib/busbar/plugins/simulator.so", BUILD / "lib/busbar/plugins/agentx.so",
                     BUILD / "tests/alarm_device.so"):
            copy = pathlib.Path(cls.plugins, path.name)
            shutil.copy(path, copy)
            copy.chmod(0o644)  # busbard refuses plugins that others could have written

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="busbar-notify-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "state").mkdir()

    def config(self, snmpd, devices, **more):
        """@more: options of the exporter, with _ for -."""
        options = {name.replace("_", "-"): value for name, value in more.items()}
        return {"state-dir": str(self.folder / "state"), "devices": devices,
                "exporters": {"agentx": {"master": snmpd.agentx, "retry": "200ms", **options}}}

    def busbard(self, config):
        return Busbard(config, plugin_dir=self.plugins)

    def simulator(self, scenario="", **options):
        """A device that a scenario happens to."""
        path = self.folder / f"scenario-{len(list(self.folder.iterdir()))}"
        path.write_text(scenario)
        return {"plugin": "simulator", "interval": "200ms", "watch": "0s", "scenario": str(path), **options}

    @staticmethod
    def expected_of(busbard):
        """[(event number, snmpTrapOID)] that all events so far must have become."""
        found = [(event["number"], expected(event)) for event in busbard.json("events")]
        return [pair for pair in found if pair[1]]

    def assert_told(self, busbard, receiver, timeout=20):
        """What has happened until now has come: all of it, for the first time in order."""
        wanted = self.expected_of(busbard)
        wait_for(lambda: not self.missing(wanted, receiver), timeout,
                 lambda: f"{self.missing(wanted, receiver)} of {len(wanted)} notifications; the kernel dropped "
                         f"{dropped(receiver)}")
        got = [pair for pair in first_receipts(receiver) if pair[0] <= wanted[-1][0]]
        self.assertEqual(got, wanted)
        return wanted

    @staticmethod
    def missing(wanted, receiver):
        got = set(first_receipts(receiver))
        return [pair for pair in wanted if pair not in got]

    @staticmethod
    def wait_registered(busbard):
        busbard.wait_log(r"subtrees? served")

    @staticmethod
    def wait_event(busbard, kind, subject, count=1, timeout=20):
        """The first events of that kind and subject, @count at least."""
        def look():
            found = [event for event in busbard.json("events")
                     if event["event"] == kind and event["subject"] == subject]
            return found if len(found) >= count else None
        return wait_for(look, timeout, f"{count} {kind} of {subject}")
