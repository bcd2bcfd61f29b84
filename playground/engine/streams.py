"""Random streams: one per block and purpose, so that a draw in one place changes nothing elsewhere.

The generator is MRG32k3a (L'Ecuyer, "Good parameters and implementations for combined multiple recursive random number generators",
Operations Research 47(1), 1999). Its products stay below 2**63, so compiled (wrapping) and interpreted (unbounded) arithmetic agree.
"""

from __future__ import annotations

import hashlib
from math import cos, exp, log, sqrt
from typing import Final, final

from mypy_extensions import i64

from playground.engine.durations import whole_ns
from playground.engine.state import State

M1: Final = 4294967087
M2: Final = 4294944443
LOW_HALF: Final = 0xFFFFFFFF
NORM: Final = 2.328306549295727688e-10
TWO_PI: Final = 6.283185307179586


@final
class Stream(State):
    """A stream of random numbers derived from (seed, owner, purpose)."""

    def __init__(self, seed: int, owner: str, purpose: str) -> None:
        digest = hashlib.sha256(f"{seed}\x00{owner}\x00{purpose}".encode()).digest()
        words = [int.from_bytes(digest[4 * index : 4 * index + 4], "big") for index in range(6)]
        # A state of three zeros would stay there; 1 + x mod (m - 1) excludes zero.
        self.s10: i64 = 1 + words[0] % (M1 - 1)
        self.s11: i64 = 1 + words[1] % (M1 - 1)
        self.s12: i64 = 1 + words[2] % (M1 - 1)
        self.s20: i64 = 1 + words[3] % (M2 - 1)
        self.s21: i64 = 1 + words[4] % (M2 - 1)
        self.s22: i64 = 1 + words[5] % (M2 - 1)

    def uniform(self) -> float:
        """Uniform in (0, 1), both ends excluded, with 32 bits."""
        # Both moduli are just below 2**32, so 2**32 is a small number to each: folding the high half down replaces a division.
        p1: i64 = 1403580 * self.s11 + 810728 * (M1 - self.s10)
        p1 = (p1 >> 32) * 209 + (p1 & LOW_HALF)
        if p1 >= M1:
            p1 -= M1
        self.s10 = self.s11
        self.s11 = self.s12
        self.s12 = p1
        p2: i64 = 527612 * self.s22 + 1370589 * (M2 - self.s20)
        p2 = (p2 >> 32) * 22853 + (p2 & LOW_HALF)
        p2 = (p2 >> 32) * 22853 + (p2 & LOW_HALF)
        if p2 >= M2:
            p2 -= M2
        self.s20 = self.s21
        self.s21 = self.s22
        self.s22 = p2
        difference: i64 = p1 - p2
        if difference <= 0:
            difference += M1
        return float(difference) * NORM

    def below(self, count: i64) -> i64:
        """A whole number from 0 to ``count`` - 1, all equally likely (to within count / 2**32)."""
        drawn: i64 = i64(self.uniform() * float(count))
        return drawn if drawn < count else count - 1

    def exponential(self, mean: float) -> float:
        """Exponential with the given mean."""
        return -log(self.uniform()) * mean

    def normal(self) -> float:
        """Standard normal (Box and Muller 1958; one of the pair, so that no half-used state is left)."""
        radius = sqrt(-2.0 * log(self.uniform()))
        return radius * cos(TWO_PI * self.uniform())


CONSTANT: Final = 0
EXPONENTIAL: Final = 1
UNIFORM: Final = 2
LOGNORMAL: Final = 3
PARETO: Final = 4
PARETO_OR_EXPONENTIAL: Final = 5

DISTRIBUTIONS: Final = ["constant", "exponential", "uniform", "lognormal", "pareto"]
"""Names of those that have a mean (and a coefficient of variation), in the order of the constants above."""

FITS: Final = {"lnkd_ssd": (0.9122, 0.235e6, 10.0, 1e6 / 1.66), "lnkd_disk": (0.38, 1.05e6, 1.51, 1e6 / 0.183)}
"""Measured ones as mixtures: the share of the Pareto part, its least value in ns and its exponent, the mean in ns of the exponential part.

One-way latencies of Voldemort at LinkedIn, between a coordinator and a replica, the replica's work included: on solid-state disks, and of
writes on spinning ones. P. Bailis et al., "Probabilistically bounded staleness for practical partial quorums", VLDB 2012, table 3.
"""


