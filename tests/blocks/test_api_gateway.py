"""A gateway whose algorithm or scope is changed while it runs lets in what a new one would: nothing is counted yet."""

from __future__ import annotations

from itertools import product

import pytest

from playground.blocks.api_gateway.behaviour import ALGORITHMS, SCOPES
from playground.blocks.registry import kinds
from playground.engine.block import Block
from playground.engine.outcomes import OK, RATE_LIMITED, READ
from playground.engine.params import Params
from playground.engine.simulation import Simulation
from playground.parameters import filled
from playground.protocol.catalogue import Scalar
from tests.engine.parts import MS, SECOND, Echo, Sender, add, run, wire

USERS = 6
CHANGED_NS = 10 * SECOND
END_NS = 30 * SECOND
LIMITS: dict[str, Scalar] = {
    "limit_per_s": 0.9,
    "burst": 7,
    "total_limit_per_s": 3.1,
    "total_burst": 23,
    "window_s": 4,
    "queue_max": 5,
    "processing_mean_ms": 0,
}
SETTINGS = list(product(ALGORITHMS, SCOPES))


class Guarded:
    """Users in front of a gateway: one call each 50 ms, by each in turn."""

    def __init__(self, algorithm: str, scope: str) -> None:
        self.simulation = Simulation(1)
        self.users = add(self.simulation, Sender, "users")
        spec = kinds()["api_gateway"]
        self.gateway: Block = add(self.simulation, spec.behaviour, "gateway")
        self.gateway.out = {"out": []}
        self.set_to(algorithm, scope)
        wire(self.users, self.gateway)
        wire(self.gateway, add(self.simulation, Echo, "server"))

    def set_to(self, algorithm: str, scope: str) -> None:
        params = {**LIMITS, "algorithm": algorithm, "scope": scope}
        self.gateway.configure(Params(dict(filled(kinds()["api_gateway"].spec.params, params))))

    def ask(self, until_ns: int) -> None:
        """Calls from now on; their answers begin with the call number 'time / 50 ms'."""
        while self.simulation.now < until_ns:
            number = self.simulation.now // (50 * MS)
            call = self.users.out["out"][0].call(-1, READ, 1, 1 + number % USERS, -1, 100, 0)
            self.users.calls.step[call] = number
            run(self.simulation, self.simulation.now + 50 * MS)

    def answers(self) -> list[tuple[int, int, int]]:
        """To the calls after the change: (time, outcome, number)."""
        return [it for it in self.users.answers if it[2] >= CHANGED_NS // (50 * MS)]


@pytest.mark.parametrize(("algorithm", "scope"), SETTINGS)
def test_another_algorithm_or_scope_lets_in_from_then_on_what_a_new_gateway_does(algorithm: str, scope: str) -> None:
    fresh = Guarded(algorithm, scope)
    run(fresh.simulation, CHANGED_NS)
    fresh.ask(END_NS)
    outcomes = {outcome for _, outcome, _ in fresh.answers()}
    assert outcomes == {OK, RATE_LIMITED}
    for before in SETTINGS:
        if before == (algorithm, scope):
            continue
        changed = Guarded(*before)
        changed.ask(CHANGED_NS)
        changed.set_to(algorithm, scope)
        changed.ask(END_NS)
        assert changed.answers() == fresh.answers(), before
