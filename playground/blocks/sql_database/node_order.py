"""The rows that a node sees, in the orders in which lists want them, and what has come and gone of late."""

from __future__ import annotations

from typing import Final, final

from librt.vecs import vec
from mypy_extensions import i64

from playground.engine.columns import zeros
from playground.engine.row_order import PriceOrder, RowOrder
from playground.engine.state import State
from playground.engine.stores import KeyIndex, Versions

CHANGES_KEPT: Final = 8192
"""Latest insertions and deletions that are kept to say what came between two pages."""


@final
class NodeOrder(State):
    """The rows that one node sees, as far as its log was followed: up to position ``upto``, in the node's life ``life`` and after ``cuts``
    of the history. ``born``: when each row was inserted, of those that were not there from the start."""

    def __init__(self) -> None:
        self.order = RowOrder(0)
        # By price as well, since somebody has asked for that.
        self.priced: PriceOrder | None = None
        self.built: bool = False
        self.asked: i64 = 0
        # Changes are known from here on, ns.
        self.since: i64 = 0
        self.upto: i64 = 0
        self.cuts: i64 = 0
        self.life: i64 = 0
        self.forked: bool = False
        self.born = KeyIndex()
        # A ring of the latest changes: key (negative: deleted) and when.
        self.changes: i64 = 0
        self.changed_key: vec[i64] = zeros(CHANGES_KEPT)
        self.changed_at: vec[i64] = zeros(CHANGES_KEPT)

    def note(self, key: i64, at: i64) -> None:
        """Remember a change."""
        place = self.changes % CHANGES_KEPT
        self.changed_key[place] = key
        self.changed_at[place] = at
        self.changes += 1

    def bear(self, key: i64, at: i64) -> None:
        """A row begins to exist."""
        if not self.order.put(key):
            return
        priced = self.priced
        if priced is not None:
            priced.put(key)
        if self.born.find(key) >= 0:
            self.born.drop(key)
        self.born.put(key, at)
        self.note(key, at)

    def bury(self, key: i64, at: i64) -> None:
        """A row is deleted."""
        if self.order.drop(key):
            priced = self.priced
            if priced is not None:
                priced.drop(key)
            self.note(-key, at)

    def by_price(self, prices: i64, versions: Versions) -> PriceOrder:
        """The rows by price. ``versions``: of every row that was ever written."""
        found = self.priced
        if found is None or found.prices != prices:
            found = PriceOrder(self.order.full, prices)
            entry: i64 = 0
            while entry < versions.index.size:
                key = versions.key[entry]
                if self.order.has(key):
                    found.put(key)
                else:
                    found.drop(key)
                entry += 1
            self.priced = found
        return found

    def has_stood(self, key: i64, since: i64) -> bool:
        """Whether a row exists, and has existed ever since."""
        if not self.order.has(key):
            return False
        born = self.born.find(key)
        return born <= since
