# SPDX-License-Identifier: Apache-2.0
"""Devices that we have no recording of: real recordings, changed in all the ways in which devices were seen to differ.

Rows are left out, counted from 0, spelled with or without one more .0, given other types, no value or absurd ones; the
agent may know little of SNMP. Another reading of the same objects (ups_mib_reading.py) says what is right. Whatever
was done to a recording, a value that busbar shows is right, and rows that were left alone still come out.

The seed is fixed, so that a failure comes again; BUSBAR_SEED chooses another one.
"""
import decimal
import os
import random
import re
import unittest

from snmp_agent import (COUNTER, GAUGE, GETBULK, GETNEXT, INTEGER, NO_SUCH_INSTANCE, NULL, OBJECT, STRING, TICKS, Agent,
                        from_records, name_bytes, number, oid)
from snmpsim import records
from support import PATIENCE, SOURCE, Busbard, cut, say, shared, wait_for
from ups_mib_reading import (ADDRESS, ALARM_DESCRIPTION, COUNTER64, MANUFACTURER, MODEL, OPAQUE, SYS_OBJECT_ID, UPS_MIB,
                             Reading, Reference)

SEED = int(os.environ.get("BUSBAR_SEED", "1628"))
BATCH = 40
UPTIME = oid("1.3.6.1.2.1.1.3.0")
WHO = {SYS_OBJECT_ID, MANUFACTURER, MODEL}
LINE_TABLES = [oid(f"1.3.6.1.2.1.33.1.{part}.1") for part in ("3.3", "4.4", "5.3", "14.3")]
NUMBERS = [-2**62, -2**31, -9999, -274, -273, -2, -1, 0, 1, 2, 3, 4, 7, 44, 50, 66, 99, 100, 101, 110, 111, 150, 151,
           230, 255, 499, 500, 700, 1000, 1001, 2300, 5000, 6600, 7001, 32767, 32768, 65535, 65536, 2**31 - 1, 2**31,
           2**32 - 1, 2**32, 2**32 + 230, 2**40 + 50, 2**62, 2**63 - 1]
TEXTS = [b"", b" ", b"\0", b"42", b" 42", b"42 \0\0", b"-1", b"+7", b"007", b"230.5", b"230 V", b"0x10", b"1e3", b"n/a",
         b"NaN", b"4\x002", b"\xff\xfe", b"99999999999999999999999", "\u0664\u0662".encode(), b"1,000", b"--5", b"5\n"]


def value_of(base, tag=INTEGER):
    """@base as the content of a variable; an INTEGER may be longer than the MIB wants, the others cannot be below 0."""
    return number(base, tag) if tag == INTEGER else number(base % 2**(64 if tag == COUNTER64 else 32), tag)


