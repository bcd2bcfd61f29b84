"""A load balancer that has crashed does nothing: no probe, no verdict, no restart, no ejection, no panic. Whoever comes up after it is
a fresh process, for which all that is listed counts as well, as when a run begins, until it has asked for itself."""

from __future__ import annotations

import pytest

from playground.engine.outcomes import NO_UPSTREAM, OK, REFUSED
from playground.protocol.catalogue import Scalar
from tests.engine.parts import SECOND, inject
from tests.laws.fleet import Fleet

STEADY: dict[str, Scalar] = {"algorithm": "round_robin", "probes": True}


def crash(fleet: Fleet, restart_after_s: float | None = None) -> None:
    inject(fleet.lb, "crash", restart_after_s=restart_after_s)


def probes_between(fleet: Fleet, since_s: float, until_s: float) -> int:
    """Probes that servers were asked in a span."""
    return sum(since_s * SECOND < at <= until_s * SECOND for at, _, _ in fleet.servers.probes_seen)


def said(fleet: Fleet, since_s: float) -> list[str]:
    """Kinds of what the balancer and its orders had to say after a moment."""
    return [note[1] for note in fleet.simulation.notables if note[0] > since_s * SECOND and note[1] != "restart"]


def test_while_it_is_down_it_asks_nobody_and_judges_nobody() -> None:
    fleet = Fleet(4, **STEADY)
    fleet.run(30)
    assert probes_between(fleet, 0, 30) == pytest.approx(4 * 2 * 3, abs=4)
    crash(fleet)
    for instance in range(3):
        fleet.servers.is_alive[instance] = fleet.servers.is_ready[instance] = False
    failed = fleet.metric("probes_failed")
    fleet.run(300)
    assert probes_between(fleet, 30, 300) == 0
    assert fleet.servers.restarts == [] and said(fleet, 30) == []
    assert fleet.metric("probes_failed") == failed and fleet.metric("panic") == 0
    assert fleet.call(1) == REFUSED


def test_answers_to_probes_of_before_a_crash_find_nobody() -> None:
    for restart_after_s in (None, 0.5):
        fleet = Fleet(2, **STEADY, panic_percent=None, failure_threshold=1, probe_timeout_s=4.0)
        fleet.servers.probe_ns = 2 * SECOND
        fleet.run(30)
        fleet.servers.is_ready[0] = fleet.servers.is_alive[0] = False
        while not fleet.servers.probes_seen[-1][0] > 30 * SECOND or fleet.servers.probes_seen[-1][1] != 0:
            fleet.run(fleet.simulation.now / SECOND + 0.01)
        crash(fleet, restart_after_s)
        # The answer comes after two seconds; a fresh process that asks anew has its own after two more.
        asked = len(fleet.servers.probes_seen)
        failed = fleet.metric("probes_failed")
        fleet.run(fleet.simulation.now / SECOND + 2.3)
        assert fleet.metric("probes_failed") == failed and fleet.ready() == [0, 1]
        assert restart_after_s is not None or len(fleet.servers.probes_seen) == asked


def test_a_fresh_process_takes_all_for_well_and_finds_out_anew() -> None:
    fleet = Fleet(4, **STEADY, liveness=False)
    fleet.servers.is_ready[1] = False
    fleet.run(60)
    assert fleet.ready() == [0, 2, 3]
    crash(fleet, 5.0)
    fleet.run(65.1)
    assert fleet.ready() == [0, 1, 2, 3] and fleet.lb.cells() == [0, 0, 0, 0]
    fleet.run(84)
    assert fleet.ready() == [0, 1, 2, 3], "three failures, ten seconds apart, from a new phase on"
    fleet.run(96)
    assert fleet.ready() == [0, 2, 3]
    assert probes_between(fleet, 65, 95) == pytest.approx(4 * 3, abs=4)


