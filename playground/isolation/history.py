"""What transactions read and wrote, and the dependencies between them.

The direct serialization graph of Adya ("Weak consistency", 1999): transactions that committed are its nodes, and an edge says that one must
come before the other. ww: it wrote the version before; wr: it wrote what the other read; rw (anti-dependency): it read what the other
overwrote, as an item or by a predicate that the other's change would have fallen under. An INSERT reads whether its key is free.

Where Adya has an edge for any write of a row that was read, here is one only where it makes a difference to what the statement returned:
who counts rows doesn't mind their values. Without a cycle, what committed gives the same in every order that the edges allow, one
transaction after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from playground.engine.mvcc.database import Database
from playground.engine.mvcc.table import Table
from playground.engine.mvcc.terms import INSERT, NEVER, PENDING, SELECT
from playground.engine.mvcc.transaction import Transaction
from playground.isolation.planning import LabStatement
from playground.isolation.sight import Sight, older
from playground.isolation.syntax import Row

START = 0
"""In place of a transaction's number: the rows that were there at the beginning."""


@dataclass(frozen=True)
class Reading:
    """What one statement read: which version of each row decided for it, its condition, and what is ``shown`` of a row by its result.

    ``seen`` has positions of versions, ``gone`` those of the last versions of rows that it took for deleted, with the xid of who did that;
    a row with neither was not there yet. ``is_check``: it asked only whether a key is there. ``is_partial``: it failed, and came to no row
    but these. ``unsure``: what of it had not been committed.
    """

    transaction: int
    statement: int
    table: Table
    where: Callable[[Row], bool]
    shown: Callable[[Row], Row]
    seen: frozenset[int]
    gone: Mapping[int, int]
    is_check: bool = False
    is_partial: bool = False
    unsure: tuple[Unsure, ...] = ()


class Unsure(NamedTuple):
    """A version, or with ``is_deletion`` its end, read before who did that (``xid``) had committed; ``base``: the one before, or -1."""

    position: int
    xid: int
    base: int
    is_deletion: bool


class Run(NamedTuple):
    """What one transaction made of a row: its versions, the last of which (-1: none, it deleted the row) others are to see."""

    last: int
    maker: int
    positions: tuple[int, ...]
    deleted: int = -1


@dataclass(frozen=True, order=True)
class Dependency:
    """An edge: ``before`` must come before ``after`` (transactions' numbers), because of ``kind`` on a row of a table.

    ``statement`` is that of the read for wr and rw, -1 for ww.
    """

    before: int
    after: int
    kind: str
    table: str
    key: int
    is_by_predicate: bool = False
    statement: int = -1


@dataclass(frozen=True)
class DirtyRead:
    """A read of a version that was rolled back (G1a), or that its maker changed again (G1b)."""

    kind: str
    reader: int
    writer: int
    table: str
    key: int
    statement: int


