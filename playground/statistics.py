"""Student's t and confidence intervals, in plain Python: SciPy is no runtime dependency.

Source: M. Abramowitz and I. A. Stegun, Handbook of Mathematical Functions (1964), 26.7.3 and 26.7.4: the distribution has a closed form
where the degrees of freedom are a whole number, and ours always are.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import atan, cos, pi, sin, sqrt

CONFIDENCE = 0.95
HALVINGS = 200


def t_within(t: float, freedom: int) -> float:
    """The chance that a t variable with ``freedom`` degrees of freedom lies between -``t`` and ``t``."""
    angle = atan(t / sqrt(freedom))
    square = cos(angle) ** 2
    odd = freedom % 2
    # 1 + 1/2 c^2 + (1 3)/(2 4) c^4 ... for even numbers; c + 2/3 c^3 + (2 4)/(3 5) c^5 ... for odd ones.
    term = cos(angle) if odd else 1.0
    total = 0.0
    for power in range(odd, freedom - 1, 2):
        total += term
        term *= square * (power + 1) / (power + 2)
    if not odd:
        return sin(angle) * total
    return 2.0 / pi * (angle + sin(angle) * total)


@cache
def t_quantile(freedom: int, confidence: float = CONFIDENCE) -> float:
    """The t that a t variable stays within, either way, with this confidence; by bisection, to the last bit or two."""
    low, high = 0.0, 1.0
    while t_within(high, freedom) < confidence:
        high *= 2.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        if middle in (low, high):
            break
        if t_within(middle, freedom) < confidence:
            low = middle
        else:
            high = middle
    return high


def mean_and_half_width(values: Sequence[float]) -> tuple[float, float | None]:
    """The mean of independent ``values`` (at least one) and the half width of its 95 % interval; None for a single value."""
    count = len(values)
    mean = sum(values) / count
    if count == 1:
        return mean, None
    if min(values) == max(values):
        # What no seed changes is known exactly, whatever rounding says.
        return values[0], 0.0
    # In two passes: the sum of squares less the squared sum cancels where values are large and close together.
    variance = sum((value - mean) ** 2 for value in values) / (count - 1)
    return mean, t_quantile(count - 1) * sqrt(variance / count)
