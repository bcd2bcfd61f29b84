"""What a script is made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

Row = Sequence[int]


@dataclass(frozen=True)
class Token:
    """A word, number or sign, and where it stands (both from 1)."""

    kind: str
    text: str
    line: int
    column: int


@dataclass(frozen=True)
class Expression:
    """An expression over the columns of a row, and its text. Truth is 1 or 0."""

    text: str
    of: Callable[[Row], int] = field(compare=False, repr=False)
    # What a plan can use: (column, operator, constant) for a comparison with a constant; the sides of an AND; constants of an IN list.
    comparison: tuple[str, str, int] | None = None
    conjuncts: tuple[Expression, ...] = ()
    among: tuple[str, tuple[int, ...]] | None = None
    constant: int | None = None


@dataclass(frozen=True)
class Begin:
    """BEGIN; no level: the script's."""

    level: str | None
    is_read_only: bool


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
