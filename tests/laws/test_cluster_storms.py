"""Crashes, partitions, pauses, changed settings, nodes that come and go, all at once: what must be true when it is over."""

from __future__ import annotations

import random

import pytest

from playground.engine.outcomes import OK, WRITE
from playground.protocol.catalogue import Scalar
from tests.laws.clusters import Cluster

QUICK: dict[str, Scalar] = {
    "lease_ttl_s": 1.0,
    "loop_wait_s": 0.2,
    "retry_timeout_s": 0.2,
    "promote_s": 0.1,
    "rewind_s": 0.2,
}
SETTINGS: list[tuple[str, list[Scalar]]] = [
    ("synchronous_commit", ["off", "local", "on", "remote_write", "remote_apply"]),
    ("sync_method", ["any", "first"]),
    ("reads", ["leader", "any_replica", "leader_after_write", "wait_for_position", "bounded_staleness"]),
    ("fencing", [True, False]),
    ("failover", [True, True, False]),
    ("commit_delay_us", [0.0, 500.0]),
    ("wait_max_ms", [0.0, 5.0, 500.0]),
]


def misfortune(cluster: Cluster, chance: random.Random) -> None:
    """Something bad, or something else, happens to some node for a while."""
    node = chance.randrange(int(cluster.db.instances))
    lasting = chance.choice([0.05, 0.5, 3.0])
    what = chance.randrange(9)
    if what == 0:
        cluster.fault("crash_leader", restart_after_s=lasting)
    elif what == 1:
        cluster.fault("crash", instance=chance.choice([node, None]), restart_after_s=lasting)
    elif what in (2, 3):
        callers = chance.choice(["none", "zone", "all"])
        cluster.fault("partition", instance=chance.choice([node, None]), callers=callers, duration_s=lasting)
    elif what == 4:
        cluster.fault("pause", instance=chance.choice([node, None]), duration_s=lasting)
    elif what == 5:
        cluster.fault(chance.choice(["stop_apply", "slow_disk"]), instance=node, duration_s=lasting)
    elif what == 6:
        cluster.fault("slow_down", instance=node, factor=5.0, duration_s=lasting)
    elif what == 7:
        name, values = chance.choice(SETTINGS)
        cluster.configure(**{name: chance.choice(values)})
    else:
        cluster.configure(sync_replicas=chance.choice([0, 0, 1]), instances=chance.randint(1, 5))


def hold_together(cluster: Cluster) -> None:
    """What is true of the log and of every node's place in it at any moment."""
    db = cluster.db
    log = db.log
    assert log.base <= log.visible <= log.end
    assert all(int(it) <= log.end for it in db.rows.last)
    plain = [node.number for node in db.nodes if node.plain]
    assert len(plain) <= 1 and (not plain or db.leader == plain[0]), "only the legitimate leader writes the history"
    for node in db.nodes:
        if node.number >= db.instances:
            continue
        assert node.applied <= node.written and node.flushed <= node.written
        assert node.fork is not None or node.written <= log.end
        assert node.log is (log if node.fork is None else node.fork.log)
        assert node.behind or node.view() >= log.base, "what it may still need is kept"
        assert node.is_up() or db.down[node.number] > 0


@pytest.mark.parametrize("seed", range(25))
def test_after_any_storm_all_nodes_agree_and_every_acknowledged_write_is_there_or_told_as_lost(seed: int) -> None:
    chance = random.Random(seed)
    cluster = Cluster(3, seed=seed, instances=3, reads="any_replica", apply_mean_ms=0.5, **QUICK)
    # Every second time the ring is so large that nothing is ever trimmed, and the whole history can be looked at in the end.
    whole = seed % 2 == 0
    while whole and cluster.db.log.mask < 8191:
        cluster.db.log.grow()
    for caller in range(3):
        cluster.writes(0, 30_000, 25, caller, keys=40)
        for number in range(1500):
            cluster.read(number * 20.0, 1 + number % 40, 1 + number % 40, caller)
    for _ in range(60):
        cluster.run(cluster.simulation.now / 1e6 + chance.expovariate(1 / 350))
        hold_together(cluster)
        misfortune(cluster, chance)
        hold_together(cluster)
    cluster.clear()
    cluster.configure(failover=True, sync_replicas=0, synchronous_commit="on")
    # The last ones come when all is well again.
    calm = cluster.simulation.now / 1e6
    cluster.writes(calm + 9_000, calm + 9_500, 5)
    cluster.run(max(calm + 12_000, 31_000))
    db = cluster.db
    assert db.leader >= 0 and db.in_flight == 0
    late = [it for it in cluster.answers(WRITE) if it["began"] > (calm + 8_999) * 1e6]
    assert {it["outcome"] for it in late} == {OK}
    up = [node for node in db.nodes if node.number < db.instances]
    assert [node.role for node in up if node.number != db.leader] == [1] * (len(up) - 1)
    assert {int(node.applied) for node in up} == {int(db.log.end)} and all(node.fork is None for node in up)
    for node in up:
        for key in range(1, 41):
            assert db.version_at(node, key) == db.current_version(key)
    told = [
        (it["key"], it["version"])
        for caller in range(3)
        for it in cluster.answers(WRITE, caller)
        if it["outcome"] == OK
    ]
    assert len(told) == len(set(told)), "a version names one write for ever"
    assert len(cluster.behind_the_truth()) <= db.lost.total <= len(told)
    if whole:
        history = {(int(db.log.key[it]), int(db.log.version[it])) for it in range(1, int(db.log.end) + 1)}
        assert len(set(told) - history) == db.lost.total, "exactly those that are nowhere are told as lost"
    # Each stale read has one cause.
    assert sum(int(it) for it in db.stale.causes) == db.stale.total


def test_a_replica_that_needs_older_log_than_is_kept_is_copied_anew() -> None:
    cluster = Cluster(instances=3, reads="any_replica", log_kept_records=1000, rows=1000, row_bytes=100)
    cluster.writes(0, 8_000, 1)
    cluster.run(1_000)
    cluster.fault("stop_apply", instance=1, duration_s=2.0)
    cluster.run(2_500)
    assert cluster.titles("left_behind") == ["Node 2 of db is too far behind"]
    assert cluster.db.log.mask <= 2047
    cluster.run(8_100)
    node = cluster.db.nodes[1]
    assert cluster.db.copied == 1 and node.role == 1
    assert node.applied == cluster.db.log.end
