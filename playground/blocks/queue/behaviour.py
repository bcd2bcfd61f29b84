"""A queue between those who want something done and those who do it: it keeps messages until they are acknowledged.

This file is longer than most: a message's whole life is in it, and each way out of it has to be counted once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mypy_extensions import i64

from playground.blocks.queue.consumers import Consumers
from playground.blocks.queue.messages import DEAD, DELAYED, LISTS, WAITING, WORKED_ON, Messages
from playground.engine.block import Block
from playground.engine.calls import TOLD
from playground.engine.outcomes import (
    BREAKER_OPEN,
    CRASHED,
    NOT_READY,
    OK,
    OPERATIONS,
    OVERLOADED,
    PROBE_READINESS,
    REFUSED,
    REMOVED,
)
from playground.engine.params import Params
from playground.engine.streams import CONSTANT, Duration
from playground.engine.words import counted, often

if TYPE_CHECKING:
    from playground.engine.edge import Edge
    from playground.engine.simulation import Simulation

STORING: Final = 0
HELD: Final = 1
"""Marks of a producer's call: its message is being stored; it waits until there is room."""

MOVING: Final = -1
"""Step of a call that takes a dead letter to another queue; that of a delivery is the message's entry, its data the delivery's number."""

REJECT: Final = 0
HOLD: Final = 1
DROP_OLDEST: Final = 2
WHEN_FULL: Final = ["reject", "hold", "drop_oldest"]

VISIBILITY: Final = 0
DELAY: Final = 1
RECONNECT: Final = 2
"""Timers: a delivery has lasted too long, a delay is over, consumers that were away are looked for."""

RECONNECT_NS: Final = 1_000_000_000
"""A consumer that went away connects again within a second of its return."""

DEAD_MAX: Final = 100_000
"""So many dead letters are kept; one more drops the oldest of them."""

SMALL_BYTES: Final = 60
QUIET_NS: Final = 10_000_000_000
CELLS_MAX: Final = 64
WAITS: Final = 0
WAITS_AGAIN: Final = 1
IS_WORKED_ON: Final = 2
IS_DEAD: Final = 3
MARKED: Final = 128


def never_reached(outcome: i64) -> bool:
    """Whether a delivery has not come to the consumer at all."""
    return outcome == REFUSED or outcome == BREAKER_OPEN or outcome == REMOVED or outcome == NOT_READY


