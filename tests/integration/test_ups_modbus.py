# SPDX-License-Identifier: Apache-2.0
"""ups-modbus against pymodbus' server, directly and behind a gate that counts, and against devices that are busy, lack
registers, restart or take writes. Peers that lie are in test_modbus_hostile.py."""
import csv
import json
import pathlib
import socket
import struct
import subprocess
import tempfile
import time
import unittest

from modbus_peers import Gate, Peer, Pymodbus, receive_frame, serve_registers
from support import BUILD, PATIENCE, SOURCE, Busbard, free_port, say, wait_for

MAPS = SOURCE / "config/maps"


def device(port, unit=1, **options):
    return {"plugin": "ups-modbus", "address": f"modbus-tcp://127.0.0.1:{port}/{unit}", "interval": "200ms",
            "watch": "100ms", "timeout": "3s", "stale-after": "10s", **options}


def daemon_for(devices, **more):
    return Busbard({"devices": devices, "journal": {"log-points": []}, **more})


def refusal(devices):
    """What busbard says about a configuration that it refuses."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "busbar.yaml"
        path.write_text(json.dumps({"devices": devices}))
        done = subprocess.run([BUILD / "bin/busbard", "--check", "-c", path], capture_output=True, text=True,
                              timeout=120, check=False)
    if done.returncode == 0:
        raise AssertionError(f"it was taken: {devices}")
    return done.stderr + done.stdout


def state_of(daemon, name):
    return next(row["state"] for row in daemon.json("status")["devices"] if row["device"] == name)


def wait_state(daemon, name, state, timeout=10):
    wait_for(lambda: state_of(daemon, name) == state, timeout,
             lambda: f"{name} to be {state}, not {state_of(daemon, name)}; busbard said:\n{daemon.log()}")


def value_of(daemon, name, point):
    return daemon.points(name).get(point, {}).get("value")


def wait_value(daemon, name, point, value, timeout=10):
    wait_for(lambda: value_of(daemon, name, point) == value, timeout,
             lambda: f"{point} of {name} to be {value}, not {daemon.points(name).get(point)}; busbard said:\n"
                     f"{daemon.log()}")


def rows_of(name):
    """The rows of a shipped map as dicts."""
    lines = [line for line in (MAPS / f"{name}.csv").read_text().splitlines() if line and not line.startswith("#")]
    return list(csv.DictReader(lines))


def registers_of(name, word):
    """{address: word(row)} of the map's registers in the usual spaces."""
    return {int(row["address"]) + i: word(row) for row in rows_of(name) if row["functions"] == "3/4"
            for i in range(int(row["count"] or 1))}


SOCOMEC = {row["point"]: int(row["address"]) for row in rows_of("socomec")}
RUNTIME = SOCOMEC["battery.runtime"]


def text_words(text, count):
    data = text.encode().ljust(2 * count, b"\0")
    return [data[2 * i] << 8 | data[2 * i + 1] for i in range(count)]


def socomec(charge=97, runtime=42):
    """A UPS in good health, by the layout of that name."""
    registers = registers_of("socomec", lambda row: 230 if "VOLT" in row["symbol"] else 0)
    registers.update({SOCOMEC["battery.charge"]: charge, RUNTIME: runtime})
    return registers


