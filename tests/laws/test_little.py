"""Little's law, L = lambda W (J. D. C. Little, Operations Research 9(3), 1961), at every block of every design, and what
follows from a worker's being held until it answers."""

from __future__ import annotations

import pytest

from playground.execution import Execution
from playground.protocol.design import Scenario
from tests.laws.intervals import assert_agrees, runs, seconds
from tests.sketch import (
    SECOND,
    at,
    block,
    edge,
    every_scenario,
    fault,
    figures,
    metric,
    quick_or_slow,
    quieten,
    run,
    scenario,
    template,
)

SEEDS = range(1, 9)
HEAVY = ("template catalogue", "template stampede")
QUICK = ("template catalogue", "template mmc", "template two-buyers", "example cache", "example queue")
DRAINED_S = 2_000


def busy(execution: Execution, name: str) -> float:
    """Mean number of workers held."""
    return execution.model.blocks[name].pool.busy_integral() / 1e9 / seconds(execution)


@pytest.mark.parametrize("name", quick_or_slow(every_scenario(), QUICK))
def test_littles_law_holds_at_every_block_once_all_that_came_has_left(name: str) -> None:
    # Over a time that begins and ends empty, L = lambda W is no approximation: both count the same call-seconds.
    drawing = every_scenario()[name].model_copy(update={"until_s": DRAINED_S})
    execution = run(drawing, until_s=1.0 if name in HEAVY else 20.0)
    quieten(execution)
    execution.advance(execution.until_ns)
    for name_of, it in execution.model.blocks.items():
        assert it.in_flight == 0
        if it.offered:
            stay = it.residence / it.offered
            inside = it.in_flight_integral() / execution.now_ns
            assert it.offered / execution.now_ns * stay == pytest.approx(inside, rel=1e-9), name_of


@pytest.mark.parametrize("name", quick_or_slow((it for it in every_scenario() if it != "template metastable"), QUICK))
def test_littles_law_stands_in_the_results_of_every_design(name: str) -> None:
    # While it runs the two differ by what has come and not left yet. (A system in overload never gets there.)
    execution = run(every_scenario()[name].model_copy(update={"until_s": 2.0 if name in HEAVY else 60.0}))
    row = next(it for it in execution.results()["theory"] if it["name"] == "Requests in flight, on average")
    assert row["measured"] > 0
    assert row["measured"] == pytest.approx(row["expected"], rel=0.03)


def pool(rate_per_s: float, mean_ms: float, workers: int, **params: str | float) -> Scenario:
    return scenario(
        [
            block("users", "client", rate_per_s=rate_per_s),
            block("app", "app_server", workers=workers, before_mean_ms=mean_ms, **params),
        ],
        [edge("users", "app", latency_mean_ms=1e-6)],
    )


def test_35000_requests_a_second_for_20_ms_each_are_700_in_flight() -> None:
    found = runs(pool(35_000, 20, 2_000), range(1, 5), until_s=5)
    assert_agrees([it.results()["totals"]["rate"] for it in found], 35_000, narrow=0.01)
    # The first 20 ms fill it.
    assert_agrees([it.model.blocks["users"].in_flight_integral() / it.now_ns for it in found], 700, narrow=0.02)


def test_the_product_catalogue_has_about_700_requests_in_flight() -> None:
    execution = run(template("catalogue"), until_s=1.0)
    before = execution.model.blocks["shoppers"].in_flight_integral()
    execution.advance(3 * SECOND)
    inside = (execution.model.blocks["shoppers"].in_flight_integral() - before) / 2 / SECOND
    assert inside == pytest.approx(700, rel=0.15)


def test_200_requests_a_second_for_250_ms_each_hold_50_workers() -> None:
    found = runs(pool(200, 250, 214), SEEDS, until_s=400)
    assert_agrees([busy(it, "app") for it in found], 50, narrow=0.02)


def test_214_workers_are_70_percent_busy_at_three_times_that_load() -> None:
    # 150 of 214.
    found = runs(pool(600, 250, 214), SEEDS, until_s=200)
    assert_agrees([busy(it, "app") / 214 for it in found], 0.701, narrow=0.02)


# ---- a worker is held until it answers


def chain(*, db_ms: float = 20.0, until_s: float = 60.0) -> Scenario:
    """Users, a web tier, a service behind it, a database behind that: 100 requests a second."""
    return scenario(
        [
            block("users", "client", rate_per_s=100, write_weight=0),
            block("web", "app_server", workers=20, queue_max=100, before_mean_ms=5),
            block("service", "app_server", workers=20, queue_max=100, before_mean_ms=5),
            block("db", "sql_database", pool=10, cores=10, query_mean_ms=db_ms),
        ],
        [
            edge("users", "web", latency_mean_ms=1e-6, timeout_ms=1_000),
            edge("web", "service", "services", latency_mean_ms=1e-6),
            edge("service", "db", "store", latency_mean_ms=1e-6),
        ],
        until_s=until_s,
    )


def test_a_worker_is_held_for_its_own_work_and_that_of_all_it_calls() -> None:
    # Little again: workers held = rate x (own time + callees' time). 0.5 would be the web tier's own work alone.
    found = runs(chain(), SEEDS, until_s=300)
    assert_agrees([busy(it, "db") for it in found], 100 * 0.020, narrow=0.02)
    assert_agrees([busy(it, "service") for it in found], 100 * 0.025, narrow=0.03)
    assert_agrees([busy(it, "web") for it in found], 100 * 0.030, narrow=0.03)


def test_a_slow_database_fills_its_callers_pools_and_fails_their_callers() -> None:
    slow = at(20.0, fault("db", "slow_down", factor=10.0, duration_s=20.0))
    execution = Execution(chain(until_s=80.0).model_copy(update={"interventions": [slow]}), recorded=False)
    execution.advance(20 * SECOND - 1)
    assert execution.model.blocks["users"].failed == 0
    assert figures(execution, "web")["queue"] == figures(execution, "service")["queue"] == 0
    execution.advance(39 * SECOND)
    # 10 connections at 200 ms give 50 of the 100 a second: every pool in front of it is full, and the web tier's own
    # work is as short as before.
    assert figures(execution, "db")["busy"] == 10
    for name in ("service", "web"):
        assert figures(execution, name)["busy"] == figures(execution, name)["capacity"] == 20, name
    assert figures(execution, "web")["queue"] > 50
    users = execution.model.blocks["users"].failures_by_reason()
    assert users.get("timeout", 0) + users.get("overloaded", 0) > 0.3 * 100 * 19
    # It ends with its cause.
    execution.advance(60 * SECOND)
    failed = execution.model.blocks["users"].failed
    execution.advance(80 * SECOND)
    assert execution.model.blocks["users"].failed == failed
    assert metric(execution, "web", "queue") == 0


def test_a_slow_database_hurts_nobody_while_its_callers_have_workers_to_spare() -> None:
    # The cascade comes from the pools, not from a rule: with enough of everything the same slow-down is only slow.
    slow = at(20.0, fault("db", "slow_down", factor=10.0))
    drawing = chain(until_s=60.0)
    for it in drawing.design.blocks:
        sizes = {"app_server": {"workers": 200}, "sql_database": {"pool": 200, "cores": 200}}
        it.params.update(sizes.get(it.kind, {}))
    execution = run(drawing.model_copy(update={"interventions": [slow]}))
    failures = execution.model.blocks["users"].failures_by_reason()
    # Exponential times of 200 ms: beyond the caller's second are exp(-5) of them.
    assert failures.keys() <= {"timeout"}
    assert failures.get("timeout", 0) / 4_000 == pytest.approx(0.0072, abs=0.005)
