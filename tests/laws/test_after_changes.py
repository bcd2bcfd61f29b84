"""What is left behind where something changes while something else stands still or is down, or its people go."""

from __future__ import annotations

import pytest

from playground.execution import Execution
from playground.protocol.catalogue import Scalar
from playground.protocol.design import Intervention, Scenario
from tests.sketch import SECOND, at, block, edge, fault, metric, run, scenario, set_param


@pytest.mark.parametrize("whole", [False, True])
def test_writes_behind_come_to_the_store_although_nodes_stood_still_while_their_number_changed(whole: bool) -> None:
    drawing = scenario(
        [
            block("users", "client", rate_per_s=300, keys=60, read_weight=50, write_weight=50, users=50),
            block("app", "app_server", workers=500, before_mean_ms=1, writes="cache"),
            block("cache", "cache", instances=3, write_policy="behind", capacity=1_000),
            block("db", "sql_database", rows=60, buffer_rows=60),
        ],
        [
            edge("users", "app"),
            edge("app", "cache", "cache"),
            edge("app", "db", "store"),
            edge("cache", "db", "store"),
        ],
        until_s=60,
        interventions=[
            at(10, fault("cache", "pause", instance=None if whole else 2, duration_s=0.3 if whole else 1.0)),
            at(10.2 if whole else 10.5, set_param("cache", "instances", 4 if whole else 2)),
            at(20, set_param("cache", "instances", 3)),
            at(30, set_param("users", "write_weight", 0)),
        ],
    )
    execution = Execution(drawing, recorded=False)
    execution.advance(60 * SECOND)
    assert metric(execution, "cache", "lost_writes") == 0
    assert metric(execution, "cache", "unwritten") == 0
    cache, db = execution.model.blocks["cache"], execution.model.blocks["db"]
    promised = cache.promised  # type: ignore[attr-defined]
    given = {key: int(promised.version[promised.find(key)]) for key in range(1, 61) if promised.find(key) >= 0}
    assert len(given) > 30
    assert {key: it for key, it in given.items() if it > db.current_version(key)} == {}


def signed_in_at_one_server(*interventions: Intervention) -> Execution:
    """60 users who sign in at an instance that keeps their sessions itself; what is done to it."""
    drawing = scenario(
        [
            block("users", "client", rate_per_s=30, users=60, sign_in=True, key_choice="uniform", keys=100),
            block("app", "app_server", sessions="local", before_mean_ms=1),
        ],
        [edge("users", "app")],
        until_s=130,
        interventions=interventions,
    )
    return Execution(drawing, recorded=False)


def test_users_who_are_no_more_lose_no_session() -> None:
    execution = signed_in_at_one_server(
        at(60, set_param("users", "users", 3)), at(100, fault("app", "crash", instance=None, restart_after_s=1.0))
    )
    execution.advance(99 * SECOND)
    assert metric(execution, "users", "signed_in") <= 3
    execution.advance(101 * SECOND)
    assert metric(execution, "app", "sessions_lost") <= 3


@pytest.mark.parametrize("gone", ["fewer users", "spike over", "other loop"])
def test_users_of_a_closed_loop_who_are_no_more_lose_no_session(gone: str) -> None:
    # Sixty users sign in, and from 60 s on three are there.
    crowd: dict[str, Scalar] = {"loop": "closed", "concurrent_users": 60, "think_mean_s": 1}
    deeds = [at(60, set_param("users", "concurrent_users", 3))]
    if gone == "spike over":
        crowd["concurrent_users"] = 3
        deeds = [at(1, fault("users", "spike", factor=20, duration_s=59))]
    elif gone == "other loop":
        crowd.update(rate_per_s=30, users=60, loop="open", concurrent_users=3)
        deeds = [at(60, set_param("users", "loop", "closed"))]
    drawing = scenario(
        [
            block("users", "client", sign_in=True, keys=100, **crowd),
            block("app", "app_server", sessions="local", before_mean_ms=1),
        ],
        [edge("users", "app")],
        until_s=130,
        interventions=[*deeds, at(100, fault("app", "crash", instance=None, restart_after_s=1.0))],
    )
    execution = run(drawing, until_s=59)
    assert metric(execution, "users", "signed_in") == 60
    execution.advance(99 * SECOND)
    assert metric(execution, "users", "signed_in") == 3
    execution.advance(execution.until_ns)
    assert metric(execution, "app", "sessions_lost") == 3
    assert metric(execution, "users", "signed_out") == 3


