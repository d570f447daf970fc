#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Follows docs/plugin-guide.md to the letter: installs busbar into a folder of its own, takes the guide's plugins and
its commands, builds them there with nothing but the installed headers, and lets the installed programs use them.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from support import BUILD, SANITIZER_REPORT, SOURCE, Process, program, say, wait_for

GUIDE = (SOURCE / "docs" / "plugin-guide.md").read_text()
MAX_LINES, MAX_COLUMNS = 79, 100
SYSTEM_HEADERS = {"errno.h", "stdio.h", "unistd.h"}


def blocks(language):
    """The fenced blocks of @language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)


DEVICE, EXPORTER = blocks("c")
COMMANDS, = blocks("sh")
CONFIG, = blocks("yaml")


class Text(unittest.TestCase):
    """What can be said about the guide's plugins by looking at them."""

    def test_the_device_plugin_is_short_and_narrow(self):
        self.assertLessEqual(len(DEVICE.splitlines()), MAX_LINES)
        for code in (DEVICE, EXPORTER):
            for line in code.splitlines():
                self.assertLessEqual(len(line.expandtabs(8)), MAX_COLUMNS, line)

    def test_only_public_and_system_headers_are_used(self):
        public = {f"busbar/{path.name}" for path in (SOURCE / "core" / "include" / "busbar").glob("*.h")}
        for code in (DEVICE, EXPORTER):
            included = set(re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', code, re.MULTILINE))
            self.assertTrue(included & public)
            self.assertLessEqual(included, public | SYSTEM_HEADERS)

    def test_it_names_public_functions_only(self):
        headers = "".join(path.read_text() for path in (SOURCE / "core" / "include" / "busbar").glob("*.h"))
        for name in set(re.findall(r"\b(bb_\w+|BB_\w+)", GUIDE)) - {"bb_add_plugin"}:
            self.assertRegex(headers, rf"\b{name}\b", "the guide speaks of it, no public header does")


class Installed(unittest.TestCase):
    """An installation of its own, and the guide's plugins in it."""

    @classmethod
    def setUpClass(cls):
        os.umask(0o022) # busbard refuses plugins that others could have written
        program("cc"), program("pkg-config")
        cls.folder = tempfile.TemporaryDirectory(prefix="busbar-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.work = pathlib.Path(cls.folder.name)
        cls.prefix = cls.work / "prefix"
        cls.run_command(["cmake", "--install", BUILD, "--prefix", cls.prefix])
        pc_file, = cls.prefix.rglob("busbar.pc")
        cls.environment = {"PKG_CONFIG_PATH": str(pc_file.parent)}
        cls.plugins = pathlib.Path(cls.run_command(["pkg-config", "--variable=plugindir", "busbar"]).strip()).resolve()
        for name, code in (("host", DEVICE), ("lines", EXPORTER)):
            (cls.work / f"{name}.c").write_text(code)
            cls.run_command(["sh", "-e", "-c", COMMANDS.replace("host", name)])
        say(f"plugin guide: {len(DEVICE.splitlines())} lines built out of tree and loaded")

    environment = {}

    @classmethod
    def run_command(cls, argv):
        done = subprocess.run([str(word) for word in argv], cwd=cls.work, env={**os.environ, **cls.environment},
                              capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0 or "warning" in done.stderr:
            raise AssertionError(f"{argv} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="busbar-")
        self.addCleanup(folder.cleanup)
        self.run_folder = pathlib.Path(folder.name)
        self.config = self.run_folder / "busbar.yaml"
        self.socket = self.run_folder / "busbar.sock"
        self.busbard = None

    def installed(self, name):
        path, = (path for path in self.prefix.rglob(name) if path.is_file() and os.access(path, os.X_OK))
        return path

    def start(self, config):
        self.config.write_text(config)
        self.busbard = Process([self.installed("busbard"), "-c", self.config, "-s", self.socket], name="busbard")
        self.addCleanup(self.stop)
        self.busbard.wait_log(r" is running: ")

    def stop(self):
        with self.busbard:
            status, log = self.busbard.stop(), self.busbard.log()
        self.assertEqual(status, 0, log)
        self.assertIsNone(SANITIZER_REPORT.search(log), log)

    def ctl(self, *args):
        return subprocess.run([self.installed("busbarctl"), "-s", self.socket, *args], capture_output=True, text=True,
                              timeout=120, check=False)

    def points(self, device):
        done = self.ctl("points", device, "--json")
        return {row["point"]: row for row in json.loads(done.stdout)} if done.returncode == 0 else {}

    def wait_point(self, device, point, wanted):
        seen = {}

        def look():
            seen.clear()
            seen.update(self.points(device))
            return point in seen and wanted(seen[point]) and seen[point]
        return wait_for(look, 10, lambda: f"{point}; it is {seen.get(point)}; busbard said:\n{self.busbard.log()}")

    def test_the_guides_own_configuration_brings_points(self):
        self.start(CONFIG)
        load = self.wait_point("here", "host.load", lambda row: row["quality"] == "good")
        uptime = self.wait_point("here", "host.uptime", lambda row: row["quality"] == "good")
        self.assertGreaterEqual(load["value"], 0)
        self.assertGreater(uptime["value"], 0)
        self.assertEqual(uptime["unit"], "s")
        now = float(pathlib.Path("/proc/uptime").read_text().split()[0])
        self.assertAlmostEqual(uptime["value"], now, delta=10)

    def test_a_sensor_comes_fails_and_recovers(self):
        sensor = self.run_folder / "temp"
        self.start("devices:\n  here: { plugin: host, interval: 50ms, sensor: %s }\n" % sensor)
        self.wait_point("here", "host.load", lambda row: row["quality"] == "good")
        self.assertNotIn("ambient.temperature", self.points("here"), "there is no sensor yet")
        sensor.write_text("41460\n")
        row = self.wait_point("here", "ambient.temperature", lambda row: row["value"] == 41.5)
        self.assertEqual((row["unit"], row["quality"]), ("degC", "good"))
        sensor.write_text("broken\n")
        row = self.wait_point("here", "ambient.temperature", lambda row: row["quality"] == "bad")
        self.assertIsNone(row["value"])
        self.assertEqual(self.points("here")["host.load"]["quality"], "good")
        sensor.write_text("-1000\n")
        self.wait_point("here", "ambient.temperature", lambda row: row["value"] == -1)

    def test_options_are_listed_and_checked(self):
        self.start(CONFIG)
        listed = self.ctl("plugin", "host").stdout
        self.assertIn("sensor", listed)
        self.assertIn("/sys/class/thermal", listed)
        self.assertIn("host.so", listed)
        self.config.write_text("devices:\n  here: { plugin: host, senser: /tmp/x }\n")
        refused = self.ctl("reload")
        self.assertNotEqual(refused.returncode, 0)
        self.assertRegex(refused.stdout + refused.stderr, r"busbar\.yaml:2:\d+: .*senser.*sensor")
        self.wait_point("here", "host.load", lambda row: row["quality"] == "good")

    def test_the_exporter_writes_its_file(self):
        path = self.run_folder / "values.txt"
        self.start("devices:\n  here: { plugin: host, interval: 100ms }\n"
                   "  ups: { plugin: simulator, interval: 100ms }\n"
                   f"exporters:\n  lines: {{ path: {path}, period: 100ms }}\n")
        wanted = (r"^here host\.load \d+\.\d\d $", r"^here host\.uptime \d+ s$", r"^ups battery\.charge 100\.0 %$")
        wait_for(lambda: path.exists() and all(re.search(line, path.read_text(), re.MULTILINE) for line in wanted), 10,
                 lambda: f"all lines; there is:\n{path.read_text() if path.exists() else 'no file'}")

    def test_a_plugin_for_another_abi_is_refused_and_the_others_work(self):
        other = DEVICE.replace(".abi = BB_PLUGIN_ABI", ".abi = { BB_ABI_NUMBER + 1, 8, 8, 8 }")
        other = other.replace('.name = "host"', '.name = "other"')
        self.assertNotEqual(other, DEVICE)
        (self.work / "other.c").write_text(other)
        build, = (line for line in COMMANDS.splitlines() if line.startswith("cc "))
        self.run_command(["sh", "-e", "-c", build.replace("host", "other")])
        shutil.copy(self.work / "other.so", self.plugins / "other.so")
        self.addCleanup((self.plugins / "other.so").unlink)
        self.start(CONFIG)
        self.wait_point("here", "host.load", lambda row: row["quality"] == "good")
        self.assertRegex(self.busbard.log(), r"other\.so.*ABI")


if __name__ == "__main__":
    unittest.main()
