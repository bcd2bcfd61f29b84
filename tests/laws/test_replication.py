"""Replicas that apply a log, what reads there miss, and what commits wait for. Sources: PostgreSQL, "Log-Shipping Standby Servers"
(synchronous_commit, quorum and priority), Terry et al., "Session Guarantees for Weakly Consistent Replicated Data" (1994)."""

from __future__ import annotations

import random

import pytest

from playground.engine.outcomes import OK, READ, WRITE
from tests.engine.parts import MS, SECOND
from tests.laws.clusters import Cluster

# A write sent at t: flushed at t + 1 ms (committed), at the replica at t + 3, flushed there at t + 4, applied after that.


def replicated(**params: object) -> Cluster:
    return Cluster(**{"instances": 2, "reads": "any_replica", **params})  # type: ignore[arg-type]


def test_a_read_at_a_replica_is_stale_exactly_while_a_committed_write_lies_past_its_applied_position() -> None:
    for offset, stale in ((0.5, False), (1.5, True), (3.5, True), (4.5, False)):
        cluster = replicated()
        cluster.write(10, 1)
        cluster.read(10 + offset, 1)
        cluster.run(50)
        (answer,) = cluster.answers(READ)
        assert answer["node"] == 1
        assert cluster.db.stale.total == stale
        assert answer["version"] == (1 if stale or offset < 1 else 2)


def test_a_stale_read_says_which_write_it_missed_by_how_much_through_whom_and_why() -> None:
    cluster = replicated()
    cluster.write(10, 7, user=3)
    cluster.write(10, 8, user=4)
    cluster.read(12, 7, user=5)
    cluster.run(50)
    (row,) = cluster.db.detail()["latest_stale_reads"]
    assert row == {
        "id": 0,
        "line": "Key 7 at node 2: network",
        "says": cluster.db.remarked(0),
        "trace": 0,
        "key": 7,
        "node": 2,
        "seen_version": 1,
        "missed_version": 2,
        "missed_position": 1,
        "records_behind": 2,
        "committed_s": 0.011,
        "age_s": 0.001,
        "by_user": 3,
        "read_by_user": 5,
        "cause": "network",
    }
    assert "missed version 2 (position 1, by user 3), committed 1 ms before. Why: network" in cluster.db.remarked(0)


@pytest.mark.parametrize("seed", range(5))
def test_every_stale_read_and_no_other_is_counted_with_random_times_everywhere(seed: int) -> None:
    chance = random.Random(seed)
    cluster = replicated(
        instances=4,
        ship_distribution="lognormal",
        apply_mean_ms=3.0,
        apply_distribution="exponential",
        query_mean_ms=1.0,
        query_distribution="exponential",
    )
    for _ in range(2000):
        cluster.write(chance.uniform(0, 8000), chance.randint(1, 5), user=chance.randint(1, 50))
        cluster.read(chance.uniform(0, 8000), chance.randint(1, 5), user=chance.randint(1, 50))
    cluster.run(20_000)
    # From outside: a read is stale when a version was acknowledged before it was answered that is above what it says.
    told = [(it["at"], it["key"], it["version"]) for it in cluster.answers(WRITE)]
    reads = cluster.answers(READ)
    stale = [it for it in reads if any(at < it["at"] and key == it["key"] and v > it["version"] for at, key, v in told)]
    assert len(stale) == cluster.db.stale.total > 100
    own = [
        read
        for read in reads
        if any(
            it["at"] <= read["began"]
            and it["key"] == read["key"]
            and it["user"] == read["user"]
            and it["version"] > read["version"]
            for it in cluster.answers(WRITE)
        )
    ]
    assert len(own) == cluster.db.stale.own > 0
    assert all(cluster.db.lag(node) == 0 for node in cluster.db.nodes)


def test_causes_network_backlog_stopped_and_partition_are_told_apart() -> None:
    cluster = replicated(apply_mean_ms=10.0)
    cluster.write(10, 1)
    cluster.read(12, 1)  # on its way until 14
    cluster.read(16, 1)  # being applied until 24
    cluster.run(100)
    cluster.fault("stop_apply", duration_s=0.2)
    cluster.write(110, 1)
    cluster.read(200, 1)
    cluster.run(1000)
    cluster.fault("partition", instance=1, callers="all", duration_s=0.2)
    cluster.write(1010, 1)
    cluster.read(1100, 1)
    cluster.read(1400, 1)
    cluster.run(2000)
    assert [int(it) for it in cluster.db.stale.causes] == [1, 1, 1, 1, 0]
    assert [it["version"] for it in cluster.answers(READ)] == [1, 1, 2, 3, 4]


