"""A database cluster with somebody who writes and reads at given moments, and writes down every answer."""

from __future__ import annotations

from typing import Any

from playground.blocks.sql_database.behaviour import SqlDatabase
from playground.blocks.sql_database.spec import SPEC
from playground.engine.block import Block
from playground.engine.edge import Edge
from playground.engine.outcomes import OK, READ, WRITE
from playground.engine.params import Params
from playground.engine.simulation import Simulation
from playground.parameters import filled
from playground.protocol.catalogue import Scalar
from tests.engine.parts import MS, SECOND, add, run, wire

TIMES = {
    "query_mean_ms": 0.0,
    "query_distribution": "constant",
    "commit_mean_ms": 1.0,
    "commit_distribution": "constant",
    "ship_mean_ms": 2.0,
    "ship_distribution": "constant",
    "apply_mean_ms": 0.0,
    "apply_distribution": "constant",
    "rows": 1000,
    "pool": 10_000,
    "cores": 10_000,
    "promote_s": 1.0,
}
"""Nothing is random, unless a test says so: a flush takes 1 ms, the network 2 ms each way, applying a record nothing."""

FAULTS = {fault.name: fault for fault in SPEC.faults}


class Caller(Block):
    """Sends statements at moments that were planned, each for a user, and keeps what came back."""

    def __init__(self, simulation: Simulation, index: int, name: str) -> None:
        super().__init__(simulation, index, name)
        self.plan: list[tuple[int, int, int]] = []
        self.answers: list[dict[str, int]] = []

    def on_timer(self, tag: int, argument: int) -> None:
        operation, key, user = self.plan[argument]
        call = self.out["out"][0].call(-1, operation, key, user, -1, 0, 0)
        self.calls.step[call] = argument

    def on_reply(self, call: int) -> None:
        calls = self.calls
        operation, key, user = self.plan[calls.step[call]]
        self.answers.append(
            {
                "operation": operation,
                "key": key,
                "user": user,
                "began": int(calls.began[call]),
                "at": int(self.simulation.now),
                "outcome": int(calls.outcome[call]),
                "version": int(calls.version[call]),
                "node": int(calls.instance[call]),
            }
        )


class Cluster:
    """``callers`` of one database, wired without any delay; the first one stands beside node 1, the second beside node 2."""

    def __init__(self, callers: int = 1, seed: int = 1, edge: dict[str, Any] | None = None, **params: Scalar) -> None:
        self.simulation = Simulation(seed)
        self.params: dict[str, Scalar] = {**TIMES, **params}
        self.callers = [add(self.simulation, Caller, f"app-{number}") for number in range(callers)]
        self.db = add(self.simulation, SqlDatabase, "db")
        self.configure()
        self.edges: list[Edge] = [wire(caller, self.db, **(edge or {})) for caller in self.callers]
        self.db.started()

    def configure(self, **changes: Scalar) -> None:
        """Set parameters, now."""
        self.params.update(changes)
        self.db.configure(Params(dict(filled(SPEC.params, self.params))))

    def send(self, at_ms: float, operation: int, key: int, user: int = 0, caller: int = 0) -> None:
        """Plan a statement."""
        who = self.callers[caller]
        who.plan.append((operation, key, user))
        who.timer(round(at_ms * MS) - self.simulation.now, 0, len(who.plan) - 1)

    def write(self, at_ms: float, key: int, user: int = 0, caller: int = 0) -> None:
        self.send(at_ms, WRITE, key, user, caller)

    def read(self, at_ms: float, key: int, user: int = 0, caller: int = 0) -> None:
        self.send(at_ms, READ, key, user, caller)

    def writes(self, from_ms: float, to_ms: float, every_ms: float, caller: int = 0, keys: int = 50) -> None:
        """Plan writes of one key after the other, by users of the same numbers."""
        number = 0
        at = from_ms
        while at < to_ms:
            self.write(at, 1 + number % keys, 1 + number % keys, caller)
            number += 1
            at += every_ms

    def run(self, until_ms: float) -> Cluster:
        run(self.simulation, round(until_ms * MS))
        return self

    def fault(self, name: str, **given: Scalar) -> None:
        """Do a fault now."""
        self.db.inject(name, Params(dict(filled(FAULTS[name].params, given))))

    def clear(self) -> None:
        self.db.clear_faults()

    def answers(self, operation: int, caller: int = 0) -> list[dict[str, int]]:
        return [it for it in self.callers[caller].answers if it["operation"] == operation]

    def acknowledged(self) -> dict[int, int]:
        """The highest version that was acknowledged, by key, whoever did it."""
        found: dict[int, int] = {}
        for caller in self.callers:
            for it in caller.answers:
                if it["operation"] == WRITE and it["outcome"] == OK:
                    found[it["key"]] = max(found.get(it["key"], 0), it["version"])
        return found

    def all_acknowledged(self) -> set[tuple[int, int]]:
        """Every write that was acknowledged: key and version."""
        return {
            (it["key"], it["version"])
            for caller in self.callers
            for it in caller.answers
            if it["operation"] == WRITE and it["outcome"] == OK
        }

    def behind_the_truth(self) -> dict[int, int]:
        """Keys whose acknowledged version is above the true one: the write is nowhere."""
        return {key: it for key, it in self.acknowledged().items() if self.db.current_version(key) < it}

    def lost_positions(self) -> list[int]:
        """Where the latest lost writes stood in the log."""
        lost = self.db.lost
        return [int(lost.position[number % len(lost.position)]) for number in range(lost.total)]

    def lost_keys(self) -> list[int]:
        """Which rows they were of."""
        lost = self.db.lost
        return [int(lost.key[number % len(lost.key)]) for number in range(lost.total)]

    def noted(self, kind: str) -> list[float]:
        """When moments of a kind were named, in seconds."""
        return [it[0] / SECOND for it in self.simulation.notables if it[1] == kind]

    def titles(self, kind: str) -> list[str]:
        return [it[4] for it in self.simulation.notables if it[1] == kind]
