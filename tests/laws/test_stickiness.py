"""Sticky sessions: what a dead server takes with it, and what is lost without. Cookies as HAProxy's and nginx's; address hashing as
D. Thaler and C. Ravishankar, "Using name-based mappings to increase hit rates", IEEE/ACM ToN 6(1), 1998."""

from __future__ import annotations

from collections import Counter

import pytest

from playground.engine.outcomes import OK, SIGN_IN, SIGNED_OUT
from playground.protocol.catalogue import Scalar
from tests.engine.parts import SECOND, inject
from tests.laws.fleet import Fleet

USERS = range(600)


def sticky(how: str, **params: Scalar) -> Fleet:
    """Six servers; what is dead is found out within 31 s."""
    return Fleet(6, algorithm="round_robin", sticky=how, probes=True, **params)


def homes(fleet: Fleet) -> list[int]:
    """Where the next call of each user goes."""
    return [fleet.server_of(user) for user in USERS]


def settle(fleet: Fleet, seconds: float = 31) -> None:
    fleet.run(fleet.simulation.now / SECOND + seconds)


@pytest.mark.parametrize("how", ["cookie", "ip_hash"])
def test_a_user_stays_at_one_server(how: str) -> None:
    fleet = sticky(how)
    first = homes(fleet)
    for _ in range(3):
        assert homes(fleet) == first
    counts = Counter(first)
    assert sorted(counts) == list(range(6))
    # 100 each; an address hash scatters them by sqrt(100 x 5/6) = 9.
    assert max(counts.values()) <= (100 if how == "cookie" else 130)
    assert fleet.metric("sessions_moved") == 0


def test_without_stickiness_users_wander() -> None:
    fleet = sticky("none")
    # 601 calls in a round: the next one begins one server further.
    first = homes(fleet)
    fleet.call(0)
    assert all(old != new for old, new in zip(first, homes(fleet), strict=True))


@pytest.mark.parametrize("how", ["cookie", "ip_hash"])
def test_a_dead_server_remaps_all_its_sessions_and_only_its_sessions(how: str) -> None:
    fleet = sticky(how)
    before = homes(fleet)
    inject(fleet.servers, "crash", instance=2)
    settle(fleet)
    after = homes(fleet)
    moved = [user for user in USERS if before[user] != after[user]]
    assert moved == [user for user in USERS if before[user] == 2]
    # They spread over all others.
    assert {after[user] for user in moved} == {0, 1, 3, 4, 5}
    assert homes(fleet) == after
    if how == "cookie":
        assert fleet.metric("sessions_moved") == len(moved)
        assert [title for _, title in fleet.notes("sessions_moved")] == ["Sessions leave servers 3"]


def test_a_user_who_was_moved_by_cookie_does_not_move_back() -> None:
    fleet = sticky("cookie")
    homes(fleet)
    inject(fleet.servers, "crash", instance=2)
    settle(fleet)
    after = homes(fleet)
    fleet.servers.clear_faults()
    settle(fleet)
    assert len(fleet.ready()) == 6
    assert homes(fleet) == after


def test_a_user_who_was_moved_by_address_comes_back_with_the_server() -> None:
    fleet = sticky("ip_hash")
    before = homes(fleet)
    inject(fleet.servers, "crash", instance=2)
    settle(fleet)
    homes(fleet)
    fleet.servers.clear_faults()
    settle(fleet)
    assert homes(fleet) == before


def test_an_ejected_server_remaps_its_sessions_too() -> None:
    fleet = Fleet(6, algorithm="round_robin", sticky="cookie", outlier_ejection=True, consecutive_5xx=5)
    before = homes(fleet)
    fleet.servers.failing[2] = True
    unlucky = [user for user in USERS if before[user] == 2]
    assert Counter(fleet.call(user) for user in unlucky[:5])[OK] == 0
    after = homes(fleet)
    assert [user for user in USERS if before[user] != after[user]] == unlucky


def test_a_cookie_comes_with_an_answer_not_with_a_refusal() -> None:
    fleet = Fleet(2, algorithm="round_robin", sticky="cookie")
    inject(fleet.servers, "refuse", instance=0)
    for user in range(10):
        assert fleet.call(user) != OK or fleet.servers.calls_seen[-1][1] == 1
    detail = fleet.lb.detail()["targets"]
    assert [row["sessions"] for row in detail] == [0, 5]  # type: ignore[attr-defined]


