"""What is done to a run while it runs is an entry in its log, and the log replays to the same run."""

from __future__ import annotations

import random

import pytest

from playground.catalogue import spec_of
from playground.execution import Execution
from playground.protocol.design import SCENARIO, Action, EditDesign, Intervention, Scenario, parse_interventions
from playground.protocol.errors import InputError
from playground.templates_store import templates
from tests.execution.variants import digest, finished, short_scenarios
from tests.sketch import (
    MS,
    SECOND,
    at,
    clear,
    example,
    fault,
    figures,
    metric,
    quick_or_slow,
    run,
    set_param,
    unaccounted,
)

EXAMPLES = [name for name in short_scenarios() if name.startswith("example")]


def deeds(drawing: Scenario) -> list[Action]:
    """Things that can be done to the design at any time."""
    done: list[Action] = []
    for it in drawing.design.blocks:
        known = {declared.name for declared in spec_of(it).faults}
        done.append(clear(it.id))
        if "pause" in known:
            done.append(fault(it.id, "pause", duration_s=0.05))
        if it.kind == "client":
            done.append(fault(it.id, "spike", factor=2.0, duration_s=0.2))
        if "crash" in known:
            done.append(fault(it.id, "crash", restart_after_s=0.1))
        if "slow_down" in known:
            done.append(fault(it.id, "slow_down", factor=3.0))
    for link in drawing.design.edges:
        done += [clear(link.id), fault(link.id, "loss", percent=30.0, duration_s=0.1)]
        done += [set_param(link.id, "timeout_ms", 80), set_param(link.id, "retries", 2)]
    return done


def replay_of(execution: Execution, drawing: Scenario) -> Execution:
    """A new run from design, seed and the log, which went through JSON as a saved one does."""
    log = parse_interventions([entry.model_dump(mode="json", by_alias=True) for entry in execution.log])
    return finished(drawing.model_copy(update={"interventions": log}))


@pytest.mark.parametrize(
    "name", quick_or_slow(EXAMPLES, ("example cache", "example shard_router", "example sql_database"))
)
@pytest.mark.parametrize("seed", quick_or_slow([1, 2], [1]))
def test_a_run_that_was_intervened_in_replays_from_its_log(name: str, seed: int) -> None:
    chance = random.Random(seed)
    drawing = short_scenarios()[name]
    execution = Execution(drawing)
    todo = deeds(drawing)
    for _ in range(30):
        # Between any two events, several at one moment now and then.
        execution.step(chance.choice([0, 1, 3, 40, 90]))
        execution.act(chance.choice(todo), "somebody")
    execution.advance(execution.until_ns)
    assert len(execution.log) == 30
    assert unaccounted(execution) == []
    assert digest(replay_of(execution, drawing)) == digest(execution)


def test_interventions_of_one_moment_happen_in_their_order_after_its_events() -> None:
    drawing = example("app_server", until_s=2)
    timeouts = [at(1, set_param("users-shop", "timeout_ms", value)) for value in (1.0, 50.0, 2.0, 70.0)]
    execution = finished(drawing.model_copy(update={"interventions": timeouts}))
    assert next(it for it in execution.design.edges if it.id == "users-shop").params["timeout_ms"] == 70.0
    last = finished(drawing.model_copy(update={"interventions": timeouts[-1:]}))
    assert execution.results()["trace_hash"] == last.results()["trace_hash"]


def test_what_is_done_after_the_first_consequences_of_a_deed_has_a_moment_of_its_own() -> None:
    # A replay does all deeds of a moment before anything follows from them.
    drawing = example("sql_database")
    execution = run(drawing, until_s=1)
    execution.act(fault("app", "pause"), "test")
    execution.advance(SECOND + 100 * MS)
    first = execution.act(clear("app"), "test")
    # What the pause held back happens at this very moment.
    execution.step(1)
    assert execution.now_ns == first.at_ns
    second = execution.act(fault("app", "crash"), "test")
    third = execution.act(clear("app"), "test")
    assert second.at_ns == third.at_ns == first.at_ns + 1
    execution.advance(execution.until_ns)
    assert replay_of(execution, drawing).results()["trace_hash"] == execution.results()["trace_hash"]


def test_an_intervention_has_the_time_the_actor_and_the_deed_in_the_log() -> None:
    execution = run(example("app_server"), until_s=1.25)
    entry = execution.act(fault("db", "slow_down", factor=4.0), "Ada")
    assert entry == execution.log[-1]
    assert (entry.at_ns, entry.actor, entry.action) == (1_250 * MS, "Ada", fault("db", "slow_down", factor=4.0))


def test_an_intervention_in_the_past_drops_the_later_ones_and_keeps_the_earlier() -> None:
    drawing = example("app_server")
    log = [at(0.5, fault("cache", "flush")), at(1.5, fault("db", "crash")), at(2.5, clear("db"))]
    execution = Execution(drawing.model_copy(update={"interventions": log}))
    execution.advance(execution.until_ns)
    execution.seek(SECOND)
    execution.advance(SECOND)
    entry = execution.act(fault("shop", "pause"), "test")
    assert execution.log == [log[0], entry]
    assert execution.branched == log[1:]
    assert execution.furthest_ns == execution.now_ns == SECOND
    assert len(execution.history(0)["columns"]["offered"]) == SECOND // execution.series.bucket_ns
    execution.advance(execution.until_ns)
    other = finished(drawing.model_copy(update={"interventions": [log[0], entry]}))
    assert digest(execution) == digest(other)
    execution.act(clear("shop"), "test")
    assert execution.branched == []


