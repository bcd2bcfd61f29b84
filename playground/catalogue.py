"""What can be drawn, and whether a drawing can run: blocks' declarations and the graph, checked, every problem named."""

from __future__ import annotations

import difflib
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import TypeVar

import networkx as nx

from playground.blocks.declare import COMMON_METRICS
from playground.blocks.edge import EDGE
from playground.blocks.registry import kinds
from playground.engine import ENGINE_VERSION
from playground.engine.limits import LIMITS
from playground.engine.outcomes import OUTCOMES
from playground.protocol.catalogue import BlockSpec, Catalogue, Fault, Param, Port, Scalar
from playground.protocol.design import Action, Block, Design, Edge, Intervention, SetParam
from playground.protocol.errors import InputError, Problem, shown

PROBLEMS_MAX = 50

Drawn = TypeVar("Drawn", Block, Edge)


@cache
def catalogue() -> Catalogue:
    """Everything that can be drawn."""
    return Catalogue(
        engine_version=ENGINE_VERSION,
        blocks=tuple(kind.spec for kind in kinds().values()),
        edge=EDGE,
        common_metrics=COMMON_METRICS,
        outcomes=tuple(OUTCOMES),
        limits=dict(LIMITS),
    )


# ---- parameters


def accepted_by(param: Param) -> str:
    """What a parameter takes, in words."""
    unit = f" {param.unit}" if param.unit else ""
    off = ", or null (off)" if param.nullable else ""
    if param.kind == "boolean":
        return "true or false" + off
    if param.kind == "choice":
        return "one of " + ", ".join(choice.value for choice in param.choices) + off
    if param.kind == "text":
        return (param.pattern_help or "text") + off
    what = "a whole number" if param.kind == "integer" else "a number"
    bounds = []
    if param.minimum is not None:
        bounds.append(f"from {param.minimum:.15g}")
    if param.maximum is not None:
        bounds.append(f"{'to' if bounds else 'up to'} {param.maximum:.15g}")
    return " ".join([what, *bounds]) + unit + off


def refusal(param: Param, value: Scalar) -> str | None:
    """Why ``param`` doesn't take ``value``; None when it does."""
    if value is None:
        return None if param.nullable else "can't be off"
    if param.kind == "boolean":
        return None if isinstance(value, bool) else "is not a yes or no"
    if param.kind == "choice":
        return None if value in {choice.value for choice in param.choices} else "is not one of the choices"
    if param.kind == "text":
        if not isinstance(value, str):
            return "is not a text"
        return None if param.pattern is None or re.fullmatch(param.pattern, value) else "doesn't have the right form"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "is not a number"
    if isinstance(value, float) and not math.isfinite(value):
        # Neither too small nor too large by comparison, and nothing to compute with.
        return "is not a finite number"
    if param.kind == "integer" and value != int(value):
        return "is not a whole number"
    if param.minimum is not None and value < param.minimum:
        return "is too small"
    if param.maximum is not None and value > param.maximum:
        return "is too large"
    return None


def check_params(
    declared: Sequence[Param], given: dict[str, Scalar], *, owner: str, where: str, block: str | None
) -> Iterator[Problem]:
    """A problem for each given parameter that is unknown or not accepted. ``owner`` is how a message calls the thing."""
    by_name = {param.name: param for param in declared}
    for name, value in given.items():
        param = by_name.get(name)
        if param is None:
            near = difflib.get_close_matches(name, by_name, 3, 0.5)
            yield Problem(
                code="unknown_parameter",
                message=f"{owner} has no parameter {shown(name)!r}" + (f"; is {near[0]!r} meant?" if near else ""),
                where=f"{where}.params.{shown(name)}",
                block=block,
                parameter=shown(name),
                value=shown(value),
                accepted=", ".join(near or sorted(by_name)),
            )
            continue
        reason = refusal(param, value)
        if reason is not None:
            yield Problem(
                code="parameter",
                message=f"{owner}: {name} = {shown(value)} {reason}; it takes {accepted_by(param)}",
                where=f"{where}.params.{name}",
                block=block,
                parameter=name,
                value=shown(value),
                accepted=accepted_by(param),
            )


