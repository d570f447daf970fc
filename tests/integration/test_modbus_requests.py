# SPDX-License-Identifier: Apache-2.0
"""What the Modbus server answers to requests that are right, wrong, or no requests at all, byte for byte.

The expected bytes are computed here, from the rules in docs/modbus.md and nothing else: function (01), length and byte
count (03), quantity (03), address and quantity within 65536 and listed (02), write granted (01), device never answered
(06), stale (0B). Values come from a first read of every listed register, one by one; what is judged is framing.
"""
import csv
import socket
import struct
import time
import unittest

from modbus_peers import Ups
from support import PATIENCE, SOURCE, Busbard, cut, free_port, say, wait_for

UNIT = 1
NOBODY = 9
CONFIG = """
devices:
  ups-a: {{ plugin: simulator, profile: three-phase, interval: 1d, watch: 0s, stale-after: 7d }}
exporters:
  modbus:
    listen: 127.0.0.1:{port}
    request-timeout: {stall}
    units: {{ {unit}: [ {{ device: ups-a, map: default }} ] }}
"""


class Server(Busbard):
    """A busbard whose Modbus server listens."""

    def __init__(self, config):
        super().__init__(config)
        self.wait_log("modbus: listening")


def listed():
    """The addresses of the default map that answer functions 03 and 04."""
    with open(SOURCE / "config" / "maps" / "default.csv", encoding="utf-8") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        found = set()
        for row in rows:
            assert row["functions"] == "3/4", row
            found.update(range(int(row["address"]), int(row["address"]) + int(row["count"])))
    return found


def frame(pdu, transaction=1, unit=UNIT, protocol=0, length=None):
    return struct.pack(">HHHB", transaction, protocol, len(pdu) + 1 if length is None else length, unit) + pdu


class Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30 * PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def receive(self, count):
        """@count bytes, or those that came before the server closed."""
        data = b""
        while len(data) < count:
            try:
                more = self.socket.recv(count - len(data))
            except ConnectionResetError:
                more = b""
            if not more:
                break
            data += more
        return data

    def answer(self):
        head = self.receive(6)
        return head + self.receive(struct.unpack(">H", head[4:6])[0]) if len(head) == 6 else head

    def ask(self, data):
        self.send(data)
        return self.answer()


