"""Where rows and lists go: the slowest shard of many, hot keys, growing ids, partial answers."""

from __future__ import annotations

from math import log
from statistics import fmean

import pytest
from scipy import stats

from playground.catalogue import check_design
from playground.engine.histogram import bucket_low
from playground.execution import Execution
from playground.protocol.design import Scenario, parse_design
from playground.protocol.errors import InputError
from tests.laws.intervals import assert_agrees, runs
from tests.laws.shards import QUICK, reach, sharded
from tests.sketch import MS, block, edge, fault, figures, metric, named, run, set_param, with_params

SEEDS = range(1, 6)
ALONE = {"latency_mean_ms": 0.000001}


# ---- scatter-gather


def lists(shards: int, seed: int = 1, until_s: float = 10.0) -> Scenario:
    """Lists alone, over shards each of which takes an exponential time with mean 1 ms, and nothing else that takes time."""
    client = {"rate_per_s": 200, "read_weight": 0, "write_weight": 0, "list_weight": 1}
    db = {"query_mean_ms": 1, "list_cost": 1}
    router = {"route_mean_ms": 0, "buckets": 1024}
    drawing = sharded(shards, client=client, router=router, db=db, rows=1_000, seed=seed, until_s=until_s)
    return with_params(drawing, lambda it: hasattr(it, "to"), **ALONE)


def share_above(execution: Execution, name: str, limit_ns: float) -> float:
    """The share of a block's answers that took longer."""
    histogram = execution.model.blocks[name].histogram
    above = sum(count for bucket, count in enumerate(histogram.counts) if bucket_low(bucket) >= limit_ns)
    return float(above / histogram.number)


def test_one_percent_of_slow_shards_make_63_percent_of_lists_over_100_shards_slow() -> None:
    # J. Dean and L. A. Barroso, "The tail at scale", CACM 56(2), 2013. Slower than mean x ln 100 is one exponential time in 100.
    limit_ns = log(100) * MS
    made = runs(lists(100), SEEDS)
    one = [share_above(it, f"shard-{number:03}", limit_ns) for it in made for number in range(1, 101)]
    assert fmean(one) == pytest.approx(0.01, abs=0.0005)
    assert_agrees([share_above(it, "router", limit_ns) for it in made], 1 - 0.99**100, narrow=0.03)
    assert all(metric(it, "router", "fan_out") == 100 for it in made)


@pytest.mark.parametrize("shards", [1, 4, 16])
def test_a_list_is_as_slow_as_the_slowest_of_its_shards(shards: int) -> None:
    # The mean of the largest of n exponential times is the n-th harmonic number.
    expected = sum(1 / number for number in range(1, shards + 1))
    means = [it.model.blocks["router"].histogram.mean() / MS for it in runs(lists(shards), SEEDS)]
    assert_agrees(means, expected)


def test_an_operation_on_a_row_goes_to_one_shard_and_always_to_the_same() -> None:
    client = {"keys": 1, "write_weight": 30}
    execution = run(sharded(5, client=client), until_s=5)
    asked = [figures(execution, f"shard-{number:03}")["offered"] for number in range(1, 6)]
    assert sorted(asked)[:4] == [0, 0, 0, 0] and max(asked) == metric(execution, "router", "single") > 4_500


# ---- partial answers


def test_a_deadline_gives_partial_answers_in_time_and_says_how_many_shards_are_missing() -> None:
    execution = Execution(lists(10), recorded=False)
    execution.act(set_param("router", "shard_deadline_ms", 3), "test")
    reach(execution, 10)
    seen = figures(execution, "router")
    # A shard misses 3 ms with probability e^-3; all ten are in time with (1 - e^-3)^10.
    late = 2.718281828**-3
    low, high = stats.binom.interval(0.999, seen["completed"], 1 - (1 - late) ** 10)
    assert low <= seen["partial"] <= high
    low, high = stats.binom.interval(0.999, 10 * seen["completed"], late)
    assert low <= seen["missing"] <= high
    assert seen["failed"] == 0 and execution.model.blocks["router"].histogram.percentile(0.9999) <= 3.03 * MS
    assert [it.title for it in execution.take_notables()] == ["router gives a partial answer"]
    # The results show the law beside it, with what one shard was measured to miss.
    (row,) = [it for it in execution.results()["theory"] if it["name"] == "Lists that miss a part"]
    assert row["expected"] == pytest.approx(100 * (1 - (1 - late) ** 10), abs=3)
    assert row["measured"] == pytest.approx(row["expected"], abs=3)


