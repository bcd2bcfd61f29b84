"""A search index beside clusters and shards to which everything happens, itself included: afterwards it shows what they hold."""

from __future__ import annotations

import random

import pytest

from playground.execution import Execution
from playground.protocol.catalogue import Scalar
from playground.protocol.design import Action, Design, EditDesign, Scenario
from playground.protocol.errors import InputError
from tests.sketch import (
    SECOND,
    Shape,
    block,
    clear,
    edge,
    fault,
    infinite,
    quick_or_slow,
    scenario,
    set_param,
    unaccounted,
)

ROWS = 300
QUICK: dict[str, Scalar] = {
    "lease_ttl_s": 1.0,
    "loop_wait_s": 0.2,
    "retry_timeout_s": 0.2,
    "promote_s": 0.1,
    "rewind_s": 0.2,
    "rows": ROWS,
    "query_mean_ms": 0.3,
}


def follows(name: str) -> Shape:
    """The edge along which the index reads a database's log."""
    made = edge("search", name, "changes", timeout_ms=700)
    return {**made, "to": {"block": name, "port": "log"}}


def drawn(chance: random.Random, seed: int) -> Scenario:
    """Writers, readers who search and walk, an index, and one cluster or some shards of them."""
    instances = chance.choice([1, 2, 3])
    db: dict[str, Scalar] = {
        **QUICK,
        "instances": instances,
        "buffer_rows": chance.choice([50, 1_000]),
        "synchronous_commit": chance.choice(["on", "local", "off"]),
        "log_kept_records": chance.choice([300, 100_000]),
    }
    search: dict[str, Scalar] = {
        "query_mean_ms": 1,
        "poll_ms": chance.choice([1, 50]),
        "refresh_ms": chance.choice([20, 500]),
        "scan_rows": chance.choice([7, 100, 2_000]),
        "backlog_max": chance.choice([20, 8_192]),
        "poll_max": chance.choice([10, 2_048]),
        "bulk_max": chance.choice([3, 500]),
    }
    usual: dict[str, Scalar] = {
        "keys": ROWS,
        "key_choice": "uniform",
        "unknown_choice": "uniform",
        "unknown_keys": 2_000,
    }
    writes: dict[str, Scalar] = {"read_weight": 1, "write_weight": 3, "create_weight": 1, "delete_weight": 1}
    reads: dict[str, Scalar] = {
        "read_weight": 1,
        "write_weight": 0,
        "list_weight": 5,
        "lists": "walk",
        "walk_gap_s": 0.1,
    }
    app: dict[str, Scalar] = {"before_mean_ms": 1, "pagination": chance.choice(["offset", "keyset", "cursor"])}
    shards = chance.choice([0, 0, 2, 3])
    names = [f"shard-{number}" for number in range(shards)] or ["db"]
    blocks = [
        block("writers", "client", rate_per_s=200, **usual, **writes),
        block("readers", "client", rate_per_s=50, **usual, **reads),
        block("app", "app_server", list_items=7, **app),
        block("search", "search_index", **search),
        *(block(name, "sql_database", **db) for name in names),
    ]
    edges = [
        edge("writers", "app", timeout_ms=2_000),
        edge("readers", "app", timeout_ms=2_000),
        edge("app", "search", "search", timeout_ms=200),
        edge("app", "router" if shards else "db", "store", timeout_ms=500),
        *(follows(name) for name in names),
    ]
    if shards:
        blocks.append(
            block("router", "shard_router", buckets=chance.choice([8, 64]), batch_rows=chance.choice([10, 200]))
        )
        edges += [edge("router", name, "shards", timeout_ms=600) for name in names]
    return scenario(blocks, edges, seed=seed, until_s=300)


def mishap(chance: random.Random, execution: Execution, names: list[str]) -> Action:
    """Something that happens to the index or a database, or that somebody changes."""
    name, lasts = chance.choice(names), chance.choice([0.05, 0.5, 3.0])
    node = (
        chance.randrange(max(1, int(execution.model.blocks[name].instances))) if name in execution.model.blocks else 0
    )
    design = execution.design
    return chance.choice(
        [
            fault("search", "crash", restart_after_s=lasts),
            fault("search", "rebuild"),
            fault("search", chance.choice(["pause", "refuse"]), duration_s=lasts),
            fault(name, "crash_leader", restart_after_s=lasts),
            fault(name, "crash", instance=chance.choice([node, None]), restart_after_s=lasts),
            fault(name, "partition", instance=node, callers=chance.choice(["none", "zone", "all"]), duration_s=lasts),
            fault(name, "pause", instance=node, duration_s=lasts),
            fault(f"search--{name}", "partition", duration_s=lasts),
            set_param(name, "instances", chance.choice([1, 2, 3])),
            set_param(name, "synchronous_commit", chance.choice(["on", "local", "off"])),
            set_param("search", "indexers", chance.choice([1, 4])),
            set_param("search", "backlog_max", chance.choice([5, 8_192])),
            set_param("search", "poll_ms", chance.choice([1.0, 500.0])),
            set_param("search", "terms", chance.choice([1, 50, 1_000])),
            set_param(f"router--{name}", "weight", chance.choice([0, 1, 2])),
            EditDesign(design=without(design, "search")),
            EditDesign(design=without(design, f"search--{name}")),
            set_param("search", "scan_rows", chance.choice([10, 5_000])),
        ]
    )


