# SPDX-License-Identifier: Apache-2.0
"""How long an event takes to be durable and with a receiver's cursor, alone and in a storm, beside the bare disk."""
import subprocess

from figures import Figure


def run(context, what, count):
    """The numbers that bench_journal prints."""
    folder = context.scratch / f"journal-{what}"
    folder.mkdir(exist_ok=True)
    done = subprocess.run([context.tools / "bench_journal", folder, what, str(count)], capture_output=True, text=True,
                          timeout=120, check=True)
    return [int(number) for number in done.stdout.split()]


def journal(context):
    count = 1000 if context.full else 200
    disk, = run(context, "disk", count)
    median, late = run(context, "single", count)
    yield Figure("event to durable and told, one at a time", median / 1000, "ms", baseline=disk / 1000,
                 note=f"median, 99 % within {late / 1000:.1f} ms; baseline: write and fdatasync of 4 KiB")
    yield Figure("event to durable and told, 99 %", late / 1000, "ms", at_most=250)
    storm, = run(context, "storm", 5000)
    yield Figure("5,000 events at once, durable and told", storm, "ms", at_most=1000)


def benches():
    return [("journal", journal)]
