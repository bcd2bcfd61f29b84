"""What one node holds of its own, by key."""

from __future__ import annotations

from typing import final

from librt.vecs import vec
from mypy_extensions import i64

from playground.blocks.quorum_store.ledger import Ledger
from playground.blocks.quorum_store.states import INITIAL
from playground.engine.columns import grown, zeros
from playground.engine.state import State
from playground.engine.stores import KeyIndex


@final
class Replica(State):
    """Versions by key: one, or with version vectors the siblings. Only keys that were written take room; all others are as at the start."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.width: i64 = ledger.width
        # Items 1 to this were there at the start, and still are unless the disk was lost.
        self.items: i64 = 0
        self.wiped: bool = False
        self.index = KeyIndex()
        self.size: i64 = 0
        self.key: vec[i64] = zeros(64)
        self.count: vec[i64] = zeros(64)
        self.slots: vec[i64] = zeros(64 * self.width)

    def read(self, key: i64, column: vec[i64], base: i64) -> i64:
        """Copy what it holds of ``key`` to ``column[base]``; how many versions that is."""
        entry = self.index.find(key)
        if entry < 0:
            if self.wiped or key < 1 or key > self.items:
                return 0
            column[base] = INITIAL
            return 1
        count = self.count[entry]
        index: i64 = 0
        while index < count:
            column[base + index] = self.slots[entry * self.width + index]
            index += 1
        return count

    def apply(self, key: i64, column: vec[i64], base: i64, count: i64) -> bool:
        """Take these versions of ``key``; whether any of them was news."""
        entry = self.index.find(key)
        if entry < 0:
            entry = self.enter(key)
        news = False
        index: i64 = 0
        while index < count:
            self.count[entry] = self.ledger.merge(
                self.slots, entry * self.width, self.count[entry], column[base + index]
            )
            news = news or self.ledger.changed
            index += 1
        return news

    def enter(self, key: i64) -> i64:
        """Make an entry for ``key`` with what it was at the start."""
        entry = self.size
        if entry >= len(self.key):
            self.key = grown(self.key, 2 * entry)
            self.count = grown(self.count, 2 * entry)
            self.slots = grown(self.slots, 2 * entry * self.width)
        self.index.put(key, entry)
        self.size += 1
        self.key[entry] = key
        self.count[entry] = 0
        if not self.wiped and 1 <= key <= self.items:
            self.slots[entry * self.width] = INITIAL
            self.count[entry] = 1
        return entry

    def has(self, key: i64, slot: i64) -> bool:
        """Whether this very version is among what it holds."""
        entry = self.index.find(key)
        if entry < 0:
            return slot == INITIAL and not self.wiped and 1 <= key <= self.items
        index: i64 = 0
        while index < self.count[entry]:
            if self.slots[entry * self.width + index] == slot:
                return True
            index += 1
        return False

    def wipe(self) -> None:
        """The disk is gone."""
        self.wiped = True
        self.index.clear()
        self.size = 0

    def mark(self) -> None:
        """Tell the ledger what is held here."""
        entry: i64 = 0
        while entry < self.size:
            self.ledger.mark_set(self.slots, entry * self.width, self.count[entry])
            entry += 1
