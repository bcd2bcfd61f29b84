"""A region is dead when it does not serve, however it died: what is counted and what is found out depend on that and not on the way."""

from __future__ import annotations

import pytest

from playground.execution import Execution
from playground.protocol.design import Action
from tests.laws.intervals import assert_agrees
from tests.laws.test_gslb import ASK_AGAIN_S, CRASH_S, RATE_PER_S, SEEDS, sent_to, share, world
from tests.sketch import SECOND, fault, metric, set_param, template

DEATHS: dict[str, Action] = {
    "its entrance crashes": fault("eu", "crash"),
    "its entrance refuses": fault("eu", "refuse", duration_s=1000),
    "its entrance stands still": fault("eu", "pause", duration_s=1000),
    "the way to it is cut": fault("dns--eu", "partition", duration_s=1000),
    "its servers crash": fault("eu-app", "crash"),
}


@pytest.mark.parametrize("how", DEATHS)
def test_each_request_that_is_sent_to_a_dead_region_is_counted_however_it_died(how: str) -> None:
    execution = Execution(world(until_s=100), recorded=False)
    execution.advance(round(CRASH_S * SECOND))
    before = sent_to(execution, "eu")
    assert metric(execution, "dns", "to_dead") == 0
    execution.act(DEATHS[how], "test")
    execution.advance(50 * SECOND)
    sent = sent_to(execution, "eu") - before
    assert sent == pytest.approx(RATE_PER_S * 49, rel=0.05)
    # Those that were in it when it died come on top; those that have just come are counted when they fail.
    assert metric(execution, "dns", "to_dead") == pytest.approx(sent, abs=5)


def test_a_slow_region_is_not_dead() -> None:
    execution = Execution(world(until_s=30), recorded=False)
    execution.act(fault("dns--eu", "latency", add_ms=500), "test")
    execution.advance(30 * SECOND)
    assert metric(execution, "dns", "to_dead") == 0


@pytest.mark.parametrize("how", ["its entrance stands still", "the way to it is cut"])
def test_the_share_sent_to_a_silent_region_falls_linearly_over_one_ttl_as_it_does_after_a_crash(how: str) -> None:
    measured: dict[float, list[float]] = {0.25: [], 0.5: [], 0.75: []}
    for seed in SEEDS:
        execution = Execution(world(seed=seed, until_s=300), recorded=False)
        execution.advance(round(CRASH_S * SECOND))
        execution.act(DEATHS[how], "test")
        while metric(execution, "dns", "regions_healthy") == 2:
            execution.advance(execution.now_ns + SECOND)
        (dead,) = [it for it in execution.take_notables() if it.kind == "region_dead"]
        detected_s = dead.at_ns / SECOND
        for part, shares in measured.items():
            middle_s = detected_s + 60 * part
            shares.append(share(execution, "eu", middle_s - 1.5, middle_s + 1.5))
        assert share(execution, "eu", detected_s + 60.1, detected_s + 70) == 0.0
    for part, shares in measured.items():
        assert_agrees(shares, 60 * (1 - part) / (60 + ASK_AGAIN_S), narrow=0.1)


def servers_die(*, balancers_probe: bool) -> Execution:
    """The template with its fix on; instead of the balancer in the EU its servers crash, from 120 s to the end."""
    drawing = template("gslb", until_s=400.0).model_copy(update={"interventions": []})
    execution = Execution(drawing, recorded=False)
    for setting in drawing.design.switches[0].on:
        execution.act(set_param(setting.target, setting.param, setting.value), "test")
    if not balancers_probe:
        for balancer in ("lb-eu", "lb-us"):
            execution.act(set_param(balancer, "probes", False), "test")
    execution.advance(120 * SECOND)
    execution.act(fault("app-eu", "crash"), "test")
    execution.advance(400 * SECOND)
    return execution


def test_a_balancer_that_probes_its_servers_answers_for_them_and_the_region_is_left() -> None:
    execution = servers_die(balancers_probe=True)
    dead = [it for it in execution.take_notables() if it.kind == "region_dead"]
    assert [it.title for it in dead] == ["Balancer EU found dead"]
    # The balancer has to find out first: 10 s x 3 with its defaults, and a timeout. Then three probes of 30 s each.
    assert 120 + 20 + 60 < dead[0].at_ns / SECOND < 120 + 31 + 91
    # In the end no more than the tenth of Berlin's resolvers that ignores the TTL.
    left = servers_die(balancers_probe=False)
    assert metric(execution, "berlin", "failed") < 0.6 * metric(left, "berlin", "failed")
    assert metric(execution, "dns", "resolvers_on_dead_percent") < 10


def test_a_balancer_without_probes_knows_nothing_of_its_servers_and_the_region_stays_the_answer() -> None:
    execution = servers_die(balancers_probe=False)
    assert metric(execution, "dns", "regions_healthy") == 2
    assert metric(execution, "berlin", "failed") == pytest.approx(150 * 280, rel=0.1)