class History:
    """Everything that was read, noted while a script is stepped; :meth:`dependencies` when it is over."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.readings: list[Reading] = []
        # Who made a version, by table and position; xids are none of an owner's business, and the database forgets them.
        self.numbers: dict[int, int] = {}
        # Updates that wrote the value that was there: InnoDB makes no new version of that, but it is a write all the same.
        self.rewrites: list[tuple[int, Table, int]] = []

    def know(self, transaction: Transaction) -> None:
        """Keep whose an xid is."""
        if transaction.xid:
            self.numbers[int(transaction.xid)] = int(transaction.number)

    def note(self, index: int, transaction: Transaction, statement: LabStatement, has_failed: bool = False) -> None:
        """A statement is done, or has failed in a transaction that goes on: keep what decided for it."""
        self.know(transaction)
        if has_failed and transaction.is_read_only and statement.kind != SELECT:
            # Refused before it looked at anything.
            return
        number, table = int(transaction.number), statement.table
        sight = Sight(self.database, transaction, statement, has_failed)
        unsure = tuple(Unsure(*one) for one in sight.unsure)
        seen, is_check = frozenset(sight.seen), statement.kind == INSERT
        self.readings.append(
            Reading(
                number,
                index,
                table,
                sight.where,
                sight.shown,
                seen,
                sight.gone,
                is_check,
                has_failed and not is_check,
                unsure,
            )
        )
        self.rewrites += [(number, table, position) for position in sight.rewritten]

    def maker(self, table: Table, position: int) -> int:
        """The number of the transaction that made a version."""
        return self.numbers.get(int(table.made_by[position]), START)

    def rows(self, table: Table) -> Iterator[list[Run]]:
        """Of each row what committed, in order.

        A row that was deleted is another than one that is inserted with its key later, as Adya has it.
        """
        before = older(table)
        for first in range(int(table.size)):
            if first in before:
                continue
            order: list[Run] = []
            position = first
            while position >= 0 and table.made_at[position] < PENDING:
                maker = self.maker(table, position)
                made = order.pop().positions if order and order[-1].maker == maker else ()
                order.append(Run(position, maker, (*made, position)))
                if table.ended_at[position] < PENDING and table.newer[position] < 0:
                    ender = self.numbers.get(int(table.ended_by[position]), START)
                    made = order.pop().positions if ender == maker else ()
                    order.append(Run(-1, ender, made, position))
                position = int(table.newer[position])
            if order:
                yield order

    def dependencies(self, committed: set[int]) -> list[Dependency]:
        """All edges between transactions that committed."""
        found: set[Dependency] = set()
        orders = {table.name: list(self.rows(table)) for table in self.database.tables}
        for table in self.database.tables:
            for order in orders[table.name]:
                key = key_of(table, order)
                found.update(
                    Dependency(one.maker, other.maker, "ww", table.name, key) for one, other in pairwise(order)
                )
        for number, table, position in self.rewrites:
            found.add(Dependency(self.maker(table, position), number, "ww", table.name, int(table.key(position))))
        for reading in self.readings:
            found.update(self.of_reading(reading, orders[reading.table.name]))
        return sorted(
            edge for edge in found if edge.before != edge.after and edge.before in committed and edge.after in committed
        )

    def of_reading(self, reading: Reading, orders: Sequence[list[Run]]) -> Iterator[Dependency]:
        """The edges of one read; ``orders`` are its table's rows."""
        table, reader = reading.table, reading.transaction
        for order in orders:
            place = self.place_of(reading, order)
            # Who reads what it wrote itself comes after and before whom that write does; who failed came to no other row.
            if order[place].maker == reader if place >= 0 else reading.is_partial:
                continue
            key = key_of(table, order)
            drew = self.drawn(reading, order[place].last) if place >= 0 else None
            by_predicate = drew is None or reading.is_check
            # Which change was the last, up to there, that made a difference to it; and which is the next.
            since = place
            while since >= 0 and drew == (self.drawn(reading, order[since - 1].last) if since else None):
                since -= 1
            if since >= 0:
                yield Dependency(order[since].maker, reader, "wr", table.name, key, by_predicate, reading.statement)
            for at in range(place + 1, len(order)):
                run = order[at]
                if run.maker == reader:
                    break
                if self.drawn(reading, run.last) != drew:
                    yield Dependency(reader, run.maker, "rw", table.name, key, by_predicate, reading.statement)
                    break

    def place_of(self, reading: Reading, order: list[Run]) -> int:
        """Where in a row's order a read stood: at the version it saw, at the deletion, or before all (-1)."""
        for place in reversed(range(len(order))):
            run = order[place]
            if run.deleted >= 0 and reading.gone.get(run.deleted) == reading.table.ended_by[run.deleted]:
                return place
            if not reading.seen.isdisjoint(run.positions):
                return place
        return -1

    def drawn(self, reading: Reading, position: int) -> Row | None:
        """What a read takes from a version: the values that it returns or changes, None where it does not fall under the condition.

        -1 is no row.
        """
        row = reading.table.row(position) if position >= 0 else None
        return reading.shown(row) if row is not None and reading.where(row) else None

    def dirty_reads(self, committed: set[int], is_over: bool = True) -> list[DirtyRead]:
        """Reads, by transactions that committed, of what was never committed, or not as it was read.

        When the script ``is_over``, what is not committed will never be.
        """
        found = []
        for reading in self.readings:
            for unsure in reading.unsure if reading.transaction in committed else ():
                kind = self.kind_of(reading, unsure, PENDING if is_over else NEVER)
                if kind:
                    key = int(reading.table.key(unsure.position))
                    writer = self.numbers.get(unsure.xid, START)
                    found.append(
                        DirtyRead(kind, reading.transaction, writer, reading.table.name, key, reading.statement)
                    )
        return found

    def kind_of(self, reading: Reading, unsure: Unsure, never: int) -> str:
        """G1a, G1b, or nothing where it came to be as it was read, or the read's condition knows no difference.

        Commit numbers from ``never`` on are those of what never comes to be.
        """
        table, position = reading.table, unsure.position
        drew = self.drawn(reading, -1 if unsure.is_deletion else position)
        if unsure.is_deletion:
            is_undone = table.ended_by[position] != unsure.xid or table.ended_at[position] >= never
        else:
            is_undone = table.made_at[position] >= never
        if is_undone:
            return "G1a" if drew != self.drawn(reading, unsure.base) else ""
        # Deleted and put in again, it is another row: a cycle.
        is_changed = not unsure.is_deletion and table.ended_at[position] != NEVER
        if not is_changed or table.ended_by[position] != unsure.xid:
            return ""
        last = position
        while table.newer[last] >= 0 and table.made_by[int(table.newer[last])] == unsure.xid:
            last = int(table.newer[last])
        if table.newer[last] < 0 and table.ended_by[last] == unsure.xid:
            last = -1
        return "G1b" if drew != self.drawn(reading, last) else ""


def key_of(table: Table, order: list[Run]) -> int:
    """The key of a row."""
    return int(table.key(order[0].positions[0]))
