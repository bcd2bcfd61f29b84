"""Regions and the round trips between them.

Public cloud providers publish inter-region round trips; these are rounded to 10 ms: Virginia - Frankfurt about 90 to
100, Virginia - Tokyo about 150 to 160, Frankfurt - Tokyo about 230 ms.
"""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

REGIONS: Final = ["us", "eu", "asia"]
ROUND_TRIP_MS: Final = {("us", "eu"): 100, ("asia", "us"): 160, ("asia", "eu"): 230}


def one_way_ns(here: str, there: str) -> i64:
    """Extra one-way latency between two regions, ns; 0 within one."""
    if here == there or not here or not there:
        return 0
    round_trip = ROUND_TRIP_MS.get((here, there), ROUND_TRIP_MS.get((there, here), 0))
    return i64(round_trip * 500_000)
