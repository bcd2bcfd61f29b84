"""Lets requests in as often as a limit allows, user by user, for all together, or both; turns the others away (429) or lets them wait."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from librt.vecs import vec
from mypy_extensions import i64

from playground.engine.block import Block
from playground.engine.columns import filled, grown, zeros
from playground.engine.leaky_bucket import FULL, LEAVES, LeakyBucket
from playground.engine.limiters import USERS_KEPT, FixedWindow, Limiter, SlidingWindow, Slots, TokenBucket
from playground.engine.outcomes import NO_UPSTREAM, RATE_LIMITED
from playground.engine.params import Params
from playground.engine.streams import CONSTANT, Duration
from playground.engine.words import time_text

if TYPE_CHECKING:
    from playground.engine.edge import Edge
    from playground.engine.simulation import Simulation

TOKENS: Final = 0
LEAKY: Final = 1
SLIDING: Final = 2
FIXED: Final = 3
ALGORITHMS: Final = ["token_bucket", "leaky_bucket", "sliding_window", "fixed_window"]

EACH: Final = 0
ALL: Final = 1
BOTH: Final = 2
SCOPES: Final = ["user", "global", "both"]

PASSING: Final = 0
IN_USERS_QUEUE: Final = 1
IN_COMMON_QUEUE: Final = 2
"""Marks of a call: it is past the limit; it waits in its user's leaky bucket, in that of all together. Also tags of the timers that let
the next one leave (argument: the slot)."""

SECOND_NS: Final = 1_000_000_000
QUIET_NS: Final = 10_000_000_000
CELLS_MAX: Final = 64
FREE: Final = 0
HALF: Final = 1
NONE_LEFT: Final = 2
"""States of a cell: a user with more than half, with less than half, with nothing left of the limit."""


def limiter(algorithm: i64) -> Limiter:
    """A limiter that decides at once, of the sort that is wanted."""
    if algorithm == SLIDING:
        return SlidingWindow()
    if algorithm == FIXED:
        return FixedWindow()
    return TokenBucket()


class ApiGateway(Block):
    """Two stages, of which either may be left out: the limit of the user, then the limit of all together."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.work_stream = self.stream("processing")
        self.processing = Duration(CONSTANT, 0.0, 1.0)
        self.algorithm: i64 = -1
        self.scope: i64 = EACH
        self.tell_when: bool = True
        self.upstream: Edge | None = None
        self.users = Slots(USERS_KEPT)
        self.each = limiter(TOKENS)
        self.all = limiter(TOKENS)
        self.each_queue = LeakyBucket(self.calls)
        self.all_queue = LeakyBucket(self.calls)
        # By the user's slot: let in, turned away, and in which second the last time.
        self.let_in: vec[i64] = zeros(16)
        self.turned_away: vec[i64] = zeros(16)
        self.limited_in: vec[i64] = filled(16, -1)
        self.admitted: i64 = 0
        self.limited: i64 = 0
        # Different users that were limited in the present second, and in the one before.
        self.second: i64 = 0
        self.hit_now: i64 = 0
        self.hit_before: i64 = 0
        self.noted_at: i64 = -QUIET_NS

    def configure(self, params: Params) -> None:
        """Take limits; another algorithm or scope begins with nothing counted, and lets go what waited."""
        algorithm: i64 = ALGORITHMS.index(params.text("algorithm"))
        scope: i64 = SCOPES.index(params.text("scope"))
        changed = algorithm != self.algorithm or scope != self.scope
        params.set_duration(self.processing, "processing")
        self.tell_when = params.flag("retry_after")
        if changed:
            self.algorithm = algorithm
            self.scope = scope
            self.each = limiter(algorithm)
            self.all = limiter(algorithm)
        rate = params.number("limit_per_s")
        burst = params.integer("burst")
        common_rate = params.number("total_limit_per_s") if scope == BOTH else rate
        common_burst = params.integer("total_burst") if scope == BOTH else burst
        window = params.ns("window_s")
        queue_max = params.integer("queue_max")
        now = self.simulation.now
        self.each.set_to(rate, burst, window, now)
        self.all.set_to(common_rate, common_burst, window, now)
        self.each_queue.set_to(rate, queue_max)
        self.all_queue.set_to(common_rate, queue_max)
        if changed:
            # Once the limit is known: a token bucket begins full.
            slot: i64 = 0
            while slot < self.users.made:
                self.each.open(slot)
                slot += 1
            self.all.open(0)
            self.let_go(self.each_queue)
            self.let_go(self.all_queue)
        if self.all_queue.slots == 0:
            self.all_queue.open(0)

    def let_go(self, queue: LeakyBucket) -> None:
        """Send on all that wait in a queue that is no more."""
        slot: i64 = 0
        while slot < queue.slots:
            while queue.head[slot] >= 0:
                call = queue.head[slot]
                queue.remove(call, slot)
                self.unpin(call)
                self.process(call)
            queue.next_at[slot] = 0
            queue.owed[slot] = 0
            slot += 1

    def wired(self) -> None:
        """What is behind it."""
        edges = self.out["out"]
        self.upstream = edges[0] if len(edges) > 0 else None

    # ---- a call's way through

    def on_call(self, call: i64) -> None:
        """Let it in, let it wait, or turn it away."""
        slot = self.slot_of(self.calls.user[call])
        self.calls.memo[call] = slot
        if self.algorithm == LEAKY:
            if self.scope == ALL:
                self.shape(call, IN_COMMON_QUEUE)
            else:
                self.shape(call, IN_USERS_QUEUE)
            return
        now = self.simulation.now
        wait: i64 = 0
        if self.scope != ALL:
            wait = self.each.wait_ns(slot, now)
        if self.scope != EACH:
            longer = self.all.wait_ns(0, now)
            if longer > wait:
                wait = longer
        if wait > 0:
            self.turn_away(call, wait)
            return
        if self.scope != ALL:
            self.each.take(slot, now)
        if self.scope != EACH:
            self.all.take(0, now)
        self.process(call)

    def slot_of(self, user: i64) -> i64:
        """The slot of a user, a new one where it is not known (any more)."""
        slot = self.users.claim(user)
        if self.users.is_new:
            if slot >= len(self.let_in):
                self.let_in = grown(self.let_in, 2 * slot)
                self.turned_away = grown(self.turned_away, 2 * slot)
                self.limited_in = grown(self.limited_in, 2 * slot, -1)
            self.let_in[slot] = 0
            self.turned_away[slot] = 0
            self.limited_in[slot] = -1
            self.each.open(slot)
            self.each_queue.open(slot)
        if self.each.full():
            # Logs of those who were away for longest make room.
            oldest = self.users.oldest
            while oldest >= 0 and self.each.full():
                self.each.open(oldest)
                oldest = self.users.after[oldest]
        return slot

    def shape(self, call: i64, which: i64) -> None:
        """Offer a call to its user's queue or to that of all together."""
        queue = self.each_queue if which == IN_USERS_QUEUE else self.all_queue
        slot = self.calls.memo[call] if which == IN_USERS_QUEUE else 0
        now = self.simulation.now
        became = queue.offer(call, slot, now)
        if became == LEAVES:
            self.after_queue(call, which)
        elif became == FULL:
            self.turn_away(call, queue.wait_ns(slot, now))
        else:
            self.calls.mark[call] = which
            self.users.pins[self.calls.memo[call]] += 1
            self.arm(queue, slot, which)

    def after_queue(self, call: i64, which: i64) -> None:
        """A call has left a queue: on to the next one, or in."""
        if which == IN_USERS_QUEUE and self.scope == BOTH:
            self.shape(call, IN_COMMON_QUEUE)
        else:
            self.process(call)

    def arm(self, queue: LeakyBucket, slot: i64, which: i64) -> None:
        """Have a timer ring when the next one may leave, where none rings as early."""
        at = queue.next_at[slot]
        armed = queue.armed_at[slot]
        if armed < 0 or at < armed:
            queue.armed_at[slot] = at
            self.timer(at - self.simulation.now, which, slot)

    def on_timer(self, tag: i64, argument: i64) -> None:
        """Somebody may leave a queue."""
        queue = self.each_queue if tag == IN_USERS_QUEUE else self.all_queue
        now = self.simulation.now
        if queue.armed_at[argument] <= now:
            queue.armed_at[argument] = -1
        if argument >= queue.slots:
            return
        call = queue.leave(argument, now)
        if call >= 0:
            self.unpin(call)
            self.after_queue(call, tag)
        if queue.head[argument] >= 0:
            self.arm(queue, argument, tag)

    def unpin(self, call: i64) -> None:
        """A call waits no longer in a queue."""
        self.calls.mark[call] = PASSING
        self.users.pins[self.calls.memo[call]] -= 1

    def process(self, call: i64) -> None:
        """It is in: the gateway's own work, then on."""
        self.admitted += 1
        self.let_in[self.calls.memo[call]] += 1
        ns = self.processing.draw(self.work_stream)
        if ns > 0:
            self.work(call, ns)
        else:
            self.on_work(call)

    def on_work(self, call: i64) -> None:
        """Send it on."""
        upstream = self.upstream
        if upstream is None:
            self.reply(call, NO_UPSTREAM, 0, 0)
            return
        self.send_on(upstream, call, -1)

    def on_reply(self, call: i64) -> None:
        """Hand the answer back."""
        self.reply_like(self.calls.parent[call], call)

    def turn_away(self, call: i64, wait_ns: i64) -> None:
        """Answer 429, and say when to come again."""
        calls = self.calls
        now = self.simulation.now
        slot = calls.memo[call]
        user = calls.user[call]
        self.limited += 1
        self.turned_away[slot] += 1
        second: i64 = now // SECOND_NS
        if second != self.second:
            self.hit_before = self.hit_now if second == self.second + 1 else 0
            self.hit_now = 0
            self.second = second
        if self.limited_in[slot] != second:
            self.limited_in[slot] = second
            self.hit_now += 1
        if self.tell_when:
            calls.advise(call, 0, wait_ns)
        self.reply(call, RATE_LIMITED, 0, 0)
        if now - self.noted_at >= QUIET_NS:
            self.noted_at = now
            self.note(
                "rate_limited",
                "warning",
                f"{self.label} limits users",
                f"User {self.simulation.people.who(user)} asked too often, and may ask again in {time_text(wait_ns)}.",
            )

    def on_cancel(self, call: i64) -> None:
        """Free its place in the queue."""
        mark = self.calls.mark[call]
        if mark == IN_USERS_QUEUE:
            self.each_queue.remove(call, self.calls.memo[call])
        elif mark == IN_COMMON_QUEUE:
            self.all_queue.remove(call, 0)
        if mark != PASSING:
            self.unpin(call)

    def on_crash(self, instance: i64) -> None:
        """What it knew of users is gone: all begin anew."""
        self.users.clear()
        self.each.clear()
        self.all.clear()
        self.all.open(0)
        self.each_queue.clear()
        self.all_queue.clear()
        self.all_queue.open(0)

    # ---- figures

    def queue(self) -> float:
        """Calls that wait in leaky buckets."""
        return float(self.each_queue.waiting_all + self.all_queue.waiting_all)

    def room_of(self, slot: i64) -> float:
        """The share of the limit that a user has left."""
        now = self.simulation.now
        room = 1.0
        if self.algorithm == LEAKY:
            if self.scope != ALL:
                room = self.each_queue.room(slot, now)
            common = self.all_queue.room(0, now) if self.scope != EACH else 1.0
        else:
            if self.scope != ALL:
                room = self.each.room(slot, now)
            common = self.all.room(0, now) if self.scope != EACH else 1.0
        return common if common < room else room

    def least_room(self) -> float:
        """What the one with the least has left, among the latest users."""
        least = 1.0
        slot = self.users.newest
        looked: i64 = 0
        while slot >= 0 and looked < CELLS_MAX:
            room = self.room_of(slot)
            if room < least:
                least = room
            looked += 1
            slot = self.users.before[slot]
        return least

    def limited_lately(self) -> i64:
        """Different users that were limited in this second and the one before, each second counted for itself; the larger one."""
        second: i64 = self.simulation.now // SECOND_NS
        if second == self.second:
            return self.hit_now if self.hit_now > self.hit_before else self.hit_before
        return self.hit_now if second == self.second + 1 else 0

    def metrics(self) -> list[float]:
        """See ``spec.py``."""
        return [
            float(self.admitted),
            float(self.limited),
            self.queue(),
            float(self.limited_lately()),
            float(self.users.index.size),
            100.0 * self.least_room(),
        ]

    def cells(self) -> list[int]:
        """The first users that came, by what they have left; marked where they are being limited."""
        second: i64 = self.simulation.now // SECOND_NS
        found: list[int] = []
        for slot in range(min(int(self.users.made), CELLS_MAX)):
            room = self.room_of(slot)
            state = FREE if room >= 0.5 else HALF if room > 0.0 else NONE_LEFT
            limited = self.limited_in[slot] >= 0 and self.limited_in[slot] >= second - 1
            found.append(int(state) + (128 if limited else 0))
        return found

    def detail(self) -> dict[str, object]:
        """The users that came most, of those that came lately."""
        found: list[tuple[int, int, int]] = []
        slot = self.users.newest
        while slot >= 0 and len(found) < 1000:
            found.append((int(self.let_in[slot] + self.turned_away[slot]), -int(self.users.key[slot]), int(slot)))
            slot = self.users.before[slot]
        found.sort(reverse=True)
        rows: list[object] = []
        for _, _, busy in found[:10]:
            rows.append(
                {
                    "user": self.simulation.people.who(self.users.key[busy]),
                    "let_in": int(self.let_in[busy]),
                    "limited": int(self.turned_away[busy]),
                    "left_percent": round(100.0 * self.room_of(busy), 1),
                }
            )
        return {"algorithm": ALGORITHMS[self.algorithm].replace("_", " "), "busiest_users": rows}
