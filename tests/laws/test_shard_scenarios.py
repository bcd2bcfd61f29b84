"""The scenarios about shards: what each fails by without its fix, and what it comes to with it."""

from __future__ import annotations

import pytest

from playground.execution import Execution
from tests.laws.shards import reach, resharded
from tests.laws.test_scenarios import both, side, titles
from tests.sketch import metric, set_param

SEEDS = (1, 2)


@pytest.mark.parametrize("seed", SEEDS)
def test_growing_ids_make_a_hot_shard_by_range_and_the_hash_spreads_them(seed: int) -> None:
    by_range, by_hash = both("hot-shard", 12.0, seed)
    # All 2,400 creations and a quarter of 800 reads, of 3,200.
    assert metric(by_range, "router", "hottest_shard_percent") == pytest.approx(81.25, abs=1.5)
    assert metric(by_hash, "router", "hottest_shard_percent") == pytest.approx(25, abs=2)
    # The last shard's core, the busiest that it has: 2,600/s x 0.37 ms. The chart of utilisation draws this figure.
    assert by_range.model.blocks["shard-4"].utilisation() == pytest.approx(0.96, abs=0.03)
    assert by_hash.model.blocks["shard-4"].utilisation() == pytest.approx(0.3, abs=0.02)
    assert metric(by_range, "posters", "recent_p99_ms") > 2 * metric(by_hash, "posters", "recent_p99_ms")
    assert "Shard 4 is a hot shard" in titles(by_range) and titles(by_hash) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_the_switch_mends_a_hot_shard_while_traffic_flows(seed: int) -> None:
    execution = reach(Execution(side("hot-shard", False, 60, seed), recorded=False), 5)
    execution.act(set_param("router", "scheme", "hash"), "test")
    assert metric(execution, "router", "moved_percent") == pytest.approx(75, abs=1)
    resharded(execution, 30)
    reach(execution, execution.now_ns / 1e9 + 3)
    assert metric(execution, "router", "hottest_shard_percent") == pytest.approx(25, abs=2)
    assert metric(execution, "posters", "failed") == metric(execution, "router", "rolled_back") == 0
    # Nothing was lost, nothing made twice: as many rows there are as were acknowledged, and those under way.
    router = execution.model.blocks["router"]
    there = sum(router.current_version(key) == 2 for key in router.changed_keys())
    done = metric(execution, "posters", "completed")
    assert done <= there <= done + metric(execution, "posters", "in_flight")
    assert "Shard 4 is no hot shard any more" in titles(execution)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_reshard_at_full_speed_makes_requests_time_out_and_a_throttled_one_does_not(seed: int) -> None:
    free, throttled = both("reshard", 29.0, seed)
    for execution in (free, throttled):
        assert metric(execution, "router", "moved_percent") == 80
        assert metric(execution, "router", "buckets_left") == 0 == metric(execution, "router", "rolled_back")
        assert 800_000 <= metric(execution, "router", "moved_rows") < 802_000
    assert metric(free, "users-app", "timeouts") > 100
    assert metric(throttled, "users-app", "timeouts") <= 5
    took = [next(it for it in told.take_notables() if it.kind == "reshard_done").detail for told in (free, throttled)]
    assert "moved in 16." in took[1] and "moved in 16." not in took[0]
    assert metric(free, "router", "longest_cut_over_ms") > 5 * metric(throttled, "router", "longest_cut_over_ms")
