"""Random streams against published values, exact probabilities and scipy's distributions, on fixed seeds.

A test at level 0.001 on fixed seeds either passes always or never; that it can fail is seen by turning a constant.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from playground.engine.streams import (
    CONSTANT,
    EXPONENTIAL,
    FITS,
    LOGNORMAL,
    M1,
    M2,
    PARETO,
    UNIFORM,
    Duration,
    Stream,
    Zipf,
)

LEVEL = 0.001
MEAN_NS = 5_000_000.0


def seeded(value: int) -> Stream:
    stream = Stream(0, "", "")
    for name in ("s10", "s11", "s12", "s20", "s21", "s22"):
        setattr(stream, name, value)
    return stream


def test_the_generator_gives_the_published_values_of_mrg32k3a() -> None:
    # L'Ecuyer, Simard, Chen and Kelton, "An object-oriented random-number package", 2002: seed 12345 six times.
    stream = seeded(12345)
    published = [0.127011, 0.318528, 0.309186, 0.825847, 0.221630]
    assert [round(stream.uniform(), 6) for _ in published] == published


def test_the_generator_is_the_recurrence_in_whole_numbers_of_any_size() -> None:
    # Python's unbounded integers are the reference: a product that wrapped would show.
    top1, top2 = M1 - 1, M2 - 1
    stream = seeded(1)
    stream.s10, stream.s11, stream.s12, stream.s20, stream.s21, stream.s22 = top1, 0, top1, top2, 0, top2
    first, second = [top1, 0, top1], [top2, 0, top2]
    for _ in range(2000):
        p1 = (1403580 * first[1] - 810728 * first[0]) % M1
        p2 = (527612 * second[2] - 1370589 * second[0]) % M2
        first, second = [*first[1:], p1], [*second[1:], p2]
        assert stream.uniform() == pytest.approx(((p1 - p2) % M1 or M1) / (M1 + 1), rel=1e-14)


def test_uniform_numbers_are_uniform_and_exclude_both_ends() -> None:
    stream = Stream(7, "block", "purpose")
    drawn = np.array([stream.uniform() for _ in range(50_000)])
    assert drawn.min() > 0.0 and drawn.max() < 1.0
    assert stats.kstest(drawn, "uniform").pvalue > LEVEL
    assert abs(np.corrcoef(drawn[:-1], drawn[1:])[0, 1]) < 4 / math.sqrt(len(drawn))


def test_normal_numbers_are_normal() -> None:
    stream = Stream(8, "block", "purpose")
    assert stats.kstest([stream.normal() for _ in range(50_000)], "norm").pvalue > LEVEL


def test_below_gives_every_whole_number_alike() -> None:
    stream = Stream(9, "block", "purpose")
    counts = np.bincount([stream.below(7) for _ in range(70_000)], minlength=7)
    assert len(counts) == 7
    assert stats.chisquare(counts).pvalue > LEVEL


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((1, "cache", "keys"), (1, "cache", "service")),
        ((1, "cache", "keys"), (1, "cache 2", "keys")),
        ((1, "cache", "keys"), (2, "cache", "keys")),
        ((1, "a", "bc"), (1, "ab", "c")),
    ],
)
def test_streams_of_another_seed_owner_or_purpose_are_independent(
    one: tuple[int, str, str], other: tuple[int, str, str]
) -> None:
    first, second = Stream(*one), Stream(*other)
    count = 20_000
    pairs = np.array([(first.uniform(), second.uniform()) for _ in range(count)])
    assert abs(np.corrcoef(pairs.T)[0, 1]) < 4 / math.sqrt(count)


def test_the_same_seed_owner_and_purpose_give_the_same_numbers() -> None:
    first, second = Stream(5, "cache", "keys"), Stream(5, "cache", "keys")
    assert [first.uniform() for _ in range(100)] == [second.uniform() for _ in range(100)]


def test_a_draw_from_one_stream_changes_nothing_in_another() -> None:
    alone = Stream(5, "cache", "keys")
    expected = [alone.uniform() for _ in range(100)]
    mixed, other = Stream(5, "cache", "keys"), Stream(5, "cache", "service")
    drawn = []
    for _ in range(100):
        other.normal()
        drawn.append(mixed.uniform())
    assert drawn == expected


def lognormal(cv: float) -> stats.rv_continuous:
    sigma = math.sqrt(math.log(1 + cv * cv))
    return stats.lognorm(sigma, scale=MEAN_NS / math.sqrt(1 + cv * cv))


def pareto(cv: float) -> stats.rv_continuous:
    shape = 1 + math.sqrt(1 + 1 / cv**2)
    return stats.pareto(shape, scale=MEAN_NS * (shape - 1) / shape)


@pytest.mark.parametrize(
    ("kind", "cv", "law"),
    [
        (EXPONENTIAL, 1.0, stats.expon(scale=MEAN_NS)),
        (UNIFORM, 1.0, stats.uniform(0, 2 * MEAN_NS)),
        (LOGNORMAL, 0.3, lognormal(0.3)),
        (LOGNORMAL, 2.0, lognormal(2.0)),
        (PARETO, 0.3, pareto(0.3)),
        (PARETO, 1.5, pareto(1.5)),
    ],
    ids=["exponential", "uniform", "lognormal 0.3", "lognormal 2", "pareto 0.3", "pareto 1.5"],
)
def test_durations_follow_their_law(kind: int, cv: float, law: stats.rv_continuous) -> None:
    assert law.mean() == pytest.approx(MEAN_NS)
    if kind in (LOGNORMAL, PARETO):
        assert law.std() / law.mean() == pytest.approx(cv)
    stream, duration = Stream(11, "block", f"{kind} {cv}"), Duration(kind, MEAN_NS, cv)
    drawn = [duration.draw(stream) for _ in range(20_000)]
    assert stats.kstest(drawn, law.cdf).pvalue > LEVEL


@pytest.mark.parametrize(
    ("kind", "cv"), [(EXPONENTIAL, 1.0), (UNIFORM, 1 / math.sqrt(3)), (LOGNORMAL, 0.5), (PARETO, 0.2)]
)
def test_durations_have_their_mean_and_coefficient_of_variation(kind: int, cv: float) -> None:
    stream, duration = Stream(12, "block", "service"), Duration(kind, MEAN_NS, cv)
    drawn = np.array([duration.draw(stream) for _ in range(40_000)], dtype=float)
    # Four standard errors of a mean; the spread converges more slowly, most of all under a heavy tail.
    assert drawn.mean() == pytest.approx(MEAN_NS, rel=4 * cv / math.sqrt(len(drawn)))
    assert drawn.std() / drawn.mean() == pytest.approx(cv, rel=0.05)


def test_a_constant_duration_uses_up_no_randomness() -> None:
    stream, untouched = Stream(1, "a", "b"), Stream(1, "a", "b")
    assert Duration(CONSTANT, 1234.0, 1.0).draw(stream) == 1234
    assert stream.uniform() == untouched.uniform()


def test_a_changed_distribution_is_as_one_made_so() -> None:
    changed = Duration(CONSTANT, 1.0, 1.0)
    changed.set_to(PARETO, MEAN_NS, 0.7)
    made = Duration(PARETO, MEAN_NS, 0.7)
    first, second = Stream(1, "a", "b"), Stream(1, "a", "b")
    assert [changed.draw(first) for _ in range(50)] == [made.draw(second) for _ in range(50)]


@pytest.mark.parametrize("name", FITS)
def test_a_mixture_is_pareto_for_its_share_and_else_exponential(name: str) -> None:
    share, least_ns, exponent, mean_ns = FITS[name]
    duration, stream = Duration(CONSTANT, 0.0, 1.0), Stream(14, "block", name)
    duration.set_mixture(share, least_ns, exponent, mean_ns)
    first, second = stats.pareto(exponent, scale=least_ns), stats.expon(scale=mean_ns)
    assert duration.mean_ns == pytest.approx(share * first.mean() + (1 - share) * second.mean())
    drawn = [duration.draw(stream) for _ in range(20_000)]
    assert stats.kstest(drawn, lambda x: share * first.cdf(x) + (1 - share) * second.cdf(x)).pvalue > LEVEL


@pytest.mark.parametrize("exponent", [0.0, 0.5, 0.99, 1.0, 1.2, 2.0])
@pytest.mark.parametrize("count", [1, 2, 40])
def test_zipf_ranks_have_their_exact_probabilities(count: int, exponent: float) -> None:
    # P(rank) = rank ** -exponent / sum; Hörmann and Derflinger's method is exact.
    weights = np.arange(1, count + 1, dtype=float) ** -exponent
    zipf, stream = Zipf(count, exponent), Stream(13, "client", f"zipf {count} {exponent}")
    total = 30_000
    counts = np.bincount([zipf.draw(stream) for _ in range(total)], minlength=count + 1)
    assert counts[0] == 0
    assert len(counts) == count + 1
    if count > 1:
        assert stats.chisquare(counts[1:], total * weights / weights.sum()).pvalue > LEVEL


def test_zipf_over_a_hundred_million_ranks_has_its_head_right() -> None:
    # P(rank <= 10) by the exact head over an Euler-Maclaurin sum of the rest.
    count, exponent, total = 100_000_000, 1.1, 30_000
    head = sum(rank**-exponent for rank in range(1, 1001))
    rest = ((count + 0.5) ** (1 - exponent) - 1000.5 ** (1 - exponent)) / (1 - exponent)
    share = sum(rank**-exponent for rank in range(1, 11)) / (head + rest)
    zipf, stream = Zipf(count, exponent), Stream(14, "client", "zipf")
    hits = sum(zipf.draw(stream) <= 10 for _ in range(total))
    assert stats.binomtest(hits, total, share).pvalue > LEVEL
