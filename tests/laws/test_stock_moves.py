"""Stock is part of the row: over any reshard, with purchases in traffic, no more is sold than there was, wherever the row lies.

Vitess, "Reshard": a table's rows move with all their columns, and what is committed meanwhile is read off the old shard's log.
"""

from __future__ import annotations

import pytest

from playground.blocks.sql_database.behaviour import SqlDatabase
from playground.engine.purchases import ITEM, OFF_CALL
from playground.execution import Execution
from playground.protocol.catalogue import Scalar
from playground.protocol.design import Scenario
from tests.laws.shards import reach, resharded, sharded, with_a_shard_more
from tests.sketch import SECOND, fault, metric, named, set_param, with_params

KEYS = 200
SHARDS = ("shard-001", "shard-002", "shard-003", "shard-004")
SEEDS = (1, 2, 3)
RATES = (150, 400, 900)


def market(
    seed: int = 1,
    scheme: str = "hash",
    method: str = "for_update",
    isolation: str = "read_committed",
    buys: str = "item",
    rate: float = 400,
    think_ms: float = 5,
    **db: Scalar,
) -> Scenario:
    """Buyers of 200 items on three shards."""
    drawing = sharded(
        3,
        rows=KEYS,
        client={"rate_per_s": rate, "users": 5_000, "read_weight": 0, "write_weight": 0, "buy_weight": 1},
        router={"buckets": 64, "move_rows_per_s": 40, "batch_rows": 5, "moves_at_once": 1 + seed, "scheme": scheme},
        db={"stock": 1, "isolation": isolation, "deadlock_timeout_s": 0.05, **db},
        seed=seed,
    )
    return with_params(
        drawing,
        named("app"),
        buys=buys,
        buy_method=method,
        buy_think_mean_ms=think_ms,
        buy_retries=2,
        queue_max=100_000,
    )


def shops(execution: Execution) -> dict[str, SqlDatabase]:
    """The shards, by name."""
    return {name: it for name, it in execution.model.blocks.items() if isinstance(it, SqlDatabase)}


def total(execution: Execution, figure: str) -> float:
    """A figure of all shards."""
    return sum(metric(execution, name, figure) for name in shops(execution))


def stop(execution: Execution) -> None:
    """No more buyers come, and those that are there are done."""
    execution.act(set_param("users", "rate_per_s", 0.001), "test")
    reach(execution, execution.now_ns / SECOND + 5)


def assert_books_agree(execution: Execution, stock: int = 1, kind: int = ITEM) -> None:
    """Wherever a row lies now, what was sold of it and what is left is what there was; all that was ever bought is there."""
    router = execution.model.blocks["router"]
    sold = 0
    for key in range(1, KEYS + 1):
        holder = router.truth(key)
        assert isinstance(holder, SqlDatabase)
        for place in [key * 2 + ITEM] if kind == ITEM else [key * 4 + OFF_CALL, key * 4 + 2 + OFF_CALL]:
            times = holder.shop.times_sold(place)
            assert times + holder.shop.quantity(place) == stock, f"item {key}"
            sold += times
    lost = total(execution, "lost_writes")
    assert sold == total(execution, "bought") - lost == metric(execution, "app", "bought") - lost


def reshard(execution: Execution, there_and_back: bool = True) -> None:
    """A shard comes, then another one is emptied and goes, while buyers buy."""
    stocked = next(iter(shops(execution)))
    params = next(dict(it.params) for it in execution.design.blocks if it.id == stocked)
    execution.act(with_a_shard_more(execution.design, 4, KEYS, params), "test")
    resharded(execution)
    if there_and_back:
        execution.act(set_param("router--shard-002", "weight", 0), "test")
        resharded(execution)
        execution.act(set_param("router--shard-002", "weight", 1), "test")
        resharded(execution)


@pytest.mark.parametrize(("seed", "rate"), list(zip(SEEDS, RATES, strict=True)))
@pytest.mark.parametrize("scheme", ["hash", "consistent", "range", "directory"])
@pytest.mark.parametrize(
    ("method", "isolation"), [("for_update", "read_committed"), ("read_then_write", "serializable")]
)
def test_over_a_reshard_no_more_is_sold_than_there_was(
    method: str, isolation: str, scheme: str, seed: int, rate: float
) -> None:
    # As much as is sold out while rows move.
    stock = rate // 50
    execution = Execution(market(seed, scheme, method, isolation, rate=rate, stock=stock), recorded=False)
    reach(execution, 0.4)
    begun = total(execution, "bought")
    reshard(execution)
    assert metric(execution, "router", "moved_rows") > KEYS / 4
    reach(execution, execution.now_ns / SECOND + 2)
    stop(execution)
    assert begun < total(execution, "bought") <= stock * KEYS and total(execution, "sold_out") > 0
    assert total(execution, "oversold") == 0
    assert_books_agree(execution, stock)


