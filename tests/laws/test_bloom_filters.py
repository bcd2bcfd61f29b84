"""False positives of filters: (1 - e^(-kn/m))^k, never a false negative, and what that costs in bits.

B. H. Bloom, CACM 13(7), 1970; B. Fan et al., "Cuckoo filter", CoNEXT 2014.
"""

from __future__ import annotations

import subprocess
import sys
from math import exp, log

import pytest

from playground.blocks.bloom_filter.spec_figures import METRICS
from playground.engine.filter_equivalent import Equivalent, make_filter
from playground.engine.filters import COUNTING, CUCKOO, STANDARD, VARIANTS, Filter, Size, size_by_bits, size_by_rate
from playground.engine.stores import KeyIndex
from playground.native import PROJECT
from playground.protocol.catalogue import Scalar
from playground.protocol.design import Scenario
from tests.laws.intervals import assert_agrees, half_width, runs
from tests.sketch import block, edge, metric, scenario

ELEMENTS = 20_000
ASKED = 100_000
NOTHING = KeyIndex()
EVERY_VARIANT = pytest.mark.parametrize("variant", [STANDARD, COUNTING, CUCKOO], ids=VARIANTS)


def filled(made: Filter, elements: int) -> Filter:
    made.begin_with(elements, NOTHING)
    return made


def observed(made: Filter) -> float:
    """The share of ids that are not in and get "perhaps", percent."""
    return 100.0 * sum(made.contains(10**8 + asked) for asked in range(ASKED)) / ASKED


def salted(size: Size, elements: int, maker: type[Filter]) -> list[float]:
    return [observed(filled(maker(size, 1_000_003 * salt), elements)) for salt in range(1, 13)]


def test_ten_bits_an_element_are_seven_hashes_and_0_819_percent() -> None:
    size = size_by_bits(STANDARD, 100_000_000, 10.0)
    assert (size.positions, size.hashes) == (1_000_000_000, 7)
    assert 100 * size.rate(100_000_000) == pytest.approx(0.819, abs=0.0005)
    assert (1 - exp(-0.7)) ** 7 == pytest.approx(size.rate(100_000_000))


@pytest.mark.parametrize(("rate", "bits", "hashes"), [(0.01, 9.585, 7), (0.001, 14.378, 10)])
def test_a_target_rate_needs_so_many_bits_and_hashes(rate: float, bits: float, hashes: int) -> None:
    # m = -n ln p / (ln 2)^2, k = m/n ln 2.
    size = size_by_rate(STANDARD, 100_000_000, rate)
    assert size.positions / 100_000_000 == pytest.approx(bits, abs=0.0005)
    assert -log(rate) / log(2) ** 2 == pytest.approx(bits, abs=0.0005)
    assert size.hashes == hashes
    # Rounding k costs a little.
    assert size.rate(100_000_000) == pytest.approx(rate, rel=0.005)


def test_100_million_ids_at_ten_bits_are_125_megabytes() -> None:
    assert size_by_bits(STANDARD, 100_000_000, 10.0).bits / 8 / 1e6 == 125.0
    # Counters of four bits take four times that.
    assert size_by_bits(COUNTING, 100_000_000, 10.0).bits / 8 / 1e6 == 500.0


def test_a_cuckoo_filter_for_one_percent_has_fingerprints_of_ten_bits() -> None:
    # f = log2(2b / p) for buckets of b = 4, 95 % full.
    size = size_by_rate(CUCKOO, 1_000_000, 0.01)
    assert size.fingerprint_bits == 10
    assert size.bits / 1_000_000 == pytest.approx(10 / 0.95, rel=1e-4)
    assert size.rate(1_000_000) <= 0.01


@pytest.mark.parametrize("variant", [STANDARD, COUNTING], ids=["standard", "counting"])
def test_real_bits_give_the_rate_of_the_formula(variant: int) -> None:
    assert_agrees(salted(size_by_bits(variant, ELEMENTS, 10.0), ELEMENTS, make_filter), 0.8194)


def test_real_fingerprints_give_the_rate_of_the_formula() -> None:
    size = size_by_rate(CUCKOO, ELEMENTS, 0.01)
    assert_agrees(salted(size, ELEMENTS, make_filter), 100 * size.rate(ELEMENTS))


