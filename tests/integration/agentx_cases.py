# SPDX-License-Identifier: Apache-2.0
"""What a master may do to busbard: a table of named cases for test_agentx_hostile.py.

A case is a function of a Talk (agentx_master.py) that has reached the state the case begins in. Then

* "stays": busbard goes on answering on the same connection;
* "drops": busbard closes the connection, although the master goes on like a good one, and comes back;
* "starves": busbard closes it because the master goes on saying nothing, and comes back;
* "gone": the case itself has closed it, and busbard comes back.
"""
import collections
import random

from agentx_wire import *  # noqa: F403: the protocol's numbers
from agentx_master import STATES, Dropped, registration

UPS = "1.3.6.1.2.1.33"
NAME = f"{UPS}.1.1.5.0"  # upsIdentName: the simulator's is the device's name
ATTACHED = f"{UPS}.1.1.6.0"  # upsIdentAttachedDevices, which may be written
BATTERY = f"{UPS}.1.2.1.0"  # upsBatteryStatus, which may not
SPIN_LOCK = f"{UPS}.1.7.2.0"
BUSBAR = "1.3.6.1.4.1.8072.9999.9999.1628"

PARSE_ERROR, NOT_OPEN, UNSUPPORTED_CONTEXT, GEN_ERR = 266, 257, 262, 5
SNMP_ERRORS = range(1, 19)
AGENTX_ERRORS = range(256, 269)
LAST = (2 ** 32 - 1,) * 128

Case = collections.namedtuple("Case", "name state ends act")
CASES = []


def case(name, state="up", ends="stays"):
    """The decorated function is a case."""
    def add(act):
        CASES.append(Case(name, state, ends, act))
        return act
    return add


def expect(value, *wanted):
    if value not in wanted:
        raise AssertionError(f"{value} instead of {' or '.join(map(str, wanted))}")


# ---- what is not AgentX, in every state ----

GARBAGE = {
    "noise": random.Random(3).randbytes(300),
    "zeros": bytes(64),
    "ones": b"\xff" * 64,
    "a web server": b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(53),
    "SNMP": bytes.fromhex("302602010104067075626c6963a019020401020304020100020100300b300906052b06010201050000"),
}
for _state in STATES:
    for _what, _bytes in GARBAGE.items():
        case(f"{_what}, when {_state}", _state, "drops")(lambda talk, data=_bytes: talk.send(data))

for _version in (0, 2, 255):
    case(f"version {_version}", ends="drops")(
        lambda talk, version=_version: talk.send(talk.request(GET, talk.wire.range(NAME), version=version)))
for _kind in (0, 19, 127, 255):
    case(f"type {_kind}", ends="drops")(lambda talk, kind=_kind: talk.send(talk.request(kind)))
for _length in (1, 2, 3, 5, 17, (1 << 20) + 4, 0x7FFFFFFC, 0xFFFFFFFC, 0xFFFFFFFF):
    case(f"a length of {_length}", ends="drops")(
        lambda talk, length=_length: talk.send(talk.request(GET, talk.wire.range(NAME), length=length)))


@case("a header whose flag names the other byte order", ends="drops")
def _(talk):
    message = bytearray(talk.request(GET, talk.wire.range(NAME)))
    message[2] ^= NETWORK_BYTE_ORDER
    talk.send(message)


@case("a length that is too short for what follows", ends="drops")
def _(talk):
    talk.send(talk.request(GET, talk.wire.range(NAME), length=4))


@case("reserved bits")
def _(talk):
    message = bytearray(talk.request(GET, talk.wire.range(NAME)))
    message[2] |= 0xE7
    message[3] = 0xFF
    talk.send(message)
    expect(talk.expect(talk.packet).reader().response().error, 0)


# ---- types that no master sends ----

for _kind in (OPEN, REGISTER, UNREGISTER, NOTIFY, PING, INDEX_ALLOCATE, INDEX_DEALLOCATE, ADD_AGENT_CAPS,
              REMOVE_AGENT_CAPS):
    case(f"{NAMES[_kind]} from a master")(
        lambda talk, kind=_kind: talk.send(talk.request(kind, bytes(4) + talk.wire.oid(UPS)) + talk.request(kind)))

# ---- opening ----

