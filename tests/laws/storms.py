"""Storms: what happens to a drawing, drawn from a seed, several things in one moment; and what must be true when all is over.

A storm is a list of moments and what is done in them, in words, so that one that fails can be pasted as a case, and made smaller by hand.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from playground.blocks.sql_database.behaviour import SqlDatabase
from playground.engine.block import Block
from playground.engine.outcomes import ABSENT, CREATE, DELETE, LIST, OK, OUTCOMES, READ, WRITE
from playground.execution import Execution
from playground.protocol.catalogue import Scalar
from playground.protocol.design import Action, Design, EditDesign, Scenario, parse_design
from playground.protocol.errors import InputError
from tests.engine.parts import add, wire
from tests.laws.shards import QUICK, ROOMY, shard
from tests.sketch import SECOND, block, clear, edge, fault, scenario, set_param, unaccounted

Op = tuple[Any, ...]
"""``("set", target, parameter, value)``, ``("fault", target, name, parameters)``, ``("clear", target)``; of the shards' drawing ``("add",
number, weight)``, ``("remove", number)``, ``("cut", number)``, ``("draw", number, weight)``."""

Storm = Sequence[tuple[float, Op]]

ROUTES = ("leader", "any_replica", "leader_after_write", "wait_for_position", "bounded_staleness")
LEVELS = ("off", "local", "on", "remote_write", "remote_apply")
EVENTS_A_SECOND = 2_000_000
"""More than any of these drawings needs in a virtual second: one that takes more goes round and round."""


class Asker(Block):
    """Reads, changes and lists rows, and notes what it was told; who asks it nothing waits for nothing."""

    keys = 60
    every_ns = 3_000_000
    with_deletions = False

    def begin(self) -> None:
        self.chance = self.stream("what is asked")
        self.told: Counter[tuple[int, int]] = Counter()
        self.open: dict[int, tuple[int, int]] = {}
        self.late: Counter[str] = Counter()
        self.late_from: int | None = None
        self.running = True
        self.timer(0, 0, 0)

    def on_timer(self, tag: int, argument: int) -> None:
        if not self.running:
            return
        key = 1 + self.chance.below(self.keys)
        operation = (READ, WRITE, READ, WRITE, CREATE, DELETE, LIST)[self.chance.below(7)]
        if operation in (CREATE, DELETE) and not self.with_deletions:
            operation = WRITE
        made = self.out["out"][0].call(-1, operation, key, self.chance.below(20), -1, 100, 0)
        self.open[int(self.calls.serial[made])] = (int(self.now()), operation)
        self.timer(self.every_ns, 0, 0)

    def on_reply(self, call: int) -> None:
        calls = self.calls
        began, operation = self.open.pop(int(calls.serial[call]))
        outcome, version = int(calls.outcome[call]), int(calls.version[call])
        if self.late_from is not None and began >= self.late_from and operation != LIST:
            self.late[OUTCOMES[outcome]] += 1
        if outcome == OK and operation in (WRITE, CREATE, DELETE) and version != ABSENT:
            self.told[int(calls.key[call]), version] += 1


# ---- what is drawn


def database(chance: random.Random, nodes: int) -> dict[str, Scalar]:
    """A cluster's parameters; everything in it is quick."""
    sync = min(chance.choice([0, 0, 1, 2]), nodes - 1)
    return {
        "instances": nodes,
        "sync_replicas": sync,
        "synchronous_commit": chance.choice(["off", "local", "on", "on", "remote_apply"] if sync else ["off", "on"]),
        "reads": chance.choice(ROUTES),
        "fencing": chance.choice([True, False]),
        "failover": chance.choice([True, True, True, False]),
        "log_kept_records": chance.choice([100, 300, 100_000]),
        "ship_mean_ms": chance.choice([0.5, 5.0, 20.0]),
        "apply_mean_ms": chance.choice([0.2, 1.0]),
        "query_mean_ms": chance.choice([0.2, 5.0]),
        "wal_writer_delay_ms": chance.choice([10.0, 200.0]),
        "lease_ttl_s": chance.choice([0.5, 1.0, 3.0]),
        "loop_wait_s": 0.2,
        "retry_timeout_s": 0.2,
        "promote_s": chance.choice([0.0, 0.1, 1.0]),
        "rewind_s": chance.choice([0.0, 0.2, 2.0]),
        "failover_lag_mb": chance.choice([0.0, 0.01, 1.0]),
        "stock": chance.choice([None, 3, 100_000]),
        "lot_s": None,
    }


