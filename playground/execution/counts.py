"""What a whole design has done, as its clients counted it; and outcomes by their names."""

from __future__ import annotations

from collections.abc import Iterable

from playground.builder import Model
from playground.engine.outcomes import OUTCOME_COUNT, OUTCOMES


class Counts:
    """The whole design's counters at one time; ``failures`` in the order of ``OUTCOMES``."""

    def __init__(self, model: Model) -> None:
        self.roots = model.roots()
        self.offered = sum(int(root.offered) for root in self.roots)
        self.completed = sum(int(root.completed) for root in self.roots)
        self.failed = sum(int(root.failed) for root in self.roots)
        self.in_flight = sum(int(root.in_flight) for root in self.roots)
        self.failures = [sum(int(root.failures[reason]) for root in self.roots) for reason in range(OUTCOME_COUNT)]


def by_reason(failures: Iterable[int]) -> dict[str, int]:
    """Counts in the order of ``OUTCOMES``, by name, only those that occurred."""
    return {name: int(count) for name, count in zip(OUTCOMES, failures, strict=True) if count}


def cost_of(model: Model) -> float:
    """What the whole design has cost so far, in neutral units. With blocks that were deleted: what they had cost until then was spent."""
    return sum(block.cost() for block in model.simulation.blocks)
