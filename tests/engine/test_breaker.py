"""The circuit breaker (M. Nygard, Release It!, 2007) and the retry budget (gRPC, Finagle), on their own."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from playground.engine.breaker import CLOSED, HALF_OPEN, OPEN, Breaker, RetryBudget
from tests.engine.parts import MS, SECOND


def breaker(minimum: int = 4, threshold: float = 0.5, probes: int = 2) -> Breaker:
    made = Breaker()
    made.enabled = True
    made.window_ns, made.open_ns = SECOND, 5 * SECOND
    made.minimum, made.threshold, made.probes = minimum, threshold, probes
    return made


def opened(now: int = 0, probes: int = 2) -> Breaker:
    made = breaker(probes=probes)
    for _ in range(4):
        made.record(now, True)
    assert made.state == OPEN
    return made


def test_it_opens_when_the_threshold_of_the_minimum_has_failed() -> None:
    made = breaker(minimum=4, threshold=0.5)
    assert not any(made.record(0, failure) for failure in (False, True, False))
    assert made.record(0, True)
    assert (made.state, made.opened_times) == (OPEN, 1)


def test_it_stays_closed_below_the_minimum_however_many_fail() -> None:
    made = breaker(minimum=10)
    assert not any(made.record(0, True) for _ in range(9))
    assert made.state == CLOSED


def test_it_stays_closed_below_the_threshold_however_many_end() -> None:
    made = breaker(minimum=4, threshold=0.5)
    for number in range(999):
        made.record(number * MS, number % 5 in (2, 4))
    assert made.state == CLOSED


def test_failures_older_than_the_window_are_forgotten() -> None:
    made = breaker(minimum=4)
    for _ in range(3):
        made.record(0, True)
    assert not made.record(SECOND, True)
    assert not made.record(2 * SECOND, True)
    assert made.state == CLOSED


def test_failures_within_the_window_add_up() -> None:
    made = breaker(minimum=4)
    for tenth in range(3):
        assert not made.record(tenth * 250 * MS, True)
    assert made.record(850 * MS, True)


def test_it_admits_nothing_while_open_and_then_as_many_as_it_has_probes() -> None:
    made = opened(now=7)
    assert not made.admits(5 * SECOND + 6)
    assert [made.admits(5 * SECOND + 7) for _ in range(4)] == [True, True, False, False]
    assert made.state == HALF_OPEN


def test_it_closes_when_all_probes_have_succeeded() -> None:
    made = opened()
    assert made.admits(5 * SECOND) and made.admits(5 * SECOND)
    assert not made.record(5 * SECOND, False)
    assert made.record(5 * SECOND, False)
    assert made.state == CLOSED
    # The failures that opened it are forgotten.
    assert not made.record(5 * SECOND, True)


def test_one_failed_probe_opens_it_for_another_period() -> None:
    made = opened()
    assert made.admits(6 * SECOND) and made.admits(6 * SECOND)
    made.record(6 * SECOND, False)
    assert made.record(7 * SECOND, True)
    assert (made.state, made.opened_times) == (OPEN, 2)
    assert not made.admits(12 * SECOND - 1)
    assert made.admits(12 * SECOND)


def test_what_was_sent_before_it_half_opened_is_no_probe() -> None:
    made = opened()
    assert made.admits(5 * SECOND)
    assert made.is_stale(5 * SECOND - 1)
    assert not made.is_stale(5 * SECOND)


def test_a_probe_that_nobody_waits_for_makes_room_for_another() -> None:
    made = opened(probes=1)
    assert made.admits(5 * SECOND)
    assert not made.admits(5 * SECOND)
    made.give_back(5 * SECOND - 1)
    assert not made.admits(5 * SECOND)
    made.give_back(5 * SECOND)
    assert made.admits(6 * SECOND)


@given(st.lists(st.tuples(st.integers(0, 400 * MS), st.booleans()), min_size=50, max_size=200), st.integers(1, 8))
def test_it_opens_exactly_when_the_slices_of_the_window_say_so(ends: list[tuple[int, bool]], minimum: int) -> None:
    # The model looks at every end in this tenth of the window and the nine before it, and knows no ring.
    made, now, kept = breaker(minimum=minimum, threshold=0.5), 0, []
    for gap, failure in ends:
        now += gap
        kept.append((now // (100 * MS), failure))
        window = [failed for tenth, failed in kept if now // (100 * MS) - tenth < 10]
        opens = failure and len(window) >= minimum and sum(window) >= 0.5 * len(window)
        assert made.record(now, failure) == opens
        if opens:
            made.reset()
            kept = []


@given(st.lists(st.booleans(), min_size=100, max_size=500), st.sampled_from([0.0, 0.1, 0.5, 1.0]))
def test_retries_never_exceed_the_ratio_of_calls_plus_the_burst(steps: list[bool], ratio: float) -> None:
    budget = RetryBudget()
    budget.ratio = ratio
    calls = retries = denied = 0
    for is_retry in steps:
        if not is_retry:
            budget.earn()
            calls += 1
        elif budget.spend():
            retries += 1
        else:
            denied += 1
        assert retries <= ratio * calls + budget.burst
        assert 0.0 <= budget.tokens <= budget.burst
    assert budget.denied == denied


def test_a_budget_that_is_never_short_refuses_nothing() -> None:
    budget = RetryBudget()
    budget.ratio = 1.0
    for _ in range(1000):
        budget.earn()
        assert budget.spend()
    assert budget.denied == 0
