"""What PostgreSQL does with single row versions: find, lock, write, follow and check them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from mypy_extensions import i64

from playground.engine.mvcc.notes import Notes
from playground.engine.mvcc.row_waits import OK, WAIT, RowWaits
from playground.engine.mvcc.ssi import HEAP
from playground.engine.mvcc.ssi import SerializableTransaction as Tracked
from playground.engine.mvcc.statement import Statement, copied
from playground.engine.mvcc.table import Table
from playground.engine.mvcc.terms import (
    BY_KEY,
    BY_RANGE,
    BY_SCAN,
    KEY_SHARE,
    MODIFY,
    NEVER,
    NO_KEY_UPDATE,
    PENDING,
    SELECT,
    UNIQUE_VIOLATION,
    modes_conflict,
)
from playground.engine.mvcc.transaction import TABLES_MAX, Transaction
from playground.engine.state import State

if TYPE_CHECKING:
    from playground.engine.mvcc.postgresql import PostgreSQL

FAIL: Final = 2
GONE: Final = 3
MOVED: Final = 4
FAILURE: Final = 5
"""What trying a row comes to, beside OK and WAIT: a serialization failure (``ssi.reason``); it was deleted; it was updated; the transaction
has failed for another reason."""


@final
class RowWork(State):
    """The steps of :class:`PostgreSQL`'s statements that deal with one version at a time."""

    def __init__(self, database: PostgreSQL) -> None:
        self.database = database
        self.notes = Notes(database)
        self.row_waits = RowWaits(database)

    def xid_of(self, transaction: Transaction) -> i64:
        """Its xid, given now where it has none."""
        if transaction.xid == 0:
            self.database.give_xid(transaction)
            mine = transaction.serializable
            if mine is not None:
                self.database.ssi.know_xid(mine, transaction.xid)
        return transaction.xid

    # Finding

    def scan(self, transaction: Transaction, statement: Statement) -> bool:
        """Find all rows of a scan, in the order of the heap, or the keys of a range. False: a serialization failure."""
        table = statement.table
        mine = self.notes.tracked(transaction)
        candidates: list[int] = []
        statement.candidates = candidates
        statement.at = 0
        if statement.path == BY_RANGE:
            if mine is not None:
                self.notes.lock_leaves(mine, table, statement.low, statement.high)
            # The leaf's entries are read at once, the heap entry by entry, as the statement comes to them.
            statement.keys = sorted_keys(table, statement.low, statement.high)
            statement.key_at = 0
            return True
        if mine is not None:
            self.database.ssi.lock_relation(mine, table.number, HEAP)
        position = 0
        while position < table.size:
            if table.made_at[position] != NEVER:
                is_visible = self.is_visible(transaction, statement.snapshot, table, position)
                if mine is not None and not self.notes.read(transaction, mine, table, position, is_visible):
                    return False
                # Where the condition fails, the rows before are locked or written first.
                if is_visible and not statement.failure and statement.matches(position):
                    candidates.append(int(position))
            position += 1
        self.put_off(statement)
        return True

    def put_off(self, statement: Statement) -> None:
        """The condition of a row that was found can't be told: the statement fails when it comes to that row."""
        if statement.failure:
            statement.later_failure = statement.failure
            statement.failure = ""

    def next_row(self, transaction: Transaction, statement: Statement) -> i64:
        """The next version that its snapshot sees and its WHERE clause is true of.

        -1: there is none, -2: a serialization failure, -3: of the next row the condition can't be told.
        """
        while statement.at >= len(statement.candidates):
            if statement.later_failure:
                statement.failure = statement.later_failure
                return -3
            if statement.path == BY_SCAN or statement.key_at >= len(statement.keys):
                return -1
            table = statement.table
            mine = self.notes.tracked(transaction)
            key: i64 = statement.keys[statement.key_at]
            statement.key_at += 1
            if mine is not None and statement.path == BY_KEY:
                self.notes.lock_leaves(mine, table, key, key)
            if not self.find_key(transaction, statement, table, key, mine):
                return -2
        statement.at += 1
        return statement.candidates[statement.at - 1]

    def find_key(
        self, transaction: Transaction, statement: Statement, table: Table, key: i64, mine: Tracked | None
    ) -> bool:
        """Add the versions with a key that the snapshot sees to the candidates. False: a serialization failure.

        There can be two: one that another has deleted since the snapshot, and one that the transaction itself put there after that.
        """
        first = table.index.find(key)
        while first >= 0:
            position = first
            while position >= 0:
                is_visible = self.is_visible(transaction, statement.snapshot, table, position)
                if mine is not None and not self.notes.read(transaction, mine, table, position, is_visible):
                    return False
                if is_visible:
                    if mine is not None and table.made_by[position] != transaction.xid:
                        self.notes.lock_version(mine, table, position)
                    if statement.matches(position):
                        statement.candidates.append(int(position))
                    break
                position = table.newer[position]
            first = table.sibling[first]
        self.put_off(statement)
        return True

    def is_visible(self, transaction: Transaction, snapshot: i64, table: Table, position: i64) -> bool:
        """Whether the snapshot of a statement sees a version: its maker's commit, but not its ender's, or its own earlier commands'."""
        made = table.made_at[position]
        if made == PENDING:
            if table.made_by[position] != transaction.xid or table.made_in[position] >= transaction.command:
                return False
        elif made > snapshot:
            return False
        ended = table.ended_at[position]
        if ended == PENDING:
            return table.ended_by[position] != transaction.xid or table.ended_in[position] >= transaction.command
        return ended > snapshot

    # Locking and writing

    def state_of(self, transaction: Transaction, table: Table, position: i64, mode: i64) -> int:
        """OK, or what a committed transaction (or itself) has done to a version: MOVED or GONE, where ``mode`` minds that."""
        ended = table.ended_at[position]
        if ended >= PENDING and not (ended == PENDING and table.ended_by[position] == transaction.xid):
            return OK
        if not modes_conflict(int(mode), int(table.ended_mode[position])):
            return OK
        return MOVED if table.newer[position] >= 0 else GONE

    def write_row(self, transaction: Transaction, statement: Statement) -> int:
        """UPDATE or DELETE the statement's current version: OK, WAIT, FAIL, GONE or MOVED."""
        table = statement.table
        position = statement.current
        mode = statement.lock_mode
        if not self.row_waits.outwaited(transaction, statement):
            return WAIT
        xid = self.xid_of(transaction)
        result = self.state_of(transaction, table, position, mode)
        if result == OK or int(position) in table.row_locks:
            waited = self.row_waits.wait_for_row(transaction, statement, position, mode, result != OK)
            if waited == WAIT:
                return WAIT
        if result == OK and not self.notes.writes(transaction, table, position):
            return FAIL
        self.row_waits.let_go(transaction, statement)
        if result != OK:
            return result
        newer: i64 = -1
        if statement.kind == MODIFY:
            newer = table.new_version(xid, transaction.command)
            transaction.made.append(int(newer * TABLES_MAX + table.number))
            copied(table, position, newer)
            statement.change(newer)
            if statement.failure:
                self.database.fail(transaction, statement.failure_code, statement.failure)
                return FAILURE
        if table.row_locks:
            # A stronger lock of its own stays as strong when the update takes its place.
            for lock in table.locks_on(position):
                if lock.xid == xid and lock.mode > mode:
                    mode = lock.mode
            if newer >= 0:
                self.carry_locks(transaction, table, position, newer)
        table.end(position, xid, transaction.command, mode, newer)
        transaction.ended.append(int(position * TABLES_MAX + table.number))
        if newer >= 0:
            statement.current = newer
        return OK

    def carry_locks(self, transaction: Transaction, table: Table, old: i64, new: i64) -> None:
        """Others' FOR KEY SHARE locks hold for the new version as well."""
        is_stale = int(old) in table.stale_notes
        for lock in table.locks_on(old):
            if lock.xid != transaction.xid:
                other = self.database.active[lock.xid]
                if table.add_lock(new, lock.xid, lock.mode):
                    other.locked.append(int(new * TABLES_MAX + table.number))
            elif lock.mode >= NO_KEY_UPDATE:
                is_stale = True
        if is_stale and int(new) in table.row_locks:
            # The new version has the note that the old one had.
            table.stale_notes[int(new)] = True

    def lock_row(self, transaction: Transaction, statement: Statement) -> int:
        """Lock the statement's current version in its mode: OK, WAIT, GONE or MOVED."""
        table = statement.table
        position = statement.current
        mode = statement.lock_mode
        if not self.row_waits.outwaited(transaction, statement):
            return WAIT
        update = statement.update
        if update >= 0 and table.newer[position] != update:
            # That update was rolled back; vacuum may have given its place to another version since.
            update = -1
            statement.update = -1
        if update >= 0 and table.made_at[update] != PENDING:
            # It waited for an update: the versions after that are locked before anything else is looked at.
            result = self.lock_newer(transaction, table, update, mode)
            if result == WAIT:
                return WAIT
            statement.update = -1
            if result != OK:
                self.row_waits.let_go(transaction, statement)
                return result
        result = self.state_of(transaction, table, position, mode)
        if result == OK:
            for lock in table.locks_on(position):
                if lock.xid == transaction.xid and lock.mode >= mode:
                    self.row_waits.let_go(transaction, statement)
                    return OK
        if result == OK or int(position) in table.row_locks:
            waited = self.row_waits.wait_for_row(transaction, statement, position, mode, result != OK)
            if waited == WAIT:
                if statement.kind == SELECT and table.ended_by[position] != transaction.xid:
                    statement.update = table.newer[position]
                return WAIT
            if result == OK and mode == KEY_SHARE:
                result = self.lock_newer(transaction, table, table.newer[position], mode)
                if result == WAIT:
                    return WAIT
        if result == OK:
            self.lock(transaction, table, position, mode)
        statement.update = -1
        self.row_waits.let_go(transaction, statement)
        return result

    def lock(self, transaction: Transaction, table: Table, position: i64, mode: i64) -> None:
        """Note a row lock."""
        xid = self.xid_of(transaction)
        if table.add_lock(position, int(xid), int(mode)):
            transaction.locked.append(int(position * TABLES_MAX + table.number))

    def lock_newer(self, transaction: Transaction, table: Table, first: i64, mode: i64) -> int:
        """Lock a version that an update put in place, and those after it: OK, WAIT, or what stands in the way: GONE or MOVED."""
        newer = first
        while newer >= 0 and table.made_at[newer] != NEVER:
            blocker: i64 = 0
            ended = table.ended_at[newer]
            ender: i64 = 0
            if ended != NEVER and modes_conflict(int(mode), int(table.ended_mode[newer])):
                ender = table.ended_by[newer]
            # In the order of xid, until one stands in the way, or has the lock already.
            for lock in table.locks_on(newer):
                if 0 < ender < lock.xid:
                    break
                if lock.xid == transaction.xid or modes_conflict(int(mode), lock.mode):
                    blocker = lock.xid
                    break
            if blocker == 0 and ender != 0:
                if ended != PENDING:
                    return MOVED if table.newer[newer] >= 0 else GONE
                blocker = ender
            if blocker == transaction.xid and blocker != 0:
                newer = table.newer[newer]
                continue
            if blocker:
                self.database.waits.for_end(transaction, self.database.active[int(blocker)])
                return WAIT
            self.lock(transaction, table, newer, mode)
            newer = table.newer[newer]
        return OK

    def follow(self, transaction: Transaction, statement: Statement) -> int:
        """From a version that was updated to the newest, waiting for whoever is changing it: OK (``current``), WAIT or GONE.

        An UPDATE or DELETE asks for a lock on the old version first, and if that has locks, for a turn on it anew (heapam_tuple_lock).
        """
        table = statement.table
        if not statement.moved and statement.kind != SELECT and int(statement.current) in table.row_locks:
            if not self.row_waits.outwaited(transaction, statement):
                return WAIT
            mode = statement.lock_mode
            if self.row_waits.wait_for_row(transaction, statement, statement.current, mode, True) == WAIT:
                return WAIT
        self.row_waits.let_go(transaction, statement)
        position = statement.current if statement.moved else table.newer[statement.current]
        statement.moved = True
        while True:
            statement.current = position
            ended = table.ended_at[position]
            if ended == NEVER:
                statement.moved = False
                return OK
            ender = table.ended_by[position]
            if ended == PENDING and ender != transaction.xid:
                self.database.waits.for_end(transaction, self.database.active[int(ender)])
                return WAIT
            position = table.newer[position]
            if position < 0:
                statement.moved = False
                return GONE

    def check_key(self, transaction: Transaction, statement: Statement) -> int:
        """INSERT: OK when no row with the key is there; WAIT for one that may be; GONE: it is there. FAIL comes before that."""
        table = statement.table
        key = table.key(statement.current)
        first = table.index.find(key)
        is_duplicate = False
        while first >= 0 and not is_duplicate:
            position = first
            while position >= 0:
                made, ended = table.made_at[position], table.ended_at[position]
                maker, ender = table.made_by[position], table.ended_by[position]
                if made == PENDING and maker != transaction.xid:
                    self.database.waits.for_end(transaction, self.database.active[int(maker)])
                    return WAIT
                if made != NEVER:
                    if ended == PENDING and ender != transaction.xid:
                        self.database.waits.for_end(transaction, self.database.active[int(ender)])
                        return WAIT
                    if ended == NEVER:
                        is_duplicate = True
                        break
                position = table.newer[position]
            first = table.sibling[first]
        if not self.notes.enters(transaction, table, key):
            return FAIL
        return GONE if is_duplicate else OK

    def fail_duplicate(self, transaction: Transaction, table: Table, position: i64) -> int:
        """The primary key's violation, in PostgreSQL's words."""
        message = f'duplicate key value violates unique constraint "{table.name}_pkey"'
        detail = f"Key ({table.columns[0]})=({table.key(position)}) already exists."
        return self.database.fail(transaction, UNIQUE_VIOLATION, message, detail)


def sorted_keys(table: Table, low: i64, high: i64) -> list[int]:
    """The keys in the index from ``low`` to ``high``."""
    keys = [int(key) for key in table.index.keys if low <= key <= high and key >= 0]
    keys.sort()
    return keys
