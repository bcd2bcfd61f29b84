"""Leases, elections, fencing, and what a failover loses. Sources: Patroni, "Dynamic Configuration Settings" (ttl, loop_wait, retry_timeout,
maximum_lag_on_failover) and "DCS Failsafe Mode"; PostgreSQL, pg_rewind."""

from __future__ import annotations

import random

import pytest

from playground.catalogue import check_design
from playground.engine.outcomes import CRASHED, NO_LEADER, OK, READ, REFUSED, WRITE
from playground.execution import Execution
from playground.protocol.catalogue import Scalar
from playground.protocol.errors import InputError
from tests.engine.parts import MS, SECOND
from tests.laws.clusters import Cluster
from tests.sketch import block, edge, scenario, set_param


def patroni(callers: int = 1, **params: Scalar) -> Cluster:
    return Cluster(callers, **{"instances": 3, **params})


@pytest.mark.parametrize("seed", range(40))
def test_leadership_expires_20_to_30_seconds_after_a_leaders_death(seed: int) -> None:
    chance = random.Random(seed)
    died = chance.uniform(40_000, 60_000)
    cluster = patroni(seed=seed).run(died)
    cluster.fault("crash", instance=0)
    cluster.run(died + 40_000)
    (expired,) = cluster.noted("lease_expired")
    (promoted,) = cluster.noted("promoted")
    assert 20 <= expired - died / 1000 <= 30
    assert promoted == pytest.approx(expired + 1.0, abs=0.1)


def test_expiry_after_death_is_spread_over_the_whole_ten_seconds() -> None:
    found = []
    for seed in range(60):
        cluster = patroni(seed=seed).run(50_000)
        cluster.fault("crash", instance=0)
        cluster.run(81_000)
        found.append(cluster.noted("lease_expired")[0] - 50)
    assert min(found) < 21.5 and max(found) > 28.5
    assert sum(found) / 60 == pytest.approx(25, abs=1.2)


def test_writes_fail_by_name_until_there_is_a_leader_again() -> None:
    cluster = patroni()
    cluster.writes(0, 60_000, 100)
    cluster.run(10_000)
    cluster.fault("crash", instance=0)
    cluster.run(61_000)
    expired, promoted = cluster.noted("lease_expired")[0], cluster.noted("promoted")[0]
    for it in cluster.answers(WRITE):
        began = it["began"] / SECOND
        if began < 9.9 or began > promoted:
            assert it["outcome"] == OK
        elif 10.01 < began < expired:
            assert it["outcome"] == REFUSED
        elif expired < began < promoted:
            assert it["outcome"] == NO_LEADER
    assert cluster.db.no_leader in (9, 10, 11)
    assert cluster.db.leader != 0 and cluster.db.timeline == 2


def test_the_candidate_that_received_most_wins_and_the_others_follow_its_timeline() -> None:
    cluster = patroni(instances=4)
    cluster.writes(0, 41_000, 10)
    cluster.run(9_000)
    cluster.fault("slow_disk", instance=0, factor=1.0)
    # Nodes 2 and 4 hear nothing during the last half second: node 3 is ahead.
    cluster.run(9_500)
    cluster.fault("partition", instance=1, callers="none", duration_s=5.0)
    cluster.fault("partition", instance=3, callers="none", duration_s=5.0)
    cluster.run(10_000)
    cluster.fault("crash", instance=0)
    received = [int(node.written) for node in cluster.db.nodes]
    assert received[2] > received[1] == received[3]
    cluster.run(41_100)
    assert cluster.db.leader == 2
    assert cluster.db.forked_at == received[2]
    assert {int(node.applied) for node in cluster.db.nodes[1:]} == {int(cluster.db.log.end)}
    assert len([it for it in cluster.answers(WRITE) if it["outcome"] == OK]) > 1000


def test_a_candidate_that_lags_by_more_than_allowed_is_not_elected() -> None:
    # 100 records of 1 MB behind: elected where 200 MB are allowed, and not with 50.
    for allowed, leader in ((200.0, 1), (50.0, -1)):
        cluster = Cluster(instances=2, row_bytes=999_940, failover_lag_mb=allowed)
        cluster.writes(0, 20_000, 100)
        cluster.run(10_000)
        cluster.fault("partition", instance=1, callers="none", duration_s=20.0)
        cluster.run(20_000)
        cluster.db.known = cluster.db.log.end
        cluster.fault("crash", instance=0)
        cluster.run(60_000)
        assert cluster.db.leader == leader
        # A leader that comes back is nobody's inferior.
        cluster.clear()
        cluster.run(75_000)
        assert cluster.db.leader >= 0


