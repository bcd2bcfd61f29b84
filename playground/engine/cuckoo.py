"""The cuckoo filter: fingerprints of ids in one of two buckets each, moved to their other one where room is needed.

B. Fan, D. G. Andersen, M. Kaminsky and M. D. Mitzenmacher, "Cuckoo filter: practically better than Bloom", CoNEXT 2014.
"""

from __future__ import annotations

from typing import Final, final

from librt.vecs import vec
from mypy_extensions import i64, u8

from playground.engine.filters import BUCKET_SLOTS, Filter, Size, first_hash, mix, ones, second_hash, zero_bytes

KICKS_MAX: Final = 500
"""So many fingerprints are moved before an id is said not to fit."""


def fingerprint(key: i64, salt: i64, bits: i64) -> i64:
    """The fingerprint of an id: 1 to 2**bits - 1, as 0 is an empty slot."""
    return 1 + second_hash(first_hash(key, salt), salt) % ones(bits)


def other_bucket(bucket: i64, print_: i64, salt: i64, buckets: i64) -> i64:
    """The other bucket of a fingerprint, which of that one is the first again.

    The paper has ``bucket`` XOR hash, which needs a power of two of buckets; hash - ``bucket`` is its own inverse with any number.
    """
    found = mix(print_ ^ salt) % buckets - bucket
    return found if found >= 0 else found + buckets


@final
class Cuckoo(Filter):
    """Slots of ``fingerprint_bits`` bits, packed. The one that found no place after all kicks is kept aside, as the authors' code does
    it: nothing that is in is ever lost, but as long as it waits there no further id is taken."""

    def __init__(self, size: Size, salt: i64) -> None:
        super().__init__(size, salt)
        self.buckets: i64 = size.positions // BUCKET_SLOTS
        # A slot is read five bytes at a time.
        self.slots: vec[u8] = zero_bytes((size.bits >> 3) + 8)
        self.kicked: i64 = 0
        self.victim: i64 = 0
        self.victim_bucket: i64 = 0

    def get(self, slot: i64) -> i64:
        """The fingerprint in a slot."""
        bits = self.size.fingerprint_bits
        at = slot * bits
        slots = self.slots
        byte: i64 = at >> 3
        end: i64 = (at + bits + 7) >> 3
        shift: i64 = 0
        word: i64 = 0
        while byte < end:
            word |= i64(slots[byte]) << shift
            shift += 8
            byte += 1
        return (word >> (at & 7)) & ones(bits)

    def set(self, slot: i64, print_: i64) -> None:
        """Put a fingerprint into a slot, 0 to empty it."""
        bits = self.size.fingerprint_bits
        at = slot * bits
        slots = self.slots
        byte: i64 = at >> 3
        end: i64 = (at + bits + 7) >> 3
        mask: i64 = ones(bits) << (at & 7)
        word: i64 = print_ << (at & 7)
        while byte < end:
            slots[byte] = u8((i64(slots[byte]) & ~mask & 255) | (word & 255))
            mask >>= 8
            word >>= 8
            byte += 1

    def bucket_of(self, key: i64) -> i64:
        """The first bucket of an id."""
        return first_hash(key, self.salt) % self.buckets

    def find_in(self, bucket: i64, print_: i64) -> i64:
        """A slot of the bucket that holds the fingerprint (0: an empty one), -1 where none does."""
        slot = bucket * BUCKET_SLOTS
        end = slot + BUCKET_SLOTS
        while slot < end:
            if self.get(slot) == print_:
                return slot
            slot += 1
        return -1

    def enter(self, bucket: i64, print_: i64) -> bool:
        """Put a fingerprint into an empty slot of the bucket; False where there is none."""
        slot = self.find_in(bucket, 0)
        if slot < 0:
            return False
        self.set(slot, print_)
        self.changed(slot, 1)
        return True

    def add(self, key: i64) -> bool:
        """Enter an id, moving others to their other bucket where both of its own are full; False where a victim still waits."""
        if self.victim != 0:
            return False
        print_ = fingerprint(key, self.salt, self.size.fingerprint_bits)
        self.place(self.bucket_of(key), print_)
        self.elements += 1
        return True

    def place(self, bucket: i64, print_: i64) -> None:
        """Find a place for a fingerprint; what is left over after all kicks is the victim."""
        if self.enter(bucket, print_):
            return
        bucket = other_bucket(bucket, print_, self.salt, self.buckets)
        kick: i64 = 0
        while not self.enter(bucket, print_):
            if kick == KICKS_MAX:
                self.victim = print_
                self.victim_bucket = bucket
                return
            # Any of the four; which one follows from how often it was done, so that the same ids give the same filter.
            self.kicked = (self.kicked + 1) & 0xFFFFFFFF
            slot = bucket * BUCKET_SLOTS + mix(self.kicked) % BUCKET_SLOTS
            out = self.get(slot)
            self.set(slot, print_)
            print_ = out
            bucket = other_bucket(bucket, print_, self.salt, self.buckets)
            kick += 1

    def remove(self, key: i64) -> bool:
        """Take one copy of its fingerprint out. Only for ids that are in: another's may be the same."""
        print_ = fingerprint(key, self.salt, self.size.fingerprint_bits)
        bucket = self.bucket_of(key)
        other = other_bucket(bucket, print_, self.salt, self.buckets)
        slot = self.find_in(bucket, print_)
        if slot < 0:
            slot = self.find_in(other, print_)
        if slot >= 0:
            self.set(slot, 0)
            self.changed(slot, -1)
            self.elements -= 1
            if self.victim != 0:
                waits = self.victim
                self.victim = 0
                self.place(self.victim_bucket, waits)
            return True
        if self.is_victim(bucket, other, print_):
            self.victim = 0
            self.elements -= 1
            return True
        return False

    def contains(self, key: i64) -> bool:
        """Whether one of its two buckets, or the victim's place, has its fingerprint."""
        print_ = fingerprint(key, self.salt, self.size.fingerprint_bits)
        bucket = self.bucket_of(key)
        if self.find_in(bucket, print_) >= 0:
            return True
        other = other_bucket(bucket, print_, self.salt, self.buckets)
        return self.find_in(other, print_) >= 0 or self.is_victim(bucket, other, print_)

    def is_full(self) -> bool:
        """Whether a victim waits for a place."""
        return self.victim != 0

    def is_victim(self, bucket: i64, other: i64, print_: i64) -> bool:
        """Whether the victim has this fingerprint and these buckets."""
        return self.victim == print_ and (self.victim_bucket == bucket or self.victim_bucket == other)

    def positions(self, key: i64) -> vec[i64]:
        """The first slots of its two buckets."""
        bucket = self.bucket_of(key)
        print_ = fingerprint(key, self.salt, self.size.fingerprint_bits)
        other = other_bucket(bucket, print_, self.salt, self.buckets)
        return vec[i64]([bucket * BUCKET_SLOTS, other * BUCKET_SLOTS])
