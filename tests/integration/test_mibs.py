#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The MIB files: smilint finds nothing in them, net-snmp reads them beside each other and beside UPS-MIB, and they say
what the reference table, config/objects.csv and config/alarms.csv say."""
import csv
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

import mib_modules
from mib_modules import MIBS
from support import SOURCE, program, say, shared

sys.path.insert(0, str(SOURCE / "config"))
import object_table  # noqa: E402  (config/object_table.py)

MODULES = ("BUSBAR-MIB", "BUSBAR-UPS-EXT-MIB")
UPS = "1.3.6.1.2.1.33"

# What smilint may say at level 4, and why. Nothing so far.
EXPLAINED = {}

# Type names that only UPS-MIB has, as this module has to say them.
SYNTAX = {"NonNegativeInteger": "Integer32 (0..2147483647)", "PositiveInteger": "Integer32 (1..2147483647)"}
# Where our syntax is not the table's: an INDEX may not be negative.
NARROWED = {"rauxIndex": "Integer32 (0..2147483647)"}


def setUpModule():
    global base
    base = mib_modules.fetch()
    unittest.addModuleCleanup(shutil.rmtree, base)
    (base / "smirc").write_text(f"path {base}\n")
    (base / "tools" / "cert_indexes").mkdir(parents=True)


def translate(modules, *words, folders=()):
    """What snmptranslate says, with @modules loaded; a complaint about a module fails the test."""
    environment = {**os.environ, "MIBS": ":".join(modules), "MIBDIRS": ":".join(map(str, (base, MIBS, *folders))),
                   "SNMPCONFPATH": str(base / "tools"), "SNMP_PERSISTENT_DIR": str(base / "tools")}
    done = subprocess.run([program("snmptranslate"), *words], capture_output=True, text=True, timeout=60, check=False,
                          env=environment)
    if done.returncode != 0 or done.stderr:
        raise AssertionError(f"snmptranslate {' '.join(words[:5])} … ended with {done.returncode}: {done.stderr}")
    return done.stdout


def objects_of(modules):
    """{name: number} of all nodes, as net-snmp reads them, which names those without a name by itself."""
    pairs = re.findall(r'^"(\S+)"\s+"([\d.]+)"$', translate(modules, "-Tz"), re.MULTILINE)
    return {name: oid for name, oid in pairs if not name.startswith("anonymous#")}


def reference():
    with open(shared() / "reference" / "mib-objects.csv", newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["kind"] != "group"]


def our_name(name):
    """SMIv2 wants a small letter where the vendor's list has two names with a capital."""
    return name[0].lower() + name[1:]


def definitions():
    """{name: {clause: text}} of the OBJECT-TYPEs of BUSBAR-UPS-EXT-MIB, as they are written."""
    text = (MIBS / "BUSBAR-UPS-EXT-MIB.txt").read_text("ascii")
    found = {}
    for name, body in re.findall(r"^(\w+) OBJECT-TYPE\n(.*?)\n    ::= ", text, re.MULTILINE | re.DOTALL):
        clauses = dict(re.findall(r"^    (SYNTAX|UNITS|MAX-ACCESS|INDEX) +(.*?)(?=^    [A-Z]|\Z)", body,
                                  re.MULTILINE | re.DOTALL))
        found[name] = {clause: " ".join(value.split()).strip('"') for clause, value in clauses.items()}
    return found


