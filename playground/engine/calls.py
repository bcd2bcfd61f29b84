"""The table of calls in flight: a call is a handle, its fields are columns.

A record lives from the moment its caller sends it until neither side nor the network holds it any more. When a caller gives up, the
record stays (``ABANDONED``) while the callee goes on with the work, and a retry takes a new record.
"""

from __future__ import annotations

from typing import Final, final

from librt.vecs import vec
from mypy_extensions import i64

from playground.engine.columns import filled, grown, zeros
from playground.engine.limits import CALLS_IN_FLIGHT_MAX
from playground.engine.state import State

ABANDONED: Final = 1
LOST: Final = 2
CANCELLED: Final = 4
AT_CALLEE: Final = 8
LOCAL: Final = 16
WORKING: Final = 32
CANCEL_SENT: Final = 64
RETURNED: Final = 128
GIVING_UP: Final = 256
LINKED: Final = 512
WAITING_RETRY: Final = 1024
PINNED: Final = 2048
TOLD: Final = 4096
ANSWERED: Final = 8192
NOT_MODIFIED: Final = 16384
STALE: Final = 32768
PROBING: Final = 65536
SIGNED: Final = 131072
"""Flags: the caller waits no longer; a message was lost; the callee dropped it on request; it is at the callee; it never left the caller;
a WORK event is under way for it; a cancellation is under way; its reply came back while a cancellation was under way; a transport give-up
event is under way; it stands in its edge's list of deadlines; it waits out a back-off; its caller asked for this very instance; its caller
filled ``token`` and ``extra``; its callee filled ``verdict`` and ``advice``; the answer says that what the caller holds is still good
(HTTP 304); the answer is known to be out of date; it is a probe; it presents the session in ``session``."""

FREE: Final = -2


