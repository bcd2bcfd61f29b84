"""Hints: what a node keeps for another one that is out of reach. Dynamo (SOSP 2007), section 4.6."""

from __future__ import annotations

from typing import final

from librt.vecs import append, vec
from mypy_extensions import i64

from playground.blocks.quorum_store.ledger import Ledger
from playground.blocks.quorum_store.states import NODES_MAX
from playground.engine.columns import filled, grown, zeros
from playground.engine.state import State
from playground.engine.stores import KeyIndex


@final
class Hints(State):
    """One list for each pair of holder and owner, oldest first; a key stands in it once, with what was written since.

    ``taken`` (ns) is when its first write was taken, ``sent`` when it was last handed over (-1: not since), ``serial`` is never used twice.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.width: i64 = ledger.width
        self.index = KeyIndex()
        self.made: i64 = 0
        self.serials: i64 = 0
        self.size: i64 = 0
        self.holder: vec[i64] = filled(64, -1)
        self.owner: vec[i64] = zeros(64)
        self.key: vec[i64] = zeros(64)
        self.taken: vec[i64] = zeros(64)
        self.sent: vec[i64] = zeros(64)
        self.serial: vec[i64] = zeros(64)
        self.before: vec[i64] = zeros(64)
        self.after: vec[i64] = zeros(64)
        self.count: vec[i64] = zeros(64)
        self.slots: vec[i64] = zeros(64 * self.width)
        self.free: i64 = -1
        # By holder * NODES_MAX + owner; and by holder, by owner.
        self.first: vec[i64] = filled(NODES_MAX * NODES_MAX, -1)
        self.last: vec[i64] = filled(NODES_MAX * NODES_MAX, -1)
        self.held_by: vec[i64] = zeros(NODES_MAX)
        self.held_for: vec[i64] = zeros(NODES_MAX)

    def name(self, holder: i64, owner: i64, key: i64) -> i64:
        """What the index knows a hint by."""
        return (key * NODES_MAX + owner) * NODES_MAX + holder

    def find(self, holder: i64, owner: i64, key: i64) -> i64:
        """The hint that ``holder`` keeps of ``key`` for ``owner``, -1 for none."""
        return self.index.find(self.name(holder, owner, key))

    def of(self, key: i64, nodes: i64) -> vec[i64]:
        """All hints of ``key`` that any of so many nodes keep."""
        found = vec[i64]()
        owner: i64 = 0
        while owner < nodes:
            holder: i64 = 0
            while holder < nodes and self.held_for[owner] > 0:
                hint = self.find(holder, owner, key)
                if hint >= 0:
                    found = append(found, hint)
                holder += 1
            owner += 1
        return found

    def put(self, holder: i64, owner: i64, key: i64, column: vec[i64], base: i64, count: i64, now: i64) -> bool:
        """Keep these versions for ``owner``; whether that is a new hint."""
        hint = self.find(holder, owner, key)
        new = hint < 0
        if new:
            hint = self.chain(holder, owner, key, now)
        index: i64 = 0
        while index < count:
            self.count[hint] = self.ledger.merge(self.slots, hint * self.width, self.count[hint], column[base + index])
            if self.ledger.changed:
                # An acknowledgement of what was handed over before is none of this.
                self.renew(hint)
            index += 1
        return new

    def renew(self, hint: i64) -> None:
        """It is another one now, still to be handed over."""
        self.serials += 1
        self.serial[hint] = self.serials
        self.sent[hint] = -1

    def chain(self, holder: i64, owner: i64, key: i64, now: i64) -> i64:
        """A new hint at the end of its list."""
        hint = self.free
        if hint >= 0:
            self.free = self.after[hint]
        else:
            hint = self.made
            self.made += 1
            if hint >= len(self.holder):
                self.grow()
        pair = holder * NODES_MAX + owner
        last = self.last[pair]
        self.holder[hint] = holder
        self.owner[hint] = owner
        self.key[hint] = key
        self.taken[hint] = now
        self.count[hint] = 0
        self.before[hint] = last
        self.after[hint] = -1
        if last >= 0:
            self.after[last] = hint
        else:
            self.first[pair] = hint
        self.last[pair] = hint
        self.index.put(self.name(holder, owner, key), hint)
        self.size += 1
        self.held_by[holder] += 1
        self.held_for[owner] += 1
        self.renew(hint)
        return hint

    def drop(self, hint: i64) -> None:
        """It was delivered, or is too old, or lost with its holder's disk."""
        holder = self.holder[hint]
        owner = self.owner[hint]
        pair = holder * NODES_MAX + owner
        before = self.before[hint]
        after = self.after[hint]
        if before >= 0:
            self.after[before] = after
        else:
            self.first[pair] = after
        if after >= 0:
            self.before[after] = before
        else:
            self.last[pair] = before
        self.index.drop(self.name(holder, owner, self.key[hint]))
        self.size -= 1
        self.held_by[holder] -= 1
        self.held_for[owner] -= 1
        self.holder[hint] = -1
        self.after[hint] = self.free
        self.free = hint

    def waiting(self, holder: i64, owner: i64) -> i64:
        """The first of a pair's hints that is not being handed over now, -1 for none."""
        hint = self.first[holder * NODES_MAX + owner]
        while hint >= 0 and self.sent[hint] >= 0:
            hint = self.after[hint]
        return hint

    def read(self, holder: i64, key: i64, owners: vec[i64], base: i64, count: i64, column: vec[i64], at: i64) -> i64:
        """Copy all that ``holder`` keeps of ``key`` for these ``count`` owners to ``column[at]``; how many versions that is."""
        found: i64 = 0
        place: i64 = 0
        while place < count:
            hint = self.find(holder, owners[base + place], key)
            index: i64 = 0
            while hint >= 0 and index < self.count[hint]:
                found = self.ledger.merge(column, at, found, self.slots[hint * self.width + index])
                index += 1
            place += 1
        return found

    def has(self, hint: i64, slot: i64) -> bool:
        """Whether a hint is about this very version."""
        index: i64 = 0
        while index < self.count[hint]:
            if self.slots[hint * self.width + index] == slot:
                return True
            index += 1
        return False

    def mark(self) -> None:
        """Tell the ledger what is held here."""
        hint: i64 = 0
        while hint < self.made:
            if self.holder[hint] >= 0:
                self.ledger.mark_set(self.slots, hint * self.width, self.count[hint])
            hint += 1

    def grow(self) -> None:
        """Double the table."""
        length: i64 = 2 * len(self.holder)
        self.holder = grown(self.holder, length, -1)
        self.owner = grown(self.owner, length)
        self.key = grown(self.key, length)
        self.taken = grown(self.taken, length)
        self.sent = grown(self.sent, length)
        self.serial = grown(self.serial, length)
        self.before = grown(self.before, length)
        self.after = grown(self.after, length)
        self.count = grown(self.count, length)
        self.slots = grown(self.slots, length * self.width)
