"""The lab gives PostgreSQL's own outcome: statement by statement the same results, waits, errors and final rows as a real server."""

from __future__ import annotations

from itertools import permutations

import pytest

from playground.engine.mvcc.terms import LEVELS
from playground.isolation.lab import options
from playground.isolation.names import SYSTEM_COLUMNS
from playground.isolation.parsing import parse
from playground.isolation.schedules import random_script, wide_script
from playground.isolation.server import Server
from playground.isolation.sources import templates
from playground.isolation.stepping import Stepper
from playground.isolation.syntax import Script
from playground.protocol.errors import InputError
from tests.isolation.comparing import same_on

QUICK = 120
EACH = 100
AT_ONCE_SHARE_MAX = 0.05
"""What several do at once has no order: in so many schedules another than the usual one may be the server's."""


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", list(templates()))
def test_every_script_that_comes_with_the_lab_runs_as_on_a_server(server: Server, name: str, level: str) -> None:
    same_on(server, templates()[name].script, level)


def agree(server: Server, seeds: range) -> None:
    orders = [same_on(server, random_script(seed)) for seed in seeds]
    assert sum(map(bool, orders)) <= AT_ONCE_SHARE_MAX * len(seeds) + 1


def test_random_schedules_at_mixed_levels_run_as_on_a_server(server: Server) -> None:
    agree(server, range(QUICK))


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1_000, 1_600, EACH))
def test_more_random_schedules_run_as_on_a_server(server: Server, first: int) -> None:
    agree(server, range(first, first + EACH))


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS[1:])
def test_random_schedules_at_one_level_run_as_on_a_server(server: Server, level: str) -> None:
    for seed in range(2_000, 2_060):
        same_on(server, random_script(seed, (level,)))


@pytest.mark.slow
def test_random_schedules_of_four_run_as_on_a_server(server: Server) -> None:
    for seed in range(3_000, 3_100):
        same_on(server, random_script(seed, sessions=4))


def agree_widely(server: Server, seeds: range) -> None:
    """Of the schedules that stay within one page."""
    followed = 0
    for seed in seeds:
        script = wide_script(seed)
        chosen = options()
        stepper = Stepper(script, chosen.database(), chosen.level_name())
        stepper.run()
        if not stepper.full:
            followed += 1
            same_on(server, script)
    assert followed > 0.8 * len(seeds)


def test_schedules_with_what_is_seldom_done_run_as_on_a_server(server: Server) -> None:
    agree_widely(server, range(QUICK))


@pytest.mark.slow
@pytest.mark.parametrize("first", range(10_000, 10_600, EACH))
def test_more_schedules_with_what_is_seldom_done_run_as_on_a_server(server: Server, first: int) -> None:
    agree_widely(server, range(first, first + EACH))


@pytest.mark.parametrize("columns", [1, 2, 3, 5, 8])
def test_a_page_takes_as_many_row_versions_as_on_the_server_and_is_pruned_when_a_tenth_is_free(
    server: Server, columns: int
) -> None:
    from playground.isolation.pages import rows_per_page, versions_max

    names = ["id int primary key", *(f"c{number} int not null" for number in range(1, columns))]
    run = server.monitor.execute
    server.prepare(templates()["p4"].script)
    run("drop table if exists page")
    run(f"create table page ({', '.join(names)})")
    ones = ", 1" * (columns - 1)
    run(f"insert into page select number{ones} from generate_series(1, 400) number")
    row = run("select max((ctid::text::point)[1])::int from page where (ctid::text::point)[0] = 0").fetchone()
    assert row == (rows_per_page(columns),)
    most = versions_max(columns)
    for versions, pruned in ((most, False), (most + 1, True)):
        run("truncate page")
        run(f"insert into page select number{ones} from generate_series(1, {versions - 2}) number")
        # The second update makes version number ``versions``; the next look at the page frees the first one's place, if that is too many.
        run("update page set id = id where id = 1")
        run("update page set id = id where id = 1")
        run("select count(*) from page")
        run("insert into page values (5000" + ones + ")")
        place = run("select (ctid::text::point)[1]::int from page where id = 5000").fetchone()
        assert place == (versions - 1 if pruned else versions + 1,)
    run("drop table page")


def test_what_happens_at_once_in_two_steps_may_go_either_way_in_each(server: Server) -> None:
    # Each of the two commits lets T3 and T4 go on at once, and whoever is first puts its version first.
    rows = "(1, 10), (2, 20), (3, 30)"
    lines = [
        *(f"T{number}: begin;" for number in range(1, 5)),
        "T1: select * from test for share;",
        "T2: select * from test for key share;",
        "T3: update test set value = 1 where id = 1;",
        "T4: update test set value = 2 where id = 2;",
        "T1: commit;",
        "T3: delete from test where id = 1;",
        "T4: delete from test where id = 2;",
        "T2: commit;",
        "T3: insert into test values (4, 1);",
        "T4: insert into test values (5, 1);",
        "T3: commit;",
        "T4: commit;",
    ]
    same_on(server, parse(BIG_TABLE.format(rows=rows) + "\n".join(lines)))


