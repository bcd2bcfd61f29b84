"""A cache in front of a store that has lost what the cache still serves: each such hit is stale, and those ahead of the store are not."""

from __future__ import annotations

import pytest

from playground.execution import Execution
from playground.protocol.catalogue import Scalar
from tests.laws.shards import reach
from tests.sketch import Shape, block, edge, fault, metric, scenario, set_param

QUICK: dict[str, Scalar] = {
    "lease_ttl_s": 1.0,
    "loop_wait_s": 0.2,
    "retry_timeout_s": 0.2,
    "promote_s": 0.1,
    "rewind_s": 0.2,
}


def cached(store: Shape, cache: dict[str, Scalar] | None = None, app: dict[str, Scalar] | None = None) -> Execution:
    """Twenty items, read and written, all of them in a cache for ten minutes."""
    users: dict[str, Scalar] = {"keys": 20, "key_choice": "uniform", "read_weight": 3, "write_weight": 1}
    blocks = [
        block("users", "client", rate_per_s=400, **users),
        block("app", "app_server", **{"before_mean_ms": 0, "after_write": "update", **(app or {})}),
        block("cache", "cache", ttl_s=600, **(cache or {})),
        store,
    ]
    edges = [
        edge("users", "app"),
        edge("app", "cache", "cache"),
        edge("app", "store", "store"),
        edge("cache", "store", "store"),
    ]
    return Execution(scenario(blocks, edges, until_s=60), recorded=False)


def hits(execution: Execution, from_s: float, to_s: float) -> tuple[float, float]:
    """Stale hits and all hits of an interval without writes."""
    reach(execution, from_s)
    before = [metric(execution, "cache", name) for name in ("stale_served", "hits")]
    reach(execution, to_s)
    stale, served = (metric(execution, "cache", name) for name in ("stale_served", "hits"))
    assert served - before[1] > 300
    return stale - before[0], served - before[1]


def held(execution: Execution) -> list[int]:
    """What the cache has of each item that the store has otherwise."""
    items, store = execution.model.blocks["cache"].nodes[0].items, execution.model.blocks["store"]
    found = {key: int(items.version[items.find(key)]) for key in range(1, 21) if items.find(key) >= 0}
    return [key for key, version in found.items() if version != store.current_version(key)]


def test_a_version_that_a_failover_has_lost_is_stale_as_long_as_it_is_served() -> None:
    execution = cached(block("store", "sql_database", instances=2, rows=20, ship_mean_ms=400, **QUICK))
    reach(execution, 5)
    execution.act(fault("store", "crash_leader", restart_after_s=None), "test")
    execution.act(set_param("users", "write_weight", 0), "test")
    stale, served = hits(execution, 10, 20)
    assert metric(execution, "store", "lost_writes") > 100 and len(held(execution)) == 20
    assert stale == served


@pytest.mark.parametrize("kind", ["sql_database", "quorum_store"])
def test_a_version_of_a_store_that_began_anew_is_stale(kind: str) -> None:
    execution = cached(block("store", kind, instances=5 if kind == "quorum_store" else 1))
    reach(execution, 5)
    param, value = ("instances", 4) if kind == "quorum_store" else ("warm", False)
    execution.act(set_param("store", param, value), "test")
    execution.act(set_param("users", "write_weight", 0), "test")
    stale, served = hits(execution, 6, 8)
    assert len(held(execution)) == 20 and stale == served


def test_a_version_that_waits_for_its_store_is_not_stale() -> None:
    behind: dict[str, Scalar] = {"write_policy": "behind", "flush_every_ms": 1_000}
    execution = cached(block("store", "sql_database", rows=20), behind, {"writes": "cache"})
    stale, served = hits(execution, 1, 20)
    assert served > 5_000 and stale == 0


def test_what_waits_for_its_commit_may_come_and_what_nobody_began_or_was_lost_may_not() -> None:
    store = block("store", "sql_database", rows=20, commit_mean_ms=200, synchronous_commit="on", **QUICK)
    execution = cached(store)
    reach(execution, 5)
    db = execution.model.blocks["store"]
    rows = db.rows
    waiting = {
        int(rows.versions.key[entry]): int(rows.latest[entry])
        for entry in range(rows.versions.index.size)
        if rows.latest[entry] > rows.versions.version[entry] > 0
    }
    assert len(waiting) > 3
    for key, version in waiting.items():
        assert db.current_version(key) < version
        assert db.may_come(key, version) and not db.may_come(key, version + 1)
    execution.act(fault("store", "crash", restart_after_s=10.0), "test")
    assert not any(db.may_come(key, version) for key, version in waiting.items())


def test_a_write_of_a_quorum_store_that_failed_in_part_is_no_stale_one() -> None:
    # W = 3, and one of three nodes is gone: writes fail, are on two nodes all the same, and reads see them.
    execution = cached(
        block("store", "quorum_store", instances=3, write_quorum=3, keys=20), app={"after_write": "invalidate"}
    )
    reach(execution, 5)
    execution.act(fault("store", "crash", instance=0, restart_after_s=None), "test")
    reach(execution, 10)
    execution.act(set_param("users", "write_weight", 0), "test")
    stale, _ = hits(execution, 11, 15)
    assert metric(execution, "store", "partial_writes") > 0
    assert stale == 0