def a_cluster(chance: random.Random, seed: int) -> Scenario:
    """Servers at one cluster, whose users read, write, list in walks, and buy."""
    params = {**database(chance, chance.choice([1, 2, 3, 3, 4, 5])), "rows": 1_000}
    weights: dict[str, Scalar] = {"list_weight": chance.choice([0, 1]), "buy_weight": chance.choice([0, 1, 2])}
    client: dict[str, Scalar] = {"rate_per_s": 100, "keys": 60, "write_weight": 1, "lists": "walk", **weights}
    timeout = chance.choice([None, 60.0, 300.0])
    servers: dict[str, Scalar] = {"workers": 500, "instances": chance.choice([1, 3]), "buy_method": "for_update"}
    blocks = [block("users", "client", **client), block("db", "sql_database", **params)]
    blocks += [block("app", "app_server", **servers)]
    edges = [edge("users", "app"), edge("app", "db", "store", timeout_ms=timeout)]
    return scenario(blocks, edges, seed=seed, until_s=400.0)


def some_shards(chance: random.Random, seed: int) -> Scenario:
    """A router at one to three shards that are clusters, and perhaps one more without a weight."""
    count, waiting = chance.choice([1, 2, 3]), chance.choice([0, 1])
    params = {**ROOMY, **database(chance, chance.choice([1, 3, 3])), "stock": None}
    router: dict[str, Scalar] = {
        "workers": 100_000,
        "route_mean_ms": 0.01,
        "scheme": chance.choice(["hash", "consistent", "range", "directory"]),
        "buckets": chance.choice([4, 16, 64]),
        "move_rows_per_s": chance.choice([None, 500, 5_000]),
        "batch_rows": chance.choice([5, 50, 1_000]),
        "moves_at_once": chance.choice([1, 3]),
    }
    client: dict[str, Scalar] = {"rate_per_s": 50, "keys": 300, "write_weight": 1, "list_weight": chance.choice([0, 1])}
    blocks = [block("users", "client", **client), block("app", "app_server", workers=1_000, before_mean_ms=0)]
    blocks += [block("router", "shard_router", **router)]
    edges = [edge("users", "app", **QUICK), edge("app", "router", "store", timeout_ms=100.0, **QUICK)]
    for number in range(1, count + waiting + 1):
        blocks.append(shard(number, 300, params))
        edges.append(to_shard(number, int(number <= count)))
    return scenario(blocks, edges, seed=seed, until_s=400.0)


def to_shard(number: int, weight: int) -> dict[str, Any]:
    return edge("router", f"shard-{number:03}", "shards", weight=weight, timeout_ms=300.0, **QUICK)


# ---- what happens


def moments(chance: random.Random, until_s: float) -> Iterator[float]:
    """Now and then one to three in one moment, or within each other's delays."""
    at = 0.3 + chance.random()
    while at < until_s:
        for _ in range(chance.choice([1, 1, 2, 3])):
            yield round(at, 4)
            at += chance.choice([0.0, 0.0005, 0.01, 0.1])
        at += chance.expovariate(1 / chance.choice([0.1, 0.3, 1.2]))


def at_database(chance: random.Random, name: str, nodes: int) -> Op:
    """Something happens to a database, or somebody changes something in it."""
    node = chance.choice([chance.randrange(nodes), None])
    lasts = chance.choice([0.05, 0.3, 1.0, 3.0])
    kind = chance.randrange(4)
    if kind == 0:
        return ("set", name, "instances", chance.choice([1, 1, 2, 3, 4, 5]))
    if kind == 1:
        changes: list[tuple[str, list[Scalar]]] = [
            ("sync_replicas", [0, 1, 2]),
            ("synchronous_commit", [*LEVELS]),
            ("reads", [*ROUTES]),
            ("failover", [True, False]),
            ("fencing", [True, False]),
            ("isolation", ["read_committed", "repeatable_read", "serializable"]),
            ("log_kept_records", [100, 100_000]),
            ("wait_max_ms", [0.0, 5.0, 500.0]),
            ("pool", [1, 1_000]),
            ("promote_s", [0.0, 2.0]),
        ]
        param, values = chance.choice(changes)
        return ("set", name, param, chance.choice(values))
    if kind == 2:
        what = chance.choice(["pause", "stop_apply", "slow_disk", "refuse"])
        return ("fault", name, what, {"instance": node, "duration_s": lasts})
    whom = chance.choice(["none", "zone", "all"])
    happens: list[Op] = [
        ("fault", name, "crash_leader", {"restart_after_s": lasts}),
        ("fault", name, "crash", {"instance": node, "restart_after_s": lasts}),
        ("fault", name, "partition", {"instance": node, "callers": whom, "duration_s": lasts}),
        ("clear", name),
    ]
    return chance.choice(happens)


