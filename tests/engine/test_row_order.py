"""The order of a table's rows, held against a sorted list."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from playground.engine.bodies import KEPT_NS, Bodies
from playground.engine.row_order import RowOrder

KEYS = st.one_of(st.integers(1, 90), st.integers(1, 5_000), st.integers(1, 1 << 40))
STEPS = st.lists(st.tuples(st.sampled_from(["put", "drop"]), KEYS), max_size=60)


@settings(max_examples=300, deadline=None)
@given(full=st.one_of(st.integers(0, 200), st.integers(0, 3_000)), steps=STEPS, asked=st.lists(KEYS, max_size=10))
def test_an_order_finds_what_a_sorted_list_finds(full: int, steps: list[tuple[str, int]], asked: list[int]) -> None:
    order = RowOrder(full)
    rows = set(range(1, full + 1))
    for step, key in steps:
        there = key in rows
        if step == "put":
            assert order.put(key) is not there
            rows.add(key)
        else:
            assert order.drop(key) is there
            rows.discard(key)
        assert order.has(key) is (step == "put") and order.size() == len(rows)
    newest_first = sorted(rows, reverse=True)
    for rank in {0, 1, 31, 32, len(rows) // 2, len(rows) - 1, len(rows), -1}:
        assert order.at(rank) == (newest_first[rank] if 0 <= rank < len(rows) else 0)
    for key in {1, full, full + 1, *asked, *(key for _, key in steps)}:
        assert order.rank(key) == sum(row > key for row in rows)
        assert order.after(key) == max((row for row in rows if row < key), default=0)
        assert order.has(key) is (key in rows)


def test_an_order_of_a_billion_rows_takes_no_more_memory_than_what_was_changed_in_it() -> None:
    order = RowOrder(1_000_000_000)
    assert order.at(50_000) == 1_000_000_000 - 50_000
    for key in range(1, 1_001):
        assert order.put(1_000_000_000 + key) and order.drop(key)
    assert order.size() == 1_000_000_000 and order.at(0) == 1_000_001_000 and order.at(999_999_999) == 1_001
    assert order.nodes < 300


def test_the_number_of_a_body_is_never_used_twice() -> None:
    bodies = Bodies()
    first = bodies.take(0)
    number = first.number
    assert bodies.find(number) is first
    bodies.give_back(first)
    second = bodies.take(1)
    assert second is first and second.number != number
    assert bodies.find(number) is None and bodies.find(second.number) is second and bodies.find(0) is None


def test_bodies_that_nobody_asked_for_are_used_again_when_they_are_old() -> None:
    bodies = Bodies()
    numbers = [bodies.take(0).number for _ in range(8)]
    held = len(bodies.all)
    for number in range(held):
        bodies.take(KEPT_NS + 1 + number)
    assert len(bodies.all) == held
    assert [bodies.find(number) for number in numbers] == [None] * 8
