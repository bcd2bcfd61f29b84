"""The MVCC core by itself: queues, ends, memory, snapshots, and that compiled and interpreted it is one."""

from __future__ import annotations

import os
import random
import subprocess
import sys

import pytest

from playground.engine.mvcc.database import Database
from playground.engine.mvcc.innodb import InnoDB
from playground.engine.mvcc.postgresql import PostgreSQL
from playground.engine.mvcc.statement import PointAdd, PointDelete, PointInsert, PointRead
from playground.engine.mvcc.table import Table
from playground.engine.mvcc.terms import (
    DONE,
    ERROR,
    READ_COMMITTED,
    REPEATABLE_READ,
    SERIALIZABLE,
    UPDATE,
    WAITING,
)
from playground.engine.snapshot import Snapshot
from playground.native import ENGINE_VARIABLE, PROJECT

DATABASES = [PostgreSQL, InnoDB]


def shop(database: Database, stock: int = 1) -> Table:
    table = database.create_table("product", ["id", "stock", "version"])
    for key in range(1, 4):
        table.load([key, stock, 1], 1)
    return table


@pytest.mark.parametrize("kind", DATABASES)
def test_buyers_of_a_hot_row_get_their_turn_in_the_order_in_which_they_came(kind: type[Database]) -> None:
    database = kind()
    table = shop(database, 10)
    buyers = [database.begin(READ_COMMITTED, owner=number) for number in range(6)]
    assert [database.run(one, PointAdd(table).of(1, -1, 1)) for one in buyers] == [DONE] + [WAITING] * 5
    served = [0]
    current = buyers[0]
    while len(served) < 6:
        assert database.commit(current) == DONE
        current = database.waits.ready.pop(0)
        assert database.resume(current) == DONE
        served.append(int(current.owner))
    assert served == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("kind", DATABASES)
@pytest.mark.parametrize("level", [READ_COMMITTED, REPEATABLE_READ, SERIALIZABLE])
def test_what_ended_leaves_nothing_behind_but_the_rows(kind: type[Database], level: int) -> None:
    database = kind()
    table = shop(database, 100_000)
    chance = random.Random(level)
    waiting: list[int] = []
    for number in range(3_000):
        one = database.begin(level)
        statements = [
            PointRead(table, chance.choice((-1, UPDATE))).of(chance.randint(1, 4)),
            PointAdd(table).of(1, -1, 1),
        ]
        status = DONE
        for statement in statements:
            status = database.run(one, statement)
            if status != DONE:
                break
        assert status != WAITING
        waiting.append(status)
        database.abort(one) if chance.random() < 0.2 else database.commit(one)
        database.waits.begun.clear()
        if number % 50 == 0:
            database.vacuum()
    database.vacuum()
    assert not database.open and not database.active and not database.waits.rows and not database.waits.ready
    assert table.size < 200 and not table.row_locks and database.dead_versions() == 0
    if isinstance(database, PostgreSQL):
        ssi = database.ssi
        assert not ssi.active and not ssi.finished and not ssi.holders and not ssi.by_xid
    elif isinstance(database, InnoDB):
        assert not database.locks.queues


def test_a_long_serializable_reader_keeps_what_may_still_conflict_and_its_end_clears_that() -> None:
    database = PostgreSQL()
    table = shop(database, 1_000)
    reader = database.begin(SERIALIZABLE)
    database.run(reader, PointRead(table).of(2))
    for _ in range(50):
        one = database.begin(SERIALIZABLE)
        assert database.run(one, PointAdd(table).of(1, -1, 1)) == DONE
        assert database.commit(one) == DONE
    assert len(database.ssi.finished) == 50
    database.commit(reader)
    assert not database.ssi.finished and not database.ssi.by_xid