for _error in (*SNMP_ERRORS, *AGENTX_ERRORS, 9999, 65535):
    case(f"Open refused with error {_error}", "opening", "drops")(
        lambda talk, error=_error: talk.answer(talk.open_message, error))


@case("an answer to another Open", "opening", "starves")
def _(talk):
    talk.answer(talk.open_message._replace(packet=talk.open_message.packet + 1))


@case("an answer to Open that is cut short", "opening", "drops")
def _(talk):
    talk.send(talk.wire.pdu(RESPONSE, bytes(4), session=1, packet=talk.open_message.packet))


@case("an answer to Open without content", "opening", "drops")
def _(talk):
    talk.send(talk.wire.pdu(RESPONSE, session=1, packet=talk.open_message.packet))


@case("no answer to Open", "opening", "starves")
def _(_talk):
    pass


@case("no answer to Open, but a byte of one now and then", "opening", "starves")
def _(talk):
    talk.send(talk.wire.pdu(RESPONSE, talk.wire.response(), packet=talk.open_message.packet)[:-1])


@case("session 0", "opening")
def _(talk):
    talk.session = 0
    talk.reach("up")


@case("session 4294967295", "opening")
def _(talk):
    talk.session = 2 ** 32 - 1
    talk.reach("up")


@case("answers to Open twice, with two sessions", "opening")
def _(talk):
    talk.answer(talk.open_message)
    talk.session += 1
    talk.answer(talk.open_message)
    talk.session -= 1
    talk.reach("up")


@case("an answer to Open that carries a list of variables", "opening")
def _(talk):
    talk.answer(talk.open_message, varbinds=talk.wire.varbind(OCTETS, NAME, "x" * 5000))
    talk.reach("up")


@case("an answer to Open whose variables are nonsense", "opening")
def _(talk):
    talk.answer(talk.open_message, varbinds=b"\xff" * 400)
    talk.reach("up")


for _kind in (GET, GET_NEXT, GET_BULK, TEST_SET, COMMIT_SET, UNDO_SET, CLEANUP_SET):
    for _state in ("connected", "opening"):
        @case(f"{NAMES[_kind]} before Open was answered, when {_state}", _state)
        def _(talk, kind=_kind):
            talk.send(talk.request(kind, talk.wire.range(NAME)) * 3)
            talk.reach("up")


# ---- registering ----

def refuse(talk, codes):
    """Refuse all registrations, with one code each; they must come again."""
    for message, code in zip(talk.asked, codes):
        talk.answer(message, code)
    talk.asked = []
    talk.reach("up")


_codes = [code for code in (*SNMP_ERRORS, *AGENTX_ERRORS, 65535, 300) if code != NOT_OPEN]
for _first in range(0, len(_codes), 4):
    _some = (_codes[_first:_first + 4] * 4)[:4]
    case(f"registrations refused with {_some}", "registering")(lambda talk, codes=_some: refuse(talk, codes))


@case("a registration whose answer is that the session is not open", "registering", "drops")
def _(talk):
    talk.answer(talk.asked[0], NOT_OPEN)


@case("no answer to one registration", "registering", "starves")
def _(talk):
    for message in talk.asked[1:]:
        talk.answer(message)


@case("answers to registrations in the other order", "registering")
def _(talk):
    talk.asked.reverse()
    talk.reach("up")


@case("answers to registrations for another session", "registering")
def _(talk):
    talk.session += 77
    for message in talk.asked:
        talk.serve(message)
    talk.session -= 77
    talk.asked = []
    talk.reach("up")


@case("each registration answered ten times, refused in between", "registering")
def _(talk):
    for message in talk.asked:
        talk.serve(message)
        for error in (0, 263) * 5:
            talk.answer(message, error)
    talk.asked = []
    talk.reach("up")


@case("an answer to a registration that is cut short", "registering", "drops")
def _(talk):
    talk.send(talk.wire.pdu(RESPONSE, bytes(4), session=talk.session, packet=talk.asked[0].packet))


@case("questions while registering", "registering")
def _(talk):
    expect(talk.get(NAME)[0].value, b"ups-a")
    talk.reach("up")


# ---- responses that nobody has asked for ----

