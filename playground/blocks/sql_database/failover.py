"""Who leads: a lease in a consensus store, its expiry, the election, the promotion, fencing, and the way back of an old leader.

As Patroni does it: an agent beside each node looks every ``loop_wait``; the leader's renews a lease of ``ttl``, so leadership expires
between ttl - loop and ttl after its death. Then the candidates compare how much of the log they have received; the furthest one takes the
lease and is promoted, on a new timeline. An agent that can't renew tries for ``retry_timeout``, then demotes its node (fencing), which
is before the lease expires as long as ttl > loop + retry. A node that has records past the point where the new timeline began is rewound
(pg_rewind) before it follows.

The consensus store is on the side of those that are not cut off, and never fails itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mypy_extensions import i64, mypyc_attr

from playground.blocks.sql_database.log import Fork
from playground.blocks.sql_database.node import Node
from playground.blocks.sql_database.rejoining import Rejoining
from playground.blocks.sql_database.states import (
    DOWN,
    FAILOVER,
    LEADER,
    LEASE,
    LOOP,
    PROMOTED,
    PROMOTING,
    RECOVERING,
    REPLICA,
    RETRY,
    ROW_OVERHEAD_BYTES,
)
from playground.engine.params import Params

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation


@mypyc_attr(allow_interpreted_subclasses=True)
class Electing(Rejoining):
    """``holder`` has the lease until ``expires``; ``known`` is the position that it wrote into the store when it renewed last."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.loop_stream = self.stream("agents' loops")
        self.fencing: bool = True
        self.ttl_ns: i64 = 1
        self.loop_ns: i64 = 1
        self.retry_ns: i64 = 1
        self.promote_ns: i64 = 0
        self.lag_max_bytes: float = 0.0
        self.known: i64 = 0
        self.lease_set: bool = False
        self.timeline: i64 = 1
        self.forked_at: i64 = 0
        self.failovers: i64 = 0
        self.demotions: i64 = 0
        self.noted_void: bool = False
        self.noted_unsure: bool = False

    def configure_failover(self, params: Params) -> None:
        """Times of lease and agents; a loop that is under way ends as it was begun."""
        self.automatic = params.flag("failover")
        self.fencing = params.flag("fencing")
        self.ttl_ns = params.ns("lease_ttl_s")
        self.loop_ns = params.ns("loop_wait_s")
        self.retry_ns = params.ns("retry_timeout_s")
        self.promote_ns = params.ns("promote_s")
        self.rewind_ns = params.ns("rewind_s")
        self.lag_max_bytes = params.number("failover_lag_mb") * 1e6

    def begin_lease(self) -> None:
        """Nodes are watched from now on: whoever leads has the lease, and what it has flushed is what is known to be there."""
        if self.leader >= 0:
            self.holder = self.leader
            self.known = self.nodes[self.leader].flushed
        self.expires = self.simulation.now + self.ttl_ns

    def set_agents(self) -> None:
        """Every node has an agent, and only one; their loops are at different points when the run begins."""
        for node in self.nodes:
            if self.clustered and node.number < self.instances and not node.watched:
                node.watched = True
                self.node_timer(i64(self.loop_stream.uniform() * float(self.loop_ns)), LOOP, node, 0)
        self.watch_lease()

    def watch_lease(self) -> None:
        """Ring when the lease ends."""
        if not self.lease_set and self.automatic and self.clustered:
            self.lease_set = True
            left = self.expires - self.simulation.now
            self.timer(left if left > 0 else 0, LEASE, 0)

    # ---- agents

    def on_loop(self, node: Node) -> None:
        """An agent looks."""
        if self.removed or node.number >= self.instances or not self.clustered:
            # Its node is no more.
            node.watched = False
            return
        self.node_timer(self.loop_ns, LOOP, node, 0)
        if not self.automatic or node.role == DOWN or self.paused[node.number] != 0:
            return
        mine = self.holder == node.number
        leads = node.role == LEADER or (mine and (node.role == RECOVERING or node.role == PROMOTING))
        if node.cut:
            if leads and not node.retrying:
                node.retrying = True
                self.node_timer(self.retry_ns, RETRY, node, node.life)
            return
        node.retrying = False
        if not leads:
            if self.simulation.now >= self.expires or (mine and self.leader < 0):
                self.elect()
        elif node.fork is not None:
            self.step_down(node, "It sees that another node has the lease.")
        elif mine or self.simulation.now >= self.expires:
            self.renew(node)

    def renew(self, node: Node) -> None:
        """The lease is this node's for another ttl."""
        self.holder = node.number
        self.expires = self.simulation.now + self.ttl_ns
        self.known = node.flushed
        self.noted_void = False
        self.noted_unsure = False
        self.watch_lease()

    def on_retry(self, node: Node) -> None:
        """An agent has tried in vain to renew: its node is no longer safe as a leader."""
        node.retrying = False
        if not node.cut or node.role != LEADER or not self.fencing or not self.automatic or not self.clustered:
            return
        if self.paused[node.number] == 0:
            self.step_down(node, "It can't renew its lease, so it may not go on: somebody else could be elected.")

    def step_down(self, node: Node, why: str) -> None:
        """A leader becomes a replica: its connections are closed; its log is flushed first."""
        self.demotions += 1
        node.flushed = node.written
        self.note("fenced", "warning", f"Node {node.number + 1} of {self.label} demotes itself", why)
        self.crash(node.number)
        if self.leader == node.number:
            self.lead_by(-1)
        self.follow(node)

    def on_lease(self) -> None:
        """The lease may have run out: those who watch the store learn of it at once."""
        self.lease_set = False
        now = self.simulation.now
        if self.removed or not self.automatic or not self.clustered:
            return
        if now < self.expires:
            self.watch_lease()
            return
        if not self.noted_void:
            self.noted_void = True
            text = f"Node {self.holder + 1} has not renewed it for {float(self.ttl_ns) / 1e9:g} s. The others may elect a leader now."
            self.note("lease_expired", "warning", f"The leader's lease at {self.label} has expired", text)
        if self.leader >= 0 and self.nodes[self.leader].role != LEADER:
            self.lead_by(-1)
        self.elect()

    # ---- election and promotion

    def may_stand(self, node: Node) -> bool:
        """Whether a node can be elected: it is up, reaches the store and the others, and is not too far behind what the leader had."""
        number = node.number
        if number >= self.instances or node.role != REPLICA or node.cut or node.behind or node.fork is not None:
            return False
        if self.crashed[number] != 0 or self.paused[number] != 0:
            return False
        behind = float(self.known - node.written) * float(self.row_bytes + ROW_OVERHEAD_BYTES)
        return behind <= self.lag_max_bytes

    def elect(self) -> None:
        """The candidate with the most of the log takes the lease; where commits wait for replicas, one that is sure to have them all."""
        standing = [node for node in self.nodes if self.may_stand(node)]
        if not self.is_sure(standing):
            self.note_unsure(standing)
            return
        chosen: Node | None = None
        for node in standing:
            if self.is_member(node) and (chosen is None or node.written > chosen.written):
                chosen = node
        if chosen is None:
            return
        self.failovers += 1
        self.timeline += 1
        old = self.nodes[self.leader] if self.leader >= 0 else None
        # It receives nothing any more; what it has, it keeps.
        self.lead_by(-1)
        chosen.flushed = chosen.written
        lost = self.fork_at(chosen)
        self.last_leader = chosen.number
        self.renew(chosen)
        chosen.role = PROMOTING
        chosen.settle()
        text = f"It has received the log up to position {chosen.written}; timeline {self.timeline} begins there."
        if lost > 0:
            text = f"{text} {lost} acknowledged writes lie past it: they are lost."
        self.note("elected", "warning", f"Node {chosen.number + 1} of {self.label} takes the lease", text)
        if lost > 0:
            title = f"{lost} acknowledged writes lost at {self.label}"
            self.note(
                "lost_writes",
                "bad",
                title,
                f"The log of node {chosen.number + 1} ends before them; the old leader's is forked.",
            )
        if old is not None and old.role == LEADER and old.number != chosen.number and self.crashed[old.number] == 0:
            self.note(
                "split_brain",
                "bad",
                f"Node {old.number + 1} of {self.label} still takes writes",
                "Nobody has told it that it is no leader any more. What it takes from here on will vanish.",
            )
        if chosen.applied >= chosen.written:
            self.node_timer(self.promote_ns, PROMOTED, chosen, chosen.life)
        else:
            self.apply_next(chosen)

    def note_unsure(self, standing: list[Node]) -> None:
        """Say, once while nobody leads, that there are candidates and that none of them is sure to have all that was acknowledged."""
        if self.noted_unsure or len(standing) == 0:
            return
        self.noted_unsure = True
        able = ", ".join([str(node.number + 1) for node in standing])
        names = ", ".join([str(number + 1) for number in self.members])
        text = (
            f"Node {able} could lead, but may lack writes that were acknowledged. Commits waited for {self.sync_replicas} of node {names}: "
            f"{self.enough} of these, or the last leader, have to be there first."
        )
        self.note("no_candidate", "bad", f"Nobody at {self.label} may be elected", text)

    def fork_at(self, chosen: Node) -> i64:
        """The legitimate history goes on from what ``chosen`` has; others keep what they have past it. Acknowledged writes lost."""
        start = chosen.written
        self.forked_at = start
        log = self.log
        for node in self.nodes:
            fork = node.fork
            if node.number == chosen.number or node.number >= self.instances or node.behind:
                continue
            # Who goes on leading does so on a branch of its own, even where it has nothing yet that the new leader lacks.
            if (fork is None and node.written <= start and node.role != LEADER) or (
                fork is not None and fork.start <= start
            ):
                continue
            made = Fork(start)
            made.take(log, start + 1, node.written if fork is None else fork.start)
            if fork is not None:
                made.take(fork.log, fork.start + 1, fork.log.end)
            if made.log.visible > node.applied:
                made.log.visible = node.applied if node.applied > start else start
            node.fork = made
            node.log = made.log
            node.settle()
        # What was not committed yet goes on without those who wait for it at the old leader.
        position = log.visible + 1
        while position <= start:
            log.call[log.slot(position)] = -1
            position += 1
        lost = self.take_back(start, FAILOVER)
        # Positions beyond are another history's: nobody waits for these.
        own = self.own_writes
        for user in own.in_order():
            entry = own.find(user)
            if own.version[entry] > start:
                own.version[entry] = start
        return lost

    def has_applied(self, node: Node) -> None:
        """A node that is to be promoted has applied all that it has."""
        super().has_applied(node)
        if node.role == PROMOTING and node.applied >= node.written:
            self.node_timer(self.promote_ns, PROMOTED, node, node.life)

    def on_promoted(self, node: Node) -> None:
        """It takes writes from now on, and the rest follow it."""
        if node.role != PROMOTING:
            return
        if self.holder != node.number:
            # Somebody else was elected meanwhile.
            self.follow(node)
            return
        without = self.simulation.now - self.leaderless_since if self.leaderless_since >= 0 else 0
        text = (
            f"Timeline {self.timeline}. There was no leader for {float(without) / 1e9:.1f} s; the others follow it now."
        )
        self.note("promoted", "good", f"Node {node.number + 1} of {self.label} is the leader", text)
        self.lead(node)
