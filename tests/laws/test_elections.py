"""Who may be elected where commits wait for replicas. Source: Patroni, "Replication modes" (synchronous_mode, quorum)."""

from __future__ import annotations

import random

import pytest

from playground.engine.outcomes import OK, WRITE
from playground.protocol.catalogue import Scalar
from tests.laws.clusters import Cluster
from tests.laws.test_failover import failed_over, patroni
from tests.sketch import quick_or_slow

LEVELS_OF_COMMIT = [
    ("on", "any", 1),
    ("on", "any", 2),
    ("on", "first", 1),
    ("on", "first", 2),
    ("remote_apply", "any", 2),
]


def battered(seed: int, replicas: int = 3, **params: Scalar) -> Cluster:
    """Nodes die, are cut off and stop applying at random, several at a time, over a minute of writes; in the end all are well."""
    chance = random.Random(seed)
    times: dict[str, Scalar] = {"lease_ttl_s": 3.0, "loop_wait_s": 1.0, "retry_timeout_s": 1.0, "rewind_s": 0.5}
    cluster = patroni(seed=seed, instances=replicas + 1, ship_distribution="exponential", **times, **params)
    cluster.writes(0, 70_000, 7, keys=300)
    moments = sorted(chance.uniform(1_000, 50_000) for _ in range(14))
    for moment in moments:
        cluster.run(moment)
        node, lasts = chance.randrange(replicas + 1), chance.uniform(0.2, 9.0)
        match chance.randrange(4):
            case 0 | 1:
                cluster.fault("crash", instance=node, restart_after_s=lasts)
            case 2:
                cluster.fault("partition", instance=node, callers=chance.choice(["none", "all"]), duration_s=lasts)
            case _:
                cluster.fault("slow_disk", instance=node, factor=chance.uniform(2, 200), duration_s=lasts)
    return cluster.run(100_000)


@pytest.mark.parametrize("first", quick_or_slow(range(0, 40, 10), [0]))
@pytest.mark.parametrize(("level", "method", "count"), LEVELS_OF_COMMIT)
def test_only_replicas_that_commits_counted_on_are_elected_so_nothing_is_lost_whoever_dies_when(
    level: str, method: str, count: int, first: int
) -> None:
    failovers = 0
    for seed in range(first, first + 10):
        cluster = battered(seed, synchronous_commit=level, sync_method=method, sync_replicas=count)
        assert cluster.db.lost.total == 0, seed
        assert cluster.behind_the_truth() == {}, seed
        assert cluster.db.leader >= 0, "somebody leads when all are well again"
        assert cluster.answers(WRITE)[-1]["outcome"] == OK
        failovers += int(cluster.db.failovers)
    assert failovers > 10


def test_a_replica_that_commits_never_counted_on_is_not_elected_although_it_is_the_only_one() -> None:
    # FIRST 1 of three: node 2. Node 4 lags behind a slow disk; then everybody else dies.
    cluster = patroni(instances=4, sync_replicas=1, sync_method="first")
    cluster.fault("slow_disk", instance=3, factor=500.0, duration_s=1_000.0)
    cluster.writes(0, 300_000, 5)
    cluster.run(20_000)
    for node in (0, 1, 2):
        cluster.fault("crash", instance=node, restart_after_s=100.0 + node)
    cluster.run(100_000)
    assert cluster.db.leader == -1 and cluster.db.failovers == 0
    assert cluster.titles("no_candidate") == ["Nobody at db may be elected"]
    cluster.run(301_000)
    assert cluster.db.leader in (0, 1) and cluster.db.lost.total == 0 and cluster.behind_the_truth() == {}


@pytest.mark.parametrize("level", ["local", "off"])
def test_levels_that_wait_for_no_replica_elect_anybody_and_lose_what_it_had_not_received(level: str) -> None:
    lost = 0
    for seed in range(20):
        cluster, start = failed_over(seed, synchronous_commit=level, sync_replicas=1)
        assert all(it > start for it in cluster.lost_positions())
        assert len(cluster.behind_the_truth()) == len(set(cluster.lost_keys()))
        lost += int(cluster.db.lost.total)
    assert lost > 10