def scripted(second: float, action: Action) -> Intervention:
    """What the scenario does by itself."""
    return at(second, action).model_copy(update={"actor": SCENARIO})


def test_what_a_scenario_does_by_itself_happens_in_every_future() -> None:
    drawing = example("app_server")
    crash, end, mine = scripted(1.5, fault("db", "crash")), scripted(2.5, clear("db")), at(2.0, fault("cache", "flush"))
    execution = Execution(drawing.model_copy(update={"interventions": [crash, mine, end]}))
    execution.advance(SECOND // 2)
    early = execution.act(fault("shop", "pause"), "test")
    assert execution.log == [early, crash, end]
    assert execution.branched == [mine]
    execution.advance(execution.until_ns)
    execution.seek(2 * SECOND)
    execution.advance(2 * SECOND)
    late = execution.act(clear("shop"), "test")
    assert execution.log == [early, crash, late, end]
    assert execution.branched == []
    execution.advance(execution.until_ns)
    assert execution.applied == 4
    assert digest(execution) == digest(finished(drawing.model_copy(update={"interventions": execution.log})))
    execution.reset()
    assert execution.log == [crash, end]
    execution.advance(execution.until_ns)
    assert digest(execution) == digest(finished(drawing.model_copy(update={"interventions": [crash, end]})))


def test_what_a_scenario_would_do_to_a_block_that_was_taken_out_is_dropped() -> None:
    drawing = example("app_server")
    crash, slow = scripted(1.5, fault("cache", "flush")), scripted(2.5, fault("db", "crash"))
    execution = Execution(drawing.model_copy(update={"interventions": [crash, slow]}))
    without = drawing.design.model_copy(
        update={
            "blocks": [block for block in drawing.design.blocks if block.id != "cache"],
            "edges": [edge for edge in drawing.design.edges if edge.to.block != "cache"],
        }
    )
    execution.act(EditDesign(design=without), "test")
    assert execution.log[1:] == [slow]
    assert execution.branched == [crash]
    back = execution.act(EditDesign(design=drawing.design), "test")
    assert execution.log[1:] == [back, crash, slow], "it is there again"
    execution.act(EditDesign(design=without), "test")
    execution.reset()
    assert execution.log == [slow]


@pytest.mark.parametrize("seed", quick_or_slow(range(6), [0, 1]))
def test_branches_upon_branches_are_runs_like_any_other(seed: int) -> None:
    chance = random.Random(seed)
    drawing = short_scenarios()[chance.choice(EXAMPLES)]
    execution = Execution(drawing)
    todo = deeds(drawing)
    for _ in range(12):
        execution.advance(chance.randrange(execution.until_ns))
        execution.seek(chance.randrange(execution.until_ns))
        execution.advance(chance.randrange(execution.until_ns), chance.choice([10, 500, 100_000]))
        execution.act(chance.choice(todo), "somebody")
    assert [entry.at_ns for entry in execution.log] == sorted(entry.at_ns for entry in execution.log)
    execution.advance(execution.until_ns)
    assert digest(execution) == digest(replay_of(execution, drawing))


REFUSED = [
    (fault("nobody", "crash"), "unknown_target"),
    (fault("db", "explode"), "unknown_fault"),
    (fault("users", "crash"), "unknown_fault"),
    (fault("db", "slow_down", factor=-1.0), "parameter"),
    (fault("db", "slow_down", factr=2.0), "unknown_parameter"),
    (fault("shop", "crash", instance=2), "parameter"),
    (set_param("db", "pool", 0), "parameter"),
    (set_param("db", "pol", 1), "unknown_parameter"),
    (set_param("users-shop", "retries", 11), "parameter"),
    (set_param("nobody", "pool", 1), "unknown_target"),
    (clear("nobody"), "unknown_target"),
]


@pytest.mark.parametrize(("action", "code"), REFUSED, ids=[f"{it.type} {code} {n}" for n, (it, code) in enumerate(REFUSED)])  # fmt: skip
def test_what_can_not_be_done_is_refused_and_changes_nothing(action: Action, code: str) -> None:
    drawing = example("app_server", until_s=1)
    execution = Execution(drawing)
    execution.advance(SECOND // 3)
    with pytest.raises(InputError) as refused:
        execution.act(action, "test")
    (problem,) = refused.value.problems
    assert problem.code == code
    assert problem.accepted
    culprit = problem.parameter if code == "unknown_parameter" else problem.value
    assert culprit
    assert culprit in problem.message
    assert execution.log == []
    execution.advance(execution.until_ns)
    assert digest(execution) == digest(finished(drawing))
    # The same in a log that comes with the scenario, with its place in it.
    with pytest.raises(InputError, match=r"interventions\[1\]"):
        Execution(drawing.model_copy(update={"interventions": [at(0.1, clear("db")), at(0.2, action)]}))


def test_a_live_parameter_counts_from_the_moment_of_its_change() -> None:
    drawing = example("sql_database", until_s=4)
    execution = run(drawing, until_s=2)
    assert figures(execution, "db")["connections"] == 3 * 8
    execution.act(set_param("db", "pool", 3), "test")
    assert figures(execution, "db")["connections"] == 3 * 3
    execution.act(set_param("users", "rate_per_s", 10_000.0), "test")
    before = metric(execution, "users", "sent")
    execution.advance(2 * SECOND + SECOND // 10)
    assert 900 < metric(execution, "users", "sent") - before < 1_100


@pytest.mark.parametrize("name", [name for name, template in templates().items() if template.scenario.interventions])
def test_what_a_template_does_is_the_scenarios_own(name: str) -> None:
    assert {entry.actor for entry in templates()[name].scenario.interventions} == {SCENARIO}
