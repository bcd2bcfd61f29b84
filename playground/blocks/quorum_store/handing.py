"""Hinted handoff: who can't be reached has somebody keep its writes for it, for a while. Dynamo (SOSP 2007), section 4.6."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mypy_extensions import i64, mypyc_attr

from playground.blocks.quorum_store.nodes import Nodes
from playground.blocks.quorum_store.states import (
    HAND_OVER,
    HANDED_OVER,
    NODES_MAX,
    PING,
    PONG,
    PUMP_TIMER,
    STORED,
    TICK_TIMER,
)
from playground.engine.columns import zeros
from playground.engine.params import Params

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation


@mypyc_attr(allow_interpreted_subclasses=True)
class Handing(Nodes):
    """Hints taken, handed over and dropped; probes of nodes that are thought to be out of reach."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.hinted: bool = True
        self.sloppy: bool = False
        self.window_ns: i64 = 0
        self.handover_ns: i64 = 1
        self.tick_ns: i64 = 1
        # The timer that is set, so that another interval counts from now on; 0 before the first one.
        self.tick_serial: i64 = 0
        self.suspect_ns: i64 = 1
        # By holder * NODES_MAX + owner: whether a hint of that pair is about to be handed over.
        self.pumping = zeros(NODES_MAX * NODES_MAX)
        # By owner: hints delivered since it was last without any.
        self.delivered_to = zeros(NODES_MAX)
        self.hints_taken: i64 = 0
        self.hints_delivered: i64 = 0
        self.hints_expired: i64 = 0
        self.hints_lost: i64 = 0

    def configure_handing(self, params: Params) -> None:
        """Whether there are hints, whether they count, how long they are kept, how fast they go."""
        self.sloppy = params.flag("sloppy_quorum")
        self.hinted = params.flag("hinted_handoff") or self.sloppy
        self.window_ns = params.ns("hint_window_s")
        self.handover_ns = i64(1e9 / params.number("handoff_per_s"))
        every = params.ns("probe_every_s")
        if every != self.tick_ns:
            self.tick_ns = every
            if self.tick_serial > 0:
                self.next_tick()
        self.suspect_ns = params.ns("suspect_after_ms")

    def on_hint(self, message: i64) -> None:
        """Keep a write for another node; that it seems to be out of reach is news that came with it."""
        messages = self.messages
        holder = messages.goal[message]
        owner = messages.about[message]
        at = message * messages.width
        now = self.simulation.now
        count = messages.count[message]
        if self.hints.put(holder, owner, messages.key[message], messages.slots, at, count, now):
            self.hints_taken += 1
        if self.heard[holder * self.nodes + owner] < now - self.suspect_ns:
            self.suspect(holder, owner)
        messages.turn(message, STORED)
        self.send(message)

    # ---- every now and then

    def next_tick(self) -> None:
        """Set the timer; one that was set before is void."""
        self.tick_serial += 1
        self.timer(self.tick_ns, TICK_TIMER, self.tick_serial)

    def tick(self, serial: i64) -> None:
        """Ask those that were thought out of reach whether they are there, hand over hints, drop those that are too old."""
        if serial != self.tick_serial:
            return
        self.next_tick()
        holder: i64 = 0
        while holder < self.nodes:
            if self.crashed[holder] == 0 and self.paused[holder] == 0:
                other: i64 = 0
                while other < self.nodes:
                    if self.hints.first[holder * NODES_MAX + other] >= 0:
                        self.look_after(holder, other)
                    if self.suspects(holder, other):
                        self.send(self.messages.take(PING, holder, other, 0))
                    other += 1
            holder += 1

    def look_after(self, holder: i64, owner: i64) -> None:
        """Drop a pair's hints that are too old; what was handed over and not acknowledged is to be handed over again."""
        hints = self.hints
        now = self.simulation.now
        hint = hints.first[holder * NODES_MAX + owner]
        while hint >= 0 and self.window_ns >= 0 and now - hints.taken[hint] >= self.window_ns:
            self.hints_expired += 1
            self.gone(hint)
            hint = hints.first[holder * NODES_MAX + owner]
        unanswered = False
        while hint >= 0:
            if hints.sent[hint] >= 0 and now - hints.sent[hint] >= self.suspect_ns:
                hints.sent[hint] = -1
                unanswered = unanswered or self.heard[holder * self.nodes + owner] < now - self.suspect_ns
            hint = hints.after[hint]
        if unanswered:
            self.suspect(holder, owner)
        self.pump(holder, owner)

    def gone(self, hint: i64) -> None:
        """A hint is dropped undelivered: perhaps nobody else has what it was about."""
        hints = self.hints
        self.dropped_at = self.simulation.now
        hints.drop(hint)
        index: i64 = 0
        while index < hints.count[hint]:
            self.look_for(hints.slots[hint * hints.width + index])
            index += 1

    # ---- handing over

    def pump(self, holder: i64, owner: i64) -> None:
        """Begin to hand over a pair's hints, one after the other, unless that goes on already."""
        pair = holder * NODES_MAX + owner
        if self.pumping[pair] == 0 and not self.suspects(holder, owner) and self.hints.waiting(holder, owner) >= 0:
            self.pumping[pair] = 1
            self.timer(0, PUMP_TIMER, pair)

    def on_pump(self, pair: i64) -> None:
        """Hand over the pair's next hint."""
        self.pumping[pair] = 0
        holder = pair // NODES_MAX
        owner = pair % NODES_MAX
        if self.crashed[holder] > 0 or self.paused[holder] > 0 or self.suspects(holder, owner):
            return
        hints = self.hints
        hint = hints.waiting(holder, owner)
        if hint < 0:
            return
        hints.sent[hint] = self.simulation.now
        messages = self.messages
        message = messages.take(HAND_OVER, holder, owner, hints.key[hint])
        messages.load(message, hints.slots, hint * hints.width, hints.count[hint])
        messages.about[message] = hint
        messages.row[message] = hints.serial[hint]
        self.send(message)
        if hints.waiting(holder, owner) >= 0:
            self.pumping[pair] = 1
            self.timer(self.handover_ns, PUMP_TIMER, pair)

    def on_handed(self, message: i64) -> None:
        """What was kept for this node has come."""
        messages = self.messages
        key = messages.key[message]
        self.replicas[messages.goal[message]].apply(
            key, messages.slots, message * messages.width, messages.count[message]
        )
        messages.turn(message, HANDED_OVER)
        self.send(message)

    def on_hand_over_answered(self, message: i64) -> None:
        """It has what was kept for it: the hint is done with, unless more came for the same key meanwhile."""
        messages = self.messages
        hints = self.hints
        hint = messages.about[message]
        if hints.holder[hint] == messages.goal[message] and hints.serial[hint] == messages.row[message]:
            owner = hints.owner[hint]
            hints.drop(hint)
            self.hints_delivered += 1
            self.delivered_to[owner] += 1
            if hints.held_for[owner] == 0:
                # One that was only late, and never missed, is no news.
                if self.missed[owner] != 0 and self.suspected_by[owner] == 0:
                    self.missed[owner] = 0
                    text = f"Writes kept for it and delivered: {self.delivered_to[owner]}. Nobody keeps anything for it any more."
                    self.note("handoff", "good", f"{self.label}: handoff to node {owner + 1} finished", text)
                self.delivered_to[owner] = 0
        messages.release(message)

    def on_ping(self, message: i64) -> None:
        """Yes, it is there."""
        self.messages.turn(message, PONG)
        self.send(message)

    def on_pong(self, message: i64) -> None:
        """It is: what is kept for it can go there."""
        messages = self.messages
        holder = messages.goal[message]
        other = messages.source[message]
        messages.release(message)
        self.pump(holder, other)

    def lose_hints(self, holder: i64) -> None:
        """The disk with its hints is gone."""
        hints = self.hints
        hint: i64 = 0
        while hint < hints.made:
            if hints.holder[hint] == holder:
                self.hints_lost += 1
                self.gone(hint)
            hint += 1
