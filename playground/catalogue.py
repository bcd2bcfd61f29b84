"""What can be drawn, and whether a drawing can run: blocks' declarations and the graph, checked, every problem named."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator
from functools import cache

import networkx as nx

from playground.blocks.declare import COMMON_METRICS
from playground.blocks.edge import EDGE
from playground.blocks.registry import kinds
from playground.engine import ENGINE_VERSION
from playground.engine.limits import LIMITS
from playground.engine.outcomes import OUTCOMES
from playground.parameters import check_params
from playground.protocol.catalogue import BlockSpec, Catalogue, Port
from playground.protocol.design import Block, Design, Edge
from playground.protocol.errors import InputError, Problem, shown
from playground.relations import callees_of, check_needs, check_rules, check_weights

PROBLEMS_MAX = 50


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
        wrong = list(check_params(kind.spec.params, block.params, owner=owner, where=where, block=block.id))
        yield from wrong or check_rules(block)
    for edge in design.edges:
        where = f"edges[{edge.id}]"
        yield from check_params(EDGE.params, edge.params, owner=f"edge {edge.id!r}", where=where, block=None)
    yield from _check_slo(design, by_id)
    yield from _check_switches(design, by_id)
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


def _check_switches(design: Design, by_id: dict[str, Block]) -> Iterator[Problem]:
    """Switches and watched figures speak of things that are there. A drawing may lose some: then only what is left is checked."""
    declared = {name: spec_of(block) for name, block in by_id.items() if block.kind in kinds()}
    edges = {edge.id for edge in design.edges}
    for index, switch in enumerate(design.switches):
        where = f"switches[{index}]"
        names = [{(setting.target, setting.param) for setting in settings} for settings in (switch.on, switch.off)]
        if names[0] != names[1]:
            yield Problem(
                code="switch",
                message=f"{where}: 'on' and 'off' set different parameters",
                where=where,
                accepted="the same parameters in both",
            )
        for setting in (*switch.on, *switch.off):
            spec = EDGE if setting.target in edges else declared.get(setting.target)
            if spec is not None:
                owner = f"switch {switch.label!r}"
                given = {setting.param: setting.value}
                yield from check_params(spec.params, given, owner=owner, where=where, block=None)
    for index, watch in enumerate(design.watch):
        spec = EDGE if watch.target in edges else declared.get(watch.target)
        if spec is None:
            continue
        names_known = [metric.name for metric in (*(() if spec is EDGE else COMMON_METRICS), *spec.metrics)]
        if watch.metric not in names_known:
            yield Problem(
                code="watch",
                message=f"watch[{index}]: {watch.target!r} has no metric {shown(watch.metric)!r}",
                where=f"watch[{index}].metric",
                value=shown(watch.metric),
                accepted=", ".join(names_known),
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
    yield from check_weights(design)
    callees = callees_of(design)
    for block in design.blocks:
        connected = any(counts[block.id, port.name] for port in spec_of(block).ports)
        for port in spec_of(block).ports:
            yield from _check_port(block, port, counts[block.id, port.name], connected)
        if connected:
            yield from check_needs(block, callees)


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


def _is_deferred(edge: Edge, by_id: dict[str, Block]) -> bool:
    port = spec_of(by_id[edge.from_.block]).port(edge.from_.port)
    return port is not None and port.deferred


def _no_client(message: str) -> Problem:
    return Problem(code="no_client", message=message, accepted="at least one client, connected to what it calls")


def _check_graph(design: Design, by_id: dict[str, Block]) -> Iterator[Problem]:
    graph = nx.DiGraph()
    graph.add_nodes_from(by_id)
    graph.add_edges_from((edge.from_.block, edge.to.block) for edge in design.edges)
    waits = nx.DiGraph((edge.from_.block, edge.to.block) for edge in design.edges if not _is_deferred(edge, by_id))
    try:
        cycle = [start for start, _ in nx.find_cycle(waits)]
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
            accepted="calls that come to an end: take one edge of the cycle out, or let a queue with workers stand between",
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
