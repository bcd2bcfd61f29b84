"""Spreads requests over the instances of what is behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from librt.vecs import append, vec
from mypy_extensions import i64

from playground.engine.block import Block
from playground.engine.columns import filled, zeros
from playground.engine.outcomes import CRASHED, NO_UPSTREAM, REFUSED
from playground.engine.params import Params

if TYPE_CHECKING:
    from playground.engine.edge import Edge
    from playground.engine.simulation import Simulation

ROUND_ROBIN: Final = 0
WEIGHTED: Final = 1
RANDOM: Final = 2
LEAST_CONNECTIONS: Final = 3
TWO_CHOICES: Final = 4
ALGORITHMS: Final = ["round_robin", "weighted", "random", "least_connections", "two_choices"]


class LoadBalancer(Block):
    """A target is one instance behind one edge. The balancer knows of each how many of its own calls are out there, and nothing else."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.choice_stream = self.stream("choice of target")
        self.algorithm: i64 = ROUND_ROBIN
        self.tries: i64 = 1
        self.edges: list[Edge] = []
        # Columns by target: which of `edges`, which instance, calls out there, weight and its credit.
        self.target_edge: vec[i64] = vec[i64]()
        self.target_instance: vec[i64] = vec[i64]()
        self.outstanding: vec[i64] = vec[i64]()
        self.weight: vec[i64] = vec[i64]()
        self.credit: vec[i64] = vec[i64]()
        self.weight_all: i64 = 0
        self.targets: i64 = 0
        # By the edge's number in the simulation: its first target, -1 for none.
        self.first_target: vec[i64] = vec[i64]()
        self.turn: i64 = 0
        self.forwarded: i64 = 0
        self.elsewhere: i64 = 0

    def configure(self, params: Params) -> None:
        """Algorithm, and how many targets a call may be tried on."""
        self.algorithm = ALGORITHMS.index(params.text("algorithm"))
        self.tries = params.integer("tries")

    def wired(self) -> None:
        """List the targets anew; what is out there stays counted."""
        old_first = self.first_target
        old_instance = self.target_instance
        old_edge = self.target_edge
        old_edges = self.edges
        old_outstanding = self.outstanding
        self.edges = list(self.out["out"])
        self.target_edge = vec[i64]()
        self.target_instance = vec[i64]()
        self.outstanding = vec[i64]()
        self.weight = vec[i64]()
        self.first_target = filled(len(self.simulation.edges) + 1, -1)
        self.weight_all = 0
        number: i64 = 0
        for edge in self.edges:
            self.first_target[edge.index] = len(self.target_edge)
            instance: i64 = 0
            while instance < edge.callee.instances:
                carried: i64 = 0
                if edge.index < len(old_first) and old_first[edge.index] >= 0:
                    before = old_first[edge.index] + instance
                    if (
                        before < len(old_edge)
                        and old_edges[old_edge[before]] is edge
                        and old_instance[before] == instance
                    ):
                        carried = old_outstanding[before]
                self.target_edge = append(self.target_edge, number)
                self.target_instance = append(self.target_instance, instance)
                self.outstanding = append(self.outstanding, carried)
                self.weight = append(self.weight, edge.weight)
                self.weight_all += edge.weight
                instance += 1
            number += 1  # noqa: SIM113
        self.targets = len(self.target_edge)
        self.credit = zeros(self.targets)

    def on_call(self, call: i64) -> None:
        """Send it on."""
        self.calls.mark[call] = 1
        self.forward(call)

    def forward(self, call: i64) -> None:
        """Send ``call`` to a target; without any it fails by name."""
        if self.targets == 0:
            self.reply(call, NO_UPSTREAM, 0, 0)
            return
        target = self.choose()
        self.outstanding[target] += 1
        self.forwarded += 1
        calls = self.calls
        edge = self.edges[self.target_edge[target]]
        made = edge.call(
            call,
            calls.operation[call],
            calls.key[call],
            calls.user[call],
            self.target_instance[target],
            calls.request_bytes[call],
            calls.trace[call],
        )
        self.hand_on(call, made)

    def choose(self) -> i64:
        """The target of the next call."""
        count = self.targets
        algorithm = self.algorithm
        if count == 1:
            return 0
        if algorithm == TWO_CHOICES:
            first = self.choice_stream.below(count)
            second = self.choice_stream.below(count - 1)
            if second >= first:
                second += 1
            return second if self.outstanding[second] < self.outstanding[first] else first
        if algorithm == RANDOM:
            return self.choice_stream.below(count)
        if algorithm == LEAST_CONNECTIONS:
            return self.least_loaded()
        if algorithm == WEIGHTED:
            return self.weighted()
        turn = self.turn % count
        self.turn = turn + 1
        return turn

    def least_loaded(self) -> i64:
        """The target with the fewest calls out there; among equals the turn goes round."""
        count = self.targets
        best = self.turn % count
        offset: i64 = 1
        while offset < count:
            candidate = (self.turn + offset) % count
            if self.outstanding[candidate] < self.outstanding[best]:
                best = candidate
            offset += 1
        self.turn = best + 1
        return best

    def weighted(self) -> i64:
        """Smooth weighted round robin, as nginx has it: credit grows by the weight, the richest one pays the sum of all."""
        best: i64 = 0
        target: i64 = 0
        while target < self.targets:
            self.credit[target] += self.weight[target]
            if self.credit[target] > self.credit[best]:
                best = target
            target += 1
        self.credit[best] -= self.weight_all
        return best

    def take_off(self, call: i64) -> None:
        """A call is no longer out there."""
        calls = self.calls
        edge = calls.edge[call]
        instance = calls.instance[call]
        if edge < len(self.first_target) and self.first_target[edge] >= 0:
            target = self.first_target[edge] + instance
            if target < self.targets and self.target_instance[target] == instance and self.outstanding[target] > 0:
                self.outstanding[target] -= 1

    def on_reply(self, call: i64) -> None:
        """Hand the answer on, or try another target where one could not even take the call."""
        self.take_off(call)
        calls = self.calls
        outcome = calls.outcome[call]
        parent = calls.parent[call]
        if (outcome == REFUSED or outcome == CRASHED) and calls.mark[parent] < self.tries:
            calls.mark[parent] += 1
            self.elsewhere += 1
            self.forward(parent)
            return
        self.reply_like(parent, call)

    def on_abandoned(self, call: i64) -> None:
        """A call that is out there lost its parent: it doesn't count any more."""
        self.take_off(call)

    def metrics(self) -> list[float]:
        """See ``spec.py``."""
        most: i64 = 0
        total: i64 = 0
        index: i64 = 0
        while index < self.targets:
            here = self.outstanding[index]
            total += here
            if here > most:
                most = here
            index += 1
        spread = float(most) * float(self.targets) / float(total) if total > 0 else 1.0
        return [float(self.forwarded), float(self.targets), float(most), spread, float(self.elsewhere)]

    def detail(self) -> dict[str, object]:
        """Calls out there, by target."""
        shown = min(int(self.targets), 50)
        rows: list[object] = []
        for target in range(shown):
            edge = self.edges[self.target_edge[target]]
            rows.append(
                {
                    "target": f"{edge.callee.label} {self.target_instance[target] + 1}",
                    "out_there": int(self.outstanding[target]),
                }
            )
        return {"algorithm": ALGORITHMS[self.algorithm].replace("_", " "), "targets": rows}
