# SPDX-License-Identifier: Apache-2.0
"""Our server and libmodbus' server, asked the same: valid requests get the same bytes from both."""
import os
import random
import struct
import subprocess
import unittest

from support import BUILD, Busbard, cut, free_port, say, wait_for
from test_modbus_requests import CONFIG, Connection, frame, listed

SERVER = BUILD / "tests" / "libmodbus_server"


@unittest.skipUnless(os.access(SERVER, os.X_OK), "libmodbus_server is not built: libmodbus is not installed")
class Differential(unittest.TestCase):
    def test_valid_requests_get_the_same_bytes(self):
        port, other_port = free_port(), free_port()
        addresses = sorted(listed())
        with Busbard(CONFIG.format(port=port, unit=1, stall="10s")) as daemon:
            daemon.wait_log("modbus: listening")
            wait_for(lambda: daemon.json("status")["devices"][0]["state"] == "up", what="the first reading")
            with Connection(port) as ours:
                words = {}
                for address in addresses:
                    answer = ours.ask(frame(struct.pack(">BHH", 3, address, 1)))
                    words[address] = struct.unpack(">H", answer[9:])[0]
                child = subprocess.Popen([str(SERVER), str(other_port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         text=True)
                self.addCleanup(child.wait)
                self.addCleanup(child.kill)
                child.stdin.write("".join(f"{a} {w}\n" for a, w in words.items()))
                child.stdin.close()
                self.addCleanup(child.stdout.close)
                self.assertEqual(child.stdout.readline(), "ready\n")
                with Connection(other_port) as theirs:
                    self.compare(ours, theirs, words)

    def compare(self, ours, theirs, words):
        chance = random.Random(1628)
        count = cut(20000, 2000, "requests to both servers")
        for number in range(count):
            first = chance.choice(list(words))
            most = 1
            while first + most in words and most < 125:
                most += 1
            pdu = struct.pack(">BHH", chance.choice((3, 4)), first, chance.randint(1, most))
            request = frame(pdu, number % 65536)
            self.assertEqual(ours.ask(request), theirs.ask(request), request.hex())
        for function in (3, 4):  # what both must refuse, and refuse alike
            request = frame(struct.pack(">BHH", function, 65535, 2))
            self.assertEqual(ours.ask(request), theirs.ask(request), request.hex())
        say(f"Modbus: {count} valid requests answered with the bytes of libmodbus")


if __name__ == "__main__":
    unittest.main()
