"""Which node a statement goes to, and who waits for a position in the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mypy_extensions import i64, mypyc_attr

from playground.blocks.sql_database import bulk
from playground.blocks.sql_database.missing import Missing
from playground.blocks.sql_database.node import Node
from playground.blocks.sql_database.states import (
    CALLERS_ALL,
    CALLERS_ZONE,
    FOR_POSITION,
    LEADER,
    PROMOTING,
    READ_AFTER_WRITE,
    READ_BOUNDED,
    READ_LEADER,
    READ_POSITION,
    READ_ROUTES,
    REPLICA,
    UNBOUNDED,
    WAITED,
)
from playground.engine.calls import ABANDONED
from playground.engine.outcomes import CONNECTION_LOST, CRASHED, LIST, NO_LEADER, OK, OVERLOADED, READ
from playground.engine.params import Params
from playground.engine.station import FULL, QUEUED
from playground.engine.stores import FIFO, Evicting

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation


@mypyc_attr(allow_interpreted_subclasses=True)
class Reading(Missing):
    """Callers' drivers know which node says that it is the leader, and which replicas are up (as with a proxy that checks them)."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.route_reads: i64 = READ_LEADER
        self.after_write_ns: i64 = 0
        self.wait_max_ns: i64 = 0
        self.staleness_ns: i64 = 0
        self.turn: i64 = 0
        # The position of each user's last acknowledged write, and when that was, oldest first.
        self.own_writes = Evicting(UNBOUNDED, FIFO)
        # Up to here stand rows that came from another database, where everybody may have written to them and read them.
        self.taken_upto: i64 = 0
        self.rejected: i64 = 0
        self.no_leader: i64 = 0
        self.replica_reads: i64 = 0
        self.position_waits: i64 = 0
        self.waited_ns: float = 0.0
        self.fallbacks: i64 = 0
        # Some node is cut off from the others.
        self.parted: bool = False

    def configure_reading(self, params: Params) -> None:
        """How reads are routed."""
        self.route_reads = READ_ROUTES.index(params.text("reads"))
        self.after_write_ns = params.ns("after_write_s")
        self.wait_max_ns = params.ns("wait_max_ms")
        self.staleness_ns = params.ns("staleness_max_ms")
        if self.route_reads != READ_AFTER_WRITE and self.route_reads != READ_POSITION:
            self.own_writes.clear()

    # ---- routing

    def choose_instance(self, call: i64) -> None:
        """The node that a statement goes to."""
        if not self.clustered:
            self.calls.instance[call] = 0
            return
        operation = self.calls.operation[call]
        number: i64 = -1
        if (operation == READ or operation == LIST) and self.route_reads != READ_LEADER:
            number = self.replica_for(call)
        if number < 0:
            number = self.leader_for(call)
        self.calls.instance[call] = number

    def leader_for(self, call: i64) -> i64:
        """The node that says it is the leader, as far as this caller can see; any node where there is none."""
        number = self.leader
        if number >= 0 and (not self.parted or self.reaches(call, number)):
            return number
        if not self.parted:
            # Nobody leads: whoever is up says so.
            number = 0
            while number < self.instances and self.down[number] != 0:
                number += 1
            return number if number < self.instances else 0
        zone = self.zone_of(call)
        node = self.nodes[zone]
        if node.role == LEADER and self.reaches(call, zone):
            return zone
        for node in self.nodes:
            if node.role == LEADER and node.number < self.instances and self.reaches(call, node.number):
                return node.number
        return zone

    def replica_for(self, call: i64) -> i64:
        """The replica whose turn it is among those that this read may go to; -1 for the leader."""
        calls = self.calls
        user = calls.user[call]
        if self.route_reads == READ_AFTER_WRITE:
            entry = self.own_writes.find(user)
            if entry >= 0 and self.simulation.now - self.own_writes.filled_at[entry] < self.after_write_ns:
                return -1
        step: i64 = 1
        while step <= self.instances:
            number = (self.turn + step) % self.instances
            step += 1
            node = self.nodes[number]
            if (node.role != REPLICA and node.role != PROMOTING) or self.down[number] != 0:
                continue
            if self.parted and not self.reaches(call, number):
                continue
            if self.route_reads == READ_BOUNDED and self.lag_ns(node) > self.staleness_ns:
                continue
            if self.taken_upto > node.view() and self.route_reads in (READ_AFTER_WRITE, READ_BOUNDED):
                # It would break what the route promises for the rows that were taken over.
                continue
            self.turn = number
            return number
        return -1

    def zone_of(self, call: i64) -> i64:
        """Beside which node a call's caller stands: callers' instances are dealt out over the nodes, in order of edges and instances."""
        calls = self.calls
        place: i64 = 0
        for edge in self.into:
            if edge.index == calls.edge[call]:
                break
            if not edge.removed:
                place += 1
        parent = calls.parent[call]
        if parent >= 0 and calls.flags[call] & ABANDONED == 0 and calls.instance[parent] > 0:
            place += calls.instance[parent]
        return place % self.instances

    def reaches(self, call: i64, number: i64) -> bool:
        """Whether the caller of ``call`` and node ``number`` are on the same side of every partition."""
        node = self.nodes[number]
        if node.cut and node.cut_callers != CALLERS_ZONE:
            return node.cut_callers == CALLERS_ALL
        zone = self.zone_of(call)
        if zone == number:
            return True
        beside = self.nodes[zone]
        return not node.cut and not (beside.cut and beside.cut_callers == CALLERS_ZONE)

    def answer_with(self, call: i64) -> i64:
        """OK, or that the connection is lost: a partition has come between."""
        if self.parted and not self.reaches(call, self.calls.instance[call]):
            return CONNECTION_LOST
        return OK

    # ---- a statement comes in

    def on_call(self, call: i64) -> None:
        """Take a connection, wait for one, or be turned away; a read may have to wait for a position first."""
        calls = self.calls
        if calls.instance[call] >= self.instances:
            # It waited at a node that stood still, and has been taken away.
            self.reply(call, CRASHED, 0, 0)
            return
        if (self.clustered or self.leader < 0) and not self.admits(call):
            return
        calls.mark[call] = 0
        became = self.connections.offer(call, calls.instance[call])
        if became == FULL:
            self.rejected += 1
            self.reply(call, OVERLOADED, 0, 0)
        elif became == QUEUED:
            self.note_queue(self.connections.waiting_all, self.connections.workers, "connections")
        else:
            self.begin(call)

    def admits(self, call: i64) -> bool:
        """Whether a statement can be served where it has come to, now."""
        calls = self.calls
        number = calls.instance[call]
        node = self.nodes[number]
        operation = calls.operation[call]
        is_read = operation == READ or operation == LIST
        if (
            (node.role != LEADER and (not is_read or self.route_reads == READ_LEADER))
            or (self.parted and not self.reaches(call, number))
            or (node.fork is not None and bulk.concerns_rows(operation))
        ):
            self.refuse(call)
            return False
        if not is_read or node.role == LEADER:
            return True
        self.replica_reads += 1
        if self.route_reads != READ_POSITION:
            return True
        wanted = self.taken_upto
        entry = self.own_writes.find(calls.user[call])
        if entry >= 0 and self.own_writes.version[entry] > wanted:
            wanted = self.own_writes.version[entry]
        if wanted <= node.view():
            return True
        self.wait_for(call, node, wanted)
        return False

    def refuse(self, call: i64) -> None:
        """No node that the caller can reach says that it is the leader."""
        self.no_leader += 1
        self.reply(call, NO_LEADER, 0, 0)

    # ---- waiting for a position

    def wait_for(self, call: i64, node: Node, position: i64) -> None:
        """Let a read wait until ``node`` has come to ``position``; who waits for the least stands first."""
        calls = self.calls
        calls.mark[call] = FOR_POSITION
        calls.memo[call] = position
        calls.queued[call] = self.simulation.now
        self.position_waits += 1
        before = node.last_waiter
        while before >= 0 and calls.memo[before] > position:
            before = calls.previous[before]
        after = calls.next[before] if before >= 0 else node.first_waiter
        calls.previous[call] = before
        calls.next[call] = after
        if before >= 0:
            calls.next[before] = call
        else:
            node.first_waiter = call
        if after >= 0:
            calls.previous[after] = call
        else:
            node.last_waiter = call
        if not node.wait_set:
            node.wait_set = True
            self.node_timer(self.wait_max_ns, WAITED, node, 0)

    def leave_wait(self, call: i64, node: Node) -> None:
        """It waits no longer."""
        calls = self.calls
        before = calls.previous[call]
        after = calls.next[call]
        if before >= 0:
            calls.next[before] = after
        else:
            node.first_waiter = after
        if after >= 0:
            calls.previous[after] = before
        else:
            node.last_waiter = before
        self.waited_ns += float(self.simulation.now - calls.queued[call])

    def has_applied(self, node: Node) -> None:
        """Those who wait for this position go on."""
        calls = self.calls
        call = node.first_waiter
        here = node.view()
        while call >= 0 and calls.memo[call] <= here:
            self.leave_wait(call, node)
            self.enter(call)
            call = node.first_waiter

    def enter(self, call: i64) -> None:
        """A read that waited for a position takes its connection."""
        calls = self.calls
        calls.mark[call] = 0
        became = self.connections.offer(call, calls.instance[call])
        if became == FULL:
            self.rejected += 1
            self.reply(call, OVERLOADED, 0, 0)
        elif became != QUEUED:
            self.begin(call)

    def on_waited(self, node: Node) -> None:
        """Who has waited as long as is allowed is sent to the leader."""
        calls = self.calls
        now = self.simulation.now
        node.wait_set = False
        first: i64 = -1
        call = node.first_waiter
        while call >= 0:
            after = calls.next[call]
            if now - calls.queued[call] >= self.wait_max_ns:
                self.leave_wait(call, node)
                self.fall_back(call)
            elif first < 0 or calls.queued[call] < first:
                first = calls.queued[call]
            call = after
        if first >= 0:
            node.wait_set = True
            self.node_timer(first + self.wait_max_ns - now, WAITED, node, 0)

    def fall_back(self, call: i64) -> None:
        """A read that waited in vain is served by the leader, where there is one."""
        self.fallbacks += 1
        number = self.leader_for(call)
        if self.down[number] != 0 or self.nodes[number].role != LEADER:
            self.refuse(call)
            return
        self.calls.instance[call] = number
        self.enter(call)

    def acknowledged(self, node: Node, position: i64) -> None:
        """Remember a user's write for as long as some route looks at it."""
        if self.route_reads != READ_AFTER_WRITE and self.route_reads != READ_POSITION:
            return
        own = self.own_writes
        now = self.simulation.now
        user = node.log.user[node.log.slot(position)]
        if user < 0:
            return
        entry = own.find(user)
        if entry >= 0:
            own.remove(entry)
        own.put(user, position, now, 0)
        if self.route_reads == READ_POSITION and own.size & 255 == 0:
            self.forget_own(self.needed_from(), -1)
        elif self.route_reads == READ_AFTER_WRITE:
            self.forget_own(-1, now - self.after_write_ns)

    def forget_own(self, position: i64, before: i64) -> None:
        """Forget the oldest writes that every node has by now, or that are from before a moment."""
        own = self.own_writes
        while own.size > 0:
            oldest = own.oldest[own.first_group]
            if own.version[oldest] > position and own.filled_at[oldest] > before:
                break
            own.remove(oldest)
