"""Writes: to all replicas, acknowledged after W of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mypy_extensions import i64, mypyc_attr

from playground.blocks.quorum_store.coordinating import Coordinating
from playground.blocks.quorum_store.states import (
    ACKED,
    DONE,
    FAILED,
    INITIAL,
    KEY_BYTES,
    LAST_WRITE_WINS,
    LONG_QUIET_NS,
    OPEN,
    QUIET_NS,
    ROWS_MAX,
    STORED,
    UNDECIDED,
    VECTORS,
    WRITING,
)
from playground.engine.columns import grown, zeros
from playground.engine.histogram import Histogram
from playground.engine.outcomes import ABSENT, DELETE, OK, UNAVAILABLE

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation


@mypyc_attr(allow_interpreted_subclasses=True)
class Writing(Coordinating):
    """A write that fails is not undone: what it left on some replicas may be seen, and may win, later."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        # Events that each actor has coordinated: its part in version vectors. Never begun anew.
        self.dots = zeros(1)
        self.write_latency = Histogram()
        self.writes: i64 = 0
        self.writes_acked: i64 = 0
        self.partial_writes: i64 = 0
        self.dropped_concurrent: i64 = 0
        self.lost_to_skew: i64 = 0
        self.lost_with_disk: i64 = 0

    def begin_write(self, call: i64, node: i64, context: i64) -> None:
        """Write for ``call`` from ``node``; ``context`` is the request that read what the writer knows, -1 for nothing."""
        requests = self.requests
        calls = self.calls
        key = calls.key[call]
        work = requests.take(WRITING, call, node, key, self.simulation.now)
        counting = self.choose(work, self.replica_count, self.hinted)
        if counting < self.write_quorum:
            requests.release(work)
            self.refuse(call, node, key, counting, self.write_quorum)
            return
        calls.memo[call] = work
        requests.needed[work] = self.write_quorum
        self.writes += 1
        actor = self.actor_of(node)
        self.dots[actor] += 1
        version = self.new_version(key, node, actor, self.dots[actor], calls.operation[call] == DELETE)
        requests.version[work] = version
        if context >= 0:
            index: i64 = 0
            while index < requests.seen[context]:
                self.ledger.saw(version, requests.slots[context * requests.width + index])
                index += 1
        requests.slots[work * requests.width] = version
        requests.seen[work] = 1
        if self.conflicts == VECTORS:
            self.keep_first(work)
        self.launch(work)

    def actor_of(self, node: i64) -> i64:
        """Who a node is in version vectors: another one since its disk was lost, as it can't send on any more what it wrote before."""
        if self.conflicts == VECTORS and self.forgot[node] != 0:
            self.forgot[node] = 0
            self.actor[node] = self.ledger.add_actor()
        wanted: i64 = self.ledger.actors if self.ledger.actors > 0 else self.nodes
        if len(self.dots) < wanted:
            self.dots = grown(self.dots, wanted)
        return self.actor[node]

    def keep_first(self, work: i64) -> None:
        """Who coordinates merges a write with what it holds, and sends on all of that.

        So whoever has its n-th event has, or has seen replaced, all before it, and one number an actor is enough for a version vector. A
        node that is no replica of the key, and coordinates because none of these can be reached, keeps what it wrote for this alone.
        """
        requests = self.requests
        node = requests.node[work]
        key = requests.key[work]
        at = work * requests.width
        replica = self.replicas[node]
        replica.apply(key, requests.slots, at, 1)
        requests.seen[work] = replica.read(key, requests.slots, at)

    # ---- messages

    def on_store(self, message: i64) -> None:
        """A replica takes a write."""
        messages = self.messages
        self.replicas[messages.goal[message]].apply(
            messages.key[message], messages.slots, message * messages.width, messages.count[message]
        )
        messages.turn(message, STORED)
        self.send(message)

    def on_stored(self, message: i64) -> None:
        """A replica, or who stands in for one, has it."""
        messages = self.messages
        requests = self.requests
        work = messages.work[message]
        at = work * ROWS_MAX + messages.row[message]
        messages.release(message)
        requests.answered[at] = 1
        if requests.stands_for[at] < 0 or self.sloppy:
            requests.got[work] += 1
            if requests.state[work] == OPEN and requests.got[work] >= requests.needed[work]:
                self.acknowledge(work)
        self.let_go(work)

    def acknowledge(self, work: i64) -> None:
        """Enough have it: the client is told, and from now on it counts."""
        requests = self.requests
        requests.state[work] = DONE
        call = requests.call[work]
        if call < 0:
            # Its client has gone; nobody is told.
            return
        version = requests.version[work]
        ledger = self.ledger
        ledger.state[version] = ACKED
        ledger.acked[version] = self.simulation.now
        self.writes_acked += 1
        self.enter_truth(version)
        if self.dropped_at >= ledger.started[version]:
            # Who had said that they have it may have lost it since.
            self.look_for(version)
        self.write_latency.add(self.simulation.now - self.calls.arrived[call])
        number: i64 = ABSENT if ledger.deleted[version] != 0 else ledger.number[version]
        self.reply(call, OK, number, KEY_BYTES)

    def enter_truth(self, version: i64) -> None:
        """Compare an acknowledged write with those before: under last write wins, one may be lost that nobody meant to replace."""
        ledger = self.ledger
        entry = ledger.entry_of(ledger.key[version])
        if ledger.number[version] > ledger.number[ledger.newest[entry]]:
            ledger.newest[entry] = version
        if self.conflicts != LAST_WRITE_WINS:
            return
        before = ledger.winner[entry]
        if before != INITIAL and ledger.wins(before, version):
            # Either it began before the winner did, or clocks say so.
            if ledger.number[version] > ledger.number[before]:
                self.lost_to_skew += 1
                self.tell_lost(version, before, "whose clock is behind, or the other one's ahead")
            else:
                self.dropped_concurrent += 1
                self.tell_dropped(version, before)
            return
        ledger.winner[entry] = version
        if before != INITIAL and ledger.acked[before] > ledger.started[version]:
            if ledger.number[before] > ledger.number[version]:
                self.lost_to_skew += 1
                self.tell_lost(before, version, "whose clock is behind, or the other one's ahead")
            else:
                self.dropped_concurrent += 1
                self.tell_dropped(before, version)

    def tell_dropped(self, lost: i64, winner: i64) -> None:
        """Name one of two concurrent writes that was dropped, now and then."""
        if self.quiet("dropped", LONG_QUIET_NS):
            return
        ledger = self.ledger
        text = (
            f"Versions {ledger.number[lost]} and {ledger.number[winner]} of key {ledger.key[lost]} were written at the same time, and both"
            f" acknowledged. Last write wins: {ledger.number[winner]} stays, the other is gone."
        )
        self.note("write_dropped", "warning", f"{self.label}: one of two concurrent writes dropped", text)

    def tell_lost(self, lost: i64, winner: i64, why: str) -> None:
        """Name an acknowledged write that lost to an earlier one, now and then."""
        if self.quiet("lost", QUIET_NS):
            return
        ledger = self.ledger
        late_ms = float(ledger.started[lost] - ledger.started[winner]) / 1e6
        text = (
            f"Version {ledger.number[lost]} of key {ledger.key[lost]} was written {late_ms:.3g} ms after version"
            f" {ledger.number[winner]}, with an earlier time stamp, by node {ledger.by[lost] + 1}, {why}. The older one wins."
        )
        self.note("write_lost", "bad", f"{self.label}: an acknowledged write was lost", text)

    def on_lost(self, key: i64, slot: i64) -> None:
        """An acknowledged write is nowhere any more, its copies having gone with disks or hints."""
        if slot == INITIAL:
            return
        self.lost_with_disk += 1
        if not self.quiet("lost", QUIET_NS):
            text = f"The last copy of version {self.ledger.number[slot]} of key {key} is gone."
            self.note("write_lost", "bad", f"{self.label}: an acknowledged write was lost", text)

    # ---- failures

    def fail_write(self, work: i64) -> None:
        """The client is told that it failed, which doesn't take it off the replicas that have it."""
        requests = self.requests
        self.leave(work)
        call = requests.call[work]
        if call < 0:
            return
        self.unavailable += 1
        self.tell_unavailable(requests.node[work], requests.key[work], requests.got[work], requests.needed[work])
        self.calls.memo[call] = -1
        self.reply(call, UNAVAILABLE, 0, 0)

    def leave(self, work: i64) -> None:
        """A write ends without acknowledgement: what it leaves behind is counted."""
        requests = self.requests
        version = requests.version[work]
        if self.ledger.state[version] != UNDECIDED:
            return
        self.ledger.state[version] = FAILED
        key = requests.key[work]
        left = self.copies(key, version)
        if left == 0:
            return
        self.partial_writes += 1
        if not self.quiet("partial", QUIET_NS):
            text = (
                f"Version {self.ledger.number[version]} of key {key} got {requests.got[work]} of {requests.needed[work]}"
                f" acknowledgements, and its client an error. Copies of it that stay: {left}. They may be read, and win, later."
            )
            self.note("partial_write", "warning", f"{self.label}: a write failed, and is there in part", text)
