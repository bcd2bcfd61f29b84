"""Regions and the round trips between them.

Public cloud providers publish inter-region round trips; these are rounded to 10 ms, as measured between one place in each: Virginia -
Frankfurt about 90 to 100, Virginia - Tokyo 145 to 160, Frankfurt - Tokyo 225 to 240, Virginia - São Paulo 115 to 120, Frankfurt - São
Paulo 195 to 205, Tokyo - São Paulo about 257, Virginia - Sydney 200 to 230, Frankfurt - Sydney 250 to 320 (by cable), Tokyo - Sydney
about 104, São Paulo - Sydney 310 to 320 ms.
"""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

REGIONS: Final = ["us", "eu", "asia", "sa", "au"]
REGION_PLACES: Final = {"us": "Virginia", "eu": "Frankfurt", "asia": "Tokyo", "sa": "São Paulo", "au": "Sydney"}
"""Between which places the round trips hold."""

ROUND_TRIP_MS: Final = {
    ("us", "eu"): 100,
    ("us", "asia"): 160,
    ("eu", "asia"): 230,
    ("us", "sa"): 120,
    ("eu", "sa"): 200,
    ("asia", "sa"): 260,
    ("us", "au"): 200,
    ("eu", "au"): 250,
    ("asia", "au"): 100,
    ("sa", "au"): 310,
}
"""One entry for each pair, the region that comes first in ``REGIONS`` first."""

REGION_NUMBERS: Final[dict[str, int]] = {region: number for number, region in enumerate(REGIONS)}
"""Where each stands in ``REGIONS``."""


def one_way_ns(here: str, there: str) -> i64:
    """Extra one-way latency between two regions, ns; 0 within one."""
    if here == there or not here or not there:
        return 0
    round_trip = ROUND_TRIP_MS.get((here, there), ROUND_TRIP_MS.get((there, here), 0))
    return i64(round_trip * 500_000)
