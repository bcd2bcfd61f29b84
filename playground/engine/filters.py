"""Filters that say "certainly not" or "perhaps": Bloom filters, and those that count so that ids can be taken out again.

B. H. Bloom, "Space/time trade-offs in hash coding with allowable errors", CACM 13(7), 1970; L. Fan et al., "Summary cache",
IEEE/ACM Transactions on Networking 8(3), 2000 (counters of four bits). The cuckoo filter is in ``cuckoo.py``; what stands for filters
that are too large to hold is in ``filter_equivalent.py``. Keys are >= 0; a filter draws its hashes from a ``salt``.
"""

from __future__ import annotations

from math import ceil, exp, log
from typing import Final, final

from librt.vecs import extend, vec
from mypy_extensions import i64, u8

from playground.engine.columns import zeros
from playground.engine.state import State
from playground.engine.stores import KeyIndex

STANDARD: Final = 0
COUNTING: Final = 1
CUCKOO: Final = 2
VARIANTS: Final = ["standard", "counting", "cuckoo"]

LN2: Final = 0.6931471805599453
HASHES_MAX: Final = 64
POSITIONS_MIN: Final = 64
COUNTER_BITS: Final = 4
COUNTER_MAX: Final = 15
CELLS: Final = 64
"""In so many equal parts a filter is drawn."""

BUCKET_SLOTS: Final = 4
FINGERPRINT_BITS_MIN: Final = 2
FINGERPRINT_BITS_MAX: Final = 31
CUCKOO_LOAD: Final = 0.95
"""A cuckoo filter with buckets of four is planned to be so full (Fan, Andersen, Kaminsky and Mitzenmacher 2014, table 2)."""

WORD: Final = 0xFFFFFFFF


def mix(word: i64) -> i64:
    """A bijection of 32-bit words that changes about half of the bits for each bit that changes (C. Wellons, "Prospecting for hash
    functions", 2018). Both factors are below 2**31, so products stay below 2**63 and compiled and interpreted agree."""
    word ^= word >> 16
    word = (word * 0x21F0AAAD) & WORD
    word ^= word >> 15
    word = (word * 0x735A2D97) & WORD
    return word ^ (word >> 15)


def first_hash(key: i64, salt: i64) -> i64:
    """32 bits from a key."""
    word = mix((key ^ salt) & WORD)
    high = key >> 32
    return word if high == 0 else mix(word ^ high)


def second_hash(first: i64, salt: i64) -> i64:
    """32 more bits, from the first ones."""
    return mix(first ^ mix((salt + 0x9E3779B9) & WORD))


def ones(bits: i64) -> i64:
    """2**bits - 1. (Compiled, ``1 << bits`` is of 32 bits.)"""
    return 0x7FFFFFFFFFFFFFFF >> (63 - bits)


def bloom_rate(elements: float, positions: float, hashes: float) -> float:
    """The chance of a false positive, (1 - e^(-kn/m))^k."""
    if elements <= 0.0:
        return 0.0
    unset = exp(-hashes * elements / positions)
    return exp(hashes * log(1.0 - unset)) if unset < 1.0 else 0.0


def cuckoo_rate(elements: float, slots: float, fingerprint_bits: i64) -> float:
    """The chance of a false positive: one of the fingerprints in two buckets, as full as all are, is the same by chance."""
    others = float(ones(fingerprint_bits))
    compared = 2.0 * float(BUCKET_SLOTS) * elements / slots
    return 1.0 - exp(compared * log(1.0 - 1.0 / others))


@final
class Size(State):
    """How large a filter is: ``positions`` (m: bits, counters, slots), ``hashes`` (k; of a cuckoo filter its two buckets),
    ``fingerprint_bits`` (of a cuckoo filter), ``bits`` of memory."""

    def __init__(self, variant: i64, expected: i64, positions: i64, hashes: i64, fingerprint_bits: i64) -> None:
        self.variant: i64 = variant
        self.expected: i64 = expected
        self.positions: i64 = positions
        self.hashes: i64 = hashes
        self.fingerprint_bits: i64 = fingerprint_bits
        self.bits: i64 = positions
        if variant == COUNTING:
            self.bits = positions * COUNTER_BITS
        elif variant == CUCKOO:
            self.bits = positions * fingerprint_bits

    def rate(self, elements: i64) -> float:
        """The false-positive rate that the formula gives with so many elements in."""
        if self.variant == CUCKOO:
            most = elements if elements < self.positions else self.positions
            return cuckoo_rate(float(most), float(self.positions), self.fingerprint_bits)
        return bloom_rate(float(elements), float(self.positions), float(self.hashes))

    def same_as(self, other: Size) -> bool:
        """Whether a filter of this size is one of the other."""
        return (
            self.variant == other.variant
            and self.positions == other.positions
            and self.hashes == other.hashes
            and self.fingerprint_bits == other.fingerprint_bits
        )


