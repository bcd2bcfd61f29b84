"""How long a cache believes what it holds: early rebuilds by chance, jitter, what is known not to exist."""

from __future__ import annotations

import re
from math import exp, log
from statistics import fmean

import pytest
from scipy import stats

from playground import theory
from playground.execution import Execution
from tests.laws.caches import Params, counted, queries, reach, second_server, shop
from tests.laws.intervals import assert_agrees, poisson_bounds
from tests.sketch import SECOND, at, metric, run, set_param

EULER = 0.5772156649


# ---- XFetch: A. Vattani, F. Chierichetti, K. Lowenstein, "Optimal probabilistic cache stampede prevention", VLDB 8(8), 2015


@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("left_by_delta", [0.5, 1.0, 2.0])
def test_the_chance_of_an_early_rebuild_is_exp_of_minus_time_left_by_beta_delta(
    beta: float, left_by_delta: float
) -> None:
    # 36.8 % at time left = delta, beta = 1.
    draws = 20_000
    execution = Execution(shop(rate_per_s=1, query_ms=1, cache={"early_beta": beta}), recorded=False)
    cache = execution.model.blocks["cache"]
    delta = SECOND // 2
    node = cache.nodes[0]
    entry = node.put(7, 1, 0, round(left_by_delta * delta), delta)
    early = sum(cache.wants_early(node, entry) for _ in range(draws))
    chance = exp(-left_by_delta / beta)
    low, high = stats.binom.interval(0.999, draws, chance)
    assert low <= early <= high
    if beta == left_by_delta == 1.0:
        assert chance == pytest.approx(0.368, abs=0.001)


