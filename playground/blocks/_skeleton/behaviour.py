"""REPLACE: in a sentence, what happens to a call in here, and by which mechanism."""

# The engine calls the `on_...` methods; the block calls `self.work`, `self.timer`, `self.reply` and `edge.call`. Its one duty:
# every call that came in by `on_call` is answered exactly once, now or later. Calls are whole numbers, handles into the columns of
# `self.calls`; a handle is good until the call was answered (a call that came in), or until `on_reply` returns (one that went out).

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mypy_extensions import i64

from playground.engine.block import Block
from playground.engine.outcomes import OK, OVERLOADED
from playground.engine.params import Params
from playground.engine.station import FULL, STARTED, Station
from playground.engine.streams import CONSTANT, Duration

if TYPE_CHECKING:
    from playground.engine.edge import Edge
    from playground.engine.simulation import Simulation

# A call's mark says where in here it is; `on_cancel` has to know. It is 0 when the call arrives.
WAITING: Final = 0
SERVING: Final = 1

NEXT_SECOND: Final = 0
"""The tag of the only timer; with several, `on_timer` tells them apart by it."""

SECOND_NS: Final = 1_000_000_000
ANSWER_BYTES: Final = 200


class SkeletonBlock(Block):
    """REPLACE: what it is, and what it keeps."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        # A stream of its own for each purpose, so that a draw here changes nothing elsewhere. Never the module `random`: a run
        # that is repeated has to be the same run.
        self.work_stream = self.stream("work")
        self.work_time = Duration(CONSTANT, 0.0, 1.0)
        # Whatever changes while it runs is a number, a text, a column (vec), a list or dict of these, or a State such as
        # Station: then seeking back works by itself. Anything else is refused with the attribute's name. Numbers say i64,
        # float or bool, which makes them plain machine numbers when compiled.
        self.station = Station(simulation, 1, 1, -1)
        # What busy workers, their number, the queue and the utilisation are read from.
        self.pool = self.station
        self.next_edge: Edge | None = None
        self.limit: i64 = -1
        self.taken: i64 = 0
        self.over_limit: i64 = 0
        self.queue_full: i64 = 0
        self.throttle: i64 = -1

    def configure(self, params: Params) -> None:
        """Take parameters: before the start, and whenever one of them changes while it runs."""
        self.station.resize(1, params.integer("workers"), params.integer("queue_max"))
        params.set_duration(self.work_time, "work")
        self.limit = params.integer("limit_per_s")
        self.pull()  # There may be more workers now.

    def wired(self) -> None:
        """Look at the edges on its out ports: before the start, and whenever they change."""
        edges = self.out["next"]
        self.next_edge = edges[0] if len(edges) > 0 else None

    def started(self) -> None:
        """Set the first timer. Here and not in `__init__`: time begins now."""
        self.timer(SECOND_NS, NEXT_SECOND, 0)

    def on_timer(self, tag: i64, argument: i64) -> None:
        """A second is over: the limit begins anew."""
        self.taken = 0
        self.timer(SECOND_NS, NEXT_SECOND, 0)

    # ---- a call's way through

    def on_call(self, call: i64) -> None:
        """Turn it away, let it wait, or begin."""
        limit = self.limit
        if self.throttle >= 0 and (limit < 0 or self.throttle < limit):
            limit = self.throttle
        if limit >= 0 and self.taken >= limit:
            self.over_limit += 1
            self.reply(call, OVERLOADED, 0, 0)
            return
        self.taken += 1
        self.calls.mark[call] = WAITING
        became = self.station.offer(call, 0)
        if became == FULL:
            self.queue_full += 1
            self.reply(call, OVERLOADED, 0, 0)
        elif became == STARTED:
            self.begin(call)
        else:
            self.note_queue(self.station.waiting_all, self.station.workers, "workers")

    def begin(self, call: i64) -> None:
        """A worker takes a call."""
        self.calls.mark[call] = SERVING
        self.work(call, self.work_time.draw(self.work_stream))  # REPLACE: how long it takes

    def on_work(self, call: i64) -> None:
        """The work on a call is done: call the next block, where there is one. The worker is held until that has answered."""
        edge = self.next_edge
        if edge is None:
            self.reply(call, OK, 0, ANSWER_BYTES)
            self.free_worker()
            return
        # One tree: deadlines, cancellation, traces and the user's session follow the call. `edge.call` makes calls of another kind.
        self.send_on(edge, call, -1)

    def on_reply(self, call: i64) -> None:
        """A call of ours has ended, well or not: timeouts, retries and breakers are the edge's, and are over by now."""
        self.reply_like(self.calls.parent[call], call)
        self.free_worker()

    def free_worker(self) -> None:
        """A worker is done with its call: the next one, please."""
        self.station.release(0)
        self.pull()

    def pull(self) -> None:
        """Let free workers take waiting calls."""
        while True:
            call = self.station.pull(0)
            if call < 0:
                break
            self.begin(call)
        self.note_queue(self.station.waiting_all, self.station.workers, "workers")

    # ---- what can happen to it

    def on_cancel(self, call: i64) -> None:
        """Its caller wants no answer any more (and gets none): free what the call holds. The engine drops the calls made for it."""
        if self.calls.mark[call] == WAITING:
            self.station.remove(call, 0)
        else:
            self.free_worker()

    def on_crash(self, instance: i64) -> None:
        """What was in memory is gone. The engine answers the calls that were in here."""
        self.station.clear(0)

    def on_fault(self, fault: str, params: Params) -> bool:
        """Faults of its own; False leaves the fault to those that all blocks have."""
        if fault != "throttle":
            return False
        limit = params.integer("to_per_s")
        self.lasting_fault("throttle", float(limit), params.ns("duration_s"))
        self.settle_throttle()
        # A notable moment: it stands in the feed and on the timeline.
        self.note("throttle", "warning", f"{self.label} is throttled", f"It takes {limit} calls a second.")
        return True

    def on_fault_end(self, fault: str, value: float) -> None:
        """A lasting fault of its own is over, by itself or ended by hand."""
        self.settle_throttle()

    def settle_throttle(self) -> None:
        """Faults overlap: of those that hold now the strictest counts."""
        self.throttle = -1
        for fault in self.active:
            if fault.name == "throttle" and (self.throttle < 0 or i64(fault.value) < self.throttle):
                self.throttle = i64(fault.value)

    # ---- figures

    def metrics(self) -> list[float]:
        """In the order of ``spec.py``."""
        return [
            float(self.station.busy_all),
            float(self.station.workers),
            float(self.over_limit),
            float(self.queue_full),
        ]

    def detail(self) -> dict[str, object]:
        """What the inspector shows when the block is selected: small, and nothing but numbers, texts, lists and dicts."""
        return {
            "taken_this_second": int(self.taken),
            "throttled_to": int(self.throttle) if self.throttle >= 0 else "not at all",
        }
