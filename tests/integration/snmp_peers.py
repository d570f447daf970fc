# SPDX-License-Identifier: Apache-2.0
"""The manager's end of SNMP for tests: snmp_client, which drives libbusbar-snmp. Agents: snmpd.py, snmp_agent.py."""
import collections
import os
import pathlib
import queue
import re
import subprocess
import tempfile
import threading
import time

from support import BUILD, LEAST_PATIENCE, PATIENCE, SANITIZER_REPORT, Process, free_port, program

UPTIME = "1.3.6.1.2.1.1.3.0"
LOCATION = "1.3.6.1.2.1.1.6.0"
SYSTEM = "1.3.6.1.2.1.1"

Answer = collections.namedtuple("Answer", "result ms index values")


class Client:
    """snmp_client: the library's answers, line by line."""

    def __init__(self, env=None):
        environment = dict(os.environ)
        environment.update(env or {})
        self._errors = tempfile.TemporaryFile()
        self._child = subprocess.Popen([BUILD / "tests" / "snmp_client"], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, stderr=self._errors, text=True, env=environment)
        self.pid = self._child.pid
        self._lines = {}  # name: queue of what was said about it, see _lines_of()
        self._lock = threading.Lock()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._child.stdout:
            name, rest = line.rstrip("\n").split(" ", 1)
            self._lines_of(name).put(rest)

    def _lines_of(self, name):
        """Whoever comes first, reader or hearer, makes the queue, and the other must find the same."""
        with self._lock:
            return self._lines.setdefault(name, queue.Queue())

    def say(self, line):
        self._child.stdin.write(line + "\n")
        self._child.stdin.flush()

    def hear(self, name, timeout=LEAST_PATIENCE):
        """The next line about agent @name."""
        try:
            return self._lines_of(name).get(timeout=timeout * PATIENCE)
        except queue.Empty:
            raise AssertionError(f"no line about {name}; the client said:\n{self.log()}") from None

    def quiet(self, name):
        return self._lines_of(name).empty()

    def open(self, name, **options):
        """Open agent @name; returns "0" or the error."""
        self.say(f"open {name} " + " ".join(f"{key}={value}" for key, value in options.items()))
        return self.hear(name).split()[1]

    def ask(self, name, *oids, how="get"):
        """Send a request without waiting for its answer."""
        self.say(f"{how} {name} " + " ".join(oids))

    def answer(self, name, timeout=LEAST_PATIENCE):
        """The next answer of @name."""
        words = self.hear(name, timeout).split()
        if words[0] == "refused":
            return Answer(words[1], 0, 0, {})
        return Answer(words[0], int(words[1]), int(words[2]), dict(word.split("=", 1) for word in words[3:]))

    def get(self, name, *oids, how="get", timeout=LEAST_PATIENCE):
        self.ask(name, *oids, how=how)
        return self.answer(name, timeout)

    def state(self, name):
        """(engine boots, dropped messages)"""
        self.say(f"state {name}")
        words = self.hear(name).split()
        return int(words[1]), int(words[2])

    def close(self, name):
        self.say(f"close {name}")
        while self.hear(name) != "closed":
            continue

    def log(self):
        size = os.fstat(self._errors.fileno()).st_size
        return os.pread(self._errors.fileno(), size, 0).decode("utf-8", "replace")

    def wait_log(self, pattern, timeout=LEAST_PATIENCE):
        deadline = time.monotonic() + timeout * PATIENCE
        while not re.search(pattern, self.log()):
            if time.monotonic() > deadline:
                raise AssertionError(f"the client did not say '{pattern}' but:\n{self.log()}")
            time.sleep(0.02)

    def cpu(self):
        """Seconds of processor it has used."""
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident(self):
        """Kilobytes of memory it holds."""
        return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{self.pid}/status").read_text()).group(1))

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self._child.stdin.close()
        if self._child.poll() is None:
            try:
                self._child.wait(10 * PATIENCE)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        log = self.log()
        self._errors.close()
        self._reader.join()
        self._child.stdout.close()
        if kind is not None:
            print(f"---- the client said\n{log}----", flush=True)
        elif SANITIZER_REPORT.search(log) or self._child.returncode != 0:
            raise AssertionError(f"the client left with {self._child.returncode} and said:\n{log}")
