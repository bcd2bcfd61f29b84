"""Runs under several seeds, and what they say together: Student's t interval for the mean of independent runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import sqrt
from statistics import fmean, stdev

from scipy import stats

from playground.execution import Execution
from playground.protocol.design import Scenario
from tests.sketch import SECOND

AGREES = 0.99
"""Confidence of the interval that the law has to lie in: many laws are tested, one in a hundred may miss by chance."""

NARROW = 0.95
"""Confidence of the interval whose half-width says how much a measurement means."""


def half_width(values: Sequence[float], confidence: float) -> float:
    """Half of the interval in which the mean of what these are drawn from lies with this confidence."""
    quantile = float(stats.t.ppf((1.0 + confidence) / 2.0, len(values) - 1))
    return quantile * stdev(values) / sqrt(len(values))


def assert_agrees(values: Sequence[float], expected: float, *, narrow: float = 0.05) -> None:
    """The mean agrees with ``expected`` within its interval, which is narrow enough to mean something."""
    mean, half = fmean(values), half_width(values, AGREES)
    told = f"measured {mean:.6g} ± {half:.2g} over {len(values)} seeds, the law gives {expected:.6g}"
    assert half_width(values, NARROW) <= narrow * expected, f"too wide to mean anything: {told}"
    assert abs(mean - expected) <= half, told


def runs(drawing: Scenario, seeds: Iterable[int], until_s: float | None = None) -> list[Execution]:
    """The scenario run to its end, once a seed."""
    made = []
    for seed in seeds:
        update: dict[str, object] = {"seed": seed} if until_s is None else {"seed": seed, "until_s": until_s}
        execution = Execution(drawing.model_copy(update=update), recorded=False)
        assert execution.advance(execution.until_ns)
        made.append(execution)
    return made


def seconds(execution: Execution) -> float:
    return execution.now_ns / SECOND


def poisson_bounds(mean: float, confidence: float = 0.999) -> tuple[float, float]:
    """Between these a Poisson count with this mean lies with this confidence."""
    low, high = stats.poisson.interval(confidence, mean)
    return float(low), float(high)
