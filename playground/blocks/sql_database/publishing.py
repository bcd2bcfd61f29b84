"""Rows that come from another database, or go to one; and what is safe of them, so that whoever moves them can rely on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from librt.vecs import vec
from mypy_extensions import i64, mypyc_attr

from playground.blocks.sql_database.failover import Electing
from playground.blocks.sql_database.node import Node
from playground.blocks.sql_database.states import COPIED, LEADER
from playground.engine.changes import ChangeLog

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation


@mypyc_attr(allow_interpreted_subclasses=True)
class Publishing(Electing):
    """What comes is a record in the leader's log, flushed, shipped and lost as any other."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.rows_taken: i64 = 0

    def row_version(self, key: i64) -> i64:
        """The committed version of a row, negative where it was deleted, 0 where there never was one."""
        held = self.rows.versions.held(key)
        return held if held != 0 else 1 if 1 <= key <= self.row_count else 0

    def issued_version(self, key: i64) -> i64:
        """The highest version that was ever given out."""
        entry = self.rows.versions.index.find(key)
        return self.rows.issued[entry] if entry >= 0 else 1

    def book_copy(self, node: Node, position: i64, key: i64, stock: vec[i64]) -> None:
        """The record at ``position`` brings what is sold of a row along."""

    def take_row(self, key: i64, version: i64, at: i64, issued: i64, stock: vec[i64]) -> bool:
        """Have a row as it is elsewhere, with its stock; False where there is no leader."""
        if self.leader < 0 or not self.nodes[self.leader].plain:
            return False
        node = self.nodes[self.leader]
        rows = self.rows
        before = self.pending_version(node, key)
        if version == 0 or (before == 0 and version < 0):
            return True
        entry = rows.entry_of(key, before > 0)
        rows.reserve(entry, issued)
        if before == version:
            return True
        if version < 0:
            held = node.buffer.find(key)
            if held >= 0:
                node.buffer.remove(held)
        log = self.log
        if log.is_full():
            self.trim()
        position = log.append(key, version, before if before != 0 else -1, rows.last[entry], COPIED, -1)
        log.before_at[log.slot(position)] = at
        rows.latest[entry] = version
        rows.last[entry] = position
        self.rows_taken += 1
        self.book_copy(node, position, key, stock)
        self.wrote(node, position)
        return True

    def log_position(self) -> i64:
        """Where the leader's log ends."""
        return self.log.end

    def secure(self, position: i64) -> bool:
        """Whether the log up to ``position``, or up to where it was cut since, is committed, and flushed at the leader and at every replica
        that is connected to it. Replicas report it as they go (PostgreSQL's ``pg_stat_replication.flush_lsn``)."""
        if self.leader < 0 or self.nodes[self.leader].role != LEADER:
            return False
        node = self.nodes[self.leader]
        wanted = position if position < self.log.end else self.log.end
        if node.flushed < wanted and not node.flushing:
            # However the database commits: who moves rows asks for a flush (a checkpoint, or a synchronous commit).
            self.begin_flush(node)
        if node.flushed < wanted or self.log.visible < wanted:
            return False
        return all(not other.connected or other.flushed >= wanted for other in self.nodes)

    def times_cut(self) -> i64:
        """How often a crash or a failover took the end of the log away."""
        return self.cuts

    def history_keeper(self) -> Node:
        """The node that has the legitimate history, or that had it last."""
        return self.nodes[self.leader if self.leader >= 0 else self.holder]

    def stood_between(self, above: i64, below: i64, since: i64, prices: i64) -> vec[i64]:
        """Rows between two keys that have existed since a moment."""
        return self.listing.stood_between(self.history_keeper(), above, below, since, prices)

    def has_stood(self, key: i64, since: i64) -> bool:
        """Whether a row has existed since a moment."""
        return self.listing.order_of(self.history_keeper()).has_stood(key, since)

    def changed_before(self, key: i64, since: i64, until: i64, prices: i64) -> tuple[i64, i64]:
        """How many rows before ``key`` were inserted, and deleted, between two moments."""
        return self.listing.changed_before(self.history_keeper(), key, since, until, prices)

    def change_log(self) -> ChangeLog | None:
        """What was committed here, in order."""
        return self.changes
