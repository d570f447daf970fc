#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Peers that mean no good: what they send costs bounded time and memory, is counted, and never becomes a value."""
import random
import socket
import threading
import time
import unittest

from snmp_peers import UPTIME, Client
from support import PATIENCE, SANITIZERS, cut

TIMEOUT = 300 * PATIENCE  # ms, for what is never answered
PATIENT = 10000 * PATIENCE  # ms, for what is answered at once: no machine is as slow
INTEGER, STRING, NULL, OID, SEQUENCE, COUNTER64, TICKS = 0x02, 0x04, 0x05, 0x06, 0x30, 0x46, 0x43
GET, GETNEXT, RESPONSE, GETBULK, INFORM, TRAP, REPORT = 0xA0, 0xA1, 0xA2, 0xA5, 0xA6, 0xA7, 0xA8


def tlv(tag, content):
    length = len(content)
    if length < 128:
        return bytes([tag, length]) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def integer(value, tag=INTEGER):
    return tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def oid(text):
    arcs = [int(arc) for arc in text.split(".")]
    content = bytes([arcs[0] * 40 + arcs[1]])
    for arc in arcs[2:]:
        septets = [arc & 0x7F]
        while arc := arc >> 7:
            septets.append(0x80 | arc & 0x7F)
        content += bytes(reversed(septets))
    return tlv(OID, content)


def varbind(name, value):
    return tlv(SEQUENCE, oid(name) + value)


def split(data):
    """The elements of a BER content: [(tag, content)]."""
    found = []
    while data:
        tag, length, at = data[0], data[1], 2
        if length & 0x80:
            at += length & 0x7F
            length = int.from_bytes(data[2:at], "big")
        found.append((tag, data[at:at + length]))
        data = data[at + length:]
    return found


class Question:
    """A request as a peer sees it."""

    def __init__(self, data):
        message = split(split(data)[0][1])
        self.version = message[0][1][0]
        if self.version == 3:
            self.id = int.from_bytes(split(message[1][1])[0][1], "big")
            self.scoped = split(message[3][1]) if message[3][0] == SEQUENCE else None  # None: encrypted
            return
        self.pdu = message[2][0]
        self.id = int.from_bytes(split(message[2][1])[0][1], "big", signed=True)

    def response(self, bindings=None, tag=RESPONSE, error=0, index=0, identity=None):
        """A community message that answers."""
        bindings = varbind(UPTIME, integer(7, TICKS)) if bindings is None else bindings
        pdu = integer(self.id if identity is None else identity) + integer(error) + integer(index)
        return tlv(SEQUENCE, integer(self.version) + tlv(STRING, b"public") +
                   tlv(tag, pdu + tlv(SEQUENCE, bindings)))

    def report(self, engine, tag=REPORT, flags=0, user=b"", object_id="1.3.6.1.6.3.15.1.1.4.0", identity=None):
        """A version 3 message without authentication; the default is what answers a discovery."""
        return self._message3(engine, tag, flags, user, 1, varbind(object_id, integer(1, 0x41)), identity)

    def response3(self, engine, user, bindings):
        """A version 3 message without authentication that answers."""
        request_id = int.from_bytes(split(self.scoped[2][1])[0][1], "big", signed=True)
        return self._message3(engine, RESPONSE, 0, user, request_id, bindings)

    def _message3(self, engine, tag, flags, user, request_id, bindings, identity=None):
        header = integer(self.id if identity is None else identity) + integer(65507) + tlv(STRING, bytes([flags])) \
            + integer(3)
        security = tlv(SEQUENCE, tlv(STRING, engine) + integer(1) + integer(1000) + tlv(STRING, user) +
                       tlv(STRING, b"") + tlv(STRING, b""))
        pdu = tlv(tag, integer(request_id) + integer(0) + integer(0) + tlv(SEQUENCE, bindings))
        return tlv(SEQUENCE, integer(3) + tlv(SEQUENCE, header) + tlv(STRING, security) +
                   tlv(SEQUENCE, tlv(STRING, engine) + tlv(STRING, b"") + pdu))


