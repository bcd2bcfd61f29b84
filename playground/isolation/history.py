"""What transactions read and wrote, and the dependencies between them.

The direct serialization graph of Adya ("Weak consistency", 1999): transactions that committed are its nodes, and an edge says that one must
come before the other. ww: it wrote the version before; wr: it wrote what the other read; rw (anti-dependency): it read what the other
overwrote, as an item or by a predicate that the other's change would have fallen under.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from playground.engine.mvcc.database import Database
from playground.engine.mvcc.table import Table
from playground.engine.mvcc.terms import INSERT, MODIFY, NEVER, NO_LOCK, PENDING
from playground.engine.mvcc.transaction import Transaction
from playground.isolation.planning import LabStatement
from playground.isolation.syntax import Row

START = 0
"""In place of a transaction's number: the rows that were there at the beginning."""


@dataclass(frozen=True)
class Reading:
    """What one statement read: positions of the versions that it saw (or found, when it locked or wrote), and its condition.

    ``snapshot`` is the commit number up to which it saw, ``command`` its number in its transaction.
    """

    transaction: int
    statement: int
    table: Table
    where: Callable[[Row], bool]
    seen: frozenset[int]
    snapshot: int
    command: int


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

    def note(self, index: int, transaction: Transaction, statement: LabStatement) -> None:
        """A statement is done: keep what it saw."""
        self.know(transaction)
        table = statement.table
        if statement.kind == INSERT:
            return
        seen = set(self.database.seen(transaction, statement))
        if statement.lock_mode != NO_LOCK:
            older = self.older(table)
            for position in statement.found:
                before = older.get(position, position) if statement.kind == MODIFY else position
                # It met the newest version of the row, whatever its snapshot saw of it.
                seen -= set(self.versions(table, before, older))
                seen.add(before)
                if statement.kind == MODIFY and table.made_by[position] != transaction.xid:
                    self.rewrites.append((int(transaction.number), table, position))
        snapshot, command = int(statement.snapshot), int(transaction.command)
        reading = Reading(
            int(transaction.number), index, table, statement.would_match, frozenset(seen), snapshot, command
        )
        self.readings.append(reading)

    def maker(self, table: Table, position: int) -> int:
        """The number of the transaction that made a version."""
        return self.numbers.get(int(table.made_by[position]), START)

    def older(self, table: Table) -> dict[int, int]:
        """By the position of a version that of the one which it replaced."""
        ended = [position for position in range(int(table.size)) if table.newer[position] >= 0]
        return {int(table.newer[position]): position for position in ended}

    def versions(self, table: Table, position: int, older: dict[int, int]) -> Iterator[int]:
        """Positions of all versions of the row that one is of, the oldest first."""
        while position in older:
            position = older[position]
        while position >= 0:
            yield position
            position = int(table.newer[position])

    def rows(self, table: Table) -> Iterator[list[tuple[int, int]]]:
        """Of each row all that committed, in order: (position, maker), and at last (-1, who deleted it).

        A row that was deleted is another than one that is inserted with its key later, as Adya has it.
        """
        older = self.older(table)
        for first in range(int(table.size)):
            if first in older:
                continue
            order: list[tuple[int, int]] = []
            for position in self.versions(table, first, older):
                if table.made_at[position] >= PENDING:
                    break
                order.append((position, self.maker(table, position)))
                if table.ended_at[position] < PENDING and table.newer[position] < 0:
                    order.append((-1, self.numbers.get(int(table.ended_by[position]), START)))
            if order:
                yield order

    def dependencies(self, committed: set[int]) -> list[Dependency]:
        """All edges between transactions that committed."""
        found: set[Dependency] = set()
        orders = {table.name: list(self.rows(table)) for table in self.database.tables}
        for table in self.database.tables:
            for order in orders[table.name]:
                key = int(table.key(order[0][0]))
                found.update(Dependency(one, other, "ww", table.name, key) for (_, one), (_, other) in pairwise(order))
        for number, table, position in self.rewrites:
            found.add(Dependency(self.maker(table, position), number, "ww", table.name, int(table.key(position))))
        for reading in self.readings:
            found.update(self.of_reading(reading, orders[reading.table.name]))
        return sorted(
            edge for edge in found if edge.before != edge.after and edge.before in committed and edge.after in committed
        )

    def of_reading(self, reading: Reading, orders: Sequence[list[tuple[int, int]]]) -> Iterator[Dependency]:
        """The edges of one read; ``orders`` are its table's rows."""
        table, reader = reading.table, reading.transaction
        for order in orders:
            key = int(table.key(order[0][0]))
            place = self.place_of(reading, order)
            matched = place >= 0 and order[place][0] >= 0 and self.is_match(reading, order[place][0])
            if place >= 0:
                was_matched = place > 0 and self.is_match(reading, order[place - 1][0])
                if matched or was_matched:
                    yield Dependency(order[place][1], reader, "wr", table.name, key, not matched, reading.statement)
            for at, writer in order[place + 1 :]:
                matches = at >= 0 and self.is_match(reading, at)
                if writer == reader:
                    break
                if matched or matches:
                    yield Dependency(reader, writer, "rw", table.name, key, not matched, reading.statement)
                    break

    def place_of(self, reading: Reading, order: list[tuple[int, int]]) -> int:
        """Where in a row's order a read stood: at the version it saw, at the deletion when that was before it, or before all (-1)."""
        for place, (position, _) in enumerate(order):
            if position in reading.seen:
                return place
        last = len(order) - 1
        return last if order[last][0] < 0 and self.had_ended(reading, order, last) else -1

    def had_ended(self, reading: Reading, order: list[tuple[int, int]], place: int) -> bool:
        """Whether a deletion was there already when a read saw no row: its snapshot sees that, or it is its transaction's own."""
        deleted = order[place - 1][0]
        if order[place][1] == reading.transaction:
            return int(reading.table.ended_in[deleted]) < reading.command
        return int(reading.table.ended_at[deleted]) <= reading.snapshot

    def is_match(self, reading: Reading, position: int) -> bool:
        """Whether a version falls under the read's condition."""
        return reading.where(reading.table.row(position))

    def dirty_reads(self, committed: set[int]) -> list[DirtyRead]:
        """Reads, by transactions that committed, of what was never committed, or not as it was read."""
        found = []
        for reading in self.readings:
            table = reading.table
            for position in sorted(reading.seen):
                key = int(table.key(position))
                writer = self.maker(table, position)
                if reading.transaction not in committed or writer in (reading.transaction, START):
                    continue
                if not self.is_match(reading, position):
                    continue
                newer = int(table.newer[position])
                if table.made_at[position] == NEVER:
                    found.append(DirtyRead("G1a", reading.transaction, writer, table.name, key, reading.statement))
                elif newer >= 0 and self.maker(table, newer) == writer:
                    found.append(DirtyRead("G1b", reading.transaction, writer, table.name, key, reading.statement))
        return found
