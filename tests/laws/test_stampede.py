"""A hot key expires, and all who ask for it before the first rebuild is done rebuild it too: arrival rate x rebuild time.
A. Vattani, F. Chierichetti, K. Lowenstein, "Optimal probabilistic cache stampede prevention", VLDB 8(8), 2015."""

from __future__ import annotations

import pytest

from playground import theory
from playground.execution import Execution
from tests.laws.intervals import poisson_bounds
from tests.sketch import MS, SECOND, at, fault, metric, run, template

READS_OF_KEY_1_PER_S = 35_000 * 0.285714 * 100 / 101
"""Of 35,000 requests a second 28.5714 % go to the hot key, and 100 of 101 requests are reads."""

REBUILD_S = 0.200 + 4 * 0.00025 + 2 * 0.00002
"""A query of 200 ms, four messages of 0.25 ms (the miss and the query, each way, less the read that found the key
missing, more the write that fills it), two cache operations of 20 µs at most."""


def expired(seed: int, after_s: float = 0.5) -> Execution:
    """The template with its key expiring early, run until the stampede is over."""
    drawing = template("stampede", seed=seed)
    (entry,) = drawing.interventions
    assert entry.action == fault("cache", "expire_key", key=1)
    moved = drawing.model_copy(update={"interventions": [at(after_s, entry.action)]})
    return run(moved, until_s=after_s + 0.5)


@pytest.mark.parametrize("seed", range(1, 7))
def test_a_hot_keys_stampede_has_arrival_rate_times_rebuild_time_callers(seed: int) -> None:
    # 10,000/s x 200 ms = 2,000.
    execution = expired(seed)
    size = metric(execution, "cache", "largest_stampede")
    low, high = poisson_bounds(theory.stampede(READS_OF_KEY_1_PER_S, REBUILD_S))
    assert low < theory.stampede(10_000, 0.2) < high
    assert low <= size <= high
    assert metric(execution, "cache", "stampedes") == 1


@pytest.mark.parametrize("seed", range(1, 4))
def test_a_stampede_is_named_with_key_size_and_length(seed: int) -> None:
    execution = expired(seed)
    size = int(metric(execution, "cache", "largest_stampede"))
    (noted,) = [it for it in execution.take_notables() if it.kind == "stampede"]
    assert noted.target == "cache"
    assert noted.severity == "bad"
    assert noted.title == f"Stampede on key 1: {size} rebuilds"
    assert f"{size} callers" in noted.detail and "201 ms" in noted.detail
    assert 201 * MS < noted.at_ns - SECOND // 2 < 203 * MS


def test_every_caller_in_a_stampede_goes_to_the_store() -> None:
    execution = expired(1)
    misses = metric(execution, "cache", "misses")
    size = metric(execution, "cache", "largest_stampede")
    # The few others are reads of keys whose own time was over.
    assert size <= misses <= 1.1 * size
    # The pool is large enough that nobody waits; the last ones are still at it.
    read, under_way = metric(execution, "db", "buffer_hits"), metric(execution, "db", "in_flight")
    assert metric(execution, "db", "queue") == 0
    assert read <= misses <= read + under_way + 5


def test_the_template_shows_its_stampede_beside_the_law() -> None:
    execution = run(template("stampede"), until_s=10.5)
    (noted,) = [it for it in execution.take_notables() if it.kind == "stampede"]
    assert 10.2 * SECOND < noted.at_ns < 10.203 * SECOND
    row = next(it for it in execution.results()["theory"] if it["name"] == "Largest stampede")
    assert row["expected"] == pytest.approx(2_000, rel=1e-3)
    assert row["measured"] == metric(execution, "cache", "largest_stampede")
    assert row["measured"] == pytest.approx(2_000, rel=0.08)
