"""The event heap: a 4-ary heap in three packed columns, ordered by (time, sequence), so ties are never left to chance."""

from __future__ import annotations

from typing import Final, final

from librt.vecs import vec
from mypy_extensions import i64

from playground.engine.columns import grown, zeros
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
rings, a fault ends (tag 0 a block's, 1 an edge's), a cancellation arrives at the callee."""

ARGUMENT_MASK: Final = 0xFFFFFFFF


@final
class Heap(State):
    """All events to come."""

    def __init__(self) -> None:
        self.size: i64 = 0
        self.sequence: i64 = 0
        self.time: vec[i64] = zeros(1024)
        self.order: vec[i64] = zeros(1024)
        self.what: vec[i64] = zeros(1024)

    def push(self, at: i64, kind: i64, tag: i64, owner: i64, argument: i64) -> None:
        """Schedule an event at virtual time ``at`` ns."""
        sequence = self.sequence
        self.sequence = sequence + 1
        self.place(at, sequence << 8 | tag << 3 | kind, owner << 32 | argument)

    def place(self, at: i64, order: i64, what: i64) -> None:
        """Put an event with its order already made."""
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

    def drop(self) -> None:
        """Remove the first event. The heap must not be empty."""
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

    def rebuild(self, keep: vec[i64]) -> None:
        """Keep only the events whose index ``keep`` marks with 1, at the times that now stand in the columns."""
        old = self.size
        times = self.time[:]
        orders = self.order[:]
        whats = self.what[:]
        self.size = 0
        index: i64 = 0
        while index < old:
            if keep[index] == 1:
                self.place(times[index], orders[index], whats[index])
            index += 1
