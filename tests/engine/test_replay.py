"""The law of replay: a run is a function of design, seed and interventions; nothing that only looks is among them."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.engine import simulation as simulation_module
from playground.engine.limits import NOTABLES_MAX
from playground.engine.outcomes import READ
from playground.engine.simulation import Simulation
from playground.engine.snapshot import Snapshot, attribute_names
from playground.engine.state import State
from tests.engine.parts import (
    EVER,
    MS,
    SECOND,
    Echo,
    Sender,
    Slow,
    Worker,
    add,
    drain,
    fingerprint,
    inject,
    next_time,
    random_fault,
    run,
    stormy_design,
    wire,
)

SEEDS = st.integers(0, 1 << 30)


def storm(simulation: Simulation, seed: int, first: int, last: int) -> None:
    """Run from one millisecond to another, with a fault every 50 ms that depends on ``seed`` and the time alone."""
    for step in range(first + 1, last + 1):
        run(simulation, step * MS)
        if step % 50 == 0:
            random_fault(simulation, random.Random(seed + step))


@settings(max_examples=15)
@given(SEEDS)
def test_the_same_design_and_seed_give_the_same_run_down_to_the_last_bit(seed: int) -> None:
    runs = [stormy_design(seed) for _ in range(2)]
    for simulation in runs:
        storm(simulation, seed, 0, 500)
    assert runs[0].trace_hash() == runs[1].trace_hash()
    assert fingerprint(runs[0]) == fingerprint(runs[1])


def test_another_seed_gives_another_run() -> None:
    assert len({hash_after(seed) for seed in range(5)}) == 5


def hash_after(seed: int) -> str:
    simulation = Simulation(seed)
    sender = add(simulation, Sender, "client")
    wire(sender, add(simulation, Echo, "server"), latency_distribution="exponential", latency_mean_ms=1.0)
    sender.send_every(1 * MS, 50)
    drain(simulation)
    return simulation.trace_hash()


@settings(max_examples=15)
@given(SEEDS, st.lists(st.integers(1, 3000), max_size=20))
def test_slices_change_nothing(seed: int, slices: list[int]) -> None:
    # Playback speed, pauses and step mode only cut the run into other slices.
    whole, sliced = stormy_design(seed), stormy_design(seed)
    run(whole, SECOND)
    for events in slices:
        sliced.advance(SECOND, events)
    run(sliced, SECOND)
    assert sliced.trace_hash() == whole.trace_hash()
    assert fingerprint(sliced) == fingerprint(whole)


@settings(max_examples=15)
@given(SEEDS)
def test_looking_at_figures_and_taking_snapshots_change_nothing(seed: int) -> None:
    watched, unwatched = stormy_design(seed), stormy_design(seed)
    for step in range(1, 60):
        run(watched, step * 10 * MS)
        run(unwatched, step * 10 * MS)
        Snapshot(watched)
        for block in watched.blocks:
            block.common_metrics()
            if isinstance(block, Worker):
                block.station.utilisation()
                block.station.busy_integral()
        for edge in watched.edges:
            edge.metrics()
    assert fingerprint(watched) == fingerprint(unwatched)


@settings(max_examples=15)
@given(SEEDS, st.integers(1, 50))
def test_what_is_sampled_changes_nothing(seed: int, every: int) -> None:
    all_traced, few_traced = stormy_design(seed), stormy_design(seed)
    few_traced.tracer.every = every
    for simulation in (all_traced, few_traced):
        storm(simulation, seed, 0, 300)
    assert all_traced.trace_hash() == few_traced.trace_hash()


def test_a_block_that_is_not_connected_changes_nothing_in_the_others() -> None:
    alone, beside = stormy_design(5), stormy_design(5)
    lonely = add(beside, Sender, "lonely")
    wire(lonely, add(beside, Slow, "lonely too"), latency_distribution="exponential", latency_mean_ms=1.0)
    lonely.send_every(2 * MS, 200)
    drain(alone)
    drain(beside)
    assert len(lonely.answers) == 200
    for one, other in zip(alone.blocks, beside.blocks, strict=False):
        assert one.common_metrics() == other.common_metrics()
        assert (one.area, one.residence) == (other.area, other.residence)
        assert list(one.histogram.counts) == list(other.histogram.counts)
    for edge, same in zip(alone.edges, beside.edges, strict=False):
        assert edge.metrics() == same.metrics()
    assert alone.blocks[0].answers == beside.blocks[0].answers


# ---- snapshots


@settings(max_examples=25)
@given(SEEDS, st.integers(1, 600))
def test_a_restored_run_goes_on_as_if_nothing_had_been(seed: int, moment: int) -> None:
    straight, simulation = stormy_design(seed), stormy_design(seed)
    storm(straight, seed, 0, 600)
    storm(simulation, seed, 0, moment)
    snapshot, then = Snapshot(simulation), fingerprint(simulation)
    for _ in range(2):
        # What happens in between, other faults and all, must be gone.
        storm(simulation, seed + 1, moment, moment + 100)
        snapshot.restore()
        assert fingerprint(simulation) == then
    storm(simulation, seed, moment, 600)
    assert simulation.trace_hash() == straight.trace_hash()
    assert fingerprint(simulation) == fingerprint(straight)


def test_a_restore_does_not_make_the_snapshot_larger() -> None:
    simulation = stormy_design(1)
    snapshot = Snapshot(simulation)
    size = snapshot.size
    assert size > 8 * 32 * simulation.calls.capacity
    snapshot.restore()
    assert snapshot.size == size


class Owner(State):
    """Keeps whatever it is given."""

    def __init__(self, kept: object) -> None:
        self.kept = kept


def test_a_list_that_two_owners_share_is_shared_again_after_a_restore() -> None:
    shared: list[object] = [1, [2]]
    root = Owner(None)
    root.kept = [Owner(shared), Owner({"there": shared})]
    first, second = root.kept
    snapshot = Snapshot(root)
    shared.append(3)
    snapshot.restore()
    assert first.kept == [1, [2]]
    assert second.kept["there"] is first.kept


def test_a_snapshot_reaches_states_in_lists_of_lists_and_dicts() -> None:
    inner = Owner(1)
    snapshot = Snapshot(Owner([[{"deep": inner}]]))
    inner.kept = 2
    snapshot.restore()
    assert inner.kept == 1


def test_attributes_that_came_after_the_snapshot_go_with_a_restore() -> None:
    owner = Owner(1)
    snapshot = Snapshot(owner)
    owner.later = 2
    snapshot.restore()
    assert attribute_names(owner) == ["kept"]


@pytest.mark.parametrize("value", [{1, 2}, object(), [iter("")], (1, [2])])
def test_what_a_snapshot_cannot_copy_is_refused_by_name(value: object) -> None:
    with pytest.raises(TypeError, match=r"Owner\.kept holds"):
        Snapshot(Owner(value))


# ---- the clock and the limits


def test_time_stands_where_the_run_was_told_to_go_even_when_nothing_happens() -> None:
    simulation = Simulation(1)
    assert simulation.advance(5 * SECOND, EVER)
    assert simulation.now == 5 * SECOND


def test_a_run_stops_at_its_number_of_events_and_goes_on_from_there() -> None:
    simulation = stormy_design(1)
    assert not simulation.advance(SECOND, 10)
    assert simulation.events == 10
    assert simulation.now < SECOND
    assert simulation.advance(SECOND, EVER)


def test_virtual_time_never_goes_back() -> None:
    simulation = stormy_design(2)
    before = 0
    while simulation.queue.pending() > 0:
        assert next_time(simulation) >= before
        before = next_time(simulation)
        simulation.advance(before, 1)


def test_notable_moments_have_a_limit_and_the_rest_is_counted() -> None:
    simulation = Simulation(1)
    for _ in range(NOTABLES_MAX + 7):
        simulation.note("kind", "info", "block", "title", "")
    assert len(simulation.notables) == NOTABLES_MAX
    assert simulation.notables_dropped == 7


def test_too_many_calls_in_flight_stop_the_run_by_name() -> None:
    simulation = Simulation(1)
    sender = add(simulation, Sender, "client")
    edge = wire(sender, add(simulation, Echo, "server"), latency_mean_ms=1.0)
    sender.send()
    simulation.calls.overflowed = True
    assert not simulation.advance(SECOND, EVER)
    assert simulation.stopped == "calls_in_flight"
    assert simulation.events == 1
    # What it has so far is kept.
    assert (edge.offered, edge.attempts) == (1, 1)


# ---- the hash in whole numbers of any size


def test_the_trace_hash_never_needs_more_than_63_bits() -> None:
    # Python's unbounded integers are the reference for both lanes, over the widest events there can be.
    mask, low_mask = simulation_module.HASH_MASK, simulation_module.LOW_MASK
    simulation = Simulation(1)
    sender = add(simulation, Sender, "client")
    edge = wire(sender, add(simulation, Echo, "server"), latency_mean_ms=3_600_000.0)
    low, high = 1, 2
    chance = random.Random(1)
    simulation.now = 1 << 61
    for _ in range(300):
        key = chance.getrandbits(62)
        call = edge.call(-1, READ, key, 0, -1, 0, 0)
        for kind, owner in ((0, 1), (1, 0)):
            at, what = next_time(simulation), owner << 32 | call
            mixed = (at ^ what << 5 ^ kind) & mask
            mixed = mixed ^ simulation.calls.outcome[call] << 40 if kind == 1 else (mixed ^ key << 17) & mask
            low ^= mixed
            low = (low & low_mask) * 1812433253 + (low >> 31)
            high ^= low >> 7
            high = (high & low_mask) * 1566083941 + (high >> 31)
            assert low < 1 << 63 and high < 1 << 63
            run(simulation, at)
    assert simulation.trace_hash() == f"{low & mask:016x}{high & mask:016x}"


def test_an_interrupted_run_replays_with_its_interventions_at_the_same_times() -> None:
    hashes = set()
    for _ in range(2):
        simulation = stormy_design(9)
        run(simulation, 100 * MS)
        inject(simulation.blocks[1], "crash", restart_after_s=0.05)
        run(simulation, 400 * MS)
        hashes.add(simulation.trace_hash())
    undisturbed = stormy_design(9)
    run(undisturbed, 400 * MS)
    assert len(hashes) == 1
    assert undisturbed.trace_hash() not in hashes
