"""What one history of the database has of stock: the rows that were sold from, what the log says of them, and what was sold of them."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from playground.blocks.sql_database.purchase import Purchase
from playground.engine.purchases import ITEM, OFF_CALL
from playground.engine.state import State

LOT_SPAN: Final = 8_589_934_592
"""Each lot of the items has row numbers of its own: the item's number plus so many times the lot's. Items and users create fewer."""


def place_of(kind: i64, row: i64) -> i64:
    """The number of a row of one of the two tables."""
    return row * 2 + kind


def lot_of(place: i64) -> i64:
    """The lot that a row belongs to."""
    row = place // 2
    return (row if place % 2 == ITEM else row // 2) // LOT_SPAN


@final
class Sale(State):
    """A record of the log that is a purchase: which row it changed, from what to what; until its commit, the transaction that made it."""

    def __init__(self, purchase: Purchase, place: i64, quantity: i64, version: i64) -> None:
        self.purchase: Purchase | None = purchase
        self.place: i64 = place
        self.key: i64 = purchase.key
        self.quantity: i64 = quantity
        self.version: i64 = version
        self.is_committed: bool = False


@final
class Shop(State):
    """``quantities`` and ``versions`` of rows as the newest record of the log has them, ``sold``: how often each was sold by commits.

    A row that is not here is as it was at the start. ``sales`` are the records that a crash or a failover may still take back, by position.
    """

    def __init__(self, stock: i64) -> None:
        self.stock: i64 = stock
        self.quantities: dict[int, int] = {}
        self.versions: dict[int, int] = {}
        self.sold: dict[int, int] = {}
        self.sales: dict[int, Sale] = {}

    def first_quantity(self, place: i64) -> i64:
        """How many there were at the start; everybody was on call."""
        return self.stock if place % 2 == ITEM else 1

    def quantity(self, place: i64) -> i64:
        """How many the log says are left."""
        return self.quantities.get(int(place), int(self.first_quantity(place)))

    def version(self, place: i64) -> i64:
        """The version that the log gives the row, from 1 on."""
        return self.versions.get(int(place), 1)

    def book(self, position: i64, purchase: Purchase, place: i64, quantity: i64, version: i64) -> None:
        """The record at ``position`` gives the row this quantity and version."""
        self.sales[int(position)] = Sale(purchase, place, self.quantity(place), self.version(place))
        self.quantities[int(place)] = int(quantity)
        self.versions[int(place)] = int(version)

    def commit(self, sale: Sale) -> i64:
        """The record of ``sale`` is committed; how often its row is sold now."""
        sale.is_committed = True
        times = self.sold.get(int(sale.place), 0) + 1
        self.sold[int(sale.place)] = times
        return times

    def times_sold(self, place: i64) -> i64:
        """How often a row was sold."""
        return self.sold.get(int(place), 0)

    def take_back(self, position: i64) -> None:
        """The newest record, at ``position``, is no more."""
        sale = self.sales.pop(int(position), None)
        if sale is None:
            return
        place = int(sale.place)
        self.quantities[place] = int(sale.quantity)
        self.versions[place] = int(sale.version)
        if sale.is_committed:
            self.sold[place] = self.sold.get(place, 1) - 1

    def forget_records(self, upto: i64) -> None:
        """Records up to a position can't be taken back any more."""
        for position in list(self.sales):
            if position > upto:
                break
            del self.sales[position]

    def old_rows(self, lot: i64) -> list[int]:
        """Rows of lots before ``lot``."""
        return [place for place in self.quantities if lot_of(place) < lot]

    def forget_row(self, place: i64) -> None:
        """A row of a lot that is over."""
        self.quantities.pop(int(place), None)
        self.versions.pop(int(place), None)
        self.sold.pop(int(place), None)

    def branch(self, start: i64) -> Shop:
        """The same for a node that goes on by itself where another history begins after ``start``."""
        made = Shop(self.stock)
        made.quantities = dict(self.quantities)
        made.versions = dict(self.versions)
        made.sold = dict(self.sold)
        for position, sale in self.sales.items():
            purchase = sale.purchase
            if position <= start or purchase is None:
                continue
            copied = Sale(purchase, sale.place, sale.quantity, sale.version)
            copied.is_committed = sale.is_committed
            made.sales[position] = copied
        # Whoever waits there for a commit is told of it by that node alone.
        for sale in self.sales.values():
            sale.purchase = None
        return made


def other_place(place: i64) -> i64:
    """The row of the other one of the two who are on call."""
    return place_of(OFF_CALL, (place // 2) ^ 1)