def size_by_bits(variant: i64, expected: i64, bits_per_element: float) -> Size:
    """The size for ``expected`` elements with so many bits (counters of four bits; bits of memory in a cuckoo filter) each."""
    if variant == CUCKOO:
        # Half a thousandth for bits that were themselves computed from a whole fingerprint.
        return cuckoo_size(expected, i64(bits_per_element * CUCKOO_LOAD + 0.0005))
    positions: i64 = i64(ceil(float(expected) * bits_per_element))
    return bloom_size(variant, expected, positions, bits_per_element)


def size_by_rate(variant: i64, expected: i64, rate: float) -> Size:
    """The smallest size whose rate of false positives is ``rate`` (a share, not percent) with ``expected`` elements in:
    m = -n ln p / (ln 2)^2, k = m/n ln 2; fingerprints of log2(2b / p) bits."""
    if variant == CUCKOO:
        return cuckoo_size(expected, i64(ceil(log(2.0 * float(BUCKET_SLOTS) / rate) / LN2)))
    per_element = -log(rate) / (LN2 * LN2)
    return bloom_size(variant, expected, i64(ceil(float(expected) * per_element)), per_element)


def bloom_size(variant: i64, expected: i64, positions: i64, per_element: float) -> Size:
    """A Bloom filter with the best number of hashes, k = m/n ln 2, rounded."""
    hashes: i64 = i64(per_element * LN2 + 0.5)
    if hashes < 1:
        hashes = 1
    elif hashes > HASHES_MAX:
        hashes = HASHES_MAX
    return Size(variant, expected, positions if positions > POSITIONS_MIN else POSITIONS_MIN, hashes, 0)


def cuckoo_size(expected: i64, fingerprint_bits: i64) -> Size:
    """A cuckoo filter that is 95 % full with ``expected`` elements in."""
    if fingerprint_bits < FINGERPRINT_BITS_MIN:
        fingerprint_bits = FINGERPRINT_BITS_MIN
    elif fingerprint_bits > FINGERPRINT_BITS_MAX:
        fingerprint_bits = FINGERPRINT_BITS_MAX
    slots: i64 = i64(ceil(float(expected) / CUCKOO_LOAD))
    if slots < POSITIONS_MIN:
        slots = POSITIONS_MIN
    buckets = (slots + BUCKET_SLOTS - 1) // BUCKET_SLOTS
    return Size(CUCKOO, expected, buckets * BUCKET_SLOTS, 2, fingerprint_bits)


def zero_bytes(length: i64) -> vec[u8]:
    """A column of ``length`` zero bytes."""
    column = vec[u8]([u8(0)])
    present: i64 = 1
    while present < length:
        missing: i64 = length - present
        column = extend(column, column[: present if present < missing else missing])
        present = len(column)
    return column


class Filter(State):
    """What all of them have. ``elements`` are in, ``refused`` found no place when it was built; ``set_all`` positions are not empty,
    ``levels`` says how many of these lie in each of ``CELLS`` equal parts."""

    def __init__(self, size: Size, salt: i64) -> None:
        self.size = size
        self.salt: i64 = salt & WORD
        self.elements: i64 = 0
        self.refused: i64 = 0
        self.set_all: i64 = 0
        self.levels: vec[i64] = zeros(CELLS)

    def begin_with(self, first: i64, missing: KeyIndex) -> None:
        """Enter the ids 1 to ``first`` that are not among ``missing``, into an empty filter."""
        key: i64 = 1
        while key <= first:
            if missing.find(key) < 0 and not self.add(key):
                self.refused += 1
            key += 1

    def add(self, key: i64) -> bool:
        """Enter an id; False where it doesn't fit any more."""
        raise NotImplementedError

    def remove(self, key: i64) -> bool:
        """Take an id out, once; False where it can't be in, or this kind of filter can't."""
        raise NotImplementedError

    def contains(self, key: i64) -> bool:
        """False: certainly not in. True: perhaps."""
        raise NotImplementedError

    def is_full(self) -> bool:
        """Whether no further id finds a place, whichever it is."""
        return False

    def is_real(self) -> bool:
        """Whether its bits are there, and not only the outcomes that they would give."""
        return True

    def positions(self, key: i64) -> vec[i64]:
        """Where an id falls, k positions."""
        return bloom_positions(self.size, key, self.salt)

    def fill(self) -> float:
        """The share of positions that are not empty."""
        return float(self.set_all) / float(self.size.positions)

    def level(self, cell: i64) -> float:
        """The share of the positions of a cell that are not empty."""
        length = cell_start(cell + 1, self.size.positions) - cell_start(cell, self.size.positions)
        return float(self.levels[cell]) / float(length)

    def cell_of(self, position: i64) -> i64:
        """The cell in which a position lies."""
        return position * CELLS // self.size.positions

    def changed(self, position: i64, by: i64) -> None:
        """A position is no longer empty (1), or empty again (-1)."""
        self.set_all += by
        self.levels[self.cell_of(position)] += by


def cell_start(cell: i64, positions: i64) -> i64:
    """The first position of a cell: the least p with p x CELLS // positions = cell."""
    return (cell * positions + CELLS - 1) // CELLS


