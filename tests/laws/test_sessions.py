"""Sessions kept in a server's memory are known there alone. Each sign-in begins a session at the server that got it; where calls go to any
of n servers alike, the next request finds it with probability 1/n, and a user who is signed out signs in anew: of all requests that present
a session, (n - 1) / n are turned away."""

from __future__ import annotations

from typing import Any

import pytest

from playground.catalogue import check_design
from playground.execution import Execution
from playground.protocol.catalogue import Scalar
from playground.protocol.design import Intervention, Scenario
from playground.protocol.errors import InputError
from tests.laws.intervals import assert_agrees, runs
from tests.sketch import (
    SECOND,
    at,
    block,
    clear,
    edge,
    fault,
    metric,
    run,
    scenario,
    set_param,
    unaccounted,
    with_params,
)


def shop(
    *interventions: Intervention,
    lb: dict[str, Scalar] | None = None,
    users: dict[str, Scalar] | None = None,
    until_s: float = 60.0,
    seed: int = 1,
    **app: Scalar,
) -> Scenario:
    """Signed-in users of some servers behind a balancer, and a store for sessions beside these."""
    crowd: dict[str, Scalar] = {"rate_per_s": 200, "users": 500, "write_weight": 0, "sign_in": True, **(users or {})}
    return scenario(
        [
            block("users", "client", **crowd),
            block("lb", "load_balancer", **(lb or {"algorithm": "random"})),
            block("app", "app_server", **{"before_mean_ms": 1, "sessions": "local", **app}),
            block("kept", "cache"),
        ],
        [edge("users", "lb"), edge("lb", "app"), edge("app", "kept", "sessions")],
        until_s=until_s,
        seed=seed,
        interventions=interventions,
    )


def app(execution: Execution) -> Any:
    return execution.model.blocks["app"]


def with_nodes() -> Scenario:
    """The same with three nodes of the store, which has all sessions of the 90 users."""
    drawing = shop(users=CLOSED, instances=3, sessions="store")
    return with_params(drawing, lambda it: it.id == "kept", instances=3)


def share_missed(execution: Execution) -> float:
    """Of the requests that presented a session, those that were turned away."""
    presented = app(execution).offered - metric(execution, "app", "sessions_begun")
    return metric(execution, "app", "sessions_missed") / presented


def held(execution: Execution) -> list[int]:
    """Sessions in each instance's memory."""
    return [row["sessions"] for row in execution.detail("app")["instances"]]


@pytest.mark.parametrize("servers", [2, 3, 5])
@pytest.mark.parametrize("algorithm", ["random", "round_robin"])
def test_without_sticky_sessions_all_but_one_in_n_requests_lose_theirs(servers: int, algorithm: str) -> None:
    # In turn is as good as by chance where many calls of others (200/s x 100 ms) lie between two of one user.
    drawing = shop(lb={"algorithm": algorithm}, instances=servers, before_mean_ms=100, before_distribution="constant")
    found = runs(drawing, range(1, 7))
    assert_agrees([share_missed(it) for it in found], (servers - 1) / servers, narrow=0.02)
    for execution in found:
        assert metric(execution, "users", "signed_out") > 1_000
        assert execution.model.blocks["users"].failures_by_reason().keys() == {"signed_out"}


@pytest.mark.parametrize("servers", [2, 3, 5])
def test_in_turn_a_lone_user_never_meets_the_server_that_knows_them(servers: int) -> None:
    # Signs in at one, comes back to the next one.
    alone: dict[str, Scalar] = {"loop": "closed", "concurrent_users": 1, "think_mean_s": 0.1}
    execution = run(shop(lb={"algorithm": "round_robin"}, users=alone, instances=servers))
    assert share_missed(execution) == 1
    assert execution.model.blocks["users"].completed == metric(execution, "users", "sign_ins")


@pytest.mark.parametrize("sticky", ["cookie", "ip_hash"])
def test_with_sticky_sessions_nobody_loses_theirs(sticky: str) -> None:
    execution = run(shop(lb={"sticky": sticky}, instances=3))
    assert share_missed(execution) == 0
    assert metric(execution, "users", "signed_out") == 0
    assert metric(execution, "users", "sign_ins") == pytest.approx(500, abs=5)
    assert execution.model.blocks["users"].failed == 0


