"""Events come out in order of (time, sequence): a total order, as in SimPy's event loop, so nothing is left to chance."""

from __future__ import annotations

import bisect
import random

from hypothesis import given
from hypothesis import strategies as st

from playground.engine.columns import zeros
from playground.engine.queue import CALL, TIMER, WORK, EventQueue

TIMES = st.integers(0, 1 << 62)
FEW_TIMES = st.integers(0, 5)


def pop(queue: EventQueue) -> tuple[int, int]:
    """The first event's time and argument."""
    first = (queue.time[queue.head], queue.what[queue.head] & 0xFFFFFFFF)
    queue.drop()
    return first


def pop_all(queue: EventQueue) -> list[tuple[int, int]]:
    return [pop(queue) for _ in range(queue.pending())]


@given(st.lists(st.one_of(TIMES, FEW_TIMES), min_size=50, max_size=300))
def test_events_come_out_sorted_by_time_and_then_by_sequence(times: list[int]) -> None:
    queue = EventQueue()
    for number, time in enumerate(times):
        queue.push(time, WORK, 0, 0, number)
    # Python's sort is stable: equal times stay in the order of their pushes.
    assert pop_all(queue) == sorted(zip(times, range(len(times)), strict=True), key=lambda event: event[0])


@given(st.lists(st.one_of(FEW_TIMES, st.none()), min_size=100, max_size=400))
def test_pushes_and_pops_may_be_mixed(steps: list[int | None]) -> None:
    queue = EventQueue()
    model: list[tuple[int, int]] = []
    for number, time in enumerate(steps):
        if time is not None:
            queue.push(time, TIMER, 3, 0, number)
            model.append((time, number))
        elif model:
            model.sort()
            assert pop(queue) == model.pop(0)
    assert pop_all(queue) == sorted(model)


def test_events_of_one_instant_come_in_the_order_in_which_they_were_pushed() -> None:
    queue = EventQueue()
    for number in range(5000):
        queue.push(7, CALL if number % 2 else WORK, number % 32, number % 3, number)
    assert [argument for _, argument in pop_all(queue)] == list(range(5000))


def test_an_event_keeps_its_kind_tag_owner_and_argument() -> None:
    queue = EventQueue()
    queue.push(123, TIMER, 31, 9_999, 0xFFFFFFFF)
    first = queue.head
    assert queue.time[first] == 123
    assert (queue.order[first] & 7, queue.order[first] >> 3 & 31) == (TIMER, 31)
    assert (queue.what[first] >> 32, queue.what[first] & 0xFFFFFFFF) == (9_999, 0xFFFFFFFF)


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=30, max_size=200))
def test_a_rebuild_keeps_the_marked_events_in_their_order(events: list[tuple[int, bool]]) -> None:
    queue = EventQueue()
    for number, (time, _) in enumerate(events):
        queue.push(time, WORK, 0, 0, number)
    queue.gather()
    keep = zeros(queue.tail)
    for index in range(queue.tail):
        keep[index] = int(events[queue.what[index] & 0xFFFFFFFF][1])
    queue.rebuild(keep)
    kept = [(time, number) for number, (time, marked) in enumerate(events) if marked]
    assert pop_all(queue) == sorted(kept)


@given(st.lists(st.integers(0, 20), min_size=30, max_size=200))
def test_a_rebuild_takes_the_times_that_stand_in_the_columns(times: list[int]) -> None:
    queue = EventQueue()
    for number, time in enumerate(times):
        queue.push(time, WORK, 0, 0, number)
    queue.gather()
    keep = zeros(queue.tail)
    for index in range(queue.tail):
        keep[index] = 1
        queue.time[index] = 20 - queue.time[index]
    queue.rebuild(keep)
    assert pop_all(queue) == sorted((20 - time, number) for number, time in enumerate(times))


# ---- where an event waits never changes when it comes


def hold(gaps: list[int], standing: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """A simulation's way with its queue: take the first event, put one in a gap behind it. What came out, and what a sorted list gives."""
    queue = EventQueue()
    model: list[tuple[int, int]] = []
    number = 0
    for number in range(standing):
        queue.push(gaps[number % len(gaps)], WORK, 0, 0, number)
        model.append((gaps[number % len(gaps)], number))
    model.sort()
    came, expected = [], []
    for gap in gaps:
        came.append(pop(queue))
        expected.append(model.pop(0))
        number += 1
        queue.push(came[-1][0] + gap, WORK, 0, 0, number)
        bisect.insort(model, (came[-1][0] + gap, number))
    return came + pop_all(queue), expected + model


GAPS = st.one_of(st.integers(0, 3), st.integers(0, 10**4), st.integers(0, 10**9), st.integers(0, 10**15))


@given(st.lists(GAPS, min_size=100, max_size=600), st.integers(1, 200))
def test_events_near_and_far_come_in_order(gaps: list[int], standing: int) -> None:
    came, expected = hold(gaps, standing)
    assert came == expected


def test_buckets_that_have_become_too_wide_or_too_narrow_are_cut_anew() -> None:
    chance = random.Random(1)
    gaps: list[int] = []
    for scale in (10**3, 10**9, 10, 10**12):
        gaps += [int(chance.expovariate(1.0) * scale) for _ in range(20_000)]
    came, expected = hold(gaps, 3_000)
    assert came == expected


def test_thousands_of_events_at_one_instant_among_later_ones_come_in_order() -> None:
    gaps = [1_000 * (number % 7 == 0) for number in range(30_000)]
    came, expected = hold(gaps, 10_000)
    assert came == expected


@given(st.lists(GAPS, min_size=60, max_size=300))
def test_gathered_events_stand_in_order_and_are_all_there(times: list[int]) -> None:
    queue = EventQueue()
    for number, time in enumerate(times):
        queue.push(time, WORK, 0, 0, number)
    queue.gather()
    assert (queue.head, queue.tail, queue.pending()) == (0, len(times), len(times))
    assert [queue.time[index] for index in range(queue.tail)] == sorted(times)
    queue.push(5, WORK, 0, 0, len(times))
    assert pop_all(queue) == sorted((time, number) for number, time in enumerate([*times, 5]))
