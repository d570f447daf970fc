# SPDX-License-Identifier: Apache-2.0
"""The journal as the agent uses it: over restarts and kills, with its options."""
import signal
import subprocess
import tempfile
import unittest

from support import BUILD, Busbard, Process, wait_for

DEVICES = {"ups-a": {"plugin": "simulator", "interval": "1s"}}


def config(state_dir, **more):
    return {"state-dir": str(state_dir), "devices": DEVICES, **more}


def events(busbard):
    rows = busbard.json("events")
    return rows["events"] if isinstance(rows, dict) else rows


class Restart(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="busbar-state-")
        self.addCleanup(folder.cleanup)
        self.state = folder.name

    def life(self, end):
        """The events of one life, the old ones included, and how it ended."""
        busbard = Busbard(config(self.state))
        try:
            wait_for(lambda: events(busbard)[-1]["device"] == "ups-a", what="the device to be found")
            rows = events(busbard)
            wait_for(lambda: busbard.json("journal", "check")["pending"] == 0, what="all events to be on disk")
            busbard.signal(end)
            busbard.wait()
        finally:
            Process.__exit__(busbard)  # that it was killed is no failure
            busbard.folder.cleanup()
        return rows

    def test_numbers_go_on_and_old_events_can_be_read_after_restarts_and_kills(self):
        seen = {}
        for end in (signal.SIGTERM, signal.SIGTERM, signal.SIGKILL, signal.SIGKILL, signal.SIGTERM):
            rows = self.life(end)
            numbers = [row["number"] for row in rows]
            self.assertEqual(numbers, sorted(set(numbers)))
            there = {row["number"]: row for row in rows}
            for number, row in seen.items():
                self.assertEqual(there.get(number), row)
            self.assertGreater(max(numbers), max(seen, default=0))
            seen = there
        kinds = [row["event"] for row in seen.values()]
        self.assertEqual(kinds.count("agent-started"), 5)
        self.assertEqual(kinds.count("agent-stopping"), 2, "the last events of a life are on disk, too")


class Options(unittest.TestCase):
    def test_a_data_log_without_end_is_refused_with_the_arithmetic(self):
        with Busbard({"devices": DEVICES}) as busbard:
            done = busbard.reload({"devices": DEVICES, "journal": {"log-interval": "1s", "keep-log": "365d"}},
                                  check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertRegex(done.stderr, r"31,536,000 rows, more than 20,000,000: 1 devices x 31,536,000 samples")

    def test_unknown_and_repeated_keys_are_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/busbar.yaml"
            for text, pattern in (("journal: { keep-event: 1d }",
                                   r":1:12: keep-event: unknown key, did you mean 'keep-events'"),
                                  ("journal: 5", r":1:10: journal: must be a mapping"),
                                  ("journal: { reserve: 1 }", r"reserve: out of range")):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text + "\n")
                done = subprocess.run([BUILD / "bin" / "busbard", "-c", path, "--check"], capture_output=True,
                                      text=True, check=False)
                self.assertRegex(done.stderr, pattern)
                self.assertNotEqual(done.returncode, 0)

    def test_the_data_log_follows_its_options_on_reload(self):
        with Busbard({"devices": DEVICES, "journal": {"log-points": []}}) as busbard:
            self.assertNotEqual(busbard.ctl("log", "ups-a", "battery.charge").returncode, 0)
            busbard.reload({"devices": DEVICES, "journal": {"log-points": ["battery.*"], "log-interval": "1s"}})
            wait_for(lambda: busbard.ctl("log", "ups-a", "battery.charge").returncode == 0, what="a sample")


if __name__ == "__main__":
    unittest.main()
