"""Lists: sent to all shards, waited for as long as it may take, merged into one answer that says what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from librt.vecs import append, vec
from mypy_extensions import i64, mypyc_attr

from playground.blocks.shard_router import pages
from playground.blocks.shard_router.moving import Moving
from playground.blocks.shard_router.states import GATHER_TIMER, GATHERING, MERGING, QUIET_NS, SCATTERED, SMALL_BYTES
from playground.engine.calls import ANSWERED, AT_CALLEE
from playground.engine.durations import whole_ns
from playground.engine.outcomes import BAD_REQUEST, OK, PAGE_KIND_BITS, UPSTREAM_TIMEOUT, as_upstream
from playground.engine.params import Params
from playground.engine.state import State

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation

OUT_BITS: Final = 20
OUT_MASK: Final = (1 << OUT_BITS) - 1
ONE_MISSING: Final = 1 << OUT_BITS
"""What a list's memo says: shards that haven't answered yet, and above these bits those that never will."""


@final
class Waits(State):
    """Slots for timers, each with the call it is about. A slot is free again when its timer has rung, never before."""

    def __init__(self) -> None:
        self.call: vec[i64] = vec[i64]()
        self.serial: vec[i64] = vec[i64]()
        self.arrived: vec[i64] = vec[i64]()
        self.free: list[int] = []

    def take(self, call: i64, serial: i64, arrived: i64) -> i64:
        """A slot for a call: ``serial`` tells it from a later one with the same handle, ``arrived`` from another attempt."""
        if len(self.free) > 0:
            slot: i64 = self.free.pop()
            self.call[slot] = call
            self.serial[slot] = serial
            self.arrived[slot] = arrived
            return slot
        self.call = append(self.call, call)
        self.serial = append(self.serial, serial)
        self.arrived = append(self.arrived, arrived)
        return len(self.call) - 1

    def give_back(self, slot: i64) -> i64:
        """The timer has rung; the call."""
        self.free.append(int(slot))
        return self.call[slot]


@mypyc_attr(allow_interpreted_subclasses=True)
class Gathering(Moving):
    """Scatter and gather. A list without any shard ends in ``end_nowhere``, an answered one in ``end_call``."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.merge_ns: float = 0.0
        self.deadline_ns: i64 = -1
        self.waits = Waits()
        self.scattered: i64 = 0
        self.fanned_out: i64 = 0
        self.partial: i64 = 0
        self.missing: i64 = 0
        self.partial_noted_at: i64 = -QUIET_NS
        self.too_deep: i64 = 0
        self.too_deep_noted_at: i64 = -QUIET_NS

    def configure_lists(self, params: Params) -> None:
        """How long they wait, and what merging takes."""
        self.merge_ns = params.number("merge_us") * 1_000.0
        self.deadline_ns = params.ns("shard_deadline_ms")

    def end_call(self, call: i64, outcome: i64) -> None:
        """Answer."""
        raise AssertionError("the router says how")

    def end_nowhere(self, call: i64, shard: i64) -> None:
        """There is no shard to ask."""
        raise AssertionError("the router says how")

    def scatter(self, call: i64) -> None:
        """Ask every shard, and wait for all, or as long as it may take."""
        calls = self.calls
        calls.mark[call] = GATHERING
        calls.memo[call] = self.shards.there_all
        # A bucket that is cut over while its shards answer is taken from the one that had it, and from no other.
        calls.next[call] = self.map.turn
        calls.reply_bytes[call] = SMALL_BYTES
        self.scattered += 1
        if self.shards.there_all == 0:
            self.end_nowhere(call, -1)
            return
        paged = pages.is_page(calls, call)
        if paged:
            if pages.counted_past(calls, call) + (calls.token[call] >> PAGE_KIND_BITS) > pages.WINDOW_ROWS:
                self.refuse_depth(call)
                return
            calls.advise(call, 0, self.simulation.bodies.take(self.simulation.now).number)
        if self.deadline_ns > 0:
            self.timer(self.deadline_ns, GATHER_TIMER, self.waits.take(call, calls.serial[call], calls.arrived[call]))
        shard: i64 = 0
        while shard < len(self.shards.there):
            edge = self.shards.edge[shard]
            if edge is not None:
                self.fanned_out += 1
                made = self.send_on(edge, call, -1)
                calls.step[made] = SCATTERED
                if paged:
                    pages.ask(calls, call, made)
            shard += 1

    def scatter_on(self, call: i64, after: i64, wanted: i64) -> None:
        """The shards' parts broke off before the page was full, since they held rows that others serve: ask them for what comes after."""
        calls = self.calls
        calls.memo[call] = self.shards.there_all
        calls.next[call] = self.map.turn
        shard: i64 = 0
        while shard < len(self.shards.there):
            edge = self.shards.edge[shard]
            if edge is not None:
                self.fanned_out += 1
                made = self.send_on(edge, call, -1)
                calls.step[made] = SCATTERED
                pages.ask_after(calls, call, made, after, wanted)
            shard += 1

    def oldest_list(self) -> i64:
        """The map's turn at which the oldest of the lists under way was scattered; the one after the present where there is none."""
        calls = self.calls
        edges = self.simulation.edges
        oldest = self.map.turn + 1
        call: i64 = 0
        while call < calls.capacity:
            edge = calls.edge[call]
            if (
                edge >= 0
                and calls.flags[call] & AT_CALLEE != 0
                and edges[edge].callee_index == self.index
                and calls.mark[call] == GATHERING
                and calls.next[call] < oldest
            ):
                oldest = calls.next[call]
            call += 1
        return oldest

    def is_short(self, call: i64) -> bool:
        """Whether a page has to be gone on with; then it is."""
        calls = self.calls
        page = self.simulation.bodies.find(calls.advice[call])
        if page is None or self.shards.there_all == 0:
            return False
        wanted = pages.rows_wanted(calls, call) - pages.break_off(page)
        if wanted <= 0 or not page.more:
            return False
        after = page.upto
        page.upto = 0
        page.more = False
        self.scatter_on(call, after, wanted)
        return True

    def refuse_depth(self, call: i64) -> None:
        """A page by number that is too deep: every shard would have to give all rows before it."""
        self.too_deep += 1
        now = self.simulation.now
        if now - self.too_deep_noted_at >= QUIET_NS:
            self.too_deep_noted_at = now
            rows = pages.rows_wanted(self.calls, call)
            text = (
                f"Each shard would have to give its first {rows:,} rows, for any of these may come before the page. Past "
                f"{pages.WINDOW_ROWS:,} that is refused (400); a page after a key takes as many rows from each shard as it has."
            )
            self.note("too_deep", "warning", f"{self.label} refuses a deep page by number", text)
        self.end_call(call, BAD_REQUEST)

    def take_page(self, parent: i64, call: i64) -> None:
        """Add a shard's part to the page."""
        calls = self.calls
        bodies = self.simulation.bodies
        page = bodies.find(calls.advice[parent])
        part = bodies.find(calls.advice[call]) if calls.flags[call] & ANSWERED != 0 else None
        if page is None or part is None:
            return
        shard: i64 = 0
        while shard < len(self.shards.edge):
            edge = self.shards.edge[shard]
            if edge is not None and edge.index == calls.edge[call]:
                pages.take_in(self, page, part, shard, calls.next[parent])
            shard += 1
        number: i64 = len(part.rows)
        # For now the size of a row.
        calls.reply_bytes[parent] = calls.reply_bytes[call] // number if number > 0 else calls.reply_bytes[parent]
        bodies.give_back(part)

    def close_page(self, call: i64) -> None:
        """All parts are in that will come."""
        calls = self.calls
        page = self.simulation.bodies.find(calls.advice[call])
        if page is not None:
            pages.close(page, pages.counted_past(calls, call), calls.token[call] >> PAGE_KIND_BITS)
            calls.reply_bytes[call] = SMALL_BYTES + len(page.rows) * calls.reply_bytes[call]

    def on_gathered(self, parent: i64, call: i64) -> None:
        """One of the shards has answered. Without a deadline a failure of one fails the list; with one it is a part that is missing."""
        calls = self.calls
        outcome = calls.outcome[call]
        if outcome != OK and self.deadline_ns <= 0:
            self.drop_children(parent)
            self.end_call(parent, as_upstream(outcome))
            return
        if outcome != OK:
            calls.memo[parent] += ONE_MISSING
        elif pages.is_page(calls, parent):
            self.take_page(parent, call)
        elif calls.reply_bytes[call] > calls.reply_bytes[parent]:
            calls.reply_bytes[parent] = calls.reply_bytes[call]
        calls.memo[parent] -= 1
        if calls.memo[parent] & OUT_MASK == 0:
            self.merge(parent)

    def on_gather_timer(self, slot: i64) -> None:
        """A list has waited long enough: what hasn't come is missing."""
        waits = self.waits
        call = waits.give_back(slot)
        calls = self.calls
        same = calls.serial[call] == waits.serial[slot] and calls.arrived[call] == waits.arrived[slot]
        if not same or calls.edge[call] < 0 or calls.flags[call] & AT_CALLEE == 0 or calls.mark[call] != GATHERING:
            return
        out = calls.memo[call] & OUT_MASK
        calls.memo[call] += out * ONE_MISSING - out
        self.drop_children(call)
        self.merge(call)

    def merge(self, call: i64) -> None:
        """All have answered that will: their pages become one."""
        calls = self.calls
        missing = calls.memo[call] >> OUT_BITS
        asked = self.shards.there_all if self.shards.there_all > missing else missing
        if missing > 0:
            self.missing += missing
            if missing == asked:
                self.end_call(call, UPSTREAM_TIMEOUT)
                return
            self.partial += 1
            if pages.is_page(calls, call):
                calls.verdict[call] = missing
            else:
                calls.advise(call, 0, missing)
            now = self.simulation.now
            if now - self.partial_noted_at >= QUIET_NS:
                self.partial_noted_at = now
                text = f"{missing} of {asked} shards had not answered after {float(self.deadline_ns) / 1e6:g} ms, or failed."
                self.note("partial", "warning", f"{self.label} gives a partial answer", text)
        if pages.is_page(calls, call):
            if missing == 0 and self.is_short(call):
                return
            self.close_page(call)
        ns = whole_ns(self.merge_ns * float(asked - missing))
        if ns > 0:
            calls.mark[call] = MERGING
            self.work(call, ns)
        else:
            self.end_call(call, OK)
