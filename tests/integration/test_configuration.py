#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What busbard makes of good and bad configurations, with the real plugins: `busbard --check` and a reload."""
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

from support import BUILD, SOURCE, Busbard, free_port, wait_for

SIMULATOR = "devices:\n  demo: { plugin: simulator, interval: 1s }\n"

# What is wrong, and what is said about it. The first line of each text is line 1.
FAULTS = [
    ("unknown key", "devices:\n  demo:\n    plugin: simulator\n    intervall: 5s\n",
     r":4:5: intervall: unknown key, did you mean 'interval'\?"),
    ("unknown top-level key", "device: {}\n", r":1:1: device: unknown key, did you mean 'devices'\?"),
    ("keys of later versions", "jobs: []\n", r":1:1: jobs: unknown key"),
    ("duplicate device", "devices:\n  a: { plugin: simulator }\n  a: { plugin: simulator }\n",
     r":3:3: a: given twice, first in line 2"),
    ("bad device name", "devices:\n  UPS_1: { plugin: simulator }\n", r":2:3: UPS_1: a name is 1 to 32 of"),
    ("no unit", "devices:\n  demo: { plugin: simulator, interval: 5 }\n",
     r":2:40: interval: '5' needs a unit such as ms, s, m, h"),
    ("wrong unit", "devices:\n  demo: { plugin: simulator, interval: 5 parsecs }\n",
     r":2:40: interval: '5 parsecs' needs a unit such as ms, s, m, h"),
    ("out of range", "devices:\n  demo: { plugin: simulator, interval: 400d }\n",
     r":2:40: interval: out of range, must be \S+ to \S+"),
    ("missing plugin", "devices:\n  demo: { interval: 5s }\n", r":2:3: plugin: is missing, demo needs it"),
    ("unknown plugin", "devices:\n  demo: { plugin: simulater }\n",
     r":2:19: plugin: there is no device plugin 'simulater', did you mean 'simulator'\?"),
    ("unknown exporter", "exporters:\n  prometeus:\n",
     r":2:3: prometeus: there is no exporter plugin 'prometeus', did you mean 'prometheus'\?"),
    ("a list for a text", "devices:\n  demo: { plugin: simulator, interval: [ 5s ] }\n",
     r":2:40: interval: must be a text, not a list"),
    ("bad choice", "devices:\n  demo: { plugin: simulator, profile: tree-phase }\n",
     r":2:39: profile: must be one of: .*three-phase.*did you mean 'three-phase'\?"),
    ("missing file", "devices:\n  demo: { plugin: simulator, scenario: none.txt }\n",
     r":2:40: scenario: cannot read .*/none.txt: No such file or directory"),
    ("address without a scheme", "devices:\n  a: { plugin: ups-snmp, address: 10.0.0.6 }\n",
     r":2:35: address: '10.0.0.6' needs a scheme, such as snmp://"),
    ("wrong scheme", "devices:\n  a: { plugin: ups-snmp, address: 'modbus-tcp://10.0.0.6' }\n",
     r":2:35: address: the scheme 'modbus-tcp' is not one of: .*snmp"),
    ("no YAML", "devices: [\n", r":2:1: not YAML: "),
    ("an alias", "devices:\n  a: &a { plugin: simulator }\n  b: *a\n", r":3:6: aliases are not supported"),
]


