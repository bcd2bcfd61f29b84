"""InnoDB's record locks as the manual of MySQL 8.0 and, where it is silent, row0sel.cc and lock0lock.cc (8.0.18 and later) have them."""

from __future__ import annotations

from typing import Any

import pytest

from playground.engine.mvcc.innodb import InnoDB
from playground.engine.mvcc.terms import LEVELS, NOTHING
from playground.isolation.lab import options
from playground.isolation.parsing import parse
from playground.isolation.results import run
from playground.isolation.stepping import Stepper
from tests.isolation.locking import gap_script

TABLE = "create table test (id int primary key, value int);\ninsert into test values (1, 10), (3, 30), (10, 100), (20, 200);\n"


def statements(level: str, *lines: str) -> list[dict[str, Any]]:
    """What became of each line."""
    found: list[dict[str, Any]] = run(parse(TABLE + "\n".join(lines)), options("mysql", level))["statements"]
    return found


def blocked(condition: str, statement: str, level: str = "repeatable read") -> bool:
    """Whether a statement waits for a transaction that has locked the rows of a condition."""
    lines = ("T1: begin", f"T1: select * from test where {condition} for update", f"T2: {statement}", "T1: commit")
    return bool(statements(level, *lines)[2]["waits"])


def change(key: int) -> str:
    return f"update test set value = 1 where id = {key}"


def put(key: int) -> str:
    return f"insert into test values ({key}, 1)"


@pytest.mark.parametrize(
    ("condition", "waits", "passes"),
    [
        # The row behind an open end is not locked, the gap before it is.
        ("id < 3", [put(0), change(1), put(2)], [change(3), put(4)]),
        ("id <= 9", [put(4), put(9), change(3)], [change(10), put(11)]),
        # A row at a closed end is the last that is looked at.
        ("id >= 5 and id <= 10", [put(4), put(9), change(10)], [change(3), put(11), change(20)]),
        ("id <= 3", [put(2), change(3)], [put(4), change(10)]),
        # With < it is not known that the row before it was the last.
        ("id > 3 and id < 11", [put(4), change(10), put(11), put(15)], [change(3), change(20), put(21)]),
        # A row at a closed start is locked without the gap before it; with > the gap counts.
        ("id >= 3 and id < 10", [change(3), put(4)], [put(2), change(10)]),
        ("id > 2 and id < 10", [put(2), change(3), put(9)], [change(1), change(10)]),
        # Behind the last row there is but the gap.
        ("id > 10", [put(11), change(20), put(21)], [change(10), put(9)]),
        # One key is a look-up, an empty range is nothing.
        ("id between 10 and 10", [change(10)], [put(9), put(11)]),
        ("id > 10 and id < 10", [], [put(9), put(11), change(10)]),
        ("id = -1", [put(0)], [put(2), change(1)]),
    ],
)
def test_a_range_by_the_primary_key_locks_no_row_that_is_not_of_it(
    condition: str, waits: list[str], passes: list[str]
) -> None:
    assert [one for one in waits + passes if blocked(condition, one)] == waits


def test_a_select_outside_a_transaction_is_a_consistent_read_at_serializable() -> None:
    # Manual, "Transaction Isolation Levels": with autocommit it is its own transaction, known to be read-only, and need not block.
    found = statements(
        "serializable",
        *("T1: begin", change(1).join(["T1: ", ""]), "T2: select * from test where id = 1", "T3: begin"),
        *("T3: select * from test where id = 1", "T1: commit", "T3: commit"),
    )
    assert found[2]["rows"] == [[1, 10]] and not found[2]["waits"]
    assert found[4]["rows"] == [[1, 1]] and found[4]["waits"]


@pytest.mark.parametrize("level", ["read committed", "repeatable read"])
def test_of_three_who_insert_a_key_two_are_in_a_deadlock_when_the_first_rolls_back(level: str) -> None:
    # Manual, "Locks Set by Different SQL Statements in InnoDB": both waiters get the shared lock, and neither the exclusive one.
    begun = ("T1: begin", "T2: begin", "T3: begin", f"T1: {put(5)}", f"T2: {put(5)}", f"T3: {put(5)}")
    found = statements(level, *begun, "T1: rollback", "T2: commit", "T3: commit")
    codes = [one["error"]["code"] if one["error"] else "" for one in found[4:6]]
    assert sorted(codes) == ["", "1213"]
    assert sum(one["tag"].startswith("INSERT") for one in found[4:6]) == 1


