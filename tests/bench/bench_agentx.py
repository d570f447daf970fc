# SPDX-License-Identifier: Apache-2.0
"""bench_agentx - walks through snmpd: busbard beside a subagent that is written with net-snmp's own library.

The table is bacsModuleTable, 6 columns. The baseline is bench_agentx_bare: net-snmp's library with one handler over an
array that never changes. Both are subagents of the same snmpd, in contexts of their own, and are walked in turn by the
same walker, so that what else the machine does is the same for both. snmpd asks for one row at a time, whatever a
manager's GETBULK says (it never sends AgentX GetBulk), so a walk is as many round trips as there are rows: by column
each brings one variable, by row six.

snmpd and a subagent take turns, so for comparisons they share a processor and the walker has the other one. On a
processor each, every round trip wakes up two that sleep; that costs more than all the rest, the same for both, and
depends on the machine more than on the programs. What other programs do can only make a run slower, so the best of
several counts.
"""
import math
import os
import subprocess

from figures import Figure, Skip, cpu_seconds, median, output_of, pinned, private_dirty_kb
from snmpd import Snmpd
from support import Busbard, wait_for

ENTRY = "1.3.6.1.2.1.33.5.2.5.1"
UPS_MIB = "1.3.6.1.2.1.33"
MODEL = "1.3.6.1.2.1.33.1.1.2.0"
BY_COLUMN, BY_ROW = (0, 50), (6, 16)  # columns in a request, repetitions
WAYS = (("by column", BY_COLUMN), ("by row", BY_ROW))
NEVER = "23h"


def to_processor(pid, cpu):
    """Pin a process that runs already, as pinned() does one that starts."""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) > 1:
        output_of(["taskset", "-a", "-p", "-c", str(cpus[cpu % len(cpus)]), str(pid)])


def master(contexts, cpu=1):
    """An snmpd on a processor. Walkers are on 0, subagents on 1."""
    snmpd = Snmpd(contexts=contexts)
    to_processor(snmpd.pid, cpu)
    return snmpd


class Agent:
    """busbard with @devices, each in the context of its name."""

    def __init__(self, snmpd, devices, exporters=True):
        config = {"journal": {"log-points": []}, "devices": devices}
        if exporters:
            config["exporters"] = {"agentx": {"master": snmpd.agentx}}
        self.busbard = Busbard(config)
        self.pid = self.busbard.pid
        for name in devices if exporters else ():
            wait_for(lambda: snmpd.serves(MODEL, name), 20, lambda: f"{name} to be served; {self.busbard.log()}")
        to_processor(self.pid, 1)

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.busbard.__exit__(*what)


class Bare:
    """bench_agentx_bare with @rows rows in the context "bare"."""

    def __init__(self, context, snmpd, rows):
        tool = context.tools / "bench_agentx_bare"
        if not tool.exists():
            raise Skip("net-snmp's agent library is not installed")
        self._child = subprocess.Popen(pinned(1, [str(tool), snmpd.agentx, str(rows), "bare"]), stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, text=True)
        self.pid = self._child.pid
        wait_for(lambda: snmpd.serves(f"{ENTRY}.6.{rows}", "bare"), 20, "the bare subagent to be served")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._child.kill()
        self._child.wait()
        self._child.stdout.close()


class Walks:
    """Runs of bench_agentx_walk for @ms each; the best of what they measured: .rate (variables a second), .cpu (us of
    the agent @pid a variable). .said is what the latest one said."""

    def __init__(self, context, snmpd, communities, way, ms, pid=None, name=ENTRY):
        self._argv = pinned(0, [str(context.tools / "bench_agentx_walk"), str(snmpd.port), name, *map(str, way),
                                str(ms), *communities])
        self._pid = pid
        self.rate, self.cpu, self.said = 0, math.inf, {}

    def run(self):
        began = cpu_seconds(self._pid) if self._pid else 0
        words = output_of(self._argv).split()
        said = self.said = dict(zip(words[::2], map(int, words[1::2])))
        self.rate = max(self.rate, said["varbinds"] / said["us"] * 1e6)
        if self._pid:
            self.cpu = min(self.cpu, (cpu_seconds(self._pid) - began) / said["varbinds"] * 1e6)


def in_turn(rounds, *all_walks):
    for _ in range(rounds):
        for walks in all_walks:
            walks.run()
    return all_walks


def modules(rows, **options):
    return {"plugin": "simulator", "modules": rows, "interval": "5s", **options}


