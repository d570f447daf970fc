# SPDX-License-Identifier: Apache-2.0
"""test_agentx_kill.py - snmpd is ended again and again while events happen: every notification comes, in order.

A notification counts as told when snmpd has answered it, and snmpd answers when it has handed it to the receivers'
sockets (agentx_notify() in net-snmp's agent/mibgroup/agentx/master_admin.c: send_trap_vars() comes first). What snmpd
has read and not answered, and what it has not even read, comes again from the next one. So a receiver that is there and
keeps up gets everything at least once. snmptrapd is on the same machine and gets some ten a second; a few hundred at
once may be too much for its socket.
"""
import random
import signal
import threading
import time
import unittest

from notification_case import AlarmDevice, Case, first_receipts, ours
from snmpd import Snmpd, Snmptrapd
from support import PATIENCE, Process, cut, program, say, wait_for

ALARMS = ("battery-bad", "low-battery", "input-bad", "fan-failure", "general-fault")


class Events:
    """Events from a device whose alarms come and go, until stop(): two a second for each of @alarms."""

    def __init__(self, device, alarms=ALARMS):
        self.device, self.alarms = device, alarms
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        turn = 0
        while not self._stop.wait(0.5):
            turn += 1
            self.device.set(*(self.alarms if turn % 2 else ()))

    def stop(self):
        self._stop.set()
        self._thread.join()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def unread(port):
    """Bytes that wait for snmpd in its AgentX connections: what it was told and has not read."""
    waiting = 0
    with open("/proc/net/tcp") as table:
        for line in table.readlines()[1:]:
            fields = line.split()
            if int(fields[1].split(":")[1], 16) == port and fields[3] == "01":
                waiting += int(fields[4].split(":")[1], 16)
    return waiting


class Kill(Case):
    KILLS = 100

    def end_it_some_time(self, snmpd, _, number=signal.SIGKILL):
        time.sleep(random.random() / 2)
        snmpd.process.signal(number)
        snmpd.process.wait()
        snmpd.stop()

    def end_it_with_farewell(self, snmpd, receiver):
        self.end_it_some_time(snmpd, receiver, signal.SIGTERM)

    def end_it_before_it_reads(self, snmpd, _):
        """A notification is in its socket, and stays there."""
        port = int(snmpd.agentx.rsplit(":", 1)[1])
        snmpd.pause()
        wait_for(lambda: unread(port) > 200, 20, "a notification that snmpd does not read")
        snmpd.kill()

    def end_it_before_it_answers(self, snmpd, receiver):
        """The trap has arrived; strace holds snmpd in the very call that sent it, so there is no Response."""
        strace = Process([program("strace"), "-p", snmpd.pid, "-o", "/dev/null", "-e", "trace=sendmsg",
                          "-e", "inject=sendmsg:delay_exit=30000000"])
        with strace:
            strace.wait_log("attached")
            before = len(ours(receiver))
            wait_for(lambda: len(ours(receiver)) > before, 20, "a trap")
            snmpd.process.signal(signal.SIGKILL)
            strace.signal(signal.SIGKILL)  # else it holds the corpse until the delay is over
            snmpd.kill()

    def test_every_notification_comes_at_least_once_and_first_receipts_in_order(self):
        count = cut(self.KILLS, 12, "kills of snmpd")
        ways = [self.end_it_with_farewell, self.end_it_before_it_answers, self.end_it_some_time,
                self.end_it_before_it_reads]
        with Snmptrapd() as receiver, Snmpd([receiver.sink()], agentx="tcp") as snmpd:
            device = AlarmDevice(self.folder, ALARMS)
            with self.busbard(self.config(snmpd, {"ups-a": device.section})) as busbard:
                wait_for(lambda: ours(receiver) or device.set(ALARMS[0]), what="any notification")
                with Events(device):
                    for kill in range(count):
                        served = busbard.log().count("subtrees served")
                        ways[kill % len(ways)](snmpd, receiver)
                        snmpd.start()
                        wait_for(lambda: busbard.log().count("subtrees served") > served, 20, "a new session")
                told = self.assert_told(busbard, receiver, 60)
        again = len(ours(receiver)) - len(first_receipts(receiver))
        self.assertGreaterEqual(again, count // 4, "a trap without a Response is sent again")
        say(f"{count} times TERM or KILL of snmpd, half of them between a notification and its Response: {len(told)} "
            f"notifications, none lost, first receipts in order, {again} came again")

    def test_ends_of_busbard_lose_nothing_either(self):
        """KILL it with notifications on their way: the next one sends what the journal has not seen delivered."""
        count = cut(20, 3, "kills of busbard")
        with Snmptrapd() as receiver, Snmpd([receiver.sink()]) as snmpd:
            device = AlarmDevice(self.folder, ALARMS)
            config = self.config(snmpd, {"ups-a": device.section})
            with Events(device):
                for _ in range(count):
                    busbard = self.busbard(config)
                    before = len(ours(receiver))
                    wait_for(lambda: len(ours(receiver)) > before + 10, 20, "some notifications")
                    busbard.signal(signal.SIGKILL)
                    busbard.wait()
            with self.busbard(config) as busbard:
                told = self.assert_told(busbard, receiver)
        self.assertGreater(len(told), 10 * count)
        say(f"{count} times KILL of busbard: {len(told)} notifications, none lost, first receipts in order")


class Hang(Case):
    def test_no_poll_is_late_while_snmpd_hangs_and_what_happened_follows(self):
        seconds = cut(60, 5, "seconds of SIGSTOP")
        with Snmptrapd() as receiver, Snmpd([receiver.sink()]) as snmpd:
            device = AlarmDevice(self.folder, ALARMS)
            others = {f"ups-{i:02d}": self.simulator(interval="200ms") for i in range(20)}
            with self.busbard(self.config(snmpd, {"ups-a": device.section, **others})) as busbard:
                wait_for(lambda: ours(receiver) or device.set(ALARMS[0]), what="any notification")
                rows = lambda: busbard.json("status")["devices"]
                wait_for(lambda: {row["state"] for row in rows()} == {"up"}, what="all devices to be up")
                with Events(device, ALARMS[:1]):  # all of it comes at once in the end, over UDP
                    snmpd.pause()
                    oldest, until = 0, time.monotonic() + seconds
                    while time.monotonic() < until:
                        oldest = max([oldest] + [row["age"] for row in rows()])
                    before = len(ours(receiver))
                    snmpd.resume()
                    wait_for(lambda: len(ours(receiver)) > before, what="what happened meanwhile")
                told = self.assert_told(busbard, receiver, 30)
                self.assertEqual({row["state"] for row in rows()}, {"up"})
        self.assertLess(oldest, 3 * PATIENCE, "a poll was late")  # snmpd would be waited for longer
        say(f"{seconds} s of SIGSTOP: no reading older than {oldest:.1f} s at an interval of 200 ms; {len(told)} "
            "notifications, none lost, first receipts in order")


if __name__ == "__main__":
    unittest.main()