def failed_over(seed: int, **params: Scalar) -> tuple[Cluster, int]:
    """Writes all the time; the leader dies at a random moment and comes back after the failover. Where the new timeline begins."""
    chance = random.Random(seed)
    cluster = patroni(
        seed=seed,
        instances=int(params.pop("instances", 3) or 3),
        lease_ttl_s=3.0,
        loop_wait_s=1.0,
        retry_timeout_s=1.0,
        ship_distribution="exponential",
        commit_distribution="exponential",
        apply_mean_ms=0.1,
        apply_distribution="exponential",
        **params,
    )
    cluster.writes(0, 400, 0.5, keys=200)
    died = chance.uniform(50, 350)
    cluster.run(died)
    cluster.fault("crash", instance=0, restart_after_s=6.0)
    cluster.run(10_000)
    assert cluster.db.leader in (1, 2) and cluster.db.timeline == 2
    return cluster, int(cluster.db.forked_at)


@pytest.mark.parametrize("first", range(0, 40, 10))
def test_asynchronous_failover_loses_exactly_the_acknowledged_writes_that_the_promoted_one_had_not_received(
    first: int,
) -> None:
    total = 0
    for seed in range(first, first + 10):
        cluster, start = failed_over(seed)
        acknowledged = cluster.all_acknowledged()
        # Writes go to one key after the other, so position n is the (n - 1) / 200th of its key.
        lost = {(key, version) for key, version in acknowledged if (version - 2) * 200 + key > start}
        assert len(lost) == cluster.db.lost.total
        truth = cluster.db.current_version
        assert {(key, it) for key, it in acknowledged if truth(key) < it} == lost
        rows = cluster.db.detail().get("latest_lost_writes", [])
        assert isinstance(rows, list)
        assert {(row["key"], row["version"]) for row in rows} <= lost
        assert all(row["lost_by"] == "failover" and row["user"] == row["key"] for row in rows)
        total += len(lost)
    assert total > 10


@pytest.mark.parametrize("first", range(0, 200, 50))
@pytest.mark.parametrize(("level", "replicas"), [("on", 2), ("remote_write", 1)])
def test_synchronous_failover_loses_no_acknowledged_write_over_200_random_crash_times(
    first: int, level: str, replicas: int
) -> None:
    for seed in range(first, first + 50):
        cluster, _ = failed_over(seed, synchronous_commit=level, sync_replicas=1, instances=replicas + 1)
        assert cluster.db.lost.total == 0
        assert cluster.behind_the_truth() == {}
        assert len(cluster.acknowledged()) > 0


def test_what_was_only_written_at_a_replica_dies_with_it_and_what_was_flushed_there_does_not() -> None:
    # Leader and replica lose their power together, and only the replica comes back.
    lost = {"remote_write": 0, "on": 0}
    for level in lost:
        for seed in range(20):
            times: dict[str, Scalar] = {"lease_ttl_s": 3.0, "loop_wait_s": 1.0, "retry_timeout_s": 1.0}
            cluster = Cluster(seed=seed, instances=2, sync_replicas=1, synchronous_commit=level, **times)
            # Its disk is slow: what arrives is not safe there for a while.
            cluster.fault("slow_disk", instance=1, factor=20.0)
            cluster.writes(0, 400, 0.5, keys=200)
            cluster.run(random.Random(seed).uniform(100, 350))
            cluster.fault("crash", instance=0)
            cluster.fault("crash", instance=1, restart_after_s=1.0)
            cluster.run(9_000)
            assert cluster.db.leader == 1
            lost[level] += int(cluster.db.lost.total)
            assert len(cluster.behind_the_truth()) == cluster.db.lost.total
    assert lost["on"] == 0 < lost["remote_write"]


def test_the_old_leaders_forked_tail_is_named_counted_and_dropped_when_it_comes_back() -> None:
    cluster = patroni()
    cluster.writes(0, 9_999, 1)
    cluster.run(9_000)
    cluster.fault("partition", instance=0, callers="all", duration_s=60.0)
    cluster.run(9_050)
    # 50 writes that nobody else has; then it dies.
    cluster.fault("crash", instance=0, restart_after_s=50.0)
    cluster.run(45_000)
    old = cluster.db.nodes[0]
    assert old.fork is not None
    tail = old.fork.log.end - old.fork.start
    assert 45 <= tail <= 55
    row = cluster.db.detail()["nodes"][0]
    assert row["records_of_its_own"] == tail and row["forked_at"] == cluster.db.forked_at
    cluster.clear()
    cluster.run(55_000)
    assert cluster.db.discarded == tail
    assert cluster.titles("forked_tail") == [f"Node 1 of db drops {tail} records of its own timeline"]
    assert old.fork is None and old.applied == cluster.db.log.end
    assert cluster.db.lost.total == pytest.approx(tail, abs=3)


