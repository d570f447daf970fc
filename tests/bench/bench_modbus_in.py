# SPDX-License-Identifier: Apache-2.0
"""bench_modbus_in - what polling Modbus TCP devices costs, and whether dead devices make the polls of live ones late.

The devices are bench_modbus_slaves', one process with a port for each. The baseline is bench_modbus_bare, a loop of
send, epoll_wait and recv that asks the same devices for the same registers at the same pace and throws the words away.
"""
import os
import time

from figures import Figure, cpu_seconds, median, output_of, pinned
from peers import Peers, wait_for_polls
from support import Busbard

REGISTERS = 100
FIRST = 1000


class Slaves(Peers):
    """@live devices that answer and @silent ones that cannot be connected to; polls are expected every @interval_ms."""

    def __init__(self, context, live, silent, interval_ms, control=0):
        super().__init__([str(context.tools / "bench_modbus_slaves"), str(live + control), str(silent),
                          str(interval_ms), str(control)])
        self.live, self.control = self.ports[:live], self.ports[live:live + control]
        self.silent = self.ports[live + control:]

    def finish(self):
        """End it: {"requests": …, "registers": …, "polls": …, "late_ms": (median, 99 %, largest), "control_ms":
        the same}."""
        words = self.end()
        return {"requests": int(words[1]), "registers": int(words[3]), "polls": int(words[5]),
                "late_ms": tuple(map(float, words[7:10])), "control_ms": tuple(map(float, words[11:14]))}


def configuration(context, devices):
    """A map of REGISTERS registers, most of which the dictionary does not know, and @devices by name."""
    maps = context.scratch / "maps"
    maps.mkdir(exist_ok=True)
    rows = [f"{FIRST + i},1,u16,3/4,BENCH_{i},vendor.bench-{i},,,," for i in range(REGISTERS)]
    (maps / "bench.csv").write_text("# id: bench\n# vendor: Benchmark\n# models:\n"
                                    "address,count,type,functions,symbol,point,scale,offset,values,note\n"
                                    + "\n".join(rows) + "\n")
    return {"maps-dir": str(maps), "journal": {"log-points": []}, "devices": devices}


def device(port, **options):
    return {"plugin": "ups-modbus", "address": f"modbus-tcp://127.0.0.1:{port}/1", "model": "bench", "watch": "0s",
            **options}


def bare(context, interval_ms, seconds, ports):
    """CPU microseconds a poll of the bare loop."""
    words = output_of(pinned(1, [str(context.tools / "bench_modbus_bare"), str(interval_ms), str(seconds), str(FIRST),
                                 str(REGISTERS), *map(str, ports)])).split()
    return float(words[1]) / int(words[5]) * 1e6


def poll_cost(context):
    """Both poll devices of the same process in the same seconds on the same processor, so that what else the machine
    does is the same for both. Each has devices of its own: they take one connection."""
    count, rounds, seconds = 100, 5 if context.full else 3, 5
    theirs, ours = [], []
    with Slaves(context, 2 * count, 0, 1000) as slaves:
        config = configuration(context, {f"ups-{port}": device(port, interval="1s") for port in slaves.live[:count]})
        with Busbard(config) as busbard:
            if len(os.sched_getaffinity(0)) > 1:
                output_of(["taskset", "-a", "-p", "-c", str(sorted(os.sched_getaffinity(0))[1]), str(busbard.pid)])
            wait_for_polls(busbard, count)
            time.sleep(2)  # workers that made the first contact leave
            for _ in range(rounds):
                began, wall = cpu_seconds(busbard.pid), time.monotonic()
                theirs.append(bare(context, 1000, seconds, slaves.live[count:]))
                polls = count * (time.monotonic() - wall)
                ours.append((cpu_seconds(busbard.pid) - began) / polls * 1e6)
        yield Figure(f"poll {count} Modbus devices, {REGISTERS} registers, 1 s", median(ours), "us/poll",
                     median(theirs), at_most=1.5, note="bare send + epoll + recv")
        burst = bare(context, 0, 2, slaves.live[count:]) / REGISTERS
    yield Figure("the same a million values", median(ours) / REGISTERS, "CPU s", median(theirs) / REGISTERS,
                 note=f"bare loop back to back {burst:.3f}; collectd 38.8, libmodbus 0.25, bare epoll 0.09 elsewhere")


def lateness(context):
    """Beside busbard a bare loop polls devices of its own: how late that is, is the machine's doing."""
    live, silent, seconds = 700, 300, 60 if context.full else 10
    with Slaves(context, live, silent, 1000, control=50) as slaves:
        devices = {f"live-{port}": device(port, interval="1s") for port in slaves.live}
        devices.update({f"dead-{port}": device(port, interval="1s") for port in slaves.silent})
        with Busbard(configuration(context, devices)) as busbard:
            wait_for_polls(busbard, live)
            time.sleep(2)  # each device finds its own phase with the second poll
            slaves.begin()
            began, wall = cpu_seconds(busbard.pid), time.monotonic()
            bare(context, 1000, seconds, slaves.control)
            used = (cpu_seconds(busbard.pid) - began) / (time.monotonic() - wall)
        done = slaves.finish()
    if done["polls"] < live:
        raise RuntimeError(f"only {done['polls']} polls were seen")
    yield Figure(f"latest of {done['polls']} polls, {live + silent} devices at 1 s", done["late_ms"][2], "ms",
                 at_most=50, note=f"{silent} black-holed; 99 % {done['late_ms'][1]} ms; bare loop beside it "
                                  f"{done['control_ms'][2]} ms, 99 % {done['control_ms'][1]} ms; "
                                  f"{used * 100:.1f} % of a processor")


def benches():
    return [("modbus-poll", poll_cost), ("modbus-late", lateness)]
