"""What an HTTP cache asks its origin for, and when: freshness, stale answers within bounds, one request for many.
RFC 9111 (HTTP caching), RFC 5861 (stale-while-revalidate, stale-if-error)."""

from __future__ import annotations

import pytest

from playground import theory
from playground.execution import Execution
from tests.laws.edge_designs import browsers, cdn, chain, database, during, readers, shop, to, writers
from tests.laws.intervals import poisson_bounds
from tests.sketch import at, fault, metric

FETCH_S = 0.2 + 2 * 0.00025
"""A server that takes 200 ms, and the network there and back."""


# ---- freshness


@pytest.mark.parametrize("rate", [500, 5_000])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_origin_sees_one_request_per_item_and_max_age_whatever_the_traffic(rate: float, seed: int) -> None:
    users = readers(rate_per_s=rate, keys=5, arrivals="poisson")
    execution = to(chain(users, cdn(max_age_s=2), shop(), seed=seed), 19)
    # At 0 s, 2 s ... 18 s, each a request's distance late.
    assert metric(execution, "cdn", "origin_requests") == 5 * 10
    assert metric(execution, "shop", "offered") == 5 * 10
    assert metric(execution, "cdn", "revalidated") == 5 * 9
    assert metric(execution, "cdn", "out_of_date") == 0


def test_each_point_of_presence_asks_by_itself() -> None:
    users = readers(rate_per_s=1_000, users=1_000, arrivals="poisson")
    execution = to(chain(users, cdn(max_age_s=2, points=4), shop()), 19)
    assert metric(execution, "cdn", "origin_requests") == 4 * 10
    assert metric(execution, "cdn", "revalidated") == 4 * 9


def test_an_answers_age_counts_in_the_next_cache() -> None:
    # In the CDN since 0 s and fresh there until 10 s; who gets it at 6 s may keep it for 4 s, not for 10 s.
    late = readers("late", rate_per_s=1 / 6)
    theirs = browsers("theirs", max_age_s=10)
    execution = chain(readers(rate_per_s=10), cdn(max_age_s=10), shop(), beside=[(theirs, "cdn"), (late, "theirs")])
    to(execution, 12.1)
    assert metric(execution, "late", "completed") == 2
    assert (metric(execution, "theirs", "misses"), metric(execution, "theirs", "hits")) == (1, 0)
    # At 12 s it is revalidated, by a copy that the CDN has had since 10 s: good until 20 s.
    assert metric(execution, "theirs", "revalidated") == 1
    assert during(execution, "theirs", "hits", 12.1, 18.1) == 1
    assert during(execution, "theirs", "origin_requests", 18.1, 24.1) == 1


def test_max_age_0_asks_the_origin_every_time() -> None:
    execution = to(chain(readers(rate_per_s=100), cdn(max_age_s=0, collapse=False), shop()), 9.999)
    sent = metric(execution, "users", "sent")
    assert metric(execution, "shop", "offered") == sent
    assert metric(execution, "cdn", "hits") == 0


# ---- one request for many


def purged(seed: int, *, collapse: bool) -> float:
    """Requests that a purge of one hot key costs the origin: 10,000 reads a second, 200 ms to fetch."""
    users = readers(rate_per_s=10_000, arrivals="poisson")
    purge = at(1, fault("cdn", "purge", key=1))
    edge_cache = cdn(max_age_s=100, collapse=collapse, hit_time_mean_ms=0)
    execution = chain(users, edge_cache, shop(200), seed=seed, interventions=[purge])
    return during(execution, "cdn", "origin_requests", 0.999, 1.9)


@pytest.mark.parametrize("seed", range(1, 4))
def test_without_collapsing_arrival_rate_times_fetch_time_ask_the_origin(seed: int) -> None:
    low, high = poisson_bounds(theory.stampede(10_000, FETCH_S))
    assert low < 2_000 < high
    assert low <= purged(seed, collapse=False) <= high


@pytest.mark.parametrize("seed", range(1, 4))
def test_with_collapsing_exactly_one_asks_the_origin(seed: int) -> None:
    assert purged(seed, collapse=True) == 1


