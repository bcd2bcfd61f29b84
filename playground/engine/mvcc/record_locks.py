"""InnoDB's locks on index records and the gaps between them, each record with its queue.

The rules are those of the MySQL manual, "InnoDB Locking", and of lock_rec_has_to_wait in InnoDB's lock0lock.cc.
"""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from playground.engine.mvcc.terms import NOTHING, ON_RECORD, READ_COMMITTED, UPDATE
from playground.engine.mvcc.transaction import TABLES_MAX, Transaction
from playground.engine.mvcc.waiting import Waits
from playground.engine.state import State

RECORD: Final = 0
NEXT_KEY: Final = 1
GAP: Final = 2
INSERT_INTENTION: Final = 3
KINDS: Final = ["record", "next-key", "gap", "insert intention"]
"""The record alone; the record and the gap before it; that gap alone; the wish to insert into the gap."""
SUPREMUM: Final = 1 << 50
"""In place of a key: behind the last record."""


def record_of(table: i64, key: i64) -> int:
    """A record as one number."""
    return int(key * TABLES_MAX + table)


@final
class RecordLock(State):
    """One transaction's lock on a record, or its request for one; ``mode`` is SHARE or UPDATE (exclusive)."""

    def __init__(self, transaction: Transaction, mode: int, kind: int, is_granted: bool) -> None:
        self.transaction = transaction
        self.mode = mode
        self.kind = kind
        self.is_granted = is_granted


def has_to_wait(mode: int, kind: int, record: int, other: RecordLock) -> bool:
    """Whether a request has to wait for another transaction's lock, or earlier request, on the same record."""
    is_supremum = record // TABLES_MAX == SUPREMUM
    if mode != UPDATE and other.mode != UPDATE:
        return False
    if (kind == GAP or is_supremum) and kind != INSERT_INTENTION:
        # Gap locks only keep insertions out; they don't mind one another.
        return False
    if kind != INSERT_INTENTION and other.kind == GAP:
        return False
    if kind == INSERT_INTENTION and other.kind == RECORD:
        return False
    return other.kind != INSERT_INTENTION


