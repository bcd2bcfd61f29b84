"""What all blocks can suffer: crash, refusal, pause, slow-down, alone and on top of one another."""

from __future__ import annotations

import pytest

from playground.engine.outcomes import CRASHED, OK, REFUSED
from playground.engine.simulation import Simulation
from tests.engine.parts import MS, SECOND, Echo, Sender, Slow, Worker, add, drain, inject, run, wire


def pair(service_ns: int = 10 * MS, instances: int = 1) -> tuple[Simulation, Sender, Slow]:
    simulation = Simulation(1)
    sender = add(simulation, Sender, "client")
    slow = add(simulation, Slow, "server", service_ns=service_ns)
    slow.set_instances(instances)
    wire(sender, slow)
    return simulation, sender, slow


# ---- crash


def test_a_crashed_callee_answers_all_calls_as_crashed() -> None:
    simulation, sender, slow = pair()
    for _ in range(5):
        sender.send()
    run(simulation, 4 * MS)
    inject(slow, "crash")
    drain(simulation)
    assert sender.answers == [(4 * MS, CRASHED, number) for number in range(5)]
    assert (slow.done, slow.in_flight) == ([], 0)


def test_a_crashed_callee_refuses_until_it_has_restarted() -> None:
    simulation, sender, slow = pair()
    inject(slow, "crash", restart_after_s=1.0)
    sender.send()
    run(simulation, SECOND)
    sender.send()
    drain(simulation)
    assert sender.answers == [(0, REFUSED, 0), (SECOND + 10 * MS, OK, 1)]
    assert slow.events == ["crash 0", "restart 0"]


def test_a_crash_takes_one_instance_and_leaves_the_others() -> None:
    simulation, sender, slow = pair(instances=3)
    for _ in range(3):
        sender.send()
    run(simulation, 1 * MS)
    inject(slow, "crash", instance=1)
    drain(simulation)
    assert sorted(sender.outcomes) == [OK, OK, CRASHED]
    assert slow.health() == 1.0
    inject(slow, "crash")
    assert slow.health() == 2.0


def test_overlapping_crashes_are_one_crash_until_the_last_restart() -> None:
    simulation, sender, slow = pair()
    inject(slow, "crash", restart_after_s=1.0)
    inject(slow, "crash", restart_after_s=3.0)
    for moment in (500, 1_500, 3_500):
        run(simulation, moment * MS)
        sender.send()
    drain(simulation)
    assert sender.outcomes == [REFUSED, REFUSED, OK]
    assert slow.events == ["crash 0", "restart 0"]


def test_a_server_that_refuses_still_crashes_with_what_it_has() -> None:
    simulation, sender, slow = pair(service_ns=SECOND)
    sender.send()
    run(simulation, 1 * MS)
    inject(slow, "refuse", duration_s=10.0)
    inject(slow, "crash", restart_after_s=0.1)
    drain(simulation)
    assert sender.outcomes == [CRASHED]
    assert slow.events == ["crash 0", "restart 0"]


def test_a_worker_pool_is_whole_again_after_a_crash() -> None:
    simulation = Simulation(1)
    sender = add(simulation, Sender, "client")
    worker = add(simulation, Worker, "server", mean_ns=SECOND)
    worker.size(1, 2, -1)
    wire(sender, worker)
    for _ in range(5):
        sender.send()
    run(simulation, 1 * MS)
    inject(worker, "crash", restart_after_s=0.001)
    run(simulation, 3 * MS)
    for _ in range(2):
        sender.send()
    run(simulation, 4 * MS)
    assert (worker.station.busy_all, worker.station.waiting_all) == (2, 0)
    drain(simulation)
    assert sender.outcomes.count(OK) == 2


# ---- refuse


def test_a_refusing_server_finishes_what_it_has() -> None:
    simulation, sender, slow = pair()
    sender.send()
    run(simulation, 1 * MS)
    inject(slow, "refuse", duration_s=1.0)
    sender.send()
    drain(simulation)
    assert sender.answers == [(1 * MS, REFUSED, 1), (10 * MS, OK, 0)]


# ---- pause


def test_a_pause_stops_work_and_goes_on_with_the_time_that_was_left() -> None:
    simulation, sender, slow = pair()
    sender.send()
    run(simulation, 4 * MS)
    inject(slow, "pause", duration_s=1.0)
    drain(simulation)
    assert slow.done == [SECOND + 10 * MS]


def test_calls_pile_up_before_a_paused_server_and_are_taken_in_their_order() -> None:
    simulation = Simulation(1)
    sender = add(simulation, Sender, "client")
    echo = add(simulation, Echo, "server")
    wire(sender, echo)
    inject(echo, "pause", duration_s=1.0)
    for step in range(5):
        run(simulation, step * MS)
        sender.send()
    drain(simulation)
    assert sender.answers == [(SECOND, OK, number) for number in range(5)]
    assert echo.failed == 0


def test_works_that_end_together_still_end_in_their_order_after_a_pause() -> None:
    simulation, sender, slow = pair()
    for _ in range(40):
        sender.send()
    run(simulation, 5 * MS)
    inject(slow, "pause", duration_s=1.0)
    drain(simulation)
    assert [number for _, _, number in sender.answers] == list(range(40))


def test_overlapping_pauses_hold_until_the_last_one_ends() -> None:
    simulation, sender, slow = pair()
    sender.send()
    run(simulation, 4 * MS)
    inject(slow, "pause", duration_s=1.0)
    inject(slow, "pause", duration_s=2.0)
    drain(simulation)
    assert slow.done == [2 * SECOND + 10 * MS]


