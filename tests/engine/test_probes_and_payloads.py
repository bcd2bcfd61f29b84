"""Probes go past the policies of their edge and are counted nowhere; calls and answers carry what they were told to, retries included."""

from __future__ import annotations

from playground.engine.block import Block
from playground.engine.calls import ANSWERED, STALE, TOLD
from playground.engine.outcomes import (
    CONNECTION_LOST,
    OK,
    PROBE_READINESS,
    RATE_LIMITED,
    REFUSED,
    REMOVED,
    TIMEOUT,
)
from playground.engine.simulation import Simulation
from tests.engine.parts import MS, SECOND, Sender, add, drain, inject, run, wire


class Prober(Sender):
    """Writes down what its probes say: (time, instance, what was asked, outcome)."""

    def __init__(self, simulation: Simulation, index: int, name: str) -> None:
        super().__init__(simulation, index, name)
        self.verdicts: list[tuple[int, int, int, int]] = []

    def on_probed(self, call: int) -> None:
        calls = self.calls
        self.verdicts.append((self.simulation.now, calls.instance[call], calls.key[call], calls.outcome[call]))


class Limiter(Block):
    """Turns the first calls of everybody away, saying when to come again; then answers with what the request carried."""

    def __init__(self, simulation: Simulation, index: int, name: str) -> None:
        super().__init__(simulation, index, name)
        self.refusals = 1
        self.wait_ns = 0
        self.tokens: list[tuple[int, int, int]] = []

    def on_call(self, call: int) -> None:
        calls = self.calls
        assert calls.flags[call] & TOLD
        self.tokens.append((self.simulation.now, calls.token[call], calls.extra[call]))
        if self.refusals > 0:
            self.refusals -= 1
            calls.advise(call, 0, self.wait_ns)
            self.reply(call, RATE_LIMITED, 0, 0)
        else:
            calls.flags[call] |= STALE
            calls.advise(call, 7, 8)
            self.reply(call, OK, 3, 0)


class Carrier(Block):
    """Hands calls on and answers back."""

    def on_call(self, call: int) -> None:
        calls = self.calls
        made = self.out["out"][0].call(call, calls.operation[call], calls.key[call], calls.user[call], -1, 0, 0)
        self.hand_on(call, made)

    def on_reply(self, call: int) -> None:
        self.reply_like(self.calls.parent[call], call)


class Reader(Sender):
    """Remembers flags, version, verdict and advice of its answers."""

    def __init__(self, simulation: Simulation, index: int, name: str) -> None:
        super().__init__(simulation, index, name)
        self.read: list[tuple[bool, int, int, int]] = []

    def on_reply(self, call: int) -> None:
        calls = self.calls
        assert calls.flags[call] & ANSWERED
        stale = bool(calls.flags[call] & STALE)
        self.read.append((stale, calls.version[call], calls.verdict[call], calls.advice[call]))
        super().on_reply(call)


def probed(**edge: object) -> tuple[Simulation, Prober, Block]:
    """A prober, and a block of three instances that does nothing but be there."""
    simulation = Simulation(1)
    prober = add(simulation, Prober, "prober")
    server = add(simulation, Block, "server")
    server.set_instances(3)
    wire(prober, server, latency_mean_ms=5.0, **edge)
    return simulation, prober, server


def test_a_probe_is_answered_by_the_instance_that_was_asked_and_counted_nowhere() -> None:
    simulation, prober, server = probed()
    edge = prober.out["out"][0]
    edge.probe(2, PROBE_READINESS, SECOND)
    drain(simulation)
    assert prober.verdicts == [(10 * MS, 2, PROBE_READINESS, OK)]
    assert simulation.calls.in_use == 0
    assert (edge.offered, edge.attempts, edge.completed, edge.in_flight, edge.late_replies) == (0, 0, 0, 0, 0)
    assert (server.offered, server.completed, server.in_flight) == (0, 0, 0)


