"""Versions: who wrote them, by which clock, knowing what; which one wins; and which one is really the newest.

A version is a slot in columns. Replicas, hints, messages and requests hold slots; what nobody holds any more is found by a sweep.
"""

from __future__ import annotations

from typing import Final, final

from librt.vecs import vec
from mypy_extensions import i64

from playground.blocks.quorum_store.states import ACKED, INITIAL, SIBLINGS_MAX, UNDECIDED
from playground.engine.columns import grown, zeros
from playground.engine.outcomes import ABSENT
from playground.engine.state import State
from playground.engine.stores import KeyIndex

LONG_AGO: Final = -4_000_000_000_000_000_000
FIRST_CAPACITY: Final = 256


@final
class Ledger(State):
    """All versions that are held somewhere, and the truth about each key, which no node knows.

    ``number``: the how manieth version of its key, by the moment at which its write began; ``stamp``: that moment by its coordinator's
    clock, ns; ``acked``: when its client was told that it is safe, -1 not. ``clock`` (by version and actor, only with ``actors`` > 0):
    what its writer had seen, with ``actor`` and ``dot`` as its own event: dotted version vectors, N. Preguica et al., arXiv 1011.5808,
    2010. An actor is a node as long as it remembers what it wrote: one that has lost its disk is another actor (Riak's actor epochs).
    """

    def __init__(self, actors: i64) -> None:
        self.actors: i64 = actors
        self.width: i64 = SIBLINGS_MAX if actors > 0 else 1
        self.capacity: i64 = FIRST_CAPACITY
        self.key: vec[i64] = zeros(FIRST_CAPACITY)
        self.number: vec[i64] = zeros(FIRST_CAPACITY)
        self.stamp: vec[i64] = zeros(FIRST_CAPACITY)
        self.started: vec[i64] = zeros(FIRST_CAPACITY)
        self.acked: vec[i64] = zeros(FIRST_CAPACITY)
        self.by: vec[i64] = zeros(FIRST_CAPACITY)
        self.actor: vec[i64] = zeros(FIRST_CAPACITY)
        self.dot: vec[i64] = zeros(FIRST_CAPACITY)
        self.state: vec[i64] = zeros(FIRST_CAPACITY)
        self.deleted: vec[i64] = zeros(FIRST_CAPACITY)
        self.marked: vec[i64] = zeros(FIRST_CAPACITY)
        self.clock: vec[i64] = zeros(FIRST_CAPACITY * actors)
        self.free: vec[i64] = zeros(FIRST_CAPACITY)
        self.free_count: i64 = 0
        # By key that was ever written: versions begun, the newest acknowledged one, the acknowledged one with the latest stamp.
        self.index = KeyIndex()
        self.keys: vec[i64] = zeros(64)
        self.begun: vec[i64] = zeros(64)
        self.newest: vec[i64] = zeros(64)
        self.winner: vec[i64] = zeros(64)
        self.touched: i64 = 0
        # What the latest merge did.
        self.changed: bool = False
        self.overflowed: i64 = 0
        self.number[INITIAL] = 1
        self.stamp[INITIAL] = LONG_AGO
        self.state[INITIAL] = ACKED
        self.offer_free(1)

    # ---- slots

    def offer_free(self, first: i64) -> None:
        """Put the slots from ``first`` on the free list, lowest on top."""
        slot = self.capacity - 1
        while slot >= first:
            self.free[self.free_count] = slot
            self.free_count += 1
            slot -= 1

    def mark(self, slot: i64) -> None:
        """Somebody holds this version."""
        self.marked[slot] = 1

    def mark_set(self, column: vec[i64], base: i64, count: i64) -> None:
        """Somebody holds these."""
        index: i64 = 0
        while index < count:
            self.marked[column[base + index]] = 1
            index += 1

    def sweep(self) -> None:
        """Free what nobody has marked; make room when that is less than half."""
        entry: i64 = 0
        while entry < self.touched:
            self.marked[self.newest[entry]] = 1
            self.marked[self.winner[entry]] = 1
            entry += 1
        self.marked[INITIAL] = 1
        self.free_count = 0
        slot = self.capacity - 1
        while slot >= 0:
            if self.marked[slot] == 0:
                self.free[self.free_count] = slot
                self.free_count += 1
            slot -= 1
        old = self.capacity
        self.marked = zeros(old)
        if 2 * self.free_count < old:
            self.grow(2 * old)
            self.offer_free(old)

    def grow(self, capacity: i64) -> None:
        """Lengthen all columns."""
        self.capacity = capacity
        self.key = grown(self.key, capacity)
        self.number = grown(self.number, capacity)
        self.stamp = grown(self.stamp, capacity)
        self.started = grown(self.started, capacity)
        self.acked = grown(self.acked, capacity)
        self.by = grown(self.by, capacity)
        self.actor = grown(self.actor, capacity)
        self.dot = grown(self.dot, capacity)
        self.state = grown(self.state, capacity)
        self.deleted = grown(self.deleted, capacity)
        self.marked = grown(self.marked, capacity)
        self.clock = grown(self.clock, capacity * self.actors)
        self.free = grown(self.free, capacity)

    def add_actor(self) -> i64:
        """One more actor, of whom no version knows anything; its number."""
        before = self.actors
        wider = zeros(self.capacity * (before + 1))
        slot: i64 = 0
        while slot < self.capacity:
            actor: i64 = 0
            while actor < before:
                wider[slot * (before + 1) + actor] = self.clock[slot * before + actor]
                actor += 1
            slot += 1
        self.clock = wider
        self.actors = before + 1
        return before

    def entry_of(self, key: i64) -> i64:
        """The entry of ``key`` in the truth, made where there is none."""
        entry = self.index.find(key)
        if entry < 0:
            entry = self.touched
            if entry >= len(self.keys):
                self.keys = grown(self.keys, 2 * entry)
                self.begun = grown(self.begun, 2 * entry)
                self.newest = grown(self.newest, 2 * entry)
                self.winner = grown(self.winner, 2 * entry)
            self.index.put(key, entry)
            self.touched += 1
            self.keys[entry] = key
            self.begun[entry] = 1
            self.newest[entry] = INITIAL
            self.winner[entry] = INITIAL
        return entry

    def new(self, key: i64, now: i64, stamp: i64, by: i64, actor: i64, dot: i64, deleted: bool) -> i64:
        """A version whose write begins now; there must be a free slot. Its clock is empty."""
        self.free_count -= 1
        slot = self.free[self.free_count]
        entry = self.entry_of(key)
        self.begun[entry] += 1
        self.key[slot] = key
        self.number[slot] = self.begun[entry]
        self.stamp[slot] = stamp
        self.started[slot] = now
        self.acked[slot] = -1
        self.by[slot] = by
        self.actor[slot] = actor
        self.dot[slot] = dot
        self.state[slot] = UNDECIDED
        self.deleted[slot] = 1 if deleted else 0
        other: i64 = 0
        while other < self.actors:
            self.clock[slot * self.actors + other] = 0
            other += 1
        return slot

    def saw(self, slot: i64, seen: i64) -> None:
        """The writer of ``slot`` had read ``seen``, and with it all that ``seen`` knew."""
        if seen == INITIAL:
            return
        actors = self.actors
        actor: i64 = 0
        while actor < actors:
            known = self.clock[seen * actors + actor]
            if known > self.clock[slot * actors + actor]:
                self.clock[slot * actors + actor] = known
            actor += 1
        at = slot * actors + self.actor[seen]
        if self.dot[seen] > self.clock[at]:
            self.clock[at] = self.dot[seen]

    # ---- which one wins

    def wins(self, one: i64, other: i64) -> bool:
        """Whether ``one`` has the later stamp; of two equal ones, whatever their values are compared by: here their numbers."""
        if self.stamp[one] != self.stamp[other]:
            return self.stamp[one] > self.stamp[other]
        return self.number[one] > self.number[other]

    def covers(self, one: i64, other: i64) -> bool:
        """Whether who wrote ``one`` knew ``other``. Nobody writes without the initial version."""
        if other == INITIAL or one == INITIAL:
            return other == INITIAL and one != INITIAL
        return self.clock[one * self.actors + self.actor[other]] >= self.dot[other]

    def merge(self, column: vec[i64], base: i64, count: i64, slot: i64) -> i64:
        """Enter ``slot`` into the set of ``count`` versions at ``column[base]``; how many it has now. ``changed`` says whether it did."""
        self.changed = False
        if count == 0:
            column[base] = slot
            self.changed = True
            return 1
        if self.actors == 0:
            if self.wins(slot, column[base]):
                column[base] = slot
                self.changed = True
            return 1
        index: i64 = 0
        while index < count:
            here = column[base + index]
            if here == slot or self.covers(here, slot):
                return count
            index += 1
        kept: i64 = 0
        index = 0
        while index < count:
            here = column[base + index]
            if not self.covers(slot, here):
                column[base + kept] = here
                kept += 1
            index += 1
        if kept == self.width:
            return self.crowd(column, base, kept, slot)
        self.changed = True
        column[base + kept] = slot
        return kept + 1

    def crowd(self, column: vec[i64], base: i64, count: i64, slot: i64) -> i64:
        """With ``slot`` there are too many siblings: the one that was written first goes, which may be ``slot``.

        So two nodes that have had the same versions keep the same ones, in whatever order these came.
        """
        oldest: i64 = 0
        index: i64 = 1
        while index < count:
            if self.number[column[base + index]] < self.number[column[base + oldest]]:
                oldest = index
            index += 1
        self.overflowed += 1
        if self.number[slot] > self.number[column[base + oldest]]:
            column[base + oldest] = slot
            self.changed = True
        return count

    def replaces(self, one: i64, other: i64) -> bool:
        """Whether who holds ``one`` needs ``other`` no more: it is that one, or one that stays in its place."""
        return one == other or (self.covers(one, other) if self.actors > 0 else self.wins(one, other))

    def among(self, column: vec[i64], base: i64, count: i64, slot: i64) -> bool:
        """Whether a set has ``slot`` in it, or one that replaces it."""
        index: i64 = 0
        while index < count:
            if self.replaces(column[base + index], slot):
                return True
            index += 1
        return False

    def latest(self, column: vec[i64], base: i64, count: i64) -> i64:
        """Of a set, the version whose write began last; -1 of none."""
        best: i64 = -1
        index: i64 = 0
        while index < count:
            slot = column[base + index]
            if best < 0 or self.number[slot] > self.number[best]:
                best = slot
            index += 1
        return best

    def holds(self, column: vec[i64], base: i64, count: i64, slot: i64) -> bool:
        """Whether a set has ``slot`` in it, or a version that was written by somebody who knew it (without vectors: a later one)."""
        index: i64 = 0
        while index < count:
            here = column[base + index]
            if here == slot:
                return True
            if self.actors > 0:
                if self.covers(here, slot):
                    return True
            elif self.number[here] > self.number[slot]:
                return True
            index += 1
        return False

    # ---- the truth

    def matters(self, slot: i64) -> bool:
        """Whether an acknowledged write is lost with this version: with vectors each one is a value of its own, else the winner is."""
        if slot == INITIAL or self.state[slot] != ACKED:
            return False
        return self.actors > 0 or self.winner[self.index.find(self.key[slot])] == slot

    def newest_of(self, key: i64) -> i64:
        """The newest acknowledged version of ``key``."""
        entry = self.index.find(key)
        return self.newest[entry] if entry >= 0 else INITIAL

    def current(self, key: i64, first_keys: i64) -> i64:
        """Its number; ABSENT where there is none."""
        entry = self.index.find(key)
        slot: i64 = self.newest[entry] if entry >= 0 else INITIAL
        if slot == INITIAL:
            return 1 if 1 <= key <= first_keys else ABSENT
        return ABSENT if self.deleted[slot] != 0 else self.number[slot]


def same_set(one: vec[i64], base: i64, count: i64, other: vec[i64], other_base: i64, other_count: i64) -> bool:
    """Whether two sets hold the same versions, in whatever order."""
    if count != other_count:
        return False
    index: i64 = 0
    while index < count:
        wanted = one[base + index]
        there: i64 = 0
        while there < count and other[other_base + there] != wanted:
            there += 1
        if there == count:
            return False
        index += 1
    return True
