"""Numbers in the sentences that people read: how many of something, and how long."""

from __future__ import annotations

from mypy_extensions import i64


def counted(number: i64, one: str, many: str = "") -> str:
    """``1 session``, ``2 sessions``; ``many`` where it is not ``one`` with an s."""
    return f"{number} {one if number == 1 else many if many else one + 's'}"


def often(number: i64) -> str:
    """``once``, ``twice``, ``3 times``."""
    if number == 1:
        return "once"
    return "twice" if number == 2 else f"{number} times"


def time_text(ns: i64) -> str:
    """A time with three digits in the unit that people would use: ``250 µs``, ``19.3 ms``, ``1.5 s``, ``2.5 min``, ``24 h``."""
    if ns < 999_500:
        return f"{float(ns) / 1e3:.3g} µs"
    if ns < 999_500_000:
        return f"{float(ns) / 1e6:.3g} ms"
    if ns < 120_000_000_000:
        return f"{float(ns) / 1e9:.3g} s"
    return f"{float(ns) / 6e10:.3g} min" if ns < 7_200_000_000_000 else f"{float(ns) / 3.6e12:.3g} h"
