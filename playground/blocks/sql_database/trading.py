"""The transactions of one node that leads: the MVCC core with the rows that are sold from, and who is open, or waits for a lock."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from playground.blocks.sql_database.purchase import READS, WRITES, Purchase
from playground.blocks.sql_database.stock import Shop, lot_of, other_place
from playground.engine.mvcc.database import Database
from playground.engine.mvcc.innodb import InnoDB
from playground.engine.mvcc.postgresql import PostgreSQL
from playground.engine.mvcc.statement import PointAdd, PointDelete, PointReplace, Statement
from playground.engine.mvcc.terms import BY_KEY, DONE, NO_LOCK, READ_COMMITTED, SELECT, SHARE, UPDATE
from playground.engine.mvcc.transaction import Transaction
from playground.engine.purchases import ATOMIC, FOR_UPDATE, ITEM, OFF_CALL, OPTIMISTIC, ROW_BY_ROW
from playground.engine.state import State

POSTGRESQL: Final = 0
INNODB: Final = 1
DIALECTS: Final = ["postgresql", "mysql"]

VACUUM_EVERY: Final = 64
"""Transactions that end between two vacuums of the rows that are sold from: as autovacuum, by what has changed."""

ROW: Final = ["stock", "on_call"]


@final
class Trading(State):
    """Rows get into the core when somebody first wants them, with what the log says of them (``shop``)."""

    def __init__(self, dialect: i64, shop: Shop) -> None:
        self.dialect: i64 = dialect
        self.shop = shop
        self.core: Database = PostgreSQL() if dialect == POSTGRESQL else InnoDB()
        self.tables = [
            self.core.create_table(ROW[ITEM], ["id", "stock", "version"]),
            self.core.create_table(ROW[OFF_CALL], ["id", "on_call", "version"]),
        ]
        # Every open transaction by its serial number; those that wait for a lock, and of these the ones that nobody has yet looked at for a
        # deadlock, in the order in which their waits began.
        self.open: dict[int, Purchase] = {}
        self.locked: dict[int, Purchase] = {}
        self.unchecked: dict[int, Purchase] = {}
        self.check_set: bool = False
        self.timeout_set: bool = False
        self.ended: i64 = 0
        self.hot: i64 = -1
        self.lot: i64 = 0
        self.loaded: dict[int, bool] = {}
        # Rows that the log has from elsewhere, and the core perhaps as they were here.
        self.stale: dict[int, bool] = {}

    def begin(self, purchase: Purchase, level: i64) -> Transaction:
        """BEGIN."""
        made = self.core.begin(level, False, purchase.serial)
        purchase.transaction = made
        return made

    def have(self, place: i64) -> None:
        """See that the core has a row."""
        table = self.tables[place % 2]
        row = place // 2
        if table.first_with(row) < 0:
            self.loaded[int(place)] = True
            table.load([int(row), int(self.shop.quantity(place)), int(self.shop.version(place))], 1)
            self.stale.pop(int(place), None)
        elif self.stale and int(place) in self.stale:
            self.replace(place)

    def replace(self, place: i64) -> None:
        """Give the core's row what was copied from elsewhere, in a transaction of its own; later where somebody is still at it."""
        row = [int(place // 2), int(self.shop.quantity(place)), int(self.shop.version(place))]
        transaction = self.core.begin(READ_COMMITTED)
        if self.core.run(transaction, PointReplace(self.tables[place % 2]).by(row)) == DONE:
            self.core.commit(transaction)
            del self.stale[int(place)]
        else:
            self.core.abort(transaction)
        self.core.waits.begun = []

    def run(self, purchase: Purchase, transaction: Transaction) -> int:
        """Run the purchase's present statement: what the core says of it."""
        place = purchase.place
        kind = place % 2
        table = self.tables[kind]
        row = place // 2
        self.have(place)
        if purchase.phase == READS:
            keys = [int(row)]
            if kind == OFF_CALL:
                self.have(other_place(place))
                keys = [int(row), int(row ^ 1)]
                if purchase.method == ROW_BY_ROW:
                    keys = keys[1:] if purchase.has_own else keys[:1]
                keys.sort()
            statement = Statement(SELECT, table, BY_KEY, keys, self.lock_mode(purchase, transaction))
            purchase.read = statement
            return self.core.run(transaction, statement)
        assert purchase.phase == WRITES
        change = PointAdd(table)
        purchase.write = change
        if purchase.method == ATOMIC:
            change.of(row, -1, 1)
        elif purchase.method == OPTIMISTIC:
            change.versioned(row, purchase.quantity - 1, purchase.version)
        else:
            change.to(row, purchase.quantity - 1)
        return self.core.run(transaction, change)

    def lock_mode(self, purchase: Purchase, transaction: Transaction) -> i64:
        """The row lock of the purchase's SELECT. In InnoDB an UPDATE's subquery shares what it reads, above READ COMMITTED."""
        if purchase.method == FOR_UPDATE or purchase.method == ROW_BY_ROW:
            return UPDATE
        if purchase.method == ATOMIC and self.dialect == INNODB and transaction.level > READ_COMMITTED:
            return SHARE
        return NO_LOCK

    def resume(self, transaction: Transaction) -> int:
        """Go on with a statement that waited."""
        return self.core.resume(transaction)

    def took(self, purchase: Purchase) -> bool:
        """Take what its SELECT has read; whether it may buy."""
        statement = purchase.read
        assert statement is not None
        table = statement.table
        mine = purchase.place // 2
        there = 0
        for position in statement.found:
            if table.value(position, 1) >= 1:
                there += 1
            if table.key(position) == mine:
                purchase.quantity = table.value(position, 1)
                purchase.version = table.value(position, 2)
        return there == len(statement.keys)

    def changed(self, purchase: Purchase) -> bool:
        """Whether its UPDATE has changed the row; takes what is there now."""
        statement = purchase.write
        assert statement is not None
        if statement.count == 0:
            return False
        table = statement.table
        position = statement.found[0]
        purchase.quantity = table.value(position, 1)
        purchase.version = table.value(position, 2)
        self.hot = purchase.place
        return True

    def over(self, purchase: Purchase) -> None:
        """A transaction has ended."""
        self.open.pop(int(purchase.serial), None)
        self.locked.pop(int(purchase.serial), None)
        self.unchecked.pop(int(purchase.serial), None)
        self.ended += 1
        if self.ended >= VACUUM_EVERY:
            self.ended = 0
            self.core.vacuum()

    def enter_lot(self, lot: i64) -> None:
        """Delete the rows of lots that are over, unless somebody is still at them."""
        if lot <= self.lot:
            return
        self.lot = lot
        for place in [place for place in self.loaded if lot_of(place) < lot - 1]:
            transaction = self.core.begin(READ_COMMITTED)
            status = self.core.run(transaction, PointDelete(self.tables[place % 2]).of(place // 2))
            if status == DONE:
                self.core.commit(transaction)
                del self.loaded[place]
            else:
                self.core.abort(transaction)
        for place in self.shop.old_rows(lot - 1):
            if place not in self.loaded:
                self.shop.forget_row(place)
                self.stale.pop(place, None)
        self.core.waits.begun = []
        self.core.vacuum()
