"""What the lab says of a schedule is true: "No anomaly" where some serial order gives the same, "cautious" of an abort that was not needed
(Adya, "Weak consistency", 1999: a history whose serialization graph has no cycle is serializable)."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from playground.isolation.lab import Lab, options
from playground.isolation.parsing import parse
from playground.isolation.results import failures_of
from playground.isolation.schedules import random_script
from playground.isolation.syntax import Script
from tests.isolation.serial import could_be_serial, hot_script

CASES = [
    ("postgresql", "read committed"),
    ("postgresql", "repeatable read"),
    ("postgresql", "serializable"),
    ("mysql", "read uncommitted"),
    ("mysql", "read committed"),
    ("mysql", "repeatable read"),
    ("mysql", "serializable"),
]
TEST = "create table test (id int primary key, value int);\n"


def lab_of(script: Script, dialect: str, level: str) -> Lab:
    lab = Lab(script, options(dialect, level), keeps_states=False)
    lab.run()
    return lab


def names(text: str, dialect: str, level: str) -> list[str]:
    return [one.name for one in lab_of(parse(TEST + text), dialect, level).anomalies()]


def hold_no_anomaly_to_its_word(dialect: str, level: str, seeds: Iterable[int]) -> None:
    none = 0
    for seed in seeds:
        for script in (random_script(seed, (level,)), hot_script(seed, level)):
            lab = lab_of(script, dialect, level)
            if not lab.anomalies():
                none += 1
                assert could_be_serial(lab) is not False, f"{dialect}, {level}:\n\n{script.text()}"
    assert none > 50


@pytest.mark.parametrize(("dialect", "level"), CASES)
def test_no_anomaly_means_that_some_serial_order_returns_and_leaves_the_same(dialect: str, level: str) -> None:
    hold_no_anomaly_to_its_word(dialect, level, range(100))


@pytest.mark.slow
@pytest.mark.parametrize(("dialect", "level"), CASES)
def test_no_anomaly_means_so_in_many_more_schedules(dialect: str, level: str) -> None:
    hold_no_anomaly_to_its_word(dialect, level, range(100, 1100))


def hold_aborts_to_their_word(seeds: Iterable[int]) -> None:
    needed = by_chance = cautious = 0
    for seed in seeds:
        for script in (random_script(seed, ("serializable",)), hot_script(seed, "serializable")):
            lab = lab_of(script, "postgresql", "serializable")
            for told, (number, _) in zip(failures_of(lab), lab.serialization_failures(), strict=True):
                without = Lab(script, lab.options, frozenset({number}), keeps_states=False)
                without.run()
                if told["kind"] == "cautious":
                    cautious += 1
                    assert could_be_serial(without) is not False, script.text()
                elif told["kind"] == "needed":
                    needed += 1
                    by_chance += could_be_serial(without) is True
    assert cautious > 20 and needed > 8
    # A cycle whose values happen to come out as in some order all the same: two additions in either order, say.
    assert by_chance <= 0.1 * needed


def test_an_abort_is_cautious_only_where_a_serial_order_was_left_and_needed_where_there_was_none() -> None:
    hold_aborts_to_their_word(range(300))


@pytest.mark.slow
def test_aborts_are_told_so_in_many_more_schedules() -> None:
    hold_aborts_to_their_word(range(300, 1500))


def test_a_row_that_was_waited_for_and_then_passed_over_has_been_read() -> None:
    # PostgreSQL manual, 13.2.1: neither order of the two deletes nothing.
    website = (
        "insert into test values (1, 9), (2, 10);\nT1: begin;\nT1: update test set value = value + 1;\nT2: begin;\n"
        "T2: delete from test where value = 10;\nT1: commit;\nT2: commit;\n"
    )
    assert names(website, "postgresql", "read committed") == ["PMP"]
    for change in ("delete from test where id = 1", "update test set value = 20 where id = 1"):
        text = (
            "insert into test values (1, 10);\nT1: begin;\nT2: begin;\nT1: select * from test where id = 1;\n"
            f"T2: {change};\nT1: delete from test where value = 10;\nT2: commit;\nT1: commit;\n"
        )
        assert names(text, "postgresql", "read committed") == ["G-single"], change


@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
def test_an_insert_has_read_that_its_key_is_free(dialect: str) -> None:
    text = (
        "insert into test values (3, 30);\nT1: begin;\nT1: select * from test;\nT2: delete from test where value = 30;\n"
        "T1: insert into test values (3, 99);\nT1: commit;\n"
    )
    assert names(text, dialect, "repeatable read") == ["G-single"]


@pytest.mark.parametrize("end", ["T1: rollback;\n", ""])
def test_a_count_without_a_row_whose_delete_never_came_to_be_is_a_dirty_read(end: str) -> None:
    text = (
        "insert into test values (1, 10), (2, 20);\nT1: begin;\nT1: delete from test where id = 1;\nT2: begin;\n"
        f"T2: select count(*) from test;\nT2: commit;\n{end}"
    )
    assert names(text, "mysql", "read uncommitted") == ["G1a"]
    assert names(text, "mysql", "read committed") == []
    deleted = text.replace("rollback", "commit")
    assert end == "" or names(deleted, "mysql", "read uncommitted") == []


def test_who_only_counts_rows_minds_no_change_of_their_values() -> None:
    text = (
        "insert into test values (1, 10), (2, 20);\nT1: begin;\nT1: select {} from test;\nT2: update test set value = 11 where id = 1;\n"
        "T1: update test set value = 21 where value = 11 or id = 2;\nT1: commit;\n"
    )
    assert names(text.format("count(*)"), "postgresql", "read committed") == []
    assert names(text.format("sum(value)"), "postgresql", "read committed") == ["P4"]


def test_an_update_that_changes_nothing_in_mysql_has_met_the_newest_version() -> None:
    text = (
        "insert into test values (1, 10);\nT1: begin;\nT2: update test set value = 11 where id = 1;\n"
        "T1: update test set value = 11 where id = 1;\nT1: commit;\n"
    )
    assert names(text, "mysql", "read committed") == []