@case("a thousand answers to nothing")
def _(talk):
    talk.send(b"".join(talk.wire.pdu(RESPONSE, talk.wire.response(error), session=talk.session, packet=900000 + error)
                       for error in range(1, 257)) * 4)


@case("an answer to nothing, of the longest length")
def _(talk):
    talk.send(talk.wire.pdu(RESPONSE, bytes(1 << 20), session=talk.session, packet=900000))


@case("an answer to nothing that says the session is not open", ends="drops")
def _(talk):
    talk.send(talk.wire.pdu(RESPONSE, talk.wire.response(NOT_OPEN), session=talk.session, packet=900000))


for _length in (0, 4):
    case(f"an answer to nothing, of {_length} bytes", ends="drops")(
        lambda talk, length=_length: talk.send(talk.wire.pdu(RESPONSE, bytes(length), session=talk.session)))


@case("clocks that jump")
def _(talk):
    for uptime in (0, 2 ** 32 - 1, 2 ** 31, 1, 4711) * 20:
        talk.send(talk.wire.pdu(RESPONSE, talk.wire.response(uptime=uptime), session=talk.session, packet=900000))
    talk.get(f"{UPS}.1.6.2.1.3.1")


for _uptime in (0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1):
    @case(f"a master that has been up for {_uptime} hundredths of a second", "opening")
    def _(talk, uptime=_uptime):
        talk.answer(talk.open_message, uptime=uptime)
        talk.asked = [talk.message() for _ in talk.master.registrations]
        for message in talk.asked:
            talk.registered.add(registration(message))
            talk.answer(message, uptime=uptime)
        talk.state = "up"
        talk.next(f"{UPS}.1.6")
        talk.next(f"{BUSBAR}.1")


# ---- closing ----

for _reason in (0, 1, 2, 3, 4, 5, 6, 255):
    case(f"Close with reason {_reason}", ends="drops")(lambda talk, reason=_reason: talk.say_close(reason))
for _state in STATES:
    case(f"Close, when {_state}", _state, "drops")(lambda talk: talk.say_close(5))
    case(f"an end of the connection, when {_state}", _state, "drops")(lambda talk: talk.socket.shutdown(1))
    case(f"a reset of the connection, when {_state}", _state, "gone")(lambda talk: talk.close(reset=True))
    case(f"half a header and an end, when {_state}", _state, "gone")(
        lambda talk: (talk.send(talk.request(GET)[:11]), talk.close()))


@case("Close without content", ends="drops")
def _(talk):
    talk.send(talk.wire.pdu(CLOSE, session=talk.session))


@case("Close of another session", ends="drops")
def _(talk):
    talk.send(talk.wire.pdu(CLOSE, bytes(4), session=talk.session + 1))


@case("requests behind a Close", ends="drops")
def _(talk):
    talk.send(talk.wire.pdu(CLOSE, bytes([5, 0, 0, 0]), session=talk.session) +
              talk.request(GET, talk.wire.range(NAME)) * 100)


# ---- sessions ----

for _kind in (GET, GET_NEXT, GET_BULK, TEST_SET, COMMIT_SET, UNDO_SET):
    @case(f"{NAMES[_kind]} of another session")
    def _(talk, kind=_kind):
        for session in (0, talk.session + 1, 2 ** 32 - 1):
            expect(talk.ask(kind, talk.wire.range(NAME), session=session).error, NOT_OPEN)


@case("CleanupSet of another session")
def _(talk):
    talk.send(talk.request(CLEANUP_SET, session=talk.session + 1) * 10)


# ---- contexts ----

for _name, _context, _errors in (
        ("that nobody has", "nobody", (UNSUPPORTED_CONTEXT,)),
        ("of 63 bytes", "x" * 63, (UNSUPPORTED_CONTEXT,)),
        ("of 64 bytes", "x" * 64, (UNSUPPORTED_CONTEXT,)),
        ("of a megabyte less its frame", "x" * ((1 << 20) - 64), (UNSUPPORTED_CONTEXT,)),
        ("with a NUL", b"ups-a\0", (UNSUPPORTED_CONTEXT,)),
        ("of bytes that are no text", b"\xff\xfe\x80", (UNSUPPORTED_CONTEXT,)),
        ("that begins like one of ours", "ups", (UNSUPPORTED_CONTEXT,)),
        ("that one of ours begins like", "ups-aa", (UNSUPPORTED_CONTEXT,)),
        ("that is ours in capitals", "UPS-A", (UNSUPPORTED_CONTEXT,)),
        ("that looks like a format", "%s%n%s%n", (UNSUPPORTED_CONTEXT,)),
        ("that is empty but there", "", (0,))):
    @case(f"a context {_name}")
    def _(talk, context=_context, errors=_errors):
        for kind in (GET, GET_NEXT):
            expect(talk.ask(kind, talk.wire.range(NAME), context=context).error, *errors)
        talk.ask(TEST_SET, talk.wire.varbind(INTEGER, BATTERY, 1), context=context)


