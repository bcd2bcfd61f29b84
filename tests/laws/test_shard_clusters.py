"""Shards that are clusters: leaders die while rows move and an index reads along. No row is lost or doubled, and the index catches up.

A move is cut over when what it copied is safe on all replicas that follow, on both sides (as in Vitess' SwitchTraffic); rows that a
new shard's failover took away are copied again (VReplication keeps its position in the same transaction as the rows); what a reader of the
log had read past the point of a failover is taken back.
"""

from __future__ import annotations

import pytest
from librt.vecs import vec
from mypy_extensions import i64

from playground.blocks.search_index.index import Index
from playground.engine.changes import ChangeLog
from playground.execution import Execution
from playground.protocol.design import Scenario
from tests.laws.shards import QUICK, Auditor, Params, assert_nothing_lost, audited, reach, resharded, sharded
from tests.laws.test_search import searched
from tests.sketch import SECOND, block, edge, fault, metric, scenario, set_param

ROWS = 10_000
FAILOVER: Params = {
    "instances": 3,
    "ship_mean_ms": 20.0,
    "ship_distribution": "exponential",
    "lease_ttl_s": 1.0,
    "loop_wait_s": 0.2,
    "retry_timeout_s": 0.2,
    "promote_s": 0.1,
    "rewind_s": 0.2,
}
SYNCHRONOUS: Params = {**FAILOVER, "sync_replicas": 1}
SLOW_MOVE: Params = {"buckets": 64, "move_rows_per_s": 2_500, "batch_rows": 50, "moves_at_once": 3, "scheme": "hash"}
SEEDS = range(1, 9)


def clusters(db: Params, seed: int, until_s: float = 200.0) -> Scenario:
    """Three shards, and a fourth one without a weight; an index that reads all four logs."""
    drawn = sharded(3, waiting=1, rows=ROWS, client={"rate_per_s": 50, "write_weight": 0}, router=SLOW_MOVE, db=db)
    drawing = drawn.design.model_dump(by_alias=True)
    drawing["blocks"].append(block("search", "search_index", threads=100, poll_ms=5, refresh_ms=200))
    drawing["edges"].append(edge("app", "search", "search", **QUICK))
    for number in range(1, 5):
        name = f"shard-{number:03}"
        made = edge("search", name, "changes", **QUICK)
        drawing["edges"].append({**made, "to": {"block": name, "port": "log"}})
    return scenario(drawing["blocks"], drawing["edges"], seed=seed, until_s=until_s)


def shards(execution: Execution) -> list:  # type: ignore[type-arg]
    return [execution.model.blocks[f"shard-{number:03}"] for number in range(1, 5)]


def resharded_while_leaders_die(db: Params, seed: int) -> tuple[Execution, Auditor]:
    """The fourth shard gets its part. Meanwhile the leaders of two old shards and, twice, that of the new one die, and come back."""
    execution = Execution(clusters(db, seed), recorded=False)
    auditor = audited(execution, with_deletions=seed % 2 == 0)
    reach(execution, 0.5)
    execution.act(set_param("router--shard-004", "weight", 1), "test")
    for moment, name in ((0.7, "shard-001"), (0.9, "shard-004"), (13.0, "shard-004"), (15.0, "shard-002")):
        # Not at the same point of a batch in every seed.
        reach(execution, moment + 0.013 * seed)
        execution.act(fault(name, "crash_leader", restart_after_s=3.0), "test")
    resharded(execution)
    return execution, auditor


def assert_the_index_shows_the_truth(execution: Execution) -> None:
    items: Index = execution.model.blocks["search"].items
    router = execution.model.blocks["router"]
    assert items.index.size > 400 and items.differing == 0
    for entry in range(items.index.size):
        key = items.key[entry]
        assert max(items.shown[entry], 0) == max(router.row_version(key), 0), f"item {key}"