class Foreign(unittest.TestCase):
    """pymodbus as the server."""

    def test_each_register_becomes_its_point(self):
        registers = socomec()
        registers[SOCOMEC["ups.temperature"]] = 31
        with Pymodbus({1: {"holding": registers}}) as server, \
                daemon_for({"ups": device(server.port, model="socomec")}) as daemon:
            wait_value(daemon, "ups", "battery.charge", 97.0)
            points = daemon.points("ups")
            self.assertEqual(points["battery.runtime"]["value"], 42 * 60)
            self.assertEqual(points["ups.temperature"]["value"], 31.0)
            self.assertEqual(points["output.L2.voltage"]["value"], 230.0)
            self.assertEqual({row["quality"] for point, row in points.items() if point in SOCOMEC}, {"good"})

    def test_a_device_with_only_input_registers(self):
        with Pymodbus({1: {"input": socomec()}}) as server, \
                daemon_for({"ups": device(server.port, model="socomec")}) as daemon:
            wait_value(daemon, "ups", "battery.charge", 97.0)

    def test_all_four_spaces_at_once(self):
        spaces = {"1/5": {}, "2": {}, "3/4": {}, "4": {}}
        for row in rows_of("rittal-pmc"):
            spaces[row["functions"]][int(row["address"])] = int(row["functions"] == "2")
        spaces["2"][0] = 0
        unit = {"coils": spaces["1/5"], "discrete": spaces["2"], "holding": spaces["3/4"],
                "input": {**{a: 7 for a in spaces["4"]}, **{a: 9 for a in spaces["3/4"]}}}
        with Pymodbus({1: unit}) as server, \
                daemon_for({"ups": device(server.port, model="rittal-pmc")}) as daemon:
            wait_state(daemon, "ups", "up")
            points = daemon.points("ups")
            self.assertIs(points["alarm.on-bypass"]["value"], False)
            self.assertIs(points["alarm.rectifier-failure"]["value"], True)
            told = {row["quality"] for row in points.values()}
            self.assertNotIn("unsupported", told)

    def test_text_registers(self):
        registers = registers_of("netminder-eon", lambda row: 0)
        registers.update(enumerate(text_words("Netminder", 16), 11))
        registers.update(enumerate(text_words("V 1.07  ", 16), 27))
        registers.update(enumerate(text_words("EON 3000\x01", 32), 75))
        with Pymodbus({1: {"holding": registers}}) as server, \
                daemon_for({"ups": device(server.port, model="netminder-eon")}) as daemon:
            wait_value(daemon, "ups", "device.mfr", "Netminder")
            self.assertEqual(value_of(daemon, "ups", "ups.firmware"), "V 1.07")
            self.assertEqual(value_of(daemon, "ups", "device.model"), "EON 3000?")

    def test_units_of_a_gateway_share_one_connection_and_take_turns(self):
        units = {unit: {"holding": socomec(charge=10 * unit)} for unit in range(1, 9)}
        with Pymodbus(units) as server, Gate(server.port, most=1) as gate:
            devices = {f"ups-{unit}": device(gate.port, unit, model="socomec") for unit in units}
            with daemon_for(devices) as daemon:
                for unit in units:
                    wait_value(daemon, f"ups-{unit}", "battery.charge", 10.0 * unit)
                before = gate.requests
                wait_for(lambda: gate.requests > before + 200, 20, "two hundred more requests")
                self.assertEqual((gate.connections, gate.refused, gate.highest), (1, 0, 1))
                self.assertEqual(gate.overlaps, 0)
                for unit in units:
                    self.assertEqual(value_of(daemon, f"ups-{unit}", "battery.charge"), 10.0 * unit)
                say(f"8 units of one gateway: {gate.requests} requests, 1 connection, 0 overlaps")

    def test_a_unit_that_the_gateway_does_not_reach_disturbs_no_other(self):
        with Pymodbus({1: {"holding": socomec()}}) as server, Gate(server.port, most=1) as gate:
            devices = {"there": device(gate.port, 1, model="socomec"),
                       "absent": device(gate.port, 2, model="socomec", timeout="600ms")}
            with daemon_for(devices) as daemon:
                wait_value(daemon, "there", "battery.charge", 97.0)
                wait_for(lambda: "absent: no reading" in daemon.log(), 10, "the other one to be missed")
                before = gate.requests
                wait_for(lambda: gate.requests > before + 50, 10, "polls to go on")
                self.assertEqual(state_of(daemon, "there"), "up")
                self.assertEqual(gate.overlaps, 0)

    def test_a_server_that_restarts_is_found_again(self):
        port = free_port()
        with daemon_for({"ups": device(port, model="socomec", **{"stale-after": "4s"})}) as daemon:
            with Pymodbus({1: {"holding": socomec(charge=50)}}, port):
                wait_value(daemon, "ups", "battery.charge", 50.0)
            wait_for(lambda: "no reading" in daemon.log(), 10, "the silence to be noticed")
            wait_for(lambda: daemon.points("ups")["alarm.communications-lost"]["value"], what="the device to be lost")
            self.assertIsNone(value_of(daemon, "ups", "battery.charge"))
            smaller = {address: word for address, word in socomec(charge=60).items() if address != RUNTIME}
            with Pymodbus({1: {"holding": smaller}}, port):
                wait_value(daemon, "ups", "battery.charge", 60.0)
                self.assertEqual(daemon.points("ups")["battery.runtime"]["quality"], "unsupported",
                                 "it has come back without that register")


