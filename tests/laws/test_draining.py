"""An instance that drains gets nothing new from the moment on, and finishes what it has: Kubernetes takes a terminating pod out of the
endpoints at once ("Pod Lifecycle", termination of pods), whatever probes have noticed by then."""

from __future__ import annotations

from typing import Any

import pytest

from playground.blocks.app_server.states import READY
from playground.execution import Execution
from playground.protocol.catalogue import Scalar
from playground.protocol.design import Action, Intervention, Scenario
from tests.sketch import MS, SECOND, at, block, edge, fault, metric, run, scenario, set_param, unaccounted

CALLERS: dict[str, dict[str, Scalar] | None] = {
    # Ten seconds between two probes: nobody could notice a draining of five seconds by them.
    "slow probes": {"probes": True},
    "slow probes, no panic": {"probes": True, "panic_percent": None},
    "no probes": {},
    "no balancer": None,
}
LONG: dict[str, Scalar] = {"instances": 4, "workers": 100, "before_mean_ms": 2000}


def farm(
    *interventions: Intervention,
    lb: dict[str, Scalar] | None,
    users: dict[str, Scalar] | None = None,
    way: dict[str, Scalar] | None = None,
    until_s: float = 120.0,
    **app: Scalar,
) -> Scenario:
    """Forty requests a second, of two seconds each, to four real app servers, behind a balancer or not."""
    crowd: dict[str, Scalar] = {"rate_per_s": 40, "write_weight": 0, **(users or {})}
    blocks = [block("users", "client", **crowd), block("app", "app_server", **{**LONG, **app}), block("kept", "cache")]
    edges = [edge("app", "kept", "sessions")]
    if lb is None:
        edges.append(edge("users", "app"))
    else:
        blocks.append(block("lb", "load_balancer", **lb))
        edges += [edge("users", "lb"), edge("lb", "app", **(way or {}))]
    return scenario(blocks, edges, until_s=until_s, interventions=interventions)


def lost(execution: Execution) -> dict[str, int]:
    """The users' failed requests by reason."""
    found: dict[str, int] = execution.model.blocks["users"].failures_by_reason()
    assert not unaccounted(execution)
    return found


def life(execution: Execution) -> Any:
    return execution.model.blocks["app"].life


def verdicts(execution: Execution) -> list[str]:
    """What the balancer knows of each instance."""
    return [row["verdict"] for row in execution.detail("lb")["targets"]]


# ---- nothing is lost


STICKY = [
    (caller, sticky)
    for caller, lb in CALLERS.items()
    for sticky in ("none", "cookie", "ip_hash")
    if lb is not None or sticky == "none"
]


@pytest.mark.parametrize(("caller", "sticky"), STICKY)
@pytest.mark.parametrize("deed", [fault("app", "drain", instance=1), fault("app", "drain")], ids=["one", "rolling"])
def test_draining_loses_no_request(caller: str, deed: Action, sticky: str) -> None:
    lb = CALLERS[caller]
    drawing = farm(at(10, deed), lb=None if lb is None else {**lb, "sticky": sticky})
    execution = run(drawing)
    assert lost(execution) == {}
    assert metric(execution, "app", "drained") == (1 if deed == fault("app", "drain", instance=1) else 4)


@pytest.mark.parametrize("caller", CALLERS)
def test_scaling_in_loses_no_request(caller: str) -> None:
    scaled: dict[str, Scalar] = {"autoscale": True, "instances_min": 2, "instances_max": 6, "cool_down_s": 0}
    drawing = farm(
        lb=CALLERS[caller], users={"rate_per_s": 6}, instances=6, workers=20, before_mean_ms=3000, until_s=60, **scaled
    )
    execution = run(drawing)
    assert metric(execution, "app", "instances") == 2 and metric(execution, "app", "drained") == 4
    assert lost(execution) == {}


