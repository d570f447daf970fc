# SPDX-License-Identifier: Apache-2.0
"""bench_agentx - walks through snmpd: busbard beside a subagent that is written with net-snmp's own library.

The table is bacsModuleTable, 6 columns. The baseline is bench_agentx_bare: net-snmp's library with one handler over an
array that never changes. Both are subagents of the same snmpd, in contexts of their own, and are walked in turn by the
same walker, so that what else the machine does is the same for both. snmpd asks for one row at a time, whatever a
manager's GETBULK says (it never sends AgentX GetBulk), so a walk is as many round trips as there are rows: by column
each brings one variable, by row six.
"""
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


def master(contexts):
    """An snmpd on the first processor, as the walkers are; subagents get the second one."""
    snmpd = Snmpd(contexts=contexts)
    to_processor(snmpd.pid, 0)
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


class Walk:
    """One run of bench_agentx_walk: .rate (variables a second), .cpu (us of the agent @pid a variable), .walk_ms (median
    of whole walks)."""

    def __init__(self, context, snmpd, communities, way, ms, pid=None, name=ENTRY):
        began = cpu_seconds(pid) if pid else 0
        words = output_of(pinned(0, [str(context.tools / "bench_agentx_walk"), str(snmpd.port), name,
                                     *map(str, way), str(ms), *communities])).split()
        said = dict(zip(words[::2], map(int, words[1::2])))
        self.varbinds = said["varbinds"]
        self.rate = self.varbinds / said["us"] * 1e6
        self.cpu = (cpu_seconds(pid) - began) / self.varbinds * 1e6 if pid else 0
        self.walks, self.walk_ms = said["walks"], said["median_us"] / 1000


def modules(rows, **options):
    return {"plugin": "simulator", "modules": rows, "interval": "5s", **options}


def compare_with_bare(context):
    rounds, ms = (9, 2000) if context.full else (5, 700)
    with master(["ups-b", "bare"]) as snmpd, Agent(snmpd, {"ups-b": modules(512)}) as agent, \
            Bare(context, snmpd, 512) as bare:
        for name, way in WAYS:
            ours, theirs = [], []
            for _ in range(rounds):
                ours.append(Walk(context, snmpd, ["ups-b"], way, ms, agent.pid))
                theirs.append(Walk(context, snmpd, ["bare"], way, ms, bare.pid))
            yield Figure(f"AgentX walk of 512 x 6 {name}", median([walk.rate for walk in ours]), "var/s",
                         median([walk.rate for walk in theirs]), at_least=1.3, note="net-snmp's library, raw handler")
            yield Figure(f"CPU of the agent, 512 x 6 {name}", median([walk.cpu for walk in ours]), "us/var",
                         median([walk.cpu for walk in theirs]), at_most=0.5, note="net-snmp's library, raw handler")


def many_rows(context):
    rounds, ms = (9, 2000) if context.full else (5, 700)
    with master(["few", "many"]) as snmpd, Agent(snmpd, {"few": modules(512), "many": modules(10000)}) as agent:
        for name, way in WAYS:
            few, many = [], []
            for _ in range(rounds):
                few.append(1e6 / Walk(context, snmpd, ["few"], way, ms, agent.pid).rate)
                many.append(1e6 / Walk(context, snmpd, ["many"], way, ms, agent.pid).rate)
            yield Figure(f"AgentX walk of 10000 x 6 {name}", median(many), "us/var", median(few), at_most=1.05,
                         note="512 x 6; 1.05: what runs differ by")


def polls(context):
    """The same table of a busbard that polls its device all the time, and of one that never does again."""
    rounds, ms = (9, 3000) if context.full else (5, 1500)
    with master(["busy", "calm"]) as snmpd, \
            Agent(snmpd, {"calm": modules(512, interval=NEVER, watch="0s")}), \
            Agent(snmpd, {"busy": modules(512, interval="100ms", watch="100ms")}):
        for name, way in WAYS:
            busy, calm = [], []
            for _ in range(rounds):
                busy.append(Walk(context, snmpd, ["busy"], way, ms).walk_ms)
                calm.append(Walk(context, snmpd, ["calm"], way, ms).walk_ms)
            yield Figure(f"what 10 polls/s add to a walk {name}", median(busy) - median(calm), "ms", at_most=1,
                         note=f"walk of 512 x 6: {median(busy):.1f} ms, {median(calm):.1f} ms without polls")


def contexts(context):
    devices, rounds, ms = 50, 5 if context.full else 3, 2000 if context.full else 1000
    names = [f"ups-{number}" for number in range(devices)]
    config = {name: {"plugin": "simulator", "profile": "three-phase", "interval": "5s"} for name in names}
    with master(names) as snmpd:
        with Agent(snmpd, config, exporters=False) as plain:
            wait_for(lambda: all(row["state"] == "up" for row in plain.busbard.json("status")["devices"]), 20, "polls")
            without = private_dirty_kb(plain.pid)
        with Agent(snmpd, config) as agent:
            rates = {walkers: [] for walkers in (1, 2, 8, 50)}
            for _ in range(rounds):
                for walkers, found in rates.items():
                    found.append(Walk(context, snmpd, names[:walkers], BY_COLUMN, ms, name=UPS_MIB).rate)
            one = median(rates[1])
            for walkers, found in rates.items():
                if walkers > 1:
                    yield Figure(f"{walkers} walkers in {walkers} of {devices} contexts", median(found), "var/s", one,
                                 at_least=1 if walkers == 2 else 1.5, note="one walker")
            yield Figure("Private_Dirty per context", (private_dirty_kb(agent.pid) - without) / devices, "kB",
                         note=f"{devices} three-phase devices, all walked; beside the same without the exporter")


def benches():
    return [("agentx-walk", compare_with_bare), ("agentx-rows", many_rows), ("agentx-poll", polls),
            ("agentx-contexts", contexts)]
