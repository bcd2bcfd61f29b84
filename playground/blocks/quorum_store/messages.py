"""Messages between nodes that are on their way."""

from __future__ import annotations

from typing import final

from librt.vecs import append, vec
from mypy_extensions import i64

from playground.blocks.quorum_store.states import BRINGING
from playground.engine.columns import filled, grown, zeros
from playground.engine.state import State

FREE = -1


@final
class Messages(State):
    """Columns by message: its ``kind`` (-1: none), from ``source`` to ``goal``, about ``key``, for request ``work`` (-1: none) and its
    ``row``, ``about`` a third node or a hint, with ``count`` versions in ``slots``."""

    def __init__(self, width: i64) -> None:
        self.width: i64 = width
        self.made: i64 = 0
        self.capacity: i64 = 64
        self.kind: vec[i64] = filled(64, FREE)
        self.source: vec[i64] = zeros(64)
        self.goal: vec[i64] = zeros(64)
        self.key: vec[i64] = zeros(64)
        self.work: vec[i64] = zeros(64)
        self.row: vec[i64] = zeros(64)
        self.about: vec[i64] = zeros(64)
        self.count: vec[i64] = zeros(64)
        self.slots: vec[i64] = zeros(64 * width)
        self.free: vec[i64] = zeros(64)
        self.free_count: i64 = 0

    def take(self, kind: i64, source: i64, goal: i64, key: i64) -> i64:
        """A new message, with nothing in it."""
        if self.free_count > 0:
            self.free_count -= 1
            message = self.free[self.free_count]
        else:
            message = self.made
            self.made += 1
            if message >= self.capacity:
                self.grow()
        self.kind[message] = kind
        self.source[message] = source
        self.goal[message] = goal
        self.key[message] = key
        self.work[message] = -1
        self.row[message] = 0
        self.about[message] = -1
        self.count[message] = 0
        return message

    def bringing(self, key: i64) -> vec[i64]:
        """All messages that bring versions of ``key`` to a node."""
        found = vec[i64]()
        message: i64 = 0
        while message < self.made:
            if self.key[message] == key and self.kind[message] in BRINGING:
                found = append(found, message)
            message += 1
        return found

    def load(self, message: i64, column: vec[i64], base: i64, count: i64) -> None:
        """Put versions in."""
        self.count[message] = count
        at = message * self.width
        index: i64 = 0
        while index < count:
            self.slots[at + index] = column[base + index]
            index += 1

    def turn(self, message: i64, kind: i64) -> None:
        """Make it the answer to itself."""
        source = self.source[message]
        self.source[message] = self.goal[message]
        self.goal[message] = source
        self.kind[message] = kind

    def release(self, message: i64) -> None:
        """It has arrived, or is lost."""
        self.kind[message] = FREE
        self.free[self.free_count] = message
        self.free_count += 1

    def grow(self) -> None:
        """Double the table."""
        length = 2 * self.capacity
        self.capacity = length
        self.kind = grown(self.kind, length, FREE)
        self.source = grown(self.source, length)
        self.goal = grown(self.goal, length)
        self.key = grown(self.key, length)
        self.work = grown(self.work, length)
        self.row = grown(self.row, length)
        self.about = grown(self.about, length)
        self.count = grown(self.count, length)
        self.slots = grown(self.slots, length * self.width)
        self.free = grown(self.free, length)
