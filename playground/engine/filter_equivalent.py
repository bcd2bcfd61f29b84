"""What stands for a filter that is too large to hold: for each id the outcome that its bits would give, from what it was told and a hash
of the id.

Which ids are in is known: 1 to some number from the start, and those that were told of since. An id gets "perhaps" exactly when its own
hash, in 0 to 1, lies below the chance that bits would say so. So it gets the same answer each time; more elements only add false positives;
another salt, which a rebuild draws, makes others of them. The chance is that of Poisson counts at its positions: all ids that are in,
less what was counted down for ids that were not in. Only which members such a removal hits differs: some, as many as it would be, and
not just those that share positions with it. Memory goes with the ids that were added or removed.
"""

from __future__ import annotations

from math import exp, log
from typing import Final, final

from librt.vecs import append, vec
from mypy_extensions import i64

from playground.engine.columns import zeros
from playground.engine.cuckoo import Cuckoo, fingerprint, other_bucket
from playground.engine.filters import (
    BUCKET_SLOTS,
    COUNTER_MAX,
    COUNTING,
    CUCKOO,
    STANDARD,
    Bloom,
    CountingBloom,
    Filter,
    Size,
    bloom_positions,
    first_hash,
    mix,
    ones,
    second_hash,
)
from playground.engine.limits import FILTER_BITS_MAX, FILTER_IDS_MAX
from playground.engine.stores import KeyIndex

CUCKOO_FULL: Final = 0.96
"""So full a cuckoo filter with buckets of four is when the first id finds no place within 500 kicks; with short fingerprints before."""

COPIES_MAX: Final = 8
"""Room for so many copies of a fingerprint: two buckets of four (Fan et al. 2014, section 4)."""

TERMS: Final = 128
"""Terms of a sum over Poisson counts. Those beyond are below 1e-12 as long as the mean is below 60, when no counter is 0 anyway."""

WORN_OUT: Final = 50.0


def make_filter(size: Size, salt: i64, first: i64 = 0) -> Filter:
    """An empty filter: with real bits up to ``FILTER_BITS_MAX`` of them, else what stands for it; as well where so many ids (1 to
    ``first``) are to be entered that this would take long."""
    if size.bits > FILTER_BITS_MAX or first > FILTER_IDS_MAX:
        return Equivalent(size, salt)
    if size.variant == STANDARD:
        return Bloom(size, salt)
    return CountingBloom(size, salt) if size.variant == COUNTING else Cuckoo(size, salt)


def tail(mean: float, least: i64) -> float:
    """The chance that a Poisson count is ``least`` or more."""
    below = 0.0
    mass = exp(-mean)
    count: i64 = 0
    while count < least:
        below += mass
        count += 1
        mass *= mean / float(count)
    return 1.0 - below if below < 1.0 else 0.0


def share_at_zero(others: float, own: i64, wear: float) -> float:
    """The chance that a counter is 0, which was counted up for Poisson ``others`` and ``own`` times, and down Poisson ``wear`` times."""
    share = 0.0
    chance = exp(-others)
    below = 0.0
    mass = exp(-wear)
    reached: i64 = 0
    count: i64 = 0
    while count < TERMS:
        while reached < count + own:
            below += mass
            reached += 1
            mass *= wear / float(reached)
        if below < 1.0:
            share += chance * (1.0 - below)
        count += 1
        chance *= others / float(count)
    return share


def cuckoo_room(size: Size, salt: i64) -> i64:
    """How many fingerprints fit until one finds no place. Short ones are full when more than ``COPIES_MAX`` ids have the same one and the
    same two buckets: that is due when as many such coincidences are expected as an exponential draw from the salt says."""
    places = float(size.positions) / float(2 * BUCKET_SLOTS) * float(ones(size.fingerprint_bits))
    due = -log((float(mix(salt)) + 0.5) / 4294967296.0)
    low = 0.0
    high = CUCKOO_FULL
    step: i64 = 0
    while step < 40:
        middle = 0.5 * (low + high)
        if places * tail(middle * float(size.positions) / places, COPIES_MAX + 1) < due:
            low = middle
        else:
            high = middle
        step += 1
    return i64(high * float(size.positions))


