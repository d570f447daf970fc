# SPDX-License-Identifier: Apache-2.0
"""Every register map, there and back: a device with a value in each point, served through the map, read through it.

One busbard does all of it: the simulator's `everything` is the device, the Modbus server shows it once under each map
as a unit of its own, and an ups-modbus device reads each unit. What comes back must be the original, rounded to the
register's step and cut to its range; what is expected is computed here with decimal arithmetic from what
`busbarctl map` says of each register.
"""
import json
import re
import subprocess
import unittest
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal

from support import BUILD, Busbard, free_port, say, wait_for

RANGES = {"u16": (0, 65535), "s16": (-32768, 32767), "u32": (0, 2**32 - 1), "s32": (-2**31, 2**31 - 1), "bit": (0, 1)}
ABSENT = (-1, -9999, 0xFFFF, 0xD8F1)  # words that some maps read as "not supported"


def busbarctl(*args):
    done = subprocess.run([str(BUILD / "bin" / "busbarctl"), *args, "--json"], capture_output=True, text=True,
                          check=True)
    return json.loads(done.stdout, parse_float=Decimal)


def round_to(value, step, mode):
    return (Decimal(value) / step).quantize(Decimal(1), rounding=mode)


def codes(register):
    """The register's codes: {member name: raw}, and the raw value for all others (None: absent)."""
    named, other = {}, None
    for part in filter(None, register["values"].split(";")):
        raw, name = part.split("=", 1)
        if raw == "other":
            other = int(name)
        elif not raw.startswith("bit") and raw not in ("absent", "least", "most"):
            named[name] = int(raw)
    return named, other


class Expected:
    """What comes back of @row through @register: value is a Decimal, text or bool; None: nothing can be said."""

    def __init__(self, register, row):
        self.register, self.row, self.value, self.kind = register, row, None, "compared"
        value = row["value"]
        if "raw" in row and isinstance(value, str) and register["type"] != "string":
            self.member(row)
        elif isinstance(value, bool):
            self.value = value
        elif isinstance(value, str):
            self.text(value)
        else:
            self.number(Decimal(value))

    def member(self, row):
        named, other = codes(self.register)
        if not named:
            self.kind = "flags"
        elif row["value"] in named:
            self.value = row["value"]
        elif other is None or other in ABSENT:
            self.kind = "no code"
        else:
            self.kind = "other"
            self.value = next((name for name, raw in named.items() if raw == other), None)

    def text(self, value):
        room = 2 * self.register["count"]
        if not value.isascii():
            self.kind = "not ASCII"
            return
        self.value = value[:room].rstrip()

    def number(self, value):
        scale, offset = Decimal(self.register["scale"]), Decimal(self.register["offset"])
        low, high = RANGES[self.register["type"]]
        minutes = self.register["point"].endswith("battery.runtime") and scale == 60
        raw = round_to(value - offset, scale, ROUND_FLOOR if minutes else ROUND_HALF_UP)
        if minutes and raw == 0 and value > 0:
            raw = Decimal(1)
        fits = max(Decimal(low), min(Decimal(high), raw))
        if fits != raw:
            self.kind = "saturated"
        if int(fits) in ABSENT:
            self.kind = "absent word"
            return
        self.value = fits * scale + offset


class RoundTrip(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.maps = [row["map"] for row in busbarctl("maps")]
        port = free_port()
        config = {
            "devices": {"source": {"plugin": "simulator", "profile": "everything", "interval": "1d", "watch": "0s",
                                   "stale-after": "7d"}},
            "exporters": {"modbus": {"listen": f"127.0.0.1:{port}", "units": {}}},
        }
        readers = {}
        for unit, name in enumerate(cls.maps, start=1):
            config["exporters"]["modbus"]["units"][str(unit)] = [{"device": "source", "map": name}]
            readers[f"rt-{unit}"] = {
                "plugin": "ups-modbus", "address": f"modbus-tcp://127.0.0.1:{port}/{unit}", "model": name,
                "interval": "5s", "watch": "0s", "timeout": "20s"}
        cls.daemon = Busbard(config)
        cls.addClassCleanup(cls.daemon.__exit__, None, None, None)
        wait_for(lambda: cls.daemon.json("status")["devices"][0]["state"] == "up", what="the source")
        # Only now those that read it: asked before it had a reading, a unit says "later", and is asked again later.
        config["devices"].update(readers)
        cls.daemon.reload(config)
        waiting = set(readers)

        def all_up():
            devices = cls.daemon.json("status")["devices"]
            waiting.difference_update(row["device"] for row in devices if row["state"] == "up")
            return not waiting
        wait_for(all_up, 60, lambda: f"{sorted(waiting)} to answer; {cls.daemon.log()[-2000:]}")
        cls.source = cls.points("source")

    @classmethod
    def points(cls, device):
        done = cls.daemon.ctl("points", device, "--json", timeout=60)
        return {row["point"]: row for row in json.loads(done.stdout, parse_float=Decimal)}

    def compare(self, name, register, row, back):
        expected = Expected(register, row)
        where = f"{name} {register['address']} {register['symbol']}: {register['point']}"
        if expected.value is None:
            return expected.kind
        self.assertEqual(back["quality"], "good", f"{where}: {row['value']} came back as {back}")
        value = back["value"]
        if isinstance(expected.value, Decimal) and not isinstance(value, bool):
            decimals = -Decimal(row["value"]).as_tuple().exponent
            value = Decimal(value)
            self.assertEqual(value, expected.value.quantize(Decimal(1).scaleb(-max(decimals, 0)),
                                                            rounding=ROUND_HALF_UP), f"{where}: {row['value']}")
        else:
            self.assertEqual(value, expected.value, f"{where}: {row['value']}")
        return expected.kind

    def test_every_map_brings_back_what_it_shows(self):
        counts = {}
        for unit, name in enumerate(self.maps, start=1):
            with self.subTest(name):
                back = self.points(f"rt-{unit}")
                compared = 0
                for register in busbarctl("map", name)["registers"]:
                    point = register["point"]
                    if not register["feeds"] or point is None or point.startswith("vendor."):
                        continue
                    row = self.source.get(point)
                    if row is None or row["quality"] != "good" or register["type"] == "command":
                        continue
                    if point not in back:
                        self.assertRegex(point, r"\.command\.|command", f"{name}: {point} did not come back")
                        continue
                    kind = self.compare(name, register, row, back[point])
                    counts[kind] = counts.get(kind, 0) + 1
                    compared += kind in ("compared", "saturated", "other")
                self.assertGreater(compared, 0, "nothing of this map could be compared")
        detail = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
        say(f"Modbus round trips: {len(self.maps)} maps, {detail}")

    def test_what_the_device_lacks_is_not_a_value(self):
        for unit, name in enumerate(self.maps, start=1):
            back = self.points(f"rt-{unit}")
            for register in busbarctl("map", name)["registers"]:
                point = register["point"]
                if not register["feeds"] or point is None or point in self.source or not register["measurement"]:
                    continue
                if re.match(r"(vendor|module|string)\.", point) or point not in back:
                    continue
                self.assertNotEqual(back[point]["quality"], "good", f"{name}: {point}: {back[point]}")


if __name__ == "__main__":
    unittest.main()
