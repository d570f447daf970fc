# SPDX-License-Identifier: Apache-2.0
"""An AgentX master that is played by hand, for what no real one would do: see test_agentx_hostile.py. Everything that a
real master does is tested with snmpd.

    with Master("unix", Wire("<")) as master:            # busbard: exporters: agentx: master: master.address
        talk = master.accept()                           # busbard has connected
        talk.reach("up")                                 # its Open and its Registers were answered
        talk.get("1.3.6.1.2.1.33.1.1.5.0")               # → [Varbind(…)]
        talk.send(b"nonsense")
        talk.serve_until_dropped()                       # whatever else it hears: that was too much
"""
import pathlib
import select
import socket
import struct
import tempfile
import time

from agentx_wire import (CLEANUP_SET, CLOSE, COMMIT_SET, GET, GET_BULK, GET_NEXT, NOTIFY, OPEN, PING, REGISTER,
                         RESPONSE, TEST_SET, UNDO_SET, UNREGISTER, take)
from support import PATIENCE

STATES = ("connected", "opening", "registering", "up")
DEADLINE = 5  # in which busbard must be back, or answer


class Dropped(Exception):
    """busbard has closed the connection."""


class Master:
    """Listens where busbard is to find it. @registrations: the set of (context, root) that a whole session has."""

    def __init__(self, kind, wire, registrations=None):
        self.wire, self.registrations = wire, registrations
        self.session = 0
        self.folder = tempfile.TemporaryDirectory(prefix="busbar-master-")
        if kind == "unix":
            path = pathlib.Path(self.folder.name) / "master"
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(str(path))
            self.listener.listen(5)
            self.address = f"unix:{path}"
        else:
            self.listener = socket.create_server(("127.0.0.1", 0))
            self.address = f"tcp:127.0.0.1:{self.listener.getsockname()[1]}"

    def accept(self, within=DEADLINE):
        self.listener.settimeout(within * PATIENCE)
        try:
            connection, _ = self.listener.accept()
        except TimeoutError:
            raise AssertionError(f"busbard did not connect within {within * PATIENCE} s") from None
        return Talk(self, connection)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.folder.cleanup()


