"""The machines that a statement goes through: connections, cores, a buffer pool with real rows in it, a disk; one set for each node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mypy_extensions import i64, mypyc_attr

from playground.blocks.sql_database import bulk
from playground.blocks.sql_database.asking import Asking
from playground.blocks.sql_database.listing import PAGE_BYTES, PRICE_INDEXES, Listing
from playground.blocks.sql_database.log import Log
from playground.blocks.sql_database.node import Node
from playground.blocks.sql_database.rows import Rows
from playground.blocks.sql_database.states import (
    ABSENT_FROM,
    ABSENT_QUIET_NS,
    COMMITTING,
    FOR_CORE,
    FOR_DISK,
    NEVER,
    ON_CORE,
    ON_DISK,
    ROW_OVERHEAD_BYTES,
    SMALL_BYTES,
    TALKING,
)
from playground.engine.block import Block
from playground.engine.durations import whole_ns
from playground.engine.outcomes import ABSENT, BUY, COPY_IN, COPY_OUT, CREATE, LIST, LOG_READ, OK, READ
from playground.engine.params import Params
from playground.engine.recent import RecentRatio
from playground.engine.station import STARTED, Station
from playground.engine.streams import CONSTANT, Duration

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation


@mypyc_attr(allow_interpreted_subclasses=True)
class Machine(Asking):
    """A statement holds a connection of its node while it computes on a core, reads a row that is not in memory, or commits."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.cpu_stream = self.stream("computing")
        self.disk_stream = self.stream("disk reads")
        self.cpu = Duration(CONSTANT, 0.0, 1.0)
        self.disk_read = Duration(CONSTANT, 0.0, 1.0)
        self.flush_time = Duration(CONSTANT, 0.0, 1.0)
        self.connections = Station(simulation, 1, 1, -1)
        self.pool = self.connections
        self.cores = Station(simulation, 1, 1, -1)
        self.disk = Station(simulation, 1, 1, -1)
        self.row_count: i64 = 1
        self.row_bytes: i64 = 0
        self.list_cost: float = 1.0
        self.list_rows: i64 = 1
        self.buffer_rows: i64 = 1
        self.warm: bool = False
        self.rows = Rows()
        self.listing = Listing(self)
        self.log = Log(0)
        self.nodes: list[Node] = [Node(self, 0, self.log)]
        self.clustered: bool = False
        # Purchases are transactions on rows with stock.
        self.selling: bool = False
        self.buffer_hits: i64 = 0
        self.buffer_misses: i64 = 0
        self.absent: i64 = 0
        self.absent_noted_at: i64 = -ABSENT_QUIET_NS
        self.found, self.recent = RecentRatio(), RecentRatio()

    def configure_machines(self, params: Params, count: i64) -> None:
        """Take sizes and times for ``count`` nodes."""
        self.connections.resize(count, params.integer("pool"), params.integer("queue_max"))
        self.cores.resize(count, params.integer("cores"), -1)
        self.disk.resize(count, params.integer("disk_channels"), -1)
        params.set_duration(self.cpu, "query")
        params.set_duration(self.disk_read, "disk_read")
        self.row_count = params.integer("rows")
        self.row_bytes = params.integer("row_bytes")
        self.list_cost = params.number("list_cost")
        self.list_rows = params.integer("list_rows")
        self.listing.prices = params.integer("prices")
        self.listing.price_index = PRICE_INDEXES.index(params.text("price_index"))
        self.listing.row_scan_ns = params.number("row_scan_us") * 1_000.0
        self.buffer_rows = params.integer("buffer_rows")
        for node in self.nodes:
            if node.buffer.capacity != self.buffer_rows:
                node.buffer.resize(self.buffer_rows)
        self.warm = params.flag("warm")

    def fill_buffer(self, node: Node) -> None:
        """Put the most popular rows in, the least popular of them first."""
        key = self.row_count if self.row_count < node.buffer.capacity else node.buffer.capacity
        while key >= 1:
            node.buffer.put(key, 1, 0, NEVER)
            key -= 1

    # ---- a statement

    def begin(self, call: i64) -> None:
        """The statement has its connection."""
        # Core and disk note when they began as well; what counts outside is the connection.
        calls = self.calls
        calls.memo[call] = self.simulation.now
        if self.selling and calls.operation[call] == BUY:
            self.open_purchase(call)
        if self.cores.offer(call, calls.instance[call]) == STARTED:
            self.compute(call)
        else:
            calls.mark[call] = FOR_CORE

    def compute(self, call: i64) -> None:
        """A core works on the statement. A list costs more, a purchase that is not looked into is two statements in one transaction."""
        calls = self.calls
        calls.mark[call] = ON_CORE
        ns = self.cpu.draw(self.cpu_stream)
        operation = calls.operation[call]
        if operation == LIST:
            cost = float(ns) * self.list_cost
            if self.listing.is_page(call):
                cost += self.read_page(call, self.nodes[calls.instance[call]])
            ns = whole_ns(cost)
        elif operation == BUY and not self.selling:
            ns += self.cpu.draw(self.cpu_stream)
        elif bulk.copies(operation):
            ns = whole_ns(float(ns) * bulk.statements(calls.token[call]))
        self.work(call, ns)

    def read_page(self, call: i64, node: Node) -> float:
        """The rows of a page are those of this moment; how long a core takes for them, ns."""
        ns = self.listing.read(call, node)
        body = self.simulation.bodies.find(self.calls.advice[call])
        if not node.plain and body is not None:
            self.look_back_page(call, node, body)
        return ns

    def on_work(self, call: i64) -> None:
        """Computing or the disk is done."""
        calls = self.calls
        number = calls.instance[call]
        if calls.mark[call] >= TALKING:
            self.go_on_buying(call)
            return
        if calls.mark[call] == ON_DISK:
            self.disk.release(number)
            self.after_disk(call, self.nodes[number])
            self.pull_disk(number)
            return
        self.cores.release(number)
        if self.selling and calls.operation[call] == BUY:
            self.run_purchase(call)
        elif self.needs_disk(call, self.nodes[number]):
            if self.disk.offer(call, number) == STARTED:
                self.go_to_disk(call)
            else:
                calls.mark[call] = FOR_DISK
        self.pull_core(number)

    def needs_disk(self, call: i64, node: Node) -> bool:
        """Whether a row has to be read from the disk first; finishes the statement, or begins its commit, when it is not."""
        calls = self.calls
        key = calls.key[call]
        operation = calls.operation[call]
        if operation == LIST:
            if self.pages_to_read(call) > 0:
                return True
            self.finish_list(call, node)
            return False
        if bulk.copies(operation):
            return True
        if operation == LOG_READ:
            # What was committed of late is in memory.
            end = self.log_end()
            self.finish(call, end, bulk.log_bytes(end, calls.token[call], calls.extra[call]))
            return False
        version = self.current_version(key) if node.plain else self.version_at(node, key)
        if version == ABSENT and operation != CREATE:
            # The index, always in memory, says that there is none to read, to write, to delete.
            self.note_absent()
            self.finish_read(call, node, ABSENT)
            return False
        if operation != READ:
            self.commit(call, node)
            return False
        entry = node.buffer.find(key)
        self.found.add(self.simulation.now, True)
        self.recent.add(self.simulation.now, entry >= 0)
        if entry < 0:
            self.buffer_misses += 1
            return True
        self.buffer_hits += 1
        node.buffer.touch(entry)
        self.finish_read(call, node, version)
        return False

    def pages_to_read(self, call: i64) -> i64:
        """How many pages of the table a list needs that are not in memory; one without a position finds its rows there."""
        if not self.listing.is_page(call):
            return 0
        body = self.simulation.bodies.find(self.calls.advice[call])
        return body.unread if body is not None else 0

    def finish_list(self, call: i64, node: Node) -> None:
        """Answer with a page."""
        rows = self.listing.finished(call) if self.listing.is_page(call) else self.list_rows
        node.reads += 1
        self.finish(call, 0, rows * (self.row_bytes + ROW_OVERHEAD_BYTES))

    def note_absent(self) -> None:
        """Count a statement about a row that doesn't exist; say when most of what is asked within a second is of that sort."""
        self.absent += 1
        now = self.simulation.now
        found = self.found
        found.add(now, False)
        asked_in_vain = found.all - found.yes
        if asked_in_vain >= ABSENT_FROM and asked_in_vain > found.yes and now - self.absent_noted_at >= ABSENT_QUIET_NS:
            self.absent_noted_at = now
            text = "No cache of items ever holds them, so all of these reads come here. Most of what is asked now finds nothing."
            self.note("absent", "warning", f"{self.label} is asked for items that don't exist", text)

    def go_to_disk(self, call: i64) -> None:
        """The disk reads the row, or reads or writes many that lie one behind the other."""
        calls = self.calls
        calls.mark[call] = ON_DISK
        operation = calls.operation[call]
        ns = self.flush_time.draw(self.disk_stream) if operation == COPY_IN else self.disk_read.draw(self.disk_stream)
        if bulk.copies(operation):
            ns = whole_ns(float(ns) * bulk.accesses(calls.token[call] * (self.row_bytes + ROW_OVERHEAD_BYTES)))
        elif operation == LIST:
            ns = whole_ns(float(ns) * bulk.accesses(self.pages_to_read(call) * PAGE_BYTES))
        factor = self.nodes[calls.instance[call]].disk_factor
        self.work(call, ns if factor == 1.0 else whole_ns(float(ns) * factor))

    def after_disk(self, call: i64, node: Node) -> None:
        """The row is in memory now; or a copy is done."""
        operation = self.calls.operation[call]
        if bulk.copies(operation):
            rows: i64 = self.calls.token[call] if operation == COPY_OUT else 0
            self.finish(call, 0, SMALL_BYTES + rows * (self.row_bytes + ROW_OVERHEAD_BYTES))
            return
        if operation == LIST:
            # What it only counted has gone through a small ring; the rows of its page stay.
            self.keep_page(call, node)
            self.finish_list(call, node)
            return
        key = self.calls.key[call]
        version = self.current_version(key) if node.plain else self.version_at(node, key)
        if version == ABSENT:
            # It was deleted while this statement waited for the disk.
            self.absent += 1
        else:
            node.buffer.put(key, 1, self.simulation.now, NEVER)
        self.finish_read(call, node, version)

    def keep_page(self, call: i64, node: Node) -> None:
        """The rows of a page are in memory now."""
        body = self.simulation.bodies.find(self.calls.advice[call])
        if body is None:
            return
        index: i64 = 0
        while index < len(body.rows):
            node.buffer.put(body.rows[index], 1, self.simulation.now, NEVER)
            index += 1

    def finish_read(self, call: i64, node: Node, version: i64) -> None:
        """Answer with what the node has of the row."""
        if not node.plain:
            self.look_back(call, node, version)
        node.reads += 1
        self.finish(call, version, SMALL_BYTES if version == ABSENT else self.row_bytes + ROW_OVERHEAD_BYTES)

    def finish(self, call: i64, version: i64, size: i64) -> None:
        """Answer; the connection is free for the next statement."""
        calls = self.calls
        calls.started[call] = calls.memo[call]
        number = calls.instance[call]
        self.connections.release(number)
        self.reply(call, self.answer_with(call) if self.clustered else OK, version, size)
        self.pull_connection(number)

    def pull_connection(self, number: i64) -> None:
        """Give a node's free connections to those that wait."""
        while True:
            call = self.connections.pull(number)
            if call < 0:
                break
            self.begin(call)
        self.note_queue(self.connections.waiting_all, self.connections.workers, "connections")

    def pull_core(self, number: i64) -> None:
        """Give a node's free cores to those that wait."""
        while True:
            call = self.cores.pull(number)
            if call < 0:
                break
            self.compute(call)

    def pull_disk(self, number: i64) -> None:
        """Give a node's free disk channels to those that wait, a checkpoint among them."""
        if self.nodes[number].wants_disk and self.disk.take(number):
            self.write_back(self.nodes[number])
        while True:
            call = self.disk.pull(number)
            if call < 0:
                break
            self.go_to_disk(call)

    def free(self, call: i64) -> None:
        """Take back what a statement holds that has its connection."""
        calls = self.calls
        mark = calls.mark[call]
        number = calls.instance[call]
        if self.selling and calls.operation[call] == BUY:
            self.leave_purchase(call)
        if mark == FOR_CORE:
            self.cores.remove(call, number)
        elif mark == ON_CORE:
            self.cores.release(number)
            self.pull_core(number)
        elif mark == FOR_DISK:
            self.disk.remove(call, number)
        elif mark == COMMITTING:
            # What is in the log is committed all the same; nobody waits for the word of it.
            log = self.nodes[number].log
            slot = log.slot(calls.next[call])
            if log.call[slot] == call:
                log.call[slot] = -1
        elif mark < TALKING:
            self.disk.release(number)
            self.pull_disk(number)
        self.connections.release(number)
        self.pull_connection(number)

    def resources(self) -> list[Station]:
        """Connections, cores and disk channels of all nodes."""
        return [self.connections, self.cores, self.disk]

    # ---- the truth

    def authority(self) -> Block | None:
        """Itself: what its legitimate leader has committed is the truth."""
        return self

    def current_version(self, key: i64) -> i64:
        """The committed version of ``key``, ABSENT where there is none."""
        versions = self.rows.versions
        if (key > self.row_count or key < 1) and versions.written(key) == 0:
            return ABSENT
        return versions.read(key)

    def written_at(self, key: i64) -> i64:
        """When that version was committed, or the row deleted, ns; 0 for a row that was there from the start."""
        return self.rows.versions.when(key)

    def first_keys(self) -> i64:
        """Its rows were 1 to this at the start."""
        return self.row_count
