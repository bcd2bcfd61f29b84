"""What the app server does with data: the filter before the cache, refreshes by the queue or by itself, what becomes of what fails."""

from __future__ import annotations

import pytest

from playground.execution import Execution
from playground.protocol.design import Scenario
from tests.laws.caches import INSTANT, Params, counted, queries, reach, shop
from tests.sketch import at, block, edge, fault, in_use, metric, quieten, run, set_param, unaccounted

UNKNOWN: Params = {"unknown_percent": 50, "unknown_choice": "uniform", "keys": 100, "key_choice": "uniform"}


def filtered(*, seed: int = 1, client: Params | None = None) -> Scenario:
    """Half of all reads ask for random ids that don't exist; a filter with hardly a false positive knows the 100 that do."""
    return shop(
        rate_per_s=1_000,
        query_ms=1,
        client={**UNKNOWN, **(client or {})},
        cache={"capacity": 1_000, "warm_keys": 100},
        db={"rows": 100, "buffer_rows": 1_000},
        more=[block("filter", "bloom_filter", expected=1_000, size_by="rate", target_rate_percent=0.0001)],
        wires=[edge("app", "filter", "filter", **INSTANT)],
        seed=seed,
        until_s=5,
    )


def test_what_the_filter_is_sure_of_comes_neither_to_the_cache_nor_to_the_store() -> None:
    execution = run(filtered())
    gone = counted(execution, "filtered", "app")
    assert gone == counted(execution, "not_found", "users") == pytest.approx(2_500, rel=0.1)
    reads = counted(execution, "offered", "cache")
    assert reads == counted(execution, "hits") == counted(execution, "found", "users")
    assert queries(execution) == 0


def test_a_filter_that_is_down_is_passed_by() -> None:
    execution = reach(Execution(filtered(), recorded=False), 2)
    execution.act(fault("filter", "crash", restart_after_s=600), "test")
    before = counted(execution, "filtered", "app")
    reach(execution, 4)
    assert counted(execution, "filtered", "app") == before
    assert counted(execution, "filter_failed", "app") == pytest.approx(2_000, rel=0.1)
    assert counted(execution, "failed", "users") == 0
    assert queries(execution) == pytest.approx(1_000, rel=0.15)


def test_the_filter_hears_of_new_items_so_that_they_are_found() -> None:
    execution = reach(Execution(filtered(client={"create_weight": 20, "unknown_keys": 20}), recorded=False), 3)
    # All 20 have been created by now.
    assert counted(execution, "created", "db") == 20
    assert counted(execution, "filtered", "app") > 0
    told = [counted(execution, figure, "users") for figure in ("not_found", "found")]
    reach(execution, 5)
    assert counted(execution, "not_found", "users") == told[0]
    assert counted(execution, "found", "users") > told[1] + 1_000
    assert unaccounted(execution) == []


# ---- refreshes


def refreshed(how: str, *, query_ms: float = 50) -> Scenario:
    """An item that is soft-stale every second. The server refreshes it itself, or leaves that to a queue's worker."""
    more = []
    wires = []
    if how == "queue":
        more = [block("jobs", "queue"), block("worker", "worker", work_mean_ms=1)]
        wires = [
            edge("app", "jobs", "queue", **INSTANT),
            edge("jobs", "worker", "workers", **INSTANT),
            edge("worker", "db", "store", **INSTANT),
            edge("worker", "cache", "cache", **INSTANT),
        ]
    return shop(
        rate_per_s=500,
        query_ms=query_ms,
        cache={"ttl_s": 60, "soft_ttl_s": 1},
        more=more,
        wires=wires,
        interventions=[at(0, fault("cache", "age_key", key=1))],
        until_s=2_000,
    )


@pytest.mark.parametrize("how", ["server", "queue"])
def test_refreshes_take_place_in_the_background_once_a_soft_ttl(how: str) -> None:
    execution = reach(Execution(refreshed(how), recorded=False), 10)
    # At 0 s, and then a soft time to live after each refresh is in: about every 1.05 s.
    assert counted(execution, "refreshes", "app") == queries(execution) == pytest.approx(9.5, abs=1)
    assert counted(execution, "misses") == 0
    assert metric(execution, "users", "recent_p99_ms") < 0.01
    if how == "queue":
        assert counted(execution, "refreshed", "worker") >= counted(execution, "refreshes", "app") - 1
    quieten(execution)
    execution.advance(execution.until_ns)
    assert in_use(execution) == 0


