"""How calls end, and what they ask for. Positions in these lists are the codes used in columns and frames."""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

OK: Final = 0
TIMEOUT: Final = 1
UPSTREAM_TIMEOUT: Final = 2
REFUSED: Final = 3
CRASHED: Final = 4
OVERLOADED: Final = 5
BREAKER_OPEN: Final = 6
EXPIRED: Final = 7
CONNECTION_LOST: Final = 8
NO_UPSTREAM: Final = 9
REMOVED: Final = 10
ERROR: Final = 11

OUTCOMES: Final = [
    "ok",
    "timeout",
    "upstream_timeout",
    "refused",
    "crashed",
    "overloaded",
    "breaker_open",
    "expired",
    "connection_lost",
    "no_upstream",
    "removed",
    "error",
]
"""ok; the caller's timeout ran out; a timeout further up the tree; connection refused; the callee died with the call in it; its
queue was full; the caller's circuit breaker was open; dropped at dequeue because the caller had given up; transport gave up on a silent
peer; nothing healthy to send to; the block or edge was deleted; the callee could not do it."""

OUTCOME_COUNT: Final = 12

READ: Final = 0
WRITE: Final = 1
LIST: Final = 2
BUY: Final = 3
CACHE_GET: Final = 4
CACHE_SET: Final = 5
CACHE_DELETE: Final = 6

OPERATIONS: Final = ["read", "write", "list", "buy", "cache get", "cache set", "cache delete"]
"""What a call asks for."""

MISS: Final = 0
"""The version that a cache reports for a key that it does not hold."""

ABSENT: Final = -1
"""The version that a read reports for a key that does not exist (404): a completed call, not a failed one."""


def as_upstream(outcome: i64) -> i64:
    """How a callee's outcome looks one level up: its timeout is not the caller's own."""
    return UPSTREAM_TIMEOUT if outcome == TIMEOUT else outcome


def may_retry(outcome: i64) -> bool:
    """Whether another attempt can help: not when a breaker said no, the caller above has given up, or the target is gone."""
    return outcome != BREAKER_OPEN and outcome != EXPIRED and outcome != REMOVED