def filled(declared: Iterable[Param], given: dict[str, Scalar]) -> dict[str, Scalar]:
    """Every declared parameter: as given, else its default."""
    return {param.name: given.get(param.name, param.default) for param in declared}


def spec_of(block: Block) -> BlockSpec:
    """The declaration of a block's kind; raises ``KeyError`` for one that isn't known."""
    return kinds()[block.kind].spec


# ---- designs


def check_design(design: Design) -> None:
    """Raise :class:`InputError` with all that keeps ``design`` from running."""
    problems = list(_problems(design))
    if problems:
        raise InputError(problems[:PROBLEMS_MAX])


def _problems(design: Design) -> Iterator[Problem]:
    by_id: dict[str, Block] = {}
    broken = False
    for problem in _check_ids(design):
        broken = True
        yield problem
    for block in design.blocks:
        by_id[block.id] = block
        where = f"blocks[{block.id}]"
        kind = kinds().get(block.kind)
        if kind is None:
            broken = True
            near = difflib.get_close_matches(block.kind, kinds(), 3, 0.5)
            yield Problem(
                code="unknown_kind",
                message=f"block {block.id!r}: there is no kind of block {shown(block.kind)!r}",
                where=f"{where}.kind",
                block=block.id,
                value=shown(block.kind),
                accepted=", ".join(near or kinds()),
            )
            continue
        owner = f"block {block.id!r} ({kind.spec.title})"
        yield from check_params(kind.spec.params, block.params, owner=owner, where=where, block=block.id)
    for edge in design.edges:
        where = f"edges[{edge.id}]"
        yield from check_params(EDGE.params, edge.params, owner=f"edge {edge.id!r}", where=where, block=None)
    yield from _check_slo(design, by_id)
    if broken:
        return
    if not any(_is_source(block) for block in design.blocks):
        yield _no_client("there is no client, so nothing would happen")
    wrong_edges = list(_check_edges(design, by_id))
    yield from wrong_edges
    if not wrong_edges:
        yield from _check_graph(design, by_id)


def _check_ids(design: Design) -> Iterator[Problem]:
    for what, ids in (
        ("blocks", [block.id for block in design.blocks]),
        ("edges", [edge.id for edge in design.edges]),
    ):
        for name, count in Counter(ids).items():
            if count > 1:
                yield Problem(
                    code="duplicate_id",
                    message=f"{count} {what} have the id {name!r}",
                    where=f"{what}[{name}]",
                    block=name if what == "blocks" else None,
                    value=name,
                    accepted="an id that no other has",
                )
    for name in sorted({block.id for block in design.blocks} & {edge.id for edge in design.edges}):
        yield Problem(
            code="duplicate_id",
            message=f"a block and an edge both have the id {name!r}",
            where=f"edges[{name}]",
            block=name,
            value=name,
            accepted="an id that no other has",
        )


def _check_slo(design: Design, by_id: dict[str, Block]) -> Iterator[Problem]:
    for index, slo in enumerate(design.slo):
        where = f"slo[{index}]"
        if slo.block is not None and slo.block not in by_id:
            yield Problem(
                code="unknown_block",
                message=f"{where}: there is no block {shown(slo.block)!r}",
                where=f"{where}.block",
                value=shown(slo.block),
                accepted="a block's id, or null for the whole design",
            )
        if (slo.at_most is None) == (slo.at_least is None):
            yield Problem(
                code="slo",
                message=f"{where}: an objective has either at_most or at_least",
                where=where,
                accepted="exactly one of at_most and at_least",
            )