def test_a_fresh_process_gives_nobody_a_slow_start() -> None:
    fleet = Fleet(4, **STEADY, slow_start_s=100.0, liveness=False)
    fleet.servers.is_ready[1] = False
    fleet.run(60)
    fleet.servers.is_ready[1] = True
    fleet.run(75)
    assert fleet.ready() == [0, 1, 2, 3] and fleet.lb.cells()[1] == 6
    crash(fleet, 1.0)
    fleet.run(76.1)
    assert fleet.lb.cells() == [0, 0, 0, 0]
    for user in range(40):
        assert fleet.call(user) == OK
    # In turn, from the first one on, each with its full share.
    assert [it[1] for it in fleet.servers.calls_seen[-40:]] == [0, 1, 2, 3] * 10


def test_panic_ends_with_the_process_and_comes_again_when_it_is_found_again() -> None:
    fleet = Fleet(4, **STEADY, liveness=False)
    fleet.run(20)
    for instance in range(3):
        fleet.servers.is_ready[instance] = False
    fleet.run(60)
    assert fleet.metric("panic") == 1
    crash(fleet, 10.0)
    fleet.run(71)
    assert fleet.metric("panic") == 0 and "panic_over" not in said(fleet, 60)
    fleet.run(110)
    assert fleet.metric("panic") == 1 and said(fleet, 71).count("panic") == 1


def test_while_it_is_down_it_takes_nobody_back_and_a_fresh_process_has_ejected_nobody() -> None:
    fleet = Fleet(4, algorithm="round_robin", outlier_ejection=True, base_ejection_s=100.0, max_ejected_percent=100.0)
    fleet.servers.failing[2] = True
    fleet.run(10)
    for user in range(20):
        fleet.call(user)
    assert fleet.lb.cells()[2] == 4
    crash(fleet)
    fleet.run(300)
    assert said(fleet, 10) == []
    fleet.lb.clear_faults()
    assert fleet.ready() == [0, 1, 2, 3] and fleet.metric("ejected") == 0
    for user in range(20):
        fleet.call(user)
    assert fleet.lb.cells()[2] == 4
    fleet.servers.failing[2] = False
    fleet.run(450)
    assert len(fleet.notes("ejection_over")) == 1, "it sweeps again"


def test_servers_that_come_while_it_is_down_are_well_when_it_is_back() -> None:
    fleet = Fleet(2, **STEADY)
    fleet.run(30)
    crash(fleet, 60.0)
    fleet.run(40)
    fleet.servers.size(4)
    fleet.servers.off[0] = True
    fleet.servers.announce()
    fleet.run(89)
    assert probes_between(fleet, 30, 89) == 0
    fleet.run(91)
    assert fleet.ready() == [1, 2, 3]
    fleet.run(120)
    assert {instance for at, instance, _ in fleet.servers.probes_seen if at > 90 * SECOND} == {1, 2, 3}


def test_parameters_that_change_while_it_is_down_count_from_its_restart_on() -> None:
    fleet = Fleet(2, algorithm="round_robin")
    fleet.run(10)
    crash(fleet, 50.0)
    fleet.set(probes=True, probe_period_s=2.0, startup_period_s=2.0, outlier_ejection=True)
    fleet.run(59.9)
    assert probes_between(fleet, 0, 59.9) == 0
    fleet.run(80)
    assert probes_between(fleet, 60, 80) == pytest.approx(2 * 2 * 10, abs=4)


def test_a_server_that_restarts_while_it_is_down_is_no_news_to_it() -> None:
    fleet = Fleet(2, **STEADY, panic_percent=None)
    fleet.run(30)
    crash(fleet)
    inject(fleet.servers, "crash", instance=0, restart_after_s=5)
    fleet.run(100)
    assert "not_ready" not in said(fleet, 30) and fleet.lb.cells() == [0, 0]
    fleet.lb.clear_faults()
    assert fleet.call(1) != NO_UPSTREAM


def test_a_balancer_that_refuses_goes_on_probing() -> None:
    # Its process is there: turning calls away is not being gone.
    fleet = Fleet(2, **STEADY)
    fleet.run(30)
    inject(fleet.lb, "refuse", duration_s=None)
    fleet.run(60)
    assert probes_between(fleet, 30, 60) == pytest.approx(2 * 2 * 3, abs=3)
