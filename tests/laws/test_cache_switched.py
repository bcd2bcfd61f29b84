"""A cache that writes behind is changed while it runs: what it has acknowledged is neither lost, nor read older than it was written."""

from __future__ import annotations

import pytest

from playground.execution import Execution
from playground.protocol.catalogue import Scalar
from playground.protocol.design import Action, Scenario
from tests.laws.caches import INSTANT, counted, reach, shop
from tests.sketch import edge, fault, set_param, unaccounted

STORE = edge("cache", "db", "store", **INSTANT)
SEEDS = pytest.mark.parametrize("seed", [1, 2, 3])
MODES = pytest.mark.parametrize("mode", ["look_aside", "read_through"])


def behind(seed: int, mode: str, query_ms: float = 5.0, **cache: Scalar) -> Scenario:
    """400 reads and as many writes a second of 300 items, of which a cache that writes behind holds 60."""
    return shop(
        rate_per_s=800,
        query_ms=query_ms,
        client={"write_weight": 100, "keys": 300, "key_choice": "uniform"},
        app={"writes": "cache"},
        cache={
            "capacity": 60,
            "mode": mode,
            "write_policy": "behind",
            "flush_every_ms": 500,
            "flush_batch": 100,
            **cache,
        },
        wires=[STORE],
        seed=seed,
        until_s=12.0,
    )


def ended(execution: Execution) -> Execution:
    """Let the last writes go out."""
    execution.act(set_param("users", "rate_per_s", 0.001), "test")
    return reach(execution, 12.0)


def acknowledged(execution: Execution) -> dict[int, int]:
    """The version that was promised last, by key."""
    promised = execution.model.blocks["cache"].promised
    return {key: int(promised.version[promised.find(key)]) for key in promised.in_order()}


def unwritten(execution: Execution) -> int:
    return sum(int(node.dirty.size + node.flushing.size) for node in execution.model.blocks["cache"].nodes)


def missing(execution: Execution) -> set[int]:
    """Keys whose last acknowledged version the store does not have."""
    store = execution.model.blocks["db"]
    return {key for key, version in acknowledged(execution).items() if store.current_version(key) < version}


def check(execution: Execution) -> None:
    assert unaccounted(execution) == []
    assert (unwritten(execution), counted(execution, "unwritten"), counted(execution, "lost_writes")) == (0, 0, 0)
    assert missing(execution) == set()
    assert counted(execution, "stale_served") == 0


CHANGES: dict[str, list[Action]] = {
    "to write-through": [set_param("cache", "write_policy", "through")],
    "no writes through it any more": [
        set_param("app", "writes", "store"),
        set_param("cache", "write_policy", "around"),
    ],
    "a smaller memory": [set_param("cache", "capacity", 5)],
    "another eviction": [set_param("cache", "eviction", "fifo")],
    "a time to live": [set_param("cache", "ttl_s", 0.1)],
    "locks": [set_param("cache", "rebuild", "lock")],
    "three nodes": [set_param("cache", "instances", 3)],
}


@SEEDS
@MODES
@pytest.mark.parametrize("change", list(CHANGES))
def test_what_is_unwritten_when_a_cache_is_changed_is_written_and_read_as_it_was_written(
    change: str, mode: str, seed: int
) -> None:
    execution = reach(Execution(behind(seed, mode), recorded=False), 3.3)
    assert unwritten(execution) > 50
    for action in CHANGES[change]:
        execution.act(action, "test")
    reach(execution, 6)
    check(ended(execution))


NODES: dict[str, list[Action]] = {
    "fewer": [set_param("cache", "instances", 1)],
    "more": [set_param("cache", "instances", 5)],
    "fewer and more": [set_param("cache", "instances", 2), set_param("cache", "instances", 4)],
    "other shares": [set_param("cache", "virtual_nodes", 7)],
}


@SEEDS
@MODES
@pytest.mark.parametrize("change", list(NODES))
def test_what_is_unwritten_goes_with_its_key_to_another_node(change: str, mode: str, seed: int) -> None:
    execution = reach(Execution(behind(seed, mode, instances=3), recorded=False), 3.3)
    assert unwritten(execution) > 50
    for action in NODES[change]:
        execution.act(action, "test")
    reach(execution, 6)
    check(ended(execution))


@SEEDS
@MODES
def test_a_node_that_is_back_gets_the_unwritten_items_of_its_keys_back(mode: str, seed: int) -> None:
    execution = reach(Execution(behind(seed, mode, instances=3), recorded=False), 3.3)
    execution.act(fault("cache", "crash", instance=0, restart_after_s=1.3), "test")
    reach(execution, 6)
    lost = counted(execution, "lost_writes")
    ended(execution)
    assert lost == counted(execution, "lost_writes") > 0
    assert unwritten(execution) == counted(execution, "unwritten") == 0
    assert len(missing(execution)) <= lost
    assert counted(execution, "stale_served") == 0


@SEEDS
def test_writes_through_wait_for_the_unwritten_one_before_them(seed: int) -> None:
    # The store is down when the policy changes: nothing is acknowledged before it is in the store, in the order of the writes.
    execution = reach(Execution(behind(seed, "look_aside"), recorded=False), 3.3)
    execution.act(fault("db", "crash", restart_after_s=2.0), "test")
    execution.act(set_param("cache", "write_policy", "through"), "test")
    promised = acknowledged(execution)
    reach(execution, 5)
    assert acknowledged(execution) == promised, "a write through is promised nothing ahead of the store"
    assert unwritten(execution) > 50
    ended(execution)
    check(execution)


@SEEDS
def test_a_write_through_that_is_under_way_does_not_take_the_place_of_a_later_one_behind(seed: int) -> None:
    execution = reach(
        Execution(behind(seed, "look_aside", write_policy="through", query_ms=100.0), recorded=False), 3.3
    )
    execution.act(set_param("cache", "write_policy", "behind"), "test")
    reach(execution, 6)
    check(ended(execution))
