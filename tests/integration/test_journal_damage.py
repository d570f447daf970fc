# SPDX-License-Identifier: Apache-2.0
"""Truncated and overwritten databases, a full disk, and the order of syncing and telling: the journal starts, keeps
what it can, says what it lost, and never tells before the disk has it."""
import contextlib
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

from support import BUILD, cut, program, say
from journal_lives import DRIVER, Journal
from test_journal_kill import in_parallel

# What the journal says about numbers that are missing.
RANGES = (
    re.compile(r"events? (?:numbers )?(\d+) to (\d+) (?:are lost|were not used)"),
    re.compile(r"those between numbers (\d+) and (\d+) are lost"),
    re.compile(r"those after number (\d+)() are lost"),
)


def ranges_in(text):
    for pattern in RANGES:
        for first, last in pattern.findall(text):
            yield int(first), int(last) if last else 1 << 63


class Original:
    """A folder with a database of many pages, and a log beside it that was not yet moved into it."""

    def __init__(self, root):
        with Journal(folder=root) as journal:
            journal.live("--burst", "2000", until=lambda life: len(life.acknowledged) == 2000, end=signal.SIGTERM)
            journal.live("--every", "1", until=lambda life: len(life.acknowledged) > 200)
        self.folder = journal.folder
        self.emitted = dict(journal.emitted)
        self.acknowledged = dict(journal.acknowledged)

    def size(self, name):
        return (self.folder / name).stat().st_size


class Damage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls._root = tempfile.TemporaryDirectory(prefix="busbar-journal-")
        cls.addClassCleanup(cls._root.cleanup)
        cls.original = Original(cls._root.name)

    def survives(self, damage):
        """Lives on after damage(folder). Returns how many events were lost."""
        with Journal() as journal:
            shutil.rmtree(journal.folder)
            shutil.copytree(self.original.folder, journal.folder)
            journal.emitted = dict(self.original.emitted)
            damage(journal.folder)
            # Whatever is damaged is found by reading everything; what comes then is kept.
            life = journal.live(until=lambda life: len(life.emitted) > 5 and life.acknowledged and
                                life.acknowledged[-1][0] >= life.emitted[5][0] and
                                (not life.trouble or not life.trouble[-1][0]), check=False)
            after = journal.live("--dump", check=False)
            there = dict(after.dumped)
            numbers = [number for number, _ in after.dumped]
            self.assertEqual(numbers, sorted(set(numbers)))
            for number, text in there.items():
                self.assertEqual(text, journal.emitted.get(number, text))
            for number, text in life.acknowledged:
                if number >= life.first:
                    self.assertEqual(there.get(number), text, f"of the life after the damage; it said {life.log}")
            missing = [number for number in self.original.acknowledged if number not in there]
            told = list(ranges_in("\n".join(text for text in there.values())))
            for number in missing:
                self.assertTrue(any(first <= number <= last for first, last in told),
                                f"{number} is missing, and nobody says so: {told}\n{life.log}")
            return len(missing)

    def survive_all(self, damages, what):
        lost = in_parallel(self.survives, damages)
        say(f"{len(damages)} {what}: started each time, {sum(not count for count in lost)} times without a loss, else "
            f"up to {max(lost)} of {len(self.original.acknowledged)} events lost, all of them said")
        return lost

    def test_a_truncated_database_starts_keeps_what_it_can_and_says_what_it_lost(self):
        damages = []
        for _ in range(cut(200, 20, "truncations of database and log")):
            name = random.choice(("journal.db", "journal.db-wal"))
            offset = random.randrange(self.original.size(name))
            damages.append(lambda folder, name=name, offset=offset: os.truncate(folder / name, offset))
        damages.append(lambda folder: os.truncate(folder / "journal.db", 0))
        damages.append(lambda folder: (folder / "journal.db").unlink())
        lost = self.survive_all(damages, "truncations")
        self.assertGreater(max(lost), 0, "nothing was ever lost: nothing was tested")
        self.assertLess(min(lost), len(self.original.acknowledged), "nothing was ever kept")

    def test_overwritten_pages_start_keep_what_they_can_and_say_what_they_lost(self):
        pages = self.original.size("journal.db") // 4096
        damages = []

        def overwrite(folder, page, content):
            with open(folder / "journal.db", "r+b") as file:
                file.seek(page * 4096)
                file.write(content)

        for _ in range(cut(60, 12, "overwritten pages")):
            page, content = random.randrange(pages), random.choice((bytes(4096), random.randbytes(4096)))
            damages.append(lambda folder, page=page, content=content: overwrite(folder, page, content))
        lost = self.survive_all(damages, "overwritten pages")
        self.assertLess(min(lost), len(self.original.acknowledged))

    def test_the_damaged_database_is_set_aside(self):
        with Journal() as journal:
            shutil.rmtree(journal.folder)
            shutil.copytree(self.original.folder, journal.folder)
            os.truncate(journal.folder / "journal.db", 40000)
            (journal.folder / "journal.db-wal").unlink()
            life = journal.live("--dump", check=False)
            self.assertRegex(life.log, r"journal was damaged: \d+ events and 0 samples could be read")
            aside, = journal.folder.glob("journal-damaged-*.db")
            self.assertEqual(aside.stat().st_size, 40000)