class Queue(Block):
    """Delivers at least once, the oldest message first.

    What was accepted is acknowledged, waits, is worked on, dead, being moved, moved, dropped or lost: one of these, at any moment.
    """

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.store_stream = self.stream("storing")
        self.store = Duration(CONSTANT, 0.0, 1.0)
        self.length_max: i64 = 1
        self.when_full: i64 = REJECT
        self.visibility_ns: i64 = 1
        self.delay_ns: i64 = 0
        self.deliveries_max: i64 = -1
        self.durable: bool = True
        self.messages = Messages()
        self.consumers = Consumers()
        self.dead_letters: Edge | None = None
        self.storing: i64 = 0
        self.first_held: i64 = -1
        self.last_held: i64 = -1
        self.held: i64 = 0
        self.letting_in: bool = False
        self.delivery_number: i64 = 0
        # When the timers for deliveries and for delays ring, -1 where none is set.
        self.visibility_at: i64 = -1
        self.delay_at: i64 = -1
        self.reconnecting: bool = False
        # Figures.
        self.accepted: i64 = 0
        self.delivered: i64 = 0
        self.acknowledged: i64 = 0
        self.redelivered: i64 = 0
        self.ran_out: i64 = 0
        self.late: i64 = 0
        self.died: i64 = 0
        self.moving: i64 = 0
        self.moved: i64 = 0
        self.rejected: i64 = 0
        self.dropped: i64 = 0
        self.lost: i64 = 0
        self.full_noted_at: i64 = -QUIET_NS
        self.dead_noted_at: i64 = -QUIET_NS

    def configure(self, params: Params) -> None:
        """Take sizes and times; deliveries and delays under way keep theirs."""
        self.length_max = params.integer("length_max")
        self.when_full = WHEN_FULL.index(params.text("when_full"))
        self.visibility_ns = params.ns("visibility_timeout_s")
        self.delay_ns = params.ns("redelivery_delay_ms")
        self.deliveries_max = params.integer("deliveries_max")
        self.durable = params.flag("durable")
        params.set_duration(self.store, "store")
        self.consumers.prefetch = params.integer("prefetch")
        self.consumers.recount()
        self.deliver()

    def wired(self) -> None:
        """List the consumers anew; what they work on stays counted."""
        letters = self.out["dead_letters"]
        self.dead_letters = letters[0] if len(letters) > 0 else None
        self.consumers.rewire(list(self.out["workers"]), len(self.simulation.edges))
        messages = self.messages
        entry = messages.head[WORKED_ON]
        while entry >= 0:
            consumer = self.consumers.find(messages.edge[entry], messages.instance[entry])
            if consumer >= 0:
                self.consumers.take(consumer)
            entry = messages.after[entry]
        self.deliver()

    # ---- in

    def is_full(self) -> bool:
        """Whether no further message has room."""
        count = self.messages.count
        return count[WAITING] + count[DELAYED] + self.storing >= self.length_max

    def on_call(self, call: i64) -> None:
        """Somebody wants something done."""
        if not self.is_full() or self.when_full == DROP_OLDEST:
            self.begin(call)
            return
        now = self.simulation.now
        if now - self.full_noted_at >= QUIET_NS:
            self.full_noted_at = now
            what = "Its producers wait." if self.when_full == HOLD else "Further messages are turned away."
            self.note(
                "queue_full",
                "bad",
                f"{self.label} is full",
                f"{counted(self.length_max, 'message waits', 'messages wait')}. {what}",
            )
        if self.when_full == REJECT:
            self.rejected += 1
            self.reply(call, OVERLOADED, 0, 0)
            return
        calls = self.calls
        calls.mark[call] = HELD
        calls.started[call] = -1
        calls.next[call] = -1
        calls.previous[call] = self.last_held
        if self.last_held >= 0:
            calls.next[self.last_held] = call
        else:
            self.first_held = call
        self.last_held = call
        self.held += 1

    def begin(self, call: i64) -> None:
        """Store a message."""
        self.calls.mark[call] = STORING
        self.storing += 1
        ns = self.store.draw(self.store_stream)
        if ns > 0:
            self.work(call, ns)
        else:
            self.on_work(call)

    def on_work(self, call: i64) -> None:
        """It is stored: from now on the queue answers for it."""
        messages = self.messages
        self.storing -= 1
        if self.when_full == DROP_OLDEST:
            while messages.count[WAITING] + messages.count[DELAYED] >= self.length_max:
                oldest = messages.head[WAITING]
                self.drop(oldest if oldest >= 0 else messages.head[DELAYED])
        self.accepted += 1
        entry = self.enter(call)
        messages.put_last(entry, WAITING)
        # A write is answered with the version that was promised for it.
        self.reply(call, OK, messages.token[entry] if messages.told[entry] != 0 else 0, SMALL_BYTES)
        self.deliver()

    def drop(self, entry: i64) -> None:
        """Throw a message away for want of room."""
        self.messages.take_out(entry)
        self.messages.forget(entry)
        self.dropped += 1

    def enter(self, call: i64) -> i64:
        """A message with what a call asks for and carries; its entry."""
        calls = self.calls
        entry = self.messages.add(
            calls.operation[call],
            calls.key[call],
            calls.user[call],
            calls.request_bytes[call],
            calls.trace[call],
            self.simulation.now,
        )
        if calls.flags[call] & TOLD != 0:
            self.messages.tell(entry, calls.token[call], calls.extra[call])
        return entry

    def let_in(self) -> None:
        """Producers that wait come in while there is room."""
        while self.first_held >= 0 and (not self.is_full() or self.when_full != HOLD):
            call = self.first_held
            self.unhold(call)
            self.calls.started[call] = self.simulation.now
            if self.is_full() and self.when_full == REJECT:
                self.rejected += 1
                self.reply(call, OVERLOADED, 0, 0)
            else:
                self.begin(call)

    def unhold(self, call: i64) -> None:
        """A producer waits no longer."""
        calls = self.calls
        before = calls.previous[call]
        after = calls.next[call]
        if before >= 0:
            calls.next[before] = after
        else:
            self.first_held = after
        if after >= 0:
            calls.previous[after] = before
        else:
            self.last_held = before
        self.held -= 1

    # ---- out

    def deliver(self) -> None:
        """Hand waiting messages, the oldest first, to consumers that take more; then there may be room for producers."""
        if self.crashed[0] > 0:
            return
        messages = self.messages
        consumers = self.consumers
        while messages.head[WAITING] >= 0:
            consumer = consumers.next_free()
            if consumer < 0:
                break
            self.send(messages.head[WAITING], consumer)
        if self.first_held >= 0 and not self.letting_in:
            # One that comes in may be delivered at once, and leads here again.
            self.letting_in = True
            self.let_in()
            self.letting_in = False

    def send(self, entry: i64, consumer: i64) -> None:
        """Deliver a message."""
        messages = self.messages
        edge = self.consumers.edges[self.consumers.which_edge[consumer]]
        instance = self.consumers.instance[consumer]
        messages.take_out(entry)
        self.consumers.take(consumer)
        self.delivered += 1
        self.delivery_number += 1
        if messages.deliveries[entry] > 0:
            self.redelivered += 1
        messages.deliveries[entry] += 1
        messages.delivery[entry] = self.delivery_number
        messages.edge[entry] = edge.index
        messages.instance[entry] = instance
        messages.due[entry] = self.simulation.now + self.visibility_ns
        messages.put_by_due(entry, WORKED_ON)
        self.arm_visibility()
        made = self.send_message(edge, entry, instance, entry)
        self.calls.data[made] = self.delivery_number

    def send_message(self, edge: Edge, entry: i64, instance: i64, step: i64) -> i64:
        """Send a message as it was taken; the handle of the call. It has no parent: the producer has its answer, nobody waits for it."""
        messages = self.messages
        calls = self.calls
        made = edge.call(
            -1,
            messages.operation[entry],
            messages.key[entry],
            messages.user[entry],
            instance,
            messages.size[entry],
            messages.trace[entry],
        )
        calls.step[made] = step
        if messages.told[entry] != 0:
            calls.tell(made, messages.token[entry], messages.extra[entry])
        return made

    def on_reply(self, call: i64) -> None:
        """A consumer has answered: an acknowledgement, or the message has to be done again."""
        calls = self.calls
        entry = calls.step[call]
        outcome = calls.outcome[call]
        if entry == MOVING:
            self.on_moved(call, outcome)
            return
        if outcome == CRASHED or never_reached(outcome):
            self.miss(self.consumers.find(calls.edge[call], calls.instance[call]))
        messages = self.messages
        if messages.delivery[entry] != calls.data[call]:
            # It was taken back meanwhile, and is or was done once more, unless it got lost.
            if outcome == OK:
                self.late += 1
            return
        self.take_back(entry)
        if outcome == OK:
            self.acknowledged += 1
            messages.forget(entry)
        elif never_reached(outcome):
            messages.deliveries[entry] -= 1
            messages.put_by_age(entry, WAITING)
        else:
            self.try_again(entry, self.delay_ns)
        self.deliver()

    def take_back(self, entry: i64) -> None:
        """A delivery is over; the message is in no list now."""
        messages = self.messages
        consumer = self.consumers.find(messages.edge[entry], messages.instance[entry])
        if consumer >= 0:
            self.consumers.give_back(consumer)
        messages.take_out(entry)
        messages.delivery[entry] = 0

    def try_again(self, entry: i64, delay_ns: i64) -> None:
        """A delivery came to nothing: the message waits to be delivered again, or is given up."""
        messages = self.messages
        if self.deliveries_max >= 0 and messages.deliveries[entry] >= self.deliveries_max:
            self.bury(entry)
        elif delay_ns > 0:
            messages.due[entry] = self.simulation.now + delay_ns
            messages.put_by_due(entry, DELAYED)
            self.arm_delay()
        else:
            messages.put_by_age(entry, WAITING)

    def bury(self, entry: i64) -> None:
        """Give a message up: to the queue for dead letters, or kept here."""
        messages = self.messages
        now = self.simulation.now
        self.died += 1
        if now - self.dead_noted_at >= QUIET_NS:
            self.dead_noted_at = now
            what = f"{OPERATIONS[messages.operation[entry]]} of key {messages.key[entry]}"
            text = f"It was delivered {often(messages.deliveries[entry])} and never done."
            self.note("dead_letter", "bad", f"{self.label} gives up on a {what}", text)
        edge = self.dead_letters
        if edge is None:
            messages.put_last(entry, DEAD)
            if messages.count[DEAD] > DEAD_MAX:
                self.drop(messages.head[DEAD])
            return
        self.moving += 1
        self.send_message(edge, entry, -1, MOVING)
        messages.forget(entry)

    def on_moved(self, call: i64, outcome: i64) -> None:
        """The queue for dead letters has taken one, or it stays here after all."""
        self.moving -= 1
        if outcome == OK:
            self.moved += 1
        elif self.crashed[0] > 0 and not self.durable:
            self.lost += 1
        else:
            self.messages.put_last(self.enter(call), DEAD)

    # ---- time passes

    def arm_visibility(self) -> None:
        """Have a timer ring when the first delivery has lasted too long."""
        first = self.messages.head[WORKED_ON]
        if first >= 0 and (self.visibility_at < 0 or self.messages.due[first] < self.visibility_at):
            self.visibility_at = self.messages.due[first]
            self.timer(self.visibility_at - self.simulation.now, VISIBILITY, 0)

    def arm_delay(self) -> None:
        """Have a timer ring when the first delay is over."""
        first = self.messages.head[DELAYED]
        if first >= 0 and (self.delay_at < 0 or self.messages.due[first] < self.delay_at):
            self.delay_at = self.messages.due[first]
            self.timer(self.delay_at - self.simulation.now, DELAY, 0)

    def on_timer(self, tag: i64, argument: i64) -> None:
        """Deliveries have lasted too long, delays are over, or consumers may be back."""
        messages = self.messages
        now = self.simulation.now
        if tag == VISIBILITY:
            if self.visibility_at <= now:
                self.visibility_at = -1
            while messages.head[WORKED_ON] >= 0 and messages.due[messages.head[WORKED_ON]] <= now:
                entry = messages.head[WORKED_ON]
                self.ran_out += 1
                self.take_back(entry)
                self.try_again(entry, 0)
            self.arm_visibility()
            self.deliver()
        elif tag == DELAY:
            if self.delay_at <= now:
                self.delay_at = -1
            while messages.head[DELAYED] >= 0 and messages.due[messages.head[DELAYED]] <= now:
                entry = messages.head[DELAYED]
                messages.take_out(entry)
                messages.put_by_age(entry, WAITING)
            self.arm_delay()
            self.deliver()
        else:
            self.look_for_the_missing()

    def miss(self, consumer: i64) -> None:
        """A consumer is away: nothing is delivered to it until it is back."""
        if consumer < 0:
            return
        self.consumers.set_away(consumer, 1)
        if not self.reconnecting:
            self.reconnecting = True
            self.timer(RECONNECT_NS, RECONNECT, 0)

    def look_for_the_missing(self) -> None:
        """Ask those that are away whether they are back."""
        consumers = self.consumers
        self.reconnecting = False
        consumer: i64 = 0
        while consumer < consumers.number:
            if consumers.away[consumer] != 0:
                self.reconnecting = True
                if self.crashed[0] == 0:
                    edge = consumers.edges[consumers.which_edge[consumer]]
                    edge.probe(consumers.instance[consumer], PROBE_READINESS, RECONNECT_NS)
            consumer += 1
        if self.reconnecting:
            self.timer(RECONNECT_NS, RECONNECT, 0)

    def on_probed(self, call: i64) -> None:
        """One that was away is back, or is not."""
        calls = self.calls
        consumer = self.consumers.find(calls.edge[call], calls.instance[call])
        if consumer >= 0 and calls.outcome[call] == OK:
            self.consumers.set_away(consumer, 0)
            self.deliver()

    # ---- faults

    def on_cancel(self, call: i64) -> None:
        """The producer has given up before its message was stored."""
        if self.calls.mark[call] == HELD:
            self.unhold(call)
        else:
            self.storing -= 1
            self.deliver()

    def on_crash(self, instance: i64) -> None:
        """Messages are lost, or, where it is durable, all of them wait again: who was at work on one can't acknowledge it any more."""
        messages = self.messages
        self.storing = 0
        self.first_held = -1
        self.last_held = -1
        self.held = 0
        if not self.durable:
            count: i64 = 0
            for place in range(LISTS):
                count += messages.count[place]
            self.lost += count
            messages.clear()
            if count > 0:
                text = "It kept them in memory alone, and its producers had been told that they were safe."
                self.note("messages_lost", "bad", f"{self.label} lost {counted(count, 'message')}", text)
        while messages.tail[WORKED_ON] >= 0:
            entry = messages.tail[WORKED_ON]
            self.take_back(entry)
            messages.put_by_age(entry, WAITING)
        self.consumers.rewire(self.consumers.edges, len(self.simulation.edges))

    def on_restart(self, instance: i64) -> None:
        """Consumers connect again."""
        self.deliver()

    def on_fault(self, fault: str, params: Params) -> bool:
        """``redrive``: dead letters that are kept here are tried once more, behind all that wait."""
        if fault != "redrive":
            return False
        messages = self.messages
        count = messages.count[DEAD]
        while messages.head[DEAD] >= 0:
            entry = messages.head[DEAD]
            messages.take_out(entry)
            messages.renumber(entry)
            messages.deliveries[entry] = 0
            messages.put_last(entry, WAITING)
        self.note(
            "redrive",
            "info",
            f"Dead letters of {self.label} put back",
            f"{counted(count, 'is', 'are')} tried once more.",
        )
        self.deliver()
        return True

    # ---- figures

    def queue(self) -> float:
        """Producers that wait until there is room."""
        return float(self.held)

    def depth(self) -> i64:
        """Messages that wait, out their delays too."""
        return self.messages.count[WAITING] + self.messages.count[DELAYED]

    def oldest_age_ns(self) -> i64:
        """Since when the one that is next in turn was accepted; 0 when none waits."""
        oldest = self.messages.head[WAITING]
        return self.simulation.now - self.messages.accepted_at[oldest] if oldest >= 0 else 0

    def metrics(self) -> list[float]:
        """See ``spec.py``."""
        return [
            float(self.depth()),
            float(self.length_max),
            float(self.oldest_age_ns()) / 1e9,
            float(self.messages.count[WORKED_ON]),
            float(self.accepted),
            float(self.delivered),
            float(self.acknowledged),
            float(self.redelivered),
            float(self.ran_out),
            float(self.late),
            float(self.messages.count[DEAD]),
            float(self.died),
            float(self.moving),
            float(self.moved),
            float(self.rejected),
            float(self.dropped),
            float(self.lost),
        ]

    def entries(self, place: i64, most: int) -> list[int]:
        """The first entries of a list."""
        found: list[int] = []
        entry = self.messages.head[place]
        while entry >= 0 and len(found) < most:
            found.append(int(entry))
            entry = self.messages.after[entry]
        return found

    def cells(self) -> list[int]:
        """Dead letters, messages being worked on, messages that wait: a quarter, a half, and what is left."""
        messages = self.messages
        found: list[int] = []
        for _ in self.entries(DEAD, CELLS_MAX // 4):
            found.append(int(IS_DEAD))
        for entry in self.entries(WORKED_ON, CELLS_MAX // 2):
            found.append(int(IS_WORKED_ON) + (int(MARKED) if messages.deliveries[entry] > 1 else 0))
        for place in (DELAYED, WAITING):
            for entry in self.entries(place, CELLS_MAX - len(found)):
                found.append(int(WAITS_AGAIN) if messages.deliveries[entry] > 0 else int(WAITS))
        return found

    def rows(self, place: i64) -> list[object]:
        """The first ten of a list, in words."""
        messages = self.messages
        found: list[object] = []
        for entry in self.entries(place, 10):
            found.append(
                {
                    "job": OPERATIONS[messages.operation[entry]],
                    "key": int(messages.key[entry]),
                    "age_s": round(float(self.simulation.now - messages.accepted_at[entry]) / 1e9, 3),
                    "deliveries": int(messages.deliveries[entry]),
                }
            )
        return found

    def detail(self) -> dict[str, object]:
        """What is next, what is worked on, what was given up, and who works."""
        consumers = self.consumers
        workers: list[object] = []
        for consumer in range(min(int(consumers.number), 32)):
            edge = consumers.edges[consumers.which_edge[consumer]]
            workers.append(
                {
                    "worker": edge.callee.label_of(consumers.instance[consumer]),
                    "deliveries": int(consumers.out[consumer]),
                    "state": "away" if consumers.away[consumer] != 0 else "there",
                }
            )
        return {
            "next": self.rows(WAITING),
            "worked_on": self.rows(WORKED_ON),
            "dead": self.rows(DEAD),
            "workers": workers,
        }
