# SPDX-License-Identifier: Apache-2.0
"""Receivers of syslog for tests: rsyslog with a configuration of its own, certificates to show to its clients, and a
TCP peer that cuts, stalls and dawdles.

rsyslogd is the judge of our messages: it parses header and structured data and writes a JSON object a line.
"""
import datetime
import json
import pathlib
import re
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import unittest

from support import Process, free_port, program, wait_for

# ---- certificates ----------------------------------------------------------------------------------------------------

# What is wrong with each; "good" has nothing.
CERTIFICATES = ("good", "expired", "not-yet", "wrong-name", "wrong-ca", "self-signed")

_OPENSSL = """
[ca]
default_ca = here
[here]
database = index.txt
new_certs_dir = .
serial = serial
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
"""

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")


class Certificates:
    """A folder with an authority (ca.pem) and NAME.pem, NAME.key for each of CERTIFICATES."""

    def __init__(self, name="localhost"):
        self.openssl = program("openssl")
        self.folder = tempfile.TemporaryDirectory(prefix="busbar-certificates-")
        self.path = pathlib.Path(self.folder.name)
        (self.path / "openssl.cnf").write_text(_OPENSSL)
        (self.path / "index.txt").write_text("")
        self._authority("ca")
        self._authority("other-ca")
        for kind in CERTIFICATES:
            if kind == "self-signed":
                self._request(kind, name, ["-x509", "-days", "30"], "pem")
                continue
            self._request(kind, "another.example" if kind == "wrong-name" else name, [], "csr")
            begin, end = {"expired": (-30, -1), "not-yet": (1, 30)}.get(kind, (-1, 30))
            authority = "other-ca" if kind == "wrong-ca" else "ca"
            self._run("ca", "-batch", "-notext", "-config", "openssl.cnf", "-rand_serial", "-in", f"{kind}.csr",
                      "-out", f"{kind}.pem", "-cert", f"{authority}.pem", "-keyfile", f"{authority}.key",
                      "-startdate", self._date(begin), "-enddate", self._date(end))

    @staticmethod
    def _date(days):
        moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
        return moment.strftime("%Y%m%d%H%M%SZ")

    def _run(self, *args):
        subprocess.run([self.openssl, *args], cwd=self.path, check=True, capture_output=True)

    def _request(self, kind, name, args, suffix):
        self._run("req", "-config", "openssl.cnf", *_KEY, "-nodes", "-keyout", f"{kind}.key",
                  "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1"
                  if name == "localhost" else f"subjectAltName=DNS:{name}", *args, "-out", f"{kind}.{suffix}")
        (self.path / f"{kind}.key").chmod(0o600)

    def _authority(self, kind):
        self._run("req", "-x509", "-config", "openssl.cnf", "-extensions", "authority", *_KEY, "-nodes",
                  "-keyout", f"{kind}.key", "-subj", f"/CN=busbar test {kind}", "-days", "30", "-out", f"{kind}.pem")

    def __truediv__(self, file):
        return str(self.path / file)

    def cleanup(self):
        self.folder.cleanup()


# ---- rsyslog ---------------------------------------------------------------------------------------------------------

_RSYSLOG = """
global(workDirectory="{path}" maxMessageSize="8k"{tls_files})
module(load="imudp")
module(load="imtcp"{tls_driver})
module(load="mmpstrucdata")
template(name="line" type="list") {{ property(name="$!all-json") constant(value="\\n") }}
template(name="time" type="string" string="%timereported:::date-rfc3339%")
template(name="raw" type="string" string="%rawmsg%\\n")
ruleset(name="all") {{
    action(type="mmpstrucdata")
    set $!pri = $pri;
    set $!time = exec_template("time");
    set $!host = $hostname;
    set $!app = $app-name;
    set $!proc = $procid;
    set $!id = $msgid;
    set $!msg = $msg;
    set $!version = $protocol-version;
    set $!input = $inputname;
    action(type="omfile" file="{path}/lines" template="line")
    action(type="omfile" file="{path}/raw" template="raw")
}}
{inputs}
"""