def _check_edges(design: Design, by_id: dict[str, Block]) -> Iterator[Problem]:
    counts: Counter[tuple[str, str]] = Counter()
    seen: dict[tuple[str, str, str, str], str] = {}
    for edge in design.edges:
        problem = _check_edge(edge, by_id)
        if problem is None:
            ends = (edge.from_.block, edge.from_.port, edge.to.block, edge.to.port)
            if ends in seen:
                problem = _edge_problem(
                    edge,
                    "duplicate_edge",
                    f"connects what edge {seen[ends]!r} connects already",
                    edge.id,
                    "each connection once",
                )
            seen[ends] = edge.id
            counts[edge.from_.block, edge.from_.port] += 1
            counts[edge.to.block, edge.to.port] += 1
        if problem is not None:
            yield problem
    for block in design.blocks:
        connected = any(counts[block.id, port.name] for port in spec_of(block).ports)
        for port in spec_of(block).ports:
            yield from _check_port(block, port, counts[block.id, port.name], connected)


def _check_port(block: Block, port: Port, count: int, connected: bool) -> Iterator[Problem]:
    """A block that isn't connected at all just stands there; one that is needs all its edges."""
    few = connected and count < port.minimum
    many = port.maximum is not None and count > port.maximum
    if few or many:
        most = port.minimum if few else port.maximum
        yield Problem(
            code="missing_edge" if few else "too_many_edges",
            message=f"block {block.id!r}: its port {port.label!r} has {count} connections and "
            f"{'needs at least' if few else 'takes at most'} {most}",
            where=f"blocks[{block.id}]",
            block=block.id,
            value=str(count),
            accepted=f"{'at least' if few else 'at most'} {most}",
        )


def _edge_problem(edge: Edge, code: str, message: str, value: str, accepted: str) -> Problem:
    return Problem(
        code=code,
        message=f"edge {edge.id!r} {message}",
        where=f"edges[{edge.id}]",
        value=shown(value),
        accepted=accepted,
    )


def _check_edge(edge: Edge, by_id: dict[str, Block]) -> Problem | None:
    if edge.from_.block == edge.to.block:
        return _edge_problem(
            edge, "self_loop", f"leads from block {edge.from_.block!r} to itself", edge.to.block, "another block"
        )
    ports: list[Port] = []
    for end, direction in ((edge.from_, "out"), (edge.to, "in")):
        block = by_id.get(end.block)
        if block is None:
            way = "from" if direction == "out" else "to"
            message = f"leads {way} block {shown(end.block)!r}, which doesn't exist"
            return _edge_problem(edge, "dangling_edge", message, end.block, "the id of a block")
        spec = spec_of(block)
        port = spec.port(end.port)
        if port is None or port.direction != direction:
            have = ", ".join(port.name for port in spec.ports if port.direction == direction) or "none"
            message = (
                f"uses {direction} port {shown(end.port)!r} of block {block.id!r} ({spec.title}), which it doesn't have"
            )
            return _edge_problem(edge, "unknown_port", message, end.port, f"{direction} ports of it: {have}")
        ports.append(port)
    out, into = ports
    if out.type != into.type:
        message = f"leads from a port of type {out.type} ({out.label}) to one of type {into.type} ({into.label})"
        return _edge_problem(edge, "port_type", message, into.type, f"a port of type {out.type}")
    return None


def _is_source(block: Block) -> bool:
    return not any(port.direction == "in" for port in spec_of(block).ports)


def _no_client(message: str) -> Problem:
    return Problem(code="no_client", message=message, accepted="at least one client, connected to what it calls")


def _check_graph(design: Design, by_id: dict[str, Block]) -> Iterator[Problem]:
    graph = nx.DiGraph()
    graph.add_nodes_from(by_id)
    graph.add_edges_from((edge.from_.block, edge.to.block) for edge in design.edges)
    try:
        cycle = [start for start, _ in nx.find_cycle(graph)]
    except nx.NetworkXNoCycle:
        cycle = []
    if cycle:
        way = " → ".join([*cycle, cycle[0]])
        yield Problem(
            code="cycle",
            message=f"calls would go round without end: {way}",
            where=f"blocks[{cycle[0]}]",
            block=cycle[0],
            value=way,
            accepted="calls that come to an end: take one edge of the cycle out",
        )
    sources = [name for name, block in by_id.items() if _is_source(block)]
    calling = [name for name in sources if graph.out_degree(name) > 0]
    if not calling:
        if sources:
            yield _no_client("there is no client that calls anything, so nothing would happen")
        return
    reached = set(calling).union(*(nx.descendants(graph, name) for name in calling))
    for name in by_id:
        if graph.degree(name) > 0 and name not in reached and name not in sources:
            yield Problem(
                code="unreachable",
                message=f"block {name!r} is connected, but no client's calls reach it",
                where=f"blocks[{name}]",
                block=name,
                accepted="a way from a client to it, or no connections at all",
            )


