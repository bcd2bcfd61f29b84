"""Numbers in sentences: one of something is not several, and a time has the unit that people would use."""

from __future__ import annotations

import pytest

from playground.engine.words import counted, often, time_text


def test_one_of_something_is_not_several() -> None:
    assert [counted(number, "session") for number in (0, 1, 2)] == ["0 sessions", "1 session", "2 sessions"]
    assert [counted(number, "copy is", "copies are") for number in (1, 3)] == ["1 copy is", "3 copies are"]
    assert [often(number) for number in (1, 2, 3, 40)] == ["once", "twice", "3 times", "40 times"]


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (250_000, "250 µs"),
        (999_400, "999 µs"),
        (999_600, "1 ms"),
        (19_300_000, "19.3 ms"),
        (999_400_000, "999 ms"),
        (999_600_000, "1 s"),
        (1_500_000_000, "1.5 s"),
        (119_000_000_000, "119 s"),
        (150_000_000_000, "2.5 min"),
        (86_400_000_000_000, "24 h"),
    ],
)
def test_a_time_has_three_digits_and_the_unit_that_fits(ns: int, text: str) -> None:
    assert time_text(ns) == text
