# SPDX-License-Identifier: Apache-2.0
"""Foreign clients on the local socket: whatever they send or fail to read, they are bounded, and the daemon lives.

Requests are written by hand here, byte by byte, so that the test does not lean on the code it tests.
"""
import os
import pathlib
import random
import socket
import stat
import struct
import subprocess
import time
import unittest

from support import BUILD, FULL, PATIENCE, SANITIZERS, Busbard, cut, say, wait_for

CONFIG = {"devices": {"ups-a": {"plugin": "simulator", "address": "simulator://a"}}}
REQUEST_MAX = 64 * 1024
CLIENTS_MAX = 64
IDLE_SECONDS = 30

# Fields of message Request in core/busbar.proto
(STATUS, POINTS, ALARMS, EVENTS, PLUGINS, PROBE, RELOAD, LOG_LEVEL, LOG, JOURNAL, ACKNOWLEDGE, INHIBIT,
 TEST) = range(2, 15)
# Codes of message Error
PROTOCOL_ERROR, REQUEST_ERROR, NOT_FOUND, REFUSED, BUSY = 1, 2, 3, 4, 6


def varint(number):
    out = b""
    while number > 0x7f:
        out += bytes([number & 0x7f | 0x80])
        number >>= 7
    return out + bytes([number])


def text_field(number, text):
    data = text.encode() if isinstance(text, str) else text
    return varint(number << 3 | 2) + varint(len(data)) + data


def number_field(number, value):
    return varint(number << 3) + varint(value)


def request(command, body=b"", protocol=1):
    message = number_field(1, protocol) + text_field(command, body)
    return struct.pack(">I", len(message)) + message


def parse(data):
    """A message as a list of (field, value); the values of nested messages stay bytes."""
    fields, at = [], 0

    def take():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return value
    while at < len(data):
        key = take()
        if key & 7 == 0:
            fields.append((key >> 3, take()))
        else:
            assert key & 7 == 2, f"wire type {key & 7}"
            length = take()
            fields.append((key >> 3, data[at:at + length]))
            at += length
    return fields