@pytest.mark.parametrize("seed", SEEDS)
def test_with_synchronous_commit_nothing_is_lost_or_doubled_and_no_read_goes_back(seed: int) -> None:
    execution, auditor = resharded_while_leaders_die(SYNCHRONOUS, seed)
    assert_nothing_lost(execution, auditor)
    assert sum(it.lost.total for it in shards(execution)) == 0
    assert all(it.timeline > 1 for it in shards(execution) if it.name != "shard-003")
    assert metric(execution, "router", "rolled_back") > 0, "a move fails as long as there is no leader"
    assert metric(execution, "router", "orphaned") == 0
    assert_the_index_shows_the_truth(execution)


def lost_in_a_failover(seed: int) -> tuple[int, int]:
    """Without synchronous commit: acknowledged writes that are lost, and how often a shard's log lost its end."""
    execution, auditor = resharded_while_leaders_die(FAILOVER, seed)
    auditor.running = False
    reach(execution, execution.now_ns / SECOND + 5)
    router = execution.model.blocks["router"]
    behind = {key for key, version in auditor.known.items() if abs(router.row_version(key)) < version}
    told = {row["key"] for it in shards(execution) for row in it.detail().get("latest_lost_writes", [])}
    lost = sum(it.lost.total for it in shards(execution))
    assert lost <= 20 or behind <= told, "only what a failover takes is gone, and it is told"
    assert len(behind) <= lost
    # Each acknowledged write made one version, those that were lost as well: none was made twice.
    for key in range(1, auditor.keys + 1):
        made = max(abs(router.row_version(key)), auditor.known.get(key, 1)) - 1
        low = auditor.acknowledged[key]
        assert low <= made <= low + auditor.failed_writes[key], f"key {key}: {made} versions, {low} acknowledged"
    assert_the_index_shows_the_truth(execution)
    return lost, sum(it.cuts for it in shards(execution))


@pytest.mark.parametrize("first", [1, 5])
def test_without_it_only_what_a_failover_takes_is_lost_and_the_index_takes_it_back(first: int) -> None:
    found = [lost_in_a_failover(seed) for seed in range(first, first + 4)]
    assert sum(lost for lost, _ in found) > 3
    assert all(cuts > 0 for _, cuts in found)


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_what_an_index_had_read_past_the_point_of_a_failover_is_taken_back(seed: int) -> None:
    db: Params = {**FAILOVER, "ship_mean_ms": 200.0, "ship_distribution": "constant"}
    drawing = searched(writes_per_s=100, search={"terms": 100, "refresh_ms": 20}, db=db, seed=seed)
    execution = reach(Execution(drawing, recorded=False), 5)
    # Nothing is written after the crash, so nothing covers up what is lost.
    execution.act(set_param("writers", "rate_per_s", 0.001), "test")
    reach(execution, 5.1)
    items: Index = execution.model.blocks["search"].items
    store = execution.model.blocks["db"]
    execution.act(fault("db", "crash_leader"), "test")
    reach(execution, 5.2)
    shown = [int(version) for version in items.shown]
    reach(execution, 15)
    assert store.lost.total > 5 and store.timeline == 2
    gone = [entry for entry in range(items.index.size) if shown[entry] > max(store.row_version(items.key[entry]), 0)]
    assert len(gone) > 5, "it had shown what is lost"
    assert items.differing == 0
    for entry in range(items.index.size):
        assert items.shown[entry] == store.row_version(items.key[entry])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_rows_that_a_new_shard_was_given_and_lost_in_a_crash_are_given_again(seed: int) -> None:
    # A flush takes 100 ms, so a crash takes what was given since the last one; the move itself goes on after one failed step.
    slow: Params = {"commit_mean_ms": 100.0, "commit_distribution": "constant"}
    router: Params = {"buckets": 4, "scheme": "hash", "batch_rows": 1_000}
    drawing = sharded(
        1, waiting=1, rows=100, client={"rate_per_s": 50, "write_weight": 0}, router=router, db=slow, seed=seed
    )
    execution = Execution(drawing, recorded=False)
    auditor = audited(execution, keys=100)
    reach(execution, 2)
    auditor.running = False
    reach(execution, 3)
    execution.act(set_param("router--shard-002", "weight", 1), "test")
    new = execution.model.blocks["shard-002"]
    while new.log.end == 0:
        reach(execution, execution.now_ns / SECOND + 0.001)
    execution.act(fault("shard-002", "crash", restart_after_s=0.02), "test")
    assert new.cuts == 1 and new.log.end == 0
    resharded(execution)
    assert metric(execution, "router", "rolled_back") == 0
    assert metric(execution, "router", "moved_percent") == 50
    assert_nothing_lost(execution, auditor)