def test_with_one_server_nobody_loses_theirs() -> None:
    execution = run(shop())
    assert share_missed(execution) == 0


def test_with_a_session_store_nobody_loses_theirs_wherever_they_are_sent() -> None:
    execution = run(shop(instances=3, sessions="store"))
    assert share_missed(execution) == 0
    assert metric(execution, "users", "signed_out") == 0
    kept = execution.model.blocks["kept"]
    assert abs(kept.offered - app(execution).offered) <= 3, "asked with each request"


def test_the_fix_works_while_it_runs() -> None:
    execution = run(shop(instances=3), until_s=20)
    execution.act(set_param("app", "sessions", "store"), "test")
    execution.advance(40 * SECOND)
    # Everybody has come and has signed in once more.
    before = metric(execution, "users", "signed_out")
    execution.advance(60 * SECOND)
    assert metric(execution, "users", "signed_out") - before <= 5
    noted = [it.title for it in execution.take_notables() if it.kind == "signed_out"]
    assert noted[0] == "Users of users are being logged out"


def named_lost(execution: Execution) -> list[str]:
    """Losses of sessions, as they are named since this was asked last."""
    return [it.title for it in execution.take_notables() if it.kind == "sessions_lost"]


CLOSED: dict[str, Scalar] = {"loop": "closed", "concurrent_users": 90, "think_mean_s": 0.5}


@pytest.mark.parametrize("seed", range(1, 4))
def test_a_crash_loses_exactly_that_instances_sessions(seed: int) -> None:
    # Users of the closed loop have one request under way at most, so each holds one session.
    drawing = shop(lb={"sticky": "cookie", "tries": 3}, users=CLOSED, instances=3, seed=seed)
    execution = run(drawing, until_s=10)
    before = held(execution)
    assert sum(before) == 90 and min(before) > 0
    execution.act(fault("app", "crash", instance=1, restart_after_s=5), "test")
    assert held(execution) == [before[0], 0, before[2]]
    assert metric(execution, "app", "sessions_lost") == before[1]
    execution.advance(execution.until_ns)
    assert metric(execution, "users", "signed_out") == before[1]
    (lost,) = [it for it in execution.take_notables() if it.kind == "sessions_lost"]
    assert lost.title == f"{before[1]} sessions lost with app 2"


def test_a_session_stores_crash_loses_all_sessions() -> None:
    drawing = shop(users=CLOSED, instances=3, sessions="store", until_s=30)
    execution = run(drawing, until_s=10)
    assert metric(execution, "users", "signed_in") == 90
    execution.act(fault("kept", "crash"), "test")
    # Counted and named at once, as an app server's are.
    assert metric(execution, "kept", "sessions_lost") == 90
    assert named_lost(execution) == ["90 sessions lost with kept"]
    execution.act(clear("kept"), "test")
    execution.advance(execution.until_ns)
    assert metric(execution, "users", "signed_out") == 90
    assert metric(execution, "kept", "sessions_lost") == 90


@pytest.mark.parametrize("deed", ["crash", "flush"])
def test_of_a_session_stores_nodes_the_one_that_forgets_loses_its_own(deed: str) -> None:
    execution = run(with_nodes(), until_s=10)
    nodes = execution.model.blocks["kept"].nodes
    there = [node.sessions.kept.size for node in nodes]
    assert sum(there) == 90 and min(there) > 0
    execution.act(fault("kept", "crash", instance=1) if deed == "crash" else fault("kept", "flush"), "test")
    assert metric(execution, "kept", "sessions_lost") == (there[1] if deed == "crash" else 90)
    expected = [f"{count} sessions lost with kept {number + 1}" for number, count in enumerate(there)]
    assert named_lost(execution) == (expected[1:2] if deed == "crash" else expected)


