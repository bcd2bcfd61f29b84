"""Instances start, warm up, say whether they want traffic, deadlock and drain. Source: Kubernetes, "Configure Liveness, Readiness and
Startup Probes" and "Pod Lifecycle": readiness takes traffic away, liveness restarts, a startup probe gates both."""

from __future__ import annotations

from typing import Any

import pytest

from playground.execution import Execution
from playground.protocol.catalogue import Scalar
from playground.protocol.design import Intervention, Scenario
from tests.sketch import (
    MS,
    SECOND,
    at,
    block,
    clear,
    edge,
    fault,
    figures,
    in_use,
    metric,
    quieten,
    run,
    scenario,
    set_param,
    unaccounted,
)

QUICK: dict[str, Scalar] = {"probes": True, "probe_period_s": 1.0, "startup_period_s": 1.0, "probe_timeout_s": 0.5}


def farm(
    *interventions: Intervention,
    lb: dict[str, Scalar] | None = None,
    way: dict[str, Scalar] | None = None,
    rate: float = 60.0,
    until_s: float = 60.0,
    seed: int = 1,
    **app: Scalar,
) -> Scenario:
    """Three servers of 50 ms behind a balancer that probes them every second."""
    usual: dict[str, Scalar] = {"instances": 3, "before_mean_ms": 50, "before_distribution": "constant", **app}
    return scenario(
        [
            block("users", "client", rate_per_s=rate, write_weight=0),
            block("lb", "load_balancer", **(QUICK if lb is None else lb)),
            block("app", "app_server", **usual),
        ],
        [edge("users", "lb"), edge("lb", "app", **(way or {}))],
        until_s=until_s,
        seed=seed,
        interventions=interventions,
    )


def app(execution: Execution) -> Any:
    return execution.model.blocks["app"]


def lives(execution: Execution) -> list[int]:
    """How often each instance has died."""
    return [int(it) for it in app(execution).lives]


def busy_at(execution: Execution, instance: int, until_s: float) -> int:
    """Of many moments until then, at how many the instance was at work."""
    found = 0
    while execution.now_ns < until_s * SECOND:
        execution.advance(execution.now_ns + 20 * MS)
        found += app(execution).station.busy[instance] > 0
    return found


def failed(execution: Execution) -> int:
    return int(execution.model.blocks["users"].failed)


def noted(execution: Execution, kind: str, target: str = "app") -> list[float]:
    """When moments of a kind were named, in seconds."""
    return [it.at_ns / SECOND for it in execution.take_notables() if it.kind == kind and it.target == target]


# ---- readiness, liveness, startup


def test_failing_readiness_takes_traffic_away_and_restarts_nobody() -> None:
    drawing = farm(at(5, fault("app", "not_ready", instance=1, duration_s=20)))
    execution = run(drawing, until_s=5)
    assert busy_at(execution, 1, 5.9) > 0, "three failures take longer than that"
    execution.advance(10 * SECOND)
    assert metric(execution, "app", "instances_ready") == 2
    assert busy_at(execution, 1, 24.9) == 0
    execution.advance(27 * SECOND)
    assert busy_at(execution, 1, 40) > 100, "it is back as soon as it says so"
    assert lives(execution) == [0, 0, 0]
    assert failed(execution) == 0


@pytest.mark.parametrize("seed", range(1, 5))
def test_failing_liveness_restarts_exactly_the_dead_instance_after_20_to_31_seconds(seed: int) -> None:
    # Kubernetes' defaults: period 10 s, timeout 1 s, three failures.
    drawing = farm(at(5, fault("app", "deadlock", instance=1)), lb={"probes": True}, seed=seed, until_s=90)
    execution = run(drawing)
    (ordered,) = noted(execution, "restart_ordered")
    assert 20 <= ordered - 5 <= 31
    assert lives(execution) == [0, 1, 0]
    assert metric(execution, "app", "instances_deadlocked") == 0
    assert metric(execution, "app", "health") == 0
    assert app(execution).failures_by_reason()["crashed"] > 0, "what hung in it is lost"


