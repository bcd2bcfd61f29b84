"""Scenarios that use everything, short enough to be run many times, and what is compared of two runs."""

from __future__ import annotations

import gc
import hashlib
import json
from functools import cache
from typing import Any

import pytest

from playground.actions import after, check_action
from playground.blocks.registry import kinds
from playground.catalogue import catalogue, spec_of
from playground.execution import Execution
from playground.protocol.design import Intervention, Scenario
from playground.protocol.errors import InputError
from tests.sketch import at, clear, every_scenario, fault, quick_or_slow, set_param

UNTIL_S = {
    "template catalogue": 0.25,
    "template stampede": 0.35,
    "template metastable": 14.0,
    "template mm1": 60.0,
    "template mmc": 20.0,
}
EXAMPLE_UNTIL_S = 2.0
QUICK = (
    "template catalogue",
    "template quorum",
    "template reshard",
    "template stampede",
    "template two-buyers",
    "example bloom_filter",
    "example bloom_filter, changing",
    "example queue, stormy",
)
"""What the laws of execution are tried on in every run of the tests: of each sort of mechanism one. Slow ones take all."""


@cache
def short_scenarios() -> dict[str, Scenario]:
    """Every template and example with an early end; what happens to a template happens early enough to matter."""
    found = {}
    for name, drawing in every_scenario().items():
        until_s = UNTIL_S.get(name, EXAMPLE_UNTIL_S)
        late = any(entry.at_ns > until_s * 1e9 for entry in drawing.interventions)
        log = [at(0.1, entry.action) for entry in drawing.interventions] if late else drawing.interventions
        found[name] = drawing.model_copy(update={"until_s": until_s, "interventions": log})
    return found


def stormy(drawing: Scenario) -> Scenario:
    """The scenario with every fault of every block and edge done, one after another, and most of them cleared."""
    targets = [(it.id, spec_of(it).faults) for it in drawing.design.blocks]
    targets += [(it.id, catalogue().edge.faults) for it in drawing.design.edges]
    todo = [(target, it.name) for target, faults in targets for it in faults]
    log: list[Intervention] = []
    for number, (target, name) in enumerate(todo):
        when = drawing.until_s * (0.1 + 0.8 * number / len(todo))
        log.append(at(when, fault(target, name)))
        log.append(at(when + drawing.until_s * 0.01, clear(target)))
    return drawing.model_copy(update={"interventions": [*drawing.interventions, *log]})


def changing(drawing: Scenario) -> Scenario:
    """The scenario with a live parameter of every block changed half-way, back to its default or away from it: the first that fits."""
    log = []
    design = drawing.design
    for it in drawing.design.blocks:
        for param in kinds()[it.kind].spec.params:
            if not param.live or param.kind != "choice":
                continue
            last = param.choices[-1].value
            action = set_param(it.id, param.name, last if it.params.get(param.name) != last else param.default)
            try:
                check_action(design, action)
            except InputError as refused:
                assert {problem.code for problem in refused.problems} <= {"rule", "missing_edge"}
                continue
            design = after(design, action)
            log.append(at(drawing.until_s / 2, action))
            break
        else:
            raise AssertionError(f"nothing of {it.id!r} can be changed")
    return drawing.model_copy(update={"interventions": [*drawing.interventions, *log]})


@cache
def replayed() -> dict[str, Scenario]:
    """All that the law of replay is tried on."""
    found: dict[str, Scenario] = {}
    for name, drawing in short_scenarios().items():
        found[name] = drawing
        if name.startswith("example"):
            found[f"{name}, stormy"] = stormy(drawing)
            found[f"{name}, changing"] = changing(drawing)
    return found


def unsampled(detail: Any) -> Any:
    """What a block says of itself, without which of its requests are followed: a viewer at another speed follows others."""
    if isinstance(detail, list):
        return [unsampled(entry) for entry in detail]
    if isinstance(detail, dict):
        return {name: unsampled(value) for name, value in detail.items() if name != "trace"}
    return detail


def outcome(execution: Execution) -> dict[str, Any]:
    """All that a run says of itself, without the machine's own time."""
    frame = execution.frame()
    return {
        "results": {name: value for name, value in execution.results().items() if name != "wall_seconds"},
        "blocks": hashlib.sha256(frame["b"]).hexdigest(),
        "edges": hashlib.sha256(frame["ed"]).hexdigest(),
        "totals": frame["tot"],
        "notables": [list(entry) for entry in execution.model.simulation.notables],
        "details": {name: unsampled(execution.detail(name)) for name in sorted(execution.model.blocks)},
        "history": execution.history(0),
    }


def digest(execution: Execution) -> str:
    """Trace hash, and a hash over everything else that the run says of itself."""
    text = json.dumps(outcome(execution), sort_keys=True)
    return f"{execution.results()['trace_hash']} {hashlib.sha256(text.encode()).hexdigest()}"


def finished(drawing: Scenario) -> Execution:
    """The scenario run to its end in one go."""
    execution = Execution(drawing)
    assert execution.advance(execution.until_ns)
    return execution


@cache
def digest_of(name: str) -> str:
    """The digest of one of those that the law of replay is tried on, run once in this process."""
    found = digest(finished(replayed()[name]))
    # A run is a circle of objects with up to 256 MB of snapshots, of which the collector sees few objects.
    gc.collect()
    return found


def digests(part: int = 0, parts: int = 1) -> dict[str, str]:
    """The digest of everything that the law of replay is tried on; of each ``parts``-th, from ``part`` on."""
    return {name: digest_of(name) for name in list(replayed())[part::parts]}


EVERY = pytest.mark.parametrize("name", quick_or_slow(short_scenarios(), QUICK))
"""A law that stands in every template and in each kind's example."""
