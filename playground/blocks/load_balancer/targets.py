"""The balancer's list of targets: a row for each instance behind each edge, and which rows take calls now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from librt.vecs import append, vec
from mypy_extensions import i64

from playground.engine.columns import filled, zeros
from playground.engine.hashing import identity_of
from playground.engine.state import State

if TYPE_CHECKING:
    from playground.engine.block import Block
    from playground.engine.edge import Edge

BY_READINESS: Final = 0
BY_LIVENESS: Final = 1
BY_NOTHING: Final = 2
ROUTES: Final = ["readiness", "liveness", "nothing"]

READY: Final = 0
STARTING: Final = 1
NOT_READY: Final = 2
DEAD: Final = 3
EJECTED: Final = 4
DRAINING: Final = 5
RAMPING: Final = 6
UNLISTED: Final = 7
VERDICTS: Final = ["ready", "starting", "not ready", "dead", "ejected", "draining", "slow start", "switched off"]

INSTANCE_BITS: Final = 10
INSTANCE_MASK: Final = (1 << INSTANCE_BITS) - 1

FULL_WEIGHT: Final = 1_000
LEAST_WEIGHT: Final = 100
"""Weight factors, in thousandths. A slow start begins at a tenth, as Envoy's ``min_weight_percent`` has it, so that something comes."""


def carried(column: vec[i64], came_from: vec[i64], fresh: i64) -> vec[i64]:
    """The column for a new list: values of rows that were there before (-1: ``fresh``)."""
    made = vec[i64](capacity=len(came_from))
    row: i64 = 0
    while row < len(came_from):
        made = append(made, column[came_from[row]] if came_from[row] >= 0 else fresh)
        row += 1
    return made