@pytest.mark.parametrize("seed", range(1, 7))
def test_a_crashed_server_that_takes_long_to_start_is_left_alone_until_it_has(seed: int) -> None:
    # Kubernetes' defaults. Liveness would kill it 20 to 31 s into its start of 60 s, again and again.
    crash = at(10, fault("app", "crash", instance=1, restart_after_s=1))
    drawing = farm(crash, lb={"probes": True}, seed=seed, until_s=200, start_mean_s=60)
    execution = run(drawing, until_s=11.5)
    targets = execution.model.blocks["lb"].targets
    assert [targets.verdict(row) for row in range(3)] == [0, 1, 0], "the gate closes when the process begins"
    while not targets.taking[1]:
        execution.advance(execution.now_ns + 10 * MS)
    # It listens at 71 s; then a startup probe within 10 s, and a readiness probe within 10 more.
    assert 71 <= execution.now_ns / SECOND <= 91.02
    execution.advance(execution.until_ns)
    assert lives(execution) == [0, 1, 0] and noted(execution, "restart_ordered") == []
    assert [targets.verdict(row) for row in range(3)] == [0, 0, 0]


def test_without_a_startup_probe_liveness_kills_a_crashed_server_while_it_starts() -> None:
    crash = at(10, fault("app", "crash", instance=1, restart_after_s=1))
    drawing = farm(crash, lb={"probes": True, "startup": False}, until_s=200, start_mean_s=60)
    execution = run(drawing)
    assert len(noted(execution, "restart_ordered")) >= 4
    assert not execution.model.blocks["lb"].targets.taking[1]


def test_a_crashed_server_that_does_not_come_back_is_not_ready_after_20_to_31_seconds() -> None:
    drawing = farm(at(10, fault("app", "crash", instance=1)), lb={"probes": True}, until_s=100, start_mean_s=60)
    execution = run(drawing, until_s=29.99)
    targets = execution.model.blocks["lb"].targets
    assert targets.taking[1] == 1
    execution.advance(41 * SECOND)
    assert targets.taking[1] == 0


def test_a_second_crash_while_it_starts_begins_the_wait_anew() -> None:
    crashes = [at(moment, fault("app", "crash", instance=1, restart_after_s=1)) for moment in (10, 50)]
    execution = run(farm(*crashes, lb={"probes": True}, until_s=200, start_mean_s=60), until_s=110.9)
    targets = execution.model.blocks["lb"].targets
    assert targets.verdict(1) == 1
    execution.advance(131 * SECOND + 20 * MS)
    assert targets.taking[1] == 1
    assert lives(execution) == [0, 2, 0] and noted(execution, "restart_ordered") == []


def test_a_deadlock_lasts_until_somebody_restarts_it() -> None:
    execution = run(farm(at(5, fault("app", "deadlock", instance=1)), lb={**QUICK, "liveness": False}, until_s=300))
    assert lives(execution) == [0, 0, 0]
    assert metric(execution, "app", "instances_deadlocked") == 1
    hung = app(execution).station.busy[1]
    assert hung > 0
    execution.advance(execution.until_ns)
    assert app(execution).station.busy[1] == hung, "none of its workers ever finishes"
    assert unaccounted(execution) == []


def test_calls_pile_up_in_a_deadlocked_instance_and_go_on_when_it_ends() -> None:
    drawing = farm(
        at(5, fault("app", "deadlock", instance=1, duration_s=4)), lb={"algorithm": "round_robin"}, workers=5
    )
    execution = run(drawing, until_s=8.9)
    assert app(execution).station.busy[1] == 5
    assert app(execution).station.waiting[1] == pytest.approx(20 * 3.9 - 5, abs=30)
    execution.advance(15 * SECOND)
    assert metric(execution, "app", "queue") == 0
    assert lives(execution) == [0, 0, 0] and failed(execution) == 0


def test_probes_that_a_deadlock_holds_are_answered_once_when_it_dies() -> None:
    never = {**QUICK, "liveness_restarts": False}
    drawing = farm(at(5, fault("app", "deadlock")), lb=never, until_s=3_000)
    execution = run(drawing, until_s=30)
    held = len(app(execution).life.standstill.held)
    assert held > 3 * 20, "three instances, two kinds of probe, every second"
    execution.act(fault("app", "crash", restart_after_s=1), "test")
    assert len(app(execution).life.standstill.held) == 0
    execution.advance(40 * SECOND)
    assert metric(execution, "app", "health") == 0
    quieten(execution)
    execution.advance(execution.until_ns)
    # A probe may be on its way.
    assert in_use(execution) <= 6
    assert unaccounted(execution) == []


