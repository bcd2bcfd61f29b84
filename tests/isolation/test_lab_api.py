"""The lab over HTTP: a script after any number of steps, what is wrong with one, and the same on the configured PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

from playground import lab_api
from playground.bench.server import LiveServer, Visitor, serving
from playground.isolation.lab import options
from playground.isolation.results import run, run_until
from playground.isolation.schedules import random_script, shuffled
from playground.isolation.server import Server
from playground.isolation.sources import templates
from playground.isolation.syntax import Script
from playground.isolation.verifying import NotCompared, verified
from playground.protocol.lab import SCRIPT_ROWS_MAX, SCRIPT_STATEMENTS_MAX, LabResult

TABLE = "create table test (id int primary key, value int);\ninsert into test values (1, 10), (2, 20);\n"


@pytest.fixture
def visitor(live_server_process: LiveServer) -> Visitor:
    return live_server_process.visitor()


def texts(script: Script) -> list[tuple[str, str]]:
    return [(step.session, step.text) for step in script.steps]


def test_every_script_that_comes_with_the_lab_is_offered_and_runs(visitor: Visitor) -> None:
    offer = visitor.get("/api/lab").json
    assert {one["name"] for one in offer["templates"]} == set(templates())
    assert {one["group"] for one in offer["templates"]} == {"Two buyers", "Write skew", "Hermitage"}
    for one in offer["templates"]:
        for dialect in offer["dialects"]:
            body = {"script": one["text"], "dialect": dialect["name"]}
            answer = visitor.post("/api/lab/run", body).json
            assert answer["problems"] == [] and answer["result"]["level"] == dialect["default_level"]


@settings(deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(["postgresql", "mysql"]))
def test_a_script_after_some_steps_is_the_whole_run_up_to_there(seed: int, dialect: str) -> None:
    script, chosen = random_script(seed), options(dialect)
    whole = run(script, chosen)
    for step, state in enumerate(whole["steps"]):
        partial = run_until(script, chosen, step)
        LabResult.model_validate(partial)
        assert (partial["step"], partial["state"]) == (step, state)
        for mine, final in zip(partial["statements"], whole["statements"], strict=True):
            if mine["status"] in ("done", "error"):
                assert {**mine, "waits": []} == {**final, "waits": []}
            elif mine["index"] >= step:
                assert mine["status"] == "ahead"
    assert partial["anomalies"] == whole["anomalies"] and partial["unfinished"] == whole["unfinished"]


def test_an_anomaly_is_named_in_the_step_in_which_its_last_transaction_commits(visitor: Visitor) -> None:
    body = {"script": templates()["two-buyers"].text, "level": "read committed"}
    for steps, names in ((7, []), (8, ["P4"])):
        result = visitor.post("/api/lab/run", {**body, "steps": steps}).json["result"]
        assert [one["name"] for one in result["anomalies"]] == names


def test_a_shuffle_is_that_of_its_seed(visitor: Visitor) -> None:
    found = visitor.post("/api/lab/run", {"script": templates()["otv"].text, "shuffle": 5}).json["result"]
    expected = texts(shuffled(templates()["otv"].script, 5))
    assert [(one["session"], one["text"]) for one in found["statements"]] == expected


@pytest.mark.parametrize(
    ("body", "where", "value", "accepted"),
    [
        ({"script": TABLE + "T1: selct * from test"}, "line 3, column 5", "selct", "SELECT"),
        ({"script": TABLE + "T1: begin", "level": "snapshot"}, "level", "snapshot", "serializable"),
        ({"script": TABLE + "T1: begin", "dialect": "oracle"}, "dialect", "oracle", "mysql"),
        ({"script": TABLE + "T1: begin;\n" * (SCRIPT_STATEMENTS_MAX + 1)}, "", "121", "at most 120"),
        (
            {"script": TABLE + f"T1: insert into test values {', '.join(f'({n}, 1)' for n in range(3, 52))}"},
            "",
            str(SCRIPT_ROWS_MAX + 1),
            "at most 50",
        ),
    ],
)
def test_what_is_wrong_with_a_script_is_said_with_its_place(
    visitor: Visitor, body: dict[str, Any], where: str, value: str, accepted: str
) -> None:
    answer = visitor.post("/api/lab/run", body)
    problem = answer.json["problems"][0]
    assert answer.status == 200 and answer.json["result"] is None
    assert (problem["where"], problem["value"]) == (where, value) and accepted in problem["accepted"]


@pytest.mark.parametrize(
    "body", [{}, {"script": 1}, {"script": "", "steps": -1}, {"script": "x" * 20_001}, {"script": "", "more": 1}]
)
def test_a_body_of_another_shape_is_refused(visitor: Visitor, body: dict[str, Any]) -> None:
    for path in ("/api/lab/run", "/api/lab/compare"):
        answer = visitor.post(path, body)
        assert answer.status == 422 and answer.json["problems"]


def test_the_largest_script_that_the_page_may_send_is_answered_in_time(visitor: Visitor) -> None:
    rows = ", ".join(f"({key}, 1)" for key in range(SCRIPT_ROWS_MAX))
    text = f"create table test (id int primary key, value int);\ninsert into test values {rows};\n"
    lines = [f"T{number % 4 + 1}: update test set value = value + 1;" for number in range(SCRIPT_STATEMENTS_MAX)]
    answer = visitor.post("/api/lab/run", {"script": text + "\n".join(lines), "level": "serializable"})
    assert answer.json["result"]["final"]["test"][0][1] == 1 + SCRIPT_STATEMENTS_MAX


@pytest.fixture(scope="module")
def beside(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """A browser on a playground for which a PostgreSQL is configured."""
    url = "postgresql:///?" + urlencode(conninfo_to_dict(server.dsn))
    with serving(tmp_path_factory.mktemp("beside"), DATABASE_URL=url) as playground:
        yield playground.visitor()


@pytest.mark.parametrize("level", ["read committed", "serializable"])
@pytest.mark.parametrize("name", ["g2-item", "two-buyers", "otv"])
def test_the_servers_outcome_stands_beside_the_labs(beside: Visitor, name: str, level: str) -> None:
    assert beside.get("/api/lab").json["can_compare"]
    found = beside.post("/api/lab/compare", {"script": templates()[name].text, "level": level}).json
    assert found["differences"] == [] and found["final"] == found["lab"]["final"]
    for mine, theirs in zip(found["lab"]["statements"], found["statements"], strict=True):
        assert {name: mine[name] for name in theirs} == theirs


def test_a_shuffled_script_with_transactions_that_never_end_is_compared_too(beside: Visitor) -> None:
    text = templates()["otv"].text.replace("T2: commit;", "").replace("T1: commit;", "")
    for seed in range(5):
        found = beside.post("/api/lab/compare", {"script": text, "shuffle": seed, "level": "repeatable read"}).json
        assert found["differences"] == []


@pytest.mark.parametrize("body", [{"dialect": "mysql"}, {"script": "T1: selct"}])
def test_what_can_not_be_compared_is_refused(beside: Visitor, body: dict[str, Any]) -> None:
    answer = beside.post("/api/lab/compare", {"script": templates()["otv"].text, **body})
    assert answer.status == 422 and answer.json["problems"][0]["accepted"]


def test_without_a_server_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    with serving(tmp_path, DATABASE_URL="sqlite:///somewhere") as playground:
        visitor = playground.visitor()
        assert not visitor.get("/api/lab").json["can_compare"]
        answer = visitor.post("/api/lab/compare", {"script": templates()["otv"].text})
    assert answer.status == 422 and "DATABASE_URL" in answer.json["problems"][0]["accepted"]


def test_a_server_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    with serving(tmp_path, DATABASE_URL=f"postgresql:///nothing?host={tmp_path}") as playground:
        answer = playground.visitor().post("/api/lab/compare", {"script": templates()["otv"].text})
    assert answer.status == 422 and "PostgreSQL" in answer.json["problems"][0]["message"]


def test_a_second_comparison_at_once_is_asked_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql:///nothing")
    with lab_api.comparing:
        body = {"script": templates()["otv"].text}
        answer = Client(SERVER_NAME="localhost").post("/api/lab/compare", body, content_type="application/json")
    assert answer.status_code == 429 and answer.json()["problems"][0]["code"] == "busy"


def test_a_comparison_ends_when_its_time_is_up(server: Server) -> None:
    script = templates()["two-buyers"].script
    with pytest.raises(NotCompared, match="not done within 0 s"):
        verified(server.dsn, script, options(), 0)
    # And leaves nothing behind: its schema is gone, and the next comparison goes on as usual.
    mine = server.monitor.execute(
        "select count(*) from pg_namespace where nspname ~ '^playground_isolation'"
    ).fetchone()
    assert mine == (1,)
    assert verified(server.dsn, script, options())["differences"] == []