@contextlib.contextmanager
def small_disk(size):
    """A folder on a disk of its own."""
    if os.geteuid() != 0:
        raise unittest.SkipTest("must be root to mount a small disk")
    with tempfile.TemporaryDirectory(prefix="busbar-disk-") as folder:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True,
                              text=True, check=False)
        if done.returncode != 0:
            raise unittest.SkipTest(f"cannot mount a small disk: {done.stderr.strip()}")
        try:
            yield pathlib.Path(folder)
        finally:
            subprocess.run(["umount", folder], check=True)


def fill(path):
    with open(path, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass


class FullDisk(unittest.TestCase):
    def test_events_go_on_in_memory_and_reserve_and_come_back_in_order(self):
        with small_disk("1m") as disk, Journal(folder=disk) as journal:
            journal.live(seconds=0.1, end=signal.SIGTERM)
            filler = disk / "filler"
            counts = {}

            def story(life):
                """Fills the disk, sees events being told all the same, makes room, sees the trouble end."""
                told = len(life.acknowledged)
                if "filled" not in counts:
                    fill(filler)
                    counts["filled"] = told
                if life.trouble and "trouble" not in counts:
                    counts["trouble"] = told
                if "trouble" in counts and told > counts["trouble"] + 60 and filler.exists():
                    filler.unlink()
                return len(life.trouble) > 1 and not life.trouble[-1][0] and told > counts["trouble"] + 100

            life = journal.live("--every", "2", until=story)
            self.assertIn("No space left on device", life.trouble[0][1])
            journal.live("--dump")
            say("full disk: events told from memory, all of them in the database when there was room again")

    def test_a_kill_on_a_full_disk_loses_nothing_that_the_reserve_holds(self):
        with small_disk("1m") as disk, Journal(folder=disk) as journal:
            journal.live(seconds=0.1, end=signal.SIGTERM)
            filler = disk / "filler"
            fill(filler)
            life = journal.live("--every", "2", until=lambda life: life.trouble and len(life.acknowledged) > 50)
            self.assertEqual([active for active, _ in life.trouble], [True])
            journal.live("--every", "2", until=lambda life: life.trouble and len(life.acknowledged) > 20, check=False)
            filler.unlink()
            journal.live("--dump")

    def test_what_finds_no_room_at_all_is_said(self):
        with Journal() as journal:
            journal.live("--burst", "30000", "--fail-until-lost",
                         until=lambda life: len(life.trouble) > 1 and not life.trouble[-1][0] and
                         any("there was no room" in text for _, text in life.acknowledged), check=False)
            after = journal.live("--dump", check=False)
            there = dict(after.dumped)
            missing = [number for number in journal.emitted if number not in there]
            (first, last), = ranges_in("\n".join(text for text in there.values() if "there was no room" in text))
            self.assertEqual(missing, list(range(first, last + 1)))
            self.assertGreater(len(missing), 5000)


class Order(unittest.TestCase):
    def test_every_event_is_synced_before_the_cursor_hands_it_out(self):
        strace = program("strace")
        if BUILD.name in ("asan", "tsan"):
            self.skipTest("leak checking and tracing do not go together")
        with tempfile.TemporaryDirectory(prefix="busbar-journal-") as folder:
            trace = pathlib.Path(folder) / "trace"
            state = pathlib.Path(folder) / "state"
            state.mkdir()
            with subprocess.Popen([strace, "-f", "-y", "-s", "100000", "-o", trace, "-e",
                                   "trace=write,pwrite64,fdatasync,fsync", DRIVER, state, "--every", "20"],
                                  stdout=subprocess.PIPE, text=True) as child:
                driver = None
                told = []
                for line in child.stdout:
                    if line.startswith("a "):
                        told.append(line.split()[2])
                        driver = int(told[0].split("-")[0])
                    if len(told) == 40:
                        os.kill(driver, signal.SIGTERM)
                        break
                child.stdout.read()
                child.wait()
            lines = trace.read_text(errors="replace").splitlines()
            for text in told:
                self.check_order(lines, text)
            say(f"{len(told)} events traced: each was synced before it was told to who must not lose it")

    def check_order(self, lines, text):
        written = synced = None
        waiting = {}  # thread: it syncs the log, since before or after the event was written
        event = re.compile(re.escape(text) + r"(?!\d)")
        for index, line in enumerate(lines):
            thread, call = line.split(maxsplit=1)
            if written is None and call.startswith("pwrite64(") and "journal.db-wal>" in call and event.search(call):
                written = index
            elif call.startswith("fdatasync(") and "journal.db-wal>" in call:
                if call.endswith("= 0"):
                    synced = synced or (written is not None and index)
                else:
                    waiting[thread] = written is not None
            elif "fdatasync resumed" in call and call.endswith("= 0"):
                synced = synced or (waiting.pop(thread, False) and index)
            elif call.startswith("write(1<") and re.search(rf'"a \d+ {re.escape(text)}\\n"', call):
                self.assertTrue(synced,
                                f"{text} was told in line {index} of the trace, written in {written}, not synced")
                return
        self.fail(f"{text} was told, but not in the trace")


if __name__ == "__main__":
    unittest.main()
