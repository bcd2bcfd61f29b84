"""MySQL InnoDB's transactions: consistent reads from a read view, locks on records and gaps for everything else.

MySQL 8.0 Reference Manual, "InnoDB Locking and Transaction Model"; InnoDB's row0sel.cc, row0ins.cc and lock0lock.cc for the order of steps.
A record that a delete has marked stays until :meth:`Database.vacuum`, which is InnoDB's purge.
"""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from playground.engine.mvcc.clustered import changed_by, exists, is_deleted, latest, next_key, sorted_keys, visible
from playground.engine.mvcc.database import Database
from playground.engine.mvcc.record_locks import (
    GAP,
    INSERT_INTENTION,
    NEXT_KEY,
    RECORD,
    SUPREMUM,
    RecordLocks,
    record_of,
)
from playground.engine.mvcc.statement import Statement, copied
from playground.engine.mvcc.table import Table
from playground.engine.mvcc.terms import (
    ABORTED,
    ACTIVE,
    BY_KEY,
    BY_RANGE,
    COMMITTED,
    DONE,
    ERROR,
    INSERT,
    MODIFY,
    NEVER,
    NO_LOCK,
    ON_RECORD,
    READ_COMMITTED,
    READ_UNCOMMITTED,
    REPEATABLE_READ,
    SELECT,
    SERIALIZABLE,
    SHARE,
    UPDATE,
    WAITING,
)
from playground.engine.mvcc.transaction import TABLES_MAX, Transaction

DEADLOCK_ERROR: Final = "1213"
DEADLOCK_WORDS: Final = "Deadlock found when trying to get lock; try restarting transaction"
DUPLICATE_ERROR: Final = "1062"
READ_ONLY_ERROR: Final = "1792"
READ_ONLY_WORDS: Final = "Cannot execute statement in a READ ONLY transaction."

STILL: Final = -1
"""Not done with it: the next record is to be looked at."""


