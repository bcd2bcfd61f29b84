"""Stores of real keys in packed columns: what a cache, a buffer pool or a table remembers.

Memory goes with the keys that were touched, never with the keys there could be, and a snapshot is a copy of columns.
"""

from __future__ import annotations

from typing import Final, final

from librt.vecs import vec
from mypy_extensions import i64

from playground.engine.columns import filled, grown, zeros
from playground.engine.outcomes import ABSENT
from playground.engine.state import State

LRU: Final = 0
LFU: Final = 1
FIFO: Final = 2
POLICIES: Final = ["lru", "lfu", "fifo"]


def slot_hash(key: i64) -> i64:
    """A hash whose products stay below 2**63, so that compiled and interpreted agree."""
    folded: i64 = (key ^ (key >> 31)) & 0x7FFFFFFF
    return (folded * 2654435769) >> 15


@final
class KeyIndex(State):
    """An open-addressing map from keys (>= 0) to entry numbers, with backward-shift deletion (Knuth, TAOCP 3, 6.4, algorithm R)."""

    def __init__(self) -> None:
        self.mask: i64 = 63
        self.size: i64 = 0
        self.keys: vec[i64] = filled(64, -1)
        self.entries: vec[i64] = zeros(64)

    def find(self, key: i64) -> i64:
        """The entry of ``key``, -1 when it is not there."""
        mask = self.mask
        keys = self.keys
        slot = slot_hash(key) & mask
        while True:
            here = keys[slot]
            if here == key:
                return self.entries[slot]
            if here == -1:
                return -1
            slot = (slot + 1) & mask

    def put(self, key: i64, entry: i64) -> None:
        """Map ``key``, which must not be there yet, to ``entry``."""
        if 2 * (self.size + 1) > self.mask:
            self.widen()
        mask = self.mask
        keys = self.keys
        slot = slot_hash(key) & mask
        while keys[slot] != -1:
            slot = (slot + 1) & mask
        keys[slot] = key
        self.entries[slot] = entry
        self.size += 1

    def drop(self, key: i64) -> None:
        """Forget ``key``, which must be there."""
        mask = self.mask
        keys = self.keys
        entries = self.entries
        hole = slot_hash(key) & mask
        while keys[hole] != key:
            hole = (hole + 1) & mask
        slot = hole
        while True:
            slot = (slot + 1) & mask
            here = keys[slot]
            if here == -1:
                break
            home = slot_hash(here) & mask
            if ((slot - home) & mask) >= ((slot - hole) & mask):
                keys[hole] = here
                entries[hole] = entries[slot]
                hole = slot
        keys[hole] = -1
        self.size -= 1

    def widen(self) -> None:
        """Double the table."""
        old_keys = self.keys
        old_entries = self.entries
        length: i64 = len(old_keys)
        self.mask = 2 * length - 1
        self.size = 0
        self.keys = filled(2 * length, -1)
        self.entries = zeros(2 * length)
        slot: i64 = 0
        while slot < length:
            if old_keys[slot] != -1:
                self.put(old_keys[slot], old_entries[slot])
            slot += 1

    def clear(self) -> None:
        """Forget all."""
        self.mask = 63
        self.size = 0
        self.keys = filled(64, -1)
        self.entries = zeros(64)


