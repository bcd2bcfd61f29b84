"""Rows that have to be copied, bucket by bucket: what was ever written there, and what is written while it is copied."""

from __future__ import annotations

from typing import final

from librt.vecs import vec
from mypy_extensions import i64

from playground.engine.columns import filled, grown, zeros
from playground.engine.state import State


@final
class Dirty(State):
    """A list of keys for each bucket."""

    def __init__(self, buckets: i64) -> None:
        self.head: vec[i64] = filled(buckets, -1)
        self.count: vec[i64] = zeros(buckets)
        self.key: vec[i64] = zeros(64)
        self.next: vec[i64] = zeros(64)
        self.made: i64 = 0
        self.free: i64 = -1

    def add(self, bucket: i64, key: i64) -> None:
        """Note a key."""
        entry = self.free
        if entry >= 0:
            self.free = self.next[entry]
        else:
            entry = self.made
            self.made += 1
            if entry >= len(self.key):
                self.key = grown(self.key, 2 * entry)
                self.next = grown(self.next, 2 * entry)
        self.key[entry] = key
        self.next[entry] = self.head[bucket]
        self.head[bucket] = entry
        self.count[bucket] += 1

    def take(self, bucket: i64) -> i64:
        """A key of a bucket, noted no more; -1 when there is none."""
        entry = self.head[bucket]
        if entry < 0:
            return -1
        self.head[bucket] = self.next[entry]
        self.count[bucket] -= 1
        self.next[entry] = self.free
        self.free = entry
        return self.key[entry]
