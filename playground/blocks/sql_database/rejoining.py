"""The way back of a node: it replays its log, drops what the new leader never had, and follows; or it leads again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mypy_extensions import i64, mypyc_attr

from playground.blocks.sql_database.log import Fork
from playground.blocks.sql_database.node import Node
from playground.blocks.sql_database.reading import Reading
from playground.blocks.sql_database.states import (
    COPYING,
    DOWN,
    LEADER,
    PROMOTING,
    RECOVERED,
    RECOVERING,
    REJOINED,
    REJOINING,
    REPLICA,
)

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation


@mypyc_attr(allow_interpreted_subclasses=True)
class Rejoining(Reading):
    """``holder`` has the lease until ``expires``; :class:`Electing` says who gets it."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.automatic: bool = False
        self.holder: i64 = 0
        self.expires: i64 = 0
        self.rewind_ns: i64 = 0
        self.discarded: i64 = 0
        self.leaderless_since: i64 = -1
        self.leaderless_ns: i64 = 0
        self.last_recovery_ns: i64 = 0
        self.recoveries: i64 = 0

    def elect(self) -> None:
        """Choose a leader among those that may stand."""
        raise AssertionError("the electing database says how")

    def lead(self, node: Node) -> None:
        """Be the leader: all that it has is committed."""
        node.role = LEADER
        node.settle()
        log = self.log
        while log.visible < node.written:
            self.make_visible(node, log, log.visible + 1)
        node.applied = node.written
        self.last_leader = node.number
        self.lead_by(node.number)
        # Whoever has waited here for a position need not any more.
        self.has_applied(node)
        for other in self.nodes:
            if other.number != node.number and other.role == REPLICA and other.number < self.instances:
                self.follow(other)

    def lead_by(self, number: i64) -> None:
        """Let everybody know who leads (-1: nobody for the time being)."""
        now = self.simulation.now
        if number < 0 and self.leaderless_since < 0:
            self.leaderless_since = now
        elif number >= 0 and self.leaderless_since >= 0:
            self.leaderless_ns += now - self.leaderless_since
            self.leaderless_since = -1
        self.leader = number
        self.reconnect()

    def restarted(self, node: Node) -> None:
        """A crash is over: the log is replayed before anything else."""
        if node.behind:
            self.down[node.number] += 1
            self.copy_anew(node)
            self.settle_faults()
            return
        ns = self.replay_ns(node)
        node.role = RECOVERING
        self.recoveries += 1
        self.last_recovery_ns = ns
        node.settle()
        self.down[node.number] += 1
        self.settle_faults()
        if ns <= 0:
            self.on_recovered(node)
        else:
            size = self.log_bytes(node) / 1e6
            text = f"{size:.3g} MB since the last checkpoint: {float(ns) / 1e9:.3g} s."
            self.note("recovery", "warning", f"Node {node.number + 1} of {self.label} replays its log", text)
            self.node_timer(ns, RECOVERED, node, node.life)

    def on_recovered(self, node: Node) -> None:
        """The log is replayed: the node leads again where nobody else does, else it follows."""
        number = node.number
        self.end_recovery(node)
        if node.behind:
            # Meanwhile the log that it needs now was let go.
            self.copy_anew(node)
            return
        self.down[number] -= 1
        self.settle_faults()
        if self.last_recovery_ns > 0:
            self.note("recovered", "good", f"Node {number + 1} of {self.label} has replayed its log", "")
        leads = self.leader == number and node.fork is None
        if self.clustered and self.automatic:
            leads = leads and self.holder == number and self.simulation.now < self.expires
        elif self.leader < 0:
            leads = self.is_led_by(node)
        if leads:
            self.lead(node)
            return
        node.role = REPLICA
        node.settle()
        if self.leader == number:
            self.lead_by(-1)
        self.follow(node)
        if self.automatic and self.leader < 0 and self.simulation.now >= self.expires:
            self.elect()

    def is_led_by(self, node: Node) -> bool:
        """Whether a node leads where nobody is elected any more: the last one that did, unless others went on from less than it has."""
        return self.last_leader == node.number and node.fork is None

    def without_elections(self) -> None:
        """Automatic failover is off now, or one node is left. Where nobody leads, and nobody is being promoted, the last leader does, if it
        is there."""
        if self.leader >= 0:
            return
        for node in self.nodes:
            if node.role == PROMOTING and self.holder == node.number:
                return
        node = self.nodes[self.last_leader]
        if node.role == REPLICA and self.is_led_by(node):
            text = "Nobody is elected any more, so whoever led last goes on."
            self.note("promoted", "info", f"Node {node.number + 1} of {self.label} leads again", text)
            self.disconnect(node)
            self.lead(node)

    def follow(self, node: Node) -> None:
        """Be a replica of whoever leads: at once, or after a rewind where this node has what the leader never had."""
        if node.role != REPLICA:
            node.role = REPLICA
            node.settle()
        fork = node.fork
        if fork is None or node.cut or self.leader < 0:
            self.connect(node)
            self.apply_next(node)
            return
        self.drop_tail(node, fork)
        # Nobody is served meanwhile.
        self.crash(node.number)
        node.role = REJOINING
        self.down[node.number] += 1
        self.settle_faults()
        self.node_timer(self.rewind_ns, REJOINED, node, node.life)

    def drop_tail(self, node: Node, fork: Fork) -> None:
        """Say what a node has that nobody else has, which is thrown away now."""
        tail = fork.log.end - fork.start
        if fork.told or tail <= 0:
            return
        fork.told = True
        self.discarded += tail
        text = f"Positions {fork.start + 1} to {fork.log.end} never reached the new leader; they are discarded (pg_rewind)."
        title = f"Node {node.number + 1} of {self.label} drops {tail} records of its own timeline"
        self.note("forked_tail", "bad" if node.split_writes > 0 else "warning", title, text)

    def on_rejoined(self, node: Node) -> None:
        """The rewind, or the copy, is done."""
        if node.role == COPYING:
            if not self.is_copied(node):
                self.copy_anew(node)
                return
        elif node.behind:
            self.copy_anew(node)
            return
        else:
            fork = node.fork
            if fork is not None:
                here = node.applied if node.applied < fork.start else fork.start
                node.fork = None
                node.log = self.log
                node.written = fork.start
                node.flushed = fork.start
                node.applied = here
                if node.checkpoint > here:
                    node.checkpoint = here
                if node.redo > here:
                    node.redo = here
                node.split_writes = 0
        self.down[node.number] -= 1
        self.settle_faults()
        node.role = REPLICA
        node.settle()
        title = f"Node {node.number + 1} of {self.label} follows the leader"
        self.note("rejoined", "good", title, f"It has the log up to position {node.flushed}.")
        self.follow(node)

    def died(self, node: Node) -> None:
        """Its process is gone."""
        node.retrying = False
        node.first_waiter = -1
        node.last_waiter = -1
        self.crash_log(node)
        node.buffer.clear()
        if not node.is_up() and node.role != DOWN:
            # It was out of service already, and said so.
            self.down[node.number] -= 1
        node.role = DOWN
        node.settle()
        if node.number == self.leader:
            if self.leaderless_since < 0:
                self.leaderless_since = self.simulation.now
            for other in self.nodes:
                self.disconnect(other)
        else:
            self.disconnect(node)