class Talk:
    """One connection of busbard's."""

    def __init__(self, master, connection):
        self.master, self.wire, self.socket = master, master.wire, connection
        self.stream = bytearray()
        self.state = "connected"
        self.open_message = None  # its Open
        self.asked = []  # its Registers that wait for an answer
        self.registered = set()
        self.packet = self.transaction = 0
        master.session += 1
        self.session = master.session

    # ---- bytes ----

    def send(self, data, within=DEADLINE):
        """All of it. Dropped, when busbard has closed; AssertionError, when it does not take it in time."""
        self.socket.settimeout(within * PATIENCE)
        try:
            self.socket.sendall(data)
        except TimeoutError:
            raise AssertionError(f"busbard does not read: {len(data)} bytes could not be sent") from None
        except OSError as error:
            raise Dropped(str(error)) from None

    def push(self, data, within=DEADLINE, dry=1.0):
        """Send @data again and again without ever reading, until busbard closes: then Dropped. False: it has taken
        nothing for @dry seconds."""
        self.socket.setblocking(False)
        until = time.monotonic() + within * PATIENCE
        offset = 0
        while time.monotonic() < until:
            if not select.select([], [self.socket], [], dry * PATIENCE)[1]:
                return False
            try:
                offset = (offset + self.socket.send(data[offset:])) % len(data)
            except BlockingIOError:
                pass
            except OSError as error:
                raise Dropped(str(error)) from None
        return True

    def message(self, within=DEADLINE):
        """The next Message. Dropped, when busbard closes."""
        until = time.monotonic() + within * PATIENCE
        while True:
            found = take(self.stream)
            if found:
                return found
            self.socket.settimeout(max(0.001, until - time.monotonic()))
            try:
                data = self.socket.recv(1 << 20)
            except TimeoutError:
                raise AssertionError(f"busbard said nothing for {within * PATIENCE} s") from None
            except OSError as error:
                raise Dropped(str(error)) from None
            if not data:
                raise Dropped("closed")
            self.stream += data

    def close(self, reset=False):
        if reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def wait_dropped(self, within=DEADLINE):
        """busbard must give this connection up, because it gets no answers; what it says is not looked at."""
        until = time.monotonic() + within * PATIENCE
        while time.monotonic() < until:
            self.socket.settimeout(max(0.001, until - time.monotonic()))
            try:
                if not self.socket.recv(1 << 20):
                    return
            except TimeoutError:
                break
            except OSError:
                return
        raise AssertionError(f"busbard has not given the connection up within {within * PATIENCE} s")

    def serve_until_dropped(self, within=DEADLINE):
        """busbard must give this connection up although it is served well from now on."""
        until = time.monotonic() + within * PATIENCE
        self.reach("up")
        while time.monotonic() < until:
            message = self.message()
            if message.type != RESPONSE:
                self.serve(message)
        raise AssertionError(f"busbard has not given the connection up within {within * PATIENCE} s")

    # ---- a good master ----

    def answer(self, message, error=0, **options):
        """A Response to what busbard has asked."""
        self.send(self.wire.pdu(RESPONSE, self.wire.response(error, **options), session=self.session,
                                transaction=message.transaction, packet=message.packet))

    def serve(self, message):
        """Do what a good master does with what busbard asks."""
        if message.type == REGISTER:
            self.registered.add(registration(message))
        elif message.type == UNREGISTER:
            self.registered.discard(registration(message))
        elif message.type not in (OPEN, PING, NOTIFY):
            raise AssertionError(f"busbard said {message}, out of the blue")
        self.answer(message)

    def reach(self, state):
        """Go on as far as @state, and no further."""
        while self.state != state:
            if self.state == "connected":
                self.open_message = self.message()
                if self.open_message.type != OPEN:
                    raise AssertionError(f"busbard began with {self.open_message}")
                self.state = "opening"
            elif self.state == "opening":
                self.answer(self.open_message)
                while len(self.asked) < len(self.master.registrations):
                    self.asked.append(self.message())
                self.state = "registering"
            else:
                for message in self.asked:
                    self.serve(message)
                while self.registered != self.master.registrations:
                    self.serve(self.message())
                self.state = "up"
        return self

    def expect(self, packet, within=DEADLINE):
        """The Response with number @packet, whatever busbard asks meanwhile."""
        until = time.monotonic() + within * PATIENCE
        while time.monotonic() < until:
            message = self.message(within)
            if message.type != RESPONSE:
                self.serve(message)
            elif message.packet == packet:
                return message
        raise AssertionError(f"request {packet} was not answered within {within * PATIENCE} s")

    def request(self, kind, payload=b"", **options):
        """The bytes of a request with numbers of its own."""
        self.packet += 1
        if "transaction" not in options:
            self.transaction += 1
            options["transaction"] = self.transaction
        options.setdefault("session", self.session)
        options.setdefault("packet", self.packet)
        return self.wire.pdu(kind, payload, **options)

    def ask(self, kind, payload=b"", **options):
        """Send a request; its Response. Its length, its numbers and its order must be right."""
        request = self.request(kind, payload, **options)
        self.send(request)
        message = self.expect(options.get("packet", self.packet))
        if len(message.payload) + 20 > 65536:
            raise AssertionError(f"an answer of {len(message.payload) + 20} bytes, which net-snmp would refuse")
        if message.session != options.get("session", self.session):
            raise AssertionError(f"the answer is for session {message.session}")
        if "transaction" in options and message.transaction != options["transaction"]:
            raise AssertionError(f"the answer is for transaction {message.transaction}")
        return message.reader().response()

    def get(self, name, kind=GET, context=None):
        """The variables of a Get of one name; it must be answered without error."""
        response = self.ask(kind, self.wire.range(name), context=context)
        if response.error:
            raise AssertionError(f"{name}: error {response.error}")
        return response.varbinds

    def next(self, name, end="", include=False, context=None):
        """The one variable of a GetNext."""
        response = self.ask(GET_NEXT, self.wire.range(name, end, include), context=context)
        if response.error or len(response.varbinds) != 1:
            raise AssertionError(f"{name}: error {response.error}, {len(response.varbinds)} variables")
        return response.varbinds[0]

    def bulk(self, non_repeaters, repetitions, *ranges, **options):
        return self.ask(GET_BULK, self.wire.bulk(non_repeaters, repetitions, *ranges), **options)

    def test_set(self, *varbinds, **options):
        return self.ask(TEST_SET, b"".join(varbinds), **options).error

    def phase(self, kind, transaction):
        """CommitSet or UndoSet: the error; CleanupSet has no answer."""
        if kind == CLEANUP_SET:
            return self.send(self.request(kind, transaction=transaction))
        if kind not in (COMMIT_SET, UNDO_SET):
            raise AssertionError("no such phase")
        return self.ask(kind, transaction=transaction).error

    def say_close(self, reason):
        self.send(self.wire.pdu(CLOSE, bytes([reason, 0, 0, 0]), session=self.session, packet=1))


def registration(message):
    """The (context, root) of a Register or Unregister."""
    reader = message.reader()
    reader.unpack("I")
    return reader.context, ".".join(map(str, reader.oid()[0]))
