# SPDX-License-Identifier: Apache-2.0
"""The Modbus client against peers that are late, lie, break off or never stop: never a wrong value, never a wait that
does not end, never memory that grows, and never a device that waits for another's."""
import concurrent.futures
import random
import re
import socket
import struct
import threading
import time
import unittest

from modbus_peers import Peer, serve_registers
from support import BUILD, PATIENCE, Process, cut, say, wait_for
from test_ups_modbus import daemon_for, device, socomec, state_of, value_of, wait_value


def own_address(request, _connection=None):
    """The answer of a device whose registers say their own address."""
    return request.words([(request.address + i) & 0xFFFF for i in range(request.count)])


def resident_kilobytes(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))


PATIENT = 10000 * PATIENCE  # ms, for what is answered at once: no machine is as slow
GRACE = 5000  # ms that a request may end behind its deadline on a machine that is busy with other things


def ask(port, requests, timeout_ms=PATIENT, how="wait", patience=60):
    """Run modbus_client against @port; what it counted, as a dict."""
    argv = [BUILD / "tests/modbus_client", f"modbus-tcp://127.0.0.1:{port}/1", how, timeout_ms, requests]
    with Process(argv) as client:
        status = client.wait(patience)
        if status != 0:
            raise AssertionError(f"modbus_client ended with {status}: {client.log()}")
        words = client.log().split()
    return {words[i]: int(words[i + 1]) for i in range(0, len(words), 2)}


def ask_until_heard(attempt, heard, timeouts=(50, 1000)):
    """What attempt(timeout_ms) counted: with a short time-out first, which saves waiting for what never comes, and with
    a longer one if the machine was too slow for it: if heard(counted) does not hold."""
    for timeout in timeouts:
        counted = attempt(timeout * PATIENCE)
        if heard(counted):
            break
    return counted


class Late:
    """Answers each request after a time that @delay() says, in their order, without waiting for it to take the next."""

    def __init__(self, delay):
        self._delay = delay
        self.sent = 0

    def __call__(self, request, connection):
        due = time.monotonic() + self._delay()

        def send():
            try:
                connection.sendall(own_address(request))
                self.sent += 1
            except OSError:
                pass  # it was closed meanwhile
        threading.Timer(max(0, due - time.monotonic()), send).start()