class Lacking(unittest.TestCase):
    def test_what_a_device_refuses_is_unsupported_and_left_alone(self):
        registers = socomec()
        del registers[RUNTIME]
        with Peer(serve_registers(registers)) as peer, \
                daemon_for({"ups": device(peer.port, model="socomec")}) as daemon:
            wait_value(daemon, "ups", "battery.charge", 97.0)
            self.assertEqual(daemon.points("ups")["battery.runtime"]["quality"], "unsupported")
            time_of_survey = len(peer.requests)
            wait_for(lambda: len(peer.requests) > time_of_survey + 20, 10, "polls to go on")
            touched = [request for request in peer.requests[time_of_survey:]
                       if request.address <= RUNTIME < request.address + request.count]
            self.assertEqual(touched, [], "asked for what it lacks again")

    def test_an_alarm_that_is_refused_follows_from_the_status_word(self):
        registers = socomec()
        registers[SOCOMEC["ups.status.word"]] = 0x0008
        del registers[SOCOMEC["alarm.on-battery"]]
        with Peer(serve_registers(registers)) as peer, \
                daemon_for({"ups": device(peer.port, model="socomec")}) as daemon:
            wait_value(daemon, "ups", "alarm.on-battery", True)

    def test_a_device_that_loses_a_register_is_learned_anew(self):
        registers = socomec()
        with Peer(serve_registers(registers)) as peer, \
                daemon_for({"ups": device(peer.port, model="socomec")}) as daemon:
            wait_value(daemon, "ups", "battery.runtime", 42 * 60)
            del registers[RUNTIME]
            wait_for(lambda: daemon.points("ups")["battery.runtime"]["quality"] == "unsupported", 10,
                     "the register to be missed")
            self.assertEqual(value_of(daemon, "ups", "battery.charge"), 97.0)

    def test_fewer_registers_a_request_where_that_is_configured(self):
        with Peer(serve_registers(socomec())) as peer, \
                daemon_for({"ups": device(peer.port, model="socomec", **{"max-registers": 10})}) as daemon:
            wait_value(daemon, "ups", "battery.charge", 97.0)
            self.assertLessEqual(max(request.count for request in peer.requests), 10)

    def test_a_model_without_a_map_is_refused_with_a_suggestion(self):
        self.assertIn("there is no register map 'socomek', did you mean 'socomec'?",
                      refusal({"ups": device(1, model="socomek")}))

    def test_a_unit_id_that_is_none_is_refused(self):
        for path in ("256", "x", "-1", "1/2", "+1"):
            self.assertIn("the unit id after the slash must be 0 to 255", refusal({"ups": device(1, unit=path)}))


