# SPDX-License-Identifier: Apache-2.0
"""The journal is killed at random moments and at every named step of its writer, also on a disk that forgets what was
not synced: nothing that was handed out as durable is lost, nothing is out of order, no number is used twice."""
import concurrent.futures
import contextlib
import pathlib
import random
import re
import signal
import sqlite3
import unittest

from support import SANITIZERS, SOURCE, cut, say
from journal_lives import Journal, random_moment

WORKERS = 4  # lives wait for the disk and for their end rather than compute
LIVES_PER_FOLDER = 20  # reading back takes longer with every life


def kill_at_random(count, shim):
    """@count lives that end by SIGKILL, in folders that are used for some of them. Returns what was emitted and
    acknowledged."""
    emitted = acknowledged = 0
    while count > 0:
        with Journal(shim) as journal:
            for _ in range(min(count, LIVES_PER_FOLDER)):
                journal.live(seconds=random_moment())
            journal.live("--dump")
            count -= LIVES_PER_FOLDER
            emitted += len(journal.emitted)
            acknowledged += len(journal.acknowledged)
    return emitted, acknowledged


def in_parallel(function, *argument_lists):
    """Calls with the n-th argument of each list, some at a time; the results."""
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(function, *argument_lists))


def portions(count):
    whole, rest = divmod(count, LIVES_PER_FOLDER)
    return [LIVES_PER_FOLDER] * whole + ([rest] if rest else [])


class Kill(unittest.TestCase):
    def kill(self, count, shim):
        sizes = portions(count)
        results = in_parallel(kill_at_random, sizes, [shim] * len(sizes))
        emitted, acknowledged = (sum(column) for column in zip(*results))
        self.assertGreater(acknowledged, count, "hardly anything was durable: nothing was tested")
        return f"{count} kills, {emitted} events emitted, {acknowledged} of them handed out as durable"

    def test_nothing_durable_is_lost_by_a_kill_at_a_random_moment(self):
        say(self.kill(cut(800, 50, "kills at random moments"), shim=False) + ": none lost, none twice")

    @unittest.skipIf(SANITIZERS, "a preloaded library and a sanitizer do not go together")
    def test_nothing_durable_is_lost_when_the_disk_forgets_what_was_not_synced(self):
        say(self.kill(cut(200, 30, "kills with unsynced writes dropped"), shim=True) +
            ", unsynced writes dropped: none lost, none twice")


def damage_counts(journal):
    """Damage that loses no event: a table that is needed is gone."""
    with contextlib.closing(sqlite3.connect(journal.folder / "journal.db")) as database:
        database.execute("DROP TABLE count")
        database.commit()


# Every step, and how a life comes to it: arguments, and what is done before.
STEPS = {
    "taken": ([], None),
    "numbers-ahead": (["--burst", "11000"], None),
    "begun": ([], None),
    "written": ([], None),
    "committed": ([], None),
    "told": ([], None),
    "reserve-written": (["--fail", "3", "1000000"], None),
    "reserve-synced": (["--fail", "3", "1000000"], None),
    "reserve-cleared": (["--fail", "3", "4"], None),
    "recovery-copied": ([], damage_counts),
    "recovery-aside": ([], damage_counts),
    "recovery-replaced": ([], damage_counts),
}


def kill_at_step(step, count, shim):
    arguments, prepare = STEPS[step]
    with Journal(shim) as journal:
        journal.live(seconds=0.05, end=signal.SIGTERM)
        if prepare:
            prepare(journal)
        life = journal.live(*arguments, "--step", step, count, seconds=10)
        if life.status != -signal.SIGKILL:
            raise AssertionError(f"the life to be killed at {step} ended with {life.status}:\n{life.log}")
        journal.live(seconds=0.05, end=signal.SIGTERM)
        journal.live("--dump")


class Steps(unittest.TestCase):
    def test_every_named_step_is_known_here(self):
        sources = "".join(path.read_text() for path in pathlib.Path(SOURCE / "core").glob("*.c"))
        self.assertEqual(set(re.findall(r'journal_step\("([a-z-]+)"\)', sources)), set(STEPS))

    def steps(self, shim):
        cases = []
        for step, (_, prepare) in STEPS.items():
            counts = {1} if prepare or step == "reserve-cleared" else {1, 2, random.randint(3, 8)}
            if step == "numbers-ahead":
                counts = {1, 2}
            cases += [(step, count, shim) for count in sorted(counts)]
        in_parallel(kill_at_step, *zip(*cases))
        return len(cases)

    def test_nothing_durable_is_lost_by_a_kill_at_a_named_step(self):
        say(f"killed {self.steps(shim=False)} times at the {len(STEPS)} named steps of the writer")

    @unittest.skipIf(SANITIZERS, "a preloaded library and a sanitizer do not go together")
    def test_nor_when_the_disk_forgets_what_was_not_synced(self):
        self.steps(shim=True)


if __name__ == "__main__":
    unittest.main()