def test_lag_grows_when_more_is_written_than_one_process_can_apply() -> None:
    # 200 records a second can be applied, 300 are written for 10 s: 1,000 behind, which takes 5 s to catch up.
    cluster = replicated(apply_mean_ms=5.0, lag_alarm_s=1.0)
    cluster.writes(0, 10_000, 10 / 3)
    node = cluster.db.nodes[1]
    cluster.run(5_000)
    assert cluster.db.lag(node) == pytest.approx(500, rel=0.02)
    cluster.run(10_000)
    assert cluster.db.lag(node) == pytest.approx(1000, rel=0.02)
    # The record to be applied next was committed at 2/3 of the time.
    assert cluster.db.lag_ns(node) == pytest.approx(10 * SECOND / 3, rel=0.02)
    cluster.run(15_100)
    assert cluster.db.lag(node) == 0 == cluster.db.lag_ns(node)
    assert cluster.titles("lag") == ["Node 2 of db is 1.0 s behind"]
    assert cluster.noted("lag_over") == [pytest.approx(15, abs=0.1)]


# ---- routes


def reader(route: str, gap_ms: float, **params: object) -> Cluster:
    """40 users write their own row and read it ``gap_ms`` after the acknowledgement; a record takes 20 ms from commit to view."""
    cluster = replicated(instances=3, apply_mean_ms=17.0, ship_mean_ms=2.0, commit_mean_ms=1.0, reads=route, **params)
    for user in range(1, 41):
        cluster.write(100.0 * user, user, user)
        cluster.read(100.0 * user + 1.0 + gap_ms, user, user)
    return cluster.run(6000)


def test_plain_replica_reads_break_read_your_writes_until_the_lag_is_over() -> None:
    assert reader("any_replica", 1.0).db.stale.own == 40
    assert reader("any_replica", 19.9).db.stale.own == 40
    assert reader("any_replica", 20.1).db.stale.own == 0


def test_leader_after_write_keeps_it_with_a_window_longer_than_the_lag_and_breaks_it_with_a_shorter_one() -> None:
    for gap in (0.0, 1.0, 5.0, 19.9, 25.0, 300.0):
        assert reader("leader_after_write", gap, after_write_s=0.021).db.stale.own == 0
    assert reader("leader_after_write", 15.0, after_write_s=0.010).db.stale.own == 40


@pytest.mark.parametrize("gap_ms", [0.0, 5.0, 12.5, 19.0, 20.0, 50.0])
def test_waiting_for_the_position_takes_max_of_zero_and_the_lag_longer_and_is_never_stale(gap_ms: float) -> None:
    cluster = reader("wait_for_position", gap_ms)
    assert cluster.db.stale.own == 0 == cluster.db.fallbacks
    waited = [(it["at"] - it["began"]) / MS for it in cluster.answers(READ)]
    assert waited == [pytest.approx(max(0.0, 20.0 - gap_ms))] * 40
    assert {it["node"] for it in cluster.answers(READ)} == {1, 2}


def test_waiting_is_bounded_and_then_the_leader_answers() -> None:
    cluster = reader("wait_for_position", 0.0, wait_max_ms=8.0)
    assert cluster.db.fallbacks == cluster.db.position_waits == 40
    assert {(it["at"] - it["began"]) / MS for it in cluster.answers(READ)} == {8.0}
    assert {it["node"] for it in cluster.answers(READ)} == {0}
    assert cluster.db.stale.own == 0


@pytest.mark.parametrize("bound_ms", [50.0, 500.0])
def test_bounded_staleness_serves_nothing_older_and_uses_the_leader_when_all_are_too_late(bound_ms: float) -> None:
    cluster = replicated(instances=3, reads="bounded_staleness", staleness_max_ms=bound_ms)
    cluster.writes(0, 3000, 5, keys=20)
    for number in range(2000):
        cluster.read(number * 1.5, 1 + number % 20)
    cluster.run(1000)
    cluster.fault("stop_apply", duration_s=1.0)
    cluster.run(5000)
    nodes = [it["node"] for it in cluster.answers(READ) if 1600 * MS < it["at"] < 2000 * MS]
    assert set(nodes) == {0}
    assert {it["node"] for it in cluster.answers(READ) if it["at"] < 1000 * MS} == {1, 2}
    told = [(it["at"], it["key"], it["version"]) for it in cluster.answers(WRITE)]
    for read in cluster.answers(READ):
        missed = [at for at, key, version in told if key == read["key"] and version > read["version"]]
        assert read["at"] - min(missed, default=read["at"]) <= bound_ms * MS


