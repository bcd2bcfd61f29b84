"""Units of a design become nanoseconds in one place."""

from __future__ import annotations

import pytest

from playground.engine.params import Params
from playground.engine.regions import REGIONS, one_way_ns
from playground.engine.streams import CONSTANT, LOGNORMAL, Duration


@pytest.mark.parametrize(
    ("name", "value", "ns"),
    [
        ("wait_us", 2.5, 2_500),
        ("wait_ms", 0.25, 250_000),
        ("wait_s", 3, 3_000_000_000),
        ("wait_ms", None, -1),
        ("wait_s", 0, 0),
    ],
)
def test_a_duration_is_read_in_the_unit_that_ends_its_name(name: str, value: object, ns: int) -> None:
    assert Params({name: value}).ns(name) == ns


def test_what_is_off_reads_as_minus_one_or_empty() -> None:
    params = Params({"a": None})
    assert (params.number("a"), params.integer("a"), params.text("a")) == (-1.0, -1, "")


def test_a_name_that_is_not_declared_is_refused() -> None:
    with pytest.raises(KeyError, match="missing"):
        Params({}).number("missing")


def test_a_distribution_is_set_from_its_three_parameters() -> None:
    duration = Duration(CONSTANT, 0.0, 1.0)
    Params({"work_distribution": "lognormal", "work_mean_us": 40, "work_cv": 0.5}).set_duration(duration, "work")
    assert (duration.kind, duration.mean_ns, duration.cv) == (LOGNORMAL, 40_000.0, 0.5)


def test_a_measured_distribution_needs_no_mean() -> None:
    duration = Duration(CONSTANT, 0.0, 1.0)
    Params({"leg_distribution": "lnkd_disk", "leg_mean_ms": 7, "leg_cv": 1}).set_duration(duration, "leg")
    # 38 % of 1.05 x 1.51 / 0.51 ms and 62 % of 1 / 0.183 ms.
    assert duration.mean_ns == pytest.approx(4.569e6, rel=1e-3)


def test_regions_are_as_far_from_one_another_there_as_back() -> None:
    for here in REGIONS:
        assert one_way_ns(here, here) == 0
        assert one_way_ns(here, "") == 0
        for there in REGIONS:
            assert one_way_ns(here, there) == one_way_ns(there, here)
            assert (one_way_ns(here, there) > 0) == (here != there)
    assert one_way_ns("us", "eu") == 50_000_000