# ---- actions


def check_action(design: Design, action: Action) -> None:
    """Raise :class:`InputError` for an action that can't be done to a run of ``design``."""
    if action.type == "edit":
        check_design(action.design)
        return
    block = next((block for block in design.blocks if block.id == action.target), None)
    edge = next((edge for edge in design.edges if edge.id == action.target), None)
    if block is None and edge is None:
        raise InputError.single(
            "unknown_target",
            f"there is no block or edge {shown(action.target)!r} in what runs",
            where="action.target",
            value=shown(action.target),
            accepted="the id of a block or an edge",
        )
    spec = EDGE if block is None else spec_of(block)
    owner = f"edge {action.target!r}" if block is None else f"block {action.target!r}"
    target_block = action.target if block is not None else None
    if action.type == "set_param":
        given = {action.param: action.value}
        problems = list(check_params(spec.params, given, owner=owner, where=f"[{action.target}]", block=target_block))
        if problems:
            raise InputError(problems)
    elif action.type == "fault":
        fault = _fault(spec.faults, action.fault, owner, target_block)
        given = action.params
        problems = list(
            check_params(
                fault.params,
                given,
                owner=f"fault {fault.name!r} of {owner}",
                where=f"[{action.target}]",
                block=target_block,
            )
        )
        if problems:
            raise InputError(problems)
        if block is not None:
            _check_instance(block, action.params.get("instance"))


def _check_instance(block: Block, instance: Scalar) -> None:
    count = filled(spec_of(block).params, block.params).get("instances", 1)
    if isinstance(instance, (int, float)) and isinstance(count, (int, float)) and instance >= count:
        raise InputError.single(
            "parameter",
            f"block {block.id!r} has {count} instances, so there is no instance {shown(instance)}",
            where=f"[{block.id}].instance",
            block=block.id,
            parameter="instance",
            value=shown(instance),
            accepted=f"0 to {int(count) - 1}, or null (all of them)",
        )


def after(design: Design, action: Action) -> Design:
    """The drawing that runs once ``action`` was done to a run of ``design``."""
    if action.type == "edit":
        return action.design
    if action.type != "set_param":
        return design
    return design.model_copy(
        update={
            "blocks": [_with_param(block, action) for block in design.blocks],
            "edges": [_with_param(edge, action) for edge in design.edges],
        }
    )


def _with_param(thing: Drawn, action: SetParam) -> Drawn:
    if thing.id != action.target:
        return thing
    return thing.model_copy(update={"params": {**thing.params, action.param: action.value}})


def check_log(design: Design, log: Sequence[Intervention]) -> None:
    """Raise :class:`InputError` for the first entry of an intervention log that can't be done to a run that begins as ``design``."""
    for index, entry in enumerate(log):
        try:
            check_action(design, entry.action)
        except InputError as error:
            raise InputError(
                [
                    problem.model_copy(update={"message": f"interventions[{index}]: {problem.message}"})
                    for problem in error.problems
                ]
            ) from None
        design = after(design, entry.action)


def _fault(faults: Sequence[Fault], name: str, owner: str, block: str | None) -> Fault:
    found = next((fault for fault in faults if fault.name == name), None)
    if found is None:
        raise InputError.single(
            "unknown_fault",
            f"{owner} knows no fault {shown(name)!r}",
            where="action.fault",
            block=block,
            value=shown(name),
            accepted=", ".join(fault.name for fault in faults) or "none",
        )
    return found