@final
class Calls(State):
    """Columns, by who writes them.

    Caller: ``edge``, ``parent`` (-1 at a root), ``step`` and ``data`` (private to the calling block), ``began`` (first
    attempt, ns), ``sent`` (this attempt, ns), ``deadline`` (ns, 0 none), ``attempt`` (1 ..), ``operation``, ``key``,
    ``user``, ``request_bytes``, ``trace`` (0 not sampled), ``serial`` (never used twice, unlike the handle), ``session`` (the user's
    session as a cookie has it; only with the flag ``SIGNED``), ``token`` and ``extra`` (what else the
    request carries; only with the flag ``TOLD``).
    Callee: ``arrived`` (ns, -1 not yet) and ``started`` (ns), ``instance``, ``mark`` (0 when it arrives) and ``memo``
    (private to the called block), ``next`` / ``previous`` (its queues), ``outcome``, ``version``, ``reply_bytes``,
    ``replied`` (ns), ``verdict`` and ``advice`` (what else the answer carries; only with the flag ``ANSWERED``).
    Engine: ``flags``, ``child`` / ``sibling`` / ``sibling_before`` (the tree), ``later`` / ``earlier`` (deadlines),
    ``queued`` (ns, entered its present queue).
    """

    def __init__(self, capacity: i64) -> None:
        self.capacity: i64 = capacity
        self.in_use: i64 = 0
        self.most_in_use: i64 = 0
        self.made: i64 = 0
        self.overflowed: bool = False
        self.free: vec[i64] = zeros(capacity)
        self.edge: vec[i64] = filled(capacity, FREE)
        self.parent: vec[i64] = zeros(capacity)
        self.step: vec[i64] = zeros(capacity)
        self.data: vec[i64] = zeros(capacity)
        self.began: vec[i64] = zeros(capacity)
        self.sent: vec[i64] = zeros(capacity)
        self.deadline: vec[i64] = zeros(capacity)
        self.attempt: vec[i64] = zeros(capacity)
        self.operation: vec[i64] = zeros(capacity)
        self.key: vec[i64] = zeros(capacity)
        self.user: vec[i64] = zeros(capacity)
        self.request_bytes: vec[i64] = zeros(capacity)
        self.trace: vec[i64] = zeros(capacity)
        self.serial: vec[i64] = zeros(capacity)
        self.session: vec[i64] = zeros(capacity)
        self.token: vec[i64] = zeros(capacity)
        self.extra: vec[i64] = zeros(capacity)
        self.arrived: vec[i64] = zeros(capacity)
        self.started: vec[i64] = zeros(capacity)
        self.queued: vec[i64] = zeros(capacity)
        self.instance: vec[i64] = zeros(capacity)
        self.mark: vec[i64] = zeros(capacity)
        self.memo: vec[i64] = zeros(capacity)
        self.next: vec[i64] = zeros(capacity)
        self.previous: vec[i64] = zeros(capacity)
        self.outcome: vec[i64] = zeros(capacity)
        self.version: vec[i64] = zeros(capacity)
        self.reply_bytes: vec[i64] = zeros(capacity)
        self.replied: vec[i64] = zeros(capacity)
        self.verdict: vec[i64] = zeros(capacity)
        self.advice: vec[i64] = zeros(capacity)
        self.flags: vec[i64] = zeros(capacity)
        self.child: vec[i64] = zeros(capacity)
        self.sibling: vec[i64] = zeros(capacity)
        self.sibling_before: vec[i64] = zeros(capacity)
        self.later: vec[i64] = zeros(capacity)
        self.earlier: vec[i64] = zeros(capacity)
        self.fill_free(0)

    def fill_free(self, start: i64) -> None:
        """Put the handles from ``start`` on the free list, lowest on top."""
        index: i64 = 0
        count: i64 = self.capacity - start
        while index < count:
            self.free[index] = self.capacity - 1 - index
            index += 1

    def take(self) -> i64:
        """A fresh record; its caller columns hold rubbish until the edge fills them."""
        if self.in_use >= self.capacity:
            self.grow()
        call = self.free[self.capacity - self.in_use - 1]
        self.in_use += 1
        self.made += 1
        self.serial[call] = self.made
        if self.in_use > self.most_in_use:
            self.most_in_use = self.in_use
        self.flags[call] = 0
        self.attempt[call] = 1
        self.child[call] = -1
        self.mark[call] = 0
        self.version[call] = 0
        return call

    def tell(self, call: i64, token: i64, extra: i64) -> None:
        """Let a call that was just made carry ``token`` and ``extra`` to its callee."""
        self.token[call] = token
        self.extra[call] = extra
        self.flags[call] |= TOLD

    def present(self, call: i64, session: i64) -> None:
        """Let a call that was just made present a session."""
        self.session[call] = session
        self.flags[call] |= SIGNED

    def session_of(self, call: i64) -> i64:
        """The session that a call presents, 0 for none."""
        return self.session[call] if self.flags[call] & SIGNED != 0 else 0

    def advise(self, call: i64, verdict: i64, advice: i64) -> None:
        """Let the answer that is about to be given carry ``verdict`` and ``advice`` to the caller."""
        self.verdict[call] = verdict
        self.advice[call] = advice
        self.flags[call] |= ANSWERED

    def release(self, call: i64) -> None:
        """Give the record back."""
        self.edge[call] = FREE
        self.in_use -= 1
        self.free[self.capacity - self.in_use - 1] = call

    def adopt(self, parent: i64, call: i64) -> None:
        """Enter ``call`` among the children of ``parent``."""
        first = self.child[parent]
        self.sibling[call] = first
        self.sibling_before[call] = -1
        if first >= 0:
            self.sibling_before[first] = call
        self.child[parent] = call

    def orphan(self, parent: i64) -> None:
        """Let all children of ``parent``, whose record is about to go, live on without one (-1)."""
        child = self.child[parent]
        while child >= 0:
            after = self.sibling[child]
            self.parent[child] = -1
            child = after
        self.child[parent] = -1

    def disown(self, call: i64) -> None:
        """Take ``call`` out of its parent's children."""
        parent = self.parent[call]
        if parent < 0:
            return
        after = self.sibling[call]
        before = self.sibling_before[call]
        if before >= 0:
            self.sibling[before] = after
        else:
            self.child[parent] = after
        if after >= 0:
            self.sibling_before[after] = before

    def grow(self) -> None:
        """Double the table. Past the limit it still grows, but says so: the simulation stops after the present event."""
        old = self.capacity
        if old >= CALLS_IN_FLIGHT_MAX:
            self.overflowed = True
        new: i64 = 2 * old
        self.capacity = new
        self.free = zeros(new)
        self.edge = grown(self.edge, new, FREE)
        self.parent = grown(self.parent, new)
        self.step = grown(self.step, new)
        self.data = grown(self.data, new)
        self.began = grown(self.began, new)
        self.sent = grown(self.sent, new)
        self.deadline = grown(self.deadline, new)
        self.attempt = grown(self.attempt, new)
        self.operation = grown(self.operation, new)
        self.key = grown(self.key, new)
        self.user = grown(self.user, new)
        self.request_bytes = grown(self.request_bytes, new)
        self.trace = grown(self.trace, new)
        self.serial = grown(self.serial, new)
        self.session = grown(self.session, new)
        self.token = grown(self.token, new)
        self.extra = grown(self.extra, new)
        self.arrived = grown(self.arrived, new)
        self.started = grown(self.started, new)
        self.queued = grown(self.queued, new)
        self.instance = grown(self.instance, new)
        self.mark = grown(self.mark, new)
        self.memo = grown(self.memo, new)
        self.next = grown(self.next, new)
        self.previous = grown(self.previous, new)
        self.outcome = grown(self.outcome, new)
        self.version = grown(self.version, new)
        self.reply_bytes = grown(self.reply_bytes, new)
        self.replied = grown(self.replied, new)
        self.verdict = grown(self.verdict, new)
        self.advice = grown(self.advice, new)
        self.flags = grown(self.flags, new)
        self.child = grown(self.child, new)
        self.sibling = grown(self.sibling, new)
        self.sibling_before = grown(self.sibling_before, new)
        self.later = grown(self.later, new)
        self.earlier = grown(self.earlier, new)
        self.fill_free(old)