class Busy(unittest.TestCase):
    """Exceptions that mean later, at first contact and afterwards."""

    def test_later_is_not_never(self):
        for code in (0x05, 0x06, 0x0A, 0x0B):
            with self.subTest(code=code):
                self.check_later(code)

    def check_later(self, code):
        registers, busy = socomec(), [True]
        plain = serve_registers(registers)

        def answer(request, connection):
            return request.exception(code) if busy[0] else plain(request, connection)
        with Peer(answer) as peer, daemon_for({"ups": device(peer.port, model="socomec")}) as daemon:
            wait_for(lambda: len(peer.requests) >= 3, 10, "first contact")
            busy[0] = False
            wait_value(daemon, "ups", "battery.charge", 97.0)
            busy[0] = True
            wait_for(lambda: "no reading" in daemon.log().rpartition("answers again")[2], 10, "it to be missed")
            registers[SOCOMEC["battery.charge"]] = 55
            busy[0] = False
            wait_value(daemon, "ups", "battery.charge", 55.0)
            self.assertEqual(peer.connections, 1, "an exception is an answer: the connection is good")
            self.assertEqual(daemon.points("ups")["battery.runtime"]["quality"], "good")

    def test_every_other_answer_is_an_exception(self):
        plain = serve_registers(socomec())
        codes = [0x06, 0x0A, 0x0B, 0x05, 0x04]

        def answer(request, connection):
            count = len(peer.requests)
            return request.exception(codes[count // 2 % 5]) if count % 2 else plain(request, connection)
        with Peer(answer) as peer, daemon_for({"ups": device(peer.port, model="socomec")}) as daemon:
            wait_value(daemon, "ups", "battery.charge", 97.0, 30)

    def test_one_register_that_fails_for_a_while(self):
        registers, failing = socomec(), [True]
        plain = serve_registers(registers)

        def answer(request, connection):
            if failing[0] and request.address <= RUNTIME < request.address + request.count:
                return request.exception(0x04)
            return plain(request, connection)
        with Peer(answer) as peer, daemon_for({"ups": device(peer.port, model="socomec")}) as daemon:
            wait_value(daemon, "ups", "battery.charge", 97.0)
            self.assertEqual(daemon.points("ups")["battery.runtime"]["quality"], "unknown")
            failing[0] = False
            wait_value(daemon, "ups", "battery.runtime", 42 * 60)
            self.assertEqual(daemon.points("ups")["battery.runtime"]["quality"], "good")

    def test_what_it_cannot_say_is_asked_for_less_and_less_often(self):
        asked = []
        plain = serve_registers(socomec())

        def answer(request, connection):
            if request.address <= RUNTIME < request.address + request.count:
                if request.count == 1:
                    asked.append(time.monotonic())
                return request.exception(0x04)
            return plain(request, connection)
        with Peer(answer) as peer, daemon_for({"ups": device(peer.port, model="socomec")}) as daemon:
            wait_for(lambda: len(asked) >= 3, what="three attempts to read the register")
            self.assertEqual(value_of(daemon, "ups", "battery.charge"), 97.0, "the others are read meanwhile")
            waits = [b - a for a, b in zip(asked, asked[1:3])]
            for wait, whole in zip(waits, (1, 2)):  # a quarter at most is left out by chance (busbar/backoff.h)
                self.assertGreater(wait, 0.7 * whole, waits)


class Connections(unittest.TestCase):
    def test_a_poll_is_one_request_on_one_connection(self):
        with Peer(serve_registers(socomec())) as peer, \
                daemon_for({"ups": device(peer.port, model="socomec", watch="0s")}) as daemon:
            wait_value(daemon, "ups", "battery.charge", 97.0)
            began = time.monotonic()
            before = len(peer.requests)
            wait_for(lambda: len(peer.requests) >= before + 10, 10, "ten more requests")
            self.assertGreater(time.monotonic() - began, 1.5, "ten polls at 200 ms take that long")
            self.assertEqual(peer.connections, 1)

    def test_alarms_are_seen_at_the_next_watch(self):
        registers = socomec()
        with Peer(serve_registers(registers)) as peer, \
                daemon_for({"ups": device(peer.port, model="socomec", interval="1h", watch="50ms",
                                          **{"stale-after": "2h"})}) as daemon:
            wait_value(daemon, "ups", "alarm.on-battery", False)
            registers[SOCOMEC["alarm.on-battery"]] = 1
            wait_value(daemon, "ups", "alarm.on-battery", True)

    def test_a_connection_that_the_device_closes_between_polls_is_made_anew_at_once(self):
        with Peer(serve_registers(socomec())) as peer, \
                daemon_for({"ups": device(peer.port, model="socomec")}) as daemon:
            wait_value(daemon, "ups", "battery.charge", 97.0)
            for _ in range(5):
                connections = peer.connections
                peer.drop()
                wait_for(lambda seen=connections: peer.connections > seen, 5, "a new connection")
                # The next drop shall meet a connection between two polls: a second one says that the first is over.
                answered = len(peer.requests) + 2
                wait_for(lambda seen=answered: len(peer.requests) >= seen, 5, "polls on the new connection")
            wait_for(lambda: peer.open_connections == 1, 5, "one connection")
            self.assertNotIn("no reading", daemon.log(), "nobody has noticed")

    def test_a_device_on_a_name_and_on_ipv6_loopback(self):
        with Peer(serve_registers(socomec())) as peer, \
                daemon_for({"ups": {**device(1, model="socomec"),
                                    "address": f"modbus-tcp://localhost:{peer.port}/1"}}) as daemon:
            wait_value(daemon, "ups", "battery.charge", 97.0)

    def test_a_name_that_there_is_not_holds_up_nobody(self):
        with Peer(serve_registers(socomec())) as peer:
            devices = {"nowhere": {**device(1, model="socomec"), "address": "modbus-tcp://ups.invalid/1"},
                       "ups": device(peer.port, model="socomec")}
            with daemon_for(devices) as daemon:
                wait_value(daemon, "ups", "battery.charge", 97.0)
                wait_for(lambda: "nowhere: no reading" in daemon.log(), 20, "the name to be missed")

    def test_reload_takes_the_connection_along(self):
        with Peer(serve_registers(socomec())) as peer, \
                daemon_for({"a": device(peer.port, 1, model="socomec")}) as daemon:
            wait_value(daemon, "a", "battery.charge", 97.0)
            daemon.reload({"devices": {"a": device(peer.port, 1, model="socomec"),
                                       "b": device(peer.port, 2, model="socomec")}})
            wait_value(daemon, "b", "battery.charge", 97.0)
            daemon.reload({"devices": {"b": device(peer.port, 2, model="socomec")}})
            before = len(peer.requests)
            wait_for(lambda: len(peer.requests) > before + 10, 10, "polls to go on")
            self.assertEqual(peer.connections, 1)
            daemon.reload({"devices": {}})
            wait_for(lambda: peer.open_connections == 0, 5 * PATIENCE, "the last device to take the connection along")


class Writes(unittest.TestCase):
    """From a client of the Modbus exporter through the core to a device: granted, checked, read back, told."""

    MAP = """# id: relays
# vendor: Example
# models:
address,count,type,functions,symbol,point,scale,offset,values,note
10,1,u16,3/6,LIMIT,vendor.limit,,,most=500,
11,1,u16,3/4,FIXED,vendor.fixed,,,,
20,1,bit,1/5,RELAY,vendor.relay,,,,
21,1,bit,1/5,RESET,ups.command.reset-alarms,,,,
"""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.maps = pathlib.Path(folder.name)
        (self.maps / "relays.csv").write_text(self.MAP)
        self.registers, self.coils = {10: 100, 11: 5}, {20: 0, 21: 0}
        self.mood = "obeys"
        self.peer = Peer(self.answer)
        self.addCleanup(self.peer.close)
        self.port = free_port()
        self.daemon = Busbard({
            "maps-dir": str(self.maps), "journal": {"log-points": []},
            "devices": {"ups": device(self.peer.port, model="relays")},
            "exporters": {"modbus": {"listen": f"127.0.0.1:{self.port}", "units": {
                1: [{"device": "ups", "map": "relays", "allow-write": True}],
                2: [{"device": "ups", "map": "relays"}]}}}})
        self.addCleanup(self.daemon.__exit__, None, None, None)
        wait_value(self.daemon, "ups", "vendor.limit", 100)

    def answer(self, request, _connection):
        """The device: registers by 03 and 06, coils by 01 and 05, in some mood."""
        space = self.coils if request.function in (1, 5) else self.registers
        wanted = range(request.address, request.address + (request.count if request.function < 5 else 1))
        if any(address not in space for address in wanted):
            return request.exception(2)
        if request.function >= 5:
            if self.mood == "refuses":
                return request.exception(4)
            if self.mood == "obeys":
                space[request.address] = int(request.count != 0) if request.function == 5 else request.count
            return request.frame
        if request.function == 1:
            bits = sum(space[address] << i for i, address in enumerate(wanted))
            size = (request.count + 7) // 8
            return request.reply(bytes([1, size]) + bits.to_bytes(size, "little"))
        return request.words([space[address] for address in wanted])

    def write(self, function, address, value, unit=1):
        """Write through busbard: the function of its answer (with 0x80: an exception), and the rest."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30 * PATIENCE) as client:
            client.sendall(struct.pack(">HHHBBHH", 9, 0, 6, unit, function, address, value))
            frame = receive_frame(client)
        return frame[7], frame[8:]

    def last_write(self, count=1):
        """The event of the last of so many writes."""
        def find():
            rows = [row for row in self.daemon.json("events") if row["event"] == "write"]
            return len(rows) >= count and rows
        return wait_for(find, what="an event of the write")[-1]

    def test_a_register_is_written_read_back_and_told(self):
        self.assertEqual(self.write(6, 10, 250), (6, struct.pack(">HH", 10, 250)))
        self.assertEqual(self.registers[10], 250)
        written = next(i for i, request in enumerate(self.peer.requests) if request.function == 6)
        back = self.peer.requests[written + 1]
        self.assertEqual((back.function, back.address, back.count), (3, 10, 1), "read back at once")
        event = self.last_write()
        self.assertEqual((event["device"], event["point"], event["value"], event["text"]),
                         ("ups", "vendor.limit", "250", "written"))
        self.assertRegex(event["source"], r"^modbus 127\.0\.0\.1:\d+ unit 1$")
        wait_value(self.daemon, "ups", "vendor.limit", 250)

    def test_a_coil_and_a_command(self):
        self.assertEqual(self.write(5, 20, 0xFF00)[0], 5)
        self.assertEqual(self.coils[20], 1)
        wait_value(self.daemon, "ups", "vendor.relay", True)
        self.mood = "ignores"  # a command has no state to be read back
        self.assertEqual(self.write(5, 21, 0xFF00)[0], 5)
        self.assertEqual(self.last_write(2)["point"], "ups.command.reset-alarms")

    def test_a_device_that_answers_and_does_not_obey(self):
        self.mood = "ignores"
        self.assertEqual(self.write(6, 10, 250), (0x86, b"\x04"))
        self.assertEqual(self.last_write()["text"], "not written: Input/output error")
        self.assertEqual(self.last_write()["severity"], "warning")

    def test_a_device_that_refuses(self):
        self.mood = "refuses"
        self.assertEqual(self.write(6, 10, 250), (0x86, b"\x04"))
        self.assertEqual(self.last_write()["text"], "not written: Remote I/O error")

    def test_what_is_not_granted_never_reaches_the_device(self):
        self.assertEqual(self.write(6, 11, 1), (0x86, b"\x02"))
        self.assertEqual(self.write(6, 10, 501), (0x86, b"\x03"))
        self.assertEqual(self.write(6, 10, 1, unit=2), (0x86, b"\x01"))
        self.assertEqual(self.write(5, 20, 0x1234), (0x85, b"\x03"))
        self.assertEqual([request for request in self.peer.requests if request.function >= 5], [])


class Probing(unittest.TestCase):
    def test_probe_reads_what_identifies_itself(self):
        registers = registers_of("borri-salicru", lambda row: 0)
        registers.update(enumerate(text_words("Borri", 16), 1))
        registers.update(enumerate(text_words("B500", 32), 65))
        with Pymodbus({1: {"holding": registers}}) as server, daemon_for({}) as daemon:
            done = daemon.ctl("probe", f"modbus-tcp://127.0.0.1:{server.port}/1", "model=borri-salicru")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertRegex(done.stdout, r"device\.mfr +Borri")
            self.assertRegex(done.stdout, r"device\.model +B500")

    def test_probe_without_a_model_finds_the_map_of_a_device_that_says_what_it_is(self):
        registers = registers_of("netminder-eon", lambda row: 0)
        registers.update(enumerate(text_words("Netminder", 16), 11))
        registers.update(enumerate(text_words("EON 3000", 32), 75))
        registers[next(int(row["address"]) for row in rows_of("netminder-eon")
                       if row["point"] == "output.L1.voltage")] = 231
        with Pymodbus({1: {"input": registers}}) as server, daemon_for({}) as daemon:
            done = daemon.ctl("probe", f"modbus-tcp://127.0.0.1:{server.port}/1")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertRegex(done.stdout, r"device\.model +EON 3000")
            self.assertRegex(done.stdout, r"output\.L1\.voltage +231\.0")
            self.assertIn("says that it is 'Netminder': taking register map netminder-eon", daemon.log())

    def test_a_device_that_says_nothing_has_the_default_map(self):
        registers = registers_of("default", lambda row: 12)
        with Peer(serve_registers(registers)) as peer, daemon_for({"ups": device(peer.port)}) as daemon:
            wait_value(daemon, "ups", "battery.charge", 12.0)

    def test_a_model_that_is_configured_is_not_questioned(self):
        registers = registers_of("default", lambda row: 12)
        with Peer(serve_registers(registers)) as peer, \
                daemon_for({"ups": device(peer.port, model="default")}) as daemon:
            wait_value(daemon, "ups", "battery.charge", 12.0)
            self.assertEqual([request.address for request in peer.requests if request.address < 90], [])

    def test_probe_says_why_there_is_no_answer(self):
        with daemon_for({}) as daemon:
            done = daemon.ctl("probe", f"modbus-tcp://127.0.0.1:{free_port()}/1")
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("Connection refused", done.stderr + done.stdout + daemon.log())


if __name__ == "__main__":
    unittest.main()
