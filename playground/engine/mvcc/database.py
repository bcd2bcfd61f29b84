"""What both dialects share: tables, transactions, xids and commit numbers, undoing, and vacuum."""

from __future__ import annotations

from mypy_extensions import i64, mypyc_attr

from playground.engine.mvcc.statement import Statement
from playground.engine.mvcc.table import Table
from playground.engine.mvcc.terms import (
    ABORTED,
    ACTIVE,
    COMMITTED,
    DONE,
    ERROR,
    FAILED,
    NEVER,
    NOTHING,
    PENDING,
    READ_COMMITTED,
)
from playground.engine.mvcc.transaction import TABLES_MAX, Transaction
from playground.engine.mvcc.waiting import Waits
from playground.engine.state import State

FIRST_XID = 2
"""The rows that are there from the beginning were made by 1."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Database(State):
    """A database: begin a transaction, :meth:`run` statements in it, :meth:`commit` or :meth:`abort` it.

    A statement that has to wait returns WAITING; when somebody else's statement or end makes it ready, its transaction is in
    ``waits.ready``, and :meth:`resume` goes on with it. Waits that begin are in ``waits.begun``; whoever reads these two lists empties
    them. Everything happens when it is called, in the order of the calls.
    """

    def __init__(self) -> None:
        self.tables: list[Table] = []
        # Those with an xid that have not ended, in the order of xid; and all that have not ended, by number.
        self.active: dict[int, Transaction] = {}
        self.open: dict[int, Transaction] = {}
        self.begun: i64 = 0
        self.next_xid: i64 = FIRST_XID
        self.commits: i64 = 0
        self.aborts: i64 = 0
        self.deadlocks: i64 = 0
        self.waits = Waits()
        # Whether one whose turn on a row comes is faster at following it to its newest version than the one who had it; a process may be.
        self.hands_over: bool = False

    def create_table(self, name: str, columns: list[str], keys_per_leaf: int = 366, rows_per_page: int = 226) -> Table:
        """A new, empty table of whole-number columns, the first of which is the primary key.

        ``keys_per_leaf`` (keys next to one another share an index leaf page) and ``rows_per_page`` say how much a SIREAD lock on a page
        covers; the numbers are those of 8 KB pages and rows of two 4-byte columns. Raises ValueError when there are TABLES_MAX already.
        """
        if len(self.tables) >= TABLES_MAX:
            raise ValueError(f"a database has at most {TABLES_MAX} tables")
        table = Table(len(self.tables), name, columns, keys_per_leaf, rows_per_page)
        self.tables.append(table)
        return table

    def begin(self, level: i64, is_read_only: bool = False, owner: i64 = -1) -> Transaction:
        """A new transaction. ``owner`` is kept for whoever resumes it."""
        self.begun += 1
        transaction = Transaction(self.begun, level, is_read_only, owner)
        self.open[int(self.begun)] = transaction
        return transaction

    def run(self, transaction: Transaction, statement: Statement) -> int:
        """Run a statement, as far as it goes: DONE, WAITING or ERROR (see the transaction's ``error``)."""
        raise NotImplementedError

    def resume(self, transaction: Transaction) -> int:
        """Go on with a statement that waited: DONE, WAITING or ERROR."""
        raise NotImplementedError

    def check_deadlock(self, transaction: Transaction) -> int:
        """Look whether a transaction that waits is in a deadlock: WAITING, or ERROR when it is the victim. Others may be ready then."""
        raise NotImplementedError

    def prepare(self, transaction: Transaction) -> int:
        """What comes before a commit is made durable: DONE when :meth:`commit` can't fail any more, or ERROR: it is rolled back then."""
        return DONE

    def commit(self, transaction: Transaction) -> int:
        """DONE, or ERROR when it may not commit: it is rolled back then. One that has FAILED is rolled back, and DONE."""
        raise NotImplementedError

    def abort(self, transaction: Transaction) -> int:
        """ROLLBACK: always DONE."""
        if transaction.state == ACTIVE:
            self.undo(transaction)
        self.close(transaction, ABORTED)
        return DONE

    def give_xid(self, transaction: Transaction) -> i64:
        """Its xid; given now where it has none."""
        if transaction.xid == 0:
            transaction.xid = self.next_xid
            self.next_xid += 1
            self.active[int(transaction.xid)] = transaction
        return transaction.xid

    def oldest_active(self) -> i64:
        """The oldest xid that has not ended; the next one where there is none."""
        for xid in self.active:
            return xid
        return self.next_xid

    def keep(self, transaction: Transaction) -> None:
        """Its versions are committed."""
        if transaction.xid:
            self.commits += 1
            number = self.commits
            for packed in transaction.made:
                self.tables[packed % TABLES_MAX].made_at[packed // TABLES_MAX] = number
            for packed in transaction.ended:
                table = self.tables[packed % TABLES_MAX]
                table.ended_at[packed // TABLES_MAX] = number
                table.retired.append(packed // TABLES_MAX)

    def undo(self, transaction: Transaction) -> None:
        """Its versions never were, what it ended lives, its locks are gone and whoever waited for it may go on."""
        self.undo_to(transaction, 0, 0)
        self.aborts += 1
        self.waits.leave(transaction, self.active)
        self.unlock(transaction)

    def undo_to(self, transaction: Transaction, made: int, ended: int) -> None:
        """Undo what it did after it had made and ended so many versions."""
        for packed in transaction.ended[ended:]:
            table, position = self.tables[packed % TABLES_MAX], packed // TABLES_MAX
            # One that it ended again after a statement was undone keeps its later end.
            if table.ended_by[position] == transaction.xid and table.ended_at[position] == PENDING:
                table.undo_end(position)
        for packed in transaction.made[made:]:
            table, position = self.tables[packed % TABLES_MAX], packed // TABLES_MAX
            table.made_at[position] = NEVER
            table.retired.append(position)
        if made == 0 and ended == 0:
            transaction.made = []
            transaction.ended = []
        else:
            transaction.made = transaction.made[:made]
            transaction.ended = transaction.ended[:ended]

    def unlock(self, transaction: Transaction) -> None:
        """Let go of its row locks and wake those that wait for its end."""
        xid = transaction.xid
        for packed in transaction.locked:
            self.tables[packed % TABLES_MAX].drop_lock(packed // TABLES_MAX, int(xid))
        if xid:
            self.active.pop(int(xid), None)
        self.waits.ended(transaction)

    def close(self, transaction: Transaction, state: i64) -> None:
        """It is over."""
        transaction.state = state
        transaction.statement = None
        transaction.waits = NOTHING
        self.open.pop(int(transaction.number), None)

    def fail(self, transaction: Transaction, error: str, message: str, detail: str = "") -> int:
        """An error: PostgreSQL rolls the whole transaction back at once, and waits for its session to say ROLLBACK. Returns ERROR."""
        transaction.error = error
        transaction.message = message
        transaction.detail = detail
        if transaction.state == ACTIVE:
            self.undo(transaction)
            transaction.state = FAILED
        transaction.snapshot = -1
        transaction.statement = None
        return ERROR

    def blockers(self, transaction: Transaction) -> list[Transaction]:
        """Whom it waits for; empty when it does not wait."""
        return self.waits.blockers(transaction, self.active)

    def seen(self, transaction: Transaction, statement: Statement) -> list[int]:
        """Positions of the versions of its table that a statement which is done could see, whether they fell under its condition or not."""
        raise NotImplementedError

    def oldest_snapshot(self) -> i64:
        """The commit number of the oldest snapshot in use."""
        oldest = self.commits
        for transaction in self.open.values():
            if 0 <= transaction.snapshot < oldest:
                oldest = transaction.snapshot
        return oldest

    def dead_versions(self) -> int:
        """Versions that are no row any more, and wait for vacuum."""
        return sum(len(table.retired) for table in self.tables)

    def vacuum(self) -> int:
        """Remove the dead versions that no snapshot can see; how many went."""
        oldest = self.oldest_snapshot()
        return sum(table.vacuum(oldest) for table in self.tables)

    def keeps_snapshot(self, transaction: Transaction) -> bool:
        """Whether one snapshot serves all of its statements."""
        return transaction.level > READ_COMMITTED

    def has_ended(self, transaction: Transaction) -> bool:
        """Whether it is over for good."""
        return transaction.state == COMMITTED or transaction.state == ABORTED