@final
class Equivalent(Filter):
    """The outcomes of a filter of any size."""

    def __init__(self, size: Size, salt: i64) -> None:
        super().__init__(size, salt)
        self.first: i64 = 0
        # Ids whose state is not that of the start, by entry: how often each is in (less than 0: how often it was taken out without being
        # in), and ``wear`` when it was entered (``healed`` when it was taken out).
        self.told = KeyIndex()
        self.own: vec[i64] = vec[i64]()
        self.since: vec[float] = vec[float]()
        # Ids that are in, each once; the most there ever were.
        self.distinct: i64 = 0
        self.peak: i64 = 0
        # What ids did that were taken out without being in. In a counting filter, how often on average a counter was counted down for
        # them; in a cuckoo filter, -ln of the share of fingerprints that they left.
        self.wear: float = 0.0
        # What of it still shows, since members that were lost and entered again bring theirs back: of counters, and of fingerprints. And
        # -ln of the share that does.
        self.worn: float = 0.0
        self.robbed: i64 = 0
        self.healed: float = 0.0
        self.rate: float = 0.0
        self.unset: float = 1.0
        self.room: i64 = cuckoo_room(size, self.salt) if size.variant == CUCKOO else 0
        # The id of which one copy too many waits for a place in a cuckoo filter.
        self.waiting: i64 = -1

    def begin_with(self, first: i64, missing: KeyIndex) -> None:
        """Enter the ids 1 to ``first`` that are not among ``missing``, as far as there is room."""
        gone: list[i64] = []
        slot: i64 = 0
        while slot <= missing.mask:
            key = missing.keys[slot]
            if key >= 1 and key <= first:
                gone.append(key)
            slot += 1
        gone.sort()
        count: i64 = first - len(gone)
        if self.size.variant == CUCKOO and count > self.room:
            self.refused = count - self.room
            count = self.room
            first = count
            for key in gone:
                if key <= first:
                    first += 1
        self.first = first
        for key in gone:
            if key <= first:
                self.enter(key, 0)
        self.distinct = count
        self.elements = count
        self.settle()

    def settle(self) -> None:
        """The rate, and the share of positions that are empty, follow from what is in."""
        size = self.size
        if self.distinct > self.peak:
            self.peak = self.distinct
        if size.variant != COUNTING:
            self.rate = size.rate(self.distinct - self.robbed)
            return
        # Counters that were ever at 15 are so for good.
        stuck = tail(self.counted(self.peak), COUNTER_MAX)
        self.unset = share_at_zero(self.counted(self.distinct), 0, self.worn)
        if stuck > 1e-9:
            self.unset *= 1.0 - stuck
        self.rate = self.all_set(self.unset)

    def counted(self, ids: i64) -> float:
        """To what so many ids count a counter up, on average."""
        return float(self.size.hashes) * float(ids) / float(self.size.positions)

    def all_set(self, zero: float) -> float:
        """The chance that none of an id's counters is 0, when each is with chance ``zero``."""
        return exp(float(self.size.hashes) * log(1.0 - zero)) if zero < 1.0 else 0.0

    # ---- ids

    def own_of(self, key: i64) -> i64:
        """How often an id is in."""
        entry = self.told.find(key)
        if entry >= 0:
            return self.own[entry]
        return 1 if key >= 1 and key <= self.first else 0

    def enter(self, key: i64, own: i64) -> None:
        """An id is in so often from now on; once, as fresh as it can be."""
        entry = self.told.find(key)
        if entry < 0:
            entry = self.told.size
            self.told.put(key, entry)
            self.own = append(self.own, own)
            self.since = append(self.since, 0.0)
        self.own[entry] = own
        if own == 1:
            self.since[entry] = self.wear
        elif own < 0:
            self.since[entry] = self.healed

    def chance(self, key: i64) -> float:
        """The chance that bits say "perhaps" to an id."""
        entry = self.told.find(key)
        own: i64 = self.own[entry] if entry >= 0 else 1 if key >= 1 and key <= self.first else 0
        if own == 0:
            return self.rate
        variant = self.size.variant
        if own < 0:
            return self.chance_when_taken(own, exp(self.since[entry] - self.healed))
        wear = self.wear - self.since[entry] if entry >= 0 else self.wear
        if variant == STANDARD or wear <= 0.0 or own == COUNTER_MAX:
            return 1.0
        if variant == COUNTING:
            return self.all_set(share_at_zero(self.counted(self.distinct), own, wear))
        taken = 1.0 - exp(-wear)
        return 1.0 - exp(float(own) * log(taken)) * (1.0 - self.rate) if taken > 0.0 else 1.0

    def chance_when_taken(self, own: i64, shows: float) -> float:
        """The chance of an id that was taken out -``own`` times without being in, of which the share ``shows`` is not healed."""
        if self.size.variant == COUNTING:
            zero = share_at_zero(self.counted(self.distinct), own, self.worn)
            return self.all_set(self.unset + shows * (zero - self.unset))
        # Of the fingerprints in its buckets that are the same, so many were taken out.
        left = tail(-log(1.0 - self.rate), 1 - own) if self.rate < 1.0 else 1.0
        return self.rate + shows * (left - self.rate)

    def contains(self, key: i64) -> bool:
        """What bits would say."""
        first = first_hash(key, self.salt)
        second = second_hash(first, self.salt)
        return float((first << 21) | (second >> 11)) / 9007199254740992.0 < self.chance(key)

    def is_full(self) -> bool:
        """Whether a cuckoo filter has no place for any further id."""
        return self.size.variant == CUCKOO and (self.waiting >= 0 or self.elements >= self.room)

    def add(self, key: i64) -> bool:
        """Enter an id; False where a cuckoo filter is full. In the standard filter the same id twice is in once."""
        variant = self.size.variant
        own = self.own_of(key)
        if self.is_full():
            return False
        if own >= 1 and variant == STANDARD:
            return True
        self.elements += 1
        if own >= 1 and self.contains(key):
            if variant == CUCKOO and own >= COPIES_MAX:
                self.waiting = key
            elif own < COUNTER_MAX:
                self.enter(key, own + 1)
            return True
        if own < 1:
            self.distinct += 1
        else:
            self.heal()
        self.enter(key, 1)
        self.settle()
        return True

    def heal(self) -> None:
        """One of the members that were lost is entered again, and brings back what was taken of it."""
        lost = float(self.robbed)
        if self.size.variant == COUNTING:
            zero = share_at_zero(self.counted(self.distinct), 1, self.worn)
            lost = (1.0 - self.all_set(zero)) * float(self.distinct)
        if self.robbed > 0:
            self.robbed -= 1
        if lost > 1.0:
            self.healed -= log(1.0 - 1.0 / lost)
            self.worn -= self.worn / lost
        else:
            self.healed += WORN_OUT
            self.worn = 0.0

    def remove(self, key: i64) -> bool:
        """Take an id out, once. One that isn't in, and is taken for one that is, takes something of others with it."""
        if self.size.variant == STANDARD or not self.contains(key):
            return False
        own = self.own_of(key)
        if self.elements > 0:
            self.elements -= 1
        if key == self.waiting:
            self.waiting = -1
            return True
        if own == COUNTER_MAX and self.size.variant == COUNTING:
            return True
        self.take_out(key, own)
        self.settle()
        return True

    def take_out(self, key: i64, own: i64) -> None:
        """Count an id down that is in, or is taken for one that is."""
        entry = self.told.find(key)
        since = self.since[entry] if entry >= 0 else 0.0
        self.enter(key, own - 1)
        if own > 1:
            self.since[self.told.find(key)] = since
        elif own == 1:
            self.distinct -= 1
        elif self.size.variant == COUNTING:
            counters = (1.0 - self.unset) * float(self.size.positions)
            down = float(self.size.hashes) / counters if counters >= 1.0 else 0.0
            self.wear += down
            self.worn += down
        else:
            left = self.distinct - self.robbed
            self.wear += -log(1.0 - 1.0 / float(left)) if left > 1 else WORN_OUT
            if left > 0:
                self.robbed += 1

    # ---- what it shows

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
        if self.size.variant == COUNTING:
            return 1.0 - self.unset
        # Of one hash the rate is the share of bits that are set.
        whole = Size(STANDARD, 1, self.size.positions, 1, 0)
        return whole.rate(self.elements * self.size.hashes)

    def level(self, cell: i64) -> float:
        """As full as all of it: hashes spread evenly, and with so many positions chance doesn't show."""
        return self.fill()