# ---- split brain


def parted(fencing: bool, seed: int = 1, **params: Scalar) -> Cluster:
    """Two callers; the leader's zone, the first caller included, is cut off for a minute."""
    cluster = patroni(2, seed=seed, fencing=fencing, **params)
    for caller in (0, 1):
        cluster.writes(0, 120_000, 50, caller, keys=20)
    cluster.run(15_000)
    cluster.fault("partition", duration_s=60.0)
    return cluster.run(121_000)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_unfenced_old_leader_takes_writes_that_vanish(seed: int) -> None:
    cluster = parted(False, seed)
    elected = cluster.noted("elected")[0]
    healed = cluster.noted("healed")[0]
    # The caller beside it goes on; the other one waits for the new leader.
    taken = [
        it
        for it in cluster.answers(WRITE)
        if it["outcome"] == OK and it["node"] == 0 and elected < it["at"] / SECOND < healed + 10
    ]
    assert cluster.db.split_writes == len(taken) > 500
    assert [int(it) for it in cluster.db.lost.ways][1:] == [cluster.db.lost.total - len(taken), len(taken)]
    assert all(cluster.db.current_version(it["key"]) != it["version"] for it in taken)
    assert len(cluster.noted("split_brain")) == 1
    # They vanish when it hears of the other leader.
    assert cluster.db.discarded >= len(taken)
    assert cluster.db.nodes[0].fork is None
    versions = cluster.all_acknowledged()
    assert len(versions) == sum(it["outcome"] == OK for caller in (0, 1) for it in cluster.answers(WRITE, caller)), (
        "a version names one write, on any timeline"
    )


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5])
def test_a_fenced_old_leader_takes_none(seed: int) -> None:
    cluster = parted(True, seed)
    fenced, elected = cluster.noted("fenced")[0], cluster.noted("elected")[0]
    # It looked within a loop, and tried for ten seconds: before its lease ran out.
    assert 10 <= fenced - 15 <= 20 < elected - 15 <= 30
    assert cluster.db.split_writes == 0
    assert cluster.noted("split_brain") == []
    failed = [it["outcome"] for it in cluster.answers(WRITE) if fenced + 0.1 < it["at"] / SECOND < 70]
    assert set(failed) == {NO_LEADER}
    # What it had taken since it was cut off, and the others had not received, is lost to the failover.
    assert cluster.db.lost.total == cluster.db.lost.ways[1] > 0


def test_with_synchronous_commit_a_cut_off_leader_acknowledges_nothing_fenced_or_not() -> None:
    for fencing in (True, False):
        cluster = parted(fencing, sync_replicas=1)
        assert cluster.db.lost.total == 0
        assert cluster.behind_the_truth() == {}


def test_callers_reach_nodes_on_their_side_of_a_partition() -> None:
    cluster = patroni(3, reads="any_replica", failover=False)
    cluster.run(1000)
    cluster.fault("partition", instance=1, callers="zone")
    for caller in range(3):
        for number in range(6):
            cluster.read(2000 + number, 1, caller=caller)
        cluster.write(2100, 1, caller=caller)
    cluster.run(3000)
    seen = [{it["node"] for it in cluster.answers(READ, caller)} for caller in range(3)]
    assert seen == [{2}, {1}, {2}]
    outcomes = [cluster.answers(WRITE, caller)[0]["outcome"] for caller in range(3)]
    assert outcomes == [OK, NO_LEADER, OK]


def test_a_leader_that_stood_still_past_its_lease_is_stopped_by_its_watchdog() -> None:
    for fencing in (True, False):
        cluster = patroni(fencing=fencing)
        cluster.writes(0, 60_000, 50)
        cluster.run(10_000)
        cluster.fault("pause", instance=0, duration_s=40.0)
        cluster.run(61_000)
        assert cluster.db.leader != 0 and cluster.db.timeline == 2
        assert len(cluster.noted("fenced")) == 1
        assert cluster.db.nodes[0].fork is None and cluster.db.nodes[0].role == 1
        hung = [it for it in cluster.answers(WRITE) if it["node"] == 0 and it["began"] > 10_000 * MS]
        assert {it["outcome"] for it in hung} <= {CRASHED, OK, REFUSED}
        if fencing:
            assert cluster.db.split_writes == 0


