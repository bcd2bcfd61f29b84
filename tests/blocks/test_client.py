"""The client's own laws: arrivals, bursts and sessions as they are set, and no request after it was taken out."""

from __future__ import annotations

import json

import pytest

from playground.execution import Execution
from playground.protocol.design import EditDesign, Scenario, parse_design
from tests.laws.intervals import assert_agrees, poisson_bounds, runs
from tests.sketch import SECOND, block, edge, figures, metric, run, scenario, set_param


def crowd(until_s: float = 100.0, **params: bool | float | str | None) -> Scenario:
    return scenario(
        [block("users", "client", **params), block("app", "app_server", workers=10_000, before_mean_ms=1)],
        [edge("users", "app", latency_mean_ms=0.1)],
        until_s=until_s,
    )


def sent(execution: Execution) -> float:
    return metric(execution, "users", "sent")


def test_even_arrivals_come_one_by_one_at_equal_distances() -> None:
    execution = Execution(crowd(rate_per_s=50, arrivals="even"), recorded=False)
    for moment in range(1, 40):
        execution.advance(moment * 20_000_000)
        assert sent(execution) == moment


@pytest.mark.parametrize("params", [{}, {"session_requests": 5.0, "session_gap_s": 0.5}])
def test_the_peak_rate_is_what_comes_whether_in_sessions_or_alone(params: dict[str, float]) -> None:
    # The first 20 s are left out: sessions that began earlier are missing in them.
    found = []
    for seed in range(1, 9):
        execution = run(crowd(220, rate_per_s=200, **params).model_copy(update={"seed": seed}), until_s=20)
        before = sent(execution)
        execution.advance(execution.until_ns)
        found.append((sent(execution) - before) / 200)
    assert_agrees(found, 200, narrow=0.02)


def test_a_day_has_its_mean_at_the_peak_rate_over_the_peak_factor() -> None:
    # 35,000/s at the peak are 11,667/s on average at a factor of 3.
    drawing = crowd(rate_per_s=600, profile="day", day_s=20, peak_factor=3.0, peak_at_percent=50)
    found = runs(drawing, range(1, 7), until_s=100)
    assert_agrees([sent(it) / 100 for it in found], 200, narrow=0.01)
    peak = run(drawing, until_s=10)
    assert metric(peak, "users", "rate_now") == pytest.approx(600)
    peak.advance(20 * SECOND)
    assert metric(peak, "users", "rate_now") < 60


def test_bursts_come_as_often_and_last_as_long_as_set() -> None:
    # A renewal process: of every 8 s on average 2 s are a burst, at five times the rate.
    drawing = crowd(rate_per_s=20, burst_every_s=6, burst_mean_s=2, burst_factor=5)
    found = runs(drawing, range(1, 13), until_s=4_000)
    assert_agrees([sent(it) / 4_000 for it in found], 20 * (6 + 5 * 2) / 8, narrow=0.03)


def bursts(execution: Execution) -> int:
    return sum(entry.kind == "burst" for entry in execution.take_notables())


def test_bursts_that_are_switched_off_and_on_again_come_no_more_often() -> None:
    execution = Execution(crowd(until_s=500, rate_per_s=1, burst_every_s=5, burst_mean_s=5), recorded=False)
    for moment in range(1, 9):
        execution.advance(moment * SECOND)
        execution.act(set_param("users", "burst_every_s", None), "test")
        assert metric(execution, "users", "rate_now") == 1, "without bursts there is none under way"
        execution.act(set_param("users", "burst_every_s", 5), "test")
    bursts(execution)
    execution.advance(execution.until_ns)
    low, high = poisson_bounds(49)
    assert low <= bursts(execution) <= high


def test_a_client_that_was_taken_out_sends_nothing_and_has_no_bursts() -> None:
    drawing = crowd(rate_per_s=100, burst_every_s=1, burst_mean_s=1, session_requests=3)
    execution = run(drawing, until_s=5)
    data = json.loads(drawing.design.model_dump_json(by_alias=True))
    data["blocks"][0]["id"] = "others"
    data["edges"] = [edge("others", "app", latency_mean_ms=0.1)]
    data["blocks"][0]["params"] = {"rate_per_s": 1}
    gone = execution.model.blocks["users"]
    execution.act(EditDesign(design=parse_design(data)), "test")
    offered = gone.offered
    execution.take_notables()
    execution.advance(30 * SECOND)
    assert gone.offered == offered
    assert gone.in_flight == 0
    assert bursts(execution) == 0
    assert figures(execution, "others")["sent"] > 5


def test_a_closed_loop_has_as_many_users_as_set_and_each_waits_for_its_answer() -> None:
    # Little's law for a closed loop: rate = users / (think time + answer time), here 50 / (1 s + 1.2 ms).
    drawing = crowd(loop="closed", concurrent_users=50, think_mean_s=1)
    found = runs(drawing, range(1, 9), until_s=300)
    assert_agrees([sent(it) / 300 for it in found], 50 / 1.0012, narrow=0.02)
    execution = found[0]
    assert metric(execution, "users", "users_now") == 50
    for users in (80, 10):
        execution = run(drawing, until_s=20)
        execution.act(set_param("users", "concurrent_users", users), "test")
        execution.advance(60 * SECOND)
        assert metric(execution, "users", "users_now") == users
