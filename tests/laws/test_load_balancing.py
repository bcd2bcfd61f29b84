"""How evenly calls spread, and who gets none. Sources: M. Mitzenmacher, "The power of two choices in randomized load balancing", 1996;
M. Raab and A. Steger, "Balls into bins", 1998; V. Mirrokni et al., "Consistent hashing with bounded loads", SODA 2018;
Envoy's documentation of outlier detection, panic threshold and slow start."""

from __future__ import annotations

import random
from collections import Counter
from math import ceil
from statistics import fmean, linear_regression, median

import pytest

from playground.engine.outcomes import NO_UPSTREAM, NOT_READY, OK, UPSTREAM_FAILED
from playground.execution import Execution
from playground.protocol.catalogue import Scalar
from playground.protocol.design import Scenario
from tests.engine.parts import MS, SECOND, inject
from tests.laws.fleet import Fleet
from tests.laws.intervals import AGREES, assert_agrees, half_width
from tests.sketch import block, edge, fault, in_use, run, scenario

WIRE = {"latency_mean_ms": 1e-6}

# ---- the power of two choices


def hundred_servers(algorithm: str, seed: int, until_s: float) -> Scenario:
    """100 servers with a worker each, service exponential with mean 1 s, 90 calls a second."""
    return scenario(
        [
            block("users", "client", rate_per_s=90, write_weight=0, key_choice="uniform"),
            block("lb", "load_balancer", algorithm=algorithm),
            block("app", "app_server", instances=100, workers=1, queue_max=None, before_mean_ms=1000),
        ],
        [edge("users", "lb", **WIRE), edge("lb", "app", **WIRE)],
        seed=seed,
        until_s=until_s,
    )


def times_in_a_server(algorithm: str, seeds: range, *, warm_up_s: float, until_s: float) -> list[float]:
    """Mean times of a call in a server after a warm-up, s, once a seed.

    How busy the servers happened to be is taken out: its mean is known to be 90, and most of the scatter comes from there (control
    variate; A. Law, "Simulation modeling and analysis", 11.4).
    """
    means, busy = [], []
    for seed in seeds:
        execution = Execution(hundred_servers(algorithm, seed, until_s), recorded=False)
        execution.advance(round(warm_up_s * SECOND))
        app = execution.model.blocks["app"]
        total, number, work = app.histogram.total, app.histogram.number, app.pool.busy_integral()
        execution.advance(execution.until_ns)
        means.append((app.histogram.total - total) / (app.histogram.number - number) / 1e9)
        busy.append((app.pool.busy_integral() - work) / 1e9 / (until_s - warm_up_s))
    slope = linear_regression(busy, means).slope
    return [mean - slope * (held - 90) for mean, held in zip(means, busy, strict=True)]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_choice_of_two_at_load_ninety_percent_takes_two_and_two_thirds_service_times() -> None:
    # Infinitely many servers: sum over i of 0.9^(2^i - 2) = 2.6141; a hundred, with both choices independent: 2.66 to 2.68
    # (a hundred times as many calls in a bare Markov chain give 2.661).
    found = times_in_a_server("two_choices", range(1, 11), warm_up_s=300, until_s=8_300)
    half = half_width(found, AGREES)
    assert half < 0.015
    assert 2.66 - half <= fmean(found) <= 2.68 + half, (fmean(found), half)
    assert fmean(found) > 2.6141 + half


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_random_choice_at_load_ninety_percent_takes_ten_service_times() -> None:
    # A hundred M/M/1 queues: 1 / (1 - 0.9).
    found = times_in_a_server("random", range(1, 9), warm_up_s=1_000, until_s=6_000)
    assert_agrees(found, 10.0)


def fullest(algorithm: str, seed: int) -> int:
    """1,000 calls that last, to 1,000 servers: the most on one."""
    fleet = Fleet(1_000, seed=seed, algorithm=algorithm)
    fleet.servers.service_ns = 10 * SECOND
    for user in range(1_000):
        fleet.users.send_for(user)
    fleet.run(1)
    assert sum(fleet.servers.took) == 1_000
    return max(fleet.servers.took)