for _lie in (0xFFFFFFFF, 0xFFFFFFFD, 0x7FFFFFFF, 1 << 20, 1000):
    @case(f"a context that says to have {_lie} bytes")
    def _(talk, lie=_lie):
        payload = talk.wire.number(lie) + b"ups-b\0\0\0" + talk.wire.range(NAME)
        expect(talk.ask(GET, payload, flags=NON_DEFAULT_CONTEXT).error, PARSE_ERROR)


@case("a flag for a context that is not there")
def _(talk):
    expect(talk.ask(GET, flags=NON_DEFAULT_CONTEXT).error, PARSE_ERROR)


# ---- object identifiers ----

for _count, _prefix, _good in ((128, 0, True), (129, 0, False), (255, 0, False), (123, 2, True), (124, 2, False),
                               (255, 255, False)):
    @case(f"an identifier of {_count} arcs behind prefix {_prefix}")
    def _(talk, count=_count, prefix=_prefix, good=_good):
        name = bytes([count, prefix, 0, 0]) + talk.wire.number(1) * count
        for kind in (GET, GET_NEXT):
            expect(talk.ask(kind, name + talk.wire.oid("")).error, *((0,) if good else (PARSE_ERROR,)))
            expect(talk.ask(kind, talk.wire.oid(UPS) + name).error, *((0,) if good else (PARSE_ERROR,)))
        bound = talk.wire.varbind(NULL, "")[:4] + name
        expect(talk.test_set(bound), *((17,) if good else (PARSE_ERROR,)))


@case("an identifier that says to have more arcs than there are")
def _(talk):
    for count in (1, 2, 5, 127, 128, 255):
        expect(talk.ask(GET_NEXT, bytes([count, 2, 0, 0])).error, PARSE_ERROR)


@case("reserved bits of identifiers")
def _(talk):
    start = talk.wire.oid(UPS)
    expect(talk.ask(GET_NEXT, start[:2] + b"\xff\xff" + start[4:] + bytes([0, 0, 9, 9])).error, 0)


def in_range(talk, start, end, include=False):
    """The answer lies within the range, or is endOfMibView of its start."""
    found = talk.next(start, end, include)
    if found.type == END_OF_MIB_VIEW:
        expect(found.name, arcs(start))
        return
    if not (arcs(start) < found.name or include and arcs(start) == found.name):
        raise AssertionError(f"{found} does not come after {start}")
    if arcs(end) and found.name >= arcs(end):
        raise AssertionError(f"{found} is not before {end}")


for _name, _start, _end in (
        ("from nothing to nothing", "", ""), ("from nothing", "", UPS), ("to nothing", UPS, ""),
        ("that ends where it begins", NAME, NAME), ("that ends before it begins", f"{UPS}.2", f"{UPS}.1"),
        ("behind everything", LAST, ""), ("behind everything, to everything", LAST, LAST),
        ("of everything", "0", LAST), ("of zeros", (0,) * 128, (1,) * 128),
        ("that ends at the root", "1.3", UPS), ("that ends just behind the root", "1.3", f"{UPS}.0"),
        ("that begins at the last arc", f"{UPS}.4294967295", ""), ("between two trees", "1.3.6.1.2.1.34", BUSBAR),
        ("within an instance", f"{NAME}.1.2.3", f"{NAME}.1.2.4"), ("of one instance", f"{UPS}.1.1.5", f"{NAME}.0")):
    @case(f"a range {_name}")
    def _(talk, start=_start, end=_end):
        in_range(talk, start, end)
        in_range(talk, start, end, include=True)


