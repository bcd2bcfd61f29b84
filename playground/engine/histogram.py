"""Log-linear histograms: relative error below 1 % at any magnitude, merging and differencing by plain addition.

Values below 128 ns have a bucket each; above, every octave is cut into 128 buckets (the idea of HdrHistogram, G. Tene). Columns grow to the
largest value seen. Percentiles interpolate within a bucket.
"""

from __future__ import annotations

from typing import Final, final

from librt.vecs import vec
from mypy_extensions import i64

from playground.engine.columns import grown, zeros
from playground.engine.state import State

SUB_BITS: Final = 7
SUB: Final = 128


def bucket_of(value: i64) -> i64:
    """The index of the bucket that holds ``value`` (>= 0)."""
    if value < SUB:
        return value if value > 0 else 0
    exponent: i64 = 0
    rest: i64 = value >> SUB_BITS
    if rest >= 4294967296:
        exponent += 32
        rest >>= 32
    if rest >= 65536:
        exponent += 16
        rest >>= 16
    if rest >= 256:
        exponent += 8
        rest >>= 8
    if rest >= 16:
        exponent += 4
        rest >>= 4
    if rest >= 4:
        exponent += 2
        rest >>= 2
    if rest >= 2:
        exponent += 1
    return (exponent << SUB_BITS) + (value >> exponent)


def bucket_low(index: i64) -> i64:
    """The smallest value in bucket ``index``."""
    if index < 2 * SUB:
        return index
    exponent: i64 = (index >> SUB_BITS) - 1
    return (index - (exponent << SUB_BITS)) << exponent


def percentile_of(counts: vec[i64], earlier: vec[i64], fraction: float) -> float:
    """The value below which ``fraction`` of (counts - earlier) lies, in ns; -1 when that difference is empty.

    ``earlier`` is an older copy of the same histogram's counts, or an empty column.
    """
    total: i64 = 0
    index: i64 = 0
    length: i64 = len(counts)
    old: i64 = len(earlier)
    while index < length:
        total += counts[index] - (earlier[index] if index < old else 0)
        index += 1
    if total <= 0:
        return -1.0
    target = fraction * float(total)
    seen = 0.0
    index = 0
    while index < length:
        here = float(counts[index] - (earlier[index] if index < old else 0))
        if here > 0.0 and seen + here >= target:
            low = float(bucket_low(index))
            return low + (float(bucket_low(index + 1)) - low) * (target - seen) / here
        seen += here
        index += 1
    return float(bucket_low(length))


@final
class Histogram(State):
    """Counts of durations in ns, with their exact number and sum."""

    def __init__(self) -> None:
        self.counts: vec[i64] = zeros(SUB)
        self.number: i64 = 0
        self.total: float = 0.0

    def add(self, value: i64) -> None:
        """Count one duration."""
        index = bucket_of(value)
        if index >= len(self.counts):
            self.counts = grown(self.counts, index + SUB)
        self.counts[index] += 1
        self.number += 1
        self.total += float(value)

    def include(self, other: Histogram) -> None:
        """Count what ``other`` has counted as well."""
        length: i64 = len(other.counts)
        if length > len(self.counts):
            self.counts = grown(self.counts, length)
        index: i64 = 0
        while index < length:
            self.counts[index] += other.counts[index]
            index += 1
        self.number += other.number
        self.total += other.total

    def mean(self) -> float:
        """Mean in ns, -1 when empty."""
        return self.total / float(self.number) if self.number > 0 else -1.0

    def percentile(self, fraction: float) -> float:
        """Value in ns below which ``fraction`` (0 .. 1) lies, -1 when empty."""
        return percentile_of(self.counts, vec[i64](), fraction)

    def percentile_since(self, earlier: Histogram, fraction: float) -> float:
        """As :meth:`percentile`, of what was counted since ``earlier``, an older copy of this."""
        return percentile_of(self.counts, earlier.counts, fraction)
