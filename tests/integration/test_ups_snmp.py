# SPDX-License-Identifier: Apache-2.0
"""ups-snmp against agents that change, break, lie and attack: whatever they do, values are right or absent.

The peers that behave are real ones (test_recordings.py, test_snmp_v3.py); here every answer can be spoilt.
"""
import os
import re
import socket
import struct
import time
import unittest

from snmp_agent import (GAUGE, GET, GETBULK, GETNEXT, INTEGER, NULL, OBJECT, STRING, TICKS, Agent, encode,
                        from_records, name_bytes, number, oid, parse)
from snmpsim import Snmpsim, records
from support import PATIENCE, SOURCE, Busbard, free_port, wait_for

DATA = SOURCE / "tests/integration/data"
UPS = "1.3.6.1.2.1.33.1."
UPTIME = "1.3.6.1.2.1.1.3.0"


def one_phase():
    return from_records(records(DATA / "ups-one-phase.snmprec"))


def daemon_for(agent, **options):
    device = {"plugin": "ups-snmp", "address": f"snmp://127.0.0.1:{agent.port}", "interval": "300ms", "watch": "100ms",
              "stale-after": "20s", "timeout": f"{400 * PATIENCE}ms", "retries": 0, **options}
    return Busbard({"devices": {"ups": device}})


def value_of(daemon, point):
    return daemon.points("ups").get(point, {}).get("value")


def wait_value(daemon, point, value, timeout=10):
    wait_for(lambda: value_of(daemon, point) == value, timeout,
             lambda: f"{point} to be {value}, not {daemon.points('ups').get(point)}; busbard said:\n{daemon.log()}")


def resident_kilobytes(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))


