# SPDX-License-Identifier: Apache-2.0
"""busbarctl trap-test: messages that exporters send as a test, with an exporter that only says so (tester.c)."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from support import BUILD, SOURCE, Busbard, wait_for

DEVICES = {name: {"plugin": "simulator"} for name in ("ups-a", "ups-b")}


class TrapTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.plugins = tempfile.TemporaryDirectory(prefix="busbar-")
        cls.addClassCleanup(cls.plugins.cleanup)
        for path in (BUILD / "lib/busbar/plugins/simulator.so", BUILD / "lib/busbar/plugins/modbus.so",
                     BUILD / "tests/tester.so"):
            copy = pathlib.Path(cls.plugins.name, path.name)
            shutil.copy(path, copy)
            os.chmod(copy, 0o644)  # busbard refuses plugins that others could have written

    def start(self, exporters, devices=None):
        daemon = Busbard({"devices": DEVICES if devices is None else devices, "exporters": exporters},
                         plugin_dir=self.plugins.name)
        self.addCleanup(daemon.stop)
        return daemon

    @staticmethod
    def asked(daemon):
        return [event for event in daemon.json("events") if event["event"] == "test"]

    def refused(self, daemon, *args, said, status=1):
        before = len(self.asked(daemon))
        done = daemon.ctl("trap-test", *args)
        self.assertEqual((done.returncode, done.stdout), (status, ""))
        self.assertIn(said, done.stderr)
        self.assertEqual(len(self.asked(daemon)), before, "nothing was asked for")

    def test_a_message_is_one_event_that_each_exporter_is_told(self):
        with self.start({"tester": {}, "second": {"plugin": "tester"}}) as daemon:
            done = daemon.ctl("trap-test", "world", "--device", "ups-b")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            event, = self.asked(daemon)
            self.assertEqual(done.stdout, "".join(f"{name} sends world as if from ups-b, for event {event['number']}.\n"
                                                  for name in ("second", "tester")))
            self.assertEqual({key: event[key] for key in ("severity", "device", "subject", "source", "text", "raised")},
                             {"severity": "info", "device": "ups-b", "subject": "world", "raised": None,
                              "source": f"busbarctl uid {os.getuid()}", "text": "a test of world is asked for"})
            for name in ("tester", "second"):
                wait_for(lambda: f"{name}: test 'world' from 'ups-b' by 'busbarctl uid {os.getuid()}'" in daemon.log(),
                         what=f"{name} to be told")

    def test_without_a_name_the_usual_message_comes_from_the_first_device(self):
        with self.start({"tester": {}}) as daemon:
            row, = daemon.json("trap-test")
            event, = self.asked(daemon)
            self.assertEqual(row, {"exporter": "tester", "message": "hello", "usual": True, "device": "ups-a",
                                   "event": event["number"]})
            self.assertEqual((event["subject"], event["device"]), ("", "ups-a"))
            row, = daemon.json("trap-test", "world", "-d", "-")
            self.assertEqual((row["message"], row["device"]), ("world", None))
            self.assertIsNone(self.asked(daemon)[1]["device"])

    def test_without_devices_it_comes_from_none(self):
        with self.start({"tester": {}}, devices={}) as daemon:
            self.assertRegex(daemon.ctl("trap-test").stdout, r"^tester sends hello, for event \d+\.\n$")
            self.assertIsNone(self.asked(daemon)[0]["device"])

    def test_the_messages_there_are_can_be_listed_and_completed(self):
        modbus = {"listen": "127.0.0.1:0", "units": {1: [{"device": "ups-a"}]}}  # which sends none
        with self.start({"tester": {}, "modbus": modbus}) as daemon:
            self.assertEqual(daemon.json("trap-test", "--list"),
                             [{"exporter": "tester", "message": "hello", "usual": True},
                              {"exporter": "tester", "message": "world", "usual": False}])
            lines = daemon.ctl("trap-test", "--list").stdout.splitlines()
            self.assertRegex(lines[1], r"^tester +hello +unless another is named$")
            self.assertEqual(daemon.ctl("complete", "tests").stdout.split(), ["hello", "world"])
            script = SOURCE / "packaging/bash-completion/busbarctl"
            program = (f"source {script}; COMP_WORDS=({BUILD}/bin/busbarctl -s {daemon.socket} trap-test w); "
                       f"COMP_CWORD=4; _busbarctl; echo \"${{COMPREPLY[@]}}\"")
            done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, timeout=30, check=False)
            self.assertEqual((done.stdout, done.stderr), ("world\n", ""))
            self.assertEqual(self.asked(daemon), [], "nothing is sent")

    def test_what_cannot_be_sent_is_refused_with_the_reason(self):
        with self.start({"tester": {}}) as daemon:
            self.refused(daemon, "wrold", said="no exporter knows a message 'wrold'; there are hello, world, "
                                               "did you mean 'world'?")
            self.refused(daemon, "world", "--device", "ups-c", said="no device 'ups-c', did you mean 'ups-")
            self.refused(daemon, "--device", "ups-*", said="no device 'ups-*'")
            self.refused(daemon, "--list", "world", said="--list sends nothing", status=2)
        with self.start({}) as daemon:
            self.refused(daemon, said="none of the configured exporters sends test messages")
            self.refused(daemon, "--list", said="none of the configured exporters sends test messages")
        with self.start({"tester": {"refuse": True}}) as daemon:
            self.refused(daemon, said="exporter tester does not run, and no other sends test messages")


if __name__ == "__main__":
    unittest.main()
