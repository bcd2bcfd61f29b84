"""Figures of the last second or two: what a card shows now, beside what was counted since the start.

Two windows of one virtual second each take turns; reading looks at both and changes nothing.
"""

from __future__ import annotations

from typing import Final, final

from librt.vecs import vec
from mypy_extensions import i64

from playground.engine.histogram import Histogram, percentile_of
from playground.engine.state import State

WINDOW_NS: Final = 1_000_000_000


@final
class RecentRatio(State):
    """How many of the latest yes-or-no outcomes were yes."""

    def __init__(self) -> None:
        self.window: i64 = 0
        self.yes: i64 = 0
        self.all: i64 = 0
        self.yes_before: i64 = 0
        self.all_before: i64 = 0

    def add(self, now: i64, yes: bool) -> None:
        """Count one outcome at ``now`` ns."""
        window: i64 = now // WINDOW_NS
        if window != self.window:
            follows = window == self.window + 1
            self.yes_before = self.yes if follows else 0
            self.all_before = self.all if follows else 0
            self.yes = 0
            self.all = 0
            self.window = window
        self.all += 1
        if yes:
            self.yes += 1

    def percent(self) -> float:
        """Percent of yes in the two latest windows that had any; 0 before the first."""
        total = self.all + self.all_before
        return 100.0 * float(self.yes + self.yes_before) / float(total) if total > 0 else 0.0


@final
class RecentLatency(State):
    """Percentiles of the latest durations in a histogram that counts all of them: what came since copies of it were put aside."""

    def __init__(self, histogram: Histogram) -> None:
        self.histogram = histogram
        self.window_ends: i64 = WINDOW_NS
        self.before: vec[i64] = vec[i64]()
        self.number_before: i64 = 0
        self.long_before: vec[i64] = vec[i64]()

    def add(self, now: i64) -> None:
        """A duration was counted that ended at ``now`` ns; call it before the histogram counts."""
        if now >= self.window_ends:
            self.window_ends = (now // WINDOW_NS + 1) * WINDOW_NS
            self.long_before = self.before
            self.before = self.histogram.counts[:]
            self.number_before = self.histogram.number

    def percentile(self, fraction: float) -> float:
        """Value in ns below which ``fraction`` lies, of the latest window, and the one before it while there is little; 0 before any."""
        enough = self.histogram.number - self.number_before >= 100
        value = percentile_of(self.histogram.counts, self.before if enough else self.long_before, fraction)
        return value if value > 0.0 else 0.0
