# SPDX-License-Identifier: Apache-2.0
"""Lives of journal_driver in one folder, and what must hold from one to the next.

A life is a run of the driver (tests/integration/journal_driver.c) that ends in order or by SIGKILL. The driver says
what the journal holds, what it emits and what its cursor hands out; a Journal remembers that over all lives and checks:

* the first number of a life is larger than every number anybody has seen before;
* what the journal holds is in order of numbers, and says what was emitted under them;
* everything the cursor ever handed out is there;
* the cursor hands out in order, and leaves nothing out.
"""
import os
import pathlib
import random
import select
import shutil
import signal
import subprocess
import tempfile
import time

from support import BUILD, PATIENCE

DRIVER = BUILD / "tests" / "journal_driver"
SHIM = BUILD / "tests" / "journal_shim.so"


class Broken(AssertionError):
    """The journal did not keep what it promises."""


class Life:
    """What one run of the driver has said."""

    def __init__(self):
        self.first = None
        self.dumped = []
        self.emitted = []
        self.acknowledged = []
        self.gaps = []
        self.trouble = []
        self.samples = 0
        self.ready = False
        self.status = None
        self.log = ""

    def line(self, text):
        kind, _, rest = text.partition(" ")
        number, _, words = rest.partition(" ")
        if kind == "ready":
            self.ready = True
        elif kind == "f":
            self.first = int(number)
        elif kind == "t":
            self.trouble.append((number == "1", words))
        elif kind == "l":
            self.samples += 1
        else:
            {"d": self.dumped, "e": self.emitted, "a": self.acknowledged, "g": self.gaps}[kind].append(
                (int(number), words))


class Journal:
    """A folder with a journal, through all its lives. Use as a context manager."""

    def __init__(self, shim=False, folder=None):
        self._temporary = None if folder else tempfile.TemporaryDirectory(prefix="busbar-journal-")
        self.root = pathlib.Path(folder or self._temporary.name)
        self.folder = self.root / "state"
        self.folder.mkdir(exist_ok=True)
        self.durable = self.root / "durable"
        self.shim = shim
        if shim:
            self.durable.mkdir()
        self.emitted = {}
        self.acknowledged = {}
        self.lives = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._temporary:
            self._temporary.cleanup()

    def live(self, *arguments, until=None, seconds=None, end=signal.SIGKILL, check=True):
        """One life: ends with the signal @end after @seconds beyond being ready, or when @until(life) holds; without
        both it ends by itself."""
        environment = dict(os.environ)
        if self.shim:
            environment.update(LD_PRELOAD=str(SHIM), SHIM_FOLDER=str(self.folder), SHIM_DURABLE=str(self.durable))
        life = Life()
        with tempfile.TemporaryFile() as log:
            with subprocess.Popen([DRIVER, self.folder, "--options", "reserve: 64KiB", *map(str, arguments)],
                                  stdout=subprocess.PIPE, stderr=log, env=environment) as child:
                try:
                    self._follow(child, life, until, seconds, end)
                finally:
                    child.kill()
            life.status = child.returncode
            log.seek(0)
            life.log = log.read().decode("utf-8", "replace")
        if self.shim and life.status == -signal.SIGKILL:
            self._lose_what_was_not_synced()
        self.lives += 1
        self.remember(life, check)
        return life

    @staticmethod
    def _follow(child, life, until, seconds, end):
        deadline = time.monotonic() + 60 * PATIENCE
        ended = seconds is None and until is None
        end_at = None
        rest = b""
        while True:
            now = time.monotonic()
            if not ended and life.ready and seconds is not None and end_at is None:
                end_at = now + seconds
            if not ended and ((end_at is not None and now >= end_at) or (until and until(life))):
                child.send_signal(end)
                ended = True
            if now > deadline:
                raise Broken(f"the driver hangs; it said {life.__dict__}")
            wait = 0.01 if until else max(0, min(1, (end_at or now + 1) - now))
            if not select.select([child.stdout], [], [], 0.5 if ended else wait)[0]:
                continue
            data = os.read(child.stdout.fileno(), 1 << 16)
            if not data:
                child.wait()
                return
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                life.line(line.decode())

    def _lose_what_was_not_synced(self):
        """Put the folder into the state that a disk has after a power failure."""
        shutil.rmtree(self.folder)
        self.folder.mkdir()
        try:
            names = (self.durable / "names").read_text().splitlines()
        except FileNotFoundError:
            names = []
        for line in names:
            name, key = line.split(" ")
            try:
                shutil.copyfile(self.durable / key, self.folder / name)
            except FileNotFoundError:
                (self.folder / name).touch()  # the name was synced, nothing of what is in it
        shutil.rmtree(self.durable)
        self.durable.mkdir()

    def remember(self, life, check):
        if life.first is None:
            if life.status != -signal.SIGKILL:
                raise Broken(f"the driver ended with {life.status} before it began:\n{life.log}")
            return
        known = max(self.emitted, default=0)
        if life.first <= known:
            raise Broken(f"numbers begin at {life.first}, but {known} was used")
        if check and life.ready:
            self.check_content(life)
        for number, text in life.emitted:
            if number in self.emitted:
                raise Broken(f"number {number} was used twice: {self.emitted[number]} and {text}")
            self.emitted[number] = text
        if check:
            self.check_cursor(life)
        for number, text in life.acknowledged:
            self.acknowledged[number] = text

    def check_content(self, life):
        numbers = [number for number, _ in life.dumped]
        if any(a >= b for a, b in zip(numbers, numbers[1:])):
            raise Broken(f"out of order: {numbers}")
        there = dict(life.dumped)
        for number, text in self.acknowledged.items():
            if there.get(number) != text:
                raise Broken(f"{number} {text} was handed out as durable, the journal has {there.get(number)}")
        newest = max(self.acknowledged, default=0)
        for number, text in there.items():
            if number in self.emitted and self.emitted[number] != text:
                raise Broken(f"{number} was emitted as {self.emitted[number]}, the journal has {text}")
            if number <= newest and number not in self.acknowledged:
                raise Broken(f"the cursor has left out {number} {text}")

    def check_cursor(self, life):
        numbers = [number for number, _ in life.acknowledged]
        rewinds = sum(a >= b for a, b in zip(numbers, numbers[1:]))
        if rewinds:
            raise Broken(f"the cursor went back {rewinds} times: {numbers}")
        if numbers:
            newest = max(self.acknowledged, default=0)
            missing = [number for number, _ in life.dumped if newest < number < numbers[0]]
            if missing:
                raise Broken(f"the cursor began at {numbers[0]} and left out {missing}")


def random_moment(most=0.25):
    """Long enough for some commits, short enough for many lives."""
    return random.random() * most
