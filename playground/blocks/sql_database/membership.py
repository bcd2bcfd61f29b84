"""Nodes that come and go while the database runs: who copies from whom, and who leads after a leader that was taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mypy_extensions import i64, mypyc_attr

from playground.blocks.sql_database.buying import Buying
from playground.blocks.sql_database.node import Node
from playground.blocks.sql_database.states import COPYING, DOWN, REJOINING, REPLICA

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation


@mypyc_attr(allow_interpreted_subclasses=True)
class Membership(Buying):
    """``begun``: the run has started, so whoever goes has something to lose."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.begun: bool = False

    def set_nodes(self, count: i64) -> None:
        """Have ``count`` nodes. New ones begin with a copy of what the leader has; a leader that goes hands over first, if it can."""
        if count == self.instances and count <= len(self.nodes):
            return
        leader = self.leader if self.leader >= 0 else self.last_leader
        for node in self.nodes:
            if node.number >= count and node.number != leader:
                self.take_out(node)
        if leader >= count:
            self.hand_over(self.nodes[leader], count)
        before = self.instances
        self.set_instances(count)
        self.clustered = count > 1
        while len(self.nodes) < count:
            node = Node(self, i64(len(self.nodes)), self.log)
            node.buffer.resize(self.nodes[0].buffer.capacity)
            self.nodes.append(node)
            self.bring_in(node)
        for node in self.nodes:
            if node.number < before or node.number >= count or node.role != DOWN:
                continue
            if self.crashed[node.number] == 0:
                self.bring_in(node)
            else:
                # What it had when it was taken out is of no use: the log has gone on without keeping anything for it.
                node.behind = True
                node.stand_at(0, self.log)
        self.reconnect()

    def take_out(self, node: Node) -> None:
        """A node is switched off for good."""
        if self.begun and node.role != DOWN:
            self.crash(node.number)
        node.role = DOWN
        node.fork = None
        node.log = self.log
        node.behind = False
        node.settle()
        if self.paused[node.number] != 0:
            # Whoever stands in front of it is told now, and not when it would have moved again.
            super().thaw(node.number)

    def stall(self, kind: i64, tag: i64, argument: i64, owner: i64) -> bool:
        """A node that was taken away holds nobody up, though it stood still."""
        if self.concerned(kind, argument) >= self.instances:
            return False
        return super().stall(kind, tag, argument, owner)

    def bring_in(self, node: Node) -> None:
        """A node comes: with a copy, which it still has to wait for where there is no leader that it could be taken from."""
        if self.can_copy(node):
            self.copy_now(node)
            return
        node.behind = True
        node.stand_at(0, self.log)
        self.down[node.number] += 1
        self.copy_anew(node)
        self.settle_faults()

    def copy_now(self, node: Node) -> None:
        """A node begins with all that is safe at the leader."""
        here = self.log.visible
        if self.nodes[self.leader].flushed < here:
            here = self.nodes[self.leader].flushed
        node.role = REPLICA
        node.behind = False
        node.stand_at(here, self.log)
        node.settle()

    def hand_over(self, old: Node, count: i64) -> None:
        """The leader goes. In good order the node that has most of its log gets the rest of it, and leads; from one that is dead or out of
        reach there is no rest to get."""
        in_order = old.is_up() and not old.cut and self.paused[old.number] == 0
        chosen = self.nodes[0]
        for node in self.nodes:
            if node.number < count and self.is_better(node, chosen, in_order):
                chosen = node
        if in_order:
            old.flushed = old.written
        self.take_out(old)
        self.leave_own(chosen)
        if not in_order:
            self.go_on_without(old, chosen)
        chosen.behind = False
        chosen.written = self.log.end
        chosen.flushed = self.log.end
        chosen.applied = self.log.end
        self.leader = chosen.number
        self.last_leader = chosen.number
        self.holder = chosen.number
        self.expires = self.simulation.now + self.ttl_ns
        self.known = chosen.flushed
        if chosen.is_up():
            self.lead(chosen)

    def is_better(self, node: Node, other: Node, in_order: bool) -> bool:
        """Whether ``node`` rather than ``other`` is to lead after one that goes: in good order, where it gets whatever it lacks, whoever
        can be reached; else whoever has more, of those that are up. Where commits wait for replicas, the one that has them all is waited
        for."""
        more = node.held() - other.held()
        serves = self.serves(node) - self.serves(other)
        if in_order and serves != 0:
            return serves > 0
        if not in_order and not self.counted and node.is_up() != other.is_up():
            return node.is_up()
        if more != 0:
            return more > 0
        return serves > 0

    def serves(self, node: Node) -> i64:
        """How well a node can lead at once: 3 it is up, can be reached and moves; 2 it is up; 1 it will be; 0 nobody knows when."""
        if node.is_up():
            return 2 if node.cut or self.paused[node.number] != 0 else 3
        return 1 if self.crashed[node.number] == 0 else 0

    def leave_own(self, node: Node) -> None:
        """A node is about to lead: what it has of another history goes, and a copy or a rewind that is under way ends."""
        fork = node.fork
        if fork is not None and node.is_up():
            self.drop_tail(node, fork)
            self.crash(node.number)
            node.role = REPLICA
        elif node.role == REJOINING or node.role == COPYING:
            node.life += 1
            node.role = REPLICA
            self.down[node.number] -= 1
            self.settle_faults()
        if fork is not None or node.behind:
            # Who is too far behind has what everybody once had.
            node.stand_at(self.log.base if node.behind else node.held(), self.log)

    def go_on_without(self, old: Node, chosen: Node) -> None:
        """The history goes on from what ``chosen`` has: what the one that is gone had told its callers beyond that is lost."""
        self.timeline += 1
        lost = self.fork_at(chosen)
        if lost > 0:
            title = f"{lost} acknowledged writes lost at {self.label}"
            text = f"Node {old.number + 1} led, and could hand nothing over when it was removed. Node {chosen.number + 1} never had them."
            self.note("lost_writes", "bad", title, text)
