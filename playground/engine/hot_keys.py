"""Which keys are asked for so often that one node should not serve them alone.

Counted as in A. Metwally, D. Agrawal and A. El Abbadi, "Efficient computation of frequent and top-k elements in data streams", ICDT 2005
(space-saving): a fixed number of counters; a key without one takes over the least, and its count as the error it may have.
"""

from __future__ import annotations

from typing import Final, final

from librt.vecs import vec
from mypy_extensions import i64

from playground.engine.columns import zeros
from playground.engine.state import State
from playground.engine.stores import KeyIndex

COUNTERS: Final = 64
WINDOW_NS: Final = 1_000_000_000
READS_MIN: Final = 100
"""Below so many counted reads nothing is hot."""


@final
class HotKeys(State):
    """Counts of late: every second of virtual time it is settled which keys are hot, and all counts are halved."""

    def __init__(self) -> None:
        self.index = KeyIndex()
        self.size: i64 = 0
        self.key: vec[i64] = zeros(COUNTERS)
        self.count: vec[i64] = zeros(COUNTERS)
        self.error: vec[i64] = zeros(COUNTERS)
        self.hot: vec[i64] = zeros(COUNTERS)
        self.hot_all: i64 = 0
        self.total: i64 = 0
        self.window: i64 = 0

    def add(self, key: i64) -> None:
        """Count a read."""
        self.total += 1
        slot = self.index.find(key)
        if slot >= 0:
            self.count[slot] += 1
            return
        if self.size < COUNTERS:
            slot = self.size
            self.size += 1
            self.count[slot] = 0
        else:
            slot = self.least()
            if slot < 0:
                return
            self.index.drop(self.key[slot])
        self.index.put(key, slot)
        self.key[slot] = key
        self.error[slot] = self.count[slot]
        self.count[slot] += 1

    def least(self) -> i64:
        """The counter with the lowest count of a key that is not hot, -1 when all are."""
        found: i64 = -1
        slot: i64 = 0
        while slot < COUNTERS:
            if self.hot[slot] == 0 and (found < 0 or self.count[slot] < self.count[found]):
                found = slot
            slot += 1
        return found

    def is_hot(self, key: i64) -> bool:
        """Whether ``key`` is among the hot ones now."""
        if self.hot_all == 0:
            return False
        slot = self.index.find(key)
        return slot >= 0 and self.hot[slot] != 0

    def hottest(self) -> i64:
        """The counter of the key that was surely asked for most often, -1 when nothing was counted."""
        found: i64 = -1
        slot: i64 = 0
        while slot < self.size:
            if found < 0 or self.count[slot] - self.error[slot] > self.count[found] - self.error[found]:
                found = slot
            slot += 1
        return found

    def hottest_key(self) -> i64:
        """The key that was asked for most often of late, 0 when none was."""
        slot = self.hottest()
        return self.key[slot] if slot >= 0 else 0

    def hottest_percent(self) -> float:
        """Its share of what was counted of late, %: no less than that."""
        slot = self.hottest()
        if slot < 0 or self.total == 0:
            return 0.0
        return 100.0 * float(self.count[slot] - self.error[slot]) / float(self.total)

    def due(self, now: i64) -> bool:
        """Whether a second has passed since it was settled last."""
        return now // WINDOW_NS != self.window

    def settle(self, now: i64, percent: float) -> list[i64]:
        """Keys that have become hot, and, as -1 - key, those that are so no more: below half of ``percent`` of the reads."""
        self.window = now // WINDOW_NS
        changed: list[i64] = []
        slot: i64 = 0
        while slot < self.size:
            share = 0.0
            if self.total >= READS_MIN:
                share = 100.0 * float(self.count[slot] - self.error[slot]) / float(self.total)
            if self.hot[slot] == 0 and self.total >= READS_MIN and share >= percent:
                self.hot[slot] = 1
                self.hot_all += 1
                changed.append(self.key[slot])
            elif self.hot[slot] != 0 and share < 0.5 * percent:
                self.hot[slot] = 0
                self.hot_all -= 1
                changed.append(-1 - self.key[slot])
            self.count[slot] >>= 1
            self.error[slot] >>= 1
            slot += 1
        self.total >>= 1
        return changed

    def clear(self) -> None:
        """Forget all."""
        self.index.clear()
        self.size = 0
        self.hot = zeros(COUNTERS)
        self.hot_all = 0
        self.total = 0
