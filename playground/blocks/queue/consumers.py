"""Who takes messages: instances behind edges, how many deliveries each has, and which of them are away."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from librt.vecs import append, vec
from mypy_extensions import i64

from playground.engine.columns import filled
from playground.engine.state import State

if TYPE_CHECKING:
    from playground.engine.edge import Edge


@final
class Consumers(State):
    """A consumer is one instance behind one edge. It is free when it is listed, not away, and has fewer than ``prefetch`` deliveries.

    Consumers fetch, so one that is gone gets nothing: who refused a delivery, or died with it, is away until it has been seen well again.
    """

    def __init__(self) -> None:
        self.prefetch: i64 = 1
        self.edges: list[Edge] = []
        self.number: i64 = 0
        self.free: i64 = 0
        self.turn: i64 = 0
        self.which_edge: vec[i64] = vec[i64]()
        self.instance: vec[i64] = vec[i64]()
        self.out: vec[i64] = vec[i64]()
        self.listed: vec[i64] = vec[i64]()
        self.away: vec[i64] = vec[i64]()
        # By the edge's number in the simulation: its first consumer, -1 for none.
        self.first: vec[i64] = vec[i64]()

    def rewire(self, edges: list[Edge], edges_ever: i64) -> None:
        """List them anew, none away and without deliveries; the owner counts those anew with :meth:`take`."""
        self.edges = edges
        self.which_edge = vec[i64]()
        self.instance = vec[i64]()
        self.out = vec[i64]()
        self.listed = vec[i64]()
        self.away = vec[i64]()
        self.first = filled(edges_ever + 1, -1)
        index: i64 = 0
        while index < len(edges):
            edge = edges[index]
            self.first[edge.index] = len(self.instance)
            instance: i64 = 0
            while instance < edge.callee.instances:
                self.which_edge = append(self.which_edge, index)
                self.instance = append(self.instance, instance)
                self.out = append(self.out, 0)
                self.listed = append(self.listed, 1 if edge.callee.listed(instance) else 0)
                self.away = append(self.away, 0)
                instance += 1
            index += 1
        self.number = len(self.instance)
        self.recount()

    def recount(self) -> None:
        """How many are free."""
        self.free = 0
        consumer: i64 = 0
        while consumer < self.number:
            if self.is_free(consumer):
                self.free += 1
            consumer += 1

    def is_free(self, consumer: i64) -> bool:
        """Whether it takes another message."""
        return self.listed[consumer] != 0 and self.away[consumer] == 0 and self.out[consumer] < self.prefetch

    def find(self, edge: i64, instance: i64) -> i64:
        """The consumer that is this instance behind this edge, -1 when it is none any more."""
        if edge >= len(self.first) or self.first[edge] < 0:
            return -1
        consumer = self.first[edge] + instance
        if consumer >= self.number or self.instance[consumer] != instance:
            return -1
        return consumer

    def next_free(self) -> i64:
        """The next free one in turn, -1 when there is none."""
        if self.free == 0:
            return -1
        consumer = self.turn
        while True:
            if consumer >= self.number:
                consumer = 0
            if self.is_free(consumer):
                self.turn = consumer + 1
                return consumer
            consumer += 1

    def take(self, consumer: i64) -> None:
        """It has one delivery more."""
        before = self.is_free(consumer)
        self.out[consumer] += 1
        if before and not self.is_free(consumer):
            self.free -= 1

    def give_back(self, consumer: i64) -> None:
        """It has one delivery less."""
        before = self.is_free(consumer)
        self.out[consumer] -= 1
        if not before and self.is_free(consumer):
            self.free += 1

    def set_away(self, consumer: i64, away: i64) -> None:
        """It is gone (1), or back (0)."""
        before = self.is_free(consumer)
        self.away[consumer] = away
        after = self.is_free(consumer)
        if before and not after:
            self.free -= 1
        elif after and not before:
            self.free += 1
