"""PostgreSQL's way out of a deadlock without a victim: another order of the queues at rows (deadlock.c).

That a transaction waits for one that has locked what it wants is a hard edge; that it waits for one which only stands before it in a queue
is a soft one: exchanging the two may end the cycle. Decision 100.
"""

from __future__ import annotations

from typing import Final, final

from playground.engine.mvcc.terms import NOTHING, ON_ROW, modes_conflict
from playground.engine.mvcc.transaction import Transaction
from playground.engine.mvcc.waiting import Turn, Waits
from playground.engine.state import State

CONSTRAINTS_MAX: Final = 100
"""So many exchanges at once are tried; PostgreSQL's number is that of its connections (max_connections, 100 by default)."""


@final
class Constraint(State):
    """A soft edge to be turned round: ``waiter`` has to stand before ``blocker`` in a row's queue."""

    def __init__(self, waiter: Transaction, blocker: Transaction, row: int) -> None:
        self.waiter = waiter
        self.blocker = blocker
        self.row = row


@final
class Rearrangement(State):
    """Looks for an order of the queues in which ``start`` is in no cycle; ``orders`` has it, by row, when :meth:`is_found`."""

    def __init__(self, waits: Waits, active: dict[int, Transaction], start: Transaction) -> None:
        self.waits = waits
        self.active = active
        self.start = start
        self.constraints: list[Constraint] = []
        self.orders: dict[int, list[Turn]] = {}
        self.seen: dict[int, bool] = {}
        self.soft: list[Constraint] = []

    def is_found(self) -> bool:
        """Whether there is one: DeadLockCheckRecurse, which tries each soft edge of a cycle, and those of the cycles that are left then."""
        edges = self.soft_edges()
        if edges is None:
            return False
        if not edges:
            return True
        if len(self.constraints) >= CONSTRAINTS_MAX:
            return False
        for edge in edges:
            self.constraints.append(edge)
            if self.is_found():
                return True
            self.constraints.pop()
        return False

    def soft_edges(self) -> list[Constraint] | None:
        """Those of a cycle that the constraints leave: none where they leave no cycle; None where a cycle has no soft edge, or they
        contradict one another (TestConfiguration)."""
        self.orders = {}
        last = len(self.constraints) - 1
        while last >= 0:
            row = self.constraints[last].row
            if row not in self.orders and not self.sort(row):
                return None
            last -= 1
        found: list[Constraint] = []
        for constraint in self.constraints:
            for one in (constraint.waiter, constraint.blocker):
                if self.is_in_cycle(one):
                    if not self.soft:
                        return None
                    found = self.soft
        if self.is_in_cycle(self.start):
            return self.soft if self.soft else None
        return found

    def sort(self, row: int) -> bool:
        """Order a row's queue by the constraints, changing as little as it can, from its end on (TopoSort). False: it can't be."""
        left = list(self.waits.rows[row].queue)
        order: list[Turn] = []
        while left:
            place = len(left) - 1
            while place >= 0 and self.has_to_precede(left[place].transaction, left):
                place -= 1
            if place < 0:
                return False
            order.append(left.pop(place))
        order.reverse()
        self.orders[row] = order
        return True

    def has_to_precede(self, transaction: Transaction, others: list[Turn]) -> bool:
        """Whether a constraint says that it stands before one of these."""
        for constraint in self.constraints:
            if constraint.waiter is transaction:
                for other in others:
                    if other.transaction is constraint.blocker:
                        return True
        return False

    def is_in_cycle(self, start: Transaction) -> bool:
        """Whether a chain of waits leads from ``start`` back to it; ``soft`` has that cycle's soft edges (FindLockCycle)."""
        self.seen = {}
        self.soft = []
        return self.leads_back(start, start)

    def leads_back(self, here: Transaction, start: Transaction) -> bool:
        """Depth first: those that have what it wants before those that stand before it."""
        number = int(here.number)
        if number in self.seen:
            return here is start
        self.seen[number] = True
        if here.waits == NOTHING:
            return False
        for holder in self.waits.holders(here, self.active):
            if self.leads_back(holder, start):
                return True
        if here.waits != ON_ROW:
            return False
        row = int(here.waits_on)
        order = self.orders[row] if row in self.orders else self.waits.rows[row].queue
        mode = int(here.waits_mode)
        for turn in order:
            if turn.transaction is here:
                return False
            if modes_conflict(mode, turn.mode) and self.leads_back(turn.transaction, start):
                self.soft.append(Constraint(here, turn.transaction, row))
                return True
        return False


def is_hard(waits: Waits, active: dict[int, Transaction], start: Transaction) -> bool:
    """Whether a cycle through ``start`` has hard edges alone: no order of any queue ends that one."""
    seen: dict[int, bool] = {}
    todo = [start]
    while todo:
        for other in waits.holders(todo.pop(), active):
            if other is start:
                return True
            if int(other.number) not in seen:
                seen[int(other.number)] = True
                todo.append(other)
    return False


def rearranged(waits: Waits, active: dict[int, Transaction], start: Transaction) -> bool:
    """Whether the deadlock that ``start`` is in was ended by another order of queues; whose turn comes by that is ready."""
    if is_hard(waits, active, start):
        return False
    rearrangement = Rearrangement(waits, active, start)
    if not rearrangement.is_found():
        return False
    for row, order in rearrangement.orders.items():
        waits.rows[row].queue = order
        waits.serve(row)
    return True