def without(design: Design, name: str) -> Design:
    """The drawing without a block, or an edge."""
    blocks = [it for it in design.blocks if it.id != name]
    edges = [it for it in design.edges if name not in (it.id, it.from_.block, it.to.block)]
    return design.model_copy(update={"blocks": blocks, "edges": edges})


def whole(design: Design, first: Design) -> Design:
    """The drawing with everything in it that it had at first."""
    blocks = {it.id: it for it in [*first.blocks, *design.blocks]}
    edges = {it.id: it for it in [*first.edges, *design.edges]}
    return design.model_copy(update={"blocks": list(blocks.values()), "edges": list(edges.values())})


def told(seed: int, drawing: Scenario, execution: Execution) -> str:
    """The storm, to be looked at."""
    lines = [f"{it.at_ns}: {it.action.model_dump(exclude={'design'})}" for it in execution.log]
    return "\n".join([f"seed {seed}: {[(it.id, it.params) for it in drawing.design.blocks]}", *lines])


@pytest.mark.parametrize("seed", quick_or_slow([*range(40), 5236, 5508], [0, 1, 2, 5236]))
def test_after_any_storm_the_index_shows_what_its_databases_hold(seed: int) -> None:
    chance = random.Random(seed)
    drawing = drawn(chance, seed)
    names = [it.id for it in drawing.design.blocks if it.kind == "sql_database"]
    execution = Execution(drawing, recorded=False)
    for _ in range(25):
        assert execution.advance(
            execution.now_ns + round(chance.choice([0, 0.001, 0.5]) * chance.random() * 2 * SECOND)
        )
        for _ in range(chance.choice([1, 2, 4])):
            try:
                execution.act(mishap(chance, execution, names), "test")
            except InputError:
                # What was taken out, or never was, has no faults; an index follows one database at least.
                continue
            if chance.random() < 0.5:
                execution.act(EditDesign(design=whole(execution.design, drawing.design)), "test")
        assert unaccounted(execution) == [] and infinite(execution) == []
    execution.act(EditDesign(design=whole(execution.design, drawing.design)), "test")
    for name in [*execution.model.blocks, *execution.model.edges]:
        execution.act(clear(name), "test")
    for name in names:
        execution.act(set_param(name, "synchronous_commit", "on"), "test")
    answered = {name: execution.model.blocks[name].completed for name in ("writers", "readers")}
    assert execution.advance(execution.now_ns + 20 * SECOND)
    said = told(seed, drawing, execution)
    for name, before in answered.items():
        assert execution.model.blocks[name].completed > before + 200, f"{name} get no answers\n{said}"
    for name in ("writers", "readers"):
        execution.act(set_param(name, "rate_per_s", 0.001), "test")
    assert execution.advance(execution.now_ns + 20 * SECOND)
    items, store = execution.model.blocks["search"].items, execution.model.blocks["app"].source()
    known = {int(items.key[entry]): int(items.shown[entry]) for entry in range(items.index.size)}
    wrong = {
        key: (shown, store.row_version(key))
        for key, shown in known.items()
        if max(shown, 0) != max(store.row_version(key), 0)
    }
    assert not execution.model.blocks["search"].rebuilding and items.differing == 0 and wrong == {}, f"{wrong}\n{said}"
    unheard = [
        key for key in store.changed_keys() if key not in known and store.row_version(key) != (1 if key <= ROWS else 0)
    ]
    assert unheard == [], f"{unheard}\n{said}"
    if seed % 4 == 0:
        again = Execution(drawing.model_copy(update={"interventions": list(execution.log)}), recorded=False)
        assert again.advance(execution.now_ns)
        assert again.model.simulation.trace_hash() == execution.model.simulation.trace_hash(), said