def test_begin_in_a_transaction_commits_it() -> None:
    found = statements(
        "repeatable read", "T1: begin", f"T1: {change(1)}", "T1: begin", "T1: rollback", "T2: select * from test"
    )
    assert found[2]["notice"] and [1, 1] in found[4]["rows"]


def test_arithmetic_has_eight_bytes_and_a_column_four() -> None:
    found = statements(
        "repeatable read",
        "T1: update test set value = value * 2000000000 / 2000000000",
        "T1: update test set value = value * 2000000000 where id = 1",
        "T1: select * from test where value * 2000000000 * 2000000000 > 5",
    )
    assert [one["error"]["code"] if one["error"] else one["tag"] for one in found] == ["UPDATE 4", "1264", "1690"]


def test_one_wait_that_closes_several_cycles_ends_each_of_them() -> None:
    # Manual, "An InnoDB Deadlock Example": who waits for the shared lock to go stands before its holder, who wants more. Here three do.
    found = statements(
        "repeatable read",
        *("T1: begin", "T1: select * from test where id = 1 for share", f"T2: {change(1)}", f"T3: {change(1)}"),
        *(f"T4: {change(1)}", f"T1: {change(1)}", "T1: commit"),
    )
    assert [one["error"]["code"] if one["error"] else one["tag"] for one in found[2:6]] == ["1213"] * 3 + ["UPDATE 1"]


def test_a_victim_that_waits_beside_its_own_insert_is_rolled_back_once() -> None:
    # lock_cancel_waiting_and_release comes before the undoing: the insert of 15 leaves its gap to nobody who waits.
    found = statements(
        "serializable",
        *("T1: begin", "T2: begin", f"T2: {put(25)}", f"T1: {change(1)}", "T1: select * from test"),
        *(f"T2: {put(24)}", "T1: commit", "T2: commit"),
    )
    assert found[5]["error"]["code"] == "1213" and found[4]["rows"] == [[1, 1], [3, 30], [10, 100], [20, 200]]


def test_an_insert_asks_for_the_gap_anew_each_time() -> None:
    # lock_rec_insert_check_and_lock: that it was let in once is no lock. T3 has locked the gap since.
    found = statements(
        "repeatable read",
        *("T1: begin", "T2: begin", "T3: begin", "T1: select * from test where id > 25 for update", f"T2: {put(30)}"),
        *("T1: rollback", "T3: select * from test where id between 40 and 50 for update", f"T2: {put(45)}"),
        *("T3: select * from test where id between 40 and 50 for update", "T3: commit", "T2: commit"),
    )
    assert found[7]["waits"][0]["for"] == ["T3"] and not found[8]["rows"]


def no_two_wait_for_each_other(seeds: range) -> None:
    waits = 0
    for seed in seeds:
        for level in LEVELS:
            chosen = options("mysql", level)
            stepper = Stepper(gap_script(seed), chosen.database(), level)
            for _ in stepper.script.steps:
                stepper.advance()
                database = stepper.database
                assert isinstance(database, InnoDB)
                for one in database.open.values():
                    waits += one.waits != NOTHING
                    assert (one.waits != NOTHING) == bool(database.blockers(one)), f"{level}\n{stepper.script.text()}"
                    assert not database.locks.cycle(one), f"{level}\n{stepper.script.text()}"
    assert waits > len(seeds)


def test_no_schedule_raises_or_leaves_two_that_wait_for_each_other() -> None:
    no_two_wait_for_each_other(range(250, 320))


@pytest.mark.slow
def test_no_schedule_of_many_raises_or_leaves_two_that_wait_for_each_other() -> None:
    no_two_wait_for_each_other(range(1_000, 2_000))


def test_a_row_that_one_has_deleted_oneself_is_gone_whatever_version_of_it_one_saw() -> None:
    # row0vers.cc: the newest version is the deleter's own, and delete-marked.
    lines = ("T1: begin", "T1: select count(*) from test", f"T2: {change(3)}", "T1: delete from test where id = 3")
    found = statements("repeatable read", *lines, "T1: select * from test where id = 3", "T1: select id from test")
    assert found[3]["tag"] == "DELETE 1"
    assert (found[4]["rows"], found[5]["rows"]) == ([], [[1], [10], [20]])