def test_a_node_that_was_taken_out_of_a_session_store_comes_back_with_nothing_in_memory() -> None:
    # What it knew is lost when it goes: as many are signed out as if it had crashed then, and nothing is counted at its return.
    execution = run(with_nodes(), until_s=10)
    nodes = execution.model.blocks["kept"].nodes
    there = [node.sessions.kept.size for node in nodes]
    execution.act(set_param("kept", "instances", 1), "test")
    assert metric(execution, "kept", "sessions_lost") == there[1] + there[2]
    assert named_lost(execution) == [f"{there[1]} sessions lost with kept 2", f"{there[2]} sessions lost with kept 3"]
    execution.act(set_param("kept", "instances", 3), "test")
    assert [node.sessions.kept.size for node in nodes] == [there[0], 0, 0]
    execution.advance(execution.until_ns)
    assert metric(execution, "users", "signed_out") == pytest.approx(there[1] + there[2], abs=2)
    assert metric(execution, "kept", "sessions_lost") == there[1] + there[2]


@pytest.mark.parametrize("seed", range(1, 4))
def test_a_session_that_its_user_has_replaced_by_a_newer_one_is_not_lost(seed: int) -> None:
    # Without sticky sessions users sign in all the time, and servers are full of sessions that nobody comes with any more.
    drawing = shop(lb={"algorithm": "round_robin"}, users=CLOSED, instances=3, seed=seed, until_s=30)
    execution = run(drawing, until_s=30)
    signed_in = metric(execution, "users", "signed_in")
    assert sum(held(execution)) > 10 * signed_in > 0
    execution.act(fault("app", "crash"), "test")
    # All three are gone, and with them what the users were signed in with.
    assert metric(execution, "app", "sessions_lost") == signed_in


def test_an_instance_that_is_taken_out_loses_its_sessions_then_and_none_when_it_is_put_back() -> None:
    drawing = shop(lb={"sticky": "cookie", "tries": 3}, users=CLOSED, instances=3)
    execution = run(drawing, until_s=10)
    before = held(execution)
    execution.act(set_param("app", "instances", 1), "test")
    assert metric(execution, "app", "sessions_lost") == before[1] + before[2]
    assert named_lost(execution) == [f"{before[1]} sessions lost with app 2", f"{before[2]} sessions lost with app 3"]
    assert metric(execution, "app", "sessions") == before[0]
    execution.advance(30 * SECOND)
    assert metric(execution, "users", "signed_out") == before[1] + before[2]
    execution.act(set_param("app", "instances", 3), "test")
    execution.advance(execution.until_ns)
    assert held(execution) == [90, 0, 0]
    assert metric(execution, "app", "sessions_lost") == before[1] + before[2]
    assert named_lost(execution) == []


@pytest.mark.parametrize("seed", range(1, 6))
def test_who_signs_in_twice_at_once_keeps_the_later_session_and_the_cookie_that_goes_with_it(seed: int) -> None:
    # Two sign-ins of 100 ms overlap and are answered by two servers. A request that came with the first one's cookie is answered after
    # that; it had its cookie already, so it gets none that would take the place of the second one's.
    drawing = shop(lb={"sticky": "cookie", "algorithm": "round_robin"}, instances=3, before_mean_ms=100, seed=seed)
    execution = run(drawing, until_s=30)
    assert metric(execution, "users", "sign_ins") > metric(execution, "users", "signed_in"), "some have signed in twice"
    assert metric(execution, "users", "signed_out") == 0


def test_a_session_ends_when_it_was_not_used_for_its_time() -> None:
    # Even thinking 2 s never lets a session of 3 s end; thinking 4 s always does.
    for think_s, ends in ((2.0, False), (4.0, True)):
        users = {**CLOSED, "think_mean_s": think_s, "think_distribution": "constant"}
        for kept in ("local", "store"):
            execution = run(shop(users=users, sessions=kept, session_ttl_s=3), until_s=30)
            assert (metric(execution, "users", "signed_out") > 90) == ends
            assert (share_missed(execution) == pytest.approx(0.5, abs=0.1)) == ends


