"""A filter in front of cache and database: who asks for an id that can't exist is told so at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mypy_extensions import i64

from playground.blocks.bloom_filter.building import build, taken_out
from playground.blocks.bloom_filter.figures import cell_state, last_id, shape
from playground.engine.block import Block
from playground.engine.filter_equivalent import make_filter
from playground.engine.filters import (
    CELLS,
    STANDARD,
    VARIANTS,
    Bloom,
    Filter,
    Size,
    size_by_bits,
    size_by_rate,
)
from playground.engine.outcomes import ABSENT, ERROR, FILTER_ADD, FILTER_CHECK, OK, OVERLOADED
from playground.engine.params import Params
from playground.engine.station import FULL, STARTED, Station
from playground.engine.streams import CONSTANT, Duration
from playground.engine.words import counted

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation

WAITING: Final = 0
SERVING: Final = 1
"""Marks of a call: it waits for a thread, or is on one."""

BUILT: Final = 0
EVERY: Final = 1
"""Timers, each with the serial of what it was set for: a rebuild is done; the next regular one is due."""

CERTAINLY_NOT: Final = 0
PERHAPS: Final = 1

SMALL_BYTES: Final = 60
QUIET_NS: Final = 10_000_000_000
MARKED: Final = 128


class BloomFilter(Block):
    """One filter that serves, and now and then one that is being built to take its place."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.work_stream = self.stream("operations")
        self.salt_stream = self.stream("hashes")
        self.lookup = Duration(CONSTANT, 0.0, 1.0)
        self.station = Station(simulation, 1, 1, -1)
        self.pool = self.station
        self.enabled: bool = True
        self.filled_with: i64 = -1
        self.size = Size(STANDARD, 1, CELLS, 1, 0)
        self.filter: Filter = Bloom(self.size, 0)
        # Whether what serves has been built: after a crash there is nothing that could say "certainly not".
        self.ready: bool = False
        self.building: Filter | None = None
        self.build_serial: i64 = 0
        self.rebuild_ns: i64 = 0
        self.every_ns: i64 = -1
        self.every_serial: i64 = 0
        self.begun: bool = False
        self.checked: i64 = 0
        self.rejected: i64 = 0
        self.passed: i64 = 0
        self.unfiltered: i64 = 0
        self.false_positives: i64 = 0
        self.false_negatives: i64 = 0
        # Since it was built, of ids that don't exist.
        self.absent_checked: i64 = 0
        self.absent_passed: i64 = 0
        self.adds: i64 = 0
        self.adds_refused: i64 = 0
        self.removals: i64 = 0
        self.removals_refused: i64 = 0
        self.rebuilds: i64 = 0
        self.last_key: i64 = -1
        self.last_answer: i64 = PERHAPS
        self.crowded: bool = False
        self.full_noted_at: i64 = -QUIET_NS
        self.refusal_noted_at: i64 = -QUIET_NS
        self.negative_noted_at: i64 = -QUIET_NS

    def configure(self, params: Params) -> None:
        """Take times and sizes; another size is a new filter, which has to be built."""
        self.station.resize(1, params.integer("threads"), params.integer("queue_max"))
        params.set_duration(self.lookup, "lookup")
        self.enabled = params.flag("enabled")
        self.filled_with = params.integer("filled_with")
        self.rebuild_ns = params.ns("rebuild_s")
        variant: i64 = VARIANTS.index(params.text("variant"))
        expected = params.integer("expected")
        if params.text("size_by") == "rate":
            size = size_by_rate(variant, expected, params.number("target_rate_percent") / 100.0)
        else:
            size = size_by_bits(variant, expected, params.number("bits_per_element"))
        other = not size.same_as(self.size)
        self.size = size
        every = params.ns("rebuild_every_s")
        if every != self.every_ns:
            self.every_ns = every
            if self.begun:
                self.set_alarm()
        if self.begun and other and self.crashed[0] == 0:
            self.begin_rebuild()
        self.pull()

    def started(self) -> None:
        """It holds the ids that there are, or as many as it was told."""
        self.begun = True
        self.filter = self.built(self.filled_with)
        self.ready = True
        self.set_alarm()
        self.watch_elements()
        self.watch_refused()

    # ---- a call's way through

    def on_call(self, call: i64) -> None:
        """Wait for a thread, or take one."""
        self.calls.mark[call] = WAITING
        became = self.station.offer(call, 0)
        if became == FULL:
            self.reply(call, OVERLOADED, 0, 0)
        elif became == STARTED:
            self.serve(call)
        else:
            self.note_queue(self.station.waiting_all, self.station.workers, "threads")

    def serve(self, call: i64) -> None:
        """A thread works on a call."""
        self.calls.mark[call] = SERVING
        self.work(call, self.lookup.draw(self.work_stream))

    def on_work(self, call: i64) -> None:
        """The operation takes effect now."""
        operation = self.calls.operation[call]
        key = self.calls.key[call]
        self.station.release(0)
        if operation == FILTER_CHECK:
            self.reply(call, OK, self.check(key), SMALL_BYTES)
        else:
            done = self.add(key) if operation == FILTER_ADD else self.remove(key)
            self.reply(call, OK if done else ERROR, 0, SMALL_BYTES)
        self.pull()

    def pull(self) -> None:
        """Let free threads take waiting calls."""
        while True:
            call = self.station.pull(0)
            if call < 0:
                break
            self.serve(call)
        self.note_queue(self.station.waiting_all, self.station.workers, "threads")

    def check(self, key: i64) -> i64:
        """Certainly not, or perhaps; what was right is counted beside it."""
        self.checked += 1
        if not self.enabled or not self.ready:
            self.unfiltered += 1
            self.passed += 1
            return PERHAPS
        answer: i64 = PERHAPS if self.filter.contains(key) else CERTAINLY_NOT
        self.last_key = key
        self.last_answer = answer
        if answer == PERHAPS:
            self.passed += 1
        else:
            self.rejected += 1
        source = self.source()
        if source is None:
            return answer
        if source.current_version(key) == ABSENT:
            self.absent_checked += 1
            if answer == PERHAPS:
                self.absent_passed += 1
                self.false_positives += 1
        elif answer == CERTAINLY_NOT:
            self.false_negatives += 1
            self.note_negative(key)
        return answer

    def add(self, key: i64) -> bool:
        """An id is new: it goes into what serves and into what is being built. False where it doesn't fit."""
        self.adds += 1
        fits = True
        if self.building is not None:
            fits = self.building.add(key)
        if self.ready:
            fits = self.filter.add(key) and fits
        if not fits:
            self.adds_refused += 1
            self.note_full(f"Id {key}")
        self.watch_elements()
        return fits

    def remove(self, key: i64) -> bool:
        """An id is gone: it is taken out of what serves and of what is being built, each if it can. False where one of them can't."""
        taken = self.building is None or taken_out(self.building, key)
        if self.ready:
            taken = taken_out(self.filter, key) and taken
        if taken:
            self.removals += 1
        else:
            self.removals_refused += 1
            self.note_refusal(key)
        return taken

    # ---- building

    def built(self, first: i64) -> Filter:
        """A filter with the ids 1 to ``first`` in it; -1: with those that the source has."""
        salt: i64 = i64(self.salt_stream.uniform() * 4294967296.0)
        return build(self.size, salt, first, self.source() if first < 0 else None)

    def begin_rebuild(self) -> None:
        """Read the ids that there are now; the new filter serves when ``rebuild_s`` is over."""
        self.build_serial += 1
        # Without a source there is nothing to read but what it had at the start.
        self.building = self.built(-1 if self.source() is not None else self.filled_with)
        self.timer(self.rebuild_ns, BUILT, self.build_serial & 0xFFFFFFFF)

    def set_alarm(self) -> None:
        """Set the time of the next regular rebuild; the one that was set is void."""
        self.every_serial += 1
        if self.every_ns >= 0:
            self.timer(self.every_ns, EVERY, self.every_serial & 0xFFFFFFFF)

    def on_timer(self, tag: i64, argument: i64) -> None:
        """A rebuild is done, or due."""
        if self.removed:
            return
        if tag == BUILT:
            if argument == self.build_serial & 0xFFFFFFFF:
                self.take_over()
        elif argument == self.every_serial & 0xFFFFFFFF:
            self.set_alarm()
            if self.building is None and self.crashed[0] == 0:
                self.begin_rebuild()

    def take_over(self) -> None:
        """The new filter takes the place of the old one."""
        made = self.building
        if made is None:
            return
        before = self.filter.elements if self.ready else 0
        self.filter = made
        self.building = None
        self.ready = True
        self.rebuilds += 1
        self.absent_checked = 0
        self.absent_passed = 0
        self.crowded = False
        self.note(
            "rebuilt",
            "good",
            f"{self.label} rebuilt",
            f"{counted(made.elements, 'id is', 'ids are')} in, {counted(before, 'was', 'were')} before. New hashes, new false positives.",
        )
        self.watch_elements()
        self.watch_refused()

    # ---- notable moments

    def watch_elements(self) -> None:
        """Say when more ids are in than it was sized for, once a filter."""
        size = self.filter.size
        if self.crowded or self.filter.elements <= size.expected:
            return
        self.crowded = True
        self.note(
            "past_capacity",
            "warning",
            f"{self.label} holds more ids than planned",
            f"{self.filter.elements} ids, sized for {size.expected}: "
            f"false positives climb from {100.0 * size.rate(size.expected):.3g} %.",
        )

    def watch_refused(self) -> None:
        """Count the ids for which there was no place when the filter that serves now was built."""
        made = self.filter
        if made.refused > 0:
            self.adds_refused += made.refused
            self.note_full(f"It was built of {made.elements + made.refused} ids, and {made.refused} of them")

    def note_full(self, who: str) -> None:
        """A cuckoo filter takes no more."""
        if self.now() - self.full_noted_at >= QUIET_NS:
            self.full_noted_at = self.now()
            text = f"{who} found no place, and will be said not to exist until the filter is rebuilt for more ids."
            self.note("filter_full", "bad", f"{self.label} is full", text)

    def note_refusal(self, key: i64) -> None:
        """A standard filter can't forget."""
        if self.now() - self.refusal_noted_at >= QUIET_NS:
            self.refusal_noted_at = self.now()
            text = (
                f'Bits of id {key} may be those of other ids as well. It stays "perhaps" until the filter is rebuilt.'
            )
            self.note("removal_refused", "info", f"{self.label} can't take ids out", text)

    def note_negative(self, key: i64) -> None:
        """An item that exists was kept from its reader."""
        if self.now() - self.negative_noted_at >= QUIET_NS:
            self.negative_noted_at = self.now()
            text = f'Id {key} exists, and got "certainly not": the filter was not told of it, or not yet.'
            self.note("false_negative", "bad", f"{self.label} keeps an item away", text)

    # ---- faults

    def on_cancel(self, call: i64) -> None:
        """Free the place in the queue, or the thread."""
        if self.calls.mark[call] == WAITING:
            self.station.remove(call, 0)
        else:
            self.station.release(0)
            self.pull()

    def on_crash(self, instance: i64) -> None:
        """The filter is gone, and so is the one that was being built."""
        self.station.clear(0)
        self.ready = False
        self.building = None
        self.build_serial += 1
        self.filter = make_filter(self.size, 0, 0)

    def on_restart(self, instance: i64) -> None:
        """It is empty, so it says "perhaps" to everything until it has read all ids again."""
        if self.removed:
            return
        self.begin_rebuild()
        seconds = float(self.rebuild_ns) / 1e9
        text = f'It was lost in the crash. Everything gets "perhaps" until it is rebuilt, in {seconds:g} s.'
        self.note("filter_empty", "warning", f"{self.label} is empty", text)

    def on_fault(self, fault: str, params: Params) -> bool:
        """``rebuild`` begins one."""
        if fault != "rebuild":
            return False
        if self.crashed[0] == 0:
            self.begin_rebuild()
        seconds = float(self.rebuild_ns) / 1e9
        self.note("rebuild_begun", "info", f"{self.label} is being rebuilt", f"The old one serves for {seconds:g} s.")
        return True

    # ---- figures

    def metrics(self) -> list[float]:
        """See ``figures.py``."""
        size = self.filter.size
        observed = float(self.absent_passed) / float(self.absent_checked) if self.absent_checked > 0 else 0.0
        return [
            float(self.checked),
            float(self.rejected),
            float(self.passed),
            float(self.unfiltered),
            float(self.false_positives),
            float(self.false_negatives),
            100.0 * observed,
            100.0 * size.rate(self.filter.elements),
            float(self.filter.elements),
            float(size.expected),
            100.0 * self.filter.fill(),
            float(size.bits),
            float(size.bits) / 8e6,
            float(self.adds),
            float(self.adds_refused),
            float(self.removals),
            float(self.removals_refused),
            float(self.rebuilds),
            0.0 if self.building is None else 1.0,
        ]

    def cells(self) -> list[int]:
        """How full its parts are, and where the last id falls."""
        found = self.filter
        states: list[int] = [cell_state(found, cell) for cell in range(CELLS)]
        if self.ready and self.last_key >= 0:
            for position in found.positions(self.last_key):
                cell = found.cell_of(position)
                states[cell] |= MARKED
        return states

    def detail(self) -> dict[str, object]:
        """Sizes, formula, and the last id with its positions."""
        words = shape(self.filter, self.ready)
        words["rebuilding"] = self.building is not None
        if self.last_key >= 0 and self.ready:
            said = "perhaps" if self.last_answer == PERHAPS else "certainly not"
            words["last_id"] = last_id(self.filter, self.last_key, said)
        words["failures"] = self.failures_by_reason()
        return words
