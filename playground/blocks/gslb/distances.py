"""How far requests have gone lately."""

from __future__ import annotations

from typing import final

from mypy_extensions import i64

from playground.engine.recent import WINDOW_NS
from playground.engine.state import State


@final
class RecentDistances(State):
    """Requests of the last second or two: their number, how many stayed in their region, and the round trips added up (ns)."""

    def __init__(self) -> None:
        self.window: i64 = 0
        self.number: i64 = 0
        self.own: i64 = 0
        self.total_ns: float = 0.0
        self.number_before: i64 = 0
        self.own_before: i64 = 0
        self.total_before_ns: float = 0.0

    def add(self, now: i64, own: bool, round_trip_ns: i64) -> None:
        """A request goes to its own region or to another, so far away."""
        window: i64 = now // WINDOW_NS
        if window != self.window:
            follows = window == self.window + 1
            self.number_before = self.number if follows else 0
            self.own_before = self.own if follows else 0
            self.total_before_ns = self.total_ns if follows else 0.0
            self.number = 0
            self.own = 0
            self.total_ns = 0.0
            self.window = window
        self.number += 1
        if own:
            self.own += 1
        self.total_ns += float(round_trip_ns)

    def own_percent(self) -> float:
        """Percent that stayed in their region; 0 before the first request."""
        number = self.number + self.number_before
        return 100.0 * float(self.own + self.own_before) / float(number) if number > 0 else 0.0

    def mean_ms(self) -> float:
        """The mean round trip; 0 before the first request."""
        number = self.number + self.number_before
        return (self.total_ns + self.total_before_ns) / float(number) / 1e6 if number > 0 else 0.0