@final
class Versions(State):
    """The present version of every key that was ever written or deleted; all others are at version 1.

    A deleted key keeps its number (a tombstone), so that versions go on growing where it is made again.
    """

    def __init__(self) -> None:
        self.index = KeyIndex()
        # By entry: keys in the order in which they were first written, their versions (negative: deleted at that one), when, ns.
        self.key: vec[i64] = zeros(64)
        self.version: vec[i64] = zeros(64)
        self.written_at: vec[i64] = zeros(64)

    def read(self, key: i64) -> i64:
        """The version of ``key``; ABSENT where it was deleted."""
        entry = self.index.find(key)
        if entry < 0:
            return 1
        version = self.version[entry]
        return version if version > 0 else ABSENT

    def written(self, key: i64) -> i64:
        """1 when ``key`` was ever written or deleted, else 0."""
        return 1 if self.index.find(key) >= 0 else 0

    def when(self, key: i64) -> i64:
        """When its present version was committed, or it was deleted, ns; 0 where neither ever was."""
        entry = self.index.find(key)
        return self.written_at[entry] if entry >= 0 else 0

    def write(self, key: i64, now: i64, at_least: i64 = 0) -> i64:
        """Commit a new version of ``key``, ``at_least`` or more, at ``now``; the version."""
        entry = self.entry_of(key)
        version = self.version[entry]
        version = 1 - version if version < 0 else version + 1
        if version < at_least:
            version = at_least
        self.version[entry] = version
        self.written_at[entry] = now
        return version

    def delete(self, key: i64, now: i64, at_least: i64 = 0) -> i64:
        """Delete ``key`` at ``now``; the version at which it is gone."""
        version = self.write(key, now, at_least)
        self.version[self.index.find(key)] = -version
        return version

    def held(self, key: i64) -> i64:
        """The version of ``key``, negative where it was deleted at that one; 0 where it was never written nor deleted."""
        entry = self.index.find(key)
        return self.version[entry] if entry >= 0 else 0

    def entry_of(self, key: i64) -> i64:
        """The entry of ``key``, made at version 1 where there is none."""
        entry = self.index.find(key)
        if entry < 0:
            entry = self.index.size
            if entry >= len(self.version):
                self.key = grown(self.key, 2 * entry)
                self.version = grown(self.version, 2 * entry)
                self.written_at = grown(self.written_at, 2 * entry)
            self.index.put(key, entry)
            self.key[entry] = key
            self.version[entry] = 1
        return entry