def test_those_who_wait_for_one_fetch_are_all_answered_when_it_is_there() -> None:
    execution = chain(readers(rate_per_s=1_000), cdn(max_age_s=100), shop(200))
    assert metric(to(execution, 0.2), "users", "completed") == 0
    assert metric(to(execution, 0.21), "users", "completed") >= 195
    assert metric(execution, "cdn", "collapsed") == pytest.approx(1_000 * FETCH_S, abs=2)


# ---- stale while revalidate


def popular(**params: float | None) -> Execution:
    """1,000 reads a second of an item that takes 200 ms to fetch and is fresh for 1 s."""
    return chain(readers(rate_per_s=1_000), cdn(max_age_s=1, **params), shop(200))


def test_stale_while_revalidate_serves_at_hit_latency_with_exactly_one_request_in_the_background() -> None:
    execution = to(popular(stale_while_revalidate_s=5), 0.9)
    assert metric(execution, "cdn", "stale_served") == 0
    assert during(execution, "cdn", "origin_requests", 0.95, 1.9) == 1
    # Each second one request asks; until it is answered, 1,000/s x 200 ms are served stale, and nobody waits.
    assert during(execution, "cdn", "origin_requests", 2.9, 9.9) == 7
    stale = during(execution, "cdn", "stale_served", 9.95, 12.95)
    assert stale == pytest.approx(3 * 1_000 * FETCH_S, abs=6)
    hit_ms = 0.5 + 2 * 0.25
    assert metric(execution, "users", "recent_p99_ms") == pytest.approx(hit_ms, rel=0.03)
    assert metric(execution, "cdn", "hit_percent") == 100


def test_without_it_those_who_come_while_it_is_revalidated_wait() -> None:
    execution = popular()
    assert during(execution, "cdn", "origin_requests", 2.9, 9.9) == 7
    assert metric(execution, "cdn", "stale_served") == 0
    # A fifth of all waits up to 200 ms.
    assert 180 < metric(execution, "users", "recent_p99_ms") < 210


def test_past_the_window_callers_wait_for_the_origin() -> None:
    # One read every 10 s: fresh for 1 s, stale for 5 s more, then too old.
    execution = to(chain(readers(rate_per_s=0.1), cdn(max_age_s=1, stale_while_revalidate_s=5), shop(200)), 55)
    assert metric(execution, "users", "completed") == 5
    assert metric(execution, "cdn", "stale_served") == 0
    assert metric(execution, "cdn", "hits") == 0
    assert metric(execution, "users", "recent_p50_ms") == pytest.approx(1_000 * FETCH_S, rel=0.03)


# ---- stale if error


def outage(**params: float | None) -> Execution:
    """100 reads a second of an item that is fresh for 1 s; the origin is down from 2 s to 20 s."""
    down = at(2, fault("shop", "crash", restart_after_s=18))
    return chain(readers(rate_per_s=100), cdn(max_age_s=1, **params), shop(), interventions=[down])


def test_stale_if_error_bridges_an_outage_within_its_window_and_not_after_it() -> None:
    # Fetched at about 1 s for the last time, so stale from about 2 s on, and too old from 7 s on.
    execution = to(outage(stale_if_error_s=5), 6.99)
    assert metric(execution, "users", "failed") == 0
    assert metric(execution, "cdn", "stale_if_error") == pytest.approx(500, abs=6)
    assert during(execution, "users", "completed", 7.1, 19.99) == 0
    assert metric(execution, "users", "failed") == pytest.approx(1_300, abs=6)
    # It is asked again by each read, so it is back with the first one.
    assert during(execution, "users", "failed", 20.02, 25) == 0
    assert execution.model.blocks["users"].failures_by_reason() == {
        "upstream_failed": metric(execution, "users", "failed")
    }


def test_without_stale_if_error_an_outage_is_felt_when_freshness_ends() -> None:
    execution = to(outage(), 2.0)
    assert metric(execution, "users", "failed") == 0
    assert during(execution, "users", "completed", 2.1, 19.99) == 0


