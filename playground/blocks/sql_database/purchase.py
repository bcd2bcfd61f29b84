"""One transaction that buys, from BEGIN to its end."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from playground.engine.mvcc.statement import PointAdd, Statement
from playground.engine.mvcc.transaction import Transaction
from playground.engine.state import State

READS: Final = 0
WRITES: Final = 1
ENDS: Final = 2
STATEMENTS: Final = ["SELECT", "UPDATE", "COMMIT"]
"""Which of its statements is running, or comes next."""


@final
class Purchase(State):
    """``call`` is -1 once its caller has gone; ``place`` the row that it changes (see ``stock.py``), ``quantity`` and ``version`` what it
    has read there, then what it has written; ``since``: when it began to wait for a lock; ``position``: of its record in the log."""

    def __init__(self, call: i64, serial: i64, node: i64, key: i64, place: i64, method: i64, think_ns: i64) -> None:
        self.call: i64 = call
        self.serial: i64 = serial
        self.node: i64 = node
        self.key: i64 = key
        self.place: i64 = place
        self.method: i64 = method
        self.think_ns: i64 = think_ns
        self.transaction: Transaction | None = None
        self.read: Statement | None = None
        self.write: PointAdd | None = None
        self.phase: i64 = READS
        # Row by row: its own row is read and locked already.
        self.has_own: bool = False
        self.quantity: i64 = 0
        self.version: i64 = 0
        self.since: i64 = 0
        # When its statement first had to wait; -1 while it has not. A lock that becomes free may be somebody else's by the time it looks.
        self.waits_from: i64 = -1
        self.position: i64 = 0
