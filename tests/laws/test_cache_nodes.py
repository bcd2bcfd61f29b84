"""Caches of several nodes: local ones go stale, a ring moves only what it has to, copies spread a hot key. And what is thrown out."""

from __future__ import annotations

from math import exp

import pytest
from scipy import optimize, stats

from playground.execution import Execution
from playground.protocol.design import Scenario
from tests.laws.caches import Params, counted, reach, shop
from tests.sketch import fault, metric, run, set_param

KEYS = 4_000


# ---- local caches


def two_servers(placement: str, *, ttl_s: float = 2.0, seed: int = 1) -> Scenario:
    """Two instances, 500 reads/s and 1 write/s of one item. After a write the item is invalidated."""
    return shop(
        rate_per_s=500,
        query_ms=0.1,
        client={"write_weight": 0.2},
        app={"instances": 2},
        cache={"instances": 2, "placement": placement, "ttl_s": ttl_s},
        seed=seed,
        until_s=40,
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_local_caches_stay_stale_to_their_ttl_and_a_shared_one_does_not(seed: int) -> None:
    local, shared = run(two_servers("local", seed=seed)), run(two_servers("shared", seed=seed))
    assert counted(shared, "stale_served") == 0
    # An invalidation reaches only the writer's own node: the other one is stale until its own time ends, or until it writes.
    stale = counted(local, "stale_served")
    assert stale > 0.1 * counted(local, "hits")
    assert 0 < metric(local, "cache", "mean_staleness_ms") < 2_000
    quicker = run(two_servers("local", ttl_s=0.2, seed=seed))
    assert counted(quicker, "stale_served") < 0.5 * stale
    assert metric(quicker, "cache", "mean_staleness_ms") < 200


def test_each_server_calls_its_own_node() -> None:
    execution = run(two_servers("local"))
    first, second = (node.served for node in execution.model.blocks["cache"].nodes)
    assert first == pytest.approx(second, rel=0.02)
    assert counted(execution, "misses") > 2 * counted(execution, "commits", "db") - 40


# ---- the ring


def cluster(*, nodes: int, cache: Params | None = None, seed: int = 1, rate_per_s: float = 2_000) -> Scenario:
    """A cluster that holds all items; all are read alike."""
    return shop(
        rate_per_s=rate_per_s,
        query_ms=0.1,
        client={"keys": KEYS, "key_choice": "uniform"},
        cache={"instances": nodes, "virtual_nodes": 200, "capacity": KEYS, "warm_keys": KEYS, **(cache or {})},
        db={"rows": KEYS, "buffer_rows": KEYS},
        seed=seed,
        until_s=60,
    )


def test_a_node_more_moves_its_share_of_the_keys_and_none_to_an_old_node() -> None:
    execution = Execution(cluster(nodes=10), recorded=False)
    ring = execution.model.blocks["cache"].ring
    before = [ring.owner(key) for key in range(1, KEYS + 1)]
    execution.act(set_param("cache", "instances", 11), "test")
    after = [ring.owner(key) for key in range(1, KEYS + 1)]
    moved = [new for old, new in zip(before, after, strict=True) if old != new]
    assert set(moved) == {10}
    assert len(moved) / KEYS == pytest.approx(1 / 11, abs=0.015)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_reads_miss_only_the_keys_that_moved(seed: int) -> None:
    execution = reach(Execution(cluster(nodes=10, seed=seed), recorded=False), 1)
    assert counted(execution, "misses") == 0
    execution.act(set_param("cache", "instances", 11), "test")
    before = counted(execution, "hits")
    reach(execution, 1.2)
    hits, misses = counted(execution, "hits") - before, counted(execution, "misses")
    low, high = stats.binom.interval(0.999, hits + misses, 1 / 11)
    assert 0.7 * low <= misses <= 1.2 * high, "a few come back within these 0.2 s"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_dead_node_loses_its_keys_alone_and_they_go_to_the_next_ones(seed: int) -> None:
    execution = reach(Execution(cluster(nodes=5, seed=seed, rate_per_s=4_000), recorded=False), 0.5)
    cache = execution.model.blocks["cache"]
    owners = {key: cache.ring.owner(key) for key in range(1, KEYS + 1)}
    execution.act(fault("cache", "crash", instance=2, restart_after_s=600), "test")
    now = {key: cache.ring.owner(key) for key in range(1, KEYS + 1)}
    assert {owner for key, owner in now.items() if owners[key] == 2} == {0, 1, 3, 4}
    assert all(now[key] == owner for key, owner in owners.items() if owner != 2)
    reach(execution, 3.5)
    assert counted(execution, "failed") == counted(execution, "bypassed", "app") == 0
    share = sum(owner == 2 for owner in owners.values())
    # Every one of them misses once, nothing else does; a key is asked for three times in these 3 s, on average.
    assert (1 - exp(-3.0)) * share * 0.9 <= counted(execution, "misses") <= share * 1.02


@pytest.mark.parametrize("seed", [1, 2])
def test_without_remapping_calls_for_a_dead_nodes_keys_are_refused(seed: int) -> None:
    drawing = cluster(nodes=5, seed=seed, cache={"remap_dead_nodes": False})
    execution = reach(Execution(drawing, recorded=False), 0.5)
    cache = execution.model.blocks["cache"]
    share = sum(cache.ring.owner(key) == 2 for key in range(1, KEYS + 1)) / KEYS
    execution.act(fault("cache", "crash", instance=2, restart_after_s=600), "test")
    reach(execution, 2.5)
    refused = counted(execution, "bypassed", "app")
    low, high = stats.binom.interval(0.999, 4_000, share)
    assert 0.95 * low <= refused <= 1.05 * high
    assert counted(execution, "misses") == 0


# ---- hot keys


def hot(replicas: int, *, write_weight: float = 0.0, seed: int = 1) -> Execution:
    """Four nodes; half of all reads ask for item 1."""
    drawing = shop(
        rate_per_s=2_000,
        query_ms=0.1,
        client={
            "keys": KEYS,
            "key_choice": "hot",
            "hot_share_percent": 50,
            "zipf_exponent": 0,
            "write_weight": write_weight,
        },
        cache={
            "instances": 4,
            "warm_keys": KEYS,
            "capacity": KEYS,
            "hot_key_replicas": replicas,
            "hot_key_percent": 10,
        },
        db={"rows": KEYS, "buffer_rows": KEYS},
        seed=seed,
    )
    return reach(Execution(drawing, recorded=False), 2)


def shares(execution: Execution, until_s: float) -> list[float]:
    """What share of the operations each node does from now on."""
    nodes = execution.model.blocks["cache"].nodes
    before = [node.served for node in nodes]
    reach(execution, until_s)
    done = [node.served - old for node, old in zip(nodes, before, strict=True)]
    return [count / sum(done) for count in done]


@pytest.mark.parametrize("seed", [1, 2])
def test_copies_of_a_hot_key_spread_its_reads_over_the_nodes(seed: int) -> None:
    alone = shares(hot(1, seed=seed), 4)
    copied = hot(4, seed=seed)
    assert counted(copied, "hot_keys") == 1, "it is found out within two seconds"
    spread = shares(copied, 4)
    # Half of the reads, and a quarter of the others.
    assert max(alone) == pytest.approx(0.625, abs=0.05)
    assert max(spread) < 0.32 and min(spread) > 0.18
    assert counted(copied, "misses") == 0
    assert [it.title for it in copied.take_notables() if it.kind == "hot_key"] == ["Key 1 is hot at cache"]


def test_two_copies_halve_what_the_hot_nodes_do() -> None:
    spread = sorted(shares(hot(2), 4))
    assert spread[2] == pytest.approx(0.375, abs=0.05)
    assert spread[3] == pytest.approx(0.375, abs=0.05)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_change_reaches_all_copies_of_a_hot_key(seed: int) -> None:
    execution = hot(4, write_weight=5, seed=seed)
    reach(execution, 5)
    assert counted(execution, "hot_keys") == 1
    assert counted(execution, "commits", "db") > 300
    assert counted(execution, "stale_served") == 0


def test_a_key_that_cools_down_is_on_its_own_node_alone_again() -> None:
    execution = hot(4)
    cache = execution.model.blocks["cache"]
    assert sum(node.items.find(1) >= 0 for node in cache.nodes) == 4
    execution.act(set_param("users", "hot_share_percent", 0), "test")
    reach(execution, 12)
    assert counted(execution, "hot_keys") == 0
    assert sum(node.items.find(1) >= 0 for node in cache.nodes) == 1


# ---- eviction


def zipf(exponent: float, keys: int) -> list[float]:
    weights = [rank**-exponent for rank in range(1, keys + 1)]
    return [weight / sum(weights) for weight in weights]


def expected_hits(policy: str, popularity: list[float], capacity: int) -> float:
    """Che's approximation: an item is held for the time T in which ``capacity`` different ones are asked for.

    H. Che, Y. Tung and Z. Wang, IEEE JSAC 20(7), 2002; for FIFO as in N. Gast and B. Van Houdt, SIGMETRICS 2015.
    """

    def held(chance: float, time: float) -> float:
        return 1 - exp(-chance * time) if policy == "lru" else chance * time / (1 + chance * time)

    time = optimize.brentq(lambda t: sum(held(chance, t) for chance in popularity) - capacity, 1.0, 1e7)
    return sum(chance * held(chance, time) for chance in popularity)


def hit_ratio(policy: str, seed: int) -> float:
    """Of 1,000 items by Zipf, 100 fit; counted once it is full."""
    drawing = shop(
        rate_per_s=2_000,
        query_ms=0.000001,
        client={"keys": 1_000, "key_choice": "zipf", "zipf_exponent": 0.8},
        cache={"capacity": 100, "eviction": policy, "warm_keys": 100},
        seed=seed,
        until_s=12,
    )
    execution = reach(Execution(drawing, recorded=False), 4)
    hits, misses = counted(execution, "hits"), counted(execution, "misses")
    reach(execution, 12)
    hits, misses = counted(execution, "hits") - hits, counted(execution, "misses") - misses
    return hits / (hits + misses)


@pytest.mark.parametrize("seed", [1, 2])
def test_lru_lfu_and_fifo_hit_as_theory_says_on_zipf_traffic(seed: int) -> None:
    popularity = zipf(0.8, 1_000)
    lru, fifo, lfu = (hit_ratio(policy, seed) for policy in ("lru", "fifo", "lfu"))
    assert lru == pytest.approx(expected_hits("lru", popularity, 100), abs=0.012)
    assert fifo == pytest.approx(expected_hits("fifo", popularity, 100), abs=0.012)
    # The 100 most popular ones hold at best; what was thrown out is counted from 0 again, so it stays below that.
    best = sum(popularity[:100])
    assert lru + 0.02 < lfu <= best + 0.01
    assert fifo + 0.01 < lru


def test_version_held_and_true_version_stand_side_by_side_in_the_inspector() -> None:
    execution = reach(Execution(two_servers("local", ttl_s=60), recorded=False), 8)
    (row,) = execution.model.blocks["cache"].detail()["most_popular_keys"]
    assert row["key"] == 1 and row["version"] <= row["true_version"]
    assert row["true_version"] == execution.model.blocks["db"].current_version(1) > 1
    assert row["age_s"] >= 0 and row["expires_in_s"] <= 60


def test_a_node_that_was_taken_out_comes_back_as_another_process_without_items_and_locks() -> None:
    # Half-way through rebuilds that take 1 s: each key has its lock, which would last a minute.
    drawing = shop(
        rate_per_s=3_000,
        query_ms=1_000,
        client={"keys": 30, "write_weight": 0},
        app={"workers": 10_000},
        cache={"instances": 3, "rebuild": "lock", "lock_ttl_s": 60, "warm_keys": 0},
        until_s=5,
    )
    execution = run(drawing, until_s=0.5)
    nodes = execution.model.blocks["cache"].nodes
    locks = [node.locks.size for node in nodes]
    assert sum(locks) == 30 and min(locks) > 0
    execution.act(set_param("cache", "instances", 1), "test")
    assert [node.locks.size for node in nodes] == [locks[0], 0, 0]
    execution.act(set_param("cache", "instances", 3), "test")
    assert [node.locks.size for node in nodes] == [locks[0], 0, 0]
    execution.advance(execution.until_ns)
    # Whoever began before puts in what it has read, those who ask anew rebuild once more, and nobody waits for a lock of the dead.
    assert [node.locks.size for node in nodes] == [0, 0, 0]
    assert counted(execution, "locks_expired") == 0
    assert sum(node.items.size for node in nodes) == 30
