"""Which rows of a table exist, in the order of their keys, newest (largest) first; the k-th row, and how many stand before one, are found
by descending a tree.

An order statistic tree (Cormen et al., Introduction to Algorithms, 14.1) over the bits of the keys: each node counts the rows in its range,
and a range that nobody has touched isn't there, since it is as it was at the start: rows 1 to ``full`` exist. So memory goes with the
rows that were inserted or deleted, never with the size of the table. A leaf is a bitmap of 32 keys.
"""

from __future__ import annotations

from typing import Final, final

from librt.vecs import append, vec
from mypy_extensions import i64

from playground.engine.columns import grown, zeros
from playground.engine.state import State

LEAF: Final = 32
ID_BITS: Final = 44
ID_MASK: Final = (1 << ID_BITS) - 1
"""A sort key by price has the price above the bits of the row's key."""


def price_of(row: i64, prices: i64) -> i64:
    """A row's price, 1 to ``prices``: evenly spread, so that of each price there are as many rows, and never changed."""
    return 1 + (row - 1) % prices


def sort_key(row: i64, prices: i64) -> i64:
    """What rows are sorted by, the largest first: their key, or, with ``prices`` above 0, price and then key."""
    return row if prices <= 0 else price_of(row, prices) << ID_BITS | row


@final
class RowOrder(State):
    """Columns by node: ``count`` of rows in its range; ``low`` and ``high``, its halves (0: untouched); in a leaf ``low`` is its bitmap."""

    def __init__(self, full: i64) -> None:
        self.full: i64 = full
        # A literal shifted to the left is 32 bits wide when compiled.
        self.one: i64 = 1
        self.nodes: i64 = 1
        self.count: vec[i64] = zeros(64)
        self.low: vec[i64] = zeros(64)
        self.high: vec[i64] = zeros(64)
        self.top: i64 = 2 * LEAF
        while self.top <= full:
            self.top *= 2
        self.root: i64 = self.make(0, self.top)

    def size(self) -> i64:
        """How many rows exist."""
        return self.count[self.root]

    def untouched(self, first: i64, size: i64) -> i64:
        """How many rows there were at the start with keys from ``first`` on, of ``size`` keys."""
        last = first + size - 1
        if last > self.full:
            last = self.full
        if first < 1:
            first = 1
        return last - first + 1 if last >= first else 0

    def make(self, first: i64, size: i64) -> i64:
        """A node for a range as it was at the start; its number."""
        node = self.nodes
        self.nodes += 1
        if node >= len(self.count):
            self.count = grown(self.count, 2 * node)
            self.low = grown(self.low, 2 * node)
            self.high = grown(self.high, 2 * node)
        self.count[node] = self.untouched(first, size)
        self.low[node] = 0
        self.high[node] = 0
        if size == LEAF:
            bits: i64 = 0
            bit: i64 = 1
            key = first
            while key < first + size:
                if key >= 1 and key <= self.full:
                    bits |= bit
                bit *= 2
                key += 1
            self.low[node] = bits
        return node

    def has(self, key: i64) -> bool:
        """Whether the row exists."""
        if key < 1 or key >= self.top:
            return False
        node = self.root
        first: i64 = 0
        size = self.top
        while size > LEAF:
            size //= 2
            if key >= first + size:
                first += size
                node = self.high[node]
            else:
                node = self.low[node]
            if node == 0:
                return key <= self.full
        return (self.low[node] >> (key - first)) & 1 != 0

    def put(self, key: i64) -> bool:
        """Insert a row; False where it exists already."""
        if self.has(key):
            return False
        while key >= self.top:
            # A root twice as wide, whose lower half is the old one.
            above = self.make(0, 2 * self.top)
            self.count[above] = self.count[self.root]
            self.low[above] = self.root
            self.root = above
            self.top *= 2
        self.change(key, 1)
        return True

    def drop(self, key: i64) -> bool:
        """Delete a row; False where there is none."""
        if not self.has(key):
            return False
        self.change(key, -1)
        return True

    def change(self, key: i64, by: i64) -> None:
        """Flip a row's bit, and count it on the way down."""
        node = self.root
        first: i64 = 0
        size = self.top
        while size > LEAF:
            self.count[node] += by
            size //= 2
            if key >= first + size:
                first += size
                if self.high[node] == 0:
                    made = self.make(first, size)
                    self.high[node] = made
                node = self.high[node]
            else:
                if self.low[node] == 0:
                    made = self.make(first, size)
                    self.low[node] = made
                node = self.low[node]
        self.count[node] += by
        self.low[node] ^= self.one << (key - first)

    def rank(self, key: i64) -> i64:
        """How many rows stand before ``key``: those with larger keys. The row itself need not exist."""
        if key >= self.top:
            return 0
        if key < 0:
            return self.count[self.root]
        before: i64 = 0
        node = self.root
        first: i64 = 0
        size = self.top
        while size > LEAF:
            size //= 2
            if key >= first + size:
                first += size
                node = self.high[node]
            else:
                above = self.high[node]
                before += self.count[above] if above != 0 else self.untouched(first + size, size)
                node = self.low[node]
            if node == 0:
                return before + self.untouched(key + 1, first + size - key - 1)
        bits = self.low[node] >> (key - first)
        while bits > 1:
            bits >>= 1
            before += bits & 1
        return before

    def at(self, rank: i64) -> i64:
        """The key of the row before which ``rank`` others stand; 0 where there are not so many."""
        if rank < 0 or rank >= self.count[self.root]:
            return 0
        node = self.root
        first: i64 = 0
        size = self.top
        while size > LEAF:
            size //= 2
            above = self.high[node]
            there = self.count[above] if above != 0 else self.untouched(first + size, size)
            if rank < there:
                first += size
                node = above
            else:
                rank -= there
                node = self.low[node]
            if node == 0:
                last = first + size - 1
                return (last if last < self.full else self.full) - rank
        key = first + LEAF - 1
        bits = self.low[node]
        while True:
            if (bits >> (key - first)) & 1 != 0:
                if rank == 0:
                    return key
                rank -= 1
            key -= 1

    def after(self, key: i64) -> i64:
        """The first row that stands after ``key``, which need not exist; 0 where there is none."""
        return self.at(self.rank(key - 1)) if key > 0 else 0