class Client:
    """A connection that knows frames and nothing else."""

    def __init__(self, path, timeout=30 * PATIENCE):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(str(path))  # without a time-out: with one, a queue that is full is an error at once
        self.socket.settimeout(timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def receive(self, count):
        data = b""
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            if not piece:
                raise EOFError(f"closed after {len(data)} of {count} bytes")
            data += piece
        return data

    def response(self):
        return parse(self.receive(struct.unpack(">I", self.receive(4))[0]))

    def answer(self):
        """All frames up to the last one, as one list of fields."""
        fields = []
        while True:
            frame = self.response()
            fields += frame
            if (1, 1) in frame:
                return fields

    def error(self):
        """Code and text of the error that the next answer must be."""
        errors = [value for field, value in self.answer() if field == 3]
        assert errors, "no error"
        error = dict(parse(errors[0]))
        return error.get(1, 0), error.get(2, b"").decode()

    def is_closed(self):
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True


def open_files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def memory_kb(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


class ForeignClients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Busbard(CONFIG)
        # The journal opens its files beside the rest; descriptors are counted when it has.
        wait_for(lambda: cls.daemon.json("journal", "check")["sound"], what="the journal")

    @classmethod
    def tearDownClass(cls):
        cls.daemon.__exit__(None)

    def setUp(self):
        self.files = wait_for(lambda: open_files(self.daemon.pid), what="descriptors")

    def tearDown(self):
        """Every test ends with a daemon that answers and has let go of all clients."""
        with self.client() as client:
            client.send(request(STATUS))
            self.assertIn(1, dict(client.answer()))
        wait_for(lambda: open_files(self.daemon.pid) <= self.files, what=lambda: f"descriptors to be closed: "
                 f"{open_files(self.daemon.pid)} are open, {self.files} were")

    def client(self, timeout=30 * PATIENCE):
        return Client(self.daemon.socket, timeout)

    def test_answers_several_requests_on_one_connection_in_order(self):
        with self.client() as client:
            client.send(request(LOG_LEVEL) + request(STATUS) + request(POINTS, text_field(1, "nobody")))
            self.assertIn((12, b"notice"), client.answer())
            self.assertIn(5, dict(client.answer()), "devices")
            self.assertEqual(client.error(), (NOT_FOUND, "no device 'nobody'"))

    def test_takes_a_request_that_comes_byte_by_byte(self):
        with self.client() as client:
            for byte in request(LOG_LEVEL):
                client.send(bytes([byte]))
            self.assertIn((12, b"notice"), client.answer())

    def test_names_the_versions_when_they_differ(self):
        with self.client() as client:
            client.send(request(STATUS, protocol=2))
            code, text = client.error()
            self.assertEqual(code, PROTOCOL_ERROR)
            self.assertRegex(text, "speaks version 1 of the protocol, the client version 2")

    def test_refuses_a_command_it_does_not_know(self):
        with self.client() as client:
            client.send(request(99) + struct.pack(">I", 0) + request(LOG_LEVEL))
            self.assertEqual(client.error()[0], REQUEST_ERROR)
            self.assertEqual(client.error()[0], PROTOCOL_ERROR, "an empty request has version 0")
            self.assertIn((12, b"notice"), client.answer(), "and the connection goes on")

    def test_closes_after_a_frame_that_is_too_long(self):
        for length in REQUEST_MAX + 1, 0x7fffffff, 0xffffffff, 0x47455420:  # the last is "GET "
            with self.subTest(length=length), self.client() as client:
                client.send(struct.pack(">I", length) + b"x" * 100)
                self.assertEqual(client.error()[0], REQUEST_ERROR)
                self.assertTrue(client.is_closed())

    def test_takes_the_longest_frame_there_may_be(self):
        with self.client() as client:
            body = text_field(1, "x" * (REQUEST_MAX - 11))
            whole = request(LOG_LEVEL, body)
            self.assertLessEqual(len(whole) - 4, REQUEST_MAX)
            self.assertGreater(len(whole) - 4, REQUEST_MAX - 16)
            client.send(whole)
            code, text = client.error()
            self.assertEqual(code, REQUEST_ERROR)
            self.assertLess(len(text), 1000, "the refusal does not repeat 64 KiB")

    def test_closes_after_garbage(self):
        with self.client() as client:
            client.send(struct.pack(">I", 20) + b"\xff" * 20)
            self.assertEqual(client.error(), (REQUEST_ERROR, "that is not a request"))
            self.assertTrue(client.is_closed())

    def test_survives_random_bytes(self):
        seed = int(os.environ.get("BUSBAR_SEED", "2"))
        generator = random.Random(seed)
        rounds = cut(20000, 500, "random requests")
        print(f"seed {seed} (BUSBAR_SEED sets another)")
        commands = STATUS, ALARMS, EVENTS, PLUGINS, LOG_LEVEL, POINTS, LOG, JOURNAL, ACKNOWLEDGE, INHIBIT, TEST
        whole = [request(command, body) for command in commands
                 for body in (b"", text_field(1, "ups-a"), text_field(1, "*") + text_field(2, "[!-~]*"))]
        client, answered = self.client(0.2), 0
        for _ in range(rounds):
            data = bytearray(generator.choice(whole))
            for _ in range(generator.randrange(4)):
                data[generator.randrange(4, len(data))] = generator.randrange(256)
            if generator.random() < 0.2:
                data = struct.pack(">I", len(data)) + bytes(generator.randrange(256) for _ in range(len(data)))
            try:
                client.send(data)
                client.answer()
                answered += 1
            except (OSError, EOFError):  # closed, or it has become a request to follow something
                client.socket.close()
                client = self.client(0.2)
        client.socket.close()
        self.assertIsNone(self.daemon.returncode)
        print(f"{answered} of {rounds} were answered")
        self.assertGreater(answered, rounds / 2, "most must get as far as to be answered, else this tests nothing")

    def test_survives_clients_that_hang_up_at_any_moment(self):
        watch = number_field(4, 1)
        follow = number_field(4, 1)
        for data in (b"", b"\0", request(STATUS)[:7], request(STATUS), request(POINTS, watch), request(EVENTS, follow),
                     request(PROBE, text_field(1, "simulator://x")), request(PLUGINS) * 50, request(JOURNAL),
                     request(EVENTS, number_field(3, 5)), request(LOG, text_field(1, "*")),
                     (request(EVENTS, number_field(3, 5)) + request(JOURNAL) + request(LOG, text_field(1, "*"))) * 20):
            for wait in False, True:
                with self.subTest(data=data[:20], wait=wait), self.client() as client:
                    client.send(data)
                    if wait and len(data) > 8:
                        client.receive(4)

    def test_refuses_to_be_asked_for_nothing_or_the_impossible(self):
        for data, code, said in (
                (request(LOG), REQUEST_ERROR, "of which point?"),
                (request(LOG, text_field(1, "x\r\ny") * 5000), NOT_FOUND, "nothing in the data log fits 'x??y'"),
                (request(TEST), REFUSED, "none of the configured exporters sends test messages"),
                (request(ACKNOWLEDGE), NOT_FOUND, "the agent has no alarm ''"),
                (request(ACKNOWLEDGE, text_field(1, "\x1b[31m") + text_field(2, "x")), NOT_FOUND, "no device '?[31m'"),
                (request(INHIBIT, text_field(1, "ups-a") + text_field(2, "on-battery") + number_field(3, 2**64 - 1)),
                 REQUEST_ERROR, "for 90 days at most")):
            with self.subTest(data=data[:40]), self.client() as client:
                client.send(data)
                error = client.error()
                self.assertEqual(error[0], code)
                self.assertIn(said, error[1])

    def test_serves_so_many_clients_and_no_more(self):
        clients = [self.client() for _ in range(CLIENTS_MAX)]
        for client in clients:
            client.send(request(LOG_LEVEL))
            self.assertIn((12, b"notice"), client.answer())
        with self.client() as one_more:
            self.assertEqual(one_more.error()[0], BUSY)
            self.assertTrue(one_more.is_closed())
        clients.pop().socket.close()

        def served():
            with self.client() as client:
                client.send(request(LOG_LEVEL))
                return (12, b"notice") in client.answer()
        wait_for(served, what="a place to become free")
        for client in clients:
            client.socket.close()

    def test_one_probe_at_a_time(self):
        silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(silent.close)
        silent.bind(("127.0.0.1", 0))
        if not (BUILD / "lib/busbar/plugins/ups-snmp.so").exists():
            self.skipTest("the plugin ups-snmp, whose probe takes its time, is not built")
        address = f"snmp://127.0.0.1:{silent.getsockname()[1]}"
        body = text_field(1, address) + text_field(2, "timeout=5s") + text_field(2, "retries=0")
        with self.client() as first, self.client() as second:
            first.send(request(PROBE, body))
            silent.settimeout(30 * PATIENCE)
            silent.recv(2000)  # it is under way
            second.send(request(PROBE, text_field(1, "simulator://x")))
            self.assertEqual(second.error()[0], BUSY)
            self.assertNotEqual(first.error()[1], "")
        with self.client() as again:
            again.send(request(PROBE, text_field(1, "simulator://x")))
            self.assertIn(6, dict(again.answer()), "points")


class ClientsThatDoNotRead(unittest.TestCase):
    DEVICES = {f"ups-{i}": {"plugin": "simulator", "address": f"simulator://{i}", "points": 10000, "interval": "1h",
                            "watch": "0s"} for i in range(3)}

    def test_cost_one_buffer_and_delay_nobody(self):
        with Busbard({"devices": self.DEVICES}) as daemon:
            wait_for(lambda: all(row["state"] == "up" for row in daemon.json("status")["devices"]), what="all devices")
            before = memory_kb(daemon.pid)
            clients = []
            for _ in range(30):
                client = Client(daemon.socket)
                client.send(request(POINTS) * 20)
                clients.append(client)
            clients.append(Client(daemon.socket))
            clients[-1].send(request(POINTS, number_field(4, 1)))  # watch
            start = time.monotonic()
            self.assertEqual(len(daemon.json("points", "ups-1", "vendor.*")), 10000)
            took = time.monotonic() - start
            grown = memory_kb(daemon.pid) - before
            say(f"31 clients that do not read: {grown} KiB more memory, 10000 points for another in {took:.2f} s")
            if not SANITIZERS:
                self.assertLess(grown, 31 * 256)
                self.assertLess(took, 10)
            if FULL:
                wait_for(lambda: all(client_is_gone(client) for client in clients), IDLE_SECONDS + 15,
                         "clients that take nothing to be closed")
            else:
                say("cut: waiting for their time to run out (BUSBAR_FULL=1 does it)")
            for client in clients:
                client.socket.close()

    @unittest.skipUnless(FULL, f"takes {IDLE_SECONDS} s (BUSBAR_FULL=1 does it)")
    def test_half_a_request_is_given_up_and_a_follower_is_not(self):
        with Busbard(CONFIG) as daemon, Client(daemon.socket, 60) as half, Client(daemon.socket, 60) as idle, \
                Client(daemon.socket, 60) as follower:
            half.send(request(STATUS)[:6])
            follower.send(request(EVENTS, number_field(4, 1) + text_field(1, "nobody")))
            self.assertTrue(half.is_closed())
            self.assertTrue(idle.is_closed())
            follower.socket.settimeout(3)
            with self.assertRaises(TimeoutError):
                follower.socket.recv(1)


def client_is_gone(client):
    """Has the daemon closed it? What it sent before may still be unread, so look at the socket rather than read."""
    try:
        client.send(b"\0")
    except OSError:
        return True
    return False


class Stopping(unittest.TestCase):
    def test_during_a_probe_is_clean(self):
        if not (BUILD / "lib/busbar/plugins/ups-snmp.so").exists():
            self.skipTest("the plugin ups-snmp, whose probe takes its time, is not built")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent, Busbard(CONFIG) as daemon, \
                Client(daemon.socket) as client:
            silent.bind(("127.0.0.1", 0))
            silent.settimeout(30 * PATIENCE)
            client.send(request(PROBE, text_field(1, f"snmp://127.0.0.1:{silent.getsockname()[1]}")))
            silent.recv(2000)  # it is under way
            self.assertEqual(daemon.stop(), 0)


class TheSocket(unittest.TestCase):
    def test_is_for_owner_and_group_only(self):
        with Busbard(CONFIG) as daemon:
            self.assertEqual(stat.S_IMODE(daemon.socket.stat().st_mode), 0o660)

    def test_can_be_given_to_a_group(self):
        if os.getuid() != 0:
            self.skipTest("only root can give a socket to any group")
        with Busbard({**CONFIG, "socket-group": "daemon"}) as daemon:
            self.assertEqual(daemon.socket.group(), "daemon")
            self.assertEqual(stat.S_IMODE(daemon.socket.stat().st_mode), 0o660)

    def test_of_a_running_agent_is_not_taken_and_that_of_a_killed_one_is(self):
        with Busbard(CONFIG) as daemon:
            argv = [str(BUILD / "bin/busbard"), "-c", str(daemon.config_file), "-s", str(daemon.socket)]
            second = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
            self.assertNotEqual(second.returncode, 0)
            self.assertIn("an agent is running at", second.stderr)
            self.assertEqual(daemon.ctl("version").returncode, 0)

            killed = Busbard(CONFIG)
            killed.signal(9)
            killed.wait()
            self.assertTrue(killed.socket.exists())
            killed.socket.rename(daemon.directory / "left.sock")
            third = Busbard(CONFIG, wait=False, args=["-s", daemon.directory / "left.sock"])
            with third:
                third.socket = daemon.directory / "left.sock"
                third.wait_ready()
            self.assertFalse((daemon.directory / "left.sock").exists(), "a clean stop removes the socket")
            killed.folder.cleanup()


if __name__ == "__main__":
    unittest.main()