def position_of(first: i64, second: i64, index: i64, positions: i64) -> i64:
    """The ``index``-th position of a key whose two hashes these are.

    Double hashing (A. Kirsch and M. Mitzenmacher, "Less hashing, same performance", ESA 2006), mixed once more: steps that share a factor
    with the number of positions, mostly a round one, would cost half a tenth of the rate. The high bits of a product choose the
    position (D. Lemire, "Fast random integer generation in an interval", 2019).
    """
    word = mix((first + index * second) & WORD)
    if positions < 1 << 31:
        return (word * positions) >> 32
    return i64(float(word) * float(positions) / 4294967296.0)


def bloom_positions(size: Size, key: i64, salt: i64) -> vec[i64]:
    """The k positions of a key."""
    first = first_hash(key, salt)
    second = second_hash(first, salt)
    found = zeros(size.hashes)
    index: i64 = 0
    while index < size.hashes:
        found[index] = position_of(first, second, index, size.positions)
        index += 1
    return found


@final
class Bloom(Filter):
    """The standard filter: one bit a position. Nothing can be taken out, since a bit may be many ids'."""

    def __init__(self, size: Size, salt: i64) -> None:
        super().__init__(size, salt)
        self.bits: vec[u8] = zero_bytes((size.positions + 7) >> 3)
        # Ids that it was told of, beside its bits: 1 to ``first`` less those ``missing``, and those ``added``.
        self.first: i64 = 0
        self.missing = KeyIndex()
        self.added = KeyIndex()

    def begin_with(self, first: i64, missing: KeyIndex) -> None:
        """Enter the ids 1 to ``first`` that are not among ``missing``, into an empty filter."""
        self.first = first
        key: i64 = 1
        while key <= first:
            if missing.find(key) < 0:
                self.set_bits(key)
                self.elements += 1
            else:
                self.missing.put(key, 0)
            key += 1

    def add(self, key: i64) -> bool:
        """Set its bits. Told of the same id twice, it holds one element; one whose bits happened to be set already is an element, too."""
        known = self.added.find(key) >= 0 or (key >= 1 and key <= self.first and self.missing.find(key) < 0)
        if not known:
            self.added.put(key, 0)
            self.elements += 1
            self.set_bits(key)
        return True

    def set_bits(self, key: i64) -> None:
        """Set all bits of an id."""
        positions = self.size.positions
        first = first_hash(key, self.salt)
        second = second_hash(first, self.salt)
        bits = self.bits
        index: i64 = 0
        while index < self.size.hashes:
            at = position_of(first, second, index, positions)
            byte: i64 = i64(bits[at >> 3])
            bit: i64 = 1 << (at & 7)
            if byte & bit == 0:
                bits[at >> 3] = u8(byte | bit)
                self.changed(at, 1)
            index += 1

    def remove(self, key: i64) -> bool:
        """Never."""
        return False

    def contains(self, key: i64) -> bool:
        """Whether all of its bits are set."""
        positions = self.size.positions
        first = first_hash(key, self.salt)
        second = second_hash(first, self.salt)
        bits = self.bits
        index: i64 = 0
        while index < self.size.hashes:
            at = position_of(first, second, index, positions)
            if i64(bits[at >> 3]) & (1 << (at & 7)) == 0:
                return False
            index += 1
        return True


@final
class CountingBloom(Filter):
    """Counters of four bits in place of bits, two in a byte. One that has come to 15 stays there, so that it never comes to 0 too early."""

    def __init__(self, size: Size, salt: i64) -> None:
        super().__init__(size, salt)
        self.counters: vec[u8] = zero_bytes((size.positions + 1) >> 1)

    def add(self, key: i64) -> bool:
        """Count its positions up."""
        self.count(key, 1)
        self.elements += 1
        return True

    def remove(self, key: i64) -> bool:
        """Count its positions down, unless it can't be in."""
        if not self.contains(key):
            return False
        self.count(key, -1)
        if self.elements > 0:
            self.elements -= 1
        return True

    def count(self, key: i64, by: i64) -> None:
        """Change its counters; what is at 15 stays there, what is at 0 as well."""
        positions = self.size.positions
        first = first_hash(key, self.salt)
        second = second_hash(first, self.salt)
        counters = self.counters
        index: i64 = 0
        while index < self.size.hashes:
            at = position_of(first, second, index, positions)
            byte: i64 = i64(counters[at >> 1])
            shift: i64 = (at & 1) << 2
            counter = (byte >> shift) & COUNTER_MAX
            if counter != COUNTER_MAX and counter + by >= 0:
                counters[at >> 1] = u8(byte + (by << shift) if by > 0 else byte - (1 << shift))
                if counter == 0:
                    self.changed(at, 1)
                elif counter + by == 0:
                    self.changed(at, -1)
            index += 1

    def contains(self, key: i64) -> bool:
        """Whether none of its counters is 0."""
        positions = self.size.positions
        first = first_hash(key, self.salt)
        second = second_hash(first, self.salt)
        counters = self.counters
        index: i64 = 0
        while index < self.size.hashes:
            at = position_of(first, second, index, positions)
            if (i64(counters[at >> 1]) >> ((at & 1) << 2)) & COUNTER_MAX == 0:
                return False
            index += 1
        return True
