"""Users in front of HTTP caches, a server and its database: the designs that the laws of HTTP caching are shown on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from playground.execution import Execution
from playground.protocol.catalogue import Scalar
from playground.protocol.design import Intervention, Scenario
from tests.sketch import SECOND, Shape, block, edge, metric, scenario

NEAR: dict[str, Scalar] = {"latency_mean_ms": 0.001}
"""An edge without a network: a cache in the same machine."""


def readers(name: str = "users", **params: Scalar) -> Shape:
    """One user who reads item 1, evenly spaced."""
    shape: dict[str, Scalar] = {"keys": 1, "key_choice": "uniform", "arrivals": "even", "write_weight": 0, "users": 1}
    return block(name, "client", **{**shape, **params})


def writers(name: str = "writers", **params: Scalar) -> Shape:
    """One user who writes item 1, evenly spaced."""
    return readers(name, **{"read_weight": 0, "write_weight": 1, **params})


def shop(took_ms: float = 1.0, **params: Scalar) -> Shape:
    """A server that takes exactly so long, for any number of requests at once; an item has 2,000 bytes."""
    shape: dict[str, Scalar] = {
        "before_mean_ms": took_ms,
        "before_distribution": "constant",
        "workers": 1_000_000,
        "response_bytes": 2_000,
    }
    return block("shop", "app_server", **{**shape, **params})


def database(**params: Scalar) -> Shape:
    """A quick database without chance."""
    constant: dict[str, Scalar] = {f"{it}_distribution": "constant" for it in ("query", "disk_read", "commit")}
    return block("db", "sql_database", **{**constant, "query_mean_ms": 0.1, "rows": 1_000, **params})


def cdn(**params: Scalar) -> Shape:
    return block("cdn", "cdn", **{"hit_time_distribution": "constant", "hit_time_mean_ms": 0.5, **params})


def browsers(name: str = "browsers", **params: Scalar) -> Shape:
    return block(name, "browser_cache", **params)


def chain(
    *shapes: Shape,
    beside: Sequence[tuple[Shape, str]] = (),
    seed: int = 1,
    until_s: float = 100.0,
    interventions: Iterable[Intervention] = (),
) -> Execution:
    """Blocks that call one another in this order; ``beside``: others, each with the block that it calls. A run that has not begun."""
    ports = {"client": "out", "cdn": "origin", "browser_cache": "origin", "app_server": "store"}
    blocks, edges = list(shapes), []
    for caller, callee in pairwise(shapes):
        edges.append(_edge(caller, callee["id"], callee["kind"], ports))
    kinds = {shape["id"]: shape["kind"] for shape in (*shapes, *(it for it, _ in beside))}
    for shape, callee_name in beside:
        blocks.append(shape)
        edges.append(_edge(shape, callee_name, kinds[callee_name], ports))
    drawing: Scenario = scenario(blocks, edges, seed=seed, until_s=until_s, interventions=interventions)
    return Execution(drawing, recorded=False)


def _edge(caller: Shape, callee: str, kind: str, ports: dict[str, str]) -> Shape:
    near = NEAR if kind == "browser_cache" else {}
    return edge(caller["id"], callee, ports[caller["kind"]], **near)


def to(execution: Execution, seconds: float) -> Execution:
    """Run on to this virtual time."""
    assert execution.advance(round(seconds * SECOND))
    return execution


def during(execution: Execution, name: str, figure: str, start_s: float, end_s: float) -> float:
    """How much a counter grew between two moments."""
    before = metric(to(execution, start_s), name, figure)
    return metric(to(execution, end_s), name, figure) - before
