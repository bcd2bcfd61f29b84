"""The words of the core: levels, lock modes, outcomes, and the errors as the servers word them."""

from __future__ import annotations

from typing import Final

READ_UNCOMMITTED: Final = 0
READ_COMMITTED: Final = 1
REPEATABLE_READ: Final = 2
SERIALIZABLE: Final = 3
LEVELS: Final = ["read uncommitted", "read committed", "repeatable read", "serializable"]

ACTIVE: Final = 0
FAILED: Final = 1
COMMITTED: Final = 2
ABORTED: Final = 3
STATES: Final = ["active", "failed", "committed", "aborted"]
"""What a transaction is. FAILED: an error ended it, its effects and locks are gone, but its session has not said ROLLBACK yet."""

DONE: Final = 0
WAITING: Final = 1
ERROR: Final = 2
"""What running a statement, or ending a transaction, comes to."""

KEY_SHARE: Final = 0
SHARE: Final = 1
NO_KEY_UPDATE: Final = 2
UPDATE: Final = 3
NO_LOCK: Final = -1
LOCK_MODES: Final = ["FOR KEY SHARE", "FOR SHARE", "FOR NO KEY UPDATE", "FOR UPDATE"]

SELECT: Final = 0
INSERT: Final = 1
MODIFY: Final = 2
DELETE: Final = 3
"""Kinds of statements. MODIFY is SQL's UPDATE, which a lock mode is called as well."""

BY_SCAN: Final = 0
BY_KEY: Final = 1
BY_RANGE: Final = 2
"""Access paths: the whole table; single keys through the primary key's index; a range of keys through it."""

PENDING: Final = 1 << 60
NEVER: Final = 1 << 61
"""In place of a commit number: its transaction has not ended; it never came to be (aborted, or never ended)."""

NOTHING: Final = 0
ON_TRANSACTION: Final = 1
ON_ROW: Final = 2
ON_RECORD: Final = 3
"""What a transaction waits for: another's end; its turn on a row (PostgreSQL's tuple lock); a lock on an InnoDB record or gap."""

SERIALIZATION_FAILURE: Final = "40001"
DEADLOCK_DETECTED: Final = "40P01"
UNIQUE_VIOLATION: Final = "23505"
ACTIVE_TRANSACTION: Final = "25001"
IN_FAILED_TRANSACTION: Final = "25P02"
READ_ONLY_TRANSACTION: Final = "25006"
OUT_OF_RANGE: Final = "22003"

CONCURRENT_UPDATE: Final = "could not serialize access due to concurrent update"
CONCURRENT_DELETE: Final = "could not serialize access due to concurrent delete"
DEPENDENCIES: Final = "could not serialize access due to read/write dependencies among transactions"
DEADLOCK: Final = "deadlock detected"
LEVEL_TOO_LATE: Final = "SET TRANSACTION ISOLATION LEVEL must be called before any query"
WRITES_TOO_LATE: Final = "transaction read-write mode must be set before any query"
FAILED_TRANSACTION: Final = "current transaction is aborted, commands ignored until end of transaction block"


def modes_conflict(one: int, other: int) -> bool:
    """Whether two row lock modes exclude each other (PostgreSQL manual, "Row-Level Locks", table 13.3)."""
    return one + other >= UPDATE


def level_of(name: str) -> int:
    """The level with that name, in any case; raises ValueError for another."""
    return LEVELS.index(" ".join(name.lower().split()))
