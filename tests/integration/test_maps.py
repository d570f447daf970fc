# SPDX-License-Identifier: Apache-2.0
"""The register maps that come with busbar, against the reference tables; and what map files of one's own are told.

The comparison is made by modbus_judge.py, which knows the reference tables and nothing of busbar, and is against what
`busbarctl map` prints, so that the files and their reader are both tested.
"""
import json
import os
import pathlib
import re
import subprocess
import tempfile
import unittest
from decimal import Decimal
from fractions import Fraction

import modbus_judge
from support import BUILD, SOURCE, Busbard, say, shared, wait_for

MAPS = SOURCE / "config" / "maps"

GOOD = """# id: my-ups
# vendor: Me
address,count,type,functions,symbol,point,scale,offset,values,note
1,1,u16,3/4,LOAD,output.L1.load,0.1,,,
2,1,u16,3/4,SOURCE,output.source,,,0=normal;1=battery;other=9,
3,1,s16,3/4,TEMP,ups.temperature,0.5,-39,least=0;most=255,
4,2,u16,3/4,ENERGY,output.energy,1/3600,,,
6,2,string,3/4,NAME,device.model,,,,
8,1,u16,3/4,ODD,vendor.odd,,,0=no;1=yes,"an odd one, of ours"
"""


def ctl(*arguments, status=0):
    """busbarctl without an agent."""
    done = subprocess.run([BUILD / "bin" / "busbarctl", *map(str, arguments)], capture_output=True, text=True,
                          timeout=120, check=False)
    if done.returncode != status:
        raise AssertionError(f"busbarctl {arguments}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class Shipped(unittest.TestCase):
    """Every register of every reference map is in ours, with all that the reference says about it."""

    def compare(self, name):
        ours = json.loads(ctl("map", name, "--json"), parse_float=Decimal)["registers"]
        found = {(row["address"], row["functions"]): row for row in ours}
        wanted = modbus_judge.rows(name)
        for row in wanted:
            mine = found.pop((row["address"], row["functions"]), None)
            where = f"{name}: {row['address']} {row['symbol']}"
            self.assertIsNotNone(mine, where)
            self.assertEqual((mine["count"], mine["type"], mine["symbol"]),
                             (row["count"], row["type"], row["symbol"]), where)
            self.assertEqual([point for point in (mine["point"], mine.get("fallback")) if point],
                             row["points"], where)
            if row["type"] != "string" and row["points"]:
                scale = mine["scale"]
                # The high half of a flag word is scaled to its place.
                self.assertEqual(Fraction(scale), 65536 if (name, row["address"]) == ("bacs", 1001) else row["scale"],
                                 where)
        self.assertEqual(found, {}, f"{name}: registers that the reference does not have")
        return len(wanted)

    def test_every_register_of_the_reference_is_there(self):
        listed = {row["map"]: row for row in json.loads(ctl("maps", "--json"))}
        self.assertEqual(sorted(listed), modbus_judge.maps())
        count = 0
        for name in modbus_judge.maps():
            with self.subTest(map=name):
                count += self.compare(name)
        say(f"maps: {count} registers of {len(listed)} maps compared with the reference")

    def test_the_default_map_is_oem_12(self):
        listed = {row["map"]: row["oem"] for row in json.loads(ctl("maps", "--json"))}
        self.assertEqual([name for name, oem in listed.items() if oem == 12], ["default"])

    def test_one_register_feeds_each_point(self):
        for name in modbus_judge.maps():
            feeding, points = [], set()
            for row in json.loads(ctl("map", name, "--json"))["registers"]:
                if row["feeds"]:
                    feeding.append(row["point"])
                if row["point"] and not row["point"].startswith("ups.command."):
                    points.add(row["point"])
            # The 32 bits of bacs.status stand in two registers.
            expected = sorted(points) + (["bacs.status"] if name == "bacs" else [])
            self.assertEqual(sorted(feeding), sorted(expected), name)

    def test_of_two_with_one_point_the_finer_or_higher_feeds(self):
        feeds = {(name, row["point"]): row["address"] for name in ("invt-rm", "slc-adapt-x", "rittal-pmc")
                 for row in json.loads(ctl("map", name, "--json"))["registers"] if row["feeds"]}
        self.assertEqual(feeds["invt-rm", "input.L1.voltage"], 163)       # both 1 V: the higher address
        self.assertEqual(feeds["rittal-pmc", "input.L1.voltage"], 0)      # 0.1 V at 0, 1 V at 104

    def test_check_finds_nothing_in_any_of_them(self):
        files = sorted(MAPS.glob("*.csv"))
        self.assertEqual(len(files), 24)
        self.assertEqual(ctl("map", "--check", *files).count(": fine: "), 24)
        self.assertEqual(json.loads(ctl("map", "--json", "--check", *files)), [])

    def test_the_copy_of_the_reference_is_like_it(self):
        shared()
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "copy.csv"
            subprocess.run(["/usr/bin/python3", modbus_judge.__file__, path], check=True, timeout=120)
            self.assertEqual(path.read_text(), modbus_judge.GOLDEN.read_text())


class Checked(unittest.TestCase):
    """Faults are told with file and line, all of them in one run."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def check(self, text, status=1):
        path = self.folder / "spoilt.csv"
        path.write_text(text)
        return [(row["line"], row["text"]) for row in
                json.loads(ctl("map", "--check", "--json", path, status=status))]

    def test_a_good_one(self):
        self.assertEqual(self.check(GOOD, status=0), [])

    def test_the_example_of_the_manual_page_is_a_good_one(self):
        page = (SOURCE / "docs" / "man" / "busbar-maps.5.scd").read_text(encoding="utf-8")
        example = re.search(r"^```\n(.*?)^```$", page, re.MULTILINE | re.DOTALL).group(1)
        self.assertEqual(self.check(example, status=0), [])

    def test_spoilt_rows_are_named_by_line(self):
        row = GOOD.splitlines()
        for line, spoilt, about in (
                (4, "1,1,u16,3/4,LOAD,output.L1.laod,0.1,,,", "did you mean 'output.L1.load'"),
                (4, "1,1,u16,3/4,LOAD,nonsense.whatever,0.1,,,", "unknown point"),
                (4, "1,1,u16,3/4,LOAD,alarm.on-batery,,,,", "did you mean 'alarm.on-battery'"),
                (5, "1,1,u16,3/4,SOURCE,output.source,,,0=normal,", "is also that of line 4"),
                (5, "2,1,u16,3/4,SOURCE,output.source,,,0=nromal,", "did you mean 'normal'"),
                (5, "2,1,u16,3/4,SOURCE,output.source,,,,", "needs codes"),
                (5, "2,1,u16,3/4,SOURCE,output.source,10,,0=normal,", "for numbers only"),
                (4, "1,1,u16,3/4,LOAD,output.L1.load,0,,,", "above 0"),
                (4, "1,1,u16,3/4,LOAD,output.L1.load,-1,,,", "above 0"),
                (4, "1,1,u16,3/4,LOAD,output.L1.load,ten,,,", "is no number"),
                (4, "1,1,u16,3/4,LOAD,output.L1.load,99999999999,,,", "scale"),
                (4, "1,1,u16,3/4,LOAD,output.L1.load,1,0.05,,", "finer than the point"),
                (4, "70000,1,u16,3/4,LOAD,output.L1.load,,,,", "address '70000'"),
                (4, "65535,2,u16,3/4,LOAD,output.L1.load,,,,", "beyond 65535"),
                (4, "1,1,u17,3/4,LOAD,output.L1.load,,,,", "did you mean 'u16'"),
                (4, "1,3,u16,3/4,LOAD,output.L1.load,,,,", "count 3 does not fit"),
                (4, "1,1,u16,1/5,LOAD,output.L1.load,,,,", "not for type u16"),
                (4, "1,1,u16,7,LOAD,output.L1.load,,,,", "functions '7'"),
                (4, "1,1,u16,3/4,LOAD,device.model,,,,", "text"),
                (4, "1,1,string,3/4,LOAD,output.L1.load,,,,", "text"),
                (4, "1,1,u16,3/4,L<n>,module.<n>.voltage,,,,", "no '# repeat:'"),
                (4, '1,1,u16,3/4,LOAD,output.L1.load,,,,"open', "quote"),
                (4, "1,1,u16,3/4,LOAD,output.L1.load,,,,a,b", "more cells"),
                (3, "address,count,type,functions,symbol,piont,scale,offset,values,note", "did you mean 'point'"),
                (2, "# vendro: Me", "did you mean 'vendor'"),
                (1, "# id: My UPS", "an id has"),
                (2, "# repeat: 1-2 3 times", "repeat is like"),
                (2, "# repeat: 1-8 9000 times every 8", "beyond address 65535"),
                (2, "# copy: 1-8 to 100 3 times every 4 as module.<n>.", "less than the 8")):
            text = "\n".join(row[:line - 1] + [spoilt] + row[line:]) + "\n"
            with self.subTest(spoilt=spoilt):
                faults = self.check(text)
                self.assertEqual([(at, about in told) for at, told in faults if at == line], [(line, True)], faults)

    def test_all_faults_of_a_file_are_told_at_once(self):
        bad = GOOD.replace("output.L1.load", "output.L1.laod").replace("ups.temperature", "ups.temprature")
        faults = self.check(bad)
        self.assertEqual([line for line, _ in faults], [4, 6])

    def test_files_that_are_none(self):
        self.assertEqual(self.check(""), [(None, "does not say its '# id:'")])
        self.assertEqual(self.check("# id: my-ups\n"), [(None, "has no rows")])
        self.assertEqual(self.check("# id: my-ups\naddress,type,functions,point\n"), [(None, "has no rows")])
        self.assertIn("cannot be read", ctl("map", "--check", self.folder / "absent.csv", status=1))
        path = self.folder / "binary.csv"
        path.write_bytes(bytes(range(256)) * 40)
        self.assertIn(f"{path}:", ctl("map", "--check", path, status=1))

    def test_overlaps_are_looked_for_in_each_space(self):
        head = "# id: my-ups\naddress,type,functions,point\n"
        self.assertEqual(self.check(head + "1,u16,3,vendor.a\n1,u16,4,vendor.b\n1,bit,1/5,vendor.c\n1,bit,2,vendor.d\n",
                                    status=0), [])
        self.assertEqual([line for line, _ in self.check(head + "1,u16,3/4,vendor.a\n1,u16,4,vendor.b\n")], [4])


class Own(unittest.TestCase):
    """Maps in a folder of one's own extend and replace those that come with busbar."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def test_they_extend_and_replace(self):
        (self.folder / "mine.csv").write_text(GOOD)
        (self.folder / "socomec.csv").write_text(GOOD.replace("my-ups", "socomec"))
        listed = {row["map"]: row for row in json.loads(ctl("maps", "--json", "--maps-dir", self.folder))}
        self.assertEqual(sorted(listed), sorted(modbus_judge.maps() + ["my-ups"]))
        self.assertEqual(listed["socomec"]["register_count"], 6)
        shown = ctl("map", "my-ups", "--maps-dir", self.folder)
        self.assertIn("1/3600 kWh", shown)
        self.assertIn("0.5-39 degC", shown)
        self.assertIn("an odd one, of ours", shown)

    def test_a_misspelt_id_is_guessed(self):
        done = subprocess.run([BUILD / "bin" / "busbarctl", "map", "socomek"], capture_output=True, text=True,
                              timeout=120, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("did you mean 'socomec'?", done.stderr)

    def test_a_faulty_one_does_not_keep_the_agent_from_the_others(self):
        (self.folder / "bad.csv").write_text(GOOD.replace("output.L1.load", "output.L1.laod"))
        (self.folder / "good.csv").write_text(GOOD)
        with Busbard({"maps-dir": str(self.folder), "devices": {}}) as agent:
            log = wait_for(lambda: agent.log() if "is running" in agent.log() else None, what="the agent runs")
            self.assertIn(f"{self.folder}/bad.csv:4: unknown point 'output.L1.laod', did you mean", log)
            self.assertEqual(log.count("bad.csv"), 1)
            self.assertNotIn("good.csv", log)


if __name__ == "__main__":
    unittest.main()
