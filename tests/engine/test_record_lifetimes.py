"""A call's record is held by its caller, its callee and the network, and given back once, when the last of them lets go.

Laws, at every step and under every policy and fault: on an edge offered = completed + failed + abandoned + in flight;
at a block offered = completed + failed + cancelled + in flight; the table's free list and its records agree. When all
traffic has drained, no record is left.
"""

from __future__ import annotations

import random

from hypothesis import example, given, settings
from hypothesis import strategies as st

from playground.engine.calls import AT_CALLEE, FREE
from playground.engine.simulation import Simulation
from tests.engine.parts import (
    MS,
    BlackHole,
    Echo,
    Sender,
    Slow,
    Worker,
    add,
    clear_all_faults,
    drain,
    inject,
    random_fault,
    run,
    stormy_design,
    wire,
)


def check_conservation(simulation: Simulation) -> None:
    calls = simulation.calls
    for edge in simulation.edges:
        assert edge.offered == edge.completed + edge.failed + edge.abandoned + edge.in_flight, edge.name
        assert edge.in_flight >= 0
    at_callee = [0] * len(simulation.blocks)
    edges, flags = list(calls.edge), list(calls.flags)
    for call in range(calls.capacity):
        if edges[call] != FREE and flags[call] & AT_CALLEE:
            at_callee[simulation.edges[edges[call]].callee_index] += 1
    for block in simulation.blocks:
        if not isinstance(block, Sender):
            assert block.offered == block.completed + block.failed + block.cancelled + block.in_flight, block.name
            assert block.in_flight == at_callee[block.index], block.name
    taken = calls.capacity - edges.count(FREE)
    assert calls.in_use == taken
    free = list(calls.free)[: calls.capacity - calls.in_use]
    assert len(set(free)) == len(free)
    assert all(edges[call] == FREE for call in free)


def check_drained(simulation: Simulation) -> None:
    check_conservation(simulation)
    assert simulation.calls.in_use == 0
    for block in simulation.blocks:
        assert block.in_flight == 0
        if isinstance(block, Worker):
            assert block.station.busy_all == 0, block.name
            assert block.station.waiting_all == 0, block.name
    for edge in simulation.edges:
        assert edge.in_flight == 0
        assert (edge.first_deadline, edge.last_deadline) == (-1, -1)


@settings(max_examples=60)
@given(seed=st.integers(0, 1 << 30), faults=st.integers(0, 12))
def test_every_record_is_given_back_once_whatever_happens(seed: int, faults: int) -> None:
    simulation = stormy_design(seed)
    chance = random.Random(seed + 1)
    moments = sorted(chance.randrange(1200) for _ in range(faults))
    for step in range(1, 1201):
        run(simulation, step * MS)
        while moments and moments[0] <= step:
            moments.pop(0)
            random_fault(simulation, chance)
        if step % 7 == 0:
            check_conservation(simulation)
    clear_all_faults(simulation)
    drain(simulation)
    check_drained(simulation)


@settings(max_examples=25)
@given(seed=st.integers(0, 1 << 30))
def test_deleting_blocks_and_edges_leaves_no_record_behind(seed: int) -> None:
    simulation = stormy_design(seed, requests=150)
    chance = random.Random(seed)
    for step in range(1, 60):
        run(simulation, step * 5 * MS)
        if chance.random() < 0.1:
            random_fault(simulation, chance)
    gone = simulation.blocks[chance.randrange(2, 5)]
    for edge in simulation.edges:
        if gone in (edge.caller, edge.callee):
            edge.caller.out["out"].remove(edge)
            edge.retire()
    gone.retire()
    check_conservation(simulation)
    run(simulation, 1500 * MS)
    clear_all_faults(simulation)
    drain(simulation)
    check_drained(simulation)


