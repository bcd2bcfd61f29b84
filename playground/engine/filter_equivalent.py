"""What stands for a filter that is too large to hold: the same outcome for each id, from what is in it and a hash of the id.

Which ids are in is known: 1 to some number from the start, less some, and others that were added. An id that is in gets "perhaps". One that
isn't is a false positive exactly when its own hash, in 0 to 1, lies below the rate that the formula gives for what is in now. So an id gets
the same answer each time; more elements only add false positives; another salt, which a rebuild draws, makes others of them.
"""

from __future__ import annotations

from typing import Final, final

from librt.vecs import vec
from mypy_extensions import i64

from playground.engine.columns import zeros
from playground.engine.cuckoo import Cuckoo, fingerprint, other_bucket
from playground.engine.filters import (
    BUCKET_SLOTS,
    COUNTING,
    CUCKOO,
    STANDARD,
    Bloom,
    CountingBloom,
    Filter,
    Size,
    bloom_positions,
    first_hash,
    second_hash,
)
from playground.engine.limits import FILTER_BITS_MAX, FILTER_IDS_MAX
from playground.engine.stores import KeyIndex

CUCKOO_FULL: Final = 0.96
"""So full a cuckoo filter with buckets of four is when the first id finds no place within 500 kicks."""


def make_filter(size: Size, salt: i64, first: i64 = 0) -> Filter:
    """An empty filter: with real bits up to ``FILTER_BITS_MAX`` of them, else what stands for it; as well where so many ids (1 to
    ``first``) are to be entered that this would take long."""
    if size.bits > FILTER_BITS_MAX or first > FILTER_IDS_MAX:
        return Equivalent(size, salt)
    if size.variant == STANDARD:
        return Bloom(size, salt)
    return CountingBloom(size, salt) if size.variant == COUNTING else Cuckoo(size, salt)


@final
class Equivalent(Filter):
    """The outcomes of a filter of any size. Memory goes with the ids that were added or removed."""

    def __init__(self, size: Size, salt: i64) -> None:
        super().__init__(size, salt)
        self.first: i64 = 0
        # Of ids 1 to ``first`` those that are not in; ids that were added, with how often.
        self.missing = KeyIndex()
        self.added = KeyIndex()
        self.rate: float = 0.0

    def begin_with(self, first: i64, missing: KeyIndex) -> None:
        """Enter the ids 1 to ``first`` that are not among ``missing``."""
        self.first = first
        slot: i64 = 0
        while slot <= missing.mask:
            key = missing.keys[slot]
            if key >= 1 and key <= first:
                self.missing.put(key, 0)
            slot += 1
        self.grow_by(first - self.missing.size)

    def grow_by(self, count: i64) -> None:
        """So many more elements are in; the rate follows."""
        self.elements += count
        self.rate = self.size.rate(self.elements)

    def is_first(self, key: i64) -> bool:
        """Whether an id was in from the start and still is."""
        return key >= 1 and key <= self.first and self.missing.find(key) < 0

    def is_in(self, key: i64) -> bool:
        """Whether an id is in."""
        return self.is_first(key) or self.added.find(key) >= 0

    def add(self, key: i64) -> bool:
        """Enter an id; False where a cuckoo filter is full. In the standard filter the same id twice is in once."""
        variant = self.size.variant
        if variant == CUCKOO and float(self.elements) >= CUCKOO_FULL * float(self.size.positions):
            return False
        if variant == STANDARD and self.is_in(key):
            return True
        copies = self.added.find(key)
        if copies >= 0:
            self.added.drop(key)
            self.added.put(key, copies + 1)
        else:
            self.added.put(key, 1)
        self.grow_by(1)
        return True

    def remove(self, key: i64) -> bool:
        """Take an id out, once; what isn't in stays a false positive if it was one."""
        if self.size.variant == STANDARD:
            return False
        copies = self.added.find(key)
        if copies > 0:
            self.added.drop(key)
            if copies > 1:
                self.added.put(key, copies - 1)
        elif self.is_first(key):
            self.missing.put(key, 0)
        else:
            return False
        self.grow_by(-1)
        return True

    def contains(self, key: i64) -> bool:
        """What bits would say."""
        if self.is_in(key):
            return True
        first = first_hash(key, self.salt)
        second = second_hash(first, self.salt)
        return float((first << 21) | (second >> 11)) / 9007199254740992.0 < self.rate

    def is_real(self) -> bool:
        """No bits are held."""
        return False

    def positions(self, key: i64) -> vec[i64]:
        """Where an id would fall."""
        size = self.size
        if size.variant != CUCKOO:
            return bloom_positions(size, key, self.salt)
        buckets = size.positions // BUCKET_SLOTS
        print_ = fingerprint(key, self.salt, size.fingerprint_bits)
        bucket = first_hash(key, self.salt) % buckets
        found = zeros(2)
        found[0] = bucket * BUCKET_SLOTS
        found[1] = other_bucket(bucket, print_, self.salt, buckets) * BUCKET_SLOTS
        return found

    def fill(self) -> float:
        """The share of positions that would not be empty."""
        if self.size.variant == CUCKOO:
            return float(self.elements) / float(self.size.positions)
        # Of one hash the rate is the share of bits that are set.
        whole = Size(STANDARD, 1, self.size.positions, 1, 0)
        return whole.rate(self.elements * self.size.hashes)

    def level(self, cell: i64) -> float:
        """As full as all of it: hashes spread evenly, and with so many positions chance doesn't show."""
        return self.fill()