@case("Get of names that nobody has")
def _(talk):
    for name in ("", "0", "0.0", "1.3", UPS, f"{UPS}.1", f"{UPS}.1.1.5", f"{NAME}.0", LAST, BUSBAR, f"{BUSBAR}.1.99",
                 f"{UPS}.4294967295.4294967295", f"{UPS}.1.6.2.1.2.4294967295"):
        found = talk.get(name)[0]
        expect(found.type, NO_SUCH_OBJECT, NO_SUCH_INSTANCE)
        expect(found.name, arcs(name))


# ---- lists ----

@case("no names at all")
def _(talk):
    for kind in (GET, GET_NEXT):
        expect(talk.ask(kind).varbinds, [])
    expect(talk.bulk(0, 10).varbinds, [])
    expect(talk.ask(GET_BULK).error, PARSE_ERROR)


for _kind in (GET, GET_NEXT):
    for _count in (1000, 5000, 20000):
        @case(f"{NAMES[_kind]} of {_count} names")
        def _(talk, kind=_kind, count=_count):
            response = talk.ask(kind, talk.wire.range(NAME) * count)
            expect(response.error, 0, GEN_ERR)
            expect(len(response.varbinds), *((count,) if response.error == 0 else (0,)))

    @case(f"{NAMES[_kind]} of a megabyte of nothing")
    def _(talk, kind=_kind):
        expect(talk.ask(kind, bytes(1 << 20)).error, GEN_ERR)

for _non_repeaters, _repetitions, _ranges in ((0, 65535, 1), (65535, 65535, 1), (0, 65535, 100), (0, 65535, 1000),
                                              (0, 1, 5000), (5000, 0, 5000), (0, 0, 100), (3, 65535, 1000),
                                              (65535, 0, 20000)):
    @case(f"GetBulk: {_non_repeaters} non-repeaters, {_repetitions} repetitions, {_ranges} ranges")
    def _(talk, non_repeaters=_non_repeaters, repetitions=_repetitions, ranges=_ranges):
        response = talk.bulk(non_repeaters, repetitions, *[talk.wire.range(UPS)] * ranges)
        expect(response.error, 0, GEN_ERR)
        if ranges <= 100 and response.error:
            raise AssertionError("a part of the rows would have fitted")
        places = {}
        singles = min(non_repeaters, ranges)
        for i, found in enumerate(response.varbinds[singles:]):
            column = i % max(1, ranges - singles)
            if found.type != END_OF_MIB_VIEW and found.name <= places.get(column, arcs(UPS)):
                raise AssertionError(f"{found} does not come after {places.get(column)}")
            places[column] = found.name


# ---- every truncation, told truly by the header ----

def cut_short(talk, kind, payload, good_at, context):
    """The request, its payload cut after each number of bytes; whole lists are answered, all else is a parseError."""
    whole = (talk.wire.octets(context) if context else b"") + payload
    for length in range(0, len(whole), 4):
        response = talk.ask(kind, whole[:length], flags=NON_DEFAULT_CONTEXT if context else 0)
        if (response.error == PARSE_ERROR) != (length not in good_at):
            raise AssertionError(f"cut to {length} bytes: error {response.error}")


@case("Get, cut anywhere")
def _(talk):
    one = talk.wire.range(NAME, f"{UPS}.2")
    cut_short(talk, GET, one * 2, (0, len(one)), None)


@case("GetNext in a context, cut anywhere")
def _(talk):
    one = talk.wire.range(NAME, f"{UPS}.2")
    cut_short(talk, GET_NEXT, one * 2, (12, 12 + len(one)), "ups-b")


@case("GetBulk, cut anywhere")
def _(talk):
    one = talk.wire.range(NAME, f"{UPS}.2")
    cut_short(talk, GET_BULK, talk.wire.bulk(1, 2, one, one), (4, 4 + len(one)), None)


@case("TestSet, cut anywhere")
def _(talk):
    first, second = talk.wire.varbind(INTEGER, NAME, 1), talk.wire.varbind(OCTETS, NAME, "hello")
    whole = first + second
    for length in range(0, len(whole), 4):
        error = talk.ask(TEST_SET, whole[:length]).error
        expect(error, *((PARSE_ERROR, 7) if 0 < length else (0,)))


