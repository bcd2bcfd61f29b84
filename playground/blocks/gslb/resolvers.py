"""Caching DNS resolvers: what each was last answered, when, and until when it may keep it."""

from __future__ import annotations

from math import gcd
from typing import Final, final

from librt.vecs import vec
from mypy_extensions import i64

from playground.engine.columns import filled, zeros
from playground.engine.regions import REGIONS
from playground.engine.state import State
from playground.engine.stores import slot_hash

REGION_COUNT: Final = len(REGIONS)

NO_ANSWER: Final = -1
GONE: Final = -2
"""Targets: nothing has been answered, or that there is none; a region that was deleted from the drawing since."""

GOLDEN: Final = 0.6180339887498949
"""Steps of this part of a circle spread over it more evenly than any others."""

STALE_NS_MAX: Final = 86_400_000_000_000
"""How far past its TTL an answer may be served stale: a day, the least that RFC 8767 advises."""


@final
class Resolvers(State):
    """Columns by resolver. Clients of region r have those from r * ``size`` on, ``size`` of them.

    ``target`` is a region's number in the balancer, ``fetched`` and ``expires`` when it was answered and when its TTL is over (ns);
    ``answer_at`` when the answer to a query under way comes (-1: there is none), ``retry_at`` until when a failure is kept.
    """

    def __init__(self) -> None:
        self.size: i64 = 0
        # Stepping by it through a population comes to each resolver once, never close to where it has been lately.
        self.step: i64 = 1
        self.target: vec[i64] = vec[i64]()
        self.fetched: vec[i64] = vec[i64]()
        self.expires: vec[i64] = vec[i64]()
        self.answer_at: vec[i64] = vec[i64]()
        self.retry_at: vec[i64] = vec[i64]()
        self.ttl_ns: i64 = 1
        self.ignored_ns: i64 = 1
        self.ignore_share: float = 0.0
        # Populations whose clients are there now, and by target how many of their resolvers point to it; of these, that ignore the TTL.
        self.seen: vec[i64] = zeros(REGION_COUNT)
        self.counted: i64 = 0
        self.pointing: vec[i64] = vec[i64]()
        self.ignoring: vec[i64] = vec[i64]()

    def resize(self, size: i64) -> None:
        """``size`` resolvers in each region, of which none knows anything."""
        self.size = size
        step: i64 = i64(float(size) * GOLDEN)
        while gcd(step, size) != 1:
            step += 1
        self.step = step
        count: i64 = size * REGION_COUNT
        self.target = filled(count, NO_ANSWER)
        self.fetched = zeros(count)
        self.expires = zeros(count)
        self.answer_at = filled(count, -1)
        self.retry_at = zeros(count)

    def of_user(self, region: i64, user: i64) -> i64:
        """The resolver of a user: always the same one of the user's region."""
        return region * self.size + slot_hash(user) % self.size

    def ignores(self, resolver: i64) -> bool:
        """Whether a resolver keeps answers longer than the TTL says; those that do are spread evenly over each population."""
        share = self.ignore_share
        if share <= 0.0:
            return False
        rank = (resolver % self.size) * self.step % self.size
        return float(rank) < share * float(self.size)

    def lifetime(self, resolver: i64) -> i64:
        """How long a resolver keeps an answer, ns."""
        ttl = self.ttl_ns
        return self.ignored_ns if self.ignored_ns > ttl and self.ignores(resolver) else ttl

    def is_fresh(self, resolver: i64, now: i64) -> bool:
        """Whether a resolver answers from its cache."""
        if self.target[resolver] == NO_ANSWER:
            return False
        if self.expires[resolver] > now:
            return True
        return self.ignore_share > 0.0 and self.fetched[resolver] + self.ignored_ns > now and self.ignores(resolver)

    def may_serve_stale(self, resolver: i64, now: i64) -> bool:
        """Whether there is an answer that is past its TTL, but not by too much."""
        return self.target[resolver] != NO_ANSWER and now - self.expires[resolver] < STALE_NS_MAX

    def seed(self, resolver: i64, target: i64, now: i64, age: float) -> None:
        """Let a resolver have asked at some time before now: ``age`` of its answer's life (0 .. 1) is over."""
        asked: i64 = now - i64(age * float(self.lifetime(resolver)))
        self.target[resolver] = target
        self.fetched[resolver] = asked
        self.expires[resolver] = asked + self.ttl_ns

    def put(self, resolver: i64, target: i64, now: i64) -> None:
        """An answer has come: a region, or that there is none."""
        if self.seen[resolver // self.size] != 0:
            self.count(resolver, -1)
        self.target[resolver] = target
        self.fetched[resolver] = now
        self.expires[resolver] = now + self.ttl_ns
        if self.seen[resolver // self.size] != 0:
            self.count(resolver, 1)

    def count(self, resolver: i64, change: i64) -> None:
        """Count a resolver in or out where it points."""
        target = self.target[resolver]
        if target >= 0:
            self.pointing[target] += change
            if self.ignores(resolver):
                self.ignoring[target] += change

    def recount(self, targets: i64) -> None:
        """Count anew, after any change but an answer."""
        self.pointing = zeros(targets)
        self.ignoring = zeros(targets)
        self.counted = 0
        region: i64 = 0
        while region < REGION_COUNT:
            if self.seen[region] != 0:
                self.counted += self.size
                resolver: i64 = region * self.size
                while resolver < (region + 1) * self.size:
                    self.count(resolver, 1)
                    resolver += 1
            region += 1

    def renumber(self, places: vec[i64]) -> None:
        """Targets have other numbers now: that of an old one is in ``places``, ``GONE`` for one that was deleted."""
        resolver: i64 = 0
        while resolver < len(self.target):
            target = self.target[resolver]
            if target >= 0:
                self.target[resolver] = places[target]
            resolver += 1
