"""What one history of the database has of stock: the rows that were sold from, what the log says of them, and what was sold of them."""

from __future__ import annotations

from typing import Final, final

from librt.vecs import append, vec
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


def row_of(key: i64, lot: i64) -> i64:
    """The number of an item's row in a lot."""
    return key + lot * LOT_SPAN


def places_of(key: i64, lot: i64) -> vec[i64]:
    """The rows that an item has in a lot, of both tables."""
    row = row_of(key, lot)
    return vec[i64]([place_of(ITEM, row), place_of(OFF_CALL, row * 2), place_of(OFF_CALL, row * 2 + 1)])


@final
class Sale(State):
    """A record of the log that changes a row that is sold from: ``quantity`` and ``version`` before it, ``left`` after it.

    A purchase has the transaction that made it until that is told of its commit. A row that was copied says how often it was ``sold`` where
    it came from (of a purchase: -1), and at its commit takes instead how often that was here, and by how much it is more (``came``);
    ``also``: the item's further rows.
    """

    def __init__(self, purchase: Purchase | None, key: i64, place: i64, left: i64, sold: i64) -> None:
        self.purchase: Purchase | None = purchase
        self.place: i64 = place
        self.key: i64 = key
        self.left: i64 = left
        self.quantity: i64 = left
        self.version: i64 = 1
        self.sold: i64 = sold
        self.came: i64 = 0
        self.also: Sale | None = None
        self.is_committed: bool = False

    def twin(self) -> Sale:
        """The same for another history."""
        made = Sale(self.purchase, self.key, self.place, self.left, self.sold)
        made.quantity = self.quantity
        made.version = self.version
        made.is_committed = self.is_committed
        made.came = self.came
        also = self.also
        if also is not None:
            made.also = also.twin()
        return made

    def sales(self) -> i64:
        """How many sales are lost with the record: a purchase's own, or those that came with an item from elsewhere."""
        if self.sold < 0:
            return 1
        also = self.also
        came = self.came if self.came > 0 else 0
        return came + (also.sales() if also is not None else 0)

    def excess(self) -> i64:
        """By how much more one sale sold than the stock fell by: what other sales had changed and this one overwrote."""
        return 1 - (self.quantity - self.left)


@final
class Shop(State):
    """``quantities`` and ``versions`` of rows as the newest record of the log has them, ``sold``: how often each was sold by commits;
    ``lost_updates``: by how much more than the stock of all rows fell by.

    A row that is not here is as it was at the start. ``sales`` are the records that a crash or a failover may still take back, by position.
    """

    def __init__(self, stock: i64) -> None:
        self.stock: i64 = stock
        self.quantities: dict[int, int] = {}
        self.versions: dict[int, int] = {}
        self.sold: dict[int, int] = {}
        self.sales: dict[int, Sale] = {}
        self.lost_updates: i64 = 0

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
        sale = Sale(purchase, purchase.key, place, quantity, -1)
        self.sales[int(position)] = sale
        self.change(sale, version)

    def change(self, sale: Sale, version: i64) -> None:
        """What ``sale`` leaves is what the newest record says."""
        sale.quantity = self.quantity(sale.place)
        sale.version = self.version(sale.place)
        self.set(sale.place, sale.left, version)

    def set(self, place: i64, quantity: i64, version: i64) -> None:
        """The newest record says so."""
        self.quantities[int(place)] = int(quantity)
        self.versions[int(place)] = int(version)

    def rows_of(self, key: i64, lot: i64, committed: i64, end: i64) -> vec[i64]:
        """An item's rows in a lot that were sold from, as of position ``committed`` in a log that ends at ``end``: four numbers a row, its
        place, quantity and version, and how often it was sold."""
        found = vec[i64]()
        for place in places_of(key, lot):
            if int(place) not in self.versions:
                continue
            quantity = self.quantity(place)
            version = self.version(place)
            position = end
            while position > committed:
                sale = self.sales.get(int(position))
                while sale is not None:
                    if sale.place == place:
                        quantity = sale.quantity
                        version = sale.version
                    sale = sale.also
                position -= 1
            found = append(append(append(append(found, place), quantity), version), self.times_sold(place))
        return found

    def book_copy(self, position: i64, key: i64, rows: vec[i64]) -> None:
        """The record at ``position`` gives an item the rows that it has elsewhere, see :meth:`rows_of`."""
        made: Sale | None = None
        index: i64 = 0
        while index < len(rows):
            sale = Sale(None, key, rows[index], rows[index + 1], rows[index + 3])
            self.change(sale, rows[index + 2])
            sale.also = made
            made = sale
            index += 4
        if made is not None:
            self.sales[int(position)] = made

    def commit_copy(self, copied: Sale) -> None:
        """The record that gave an item rows from elsewhere is committed: what was sold of them there counts here."""
        sale: Sale | None = copied
        while sale is not None:
            sale.is_committed = True
            before = self.times_sold(sale.place)
            self.sold[int(sale.place)] = int(sale.sold)
            sale.came = sale.sold - before
            sale.sold = before
            sale = sale.also

    def commit(self, sale: Sale) -> i64:
        """The purchase of ``sale`` is committed; how often its row is sold now."""
        sale.is_committed = True
        self.lost_updates += sale.excess()
        times = self.sold.get(int(sale.place), 0) + 1
        self.sold[int(sale.place)] = times
        return times

    def times_sold(self, place: i64) -> i64:
        """How often a row was sold."""
        return self.sold.get(int(place), 0)

    def take_back(self, position: i64) -> None:
        """The newest record, at ``position``, is no more."""
        sale = self.sales.pop(int(position), None)
        while sale is not None:
            place = int(sale.place)
            self.set(sale.place, sale.quantity, sale.version)
            if sale.is_committed and sale.sold >= 0:
                self.sold[place] = int(sale.sold)
            elif sale.is_committed:
                self.sold[place] = self.sold.get(place, 1) - 1
                self.lost_updates -= sale.excess()
            sale = sale.also

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
        made.lost_updates = self.lost_updates
        for position, sale in self.sales.items():
            if position > start and (sale.purchase is not None or (sale.sold >= 0 and not sale.is_committed)):
                made.sales[position] = sale.twin()
        return made

    def leave_waiting(self) -> None:
        """Whoever waits for a commit at a node that goes on by itself is told of it by that node alone."""
        for sale in self.sales.values():
            sale.purchase = None


def other_place(place: i64) -> i64:
    """The row of the other one of the two who are on call."""
    return place_of(OFF_CALL, (place // 2) ^ 1)
