"""A transaction, and what it waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from mypy_extensions import i64

from playground.engine.mvcc.terms import ACTIVE, NOTHING
from playground.engine.state import State

if TYPE_CHECKING:
    from playground.engine.mvcc.ssi import SerializableTransaction
    from playground.engine.mvcc.statement import Statement


@final
class Transaction(State):
    """One transaction from BEGIN to its end; ``number`` is in the order of beginning, ``owner`` is free for who began it.

    ``xid`` is given at its first write, 0 before (as PostgreSQL does); ``snapshot`` is the commit number up to which it sees, -1
    before it has one. ``is_autocommit``: it is one statement outside BEGIN and COMMIT. ``error`` is the SQLSTATE or error number of what
    failed last, ``message`` how the server words it.
    """

    def __init__(self, number: i64, level: i64, is_read_only: bool, owner: i64) -> None:
        self.number: i64 = number
        self.level: i64 = level
        self.is_read_only: bool = is_read_only
        self.owner: i64 = owner
        self.is_autocommit: bool = False
        self.state: i64 = ACTIVE
        self.xid: i64 = 0
        self.snapshot: i64 = -1
        self.snapshot_xmin: i64 = 0
        self.command: i64 = 0
        self.statement: Statement | None = None
        self.error: str = ""
        self.message: str = ""
        self.detail: str = ""
        self.made: list[int] = []
        self.ended: list[int] = []
        self.locked: list[int] = []
        # Positions of its versions and locks are kept as position * TABLES_MAX + table.
        self.waits: i64 = NOTHING
        self.waits_table: i64 = -1
        self.waits_on: i64 = -1
        self.waits_mode: i64 = -1
        self.wait_number: i64 = 0
        self.waiters: list[Transaction] | None = None
        self.serializable: SerializableTransaction | None = None


TABLES_MAX = 16
