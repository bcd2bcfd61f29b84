"""A table: row versions in the order in which they lie in the heap, chained from the older to the newer, and its primary key's index."""

from __future__ import annotations

from typing import final

from librt.vecs import vec
from mypy_extensions import i64

from playground.engine.columns import filled, grown, zeros
from playground.engine.mvcc.terms import NEVER, NO_KEY_UPDATE, PENDING
from playground.engine.state import State
from playground.engine.stores import KeyIndex

FIRST_LENGTH = 64


@final
class RowLock(State):
    """A transaction (by its xid) has locked a row version in a mode; it lasts until the transaction ends."""

    def __init__(self, xid: int, mode: int) -> None:
        self.xid = xid
        self.mode = mode


@final
class Table(State):
    """Versions of rows with ``width`` whole-number columns; the first one is the primary key, a number >= 0.

    A version is known by its position in the heap. It was made by a transaction (its xid, PostgreSQL's xmin) with commit number
    ``made_at`` (PENDING: not yet, NEVER: rolled back), and ended by an update or delete of another (xmax) at ``ended_at`` (NEVER:
    it lives). ``newer`` leads to the version that an update put in its place, ``sibling`` from the first version of a row to that of a
    later row with the same key (the earlier was deleted or rolled back).
    """

    def __init__(self, number: int, name: str, columns: list[str], keys_per_leaf: int, rows_per_page: int) -> None:
        self.number = number
        self.name = name
        self.columns = columns
        self.width: i64 = len(columns)
        self.keys_per_leaf: i64 = keys_per_leaf
        self.rows_per_page: i64 = rows_per_page
        self.index = KeyIndex()
        self.is_indexed: bool = False
        self.size: i64 = 0
        self.free: i64 = -1
        self.free_count: i64 = 0
        self.made_by: vec[i64] = zeros(FIRST_LENGTH)
        self.made_at: vec[i64] = zeros(FIRST_LENGTH)
        self.made_in: vec[i64] = zeros(FIRST_LENGTH)
        self.ended_by: vec[i64] = zeros(FIRST_LENGTH)
        self.ended_at: vec[i64] = filled(FIRST_LENGTH, NEVER)
        self.ended_in: vec[i64] = zeros(FIRST_LENGTH)
        self.ended_mode: vec[i64] = zeros(FIRST_LENGTH)
        self.newer: vec[i64] = filled(FIRST_LENGTH, -1)
        self.sibling: vec[i64] = filled(FIRST_LENGTH, -1)
        self.values: vec[i64] = zeros(FIRST_LENGTH * self.width)
        self.row_locks: dict[int, list[RowLock]] = {}
        # Those of them on which an exclusive lock or update has ended that was noted together with the locks that are left: the note (a
        # multixact) stays as it was, and reads as exclusive, until somebody is added to it.
        self.stale_notes: dict[int, bool] = {}
        # Versions that no later snapshot sees, in the order in which they came to that: what vacuum looks at.
        self.retired: list[int] = []
        self.vacuumed: i64 = 0

    def value(self, position: i64, column: i64) -> i64:
        """A column of a version."""
        return self.values[position * self.width + column]

    def set_value(self, position: i64, column: i64, value: i64) -> None:
        """Write a column of a version that is being made."""
        self.values[position * self.width + column] = value

    def row(self, position: i64) -> list[int]:
        """All columns of a version."""
        return [int(self.values[position * self.width + column]) for column in range(int(self.width))]

    def key(self, position: i64) -> i64:
        """The primary key of a version."""
        return self.values[position * self.width]

    def first_with(self, key: i64) -> i64:
        """The first version of the first row with ``key``, -1 where there is none. Others follow by ``sibling``."""
        return self.index.find(key)

    def new_version(self, xid: i64, command: i64) -> i64:
        """A place for a version made by ``xid`` in its ``command``: one that vacuum gave back, else at the end of the heap."""
        position = self.free
        if position >= 0:
            self.free = self.newer[position]
            self.free_count -= 1
        else:
            position = self.size
            self.size += 1
            if position >= len(self.made_by):
                self.lengthen(2 * position)
        self.made_by[position] = xid
        self.made_at[position] = PENDING
        self.made_in[position] = command
        self.ended_by[position] = 0
        self.ended_at[position] = NEVER
        self.newer[position] = -1
        self.sibling[position] = -1
        return position

    def lengthen(self, length: i64) -> None:
        """Make room for ``length`` versions."""
        self.made_by = grown(self.made_by, length)
        self.made_at = grown(self.made_at, length)
        self.made_in = grown(self.made_in, length)
        self.ended_by = grown(self.ended_by, length)
        self.ended_at = grown(self.ended_at, length, NEVER)
        self.ended_in = grown(self.ended_in, length)
        self.ended_mode = grown(self.ended_mode, length)
        self.newer = grown(self.newer, length, -1)
        self.sibling = grown(self.sibling, length, -1)
        self.values = grown(self.values, length * self.width)

    def enter(self, position: i64) -> None:
        """Enter the first version of a row into the index."""
        self.is_indexed = True
        key = self.key(position)
        first = self.index.find(key)
        if first < 0:
            self.index.put(key, position)
            return
        while self.sibling[first] >= 0:
            first = self.sibling[first]
        self.sibling[first] = position

    def load(self, row: list[int], xid: i64) -> i64:
        """Put in a row as committed before everything; its position. Raises ValueError for a key that is there, or is negative."""
        if row[0] < 0 or self.index.find(row[0]) >= 0:
            raise ValueError(f"{self.name}: the key {row[0]} is negative, or there twice")
        position = self.new_version(xid, 0)
        self.made_at[position] = 0
        for column, value in enumerate(row):
            self.set_value(position, column, value)
        self.enter(position)
        return position

    def end(self, position: i64, xid: i64, command: i64, mode: i64, newer: i64) -> None:
        """``xid`` updates (``newer`` is what it puts in place) or deletes (-1) a version, in a lock mode."""
        self.ended_by[position] = xid
        self.ended_at[position] = PENDING
        self.ended_in[position] = command
        self.ended_mode[position] = mode
        self.newer[position] = newer
        if self.stale_notes:
            self.stale_notes.pop(int(position), None)

    def undo_end(self, position: i64) -> None:
        """It was rolled back: the version lives."""
        self.ended_by[position] = 0
        self.ended_at[position] = NEVER
        self.newer[position] = -1
        if int(position) in self.row_locks:
            self.stale_notes[int(position)] = True

    def locks_on(self, position: i64) -> list[RowLock]:
        """The row locks on a version, in the order of xid; the list itself."""
        return self.row_locks.get(int(position), [])

    def add_lock(self, position: i64, xid: int, mode: int) -> bool:
        """Lock a version, or make its own lock as strong as ``mode``; whether it had none before."""
        locks = self.row_locks.get(int(position))
        if locks is None:
            self.row_locks[int(position)] = [RowLock(xid, mode)]
            return True
        for lock in locks:
            if lock.xid == xid:
                if mode > lock.mode:
                    lock.mode = mode
                    self.stale_notes.pop(int(position), None)
                return False
        self.stale_notes.pop(int(position), None)
        place = 0
        while place < len(locks) and locks[place].xid < xid:
            place += 1
        locks.insert(place, RowLock(xid, mode))
        return True

    def drop_lock(self, position: i64, xid: int) -> None:
        """The transaction ended: its lock on a version goes."""
        locks = self.row_locks.get(int(position))
        if locks is None:
            return
        left: list[RowLock] = []
        for lock in locks:
            if lock.xid != xid:
                left.append(lock)
            elif lock.mode >= NO_KEY_UPDATE:
                self.stale_notes[int(position)] = True
        if left:
            self.row_locks[int(position)] = left
        else:
            del self.row_locks[int(position)]
            self.stale_notes.pop(int(position), None)

    def retire(self, position: i64) -> None:
        """No snapshot taken from now on sees this version."""
        self.retired.append(int(position))

    def vacuum(self, oldest: i64) -> int:
        """Remove the versions that no snapshot sees any more, ``oldest`` being the commit number of the oldest; how many went."""
        gone = 0
        for position in self.retired:
            if self.ended_at[position] > oldest and self.made_at[position] != NEVER:
                break
            gone += 1
            self.remove(position)
        if gone:
            self.retired = self.retired[gone:]
            self.vacuumed += gone
        return gone

    def remove(self, position: i64) -> None:
        """Take the oldest version of a row, or one that never came to be, out of chain and index, and reuse its place."""
        key = self.key(position)
        first = self.index.find(key)
        before: i64 = -1
        while first >= 0 and first != position:
            before = first
            first = self.sibling[first]
        if first == position:
            heir = self.newer[position] if self.made_at[position] != NEVER else -1
            following = self.sibling[position]
            if heir >= 0:
                self.sibling[heir] = following
            else:
                heir = following
            if before >= 0:
                self.sibling[before] = heir
            else:
                self.index.drop(key)
                if heir >= 0:
                    self.index.put(key, heir)
        self.newer[position] = self.free
        self.made_by[position] = 0
        self.made_at[position] = NEVER
        self.free = position
        self.free_count += 1

    def live(self) -> list[int]:
        """Positions of the versions that are committed and not ended, in the order of the heap."""
        return [
            position
            for position in range(int(self.size))
            if self.made_at[position] < PENDING and self.ended_at[position] >= PENDING
        ]
