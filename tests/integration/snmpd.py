# SPDX-License-Identifier: Apache-2.0
"""Net-SNMP for tests: Snmpd, an agent and AgentX master with a configuration of its own, its tools to ask it, and
Snmptrapd, which receives what it sends.

    with Snmptrapd() as receiver, \\
            Snmpd([receiver.sink()], contexts=["ups-b"]) as snmpd:
        # busbard: exporters: agentx: master: snmpd.agentx
        snmpd.get("1.3.6.1.2.1.1.3.0").value                  # → 4711
        snmpd.walk("1.3.6.1.2.1.33", context="ups-b")         # → [Varbind(oid, type, value), …] by GETNEXT
        snmpd.bulkwalk("1.3.6.1.2.1.33", v3=True, context="ups-b")
        snmpd.set(("1.3.6.1.2.1.33.1.1.5.0", "s", "rack 7"))  # raises SnmpError; .reason is "notWritable"
        snmpd.stop(), snmpd.start()                           # the same ports; kill(), pause() and resume(), too
        receiver.wait(lambda: receiver.of("1.3.6.1.2.1.33.2.3"), what="upsTrapAlarmEntryAdded")

A request in a context that nobody serves gets no answer at all from snmpd: .reason is "timeout", pass timeout=1.
Names are texts without a leading dot. No MIB files are read, so that numbers stay numbers; run() with mibs=… does.
Everything is on 127.0.0.1 and on ports that the kernel chose, files are in temporary folders.
"""
import collections
import os
import pathlib
import re
import signal
import subprocess
import tempfile

from support import PATIENCE, Process, free_port, program, wait_for

V3_USER, V3_SIGNATURE, V3_SECRECY = "manager", "signature-words", "secrecy-words"
V3_ARGUMENTS = ["-v3", "-u", V3_USER, "-l", "authPriv", "-a", "SHA", "-A", V3_SIGNATURE, "-x", "AES", "-X", V3_SECRECY]
V3_CREATE = f'{V3_USER} SHA "{V3_SIGNATURE}" AES "{V3_SECRECY}"'

TRAP_OID = "1.3.6.1.6.3.1.1.4.1.0"
UPTIME = "1.3.6.1.2.1.1.3.0"

EXCEPTIONS = {
    "No Such Object": "noSuchObject",
    "No Such Instance": "noSuchInstance",
    "No more variables left": "endOfMibView",
}
NUMBERS = ("INTEGER", "Gauge32", "Counter32", "Counter64")


class Varbind(collections.namedtuple("Varbind", "oid type value")):
    """An object: its name, its type as Net-SNMP calls it (INTEGER, STRING, Gauge32, OID, Timeticks, noSuchInstance …)
    and its value: int, bytes of a STRING, text without a leading dot of an OID, None of an exception."""

    __slots__ = ()

    @property
    def text(self):
        return self.value.decode("utf-8")


class SnmpError(Exception):
    """An answer with an error: its @reason as RFC 3416 calls it ("commitFailed"), and the @oid it is about or None.
    Reasons of ours: "timeout", "notIncreasing" (a walk that came back in the order)."""

    def __init__(self, reason, oid, text):
        super().__init__(f"{reason} {oid or ''}: {text}")
        self.reason, self.oid = reason, oid


def parse(text):
    """The Varbinds of a tool's output with -On -Ox: a line each, and long strings in lines of 16 bytes."""
    found = []
    for entry in re.split(r"^(?=\.1)", text, flags=re.MULTILINE):
        if entry.strip():
            name, value = entry.split(" =", 1)
            found.append(Varbind(name.lstrip("."), *_value(value.strip())))
    return found


def _value(text):
    for beginning, exception in EXCEPTIONS.items():
        if text.startswith(beginning):
            return exception, None
    if text == '""':
        return "STRING", b""
    kind, _, rest = text.partition(": ")
    if kind == "Hex-STRING":
        return "STRING", bytes.fromhex(rest)
    if kind in NUMBERS:
        return kind, int(rest)
    if kind == "Timeticks":
        return kind, int(rest[1:rest.index(")")])
    if kind == "OID":
        return kind, rest.lstrip(".")
    return kind, rest


