"""A statement: what it looks for, what it does with a row, and how far it has come."""

from __future__ import annotations

from librt.vecs import vec
from mypy_extensions import i64, mypyc_attr

from playground.engine.mvcc.table import Table
from playground.engine.mvcc.terms import (
    BY_KEY,
    DELETE,
    INSERT,
    MODIFY,
    NO_KEY_UPDATE,
    NO_LOCK,
    OUT_OF_RANGE,
    SELECT,
    UPDATE,
)
from playground.engine.state import State


@mypyc_attr(allow_interpreted_subclasses=True)
class Statement(State):
    """One statement on one table. Subclasses say which rows it is about, and what becomes of them.

    ``path`` is how the plan finds rows: BY_SCAN, BY_KEY with ``keys``, or BY_RANGE of keys from ``low`` to ``high``. ``lock_mode`` is
    the row lock of a SELECT (NO_LOCK: none). After it is done, ``found`` has the positions of the versions that it returned or wrote,
    in order, and ``count`` their number. It may be used again after :meth:`reset`.
    """

    def __init__(self, kind: i64, table: Table, path: i64, keys: list[int], lock_mode: i64 = NO_LOCK) -> None:
        self.kind: i64 = kind
        self.table = table
        self.path: i64 = path
        self.keys = keys
        self.low: i64 = 0
        self.high: i64 = 0
        if kind == MODIFY:
            lock_mode = NO_KEY_UPDATE
        elif kind == DELETE:
            lock_mode = UPDATE
        self.lock_mode: i64 = lock_mode
        self.found: list[int] = []
        self.count: i64 = 0
        # How far it has come, over every wait.
        self.phase: i64 = 0
        self.snapshot: i64 = -1
        self.candidates: list[int] = []
        self.at: i64 = 0
        self.key_at: i64 = 0
        self.current: i64 = -1
        self.held: i64 = -1
        self.moved: bool = False
        # The version that an update which it waits for has put in place.
        self.update: i64 = -1
        # PostgreSQL: those (by xid) who had locked the version that it waits for when it came to it, and have not been waited for yet.
        self.awaited: list[int] | None = None
        # InnoDB: its record locks' mode, and how much its transaction had done before it.
        self.mode: i64 = NO_LOCK
        self.made_before: i64 = 0
        self.ended_before: i64 = 0
        # InnoDB: whether the ends of its range are not of it.
        self.is_low_open: bool = False
        self.is_high_open: bool = False
        # What :meth:`matches` or :meth:`change` could not do, in the server's words, and the error's code.
        self.failure: str = ""
        self.failure_code: str = OUT_OF_RANGE
        # The failure of a row that its scan has found, and that it has not come to yet.
        self.later_failure: str = ""
        # Whether its new values may be ones that can't be held.
        self.may_fail: bool = False

    def matches(self, position: i64) -> bool:
        """Whether the WHERE clause is true of a version; False, with ``failure``, where it can't be told."""
        return True

    def change(self, position: i64) -> None:
        """Write the new values of an updated row into the version at ``position``, which has the old ones."""

    def try_change(self, position: i64) -> None:
        """Work out the new values of a row, for ``failure`` alone: PostgreSQL does so before it asks who has locked it."""

    def fill(self, position: i64) -> None:
        """Write the values of the row to insert into the version at ``position``."""

    def more_rows(self) -> bool:
        """INSERT: whether it has another row after the one just put in, which :meth:`fill` writes next."""
        return False

    def reset(self) -> None:
        """Begin anew."""
        if self.count:
            self.found = []
            self.count = 0
        self.phase = 0
        self.snapshot = -1
        self.at = 0
        self.key_at = 0
        self.current = -1
        self.held = -1
        self.moved = False
        self.update = -1
        self.awaited = None


