# SPDX-License-Identifier: Apache-2.0
"""docs/snmp.md, taken at its word: its lines of snmpd.conf are used, its commands are run, its tables are compared."""
import csv
import os
import pathlib
import pwd
import re
import shlex
import shutil
import subprocess
import tempfile
import unittest

import mib_modules
from snmpd import V3_ARGUMENTS, Snmptrapd
from support import BUILD, PATIENCE, SOURCE, Busbard, Process, free_port, program, say, wait_for

GUIDE = (SOURCE / "docs" / "snmp.md").read_text(encoding="utf-8")
BASE = "1.3.6.1.4.1.8072.9999.9999.1628"
NAME = "1.3.6.1.2.1.33.1.1.5.0"  # upsIdentName; a simulator's is its name
DEVICE_NAME, TEST = f"{BASE}.1.5.1", f"{BASE}.1.5.4"
PLUGINS = ("/usr/lib/nagios/plugins", "/usr/lib64/nagios/plugins")


def blocks(language):
    return re.findall(rf"^```{re.escape(language)}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


def commands():
    return [line[2:] for block in blocks("console") for line in block.splitlines()]


class Lines(unittest.TestCase):
    """snmpd with all lines of the guide, and busbar behind it."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="busbar-guide-")))
        (cls.folder / "tools" / "cert_indexes").mkdir(parents=True)
        cls.receiver = cls.enterClassContext(Snmptrapd())
        cls.port = free_port("udp")
        cls.address = f"127.0.0.1:{cls.port}"
        cls.master = f"unix:{cls.folder}/agentx/master"
        (cls.folder / "agentx").mkdir(mode=0o755)
        (cls.folder / "snmpd.conf").write_text(cls.configuration())
        cls.snmpd = cls.enterClassContext(
            Process([program("snmpd"), "-f", "-Lo", "-r", "-I", "-smux", "-C", "-c", cls.folder / "snmpd.conf"],
                    cwd=cls.folder, env={"SNMP_PERSISTENT_DIR": str(cls.folder), "MIBS": ""}))
        cls.snmpd.wait_log(r"^NET-SNMP version")
        [writing] = [block for block in blocks("yaml") if "allow-write" in block]
        exporter = re.search(r"^  agentx: \{ (.*) \}$", writing, re.MULTILINE).group(1)
        names = re.findall(r"^  (ups-\w+): \{ plugin: ", blocks("yaml")[0], re.MULTILINE)
        assert names == ["ups-a", "ups-b"], names
        devices = "".join(f"  {name}: {{ plugin: simulator }}\n" for name in names)
        cls.daemon = cls.enterClassContext(Busbard(
            f"devices:\n{devices}exporters:\n  agentx: {{ master: '{cls.master}', {exporter} }}\n"))
        wait_for(lambda: cls.get("secret-of-ups-b", NAME) == "ups-b", 10,
                 lambda: f"ups-b in its context; snmpd said {cls.snmpd.log()}")

    @classmethod
    def configuration(cls):
        """The lines of the guide, with places and people of this machine."""
        lines = "".join(blocks("snmpd.conf"))
        user = pwd.getpwuid(os.getuid()).pw_name
        for there, here in (
                (r"udp:161", f"udp:{cls.address}"),
                (r"unix:/var/agentx/master", cls.master),
                (r"0755 busbar busbar", f"0755 {user} {user}" if os.getuid() == 0 else "0755"),
                (r"192\.0\.2\.0/24", "127.0.0.0/8"),
                (r"127\.0\.0\.1 \.1\.3", f"{cls.address} .1.3"),
                (r"-v3 -u monitor -l authPriv .* 192\.0\.2\.9",
                 f"{' '.join(V3_ARGUMENTS)} 127.0.0.1:{cls.receiver.port}"),
                (r"192\.0\.2\.9", f"127.0.0.1:{cls.receiver.port}")):
            lines, count = re.subn(there, here, lines)
            assert count > 0, f"the guide has no {there}"
        return lines

    @classmethod
    def get(cls, community, name):
        done = subprocess.run([program("snmpget"), "-v2c", "-c", community, "-t", "1", "-r", "0", "-Oqv", cls.address,
                               name], capture_output=True, text=True, check=False, env=cls.environment())
        return done.stdout.strip().strip('"')

    @classmethod
    def environment(cls, **more):
        return {**os.environ, "MIBS": "", "SNMPCONFPATH": str(cls.folder / "tools"),
                "SNMP_PERSISTENT_DIR": str(cls.folder / "tools"), **more}

    def run_command(self, line, **environment):
        """Run a command of the guide; returns what it printed."""
        words = shlex.split(line)
        if words[0] == "busbarctl":
            words[:1] = [str(BUILD / "bin" / "busbarctl"), "-s", str(self.daemon.socket)]
        elif words[0] == "check_snmp":
            words = [program("check_snmp", *PLUGINS), *words[1:], "-p", str(self.port)]
            words[words.index("localhost")] = "127.0.0.1"
        else:
            words[:1] = [program(words[0]), "-t", str(5 * PATIENCE)]
            words[words.index("localhost")] = self.address
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60 * PATIENCE,
                              env=self.environment(**environment))
        self.assertEqual(done.returncode, 0, f"{line}: {done.stdout}{done.stderr}")
        self.assertNotIn("No Such", done.stdout, line)
        self.assertNotIn("No entries", done.stdout, line)
        return done.stdout

    def test_snmpd_understands_every_line(self):
        for complaint in ("Error", "error", "Warning", "Unknown", "missing"):
            self.assertNotIn(complaint, self.snmpd.log())

    def test_walks_find_what_the_guide_says(self):
        walks = [line for line in commands() if line.startswith("snmpwalk")]
        self.assertEqual(len(walks), 5)
        for line in walks:
            said = self.run_command(f"{line.replace(' localhost', ' -On localhost')}")
            root = line.split()[-1]
            self.assertGreater(said.count("\n"), 40, line)
            self.assertEqual([row for row in said.splitlines() if row.startswith(".") and
                              not row.startswith(f".{root}.")], [])
            names = re.findall(rf"^\.{re.escape(NAME)} = STRING: \"(.*)\"", said, re.MULTILINE)
            if root != BASE:
                self.assertEqual(names, ["ups-b" if "ups-b" in line else "ups-a"], line)
        say(f"docs/snmp.md: {len(walks)} walks by v3 and v2c, in contexts and without")

    def test_other_commands_work_as_they_stand(self):
        for line in commands():
            if line.startswith(("snmpget -v2c -c secret-of-ups-b", "check_snmp")):
                self.run_command(line)

    def test_nut_reads_a_ups_by_the_lines_of_the_guide(self):
        lines = re.search(r"^```\n(\[ups-b\].*?)```", GUIDE, re.MULTILINE | re.DOTALL).group(1)
        self.assertIn("snmpd.example", lines)
        (self.folder / "nut").mkdir()
        (self.folder / "nut" / "ups.conf").write_text(lines.replace("snmpd.example", self.address))
        driver = program("snmp-ups", "/lib/nut", "/usr/lib/nut", "/usr/libexec/nut")
        # -d 1: print what was read, once, and end
        done = subprocess.run([driver, "-a", "ups-b", "-d", "1", "-u", pwd.getpwuid(os.getuid()).pw_name],
                              capture_output=True, text=True, check=False, timeout=60 * PATIENCE,
                              env=self.environment(NUT_CONFPATH=str(self.folder / "nut"),
                                                   NUT_STATEPATH=str(self.folder / "nut"),
                                                   NUT_ALTPIDPATH=str(self.folder / "nut")))
        self.assertRegex(done.stdout, r"(?m)^battery\.charge: 100", done.stdout + done.stderr)
        self.assertIn("Simulated UPS", done.stdout)

    def test_commands_with_names_work_with_the_modules(self):
        folder = mib_modules.fetch()
        self.addCleanup(shutil.rmtree, folder)
        count = 0
        for line in commands():
            if "BUSBAR-MIB::" not in line:
                continue
            if "AlarmTable" in line:
                self.raise_an_alarm()
            said = self.run_command(line, MIBS="BUSBAR-MIB", MIBDIRS=f"{folder}:{mib_modules.MIBS}")
            self.assertIn("ups-b", said)
            count += 1
        self.assertEqual(count, 3)

    def raise_an_alarm(self):
        text = self.daemon.config_file.read_text()
        self.daemon.reload(text + "alarms: [ { device: ups-b, point: battery.charge, below: 101% } ]\n")
        wait_for(lambda: self.daemon.json("alarms"), 10, "an alarm")

    def test_all_receivers_are_told(self):
        [line] = [line for line in commands() if "trap-test" in line]
        self.run_command(line)

        def received():
            tests = [each for each in self.receiver.received() if TEST in each]
            return len(tests) >= 3 and tests
        tests = self.receiver.wait(received, 20, "a test as trap, inform and v3 inform")
        self.assertEqual({each.inform for each in tests}, {True, False})
        for each in tests:
            self.assertEqual(each[TEST], 1)
            self.assertIn(DEVICE_NAME, each)

    def test_the_operator_may_write_and_the_reader_may_not(self):
        def write(user):
            return subprocess.run(
                [program("snmpset"), "-v3", "-u", user, "-l", "authPriv", "-a", "SHA-256", "-A",
                 "authentication-words", "-x", "AES", "-X", "privacy-words", "-n", "ups-b", "-t", "10", "-r", "0",
                 self.address, "1.3.6.1.2.1.33.1.1.6.0", "s", "rack 7"], capture_output=True, text=True, check=False,
                env=self.environment())
        refused, taken = write("monitor"), write("operator")
        self.assertIn("noAccess", refused.stderr)
        self.assertEqual(taken.returncode, 0, taken.stderr)


class Tables(unittest.TestCase):
    def test_the_tables_of_objects_are_those_of_the_agent(self):
        section = GUIDE[GUIDE.index("### What each object means"):GUIDE.index("### The alarm tables")]
        said = {}
        for name, writable, point in re.findall(r"^\| (\w+(?:\{[\d.]+\}\w*)?)( \(w\))? \| (\S+) \|", section,
                                                re.MULTILINE):
            said[name] = (point, bool(writable))
        said.pop("object")
        with open(SOURCE / "config" / "objects.csv", newline="", encoding="utf-8") as file:
            rows = {row["object"]: (row["point"] or "-", row["access"] == "read-write" and row["serve"] != "no")
                    for row in csv.DictReader(file)}
        self.assertEqual(said, rows)

    def test_every_notification_is_named(self):
        section = GUIDE[GUIDE.index("## Notifications"):GUIDE.index("## SET")]
        module = (mib_modules.MIBS / "BUSBAR-MIB.txt").read_text()
        for name in re.findall(r"^(busbar\w+) NOTIFICATION-TYPE", module, re.MULTILINE):
            self.assertIn(name, section)
        carried = module[module.index("busbarNotificationObjectsGroup OBJECT-GROUP"):]
        for name in re.findall(r"busbar(?:Event|Device|Notification)(?:Name|Number|Time|T\w+|Alarm|Severity)\b",
                               carried[:carried.index("STATUS")]):
            self.assertIn(name, section)


if __name__ == "__main__":
    unittest.main()
