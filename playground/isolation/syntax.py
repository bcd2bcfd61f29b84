"""What a script is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

Row = Sequence[int]
INTEGER = "integer"
BOOLEAN = "boolean"
MIRRORED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True)
class Token:
    """A word, number or sign, and where it stands (both from 1)."""

    kind: str
    text: str
    line: int
    column: int


@dataclass(frozen=True)
class Expression:
    """An expression over the columns of a row: its text, and its value. Truth is 1 or 0, of the ``kind`` BOOLEAN.

    ``of`` takes a row and the first number that a server's arithmetic can't hold (2**31 for PostgreSQL's int4); it raises OverflowError.
    """

    text: str
    of: Callable[[Row, int], int] = field(compare=False, repr=False)
    kind: str = INTEGER
    # The same for expressions that a server's planner takes for equal: signs first, no parentheses of the text.
    shape: str = ""
    # What evaluating it costs, in halves of an operator.
    cost: int = 0
    constant: int | None = None
    column: str | None = None
    # A comparison: its sign and sides.
    sign: str = ""
    sides: tuple[Expression, ...] = ()
    # The sides of an AND, of an OR; the left of an IN list, and its constants.
    conjuncts: tuple[Expression, ...] = ()
    alternatives: tuple[Expression, ...] = ()
    listed: tuple[Expression, tuple[int, ...], bool] | None = None

    @property
    def comparison(self) -> tuple[str, str, int] | None:
        """(column, sign, constant), for a comparison of a column with a constant that an index can serve."""
        if self.sign not in MIRRORED:
            return None
        left, right = self.sides
        if left.column is not None and right.constant is not None:
            return left.column, self.sign, right.constant
        if right.column is not None and left.constant is not None:
            return right.column, MIRRORED[self.sign], left.constant
        return None

    @property
    def among(self) -> tuple[str, tuple[int, ...]] | None:
        """(column, constants) for an IN list that an index can serve."""
        if self.listed is None or not self.listed[2] or self.listed[0].column is None:
            return None
        return self.listed[0].column, tuple(sorted(set(self.listed[1])))


@dataclass(frozen=True)
class Begin:
    """BEGIN; no level: the script's. ``is_read_only`` is None where it says neither READ ONLY nor READ WRITE."""

    level: str | None
    is_read_only: bool | None = None


@dataclass(frozen=True)
class Commit:
    """COMMIT."""


@dataclass(frozen=True)
class Rollback:
    """ROLLBACK."""


@dataclass(frozen=True)
class Select:
    """SELECT; ``columns`` in the order asked for, or ``aggregate``: ``count``, or ``sum`` of a column. ``lock``: as in LOCK_MODES."""

    table: str
    columns: tuple[str, ...]
    aggregate: str | None
    where: Expression | None
    lock: str | None


@dataclass(frozen=True)
class Insert:
    """INSERT of whole rows, columns in the table's order."""

    table: str
    rows: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Update:
    """UPDATE; assignments of expressions over the old row to columns."""

    table: str
    assignments: tuple[tuple[str, Expression], ...]
    where: Expression | None


@dataclass(frozen=True)
class Delete:
    """DELETE."""

    table: str
    where: Expression | None


Command = Begin | Commit | Rollback | Select | Insert | Update | Delete


@dataclass(frozen=True)
class TableDeclaration:
    """CREATE TABLE: columns of whole numbers, the first one the primary key."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True)
class Step:
    """One statement of a session: ``T1`` and so on, its command, its text, the line where it stands."""

    session: str
    command: Command
    text: str
    line: int


@dataclass(frozen=True)
class Script:
    """Tables with their first rows, and steps in the order in which they are taken."""

    tables: tuple[TableDeclaration, ...]
    steps: tuple[Step, ...]

    @property
    def sessions(self) -> list[str]:
        """The sessions that it has, in order of name."""
        return sorted({step.session for step in self.steps})

    def text(self) -> str:
        """The script again, ready to paste."""
        lines = []
        for table in self.tables:
            columns = ", ".join(
                f"{name} int" + (" primary key" if not place else "") for place, name in enumerate(table.columns)
            )
            lines.append(f"create table {table.name} ({columns});")
            if table.rows:
                rows = ", ".join("(" + ", ".join(map(str, row)) + ")" for row in table.rows)
                lines.append(f"insert into {table.name} values {rows};")
        lines.append("")
        lines += [f"{step.session}: {step.text};" for step in self.steps]
        return "\n".join(lines) + "\n"
