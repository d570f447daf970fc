# SPDX-License-Identifier: Apache-2.0
"""`./dev run` shows what it promises, and leaves nothing behind.

It runs on the tree that is under test, so that nothing is installed or built for it.
"""
import pathlib
import re
import tempfile
import unittest

from support import BUILD, SOURCE, Process, program


class Demo(unittest.TestCase):
    def test_every_part_of_it_is_shown_and_gone_afterwards(self):
        for name in "snmpd", "snmptable", "snmpget":  # without them it leaves a part out
            program(name)
        with tempfile.TemporaryDirectory(prefix="busbar-demo-") as folder:
            demo = Process([SOURCE / "dev", "run", "--stay", "--tree", BUILD], env={"TMPDIR": folder}, name="dev run")
            with demo:
                demo.wait_log("busbard goes on until Ctrl-C", timeout=90)
                status = demo.stop()
                said = demo.log()
            self.assertEqual(status, 0, said)
            self.assertEqual(list(pathlib.Path(folder).iterdir()), [])
        expected = [r"^DEVICE +STATE",
                    r"^ups-b +(fine|alarm)",  # a slow machine gets here late
                    r"^\$ snmptable .* upsInputTable$",
                    r"^ *index +upsInputFrequency +upsInputVoltage",
                    *(rf"^ +{line} +\d+\.\d Hz +\d+ V" for line in (1, 2, 3)),
                    r"^All that snmpd says of ups-b: snmpwalk .* 1\.3\.6\.1\.2\.1\.33$",
                    r"^ups-b +alarm",
                    r"alarm-raised +on-battery",
                    r"ups-b: on-battery raised",
                    r'^busbar_device_up\{device="ups-b"\} 1$',
                    r'^busbar_alarm_active\{device="ups-b",alarm="on-battery"\} 1$',
                    r"busbarctl -s \S+ watch$",
                    r"^busbard has stopped cleanly\.$"]
        at = 0
        for pattern in expected:  # in this order
            found = re.compile(pattern, re.MULTILINE).search(said, at)
            self.assertTrue(found, f"'{pattern}' is missing behind '{said[:at]}' in '{said[at:]}'")
            at = found.end()


class Arguments(unittest.TestCase):
    def test_a_tree_without_busbard_is_refused_before_anything_is_started(self):
        with Process([SOURCE / "dev", "run", "--tree", SOURCE / "docs"], name="dev run") as demo:
            self.assertNotEqual(demo.wait(), 0)
            self.assertRegex(demo.log(), r"^dev: run: there is no busbard in '.*docs/bin'$")


if __name__ == "__main__":
    unittest.main()
