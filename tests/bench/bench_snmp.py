# SPDX-License-Identifier: Apache-2.0
"""bench_snmp - what polling SNMP agents costs, and whether dead agents make the polls of live ones late.

The agents are bench_snmp_responder's, one process with a port for each. The baseline is bench_snmp_bare, a loop of
snmp_sess_* and epoll that walks the same tree of the same agents at the same pace and throws the values away.
"""
import os
import time

from figures import Figure, cpu_seconds, median, output_of, pinned
from peers import Peers, wait_for_polls
from support import Busbard


class Responder(Peers):
    """@live agents that answer and @silent ones that do not; polls are expected every @interval_ms."""

    def __init__(self, context, live, silent, interval_ms):
        super().__init__([str(context.tools / "bench_snmp_responder"), str(live), str(silent), str(interval_ms)])
        self.live, self.silent = self.ports[:live], self.ports[live:]

    def finish(self):
        """End it: {"requests": …, "variables": …, "polls": …, "late_ms": (median, 99 %, largest)}."""
        words = self.end()
        return {"requests": int(words[1]), "variables": int(words[3]), "polls": int(words[5]),
                "late_ms": tuple(map(float, words[7:10]))}


def device(port, **options):
    return {"plugin": "ups-snmp", "address": f"snmp://127.0.0.1:{port}", "watch": "0s", **options}


def poll_cost(context):
    """Both poll the same agents in the same seconds on the same processor, so that what else the machine does
    is the same for both."""
    agents, rounds, seconds = 100, 5 if context.full else 3, 5
    bare, ours = [], []
    with Responder(context, agents, 0, 1000) as responder:
        config = {"journal": {"log-points": []},
                  "devices": {f"ups-{port}": device(port, interval="1s") for port in responder.live}}
        with Busbard(config) as busbard:
            if len(os.sched_getaffinity(0)) > 1:
                output_of(["taskset", "-a", "-p", "-c", str(sorted(os.sched_getaffinity(0))[1]), str(busbard.pid)])
            wait_for_polls(busbard, agents)
            for _ in range(rounds):
                began, wall = cpu_seconds(busbard.pid), time.monotonic()
                words = output_of(pinned(1, [str(context.tools / "bench_snmp_bare"), "1000", str(seconds),
                                             *map(str, responder.live)])).split()
                polls = agents * (time.monotonic() - wall)
                ours.append((cpu_seconds(busbard.pid) - began) / polls * 1e6)
                bare.append(float(words[1]) / int(words[5]) * 1e6)
    yield Figure(f"poll {agents} SNMP agents, RFC 1628 tree, each 1 s", median(ours), "us/poll", median(bare),
                 at_most=1.3, note="bare snmp_sess_* + epoll, one GETBULK a poll")


def lateness(context):
    live, silent, interval = 700, 300, 10
    with Responder(context, live, silent, interval * 1000) as responder:
        secret = context.scratch / "v3.auth"
        secret.write_text("signature-words\nsecrecy-words\n")
        secret.chmod(0o600)
        devices = {f"live-{port}": device(port, interval=f"{interval}s") for port in responder.live}
        for i, port in enumerate(responder.silent):
            v3 = {"version": "3", "user": "monitor", "auth-file": str(secret)} if i % 2 else {}
            devices[f"dead-{port}"] = device(port, interval=f"{interval}s", **v3)
        with Busbard({"journal": {"log-points": []}, "devices": devices}) as busbard:
            wait_for_polls(busbard, live)
            time.sleep(interval / 2)  # the first poll comes early; each device finds its own phase with the second
            responder.begin()
            began, wall = cpu_seconds(busbard.pid), time.monotonic()
            time.sleep(60 if context.full else 2.5 * interval)
            used = (cpu_seconds(busbard.pid) - began) / (time.monotonic() - wall)
        done = responder.finish()
    if done["polls"] < live:
        raise RuntimeError(f"only {done['polls']} polls were seen")
    yield Figure(f"latest of {done['polls']} polls, {live + silent} agents at {interval} s", done["late_ms"][2], "ms",
                 at_most=100, note=f"{silent} black-holed, half of them v3; median {done['late_ms'][0]} ms, "
                                   f"99 % {done['late_ms'][1]} ms; {used * 100:.1f} % of a processor")


def benches():
    return [("snmp-poll", poll_cost), ("snmp-late", lateness)]
