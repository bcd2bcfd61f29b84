"""Anti-entropy: pairs of nodes compare what they hold and give each other what differs. Dynamo (SOSP 2007), section 4.7."""

from __future__ import annotations

from typing import TYPE_CHECKING

from librt.vecs import vec
from mypy_extensions import i64, mypyc_attr

from playground.blocks.quorum_store.handing import Handing
from playground.blocks.quorum_store.ledger import same_set
from playground.blocks.quorum_store.states import EXCHANGE, NODES_MAX, ROUND_TIMER, SESSION_TIMER
from playground.engine.columns import filled, zeros
from playground.engine.params import Params

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation


@mypyc_attr(allow_interpreted_subclasses=True)
class Agreeing(Handing):
    """Rounds of sessions: in each round every node takes the next peer.

    Hash trees of both tell which keys differ (R. Merkle, CRYPTO 1987): comparing costs nothing here, and what differs is found as of the
    moment when its turn comes; the versions themselves go as messages, at most so many keys a second in each session.
    """

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.round_ns: i64 = -1
        self.exchange_ns: i64 = 1
        self.rounds: i64 = 0
        # Rounds are told apart, so that one that was switched off and on doesn't go on twice.
        self.round_serial: i64 = 0
        # By node: whom it compares with (-1: nobody), and the next key to be looked at.
        self.peer: vec[i64] = filled(NODES_MAX, -1)
        self.cursor: vec[i64] = zeros(NODES_MAX)
        self.keys_exchanged: i64 = 0
        self.sessions: i64 = 0

    def configure_agreeing(self, params: Params) -> None:
        """How often, and how fast."""
        every = params.ns("anti_entropy_every_s")
        self.exchange_ns = i64(1e9 / params.number("anti_entropy_per_s"))
        if every != self.round_ns:
            self.round_ns = every
            self.round_serial += 1
            if every >= 0:
                self.timer(every, ROUND_TIMER, self.round_serial)

    def on_round(self, serial: i64) -> None:
        """Every node takes its next peer, unless it is still at the last one."""
        if serial != self.round_serial:
            return
        self.timer(self.round_ns, ROUND_TIMER, serial)
        if self.nodes == 1:
            return
        step = self.rounds % (self.nodes - 1) + 1
        self.rounds += 1
        node: i64 = 0
        while node < self.nodes:
            other = (node + step) % self.nodes
            if self.peer[node] < 0 and self.can_compare(node, other):
                self.peer[node] = other
                self.cursor[node] = 0
                self.sessions += 1
                self.timer(0, SESSION_TIMER, node)
            node += 1

    def can_compare(self, node: i64, other: i64) -> bool:
        """Whether the two can talk to each other now."""
        if self.crashed[node] > 0 or self.crashed[other] > 0 or self.group[node] != self.group[other]:
            return False
        return self.paused[node] == 0 and self.paused[other] == 0

    def on_session(self, node: i64) -> None:
        """Find the next key that differs, and exchange it; the session ends with the last one, or when the two lose each other."""
        other = self.peer[node]
        if other < 0:
            return
        if not self.can_compare(node, other):
            self.peer[node] = -1
            return
        key = self.next_difference(node, other)
        if key < 0:
            self.peer[node] = -1
            return
        self.keys_exchanged += 1
        self.give(node, other, key)
        self.give(other, node, key)
        self.timer(self.exchange_ns, SESSION_TIMER, node)

    def next_difference(self, node: i64, other: i64) -> i64:
        """The next key that both should hold, and hold differently; -1 when there is none left."""
        ledger = self.ledger
        cursor = self.cursor[node]
        # What was never written differs only where a disk was lost.
        end = ledger.touched
        if self.replicas[node].wiped or self.replicas[other].wiped:
            end += self.items
        found: i64 = -1
        while cursor < end and found < 0:
            key = ledger.keys[cursor] if cursor < ledger.touched else cursor - ledger.touched + 1
            cursor += 1
            if self.differ(node, other, key):
                found = key
        self.cursor[node] = cursor
        return found

    def differ(self, node: i64, other: i64, key: i64) -> bool:
        """Whether two nodes hold different versions of a key that is both nodes' own."""
        width = self.ledger.width
        one = zeros(width)
        two = zeros(width)
        here = self.replicas[node].read(key, one, 0)
        there = self.replicas[other].read(key, two, 0)
        if same_set(one, 0, here, two, 0, there):
            return False
        return self.place_of(node, key) < self.replica_count and self.place_of(other, key) < self.replica_count

    def give(self, node: i64, other: i64, key: i64) -> None:
        """Send all that ``node`` holds of a key to ``other``."""
        messages = self.messages
        message = messages.take(EXCHANGE, node, other, key)
        held = zeros(self.ledger.width)
        messages.load(message, held, 0, self.replicas[node].read(key, held, 0))
        self.send(message)

    def on_gift(self, message: i64) -> None:
        """Take what a repair or an exchange brought."""
        messages = self.messages
        self.replicas[messages.goal[message]].apply(
            messages.key[message], messages.slots, message * messages.width, messages.count[message]
        )
        messages.release(message)