# ---- SETs ----

for _kind, _value in ((INTEGER, 1), (OCTETS, "x"), (NULL, None), (OID, "1.3"), (IP_ADDRESS, b"\x7f\0\0\1"),
                      (COUNTER32, 1), (GAUGE32, 1), (TIME_TICKS, 1), (OPAQUE, b"x"), (COUNTER64, 1),
                      (NO_SUCH_OBJECT, None), (NO_SUCH_INSTANCE, None), (END_OF_MIB_VIEW, None)):
    @case(f"TestSet of a read-only object with a value of type {_kind}")
    def _(talk, kind=_kind, value=_value):
        for name in (BATTERY, UPS, "1.3", "", LAST, BUSBAR):
            if talk.test_set(talk.wire.varbind(kind, name, value)) == 0:
                raise AssertionError(f"{name} may be written")
    if _kind != OCTETS:
        @case(f"TestSet of a text with a value of type {_kind}")
        def _(talk, kind=_kind, value=_value):
            expect(talk.test_set(talk.wire.varbind(kind, ATTACHED, value)), 7)  # wrongType

for _kind in (0, 1, 3, 7, 63, 69, 71, 127, 131, 255, 65535):
    case(f"TestSet with a value of type {_kind}, which does not exist")(
        lambda talk, kind=_kind: expect(talk.test_set(talk.wire.varbind(kind, ATTACHED) + bytes(8)), PARSE_ERROR))


@case("TestSet with addresses that are none")
def _(talk):
    for length in (0, 3, 5, 100):
        expect(talk.test_set(talk.wire.varbind(IP_ADDRESS, ATTACHED, bytes(length))), PARSE_ERROR)


@case("TestSet with a text of a megabyte")
def _(talk):
    expect(talk.test_set(talk.wire.varbind(OCTETS, ATTACHED, bytes((1 << 20) - 100))), 8)  # wrongLength


@case("TestSet with ten thousand variables")
def _(talk):
    error = talk.test_set(*[talk.wire.varbind(OCTETS, ATTACHED, "x")] * 10000)
    if error == 0:
        raise AssertionError("ten thousand writes would be done as one")


@case("a thousand TestSets that are never cleaned up")
def _(talk):
    for _ in range(1000):
        talk.test_set(talk.wire.varbind(OCTETS, ATTACHED, "x"))


for _kind in (COMMIT_SET, UNDO_SET, CLEANUP_SET):
    case(f"{NAMES[_kind]} out of the blue")(lambda talk, kind=_kind: talk.phase(kind, 800000))
    case(f"{NAMES[_kind]} with content")(
        lambda talk, kind=_kind: talk.send(talk.request(kind, b"\xff" * 400, flags=NON_DEFAULT_CONTEXT)))


@case("CommitSet of what TestSet has refused")
def _(talk):
    expect(talk.test_set(talk.wire.varbind(INTEGER, BATTERY, 1), transaction=800001), 17)
    expect(talk.phase(COMMIT_SET, 800001), 14)


@case("CommitSet after CleanupSet")
def _(talk):
    expect(talk.test_set(talk.wire.varbind(OCTETS, ATTACHED, "x"), transaction=800002), 0)
    talk.phase(CLEANUP_SET, 800002)
    expect(talk.phase(COMMIT_SET, 800002), 14)


@case("UndoSet before CommitSet, and CommitSet behind it")
def _(talk):
    expect(talk.test_set(talk.wire.varbind(OCTETS, ATTACHED, "x"), transaction=800003), 0)
    talk.phase(UNDO_SET, 800003)
    talk.phase(COMMIT_SET, 800003)
    talk.phase(CLEANUP_SET, 800003)


@case("CommitSet ten times, UndoSet ten times")
def _(talk):
    expect(talk.test_set(talk.wire.varbind(OCTETS, ATTACHED, "many"), transaction=800004), 0)
    expect(set(talk.phase(COMMIT_SET, 800004) for _ in range(10)), {0}, {14})
    for _ in range(10):
        talk.phase(UNDO_SET, 800004)
    talk.phase(CLEANUP_SET, 800004)