class Folder:
    """A temporary folder with a configuration in it."""

    def __init__(self, text, mode=0o600):
        self._folder = tempfile.TemporaryDirectory(prefix="busbar-")
        self.path = pathlib.Path(self._folder.name)
        self.config = self.write("busbar.yaml", text, mode)

    def write(self, name, text, mode=0o600):
        path = self.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    def check(self):
        return subprocess.run([BUILD / "bin" / "busbard", "--check", "-c", self.config], capture_output=True,
                              text=True, timeout=120, check=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._folder.cleanup()


class Check(unittest.TestCase):
    def refused(self, folder, pattern, file="busbar.yaml"):
        done = folder.check()
        self.assertNotEqual(done.returncode, 0, "it was taken")
        self.assertRegex(done.stderr, re.escape(f"{folder.path / file}") + pattern)
        return done

    def test_the_sample_loads(self):
        text = (SOURCE / "config" / "busbar.yaml").read_text()
        with Folder(text) as folder:
            done = folder.check()
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_sample_loads_with_everything_that_is_commented_out(self):
        text = (SOURCE / "config" / "busbar.yaml").read_text()
        # "#key:" is an example; "# words" is a comment.
        text, count = re.subn(r"^( *)#(?=[a-z ] *[a-z-]+:)(?! [A-Za-z])", r"\1", text, flags=re.MULTILINE)
        self.assertGreater(count, 10)
        self.assertIn("\n  ups-b:\n    plugin: ups-snmp\n", text)
        with Folder(text) as folder:
            folder.write("ups-b.auth", "a long enough pass phrase\n", 0o600)
            done = folder.check()
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_faults_are_refused_with_their_place(self):
        for what, text, pattern in FAULTS:
            with self.subTest(what), Folder(text) as folder:
                self.refused(folder, pattern)

    def test_all_faults_are_reported_at_once(self):
        with Folder("colour: red\ndevices:\n  a: { plugin: simulator, interval: 5 }\n  b: { plugin: nix }\n") as folder:
            done = self.refused(folder, r":1:1: colour: unknown key")
            self.assertRegex(done.stderr, r":3:37: interval: ")
            self.assertRegex(done.stderr, r":4:16: plugin: ")

    def test_secrets_must_be_closed_to_others(self):
        community = "devices:\n  a: { plugin: ups-snmp, address: 'snmp://127.0.0.1', community: hidden-word }\n"
        with Folder(community, 0o640) as folder:
            self.assertEqual(folder.check().returncode, 0)
        with Folder(community, 0o644) as folder:
            done = self.refused(folder, r":2:66: community: a secret in a file that others can read")
            self.assertNotIn("hidden-word", done.stderr)

        with Folder("devices:\n  a: { plugin: ups-snmp, address: 'snmp://127.0.0.1' }\n", 0o644) as folder:
            self.assertEqual(folder.check().returncode, 0, "the default community is no secret")

        file = "devices:\n  a: { plugin: ups-snmp, address: 'snmp://127.0.0.1', community-file: secret }\n"
        with Folder(file) as folder:
            self.refused(folder, r":2:71: community-file: cannot read .*/secret: No such file")
            folder.write("secret", "hidden-word\n", 0o644)
            self.refused(folder, r":2:71: community-file: others can get at this secret \(its mode is 0644\)")
            folder.write("secret", "hidden-word\n", 0o640)
            done = folder.check()
            self.assertEqual(done.returncode, 0, done.stderr)

    @unittest.skipIf(os.geteuid() == 0, "root reads everything")
    def test_an_unreadable_configuration_is_named(self):
        with Folder("", 0o000) as folder:
            self.refused(folder, r": cannot read: Permission denied")

    def test_conf_d_belongs_to_the_configuration(self):
        with Folder(SIMULATOR) as folder:
            folder.write("conf.d/more.yaml", "devices:\n  second: { plugin: simulator }\n")
            done = folder.check()
            self.assertEqual(done.returncode, 0, done.stderr)
            folder.write("conf.d/more.yaml", "devices:\n  demo: { plugin: simulator }\n")
            self.refused(folder, r":2:3: demo: given twice, first in .*/busbar.yaml:2", "conf.d/more.yaml")

    def test_hundreds_of_devices_are_checked_in_no_time(self):
        devices = (f"  ups-{i}: {{ plugin: simulator, interval: 1s }}\n" for i in range(2000))
        text = "journal: { log-interval: 1h }\ndevices:\n" + "".join(devices)
        with Folder(text) as folder:
            done = folder.check()
            self.assertEqual(done.returncode, 0, done.stderr)


class Reload(unittest.TestCase):
    def test_a_bad_configuration_changes_nothing(self):
        exporter = f"exporters:\n  prometheus: {{ listen: '127.0.0.1:{free_port()}' }}\n"
        with Busbard(SIMULATOR + exporter) as busbard:
            for what, text, pattern in FAULTS:
                with self.subTest(what):
                    done = busbard.reload(text, check=False)
                    self.assertNotEqual(done.returncode, 0)
                    self.assertRegex(busbard.log(), pattern)
                    self.assertIn("battery.charge", busbard.points("demo"), "the old one runs on")
            busbard.reload("devices:\n  other: { plugin: simulator }\n" + exporter)
            wait_for(lambda: "battery.charge" in busbard.points("other"), what="the other device to answer")


if __name__ == "__main__":
    unittest.main()
