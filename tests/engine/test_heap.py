"""Events come out in order of (time, sequence): a total order, as in SimPy's event loop, so nothing is left to chance."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from playground.engine.columns import zeros
from playground.engine.heap import CALL, TIMER, WORK, Heap

TIMES = st.integers(0, 1 << 62)
FEW_TIMES = st.integers(0, 5)


def pop(heap: Heap) -> tuple[int, int]:
    """The first event's time and argument."""
    first = (heap.time[0], heap.what[0] & 0xFFFFFFFF)
    heap.drop()
    return first


def pop_all(heap: Heap) -> list[tuple[int, int]]:
    return [pop(heap) for _ in range(heap.size)]


@given(st.lists(st.one_of(TIMES, FEW_TIMES), min_size=50, max_size=300))
def test_events_come_out_sorted_by_time_and_then_by_sequence(times: list[int]) -> None:
    heap = Heap()
    for number, time in enumerate(times):
        heap.push(time, WORK, 0, 0, number)
    # Python's sort is stable: equal times stay in the order of their pushes.
    assert pop_all(heap) == sorted(zip(times, range(len(times)), strict=True), key=lambda event: event[0])


@given(st.lists(st.one_of(FEW_TIMES, st.none()), min_size=100, max_size=400))
def test_pushes_and_pops_may_be_mixed(steps: list[int | None]) -> None:
    heap = Heap()
    model: list[tuple[int, int]] = []
    for number, time in enumerate(steps):
        if time is not None:
            heap.push(time, TIMER, 3, 0, number)
            model.append((time, number))
        elif model:
            model.sort()
            assert pop(heap) == model.pop(0)
    assert pop_all(heap) == sorted(model)


def test_events_of_one_instant_come_in_the_order_in_which_they_were_pushed() -> None:
    heap = Heap()
    for number in range(5000):
        heap.push(7, CALL if number % 2 else WORK, number % 32, number % 3, number)
    assert [argument for _, argument in pop_all(heap)] == list(range(5000))


def test_an_event_keeps_its_kind_tag_owner_and_argument() -> None:
    heap = Heap()
    heap.push(123, TIMER, 31, 9_999, 0xFFFFFFFF)
    assert heap.time[0] == 123
    assert (heap.order[0] & 7, heap.order[0] >> 3 & 31) == (TIMER, 31)
    assert (heap.what[0] >> 32, heap.what[0] & 0xFFFFFFFF) == (9_999, 0xFFFFFFFF)


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), min_size=30, max_size=200))
def test_a_rebuild_keeps_the_marked_events_in_their_order(events: list[tuple[int, bool]]) -> None:
    heap = Heap()
    for number, (time, _) in enumerate(events):
        heap.push(time, WORK, 0, 0, number)
    keep = zeros(heap.size)
    for index in range(heap.size):
        keep[index] = int(events[heap.what[index] & 0xFFFFFFFF][1])
    heap.rebuild(keep)
    kept = [(time, number) for number, (time, marked) in enumerate(events) if marked]
    assert pop_all(heap) == sorted(kept)


@given(st.lists(st.integers(0, 20), min_size=30, max_size=200))
def test_a_rebuild_takes_the_times_that_stand_in_the_columns(times: list[int]) -> None:
    heap = Heap()
    for number, time in enumerate(times):
        heap.push(time, WORK, 0, 0, number)
    keep = zeros(heap.size)
    for index in range(heap.size):
        keep[index] = 1
        heap.time[index] = 20 - heap.time[index]
    heap.rebuild(keep)
    assert pop_all(heap) == sorted((20 - time, number) for number, time in enumerate(times))
