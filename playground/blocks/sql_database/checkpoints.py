"""Checkpoints: pages that have changed are written back, so that a crash replays the log from there on and no more.

PostgreSQL, "WAL Configuration": a checkpoint begins when ``checkpoint_timeout`` has passed or so much log has come (``max_wal_size``). It
writes each page that was changed since the one before, once, spread over ``checkpoint_completion_target`` of the time until the next, so
that reads don't drown in it. Only when all are written does recovery begin at the log's position at which the checkpoint began; a crash
before that goes back to the one before. A machine that is down makes none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mypy_extensions import i64, mypyc_attr

from playground.blocks.sql_database.machine import Machine
from playground.blocks.sql_database.node import Node
from playground.blocks.sql_database.states import CHECKPOINT, EPOCH_MASK, NODE_BITS, ROW_OVERHEAD_BYTES, WRITTEN_BACK
from playground.engine.durations import whole_ns
from playground.engine.params import Params
from playground.engine.stores import KeyIndex

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation

COMPLETION_TARGET: Final = 0.9
ROUND_NS: Final = 100_000_000
"""Whoever writes pages back looks this often what is due."""

PAGES_AT_ONCE: Final = 16
"""Written one after the other on one channel of the disk; then whoever else waits for one has a turn."""


@mypyc_attr(allow_interpreted_subclasses=True)
class Checkpointing(Machine):
    """Each node makes its own: what a replica has applied, it has changed in its memory."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.checkpoint_ns: i64 = 1
        self.checkpoint_bytes: float = 1.0
        self.replay_ns_per_byte: float = 0.0
        self.checkpoints: i64 = 0
        self.written_back: i64 = 0

    def configure_checkpoints(self, params: Params) -> None:
        """How often, and how fast the log since one is replayed."""
        self.checkpoint_ns = params.ns("checkpoint_every_s")
        self.checkpoint_bytes = params.number("checkpoint_log_mb") * 1e6
        self.replay_ns_per_byte = 1e3 / params.number("replay_rate_mb")

    def node_timer(self, ns: i64, tag: i64, node: Node, epoch: i64) -> None:
        """Ring for a node in ``ns``, unless its epoch is another one by then."""
        self.timer(ns, tag, (epoch & EPOCH_MASK) << NODE_BITS | node.number)

    def touched(self, node: Node, key: i64) -> None:
        """A row's page has changed in a node's memory: the next checkpoint writes it back."""
        page = key // self.listing.rows_of_a_page()
        if node.dirty.find(page) < 0:
            node.dirty.put(page, 0)

    def stretched(self, node: Node, ns: i64) -> i64:
        """How long ``ns`` of a node's own work takes under the faults that hold."""
        return whole_ns(float(ns) * self.slow[node.number]) if self.impaired else ns

    def see_to_checkpoint(self, node: Node) -> None:
        """Something was written: a checkpoint comes when its time has come, or at once where there is too much log."""
        if node.checkpoint_at >= 0:
            return
        if self.log_since(node, node.redo) >= self.checkpoint_bytes:
            self.begin_checkpoint(node)
        elif not node.checkpoint_set:
            node.checkpoint_set = True
            left = node.begun_at + self.checkpoint_ns - self.simulation.now
            self.node_timer(left if left > 0 else 0, CHECKPOINT, node, node.life)

    def on_checkpoint(self, node: Node) -> None:
        """One is due, unless it came earlier for the log's sake; where the last one is still being written, it follows that."""
        node.checkpoint_set = False
        if not node.is_up() or node.written <= node.redo or node.checkpoint_at >= 0:
            return
        if self.simulation.now - node.begun_at >= self.checkpoint_ns:
            self.begin_checkpoint(node)
        else:
            self.see_to_checkpoint(node)

    def begin_checkpoint(self, node: Node) -> None:
        """What has changed by now is written back from now on, to be done before the next one, which may come as early as this one did."""
        now = self.simulation.now
        since = now - node.begun_at
        node.write_span = COMPLETION_TARGET * float(since if since < self.checkpoint_ns else self.checkpoint_ns)
        node.checkpoint_at = now
        node.begun_at = now
        node.redo = node.applied if node.applied < node.flushed else node.flushed
        node.to_write = node.dirty.size
        node.unwritten = node.dirty.size
        node.dirty = KeyIndex()
        self.go_on_writing(node)

    def pages_due(self, node: Node) -> i64:
        """How many pages a checkpoint is behind its even pace."""
        past = float(self.simulation.now - node.checkpoint_at)
        if past >= node.write_span:
            return node.unwritten
        return i64(float(node.to_write) * past / node.write_span) - (node.to_write - node.unwritten)

    def go_on_writing(self, node: Node) -> None:
        """Write back what is due; or wait for the next round; or all is written."""
        if node.unwritten <= 0:
            self.end_checkpoint(node)
        elif self.pages_due(node) <= 0:
            past = (self.simulation.now - node.checkpoint_at) % ROUND_NS
            self.node_timer(ROUND_NS - past, WRITTEN_BACK, node, node.life)
        elif self.disk.take(node.number):
            self.write_back(node)
        else:
            node.wants_disk = True

    def write_back(self, node: Node) -> None:
        """Write the next pages: a channel of the disk is taken."""
        node.wants_disk = False
        node.writing = True
        pages = self.pages_due(node)
        if pages > PAGES_AT_ONCE:
            pages = PAGES_AT_ONCE
        node.unwritten -= pages
        self.written_back += pages
        ns = whole_ns(float(self.disk_read.draw(node.checkpoint_stream)) * float(pages) * node.disk_factor)
        self.node_timer(self.stretched(node, ns), WRITTEN_BACK, node, node.life)

    def on_written_back(self, node: Node) -> None:
        """Some pages are written; or it is time for the next round."""
        if node.writing:
            node.writing = False
            self.disk.release(node.number)
            self.pull_disk(node.number)
        self.go_on_writing(node)

    def end_checkpoint(self, node: Node) -> None:
        """All is on disk: a crash replays the log from where it began."""
        node.checkpoint = node.redo
        node.checkpoint_at = -1
        self.checkpoints += 1
        if node.written > node.redo:
            self.see_to_checkpoint(node)

    def end_recovery(self, node: Node) -> None:
        """The log is replayed: a checkpoint ends the recovery, so that another crash doesn't replay the same again."""
        node.checkpoint = node.flushed
        node.redo = node.flushed
        node.begun_at = self.simulation.now

    def forget_checkpoint(self, node: Node) -> None:
        """Its process is gone, and with it the checkpoint that it was making."""
        node.checkpoint_at = -1
        node.checkpoint_set = False
        node.writing = False
        node.wants_disk = False
        node.unwritten = 0
        node.dirty = KeyIndex()

    def log_since(self, node: Node, position: i64) -> float:
        """Bytes of log that a node has from ``position`` on."""
        return float(node.written - position) * float(self.row_bytes + ROW_OVERHEAD_BYTES)

    def log_bytes(self, node: Node) -> float:
        """Bytes of log that a node would have to replay after a crash now."""
        return self.log_since(node, node.checkpoint)

    def replay_ns(self, node: Node) -> i64:
        """How long a node replays its log before it serves again."""
        return whole_ns(self.log_bytes(node) * self.replay_ns_per_byte)
