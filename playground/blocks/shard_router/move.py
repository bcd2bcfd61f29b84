"""One bucket on its way from its old shard to its new one."""

from __future__ import annotations

from typing import final

from librt.vecs import append, vec
from mypy_extensions import i64

from playground.blocks.shard_router.states import IDLE
from playground.engine.state import State


@final
class Move(State):
    """Where a move stands. Writes that wait for its cut-over stand in a queue from ``first_held`` to ``last_held``."""

    def __init__(self, number: i64) -> None:
        self.number: i64 = number
        # Tells an answer or a timer that is still meant from one that isn't.
        self.serial: i64 = 0
        self.stage: i64 = IDLE
        self.bucket: i64 = -1
        self.target: i64 = -1
        # By shard: rows that are still to be copied off it; whether its log has to be read.
        self.rows_left: vec[i64] = vec[i64]()
        self.is_source: vec[i64] = vec[i64]()
        # The batch on its way: from where, how many rows (how many of those that were there from the start), when it began, ns.
        self.source: i64 = -1
        self.rows: i64 = 0
        self.old_rows: i64 = 0
        self.batch_at: i64 = 0
        self.key: vec[i64] = vec[i64]()
        self.version: vec[i64] = vec[i64]()
        self.at: vec[i64] = vec[i64]()
        self.issued: vec[i64] = vec[i64]()
        self.by: vec[i64] = vec[i64]()
        # What was sold of the batch's rows, one after the other, and where each row's part ends.
        self.stock: vec[i64] = vec[i64]()
        self.stock_end: vec[i64] = vec[i64]()
        # Every changed row that the new shard was given; how often that shard's log, and the sources', had lost their ends before.
        self.given: vec[i64] = vec[i64]()
        self.cuts: i64 = 0
        # During a cut-over: up to where the sources' logs (by shard) and the target's have to be safe, -1 while that is open.
        self.source_ends: vec[i64] = vec[i64]()
        self.target_end: i64 = -1
        self.reads_out: i64 = 0
        self.tries: i64 = 0
        self.late: i64 = 0
        self.rounds: i64 = 0
        self.locked_at: i64 = 0
        self.first_held: i64 = -1
        self.last_held: i64 = -1

    def clear_batch(self) -> None:
        """No row is on its way."""
        self.key = vec[i64]()
        self.version = vec[i64]()
        self.at = vec[i64]()
        self.issued = vec[i64]()
        self.by = vec[i64]()
        self.stock = vec[i64]()
        self.stock_end = vec[i64]()

    def put(self, key: i64, version: i64, at: i64, issued: i64, stock: vec[i64], by: i64) -> None:
        """A row goes with the batch, and its stock with it."""
        for number in stock:
            self.stock = append(self.stock, number)
        self.stock_end = append(self.stock_end, len(self.stock))
        self.key = append(self.key, key)
        self.version = append(self.version, version)
        self.at = append(self.at, at)
        self.issued = append(self.issued, issued)
        self.by = append(self.by, by)

    def stock_of(self, index: i64) -> vec[i64]:
        """What was sold of the batch's row number ``index``."""
        return self.stock[self.stock_end[index - 1] if index > 0 else 0 : self.stock_end[index]]
