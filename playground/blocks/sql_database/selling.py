"""What purchases have in common as transactions: who is open, who waits for a lock and for how long, how they end without a commit, what
crashes and other histories do to them, and the facts of what was sold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from librt.vecs import append, vec
from mypy_extensions import i64, mypyc_attr

from playground.blocks.sql_database.log import Log
from playground.blocks.sql_database.node import Node
from playground.blocks.sql_database.publishing import Publishing
from playground.blocks.sql_database.purchase import Purchase
from playground.blocks.sql_database.states import (
    COMMITTING,
    DEADLOCK,
    LEADER,
    LOCK_TIMEOUT,
    LOCKED,
    QUIET_NS,
    SMALL_BYTES,
    WOKEN,
)
from playground.blocks.sql_database.stock import Sale, Shop, other_place
from playground.blocks.sql_database.trading import DIALECTS, POSTGRESQL, Trading
from playground.engine.mvcc.terms import DEADLOCK_DETECTED, ERROR, LEVELS, READ_COMMITTED
from playground.engine.outcomes import VERDICT_ABORTED
from playground.engine.params import Params
from playground.engine.purchases import ITEM

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation

DEADLOCKS: Final = ["1213", DEADLOCK_DETECTED]
"""A deadlock's victim, in MySQL's words and in PostgreSQL's."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Selling(Publishing):
    """With ``selling`` off a purchase is a write that costs two statements, as it was before there was stock."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.dialect: i64 = POSTGRESQL
        self.isolation: i64 = READ_COMMITTED
        self.deadlock_ns: i64 = 0
        self.lock_timeout_ns: i64 = -1
        self.lot_ns: i64 = -1
        self.shop = Shop(0)
        # By node; None where none has led since its last start.
        self.trading: list[Trading | None] = []
        self.buyers: dict[int, Purchase] = {}
        self.purchases: i64 = 0
        self.bought: i64 = 0
        self.sold_out: i64 = 0
        self.oversold: i64 = 0
        self.rule_broken: i64 = 0
        self.serialization_failures: i64 = 0
        self.deadlocks: i64 = 0
        self.lock_timeouts: i64 = 0
        self.changed_since: i64 = 0
        self.hung_up: i64 = 0
        self.not_there: i64 = 0
        self.sales_lost: i64 = 0
        self.lock_waits: i64 = 0
        self.lock_waited_ns: float = 0.0
        self.oversold_noted_at: i64 = -QUIET_NS
        self.lost_noted_at: i64 = -QUIET_NS
        self.aborts_noted_at: i64 = -QUIET_NS

    def configure_buying(self, params: Params) -> None:
        """What there is to sell, and how transactions are kept apart. A transaction keeps the level that it began with."""
        stock = params.integer("stock")
        self.selling = stock >= 0
        self.minds_hang_ups = self.selling
        self.shop.stock = stock
        self.dialect = DIALECTS.index(params.text("dialect"))
        self.isolation = LEVELS.index(params.text("isolation").replace("_", " "))
        self.deadlock_ns = params.ns("deadlock_timeout_s")
        self.lock_timeout_ns = params.ns("lock_timeout_s")
        self.lot_ns = params.ns("lot_s")

    def trading_at(self, number: i64) -> Trading:
        """The transactions of a node."""
        while len(self.trading) <= number:
            self.trading.append(None)
        found = self.trading[number]
        if found is None:
            found = Trading(self.dialect, self.shop)
            self.trading[number] = found
        return found

    # ---- rows that move to another database, or come from one

    def stock_declared(self) -> tuple[i64, i64]:
        """How many there are of each item at the start (-1: nobody looks), and for how long a lot is on sale, ns."""
        return (self.shop.stock, self.lot_ns) if self.selling else (i64(-1), i64(-1))

    def stock_rows(self, key: i64) -> vec[i64]:
        """What commits have sold of an item, in the lots that somebody may still be at; see :meth:`Shop.rows_of`."""
        found = vec[i64]()
        if not self.selling:
            return found
        lot = self.simulation.now // self.lot_ns if self.lot_ns > 0 else 0
        first = lot - 1 if lot > 0 else lot
        while first <= lot:
            for number in self.shop.rows_of(key, first, self.log.visible, self.log.end):
                found = append(found, number)
            first += 1
        return found

    def book_copy(self, node: Node, position: i64, key: i64, stock: vec[i64]) -> None:
        """An item comes with what was sold of it. A core that has had it before sees so at the next statement."""
        if not self.selling or len(stock) == 0:
            return
        self.shop.book_copy(position, key, stock)
        stale = self.trading_at(node.number).stale
        index: i64 = 0
        while index < len(stock):
            stale[int(stock[index])] = True
            index += 4

    # ---- ends without a commit

    def roll_back(self, purchase: Purchase) -> None:
        """ROLLBACK; those that waited for it may go on."""
        trading = self.trading_at(purchase.node)
        transaction = purchase.transaction
        assert transaction is not None
        self.stop_waiting(purchase, trading)
        self.end_wait(purchase)
        trading.core.abort(transaction)
        trading.over(purchase)
        self.buyers.pop(int(purchase.call), None)
        self.wake(trading)

    def was_aborted(self, purchase: Purchase) -> None:
        """The database aborts it: the application is told, and may try again."""
        transaction = purchase.transaction
        assert transaction is not None
        if transaction.error in DEADLOCKS:
            self.deadlocks += 1
        else:
            self.serialization_failures += 1
        self.note_abort(transaction.error, transaction.message)
        self.give_up(purchase)

    def give_up(self, purchase: Purchase) -> None:
        """Roll back, and say so."""
        call = purchase.call
        self.roll_back(purchase)
        self.calls.advise(call, VERDICT_ABORTED, 0)
        self.finish(call, 0, SMALL_BYTES)

    def leave_purchase(self, call: i64) -> None:
        """Its caller has cancelled it. What is in the log is committed all the same."""
        purchase = self.buyers.get(int(call))
        if purchase is None:
            return
        if self.calls.mark[call] == COMMITTING:
            purchase.call = -1
            del self.buyers[int(call)]
        else:
            self.hung_up += 1
            self.roll_back(purchase)

    # ---- locks

    def wait_for_lock(self, purchase: Purchase, trading: Trading) -> None:
        """It waits, with its connection, until somebody else has ended."""
        self.calls.mark[purchase.call] = LOCKED
        purchase.since = self.simulation.now
        if purchase.waits_from < 0:
            purchase.waits_from = purchase.since
            self.lock_waits += 1
        trading.hot = purchase.place
        trading.locked[int(purchase.serial)] = purchase
        if self.dialect == POSTGRESQL:
            trading.unchecked[int(purchase.serial)] = purchase
            if not trading.check_set:
                trading.check_set = True
                self.timer(self.deadlock_ns, DEADLOCK, purchase.node)
        if self.lock_timeout_ns >= 0 and not trading.timeout_set:
            trading.timeout_set = True
            self.timer(self.lock_timeout_ns, LOCK_TIMEOUT, purchase.node)

    def stop_waiting(self, purchase: Purchase, trading: Trading) -> None:
        """It waits no more, or looks again."""
        if trading.locked.pop(int(purchase.serial), None) is not None:
            trading.unchecked.pop(int(purchase.serial), None)

    def end_wait(self, purchase: Purchase) -> None:
        """Its statement is over, or it is."""
        if purchase.waits_from >= 0:
            self.lock_waited_ns += float(self.simulation.now - purchase.waits_from)
            purchase.waits_from = -1

    def wake(self, trading: Trading) -> None:
        """Whoever may go on does so in events of their own, in the order in which their turn came."""
        waits = trading.core.waits
        if waits.begun:
            waits.begun = []
        if not waits.ready:
            return
        ready = waits.ready
        waits.ready = []
        for transaction in ready:
            purchase = trading.open.get(int(transaction.owner))
            if purchase is None or int(purchase.serial) not in trading.locked:
                continue
            self.stop_waiting(purchase, trading)
            self.calls.mark[purchase.call] = WOKEN
            self.work(purchase.call, 0)

    def on_lock_timer(self, tag: i64, number: i64) -> None:
        """deadlock_timeout, or lock_timeout, has passed for whoever has waited longest."""
        if number >= len(self.trading):
            return
        trading = self.trading[number]
        if trading is None:
            return
        now = self.simulation.now
        is_check = tag == DEADLOCK
        limit = self.deadlock_ns if is_check else self.lock_timeout_ns
        if is_check:
            trading.check_set = False
        else:
            trading.timeout_set = False
        waiting = trading.unchecked if is_check else trading.locked
        if limit < 0:
            return
        for purchase in list(waiting.values()):
            left = purchase.since + limit - now
            if left > 0:
                if is_check:
                    trading.check_set = True
                else:
                    trading.timeout_set = True
                self.timer(left, tag, number)
                return
            if int(purchase.serial) not in waiting:
                # Somebody's end just now has woken it.
                continue
            if is_check:
                self.check_for_deadlock(purchase, trading)
            else:
                self.lock_timeouts += 1
                self.give_up(purchase)

    def check_for_deadlock(self, purchase: Purchase, trading: Trading) -> None:
        """Once in each wait."""
        del trading.unchecked[int(purchase.serial)]
        transaction = purchase.transaction
        assert transaction is not None
        if trading.core.check_deadlock(transaction) == ERROR:
            self.was_aborted(purchase)
        # Another's turn comes by that end, or by another order of a row's queue.
        self.wake(trading)

    # ---- crashes and other histories

    def crash_log(self, node: Node) -> None:
        """Its open transactions are gone with it; those whose record is flushed are committed when somebody leads again."""
        super().crash_log(node)
        if not self.selling or node.number >= len(self.trading):
            return
        trading = self.trading[node.number]
        if trading is None:
            return
        self.trading[node.number] = None
        for purchase in trading.open.values():
            # Of what it wrote after it went on by itself nothing is ever committed: it is rewound. What was there before is in the others'
            # log, who commit it or lose it.
            lost = purchase.position > node.log.end
            if node.fork is not None:
                lost = int(purchase.position) in trading.shop.sales
            if purchase.position == 0 or lost:
                self.hung_up += 1
            if purchase.call >= 0:
                self.buyers.pop(int(purchase.call), None)
        for sale in trading.shop.sales.values():
            sale.purchase = None

    def take_back(self, upto: i64, how: i64) -> i64:
        """What the log loses, the stock gets back."""
        position = self.log.end
        lost = super().take_back(upto, how)
        while self.selling and position > upto:
            sale = self.shop.sales.get(int(position))
            if sale is not None and sale.sold < 0 and not sale.is_committed and sale.purchase is None:
                # Its node had died before it was committed, and would have committed it when it led again.
                self.hung_up += 1
            self.shop.take_back(position)
            position -= 1
        return lost

    def lose(self, log: Log, position: i64, how: i64) -> None:
        """It may have been a sale: its buyer was told so, and the history that stands knows nothing of it."""
        super().lose(log, position, how)
        if not self.selling:
            return
        shop = self.shop
        for node in self.nodes:
            if node.fork is not None and node.log is log:
                shop = self.trading_at(node.number).shop
        sale = shop.sales.get(int(position))
        sales: i64 = sale.sales() if sale is not None else 0
        self.sales_lost += sales
        if sales > 0:
            self.lost.mark_sale()

    def fork_at(self, chosen: Node) -> i64:
        """A leader that goes on by itself does so with the stock that it knows of, whether or not it has sold anything yet."""
        goes_on = False
        if self.selling:
            for node in self.nodes:
                if node.role == LEADER and node.fork is None and node.number != chosen.number:
                    self.trading_at(node.number).shop = self.shop.branch(chosen.written)
                    goes_on = True
        lost = super().fork_at(chosen)
        if goes_on:
            self.shop.leave_waiting()
        return lost

    # ---- what is said of it

    def look_at_facts(self, sale: Sale, times: i64) -> None:
        """Whether more is sold now than there was, or a rule is broken that each transaction kept."""
        place = sale.place
        if place % 2 == ITEM:
            if times > self.shop.stock:
                self.oversold += 1
                often = "twice" if times == 2 else f"{times} times"
                self.note_anomaly(
                    f"Item {sale.key} sold {often}: stock was {self.shop.stock}",
                    "Each had read that there was one left, and wrote what it had computed from that (a lost update).",
                )
            elif sale.excess() > 0:
                self.note_lost_update(sale, times)
        elif times == 1 and self.shop.times_sold(other_place(place)) > 0:
            self.rule_broken += 1
            self.note_anomaly(
                f"Nobody is on call in team {sale.key}",
                "Both went off call: each had read that the other one was on call, and wrote another row (write skew).",
            )

    def note_anomaly(self, title: str, text: str) -> None:
        """Say what went wrong, and not again within ten virtual seconds."""
        now = self.simulation.now
        if now - self.oversold_noted_at >= QUIET_NS:
            self.oversold_noted_at = now
            self.note("anomaly", "bad", title, f"{text} Isolation: {LEVELS[self.isolation]}.")

    def note_lost_update(self, sale: Sale, times: i64) -> None:
        """Say that a sale has overwritten another one while there was stock, and not again within ten virtual seconds."""
        now = self.simulation.now
        if now - self.lost_noted_at >= QUIET_NS:
            self.lost_noted_at = now
            fell = self.shop.stock - sale.left
            text = f"Two read the same number and wrote the same one less. Isolation: {LEVELS[self.isolation]}."
            self.note("lost_update", "bad", f"Item {sale.key}: {times} sold, and its stock fell by {fell}", text)

    def note_abort(self, error: str, message: str) -> None:
        """Say that transactions are being aborted, and not again within ten virtual seconds."""
        now = self.simulation.now
        if now - self.aborts_noted_at >= QUIET_NS:
            self.aborts_noted_at = now
            text = "Its application may try again; what it had done is undone."
            self.note("aborted", "warning", f"{self.label} aborts a transaction: {message} ({error})", text)
