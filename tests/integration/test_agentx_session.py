#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The connection to snmpd: snmpd comes later, comes back, is killed, hangs, refuses; devices come and go.

Everything here is about a real snmpd. In every case all that is registered must be there again within 5 seconds, and
no poll may notice.
"""
import os
import pathlib
import re
import signal
import socket
import struct
import tempfile
import threading
import time
import unittest

from snmpd import Snmpd, SnmpError
from support import PATIENCE, SANITIZERS, Busbard, cut, program, say, wait_for

UPS = "1.3.6.1.2.1.33"
NAME = f"{UPS}.1.1.5.0"  # upsIdentName: the simulator's is the device's name
ATTACHED = f"{UPS}.1.1.6.0"  # upsIdentAttachedDevices
BUSBAR = "1.3.6.1.4.1.8072.9999.9999.1628"
BACK_WITHIN = 5
BUSY = 3  # more seconds, because the machine may have other things to do


def configuration(master, devices=("ups-a", "ups-b"), **options):
    options.setdefault("default-device", "ups-a")
    return {"devices": {name: {"plugin": "simulator", "interval": "1s", "stale-after": "3s"} for name in devices},
            "exporters": {"agentx": {"master": master, **options}}}


def ask(snmpd, context, timeout=1):
    """The device's name, or None while nobody answers."""
    try:
        return snmpd.get(NAME, context=context, timeout=timeout).value
    except SnmpError:
        return None


def served(snmpd, contexts, timeout=1):
    """Does each context show the device that it should? @contexts: {"": "ups-a", "ups-b": "ups-b"}; None: nothing."""
    return all(ask(snmpd, context, timeout) == (device and device.encode()) for context, device in contexts.items())


def wait_served(snmpd, contexts, timeout=BACK_WITHIN + BUSY):
    """Returns after how many seconds everything was served."""
    began = time.monotonic()
    wait_for(lambda: served(snmpd, contexts), timeout, f"the contexts {contexts}")
    return time.monotonic() - began


def wait_sessions(busbard, count):
    """Waits for the sessions that have been opened and registered since the start to be @count; more are a failure."""
    wait_for(lambda: busbard.log().count("subtrees served") >= count, what=f"session {count}")
    assert busbard.log().count("subtrees served") == count, busbard.log()


