"""Writes that come through a cache: written to the store at once, or later and together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from librt.vecs import append, vec
from mypy_extensions import i64, mypyc_attr

from playground.blocks.cache.node import Node
from playground.blocks.cache.rebuilding import Rebuilding
from playground.blocks.cache.states import (
    AROUND,
    BEHIND,
    FLUSH_TIMER,
    FLUSHED,
    HELD,
    KEY_BYTES,
    LOADING,
    NODE_BITS,
    NODE_MASK,
    SMALL_BYTES,
    UNBOUNDED,
    WRITING,
    WRITTEN,
)
from playground.engine.outcomes import ABSENT, ERROR, MISS, OK, WRITE, as_upstream
from playground.engine.params import Params
from playground.engine.people import NOBODY
from playground.engine.stores import FIFO, Evicting
from playground.engine.words import counted

if TYPE_CHECKING:
    from playground.engine.edge import Edge
    from playground.engine.simulation import Simulation


@mypyc_attr(allow_interpreted_subclasses=True)
class WritingCache(Rebuilding):
    """Write-through and write-behind. A version given ahead of the store is larger than any that the key had, and the store commits that
    one or a larger one."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.store: Edge | None = None
        self.queue_edge: Edge | None = None
        self.item_bytes: i64 = 0
        self.write_policy: i64 = AROUND
        self.flush_ns: i64 = 1
        self.flush_batch: i64 = 1
        # The version that was promised last, by key.
        self.promised = Evicting(UNBOUNDED, FIFO)
        # Whether some item may be unwritten: from when it writes behind until all is written, under whatever policy.
        self.holds: bool = False
        # Calls that write through, each behind the unwritten write of its item; in the order in which they came.
        self.held: vec[i64] = vec[i64]()
        self.members_at: i64 = -1
        self.dirty: i64 = 0
        self.writes: i64 = 0
        self.flushed: i64 = 0
        self.flush_failures: i64 = 0
        self.coalesced: i64 = 0
        self.lost_writes: i64 = 0

    def configure_writing(self, params: Params) -> None:
        """How and when it writes; what is unwritten is flushed under any policy: at once, where it writes behind no more."""
        self.item_bytes = params.integer("item_bytes")
        self.write_policy = WRITING.index(params.text("write_policy"))
        self.flush_ns = params.ns("flush_every_ms")
        self.flush_batch = params.integer("flush_batch")
        if self.write_policy == BEHIND:
            self.holds = True
        elif self.holds:
            for number, node in enumerate(self.nodes):
                if node.dirty.size > 0:
                    self.timer(0, FLUSH_TIMER, number)
            self.settle_holds()
        self.hand_over()

    def settle_holds(self) -> None:
        """Whether something is unwritten still, where it no longer writes behind."""
        if self.write_policy == BEHIND or not self.holds:
            return
        for node in self.nodes:
            if node.dirty.size + node.flushing.size > 0:
                return
        self.holds = False

    def write(self, call: i64, node: Node, key: i64) -> None:
        """A caller writes through here."""
        calls = self.calls
        self.writes += 1
        if self.write_policy == BEHIND:
            number = calls.instance[call]
            if calls.sent[call] <= self.members_at:
                # It was under way, or stood before a paused node, when the key went to another one.
                number = self.keeper(key, number)
                node = self.nodes[number]
            version = self.promise(node, key)
            self.void(number, key)
            self.keep(node, number, key, version)
            self.soil(node, number, key, version)
            self.reply(call, OK, version, SMALL_BYTES)
            return
        if self.write_policy == AROUND or self.store is None:
            self.reply(call, ERROR, 0, 0)
        elif self.holds and self.unwritten(key, calls.instance[call]) > 0:
            # The store would get them in the wrong order.
            calls.mark[call] = HELD
            self.held = append(self.held, call)
        else:
            self.write_through(call)

    def write_through(self, call: i64) -> None:
        """Write to the store at once."""
        calls = self.calls
        store = self.store
        if store is None:
            self.reply(call, ERROR, 0, 0)
            return
        calls.mark[call] = LOADING
        size = calls.request_bytes[call]
        made = store.call(call, WRITE, calls.key[call], calls.user[call], -1, size, calls.trace[call])
        calls.step[made] = WRITTEN

    def unwritten(self, key: i64, number: i64) -> i64:
        """The version of ``key`` that the store does not have yet, asked at node ``number``; 0 where there is none."""
        return self.nodes[self.keeper(key, number)].unwritten(key) if self.holds else 0

    def release_held(self) -> None:
        """Let go on those calls before which nothing is unwritten any more."""
        if len(self.held) == 0:
            return
        calls = self.calls
        waiting = self.held
        self.held = vec[i64]()
        index: i64 = 0
        while index < len(waiting):
            call = waiting[index]
            if self.unwritten(calls.key[call], calls.instance[call]) > 0:
                self.held = append(self.held, call)
            else:
                self.write_through(call)
            index += 1

    def forget_held(self, call: i64, instance: i64) -> None:
        """``call`` is cancelled (-1: all calls at ``instance`` end)."""
        waiting = self.held
        self.held = vec[i64]()
        index: i64 = 0
        while index < len(waiting):
            other = waiting[index]
            if other != call and self.calls.instance[other] != instance:
                self.held = append(self.held, other)
            index += 1

    def on_written(self, parent: i64, call: i64) -> None:
        """Write-through: the store has answered. Whether a failed write took effect is unknown, so the old item goes."""
        calls = self.calls
        number = calls.instance[parent]
        key = calls.key[parent]
        node = self.nodes[number]
        outcome = calls.outcome[call]
        self.void(number, key)
        if outcome != OK:
            node.remove(key)
            self.changed_at(key, number)
            self.reply(parent, as_upstream(outcome), 0, 0)
            return
        version = calls.version[call]
        if version > 0:
            # A later write, behind, may have come meanwhile: what is held is that one then.
            if self.unwritten(key, number) == 0:
                self.keep(node, number, key, version)
        else:
            # There is no such item to be written.
            node.remove(key)
            self.changed_at(key, number)
        self.reply(parent, OK, version, SMALL_BYTES)

    def keep(self, node: Node, number: i64, key: i64, version: i64) -> None:
        """Hold what was just written."""
        now = self.simulation.now
        node.put(key, version, now, self.expiry(now), -1)
        self.note_filled(key, False)
        self.changed_at(key, number)

    def promise(self, node: Node, key: i64) -> i64:
        """The next version of ``key``, given before the store commits it: more than what the store has, is held, or was promised."""
        source = self.source()
        version: i64 = source.current_version(key) if source is not None else 0
        if version == ABSENT:
            version = 0
        held = node.items.find(key)
        if held >= 0 and node.items.version[held] > version:
            version = node.items.version[held]
        given = self.promised.find(key)
        if given >= 0 and self.promised.version[given] > version:
            version = self.promised.version[given]
        self.promised.put(key, version + 1, self.simulation.now, 0)
        return version + 1

    def has_promised(self, key: i64, version: i64) -> bool:
        """Whether that is a version which was given here, for the store to commit later."""
        given = self.promised.find(key)
        return given >= 0 and self.promised.version[given] >= version

    # ---- behind

    def soil(self, node: Node, number: i64, key: i64, version: i64) -> None:
        """Remember that the store has to be told; a second write before that takes the place of the first."""
        dirty = node.dirty
        if dirty.find(key) >= 0:
            self.coalesced += 1
        else:
            self.dirty += 1
        dirty.put(key, version, self.simulation.now, 0)
        self.set_flush(node, number)

    def set_flush(self, node: Node, number: i64) -> None:
        """Let the flush timer ring, unless it is set."""
        if not node.flush_set:
            node.flush_set = True
            self.timer(self.flush_ns, FLUSH_TIMER, number)

    def flush(self, number: i64) -> None:
        """Send the oldest unwritten items to the store, or to a queue; those whose last write is still under way wait for it. All of them,
        where it writes behind no more."""
        node = self.nodes[number]
        node.flush_set = False
        if self.removed:
            return
        edge = self.queue_edge if self.queue_edge is not None else self.store
        dirty = node.dirty
        most = self.flush_batch if self.write_policy == BEHIND else UNBOUNDED
        sent: i64 = 0
        looked: i64 = 0
        count = dirty.size
        while edge is not None and sent < most and looked < count and self.crashed[number] == 0:
            looked += 1
            entry = dirty.oldest[dirty.first_group]
            key = dirty.key[entry]
            version = dirty.version[entry]
            dirty.remove(entry)
            if node.flushing.find(key) >= 0:
                dirty.put(key, version, self.simulation.now, 0)
                continue
            sent += 1
            self.send_unwritten(edge, number, key, version)
        if dirty.size > 0:
            self.set_flush(node, number)

    def send_unwritten(self, edge: Edge, number: i64, key: i64, version: i64) -> None:
        """Send an item that is no longer among the dirty ones."""
        self.dirty -= 1
        self.nodes[number].flushing.put(key, version, self.simulation.now, 0)
        made = edge.call(-1, WRITE, key, NOBODY, -1, self.item_bytes + KEY_BYTES, 0)
        self.calls.step[made] = FLUSHED
        self.calls.data[made] = self.lives[number] << NODE_BITS | number
        self.calls.tell(made, version, 0)

    def write_first(self, node: Node, number: i64, key: i64) -> None:
        """The item is to be dropped while its write was still to be flushed: it is flushed now, as Hazelcast does before it evicts an entry
        of a map that writes behind (``DefaultRecordStore.evict``). One whose last write is under way waits for its turn."""
        edge = self.queue_edge if self.queue_edge is not None else self.store
        entry = node.dirty.find(key)
        if entry < 0 or edge is None or node.flushing.find(key) >= 0:
            return
        version = node.dirty.version[entry]
        node.dirty.remove(entry)
        self.send_unwritten(edge, number, key, version)

    def on_flushed(self, call: i64) -> None:
        """The store (or the queue) has answered a write behind."""
        calls = self.calls
        stamp = calls.data[call]
        sender = stamp & NODE_MASK
        key = calls.key[call]
        promised = calls.token[call]
        number = self.keeper(key, sender)
        node = self.nodes[number]
        under_way = node.flushing.find(key)
        if number != sender and self.lives[sender] == stamp >> NODE_BITS:
            # What it sent has come back, whoever has the key now.
            left = self.nodes[sender].flushing.find(key)
            if left >= 0:
                self.nodes[sender].flushing.remove(left)
        well = calls.outcome[call] == OK
        if well:
            self.flushed += 1
        else:
            self.flush_failures += 1
        if self.lives[sender] != stamp >> NODE_BITS and (number == sender or under_way < 0):
            if not well:
                # The node that would have tried again has died.
                self.lost_writes += 1
            return
        if under_way >= 0:
            node.flushing.remove(under_way)
        if not well:
            if node.dirty.find(key) < 0:
                self.dirty += 1
                node.dirty.put(key, promised, self.simulation.now, 0)
            self.set_flush(node, number)
            return
        self.settle_holds()
        self.release_held()
        version = calls.version[call]
        held = node.items.find(key)
        if held < 0 or node.items.version[held] != promised:
            return
        if version > promised:
            # Somebody else wrote to the store meanwhile; what is held has the number under which it was committed.
            node.items.version[held] = version
            self.changed_at(key, number)
        elif version == ABSENT:
            # It was deleted from the store meanwhile: there was nothing to write to.
            node.remove(key)
            self.changed_at(key, number)

    def hand_over(self) -> None:
        """Keys have gone to other nodes: what is unwritten of them goes along, so that the node that is asked now knows of it. What the
        store has been sent already is known there until the answer."""
        self.members_at = self.simulation.now
        if not self.holds:
            return
        for number, node in enumerate(self.nodes):
            if node.dirty.size > 0:
                self.move_to_keepers(number, node.dirty)
            if node.flushing.size > 0:
                self.move_to_keepers(number, node.flushing)

    def move_to_keepers(self, number: i64, versions: Evicting) -> None:
        """Let the dirty items of node ``number``, or those under way, be where their keys are now; of two versions the later one counts."""
        node = self.nodes[number]
        waiting = versions is node.dirty
        for key in versions.in_order():
            owner = self.keeper(key, number)
            if owner == number:
                continue
            entry = versions.find(key)
            version = versions.version[entry]
            versions.remove(entry)
            node.remove(key)
            keeper = self.nodes[owner]
            known = keeper.dirty if waiting else keeper.flushing
            held = known.find(key)
            if held >= 0:
                if known.version[held] > version:
                    version = known.version[held]
                if waiting:
                    self.coalesced += 1
                    self.dirty -= 1
            known.put(key, version, self.simulation.now, 0)
            # What it holds from an earlier time is older.
            keeper.remove(key)
            self.changed_at(key, owner)
            if waiting:
                self.set_flush(keeper, owner)

    def drop_unwritten(self, node: Node, key: i64) -> None:
        """The item is deleted while its write was still to be flushed: there is nothing to flush any more."""
        if node.dirty.size == 0:
            return
        entry = node.dirty.find(key)
        if entry >= 0:
            node.dirty.remove(entry)
            self.dirty -= 1
            self.lost_writes += 1
            self.release_held()

    def lose(self, number: i64) -> None:
        """Node ``number`` forgets everything; say which writes are lost with it."""
        node = self.nodes[number]
        named: list[str] = []
        entry = node.dirty.oldest[node.dirty.first_group] if node.dirty.size > 0 else -1
        while entry >= 0 and len(named) < 5:
            named.append(str(node.dirty.key[entry]))
            entry = node.dirty.after[entry]
        self.lose_sessions(number)
        lost = node.forget()
        self.release_held()
        if lost == 0:
            return
        self.dirty -= lost
        self.lost_writes += lost
        more = f" and {lost - len(named)} more" if lost > len(named) else ""
        self.note(
            "lost_writes",
            "bad",
            f"{counted(lost, 'write')} lost at {self.label}",
            f"Acknowledged, and not yet in the store: {'key' if lost == 1 else 'keys'} {', '.join(named)}{more}.",
        )

    def take_version(self, node: Node, key: i64, version: i64) -> i64:
        """The version that a set carries; one without is the next one (its caller writes behind)."""
        return version if version != MISS else self.promise(node, key)