def test_a_probe_of_a_dead_instance_is_refused_and_of_one_that_left_too() -> None:
    simulation, prober, server = probed()
    inject(server, "crash", instance=1)
    edge = prober.out["out"][0]
    edge.probe(1, PROBE_READINESS, SECOND)
    edge.probe(0, PROBE_READINESS, SECOND)
    drain(simulation)
    server.set_instances(1)
    edge.probe(2, PROBE_READINESS, SECOND)
    drain(simulation)
    assert [(instance, outcome) for _, instance, _, outcome in prober.verdicts] == [(1, REFUSED), (0, OK), (2, REFUSED)]


def test_a_probe_times_out_by_its_own_clock_and_is_never_tried_again() -> None:
    # The edge's policies (a long timeout, retries, a breaker) are for requests.
    simulation, prober, server = probed(timeout_ms=60_000.0, retries=3, breaker=True, cancel_on_timeout=True)
    edge = prober.out["out"][0]
    inject(edge, "partition")
    edge.probe(0, PROBE_READINESS, SECOND)
    run(simulation, 10 * SECOND)
    edge.clear_faults()
    inject(server, "pause", duration_s=5.0)
    edge.probe(1, PROBE_READINESS, SECOND)
    drain(simulation)
    assert prober.verdicts == [(SECOND, 0, PROBE_READINESS, TIMEOUT), (11 * SECOND, 1, PROBE_READINESS, TIMEOUT)]
    assert (edge.timeouts, edge.retried, edge.failed, edge.late_replies) == (0, 0, 0, 0)
    assert simulation.calls.in_use == 0


def test_probes_and_requests_time_out_in_their_own_order() -> None:
    simulation, prober, _ = probed(timeout_ms=3_000.0)
    edge = prober.out["out"][0]
    inject(edge, "partition")
    prober.send()
    edge.probe(0, PROBE_READINESS, SECOND)
    prober.send()
    edge.probe(1, PROBE_READINESS, 4 * SECOND)
    drain(simulation)
    assert prober.times == [3 * SECOND, 3 * SECOND] and prober.outcomes == [TIMEOUT, TIMEOUT]
    assert [at for at, *_ in prober.verdicts] == [SECOND, 4 * SECOND]


def test_a_probe_on_an_edge_that_is_deleted_says_so() -> None:
    simulation, prober, _ = probed()
    edge = prober.out["out"][0]
    edge.probe(0, PROBE_READINESS, SECOND)
    edge.retire()
    drain(simulation)
    assert [outcome for *_, outcome in prober.verdicts] == [REMOVED]
    assert simulation.calls.in_use == 0
    assert CONNECTION_LOST not in [outcome for *_, outcome in prober.verdicts]


def carried(**edge: object) -> tuple[Simulation, Reader, Limiter]:
    simulation = Simulation(1)
    reader = add(simulation, Reader, "reader")
    carrier = add(simulation, Carrier, "carrier")
    limiter = add(simulation, Limiter, "limiter")
    wire(reader, carrier, **edge)
    wire(carrier, limiter)
    return simulation, reader, limiter


def test_a_429_is_retried_no_sooner_than_its_retry_after_says_and_carries_the_same_again() -> None:
    # RFC 9110, 10.2.3.
    simulation, reader, limiter = carried(retries=1, backoff_ms=20.0)
    limiter.wait_ns = 700 * MS
    simulation.calls.tell(reader.send(), 41, 42)
    drain(simulation)
    assert limiter.tokens == [(0, 41, 42), (700 * MS, 41, 42)]
    assert reader.read == [(True, 3, 7, 8)]


def test_whoever_does_not_honour_retry_after_comes_back_when_his_back_off_is_over() -> None:
    simulation, reader, limiter = carried(retries=1, backoff_ms=20.0, honour_retry_after=False)
    limiter.wait_ns = 700 * MS
    simulation.calls.tell(reader.send(), 41, 42)
    drain(simulation)
    assert [at for at, *_ in limiter.tokens] == [0, 20 * MS]


def test_a_back_off_longer_than_retry_after_is_kept() -> None:
    simulation, reader, limiter = carried(retries=1, backoff_ms=900.0)
    limiter.wait_ns = 700 * MS
    simulation.calls.tell(reader.send(), 1, 2)
    drain(simulation)
    assert [at for at, *_ in limiter.tokens] == [0, 900 * MS]
