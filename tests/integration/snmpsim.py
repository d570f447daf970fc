# SPDX-License-Identifier: Apache-2.0
"""A simulator of SNMP agents (Debian's snmpsim) that serves recordings: the community is the file's name.

Recordings come from many hands, so they are put in order first: snmpsim wants one spelling of names and all of them
sorted. What the devices said is not touched.
"""
import os
import pathlib
import shutil
import tempfile

from support import Process, free_port, program


def records(path):
    """The objects of a recording: [(name as a tuple, tag, value)], sorted, each name once."""
    found = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        parts = line.split("|", 2)
        if len(parts) != 3:
            continue
        name, tag, value = parts
        if tag == "6":
            value = value.lstrip(".")
        try:
            found.setdefault(tuple(int(arc) for arc in name.strip().strip(".").split(".")), (tag, value))
        except ValueError:
            continue
    return [(name, *found[name]) for name in sorted(found)]


class Snmpsim(Process):
    """snmpsim on a port of 127.0.0.1. @recordings: {community: path}; @args: further arguments."""

    def __init__(self, recordings, args=()):
        self.folder = tempfile.TemporaryDirectory(prefix="snmpsim-")
        base = pathlib.Path(self.folder.name)
        data, cache = base / "data", base / "cache"
        for folder in (data, cache):
            folder.mkdir()
        for community, path in recordings.items():
            lines = [f"{'.'.join(map(str, name))}|{tag}|{value}\n" for name, tag, value in records(path)]
            (data / f"{community}.snmprec").write_text("".join(lines), encoding="utf-8")
        argv = [program("snmpsimd"), f"--data-dir={data}", f"--cache-dir={cache}", "--logging-method=stderr"]
        if os.geteuid() == 0:  # it refuses to run as root
            argv += ["--process-user=nobody", "--process-group=nogroup"]
            base.chmod(0o755)
            shutil.chown(cache, "nobody", "nogroup")
        self.port = free_port("udp")
        # The endpoint comes last: it belongs to the users and engine that were named before it.
        super().__init__([*argv, *args, f"--agent-udpv4-endpoint=127.0.0.1:{self.port}"], name="snmpsimd")
        try:
            self.wait_log("Listening at UDP/IPv4 endpoint", 30)
        except BaseException:
            self.stop()
            raise

    def address(self):
        return f"snmp://127.0.0.1:{self.port}"

    def __exit__(self, *_):
        super().__exit__(*_)
        self.folder.cleanup()
