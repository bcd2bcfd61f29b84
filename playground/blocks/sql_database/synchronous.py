"""Commits that wait for replicas, and which nodes are sure to have all that was acknowledged.

PostgreSQL, ``synchronous_commit`` and ``synchronous_standby_names``: what a commit waits for (remote_write: written at a replica; on:
flushed there; remote_apply: applied there), and for whom (``ANY k``, ``FIRST k``). Patroni's synchronous mode keeps the names of the
synchronous replicas in the store of the lease, and elects nobody else: a name is added when that replica has all that was acknowledged,
and only then do commits count on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mypy_extensions import i64, mypyc_attr

from playground.blocks.sql_database.durability import Durable
from playground.blocks.sql_database.node import Node
from playground.blocks.sql_database.states import (
    ACKED,
    ANY,
    LEADER,
    LOCAL,
    OFF,
    REMOTE_APPLY,
    REMOTE_WRITE,
)
from playground.engine.streams import CONSTANT, Duration

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation


@mypyc_attr(allow_interpreted_subclasses=True)
class Synchronous(Durable):
    """``leader`` is the node that has the legitimate history (-1: none has taken over yet).

    ``members`` are the numbers of the replicas that commits count on, as the store has them; any ``enough`` of them have, between them, all
    that was acknowledged, and so has ``last_leader``. ``counted``: commits wait for replicas, and the store has been told of these.
    """

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.network = Duration(CONSTANT, 0.0, 1.0)
        self.leader: i64 = 0
        self.sync_replicas: i64 = 0
        self.sync_method: i64 = ANY
        self.blocked: bool = False
        self.counted: bool = False
        self.members: list[i64] = []
        self.enough: i64 = 0
        self.last_leader: i64 = 0
        # Who is connected has changed since the store was told.
        self.members_stale: bool = True

    def waits_for_replicas(self) -> bool:
        """Whether commits wait for anybody but the leader."""
        return self.sync_replicas > 0 and self.level >= REMOTE_WRITE

    def stage(self, node: Node) -> i64:
        """How far a replica is with what commits wait for."""
        if self.level == REMOTE_WRITE:
            return node.written
        return node.applied if self.level == REMOTE_APPLY else node.flushed

    def acknowledge(self, node: Node) -> None:
        """A replica tells the leader how far it is, where somebody waits for that."""
        if self.sync_replicas == 0 or not node.connected:
            return
        now = self.simulation.now
        at = now + self.network.draw(node.network_stream)
        if at < node.ack_arrives_at:
            at = node.ack_arrives_at
        node.ack_arrives_at = at
        node.acks.push(self.stage(node))
        self.node_timer(at - now, ACKED, node, node.link)

    def on_acked(self, node: Node) -> None:
        """The leader hears how far a replica is."""
        position = node.acks.pop()
        if position > node.acked:
            node.acked = position
        self.release(self.nodes[self.leader])
        if self.blocked:
            self.see_whether_blocked()

    def may_commit(self, node: Node) -> i64:
        """Up to which position this leader's commits are safe, as they want it."""
        if self.level == OFF:
            return node.log.end
        if self.level == LOCAL or self.sync_replicas == 0:
            return node.flushed
        enough = self.synced(node)
        if self.members_stale and enough >= node.log.visible:
            self.tell_members(node)
        return enough if enough < node.flushed else node.flushed

    def counts(self) -> list[Node]:
        """The replicas that commits count on: those that are connected, all of them (ANY k) or the first k (FIRST k)."""
        found: list[Node] = []
        for other in self.nodes:
            if other.connected and (self.sync_method == ANY or len(found) < self.sync_replicas):
                found.append(other)
        return found

    def synced(self, node: Node) -> i64:
        """Up to which position enough replicas of this leader have the log; -1 where too few are connected."""
        if node.fork is not None or node.number != self.leader:
            return -1
        wanted = self.sync_replicas
        there: i64 = 0
        least: i64 = -1
        most: i64 = -1
        for other in self.nodes:
            if other.connected and (self.sync_method == ANY or there < wanted):
                there += 1
                if least < 0 or other.acked < least:
                    least = other.acked
                if other.acked > most:
                    most = other.acked
        if there <= wanted or wanted == 1:
            return -1 if there < wanted else least if there == wanted else most
        positions: list[i64] = [other.acked for other in self.counts()]
        positions.sort()
        return positions[len(positions) - wanted]

    # ---- who is sure to have what was acknowledged

    def tell_members(self, leader: Node) -> None:
        """Write into the store whom commits count on from now on: enough of them have all that was acknowledged."""
        self.members_stale = False
        self.members = [other.number for other in self.counts()]
        # Of n replicas each acknowledged write is at k: any n - k + 1 of them have it between them.
        self.enough = len(self.members) - self.sync_replicas + 1
        self.last_leader = leader.number
        self.counted = True

    def forget_members(self) -> None:
        """Commits wait for nobody, or for others than before: who has what is open until the store is told anew."""
        self.members_stale = True
        self.counted = self.counted and self.waits_for_replicas()

    def is_member(self, node: Node) -> bool:
        """Whether a node may be elected although commits wait for replicas: its name is in the store, or it led last."""
        return not self.counted or node.number == self.last_leader or node.number in self.members

    def is_sure(self, standing: list[Node]) -> bool:
        """Whether the furthest of ``standing`` is sure to have all that was acknowledged, as far as commits waited for replicas."""
        if not self.counted:
            return True
        members: i64 = 0
        for node in standing:
            if node.number == self.last_leader:
                return True
            if node.number in self.members:
                members += 1
        return members >= self.enough

    def commits_waiting(self) -> i64:
        """Commits at the leader that are flushed there and wait for replicas."""
        if self.leader < 0:
            return 0
        node = self.nodes[self.leader]
        waiting = node.flushed - node.log.visible
        return waiting if waiting > 0 and node.role == LEADER else 0

    def see_whether_blocked(self) -> None:
        """Say when commits begin to wait for a replica that isn't there, and when that is over."""
        if not self.waits_for_replicas() or self.leader < 0 or self.nodes[self.leader].role != LEADER:
            self.unblock()
            return
        answering: i64 = 0
        for node in self.counts():
            if self.paused[node.number] == 0 and not self.holds_back(node):
                answering += 1
        if answering >= self.sync_replicas:
            self.unblock()
        elif not self.blocked and self.commits_waiting() > 0:
            self.blocked = True
            text = (
                f"They wait for {self.sync_replicas} synchronous replica{'s' if self.sync_replicas > 1 else ''}; {self.why_blocked()}. "
                "Nothing is acknowledged until that is over, or the setting is another."
            )
            self.note("commit_blocked", "bad", f"Commits at {self.label} wait for a replica", text)

    def holds_back(self, node: Node) -> bool:
        """Whether a replica that is connected doesn't do what commits wait for: it applies nothing."""
        return self.level == REMOTE_APPLY and node.apply_stopped

    def why_blocked(self) -> str:
        """Which replicas commits wait for in vain, and why."""
        reasons: list[str] = []
        for node in self.nodes:
            if node.number == self.leader or node.number >= self.instances:
                continue
            if not node.connected:
                reasons.append(f"node {node.number + 1} can't be reached")
            elif self.paused[node.number] != 0:
                reasons.append(f"node {node.number + 1} stands still")
            elif self.holds_back(node):
                reasons.append(f"node {node.number + 1} has the log and does not apply it")
        return ", ".join(reasons)

    def unblock(self) -> None:
        """Commits go on."""
        if self.blocked:
            self.blocked = False
            self.note("commit_unblocked", "good", f"Commits at {self.label} go on", "Enough replicas are there again.")
