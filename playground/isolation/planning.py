"""How a statement finds its rows: by a small table's plan as PostgreSQL makes it, and what the core is to do with them."""

from __future__ import annotations

from collections.abc import Sequence
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
from playground.isolation.algebra import canonical, equalities, ordered
from playground.isolation.costs import bounds_of, is_list_looked_up
from playground.isolation.expressions import always
from playground.isolation.syntax import Delete, Expression, Insert, Row, Select, Update

PATH_NAMES: Final = ["table scan", "index, by key", "index, range of keys"]
KEY_MAX: Final = 2**31
NO_KEY: Final = -2
INT: Final = 2**31
WIDE: Final = 2**63
"""The first numbers that arithmetic can't hold: PostgreSQL's on columns of 4 bytes has 4 bytes, MySQL's has 8."""
BIGINT_RANGE_ERROR: Final = "1690"
COLUMN_RANGE_ERROR: Final = "1264"


@dataclass(frozen=True)
class Path:
    """An access path: BY_SCAN, BY_KEY with keys, or BY_RANGE of whole numbers from ``low`` to ``high``.

    ``is_low_open`` and ``is_high_open``: that end is written with > or <, or there is none.
    """

    path: int
    keys: tuple[int, ...] = ()
    low: int = 0
    high: int = 0
    is_low_open: bool = False
    is_high_open: bool = False


def path_of(
    where: Expression | None,
    key: str,
    is_indexed: bool = True,
    is_clustered: bool = False,
    columns: int = 2,
    has_leaf: bool = True,
) -> Path:
    """The path that PostgreSQL takes for a small table that was never analysed, without bitmap and index-only scans.

    The primary key equals a constant, or one of a list: by key, through the index. It lies between two: a range of the index. All else, a
    bound on one side included, is a scan of the table; so is a list so long that a scan of a table of that many ``columns`` costs less
    (``has_leaf`` off: nothing was ever put into it). A condition that no row can meet, such as that it equals two constants, is seen
    before anything is read: by key, with no keys. ``is_indexed`` off: always a scan. ``is_clustered``: the table is its primary key's
    index, as InnoDB's is, so that a bound on one side is a range.
    """
    if where is None:
        return Path(BY_SCAN)
    where = canonical(where)
    parts = where.conjuncts or (where,)
    equal = equalities(parts)
    if equal is None or where.constant == 0:
        return Path(BY_KEY)
    if not is_indexed:
        return Path(BY_SCAN)
    if key in equal:
        return Path(BY_KEY, (equal[key],))
    listed = [part for part in parts if part.among and part.among[0] == key]
    if listed:
        return list_path(listed[0], parts, columns, is_clustered, has_leaf)
    bounds = [part.comparison[1:] for part in parts if part.comparison and part.comparison[0] == key]
    return clustered_range(bounds) if is_clustered else index_range(bounds)


def list_path(
    listed: Expression, parts: Sequence[Expression], columns: int, is_clustered: bool, has_leaf: bool
) -> Path:
    """By key for an IN list of the primary key, unless PostgreSQL takes it that so many look-ups cost more than a scan."""
    assert listed.among is not None and listed.listed is not None
    key, keys = listed.among
    served = [part for part in parts if part is listed or (part.comparison and part.comparison[0] == key)]
    bounds = bounds_of([part.comparison[1] for part in served if part.comparison])
    condition = sum(part.cost for part in parts)
    rest = condition - sum(part.cost for part in served)
    is_served = is_clustered or is_list_looked_up(len(listed.listed[1]), columns, condition, rest, bounds, has_leaf)
    return Path(BY_KEY, keys) if is_served else Path(BY_SCAN)


def index_range(bounds: Sequence[tuple[str, int]]) -> Path:
    """The range of an index between two bounds, each a sign and a constant; a scan where one of them isn't there."""
    low = [value + (sign == ">") for sign, value in bounds if sign in (">", ">=")]
    high = [value - (sign == "<") for sign, value in bounds if sign in ("<", "<=")]
    if not low or not high:
        return Path(BY_SCAN)
    return Path(BY_RANGE, (), max(*low, 0), min(*high, KEY_MAX))