def test_an_outage_that_stale_answers_bridge_is_named_with_its_end() -> None:
    execution = to(outage(stale_if_error_s=60), 25)
    notables = [it for it in execution.take_notables() if it.target == "cdn"]
    assert [it.kind for it in notables] == ["stale_if_error", "origin_back"]
    assert "for 60 s" in notables[0].detail
    served = int(metric(execution, "cdn", "stale_if_error"))
    assert served == pytest.approx(1_800, abs=6)
    assert f"{served} stale answers" in notables[1].detail
    assert metric(execution, "users", "failed") == 0


# ---- changes


def test_a_write_that_goes_through_drops_the_item() -> None:
    execution = chain(
        readers(rate_per_s=100), cdn(max_age_s=1_000), shop(), database(), beside=[(writers(rate_per_s=1), "cdn")]
    )
    to(execution, 20.5)
    assert metric(execution, "db", "commits") == 20
    assert metric(execution, "cdn", "invalidated") == 20
    # Out of date is no more than the one read that can come while the commit's answer is on its way.
    assert metric(execution, "cdn", "out_of_date") <= 20
    assert metric(execution, "cdn", "origin_requests") == 21


def test_a_write_that_goes_past_it_is_seen_when_freshness_ends() -> None:
    one_write = writers(rate_per_s=0.2)
    execution = chain(readers(rate_per_s=100), cdn(max_age_s=2), shop(), database(), beside=[(one_write, "shop")])
    # Fetched at 0 s, 2 s, 4 s; written at 5 s; seen at 6 s.
    to(execution, 9.9)
    assert metric(execution, "db", "commits") == 1
    assert metric(execution, "cdn", "out_of_date") == pytest.approx(100, abs=6)
    assert metric(execution, "cdn", "refreshed") == 1


def test_a_write_drops_the_item_at_one_point_of_presence_alone() -> None:
    execution = chain(
        readers(rate_per_s=1_000, users=1_000),
        cdn(max_age_s=1_000, points=2),
        shop(),
        database(),
        beside=[(writers(rate_per_s=0.2), "cdn")],
    )
    to(execution, 9.9)
    assert metric(execution, "cdn", "invalidated") == 1
    # Half of the users are at the other point, where it is out of date from 5 s on.
    assert metric(execution, "cdn", "out_of_date") == pytest.approx(4_900 / 2, rel=0.1)


# ---- what does not exist


def unknown(**params: float | None) -> Execution:
    """100 reads a second of an item that does not exist."""
    absent = readers(rate_per_s=100, unknown_percent=100)
    return chain(absent, cdn(max_age_s=60, **params), shop(), database(rows=1))


def test_an_item_that_does_not_exist_costs_one_request_per_negative_time_to_live() -> None:
    execution = to(unknown(negative_ttl_s=2), 19)
    assert metric(execution, "db", "absent") == 10
    assert metric(execution, "users", "not_found") == metric(execution, "users", "completed") > 1_800
    assert metric(to(unknown(), 19), "db", "absent") > 1_800


@pytest.mark.parametrize(("past_it", "seen_at_s"), [(True, 7), (False, 5)])
def test_an_item_created_meanwhile_is_invisible_until_then_unless_its_creation_went_through(
    past_it: bool, seen_at_s: float
) -> None:
    maker = readers("maker", rate_per_s=0.2, read_weight=0, create_weight=1)
    absent = readers(rate_per_s=100, unknown_percent=100)
    layers = (absent, cdn(max_age_s=60, negative_ttl_s=7), shop(), database(rows=1))
    # Asked for at 0 s, so again at 7 s; made at 5 s.
    execution = to(chain(*layers, beside=[(maker, "shop" if past_it else "cdn")]), 9.9)
    assert metric(execution, "users", "found") == pytest.approx(100 * (9.9 - seen_at_s), abs=6)
    assert metric(execution, "cdn", "out_of_date") == pytest.approx(200 if past_it else 0, abs=6)
    assert metric(execution, "cdn", "invalidated") == (0 if past_it else 1)