@final
class Duration(State):
    """A distribution of durations in nanoseconds: kind, mean, and coefficient of variation where the kind has one."""

    def __init__(self, kind: i64, mean_ns: float, cv: float) -> None:
        self.kind: i64 = kind
        self.mean_ns = mean_ns
        self.cv = cv
        self.first = 0.0
        self.second = 0.0
        self.share = 0.0
        self.other_ns = 0.0
        self.set_to(kind, mean_ns, cv)

    def set_to(self, kind: i64, mean_ns: float, cv: float) -> None:
        """Change the distribution; ``cv`` (standard deviation / mean) matters to lognormal and pareto alone."""
        self.kind = kind
        self.mean_ns = mean_ns
        self.cv = cv
        if kind == LOGNORMAL:
            variance = log(1.0 + cv * cv)
            self.second = sqrt(variance)
            self.first = (log(mean_ns) if mean_ns > 0.0 else -100.0) - variance / 2.0
        elif kind == PARETO:
            shape = 1.0 + sqrt(1.0 + 1.0 / (cv * cv))
            self.first = mean_ns * (shape - 1.0) / shape
            self.second = -1.0 / shape

    def set_mixture(self, share: float, least_ns: float, exponent: float, mean_ns: float) -> None:
        """With probability ``share`` Pareto (never below ``least_ns``, tail exponent > 1), else exponential with ``mean_ns``."""
        self.kind = PARETO_OR_EXPONENTIAL
        self.mean_ns = share * least_ns * exponent / (exponent - 1.0) + (1.0 - share) * mean_ns
        self.share = share
        self.first = least_ns
        self.second = -1.0 / exponent
        self.other_ns = mean_ns

    def draw(self, stream: Stream) -> i64:
        """One duration, rounded down to whole nanoseconds. A constant uses up no randomness."""
        kind = self.kind
        if kind == CONSTANT:
            return i64(self.mean_ns)
        if kind == EXPONENTIAL:
            return whole_ns(-log(stream.uniform()) * self.mean_ns)
        if kind == UNIFORM:
            return i64(2.0 * self.mean_ns * stream.uniform())
        if kind == LOGNORMAL:
            return whole_ns(exp(self.first + self.second * stream.normal()))
        if kind == PARETO_OR_EXPONENTIAL and stream.uniform() >= self.share:
            return whole_ns(-log(stream.uniform()) * self.other_ns)
        return whole_ns(self.first * exp(self.second * log(stream.uniform())))


@final
class Zipf(State):
    """Ranks 1 .. n with probability proportional to rank ** -exponent, in constant time and memory for any n.

    Rejection-inversion (Hörmann and Derflinger, "Rejection-inversion to generate variates from monotone discrete distributions",
    ACM TOMACS 6(3), 1996).
    """

    def __init__(self, count: i64, exponent: float) -> None:
        self.count: i64 = count
        self.exponent = exponent
        self.integral_first = self.integral(1.5) - 1.0
        self.integral_last = self.integral(float(count) + 0.5)
        self.squeeze = 2.0 - self.inverse(self.integral(2.5) - self.density(2.0))

    def density(self, x: float) -> float:
        """x ** -exponent."""
        return exp(-self.exponent * log(x))

    def integral(self, x: float) -> float:
        """The antiderivative of the density, 0 at x = 1."""
        logarithm = log(x)
        power = (1.0 - self.exponent) * logarithm
        if power > 1e-8 or power < -1e-8:
            return (exp(power) - 1.0) / power * logarithm
        return (1.0 + power / 2.0) * logarithm

    def inverse(self, value: float) -> float:
        """The x at which the integral has ``value``."""
        scaled = value * (1.0 - self.exponent)
        if scaled < -1.0:
            scaled = -1.0
        if scaled > 1e-8 or scaled < -1e-8:
            return exp(log(1.0 + scaled) / scaled * value)
        return exp((1.0 - scaled / 2.0) * value)

    def draw(self, stream: Stream) -> i64:
        """A rank from 1 to n."""
        while True:
            height = self.integral_last + stream.uniform() * (self.integral_first - self.integral_last)
            x = self.inverse(height)
            rank: i64 = i64(x + 0.5)
            if rank < 1:
                rank = 1
            elif rank > self.count:
                rank = self.count
            if float(rank) - x <= self.squeeze or height >= self.integral(float(rank) + 0.5) - self.density(
                float(rank)
            ):
                return rank
