"""`manage.py isolation`: what it prints, what it refuses, and with which exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from playground.isolation.server import Server
from playground.isolation.sources import templates
from tests.commands.shell import inside

TABLE = "create table test (id int primary key, value int);\ninsert into test values (1, 10);\n"


def test_it_prints_each_statement_with_what_became_of_it_and_the_anomalies() -> None:
    done = inside("isolation", "template:two-buyers")
    assert done.code == 0
    assert "waits for T1 (step 6), then UPDATE 1 (step 7)" in done.out
    assert "P4, lost update: " in done.out


def test_a_level_changes_what_happens_and_is_said() -> None:
    done = inside("isolation", "template:two-buyers", "--level", "REPEATABLE-READ")
    assert "ERROR 40001: could not serialize access due to concurrent update" in done.out
    assert "repeatable read unless a BEGIN says otherwise" in done.out


def test_the_same_script_by_innodb() -> None:
    found = inside("isolation", "template:p4", "--dialect", "mysql", "--json").json
    assert found["level"] == "repeatable read" and [one["name"] for one in found["anomalies"]] == ["P4"]


@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
@pytest.mark.parametrize("name", list(templates()))
def test_every_script_gives_json_with_a_state_for_each_step(name: str, dialect: str) -> None:
    found = inside("isolation", f"template:{name}", "--dialect", dialect, "--json").json
    assert len(found["steps"]) == len(found["statements"]) + 1
    assert {"versions", "row_locks", "waits", "siread_locks", "rw_conflicts"} <= found["steps"][0].keys()


def test_a_script_from_standard_input_and_from_a_file_is_the_same(tmp_path: Path) -> None:
    text = templates()["g2"].text
    file = tmp_path / "g2.sql"
    file.write_text(text, encoding="utf-8")
    assert inside("isolation", file).out == inside("isolation", "-", stdin=text.encode()).out


def test_a_shuffle_is_repeatable_from_its_seed() -> None:
    one, other = (inside("isolation", "template:otv", "--shuffle", seed, "--json").json for seed in ("1", "2"))
    assert one["script"] != other["script"]
    assert one == inside("isolation", "template:otv", "--shuffle", "1", "--json").json


@pytest.mark.parametrize(
    ("words", "stdin", "told"),
    [
        (["template:nothing"], "", "two-buyers"),
        (["-"], TABLE + "T1: selct 1", "line 3, column 5: 'selct' can't stand here; accepted: BEGIN"),
        (["/does/not/exist"], "", "No such file"),
        (["template:g0", "--level", "snapshot"], "", "serializable"),
        (["template:g0", "--dialect", "oracle"], "", "mysql"),
        (["template:g0", "--shuffle", "x"], "", "0 to"),
        (["template:g0", "--dialect", "mysql", "--verify", "x"], "", "postgresql"),
        (["-"], "", "at least one statement"),
    ],
)
def test_what_is_wrong_is_said_with_what_would_do_and_ends_in_2(words: list[str], stdin: str, told: str) -> None:
    done = inside("isolation", *words, stdin=stdin.encode())
    assert done.code == 2 and done.out == ""
    assert told in done.err


def test_a_transaction_that_never_ends_is_named() -> None:
    done = inside("isolation", "-", stdin=(TABLE + "T1: begin;\nT1: delete from test;\n").encode())
    assert done.code == 0
    assert (
        "T1: the script ended before its transaction did, which was rolled back; it held test 1 FOR UPDATE" in done.out
    )


def test_a_server_that_is_not_there_ends_in_1() -> None:
    done = inside("isolation", "template:g0", "--verify", "host=/nowhere dbname=none")
    assert done.code == 1 and "PostgreSQL" in done.err


def test_a_servers_outcome_stands_beside_the_labs(server: Server) -> None:
    done = inside("isolation", "template:g2-item", "--level", "serializable", "--verify", server.dsn)
    assert done.code == 0
    assert "The server did the same, statement by statement" in done.out and "!=" not in done.out


def test_a_difference_from_the_server_is_marked(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    # With DATABASE_URL in place of --verify; a lab without index plans differs at SERIALIZABLE from a server that has them.
    monkeypatch.setattr(Server, "connect", connect_with_indexes)
    script = "template:g2-item"
    found = inside("isolation", script, "--level", "serializable", "--verify", server.dsn, "--json").json
    assert found["verified"]["differences"] == []
    text = TABLE + "insert into test values (2, 20);\n" + DISJOINT
    found = inside(
        "isolation", "-", "--no-index", "--level", "serializable", "--verify", server.dsn, stdin=text.encode()
    )
    assert "!=" in found.out and "differences from the server" in found.out


DISJOINT = "\n".join(
    [
        "T1: begin;",
        "T2: begin;",
        "T1: select * from test where id = 1;",
        "T2: select * from test where id = 2;",
        "T1: update test set value = 1 where id = 1;",
        "T2: update test set value = 2 where id = 2;",
        "T1: commit;",
        "T2: commit;",
    ]
)
ORIGINAL = Server.connect


def connect_with_indexes(self: Server) -> object:
    """Connect as ever, and let plans use the index after all."""
    connection = ORIGINAL(self)
    connection.execute("set enable_indexscan = on")
    return connection
