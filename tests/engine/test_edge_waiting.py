"""How long a caller waits: timeouts, cancellation, propagated deadlines, and the transport's own end."""

from __future__ import annotations

from playground.engine.limits import TRANSPORT_GIVES_UP_NS
from playground.engine.outcomes import CONNECTION_LOST, EXPIRED, OK, TIMEOUT, UPSTREAM_TIMEOUT
from playground.engine.simulation import Simulation
from tests.engine.parts import MS, SECOND, BlackHole, Echo, Sender, Slow, Worker, add, drain, inject, run, wire


def pair(service_ns: int, **policies: object) -> tuple[Simulation, Sender, Slow]:
    simulation = Simulation(1)
    sender = add(simulation, Sender, "client")
    slow = add(simulation, Slow, "server", service_ns=service_ns)
    wire(sender, slow, **policies)
    return simulation, sender, slow


def test_a_call_times_out_when_its_timeout_has_passed_and_not_before() -> None:
    simulation, sender, _ = pair(50 * MS, latency_mean_ms=1.0, timeout_ms=20.0)
    sender.send()
    drain(simulation)
    assert sender.answers == [(20 * MS, TIMEOUT, 0)]


def test_an_answer_within_the_timeout_is_taken() -> None:
    simulation, sender, _ = pair(17 * MS, latency_mean_ms=1.0, timeout_ms=20.0)
    sender.send()
    drain(simulation)
    assert sender.answers == [(19 * MS, OK, 0)]


def test_every_call_has_a_timeout_of_its_own() -> None:
    simulation, sender, _ = pair(30 * MS, timeout_ms=20.0)
    for step in range(50):
        run(simulation, step * 3 * MS)
        sender.send()
    drain(simulation)
    assert sender.answers == [(step * 3 * MS + 20 * MS, TIMEOUT, step) for step in range(50)]


def test_a_shortened_timeout_counts_for_new_calls_and_not_for_those_under_way() -> None:
    simulation, sender, _ = pair(SECOND, timeout_ms=500.0)
    sender.send()
    edge = simulation.edges[0]
    edge.timeout_ns = 10 * MS
    sender.send()
    drain(simulation)
    assert sender.times == [10 * MS, 500 * MS]


def test_timed_out_work_goes_on_in_the_callee() -> None:
    # FIDELITY: unless cancellation is switched on.
    simulation, sender, slow = pair(50 * MS, timeout_ms=20.0)
    sender.send()
    drain(simulation)
    assert slow.done == [50 * MS]
    assert (slow.completed, slow.cancelled) == (1, 0)


def test_timed_out_work_stops_when_the_cancellation_arrives() -> None:
    simulation, sender, slow = pair(50 * MS, latency_mean_ms=3.0, timeout_ms=20.0, cancel_on_timeout=True)
    sender.send()
    run(simulation, 23 * MS - 1)
    assert slow.cancelled == 0
    run(simulation, 23 * MS)
    assert (slow.cancelled, slow.in_flight) == (1, 0)
    drain(simulation)
    assert slow.done == []


def test_a_cancellation_goes_down_the_whole_tree() -> None:
    simulation = Simulation(1)
    sender = add(simulation, Sender, "client")
    layers = [add(simulation, Worker, name, mean_ns=0) for name in ("one", "two")]
    slow = add(simulation, Slow, "three", service_ns=SECOND)
    wire(sender, layers[0], timeout_ms=20.0, cancel_on_timeout=True)
    wire(layers[0], layers[1], cancel_on_timeout=True)
    wire(layers[1], slow, cancel_on_timeout=True)
    sender.send()
    run(simulation, 30 * MS)
    assert [block.cancelled for block in (*layers, slow)] == [1, 1, 1]
    assert [layer.station.busy_all for layer in layers] == [0, 0]


def test_a_partition_keeps_the_cancellation_from_the_callee() -> None:
    simulation, sender, slow = pair(50 * MS, timeout_ms=20.0, cancel_on_timeout=True)
    sender.send()
    run(simulation, 1 * MS)
    inject(simulation.edges[0], "partition", duration_s=0.03)
    drain(simulation)
    assert slow.done == [50 * MS]
    assert simulation.calls.in_use == 0