def at_router(chance: random.Random, number: int) -> Op:
    """Something happens to the router, or to a shard's place in the drawing."""
    changes: list[tuple[str, list[Scalar]]] = [
        ("buckets", [4, 7, 64]),
        ("scheme", ["hash", "consistent", "range", "directory"]),
        ("may_move", [True, False]),
        ("move_rows_per_s", [None, 100]),
        ("moves_at_once", [1, 8]),
        ("cut_over_max_ms", [1.0, 1_000.0]),
    ]
    param, values = chance.choice(changes)
    weight = chance.choice([0, 1, 1])
    happens: list[Op] = [
        ("set", f"router--shard-{number:03}", "weight", weight),
        ("set", f"router--shard-{number:03}", "weight", weight),
        ("set", "router", param, chance.choice(values)),
        ("fault", "router", "crash", {"restart_after_s": chance.choice([0.05, 1.0])}),
        ("fault", "router", "pause", {"duration_s": chance.choice([0.05, 1.0])}),
        ("fault", "router", "move", {"bucket": chance.randrange(8), "shard": chance.randrange(4)}),
        ("add", number, weight),
        ("cut", number),
        ("draw", number, weight),
    ]
    return chance.choice(happens)


def redrawn(design: Design, op: Op) -> EditDesign | None:
    """The drawing with a shard more or less, or one connection; None where there is nothing to do."""
    drawn = design.model_dump(by_alias=True)
    what, number = op[0], op[1]
    name = f"shard-{number:03}"
    there = [it for it in drawn["blocks"] if it["id"] == name]
    connected = any(it["to"]["block"] == name for it in drawn["edges"])
    if (what == "add") == bool(there) or (what == "draw" and connected) or (what == "cut" and not connected):
        return None
    if what == "add":
        like = next(it for it in drawn["blocks"] if it["kind"] == "sql_database")
        drawn["blocks"].append({**like, "id": name})
    if what in ("remove", "cut"):
        drawn["edges"] = [it for it in drawn["edges"] if it["to"]["block"] != name]
    else:
        drawn["edges"].append(to_shard(number, op[2]))
    if what == "remove":
        drawn["blocks"].remove(there[0])
    return EditDesign(design=parse_design(drawn))


def act(execution: Execution, op: Op) -> None:
    """Do it, if it can be done."""
    action: Action | None
    match op:
        case ("set", target, param, value):
            action = set_param(target, param, value)
        case ("fault", target, name, params):
            action = fault(target, name, **params)
        case ("clear", target):
            action = clear(target)
        case _:
            action = redrawn(execution.design, op)
    try:
        if action is not None:
            execution.act(action, "test")
    except InputError:
        # Whoever draws a storm doesn't know how many nodes there are by then.
        return


# ---- through it


def pass_time(execution: Execution, until_ns: int) -> None:
    """Go on, second by second, none of which may take for ever."""
    while execution.now_ns < until_ns:
        goal = min(until_ns, execution.now_ns + SECOND)
        assert execution.advance(goal, EVENTS_A_SECOND), f"too many events at {execution.now_ns / SECOND:.3f} s"


def asked(execution: Execution, target: str, deletions: bool) -> list[Asker]:
    """Two who ask it all the time."""
    made = []
    for number in range(2):
        asker = add(execution.model.simulation, Asker, f"asker-{number}", with_deletions=deletions)
        wire(asker, execution.model.blocks[target])
        asker.begin()
        made.append(asker)
    return made


def stores(execution: Execution) -> list[SqlDatabase]:
    return [it for it in execution.model.blocks.values() if isinstance(it, SqlDatabase) and not it.removed]


def weather(execution: Execution, storm: Storm) -> None:
    """Let it all happen; what holds at any moment is looked at after each."""
    for at, op in storm:
        pass_time(execution, round(at * SECOND))
        act(execution, op)
        assert unaccounted(execution) == [], op
        for db in stores(execution):
            plain = [node.number for node in db.nodes if node.plain]
            assert plain in ([], [db.leader]), (op, "only the legitimate leader writes the history")
            for node in db.nodes[: db.instances]:
                assert node.applied <= node.written and node.flushed <= node.written, (op, node.number)
                assert node.behind or node.view() >= db.log.base, (op, node.number)


def calm(execution: Execution, target: str, askers: list[Asker]) -> None:
    """End everything, wait, ask for a while, and let all be answered."""
    ids = [it.id for it in (*execution.design.blocks, *execution.design.edges)]
    for name in ids:
        act(execution, ("clear", name))
    well: dict[str, Scalar] = {"failover": True, "synchronous_commit": "on", "sync_replicas": 0, "pool": 10_000}
    for db in stores(execution):
        for param, value in {**well, "reads": "leader", "log_kept_records": 100_000}.items():
            act(execution, ("set", db.name, param, value))
    if target == "router":
        for param, value in {"may_move": True, "move_rows_per_s": None, "cut_over_max_ms": 1_000.0}.items():
            act(execution, ("set", target, param, value))
    act(execution, ("set", "users", "rate_per_s", 0.001))
    pass_time(execution, execution.now_ns + 12 * SECOND)
    for asker in askers:
        asker.late_from = execution.now_ns
    pass_time(execution, execution.now_ns + 2 * SECOND)
    for asker in askers:
        asker.running = False
    pass_time(execution, execution.now_ns + 10 * SECOND)