# ---- synchronous commits

LEVELS = {"off": 0.0, "local": 1.0, "remote_write": 5.0, "on": 6.0, "remote_apply": 16.0}
"""Acknowledged after: nothing; a flush; + 2 ms there and 2 back; + a flush there; + 10 ms of applying."""


@pytest.mark.parametrize(("level", "after_ms"), LEVELS.items())
def test_levels_of_synchronous_commit_differ_in_what_a_commit_waits_for(level: str, after_ms: float) -> None:
    cluster = replicated(synchronous_commit=level, sync_replicas=1, apply_mean_ms=10.0)
    cluster.write(10, 1, user=1)
    cluster.read(10 + after_ms + 0.001, 1, user=1)
    cluster.run(100)
    (answer,) = cluster.answers(WRITE)
    assert (answer["at"] - answer["began"]) / MS == after_ms
    # And in what a replica read sees right afterwards.
    assert cluster.db.stale.own == (level != "remote_apply")


def test_a_quorum_waits_for_any_k_and_a_priority_list_for_the_first_k() -> None:
    for method, after_ms in (("any", 6.0), ("first", 56.0)):
        cluster = replicated(instances=4, sync_replicas=1, sync_method=method)
        cluster.fault("slow_disk", instance=1, factor=51.0)
        cluster.write(10, 1)
        cluster.run(200)
        (answer,) = cluster.answers(WRITE)
        assert (answer["at"] - answer["began"]) / MS == after_ms, method
    both = replicated(instances=4, sync_replicas=3)
    both.fault("slow_disk", instance=2, factor=51.0)
    both.write(10, 1)
    both.run(200)
    assert (both.answers(WRITE)[0]["at"] - 10 * MS) / MS == 56.0


def test_a_synchronous_replicas_death_blocks_commits_by_name_until_it_is_back() -> None:
    cluster = replicated(sync_replicas=1, reads="leader")
    cluster.writes(0, 3000, 10)
    cluster.run(1000)
    cluster.fault("crash", instance=1, restart_after_s=1.0)
    cluster.run(1990)
    waiting = cluster.db.commits_waiting()
    assert waiting >= 98
    assert cluster.titles("commit_blocked") == ["Commits at db wait for a replica"]
    assert not [it for it in cluster.answers(WRITE) if 1005 * MS < it["at"] < 2000 * MS]
    cluster.run(3100)
    assert cluster.db.commits_waiting() == 0 and len(cluster.answers(WRITE)) == 300
    assert cluster.noted("commit_unblocked") == [pytest.approx(2.0, abs=0.01)]
    assert cluster.db.lost.total == 0


def test_commits_that_wait_for_a_dead_replica_go_on_when_the_setting_is_changed() -> None:
    cluster = replicated(sync_replicas=1)
    cluster.fault("crash", instance=1)
    cluster.write(10, 1)
    cluster.run(500)
    assert cluster.answers(WRITE) == []
    cluster.configure(sync_replicas=0)
    cluster.run(501)
    assert [it["outcome"] for it in cluster.answers(WRITE)] == [OK]


def test_first_one_of_two_goes_on_with_the_next_replica_when_the_first_dies() -> None:
    cluster = replicated(instances=3, sync_replicas=1, sync_method="first")
    cluster.fault("crash", instance=1)
    cluster.write(10, 1)
    cluster.run(100)
    assert [it["outcome"] for it in cluster.answers(WRITE)] == [OK]
    assert cluster.noted("commit_blocked") == []


def test_a_replica_that_was_down_catches_up_and_serves_what_it_missed() -> None:
    cluster = replicated()
    cluster.writes(0, 3000, 5)
    cluster.run(500)
    cluster.fault("crash", instance=1, restart_after_s=1.0)
    cluster.run(1400)
    assert cluster.db.lag(cluster.db.nodes[1]) > 150
    cluster.run(3200)
    node = cluster.db.nodes[1]
    assert node.applied == node.flushed == cluster.db.log.visible
    assert all(cluster.db.version_at(node, key) == cluster.db.current_version(key) for key in range(1, 60))


def test_the_log_is_trimmed_below_what_anybody_needs() -> None:
    cluster = replicated(instances=3)
    cluster.writes(0, 20_000, 1)
    cluster.run(5_000)
    assert cluster.db.log.mask <= 255
    cluster.fault("stop_apply", instance=2, duration_s=5.0)
    cluster.run(9_900)
    assert cluster.db.log.end - cluster.db.log.base >= 4_800
    cluster.run(20_100)
    assert cluster.db.log.end - cluster.db.needed_from() < 20
