# SPDX-License-Identifier: Apache-2.0
"""peers - what benchmarks of polling share: many devices in one process, and waiting until busbard has met them."""
import signal
import subprocess
import time

from figures import pinned


class Peers:
    """The devices of a program of tests/bench, one process with a port for each. It prints the ports, then "ready"; it
    begins to measure on SIGUSR1 and prints what it measured when it is ended."""

    def __init__(self, argv):
        self._child = subprocess.Popen(pinned(0, argv), stdout=subprocess.PIPE, text=True)
        self.ports = []
        for line in self._child.stdout:
            if line == "ready\n":
                break
            self.ports.append(int(line))

    def begin(self):
        """Begin to measure."""
        self._child.send_signal(signal.SIGUSR1)

    def end(self):
        """End it: the words of what was measured."""
        self._child.terminate()
        return self._child.communicate()[0].split()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._child.poll() is None:
            self._child.kill()
            self._child.wait()
        self._child.stdout.close()


def wait_for_polls(busbard, count):
    """Until @count devices are up."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        rows = busbard.json("status")["devices"]
        if sum(1 for row in rows if row.get("state") == "up") >= count:
            return
        time.sleep(0.2)
    raise RuntimeError(f"not all of {count} devices came up: {busbard.log()[-2000:]}")
