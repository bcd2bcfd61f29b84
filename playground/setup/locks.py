"""One set-up at a time: a lock on a file that ends with the process that holds it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playground.setup.steps import say


@contextmanager
def held(path: Path, *, while_waiting: str) -> Iterator[None]:
    """Hold the lock in `path`; says `while_waiting` once when somebody else has it, and waits for them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(while_waiting)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


class AlreadyRunning(Exception):
    """Somebody else claimed it; `words` is what they wrote down about themselves."""

    def __init__(self, path: Path, words: str) -> None:
        super().__init__(f"{path} is held: {words}")
        self.words = words


class Claim:
    """A file claimed until this process ends, with a line in it that says who claims it.

    A record lock (lockf), not flock: a forked child doesn't inherit it, so a worker that outlives the server keeps
    nobody out. Raises AlreadyRunning when another process has it.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            words = os.read(self._file, 4096).decode("utf-8", "replace").strip()
            os.close(self._file)
            raise AlreadyRunning(path, words) from error

    def write(self, words: str) -> None:
        """Say who holds it, for the next one to read."""
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, words.encode(), 0)
