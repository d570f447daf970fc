#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns config/points.csv and config/alarms.csv into the constant tables that core/tables.h declares.

The build calls it: make_tables.py points.csv alarms.csv tables.c. All sorting and all decisions that need nothing
but the tables are made here, so that the agent starts with everything in read-only memory. Awkward: the column
`labels` of points.csv names labels only; their values stand in the point's name (L1 in input.L1.voltage), or come
from what a pattern matched, or are the members of an enumeration. label_text() knows which is which.
"""

import csv
import re
import sys

KINDS = {"number": "BB_KIND_NUMBER", "counter": "BB_KIND_COUNTER", "enum": "BB_KIND_ENUM", "flags": "BB_KIND_FLAGS",
         "bool": "BB_KIND_BOOL", "alarm": "BB_KIND_ALARM", "string": "BB_KIND_STRING",
         "timestamp": "BB_KIND_TIMESTAMP", "command": "BB_KIND_COMMAND"}

UNITS = {"": "BB_UNIT_NONE", "V": "BB_VOLT", "A": "BB_AMPERE", "W": "BB_WATT", "VA": "BB_VOLTAMPERE", "var": "BB_VAR",
         "Hz": "BB_HERTZ", "%": "BB_PERCENT", "degC": "BB_CELSIUS", "s": "BB_SECOND", "kWh": "BB_KILOWATTHOUR",
         "mOhm": "BB_MILLIOHM"}

# The unit is not the same on every device: the plugin says it with the point.
UNITS_OF_DEVICE = ("per sensor", "per channel")

SEVERITIES = {"info": "BB_SEVERITY_INFO", "warning": "BB_SEVERITY_WARNING", "alarm": "BB_SEVERITY_ALARM"}

# Placeholders of pattern rows: those in NUMBERS stand for a number, the others for all the rest of a name.
NUMBERS = ("m", "n", "s")
PLACEHOLDER = re.compile(r"<(\w+)>")

# Which placeholder gives a label its value.
LABEL_PLACEHOLDERS = {"module": "m", "string": "s", "input": "n", "output": "n", "marker": "n", "sensor": "n",
                      "point": "symbol"}

# Labels whose value only the device can tell; the plugin says them with the point.
LABELS_OF_DEVICE = ("name",)

# How a fixed name holds the value of a label.
LABEL_NAMES = {
    "line": r"\.(L\d)\.", "lines": r"\.(L\d-L\d)\.", "source": r"^input\.(S\d)\.", "battery": r"^battery\.(\d)\.",
    "half": r"^battery\.(positive|negative)\.", "port": r"^aux\.(\d)\.", "sensor": r"^sensor\.(\d)\.",
    "input": r"^input\.(\d)\.", "output": r"^output\.(\d)\.", "path": r"^sts\.on\.(.+)$", "alarm": r"^alarm\.(.+)$",
}

# The class of an alarm that has no row in points.csv, by how its name begins.
ALARM_CLASSES = (("bacs-", "bacs"), ("sensor-", "sensor"), ("site-", "site"), ("transferswitch-", "sts"),
                 ("aux-", "io"), ("", "ups"))


def fail(text):
    sys.exit("make_tables.py: " + text)


def quote(text):
    """A C string; ASCII only, so that nothing depends on the compiler's character set."""
    if not text.isascii():
        fail(f"not ASCII: {text!r}")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def quote_or_null(text):
    return quote(text) if text else "NULL"


def members_of(row):
    """[(value, name)] of an enumeration or flag word."""
    if row["kind"] not in ("enum", "flags") or not row["values"]:
        return []
    return [(int(value), name) for value, name in (pair.split("=") for pair in row["values"].split(";"))]


def label_text(row):
    """(label text, member label) of a row; in the text of a pattern <1> is what its first placeholder matched."""
    placeholders = PLACEHOLDER.findall(row["point"])
    texts, member_label = [], None
    for label in filter(None, row["labels"].split(",")):
        if label in LABELS_OF_DEVICE:
            continue
        if row["metric"] == "busbar_device_info" or row["kind"] in ("enum", "flags") and label not in LABEL_PLACEHOLDERS:
            member_label = label
        elif placeholders:
            placeholder = LABEL_PLACEHOLDERS.get(label)
            if placeholder in placeholders:
                texts.append(f'{label}="<{placeholders.index(placeholder) + 1}>"')
        else:
            match = re.search(LABEL_NAMES[label], row["point"])
            if not match:
                fail(f"{row['point']}: its name does not hold the label {label}")
            texts.append(f'{label}="{match[1]}"')
    return ",".join(texts), member_label


def metric_of(row):
    """A row with several families names the one for units of the user last; the others follow the unit."""
    return row["metric"].split("|")[-1].strip()


def pattern_order(row):
    """Patterns with more fixed parts come first, those that match a whole rest come last."""
    parts = row["point"].split(".")
    fixed = sum(not PLACEHOLDER.search(part) for part in parts)
    return (is_open(row), -fixed, -len(parts), row["point"])


def is_open(row):
    return any(name not in NUMBERS for name in PLACEHOLDER.findall(row["point"]))


def alarm_rows(points, alarms):
    """Rows for the alarms that points.csv does not list: all of them look alike."""
    there = {row["point"] for row in points}
    for alarm in alarms:
        name = "alarm." + alarm["name"]
        if name in there:
            continue
        kind_of_device = next(text for start, text in ALARM_CLASSES if alarm["name"].startswith(start))
        yield {"point": name, "class": kind_of_device, "kind": "alarm", "unit": "", "decimals": "", "access": "ro",
               "values": "", "nut": "", "metric": "busbar_alarm_active", "labels": "alarm", "help": alarm["title"],
               "stale": "keep", "urgent": "yes"}