BIG_TABLE = "create table test (id int primary key, value int);\ninsert into test values {rows};\n"


@pytest.mark.parametrize("count", [2, 3, 4])
def test_a_serializable_reader_of_several_rows_of_a_page_is_taken_to_have_read_the_page(
    server: Server, count: int
) -> None:
    # max_pred_locks_per_page = 2: with the third row the lock is on the page, and a write of any row in it conflicts.
    rows = ", ".join(f"({key}, 10)" for key in range(1, 11))
    reads = "\n".join(f"T1: select * from test where id = {key};" for key in range(1, count + 1))
    script = parse(
        BIG_TABLE.format(rows=rows)
        + f"T1: begin;\nT2: begin;\n{reads}\nT2: select * from test where id = 9;\n"
        + "T1: update test set value = 1 where id = 9;\nT2: update test set value = 1 where id = 10;\nT1: commit;\nT2: commit;\n"
    )
    same_on(server, script, "serializable")


def test_the_order_of_waiting_is_kept_by_row_and_read_locks_may_pass(server: Server) -> None:
    statements = {
        "T2": "update test set value = 2 where id = 1",
        "T3": "select * from test where id = 1 for share",
        "T4": "update test set value = 4 where id = 1",
    }
    for order in permutations(statements):
        lines = ["T1: begin;", "T1: select * from test where id = 1 for share;"]
        lines += [line for name in order for line in (f"{name}: begin;", f"{name}: {statements[name]};")]
        lines += ["T1: commit;", *(f"{name}: commit;" for name in order)]
        same_on(server, parse(BIG_TABLE.format(rows="(1, 10)") + "\n".join(lines)))


def test_the_plans_are_those_that_the_server_makes(server: Server) -> None:
    from playground.isolation.planning import PATH_NAMES, path_of
    from playground.isolation.syntax import Select

    script: Script = templates()["p4"].script
    server.prepare(script)
    for where in (
        "id = 1", "1 = id", "id in (1, 2)", "id in (2)", "id between 1 and 2", "id >= 1 and id < 3", "id > 1", "id <= 3",
        "id = 1 or id = 1", "(id) = 1", "not id <> 1", "id in (2) or 2 = id", "id = 1 and value = 2 or id = 1 and value = 3",
        "id = value and value = 1", "not (id < 1 or id > 2)", "id = 1 or id = 1 or id = 2", "id = 1 or 1 = 2", "not id in (1, 2)",
        "value = 1 or id = 1 or id = 1", "(id = 1) = (1 = 1)",
        "id <> 1", "value = 10", "id = 1 and value = 10", "id = 1 or id = 2", "id % 2 = 0", "id > 1 and value = 3", "not id = 1",
        "id not in (1, 2)", "id not in (1)", "id not between 1 and 2", "not id not between 1 and 2", "not id not in (1, 2)",
    ):  # fmt: skip
        text = f"create table test (id int primary key, value int);\nT1: select * from test where {where}"
        command = parse(text).steps[0].command
        assert isinstance(command, Select)
        planned = "\n".join(row[0] for row in server.monitor.execute(f"explain select * from test where {where}"))
        mine = PATH_NAMES[path_of(command.where, "id").path]
        assert ("Index Scan" in planned) == mine.startswith("index"), f"{where}: {planned}"


def test_a_name_is_taken_where_the_server_takes_it(server: Server) -> None:
    import psycopg

    server.prepare(templates()["p4"].script)
    words = [str(word) for (word,) in server.monitor.execute("select word from pg_get_keywords()")]
    for word in [*words, "xmin", "ctid", "tableoid", "oid"]:
        for text in (
            f"create table {word} (id int primary key)",
            f"create table place (id int primary key, {word} int)",
        ):
            try:
                with server.monitor.transaction(force_rollback=True):
                    server.monitor.execute(text)
                taken = True
            except psycopg.Error:
                taken = False
            try:
                parse(f"{text}\nT1: begin")
                mine = True
            except InputError:
                mine = False
            # No table is called as a system column, for it would be taken for one.
            assert mine == taken or (word in SYSTEM_COLUMNS and text.endswith("key)")), text


def test_what_is_not_in_a_list_or_range_is_read_as_on_the_server(server: Server) -> None:
    rows = "(1, 10), (2, 20), (3, 30)"
    for condition in (
        "id not in (1, 2)",
        "value not between 10 and 20",
        "not id not in (1, 3)",
        "value + 1 not in (11)",
    ):
        lines = [
            "T1: begin;", "T2: begin;", f"T1: select * from test where {condition};", "T2: update test set value = 5 where id = 3;",
            f"T1: update test set value = 1 where {condition};", f"T2: delete from test where {condition};", "T2: commit;", "T1: commit;",
        ]  # fmt: skip
        for level in LEVELS[1:]:
            same_on(server, parse(BIG_TABLE.format(rows=rows) + "\n".join(lines)), level)