class Snmpd:
    """A real snmpd on a free port, or at @address.

    @lines are appended to its configuration. @agentx says where subagents find it: "unix" or "tcp"; the attribute
    agentx is that place as Net-SNMP writes it ("unix:/…/master", "tcp:127.0.0.1:4711").
    Who may ask: community public reads the default context and private writes it; for each of @contexts a community of
    its name reads it, and private-NAME writes it; the v3 user of V3_ARGUMENTS may do everything in any context.
    Its persistent folder stays when it is started again, unless that is wiped.
    """

    def __init__(self, lines=(), engine=None, address=None, agentx="unix", contexts=()):
        self.folder = tempfile.TemporaryDirectory(prefix="busbar-snmpd-")
        self.path = pathlib.Path(self.folder.name)
        self.lines = list(lines)
        self.contexts = list(contexts)
        self.engine = engine
        self.fixed_address = address
        self.agentx_kind = agentx
        self.process = None
        for attempt in range(5):  # somebody else may take a port between its choice and its use
            self._choose_ports()
            try:
                self.start()
                return
            except AssertionError:
                if attempt == 4 or "Address already in use" not in self.process.log():
                    self.__exit__()
                    raise

    def _choose_ports(self):
        self.port = free_port("udp")
        self.address = self.fixed_address or f"udp:127.0.0.1:{self.port}"
        self.agentx = f"tcp:127.0.0.1:{free_port()}" if self.agentx_kind == "tcp" else f"unix:{self.path}/master"

    def configuration(self):
        """The lines of snmpd.conf."""
        lines = ["rocommunity public", "rwcommunity private", "sysLocation here", "view all included .1",
                 "master agentx", f"agentXSocket {self.agentx}", "agentXPerms 0777 0755",
                 f"createUser {V3_CREATE}", f"group busbar-v3 usm {V3_USER}",
                 'access busbar-v3 "" usm priv prefix all all none']
        for number, context in enumerate(self.contexts):
            for right in ("read", "write"):
                community = context if right == "read" else f"private-{context}"
                lines += [f"com2sec -Cn {context} {right}-{number} default {community}",
                          f"group busbar-{right} v2c {right}-{number}"]
        if self.contexts:
            lines += ['access busbar-read "" any noauth prefix all none none',
                      'access busbar-write "" any noauth prefix all all none']
        if self.engine:
            lines.append(f"exactEngineID {self.engine}")
        return lines + self.lines

    # ---- its life

    @property
    def pid(self):
        return self.process.pid

    def start(self):
        (self.path / "snmpd.conf").write_text("\n".join(self.configuration()) + "\n")
        persistent = self.path / "persistent"
        persistent.mkdir(exist_ok=True)
        (self.path / "tools" / "cert_indexes").mkdir(parents=True, exist_ok=True)  # or each tool tells of making it
        self.process = Process([program("snmpd"), "-f", "-Lo", "-r", "-I", "-smux", self.address], cwd=self.path,
                               env={"SNMPCONFPATH": f"{self.path}:{persistent}", "SNMP_PERSISTENT_DIR": str(persistent),
                                    "MIBS": ""})
        self.process.wait_log(r"^NET-SNMP version")

    def stop(self):
        """SIGTERM, and wait for its end."""
        self.resume()
        self.process.__exit__()

    def kill(self):
        """SIGKILL: no farewell to anybody."""
        self.process.signal(signal.SIGKILL)
        self.process.wait()
        self.process.__exit__()

    def pause(self):
        """SIGSTOP: it hangs until resume()."""
        self.process.signal(signal.SIGSTOP)

    def resume(self):
        self.process.signal(signal.SIGCONT)

    def restart(self, wipe=False, engine=None):
        """Stop and start on the same port; @wipe forgets its engine id and boots."""
        self.stop()
        if wipe:
            for file in sorted((self.path / "persistent").rglob("*"), reverse=True):
                file.rmdir() if file.is_dir() else file.unlink()
        self.engine = engine or self.engine
        self.start()

    def log(self):
        """All it has written since it was last started."""
        return self.process.log()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        self.folder.cleanup()

    # ---- to ask it; @context: None or "" is the default one; @timeout in seconds, nothing is asked twice

    def run(self, tool, *words, context=None, write=False, v3=False, timeout=10, community=None, mibs=None, output=""):
        """The CompletedProcess of snmpget or another tool. @mibs: (folders, modules) of MIB files to read, such as
        ("/a:/b", "ALL"); @output: options of -O, such as "n"."""
        if v3:
            who = [*V3_ARGUMENTS, "-n", context or ""]
        else:
            who = ["-v2c", "-c", community or (f"private-{context}" if context else "private") if write else
                   community or context or "public"]
        environment = {**os.environ, "MIBS": "", "SNMPCONFPATH": str(self.path / "tools"),
                       "SNMP_PERSISTENT_DIR": str(self.path / "tools")}
        if mibs:
            environment["MIBDIRS"], environment["MIBS"] = mibs
        options = [f"-O{output}"] if output else []
        return subprocess.run([program(tool), *who, "-t", str(timeout * PATIENCE), "-r", "0", *options,
                               *(word for word in map(str, words) if word.startswith("-C")), self.address,
                               *(word for word in map(str, words) if not word.startswith("-C"))],
                              capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
                              env=environment)

    def ask(self, tool, *words, **who):
        """The Varbinds that a tool prints, or SnmpError."""
        done = self.run(tool, *words, output="nx", **who)
        said = done.stderr.strip()
        if done.returncode == 0 and "Error in packet" not in said:
            return parse(done.stdout)
        reason = re.search(r"Reason: \(?(\w+)", said + done.stdout)
        about = re.search(r"Failed object: \.?([\d.]+)", said + done.stdout)
        if not reason:
            reason = re.search("(?i)timeout", said)
            name = "timeout" if reason else "notIncreasing" if "not increasing" in said + done.stdout else "failed"
        else:
            name = reason.group(1)
        raise SnmpError(name, about and about.group(1), f"{tool} ended with {done.returncode}: {said}")

    def get(self, *names, **who):
        """The Varbind of one name; of several a list."""
        found = self.ask("snmpget", *names, **who)
        return found[0] if len(names) == 1 else found

    def getnext(self, *names, **who):
        found = self.ask("snmpgetnext", *names, **who)
        return found[0] if len(names) == 1 else found

    def getbulk(self, *names, non_repeaters=0, repetitions=10, **who):
        """The answer to one GETBULK: a list."""
        return self.ask("snmpbulkget", f"-Cn{non_repeaters}", f"-Cr{repetitions}", *names, **who)

    def walk(self, name, **who):
        """All Varbinds below @name, asked for with GETNEXT; empty when there are none."""
        return self._without_exceptions(self.ask("snmpwalk", "-CI", name, **who))

    def bulkwalk(self, name, repetitions=10, **who):
        """The same with GETBULK."""
        return self._without_exceptions(self.ask("snmpbulkwalk", f"-Cr{repetitions}", name, **who))

    def serves(self, name, context=None):
        """Is there something at @name or below it? Nothing is where a context is not (yet): snmpd is silent then."""
        try:
            found = self.get(name, context=context, timeout=1)
            if found.value is None:
                found = self.getnext(name, context=context, timeout=1)
        except SnmpError as error:
            if error.reason == "timeout":
                return False
            raise
        return found.value is not None and (found.oid + ".").startswith(name + ".")

    @staticmethod
    def _without_exceptions(found):
        return [varbind for varbind in found if varbind.value is not None]

    def table(self, entry, **who):
        """The rows of the table whose Entry is @entry: {index as a text: {column number: value}}, in order."""
        rows = {}
        for varbind in self.walk(entry, **who):
            column, index = varbind.oid[len(entry) + 1:].split(".", 1)
            rows.setdefault(index, {})[int(column)] = varbind.value
        return rows

    def set(self, *values, **who):
        """Set (name, type, value) … in one PDU; types are snmpset's: i, u, t, s, x (hex), o, a. The Varbinds that the
        answer holds."""
        return self.ask("snmpset", *(word for value in values for word in value), write=True, **who)


