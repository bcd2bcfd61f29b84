"""Commits: a record in the log, one flush for all that are ready, and what a crash leaves.

PostgreSQL, "Reliability and the Write-Ahead Log": a commit is acknowledged when its record is flushed; commits that are ready while a flush
is under way share the next one (group commit; ``commit_delay`` lets more of them come together). With ``synchronous_commit`` off the WAL
writer flushes every ``wal_writer_delay``. After a crash the log is replayed from the last checkpoint on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from librt.vecs import vec
from mypy_extensions import i64, mypyc_attr

from playground.blocks.sql_database.checkpoints import Checkpointing
from playground.blocks.sql_database.log import Log
from playground.blocks.sql_database.node import Node
from playground.blocks.sql_database.states import (
    COMMITTING,
    COPIED,
    CRASH,
    DELAYED,
    FLUSHED,
    LEADER,
    LEVELS,
    NEVER,
    OFF,
    ON,
    SMALL_BYTES,
    SPLIT_BRAIN,
    WRITER,
)
from playground.blocks.sql_database.telling import Lost
from playground.engine.calls import TOLD
from playground.engine.changes import ChangeLog
from playground.engine.durations import whole_ns
from playground.engine.outcomes import ABSENT, BUY, CREATE, DELETE, OK, VERDICT_CREATED
from playground.engine.params import Params

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation


@mypyc_attr(allow_interpreted_subclasses=True)
class Durable(Checkpointing):
    """What a leader does with a change, on its own disk."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.level: i64 = ON
        self.commit_delay_ns: i64 = 0
        self.writer_delay_ns: i64 = 1
        self.lost = Lost(simulation.people)
        self.commits: i64 = 0
        self.created: i64 = 0
        self.deleted: i64 = 0
        self.flushes: i64 = 0
        self.flushed_records: i64 = 0
        self.split_writes: i64 = 0
        # What readers of the log get, up to which position they have got it, and how often the log has lost its end.
        self.changes = ChangeLog()
        self.published: i64 = 0
        self.cuts: i64 = 0

    def configure_log(self, params: Params) -> None:
        """When a commit is acknowledged, how the log is flushed and cut short."""
        params.set_duration(self.flush_time, "commit")
        self.level = LEVELS.index(params.text("synchronous_commit"))
        self.commit_delay_ns = params.ns("commit_delay_us")
        self.writer_delay_ns = params.ns("wal_writer_delay_ms")
        self.configure_checkpoints(params)

    # ---- for those who know about other nodes

    def may_commit(self, node: Node) -> i64:
        """Up to which position commits are safe, as they want it."""
        return node.log.end if self.level == OFF else node.flushed

    def log_end(self) -> i64:
        """Where the log ends for those who read it along."""
        return self.changes.end

    def log_grew(self, node: Node) -> None:
        """A node has flushed more of the log."""

    def acknowledged(self, node: Node, position: i64) -> None:
        """A caller is told of the commit at ``position``."""

    def needed_from(self) -> i64:
        """Everybody has the records up to here, safely."""
        node = self.nodes[0]
        return node.flushed if node.flushed < self.log.visible else self.log.visible

    def book(self, call: i64, node: Node, position: i64) -> None:
        """The record at ``position`` is a purchase's."""

    # ---- a commit

    def pending_version(self, node: Node, key: i64) -> i64:
        """The version that the newest record of ``key`` on a leader's branch makes, committed or not; 0 or less where there is no row."""
        fork = node.fork
        if fork is not None:
            found = fork.version_at(key, fork.log.end)
            if found != 0:
                return found
            found = self.rows.version_at(self.log, key, fork.start)
        else:
            entry = self.rows.versions.index.find(key)
            found = self.rows.latest[entry] if entry >= 0 else 0
        if found == 0 and key >= 1 and key <= self.row_count:
            return 1
        return found

    def commit(self, call: i64, node: Node) -> None:
        """Append the record of a change; whoever told us a version promised it to somebody, so the row gets that one or a later one."""
        calls = self.calls
        key = calls.key[call]
        operation = calls.operation[call]
        before = self.pending_version(node, key)
        if before <= 0 and operation != CREATE:
            # Somebody else's deletion comes first in the log.
            self.absent += 1
            self.finish(call, ABSENT, SMALL_BYTES)
            return
        rows = self.rows
        entry = rows.entry_of(key, before > 0)
        # A purchase's request says other things than a promised version.
        promised = calls.token[call] if calls.flags[call] & TOLD != 0 and operation != BUY else 0
        version = rows.issue(entry, promised)
        if before == 0:
            before = -1
        if operation == DELETE:
            version = -version
            held = node.buffer.find(key)
            if held >= 0:
                node.buffer.remove(held)
        else:
            node.buffer.put(key, 1, self.simulation.now, NEVER)
        fork = node.fork
        log = node.log
        if fork is not None:
            position = log.append(key, version, before, fork.last_of(key), calls.user[call], call)
            fork.last.put(key, position, 0, 0)
            rows.stray(key)
        else:
            if log.is_full():
                self.trim()
            position = log.append(key, version, before, rows.last[entry], calls.user[call], call)
            rows.latest[entry] = version
            rows.last[entry] = position
        self.touched(node, key)
        calls.mark[call] = COMMITTING
        calls.next[call] = position
        if self.selling and operation == BUY:
            self.book(call, node, position)
        self.wrote(node, position)

    def wrote(self, node: Node, position: i64) -> None:
        """A leader's log has grown: see that it is flushed."""
        node.written = position
        self.see_to_checkpoint(node)
        if self.level == OFF:
            self.release(node)
            self.set_writer(node)
        elif not node.flushing:
            self.begin_flush(node)

    def release(self, node: Node) -> None:
        """Commit, and acknowledge, what is safe by now."""
        log = node.log
        limit = self.may_commit(node)
        while log.visible < limit:
            self.make_visible(node, log, log.visible + 1)
        self.publish(node)

    def publish(self, node: Node) -> None:
        """Readers of the log get what is committed and flushed at the leader, as PostgreSQL's logical decoding gives it to them."""
        if not node.plain:
            return
        log = self.log
        limit = log.visible if log.visible < node.flushed else node.flushed
        position = self.published + 1
        while position <= limit:
            slot = log.slot(position)
            self.changes.add(log.key[slot], log.version[slot], log.committed[slot])
            position += 1
        if limit > self.published:
            self.published = limit

    def make_visible(self, node: Node, log: Log, position: i64) -> None:
        """The commit at ``position`` is done: everybody who asks this node sees it, and its caller is told."""
        now = self.simulation.now
        slot = log.slot(position)
        log.visible = position
        node.applied = position
        entry: i64 = -1
        if node.fork is None:
            entry = self.rows.commit(log, position, now)
        log.committed[slot] = now
        if log.user[slot] <= COPIED:
            return
        self.commits += 1
        version = log.version[slot]
        if version < 0:
            self.deleted += 1
            version = -version
        elif log.before[slot] < 0:
            self.created += 1
        call = log.call[slot]
        if call < 0:
            return
        if version == log.version[slot] and log.before[slot] < 0:
            self.calls.advise(call, VERDICT_CREATED, 0)
        log.call[slot] = -1
        if not self.clustered:
            log.acked[slot] = now
        elif self.answer_with(call) == OK:
            log.acked[slot] = now
            self.acknowledged(node, position)
            if node.fork is not None:
                self.lose(log, position, SPLIT_BRAIN)
                self.split_writes += 1
                node.split_writes += 1
        if entry >= 0 and log.acked[slot] > 0:
            self.rows.by[entry] += 1
        self.finish(call, version, SMALL_BYTES)

    # ---- flushing

    def begin_flush(self, node: Node) -> None:
        """Write the log to disk, after the commit delay at a leader."""
        node.flushing = True
        if self.commit_delay_ns > 0 and node.role == LEADER and self.level != OFF:
            self.node_timer(self.commit_delay_ns, DELAYED, node, node.life)
        else:
            self.start_flush(node)

    def start_flush(self, node: Node) -> None:
        """All that is written by now becomes safe with this flush."""
        node.flush_target = node.written
        ns = self.flush_time.draw(node.flush_stream)
        if node.disk_factor != 1.0:
            ns = whole_ns(float(ns) * node.disk_factor)
        self.node_timer(self.stretched(node, ns), FLUSHED, node, node.life)

    def on_flushed(self, node: Node) -> None:
        """A flush is done; the next one takes all that has come meanwhile."""
        node.flushing = False
        node.flushes += 1
        if node.role == LEADER:
            self.flushes += 1
        # Whoever is elected while a flush is under way has flushed all that it had.
        if node.flush_target > node.flushed:
            if node.role == LEADER:
                self.flushed_records += node.flush_target - node.flushed
            node.flushed = node.flush_target
        self.log_grew(node)
        if node.flushing or node.written <= node.flushed:
            return
        if self.level == OFF and node.role == LEADER:
            self.set_writer(node)
        else:
            self.begin_flush(node)

    def set_writer(self, node: Node) -> None:
        """Let the WAL writer look at its next round."""
        if not node.writer_set:
            node.writer_set = True
            delay = self.writer_delay_ns
            self.node_timer(delay - self.simulation.now % delay, WRITER, node, node.life)

    def on_writer(self, node: Node) -> None:
        """The WAL writer wakes up."""
        node.writer_set = False
        if not node.flushing and node.written > node.flushed:
            node.flushing = True
            self.start_flush(node)

    # ---- trimming

    def trim(self) -> None:
        """Forget the records that nobody needs any more."""
        self.listing.catch_up()
        self.log.trim(self.needed_from())

    # ---- losing

    def lose(self, log: Log, position: i64, how: i64) -> None:
        """The write at ``position``, which was acknowledged, is not in the legitimate history (any more)."""
        self.lost.add(log, position, self.simulation.now, how)

    def take_back(self, upto: i64, how: i64) -> i64:
        """The legitimate history ends at ``upto`` now; how many acknowledged writes are lost."""
        log = self.log
        lost: i64 = 0
        position = log.end
        if position > upto:
            self.cuts += 1
        while position > upto:
            slot = log.slot(position)
            if log.acked[slot] > 0:
                lost += 1
            if position <= self.published or position <= log.visible:
                # Whoever has read the rows themselves may know of what was visible and not flushed yet.
                undone = log.version[slot] if log.version[slot] > 0 else -log.version[slot]
                self.changes.add(log.key[slot], log.before[slot], self.simulation.now, undone)
            self.rows.take_back(log, position)
            position -= 1
        # Told in the order in which they were written.
        position = upto + 1
        while position <= log.end:
            if log.acked[log.slot(position)] > 0:
                self.lose(log, position, how)
            position += 1
        log.end = upto
        if log.visible > upto:
            log.visible = upto
        if self.published > upto:
            self.published = upto
        return lost

    def crash_log(self, node: Node) -> None:
        """What was not flushed is gone."""
        self.forget_checkpoint(node)
        node.life += 1
        node.flushing = False
        node.writer_set = False
        node.applying = False
        fork = node.fork
        if fork is not None:
            fork.cut(node.flushed)
        elif node.role == LEADER and self.log.end > node.flushed:
            lost = self.take_back(node.flushed, CRASH)
            if lost > 0:
                text = "Their commits had been acknowledged before the log was flushed (synchronous_commit = off)."
                self.note("lost_writes", "bad", f"{lost} acknowledged writes lost at {self.label}", text)
        node.written = node.flushed
        if node.applied > node.flushed:
            node.applied = node.flushed
        # What was flushed and not committed yet survives; those who waited for it are gone.
        log = node.log
        position = log.visible + 1
        while node.role == LEADER and position <= log.end:
            log.call[log.slot(position)] = -1
            position += 1

    def changed_keys(self) -> vec[i64]:
        """Every key that was ever written or deleted."""
        versions = self.rows.versions
        return versions.key[: versions.index.size]
