"""PostgreSQL 15's transactions: MVCC with row locks, first-updater-wins snapshots, and serializable snapshot isolation.

Which steps a statement takes, and where it waits, follows PostgreSQL's heapam.c (heap_update, heap_delete, heap_lock_tuple),
heapam_handler.c (following a row to its newest version), nodeModifyTable.c and nodeLockRows.c (the check of the newest version at READ
COMMITTED, "EvalPlanQual"), nbtinsert.c (the unique check), and the manual's chapter 13.
"""

from __future__ import annotations

from typing import Final, final

from playground.engine.mvcc.database import Database
from playground.engine.mvcc.deadlocks import rearranged
from playground.engine.mvcc.row_waits import OK, WAIT
from playground.engine.mvcc.rows import FAIL, FAILURE, GONE, MOVED, RowWork
from playground.engine.mvcc.ssi import PIVOT_READING, Serializability
from playground.engine.mvcc.statement import Statement
from playground.engine.mvcc.terms import (
    ABORTED,
    ACTIVE,
    BY_KEY,
    COMMITTED,
    CONCURRENT_DELETE,
    CONCURRENT_UPDATE,
    DEADLOCK,
    DEADLOCK_DETECTED,
    DEPENDENCIES,
    DONE,
    ERROR,
    FAILED,
    FAILED_TRANSACTION,
    IN_FAILED_TRANSACTION,
    INSERT,
    NO_LOCK,
    READ_ONLY_TRANSACTION,
    SELECT,
    SERIALIZABLE,
    SERIALIZATION_FAILURE,
    WAITING,
)
from playground.engine.mvcc.transaction import TABLES_MAX, Transaction

NEXT_ROW: Final = 0
TRY_ROW: Final = 1
FOLLOW: Final = 2
LOCK_NEWEST: Final = 3
PUT_ROW: Final = 4
CHECK_KEY: Final = 5
"""How far a statement is: look for a row; try to lock or write it; follow it to its newest version; lock that one and look at it
again; INSERT: put a version into the heap; look whether its key is there."""

WORDS: Final = ["SELECT", "INSERT", "UPDATE", "DELETE"]


