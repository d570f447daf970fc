# SPDX-License-Identifier: Apache-2.0
"""Read objects.csv: which point feeds which object of the UPS-MIB, for the tables that are compiled from it.

The same rows read a device (plugins/ups-snmp) and serve one (agentx). What a column holds:

  object   name of the object; {1..8} makes eight rows of one, and so in oid and point: {1..22/3} is 1, 4, 7 … 22
  oid      what follows 1.3.6.1.2.1.33, without the instance
  point    the point; * stands for the number of the row, L* for that of a line, 1 to 3
  syntax   the type, as SMI calls it; INTEGER is an enumeration with the point's members
  range    the numbers, or lengths of a text, that the object may have; empty: all that the syntax has
  scale    the point's value in its unit is the object's number times this, 60 or 1/10; "left": time that is left, which
           is rounded down on the way out and never 0 before it is
  access   read-only or read-write
  low,high numbers that a device says and that lie outside are not believed
  read     empty: ups-snmp reads it. walk: only when a walk meets it. no: it does not
  serve    empty: agentx serves the point's value. no: it is not served, and comment says why. row: number of the row.
           lock: the spin lock. rows, number, identity, since: of the alarm tables. What is not a point's value has no
           point, or one without which it is not there
  comment  for who reads the file

Nothing that cannot be meant is let through: the first such cell ends the build, with file and line.
"""
import csv
import re
import sys

# syntax: the numbers or lengths it can have.
SYNTAXES = {
    "DisplayString": (0, 255),
    "INTEGER": (-2147483648, 2147483647),
    "Integer32": (-2147483648, 2147483647),
    "NonNegativeInteger": (0, 2147483647),
    "PositiveInteger": (1, 2147483647),
    "TestAndIncr": (0, 2147483647),
    "TimeInterval": (0, 2147483647),
    "Counter32": (0, 4294967295),
    "Gauge32": (0, 4294967295),
    "Counter64": (0, 9223372036854775807),
    "TimeStamp": (0, 4294967295),
    "OBJECT IDENTIFIER": (0, 0),
    "AutonomousType": (0, 0),
}
SERVED = ("", "no", "row", "lock", "rows", "number", "identity", "since")
READ = ("", "walk", "no")
ACCESS = ("read-only", "read-write")
UNSCALED = ("DisplayString", "INTEGER", "TimeStamp", "TestAndIncr", "OBJECT IDENTIFIER", "AutonomousType")
ARCS_MAX = 8
RUN = re.compile(r"\{(\d+)\.\.(\d+)(?:/(\d+))?\}")


class Refused(Exception):
    """A cell that cannot be meant."""


class Object:
    """A row of the table, after expansion."""

    def __init__(self, row):
        self.name = row["object"]
        self.oid = arcs(row["oid"])
        self.point = row["point"]
        self.syntax = one_of(row, "syntax", SYNTAXES)
        self.low, self.high = span(row["range"], SYNTAXES[self.syntax])
        scale, _, left = row["scale"].partition(" ")
        self.left = bool(left)
        self.multiplier, self.divisor = fraction(scale)
        self.writable = one_of(row, "access", ACCESS) == "read-write"
        self.believed_low = number(row["low"], -2147483648)
        self.believed_high = number(row["high"], 4294967295)
        self.read = one_of(row, "read", READ)
        self.serve = one_of(row, "serve", SERVED)
        self.comment = row["comment"]
        self.check(row, left)

    def check(self, row, left):
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", self.name):
            raise Refused(f"'{self.name}' is not the name of an object")
        if self.point and not re.fullmatch(r"[a-zA-Z0-9.*-]+", self.point) or self.point.count("*") > 1:
            raise Refused(f"'{self.point}' is not the name of a point")
        if left not in ("", "left"):
            raise Refused(f"'{row['scale']}' is not a scale such as 60, 1/10 or 60 left")
        if row["scale"] and self.syntax in UNSCALED:
            raise Refused(f"{self.syntax} has no scale")
        if not self.point and (self.read != "no" or self.serve == ""):
            raise Refused("a row without a point neither reads nor serves one")
        if self.serve == "no" and not self.comment:
            raise Refused("what is not served needs a comment that says why")
        if self.believed_low > self.believed_high:
            raise Refused(f"low {self.believed_low} is above high {self.believed_high}")


def one_of(row, column, values):
    if row[column] not in values:
        raise Refused(f"{column} '{row[column]}' is none of: {', '.join(filter(None, values))}")
    return row[column]


def number(value, preset):
    if value == "":
        return preset
    if not re.fullmatch(r"-?\d+", value):
        raise Refused(f"'{value}' is not a whole number")
    return int(value)


def fraction(value):
    match = re.fullmatch(r"([1-9]\d*)(?:/([1-9]\d*))?", value or "1")
    if not match:
        raise Refused(f"'{value}' is not a scale such as 60 or 1/10")
    return int(match.group(1)), int(match.group(2) or 1)


def arcs(value, most=ARCS_MAX):
    if not re.fullmatch(r"\d+(\.\d+)*", value) or value.count(".") >= most:
        raise Refused(f"'{value}' is not an object identifier")
    return [int(arc) for arc in value.split(".")]


def span(value, whole):
    if value == "":
        return whole
    match = re.fullmatch(r"(-?\d+)\.\.(-?\d+)", value)
    if not match:
        raise Refused(f"'{value}' is not a range such as 0..100")
    low, high = int(match.group(1)), int(match.group(2))
    if low > high or low < whole[0] or high > whole[1]:
        raise Refused(f"the syntax has {whole[0]}..{whole[1]}, not {value}")
    return low, high


def numbers(run):
    first, last, step = int(run.group(1)), int(run.group(2)), int(run.group(3) or 1)
    if step == 0 or first > last or (last - first) % step:
        raise Refused(f"'{run.group()}' is not a run of numbers such as {{1..8}} or {{1..22/3}}")
    return range(first, last + 1, step)


def expand(row):
    """The rows that a row with runs stands for, the row itself without any."""
    runs = {column: [numbers(run) for run in RUN.finditer(row[column])] for column in ("object", "oid", "point")}
    lengths = {len(run) for found in runs.values() for run in found}
    if not lengths:
        return [row]
    if len(lengths) > 1 or any(len(found) != 1 for found in runs.values()):
        raise Refused("object, oid and point need one run each, of the same length")
    return [row | {column: RUN.sub(str(runs[column][0][i]), row[column]) for column in runs}
            for i in range(lengths.pop())]


def check_order(objects):
    """No object's name may be the beginning of another's: that is how an instance is told from an object."""
    for before, after in zip(objects, objects[1:]):
        if after.oid[:len(before.oid)] == before.oid:
            raise Refused(f"{after.name} lies below {before.name}")


def load_rows(path, convert):
    """What @convert makes of every row of a file, as one list; a row it refuses ends the program with file and line."""
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        made = []
        for row in reader:
            try:
                if None in row or None in row.values():
                    raise Refused("too many or too few cells")
                made += convert(row)
            except Refused as error:
                sys.exit(f"{path}:{reader.line_num}: {error}")
        return made


def load(path):
    """All objects, in the MIB's order."""
    objects = sorted(load_rows(path, lambda row: [Object(each) for each in expand(row)]), key=lambda each: each.oid)
    try:
        check_order(objects)
    except Refused as error:
        sys.exit(f"{path}: {error}")
    return objects


def text(value):
    """As a string of C."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
