"""Designs in which a cache stands before a database, and what their tests look at."""

from __future__ import annotations

from collections.abc import Iterable

from playground.execution import Execution
from playground.protocol.catalogue import Scalar
from playground.protocol.design import Intervention, Scenario
from tests.sketch import SECOND, Shape, block, edge, metric, scenario

Params = dict[str, Scalar]

INSTANT: Params = {"latency_mean_ms": 0.000001}
AT_ONCE: Params = {"before_mean_ms": 0, "before_distribution": "constant"}
MANY = 1_000_000


def shop(
    *,
    rate_per_s: float,
    query_ms: float,
    client: Params | None = None,
    app: Params | None = None,
    cache: Params | None = None,
    db: Params | None = None,
    more: Iterable[Shape] = (),
    wires: Iterable[Shape] = (),
    until_s: float = 10.0,
    seed: int = 1,
    interventions: Iterable[Intervention] = (),
) -> Scenario:
    """Users, a server, a cache beside it, a database. All that takes time is the query, always ``query_ms``; nothing ever runs full.

    One item, unless ``client`` says more; it is in the cache at the start.
    """
    blocks = [
        block("users", "client", **{"rate_per_s": rate_per_s, "write_weight": 0, "keys": 1, **(client or {})}),
        block("app", "app_server", **{**AT_ONCE, "workers": MANY, "rebuild_wait_ms": 60_000, **(app or {})}),
        block("cache", "cache", **{"warm_keys": 1, "ttl_s": None, "operation_mean_us": 0, **(cache or {})}),
        database(query_ms, db),
        *more,
    ]
    edges = [
        edge("users", "app", **INSTANT),
        edge("app", "cache", "cache", **INSTANT),
        edge("app", "db", "store", **INSTANT),
        *wires,
    ]
    return scenario(blocks, edges, seed=seed, until_s=until_s, interventions=interventions)


def database(query_ms: float, params: Params | None = None) -> Shape:
    """A database in which every query takes ``query_ms`` and a commit nothing, with room for all at once."""
    usual: Params = {
        "rows": 1000,
        "buffer_rows": 1000,
        "pool": 100_000,
        "cores": 10_000,
        "query_mean_ms": query_ms,
        "query_distribution": "constant",
        "commit_mean_ms": 0,
        "commit_distribution": "constant",
        "disk_channels": 1000,
    }
    return block("db", "sql_database", **{**usual, **(params or {})})


def second_server(
    name: str, rate_per_s: float, *, client: Params | None = None, app: Params | None = None
) -> tuple[list[Shape], list[Shape]]:
    """Another server with users of its own at the same cache and database: its blocks, and its edges."""
    users = f"{name}_users"
    blocks = [
        block(users, "client", **{"rate_per_s": rate_per_s, "write_weight": 0, "keys": 1, **(client or {})}),
        block(name, "app_server", **{**AT_ONCE, "workers": MANY, "rebuild_wait_ms": 60_000, **(app or {})}),
    ]
    edges = [
        edge(users, name, **INSTANT),
        edge(name, "cache", "cache", **INSTANT),
        edge(name, "db", "store", **INSTANT),
    ]
    return blocks, edges


def reach(execution: Execution, seconds: float) -> Execution:
    """Go on to this moment."""
    assert execution.advance(round(seconds * SECOND))
    return execution


def queries(execution: Execution, name: str = "db") -> int:
    """Statements that have come to the database."""
    return int(metric(execution, name, "offered"))


def counted(execution: Execution, figure: str, name: str = "cache") -> int:
    return int(metric(execution, name, figure))
