"""A replicated key-value store without a leader: N copies of each key on a ring of nodes, W of them write, R of them read.

Dynamo: G. DeCandia et al., SOSP 2007. The four one-way latencies of each operation and what follows for staleness: P. Bailis et al.,
"Probabilistically bounded staleness for practical partial quorums", VLDB 2012.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from librt.vecs import append, vec
from mypy_extensions import i64

from playground.blocks.quorum_store import report
from playground.blocks.quorum_store.reading import Reading
from playground.blocks.quorum_store.states import (
    ANSWER,
    ASK,
    CONFLICTS,
    CONTEXT,
    DEAD,
    DONE,
    EXPIRE_TIMER,
    HAND_OVER,
    HANDED_OVER,
    HINT,
    MESSAGE_TIMER,
    OPEN,
    PING,
    PONG,
    PUMP_TIMER,
    READING,
    ROUND_TIMER,
    SESSION_TIMER,
    STORE,
    STORED,
    SUSPECT_TIMER,
    TICK_TIMER,
    VECTORS,
    WRITING,
)
from playground.engine.block import Block
from playground.engine.outcomes import CREATE, ERROR, LIST, READ
from playground.engine.params import Params

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation


class QuorumStore(Reading):
    """The nodes are its instances; a call is coordinated by the one that it comes to."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.by_replica: bool = False
        self.with_context: bool = False
        self.loses_disk: bool = False
        self.clock_text = ""

    def configure(self, params: Params) -> None:
        """Take parameters. The number of nodes and the way of conflicts stay as they were at the start."""
        self.set_nodes(params.integer("instances"), CONFLICTS.index(params.text("conflicts")))
        if self.instances != self.nodes:
            self.set_instances(self.nodes)
        self.set_legs(params)
        self.configure_handing(params)
        self.configure_coordinating(params)
        self.configure_reading(params)
        self.configure_agreeing(params)
        self.items = params.integer("keys")
        for replica in self.replicas:
            replica.items = self.items
        # Version vectors count on a replica of the key as coordinator.
        self.by_replica = params.text("coordinator") == "replica" or self.conflicts == VECTORS
        self.own_copy_free = self.by_replica
        self.with_context = params.text("context") == "read"
        self.loses_disk = params.flag("crash_loses_disk")
        self.clock_text = params.text("clock_offsets")
        self.set_clocks()

    def set_clocks(self) -> None:
        """Set each node's clock by the list of offsets; nodes without one go right."""
        offsets = self.clock_text.split(",")
        node: i64 = 0
        while node < self.nodes:
            self.clock_off[node] = i64(float(offsets[node]) * 1e6) if node < len(offsets) else 0
            node += 1

    def started(self) -> None:
        """Begin to look after those that are out of reach."""
        self.next_tick()

    # ---- a request's way through

    def choose_instance(self, call: i64) -> None:
        """Which node coordinates: any in turn, or the key's replicas in turn. Clients go past nodes that refuse the connection."""
        turn = self.next_instance
        self.next_instance = (turn + 1) % (self.nodes * self.replica_count)
        at = self.ring.first_point(self.calls.key[call]) * self.nodes
        chosen: i64 = -1
        step: i64 = 0
        while step < self.nodes:
            node = (turn + step) % self.nodes
            if self.by_replica:
                place = (turn + step) % self.replica_count if step < self.replica_count else step
                node = self.order[at + place]
            if chosen < 0 or self.down[node] == 0:
                chosen = node
                if self.down[node] == 0:
                    break
            step += 1
        self.calls.instance[call] = chosen

    def on_call(self, call: i64) -> None:
        """Coordinate it."""
        calls = self.calls
        calls.memo[call] = -1
        operation = calls.operation[call]
        node = calls.instance[call]
        if operation == READ:
            self.begin_read(call, node, READING)
        elif operation == LIST:
            # There is no list of keys that could be read in order.
            self.reply(call, ERROR, 0, 0)
        elif self.conflicts == VECTORS and self.with_context and operation != CREATE:
            self.begin_read(call, node, CONTEXT)
        else:
            self.begin_write(call, node, -1)

    def on_timer(self, tag: i64, argument: i64) -> None:
        """Something happens in one of the nodes."""
        if self.removed:
            return
        if tag == MESSAGE_TIMER:
            if self.arrives(argument):
                self.on_message(argument)
        elif tag == SUSPECT_TIMER:
            self.on_suspect_timer(argument)
        elif tag == EXPIRE_TIMER:
            self.on_expire_timer(argument)
        elif tag == TICK_TIMER:
            self.tick(argument)
        elif tag == PUMP_TIMER:
            self.on_pump(argument)
        elif tag == ROUND_TIMER:
            self.on_round(argument)
        else:
            assert tag == SESSION_TIMER
            self.on_session(argument)

    def on_message(self, message: i64) -> None:
        """A node gets a message."""
        kind = self.messages.kind[message]
        if kind == STORE:
            self.on_store(message)
        elif kind == STORED:
            self.on_stored(message)
        elif kind == ASK:
            self.on_ask(message)
        elif kind == ANSWER:
            self.on_answer(message)
        elif kind == HINT:
            self.on_hint(message)
        elif kind == HAND_OVER:
            self.on_handed(message)
        elif kind == HANDED_OVER:
            self.on_hand_over_answered(message)
        elif kind == PING:
            self.on_ping(message)
        elif kind == PONG:
            self.on_pong(message)
        else:
            self.on_gift(message)

    def on_cancel(self, call: i64) -> None:
        """Its client has gone; what was sent to replicas is not called back."""
        work = self.calls.memo[call]
        if work >= 0 and self.requests.call[work] == call:
            self.requests.call[work] = -1
            self.requests.state[work] = DONE
            if self.requests.kind[work] == WRITING:
                self.leave(work)

    # ---- the truth

    def authority(self) -> Block | None:
        """Itself: the newest acknowledged write is the truth, whichever replicas have it."""
        return self

    def current_version(self, key: i64) -> i64:
        """The newest acknowledged version of ``key``, ABSENT where there is none."""
        return self.ledger.current(key, self.items)

    def written_at(self, key: i64) -> i64:
        """When that was acknowledged, ns; 0 for what was there from the start."""
        return self.ledger.acked[self.ledger.newest_of(key)]

    def may_come(self, key: i64, version: i64) -> bool:
        """A write that failed, or is under way, may be read, and win, later; one that never began here is another store's."""
        entry = self.ledger.index.find(key)
        return entry >= 0 and version <= self.ledger.begun[entry]

    def first_keys(self) -> i64:
        """Its items were 1 to this at the start."""
        return self.items

    def changed_keys(self) -> vec[i64]:
        """Every key that somebody began to write."""
        return self.ledger.keys[: self.ledger.touched]

    # ---- faults

    def on_crash(self, instance: i64) -> None:
        """What it coordinated, believed and was about to do is gone; what is on its disk is not, unless that is lost as well."""
        if instance >= self.nodes:
            return
        requests = self.requests
        work: i64 = 0
        while work < requests.made:
            if requests.kind[work] >= 0 and requests.node[work] == instance:
                if requests.kind[work] == WRITING and requests.state[work] == OPEN:
                    self.leave(work)
                requests.state[work] = DEAD
                requests.call[work] = -1
            work += 1
        self.forget_beliefs(instance)
        self.peer[instance] = -1
        kept = self.inbox
        self.inbox = vec[i64]()
        index: i64 = 0
        while index < len(kept):
            # Those for others go back there; its own find it dead.
            self.timer(0, kept[index], kept[index + 1])
            index += 2
        if self.loses_disk and not self.removed:
            self.lose_disk(instance)

    def lose_disk(self, node: i64) -> None:
        """All that a node held is gone: its copies, and the hints that it kept for others."""
        replica = self.replicas[node]
        mattering = vec[i64]()
        entry: i64 = 0
        while entry < replica.size:
            index: i64 = 0
            while index < replica.count[entry]:
                slot = replica.slots[entry * replica.width + index]
                if self.ledger.matters(slot):
                    mattering = append(mattering, slot)
                index += 1
            entry += 1
        replica.wipe()
        self.forgot[node] = 1
        self.dropped_at = self.simulation.now
        self.lose_hints(node)
        for slot in mattering:
            self.look_for(slot)
        text = "It comes back empty. Read repair, hints and anti-entropy fill it again."
        self.note("disk_lost", "bad", f"{self.label}: the disk of node {node + 1} is lost", text)

    def on_fault(self, fault: str, params: Params) -> bool:
        """``partition`` cuts some nodes off from the others; clients reach all of them. ``lose_disk`` empties a node."""
        if fault == "partition":
            first = params.integer("instance")
            count = params.integer("count")
            self.lasting_fault(fault, float(first * 256 + count), params.ns("duration_s"))
            self.settle_partitions()
            which = f"node {first + 1}" if count == 1 else f"nodes {first + 1} to {first + count}"
            text = "Clients reach both sides; no message goes from one to the other."
            self.note("partition", "bad", f"{self.label}: {which} cut off from the others", text)
            return True
        if fault == "lose_disk":
            node = params.integer("instance")
            if node < self.nodes:
                self.lose_disk(node)
            return True
        return False

    def on_fault_end(self, fault: str, value: float) -> None:
        """A partition is mended."""
        self.settle_partitions()
        self.note("mended", "good", f"{self.label}: a partition is mended", "Probes find out who is there again.")

    # ---- figures

    def metrics(self) -> list[float]:
        """See ``report.py``."""
        return report.metrics(self)

    def cells(self) -> list[int]:
        """The first keys and their copies."""
        return report.cells(self)

    def detail(self) -> dict[str, object]:
        """Nodes, keys, the latest stale reads."""
        return report.detail(self)
