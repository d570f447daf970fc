# SPDX-License-Identifier: Apache-2.0
"""AgentX (RFC 2741) in Python for tests that play the master by hand: bytes are put together here without regard for
what is allowed, and what busbard says is taken apart strictly. Written beside agentx/codec.h, from the RFC alone.

    wire = Wire(">")                                      # network byte order; "<" is the other
    wire.pdu(GET_NEXT, wire.range("1.3.6.1.2.1.33"), session=7, packet=1, context="ups-b")
    message = take(bytearray)                             # the first whole Message of a stream, or None
    message.reader().response()                           # → Response(uptime, error, index, varbinds)
"""
import collections
import struct

(OPEN, CLOSE, REGISTER, UNREGISTER, GET, GET_NEXT, GET_BULK, TEST_SET, COMMIT_SET, UNDO_SET, CLEANUP_SET, NOTIFY, PING,
 INDEX_ALLOCATE, INDEX_DEALLOCATE, ADD_AGENT_CAPS, REMOVE_AGENT_CAPS, RESPONSE) = range(1, 19)
NAMES = ["", "Open", "Close", "Register", "Unregister", "Get", "GetNext", "GetBulk", "TestSet", "CommitSet", "UndoSet",
         "CleanupSet", "Notify", "Ping", "IndexAllocate", "IndexDeallocate", "AddAgentCaps", "RemoveAgentCaps",
         "Response"]
WITHOUT_CONTEXT = (OPEN, CLOSE, COMMIT_SET, UNDO_SET, CLEANUP_SET, RESPONSE)

INSTANCE_REGISTRATION, NEW_INDEX, ANY_INDEX, NON_DEFAULT_CONTEXT, NETWORK_BYTE_ORDER = 1, 2, 4, 8, 16

INTEGER, OCTETS, NULL, OID, IP_ADDRESS, COUNTER32, GAUGE32, TIME_TICKS, OPAQUE, COUNTER64 = (
    2, 4, 5, 6, 64, 65, 66, 67, 68, 70)
NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_MIB_VIEW = 128, 129, 130
NUMBERS = (INTEGER, COUNTER32, GAUGE32, TIME_TICKS)
TEXTS = (OCTETS, IP_ADDRESS, OPAQUE)

HEADER = 20

Varbind = collections.namedtuple("Varbind", "type name value")
Response = collections.namedtuple("Response", "uptime error index varbinds")


def arcs(name):
    """"1.3.6.1", or a sequence of numbers, as a tuple; "" is the null identifier."""
    if isinstance(name, str):
        return tuple(int(arc) for arc in name.strip(".").split(".")) if name else ()
    return tuple(name)


class Wire:
    """Puts messages together in the byte order @order."""

    def __init__(self, order="<"):
        self.order = order

    def number(self, value):
        return struct.pack(f"{self.order}I", value & 0xFFFFFFFF)

    def octets(self, text):
        text = text.encode() if isinstance(text, str) else text
        return self.number(len(text)) + text + bytes(-len(text) % 4)

    def oid(self, name, include=False, prefix=True):
        """@prefix: shorten 1.3.6.1.x."""
        name, short = arcs(name), 0
        if prefix and len(name) >= 5 and name[:4] == (1, 3, 6, 1) and 0 < name[4] < 256:
            short, name = name[4], name[5:]
        return struct.pack(f"{self.order}BBBB{len(name)}I", len(name), short, include, 0, *name)

    def range(self, start, end="", include=False):
        return self.oid(start, include) + self.oid(end)

    def varbind(self, kind, name, value=None):
        body = b""
        if kind in NUMBERS:
            body = self.number(value)
        elif kind in TEXTS:
            body = self.octets(value)
        elif kind == OID:
            body = self.oid(value)
        elif kind == COUNTER64:
            body = struct.pack(f"{self.order}Q", value)
        return struct.pack(f"{self.order}HH", kind, 0) + self.oid(name) + body

    def bulk(self, non_repeaters, repetitions, *ranges):
        return struct.pack(f"{self.order}HH", non_repeaters, repetitions) + b"".join(ranges)

    def response(self, error=0, index=0, uptime=4711, varbinds=b""):
        return struct.pack(f"{self.order}IHH", uptime, error, index) + varbinds

    def pdu(self, kind, payload=b"", session=0, transaction=0, packet=0, context=None, flags=0, version=1, length=None):
        """A whole message; @length is what the header says when it is to lie."""
        if context is not None:
            payload = self.octets(context) + payload
            flags |= NON_DEFAULT_CONTEXT
        if self.order == ">":
            flags |= NETWORK_BYTE_ORDER
        return struct.pack(f"{self.order}BBBBIIII", version, kind, flags, 0, session, transaction, packet,
                           len(payload) if length is None else length) + payload


