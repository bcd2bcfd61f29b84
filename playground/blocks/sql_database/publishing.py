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

    def may_come(self, key: i64, version: i64) -> bool:
        """A replica may show what waits for its commit yet; a version that is not in the legitimate log is lost, or another database's."""
        entry = self.rows.versions.index.find(key)
        latest: i64 = self.rows.latest[entry] if entry >= 0 else 1
        return latest >= version or -latest >= version

    def strayed_keys(self, after: i64) -> vec[i64]:
        """From number ``after`` on, as :attr:`Rows.strayed` has them."""
        strayed = self.rows.strayed
        return strayed[after : len(strayed)]

    def book_copy(self, node: Node, position: i64, key: i64, stock: vec[i64]) -> None:
        """The record at ``position`` brings what is sold of a row along."""

    def take_row(self, key: i64, version: i64, at: i64, issued: i64, stock: vec[i64], by: i64) -> bool:
        """Have a row as it is elsewhere, with its stock; False where there is no leader."""
        if self.leader < 0 or not self.nodes[self.leader].plain:
            return False
        node = self.nodes[self.leader]
        rows = self.rows
        before = self.pending_version(node, key)
        if version == 0 or (before == 0 and version < 0):
            # There is nothing to have, but what was given out for it is not given again.
            if issued > 1:
                rows.reserve(rows.entry_of(key, False), issued)
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
        position = log.append(key, version, before if before != 0 else -1, rows.last[entry], COPIED - (by >> 1), -1)
        slot = log.slot(position)
        log.before_at[slot] = at
        # Negative: until a cut-over its old owner answers for the row.
        log.acked[slot] = -at if by & 1 != 0 else 0
        rows.latest[entry] = version
        rows.last[entry] = position
        self.rows_taken += 1
        self.book_copy(node, position, key, stock)
        self.wrote(node, position)
        return True

    def written_by(self, key: i64) -> i64:
        """Who wrote the committed version of a row, see :attr:`Rows.by`."""
        entry = self.rows.versions.index.find(key)
        return self.rows.by[entry] if entry >= 0 else 0

    def serve_rows(self, keys: vec[i64], position: i64) -> None:
        """Answer for rows that were taken, which are in the log up to ``position``."""
        if len(keys) > 0 and position > self.taken_upto:
            self.taken_upto = position
        for key in keys:
            self.rows.answer_for(self.log, key, True)

    def leave_rows(self, keys: vec[i64]) -> None:
        """Somebody else answers for rows: what the log loses of them is not lost."""
        for key in keys:
            self.rows.answer_for(self.log, key, False)

    def take_back(self, upto: i64, how: i64) -> i64:
        """Nobody waits for a position that is another history's."""
        if self.taken_upto > upto:
            self.taken_upto = upto
        return super().take_back(upto, how)

    def log_position(self) -> i64:
        """Where the leader's log ends."""
        return self.log.end

    def secure(self, position: i64) -> bool:
        """Whether the log up to ``position``, or up to where it was cut since, is committed, and flushed where a failover would look:
        at the leader, at every replica that follows it or may be elected now, and at most of all nodes, so that whoever is elected after
        one failure more has it. Replicas report it as they go (PostgreSQL's ``pg_stat_replication.flush_lsn``)."""
        if self.leader < 0 or self.nodes[self.leader].role != LEADER:
            return False
        node = self.nodes[self.leader]
        wanted = position if position < self.log.end else self.log.end
        if node.flushed < wanted and not node.flushing:
            # However the database commits: who moves rows asks for a flush (a checkpoint, or a synchronous commit).
            self.begin_flush(node)
        if node.flushed < wanted or self.log.visible < wanted:
            return False
        have: i64 = 1
        for other in self.nodes:
            if other.number == node.number or other.number >= self.instances:
                continue
            if other.fork is None and not other.behind and other.flushed >= wanted:
                have += 1
            elif other.connected or (self.automatic and self.may_stand(other)):
                return False
        return not self.automatic or 2 * have > self.instances

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