@example(cancel=True)
@given(cancel=st.booleans())
def test_a_late_reply_is_dropped_and_its_record_freed(cancel: bool) -> None:
    simulation = Simulation(1)
    sender = add(simulation, Sender, "client")
    slow = add(simulation, Slow, "server", service_ns=30 * MS)
    edge = wire(sender, slow, latency_mean_ms=1.0, timeout_ms=10.0, cancel_on_timeout=cancel)
    sender.send()
    drain(simulation)
    assert edge.late_replies == (0 if cancel else 1)
    assert len(sender.answers) == 1
    check_drained(simulation)


def test_a_cancellation_that_overtakes_its_call_stops_it_on_arrival() -> None:
    # Bandwidth holds the call back; the small cancellation passes it.
    simulation = Simulation(1)
    sender = add(simulation, Sender, "client", request_bytes=125_000)
    echo = add(simulation, Echo, "server")
    wire(sender, echo, timeout_ms=10.0, cancel_on_timeout=True, bandwidth_mbit_per_s=1.0)
    sender.send()
    drain(simulation)
    assert echo.arrivals == []
    assert echo.offered == 0
    check_drained(simulation)


def test_a_cancellation_that_crosses_the_reply_changes_nothing() -> None:
    simulation = Simulation(1)
    sender = add(simulation, Sender, "client")
    slow = add(simulation, Slow, "server", service_ns=5 * MS)
    wire(sender, slow, latency_mean_ms=3.0, timeout_ms=10.0, cancel_on_timeout=True)
    sender.send()
    drain(simulation)
    assert slow.dropped == 0
    assert len(slow.done) == 1
    check_drained(simulation)


def test_an_answered_parents_other_calls_live_on_without_it() -> None:
    # A quorum that has its majority: the stragglers' replies still come, and touch no record that is in use again.
    simulation = Simulation(1)
    sender = add(simulation, Sender, "client")
    hasty = add(simulation, Worker, "hasty", hasty=True, mean_ns=0)
    quick = add(simulation, Slow, "quick", service_ns=1 * MS)
    late = add(simulation, Slow, "late", service_ns=20 * MS)
    wire(sender, hasty)
    wire(hasty, quick)
    wire(hasty, late)
    for step in range(10):
        run(simulation, step * 5 * MS)
        sender.send()
    drain(simulation)
    assert len(sender.answers) == 10
    assert hasty.late == 10
    assert len(late.done) == 10
    check_drained(simulation)


def test_calls_of_a_crashed_caller_are_dropped_with_it() -> None:
    simulation = Simulation(1)
    sender = add(simulation, Sender, "client")
    middle = add(simulation, Worker, "middle", mean_ns=0)
    slow = add(simulation, Slow, "slow", service_ns=50 * MS)
    wire(sender, middle)
    edge = wire(middle, slow, cancel_on_timeout=True)
    sender.send()
    run(simulation, 10 * MS)
    inject(middle, "crash", restart_after_s=0.001)
    drain(simulation)
    assert edge.abandoned == 1
    assert middle.dropped_children == 1
    assert slow.cancelled == 1
    check_drained(simulation)


def test_a_call_that_is_never_answered_stays_in_flight() -> None:
    simulation = Simulation(1)
    sender = add(simulation, Sender, "client")
    edge = wire(sender, add(simulation, BlackHole, "hole"))
    sender.send()
    drain(simulation)
    assert (edge.in_flight, simulation.calls.in_use) == (1, 1)
    check_conservation(simulation)


def test_the_table_grows_under_its_calls() -> None:
    simulation = Simulation(1)
    sender = add(simulation, Sender, "client")
    wire(sender, add(simulation, Slow, "server"))
    before = simulation.calls.capacity
    for _ in range(2 * before + 1):
        sender.send()
    check_conservation(simulation)
    assert simulation.calls.capacity == 4 * before
    drain(simulation)
    assert sorted(number for _, _, number in sender.answers) == list(range(2 * before + 1))
    check_drained(simulation)
