# SPDX-License-Identifier: Apache-2.0
"""What the agent costs at rest: private memory, processor time beyond polling, growth over many polls."""
import time
import urllib.request

from figures import Figure, cpu_seconds, median, private_dirty_kb
from support import Busbard, wait_for


def start(devices, **options):
    device = {"plugin": "simulator", "interval": "1s", "watch": "0s", **options}
    daemon = Busbard({"journal": {"log-points": []}, "devices": {f"ups-{i:04}": device for i in range(devices)},
                      "exporters": {"prometheus": {"listen": "127.0.0.1:0"}}})
    # The socket answers when everything is set up; the first round of polls follows within an interval.
    wait_for(lambda: all(row.get("state") == "up" for row in states(daemon)), 30, "all devices to have answered")
    return daemon


def states(daemon):
    rows = daemon.json("status")
    return rows["devices"] if isinstance(rows, dict) else rows


def get(daemon):
    port = int(daemon.wait_log(r"listening on http://127\.0\.0\.1:(\d+)/metrics").group(1))
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
        return answer.read()


def cpu_rate(daemon, seconds):
    """CPU ms a second while nobody asks anything."""
    before, begin = cpu_seconds(daemon.pid), time.monotonic()
    time.sleep(seconds)  # this is the time that is measured
    return (cpu_seconds(daemon.pid) - before) * 1000 / (time.monotonic() - begin)


def memory(_context):
    with start(10, profile="three-phase") as daemon:
        get(daemon)
        yield Figure("private memory, 10 devices, prometheus on", private_dirty_kb(daemon.pid) / 1024, "MB", at_most=4)
    with start(1000, profile="three-phase", interval="5s") as daemon:
        size = len(get(daemon))
        yield Figure("private memory, 1,000 devices of 100 points", private_dirty_kb(daemon.pid) / 1024, "MB",
                     at_most=64, note=f"after a scrape of {size / 1e6:.1f} MB")


def idle(context):
    """Everything the agent does but poll: its devices have answered once and are due again in a day."""
    seconds, rounds = (20, 3) if context.full else (4, 2)
    with start(10, interval="24h") as daemon:
        get(daemon)
        rate = median([cpu_rate(daemon, seconds) for _ in range(rounds)])
    yield Figure("CPU beyond polling, 10 devices, prometheus on", rate, "ms/s", at_most=0.3)


def growth(context):
    """3,600 polls of 100 devices take six minutes at the shortest interval allowed; without BUSBAR_FULL a tenth."""
    polls = 3600 if context.full else 360
    with start(100, interval="100ms", profile="three-phase") as daemon:
        def polled():
            for line in get(daemon).splitlines():
                if line.startswith(b'busbar_device_polls_total{device="ups-0000"}'):
                    return int(line.split()[-1])
            return 0
        warm = polled() + 50
        wait_for(lambda: polled() >= warm, 60, "the agent to be warm")
        before = private_dirty_kb(daemon.pid)
        wait_for(lambda: polled() >= warm + polls, 1200, f"{polls} polls")
        after = private_dirty_kb(daemon.pid)
    yield Figure(f"growth over {polls} polls of 100 devices", 100 * (after - before) / before, "%", at_most=1,
                 note=f"{before} to {after} KiB" + ("" if context.full else ", cut: BUSBAR_FULL=1 does 3600"))


def benches():
    return [("footprint-memory", memory), ("footprint-idle", idle), ("footprint-growth", growth)]
