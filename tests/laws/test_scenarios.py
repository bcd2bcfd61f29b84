"""The scenarios: what each fails by without its fix, and what it comes to with it, figures of both sides beside one another."""

from __future__ import annotations

from functools import cache

import pytest

from playground.execution import Execution
from playground.protocol.design import Scenario, Setting
from playground.templates_store import templates
from tests.sketch import fault, metric, run, set_param

WITH_A_SWITCH = [name for name, template in templates().items() if template.scenario.design.switches]


def side(name: str, fixed: bool, until_s: float, seed: int = 1) -> Scenario:
    """A scenario with its fix on or off from the start."""
    scenario = templates()[name].scenario
    switch = scenario.design.switches[0]
    settings: list[Setting] = switch.on if fixed else switch.off
    design = scenario.design.model_copy(deep=True)
    for setting in settings:
        for thing in (*design.blocks, *design.edges):
            if thing.id == setting.target:
                thing.params[setting.param] = setting.value
    return scenario.model_copy(update={"design": design, "until_s": until_s, "seed": seed})


@cache
def both(name: str, until_s: float, seed: int = 1) -> tuple[Execution, Execution]:
    """The scenario run without its fix, and with it."""
    return run(side(name, False, until_s, seed)), run(side(name, True, until_s, seed))


def titles(execution: Execution) -> list[str]:
    return [notable.title for notable in execution.take_notables()]


@pytest.mark.parametrize("name", WITH_A_SWITCH)
def test_a_scenario_has_a_switch_that_is_off_and_figures_with_a_law(name: str) -> None:
    template = templates()[name]
    design = template.scenario.design
    # Read your writes is mended in three ways.
    assert len(design.switches) == (3 if name == "read-your-writes" else 1) and design.watch and design.watch[0].law
    params = {thing.id: thing.params for thing in (*design.blocks, *design.edges)}
    for switch in design.switches:
        assert any(params[it.target].get(it.param) != it.value for it in switch.on), "it begins with the failure"
    assert template.summary and "\n\n" in design.description


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_ten_thousand_readers_of_an_expired_key_make_two_thousand_rebuilds_or_one_with_a_lock(seed: int) -> None:
    free, locked = both("cache-lock", 1.4, seed)
    # Poisson(2,000): five standard deviations are 224.
    assert 1776 <= metric(free, "cache", "latest_rebuilds") <= 2224
    assert metric(locked, "cache", "latest_rebuilds") == 1
    assert metric(locked, "cache", "waits") > 1500
    assert metric(locked, "db", "buffer_hits") <= 41 * 2 < metric(free, "db", "buffer_hits")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_soft_ttl_makes_one_background_refresh_of_two_thousand_blocked_readers(seed: int) -> None:
    hard, soft = both("soft-hard-ttl", 12.0, seed)
    assert 1776 <= metric(hard, "cache", "misses") <= 2224 + 41
    # Warm keys have all ages, so that each is refreshed once or twice in 12 s.
    assert 41 <= metric(soft, "cache", "refreshes") <= 2 * 41 and metric(soft, "cache", "stampedes") == 0
    assert all(row["age_s"] < 9 for row in soft.detail("cache")["most_popular_keys"] if row["key"] == 1)
    assert metric(soft, "shoppers", "failed") == 0
    # Nobody waits 200 ms for key 1: the 99.9th percentile is a hit's.
    p999 = {it: it.results()["totals"]["latency"]["p999"] for it in (hard, soft)}
    assert p999[soft] < 50 < 190 < p999[hard]


def test_negative_caching_asks_the_database_once_an_id_and_ttl() -> None:
    without, with_it = both("negative-caching", 60.0)
    told, asked = metric(without, "shoppers", "not_found"), metric(without, "db", "absent")
    assert told > 15_000 and abs(asked - told) < 0.01 * told, "each 404 costs a look-up"
    # At most once an id in 30 s, and a few more while the first is under way.
    assert metric(with_it, "shoppers", "not_found") > 15_000
    assert metric(with_it, "db", "absent") < 3000 * 2 * 1.1
    assert metric(with_it, "cache", "invisible") > 0 == metric(without, "cache", "invisible")


def test_a_bloom_filter_lets_less_than_a_hundredth_of_random_ids_through() -> None:
    without, with_it = both("bloom-filter", 30.0)
    assert metric(without, "db", "absent") / 30 == pytest.approx(4000, rel=0.03)
    passed = metric(with_it, "db", "absent")
    # 0.819 % of 120,000: 983, five standard deviations are 157.
    assert 826 <= passed <= 1140
    assert metric(with_it, "filter", "false_negatives") == 0


def test_sticky_sessions_keep_users_signed_in() -> None:
    without, with_it = both("without-sticky", 60.0)
    assert metric(without, "shoppers", "signed_out") > 1000
    assert metric(with_it, "shoppers", "signed_out") == 0