@final
class PostgreSQL(Database):
    """A PostgreSQL database. READ UNCOMMITTED is READ COMMITTED.

    Whoever owns the clock calls :meth:`check_deadlock` for a transaction that has waited for deadlock_timeout: it is the victim if it is
    in a cycle then. When each wait is checked before the next step is taken, that is whoever closes the cycle.
    """

    def __init__(self) -> None:
        super().__init__()
        self.ssi = Serializability()
        self.work = RowWork(self)

    def run(self, transaction: Transaction, statement: Statement) -> int:
        """See :meth:`Database.run`."""
        if transaction.state != ACTIVE:
            return self.fail(transaction, IN_FAILED_TRANSACTION, FAILED_TRANSACTION)
        if transaction.is_read_only and (statement.kind != SELECT or statement.lock_mode != NO_LOCK):
            what = WORDS[statement.kind]
            if statement.kind == SELECT:
                what = (
                    "SELECT " + ["FOR KEY SHARE", "FOR SHARE", "FOR NO KEY UPDATE", "FOR UPDATE"][statement.lock_mode]
                )
            message = f"cannot execute {what} in a read-only transaction"
            return self.fail(transaction, READ_ONLY_TRANSACTION, message)
        transaction.command += 1
        if transaction.snapshot < 0:
            self.take_snapshot(transaction)
        statement.snapshot = transaction.snapshot
        transaction.statement = statement
        if statement.kind == INSERT:
            statement.phase = PUT_ROW
        else:
            statement.phase = NEXT_ROW
            if statement.path != BY_KEY:
                if not self.work.scan(transaction, statement):
                    return self.fail_dependencies(transaction)
            else:
                statement.candidates = []
                statement.at = 0
        return self.go_on(transaction, statement)

    def take_snapshot(self, transaction: Transaction) -> None:
        """See all that is committed now, and nothing that commits later."""
        transaction.snapshot = self.commits
        if transaction.level == SERIALIZABLE:
            transaction.snapshot_xmin = self.oldest_active()
            transaction.serializable = self.ssi.begin(
                transaction.number, transaction.is_read_only, transaction.snapshot_xmin, self.commits
            )

    def resume(self, transaction: Transaction) -> int:
        """See :meth:`Database.resume`."""
        statement = transaction.statement
        assert statement is not None
        return self.go_on(transaction, statement)

    def go_on(self, transaction: Transaction, statement: Statement) -> int:
        """Take steps until the statement is done, fails or waits."""
        status = self.insert(transaction, statement) if statement.kind == INSERT else self.rows(transaction, statement)
        if status == DONE:
            transaction.statement = None
            if transaction.level < 2:
                transaction.snapshot = -1
            return DONE
        return status

    def check_deadlock(self, transaction: Transaction) -> int:
        """Its deadlock_timeout has passed: WAITING when it waits in no cycle, or another order of the queues at rows ends the cycle (some
        are ready then, it may be one of them); else it is the victim: ERROR."""
        statement = transaction.statement
        if statement is None or not self.waits.could_be_cycle(transaction, statement.held >= 0):
            return WAITING
        cycle = self.waits.cycle(transaction, self.active)
        if not cycle or rearranged(self.waits, self.active, transaction):
            return WAITING
        self.deadlocks += 1
        detail = ", ".join(str(int(one.number)) for one in cycle)
        return self.fail(transaction, DEADLOCK_DETECTED, DEADLOCK, detail)

    def fail(self, transaction: Transaction, error: str, message: str, detail: str = "") -> int:
        """See :meth:`Database.fail`."""
        statement = transaction.statement
        was_active = transaction.state == ACTIVE
        super().fail(transaction, error, message, detail)
        if was_active:
            self.left(transaction, statement)
        return ERROR

    def left(self, transaction: Transaction, statement: Statement | None) -> None:
        """It rolled back: its turn on a row, and what is known of its conflicts, go."""
        if statement is not None and statement.held >= 0:
            self.work.row_waits.let_go(transaction, statement)
        mine = transaction.serializable
        if mine is not None and not mine.is_rolled_back:
            self.ssi.release(mine, False, self.next_xid)

    def fail_dependencies(self, transaction: Transaction) -> int:
        """The failure of serializable snapshot isolation, with PostgreSQL's reason."""
        return self.fail(transaction, SERIALIZATION_FAILURE, DEPENDENCIES, "Reason code: " + self.ssi.reason)

    def abort(self, transaction: Transaction) -> int:
        """ROLLBACK: always DONE."""
        if transaction.state == ACTIVE:
            statement = transaction.statement
            self.undo(transaction)
            self.left(transaction, statement)
        self.close(transaction, ABORTED)
        return DONE

    def prepare(self, transaction: Transaction) -> int:
        """See :meth:`Database.prepare`; PostgreSQL's PreCommit_CheckForSerializationFailure."""
        mine = transaction.serializable
        if mine is None or mine.is_prepared or not self.ssi.is_tracked(mine) or self.ssi.prepare(mine):
            return DONE
        self.fail_dependencies(transaction)
        self.close(transaction, ABORTED)
        return ERROR

    def commit(self, transaction: Transaction) -> int:
        """See :meth:`Database.commit`."""
        if transaction.state == FAILED:
            self.close(transaction, ABORTED)
            return DONE
        if self.prepare(transaction) == ERROR:
            return ERROR
        mine = transaction.serializable
        self.keep(transaction)
        self.unlock(transaction)
        if mine is not None and not mine.is_rolled_back:
            self.ssi.release(mine, True, self.next_xid, self.commits if transaction.xid else -1)
        self.close(transaction, COMMITTED)
        return DONE

    def seen(self, transaction: Transaction, statement: Statement) -> list[int]:
        """See :meth:`Database.seen`."""
        table = statement.table
        return [
            position
            for position in range(int(table.size))
            if self.work.is_visible(transaction, statement.snapshot, table, position)
        ]

    def rows(self, transaction: Transaction, statement: Statement) -> int:
        """SELECT, UPDATE, DELETE: one row after the other."""
        work = self.work
        while True:
            phase = statement.phase
            ready = len(self.waits.ready)
            if phase == NEXT_ROW:
                position = work.next_row(transaction, statement)
                if position == -2:
                    return self.fail_dependencies(transaction)
                if position == -3:
                    return self.fail(transaction, statement.failure_code, statement.failure)
                if position < 0:
                    return DONE
                if statement.lock_mode == NO_LOCK:
                    statement.found.append(int(position))
                    statement.count += 1
                    continue
                statement.current = position
                statement.moved = False
                statement.phase = TRY_ROW
                if statement.may_fail:
                    statement.try_change(position)
                    if statement.failure:
                        return self.fail(transaction, statement.failure_code, statement.failure)
            if phase == FOLLOW:
                result = work.follow(transaction, statement)
                if result == OK:
                    statement.phase = LOCK_NEWEST
            elif phase == LOCK_NEWEST:
                result = work.lock_row(transaction, statement)
                if result == OK:
                    is_match = statement.matches(statement.current)
                    if is_match and statement.may_fail:
                        statement.try_change(statement.current)
                    if statement.failure:
                        return self.fail(transaction, statement.failure_code, statement.failure)
                    if not is_match:
                        # It stays locked all the same.
                        result = GONE
                    elif statement.kind == SELECT:
                        self.return_row(statement)
                        continue
                    else:
                        statement.phase = TRY_ROW
            elif statement.kind == SELECT:
                result = work.lock_row(transaction, statement)
                if result == OK:
                    self.return_row(statement)
                    continue
            else:
                result = work.write_row(transaction, statement)
                if result == OK:
                    self.return_row(statement)
                    continue
            if result == WAIT:
                return WAITING
            if result == FAILURE:
                return ERROR
            if result == FAIL:
                return self.fail_dependencies(transaction)
            if result == GONE or result == MOVED:
                if transaction.level >= 2:
                    is_delete = result == GONE and statement.kind != SELECT
                    return self.fail(
                        transaction, SERIALIZATION_FAILURE, CONCURRENT_DELETE if is_delete else CONCURRENT_UPDATE
                    )
                statement.phase = NEXT_ROW if result == GONE else FOLLOW
                if self.hands_over and result == MOVED and len(self.waits.ready) > ready:
                    self.waits.ready.append(transaction)
                    return WAITING

    def return_row(self, statement: Statement) -> None:
        """One more row is done."""
        statement.found.append(int(statement.current))
        statement.count += 1
        statement.phase = NEXT_ROW

    def insert(self, transaction: Transaction, statement: Statement) -> int:
        """INSERT: first into the heap, then, when no such key is there, into the index."""
        table = statement.table
        while True:
            if statement.phase == PUT_ROW:
                xid = self.work.xid_of(transaction)
                if not self.work.notes.inserts(transaction, table):
                    return self.fail_dependencies(transaction)
                position = table.new_version(xid, transaction.command)
                transaction.made.append(int(position * TABLES_MAX + table.number))
                statement.fill(position)
                statement.current = position
                statement.phase = CHECK_KEY
            result = self.work.check_key(transaction, statement)
            if result == WAIT:
                return WAITING
            if result == FAIL:
                return self.fail_dependencies(transaction)
            if result == GONE:
                return self.work.fail_duplicate(transaction, table, statement.current)
            table.enter(statement.current)
            statement.found.append(int(statement.current))
            statement.count += 1
            if not statement.more_rows():
                return DONE
            statement.phase = PUT_ROW

    def is_doomed(self, transaction: Transaction) -> bool:
        """Whether another has decided that this serializable transaction must fail."""
        mine = transaction.serializable
        if mine is not None and mine.is_doomed and not mine.is_rolled_back:
            self.ssi.reason = PIVOT_READING
            return True
        return False
