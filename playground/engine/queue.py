"""The future event list: events ordered by (time, sequence), so ties are never left to chance.

The nearest events lie sorted in three packed columns, and few are kept there: from ``SPREAD_FROM`` events on, later ones wait unsorted in
a wheel of buckets of equal width, and beyond the wheel in a heap, until their bucket's turn comes. Putting in and taking out then cost the
same whatever the number of events (R. Brown, "Calendar queues", Communications of the ACM 31(10), 1988). Where an event lies never changes
the order in which it comes out.
"""

from __future__ import annotations

from typing import Final, final

from librt.vecs import vec
from mypy_extensions import i64

from playground.engine.columns import filled, grown, zeros
from playground.engine.state import State

# An event's second column is sequence << 8 | tag << 3 | kind; its third is owner << 32 | argument.
CALL: Final = 0
REPLY: Final = 1
WORK: Final = 2
TIMER: Final = 3
EDGE: Final = 4
FAULT: Final = 5
CANCEL: Final = 6
"""Kinds of events: a call arrives at its callee, a reply at its caller, a piece of work is done, a block's timer rings, an edge's timer
rings, a fault ends (tag 0 a block's, 1 an edge's), a cancellation arrives at the callee
(tag 1: word that the connection is closed)."""

ARGUMENT_MASK: Final = 0xFFFFFFFF

NEVER: Final = 9_223_372_036_854_775_807
SPREAD_FROM: Final = 16
BUCKETS: Final = 2048
BUCKET_MASK: Final = 2047
SAMPLE: Final = 12
"""So many of the nearest events tell how wide a bucket should be."""

SORT_FROM: Final = 24
"""A bucket with more events than this is sorted by a heap before it is brought in."""

CROWDED: Final = 32
"""With twice as many events near, buckets are too wide."""

LOADS_PER_LOOK: Final = 2048
"""After so many buckets it is looked whether their width still suits."""


class Pile(State):
    """A 4-ary heap in three columns; the first event is at index 0."""

    def __init__(self) -> None:
        self.size: i64 = 0
        self.time: vec[i64] = zeros(64)
        self.order: vec[i64] = zeros(64)
        self.what: vec[i64] = zeros(64)

    def insert(self, at: i64, order: i64, what: i64) -> None:
        """Put an event in."""
        index = self.size
        if index >= len(self.time):
            self.grow()
        self.size = index + 1
        times = self.time
        orders = self.order
        whats = self.what
        while index > 0:
            parent: i64 = (index - 1) >> 2
            parent_time = times[parent]
            if parent_time < at or (parent_time == at and orders[parent] < order):
                break
            times[index] = parent_time
            orders[index] = orders[parent]
            whats[index] = whats[parent]
            index = parent
        times[index] = at
        orders[index] = order
        whats[index] = what

    def remove_first(self) -> None:
        """Take the first event out. There must be one."""
        times = self.time
        orders = self.order
        whats = self.what
        size = self.size - 1
        self.size = size
        if size == 0:
            return
        at = times[size]
        order = orders[size]
        index: i64 = 0
        while True:
            child: i64 = 4 * index + 1
            if child >= size:
                break
            best = child
            best_time = times[child]
            best_order = orders[child]
            end = child + 4
            if end > size:
                end = size
            child += 1
            while child < end:
                child_time = times[child]
                if child_time < best_time or (child_time == best_time and orders[child] < best_order):
                    best = child
                    best_time = child_time
                    best_order = orders[child]
                child += 1
            if best_time < at or (best_time == at and best_order < order):
                times[index] = best_time
                orders[index] = best_order
                whats[index] = whats[best]
                index = best
            else:
                break
        times[index] = at
        orders[index] = order
        whats[index] = whats[size]

    def grow(self) -> None:
        """Double the columns."""
        length: i64 = 2 * len(self.time)
        self.time = grown(self.time, length)
        self.order = grown(self.order, length)
        self.what = grown(self.what, length)


