"""What one node of a cache has in memory, all of which is gone when it crashes."""

from __future__ import annotations

from typing import Final, final

from librt.vecs import vec
from mypy_extensions import i64

from playground.blocks.cache.sessions import SessionTable
from playground.blocks.cache.states import UNBOUNDED
from playground.engine.columns import grown, zeros
from playground.engine.state import State
from playground.engine.stores import FIFO, Evicting

LOCKS_MAX: Final = 1 << 20
"""Locks that ran out unseen stay until their key is asked for; past so many the oldest goes."""


@final
class Node(State):
    """Items by key, and beside them locks and leases (the version is the token), writes that wait to be flushed, and sessions."""

    def __init__(self, capacity: i64, policy: i64) -> None:
        self.items = Evicting(capacity, policy)
        # How long the last rebuild of an item took, ns, by entry of ``items``.
        self.took: vec[i64] = zeros(64)
        self.locks = Evicting(LOCKS_MAX, FIFO)
        # Keys whose lease was used, or voided (at filled_at), and that get no other one before it would have ended.
        self.spent = Evicting(LOCKS_MAX, FIFO)
        # Written here and not yet sent to the store; sent, and not yet answered.
        self.dirty = Evicting(UNBOUNDED, FIFO)
        self.flushing = Evicting(UNBOUNDED, FIFO)
        self.flush_set: bool = False
        # Operations that it did.
        self.served: i64 = 0
        self.sessions = SessionTable()
        # How often it was taken out: what was begun before that concerns the process that comes in its place no more.
        self.left: i64 = 0

    def put(self, key: i64, version: i64, now: i64, expires: i64, took: i64) -> i64:
        """Put an item in; its entry. ``took`` -1: as long as it is known to take."""
        if took < 0:
            held = self.items.find(key)
            took = self.took[held] if held >= 0 else 0
        entry = self.items.put(key, version, now, expires)
        if entry >= len(self.took):
            self.took = grown(self.took, len(self.items.key))
        self.took[entry] = took
        return entry

    def remove(self, key: i64) -> bool:
        """Take an item out; whether it was in."""
        entry = self.items.find(key)
        if entry < 0:
            return False
        self.items.remove(entry)
        return True

    def unwritten(self, key: i64) -> i64:
        """The version of ``key`` that the store does not have yet, as far as this node knows; 0 where there is none."""
        entry = self.dirty.find(key)
        if entry >= 0:
            return self.dirty.version[entry]
        entry = self.flushing.find(key)
        return self.flushing.version[entry] if entry >= 0 else 0

    def forget(self) -> i64:
        """Lose everything; how many writes were still to be flushed."""
        lost = self.dirty.size
        self.dirty.clear()
        self.flushing.clear()
        self.empty()
        return lost

    def empty(self) -> None:
        """Lose everything but the writes that are still to be flushed."""
        self.items.clear()
        self.locks.clear()
        self.spent.clear()
        self.sessions.kept.clear()


def reordered(items: Evicting, policy: i64, capacity: i64) -> Evicting:
    """The same items under another policy, the next to be evicted first; what is known of their use is lost."""
    made = Evicting(capacity, policy)
    made.evicted = items.evicted
    for key in items.in_order():
        entry = items.find(key)
        made.put(key, items.version[entry], items.filled_at[entry], items.expires[entry])
    return made