def test_without_automatic_failover_the_leader_has_to_come_back() -> None:
    cluster = patroni(failover=False)
    cluster.writes(0, 100_000, 100)
    cluster.run(10_000)
    cluster.fault("crash", instance=0, restart_after_s=60.0)
    cluster.run(101_000)
    assert cluster.db.leader == 0 and cluster.db.timeline == 1 and cluster.db.failovers == 0
    assert cluster.db.lost.total == 0


@pytest.mark.parametrize("when_s", [5.0, 25.0, 45.0, 62.0])
@pytest.mark.parametrize("how", ["crash", "partition", "election"])
def test_failover_turned_off_at_any_moment_leaves_a_leader_once_the_faults_are_over(how: str, when_s: float) -> None:
    # Both replicas are cut off, so that nobody can be elected; or one is elected, and dies while it is being promoted.
    cluster = patroni(promote_s=5.0)
    cluster.writes(0, 120_000, 100)
    cluster.run(10_000)
    if how == "partition":
        cluster.fault("partition", instance=0, callers="none", duration_s=50.0)
    else:
        cluster.fault("crash", instance=0, restart_after_s=50.0)
    if how != "election":
        for node in (1, 2):
            cluster.fault("crash", instance=node, restart_after_s=60.0)
    else:
        cluster.run(10_000 + when_s * 1000 / 2)
        elected = [node.number for node in cluster.db.nodes if node.role == 2]
        if elected:
            cluster.fault("crash", instance=int(elected[0]), restart_after_s=10.0)
    cluster.run(10_000 + when_s * 1000)
    cluster.configure(failover=False)
    cluster.run(110_000)
    assert cluster.db.leader >= 0
    cluster.run(121_000)
    assert {it["outcome"] for it in cluster.answers(WRITE) if it["began"] > 105 * SECOND} == {OK}
    assert cluster.behind_the_truth() == {} or cluster.db.lost.total > 0


def test_a_leader_that_is_back_before_its_lease_ends_goes_on_leading() -> None:
    cluster = patroni()
    cluster.writes(0, 30_000, 100)
    cluster.run(10_000)
    cluster.fault("crash", instance=0, restart_after_s=5.0)
    cluster.run(31_000)
    assert cluster.db.leader == 0 and cluster.db.timeline == 1
    assert cluster.db.lost.total == 0 and cluster.behind_the_truth() == {}


# ---- what is refused

REFUSALS: list[tuple[dict[str, Scalar], str, str]] = [
    ({"lease_ttl_s": 5.0}, "loop_wait_s", "loop_wait_s + retry_timeout_s = 20 has to be less than lease_ttl_s = 5"),
    (
        {"instances": 3, "sync_replicas": 3},
        "sync_replicas",
        "has to be less than instances = 3; the leader is no replica",
    ),
    ({"sync_replicas": 1}, "sync_replicas", "has to be less than instances = 1"),
    ({"instances": 2, "synchronous_commit": "remote_apply"}, "sync_replicas", "there is no replica that such a commit"),
    ({"instances": 0}, "instances", "it takes a whole number from 1 to 16"),
]


@pytest.mark.parametrize(("params", "blamed", "said"), REFUSALS)
def test_what_cannot_work_is_refused_with_the_reason(params: dict[str, Scalar], blamed: str, said: str) -> None:
    drawing = scenario(
        [block("users", "client"), block("app", "app_server"), block("db", "sql_database", **params)],
        [edge("users", "app"), edge("app", "db", "store")],
    )
    with pytest.raises(InputError) as refused:
        check_design(drawing.design)
    (problem,) = refused.value.problems
    assert problem.parameter == blamed and said in problem.message


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("lease_ttl_s", 20.0, "loop_wait_s + retry_timeout_s = 20 has to be less than lease_ttl_s = 20"),
        ("loop_wait_s", 20.0, "has to be less than lease_ttl_s = 30"),
        ("instances", 1, "the leader is no replica of itself"),
        ("sync_replicas", 2, "the leader is no replica of itself"),
    ],
)
def test_what_cannot_work_is_refused_while_it_runs_too_and_changes_nothing(name: str, value: Scalar, said: str) -> None:
    drawing = scenario(
        [
            block("users", "client"),
            block("app", "app_server"),
            block("db", "sql_database", instances=2, sync_replicas=1),
        ],
        [edge("users", "app"), edge("app", "db", "store")],
    )
    execution = Execution(drawing, recorded=False)
    execution.advance(SECOND)
    with pytest.raises(InputError) as refused:
        execution.act(set_param("db", name, value), "test")
    assert said in refused.value.problems[0].message
    assert execution.model.blocks["db"].instances == 2 and not execution.log