def print_points(out, rows, alarms):
    alarm_index = {"alarm." + alarm["name"]: index for index, alarm in enumerate(alarms)}
    names = {}  # member list -> name of its array, since many rows share one
    for row in rows:
        members = tuple(members_of(row))
        if members and members not in names:
            names[members] = f"members_{len(names)}"
            out.append(f"static const struct bb_member {names[members]}[] = {{")
            out.extend(f"\t{{ {value}, {quote(name)} }}," for value, name in members)
            out.append("};\n")

    # A device that has a point but does not take values for it shows the row of the second table.
    for table, writable in (("dictionary_points", True), ("dictionary_read_only", False)):
        out.append(f"const struct bb_point {table}[] = {{")
        out.extend(print_point(row, names, alarm_index, writable) for row in rows)
        out.append("};\n")


def print_point(row, names, alarm_index, writable):
    members = tuple(members_of(row))
    labels, member_label = label_text(row)
    alarm = "NULL"
    if row["kind"] == "alarm":
        if row["point"] not in alarm_index:
            fail(f"{row['point']}: not in the alarm table")
        alarm = f"&alarm_types[{alarm_index[row['point']]}]"
    unit = "" if row["unit"] in UNITS_OF_DEVICE else row["unit"]
    fields = {
        "name": quote(row["point"]), "class": quote(row["class"]), "help": quote(row["help"]),
        "kind": KINDS[row["kind"]], "unit": UNITS[unit], "decimals": row["decimals"] or "0",
        "writable": "true" if writable and "w" in row["access"] else "false",
        "urgent": "true" if row["urgent"] == "yes" else "false",
        "keep": {"keep": "true", "drop": "false"}[row["stale"]],
        "members": names.get(members, "NULL"), "member_count": str(len(members)), "alarm": alarm,
        "nut": quote_or_null(row["nut"]), "metric": quote_or_null(metric_of(row)),
        "labels": quote("" if "<" in row["point"] else labels), "member_label": quote_or_null(member_label),
    }
    return "\t{ " + ", ".join(f".{field} = {value}" for field, value in fields.items()) + " },"


def print_indexes(out, rows, row_count):
    exact = [index for index, row in enumerate(rows) if "<" not in row["point"]]
    patterns = [index for index, row in enumerate(rows) if "<" in row["point"]]
    exact.sort(key=lambda index: rows[index]["point"])
    patterns.sort(key=lambda index: pattern_order(rows[index]))

    out.append(f"const size_t dictionary_point_count = {len(rows)};")
    out.append(f"const size_t dictionary_row_count = {row_count};")
    out.append(f"const size_t dictionary_sorted_count = {len(exact)};")
    out.append("const uint16_t dictionary_sorted[] = { " + ", ".join(map(str, exact)) + " };\n")
    out.append("const struct dictionary_pattern dictionary_patterns[] = {")
    for index in patterns:
        row = rows[index]
        out.append(f"\t{{ {index}, {'true' if is_open(row) else 'false'}, {quote(label_text(row)[0])} }},")
    out.append("};")
    out.append(f"const size_t dictionary_pattern_count = {len(patterns)};\n")
    of_device = ["true" if row["unit"] in UNITS_OF_DEVICE else "false" for row in rows]
    out.append("const bool dictionary_unit_of_device[] = { " + ", ".join(of_device) + " };\n")


def print_alarms(out, alarms):
    out.append("const struct bb_alarm_type alarm_types[] = {")
    for alarm in alarms:
        out.append(f"\t{{ {quote(alarm['name'])}, {quote(alarm['title'])}, {quote(alarm['oid'])}, "
                   f"{quote_or_null(alarm['nut'])}, {SEVERITIES[alarm['severity']]}, {alarm['bit'] or -1} }},")
    out.append("};")
    by_name = sorted(range(len(alarms)), key=lambda index: alarms[index]["name"])
    by_oid = sorted((index for index in range(len(alarms)) if alarms[index]["oid"]),
                    key=lambda index: alarms[index]["oid"])
    out.append(f"const size_t alarm_type_count = {len(alarms)};")
    out.append("const uint16_t alarm_types_by_name[] = { " + ", ".join(map(str, by_name)) + " };")
    out.append("const uint16_t alarm_types_by_oid[] = { " + ", ".join(map(str, by_oid)) + " };")
    out.append(f"const size_t alarm_oid_count = {len(by_oid)};\n")


def read(path, key):
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = [row[key] for row in rows]
    for name in names:
        if names.count(name) > 1:
            fail(f"{path}: {name} stands there twice")
    return rows


def main():
    if len(sys.argv) != 4:
        fail("usage: make_tables.py POINTS ALARMS OUTPUT")
    points = read(sys.argv[1], "point")
    alarms = read(sys.argv[2], "name")
    rows = points + list(alarm_rows(points, alarms))

    out = ["/* Made by core/make_tables.py from config/points.csv and config/alarms.csv: edit those. */\n",
           '#include "tables.h"\n']
    print_alarms(out, alarms)
    print_points(out, rows, alarms)
    print_indexes(out, rows, len(points))
    with open(sys.argv[3], "w", encoding="ascii") as file:
        file.write("\n".join(out))


if __name__ == "__main__":
    main()
