"""Designs in a few words, runs of them, and what must be true of every run at any moment."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterable
from typing import Any

import pytest

from playground.blocks.registry import kinds
from playground.catalogue import catalogue, spec_of
from playground.execution import Execution
from playground.protocol.catalogue import Scalar
from playground.protocol.design import (
    Action,
    ClearFaults,
    Design,
    InjectFault,
    Intervention,
    Scenario,
    SetParam,
    parse_scenario,
)
from playground.templates_store import templates

SECOND = 1_000_000_000
MS = 1_000_000

Shape = dict[str, Any]


def block(name: str, kind: str, **params: Scalar) -> Shape:
    """A block of a drawing."""
    return {"id": name, "kind": kind, "params": params}


def edge(caller: str, callee: str, port: str = "out", **params: Scalar) -> Shape:
    """An edge from an out port of one block to the in port of another, named after both."""
    return {
        "id": f"{caller}--{callee}",
        "from": {"block": caller, "port": port},
        "to": {"block": callee, "port": "in"},
        "params": params,
    }


def at(seconds: float, action: Action) -> Intervention:
    """An entry of an intervention log."""
    return Intervention(at_ns=round(seconds * SECOND), actor="test", action=action)


def scenario(
    blocks: Iterable[Shape],
    edges: Iterable[Shape],
    *,
    seed: int = 1,
    until_s: float = 10.0,
    interventions: Iterable[Intervention] = (),
    slo: Iterable[Shape] = (),
) -> Scenario:
    """A scenario of these blocks and edges."""
    design = {"blocks": list(blocks), "edges": list(edges), "slo": list(slo)}
    parsed = parse_scenario({"design": design, "seed": seed, "until_s": until_s})
    return parsed.model_copy(update={"interventions": list(interventions)})


def template(name: str, *, seed: int | None = None, until_s: float | None = None) -> Scenario:
    """A template's scenario, under another seed or with another end where these are given."""
    found = templates()[name].scenario
    changes: Shape = {} if seed is None else {"seed": seed}
    return found.model_copy(update=changes if until_s is None else {**changes, "until_s": until_s})


def example(kind: str, *, seed: int = 1, until_s: float = 3.0) -> Scenario:
    """The example of a kind of block as a scenario."""
    return parse_scenario({"design": kinds()[kind].example(), "seed": seed, "until_s": until_s})


def every_scenario() -> dict[str, Scenario]:
    """Each template and each kind's example, by a name that says which it is."""
    found = {f"template {name}": entry.scenario for name, entry in templates().items()}
    found.update({f"example {kind}": example(kind) for kind in kinds()})
    return found


def quick_or_slow(cases: Iterable[Any], quick: Container[Any]) -> list[Any]:
    """The cases of a law for ``parametrize``: those that are ``quick`` always, the others where slow tests are run."""
    return [case if case in quick else pytest.param(case, marks=pytest.mark.slow) for case in cases]


def with_params(drawing: Scenario, wanted: Callable[[Any], bool], **params: Scalar) -> Scenario:
    """The scenario with some parameters of its ``wanted`` blocks and edges changed."""

    def changed(thing: Any) -> Any:
        return thing.model_copy(update={"params": {**thing.params, **params}}) if wanted(thing) else thing

    design = drawing.design
    update = {"blocks": [changed(it) for it in design.blocks], "edges": [changed(it) for it in design.edges]}
    return drawing.model_copy(update={"design": design.model_copy(update=update)})


def named(*names: str) -> Callable[[Any], bool]:
    """Chooses blocks and edges by their ids."""
    return lambda thing: thing.id in names


def run(drawing: Scenario, until_s: float | None = None, *, recorded: bool = False) -> Execution:
    """Run a scenario to its end, or to ``until_s``."""
    execution = Execution(drawing, recorded=recorded)
    assert execution.advance(execution.until_ns if until_s is None else round(until_s * SECOND))
    return execution


