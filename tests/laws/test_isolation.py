"""Isolation, as docs name it: which anomalies each level lets through (Kleppmann's Hermitage; PostgreSQL and MySQL manuals), and by which
mechanism the others are stopped. That the lab does what a real PostgreSQL does is tests/isolation/test_on_a_server.py."""

from __future__ import annotations

from typing import Any

import pytest

from playground.engine.mvcc.terms import CONCURRENT_UPDATE, DEADLOCK, DEPENDENCIES
from playground.isolation.lab import Lab, options
from playground.isolation.parsing import parse
from playground.isolation.results import run
from playground.isolation.schedules import random_script
from playground.isolation.sources import templates

NEVER = {"G0", "G1a", "G1b", "G1c", "OTV"}
AT_READ_COMMITTED = {"PMP", "P4", "G-single", "G2-item", "G2"}
AT_REPEATABLE_READ = {"G2-item", "G2"}
HERMITAGE = [name for name in templates() if not name.startswith("two-")]


def result(name: str, level: str, dialect: str = "postgresql") -> dict[str, Any]:
    return run(templates()[name].script, options(dialect, level))


def names(level: str, dialect: str = "postgresql") -> set[str]:
    """The anomalies of all Hermitage cases."""
    return {one["name"] for name in HERMITAGE for one in result(name, level, dialect)["anomalies"]}


def errors(found: dict[str, Any]) -> list[str]:
    return [one["error"]["message"] for one in found["statements"] if one["error"]]


@pytest.mark.parametrize(
    ("level", "allowed"),
    [
        ("read uncommitted", AT_READ_COMMITTED),
        ("read committed", AT_READ_COMMITTED),
        ("repeatable read", AT_REPEATABLE_READ),
        ("serializable", set()),
    ],
)
def test_postgresql_lets_exactly_these_anomalies_through(level: str, allowed: set[str]) -> None:
    assert names(level) == allowed


def test_postgresqls_read_uncommitted_behaves_as_read_committed() -> None:
    for name in HERMITAGE:
        weak, strong = result(name, "read uncommitted"), result(name, "read committed")
        assert weak["statements"] == strong["statements"] and weak["final"] == strong["final"]


@pytest.mark.parametrize("level", ["read committed", "repeatable read", "serializable"])
def test_no_random_schedule_shows_what_a_level_forbids(level: str) -> None:
    allowed = {"read committed": AT_READ_COMMITTED, "repeatable read": AT_REPEATABLE_READ, "serializable": set()}[level]
    for seed in range(400):
        lab = Lab(random_script(seed, (level,)), options(level=level))
        lab.run()
        found = {one.name for one in lab.anomalies()}
        assert found <= allowed, lab.script.text()


def test_innodbs_repeatable_read_lets_lost_updates_and_write_skew_through_and_stops_phantoms_for_readers_alone() -> (
    None
):
    found = names("repeatable read", "mysql")
    assert found >= {"P4", "G2-item", "G2"}
    assert not found & NEVER
    # Who only reads sees one snapshot; who writes by a condition meets what others committed since.
    for name in ("pmp", "g-single", "g-single-predicate"):
        assert result(name, "repeatable read", "mysql")["anomalies"] == []
    assert [one["name"] for one in result("g-single-write", "repeatable read", "mysql")["anomalies"]] == ["G-single"]


@pytest.mark.parametrize(
    ("level", "there"),
    [("read uncommitted", {"G1a", "G1b", "G1c"}), ("read committed", set()), ("serializable", set())],
)
def test_innodb_reads_what_was_not_committed_at_read_uncommitted_alone(level: str, there: set[str]) -> None:
    found = names(level, "mysql")
    assert found & NEVER == there
    if level == "serializable":
        assert found == set()


def test_the_second_updater_fails_at_repeatable_read_after_it_has_waited() -> None:
    found = result("p4", "repeatable read")
    second = found["statements"][5]
    assert second["waits"] == [{"step": 5, "for": ["T1"]}]
    assert second["error"] == {"code": "40001", "message": CONCURRENT_UPDATE, "detail": ""}


