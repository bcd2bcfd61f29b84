"""Shards that come and go while traffic flows: how much moves, that no write is lost, that no read goes back, what a failure does.

D. Karger et al., "Consistent hashing and random trees", STOC 1997. A bucket moves as in Vitess' VReplication (vitess.io, "Reshard").
"""

from __future__ import annotations

from collections import Counter
from statistics import fmean

import pytest

from playground.engine.block import Block
from playground.engine.outcomes import CREATE, DELETE, OK, WRITE
from playground.engine.simulation import Simulation
from playground.execution import Execution
from playground.protocol.design import EditDesign, parse_design
from tests.engine.parts import add, wire
from tests.laws.shards import (
    assert_nothing_lost,
    audited,
    reach,
    resharded,
    sharded,
    with_a_shard_more,
    without,
)
from tests.sketch import MS, SECOND, fault, figures, metric, named, set_param, unaccounted, with_params

SCHEMES = ("hash", "consistent", "range", "directory")
SEEDS = (1, 2, 3)
LIGHT = {"rate_per_s": 50, "write_weight": 0}
THROTTLED = {"buckets": 64, "move_rows_per_s": 20_000, "batch_rows": 100}


def titles(execution: Execution) -> list[str]:
    return [notable.title for notable in execution.take_notables()]


def moved_by_a_shard_more(scheme: str, shards: int, buckets: int = 4096) -> float:
    """The share of rows that a shard more moves, measured by asking the map before and after."""
    drawing = sharded(shards, client=LIGHT, router={"scheme": scheme, "buckets": buckets, "may_move": False})
    execution = reach(Execution(drawing, recorded=False), 0.1)
    router = execution.model.blocks["router"]
    before = [router.map.owner(key) for key in range(1, 10_001)]
    execution.act(with_a_shard_more(execution.design, 999, 10_000), "test")
    execution.act(set_param("router", "may_move", True), "test")
    resharded(execution)
    after = [router.map.owner(key) for key in range(1, 10_001)]
    moved = fmean(old != new for old, new in zip(before, after, strict=True))
    assert metric(execution, "router", "moved_percent") == pytest.approx(100 * moved, abs=1.5)
    return moved


@pytest.mark.parametrize("shards", [4, 9])
def test_hash_mod_n_moves_n_rows_of_n_plus_one_when_a_shard_comes(shards: int) -> None:
    assert moved_by_a_shard_more("hash", shards) == pytest.approx(shards / (shards + 1), abs=0.015)


@pytest.mark.parametrize("shards", [4, 9])
def test_consistent_hashing_moves_one_row_of_n_plus_one(shards: int) -> None:
    # 200 points a shard: its share scatters by 1 / sqrt(200) = 7 % of itself; the buckets add 3 %.
    assert moved_by_a_shard_more("consistent", shards) == pytest.approx(1 / (shards + 1), rel=0.2)


def test_a_directory_moves_exactly_the_new_shards_part() -> None:
    assert moved_by_a_shard_more("directory", 4, 1000) == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_acknowledged_write_is_lost_and_no_read_goes_back_when_shards_come_and_go(scheme: str, seed: int) -> None:
    router = {**THROTTLED, "scheme": scheme, "moves_at_once": 1 + seed}
    execution = Execution(sharded(3, client=LIGHT, router=router, seed=seed), recorded=False)
    auditor = audited(execution, with_deletions=seed == 3)
    reach(execution, 0.5)
    execution.act(with_a_shard_more(execution.design, 4, 10_000), "test")
    resharded(execution)
    execution.act(set_param("router--shard-002", "weight", 0), "test")
    assert metric(execution, "router", "buckets_left") > 0
    resharded(execution)
    assert metric(execution, "router", "moved_rows") > 4_000
    assert metric(execution, "router", "rolled_back") == 0
    # It is empty, so that it can be taken away.
    execution.act(without(execution.design, 2), "test")
    reach(execution, execution.now_ns / SECOND + 1)
    assert metric(execution, "router", "nowhere") == 0
    assert_nothing_lost(execution, auditor)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("way", [("range", "hash"), ("hash", "consistent"), ("consistent", "range")])
