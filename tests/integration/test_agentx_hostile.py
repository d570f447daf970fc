#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A master that does what no master should: each case of agentx_cases.py, over UNIX and TCP, in both byte orders. After
each, busbard lives, polls on time, answers a good master within 5 seconds, and has not grown.
"""
import pathlib
import re
import threading
import time
import traceback
import unittest

import agentx_cases
from agentx_cases import BUSBAR, CASES, NAME, UPS
from agentx_master import DEADLINE, Dropped, Master
from agentx_wire import TEST_SET, COMMIT_SET, INTEGER, OCTETS, Wire
from support import PATIENCE, SANITIZERS, Busbard, cut, say, wait_for

REGISTRATIONS = {("", UPS), ("", BUSBAR), ("ups-a", UPS), ("ups-b", UPS)}
LANES = (("unix", "<"), ("tcp", ">"), ("unix", ">"), ("tcp", "<"))
GROWTH_MAX = 1024  # KiB from one pass to the next
PEAK_MAX = 40 * 1024  # KiB resident


def configuration(master, devices=("ups-a", "ups-b")):
    return {"devices": {name: {"plugin": "simulator", "interval": "1s", "stale-after": "3s"} for name in devices},
            "exporters": {"agentx": {"master": master.address, "default-device": "ups-a", "retry": "100ms",
                                     "allow-write": True, "timeout": f"{400 * PATIENCE}ms",
                                     "ping": f"{1 * PATIENCE}s"}}}


def memory(pid, what="Private_Dirty"):
    """Kibibytes."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text() if what == "Private_Dirty" else \
        pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{what}:\s+(\d+)", text, re.MULTILINE).group(1))


class Lane:
    """A busbard and its master, which do @cases one after the other: many of them wait for a deadline, so lanes run
    side by side. @faults: what went wrong."""

    def __init__(self, kind, order, cases, passes):
        self.kind, self.wire, self.cases, self.passes = kind, Wire(order), cases, passes
        self.faults, self.sizes, self.peak = [], [], 0
        self.slowest = (0, "")
        self.thread = threading.Thread(target=self.run)

    def run(self):
        try:
            with Master(self.kind, self.wire, REGISTRATIONS) as master, Busbard(configuration(master)) as busbard:
                wait_devices(busbard)
                for _ in range(self.passes):
                    self.go_through(busbard, master)
                    self.sizes.append(memory(busbard.pid))
                self.peak = memory(busbard.pid, "VmHWM")
        except BaseException:  # pylint: disable=broad-except
            self.faults.append(f"{self.kind}, order {self.wire.order}: {traceback.format_exc()}")

    def go_through(self, busbard, master):
        talk = master.accept().reach("up")
        began, before = time.monotonic(), {row["device"]: row["polls"] for row in busbard.json("status")["devices"]}
        for case in self.cases:
            try:
                talk = self.do(case, master, talk)
                check_polls(busbard)
            except Exception:  # pylint: disable=broad-except
                self.faults.append(f"{case.name}: {traceback.format_exc()}")
                if busbard.returncode is not None:
                    raise
                talk.close()
                talk = master.accept().reach("up")
        talk.close()
        passed = time.monotonic() - began
        for row in busbard.json("status")["devices"]:
            polls = row["polls"] - before[row["device"]]
            assert polls >= int(passed) / PATIENCE - 2, f"{row['device']}: {polls} polls in {passed} s"

    def do(self, case, master, talk):
        """One case. Returns a connection that is up, for the next one."""
        if talk.state != case.state:
            talk.close()
            talk = master.accept().reach(case.state)
        began = time.monotonic()
        try:
            case.act(talk)
            if case.ends == "drops":
                talk.serve_until_dropped()
            elif case.ends == "starves":
                talk.wait_dropped()
        except Dropped:
            if case.ends == "stays":
                raise
        if case.ends == "stays":
            check_good(talk.reach("up"))
            return talk
        talk.close()
        acted = time.monotonic()
        talk = master.accept().reach("up")
        check_good(talk)
        assert time.monotonic() - acted < DEADLINE * PATIENCE, "busbard was too late to come back"
        self.slowest = max(self.slowest, (time.monotonic() - began, case.name))
        return talk


