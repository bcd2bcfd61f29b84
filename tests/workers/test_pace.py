"""Pacing: how far a run should be, never what it computes."""

from __future__ import annotations

import pytest

from playground.workers.limits import CATCH_UP_S_MAX
from playground.workers.pace import Pace

SECOND = 1_000_000_000


@pytest.mark.parametrize("speed", [0.01, 1.0, 30.0, 1000.0])
def test_target_grows_with_wall_time_at_the_speed(speed: float) -> None:
    pace = Pace(speed)
    pace.start(100.0, 5 * SECOND)
    assert pace.target_ns(100.1, 5 * SECOND) == pytest.approx(5 * SECOND + 0.1 * speed * SECOND)


def test_run_that_cannot_keep_up_owes_a_bounded_stretch_only() -> None:
    pace = Pace(1.0)
    pace.start(0.0, 0)
    assert pace.target_ns(60.0, SECOND) == SECOND + CATCH_UP_S_MAX * SECOND
    # The debt is forgotten: from there on the pace is the usual one again.
    caught_up = SECOND + int(CATCH_UP_S_MAX * SECOND)
    assert pace.target_ns(60.1, caught_up) == pytest.approx(caught_up + 0.1 * SECOND)


def test_target_is_never_behind_the_run() -> None:
    pace = Pace(1.0)
    pace.start(10.0, 0)
    assert pace.target_ns(10.0, 3 * SECOND) == 3 * SECOND


def test_reached_speed_is_that_of_the_last_second() -> None:
    pace = Pace(10.0)
    pace.start(0.0, 0)
    assert pace.reached() == 0.0
    for tick in range(1, 31):
        pace.mark(tick / 10, tick * SECOND // 5)
    assert pace.reached() == pytest.approx(2.0)