@pytest.mark.parametrize("instances", [2, 3])
@pytest.mark.parametrize("panic", [50.0, None])
def test_a_rolling_restart_waits_until_the_balancer_sends_calls_again(instances: int, panic: float | None) -> None:
    # A process that starts for 3 s, then up to 10 s for its startup probe and up to 10 s for its readiness probe.
    lb: dict[str, Scalar] = {"probes": True, "panic_percent": panic}
    drawing = farm(at(30, fault("app", "drain")), lb=lb, instances=instances, start_mean_s=3, until_s=200)
    execution = Execution(drawing, recorded=False)
    while execution.now_ns < execution.until_ns:
        execution.advance(execution.now_ns + SECOND)
        assert verdicts(execution).count("ready") >= instances - 1
    assert metric(execution, "app", "drained") == instances
    assert lost(execution) == {}


# ---- what callers see


@pytest.mark.parametrize("caller", ["slow probes", "no probes"])
def test_a_balancer_sends_nothing_to_an_instance_from_its_draining_on(caller: str) -> None:
    execution = run(farm(lb=CALLERS[caller], before_distribution="constant"), until_s=10)
    execution.act(fault("app", "drain", instance=1), "test")
    assert verdicts(execution) == ["ready", "draining", "ready", "ready"]
    assert metric(execution, "lb", "targets") == 3
    inside = life(execution).station.busy[1]
    assert inside > 0
    while execution.now_ns < 12.5 * SECOND:
        execution.advance(execution.now_ns + 100 * MS)
        now = life(execution).station.busy[1]
        assert now <= inside + 1, "but for one that was on its way"
        inside = now
    assert inside == 0 and metric(execution, "app", "instances_draining") == 1


def test_what_is_on_its_way_when_an_instance_drains_is_served_for_the_draining_time() -> None:
    way: dict[str, Scalar] = {"latency_mean_ms": 1000}
    for drain_s, outcome in ((5.0, set()), (0.0, {"refused"})):
        drawing = farm(at(10, fault("app", "drain", instance=1)), lb={}, way=way, drain_s=drain_s, until_s=30)
        execution = run(drawing)
        assert execution.model.blocks["app"].failures_by_reason().keys() == outcome
        assert metric(execution, "app", "drained") == 1 and lost(execution).keys() <= {"upstream_failed"}


def test_a_restarted_instance_is_found_again_when_its_process_begins() -> None:
    execution = run(farm(lb={}, drain_s=0, restart_time_s=7, before_mean_ms=10), until_s=10)
    execution.act(fault("app", "drain", instance=1), "test")
    for second, verdict in ((10.1, "switched off"), (16.9, "switched off"), (17.1, "ready")):
        execution.advance(round(second * SECOND))
        assert verdicts(execution)[1] == verdict


def test_a_draining_instance_that_crashes_is_not_found_before_it_is_back() -> None:
    execution = run(farm(lb={}), until_s=10)
    execution.act(fault("app", "drain", instance=1), "test")
    execution.act(fault("app", "crash", instance=1, restart_after_s=20), "test")
    # Another one's draining makes the balancer look at the list again.
    execution.advance(15 * SECOND)
    execution.act(fault("app", "drain", instance=2), "test")
    assert verdicts(execution)[1] == "switched off"
    execution.advance(31 * SECOND)
    assert verdicts(execution)[1] == "ready"


# ---- when there is nobody else


@pytest.mark.parametrize("caller", CALLERS)
def test_when_all_drain_at_once_requests_fail_by_name_and_all_come_back(caller: str) -> None:
    deeds = [at(10, fault("app", "drain", instance=instance)) for instance in range(4)]
    execution = run(farm(*deeds, lb=CALLERS[caller], until_s=60), until_s=11)
    begun = metric(execution, "app", "offered")
    execution.advance(60 * SECOND)
    reasons = lost(execution)
    assert sum(reasons.values()) > 0
    # Without a list there is nobody else to choose, so those that drain go on until their time is over.
    assert reasons.keys() == ({"refused"} if CALLERS[caller] is None else {"no_upstream"})
    assert metric(execution, "app", "drained") == 4 and metric(execution, "app", "instances_ready") == 4
    assert metric(execution, "app", "offered") > begun + 500
    before = sum(reasons.values())
    execution = run(farm(*deeds, lb=CALLERS[caller], until_s=100))
    assert sum(lost(execution).values()) == before, "from 60 s on nothing fails"


