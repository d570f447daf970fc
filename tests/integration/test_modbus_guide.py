# SPDX-License-Identifier: Apache-2.0
"""docs/modbus.md, taken at its word: the map in it is checked, dropped in and served; foreign clients read it."""
import re
import resource
import socket
import subprocess
import unittest

from support import BUILD, SOURCE, Busbard, free_port, program, say, wait_for

GUIDE = (SOURCE / "docs" / "modbus.md").read_text(encoding="utf-8")

CONFIG = """
maps-dir: {maps}
devices:
  ups-a: {{ plugin: simulator, profile: three-phase, interval: 200ms }}
{more}exporters:
  modbus:
    listen: 127.0.0.1:{port}
    units:
      1: [ {{ device: ups-a, map: default }} ]
      2: [ {{ device: ups-a, map: example-ups }} ]
"""
COPY = ('  copy: {{ plugin: ups-modbus, address: "modbus-tcp://127.0.0.1:{port}/2", model: example-ups, '
        'interval: 200ms }}\n')


def example_map():
    return re.search(r"```csv\n(.*?)```", GUIDE, re.DOTALL).group(1)


class Guide(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.port = free_port()
        cls.daemon = Busbard("devices: {}\n")
        cls.addClassCleanup(cls.daemon.__exit__, None, None, None)
        maps = cls.daemon.directory / "maps"
        maps.mkdir()
        cls.map = maps / "example-ups.csv"
        cls.map.write_text(example_map(), encoding="utf-8")
        cls.daemon.stop()
        cls.daemon = Busbard(CONFIG.format(port=cls.port, maps=maps, more=""))
        cls.addClassCleanup(cls.daemon.__exit__, None, None, None)
        cls.wait_up("ups-a")
        # Only now the copy: were it to ask while ups-a has no reading yet, it would be told so, and ask again later.
        cls.daemon.reload(CONFIG.format(port=cls.port, maps=maps, more=COPY.format(port=cls.port)))
        cls.wait_up("copy")

    @classmethod
    def wait_up(cls, name):
        wait_for(lambda: any(row["device"] == name and row["state"] == "up"
                             for row in cls.daemon.json("status")["devices"]), 20,
                 lambda: f"{name}; busbard said {cls.daemon.log()}")

    def test_the_map_of_the_guide_is_valid(self):
        done = subprocess.run([str(BUILD / "bin" / "busbarctl"), "map", "--check", str(self.map)], capture_output=True,
                              text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_map_of_the_guide_reads_what_it_serves(self):
        points = wait_for(lambda: self.daemon.points("copy"), 20, "the points of the copy")
        self.assertEqual(points["battery.charge"]["value"], 100.0)
        self.assertEqual(points["output.source"]["value"], "normal")
        self.assertIs(points["alarm.on-battery"]["value"], False)
        self.assertEqual(points["vendor.fan-hours"]["value"], 0, "a count that the device lacks")

    def test_mbpoll_reads_a_believable_ups(self):
        done = subprocess.run([program("mbpoll"), "-a", "1", "-0", "-r", "100", "-c", "51", "-t", "4", "-p",
                               str(self.port), "-1", "127.0.0.1"], capture_output=True, text=True, check=False,
                              timeout=120)
        words = {int(a): int(v) for a, v in re.findall(r"^\[(\d+)\]:\s+(-?\d+)", done.stdout, re.MULTILINE)}
        self.assertEqual(len(words), 51, done.stdout + done.stderr)
        self.assertEqual(words[103], 100, "charge")
        self.assertTrue(200 < words[104] < 260, "input voltage")
        self.assertEqual(words[109], 4, "status word: normal")
        say("Modbus: mbpoll read 51 registers")

    def test_pymodbus_reads_the_same_by_both_functions(self):
        try:
            from pymodbus.client import ModbusTcpClient
        except ImportError as error:
            self.skipTest(f"pymodbus cannot be used: {error}")
        client = ModbusTcpClient("127.0.0.1", port=self.port, timeout=30)
        self.addCleanup(client.close)
        holding = client.read_holding_registers(115, 24, slave=1)
        inputs = client.read_input_registers(115, 24, slave=1)
        self.assertFalse(holding.isError(), holding)
        self.assertEqual(holding.registers, inputs.registers)
        refused = client.read_holding_registers(0, 1, slave=1)
        self.assertEqual(refused.exception_code, 2)

    def test_a_thousand_connections_are_held(self):
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)
        if limit[1] < 1200:
            self.skipTest(f"no more than {limit[1]} descriptors are to be had")
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit[1], limit[1]))
        port = free_port()
        config = CONFIG.format(port=port, maps=self.map.parent, more="").replace(
            "    units:", "    max-connections: 1100\n    max-connections-per-address: 1100\n    units:")
        with Busbard(config) as daemon:
            daemon.wait_log("modbus: listening")
            clients = [socket.create_connection(("127.0.0.1", port), timeout=60) for _ in range(1000)]
            try:
                request = bytes.fromhex("000100000006010300670001")
                for client in clients:
                    client.sendall(request)
                for client in clients:
                    self.assertEqual(client.recv(1), b"\x00")
            finally:
                for client in clients:
                    client.close()


if __name__ == "__main__":
    unittest.main()