@pytest.mark.parametrize("seed", SEEDS)
def test_over_a_reshard_everybody_who_goes_off_call_leaves_somebody_there(seed: int) -> None:
    """Both rows of a team move together: who is off call stays so, and the rule is looked at with the row that came along."""
    drawing = market(seed, "consistent", "read_then_write", "serializable", "off_call", rate=60, stock=1)
    execution = Execution(drawing, recorded=False)
    reach(execution, 0.4)
    begun = total(execution, "bought")
    reshard(execution)
    stop(execution)
    assert 0 < begun < total(execution, "bought") <= KEYS
    assert total(execution, "rule_broken") == 0
    assert_books_agree(execution, kind=OFF_CALL)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_sold_of_a_lot_moves_and_the_next_lot_is_whole_again(seed: int) -> None:
    execution = Execution(market(seed, rate=400, stock=1, lot_s=2), recorded=False)
    reach(execution, 0.4)
    reshard(execution)
    lots = 1 + execution.now_ns // (2 * SECOND)
    stop(execution)
    assert lots >= 3 and 0.9 * (lots - 1) * 0.9 * KEYS < total(execution, "bought") <= (lots + 3) * KEYS
    assert total(execution, "oversold") == 0
    assert total(execution, "bought") == metric(execution, "app", "bought")


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("commits", ["on", "off"])
def test_stock_moves_though_the_shards_leaders_die_and_what_a_crash_takes_back_is_for_sale_again(
    commits: str, seed: int
) -> None:
    drawing = market(
        seed, "consistent", rate=400, stock=12, synchronous_commit=commits, wal_writer_delay_ms=300, instances=1
    )
    execution = Execution(drawing, recorded=False)
    reach(execution, 0.4)
    params = next(dict(it.params) for it in execution.design.blocks if it.id == "shard-001")
    execution.act(with_a_shard_more(execution.design, 4, KEYS, params), "test")
    for number in range(6):
        reach(execution, execution.now_ns / SECOND + 0.5)
        name = SHARDS[(number + 3) % 4]
        execution.act(fault(name, "crash_leader", restart_after_s=0.15), "test")
    resharded(execution)
    reach(execution, execution.now_ns / SECOND + 8)
    stop(execution)
    assert metric(execution, "router", "moved_rows") > 20
    assert total(execution, "oversold") == 0 and total(execution, "sold_out") > 0
    assert (total(execution, "lost_writes") > 0) == (commits == "off")
    assert_books_agree(execution, 12)


def test_shards_that_declare_different_stock_exchange_no_rows() -> None:
    execution = Execution(market(scheme="directory", stock=3), recorded=False)
    reach(execution, 0.4)
    params = next(dict(it.params) for it in execution.design.blocks if it.id == "shard-001")
    execution.act(with_a_shard_more(execution.design, 4, KEYS, {**params, "stock": 4}), "test")
    reach(execution, 5)
    assert metric(execution, "router", "moved_rows") == 0
    assert any("declare different stock" in it.detail for it in execution.take_notables())


@pytest.mark.parametrize("seed", SEEDS)
def test_a_shard_that_gets_its_rows_back_sells_what_is_left_and_not_what_it_last_knew(seed: int) -> None:
    """Its MVCC core still has the rows as they were when they went."""
    execution = Execution(market(seed, "directory", rate=300, stock=20), recorded=False)
    reach(execution, 0.5)
    for weight in (0, 1, 0, 1):
        execution.act(set_param("router--shard-003", "weight", weight), "test")
        resharded(execution)
    reach(execution, execution.now_ns / SECOND + 3)
    stop(execution)
    assert total(execution, "oversold") == 0 and 1_000 < total(execution, "bought") <= 20 * KEYS
    assert_books_agree(execution, 20)


@pytest.mark.parametrize(("seed", "rate"), list(zip(SEEDS, RATES, strict=True)))
@pytest.mark.parametrize("scheme", ["hash", "range"])
def test_what_is_oversold_at_read_committed_over_a_reshard_are_its_lost_updates(
    scheme: str, seed: int, rate: float
) -> None:
    """Sold = what the stock fell by + lost updates, over all shards: the move itself loses and invents nothing."""
    stock = rate // 50
    drawing = market(seed, scheme, "read_then_write", rate=rate, think_ms=40, stock=stock)
    execution = Execution(drawing, recorded=False)
    reach(execution, 0.4)
    reshard(execution)
    reach(execution, execution.now_ns / SECOND + 4)
    stop(execution)
    router = execution.model.blocks["router"]
    fell = 0
    sold = 0
    too_many = 0
    for key in range(1, KEYS + 1):
        holder = router.truth(key)
        assert isinstance(holder, SqlDatabase)
        fell += stock - holder.shop.quantity(key * 2 + ITEM)
        times = holder.shop.times_sold(key * 2 + ITEM)
        sold += times
        too_many += max(0, times - stock)
    lost = total(execution, "lost_updates")
    assert lost > 20 and total(execution, "bought") == sold == fell + lost
    assert 0 < total(execution, "oversold") == too_many
