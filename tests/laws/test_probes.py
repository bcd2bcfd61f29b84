"""Probes as Kubernetes has them ("Configure Liveness, Readiness and Startup Probes", kubernetes.io), and draining."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from statistics import fmean

import pytest

from playground.blocks.load_balancer.behaviour import LoadBalancer
from playground.engine.outcomes import (
    NOT_READY,
    OK,
    PROBE_LIVENESS,
    PROBE_READINESS,
    PROBE_STARTUP,
    PROBES,
)
from playground.protocol.catalogue import Scalar
from tests.engine.parts import MS, SECOND, add, inject, wire
from tests.laws.fleet import Fleet, Users

FLEET = 200


def times_until_not_ready(fleet: Fleet, fault: str) -> list[float]:
    """Each server dies at a moment of its own within 10 s; seconds from there until it gets no more calls. All within 5 ms."""
    chance = random.Random(3)
    deaths = sorted((50 + 10 * chance.random(), instance) for instance in range(fleet.servers.instances))
    died: dict[int, float] = {}
    found: dict[int, float] = {}
    step = 50.0
    while step < 95:
        while deaths and deaths[0][0] <= step:
            at, instance = deaths.pop(0)
            fleet.run(at)
            inject(fleet.servers, fault, instance=instance)
            died[instance] = at
        fleet.run(step)
        for instance in died.keys() - found.keys():
            if not fleet.lb.targets.taking[instance]:
                found[instance] = step - died[instance]
        step += 0.005
    assert len(found) == fleet.servers.instances
    return list(found.values())


@pytest.mark.parametrize("liveness", [False, True])
def test_a_dead_server_is_not_ready_after_twenty_to_thirty_seconds(liveness: bool) -> None:
    found = times_until_not_ready(Fleet(FLEET, probes=True, liveness=liveness, panic_percent=None), "crash")
    assert min(found) >= 20 and max(found) <= 30.01
    if not liveness:
        # The phase is uniform: 25 s on average.
        assert fmean(found) == pytest.approx(25, abs=0.75)
        assert min(found) < 20.5 and max(found) > 29.5


def test_a_server_that_falls_silent_is_not_ready_after_twenty_one_to_thirty_one_seconds() -> None:
    # Nobody answers a probe of a frozen server: its timeout of 1 s comes on top.
    found = times_until_not_ready(Fleet(FLEET, probes=True, liveness=False, panic_percent=None), "pause")
    assert min(found) >= 21 and max(found) <= 31.01
    assert fmean(found) == pytest.approx(26, abs=0.75)


def test_behind_a_partition_all_servers_are_not_ready_after_twenty_one_to_thirty_one_seconds() -> None:
    fleet = Fleet(50, probes=True, liveness=False, panic_percent=None)
    fleet.run(45)
    inject(fleet.to_servers, "partition")
    fleet.run(45 + 20.9)
    assert len(fleet.ready()) == 50
    fleet.run(45 + 31.01)
    assert fleet.ready() == []


def test_one_failed_probe_or_two_change_nothing() -> None:
    fleet = Fleet(20, probes=True)
    fleet.run(30)
    for instance in range(20):
        fleet.servers.is_ready[instance] = False
    fleet.run(49.99)
    assert len(fleet.ready()) == 20 and fleet.metric("probes_failed") >= 20
    for instance in range(20):
        fleet.servers.is_ready[instance] = True
    fleet.run(120)
    assert len(fleet.ready()) == 20
    assert fleet.notes("not_ready") == []


def test_readiness_failing_takes_traffic_away_without_a_restart() -> None:
    fleet = Fleet(4, probes=True)
    fleet.servers.is_ready[2] = False
    fleet.run(200)
    assert fleet.ready() == [0, 1, 3]
    assert fleet.servers.restarts == [] and fleet.notes("restart_ordered") == []
    assert {fleet.call(user) for user in range(200)} == {OK}
    fleet.servers.is_ready[2] = True
    fleet.run(210.1)
    assert fleet.ready() == [0, 1, 2, 3]
    assert [title for _, title in fleet.notes("not_ready")] == ["servers 3 is not ready"]
    assert [title for _, title in fleet.notes("ready")] == ["servers 3 is ready"]


def test_liveness_failing_restarts_and_the_restarted_server_comes_back() -> None:
    fleet = Fleet(4, probes=True)
    fleet.run(20)
    fleet.servers.is_alive[1] = False
    fleet.run(41)
    restart = [(at / SECOND, instance) for at, instance in fleet.servers.restarts]
    fleet.run(55)
    restart = restart or [(at / SECOND, instance) for at, instance in fleet.servers.restarts]
    assert [instance for _, instance in restart] == [1]
    # 20 to 30 s of failures, then a second to restart.
    assert 40 <= restart[0][0] <= 51
    fleet.run(200)
    assert len(fleet.servers.restarts) == 1
    assert fleet.ready() == [0, 1, 2, 3]
    assert len(fleet.notes("restart_ordered")) == 1


def test_liveness_that_orders_no_restart_is_a_verdict_alone() -> None:
    fleet = Fleet(4, probes=True, liveness_restarts=False)
    fleet.servers.is_alive[1] = False
    fleet.run(40)
    assert fleet.servers.restarts == []
    assert fleet.lb.cells() == [0, 3, 0, 0]
    assert fleet.ready() == [0, 1, 2, 3], "traffic goes by readiness"


def test_a_startup_probe_gates_the_two_others() -> None:
    fleet = Fleet(2, probes=True)
    fleet.servers.starts_in_ns = 95 * SECOND
    fleet.run(20)
    fleet.servers.is_alive[0] = False
    while not fleet.servers.restarts:
        fleet.run(fleet.simulation.now / SECOND + 0.1)
    up_at = fleet.servers.restarts[0][0]
    fleet.run(200)
    after = [(at, kind) for at, instance, kind in fleet.servers.probes_seen if instance == 0 and at >= up_at]
    passed = next(at for at, kind in after if kind == PROBE_STARTUP and at >= up_at + 95 * SECOND)
    assert {kind for at, kind in after if at <= passed} == {PROBE_STARTUP}
    assert {kind for at, kind in after if at > passed} == {PROBE_LIVENESS, PROBE_READINESS}
    assert len(fleet.servers.restarts) == 1
    assert fleet.ready() == [0, 1]


def test_without_a_startup_probe_liveness_kills_a_slow_starter_again_and_again() -> None:
    # Whoever is not started isn't alive either: it needs 95 s, and gets 30.
    fleet = Fleet(2, probes=True, startup=False)
    fleet.servers.starts_in_ns = 95 * SECOND
    fleet.servers.is_alive = fleet.servers.is_started
    fleet.run(20)
    fleet.servers.is_started[0] = False
    fleet.run(320)
    assert 7 <= len(fleet.servers.restarts) <= 14
    assert {instance for _, instance in fleet.servers.restarts} == {0}


def test_a_server_that_never_starts_is_restarted_after_its_startup_failures() -> None:
    fleet = Fleet(2, probes=True, startup_threshold=5, startup_period_s=2.0)
    fleet.servers.starts_in_ns = 100_000 * SECOND
    fleet.run(20)
    fleet.servers.is_alive[0] = False
    fleet.run(110)
    gaps = [
        (after - before) / SECOND
        for (before, _), (after, _) in zip(fleet.servers.restarts, fleet.servers.restarts[1:], strict=False)
    ]
    assert len(gaps) >= 3
    assert all(8 <= gap <= 11.1 for gap in gaps), gaps


@pytest.mark.parametrize("successes", [1, 2, 3])
def test_so_many_successes_in_a_row_make_it_ready_again(successes: int) -> None:
    fleet = Fleet(30, probes=True, liveness=False, success_threshold=successes, panic_percent=None)
    for instance in range(30):
        fleet.servers.is_ready[instance] = False
    fleet.run(45)
    assert fleet.ready() == []
    for instance in range(30):
        fleet.servers.is_ready[instance] = True
    fleet.run(45 + 10 * (successes - 1) - 0.01)
    assert fleet.ready() == []
    fleet.run(45 + 10 * successes + 0.01)
    assert len(fleet.ready()) == 30


@pytest.mark.parametrize(("timeout_s", "ready"), [(1.0, 0), (2.0, 10)])
def test_an_answer_after_the_timeout_is_none(timeout_s: float, ready: int) -> None:
    fleet = Fleet(10, probes=True, liveness=False, panic_percent=None, probe_timeout_s=timeout_s)
    fleet.servers.probe_ns = 1_500 * MS
    fleet.run(45)
    assert len(fleet.ready()) == ready


def test_each_server_is_asked_every_ten_seconds_from_a_phase_of_its_own() -> None:
    fleet = Fleet(50, probes=True)
    fleet.run(60)
    for kind in (PROBE_LIVENESS, PROBE_READINESS):
        phases = []
        for instance in range(50):
            times = [at for at, which, asked in fleet.servers.probes_seen if which == instance and asked == kind]
            assert len(times) == 6
            assert {after - before for before, after in itertools.pairwise(times)} == {10 * SECOND}
            phases.append(times[0] / SECOND)
        assert len(set(phases)) == 50
        assert min(phases) < 1.5 and max(phases) > 8.5 and fmean(phases) == pytest.approx(5, abs=1.5), PROBES[kind]


def test_two_balancers_ask_separately() -> None:
    fleet = Fleet(5, probes=True)
    other = add(fleet.simulation, LoadBalancer, "other balancer")
    other.configure(fleet.lb_params())
    wire(other, fleet.servers)
    fleet.run(100)
    asked = Counter(kind for _, _, kind in fleet.servers.probes_seen)
    assert asked == {PROBE_LIVENESS: 100, PROBE_READINESS: 100}


# ---- the mistake: traffic by liveness


def errors_while_it_warms_up(**params: Scalar) -> tuple[int, int]:
    """One of four servers is alive but not ready for 100 s; failed and all calls of that time."""
    fleet = Fleet(4, algorithm="round_robin", probes=True, **params)
    fleet.run(20)
    fleet.servers.is_ready[0] = False
    fleet.run(50)
    outcomes = Counter[int]()
    for step in range(100):
        fleet.run(50 + step)
        outcomes.update(fleet.call(step) for _ in range(4))
    return outcomes[NOT_READY], sum(outcomes.values())


def test_traffic_by_readiness_spares_a_server_that_warms_up() -> None:
    assert errors_while_it_warms_up(route_by="readiness") == (0, 400)


@pytest.mark.parametrize("route_by", ["liveness", "nothing"])
def test_traffic_by_liveness_fails_at_a_server_that_is_alive_and_not_ready(route_by: str) -> None:
    assert errors_while_it_warms_up(route_by=route_by) == (100, 400)


def test_traffic_by_liveness_leaves_out_the_dead() -> None:
    fleet = Fleet(4, algorithm="round_robin", probes=True, route_by="liveness")
    inject(fleet.servers, "crash", instance=1)
    fleet.run(31)
    assert fleet.ready() == [0, 2, 3]


def test_without_probes_a_dead_server_goes_on_getting_calls() -> None:
    fleet = Fleet(4, algorithm="round_robin")
    inject(fleet.servers, "crash", instance=1)
    fleet.run(100)
    assert fleet.ready() == [0, 1, 2, 3] and fleet.metric("probes_failed") == 0


# ---- coming and going


def test_a_new_server_gets_calls_when_it_has_started_and_is_ready() -> None:
    fleet = Fleet(3, algorithm="round_robin", probes=True)
    fleet.run(30)
    fleet.servers.size(4)
    assert fleet.lb.cells() == [0, 0, 0, 1]
    fleet.servers.is_started[3] = False
    fleet.run(60)
    assert fleet.ready() == [0, 1, 2]
    fleet.servers.is_started[3] = True
    # A startup probe within 10 s, a readiness probe within 10 more.
    fleet.run(80.1)
    assert fleet.ready() == [0, 1, 2, 3]


def test_without_probes_a_new_server_gets_calls_at_once() -> None:
    fleet = Fleet(3, algorithm="round_robin")
    fleet.servers.size(4)
    assert fleet.ready() == [0, 1, 2, 3]


def test_a_server_that_is_switched_off_gets_no_new_calls_and_finishes_those_that_it_has() -> None:
    for params in ({}, {"probes": True}):
        fleet = Fleet(4, algorithm="round_robin", **params)
        fleet.servers.service_ns = 5 * SECOND
        fleet.run(30)
        for user in range(8):
            fleet.users.send_for(user)
        fleet.run(31)
        fleet.servers.off[0] = True
        fleet.servers.announce()
        assert fleet.lb.cells()[0] == 5 and fleet.lb.detail()["targets"][0]["verdict"] == "draining"  # type: ignore[index]
        for user in range(30):
            fleet.users.send_for(user)
        fleet.run(40)
        assert fleet.servers.took == [2, 12, 12, 12]
        assert Counter(fleet.users.outcomes) == {OK: 38}, "nothing that was in it is lost"
        assert fleet.lb.cells()[0] == 7 and fleet.metric("targets") == 3
        asked = [at for at, instance, _ in fleet.servers.probes_seen if instance == 0]
        assert all(at <= 31 * SECOND for at in asked)


def test_a_server_that_turns_not_ready_finishes_what_it_has() -> None:
    fleet = Fleet(2, algorithm="round_robin", probes=True, panic_percent=None)
    fleet.servers.service_ns = 60 * SECOND
    fleet.run(20)
    fleet.servers.is_ready[0] = False
    fleet.run(39)
    for user in range(4):
        fleet.users.send_for(user)
    fleet.run(51)
    assert fleet.ready() == [1]
    for user in range(4):
        fleet.users.send_for(user)
    fleet.servers.is_ready[0] = True
    fleet.run(115)
    assert fleet.servers.took == [2, 6]
    assert Counter(fleet.users.outcomes) == {OK: 8}


def test_an_answer_to_a_probe_of_before_a_restart_says_nothing() -> None:
    fleet = Fleet(1, probes=True, panic_percent=None, probe_timeout_s=9.0)
    fleet.servers.probe_ns = 5 * SECOND
    fleet.run(20)
    fleet.servers.is_alive[0] = False
    fleet.servers.is_started[0] = False
    while not fleet.notes("restart_ordered"):
        fleet.run(fleet.simulation.now / SECOND + 0.1)
    fleet.servers.starts_in_ns = 1_000 * SECOND
    fleet.run(fleet.simulation.now / SECOND + 30)
    assert fleet.ready() == [] and fleet.lb.cells() == [1]


# ---- the balancer asked itself


class Asker(Users):
    """Asks the balancer how it is."""

    def ask(self, kind: int) -> None:
        self.out["out"][0].probe(0, kind, SECOND)

    def on_probed(self, call: int) -> None:
        self.answers.append((self.simulation.now, self.calls.outcome[call], self.calls.key[call]))


def test_a_balancer_is_ready_as_long_as_one_of_its_servers_is() -> None:
    for panic in (None, 50.0):
        fleet = Fleet(3, probes=True, panic_percent=panic)
        asker = Asker(fleet.simulation, len(fleet.simulation.blocks), "outer")
        fleet.simulation.blocks.append(asker)
        wire(asker, fleet.lb)

        def answer(kind: int, asker: Asker = asker, fleet: Fleet = fleet) -> int:
            asker.ask(kind)
            fleet.run(fleet.simulation.now / SECOND + 0.1)
            return asker.outcomes[-1]

        for instance in (0, 1):
            inject(fleet.servers, "crash", instance=instance)
        fleet.run(40)
        assert answer(PROBE_READINESS) == OK
        inject(fleet.servers, "crash", instance=2)
        fleet.run(80)
        assert answer(PROBE_READINESS) == NOT_READY
        # Restarting the balancer would help nobody.
        assert answer(PROBE_LIVENESS) == answer(PROBE_STARTUP) == OK