def test_an_entry_that_takes_a_version_back_counts_only_where_that_version_stands() -> None:
    log = ChangeLog()
    items = Index()
    items.first_keys = 10
    log.open()
    for key, version, undone in (
        (1, 2, 0),
        (1, 3, 0),
        (1, 2, 3),
        (1, 1, 2),
        (2, 5, 0),
        (2, 3, 4),
        (11, 2, 0),
        (11, -1, 2),
    ):
        log.add(key, version, 0, undone)
    for position in range(log.start, log.end):
        items.observe(log.key_at(position), log.version_at(position), log.undone_at(position))
        items.show(log.key_at(position), log.version_at(position), log.undone_at(position))
    assert [int(items.true[items.entry_of(key)]) for key in (1, 2, 11)] == [1, 5, -1]
    assert items.differing == 0


def test_a_taken_row_is_a_record_as_any_other_and_its_versions_are_given_to_nobody_else() -> None:
    execution = reach(Execution(clusters(FAILOVER, 1), recorded=False), 0.1)
    db = execution.model.blocks["shard-004"]
    assert db.take_row(7, 5, 1_000, 9, vec[i64](), 2 * (11 + 1) + 1)
    assert db.row_version(7) == 1 and not db.secure(db.log_position()), "it is not flushed yet"
    reach(execution, 1.0)
    assert db.row_version(7) == 5 and db.written_at(7) == 1_000 and db.issued_version(7) == 9
    assert db.secure(db.log_position())
    assert all(int(node.applied) == db.log.end for node in db.nodes)
    # It may become older again: where it came from, a failover took its last version back.
    assert db.take_row(7, 4, 900, 9, vec[i64](), 2 * (11 + 1) + 1)
    reach(execution, 2.0)
    assert db.row_version(7) == 4 and metric(execution, "shard-004", "commits") == 0
    execution.act(fault("shard-004", "crash", restart_after_s=60.0), "test")
    assert not db.take_row(7, 6, 2_000, 9, vec[i64](), 2 * (11 + 1) + 1), "nobody is there who could take it"


def moved_to_a_leader_that_is_cut_off(seed: int, partition_s: float) -> tuple[Execution, Auditor]:
    """The new shard's leader has been cut off from its replicas just now, with all its callers on its side, when rows are to move there."""
    execution = Execution(clusters({**FAILOVER, "fencing": False, "lease_ttl_s": 8.0}, seed), recorded=False)
    auditor = audited(execution, with_deletions=seed % 2 == 0)
    reach(execution, 1.0)
    # Something in every bucket has been written by now: those without may be cut over.
    auditor.every_ns = 4_000_000
    execution.act(fault("shard-004", "partition", instance=0, callers="all", duration_s=partition_s), "test")
    execution.act(set_param("router", "move_rows_per_s", 100_000), "test")
    execution.act(set_param("router--shard-004", "weight", 1), "test")
    return execution, auditor


