"""Designs with a router and its shards, and an auditor who notes what everybody was told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from playground.engine.block import Block
from playground.engine.outcomes import ABSENT, CREATE, DELETE, OK, READ, WRITE
from playground.execution import Execution
from playground.protocol.catalogue import Scalar
from playground.protocol.design import Design, EditDesign, Intervention, Scenario, parse_design
from tests.engine.parts import add, wire
from tests.sketch import SECOND, Shape, block, edge, metric, scenario

Params = dict[str, Scalar]

QUICK: Params = {"latency_mean_ms": 0.05}
ROOMY: Params = {
    "pool": 10_000,
    "cores": 10_000,
    "disk_channels": 10_000,
    "query_mean_ms": 0.2,
    "disk_read_mean_ms": 0.2,
    "commit_mean_ms": 0.4,
}


def shard(number: int, rows: int, params: Params | None = None) -> Shape:
    """A database that is one of the shards of a table with ``rows`` rows."""
    return block(f"shard-{number:03}", "sql_database", **{**ROOMY, "rows": rows, "buffer_rows": rows, **(params or {})})


def sharded(
    count: int,
    *,
    rows: int = 10_000,
    waiting: int = 0,
    client: Params | None = None,
    router: Params | None = None,
    db: Params | None = None,
    seed: int = 1,
    until_s: float = 600.0,
    interventions: Iterable[Intervention] = (),
) -> Scenario:
    """A client, a router, ``count`` shards, and ``waiting`` more with weight 0. Nothing runs full, unless ``db`` says so."""
    numbers = range(1, count + waiting + 1)
    usual: Params = {"workers": 100_000, "route_mean_ms": 0.01, "merge_us": 0}
    blocks = [
        block("users", "client", **{"rate_per_s": 1_000, "keys": rows, "key_choice": "uniform", **(client or {})}),
        block("app", "app_server", workers=100_000, before_mean_ms=0),
        block("router", "shard_router", **{**usual, **(router or {})}),
        *(shard(number, rows, db) for number in numbers),
    ]
    edges = [
        edge("users", "app", **QUICK),
        edge("app", "router", "store", **QUICK),
        *(
            edge("router", f"shard-{number:03}", "shards", weight=1 if number <= count else 0, **QUICK)
            for number in numbers
        ),
    ]
    return scenario(blocks, edges, seed=seed, until_s=until_s, interventions=interventions)


def with_a_shard_more(
    design: Design, number: int, rows: int, params: Params | None = None, weight: int = 1
) -> EditDesign:
    """The drawing with one more shard connected to the router."""
    drawn = design.model_dump(by_alias=True)
    drawn["blocks"].append(shard(number, rows, params))
    drawn["edges"].append(edge("router", f"shard-{number:03}", "shards", weight=weight, **QUICK))
    return EditDesign(design=parse_design(drawn))


def without(design: Design, number: int) -> EditDesign:
    """The drawing without one of the shards."""
    name = f"shard-{number:03}"
    drawn = design.model_dump(by_alias=True)
    drawn["blocks"] = [it for it in drawn["blocks"] if it["id"] != name]
    drawn["edges"] = [it for it in drawn["edges"] if it["to"]["block"] != name]
    return EditDesign(design=parse_design(drawn))


class Auditor(Block):
    """Reads and changes rows through the router, and notes for each what it was told.

    ``older``: answers with an older version than one that somebody had been given before the question was asked.
    """

    keys = 500
    every_ns = 400_000
    with_deletions = False

    def begin(self) -> None:
        self.chance = self.stream("what is asked")
        self.known: dict[int, int] = {}
        self.acknowledged: Counter[int] = Counter()
        self.failed_writes: Counter[int] = Counter()
        self.floor: dict[int, int] = {}
        self.asked = 0
        self.answered = 0
        self.older: list[str] = []
        self.running = True
        self.timer(0, 0, 0)

    def on_timer(self, tag: int, argument: int) -> None:
        if not self.running:
            return
        key = 1 + self.chance.below(self.keys)
        operation = (READ, WRITE)[self.chance.below(2)]
        if self.with_deletions and operation == WRITE:
            operation = (WRITE, CREATE, DELETE)[self.chance.below(3)]
        made = self.out["out"][0].call(-1, operation, key, 0, -1, 100, 0)
        self.floor[int(self.calls.serial[made])] = self.known.get(key, 1)
        self.asked += 1
        self.timer(self.every_ns, 0, 0)

    def on_reply(self, call: int) -> None:
        calls = self.calls
        key, version, operation = int(calls.key[call]), int(calls.version[call]), int(calls.operation[call])
        floor = self.floor.pop(int(calls.serial[call]))
        self.answered += 1
        if calls.outcome[call] != OK:
            self.failed_writes[key] += operation != READ
            return
        if version == ABSENT:
            return
        if version < floor or (operation != READ and version == floor):
            self.older.append(f"key {key}: {version} after {floor} at {self.now() / SECOND:.4f} s")
        self.acknowledged[key] += operation != READ
        self.known[key] = max(self.known.get(key, 1), version)


def audited(execution: Execution, *, keys: int = 500, with_deletions: bool = False) -> Auditor:
    """An auditor at work in a run."""
    auditor = add(execution.model.simulation, Auditor, "auditor", keys=keys, with_deletions=with_deletions)
    wire(auditor, execution.model.blocks["router"])
    auditor.begin()
    return auditor


def assert_nothing_lost(execution: Execution, auditor: Auditor) -> None:
    """End the auditor's work: each acknowledged change made one version, and none went back."""
    auditor.running = False
    reach(execution, execution.now_ns / SECOND + 5)
    assert auditor.answered == auditor.asked > 1_000
    assert auditor.older == []
    router = execution.model.blocks["router"]
    for key in range(1, auditor.keys + 1):
        made = abs(router.row_version(key)) - 1
        low = auditor.acknowledged[key]
        assert low <= made <= low + auditor.failed_writes[key], f"key {key}: {made} versions, {low} acknowledged"


def reach(execution: Execution, until_s: float) -> Execution:
    assert execution.advance(round(until_s * SECOND))
    return execution


def resharded(execution: Execution, within_s: float = 120.0) -> float:
    """Go on until no bucket is left to move; how long that took, s."""
    began = execution.now_ns
    while metric(execution, "router", "buckets_left") > 0:
        reach(execution, execution.now_ns / SECOND + 0.1)
        assert execution.now_ns - began < within_s * SECOND, "it takes too long"
    return (execution.now_ns - began) / SECOND
