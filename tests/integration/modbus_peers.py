# SPDX-License-Identifier: Apache-2.0
"""Modbus TCP peers that tests of the client side talk to.

`Pymodbus` is the foreign server: pymodbus in a process of its own. `Peer` is a small server of threads that behaves
exactly as a test says, also badly; `Ups` is one of them that is a UPS, to which things happen when a test wants them
to: it stays so until the test has looked, however slow the machine is. `Gate` stands between busbard and a server and
looks at what passes: how many connections there are, and whether two requests are ever under way at once.
"""
import csv
import json
import pathlib
import socket
import struct
import threading
import time
import unittest

from support import SOURCE, Process, free_port, program

PYTHON = "/usr/bin/python3"


def receive(connection, count):
    """Exactly @count bytes; None when the other side ends before."""
    data = b""
    while len(data) < count:
        try:
            part = connection.recv(count - len(data))
        except OSError:
            return None
        if not part:
            return None
        data += part
    return data


def receive_frame(connection):
    """A whole MBAP frame, None at the end."""
    header = receive(connection, 6)
    if header is None:
        return None
    rest = receive(connection, struct.unpack(">H", header[4:])[0])
    return None if rest is None else header + rest


class Request:
    """A read or write request taken apart."""

    def __init__(self, frame):
        self.frame = frame
        self.transaction, _, _, self.unit, self.function = struct.unpack(">HHHBB", frame[:8])
        self.address, self.count = struct.unpack(">HH", frame[8:12])

    def reply(self, pdu, transaction=None, unit=None, protocol=0, length=None):
        """The frame that answers it with @pdu, or one that lies."""
        return struct.pack(">HHHB", self.transaction if transaction is None else transaction, protocol,
                           len(pdu) + 1 if length is None else length, self.unit if unit is None else unit) + pdu

    def words(self, words, **lies):
        return self.reply(struct.pack(f">BB{len(words)}H", self.function, 2 * len(words), *words), **lies)

    def exception(self, code, **lies):
        return self.reply(bytes([self.function | 0x80, code]), **lies)


def serve_registers(registers, lacking=2):
    """A behaviour: read requests are answered from @registers {address: word}, writes (06) change them."""
    def answer(request, _connection):
        if request.function == 6:
            if request.address not in registers:
                return request.exception(lacking)
            registers[request.address] = request.count
            return request.frame
        wanted = range(request.address, request.address + request.count)
        if any(address not in registers for address in wanted):
            return request.exception(lacking)
        return request.words([registers[address] & 0xFFFF for address in wanted])
    return answer


class Peer:
    """A server on 127.0.0.1. @answer(request, connection) returns the bytes to send, or None: nothing; it may also use
    the connection itself. It can be replaced at any time. `requests` is what was asked, `connections` how many came."""

    def __init__(self, answer, port=0, backlog=8):
        self.answer = answer
        self.requests = []
        self.connections = 0
        self.errors = []
        self._open = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", port), backlog=backlog, reuse_port=False)
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self.connections += 1
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            while (frame := receive_frame(connection)) is not None:
                request = Request(frame)
                self.requests.append(request)
                data = self.answer(request, connection)
                if data:
                    connection.sendall(data)
        except OSError:
            pass  # the other side, or a test, has closed it
        except Exception as error:  # a test's behaviour is wrong: it shows at the end
            self.errors.append(error)
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    @property
    def open_connections(self):
        return len(self._open)

    def drop(self):
        """Close all connections."""
        with self._lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def close(self):
        try:
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
        except OSError:
            pass
        self._listener.close()
        self.drop()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.close()
        if kind is None and self.errors:
            raise self.errors[0]


class Ups(Peer):
    """A UPS in good health, by the layout `socomec`. set() changes a point's register, `silent` whether it answers."""

    def __init__(self):
        with open(SOURCE / "config/maps/socomec.csv", encoding="utf-8") as file:
            rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
        self._addresses = {row["point"]: int(row["address"]) for row in rows}
        self._registers = {int(row["address"]) + i: 0 for row in rows for i in range(int(row["count"] or 1))}
        self.silent = False
        for point, word in (("battery.charge", 100), ("battery.runtime", 42), ("output.L1.load", 20)):
            self.set(point, word)
        serve = serve_registers(self._registers)
        super().__init__(lambda request, connection: None if self.silent else serve(request, connection))

    def set(self, point, word):
        self._registers[self._addresses[point]] = word

    def device(self, **options):
        """Its section in busbard's configuration."""
        return {"plugin": "ups-modbus", "address": f"modbus-tcp://127.0.0.1:{self.port}/1", "model": "socomec",
                "interval": "200ms", "watch": "100ms", "timeout": "3s", "stale-after": "4s", **options}


class Gate:
    """A way to the server at @port that counts. `most` connections are let through at a time, others are closed. A
    request that was not answered for @patience seconds is taken for given up."""

    def __init__(self, port, most=1000, patience=0.5):
        self._target, self._most, self._patience = port, most, patience
        self.requests = self.overlaps = self.connections = self.refused = self.highest = 0
        self._under_way = {}  # transaction: when it began
        self._open = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if len(self._open) >= self._most:
                    self.refused += 1
                    client.close()
                    continue
                self.connections += 1
                self._open.add(client)
                self.highest = max(self.highest, len(self._open))
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        server = None
        try:
            server = socket.create_connection(("127.0.0.1", self._target), timeout=5)
            server.settimeout(None)
            threading.Thread(target=self._answers, args=(client, server), daemon=True).start()
            while (frame := receive_frame(client)) is not None:
                with self._lock:
                    self.requests += 1
                    self.overlaps += any(began > time.monotonic() - self._patience
                                         for began in self._under_way.values())
                    self._under_way[frame[:2]] = time.monotonic()
                server.sendall(frame)
        except OSError:
            pass  # the server is away: so are we
        finally:
            for one in (client, server):
                if one is not None:
                    try:
                        one.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        pass
            with self._lock:
                self._open.discard(client)
                self._under_way.clear()
            client.close()

    def _answers(self, client, server):
        try:
            while (frame := receive_frame(server)) is not None:
                with self._lock:
                    self._under_way.pop(frame[:2], None)
                client.sendall(frame)
            client.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        finally:
            server.close()

    def close(self):
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Pymodbus(Process):
    """pymodbus' TCP server. @units: {unit: {"holding": {address: word}, "input": …, "coils": …, "discrete": …}}; what
    is not listed is exception 02, other units are exception 0B."""

    def __init__(self, units, port=None):
        program("python3")
        self.port = port or free_port()
        super().__init__([PYTHON, pathlib.Path(__file__).with_name("pymodbus_server.py"), self.port,
                          json.dumps(units)], name="pymodbus")
        self.wait_log(r"^ready$|^missing: .*$")
        if "missing" in self.log():
            raise unittest.SkipTest("python3-pymodbus is not installed (./dev deps installs it)")