@pytest.mark.parametrize("kind", DATABASES)
def test_an_optimistic_update_finds_no_row_when_the_version_has_moved_on(kind: type[Database]) -> None:
    database = kind()
    table = shop(database)
    one, other = database.begin(READ_COMMITTED), database.begin(READ_COMMITTED)
    assert database.run(one, PointAdd(table).versioned(1, 0, 1)) == DONE
    late = PointAdd(table).versioned(1, 0, 1)
    assert database.run(other, late) == WAITING
    database.commit(one)
    assert database.resume(database.waits.ready.pop()) == DONE
    assert late.count == 0
    database.commit(other)
    assert [table.row(position) for position in table.live() if table.key(position) == 1] == [[1, 0, 2]]


@pytest.mark.parametrize(("kind", "code"), [(PostgreSQL, "23505"), (InnoDB, "1062")])
def test_an_existing_key_is_refused_a_deleted_one_is_not(kind: type[Database], code: str) -> None:
    database = kind()
    table = shop(database)
    one = database.begin(READ_COMMITTED)
    assert database.run(one, PointInsert(table).of([1, 5, 1])) == ERROR
    assert one.error == code
    database.abort(one)
    one = database.begin(READ_COMMITTED)
    assert database.run(one, PointDelete(table).of(1)) == DONE
    assert database.run(one, PointInsert(table).of([1, 5, 1])) == DONE
    database.commit(one)
    database.vacuum()
    read = PointRead(table).of(1)
    database.run(database.begin(READ_COMMITTED), read)
    assert read.value() == 5


def test_innodbs_deadlock_ends_the_lighter_transaction_whoever_closed_the_cycle() -> None:
    database = InnoDB()
    table = shop(database, 10)
    heavy, light = database.begin(REPEATABLE_READ), database.begin(REPEATABLE_READ)
    for key in (1, 3):
        database.run(heavy, PointAdd(table).of(key, -1, 1))
    database.run(light, PointAdd(table).of(2, -1, 1))
    assert database.run(light, PointAdd(table).of(1, -1, 1)) == WAITING
    assert database.run(heavy, PointAdd(table).of(2, -1, 1)) == WAITING
    ready = list(database.waits.ready)
    assert light in ready and heavy in ready
    assert database.resume(light) == ERROR and light.error == "1213"
    assert database.resume(heavy) == DONE


@pytest.mark.parametrize("kind", DATABASES)
def test_a_snapshot_brings_waits_locks_and_versions_back(kind: type[Database]) -> None:
    database = kind()
    table = shop(database, 5)
    first, second = database.begin(SERIALIZABLE), database.begin(READ_COMMITTED)
    database.run(first, PointRead(table).of(1))
    database.run(first, PointAdd(table).of(1, -1, 1))
    assert database.run(second, PointAdd(table).of(1, -1, 1)) == WAITING
    kept = Snapshot(database)
    for _ in range(2):
        database.commit(first)
        assert database.resume(database.waits.ready.pop()) == DONE
        database.commit(second)
        assert [table.row(position) for position in table.live() if table.key(position) == 1] == [[1, 3, 1]]
        kept.restore()
        assert database.blockers(second) == [first]


PROGRAM = """
import hashlib
from playground.engine.mvcc.terms import LEVELS
from playground.isolation.lab import options
from playground.isolation.results import run
from playground.isolation.schedules import random_script
for seed in range(150):
    for dialect in ("postgresql", "mysql"):
        print(seed, dialect, hashlib.sha256(repr(run(random_script(seed), options(dialect))).encode()).hexdigest())
"""


def outcome(engine: str) -> str:
    """What the program prints in a process that runs the engine this way."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, ENGINE_VARIABLE: engine, "PYTHONPATH": str(PROJECT)},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_compiled_and_interpreted_the_core_gives_the_same_results() -> None:
    # Here: compiled where a build fits the sources. A machine without a compiler compares two interpreted runs.
    assert outcome(os.environ.get(ENGINE_VARIABLE) or "auto") == outcome("interpreted")
