"""Retries: how many, when, and under which budget."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from playground.engine.outcomes import BREAKER_OPEN, ERROR, EXPIRED, OK, OVERLOADED, REMOVED, TIMEOUT, may_retry
from playground.engine.simulation import Simulation
from tests.engine.parts import MS, SECOND, BlackHole, Echo, Sender, Slow, Worker, add, drain, inject, run, wire


class Healing(Echo):
    """Fails so many times, then answers."""

    failures_left = 0

    def on_call(self, call: int) -> None:
        self.outcome = ERROR if len(self.arrivals) < self.failures_left else OK
        super().on_call(call)


def failing(**policies: object) -> tuple[Simulation, Sender, Echo]:
    simulation = Simulation(2)
    sender = add(simulation, Sender, "client")
    echo = add(simulation, Echo, "server", outcome=ERROR)
    wire(sender, echo, **policies)
    return simulation, sender, echo


def test_a_failing_call_is_tried_once_and_as_often_again_as_there_are_retries() -> None:
    simulation, sender, echo = failing(retries=3)
    sender.send()
    drain(simulation)
    assert echo.offered == 4
    assert sender.outcomes == [ERROR]
    edge = simulation.edges[0]
    assert (edge.offered, edge.attempts, edge.retried, edge.failed) == (1, 4, 3, 1)


def test_three_layers_with_four_attempts_each_multiply_one_request_to_64() -> None:
    simulation = Simulation(1)
    sender = add(simulation, Sender, "client")
    layers = [add(simulation, Worker, name, mean_ns=0) for name in ("one", "two")]
    echo = add(simulation, Echo, "three", outcome=ERROR)
    for caller, callee in zip([sender, *layers], [*layers, echo], strict=True):
        wire(caller, callee, retries=3)
    sender.send()
    drain(simulation)
    assert [layers[0].offered, layers[1].offered, echo.offered] == [4, 16, 64]
    assert sender.outcomes == [ERROR]


def test_a_retry_that_succeeds_ends_the_call_well() -> None:
    simulation = Simulation(1)
    sender = add(simulation, Sender, "client")
    healing = add(simulation, Healing, "server", failures_left=2)
    wire(sender, healing, retries=5, latency_mean_ms=1.0)
    sender.send()
    drain(simulation)
    # The latency that counts is that of the whole call, from its first attempt.
    assert sender.answers == [(6 * MS, OK, 0)]
    assert simulation.edges[0].histogram.total == 6 * MS


def test_timed_out_attempts_are_retried_while_the_callee_works_on_all_of_them() -> None:
    simulation = Simulation(1)
    sender = add(simulation, Sender, "client")
    slow = add(simulation, Slow, "server", service_ns=100 * MS)
    wire(sender, slow, timeout_ms=10.0, retries=2)
    sender.send()
    drain(simulation)
    assert slow.done == [100 * MS, 110 * MS, 120 * MS]
    assert sender.answers == [(30 * MS, TIMEOUT, 0)]


def test_what_cannot_help_is_not_retried() -> None:
    assert [may_retry(outcome) for outcome in (BREAKER_OPEN, EXPIRED, REMOVED)] == [False] * 3
    assert may_retry(TIMEOUT) and may_retry(OVERLOADED)


def test_a_retry_may_go_to_another_instance_than_the_attempt_before() -> None:
    simulation, sender, echo = failing(retries=3)
    echo.set_instances(4)
    sender.send()
    drain(simulation)
    assert echo.took == [0, 1, 2, 3]


def test_a_retry_after_a_timeout_may_go_to_another_instance_as_well() -> None:
    simulation = Simulation(1)
    sender = add(simulation, Sender, "client")
    slow = add(simulation, Slow, "server", service_ns=5 * MS)
    slow.set_instances(2)
    wire(sender, slow, timeout_ms=20.0, retries=1)
    inject(slow, "pause", instance=0, duration_s=1.0)
    sender.send()
    drain(simulation)
    assert sender.answers == [(25 * MS, OK, 0)]


def test_a_retry_keeps_to_the_instance_that_was_asked_for() -> None:
    simulation, sender, echo = failing(retries=3)
    echo.set_instances(4)
    sender.send(instance=2)
    drain(simulation)
    assert echo.took == [2, 2, 2, 2]


def test_a_retry_finds_nothing_that_the_callee_wrote_on_the_attempt_before() -> None:
    marks = []

    class Marking(Echo):
        def on_call(self, call: int) -> None:
            marks.append(self.calls.mark[call])
            self.calls.mark[call] = 9
            super().on_call(call)

    simulation = Simulation(1)
    sender = add(simulation, Sender, "client")
    wire(sender, add(simulation, Marking, "server", outcome=ERROR), retries=2)
    sender.send()
    drain(simulation)
    assert marks == [0, 0, 0]


def delays(count: int, **policies: object) -> list[list[int]]:
    """For each of ``count`` calls the waits before its first, second, ... retry."""
    simulation, sender, echo = failing(**policies)
    found = []
    for _ in range(count):
        echo.arrivals.clear()
        sender.send()
        drain(simulation)
        found.append([later - earlier for earlier, later in pairwise(echo.arrivals)])
    return found


def test_back_off_doubles_up_to_its_maximum() -> None:
    assert delays(1, retries=5, backoff_ms=10.0, backoff_max_ms=50.0) == [[10 * MS, 20 * MS, 40 * MS, 50 * MS, 50 * MS]]


@pytest.mark.parametrize(("jitter", "low"), [("full", 0.0), ("equal", 0.5)])
def test_jitter_is_uniform_over_its_part_of_the_delay(jitter: str, low: float) -> None:
    # M. Brooker, "Exponential backoff and jitter", AWS Architecture Blog, 2015.
    waits = np.array(delays(1500, retries=3, backoff_ms=10.0, backoff_max_ms=30.0, jitter=jitter))
    for column, delay in zip(waits.T, (10 * MS, 20 * MS, 30 * MS), strict=True):
        assert column.min() >= low * delay
        assert column.max() <= delay
        assert column.mean() == pytest.approx((low + 1) / 2 * delay, rel=0.05)
        assert stats.kstest(column, "uniform", args=(low * delay, (1 - low) * delay)).pvalue > 0.001


def test_a_retry_budget_caps_retries_at_its_share_of_calls() -> None:
    # gRPC and Finagle: a bucket of 10 tokens, each call adds its share, each retry takes one.
    simulation, sender, _ = failing(retries=3, retry_budget_percent=10.0)
    for _ in range(2000):
        sender.send()
        drain(simulation)
    edge = simulation.edges[0]
    assert edge.retried == pytest.approx(2000 * 0.1 + 10, abs=1.5)
    assert edge.budget.denied > 0


def test_without_a_budget_retries_are_not_capped() -> None:
    simulation, sender, _ = failing(retries=3)
    for _ in range(200):
        sender.send()
    drain(simulation)
    assert simulation.edges[0].retried == 600


def test_an_outage_multiplies_the_load_by_its_attempts_and_a_budget_takes_that_away() -> None:
    for budget, low, high in ((None, 3.9, 4.0), (10.0, 1.0, 1.2)):
        simulation = Simulation(3)
        sender = add(simulation, Sender, "client")
        hole = add(simulation, BlackHole, "server")
        wire(sender, hole, timeout_ms=10.0, retries=3, retry_budget_percent=budget)
        sender.send_every(2 * MS, 1000)
        run(simulation, 10 * SECOND)
        assert low <= hole.offered / 1000 <= high