def test_nothing_is_lost_when_the_scheme_itself_changes_even_in_the_middle_of_a_reshard(
    way: tuple[str, str], seed: int
) -> None:
    router = {**THROTTLED, "scheme": way[0]}
    execution = Execution(sharded(3, client=LIGHT, router=router, seed=seed), recorded=False)
    auditor = audited(execution, with_deletions=True)
    reach(execution, 0.3)
    execution.act(set_param("router", "scheme", way[1]), "test")
    reach(execution, 0.4)
    assert metric(execution, "router", "buckets_left") > 0
    execution.act(with_a_shard_more(execution.design, 4, 10_000), "test")
    reach(execution, 0.5)
    execution.act(set_param("router", "scheme", way[0]), "test")
    reach(execution, 0.6)
    execution.act(set_param("router", "scheme", way[1]), "test")
    resharded(execution)
    assert len(execution.model.blocks["router"].map.layouts) == 1
    assert_nothing_lost(execution, auditor)


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_when_router_and_shards_crash_in_the_middle(seed: int) -> None:
    router = {**THROTTLED, "scheme": "hash", "moves_at_once": 4}
    execution = Execution(sharded(3, client=LIGHT, router=router, seed=seed), recorded=False)
    auditor = audited(execution)
    reach(execution, 0.3)
    execution.act(with_a_shard_more(execution.design, 4, 10_000), "test")
    for moment, name in enumerate(("router", "shard-004", "shard-001", "router")):
        reach(execution, 0.35 + 0.1 * moment)
        execution.act(fault(name, "crash", restart_after_s=0.05), "test")
    resharded(execution)
    assert sum(auditor.failed_writes.values()) > 10
    assert_nothing_lost(execution, auditor)
    assert unaccounted(execution) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_writes_whose_callers_gave_up_are_waited_for_so_that_no_reader_sees_them_vanish(seed: int) -> None:
    # A commit takes 40 ms, and the router waits 50 ms: three writes of ten go on at the shard when nobody waits for them.
    router = {"buckets": 16, "scheme": "hash", "moves_at_once": 4}
    drawing = sharded(3, waiting=1, client=LIGHT, router=router, db={"commit_mean_ms": 40}, seed=seed)
    drawing = with_params(drawing, lambda it: it.id.startswith("router--"), timeout_ms=50)
    execution = Execution(drawing, recorded=False)
    auditor = audited(execution, keys=100)
    for moment in range(8):
        reach(execution, 0.5 + 2 * moment)
        execution.act(set_param("router--shard-004", "weight", (moment + 1) % 2), "test")
    reach(execution, 18)
    assert sum(auditor.failed_writes.values()) > 2_000 and metric(execution, "router", "moved_buckets") > 2
    assert_nothing_lost(execution, auditor)


def test_writes_wait_for_a_cut_over_and_for_no_longer_than_it_lasts() -> None:
    router = {"buckets": 8, "scheme": "directory", "batch_rows": 500}
    client = {"rate_per_s": 4_000, "write_weight": 100}
    execution = Execution(sharded(2, waiting=1, client=client, router=router), recorded=False)
    reach(execution, 1)
    execution.act(set_param("router--shard-003", "weight", 1), "test")
    resharded(execution)
    seen = figures(execution, "router")
    assert seen["held_all"] > 0 == seen["held"]
    assert 0 < seen["longest_cut_over_ms"] < 20
    assert seen["caught_up"] > 0 and seen["failed"] == 0