def test_a_session_store_makes_the_death_of_a_server_harmless() -> None:
    without, with_it = both("with-sticky", 60.0)
    assert metric(without, "shoppers", "signed_out") > 30
    assert metric(with_it, "shoppers", "signed_out") == 0
    # At 20 s each of the three servers has begun about the same number of sessions.
    assert metric(without, "app-2", "sessions_lost") == pytest.approx(90, rel=0.35)
    assert metric(with_it, "app-2", "sessions_lost") == 0
    for other in ("app-1", "app-3"):
        assert metric(without, other, "sessions_lost") == 0
    assert any("sessions lost with App 2" in title for title in titles(without))


def test_routing_by_readiness_keeps_a_cold_server_out() -> None:
    without, with_it = both("liveness-readiness", 80.0)
    assert metric(with_it, "users", "failed") < 0.6 * metric(without, "users", "failed")
    for side_of in (without, with_it):
        said = titles(side_of)
        assert any("Deadlock in Servers 2" in title for title in said)
        assert any("Servers 2 is being restarted" in title for title in said)


def test_gslb_brings_berlin_home_and_away_from_a_dead_region() -> None:
    early, at_home = both("gslb", 110.0)
    assert metric(early, "dns", "mean_rtt_ms") == pytest.approx(50, abs=15), "half of them cross the ocean"
    assert metric(at_home, "dns", "mean_rtt_ms") < 1
    home = at_home.results()["blocks"]["berlin"]["metrics"]["p50_ms"]
    assert 20 < home < 35 and early.results()["blocks"]["boston"]["metrics"]["p99_ms"] > 120
    without, with_it = both("gslb", 600.0)
    assert metric(with_it, "dns", "to_dead") < 0.6 * metric(without, "dns", "to_dead")
    # 30 s x 3 until it is found, then falling over one TTL to the tenth that ignores the TTL, for 360 s.
    failed = {it: metric(it, "berlin", "failed") for it in (without, with_it)}
    assert failed[with_it] < failed[without]


def test_a_304_spares_the_body_of_what_has_not_changed() -> None:
    without, with_it = both("conditional-requests", 60.0)
    assert metric(without, "browsers", "revalidated") == 0 < metric(without, "browsers", "misses")
    confirmed, fetched = metric(with_it, "browsers", "revalidated"), metric(with_it, "browsers", "origin_bytes")
    assert confirmed > 5_000
    # What came with a body, at 100 kB, and what was confirmed, at some hundred bytes of head; a few are still on their way.
    bodies = metric(with_it, "browsers", "origin_requests") - confirmed
    assert fetched == pytest.approx(100_000 * bodies + 200 * confirmed, rel=0.01)
    assert fetched < metric(without, "browsers", "origin_bytes") / 3
    assert metric(with_it, "users", "offered") == pytest.approx(metric(without, "users", "offered"), rel=0.02)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_overlapping_quorums_end_stale_reads(seed: int) -> None:
    partial, overlapping = both("quorum", 30.0, seed)
    # A tenth of 6,000 reads; the second fastest of three replicas instead of the fastest.
    assert 300 < metric(partial, "store", "reads_stale") < 1200
    assert any("stale read of key" in title for title in titles(partial))
    assert metric(overlapping, "store", "reads_stale") == 0 < metric(overlapping, "store", "reads")
    for kind in ("read", "write"):
        assert metric(overlapping, "store", f"{kind}_p50_ms") > metric(partial, "store", f"{kind}_p50_ms")


@pytest.mark.parametrize("sloppy", [False, True])
def test_overlapping_quorums_have_their_caveats(sloppy: bool) -> None:
    execution = Execution(side("quorum", True, 40.0), recorded=False)
    execution.act(set_param("store", "sloppy_quorum", sloppy), "test")
    assert execution.advance(5_000_000_000)
    execution.act(fault("store", "partition", instance=0, count=2, duration_s=5), "test")
    assert execution.advance(20_000_000_000)
    if sloppy:
        assert metric(execution, "store", "reads_stale") > 100, "the other side's writes count, and are not seen"
        assert metric(execution, "store", "hints_delivered") > 0
        assert any("handoff to node" in title for title in titles(execution))
    else:
        assert metric(execution, "store", "reads_stale") == 0
        assert metric(execution, "store", "unavailable") > 100
        assert metric(execution, "store", "partial_writes") > 0
    before = metric(execution, "store", "reads_stale")
    assert execution.advance(40_000_000_000)
    assert metric(execution, "store", "reads_stale") == before, "once all hints are handed over"


def test_clocks_that_are_off_lose_acknowledged_writes_in_spite_of_the_quorum() -> None:
    execution = Execution(side("quorum", True, 20.0), recorded=False)
    execution.act(set_param("store", "clock_offsets", "0, 200, -200"), "test")
    assert execution.advance(execution.until_ns)
    assert metric(execution, "store", "writes_lost_skew") > 100 < metric(execution, "store", "reads_stale")
