"""Sampled calls: where the time went, message by message and call by call, as the caller and the callee saw it."""

from __future__ import annotations

from playground.engine.limits import HOPS_KEPT, SPANS_KEPT
from playground.engine.outcomes import BREAKER_OPEN, CRASHED, ERROR, OK, TIMEOUT
from playground.engine.simulation import Simulation
from playground.engine.tracing import HOP_FIELDS, SPAN_FIELDS
from tests.engine.parts import MS, Echo, Sender, Slow, Worker, add, drain, inject, run, wire

SPAN = [
    "trace",
    "call",
    "parent",
    "edge",
    "operation",
    "key",
    "attempt",
    "sent",
    "arrived",
    "started",
    "replied",
    "ended",
    "outcome",
]
HOP = ["trace", "edge", "direction", "left", "arrives", "outcome", "operation", "attempt", "look"]


def spans(simulation: Simulation) -> list[dict[str, int]]:
    """All spans that are kept, in the order in which their calls ended."""
    tracer, found = simulation.tracer, []
    for index in range(min(tracer.spans_seen, SPANS_KEPT)):
        fields = list(tracer.spans)[index * SPAN_FIELDS : (index + 1) * SPAN_FIELDS]
        found.append(dict(zip(SPAN, fields, strict=True)))
    return found


def pair(**policies: object) -> tuple[Simulation, Sender, Slow]:
    simulation = Simulation(1)
    sender = add(simulation, Sender, "client")
    slow = add(simulation, Slow, "server", service_ns=10 * MS)
    wire(sender, slow, **policies)
    return simulation, sender, slow


def times(span: dict[str, int]) -> tuple[int, int, int, int]:
    return span["sent"], span["arrived"], span["replied"], span["ended"]


def test_a_span_says_when_its_call_was_sent_arrived_was_answered_and_ended() -> None:
    simulation, sender, _ = pair(latency_mean_ms=1.0)
    sender.send()
    drain(simulation)
    (span,) = spans(simulation)
    assert times(span) == (0, 1 * MS, 11 * MS, 12 * MS)
    assert (span["outcome"], span["attempt"], span["parent"]) == (OK, 1, -1)


def test_every_attempt_has_a_span_and_one_that_timed_out_was_never_answered() -> None:
    simulation, sender, _ = pair(latency_mean_ms=1.0, timeout_ms=5.0, retries=1)
    sender.send()
    drain(simulation)
    assert [times(span) for span in spans(simulation)] == [(0, 1 * MS, -1, 5 * MS), (5 * MS, 6 * MS, -1, 10 * MS)]
    assert [(span["attempt"], span["outcome"]) for span in spans(simulation)] == [(1, TIMEOUT), (2, TIMEOUT)]


def test_a_call_that_never_left_its_caller_never_arrived() -> None:
    simulation, sender, slow = pair(breaker=True, breaker_minimum_calls=1)
    slow.outcome = ERROR
    sender.send()
    drain(simulation)
    sender.send()
    drain(simulation)
    assert times(spans(simulation)[1]) == (10 * MS, -1, -1, 10 * MS)
    assert spans(simulation)[1]["outcome"] == BREAKER_OPEN


def test_a_crash_answers_for_the_callee() -> None:
    simulation, sender, slow = pair(latency_mean_ms=1.0)
    sender.send()
    run(simulation, 4 * MS)
    inject(slow, "crash")
    drain(simulation)
    assert times(spans(simulation)[0]) == (0, 1 * MS, 4 * MS, 5 * MS)
    assert spans(simulation)[0]["outcome"] == CRASHED


def test_calls_of_one_request_bear_its_trace_and_name_their_parent() -> None:
    simulation = Simulation(1)
    sender = add(simulation, Sender, "client")
    middle = add(simulation, Worker, "middle", mean_ns=1 * MS)
    wire(sender, middle)
    for name in ("left", "right"):
        wire(middle, add(simulation, Echo, name), latency_mean_ms=1.0)
    sender.send()
    drain(simulation)
    *children, root = spans(simulation)
    assert [child["edge"] for child in children] == [1, 2]
    assert all((child["parent"], child["trace"]) == (root["call"], root["trace"]) for child in children)
    assert all(root["sent"] <= child["sent"] and child["ended"] <= root["ended"] for child in children)


def test_every_nth_request_is_sampled() -> None:
    simulation, sender, _ = pair()
    simulation.tracer.every = 3
    for _ in range(10):
        sender.send()
    drain(simulation)
    assert [span["trace"] for span in spans(simulation)] == [3, 6, 9]


def test_a_message_is_a_hop_with_its_way_and_its_times() -> None:
    simulation, sender, _ = pair(latency_mean_ms=1.0)
    sender.send()
    drain(simulation)
    tracer = simulation.tracer
    rows = [list(tracer.hops)[index * HOP_FIELDS : (index + 1) * HOP_FIELDS] for index in range(tracer.hops_seen)]
    found = [dict(zip(HOP, row, strict=True)) for row in rows]
    assert [(hop["direction"], hop["left"], hop["arrives"]) for hop in found] == [(0, 0, 1 * MS), (1, 11 * MS, 12 * MS)]
    assert [hop["outcome"] for hop in found] == [-1, OK]


def test_the_rings_keep_the_latest() -> None:
    simulation, sender, _ = pair()
    total = SPANS_KEPT + HOPS_KEPT + 5
    for _ in range(total):
        sender.send()
    drain(simulation)
    assert simulation.tracer.spans_seen == total
    assert {span["trace"] for span in spans(simulation)} == set(range(total - SPANS_KEPT + 1, total + 1))
