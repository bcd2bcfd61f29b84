"""The balancer knows of each target how many of its own calls are out there: never one too many, never one too few."""

from __future__ import annotations

import random

import pytest

from playground.blocks.load_balancer.choosing import ALGORITHMS
from playground.catalogue import check_design
from playground.execution import Execution
from playground.protocol.catalogue import Scalar
from playground.protocol.design import Scenario
from playground.protocol.errors import InputError, Problem
from tests.sketch import (
    MS,
    SECOND,
    block,
    clear,
    edge,
    fault,
    figures,
    metric,
    named,
    quieten,
    run,
    scenario,
    set_param,
    with_params,
)


def farm(algorithm: str, until_s: float = 2_000, **policy: Scalar) -> Scenario:
    """Six instances behind two edges, one of them with twice the weight."""
    return scenario(
        [
            block("users", "client", rate_per_s=300, write_weight=0),
            block("lb", "load_balancer", algorithm=algorithm, tries=2),
            block("big", "app_server", instances=4, workers=4, before_mean_ms=10),
            block("small", "app_server", instances=2, workers=2, before_mean_ms=10),
        ],
        [
            edge("users", "lb", timeout_ms=60, cancel_on_timeout=True),
            edge("lb", "big", **policy, weight=2),
            edge("lb", "small", **policy),
        ],
        until_s=until_s,
    )


def out_there(execution: Execution) -> int:
    return sum(row["out_there"] for row in execution.detail("lb")["targets"])


def calls_of_the_balancer(execution: Execution) -> float:
    return metric(execution, "lb--big", "in_flight") + metric(execution, "lb--small", "in_flight")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("policy", [{}, {"timeout_ms": 30, "retries": 2}, {"loss_percent": 20.0, "timeout_ms": 25}])
def test_it_counts_exactly_the_calls_that_wait_for_their_targets(algorithm: str, policy: dict[str, Scalar]) -> None:
    chance = random.Random(algorithm)
    execution = Execution(farm(algorithm, **policy), recorded=False)
    for _ in range(60):
        execution.advance(execution.now_ns + chance.randint(1, 60) * MS)
        target = chance.choice(["big", "small", "lb"])
        deed = chance.choice([clear(target), fault(target, "crash"), fault(target, "refuse"), fault(target, "pause")])
        execution.act(deed if chance.random() < 0.5 else clear(target), "test")
        if chance.random() < 0.2:
            execution.act(set_param("big", "instances", chance.randint(1, 6)), "test")
        assert out_there(execution) <= calls_of_the_balancer(execution)
    execution.act(set_param("big", "instances", 4), "test")
    quieten(execution)
    execution.advance(execution.until_ns)
    assert out_there(execution) == calls_of_the_balancer(execution) == 0
    assert metric(execution, "lb", "most_out") == 0


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_it_counts_every_call_while_all_is_well(algorithm: str) -> None:
    execution = Execution(farm(algorithm), recorded=False)
    for moment in range(1, 40):
        execution.advance(moment * 50 * MS)
        assert out_there(execution) == calls_of_the_balancer(execution)
    assert metric(execution, "lb", "targets") == 6


def offered(execution: Execution) -> tuple[float, float]:
    return figures(execution, "big")["offered"], figures(execution, "small")["offered"]


def test_round_robin_gives_every_instance_the_same() -> None:
    big, small = offered(run(farm("round_robin"), until_s=30))
    assert big == pytest.approx(2 * small, abs=4)


def test_weighted_gives_every_instance_in_proportion_to_its_edges_weight() -> None:
    # Smooth weighted round robin, as nginx has it: four instances of weight 2, two of weight 1.
    big, small = offered(run(farm("weighted"), until_s=30))
    assert big == pytest.approx(4 * small, abs=10)


def test_a_call_that_a_target_refuses_is_tried_elsewhere_once() -> None:
    execution = run(farm("round_robin"), until_s=5)
    failed = execution.model.blocks["users"].failed
    execution.act(fault("small", "refuse"), "test")
    execution.advance(10 * SECOND)
    # Round robin sends every third call to the two that refuse, and its next target may refuse as well: two in a row
    # stand side by side, so of six turns one fails for good.
    elsewhere = metric(execution, "lb", "elsewhere")
    sent = metric(execution, "lb", "forwarded") - elsewhere
    assert elsewhere > 0.1 * 300 * 5
    assert execution.model.blocks["users"].failed - failed < elsewhere < sent


def refused_because(drawing: Scenario) -> list[Problem]:
    with pytest.raises(InputError) as refused:
        check_design(drawing.design)
    return refused.value.problems


def with_balancer(**params: Scalar) -> Scenario:
    return with_params(farm("round_robin"), named("lb"), **params)


def test_a_probe_timeout_past_its_period_is_refused_by_name() -> None:
    (problem,) = refused_because(with_balancer(probes=True, probe_timeout_s=5.0, probe_period_s=4.0))
    assert (problem.block, problem.parameter) == ("lb", "probe_timeout_s")
    assert "probe_timeout_s = 5 has to be at most probe_period_s = 4" in problem.message
    check_design(with_balancer(probes=True, probe_timeout_s=4.0, probe_period_s=4.0).design)
    check_design(with_balancer(probes=False, probe_timeout_s=5.0, probe_period_s=4.0).design)


def test_a_probe_timeout_past_its_period_is_refused_while_it_runs_too() -> None:
    execution = run(with_params(farm("round_robin"), named("lb"), probes=True), until_s=1)
    execution.act(set_param("lb", "probe_timeout_s", 5.0), "test")
    with pytest.raises(InputError, match="at most probe_period_s = 4;"):
        execution.act(set_param("lb", "probe_period_s", 4.0), "test")


def test_a_billion_virtual_nodes_are_refused_by_name() -> None:
    (problem,) = refused_because(with_balancer(virtual_nodes=1_000_000_000))
    assert (problem.parameter, problem.value) == ("virtual_nodes", "1000000000")
    assert "from 1 to 100000" in problem.message


def test_weights_that_are_all_zero_are_refused_by_name() -> None:
    drawing = with_params(farm("weighted"), named("lb--big", "lb--small"), weight=0)
    (problem,) = refused_because(drawing)
    assert problem.code == "weights" and problem.block == "lb" and "weight 0" in problem.message
    check_design(with_params(farm("weighted"), named("lb--big"), weight=0).design)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_target_that_is_taken_out_keeps_nothing_waiting(algorithm: str) -> None:
    execution = Execution(with_params(farm(algorithm), named("lb"), probes=True, sticky="cookie"), recorded=False)
    execution.advance(2 * SECOND)
    execution.act(set_param("big", "instances", 1), "test")
    execution.advance(4 * SECOND)
    assert metric(execution, "lb", "targets") == 3
    assert metric(execution, "lb", "sessions_moved") > 0
    execution.act(set_param("big", "instances", 4), "test")
    assert metric(execution, "lb", "eligible") == 3
    # One period for the startup probe, one for the readiness probe.
    execution.advance(25 * SECOND)
    assert metric(execution, "lb", "eligible") == 6
