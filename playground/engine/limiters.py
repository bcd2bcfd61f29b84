"""Rate limiters: how often somebody may call, and when the next call would be let in.

A limiter keeps its state in columns by slot, one slot for each user (or one for all together); :class:`Slots` gives users their slots.
All of it is whole-number arithmetic on nanoseconds, so that runs repeat and nothing drifts.
"""

from __future__ import annotations

from typing import Final, final

from librt.vecs import vec
from mypy_extensions import i64

from playground.engine.columns import grown, zeros
from playground.engine.state import State
from playground.engine.stores import KeyIndex

USERS_KEPT: Final = 1 << 16
"""So many users are kept apart. The one who was away for longest makes room for another, and begins anew when it is back."""

LOG_NODES_MAX: Final = 1 << 21
"""So many arrivals all logs of a sliding window hold together; users who were away for longest are forgotten for others."""

GRAINS: Final = 4096
"""Up to so many arrivals in a window a sliding log has each by itself; where the limit is higher it joins those that lie closer together
than a 4096th of the window, and counts each group by its latest, so that it still never lets too many in."""

TOKEN: Final = 1_000_000_000_000
"""One token, in what a rate of a thousandth per second gains in a nanosecond. A million tokens stay below 2**60."""


@final
class Slots(State):
    """Slots for the users that were seen last. A slot that is pinned (something waits in it) is not given away."""

    def __init__(self, capacity: i64) -> None:
        self.capacity: i64 = capacity
        self.index = KeyIndex()
        self.made: i64 = 0
        self.is_new: bool = False
        self.key: vec[i64] = zeros(16)
        self.pins: vec[i64] = zeros(16)
        self.before: vec[i64] = zeros(16)
        self.after: vec[i64] = zeros(16)
        self.oldest: i64 = -1
        self.newest: i64 = -1

    def claim(self, key: i64) -> i64:
        """The slot of ``key``, now the latest one; ``is_new`` says that it was given to ``key`` this very time."""
        slot = self.index.find(key)
        self.is_new = slot < 0
        if slot >= 0:
            if slot != self.newest:
                self.unchain(slot)
                self.chain(slot)
            return slot
        if self.made >= self.capacity:
            slot = self.idle()
        if slot >= 0:
            self.index.drop(self.key[slot])
            self.unchain(slot)
        else:
            slot = self.made
            self.made += 1
            if slot >= len(self.key):
                length: i64 = 2 * slot
                self.key = grown(self.key, length)
                self.pins = grown(self.pins, length)
                self.before = grown(self.before, length)
                self.after = grown(self.after, length)
        self.key[slot] = key
        self.pins[slot] = 0
        self.index.put(key, slot)
        self.chain(slot)
        return slot

    def idle(self) -> i64:
        """The slot that was not used for longest and is not pinned; -1 when all are."""
        slot = self.oldest
        while slot >= 0 and self.pins[slot] > 0:
            slot = self.after[slot]
        return slot

    def chain(self, slot: i64) -> None:
        """Enter as the latest."""
        self.before[slot] = self.newest
        self.after[slot] = -1
        if self.newest >= 0:
            self.after[self.newest] = slot
        else:
            self.oldest = slot
        self.newest = slot

    def unchain(self, slot: i64) -> None:
        """Take out of the order of use."""
        before = self.before[slot]
        after = self.after[slot]
        if before >= 0:
            self.after[before] = after
        else:
            self.oldest = after
        if after >= 0:
            self.before[after] = before
        else:
            self.newest = before

    def clear(self) -> None:
        """Forget all."""
        self.index.clear()
        self.made = 0
        self.oldest = -1
        self.newest = -1


class Limiter(State):
    """What decides at once. Ask :meth:`wait_ns`; where it says 0, :meth:`take` counts the call as let in."""

    def __init__(self) -> None:
        self.slots: i64 = 0

    def set_to(self, rate_per_s: float, burst: i64, window_ns: i64, now: i64) -> None:
        """Take a limit; each sort uses what matters to it."""

    def open(self, slot: i64) -> None:
        """Begin anew in ``slot``, which may be one further than those that there are."""

    def wait_ns(self, slot: i64, now: i64) -> i64:
        """0 when a call may come in now, else in how many ns the next one may, if nobody else comes first."""
        return 0

    def take(self, slot: i64, now: i64) -> None:
        """A call comes in; :meth:`wait_ns` has just said 0."""

    def room(self, slot: i64, now: i64) -> float:
        """The share of the limit that is free, 0 to 1. Looking changes nothing."""
        return 1.0

    def full(self) -> bool:
        """Whether others have to be forgotten before a further call can be remembered."""
        return False

    def clear(self) -> None:
        """Forget all slots."""
        self.slots = 0


