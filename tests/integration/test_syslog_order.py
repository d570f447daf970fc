# SPDX-License-Identifier: Apache-2.0
"""test_syslog_order.py - what comes before what: on disk before on the wire, in time whoever else is silent, in order
whatever the clock says."""
import pathlib
import re
import subprocess
import time
import unittest

from snmp_ups import BATTERY, NORMAL, BlackHoles, SnmpUps
from support import SANITIZERS, Busbard, Process, program, say, wait_for
from syslog_case import QUICK, Case
from syslog_peers import Rsyslog


class Durable(Case):
    EVENTS = 12

    def trace(self, busbard):
        path = self.folder / "trace"
        strace = Process([program("strace"), "-f", "-y", "-s", "100000", "-o", path, "-p", busbard.pid,
                          "-e", "trace=pwrite64,write,fdatasync,sendto"])
        try:
            strace.wait_log("attached")
        except AssertionError as error:
            self.skipTest(f"strace cannot attach here: {error}")
        return strace, path

    @staticmethod
    def calls(text):
        """(line where it began, line where it ended, thread, name, arguments) of each call."""
        begun = {}
        for place, line in enumerate(text.splitlines()):
            found = re.match(r"(\d+) +(\w+)\((.*)", line)
            resumed = re.match(r"(\d+) +<\.\.\. (\w+) resumed>", line)
            if found and line.endswith("<unfinished ...>"):
                begun[found[1]] = (place, found[2], found[3])
            elif found:
                yield place, place, found[1], found[2], found[3]
            elif resumed and resumed[1] in begun:
                began, name, arguments = begun.pop(resumed[1])
                yield began, place, resumed[1], name, arguments

    def test_an_event_is_on_disk_before_its_first_byte_is_on_the_wire(self):
        """Seen by strace: a write to the database's log that has the device's name for the first time, fdatasync on
        that file, and only then the message. Every event is about a device with a name of its own."""
        if SANITIZERS:
            self.skipTest("leak checking and strace both want to trace the process")
        with Rsyslog() as rsyslog:
            exporter = {**QUICK, "server": f"tcp://127.0.0.1:{rsyslog.tcp_port}"}
            devices = {}
            with Busbard(self.config({"syslog": exporter})) as busbard:
                wait_for(rsyslog.lines, 10, "the first message")
                strace, path = self.trace(busbard)
                with strace:
                    for index in range(self.EVENTS):
                        devices[f"unmistakable-{index:02d}"] = {"plugin": "simulator"}
                        busbard.reload(self.config({"syslog": exporter}, devices))
                    found = lambda: {row["busbar"].get("device") for row in rsyslog.lines()}
                    wait_for(lambda: set(devices) <= found(), 20, lambda: f"all devices in {found()}")
                calls = list(self.calls(path.read_text(errors="replace")))
        for name in devices:
            sent = [call for call in calls if call[3] == "sendto" and name in call[4] and "[busbar@" in call[4]]
            written = [call for call in calls
                       if call[3] in ("pwrite64", "write") and "-wal>" in call[4] and name in call[4]]
            self.assertTrue(sent and written, f"{name}: {len(sent)} sent, {len(written)} written")
            synced = [call for call in calls if call[3] == "fdatasync" and "-wal>" in call[4]
                      and call[0] > written[0][1] and call[1] < sent[0][0]]
            self.assertTrue(synced, f"{name}: written at line {written[0][1]}, sent at line {sent[0][0]} of the trace, "
                                    "and no fdatasync in between")
        say(f"{len(devices)} events: on disk before on the wire, as strace saw it")


class InTime(Case):
    def test_a_mains_failure_is_told_while_a_third_of_the_others_are_black_holes(self):
        """tests/bench/bench_syslog.py measures it; here deadlines are generous."""
        with SnmpUps() as ups, BlackHoles(6) as holes, Rsyslog() as rsyslog:
            devices = {"ups": ups.device(interval="5s", watch="500ms"), **holes.devices(interval="1s")}
            devices.update({f"live-{i}": {"plugin": "simulator", "interval": "1s"} for i in range(14)})
            exporter = {**QUICK,
                        "servers": [f"tcp://127.0.0.1:{rsyslog.tcp_port}", f"udp://127.0.0.1:{rsyslog.udp_port}"]}
            rows = lambda: [(row["input"], row["busbar"]["state"]) for row in rsyslog.lines()
                            if row["busbar"].get("device") == "ups" and row["busbar"].get("alarm") == "on-battery"]
            with Busbard(self.config({"syslog": exporter}, devices)) as busbard:
                wait_for(lambda: "output.source" in busbard.points("ups"), 10, "the UPS")
                slowest = 0
                for _ in range(3):
                    for source, state in ((BATTERY, "raised"), (NORMAL, "cleared")):
                        before = len(rows())
                        begin = ups.switch(source)
                        wait_for(lambda: len(rows()) >= before + 2, 5, lambda: f"{state} over both ways; {rows()}")
                        slowest = max(slowest, time.monotonic() - begin)
                        self.assertEqual(sorted(rows()[before:]), [("tcp", state), ("udp", state)])
            say(f"mains failures reached rsyslog's file within {slowest * 1000:.0f} ms, polled every 500 ms")


class Clocks(Case):
    def test_order_and_numbers_survive_jumps_of_the_wall_clock(self):
        library = next(pathlib.Path("/usr/lib").rglob("libfaketimeMT.so.1"), None)
        if not library:
            self.skipTest("libfaketime is not installed (./dev deps installs it)")
        if SANITIZERS:
            self.skipTest("sanitizers and libfaketime both want to be loaded first")
        offset = self.folder / "offset"
        offset.write_text("+0")
        env = {"LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(offset), "FAKETIME_NO_CACHE": "1",
               "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        with Rsyslog() as rsyslog:
            exporter = {**QUICK, "server": f"tcp://127.0.0.1:{rsyslog.tcp_port}"}
            with Busbard(self.config({"syslog": exporter}), env=env) as busbard:
                for jump in ("+0", "-3600", "+86400", "-400d", "+0"):
                    offset.write_text(jump)
                    last = self.make_events(busbard, 3)
                    wait_for(lambda: last in rsyslog.numbers(), 10, lambda: f"event {last} in {rsyslog.numbers()}")
            rows = rsyslog.lines()
            self.assertEqual([int(row["busbar"]["event"]) for row in rows], list(range(1, len(rows) + 1)))
            self.assertEqual([int(row["sd"]["meta"]["sequenceid"]) for row in rows], list(range(1, len(rows) + 1)))
            times = [row["time"] for row in rows]
            self.assertNotEqual(times, sorted(times), "the clock did jump")


if __name__ == "__main__":
    unittest.main()
