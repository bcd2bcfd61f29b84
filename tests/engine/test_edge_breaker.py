"""The circuit breaker on an edge: fails at once while open, tries again, and never waits for a probe that will not come."""

from __future__ import annotations

from playground.engine.breaker import CLOSED, HALF_OPEN, OPEN
from playground.engine.edge import Edge
from playground.engine.outcomes import BREAKER_OPEN, ERROR, OK
from playground.engine.simulation import Simulation
from tests.engine.parts import MS, SECOND, Echo, Sender, Slow, Worker, add, drain, edge_params, inject, run, wire

BREAKER = {
    "breaker": True,
    "breaker_minimum_calls": 4,
    "breaker_window_s": 1.0,
    "breaker_open_s": 1.0,
    "breaker_probes": 1,
}


def failing(**policies: object) -> tuple[Simulation, Sender, Echo, Edge]:
    """A callee that fails, and a breaker that has just opened on it."""
    simulation = Simulation(1)
    sender = add(simulation, Sender, "client")
    echo = add(simulation, Echo, "server", outcome=ERROR)
    edge = wire(sender, echo, **{**BREAKER, **policies})
    for _ in range(4):
        sender.send()
    drain(simulation)
    assert edge.breaker.state == OPEN
    return simulation, sender, echo, edge


def test_an_open_breaker_fails_calls_at_once_and_the_callee_sees_none() -> None:
    simulation, sender, echo, edge = failing()
    sender.send()
    drain(simulation)
    assert sender.answers[-1] == (simulation.now, BREAKER_OPEN, 4)
    assert (echo.offered, edge.refused_by_breaker) == (4, 1)


def test_a_breaker_closes_when_its_probe_succeeds() -> None:
    simulation, sender, echo, edge = failing()
    echo.outcome = OK
    run(simulation, 2 * SECOND)
    sender.send()
    drain(simulation)
    assert edge.breaker.state == CLOSED
    assert sender.outcomes[-1] == OK


def test_a_breaker_opens_again_when_its_probe_fails() -> None:
    simulation, sender, _, edge = failing()
    run(simulation, 2 * SECOND)
    sender.send()
    drain(simulation)
    assert (edge.breaker.state, edge.breaker.opened_times) == (OPEN, 2)


def test_retries_stop_at_an_open_breaker() -> None:
    simulation = Simulation(1)
    sender = add(simulation, Sender, "client")
    echo = add(simulation, Echo, "server", outcome=ERROR)
    wire(sender, echo, retries=10, **BREAKER)
    sender.send()
    drain(simulation)
    assert echo.offered == 4
    assert sender.outcomes == [BREAKER_OPEN]


def test_timeouts_count_as_failures() -> None:
    simulation = Simulation(1)
    sender = add(simulation, Sender, "client")
    edge = wire(sender, add(simulation, Slow, "server", service_ns=SECOND), timeout_ms=10.0, **BREAKER)
    for _ in range(4):
        sender.send()
    run(simulation, 10 * MS)
    assert edge.breaker.state == OPEN


def test_connections_that_the_transport_gave_up_count_as_failures() -> None:
    simulation = Simulation(1)
    sender = add(simulation, Sender, "client")
    edge = wire(sender, add(simulation, Echo, "server"), loss_percent=100.0, **BREAKER)
    for _ in range(4):
        sender.send()
    drain(simulation)
    assert edge.breaker.state == OPEN


def test_a_lost_probe_does_not_keep_the_breaker_half_open_for_ever() -> None:
    simulation, sender, echo, edge = failing()
    echo.outcome = OK
    run(simulation, 2 * SECOND)
    inject(edge, "partition", duration_s=1.0)
    sender.send()
    drain(simulation)
    # The transport gave up on it; the breaker took that as a failure, and tries again in its time.
    assert edge.breaker.state == OPEN
    run(simulation, simulation.now + 2 * SECOND)
    sender.send()
    drain(simulation)
    assert edge.breaker.state == CLOSED


def test_an_abandoned_probe_makes_room_for_another() -> None:
    # The probe is made for a request that is cancelled meanwhile: nobody will ever learn how it ended.
    simulation = Simulation(1)
    sender = add(simulation, Sender, "client")
    middle = add(simulation, Worker, "middle", mean_ns=0)
    slow = add(simulation, Slow, "slow", service_ns=0, outcome=ERROR)
    wire(sender, middle, timeout_ms=20.0, cancel_on_timeout=True)
    edge = wire(middle, slow, **BREAKER)
    for _ in range(4):
        sender.send()
    run(simulation, 2 * SECOND)
    slow.service_ns, slow.outcome = 100 * MS, OK
    sender.send()
    run(simulation, 3 * SECOND)
    assert edge.abandoned == 1
    assert edge.breaker.state == HALF_OPEN
    slow.service_ns = 0
    sender.send()
    run(simulation, 4 * SECOND)
    assert edge.breaker.state == CLOSED


def slow_success_beside_failures() -> tuple[Simulation, Sender, Slow, Edge]:
    """One slow call is under way when quick failures open the breaker."""
    simulation = Simulation(1)
    sender = add(simulation, Sender, "client")
    slow = add(simulation, Slow, "server", service_ns=1_500 * MS)
    edge = wire(sender, slow, **BREAKER)
    sender.send()
    run(simulation, 0)
    slow.service_ns, slow.outcome = 0, ERROR
    for _ in range(4):
        sender.send()
    run(simulation, 1 * MS)
    assert edge.breaker.state == OPEN
    return simulation, sender, slow, edge


def test_an_answer_to_a_call_from_before_it_opened_is_no_probe() -> None:
    simulation, sender, slow, edge = slow_success_beside_failures()
    run(simulation, 1_100 * MS)
    slow.service_ns, slow.outcome = 1_000 * MS, OK
    sender.send()
    run(simulation, 1_600 * MS)
    # The slow call has ended well; the probe is still out.
    assert sender.outcomes.count(OK) + sender.outcomes.count(ERROR) == 5
    assert edge.breaker.state == HALF_OPEN
    run(simulation, 2_200 * MS)
    assert edge.breaker.state == CLOSED


def test_a_breaker_that_is_switched_off_and_on_starts_closed() -> None:
    _, _, _, edge = failing()
    edge.configure(edge_params())
    edge.configure(edge_params(**BREAKER))
    assert edge.breaker.state == CLOSED


def test_other_parameters_may_change_without_closing_the_breaker() -> None:
    _, _, _, edge = failing()
    edge.configure(edge_params(**BREAKER, retries=2))
    assert edge.breaker.state == OPEN