@final
class Evicting(State):
    """A bounded set of keys with a value each (a version and two times), evicting by LRU, LFU or FIFO.

    LFU evicts the least often used, among those the least recently used; it keeps its keys in lists by use count, so that every operation
    takes constant time (Shah, Mitra and Matani, "An O(1) algorithm for implementing the LFU cache eviction scheme", 2010).
    """

    def __init__(self, capacity: i64, policy: i64) -> None:
        self.capacity: i64 = capacity
        self.policy: i64 = policy
        self.index = KeyIndex()
        self.size: i64 = 0
        self.free: i64 = -1
        self.made: i64 = 0
        self.key: vec[i64] = zeros(64)
        self.version: vec[i64] = zeros(64)
        self.filled_at: vec[i64] = zeros(64)
        self.expires: vec[i64] = zeros(64)
        self.before: vec[i64] = zeros(64)
        self.after: vec[i64] = zeros(64)
        self.group: vec[i64] = zeros(64)
        # Groups of keys: one in all for LRU and FIFO, one a use count for LFU; ``oldest`` is evicted first.
        self.first_group: i64 = -1
        self.free_group: i64 = -1
        self.groups_made: i64 = 0
        self.uses: vec[i64] = zeros(16)
        self.oldest: vec[i64] = zeros(16)
        self.newest: vec[i64] = zeros(16)
        self.group_before: vec[i64] = zeros(16)
        self.group_after: vec[i64] = zeros(16)
        self.evicted: i64 = 0

    def find(self, key: i64) -> i64:
        """The entry of ``key`` without touching it, -1 when absent."""
        return self.index.find(key)

    def touch(self, entry: i64) -> None:
        """The entry was used."""
        if self.policy == FIFO:
            return
        group = self.group[entry]
        if self.policy == LRU:
            if self.newest[group] != entry:
                self.unchain(entry)
                self.chain(entry, group)
            return
        wanted: i64 = self.uses[group] + 1
        following = self.group_after[group]
        if following < 0 or self.uses[following] != wanted:
            following = self.new_group(wanted, group)
        self.unchain(entry)
        self.chain(entry, following)
        if self.oldest[group] < 0:
            self.drop_group(group)

    def put(self, key: i64, version: i64, now: i64, expires: i64) -> i64:
        """Enter or overwrite ``key``; evicts when full. The entry."""
        entry = self.index.find(key)
        if entry >= 0:
            self.touch(entry)
        else:
            while self.size >= self.capacity:
                self.evict()
            entry = self.new_entry()
            self.index.put(key, entry)
            self.key[entry] = key
            self.size += 1
            group = self.first_group
            if group < 0 or (self.policy == LFU and self.uses[group] != 1):
                group = self.new_group(1, -1)
            self.chain(entry, group)
        self.version[entry] = version
        self.filled_at[entry] = now
        self.expires[entry] = expires
        return entry

    def remove(self, entry: i64) -> None:
        """Forget an entry."""
        group = self.group[entry]
        self.unchain(entry)
        if self.oldest[group] < 0:
            self.drop_group(group)
        self.index.drop(self.key[entry])
        self.after[entry] = self.free
        self.free = entry
        self.key[entry] = -1
        self.size -= 1

    def evict(self) -> None:
        """Forget the entry whose turn it is."""
        self.remove(self.oldest[self.first_group])
        self.evicted += 1

    def resize(self, capacity: i64) -> None:
        """Take a new capacity, evicting what no longer fits."""
        self.capacity = capacity
        while self.size > capacity:
            self.evict()

    def clear(self) -> None:
        """Forget all."""
        self.index.clear()
        self.size = 0
        self.free = -1
        self.made = 0
        self.first_group = -1
        self.free_group = -1
        self.groups_made = 0

    def in_order(self) -> list[int]:
        """All keys, the next to be evicted first."""
        keys: list[int] = []
        group = self.first_group
        while group >= 0:
            entry = self.oldest[group]
            while entry >= 0:
                keys.append(int(self.key[entry]))
                entry = self.after[entry]
            group = self.group_after[group]
        return keys

    def new_entry(self) -> i64:
        """A free entry number."""
        entry = self.free
        if entry >= 0:
            self.free = self.after[entry]
            return entry
        entry = self.made
        self.made += 1
        if entry >= len(self.key):
            length: i64 = 2 * len(self.key)
            self.key = grown(self.key, length)
            self.version = grown(self.version, length)
            self.filled_at = grown(self.filled_at, length)
            self.expires = grown(self.expires, length)
            self.before = grown(self.before, length)
            self.after = grown(self.after, length)
            self.group = grown(self.group, length)
        return entry

    def new_group(self, uses: i64, behind: i64) -> i64:
        """An empty group for ``uses``, behind group ``behind`` (-1: in front of all)."""
        group = self.free_group
        if group >= 0:
            self.free_group = self.group_after[group]
        else:
            group = self.groups_made
            self.groups_made += 1
            if group >= len(self.uses):
                length: i64 = 2 * len(self.uses)
                self.uses = grown(self.uses, length)
                self.oldest = grown(self.oldest, length)
                self.newest = grown(self.newest, length)
                self.group_before = grown(self.group_before, length)
                self.group_after = grown(self.group_after, length)
        self.uses[group] = uses
        self.oldest[group] = -1
        self.newest[group] = -1
        following = self.group_after[behind] if behind >= 0 else self.first_group
        self.group_before[group] = behind
        self.group_after[group] = following
        if behind >= 0:
            self.group_after[behind] = group
        else:
            self.first_group = group
        if following >= 0:
            self.group_before[following] = group
        return group

    def drop_group(self, group: i64) -> None:
        """Forget an empty group."""
        before = self.group_before[group]
        after = self.group_after[group]
        if before >= 0:
            self.group_after[before] = after
        else:
            self.first_group = after
        if after >= 0:
            self.group_before[after] = before
        self.group_after[group] = self.free_group
        self.free_group = group

    def chain(self, entry: i64, group: i64) -> None:
        """Enter as the newest of a group."""
        newest = self.newest[group]
        self.before[entry] = newest
        self.after[entry] = -1
        if newest >= 0:
            self.after[newest] = entry
        else:
            self.oldest[group] = entry
        self.newest[group] = entry
        self.group[entry] = group

    def unchain(self, entry: i64) -> None:
        """Take out of its group."""
        group = self.group[entry]
        before = self.before[entry]
        after = self.after[entry]
        if before >= 0:
            self.after[before] = after
        else:
            self.oldest[group] = after
        if after >= 0:
            self.before[after] = before
        else:
            self.newest[group] = before
