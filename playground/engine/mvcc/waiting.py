"""Who waits for whom: turns on a row, ends of transactions, and the cycles among them."""

from __future__ import annotations

from typing import final

from mypy_extensions import i64

from playground.engine.mvcc.terms import NOTHING, ON_ROW, ON_TRANSACTION, modes_conflict
from playground.engine.mvcc.transaction import Transaction
from playground.engine.state import State


@final
class Turn(State):
    """One transaction's place at a row: it has its turn, or queues for it."""

    def __init__(self, transaction: Transaction, mode: int) -> None:
        self.transaction = transaction
        self.mode = mode


@final
class RowQueue(State):
    """Whose turn a row version is, and who queues: PostgreSQL's heavyweight lock on a tuple, which keeps waiters in order.

    Whoever has to wait for the transaction that locked a version takes its turn first, so that later ones stand behind it.
    """

    def __init__(self) -> None:
        self.having: list[Turn] = []
        self.queue: list[Turn] = []


@final
class Waits(State):
    """All waiting of a database. ``ready`` has the transactions that may go on, in the order in which they came to it."""

    def __init__(self) -> None:
        self.rows: dict[int, RowQueue] = {}
        self.ready: list[Transaction] = []
        # Waits that began since somebody last asked, in their order: for whoever keeps a deadlock_timeout.
        self.begun: list[Transaction] = []
        self.count: i64 = 0

    def take_turn(self, transaction: Transaction, row: int, mode: int) -> bool:
        """Take a turn on a row; False: it queues, and is ready when it has it."""
        queue = self.rows.get(row)
        if queue is None:
            queue = RowQueue()
            self.rows[row] = queue
        if self.is_free(queue, mode, len(queue.queue)):
            queue.having.append(Turn(transaction, mode))
            return True
        queue.queue.append(Turn(transaction, mode))
        self.begin(transaction, ON_ROW, row, mode)
        return False

    def is_free(self, queue: RowQueue, mode: int, ahead: int) -> bool:
        """Whether ``mode`` goes with those that have their turn and the first ``ahead`` in the queue."""
        for turn in queue.having:
            if modes_conflict(mode, turn.mode):
                return False
        return all(not modes_conflict(mode, queue.queue[place].mode) for place in range(ahead))

    def end_turn(self, transaction: Transaction, row: int) -> None:
        """Its turn on a row is over, or it leaves the queue: those whose turn comes are ready."""
        queue = self.rows[row]
        queue.having = [turn for turn in queue.having if turn.transaction is not transaction]
        queue.queue = [turn for turn in queue.queue if turn.transaction is not transaction]
        self.serve(row)

    def serve(self, row: int) -> None:
        """Those in a row's queue whose turn has come are ready."""
        queue = self.rows[row]
        place = 0
        while place < len(queue.queue):
            turn = queue.queue[place]
            if self.is_free(queue, turn.mode, place):
                queue.queue.pop(place)
                queue.having.append(turn)
                self.wake(turn.transaction)
            else:
                place += 1
        if not queue.having and not queue.queue:
            del self.rows[row]

    def for_end(self, transaction: Transaction, other: Transaction) -> None:
        """It waits until ``other`` ends."""
        if other.waiters is None:
            other.waiters = [transaction]
        else:
            other.waiters.append(transaction)
        self.begin(transaction, ON_TRANSACTION, int(other.xid), -1)

    def begin(self, transaction: Transaction, waits: int, on: int, mode: int) -> None:
        """Note that it waits."""
        self.count += 1
        transaction.wait_number = self.count
        transaction.waits = waits
        transaction.waits_on = on
        transaction.waits_mode = mode
        self.begun.append(transaction)

    def wake(self, transaction: Transaction) -> None:
        """It waits no more, and may go on."""
        transaction.waits = NOTHING
        self.ready.append(transaction)

    def ended(self, transaction: Transaction) -> None:
        """A transaction ended: those that waited for that are ready."""
        waiters = transaction.waiters
        if waiters is not None:
            transaction.waiters = None
            for waiter in waiters:
                self.wake(waiter)

    def leave(self, transaction: Transaction, active: dict[int, Transaction]) -> None:
        """It gives up waiting: a deadlock's victim, or its session rolls back."""
        if transaction.waits == ON_ROW:
            row = int(transaction.waits_on)
            transaction.waits = NOTHING
            self.end_turn(transaction, row)
        elif transaction.waits == ON_TRANSACTION:
            other = active.get(int(transaction.waits_on))
            if other is not None and other.waiters is not None:
                other.waiters = [waiter for waiter in other.waiters if waiter is not transaction]
        transaction.waits = NOTHING
        if transaction in self.ready:
            self.ready.remove(transaction)

    def blockers(self, transaction: Transaction, active: dict[int, Transaction]) -> list[Transaction]:
        """Whom it waits for: those that hold what it wants, and those ahead of it in the queue."""
        found = self.holders(transaction, active)
        if transaction.waits != ON_ROW:
            return found
        queue = self.rows[int(transaction.waits_on)]
        for turn in queue.queue:
            if turn.transaction is transaction:
                break
            if modes_conflict(int(transaction.waits_mode), turn.mode):
                found.append(turn.transaction)
        return found

    def could_be_cycle(self, start: Transaction, has_turn: bool) -> bool:
        """Whether anybody can wait for ``start`` at all: an answer of no saves looking for a cycle on a row where many wait."""
        return start.waiters is not None or has_turn

    def cycle(self, start: Transaction, active: dict[int, Transaction]) -> list[Transaction]:
        """The transactions in a cycle of waits through ``start``, each waiting for the next; empty where there is none.

        Whoever queues at a row waits for that row alone, so all that can be reached within its queue is found in one pass over it.
        """
        # By number: through whom each was reached.
        through: dict[int, Transaction] = {}
        todo: list[Transaction] = [start]
        while todo:
            here = todo.pop()
            reached = [here]
            if here.waits == ON_ROW:
                reached = self.queued_before(here, through)
                if int(start.number) in through:
                    return self.way(through[int(start.number)], start, through)
            for behind in reached:
                for other in self.holders(behind, active):
                    if other is start:
                        return self.way(behind, start, through)
                    if int(other.number) not in through:
                        through[int(other.number)] = behind
                        todo.append(other)
        return []

    def queued_before(self, transaction: Transaction, through: dict[int, Transaction]) -> list[Transaction]:
        """A waiter for a row, and those ahead of it that it waits for, themselves or others between them."""
        queue = self.rows[int(transaction.waits_on)].queue
        place = len(queue) - 1
        while place >= 0 and queue[place].transaction is not transaction:
            place -= 1
        found = [transaction]
        # One of those found for each mode: who conflicts with none of these waits behind nobody found.
        modes: dict[int, Transaction] = {int(transaction.waits_mode): transaction}
        while place > 0:
            place -= 1
            turn = queue[place]
            for mode, behind in modes.items():
                if modes_conflict(mode, turn.mode):
                    if int(turn.transaction.number) not in through:
                        through[int(turn.transaction.number)] = behind
                        found.append(turn.transaction)
                    if turn.mode not in modes:
                        modes[turn.mode] = turn.transaction
                    break
        return found

    def holders(self, transaction: Transaction, active: dict[int, Transaction]) -> list[Transaction]:
        """Of those whom it waits for, those that don't stand in the same queue."""
        if transaction.waits == ON_TRANSACTION:
            other = active.get(int(transaction.waits_on))
            return [] if other is None else [other]
        if transaction.waits != ON_ROW:
            return []
        queue = self.rows[int(transaction.waits_on)]
        mode = int(transaction.waits_mode)
        return [turn.transaction for turn in queue.having if modes_conflict(mode, turn.mode)]

    def way(self, last: Transaction, start: Transaction, through: dict[int, Transaction]) -> list[Transaction]:
        """From ``start`` to ``last``, each waiting for the next."""
        path = [last]
        while path[len(path) - 1] is not start:
            path.append(through[int(path[len(path) - 1].number)])
        path.reverse()
        return path
