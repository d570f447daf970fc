# SPDX-License-Identifier: Apache-2.0
"""busbarctl against a running busbard: what people see, what scripts parse, and the exit statuses they ask for."""
import json
import os
import pty
import re
import subprocess
import time
import unittest

from support import BUILD, SANITIZERS, SOURCE, Busbard, Process, cut, say, wait_for

CTL = BUILD / "bin" / "busbarctl"
ESCAPE = "\033"

# ups-a is fine, ups-all carries a value in every row of the dictionary (alarms among them), ups-mute stops answering.
SILENCE = "at 3s silence 1h\n"


def config(directory=None):
    devices = {
        "ups-a": {"plugin": "simulator", "address": "simulator://a", "interval": "500ms", "watch": "0s"},
        "ups-all": {"plugin": "simulator", "address": "simulator://all", "profile": "everything"},
    }
    if directory:
        devices["ups-mute"] = {"plugin": "simulator", "address": "simulator://m", "scenario": str(directory / "mute"),
                               "interval": "100ms", "watch": "100ms", "stale-after": "1s"}
    return {"devices": devices}


def run(*args, **more):
    return subprocess.run([str(CTL), *map(str, args)], capture_output=True, text=True, timeout=120, check=False,
                          stdin=subprocess.DEVNULL, **more)


