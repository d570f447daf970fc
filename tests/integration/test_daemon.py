# SPDX-License-Identifier: Apache-2.0
"""busbard as a program: arguments, configurations good and bad, reload, stopping, the service manager, plugins.

The devices are those of a plugin built here, "stub": it tells how often this very instance was polled and when it was
opened, which shows from outside whether a reload left a device alone. With `mode: hang` its poll never returns, with
`mode: broken` it cannot be opened.
"""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import unittest

from support import BUILD, PATIENCE, SOURCE, Busbard, Process, least_seconds, seconds_of, wait_for

STUB = r"""
#include <errno.h>
#include <unistd.h>
#include <busbar/plugin.h>

struct stub {
	int64_t polls, opened_ms, value;
	bool hang;
};

static const struct bb_option stub_options[] = {
	{ .name = "mode", .type = BB_OPTION_ENUM, .preset = "fine", .choices = "fine hang broken", .help = "what poll does" },
	{ .name = "value", .type = BB_OPTION_INT, .preset = "1", .min = 0, .max = 100, .help = "the charge it tells" },
	{ 0 },
};

static const struct bb_point_spec stub_points[] = {
	{ .name = "stub.polls", .kind = BB_KIND_COUNTER, .help = "polls of this instance" },
	{ .name = "stub.opened", .kind = BB_KIND_NUMBER, .help = "clock when it was opened" },
	{ .name = "battery.charge" },
};

static int stub_open(struct bb_builder *builder, const struct bb_config *config, void *state)
{
	struct stub *stub = state;
	int r = bb_builder_add_points(builder, stub_points, BB_LENGTH(stub_points));

	stub->opened_ms = bb_clock_ms();
	stub->value = bb_config_int(config, "value");
	stub->hang = bb_config_int(config, "mode") == 1;
	if (bb_config_int(config, "mode") == 2)
		return bb_log_error(bb_builder_log(builder), -EIO, "broken, as it was told to be");
	return r < 0 ? r : 0;
}

static int stub_poll(void *state, struct bb_reading *reading)
{
	struct stub *stub = state;

	while (stub->hang)
		sleep(1000);
	(void)bb_reading_set(reading, 0, ++stub->polls);
	(void)bb_reading_set(reading, 1, stub->opened_ms);
	(void)bb_reading_set(reading, 2, stub->value * 10);
	return 0;
}

static void stub_close(void *state)
{
	(void)state;
}

BB_PLUGIN(stub) = {
	.abi = ABI,
	.kind = BB_PLUGIN_DEVICE,
	.name = "stub",
	.summary = "a device for tests",
	.options = stub_options,
	.state_size = sizeof(struct stub),
	.device = { .open = stub_open, .poll = stub_poll, .close = stub_close },
};
"""


def compiler():
    found = re.search(r"^CMAKE_C_COMPILER:\w+=(.*)$", (BUILD / "CMakeCache.txt").read_text(), re.MULTILINE)
    return found.group(1)


def build_plugin(folder, name, abi="BB_PLUGIN_ABI"):
    """Build the stub as <folder>/<name>.so, claiming to be built against @abi."""
    source = pathlib.Path(folder) / f"{name}.c"
    source.write_text(STUB)
    output = pathlib.Path(folder) / f"{name}.so"
    subprocess.run([compiler(), "-std=gnu11", "-shared", "-fPIC", "-fvisibility=hidden", f"-DABI={abi}",
                    "-I", SOURCE / "core" / "include", "-o", output, source], check=True)
    source.unlink()
    output.chmod(0o755)
    return output


def stub(**options):
    return {"plugin": "stub", "interval": "100ms", **options}


def failing_start(config, *args):
    """Start busbard with a configuration that must not do; returns (status, log)."""
    with tempfile.TemporaryDirectory(prefix="busbar-") as folder:
        file = pathlib.Path(folder) / "busbar.yaml"
        file.write_text(config)
        file.chmod(0o600)
        with Process([BUILD / "bin" / "busbard", "-c", file, "-s", f"{folder}/busbar.sock", *args]) as busbard:
            return busbard.wait(), busbard.log()


class DaemonTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="busbar-plugins-")
        cls.plugins = cls.folder.name
        os.chmod(cls.plugins, 0o755)
        build_plugin(cls.plugins, "stub")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def start(self, devices, **more):
        return Busbard({"devices": devices}, plugin_dir=self.plugins, **more)

    def wait_polled(self, busbard, device, more_than=0):
        """Wait until the device has been polled more than so many times; returns {point: value}."""
        def look():
            values = {name: row["value"] for name, row in busbard.points(device).items()}
            return (values.get("stub.polls") or 0) > more_than and values
        return wait_for(look, what=f"more than {more_than} polls of {device}")

    def agent_alarms(self, busbard):
        """Names of the agent's own active alarms."""
        return {row["alarm"].removeprefix("alarm.") for row in busbard.json("alarms")
                if not row["device"] and row["active"]}


class Arguments(DaemonTest):
    def test_starts_in_place_with_the_plugins_of_the_build_tree(self):
        with Busbard("devices:\n  demo: { plugin: simulator }\n") as busbard:
            files = {row["file"] for row in busbard.json("plugins")}
            self.assertTrue(files)
            for file in files:
                self.assertEqual(pathlib.Path(file).resolve().parent, (BUILD / "lib/busbar/plugins").resolve())

    def test_wrong_arguments_end_with_2(self):
        for arguments in (["--nonsense"], ["superfluous"], ["-c"]):
            done = subprocess.run([BUILD / "bin" / "busbard", *arguments], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn("busbard", done.stderr)
            self.assertEqual(done.stdout, "")

    def test_help_and_version_are_answers(self):
        for argument, text in (("--help", "--check"), ("--version", "busbard ")):
            done = subprocess.run([BUILD / "bin" / "busbard", argument], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0)
            self.assertIn(text, done.stdout)

    def test_check_reads_and_opens_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "busbar.yaml"
            file.write_text(f"plugin-dir: {self.plugins}\ndevices:\n  a: {{ plugin: stub, mode: hang }}\n")
            done = subprocess.run([BUILD / "bin" / "busbard", "--check", "-c", file, "-s", f"{folder}/socket"],
                                  capture_output=True, text=True, check=False, timeout=10 * PATIENCE)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(os.listdir(folder), ["busbar.yaml"])


class BadConfiguration(DaemonTest):
    # What is wrong, where it must be reported (line:column), and a word the report must hold.
    CASES = (
        ("unknown option", "devices:\n  a:\n    plugin: stub\n    intervall: 5s\n", r":4:5: .*intervall.*interval"),
        ("unknown top-level key", "device:\n  a: { plugin: stub }\n", r":1:1: .*device.*devices"),
        ("wrong type", "devices:\n  a:\n    plugin: stub\n    interval: often\n", r":4:15: .*interval"),
        ("no unit", "devices:\n  a:\n    plugin: stub\n    interval: 5\n", r":4:15: .*interval"),
        ("wrong unit", "devices:\n  a:\n    plugin: stub\n    interval: 5kg\n", r":4:15: .*interval"),
        ("out of range", "devices:\n  a:\n    plugin: stub\n    value: 101\n", r":4:12: .*value.*100"),
        ("no such choice", "devices:\n  a: { plugin: stub, mode: fin }\n", r":2:28: .*mode.*fine"),
        ("missing plugin", "devices:\n  a: { plugin: stubb }\n", r":2:16: .*stubb.*stub"),
        ("no plugin named", "devices:\n  a: { interval: 5s }\n", r":2:\d+: .*plugin"),
        ("bad device name", "devices:\n  UPS_A: { plugin: stub }\n", r":2:3: .*UPS_A"),
        ("duplicate device", "devices:\n  a: { plugin: stub }\n  a: { plugin: stub }\n", r":3:3: .*\ba\b"),
        ("duplicate option", "devices:\n  a: { plugin: stub, value: 1, value: 2 }\n", r":2:32: .*value"),
        ("not YAML", "devices: [\n", r":[23]:\d+: "),
        ("unknown exporter", "exporters:\n  prometeus: {}\n", r":2:3: .*prometeus"),
        ("unknown log level", "log-level: loud\n", r":1:12: .*log-level"),
    )

    def test_is_refused_with_file_line_and_column(self):
        for what, text, expected in self.CASES:
            for arguments in ((), ("--check",)):
                with self.subTest(what, arguments=arguments):
                    # plugin-dir goes last, so that line numbers stay as written.
                    status, log = failing_start(f"{text}plugin-dir: {self.plugins}\n", *arguments)
                    self.assertEqual(status, 1, log)
                    self.assertRegex(log, r"busbar\.yaml" + expected)

    def test_every_fault_is_reported_not_only_the_first(self):
        _, log = failing_start(f"plugin-dir: {self.plugins}\ndevices:\n  a: {{ plugin: stub, valu: 1, mod: fine }}\n"
                               "  b: { plugin: stub, value: x }\n")
        self.assertRegex(log, r":3:\d+: .*valu")
        self.assertRegex(log, r":3:\d+: .*mod")
        self.assertRegex(log, r":4:\d+: .*value")

    def test_a_missing_file_is_named(self):
        done = subprocess.run([BUILD / "bin" / "busbard", "-c", "/nowhere/busbar.yaml"], capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nowhere/busbar.yaml", done.stderr)
        self.assertIn("No such file", done.stderr)


class Reload(DaemonTest):
    def test_touches_only_what_changed(self):
        before = {"same": stub(value=1), "changed": stub(value=1), "removed": stub()}
        with self.start(before) as busbard:
            old = {name: self.wait_polled(busbard, name, 2) for name in before}

            busbard.write_config({"devices": {"same": stub(value=1), "changed": stub(value=2), "new": stub()}})
            busbard.signal(signal.SIGHUP)

            self.wait_polled(busbard, "new")
            self.assertEqual({row["device"] for row in busbard.json("status")["devices"]},
                             {"same", "changed", "new"})
            changed = wait_for(lambda: (self.wait_polled(busbard, "changed")["battery.charge"] == 2
                                        and self.wait_polled(busbard, "changed")), what="the changed value")
            self.assertGreater(changed["stub.opened"], old["changed"]["stub.opened"])
            same = self.wait_polled(busbard, "same", old["same"]["stub.polls"])
            self.assertEqual(same["stub.opened"], old["same"]["stub.opened"])

    def test_a_comment_changes_nothing(self):
        text = "devices:\n  a: { plugin: stub, interval: 100ms }\n"
        with Busbard(text, plugin_dir=self.plugins) as busbard:
            old = self.wait_polled(busbard, "a")
            busbard.reload("# the same, said otherwise\ndevices:\n  a:\n    interval: 100ms\n    plugin: stub\n")
            self.assertEqual(self.wait_polled(busbard, "a", old["stub.polls"])["stub.opened"], old["stub.opened"])

    def test_a_bad_configuration_keeps_the_old_one_running(self):
        with self.start({"a": stub()}) as busbard:
            old = self.wait_polled(busbard, "a")
            self.assertEqual(self.agent_alarms(busbard), set())

            done = busbard.reload({"devices": {"a": stub(value=5), "b": stub(valeu=1)}}, check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertRegex(done.stdout + done.stderr, r"busbar\.yaml:\d+:\d+: .*valeu.*value")
            self.assertEqual(self.agent_alarms(busbard), {"config-rejected"})
            now = self.wait_polled(busbard, "a", old["stub.polls"])
            self.assertEqual((now["stub.opened"], now["battery.charge"]), (old["stub.opened"], 1))
            self.assertEqual(busbard.ctl("points", "b").returncode, 1)

            busbard.reload({"devices": {"a": stub(), "b": stub()}})
            self.assertEqual(self.agent_alarms(busbard), set())
            self.wait_polled(busbard, "b")
            kinds = [row["event"] for row in busbard.json("events")]
            self.assertIn("config-rejected", kinds)
            self.assertLess(kinds.index("config-rejected"), len(kinds) - 1 - kinds[::-1].index("config-loaded"))

    def test_a_device_that_cannot_be_opened_does_not_keep_the_others_from_being_taken(self):
        with self.start({"a": stub()}) as busbard:
            self.wait_polled(busbard, "a")
            done = busbard.reload({"devices": {"a": stub(value=5), "b": stub(mode="broken")}})
            self.assertRegex(done.stderr, "b: broken, as it was told to be")
            self.assertIn("The configuration is loaded.", done.stdout)
            self.assertEqual(self.agent_alarms(busbard), {"plugin-failed"})
            wait_for(lambda: self.wait_polled(busbard, "a")["battery.charge"] == 5, what="the new value")
            busbard.reload({"devices": {"a": stub(value=5), "b": stub()}})
            self.wait_polled(busbard, "b")
            self.assertEqual(self.agent_alarms(busbard), set())

    def test_files_of_conf_d_are_read_too(self):
        with self.start({"a": stub()}) as busbard:
            folder = busbard.directory / "conf.d"
            more = folder / "more.yaml"
            more.write_text("devices:\n  b: { plugin: stub, interval: 100ms }\n")
            busbard.reload()
            self.wait_polled(busbard, "b")
            more.write_text("devices:\n  a: { plugin: stub }\n")
            done = busbard.reload(check=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertRegex(done.stdout + done.stderr, r"more\.yaml:2:3: .*\ba\b")
            self.wait_polled(busbard, "b")


class Stopping(DaemonTest):
    MOST = 2 * PATIENCE  # s

    def assert_stops_in_time(self, devices, device, number=signal.SIGTERM):
        """Once @device was polled a few times, @number ends the agent in time."""
        def life():
            with self.start(devices) as busbard:
                values = self.wait_polled(busbard, device)
                self.wait_polled(busbard, device, values["stub.polls"] + 3)
                busbard.signal(number)
                taken = seconds_of(busbard.wait)
                self.assertEqual(busbard.returncode, 0)
            self.assertFalse(busbard.socket.exists())
            return taken

        self.assertLess(least_seconds(life, self.MOST), self.MOST)

    def test_takes_no_two_seconds(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            self.assert_stops_in_time({f"ups-{i}": stub() for i in range(20)}, "ups-19", number)

    def test_takes_no_two_seconds_while_a_device_hangs(self):
        self.assert_stops_in_time({"fine": stub(), "hung": stub(mode="hang")}, "fine")

    def test_opens_nothing_again_when_a_reload_comes_too_late(self):
        with self.start({"fine": stub(), "hung": stub(mode="hang")}) as busbard:
            self.wait_polled(busbard, "fine")
            busbard.signal(signal.SIGTERM)
            busbard.wait_log("stopping: received SIGTERM")
            busbard.signal(signal.SIGHUP)
            self.assertEqual(busbard.wait(), 0)
            self.assertNotIn("loaded:", busbard.log())

    def test_a_reload_while_a_device_hangs_does_not_wait_for_it(self):
        with self.start({"fine": stub(), "hung": stub(mode="hang")}) as busbard:
            self.wait_polled(busbard, "fine")
            self.assertLess(seconds_of(lambda: busbard.reload({"devices": {"fine": stub(value=7)}})), 10)
            wait_for(lambda: self.wait_polled(busbard, "fine")["battery.charge"] == 7, what="the new value")
            self.assertEqual(busbard.stop(), 0)


class Trouble(DaemonTest):
    def test_without_a_state_folder_the_agent_rests_between_polls(self):
        def cpu_seconds():
            fields = pathlib.Path(f"/proc/{busbard.pid}/stat").read_text().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

        with Busbard({"devices": {"a": stub()}, "state-dir": "/nonexistent/busbar"},
                     plugin_dir=self.plugins) as busbard:
            before, begun = cpu_seconds(), self.wait_polled(busbard, "a")["stub.polls"]
            wait_for(lambda: self.wait_polled(busbard, "a")["stub.polls"] >= begun + 20, what="20 polls")
            self.assertIn("journal-trouble", self.agent_alarms(busbard))
            self.assertLess(cpu_seconds() - before, 0.4 * PATIENCE, "in about 2 seconds")


class ServiceManager(DaemonTest):
    def test_hears_ready_watchdog_reloading_and_stopping(self):
        with tempfile.TemporaryDirectory() as folder, \
                socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            path = f"{folder}/notify"
            manager.bind(path)
            manager.settimeout(30 * PATIENCE)

            def next_message():
                return manager.recv(4096).decode()

            def until(word):
                seen = []
                while not seen or word not in seen[-1].split("\n"):
                    seen.append(next_message())
                return seen

            environment = {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "2000000", "WATCHDOG_PID": ""}
            with self.start({"a": stub()}, env=environment) as busbard:
                self.assertEqual(until("READY=1"), ["READY=1"])
                until("WATCHDOG=1")
                self.assertLess(least_seconds(lambda: seconds_of(lambda: until("WATCHDOG=1")), 2), 2, "in time")
                busbard.signal(signal.SIGHUP)
                self.assertRegex(until("RELOADING=1")[-1], r"MONOTONIC_USEC=\d+")
                until("READY=1")
                busbard.signal(signal.SIGTERM)
                until("STOPPING=1")
                self.assertEqual(busbard.wait(), 0)

    def test_no_watchdog_is_fed_that_nobody_asked_for(self):
        with tempfile.TemporaryDirectory() as folder, \
                socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(f"{folder}/notify")
            manager.settimeout(30 * PATIENCE)
            environment = {"NOTIFY_SOCKET": f"{folder}/notify", "WATCHDOG_USEC": "200000", "WATCHDOG_PID": "1"}
            with self.start({"a": stub()}, env=environment) as busbard:
                self.assertEqual(manager.recv(4096), b"READY=1")
                self.wait_polled(busbard, "a", 5)
                busbard.stop()
                self.assertEqual(manager.recv(4096), b"STOPPING=1")


class Plugins(DaemonTest):
    def setUp(self):
        self.own = tempfile.TemporaryDirectory(prefix="busbar-plugins-")
        self.addCleanup(self.own.cleanup)
        os.chmod(self.own.name, 0o755)
        self.good = pathlib.Path(shutil.copy(pathlib.Path(self.plugins) / "stub.so", self.own.name))

    def assert_refused(self, file, reason):
        """The agent runs with its other plugin, and says why it refused this one."""
        with Busbard({"devices": {"a": stub()}}, plugin_dir=self.own.name) as busbard:
            self.wait_polled(busbard, "a")
            self.assertRegex(busbard.log(), rf"{re.escape(str(file))}.*{reason}")
            self.assertEqual(self.agent_alarms(busbard), {"plugin-failed"})
            rows = {row["file"]: row for row in busbard.json("plugins")}
            self.assertRegex(rows[str(file)]["error"], reason)
            self.assertFalse(rows[str(self.good)]["error"])

    def test_a_file_that_its_group_may_write_is_refused(self):
        file = pathlib.Path(shutil.copy(self.good, f"{self.own.name}/other.so"))
        file.chmod(0o775)
        self.assert_refused(file, "writable by its group")

    def test_a_file_of_another_user_is_refused(self):
        if os.geteuid() != 0:
            self.skipTest("only root can give files away")
        file = pathlib.Path(shutil.copy(self.good, f"{self.own.name}/other.so"))
        os.chown(file, 65534, 65534)
        self.assert_refused(file, "belongs to neither root nor")

    def test_another_abi_is_refused(self):
        abi = "{ 99, sizeof(struct bb_plugin), sizeof(struct bb_option), sizeof(struct bb_point_spec) }"
        self.assert_refused(build_plugin(self.own.name, "other", abi), "another plugin ABI")

    def test_other_struct_sizes_are_refused(self):
        abi = "{ BB_ABI_NUMBER, sizeof(struct bb_plugin) + 8, sizeof(struct bb_option), sizeof(struct bb_point_spec) }"
        self.assert_refused(build_plugin(self.own.name, "other", abi), "other struct sizes")

    def test_a_file_that_is_no_plugin_is_refused(self):
        file = pathlib.Path(self.own.name) / "other.so"
        file.write_text("not an object file")
        file.chmod(0o644)
        self.assert_refused(file, "too short|invalid ELF|file too")

    def test_a_second_plugin_of_the_same_name_is_refused(self):
        self.assert_refused(pathlib.Path(shutil.copy(self.good, f"{self.own.name}/zweiter.so")), "loaded already")

    def test_a_folder_that_its_group_may_write_is_refused(self):
        os.chmod(self.own.name, 0o775)
        status, log = failing_start(f"plugin-dir: {self.own.name}\ndevices:\n  a: {{ plugin: stub }}\n")
        self.assertEqual(status, 1)
        self.assertRegex(log, rf"{re.escape(self.own.name)}.*writable by its group")
        with Busbard({"devices": {}}, plugin_dir=self.own.name) as busbard:
            self.assertEqual(self.agent_alarms(busbard), {"plugin-failed"})
            self.assertRegex(busbard.json("plugins")[0]["error"], "writable by its group")


class Socket(DaemonTest):
    def test_is_open_to_user_and_group_only(self):
        with self.start({}) as busbard:
            self.assertEqual(busbard.socket.stat().st_mode & 0o777, 0o660)

    def test_a_second_agent_on_it_is_refused(self):
        with self.start({"a": stub()}) as busbard:
            old = self.wait_polled(busbard, "a")
            with Process([BUILD / "bin" / "busbard", "-c", busbard.config_file, "-s", busbard.socket]) as second:
                self.assertEqual(second.wait(), 1)
                self.assertRegex(second.log(), rf"{re.escape(str(busbard.socket))}.*in use")
            self.wait_polled(busbard, "a", old["stub.polls"])

    def test_one_that_a_dead_agent_left_is_replaced(self):
        with self.start({}) as busbard:
            with tempfile.TemporaryDirectory() as folder:
                path = f"{folder}/busbar.sock"
                argv = [BUILD / "bin" / "busbard", "-c", busbard.config_file, "-s", path]
                with Process(argv) as first:
                    first.wait_log("is running")
                    first.signal(signal.SIGKILL)
                    first.wait()
                self.assertTrue(os.path.exists(path))
                with Process(argv) as second:
                    second.wait_log("is running")
                    self.assertEqual(second.stop(), 0)

    def test_nobody_there_is_status_3(self):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([BUILD / "bin" / "busbarctl", "-s", f"{folder}/none", "status"],
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 3)
            self.assertIn(f"{folder}/none", done.stderr)


class LogLevel(DaemonTest):
    def test_is_asked_and_changed_while_running(self):
        with self.start({"a": stub()}) as busbard:
            self.assertIn("notice", busbard.ctl("log-level").stdout)
            self.assertEqual(busbard.ctl("log-level", "error").returncode, 0)
            self.assertIn("error", busbard.ctl("log-level").stdout)
            self.assertNotEqual(busbard.ctl("log-level", "loud").returncode, 0)
            self.assertIn("error", busbard.ctl("log-level").stdout)
            before = busbard.log()
            self.assertIn("notice busbar", before)
            busbard.stop()
            self.assertEqual(busbard.log(), before, "a notice was logged at level error")

    def test_comes_from_the_configuration(self):
        with Busbard({"log-level": "error", "devices": {"a": stub()}}, plugin_dir=self.plugins) as busbard:
            self.wait_polled(busbard, "a")
            self.assertEqual(busbard.log(), "")


if __name__ == "__main__":
    unittest.main()
