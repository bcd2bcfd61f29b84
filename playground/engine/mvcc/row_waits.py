"""Waiting for a row version that others have locked: its turn first, then the end of each of those that it saw there.

PostgreSQL's heap_acquire_tuplock and MultiXactIdWait (heapam.c).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from mypy_extensions import i64

from playground.engine.mvcc.statement import Statement
from playground.engine.mvcc.terms import PENDING, SHARE, modes_conflict
from playground.engine.mvcc.transaction import TABLES_MAX, Transaction
from playground.engine.state import State

if TYPE_CHECKING:
    from playground.engine.mvcc.postgresql import PostgreSQL

OK: Final = 0
WAIT: Final = 1
"""Nothing stands in the way; it waits."""


@final
class RowWaits(State):
    """How the statements of ``database`` wait for single versions."""

    def __init__(self, database: PostgreSQL) -> None:
        self.database = database

    def wait_for_row(
        self, transaction: Transaction, statement: Statement, position: i64, mode: i64, is_ended: bool
    ) -> int:
        """OK: no other transaction's lock or write stands in the way. WAIT: it queues, or waits for the end of who had locked the
        version when it came to it: whoever does so later is seen only when these have ended and it looks again.

        A version that was updated or deleted (``is_ended``) and has locks all the same is waited for, turn and all, before that is noticed;
        so does FOR SHARE wait for its turn where a note of locks is stale.
        """
        table = statement.table
        awaited: list[int] = []
        if (
            table.ended_at[position] == PENDING
            and table.ended_by[position] != transaction.xid
            and modes_conflict(int(mode), int(table.ended_mode[position]))
        ):
            awaited.append(int(table.ended_by[position]))
        is_member = False
        if table.row_locks:
            for lock in table.locks_on(position):
                if lock.xid == transaction.xid:
                    is_member = True
                elif modes_conflict(int(mode), lock.mode) and lock.xid not in awaited:
                    awaited.append(lock.xid)
            if len(awaited) > 1:
                awaited.sort()
            is_ended = is_ended or (mode == SHARE and int(position) in table.stale_notes)
        if not awaited and (is_member or not is_ended):
            return OK
        statement.awaited = awaited
        row = int(position * TABLES_MAX + table.number)
        if statement.held != row and not is_member:
            statement.held = row
            if not self.database.waits.take_turn(transaction, row, int(mode)):
                return WAIT
        return OK if self.outwaited(transaction, statement) else WAIT

    def outwaited(self, transaction: Transaction, statement: Statement) -> bool:
        """Whether those have ended whom it saw when it came to a version (MultiXactIdWait). If not, it waits for the first."""
        awaited = statement.awaited
        if awaited is not None:
            while awaited:
                other = self.database.active.get(awaited[0])
                if other is not None:
                    self.database.waits.for_end(transaction, other)
                    return False
                awaited.pop(0)
            statement.awaited = None
        return True

    def let_go(self, transaction: Transaction, statement: Statement) -> None:
        """Its turn on a row is over."""
        held = int(statement.held)
        if held >= 0:
            statement.held = -1
            if held in self.database.waits.rows:
                self.database.waits.end_turn(transaction, held)
