# SPDX-License-Identifier: Apache-2.0
"""Computes, from the reference tables alone, which words a Modbus register map must hold.

Nothing of busbar is read or imported here but what `values` says: the judge of the Modbus server, of the plugin
ups-modbus and of config/maps. It works from ../shared/reference/modbus-maps, and where that is absent from the copy of
its facts in data/modbus-registers.csv (made by running this file; test_maps.py compares the two).

    rows = modbus_judge.rows("socomec")            every register, modules and all
    words = modbus_judge.words("socomec", values)  {(space, address): word}

`values` is {point: value}: numbers in the point's unit (int, str or Decimal; never float), enumerations and texts as
str, flag words as the int behind them, alarms and switches as bool. A point that is not there, or None, has no value.
"""
import csv
import os
import pathlib
import re
import sys
from decimal import Decimal
from fractions import Fraction

HERE = pathlib.Path(__file__).resolve().parent
REFERENCE = pathlib.Path(os.environ.get("BUSBAR_SHARED") or HERE.parents[2] / "shared") / "reference"
GOLDEN = HERE / "data" / "modbus-registers.csv"
FACTS = ("address", "count", "type", "functions", "symbol", "unit", "scale", "expression", "models_supported")
SPACES = {"1": "coil", "2": "discrete", "3": "holding", "4": "input"}
FACTORS = {"kW": 1000, "kVA": 1000, "kvar": 1000, "min": 60}  # to the units points are counted in
VARIANTS = {"powertronix-" + model.lower().replace(" ", "-"): ("powertronix", model)
            for model in ("MIZAR ALCOR", "QUASAR", "SUPERNOVAE")}
# Rows whose coding the manual does not print.
UNCODED = {("borri-salicru", "TEST_RESULT"), ("borri-salicru", "BATTCONDITION"), ("netminder-eon", "BATTCONDITION")}
# What the notes print as codes, in the words of the dictionary. None: what a member without a code is served as.
TEST = {"no-tests-initiated": 0, "done-pass": 1, "done-error": 2, "in-progress": 3, None: -9999}
SOURCE = {"none": 0, "normal": 1, "bypass": 2, None: 1}
PASSED = {"done-pass": 3, "done-error": 4, None: 0}
CODES = {
    ("abb-newave-conceptpower", "BATTCONDITION"): {"good": 0, "weak": 1, "replace": 2, None: 0},
    ("borri-salicru", "OUTPUT_SOURCE"): {"normal": 0, "battery": 1, "bypass": 2, None: -9999},
    ("invt-rm", "LOAD_ON_SOURCE"): SOURCE, ("slc-adapt-x", "LOAD_ON_SOURCE"): SOURCE,
    ("invt-rm", "BATTERY_TEST_RESULT"): TEST, ("slc-adapt-x", "BATTERY_TEST_RESULT"): TEST,
    ("netminder", "BATTERY_TEST_RESULT"): PASSED, ("netminder-lt-md", "BATTERY_TEST_RESULT"): PASSED,
    ("netminder-eon", "BATTERY_TEST_RESULT"): {"no-tests-initiated": 0, "done-pass": 1, "in-progress": 2, "aborted": 3,
                                               "done-error": 4, None: 0},
}


def maps():
    """Names of all maps, those of single models too."""
    return sorted({row["map"] for row in _facts()} | set(VARIANTS))


def _facts(cache=[]):
    if not cache and REFERENCE.is_dir():
        for path in sorted((REFERENCE / "modbus-maps").glob("*.csv")):
            with open(path, newline="", encoding="utf-8") as file:
                cache.extend({"map": path.stem} | {fact: row.get(fact) or "" for fact in FACTS}
                             for row in csv.DictReader(file))
    elif not cache:
        with open(GOLDEN, newline="", encoding="utf-8") as file:
            cache.extend(csv.DictReader(file))
    return cache