@final
class EventQueue(State):
    """All events to come. The nearest ones stand in order in ``time``, ``order`` and ``what``, from index ``head`` to before ``tail``; when
    anything is to come at all, the very first event is at ``head``.
    """

    def __init__(self) -> None:
        self.sequence: i64 = 0
        self.head: i64 = 0
        self.tail: i64 = 0
        self.time: vec[i64] = zeros(64)
        self.order: vec[i64] = zeros(64)
        self.what: vec[i64] = zeros(64)
        # What lies at near_end or later is in the wheel or beyond it.
        self.near_end: i64 = NEVER
        self.shift: i64 = 0
        self.base: i64 = 0
        self.crowded: i64 = SPREAD_FROM
        self.waiting: i64 = 0
        self.first: vec[i64] = filled(BUCKETS, -1)
        self.slot_time: vec[i64] = zeros(64)
        self.slot_order: vec[i64] = zeros(64)
        self.slot_what: vec[i64] = zeros(64)
        self.slot_next: vec[i64] = zeros(64)
        self.slots_made: i64 = 0
        self.free_slot: i64 = -1
        self.far = Pile()
        self.sorter = Pile()
        self.loads: i64 = 0
        self.scanned: i64 = 0
        self.loaded: i64 = 0

    def pending(self) -> i64:
        """How many events are to come."""
        return self.tail - self.head + self.waiting + self.far.size

    def push(self, at: i64, kind: i64, tag: i64, owner: i64, argument: i64) -> None:
        """Schedule an event at virtual time ``at`` ns."""
        sequence = self.sequence
        self.sequence = sequence + 1
        self.place(at, sequence << 8 | tag << 3 | kind, owner << 32 | argument)

    def place(self, at: i64, order: i64, what: i64) -> None:
        """Put an event with its order already made."""
        if at < self.near_end:
            self.insert(at, order, what)
            if self.tail - self.head > self.crowded:
                self.spread_anew()
            return
        if (at >> self.shift) - self.base < BUCKETS:
            self.put_into_wheel(at, order, what)
        else:
            self.far.insert(at, order, what)
        if self.tail == self.head:
            self.refill()

    def drop(self) -> None:
        """Remove the first event. There must be one."""
        head = self.head + 1
        if head < self.tail:
            self.head = head
            return
        self.head = 0
        self.tail = 0
        if self.near_end != NEVER:
            self.refill()

    def insert(self, at: i64, order: i64, what: i64) -> None:
        """Put an event among the nearest, from behind: it mostly comes after those that are there."""
        index = self.tail
        if index >= len(self.time):
            self.make_room()
            index = self.tail
        head = self.head
        times = self.time
        orders = self.order
        whats = self.what
        self.tail = index + 1
        while index > head:
            before = index - 1
            time_before = times[before]
            if time_before < at or (time_before == at and orders[before] < order):
                break
            times[index] = time_before
            orders[index] = orders[before]
            whats[index] = whats[before]
            index = before
        times[index] = at
        orders[index] = order
        whats[index] = what

    def make_room(self) -> None:
        """Move the nearest events to the columns' beginning, or lengthen these where that gives nothing."""
        head = self.head
        count = self.tail - head
        if 2 * count > len(self.time):
            length: i64 = 2 * len(self.time)
            self.time = grown(self.time, length)
            self.order = grown(self.order, length)
            self.what = grown(self.what, length)
        index: i64 = 0
        while index < count:
            self.time[index] = self.time[head + index]
            self.order[index] = self.order[head + index]
            self.what[index] = self.what[head + index]
            index += 1
        self.head = 0
        self.tail = count

    def put_into_wheel(self, at: i64, order: i64, what: i64) -> None:
        """Let an event wait in its bucket."""
        slot = self.free_slot
        if slot >= 0:
            self.free_slot = self.slot_next[slot]
        else:
            slot = self.slots_made
            self.slots_made = slot + 1
            if slot >= len(self.slot_time):
                length: i64 = 2 * slot
                self.slot_time = grown(self.slot_time, length)
                self.slot_order = grown(self.slot_order, length)
                self.slot_what = grown(self.slot_what, length)
                self.slot_next = grown(self.slot_next, length)
        bucket: i64 = (at >> self.shift) & BUCKET_MASK
        self.slot_time[slot] = at
        self.slot_order[slot] = order
        self.slot_what[slot] = what
        self.slot_next[slot] = self.first[bucket]
        self.first[bucket] = slot
        self.waiting += 1

    def refill(self) -> None:
        """Nothing near is left: bring in the next bucket that has something, if anything is to come at all."""
        if self.waiting + self.far.size == 0:
            self.near_end = NEVER
            self.crowded = SPREAD_FROM
            return
        self.draw_in()
        if self.waiting == 0:
            self.base = self.far.time[0] >> self.shift
            self.draw_in()
        first = self.first
        base = self.base
        while first[base & BUCKET_MASK] < 0:
            base += 1
        self.scanned += base - self.base
        self.base = base + 1
        self.near_end = (base + 1) << self.shift
        self.empty_bucket(base & BUCKET_MASK)
        self.loads += 1
        if self.loads >= LOADS_PER_LOOK:
            self.look()

    def empty_bucket(self, bucket: i64) -> None:
        """Bring in all events of a bucket."""
        slot = self.first[bucket]
        self.first[bucket] = -1
        count: i64 = 0
        while slot >= 0:
            if count < SORT_FROM:
                self.insert(self.slot_time[slot], self.slot_order[slot], self.slot_what[slot])
            else:
                self.sorter.insert(self.slot_time[slot], self.slot_order[slot], self.slot_what[slot])
            following = self.slot_next[slot]
            self.slot_next[slot] = self.free_slot
            self.free_slot = slot
            slot = following
            count += 1
        self.waiting -= count
        self.loaded += count
        if self.sorter.size > 0:
            self.merge_sorted()

    def merge_sorted(self) -> None:
        """Bring in what is in the sorter, together with what is near already."""
        sorter = self.sorter
        index = self.head
        while index < self.tail:
            sorter.insert(self.time[index], self.order[index], self.what[index])
            index += 1
        self.head = 0
        self.tail = 0
        while sorter.size > 0:
            self.insert(sorter.time[0], sorter.order[0], sorter.what[0])
            sorter.remove_first()

    def draw_in(self) -> None:
        """Take what the wheel reaches by now from beyond it."""
        far = self.far
        end = self.base + BUCKETS
        while far.size > 0 and far.time[0] >> self.shift < end:
            self.put_into_wheel(far.time[0], far.order[0], far.what[0])
            far.remove_first()

    def look(self) -> None:
        """Spread anew where buckets have become too full or too empty."""
        full = self.loaded > 8 * self.loads
        empty = self.scanned > 4 * self.loaded
        self.loads = 0
        self.loaded = 0
        self.scanned = 0
        if full or empty:
            self.spread_anew()

    def spread_anew(self) -> None:
        """Choose the buckets' width by the present events. Where many belong to one instant, that can't be helped, nor tried too often."""
        self.gather()
        self.crowded = SPREAD_FROM
        if self.tail > SPREAD_FROM:
            self.spread()
            near = self.tail - self.head
            self.crowded = 2 * near if near > CROWDED else 2 * CROWDED

    def spread(self) -> None:
        """Choose the buckets' width by the nearest events, about three in each, and put all later ones into the wheel."""
        head = self.head
        first_time = self.time[head]
        width: i64 = 3 * (self.time[head + SAMPLE - 1] - first_time) // SAMPLE
        shift: i64 = 0
        while width > 1:
            width >>= 1
            shift += 1
        self.shift = shift
        self.base = (first_time >> shift) + 1
        near_end = self.base << shift
        self.near_end = near_end
        tail = self.tail
        index = head
        while index < tail and self.time[index] < near_end:
            index += 1
        self.tail = index
        while index < tail:
            at = self.time[index]
            if (at >> shift) - self.base < BUCKETS:
                self.put_into_wheel(at, self.order[index], self.what[index])
            else:
                self.far.insert(at, self.order[index], self.what[index])
            index += 1

    def gather(self) -> None:
        """Bring all events into the sorted columns, ``head`` 0, for those who have to look at each of them."""
        self.near_end = NEVER
        self.crowded = SPREAD_FROM
        sorter = self.sorter
        bucket: i64 = 0
        while self.waiting > 0:
            slot = self.first[bucket]
            while slot >= 0:
                sorter.insert(self.slot_time[slot], self.slot_order[slot], self.slot_what[slot])
                slot = self.slot_next[slot]
                self.waiting -= 1
            self.first[bucket] = -1
            bucket += 1
        self.slots_made = 0
        self.free_slot = -1
        far = self.far
        while far.size > 0:
            sorter.insert(far.time[0], far.order[0], far.what[0])
            far.remove_first()
        self.merge_sorted()

    def rebuild(self, keep: vec[i64]) -> None:
        """After :meth:`gather`: keep only the events whose index ``keep`` marks with 1, at the times that now stand in the columns."""
        sorter = self.sorter
        index: i64 = 0
        while index < self.tail:
            if keep[index] == 1:
                sorter.insert(self.time[index], self.order[index], self.what[index])
            index += 1
        self.tail = 0
        self.merge_sorted()
