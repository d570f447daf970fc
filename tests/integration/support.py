# SPDX-License-Identifier: Apache-2.0
"""What integration tests are built from: starting real programs on loopback, and waiting for what they do.

Every test file begins with `from support import …` and ends with `unittest.main()`. Three rules make them dependable:

* nothing waits for a fixed time; wait_for() polls a condition and fails with a text that says what did not happen. What
  shall be seen in a certain state is put into that state by the test, and held there until it was looked at;
* ports come from free_port(), files live in a temporary folder, processes are stopped by their pid;
* a peer that is missing skips the test with a reason, which ctest and `./dev test` repeat.

ctest passes two variables: BUSBAR_BUILD is the build tree to test, BUSBAR_SOURCE the source tree. Both have defaults,
so that `/usr/bin/python3 tests/integration/test_daemon.py` works by hand. Without BUSBAR_FULL=1 long tests cut their
counts; they ask cut() for the number, and it says so.
"""
import atexit
import json
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

SOURCE = pathlib.Path(os.environ.get("BUSBAR_SOURCE") or pathlib.Path(__file__).resolve().parents[2])
BUILD = pathlib.Path(os.environ.get("BUSBAR_BUILD") or SOURCE / "build" / "release")
FULL = os.environ.get("BUSBAR_FULL", "") not in ("", "0")


def _sanitizers():
    """The sanitizers the build tree was made with, such as "thread"; "" for none."""
    try:
        cache = (BUILD / "CMakeCache.txt").read_text()
    except OSError:
        return ""
    found = re.search(r"^BUSBAR_SANITIZE:\w+=(.*)$", cache, re.MULTILINE)
    return found.group(1) if found else ""


SANITIZERS = _sanitizers()
PATIENCE = 4 if SANITIZERS else 1  # deadlines are multiplied by it: sanitized programs are several times slower
LEAST_PATIENCE = 30  # s, before PATIENCE: what works is not waited for; a loaded machine can stand still for seconds

SANITIZER_REPORT = re.compile(
    r"ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|SUMMARY: \w+Sanitizer|: runtime error: ")


def say(text):
    """A result worth repeating: `./dev test` shows these lines again at its end."""
    print(f"## {text}", flush=True)


def cut(full, small, what):
    """How many of @what to do: @full with BUSBAR_FULL=1, else @small, and then it says so."""
    if FULL or small >= full:
        return full
    say(f"cut: {small} of {full} {what} (BUSBAR_FULL=1 does all)")
    return small


def shared():
    """The folder of recordings and peers beside the source tree; skips the test when it is not there."""
    path = pathlib.Path(os.environ.get("BUSBAR_SHARED") or SOURCE / ".." / "shared").resolve()
    if not path.is_dir():
        raise unittest.SkipTest(f"no recordings: {path} is not there (BUSBAR_SHARED names another place)")
    return path


def program(name, *more_places):
    """The path of a program; skips the test when it is not installed."""
    places = os.environ.get("PATH", "/usr/bin").split(":") + ["/usr/sbin", "/sbin", "/usr/local/sbin", *more_places]
    for place in places:
        path = pathlib.Path(place) / name
        if os.access(path, os.X_OK):
            return str(path)
    raise unittest.SkipTest(f"{name} is not installed (./dev deps installs it)")


_port_claims = []
atexit.register(lambda: [claim.close() for claim in _port_claims])
_chance = random.SystemRandom()  # tests choose seeds for the other


def free_port(kind="tcp"):
    """A port of 127.0.0.1 that nobody uses, and nobody is given while its server is not yet, or not at the moment,
    there: not one of those that the kernel gives to whoever connects or asks for any port, nor one that another test
    was given. The claim on it is a name in the abstract namespace of Unix sockets, which ends with this process."""
    lowest = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = _chance.randrange(10000, max(lowest, 20000))
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            claim.bind(f"\0busbar-test-{kind}-{port}")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM) as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        _port_claims.append(claim)
        return port


def wait_for(condition, timeout=LEAST_PATIENCE, what="the condition"):
    """Poll @condition every 20 ms until it is truthy and return its value; fail with @what after @timeout seconds,
    which are LEAST_PATIENCE at least: how fast something is, is not to be tested by this."""
    seconds = max(timeout, LEAST_PATIENCE) * PATIENCE
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for {what() if callable(what) else what}")
        time.sleep(0.02)


def seconds_of(action):
    """How many seconds action() takes."""
    begun = time.monotonic()
    action()
    return time.monotonic() - begun


def least_seconds(attempt, most, tries=3):
    """The least of what up to @tries calls of attempt() return; there is another one only while that is above @most.
    For promises about time: a machine that stands still for a moment breaks them once, a fault breaks them each
    time."""
    least = float("inf")
    for _ in range(tries):
        least = min(least, attempt())
        if least <= most:
            break
    return least


_running = []


@atexit.register
def _stop_all():
    for process in list(_running):
        process.stop()


# ctest ends a test that takes too long with SIGTERM: leave through atexit, so that nothing stays behind.
signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))


