"""Whole nanoseconds from computed durations, which may come out longer than any number of nanoseconds that fits."""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

LONGEST_NS: Final = 1 << 60
"""36 years, far beyond the end of any run; a moment plus a few of these still stays below 2**63."""

LONGEST: Final = 1152921504606846976.0


def whole_ns(ns: float) -> i64:
    """``ns`` rounded down; what is longer than :data:`LONGEST_NS`, infinite or not a number counts as that."""
    return i64(ns) if ns < LONGEST else LONGEST_NS