class Message(collections.namedtuple("Message", "type flags session transaction packet payload")):
    """One that has come in."""

    __slots__ = ()

    @property
    def order(self):
        return ">" if self.flags & NETWORK_BYTE_ORDER else "<"

    def reader(self):
        """A Reader behind the context, which is its attribute context."""
        reader = Reader(self.payload, self.order)
        if self.type not in WITHOUT_CONTEXT and self.flags & NON_DEFAULT_CONTEXT:
            reader.context = reader.octets().decode()
        return reader

    def __str__(self):
        return f"{NAMES[self.type]} session {self.session} packet {self.packet} ({len(self.payload)} bytes)"


def take(stream):
    """The first whole Message of the bytearray @stream, which loses it; None when more has to come."""
    if len(stream) < HEADER:
        return None
    order = ">" if stream[2] & NETWORK_BYTE_ORDER else "<"
    version, kind, flags, reserved, session, transaction, packet, length = \
        struct.unpack_from(f"{order}BBBBIIII", stream)
    if version != 1 or not OPEN <= kind <= RESPONSE or reserved or length % 4:
        raise AssertionError(f"this is no AgentX: {bytes(stream[:HEADER]).hex()}")
    if len(stream) < HEADER + length:
        return None
    payload = bytes(stream[HEADER:HEADER + length])
    del stream[:HEADER + length]
    return Message(kind, flags, session, transaction, packet, payload)


class Reader:
    """Takes a payload apart; what is not as the RFC has it fails the test."""

    def __init__(self, payload, order):
        self.payload, self.order, self.at, self.context = payload, order, 0, ""

    def unpack(self, layout):
        values = struct.unpack_from(self.order + layout, self.payload, self.at)
        self.at += struct.calcsize(self.order + layout)
        return values

    def octets(self):
        length, = self.unpack("I")
        text = self.payload[self.at:self.at + length]
        padding = self.payload[self.at + length:self.at + length + -length % 4]
        if len(text) != length or len(padding) != -length % 4 or any(padding):
            raise AssertionError(f"a string of {length} bytes is cut short or padded wrongly: {text!r} {padding!r}")
        self.at += length + -length % 4
        return text

    def oid(self):
        """(arcs, include)"""
        count, prefix, include, reserved = self.unpack("BBBB")
        if reserved or include > 1:
            raise AssertionError("an object identifier's head has bits that do not exist")
        name = self.unpack(f"{count}I")
        name = (1, 3, 6, 1, prefix, *name) if prefix else name
        if len(name) > 128:
            raise AssertionError(f"an object identifier of {len(name)} arcs")
        return name, bool(include)

    def varbind(self):
        kind, reserved = self.unpack("HH")
        name, value = self.oid()[0], None
        if reserved:
            raise AssertionError("reserved bits of a variable binding are set")
        if kind in NUMBERS:
            value, = self.unpack("i" if kind == INTEGER else "I")
        elif kind in TEXTS:
            value = self.octets()
        elif kind == OID:
            value = self.oid()[0]
        elif kind == COUNTER64:
            value, = self.unpack("Q")
        elif kind not in (NULL, NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END_OF_MIB_VIEW):
            raise AssertionError(f"a variable of type {kind}")
        return Varbind(kind, name, value)

    def varbinds(self):
        found = []
        while self.at < len(self.payload):
            found.append(self.varbind())
        return found

    def response(self):
        uptime, error, index = self.unpack("IHH")
        return Response(uptime, error, index, self.varbinds())
