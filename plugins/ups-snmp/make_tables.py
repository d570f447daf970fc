#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compile objects.csv and quirks.csv into C tables: make_tables.py OBJECTS QUIRKS OUTPUT.

Refuses what cannot be meant (an unknown object, kind or number), with file and line, so that a mistake in the data
stops the build and never reaches a device.
"""
import csv
import re
import sys

SYNTAXES = ("text", "unsigned", "signed", "counter", "enum", "bool", "identity", "moment")
PLAIN = ("any-number", "text-number", "null", "extra-zero", "no-instance", "line-zero", "signed", "absent",
         "alarm-text", "alarm-zero")


class Refused(Exception):
    """A cell that cannot be meant."""


def load(path, convert):
    """What @convert makes of every row of the file."""
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        made = []
        for row in reader:
            try:
                made.append(convert(row))
            except Refused as error:
                sys.exit(f"{path}:{reader.line_num}: {error}")
        return made


def text(value):
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def number(value, preset):
    if value == "":
        return preset
    if not re.fullmatch(r"-?\d+", value):
        raise Refused(f"'{value}' is not a whole number")
    return f"{value}LL" if value != "-9223372036854775808" else "INT64_MIN"


def fraction(value):
    match = re.fullmatch(r"(\d+)(?:/(\d+))?", value or "1")
    if not match or "0" in match.groups():
        raise Refused(f"'{value}' is not a scale such as 60 or 1/10")
    return match.group(1), match.group(2) or "1"


def arcs(value):
    if not re.fullmatch(r"\d+(\.\d+)*", value):
        raise Refused(f"'{value}' is not an object identifier")
    return [int(arc) for arc in value.split(".")]


def scanned_object(row):
    """Without limits of its own, an object has those of the MIB's types: Integer32 below, Counter32 and Gauge32 above."""
    if row["syntax"] not in SYNTAXES:
        raise Refused(f"syntax '{row['syntax']}' is unknown")
    multiplier, divisor = fraction(row["scale"])
    place = arcs(row["oid"])
    return (place, row["object"],
            f'\t{{ {text(row["object"])}, {{ {{ {", ".join(map(str, place))} }}, {len(place)} }}, '
            f'{text(row["point"])}, OBJECT_{row["syntax"].upper()}, {multiplier}, {divisor}, '
            f'{number(row["low"], "INT32_MIN")}, {number(row["high"], "UINT32_MAX")} }},')


def scanned_quirk(row, names):
    kind, argument, target = row["quirk"], row["argument"], row["object"]
    value, low, high, multiplier, divisor = "0", "0", "0", "1", "1"
    if target not in names and target not in ("*", "unsigned", "upsAlarmDescr"):
        raise Refused(f"object '{target}' is unknown")
    if kind == "unknown":
        value = number(argument, "")
    elif kind == "scale":
        multiplier, divisor = fraction(argument)
    elif kind == "scale-range":
        match = re.fullmatch(r"(\d+)\.\.(\d+) (\S+)", argument)
        if not match:
            raise Refused(f"'{argument}' is not LOW..HIGH SCALE")
        low, high = match.group(1), match.group(2)
        multiplier, divisor = fraction(match.group(3))
    elif kind not in PLAIN or argument:
        raise Refused(f"quirk '{kind}' with '{argument}' is unknown")
    prefix = row["sysobjectid"]
    if prefix != "*":
        arcs(prefix)
    return (f'\t{{ {text("" if prefix == "*" else prefix)}, {text(row["identity"])}, {text(target)}, '
            f'QUIRK_{kind.upper().replace("-", "_")}, {value}, {low}, {high}, {multiplier}, {divisor} }},')


def main(objects_path, quirks_path, output):
    table = sorted(load(objects_path, scanned_object))
    names = {name for _, name, _ in table}
    quirks = load(quirks_path, lambda row: scanned_quirk(row, names))
    if len(quirks) > 254:
        sys.exit(f"{quirks_path}: more rows than fit struct quirks")
    with open(output, "w", encoding="utf-8") as file:
        file.write("/* Made by make_tables.py from objects.csv and quirks.csv. */\n"
                   '#include "objects.h"\n#include "quirks.h"\n\n'
                   "const struct object object_table[] = {\n" + "\n".join(line for _, _, line in table) + "\n};\n"
                   f"const size_t object_count = {len(table)};\n\n"
                   "const struct quirk quirk_table[] = {\n" + "\n".join(quirks) + "\n};\n"
                   f"const size_t quirk_count = {len(quirks)};\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
