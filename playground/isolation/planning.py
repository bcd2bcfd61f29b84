"""How a statement finds its rows: by a small table's plan as PostgreSQL makes it, and what the core is to do with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mypy_extensions import i64

from playground.engine.mvcc.statement import Statement
from playground.engine.mvcc.table import Table
from playground.engine.mvcc.terms import (
    BY_KEY,
    BY_RANGE,
    BY_SCAN,
    DELETE,
    INSERT,
    LOCK_MODES,
    MODIFY,
    NO_LOCK,
    SELECT,
)
from playground.isolation.expressions import always
from playground.isolation.syntax import Delete, Expression, Insert, Row, Select, Update

PATH_NAMES: Final = ["table scan", "index, by key", "index, range of keys"]
KEY_MAX: Final = 2**31
VALUE_MAX: Final = 2**31 - 1


@dataclass(frozen=True)
class Path:
    """An access path: BY_SCAN, BY_KEY with keys, or BY_RANGE from ``low`` to ``high``."""

    path: int
    keys: tuple[int, ...] = ()
    low: int = 0
    high: int = 0


def path_of(where: Expression | None, key: str, is_indexed: bool = True, is_clustered: bool = False) -> Path:
    """The path that PostgreSQL takes for a small table that was never analysed, without bitmap and index-only scans.

    The primary key equals a constant, or one of a list: by key, through the index. It lies between two: a range of the index. All else, a
    bound on one side included, is a scan of the table. ``is_indexed`` off: always a scan. ``is_clustered``: the table is its primary
    key's index, as InnoDB's is, so that a bound on one side is a range.
    """
    if where is None or not is_indexed:
        return Path(BY_SCAN)
    low, high = None, None
    parts = where.conjuncts or (where,)
    equal = [part.comparison[2] for part in parts if part.comparison and part.comparison[:2] == (key, "=")]
    listed = [part.among[1] for part in parts if part.among and part.among[0] == key]
    if equal:
        return Path(BY_KEY, (equal[0],) if len(set(equal)) == 1 else ())
    if listed:
        return Path(BY_KEY, tuple(listed[0]))
    for part in parts:
        if part.comparison and part.comparison[0] == key:
            sign, value = part.comparison[1:]
            if sign in (">", ">="):
                bound = value + (sign == ">")
                low = bound if low is None else max(low, bound)
            elif sign in ("<", "<="):
                bound = value - (sign == "<")
                high = bound if high is None else min(high, bound)
    if is_clustered and (low is not None or high is not None):
        low, high = low or 0, KEY_MAX if high is None else high
    if low is not None and high is not None:
        return Path(BY_RANGE, (), max(low, 0), min(high, KEY_MAX))
    return Path(BY_SCAN)


class LabStatement(Statement):
    """A statement of a script, for the core."""

    def __init__(
        self,
        command: Select | Insert | Update | Delete,
        table: Table,
        is_indexed: bool = True,
        is_clustered: bool = False,
    ) -> None:
        self.where = always
        lock_mode = NO_LOCK
        path = Path(BY_SCAN)
        if not isinstance(command, Insert):
            path = path_of(command.where, table.columns[0], is_indexed, is_clustered)
            self.where = always if command.where is None else command.where.of  # type: ignore[assignment]
        if isinstance(command, Select):
            kind = SELECT
            if command.lock is not None:
                lock_mode = LOCK_MODES.index(command.lock)
        else:
            kind = INSERT if isinstance(command, Insert) else MODIFY if isinstance(command, Update) else DELETE
        super().__init__(kind, table, path.path, [key for key in path.keys if key >= 0], lock_mode)
        self.low = path.low
        self.high = path.high
        self.command = command
        self.put = 0
        self.assignments: list[tuple[int, Expression]] = []
        if isinstance(command, Update):
            self.assignments = [(table.columns.index(name), value) for name, value in command.assignments]

    def matches(self, position: i64) -> bool:
        """Whether the WHERE clause is true of a version."""
        return bool(self.where(self.table.row(position)))

    def change(self, position: i64) -> None:
        """As the SET clause says, every expression over the old row."""
        old: Row = self.table.row(position)
        for column, expression in self.assignments:
            value = expression.of(old)
            if abs(value) > VALUE_MAX:
                self.failure = OUT_OF_RANGE
                return
            self.table.set_value(position, column, value)

    def fill(self, position: i64) -> None:
        """The next row of VALUES."""
        assert isinstance(self.command, Insert)
        for column, value in enumerate(self.command.rows[self.put]):
            self.table.set_value(position, column, value)

    def more_rows(self) -> bool:
        """Whether VALUES has another row."""
        assert isinstance(self.command, Insert)
        self.put += 1
        return self.put < len(self.command.rows)


OUT_OF_RANGE: Final = "integer out of range"