def metric(execution: Execution, name: str, figure: str) -> float:
    """One figure of a block or an edge, as a frame carries it now."""
    if name in execution.model.edges:
        names = [entry.name for entry in catalogue().edge.metrics]
        return execution.model.edges[name].metrics()[names.index(figure)]
    return figures(execution, name)[figure]


def figures(execution: Execution, name: str) -> dict[str, float]:
    """All figures of a block by their names; they are as many as its kind declares."""
    kind = next(entry.kind for entry in execution.design.blocks if entry.id == name)
    names = [entry.name for entry in (*catalogue().common_metrics, *kinds()[kind].spec.metrics)]
    found = execution.model.blocks[name]
    return dict(zip(names, [*found.common_metrics(), *found.metrics()], strict=True))


def set_param(target: str, param: str, value: Scalar) -> SetParam:
    return SetParam(target=target, param=param, value=value)


def fault(target: str, name: str, **params: Scalar) -> InjectFault:
    return InjectFault(target=target, fault=name, params=params)


def clear(target: str) -> ClearFaults:
    return ClearFaults(target=target)


def sources(design: Design) -> list[str]:
    """The blocks that nobody can call: traffic begins there."""
    return [it.id for it in design.blocks if not any(port.direction == "in" for port in spec_of(it).ports)]


# ---- what holds at any moment


def unaccounted(execution: Execution) -> list[str]:
    """Where calls were lost or invented: every call that came is answered, cancelled or still there."""
    found = []
    for name, it in execution.model.blocks.items():
        if it.offered != it.completed + it.failed + it.cancelled + it.in_flight or it.in_flight < 0:
            parts = (it.offered, it.completed, it.failed, it.cancelled, it.in_flight)
            found.append(f"block {name}: offered, completed, failed, cancelled, in flight = {parts}")
        if it.failed != sum(it.failures_by_reason().values()):
            found.append(f"block {name}: {it.failed} failed, by reason {it.failures_by_reason()}")
    for name, link in execution.model.edges.items():
        if link.offered != link.completed + link.failed + link.abandoned + link.in_flight or link.in_flight < 0:
            parts = (link.offered, link.completed, link.failed, link.abandoned, link.in_flight)
            found.append(f"edge {name}: offered, completed, failed, abandoned, in flight = {parts}")
    return found


def infinite(execution: Execution) -> list[str]:
    """The figures that are no finite numbers."""
    rows = {name: it.common_metrics() + it.metrics() for name, it in execution.model.blocks.items()}
    rows.update({name: link.metrics() for name, link in execution.model.edges.items()})
    return [f"{name}: {row}" for name, row in rows.items() if not all(math.isfinite(value) for value in row)]


def counters(execution: Execution) -> dict[str, float]:
    """All counters of all blocks and edges."""
    edge_counters = [entry.name for entry in catalogue().edge.metrics if entry.kind == "counter"]
    found = {f"{name}.{it}": metric(execution, name, it) for name in execution.model.edges for it in edge_counters}
    for entry in execution.design.blocks:
        have = figures(execution, entry.id)
        for declared in (*catalogue().common_metrics, *kinds()[entry.kind].spec.metrics):
            if declared.kind == "counter":
                found[f"{entry.id}.{declared.name}"] = have[declared.name]
    return found


def in_use(execution: Execution) -> int:
    """Records of calls that somebody, a block or the network, still holds."""
    return int(execution.model.simulation.calls.in_use)


QUIET: dict[str, Scalar] = {"loop": "open", "session_requests": 1.0, "burst_every_s": None, "rate_per_s": 0.001}


def quieten(execution: Execution) -> None:
    """End every fault and let the sources send one request in a quarter of an hour: what is in flight can end."""
    for target in [*execution.model.blocks, *execution.model.edges]:
        execution.act(clear(target), "test")
    for name in sources(execution.design):
        declared = {param.name for param in spec_of(next(it for it in execution.design.blocks if it.id == name)).params}
        for param, value in QUIET.items():
            if param in declared:
                execution.act(set_param(name, param, value), "test")