def test_a_thousand_balls_in_a_thousand_bins_pile_up_to_three_with_two_choices_and_six_with_one() -> None:
    two = [fullest("two_choices", seed) for seed in range(1, 31)]
    one = [fullest("random", seed) for seed in range(1, 31)]
    assert median(two) == 3 and max(two) <= 4
    assert 5 <= fmean(one) <= 6.5


# ---- consistent hashing


@pytest.mark.parametrize(
    ("algorithm", "least", "most", "to_old"),
    [("ring_hash", 0.07, 0.11, 0.0), ("maglev", 0.085, 0.12, 0.03), ("modulo", 0.90, 0.92, 1.0)],
)
def test_an_eleventh_server_moves_a_share_of_users_that_goes_by_the_algorithm(
    algorithm: str, least: float, most: float, to_old: float
) -> None:
    fleet = Fleet(10, algorithm=algorithm)
    users = range(8_000)
    before = [fleet.lb.chooser.choose(0, user) for user in users]
    fleet.servers.size(11)
    after = [fleet.lb.chooser.choose(0, user) for user in users]
    moved = [new for old, new in zip(before, after, strict=True) if old != new]
    assert least <= len(moved) / len(users) <= most
    assert sum(new != 10 for new in moved) / len(users) <= to_old


@pytest.mark.parametrize("hash_on", ["user", "key"])
def test_a_hash_leads_a_user_or_an_item_to_one_server(hash_on: str) -> None:
    fleet = Fleet(10, algorithm="ring_hash", hash_on=hash_on)
    servers_of: dict[tuple[str, int], set[int]] = {}
    for user in range(40):
        for key in range(40):
            fleet.call(user, key=key)
            instance = fleet.servers.calls_seen[-1][1]
            servers_of.setdefault(("user", user), set()).add(instance)
            servers_of.setdefault(("key", key), set()).add(instance)
    alone = [len(found) == 1 for (kind, _), found in servers_of.items() if kind == hash_on]
    assert all(alone)
    assert not any(len(found) == 1 for (kind, _), found in servers_of.items() if kind != hash_on)


@pytest.mark.parametrize("algorithm", ["ring_hash", "maglev", "modulo"])
def test_bounded_loads_give_no_server_more_than_its_bound(algorithm: str) -> None:
    # Half of all calls come from one user. Looked at after every single event.
    factor = 1.25
    fleet = Fleet(10, algorithm=algorithm, bounded_loads=factor)
    fleet.servers.service_ns = 40 * MS
    chance = random.Random(5)
    outstanding, given, hot = [0] * 10, 0, Counter[int]()
    for _ in range(3_000):
        user = 7 if chance.random() < 0.5 else chance.randrange(10**6)
        fleet.users.send_for(user)
        until = fleet.simulation.now + round(chance.expovariate(1 / (1 * MS)))
        while not fleet.simulation.advance(until, 1):
            now = [fleet.lb.targets.outstanding[row] for row in range(10)]
            for row in range(10):
                if now[row] > outstanding[row]:
                    given += 1
                    assert now[row] <= ceil(factor * sum(now) / 10)
            outstanding = now
    hot.update(instance for _, instance, user in fleet.servers.calls_seen if user == 7)
    assert given == 3_000
    assert len(hot) >= 5, "without a bound it would be one server's"


def test_without_a_bound_a_hot_user_stays_at_one_server() -> None:
    fleet = Fleet(10, algorithm="ring_hash")
    fleet.servers.service_ns = 40 * MS
    for _ in range(50):
        fleet.users.send_for(7)
    fleet.run(1)
    assert sorted(fleet.servers.took)[-2:] == [0, 50]


# ---- outlier ejection


def fail(fleet: Fleet, instance: int, times: int) -> None:
    """Let calls go to all until one instance has failed so many of them."""
    fleet.servers.failing[instance] = True
    goal = fleet.servers.took[instance] + times
    while fleet.servers.took[instance] < goal:
        fleet.call(0)
    fleet.servers.failing[instance] = False


def ejecting(count: int, **params: Scalar) -> Fleet:
    return Fleet(count, algorithm="round_robin", outlier_ejection=True, panic_percent=None, **params)


