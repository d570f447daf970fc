# SPDX-License-Identifier: Apache-2.0
"""bench_modbus_out - the Modbus server beside a bare epoll server with canned frames, and beside libmodbus' server.

FC 3 × 125 registers, asked again as soon as the answer is there. Server and client are pinned to a processor each, and
all servers are asked in turn, so that what else the machine does is the same for all.
"""
import subprocess
import time

from figures import Figure, Skip, cpu_seconds, median, output_of, pinned
from support import Busbard, free_port

FIRST, COUNT = 1000, 125


def ask(context, port, connections, ms, *more):
    """(requests a second, longest wait in ms)"""
    words = output_of(pinned(0, [str(context.tools / "bench_modbus_load"), "ask", str(port), str(connections), str(ms),
                                 str(FIRST), str(COUNT), *more])).split()
    return int(words[1]) / ms * 1000, int(words[3]) / 1000


def start(context, argv, text=""):
    """A server in a process of its own; returns it and what it says first."""
    child = subprocess.Popen(pinned(1, argv), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    child.stdin.write(text)
    child.stdin.close()
    return child, child.stdout.readline().strip()


def configuration(context, port):
    maps = context.scratch / "maps-out"
    maps.mkdir(exist_ok=True)
    rows = "\n".join(f"{FIRST + i},1,u16,3/4,BENCH_{i},vendor.bench-{i},,,," for i in range(COUNT))
    (maps / "bench.csv").write_text("# id: bench\n# vendor: Benchmark\n# models:\n"
                                    f"address,count,type,functions,symbol,point,scale,offset,values,note\n{rows}\n")
    return {"maps-dir": str(maps), "journal": {"log-points": []},
            "devices": {"ups-a": {"plugin": "simulator", "points": COUNT, "interval": "1s"}},
            "exporters": {"modbus": {"listen": f"127.0.0.1:{port}",
                                     "units": {"1": [{"device": "ups-a", "map": "bench"}]}}}}


def serve(context):
    rounds, ms = (9, 1000) if context.full else (5, 500)
    port = free_port()
    bare, bare_port = start(context, [str(context.tools / "bench_modbus_load"), "serve"])
    try:
        with Busbard(configuration(context, port)) as busbard:
            busbard.wait_log("modbus: listening")
            output_of(["taskset", "-a", "-p", "-c", "1", str(busbard.pid)])
            time.sleep(2)
            for connections, least in ((1, 0.95), (8, 0.9), (64, 0.9)):
                ours, theirs, cpu, bare_cpu = [], [], [], []
                for _ in range(rounds):
                    for server, where, rates, used in ((bare.pid, bare_port, theirs, bare_cpu),
                                                       (busbard.pid, port, ours, cpu)):
                        began = cpu_seconds(server)
                        rate, _ = ask(context, where, connections, ms)
                        rates.append(rate)
                        used.append((cpu_seconds(server) - began) / (rate * ms / 1000) * 1e6)
                yield Figure(f"Modbus requests/s, {connections} connections", median(ours), "1/s", median(theirs),
                             at_least=least, note="bare epoll, canned frames")
                yield Figure(f"CPU a request, {connections} connections", median(cpu), "us", median(bare_cpu),
                             note="bare epoll, canned frames")
            _, calm = ask(context, port, 8, 2 * ms)
            _, disturbed = ask(context, port, 8, 2 * ms, "half")
            yield Figure("longest wait beside a half-sent request", disturbed, "ms", calm,
                         note="the same without it; libmodbus' server: 400 ms")
    finally:
        bare.kill()
        bare.wait()
        bare.stdout.close()


def libmodbus(context):
    server = context.tools / "libmodbus_server"
    if not server.exists():
        raise Skip("libmodbus is not installed")
    port = free_port()
    child, said = start(context, [str(server), str(port)], "".join(f"{FIRST + i} {i}\n" for i in range(COUNT)))
    try:
        if said != "ready":
            raise RuntimeError("libmodbus' server did not start")
        rate, _ = ask(context, port, 1, 500)
        yield Figure("libmodbus' server, 1 connection", rate, "1/s", note="it serves one after the other")
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def benches():
    return [("modbus-serve", serve), ("modbus-libmodbus", libmodbus)]
