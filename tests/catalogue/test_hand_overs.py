"""A write that was answered already, or an item's refresh, goes into a queue: whoever does it in the end has the wires for it."""

from __future__ import annotations

from typing import Any

import pytest

from playground.actions import check_action
from playground.catalogue import check_design
from playground.protocol.design import EditDesign, parse_design
from playground.protocol.errors import InputError, Problem
from tests.sketch import Shape, block, edge, set_param

PUBLISHED: Shape = {**edge("others", "jobs"), "to": {"block": "jobs", "port": "requests"}}


def drawing(app: dict[str, Any], cache: dict[str, Any], *more: Shape) -> dict[str, Any]:
    """A server with cache, store and a queue; ``more`` are further blocks and edges."""
    blocks = [
        block("users", "client"),
        block("app", "app_server", **app),
        block("cache", "cache", **cache),
        block("db", "sql_database"),
        block("jobs", "queue"),
        block("writer", "worker"),
    ]
    edges = [
        edge("users", "app"),
        edge("app", "cache", "cache"),
        edge("app", "db", "store"),
        edge("jobs", "writer", "workers"),
    ]
    return {
        "blocks": blocks + [it for it in more if "kind" in it],
        "edges": edges + [it for it in more if "from" in it],
    }


BY_SERVER = ({"writes": "queue"}, {}, edge("app", "jobs", "queue"))
BY_CACHE = ({"writes": "cache"}, {"write_policy": "behind"}, edge("cache", "jobs", "queue"))
REFRESHES = ({}, {"soft_ttl_s": 8, "ttl_s": 10}, edge("app", "jobs", "queue"))
STORE = edge("writer", "db", "store")
CACHE = edge("writer", "cache", "cache")


def refused(data: dict[str, Any]) -> list[Problem]:
    with pytest.raises(InputError) as found:
        check_design(parse_design(data))
    return found.value.problems


@pytest.mark.parametrize(
    ("of", "has", "who", "lacks", "because"),
    [
        (BY_SERVER, (), "app", "writer.store", "writes = queue"),
        (BY_SERVER, (CACHE,), "app", "writer.store", "writes = queue"),
        (BY_CACHE, (), "cache", "writer.store", "write_policy = behind"),
        (BY_CACHE, (CACHE,), "cache", "writer.store", "write_policy = behind"),
        (REFRESHES, (STORE,), "app", "writer.cache", "soft TTL"),
        (REFRESHES, (CACHE,), "app", "writer.store", "soft TTL"),
    ],
)
def test_a_job_that_somebody_counts_on_is_refused_where_its_worker_lacks_the_wire(
    of: tuple[Any, ...], has: tuple[Shape, ...], who: str, lacks: str, because: str
) -> None:
    (problem,) = refused(drawing(*of, *has))
    doer, port = lacks.split(".")
    assert problem.code == "missing_edge" and problem.block == who and problem.value == lacks
    assert because in problem.message and "'jobs'" in problem.message and f"'{doer}'" in problem.message
    assert problem.where == f"blocks[{doer}]"
    assert port in problem.accepted.lower() and doer in problem.accepted


def test_a_refresh_goes_to_the_cache_that_asked_for_it_and_to_no_other() -> None:
    elsewhere = (block("other", "cache"), edge("writer", "other", "cache"), STORE)
    (problem,) = refused(drawing(*REFRESHES, *elsewhere))
    assert "leads to 'other'" in problem.message and "to block 'cache'" in problem.accepted


def test_each_of_a_queues_workers_needs_the_wire() -> None:
    more = (STORE, block("second", "worker"), edge("jobs", "second", "workers"))
    (problem,) = refused(drawing(*BY_SERVER, *more))
    assert problem.value == "second.store"


@pytest.mark.parametrize(
    "data",
    [
        drawing(*BY_SERVER, STORE),
        drawing(*BY_CACHE, STORE),
        drawing(*REFRESHES, STORE, CACHE),
        # A worker has nothing to do that anybody counts on.
        drawing({}, {}, edge("app", "jobs", "queue")),
        # A client's own request is whatever the worker makes of it.
        drawing({}, {}, block("others", "client"), PUBLISHED),
        # What was given up is nobody's promise any more: who looks after dead letters need not be able to write them.
        drawing(
            *BY_SERVER,
            STORE,
            block("letters", "queue"),
            block("clerk", "worker"),
            edge("jobs", "letters", "dead_letters"),
            edge("letters", "clerk", "workers"),
        ),
    ],
    ids=["by the server", "by the cache", "refreshes", "nothing set", "requests", "dead letters"],
)
def test_what_can_be_done_is_accepted(data: dict[str, Any]) -> None:
    check_design(parse_design(data))


@pytest.mark.parametrize(
    ("of", "target", "param", "value"),
    [
        (({}, {}, edge("app", "jobs", "queue")), "app", "writes", "queue"),
        (({}, {}, edge("cache", "jobs", "queue")), "cache", "write_policy", "behind"),
        (({}, {}, edge("app", "jobs", "queue"), STORE), "cache", "soft_ttl_s", 8.0),
    ],
)
def test_a_setting_while_it_runs_is_held_against_the_workers_wires(
    of: tuple[Any, ...], target: str, param: str, value: str | float
) -> None:
    design = parse_design(drawing(*of))
    check_design(design)
    with pytest.raises(InputError) as found:
        check_action(design, set_param(target, param, value))
    assert found.value.problems[0].code == "missing_edge"


def test_the_wire_is_not_taken_out_while_it_runs() -> None:
    check_action(parse_design(drawing(*BY_SERVER, STORE)), EditDesign(design=parse_design(drawing({}, *BY_SERVER[1:]))))
    with pytest.raises(InputError, match="'writer'"):
        check_action(parse_design(drawing(*BY_SERVER, STORE)), EditDesign(design=parse_design(drawing(*BY_SERVER))))