@pytest.mark.parametrize(("rows_per_s", "expected_s"), [(2_000, 2.5), (10_000, 0.5)])
def test_rows_move_at_the_rate_that_is_allowed(rows_per_s: int, expected_s: float) -> None:
    # A second shard takes half of 10,000 rows.
    router = {"scheme": "directory", "buckets": 20, "move_rows_per_s": rows_per_s, "batch_rows": 50}
    execution = Execution(sharded(1, waiting=1, client=LIGHT, router=router), recorded=False)
    reach(execution, 1)
    execution.act(set_param("router--shard-002", "weight", 1), "test")
    assert resharded(execution) == pytest.approx(expected_s, rel=0.25)
    assert 5_000 <= metric(execution, "router", "moved_rows") < 5_300


def test_a_move_to_a_shard_that_dies_is_rolled_back_by_name_and_goes_on_when_it_is_back() -> None:
    router = {**THROTTLED, "scheme": "directory"}
    execution = Execution(sharded(2, waiting=1, client=LIGHT, router=router), recorded=False)
    auditor = audited(execution)
    reach(execution, 1)
    execution.act(set_param("router--shard-003", "weight", 1), "test")
    reach(execution, 1.05)
    moved = metric(execution, "router", "moved_buckets")
    assert 0 < moved < 21
    execution.act(fault("shard-003", "crash", restart_after_s=5), "test")
    reach(execution, 3)
    assert metric(execution, "router", "rolled_back") == 1
    said = titles(execution)
    assert any(title.startswith("Move of bucket") and title.endswith("to shard-003 rolled back") for title in said)
    # What had moved is not to be had, all else is: no row is on two shards.
    left = metric(execution, "router", "buckets_left")
    assert left == 21 - moved
    resharded(execution)
    assert execution.now_ns > 11 * SECOND
    assert any("has resharded" in title for title in titles(execution))
    assert_nothing_lost(execution, auditor)


def test_a_shard_that_is_taken_away_with_rows_on_it_takes_them_along() -> None:
    execution = reach(Execution(sharded(4, router={"scheme": "directory"}), recorded=False), 1)
    execution.act(without(execution.design, 2), "test")
    before = metric(execution, "router", "offered")
    reach(execution, 3)
    asked = metric(execution, "router", "offered") - before
    assert metric(execution, "router", "nowhere") == pytest.approx(asked / 4, rel=0.15)
    assert any("shard-002 is gone, and rows are on it" in title for title in titles(execution))


def test_a_bucket_moves_by_order_and_stays_there() -> None:
    execution = reach(Execution(sharded(2, router={"scheme": "directory", "buckets": 10}), recorded=False), 1)
    router = execution.model.blocks["router"]
    execution.act(fault("router", "move", bucket=0, shard=1), "test")
    resharded(execution)
    execution.act(set_param("router", "hot_factor", 3), "test")
    assert [router.map.newest().home[bucket] for bucket in range(10)] == [1, 0, 0, 0, 0, 1, 1, 1, 1, 1]
    execution.act(fault("router", "move", bucket=10, shard=1), "test")
    assert "Bucket 10 doesn't move to shard 1" in titles(execution)


def test_split_points_move_the_rows_between_the_old_ones_and_the_new() -> None:
    router = {"scheme": "range", "split_points": "5000"}
    execution = reach(Execution(sharded(2, router=router), recorded=False), 1)
    owner = execution.model.blocks["router"].map.owner
    assert [owner(key) for key in (1, 5_000, 5_001, 10_000, 12_345)] == [0, 0, 1, 1, 1]
    execution.act(set_param("router", "split_points", "8000"), "test")
    resharded(execution)
    assert metric(execution, "router", "moved_percent") == pytest.approx(30, abs=1)
    assert [owner(key) for key in (5_001, 8_000, 8_001)] == [0, 0, 1]


