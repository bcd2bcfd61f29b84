"""Who waits for whom at a row, and which plan a list of keys has: PostgreSQL's own answers."""

from __future__ import annotations

import pytest

from playground.engine.mvcc.terms import BY_SCAN
from playground.isolation.lab import options
from playground.isolation.parsing import parse
from playground.isolation.planning import path_of
from playground.isolation.server import Server
from playground.isolation.stepping import Outcome, Stepper
from playground.isolation.syntax import Script, Select
from tests.isolation.comparing import same_on
from tests.isolation.locking import ROWS, locking_script

LEVELS = ("read committed", "repeatable read", "serializable")
ALL_BEGIN = "".join(f"T{number}: begin;\n" for number in range(1, 5))


def change(key: int) -> str:
    return f"update test set value = value + 1 where id = {key}"


def lock(mode: str) -> str:
    return f"select * from test where id = 1 for {mode}"


def stepped(script: Script, level: str) -> Stepper:
    """The lab's run of it."""
    stepper = Stepper(script, options().database(), level)
    stepper.run()
    return stepper


def both(server: Server, level: str, *lines: str) -> dict[str, Outcome]:
    """The lab's outcome by line, which is the server's too."""
    script = parse(ROWS + "\n".join(f"{line};" for line in lines))
    same_on(server, script, level)
    return dict(zip(lines, stepped(script, level).outcomes, strict=True))


@pytest.mark.parametrize("level", LEVELS)
def test_a_note_of_locks_reads_as_exclusive_while_one_of_it_lives(server: Server, level: str) -> None:
    # heap_lock_tuple looks at the bits of the multixact, and T2's update is in it although it was rolled back.
    reader = f"T4: {lock('share')}"
    found = both(
        server,
        level,
        *("T1: begin", f"T1: {lock('key share')}", "T2: begin", f"T2: {change(1)}", "T2: rollback"),
        *("T3: delete from test where id = 1", reader, "T1: commit"),
    )
    assert [names for _, names in found[reader].waited_for] == [("T3",)]


@pytest.mark.parametrize("level", LEVELS)
def test_a_waiter_waits_for_those_it_saw_when_it_came(server: Server, level: str) -> None:
    # MultiXactIdWait: T3 saw T4 and T2 at the row before it queued behind T1, and waits for T2 before it looks again.
    deleter = "T3: delete from test where id = 1"
    found = both(
        server,
        level,
        *("T4: begin", "T1: begin", "T2: begin", "T3: begin", f"T4: {change(1)}", f"T1: {change(1)}"),
        *(f"T2: {lock('key share')}", deleter, "T4: rollback", "T2: commit", "T1: commit", "T3: commit"),
    )
    assert [names for step, names in found[deleter].waited_for if step == 8] == [("T2",)]


@pytest.mark.parametrize("last", ["T1", "T4"])
def test_another_order_of_a_queue_ends_a_deadlock_before_anybody_is_rolled_back(server: Server, last: str) -> None:
    # deadlock.c: T4 only stands behind T3. Put before it, it waits for T1's end alone, and closes the cycle itself.
    steps = [f"T4: {lock('share')}", f"T1: {change(2)}"]
    found = both(
        server,
        "read committed",
        *ALL_BEGIN.strip().replace(";", "").splitlines(),
        *(f"T1: {change(1)}", f"T4: {change(2)}", f"T2: {lock('share')}", f"T3: {change(1)}"),
        *(steps if last == "T1" else steps[::-1]),
        *("T1: commit", "T4: commit", "T2: commit", "T3: commit"),
    )
    assert found[steps[0]].code == "40P01" and found[steps[1]].tag == "UPDATE 1"


def test_an_update_asks_for_its_turn_anew_before_it_follows_a_row_that_others_have_locked(server: Server) -> None:
    # heapam_tuple_lock begins at the old version: T4's lock there makes T2 queue once more, behind T1.
    updater = f"T2: {change(1)}"
    found = both(
        server,
        "read committed",
        *("T2: begin", "T3: begin", "T4: begin", "T1: begin", f"T3: {change(1)}", updater, f"T4: {lock('key share')}"),
        *("T1: delete from test where id = 1", "T3: commit", "T4: rollback", "T1: commit", "T2: commit"),
    )
    assert [names for _, names in found[updater].waited_for] == [("T3",), ("T1",)]


def agree(server: Server, seeds: range) -> None:
    """Schedules in which no step lets several go on at once: for these there is one right outcome."""
    compared = 0
    for seed in seeds:
        level = LEVELS[seed % 3]
        script = locking_script(seed)
        if all(choice.count == 1 for choice in stepped(script, level).choices.made):
            compared += 1
            same_on(server, script, level)
    assert compared > len(seeds) / 3


def test_schedules_that_mostly_lock_run_as_on_a_server(server: Server) -> None:
    agree(server, range(1_160, 1_220))


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1_000, 2_000, 200))
def test_more_schedules_that_mostly_lock_run_as_on_a_server(server: Server, first: int) -> None:
    agree(server, range(first, first + 200))


@pytest.mark.parametrize("columns", [1, 2, 4, 8])
@pytest.mark.parametrize("count", [0, 3])
def test_a_list_of_keys_is_looked_up_while_postgresql_takes_that_for_cheaper(
    server: Server, columns: int, count: int
) -> None:
    names = ["id", *(f"c{number}" for number in range(1, columns))]
    declared = ", ".join(["id int primary key", *(f"{name} int" for name in names[1:])])
    rows = ", ".join(f"({', '.join([str(key)] * columns)})" for key in range(1, count + 1))
    table = f"create table test ({declared});\n" + (f"insert into test values {rows};\n" if rows else "")
    server.prepare(parse(table + "T1: begin"))
    scans = 0
    for extra in ("", f" and {names[-1]} + id * 3 > 5", " and id > 1"):
        for length in range(2, 30):
            where = f"id in ({', '.join(map(str, range(1, length + 1)))}){extra}"
            planned = server.monitor.execute(f"explain select * from test where {where}").fetchone()[0]
            command = parse(f"{table}T1: select * from test where {where}").steps[0].command
            assert isinstance(command, Select)
            mine = path_of(command.where, "id", columns=columns, has_leaf=count > 0).path == BY_SCAN
            assert mine == ("Seq Scan" in planned), f"{columns} columns, {where}: {planned}"
            scans += mine
    assert 0 < scans < 3 * 28


def test_rows_found_by_a_long_list_come_in_the_order_of_the_heap(server: Server) -> None:
    rows = ", ".join(f"({key}, 1, 1, 1)" for key in range(1, 10))
    table = f"create table test (id int primary key, a int, b int, c int);\ninsert into test values {rows};\n"
    for last, first in ((9, 2), (8, 1)):
        keys = ", ".join(map(str, range(1, last + 1)))
        text = f"{table}T1: update test set a = 2 where id = 1;\nT1: select id from test where id in ({keys});"
        same_on(server, parse(text))
        assert stepped(parse(text), "read committed").outcomes[1].rows[0] == [first]