def test_a_deadlock_in_what_an_instance_finishes_ends_it() -> None:
    # It would wait for ever, and nobody probes what is not listed.
    drawing = farm(lb={"probes": True}, drain_s=0, before_mean_ms=5000)
    execution = run(drawing, until_s=10)
    execution.act(fault("app", "drain", instance=1), "test")
    execution.advance(11 * SECOND)
    assert life(execution).station.busy[1] > 0
    execution.act(fault("app", "deadlock", instance=1, duration_s=None), "test")
    execution.advance(13 * SECOND)
    assert metric(execution, "app", "drained") == 1 and metric(execution, "app", "instances_deadlocked") == 0
    assert life(execution).station.busy[1] == 0


# ---- sessions


def test_users_of_a_draining_instance_move_with_their_next_request() -> None:
    crowd: dict[str, Scalar] = {"sign_in": True, "users": 80}
    for kept in ("store", "local"):
        drawing = farm(lb={"sticky": "cookie"}, users=crowd, before_mean_ms=200, sessions=kept, drain_s=35)
        execution = run(drawing, until_s=20)
        tied = execution.detail("lb")["targets"][1]["sessions"]
        moved = metric(execution, "lb", "sessions_moved")
        assert tied > 10
        execution.act(fault("app", "drain", instance=1), "test")
        # All have asked once more by then, and it is still draining.
        execution.advance(54 * SECOND)
        assert execution.detail("lb")["targets"][1]["sessions"] == 0
        assert metric(execution, "lb", "sessions_moved") >= moved + tied
        # A session that only the old server knew is lost with the move, and its user signs in anew; nothing else fails.
        signed_out = metric(execution, "users", "signed_out")
        assert lost(execution).keys() <= {"signed_out"}
        assert signed_out == 0 if kept == "store" else signed_out > 0


# ---- a rolling restart while instances come and go


ROLLING: dict[str, Scalar] = {
    "instances": 6,
    "workers": 10,
    "before_mean_ms": 20,
    "restart_time_s": 2,
    "start_mean_s": 8,
    "drain_s": 5,
}
SCALED: dict[str, Scalar] = {
    "autoscale": True,
    "instances_min": 4,
    "instances_max": 8,
    "evaluate_every_s": 5,
    "cool_down_s": 30,
    "target_utilisation_percent": 50,
}


@pytest.mark.parametrize("began_s", [10, 20, 25, 31])
def test_a_rolling_restart_comes_to_its_end_though_autoscaling_switches_off_the_instance_that_it_waits_for(
    began_s: int,
) -> None:
    # At 35 s two of six are not needed any more: the newest, which is one that has just been restarted, or is starting.
    drawing = farm(at(began_s, fault("app", "drain")), lb={}, until_s=200, **ROLLING, **SCALED)
    execution = run(drawing)
    assert (life(execution).rolling.instance, life(execution).rolling.following) == (-1, -1)
    running = [born for born, state in zip(life(execution).born, life(execution).state, strict=True) if state == READY]
    assert len(running) == 4
    assert min(running) >= began_s * SECOND, "every one that runs was restarted since"


@pytest.mark.parametrize("deed", ["fewer instances", "fewer while it starts"])
def test_a_rolling_restart_comes_to_its_end_though_the_instance_that_it_waits_for_is_taken_out(deed: str) -> None:
    # The sixth drains at 95 s and starts from 102 to 110 s.
    at_s = 97 if deed == "fewer instances" else 105
    fewer = at(at_s, set_param("app", "instances", 5))
    execution = run(farm(at(20, fault("app", "drain")), fewer, lb={}, until_s=200, **ROLLING))
    assert (life(execution).rolling.instance, life(execution).rolling.following) == (-1, -1)
    assert min(life(execution).born[:5]) >= 20 * SECOND
    # So another one can begin.
    execution = run(
        farm(at(20, fault("app", "drain")), fewer, at(120, fault("app", "drain")), lb={}, until_s=250, **ROLLING)
    )
    assert min(life(execution).born[:5]) >= 120 * SECOND


