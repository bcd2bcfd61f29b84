"""What a script may say, and what is said of one that can't be read."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.isolation.lab import options
from playground.isolation.parsing import parse
from playground.isolation.results import run
from playground.isolation.schedules import random_script, shuffled
from playground.isolation.sources import script_of, templates
from playground.protocol.errors import InputError

TABLE = "create table test (id int primary key, value int);\ninsert into test values (1, 10), (2, 20);\n"


def problem(text: str) -> tuple[str, str, str]:
    """Where, message and what would be accepted, of the error that the script has."""
    with pytest.raises(InputError) as error:
        parse(text)
    found = error.value.problems[0]
    return found.where, found.message, str(found.accepted)


@pytest.mark.parametrize(
    ("line", "column", "token", "accepted"),
    [
        ("T1: selct * from test", 5, "selct", "SELECT"),
        ("T1: select * form test", 14, "form", "FROM"),
        ("T1: select * from tset", 19, "tset", "test"),
        ("T1: select * from test where valeu = 1", 30, "valeu", "value"),
        ("T1: select * from test where value", 30, "value", "comparison"),
        ("T1: select * from test where value = ", 38, "end of the script", "a number"),
        ("T1: update test set id = 3", 21, "id", "not the primary key"),
        ("T1: select count(*) from test for update", 31, "for", "no row lock"),
        ("T1: update test set value = 1, value = 2", 32, "value", "each column once"),
        ("T1: select * from test where value > 2000000000 + 2000000000", 49, "2000000000 + 2000000000", "2147483647"),
        ("T1: insert into test values (3, 65536 * 65536)", 41, "65536 * 65536", "2147483647"),
        ("T1: insert into test values (1)", 31, ")", ","),
        ("T1: insert into test values (-1, 1)", 30, "-", "0 or more"),
        ("T1: begin isolation level snapshot", 27, "snapshot", "READ or REPEATABLE or SERIALIZABLE"),
        ("T1: select * from test where value / 0 = 1", 38, "0", "other than 0"),
        ("T1: select * from test; T2: begin", 25, "T2", "BEGIN"),
        ("T5: begin", 1, "T5", "T1: to T4:"),
        ("T1 begin", 4, "begin", ":"),
        ("T1: commit now", 12, "now", "end of the line"),
        ("T1: select * from test where id = 99999999999", 35, "99999999999", "2147483647"),
        ("T1: select * from test where id = " + "9" * 5_000, 35, "9999", "2147483647"),
        ("T1: select * from test where value = \u0663", 38, "\u0663", "words"),
        ("T1: select ` from test", 12, "`", "words"),
        ("T1: select * from test where (id = 1) + 1 = 2", 39, "42883", "two numbers"),
        ("T1: select * from test where -(id = 1) = 2", 30, "42883", "a number"),
        ("T1: select * from test where (id = 1) = 2", 39, "42883", "two conditions"),
        ("T1: select * from test where (id = 1) in (1, 2)", 39, "42883", "two numbers"),
        ("T1: select * from test where id = 1 and value", 41, "42804", "comparison"),
        ("T1: select * from test where not value", 34, "42804", "comparison"),
        ("T1: update test set value = (id = 1)", 29, "42804", "a number"),
        ("T1: insert into test values (3, (1 = 1))", 33, "(", "a whole number"),
        ("T1: select * from test where value is null", 36, "is", "comparison"),
        ("T1: select * from test where id = 1 and value like 5", 47, "like", "comparison"),
        ("T1: select * from test where not value is null", 40, "is", "comparison"),
        ("T1: select * from test where (value is null)", 37, "is", ")"),
        ("T1: select * from test where value not like 5", 40, "like", "BETWEEN or IN"),
        ("T1: update test set value = value # 1 where id = 1", 35, "#", "XOR"),
        ("T1: update test set value = value--1 where id = 1", 34, "--", "two minus signs"),
        ("T1: select * from test where id = 1and value = 10", 36, "and", "after the number"),
        ("T1: begin read only,", 21, "end of the script", "after the comma"),
        ("T1: begin read only, isolation level read committed,;", 53, ";", "after the comma"),
    ],
)
def test_a_syntax_error_names_line_column_token_and_what_would_do(
    line: str, column: int, token: str, accepted: str
) -> None:
    where, message, would_do = problem(TABLE + line)
    assert where == f"line 3, column {column}"
    assert token in message
    assert accepted in would_do


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ("", "at least one statement"),
        (TABLE, "at least one statement"),
        ("T1: select * from test", "CREATE TABLE"),
        (TABLE + "insert into test values (1, 5);\nT1: begin;", "a id of its own"),
        (TABLE + "T1: begin;\ncreate table other (id int primary key);", "a session"),
        (TABLE + "T1: begin;\n" * 501, "at most 500"),
        (TABLE + "T1: select * from test where " + "(" * 60 + "id = 1" + ")" * 60, "at most 50"),
        (TABLE + "T1: select * from test where " + "not " * 2_000 + "id = 1", "at most 50"),
        (TABLE + "T1: select * from test where id = " + "- " * 2_000 + "1", "at most 50"),
        (TABLE + "T1: select * from test where id = 1" + " + 1" * 3_000, "at most 300"),
        ("create table test (id int);\nT1: begin", "PRIMARY"),
        ("create table user (id int primary key);\nT1: begin", "a reserved word"),
        ("create table Order (id int primary key);\nT1: begin", "a reserved word"),
        ("create table test (id int primary key, limit int);\nT1: begin", "a reserved word"),
        ("create table test (id int primary key, xmin int);\nT1: begin", "a system column"),
        (f"create table {'a' * 64} (id int primary key);\nT1: begin", "at most 63"),
        ("create table test (id text primary key);\nT1: begin", "INT"),
        ("-" * 100_001, "at most 100,000"),
    ],
)
def test_a_script_that_is_not_whole_is_refused_with_what_it_lacks(text: str, accepted: str) -> None:
    assert accepted in problem(text)[2]


@pytest.mark.parametrize(("columns", "most"), [(1, 204), (2, 204), (3, 166), (8, 122)])
def test_a_table_has_as_many_rows_as_the_lab_can_follow_postgresql_with(columns: int, most: int) -> None:
    names = ", ".join(["id int primary key", *(f"c{number} int" for number in range(1, columns))])
    rows = [f"({', '.join([str(key)] + ['1'] * (columns - 1))})" for key in range(most + 1)]
    text = f"create table test ({names});\ninsert into test values {{}};\nT1: select count(*) from test;\n"
    assert run(parse(text.format(", ".join(rows[:most]))), options())["statements"][0]["rows"] == [[most]]
    assert f"up to {most} rows: the lab follows PostgreSQL" in problem(text.format(", ".join(rows)))[2]


def test_a_table_that_outgrows_that_by_its_updates_is_told_of_once_and_of_innodbs_never() -> None:
    update = "T1: update test set value = value + 1;\n"
    text = TABLE + update * 103
    notices = [one["notice"] for one in run(parse(text), options())["statements"]]
    assert [place for place, notice in enumerate(notices) if "more than 204 row versions" in notice] == [101]
    assert not any(one["notice"] for one in run(parse(text), options("mysql"))["statements"])


def test_a_comment_is_a_line_or_what_follows_two_minus_signs_and_a_space() -> None:
    text = (
        "# one\n" + TABLE + "  -- two\n--three\nT1: select * from test -- four\n  # five\nT1: select * from test --\n"
    )
    assert [step.text for step in parse(text).steps] == ["select * from test"] * 2


@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_not_in_and_not_between_are_the_rest_of_the_rows(dialect: str) -> None:
    for condition in (
        "id not in (2, 3)",
        "value + 1 not between 15 and 25",
        "id not in (2)",
        "not id not between 0 and 1",
    ):
        found = run(parse(f"{TABLE}T1: select id from test where {condition};\n"), options(dialect))["statements"][0]
        assert found["rows"] == [[1]] and condition in found["text"]


@settings(deadline=None)
@given(st.text(alphabet="T1: selctbginwhrvauotd*=<>(),;0123-%\n", max_size=80))
def test_any_text_is_a_script_or_an_error_that_says_where(text: str) -> None:
    try:
        parse(TABLE + text)
    except InputError as error:
        assert error.problems[0].where.startswith("line ")


@settings(deadline=None)
@given(st.integers(0, 10**6))
def test_a_script_printed_and_read_again_is_the_same_script(seed: int) -> None:
    script = random_script(seed)
    again = parse(script.text())
    assert [(step.session, step.text) for step in again.steps] == [(step.session, step.text) for step in script.steps]
    assert again.tables == script.tables


@settings(deadline=None)
@given(st.integers(0, 10**6))
def test_a_shuffle_keeps_the_order_of_each_session_and_comes_from_its_seed(seed: int) -> None:
    script = templates()["otv"].script
    mixed = shuffled(script, seed)
    for name in script.sessions:
        assert [s.text for s in mixed.steps if s.session == name] == [s.text for s in script.steps if s.session == name]
    assert mixed == shuffled(script, seed)


def test_a_script_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(InputError) as error:
        script_of("template:nothing")
    assert "two-buyers" in str(error.value.problems[0].accepted)
    with pytest.raises(InputError):
        script_of("/does/not/exist.sql")


def test_an_unknown_level_or_dialect_is_named_with_those_that_are_known() -> None:
    with pytest.raises(InputError) as error:
        options(level="snapshot")
    assert "repeatable read" in str(error.value.problems[0].accepted)
    with pytest.raises(InputError) as error:
        options(dialect="oracle")
    assert "postgresql" in str(error.value.problems[0].accepted)


def test_a_transaction_that_never_ends_is_ended_with_the_reason_and_the_locks_it_held() -> None:
    text = (
        TABLE
        + "T1: begin;\nT1: update test set value = 1 where id = 1;\nT2: begin;\nT2: update test set value = 2 where id = 1;\n"
    )
    result = run(parse(text), options())
    reasons = {one["session"]: one["reason"] for one in result["unfinished"]}
    assert "it held test 1 FOR NO KEY UPDATE" in reasons["T1"]
    assert "it was waiting for T1 in line 6" in reasons["T2"]
    assert result["final"] == {"test": [[1, 10], [2, 20]]}


def test_a_statement_for_a_session_that_waits_is_postponed_and_run_as_soon_as_it_may() -> None:
    text = (
        TABLE
        + "T1: begin;\nT1: update test set value = 1 where id = 1;\nT2: update test set value = value + 1 where id = 1;\n"
        + "T2: select * from test where id = 1;\nT1: commit;\n"
    )
    statements = run(parse(text), options())["statements"]
    assert statements[2]["waits"] == [{"step": 2, "for": ["T1"]}]
    assert statements[3]["rows"] == [[1, 2]] and statements[3]["step_done"] == 4
