# SPDX-License-Identifier: Apache-2.0
"""bench_syslog.py - how long a mains failure takes from the UPS to the syslog server.

The UPS is a snmpd whose upsOutputSource is set to battery; the clock runs from before that SET to when the message has
come over TCP, durable before it left. Beside it 70 devices answer and 30 are black holes. The promise is one watch poll
and 250 ms; the same event over UDP, which does not wait for the disk, is the baseline.
"""
import socket
import tempfile
import threading
import time

from figures import Figure, median
from snmp_ups import BATTERY, NORMAL, BlackHoles, SnmpUps
from support import Busbard, wait_for
from syslog_peers import Peer

WATCH_MS = 1000
ALLOWED_MS = 250
LIVE, HOLES = 70, 30
FAILURES, FAILURES_FULL = 8, 60

class Arrivals:
    """When what came over each way: (kind, time.monotonic())."""

    def __init__(self):
        self.times = {"tcp": [], "udp": []}
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        threading.Thread(target=self.listen, daemon=True).start()
        self.peer = Peer(self.take)

    def listen(self):
        while True:
            message = self.udp.recv(4096)
            if is_failure(message):
                self.times["udp"].append(time.monotonic())

    def take(self, peer, connection, _):
        seen = 0
        while peer.take(connection, 65536):
            now = time.monotonic()
            stream = bytes(peer.streams[-1])
            count = sum(1 for part in stream.split(b"<")[1:] if is_failure(part))
            self.times["tcp"] += [now] * (count - seen)
            seen = count


def is_failure(message):
    return b'device="ups"' in message and b'alarm="on-battery"' in message and b'state="raised"' in message


def value(busbard, point):
    return busbard.points("ups").get(point, {}).get("value")


def latency(context):
    failures = FAILURES_FULL if context.full else FAILURES
    arrivals = Arrivals()
    tcp, udp = [], []
    with SnmpUps() as ups, BlackHoles(HOLES) as holes, arrivals.peer as peer, tempfile.TemporaryDirectory() as state:
        devices = {"ups": ups.device(interval="5s", watch=f"{WATCH_MS}ms"), **holes.devices(interval="5s")}
        devices.update({f"live-{i}": {"plugin": "simulator", "interval": "5s"} for i in range(LIVE)})
        servers = [f"tcp://127.0.0.1:{peer.port}", f"udp://127.0.0.1:{arrivals.udp.getsockname()[1]}"]
        config = {"devices": devices, "exporters": {"syslog": {"servers": servers}}}
        with Busbard(config) as busbard:
            wait_for(lambda: value(busbard, "output.source") == "normal", 10, "the UPS")
            for number in range(1, failures + 1):
                # Every failure at another moment of the watch period.
                time.sleep(WATCH_MS / 1000 * number / failures)
                begin = ups.switch(BATTERY)
                wait_for(lambda: all(len(times) >= number for times in arrivals.times.values()), 5,
                         f"failure {number}: {arrivals.times}")
                tcp.append((arrivals.times["tcp"][number - 1] - begin) * 1000)
                udp.append((arrivals.times["udp"][number - 1] - begin) * 1000)
                ups.switch(NORMAL)
                wait_for(lambda: value(busbard, "alarm.on-battery") is False, 5, "mains")
    note = f"{failures} failures, watch {WATCH_MS} ms, {HOLES} of {LIVE + HOLES} others dead"
    yield Figure("mains failure to syslog over TCP, worst", max(tcp), "ms", baseline=max(udp),
                 at_most=WATCH_MS + ALLOWED_MS, against="value", note=f"{note}; baseline: UDP")
    yield Figure("mains failure to syslog over TCP, median", median(tcp), "ms", baseline=median(udp),
                 note="baseline: UDP")
    yield Figure("durable before it leaves: later than UDP by", max(t - u for t, u in zip(tcp, udp)), "ms",
                 at_most=ALLOWED_MS, note="worst")


def benches():
    return [("syslog-latency", latency)]
