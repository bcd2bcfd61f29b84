"""Replicas by log shipping: network, write, flush, one apply stream; who is connected, who lags, who is left behind.

PostgreSQL, "Log-Shipping Standby Servers": the leader sends what it has flushed; a replica writes it, flushes it, and applies it in one
process, record by record, so that lag grows when more is written than one process can apply.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mypy_extensions import i64, mypyc_attr

from playground.blocks.sql_database.node import Node
from playground.blocks.sql_database.states import (
    APPLIED,
    BACKLOG,
    CAUSES,
    COPIED,
    COPY_BYTES_PER_S,
    COPY_LEAST_NS,
    COPYING,
    FORKED,
    LEADER,
    LOG_RECORDS_MAX,
    NETWORK,
    NEVER,
    OFF,
    ON,
    PARTITION,
    PROMOTING,
    REJOINED,
    REMOTE_APPLY,
    REMOTE_WRITE,
    REPLICA,
    SHIPPED,
    STOPPED,
    SYNC_METHODS,
)
from playground.blocks.sql_database.synchronous import Synchronous
from playground.engine.durations import whole_ns
from playground.engine.params import Params
from playground.engine.streams import CONSTANT, Duration

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation


@mypyc_attr(allow_interpreted_subclasses=True)
class Replicated(Synchronous):
    """The leader ships its log to all that are connected."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.apply_time = Duration(CONSTANT, 0.0, 1.0)
        self.lag_alarm_ns: i64 = -1
        self.log_kept: i64 = LOG_RECORDS_MAX
        self.copied: i64 = 0

    def configure_replication(self, params: Params) -> None:
        """Times of the replicas, and who a commit waits for."""
        params.set_duration(self.network, "ship")
        params.set_duration(self.apply_time, "apply")
        self.sync_replicas = params.integer("sync_replicas")
        self.sync_method = SYNC_METHODS.index(params.text("sync_method"))
        self.lag_alarm_ns = params.ns("lag_alarm_s")
        self.log_kept = params.integer("log_kept_records")

    def settle_commits(self) -> None:
        """What a commit waits for has changed, or who can be waited for."""
        self.forget_members()
        for node in self.nodes:
            if node.role == REPLICA and node.connected:
                node.acked = self.stage(node)
        for node in self.nodes:
            if node.role != LEADER:
                continue
            if self.level != OFF and node.written > node.flushed and not node.flushing:
                self.begin_flush(node)
            self.release(node)
            if self.level == OFF and node.written > node.flushed:
                self.set_writer(node)
        self.see_whether_blocked()

    # ---- shipping

    def can_connect(self, node: Node) -> bool:
        """Whether log can flow from the leader to ``node``."""
        if self.leader < 0 or node.number == self.leader or node.fork is not None:
            return False
        leader = self.nodes[self.leader]
        if leader.role != LEADER or leader.cut or node.cut:
            return False
        return node.role == REPLICA and not node.behind and node.number < self.instances

    def connect(self, node: Node) -> None:
        """Let the leader ship to ``node`` from where its log ends, where that is possible now."""
        if node.connected or not self.can_connect(node):
            return
        node.forget_link()
        node.connected = True
        self.members_stale = True
        node.acked = self.stage(node)
        self.ship(node)
        self.see_whether_blocked()

    def disconnect(self, node: Node) -> None:
        """Nothing comes to ``node`` any more."""
        if node.connected:
            node.forget_link()
            self.members_stale = True
            self.see_whether_blocked()

    def reconnect(self) -> None:
        """Who leads, or who can be reached, has changed."""
        for node in self.nodes:
            if not self.can_connect(node):
                self.disconnect(node)
            else:
                self.connect(node)
        if self.leader >= 0:
            self.release(self.nodes[self.leader])
        self.see_whether_blocked()

    def log_grew(self, node: Node) -> None:
        """A flush is done: ship it, commit it, or apply it."""
        if node.role == LEADER:
            if self.clustered and node.fork is None:
                for other in self.nodes:
                    if other.connected:
                        self.ship(other)
                        self.see_to_lag(other)
            self.release(node)
            if self.clustered:
                self.see_whether_blocked()
            return
        if self.level == ON:
            self.acknowledge(node)
        self.apply_next(node)

    def ship(self, node: Node) -> None:
        """Send what the leader has flushed since the last time; it arrives in order."""
        leader = self.nodes[self.leader]
        if leader.flushed <= node.sent or self.paused[leader.number] != 0:
            return
        node.sent = leader.flushed
        now = self.simulation.now
        at = now + self.network.draw(node.network_stream)
        if at < node.arrives_at:
            at = node.arrives_at
        node.arrives_at = at
        node.inbound.push(node.sent)
        self.node_timer(at - now, SHIPPED, node, node.link)

    def on_shipped(self, node: Node) -> None:
        """Log has arrived at a replica."""
        node.written = node.inbound.pop()
        if self.level == REMOTE_WRITE:
            self.acknowledge(node)
        if not node.flushing:
            self.begin_flush(node)

    # ---- applying

    def apply_next(self, node: Node) -> None:
        """The apply stream takes the next record that is safe here."""
        if node.applying or node.applied >= node.flushed:
            return
        if node.role != PROMOTING and (node.role != REPLICA or node.apply_stopped):
            return
        node.applying = True
        ns = self.apply_time.draw(node.apply_stream)
        self.node_timer(self.stretched(node, ns), APPLIED, node, node.life)

    def on_applied(self, node: Node) -> None:
        """A record is applied: whoever reads here sees it."""
        node.applying = False
        if node.role == LEADER:
            # It was made the leader meanwhile, with all that it had.
            return
        fork = node.fork
        position = node.applied + 1
        log = self.log if fork is None or position <= fork.start else node.log
        node.applied = position
        slot = log.slot(position)
        key = log.key[slot]
        if log.version[slot] > 0 and log.user[slot] > COPIED:
            node.buffer.put(key, 1, self.simulation.now, NEVER)
        elif log.version[slot] <= 0:
            held = node.buffer.find(key)
            if held >= 0:
                node.buffer.remove(held)
        if self.level == REMOTE_APPLY:
            self.acknowledge(node)
        self.touched(node, key)
        self.see_to_checkpoint(node)
        self.has_applied(node)
        self.see_to_lag(node)
        self.apply_next(node)

    def has_applied(self, node: Node) -> None:
        """For those who wait until a node has come to a position."""

    # ---- lag

    def lag(self, node: Node) -> i64:
        """Records that the leader has committed and ``node`` has not applied."""
        behind = self.log.visible - node.view()
        return behind if behind > 0 else 0

    def lag_ns(self, node: Node) -> i64:
        """For how long a committed write has been missing at ``node``; 0 where none is."""
        position = node.view() + 1
        if position > self.log.visible or position <= self.log.base:
            return 0
        return self.simulation.now - self.log.committed[self.log.slot(position)]

    def see_to_lag(self, node: Node) -> None:
        """Say when a replica falls behind, and when it has caught up."""
        if self.lag_alarm_ns < 0:
            return
        if node.lagging:
            if self.lag(node) == 0:
                node.lagging = False
                self.note("lag_over", "good", f"Node {node.number + 1} of {self.label} has caught up", "")
            return
        behind = self.lag_ns(node)
        if behind > self.lag_alarm_ns:
            node.lagging = True
            cause = CAUSES[self.cause(node, node.view() + 1)]
            text = f"It has not applied {self.lag(node)} records yet, because of: {cause}. Reads there miss what these write."
            title = f"Node {node.number + 1} of {self.label} is {float(behind) / 1e9:.1f} s behind"
            self.note("lag", "warning", title, text)

    def cause(self, node: Node, position: i64) -> i64:
        """Why a node does not have the committed record at ``position``."""
        if node.fork is not None:
            return FORKED
        if node.written >= position:
            return STOPPED if node.apply_stopped else BACKLOG
        if node.cut or (self.leader >= 0 and self.nodes[self.leader].cut):
            return PARTITION
        return NETWORK

    # ---- what is kept

    def needed_from(self) -> i64:
        """Every node has the records up to here, safely."""
        needed = self.log.visible
        for node in self.nodes:
            if node.number >= self.instances or node.behind:
                continue
            here = node.view()
            if node.flushed < here:
                here = node.flushed
            if here < needed:
                needed = here
        return needed

    def trim(self) -> None:
        """Forget the records that nobody needs; whoever is hopelessly behind is not waited for."""
        kept = self.log_kept
        if self.log.end - self.needed_from() > kept:
            oldest = self.log.end - kept // 2
            for node in self.nodes:
                if node.role != LEADER and node.number < self.instances and node.view() < oldest:
                    self.leave_behind(node)
        self.listing.catch_up()
        self.log.trim(self.needed_from())

    def leave_behind(self, node: Node) -> None:
        """The log that a node still needs is kept no longer: it has to be copied anew before it can serve."""
        if node.behind:
            return
        node.behind = True
        self.disconnect(node)
        text = (
            f"Past {self.log_kept} records the log is kept for nobody; it is copied anew when it can reach the leader."
        )
        self.note("left_behind", "bad", f"Node {node.number + 1} of {self.label} is too far behind", text)
        if node.is_up():
            # It is stopped for that: what it was answering would need the log that is gone.
            self.crash(node.number)
            self.down[node.number] += 1
            self.copy_anew(node)
            self.settle_faults()

    def copy_anew(self, node: Node) -> None:
        """Take a base backup (a node that is not in service). It is tried again where the leader can't be reached at its end."""
        node.role = COPYING
        node.settle()
        size = float(self.row_count) * float(self.row_bytes)
        self.node_timer(whole_ns(size / COPY_BYTES_PER_S * 1e9) + COPY_LEAST_NS, REJOINED, node, node.life)

    def can_copy(self, node: Node) -> bool:
        """Whether a node can take a copy of the leader's rows now."""
        if self.leader < 0 or node.cut:
            return False
        leader = self.nodes[self.leader]
        return leader.role == LEADER and not leader.cut and self.paused[leader.number] == 0

    def is_copied(self, node: Node) -> bool:
        """The base backup is done: the node is where the leader is; False where the leader can't be reached."""
        if not self.can_copy(node):
            return False
        node.behind = False
        here = self.nodes[self.leader].flushed
        if here > self.log.visible:
            here = self.log.visible
        node.stand_at(here, self.log)
        node.buffer.clear()
        self.copied += 1
        return True
