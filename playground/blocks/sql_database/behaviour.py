"""A relational database on one machine: connections, cores, a buffer pool with real rows in it, a disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from librt.vecs import vec
from mypy_extensions import i64

from playground.engine.block import Block
from playground.engine.calls import TOLD
from playground.engine.durations import whole_ns
from playground.engine.outcomes import ABSENT, BUY, CREATE, DELETE, LIST, OK, OVERLOADED, READ, VERDICT_CREATED
from playground.engine.params import Params
from playground.engine.recent import RecentRatio
from playground.engine.station import FULL, QUEUED, STARTED, Station
from playground.engine.stores import LRU, Evicting, Versions
from playground.engine.streams import CONSTANT, Duration

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation

WAITING: Final = 0
FOR_CORE: Final = 1
ON_CORE: Final = 2
FOR_DISK: Final = 3
ON_DISK: Final = 4
"""Marks of a call: it waits for a connection; holds one and waits for a core, computes, waits for the disk, is on the disk."""

ROW_OVERHEAD_BYTES: Final = 60
SMALL_BYTES: Final = 60
NEVER: Final = 1 << 62
ABSENT_FROM: Final = 200
ABSENT_QUIET_NS: Final = 60_000_000_000
"""So many statements about rows that don't exist within a second are worth a word, and then for a while none."""