class Fine(unittest.TestCase):
    """A single device that is well."""

    @classmethod
    def setUpClass(cls):
        cls.daemon = Busbard({"devices": {"ups-a": config()["devices"]["ups-a"]}})
        wait_for(lambda: cls.daemon.json("status")["devices"][0]["state"] == "up", what="ups-a to answer")

    @classmethod
    def tearDownClass(cls):
        cls.daemon.__exit__(None)

    def test_status_is_green_and_ends_with_0(self):
        done = self.daemon.ctl("status")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.splitlines()
        self.assertEqual(lines[0].split(), ["DEVICE", "STATE", "STATUS", "CHARGE", "RUNTIME", "LOAD", "ALARMS", "OPEN",
                                            "AGE", "PLUGIN", "ADDRESS"])
        self.assertRegex(lines[1], r"^ups-a +fine +OL +\d+\.\d% +\S+ +\d+\.\d% +0 +0 +\S+ +simulator +simulator://a$")
        self.assertRegex(lines[-1], r"^busbard \d+\.\d+\.\d+, up \S+, 1 device, \d+ plugins?")

    def test_get_prints_the_value_alone(self):
        done = self.daemon.ctl("get", "ups-a", "battery.charge")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"^\d+\.\d\n$")
        row = json.loads(self.daemon.ctl("get", "ups-a", "battery.charge", "--json").stdout)
        self.assertEqual((row["device"], row["point"], row["unit"]), ("ups-a", "battery.charge", "%"))

    def test_what_is_not_there_ends_with_1_and_a_suggestion(self):
        for args, said in ((("get", "ups-a", "battery.chrage"), "did you mean 'battery.charge'"),
                           (("get", "ups-b", "battery.charge"), "no device 'ups-b', did you mean 'ups-a'"),
                           (("points", "ups_a"), "no device 'ups_a', did you mean 'ups-a'"),
                           (("watch", "nobody"), "no device 'nobody'"),
                           (("alarms", "nobody"), "no device 'nobody'"),
                           (("points", "no.such.*"), "no point fits 'no.such.*'"),
                           (("plugin", "simulater"), "did you mean 'simulator'")):
            with self.subTest(args=args):
                done = self.daemon.ctl(*args)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertTrue(done.stderr.startswith("busbarctl: "), done.stderr)
                self.assertIn(said, done.stderr)

    def test_globs_choose_points_and_devices(self):
        names = {row["point"] for row in self.daemon.json("points", "battery.*")}
        self.assertIn("battery.charge", names)
        self.assertTrue(all(name.startswith("battery.") for name in names))
        self.assertEqual(names, {row["point"] for row in self.daemon.json("points", "ups-?", "battery.*")})
        self.assertEqual([row["point"] for row in self.daemon.json("points", "ups-a", "ups.status")], ["ups.status"])
        self.assertEqual(self.daemon.json("points", "x*", "*"), [])

    def test_a_wrong_command_line_ends_with_2(self):
        for args, said in (((), "say what to do"), (("statsu",), "did you mean 'status'"),
                           (("status", "--jsno"), "did you mean '--json'"), (("get", "ups-a"), "usage: busbarctl get"),
                           (("points", "a", "b", "c"), "usage: busbarctl points"),
                           (("status", "--all"), "takes no --all"),
                           (("watch", "-n", "x"), "wants a number"), (("events", "--since"), "wants a WHEN"),
                           (("events", "--since=-1"), "--since wants a time"),
                           (("status", "--color=maybe"), "auto, always or"),
                           (("status", "--json=1"), "takes no value"), (("status", "-z"), "no option '-z'"),
                           (("probe", "simulator://x", "load"), "KEY=VALUE"),
                           (("log-level", "loud"), "no log level 'loud'")):
            with self.subTest(args=args):
                done = self.daemon.ctl(*args)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(said, done.stderr)

    def test_without_an_agent_it_ends_with_3(self):
        for args in (("status",), ("points", "--json"), ("get", "a", "b"), ("watch",), ("events", "--follow")):
            done = run("-s", "/nonexistent/busbar.sock", *args)
            self.assertEqual((done.returncode, done.stdout), (3, ""))
            self.assertIn("no agent answers at /nonexistent/busbar.sock", done.stderr)
        done = run("-s", "/nonexistent/busbar.sock", "version")
        self.assertEqual(done.returncode, 3)
        self.assertRegex(done.stdout, r"^busbarctl \d+\.\d+\.\d+\n$")

    def test_options_stand_anywhere_and_the_environment_names_the_socket(self):
        environment = dict(os.environ, BUSBAR_SOCKET=str(self.daemon.socket))
        for args in (("--json", "version"), ("version", "--json"),
                     (f"--socket={self.daemon.socket}", "--json", "version")):
            self.assertEqual(list(json.loads(run(*args, env=environment).stdout)), ["busbarctl", "busbard"])

    def test_every_command_has_help(self):
        listed = run("--help")
        self.assertEqual(listed.returncode, 0)
        commands = run("complete", "commands").stdout.split()
        self.assertGreaterEqual(len(commands), 12)
        for command in commands:
            self.assertRegex(listed.stdout, rf"(?m)^  {command} ")
            for args in ((command, "--help"), ("help", command)):
                done = run(*args)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertTrue(done.stdout.startswith(f"Usage: busbarctl {command}"), done.stdout)
        manual = (SOURCE / "docs/man/busbarctl.1.scd").read_text()
        for command in commands:
            self.assertRegex(manual, rf"(?m)^\*{command}\*", "the manual page knows every command")

    def test_colours_are_for_terminals(self):
        self.assertNotIn(ESCAPE, self.daemon.ctl("status").stdout)
        self.assertIn(f"{ESCAPE}[32mfine", self.daemon.ctl("status", "--color=always").stdout)
        environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        self.assertIn(f"{ESCAPE}[32mfine", self.on_terminal(environment, "status"))
        self.assertNotIn(ESCAPE, self.on_terminal(dict(environment, NO_COLOR="1"), "status"))
        self.assertNotIn(ESCAPE, self.on_terminal(environment, "status", "--color=never"))

    def on_terminal(self, environment, *args):
        ours, theirs = pty.openpty()
        with subprocess.Popen([str(CTL), "-s", str(self.daemon.socket), *args], stdin=subprocess.DEVNULL, stdout=theirs,
                              stderr=theirs, env=environment) as child:
            os.close(theirs)
            output = b""
            try:
                while piece := os.read(ours, 65536):
                    output += piece
            except OSError:
                pass  # a terminal says so when the last program has closed it
            child.wait(30)
        os.close(ours)
        return output.decode()

    def test_a_full_disk_is_not_success(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([str(CTL), "-s", str(self.daemon.socket), "points"], stdout=full, text=True,
                                  stderr=subprocess.PIPE, timeout=120, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot write the output", done.stderr)

    def test_watch_shows_values_and_then_changes(self):
        done = self.daemon.ctl("watch", "ups-a", "battery.charge", "-n", "1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  ups-a  battery\.charge  \d+\.\d %\n$")
        # The load of a simulated UPS is never quite the same, so a second value of it must come.
        with Process([CTL, "-s", self.daemon.socket, "watch", "ups-a", "output.L1.load", "--json"]) as watch:
            rows = wait_for(lambda: len(watch.log().splitlines()) >= 3 and watch.log().splitlines(), 15, "changes")
        rows = [json.loads(row) for row in rows[:3]]
        self.assertTrue(all(row["point"] == "output.L1.load" for row in rows))
        self.assertNotEqual(rows[0]["value"], rows[1]["value"])
        self.assertNotEqual(rows[1]["value"], rows[2]["value"])

    def test_plugins_and_their_options(self):
        by_name = {row["plugin"]: row for row in self.daemon.json("plugins")}
        self.assertEqual((by_name["simulator"]["kind"], by_name["simulator"]["used"]), ("device", 1))
        self.assertRegex(self.daemon.ctl("plugins").stdout, r"(?m)^simulator +device +\S+ +1 ")
        plugin = self.daemon.json("plugin", "simulator")
        options = {option["name"]: option for option in plugin["options"]}
        self.assertEqual(len(options), len(plugin["options"]), "an option of the plugin hides the common one")
        self.assertFalse(options["profile"]["common"])
        self.assertIn("everything", options["profile"]["choices"])
        self.assertTrue(options["interval"]["common"])
        self.assertEqual((options["interval"]["type"], options["interval"]["default"]), ("duration", "5s"))
        self.assertTrue(options["plugin"]["required"])
        self.assertIsInstance(options["load"]["maximum"], int)
        self.assertTrue(all(option["help"] for option in plugin["options"]))
        table = self.daemon.ctl("plugin", "simulator").stdout
        for name in options:
            self.assertRegex(table, rf"(?m)^{name} +{options[name]['type']} ")

    def test_probe_shows_a_device_and_leaves_nothing_behind(self):
        rows = {row["point"]: row for row in self.daemon.json("probe", "simulator://elsewhere", "load=70")}
        self.assertAlmostEqual(rows["output.L1.load"]["value"], 70, delta=5)
        self.assertEqual([row["device"] for row in self.daemon.json("status")["devices"]], ["ups-a"])
        self.assertEqual(self.daemon.json("events", "probe"), [])

    def test_a_probe_that_fails_says_why(self):
        for args, said in ((("gopher://x",), "no plugin understands the address 'gopher://x'"),
                           (("nonsense",), "no plugin understands the address 'nonsense'"),
                           (("simulator://x", "laod=3"), "laod: unknown key, did you mean 'load'"),
                           (("simulator://x", "load=many"), "load: ")):
            with self.subTest(args=args):
                done = self.daemon.ctl("probe", *args)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn(said, done.stderr)

    def test_log_level_is_shown_and_set(self):
        self.assertEqual(self.daemon.ctl("log-level").stdout, "notice\n")
        self.assertEqual(self.daemon.ctl("log-level", "debug").stdout, "debug\n")
        self.assertEqual(self.daemon.json("log-level"), {"log_level": "debug"})
        self.assertEqual(self.daemon.json("status")["agent"]["log_level"], "debug")
        self.assertEqual(self.daemon.ctl("log-level", "notice").returncode, 0)

    def test_completion_knows_what_the_agent_knows(self):
        script = SOURCE / "packaging/bash-completion/busbarctl"

        def complete(*words):
            line = " ".join(f"'{word}'" for word in (CTL, "-s", self.daemon.socket, *words))
            program = (f"source {script}; COMP_WORDS=({line}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _busbarctl; "
                       f"printf '%s\\n' \"${{COMPREPLY[@]}}\"")
            done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, timeout=120, check=False)
            self.assertEqual(done.stderr, "")
            return done.stdout.split()
        self.assertEqual(complete("plugi"), ["plugins", "plugin"])
        self.assertIn("status", complete(""))
        self.assertNotIn("complete", complete(""))
        self.assertEqual(complete("points", ""), ["ups-a"])
        self.assertEqual(complete("get", "ups-a", "battery.charg"), ["battery.charge"])
        self.assertEqual(complete("--json", "plugin", "simu"), ["simulator"])
        self.assertEqual(complete("log-level", "de"), ["debug"])
        self.assertEqual(complete("events", "--fol"), ["--follow"])
        self.assertEqual(complete("events", "--csv", "--device", "ups"), ["ups-a"])
        self.assertEqual(complete("log", "battery.charg"), ["battery.charge"])
        self.assertEqual(complete("log", "battery.charge", "battery.temper"), ["battery.temperature"])
        self.assertEqual(complete("ack", ""), ["ups-a"])
        self.assertEqual(complete("inhibit", "ups-a", "on-b"), ["on-battery", "on-bypass"])
        self.assertEqual(complete("journal", ""), ["check"])
        self.assertIn("simulator://", complete("probe", ""))
        self.assertEqual(complete("status", "-s", "/nonexistent", "points", ""), [])


class Trouble(unittest.TestCase):
    """A device in alarm, a device that falls silent, configurations with faults."""

    @classmethod
    def setUpClass(cls):
        cls.daemon = Busbard(config())
        (cls.daemon.directory / "mute").write_text(SILENCE)
        cls.daemon.reload(config(cls.daemon.directory))
        cls.states = wait_for(lambda: cls.look(("up", "up", "lost")), 20, "ups-mute to be lost")

    @classmethod
    def tearDownClass(cls):
        cls.daemon.__exit__(None)

    @classmethod
    def look(cls, states):
        rows = cls.daemon.json("status")["devices"]
        if tuple(row["state"] for row in rows) != states or "communications-lost" not in rows[2]["active_alarms"]:
            return None
        return {row["device"]: row for row in rows}

    def test_status_is_red_and_ends_with_1(self):
        self.assertEqual({name: row["colour"] for name, row in self.states.items()},
                         {"ups-a": "green", "ups-all": "red", "ups-mute": "red"})
        self.assertEqual(self.states["ups-all"]["worst"], "alarm")
        self.assertEqual(self.states["ups-all"]["alarms"], len(self.states["ups-all"]["active_alarms"]))
        self.assertIsNone(self.states["ups-mute"]["charge"], "the charge of a lost device is not known")
        self.assertIn("communications-lost", self.states["ups-mute"]["active_alarms"])
        done = self.daemon.ctl("status")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"(?m)^ups-all +alarm ")
        self.assertRegex(done.stdout, r"(?m)^ups-mute +lost +OL ALARM +- +- +- +1 +1 ")

    def test_points_of_every_kind_have_the_promised_shape(self):
        rows = self.daemon.json("points", "ups-all")
        self.assertGreater(len(rows), 200)
        values = [type(row["value"]) for row in rows]
        for kind in int, float, str, bool:
            self.assertIn(kind, values)
        for row in rows:
            with self.subTest(point=row["point"]):
                self.assertLessEqual({"device", "point", "value", "unit", "quality", "age"}, set(row))
                self.assertIn(row["quality"], ("good", "unknown", "unsupported", "bad"))
                self.assertNotIn("last", row)
                if row["quality"] == "good":
                    self.assertIsInstance(row["age"], (int, float))
                    self.assertIsNotNone(row["value"])
                if row["point"].startswith("alarm.") and row["point"] != "alarm.count" and row["quality"] == "good":
                    self.assertIsInstance(row["value"], bool)
        word = next(row for row in rows if row["point"] == "ups.status.word")
        self.assertEqual(set(word["value"].split()) >= {"output-active"}, bool(word["raw"] & 4))

    def test_numbers_are_printed_with_their_decimals(self):
        text = self.daemon.ctl("points", "ups-all", "battery.charge", "--json").stdout
        self.assertRegex(text, r'"value": \d+\.\d, ')

    def test_a_stale_value_is_never_shown_as_one(self):
        rows = self.daemon.points("ups-mute")
        charge = rows["battery.charge"]
        self.assertEqual((charge["value"], charge["quality"]), (None, "stale"))
        self.assertIsInstance(charge["last"], float)
        self.assertGreater(charge["age"], 0.9)
        self.assertIs(rows["alarm.communications-lost"]["value"], True)
        kept = rows["device.model"]
        self.assertEqual(kept["quality"], "stale")
        self.assertIsInstance(kept["value"], str)
        done = self.daemon.ctl("get", "ups-mute", "battery.charge")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertRegex(done.stderr, r"battery\.charge of ups-mute is stale: it was \d+\.\d, .* ago")
        table = self.daemon.ctl("points", "ups-mute").stdout
        self.assertRegex(table, r"(?m)^ups-mute +battery\.charge +- +% +stale, was ")

    def test_alarms_shows_active_ones_and_with_all_every_one(self):
        done = self.daemon.ctl("alarms")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"(?m)^ups-mute +communications-lost +\S+ +active +\d{4}-")
        active = self.daemon.json("alarms", "ups-all")
        every = self.daemon.json("alarms", "ups-all", "--all")
        self.assertTrue(active and all(row["active"] and row["since"] and row["event"] for row in active))
        self.assertGreater(len(every), len(active))
        self.assertEqual([row["alarm"] for row in every if row["active"]], [row["alarm"] for row in active])
        fine = self.daemon.ctl("alarms", "ups-a")
        self.assertEqual((fine.returncode, fine.stdout), (0, "No alarm is active.\n"))

    def test_events_are_numbered_filtered_and_followed(self):
        events = self.daemon.json("events")
        numbers = [event["number"] for event in events]
        self.assertEqual(numbers, sorted(set(numbers)))
        states = [event["event"] for event in self.daemon.json("events", "ups-mute")
                  if event["event"].startswith("device")]
        # It falls silent once; on a machine that stood still for a second it was lost before.
        self.assertEqual(states, ["device-found", "device-lost"] * (len(states) // 2))
        self.assertTrue(states)
        self.assertTrue(all(event["device"] == "ups-mute" for event in self.daemon.json("events", "ups-mute")))
        self.assertEqual(self.daemon.json("events", "--since", numbers[-2])[0]["number"], numbers[-1])
        self.assertEqual([event["number"] for event in self.daemon.json("events", "--last", "2")][:2], numbers[-2:])
        argv = [CTL, "-s", self.daemon.socket, "events", "--follow", "--since", numbers[-1], "--json"]
        with Process(argv) as follow:
            self.daemon.reload()
            wait_for(lambda: "config-loaded" in follow.log(), what="the event of the reload")
            for line in follow.log().splitlines():
                self.assertGreater(json.loads(line)["number"], numbers[-1])

    def test_a_reload_with_faults_says_where_and_changes_nothing(self):
        faulty = json.dumps(config(self.daemon.directory))[:-2] + ', "ups-z": {"plugin": "simulator", "laod": 3}}}'
        done = self.daemon.reload(faulty, check=False)
        try:
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertRegex(done.stderr, r"busbar\.yaml:1:\d+: laod: unknown key, did you mean 'load'")
            self.assertNotIn("ups-z", self.daemon.ctl("status").stdout)
            self.assertIn("config-rejected", self.daemon.json("status")["agent"]["active_alarms"])
            answer = self.daemon.json("reload")
            self.assertFalse(answer["loaded"])
            self.assertTrue(any("laod" in message for message in answer["messages"]))
        finally:
            self.daemon.reload(config(self.daemon.directory))
        self.assertEqual(self.daemon.json("status")["agent"]["active_alarms"], [])
        self.assertTrue(self.daemon.json("reload")["loaded"])


class ManyPoints(unittest.TestCase):
    def test_are_streamed(self):
        count = cut(10, 3, "devices of 10000 points")
        devices = {f"ups-{i}": {"plugin": "simulator", "address": f"simulator://{i}", "points": 10000, "interval": "1h",
                                "watch": "0s"} for i in range(count)}
        with Busbard({"devices": devices}) as daemon:
            wait_for(lambda: all(row["state"] == "up" for row in daemon.json("status")["devices"]), 30, "all devices")
            before = memory_kb(daemon.pid)
            start = time.monotonic()
            limit = "" if SANITIZERS else "ulimit -v 8192 && "  # KiB of address space, libraries included
            done = subprocess.run(["sh", "-c", f"{limit}exec {CTL} -s {daemon.socket} points --json"], text=True,
                                  capture_output=True, timeout=120, check=False)
            took = time.monotonic() - start
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            rows = json.loads(done.stdout)
            self.assertGreaterEqual(len(rows), count * 10000)
            self.assertEqual(len({(row["device"], row["point"]) for row in rows}), len(rows), "none comes twice")
            say(f"points --json of {len(rows)} points: {took:.2f} s{'' if SANITIZERS else ', busbarctl within 8 MiB'}, "
                f"busbard {memory_kb(daemon.pid) - before} KiB more")
            if not SANITIZERS:
                self.assertLess(memory_kb(daemon.pid) - before, 1024)


def memory_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s*(\d+)", status.read()).group(1))


if __name__ == "__main__":
    unittest.main()