def clustered_range(bounds: Sequence[tuple[str, int]]) -> Path:
    """The range of the table itself; MySQL's optimizer makes one row of a range with one key, and nothing of a range that has none."""
    low = max(((value, sign == ">") for sign, value in bounds if sign in (">", ">=")), default=None)
    high = min(((value, sign != "<") for sign, value in bounds if sign in ("<", "<=")), default=None)
    if low is None and high is None:
        return Path(BY_SCAN)
    first, is_low_open = (-1, True) if low is None else low
    last, is_high_closed = (KEY_MAX, False) if high is None else high
    if first > last or (first == last and (is_low_open or not is_high_closed)):
        return Path(BY_KEY)
    if first == last:
        return Path(BY_KEY, (first,))
    is_low_open = is_low_open or first < 0
    return Path(
        BY_RANGE,
        (),
        max(first + is_low_open, 0),
        last - (not is_high_closed and high is not None),
        is_low_open,
        not is_high_closed,
    )


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
        self.top = WIDE if is_clustered else INT
        self.is_clustered = is_clustered
        lock_mode = NO_LOCK
        path = Path(BY_SCAN)
        if not isinstance(command, Insert):
            path = path_of(
                command.where, table.columns[0], is_indexed, is_clustered, len(table.columns), table.is_indexed
            )
            self.where = always if command.where is None else ordered(canonical(command.where)).of  # type: ignore[assignment]
        if isinstance(command, Select):
            kind = SELECT
            if command.lock is not None:
                lock_mode = LOCK_MODES.index(command.lock)
        else:
            kind = INSERT if isinstance(command, Insert) else MODIFY if isinstance(command, Update) else DELETE
        # A negative key is no row's; it is looked for all the same, in the one leaf that there is, or in the gap before the first record.
        nowhere = NO_KEY if is_clustered else KEY_MAX
        keys = [key if key >= 0 else nowhere for key in path.keys]
        super().__init__(kind, table, path.path, keys, lock_mode)
        self.is_low_open = path.is_low_open
        self.is_high_open = path.is_high_open
        self.low = path.low
        self.high = path.high
        self.command = command
        self.put = 0
        # The versions that it looked at, in order; and each time that it went on, how far it was and how many had committed.
        self.looked: list[int] = []
        self.went_on: list[tuple[int, int]] = []
        self.assignments: list[tuple[int, Expression]] = []
        if isinstance(command, Update):
            self.may_fail = True
            self.assignments = [(table.columns.index(name), value) for name, value in command.assignments]

    def matches(self, position: i64) -> bool:
        """Whether the WHERE clause is true of a version; ``failure`` says where it can't be told."""
        self.looked.append(int(position))
        try:
            return bool(self.where(self.table.row(position), self.top))
        except OverflowError:
            self.out_of_range("")
            return False

    def goes_on(self, commits: i64) -> None:
        """It is run, or wakes."""
        self.went_on.append((int(self.key_at), int(commits)))

    def would_match(self, row: Row) -> bool:
        """Whether a row that it may not have seen makes a difference to it: it falls under the WHERE clause, or makes that fail."""
        try:
            return bool(self.where(row, self.top))
        except OverflowError:
            return True

    def shown(self, row: Row) -> Row:
        """What its result has of a row: the columns that a SELECT returns or adds up, none where it counts; all where it changes rows."""
        command = self.command
        if not isinstance(command, Select):
            return row
        columns = () if command.aggregate == "count" else command.columns
        return [row[self.table.columns.index(name)] for name in columns]

    def change(self, position: i64) -> None:
        """As the SET clause says, every expression over the old row."""
        for column, value in self.changes(position):
            self.table.set_value(position, column, value)

    def try_change(self, position: i64) -> None:
        """Only whether that works."""
        self.changes(position)

    def changes(self, position: i64) -> list[tuple[int, int]]:
        """Columns and their new values; none, with ``failure``, where a number can't be held."""
        old: Row = self.table.row(position)
        found = []
        for column, expression in self.assignments:
            try:
                value = expression.of(old, self.top)
            except OverflowError:
                self.out_of_range("")
                return []
            if not -INT <= value < INT:
                self.out_of_range(self.table.columns[column])
                return []
            found.append((column, value))
        return found

    def out_of_range(self, column: str) -> None:
        """A number that can't be held: between two operators (""), or in a column."""
        self.failure = OUT_OF_RANGE
        if self.is_clustered:
            where = f"Out of range value for column '{column}' at row {self.count}"
            self.failure = where if column else "BIGINT value is out of range"
            self.failure_code = COLUMN_RANGE_ERROR if column else BIGINT_RANGE_ERROR

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