class Process:
    """A program that runs beside the test. Its output goes to a file without a name, which log() reads."""

    def __init__(self, argv, env=None, cwd=None, name=None):
        self.argv = [str(word) for word in argv]
        self.name = name or pathlib.Path(self.argv[0]).name
        self._output = tempfile.TemporaryFile()
        environment = dict(os.environ)
        environment.update(env or {})
        self._child = subprocess.Popen(self.argv, env=environment, cwd=cwd, stdin=subprocess.DEVNULL,
                                       stdout=self._output, stderr=subprocess.STDOUT)
        self.pid = self._child.pid
        _running.append(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        self._output.close()

    @property
    def returncode(self):
        """Exit status (negative: the signal), None while it runs."""
        return self._child.poll()

    def log(self):
        """All it has written so far."""
        size = os.fstat(self._output.fileno()).st_size
        return os.pread(self._output.fileno(), size, 0).decode("utf-8", "replace")

    def signal(self, number):
        self._child.send_signal(number)

    def wait(self, timeout=10):
        """Wait until it has ended by itself; returns the exit status."""
        wait_for(lambda: self.returncode is not None, timeout, lambda: f"{self.name} to end; it said:\n{self.log()}")
        return self.returncode

    def wait_log(self, pattern, timeout=10):
        """Wait until a line matches @pattern; returns the match. Fails at once when the program ends without it."""
        def look():
            found = re.search(pattern, self.log(), re.MULTILINE)
            if not found and self.returncode is not None:
                found = re.search(pattern, self.log(), re.MULTILINE)
                if not found:
                    raise AssertionError(f"{self.name} ended with {self.returncode} before it said "
                                         f"'{pattern}'; it said:\n{self.log()}")
            return found
        return wait_for(look, timeout, lambda: f"{self.name} to say '{pattern}'; it said:\n{self.log()}")

    def stop(self, timeout=LEAST_PATIENCE):
        """SIGTERM, and SIGKILL when that does not help. Returns the exit status. May be called again."""
        if self._child.poll() is None:
            self._child.terminate()
            try:
                self._child.wait(timeout * PATIENCE)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        if self in _running:
            _running.remove(self)
        return self._child.returncode


class Busbard(Process):
    """A busbard of its own: temporary folder, configuration, socket. As a context manager it also checks, at the end,
    that the daemon left with status 0 and no sanitizer complained.

    @config is YAML text, or a dict (which is written as JSON, a part of YAML). Without a state-dir of its own the
    journal is kept in the temporary folder. @args are further arguments, @env further environment variables.
    """

    def __init__(self, config, plugin_dir=None, args=(), env=None, wait=True):
        self.folder = tempfile.TemporaryDirectory(prefix="busbar-")
        self.directory = pathlib.Path(self.folder.name)
        self.config_file = self.directory / "busbar.yaml"
        self.socket = self.directory / "busbar.sock"
        self.plugin_dir = plugin_dir
        self.state_dir = self.directory / "state"
        self.state_dir.mkdir()
        self.write_config(config)
        super().__init__([BUILD / "bin" / "busbard", "-c", self.config_file, "-s", self.socket, *args], env=env,
                         name="busbard")
        if wait:
            try:
                self.wait_ready()
            except BaseException:
                self.stop()
                raise

    def write_config(self, config):
        """Write the configuration, without telling the daemon."""
        if isinstance(config, dict):
            config = dict(config)
            if self.plugin_dir:
                config.setdefault("plugin-dir", str(self.plugin_dir))
            config = json.dumps(config, indent=1)
        elif self.plugin_dir and not re.search(r"^plugin-dir:", config, re.MULTILINE):
            config = f"plugin-dir: {self.plugin_dir}\n{config}"
        # In a file of its own: lines keep their numbers, and what shall not be YAML stays what it is.
        state = self.directory / "conf.d" / "state.yaml"
        if re.search(r"^[ {\"]*state-dir\b", config, re.MULTILINE):
            state.unlink(missing_ok=True)
        else:
            state.parent.mkdir(exist_ok=True)
            state.write_text(f"state-dir: {self.state_dir}\n")
        with open(os.open(self.config_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(config)

    def answers(self):
        """Does somebody accept connections on the socket?"""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            try:
                client.connect(str(self.socket))
            except OSError:
                return False
        return True

    def wait_ready(self, timeout=10):
        def look():
            if self.returncode is not None:
                raise AssertionError(f"busbard ended with {self.returncode}; it said:\n{self.log()}")
            return self.answers()
        wait_for(look, timeout, lambda: f"busbard's socket; it said:\n{self.log()}")

    def ctl(self, *args, timeout=LEAST_PATIENCE):
        """Run busbarctl with @args; returns the CompletedProcess with text in stdout and stderr."""
        argv = [str(BUILD / "bin" / "busbarctl"), "-s", str(self.socket), *map(str, args)]
        return subprocess.run(argv, capture_output=True, text=True, timeout=timeout * PATIENCE, check=False,
                              stdin=subprocess.DEVNULL)

    def json(self, *args):
        """What `busbarctl … --json` prints, parsed. Exit status 1 (an alarm is active) is an answer, too."""
        done = self.ctl(*args, "--json")
        if done.returncode not in (0, 1):
            raise AssertionError(f"busbarctl {' '.join(map(str, args))} ended with {done.returncode}: {done.stderr}")
        try:
            return json.loads(done.stdout)
        except ValueError as error:
            raise AssertionError(f"busbarctl {' '.join(map(str, args))} --json: {error}: {done.stdout!r} "
                                 f"{done.stderr!r}") from error

    def points(self, device):
        """The points of a device by name: {"battery.charge": {"value": 97.0, "unit": "%", …}}."""
        return {row["point"]: row for row in self.json("points", device)}

    def reload(self, config=None, check=True):
        """Write @config and have it applied; with @check a refusal fails the test."""
        if config is not None:
            self.write_config(config)
        done = self.ctl("reload")
        if check and done.returncode != 0:
            raise AssertionError(f"reload ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def __exit__(self, kind, *_):
        status = self.stop()
        log = self.log()
        self._output.close()
        self.folder.cleanup()
        if kind is not None:
            print(f"---- log of busbard\n{log}----", file=sys.stderr, flush=True)
            return
        if SANITIZER_REPORT.search(log):
            raise AssertionError(f"a sanitizer complained:\n{log}")
        if status != 0:
            raise AssertionError(f"busbard left with {status}; it said:\n{log}")
