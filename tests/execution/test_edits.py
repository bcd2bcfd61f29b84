"""The drawing changes while it runs: the engine applies the difference, and what stays keeps its state."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from playground import builder
from playground.execution import Execution
from playground.protocol.design import Design, EditDesign, Scenario, parse_design
from playground.protocol.errors import InputError
from tests.execution.variants import digest, finished
from tests.sketch import (
    SECOND,
    at,
    block,
    edge,
    example,
    figures,
    in_use,
    metric,
    quick_or_slow,
    quieten,
    run,
    set_param,
    unaccounted,
)

Change = Callable[[dict[str, Any]], None]


def edited(design: Design, change: Change) -> EditDesign:
    """The edit that brings about ``change`` in the design's JSON."""
    data = json.loads(design.model_dump_json(by_alias=True))
    change(data)
    return EditDesign(design=parse_design(data))


def of(data: dict[str, Any], name: str) -> dict[str, Any]:
    return next(it for it in [*data["blocks"], *data["edges"]] if it["id"] == name)


def without(data: dict[str, Any], *names: str) -> None:
    """Take blocks out, with the edges at them, or edges."""
    data["blocks"] = [it for it in data["blocks"] if it["id"] not in names]
    ends = lambda it: {it["id"], it["from"]["block"], it["to"]["block"]}  # noqa: E731
    data["edges"] = [it for it in data["edges"] if not ends(it) & set(names)]


def add_service(data: dict[str, Any]) -> None:
    data["blocks"].append(block("stock", "app_server", before_mean_ms=3))
    data["edges"].append(edge("shop", "stock", "services", timeout_ms=40))


def rewire(data: dict[str, Any]) -> None:
    """Prices behind reviews instead of behind the shop."""
    of(data, "shop-prices")["from"]["block"] = "reviews"


def replace_kind(data: dict[str, Any]) -> None:
    """The shop becomes a load balancer before the two services."""
    without(data, "cache", "db", "sessions", "filter", "jobs", "refreshers")
    of(data, "shop").update(kind="load_balancer", params={})
    for name in ("shop-prices", "shop-reviews"):
        of(data, name)["from"]["port"] = "out"


CHANGES: dict[str, Change] = {
    "a service is added": add_service,
    "a service is taken out": lambda data: without(data, "prices"),
    "an edge is taken out": lambda data: without(data, "shop-cache", "cache"),
    "the store is taken out": lambda data: without(data, "db", "jobs", "refreshers"),
    "an edge leads elsewhere": rewire,
    "a block becomes one of another kind": replace_kind,
    "the client is another one": lambda data: (
        without(data, "users"),
        data["blocks"].append(block("crowd", "client", rate_per_s=80)),
        data["edges"].append(edge("crowd", "shop", timeout_ms=90)),
    ),  # type: ignore[dict-item]
    "instances grow": lambda data: of(data, "shop")["params"].update(instances=4),
    "instances shrink": lambda data: of(data, "shop")["params"].update(instances=1),
    "policies change": lambda data: of(data, "users-shop")["params"].update(timeout_ms=20, retries=2),
    "names and places change": lambda data: data.update(name="Another"),
}
EVERY_CHANGE = pytest.mark.parametrize("change", list(CHANGES.values()), ids=list(CHANGES))
UNTIL_S = 3.0


def with_edit(change: Change) -> tuple[Scenario, EditDesign]:
    drawing = example("app_server", until_s=UNTIL_S)
    return drawing, edited(drawing.design, change)