def chain(propagate: bool, **policies: object) -> tuple[Simulation, Sender, Worker, Slow]:
    """A caller that waits 20 ms for a middle that would wait 500 ms."""
    simulation = Simulation(1)
    sender = add(simulation, Sender, "client")
    middle = add(simulation, Worker, "middle", mean_ns=0)
    slow = add(simulation, Slow, "slow", service_ns=50 * MS)
    wire(sender, middle, timeout_ms=20.0)
    wire(middle, slow, timeout_ms=500.0, propagate_deadline=propagate, **policies)
    sender.send()
    return simulation, sender, middle, slow


def test_a_propagated_deadline_ends_the_wait_with_the_callers_own() -> None:
    # As gRPC's deadlines: nobody waits longer than the one at the top.
    simulation, _, middle, _ = chain(propagate=True)
    run(simulation, 20 * MS)
    assert middle.in_flight == 0
    assert middle.failures[UPSTREAM_TIMEOUT] == 1


def test_without_propagation_the_middle_waits_on_in_vain() -> None:
    simulation, _, middle, _ = chain(propagate=False)
    run(simulation, 20 * MS)
    assert middle.in_flight == 1
    drain(simulation)
    assert middle.completed == 1


def test_a_propagated_deadline_that_has_passed_is_not_retried() -> None:
    simulation, _, middle, slow = chain(propagate=True, retries=3)
    drain(simulation)
    edge = simulation.edges[1]
    assert (edge.attempts, edge.retried, slow.offered) == (1, 0, 1)
    assert middle.failures[UPSTREAM_TIMEOUT] == 1


def test_a_call_whose_deadline_has_passed_is_not_sent() -> None:
    simulation = Simulation(1)
    sender = add(simulation, Sender, "client")
    middle = add(simulation, Slow, "middle", service_ns=50 * MS)
    echo = add(simulation, Echo, "echo")
    wire(sender, middle, timeout_ms=20.0)
    edge = wire(middle, echo, propagate_deadline=True)
    call = sender.send()
    run(simulation, 30 * MS)
    child = edge.call(call, 0, 0, 0, -1, 0, 0)
    run(simulation, 30 * MS)
    assert edge.failures[EXPIRED] == 1
    assert (edge.attempts, echo.offered) == (0, 0)
    assert simulation.calls.edge[child] < 0


def test_without_a_timeout_the_transport_gives_up_on_a_lost_message() -> None:
    # 15 retransmissions of TCP on Linux: 924.6 s.
    simulation = Simulation(1)
    sender = add(simulation, Sender, "client")
    wire(sender, add(simulation, Echo, "server"), loss_percent=100.0)
    sender.send()
    drain(simulation)
    assert sender.answers == [(TRANSPORT_GIVES_UP_NS, CONNECTION_LOST, 0)]


def test_a_reply_lost_after_long_work_never_turns_the_clock_back() -> None:
    service = TRANSPORT_GIVES_UP_NS + 10 * SECOND
    simulation, sender, _ = pair(service)
    sender.send()
    run(simulation, SECOND)
    inject(simulation.edges[0], "partition")
    drain(simulation)
    assert sender.answers == [(service + TRANSPORT_GIVES_UP_NS, CONNECTION_LOST, 0)]


def test_a_silent_callee_keeps_a_caller_without_a_timeout_waiting() -> None:
    simulation = Simulation(1)
    sender = add(simulation, Sender, "client")
    wire(sender, add(simulation, BlackHole, "hole"))
    sender.send()
    run(simulation, 3600 * SECOND)
    assert sender.answers == []


def test_timeouts_that_fell_due_while_the_caller_stood_still_do_not_stop_later_ones() -> None:
    simulation, sender, _ = pair(10 * SECOND, timeout_ms=20.0)
    sender.send()
    run(simulation, 5 * MS)
    inject(sender, "pause", duration_s=0.1)
    run(simulation, 200 * MS)
    sender.send()
    run(simulation, SECOND)
    assert sender.answers == [(105 * MS, TIMEOUT, 0), (220 * MS, TIMEOUT, 1)]
