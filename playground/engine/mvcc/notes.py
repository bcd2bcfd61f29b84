"""What serializable snapshot isolation has to know of PostgreSQL's reads and writes: which locks and conflicts each of them means."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from mypy_extensions import i64

from playground.engine.mvcc.ssi import HEAP, INDEX, PAGE, PIVOT_READING, PIVOT_WRITING, RELATION, TUPLE, target
from playground.engine.mvcc.ssi import SerializableTransaction as Tracked
from playground.engine.mvcc.table import Table
from playground.engine.mvcc.terms import NEVER, PENDING
from playground.engine.mvcc.transaction import Transaction
from playground.engine.state import State

if TYPE_CHECKING:
    from playground.engine.mvcc.postgresql import PostgreSQL


@final
class Notes(State):
    """Notes reads and writes of tracked transactions with ``database.ssi``.

    A scan of the table reads the relation; a look-up by key the leaf page of the index and the versions found; an insert writes the heap's
    relation and the leaf page; an update or delete the version, its page and the relation.
    """

    def __init__(self, database: PostgreSQL) -> None:
        self.database = database

    def tracked(self, transaction: Transaction) -> Tracked | None:
        """Its side of serializable snapshot isolation; None when nothing has to be noted for it."""
        mine = transaction.serializable
        if mine is None or not self.database.ssi.is_tracked(mine):
            return None
        return mine

    def lock_leaves(self, mine: Tracked, table: Table, low: i64, high: i64) -> None:
        """SIREAD locks on the index pages of a range of keys."""
        if not table.is_indexed:
            self.database.ssi.lock_relation(mine, table.number, INDEX)
            return
        leaf = low // table.keys_per_leaf
        last = high // table.keys_per_leaf
        while True:
            # Where a range with nothing in it would begin is read all the same.
            self.database.ssi.lock_page(mine, table.number, INDEX, int(leaf))
            leaf += 1
            if leaf > last:
                return

    def lock_version(self, mine: Tracked, table: Table, position: i64) -> None:
        """A SIREAD lock on a version."""
        self.database.ssi.lock_tuple(mine, table.number, int(position), int(position // table.rows_per_page))

    def read(self, transaction: Transaction, mine: Tracked, table: Table, position: i64, is_visible: bool) -> bool:
        """Note a conflict with whoever made or ended a version that was looked at. False: a serialization failure."""
        ssi = self.database.ssi
        if mine.is_doomed:
            ssi.reason = PIVOT_READING
            return False
        made = table.made_at[position]
        ended = table.ended_at[position]
        if made == NEVER:
            return True
        xid = table.made_by[position]
        if made != PENDING:
            if ended == NEVER:
                if is_visible:
                    return True
            elif is_visible:
                xid = table.ended_by[position]
            if ended < PENDING and table.ended_by[position] < mine.xmin:
                return True
        if xid == transaction.xid or xid < mine.xmin:
            return True
        other = ssi.by_xid.get(int(xid))
        if other is None:
            return True
        return ssi.read_other(mine, int(xid), other.committed_at > transaction.snapshot)

    def writes(self, transaction: Transaction, table: Table, position: i64) -> bool:
        """Note the conflicts of a write of a version. False: a serialization failure."""
        mine = self.tracked(transaction)
        if mine is None:
            return True
        return (
            self.may_write(mine)
            and self.written(mine, target(table.number, HEAP, TUPLE, int(position)), True)
            and self.written(mine, target(table.number, HEAP, PAGE, int(position // table.rows_per_page)), False)
            and self.written(mine, target(table.number, HEAP, RELATION, 0), False)
        )

    def inserts(self, transaction: Transaction, table: Table) -> bool:
        """Note the conflicts of a new version in the heap. False: a serialization failure."""
        mine = self.tracked(transaction)
        if mine is None:
            return True
        return self.may_write(mine) and self.written(mine, target(table.number, HEAP, RELATION, 0), False)

    def enters(self, transaction: Transaction, table: Table, key: i64) -> bool:
        """Note the conflicts of a new key in the index. False: a serialization failure."""
        mine = self.tracked(transaction)
        if mine is None:
            return True
        return (
            self.may_write(mine)
            and self.written(mine, target(table.number, INDEX, PAGE, int(key // table.keys_per_leaf)), False)
            and self.written(mine, target(table.number, INDEX, RELATION, 0), False)
        )

    def may_write(self, mine: Tracked) -> bool:
        """Unless it is doomed."""
        if mine.is_doomed:
            self.database.ssi.reason = PIVOT_WRITING
            return False
        mine.has_written = True
        return True

    def written(self, mine: Tracked, wanted: int, is_tuple: bool) -> bool:
        """See :meth:`Serializability.written`."""
        return self.database.ssi.written(mine, wanted, is_tuple)
