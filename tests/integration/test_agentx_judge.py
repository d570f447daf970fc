#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""busbard and a subagent of net-snmp's own library behind one snmpd, in contexts of their own and with the same
objects: a manager must see no difference in what GET, GETNEXT and GETBULK answer, in exceptions and in order.

The library's helpers for scalars and tables decide what the judge (agentx_judge.c) says. What there is to serve it
learns from a walk of busbard, whose values other tests check; what objects exist from config/objects.csv.
"""
import csv
import random
import re
import socket
import subprocess
import unittest

import snmp_agent
from snmp_agent import END, GET, GETBULK, GETNEXT, NO_SUCH_INSTANCE, NO_SUCH_OBJECT, encode, name_bytes, number, oid
from snmpd import Snmpd
from support import BUILD, PATIENCE, SOURCE, Busbard, cut, say, wait_for

UPS_MIB = oid("1.3.6.1.2.1.33")
COUNTER64 = 0x46
LETTERS = {snmp_agent.INTEGER: "i", snmp_agent.GAUGE: "u", snmp_agent.COUNTER: "c", COUNTER64: "C",
           snmp_agent.TICKS: "t", snmp_agent.STRING: "s", snmp_agent.OBJECT: "o"}
EXCEPTIONS = {NO_SUCH_OBJECT: "noSuchObject", NO_SUCH_INSTANCE: "noSuchInstance", END: "endOfMibView"}


class Manager:
    """Asks in one context (a community) and hands back answers as they were sent."""

    def __init__(self, port, community):
        self.community = community.encode()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", port))
        self.socket.settimeout(10 * PATIENCE)
        self.request = 0

    def ask(self, operation, names, first=0, second=0):
        """(error status, error index, [(name, tag, bytes)]); @first and @second: of a GETBULK."""
        self.request += 1
        varbinds = b"".join(encode(0x30, encode(6, name_bytes(name)) + encode(5, b"")) for name in names)
        pdu = b"".join(encode(*number(value)) for value in (self.request, first, second)) + encode(0x30, varbinds)
        self.socket.send(encode(0x30, encode(*number(1)) + encode(4, self.community) + encode(operation, pdu)))
        message = snmp_agent.parse(snmp_agent.parse(self.socket.recv(65536))[0][1])
        (_, request), (_, status), (_, index), (_, varbinds) = snmp_agent.parse(message[2][1])
        if int.from_bytes(request, "big") != self.request:
            raise AssertionError("an answer to another question")
        found = []
        for _, varbind in snmp_agent.parse(varbinds):
            (_, name), (tag, value) = snmp_agent.parse(varbind)
            found.append((snmp_agent.parse_name(name), tag, value))
        return int.from_bytes(status, "big"), int.from_bytes(index, "big"), found

    def walk(self, name):
        found = []
        while True:
            _, _, [(name, tag, value)] = self.ask(GETNEXT, [name])
            if tag == END:
                return found
            if found and name <= found[-1][0]:
                raise AssertionError(f"{name} comes after {found[-1][0]}")
            found.append((name, tag, value))

    def close(self):
        self.socket.close()


def expand(text):
    """The names a row stands for: 1.12.{1..8}.2, 1.10.3.{1..4/3} (every third)."""
    parts = re.split(r"\{(\d+)\.\.(\d+)(?:/(\d+))?\}", text)
    if len(parts) == 1:
        return [text]
    first, last, step = int(parts[1]), int(parts[2]), int(parts[3] or 1)
    return [f"{parts[0]}{value}{rest}" for value in range(first, last + 1, step)
            for rest in expand("".join(parts[4:]))]


def objects():
    """What config/objects.csv knows: a set of scalars, and {entry of a table: set of columns}."""
    scalars, tables = set(), {}
    with open(SOURCE / "config" / "objects.csv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["serve"] == "no":
                continue
            for text in expand(row["oid"]):
                name = UPS_MIB + oid(text)
                if "*" in row["point"] or row["serve"] in ("row", "number", "identity", "since"):
                    tables.setdefault(name[:-1], set()).add(name[-1])
                else:
                    scalars.add(name)
    return scalars, tables


def dotted(name):
    return ".".join(map(str, name))


def typed(tag, value):
    """A value as agentx_judge reads it."""
    if tag == snmp_agent.STRING:
        text = value.hex() or "-"
    elif tag == snmp_agent.OBJECT:
        text = dotted(snmp_agent.parse_name(value))
    else:
        text = str(int.from_bytes(value, "big", signed=tag == snmp_agent.INTEGER))
    return f"{LETTERS[tag]} {text}"


def script(walk, scalars, tables):
    """What agentx_judge is to serve."""
    there = {name: typed(tag, value) for name, tag, value in walk}
    lines = [f"scalar {dotted(name)} {there.pop(name + (0,), '-')}" for name in scalars]
    for entry, columns in tables.items():
        cells = [name for name in there if name[:len(entry)] == entry]
        indexes = {len(name) - len(entry) - 1 for name in cells} or {1}
        if len(indexes) > 1:
            raise AssertionError(f"rows of {dotted(entry)} have {indexes} numbers in their index")
        lines.append(f"table {dotted(entry)} {min(columns)} {max(columns)} {indexes.pop()}")
        lines += [f"cell {dotted(entry)} {name[len(entry)]} {dotted(name[len(entry) + 1:])} {there.pop(name)}"
                  for name in cells]
    if there:
        raise AssertionError(f"served, but not in config/objects.csv: {sorted(map(dotted, there))}")
    return "\n".join(lines) + "\n"


class Judge:
    def __init__(self, snmpd, context, lines):
        self._child = subprocess.Popen([BUILD / "tests" / "agentx_judge", snmpd.agentx, context], text=True,
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self._child.stdin.write(lines)
        self._child.stdin.close()
        if self._child.stdout.readline() != "ready\n":
            raise AssertionError(f"the judge ended with {self._child.wait()}")

    def stop(self):
        self._child.kill()
        self._child.wait()
        self._child.stdout.close()


@unittest.skipUnless((BUILD / "tests" / "agentx_judge").exists(), "net-snmp's agent library is not installed")
class SameAsTheLibrary(unittest.TestCase):
    # Polled once, so that what the judge was told stays what busbard says.
    DEVICES = {"everything": {"plugin": "simulator", "profile": "everything", "interval": "24h", "watch": "0s"},
               "one-phase": {"plugin": "simulator", "interval": "24h", "watch": "0s"},
               "modules": {"plugin": "simulator", "profile": "three-phase", "modules": 20, "interval": "24h",
                           "watch": "0s"}}

    @classmethod
    def setUpClass(cls):
        judged = [f"judge-{name}" for name in cls.DEVICES]
        snmpd = Snmpd(contexts=[*cls.DEVICES, *judged])
        cls.addClassCleanup(snmpd.__exit__)
        busbard = Busbard({"devices": cls.DEVICES, "exporters": {"agentx": {"master": snmpd.agentx}}})
        cls.addClassCleanup(busbard.__exit__, None)
        cls.scalars, cls.tables = objects()
        cls.pairs, cls.walks = {}, {}
        for name in cls.DEVICES:
            ours, judge = (Manager(snmpd.port, context) for context in (name, f"judge-{name}"))
            cls.addClassCleanup(ours.close)
            cls.addClassCleanup(judge.close)
            wait_for(lambda: snmpd.serves(dotted(UPS_MIB), name), 20, lambda: f"{name}; {busbard.log()}")
            cls.walks[name] = ours.walk(UPS_MIB)
            subagent = Judge(snmpd, f"judge-{name}", script(cls.walks[name], cls.scalars, cls.tables))
            cls.addClassCleanup(subagent.stop)
            last = dotted(cls.walks[name][-1][0])
            wait_for(lambda: snmpd.serves(last, f"judge-{name}"), 10, "the judge to be registered")
            cls.pairs[name] = ours, judge

    def assert_same(self, name, *question):
        ours, judge = self.pairs[name]
        said, expected = ours.ask(*question), judge.ask(*question)
        if said == expected:
            return expected
        lines = [f"{name}: operation {question[0]:#x}, {question[2:]}: we said {said[:2]}, the judge {expected[:2]}"]
        for i in range(max(len(said[2]), len(expected[2]))):
            a, b = (answer[2][i] if i < len(answer[2]) else None for answer in (said, expected))
            if a != b:
                asked = dotted(question[1][i]) if question[0] != GETBULK else question[1]
                lines.append(f"  {asked}: " + " but ".join(
                    "nothing" if varbind is None else
                    f"{dotted(varbind[0])} = {EXCEPTIONS.get(varbind[1]) or varbind[1:]}" for varbind in (a, b)))
        self.fail("\n".join(lines[:12]))

    def names(self, device):
        """Instances, what they are part of, and what is next to them; objects, there or not; nothing at all."""
        found = set()
        for name, _, _ in self.walks[device]:
            found |= {name[:length] for length in range(len(UPS_MIB), len(name) + 1)}
            found |= {name + (0,), name + (4294967295, 1), name[:-1] + (name[-1] + 1,), name[:-1] + (4294967295,),
                      name[:-2] + (name[-2] + 1, name[-1]), name[:-2] + (0, name[-1])}
        for name in self.scalars:
            found |= {name, name + (0,), name + (1,), name + (0, 0)}
        for entry, columns in self.tables.items():
            found |= {entry, entry[:-1], entry[:-1] + (2,), entry + (0, 1), entry + (max(columns) + 1, 1)}
            for column in columns:
                found |= {entry + (column,), entry + (column, 0), entry + (column, 1, 1), entry + (column, 99999)}
        return sorted(found)

    def test_a_walk_is_the_same_from_beginning_to_end(self):
        for device, (ours, judge) in self.pairs.items():
            walk = ours.walk(UPS_MIB)
            self.assertEqual(walk, judge.walk(UPS_MIB), device)
            self.assertEqual(walk, self.walks[device], device)
        say("beside net-snmp's library: walks of " +
            ", ".join(f"{len(walk)} objects ({device})" for device, walk in self.walks.items()) + " the same")

    def test_get_and_getnext_of_what_is_there_and_what_is_not(self):
        random.seed(2741)
        questions = [(device, operation, [name]) for device in self.pairs for name in self.names_of(device)
                     for operation in (GET, GETNEXT)]
        count = cut(len(questions), 1000, "requests of one name")
        seen = {self.assert_same(*question)[2][0][1] for question in random.sample(questions, count)}
        self.assertLessEqual(set(EXCEPTIONS), seen)
        say(f"beside net-snmp's library: {count} requests of one name, every answer the same")

    def test_many_names_in_a_request(self):
        random.seed(1628)
        count = cut(3000, 150, "requests of many names")
        for _ in range(count):
            device = random.choice(list(self.pairs))
            names = random.choices(self.names_of(device), k=random.randint(1, 30))
            self.assert_same(device, random.choice((GET, GETNEXT)), names)
        say(f"beside net-snmp's library: {count} requests of up to 30 names the same")

    def test_getbulk_with_any_numbers(self):
        random.seed(3416)
        count = cut(3000, 150, "GETBULKs")
        for _ in range(count):
            device = random.choice(list(self.pairs))
            names = random.choices(self.names_of(device), k=random.randint(1, 6))
            self.assert_same(device, GETBULK, names, random.choice((0, 0, 1, 2, 9)), random.choice((0, 1, 2, 10, 60)))
        say(f"beside net-snmp's library: {count} GETBULKs the same")

    def names_of(self, device, known={}):
        """names(), made once."""
        if device not in known:
            known[device] = self.names(device)
        return known[device]

    def test_getbulk_over_the_end(self):
        for device in self.pairs:
            last = self.walks[device][-1][0]
            for names in ([last], [last, UPS_MIB], [UPS_MIB, last], [last, last]):
                self.assert_same(device, GETBULK, names, 0, 50)


if __name__ == "__main__":
    unittest.main()