def compare_with_bare(context):
    rounds, ms = (30, 500) if context.full else (12, 300)
    with master(["ups-b", "bare"]) as snmpd, Agent(snmpd, {"ups-b": modules(512)}) as agent, \
            Bare(context, snmpd, 512) as bare:
        for name, way in WAYS:
            ours, theirs = in_turn(rounds, Walks(context, snmpd, ["ups-b"], way, ms, agent.pid),
                                   Walks(context, snmpd, ["bare"], way, ms, bare.pid))
            yield Figure(f"AgentX walk of 512 x 6 {name}", ours.rate, "var/s", theirs.rate, at_least=1.3,
                         note="net-snmp's library, raw handler")
            yield Figure(f"CPU of the agent, 512 x 6 {name}", ours.cpu, "us/var", theirs.cpu, at_most=0.5,
                         note="net-snmp's library, raw handler")


def many_rows(context):
    """Polled once only: this is about finding a row among many, and polling them takes longer, too."""
    rounds, ms = (30, 500) if context.full else (12, 300)
    devices = {"few": modules(512, interval=NEVER, watch="0s"), "many": modules(10000, interval=NEVER, watch="0s")}
    with master(["few", "many"]) as snmpd, Agent(snmpd, devices) as agent:
        for name, way in WAYS:
            few, many = in_turn(rounds, *(Walks(context, snmpd, [rows], way, ms, agent.pid) for rows in devices))
            yield Figure(f"AgentX walk of 10000 x 6 {name}", 1e6 / many.rate, "us/var", 1e6 / few.rate, at_most=1.05,
                         note="512 x 6; 1.05: what runs differ by")
            yield Figure(f"CPU of the agent, 10000 x 6 {name}", many.cpu, "us/var", few.cpu, at_most=1.05,
                         note="512 x 6; 1.05: what runs differ by")


def polls(context):
    """Walks of one table side by side: those during which a poll came, and the others. Of each kind the faster quarter
    counts, and of the runs, too: a walk that something else on the machine holds up is longer, so more polls fall into
    such."""
    rounds, ms = (24, 2000) if context.full else (8, 1000)
    added, shares = [], []
    with master(["ups-b"]) as snmpd, Agent(snmpd, {"ups-b": modules(512, interval="100ms", watch="0s")}):
        walks = Walks(context, snmpd, ["ups-b"], BY_ROW, ms)
        for _ in range(rounds):
            walks.run()
            if not (walks.said["calm"] and walks.said["polled"]):
                raise RuntimeError(f"not both with and without polls: {walks.said}")
            added.append((walks.said["polled_us"] - walks.said["calm_us"]) / 1000)
            shares.append(walks.said["polled"] / (walks.said["calm"] + walks.said["polled"]))
    yield Figure("what a poll adds to a walk of 512 x 6", sorted(added)[rounds // 4], "ms", at_most=1,
                 note=f"by row, in {walks.said['calm_us'] / 1000:.1f} ms without one; a poll was in "
                      f"{100 * median(shares):.0f} % of the walks")


def contexts(context):
    devices, rounds, ms = 50, 7 if context.full else 3, 2000 if context.full else 700
    names = [f"ups-{number}" for number in range(devices)]
    config = {name: {"plugin": "simulator", "profile": "three-phase", "interval": "5s"} for name in names}
    with master(names, cpu=0) as snmpd:
        with Agent(snmpd, config, exporters=False) as plain:
            wait_for(lambda: all(row["state"] == "up" for row in plain.busbard.json("status")["devices"]), 20, "polls")
            without = private_dirty_kb(plain.pid)
        with Agent(snmpd, config) as agent:
            one, *more = in_turn(rounds, *(Walks(context, snmpd, names[:walkers], BY_COLUMN, ms, name=UPS_MIB)
                                           for walkers in (1, 2, 8, devices)))
            for walkers, walks in zip((2, 8, devices), more):
                yield Figure(f"{walkers} walkers in {walkers} of {devices} contexts", walks.rate, "var/s", one.rate,
                             at_least=1.3 if walkers == 2 else 2,
                             note="one walker; snmpd and busbard on a processor each")
            yield Figure("Private_Dirty per context", (private_dirty_kb(agent.pid) - without) / devices, "kB",
                         note=f"{devices} three-phase devices, all walked; beside the same without the exporter")


def benches():
    return [("agentx-walk", compare_with_bare), ("agentx-rows", many_rows), ("agentx-poll", polls),
            ("agentx-contexts", contexts)]