def test_five_failures_in_a_row_eject_a_server_at_once() -> None:
    fleet = ejecting(10)
    fail(fleet, 3, 4)
    for _ in range(10):
        fleet.call(0)
    # One success in between: it counts from 0 again.
    fail(fleet, 3, 4)
    assert fleet.metric("ejected") == 0
    fail(fleet, 3, 1)
    assert fleet.ready() == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    assert fleet.metric("ejected") == 1 and fleet.metric("eligible") == 9
    taken = fleet.servers.took[3]
    for _ in range(100):
        fleet.call(0)
    assert fleet.servers.took[3] == taken


def test_an_ejection_lasts_thirty_seconds_times_how_often_and_ends_with_a_sweep() -> None:
    # Sweeps are at 10, 20, 30 ... s.
    fleet = ejecting(10)
    fleet.run(11)
    ended = []
    for _ in range(3):
        fail(fleet, 3, 5)
        began = fleet.simulation.now / SECOND
        while fleet.metric("ejected"):
            fleet.run(fleet.simulation.now / SECOND + 0.5)
        ended.append(fleet.simulation.now / SECOND)
        lasted = ended[-1] - began
        base = 30 * len(ended)
        assert base <= lasted <= base + 10.5
        assert ended[-1] % 10 == pytest.approx(0, abs=0.51)
        fleet.run(ended[-1] + 1)
    assert [title for _, title in fleet.notes("ejected")] == ["servers 4 ejected by lb"] * 3


def test_a_server_that_was_well_for_a_sweep_is_forgiven_one_ejection() -> None:
    fleet = ejecting(10)
    fail(fleet, 3, 5)
    fleet.run(61)
    assert fleet.metric("ejected") == 0
    fail(fleet, 3, 5)
    began = fleet.simulation.now / SECOND
    fleet.run(began + 40.5)
    assert fleet.metric("ejected") == 0, "30 s again, not 60"


def test_no_ejection_is_longer_than_five_minutes() -> None:
    fleet = ejecting(10, base_ejection_s=100.0)
    longest = 0.0
    for _ in range(6):
        fail(fleet, 3, 5)
        began = fleet.simulation.now
        while fleet.metric("ejected"):
            fleet.run(fleet.simulation.now / SECOND + 1)
        longest = max(longest, (fleet.simulation.now - began) / SECOND)
    assert 300 <= longest <= 311


@pytest.mark.parametrize(("count", "most"), [(2, 1), (5, 1), (10, 1), (19, 1), (20, 2), (40, 4)])
def test_at_most_a_tenth_of_the_servers_are_ejected_and_at_least_one(count: int, most: int) -> None:
    fleet = ejecting(count)
    for instance in range(count):
        fleet.servers.failing[instance] = True
    for _ in range(20 * count):
        assert fleet.call(0) == NOT_READY
    assert fleet.metric("ejected") == most


# ---- panic


def test_below_half_of_the_servers_well_all_of_them_get_calls() -> None:
    fleet = Fleet(10, algorithm="round_robin", probes=True, liveness=False)
    for instance in range(5):
        fleet.servers.is_ready[instance] = False
    fleet.run(40)
    assert fleet.ready() == [5, 6, 7, 8, 9] and fleet.metric("panic") == 0
    assert {fleet.call(user) for user in range(50)} == {OK}
    fleet.servers.is_ready[5] = False
    fleet.run(80)
    assert fleet.ready() == list(range(10)) and fleet.metric("panic") == 1
    outcomes = Counter(fleet.call(user) for user in range(100))
    assert outcomes == {OK: 40, NOT_READY: 60}
    assert [value >= 128 for value in fleet.lb.cells()] == [True] * 6 + [False] * 4
    for instance in range(10):
        fleet.servers.is_ready[instance] = True
    fleet.run(120)
    assert fleet.metric("panic") == 0
    assert len(fleet.notes("panic")) == len(fleet.notes("panic_over")) == 1


