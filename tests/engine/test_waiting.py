"""Cycles of waits: what the one pass over a queue finds is what a search through all waits finds."""

from __future__ import annotations

from itertools import permutations, product

from hypothesis import given, settings
from hypothesis import strategies as st

from playground.engine.mvcc.deadlocks import rearranged
from playground.engine.mvcc.terms import NOTHING
from playground.engine.mvcc.transaction import Transaction
from playground.engine.mvcc.waiting import Waits

ROWS = 3
MODES = 4


def made(actions: list[tuple[int, int, int, int]]) -> tuple[Waits, list[Transaction], dict[int, Transaction]]:
    """Eight transactions that take turns on rows, and wait for one another's ends, as far as they don't wait already."""
    waits = Waits()
    transactions = [Transaction(number, 0, False, number) for number in range(1, 9)]
    for transaction in transactions:
        transaction.xid = 100 + transaction.number
    active = {int(it.xid): it for it in transactions}
    for who, what, which, mode in actions:
        transaction = transactions[who]
        if transaction.waits != NOTHING:
            continue
        if what == 0 and transactions[which] is not transaction:
            waits.for_end(transaction, transactions[which])
        elif what > 0:
            row = which % ROWS
            queue = waits.rows.get(row)
            if queue is None or all(turn.transaction is not transaction for turn in queue.having):
                waits.take_turn(transaction, row, mode)
    return waits, transactions, active


def reaches(waits: Waits, start: Transaction, active: dict[int, Transaction]) -> bool:
    """Whether a chain of waits leads from ``start`` back to it."""
    seen: set[int] = set()
    todo = list(waits.blockers(start, active))
    while todo:
        here = todo.pop()
        if here is start:
            return True
        if int(here.number) not in seen:
            seen.add(int(here.number))
            todo += waits.blockers(here, active)
    return False


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 7), st.integers(0, 3), st.integers(0, 7), st.integers(0, MODES - 1)), max_size=60)
)
def test_a_cycle_is_found_exactly_where_a_chain_of_waits_leads_back(actions: list[tuple[int, int, int, int]]) -> None:
    waits, transactions, active = made(actions)
    for start in transactions:
        cycle = waits.cycle(start, active)
        assert bool(cycle) == reaches(waits, start, active)
        if cycle:
            assert cycle[0] is start and len({int(it.number) for it in cycle}) == len(cycle)
            for one, other in zip(cycle, [*cycle[1:], start], strict=True):
                assert any(it is other for it in waits.blockers(one, active))


def has_harmless_order(waits: Waits, transactions: list[Transaction], active: dict[int, Transaction]) -> bool:
    """Whether some order of all queues leaves nobody in a cycle: all of them are tried."""
    before = {row: queue.queue for row, queue in waits.rows.items()}
    found = False
    for orders in product(*(permutations(queue) for queue in before.values())):
        for row, order in zip(before, orders, strict=True):
            waits.rows[row].queue = list(order)
        found = found or not any(reaches(waits, one, active) for one in transactions)
    for row, queue in before.items():
        waits.rows[row].queue = queue
    return found


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(0, 5), st.integers(0, MODES - 1)), max_size=30)
)
def test_another_order_of_queues_ends_a_deadlock_wherever_there_is_one(
    actions: list[tuple[int, int, int, int]],
) -> None:
    waits, transactions, active = made(actions)
    for start in transactions:
        if not reaches(waits, start, active):
            continue
        is_possible = has_harmless_order(waits, transactions, active)
        waiting = {int(one.number) for one in transactions if one.waits != NOTHING}
        woken = len(waits.ready)
        is_rearranged = rearranged(waits, active, start)
        # One that leaves another cycle, without this transaction, may be found as well.
        assert is_rearranged or not is_possible
        assert is_rearranged != reaches(waits, start, active)
        ready = {int(one.number) for one in waits.ready[woken:]}
        assert waiting == ready | {int(one.number) for one in transactions if one.waits != NOTHING}
