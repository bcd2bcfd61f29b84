"""The write-ahead log: records with positions, in a ring that forgets what nobody needs any more; and what one branch of it is.

A position (PostgreSQL's LSN, counted in records) names a record on the cluster's legitimate history. A node's copy of that history is a
prefix, so three positions say all about it: written, flushed, applied. A node that has records beyond the point at which a new leader
took over keeps these in a branch of its own, a :class:`Fork`, until it is rewound.
"""

from __future__ import annotations

from typing import final

from librt.vecs import vec
from mypy_extensions import i64

from playground.blocks.sql_database.states import COPIED, UNBOUNDED
from playground.engine.columns import zeros
from playground.engine.state import State
from playground.engine.stores import FIFO, Evicting


def writer_of(user: i64) -> i64:
    """Who wrote what a record says, by its ``user``; of a copied row, who wrote it where it came from (-1: nobody knows)."""
    return user if user > COPIED else COPIED - user - 1


@final
class Log(State):
    """Records at positions ``base`` + 1 to ``end``; those up to ``visible`` are committed, so that everybody on this branch sees them.

    Columns by slot, see :meth:`slot`: ``key``; ``version`` that the record makes (negative: it deletes) and the one ``before``;
    ``previous`` record of the same key on this branch (0: none that is known); ``user`` who wrote; ``call`` that waits for the
    commit (-1: none); ``committed`` and ``acked`` (told to the caller), ns, 0 while it isn't; ``before_at``, when the version
    before was committed (until its own commit, of a row that was copied: when that was committed where it came from); ``before_by``, the
    same of :attr:`Rows.by`. Of a copied row ``acked`` is when its write was acknowledged where it came from. It is negative as long as this
    database doesn't answer for the row: the record may be lost, and the write is not.
    """

    def __init__(self, base: i64) -> None:
        self.base: i64 = base
        self.end: i64 = base
        self.visible: i64 = base
        self.mask: i64 = 63
        self.key: vec[i64] = zeros(64)
        self.version: vec[i64] = zeros(64)
        self.before: vec[i64] = zeros(64)
        self.previous: vec[i64] = zeros(64)
        self.user: vec[i64] = zeros(64)
        self.call: vec[i64] = zeros(64)
        self.committed: vec[i64] = zeros(64)
        self.acked: vec[i64] = zeros(64)
        self.before_at: vec[i64] = zeros(64)
        self.before_by: vec[i64] = zeros(64)

    def slot(self, position: i64) -> i64:
        """Where the record at ``position`` stands in the columns; it must be kept."""
        return position & self.mask

    def is_full(self) -> bool:
        """Whether the next record takes a larger ring, unless some are trimmed."""
        return self.end - self.base > self.mask

    def append(self, key: i64, version: i64, before: i64, previous: i64, user: i64, call: i64) -> i64:
        """Add a record; its position."""
        if self.is_full():
            self.grow()
        position = self.end + 1
        self.end = position
        slot = position & self.mask
        self.key[slot] = key
        self.version[slot] = version
        self.before[slot] = before
        self.previous[slot] = previous
        self.user[slot] = user
        self.call[slot] = call
        self.committed[slot] = 0
        self.acked[slot] = 0
        self.before_at[slot] = 0
        return position

    def trim(self, upto: i64) -> None:
        """Forget the records up to ``upto``."""
        if upto > self.base:
            self.base = upto

    def grow(self) -> None:
        """Double the ring."""
        old = self.mask + 1
        new = 2 * old
        self.key = self.spread(self.key, new)
        self.version = self.spread(self.version, new)
        self.before = self.spread(self.before, new)
        self.previous = self.spread(self.previous, new)
        self.user = self.spread(self.user, new)
        self.call = self.spread(self.call, new)
        self.committed = self.spread(self.committed, new)
        self.acked = self.spread(self.acked, new)
        self.before_at = self.spread(self.before_at, new)
        self.before_by = self.spread(self.before_by, new)
        self.mask = new - 1

    def spread(self, column: vec[i64], length: i64) -> vec[i64]:
        """A column in a ring of ``length`` slots."""
        wider = zeros(length)
        position = self.base + 1
        while position <= self.end:
            wider[position & (length - 1)] = column[position & self.mask]
            position += 1
        return wider

    def copy(self, source: Log, position: i64, previous: i64) -> i64:
        """Add a record like the one at ``position`` of another branch; its position here."""
        there = source.slot(position)
        made = self.append(
            source.key[there],
            source.version[there],
            source.before[there],
            previous,
            source.user[there],
            source.call[there],
        )
        slot = self.slot(made)
        self.committed[slot] = source.committed[there]
        self.acked[slot] = source.acked[there]
        self.before_at[slot] = source.before_at[there]
        self.before_by[slot] = source.before_by[there]
        if self.committed[slot] > 0:
            self.visible = made
        return made


@final
class Fork(State):
    """What one node has beyond the point ``start`` at which a new leader took over: records that nobody else will ever have."""

    def __init__(self, start: i64) -> None:
        self.start: i64 = start
        self.log = Log(start)
        self.told: bool = False
        # The latest record of each key that is written here.
        self.last = Evicting(UNBOUNDED, FIFO)

    def last_of(self, key: i64) -> i64:
        """The position of the latest record of ``key`` on this branch, 0 where there is none."""
        entry = self.last.find(key)
        return self.last.version[entry] if entry >= 0 else 0

    def take(self, source: Log, first: i64, last: i64) -> None:
        """Add the records at ``first`` to ``last`` of another branch."""
        position = first
        while position <= last:
            key = source.key[source.slot(position)]
            made = self.log.copy(source, position, self.last_of(key))
            self.last.put(key, made, 0, 0)
            position += 1

    def cut(self, upto: i64) -> None:
        """The branch ends at ``upto`` now: the rest was not flushed when its node crashed."""
        log = self.log
        position = log.end
        while position > upto and position > self.start:
            slot = log.slot(position)
            self.last.put(log.key[slot], log.previous[slot], 0, 0)
            position -= 1
        log.end = position
        if log.visible > position:
            log.visible = position

    def version_at(self, key: i64, applied: i64) -> i64:
        """The version of ``key`` that a node sees which has applied this branch up to ``applied``; 0 where no record here says so."""
        log = self.log
        position = self.last_of(key)
        while position > applied:
            position = log.previous[log.slot(position)]
        return log.version[log.slot(position)] if position > self.start else 0


@final
class Fifo(State):
    """Numbers that come out in the order in which they were put in."""

    def __init__(self) -> None:
        self.items: vec[i64] = zeros(16)
        self.first: i64 = 0
        self.size: i64 = 0

    def push(self, value: i64) -> None:
        """Put one in."""
        length: i64 = len(self.items)
        if self.size >= length:
            wider = zeros(2 * length)
            index: i64 = 0
            while index < length:
                wider[index] = self.items[(self.first + index) % length]
                index += 1
            self.items = wider
            self.first = 0
            length = 2 * length
        self.items[(self.first + self.size) % length] = value
        self.size += 1

    def pop(self) -> i64:
        """Take the first one out. There must be one."""
        value = self.items[self.first]
        self.first = (self.first + 1) % len(self.items)
        self.size -= 1
        return value

    def clear(self) -> None:
        """Forget all."""
        self.first = 0
        self.size = 0
