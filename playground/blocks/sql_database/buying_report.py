"""How transactions stand: figures, and for the inspector the row that was fought over last, with its versions, locks and who waits."""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

from playground.blocks.sql_database.buying import Buying
from playground.blocks.sql_database.purchase import STATEMENTS, Purchase
from playground.blocks.sql_database.stock import LOT_SPAN
from playground.blocks.sql_database.telling import seconds
from playground.blocks.sql_database.trading import DIALECTS, ROW, Trading
from playground.engine.mvcc.innodb import InnoDB
from playground.engine.mvcc.record_locks import record_of
from playground.engine.mvcc.table import Table
from playground.engine.mvcc.terms import LEVELS, LOCK_MODES, NEVER, PENDING
from playground.engine.purchases import ITEM, METHODS

SHOWN: Final = 20


def metrics(db: Buying) -> list[float]:
    """In the order of ``spec_buying.BUYING_METRICS``."""
    dead = 0
    locked = 0
    begun = 0
    for trading in db.trading:
        if trading is not None:
            dead += trading.core.dead_versions()
            locked += len(trading.locked)
            begun += len(trading.open)
    waited = db.lock_waited_ns / float(db.lock_waits) / 1e6 if db.lock_waits > 0 else 0.0
    return [
        float(begun),
        float(locked),
        float(db.purchases),
        float(db.bought),
        float(db.sold_out),
        float(db.oversold),
        float(db.shop.lost_updates),
        float(db.rule_broken),
        float(db.serialization_failures),
        float(db.deadlocks),
        float(db.lock_timeouts),
        float(db.changed_since),
        float(db.hung_up),
        float(db.sales_lost),
        float(db.lock_waits),
        waited,
        float(dead),
    ]


def detail(db: Buying) -> dict[str, object]:
    """Dialect and level, and each leading node's transactions."""
    found: dict[str, object] = {"dialect": DIALECTS[db.dialect], "isolation": LEVELS[db.isolation]}
    nodes: list[object] = []
    for number, trading in enumerate(db.trading):
        if trading is not None:
            nodes.append(
                {
                    "node": number + 1,
                    "open": len(trading.open),
                    "waiting": len(trading.locked),
                    "dead_versions": trading.core.dead_versions(),
                    **({"row_wanted_last": hot_row(db, trading)} if trading.hot >= 0 else {}),
                }
            )
    found["nodes"] = nodes
    return found


def hot_row(db: Buying, trading: Trading) -> dict[str, object]:
    """The row that was written, or waited for, last."""
    place = trading.hot
    kind = place % 2
    row = place // 2
    key = (row if kind == ITEM else row // 2) % LOT_SPAN
    waiting = [one for one in trading.locked.values() if one.place == place]
    shop = trading.shop
    return {
        "table": ROW[kind],
        "item": int(key),
        "stock_at_first": int(shop.first_quantity(place)),
        "stock_now": int(shop.quantity(place)),
        "sold": int(shop.times_sold(place)),
        "versions": versions(trading.tables[kind], row),
        "locked_by": locks(trading, trading.tables[kind], row),
        "waiting": len(waiting),
        "wait_longest": [waiter(db, trading, one) for one in waiting[:SHOWN]],
    }


def versions(table: Table, row: i64) -> list[object]:
    """The latest versions of a row, oldest first."""
    chain: list[int] = []
    position = table.first_with(row)
    while position >= 0:
        chain.append(int(position))
        position = table.newer[position]
    found: list[object] = []
    for place in chain[-SHOWN:]:
        made = table.made_at[place]
        value = f"{table.columns[1]} = {table.value(place, 1)}"
        how = "not committed" if made == PENDING else "rolled back" if made == NEVER else "committed"
        by = f"transaction {table.made_by[place]}" if table.made_by[place] > 1 else "the start"
        says = f"Version {table.value(place, 2)} of the row says {value}. It is by {by}: {how}."
        if table.ended_at[place] == PENDING:
            says += f" Transaction {table.ended_by[place]} is changing it."
        elif table.ended_at[place] != NEVER:
            says += f" Transaction {table.ended_by[place]} has replaced it: only who began before that still sees it, then vacuum takes it."
        found.append({"id": int(place), "line": f"{value}, by {by}: {how}", "says": says})
    return found


def locks(trading: Trading, table: Table, row: i64) -> list[object]:
    """Who has locked it: by a lock, or by the version that it is writing."""
    core = trading.core
    if isinstance(core, InnoDB):
        queue = core.locks.queues.get(record_of(table.number, row))
        if queue is None:
            return []
        return [
            told_lock(int(lock.transaction.number), LOCK_MODES[lock.mode]) for lock in queue[:SHOWN] if lock.is_granted
        ]
    found: list[object] = []
    position = table.first_with(row)
    while position >= 0:
        for lock in table.locks_on(position):
            found.append(told_lock(lock.xid, LOCK_MODES[lock.mode]))
        if table.ended_at[position] == PENDING:
            found.append(told_lock(int(table.ended_by[position]), "by its new version"))
        position = table.newer[position]
    return found[:SHOWN]


def told_lock(transaction: int, mode: str) -> dict[str, object]:
    """Who has locked the row, and how."""
    says = f"Transaction {transaction} has locked the row ({mode}) until it ends; who wants it for itself waits."
    return {"id": transaction, "line": f"Transaction {transaction}: {mode}", "says": says}


def waiter(db: Buying, trading: Trading, purchase: Purchase) -> dict[str, object]:
    """Somebody who waits for a lock."""
    transaction = purchase.transaction
    blockers = [] if transaction is None else trading.core.blockers(transaction)
    waits_ms = seconds(db.simulation.now - purchase.since) * 1e3
    whom = ", ".join(str(int(one.owner)) for one in blockers[:SHOWN])
    statement = STATEMENTS[purchase.phase]
    buys = METHODS[purchase.method].replace("_", " ")
    return {
        "id": int(purchase.serial),
        "line": f"Purchase {purchase.serial}: {statement}, for {waits_ms:.0f} ms",
        "says": f"Purchase {purchase.serial} ({buys}) has waited with its {statement} for {waits_ms:.1f} ms, "
        f"and for the end of {f'purchase {whom}' if whom else 'whoever comes before it'}. It holds a connection meanwhile.",
    }