class Notification:
    """What Snmptrapd received: @oid (snmpTrapOID), @uptime, @inform, @community or None, @context or None (v3), and
    @varbinds behind the first two, in their order. n["1.3.6…"] is the value of one, also without its index."""

    def __init__(self, header, varbinds):
        self.inform = header.startswith("INFORM")
        community = re.search(r"community (\S+)", header)
        context = re.search(r"context (\S+)", header)
        self.community = community and community.group(1)
        self.context = context and context.group(1)
        self.header = header
        known = {varbind.oid: varbind.value for varbind in varbinds}
        self.oid, self.uptime = known.get(TRAP_OID), known.get(UPTIME)
        self.varbinds = [varbind for varbind in varbinds if varbind.oid not in (TRAP_OID, UPTIME)]

    def find(self, name):
        """The Varbind of that name, or of an instance of it, or None."""
        for varbind in self.varbinds:
            if varbind.oid == name or varbind.oid.startswith(name + "."):
                return varbind
        return None

    def __contains__(self, name):
        return self.find(name) is not None

    def __getitem__(self, name):
        found = self.find(name)
        if found is None:
            raise KeyError(f"{name} is not in {self}")
        return found.value

    def __repr__(self):
        return f"Notification({self.oid}, {self.varbinds})"


class Snmptrapd:
    """A receiver. It takes v2c with any community, and v3 informs of the user of V3_ARGUMENTS; v3 traps of him from the
    engine @engine, which the sending Snmpd must have been given, too."""

    FORMAT = r"BEGIN %P\n%V\n%v\nEND\n"

    def __init__(self, engine=None):
        self.folder = tempfile.TemporaryDirectory(prefix="busbar-snmptrapd-")
        self.path = pathlib.Path(self.folder.name)
        self.engine = engine
        self.process = None
        self._read, self._rest, self._received = 0, "", []
        for attempt in range(5):
            self.port = free_port("udp")
            try:
                self.start()
                return
            except AssertionError:
                if attempt == 4 or "Address already in use" not in self._text():
                    self.__exit__()
                    raise

    def sink(self, inform=False, v3=False, community="public"):
        """The line of snmpd.conf that sends notifications here."""
        where = f"127.0.0.1:{self.port}"
        if v3:
            return f"trapsess {'-Ci ' if inform else ''}{' '.join(V3_ARGUMENTS)} {where}"
        return f"{'informsink' if inform else 'trap2sink'} {where} {community}"

    def start(self):
        """Start, at the same port; what was received earlier stays."""
        persistent = self.path / "persistent"
        persistent.mkdir(exist_ok=True)
        lines = ["disableAuthorization yes", f"format1 {self.FORMAT}", f"format2 {self.FORMAT}",
                 f"createUser {V3_CREATE}"]
        if self.engine:
            lines.append(f"createUser -e {self.engine} {V3_CREATE}")
        (self.path / "snmptrapd.conf").write_text("\n".join(lines) + "\n")
        before = self._text().count("NET-SNMP version")
        self.process = Process([program("snmptrapd"), "-f", "-A", f"-Lf{self.path / 'log'}", "-On", "-Ox", "-C", "-c",
                                self.path / "snmptrapd.conf", f"udp:127.0.0.1:{self.port}"],
                               env={"SNMPCONFPATH": str(persistent), "SNMP_PERSISTENT_DIR": str(persistent),
                                    "MIBS": ""})

        def runs():
            if self.process.returncode is not None:
                raise AssertionError(f"snmptrapd ended with {self.process.returncode}; it said:\n{self._text()}")
            return self._text().count("NET-SNMP version") > before
        wait_for(runs, what="snmptrapd to run")

    def _text(self):
        try:
            return (self.path / "log").read_text("utf-8", "replace")
        except FileNotFoundError:
            return ""

    def stop(self):
        self.process.__exit__()

    def received(self):
        """All Notifications so far, by arrival; an inform that was sent again is there again. Afterwards, too."""
        try:
            with open(self.path / "log", "rb") as log:
                log.seek(self._read)
                new = log.read()
        except FileNotFoundError:  # its folder is gone; __exit__() has read what was in it
            new = b""
        self._read += len(new)
        self._rest += new.decode("latin-1")
        blocks = self._rest.split("\nEND\n")
        self._rest = blocks.pop()
        for block in blocks:
            header, _, varbinds = block[block.index("BEGIN ") + 6:].partition("\n")
            self._received.append(Notification(header, parse(varbinds)))
        return list(self._received)

    def of(self, name):
        """Those received whose snmpTrapOID is @name."""
        return [notification for notification in self.received() if notification.oid == name]

    def wait(self, condition, timeout=10, what="a notification"):
        """wait_for(), and a text that says what was received."""
        return wait_for(condition, timeout, lambda: f"{what() if callable(what) else what}; "
                        f"received were {len(self.received())}, at last {self.received()[-5:]}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        self.received()
        self.folder.cleanup()