@case("TestSets of two SETs with one number")
def _(talk):
    for text in ("one", "two"):
        expect(talk.test_set(talk.wire.varbind(OCTETS, ATTACHED, text), transaction=800005), 0)
    talk.phase(COMMIT_SET, 800005)
    talk.phase(CLEANUP_SET, 800005)


@case("a connection that ends between CommitSet and its answer", ends="gone")
def _(talk):
    for turn in range(5):
        talk.test_set(talk.wire.varbind(OCTETS, ATTACHED, "late"), transaction=810000 + turn)
        talk.send(talk.request(COMMIT_SET, transaction=810000 + turn))
    talk.close()


@case("a spin lock that is taken and never cleaned up")
def _(talk):
    lock = talk.get(SPIN_LOCK)[0].value
    expect(talk.test_set(talk.wire.varbind(INTEGER, SPIN_LOCK, lock), transaction=800006), 0)
    expect(talk.phase(COMMIT_SET, 800006), 0)
    expect(talk.get(SPIN_LOCK)[0].value, (lock + 1) & 0x7FFFFFFF)


@case("spin locks of any number")
def _(talk):
    for number in (-1, -2 ** 31, 2 ** 31 - 1, 123456789):
        if talk.test_set(talk.wire.varbind(INTEGER, SPIN_LOCK, number)) == 0:
            raise AssertionError(f"the lock is not {number}")


# ---- pace ----

@case("a request in single bytes")
def _(talk):
    request = talk.request(GET_NEXT, talk.wire.range(f"{UPS}.1.1.5"), context="ups-b")
    for i in range(len(request)):
        talk.send(request[i:i + 1])
    expect(talk.expect(talk.packet).reader().response().varbinds[0].value, b"ups-b")


@case("an answer to Open in single bytes", "opening")
def _(talk):
    response = talk.wire.pdu(RESPONSE, talk.wire.response(), session=talk.session, packet=talk.open_message.packet)
    for i in range(len(response)):
        talk.send(response[i:i + 1])
    talk.asked = [talk.message() for _ in talk.master.registrations]
    talk.state = "registering"
    talk.reach("up")


@case("five hundred requests at once")
def _(talk):
    first = talk.packet + 1
    talk.send(b"".join(talk.request(GET_NEXT, talk.wire.range(f"{UPS}.1.1.5")) for _ in range(500)))
    for packet in range(first, first + 500):
        message = talk.message()
        while message.type != RESPONSE:
            talk.serve(message)
            message = talk.message()
        expect(message.packet, packet)


@case("requests of many lengths at once, the longest one in the middle")
def _(talk):
    small, large = talk.wire.range(NAME), talk.wire.range(NAME) * 1000
    talk.send(talk.request(GET, small) * 10 + talk.request(GET, large) + talk.request(GET, small) * 10)
    expect(talk.expect(talk.packet).reader().response().error, 0)


for _length in (1, 19, 20, 21, 40):
    case(f"{_length} bytes of a request, then silence", ends="starves")(
        lambda talk, length=_length: talk.send(talk.request(GET_NEXT, talk.wire.range(NAME))[:length]))
    case(f"{_length} bytes of a request, then the end", ends="gone")(
        lambda talk, length=_length: (talk.send(talk.request(GET_NEXT, talk.wire.range(NAME))[:length]), talk.close()))


@case("the announcement of a megabyte, then silence", ends="starves")
def _(talk):
    talk.send(talk.request(GET, length=1 << 20))


@case("silence", ends="starves")
def _(_talk):
    pass


@case("a master that asks and never listens", ends="starves")
def _(talk):
    never_listen(talk, talk.request(GET_NEXT, talk.wire.range(UPS)) * 200)


@case("a master that asks for all there is and never listens", ends="starves")
def _(talk):
    never_listen(talk, talk.request(GET_BULK, talk.wire.bulk(0, 65535, talk.wire.range(UPS), talk.wire.range(BUSBAR))) *
                 200)


@case("a flood of answers to nothing")
def _(talk):
    flood = talk.wire.pdu(RESPONSE, talk.wire.response(), session=talk.session, packet=900000) * 500
    talk.push(flood, within=1)


def never_listen(talk, requests):
    try:
        talk.push(requests, within=20, dry=3)
    except Dropped:
        pass
