"""Filters against a plain multiset: never "certainly not" of an id that is in, whatever was added and taken out."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.engine.cuckoo import Cuckoo, other_bucket
from playground.engine.filter_equivalent import CUCKOO_FULL, Equivalent, make_filter
from playground.engine.filters import (
    CELLS,
    COUNTING,
    CUCKOO,
    STANDARD,
    VARIANTS,
    Bloom,
    Filter,
    bloom_positions,
    cell_start,
    cuckoo_size,
    first_hash,
    mix,
    second_hash,
    size_by_bits,
    size_by_rate,
)
from playground.engine.limits import FILTER_BITS_MAX
from playground.engine.stores import KeyIndex

KEYS = st.one_of(st.integers(0, 60), st.integers(0, 60).map(lambda it: it << 31), st.integers(0, (1 << 62) - 1))
# A key that is its own salt has the hash 0, which is below any rate.
SALTS = st.integers(1 << 20, (1 << 32) - 1)
STEPS = st.lists(st.tuples(st.booleans(), KEYS), max_size=120)
MAKERS = [pytest.param(make_filter, id="real"), pytest.param(Equivalent, id="equivalent")]
EVERY_VARIANT = pytest.mark.parametrize("variant", [STANDARD, COUNTING, CUCKOO], ids=VARIANTS)
NOTHING = KeyIndex()


@given(st.integers(0, (1 << 32) - 1))
def test_mixing_is_the_same_in_whole_numbers_of_any_size(word: int) -> None:
    folded = word ^ word >> 16
    assert folded * 0x21F0AAAD < 1 << 63
    folded = (folded * 0x21F0AAAD) % (1 << 32)
    folded ^= folded >> 15
    assert folded * 0x735A2D97 < 1 << 63
    folded = (folded * 0x735A2D97) % (1 << 32)
    assert mix(word) == folded ^ folded >> 15


@given(KEYS, SALTS)
def test_hashes_are_32_bits_and_follow_from_key_and_salt(key: int, salt: int) -> None:
    first = first_hash(key, salt)
    assert 0 <= first < 1 << 32
    assert 0 <= second_hash(first, salt) < 1 << 32
    assert first == first_hash(key, salt)


@EVERY_VARIANT
@pytest.mark.parametrize("maker", MAKERS)
@given(first=st.integers(0, 40), steps=STEPS, salt=SALTS)
def test_never_a_false_negative(
    variant: int, maker: type[Filter], first: int, steps: list[tuple[bool, int]], salt: int
) -> None:
    # Ids are taken out only when they are in, as whoever uses such a filter has to see to.
    found = maker(size_by_bits(variant, 200, 12.0), salt)
    found.begin_with(first, NOTHING)
    present = Counter(range(1, first + 1))
    for adds, key in steps:
        if adds:
            fitted = found.add(key)
            assert fitted or variant == CUCKOO
            present[key] += fitted
        elif present[key] > 0 and found.remove(key):
            assert variant != STANDARD
            present[key] -= 1
        assert all(found.contains(known) for known, copies in present.items() if copies > 0)
    if variant != STANDARD:
        assert found.elements == present.total()


@EVERY_VARIANT
@given(first=st.integers(1, 30), gone=st.sets(st.integers(0, 40)), salt=SALTS)
def test_it_begins_with_the_ids_that_there_are(variant: int, first: int, gone: set[int], salt: int) -> None:
    missing = KeyIndex()
    for key in sorted(gone):
        missing.put(key, 0)
    there = set(range(1, first + 1)) - gone
    for maker in (make_filter, Equivalent):
        # So large that the chance of a false positive is nil.
        found = maker(size_by_rate(variant, 1000, 1e-8), salt)
        found.begin_with(first, missing)
        assert {key for key in range(50) if found.contains(key)} == there
        assert found.elements == len(there)


@pytest.mark.parametrize("maker", MAKERS)
def test_the_standard_filter_refuses_to_take_ids_out(maker: type[Filter]) -> None:
    found = maker(size_by_bits(STANDARD, 100, 10.0), 1)
    found.begin_with(10, NOTHING)
    assert not found.remove(3)
    assert found.contains(3) and found.elements == 10


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("variant", [COUNTING, CUCKOO], ids=["counting", "cuckoo"])
def test_counting_and_cuckoo_filters_take_ids_out(variant: int, maker: type[Filter]) -> None:
    found = maker(size_by_rate(variant, 1000, 1e-8), 1_000_003)
    found.begin_with(1000, NOTHING)
    assert all(found.remove(key) for key in range(1, 1000, 2))
    assert [key for key in range(1, 1001) if found.contains(key)] == list(range(2, 1001, 2))
    assert found.elements == 500
    assert not found.remove(1)


@EVERY_VARIANT
@pytest.mark.parametrize("maker", MAKERS)
def test_what_is_taken_out_leaves_no_trace(variant: int, maker: type[Filter]) -> None:
    if variant == STANDARD:
        variant = COUNTING
    found = maker(size_by_bits(variant, 500, 10.0), 9)
    found.begin_with(300, NOTHING)
    for key in range(1, 301):
        assert found.remove(key)
    assert (found.elements, found.fill()) == (0, 0.0)
    assert not any(found.contains(key) for key in range(2000))


def test_a_counter_that_is_full_stays_full_so_that_it_never_says_no_too_early() -> None:
    found = make_filter(size_by_bits(COUNTING, 20, 10.0), 3)
    for _ in range(20):
        found.add(7)
    for _ in range(20):
        assert found.remove(7)
    # It was counted to 15 at most, and 15 stays.
    assert found.contains(7)


def test_a_cuckoo_filter_says_when_nothing_fits_any_more_and_loses_nothing() -> None:
    found = Cuckoo(cuckoo_size(2_000, 12), 1)
    key = 1
    while found.add(key):
        key += 1
    # Planned for 95 %; 500 kicks get a little further.
    assert 0.95 * found.size.positions <= found.elements == key - 1
    assert all(found.contains(known) for known in range(1, key))
    assert not found.add(10**6)
    assert found.remove(1)
    assert all(found.contains(known) for known in range(2, key))
    assert found.elements == key - 2


def test_the_equivalent_of_a_cuckoo_filter_is_full_where_a_large_real_one_is() -> None:
    size = cuckoo_size(100_000, 12)
    loads = []
    for salt in range(1, 5):
        real = Cuckoo(size, salt * 7919)
        key = 1
        while real.add(key):
            key += 1
        loads.append(real.elements / size.positions)
    assert sum(loads) / len(loads) == pytest.approx(CUCKOO_FULL, abs=0.01)
    stands = Equivalent(size, 1)
    stands.begin_with(90_000, NOTHING)
    key = 10**6
    while stands.add(key):
        key += 1
    assert stands.elements / size.positions == pytest.approx(CUCKOO_FULL, abs=1e-4)


@given(st.integers(1, 1 << 31), SALTS, st.integers(16, 1 << 20))
def test_the_other_of_the_other_bucket_is_the_first(print_: int, salt: int, buckets: int) -> None:
    bucket = print_ % buckets
    other = other_bucket(bucket, print_, salt, buckets)
    assert 0 <= other < buckets
    assert other_bucket(other, print_, salt, buckets) == bucket


@given(st.integers(2, 31), st.lists(st.tuples(st.integers(0, 63), st.integers(0, (1 << 31) - 1)), max_size=60))
def test_packed_slots_do_not_touch_one_another(bits: int, writes: list[tuple[int, int]]) -> None:
    found, model = Cuckoo(cuckoo_size(60, bits), 1), [0] * 64
    for slot, value in writes:
        model[slot] = value & ((1 << bits) - 1)
        found.set(slot, model[slot])
    assert [found.get(slot) for slot in range(64)] == model


@EVERY_VARIANT
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 300)), max_size=200))
def test_levels_say_how_full_each_part_is(variant: int, steps: list[tuple[bool, int]]) -> None:
    found = make_filter(size_by_bits(variant, 200, 8.0), 77)
    present: Counter[int] = Counter()
    for adds, key in steps:
        if adds:
            present[key] += found.add(key)
        elif present[key] > 0 and found.remove(key):
            present[key] -= 1
    assert sum(found.levels) == found.set_all
    assert found.fill() == found.set_all / found.size.positions
    assert all(0.0 <= found.level(cell) <= 1.0 for cell in range(CELLS))
    if isinstance(found, Bloom):
        positions = {at for key in present for at in bloom_positions(found.size, key, found.salt)}
        assert found.set_all == len(positions)
        assert [found.levels[cell] for cell in range(CELLS)] == [
            sum(
                cell_start(cell, found.size.positions) <= at < cell_start(cell + 1, found.size.positions)
                for at in positions
            )
            for cell in range(CELLS)
        ]


@EVERY_VARIANT
@pytest.mark.parametrize("expected", [1, 7, 1000, 1_000_000_000])
@pytest.mark.parametrize("rate", [1e-8, 0.01, 0.5])
def test_positions_lie_inside_whatever_the_size(variant: int, expected: int, rate: float) -> None:
    found = Equivalent(size_by_rate(variant, expected, rate), 12345)
    for key in (1, 2, 10**9, 1 << 40):
        positions = list(found.positions(key))
        assert len(positions) == found.size.hashes
        assert all(0 <= at < found.size.positions for at in positions)
        assert all(0 <= found.cell_of(at) < CELLS for at in positions)


def test_bits_are_real_up_to_the_named_limit_and_not_beyond() -> None:
    for variant in (STANDARD, COUNTING, CUCKOO):
        size = size_by_bits(variant, 1000, 10.0)
        assert make_filter(size, 1).is_real()
    largest = size_by_bits(STANDARD, FILTER_BITS_MAX // 8, 8.0)
    assert largest.bits == FILTER_BITS_MAX
    assert make_filter(largest, 1).is_real()
    assert not make_filter(size_by_bits(STANDARD, FILTER_BITS_MAX // 8 + 1, 8.0), 1).is_real()
