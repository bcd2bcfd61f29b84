"""Purchases as transactions: statement by statement through the MVCC core of the node that leads, with the network and the application's
own time in between; locks that others wait for, aborts, commits by way of the log.

A purchase holds its connection from BEGIN to its end. What it sees, waits for and fails with comes from :mod:`playground.engine.mvcc`; its
locks are held until its commit is safe as all commits are (PostgreSQL: RecordTransactionCommit, then ProcArrayEndTransaction).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mypy_extensions import i64, mypyc_attr

from playground.blocks.sql_database.log import Log
from playground.blocks.sql_database.node import Node
from playground.blocks.sql_database.purchase import ENDS, READS, WRITES, Purchase
from playground.blocks.sql_database.selling import Selling
from playground.blocks.sql_database.states import FOR_CORE, SMALL_BYTES, TALKING, WOKEN
from playground.blocks.sql_database.stock import Sale, Shop, place_of, row_of
from playground.blocks.sql_database.trading import Trading
from playground.engine.calls import ABANDONED, CANCEL_SENT, TOLD
from playground.engine.durations import whole_ns
from playground.engine.mvcc.terms import ERROR, WAITING
from playground.engine.outcomes import ABSENT, CONNECTION_LOST, VERDICT_CHANGED, VERDICT_SOLD_OUT
from playground.engine.purchases import ATOMIC, ITEM, METHOD_BITS, METHOD_MASK, OFF_CALL, OPTIMISTIC, ROW_BY_ROW
from playground.engine.station import STARTED

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation

SALES_KEPT: Final = 1024
"""Purchases in the log after which the oldest are looked through for those that can't be taken back any more."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Buying(Selling):
    """A purchase's way from BEGIN to COMMIT."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.trip_stream = self.stream("round trips of transactions")

    # ---- statement by statement

    def open_purchase(self, call: i64) -> None:
        """It has its connection: BEGIN, which goes along with its first statement."""
        calls = self.calls
        method: i64 = ATOMIC
        kind: i64 = ITEM
        think: i64 = 0
        if calls.flags[call] & TOLD != 0:
            method = calls.token[call] & METHOD_MASK
            kind = calls.token[call] >> METHOD_BITS
            think = calls.extra[call]
        key = calls.key[call]
        trading = self.trading_at(calls.instance[call])
        lot: i64 = 0
        if self.lot_ns > 0:
            lot = self.simulation.now // self.lot_ns
            trading.enter_lot(lot)
        row = row_of(key, lot)
        if kind == OFF_CALL:
            row = row * 2 + calls.user[call] % 2
        self.purchases += 1
        serial = self.purchases
        purchase = Purchase(call, serial, calls.instance[call], key, place_of(kind, row), method, think)
        if method == ATOMIC and kind == ITEM:
            purchase.phase = WRITES
        trading.open[int(serial)] = purchase
        trading.begin(purchase, self.isolation)
        self.buyers[int(call)] = purchase

    def run_purchase(self, call: i64) -> None:
        """A core has worked on its present statement: run that."""
        purchase = self.buyers[int(call)]
        node = self.nodes[purchase.node]
        if purchase.phase != ENDS and self.pending_version(node, purchase.key) <= 0:
            self.note_absent()
            self.miss(purchase, node)
            return
        trading = self.trading_at(purchase.node)
        transaction = purchase.transaction
        assert transaction is not None
        self.went(purchase, trading, trading.run(purchase, transaction))

    def miss(self, purchase: Purchase, node: Node) -> None:
        """There is no such item."""
        call = purchase.call
        self.not_there += 1
        self.roll_back(purchase)
        self.finish_read(call, node, ABSENT)

    def went(self, purchase: Purchase, trading: Trading, status: int) -> None:
        """A statement is done, waits, or has failed; and so may others by it."""
        if status != WAITING:
            self.end_wait(purchase)
        if status == WAITING:
            self.wait_for_lock(purchase, trading)
        elif status == ERROR:
            self.was_aborted(purchase)
        elif purchase.phase == READS:
            self.has_read(purchase, trading)
        else:
            self.has_written(purchase, trading)
        self.wake(trading)

    def has_read(self, purchase: Purchase, trading: Trading) -> None:
        """Its SELECT is done: the application decides."""
        if not trading.took(purchase):
            self.refuse_purchase(purchase, trading)
            return
        if purchase.method == ROW_BY_ROW and purchase.place % 2 == OFF_CALL and not purchase.has_own:
            purchase.has_own = True
            self.talk(purchase, 0)
            return
        purchase.phase = WRITES
        if purchase.method == ATOMIC:
            # One statement with a subquery: what it read is its own snapshot.
            transaction = purchase.transaction
            assert transaction is not None
            self.went(purchase, trading, trading.run(purchase, transaction))
        else:
            self.talk(purchase, purchase.think_ns)

    def has_written(self, purchase: Purchase, trading: Trading) -> None:
        """Its UPDATE is done: COMMIT follows, or nothing matched."""
        if not trading.changed(purchase):
            if purchase.method == OPTIMISTIC:
                self.changed_since += 1
                call = purchase.call
                self.roll_back(purchase)
                self.calls.advise(call, VERDICT_CHANGED, 0)
                self.finish(call, 0, SMALL_BYTES)
            else:
                self.refuse_purchase(purchase, trading)
            return
        purchase.phase = ENDS
        if purchase.method == ATOMIC:
            # A statement by itself is a transaction: it commits at its end.
            self.commit_purchase(purchase)
        else:
            self.talk(purchase, 0)

    def talk(self, purchase: Purchase, think_ns: i64) -> None:
        """The answer goes to the application, which thinks and sends its next statement."""
        call = purchase.call
        if self.calls.flags[call] & (ABANDONED | CANCEL_SENT) == ABANDONED:
            self.hang_up(purchase)
            return
        edge = self.edge_of(call)
        ns = think_ns
        way = 0
        while way < 2:
            ns += edge.fixed_ns if edge.fixed_ns >= 0 else self.drawn_latency(call)
            way += 1
        if self.impaired and self.slow[purchase.node] > 1.0:
            # What makes this node slow does not make the network or the application slow.
            ns = whole_ns(float(ns) / self.slow[purchase.node])
        self.calls.mark[call] = TALKING
        self.work(call, ns)

    def drawn_latency(self, call: i64) -> i64:
        """One way of a call's edge."""
        edge = self.edge_of(call)
        return edge.latency.draw(self.trip_stream) + edge.region_ns + edge.extra_ns

    def go_on_buying(self, call: i64) -> None:
        """The next statement has arrived, or a lock that it waited for is free."""
        calls = self.calls
        purchase = self.buyers[int(call)]
        if calls.mark[call] == WOKEN:
            trading = self.trading_at(purchase.node)
            transaction = purchase.transaction
            assert transaction is not None
            self.went(purchase, trading, trading.resume(transaction))
        elif calls.flags[call] & ABANDONED != 0:
            self.hang_up(purchase)
        elif purchase.phase == ENDS:
            self.commit_purchase(purchase)
        elif self.cores.offer(call, purchase.node) == STARTED:
            self.compute(call)
        else:
            calls.mark[call] = FOR_CORE

    # ---- ends

    def on_hang_up(self, call: i64) -> None:
        """The application has closed the connection. Between two statements the server reads that at once; one that runs, or waits for a
        lock, goes on until its answer finds nobody (PostgreSQL, ``client_connection_check_interval`` = 0)."""
        if self.calls.mark[call] == TALKING and int(call) in self.buyers:
            self.cancel(call)

    def hang_up(self, purchase: Purchase) -> None:
        """The application has given up: its connection is closed, and the transaction rolled back."""
        call = purchase.call
        self.hung_up += 1
        self.roll_back(purchase)
        self.connections.release(purchase.node)
        self.reply(call, CONNECTION_LOST, 0, 0)
        self.pull_connection(purchase.node)

    def commit_purchase(self, purchase: Purchase) -> None:
        """COMMIT: where nothing forbids it, a record in the log; the rest follows when that is safe."""
        node = self.nodes[purchase.node]
        if self.pending_version(node, purchase.key) <= 0:
            self.miss(purchase, node)
            return
        transaction = purchase.transaction
        assert transaction is not None
        trading = self.trading_at(purchase.node)
        if trading.core.prepare(transaction) == ERROR:
            self.was_aborted(purchase)
            self.wake(trading)
        else:
            self.commit(purchase.call, node)

    def book(self, call: i64, node: Node, position: i64) -> None:
        """Its record is in the log."""
        purchase = self.buyers[int(call)]
        purchase.position = position
        shop = self.trading_at(node.number).shop
        shop.book(position, purchase, purchase.place, purchase.quantity, purchase.version)

    def make_visible(self, node: Node, log: Log, position: i64) -> None:
        """A commit is safe: the core makes it visible and lets go of its locks, then everybody is told."""
        if self.selling:
            shop = self.trading_at(node.number).shop
            sale = shop.sales.get(int(position))
            if sale is not None:
                self.sell(node, shop, sale)
                if len(shop.sales) > SALES_KEPT and position % 256 == 0:
                    shop.forget_records(self.needed_from() if node.fork is None else log.visible)
        super().make_visible(node, log, position)

    def sell(self, node: Node, shop: Shop, sale: Sale) -> None:
        """A purchase is committed: the facts, and the end of its transaction."""
        if sale.sold >= 0:
            shop.commit_copy(sale)
            return
        self.bought += 1
        times = shop.commit(sale)
        if shop is self.shop:
            self.look_at_facts(sale, times)
        purchase = sale.purchase
        if purchase is None:
            return
        sale.purchase = None
        trading = self.trading_at(node.number)
        transaction = purchase.transaction
        assert transaction is not None
        trading.core.commit(transaction)
        trading.over(purchase)
        if purchase.call >= 0:
            self.buyers.pop(int(purchase.call), None)
        self.wake(trading)

    def refuse_purchase(self, purchase: Purchase, trading: Trading) -> None:
        """Nothing left to buy, says what it has read: COMMIT of a transaction that wrote nothing, which may fail all the same."""
        transaction = purchase.transaction
        assert transaction is not None
        if trading.core.commit(transaction) == ERROR:
            self.was_aborted(purchase)
            return
        self.sold_out += 1
        call = purchase.call
        trading.over(purchase)
        del self.buyers[int(call)]
        self.calls.advise(call, VERDICT_SOLD_OUT, 0)
        self.finish(call, 0, SMALL_BYTES)