@final
class RecordLocks(State):
    """All record locks of a database; a transaction's records are in its ``locked``."""

    def __init__(self, waits: Waits) -> None:
        self.waits = waits
        self.queues: dict[int, list[RecordLock]] = {}

    def request(self, transaction: Transaction, record: int, mode: int, kind: int) -> bool:
        """Get a lock now, or queue for it (False); the transaction is ready when it has it."""
        queue = self.queues.get(record)
        if queue is None:
            queue = []
            self.queues[record] = queue
        if kind != INSERT_INTENTION and self.has(transaction, queue, mode, kind):
            return True
        waits = self.is_blocked(transaction, record, mode, kind)
        if kind == INSERT_INTENTION and not waits:
            # Nobody ever waits for one that was granted; it is asked for anew before each insert (lock_rec_insert_check_and_lock).
            return True
        mine = RecordLock(transaction, mode, kind, not waits)
        first_waiting = next((place for place, lock in enumerate(queue) if not lock.is_granted), len(queue))
        queue.insert(len(queue) if waits else first_waiting, mine)
        transaction.locked.append(record)
        if waits:
            self.waits.begin(transaction, ON_RECORD, record, mode)
        return not waits

    def has(self, transaction: Transaction, queue: list[RecordLock], mode: int, kind: int) -> bool:
        """Whether it has a lock that is as good as what it asks for."""
        return any(
            lock.transaction is transaction
            and lock.is_granted
            and lock.mode >= mode
            and (lock.kind == kind or (lock.kind == NEXT_KEY and kind != INSERT_INTENTION))
            for lock in queue
        )

    def holds(self, transaction: Transaction, record: int) -> bool:
        """Whether it has an exclusive lock on the record itself."""
        queue = self.queues.get(record)
        return queue is not None and self.has(transaction, queue, UPDATE, RECORD)

    def grant(self, transaction: Transaction, record: int, mode: int, kind: int) -> None:
        """Give a lock without asking: an implicit one made explicit, or one inherited."""
        queue = self.queues.setdefault(record, [])
        if not self.has(transaction, queue, mode, kind):
            queue.append(RecordLock(transaction, mode, kind, True))
            transaction.locked.append(record)

    def is_blocked(self, transaction: Transaction, record: int, mode: int, kind: int) -> bool:
        """Whether a request would have to wait. Who has as strong a lock on the record passes those who wait: they wait for it as well."""
        queue = self.queues.get(record, [])
        passes = kind != INSERT_INTENTION and any(
            lock.transaction is transaction and lock.is_granted and lock.kind <= NEXT_KEY and lock.mode >= mode
            for lock in queue
        )
        return any(
            lock.transaction is not transaction
            and (lock.is_granted or not passes)
            and has_to_wait(mode, kind, record, lock)
            for lock in queue
        )

    def blockers(self, transaction: Transaction) -> list[Transaction]:
        """Whom a transaction waits for: those with a lock, or an earlier request, that its request has to wait for."""
        record = int(transaction.waits_on)
        found: list[Transaction] = []
        queue = self.queues.get(record, [])
        mine = next((lock for lock in queue if lock.transaction is transaction and not lock.is_granted), None)
        if mine is None:
            return found
        for lock in queue:
            if lock is mine:
                break
            other = lock.transaction
            if other is not transaction and other not in found and has_to_wait(mine.mode, mine.kind, record, lock):
                found.append(other)
        return found

    def cycle(self, start: Transaction) -> list[Transaction]:
        """The transactions in a cycle of waits through ``start``, each waiting for the next; empty where there is none."""
        path: list[Transaction] = []
        return path if self.leads_back(start, start, path, []) else []

    def leads_back(
        self, here: Transaction, start: Transaction, path: list[Transaction], seen: list[Transaction]
    ) -> bool:
        """Depth first; ``path`` becomes the cycle."""
        path.append(here)
        seen.append(here)
        for other in self.blockers(here) if here.waits == ON_RECORD else []:
            if other is start or (other not in seen and self.leads_back(other, start, path, seen)):
                return True
        path.pop()
        return False

    def cancel(self, transaction: Transaction) -> None:
        """It gives up waiting: its request goes, those behind it may have theirs."""
        if transaction.waits != ON_RECORD:
            return
        transaction.waits = NOTHING
        record = int(transaction.waits_on)
        queue = self.queues[record]
        for place, lock in enumerate(queue):
            if lock.transaction is transaction and not lock.is_granted:
                del queue[place]
                transaction.locked.remove(record)
                break
        self.serve(record)

    def release(self, transaction: Transaction) -> None:
        """It ended: all of its locks and requests go."""
        records = transaction.locked
        transaction.locked = []
        for record in records:
            self.release_on(transaction, record)

    def release_on(self, transaction: Transaction, record: int) -> None:
        """Its locks and requests on one record go; who waited for them may have theirs."""
        queue = self.queues.get(record)
        if queue is None:
            return
        left = [lock for lock in queue if lock.transaction is not transaction]
        if not left:
            del self.queues[record]
            return
        self.queues[record] = left
        self.serve(record)

    def serve(self, record: int) -> None:
        """Grant the requests on a record that nothing ahead of them stands against any more."""
        queue = self.queues[record]
        for place, lock in enumerate(queue):
            if not lock.is_granted and not any(
                ahead.transaction is not lock.transaction and has_to_wait(lock.mode, lock.kind, record, ahead)
                for ahead in queue[:place]
            ):
                lock.is_granted = True
                self.waits.wake(lock.transaction)

    def inherit(self, record: int, heir: int) -> None:
        """A record is gone, as it was never committed: who waited looks again, and locks become locks on the gap that it leaves, before
        ``heir``.

        So do requests, which are then granted, as nothing keeps a gap lock waiting (lock_rec_inherit_to_gap). At READ COMMITTED and
        below only shared ones do: those of the check for duplicates.
        """
        for lock in self.queues.pop(record, []):
            transaction = lock.transaction
            transaction.locked.remove(record)
            if lock.kind != INSERT_INTENTION and (transaction.level > READ_COMMITTED or lock.mode != UPDATE):
                self.grant(transaction, heir, lock.mode, GAP)
            if not lock.is_granted:
                self.waits.wake(transaction)

    def split(self, transaction: Transaction, record: int, before: int) -> None:
        """It inserted ``record`` into the gap before ``before``: its own locks on that gap hold for both halves."""
        for lock in self.queues.get(before, []):
            if lock.transaction is transaction and lock.is_granted and (lock.kind == GAP or lock.kind == NEXT_KEY):
                self.grant(transaction, record, lock.mode, GAP)
                break

    def release_one(self, transaction: Transaction, record: int, mode: int, kind: int) -> None:
        """One of its locks on a record goes, those that it had before stay."""
        queue = self.queues.get(record, [])
        for place, lock in enumerate(queue):
            if lock.transaction is transaction and lock.mode == mode and lock.kind == kind:
                del queue[place]
                transaction.locked.remove(record)
                break
        if queue:
            self.serve(record)
        else:
            self.queues.pop(record, None)

    def structures(self, transaction: Transaction) -> int:
        """How many lock structures it has: one a table, mode and kind (InnoDB keeps a page's records in one), and one on the table."""
        found: dict[int, bool] = {}
        for record in transaction.locked:
            table = record % TABLES_MAX
            found[table * 32 + 31] = True
            for lock in self.queues.get(record, []):
                if lock.transaction is transaction:
                    found[table * 32 + lock.mode * 8 + lock.kind * 2 + int(lock.is_granted)] = True
        return len(found)
