"""The laws of queues, on running designs. Sources: A. K. Erlang, 1917; J. D. C. Little, Operations Research 9(3), 1961;
closed forms as in M. Harchol-Balter, Performance Modeling and Design of Computer Systems, 2013."""

from __future__ import annotations

from functools import cache

import pytest

from playground import theory
from playground.execution import Execution
from playground.protocol.design import Scenario
from tests.laws.intervals import assert_agrees, runs, seconds
from tests.sketch import block, edge, figures, run, scenario, template

WIRE = {"latency_mean_ms": 1e-6}
SEEDS = range(1, 11)


def queue(
    rate_per_s: float, workers: int, mean_ms: float, *, queue_max: int | None = None, until_s: float = 60.0
) -> Scenario:
    """Poisson arrivals at a pool of workers with exponential service."""
    return scenario(
        [
            block("arrivals", "client", rate_per_s=rate_per_s, write_weight=0, key_choice="uniform"),
            block("server", "app_server", workers=workers, queue_max=queue_max, before_mean_ms=mean_ms),
        ],
        [edge("arrivals", "server", **WIRE)],
        until_s=until_s,
    )


def mean_time_s(execution: Execution, name: str = "server") -> float:
    histogram = execution.model.blocks[name].histogram
    return histogram.total / histogram.number / 1e9


def mean_number(execution: Execution, name: str = "server") -> float:
    return execution.model.blocks[name].in_flight_integral() / 1e9 / seconds(execution)


def wait_share(execution: Execution) -> float:
    """The share of requests that had to wait for a worker."""
    found = figures(execution, "server")
    return found["waited"] / found["offered"]


def mean_wait_s(execution: Execution) -> float:
    """Mean wait for a worker, of all requests."""
    return wait_share(execution) * figures(execution, "server")["mean_wait_ms"] / 1e3


# ---- M/M/1


@cache
def mm1() -> list[Execution]:
    """8/s at a server of 10/s: rho = 0.8."""
    drawing = template("mm1")
    assert drawing.design.blocks[0].params["rate_per_s"] == 8
    return runs(drawing, SEEDS, until_s=20_000)


def test_mm1_has_four_in_the_system_for_half_a_second_each() -> None:
    # M/M/1: W = 1 / (mu - lambda), L = rho / (1 - rho).
    assert_agrees([mean_time_s(it) for it in mm1()], 0.5)
    assert_agrees([mean_number(it) for it in mm1()], 4.0)
    assert_agrees(
        [it.model.blocks["server"].pool.busy_integral() / 1e9 / seconds(it) for it in mm1()], 0.8, narrow=0.01
    )


def test_mm1_time_in_the_system_is_exponential() -> None:
    # Percentile p of the time in M/M/1 is -ln(1 - p) / ((1 - rho) mu): 2.303 s at p = 0.99.
    for fraction in (0.1, 0.5, 0.9, 0.95, 0.99):
        measured = [float(it.model.blocks["arrivals"].histogram.percentile(fraction)) / 1e9 for it in mm1()]
        assert_agrees(measured, theory.mm1_percentile(fraction, 8.0, 10.0))


def test_mm1_has_its_99th_percentile_at_2303_ms() -> None:
    assert theory.mm1_percentile(0.99, 8.0, 10.0) == pytest.approx(2.303, abs=5e-4)


def test_theory_stands_beside_the_simulation_in_the_results_of_mm1() -> None:
    rows = {it["name"]: it for it in run(template("mm1", until_s=10_000)).results()["theory"]}
    assert rows["Time in the system, mean"]["expected"] == pytest.approx(0.5)
    assert rows["In the system, on average"]["expected"] == pytest.approx(4.0)
    assert rows["Time in the system, p99"]["expected"] == pytest.approx(2.3026, abs=1e-4)
    for it in rows.values():
        assert it["measured"] == pytest.approx(it["expected"], rel=0.15), it


# ---- M/M/c: Erlang C


def test_erlang_c_mean_wait_with_twenty_servers_is_2244_ms() -> None:
    # 100 arrivals in 1,800 s, 240 s each, 20 servers; here a hundred times as fast.
    assert theory.mmc_wait(20, 100 / 1800, 1 / 240) == pytest.approx(2.2435, abs=5e-5)
    found = runs(queue(100 / 18, 20, 2_400), SEEDS, until_s=30_000)
    assert_agrees([100 * mean_wait_s(it) for it in found], 2.2435)


def test_a_queue_that_is_a_hundred_times_as_slow_is_the_same_queue() -> None:
    # Time has no unit of its own: with the same random numbers the same requests wait, a hundred times as long.
    quick = run(queue(100 / 18, 20, 2_400, until_s=2_000))
    slow = run(queue(100 / 1800, 20, 240_000, until_s=200_000))
    assert figures(slow, "server")["waited"] == figures(quick, "server")["waited"] > 50
    assert mean_wait_s(slow) == pytest.approx(100 * mean_wait_s(quick), rel=1e-3)


def test_erlang_c_one_in_ten_waits_at_load_six_on_ten_servers() -> None:
    assert theory.erlang_c(10, 6.0) == pytest.approx(0.1013, abs=5e-5)
    found = runs(template("mmc"), SEEDS, until_s=2_000)
    assert_agrees([wait_share(it) for it in found], 0.1013)
    assert_agrees([mean_wait_s(it) for it in found], theory.mmc_wait(10, 60.0, 10.0))
    rows = {it["name"]: it for it in found[0].results()["theory"]}
    assert rows["Has to wait"]["expected"] == pytest.approx(10.13, abs=0.005)
    assert rows["Has to wait"]["measured"] == pytest.approx(10.13, rel=0.1)


def test_mm3_mean_wait_is_4444_ms() -> None:
    # 0.2 arrivals and 0.1 services per second: load 2 on 3 servers, Wq = C / (c mu - lambda) = 4.444 s.
    assert theory.mmc_wait(3, 0.2, 0.1) == pytest.approx(4.444, abs=5e-4)
    found = runs(queue(20, 3, 100), SEEDS, until_s=6_000)
    assert_agrees([100 * mean_wait_s(it) for it in found], 4.0 / 0.9)


@pytest.mark.parametrize(("servers", "percent"), [(3, 70.2), (4, 32.0), (5, 13.0), (6, 4.7)])
def test_erlang_c_at_load_two_and_a_half(servers: int, percent: float) -> None:
    # Some published tables are wrong here; these are the recursion's and the simulation's.
    expected = theory.erlang_c(servers, 2.5)
    assert 100 * expected == pytest.approx(percent, abs=0.05)
    found = runs(queue(25, servers, 100), SEEDS, until_s=3_000)
    assert_agrees([wait_share(it) for it in found], expected)


# ---- M/M/1/K


@pytest.mark.parametrize(("places", "load"), [(1, 0.8), (5, 0.8), (5, 1.0), (3, 2.0), (10, 0.9)])
def test_a_finite_queue_loses_what_mm1k_says(places: int, load: float) -> None:
    # M/M/1/K: the share turned away is (1 - rho) rho^K / (1 - rho^(K + 1)), K the server's place included.
    found = runs(queue(100 * load, 1, 10, queue_max=places - 1), SEEDS, until_s=1_500)
    measured = [figures(it, "server")["rejected"] / figures(it, "server")["offered"] for it in found]
    assert_agrees(measured, theory.mm1k_loss(places, load))
    assert all(it.model.blocks["arrivals"].failures_by_reason().keys() == {"overloaded"} for it in found)
