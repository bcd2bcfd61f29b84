"""How the next target is chosen, among those that take calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from librt.vecs import vec
from mypy_extensions import i64

from playground.engine.columns import zeros
from playground.engine.hashing import MAGLEV_SLOTS, Maglev, Ring, hash_62, remainder, scrambled, share_max
from playground.engine.state import State

if TYPE_CHECKING:
    from playground.blocks.load_balancer.targets import Targets
    from playground.engine.streams import Stream

FULL_WEIGHT: Final = 1_000

ROUND_ROBIN: Final = 0
WEIGHTED: Final = 1
RANDOM: Final = 2
LEAST_CONNECTIONS: Final = 3
TWO_CHOICES: Final = 4
RING_HASH: Final = 5
MAGLEV: Final = 6
MODULO: Final = 7
ALGORITHMS: Final = [
    "round_robin",
    "weighted",
    "random",
    "least_connections",
    "two_choices",
    "ring_hash",
    "maglev",
    "modulo",
]


class Chooser(State):
    """The algorithms. All of them look at ``targets.pool`` alone, whose rows are in the order of edges and instances."""

    def __init__(self, targets: Targets, stream: Stream) -> None:
        self.targets = targets
        self.stream = stream
        self.algorithm: i64 = ROUND_ROBIN
        self.bounded: float = -1.0
        self.virtual_nodes: i64 = 1
        self.turn: i64 = 0
        self.ring = Ring(1)
        self.maglev = Maglev(MAGLEV_SLOTS)
        # What the ring was laid out for.
        self.ring_identities: vec[i64] = vec[i64]()

    def prepare(self) -> None:
        """Bring the hash tables up to those who take calls now."""
        targets = self.targets
        if self.algorithm == RING_HASH:
            if self.ring.virtual_nodes != self.virtual_nodes or not same(self.ring_identities, targets.identity):
                self.ring_identities = targets.identity[:]
                self.ring.set_members(targets.identity, self.virtual_nodes)
            row: i64 = 0
            while row < targets.count:
                self.ring.set_up(row, targets.taking[row] != 0)
                row += 1
        elif self.algorithm == MAGLEV:
            self.maglev.fill(targets.identity, targets.taking)

    def begin_anew(self) -> None:
        """A process that has chosen nobody yet."""
        self.turn = 0
        self.targets.credit = zeros(self.targets.count)
        self.prepare()

    def choose(self, now: i64, key: i64) -> i64:
        """The row of the next call's target; -1 where no target may have it. ``key`` matters to the hashes alone."""
        targets = self.targets
        pool = targets.pool
        count: i64 = len(pool)
        if count == 0:
            return -1
        algorithm = self.algorithm
        if algorithm == TWO_CHOICES and now >= targets.ramps_end and count > 1:
            # The default, in few steps. Independently, as in Mitzenmacher's model and in Envoy: both can be the same one.
            first = pool[self.stream.below(count)]
            second = pool[self.stream.below(count)]
            return second if targets.outstanding[second] < targets.outstanding[first] else first
        if algorithm >= RING_HASH:
            return self.by_hash(key)
        if algorithm == WEIGHTED and targets.weight_all == 0:
            return -1
        if now < targets.ramps_end:
            return self.while_ramping(now)
        if algorithm == LEAST_CONNECTIONS:
            return self.least_loaded()
        if algorithm == WEIGHTED:
            return self.smooth(now)
        return self.any_of(count)

    def any_of(self, count: i64) -> i64:
        """Round robin or random among ``count`` that are all alike."""
        pool = self.targets.pool
        if count == 1:
            return pool[0]
        if self.algorithm == RANDOM:
            return pool[self.stream.below(count)]
        turn = self.turn % count
        self.turn = turn + 1
        return pool[turn]

    def least_loaded(self) -> i64:
        """The target with the fewest calls out there; among equals the turn goes round."""
        pool = self.targets.pool
        outstanding = self.targets.outstanding
        count: i64 = len(pool)
        best = self.turn % count
        offset: i64 = 1
        while offset < count:
            candidate = (self.turn + offset) % count
            if outstanding[pool[candidate]] < outstanding[pool[best]]:
                best = candidate
            offset += 1
        self.turn = best + 1
        return pool[best]

    def smooth(self, now: i64) -> i64:
        """Smooth weighted round robin, as nginx has it: credit grows by the weight, the richest one pays the sum of all."""
        targets = self.targets
        pool = targets.pool
        best: i64 = -1
        total: i64 = 0
        index: i64 = 0
        while index < len(pool):
            row = pool[index]
            weight = self.base_weight(row) * targets.factor(row, now)
            targets.credit[row] += weight
            total += weight
            if weight > 0 and (best < 0 or targets.credit[row] > targets.credit[best]):
                best = row
            index += 1
        targets.credit[best] -= total
        return best

    def base_weight(self, row: i64) -> i64:
        """The weight without slow start: the edge's where the algorithm goes by it, else 1."""
        return self.targets.weight[row] if self.algorithm == WEIGHTED else 1

    def while_ramping(self, now: i64) -> i64:
        """As in all of time, but some have a part of their weight.

        Round robin becomes a weighted one; random draws by weight; choice of two draws two by weight and takes the one with fewer calls
        for its weight, as least connections does among all.
        """
        targets = self.targets
        if self.algorithm == LEAST_CONNECTIONS:
            return self.least_for_its_weight(now)
        if self.algorithm == WEIGHTED or self.algorithm == ROUND_ROBIN:
            return self.smooth(now)
        first = self.drawn(now)
        if self.algorithm == RANDOM:
            return first
        second = self.drawn(now)
        load = targets.outstanding[second] * targets.factor(first, now)
        return second if load < targets.outstanding[first] * targets.factor(second, now) else first

    def drawn(self, now: i64) -> i64:
        """One at random, each with a probability in proportion to its weight now."""
        targets = self.targets
        while True:
            row = targets.pool[self.stream.below(len(targets.pool))]
            factor = targets.factor(row, now)
            if factor == FULL_WEIGHT or self.stream.below(FULL_WEIGHT) < factor:
                return row

    def least_for_its_weight(self, now: i64) -> i64:
        """The target with the fewest calls for its weight, this one included."""
        targets = self.targets
        pool = targets.pool
        count: i64 = len(pool)
        best = self.turn % count
        offset: i64 = 1
        while offset < count:
            candidate = (self.turn + offset) % count
            load = (targets.outstanding[pool[candidate]] + 1) * targets.factor(pool[best], now)
            if load < (targets.outstanding[pool[best]] + 1) * targets.factor(pool[candidate], now):
                best = candidate
            offset += 1
        self.turn = best + 1
        return pool[best]

    def by_hash(self, key: i64) -> i64:
        """Where the hash of ``key`` leads; with bounded loads on to the first one that has room."""
        targets = self.targets
        if self.bounded > 0.0:
            limit = share_max(self.bounded, self.out_there() + 1, len(targets.pool))
            if self.algorithm == RING_HASH:
                return self.ring.owner_below(key, targets.outstanding, limit)
            if self.algorithm == MAGLEV:
                return self.maglev.owner_below(key, targets.outstanding, limit)
            return self.remainder_below(key, limit)
        if self.algorithm == RING_HASH:
            return self.ring.owner(key)
        if self.algorithm == MAGLEV:
            return self.maglev.owner(key)
        return targets.pool[remainder(key, len(targets.pool))]

    def remainder_below(self, key: i64, limit: i64) -> i64:
        """Hash mod N, then the next ones until one has room."""
        pool = self.targets.pool
        count: i64 = len(pool)
        turn = remainder(key, count)
        looked: i64 = 1
        while looked < count and self.targets.outstanding[pool[turn]] >= limit:
            turn = turn + 1 if turn + 1 < count else 0
            looked += 1
        return pool[turn]

    def out_there(self) -> i64:
        """Calls out at those who take calls."""
        targets = self.targets
        total: i64 = 0
        index: i64 = 0
        while index < len(targets.pool):
            total += targets.outstanding[targets.pool[index]]
            index += 1
        return total

    def home_of(self, user: i64) -> i64:
        """Where a user's address leads: the target that weighs most for it (rendezvous hashing), so that when one goes, its users alone
        move, and spread over all others. D. Thaler and C. Ravishankar, "Using name-based mappings to increase hit rates", 1998."""
        targets = self.targets
        pool = targets.pool
        address = hash_62(user, 3)
        best: i64 = -1
        most: i64 = -1
        index: i64 = 0
        while index < len(pool):
            weight = scrambled((address ^ targets.identity[pool[index]]) & 0xFFFFFFFF)
            if weight > most:
                most = weight
                best = pool[index]
            index += 1
        return best


def same(one: vec[i64], other: vec[i64]) -> bool:
    """Whether two columns are equal."""
    if len(one) != len(other):
        return False
    index: i64 = 0
    while index < len(one):
        if one[index] != other[index]:
            return False
        index += 1
    return True