@pytest.mark.parametrize(("shards", "deadline_ms"), [(2, 0.7), (2, 1.5), (3, 0.7)])
def test_the_law_beside_partial_answers_counts_no_list_that_no_shard_answered(shards: int, deadline_ms: float) -> None:
    execution = Execution(lists(shards), recorded=False)
    execution.act(set_param("router", "shard_deadline_ms", deadline_ms), "test")
    reach(execution, 10)
    (row,) = [it for it in execution.results()["theory"] if it["name"] == "Lists that miss a part"]
    late = 2.718281828**-deadline_ms
    assert row["expected"] == pytest.approx(100 * (1 - (1 - late) ** shards - late**shards), abs=4)
    assert row["measured"] == pytest.approx(row["expected"], abs=4)


def test_a_dead_shard_fails_every_list_without_a_deadline_and_none_with_one() -> None:
    execution = reach(Execution(lists(10), recorded=False), 1)
    execution.act(fault("shard-003", "crash"), "test")
    reach(execution, 3)
    failed = metric(execution, "router", "failed")
    assert failed > 350 and metric(execution, "router", "partial") == 0
    execution.act(set_param("router", "shard_deadline_ms", 500), "test")
    reach(execution, 5)
    assert metric(execution, "router", "failed") <= failed + 5
    assert metric(execution, "router", "missing") == metric(execution, "router", "partial") > 350


def test_a_list_of_which_no_shard_answers_fails() -> None:
    execution = Execution(lists(2), recorded=False)
    execution.act(set_param("router", "shard_deadline_ms", 0.001), "test")
    reach(execution, 2)
    seen = figures(execution, "router")
    assert seen["failed"] > 300 and set(execution.model.blocks["router"].failures_by_reason()) == {"upstream_timeout"}


# ---- hot keys, hot shards


@pytest.mark.parametrize("scheme", ["hash", "consistent", "range"])
def test_a_hot_key_makes_a_hot_shard_whatever_the_scheme(scheme: str) -> None:
    client = {"key_choice": "hot", "hot_share_percent": 60, "zipf_exponent": 0, "rate_per_s": 4_000}
    execution = run(sharded(4, client=client, router={"scheme": scheme}), until_s=4)
    seen = figures(execution, "router")
    # 60 %, and its part of the rest.
    assert seen["hottest_shard_percent"] == pytest.approx(60 + 10, abs=4)
    assert seen["imbalance"] == pytest.approx(2.8, abs=0.16)
    assert seen["hottest_key_percent"] == pytest.approx(60, abs=3)
    (told,) = [it for it in execution.take_notables() if it.kind == "hot_shard"]
    assert "Key 1 alone is 6" in told.detail


def growing(scheme: str, seed: int = 1) -> Scenario:
    """New rows alone, with ids from a sequence."""
    client = {"read_weight": 0, "write_weight": 0, "create_weight": 1, "unknown_choice": "next", "rate_per_s": 4_000}
    return sharded(4, client=client, router={"scheme": scheme}, seed=seed, until_s=4)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_growing_ids_make_a_hot_shard_by_range_and_none_by_hash(seed: int) -> None:
    by_range, by_hash, by_ring = (run(growing(scheme, seed)) for scheme in ("range", "hash", "consistent"))
    assert metric(by_range, "router", "hottest_shard_percent") == 100
    assert metric(by_range, "router", "imbalance") == 4
    assert [metric(by_range, f"shard-{number:03}", "created") for number in (1, 2, 3)] == [0, 0, 0]
    assert metric(by_hash, "router", "hottest_shard_percent") == pytest.approx(25, abs=2)
    assert metric(by_ring, "router", "hottest_shard_percent") < 34
    assert any(it.title == "shard-004 is a hot shard" for it in by_range.take_notables())
    assert not any(it.kind == "hot_shard" for it in by_hash.take_notables())


