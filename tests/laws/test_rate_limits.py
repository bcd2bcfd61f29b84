"""Rate limits: what a bucket and a window let in at most, and what a 429 with Retry-After saves. Sources: J. Turner, "New directions in
communications", IEEE Communications Magazine 24(10), 1986 (buckets); RFC 6585 (429), RFC 9110 10.2.3 (Retry-After)."""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate, pairwise
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.engine.limiters import GRAINS, FixedWindow, Limiter, SlidingWindow, Slots, TokenBucket
from playground.execution import Execution
from playground.protocol.catalogue import Scalar
from playground.protocol.design import Scenario
from tests.laws.intervals import poisson_bounds
from tests.sketch import MS, SECOND, Shape, at, block, edge, fault, figures, in_use, metric, run, scenario, unaccounted

# ---- the limiters by themselves

GAPS = st.lists(st.one_of(st.just(0), st.integers(0, 20), st.integers(0, 3 * SECOND)), min_size=1, max_size=120)
RATES = st.one_of(st.integers(1, 20_000), st.integers(1, 10**10)).map(lambda thousandths: thousandths / 1000)


def let_in(limiter: Limiter, arrivals: list[int]) -> list[int]:
    """The arrivals that are let in; of every other one it is checked that the wait it is told is right to the nanosecond."""
    limiter.open(0)
    found = []
    for now in arrivals:
        wait = limiter.wait_ns(0, now)
        assert wait >= 0
        assert 0 <= limiter.room(0, now) <= 1
        if wait == 0:
            limiter.take(0, now)
            found.append(now)
        else:
            assert limiter.wait_ns(0, now) == wait, "asking changes nothing"
    return found


def assert_wait_is_right(limiter: Limiter, now: int) -> None:
    """Who comes a nanosecond too early is turned away, who comes in time is let in."""
    wait = limiter.wait_ns(0, now)
    if wait > 0:
        assert limiter.wait_ns(0, now + wait - 1) == 1
        assert limiter.wait_ns(0, now + wait) == 0


@settings(deadline=None, derandomize=True)
@given(GAPS, RATES, st.one_of(st.integers(1, 5), st.integers(1, 1_000_000)))
def test_a_token_bucket_lets_in_at_most_burst_and_rate_times_t_in_any_time_t(
    gaps: list[int], rate: float, burst: int
) -> None:
    bucket = TokenBucket()
    bucket.set_to(rate, burst, 1, 0)
    times = let_in(bucket, list(accumulate(gaps)))
    exact = Fraction(round(rate * 1000), 1000 * SECOND)
    for first, begin in enumerate(times):
        for last in range(first, len(times)):
            assert last - first + 1 <= burst + exact * (times[last] - begin)
    assert_wait_is_right(bucket, sum(gaps))


@pytest.mark.parametrize(("rate", "burst"), [(10.0, 1), (10.0, 20), (0.001, 3), (333.333, 7)])
def test_a_token_bucket_under_siege_lets_in_exactly_burst_and_rate_times_t(rate: float, burst: int) -> None:
    # Someone comes at once whenever there is a token.
    bucket = TokenBucket()
    bucket.set_to(rate, burst, 1, 0)
    bucket.open(0)
    now, count, end = 0, 0, ceil(Fraction(100_000 * SECOND, round(rate * 1000)))
    while now <= end:
        if (wait := bucket.wait_ns(0, now)) == 0:
            bucket.take(0, now)
            count += 1
        now += wait
    assert count == burst + 100


