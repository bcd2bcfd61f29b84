"""A database's changes in the order of their commits, kept for those who read along: an index, a copy that catches up.

As PostgreSQL's replication slots do it: a reader opens a slot, confirms how far it has come, and what no slot needs any more goes. With
no slot open nothing is kept.
"""

from __future__ import annotations

from typing import Final, final

from librt.vecs import append, vec
from mypy_extensions import i64

from playground.engine.columns import zeros
from playground.engine.state import State

CHANGES_KEPT_MAX: Final = 1_048_576
"""A reader that lies further behind loses its slot, as with ``max_slot_wal_keep_size``: it has to begin from a copy of everything."""

FREE: Final = -1


@final
class ChangeLog(State):
    """Entries at positions ``start`` to ``end`` - 1. An entry is a key, its new version (negative: deleted at that one), and when, ns.

    Where a failover has cut the history behind something that is in here already, an entry takes it back: ``undone`` is the version that is
    no more, and the new version is the one before. (A reader that has come past the point where the new timeline begins knows what it
    read there, and looks these rows up again.)
    """

    def __init__(self) -> None:
        self.start: i64 = 0
        self.end: i64 = 0
        # By slot: the first position that its reader has not confirmed, FREE where there is no reader.
        self.slot: vec[i64] = vec[i64]()
        self.readers: i64 = 0
        # A ring: position & mask.
        self.mask: i64 = 1023
        self.key: vec[i64] = zeros(1024)
        self.version: vec[i64] = zeros(1024)
        self.at: vec[i64] = zeros(1024)
        self.undone: vec[i64] = zeros(1024)

    def open(self) -> i64:
        """A slot for a reader of what comes from now on; its number."""
        if self.readers == 0:
            self.start = self.end
        self.readers += 1
        number: i64 = 0
        while number < len(self.slot):
            if self.slot[number] == FREE:
                self.slot[number] = self.end
                return number
            number += 1
        self.slot = append(self.slot, self.end)
        return number

    def close(self, number: i64) -> None:
        """The reader of a slot has gone."""
        self.slot[number] = FREE
        self.readers -= 1
        self.trim()

    def position(self, number: i64) -> i64:
        """The first position that a slot's reader has not confirmed."""
        return self.slot[number]

    def is_lost(self, number: i64) -> bool:
        """Whether entries that a slot's reader needs are gone."""
        return self.slot[number] < self.start

    def confirm(self, number: i64, position: i64) -> None:
        """A reader needs nothing before ``position`` any more."""
        if position > self.slot[number]:
            self.slot[number] = position
            self.trim()

    def trim(self) -> None:
        """Let go of what nobody needs."""
        least = self.end
        number: i64 = 0
        while number < len(self.slot):
            if self.slot[number] != FREE and self.slot[number] < least:
                least = self.slot[number]
            number += 1
        if least > self.start:
            self.start = least

    def add(self, key: i64, version: i64, now: i64, undone: i64 = 0) -> None:
        """A change of ``key`` was committed at ``now``; or version ``undone`` of it is gone, and it has ``version`` again."""
        position = self.end
        self.end = position + 1
        if self.readers == 0:
            self.start = self.end
            return
        if self.end - self.start > self.mask + 1:
            if self.mask + 1 < CHANGES_KEPT_MAX:
                self.widen()
            else:
                self.start += 1
        index = position & self.mask
        self.key[index] = key
        self.version[index] = version
        self.at[index] = now
        self.undone[index] = undone

    def widen(self) -> None:
        """Twice as much room."""
        length: i64 = 2 * (self.mask + 1)
        keys = zeros(length)
        versions = zeros(length)
        times = zeros(length)
        undone = zeros(length)
        position = self.start
        while position < self.end - 1:
            old = position & self.mask
            new = position & (length - 1)
            keys[new] = self.key[old]
            versions[new] = self.version[old]
            times[new] = self.at[old]
            undone[new] = self.undone[old]
            position += 1
        self.mask = length - 1
        self.key = keys
        self.version = versions
        self.at = times
        self.undone = undone

    def key_at(self, position: i64) -> i64:
        """Which key was changed there."""
        return self.key[position & self.mask]

    def version_at(self, position: i64) -> i64:
        """The version that it got, negative where it was deleted."""
        return self.version[position & self.mask]

    def undone_at(self, position: i64) -> i64:
        """The version that is no more, 0 where the entry is a change like others."""
        return self.undone[position & self.mask]

    def time_at(self, position: i64) -> i64:
        """When, ns."""
        return self.at[position & self.mask]
