"""A router in front of the shards of one table, as Vitess' vtgate, Citus' coordinator and MongoDB's mongos are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mypy_extensions import i64

from playground.blocks.shard_router import report
from playground.blocks.shard_router.copying import changes
from playground.blocks.shard_router.gathering import Gathering
from playground.blocks.shard_router.states import (
    BY_KEY,
    CALLING,
    GATHER_TIMER,
    HELD,
    MERGING,
    QUIET_NS,
    ROUTING,
    SCATTERED,
    WAITING,
)
from playground.engine.calls import AT_CALLEE
from playground.engine.columns import zeros
from playground.engine.outcomes import (
    BUY,
    LIST,
    NO_UPSTREAM,
    OK,
    OVERLOADED,
)
from playground.engine.params import Params
from playground.engine.station import FULL, QUEUED, Station
from playground.engine.streams import CONSTANT, Duration

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation

BUCKET_BITS: Final = 14
BUCKET_MASK: Final = (1 << BUCKET_BITS) - 1
"""What a write's memo says while it is under way: its bucket, and above these bits in which reshard (1 ..) that counted."""


class ShardRouter(Gathering):
    """Operations on a row go to its shard; lists go to all shards, and their answers are merged. A worker is held from the start of a
    call to its answer."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.minds_hang_ups = True
        self.route_stream = self.stream("routing")
        self.route = Duration(CONSTANT, 0.0, 1.0)
        self.station = Station(simulation, 1, 1, -1)
        self.pool = self.station
        self.wired_once: bool = False
        self.rejected: i64 = 0
        self.single: i64 = 0
        self.nowhere: i64 = 0
        self.nowhere_noted_at: i64 = -QUIET_NS

    def configure(self, params: Params) -> None:
        """Take sizes, times and the way keys are laid out; a live change of the latter begins a reshard."""
        self.station.resize(1, params.integer("workers"), params.integer("queue_max"))
        params.set_duration(self.route, "route")
        self.configure_lists(params)
        self.shards.hot_factor = params.number("hot_factor")
        self.configure_plan(params)
        self.configure_moves(params)
        if self.wired_once:
            self.replan()
            self.pump()
        self.pull()

    def wired(self) -> None:
        """Shards that come get their part of the buckets, those that lose their weight give theirs away."""
        self.shards.connect(list(self.out["shards"]))
        self.wired_once = True
        self.replan()

    # ---- a call's way through

    def on_call(self, call: i64) -> None:
        """Take a worker, wait for one, or be turned away."""
        self.calls.mark[call] = WAITING
        became = self.station.offer(call, 0)
        if became == FULL:
            self.rejected += 1
            self.reply(call, OVERLOADED, 0, 0)
        elif became == QUEUED:
            self.note_queue(self.station.waiting_all, self.station.workers, "workers")
        else:
            self.begin_call(call)

    def begin_call(self, call: i64) -> None:
        """A worker parses the statement and finds out where it goes."""
        self.calls.mark[call] = ROUTING
        self.calls.memo[call] = 0
        self.work(call, self.route.draw(self.route_stream))

    def on_work(self, call: i64) -> None:
        """Routing or merging is done."""
        if self.calls.mark[call] == MERGING:
            self.end_call(call, OK)
        elif self.calls.operation[call] == LIST:
            self.scatter(call)
        else:
            self.dispatch(call)

    def dispatch(self, call: i64) -> None:
        """Send an operation on a row to its shard. A write to a bucket that is being cut over waits."""
        calls = self.calls
        key = calls.key[call]
        if len(self.map.layouts) == 0:
            self.end_nowhere(call, -1)
            return
        writes = changes(calls.operation[call])
        bucket: i64 = -1
        if writes and self.resharding:
            bucket = self.map.newest().bucket(key)
            if self.locked[bucket] != 0:
                self.hold(call, self.locked[bucket] - 1)
                return
        shard = self.map.owner(key)
        edge = self.shards.edge[shard]
        if edge is None:
            self.end_nowhere(call, shard)
            return
        self.single += 1
        self.shards.count(shard, key, self.simulation.now)
        calls.mark[call] = CALLING
        calls.memo[call] = 0
        if bucket >= 0:
            self.writing[bucket] += 1
            calls.memo[call] = self.epoch << BUCKET_BITS | bucket
        made = self.send_on(edge, call, -1)
        calls.step[made] = BY_KEY

    def hold(self, call: i64, number: i64) -> None:
        """Let a write wait, with its worker, until its bucket is cut over."""
        calls = self.calls
        move = self.moves[number]
        calls.mark[call] = HELD
        calls.memo[call] = number
        calls.next[call] = -1
        calls.previous[call] = move.last_held
        if move.last_held >= 0:
            calls.next[move.last_held] = call
        else:
            move.first_held = call
        move.last_held = call
        self.held += 1
        self.held_all += 1

    def end_nowhere(self, call: i64, shard: i64) -> None:
        """The shard of a row isn't connected."""
        self.nowhere += 1
        now = self.simulation.now
        if shard >= 0 and now - self.nowhere_noted_at >= QUIET_NS:
            self.nowhere_noted_at = now
            text = (
                "Its rows went with it. To take one away, set its connection's weight to 0 and wait until it is empty."
            )
            self.note("shard_gone", "bad", f"{self.shards.label[shard]} is gone, and rows are on it", text)
        self.end_call(call, NO_UPSTREAM)

    # ---- answers

    def on_reply(self, call: i64) -> None:
        """A shard has answered."""
        calls = self.calls
        step = calls.step[call]
        parent = calls.parent[call]
        if step > SCATTERED:
            self.on_move_reply(call)
        elif parent < 0:
            return
        elif step == SCATTERED:
            self.on_gathered(parent, call)
        else:
            memo = calls.memo[parent]
            self.station.release(0)
            self.reply_like(parent, call)
            self.written(memo)
            self.pull()

    def written(self, memo: i64) -> None:
        """A write has ended, which was counted as under way."""
        if memo == 0 or memo >> BUCKET_BITS != self.epoch:
            return
        bucket = memo & BUCKET_MASK
        self.writing[bucket] -= 1
        if self.writing[bucket] == 0 and self.locked[bucket] != 0:
            self.drained(self.moves[self.locked[bucket] - 1])

    def count_writes(self) -> None:
        """A reshard begins: count the writes that are under way already."""
        calls = self.calls
        edges = self.simulation.edges
        layout = self.map.newest()
        call: i64 = 0
        while call < calls.capacity:
            edge = calls.edge[call]
            if (
                edge >= 0
                and calls.flags[call] & AT_CALLEE != 0
                and edges[edge].callee_index == self.index
                and calls.mark[call] == CALLING
            ):
                calls.memo[call] = 0
                if changes(calls.operation[call]):
                    bucket = layout.bucket(calls.key[call])
                    self.writing[bucket] += 1
                    calls.memo[call] = self.epoch << BUCKET_BITS | bucket
            call += 1

    def end_call(self, call: i64, outcome: i64) -> None:
        """Answer by oneself, and let the worker take the next call."""
        self.station.release(0)
        self.reply(call, outcome, 0, self.calls.reply_bytes[call] if outcome == OK else 0)
        self.pull()

    def pull(self) -> None:
        """Let free workers take waiting calls."""
        while True:
            call = self.station.pull(0)
            if call < 0:
                break
            self.begin_call(call)
        self.note_queue(self.station.waiting_all, self.station.workers, "workers")

    def on_timer(self, tag: i64, argument: i64) -> None:
        """A list has waited long enough, or it is about a move."""
        if tag == GATHER_TIMER:
            self.on_gather_timer(argument)
        else:
            self.on_move_timer(tag, argument)

    # ---- faults

    def on_cancel(self, call: i64) -> None:
        """Free the place in the queue, or the worker; a write that waited for a cut-over waits no more."""
        mark = self.calls.mark[call]
        if mark == WAITING:
            self.station.remove(call, 0)
            return
        if mark == HELD:
            self.unhold(call)
        self.station.release(0)
        if mark == CALLING:
            self.written(self.calls.memo[call])
        self.pull()

    def on_hang_up(self, call: i64) -> None:
        """The caller's connection is closed: so is the one that its transaction has to a shard."""
        if self.calls.mark[call] == CALLING and self.calls.operation[call] == BUY:
            self.cancel(call)

    def unhold(self, call: i64) -> None:
        """Take a write out of those that wait."""
        calls = self.calls
        move = self.moves[calls.memo[call]]
        before = calls.previous[call]
        after = calls.next[call]
        if before >= 0:
            calls.next[before] = after
        else:
            move.first_held = after
        if after >= 0:
            calls.previous[after] = before
        else:
            move.last_held = before
        self.held -= 1

    def on_crash(self, instance: i64) -> None:
        """Workers and what waited are gone. The map is not, nor how far the logs were read; moves under way begin again."""
        self.station.clear(0)
        self.held = 0
        self.writing = zeros(len(self.writing))
        for move in self.moves:
            move.first_held = -1
            move.last_held = -1
        self.stop_moves()
        if self.removed:
            self.end()
            return

    def on_restart(self, instance: i64) -> None:
        """Go on with a reshard."""
        self.pump()

    def on_fault(self, fault: str, params: Params) -> bool:
        """``move``: a bucket gets another home, by order."""
        if fault != "move":
            return False
        self.move_by_order(params.integer("bucket"), params.integer("shard"))
        return True

    # ---- figures

    def cells(self) -> list[int]:
        """The buckets, by what is happening to them."""
        return report.cells(self)

    def metrics(self) -> list[float]:
        """See ``spec.py``."""
        return report.metrics(self)

    def detail(self) -> dict[str, object]:
        """Shards, scheme, the reshard under way."""
        return report.detail(self)
