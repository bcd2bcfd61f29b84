"""Nodes on a ring, the network between them, and what each one believes of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from librt.vecs import append, vec
from mypy_extensions import i64, mypyc_attr

from playground.blocks.quorum_store.hints import Hints
from playground.blocks.quorum_store.ledger import Ledger
from playground.blocks.quorum_store.messages import Messages
from playground.blocks.quorum_store.replica import Replica
from playground.blocks.quorum_store.requests import Requests
from playground.blocks.quorum_store.states import (
    BRINGING,
    LAST_WRITE_WINS,
    LEG_OF,
    LOST,
    MESSAGE_TIMER,
    RING_POINTS,
    ROWS_MAX,
    VECTORS,
)
from playground.engine.block import Block
from playground.engine.columns import filled, zeros
from playground.engine.durations import whole_ns
from playground.engine.hashing import MEMBER_MASK, Ring, holds, identity_of
from playground.engine.params import Params
from playground.engine.streams import CONSTANT, Duration

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation


@mypyc_attr(allow_interpreted_subclasses=True)
class Nodes(Block):
    """Who keeps a key, who can reach whom, who thinks so; messages, their latencies, and what becomes of them."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        # N: so many of the nodes that a key prefers are its replicas.
        self.replica_count: i64 = 1
        self.leg_streams = [self.stream(f"leg {letter}") for letter in "WARS"]
        self.legs = [Duration(CONSTANT, 0.0, 1.0) for _ in "WARS"]
        self.nodes: i64 = 0
        self.ring = Ring(RING_POINTS)
        # By point of the ring: all nodes in the order in which keys before that point prefer them.
        self.order: vec[i64] = zeros(1)
        self.conflicts: i64 = LAST_WRITE_WINS
        self.ledger = Ledger(0)
        self.messages = Messages(1)
        self.requests = Requests(1)
        self.hints = Hints(self.ledger)
        self.replicas: list[Replica] = []
        self.items: i64 = 0
        self.own_copy_free: bool = False
        # Nodes of different groups can't reach one another; what each one's clock is off by, ns.
        self.group: vec[i64] = zeros(1)
        self.clock_off: vec[i64] = zeros(1)
        # What is to happen to nodes that stand still: tags and arguments of timers.
        self.inbox: vec[i64] = vec[i64]()
        # By observer * nodes + observed: whether it is thought to be out of reach, when it was last heard of.
        self.suspected: vec[i64] = zeros(1)
        self.heard: vec[i64] = zeros(1)
        self.suspected_by: vec[i64] = zeros(1)
        self.down_noted: vec[i64] = zeros(1)
        # Whether that was so since the last time that no hints were kept for it.
        self.missed: vec[i64] = zeros(1)
        self.noted_at: dict[str, int] = {}
        # By node: who it is in version vectors; whether it has forgotten what it wrote as that one.
        self.actor: vec[i64] = zeros(1)
        self.forgot: vec[i64] = zeros(1)
        # When copies of versions were last dropped with a disk or a hint, -1 never.
        self.dropped_at: i64 = -1
        self.messages_sent: i64 = 0
        self.messages_lost: i64 = 0

    def set_nodes(self, nodes: i64, conflicts: i64) -> None:
        """Lay out the ring and make the nodes. Both can't change while the block lives."""
        if self.nodes == nodes:
            return
        self.nodes = nodes
        self.conflicts = conflicts
        self.ledger = Ledger(nodes if conflicts == VECTORS else 0)
        self.messages = Messages(self.ledger.width)
        self.requests = Requests(self.ledger.width)
        self.hints = Hints(self.ledger)
        self.group = zeros(nodes)
        self.clock_off = zeros(nodes)
        self.suspected = zeros(nodes * nodes)
        self.heard = filled(nodes * nodes, -1)
        self.suspected_by = zeros(nodes)
        self.down_noted = zeros(nodes)
        self.missed = zeros(nodes)
        self.actor = zeros(nodes)
        self.forgot = zeros(nodes)
        identities = vec[i64]()
        node: i64 = 0
        while node < nodes:
            identities = append(identities, identity_of(self.name, node))
            self.replicas.append(Replica(self.ledger))
            self.actor[node] = node
            node += 1
        self.ring.set_members(identities, RING_POINTS)
        self.lay_out()

    def lay_out(self) -> None:
        """Walk the ring from each of its points: the preference lists of Dynamo (SOSP 2007), section 4.3."""
        nodes = self.nodes
        points = self.ring.points
        count: i64 = len(points)
        self.order = zeros(count * nodes)
        point: i64 = 0
        while point < count:
            found = vec[i64]()
            at = point
            while len(found) < nodes:
                member = points[at] & MEMBER_MASK
                if not holds(found, member):
                    self.order[point * nodes + len(found)] = member
                    found = append(found, member)
                at = at + 1 if at + 1 < count else 0
            point += 1

    def set_legs(self, params: Params) -> None:
        """Take the four one-way latencies."""
        for number, prefix in enumerate(("write", "ack", "read", "response")):
            params.set_duration(self.legs[number], prefix)

    def place_of(self, node: i64, key: i64) -> i64:
        """Which one of the nodes that ``key`` prefers ``node`` is, from 0."""
        at = self.ring.first_point(key) * self.nodes
        place: i64 = 0
        while self.order[at + place] != node:
            place += 1
        return place

    # ---- messages

    def send(self, message: i64) -> None:
        """Put a message on its way. Nothing is lost in silence but what can't be reached."""
        messages = self.messages
        source = messages.source[message]
        goal = messages.goal[message]
        if source == goal:
            if self.own_copy_free:
                self.timer(0, MESSAGE_TIMER, message)
                return
        elif self.group[source] != self.group[goal]:
            self.lose(message)
            return
        self.messages_sent += 1
        leg = LEG_OF[messages.kind[message]]
        ns = self.legs[leg].draw(self.leg_streams[leg])
        if self.impaired:
            pace = self.slow[source] if source == goal else self.slow[source] * self.slow[goal]
            ns = whole_ns(float(ns) * pace)
        self.timer(ns, MESSAGE_TIMER, message)

    def lose(self, message: i64) -> None:
        """A message that nobody will get."""
        messages = self.messages
        self.messages_lost += 1
        work = messages.work[message]
        kind = messages.kind[message]
        messages.release(message)
        if self.dropped_at >= 0 and kind in BRINGING:
            # It may have been the last one to have them.
            at = message * messages.width
            index: i64 = 0
            while index < messages.count[message]:
                self.look_for(messages.slots[at + index])
                index += 1
        if work >= 0:
            self.let_go(work)

    def let_go(self, work: i64) -> None:
        """One message or timer less that holds a request."""
        requests = self.requests
        requests.held[work] -= 1
        if requests.held[work] == 0:
            requests.release(work)

    def arrives(self, message: i64) -> bool:
        """Whether a message finds its goal; one for a node that stands still waits there."""
        messages = self.messages
        goal = messages.goal[message]
        source = messages.source[message]
        if self.crashed[goal] > 0 or self.group[source] != self.group[goal]:
            self.lose(message)
            return False
        if self.waits(goal, MESSAGE_TIMER, message):
            return False
        if source != goal:
            self.hear(goal, source)
        return True

    def waits(self, node: i64, tag: i64, argument: i64) -> bool:
        """Keep what happens to a node for the time when it moves again; False when it moves."""
        if not self.stalling or self.paused[node] == 0:
            return False
        self.inbox = append(self.inbox, tag)
        self.inbox = append(self.inbox, argument)
        return True

    def thaw(self, instance: i64) -> None:
        """A node moves again: what came meanwhile happens now, in its order."""
        super().thaw(instance)
        kept = self.inbox
        self.inbox = vec[i64]()
        index: i64 = 0
        while index < len(kept):
            self.timer(0, kept[index], kept[index + 1])
            index += 2

    # ---- who is there

    def hear(self, node: i64, other: i64) -> None:
        """``node`` has got something from ``other``."""
        at = node * self.nodes + other
        self.heard[at] = self.simulation.now
        if self.suspected[at] != 0:
            self.suspected[at] = 0
            self.suspected_by[other] -= 1
            if self.suspected_by[other] == 0 and self.down_noted[other] != 0:
                self.down_noted[other] = 0
                self.note("node_back", "good", f"{self.label}: node {other + 1} answers again", self.hints_for(other))

    def hints_for(self, node: i64) -> str:
        """What waits for a node, in words."""
        count = self.hints.held_for[node]
        if count == 0:
            return "No hints wait for it."
        return "One hint is handed over to it." if count == 1 else f"{count} hints are handed over to it."

    def suspect(self, node: i64, other: i64) -> None:
        """``node`` gives up on ``other`` until it hears from it."""
        at = node * self.nodes + other
        if self.suspected[at] != 0 or node == other:
            return
        self.suspected[at] = 1
        self.suspected_by[other] += 1
        if self.down_noted[other] == 0:
            self.down_noted[other] = 1
            self.missed[other] = 1
            text = "It didn't answer in time. Requests go past it until it is heard of again."
            self.note("node_missing", "warning", f"{self.label}: node {other + 1} missed by node {node + 1}", text)

    def forget_beliefs(self, node: i64) -> None:
        """What ``node`` thought of others was in memory."""
        other: i64 = 0
        while other < self.nodes:
            at = node * self.nodes + other
            if self.suspected[at] != 0:
                self.suspected[at] = 0
                self.suspected_by[other] -= 1
                if self.suspected_by[other] == 0:
                    self.down_noted[other] = 0
            other += 1

    def quiet(self, kind: str, ns: int) -> bool:
        """Whether that kind of moment was named within the last ``ns``; if not, it is now."""
        now = int(self.simulation.now)
        if kind in self.noted_at and now - self.noted_at[kind] < ns:
            return True
        self.noted_at[kind] = now
        return False

    # ---- versions

    def new_version(self, key: i64, node: i64, actor: i64, dot: i64, deleted: bool) -> i64:
        """A version that ``node`` coordinates, stamped by its clock."""
        if self.ledger.free_count == 0:
            self.collect()
        now = self.simulation.now
        return self.ledger.new(key, now, now + self.clock_off[node], node, actor, dot, deleted)

    def collect(self) -> None:
        """Find out which versions nobody holds any more."""
        ledger = self.ledger
        for replica in self.replicas:
            replica.mark()
        self.hints.mark()
        messages = self.messages
        message: i64 = 0
        while message < messages.made:
            if messages.kind[message] >= 0:
                ledger.mark_set(messages.slots, message * messages.width, messages.count[message])
            message += 1
        requests = self.requests
        work: i64 = 0
        while work < requests.made:
            if requests.kind[work] >= 0:
                ledger.mark(requests.version[work])
                ledger.mark(requests.expected[work])
                ledger.mark_set(requests.slots, work * requests.width, requests.seen[work])
                at = work * ROWS_MAX
                end = at + requests.rows[work]
                while at < end:
                    ledger.mark_set(requests.row_slots, at * requests.width, requests.row_seen[at])
                    at += 1
            work += 1
        ledger.sweep()

    def copies(self, key: i64, slot: i64) -> i64:
        """Nodes that hold this very version, for themselves or for others, and messages that bring it to one."""
        found: i64 = 0
        for replica in self.replicas:
            if replica.has(key, slot):
                found += 1
        for hint in self.hints.of(key, self.nodes):
            if self.hints.has(hint, slot):
                found += 1
        messages = self.messages
        for message in messages.bringing(key):
            at = message * messages.width
            index: i64 = 0
            while index < messages.count[message]:
                if messages.slots[at + index] == slot:
                    found += 1
                index += 1
        return found

    def look_for(self, slot: i64) -> None:
        """A copy of a version is gone: if it was the last one of an acknowledged write, and nothing stays in its place, say so."""
        if self.ledger.matters(slot) and not self.is_kept(self.ledger.key[slot], slot):
            self.ledger.state[slot] = LOST
            self.on_lost(self.ledger.key[slot], slot)

    def is_kept(self, key: i64, slot: i64) -> bool:
        """Whether a replica has a version, or one that replaces it, or another node for it, or a message brings it to one."""
        ledger = self.ledger
        room = zeros(ledger.width)
        for node, replica in enumerate(self.replicas):
            # What nodes that are no replicas have left is asked for by nobody.
            if (
                ledger.among(room, 0, replica.read(key, room, 0), slot)
                and self.place_of(node, key) < self.replica_count
            ):
                return True
        hints = self.hints
        for hint in hints.of(key, self.nodes):
            if ledger.among(hints.slots, hint * hints.width, hints.count[hint], slot):
                return True
        messages = self.messages
        for message in messages.bringing(key):
            if ledger.among(messages.slots, message * messages.width, messages.count[message], slot):
                return True
        return False

    def on_lost(self, key: i64, slot: i64) -> None:
        """An acknowledged write is nowhere any more."""
        raise AssertionError("the store says how")

    def suspects(self, node: i64, other: i64) -> bool:
        """Whether ``node`` thinks that it can't reach ``other``."""
        return self.suspected[node * self.nodes + other] != 0

    def settle_partitions(self) -> None:
        """Split the nodes by all partitions that hold now, and set their clocks."""
        self.group = zeros(self.nodes)
        for fault in self.active:
            if fault.name == "partition":
                # A side for each; nodes stay together that are on the same side of all of them.
                first = i64(fault.value) >> 8
                last = first + (i64(fault.value) & 255)
                names = filled(2 * self.nodes + 2, -1)
                given: i64 = 0
                node: i64 = 0
                while node < self.nodes:
                    side: i64 = 1 if first <= node < last else 0
                    at = 2 * self.group[node] + side
                    if names[at] < 0:
                        names[at] = given
                        given += 1
                    self.group[node] = names[at]
                    node += 1