class Peer:
    """A UDP responder: @react(question) gives the datagrams it sends back."""

    def __init__(self, react):
        self.react = react
        self.received = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.client = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while True:
            data, self.client = self._socket.recvfrom(65536)
            if data == b"stop":
                return
            self.received.append(data)
            for reply in self.react(Question(data)):
                self._socket.sendto(reply, self.client)

    def send(self, data):
        self._socket.sendto(data, self.client)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stopper:
            stopper.sendto(b"stop", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()


class Hostile(unittest.TestCase):
    def ask(self, react, *oids, how="get", version="2c", retries=0, timeout=PATIENT):
        """One question to a peer that reacts so: (Answer, dropped)."""
        with Peer(react) as peer, Client() as client:
            client.open("a", port=peer.port, version=version, timeout=timeout, retries=retries)
            answer = client.get("a", *(oids or [UPTIME]), how=how, timeout=30)
            return answer, client.state("a")[1]

    def test_an_answer_from_a_foreign_address_is_not_taken(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.bind(("127.0.0.1", 0))

            def react(question):
                stranger.sendto(question.response(varbind(UPTIME, integer(666, TICKS))), peer.client)
                return [question.response()]

            with Peer(react) as peer, Client() as client:
                client.open("a", port=peer.port)
                self.assertEqual(client.get("a", UPTIME).values, {UPTIME: "7"})
                self.assertEqual(client.state("a")[1], 1)

    def test_a_wrong_request_id_is_no_answer(self):
        answer, dropped = self.ask(lambda question: [question.response(identity=question.id ^ 1)], timeout=TIMEOUT)
        self.assertEqual((answer.result, dropped), ("ETIMEDOUT", 1))

    def test_only_the_first_of_two_answers_counts(self):
        with Peer(lambda question: [question.response(), question.response()]) as peer, Client() as client:
            client.open("a", port=peer.port)
            for _ in range(10):
                self.assertEqual(client.get("a", UPTIME).values, {UPTIME: "7"})
            self.assertEqual(client.get("a", UPTIME).result, "0")
            self.assertGreaterEqual(client.state("a")[1], 10)

    def test_truncated_answers_are_dropped(self):
        lengths = []

        def react(question):
            whole = question.response()
            lengths.append(len(whole))
            return [whole[:length] for length in range(len(whole))] + [whole]

        answer, dropped = self.ask(react)
        self.assertEqual(answer.values, {UPTIME: "7"})
        self.assertEqual([dropped], lengths)

    def test_what_is_not_an_answer_is_dropped_and_not_replied_to(self):
        tags = [GET, GETNEXT, GETBULK, INFORM, TRAP, REPORT, 0xA3, 0xA4, 0x30, 0x00]
        with Peer(lambda question: [question.response(tag=tag) for tag in tags]) as peer, Client() as client:
            client.open("a", port=peer.port, timeout=TIMEOUT, retries=0)
            self.assertEqual(client.get("a", UPTIME).result, "ETIMEDOUT")
            self.assertEqual(client.state("a")[1], len(tags))
            self.assertEqual(len(peer.received), 1)

    def test_another_version_is_dropped(self):
        def react(question):
            question.version = 0
            return [question.response()]

        answer, dropped = self.ask(react, timeout=TIMEOUT)
        self.assertEqual((answer.result, dropped), ("ETIMEDOUT", 1))

    def test_error_codes_become_results(self):
        for version, error, index, result in (("2c", 1, 0, "EMSGSIZE"), ("1", 2, 1, "ENXIO"), ("2c", 16, 0, "EACCES"),
                                              ("2c", 6, 1, "EACCES"), ("2c", 5, 1, "EPROTO"), ("2c", 200, 1, "EPROTO"),
                                              ("2c", -1, -5, "EPROTO"), ("2c", 5, 2**31 - 1, "EPROTO")):
            answer, _ = self.ask(lambda question, e=error, i=index: [question.response(error=e, index=i)],
                                 version=version)
            self.assertEqual((answer.result, answer.values), (result, {}))
            self.assertEqual(answer.index, max(index, 0))

    def test_a_string_of_64_kilobytes_arrives_whole(self):
        answer, dropped = self.ask(lambda question: [question.response(varbind(UPTIME, tlv(STRING, b"x" * 65400)))])
        self.assertEqual(answer.values, {UPTIME: "'" + "x" * 60 + "'65400"})
        self.assertEqual(dropped, 0)

    def test_more_variables_than_were_asked_for_are_refused(self):
        binding = varbind(UPTIME, integer(7, TICKS))
        answer, _ = self.ask(lambda question: [question.response(binding * 2)])
        self.assertEqual((answer.result, answer.values), ("EPROTO", {}))
        answer, _ = self.ask(lambda question: [question.response(binding * 3500)], "10", UPTIME, how="bulk")
        self.assertEqual((answer.result, answer.values), ("EPROTO", {}))
        answer, _ = self.ask(lambda question: [question.response(binding * 10)], "10", UPTIME, how="bulk")
        self.assertEqual(answer.result, "0")
        answer, _ = self.ask(lambda question: [question.response(b"")])
        self.assertEqual((answer.result, answer.values), ("0", {}), "fewer are for the caller to notice")

    def test_numbers_too_large_are_cut_or_dropped_never_wrapped(self):
        answer, _ = self.ask(lambda question: [
            question.response(varbind(UPTIME, tlv(COUNTER64, b"\0" + b"\xff" * 8)))])
        self.assertEqual(answer.values, {UPTIME: str(2**63 - 1)})
        answer, _ = self.ask(lambda question: [question.response(varbind(UPTIME, integer(2**70)))], timeout=TIMEOUT)
        self.assertEqual(answer.result, "ETIMEDOUT")
        answer, _ = self.ask(lambda question: [
            question.response(varbind(UPTIME, tlv(OID, b"\x2b" + b"\x01" * 200)))], timeout=TIMEOUT)
        self.assertEqual(answer.result, "ETIMEDOUT")

    def test_long_numbers_are_not_cut_in_version_3_either(self):
        """net-snmp keeps 32 bits of any number. Of those that came encrypted there is nothing else to be had."""
        engine, sent = b"\x80\0\0\0\1", []

        def react(question):
            if len(question.scoped[0][1]) == 0:
                return [question.report(engine)]
            return [question.response3(engine, b"u", varbind(UPTIME, sent[-1]))]

        with Peer(react) as peer, Client() as client:
            client.open("a", port=peer.port, version=3, user="u", level=0, timeout=1000 * PATIENCE, retries=0)
            for value in 7, 2**62, -2**31 - 1, -2**31, 2**32 + 5, 8:
                sent.append(integer(value))
                self.assertEqual(client.get("a", UPTIME).values, {UPTIME: str(value)})
            sent.append(integer(2**70))
            self.assertIn(client.get("a", UPTIME).result, ("EPROTO", "ETIMEDOUT"))
            sent.append(integer(9))
            self.assertEqual(client.get("a", UPTIME).values, {UPTIME: "9"})

    def test_random_and_damaged_answers_harm_nobody(self):
        count = cut(20000, 2000, "damaged datagrams a version")
        randomness = random.Random(33)

        def react(question):
            whole = question.report(b"\x80\0\0\0\1") if question.version == 3 else question.response()
            replies = []
            for _ in range(20):
                damaged = bytearray(whole)
                for _ in range(randomness.randint(1, 4)):
                    damaged[randomness.randrange(len(damaged))] = randomness.randrange(256)
                replies.append(bytes(damaged))
            return replies + [randomness.randbytes(randomness.randint(0, 300)) for _ in range(5)]

        with Peer(react) as peer, Peer(lambda question: [question.response()]) as good, Client() as client:
            client.open("good", port=good.port)
            for version in ("1", "2c", "3"):
                client.open(version, port=peer.port, version=version, timeout=30, retries=0, user="u", level=1,
                            auth="SHA", authpass="12345678")
                for _ in range(count // 250):
                    for _ in range(10):
                        client.ask(version, UPTIME)
                    for _ in range(10):
                        client.answer(version)
                self.assertGreater(client.state(version)[1], 0)
                self.assertEqual(client.get("good", UPTIME).values, {UPTIME: "7"})

    def test_an_engine_that_is_another_one_each_time_does_not_grow_anything(self):
        count = cut(5000, 500, "engines invented by a peer")
        randomness = random.Random(4)

        def react(question):
            return [question.report(randomness.randbytes(32)) for _ in range(3)]

        with Peer(react) as peer, Client() as client:
            client.open("a", port=peer.port, version=3, user="monitor", level=2, auth="SHA", authpass="12345678",
                        privacy="AES", privpass="12345678", timeout=TIMEOUT, retries=0)
            resident = 0
            for i in range(count):
                self.assertIn(client.get("a", UPTIME).result, ("EPROTO", "ETIMEDOUT"))
                if i == count // 5:
                    resident = client.resident()
            if not SANITIZERS:
                self.assertLess(client.resident() - resident, 256)

    def test_version_3_requests_disguised_as_answers_are_not_replied_to(self):
        engine = b"\x80\0\0\0\1"
        replies = [(GET, 4), (INFORM, 4), (GET, 0), (TRAP, 0), (REPORT, 4), (RESPONSE, 0)]

        def react(question):
            if len(peer.received) == 1:
                return [question.report(engine)]
            return [question.report(engine, tag=tag, flags=flags, user=b"monitor",
                                    object_id="1.3.6.1.2.1.1.1.0") for tag, flags in replies]

        with Peer(react) as peer, Client() as client:
            client.open("a", port=peer.port, version=3, user="monitor", level=1, auth="SHA", authpass="12345678",
                        timeout=TIMEOUT, retries=0)
            answer = client.get("a", UPTIME)
            self.assertIn(answer.result, ("ETIMEDOUT", "EPROTO"))
            self.assertEqual(answer.values, {})
            self.assertEqual(len(peer.received), 2, "the discovery and the request")

    def test_an_answer_after_the_agent_was_closed_reaches_nobody(self):
        asked = threading.Event()

        def react(_):
            asked.set()
            return []

        with Peer(react) as peer, Client() as client:
            client.open("a", port=peer.port)
            client.ask("a", UPTIME)
            self.assertTrue(asked.wait(10))
            client.close("a")
            peer.send(Question(peer.received[0]).response())
            client.open("b", port=peer.port, timeout=TIMEOUT, retries=0)
            self.assertEqual(client.get("b", UPTIME).result, "ETIMEDOUT")
            self.assertTrue(client.quiet("a"))

    def test_a_flood_does_not_stop_the_others(self):
        flood = cut(200000, 20000, "datagrams of a flood")
        with Peer(lambda question: []) as bad, Peer(lambda question: [question.response()]) as good, \
                Client() as client:
            client.open("bad", port=bad.port, timeout=TIMEOUT)
            client.open("good", port=good.port)
            client.get("bad", UPTIME, timeout=30)
            resident = client.resident()
            sender = threading.Thread(target=lambda: [bad.send(b"\x30\x03\x02\x01\x01" * 20) for _ in range(flood)])
            sender.start()
            slowest = 0
            while sender.is_alive():
                answer = client.get("good", UPTIME)
                self.assertEqual(answer.result, "0")
                slowest = max(slowest, answer.ms)
                time.sleep(0.01)
            sender.join()
            self.assertLess(slowest, 5000, "ms")
            self.assertGreater(client.state("bad")[1], 100)
            if not SANITIZERS:
                self.assertLess(client.resident() - resident, 512)


if __name__ == "__main__":
    unittest.main()