def cycles(seed: int) -> tuple[list[float], list[int]]:
    """100 reads/s of an item that takes 0.5 s to rebuild and lives for 5 s: how long before its end each cycle's first rebuild began,
    and how many rebuilds each cycle had."""
    drawing = shop(rate_per_s=100, query_ms=500, cache={"ttl_s": 5, "early_beta": 1}, seed=seed, until_s=205)
    execution = Execution(drawing, recorded=False)
    cache = execution.model.blocks["cache"]
    node = cache.nodes[0]
    reach(execution, 5)
    leads: list[float] = []
    rebuilds: list[int] = []
    before = counted(execution, "early_rebuilds")
    last_s = 0.0
    while execution.now_ns < execution.until_ns:
        entry = node.items.find(1)
        ends = node.items.expires[entry]
        execution.advance(execution.now_ns + SECOND // 50)
        now_s = execution.now_ns / SECOND
        fresh = counted(execution, "early_rebuilds") - before
        before += fresh
        if fresh > 0:
            # Those of one cycle follow one another within a rebuild; then there is a long quiet.
            if now_s - last_s > 1.0:
                leads.append(ends / SECOND - now_s + 0.01)
                rebuilds.append(0)
                last_s = now_s
            rebuilds[-1] += fresh
    assert counted(execution, "misses") <= 100, "the first load apart, nobody ever misses"
    return leads[:-1], rebuilds[:-1]


def test_xfetch_refreshes_about_2_3_s_before_expiry_and_about_2_6_times_a_cycle() -> None:
    # First of a Poisson stream with rate r exp(-t / delta): delta (ln(r delta) + Euler's constant) before the end, on average.
    # Those that begin before it is done: its cumulated rate is exponential with mean 1, and grows by the factor e in delta.
    leads: list[float] = []
    rebuilds: list[float] = []
    for seed in range(1, 6):
        of_seed, numbers = cycles(seed)
        assert len(of_seed) > 40
        leads.append(fmean(of_seed))
        rebuilds.append(fmean(numbers))
    expected = 0.5 * (log(100 * 0.5) + EULER)
    assert expected == pytest.approx(2.3, abs=0.06)
    assert_agrees(leads, expected, narrow=0.1)
    assert_agrees(rebuilds, exp(1.0), narrow=0.2)
    assert fmean(rebuilds) == pytest.approx(2.6, abs=0.3)


def test_under_a_lock_an_early_rebuild_happens_once_a_cycle() -> None:
    drawing = shop(rate_per_s=100, query_ms=500, cache={"ttl_s": 5, "early_beta": 1, "rebuild": "lock"}, until_s=60)
    execution = run(drawing)
    # A cycle is the rebuild, and then the time to live less about 2.2 s.
    assert 60 / 3.4 - 4 <= counted(execution, "early_rebuilds") <= 60 / 3.0 + 1
    assert counted(execution, "waits") <= 100


# ---- jitter


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_keys_that_were_loaded_together_expire_over_a_fifth_of_the_ttl_with_ten_percent_of_jitter(seed: int) -> None:
    ttl_s, keys = 100, 2_000
    cache = {"ttl_s": ttl_s, "ttl_jitter_percent": 10, "capacity": keys}
    execution = Execution(shop(rate_per_s=1, query_ms=1, cache=cache, seed=seed), recorded=False)
    held = execution.model.blocks["cache"]
    for key in range(1, keys + 1):
        held.take(0, key, 1, 0, 0)
    items = held.nodes[0].items
    ends = [items.expires[items.find(key)] / SECOND for key in range(1, keys + 1)]
    assert 0.9 * ttl_s <= min(ends) < 0.901 * ttl_s and 1.099 * ttl_s < max(ends) <= 1.1 * ttl_s
    assert stats.kstest(ends, stats.uniform(0.9 * ttl_s, 0.2 * ttl_s).cdf).pvalue > 0.001


def test_jitter_scatters_the_soft_time_to_live_with_the_hard_one() -> None:
    # Else all keys that were loaded together would be refreshed at once.
    cache = {"ttl_s": 100, "soft_ttl_s": 40, "ttl_jitter_percent": 10, "capacity": 1_000}
    execution = Execution(shop(rate_per_s=1, query_ms=1, cache=cache), recorded=False)
    held = execution.model.blocks["cache"]
    for key in range(1, 1_001):
        held.take(0, key, 1, 0, 0)
    node = held.nodes[0]
    entries = [node.items.find(key) for key in range(1, 1_001)]
    soft = [held.soft_end(node, entry) / SECOND for entry in entries]
    assert soft == pytest.approx([0.4 * node.items.expires[entry] / SECOND for entry in entries])
    assert stats.kstest(soft, stats.uniform(36, 8).cdf).pvalue > 0.001


def test_without_jitter_they_expire_at_once() -> None:
    execution = Execution(shop(rate_per_s=1, query_ms=1, cache={"ttl_s": 100, "capacity": 50}), recorded=False)
    held = execution.model.blocks["cache"]
    for key in range(1, 51):
        held.take(0, key, 1, 0, 0)
    items = held.nodes[0].items
    assert {items.expires[items.find(key)] for key in range(1, 51)} == {100 * SECOND}


# ---- what does not exist (negative caching, RFC 2308 for names)

UNKNOWN: Params = {"unknown_percent": 100, "unknown_choice": "uniform", "unknown_keys": 1}
"""All reads ask for item 2, of which there is none."""

MAKER: Params = {"read_weight": 0, "create_weight": 1, "unknown_choice": "uniform", "unknown_keys": 1}


def absent(negative_ttl_s: float | None, *, seed: int = 1, after_create: str = "invalidate") -> Execution:
    """1,000 reads/s of an item that is created at 3.3 s, the negative time to live having begun at 0, 2, 4 ... s."""
    more, wires = second_server("maker", 0.001, client=MAKER, app={"after_create": after_create})
    drawing = shop(
        rate_per_s=1_000,
        query_ms=0.001,
        client=UNKNOWN,
        cache={"negative_ttl_s": negative_ttl_s},
        db={"rows": 1, "buffer_rows": 10},
        more=more,
        wires=wires,
        seed=seed,
        interventions=[
            at(3.3, set_param("maker_users", "rate_per_s", 500)),
            at(3.32, set_param("maker_users", "rate_per_s", 0.001)),
        ],
    )
    return reach(Execution(drawing, recorded=False), 3.25)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_absent_key_costs_one_query_in_a_negative_ttl(seed: int) -> None:
    execution = absent(0.5, seed=seed)
    # 3.25 s: begun at 0, 0.5, 1 ... 3 s, each a read or two later than the one before.
    assert queries(execution) == 7
    assert counted(execution, "negative_hits") == counted(execution, "not_found", "users") - 7
    without = absent(None, seed=seed)
    assert queries(without) == counted(without, "not_found", "users") > 3_000


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_many_lookups_of_what_is_not_there_are_told_as_that_and_no_stampede(seed: int) -> None:
    # 1,000 reads/s of one id, and 100 ms until the store has said that there is none.
    drawing = shop(
        rate_per_s=1_000,
        query_ms=100,
        client={"unknown_percent": 100},
        cache={"negative_ttl_s": 60},
        db={"rows": 1},
        seed=seed,
    )
    execution = reach(Execution(drawing, recorded=False), 1)
    low, high = poisson_bounds(theory.stampede(1_000, 0.1))
    assert low <= queries(execution) <= high
    notables = execution.take_notables()
    (noted,) = [it for it in notables if it.kind == "asked_in_vain"]
    assert noted.title == f"Key 2 doesn't exist: {queries(execution)} lookups at once"
    assert counted(execution, "stampedes") == 0 and not [it for it in notables if it.kind == "stampede"]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_created_item_stays_invisible_until_the_negative_ttl_ends(seed: int) -> None:
    execution = absent(2, seed=seed, after_create="nothing")
    reach(execution, 3.99)
    assert counted(execution, "created", "db") == 1
    assert counted(execution, "found", "users") == 0
    assert counted(execution, "invisible") == pytest.approx(680, abs=90)
    (noted,) = [it for it in execution.take_notables() if it.kind == "invisible"]
    assert noted.title == "Key 2 exists, cache says it doesn't"
    # The first read after the creation: some milliseconds old.
    assert re.fullmatch(r"It was created [\d.]+ (µs|ms) ago; .*", noted.detail), noted.detail
    told = counted(execution, "invisible")
    reach(execution, 4.5)
    # The window that began at about 2 s is over.
    assert counted(execution, "invisible") <= told + 40
    assert counted(execution, "found", "users") > 450


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_creation_that_invalidates_makes_the_item_visible_at_once(seed: int) -> None:
    execution = absent(2, seed=seed)
    reach(execution, 4.5)
    assert counted(execution, "created", "db") == 1
    assert counted(execution, "invisible") == 0
    assert counted(execution, "found", "users") == pytest.approx(1_180, abs=120)


def test_without_a_soft_ttl_nothing_is_refreshed_and_without_beta_nothing_is_early() -> None:
    execution = run(shop(rate_per_s=200, query_ms=20, cache={"ttl_s": 1}, until_s=10))
    assert counted(execution, "refreshes") == counted(execution, "early_rebuilds") == 0
    assert metric(execution, "cache", "rebuilds") > 9
