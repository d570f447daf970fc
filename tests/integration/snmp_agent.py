# SPDX-License-Identifier: Apache-2.0
"""An SNMP v1 and v2c agent whose every answer a test can spoil: the hostile, the broken and the merely odd peer.

It serves a dict of objects {name tuple: (tag, bytes)} on a thread of its own. Behaviour is changed by attributes while
it runs. Real agents are elsewhere (snmpsim, snmpd); this one is for what they cannot be made to do.
"""
import bisect
import socket
import threading

INTEGER, STRING, NULL, OBJECT, COUNTER, GAUGE, TICKS = 2, 4, 5, 6, 0x41, 0x42, 0x43
NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END = 0x80, 0x81, 0x82
GET, GETNEXT, RESPONSE, GETBULK = 0xA0, 0xA1, 0xA2, 0xA5
TOO_BIG, NO_SUCH_NAME, GEN_ERR = 1, 2, 5


def oid(text):
    return tuple(int(arc) for arc in text.split("."))


def encode(tag, body):
    size = len(body)
    if size < 128:
        return bytes([tag, size]) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def number(value, tag=INTEGER):
    return tag, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)


def name_bytes(name):
    out = bytearray([name[0] * 40 + name[1]])
    for arc in name[2:]:
        part = [arc & 127]
        while arc := arc >> 7:
            part.append(128 | arc & 127)
        out += bytes(reversed(part))
    return bytes(out)


def parse(data):
    """The elements of @data: [(tag, body)]."""
    found, place = [], 0
    while place < len(data):
        tag, size = data[place], data[place + 1]
        place += 2
        if size & 128:
            count = size & 127
            size = int.from_bytes(data[place:place + count], "big")
            place += count
        found.append((tag, data[place:place + size]))
        place += size
    return found


def parse_name(body):
    name, arc = [body[0] // 40, body[0] % 40], 0
    for byte in body[1:]:
        arc = arc << 7 | byte & 127
        if not byte & 128:
            name.append(arc)
            arc = 0
    return tuple(name)


def from_records(rows):
    """Objects from what snmpsim.records() gives."""
    objects = {}
    for name, tag, value in rows:
        if tag in ("4", "4x"):
            objects[name] = (STRING, bytes.fromhex(value) if tag == "4x" else value.encode())
        elif tag == "5":
            objects[name] = (NULL, b"")
        elif tag == "6":
            objects[name] = (OBJECT, name_bytes(oid(value)))
        else:
            objects[name] = number(int(value), {"2": INTEGER, "65": COUNTER, "66": GAUGE, "67": TICKS}[tag])
    return objects


class Agent:
    """Serves @objects until stop(). Set attributes to change what it does:

    silent          what operations get no answer at all, such as {GETBULK}
    biggest         more variables than this are answered with tooBig
    next_name       function(name) → name that GETNEXT and GETBULK come to, instead of the right one
    stumble         a name that makes a request fail with genErr
    spoil           function(datagram) → list of datagrams that are sent instead of the answer
    """

    def __init__(self, objects):
        self.objects = dict(objects)
        self.silent, self.biggest, self.next_name, self.stumble, self.spoil = set(), 1000, None, None, None
        self.requests = []  # (operation, [names], max-repetitions)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._stopping = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self._stopping = True
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()

    def set(self, name, value):
        objects = dict(self.objects)
        if value is None:
            objects.pop(oid(name), None)
        else:
            objects[oid(name)] = value
        self.objects = objects

    def count(self, operation):
        return sum(request[0] == operation for request in self.requests)

    def _serve(self):
        while True:
            data, peer = self._socket.recvfrom(65536)
            if self._stopping:
                return
            answer = self._answer(data)
            for datagram in (self.spoil(answer) if answer and self.spoil else [answer] if answer else []):
                try:
                    self._socket.sendto(datagram, peer)
                except OSError:
                    pass  # larger than a datagram may be: lost, as on a real wire

    def _after(self, names, objects, name):
        if self.next_name:
            follower = self.next_name(name)
            return follower, objects.get(follower, number(1))
        place = bisect.bisect_right(names, name)
        return (names[place], objects[names[place]]) if place < len(names) else (name, (END, b""))

    def _answer(self, data):
        (_, version), (_, community), (operation, body) = parse(parse(data)[0][1])
        (_, request_id), (_, first), (_, second), (_, bindings) = parse(body)
        asked = [parse_name(parse(binding)[0][1]) for _, binding in parse(bindings)]
        v1 = version == b"\0"
        repetitions = int.from_bytes(second, "big") if operation == GETBULK else 1
        self.requests.append((operation, asked, repetitions))
        if operation in self.silent:
            return None
        objects, status, index, found = self.objects, 0, 0, []
        names = sorted(objects)
        if operation == GET:
            found = [(name, objects.get(name, (NO_SUCH_INSTANCE, b""))) for name in asked]
        elif operation == GETNEXT:
            found = [self._after(names, objects, name) for name in asked]
        elif operation == GETBULK:
            plain = int.from_bytes(first, "big")
            found = [self._after(names, objects, name) for name in asked[:plain]]
            places = asked[plain:]
            for _ in range(repetitions if places else 0):
                row = [self._after(names, objects, name) for name in places]
                found += row
                places = [name for name, _ in row]
        if len(found) > self.biggest:
            status = TOO_BIG
        elif self.stumble and any(name == self.stumble for name, _ in found):
            status = GEN_ERR
        elif v1:
            missing = [place for place, (_, value) in enumerate(found, 1) if value[0] in (NO_SUCH_INSTANCE, END)]
            if missing:
                status, index = NO_SUCH_NAME, missing[0]
        if status:
            found = [] if status == TOO_BIG else [(name, (NULL, b"")) for name in asked]
        bound = b"".join(encode(0x30, encode(6, name_bytes(name)) + encode(*value)) for name, value in found)
        pdu = encode(2, request_id) + encode(*number(status)) + encode(*number(index)) + encode(0x30, bound)
        return encode(0x30, encode(2, version) + encode(4, community) + encode(RESPONSE, pdu))