def test_write_skew_fails_at_serializable_by_read_write_dependencies_and_that_was_needed() -> None:
    found = result("g2-item", "serializable")
    assert errors(found) == [DEPENDENCIES]
    [failure] = found["serialization_failures"]
    assert failure["kind"] == "needed"
    assert [one["name"] for one in failure["would_have_been"]] == ["G2-item"]


def test_an_abort_for_a_shared_index_page_is_told_to_be_cautious() -> None:
    # Each looks for a key that nobody has, and inserts yet another: the four keys share a page of the index, and nothing else.
    script = parse(
        "create table test (id int primary key, value int);\ninsert into test values (1, 10);\nT1: begin;\nT2: begin;\n"
        "T1: select * from test where id = 3;\nT2: select * from test where id = 4;\n"
        "T1: insert into test values (5, 50);\nT2: insert into test values (6, 60);\nT1: commit;\nT2: commit;\n"
    )
    found = run(script, options(level="serializable"))
    assert errors(found) == [DEPENDENCIES]
    assert [one["kind"] for one in found["serialization_failures"]] == ["cautious"]


def test_a_deadlocks_victim_is_who_closes_the_cycle() -> None:
    script = parse(
        "create table test (id int primary key, value int);\ninsert into test values (1, 10), (2, 20);\nT1: begin;\nT2: begin;\n"
        "T1: update test set value = 1 where id = 1;\nT2: update test set value = 2 where id = 2;\n"
        "T1: update test set value = 1 where id = 2;\nT2: update test set value = 2 where id = 1;\nT1: commit;\nT2: commit;\n"
    )
    found = run(script, options())
    assert found["statements"][5]["error"]["message"] == DEADLOCK
    assert found["statements"][4]["status"] == "done" and found["final"] == {"test": [[1, 1], [2, 1]]}


def test_row_versions_pile_up_until_vacuum_and_an_old_snapshot_keeps_them() -> None:
    from playground.engine.mvcc.postgresql import PostgreSQL
    from playground.engine.mvcc.statement import PointAdd, PointRead

    database = PostgreSQL()
    table = database.create_table("product", ["id", "stock"])
    table.load([1, 1_000], 1)
    reader = database.begin(2)
    database.run(reader, PointRead(table).of(1))
    add = PointAdd(table)
    for _ in range(100):
        buyer = database.begin(1)
        database.run(buyer, add.of(1, -1, 1))
        database.commit(buyer)
    assert database.dead_versions() == 100
    assert database.vacuum() == 0
    database.commit(reader)
    assert database.vacuum() == 100
    assert (database.dead_versions(), int(table.size - table.free_count)) == (0, 1)


def sold(name: str, level: str) -> int:
    """How many of the two buyers believe that they have bought: they committed an update of a row."""
    found = result(name, level)
    buyers = {one["session"] for one in found["statements"] if one["tag"] == "UPDATE 1"}
    return sum(one["state"] == "committed" and one["session"] in buyers for one in found["transactions"])


@pytest.mark.parametrize(
    ("name", "level", "expected"),
    [
        ("two-buyers", "read committed", 2),
        ("two-buyers", "repeatable read", 1),
        ("two-buyers", "serializable", 1),
        ("two-buyers-for-update", "read committed", 1),
        ("two-buyers-atomic", "read committed", 1),
        ("two-buyers-optimistic", "read committed", 1),
        ("two-buyers-serializable", "read committed", 1),
    ],
)
def test_two_buyers_of_the_last_one(name: str, level: str, expected: int) -> None:
    assert sold(name, level) == expected


def test_the_price_of_for_update_is_a_wait_and_that_of_serializable_a_failure_to_retry() -> None:
    locked = result("two-buyers-for-update", "read committed")["statements"][3]
    assert locked["waits"] == [{"step": 3, "for": ["T1"]}] and locked["rows"] == [[0]]
    assert errors(result("two-buyers-serializable", "read committed")) == [CONCURRENT_UPDATE]
