"""Confidence intervals: against SciPy, and against what they promise."""

from __future__ import annotations

import random
from math import sqrt

import pytest
from scipy import stats

from playground.headless.combining import combined, estimate, estimated
from playground.headless.models import Estimate
from playground.headless.running import run_once
from playground.headless.sources import prepared
from playground.statistics import mean_and_half_width, t_quantile, t_within


@pytest.mark.parametrize("freedom", [*range(1, 41), 50, 99, 100, 500, 999])
def test_quantiles_of_students_t_are_those_of_scipy(freedom: int) -> None:
    for confidence in (0.5, 0.9, 0.95, 0.99):
        expected = float(stats.t.ppf((1 + confidence) / 2, freedom))
        assert t_quantile(freedom, confidence) == pytest.approx(expected, rel=1e-10)


def test_the_distribution_of_students_t_is_scipys() -> None:
    for freedom in (1, 2, 3, 4, 7, 30, 101):
        for t in (0.0, 0.1, 1.0, 2.5, 40.0):
            expected = 1 - 2 * float(stats.t.sf(t, freedom))
            assert t_within(t, freedom) == pytest.approx(expected, abs=1e-13)


def test_the_half_width_is_scipys_interval() -> None:
    generator = random.Random(5)
    values = [generator.gauss(1e6, 3.0) for _ in range(12)]
    mean, half_width = mean_and_half_width(values)
    assert half_width is not None
    low, high = stats.t.interval(0.95, 11, loc=mean, scale=float(stats.tstd(values)) / sqrt(12))
    assert (mean - half_width, mean + half_width) == pytest.approx((low, high), rel=1e-12)


def test_an_interval_covers_the_true_mean_in_nineteen_of_twenty_cases() -> None:
    generator = random.Random(8)
    covered = 0
    for _ in range(4000):
        mean, half_width = mean_and_half_width([generator.gauss(10.0, 2.0) for _ in range(5)])
        covered += half_width is not None and abs(mean - 10.0) <= half_width
    # 95 %, give or take four standard errors.
    assert abs(covered / 4000 - 0.95) < 4 * sqrt(0.95 * 0.05 / 4000)


def test_one_value_has_no_interval_and_equal_ones_one_of_no_width() -> None:
    assert mean_and_half_width([3.0]) == (3.0, None)
    assert mean_and_half_width([0.1, 0.1, 0.1]) == (0.1, 0.0)


def test_a_figure_that_some_runs_lack_says_in_how_many_it_is() -> None:
    assert estimate([1.0, None, 3.0]).replications == 2
    assert estimate([1.0, None, 3.0]).mean == 2.0
    assert estimate([None, 5]) == Estimate(mean=5.0, ci95=None, replications=1)
    assert estimate([None, None]) == Estimate(mean=None, ci95=None, replications=0)
    assert estimate([1.0, 3.0]).model_dump().keys() == {"mean", "ci95"}
    assert estimate([1.0, None]).model_dump() == {"mean": 1.0, "ci95": None, "replications": 1}


def test_a_reason_that_a_run_lacks_happened_no_times() -> None:
    found = estimated([{"failures": {"timeout": 4}, "p99_ms": 1.0}, {"failures": {}}])
    assert found["failures"]["timeout"].mean == 2.0 and found["failures"]["timeout"].replications is None
    assert found["p99_ms"].replications == 1


def run_with(**changed: object) -> dict[str, object]:
    return {**run_once(prepared("template:mm1", until_s=2)), **changed}


def test_a_part_of_the_runs_that_stopped_or_met_an_objective_is_counted() -> None:
    objective = {"metric": "p99_ms", "block": None, "at_most": 1.0, "at_least": None}
    met, missed = ({**objective, "value": value, "met": value <= 1.0} for value in (0.5, 2.0))
    unknown = {**objective, "value": None, "met": None}
    stopped = {"reason": "calls_in_flight", "at": 1.0}
    study = combined([run_with(slo=[met], stopped=stopped), run_with(slo=[missed]), run_with(slo=[met])])
    assert study.stopped is not None and study.stopped.replications == 1
    assert study.slo[0].met is False and study.slo[0].replications == 2
    assert study.slo[0].value.mean == pytest.approx(1.0)
    assert combined([run_with(slo=[met]), run_with(slo=[met])]).slo[0].met is True
    assert combined([run_with(slo=[unknown]), run_with(slo=[unknown])]).slo[0].met is None
    assert combined([run_with(slo=[met]), run_with(slo=[unknown])]).slo[0].met is False


def test_a_row_of_theory_that_some_runs_lack_is_shown_with_the_others() -> None:
    study = combined([run_with(), run_with(theory=[])])
    assert study.theory and all(row.measured.replications == 1 for row in study.theory)