@EVERY_CHANGE
def test_an_edit_keeps_the_books_and_what_stays_and_traffic_goes_on(change: Change) -> None:
    drawing, edit = with_edit(change)
    execution = run(drawing.model_copy(update={"until_s": 2_000}), until_s=1)
    before, kinds_before = dict(execution.model.blocks), {it.id: it.kind for it in drawing.design.blocks}
    offered = {name: it.offered for name, it in before.items()}
    execution.act(edit, "test")
    kinds_after = {it.id: it.kind for it in edit.design.blocks}
    assert set(execution.model.blocks) == set(kinds_after)
    for name, it in execution.model.blocks.items():
        if kinds_before.get(name) == kinds_after[name]:
            assert it is before[name]
            assert it.offered >= offered[name]
        else:
            assert it is not before.get(name)
    assert set(execution.model.edges) == {it.id for it in edit.design.edges}
    for moment in range(1, 21):
        execution.advance(SECOND + moment * SECOND // 20)
        assert unaccounted(execution) == []
    totals = execution.results()["totals"]
    assert totals["offered"] == totals["completed"] + totals["failed"] + totals["in_flight"]
    assert totals["completed"] > 1.5 * 70
    quieten(execution)
    execution.advance(execution.until_ns)
    # Those that were taken out have let go of everything too.
    assert {it.name: it.in_flight for it in execution.model.simulation.blocks if it.in_flight} == {}
    assert in_use(execution) == 0


@pytest.mark.parametrize("name", quick_or_slow(CHANGES, ("a service is added", "a service is taken out")))
def test_an_edit_replays_and_can_be_gone_back_behind(name: str) -> None:
    drawing, edit = with_edit(CHANGES[name])
    execution = run(drawing, until_s=1.234, recorded=True)
    execution.act(edit, "test")
    execution.advance(execution.until_ns)
    replayed = finished(drawing.model_copy(update={"interventions": execution.log}))
    assert digest(replayed) == digest(execution)
    layout = execution.layout()
    execution.seek(SECOND)
    execution.advance(SECOND)
    assert execution.design == drawing.design
    assert {it.id for it in execution.layout().blocks} == {it.id for it in drawing.design.blocks}
    assert digest_at(execution) == digest_at(run(drawing, until_s=1, recorded=True))
    execution.seek(2 * SECOND)
    execution.advance(execution.until_ns)
    assert execution.design == edit.design
    assert execution.layout().blocks == layout.blocks and execution.layout().edges == layout.edges
    assert digest(execution) == digest(replayed)


def digest_at(execution: Execution) -> object:
    """What a run says of the present moment."""
    return {name: value for name, value in execution.results().items() if name != "wall_seconds"}


def test_an_edit_that_changes_nothing_that_runs_changes_nothing_in_the_run() -> None:
    drawing, edit = with_edit(CHANGES["names and places change"])
    plain = finished(drawing)
    renamed = finished(drawing.model_copy(update={"interventions": [at(1, edit)]}))
    assert renamed.results()["trace_hash"] == plain.results()["trace_hash"]
    assert renamed.frame()["b"] == plain.frame()["b"]
    assert renamed.epoch != plain.epoch


@pytest.mark.parametrize("by", ["edit", "set_param"])
def test_a_parameter_that_is_not_live_restarts_its_block_alone(by: str) -> None:
    drawing = example("cache", until_s=UNTIL_S)
    execution = run(drawing, until_s=2)
    before = dict(execution.model.blocks)
    assert metric(execution, "aside", "hits") > 0
    edit = edited(drawing.design, lambda data: of(data, "aside")["params"].update(warm_keys=77))
    execution.act(edit if by == "edit" else set_param("aside", "warm_keys", 77), "test")
    assert {name for name, it in execution.model.blocks.items() if it is not before[name]} == {"aside"}
    fresh = figures(execution, "aside")
    assert fresh["keys"] == 77
    assert fresh["hits"] == fresh["misses"] == fresh["offered"] == 0
    execution.advance(execution.until_ns)
    assert metric(execution, "aside", "hits") > 0
    assert unaccounted(execution) == []


def test_a_drawing_that_can_not_run_is_refused_and_the_run_goes_on_as_it_was() -> None:
    drawing = example("app_server", until_s=UNTIL_S)
    execution = run(drawing, until_s=1, recorded=True)
    with pytest.raises(InputError) as refused:
        execution.act(edited(drawing.design, lambda data: without(data, "users")), "test")
    assert refused.value.problems[0].code == "no_client"
    assert execution.log == [] and execution.design == drawing.design
    execution.advance(execution.until_ns)
    assert digest(execution) == digest(finished(drawing))


def test_a_drawing_that_takes_too_long_to_build_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    drawing, edit = with_edit(add_service)
    execution = run(drawing, until_s=1, recorded=True)
    monkeypatch.setattr(builder, "BUILD_S_MAX", -1.0)
    with pytest.raises(InputError) as refused:
        execution.act(edit, "test")
    (problem,) = refused.value.problems
    assert (problem.code, problem.block) == ("too_slow", "stock")
    assert problem.accepted == "fewer warm keys, or fewer blocks"
    with pytest.raises(InputError, match="takes longer"):
        Execution(drawing)
    monkeypatch.undo()
    # Half of it was built already: none of it is left.
    assert set(execution.model.blocks) == {it.id for it in drawing.design.blocks}
    execution.advance(execution.until_ns)
    assert digest(execution) == digest(finished(drawing))
