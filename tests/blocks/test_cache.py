"""The cache block: settings that contradict each other, what its card and inspector show, faults of its own."""

from __future__ import annotations

import pytest

from playground.catalogue import check_design
from playground.execution import Execution
from playground.protocol.catalogue import Scalar
from playground.protocol.errors import InputError, Problem
from tests.laws.caches import INSTANT, counted, reach, shop
from tests.sketch import Shape, at, edge, fault, metric

STORE = edge("cache", "db", "store", **INSTANT)
EMPTY, FRESH, SOFT, EXPIRED, LOCKED, NEGATIVE, DIRTY = range(7)
MARKED = 128


def problem(wires: tuple[Shape, ...] = (), **params: Scalar) -> Problem:
    """What is wrong with these settings."""
    with pytest.raises(InputError) as refused:
        check_design(shop(rate_per_s=1, query_ms=1, cache=params, wires=wires).design)
    (found,) = refused.value.problems
    return found


def test_a_soft_ttl_past_the_hard_one_is_refused_with_the_reason() -> None:
    found = problem(ttl_s=10, soft_ttl_s=11)
    assert found.code == "rule" and found.parameter == "soft_ttl_s" and found.block == "cache"
    assert "soft_ttl_s = 11 has to be at most ttl_s = 10" in found.message
    check_design(shop(rate_per_s=1, query_ms=1, cache={"ttl_s": 10, "soft_ttl_s": 10}).design)
    check_design(shop(rate_per_s=1, query_ms=1, cache={"ttl_s": None, "soft_ttl_s": 10}).design)


@pytest.mark.parametrize(
    ("name", "value"), [("lock_ttl_s", 0), ("lease_s", 0), ("virtual_nodes", 1_000_000_000), ("instances", 0)]
)
def test_a_value_that_means_nothing_is_refused_by_name(name: str, value: float) -> None:
    found = problem(**{name: value})
    assert found.code == "parameter" and found.parameter == name and found.block == "cache"
    assert name in found.message and "too" in found.message


@pytest.mark.parametrize(
    ("name", "value", "ports"),
    [
        ("mode", "read_through", "'Store'"),
        ("write_policy", "through", "'Store'"),
        ("write_policy", "behind", "'Store' or 'Queue'"),
    ],
)
def test_a_cache_that_needs_a_store_and_has_none_is_refused(name: str, value: str, ports: str) -> None:
    found = problem(**{name: value})
    assert found.code == "missing_edge" and found.parameter == name and found.block == "cache"
    assert f"with {name} = {value} its port {ports} needs a connection" in found.message
    check_design(shop(rate_per_s=1, query_ms=1, cache={name: value}, wires=[STORE]).design)


def cells(execution: Execution) -> list[int]:
    return [state % MARKED for state in execution.model.blocks["cache"].cells()]


def test_cells_show_keys_fill_age_and_expire() -> None:
    drawing = shop(
        rate_per_s=100,
        query_ms=1,
        client={"keys": 3, "key_choice": "uniform"},
        cache={"warm_keys": 0, "ttl_s": 4, "soft_ttl_s": 2},
    )
    execution = Execution(drawing, recorded=False)
    assert cells(execution) == [EMPTY] * 64
    reach(execution, 1)
    assert cells(execution)[:4] == [FRESH, FRESH, FRESH, EMPTY]
    marked = [state >= MARKED for state in execution.model.blocks["cache"].cells()]
    assert sum(marked[:3]) == sum(marked) == 1
    execution.act(fault("users--app", "partition"), "test")
    reach(execution, 3.5)
    assert cells(execution)[:4] == [SOFT, SOFT, SOFT, EMPTY]
    reach(execution, 6)
    assert cells(execution)[:4] == [EXPIRED, EXPIRED, EXPIRED, EMPTY]


def test_cells_show_what_is_locked_negative_or_unwritten() -> None:
    rebuilt = shop(rate_per_s=100, query_ms=500, cache={"warm_keys": 0, "rebuild": "lock"})
    assert cells(reach(Execution(rebuilt, recorded=False), 0.3))[0] == LOCKED
    absent = shop(
        rate_per_s=100,
        query_ms=1,
        client={"unknown_percent": 100, "unknown_choice": "uniform", "unknown_keys": 1},
        cache={"negative_ttl_s": 5},
        db={"rows": 1},
    )
    assert cells(reach(Execution(absent, recorded=False), 1))[1] == NEGATIVE
    behind = shop(
        rate_per_s=100,
        query_ms=1,
        client={"read_weight": 0, "write_weight": 1},
        app={"writes": "cache"},
        cache={"write_policy": "behind", "flush_every_ms": 60_000},
        wires=[STORE],
    )
    assert cells(reach(Execution(behind, recorded=False), 1))[0] == DIRTY


def test_one_key_can_be_made_as_old_as_its_soft_time_to_live() -> None:
    drawing = shop(
        rate_per_s=100,
        query_ms=100,
        cache={"ttl_s": None, "soft_ttl_s": 600},
        interventions=[at(1, fault("cache", "age_key", key=1)), at(1, fault("cache", "age_key", key=9))],
    )
    execution = reach(Execution(drawing, recorded=False), 0.999)
    assert counted(execution, "stale_hits") == 0
    reach(execution, 1.3)
    assert counted(execution, "refreshes") == 1 and counted(execution, "stale_hits") >= 1
    details = [it.detail for it in execution.take_notables() if it.kind == "aged"]
    assert "gets the old value" in details[0] and "was not in" in details[1]


def test_a_server_whose_cache_is_dead_writes_to_the_store_itself_or_fails() -> None:
    def after_the_crash(**app: Scalar) -> Execution:
        drawing = shop(
            rate_per_s=100,
            query_ms=1,
            client={"write_weight": 100},
            app={"writes": "cache", **app},
            cache={"write_policy": "through"},
            wires=[STORE],
            interventions=[at(0, fault("cache", "crash"))],
        )
        return reach(Execution(drawing, recorded=False), 5)

    execution = after_the_crash()
    assert counted(execution, "commits", "db") > 200
    assert counted(execution, "stale_served") == 0
    assert metric(execution, "users", "failed") == 0
    execution = after_the_crash(bypass_cache=False)
    assert counted(execution, "commits", "db") == 0
    assert metric(execution, "users", "failed") > 200
