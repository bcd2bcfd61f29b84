"""The closed forms that stand beside the simulation, against other ways to compute the same."""

from __future__ import annotations

from math import exp, factorial, inf

import pytest
from scipy import stats

from playground import theory


@pytest.mark.parametrize("servers", [1, 2, 5, 10, 40])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_erlang_c_is_the_sum_in_the_textbook(servers: int, share: float) -> None:
    # A. K. Erlang, 1917: C = (a^c / c!) (c / (c - a)) / (sum of a^k / k! for k < c, plus the same).
    load = share * servers
    top = load**servers / factorial(servers) * servers / (servers - load)
    bottom = sum(load**count / factorial(count) for count in range(servers)) + top
    assert theory.erlang_c(servers, load) == pytest.approx(top / bottom, rel=1e-9)


def test_erlang_c_is_a_chance_for_any_pool() -> None:
    assert theory.erlang_c(1, 0.8) == pytest.approx(0.8)
    assert theory.erlang_c(3, 3.0) == theory.erlang_c(3, 10.0) == 1.0
    assert theory.erlang_c(5, 0.0) == 0.0
    # Terms of a sum would overflow here.
    assert 0.0 < theory.erlang_c(100_000, 99_900.0) < 1.0


@pytest.mark.parametrize("fraction", [0.0, 0.5, 0.9, 0.99, 0.9999])
def test_the_time_in_mm1_is_exponential(fraction: float) -> None:
    expected = float(stats.expon(scale=1 / (10 - 8)).ppf(fraction))
    assert theory.mm1_percentile(fraction, 8, 10) == pytest.approx(expected, abs=1e-12)


def test_mm1_is_mmc_with_one_server() -> None:
    assert theory.mmc_time(1, 8, 10) == pytest.approx(0.5)
    assert theory.mmc_wait(1, 8, 10) == pytest.approx(0.4)
    assert theory.little(8, theory.mmc_time(1, 8, 10)) == pytest.approx(4.0)


def test_a_queue_that_gets_more_than_it_serves_has_no_end() -> None:
    assert theory.mmc_wait(2, 20, 10) == theory.mmc_time(2, 21, 10) == theory.mm1_percentile(0.5, 10, 10) == inf


@pytest.mark.parametrize("places", [1, 2, 7, 30])
@pytest.mark.parametrize("load", [0.3, 0.999, 1.0, 1.001, 2.5, 40.0])
def test_the_loss_of_mm1k_is_the_chance_of_the_last_state(places: int, load: float) -> None:
    # In a birth-death process state n has the weight rho^n; an arrival that finds K of K is lost.
    weights = [load**count for count in range(places + 1)]
    assert theory.mm1k_loss(places, load) == pytest.approx(weights[-1] / sum(weights), rel=1e-9)


@pytest.mark.parametrize(("load", "expected"), [(0.5, 0.0), (1.5, 1 / 3), (1000.0, 0.999)])
def test_the_loss_of_mm1k_is_known_for_a_queue_of_any_length(load: float, expected: float) -> None:
    # Long queues lose what is too much: 1 - 1 / rho. Powers of rho overflow long before.
    assert theory.mm1k_loss(1_000_001, load) == pytest.approx(expected)


def test_a_stampede_is_a_poisson_count_of_arrivals_in_the_time_of_a_rebuild() -> None:
    assert theory.stampede(10_000, 0.2) == pytest.approx(2_000)
    assert exp(-theory.stampede(10, 0.2)) == pytest.approx(float(stats.poisson.pmf(0, 2.0)))
