"""Figures of now against all that was ever added, cut into whole seconds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from playground.engine.histogram import Histogram
from playground.engine.recent import WINDOW_NS, RecentLatency, RecentRatio
from tests.engine.parts import MS

OUTCOMES = st.lists(st.tuples(st.integers(0, WINDOW_NS), st.booleans()), min_size=20, max_size=100)


@given(OUTCOMES)
def test_a_recent_ratio_is_that_of_this_second_and_the_one_before(outcomes: list[tuple[int, bool]]) -> None:
    ratio, now, seen = RecentRatio(), 0, []
    assert ratio.percent() == 0.0
    for gap, yes in outcomes:
        now += gap
        seen.append((now // WINDOW_NS, yes))
        ratio.add(now, yes)
        recent = [was for window, was in seen if now // WINDOW_NS - window <= 1]
        assert ratio.percent() == 100.0 * sum(recent) / len(recent)


def count(latency: RecentLatency, now: int, ns: int) -> None:
    """Count a duration as a client does."""
    latency.add(now)
    latency.histogram.add(ns)


def test_recent_latency_forgets_what_was_two_seconds_ago() -> None:
    latency = RecentLatency(Histogram())
    for second, ns in enumerate((100 * MS, 1 * MS, 1 * MS)):
        for number in range(200):
            count(latency, second * WINDOW_NS + number, ns)
    assert 0.99 * MS < latency.percentile(0.99) < 1.01 * MS


def test_recent_latency_asks_the_second_before_while_this_one_has_little_to_say() -> None:
    latency = RecentLatency(Histogram())
    for number in range(200):
        count(latency, number, 1 * MS)
    count(latency, WINDOW_NS, 500 * MS)
    assert latency.percentile(0.5) < 1.01 * MS
    for number in range(99):
        count(latency, WINDOW_NS + number, 500 * MS)
    assert latency.percentile(0.5) > 495 * MS


def test_without_any_duration_recent_latency_is_zero() -> None:
    assert RecentLatency(Histogram()).percentile(0.99) == 0.0
