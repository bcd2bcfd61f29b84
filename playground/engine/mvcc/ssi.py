"""Serializable snapshot isolation as PostgreSQL does it: SIREAD locks, rw-conflicts and dangerous structures.

Cahill, Röhm and Fekete, "Serializable isolation for snapshot databases" (SIGMOD 2008); Ports and Grittner, "Serializable snapshot
isolation in PostgreSQL" (VLDB 2012); the rules follow PostgreSQL's README-SSI and predicate.c. Not modelled: the summary of old
transactions when shared memory runs short, two-phase commit, parallel queries and subtransactions.
"""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from playground.engine.mvcc.terms import NEVER
from playground.engine.state import State

HEAP: Final = 0
INDEX: Final = 1
RELATION: Final = 0
PAGE: Final = 1
TUPLE: Final = 2
GRANULARITIES: Final = ["relation", "page", "tuple"]
NO_NUMBER: Final = 1 << 61
"""In place of a sequence number that is not known yet: later than all."""

PIVOT_READING: Final = "Canceled on identification as a pivot, during conflict out checking."
PIVOT_WRITING: Final = "Canceled on identification as a pivot, during conflict in checking."
PIVOT_BY_WRITE: Final = "Canceled on identification as a pivot, during write."
PIVOT_COMMITTING: Final = "Canceled on identification as a pivot, during commit attempt."
TO_PIVOT: Final = "Canceled on conflict out to pivot %s, during read."
FROM_PREPARED_PIVOT: Final = "Canceled on commit attempt with conflict in from prepared pivot."


def target(table: int, what: int, granularity: int, number: int) -> int:
    """What a SIREAD lock is on, as one number: heap or index of a table; the relation, one of its pages, or one version."""
    return ((number * 16 + table) * 2 + what) * 3 + granularity


def described(number: int) -> tuple[str, int, int, int]:
    """The granularity's name, the table, HEAP or INDEX, and the page or position of a :func:`target`."""
    rest, granularity = divmod(number, 3)
    rest, what = divmod(rest, 2)
    place, table = divmod(rest, 16)
    return GRANULARITIES[granularity], table, what, place


@final
class SerializableTransaction(State):
    """What is known of a serializable transaction, until no other can conflict with it any more.

    ``conflicts_out``: those that wrote what it read (it must come before them); ``conflicts_in``: those that read what it wrote.
    """

    def __init__(self, number: i64, is_read_only: bool, last_commit: i64, xmin: i64, snapshot: i64) -> None:
        self.number: i64 = number
        self.xid: i64 = 0
        self.xmin: i64 = xmin
        self.snapshot: i64 = snapshot
        self.committed_at: i64 = NEVER
        self.is_read_only: bool = is_read_only
        self.is_declared_read_only: bool = is_read_only
        self.is_prepared: bool = False
        self.is_committed: bool = False
        self.is_doomed: bool = False
        self.is_rolled_back: bool = False
        self.is_safe: bool = False
        self.is_unsafe: bool = False
        self.has_written: bool = False
        self.has_conflict_out: bool = False
        self.earliest_out: i64 = NO_NUMBER
        self.last_commit: i64 = last_commit
        self.prepared_number: i64 = NO_NUMBER
        self.commit_number: i64 = NO_NUMBER
        self.finished_before: i64 = 0
        self.conflicts_out: list[SerializableTransaction] = []
        self.conflicts_in: list[SerializableTransaction] = []
        self.possibly_unsafe: list[SerializableTransaction] = []
        self.locks: dict[int, int] = {}
        # Tuple locks on a heap page, page locks on a relation: by the parent's target.
        self.children: dict[int, int] = {}