class Rules:
    """The answers, from the rules. @words: what each listed register shows."""

    READ = {1: 2000, 2: 2000, 3: 125, 4: 125}

    def __init__(self, words):
        self.words = words

    def exception(self, pdu):
        """The exception code for a request, 0 for none."""
        function = pdu[0]
        if function not in (1, 2, 3, 4, 5, 6, 15, 16, 43):
            return 1
        if function == 43:
            if len(pdu) < 3:
                return 3
            return 1 if pdu[1] != 14 or len(pdu) != 4 else 0
        if function in (1, 2, 3, 4, 5, 6):
            if len(pdu) != 5:
                return 3
        else:
            if len(pdu) < 6 or pdu[5] != len(pdu) - 6:
                return 3
            quantity = struct.unpack(">H", pdu[3:5])[0]
            if pdu[5] != ((quantity + 7) // 8 if function == 15 else 2 * quantity):
                return 3
        address, second = struct.unpack(">HH", pdu[1:5])
        quantity = 1 if function in (5, 6) else second
        most = self.READ.get(function, {5: 1, 6: 1, 15: 1968, 16: 123}.get(function))
        if not 1 <= quantity <= most:
            return 3
        if address + quantity > 65536:
            return 2
        if function not in self.READ:
            return 1  # the unit grants no writes
        if function in (1, 2) or any(a not in self.words for a in range(address, address + quantity)):
            return 2  # the map has registers only
        return 0

    def answer(self, pdu, transaction=1, unit=UNIT):
        exception = self.exception(pdu)
        if unit == NOBODY:
            exception = 0x0A
        if exception:
            return frame(bytes([pdu[0] | 0x80, exception]), transaction, unit)
        address, quantity = struct.unpack(">HH", pdu[1:5])
        words = [self.words[a] for a in range(address, address + quantity)]
        return frame(struct.pack(f">BB{quantity}H", pdu[0], 2 * quantity, *words), transaction, unit)


def requests(addresses):
    """The table: (what, pdu)."""
    first, last = min(addresses), max(addresses)
    yield from ((f"read {q} from {a} by {f}", struct.pack(">BHH", f, a, q))
                for f in (1, 2, 3, 4) for a in (0, first - 1, first, first + 7, last, last + 1, 65535)
                for q in (0, 1, 2, 5, 125, 126, 2000, 2001, 65535))
    yield from ((f"function {f}", struct.pack(">BHH", f, first, 1)) for f in range(1, 128) if f != 43)
    yield from ((f"function {f} alone", bytes([f])) for f in range(1, 128))
    yield from ((f"function 3 with {n} bytes behind it", bytes([3]) + bytes([0, first, 0, 1] * 64)[:n])
                for n in range(0, 252))
    yield from ((f"write registers, {q} announced, {n} bytes, count {c}",
                 struct.pack(">BHHB", 16, first, q, c) + bytes(n))
                for q in (0, 1, 2, 123, 124) for n in (0, 2, 4, 246) for c in (0, 2, 4, 246))
    yield from ((f"address overflow by {f}", struct.pack(">BHH", f, 65535, q)) for f in (1, 2, 3, 4) for q in (1, 2, 3))
    yield from ((f"write {v} to {a} by {f}", struct.pack(">BHH", f, a, v))
                for f in (5, 6) for a in (0, first, 65535) for v in (0, 1, 0xFF00, 0xFFFF))


class Requests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.port = free_port()
        cls.daemon = Server(CONFIG.format(port=cls.port, unit=UNIT, stall="10s"))
        cls.addClassCleanup(cls.daemon.__exit__, None, None, None)
        cls.addresses = listed()

        def ready():
            with Connection(cls.port) as client:
                return client.ask(frame(struct.pack(">BHH", 3, min(cls.addresses), 1)))[7] == 3
        wait_for(ready, what="the first reading")
        words = {}
        with Connection(cls.port) as client:
            for address in sorted(cls.addresses):
                answer = client.ask(frame(struct.pack(">BHH", 3, address, 1)))
                assert answer[7:9] == b"\x03\x02" and len(answer) == 11, (address, answer)
                words[address] = struct.unpack(">H", answer[9:])[0]
        cls.rules = Rules(words)

    def test_the_table(self):
        table = [(what, pdu) for what, pdu in requests(self.addresses) if 1 <= len(pdu) <= 253]
        self.assertGreaterEqual(len(table), 500)
        with Connection(self.port) as client:
            for number, (what, pdu) in enumerate(table):
                with self.subTest(what):
                    if pdu[0] == 43 and self.rules.exception(pdu) == 0:
                        continue
                    self.assertEqual(client.ask(frame(pdu, number)), self.rules.answer(pdu, number), what)
        say(f"Modbus: {len(table)} requests answered byte for byte")

    def test_a_unit_that_is_not_there_is_0a(self):
        pdu = struct.pack(">BHH", 3, min(self.addresses), 1)
        with Connection(self.port) as client:
            self.assertEqual(client.ask(frame(pdu, unit=NOBODY)), self.rules.answer(pdu, unit=NOBODY))

    def test_0_and_255_mean_the_only_unit(self):
        pdu = struct.pack(">BHH", 3, min(self.addresses), 3)
        with Connection(self.port) as client:
            for unit in (0, 255):
                self.assertEqual(client.ask(frame(pdu, unit=unit)), self.rules.answer(pdu, unit=unit))

    def test_malformed_headers_close_the_connection(self):
        pdu = struct.pack(">BHH", 3, min(self.addresses), 1)
        wrong = [frame(pdu, protocol=p) for p in (1, 255, 256, 0xFFFF)]
        wrong += [frame(pdu, length=n) for n in (0, 1, 255, 256, 0xFFFF)]
        for data in wrong:
            with Connection(self.port) as client:
                client.send(data)
                self.assertEqual(client.receive(1), b"", data.hex())

    def test_every_length_from_0_to_300(self):
        pdu = struct.pack(">BHH", 3, min(self.addresses), 1)
        for length in range(0, 301):
            body = (pdu + bytes(300))[:max(length - 1, 0)]
            with Connection(self.port) as client:
                client.send(frame(body, length=length))
                if not 2 <= length <= 254:
                    self.assertEqual(client.receive(1), b"", f"length {length}")
                else:
                    self.assertEqual(client.answer(), self.rules.answer(body), f"length {length}")

    def test_frames_that_come_glued_together_are_answered_in_order(self):
        pdus = [struct.pack(">BHH", 3, a, 1) for a in sorted(self.addresses)] * 5
        with Connection(self.port) as client:
            client.send(b"".join(frame(pdu, i) for i, pdu in enumerate(pdus)))
            for i, pdu in enumerate(pdus):
                self.assertEqual(client.answer(), self.rules.answer(pdu, i))

    def test_a_frame_that_comes_byte_by_byte_is_one_frame(self):
        pdu = struct.pack(">BHH", 4, min(self.addresses), 5)
        with Connection(self.port) as client:
            client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in frame(pdu, 77):
                client.send(bytes([byte]))
                time.sleep(0.002)
            self.assertEqual(client.answer(), self.rules.answer(pdu, 77))

    def test_a_client_that_does_not_read_holds_nobody_up(self):
        pdu = struct.pack(">BHH", 3, min(self.addresses), 1)
        count = cut(20000, 2000, "requests of a client that does not read")
        with Connection(self.port) as greedy, Connection(self.port) as other:
            greedy.socket.setblocking(False)
            try:
                for _ in range(count):
                    greedy.send(frame(pdu))
            except BlockingIOError:
                pass  # the server has stopped reading from it
            self.assertEqual(other.ask(frame(pdu)), self.rules.answer(pdu))

    def test_identification_names_busbar(self):
        with Connection(self.port) as client:
            answer = client.ask(frame(bytes([43, 14, 1, 0])))
            self.assertEqual(answer[7:13], bytes([43, 14, 1, 0x81, 0, 0]))
            self.assertIn(b"busbar", answer)
            self.assertEqual(client.ask(frame(bytes([43, 14, 4, 9]))), frame(bytes([0xAB, 2])))
            self.assertEqual(client.ask(frame(bytes([43, 14, 9, 0]))), frame(bytes([0xAB, 3])))
            self.assertEqual(client.ask(frame(bytes([43, 13, 1, 0]))), frame(bytes([0xAB, 1])))


class Limits(unittest.TestCase):
    def test_half_a_request_is_closed_after_its_time(self):
        port = free_port()
        with Server(CONFIG.format(port=port, unit=UNIT, stall="500ms")), Connection(port) as client:
            client.send(b"\x00\x01\x00\x00")
            self.assertEqual(client.receive(1), b"")

    def test_connections_of_one_address_are_limited(self):
        port = free_port()
        config = CONFIG.format(port=port, unit=UNIT, stall="10s") + "    max-connections-per-address: 3\n"
        with Server(config):
            clients = [Connection(port) for _ in range(3)]
            for client in clients:
                client.ask(frame(struct.pack(">BHH", 3, 0, 1)))
            with Connection(port) as fourth:
                self.assertEqual(fourth.receive(1), b"")
            for client in clients:
                client.socket.close()

    def test_networks_that_are_not_allowed_are_refused(self):
        port = free_port()
        config = CONFIG.format(port=port, unit=UNIT, stall="10s") + "    allow: [ 10.0.0.0/8 ]\n"
        with Server(config), Connection(port) as client:
            self.assertEqual(client.receive(1), b"")


class Silence(unittest.TestCase):
    CONFIG = """
devices:
  never: {{ plugin: ups-modbus, address: "modbus-tcp://127.0.0.1:{dead}/1", interval: 1s, timeout: 100ms }}
  quiet:
    plugin: ups-modbus
    address: "modbus-tcp://127.0.0.1:{source}/1"
    model: socomec
    interval: 100ms
    watch: 0s
    timeout: 3s
    stale-after: 4s
exporters:
  modbus:
    listen: 127.0.0.1:{port}
    units:
      1: [ {{ device: never }} ]
      2: [ {{ device: quiet }} ]
      3: [ {{ device: quiet, on-stale: hold }} ]
"""

    def setUp(self):
        self.port = free_port()
        self.ups = Ups()
        self.addCleanup(self.ups.close)
        self.daemon = Server(self.CONFIG.format(port=self.port, dead=free_port(), source=self.ups.port))
        self.addCleanup(self.daemon.__exit__, None, None, None)

    def fall_silent(self):
        wait_for(lambda: self.ask(2, 103) == bytes([3, 2, 0, 100]), what="a reading")
        self.ups.silent = True
        wait_for(lambda: self.ask(2, 103) == bytes([0x83, 0x0B]), what="charge to be refused")

    def ask(self, unit, address):
        with Connection(self.port) as client:
            return client.ask(frame(struct.pack(">BHH", 3, address, 1), unit=unit))[7:]

    def test_a_device_that_never_answered_is_06_but_for_its_status(self):
        self.assertEqual(self.ask(1, 103), bytes([0x83, 6]))
        self.assertEqual(self.ask(1, 109), bytes([3, 2, 0x40, 0x00]))

    def test_a_stale_device_is_0b_but_for_status_and_alarms(self):
        self.fall_silent()
        wait_for(lambda: self.ask(2, 109)[2] & 0x40, what="communication lost in the status word")
        self.assertEqual(self.ask(2, 116), bytes([3, 2, 0, 0]), "on-battery as last known")
        wait_for(lambda: self.ask(2, 134) == bytes([3, 2, 0, 1]), what="communications-lost")

    def test_hold_shows_the_last_values(self):
        self.fall_silent()
        self.assertEqual(self.ask(3, 103), bytes([3, 2, 0, 100]))


if __name__ == "__main__":
    unittest.main()