def memory(pid):
    """Kibibytes of its own that it has written to."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Private_Dirty: +(\d+)", text, re.MULTILINE).group(1))


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


class Polls:
    """Looks, while something happens, whether polls go on: `with Polls(busbard): …`."""

    def __init__(self, busbard):
        self.busbard, self.oldest, self.states = busbard, 0, set()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.look)

    def devices(self):
        return {row["device"]: row for row in self.busbard.json("status")["devices"]}

    def look(self):
        while not self.over.wait(0.1):
            for row in self.devices().values():
                self.oldest = max(self.oldest, row["age"])
                self.states.add(row["state"])

    def __enter__(self):
        wait_for(lambda: all(row["state"] == "up" for row in self.devices().values()), what="the devices to be up")
        self.began, self.before = time.monotonic(), self.devices()
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.over.set()
        self.thread.join()
        if kind is not None:
            return
        passed = time.monotonic() - self.began
        for name, row in self.devices().items():
            polls = row["polls"] - self.before[name]["polls"]
            assert polls >= int(passed) / PATIENCE - 1, f"{name} was polled {polls} times in {passed:.1f} s"
            assert row["errors"] == 0, row
        assert self.states == {"up"}, f"devices were {self.states}"
        assert self.oldest < 3, f"a reading was {self.oldest} s old"


class Coming(unittest.TestCase):
    """snmpd is not always there."""

    CONTEXTS = {"": "ups-a", "ups-a": "ups-a", "ups-b": "ups-b"}

    def snmpd(self, **options):
        snmpd = Snmpd(contexts=["ups-a", "ups-b"], **options)
        self.addCleanup(snmpd.__exit__)
        return snmpd

    def test_snmpd_may_be_started_later(self):
        for agentx in "unix", "tcp":
            with self.subTest(agentx):
                snmpd = self.snmpd(agentx=agentx)
                snmpd.stop()
                with Busbard(configuration(snmpd.agentx)) as busbard:
                    busbard.wait_log(f"agentx: {re.escape(snmpd.agentx)}: no connection: "
                                     rf".*'master agentx' and 'agentXSocket {re.escape(snmpd.agentx)}' in snmpd.conf")
                    snmpd.start()
                    wait_served(snmpd, self.CONTEXTS)
                    busbard.wait_log(r"notice agentx: .*4 subtrees")

    def test_it_may_be_restarted_and_killed(self):
        for agentx in "unix", "tcp":
            with self.subTest(agentx), self.snmpd(agentx=agentx) as snmpd, \
                    Busbard(configuration(snmpd.agentx)) as busbard:
                wait_served(snmpd, self.CONTEXTS)
                with Polls(busbard):
                    for end in snmpd.stop, snmpd.kill:
                        end()
                        snmpd.start()
                        wait_served(snmpd, self.CONTEXTS)
                        self.assertTrue(snmpd.walk(BUSBAR))

    def test_it_may_hang(self):
        seconds = cut(60, 5, "seconds that snmpd hangs")
        with self.snmpd() as snmpd, Busbard(configuration(snmpd.agentx, timeout="1s", ping="1s")) as busbard:
            wait_served(snmpd, self.CONTEXTS)
            with Polls(busbard):
                snmpd.pause()
                until = time.monotonic() + seconds
                busbard.wait_log("agentx: .*: it does not answer")
                while time.monotonic() < until:
                    self.assertEqual(busbard.ctl("status").returncode, 0)
                    time.sleep(0.1)
                snmpd.resume()
                say(f"{wait_served(snmpd, self.CONTEXTS):.1f} s after snmpd had hung for {seconds} s all was served")
                # What it had not read of the connections before must not come in between any more.
                for _ in range(20):
                    self.assertTrue(served(snmpd, self.CONTEXTS, timeout=10))

    def test_many_restarts_leave_nothing_behind(self):
        times = cut(100, 5, "restarts of snmpd")
        slowest = 0
        with self.snmpd() as snmpd, Busbard(configuration(snmpd.agentx)) as busbard:
            wait_served(snmpd, self.CONTEXTS)
            for number in range(times):
                if number == times // 4:  # from here on everything has been used once
                    before = memory(busbard.pid), descriptors(busbard.pid)
                (snmpd.kill if number % 2 else snmpd.stop)()
                snmpd.start()
                slowest = max(slowest, wait_served(snmpd, self.CONTEXTS))
            after = memory(busbard.pid), descriptors(busbard.pid)
            say(f"{times} restarts of snmpd: all served again after {slowest:.1f} s at most; private memory "
                f"{before[0]} KiB before, {after[0]} KiB after; {after[1]} descriptors")
            self.assertEqual(after[1], before[1])
            if not SANITIZERS:  # they keep what was freed
                self.assertLess(after[0] - before[0], 256, "KiB more")

    def test_busbard_stops_at_once_while_snmpd_hangs(self):
        with self.snmpd() as snmpd, Busbard(configuration(snmpd.agentx)) as busbard:
            wait_served(snmpd, self.CONTEXTS)
            snmpd.pause()
            began = time.monotonic()
            self.assertEqual(busbard.stop(), 0)
            self.assertLess(time.monotonic() - began, 4 * PATIENCE)  # less than it waits for answers

    def test_snmpd_may_read_its_configuration_again(self):
        with self.snmpd() as snmpd, Busbard(configuration(snmpd.agentx)) as busbard:
            wait_served(snmpd, self.CONTEXTS)
            snmpd.process.signal(signal.SIGHUP)
            snmpd.process.wait_log("restarted")
            wait_served(snmpd, self.CONTEXTS)
            self.assertEqual(busbard.log().count("subtrees served"), 1, "the same session goes on")

    def test_a_stopped_busbard_says_good_bye(self):
        with self.snmpd() as snmpd:
            for _ in range(3):  # what it had registered is free again at once
                with Busbard(configuration(snmpd.agentx)) as busbard:
                    wait_served(snmpd, self.CONTEXTS)
                    self.assertNotIn("is not served", busbard.log())
                wait_served(snmpd, {"": None, "ups-b": None})


class Refusing(unittest.TestCase):
    """There is something, but not for us."""

    def test_permissions_are_explained(self):
        # A mode that keeps out the owner of the socket, too; root is kept out without the right to ignore modes.
        prefix = []
        if os.geteuid() == 0:
            prefix = [program("setpriv"), "--bounding-set", "-dac_override,-dac_read_search"]
        with Snmpd(["agentXPerms 0400 0755"]) as snmpd, \
                Prefixed(prefix, configuration(snmpd.agentx, retry="500ms")) as busbard:
            busbard.wait_log(f"Permission denied.*'agentXPerms 0660 0755 {os.geteuid()} {os.getegid()}'")
            os.chmod(snmpd.agentx.removeprefix("unix:"), 0o660)
            wait_served(snmpd, {"": "ups-a"})
            busbard.wait_log("notice agentx: .*4 subtrees")

    def test_those_who_are_no_masters_are_found_out(self):
        answers = {"it does not answer": b"", "not AgentX": b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"}
        with Snmpd() as snmpd:
            path = snmpd.agentx.removeprefix("unix:")
            for complaint, answer in answers.items():
                with self.subTest(complaint):
                    snmpd.stop()
                    with Listener(path, answer), \
                            Busbard(configuration(snmpd.agentx, timeout="500ms", retry="500ms")) as busbard:
                        busbard.wait_log(f"agentx: .*{complaint}")
                        os.unlink(path)
                        snmpd.start()
                        wait_served(snmpd, {"": "ups-a"})

    def test_an_open_that_is_refused_is_said(self):
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/master"

            def refuse(request):  # a Response with error openFailed
                session, transaction, packet = struct.unpack_from("=III", request, 4)
                return struct.pack("=BBBBIIIIIHH", 1, 18, request[2] & 16, 0, session, transaction, packet,
                                   8, 0, 256, 0)
            with Listener(path, refuse), Busbard(configuration(f"unix:{path}", retry="500ms")) as busbard:
                busbard.wait_log("agentx: .*openFailed")

    def test_what_another_has_registered_is_left_to_it_and_taken_over_later(self):
        with Snmpd(contexts=["ups-a", "ups-c"]) as snmpd:
            with Busbard(configuration(snmpd.agentx)) as first:
                wait_served(snmpd, {"": "ups-a"})
                second = Busbard(configuration(snmpd.agentx, ["ups-a", "ups-c"], **{"default-device": "ups-c"}))
                self.addCleanup(second.__exit__, None)
                wait_served(snmpd, {"ups-c": "ups-c", "": "ups-a", "ups-a": "ups-a"})
                second.wait_log(rf'agentx: context "": {re.escape(UPS)} is not served: another subagent')
                self.assertNotIn("is not served", first.log())
            wait_served(snmpd, {"ups-c": "ups-c", "": "ups-c", "ups-a": "ups-a"}, timeout=20)
            second.wait_log('agentx: context "": served after')
            self.assertEqual(second.log().count('warning agentx: context "ups-a"'), 1)

    def test_a_higher_priority_wins(self):
        with Snmpd() as snmpd, Busbard(configuration(snmpd.agentx)):
            wait_served(snmpd, {"": "ups-a"})
            with Busbard(configuration(snmpd.agentx, ["ups-c"], **{"default-device": "ups-c", "priority": 100})):
                wait_served(snmpd, {"": "ups-c"})
            wait_served(snmpd, {"": "ups-a"})


class Prefixed(Busbard):
    """A busbard that another program starts."""

    def __init__(self, prefix, config):
        self.prefix = prefix
        super().__init__(config)

    def __setattr__(self, name, value):
        if name == "argv":
            value = [*map(str, self.prefix), *value]
        super().__setattr__(name, value)


class Listener:
    """Somebody who takes connections at @path and answers the first bytes with @answer, bytes or a function."""

    def __init__(self, path, answer):
        self.path, self.answer, self.clients = path, answer, []
        if os.path.exists(path):
            os.unlink(path)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(path)
        self.socket.listen()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            self.clients.append(client)  # it stays open
            request = client.recv(4096)
            answer = self.answer(request) if callable(self.answer) else self.answer
            client.sendall(answer)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        for each in self.socket, *self.clients:
            each.close()


class Options(unittest.TestCase):
    """What cannot work is found before anything is started."""

    FAULTS = (
        ({"master": "agentx"}, r"master: 'agentx' must be unix:/PATH or tcp:HOST:PORT"),
        ({"master": "unix:master"}, "master: .*absolute path"),
        ({"master": "tcp:snmp.example:705"}, "master: .*by number"),
        ({"base-oid": "enterprises.1"}, "base-oid: .*no object identifier"),
        ({"base-oid": "1.3.6.1.2.1.33"}, "base-oid: .*must have"),
        ({"base-oid": "1.3.6.1.4.1"}, "base-oid: .*must have"),
        ({"default-device": ""}, "default-device: .*name of a device"),
        ({"retry": "10s"}, "retry: "),
        ({"priority": 0}, "priority: "),
    )

    def test_faults_are_explained(self):
        with Busbard(configuration("unix:/nowhere/master")) as busbard:
            for options, fault in self.FAULTS:
                with self.subTest(options):
                    config = configuration(options.pop("master", "/nowhere/master"), **options)
                    done = busbard.reload(config, check=False)
                    self.assertNotEqual(done.returncode, 0)
                    self.assertRegex(done.stderr + done.stdout + busbard.log(), fault)


class Devices(unittest.TestCase):
    """Contexts follow the configuration."""

    def test_devices_come_go_and_get_other_names(self):
        with Snmpd(contexts=["ups-a", "ups-b", "ups-c"]) as snmpd, Busbard(configuration(snmpd.agentx)) as busbard:
            steps = (("ups-a", "ups-b"), ("ups-a", "ups-b", "ups-c"), ("ups-a", "ups-c"), ("ups-a", "ups-b"),
                     ("ups-b", "ups-c"), ("ups-a", "ups-b", "ups-c"))
            for names in steps:
                busbard.reload(configuration(snmpd.agentx, names))
                contexts = {name: name if name in names else None for name in ("ups-a", "ups-b", "ups-c")}
                contexts[""] = contexts["ups-a"]
                wait_served(snmpd, contexts)
            self.assertIn("there is no device 'ups-a'", busbard.log())
            self.assertEqual(busbard.log().count("subtrees served"), 1, "the session has gone on all the time")

    def test_the_default_device_may_become_another(self):
        with Snmpd(contexts=["ups-a"]) as snmpd, Busbard(configuration(snmpd.agentx)) as busbard:
            wait_served(snmpd, {"": "ups-a"})
            busbard.reload(configuration(snmpd.agentx, **{"default-device": "ups-b"}))
            wait_served(snmpd, {"": "ups-b", "ups-a": "ups-a"})

    def test_a_change_of_its_options_takes_effect_and_everything_is_there_again_at_once(self):
        def may_write(name):
            try:
                snmpd.set((ATTACHED, "s", name), context="ups-b")
                return True
            except SnmpError as error:
                return error.reason
        with Snmpd(contexts=["ups-a", "ups-b"]) as snmpd, Busbard(configuration(snmpd.agentx)) as busbard:
            contexts = {"": "ups-a", "ups-a": "ups-a", "ups-b": "ups-b"}
            wait_served(snmpd, contexts)
            self.assertEqual(may_write("one"), "notWritable")
            wait_sessions(busbard, 1)
            changes = ({"allow-write": True}, True), ({"timeout": "2s"}, "notWritable"), \
                ({"timeout": "2s", "allow-write": True}, True), ({}, "notWritable")
            slowest = 0
            for number, (options, written) in enumerate(changes, 2):
                busbard.reload(configuration(snmpd.agentx, **options))
                slowest = max(slowest, wait_served(snmpd, contexts))
                self.assertEqual(may_write(f"after {options}"), written)
                wait_sessions(busbard, number)
            say(f"{slowest:.2f} s after a reload that changed an option everything was served again, at most")
            self.assertNotIn("is not served", busbard.log(), "the session before has left nothing behind")
            busbard.reload(configuration(snmpd.agentx))
            self.assertTrue(served(snmpd, contexts), "a reload that changes nothing interrupts nothing")
            wait_sessions(busbard, 5)

    def test_two_masters_are_served_each_with_its_own_options(self):
        with Snmpd(contexts=["ups-b"]) as one, Snmpd(contexts=["ups-b"], agentx="tcp") as other:
            config = configuration(one.agentx)
            config["exporters"]["second"] = {"plugin": "agentx", "master": other.agentx, "default-device": "ups-b",
                                             "allow-write": True}
            with Busbard(config) as busbard:
                wait_served(one, {"": "ups-a", "ups-b": "ups-b"})
                wait_served(other, {"": "ups-b", "ups-b": "ups-b"})
                with self.assertRaises(SnmpError) as caught:
                    one.set((ATTACHED, "s", "two"), context="ups-b")
                self.assertEqual(caught.exception.reason, "notWritable")
                other.set((ATTACHED, "s", "two"), context="ups-b")
                for snmpd in one, other:
                    wait_for(lambda snmpd=snmpd: snmpd.get(ATTACHED, context="ups-b").value == b"two",
                             what="what the other has written")
                one.kill()
                self.assertTrue(served(other, {"": "ups-b", "ups-b": "ups-b"}), "one that is away disturbs no other")
                one.start()
                wait_served(one, {"": "ups-a", "ups-b": "ups-b"})
                wait_sessions(busbard, 3)

    def test_both_versions_of_snmp_reach_every_context(self):
        with Snmpd(contexts=["ups-b"]) as snmpd, Busbard(configuration(snmpd.agentx)):
            wait_served(snmpd, {"": "ups-a", "ups-b": "ups-b"})
            plain = snmpd.walk(UPS, context="ups-b")
            self.assertGreater(len(plain), 30)
            for walk in snmpd.walk, snmpd.bulkwalk:
                for v3 in False, True:
                    names = [varbind.oid for varbind in walk(UPS, context="ups-b", v3=v3)]
                    self.assertEqual(names, [varbind.oid for varbind in plain])
            self.assertEqual(snmpd.get(NAME, context="ups-b", v3=True).value, b"ups-b")
            self.assertEqual(snmpd.get(NAME, v3=True).value, b"ups-a")

    def test_a_context_that_there_is_not_has_no_answer(self):
        with Snmpd(contexts=["ups-x"]) as snmpd, Busbard(configuration(snmpd.agentx)):
            wait_served(snmpd, {"": "ups-a"})
            for v3 in False, True:
                with self.assertRaises(SnmpError):
                    snmpd.get(NAME, context="ups-x", v3=v3, timeout=0.5)
            self.assertEqual(snmpd.get(NAME).value, b"ups-a")

    def test_many_devices_are_all_served(self):
        names = [f"ups-{number}" for number in range(200)]
        with Snmpd(contexts=names[::20]) as snmpd, \
                Busbard(configuration(snmpd.agentx, names, **{"default-device": "ups-7"})) as busbard:
            for _ in range(2):
                wait_served(snmpd, {"": "ups-7", **{name: name for name in names[::20]}})
                snmpd.restart()
            wait_served(snmpd, {"": "ups-7"})
            self.assertGreaterEqual(busbard.log().count("202 subtrees served"), 3)


if __name__ == "__main__":
    unittest.main()
