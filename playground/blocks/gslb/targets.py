"""The regions behind the balancer: how far away each is, what the health checks say, and which one a policy picks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from librt.vecs import append, vec
from mypy_extensions import i64

from playground.blocks.gslb.resolvers import GONE, REGION_COUNT
from playground.engine.columns import filled, zeros
from playground.engine.outcomes import CONNECTION_LOST, CRASHED, NO_UPSTREAM, REFUSED, UPSTREAM_FAILED
from playground.engine.regions import REGION_NUMBERS
from playground.engine.state import State
from playground.engine.streams import Stream

if TYPE_CHECKING:
    from playground.engine.edge import Edge

GEO: Final = 0
LATENCY: Final = 1
WEIGHTED: Final = 2
FAILOVER: Final = 3
ANYCAST: Final = 4
POLICIES: Final = ["geo", "latency", "weighted", "failover", "anycast"]

SMOOTHING: Final = 0.3
"""What the latest probe's round trip counts in the moving average."""

UNCHANGED: Final = 0
DIED: Final = 1
RECOVERED: Final = 2
"""What a probe's answer has made of a region."""


@final
class Targets(State):
    """Columns by target, one for each edge, in order of the edges' ids.

    ``healthy`` and ``announced`` (to the network, by anycast) are 0 or 1; ``failed`` and ``good`` count probes in a row; ``well_at`` is
    when the last good answer came, ``probe_ns`` the moving average of the probes' round trips (-1: none yet); ``due_at`` is when the
    network will have learned what ``healthy`` says (-1: it has). ``leaving`` is how many resolvers pointed to it when it was found dead,
    0 when all have left; ``half_left`` says that half of them have.
    """

    def __init__(self, weight_stream: Stream) -> None:
        self.weight_stream = weight_stream
        self.edges: list[Edge] = []
        self.count: i64 = 0
        # By the edge's number in the simulation: which target it is, -1 for none.
        self.place: vec[i64] = vec[i64]()
        # Round trips in ns, by 'region of the clients' * REGION_COUNT + 'region of the target'.
        self.round_trips: vec[i64] = zeros(REGION_COUNT * REGION_COUNT)
        self.healthy: vec[i64] = vec[i64]()
        self.announced: vec[i64] = vec[i64]()
        self.failed: vec[i64] = vec[i64]()
        self.good: vec[i64] = vec[i64]()
        self.well_at: vec[i64] = vec[i64]()
        self.probe_ns: vec[i64] = vec[i64]()
        self.due_at: vec[i64] = vec[i64]()
        self.turn: vec[i64] = vec[i64]()
        self.leaving: vec[i64] = vec[i64]()
        self.half_left: vec[i64] = vec[i64]()
        self.all_well: vec[i64] = vec[i64]()

    def rewire(self, edges: list[Edge], edges_ever: i64, now: i64) -> vec[i64]:
        """List the targets anew; the new numbers of the old ones."""
        old_edges = self.edges
        self.edges = list(edges)
        self.count = len(edges)
        self.place = filled(edges_ever + 1, -1)
        came_from = vec[i64]()
        places = filled(len(old_edges), GONE)
        number: i64 = 0
        while number < self.count:
            self.place[edges[number].index] = number
            before: i64 = 0
            while before < len(old_edges) and old_edges[before] is not edges[number]:
                before += 1
            came_from = append(came_from, before if before < len(old_edges) else -1)
            if before < len(old_edges):
                places[before] = number
            number += 1
        self.healthy = taken(self.healthy, came_from, 1)
        self.announced = taken(self.announced, came_from, 1)
        self.failed = taken(self.failed, came_from, 0)
        self.good = taken(self.good, came_from, 0)
        self.well_at = taken(self.well_at, came_from, now)
        self.probe_ns = taken(self.probe_ns, came_from, -1)
        self.due_at = taken(self.due_at, came_from, -1)
        self.turn = taken(self.turn, came_from, 0)
        self.leaving = taken(self.leaving, came_from, 0)
        self.half_left = taken(self.half_left, came_from, 0)
        self.all_well = filled(self.count, 1)
        return places

    def trust(self) -> None:
        """Nobody checks any more: all count as healthy."""
        self.healthy = filled(self.count, 1)
        self.announced = filled(self.count, 1)
        self.failed = zeros(self.count)
        self.good = zeros(self.count)
        self.due_at = filled(self.count, -1)
        self.leaving = zeros(self.count)

    def region(self, target: i64) -> i64:
        """The number of a target's region, -1 for one that is beside everything."""
        return REGION_NUMBERS.get(self.edges[target].callee.region, -1)

    def round_trip(self, origin: i64, target: i64) -> i64:
        """The distance between clients in region ``origin`` and a target, both ways, ns."""
        region = self.region(target)
        return self.round_trips[origin * REGION_COUNT + region] if region >= 0 else 0

    def is_silent(self, target: i64) -> bool:
        """Whether nothing that comes there now is answered: the way is cut, or all that is there stands still. Only the meter knows."""
        edge = self.edges[target]
        if edge.partitions > 0:
            return True
        callee = edge.callee
        instance: i64 = 0
        running: i64 = 0
        while instance < callee.instances:
            if not callee.is_off(instance):
                running += 1
                if callee.paused[instance] == 0:
                    return False
            instance += 1
        return running > 0

    def choose(self, policy: i64, origin: i64, answer_all: bool) -> i64:
        """The target for clients in region ``origin``, -1 when there is none."""
        usable = self.announced if policy == ANYCAST else self.healthy
        best = self.drawn(usable) if policy == WEIGHTED else self.cheapest(policy, origin, usable)
        if best < 0 and answer_all:
            best = self.drawn(self.all_well) if policy == WEIGHTED else self.cheapest(policy, origin, self.all_well)
        return best

    def cheapest(self, policy: i64, origin: i64, usable: vec[i64]) -> i64:
        """Of the ``usable`` targets the nearest one, or the one with the highest weight; among equals the first one."""
        best: i64 = -1
        best_cost: i64 = 0
        target: i64 = 0
        while target < self.count:
            weight = self.edges[target].weight
            if usable[target] != 0 and weight > 0:
                cost = -weight
                if policy != FAILOVER:
                    cost = self.round_trip(origin, target)
                    if policy == LATENCY and self.probe_ns[target] > 0:
                        cost += self.probe_ns[target]
                if best < 0 or cost < best_cost:
                    best = target
                    best_cost = cost
            target += 1
        return best

    def drawn(self, usable: vec[i64]) -> i64:
        """One of the ``usable`` targets, each as likely as its weight says."""
        total: i64 = 0
        target: i64 = 0
        while target < self.count:
            if usable[target] != 0:
                total += self.edges[target].weight
            target += 1
        if total == 0:
            return -1
        left = self.weight_stream.below(total)
        target = 0
        while True:
            if usable[target] != 0:
                left -= self.edges[target].weight
                if left < 0:
                    return target
            target += 1

    def next_instance(self, target: i64) -> i64:
        """The instance that the next probe goes to: a region's address leads to each that is listed in turn."""
        callee = self.edges[target].callee
        tried: i64 = 0
        while True:
            instance = self.turn[target] % callee.instances
            self.turn[target] = instance + 1
            tried += 1
            if tried >= callee.instances or callee.listed(instance):
                return instance

    def probed(self, target: i64, good: bool, round_trip_ns: i64, now: i64, needed: i64) -> i64:
        """Take a probe's answer: ``needed`` in a row make a healthy target dead, or a dead one healthy. What became of it."""
        if good:
            before = self.probe_ns[target]
            self.probe_ns[target] = (
                round_trip_ns if before < 0 else before + i64(SMOOTHING * float(round_trip_ns - before))
            )
            self.well_at[target] = now
            self.failed[target] = 0
            self.good[target] += 1
            if self.healthy[target] == 0 and self.good[target] >= needed:
                self.healthy[target] = 1
                return RECOVERED
        else:
            self.good[target] = 0
            self.failed[target] += 1
            if self.healthy[target] != 0 and self.failed[target] >= needed:
                self.healthy[target] = 0
                return DIED
        return UNCHANGED

    def healthy_all(self) -> i64:
        """How many are healthy."""
        total: i64 = 0
        target: i64 = 0
        while target < self.count:
            total += self.healthy[target]
            target += 1
        return total


def met_the_dead(outcome: i64) -> bool:
    """Whether a request failed because something in its region was dead: its entrance, the way to it, or what stands behind it. One that
    took too long may have met nothing but a slow server."""
    return (
        outcome == REFUSED
        or outcome == CRASHED
        or outcome == CONNECTION_LOST
        or outcome == NO_UPSTREAM
        or outcome == UPSTREAM_FAILED
    )


def taken(column: vec[i64], came_from: vec[i64], fresh: i64) -> vec[i64]:
    """The column in another order; ``fresh`` where there was nothing before (-1)."""
    made = vec[i64]()
    index: i64 = 0
    while index < len(came_from):
        before = came_from[index]
        made = append(made, column[before] if before >= 0 else fresh)
        index += 1
    return made
