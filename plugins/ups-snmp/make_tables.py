#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compile config/objects.csv and quirks.csv into C tables: make_tables.py OBJECTS QUIRKS OUTPUT.

Refuses what cannot be meant (an unknown object, kind or number), with file and line, so that a mistake in the data
stops the build and never reaches a device.
"""
import pathlib
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "config"))
from object_table import Refused, arcs, fraction, load, load_rows, number, text  # noqa: E402 (found by the line above)

PLAIN = ("any-number", "text-number", "null", "extra-zero", "no-instance", "line-zero", "signed", "absent",
         "alarm-text", "alarm-zero")


def syntax_of(item):
    """Which of the ways of reading there are is the object's."""
    return {"DisplayString": "TEXT", "INTEGER": "ENUM", "Counter32": "COUNTER", "Counter64": "COUNTER",
            "OBJECT IDENTIFIER": "IDENTITY", "TimeStamp": "MOMENT"}.get(item.syntax) or \
        ("UNSIGNED" if item.low >= 0 else "SIGNED")


def compiled_object(item):
    return (f'\t{{ {text(item.name)}, {{ {{ {", ".join(map(str, item.oid))} }}, {len(item.oid)} }}, '
            f'{text(item.point)}, OBJECT_{syntax_of(item)}, {str(item.read == "").lower()}, '
            f'{item.multiplier}, {item.divisor}, {item.believed_low}LL, {item.believed_high}LL }},')


def compiled_quirk(row, names):
    kind, argument, target = row["quirk"], row["argument"], row["object"]
    value, low, high, multiplier, divisor = 0, 0, 0, 1, 1
    if target not in names and target not in ("*", "unsigned", "upsAlarmDescr"):
        raise Refused(f"object '{target}' is unknown")
    if kind == "unknown":
        value = number(argument or "none", 0)
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
        arcs(prefix, most=128)
    return (f'\t{{ {text("" if prefix == "*" else prefix)}, {text(row["identity"])}, {text(target)}, '
            f'QUIRK_{kind.upper().replace("-", "_")}, {value}LL, {low}, {high}, {multiplier}, {divisor} }},')


def main(objects_path, quirks_path, output):
    objects = [item for item in load(objects_path) if item.read != "no"]
    names = {item.name for item in objects}
    quirks = load_rows(quirks_path, lambda row: [compiled_quirk(row, names)])
    if len(quirks) > 254:
        sys.exit(f"{quirks_path}: more rows than fit struct quirks")
    with open(output, "w", encoding="utf-8") as file:
        file.write("/* Made by make_tables.py from config/objects.csv and quirks.csv. */\n"
                   '#include "objects.h"\n#include "quirks.h"\n\n'
                   "const struct object object_table[] = {\n" + "\n".join(map(compiled_object, objects)) + "\n};\n"
                   f"const size_t object_count = {len(objects)};\n\n"
                   "const struct quirk quirk_table[] = {\n" + "\n".join(quirks) + "\n};\n"
                   f"const size_t quirk_count = {len(quirks)};\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