def test_uniform_reads_are_spread_as_evenly_as_chance_allows() -> None:
    execution = run(sharded(4, client={"rate_per_s": 8_000}, router={"buckets": 4096}), until_s=5)
    asked = [metric(execution, f"shard-{number:03}", "offered") for number in range(1, 5)]
    # The counts of four shards, and that 10,000 keys in 4,096 buckets are not split quite evenly.
    assert all(count == pytest.approx(sum(asked) / 4, rel=0.06) for count in asked)


def test_a_worker_is_held_until_the_shard_has_answered() -> None:
    # Little's law: 1,000/s x 20 ms.
    router = {"workers": 100, "route_mean_ms": 0.000001}
    db = {"query_mean_ms": 20, "query_distribution": "constant"}
    execution = run(sharded(4, client={"write_weight": 0}, router=router, db=db), until_s=20)
    assert execution.model.blocks["router"].pool.busy_integral() / 20e9 == pytest.approx(20.1, rel=0.03)


# ---- what is refused


def refused(drawing: Scenario, **params: object) -> str:
    changed = with_params(drawing, named("router"), **params)
    with pytest.raises(InputError) as error:
        check_design(changed.design)
    return error.value.problems[0].message


def test_nonsense_is_refused_by_name() -> None:
    drawing = sharded(3)
    assert "virtual_nodes = 1000000000 is too large" in refused(drawing, virtual_nodes=1_000_000_000)
    assert "shard_deadline_ms = 0 is too small" in refused(drawing, shard_deadline_ms=0)
    assert "is not ascending (400 after 500)" in refused(drawing, scheme="range", split_points="500,400")
    assert "is not ascending (500 after 500)" in refused(drawing, scheme="range", split_points="500,500")
    assert "doesn't have the right form" in refused(drawing, scheme="range", split_points="500;400")
    assert "buckets = 0 is too small" in refused(drawing, buckets=0)


def test_a_router_without_shards_is_refused_and_so_is_one_whose_shards_all_weigh_nothing() -> None:
    assert "its port 'Shards' has 0 connections and needs at least 1" in refused(sharded(0))
    nothing = with_params(sharded(2), lambda it: "shard" in getattr(it, "id", "") and hasattr(it, "to"), weight=0)
    with pytest.raises(InputError, match="weight 0"):
        check_design(nothing.design)


def test_a_router_is_no_shard_of_itself_and_an_index_follows_no_index() -> None:
    drawing = sharded(2).design.model_dump(by_alias=True)
    drawing["edges"].append(edge("router", "router", "shards"))
    with pytest.raises(InputError) as error:
        check_design(parse_design(drawing))
    assert any("router" in it.message and "itself" in it.message for it in error.value.problems)
    drawing["edges"].pop()
    drawing["blocks"].append(block("search", "search_index"))
    drawing["edges"].append({**edge("search", "search", "changes"), "to": {"block": "search", "port": "in"}})
    with pytest.raises(InputError) as error:
        check_design(parse_design(drawing))
    assert any(it.block == "search" or "search" in it.message for it in error.value.problems)


def test_a_hundred_shards_can_be_drawn_and_a_row_finds_its_own() -> None:
    drawing = with_params(sharded(100, rows=2_000), lambda it: hasattr(it, "to"), **QUICK)
    execution = run(drawing, until_s=1)
    assert execution.stopped is None and metric(execution, "router", "shards") == 100
    assert len(execution.frame()["b"]) > 0 and len(execution.detail("router")["shards"]) == 32