def test_two_rolling_restarts_never_have_two_instances_out_at_once() -> None:
    # The second is ordered while the first one's first instance drains, is waited for, or the last one drains.
    for again_s in (21, 26, 57):
        twice = [at(20, fault("app", "drain")), at(again_s, fault("app", "drain"))]
        drawing = farm(*twice, lb={}, until_s=150, **{**ROLLING, "start_mean_s": 0})
        execution = run(drawing, until_s=20)
        while execution.now_ns < execution.until_ns:
            execution.advance(execution.now_ns + SECOND)
            assert sum(state != READY for state in life(execution).state) <= 1
        assert min(life(execution).born) >= again_s * SECOND, "every one was restarted after the second order"
        assert lost(execution) == {}


def test_an_instance_that_was_ejected_and_restarted_is_another_process_and_no_longer_ejected() -> None:
    # Envoy forgets a host that has left its cluster; else the restart would wait five minutes for what the old process did.
    ejecting: dict[str, Scalar] = {"outlier_ejection": True, "base_ejection_s": 300, "max_ejection_s": 300}
    drawing = farm(
        at(10, fault("app", "refuse", instance=1, duration_s=5)),
        at(16, fault("app", "drain")),
        lb=ejecting,
        until_s=90,
        **{**ROLLING, "start_mean_s": 0},
    )
    execution = run(drawing, until_s=15)
    assert metric(execution, "lb", "ejected") == 1
    execution.advance(execution.until_ns)
    assert metric(execution, "lb", "ejected") == 0 and metric(execution, "lb", "eligible") == 6
    assert min(life(execution).born) >= 16 * SECOND


def test_an_ejected_instance_that_is_switched_off_takes_nobodys_place_among_those_that_may_be_out() -> None:
    # Of two one may be ejected: not the one that is gone.
    ejecting: dict[str, Scalar] = {"outlier_ejection": True, "base_ejection_s": 300, "max_ejection_s": 300}
    drawing = farm(
        at(10, fault("app", "refuse", instance=3, duration_s=5)),
        at(16, set_param("app", "autoscale", True)),
        at(60, fault("app", "refuse", instance=0)),
        lb={**ejecting, "tries": 1},
        until_s=90,
        before_mean_ms=5,
        instances_min=2,
        instances_max=4,
        evaluate_every_s=5,
        cool_down_s=5,
    )
    execution = run(drawing, until_s=59)
    assert metric(execution, "lb", "targets") == 2 and metric(execution, "lb", "ejected") == 0
    failed = metric(execution, "users", "failed")
    execution.advance(execution.until_ns)
    assert verdicts(execution)[0] == "ejected"
    # Five in a row, and what was under way meanwhile.
    assert metric(execution, "users", "failed") - failed < 15


@pytest.mark.parametrize("deed", ["restarted", "put back"])
def test_calls_that_died_with_a_process_are_no_failures_of_the_one_that_follows_it(deed: str) -> None:
    # Either it is deadlocked, drains and is killed, or it is taken out and put back: with calls in it.
    deeds = [at(10, fault("app", "deadlock", instance=3)), at(14, fault("app", "drain", instance=3))]
    if deed == "put back":
        deeds = [at(14, set_param("app", "instances", 3)), at(15, set_param("app", "instances", 4))]
    most: dict[str, Scalar] = {"outlier_ejection": True, "consecutive_5xx": 1_000, "tries": 1}
    drawing = farm(*deeds, lb=most, drain_s=0.5, restart_time_s=1, start_mean_s=0)
    execution = run(drawing, until_s=14.1)
    while life(execution).listed[3] == 0:
        execution.advance(execution.now_ns + 10 * MS)
    # Before it has answered anything.
    execution.advance(execution.now_ns + 10 * MS)
    assert sum(lost(execution).values()) > 5 and metric(execution, "lb", "targets") == 4
    assert execution.detail("lb")["targets"][3]["errors_in_a_row"] == 0
