"""What is set in a drawing has to go together: with the block's own parameters, its connections, and what is set at their other end."""

from __future__ import annotations

import copy

import pytest

from playground.catalogue import check_design
from playground.protocol.design import parse_design
from tests.catalogue.drawings import GOOD, Change, of, problems_after
from tests.sketch import block, edge

DOES_NOT: list[tuple[str, Change, str, dict[str, str], list[str]]] = [
    # what it is, how to spoil it, code, fields of the problem, words of the message
    (
        "a probe that is asked again before it is over",
        lambda data: of(data, "lb")["params"].update(probes=True, probe_timeout_s=10, probe_period_s=5),
        "rule",
        {"block": "lb", "parameter": "probe_timeout_s", "value": "10", "accepted": "at most probe_period_s = 5"},
        ["'lb'", "probe_timeout_s = 10", "probe_period_s = 5"],
    ),
    (
        "a startup probe that is asked again before it is over",
        lambda data: of(data, "lb")["params"].update(probes=True, probe_timeout_s=2, startup_period_s=0.5),
        "rule",
        {"block": "lb", "parameter": "probe_timeout_s", "value": "2", "accepted": "at most startup_period_s = 0.5"},
        ["'lb'", "probe_timeout_s = 2", "startup_period_s = 0.5"],
    ),
    (
        "resolvers that keep an answer for less than the TTL that they ignore",
        lambda data: data["blocks"].append(block("dns", "gslb", ttl_s=600, ignored_ttl_s=300, ignore_ttl_percent=10)),
        "rule",
        {"block": "dns", "parameter": "ttl_s", "value": "600", "accepted": "at most ignored_ttl_s = 300"},
        ["'dns'", "ignore_ttl_percent = 10", "ttl_s = 600", "keep answers longer"],
    ),
    (
        "requests that ask for nothing",
        lambda data: of(data, "users")["params"].update(read_weight=0, write_weight=0),
        "rule",
        {"block": "users", "parameter": "read_weight", "value": "0"},
        ["'users'", *(f"{name}_weight" for name in ("read", "write", "list", "buy", "create", "delete")), "all 0"],
    ),
    (
        "writes into a queue that is not there",
        lambda data: of(data, "app")["params"].update(writes="queue"),
        "missing_edge",
        {"block": "app", "parameter": "writes", "accepted": "a connection from its port 'Queue'"},
        ["'app'", "writes = queue"],
    ),
    (
        "writes to a cache that is not there",
        lambda data: (data["edges"].pop(2), of(data, "app")["params"].update(writes="cache")),
        "missing_edge",
        {"block": "app", "parameter": "writes", "accepted": "a connection from its port 'Cache'"},
        ["'app'", "writes = cache"],
    ),
    (
        "writes to a cache that refuses writes",
        lambda data: of(data, "app")["params"].update(writes="cache"),
        "rule",
        {"block": "app", "parameter": "writes", "value": "cache"},
        ["'app'", "writes = cache", "'cache'", "write_policy = around", "write_policy = through or behind"],
    ),
]


@pytest.mark.parametrize(
    ("change", "code", "fields", "words"), [it[1:] for it in DOES_NOT], ids=[it[0].replace(" ", "_") for it in DOES_NOT]
)
def test_what_does_not_go_together_is_refused_by_name(
    change: Change, code: str, fields: dict[str, str], words: list[str]
) -> None:
    (problem,) = problems_after(change)
    assert problem.code == code
    for name, value in fields.items():
        assert getattr(problem, name) == value
    assert [word for word in words if word not in problem.message] == []
    assert problem.accepted and problem.where


GOES_TOGETHER: list[tuple[str, Change]] = [
    (
        "a long timeout of probes where nobody asks",
        lambda data: of(data, "lb")["params"].update(probes=False, probe_timeout_s=10, probe_period_s=5),
    ),
    (
        "a long timeout of health checks where there are none",
        lambda data: data["blocks"].append(
            block("dns", "gslb", health_checks=False, probe_timeout_s=10, probe_interval_s=5)
        ),
    ),
    (
        "a TTL longer than what nobody keeps answers for",
        lambda data: data["blocks"].append(block("dns", "gslb", ttl_s=7200, ignored_ttl_s=3600)),
    ),
    (
        "a TTL that the network's routes don't have",
        lambda data: data["blocks"].append(
            block("dns", "gslb", policy="anycast", ttl_s=7200, ignored_ttl_s=3600, ignore_ttl_percent=10)
        ),
    ),
    (
        "a short startup period where nobody asks",
        lambda data: of(data, "lb")["params"].update(startup_period_s=0.5),
    ),
    (
        "a short startup period where there is no startup probe",
        lambda data: of(data, "lb")["params"].update(probes=True, startup=False, startup_period_s=0.5),
    ),
    (
        "a probe that takes all of its period",
        lambda data: of(data, "lb")["params"].update(probes=True, probe_timeout_s=5, startup_period_s=5),
    ),
    (
        "creations alone",
        lambda data: of(data, "users")["params"].update(read_weight=0, write_weight=0, create_weight=0.001),
    ),
    (
        "writes to a cache that writes through",
        lambda data: (
            of(data, "app")["params"].update(writes="cache"),
            of(data, "cache")["params"].update(write_policy="through"),
            data["edges"].append(edge("cache", "db", "store")),
        ),
    ),
    (
        "workers that tell the cache that their jobs come from",
        lambda data: (
            data["blocks"].extend([block("jobs", "queue"), block("writer", "worker")]),
            data["edges"].extend(
                [edge("cache", "jobs", "queue"), edge("jobs", "writer", "workers"), edge("writer", "cache", "cache")]
            ),
        ),
    ),
    (
        "writes to a cache, of a server that stands by itself",
        lambda data: data["blocks"].append(block("spare", "app_server", writes="cache")),
    ),
]


@pytest.mark.parametrize(
    "change", [it[1] for it in GOES_TOGETHER], ids=[it[0].replace(" ", "_") for it in GOES_TOGETHER]
)
def test_what_goes_together_is_accepted(change: Change) -> None:
    data = copy.deepcopy(GOOD)
    change(data)
    check_design(parse_design(data))