class PointRead(Statement):
    """SELECT of one row by its key, with or without a row lock. ``value`` is its second column after that."""

    def __init__(self, table: Table, lock_mode: i64 = NO_LOCK) -> None:
        super().__init__(SELECT, table, BY_KEY, [0], lock_mode)

    def of(self, key: i64) -> PointRead:
        """Read that row next."""
        self.reset()
        self.keys[0] = int(key)
        return self

    def value(self, column: i64 = 1) -> i64:
        """A column of the row that was read; -1 when there was none."""
        return self.table.value(self.found[0], column) if self.count else -1


class PointAdd(Statement):
    """UPDATE of one row by its key: adds to a column, if the column is at least ``at_least`` and, when asked, another one as expected.

    ``UPDATE t SET stock = stock - 1 WHERE id = k AND stock >= 1`` is ``of(k, -1, 1)``; the optimistic check
    ``... SET stock = s, version = version + 1 WHERE id = k AND version = v`` is ``versioned(k, s, v)`` with a third column.
    """

    def __init__(self, table: Table, column: i64 = 1) -> None:
        super().__init__(MODIFY, table, BY_KEY, [0])
        self.column: i64 = column
        self.delta: i64 = 0
        self.at_least: i64 = 0
        self.sets: bool = False
        self.is_bounded: bool = False
        self.expected: i64 = -1

    def of(self, key: i64, delta: i64, at_least: i64, is_bounded: bool = True) -> PointAdd:
        """Add ``delta`` to a column that is at least ``at_least`` (when bounded)."""
        self.reset()
        self.keys[0] = int(key)
        self.delta = delta
        self.at_least = at_least
        self.is_bounded = is_bounded
        self.sets = False
        self.expected = -1
        return self

    def to(self, key: i64, value: i64) -> PointAdd:
        """Set the column, whatever it is: the second half of read-then-write."""
        self.of(key, value, 0, False)
        self.sets = True
        return self

    def versioned(self, key: i64, value: i64, expected: i64) -> PointAdd:
        """Set the column if the version column (the third) is still as expected; it grows by one."""
        self.to(key, value)
        self.expected = expected
        return self

    def matches(self, position: i64) -> bool:
        """As the WHERE clause says."""
        table = self.table
        if self.expected >= 0 and table.value(position, 2) != self.expected:
            return False
        return not self.is_bounded or table.value(position, self.column) >= self.at_least

    def change(self, position: i64) -> None:
        """As the SET clause says."""
        table = self.table
        value = self.delta if self.sets else table.value(position, self.column) + self.delta
        table.set_value(position, self.column, value)
        if self.expected >= 0:
            table.set_value(position, 2, self.expected + 1)


class PointReplace(Statement):
    """UPDATE of one row by its key: every column is given."""

    def __init__(self, table: Table) -> None:
        super().__init__(MODIFY, table, BY_KEY, [0])
        self.row: list[int] = []

    def by(self, row: list[int]) -> PointReplace:
        """Put that row in the place of the one with its key next."""
        self.reset()
        self.row = row
        self.keys[0] = row[0]
        return self

    def change(self, position: i64) -> None:
        """As the SET clause says."""
        for column, value in enumerate(self.row):
            self.table.set_value(position, column, value)


class PointInsert(Statement):
    """INSERT of one row."""

    def __init__(self, table: Table) -> None:
        super().__init__(INSERT, table, BY_KEY, [0])
        self.row: list[int] = []

    def of(self, row: list[int]) -> PointInsert:
        """Insert that row next."""
        self.reset()
        self.row = row
        self.keys[0] = row[0]
        return self

    def fill(self, position: i64) -> None:
        """As VALUES says."""
        for column, value in enumerate(self.row):
            self.table.set_value(position, column, value)


class PointDelete(Statement):
    """DELETE of one row by its key."""

    def __init__(self, table: Table) -> None:
        super().__init__(DELETE, table, BY_KEY, [0])

    def of(self, key: i64) -> PointDelete:
        """Delete that row next."""
        self.reset()
        self.keys[0] = int(key)
        return self


def copied(table: Table, old: i64, new: i64) -> None:
    """Give a new version the values of the old one."""
    values: vec[i64] = table.values
    width = table.width
    column: i64 = 0
    while column < width:
        values[new * width + column] = values[old * width + column]
        column += 1