class LateReplies(unittest.TestCase):
    CLIENTS = 5  # side by side, each with a connection of its own: they wait most of the time

    def check(self, how):
        requests = cut(5000, 150, f"late answers ({how})")  # 10,000 in both ways together
        dice = random.Random(7)
        timeout = 0.03 * PATIENCE
        behaviour = Late(lambda: dice.choice((0, 1.5, 1.5, 1.2, 0.5)) * timeout)
        with Peer(behaviour) as peer, concurrent.futures.ThreadPoolExecutor(self.CLIENTS) as pool:
            each = requests // self.CLIENTS
            clients = [pool.submit(ask, peer.port, each, int(timeout * 1000), how, 60 + each * timeout * 2)
                       for _ in range(self.CLIENTS)]
            counts = [client.result() for client in clients]
            wait_for(lambda: not any(isinstance(thread, threading.Timer) for thread in threading.enumerate()),
                     what="the last answers to be sent")
            seen = {name: sum(count[name] for count in counts) for name in counts[0]}
            self.assertEqual(seen["wrong"], 0)
            self.assertGreater(seen["right"], requests // 10)
            self.assertGreater(seen["late"], requests // 4)
            self.assertEqual(seen["right"] + seen["late"] + seen["errors"], requests)
            say(f"late answers ({how}): {seen['late']} of {requests} requests given up, "
                f"{seen['right']} answered right, {seen['wrong']} wrong")

    def test_a_late_answer_is_never_taken_for_another_when_waiting(self):
        self.check("wait")

    def test_a_late_answer_is_never_taken_for_another_when_asking_in_steps(self):
        self.check("ask")

    def test_a_peer_that_is_always_late_is_never_believed(self):
        with Peer(Late(lambda: 0.25 * PATIENCE)) as peer:  # late by more than a client may be late to notice
            seen = ask(peer.port, 20, 100 * PATIENCE)
        self.assertEqual((seen["right"], seen["wrong"]), (0, 0))


def shorter(request):
    words = [(request.address + i) & 0xFFFF for i in range(max(0, request.count - 1))]
    return request.words(words)


def longer(request):
    return request.words([(request.address + i) & 0xFFFF for i in range(min(125, request.count + 1))]) \
        if request.count < 125 else shorter(request)


def wrong_byte_count(request):
    body = struct.pack(f">{request.count}H", *((request.address + i) & 0xFFFF for i in range(request.count)))
    return request.reply(bytes([request.function, (len(body) + 2) & 0xFF]) + body)


# What a peer may say instead of the answer; each is no answer to the request.
LIES = {
    "wrong unit": lambda request: own_address_as(request, unit=2),
    "transaction of the request before": lambda request: own_address_as(
        request, transaction=request.transaction - 1 & 0xFFFF),
    "transaction of the next request": lambda request: own_address_as(
        request, transaction=request.transaction + 1 & 0xFFFF),
    "another protocol": lambda request: own_address_as(request, protocol=1),
    "one word too few": shorter,
    "one word too many": longer,
    "byte count that lies": wrong_byte_count,
    "another function": lambda request: request.reply(own_address(request)[7:].replace(b"\x03", b"\x04", 1)),
    "a write's echo": lambda request: request.reply(struct.pack(">BHH", 3, request.address, request.count)),
    "exception of another function": lambda request: request.reply(b"\x84\x02"),
    "exception without a code": lambda request: request.reply(b"\x83"),
    "exception 0": lambda request: request.reply(b"\x83\x00"),
    "exception with more behind it": lambda request: request.reply(b"\x83\x02\x00"),
    "length 0": lambda request: own_address_as(request, length=0),
    "length 1": lambda request: own_address_as(request, length=1),
    "length 255": lambda request: own_address_as(request, length=255),
    "length 65535": lambda request: own_address_as(request, length=65535),
    "length that promises more": lambda request: request.words([0], length=100),
    "an empty answer": lambda request: request.reply(b""),
    "text": lambda request: b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
    "its own request": lambda request: request.frame,
}


def own_address_as(request, **lies):
    return request.words([(request.address + i) & 0xFFFF for i in range(request.count)], **lies)


class Lies(unittest.TestCase):
    def test_no_lie_is_believed_and_the_next_answer_is(self):
        for name, lie in LIES.items():
            for how in ("wait", "ask"):
                with self.subTest(lie=name, how=how):
                    self.check_lie(lie, how)

    def check_lie(self, lie, how):
        def attempt(timeout):
            turn = []

            def answer(request, _connection):
                turn.append(request)
                return lie(request) if len(turn) % 2 else own_address(request)
            with Peer(answer) as peer:
                seen = ask(peer.port, 6, timeout, how)
            self.assertEqual(seen["wrong"], 0, seen)
            self.assertLessEqual(seen["right"], len(turn) // 2, "a lie was believed")
            self.assertLess(seen["slowest"], timeout + GRACE, "a request has a deadline")
            return seen
        seen = ask_until_heard(attempt, lambda seen: seen["right"] >= 1)
        self.assertGreaterEqual(seen["right"], 1, seen)

    def test_answers_in_pieces_are_put_together(self):
        def piecemeal(request, connection):
            for byte in own_address(request):
                connection.sendall(bytes([byte]))
        for how in ("wait", "ask"):
            with Peer(piecemeal) as peer:
                seen = ask(peer.port, 20, how=how)
                self.assertEqual(seen["right"], 20, seen)

    def test_a_byte_now_and_then_does_not_put_off_the_deadline(self):
        def drip(request, connection):
            for byte in own_address(request):  # ten seconds and more for all of it
                connection.sendall(bytes([byte]))
                time.sleep(1)
        for how in ("wait", "ask"):
            with Peer(drip) as peer:
                seen = ask(peer.port, 3, 150 * PATIENCE, how)
            self.assertEqual((seen["right"], seen["wrong"]), (0, 0))
            self.assertLess(seen["slowest"], 150 * PATIENCE + GRACE)

    def test_the_answer_behind_another_frame_is_found(self):
        def glued(request, _connection):
            return own_address_as(request, transaction=request.transaction - 1 & 0xFFFF) + own_address(request)
        for how in ("wait", "ask"):
            with Peer(glued) as peer:
                seen = ask(peer.port, 20, how=how)
                self.assertEqual(seen["right"], 20, seen)
                self.assertEqual(peer.connections, 1)

    def test_frames_that_never_end_cost_no_memory_and_end_at_the_deadline(self):
        def flood(request, connection):
            lie = own_address_as(request, transaction=request.transaction - 1 & 0xFFFF) * 50
            while True:
                connection.sendall(lie)
        for how in ("wait", "ask"):
            with Peer(flood) as peer:
                seen = ask(peer.port, 5, 200 * PATIENCE, how)
            self.assertEqual((seen["right"], seen["wrong"]), (0, 0))
            self.assertLess(seen["slowest"], 200 * PATIENCE + GRACE)

    def test_a_peer_that_breaks_off_anywhere_in_an_answer(self):
        for length in (0, 1, 5, 6, 7, 8, 9, 10):
            with self.subTest(length=length):
                def broken(request, connection, length=length):
                    connection.sendall(own_address(request)[:length])
                    connection.shutdown(socket.SHUT_RDWR)
                with Peer(broken) as peer:
                    seen = ask(peer.port, 5)
                self.assertEqual((seen["right"], seen["wrong"], seen["late"]), (0, 0, 0), seen)
                self.assertEqual(seen["errors"], 5)

    def test_a_peer_that_closes_after_each_answer(self):
        def close(request, connection):
            connection.sendall(own_address(request))
            connection.shutdown(socket.SHUT_RDWR)
        for how in ("wait", "ask"):
            with Peer(close) as peer:
                seen = ask(peer.port, 20, how=how)
                self.assertEqual(seen["right"], 20, seen)

    def test_noise(self):
        count = cut(2000, 150, "answers of noise")

        def attempt(timeout):
            dice = random.Random(11)

            def noise(request, _connection):
                kind = dice.randrange(4)
                good = bytearray(own_address(request))
                if kind == 0:
                    return dice.randbytes(dice.randrange(1, 600))
                if kind == 1:
                    del good[dice.randrange(len(good)):]
                elif kind == 2:
                    good[dice.randrange(9)] ^= 1 << dice.randrange(8)  # the values themselves carry no check
                return bytes(good)
            with Peer(noise) as peer:
                seen = ask(peer.port, count, timeout, "wait", 60 + count * timeout / 1000)
            self.assertEqual(seen["wrong"], 0, seen)
            return seen
        seen = ask_until_heard(attempt, lambda seen: seen["right"] > count // 8, (30, 300))
        self.assertGreater(seen["right"], count // 8)


class Unreachable(unittest.TestCase):
    """A device that is away delays no other, whichever way it is away."""

    @staticmethod
    def black_hole():
        """A listener whose backlog is full: connecting to it hangs. Returns what has to be closed, and the port."""
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = []
        for _ in range(2):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            fillers.append(filler)
        return [listener, *fillers], listener.getsockname()[1]

    def test_black_holes_and_mute_peers_delay_nobody(self):
        things, ports = [], []
        for _ in range(10):
            more, port = self.black_hole()
            things += more
            ports.append(port)
        mute = socket.create_server(("127.0.0.1", 0))  # accepts nobody, but the kernel says yes
        things.append(mute)
        ports += [mute.getsockname()[1]]
        devices = {f"dead-{i}": device(port, model="socomec", timeout="5s") for i, port in enumerate(ports)}
        with Peer(serve_registers(socomec())) as peer:
            devices["live"] = device(peer.port, model="socomec", interval="100ms", watch="0s")
            with daemon_for(devices) as daemon:
                wait_value(daemon, "live", "battery.charge", 97.0)
                times = []
                plain = peer.answer

                def timed(request, connection):
                    times.append(time.monotonic())
                    return plain(request, connection)
                peer.answer = timed
                wait_for(lambda: len(times) > 40, 20, "forty polls")
                latest = max(b - a for a, b in zip(times, times[1:])) - 0.1
                wait_for(lambda: "dead-0: no reading" in daemon.log(), 10, "the dead ones to be missed")
                self.assertLess(latest, 2, "no poll waits as long as a dead device is waited for")
                say(f"beside 11 dead devices the latest of {len(times)} polls was {latest * 1000:.0f} ms late")
        for thing in things:
            thing.close()

    def test_a_device_that_falls_silent_is_given_up_and_found_again(self):
        plain = serve_registers(socomec())
        with Peer(plain) as peer:
            devices = {"ups": device(peer.port, model="socomec", timeout="200ms")}
            with daemon_for(devices) as daemon:
                wait_value(daemon, "ups", "battery.charge", 97.0)
                peer.answer = lambda request, connection: None
                wait_for(lambda: "ups: no reading: Connection timed out" in daemon.log(), 10, "the silence to be told")
                self.assertLess(peer.open_connections, 2)
                wait_for(lambda: state_of(daemon, "ups") == "lost", 15, "the device to be lost")
                peer.answer = plain
                wait_value(daemon, "ups", "battery.charge", 97.0)

    def test_stopping_does_not_wait_for_the_dead(self):
        things, port = self.black_hole()
        daemon = daemon_for({f"dead-{i}": device(port, i, model="socomec", timeout="30s") for i in range(3)})
        wait_for(lambda: state_of(daemon, "dead-0") in ("unknown", "never-connected"), 5, "busbard to try")
        began = time.monotonic()
        daemon.stop(60)
        self.assertLess(time.monotonic() - began, 15, "half of the time-out")
        self.assertNotIn("Sanitizer", daemon.log())
        daemon._output.close()
        daemon.folder.cleanup()
        for thing in things:
            thing.close()


class WholeAgent(unittest.TestCase):
    """The same through busbard: what it shows is right, or not shown as fresh."""

    def test_lies_never_become_values(self):
        plain = serve_registers(socomec())
        dice = random.Random(5)
        lies = list(LIES.values())

        def answer(request, connection):
            good = plain(request, connection)
            return dice.choice(lies)(request) if dice.random() < 0.2 else good
        options = {"model": "socomec", "timeout": "200ms", "stale-after": "30s"}
        with Peer(answer) as peer, daemon_for({"ups": device(peer.port, **options)}) as daemon:
            wait_for(lambda: value_of(daemon, "ups", "battery.charge") is not None, 60, "a first reading")
            before = resident_kilobytes(daemon.pid)
            until = time.monotonic() + (60 if cut(60, 5, "seconds of lies") == 60 else 5)
            while time.monotonic() < until:
                points = daemon.points("ups")
                self.assertIn(points["battery.charge"]["value"], (97.0, None))
                self.assertIn(points["output.L1.voltage"]["value"], (230.0, None))
                self.assertIn(points["battery.runtime"]["value"], (42 * 60, None))
            self.assertLess(resident_kilobytes(daemon.pid) - before, 8192 * PATIENCE)

    def test_a_flood_stops_nobody_else(self):
        def flood(request, connection):
            lie = own_address_as(request, transaction=request.transaction - 1 & 0xFFFF) * 50
            while True:
                connection.sendall(lie)
        with Peer(flood) as bad, Peer(serve_registers(socomec())) as good:
            with daemon_for({"bad": device(bad.port, model="socomec", timeout="500ms"),
                             "good": device(good.port, model="socomec")}) as daemon:
                wait_value(daemon, "good", "battery.charge", 97.0)
                wait_for(lambda: "bad: no reading" in daemon.log(), 10, "the flood to be given up")
                before = len(good.requests)
                wait_for(lambda: len(good.requests) > before + 10, 10, "polls of the good one to go on")


if __name__ == "__main__":
    unittest.main()
