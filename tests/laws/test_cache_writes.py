"""Writes around, through and behind a cache: what is stale, what is gathered, and what a crash loses."""

from __future__ import annotations

import pytest

from playground.engine.outcomes import ABSENT
from playground.execution import Execution
from playground.protocol.catalogue import Scalar
from playground.protocol.design import Scenario
from tests.laws.caches import INSTANT, Params, counted, reach, shop
from tests.sketch import Shape, at, block, edge, fault, in_use, metric, named, run, set_param, unaccounted, with_params

STORE = edge("cache", "db", "store", **INSTANT)


def written(
    cache: Params, *, rate_per_s: float = 200, keys: int = 100, seed: int = 1, until_s: float = 10.0
) -> Scenario:
    """Half of all requests write, all through the cache."""
    return shop(
        rate_per_s=rate_per_s,
        query_ms=1,
        client={"write_weight": 100, "keys": keys, "key_choice": "uniform"},
        app={"writes": "cache"},
        cache={"capacity": 1_000, **cache},
        wires=[STORE],
        seed=seed,
        until_s=until_s,
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_write_through_is_acknowledged_when_the_store_has_it_and_never_stale(seed: int) -> None:
    execution = run(written({"write_policy": "through"}, seed=seed))
    assert counted(execution, "writes") == pytest.approx(1_000, rel=0.15)
    assert counted(execution, "commits", "db") == counted(execution, "writes")
    assert counted(execution, "stale_served") == counted(execution, "unwritten") == 0
    # It takes as long as the statement in the store.
    assert metric(execution, "users", "recent_p99_ms") >= 1.0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_write_behind_is_acknowledged_at_once_and_gathers_writes_of_one_key(seed: int) -> None:
    # 100 writes/s to one key, flushed every second: one write a second reaches the store.
    execution = run(written({"write_policy": "behind", "flush_every_ms": 1_000}, keys=1, seed=seed))
    writes = counted(execution, "writes")
    assert writes == pytest.approx(1_000, rel=0.15)
    assert 8 <= counted(execution, "commits", "db") <= 10
    assert counted(execution, "coalesced") == writes - counted(execution, "flushed") - counted(execution, "unwritten")
    assert counted(execution, "stale_served") == 0, "what is held is ahead of the store, not behind it"
    assert execution.model.blocks["users"].histogram.percentile(0.9) < 10_000


def promised_and_dirty(execution: Execution) -> tuple[dict[int, int], set[int]]:
    """The version that was acknowledged last, by key; and the keys that the store has not been sent."""
    cache = execution.model.blocks["cache"]
    promised = cache.promised
    versions = {key: int(promised.version[promised.find(key)]) for key in promised.in_order()}
    return versions, set(cache.nodes[0].dirty.in_order())


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_crash_of_a_write_behind_cache_loses_exactly_the_dirty_keys(seed: int) -> None:
    drawing = written({"write_policy": "behind", "flush_every_ms": 1_000, "flush_batch": 30}, seed=seed)
    execution = reach(Execution(drawing, recorded=False), 2.5)
    versions, dirty = promised_and_dirty(execution)
    assert 20 < len(dirty) == counted(execution, "unwritten") < len(versions)
    execution.act(fault("cache", "crash", restart_after_s=600), "test")
    execution.act(set_param("users", "rate_per_s", 0.001), "test")
    reach(execution, 4)
    assert counted(execution, "lost_writes") == len(dirty)
    assert counted(execution, "unwritten") == 0
    (noted,) = [it for it in execution.take_notables() if it.kind == "lost_writes"]
    assert noted.title == f"{len(dirty)} writes lost at cache"
    # Writes that went past the dead cache came later than those.
    store = execution.model.blocks["db"]
    lost = {key for key, version in versions.items() if store.current_version(key) < version}
    assert lost <= dirty
    assert len(lost) > 0.8 * len(dirty)
    assert unaccounted(execution) == []


def test_without_a_crash_everything_that_was_acknowledged_reaches_the_store() -> None:
    drawing = written({"write_policy": "behind", "flush_every_ms": 300, "flush_batch": 10})
    execution = reach(Execution(drawing, recorded=False), 5)
    execution.act(set_param("users", "rate_per_s", 0.001), "test")
    reach(execution, 10)
    versions, dirty = promised_and_dirty(execution)
    assert len(versions) == 100 and not dirty
    store = execution.model.blocks["db"]
    assert {key: int(store.current_version(key)) for key in versions} == versions
    assert counted(execution, "lost_writes") == 0


@pytest.mark.parametrize("seed", [1, 2])
def test_writes_behind_are_tried_again_while_the_store_is_down(seed: int) -> None:
    drawing = written({"write_policy": "behind", "flush_every_ms": 200}, seed=seed)
    execution = reach(Execution(drawing, recorded=False), 2)
    execution.act(fault("db", "crash", restart_after_s=3), "test")
    reach(execution, 4)
    assert counted(execution, "unwritten") > 50
    execution.act(set_param("users", "rate_per_s", 0.001), "test")
    reach(execution, 9)
    versions, dirty = promised_and_dirty(execution)
    assert not dirty and counted(execution, "lost_writes") == 0
    store = execution.model.blocks["db"]
    assert {key: int(store.current_version(key)) for key in versions} == versions


def test_an_unwritten_item_that_is_thrown_out_is_still_served_as_it_was_written() -> None:
    drawing = written({"write_policy": "behind", "flush_every_ms": 2_000, "capacity": 5, "flush_batch": 1_000})
    execution = run(drawing)
    assert counted(execution, "evicted") > 100
    assert counted(execution, "stale_served") == 0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_purchase_past_a_cache_that_writes_behind_loses_no_write(seed: int) -> None:
    # It goes to the store and invalidates: what the store was not sent yet is sent then, as Hazelcast does before it evicts.
    drawing = written({"write_policy": "behind", "flush_every_ms": 5_000, "flush_batch": 1_000}, keys=20, seed=seed)
    buying = with_params(drawing, named("users"), buy_weight=50)
    execution = reach(Execution(buying, recorded=False), 4.9)
    # Before the first flush is due.
    flushed = counted(execution, "flushed")
    assert flushed > 50
    execution.act(set_param("users", "rate_per_s", 0.001), "test")
    reach(execution, 12)
    versions, dirty = promised_and_dirty(execution)
    assert not dirty and counted(execution, "lost_writes") == 0
    store = execution.model.blocks["db"]
    assert all(store.current_version(key) >= version for key, version in versions.items())
    assert counted(execution, "writes") == counted(execution, "coalesced") + counted(execution, "flushed")


def test_the_unwritten_value_of_a_deleted_item_does_not_overwrite_one_that_is_made_anew() -> None:
    drawing = written({"write_policy": "behind", "flush_every_ms": 3_000}, keys=1)
    execution = reach(Execution(drawing, recorded=False), 1)
    for weight, value in (("delete_weight", 100), ("write_weight", 0), ("read_weight", 0)):
        execution.act(set_param("users", weight, value), "test")
    reach(execution, 1.5)
    store = execution.model.blocks["db"]
    assert store.current_version(1) == ABSENT
    assert counted(execution, "lost_writes") == 1 and counted(execution, "unwritten") == 0
    # Somebody makes it anew before the flush is due.
    execution.act(set_param("users", "rate_per_s", 0.001), "test")
    made = store.rows.versions.write(1, execution.model.simulation.now)
    reach(execution, 9)
    assert store.current_version(1) == made
    assert counted(execution, "flushed") == 0


# ---- the server's own write-behind, by way of a queue


def queued(*, seed: int = 1, queue: Params | None = None, workers: int = 1) -> Scenario:
    more: list[Shape] = [
        block("jobs", "queue", **{"store_distribution": "constant", **(queue or {})}),
        block("writer", "worker", workers=workers, work_mean_ms=2, work_distribution="constant"),
    ]
    wires = [
        edge("app", "jobs", "queue", **INSTANT),
        edge("jobs", "writer", "workers", **INSTANT),
        edge("writer", "db", "store", **INSTANT),
    ]
    return shop(
        rate_per_s=200,
        query_ms=0.1,
        client={"write_weight": 100, "keys": 20, "key_choice": "uniform"},
        app={"writes": "queue"},
        cache={"capacity": 100, "warm_keys": 20},
        more=more,
        wires=wires,
        seed=seed,
        until_s=20,
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_queued_write_is_seen_in_the_cache_at_once_and_in_the_store_when_its_job_is_done(seed: int) -> None:
    execution = reach(Execution(queued(seed=seed), recorded=False), 10)
    assert counted(execution, "queued_writes", "app") == pytest.approx(1_000, rel=0.15)
    assert counted(execution, "stale_served") == 0
    execution.act(set_param("users", "rate_per_s", 0.001), "test")
    reach(execution, 15)
    items = execution.model.blocks["cache"].nodes[0].items
    store = execution.model.blocks["db"]
    # The queue keeps its order and one worker takes one job after the other, so the last one promised is the last one committed.
    for key in range(1, 21):
        assert items.version[items.find(key)] == store.current_version(key) > 1


def test_a_write_that_the_queue_does_not_take_fails_and_its_version_is_taken_back() -> None:
    drawing = queued(queue={"length_max": 5, "when_full": "reject"})
    paused = drawing.model_copy(update={"interventions": [at(2, fault("writer", "crash"))]})
    execution = reach(Execution(paused, recorded=False), 6)
    assert counted(execution, "failed", "app") > 100
    items = execution.model.blocks["cache"].nodes[0].items
    store = execution.model.blocks["db"]
    ahead = [
        key
        for key in range(1, 21)
        if (entry := items.find(key)) >= 0 and items.version[entry] > store.current_version(key)
    ]
    assert len(ahead) <= 10, "those that wait in the queue, or are with a worker"


# ---- the cache's write-behind, by way of a queue whose workers tell the same cache


def round_trip(*, seed: int = 1, stored: bool = True, **worker: Scalar) -> Scenario:
    wires = [
        edge("cache", "jobs", "queue", **INSTANT),
        edge("jobs", "writer", "workers", **INSTANT),
        edge("writer", "cache", "cache", **INSTANT),
        *([edge("writer", "db", "store", **INSTANT)] if stored else []),
    ]
    return shop(
        rate_per_s=200,
        query_ms=0.1,
        client={"write_weight": 100, "keys": 50, "key_choice": "uniform"},
        app={"writes": "cache"},
        cache={"capacity": 20, "warm_keys": 20, "write_policy": "behind", "flush_every_ms": 200},
        more=[block("jobs", "queue"), block("writer", "worker", work_mean_ms=2, **worker)],
        wires=wires,
        seed=seed,
        until_s=40,
    )


@pytest.mark.parametrize("after_write", ["invalidate", "update", "nothing"])
@pytest.mark.parametrize("seed", [1, 2])
def test_what_workers_tell_the_cache_that_they_write_for_begets_no_further_write(after_write: str, seed: int) -> None:
    execution = reach(Execution(round_trip(seed=seed, after_write=after_write), recorded=False), 10)
    execution.act(set_param("users", "rate_per_s", 0.001), "test")
    reach(execution, 20)
    written_once = counted(execution, "accepted", "jobs")
    events = int(execution.model.simulation.events)
    versions, dirty = promised_and_dirty(execution)
    store = execution.model.blocks["db"]
    assert not dirty and len(versions) == 50
    assert all(store.current_version(key) >= version for key, version in versions.items())
    # Each message is a write of a user's, or several of them gathered: none is made by a worker's own call.
    assert written_once == counted(execution, "writes") - counted(execution, "coalesced")
    assert counted(execution, "acknowledged", "jobs") == counted(execution, "written", "writer") == written_once
    reach(execution, 40)
    assert counted(execution, "accepted", "jobs") <= written_once + 1
    assert int(execution.model.simulation.events) - events < 100, "nothing goes round"
    assert unaccounted(execution) == []


def test_who_looks_for_the_store_comes_by_a_worker_that_leads_back_to_the_cache_once() -> None:
    # The cache writes nothing behind, or its queue's worker would need a store; the wires lead round all the same.
    around = with_params(round_trip(stored=False), named("cache"), write_policy="around")
    around = with_params(around, named("app"), writes="store")
    execution = reach(Execution(around, recorded=False), 5)
    assert counted(execution, "done", "writer") == 0
    assert counted(execution, "commits", "db") > 100
    assert execution.model.blocks["cache"].source() is execution.model.blocks["db"]
    assert unaccounted(execution) == []


def test_an_item_that_is_deleted_is_gone_from_cache_and_store() -> None:
    drawing = shop(
        rate_per_s=300,
        query_ms=1,
        client={"delete_weight": 20, "keys": 50, "key_choice": "uniform"},
        cache={"capacity": 100, "warm_keys": 50},
        until_s=20,
    )
    execution = run(drawing)
    store = execution.model.blocks["db"]
    assert all(store.current_version(key) == ABSENT for key in range(1, 51))
    assert counted(execution, "deleted", "db") == 50
    assert metric(execution, "cache", "keys") == 0
    assert in_use(execution) < 10