def test_shards_that_declare_different_rows_do_not_exchange_any() -> None:
    drawing = sharded(2, router={"scheme": "directory", "buckets": 12})
    execution = reach(Execution(drawing, recorded=False), 1)
    execution.act(with_a_shard_more(execution.design, 3, 9_999), "test")
    reach(execution, 2)
    told = [(it.title, it.detail) for it in execution.take_notables()]
    assert any("can't move to shard-003" in title and "different numbers of rows" in detail for title, detail in told)
    assert metric(execution, "router", "buckets_left") == 4 and metric(execution, "router", "failed") == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_a_cache_before_the_router_knows_what_is_stale_while_rows_move(seed: int) -> None:
    execution = Execution(sharded(3, client=LIGHT, router=THROTTLED, seed=seed), recorded=False)
    router = execution.model.blocks["router"]
    reach(execution, 1)
    last = {key: router.current_version(key) for key in range(1, 10_001)}
    execution.act(with_a_shard_more(execution.design, 4, 10_000), "test")
    while metric(execution, "router", "buckets_left") > 0:
        execution.advance(execution.now_ns + 20 * MS)
        now = {key: router.current_version(key) for key in range(1, 10_001)}
        assert all(now[key] >= version for key, version in last.items())
        last = now
    assert execution.model.blocks["app"].source() is router
    changed = router.changed_keys()
    assert len(changed) == len(set(changed))


@pytest.mark.parametrize("seed", SEEDS)
def test_pages_by_key_show_every_row_once_while_buckets_are_cut_over(seed: int) -> None:
    # MongoDB filters what a shard gives by the chunks that it had at the version of the table with which it was asked.
    drawing = sharded(
        2,
        rows=5_000,
        waiting=1,
        client={
            "rate_per_s": 60,
            "read_weight": 0,
            "write_weight": 0,
            "list_weight": 1,
            "lists": "walk",
            "walk_pages": 30,
            "walk_gap_s": 0.02,
        },
        router={"buckets": 64, "scheme": "consistent", "moves_at_once": 2, "batch_rows": 100},
        db={"query_mean_ms": 2},
        seed=seed,
    )
    execution = reach(Execution(with_params(drawing, named("app"), pagination="keyset"), recorded=False), 1)
    for turn in range(12):
        execution.act(set_param("router--shard-003", "weight", 1 - turn % 2), "test")
        if turn == 5:
            # The map is made anew in the middle of it, and its older layouts are forgotten.
            execution.act(set_param("router", "buckets", 96), "test")
        reach(execution, execution.now_ns / SECOND + 0.07)
    resharded(execution)
    reach(execution, execution.now_ns / SECOND + 2)
    found = figures(execution, "users")
    assert metric(execution, "router", "moved_buckets") > 100 and found["pages_shown"] > 1_000
    assert found["duplicates"] == found["skips"] == 0
    assert len(execution.model.blocks["router"].map.pasts) <= 1, "what no list needs any more is forgotten"


class Maker(Block):
    """Makes and deletes rows through the router, and notes what it was told: row and version."""

    def __init__(self, simulation: Simulation, index: int, name: str) -> None:
        super().__init__(simulation, index, name)
        self.told: Counter[tuple[int, int]] = Counter()

    def ask(self, operation: int, key: int) -> None:
        self.out["out"][0].call(-1, operation, key, 0, -1, 100, 0)

    def on_reply(self, call: int) -> None:
        assert self.calls.outcome[call] == OK
        self.told[int(self.calls.key[call]), int(self.calls.version[call])] += 1


