# SPDX-License-Identifier: Apache-2.0
"""The manual pages say what the programs say: every option of every plugin with its default, and examples that load.

The option tables of the plugins are the truth; busbarctl shows them. A plugin without a page, an option without a
paragraph, a paragraph about an option that has gone and a default that has changed all fail here, for plugins that
nobody has written yet, too.
"""
import pathlib
import re
import subprocess
import tempfile
import unittest

from support import BUILD, SOURCE, Busbard

MANUAL = SOURCE / "docs" / "man"


def section(page, heading):
    """The lines under a heading of a page, up to the next heading."""
    found = re.search(rf"^# {heading}\n(.*?)(?=^# |\Z)", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return found.group(1) if found else ""


def paragraphs(text):
    """{option: what is said about it}: a paragraph begins with the names of its options, its text is indented."""
    told, names = {}, []
    for line in text.splitlines():
        if line.startswith("*"):
            names = re.findall(r"\*([a-z-]+)\*", line)
            told.update({name: line for name in names})
        elif line.startswith("\t"):
            for name in names:
                told[name] += " " + line.strip()
    return told


def examples(path):
    """The configurations that a text shows."""
    blocks = re.findall(r"^```(?:yaml)?\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [block for block in blocks if re.search(r"^(devices|exporters):", block, re.MULTILINE)]


class Plugins(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with Busbard("devices: {}\n") as busbard:
            cls.plugins = [busbard.json("plugin", row["plugin"]) for row in busbard.json("plugins")]

    def check(self, page, told, options):
        self.assertEqual(set(told), {option["name"] for option in options}, page.name)
        for option in options:
            if option["default"] is not None:
                self.assertIn(option["default"], told[option["name"]], f"{page.name}: the default of {option['name']}")
            if option["type"] == "choice":
                for choice in option["choices"]:
                    self.assertIn(f"*{choice}*", told[option["name"]], f"{page.name}: choices of {option['name']}")

    def test_every_option_of_every_plugin_is_in_its_page_with_its_default_and_no_other(self):
        self.assertGreaterEqual(len(self.plugins), 3)
        for plugin in self.plugins:
            page = MANUAL / f"busbar-{plugin['plugin']}.7.scd"
            with self.subTest(page=page.name):
                self.check(page, paragraphs(section(page, "OPTIONS")),
                           [option for option in plugin["options"] if not option["common"]])

    def test_the_options_that_every_device_has_are_in_busbar_yaml(self):
        page = MANUAL / "busbar.yaml.5.scd"
        device = next(plugin for plugin in self.plugins if plugin["plugin"] == "simulator")
        self.check(page, paragraphs(section(page, "OPTIONS OF EVERY DEVICE")),
                   [option for option in device["options"] if option["common"]])


class Configuration(unittest.TestCase):
    """The tables of the core, which no command shows: what their sources say counts."""

    def check(self, heading, source, more=()):
        told = paragraphs(section(MANUAL / "busbar.yaml.5.scd", heading))
        table = (SOURCE / source).read_text(encoding="utf-8")
        self.assertEqual(set(told), set(re.findall(r'^\t\{\.name = "([a-z-]+)"', table, re.MULTILINE)) | set(more))
        for name, preset in re.findall(r'\{\.name = "([a-z-]+)",\s*\.type = \w+,\s*\.preset = "([^"]+)"', table):
            if " " not in preset and name != "device":
                self.assertIn(preset, told[name], f"the default of {name}")

    def test_every_top_level_key_is_in_busbar_yaml(self):
        self.check("TOP-LEVEL KEYS", "core/configuration.c", ("devices", "exporters", "alarms", "journal"))

    def test_every_option_of_a_rule_is_in_busbar_yaml(self):
        self.check("ALARMS", "core/rule_section.c")

    def test_every_option_of_the_journal_is_in_busbar_yaml(self):
        self.check("JOURNAL", "core/journal.c")


class Programs(unittest.TestCase):
    def test_every_option_of_the_command_lines_is_in_its_page(self):
        for program, page in (("busbard", "busbard.8.scd"), ("busbarctl", "busbarctl.1.scd")):
            done = subprocess.run([BUILD / "bin" / program, "--help"], capture_output=True, text=True, check=True)
            options = re.findall(r"^ {2,6}(?:-\w, )?(--[a-z-]+)", done.stdout, re.MULTILINE)
            self.assertGreaterEqual(len(options), 5)
            said = section(MANUAL / page, "OPTIONS")
            for option in options:
                self.assertIn(f"*{option}*", said, page)


class Architecture(unittest.TestCase):
    def test_every_module_of_the_core_has_its_row(self):
        page = (SOURCE / "docs/architecture.md").read_text(encoding="utf-8")
        rows = re.search(r"^## Core modules.*?(?=^## )", page, re.MULTILINE | re.DOTALL).group()
        named = {name for row in re.findall(r"^\| (`[^|]*) \|", rows, re.MULTILINE)
                 for name in re.findall(r"`(\w+)`", row)}
        modules = {path.stem for path in (SOURCE / "core").glob("*.c")}
        self.assertEqual({name for name in modules
                          if not any(name == row or name.startswith(f"{row}_") for row in named)}, set(), "no row")
        self.assertEqual({row for row in named if row not in modules}, set(), "no such module")


class Examples(unittest.TestCase):
    def check(self, example):
        """busbard --check; files that the example names are those of the source tree, or made up here."""
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            for name in re.findall(r"[\w-]+-file: *([^\s,}]+)", example):
                example = example.replace(name, pathlib.Path(name).name)
                (folder / pathlib.Path(name).name).write_text("a long passphrase\nand another one\n")
                (folder / pathlib.Path(name).name).chmod(0o600)
            for name in re.findall(r"scenario: *([^\s,}]+)", example):
                example = example.replace(name, str(SOURCE / "plugins/simulator" / pathlib.Path(name).name))
            config = folder / "busbar.yaml"
            config.write_text(example)
            config.chmod(0o600)
            done = subprocess.run([BUILD / "bin" / "busbard", "--check", "-c", config], capture_output=True, text=True,
                                  check=False, stdin=subprocess.DEVNULL)
            self.assertEqual(done.returncode, 0, f"{example}\n{done.stderr}")

    def test_every_page_about_a_plugin_has_one_and_all_load(self):
        for page in sorted(MANUAL.glob("busbar-*.7.scd")):
            with self.subTest(page=page.name):
                found = examples(page)
                self.assertTrue(found, "no example")
                for example in found:
                    self.check(example)

    def test_those_of_other_texts_load(self):
        for path in (MANUAL / "busbar.yaml.5.scd", SOURCE / "README.md", *sorted((SOURCE / "docs").glob("*.md"))):
            for example in examples(path):
                with self.subTest(path=path.name):
                    self.check(example)


if __name__ == "__main__":
    unittest.main()