def test_a_bucket_whose_rate_changes_has_gained_at_the_old_rate_until_then() -> None:
    bucket = TokenBucket()
    bucket.set_to(1.0, 10, 1, 0)
    bucket.open(0)
    for _ in range(10):
        bucket.take(0, 0)
    bucket.set_to(1000.0, 10, 1, SECOND // 2)
    # Half a token by the old rate, the other half at a thousand a second.
    assert bucket.wait_ns(0, SECOND // 2) == SECOND // 2000


def most_within(times: list[int], window: int) -> int:
    """The most of ``times`` that lie in any half-open interval of length ``window``."""
    return max((sum(begin <= it < begin + window for it in times) for begin in times), default=0)


@settings(deadline=None, derandomize=True)
@given(GAPS, st.integers(1, 30), st.integers(1, 2 * SECOND))
def test_a_sliding_window_never_holds_more_than_the_limit_and_refuses_nobody_else(
    gaps: list[int], limit: int, window: int
) -> None:
    sliding = SlidingWindow()
    sliding.set_to(1.0, 1, window, 0)
    sliding.limit = limit
    arrivals = list(accumulate(gaps))
    times = let_in(sliding, arrivals)
    assert most_within(times, window) <= limit
    # The book: a list of all that were let in.
    book: list[int] = []
    for now in arrivals:
        if sum(it > now - window for it in book) < limit:
            book.append(now)
    assert times == book
    assert_wait_is_right(sliding, arrivals[-1])
    assert sliding.nodes <= limit


def test_a_log_of_a_high_limit_is_short_and_still_never_lets_too_many_in() -> None:
    sliding = SlidingWindow()
    sliding.set_to(100_000, 1, SECOND, 0)
    times = let_in(sliding, [3_337 * number for number in range(900_000)])
    assert sliding.nodes <= GRAINS + 2
    # 299,670 a second come, 100,000 a second get in, less what joining costs: a 4096th of a window, at most.
    end = 900_000 * 3_337 / SECOND
    assert 0.999 * 100_000 * end < len(times) <= 100_000 * (int(end) + 1)
    for first in range(0, len(times) - 100_000, 1_000):
        assert times[first + 100_000] - times[first] >= SECOND


@settings(deadline=None, derandomize=True)
@given(GAPS, st.integers(1, 30), st.integers(1, 2 * SECOND))
def test_a_fixed_window_holds_the_limit_by_the_clock_and_up_to_twice_as_many_across_a_boundary(
    gaps: list[int], limit: int, window: int
) -> None:
    fixed = FixedWindow()
    fixed.set_to(1.0, 1, window, 0)
    fixed.limit = limit
    times = let_in(fixed, list(accumulate(gaps)))
    assert most_within(times, window) <= 2 * limit
    for number in {it // window for it in times}:
        assert sum(it // window == number for it in times) <= limit
    assert_wait_is_right(fixed, sum(gaps))


def test_at_the_boundary_a_fixed_window_lets_in_twice_the_limit_and_a_sliding_one_does_not() -> None:
    arrivals = [SECOND - 10 * MS + number * MS // 10 for number in range(200)]
    found = []
    for limiter in (FixedWindow(), SlidingWindow()):
        limiter.set_to(50.0, 1, SECOND, 0)
        found.append(len(let_in(limiter, arrivals)))
    assert found == [100, 50]


@given(st.lists(st.integers(0, 12), max_size=200), st.integers(1, 6))
def test_slots_forget_the_user_who_was_away_for_longest_and_never_one_who_waits(users: list[int], room: int) -> None:
    slots, latest = Slots(room), list[int]()
    for user in users:
        known = user in latest
        slot = slots.claim(user)
        assert slots.is_new != known and slots.key[slot] == user
        if known:
            latest.remove(user)
        elif len(latest) == room:
            latest.pop(0)
        latest.append(user)
        assert [slots.index.find(it) >= 0 for it in range(13)] == [it in latest for it in range(13)]
    slots.clear()
    slots.pins[slots.claim(99)] = 1
    for user in users:
        slots.claim(user)
    assert slots.index.find(99) >= 0


# ---- the gateway


def guarded(callers: list[Shape], links: list[Shape], *, until_s: float = 20, **params: Scalar) -> Scenario:
    """Some callers at a gateway, and a server behind it that has time for all of them."""
    return scenario(
        [
            *callers,
            block("gateway", "api_gateway", processing_mean_ms=0, **params),
            block("app", "app_server", workers=10_000, before_mean_ms=0, before_distribution="constant"),
        ],
        [*links, edge("gateway", "app")],
        until_s=until_s,
    )


def even(name: str, rate: float, **params: Scalar) -> Shape:
    return block(name, "client", rate_per_s=rate, arrivals="even", users=1, write_weight=0, **params)


def arrivals_at(execution: Execution, name: str, until_s: float) -> list[int]:
    """When each call came to a block."""
    times: list[int] = []
    watched = execution.model.blocks[name]
    while execution.now_ns < until_s * SECOND:
        execution.step(1)
        times += [execution.now_ns] * (watched.offered - len(times))
    return times


@pytest.mark.parametrize(("algorithm", "most"), [("token_bucket", 20 + 10 * 20), ("sliding_window", 10 * 20)])
def test_a_greedy_user_gets_its_limit_and_no_more(algorithm: str, most: int) -> None:
    execution = run(guarded([even("greedy", 500)], [edge("greedy", "gateway")], algorithm=algorithm))
    assert most - 1 <= metric(execution, "gateway", "admitted") <= most
    limited = figures(execution, "gateway")["limited"]
    assert execution.model.blocks["greedy"].failures_by_reason() == {"rate_limited": limited}
    assert limited == pytest.approx(500 * 20 - most, abs=2)


@pytest.mark.parametrize("algorithm", ["token_bucket", "leaky_bucket", "sliding_window", "fixed_window"])
@pytest.mark.parametrize("scope", ["user", "global"])
def test_a_limit_of_each_user_leaves_the_others_untouched_by_a_greedy_one(algorithm: str, scope: str) -> None:
    # Users who ask once a second on average, and one who asks 2,000 times a second.
    modest = block("modest", "client", rate_per_s=100, users=100, write_weight=0)
    greedy = block("greedy", "client", rate_per_s=2000, users=1, write_weight=0)
    drawing = guarded(
        [modest, greedy],
        [edge("modest", "gateway"), edge("greedy", "gateway")],
        algorithm=algorithm,
        scope=scope,
        # As one: room for all but the greedy one.
        limit_per_s=10 if scope == "user" else 150,
    )
    execution = run(drawing)
    share = execution.model.blocks["modest"].completed / execution.model.blocks["modest"].offered
    if scope == "user":
        assert execution.model.blocks["modest"].failures_by_reason() == {}
        assert metric(execution, "gateway", "users_limited") == 1
    else:
        assert share < 0.5


def test_a_leaky_bucket_lets_requests_out_at_equal_distances() -> None:
    # 200 a second in bursts, 70 a second out: 1 / 70 s is no whole number of nanoseconds.
    drawing = guarded(
        [block("users", "client", rate_per_s=200, users=1, write_weight=0)],
        [edge("users", "gateway")],
        algorithm="leaky_bucket",
        limit_per_s=70,
        queue_max=30,
    )
    times = arrivals_at(Execution(drawing, recorded=False), "app", 10)
    assert len(times) > 650
    spaces = [after - before for before, after in pairwise(times)]
    # Once the queue has formed it stays: 200 a second come.
    assert set(spaces[20:]) == {14_285_714, 14_285_715}
    assert times[-1] - times[20] == pytest.approx((len(times) - 21) * SECOND / 70, abs=1)


def test_a_leaky_bucket_holds_as_many_as_it_has_places_and_turns_the_others_away() -> None:
    drawing = guarded(
        [even("users", 100)], [edge("users", "gateway")], algorithm="leaky_bucket", limit_per_s=10, queue_max=5
    )
    execution = run(drawing)
    assert metric(execution, "gateway", "shaped") == 5
    # By Little's law those let in have waited 5 places / 10 a second.
    stays = execution.model.blocks["users"].histogram
    assert stays.percentile(0.5) / 1e9 == pytest.approx(0.5, rel=0.05)
    assert metric(execution, "gateway", "admitted") == pytest.approx(200, abs=1)


def test_a_request_that_is_cancelled_leaves_its_place_in_a_leaky_bucket_to_others() -> None:
    link = edge("users", "gateway", timeout_ms=300, cancel_on_timeout=True)
    drawing = guarded([even("users", 100)], [link], algorithm="leaky_bucket", limit_per_s=10, queue_max=50)
    execution = run(drawing)
    # Those of the last 300 ms wait, the others have given up; ten a second are let out as if these had never been there.
    assert metric(execution, "gateway", "shaped") == pytest.approx(29, abs=1)
    assert metric(execution, "gateway", "admitted") == pytest.approx(200, abs=1)
    assert unaccounted(execution) == []


@pytest.mark.parametrize(("burst", "most"), [(1, 1 / (1 / 200 + 1 / 1000)), (50, 200)])
def test_the_limit_of_all_holds_beside_that_of_each_user(burst: int, most: float) -> None:
    # 50 users at 20 a second each may come 10 times a second each, and 200 times all together. Of a bucket with a single token the time
    # from each token to the next request is lost: 1 ms of 6.
    drawing = guarded(
        [block("users", "client", rate_per_s=1000, users=50, write_weight=0)],
        [edge("users", "gateway")],
        scope="both",
        total_limit_per_s=200,
        total_burst=burst,
    )
    execution = run(drawing)
    assert metric(execution, "gateway", "admitted") - burst == pytest.approx(most * 20, rel=0.02)
    assert metric(execution, "gateway", "users_limited") == 50


# ---- Retry-After


def told(honour: bool, retry_after: bool = True) -> Execution:
    """A client that asks twice as often as it may, one request after the other, with 10 retries."""
    user = block(
        "user",
        "client",
        loop="closed",
        concurrent_users=1,
        think_mean_s=0.05,
        think_distribution="constant",
        write_weight=0,
    )
    link = edge("user", "gateway", retries=10, honour_retry_after=honour, backoff_ms=1, backoff_max_ms=5)
    return run(guarded([user], [link], burst=1, retry_after=retry_after))


def test_a_429_says_when_to_come_again_and_who_comes_then_is_let_in() -> None:
    execution = told(honour=True)
    user, link = execution.model.blocks["user"], execution.model.edges["user--gateway"]
    assert user.failed == 0
    assert user.completed == pytest.approx(200, abs=2)
    # Each request after the first is turned away once, and let in when it comes again.
    assert link.attempts <= 2 * user.offered
    assert metric(execution, "gateway", "limited") == link.retried


def test_clients_that_honour_retry_after_get_as_much_done_with_a_fraction_of_the_attempts() -> None:
    patient, hammering, untold = told(honour=True), told(honour=False), told(honour=True, retry_after=False)
    done = [it.model.blocks["user"].completed for it in (patient, hammering, untold)]
    attempts = [it.model.edges["user--gateway"].attempts for it in (patient, hammering, untold)]
    assert done[0] >= max(done[1:]) - 2
    assert attempts[1] / done[1] > 4 * attempts[0] / done[0]
    # Without the header nobody can honour it.
    assert attempts[2] == attempts[1]


@pytest.mark.parametrize("algorithm", ["token_bucket", "leaky_bucket", "sliding_window", "fixed_window"])
def test_the_first_retry_after_a_429_succeeds_under_every_algorithm(algorithm: str) -> None:
    # One user, who has nobody to compete with but itself.
    user = block("user", "client", loop="closed", concurrent_users=1, think_mean_s=0.02, write_weight=0)
    link = edge("user", "gateway", retries=1)
    execution = run(guarded([user], [link], algorithm=algorithm, burst=1, queue_max=0))
    assert metric(execution, "gateway", "limited") >= 15
    assert execution.model.blocks["user"].failed == 0


# ---- what is seen


def test_a_limited_user_is_named_at_most_once_in_ten_seconds() -> None:
    execution = run(guarded([even("greedy", 500)], [edge("greedy", "gateway")], until_s=25))
    noted = [it for it in execution.take_notables() if it.kind == "rate_limited"]
    assert [it.at_ns // (10 * SECOND) for it in noted] == [0, 1, 2]
    assert "may ask again in" in noted[0].detail


def test_a_crash_forgets_what_was_counted_and_what_waited() -> None:
    drawing = guarded(
        [even("greedy", 500)], [edge("greedy", "gateway")], algorithm="leaky_bucket", limit_per_s=1, queue_max=50
    )
    drawing = drawing.model_copy(update={"interventions": [at(5, fault("gateway", "crash", restart_after_s=1.0))]})
    execution = run(drawing, until_s=5.5)
    assert metric(execution, "gateway", "shaped") == 0
    assert execution.model.blocks["greedy"].failures_by_reason()["crashed"] == 50
    execution.advance(7 * SECOND)
    assert metric(execution, "gateway", "shaped") == 50
    assert in_use(execution) <= 55


@pytest.mark.parametrize("seed", range(1, 4))
def test_random_users_are_let_in_as_the_limit_of_all_says(seed: int) -> None:
    drawing = guarded(
        [block("users", "client", rate_per_s=1000, write_weight=0)],
        [edge("users", "gateway")],
        scope="global",
        limit_per_s=1500,
        burst=1000,
        until_s=10,
    ).model_copy(update={"seed": seed})
    execution = run(drawing)
    low, high = poisson_bounds(10_000)
    # Below the limit nobody is turned away.
    assert low <= metric(execution, "gateway", "admitted") <= high
    assert metric(execution, "gateway", "limited") == 0