class Rsyslog:
    """rsyslogd on free ports of 127.0.0.1: udp, and tcp; with @certificate (of a Certificates) that is TLS."""

    def __init__(self, certificates=None, certificate="good", wait=True):
        self.program = program("rsyslogd")
        self.folder = tempfile.TemporaryDirectory(prefix="busbar-rsyslog-")
        self.path = pathlib.Path(self.folder.name)
        self.udp_port, self.tcp_port = free_port("udp"), free_port()
        driver = files = ""
        if certificates:
            if not list(pathlib.Path("/usr/lib").rglob("lmnsd_gtls.so")):
                raise unittest.SkipTest("rsyslog-gnutls is not installed (./dev deps installs it)")
            driver = ' streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon"'
            files = (f' defaultNetstreamDriverCAFile="{certificates / "ca.pem"}"'
                     f' defaultNetstreamDriverCertFile="{certificates / (certificate + ".pem")}"'
                     f' defaultNetstreamDriverKeyFile="{certificates / (certificate + ".key")}"')
        inputs = (f'input(type="imudp" address="127.0.0.1" port="{self.udp_port}" ruleset="all" name="udp")\n'
                  f'input(type="imtcp" address="127.0.0.1" port="{self.tcp_port}" ruleset="all" name="tcp")\n')
        (self.path / "rsyslog.conf").write_text(
            _RSYSLOG.format(path=self.path, tls_files=files, tls_driver=driver, inputs=inputs))
        self.process = None
        self.start(wait)

    def start(self, wait=True):
        self.process = Process([self.program, "-n", "-f", self.path / "rsyslog.conf", "-i", self.path / "pid"],
                               name="rsyslogd")
        if wait:
            self.wait_ready()

    def wait_ready(self):
        wait_for(self._listens, 10, lambda: f"rsyslogd to listen; it said:\n{self.process.log()}")

    def _listens(self):
        if self.process.returncode is not None:
            raise AssertionError(f"rsyslogd ended; it said:\n{self.process.log()}")
        listening = pathlib.Path("/proc/net/tcp").read_text().splitlines()
        return any(f"0100007F:{self.tcp_port:04X}" in line.split()[1] and line.split()[3] == "0A"
                   for line in listening[1:])

    def stop(self):
        self.process.__exit__()

    def kill(self):
        if self.process.returncode is None:
            self.process.signal(signal.SIGKILL)
            self.process.wait()
        self.process.__exit__()

    def lines(self):
        """What was received: the fields of each message, and its structured data as rsyslog parsed it, whose names it
        turns to lower case: all of it as "sd", our own element as "busbar"."""
        try:
            text = (self.path / "lines").read_text()
        except FileNotFoundError:
            return []
        found = []
        for line in text.splitlines(keepends=True):
            if line.endswith("\n"):
                row = json.loads(line)
                row["sd"] = row.get("rfc5424-sd", {})
                row["busbar"] = next((row["sd"][name] for name in row["sd"] if name.startswith("busbar@")), {})
                found.append(row)
        return found

    def raw(self):
        return (self.path / "raw").read_text().splitlines()

    def numbers(self):
        """Event numbers in the order they came."""
        return [int(row["busbar"]["event"]) for row in self.lines()]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()  # with TLS it takes its time over a clean end
        self.folder.cleanup()


# ---- a peer with manners of its own ----------------------------------------------------------------------------------

FRAME = re.compile(rb"(\d+) ")
EVENT = re.compile(rb'\[busbar@\d+ event="(\d+)"')


def frames(stream):
    """The whole messages at the beginning of an octet-counted stream."""
    found, at = [], 0
    while True:
        head = FRAME.match(stream, at)
        if not head or head.end() + int(head[1]) > len(stream):
            return found
        found.append(stream[head.end():head.end() + int(head[1])])
        at = head.end() + int(head[1])


def number(message):
    return int(EVENT.search(message)[1])


class Peer:
    """Listens on a free port. @treat(peer, connection, index) is called on a thread for each connection, one after the
    other; it returns the bytes it has read, which gather in .streams."""

    def __init__(self, treat, backlog=8, receive_buffer=None):
        self.listener = socket.socket()
        if receive_buffer:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(backlog)
        self.port = self.listener.getsockname()[1]
        self.streams = []
        self.treat = treat
        self.connection = None
        self.go = threading.Event()  # for @treat to wait for
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while not self.ending.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.streams.append(bytearray())
            self.connection = connection
            with connection:
                try:
                    self.treat(self, connection, len(self.streams) - 1)
                except OSError:
                    pass

    def take(self, connection, most):
        """Read up to @most bytes, into the stream. False at the end."""
        part = connection.recv(most)
        self.streams[-1] += part
        return bool(part)

    def take_all(self, connection):
        while self.take(connection, 65536):
            pass

    def drop(self):
        """End the connection of the moment from our side."""
        self.connection.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def reset(connection):
        """Closing will break the connection rather than end it."""
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def numbers(self):
        """Event numbers of whole messages, a list for each connection."""
        return [[number(message) for message in frames(bytes(stream))] for stream in list(self.streams)]

    def seen(self):
        return {one for numbers in self.numbers() for one in numbers}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.go.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