class Targets(State):
    """Columns by row. Others write verdicts into them, set ``changed``, and :meth:`settle` says who takes calls (``pool``, in order)."""

    def __init__(self, block: Block) -> None:
        self.block = block
        self.edges: list[Edge] = []
        self.count: i64 = 0
        # Which of `edges`, which instance; what tells it from all others; its edge's weight; whether discovery lists it.
        self.edge: vec[i64] = vec[i64]()
        self.instance: vec[i64] = vec[i64]()
        self.identity: vec[i64] = vec[i64]()
        self.weight: vec[i64] = vec[i64]()
        self.listed: vec[i64] = vec[i64]()
        # Calls out there; the credit of smooth weighted round robin; users whose cookie names it.
        self.outstanding: vec[i64] = vec[i64]()
        self.credit: vec[i64] = vec[i64]()
        self.tied: vec[i64] = vec[i64]()
        # What the probes found: whether its startup probe is still awaited, whether it is ready, whether it is alive.
        self.starting: vec[i64] = vec[i64]()
        self.ready: vec[i64] = vec[i64]()
        self.alive: vec[i64] = vec[i64]()
        # When outlier detection ejected it, ns; -1: it is not ejected.
        self.ejected_at: vec[i64] = vec[i64]()
        # Whether it is well (listed, by the probes, not ejected), takes calls, and when its slow start began (-1: full weight).
        self.healthy: vec[i64] = vec[i64]()
        self.taking: vec[i64] = vec[i64]()
        self.ramp_from: vec[i64] = vec[i64]()
        # Numbers of the rows that a list has in common with the one before: set by `relist` for the columns of others.
        self.came_from: vec[i64] = vec[i64]()
        # By the edge's number in the simulation: its first row, -1 for none.
        self.first: vec[i64] = vec[i64]()
        self.pool: vec[i64] = vec[i64]()
        self.weight_all: i64 = 0
        self.listed_all: i64 = 0
        self.healthy_all: i64 = 0
        self.ejected_all: i64 = 0
        self.changed: bool = True
        self.panic: bool = False
        # Parameters.
        self.route_by: i64 = BY_NOTHING
        self.panic_percent: float = -1.0
        self.ramp_ns: i64 = -1
        self.ramps_end: i64 = 0

    def relist(self, edges: list[Edge]) -> None:
        """List the instances behind ``edges``; what is known of those that were there before stays."""
        old_first = self.first
        old_edge = self.edge
        old_instance = self.instance
        old_edges = self.edges
        simulation = self.block.simulation
        self.edges = list(edges)
        self.first = filled(len(simulation.edges) + 1, -1)
        self.edge = vec[i64]()
        self.instance = vec[i64]()
        self.identity = vec[i64]()
        self.weight = vec[i64]()
        self.listed = vec[i64]()
        came_from = vec[i64]()
        number: i64 = 0
        for edge in self.edges:
            self.first[edge.index] = len(self.edge)
            instance: i64 = 0
            while instance < edge.callee.instances:
                before: i64 = -1
                if edge.index < len(old_first) and old_first[edge.index] >= 0:
                    before = old_first[edge.index] + instance
                    if (
                        before >= len(old_edge)
                        or old_edges[old_edge[before]] is not edge
                        or old_instance[before] != instance
                    ):
                        before = -1
                came_from = append(came_from, before)
                self.edge = append(self.edge, number)
                self.instance = append(self.instance, instance)
                self.identity = append(self.identity, identity_of(edge.callee.name, instance))
                self.weight = append(self.weight, edge.weight)
                self.listed = append(self.listed, 1 if edge.callee.listed(instance) else 0)
                instance += 1
            number += 1  # noqa: SIM113
        self.count = len(self.edge)
        self.came_from = came_from
        self.outstanding = carried(self.outstanding, came_from, 0)
        self.tied = carried(self.tied, came_from, 0)
        self.starting = carried(self.starting, came_from, 0)
        self.ready = carried(self.ready, came_from, 1)
        self.alive = carried(self.alive, came_from, 1)
        self.ejected_at = carried(self.ejected_at, came_from, -1)
        self.healthy = carried(self.healthy, came_from, 0)
        self.taking = carried(self.taking, came_from, 0)
        self.ramp_from = carried(self.ramp_from, came_from, -1)
        self.credit = zeros(self.count)
        self.changed = True

    def trust(self) -> None:
        """Begin anew: all that are listed are well and have their full weight, as those that are there when a run begins."""
        row: i64 = 0
        while row < self.count:
            self.starting[row] = 0
            self.ready[row] = 1
            self.alive[row] = 1
            self.ejected_at[row] = -1
            # Well already, so that none begins a slow start.
            self.healthy[row] = self.listed[row]
            self.ramp_from[row] = -1
            row += 1
        self.ramps_end = 0
        self.settle()

    def row_of(self, edge: i64, instance: i64) -> i64:
        """The row of an instance behind the edge with this number, -1 when it is not listed any more."""
        if edge >= len(self.first) or self.first[edge] < 0:
            return -1
        row = self.first[edge] + instance
        return row if row < self.count and self.instance[row] == instance else -1

    def key_of(self, row: i64) -> i64:
        """A number that means this target for good: that of its edge, and its instance."""
        return self.edges[self.edge[row]].index << INSTANCE_BITS | self.instance[row]

    def row_of_key(self, key: i64) -> i64:
        """The row that :meth:`key_of` named, -1 when it is not there any more."""
        return self.row_of(key >> INSTANCE_BITS, key & INSTANCE_MASK)

    def label(self, row: i64) -> str:
        """What people call a target."""
        return self.edges[self.edge[row]].callee.label_of(self.instance[row])

    def is_healthy(self, row: i64) -> bool:
        """Whether all that is known of a target speaks for sending it calls."""
        if self.listed[row] == 0 or self.ejected_at[row] >= 0:
            return False
        if self.route_by == BY_READINESS:
            return self.starting[row] == 0 and self.ready[row] != 0
        return self.route_by == BY_NOTHING or (self.starting[row] == 0 and self.alive[row] != 0)

    def settle(self) -> bool:
        """Find out anew who takes calls. True when that has changed."""
        self.changed = False
        now = self.block.simulation.now
        self.listed_all = 0
        self.healthy_all = 0
        self.ejected_all = 0
        row: i64 = 0
        while row < self.count:
            well = self.is_healthy(row)
            if well and self.healthy[row] == 0 and self.ramp_ns > 0 and now > 0:
                self.ramp_from[row] = now
                self.ramps_end = now + self.ramp_ns
            self.healthy[row] = 1 if well else 0
            self.healthy_all += self.healthy[row]
            self.listed_all += self.listed[row]
            if self.ejected_at[row] >= 0:
                self.ejected_all += 1
            row += 1
        self.panic = float(self.healthy_all) * 100.0 < self.panic_percent * float(self.listed_all)
        return self.fill_pool()

    def fill_pool(self) -> bool:
        """Let those in who take calls: the healthy ones, in panic all that are listed. True when they have changed."""
        pool = vec[i64]()
        differs = False
        self.weight_all = 0
        row: i64 = 0
        while row < self.count:
            takes = self.listed[row] if self.panic else self.healthy[row]
            if takes != 0:
                pool = append(pool, row)
                self.weight_all += self.weight[row]
            if takes != self.taking[row]:
                differs = True
                self.taking[row] = takes
            row += 1
        differs = differs or len(pool) != len(self.pool)
        self.pool = pool
        if differs:
            self.credit = zeros(self.count)
        return differs

    def factor(self, row: i64, now: i64) -> i64:
        """Of its weight, what a target may have now, in thousandths: grows linearly from a tenth over its slow start."""
        begun = self.ramp_from[row]
        if begun < 0 or self.ramp_ns <= 0 or now - begun >= self.ramp_ns:
            return FULL_WEIGHT
        grown_to = i64(1_000.0 * float(now - begun) / float(self.ramp_ns))
        return grown_to if grown_to > LEAST_WEIGHT else LEAST_WEIGHT

    def verdict(self, row: i64) -> i64:
        """What is known of a target, in one word of ``VERDICTS``."""
        if self.listed[row] == 0:
            return DRAINING if self.outstanding[row] > 0 else UNLISTED
        if self.ejected_at[row] >= 0:
            return EJECTED
        if self.starting[row] != 0:
            return STARTING
        if self.alive[row] == 0:
            return DEAD
        if self.ready[row] == 0:
            return NOT_READY
        return RAMPING if self.factor(row, self.block.simulation.now) < FULL_WEIGHT else READY