class Behaviour(unittest.TestCase):
    def test_a_poll_is_one_request_once_the_device_is_known(self):
        with Agent(one_phase()) as agent, daemon_for(agent, watch="0s") as daemon:
            wait_value(daemon, "battery.charge", 97.0)
            wait_for(lambda: agent.requests and agent.requests[-1][2] > 40, 10, "the requests to have grown")
            time_before = time.monotonic()
            before, polls = len(agent.requests), daemon.json("status")
            wait_for(lambda: len(agent.requests) >= before + 5, 10, "five more requests")
            self.assertGreater(time.monotonic() - time_before, 0.9, "five polls at 300 ms take that long")
            self.assertTrue(polls)
            self.assertEqual({request[0] for request in agent.requests[before:]}, {GETBULK})

    def test_alarms_are_seen_at_the_next_watch(self):
        with Agent(one_phase()) as agent, \
                daemon_for(agent, interval="1h", watch="50ms", **{"stale-after": "2h"}) as daemon:
            wait_value(daemon, "alarm.on-battery", True)
            agent.set(UPS + "6.2.1.2.1", None)  # on-battery goes, the others stay
            agent.set(UPS + "6.1.0", number(2, GAUGE))
            agent.set(UPS + "4.1.0", number(3))
            wait_value(daemon, "alarm.on-battery", False, 5)
            wait_value(daemon, "output.source", "normal", 5)
            self.assertIs(value_of(daemon, "alarm.input-bad"), True)
            # An identity of the vendor that was not there at first contact.
            agent.set(UPS + "6.2.1.2.9", (OBJECT, name_bytes(oid(UPS + "6.3.141"))))
            wait_value(daemon, "alarm.user-1", True, 5)
            self.assertIs(value_of(daemon, "alarm.input-bad"), True)

    def test_odd_alarm_rows_are_understood_or_counted(self):
        objects = one_phase()
        objects[oid(UPS + "6.2.1.2.1")] = (STRING, b"." + (UPS + "6.3.8").encode() + b"\0")
        objects[oid(UPS + "6.2.1.2.2")] = (OBJECT, name_bytes(oid(UPS + "6.3.16.0")))
        objects[oid(UPS + "6.2.1.2.3")] = (OBJECT, name_bytes(oid("1.3.6.1.4.1.99999.1")))
        objects[oid(UPS + "6.2.1.2.4")] = (STRING, b"\x1b[2Jno \xff\xfe identity")
        with Agent(objects) as agent, daemon_for(agent) as daemon:
            wait_value(daemon, "alarm.output-overload", True)
            wait_value(daemon, "alarm.fan-failure", True)
            daemon.wait_log(r"2 alarms with identities that are not known.*1\.3\.6\.1\.4\.1\.99999\.1")
            self.assertNotIn("\x1b", daemon.log())

    def test_a_restart_is_learned_anew(self):
        with Agent(one_phase()) as agent, daemon_for(agent) as daemon:
            wait_value(daemon, "battery.charge", 97.0)
            self.assertNotIn("battery.condition", daemon.points("ups"))
            agent.set(UPS + "2.8.0", number(2))
            agent.set(UPTIME, number(100, TICKS))
            wait_value(daemon, "battery.condition", "replace", 15)

    def test_a_device_that_was_silent_comes_back(self):
        with Agent(one_phase()) as agent, daemon_for(agent, **{"stale-after": "10s"}) as daemon:
            wait_value(daemon, "battery.charge", 97.0)
            agent.silent = {GET, GETNEXT, GETBULK}
            daemon.wait_log("ups: no reading: .*timed out")
            agent.silent = set()
            agent.set(UPS + "2.4.0", number(55))
            wait_value(daemon, "battery.charge", 55.0)

    def test_moments_are_wall_clock_time(self):
        with Agent(one_phase()) as agent, daemon_for(agent) as daemon:
            wait_value(daemon, "battery.charge", 97.0)
            row = daemon.points("ups")["ups.test.start"]
            started = time.mktime(time.strptime(row["value"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
            self.assertAlmostEqual(started, time.time() - 43200, delta=10 * PATIENCE, msg="12 hours of ticks ago")

    def test_a_name_is_looked_up(self):
        try:
            socket.getaddrinfo("localhost", None)
        except socket.gaierror as error:
            self.skipTest(f"this machine does not know localhost: {error}")
        with Agent(one_phase()) as agent:
            with daemon_for(agent, address=f"snmp://localhost:{agent.port}") as daemon:
                wait_value(daemon, "battery.charge", 97.0)

    def test_version_6_of_ip(self):
        port = free_port("udp")
        with Snmpsim({"ups-one-phase": DATA / "ups-one-phase.snmprec"},
                     [f"--agent-udpv6-endpoint=[::1]:{port}"]) as simulator:
            if "UDP/IPv6 endpoint [::1]" not in simulator.log():
                self.skipTest("there is no IPv6 on loopback here")
            with daemon_for(simulator, address=f"snmp://[::1]:{port}", community="ups-one-phase",
                            timeout="5s") as daemon:
                wait_value(daemon, "battery.charge", 97.0)

    def test_leaving_does_not_wait_for_the_silent(self):
        with Agent(one_phase()) as agent:
            agent.silent = {GET}
            daemon = daemon_for(agent, timeout="30s")
            wait_for(lambda: agent.requests, 10, "a request")
            before = time.monotonic()
            with daemon:
                self.assertEqual(daemon.stop(), 0)
                self.assertLess(time.monotonic() - before, 15, "half of the time-out")


class Limits(unittest.TestCase):
    """Agents that are allowed to be the way they are."""

    def check(self, daemon):
        wait_value(daemon, "battery.charge", 97.0, 20)
        wait_value(daemon, "output.L1.load", 31.0)
        wait_value(daemon, "alarm.on-battery", True)
        wait_value(daemon, "input.transfer.high", 270)

    def test_without_getbulk_in_version_2c(self):
        with Agent(one_phase()) as agent:
            agent.silent = {GETBULK}
            with daemon_for(agent) as daemon:
                self.check(daemon)
                bulk = agent.count(GETBULK)
                before = len(agent.requests)
                wait_for(lambda: len(agent.requests) > before + 10, 10, "more polls")
                self.assertEqual(agent.count(GETBULK), bulk, "it is not tried again")

    def test_with_get_only(self):
        with Agent(one_phase()) as agent:
            agent.silent = {GETBULK, GETNEXT}
            with daemon_for(agent, timeout="100ms") as daemon:
                wait_value(daemon, "battery.charge", 97.0, 20)
                wait_value(daemon, "output.L1.load", 31.0)

    def test_one_variable_in_each_answer(self):
        for version in "1", "2c":
            with Agent(one_phase()) as agent:
                agent.biggest = 1
                with daemon_for(agent, version=version) as daemon:
                    self.check(daemon)

    def test_version_1(self):
        with Agent(one_phase()) as agent, daemon_for(agent, version="1") as daemon:
            self.check(daemon)
            agent.set(UPS + "2.7.0", None)  # noSuchName from now on, and nothing else suffers
            agent.set(UPS + "2.4.0", number(96))
            wait_value(daemon, "battery.charge", 96.0)

    def test_answers_that_would_be_too_big(self):
        for version in "2c", "1":
            with self.subTest(version=version), Agent(one_phase()) as agent:
                agent.biggest = 7
                with daemon_for(agent, version=version) as daemon:
                    self.check(daemon)
                    before = len(agent.requests)
                    wait_for(lambda: len(agent.requests) > before + 30, 20, "more polls")
                    refused = [names for operation, names, repetitions in agent.requests[before:]
                               if operation == GET and len(names) > 7 or repetitions > 7]
                    self.assertEqual(refused, [], "the size is remembered")

    def test_one_object_that_the_agent_stumbles_over(self):
        with Agent(one_phase()) as agent:
            agent.stumble = oid(UPS + "2.6.0")
            with daemon_for(agent) as daemon:
                wait_value(daemon, "battery.charge", 97.0, 20)
                wait_value(daemon, "output.L1.load", 31.0)
                self.assertIsNone(value_of(daemon, "battery.current"))


class Hostile(unittest.TestCase):
    def check_alive(self, agent, daemon):
        """Bounded memory, a counter, no wrong value; and it can still be stopped (Busbard's exit checks that)."""
        self.assertLess(resident_kilobytes(daemon.pid), 40_000 * (20 if PATIENCE > 1 else 1))
        for row in daemon.json("points"):
            if row["point"] == "battery.charge":
                self.assertIn(row["value"], (None, 97.0))

    def test_getnext_that_goes_round_in_circles(self):
        circle = oid(UPS + "2.4.0"), oid(UPS + "2.5.0")
        with Agent(one_phase()) as agent:
            agent.next_name = lambda name: circle[name == circle[0]]
            with daemon_for(agent) as daemon:
                daemon.wait_log("GETNEXT goes round in circles")
                wait_value(daemon, "battery.charge", 97.0, 20)
                wait_value(daemon, "output.L1.load", 31.0)
                self.check_alive(agent, daemon)
                self.assertEqual(daemon.log().count("goes round"), 1)

    def test_getnext_that_never_ends(self):
        with Agent(one_phase()) as agent:
            agent.next_name = lambda name: (*oid("1.3.6.1.2.1.33.1.200"), (name[9] if len(name) > 9 else 0) + 1)
            with daemon_for(agent) as daemon:
                wait_value(daemon, "battery.charge", 97.0, 60)
                self.assertLess(len([1 for request in agent.requests if request[0] == GETBULK]), 400)
                self.check_alive(agent, daemon)

    def test_an_alarm_table_without_end(self):
        column = oid(UPS + "6.2.1.2")
        objects = one_phase()
        with Agent(objects) as agent:
            right = agent._after
            agent._after = lambda names, table, name: (
                ((*column, name[len(column)] + 1), (OBJECT, name_bytes(oid(UPS + "6.3.2"))))
                if name[:len(column)] == column and len(name) > len(column) else right(names, table, name))
            with daemon_for(agent) as daemon:
                wait_value(daemon, "battery.charge", 97.0, 60)
                self.check_alive(agent, daemon)
                self.assertIsNone(value_of(daemon, "alarm.fan-failure"), "a table without an end says nothing")

    def test_an_alarm_row_that_nobody_can_read_costs_the_alarms_only(self):
        objects = one_phase()
        objects[oid(UPS + "6.2.1.2.7")] = (INTEGER, b"\xff" * 9)  # no number is as long
        with Agent(objects) as agent, daemon_for(agent, timeout="100ms") as daemon:
            wait_value(daemon, "battery.charge", 97.0, 20)
            wait_value(daemon, "output.L1.load", 31.0)
            self.assertIsNone(value_of(daemon, "alarm.fan-failure"))
            agent.set(UPS + "2.4.0", number(96))
            wait_value(daemon, "battery.charge", 96.0, 20)

    def test_texts_of_a_whole_datagram(self):
        objects = one_phase()
        objects[oid(UPS + "1.2.0")] = (STRING, b"\x1b]0;\xff\x00\n" * 9000)
        with Agent(objects) as agent, daemon_for(agent) as daemon:
            wait_value(daemon, "battery.charge", 97.0, 60)
            model = wait_for(lambda: value_of(daemon, "device.model"), 20, "the model")
            self.assertLessEqual(len(model.encode()), 255)
            self.assertTrue(all(character >= " " for character in model), repr(model))
            self.check_alive(agent, daemon)

    def test_what_no_answer_can_carry_costs_only_itself(self):
        """A text larger than a datagram, and numbers that net-snmp refuses together with all beside them."""
        objects = one_phase()
        objects[oid(UPS + "1.2.0")] = (STRING, b"x" * 70000)
        objects[oid(UPS + "3.3.1.2.1")] = (0x46, b"\xff" * 20)
        with Agent(objects) as agent, daemon_for(agent, timeout="100ms") as daemon:
            wait_value(daemon, "battery.charge", 97.0, 60)
            wait_value(daemon, "output.L1.load", 31.0)
            for point in "device.model", "input.L1.frequency":
                self.assertIsNone(value_of(daemon, point), point)
            # And when it comes to be so later.
            agent.set(UPS + "5.1.0", (STRING, b"y" * 70000))
            agent.set(UPS + "2.4.0", number(96))
            wait_value(daemon, "battery.charge", 96.0, 60)

    def test_numbers_that_cannot_be(self):
        absurd = {"2.4.0": number(250), "2.5.0": number(2**31 - 1), "2.3.0": number(-1), "4.2.0": number(-5),
                  "4.4.1.2.1": (STRING, b"lots"), "4.4.1.5.1": (NULL, b""), "2.1.0": number(77),
                  "4.4.1.3.1": (OBJECT, name_bytes(oid("1.3"))), "4.1.0": (STRING, b"3")}
        objects = one_phase()
        objects.update({oid(UPS + name): value for name, value in absurd.items()})
        with Agent(objects) as agent, daemon_for(agent) as daemon:
            wait_value(daemon, "output.source", "normal")  # digits as text are understood
            points = daemon.points("ups")
            for point in ("battery.charge", "battery.voltage", "battery.runtime", "output.frequency",
                          "output.L1.voltage", "output.L1.load", "battery.status", "output.L1.current"):
                self.assertIsNone(points[point]["value"], point)
                self.assertIn(points[point]["quality"], ("bad", "unsupported"), point)

    def test_foreign_and_broken_answers(self):
        noise = [b"", b"\x30", b"\x30\x84\xff\xff\xff\xff", os.urandom(500), b"\x30\x80" + b"\0" * 60, b"\xff" * 60000]

        def spoil(answer):
            (_, version), (_, community), (tag, body) = parse(parse(answer)[0][1])
            request_id, *rest = parse(body)
            wrong = struct.pack(">i", int.from_bytes(request_id[1], "big", signed=True) ^ 0x55)
            other = encode(2, wrong) + b"".join(encode(*part) for part in rest)
            # Before the right answer come noise, pieces of it, another's, and afterwards it comes again.
            return [*noise, answer[:len(answer) // 2],
                    encode(0x30, encode(2, version) + encode(4, community) + encode(tag, other)), answer, answer]
        with Agent(one_phase()) as agent:
            agent.spoil = spoil
            with daemon_for(agent) as daemon:
                wait_value(daemon, "battery.charge", 97.0, 20)
                before = len(agent.requests)
                wait_for(lambda: len(agent.requests) > before + 20, 20, "more polls")
                self.check_alive(agent, daemon)

    def test_answers_in_another_order_or_about_something_else(self):
        with Agent(one_phase()) as agent:
            right = agent._answer

            def answer(data):
                done = right(data)
                if done is None:
                    return None
                (_, version), (_, community), (tag, body) = parse(parse(done)[0][1])
                *head, (_, bindings) = parse(body)
                turned = b"".join(encode(*part) for part in reversed(parse(bindings)))
                pdu = b"".join(encode(*part) for part in head) + encode(0x30, turned)
                return encode(0x30, encode(2, version) + encode(4, community) + encode(tag, pdu))
            agent._answer = answer
            with daemon_for(agent) as daemon:
                wait_for(lambda: len(agent.requests) > 20, 20, "requests")
                self.check_alive(agent, daemon)


class Version3(unittest.TestCase):
    def test_snmpsim_with_authentication_and_privacy(self):
        args = ["--v3-engine-id=80004fb80567320001", "--v3-user=monitor", "--v3-auth-key=authauth1",
                "--v3-auth-proto=SHA", "--v3-priv-key=privpriv1", "--v3-priv-proto=AES"]
        with Snmpsim({"ups-one-phase": DATA / "ups-one-phase.snmprec"}, args) as simulator:
            config = {"devices": {"ups": {
                "plugin": "ups-snmp", "address": simulator.address(), "version": "3", "user": "monitor",
                "auth-file": "ups.auth", "context": "ups-one-phase", "timeout": "5s"}}}
            daemon = Busbard("devices: {}\n")
            try:
                with open(os.open(daemon.directory / "ups.auth", os.O_WRONLY | os.O_CREAT, 0o600), "w",
                          encoding="ascii") as file:
                    file.write("authauth1\nprivpriv1\n")
                with daemon:
                    daemon.reload(config)
                    wait_value(daemon, "battery.charge", 97.0, 20)
                    wait_value(daemon, "alarm.on-battery", True)
            finally:
                daemon.stop()


class Configuration(unittest.TestCase):
    def refused(self, reason, **options):
        device = {"plugin": "ups-snmp", "address": "snmp://127.0.0.1", **options}
        with Busbard("devices: {}\n") as daemon:
            for name, text in (("short.auth", "short\n"), ("good.auth", "passphrase\n"), ("empty", "\n")):
                with open(os.open(daemon.directory / name, os.O_WRONLY | os.O_CREAT, 0o600), "w",
                          encoding="ascii") as file:
                    file.write(text)
            done = daemon.reload({"devices": {"ups": device}}, check=False)
            self.assertNotEqual(done.returncode, 0, options)
            said = done.stdout + done.stderr + daemon.log()
            self.assertRegex(said, reason)
            self.assertRegex(said, r"busbar\.yaml:\d+:\d+: ")

    def test_what_makes_no_sense_is_refused(self):
        self.refused("needs the option user", version="3")
        self.refused("belongs to version 3", user="monitor")
        self.refused("users instead of communities", version="3", user="monitor", community="public")
        self.refused("needs passphrases", version="3", user="monitor", level="authPriv")
        self.refused("of no use", version="3", user="monitor", level="noAuthNoPriv", **{"auth-file": "good.auth"})
        self.refused("less than 8 characters", version="3", user="monitor", **{"auth-file": "short.auth"})
        self.refused("has no community", **{"community-file": "empty"})
        self.refused("cannot both be set", community="a", **{"community-file": "good.auth"})
        self.refused("has a path", address="snmp://127.0.0.1/path")

    def test_secrets_are_never_logged(self):
        with Agent(one_phase()) as agent, daemon_for(agent, community="verysecret") as daemon:
            wait_value(daemon, "battery.charge", 97.0)
            daemon.ctl("log-level", "debug")
            before = len(agent.requests)
            wait_for(lambda: len(agent.requests) > before + 5, 10, "more polls")
            self.assertNotIn("verysecret", daemon.log())


if __name__ == "__main__":
    unittest.main()