@pytest.mark.parametrize("gated", [True, False])
def test_a_startup_probe_keeps_liveness_from_killing_a_slow_starter(gated: bool) -> None:
    # It takes 10 s to start; liveness gives up after three seconds.
    drawing = farm(
        at(5, fault("app", "crash", instance=1, restart_after_s=1)), lb={**QUICK, "startup": gated}, start_mean_s=10
    )
    execution = run(drawing)
    # The crash itself is noticed before it is over, or not; then nothing is killed any more, or again and again.
    assert (lives(execution)[1] <= 2) == gated
    assert lives(execution)[0] == lives(execution)[2] == 0
    assert metric(execution, "app", "instances_ready") == (3 if gated else 2)


@pytest.mark.parametrize("needs_worker", [True, False])
def test_probes_that_need_a_worker_turn_overload_into_restarts(needs_worker: bool) -> None:
    # 3 x 5 workers x 20/s = 300/s are possible, 450/s come.
    drawing = farm(rate=450, workers=5, queue_max=None, probe_needs_worker=needs_worker, until_s=30)
    execution = run(drawing)
    assert (sum(lives(execution)) > 0) == needs_worker


def test_an_overloaded_instance_may_say_that_it_is_not_ready() -> None:
    drawing = farm(rate=450, workers=5, queue_max=None, overloaded_not_ready=20, until_s=20)
    execution = run(drawing)
    assert metric(execution, "app", "instances_ready") == 0
    assert lives(execution) == [0, 0, 0]


# ---- starting and warming up


def test_an_instance_that_starts_refuses_calls_and_is_slow_until_it_is_warm() -> None:
    # Work takes 5 times as long at first, falling linearly to 1: three times as long on average.
    drawing = scenario(
        [
            block("users", "client", rate_per_s=1000, arrivals="even", write_weight=0),
            block(
                "app",
                "app_server",
                before_mean_ms=1,
                before_distribution="constant",
                start_mean_s=2,
                warm_up_s=10,
                warm_up_factor=5,
                cold_start=True,
            ),
        ],
        [edge("users", "app", latency_mean_ms=0.001)],
        until_s=30,
    )
    execution = run(drawing, until_s=2)
    assert execution.model.blocks["users"].failures_by_reason() == {"refused": 1999}
    before = app(execution).pool.busy_integral()
    execution.advance(12 * SECOND)
    assert app(execution).pool.busy_integral() - before == pytest.approx(10_000 * 3 * MS, rel=1e-3)
    assert metric(execution, "app", "instances_warming") == 0
    before = app(execution).pool.busy_integral()
    execution.advance(22 * SECOND)
    assert app(execution).pool.busy_integral() - before == pytest.approx(10_000 * MS, rel=1e-3)


@pytest.mark.parametrize("waits", [True, False])
def test_ready_when_warm_keeps_traffic_away_from_a_cold_instance(waits: bool) -> None:
    drawing = farm(
        at(5, fault("app", "crash", instance=1, restart_after_s=1)), warm_up_s=20, ready_when_warm=waits, start_mean_s=1
    )
    execution = run(drawing, until_s=12)
    assert metric(execution, "app", "instances_warming") == 1
    assert (busy_at(execution, 1, 26) == 0) == waits
    execution.advance(32 * SECOND)
    assert busy_at(execution, 1, 40) > 0


# ---- draining


def test_a_drained_instance_finishes_what_it_has_and_no_request_fails() -> None:
    drawing = farm(at(5, fault("app", "drain", instance=1)), drain_s=8, before_mean_ms=400)
    execution = run(drawing, until_s=10)
    assert metric(execution, "app", "instances_draining") == 1
    execution.advance(13 * SECOND)
    assert app(execution).station.busy[1] == 0, "nothing new came to it"
    execution.advance(execution.until_ns)
    assert lives(execution) == [0, 1, 0]
    assert metric(execution, "app", "drained") == 1
    assert failed(execution) == 0
    assert metric(execution, "app", "instances_ready") == 3


