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
    """Percentiles of the latest durations."""

    def __init__(self) -> None:
        self.window: i64 = 0
        self.present = Histogram()
        self.before = Histogram()

    def add(self, now: i64, ns: i64) -> None:
        """Count one duration that ended at ``now`` ns."""
        window: i64 = now // WINDOW_NS
        if window != self.window:
            self.before = self.present
            self.present = Histogram()
            self.window = window
        self.present.add(ns)

    def percentile(self, fraction: float) -> float:
        """Value in ns below which ``fraction`` lies, of the latest window that has enough to say; 0 before there is any."""
        latest = self.present if self.present.number >= 100 or self.before.number == 0 else self.before
        value = percentile_of(latest.counts, vec[i64](), fraction)
        return value if value > 0.0 else 0.0