class Mutation:
    """One changed copy of a recording: @objects, and the names that were left @alone."""

    def __init__(self, dice, objects, live=False):
        """@live: the device is in use, so its rows keep their names, and it stays who it is."""
        self.dice = dice
        self.kept = WHO if live else set()
        self.objects = dict(objects)
        self.version = dice.choice(("1", "2c", "2c", "2c"))
        self.touched = set()
        self.said = []
        self.is_readable = True
        for _ in range(dice.choice((1, 2, 4, 8, 20))):
            changes = ([self.leave_out_row] + [self.other_number] * 3 + [self.other_type] * 3 + [self.text] * 2 +
                       [self.nothing, self.alarm, self.uptime])
            if not live:
                changes += [self.leave_out, self.count_from_zero, self.extra_zero, self.no_instance, self.twice,
                            self.strange_rows, self.anonymous, self.unreadable]
            dice.choice(changes)()

    def pick(self):
        names = [name for name in self.objects if name[:len(UPS_MIB)] == UPS_MIB and name not in self.kept]
        return self.dice.choice(names) if names else None

    def put(self, name, value):
        self.touched.add(name)
        self.objects[name] = value

    def change(self, make):
        name = self.pick()
        if name:
            self.put(name, make(*self.objects[name]))
            self.said.append(f"{make.__name__} {name}")

    def leave_out_row(self):
        name = self.pick()
        if name:
            self.touched.add(name)
            del self.objects[name]
            self.said.append(f"left out {name}")

    def leave_out(self):
        name = self.pick()
        if name:
            depth = self.dice.choice((len(name), len(name), len(name) - 1, 9))
            for other in [other for other in self.objects if other[:depth] == name[:depth]]:
                self.touched.add(other)
                del self.objects[other]
            self.said.append(f"left out {name[:depth]}")

    def other_number(self):
        def put(_tag, _body):
            base = self.dice.choice(NUMBERS) if self.dice.random() < 0.8 else self.dice.randrange(-10**6, 10**6)
            return value_of(base, self.dice.choice((INTEGER, INTEGER, GAUGE, COUNTER, TICKS, COUNTER64)))
        self.change(put)

    def other_type(self):
        def retype(tag, body):
            if tag in (STRING, NULL, OBJECT):
                return (self.dice.choice((STRING, ADDRESS, OPAQUE)), body)
            value = int.from_bytes(body, "big", signed=tag == INTEGER)
            if self.dice.random() < 0.3:
                return (STRING, str(value).encode() + self.dice.choice((b"", b"\0", b" ", b"\0\0")))
            return value_of(value, self.dice.choice((GAUGE, COUNTER, TICKS, COUNTER64, INTEGER)))
        self.change(retype)

    def text(self):
        def write(_tag, _body):
            return (STRING, self.dice.choice(TEXTS))
        self.change(write)

    def nothing(self):
        def clear(_tag, _body):
            nothing = [(NULL, b""), (OBJECT, name_bytes((0, 0))), (STRING, b"")]
            if self.version != "1":  # where it would be the end of all there is
                nothing.append((NO_SUCH_INSTANCE, b""))
            return self.dice.choice(nothing)
        self.change(clear)

    def unreadable(self):
        """What a decoder refuses, together with the whole answer that it stands in."""
        if self.dice.random() < 0.3:
            self.is_readable = False

            def spoil(_tag, _body):
                return self.dice.choice(((INTEGER, b"\x7f" * 9), (GAUGE, b""), (OBJECT, b"\x2b\x86"), (0x1F, b"?")))
            self.change(spoil)

    def rename(self, chosen, new_name):
        """Give the rows in @chosen other names, all at once."""
        moved = {name: self.objects.pop(name) for name in chosen}
        self.touched.update(moved)
        for name, value in moved.items():
            self.put(new_name(name), value)
        if moved:
            self.said.append(f"renamed {len(moved)} such as {next(iter(moved))}")

    def rows_of(self, table):
        return [name for name in self.objects if name[:len(table)] == table and len(name) > len(table) + 1]

    def count_from_zero(self):
        table = self.dice.choice(LINE_TABLES)
        place = len(table) + 1
        rows = self.rows_of(table)
        if rows and all(name[place] >= 1 for name in rows):
            self.rename(rows, lambda name: (*name[:place], name[place] - 1, *name[place + 1:]))

    def extra_zero(self):
        self.rename(self.rows_of(self.dice.choice(LINE_TABLES)), lambda name: (*name, 0))

    def no_instance(self):
        name = self.pick()
        if name and name[-1] == 0:
            self.rename([name], lambda name: name[:-1])

    def twice(self):
        """The same row under two spellings, with other values."""
        name = self.pick()
        if name:
            other = name[:-1] if name[-1] == 0 else (*name, 0)
            self.touched.update((name, other))
            self.objects[other] = value_of(self.dice.choice(NUMBERS))
            self.said.append(f"also {other}")

    def strange_rows(self):
        name = self.pick()
        if name:
            for arc in self.dice.sample((1, 2, 3, 4, 5, 99, 2**31, 2**32 - 1), 3):
                for strange in ((*name, arc), (*name[:-1], arc)):
                    if strange not in self.objects:
                        self.put(strange, self.objects[name])
            self.said.append(f"more rows beside {name}")

    def alarm(self):
        row = self.dice.choice((0, 1, 2, 7, 2**32 - 1))
        identity = self.dice.choice(((1, 3, 6, 1, 2, 1, 33, 1, 6, 3, self.dice.randrange(1, 60)), (0, 0), (1, 3),
                                     (*ALARM_DESCRIPTION, 1), (1, 3, 6, 1, 2, 1, 33, 1, 6, 3, 2, 0)))
        text = ".".join(map(str, identity)).encode()
        self.put((*ALARM_DESCRIPTION, row),
                 self.dice.choice(((OBJECT, name_bytes(identity)), (OBJECT, name_bytes(identity)), (STRING, text),
                                   (STRING, b"." + text), (NULL, b""), number(3))))
        self.said.append(f"alarm {row}")

    def uptime(self):
        self.objects[UPTIME] = self.dice.choice(
            ((NULL, b""), number(5), (TICKS, b"\xff\xff\xff\xff"), (STRING, b"1 day")))
        self.said.append("sysUpTime")

    def anonymous(self):
        name = self.dice.choice(sorted(WHO))
        self.objects.pop(name, None)
        self.touched.add(name)
        self.said.append("anonymous")


