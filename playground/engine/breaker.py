"""Circuit breaker and retry budget: what an edge remembers about its recent attempts."""

from __future__ import annotations

from typing import Final, final

from librt.vecs import vec
from mypy_extensions import i64

from playground.engine.columns import zeros
from playground.engine.state import State

CLOSED: Final = 0
OPEN: Final = 1
HALF_OPEN: Final = 2
SLICES: Final = 10


@final
class Breaker(State):
    """Closed, open or half open, over a sliding window of ten slices (M. Nygard, Release It!, 2007; windows as in Hystrix).

    Closed: opens when at least ``minimum`` attempts in the window ended and ``threshold`` of them failed. Open: refuses
    for ``open_ns``. Half open: lets ``probes`` attempts through; all must succeed to close it, one failure opens it again.
    """

    def __init__(self) -> None:
        self.enabled: bool = False
        self.window_ns: i64 = 0
        self.threshold: float = 0.5
        self.minimum: i64 = 20
        self.open_ns: i64 = 0
        self.probes: i64 = 1
        self.state: i64 = CLOSED
        self.opened_at: i64 = 0
        self.opened_times: i64 = 0
        self.half_opened_at: i64 = 0
        self.probing: i64 = 0
        self.probes_ok: i64 = 0
        self.slice: i64 = 0
        self.ended: vec[i64] = zeros(SLICES)
        self.failed: vec[i64] = zeros(SLICES)

    def admits(self, now: i64) -> bool:
        """Whether an attempt may go out at ``now``."""
        if self.state == CLOSED:
            return True
        if self.state == OPEN:
            if now < self.opened_at + self.open_ns:
                return False
            self.state = HALF_OPEN
            self.half_opened_at = now
            self.probing = 0
            self.probes_ok = 0
        if self.probing < self.probes:
            self.probing += 1
            return True
        return False

    def is_stale(self, sent: i64) -> bool:
        """Whether an attempt sent at ``sent`` is none of the probes that are out: it says nothing about the callee as it is now."""
        return self.state == HALF_OPEN and sent < self.half_opened_at

    def give_back(self, sent: i64) -> None:
        """The attempt sent at ``sent`` will never be recorded: nobody waits for it any more. Where it was a probe, another may go."""
        if self.state == HALF_OPEN and sent >= self.half_opened_at:
            self.probing -= 1

    def record(self, now: i64, failure: bool) -> bool:
        """Count an ended attempt; True when the state changed."""
        if self.state == HALF_OPEN:
            if failure:
                self.trip(now)
                return True
            self.probes_ok += 1
            if self.probes_ok >= self.probes:
                self.state = CLOSED
                self.clear()
                return True
            return False
        if self.state == OPEN:
            return False
        self.advance(now)
        place: i64 = self.slice % SLICES
        self.ended[place] += 1
        if not failure:
            return False
        self.failed[place] += 1
        ended: i64 = 0
        failed: i64 = 0
        index: i64 = 0
        while index < SLICES:
            ended += self.ended[index]
            failed += self.failed[index]
            index += 1
        if ended >= self.minimum and float(failed) >= self.threshold * float(ended):
            self.trip(now)
            return True
        return False

    def reset(self) -> None:
        """Close, and forget the window."""
        self.state = CLOSED
        self.clear()

    def trip(self, now: i64) -> None:
        """Open."""
        self.state = OPEN
        self.opened_at = now
        self.opened_times += 1
        self.clear()

    def clear(self) -> None:
        """Forget the window."""
        index: i64 = 0
        while index < SLICES:
            self.ended[index] = 0
            self.failed[index] = 0
            index += 1

    def advance(self, now: i64) -> None:
        """Empty the slices that have slid out of the window."""
        length: i64 = self.window_ns // SLICES
        current: i64 = now // (length if length > 0 else 1)
        behind: i64 = current - self.slice
        if behind > SLICES:
            behind = SLICES
        while behind > 0:
            place: i64 = (current - behind + 1) % SLICES
            self.ended[place] = 0
            self.failed[place] = 0
            behind -= 1
        self.slice = current


@final
class RetryBudget(State):
    """A bucket of tokens: every call adds ``ratio``, every retry takes one, at most ``burst`` are kept.

    As in Finagle and gRPC retry throttling.
    """

    def __init__(self) -> None:
        self.enabled: bool = False
        self.ratio: float = 0.1
        self.burst: float = 10.0
        self.tokens: float = 10.0
        self.denied: i64 = 0

    def earn(self) -> None:
        """A call was made."""
        tokens = self.tokens + self.ratio
        self.tokens = tokens if tokens < self.burst else self.burst

    def spend(self) -> bool:
        """Whether a retry may go out; takes its token."""
        if self.tokens >= 1.0:
            self.tokens -= 1.0
            return True
        self.denied += 1
        return False
