"""Which region a balancer by DNS picks, and how long resolvers that ignore its TTL keep to it.

RFC 1035 (TTL); Amazon Route 53, "Choosing a routing policy": latency-based routing answers with the region of the lowest latency.
"""

from __future__ import annotations

import pytest

from playground.engine.regions import ROUND_TRIP_MS
from playground.execution import Execution
from tests.laws.test_gslb import ASK_AGAIN_S, RESOLVERS, sent_to, world
from tests.sketch import SECOND, metric, run


def away_ms(one: str, other: str) -> int:
    """The round trip between two regions."""
    return ROUND_TRIP_MS.get((one, other), ROUND_TRIP_MS.get((other, one), 0))


@pytest.mark.parametrize("policy", ["geo", "latency"])
@pytest.mark.parametrize("client", ["us", "eu", "asia", "sa", "au"])
@pytest.mark.parametrize("regions", [("us", "eu", "asia"), ("au", "eu", "sa"), ("eu", "us")])
def test_all_are_well_and_the_nearest_region_is_the_answer(policy: str, client: str, regions: tuple[str, ...]) -> None:
    execution = run(world(regions, client=client, policy=policy, rate_per_s=50, until_s=4))
    nearest = min(regions, key=lambda region: away_ms(client, region))
    assert {region: sent_to(execution, region) > 0 for region in regions} == {it: it == nearest for it in regions}
    assert metric(execution, "dns", "mean_rtt_ms") == away_ms(client, nearest)


@pytest.mark.parametrize(("ignore_percent", "kept_s"), [(0, 2), (100, 40)])
def test_resolvers_that_ignore_the_ttl_ask_as_seldom_as_they_keep_answers_from_the_start(
    ignore_percent: int, kept_s: int
) -> None:
    drawing = world(until_s=30, ttl_s=2, ignored_ttl_s=40, ignore_ttl_percent=ignore_percent, lookup_ms=0)
    execution = Execution(drawing, recorded=False)
    asked = []
    for moment in (10, 20, 30):
        before = metric(execution, "dns", "resolutions")
        execution.advance(moment * SECOND)
        asked.append(metric(execution, "dns", "resolutions") - before)
    # When it begins, what each of them holds has any age: no silence, and then all at once.
    expected = 10 * RESOLVERS / (kept_s + ASK_AGAIN_S)
    assert asked == pytest.approx([expected] * 3, rel=0.25)
