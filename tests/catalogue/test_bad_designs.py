"""A drawing that can't run is refused with every problem named: what it is, where, which value, what would be accepted."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from playground.catalogue import PROBLEMS_MAX, check_design
from playground.execution import Execution
from playground.protocol.design import EDGES_MAX, Design, Scenario, parse_design
from playground.protocol.errors import InputError
from tests.catalogue.drawings import GOOD, Change, of, problems, problems_after
from tests.sketch import block, edge, example, run


def test_the_design_that_is_spoiled_below_is_good() -> None:
    check_design(parse_design(GOOD))


def two_balancers(data: dict[str, Any]) -> None:
    data["blocks"] += [block("lb2", "load_balancer")]
    data["edges"] += [edge("lb", "lb2"), edge("lb2", "lb")]


BAD: list[tuple[str, Change, str, dict[str, str | None], list[str]]] = [
    # what it is, how to spoil it, code, fields of the problem, words of the message
    (
        "a block's id twice",
        lambda data: data["blocks"].append(block("app", "app_server")),
        "duplicate_id",
        {"block": "app", "value": "app"},
        ["2 blocks", "'app'"],
    ),
    (
        "an edge's id twice",
        lambda data: data["edges"].append({**edge("users", "app"), "id": "lb--app"}),
        "duplicate_id",
        {"value": "lb--app"},
        ["2 edges", "'lb--app'"],
    ),
    (
        "a block and an edge with one id",
        lambda data: of(data, "lb--app").update(id="db"),
        "duplicate_id",
        {"value": "db"},
        ["a block and an edge", "'db'"],
    ),
    (
        "an edge from nowhere",
        lambda data: of(data, "users--lb")["from"].update(block="ghost"),
        "dangling_edge",
        {"value": "ghost"},
        ["'users--lb'", "from block", "ghost"],
    ),
    (
        "an edge to nowhere",
        lambda data: of(data, "lb--app")["to"].update(block="ghost"),
        "dangling_edge",
        {"value": "ghost"},
        ["'lb--app'", "to block", "ghost"],
    ),
    (
        "a block that calls itself",
        lambda data: data["edges"].append(edge("app", "app", "services")),
        "self_loop",
        {"value": "app"},
        ["'app--app'", "itself"],
    ),
    ("two balancers that call one another", two_balancers, "cycle", {}, ["round without end", "lb", "lb2", "→"]),
    (
        "servers that call one another",
        lambda data: (
            data["blocks"].append(block("app2", "app_server")),
            data["edges"].extend([edge("app", "app2", "services"), edge("app2", "app", "services")]),
        ),
        "cycle",
        {},
        ["app → app2"],
    ),
    (
        "queues that hand their dead letters to one another",
        lambda data: (
            data["blocks"].extend([block(name, "queue") for name in "qr"]),
            data["blocks"].extend([block(f"worker-{name}", "worker") for name in "qr"]),
            data["edges"].extend([edge(name, f"worker-{name}", "workers") for name in "qr"]),
            data["edges"].extend(
                [edge("app", "q", "queue"), edge("q", "r", "dead_letters"), edge("r", "q", "dead_letters")]
            ),
        ),
        "cycle",
        {},
        ["q → r → q"],
    ),
    (
        "no client",
        lambda data: (data["blocks"].pop(0), data["edges"].pop(0)),
        "no_client",
        {},
        ["no client"],
    ),
    ("nothing at all", lambda data: (data["blocks"].clear(), data["edges"].clear()), "no_client", {}, ["no client"]),
    (
        "a client that calls nothing",
        lambda data: data["edges"].clear(),
        "no_client",
        {},
        ["no client that calls anything"],
    ),
    (
        "a kind that there is not",
        lambda data: of(data, "cache").update(kind="cach"),
        "unknown_kind",
        {"block": "cache", "value": "cach", "accepted": "cache"},
        ["'cache'", "'cach'"],
    ),
    (
        "a port that there is not",
        lambda data: of(data, "app--db")["from"].update(port="stor"),
        "unknown_port",
        {"value": "stor"},
        ["'app--db'", "'stor'", "'app'"],
    ),
    (
        "an edge the wrong way round",
        lambda data: of(data, "app--db").update(
            {"from": {"block": "db", "port": "in"}, "to": {"block": "app", "port": "store"}}
        ),
        "unknown_port",
        {"value": "in"},
        ["out port", "'db'"],
    ),
    (
        "ports that don't fit",
        lambda data: data["edges"].append(edge("lb", "db")),
        "port_type",
        {"value": "sql"},
        ["'lb--db'", "http", "sql"],
    ),
    (
        "one connection twice",
        lambda data: data["edges"].append({**edge("lb", "app"), "id": "again"}),
        "duplicate_edge",
        {},
        ["'again'", "'lb--app'"],
    ),
    (
        "two stores at one server",
        lambda data: (
            data["blocks"].append(block("db2", "sql_database")),
            data["edges"].append(edge("app", "db2", "store")),
        ),
        "too_many_edges",
        {"block": "app", "value": "2", "accepted": "at most 1"},
        ["'app'", "'Store'"],
    ),
    (
        "a balancer before nothing",
        lambda data: (
            data["blocks"].append(block("lb2", "load_balancer")),
            data["edges"].append(edge("lb", "lb2")),
        ),
        "missing_edge",
        {"block": "lb2", "value": "0", "accepted": "at least 1"},
        ["'lb2'", "'Targets'"],
    ),
    (
        "a part that no call reaches",
        lambda data: (
            data["blocks"].extend([block("lonely", "app_server"), block("store", "sql_database")]),
            data["edges"].append(edge("lonely", "store", "store")),
        ),
        "unreachable",
        {"block": "lonely"},
        ["'lonely'", "no client"],
    ),
    (
        "an objective for nobody",
        lambda data: data.update(slo=[{"metric": "p99_ms", "block": "ghost", "at_most": 1}]),
        "unknown_block",
        {"value": "ghost"},
        ["slo[0]", "ghost"],
    ),
    (
        "an objective without a bound",
        lambda data: data.update(slo=[{"metric": "p99_ms"}]),
        "slo",
        {},
        ["slo[0]", "at_most", "at_least"],
    ),
]


@pytest.mark.parametrize(
    ("change", "code", "fields", "words"), [it[1:] for it in BAD], ids=[it[0].replace(" ", "_") for it in BAD]
)
def test_a_drawing_that_can_not_run_is_refused_by_name(
    change: Change, code: str, fields: dict[str, str], words: list[str]
) -> None:
    found = [it for it in problems_after(change) if it.code == code]
    assert found, f"no problem says {code!r}: {problems_after(change)}"
    problem = found[0]
    for name, value in fields.items():
        assert getattr(problem, name) == value
    assert [word for word in words if word not in problem.message] == []
    assert problem.accepted
    assert problem.where or code == "no_client"


VALUES: list[tuple[str, str, Any, str]] = [
    ("users", "rate_per_s", 0, "from 0.001"),
    ("users", "rate_per_s", -5, "from 0.001"),
    ("users", "rate_per_s", 1e12, "to 10000000"),
    ("users", "rate_per_s", "many", "a number"),
    ("users", "keys", 0.5, "a whole number"),
    ("users--lb", "latency_mean_ms", 1e-7, "from 1e-06"),
    ("users--lb", "latency_mean_ms", 0, "from 1e-06"),
    ("users--lb", "latency_mean_ms", -1, "from 1e-06"),
    ("users--lb", "retries", 1_000, "to 10"),
    ("users--lb", "loss_percent", 101, "to 100"),
    ("app", "workers", 0, "from 1"),
    ("app", "instances", 10_000, "to 1000"),
    ("cache", "eviction", "random", "one of lru, lfu, fifo"),
    ("db", "warm", "yes", "true or false"),
    ("db", "pool", None, "a whole number"),
]


@pytest.mark.parametrize(("owner", "name", "value", "accepted"), VALUES)
def test_a_value_out_of_bounds_is_refused_with_block_parameter_value_and_bounds(
    owner: str, name: str, value: Any, accepted: str
) -> None:
    (problem,) = problems_after(lambda data: of(data, owner)["params"].update({name: value}))
    assert (problem.code, problem.parameter) == ("parameter", name)
    assert problem.block == (owner if "--" not in owner else None)
    assert problem.where.endswith(f"[{owner}].params.{name}")
    assert problem.accepted and accepted in problem.accepted
    assert problem.value == str(value)
    for word in (owner, name, str(value), problem.accepted):
        assert word in problem.message


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_refused_even_where_no_json_was_read(value: float) -> None:
    # JSON has no NaN; Python's floats have, and whoever builds a design in Python gets the same answer.
    for owner, name in (("users", "rate_per_s"), ("users--lb", "timeout_ms"), ("app", "workers")):
        data = copy.deepcopy(GOOD)
        of(data, owner)["params"][name] = value
        assert name in str(problems(data)[0])
        drawing = parse_design(GOOD)
        next(it for it in [*drawing.blocks, *drawing.edges] if it.id == owner).params[name] = value
        with pytest.raises(InputError, match="is not a finite number"):
            check_design(drawing)
        with pytest.raises(InputError, match=name):
            Execution(Scenario(design=drawing))


def test_every_problem_is_told_at_once_up_to_a_number_that_can_be_read() -> None:
    def spoil(data: dict[str, Any]) -> None:
        of(data, "users")["params"]["rate_per_s"] = 0
        of(data, "app")["params"]["worker"] = 1
        data["edges"].append(edge("app", "ghost", "services"))

    assert {it.code for it in problems_after(spoil)} == {"parameter", "unknown_parameter", "dangling_edge"}
    many = [block(f"app{number}", "app_server", workers=0) for number in range(500)]
    assert len(problems_after(lambda data: data["blocks"].extend(many))) == PROBLEMS_MAX


def test_a_hundred_thousand_edges_are_refused_at_once() -> None:
    data = copy.deepcopy(GOOD)
    data["edges"] += [{**edge("lb", "app"), "id": f"e{number}"} for number in range(100_000)]
    (problem,) = problems(data)
    assert problem.where == "design.edges"
    assert problem.accepted and str(EDGES_MAX) in problem.accepted


def test_as_many_edges_as_are_accepted_are_checked_and_named() -> None:
    data = copy.deepcopy(GOOD)
    data["edges"] += [{**edge("lb", "app"), "id": f"e{number}"} for number in range(EDGES_MAX - 4)]
    found = problems(data)
    assert {it.code for it in found} == {"duplicate_edge"}
    assert len(found) == PROBLEMS_MAX


SCRIPT = "<script>alert(1)</script>"


def test_a_script_in_a_name_is_only_text() -> None:
    data = copy.deepcopy(GOOD)
    data.update(name=SCRIPT, description=SCRIPT)
    of(data, "app")["label"] = SCRIPT
    drawing = Scenario(design=parse_design(data), until_s=0.1)
    assert (drawing.design.name, drawing.design.blocks[2].label) == (SCRIPT, SCRIPT)
    assert run(drawing).results()["totals"]["offered"] > 0
    again: Design = parse_design(json.loads(drawing.design.model_dump_json(by_alias=True)))
    assert again == drawing.design


@pytest.mark.parametrize("name", [SCRIPT, "", " ", "a b", "../etc", "a" * 65, "ä", "-a"])
def test_an_id_is_letters_digits_and_a_few_signs(name: str) -> None:
    found = problems_after(lambda data: of(data, "app").update(id=name))
    assert found[0].where == "design.blocks.2.id"
    assert found[0].accepted


@pytest.mark.parametrize("field", ["colour", "Blocks", "__proto__"])
def test_an_unknown_field_is_refused_by_name(field: str) -> None:
    (problem,) = problems_after(lambda data: of(data, "app").update({field: 1}))
    assert problem.where == f"design.blocks.2.{field}"
    assert "unknown field" in problem.message


def test_the_problems_of_a_drawing_are_told_before_a_run_of_it_begins() -> None:
    drawing = example("cache")
    drawing.design.blocks[0].params["rate_per_s"] = -1
    with pytest.raises(InputError, match="rate_per_s = -1 is too small"):
        Execution(drawing)
