# SPDX-License-Identifier: Apache-2.0
"""All registers of all maps, read by pymodbus from the running server and judged word by word by modbus_judge.py, which
shares no code with busbar and computes what each must hold from the reference tables."""
import itertools
import json
import unittest
from decimal import Decimal

import modbus_judge
from support import Busbard, free_port, say, wait_for

try:
    from pymodbus.client import ModbusTcpClient
except ImportError as error:
    raise unittest.SkipTest(f"pymodbus cannot be used: {error}") from error


def value_of(row):
    """A point's value as the judge wants it: the word behind flags, None where there is no good value."""
    if row["quality"] != "good":
        return None
    if isinstance(row["value"], str) and isinstance(row.get("raw"), int) and row["point"] in FLAGS:
        return row["raw"]
    return row["value"]


FLAGS = {"ups.status.word", "bacs.status", "bacs.alarms", "bacs.alarms.more"}
FLAGS |= {f"{kind}.1.alarms{more}" for kind in ("string", "module") for more in ("", ".more")}


def blocks(addresses, most):
    """Runs of neighbouring addresses, at most @most long: (first, count)."""
    for _, run in itertools.groupby(enumerate(sorted(addresses)), key=lambda pair: pair[1] - pair[0]):
        run = [address for _, address in run]
        for i in range(0, len(run), most):
            yield run[i], len(run[i:i + most])


class Judge(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.port = free_port()
        cls.maps = modbus_judge.maps()
        units = {str(unit): [{"device": "source", "map": name}] for unit, name in enumerate(cls.maps, start=1)}
        cls.daemon = Busbard({
            "devices": {"source": {"plugin": "simulator", "profile": "everything", "interval": "1d", "watch": "0s",
                                   "stale-after": "7d"}},
            "exporters": {"modbus": {"listen": f"127.0.0.1:{cls.port}", "units": units}},
        })
        cls.addClassCleanup(cls.daemon.__exit__, None, None, None)
        wait_for(lambda: cls.daemon.json("status")["devices"][0]["state"] == "up", what="the first reading")
        done = cls.daemon.ctl("points", "source", "--json")
        cls.values = {row["point"]: value_of(row) for row in json.loads(done.stdout, parse_float=Decimal)}

    def read(self, client, space, unit, first, count):
        function = {"coil": client.read_coils, "discrete": client.read_discrete_inputs,
                    "holding": client.read_holding_registers, "input": client.read_input_registers}[space]
        answer = function(first, count, slave=unit)
        self.assertFalse(answer.isError(), f"unit {unit} {space} {first} {count}: {answer}")
        return [int(bit) for bit in answer.bits[:count]] if space in ("coil", "discrete") else answer.registers

    def test_every_word_of_every_map_is_what_the_tables_say(self):
        client = ModbusTcpClient("127.0.0.1", port=self.port, timeout=30)
        self.addCleanup(client.close)
        judged = 0
        for unit, name in enumerate(self.maps, start=1):
            expected = modbus_judge.words(name, self.values)
            wrong = []
            for space in ("coil", "discrete", "holding", "input"):
                for first, count in blocks([a for s, a in expected if s == space], 125):
                    for i, word in enumerate(self.read(client, space, unit, first, count)):
                        judged += 1
                        if word != expected[space, first + i]:
                            wrong.append(f"{space} {first + i}: {word}, must be {expected[space, first + i]}")
            with self.subTest(name):
                self.assertEqual(wrong, [])
        self.assertGreater(judged, 10000)
        say(f"Modbus judge: {judged} words of {len(self.maps)} maps are what the reference tables say")


if __name__ == "__main__":
    unittest.main()
