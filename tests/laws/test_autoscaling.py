"""Autoscaling keeps the utilisation at its target. Source: Kubernetes, "Horizontal Pod Autoscaling": desired = ceil(current x utilisation /
target), nothing within 10 %, and in only to the highest recommendation of the stabilisation window."""

from __future__ import annotations

from math import ceil

import pytest

from playground.execution import Execution
from playground.protocol.catalogue import Scalar
from playground.protocol.design import Intervention, Scenario
from tests.sketch import SECOND, at, block, edge, fault, metric, run, scenario, set_param

TARGET = 50.0
EVERY_S = 5.0
PROBES: dict[str, Scalar] = {"probes": True, "probe_period_s": 1, "startup_period_s": 0.5, "probe_timeout_s": 0.5}


def scaled(
    *interventions: Intervention, rate: float = 100.0, until_s: float = 200.0, seed: int = 1, **app: Scalar
) -> Scenario:
    """Requests of 50 ms each on servers with 10 workers; ``rate`` 100 keeps 5 of them busy (Little's law)."""
    usual: dict[str, Scalar] = {
        "workers": 10,
        "before_mean_ms": 50,
        "before_distribution": "constant",
        "queue_max": None,
        "autoscale": True,
        "instances_max": 20,
        "target_utilisation_percent": TARGET,
        "evaluate_every_s": EVERY_S,
        "cool_down_s": 0,
        "drain_s": 0,
        "price_per_hour": 3600,
        **app,
    }
    return scenario(
        [
            block("users", "client", rate_per_s=rate, arrivals="even", write_weight=0),
            block("lb", "load_balancer", algorithm="round_robin", **PROBES),
            block("app", "app_server", **usual),
        ],
        [edge("users", "lb"), edge("lb", "app")],
        until_s=until_s,
        seed=seed,
        interventions=interventions,
    )


def instances(execution: Execution) -> int:
    return int(metric(execution, "app", "instances"))


def history(execution: Execution) -> list[tuple[int, float, int]]:
    """At each decision: how many were there to stay, the utilisation that was seen, how many were wanted."""
    found = []
    while execution.now_ns + EVERY_S * SECOND <= execution.until_ns:
        before = instances(execution) - int(metric(execution, "app", "instances_draining"))
        execution.advance(execution.now_ns + round(EVERY_S * SECOND))
        seen = metric(execution, "app", "scaling_utilisation_percent")
        found.append((before, seen, int(metric(execution, "app", "instances_desired"))))
    return found


@pytest.mark.parametrize("rate", [100.0, 330.0, 1234.0])
@pytest.mark.parametrize("first", [1, 9, 20])
def test_each_decision_is_current_times_utilisation_over_target_rounded_up(rate: float, first: int) -> None:
    decisions = history(Execution(scaled(rate=rate, instances=first), recorded=False))
    assert len(decisions) == 40
    for current, seen, wanted in decisions:
        ratio = seen / TARGET
        law = current if abs(ratio - 1) <= 0.1 else max(1, min(20, ceil(current * ratio - 1e-9)))
        assert wanted == law, f"{current} instances {seen} % busy"
    # Load / target, rounded up, or a tenth off that.
    needed = rate * 0.05 / 10 / (TARGET / 100)
    assert needed * 0.9 <= decisions[-1][2] <= ceil(needed * 1.1)


def test_a_saturated_server_doubles_until_its_target_is_met() -> None:
    # 1,234/s x 50 ms = 61.7 busy workers: 12.3 instances at 50 %. All busy tells no more than 100 %, which asks for twice as many.
    wanted = [desired for _, _, desired in history(Execution(scaled(rate=1234, instances=1), recorded=False))]
    assert wanted[:3] == [2, 4, 8]


def test_bounds_hold() -> None:
    few = run(scaled(rate=1234, instances=1, instances_max=3))
    assert instances(few) == 3
    many = run(scaled(rate=1, instances=8, instances_min=4))
    assert instances(many) == 4


