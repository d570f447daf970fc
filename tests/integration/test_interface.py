# SPDX-License-Identifier: Apache-2.0
"""The plugin interface is what its headers say: nothing that is declared lacks, nothing else is exported.

Plugins are bound when they are loaded (RTLD_NOW), so a function that a header promises and the program does not have
would show on a user's machine first. A function that is exported and stands in no header is a promise by accident.
"""
import re
import subprocess
import tempfile
import unittest

from support import BUILD, SOURCE, program

PUBLIC = sorted((SOURCE / "core/include/busbar").glob("*.h"))
SNMP = [SOURCE / "core/helpers/snmp/include/busbar/snmp.h"]


def statements(path):
    """The declarations of a header, each with what stands before it: blank lines and its comment."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"^#.*?(?<!\\)$", lambda found: "\n" * found.group().count("\n"), text,
                  flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"\{[^{}]*\}", "{}", re.sub(r"/\*.*?\*/|[{}]", lambda found: found.group().replace(";", ","), text,
                                             flags=re.DOTALL))
    return text.split(";")


def functions(path):
    """{name: comment} of the functions that a header declares. A comment speaks for all lines up to an empty one."""
    found = {}
    comment = ""
    for statement in statements(path):
        comments = re.findall(r"/\*.*?\*/", statement, re.DOTALL)
        code = re.sub(r"/\*.*?\*/", "", statement, flags=re.DOTALL).strip()
        if comments or re.match(r"\s*\n\s*\n", statement):
            comment = comments[-1] if comments else ""
        name = re.match(r"(?!typedef|static)[\w\s*]*?\b(bb_\w+)\(", code)
        if name:
            found[name.group(1)] = comment
    return found


def exported(path):
    done = subprocess.run([program("nm"), "-D", "--defined-only", path], capture_output=True, text=True, check=True)
    return {line.split()[-1] for line in done.stdout.splitlines() if re.match(r"bb_", line.split()[-1])}


class Interface(unittest.TestCase):
    def check(self, headers, binary):
        declared = set()
        for header in headers:
            declared |= set(functions(header))
        self.assertGreater(len(declared), 10)
        self.assertEqual(declared - exported(binary), set(), "declared, but not there")
        self.assertEqual(exported(binary) - declared, set(), "there, but in no header")

    def test_busbard_has_all_that_its_headers_declare_and_exports_nothing_else(self):
        self.check(PUBLIC, BUILD / "bin/busbard")

    def test_the_snmp_library_has_all_that_its_header_declares_and_exports_nothing_else(self):
        library = BUILD / "lib/busbar/libbusbar-snmp.so"
        if not library.exists():
            self.skipTest("libbusbar-snmp is not part of this build")
        self.check(SNMP, library)

    def test_plugins_export_their_one_object(self):
        plugins = sorted((BUILD / "lib/busbar/plugins").glob("*.so"))
        self.assertTrue(plugins)
        for plugin in plugins:
            self.assertEqual(exported(plugin), {"bb_plugin_object"}, plugin.name)

    def test_every_function_has_a_comment_for_those_who_call_it(self):
        for header in PUBLIC + SNMP:
            for name, comment in functions(header).items():
                self.assertTrue(comment.startswith("/**"), f"{header.name}: {name}")


class Headers(unittest.TestCase):
    def test_each_needs_no_other_before_it_and_has_no_warnings(self):
        cache = (BUILD / "CMakeCache.txt").read_text()
        compiler = re.search(r"^CMAKE_C_COMPILER:\w+=(.*)$", cache, re.MULTILINE).group(1)
        for header in PUBLIC + SNMP:
            with self.subTest(header=header.name), tempfile.NamedTemporaryFile("w", suffix=".c") as source:
                source.write(f"#include <busbar/{header.name}>\n#include <busbar/{header.name}>\nint used;\n")
                source.flush()
                done = subprocess.run([compiler, "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Wstrict-prototypes",
                                       "-Werror", "-fsyntax-only", "-I", SOURCE / "core/include",
                                       "-I", SOURCE / "core/helpers/snmp/include", source.name],
                                      capture_output=True, text=True, check=False)
                self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
