"""What holds for every block while it runs, shown on its own example: the books balance, the figures are figures,
whoever looks or goes back changes nothing, and everything that was begun ends."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from playground.blocks.registry import Kind
from playground.catalogue import spec_of
from playground.execution import Execution
from playground.protocol.catalogue import Param, Scalar
from playground.protocol.design import Scenario
from playground.protocol.errors import InputError
from tests.sketch import (
    MS,
    SECOND,
    counters,
    example,
    figures,
    in_use,
    infinite,
    quieten,
    run,
    set_param,
    unaccounted,
)

DETAIL_BYTES_MAX = 20_000
# Nobody answers a lost message: without a timeout its caller learns of it when the transport gives up, after 924.6 s.
ALL_HAS_ENDED_S = 2_000
SAME_EVERY_TIME = ("t", "ev", "b", "ed", "tot")
"""What of a frame follows from the virtual time alone; sampled hops, furthest time and epoch tell of the way there."""


def of_kind(execution: Execution, kind: Kind) -> list[str]:
    return [it.id for it in execution.design.blocks if it.kind == kind.spec.kind]


def same_results(execution: Execution) -> dict[str, Any]:
    """The results without the one figure that tells of the machine."""
    return {name: value for name, value in execution.results().items() if name != "wall_seconds"}


def test_the_example_runs_and_the_block_takes_part_in_it(kind: Kind) -> None:
    execution = run(example(kind.spec.kind))
    assert execution.stopped is None
    for name in of_kind(execution, kind):
        assert figures(execution, name)["completed"] > 0, f"nothing happens at {name}"


def test_the_same_example_and_seed_give_the_same_run(kind: Kind) -> None:
    first, second = (run(example(kind.spec.kind)) for _ in range(2))
    assert same_results(first) == same_results(second)
    other = run(example(kind.spec.kind, seed=2))
    assert other.results()["trace_hash"] != first.results()["trace_hash"]


def test_calls_are_neither_lost_nor_invented(kind: Kind) -> None:
    # Conservation: what a block or an edge was offered is answered, given up, or still there, at any moment.
    chance = random.Random(7)
    execution = Execution(example(kind.spec.kind), recorded=False)
    moments = 0
    while execution.now_ns < execution.until_ns:
        execution.step(chance.randint(1, 400))
        assert unaccounted(execution) == []
        moments += 1
    assert moments > 20


def test_figures_are_finite_as_many_as_declared_and_counters_never_fall(kind: Kind) -> None:
    execution = Execution(example(kind.spec.kind), recorded=False)
    before = counters(execution)
    for moment in range(1, 31):
        execution.advance(moment * execution.until_ns // 30)
        assert infinite(execution) == []
        now = counters(execution)
        assert [name for name, value in now.items() if value < before[name]] == []
        before = now
    for name in of_kind(execution, kind):
        own = figures(execution, name)
        assert own["in_flight"] >= 0 and own["queue"] >= 0 and own["health"] in (0.0, 1.0, 2.0)
        assert own["busy"] <= own["capacity"] or own["capacity"] == 0


def test_all_calls_end_when_no_more_come(kind: Kind) -> None:
    execution = run(example(kind.spec.kind, until_s=ALL_HAS_ENDED_S), until_s=3)
    assert any(it.in_flight > 0 for it in execution.model.blocks.values())
    quieten(execution)
    execution.advance(execution.until_ns)
    left = {name: it.in_flight for name, it in execution.model.blocks.items() if it.in_flight}
    assert left == {}
    assert in_use(execution) == 0, "records of calls that nobody will ever let go"
    for name, it in execution.model.blocks.items():
        assert it.busy() == 0 and it.queue() == 0, f"{name} holds a worker for nothing"


def look_at(execution: Execution, chance: random.Random) -> None:
    """Do what viewers do, in any order."""
    for _ in range(chance.randint(0, 3)):
        chance.choice([execution.frame, execution.results, execution.take_notables, execution.layout])()
        execution.detail(chance.choice([*execution.model.blocks]))
        execution.history(chance.randint(0, 10))
        execution.trace(chance.randint(0, 100))
        execution.set_speed(chance.choice([0.1, 1.0, 50.0]))


def facts(execution: Execution) -> dict[str, Any]:
    frame = execution.frame()
    return {**{key: frame[key] for key in SAME_EVERY_TIME}, **same_results(execution)}


def test_going_back_and_looking_around_change_nothing(kind: Kind) -> None:
    chance = random.Random(11)
    drawing = example(kind.spec.kind)
    straight, wandering = Execution(drawing), Execution(drawing)
    stops = sorted(chance.randrange(1, straight.until_ns) for _ in range(12))
    expected = []
    for stop in stops:
        assert straight.advance(stop)
        expected.append(facts(straight))
    for stop, known in zip(stops, expected, strict=True):
        for _ in range(3):
            wandering.seek(chance.randrange(0, stop))
            wandering.advance(chance.randrange(0, stop), chance.choice([1, 50, 100_000]))
            look_at(wandering, chance)
        wandering.seek(stop)
        assert wandering.advance(stop)
        assert facts(wandering) == known
    for execution in (straight, wandering):
        execution.advance(execution.until_ns)
    assert wandering.history(0) == straight.history(0)
    assert wandering.frame()["f"] == straight.frame()["f"] == straight.until_ns


def test_detail_is_json_and_small(kind: Kind) -> None:
    execution = Execution(example(kind.spec.kind), recorded=False)
    for moment in range(4):
        execution.advance(moment * SECOND)
        for name in of_kind(execution, kind):
            text = json.dumps(execution.detail(name), allow_nan=False)
            assert 2 <= len(text) <= DETAIL_BYTES_MAX


# ---- parameters while it runs


def other_values(param: Param) -> list[Scalar]:
    """Some values of a parameter that differ from its default, none of which makes millions of events."""
    if param.kind == "boolean":
        return [not param.default]
    if param.kind == "choice":
        return [choice.value for choice in param.choices if choice.value != param.default]
    if param.kind == "text":
        return []
    assert param.minimum is not None and param.maximum is not None
    middle = float(param.default) if isinstance(param.default, (int, float)) else param.minimum
    values: list[float] = [param.minimum, min(param.maximum, 3 * middle), max(param.minimum, middle / 3)]
    return [int(value) if param.kind == "integer" else value for value in values]


def live_params(drawing: Scenario, name: str) -> list[Param]:
    it = next(it for it in drawing.design.blocks if it.id == name)
    return [param for param in spec_of(it).params if param.live]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_live_parameters_change_while_it_runs_and_nothing_gets_stuck(kind: Kind, seed: int) -> None:
    chance = random.Random(seed)
    drawing = example(kind.spec.kind, seed=seed, until_s=ALL_HAS_ENDED_S)
    execution = Execution(drawing, recorded=False)
    execution.advance(SECOND // 2)
    objects = dict(execution.model.blocks)
    changes = [
        (name, param.name, chance.choice(values))
        for name in of_kind(execution, kind)
        for param in live_params(drawing, name)
        if (values := other_values(param))
    ]
    chance.shuffle(changes)
    for name, param_name, value in changes:
        try:
            execution.act(set_param(name, param_name, value), "test")
        except InputError as refused:
            # Not beside what the other parameters are by now.
            assert {problem.code for problem in refused.problems} <= {"rule", "missing_edge"}
        execution.advance(execution.now_ns + 20 * MS, 20_000)
        assert unaccounted(execution) == [], f"after {name}.{param_name} = {value!r}"
        assert infinite(execution) == []
    assert execution.model.blocks == objects, "a live parameter keeps the block and what it holds"
    quieten(execution)
    execution.advance(execution.until_ns, 3_000_000)
    assert {name: it.in_flight for name, it in execution.model.blocks.items() if it.in_flight} == {}
    assert in_use(execution) == 0
