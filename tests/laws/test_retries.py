"""Retries multiply load, and can keep a system down after the cause is gone. Sources: M. Brooker, "Timeouts, retries and
backoff with jitter", Amazon Builders' Library; N. Bronson et al., "Metastable failures in distributed systems", HotOS 2021."""

from __future__ import annotations

from statistics import fmean

import pytest

from playground.execution import Execution
from playground.protocol.catalogue import Scalar
from playground.protocol.design import Scenario
from tests.laws.intervals import poisson_bounds
from tests.sketch import (
    SECOND,
    at,
    block,
    edge,
    fault,
    in_use,
    metric,
    named,
    quieten,
    run,
    scenario,
    template,
    with_params,
)

# ---- three layers with four attempts each


def layers(**params: Scalar) -> Scenario:
    """One request a second through three hops with 3 retries each; what is behind them is as ``params`` say."""
    return scenario(
        [
            block("users", "client", rate_per_s=1, arrivals="even", write_weight=0),
            block("web", "app_server", before_mean_ms=0, before_distribution="constant"),
            block("service", "app_server", before_mean_ms=0, before_distribution="constant"),
            block("db", "sql_database", **params),
        ],
        [
            edge("users", "web", retries=3),
            edge("web", "service", "services", retries=3),
            edge("service", "db", "store", retries=3),
        ],
        until_s=100,
    )


@pytest.mark.parametrize("broken", ["refuse", "crash"])
def test_three_layers_with_four_attempts_each_multiply_one_request_to_64(broken: str) -> None:
    drawing = layers().model_copy(update={"interventions": [at(0, fault("db", broken))]})
    execution = run(drawing, until_s=20.5)
    requests = execution.model.blocks["users"].offered
    assert requests == 20
    assert metric(execution, "users--web", "attempts") == 4 * requests
    assert metric(execution, "web--service", "attempts") == 16 * requests
    assert metric(execution, "service--db", "attempts") == 64 * requests
    assert execution.model.blocks["users"].failures_by_reason() == {"upstream_failed": requests}


def test_retries_cost_nothing_while_all_is_well() -> None:
    execution = run(layers(), until_s=20.5)
    assert metric(execution, "service--db", "attempts") == execution.model.blocks["users"].offered == 20


# ---- the golden scenario of metastable failure

SEEDS = range(1, 9)
ATTEMPTS_PER_S = 280


def server_is_the_golden_one() -> Scenario:
    """One server, constant 10 ms, 70/s Poisson, timeout 100 ms, 3 retries, a stall of 1 s at 10 s."""
    drawing = template("metastable")
    callers, server = drawing.design.blocks
    policy = drawing.design.edges[0].params
    assert callers.params["rate_per_s"] == 70
    assert (server.params["workers"], server.params["before_mean_ms"]) == (1, 10)
    assert server.params["before_distribution"] == "constant"
    assert (policy["timeout_ms"], policy["retries"]) == (100, 3)
    (stall,) = drawing.interventions
    assert stall.at_ns == 10 * SECOND
    assert stall.action.type == "fault" and stall.action.params == {"duration_s": 1.0}
    return drawing


def goodput(drawing: Scenario, seed: int) -> tuple[int, int, float]:
    """Requests answered and offered, and attempts a second, from 40 s to 60 s."""
    execution = Execution(drawing.model_copy(update={"seed": seed}), recorded=False)
    execution.advance(40 * SECOND)
    callers, link = execution.model.blocks["callers"], execution.model.edges["callers--server"]
    answered, offered, attempts = callers.completed, callers.offered, link.attempts
    execution.advance(60 * SECOND)
    return callers.completed - answered, callers.offered - offered, (link.attempts - attempts) / 20


def assert_all_of_it(found: list[tuple[int, int, float]]) -> None:
    """Goodput is what is offered, within sampling error, under every seed."""
    low, high = poisson_bounds(70 * 20)
    for answered, offered, _ in found:
        assert low <= offered <= high
        # A burst in 20 s makes one or the other wait for more than 100 ms even at a server that is well.
        assert answered >= 0.97 * offered
    assert fmean(answered / offered for answered, offered, _ in found) > 0.99