@final
class Serializability(State):
    """All SIREAD locks and rw-conflicts of a database.

    ``tuples_per_page_max`` and ``pages_per_relation_max`` are PostgreSQL's max_pred_locks_per_page and the number that
    max_pred_locks_per_relation comes to: with more, a transaction's locks become one on the page, or on the relation.
    """

    def __init__(self, tuples_per_page_max: int = 2, pages_per_relation_max: int = 31) -> None:
        self.tuples_per_page_max = tuples_per_page_max
        self.pages_per_relation_max = pages_per_relation_max
        self.last_number: i64 = 1
        self.writable: i64 = 0
        self.global_xmin: i64 = 0
        self.can_clear_through: i64 = 0
        self.cleared_through: i64 = 0
        self.active: dict[int, SerializableTransaction] = {}
        self.finished: list[SerializableTransaction] = []
        self.holders: dict[int, list[SerializableTransaction]] = {}
        self.by_xid: dict[int, SerializableTransaction] = {}
        self.reason: str = ""

    def begin(self, number: i64, is_read_only: bool, xmin: i64, snapshot: i64) -> SerializableTransaction | None:
        """Track a transaction that takes its snapshot now; None for a read-only one that can't come to harm."""
        if is_read_only and self.writable == 0:
            return None
        mine = SerializableTransaction(number, is_read_only, self.last_number, xmin, snapshot)
        if is_read_only:
            for other in self.active.values():
                if not other.is_doomed and not other.is_read_only:
                    mine.possibly_unsafe.append(other)
                    other.possibly_unsafe.append(mine)
            if not mine.possibly_unsafe:
                return None
        else:
            self.writable += 1
        if not self.active:
            self.global_xmin = xmin
        self.active[int(number)] = mine
        return mine

    def know_xid(self, mine: SerializableTransaction, xid: i64) -> None:
        """It writes, and has got its xid."""
        mine.xid = xid
        self.by_xid[int(xid)] = mine

    def is_tracked(self, mine: SerializableTransaction) -> bool:
        """Whether reads must still be noted: not once it is known that a read-only transaction's snapshot is safe."""
        if mine.is_safe and not mine.is_rolled_back:
            self.release(mine, False, 0)
        return not mine.is_rolled_back

    def lock_relation(self, mine: SerializableTransaction, table: int, what: int) -> None:
        """Take a SIREAD lock on a whole heap or index; finer ones go."""
        wanted = target(table, what, RELATION, 0)
        if wanted in mine.locks:
            return
        self.hold(mine, wanted, -1, -1)
        for held in list(mine.locks):
            granted, its_table, its_what, _ = described(held)
            if its_table == table and its_what == what and granted != "relation":
                self.let_go(mine, held)

    def lock_page(self, mine: SerializableTransaction, table: int, what: int, page: int) -> None:
        """Take a SIREAD lock on a page of a heap or index, or on all of it where it has many; locks on versions in the page go."""
        wanted = target(table, what, PAGE, page)
        relation = target(table, what, RELATION, 0)
        if wanted in mine.locks or relation in mine.locks:
            return
        if mine.children.get(relation, 0) >= self.pages_per_relation_max:
            self.lock_relation(mine, table, what)
            return
        self.hold(mine, wanted, -1, relation)
        for held, parent in list(mine.locks.items()):
            if parent == wanted:
                self.let_go(mine, held)

    def lock_tuple(self, mine: SerializableTransaction, table: int, position: int, page: int) -> None:
        """Take a SIREAD lock on a version, or on its page or the heap where it has many."""
        wanted = target(table, HEAP, TUPLE, position)
        on_page = target(table, HEAP, PAGE, page)
        relation = target(table, HEAP, RELATION, 0)
        if wanted in mine.locks or on_page in mine.locks or relation in mine.locks:
            return
        if mine.children.get(relation, 0) >= self.pages_per_relation_max:
            self.lock_relation(mine, table, HEAP)
        elif mine.children.get(on_page, 0) >= self.tuples_per_page_max:
            self.lock_page(mine, table, HEAP, page)
        else:
            self.hold(mine, wanted, on_page, relation)

    def hold(self, mine: SerializableTransaction, wanted: int, page: int, relation: int) -> None:
        """Note a lock on both sides, and count it with the page and relation that it is in (-1: none)."""
        mine.locks[wanted] = page
        for parent in (page, relation):
            if parent >= 0:
                mine.children[parent] = mine.children.get(parent, 0) + 1
        holders = self.holders.get(wanted)
        if holders is None:
            self.holders[wanted] = [mine]
        else:
            holders.append(mine)

    def let_go(self, mine: SerializableTransaction, held: int) -> None:
        """Forget a lock on both sides."""
        page = mine.locks.pop(held)
        _, table, what, _ = described(held)
        relation = target(table, what, RELATION, 0)
        for parent in (page, relation):
            if parent in mine.children:
                mine.children[parent] -= 1
        self.unhold(mine, held)

    def unhold(self, mine: SerializableTransaction, held: int) -> None:
        """Forget a lock on the side of what is locked."""
        holders = self.holders.get(held)
        if holders is not None and mine in holders:
            holders.remove(mine)
            if not holders:
                del self.holders[held]

    def read_other(self, mine: SerializableTransaction, xid: int, is_concurrent: bool) -> bool:
        """It read a version that transaction ``xid`` made or ended, unseen by its snapshot. False: it has to fail, ``reason`` says why."""
        writer = self.by_xid.get(xid)
        if writer is None or writer is mine or writer.is_doomed:
            return True
        if (
            mine.is_read_only
            and writer.is_committed
            and (not writer.has_conflict_out or mine.last_commit < writer.earliest_out)
        ):
            return True
        if not is_concurrent or self.is_known(mine, writer):
            return True
        return self.flag(mine, writer, mine)

    def written(self, mine: SerializableTransaction, wanted: int, is_tuple: bool) -> bool:
        """It writes what ``wanted`` stands for: a conflict with each that read it. False: it has to fail, ``reason`` says why."""
        holders = self.holders.get(wanted)
        if holders is None:
            return True
        is_mine = False
        for reader in list(holders):
            if reader is mine:
                is_mine = True
            elif (
                not reader.is_doomed
                and (not reader.is_committed or mine.xmin < reader.finished_before)
                and not self.is_known(reader, mine)
                and not self.flag(reader, mine, mine)
            ):
                return False
        if is_mine and is_tuple:
            self.let_go(mine, wanted)
        return True

    def is_known(self, reader: SerializableTransaction, writer: SerializableTransaction) -> bool:
        """Whether there is a conflict between the two already, or one of them is going to roll back."""
        return reader.is_doomed or writer.is_doomed or writer in reader.conflicts_out

    def flag(
        self, reader: SerializableTransaction, writer: SerializableTransaction, mine: SerializableTransaction
    ) -> bool:
        """A new conflict from reader to writer, one of which is ``mine``. False: mine has to fail."""
        if self.is_dangerous(reader, writer):
            if writer is mine:
                self.reason = PIVOT_BY_WRITE
                return False
            if writer.is_prepared:
                self.reason = TO_PIVOT % writer.xid
                return False
            writer.is_doomed = True
        reader.conflicts_out.append(writer)
        writer.conflicts_in.append(reader)
        return True

    def is_dangerous(self, reader: SerializableTransaction, writer: SerializableTransaction) -> bool:
        """Whether the new conflict makes two in a row, T1 -> T2 -> T3, of which T3 committed first."""
        if writer.is_committed and writer.has_conflict_out:
            return True
        for third in writer.conflicts_out:
            if (
                third.is_prepared
                and (not reader.is_committed or third.prepared_number <= reader.commit_number)
                and (not writer.is_committed or third.prepared_number <= writer.commit_number)
                and (not reader.is_read_only or third.prepared_number <= reader.last_commit)
            ):
                return True
        if writer.is_prepared and not reader.is_read_only:
            for first in reader.conflicts_in:
                if (
                    not first.is_doomed
                    and (not first.is_committed or first.commit_number >= writer.prepared_number)
                    and (not first.is_read_only or first.last_commit >= writer.prepared_number)
                ):
                    return True
        return False

    def prepare(self, mine: SerializableTransaction) -> bool:
        """Before its commit: dooms pivots that it would complete. False: it was doomed itself, or the pivot is being committed already."""
        if mine.is_doomed:
            self.reason = PIVOT_COMMITTING
            return False
        for near in mine.conflicts_in:
            if near.is_committed or near.is_doomed:
                continue
            for far in near.conflicts_in:
                if far is mine or (not far.is_committed and not far.is_read_only and not far.is_doomed):
                    if near.is_prepared:
                        self.reason = FROM_PREPARED_PIVOT
                        return False
                    near.is_doomed = True
                    break
        self.last_number += 1
        mine.prepared_number = self.last_number
        mine.is_prepared = True
        return True

    def release(self, mine: SerializableTransaction, is_commit: bool, next_xid: i64, committed_at: i64 = NEVER) -> None:
        """It committed, rolled back, or (not ``is_commit``) became safe: keep what others may conflict with, and clear what none can."""
        mine.finished_before = next_xid
        if is_commit:
            mine.is_committed = True
            mine.committed_at = committed_at
            self.last_number += 1
            mine.commit_number = self.last_number
            if not mine.has_written:
                mine.is_read_only = True
        else:
            mine.is_doomed = True
            mine.is_rolled_back = True
            mine.is_prepared = False
        if not mine.is_declared_read_only:
            self.writable -= 1
            if self.writable == 0:
                self.can_clear_through = self.last_number
        else:
            for other in mine.possibly_unsafe:
                other.possibly_unsafe.remove(mine)
            mine.possibly_unsafe = []
        self.release_conflicts(mine, is_commit)
        if not mine.is_declared_read_only:
            self.tell_readers(mine, is_commit)
        self.active.pop(int(mine.number), None)
        if is_commit:
            self.finished.append(mine)
        else:
            self.drop(mine, False)
        if mine.xmin == self.global_xmin:
            self.advance()

    def release_conflicts(self, mine: SerializableTransaction, is_commit: bool) -> None:
        """At its end: conflicts that can't matter any more go; that some led to earlier commits is kept as a number."""
        for writer in list(mine.conflicts_out):
            if is_commit and not mine.is_read_only and writer.is_committed:
                mine.earliest_out = min(mine.earliest_out, writer.prepared_number)
                mine.has_conflict_out = True
            if not is_commit or writer.is_committed or writer.last_commit >= self.last_number:
                mine.conflicts_out.remove(writer)
                writer.conflicts_in.remove(mine)
        for reader in list(mine.conflicts_in):
            if not is_commit or reader.is_committed or reader.is_read_only:
                mine.conflicts_in.remove(reader)
                reader.conflicts_out.remove(mine)

    def tell_readers(self, mine: SerializableTransaction, is_commit: bool) -> None:
        """Read-only transactions that run beside it: their snapshot is unsafe now, or safe when it was the last that could harm them."""
        for reader in list(mine.possibly_unsafe):
            if is_commit and mine.has_written and mine.has_conflict_out and mine.earliest_out <= reader.last_commit:
                reader.is_unsafe = True
                for other in reader.possibly_unsafe:
                    other.possibly_unsafe.remove(reader)
                reader.possibly_unsafe = []
            else:
                reader.possibly_unsafe.remove(mine)
                mine.possibly_unsafe.remove(reader)
                if not reader.possibly_unsafe:
                    reader.is_safe = True
        mine.possibly_unsafe = []

    def advance(self) -> None:
        """The last of those with the oldest snapshot ended: clear finished transactions that committed before every snapshot in use,
        in part those that only read-only transactions overlap."""
        oldest = min((int(one.xmin) for one in self.active.values()), default=NO_NUMBER)
        if oldest == self.global_xmin:
            return
        self.global_xmin = oldest
        kept: list[SerializableTransaction] = []
        done = 0
        for one in self.finished:
            if one.finished_before <= oldest:
                self.drop(one, False)
            elif self.cleared_through < one.commit_number <= self.can_clear_through:
                self.drop(one, not one.is_read_only)
                self.cleared_through = one.commit_number
                if not one.is_read_only:
                    kept.append(one)
            else:
                break
            done += 1
        self.finished = kept + self.finished[done:]

    def drop(self, one: SerializableTransaction, is_partial: bool) -> None:
        """Release its SIREAD locks and conflicts in; unless ``is_partial`` all that is known of it."""
        for held in one.locks:
            self.unhold(one, held)
        one.locks = {}
        one.children = {}
        if not is_partial:
            for writer in one.conflicts_out:
                writer.conflicts_in.remove(one)
            one.conflicts_out = []
            if one.xid and self.by_xid.get(int(one.xid)) is one:
                del self.by_xid[int(one.xid)]
        for reader in one.conflicts_in:
            reader.conflicts_out.remove(one)
        one.conflicts_in = []