@pytest.mark.parametrize("back", [False, True], ids=["under way", "to and fro"])
def test_users_of_a_loop_that_was_switched_off_are_signed_in_no_more(back: bool) -> None:
    # Thirty sign-ins of a second are under way when the closed loop begins, or some of its users go while it is switched off for three
    # seconds, and others come.
    deeds = [at(20, set_param("users", "loop", "closed"))]
    if back:
        deeds = [
            at(second, set_param("users", "loop", loop))
            for second, loop in ((0, "closed"), (17, "open"), (20, "closed"))
        ]
    drawing = scenario(
        [
            block(
                "users",
                "client",
                sign_in=True,
                keys=100,
                rate_per_s=30,
                users=2_000,
                concurrent_users=9,
                think_mean_s=3,
            ),
            block("app", "app_server", sessions="local", before_mean_ms=1_000, workers=100),
        ],
        [edge("users", "app")],
        until_s=50,
        interventions=[*deeds, at(40, fault("app", "crash", instance=None, restart_after_s=1.0))],
    )
    execution = run(drawing, until_s=39)
    assert metric(execution, "users", "users_now") == metric(execution, "users", "signed_in") == 9
    before = metric(execution, "app", "sessions_lost")
    execution.advance(execution.until_ns)
    assert metric(execution, "app", "sessions_lost") - before == 9


def test_sessions_that_are_thrown_away_with_the_place_they_were_kept_in_are_lost() -> None:
    execution = signed_in_at_one_server(at(60, set_param("app", "sessions", "none")))
    execution.advance(59 * SECOND)
    held = metric(execution, "users", "signed_in")
    execution.advance(61 * SECOND)
    assert metric(execution, "app", "sessions_lost") == pytest.approx(held, abs=3) and held > 50


def fleet(*interventions: Intervention, until_s: float = 120.0, **app: Scalar) -> Scenario:
    return scenario(
        [
            block("users", "client", rate_per_s=50, keys=10),
            block("lb", "load_balancer"),
            block("app", "app_server", **{"workers": 8, "before_mean_ms": 5, **app}),
        ],
        [edge("users", "lb"), edge("lb", "app")],
        until_s=until_s,
        interventions=interventions,
    )


def running(execution: Execution) -> int:
    """Instances that callers find."""
    return int(metric(execution, "lb", "targets"))


@pytest.mark.parametrize("back_s", [14, 40])
def test_an_instance_that_was_put_back_while_its_crash_held_runs_when_that_is_over(back_s: int) -> None:
    # It has crashed at 10 s until 30 s, and is taken out of the drawing at 12 s.
    execution = run(
        fleet(
            at(10, fault("app", "crash", instance=2, restart_after_s=20.0)),
            at(12, set_param("app", "instances", 2)),
            at(back_s, set_param("app", "instances", 3)),
            instances=3,
        )
    )
    assert running(execution) == 3
    assert metric(execution, "lb", "eligible") == 3


SCALED: dict[str, Scalar] = {
    "autoscale": True,
    "instances": 4,
    "instances_min": 1,
    "instances_max": 6,
    "evaluate_every_s": 2.0,
    "cool_down_s": 1.0,
}


def test_instances_that_autoscaling_had_switched_off_run_when_the_crash_is_over_in_which_it_was_turned_off() -> None:
    drawing = fleet(
        at(30, fault("app", "crash", instance=None, restart_after_s=10.0)),
        at(32, set_param("app", "autoscale", False)),
        **SCALED,
    )
    execution = run(drawing, until_s=29)
    assert running(execution) == 1
    execution.advance(39 * SECOND)
    assert running(execution) == 1
    execution.advance(41 * SECOND)
    assert running(execution) == 4
    # As many as were asked for, and no more: autoscaling alone starts others.
    execution = run(fleet(at(30, fault("app", "crash", instance=None, restart_after_s=10.0)), **SCALED), until_s=41)
    assert running(execution) == 1


def test_an_instance_that_finishes_what_it_has_starts_again_where_autoscaling_was_turned_off_meanwhile() -> None:
    # Requests of eight seconds: it is past its draining, and can't stay.
    drawing = fleet(
        at(1, set_param("users", "rate_per_s", 1)),
        at(13, set_param("app", "autoscale", False)),
        **{**SCALED, "drain_s": 0.1, "before_mean_ms": 8_000},
    )
    execution = run(drawing, until_s=13)
    assert (metric(execution, "app", "instances_draining"), running(execution)) == (1, 3)
    execution.advance(execution.until_ns)
    assert running(execution) == 4
    assert execution.model.blocks["users"].failures_by_reason() == {}


def test_sessions_are_lost_once_though_the_place_they_were_kept_in_goes_right_after_their_instances() -> None:
    # Two of four instances go, and at once the rest of the memory; each user has one session.
    drawing = scenario(
        [
            block("users", "client", rate_per_s=20, users=200, sign_in=True),
            block("lb", "load_balancer", sticky="cookie"),
            block("app", "app_server", sessions="local", instances=4, before_mean_ms=5),
        ],
        [edge("users", "lb"), edge("lb", "app")],
        until_s=61,
        interventions=[at(60, set_param("app", "instances", 2)), at(60, set_param("app", "sessions", "none"))],
    )
    execution = run(drawing, until_s=60 - 1e-9)
    signed_in = metric(execution, "users", "signed_in")
    assert signed_in > 150 and metric(execution, "app", "sessions_lost") == 0
    execution.advance(60 * SECOND)
    assert metric(execution, "app", "sessions_lost") == signed_in
