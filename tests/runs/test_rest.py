"""The REST API on the real server: runs come and go, and bad input costs nothing but an answer that names it."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from playground.bench.server import LiveServer, Visitor
from playground.protocol.strict_json import DOCUMENT_BYTES_MAX
from playground.workers.limits import RUNS_PER_OWNER_MAX

Scenario = dict[str, Any]


@pytest.fixture
def visitor(live_server_process: LiveServer) -> Visitor:
    return live_server_process.visitor()


@pytest.fixture
def catalogue_design(visitor: Visitor) -> Scenario:
    """The design of the catalogue template, to be spoilt."""
    design: Scenario = visitor.get("/api/templates/catalogue").json["scenario"]["design"]
    return design


def test_templates_are_listed_and_each_can_be_fetched(visitor: Visitor) -> None:
    listed = visitor.get("/api/templates").json
    assert "catalogue" in [template["name"] for template in listed]
    for summary in listed:
        template = visitor.get(f"/api/templates/{summary['name']}").json
        assert template["title"] == summary["title"] and template["scenario"]["design"]["blocks"]


def test_engine_tells_how_it_runs(visitor: Visitor) -> None:
    status = visitor.get("/api/engine").json
    assert (status["mode"] in ("compiled", "interpreted") and status["progress"] is None) or status["building"]


def test_unknown_template_is_refused_with_those_that_are(visitor: Visitor) -> None:
    for answer in (visitor.get("/api/templates/nosuch"), visitor.post("/api/runs", {"template": "nosuch"})):
        problem = answer.json["problems"][0]
        assert answer.status == 404 and problem["value"] == "nosuch" and "catalogue" in problem["accepted"]


def test_openapi_describes_every_route(visitor: Visitor) -> None:
    paths = visitor.get("/api/openapi.json").json["paths"]
    assert {"/api/catalogue", "/api/templates", "/api/runs", "/api/designs/check", "/api/shares", "/api/drafts"} <= set(
        paths
    )


def test_run_lives_from_its_creation_to_its_deletion(live_server_process: LiveServer, visitor: Visitor) -> None:
    created = visitor.post("/api/runs", {"template": "mm1"})
    assert created.status == 201
    path = f"/api/runs/{created.json['id']}"
    assert visitor.get(path).json["may_control"]
    stranger = live_server_process.visitor()
    assert not stranger.get(path).json["may_control"]
    assert stranger.send("DELETE", path).status == 403
    assert visitor.send("DELETE", path).status == 204
    assert visitor.get(path).status == 404


def test_run_of_a_share_runs_what_was_shared(visitor: Visitor) -> None:
    scenario = visitor.get("/api/templates/mm1").json["scenario"]
    share = visitor.post("/api/shares", {"scenario": {**scenario, "seed": 4711}}).json
    created = visitor.post("/api/runs", {"share": share["id"]})
    assert created.status == 201 and created.json["scenario"]["seed"] == 4711
    visitor.send("DELETE", f"/api/runs/{created.json['id']}")


@pytest.mark.parametrize("body", [{}, {"template": "mm1", "share": "abcdefgh"}], ids=["nothing", "two things"])
def test_run_is_made_of_exactly_one_thing(visitor: Visitor, body: dict[str, Any]) -> None:
    answer = visitor.post("/api/runs", body)
    assert answer.status == 422 and answer.json["problems"][0]["code"] == "what_to_run"


def test_owners_oldest_unwatched_run_gives_way_to_a_new_one(visitor: Visitor) -> None:
    ids = [visitor.post("/api/runs", {"template": "mm1"}).json["id"] for _ in range(RUNS_PER_OWNER_MAX + 1)]
    assert visitor.get(f"/api/runs/{ids[0]}").status == 404
    for run_id in ids[1:]:
        assert visitor.send("DELETE", f"/api/runs/{run_id}").status == 204


BAD_BODIES: list[tuple[str, bytes, str, str]] = [
    ("not JSON", b"{", "syntax", "line 1"),
    ("not UTF-8", b'{"template":"\xff"}', "encoding", "UTF-8"),
    ("NaN", b'{"scenario":{"seed":NaN}}', "not_a_number", "NaN"),
    ("1e999", b'{"scenario":{"until_s":1e999}}', "not_finite", "1e999"),
    ("duplicate key", b'{"template":"mm1","template":"mm1"}', "duplicate_key", "template"),
    ("200,000 brackets", b"[" * 200_000, "nesting", "32"),
    ("10 MB", b'{"scenario":{"design":{"name":"' + b"x" * 10_000_000 + b'"}}}', "too_large", f"{DOCUMENT_BYTES_MAX:,}"),
    ("unknown field", b'{"template":"mm1","colour":"red"}', "extra_forbidden", "colour"),
    ("wrong type", b'{"template":5}', "string_type", "template"),
    ("list", b"[]", "dict_type", "[]"),
]


@pytest.mark.parametrize(("body", "code", "named"), [row[1:] for row in BAD_BODIES], ids=[row[0] for row in BAD_BODIES])
@pytest.mark.parametrize("path", ["/api/runs", "/api/shares"])
def test_bad_body_is_refused_by_name(visitor: Visitor, path: str, body: bytes, code: str, named: str) -> None:
    answer = visitor.send("POST", path, body)
    assert answer.status == 422, answer.body[:500]
    problems = answer.json["problems"]
    assert (path == "/api/shares" and b"template" in body) or code in [problem["code"] for problem in problems]
    assert path == "/api/shares" or named in json.dumps(problems)


Spoil = Callable[[Scenario], Any]


def block(design: Scenario, kind: str) -> Scenario:
    found: Scenario = next(block for block in design["blocks"] if block["kind"] == kind)
    return found


def spoilt_param(kind: str, name: str, value: object) -> Spoil:
    return lambda design: block(design, kind)["params"].update({name: value})


def many_edges(design: Scenario) -> None:
    edge = design["edges"][0]
    design["edges"] += [{**edge, "id": f"e{index}"} for index in range(20_000)]


def cycle_of_balancers(design: Scenario) -> None:
    design["blocks"] += [{"id": name, "kind": "load_balancer"} for name in ("lb_x", "lb_y")]
    ports = {"from": design["edges"][0]["from"]["port"], "to": design["edges"][0]["to"]["port"]}
    design["edges"] += [
        {"id": f"{a}{b}", "from": {"block": a, "port": "out"}, "to": {"block": b, "port": ports["to"]}}
        for a, b in (("lb_x", "lb_y"), ("lb_y", "lb_x"))
    ]


BAD_DESIGNS: list[tuple[str, Spoil, tuple[str, ...]]] = [
    ("duplicate block", lambda design: design["blocks"].append(design["blocks"][0]), ("BLOCK",)),
    ("duplicate edge", lambda design: design["edges"].append(design["edges"][0]), ("EDGE",)),
    ("dangling edge", lambda design: design["edges"][0]["to"].update(block="nowhere"), ("nowhere",)),
    ("self-loop", lambda design: design["edges"][0].update(to={**design["edges"][0]["from"]}), ("BLOCK",)),
    ("cycle of balancers", cycle_of_balancers, ("lb_x",)),
    ("no client", lambda design: design["blocks"].remove(block(design, "client")), ("client",)),
    ("unknown kind", lambda design: design["blocks"][0].update(kind="quantum"), ("quantum", "BLOCK")),
    ("unknown parameter", spoilt_param("client", "warp", 9), ("warp",)),
    ("zero rate", spoilt_param("client", "rate_per_s", 0), ("rate_per_s", "0")),
    ("negative rate", spoilt_param("client", "rate_per_s", -5), ("rate_per_s", "-5")),
    ("rate of 1e12", spoilt_param("client", "rate_per_s", 1e12), ("rate_per_s",)),
    (
        "latency below 1 ns",
        lambda design: design["edges"][0].setdefault("params", {}).update(latency_mean_ms=1e-9),
        ("latency_mean_ms",),
    ),
    ("10^5 edges", many_edges, ("10000",)),
    ("text for a number", spoilt_param("client", "rate_per_s", "fast"), ("rate_per_s", "fast")),
]


@pytest.mark.parametrize(("spoil", "named"), [row[1:] for row in BAD_DESIGNS], ids=[row[0] for row in BAD_DESIGNS])
def test_bad_design_is_refused_with_block_parameter_value_and_what_is_accepted(
    visitor: Visitor, catalogue_design: Scenario, spoil: Spoil, named: tuple[str, ...]
) -> None:
    design = deepcopy(catalogue_design)
    names = {"BLOCK": design["blocks"][0]["id"], "EDGE": design["edges"][0]["id"]}
    spoil(design)
    checked = visitor.post("/api/designs/check", design)
    assert checked.status == 200 and not checked.json["ok"] and checked.json["problems"]
    told = json.dumps(checked.json["problems"])
    for name in named:
        assert names.get(name, name) in told, told[:2000]
    refused = visitor.post("/api/runs", {"scenario": {"design": design}})
    assert refused.status == 422 and refused.json["problems"]


def test_good_design_has_nothing_in_its_way(visitor: Visitor, catalogue_design: Scenario) -> None:
    catalogue_design["name"] = "<script>alert(1)</script>"
    assert visitor.post("/api/designs/check", catalogue_design).json == {"ok": True, "problems": []}


def test_every_address_of_the_page_serves_it(visitor: Visitor) -> None:
    for path in ("/", "/t/catalogue", "/s/abcdefgh", "/r/abcdefgh"):
        answer = visitor.get(path)
        assert answer.status == 200 and b'<div id="root">' in answer.body
    assert visitor.get("/nosuch").status == 404
