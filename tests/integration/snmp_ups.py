# SPDX-License-Identifier: Apache-2.0
"""A UPS for tests of time: a real snmpd that serves a few objects of RFC 1628, whose mains can be switched off at a
moment the test knows; and black holes, addresses where nothing ever answers."""
import socket
import subprocess
import time

from snmpd import Snmpd
from support import program

UPS = "1.3.6.1.2.1.33.1"
SOURCE = f"{UPS}.4.1.0"  # upsOutputSource
NORMAL, BATTERY = 3, 5


class SnmpUps(Snmpd):
    def __init__(self):
        self.snmpset = program("snmpset")
        super().__init__([f"override -rw {UPS}.1.1.0 octet_str \"Maker\"",
                          f"override -rw {UPS}.2.1.0 integer 2",
                          f"override -rw {UPS}.2.4.0 integer 97",
                          f"override -rw {SOURCE} integer {NORMAL}"])

    def device(self, **options):
        """Its section in busbard's configuration."""
        return {"plugin": "ups-snmp", "address": f"snmp://127.0.0.1:{self.port}", "version": "2c",
                "community": "public", **options}

    def switch(self, source):
        """Returns the time.monotonic() before which it was not so."""
        before = time.monotonic()
        subprocess.run([self.snmpset, "-v2c", "-c", "private", "-On", f"127.0.0.1:{self.port}", SOURCE, "i",
                        str(source)], check=True, capture_output=True)
        return before


class BlackHoles:
    """Sockets that take everything and never answer."""

    def __init__(self, count):
        self.sockets = []
        for _ in range(count):
            hole = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            hole.bind(("127.0.0.1", 0))
            self.sockets.append(hole)

    def devices(self, **options):
        return {f"hole-{i}": {"plugin": "ups-snmp", "address": f"snmp://127.0.0.1:{hole.getsockname()[1]}",
                              "version": "2c", "community": "public", **options}
                for i, hole in enumerate(self.sockets)}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for hole in self.sockets:
            hole.close()
