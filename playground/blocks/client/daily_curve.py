"""How sharply a day peaks: the rate follows exp(k cos t), with the k that gives the peak factor."""

from __future__ import annotations

from math import cos, exp
from typing import final

from mypy_extensions import i64

from playground.engine.params import Params
from playground.engine.state import State
from playground.engine.streams import TWO_PI


def bessel_i0(x: float) -> float:
    """The modified Bessel function I0, by its power series (Abramowitz and Stegun 9.6.12)."""
    term = 1.0
    total = 1.0
    index = 1
    while term > 1e-15 * total:
        term *= (x / 2.0 / float(index)) ** 2
        total += term
        index += 1
    return total


def concentration(peak_factor: float) -> float:
    """The k at which exp(k cos t) / I0(k), whose mean over a day is 1, peaks at ``peak_factor``."""
    low = 0.0
    high = 1.0
    while exp(high) / bessel_i0(high) < peak_factor:
        high *= 2.0
    for _ in range(60):
        middle = (low + high) / 2.0
        if exp(middle) / bessel_i0(middle) < peak_factor:
            low = middle
        else:
            high = middle
    return high


@final
class Day(State):
    """Where the day's curve stands."""

    def __init__(self) -> None:
        self.daily: bool = False
        self.curve_k: float = 0.0
        self.day_ns: float = 1.0
        self.peak_at: float = 0.0

    def configure(self, params: Params) -> None:
        """Whether there is one, how long a day lasts, how sharp its peak is and when."""
        self.daily = params.text("profile") == "day"
        self.curve_k = concentration(params.number("peak_factor")) if self.daily else 0.0
        self.day_ns = params.number("day_s") * 1e9
        self.peak_at = params.number("peak_at_percent") / 100.0

    def level(self, now: i64) -> float:
        """The rate over its peak, 1 without a curve."""
        if not self.daily:
            return 1.0
        turn = float(now) / self.day_ns - self.peak_at
        return exp(self.curve_k * (cos(TWO_PI * turn) - 1.0))