def test_only_sessions_that_were_alive_are_lost_in_a_crash() -> None:
    # Users sign in until 10 s and fall silent then; sessions of 5 s are all over at 20 s, though memory still has them.
    for ttl_s, alive in ((5, False), (1800, True)):
        drawing = shop(at(10, set_param("users", "rate_per_s", 0.001)), instances=1, session_ttl_s=ttl_s, until_s=60)
        execution = run(drawing, until_s=20)
        there = int(metric(execution, "users", "signed_in"))
        assert 100 < there <= held(execution)[0]
        execution.act(fault("app", "crash", restart_after_s=1), "test")
        assert metric(execution, "app", "sessions_lost") == (there if alive else 0)
        assert [it.title for it in execution.take_notables() if it.kind == "sessions_lost"] == (
            [f"{there} sessions lost with app"] if alive else []
        )


def test_an_instance_forgets_the_session_that_was_not_used_for_longest() -> None:
    execution = run(shop(users=CLOSED, sessions_max=60))
    assert held(execution) == [60]
    assert metric(execution, "app", "sessions_missed") > 0


def test_a_server_that_keeps_sessions_in_a_store_and_has_none_is_refused() -> None:
    drawing = scenario(
        [block("users", "client", sign_in=True), block("app", "app_server", sessions="store")], [edge("users", "app")]
    )
    with pytest.raises(InputError) as refused:
        check_design(drawing.design)
    assert "with sessions = store its port 'Sessions' needs a connection" in str(refused.value)


def test_sessions_move_into_a_store_that_is_turned_on_and_a_crash_then_loses_none() -> None:
    # Whoever comes to the server that holds their session brings it into the store; nobody has to sign in again.
    sticky: dict[str, Scalar] = {"algorithm": "round_robin", "sticky": "cookie"}
    turned = at(20, set_param("app", "sessions", "store"))
    execution = run(
        shop(turned, at(50, fault("app", "crash", instance=1, restart_after_s=5.0)), lb=sticky, instances=3)
    )
    assert metric(execution, "app", "sessions_missed") == 0
    assert metric(execution, "users", "signed_out") == 0
    assert sum(held(execution)) < 30, "all but those who did not come again have moved"


def test_a_session_that_does_not_get_into_the_store_stays_where_it_is_until_it_does() -> None:
    # One message in ten is lost on the way, there or back; who doesn't get an answer within 50 ms goes on with the next request.
    drawing = shop(
        at(20, set_param("app", "sessions", "store")), lb={"algorithm": "round_robin", "sticky": "cookie"}, instances=3
    )
    drawing = with_params(drawing, lambda it: it.id == "app--kept", loss_percent=10, timeout_ms=50)
    execution = run(drawing)
    assert metric(execution, "kept", "failed") + metric(execution, "app--kept", "failed") > 100
    assert metric(execution, "app", "sessions_missed") == 0
    assert metric(execution, "users", "signed_out") == 0


def test_a_session_that_got_into_the_store_though_the_answer_was_lost_is_not_lost_with_its_server() -> None:
    drawing = shop(
        at(20, set_param("app", "sessions", "store")),
        at(40, fault("app", "crash", instance=None, restart_after_s=1.0)),
        lb={"algorithm": "round_robin", "sticky": "cookie"},
        users=CLOSED,
        instances=3,
    )
    drawing = with_params(drawing, lambda it: it.id == "app--kept", loss_percent=10, timeout_ms=50)
    execution = run(drawing, until_s=39)
    assert sum(held(execution)) == 0, "each user has come often enough to have theirs moved"
    execution.advance(execution.until_ns)
    assert metric(execution, "app", "sessions_lost") == 0
    assert metric(execution, "users", "signed_out") == 0


@pytest.mark.parametrize("before", ["store", "none"])
def test_what_an_instance_finishes_that_was_taken_out_before_sessions_were_kept_there_is_not_known_to_it(
    before: str,
) -> None:
    # Requests of a second are under way at three instances; two are taken out, and then the servers are to keep sessions themselves.
    drawing = shop(
        at(5, set_param("app", "instances", 1)),
        at(5.2, set_param("app", "sessions", "local")),
        users=CLOSED,
        lb={"algorithm": "round_robin"},
        instances=3,
        sessions=before,
        workers=100,
        before_mean_ms=1000,
    )
    execution = run(drawing, until_s=20)
    assert unaccounted(execution) == []
    assert metric(execution, "app", "sessions_missed") > 0
    assert execution.model.blocks["users"].failures_by_reason().keys() == {"signed_out"}