@final
class InnoDB(Database):
    """An InnoDB database. A deadlock is found when it comes about, and the lightest in the cycle is rolled back: it may be another than
    who asked, which is then ready, and :meth:`resume` returns its ERROR."""

    def __init__(self) -> None:
        super().__init__()
        self.locks = RecordLocks(self.waits)

    # Running

    def run(self, transaction: Transaction, statement: Statement) -> int:
        """See :meth:`Database.run`."""
        if transaction.is_read_only and statement.kind != SELECT:
            return self.fail_statement(transaction, READ_ONLY_ERROR, READ_ONLY_WORDS)
        transaction.command += 1
        transaction.statement = statement
        statement.snapshot = self.commits
        statement.made_before = len(transaction.made)
        statement.ended_before = len(transaction.ended)
        statement.mode = self.mode_of(transaction, statement)
        if statement.kind == INSERT:
            statement.phase = 0
        elif statement.mode == NO_LOCK:
            return self.consistent_read(transaction, statement)
        else:
            statement.key_at = 0 if statement.path != BY_RANGE else statement.low
        return self.go_on(transaction, statement)

    def mode_of(self, transaction: Transaction, statement: Statement) -> i64:
        """The record locks that a statement takes: SHARE, UPDATE or none. At SERIALIZABLE a plain SELECT shares, but not one that is a
        transaction by itself: that is read-only, and serial without locks (manual, "Transaction Isolation Levels")."""
        if statement.kind != SELECT:
            return UPDATE
        if statement.lock_mode == NO_LOCK:
            return SHARE if transaction.level == SERIALIZABLE and not transaction.is_autocommit else NO_LOCK
        return UPDATE if statement.lock_mode >= 2 else SHARE

    def resume(self, transaction: Transaction) -> int:
        """See :meth:`Database.resume`."""
        if transaction.state != ACTIVE:
            return ERROR
        statement = transaction.statement
        assert statement is not None
        return self.go_on(transaction, statement)

    def go_on(self, transaction: Transaction, statement: Statement) -> int:
        """Take steps until the statement is done, fails or waits; a wait that closes a cycle of waits ends somebody."""
        status = self.insert(transaction, statement) if statement.kind == INSERT else self.scan(transaction, statement)
        if status == WAITING:
            return self.check_deadlock(transaction)
        if status == DONE:
            transaction.statement = None
            # Everything that it locked it saw as it is now.
            statement.snapshot = self.commits
        return status

    def blockers(self, transaction: Transaction) -> list[Transaction]:
        """Whom it waits for."""
        return self.locks.blockers(transaction) if transaction.waits == ON_RECORD else []

    def check_deadlock(self, transaction: Transaction) -> int:
        """See :meth:`Database.check_deadlock`."""
        # One wait may close several cycles; each has its own victim. Whoever goes may make way for it, and then it waits no more.
        while transaction.waits == ON_RECORD and transaction.locked:
            cycle = self.locks.cycle(transaction)
            if not cycle:
                return WAITING
            self.deadlocks += 1
            victim = transaction
            for other in cycle:
                if self.weight(other) < self.weight(victim):
                    victim = other
            victim.error, victim.message = DEADLOCK_ERROR, DEADLOCK_WORDS
            victim.detail = ", ".join(str(int(one.number)) for one in cycle)
            self.roll_back(victim)
            if victim is transaction:
                return ERROR
            self.waits.ready.append(victim)
        return WAITING

    def weight(self, transaction: Transaction) -> int:
        """How heavy it is: the rows that it has changed, and its lock structures (TRX_WEIGHT)."""
        updates = sum(self.tables[packed % TABLES_MAX].newer[packed // TABLES_MAX] >= 0 for packed in transaction.ended)
        changes = len(transaction.made) + len(transaction.ended) - updates
        return changes + self.locks.structures(transaction)

    def fail_statement(self, transaction: Transaction, error: str, message: str) -> int:
        """Only the statement is undone; the transaction goes on, with the locks that it has."""
        statement = transaction.statement
        if statement is not None:
            made = transaction.made[int(statement.made_before) :]
            self.undo_to(transaction, int(statement.made_before), int(statement.ended_before))
            self.leave_gaps(made)
            transaction.statement = None
        transaction.error, transaction.message, transaction.detail = error, message, ""
        return ERROR

    # Ending

    def commit(self, transaction: Transaction) -> int:
        """See :meth:`Database.commit`."""
        self.keep(transaction)
        if transaction.xid:
            self.active.pop(int(transaction.xid), None)
        self.locks.release(transaction)
        self.close(transaction, COMMITTED)
        return DONE

    def abort(self, transaction: Transaction) -> int:
        """ROLLBACK: always DONE."""
        if transaction.state == ACTIVE:
            self.roll_back(transaction)
        return DONE

    def roll_back(self, transaction: Transaction) -> None:
        """Undo everything, and let go of all locks: first of what it waits for (lock_cancel_waiting_and_release), or undoing an insert
        could find it among those who wait for that record."""
        self.locks.cancel(transaction)
        made = transaction.made
        self.undo_to(transaction, 0, 0)
        self.aborts += 1
        if transaction in self.waits.ready:
            self.waits.ready.remove(transaction)
        if transaction.xid:
            self.active.pop(int(transaction.xid), None)
        self.leave_gaps(made)
        self.locks.release(transaction)
        self.close(transaction, ABORTED)

    def leave_gaps(self, made: list[int]) -> None:
        """Records that were inserted and undone are gone; locks on them are on the gaps that they leave."""
        for packed in made:
            table = self.tables[packed % TABLES_MAX]
            key = table.key(packed // TABLES_MAX)
            record = record_of(table.number, key)
            if record in self.locks.queues and not exists(table, key):
                self.locks.inherit(record, record_of(table.number, next_key(table, key + 1)))

    # Consistent reads

    def version_for(self, transaction: Transaction, statement: Statement, key: i64) -> i64:
        """What a statement sees of a key, -1 for no row: the newest of all at READ UNCOMMITTED, else by its read view."""
        table = statement.table
        if transaction.level == READ_UNCOMMITTED and statement.mode == NO_LOCK:
            position = latest(table, key)
            return -1 if position < 0 or is_deleted(table, position) else position
        return visible(table, key, statement.snapshot, transaction.xid)

    def seen(self, transaction: Transaction, statement: Statement) -> list[int]:
        """See :meth:`Database.seen`."""
        positions = [self.version_for(transaction, statement, key) for key in sorted_keys(statement.table)]
        return [int(position) for position in positions if position >= 0]

    def consistent_read(self, transaction: Transaction, statement: Statement) -> int:
        """A SELECT without locks: it waits for nobody."""
        if transaction.level == REPEATABLE_READ:
            if transaction.snapshot < 0:
                transaction.snapshot = self.commits
            statement.snapshot = transaction.snapshot
        keys = statement.keys if statement.path == BY_KEY else sorted_keys(statement.table)
        if statement.path == BY_RANGE:
            keys = [key for key in keys if statement.low <= key <= statement.high]
        for key in keys:
            position = self.version_for(transaction, statement, key)
            if position >= 0 and statement.matches(position):
                statement.found.append(int(position))
                statement.count += 1
            if statement.failure:
                return self.fail_statement(transaction, statement.failure_code, statement.failure)
        transaction.statement = None
        return DONE

    # Locking reads and writes

    def locks_gaps(self, transaction: Transaction) -> bool:
        """Whether gaps are locked: not at READ COMMITTED and below."""
        return transaction.level > READ_COMMITTED

    def scan(self, transaction: Transaction, statement: Statement) -> int:
        """SELECT with locks, UPDATE, DELETE: one record after the other."""
        while True:
            if statement.path == BY_KEY:
                if statement.key_at >= len(statement.keys):
                    return DONE
                status = self.by_key(transaction, statement, statement.keys[statement.key_at])
            else:
                status = self.by_scan(transaction, statement)
            if status != STILL:
                return status

    def by_key(self, transaction: Transaction, statement: Statement, key: i64) -> int:
        """One record by its key. Where there is none, the gap in its place is locked."""
        table = statement.table
        position = latest(table, key)
        if position >= 0:
            is_there = not is_deleted(table, position)
            kind = RECORD if is_there or not self.locks_gaps(transaction) else NEXT_KEY
            if not self.lock_row(transaction, statement, key, kind):
                return WAITING
            if is_there:
                statement.key_at += 1
                return self.row(transaction, statement, position, key)
        if self.locks_gaps(transaction):
            self.lock(transaction, table, next_key(table, key + 1), statement.mode, GAP)
        statement.key_at += 1
        return STILL

    def by_scan(self, transaction: Transaction, statement: Statement) -> int:
        """The next record of a scan or a range, and the gap before it."""
        table = statement.table
        if statement.path == BY_RANGE and statement.key_at > statement.high and not statement.is_high_open:
            # The row at the range's end was the last: no other has its key.
            return DONE
        key = next_key(table, statement.key_at)
        gaps = self.locks_gaps(transaction)
        if key == SUPREMUM or (statement.path == BY_RANGE and key > statement.high):
            # Only the gap before it can be of the range (8.0.18 and later; row_compare_row_to_range).
            if gaps and not self.lock(transaction, table, key, statement.mode, NEXT_KEY if key == SUPREMUM else GAP):
                return WAITING
            return DONE
        is_first = statement.path == BY_RANGE and key == statement.low and not statement.is_low_open
        kind = NEXT_KEY if gaps and not is_first else RECORD
        is_update = statement.kind == MODIFY
        if not gaps and is_update and self.would_wait(transaction, table, key, statement.mode, kind):
            # Semi-consistent read: what had committed decides whether the record is worth waiting for.
            committed = visible(table, key, self.commits, transaction.xid)
            is_worth_it = committed >= 0 and (statement.matches(committed) or statement.failure != "")
            statement.failure = ""
            if not is_worth_it:
                statement.key_at = key + 1
                return STILL
        if not self.lock_row(transaction, statement, key, kind):
            return WAITING
        statement.key_at = key + 1
        position = latest(table, key)
        if position < 0 or is_deleted(table, position):
            return STILL
        return self.row(transaction, statement, position, key)

    def make_explicit(self, table: Table, key: i64) -> None:
        """Whoever has changed a record and not ended yet has locked it: others have to find that lock."""
        owner = changed_by(table, key)
        if owner:
            holder = self.active[int(owner)]
            record = record_of(table.number, key)
            if not self.locks.holds(holder, record):
                self.locks.grant(holder, record, UPDATE, RECORD)

    def would_wait(self, transaction: Transaction, table: Table, key: i64, mode: i64, kind: int) -> bool:
        """Whether a lock can't be had now."""
        self.make_explicit(table, key)
        return self.locks.is_blocked(transaction, record_of(table.number, key), int(mode), kind)

    def lock(self, transaction: Transaction, table: Table, key: i64, mode: i64, kind: int) -> bool:
        """Get a record lock; False: it queues."""
        if key != SUPREMUM:
            self.make_explicit(table, key)
        return self.locks.request(transaction, record_of(table.number, key), int(mode), kind)

    def lock_row(self, transaction: Transaction, statement: Statement, key: i64, kind: int) -> bool:
        """Get the lock on a record that a scan has come to; ``held`` has the record if the lock is new. False: it queues."""
        record = record_of(statement.table.number, key)
        self.make_explicit(statement.table, key)
        queue = self.locks.queues.get(record)
        is_new = queue is None or not self.locks.has(transaction, queue, int(statement.mode), kind)
        if is_new:
            statement.held = record
        elif statement.held != record:
            statement.held = -1
        return self.locks.request(transaction, record, int(statement.mode), kind)

    def row(self, transaction: Transaction, statement: Statement, position: i64, key: i64) -> int:
        """A locked record that is there: return, change or delete it if the condition is true of it."""
        table = statement.table
        if not statement.matches(position):
            if statement.failure:
                return self.fail_statement(transaction, statement.failure_code, statement.failure)
            record = record_of(table.number, key)
            if statement.held == record and not self.locks_gaps(transaction):
                statement.held = -1
                self.locks.release_one(transaction, record, int(statement.mode), RECORD)
            return STILL
        statement.count += 1
        if statement.kind == SELECT:
            statement.found.append(int(position))
            return STILL
        xid = self.give_xid(transaction)
        newer: i64 = -1
        if statement.kind == MODIFY:
            newer = table.new_version(xid, transaction.command)
            transaction.made.append(int(newer * TABLES_MAX + table.number))
            copied(table, position, newer)
            statement.change(newer)
            if statement.failure:
                return self.fail_statement(transaction, statement.failure_code, statement.failure)
            if table.row(newer) == table.row(position):
                # An update that changes nothing writes nothing.
                transaction.made.pop()
                table.made_at[newer] = NEVER
                table.retire(newer)
                statement.found.append(int(position))
                return STILL
        table.end(position, xid, transaction.command, UPDATE, newer)
        transaction.ended.append(int(position * TABLES_MAX + table.number))
        statement.found.append(int(newer if newer >= 0 else position))
        return STILL

    def insert(self, transaction: Transaction, statement: Statement) -> int:
        """INSERT: look for the key, ask for the gap, put the row in."""
        table = statement.table
        while True:
            if statement.phase == 0:
                xid = self.give_xid(transaction)
                statement.current = table.new_version(xid, transaction.command)
                # Nobody meets it before it is in the index.
                transaction.made.append(int(statement.current * TABLES_MAX + table.number))
                statement.fill(statement.current)
                statement.phase = 1
            key = table.key(statement.current)
            position = latest(table, key)
            if position >= 0:
                kind = NEXT_KEY if self.locks_gaps(transaction) else RECORD
                if not self.lock(transaction, table, key, SHARE, kind):
                    return WAITING
                if not is_deleted(table, position):
                    message = f"Duplicate entry '{key}' for key '{table.name}.PRIMARY'"
                    return self.fail_statement(transaction, DUPLICATE_ERROR, message)
                if not self.lock(transaction, table, key, UPDATE, RECORD):
                    return WAITING
            else:
                following = next_key(table, key + 1)
                if not self.lock(transaction, table, following, UPDATE, INSERT_INTENTION):
                    return WAITING
                self.locks.split(transaction, record_of(table.number, key), record_of(table.number, following))
            table.enter(statement.current)
            statement.found.append(int(statement.current))
            statement.count += 1
            if not statement.more_rows():
                return DONE
            statement.phase = 0
