"""The database's truth: what exists, at which version, since when; created, deleted and made again."""

from __future__ import annotations

from playground.blocks.sql_database.behaviour import SqlDatabase
from playground.blocks.sql_database.spec import SPEC
from playground.engine.block import Block
from playground.engine.outcomes import ABSENT, BUY, CREATE, DELETE, OK, READ, WRITE
from playground.engine.params import Params
from playground.engine.simulation import Simulation
from playground.parameters import filled
from playground.protocol.catalogue import Scalar
from tests.engine.parts import MS, add, drain, run, wire


class Statements(Block):
    """Sends one statement after the other and says what each was answered."""

    def __init__(self, simulation: Simulation, index: int, name: str) -> None:
        super().__init__(simulation, index, name)
        self.answers: list[int] = []

    def send(self, operation: int, key: int, promised: int = 0) -> None:
        call = self.out["out"][0].call(-1, operation, key, 0, -1, 0, 0)
        if promised > 0:
            self.calls.tell(call, promised, 0)

    def ask(self, operation: int, key: int, promised: int = 0) -> int:
        self.send(operation, key, promised)
        drain(self.simulation)
        return self.answers[-1]

    def on_reply(self, call: int) -> None:
        assert self.calls.outcome[call] == OK
        self.answers.append(self.calls.version[call])


def database(**params: Scalar) -> tuple[Statements, SqlDatabase]:
    """A database with 10 rows and somebody who talks to it."""
    simulation = Simulation(1)
    caller = add(simulation, Statements, "app")
    found = add(simulation, SqlDatabase, "db")
    found.configure(Params(dict(filled(SPEC.params, {"rows": 10, **params}))))
    wire(caller, found)
    found.started()
    return caller, found


def test_an_item_beyond_the_rows_is_absent_until_it_is_created() -> None:
    app, db = database()
    assert app.ask(READ, 11) == ABSENT == db.current_version(11)
    created = app.ask(CREATE, 11)
    assert created > 0
    assert app.ask(READ, 11) == created == db.current_version(11)
    assert (db.created, db.absent) == (1, 1)


def test_a_deleted_row_is_absent_and_versions_go_on_growing_when_it_is_made_again() -> None:
    app, db = database()
    written = app.ask(WRITE, 3)
    gone = app.ask(DELETE, 3)
    assert gone > written
    assert app.ask(READ, 3) == app.ask(WRITE, 3) == app.ask(BUY, 3) == app.ask(DELETE, 3) == ABSENT
    again = app.ask(CREATE, 3)
    assert again > gone
    assert app.ask(READ, 3) == again
    assert (db.created, db.deleted, db.absent, db.commits) == (1, 1, 4, 3)


def test_a_deletion_takes_the_row_out_of_memory() -> None:
    app, db = database(buffer_rows=5)
    held = db.nodes[0].buffer.size
    app.ask(DELETE, 1)
    assert db.nodes[0].buffer.size == held - 1
    assert db.nodes[0].buffer.find(1) < 0


def test_creating_what_is_there_writes_it() -> None:
    app, db = database()
    assert app.ask(CREATE, 1) == 2
    assert (db.created, db.commits) == (0, 1)


def test_a_write_that_was_promised_a_version_commits_that_one_or_a_later_one() -> None:
    app, _ = database()
    assert app.ask(WRITE, 1, promised=7) == 7
    assert app.ask(WRITE, 1, promised=7) == 8
    assert app.ask(WRITE, 2) == 2
    assert app.ask(CREATE, 12, promised=40) == 40
    assert app.ask(DELETE, 12, promised=50) == 50
    assert app.ask(CREATE, 12) == 51


def test_of_two_deletions_under_way_the_second_finds_nothing() -> None:
    app, db = database(disk_channels=1)
    app.send(DELETE, 1)
    app.send(DELETE, 1)
    drain(app.simulation)
    first, second = app.answers
    assert first > 0 and second == ABSENT
    assert (db.commits, db.deleted) == (1, 1)


def test_a_read_that_waits_for_the_disk_while_its_row_is_deleted_finds_nothing() -> None:
    app, db = database(
        warm=False,
        disk_channels=1,
        query_mean_ms=0,
        commit_mean_ms=10,
        commit_distribution="constant",
        disk_read_mean_ms=20,
        disk_read_distribution="constant",
        cores=2,
    )
    app.send(DELETE, 1)
    app.send(READ, 1)
    drain(app.simulation)
    assert app.answers[1] == ABSENT
    assert db.nodes[0].buffer.find(1) < 0
    assert app.answers[0] > 0


def test_it_is_its_own_authority_and_knows_when_each_item_was_written() -> None:
    app, db = database()
    assert db.authority() is db
    assert app.source() is db
    assert (db.current_version(10), db.written_at(10)) == (1, 0)
    run(app.simulation, 5 * MS)
    app.ask(WRITE, 10)
    wrote = db.written_at(10)
    assert 5 * MS < wrote <= app.simulation.now
    app.ask(DELETE, 10)
    assert db.written_at(10) > wrote
    app.ask(CREATE, 99)
    assert db.first_keys() == 10
    assert list(db.changed_keys()) == [10, 99]
