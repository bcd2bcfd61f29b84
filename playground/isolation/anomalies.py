"""Names for what went wrong: cycles in the dependency graph, and dirty reads.

The names are those of Adya (1999), Bailis et al. ("Highly available transactions", 2013) and of Kleppmann's Hermitage test suite.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import product

import networkx

from playground.isolation.history import Dependency, DirtyRead

CYCLES_MAX = 50
TITLES = {
    "G0": "dirty write (write cycle)",
    "G1a": "aborted read (dirty read)",
    "G1b": "intermediate read",
    "G1c": "circular information flow",
    "OTV": "observed transaction vanishes",
    "PMP": "predicate-many-preceders (phantom read)",
    "P4": "lost update",
    "G-single": "read skew",
    "G2-item": "write skew",
    "G2": "anti-dependency cycle by a predicate (write skew)",
}


@dataclass(frozen=True)
class Anomaly:
    """One anomaly: its name in the literature and in plain words, and the edges of its cycle (none for a dirty read)."""

    name: str
    title: str
    cycle: tuple[Dependency, ...]
    transactions: tuple[int, ...]
    statements: tuple[int, ...] = ()
    where: str = ""


def graph_of(edges: Iterable[Dependency]) -> networkx.MultiDiGraph:
    """The edges as a graph over transactions' numbers."""
    graph = networkx.MultiDiGraph()
    for edge in edges:
        graph.add_edge(edge.before, edge.after, edge=edge)
    return graph


def weight(edge: Dependency) -> int:
    """An anti-dependency makes a weaker claim than a dependency, one by a predicate the weakest."""
    return {"ww": 0, "wr": 1, "rw": 2}[edge.kind] + edge.is_by_predicate


def anomalies_of(edges: Sequence[Dependency], dirty: Sequence[DirtyRead], selects: AbstractSet[int]) -> list[Anomaly]:
    """All of them: dirty reads, and a name for every cycle (at most CYCLES_MAX), by the fewest anti-dependencies that it has.

    ``selects`` are the statements that only read.
    """
    found = [
        Anomaly(
            read.kind, TITLES[read.kind], (), (read.reader, read.writer), (read.statement,), f"{read.table} {read.key}"
        )
        for read in dirty
    ]
    graph = graph_of(edges)
    for count, nodes in enumerate(networkx.simple_cycles(networkx.DiGraph(graph))):
        if count == CYCLES_MAX:
            break
        found.append(named(least(graph, nodes)))
    found += vanished([edge for edge in edges if edge.statement in selects])
    unique = {(one.name, frozenset(one.transactions)): one for one in reversed(found)}
    order = list(TITLES)
    return sorted(unique.values(), key=lambda one: (order.index(one.name), one.transactions))


def least(graph: networkx.MultiDiGraph, nodes: Sequence[int]) -> tuple[Dependency, ...]:
    """The edges along a cycle of nodes, for each pair the one that claims most; both on one row where that makes a lost update."""
    hops = list(zip(nodes, [*nodes[1:], nodes[0]], strict=True))
    choices = [
        sorted((data["edge"] for data in graph.get_edge_data(*hop).values()), key=lambda e: (weight(e), e))
        for hop in hops
    ]
    if len(hops) == 2 and weight(choices[0][0]) + weight(choices[1][0]) == 2:
        pairs = [pair for pair in product(*choices) if weight(pair[0]) + weight(pair[1]) == 2]
        on_one_row = [pair for pair in pairs if (pair[0].table, pair[0].key) == (pair[1].table, pair[1].key)]
        lost = [pair for pair in on_one_row if {pair[0].kind, pair[1].kind} == {"ww", "rw"}]
        if lost:
            return lost[0]
    return tuple(edges[0] for edges in choices)


def named(cycle: tuple[Dependency, ...]) -> Anomaly:
    """What a cycle is called."""
    anti = [edge for edge in cycle if edge.kind == "rw"]
    if not anti:
        name = "G1c" if any(edge.kind == "wr" for edge in cycle) else "G0"
    elif len(anti) == 1:
        places = {(edge.table, edge.key) for edge in cycle}
        if anti[0].is_by_predicate:
            name = "PMP"
        elif len(places) == 1 and any(edge.kind == "ww" for edge in cycle):
            name = "P4"
        else:
            name = "G-single"
    else:
        name = "G2" if any(edge.is_by_predicate for edge in anti) else "G2-item"
    members = tuple(sorted({edge.before for edge in cycle}))
    statements = tuple(sorted({edge.statement for edge in cycle if edge.statement >= 0}))
    return Anomaly(name, TITLES[name], cycle, members, statements)


def vanished(edges: Sequence[Dependency]) -> list[Anomaly]:
    """OTV: a transaction's write was read by one statement, and by a later one of the same reader another of its writes was not."""
    found = []
    for read in edges:
        for missed in edges:
            if (
                read.kind == "wr"
                and missed.kind == "rw"
                and (read.before, read.after) == (missed.after, missed.before)
                and read.statement < missed.statement
                and (read.table, read.key) != (missed.table, missed.key)
            ):
                cycle = (read, missed)
                members = tuple(sorted((read.before, read.after)))
                found.append(Anomaly("OTV", TITLES["OTV"], cycle, members, (read.statement, missed.statement)))
    return found
