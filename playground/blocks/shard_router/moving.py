"""Which buckets move when, and what happens when a move goes wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from librt.vecs import vec
from mypy_extensions import i64, mypyc_attr

from playground.blocks.shard_router.copying import Copying
from playground.blocks.shard_router.move import Move
from playground.blocks.shard_router.states import (
    CLOSING,
    COPY,
    COPYING,
    DRAIN_TIMER,
    DRAINING,
    IDLE,
    MOVE_TIMER,
    MOVES_BITS,
    MOVES_MAX,
    PASTE,
    QUIET_NS,
    RESUME_NS,
    RESUME_TIMER,
    RETRY_NS,
    RETRYING,
    SERIAL_MASK,
    TRIES_MAX,
)
from playground.engine.columns import zeros
from playground.engine.outcomes import OK, OUTCOMES
from playground.engine.params import Params

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation


@mypyc_attr(allow_interpreted_subclasses=True)
class Moving(Copying):
    """Up to ``moves_at_once`` buckets on their way."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.may_move: bool = True
        self.cursor: i64 = 0
        self.pumping: bool = False
        self.halted: bool = False
        self.resume_serial: i64 = 0
        self.fail_noted_at: i64 = -QUIET_NS
        # Figures.
        self.rolled_back: i64 = 0
        self.cut_overs_late: i64 = 0

    def configure_moves(self, params: Params) -> None:
        """Whether rows may move, and how."""
        self.may_move = params.flag("may_move")
        self.configure_copying(params)

    # ---- which bucket is next

    def pump(self) -> None:
        """Begin as many moves as may run; conclude a reshard that has nothing left."""
        if self.pumping or self.crashed[0] > 0:
            return
        self.pumping = True
        while self.resharding and not self.halted and self.may_move and self.moving_now < self.moves_at_once:
            bucket = self.next_bucket()
            if bucket < 0:
                if self.moving_now == 0:
                    self.conclude()
                break
            move = self.moves[0]
            index: i64 = 0
            while move.stage != IDLE:
                index += 1
                move = self.moves[index]
            self.start(move, bucket)
        self.pumping = False

    def next_bucket(self) -> i64:
        """The next bucket that isn't where it should be; -1 when there is none, or none that can move."""
        layout = self.map.newest()
        looked: i64 = 0
        while looked < layout.buckets:
            bucket = self.cursor if self.cursor < layout.buckets else 0
            self.cursor = bucket + 1
            if layout.done[bucket] == 0 and self.under_way[bucket] == 0 and self.stuck[bucket] == 0:
                return bucket
            looked += 1
        return -1

    def conclude(self) -> None:
        """Nothing is left to move, or nothing that can be."""
        layout = self.map.newest()
        took = float(self.simulation.now - self.began_at) / 1e9
        self.end()
        if layout.left == 0:
            text = f"{self.planned_buckets} buckets, {self.moved_percent():.0f} % of all rows, moved in {took:.1f} s."
            self.note("reshard_done", "good", f"{self.label} has resharded", text)
            self.map.settle(self.oldest_list())
        else:
            text = f"{layout.left} buckets stay where they are: a shard that holds them is not connected."
            self.note("reshard_stuck", "bad", f"{self.label} can't reshard", text)

    def start(self, move: Move, bucket: i64) -> None:
        """Begin with a bucket."""
        layout = self.map.newest()
        move.bucket = bucket
        move.target = layout.home[bucket]
        move.tries = 0
        move.late = 0
        move.rounds = 0
        move.clear_batch()
        move.given = vec[i64]()
        move.rows_left = self.rows_by_shard(layout, bucket)
        move.is_source = zeros(len(move.rows_left))
        base = self.base_home(layout, bucket)
        shards = self.shards
        shard: i64 = 0
        while shard < len(move.is_source):
            served = base == shard or (base < 0 and shard != move.target and shards.there[shard] != 0)
            move.is_source[shard] = 1 if served else 0
            shard += 1
        self.moving_now += 1
        self.under_way[bucket] = 1
        move.cuts = self.cuts_of(move)
        reason = self.obstacle(move)
        if reason == "":
            move.stage = COPYING
            self.next_batch(move)
        else:
            # Trying again helps nothing, until something is connected or declared otherwise.
            self.stuck[bucket] = 1
            self.rest(move)
            self.say_why(f"Bucket {bucket} can't move to {self.shards.label[move.target]}", reason)

    def obstacle(self, move: Move) -> str:
        """Why a bucket can't move at all; empty when it can."""
        shards = self.shards
        target = shards.authority(move.target)
        if target is None:
            return f"{shards.label[move.target]} is not connected"
        if target.change_log() is None:
            return f"{shards.label[move.target]} publishes no changes"
        shard: i64 = 0
        while shard < len(move.is_source):
            if move.is_source[shard] != 0 or move.rows_left[shard] > 0:
                source = shards.authority(shard)
                if source is None:
                    return f"{shards.label[shard]} is not connected"
                if self.log[shard] is None:
                    return f"{shards.label[shard]} publishes no changes"
                if source.first_keys() != target.first_keys():
                    return f"{shards.label[shard]} and {shards.label[move.target]} declare different numbers of rows"
                if source.stock_declared() != target.stock_declared():
                    return f"{shards.label[shard]} and {shards.label[move.target]} declare different stock"
            shard += 1
        return ""

    # ---- when it goes wrong

    def fail(self, move: Move, reason: str) -> None:
        """A step has failed: writes go on where they were, and it is tried again; after some tries the move is rolled back."""
        self.put_back(move)
        self.unlock(move)
        move.serial += 1
        move.tries += 1
        if move.tries >= TRIES_MAX:
            self.roll_back(move, reason)
            return
        move.stage = RETRYING
        self.timer(RETRY_NS, MOVE_TIMER, self.argument(move))

    def roll_back(self, move: Move, reason: str) -> None:
        """The bucket stays on its old shard, which has served it all the time. The reshard goes on after a while."""
        self.put_back(move)
        # Until then its new shard may lose what it was given.
        self.take_given(move)
        self.unlock(move)
        bucket = move.bucket
        self.rest(move)
        self.rolled_back += 1
        self.say_why(f"Move of bucket {bucket} to {self.shards.label[move.target]} rolled back", reason)
        self.halted = True
        self.resume_serial += 1
        self.timer(RESUME_NS, RESUME_TIMER, self.resume_serial & SERIAL_MASK)

    def say_why(self, title: str, reason: str) -> None:
        """Name what has gone wrong with a move, not again within ten virtual seconds."""
        now = self.simulation.now
        if now - self.fail_noted_at >= QUIET_NS:
            self.fail_noted_at = now
            text = f"Its old shard goes on serving it: {reason}. {self.map.newest().left} buckets are still to move."
            self.note("move_rolled_back", "bad", title, text)

    def stop_moves(self) -> None:
        """Give up what is on its way."""
        self.halted = False
        self.resume_serial += 1
        for move in self.moves:
            if move.stage != IDLE:
                self.put_back(move)
                self.take_given(move)
                self.unlock(move)
                self.rest(move)

    def on_move_reply(self, call: i64) -> None:
        """A shard has answered a move's call."""
        calls = self.calls
        data = calls.data[call]
        move = self.moves[data & (MOVES_MAX - 1)]
        if move.stage == IDLE or move.serial != data >> MOVES_BITS:
            return
        outcome = calls.outcome[call]
        step = calls.step[call]
        shard: i64 = self.shards.number[self.edge_of(call).callee.name]
        if outcome != OK:
            self.fail(move, f"{self.shards.label[shard]} answered: {OUTCOMES[outcome].replace('_', ' ')}")
        elif step == COPY:
            self.on_copied(move)
        elif step == PASTE:
            self.on_pasted(move)
        else:
            self.on_log(move, shard, calls.version[call])

    def on_move_timer(self, tag: i64, argument: i64) -> None:
        """The next batch or try is due, a cut-over has taken too long, or what was rolled back is tried anew."""
        if tag == RESUME_TIMER:
            if self.halted and argument == self.resume_serial & SERIAL_MASK:
                self.halted = False
                self.pump()
            return
        move = self.moves[argument & (MOVES_MAX - 1)]
        if move.stage == IDLE or argument >> MOVES_BITS != move.serial & SERIAL_MASK:
            return
        if tag == DRAIN_TIMER:
            if move.stage == CLOSING:
                self.settle(move)
            else:
                self.drained(move)
        elif tag == MOVE_TIMER:
            if move.stage == RETRYING:
                move.stage = COPYING
            self.next_batch(move)
        elif move.stage == DRAINING or move.stage == CLOSING:
            self.cut_overs_late += 1
            move.late += 1
            if move.late < TRIES_MAX:
                self.fail(move, self.why_late(move))
            else:
                self.roll_back(move, self.why_late(move))

    def why_late(self, move: Move) -> str:
        """Why a cut-over has taken too long."""
        whose = ""
        if move.stage == CLOSING and move.target_end >= 0:
            whose = self.shards.label[move.target]
        elif move.stage == DRAINING and self.writing[move.bucket] == 0 and not self.has_strays(move.bucket):
            whose = "the old shard"
        if whose == "":
            return "writes would have waited too long for its cut-over"
        return f"a failover could still take its rows back, since too few nodes of {whose} have them"