def test_without_retries_the_stall_is_forgotten() -> None:
    drawing = with_params(server_is_the_golden_one(), named("callers--server"), retries=0)
    assert_all_of_it([goodput(drawing, seed) for seed in SEEDS])


def test_three_retries_keep_the_server_down_long_after_its_stall_of_a_second() -> None:
    found = [goodput(server_is_the_golden_one(), seed) for seed in SEEDS]
    for answered, offered, attempts in found:
        assert answered <= 0.02 * offered
        assert attempts == pytest.approx(4 * offered / 20, rel=0.03)
    assert fmean(attempts for _, _, attempts in found) == pytest.approx(ATTEMPTS_PER_S, rel=0.05)


def test_a_retry_budget_of_ten_percent_lets_it_recover() -> None:
    drawing = with_params(server_is_the_golden_one(), named("callers--server"), retry_budget_percent=10.0)
    found = [goodput(drawing, seed) for seed in SEEDS]
    assert_all_of_it(found)
    assert all(attempts <= 1.1 * offered / 20 + 1 for _, offered, attempts in found)


def test_dropping_expired_work_at_dequeue_lets_it_recover() -> None:
    drawing = with_params(server_is_the_golden_one(), named("server"), drop_expired=True)
    assert_all_of_it([goodput(drawing, seed) for seed in SEEDS])


def test_cancelling_what_timed_out_lets_it_recover() -> None:
    drawing = with_params(server_is_the_golden_one(), named("callers--server"), cancel_on_timeout=True)
    assert_all_of_it([goodput(drawing, seed) for seed in SEEDS])


def test_without_the_stall_three_retries_do_no_harm_on_most_seeds_and_tip_it_over_on_some() -> None:
    # Metastable: it is stable until something, a random burst included, pushes it over.
    drawing = server_is_the_golden_one().model_copy(update={"interventions": []})
    shares = [answered / offered for answered, offered, _ in (goodput(drawing, seed) for seed in range(1, 25))]
    well, down = [it for it in shares if it > 0.97], [it for it in shares if it < 0.02]
    assert len(well) > len(shares) / 2
    assert down
    # One that tips over between 40 s and 60 s is neither.
    assert len(well) + len(down) >= 0.8 * len(shares)


# ---- what timed out


def hopeless(**policy: Scalar) -> Scenario:
    """Every request takes half a second, and nobody waits longer than 100 ms."""
    return scenario(
        [
            block("users", "client", rate_per_s=10, arrivals="even", write_weight=0),
            block("app", "app_server", workers=50, before_mean_ms=500, before_distribution="constant"),
        ],
        [edge("users", "app", latency_mean_ms=1.0, timeout_ms=100, **policy)],
        until_s=2_000,
    )


def test_work_that_timed_out_goes_on_in_the_callee() -> None:
    execution = run(hopeless(), until_s=20)
    quieten(execution)
    execution.advance(execution.until_ns)
    users, app = execution.model.blocks["users"], execution.model.blocks["app"]
    assert users.failures_by_reason() == {"timeout": users.offered}
    assert app.completed == app.offered == users.offered
    assert app.pool.busy_integral() == app.offered * 500_000_000
    assert in_use(execution) == 0


def test_work_that_timed_out_stops_in_the_callee_where_the_edge_cancels() -> None:
    execution = run(hopeless(cancel_on_timeout=True), until_s=20)
    quieten(execution)
    execution.advance(execution.until_ns)
    users, app = execution.model.blocks["users"], execution.model.blocks["app"]
    assert users.failures_by_reason() == {"timeout": users.offered}
    assert app.cancelled == app.offered == users.offered
    # The cancellation leaves 100 ms after the request did and takes as long on its way.
    assert app.pool.busy_integral() == app.offered * 100_000_000
    assert in_use(execution) == 0