@pytest.mark.parametrize("seed", SEEDS[:2])
def test_rows_are_not_cut_over_to_a_leader_whose_replicas_lack_them(seed: int) -> None:
    execution, auditor = moved_to_a_leader_that_is_cut_off(seed, 15.0)
    reach(execution, 7.0)
    assert shards(execution)[3].rows_taken > 20
    router = execution.model.blocks["router"]
    assert all(router.truth(key).name != "shard-004" for key in range(1, ROWS + 1))
    said = [it.detail for it in execution.take_notables() if it.kind == "move_rolled_back"]
    resharded(execution)
    assert said and all("too few nodes of shard-004 have them" in text for text in said)
    assert_nothing_lost(execution, auditor)
    assert shards(execution)[3].timeline > 1 and sum(it.lost.total for it in shards(execution)) == 0


@pytest.mark.parametrize("seed", [1, 4])
def test_a_version_names_one_write_over_a_split_brain_and_a_reshard(seed: int) -> None:
    """What a leader of old gave on its own branch is given by nobody else, though the row moves on without that write."""
    execution = Execution(clusters({**FAILOVER, "fencing": False}, seed), recorded=False)
    audited(execution)
    reach(execution, 0.5)
    execution.act(set_param("router--shard-004", "weight", 1), "test")
    reach(execution, 0.7)
    for name in ("shard-001", "shard-002"):
        execution.act(fault(name, "partition", instance=0, callers="all", duration_s=12.0), "test")
    router, given = execution.model.blocks["router"], shards(execution)
    moved = set()
    while metric(execution, "router", "buckets_left") > 0:
        # Looked at often: as soon as the new shard has given so many itself, nobody can see any more that it gave some twice.
        reach(execution, execution.now_ns / SECOND + 0.05)
        for shard in given[:3]:
            for key in {int(key) for key in shard.strayed_keys(0)}:
                serving = router.truth(key)
                assert serving.issued_version(key) >= shard.issued_version(key), f"row {key} of {shard.name}"
                if serving is given[3]:
                    moved.add(key)
    assert len(moved) > 20 and sum(metric(execution, it.name, "split_brain_writes") for it in given) > 50


def served_anew(by: int) -> Execution:
    """A shard that has taken a row over, and whose two replicas have not heard of it."""
    execution = reach(Execution(clusters(FAILOVER, 1), recorded=False), 0.1)
    for number in (1, 2):
        execution.act(fault("shard-004", "partition", instance=number, callers="none", duration_s=60.0), "test")
    db = shards(execution)[3]
    assert db.take_row(7, 5, 1_000, 9, vec[i64](), by)
    return reach(execution, 0.3)


@pytest.mark.parametrize(("told", "served", "lost"), [(1, True, 1), (0, True, 0), (1, False, 0)])
def test_a_copied_row_that_is_lost_is_counted_where_it_was_acknowledged_and_served(
    told: int, served: bool, lost: int
) -> None:
    execution = served_anew(2 * (11 + 1) + told)
    db = shards(execution)[3]
    if served:
        db.serve_rows(vec[i64]([7]), db.log_position())
    execution.act(fault("shard-004", "crash_leader", restart_after_s=90.0), "test")
    reach(execution, 70.0)
    assert db.timeline > 1 and db.row_version(7) == 1
    assert db.lost.total == metric(execution, "shard-004", "lost_writes") == lost
    told_of = [(row["key"], row["version"], row["user"]) for row in db.detail().get("latest_lost_writes", [])]
    assert told_of == [(7, 5, 11)] * lost


def test_what_another_shard_serves_by_now_is_not_lost_with_the_old_ones_log() -> None:
    execution = served_anew(2 * (11 + 1) + 1)
    db = shards(execution)[3]
    db.serve_rows(vec[i64]([7]), db.log_position())
    db.leave_rows(vec[i64]([7]))
    execution.act(fault("shard-004", "crash_leader", restart_after_s=90.0), "test")
    reach(execution, 70.0)
    assert db.row_version(7) == 1 and db.lost.total == 0