class Modules(unittest.TestCase):
    def test_smilint_finds_nothing_at_level_4(self):
        for module in MODULES:
            # -m names each complaint; exit status 0 says that the module was found at all.
            done = subprocess.run([program("smilint"), "-c", base / "smirc", "-l", "4", "-s", "-m",
                                   MIBS / f"{module}.txt"], capture_output=True, text=True, timeout=60, check=False)
            left = [line for line in (done.stdout + done.stderr).splitlines()
                    if not any(words in line for words in EXPLAINED)]
            self.assertEqual(left, [], module)
            self.assertEqual(done.returncode, 0, module)

    def test_smilint_would_have_found_something(self):
        broken = base / "BROKEN.txt"
        broken.write_text((MIBS / "BUSBAR-MIB.txt").read_text().replace("busbarPointKind,", "busbarPointKindly,"))
        done = subprocess.run([program("smilint"), "-c", base / "smirc", "-l", "4", "-s", "-m", broken],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertIn("busbarPointKindly", done.stdout + done.stderr)

    def test_files_are_plain(self):
        for module in MODULES:
            text = (MIBS / f"{module}.txt").read_text("ascii")
            self.assertEqual([line for line in text.splitlines() if len(line) > 79 or line != line.rstrip()], [])

    def test_the_modules_share_no_name_and_load_together(self):
        apart = [objects_of([module]) for module in MODULES]
        both = objects_of(MODULES)
        for module in apart:
            for name, oid in module.items():
                self.assertEqual(both.get(name), oid, name)

    def test_one_line_moves_the_busbar_mib(self):
        text = (MIBS / "BUSBAR-MIB.txt").read_text()
        self.assertEqual(text.count("::= { enterprises 8072 9999 9999 1628 }\n"), 1)
        moved = base / "moved"
        moved.mkdir()
        (moved / "BUSBAR-MIB.txt").write_text(text.replace("::= { enterprises 8072 9999 9999 1628 }\n",
                                                           "::= { enterprises 32473 1 }\n"))
        environment = {**os.environ, "MIBS": "BUSBAR-MIB", "MIBDIRS": f"{base}:{moved}",
                       "SNMPCONFPATH": str(base / "tools"), "SNMP_PERSISTENT_DIR": str(base / "tools")}
        done = subprocess.run([program("snmptranslate"), "-On", "BUSBAR-MIB::busbarDeviceState"], env=environment,
                              capture_output=True, text=True, timeout=60, check=True)
        self.assertEqual(done.stdout.strip(), ".1.3.6.1.4.1.32473.1.1.2.1.7")

    def test_the_extension_disturbs_no_ups_mib(self):
        """The stock module where it is installed (it is not free), else one with the same names and numbers."""
        places = [path for path in ("/usr/share/snmp/mibs", "/var/lib/snmp/mibs/ietf", "/usr/share/mibs/ietf")
                  if any(pathlib.Path(path, name).is_file() for name in ("UPS-MIB", "UPS-MIB.txt"))]
        if not places:
            say("no UPS-MIB is installed: one made of the reference table stands in for it")
            self.write_ups_mib()
        names = {our_name(row["name"]): row for row in reference()}
        for modules in (["UPS-MIB", *MODULES], [*reversed(MODULES), "UPS-MIB"]):
            oids = [row["oid"] for row in names.values() if row["oid"].startswith(UPS)]
            said = translate(modules, *oids, folders=places).split()
            self.assertEqual(len(said), len(oids))
            for oid, name in zip(oids, said):
                module, _, label = name.partition("::")
                row = names.get(label)
                self.assertIsNotNone(row, f"{oid} is {name}")
                self.assertEqual(row["oid"], oid)
                self.assertEqual(module, "UPS-MIB" if row["source"] == "rfc1628" else "BUSBAR-UPS-EXT-MIB", oid)

    @staticmethod
    def write_ups_mib():
        lines = ["UPS-MIB DEFINITIONS ::= BEGIN", "IMPORTS OBJECT-TYPE, mib-2 FROM SNMPv2-SMI;"]
        for row in reference():
            if row["source"] != "rfc1628" or row["name"] == "mib2":
                continue
            parent = row["parent"].replace("mib2", "mib-2")
            kind = "OBJECT IDENTIFIER"
            if row["kind"] in ("scalar", "column"):
                kind = f'OBJECT-TYPE SYNTAX INTEGER MAX-ACCESS {row["access"]} STATUS current DESCRIPTION ""'
            lines.append(f"{row['name']} {kind} ::= {{ {parent} {row['oid'].rsplit('.', 1)[1]} }}")
        (base / "UPS-MIB").write_text("\n".join([*lines, "END", ""]))


class Agreement(unittest.TestCase):
    """The extension module, the reference table, and what the agent is made of."""

    def test_every_object_of_the_reference_table_has_its_number(self):
        ours = objects_of(["BUSBAR-UPS-EXT-MIB"])
        wanted = {our_name(row["name"]): row["oid"] for row in reference() if row["source"] != "rfc1628"}
        self.assertEqual({name: ours.get(name) for name in wanted}, wanted)
        below = {name: oid for name, oid in ours.items() if oid.startswith(f"{UPS}.")}
        self.assertEqual(sorted(set(below) - set(wanted)), [], "names that the table does not have")
        say(f"{len(wanted)} names of BUSBAR-UPS-EXT-MIB have the numbers of the reference table")

    def test_every_object_has_its_syntax_access_and_unit(self):
        written = definitions()
        count = 0
        for row in reference():
            if row["source"] == "rfc1628" or row["kind"] not in ("scalar", "column", "table", "entry"):
                continue
            name = our_name(row["name"])
            clauses = written[name]
            syntax = NARROWED.get(name) or SYNTAX.get(row["syntax"], row["syntax"])
            self.assertEqual(clauses["SYNTAX"], syntax, name)
            self.assertEqual(clauses["MAX-ACCESS"], row["access"], name)
            self.assertEqual(clauses.get("UNITS", ""), row["units"], name)
            if row["kind"] == "entry" and "INDEX" in row["note"]:
                self.assertIn(clauses["INDEX"].strip("{ }"), row["note"], name)
            count += 1
        self.assertEqual(count, len(written))

    def test_what_net_snmp_reads_is_what_is_written(self):
        rows = [row for row in reference() if row["source"] != "rfc1628" and row["kind"] in ("scalar", "column")]
        said = translate(["BUSBAR-UPS-EXT-MIB"], "-Td", *(row["oid"] for row in rows))
        details = said.split("\n\n")
        self.assertEqual(len([detail for detail in details if detail.strip()]), len(rows))
        for row, detail in zip(rows, details):
            self.assertIn(f"{our_name(row['name'])} OBJECT-TYPE", detail)
            self.assertIn(f"MAX-ACCESS\t{row['access']}", detail)
            kind = row["syntax"].split(" ")[0]
            if kind == "INTEGER":
                self.assertIn(row["syntax"].replace("{ ", "{").replace(" }", "}"), detail)
            else:
                for name in (SYNTAX.get(kind, kind).split(" ")[0],):
                    self.assertIn(name.replace("AutonomousType", "OBJECT IDENTIFIER"), detail)

    def test_every_object_of_the_agents_table_is_in_the_module(self):
        ours = objects_of(["BUSBAR-UPS-EXT-MIB"])
        standard = {row["name"] for row in reference() if row["source"] == "rfc1628"}
        others = {}  # the vendor's file and the vendor's manual do not always agree: the module has the manual's name
        for row in reference():
            named = re.search(r"named (\w+) in the vendor MIB", row["note"])
            if named:
                others[named.group(1)] = row["name"]
        count = 0
        for entry in object_table.load(SOURCE / "config" / "objects.csv"):
            if entry.name in standard:
                continue
            oid = ".".join(map(str, entry.oid))
            self.assertEqual(ours.get(our_name(others.get(entry.name, entry.name))), f"{UPS}.{oid}", entry.name)
            count += 1
        self.assertGreater(count, 100)

    def test_every_identity_of_an_alarm_has_a_name(self):
        named = {oid for name, oid in objects_of(["BUSBAR-UPS-EXT-MIB"]).items()}
        named |= {row["oid"] for row in reference() if row["source"] == "rfc1628"}
        with open(SOURCE / "config" / "alarms.csv", newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if row["oid"]:
                    self.assertIn(row["oid"], named, row["name"])


if __name__ == "__main__":
    unittest.main()
