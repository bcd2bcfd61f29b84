"""A relational database: a leader, and replicas that follow its log. What each node has, and when, says what is read and what is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from librt.vecs import append, vec
from mypy_extensions import i64

from playground.blocks.sql_database import report
from playground.blocks.sql_database.membership import Membership
from playground.blocks.sql_database.node import Node
from playground.blocks.sql_database.states import (
    ACKED,
    APPLIED,
    CALLERS_BESIDE,
    CHECKPOINT,
    DEADLOCK,
    DELAYED,
    EPOCH_MASK,
    FLUSHED,
    FOR_POSITION,
    LEADER,
    LEASE,
    LOOP,
    NODE_BITS,
    NODE_MASK,
    PROMOTED,
    RECOVERED,
    REJOINED,
    REPLICA,
    RETRY,
    SHIPPED,
    WAITED,
    WAITING,
    WRITER,
    WRITTEN_BACK,
)
from playground.engine.faults import Fault
from playground.engine.params import Params

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation


class SqlDatabase(Membership):
    """``instances`` nodes, of which number 0 leads at the start."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.nodes[0].role = LEADER
        self.nodes[0].settle()
        # Timers of nodes that stand still: tag and argument by turns.
        self.held: vec[i64] = vec[i64]()

    def configure(self, params: Params) -> None:
        """Take sizes, times and policies; what waits for more of something gets it at once."""
        was_automatic = self.automatic and self.clustered
        count = params.integer("instances")
        self.configure_log(params)
        self.configure_replication(params)
        self.configure_reading(params)
        self.configure_failover(params)
        self.configure_buying(params)
        self.set_nodes(count)
        self.configure_machines(params, count)
        elects = self.automatic and self.clustered
        if elects and not was_automatic:
            self.begin_lease()
        self.set_agents()
        if was_automatic and not elects:
            self.without_elections()
        self.settle_commits()
        number: i64 = 0
        while number < count:
            self.pull_disk(number)
            self.pull_core(number)
            self.pull_connection(number)
            number += 1

    def started(self) -> None:
        """A warm buffer holds the most popular rows."""
        self.begun = True
        if self.warm:
            for node in self.nodes:
                self.fill_buffer(node)

    # ---- timers

    def on_timer(self, tag: i64, argument: i64) -> None:
        """A timer of one node rings, unless that node stands still, or has begun another life."""
        if tag == LEASE:
            self.on_lease()
            return
        node = self.nodes[argument & NODE_MASK]
        if self.stalling and (tag < LOOP or tag >= DEADLOCK):
            number = self.leader if tag == ACKED else node.number
            if number >= 0 and self.paused[number] != 0:
                self.held = append(append(self.held, tag), argument)
                return
        epoch = argument >> NODE_BITS
        if tag >= DEADLOCK:
            self.on_lock_timer(tag, node.number)
        elif tag == LOOP:
            self.on_loop(node)
        elif tag == WAITED:
            self.on_waited(node)
        elif tag == SHIPPED:
            if epoch == node.link & EPOCH_MASK:
                self.on_shipped(node)
        elif tag == ACKED:
            if epoch == node.link & EPOCH_MASK:
                self.on_acked(node)
        elif epoch == node.life & EPOCH_MASK:
            self.on_node_timer(tag, node)

    def on_node_timer(self, tag: i64, node: Node) -> None:
        """Something that a node does is done."""
        if tag == FLUSHED:
            self.on_flushed(node)
        elif tag == APPLIED:
            self.on_applied(node)
        elif tag == DELAYED:
            self.start_flush(node)
        elif tag == WRITER:
            self.on_writer(node)
        elif tag == RECOVERED:
            self.on_recovered(node)
        elif tag == REJOINED:
            self.on_rejoined(node)
        elif tag == PROMOTED:
            self.on_promoted(node)
        elif tag == CHECKPOINT:
            self.on_checkpoint(node)
        elif tag == WRITTEN_BACK:
            self.on_written_back(node)
        else:
            assert tag == RETRY, tag
            self.on_retry(node)

    # ---- faults

    def on_cancel(self, call: i64) -> None:
        """Free what the statement holds."""
        mark = self.calls.mark[call]
        if mark == WAITING:
            self.connections.remove(call, self.calls.instance[call])
        elif mark == FOR_POSITION:
            self.leave_wait(call, self.nodes[self.calls.instance[call]])
        else:
            self.free(call)

    def on_crash(self, instance: i64) -> None:
        """Statements, buffer, and all of the log that is not flushed, are gone."""
        self.connections.clear(instance)
        self.cores.clear(instance)
        self.disk.clear(instance)
        self.died(self.nodes[instance])

    def on_restart(self, instance: i64) -> None:
        """It comes up again, and replays its log."""
        if not self.removed and instance < self.instances:
            self.restarted(self.nodes[instance])

    def thaw(self, instance: i64) -> None:
        """A node moves again: what it held back happens now. A fenced one first looks whether it still leads (its watchdog does)."""
        super().thaw(instance)
        held = self.held
        self.held = vec[i64]()
        index: i64 = 0
        while index < len(held):
            self.timer(0, held[index], held[index + 1])
            index += 2
        node = self.nodes[instance]
        if self.removed or node.role != LEADER or not self.clustered:
            return
        if node.fork is not None and self.fencing and self.automatic:
            self.step_down(node, "It stood still for so long that somebody else was elected: its watchdog saw to that.")
        elif node.number == self.leader:
            for other in self.nodes:
                if other.connected:
                    self.ship(other)

    def on_fault(self, fault: str, params: Params) -> bool:
        """``stop_apply``, ``slow_disk`` and ``partition`` of one node, or of all; ``crash_leader``, whichever node that is."""
        if fault == "crash_leader":
            number = self.leader if self.leader >= 0 else self.holder
            self.begin_fault(Fault("crash", number, 0.0), params.ns("restart_after_s"))
            return True
        if fault != "stop_apply" and fault != "slow_disk" and fault != "partition":
            return False
        instance = params.integer("instance")
        value = 0.0
        which = "All replicas" if instance < 0 else f"Node {instance + 1}"
        if fault == "partition":
            if instance < 0:
                instance = self.leader if self.leader >= 0 else 0
            value = float(CALLERS_BESIDE.index(params.text("callers")))
            text = "It reaches neither the others nor the store of the lease."
            self.note(fault, "bad", f"Node {instance + 1} of {self.label} is cut off", text)
        elif fault == "slow_disk":
            value = params.number("factor")
            which = "Every disk" if instance < 0 else f"The disk of node {instance + 1}"
            self.note(fault, "warning", f"{which} of {self.label} is slow", f"It takes {value:g} times as long.")
        else:
            text = "What arrives is kept safe, and nobody sees it there."
            self.note(fault, "warning", f"{which} of {self.label} stopped applying", text)
        self.begin_fault(Fault(fault, instance, value), params.ns("duration_s"))
        self.settle_node_faults()
        return True

    def on_fault_end(self, fault: str, value: float) -> None:
        """What holds now follows from the faults that are left."""
        if fault == "partition":
            self.note("healed", "good", f"Partition in {self.label} healed", "All nodes reach one another.")
        elif fault == "slow_disk":
            self.note("slow_disk_over", "good", f"Disk of {self.label} is quick again", "")
        else:
            self.note("applying", "good", f"{self.label} applies its log again", "")
        self.settle_node_faults()

    def settle_node_faults(self) -> None:
        """Apply the faults that hold now to every node."""
        self.parted = False
        for node in self.nodes:
            node.apply_stopped = False
            node.cut = False
            node.disk_factor = 1.0
            for fault in self.active:
                if fault.instance != node.number and (fault.instance >= 0 or node.number >= fault.slots):
                    continue
                if fault.name == "stop_apply":
                    node.apply_stopped = True
                elif fault.name == "slow_disk":
                    node.disk_factor *= fault.value
                elif fault.name == "partition":
                    node.cut = True
                    node.cut_callers = i64(fault.value)
                    self.parted = True
        for node in self.nodes:
            if node.role == REPLICA and node.number < self.instances:
                self.follow(node)
        self.reconnect()

    # ---- figures

    def cells(self) -> list[int]:
        """See ``spec.py``: the nodes."""
        return report.cells(self)

    def metrics(self) -> list[float]:
        """See ``spec.py``."""
        return report.metrics(self)

    def detail(self) -> dict[str, object]:
        """How its parts and its nodes stand."""
        return report.detail(self)
