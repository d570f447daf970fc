# SPDX-License-Identifier: Apache-2.0
"""What clients do to the Prometheus exporter by mistake or on purpose: slow, oversized, malformed, too many. Whatever
they do, the next well-behaved scrape is answered at once."""
import re
import socket
import time
import unittest
import urllib.request

from support import PATIENCE, Busbard, cut, say, wait_for

PATIENT = 30 * PATIENCE  # s, for what is answered at once
TIMEOUT = 1.0  # request-timeout of the agent under test, s
REQUEST = b"GET /metrics HTTP/1.1\r\nHost: busbar\r\n\r\n"


class Abuse(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = Busbard({
            "devices": {"ups": {"plugin": "simulator", "interval": "1s", "points": 5000}},
            "exporters": {"prometheus": {"listen": "127.0.0.1:0", "request-timeout": f"{int(TIMEOUT * 1000)}ms",
                                         "max-connections": 24, "max-connections-per-address": 8}}})
        cls.port = int(cls.daemon.wait_log(r"listening on http://127\.0\.0\.1:(\d+)/metrics").group(1))
        wait_for(lambda: b"busbar_device_info{" in cls.scrape(), 10, "the device to answer")

    @classmethod
    def tearDownClass(cls):
        cls.daemon.__exit__(None, None, None)

    @classmethod
    def scrape(cls):
        with urllib.request.urlopen(f"http://127.0.0.1:{cls.port}/metrics", timeout=PATIENT) as answer:
            return answer.read()

    def tearDown(self):
        self.assertIsNone(self.daemon.returncode, self.daemon.log())
        wait_for(self.is_served, 5, "an honest scrape to be answered afterwards")

    def is_served(self):
        try:
            return b"busbar_device_up" in self.scrape()
        except OSError:
            return False

    def connect(self, source="127.0.0.1", buffer=None):
        client = socket.socket()
        if buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        client.settimeout(PATIENT)
        client.bind((source, 0))
        client.connect(("127.0.0.1", self.port))
        self.addCleanup(client.close)
        return client

    @staticmethod
    def is_closed(client):
        """Has the server closed the connection, as far as can be told now?"""
        client.settimeout(0.01)
        try:
            return client.recv(65536) == b""
        except socket.timeout:
            return False
        except OSError:
            return True

    @staticmethod
    def read_all(client):
        """What comes until the server closes the connection."""
        answer = b""
        while True:
            try:
                part = client.recv(65536)
            except ConnectionResetError:
                return answer
            if not part:
                return answer
            answer += part

    def read_some(self, client):
        part = client.recv(65536)
        self.assertNotEqual(part, b"", "closed amid the answer")
        return part

    def read_answer(self, client):
        """One whole answer, by its length; the connection stays open."""
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self.read_some(client)
        head, body = answer.split(b"\r\n\r\n", 1)
        self.assertIn(b" 200 OK\r\n", head)
        length = int(re.search(rb"(?i)\r\ncontent-length: (\d+)", head).group(1))
        while len(body) < length:
            body += self.read_some(client)

    def test_a_client_that_says_nothing_is_closed(self):
        client, begin = self.connect(), time.monotonic()
        self.assertEqual(self.read_all(client), b"")
        self.assertGreater(time.monotonic() - begin, TIMEOUT / 2)

    def test_a_client_that_sends_a_byte_now_and_then_is_closed(self):
        client, begin = self.connect(), time.monotonic()
        for byte in REQUEST + 1000 * b"x":
            if self.is_closed(client):
                break
            try:
                client.send(bytes([byte]))
            except OSError:
                break
            time.sleep(0.1)  # the slowness is what is tested
        self.assertLess(time.monotonic() - begin, PATIENT, "it takes minutes to send all of it")
        self.assertTrue(self.is_closed(client))

    def test_a_second_request_that_is_never_finished_is_closed(self):
        half = b"GET /metr"
        for when in ("after the answer", "amid the answer", "with the first request"):
            with self.subTest(when=when):
                client = self.connect()
                client.sendall(REQUEST + half if when == "with the first request" else REQUEST)
                if when == "after the answer":
                    self.read_answer(client)
                else:
                    self.assertIn(b"200 OK", client.recv(65536))
                if when != "with the first request":
                    client.sendall(half)
                wait_for(lambda: self.is_closed(client), 10, "the half request to be given up")

    def test_a_client_that_does_not_read_is_closed(self):
        client = self.connect(buffer=4096)
        for _ in range(40):  # more than the socket buffers hold
            try:
                client.sendall(REQUEST)
            except OSError:
                break
        time.sleep(0.05)

        def given_up():
            try:
                client.send(b"x")
            except OSError:
                return True
            return False
        wait_for(given_up, 15, "the connection to be closed")

    def test_an_idle_connection_may_stay(self):
        client = self.connect()
        client.sendall(REQUEST)
        self.read_answer(client)
        time.sleep(2.5 * TIMEOUT)  # longer than a request may take
        self.assertFalse(self.is_closed(client), "an idle connection was closed")
        client.settimeout(PATIENT)
        client.sendall(REQUEST)
        self.read_answer(client)

    def test_malformed_requests_are_refused(self):
        requests = [b"\r\n\r\n", b"GET\r\n\r\n", b"GET /metrics\r\n\r\n", b"\0\0\0\0\r\n\r\n",
                    b"GET /metrics HTTP/9.9\r\n\r\n", b"GET /metrics HTTP/1.1\r\nHost\r\n\r\n",
                    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
                    b"GET /metrics HTTP/1.1\r\n: no name\r\nHost: x\r\n\r\n", b"\xff" * 300 + b"\r\n\r\n",
                    b"GET /metrics HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                    b"GET /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n"]
        for request in requests:
            with self.subTest(request=request[:40]):
                client = self.connect()
                client.sendall(request)
                client.shutdown(socket.SHUT_WR)
                self.read_all(client)  # ends, whatever it says
        say(f"HTTP: {len(requests)} malformed requests refused")

    def test_oversized_headers_are_refused(self):
        for request in (b"GET /" + 100000 * b"a" + b" HTTP/1.1\r\n\r\n",
                        b"GET /metrics HTTP/1.1\r\nX: " + 100000 * b"a" + b"\r\n\r\n",
                        b"GET /metrics HTTP/1.1\r\n" + 5000 * b"X-Y: z\r\n" + b"\r\n"):
            with self.subTest(request=request[:30]):
                client = self.connect()
                try:
                    client.sendall(request)
                except OSError:
                    continue  # closed while we were sending: refused
                self.assertNotIn(b"200 OK", self.read_all(client))

    def test_a_body_is_refused_before_it_comes(self):
        client = self.connect()
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000000\r\n\r\n")
        self.assertIn(b"HTTP/1.1 413", self.read_all(client))

    def test_other_methods_and_paths_are_refused(self):
        for request, status in ((b"DELETE /metrics", b"405"), (b"POST /metrics", b"405"), (b"GET /metricsx", b"404"),
                                (b"GET /../../etc/passwd", b"404"), (b"OPTIONS *", b"405")):
            with self.subTest(request=request):
                client = self.connect()
                client.sendall(request + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                self.assertTrue(self.read_all(client).startswith(b"HTTP/1.1 " + status))

    def test_one_address_gets_no_more_than_its_connections(self):
        clients = [self.connect("127.0.0.2") for _ in range(20)]
        wait_for(lambda: sum(self.is_closed(client) for client in clients) >= 12, 10, "the surplus to be closed")
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=PATIENT) as answer:
            self.assertEqual(answer.status, 200)  # another address is served meanwhile

    def test_all_addresses_together_get_no_more_than_the_limit(self):
        clients = [self.connect(f"127.0.0.{3 + i // 8}") for i in range(60)]
        # Those above the limit wait in the kernel until others are dropped for taking too long.
        wait_for(lambda: all(self.is_closed(client) for client in clients), 20, "all of them to be closed")

    def test_clients_that_vanish_amid_the_answer_do_no_harm(self):
        count = cut(2000, 200, "clients that hang up amid the answer")
        for i in range(count):
            client = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENT)
            client.sendall(REQUEST)
            if i % 2:
                client.recv(1)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close with a reset
            client.close()


if __name__ == "__main__":
    unittest.main()
