"""A drawing that can run, ways to spoil it, and what is then said."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from playground.catalogue import check_design
from playground.protocol.design import parse_design
from playground.protocol.errors import InputError, Problem
from tests.sketch import block, edge

GOOD: dict[str, Any] = {
    "blocks": [
        block("users", "client"),
        block("lb", "load_balancer"),
        block("app", "app_server"),
        block("cache", "cache"),
        block("db", "sql_database"),
    ],
    "edges": [
        edge("users", "lb"),
        edge("lb", "app"),
        edge("app", "cache", "cache"),
        edge("app", "db", "store"),
    ],
}

Change = Callable[[dict[str, Any]], object]


def problems(data: Any) -> list[Problem]:
    with pytest.raises(InputError) as refused:
        check_design(parse_design(data))
    return refused.value.problems


def problems_after(change: Change) -> list[Problem]:
    data = copy.deepcopy(GOOD)
    change(data)
    return problems(data)


def of(data: dict[str, Any], name: str) -> dict[str, Any]:
    return next(it for it in [*data["blocks"], *data["edges"]] if it["id"] == name)
