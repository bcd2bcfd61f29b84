"""How stale reads of a partial quorum are, against Bailis et al., "Probabilistically bounded staleness", VLDB 2012 (PBS)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import comb, log
from statistics import fmean

import pytest
from scipy import stats

from playground.blocks.quorum_store.report import formula_percent
from playground.catalogue import check_design
from playground.protocol.catalogue import Scalar
from playground.protocol.errors import InputError
from tests.laws.quorums import DISK, SSD, Bench, legs, trials
from tests.sketch import block, edge, scenario

LEVEL = 0.999
"""Confidence of the interval that a share has to lie in."""

# ---- before a write has gone beyond its quorum

UNSENT = {
    **legs(write=1_000, ack=0.001, read=0.001, response=0.001),
    "suspect_after_ms": 60_000,
    "request_timeout_ms": 60_000,
}
"""A write takes seconds to a replica, all else microseconds: a read right after the acknowledgement finds it on W replicas."""


def assert_share(count: int, total: int, expected: float) -> None:
    low, high = stats.binom.interval(LEVEL, total, expected)
    assert low <= count <= high, f"{count / total:.4f} of {total}, the law gives {expected:.4f}"


@pytest.mark.parametrize(
    ("n", "r", "w", "stale"), [(3, 1, 1, 2 / 3), (3, 1, 2, 1 / 3), (5, 2, 2, 0.3)], ids=["3,1,1", "3,1,2", "5,2,2"]
)
def test_random_replicas_miss_a_write_that_only_w_of_n_have(n: int, r: int, w: int, stale: float) -> None:
    # C(N - W, R) / C(N, R), PBS equation 1.
    assert comb(n - w, r) / comb(n, r) == pytest.approx(stale)
    total, missed = 0, 0
    for seed in range(1, 5):
        bench, (fresh,) = trials(
            2_000, [0], after_ms=40_000, seed=seed, instances=8, replicas=n, read_quorum=r, write_quorum=w, **UNSENT
        )
        total, missed = total + 2_000, missed + 2_000 - fresh
        assert bench.metric("formula_percent") == pytest.approx(100 * stale)
        assert bench.metric("reads_stale") == 2_000 - fresh, "the store itself knows which were stale"
    assert_share(missed, total, stale)


@pytest.mark.parametrize(("n", "r", "w"), [(3, 2, 2), (3, 1, 3), (3, 3, 1), (5, 3, 3)])
def test_quorums_that_overlap_never_miss_a_write(n: int, r: int, w: int) -> None:
    assert formula_percent(n, r, w) == 0
    for seed in (1, 2):
        bench, (fresh,) = trials(
            1_000, [0], after_ms=60_000, seed=seed, instances=8, replicas=n, read_quorum=r, write_quorum=w, **UNSENT
        )
        assert fresh == 1_000 and bench.metric("reads_stale") == 0


def test_reads_that_go_to_r_replicas_alone_miss_as_often() -> None:
    missed = 0
    for seed in (1, 2):
        _, (fresh,) = trials(
            2_000, [0], after_ms=40_000, seed=seed, read_from="quorum", read_quorum=1, write_quorum=1, **UNSENT
        )
        missed += 2_000 - fresh
    assert_share(missed, 4_000, 2 / 3)


# ---- measured latencies: SSD and DISK


@dataclass
class Measured:
    """Several runs together: percentiles of latency, and the share of stale reads at each delay."""

    read_ms: float
    write_ms: float
    stale: dict[float, float]

    def visible_after_ms(self, first: float, last: float) -> float:
        """When one of 1,000 reads is stale, between two delays; the tail is taken for exponential there."""
        ratio = log(self.stale[first] / self.stale[last])
        return first + (last - first) * log(self.stale[first] / 0.001) / ratio


@cache
def measured(name: str, r: int, w: int, count: int, seeds: int, delays: tuple[float, ...]) -> Measured:
    """N = 3, with the measured legs; a coordinator waits for late replicas as long as they may take."""
    params: dict[str, Scalar] = {"suspect_after_ms": 5_000, "request_timeout_ms": 60_000}
    found = []
    for seed in range(1, seeds + 1):
        bench, fresh = trials(
            count,
            list(delays),
            after_ms=10_000,
            seed=seed,
            replicas=3,
            read_quorum=r,
            write_quorum=w,
            **params,
            **(SSD if name == "ssd" else DISK),
        )
        found.append((bench, fresh))
    reads, writes = ([bench.metric(f"{kind}_p999_ms") for bench, _ in found] for kind in ("read", "write"))
    total = count * seeds
    stale = {delay: 1 - sum(fresh[at] for _, fresh in found) / total for at, delay in enumerate(delays)}
    return Measured(fmean(reads), fmean(writes), stale)


@cache
def pbs(name: str, r: int, w: int) -> Measured:
    delays = {("ssd", 1, 1): (0.0, 1.57, 2.13), ("disk", 1, 1): (0.0, 10.0, 38.7, 52.3), ("disk", 2, 1): (11.56, 15.64)}
    return measured(
        name, r, w, *((40_000, 4) if (name, r, w) in delays else (30_000, 4)), delays.get((name, r, w), (0.0,))
    )


@pytest.mark.parametrize(
    ("name", "r", "w", "read_ms", "write_ms"),
    [
        ("ssd", 1, 1, 0.66, 0.66),
        pytest.param("disk", 1, 1, 0.66, 10.99, marks=pytest.mark.slow),
        pytest.param("ssd", 2, 1, 1.63, 0.65, marks=pytest.mark.slow),
        pytest.param("disk", 2, 1, 1.63, 10.9, marks=pytest.mark.slow),
        pytest.param("ssd", 2, 2, 1.62, 1.64, marks=pytest.mark.slow),
    ],
)
def test_the_thousandth_latency_is_that_of_the_rth_and_wth_replica(
    name: str, r: int, w: int, read_ms: float, write_ms: float
) -> None:
    # PBS table 4: 99.9th percentiles.
    found = pbs(name, r, w)
    assert found.read_ms == pytest.approx(read_ms, rel=0.03)
    assert found.write_ms == pytest.approx(write_ms, rel=0.03)


def test_reads_at_once_are_as_fresh_as_measured() -> None:
    # PBS section 5.6: R = W = 1.
    assert 1 - pbs("ssd", 1, 1).stale[0.0] == pytest.approx(0.974, abs=0.01)
    assert 1 - pbs("disk", 1, 1).stale[0.0] == pytest.approx(0.439, abs=0.01)
    assert 1 - pbs("disk", 1, 1).stale[10.0] == pytest.approx(0.925, abs=0.01)


def test_a_write_is_visible_to_all_but_a_thousandth_after_a_while() -> None:
    # PBS table 4, t-visibility at 99.9 %.
    assert pbs("ssd", 1, 1).visible_after_ms(1.57, 2.13) == pytest.approx(1.85, rel=0.15)
    assert pbs("disk", 1, 1).visible_after_ms(38.7, 52.3) == pytest.approx(45.5, rel=0.15)
    assert pbs("disk", 2, 1).visible_after_ms(11.56, 15.64) == pytest.approx(13.6, rel=0.15)
    assert pbs("ssd", 2, 1).stale[0.0] <= 0.001, "at once"
    assert pbs("ssd", 2, 2).stale[0.0] == 0


# ---- what can't be


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({"read_quorum": 4}, "read_quorum"),
        ({"write_quorum": 4}, "write_quorum"),
        ({"replicas": 6}, "replicas"),
        ({"write_quorum": 0}, "write_quorum"),
        ({"read_quorum": 0}, "read_quorum"),
        ({"replicas": 0}, "replicas"),
        ({"instances": 2}, "instances"),
        ({"clock_offsets": "soon"}, "clock_offsets"),
        ({"request_timeout_ms": 50}, "request_timeout_ms"),
    ],
    ids=["R > N", "W > N", "N > nodes", "W = 0", "R = 0", "N = 0", "too few nodes", "no clock", "timeouts"],
)
def test_a_quorum_that_can_not_be_is_refused_with_the_reason(params: dict[str, Scalar], named: str) -> None:
    drawing = scenario(
        [block("users", "client"), block("app", "app_server"), block("store", "quorum_store", **params)],
        [edge("users", "app"), edge("app", "store", "store")],
    )
    with pytest.raises(InputError) as refused:
        check_design(drawing.design)
    assert any(named in problem.message for problem in refused.value.problems)
    assert all(problem.block == "store" for problem in refused.value.problems)


def test_the_same_seed_gives_the_same_answers() -> None:
    hashes = set()
    for _ in range(2):
        bench, _ = trials(200, [0, 1], seed=3)
        hashes.add(bench.simulation.trace_hash())
    assert len(hashes) == 1
    assert Bench(seed=1).store.nodes == 5