@pytest.mark.parametrize("times", [0.5, 1.5, 2.0, 3.0])
def test_past_its_capacity_the_rate_climbs_as_the_formula_says(times: float) -> None:
    size = size_by_bits(STANDARD, ELEMENTS // 2, 10.0)
    elements = round(times * ELEMENTS / 2)
    law = 100 * (1 - exp(-7 * times / 10)) ** 7
    assert 100 * size.rate(elements) == pytest.approx(law)
    found = salted(size, elements, make_filter)
    assert abs(sum(found) / len(found) - law) <= max(half_width(found, 0.99), 0.005)


@pytest.mark.parametrize(("bits", "predicted"), [(2.0, 63.2), (10.0, 13.78)])
def test_ids_that_are_added_one_by_one_raise_the_rate_as_those_from_the_start(bits: float, predicted: float) -> None:
    # At twice the capacity: (1 - e^-(2k/b))^k, k = 1 with 2 bits an id, 7 with 10.
    made = filled(make_filter(size_by_bits(STANDARD, 5_000, bits), 17), 5_000)
    for key in [*range(5_001, 10_001), *range(1, 10_001)]:
        # The second time it is told of an id, that is in already.
        made.add(key)
    # With 2 bits, those whose bit was set already are more than a third of all. They are elements nonetheless.
    assert made.elements == 10_000
    assert 100 * made.size.rate(made.elements) == pytest.approx(predicted, abs=0.05)
    assert observed(made) == pytest.approx(predicted, rel=0.05)
    assert made.set_all == filled(make_filter(made.size, 17), 10_000).set_all


@EVERY_VARIANT
@pytest.mark.parametrize("times", [0.8, 1.0])
def test_what_stands_for_a_filter_has_the_rate_of_its_bits(variant: int, times: float) -> None:
    size = size_by_bits(variant, ELEMENTS, 10.0)
    elements = round(times * ELEMENTS)
    real, stands = salted(size, elements, make_filter), salted(size, elements, Equivalent)
    difference = [one - other for one, other in zip(real, stands, strict=True)]
    mean = sum(difference) / len(difference)
    assert abs(mean) <= half_width(difference, 0.99)
    assert half_width(difference, 0.95) < 0.1 * 100 * size.rate(elements)


def test_more_elements_only_add_false_positives_and_another_salt_makes_others() -> None:
    size = size_by_bits(STANDARD, 100_000_000, 8.0)
    asked = range(2 * 10**9, 2 * 10**9 + 20_000)
    stands = filled(Equivalent(size, 4), 60_000_000)
    few = {key for key in asked if stands.contains(key)}
    assert few == {key for key in asked if stands.contains(key)}
    larger = filled(Equivalent(size, 4), 120_000_000)
    more = {key for key in asked if larger.contains(key)}
    assert few < more
    rebuilt = filled(Equivalent(size, 5), 60_000_000)
    others = {key for key in asked if rebuilt.contains(key)}
    # Two that know nothing of one another share a rate's share.
    assert len(few & others) < 0.2 * len(few) < len(others)


@EVERY_VARIANT
def test_fill_of_what_stands_for_a_filter_is_that_of_its_bits(variant: int) -> None:
    size = size_by_bits(variant, ELEMENTS, 10.0)
    real, stands = filled(make_filter(size, 3), 15_000), filled(Equivalent(size, 3), 15_000)
    assert stands.fill() == pytest.approx(real.fill(), rel=0.01)


def attack(items: int, until_s: float = 10.0, **params: Scalar) -> Scenario:
    """Random ids that don't exist, asked of a filter that holds ``items``."""
    return scenario(
        [
            block(
                "attack",
                "client",
                rate_per_s=10_000,
                write_weight=0,
                unknown_percent=100,
                unknown_choice="uniform",
                keys=items,
            ),
            block("app", "app_server", workers=1000, before_mean_ms=1),
            block("filter", "bloom_filter", **params),
            block("db", "sql_database", rows=items, buffer_rows=1000),
        ],
        [edge("attack", "app"), edge("app", "filter", "filter"), edge("app", "db", "store")],
        until_s=until_s,
    )


@pytest.mark.parametrize("items", [10_000, 100_000_000])
def test_a_run_shows_the_rate_of_the_formula_beside_what_it_observes(items: int) -> None:
    found = runs(attack(items, until_s=8.0, expected=items), range(1, 9))
    assert all(metric(it, "filter", "predicted_percent") == pytest.approx(0.819, abs=0.0005) for it in found)
    assert_agrees([metric(it, "filter", "observed_percent") for it in found], 0.8194)
    assert all(metric(it, "filter", "false_negatives") == 0 for it in found)


MEASURE = """
import json, sys
from playground.execution import Execution
from playground.protocol.design import parse_scenario
execution = Execution(parse_scenario(json.load(sys.stdin)))
assert execution.advance(execution.until_ns) and execution.stopped is None
(line,) = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(*execution.model.blocks["filter"].metrics(), line.split()[1])
"""


def test_100_million_ids_go_through_a_filter_within_200_megabytes() -> None:
    # The peak of a whole process that runs the design, snapshots for going back included. (getrusage has that of the process which started
    # it as well.) The database keeps few rows in memory: snapshots of those have a budget of their own, whatever the filter is.
    drawing = attack(100_000_000, until_s=3.0, expected=100_000_000).model_dump_json(by_alias=True)
    done = subprocess.run(
        [sys.executable, "-c", MEASURE], input=drawing, cwd=PROJECT, capture_output=True, text=True, check=True
    )
    *values, peak_kb = (float(word) for word in done.stdout.split())
    found = dict(zip((it.name for it in METRICS), values, strict=True))
    assert (found["elements"], found["megabytes"]) == (100_000_000, 125.0)
    assert found["rejected"] > 25_000
    assert peak_kb / 1024 < 200, f"{peak_kb / 1024:.0f} MB"
