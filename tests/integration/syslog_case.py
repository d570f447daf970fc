# SPDX-License-Identifier: Apache-2.0
"""What the tests of syslog share: configurations, events on demand, and what a sequence without loss looks like."""
import pathlib
import tempfile
import unittest

# Patient as far as correctness goes, impatient where a test would wait.
QUICK = {"plugin": "syslog", "retry": "200ms", "settle": "300ms", "timeout": "2s"}

MAINS_FAILURE = "at 1s mains off\nat 600s mains on\n"


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="busbar-syslog-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def config(self, exporters, devices=None):
        (self.folder / "scenario").write_text(MAINS_FAILURE)
        (self.folder / "state").mkdir(exist_ok=True)
        return {"state-dir": str(self.folder / "state"), "devices": devices or {}, "exporters": exporters}

    def ups(self):
        return {"ups-a": {"plugin": "simulator", "interval": "1s", "watch": "200ms",
                          "scenario": str(self.folder / "scenario")}}

    def busy(self, count):
        """Devices with about 80 events a second each."""
        alarms = ("battery-bad", "low-battery", "depleted-battery", "temp-bad", "input-bad", "output-bad", "on-bypass",
                  "output-overload", "bypass-bad", "charger-failed", "fan-failure", "general-fault", "on-battery")
        lines = [f"at {moment} alarm {alarm} {state}" for moment, state in (("1s", "on"), ("2500ms", "off"))
                 for alarm in alarms]
        (self.folder / "busy").write_text("\n".join(lines + ["repeat 3s", ""]))
        return {f"busy-{i}": {"plugin": "simulator", "interval": "100ms", "watch": "0s", "speed": 10,
                              "scenario": str(self.folder / "busy")} for i in range(count)}

    def events(self, busbard):
        return busbard.json("events")

    def make_events(self, busbard, count):
        """@count events of known kind; returns the number of the last."""
        for _ in range(count):
            busbard.reload()
        return self.newest(busbard)

    def newest(self, busbard):
        return self.events(busbard)[-1]["number"]

    def assert_sequence(self, numbers, upto, what=""):
        """Everything is there up to @upto, and in order when repeats are taken out."""
        first = sorted(set(numbers))
        self.assertEqual(first, list(range(first[0], upto + 1)), what)
        seen = 0
        for one in numbers:
            self.assertLessEqual(one, seen + 1 if seen else first[0], f"{what}: skips in {numbers}")
            seen = max(seen, one)