@final
class PriceOrder(State):
    """The same rows, dearest first, and those of one price newest first: for each price the places of its rows among them."""

    def __init__(self, full: i64, prices: i64) -> None:
        self.prices: i64 = prices
        self.all: i64 = full
        self.groups: list[RowOrder] = []
        price: i64 = 1
        while price <= prices:
            self.groups.append(RowOrder(full // prices + (1 if price <= full % prices else 0)))
            price += 1

    def place(self, row: i64) -> i64:
        """A row's place among those of its price, 1 the oldest."""
        return 1 + (row - 1) // self.prices

    def put(self, row: i64) -> None:
        """Insert a row."""
        if self.groups[price_of(row, self.prices) - 1].put(self.place(row)):
            self.all += 1

    def drop(self, row: i64) -> None:
        """Delete a row."""
        if self.groups[price_of(row, self.prices) - 1].drop(self.place(row)):
            self.all -= 1

    def rank(self, key: i64) -> i64:
        """How many rows stand before a sort key: those with larger ones."""
        price = key >> ID_BITS
        row = key & ID_MASK
        before: i64 = 0
        other = self.prices
        while other > price and other > 0:
            before += self.groups[other - 1].size()
            other -= 1
        if price >= 1 and price <= self.prices:
            place = 1 + (row - price) // self.prices if row >= price else 0
            before += self.groups[price - 1].rank(place)
        return before

    def rows(self, first: i64, number: i64) -> vec[i64]:
        """The keys of ``number`` rows from rank ``first`` on, fewer at the end."""
        found = vec[i64]()
        price = self.prices
        while price > 0 and len(found) < number:
            group = self.groups[price - 1]
            size = group.size()
            while first < size and len(found) < number:
                found = append(found, (group.at(first) - 1) * self.prices + price)
                first += 1
            first -= size
            price -= 1
        return found

    def up_to_group(self, rank: i64) -> i64:
        """How many rows stand before the group of equal prices in which a rank lies."""
        before: i64 = 0
        price = self.prices
        while price > 0:
            size = self.groups[price - 1].size()
            if rank < before + size:
                break
            before += size
            price -= 1
        return before

    def past_group(self, rank: i64) -> i64:
        """The same with that group."""
        before: i64 = 0
        price = self.prices
        while price > 0 and before <= rank:
            before += self.groups[price - 1].size()
            price -= 1
        return before