def _points(cache={}):
    """{symbol: row of points.csv}"""
    path = REFERENCE / "points.csv" if REFERENCE.is_dir() else HERE.parents[1] / "config" / "points.csv"
    if not cache:
        with open(path, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if "<" not in row["point"] and "@" not in row["modbus_symbols"]:
                    cache.update((symbol, row["point"]) for symbol in row["modbus_symbols"].split())
    return cache


def _kebab(symbol):
    return re.sub(r"[^a-z0-9]+", "-", symbol.lower()).strip("-")


def _bacs_points(address):
    """The points.csv rules with an @address."""
    fixed = {1000: "bacs.status", 1001: "bacs.status", 1002: "bacs.alarms", 1003: "bacs.string.count",
             1004: "bacs.module.count", 1005: "bacs.alarms.more", 4001: "vendor.get-snmpadapter-serial-nr",
             4003: "vendor.agentsoftrev"}
    string, module = ("current", "voltage", "voltage.average", "current.ac", ""), \
        ("temperature", "voltage", "impedance", "alarms", "balancing")
    if address in fixed:
        return [fixed[address]]
    for first, end, number, name, parts in ((1010, 1060, 1, "string", string), (2710, 2740, 11, "string", string),
                                            (1060, 2710, 1, "module", module), (2740, 3650, 331, "module", module)):
        if first <= address < end:
            n, part = divmod(address - first, 5)
            # strings 11 to 16 have no voltages
            return [f"{name}.{number + n}.{parts[part]}"] if parts[part] and (first != 2710 or part in (0, 3)) else []
    if address >= 4004:
        return [f"module.{address - 4003}.charge"]
    kind, n = ("input", address - 3650) if address < 3666 else ("output", address - 3666)
    return [f"gxr.{n // 4 + 1}.{kind}.{n % 4 + 1}.state"]


def points_of(row):
    """The points a register shows: the first of them that the device has."""
    name, symbol = row["map"], row["symbol"]
    site = re.fullmatch(r"SITE_(DI|DO|AI)(\d+)", symbol)
    if symbol in ("RESERVED", "NOT_SUPPORTED"):
        return []
    if name == "bacs":
        return _bacs_points(row["address"])
    if site and site[1] == "AI":
        return [f"sensor.{site[2]}.value", f"site.ai.{site[2]}.value"]
    if site:
        more = [f"output.{site[2]}.state"] if site[1] == "DO" and int(site[2]) <= 4 else []
        return [f"site.{site[1].lower()}.{site[2]}.state"] + more
    if symbol in _points() and (name, symbol) not in UNCODED:
        return [_points()[symbol]]
    if symbol.startswith("ALARM_"):
        return ["alarm." + _kebab(symbol[len("ALARM_"):])]
    return ["vendor." + _kebab(symbol)]


def rows(name):
    """Every register of a map: the facts, `points`, and `scale`: the value in the point's unit for raw 1."""
    base, model = VARIANTS.get(name, (name, None))
    result = []
    for fact in _facts():
        address = int(fact["address"])
        if fact["map"] != base or base.startswith("abb-") and address >= 30000:
            continue
        row = dict(fact, address=address, count=int(fact["count"]))
        row["points"] = points_of(row)
        if model and model not in row["models_supported"].split(";"):
            row["points"] = []
        # A vendor point is the register as it is; an empty scale is the temperature byte of BACS.
        vendor = row["points"] and row["points"][0].startswith("vendor.")
        row["scale"] = Fraction(1) if vendor else Fraction(fact["scale"] or "0.5") * FACTORS.get(fact["unit"], 1)
        result.append(row)
        if base.startswith("abb-") and address <= 166:
            result += [dict(row, address=30000 + 100 * n + address - 100,
                            points=[f"module.{n}.{point}" for point in row["points"]]) for n in range(1, 31)]
    return result


def _round(number):
    """Half away from zero."""
    return int(abs(number) + Fraction(1, 2)) * (-1 if number < 0 else 1)


def _number(row, value):
    raw = Fraction(Decimal(value)) if not isinstance(value, Fraction) else value
    least, most = (0, 2 ** (16 * row["count"]) - 1) if row["type"] == "u16" else \
        (-2 ** (16 * row["count"] - 1), 2 ** (16 * row["count"] - 1) - 1) if row["type"] == "s16" else (0, 1)
    if row["expression"].startswith("25+"):  # a byte: 25 + (raw - 128) / 2
        raw, least, most = (raw - 25) * 2 + 128, 0, 255
    elif row["symbol"] == "AUTONOMTIME":  # time left: rounds down, and is not 0 before it is
        raw /= row["scale"]
        raw = Fraction(raw.numerator // raw.denominator) or Fraction(1 if raw > 0 else 0)
    else:
        raw /= row["scale"]
    return min(max(_round(raw), least), most)


def raw_of(row, values):
    """What the register holds, as one number; texts as bytes."""
    value = next((values[point] for point in row["points"] if values.get(point) is not None), None)
    if row["type"] == "string":
        return (value or "").encode()[:2 * row["count"]].decode(errors="ignore").encode().ljust(2 * row["count"], b"\0")
    if value is None or row["symbol"].startswith("CMD_"):
        measured = row["unit"] or re.match(r"SENSOR\d|SITE_AI", row["symbol"])
        return -9999 if measured else 0
    codes = CODES.get((row["map"], row["symbol"]))
    if codes and row["points"]:
        return codes.get(value, codes[None])
    if row["symbol"] == "STATUS" or row["points"][0].endswith(("alarms", "alarms.more", "bacs.status")):
        return value >> (16 if row["map"] == "bacs" and row["address"] == 1001 else 0) & 0xFFFF
    return int(value) if isinstance(value, bool) else _number(row, value)


def words(name, values):
    """{(space, address): word} of every register of a map; bits are 0 or 1."""
    result = {}
    for row in rows(name):
        raw = raw_of(row, values)
        data = raw if isinstance(raw, bytes) else (raw % 2 ** (16 * row["count"])).to_bytes(2 * row["count"], "big")
        for space in {SPACES[function] for function in row["functions"].split("/") if function in SPACES}:
            result.update({(space, row["address"] + i): int.from_bytes(data[2 * i:2 * i + 2], "big")
                           for i in range(row["count"])})
    return result


if __name__ == "__main__":  # make the copy
    with open(GOLDEN if len(sys.argv) < 2 else sys.argv[1], "w", newline="", encoding="utf-8") as output:
        writer = csv.DictWriter(output, ("map",) + FACTS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(_facts())