def limit(dice, agent):
    """Take something away from what the agent knows of SNMP."""
    kind = dice.choice(("all", "all", "all", "small", "no GETBULK", "GET only"))
    if kind == "small":
        agent.biggest = dice.choice((1, 3, 10, 24, 30))
    elif kind == "no GETBULK":
        agent.silent = {GETBULK}
    elif kind == "GET only":
        agent.silent = {GETBULK, GETNEXT}
    return kind


def printable(text):
    """What of a text every screen shows alike, for comparing: the rest is replaced or cut."""
    return re.sub(r"[^ -~]+", "?", text.rstrip("\0 \t\r\n"))[:200].rstrip("? ")


class Mutations(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.reference = Reference(shared() / "reference", SOURCE / "plugins/ups-snmp/quirks.csv")
        folders = (shared() / "recordings/snmprec", SOURCE / "tests/integration/data")
        recordings = {path.stem: from_records(row for row in records(path) if row[1] not in ("64", "64x", "70"))
                      for folder in folders for path in sorted(folder.glob("*.snmprec"))}
        cls.recordings = {name: objects for name, objects in recordings.items()
                          if sum(row[:len(UPS_MIB)] == UPS_MIB for row in objects) > 10}

    def is_right(self, reading, point, row):
        value = row["value"]
        if point.startswith("alarm.") and isinstance(value, bool):
            return reading.alarm_is_right(point, value)
        right = reading.values.get(point, set())
        if isinstance(value, str) and row.get("raw") is None:
            return printable(value) in {printable(text) for text in right}
        if isinstance(value, (bool, str)):
            return value in right
        return decimal.Decimal(str(value)) in right

    def check(self, device, rows, later=None):
        """([what is wrong], how many values there are); @later: what has become of the device's objects meanwhile."""
        name, mutation, _, kind, label = device
        sees_all = kind != "GET only" and mutation.is_readable
        reading = Reading(self.reference, mutation.objects)
        if later:
            reading = Reading(self.reference, later.objects, reading)
        wrong, values = [], 0
        for point, row in rows.items():
            if row["value"] is None or row.get("derived") or point in ("ups.test.start", "alarm.communications-lost"):
                continue
            if not sees_all and self.is_out_of_sight(reading, point):
                continue
            values += 1
            if not self.is_right(reading, point, row):
                sources = {source: reading.objects[source] for source in reading.sources.get(point, [])}
                wrong.append(f"{point} is {row['value']!r}, right is {reading.values.get(point)} of {sources}")
        for point in self.left_alone(reading, self.plain(name), mutation, sees_all) if not later else ():
            if rows.get(point, {}).get("value") is None:
                wrong.append(f"{point} was left alone and is {rows.get(point)}")
        if wrong:
            wrong = [f"{wrong[0]} (and {len(wrong) - 1} more): {label}{f'; later: {later.said}' if later else ''}"]
        return wrong, values

    @staticmethod
    def is_out_of_sight(reading, point):
        """Who can only GET sees neither how a table is spelled and counted nor all rows of the alarm table."""
        return point.startswith("alarm.") or (".L" in point and point not in reading.sources) or any(
            len(name) > 13 for source in reading.sources.get(point, []) for name in reading.objects
            if name[:11] == source[:11])

    def left_alone(self, reading, before, mutation, sees_all):
        """Points that had a value in the unchanged recording and whose row was not touched, nor any beside it."""
        if mutation.touched & WHO:
            return []
        touched = {name[:10] for name in mutation.touched}
        points = [point for point, names in reading.sources.items()
                  if len(reading.values[point]) == 1 and point in before
                  and not {name[:10] for name in names} & touched]
        if not sees_all:  # nothing leads to names that are spelled in another way than the MIB's, nor to modules
            points = [point for point in points if "module" not in point and reading.is_plainly_spelled(point)]
        return points

    def plain(self, name):
        """Points of an unchanged recording that have exactly one right value."""
        reading = Reading(self.reference, self.recordings[name])
        return {point for point, right in reading.values.items() if len(right) == 1}

    def wait_polls(self, daemon, count):
        """Wait until all devices had @count more good polls than they have now."""
        def polls():
            return {row["device"]: row["polls"] - row["errors"] for row in daemon.json("status")["devices"]}
        before = polls()
        wait_for(lambda: all(number >= before[name] + count for name, number in polls().items()), 30,
                 lambda: f"polls of all; busbard said:\n{daemon.log()}\n{daemon.ctl('status').stdout}")

    def run_batch(self, devices, dice):
        """@devices: [(recording, mutation, agent, what the agent knows, label)]"""
        config = {f"d{place}": {"plugin": "ups-snmp", "address": f"snmp://127.0.0.1:{agent.port}", "interval": "200ms",
                                "watch": "0s", "stale-after": "100s", "timeout": f"{400 * PATIENCE}ms", "retries": 0,
                                "version": mutation.version}
                  for place, (_, mutation, agent, _, _) in enumerate(devices)}
        wrong, values = [], 0
        with Busbard({"devices": config}) as daemon:
            self.wait_polls(daemon, 2)
            for place, device in enumerate(devices):
                more, count = self.check(device, daemon.points(f"d{place}"))
                wrong += more
                values += count
            changed = [Mutation(dice, mutation.objects, live=True) for _, mutation, _, _, _ in devices]
            for later, (_, mutation, agent, _, _) in zip(changed, devices):
                later.version = mutation.version
                agent.objects = later.objects
            self.wait_polls(daemon, 2)
            for place, (device, later) in enumerate(zip(devices, changed)):
                more, count = self.check(device, daemon.points(f"d{place}"), later)
                wrong += more
                values += count
        return wrong, values

    def test_a_value_is_right_or_absent(self):
        dice = random.Random(SEED)
        count = cut(1200, 120, "mutations of recordings")
        names = sorted(self.recordings)
        wrong, values = [], 0
        for start in range(0, count, BATCH):
            devices = []
            for place in range(start, min(start + BATCH, count)):
                name = names[place % len(names)]
                mutation = Mutation(dice, self.recordings[name])
                agent = Agent(mutation.objects)
                self.addCleanup(agent.stop)
                kind = limit(dice, agent)
                devices.append((name, mutation, agent, kind, f"{place} ({name}, {kind}, version {mutation.version}: "
                                                             f"{'; '.join(mutation.said)})"))
            more, number_of_values = self.run_batch(devices, dice)
            wrong += more
            values += number_of_values
        self.assertEqual(wrong, [], f"seed {SEED}:\n" + "\n".join(wrong))
        say(f"mutations: {count} changed recordings (seed {SEED}), {values} values, all of them right")


if __name__ == "__main__":
    unittest.main()
