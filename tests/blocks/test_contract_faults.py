"""Every fault that a block or an edge declares: it can be done while traffic flows, it ends, and traffic flows again."""

from __future__ import annotations

import random
from functools import cache

import pytest

from playground.blocks.registry import kinds
from playground.execution import Execution
from playground.protocol.catalogue import Fault
from tests.blocks.conftest import faults_declared
from tests.sketch import MS, SECOND, clear, example, fault, in_use, infinite, quieten, sources, unaccounted

FAULTS = list(faults_declared())
EVERY_FAULT = pytest.mark.parametrize(
    ("owner", "declared"), [pytest.param(owner, it, id=f"{owner} {it.name}") for owner, it in FAULTS]
)
ALL_HAS_ENDED_S = 2_500


def targets_in(execution: Execution, owner: str) -> list[str]:
    """The blocks of a kind in an example, or its edges."""
    if owner == "edge":
        return [it.id for it in execution.design.edges]
    return [it.id for it in execution.design.blocks if it.kind == owner]


def example_for(owner: str) -> str:
    return "app_server" if owner == "edge" else owner


def completed(execution: Execution) -> int:
    return sum(int(execution.model.blocks[name].completed) for name in sources(execution.design))


@cache
def usually_completed(owner: str) -> int:
    """What the sources of an example get answered between 5 s and 7 s when nothing goes wrong."""
    execution = Execution(example(example_for(owner), until_s=7), recorded=False)
    execution.advance(5 * SECOND)
    before = completed(execution)
    execution.advance(7 * SECOND)
    return completed(execution) - before


def books_are_right(execution: Execution) -> None:
    assert unaccounted(execution) == []
    assert infinite(execution) == []


@EVERY_FAULT
def test_a_fault_is_done_while_it_runs_and_when_it_is_cleared_traffic_flows_again(owner: str, declared: Fault) -> None:
    execution = Execution(example(example_for(owner), until_s=ALL_HAS_ENDED_S), recorded=False)
    targets = targets_in(execution, owner)
    execution.advance(SECOND)
    noted = len(execution.model.simulation.notables)
    for target in targets:
        execution.act(fault(target, declared.name), "test")
    things = [execution.model.blocks.get(target) or execution.model.edges[target] for target in targets]
    named = len(execution.model.simulation.notables) > noted
    impaired = owner != "edge" and all(thing.health() > 0 for thing in things)
    assert named or impaired, "a fault is to be seen: on the block's card, or as a notable moment"
    for moment in range(1, 11):
        execution.advance(SECOND + moment * 50 * MS)
        books_are_right(execution)
    for target in targets:
        execution.act(clear(target), "test")
    assert all(not thing.active for thing in things)
    # Time for restarts, sessions, breakers and caches to find their feet.
    execution.advance(5 * SECOND)
    if owner != "edge":
        assert all(thing.health() == 0 for thing in things)
    before = completed(execution)
    execution.advance(7 * SECOND)
    assert completed(execution) - before > 0.7 * usually_completed(owner)
    books_are_right(execution)
    quieten(execution)
    execution.advance(execution.until_ns)
    assert {name: it.in_flight for name, it in execution.model.blocks.items() if it.in_flight} == {}
    assert in_use(execution) == 0


@EVERY_FAULT
def test_a_lasting_fault_ends_by_itself_when_its_time_is_over(owner: str, declared: Fault) -> None:
    lasting = next((it for it in declared.params if it.name in ("duration_s", "restart_after_s")), None)
    execution = Execution(example(example_for(owner)), recorded=False)
    target = targets_in(execution, owner)[0]
    thing = execution.model.blocks.get(target) or execution.model.edges[target]
    execution.advance(SECOND)
    execution.act(fault(target, declared.name, **({lasting.name: 0.25} if lasting else {})), "test")
    assert bool(thing.active) == (not declared.momentary)
    execution.advance(SECOND + 249 * MS)
    assert bool(thing.active) == (not declared.momentary)
    execution.advance(SECOND + 250 * MS)
    assert not thing.active
    books_are_right(execution)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("owner", list(kinds()))
def test_any_faults_in_any_order_leave_the_books_in_order(owner: str, seed: int) -> None:
    # Overlapping faults on all blocks and edges of an example, with and without an end.
    chance = random.Random(seed)
    execution = Execution(example(owner, seed=seed, until_s=ALL_HAS_ENDED_S), recorded=False)
    kind_of = {it.id: it.kind for it in execution.design.blocks}
    every_target = [*kind_of, *execution.model.edges]
    for _ in range(60):
        execution.advance(execution.now_ns + chance.randint(1, 60) * MS)
        target = chance.choice(every_target)
        declared = [it for name, it in FAULTS if name == kind_of.get(target, "edge")]
        if chance.random() < 0.2:
            execution.act(clear(target), "test")
        elif declared:
            it = chance.choice(declared)
            lasting = [param.name for param in it.params if param.name in ("duration_s", "restart_after_s")]
            seconds = chance.choice([None, 0.001, 0.03, 0.2])
            execution.act(fault(target, it.name, **dict.fromkeys(lasting, seconds)), "test")
        books_are_right(execution)
    quieten(execution)
    execution.advance(execution.until_ns, 3_000_000)
    assert {name: it.in_flight for name, it in execution.model.blocks.items() if it.in_flight} == {}
    assert in_use(execution) == 0
    assert all(it.busy() == 0 and it.queue() == 0 for it in execution.model.blocks.values())
