"""A table, a server that lists it, and somebody who turns pages, inserts and deletes at given moments, and writes down every page."""

from __future__ import annotations

from playground.blocks.app_server.behaviour import AppServer
from playground.blocks.app_server.spec import SPEC as SERVER
from playground.blocks.client.readers import Readers
from playground.blocks.client.spec import SPEC as CLIENT
from playground.blocks.shard_router.behaviour import ShardRouter
from playground.blocks.shard_router.spec import SPEC as ROUTER
from playground.blocks.sql_database.behaviour import SqlDatabase
from playground.blocks.sql_database.spec import SPEC as DATABASE
from playground.engine.block import Block
from playground.engine.calls import ANSWERED
from playground.engine.outcomes import CREATE, DELETE, LIST, OK, WRITE
from playground.engine.params import Params
from playground.engine.simulation import Simulation
from playground.parameters import filled
from playground.protocol.catalogue import BlockSpec, Scalar
from tests.engine.parts import MS, add, run, wire

SERVER_PARAMS: dict[str, Scalar] = {"before_mean_ms": 0, "workers": 10_000}
DATABASE_PARAMS: dict[str, Scalar] = {
    "query_mean_ms": 0.0,
    "query_distribution": "constant",
    "commit_mean_ms": 0.01,
    "commit_distribution": "constant",
    "rows": 1_000,
    "buffer_rows": 100_000,
    "pool": 10_000,
    "cores": 10_000,
}


def params_of(spec: BlockSpec, changes: dict[str, Scalar]) -> Params:
    return Params(dict(filled(spec.params, changes)))


class Actor(Block):
    """Does what was planned. A page is (outcome, rows, link to itself, link to the next, rows examined)."""

    def __init__(self, simulation: Simulation, index: int, name: str) -> None:
        super().__init__(simulation, index, name)
        self.readers = Readers(self)
        self.plan: list[tuple[str, int]] = []
        self.pages: list[tuple[int, list[int], str, str, int]] = []
        self.over: list[int] = []
        self.link: str | None = None

    def on_timer(self, tag: int, argument: int) -> None:
        what, value = self.plan[argument]
        operation = {"create": CREATE, "delete": DELETE, "write": WRITE}.get(what, LIST)
        call = self.out["out"][0].call(-1, operation, max(value, 1), 0, -1, 0, 0)
        self.calls.step[call] = argument
        if what == "turn":
            self.calls.data[call] = value
            self.calls.tell(call, self.readers.ask(value), 0)
        elif what == "follow":
            body = self.simulation.bodies.take(self.simulation.now)
            body.next = self.link
            self.calls.tell(call, body.number, 0)

    def on_reply(self, call: int) -> None:
        what, _ = self.plan[self.calls.step[call]]
        if what not in {"turn", "follow"}:
            assert self.calls.outcome[call] == OK
            return
        body = None
        if self.calls.outcome[call] == OK and self.calls.flags[call] & ANSWERED != 0:
            body = self.simulation.bodies.find(self.calls.advice[call])
        told = ([int(row) for row in body.rows], body.here, body.next, int(body.examined)) if body else ([], "", "", 0)
        self.pages.append((int(self.calls.outcome[call]), *told))
        if what == "turn" and self.readers.on_page(call) < 0:
            self.over.append(int(self.calls.data[call]))


class Library:
    """One actor, one server, one database of 1,000 rows; 20 rows a page."""

    def __init__(
        self, pagination: str, seed: int = 1, server: dict[str, Scalar] | None = None, shards: int = 0, **db: Scalar
    ) -> None:
        self.simulation = Simulation(seed)
        self.actor = add(self.simulation, Actor, "readers")
        self.server = add(self.simulation, AppServer, "app")
        self.db = add(self.simulation, SqlDatabase, "db")
        self.server_params = {**SERVER_PARAMS, "pagination": pagination, **(server or {})}
        self.server.configure(params_of(SERVER, self.server_params))
        self.db.configure(params_of(DATABASE, {**DATABASE_PARAMS, **db}))
        for port in ("services", "filter", "cache", "store", "queue", "search", "sessions"):
            self.server.out[port] = []
        self.server.out["out"] = []
        wire(self.actor, self.server)
        self.dbs = [self.db]
        if shards == 0:
            wire(self.server, self.db)
        else:
            self.dbs += [add(self.simulation, SqlDatabase, f"db-{number}") for number in range(1, shards)]
            self.shard(db)
        self.server.out["store"] = self.server.out["out"]
        self.server.wired()
        for database in self.dbs:
            database.started()
        self.server.started()
        self.readers = self.actor.readers

    def shard(self, db: dict[str, Scalar]) -> None:
        """Put a router between the server and all databases; each row is on the one that its key's hash names."""
        self.router = add(self.simulation, ShardRouter, "router")
        self.router.out["shards"] = self.router.out["out"] = []
        wire(self.server, self.router)
        self.router.configure(params_of(ROUTER, {"workers": 1_000}))
        for database in self.dbs:
            database.configure(params_of(DATABASE, {**DATABASE_PARAMS, **db}))
            wire(self.router, database)

    def set_readers(self, **changes: Scalar) -> None:
        """How readers walk."""
        self.readers.configure(params_of(CLIENT, {"lists": "walk", "walk_pages": 10_000, "walk_gap_s": 0, **changes}))

    def do(self, what: str, value: int = 0) -> None:
        """Do it now, and wait until it is done."""
        self.actor.plan.append((what, value))
        self.actor.timer(0, 0, len(self.actor.plan) - 1)
        run(self.simulation, self.simulation.now + 100 * MS)

    def page(self, link: str) -> tuple[int, list[int], str, str, int]:
        """The page that a link leads to."""
        self.actor.link = link
        self.do("follow")
        return self.actor.pages[-1]

    def walk(self) -> int:
        """A reader sets out."""
        return int(self.readers.begin(0, False))

    def turn(self, walk: int) -> list[int]:
        """The reader turns the page: its rows."""
        self.do("turn", walk)
        assert self.actor.pages[-1][0] == OK
        return self.actor.pages[-1][1]