def test_the_versions_of_a_row_that_was_deleted_are_not_given_again_on_its_new_shard() -> None:
    # Rows that were not there at the start: their new shard has never heard of them.
    drawing = sharded(1, waiting=1, rows=100, client=LIGHT, router={"buckets": 4, "scheme": "hash"})
    execution = Execution(drawing, recorded=False)
    maker = add(execution.model.simulation, Maker, "maker")
    wire(maker, execution.model.blocks["router"])
    made = range(1_000, 1_020)
    for operation in (CREATE, WRITE, DELETE):
        for key in made:
            maker.ask(operation, key)
        reach(execution, execution.now_ns / SECOND + 1)
    execution.act(set_param("router--shard-002", "weight", 1), "test")
    resharded(execution)
    moved = [key for key in made if execution.model.blocks["router"].map.owner(key) == 1]
    assert len(moved) > 5
    for key in made:
        maker.ask(CREATE, key)
    reach(execution, execution.now_ns / SECOND + 1)
    assert len(maker.told) == 4 * len(made) and set(maker.told.values()) == {1}, "a version names one write"
    assert all(execution.model.blocks["router"].row_version(key) == 5 for key in made)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_shard_without_weight_may_come_while_buckets_are_cut_anew(scheme: str) -> None:
    router = {"scheme": scheme, "buckets": 8, "move_rows_per_s": 1_000, "batch_rows": 50}
    execution = Execution(sharded(2, rows=10_000, client=LIGHT, router=router), recorded=False)
    auditor = audited(execution)
    reach(execution, 1)
    execution.act(set_param("router", "buckets", 13), "test")
    reach(execution, 1.1)
    assert metric(execution, "router", "buckets_left") > 0
    execution.act(with_a_shard_more(execution.design, 3, 10_000, weight=0), "test")
    resharded(execution)
    assert metric(execution, "shard-003", "commits") == 0
    assert_nothing_lost(execution, auditor)


@pytest.mark.parametrize("seed", range(4))
def test_what_a_shard_takes_that_begins_anew_while_its_rows_move_goes_with_them(seed: int) -> None:
    # Another dialect makes another database of it. What it had is gone, and so is what of that was on the new shard already.
    router = {**THROTTLED, "scheme": "directory"}
    execution = Execution(sharded(2, waiting=1, client=LIGHT, router=router, seed=seed), recorded=False)
    auditor = audited(execution)
    reach(execution, 0.5)
    execution.act(set_param("router--shard-003", "weight", 1), "test")
    reach(execution, 0.52 + 0.02 * seed)
    execution.act(set_param("shard-001", "dialect", "mysql"), "test")
    assert metric(execution, "router", "buckets_left") > 5
    known = execution.model.blocks["router"]
    auditor.known.clear()
    resharded(execution)
    auditor.running = False
    reach(execution, execution.now_ns / SECOND + 1)
    behind = {key for key, version in auditor.known.items() if known.row_version(key) < version}
    assert behind == set() and len(auditor.known) > 300


@pytest.mark.parametrize("scheme", ["hash", "consistent", "directory"])
def test_rows_of_a_shard_that_is_cut_off_wait_for_it_however_few_there_are_in_a_bucket(scheme: str) -> None:
    # 200 buckets of 300 rows: of each, a quarter of 1.5 rows is at the shard that can't be asked.
    drawing = sharded(4, rows=300, client={**LIGHT, "keys": 300}, router={"scheme": scheme, "buckets": 40})
    execution = Execution(drawing, recorded=False)
    auditor = audited(execution, keys=300)
    reach(execution, 1)
    router = execution.model.blocks["router"]
    there = [key for key in range(1, 301) if router.map.owner(key) == 3]
    whole = execution.design.model_dump(by_alias=True)
    drawn = {**whole, "edges": [it for it in whole["edges"] if it["id"] != "router--shard-004"]}
    execution.act(EditDesign(design=parse_design(drawn)), "test")
    execution.act(set_param("router", "buckets", 200), "test")
    reach(execution, 3)
    assert len(there) > 20 and {router.map.owner(key) for key in there} == {3}
    drawn = {**drawn, "edges": whole["edges"]}
    drawn["blocks"] = execution.design.model_dump(by_alias=True)["blocks"]
    execution.act(EditDesign(design=parse_design(drawn)), "test")
    resharded(execution)
    assert_nothing_lost(execution, auditor)
