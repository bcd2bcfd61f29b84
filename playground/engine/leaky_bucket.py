"""The leaky bucket as a queue: what comes in bursts goes out at a constant rate (A. Tanenbaum, "Computer Networks", on traffic shaping).

The leaky bucket as a meter, which lets in or turns away at once, is a token bucket of the same rate and depth; kept as the theoretical
time of the next arrival it is called the generic cell rate algorithm (ITU-T I.371). See ``limiters.py`` for those that decide at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from librt.vecs import vec
from mypy_extensions import i64

from playground.engine.columns import filled, grown, zeros
from playground.engine.limiters import TOKEN, thousandths
from playground.engine.state import State

if TYPE_CHECKING:
    from playground.engine.calls import Calls

LEAVES: Final = 0
WAITS: Final = 1
FULL: Final = 2
"""What became of a call that was offered to a leaky bucket."""


@final
class LeakyBucket(State):
    """Calls wait in it, ``queue_max`` at most, and leave at a constant rate: it shapes, where other limiters police.

    A call stands in one queue at a time. The owner sets a timer for ``next_at`` of each slot where calls wait (``armed_at`` is the owner's
    note of it), and lets them :meth:`leave` when it rings.
    """

    def __init__(self, calls: Calls) -> None:
        self.calls = calls
        self.slots: i64 = 0
        self.queue_max: i64 = 0
        self.waiting_all: i64 = 0
        # The time between two, in whole ns and what is left over by the division.
        self.rate_milli: i64 = 1
        self.gap_ns: i64 = 1
        self.gap_rest: i64 = 0
        self.waiting: vec[i64] = zeros(16)
        self.head: vec[i64] = filled(16, -1)
        self.tail: vec[i64] = filled(16, -1)
        self.next_at: vec[i64] = zeros(16)
        self.owed: vec[i64] = zeros(16)
        self.armed_at: vec[i64] = filled(16, -1)

    def set_to(self, rate_per_s: float, queue_max: i64) -> None:
        """Rate, to a thousandth per second, and depth. Those that wait stay; the next one leaves as it was to."""
        self.rate_milli = thousandths(rate_per_s)
        self.gap_ns = TOKEN // self.rate_milli
        self.gap_rest = TOKEN % self.rate_milli
        self.queue_max = queue_max

    def open(self, slot: i64) -> None:
        """Begin anew in a slot where nothing waits; a timer that is set rings in vain."""
        if slot >= len(self.waiting):
            length: i64 = 2 * slot
            self.waiting = grown(self.waiting, length)
            self.head = grown(self.head, length, -1)
            self.tail = grown(self.tail, length, -1)
            self.next_at = grown(self.next_at, length)
            self.owed = grown(self.owed, length)
            self.armed_at = grown(self.armed_at, length, -1)
        if slot >= self.slots:
            self.slots = slot + 1
        self.waiting[slot] = 0
        self.head[slot] = -1
        self.tail[slot] = -1
        self.next_at[slot] = 0
        self.owed[slot] = 0

    def offer(self, call: i64, slot: i64, now: i64) -> i64:
        """Give it a call: it leaves at once, waits, or finds the queue full."""
        if self.waiting[slot] == 0 and self.next_at[slot] <= now:
            self.space(slot, now)
            return LEAVES
        if self.waiting[slot] >= self.queue_max:
            return FULL
        calls = self.calls
        tail = self.tail[slot]
        calls.next[call] = -1
        calls.previous[call] = tail
        if tail >= 0:
            calls.next[tail] = call
        else:
            self.head[slot] = call
        self.tail[slot] = call
        calls.queued[call] = now
        calls.started[call] = -1
        self.waiting[slot] += 1
        self.waiting_all += 1
        return WAITS

    def space(self, slot: i64, now: i64) -> None:
        """One leaves now: when the next may."""
        if self.next_at[slot] < now:
            self.owed[slot] = 0
        owed = self.owed[slot] + self.gap_rest
        at = now + self.gap_ns
        if owed >= self.rate_milli:
            owed -= self.rate_milli
            at += 1
        self.owed[slot] = owed
        self.next_at[slot] = at

    def leave(self, slot: i64, now: i64) -> i64:
        """The call that leaves now, -1 when none waits or it is too early."""
        call = self.head[slot]
        if call < 0 or self.next_at[slot] > now:
            return -1
        self.remove(call, slot)
        self.calls.started[call] = now
        self.space(slot, now)
        return call

    def remove(self, call: i64, slot: i64) -> None:
        """Take a waiting call out of its queue."""
        calls = self.calls
        before = calls.previous[call]
        after = calls.next[call]
        if before >= 0:
            calls.next[before] = after
        else:
            self.head[slot] = after
        if after >= 0:
            calls.previous[after] = before
        else:
            self.tail[slot] = before
        self.waiting[slot] -= 1
        self.waiting_all -= 1

    def wait_ns(self, slot: i64, now: i64) -> i64:
        """In how many ns a place in a full queue is free: when the next one leaves."""
        wait = self.next_at[slot] - now
        return wait if wait > 0 else 0

    def room(self, slot: i64, now: i64) -> float:
        """The share of places that is free; of a queue without any places, whether a call could leave at once."""
        if self.queue_max <= 0:
            return 1.0 if self.next_at[slot] <= now else 0.0
        free = self.queue_max - self.waiting[slot]
        return float(free) / float(self.queue_max) if free > 0 else 0.0

    def clear(self) -> None:
        """Forget all; what waited is no more."""
        self.slots = 0
        self.waiting_all = 0
