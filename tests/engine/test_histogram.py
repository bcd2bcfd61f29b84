"""Log-linear histograms (the idea of HdrHistogram): a bucket is narrower than 1 % of what is in it, at any magnitude."""

from __future__ import annotations

import math
from itertools import zip_longest

from hypothesis import given
from hypothesis import strategies as st
from librt.vecs import vec
from mypy_extensions import i64

from playground.engine.histogram import Histogram, bucket_low, bucket_of, percentile_of

DURATIONS = st.one_of(st.integers(0, 300), st.integers(0, 10**9), st.integers(0, 1 << 60))
SAMPLES = st.lists(DURATIONS, min_size=1, max_size=200)
FRACTIONS = st.sampled_from([0.0, 0.01, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0])


def filled(values: list[int]) -> Histogram:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    return histogram


@given(DURATIONS)
def test_a_value_lies_in_its_bucket_and_the_bucket_is_narrow(value: int) -> None:
    low, following = bucket_low(bucket_of(value)), bucket_low(bucket_of(value) + 1)
    assert low <= value < following
    assert following - low == 1 or following - low < 0.01 * low


@given(st.integers(0, 57 * 128 - 2))
def test_buckets_lie_side_by_side(index: int) -> None:
    assert bucket_of(bucket_low(index)) == index
    assert bucket_of(bucket_low(index + 1) - 1) == index


@given(SAMPLES, FRACTIONS)
def test_a_percentile_lies_in_the_bucket_of_the_true_one(values: list[int], fraction: float) -> None:
    rank = max(1, math.ceil(fraction * len(values)))
    true = sorted(values)[rank - 1]
    found = filled(values).percentile(fraction)
    low, following = bucket_low(bucket_of(true)), bucket_low(bucket_of(true) + 1)
    assert low <= found <= following
    assert abs(found - true) <= max(1.0, 0.01 * true)


@given(SAMPLES)
def test_number_and_mean_are_exact(values: list[int]) -> None:
    histogram = filled(values)
    assert histogram.number == len(values)
    assert math.isclose(histogram.mean(), sum(values) / len(values), rel_tol=1e-12)


@given(SAMPLES, SAMPLES, FRACTIONS)
def test_a_difference_of_two_states_is_what_came_between(
    before: list[int], between: list[int], fraction: float
) -> None:
    histogram = filled(before)
    earlier = histogram.counts[:]
    for value in between:
        histogram.add(value)
    assert percentile_of(histogram.counts, earlier, fraction) == filled(between).percentile(fraction)


@given(SAMPLES, SAMPLES)
def test_counts_of_two_histograms_add_up_to_those_of_all(first: list[int], second: list[int]) -> None:
    sums = [one + other for one, other in zip_longest(filled(first).counts, filled(second).counts, fillvalue=0)]
    together = list(filled(first + second).counts)
    assert sum(sums) == sum(together) == len(first) + len(second)
    assert all(one == other for one, other in zip(sums, together, strict=False))


def test_an_empty_histogram_has_neither_mean_nor_percentile() -> None:
    histogram = Histogram()
    assert (histogram.mean(), histogram.percentile(0.5)) == (-1.0, -1.0)
    histogram.add(5)
    assert percentile_of(histogram.counts, histogram.counts, 0.5) == -1.0
    assert percentile_of(vec[i64](), vec[i64](), 0.5) == -1.0
