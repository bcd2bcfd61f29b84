"""Purchases in a cluster to which everything happens: each ends in one way, and what was sold and not told as lost is in the books."""

from __future__ import annotations

import random

import pytest

from playground.blocks.sql_database.behaviour import SqlDatabase
from playground.engine.purchases import ITEM
from playground.execution import Execution
from playground.protocol.catalogue import Scalar
from playground.protocol.design import Action
from playground.protocol.errors import InputError
from tests.laws.test_buying import ENDS, shop
from tests.sketch import SECOND, clear, fault, figures, metric, quick_or_slow, set_param, unaccounted

CALM: list[Action] = [
    clear("db"),
    clear("app"),
    set_param("db", "failover", True),
    set_param("db", "synchronous_commit", "on"),
    set_param("db", "sync_replicas", 0),
]


def drawn(chance: random.Random, seed: int, stock: int) -> Execution:
    """Buyers of ten items from a cluster of three or four."""
    method = chance.choice(["for_update", "atomic", "optimistic", "read_then_write"])
    safe: list[str] = (
        ["serializable"] if method == "read_then_write" else ["read_committed", "repeatable_read", "serializable"]
    )
    params: dict[str, Scalar] = {
        "stock": stock,
        "lot_s": None,
        "instances": chance.choice([3, 4]),
        "sync_replicas": 1,
        "synchronous_commit": chance.choice(["on", "local", "off", "remote_apply"]),
        "reads": chance.choice(["leader", "any_replica", "wait_for_position"]),
        "fencing": chance.choice([True, False]),
        "log_kept_records": chance.choice([300, 100_000]),
        "lock_timeout_s": chance.choice([None, 0.5]),
        "lease_ttl_s": 1.0,
        "loop_wait_s": 0.2,
        "retry_timeout_s": 0.2,
        "promote_s": 0.1,
        "rewind_s": 0.2,
    }
    timeout = chance.choice([None, 300.0, 60.0])
    drawing = shop(method, chance.choice(safe), seed=seed, timeout_ms=timeout, users=300, **params)
    return Execution(drawing.model_copy(update={"until_s": 100.0}), recorded=False)


def mishap(chance: random.Random, nodes: int) -> Action:
    """Something that happens to the cluster, or that somebody changes in it."""
    node, lasts = chance.randrange(nodes), chance.choice([0.05, 0.5, 3.0])
    callers = chance.choice(["none", "zone", "all"])
    return chance.choice(
        [
            fault("db", "crash_leader", restart_after_s=lasts),
            fault("db", "crash", instance=chance.choice([node, None]), restart_after_s=lasts),
            fault("db", "partition", instance=chance.choice([node, None]), callers=callers, duration_s=lasts),
            fault("db", "pause", instance=chance.choice([node, None]), duration_s=lasts),
            fault("db", chance.choice(["stop_apply", "slow_disk"]), instance=node, duration_s=lasts),
            fault("app", "crash", restart_after_s=lasts),
            set_param(
                "db", "synchronous_commit", chance.choice(["on", "local", "off", "remote_apply", "remote_write"])
            ),
            set_param("db", "instances", chance.choice([1, 2, 3, 4])),
            set_param("db", "sync_replicas", chance.choice([0, 1])),
        ]
    )


@pytest.mark.parametrize("seed", quick_or_slow(range(30), range(12, 20)))
def test_each_purchase_ends_in_one_way_and_every_sale_is_in_the_books_or_told_as_lost(seed: int) -> None:
    chance = random.Random(seed)
    stock = chance.choice([3, 200, 100_000])
    execution = drawn(chance, seed, stock)
    db = execution.model.blocks["db"]
    assert isinstance(db, SqlDatabase)
    for _ in range(25):
        assert execution.advance(execution.now_ns + round(chance.expovariate(1 / 0.6) * SECOND))
        assert unaccounted(execution) == []
        try:
            execution.act(mishap(chance, int(db.instances)), "test")
        except InputError:
            # A commit can't wait for a replica where there is none.
            continue
    for action in [*CALM, set_param("users", "rate_per_s", 0.001)]:
        execution.act(action, "test")
    assert execution.advance(execution.now_ns + 10 * SECOND)
    found = figures(execution, "db")
    assert db.leader >= 0 and db.in_flight == 0
    assert found["purchases"] == sum(found[name] for name in ENDS) and found["open_transactions"] == 0
    sold = 0
    for place in db.shop.quantities:
        assert place % 2 == ITEM
        times = db.shop.times_sold(place)
        assert times + db.shop.quantity(place) == stock
        sold += times
    assert metric(execution, "app", "bought") - found["sales_lost"] <= sold <= found["bought"]


def test_a_purchase_that_two_histories_lose_ends_once() -> None:
    # Its commit waits for a replica. Node 1 goes on by itself; node 2 is elected with its record and dies; node 3 is elected without.
    params: dict[str, Scalar] = {
        "instances": 3,
        "sync_replicas": 1,
        "synchronous_commit": "remote_apply",
        "fencing": False,
    }
    times: dict[str, Scalar] = {"lease_ttl_s": 1.0, "loop_wait_s": 0.2, "retry_timeout_s": 0.2, "promote_s": 2.0}
    drawing = shop("atomic", users=300, stock=100_000, lot_s=None, **params, **times)
    execution = Execution(drawing.model_copy(update={"until_s": 100.0}), recorded=False)
    db = execution.model.blocks["db"]
    assert isinstance(db, SqlDatabase) and execution.advance(2 * SECOND)
    for number in (1, 2):
        execution.act(fault("db", "stop_apply", instance=number, duration_s=60.0), "test")
    execution.act(fault("db", "partition", instance=2, callers="none", duration_s=1.3), "test")
    assert execution.advance(round(2.2 * SECOND))
    waits = {int(it.position) for it in db.trading_at(0).open.values() if it.position > db.log.visible}
    execution.act(fault("db", "partition", instance=0, callers="zone", duration_s=7.0), "test")
    while db.failovers == 0:
        assert execution.advance(execution.now_ns + SECOND // 100)
    assert db.forked_at == max(waits) and len(waits) > 5
    execution.act(set_param("db", "synchronous_commit", "local"), "test")
    execution.act(fault("db", "crash", instance=1, restart_after_s=30.0), "test")
    while db.failovers == 1:
        assert execution.advance(execution.now_ns + SECOND // 100)
    assert db.forked_at < min(waits)
    for action in [clear("db"), set_param("users", "rate_per_s", 0.001)]:
        execution.act(action, "test")
    assert execution.advance(execution.now_ns + 15 * SECOND)
    found = figures(execution, "db")
    assert found["purchases"] == sum(found[name] for name in ENDS) and found["open_transactions"] == 0