def test_in_panic_dead_servers_get_calls_too() -> None:
    fleet = Fleet(4, algorithm="round_robin", probes=True)
    for instance in range(3):
        inject(fleet.servers, "crash", instance=instance)
    fleet.run(40)
    assert fleet.metric("panic") == 1
    assert Counter(fleet.call(user) for user in range(40)) == {OK: 10, UPSTREAM_FAILED: 30}


def test_without_a_panic_threshold_the_rest_gets_it_all() -> None:
    for off in (None, 0.0):
        fleet = Fleet(10, probes=True, panic_percent=off)
        for instance in range(9):
            fleet.servers.is_ready[instance] = False
        fleet.run(40)
        assert fleet.ready() == [9] and fleet.metric("panic") == 0


# ---- all dead


@pytest.mark.parametrize(("panic", "outcome"), [(None, "no_upstream"), (50.0, "upstream_failed")])
def test_with_all_servers_dead_requests_fail_by_name_and_nothing_hangs(panic: float | None, outcome: str) -> None:
    drawing = scenario(
        [
            block("users", "client", rate_per_s=50),
            block("lb", "load_balancer", probes=True, panic_percent=panic),
            block("app", "app_server", instances=5, workers=50),
        ],
        [edge("users", "lb"), edge("lb", "app")],
        until_s=60,
    )
    execution = run(drawing, until_s=5)
    execution.act(fault("app", "crash"), "test")
    execution.advance(40 * SECOND)
    before = execution.model.blocks["users"].failures_by_reason().get(outcome, 0)
    offered = execution.model.blocks["users"].offered
    execution.advance(60 * SECOND)
    users = execution.model.blocks["users"]
    assert users.failures_by_reason()[outcome] - before == pytest.approx(users.offered - offered, abs=2)
    assert users.in_flight <= 2 and in_use(execution) <= 5


def test_a_balancer_without_a_single_target_that_weighs_anything_answers_at_once() -> None:
    fleet = Fleet(2, edge={"weight": 0}, algorithm="weighted")
    assert fleet.call(0) == NO_UPSTREAM


# ---- slow start


def newcomer_shares(algorithm: str) -> list[float]:
    """A fifth server comes to four, with a slow start of 100 s: its share of calls in each tenth of that time, and of the one after."""
    fleet = Fleet(4, algorithm=algorithm, slow_start_s=100.0)
    fleet.servers.service_ns = 100 * MS
    fleet.run(10)
    fleet.servers.size(5)
    shares = []
    taken, total = 0, sum(fleet.servers.took)
    for window in range(11):
        fleet.users.send_every(5 * MS, 2_000)
        fleet.run(10 + 10 * (window + 1))
        now, every = fleet.servers.took[4], sum(fleet.servers.took)
        shares.append((now - taken) / (every - total))
        taken, total = now, every
    return shares


@pytest.mark.parametrize("algorithm", ["round_robin", "weighted", "random", "two_choices", "least_connections"])
def test_a_slow_start_ramps_linearly_from_a_tenth_of_a_servers_share_to_all_of_it(algorithm: str) -> None:
    shares = newcomer_shares(algorithm)
    for window, share in enumerate(shares[:10]):
        weight = max(0.1, (window + 0.5) / 10)
        assert share == pytest.approx(weight / (4 + weight), abs=0.025), f"{algorithm}, tenth {window}: {shares}"
    assert shares[10] == pytest.approx(0.2, abs=0.025)
    assert shares[0] < shares[4] < shares[9]


def test_without_slow_start_a_newcomer_gets_its_share_at_once() -> None:
    fleet = Fleet(4, algorithm="round_robin")
    fleet.servers.size(5)
    for user in range(500):
        fleet.call(user)
    assert fleet.servers.took == [100] * 5


def test_a_server_that_is_well_again_starts_slowly_too() -> None:
    fleet = Fleet(10, algorithm="round_robin", probes=True, liveness=False, slow_start_s=1_000.0)
    fleet.servers.is_ready[0] = False
    fleet.run(40)
    fleet.servers.is_ready[0] = True
    fleet.run(51)
    taken = fleet.servers.took[0]
    for user in range(910):
        fleet.call(user)
    assert fleet.servers.took[0] - taken == pytest.approx(10, abs=2)
    assert fleet.lb.cells()[:2] == [6, 0]