@final
class TokenBucket(Limiter):
    """Tokens come in at a constant rate, up to ``burst`` of them; each call takes one. In any time t at most burst + rate x t get in
    (J. Turner, "New directions in communications", IEEE Communications Magazine 24(10), 1986)."""

    def __init__(self) -> None:
        super().__init__()
        self.rate_milli: i64 = 1
        self.capacity: i64 = TOKEN
        self.credit: vec[i64] = zeros(16)
        self.settled: vec[i64] = zeros(16)

    def set_to(self, rate_per_s: float, burst: i64, window_ns: i64, now: i64) -> None:
        """Rate, to a thousandth per second, and burst; a bucket that holds more than fits flows over."""
        slot: i64 = 0
        while slot < self.slots:
            # What came in until now came at the old rate.
            self.credit[slot] = self.held(slot, now)
            self.settled[slot] = now
            slot += 1
        self.rate_milli = thousandths(rate_per_s)
        self.capacity = burst * TOKEN

    def open(self, slot: i64) -> None:
        """A full bucket."""
        if slot >= len(self.credit):
            self.credit = grown(self.credit, 2 * slot)
            self.settled = grown(self.settled, 2 * slot)
        if slot >= self.slots:
            self.slots = slot + 1
        self.credit[slot] = self.capacity
        self.settled[slot] = 0

    def held(self, slot: i64, now: i64) -> i64:
        """What is in the bucket now."""
        missing = self.capacity - self.credit[slot]
        span = now - self.settled[slot]
        if missing <= 0 or span > missing // self.rate_milli:
            return self.capacity
        return self.credit[slot] + span * self.rate_milli

    def wait_ns(self, slot: i64, now: i64) -> i64:
        """Until there is a whole token."""
        held = self.held(slot, now)
        if held >= TOKEN:
            return 0
        return (TOKEN - held + self.rate_milli - 1) // self.rate_milli

    def take(self, slot: i64, now: i64) -> None:
        """One token less."""
        self.credit[slot] = self.held(slot, now) - TOKEN
        self.settled[slot] = now

    def room(self, slot: i64, now: i64) -> float:
        """Whole tokens over burst."""
        return float(self.held(slot, now) // TOKEN) / float(self.capacity // TOKEN)


@final
class FixedWindow(Limiter):
    """So many calls in each window of the clock: simple, and up to twice as many within a window's length across the boundary."""

    def __init__(self) -> None:
        super().__init__()
        self.limit: i64 = 1
        self.window_ns: i64 = 1
        self.window: vec[i64] = zeros(16)
        self.count: vec[i64] = zeros(16)

    def set_to(self, rate_per_s: float, burst: i64, window_ns: i64, now: i64) -> None:
        """So many in a window as the rate lets come in it, one at least."""
        self.limit = calls_in(rate_per_s, window_ns)
        self.window_ns = window_ns

    def open(self, slot: i64) -> None:
        """Nobody came yet."""
        if slot >= len(self.count):
            self.window = grown(self.window, 2 * slot)
            self.count = grown(self.count, 2 * slot)
        if slot >= self.slots:
            self.slots = slot + 1
        self.window[slot] = -1
        self.count[slot] = 0

    def counted(self, slot: i64, now: i64) -> i64:
        """Calls let in within the present window."""
        return self.count[slot] if self.window[slot] == now // self.window_ns else 0

    def wait_ns(self, slot: i64, now: i64) -> i64:
        """Until the next window begins."""
        if self.counted(slot, now) < self.limit:
            return 0
        return (now // self.window_ns + 1) * self.window_ns - now

    def take(self, slot: i64, now: i64) -> None:
        """One more in this window."""
        self.count[slot] = self.counted(slot, now) + 1
        self.window[slot] = now // self.window_ns

    def room(self, slot: i64, now: i64) -> float:
        """What is left of the window's calls."""
        free = self.limit - self.counted(slot, now)
        return float(free) / float(self.limit) if free > 0 else 0.0


@final
class SlidingWindow(Limiter):
    """At most ``limit`` calls in any window's length: a log of the calls that were let in, by slot, as a chain of nodes.

    A call that came at t counts until t + window, not then. See :data:`GRAINS` for limits that are too high to log one by one.
    """

    def __init__(self) -> None:
        super().__init__()
        self.limit: i64 = 1
        self.window_ns: i64 = 1
        self.grain_ns: i64 = 0
        self.total: vec[i64] = zeros(16)
        self.first: vec[i64] = zeros(16)
        self.last: vec[i64] = zeros(16)
        self.nodes: i64 = 0
        self.made: i64 = 0
        self.free: i64 = -1
        self.time: vec[i64] = zeros(64)
        self.count: vec[i64] = zeros(64)
        self.after: vec[i64] = zeros(64)

    def set_to(self, rate_per_s: float, burst: i64, window_ns: i64, now: i64) -> None:
        """So many in any window as the rate lets come in it, one at least."""
        self.limit = calls_in(rate_per_s, window_ns)
        self.window_ns = window_ns
        self.grain_ns = window_ns // GRAINS + 1 if self.limit > GRAINS else 0

    def open(self, slot: i64) -> None:
        """An empty log."""
        if slot < self.slots:
            self.expire(slot, self.total[slot])
        if slot >= len(self.total):
            self.total = grown(self.total, 2 * slot)
            self.first = grown(self.first, 2 * slot)
            self.last = grown(self.last, 2 * slot)
        while self.slots <= slot:
            self.total[self.slots] = 0
            self.first[self.slots] = -1
            self.slots += 1

    def expire(self, slot: i64, count: i64) -> None:
        """Forget the oldest ``count`` calls, whole nodes of them."""
        while count > 0:
            node = self.first[slot]
            count -= self.count[node]
            self.total[slot] -= self.count[node]
            self.first[slot] = self.after[node]
            self.after[node] = self.free
            self.free = node
            self.nodes -= 1

    def past(self, slot: i64, now: i64) -> i64:
        """How many of the logged calls count no longer."""
        count: i64 = 0
        node = self.first[slot]
        while node >= 0 and self.time[node] + self.window_ns <= now:
            count += self.count[node]
            node = self.after[node]
        return count

    def wait_ns(self, slot: i64, now: i64) -> i64:
        """Until so many of the oldest are past that there is room for one."""
        self.expire(slot, self.past(slot, now))
        too_many = self.total[slot] - self.limit + 1
        if too_many <= 0:
            return 0
        node = self.first[slot]
        while too_many > self.count[node]:
            too_many -= self.count[node]
            node = self.after[node]
        return self.time[node] + self.window_ns - now

    def take(self, slot: i64, now: i64) -> None:
        """Log a call."""
        self.total[slot] += 1
        last = self.last[slot]
        if self.first[slot] >= 0 and self.grain_ns > 0 and self.time[last] // self.grain_ns == now // self.grain_ns:
            self.count[last] += 1
            self.time[last] = now
            return
        node = self.free
        if node >= 0:
            self.free = self.after[node]
        else:
            node = self.made
            self.made += 1
            if node >= len(self.time):
                self.time = grown(self.time, 2 * node)
                self.count = grown(self.count, 2 * node)
                self.after = grown(self.after, 2 * node)
        self.nodes += 1
        self.time[node] = now
        self.count[node] = 1
        self.after[node] = -1
        if self.first[slot] >= 0:
            self.after[last] = node
        else:
            self.first[slot] = node
        self.last[slot] = node

    def room(self, slot: i64, now: i64) -> float:
        """What is left of the limit."""
        free = self.limit - self.total[slot] + self.past(slot, now)
        return float(free) / float(self.limit) if free > 0 else 0.0

    def full(self) -> bool:
        """Whether all logs together are as long as they may be."""
        return self.nodes >= LOG_NODES_MAX

    def clear(self) -> None:
        """Forget all logs."""
        self.slots = 0
        self.nodes = 0
        self.made = 0
        self.free = -1


def calls_in(rate_per_s: float, window_ns: i64) -> i64:
    """Whole calls that a rate lets come in a window, one at least."""
    count: i64 = i64(rate_per_s * float(window_ns) / 1e9 + 1e-6)
    return count if count > 1 else 1


def thousandths(rate_per_s: float) -> i64:
    """A rate in thousandths per second, one at least."""
    rate: i64 = i64(rate_per_s * 1000.0 + 0.5)
    return rate if rate > 1 else 1