def check_good(talk):
    """What a good master hears."""
    for context, name in ((None, b"ups-a"), ("ups-b", b"ups-b")):
        for found in (talk.get(NAME, context=context)[0], talk.next(f"{UPS}.1.1.5", context=context)):
            assert found.value == name, found


def check_polls(busbard):
    for row in busbard.json("status")["devices"]:
        assert (row["state"], row["errors"]) == ("up", 0), row
        assert row["age"] < 3, row


def wait_devices(busbard):
    wait_for(lambda: all(row["state"] == "up" for row in busbard.json("status")["devices"]), what="the devices")


class Hostile(unittest.TestCase):
    def test_no_master_does_harm(self):
        self.assertEqual(len({case.name for case in CASES}), len(CASES), "two cases have one name")
        self.assertGreaterEqual(len(CASES), 100)
        each = cut(len(LANES), 1, "ways (UNIX and TCP, both byte orders) for each thing a master should not do")
        lanes = [Lane(*way, CASES if each > 1 else CASES[number::len(LANES)], 2 if each > 1 else 1)
                 for number, way in enumerate(LANES)]
        for lane in lanes:
            lane.thread.start()
        for lane in lanes:
            lane.thread.join()
            say(f"{len(lane.cases)} things a master should not do over {lane.kind}, order {lane.wire.order}: the "
                f"longest took {lane.slowest[0]:.1f} s ({lane.slowest[1]}), {lane.peak} KiB were resident at most, "
                f"Private_Dirty after each pass {lane.sizes} KiB")
        self.assertEqual([fault for lane in lanes for fault in lane.faults], [])
        for lane in lanes:
            if not SANITIZERS:
                self.assertLess(lane.peak, PEAK_MAX)
                self.assertLess(lane.sizes[-1] - lane.sizes[0], GROWTH_MAX)

    def test_a_master_that_accepts_nobody(self):
        """The kernel says yes until its queue is full, and then nothing."""
        with Master("unix", Wire("<"), REGISTRATIONS) as master, Busbard(configuration(master)) as busbard:
            busbard.wait_log(r"agentx: .*does not answer|agentx: .*no connection")
            wait_devices(busbard)
            check_polls(busbard)
            for _ in range(50):  # those that it has given up
                talk = master.accept()
                try:
                    check_good(talk.reach("up"))
                    return
                except Dropped:
                    pass
                finally:
                    talk.close()
            self.fail("no connection of fifty was good")

    def test_a_device_that_goes_between_test_set_and_commit_set(self):
        for varbind in ((OCTETS, agentx_cases.ATTACHED, "x"), (INTEGER, agentx_cases.SPIN_LOCK, None)):
            with self.subTest(varbind), Master("unix", Wire("<"), REGISTRATIONS) as master, \
                    Busbard(configuration(master)) as busbard:
                talk = master.accept().reach("up")
                wait_devices(busbard)
                kind, name, value = varbind
                if value is None:
                    value = talk.get(name, context="ups-b")[0].value
                response = talk.ask(TEST_SET, talk.wire.varbind(kind, name, value), transaction=1, context="ups-b")
                self.assertEqual(response.error, 0)
                busbard.write_config(configuration(master, ("ups-a",)))
                done = busbard.ctl("reload")
                self.assertEqual(done.returncode, 0, done.stderr)
                while ("ups-b", UPS) in talk.registered:
                    talk.serve(talk.message())
                talk.ask(COMMIT_SET, transaction=1)
                self.assertEqual(talk.get(NAME)[0].value, b"ups-a")
                talk.close()


if __name__ == "__main__":
    unittest.main()
