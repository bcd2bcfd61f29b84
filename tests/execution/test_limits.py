"""A run that hits a limit stops with its name and keeps its results so far; its neighbours notice nothing."""

from __future__ import annotations

from typing import Any

import pytest

from playground import builder
from playground.engine.limits import CALLS_IN_FLIGHT_MAX, EVENTS_PENDING_MAX
from playground.execution import Execution
from playground.protocol.design import Scenario
from tests.sketch import SECOND, block, edge, figures, scenario, unaccounted


def overload(rate_per_s: float) -> Scenario:
    """Ten million requests a second at a server that answers in an hour, with room for all of them."""
    return scenario(
        [
            block("users", "client", rate_per_s=rate_per_s, key_choice="uniform", write_weight=0),
            block("app", "app_server", workers=1, queue_max=None, before_mean_ms=600_000),
        ],
        [edge("users", "app")],
        until_s=10,
    )


def stopped(execution: Execution) -> dict[str, Any]:
    found = execution.stopped
    assert found is not None
    return found


@pytest.mark.slow
def test_a_run_with_too_many_calls_in_flight_stops_by_name_and_keeps_its_results() -> None:
    execution = Execution(overload(10_000_000))
    assert not execution.advance(execution.until_ns)
    at_ns, results = execution.now_ns, execution.results()
    assert stopped(execution) == {"reason": "calls_in_flight", "at_ns": at_ns}
    assert results["stopped"] == {"reason": "calls_in_flight", "at": at_ns / SECOND}
    # At 10 million a second the table of two million is full after a fifth of a second.
    assert at_ns / SECOND == pytest.approx(CALLS_IN_FLIGHT_MAX / 1e7, rel=0.02)
    assert results["totals"]["offered"] == pytest.approx(CALLS_IN_FLIGHT_MAX, rel=0.001)
    assert figures(execution, "app")["queue"] > 0.9 * CALLS_IN_FLIGHT_MAX
    assert unaccounted(execution) == []
    # It stays where it is.
    execution.step(100)
    assert execution.results()["trace_hash"] == results["trace_hash"]
    # What came before can be looked at, and leads there again.
    execution.seek(0)
    assert execution.stopped is None
    assert execution.advance(SECOND // 20)
    assert execution.results()["totals"]["offered"] == pytest.approx(500_000, rel=0.01)
    assert not execution.advance(execution.until_ns)
    assert (execution.now_ns, execution.results()["trace_hash"]) == (at_ns, results["trace_hash"])


@pytest.mark.slow
def test_a_run_with_too_many_events_pending_stops_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    # A million users think for ten days each, at nine places: timers, and not one call.
    monkeypatch.setattr(builder, "BUILD_S_MAX", 600.0)
    places = EVENTS_PENDING_MAX // 1_000_000 + 1
    thinking: dict[str, str | float] = {"loop": "closed", "concurrent_users": 1_000_000, "think_mean_s": 864_000.0}
    drawing = scenario(
        [
            block("first", "client", rate_per_s=1, arrivals="even"),
            *(block(f"users{number}", "client", **thinking, think_distribution="constant") for number in range(places)),
            block("app", "app_server"),
        ],
        [edge("first", "app"), *(edge(f"users{number}", "app") for number in range(places))],
        until_s=10,
    )
    execution = Execution(drawing, recorded=False)
    assert execution.stopped is None
    assert not execution.advance(execution.until_ns)
    assert stopped(execution) == {"reason": "events_pending", "at_ns": SECOND}
    assert execution.results()["totals"]["offered"] == 1


@pytest.mark.slow
def test_arrivals_without_any_time_between_them_end_at_a_limit_and_not_in_an_endless_moment() -> None:
    # Bursts of a thousand times ten million a second are ten a nanosecond.
    drawing = overload(10_000_000)
    faster = {"arrivals": "even", "burst_every_s": 0.001, "burst_mean_s": 864_000.0, "burst_factor": 1_000.0}
    drawing.design.blocks[0].params.update(faster)
    execution = Execution(drawing, recorded=False)
    assert not execution.advance(execution.until_ns)
    assert stopped(execution)["reason"] == "calls_in_flight"


def test_users_who_fail_at_once_and_do_not_think_let_time_go_on() -> None:
    # A closed loop without think time behind an open breaker: every attempt ends in the moment in which it began.
    drawing = scenario(
        [
            block("users", "client", loop="closed", concurrent_users=3, think_mean_s=0, think_distribution="constant"),
            block("app", "app_server", before_mean_ms=1),
        ],
        [edge("users", "app", breaker=True, breaker_minimum_calls=1, breaker_open_s=3_600, timeout_ms=0.001)],
        until_s=10,
    )
    execution = Execution(drawing, recorded=False)
    execution.step(100_000)
    first = execution.now_ns
    execution.step(100_000)
    assert execution.now_ns > first
    assert execution.model.blocks["users"].failures_by_reason()["breaker_open"] > 10_000