def test_a_refresh_that_a_server_began_before_it_died_is_forgotten_and_taken_up_again_when_its_lock_ends() -> None:
    drawing = refreshed("server", query_ms=300)
    execution = reach(Execution(drawing, recorded=False), 0.1)
    assert queries(execution) == 1
    execution.act(set_param("cache", "lock_ttl_s", 1), "test")
    execution.act(fault("app", "crash", restart_after_s=0.05), "test")
    reach(execution, 0.5)
    assert counted(execution, "sets") == 0, "the answer came to a server that knew nothing of it any more"
    reach(execution, 9.9)
    assert queries(execution) == 1, "the lock of the dead one lasts for ten seconds"
    reach(execution, 10.5)
    assert queries(execution) == 2 and counted(execution, "sets") == 1
    assert unaccounted(execution) == []


@pytest.mark.parametrize("how", ["server", "queue"])
def test_a_refresh_that_fails_is_taken_up_by_the_next_reader(how: str) -> None:
    failing = "db" if how == "server" else "jobs"
    drawing = refreshed(how)
    ahead = [at(0, fault(failing, "refuse", duration_s=2)), *drawing.interventions]
    execution = reach(Execution(drawing.model_copy(update={"interventions": ahead}), recorded=False), 1.9)
    assert counted(execution, "refreshes", "app") > 100
    assert counted(execution, "failed", "users") == 0, "the old value is served all the while"
    reach(execution, 2.2)
    assert counted(execution, "sets") == 1


def test_an_early_rebuild_that_fails_is_answered_with_the_old_value() -> None:
    drawing = shop(rate_per_s=200, query_ms=500, cache={"ttl_s": 4, "early_beta": 1, "warm_keys": 0}, until_s=30)
    execution = reach(Execution(drawing, recorded=False), 1.5)
    early = counted(execution, "early_rebuilds")
    execution.act(fault("db", "refuse", duration_s=2.4), "test")
    reach(execution, 3.8)
    assert counted(execution, "early_rebuilds") > early
    assert counted(execution, "failed", "users") == 0


# ---- read-through does the same by itself


@pytest.mark.parametrize(
    ("cache", "fault_name", "figure"),
    [
        ({"rebuild": "lock", "lock_poll_ms": 20}, "expire_key", "rebuilds"),
        ({"rebuild": "lease", "lock_poll_ms": 20}, "expire_key", "rebuilds"),
        ({"ttl_s": 60, "soft_ttl_s": 30}, "age_key", "refreshes"),
    ],
)
def test_a_read_through_cache_rebuilds_once_as_well(cache: Params, fault_name: str, figure: str) -> None:
    drawing = shop(
        rate_per_s=2_000,
        query_ms=200,
        cache={"mode": "read_through", **cache},
        wires=[edge("cache", "db", "store", **INSTANT)],
        interventions=[at(0.5, fault("cache", fault_name, key=1))],
    )
    execution = reach(Execution(drawing, recorded=False), 1.2)
    before = 1 if figure == "refreshes" and counted(execution, figure) == 2 else 0
    assert counted(execution, figure) == queries(execution) == 1 + before
    assert counted(execution, "failed", "users") == 0
    assert metric(execution, "cache", "locks") == 0


def test_the_inspector_says_what_is_done_with_data() -> None:
    execution = Execution(filtered(), recorded=False)
    program = execution.model.blocks["app"].detail()["program"]
    assert program["read"] == (
        'work → ask filter, answer "there is none" if it is sure → read cache; on a miss read db and fill cache → work, answer'
    )
    assert program["create"] == "work → create in db → enter in filter → invalidate cache → work, answer"
    assert program["delete"] == "work → delete from db → take out of filter → invalidate cache → work, answer"
