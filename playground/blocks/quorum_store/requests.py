"""Reads and writes that a coordinator works on, each with the nodes that it turned to."""

from __future__ import annotations

from typing import final

from librt.vecs import vec
from mypy_extensions import i64

from playground.blocks.quorum_store.states import OPEN, ROWS_MAX
from playground.engine.columns import filled, grown, zeros
from playground.engine.state import State

FREE = -1


@final
class Requests(State):
    """Columns by request: ``kind`` (-1: none), the ``call`` it answers (-1: nobody waits), its coordinator ``node``, ``key``, when it
    ``began``, answers ``needed`` and ``got``, ``rows`` it has, the next ``spare`` node in the key's order, ``version`` (written) or the one
    ``expected`` (read), the versions read so far (``seen`` in ``slots``), and ``held`` by so many messages and timers.

    Columns by row (``ROWS_MAX`` a request): the ``goal``, the node that it ``stands_for`` (-1: itself), whether it ``answered``, and what
    (``row_seen`` in ``row_slots``).
    """

    def __init__(self, width: i64) -> None:
        self.width: i64 = width
        self.made: i64 = 0
        self.capacity: i64 = 16
        self.kind: vec[i64] = filled(16, FREE)
        self.state: vec[i64] = zeros(16)
        self.call: vec[i64] = zeros(16)
        self.node: vec[i64] = zeros(16)
        self.key: vec[i64] = zeros(16)
        self.point: vec[i64] = zeros(16)
        self.began: vec[i64] = zeros(16)
        self.needed: vec[i64] = zeros(16)
        self.got: vec[i64] = zeros(16)
        self.rows: vec[i64] = zeros(16)
        self.spare: vec[i64] = zeros(16)
        self.held: vec[i64] = zeros(16)
        self.version: vec[i64] = zeros(16)
        self.expected: vec[i64] = zeros(16)
        self.repaired: vec[i64] = zeros(16)
        self.seen: vec[i64] = zeros(16)
        self.slots: vec[i64] = zeros(16 * width)
        self.goal: vec[i64] = zeros(16 * ROWS_MAX)
        self.stands_for: vec[i64] = zeros(16 * ROWS_MAX)
        self.answered: vec[i64] = zeros(16 * ROWS_MAX)
        self.row_seen: vec[i64] = zeros(16 * ROWS_MAX)
        self.row_slots: vec[i64] = zeros(16 * ROWS_MAX * width)
        self.free: vec[i64] = zeros(16)
        self.free_count: i64 = 0

    def take(self, kind: i64, call: i64, node: i64, key: i64, now: i64) -> i64:
        """A new request, without rows."""
        if self.free_count > 0:
            self.free_count -= 1
            work = self.free[self.free_count]
        else:
            work = self.made
            self.made += 1
            if work >= self.capacity:
                self.grow()
        self.kind[work] = kind
        self.state[work] = OPEN
        self.call[work] = call
        self.node[work] = node
        self.key[work] = key
        self.began[work] = now
        self.got[work] = 0
        self.rows[work] = 0
        self.held[work] = 0
        self.version[work] = 0
        self.expected[work] = 0
        self.repaired[work] = 0
        self.seen[work] = 0
        return work

    def turn_to(self, work: i64, node: i64, stands_for: i64) -> i64:
        """Another node to ask; its row."""
        row = self.rows[work]
        self.rows[work] = row + 1
        at = work * ROWS_MAX + row
        self.goal[at] = node
        self.stands_for[at] = stands_for
        self.answered[at] = 0
        self.row_seen[at] = 0
        return row

    def asked(self, work: i64, node: i64) -> bool:
        """Whether it turned to ``node`` already."""
        at = work * ROWS_MAX
        end = at + self.rows[work]
        while at < end:
            if self.goal[at] == node:
                return True
            at += 1
        return False

    def release(self, work: i64) -> None:
        """Nobody holds it any more."""
        self.kind[work] = FREE
        self.free[self.free_count] = work
        self.free_count += 1

    def grow(self) -> None:
        """Double the table."""
        length = 2 * self.capacity
        self.capacity = length
        self.kind = grown(self.kind, length, FREE)
        self.state = grown(self.state, length)
        self.call = grown(self.call, length)
        self.node = grown(self.node, length)
        self.key = grown(self.key, length)
        self.point = grown(self.point, length)
        self.began = grown(self.began, length)
        self.needed = grown(self.needed, length)
        self.got = grown(self.got, length)
        self.rows = grown(self.rows, length)
        self.spare = grown(self.spare, length)
        self.held = grown(self.held, length)
        self.version = grown(self.version, length)
        self.expected = grown(self.expected, length)
        self.repaired = grown(self.repaired, length)
        self.seen = grown(self.seen, length)
        self.slots = grown(self.slots, length * self.width)
        self.goal = grown(self.goal, length * ROWS_MAX)
        self.stands_for = grown(self.stands_for, length * ROWS_MAX)
        self.answered = grown(self.answered, length * ROWS_MAX)
        self.row_seen = grown(self.row_seen, length * ROWS_MAX)
        self.row_slots = grown(self.row_slots, length * ROWS_MAX * self.width)
        self.free = grown(self.free, length)