def test_a_crash_instead_of_a_drain_loses_what_was_in_it() -> None:
    drawing = farm(at(5, fault("app", "crash", instance=1, restart_after_s=9)), before_mean_ms=400)
    assert failed(run(drawing)) > 0


def test_past_its_draining_time_an_instance_refuses_new_calls_and_finishes_old_ones() -> None:
    # A way of half a second: some calls set off before it was known that the instance drains.
    drawing = farm(
        at(5, fault("app", "drain", instance=1)),
        lb={"tries": 1},
        way={"latency_mean_ms": 500},
        drain_s=0,
        before_mean_ms=2000,
        workers=200,
    )
    execution = run(drawing, until_s=5)
    inside = app(execution).station.busy[1]
    assert inside == pytest.approx(40, abs=20)
    execution.advance(20 * SECOND)
    assert app(execution).failures_by_reason().keys() == {"refused"}, "none of those inside failed"
    assert lives(execution) == [0, 1, 0]


def test_a_rolling_restart_takes_one_instance_after_the_other() -> None:
    drawing = farm(at(5, fault("app", "drain")), drain_s=8, restart_time_s=1, start_mean_s=2, until_s=90)
    execution = Execution(drawing, recorded=False)
    while execution.now_ns < 90 * SECOND:
        execution.advance(execution.now_ns + SECOND // 2)
        assert metric(execution, "app", "instances_ready") >= 2
    assert lives(execution) == [1, 1, 1]
    assert failed(execution) == 0
    # 8 s of draining, then 1 s, and 2 s to start; then up to 1 s for each of two probes, so that the balancer sends it calls.
    first, second, third = noted(execution, "drain")
    assert first == 5
    for before, after in ((first, second), (second, third)):
        assert 11 <= after - before <= 13.2


# ---- what is seen


@pytest.mark.parametrize(("instances", "name"), [(1, "app"), (2, "app 1")])
def test_an_instance_has_a_number_where_there_are_several(instances: int, name: str) -> None:
    deeds = (fault("app", "deadlock", instance=0), clear("app"), fault("app", "not_ready", instance=0))
    more = (fault("app", "crash", instance=0, restart_after_s=1), fault("app", "drain", instance=0))
    log = [at(5 + 20 * step, deed) for step, deed in enumerate((*deeds, clear("app"), *more))]
    execution = run(farm(*log, instances=instances, start_mean_s=2, until_s=130))
    titles = {it.title for it in execution.take_notables()}
    told = {"Deadlock in {}", "{} is not ready", "{} is being restarted", "{} starts", "{} is ready", "{} drains"}
    assert {it.format(name) for it in told} <= titles
    assert not [title for title in titles if f"{name} 1" in title]
    assert execution.detail("lb")["targets"][0]["target"] == name


def test_the_card_shows_each_instances_state() -> None:
    execution = run(farm(start_mean_s=10, lb={}, drain_s=5), until_s=1)
    names = ["off", "starting", "warming", "ready", "not_ready", "draining", "deadlocked", "down"]

    def seen() -> list[str]:
        return [names[cell % 128] for cell in app(execution).cells()]

    assert seen() == ["ready"] * 3
    execution.act(fault("app", "deadlock", instance=0), "test")
    execution.act(fault("app", "not_ready", instance=1), "test")
    execution.act(fault("app", "crash", instance=2), "test")
    assert seen() == ["deadlocked", "not_ready", "down"]
    words = [row["state"] for row in execution.detail("app")["instances"]]
    assert words == ["deadlocked", "ready, not ready", "down"]
    execution.act(clear("app"), "test")
    assert seen() == ["ready", "ready", "starting"]
    execution.act(fault("app", "drain", instance=0), "test")
    assert seen() == ["draining", "ready", "starting"]
    execution.act(set_param("app", "autoscale", True), "test")
    execution.act(set_param("app", "instances_max", 4), "test")
    assert seen() == ["draining", "ready", "starting", "off"]
    assert figures(execution, "app")["instances"] == 3
