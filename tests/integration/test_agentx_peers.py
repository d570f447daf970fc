#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Other people's programs read us: NUT's snmp-ups with upsd and upsc, and check_snmp of the monitoring plugins.

NUT knows RFC 1628 by a table of its own (drivers/ietf-mib.c), so what upsc says is another reading of what snmpd says.
Which of our points a variable of NUT is stands in the column nut of reference/points.csv; with one phase NUT leaves out
the line.
"""
import csv
import decimal
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

from mib_reference import NOT_SERVED, ROOT, WITHOUT_POINT, Reference
from snmpd import V3_SECRECY, V3_SIGNATURE, V3_USER, Snmpd, SnmpError
from support import Busbard, Process, free_port, program, say, shared, wait_for

DRIVERS, PLUGINS = ("/lib/nut", "/usr/lib/nut", "/usr/libexec/nut"), ("/usr/lib/nagios/plugins",)
V3_OF_CHECK = ["-L", "authPriv", "-U", V3_USER, "-a", "SHA", "-A", V3_SIGNATURE, "-x", "AES", "-X", V3_SECRECY]


class Nut:
    """snmp-ups for each device, whose context is read by the community of its name, and an upsd."""

    def __init__(self, snmpd, devices):
        self.driver = program("snmp-ups", *DRIVERS)
        # Beside the drivers: what is in the PATH may be a script that asks /etc/nut whether it may run.
        beside = pathlib.Path(self.driver).with_name("upsd")
        self.upsd = str(beside) if beside.exists() else program("upsd")
        self.upsc = program("upsc")
        self.folder = tempfile.TemporaryDirectory(prefix="nut-")
        self.path = pathlib.Path(self.folder.name)
        self.path.chmod(0o700)
        self.port = free_port()
        sections = "".join(f"[{name}]\n driver = snmp-ups\n port = {snmpd.address.removeprefix('udp:')}\n mibs = ietf\n"
                           f" snmp_version = v2c\n community = {name}\n pollfreq = 5\n" for name in devices)
        self.write("ups.conf", f"maxretry = 1\n{sections}")
        self.write("upsd.conf", f"LISTEN 127.0.0.1 {self.port}\n")
        self.write("upsd.users", "")
        self.write("nut.conf", "MODE=standalone\n")
        self.environment = {"NUT_CONFPATH": str(self.path), "NUT_STATEPATH": str(self.path),
                            "NUT_ALTPIDPATH": str(self.path), "NUT_PIDPATH": str(self.path),
                            "MIBS": "", "SNMP_PERSISTENT_DIR": str(self.path)}
        who = ["-u", "root"] if os.geteuid() == 0 else []
        self.processes = [self.start(self.driver, "-D", "-a", name, *who, name=f"snmp-ups of {name}")
                          for name in devices]
        self.processes.append(self.start(self.upsd, "-D", *who))

    def write(self, name, text):
        (self.path / name).write_text(text)
        (self.path / name).chmod(0o640)

    def start(self, *argv, name=None):
        return Process(argv, env=self.environment, name=name)

    def log(self):
        return "\n".join(process.log() for process in self.processes)

    def variables(self, device):
        """What upsc says: {variable: text}; empty while it has none."""
        done = subprocess.run([self.upsc, f"{device}@127.0.0.1:{self.port}"], capture_output=True, text=True,
                              check=False, env={**os.environ, **self.environment}, stdin=subprocess.DEVNULL)
        return dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.__exit__()
        self.folder.cleanup()


class Peers(unittest.TestCase):
    DEVICES = {"one": {"load": 63}, "three": {"profile": "three-phase", "temperature": 31}}

    @classmethod
    def setUpClass(cls):
        cls.reference = Reference(shared() / "reference")
        cls.snmpd = cls.enterClassContext(Snmpd(contexts=list(cls.DEVICES)))
        once = {"plugin": "simulator", "interval": "1h", "watch": "0s", "stale-after": "2h"}
        cls.daemon = cls.enterClassContext(Busbard({
            "devices": {name: {**once, **options} for name, options in cls.DEVICES.items()},
            "exporters": {"agentx": {"master": cls.snmpd.agentx, "default-device": "one"}}}))
        wait_for(lambda: all(cls.answers(name) for name in ("", *cls.DEVICES)), 30, "all contexts")

    @classmethod
    def answers(cls, context):
        try:
            return cls.snmpd.get(f"{ROOT}.1.2.4.0", context=context, timeout=1).value is not None
        except SnmpError:
            return False

    # ---- NUT

    # Variables of NUT's table for RFC 1628 that have another name than in the column nut.
    ALSO = {"ups.mfr": "device.mfr", "ups.model": "device.model", "output.power.nominal": "ups.power.nominal",
            "output.realpower.nominal": "ups.realpower.nominal",
            **{f"input.L{line}.frequency": f"input.L{line}.frequency" for line in (1, 2, 3)}}
    # With one phase NUT leaves out the line; some it calls otherwise then.
    ONE_PHASE = {"ups.load": "output.L1.load", "ups.power": "output.L1.power"}
    # Words of NUT for members of ours.
    WORDS = {"no test initiated": "no-tests-initiated", "yes": "on", "no": "off"}
    # The driver's own, and what it adds up by itself over three lines; it takes a bypass without lines to have one.
    OF_NUT = re.compile(r"driver\.|device\.type$|input\.bypass\.(voltage|current|realpower)$")

    def point_of(self, variable, one_phase):
        """The point that a variable of NUT is, or None."""
        names = {}
        for row in self.dictionary:
            names.setdefault(row["nut"], row["point"])
            if one_phase and ".L1" in row["nut"]:
                names.setdefault(re.sub(r"\.L1(-N)?", "", row["nut"]), row["point"])
        names |= self.ALSO | (self.ONE_PHASE if one_phase else {})
        return names.get(variable)

    def expected(self, point):
        """What NUT makes of the object that shows a point."""
        for item in self.reference.accessible:
            for row in (1, 2, 3) if item.column else (0,):
                if item.name in WITHOUT_POINT or item.name in NOT_SERVED or \
                        self.reference.point(item, row) != point["point"]:
                    continue
                said = self.reference.expected(item, point)
                if isinstance(said, bytes):
                    return said.decode()
                return point["value"] if item.members else decimal.Decimal(said) * item.factor()
        return point["value"]  # no object of its own, such as ups.status

    def test_upsc_says_what_our_points_say(self):
        with open(shared() / "reference/points.csv", newline="", encoding="utf-8") as file:
            type(self).dictionary = [row for row in csv.DictReader(file) if row["nut"]]
        compared = 0
        with Nut(self.snmpd, self.DEVICES) as nut:
            wait_for(lambda: all("ups.status" in nut.variables(name) for name in self.DEVICES), 60,
                     lambda: f"upsc to know all devices; NUT said:\n{nut.log()[-4000:]}")
            for name in self.DEVICES:
                points, variables = self.daemon.points(name), nut.variables(name)
                for variable, text in variables.items():
                    if self.OF_NUT.match(variable):
                        continue
                    point = self.point_of(variable, name == "one")
                    if (point, text) == ("bypass.phases", "1") and point not in points:
                        continue
                    self.assertIsNotNone(point, f"{name}: {variable} is no point of ours")
                    expected = self.expected(points[point])
                    found = decimal.Decimal(text) if isinstance(expected, decimal.Decimal) else \
                        self.WORDS.get(text, text)
                    self.assertEqual(found, expected, f"{name}: {variable}, {point}")
                    compared += 1
                self.assertGreater(len(variables), 40, variables)
        say(f"NUT's snmp-ups: {compared} variables of {len(self.DEVICES)} devices are what our points say")

    def test_a_mains_failure_reaches_upsc(self):
        with tempfile.TemporaryDirectory() as folder, Snmpd(contexts=["ups"]) as snmpd:
            scenario = pathlib.Path(folder) / "failing.scenario"
            scenario.write_text("at 0s mains off\n")

            def devices(**options):
                return {"devices": {"ups": {"plugin": "simulator", "interval": "500ms", "battery": "1h", **options}},
                        "exporters": {"agentx": {"master": snmpd.agentx}}}
            with Busbard(devices()) as daemon, Nut(snmpd, ["ups"]) as nut:
                def status(wanted):
                    return nut.variables("ups").get("ups.status", "").split()[:1] == [wanted]
                wait_for(lambda: status("OL"), 60, lambda: f"OL from upsc; NUT said:\n{nut.log()[-4000:]}")
                daemon.reload(devices(scenario=str(scenario)))
                wait_for(lambda: status("OB"), 60, lambda: f"OB from upsc; NUT said:\n{nut.log()[-4000:]}")
                self.assertTrue(daemon.points("ups")["ups.status"]["value"].startswith("OB"))

    # ---- check_snmp

    def check(self, *words):
        """(exit status, output) of check_snmp."""
        done = subprocess.run([program("check_snmp", *PLUGINS), "-H", "127.0.0.1", "-p",
                               self.snmpd.address.rpartition(":")[2], "-m", "", *words], capture_output=True, text=True,
                              check=False, env={**os.environ, "MIBS": "", "SNMP_PERSISTENT_DIR": str(self.snmpd.path)})
        return done.returncode, done.stdout.strip() + done.stderr.strip()

    def test_check_snmp_judges_values(self):
        load = f"{ROOT}.1.4.4.1.5.1"
        for options, status, word in ((["-w", "70", "-c", "90"], 0, "SNMP OK - 63"),
                                      (["-w", "50", "-c", "90"], 1, "SNMP WARNING - *63*"),
                                      (["-w", "30", "-c", "50"], 2, "SNMP CRITICAL - *63*"),
                                      (["-s", "63"], 0, "SNMP OK - 63")):
            found, said = self.check("-P", "2c", "-C", "one", "-o", load, *options)
            self.assertEqual(found, status, said)
            self.assertIn(word, said)
        found, said = self.check("-P", "2c", "-C", "one", "-o", f"{ROOT}.1.4.4.1.5.3", "-w", "70")
        self.assertEqual(found, 3, f"a line that it does not have is unknown: {said}")

    def test_check_snmp_names_a_context_by_version_3(self):
        found, said = self.check("-P", "3", *V3_OF_CHECK, "-N", "three", "-o", f"{ROOT}.1.3.2.0", "-c", "3:3")
        self.assertEqual(found, 0, said)
        self.assertIn("SNMP OK - 3", said)


if __name__ == "__main__":
    unittest.main()
