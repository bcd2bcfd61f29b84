"""How a bucket moves while it is used: copied, caught up with what was written meanwhile, cut over, as Vitess' VReplication does it.

Until the cut-over the old shard serves it; from then on the new one does. In between, writes to it wait, those under way end, and the rest
of the old shard's log is copied: so no acknowledged write is lost, and no read sees an older version than one before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from librt.vecs import append, vec
from mypy_extensions import i64, mypyc_attr

from playground.blocks.shard_router.move import Move
from playground.blocks.shard_router.planning import Planning
from playground.blocks.shard_router.states import (
    CATCHING_UP,
    CLOSE_BELOW,
    CLOSING,
    COPY,
    COPYING,
    CUT_OVER_TIMER,
    DRAIN_TIMER,
    DRAINING,
    IDLE,
    KEY_BYTES,
    LOOK_AGAIN_NS,
    MOVE_TIMER,
    MOVES_BITS,
    MOVES_MAX,
    PASTE,
    READ_LOG,
    ROUNDS_MAX,
    ROW_BYTES,
    SERIAL_MASK,
)
from playground.engine.calls import ABANDONED, LOST
from playground.engine.changes import CHANGES_KEPT_MAX
from playground.engine.outcomes import BUY, COPY_IN, COPY_OUT, CREATE, DELETE, LOG_READ, WRITE
from playground.engine.params import Params

if TYPE_CHECKING:
    from playground.engine.edge import Edge
    from playground.engine.simulation import Simulation


def changes(operation: i64) -> bool:
    """Whether an operation changes a row."""
    return operation == WRITE or operation == BUY or operation == CREATE or operation == DELETE


@mypyc_attr(allow_interpreted_subclasses=True)
class Copying(Planning):
    """The steps of a move. Several run at once, each in a state of its own."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.moves: list[Move] = [Move(number) for number in range(MOVES_MAX)]
        self.moves_at_once: i64 = 1
        self.moving_now: i64 = 0
        self.batch_rows: i64 = 1
        self.rows_per_s: float = -1.0
        self.cut_over_ns: i64 = 1
        # Figures.
        self.moved_buckets: i64 = 0
        self.moved_rows: i64 = 0
        self.caught_up: i64 = 0
        self.held: i64 = 0
        self.held_all: i64 = 0
        self.longest_cut_over: i64 = 0

    def configure_copying(self, params: Params) -> None:
        """How fast, how many at once, how long writes may wait."""
        self.moves_at_once = params.integer("moves_at_once")
        self.batch_rows = params.integer("batch_rows")
        self.rows_per_s = params.number("move_rows_per_s")
        self.cut_over_ns = params.ns("cut_over_max_ms")

    def dispatch(self, call: i64) -> None:
        """Send a call to its shard."""
        raise AssertionError("the router says how")

    def fail(self, move: Move, reason: str) -> None:
        """A step has failed."""
        raise AssertionError("moving says how")

    def roll_back(self, move: Move, reason: str) -> None:
        """A move has failed."""
        raise AssertionError("moving says how")

    # ---- a step of a move

    def say(self, edge: Edge, move: Move, operation: i64, size: i64, token: i64, step: i64) -> None:
        """Send a call of a move's own."""
        made = edge.call(-1, operation, 0, 0, -1, size, 0)
        calls = self.calls
        calls.step[made] = step
        calls.data[made] = move.serial << MOVES_BITS | move.number
        calls.tell(made, token, CHANGES_KEPT_MAX)

    def argument(self, move: Move) -> i64:
        """What a timer for the present step carries."""
        return (move.serial & SERIAL_MASK) << MOVES_BITS | move.number

    def next_batch(self, move: Move) -> None:
        """Copy the next rows off a shard; with none left, read the logs."""
        move.old_rows = 0
        move.rows = self.dirty.count[move.bucket]
        shard: i64 = 0
        while shard < len(move.rows_left) and move.old_rows == 0:
            if move.rows_left[shard] > 0:
                move.old_rows = move.rows_left[shard] if move.rows_left[shard] < self.batch_rows else self.batch_rows
                move.source = shard
            shard += 1
        if move.old_rows > 0:
            move.rows = move.old_rows
        elif move.rows > 0:
            move.rows = move.rows if move.rows < self.batch_rows else self.batch_rows
            move.source = self.map.owner(self.dirty.key[self.dirty.head[move.bucket]])
        elif move.stage == CLOSING:
            self.settle(move)
            return
        else:
            move.stage = CATCHING_UP
            self.read_logs(move)
            return
        move.batch_at = self.simulation.now
        edge = self.shards.edge[move.source]
        if edge is None:
            self.fail(move, "its shard is not connected any more")
        else:
            self.say(edge, move, COPY_OUT, KEY_BYTES, move.rows, COPY)

    def on_copied(self, move: Move) -> None:
        """Rows have come off a shard: on to the other one, as they are now. What is written to them later is in the log."""
        taken: i64 = 0
        while taken < move.rows and self.dirty.count[move.bucket] > 0:
            key = self.dirty.take(move.bucket)
            holder = self.truth(key)
            if holder is not None:
                at = holder.written_at(key)
                issued = holder.issued_version(key)
                move.put(key, holder.row_version(key), at, issued, holder.stock_rows(key), holder.written_by(key))
            taken += 1
        edge = self.shards.edge[move.target]
        if edge is None:
            self.fail(move, "its new shard is not connected any more")
        else:
            self.say(edge, move, COPY_IN, move.rows * ROW_BYTES, move.rows, PASTE)

    def on_pasted(self, move: Move) -> None:
        """Rows are safe on the new shard. The next batch keeps to the rate."""
        target = self.shards.authority(move.target)
        index: i64 = 0
        while index < len(move.key):
            key = move.key[index]
            stock = move.stock_of(index)
            if target is None or not target.take_row(
                key, move.version[index], move.at[index], move.issued[index], stock, move.by[index]
            ):
                self.fail(move, "its new shard has no leader")
                return
            move.given = append(move.given, key)
            index += 1
        self.caught_up += len(move.key)
        move.clear_batch()
        move.tries = 0
        self.moved_rows += move.rows
        if move.old_rows > 0:
            move.rows_left[move.source] -= move.old_rows
        self.rows_done += move.old_rows
        wait: i64 = 0
        if self.rows_per_s > 0.0 and move.stage != CLOSING:
            spacing = 1e9 * float(move.rows) * float(self.moves_at_once) / self.rows_per_s
            wait = move.batch_at + i64(spacing) - self.simulation.now
        if wait > 0:
            self.timer(wait, MOVE_TIMER, self.argument(move))
        else:
            self.next_batch(move)

    def read_logs(self, move: Move) -> None:
        """Ask every shard that serves the bucket what was committed there."""
        move.reads_out = 0
        shard: i64 = 0
        while shard < len(move.is_source):
            if move.is_source[shard] != 0:
                edge = self.shards.edge[shard]
                log = self.log[shard]
                if edge is None or log is None:
                    self.fail(move, f"{self.shards.label[shard]} is not connected any more")
                    return
                move.reads_out += 1
                self.say(edge, move, LOG_READ, KEY_BYTES, log.position(self.slot[shard]), READ_LOG)
            shard += 1
        if move.reads_out == 0:
            self.caught(move)

    def on_log(self, move: Move, shard: i64, end: i64) -> None:
        """A shard has said how far its log goes."""
        if not self.follow(shard, end):
            self.fail(move, f"{self.shards.label[shard]} has thrown away changes that were not read yet")
            return
        move.reads_out -= 1
        if move.reads_out == 0:
            self.caught(move)

    def caught(self, move: Move) -> None:
        """All that was committed is known: copy it, or, when it is little, cut over."""
        if move.stage == CLOSING:
            self.next_batch(move)
        elif self.dirty.count[move.bucket] > CLOSE_BELOW:
            move.rounds += 1
            if move.rounds > ROUNDS_MAX:
                self.roll_back(move, "it is written faster than it can be copied")
            else:
                move.stage = COPYING
                self.next_batch(move)
        elif self.gives_again(move):
            move.stage = COPYING
            self.next_batch(move)
        else:
            self.lock(move)

    # ---- the cut-over

    def lock(self, move: Move) -> None:
        """Writes to the bucket wait from now on."""
        move.stage = DRAINING
        move.locked_at = self.simulation.now
        move.source_ends = vec[i64]()
        move.target_end = -1
        self.locked[move.bucket] = move.number + 1
        self.timer(self.cut_over_ns, CUT_OVER_TIMER, self.argument(move))
        self.drained(move)

    def drained(self, move: Move) -> None:
        """With no write under way, whatever the logs hold is all there will be."""
        if move.stage != DRAINING or self.writing[move.bucket] != 0:
            return
        if self.has_strays(move.bucket) or not self.sources_safe(move):
            self.timer(LOOK_AGAIN_NS, DRAIN_TIMER, self.argument(move))
            return
        move.stage = CLOSING
        self.read_logs(move)

    def has_strays(self, bucket: i64) -> bool:
        """Whether a shard still works on a write to ``bucket`` whose caller has given up: it would commit, and be read, after the log was.

        The shard knows its transactions; Vitess waits for them on the old primary in the same place.
        """
        calls = self.calls
        edges = self.simulation.edges
        layout = self.map.newest()
        call: i64 = 0
        while call < calls.capacity:
            edge = calls.edge[call]
            if (
                edge >= 0
                and calls.flags[call] & (ABANDONED | LOST) == ABANDONED
                and edges[edge].caller_index == self.index
                and changes(calls.operation[call])
                and layout.bucket(calls.key[call]) == bucket
            ):
                return True
            call += 1
        return False

    def sources_safe(self, move: Move) -> bool:
        """Whether all that was written to the bucket is where no failover of its old shards can take it back any more.

        Vitess' SwitchTraffic waits for the old primary's position, and refuses where replicas lag.
        """
        safe = True
        known = len(move.source_ends) > 0
        shard: i64 = 0
        while shard < len(move.is_source):
            holder = self.shards.authority(shard) if move.is_source[shard] != 0 else None
            if not known:
                move.source_ends = append(move.source_ends, holder.log_position() if holder is not None else 0)
            if holder is not None and not holder.secure(move.source_ends[shard]):
                safe = False
            shard += 1
        return safe

    def settle(self, move: Move) -> None:
        """All is copied: the bucket is cut over when it is safe on its new shard, with the replicas there."""
        target = self.shards.authority(move.target)
        if target is None:
            self.fail(move, "its new shard is not connected any more")
            return
        if self.gives_again(move):
            self.fail(move, "a crash or a failover took rows back that were copied already")
            return
        if move.target_end < 0:
            move.target_end = target.log_position()
        if target.secure(move.target_end):
            self.finish(move)
        else:
            self.timer(LOOK_AGAIN_NS, DRAIN_TIMER, self.argument(move))

    def cuts_of(self, move: Move) -> i64:
        """How often a log of this move's shards has lost its end."""
        target = self.shards.authority(move.target)
        cuts: i64 = target.times_cut() if target is not None else 0
        shard: i64 = 0
        while shard < len(move.is_source):
            source = self.shards.authority(shard) if move.is_source[shard] != 0 else None
            if source is not None:
                cuts += source.times_cut()
            shard += 1
        return cuts

    def gives_again(self, move: Move) -> bool:
        """Whether a log has lost its end: the new shard's, and with it perhaps rows that it was given, or an old one's, and with it perhaps
        commits that were copied before they were flushed (``synchronous_commit = off``). Then all that was given is copied again."""
        cuts = self.cuts_of(move)
        if cuts == move.cuts:
            return False
        move.cuts = cuts
        found = len(move.given) > 0
        self.take_given(move)
        return found

    def take_given(self, move: Move) -> None:
        """What the new shard was given is to be copied again."""
        index: i64 = 0
        while index < len(move.given):
            self.dirty.add(move.bucket, move.given[index])
            index += 1
        move.given = vec[i64]()

    def finish(self, move: Move) -> None:
        """The new shard has everything: it serves the bucket from now on."""
        self.hand_over(move)
        self.map.cut_over(move.bucket)
        self.moved_buckets += 1
        self.unlock(move)
        self.rest(move)
        self.pump()

    def hand_over(self, move: Move) -> None:
        """Who answers for the rows: what a shard's log loses of them from now on is lost on the new one, and not on the old one."""
        target = self.shards.authority(move.target)
        if target is not None:
            target.serve_rows(move.given, move.target_end)
        shard: i64 = 0
        while shard < len(move.is_source):
            source = self.shards.authority(shard) if move.is_source[shard] != 0 else None
            if source is not None:
                source.leave_rows(move.given)
            shard += 1

    def unlock(self, move: Move) -> None:
        """Writes that waited go on, wherever their bucket is now."""
        if self.locked[move.bucket] == 0:
            return
        self.locked[move.bucket] = 0
        lasted = self.simulation.now - move.locked_at
        if lasted > self.longest_cut_over:
            self.longest_cut_over = lasted
        call = move.first_held
        move.first_held = -1
        move.last_held = -1
        while call >= 0:
            after = self.calls.next[call]
            self.held -= 1
            self.dispatch(call)
            call = after

    def rest(self, move: Move) -> None:
        """A move is over, one way or the other."""
        self.under_way[move.bucket] = 0
        self.moving_now -= 1
        move.serial += 1
        move.stage = IDLE
        move.clear_batch()

    def put_back(self, move: Move) -> None:
        """Rows that were on their way are to be copied again."""
        index: i64 = 0
        while index < len(move.key):
            self.dirty.add(move.bucket, move.key[index])
            index += 1
        move.clear_batch()