def test_it_scales_in_only_when_the_cool_down_has_passed() -> None:
    # 500/s need 5 instances; at 50 s the load falls to what 1 can do.
    drawing = scaled(at(50, set_param("users", "rate_per_s", 50)), rate=500, instances=5, cool_down_s=60)
    execution = run(drawing, until_s=50 + 59)
    assert instances(execution) == 5
    execution.advance(round((50 + 60 + 2 * EVERY_S) * SECOND))
    assert instances(execution) == 1
    assert metric(execution, "app", "scaled_in") == 1
    (when,) = [it.at_ns / SECOND for it in execution.take_notables() if it.kind == "scaled_in"]
    assert 50 + 60 - EVERY_S <= when <= 50 + 60 + 2 * EVERY_S


def test_a_spike_within_the_cool_down_keeps_what_is_there() -> None:
    quiet, loud = set_param("users", "rate_per_s", 50), set_param("users", "rate_per_s", 500)
    drawing = scaled(at(50, quiet), at(90, loud), at(100, quiet), rate=500, instances=5, cool_down_s=60)
    execution = run(drawing, until_s=100 + 59)
    assert instances(execution) == 5
    execution.advance(round(175 * SECOND))
    assert instances(execution) == 1


def test_without_a_cool_down_it_scales_in_at_the_next_look() -> None:
    execution = run(
        scaled(at(50, set_param("users", "rate_per_s", 50)), rate=500, instances=5), until_s=50 + 2 * EVERY_S + 1
    )
    assert instances(execution) == 1


def test_new_instances_help_only_after_their_cold_start() -> None:
    # Start 12 s and warm-up 8 s: the decision of 5 s takes effect at 25 s, and is not made again meanwhile.
    drawing = scaled(rate=330, instances=2, start_mean_s=12, warm_up_s=8, ready_when_warm=True, cool_down_s=60)
    execution = run(drawing, until_s=6)
    assert instances(execution) == 4, "330/s are 16.5 busy workers of 20; 83 % / 50 % x 2 = 3.3"
    for moment, ready in ((16, 2), (18, 2), (24.9, 2), (25.1, 4)):
        execution.advance(round(moment * SECOND))
        assert metric(execution, "app", "instances_ready") == ready
        assert instances(execution) == 4
    assert metric(execution, "app", "scaled_out") == 1


def test_the_newest_instances_go_first_and_nothing_in_them_is_lost() -> None:
    drawing = scaled(
        at(52.5, set_param("users", "rate_per_s", 20)), rate=500, instances=1, drain_s=3, before_mean_ms=50
    )
    execution = run(drawing, until_s=50)
    app = execution.model.blocks["app"]
    assert instances(execution) == 5
    execution.advance(120 * SECOND)
    assert instances(execution) == 1
    assert [app.listed(instance) for instance in range(5)] == [True, False, False, False, False]
    assert execution.model.blocks["users"].failed == 0


def test_only_instances_that_are_not_off_are_paid_for() -> None:
    execution = Execution(scaled(rate=330, instances=1), recorded=False)
    paid = 0.0
    while execution.now_ns < 100 * SECOND:
        there = instances(execution)
        execution.advance(execution.now_ns + SECOND)
        paid += there
    assert metric(execution, "app", "cost") == pytest.approx(paid, rel=0.01)


def test_switched_on_and_off_while_it_runs_it_keeps_what_runs() -> None:
    execution = run(scaled(rate=500, instances=5), until_s=50)
    execution.act(set_param("app", "autoscale", False), "test")
    assert instances(execution) == 5
    execution.act(set_param("users", "rate_per_s", 10), "test")
    execution.advance(100 * SECOND)
    assert instances(execution) == 5
    execution.act(set_param("app", "autoscale", True), "test")
    assert instances(execution) == 5
    execution.advance(110 * SECOND)
    assert instances(execution) == 1


def test_a_crashed_instance_counts_as_idle_and_is_not_replaced_twice() -> None:
    drawing = scaled(at(50, fault("app", "crash", instance=0, restart_after_s=30)), rate=520, instances=5)
    execution = run(drawing, until_s=79)
    # Four of five carry the load of 26 workers: 65 % busy, for which there would have to be six. As 52 % of all five it is within a tenth.
    assert metric(execution, "app", "scaling_utilisation_percent") == pytest.approx(65, abs=1)
    assert instances(execution) == 5
    assert metric(execution, "app", "scaled_out") == 0
