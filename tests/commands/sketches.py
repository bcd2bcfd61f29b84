"""Small designs for the tests of commands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def block(name: str, kind: str, **params: Any) -> dict[str, Any]:
    return {"id": name, "kind": kind, "params": params}


def edge(name: str, caller: str, callee: str, port: str = "out", **params: Any) -> dict[str, Any]:
    return {
        "id": name,
        "from": {"block": caller, "port": port},
        "to": {"block": callee, "port": "in"},
        "params": params,
    }


def small() -> dict[str, Any]:
    """A client, a balancer, two servers and a database: every kind of randomness is in it."""
    return {
        "name": "Small",
        "blocks": [
            block("users", "client", rate_per_s=60, write_weight=20, keys=50),
            block("lb", "load_balancer"),
            block("app.1", "app_server", workers=4, before_mean_ms=20),
            block("app.2", "app_server", workers=4, before_mean_ms=20),
            block("db", "sql_database", rows=50),
        ],
        "edges": [
            edge("in", "users", "lb", timeout_ms=400, retries=1),
            edge("lb.1", "lb", "app.1", latency_distribution="exponential"),
            edge("lb.2", "lb", "app.2", loss_percent=2),
            edge("db.1", "app.1", "db", "store"),
            edge("db.2", "app.2", "db", "store"),
        ],
        "slo": [{"metric": "p99_ms", "at_most": 1.0}, {"metric": "availability_percent", "at_least": 1.0}],
    }


def written(path: Path, content: Any) -> Path:
    """``path``, with ``content`` in it: bytes and text as they are, anything else as JSON."""
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path