def test_a_pause_holds_one_instance_and_the_others_go_on() -> None:
    simulation, sender, slow = pair(instances=2)
    inject(slow, "pause", instance=1, duration_s=1.0)
    for _ in range(4):
        sender.send()
    drain(simulation)
    # The calls take the instances in turn; those of the paused one begin when it moves again.
    assert sorted(sender.times) == [10 * MS, 10 * MS, SECOND + 10 * MS, SECOND + 10 * MS]


def test_a_server_that_crashes_in_a_pause_has_nothing_left_to_go_on_with() -> None:
    simulation, sender, slow = pair()
    sender.send()
    run(simulation, 4 * MS)
    inject(slow, "pause", duration_s=1.0)
    run(simulation, 5 * MS)
    inject(slow, "crash", restart_after_s=0.1)
    drain(simulation)
    assert sender.answers == [(5 * MS, CRASHED, 0)]
    assert slow.done == []


def test_replies_wait_for_a_paused_caller() -> None:
    simulation = Simulation(1)
    sender = add(simulation, Sender, "client")
    worker = add(simulation, Worker, "middle", mean_ns=0)
    slow = add(simulation, Slow, "slow", service_ns=10 * MS)
    wire(sender, worker)
    wire(worker, slow)
    sender.send()
    run(simulation, 5 * MS)
    inject(worker, "pause", duration_s=1.0)
    drain(simulation)
    assert slow.done == [10 * MS]
    assert sender.answers == [(SECOND + 5 * MS, OK, 0)]


# ---- slow down


def test_a_slow_down_stretches_what_is_left_and_all_that_follows() -> None:
    simulation, sender, slow = pair()
    sender.send()
    run(simulation, 4 * MS)
    inject(slow, "slow_down", factor=3.0)
    sender.send()
    drain(simulation)
    assert slow.done == [4 * MS + 18 * MS, 4 * MS + 30 * MS]


def test_the_end_of_a_slow_down_gives_back_the_usual_pace() -> None:
    simulation, sender, slow = pair()
    inject(slow, "slow_down", factor=4.0, duration_s=0.02)
    sender.send()
    run(simulation, 20 * MS)
    sender.send()
    drain(simulation)
    # Half of the stretched work is done when it ends; the other half takes its usual 5 ms.
    assert slow.done == [25 * MS, 30 * MS]
    assert slow.slow[0] == 1.0


def test_slow_downs_multiply_and_end_one_by_one() -> None:
    simulation, sender, slow = pair()
    inject(slow, "slow_down", factor=2.0, duration_s=1.0)
    inject(slow, "slow_down", factor=3.0, duration_s=2.0)
    for second in range(3):
        run(simulation, second * SECOND)
        sender.send()
    drain(simulation)
    assert [time % SECOND for time in slow.done] == [60 * MS, 30 * MS, 10 * MS]


def test_a_slow_down_in_a_pause_stretches_what_the_pause_holds() -> None:
    simulation, sender, slow = pair()
    sender.send()
    run(simulation, 4 * MS)
    inject(slow, "pause", duration_s=1.0)
    inject(slow, "slow_down", factor=2.0)
    drain(simulation)
    assert slow.done == [SECOND + 4 * MS + 12 * MS]


# ---- instances, clearing, books


@pytest.mark.parametrize("fault", ["crash", "refuse", "pause", "slow_down"])
def test_an_instance_that_came_during_a_fault_of_all_is_well_before_and_after(fault: str) -> None:
    simulation, sender, slow = pair()
    inject(slow, fault, factor=5.0)
    slow.set_instances(2)
    sender.send(instance=1)
    run(simulation, 100 * MS)
    slow.clear_faults()
    sender.send(instance=1)
    drain(simulation)
    assert sender.answers == [(10 * MS, OK, 0), (110 * MS, OK, 1)]
    assert slow.health() == 0.0


@pytest.mark.parametrize("fault", ["crash", "refuse", "pause", "slow_down"])
def test_a_cleared_fault_leaves_no_trace(fault: str) -> None:
    simulation, sender, slow = pair()
    inject(slow, fault, factor=5.0, duration_s=1.0, restart_after_s=1.0)
    assert slow.health() > 0.0
    slow.clear_faults()
    assert slow.health() == 0.0
    run(simulation, 2 * SECOND)
    sender.send()
    drain(simulation)
    assert sender.answers == [(2 * SECOND + 10 * MS, OK, 0)]


def test_a_fault_of_an_instance_that_there_is_not_changes_nothing() -> None:
    simulation, sender, slow = pair()
    for fault in ("crash", "refuse", "pause", "slow_down"):
        inject(slow, fault, instance=7, factor=2.0)
    sender.send()
    drain(simulation)
    assert sender.answers == [(10 * MS, OK, 0)]
    slow.clear_faults()


def test_a_block_that_never_spoke_of_instances_has_one() -> None:
    simulation = Simulation(1)
    sender = add(simulation, Sender, "client")
    echo = add(simulation, Echo, "server")
    wire(sender, echo)
    inject(echo, "crash", instance=0)
    sender.send()
    drain(simulation)
    assert sender.outcomes == [REFUSED]


def test_a_deleted_block_refuses_and_lets_go_even_of_what_a_pause_held() -> None:
    simulation, sender, slow = pair()
    sender.send()
    run(simulation, 4 * MS)
    inject(slow, "pause")
    sender.send()
    run(simulation, 5 * MS)
    slow.retire()
    sender.send()
    drain(simulation)
    assert sender.outcomes == [CRASHED, REFUSED, REFUSED]
    assert simulation.calls.in_use == 0


def test_faults_are_named_among_the_notable_moments() -> None:
    simulation, _, slow = pair()
    inject(slow, "crash", restart_after_s=1.0)
    drain(simulation)
    assert [(time, kind, target) for time, kind, _, target, _, _ in simulation.notables] == [
        (0, "crash", "server"),
        (SECOND, "restart", "server"),
    ]