def test_a_refused_call_of_a_sticky_user_is_tried_elsewhere() -> None:
    fleet = Fleet(2, algorithm="least_connections", sticky="cookie", tries=2)
    fleet.server_of(1)
    home = fleet.server_of(1)
    inject(fleet.servers, "refuse", instance=home)
    outcomes = [fleet.call(1) for _ in range(3)]
    assert outcomes[-1] == OK and fleet.servers.calls_seen[-1][1] != home
    assert fleet.metric("sessions_moved") == 1


def test_cookies_outlive_a_crash_of_the_balancer() -> None:
    fleet = sticky("cookie")
    before = homes(fleet)
    inject(fleet.lb, "crash", restart_after_s=1.0)
    settle(fleet, 2)
    assert homes(fleet) == before


def test_cookies_for_a_server_that_was_taken_out_count_again_when_it_is_back() -> None:
    fleet = sticky("cookie")
    before = homes(fleet)
    fleet.servers.size(5)
    fleet.servers.size(6)
    settle(fleet)
    assert homes(fleet) == before
    rows = fleet.lb.detail()["targets"]
    assert [row["sessions"] for row in rows] == [before.count(server) for server in range(6)]  # type: ignore[attr-defined]
    fleet.servers.off[5] = True
    fleet.servers.announce()
    assert [title for _, title in fleet.notes("sessions_moved")] == ["Sessions leave servers 6"]


def test_only_so_many_cookies_are_kept_and_the_longest_unused_goes_first() -> None:
    fleet = sticky("cookie", cookies_max=100)
    first = [fleet.server_of(user) for user in range(100)]
    assert [fleet.server_of(user) for user in range(50)] == first[:50]
    for user in range(1_000, 1_050):
        fleet.call(user)
    assert [fleet.server_of(user) for user in range(50)] == first[:50]
    rows = fleet.lb.detail()["targets"]
    assert sum(row["sessions"] for row in rows) == 100  # type: ignore[attr-defined]
    fleet.set(cookies_max=10)
    rows = fleet.lb.detail()["targets"]
    assert sum(row["sessions"] for row in rows) == 10  # type: ignore[attr-defined]


# ---- sessions that only the server knows


def signed_out_share(how: str) -> float:
    """Users sign in, then call five times each; the share of calls at servers that know nothing of them."""
    fleet = sticky(how)
    fleet.servers.forgetful = True
    for user in USERS:
        assert fleet.call(user, SIGN_IN) == OK
    fleet.call(0)
    outcomes = Counter(fleet.call(user) for _ in range(5) for user in USERS)
    return outcomes[SIGNED_OUT] / sum(outcomes.values())


def test_without_stickiness_five_calls_of_six_miss_a_session_that_one_server_of_six_holds() -> None:
    # Round robin over six: a user's home has its turn once in six; 600 users are 100 whole rounds, so whoever is off once stays off.
    assert signed_out_share("none") == 1.0
    fleet = Fleet(6, algorithm="random", sticky="none")
    fleet.servers.forgetful = True
    for user in USERS:
        fleet.call(user, SIGN_IN)
    outcomes = Counter(fleet.call(user) for _ in range(5) for user in USERS)
    assert outcomes[SIGNED_OUT] / sum(outcomes.values()) == pytest.approx(5 / 6, abs=0.02)


@pytest.mark.parametrize("how", ["cookie", "ip_hash"])
def test_with_stickiness_no_session_is_missed_until_its_server_dies(how: str) -> None:
    assert signed_out_share(how) == 0.0
    fleet = sticky(how)
    fleet.servers.forgetful = True
    home = []
    for user in USERS:
        fleet.call(user, SIGN_IN)
        home.append(fleet.servers.calls_seen[-1][1])
    inject(fleet.servers, "crash", instance=4)
    settle(fleet)
    signed_out = [user for user in USERS if fleet.call(user) == SIGNED_OUT]
    assert signed_out == [user for user in USERS if home[user] == 4]
