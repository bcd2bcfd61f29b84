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
RATE_LIMITED: Final = 12
SIGNED_OUT: Final = 13
NOT_READY: Final = 14
UPSTREAM_FAILED: Final = 15
UNAVAILABLE: Final = 16
NO_LEADER: Final = 17
BAD_REQUEST: Final = 18
ABORTED: Final = 19

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
    "rate_limited",
    "signed_out",
    "not_ready",
    "upstream_failed",
    "unavailable",
    "no_leader",
    "bad_request",
    "aborted",
]
"""ok; the caller's timeout ran out; a timeout further up the tree; connection refused; the callee died with the call in it; its
queue was full; the caller's circuit breaker was open; dropped at dequeue because the caller had given up; transport gave up on a silent
peer; nothing healthy to send to; the block or edge was deleted; the callee could not do it; turned away by a rate limit (HTTP
429); the server knows no session of this user (401); the server is up but not ready to serve (503); somebody further
up the tree refused, died, was deleted, cut off or behind an open breaker (502); too few replicas answered for the quorum
that was asked for; no node that the caller can reach says that it is the leader; the server refuses what it was asked (HTTP 400);
the database aborted the transaction, each time that it was tried (409)."""

OUTCOME_COUNT: Final = 20

READ: Final = 0
WRITE: Final = 1
LIST: Final = 2
BUY: Final = 3
CACHE_GET: Final = 4
CACHE_SET: Final = 5
CACHE_DELETE: Final = 6
CREATE: Final = 7
DELETE: Final = 8
SIGN_IN: Final = 9
FILTER_CHECK: Final = 10
FILTER_ADD: Final = 11
FILTER_REMOVE: Final = 12
SESSION_GET: Final = 13
SESSION_SET: Final = 14
PROBE: Final = 15
CACHE_WRITE: Final = 16
CACHE_UNLOCK: Final = 17
REFRESH: Final = 18
LOG_READ: Final = 19
COPY_OUT: Final = 20
COPY_IN: Final = 21

OPERATIONS: Final = [
    "read",
    "write",
    "list",
    "buy",
    "cache get",
    "cache set",
    "cache delete",
    "create",
    "delete",
    "sign in",
    "filter check",
    "filter add",
    "filter remove",
    "session get",
    "session set",
    "probe",
    "cache write",
    "cache unlock",
    "refresh",
    "log read",
    "copy out",
    "copy in",
]
"""What a call asks for: an item read, written, listed, bought, created, deleted; a session begun, looked up, kept; a key looked up in a
filter, entered, taken out; a cache asked, filled, told to drop, written through, its rebuild lock given back; a server probed (the call's
key says how); a cached item refreshed in the background; a database's changes read from a position on (``token``, at most ``extra`` of
them; the answer's version is the end of its log); rows copied out of one database, into another (``token``: how many)."""

PROBE_STARTUP: Final = 0
PROBE_LIVENESS: Final = 1
PROBE_READINESS: Final = 2
PROBES: Final = ["startup", "liveness", "readiness"]
"""What a probe asks, in its call's ``key``: has it started, is it alive, does it want traffic."""

PROBE_BYTES: Final = 100
"""A probe, and the answer to it."""

VERDICT_NOTHING: Final = 0
VERDICT_REBUILD: Final = 1
VERDICT_WAIT: Final = 2
VERDICT_REFRESH: Final = 3
VERDICT_KIND: Final = 3
VERDICT_ABSENT_KEPT: Final = 4
"""What a cache says with its answer to a read, where it has something to say. Nothing more to do; load the item and put it in (the advice
is the token of the lock or lease that came with it, 0 without one); somebody else is loading it, so ask again (the advice is when, ns);
take this answer, and load the item anew in the background (the advice is the token). The lowest two bits are one of these; the next one
says that the cache wants to be told of items that do not exist."""

VERDICT_CREATED: Final = 1
"""What a store says with its answer to CREATE when there was no such item before (HTTP's 201; without it a 200)."""

VERDICT_SOLD_OUT: Final = 2
VERDICT_ABORTED: Final = 3
VERDICT_CHANGED: Final = 4
"""What a store says with its answer to BUY that was no purchase: there was nothing left to buy (or the rule forbids it); it has aborted the
transaction (SQLSTATE 40001, 40P01, 55P03), so it may be tried again; the row was not any more as it had been read."""

BY_COUNT: Final = 1
BY_KEY: Final = 2
PAGE_KIND: Final = 3
BY_PRICE: Final = 4
WITH_ID: Final = 8
PAGE_ORDER: Final = 12
PAGE_KIND_BITS: Final = 4
"""How a store finds a page of a list, in the ``token`` of a LIST with the flag TOLD: past ``extra`` rows, or after the row whose sort key
(``engine/row_order.py``) is ``extra``; newest first, or dearest first, with the id as a tie-breaker or without; above these bits: how
many rows. Such an answer's ``advice`` is the number of a body with the page (``engine/bodies.py``). In a request to a server ``token``
is a body with the link that is followed."""

MISS: Final = 0
"""The version that a cache reports for a key that it does not hold."""

ABSENT: Final = -1
"""The version that a read reports for a key that does not exist (404): a completed call, not a failed one."""


def as_upstream(outcome: i64) -> i64:
    """How a callee's outcome looks one level up. Its timeout is not the caller's own, and whom it could not reach is not the callee:
    who looks at answers to see whether the callee itself is alive (balancers, queues) must be able to tell."""
    if outcome == TIMEOUT:
        return UPSTREAM_TIMEOUT
    if (
        outcome == REFUSED
        or outcome == CRASHED
        or outcome == BREAKER_OPEN
        or outcome == CONNECTION_LOST
        or outcome == REMOVED
    ):
        return UPSTREAM_FAILED
    return outcome


def may_retry(outcome: i64) -> bool:
    """Whether another attempt can help: not when a breaker said no, the caller above has given up, the target is gone, the user has to
    sign in first, or the request itself is at fault."""
    if outcome == BAD_REQUEST:
        return False
    return outcome != BREAKER_OPEN and outcome != EXPIRED and outcome != REMOVED and outcome != SIGNED_OUT