class SqlDatabase(Block):
    """One leader. A statement holds a connection while it computes on a core and, for rows not in memory and commits, is on the disk."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.cpu_stream = self.stream("computing")
        self.disk_stream = self.stream("disk reads")
        self.commit_stream = self.stream("commits")
        self.cpu = Duration(CONSTANT, 0.0, 1.0)
        self.disk_read = Duration(CONSTANT, 0.0, 1.0)
        self.commit = Duration(CONSTANT, 0.0, 1.0)
        self.connections = Station(simulation, 1, 1, -1)
        self.pool = self.connections
        self.cores = Station(simulation, 1, 1, -1)
        self.disk = Station(simulation, 1, 1, -1)
        self.rows: i64 = 1
        self.row_bytes: i64 = 0
        self.list_cost: float = 1.0
        self.list_rows: i64 = 1
        self.buffer = Evicting(1, LRU)
        self.warm: bool = False
        self.versions = Versions()
        self.buffer_hits: i64 = 0
        self.buffer_misses: i64 = 0
        self.commits: i64 = 0
        self.created: i64 = 0
        self.deleted: i64 = 0
        self.absent: i64 = 0
        self.found = RecentRatio()
        self.absent_noted_at: i64 = -ABSENT_QUIET_NS
        self.rejected: i64 = 0
        self.recent = RecentRatio()

    def configure(self, params: Params) -> None:
        """Take sizes and times; what waits for more of something gets it at once."""
        self.connections.resize(1, params.integer("pool"), params.integer("queue_max"))
        self.cores.resize(1, params.integer("cores"), -1)
        self.disk.resize(1, params.integer("disk_channels"), -1)
        params.set_duration(self.cpu, "query")
        params.set_duration(self.disk_read, "disk_read")
        params.set_duration(self.commit, "commit")
        self.rows = params.integer("rows")
        self.row_bytes = params.integer("row_bytes")
        self.list_cost = params.number("list_cost")
        self.list_rows = params.integer("list_rows")
        capacity = params.integer("buffer_rows")
        if capacity != self.buffer.capacity:
            self.buffer.resize(capacity)
        self.warm = params.flag("warm")
        self.pull_disk()
        self.pull_core()
        self.pull_connection()

    def started(self) -> None:
        """A warm buffer holds the most popular rows."""
        if not self.warm:
            return
        key = self.rows if self.rows < self.buffer.capacity else self.buffer.capacity
        while key >= 1:
            self.buffer.put(key, 1, 0, NEVER)
            key -= 1

    # ---- a statement's way through

    def on_call(self, call: i64) -> None:
        """Take a connection, wait for one, or be turned away."""
        self.calls.mark[call] = WAITING
        became = self.connections.offer(call, 0)
        if became == FULL:
            self.rejected += 1
            self.reply(call, OVERLOADED, 0, 0)
        elif became == QUEUED:
            self.note_queue(self.connections.waiting_all, self.connections.workers, "connections")
        else:
            self.begin(call)

    def begin(self, call: i64) -> None:
        """The statement has its connection."""
        calls = self.calls
        # Core and disk note when they began as well; what counts outside is the connection.
        calls.memo[call] = self.simulation.now
        if self.cores.offer(call, 0) == STARTED:
            self.compute(call)
        else:
            calls.mark[call] = FOR_CORE

    def compute(self, call: i64) -> None:
        """A core works on the statement. A list costs more, a purchase is two statements in one transaction."""
        calls = self.calls
        calls.mark[call] = ON_CORE
        ns = self.cpu.draw(self.cpu_stream)
        operation = calls.operation[call]
        if operation == LIST:
            ns = whole_ns(float(ns) * self.list_cost)
        elif operation == BUY:
            ns += self.cpu.draw(self.cpu_stream)
        self.work(call, ns)

    def on_work(self, call: i64) -> None:
        """Computing or the disk is done."""
        calls = self.calls
        if calls.mark[call] == ON_DISK:
            self.disk.release(0)
            self.after_disk(call)
            self.pull_disk()
            return
        self.cores.release(0)
        if self.needs_disk(call):
            if self.disk.offer(call, 0) == STARTED:
                self.go_to_disk(call)
            else:
                calls.mark[call] = FOR_DISK
        self.pull_core()

    def needs_disk(self, call: i64) -> bool:
        """Whether the statement is not finished with what is in memory; finishes it when it is."""
        calls = self.calls
        key = calls.key[call]
        operation = calls.operation[call]
        if operation == LIST:
            self.finish(call, 0, self.list_rows * (self.row_bytes + ROW_OVERHEAD_BYTES))
            return False
        if operation != CREATE and self.current_version(key) == ABSENT:
            # The index, always in memory, says that there is none to read, to write, to delete.
            self.note_absent()
            self.finish(call, ABSENT, SMALL_BYTES)
            return False
        if operation != READ:
            return True
        entry = self.buffer.find(key)
        self.found.add(self.simulation.now, True)
        self.recent.add(self.simulation.now, entry >= 0)
        if entry < 0:
            self.buffer_misses += 1
            return True
        self.buffer_hits += 1
        self.buffer.touch(entry)
        self.finish(call, self.versions.read(key), self.row_bytes + ROW_OVERHEAD_BYTES)
        return False

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
        """The disk reads the row, or flushes the commit's log record."""
        self.calls.mark[call] = ON_DISK
        if self.calls.operation[call] == READ:
            self.work(call, self.disk_read.draw(self.disk_stream))
        else:
            self.work(call, self.commit.draw(self.commit_stream))

    def after_disk(self, call: i64) -> None:
        """The row is in memory now, or the commit is safe."""
        if self.calls.operation[call] != READ:
            self.finish(call, self.apply(call), SMALL_BYTES)
            return
        key = self.calls.key[call]
        version = self.current_version(key)
        if version == ABSENT:
            # It was deleted while this statement waited for the disk.
            self.absent += 1
            self.finish(call, ABSENT, SMALL_BYTES)
            return
        self.buffer.put(key, 1, self.simulation.now, NEVER)
        self.finish(call, version, self.row_bytes + ROW_OVERHEAD_BYTES)

    def apply(self, call: i64) -> i64:
        """Commit what a statement changes; the version that it made, ABSENT where somebody else deleted the row meanwhile.

        Who promised a version to somebody already (a cache that writes behind) tells it; the row gets that one or a later one.
        """
        calls = self.calls
        key = calls.key[call]
        now = self.simulation.now
        operation = calls.operation[call]
        at_least = calls.token[call] if calls.flags[call] & TOLD != 0 else 0
        there = self.current_version(key) != ABSENT
        if not there and operation != CREATE:
            self.absent += 1
            return ABSENT
        self.commits += 1
        if operation == DELETE:
            self.deleted += 1
            entry = self.buffer.find(key)
            if entry >= 0:
                self.buffer.remove(entry)
            return self.versions.delete(key, now, at_least)
        if not there:
            self.created += 1
            calls.advise(call, VERDICT_CREATED, 0)
        self.buffer.put(key, 1, now, NEVER)
        return self.versions.write(key, now, at_least)

    def finish(self, call: i64, version: i64, size: i64) -> None:
        """Answer; the connection is free for the next statement."""
        self.calls.started[call] = self.calls.memo[call]
        self.connections.release(0)
        self.reply(call, OK, version, size)
        self.pull_connection()

    def pull_connection(self) -> None:
        """Give free connections to those that wait."""
        while True:
            call = self.connections.pull(0)
            if call < 0:
                break
            self.begin(call)
        self.note_queue(self.connections.waiting_all, self.connections.workers, "connections")

    def pull_core(self) -> None:
        """Give free cores to those that wait."""
        while True:
            call = self.cores.pull(0)
            if call < 0:
                break
            self.compute(call)

    def pull_disk(self) -> None:
        """Give free disk channels to those that wait."""
        while True:
            call = self.disk.pull(0)
            if call < 0:
                break
            self.go_to_disk(call)

    # ---- the truth

    def authority(self) -> Block | None:
        """Itself: what it holds is the truth."""
        return self

    def current_version(self, key: i64) -> i64:
        """The committed version of ``key``, ABSENT where there is none."""
        if (key > self.rows or key < 1) and self.versions.written(key) == 0:
            return ABSENT
        return self.versions.read(key)

    def written_at(self, key: i64) -> i64:
        """When that version was committed, or the row deleted, ns; 0 for a row that was there from the start."""
        return self.versions.when(key)

    def first_keys(self) -> i64:
        """Its rows were 1 to this at the start."""
        return self.rows

    def changed_keys(self) -> vec[i64]:
        """Every key that was ever written or deleted."""
        return self.versions.key[: self.versions.index.size]

    # ---- faults

    def on_cancel(self, call: i64) -> None:
        """Free what the statement holds."""
        mark = self.calls.mark[call]
        if mark == WAITING:
            self.connections.remove(call, 0)
            return
        if mark == FOR_CORE:
            self.cores.remove(call, 0)
        elif mark == ON_CORE:
            self.cores.release(0)
            self.pull_core()
        elif mark == FOR_DISK:
            self.disk.remove(call, 0)
        else:
            self.disk.release(0)
            self.pull_disk()
        self.connections.release(0)
        self.pull_connection()

    def on_crash(self, instance: i64) -> None:
        """Statements and buffer are gone; what was committed is not."""
        self.connections.clear(0)
        self.cores.clear(0)
        self.disk.clear(0)
        self.buffer.clear()

    # ---- figures

    def metrics(self) -> list[float]:
        """See ``spec.py``."""
        return [
            float(self.connections.busy_all),
            float(self.connections.workers),
            float(self.cores.busy_all),
            float(self.cores.workers),
            float(self.cores.waiting_all),
            float(self.disk.busy_all),
            float(self.disk.waiting_all),
            self.recent.percent(),
            float(self.buffer.size),
            float(self.buffer_hits),
            float(self.buffer_misses),
            float(self.commits),
            float(self.absent),
            float(self.rejected),
            float(self.created),
            float(self.deleted),
        ]

    def detail(self) -> dict[str, object]:
        """How its parts stand."""
        return {
            "connections": {"held": int(self.connections.busy_all), "waiting": int(self.connections.waiting_all)},
            "cores": {"busy": int(self.cores.busy_all), "waiting": int(self.cores.waiting_all)},
            "disk": {"busy": int(self.disk.busy_all), "waiting": int(self.disk.waiting_all)},
            "rows_written": int(self.versions.index.size),
            "failures": self.failures_by_reason(),
        }
