"""InnoDB's clustered index: the records of a table by key, each with its older versions behind it."""

from __future__ import annotations

from mypy_extensions import i64

from playground.engine.mvcc.record_locks import SUPREMUM
from playground.engine.mvcc.table import Table
from playground.engine.mvcc.terms import NEVER, PENDING


def latest(table: Table, key: i64) -> i64:
    """The newest version of a key, committed or not; -1 where there is none."""
    found: i64 = -1
    first = table.index.find(key)
    while first >= 0:
        position = first
        while position >= 0:
            if table.made_at[position] != NEVER:
                found = position
            position = table.newer[position]
        first = table.sibling[first]
    return found


def is_deleted(table: Table, position: i64) -> bool:
    """Whether the newest version of a key is marked as deleted, by whomever."""
    return table.ended_at[position] != NEVER and table.newer[position] < 0


def changed_by(table: Table, key: i64) -> i64:
    """The xid of who has changed the record with a key and not ended yet; 0 for nobody."""
    position = latest(table, key)
    if position >= 0 and table.made_at[position] == PENDING:
        return table.made_by[position]
    if position >= 0 and table.ended_at[position] == PENDING:
        return table.ended_by[position]
    return 0


def exists(table: Table, key: i64) -> bool:
    """Whether the index has a record with a key, marked as deleted or not."""
    return latest(table, key) >= 0


def next_key(table: Table, key: i64) -> i64:
    """The smallest key in the index from ``key`` on, SUPREMUM where there is none."""
    found: i64 = SUPREMUM
    for entry in table.index.keys:
        if entry >= 0 and key <= entry < found and exists(table, entry):
            found = entry
    return found


def visible(table: Table, key: i64, snapshot: i64, xid: i64) -> i64:
    """The version of a key that a read view of transaction ``xid`` sees, -1 for none: its own changes, and what had committed by then."""
    found: i64 = -1
    first = table.index.find(key)
    while first >= 0:
        position = first
        while position >= 0:
            is_own = xid != 0 and table.made_by[position] == xid and table.made_at[position] == PENDING
            if is_own or table.made_at[position] <= snapshot:
                found = position
            if table.newer[position] < 0:
                # Its own deletion hides the row, also where what it deleted is a version that its view doesn't see.
                ended = table.ended_at[position]
                if ended <= snapshot or (ended == PENDING and xid != 0 and table.ended_by[position] == xid):
                    found = -1
            position = table.newer[position]
        first = table.sibling[first]
    return found


def sorted_keys(table: Table) -> list[int]:
    """All keys of the index, in order."""
    keys = [int(key) for key in table.index.keys if key >= 0]
    keys.sort()
    return keys
