"""Nodes that are taken away and come back, or are left alone, at an unlucky moment: somebody leads, everybody is answered."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from playground.engine.outcomes import CRASHED, OK, OUTCOMES, READ, WRITE
from playground.protocol.catalogue import Scalar
from tests.laws.clusters import Cluster
from tests.laws.test_cluster_storms import hold_together
from tests.sketch import quick_or_slow

QUICK: dict[str, Scalar] = {
    "lease_ttl_s": 1.5,
    "loop_wait_s": 0.3,
    "retry_timeout_s": 0.3,
    "promote_s": 0.1,
    "rewind_s": 3.0,
    "row_bytes": 1000,
    "rows": 300,
}


def assert_writes_are_taken(cluster: Cluster, from_ms: float, to_ms: float) -> None:
    """Whoever writes from then on is answered, and hears that it went well."""
    cluster.writes(from_ms, to_ms, 10)
    cluster.run(to_ms + 2_000)
    late = [it for it in cluster.answers(WRITE) if it["began"] >= from_ms * 1e6]
    assert Counter(OUTCOMES[it["outcome"]] for it in late) == {OUTCOMES[OK]: len(late)} and len(late) > 50
    assert cluster.db.in_flight == 0


def test_a_node_that_an_election_left_out_comes_back_as_a_copy_of_the_leader() -> None:
    # Node 4 has what nodes 2 and 3 lack. It is taken away, the leader dies, node 2 or 3 is elected: node 4's log went on past that.
    cluster = Cluster(instances=4, reads="any_replica", **QUICK)
    cluster.writes(0, 20_000, 5, keys=40)
    for number in range(3_000):
        cluster.read(number * 6.0, 1 + number % 40)
    cluster.run(1_000)
    for number in (1, 2):
        cluster.fault("partition", instance=number, callers="none", duration_s=1.0)
    cluster.run(1_500)
    cluster.configure(instances=3)
    cluster.fault("crash", instance=0, restart_after_s=2.0)
    cluster.run(8_000)
    assert cluster.db.failovers == 1 and cluster.db.forked_at < cluster.db.nodes[3].written
    cluster.configure(instances=4)
    assert cluster.db.nodes[3].fork is None and cluster.db.nodes[3].view() == cluster.db.log.visible
    for moment in range(8_000, 22_000, 50):
        cluster.run(moment)
        hold_together(cluster)
    assert cluster.titles("forked_tail") == [it for it in cluster.titles("forked_tail") if "Node 1 " in it]
    for node in cluster.db.nodes:
        assert node.applied == cluster.db.log.end
        for key in range(1, 41):
            assert cluster.db.version_at(node, key) == cluster.db.current_version(key)


@pytest.mark.parametrize("after_ms", [200, 400, 500, 600, 800, 1_200])
def test_a_leader_that_is_fenced_leads_again_when_it_is_the_only_node(after_ms: float) -> None:
    # Its agent tries for 0.3 s, then it demotes itself; nobody has been elected yet.
    cluster = Cluster(instances=3, **QUICK).run(1_000)
    cluster.fault("partition", instance=0, callers="all", duration_s=60.0)
    cluster.run(1_000 + after_ms)
    cluster.configure(instances=1)
    assert_writes_are_taken(cluster, 5_000, 6_000)
    assert cluster.db.leader == 0 and cluster.db.demotions <= 1


@pytest.mark.parametrize("kept", [100, 10_000])
@pytest.mark.parametrize("after_ms", [0, 20, 200, 1_000, 2_000, 3_200])
def test_whoever_is_left_alone_leads_whatever_it_was_doing(kept: int, after_ms: float) -> None:
    # Node 1 led, and is back: it replays, rewinds its forked tail, or is copied anew, when the others are taken away.
    cluster = Cluster(instances=3, log_kept_records=kept, **QUICK)
    cluster.writes(0, 8_000, 5)
    cluster.run(1_000)
    for number in (1, 2):
        cluster.fault("partition", instance=number, callers="none", duration_s=0.5)
    cluster.run(1_200)
    cluster.fault("crash", instance=0, restart_after_s=4.0)
    cluster.run(5_200 + after_ms)
    assert cluster.db.leader in (1, 2)
    cluster.configure(instances=1)
    assert_writes_are_taken(cluster, 12_000, 13_000)
    assert cluster.db.leader == 0 and cluster.db.down[0] == 0
    assert cluster.db.nodes[0].applied == cluster.db.log.end
    cluster.configure(instances=3)
    assert_writes_are_taken(cluster, 16_000, 17_000)


@pytest.mark.parametrize("callers", ["none", "all"])
def test_a_leader_nobody_elected_any_more_is_crashed_before_it_is_given_the_others_log(callers: str) -> None:
    # Without fencing node 1 goes on by itself; then it is the only one that is left. Who waits at it is not left hanging.
    cluster = Cluster(2, instances=3, fencing=False, sync_replicas=1, **QUICK)
    cluster.writes(0, 6_000, 5)
    cluster.writes(2, 6_000, 5, caller=1)
    cluster.run(1_000)
    cluster.fault("partition", instance=0, callers="zone", duration_s=60.0)
    cluster.run(4_000)
    assert cluster.db.nodes[0].fork is not None and cluster.db.leader > 0
    cluster.configure(instances=1, sync_replicas=0)
    hold_together(cluster)
    cluster.clear()
    assert_writes_are_taken(cluster, 7_000, 8_000)
    assert cluster.behind_the_truth() == {}


def test_a_node_whose_log_is_let_go_while_it_replays_its_own_is_copied_anew() -> None:
    # It replays 1 MB at 0.5 MB/s; 2,000 records come meanwhile, of which 300 are kept.
    cluster = Cluster(instances=3, reads="any_replica", log_kept_records=300, replay_rate_mb=0.5, **QUICK)
    cluster.writes(0, 9_000, 1)
    cluster.run(1_000)
    cluster.fault("crash", instance=2, restart_after_s=0.1)
    while not cluster.db.nodes[2].behind:
        cluster.run(cluster.simulation.now / 1e6 + 1)
        assert cluster.simulation.now < 3e9
    for moment in range(int(cluster.simulation.now / 1e6) + 1, 9_500, 50):
        cluster.run(moment)
        hold_together(cluster)
        node = cluster.db.nodes[2]
        assert not (node.is_up() and node.behind), "who has to be copied serves nobody"
    assert cluster.db.copied > 0 and cluster.db.nodes[2].applied == cluster.db.log.end


@pytest.mark.parametrize("left", [1, 2])
@pytest.mark.parametrize("operation", [READ, WRITE])
def test_who_waits_at_a_node_that_stands_still_is_told_when_it_is_taken_away(operation: int, left: int) -> None:
    cluster = Cluster(instances=3, reads="any_replica", **QUICK).run(1_000)
    if operation == WRITE:
        # The leader is the last node.
        cluster.fault("crash", instance=0, restart_after_s=30.0)
        cluster.fault("crash", instance=1, restart_after_s=5.0)
        cluster.run(8_000)
        assert cluster.db.leader == 2
    cluster.fault("pause", instance=2, duration_s=1.0)
    for offset in range(60):
        cluster.send(cluster.simulation.now / 1e6 + offset, operation, 1 + offset)
    cluster.run(cluster.simulation.now / 1e6 + 100)
    cluster.configure(instances=left)
    now = cluster.simulation.now
    cluster.run(now / 1e6 + 40_000)
    found = [it for it in cluster.answers(operation) if it["node"] == 2]
    assert {it["at"] for it in found} == {now}, "at once, and not when it would have moved again"
    assert len(found) > 15 and {it["outcome"] for it in found} == {CRASHED}
    assert cluster.db.in_flight == 0


def test_a_flush_that_ends_after_its_node_was_elected_takes_nothing_back() -> None:
    # Node 2's disk needs 2.5 s for a flush; it is elected meanwhile, with all that it has received. Then it dies as well.
    cluster = Cluster(instances=2, **QUICK)
    cluster.writes(0, 3_000, 5)
    cluster.run(1_000)
    cluster.fault("slow_disk", instance=1, factor=2_500.0, duration_s=60.0)
    cluster.run(1_400)
    cluster.fault("crash", instance=0, restart_after_s=60.0)
    node = cluster.db.nodes[1]
    flushed = 0
    for moment in range(1_400, 4_000, 5):
        cluster.run(moment)
        assert node.flushed >= flushed
        flushed = int(node.flushed)
    assert cluster.db.leader == 1
    cluster.fault("crash", instance=1, restart_after_s=1.0)
    cluster.run(20_000)
    assert cluster.db.lost.total == 0 and cluster.db.log.end >= flushed


def test_a_node_that_comes_while_nobody_leads_has_no_copy_of_a_dead_leaders_log() -> None:
    # Node 2 misses what is written while it is cut off; then the leader dies, and a third node is drawn.
    cluster = Cluster(instances=2, **QUICK)
    cluster.writes(0, 2_000, 5)
    cluster.run(1_000)
    cluster.fault("partition", instance=1, callers="none", duration_s=0.5)
    cluster.run(1_490)
    cluster.fault("crash", instance=0, restart_after_s=60.0)
    here = cluster.db.nodes[1].written
    cluster.configure(instances=3)
    hold_together(cluster)
    cluster.run(8_000)
    assert cluster.db.leader == 1 and cluster.db.forked_at == here
    lost = cluster.lost_positions()
    assert len(lost) > 90 and all(it > here for it in lost), "exactly those past the promoted position"
    hold_together(cluster)
    assert cluster.db.nodes[2].applied == cluster.db.log.end, "it was copied from the new leader"


@pytest.mark.parametrize("state", ["dead", "cut off", "still"])
@pytest.mark.parametrize("left", [1, 2])
@pytest.mark.parametrize("failover", [True, False])
def test_a_leader_that_is_taken_away_out_of_reach_hands_nothing_over(state: str, left: int, failover: bool) -> None:
    cluster = Cluster(2, instances=3, **QUICK).run(1_000)
    cluster.fault("crash", instance=0, restart_after_s=10.0)
    cluster.fault("crash", instance=1, restart_after_s=8.0)
    cluster.run(16_000)
    assert cluster.db.leader == 2
    cluster.configure(failover=failover)
    cluster.writes(16_000, 17_800, 5)
    cluster.run(17_000)
    for number in (0, 1):
        cluster.fault("partition", instance=number, callers="none", duration_s=5.0)
    cluster.run(17_800)
    if state == "dead":
        cluster.fault("crash", instance=2, restart_after_s=60.0)
    elif state == "still":
        cluster.fault("pause", instance=2, duration_s=60.0)
    else:
        cluster.fault("partition", instance=2, callers="all", duration_s=60.0)
    here = max(cluster.db.nodes[number].written for number in range(2))
    told = len(cluster.all_acknowledged())
    cluster.configure(instances=left)
    lost = cluster.lost_positions()
    assert told > 300 and len(lost) > 100 and all(it > here for it in lost)
    assert len(cluster.titles("lost_writes")) == 1
    hold_together(cluster)
    assert_writes_are_taken(cluster, 30_000, 31_000)
    assert len(cluster.lost_positions()) == len(lost)


@pytest.mark.parametrize("left", [1, 2])
def test_a_leader_that_is_well_hands_over_all_it_has(left: int) -> None:
    cluster = Cluster(instances=3, **QUICK).run(1_000)
    cluster.fault("crash", instance=0, restart_after_s=10.0)
    cluster.fault("crash", instance=1, restart_after_s=8.0)
    cluster.run(16_000)
    cluster.writes(16_000, 17_800, 5)
    cluster.run(17_000)
    for number in (0, 1):
        cluster.fault("partition", instance=number, callers="none", duration_s=5.0)
    cluster.run(17_800)
    cluster.configure(instances=left)
    assert_writes_are_taken(cluster, 30_000, 31_000)
    assert cluster.db.lost.total == 0 and cluster.behind_the_truth() == {}


@pytest.mark.parametrize("first", quick_or_slow(range(0, 40, 10), [20]))
def test_with_synchronous_commits_nothing_is_lost_whichever_settings_and_nodes_change_meanwhile(first: int) -> None:
    """How many replicas commits wait for, which, how far, how many nodes there are, who is elected: all of it changes, with faults."""
    failovers = 0
    for seed in range(first, first + 10):
        cluster = changed_at_random(seed)
        db = cluster.db
        assert db.lost.total == 0 and cluster.behind_the_truth() == {}, seed
        assert db.leader >= 0 and db.in_flight == 0, seed
        failovers += int(db.failovers)
    assert failovers > 10


def changed_at_random(seed: int) -> Cluster:
    """Half a minute of writes; every half second something happens."""
    chance = random.Random(seed)
    times: dict[str, Scalar] = {**QUICK, "rewind_s": 0.3, "apply_mean_ms": 0.3, "ship_distribution": "exponential"}
    cluster = Cluster(
        2, seed=seed, instances=4, sync_replicas=1, log_kept_records=chance.choice([300, 100_000]), **times
    )
    for caller in range(2):
        cluster.writes(caller * 3, 30_000, 11, caller, keys=200)
    while cluster.simulation.now < 30e9:
        cluster.run(cluster.simulation.now / 1e6 + chance.expovariate(1 / 500))
        hold_together(cluster)
        node, lasts = chance.randrange(int(cluster.db.instances)), chance.choice([0.05, 0.5, 4.0])
        match chance.randrange(9):
            case 0:
                cluster.fault("crash", instance=node, restart_after_s=lasts)
            case 1:
                cluster.fault("crash_leader", restart_after_s=lasts)
            case 2:
                callers = chance.choice(["none", "zone", "all"])
                cluster.fault("partition", instance=chance.choice([node, None]), callers=callers, duration_s=lasts)
            case 3:
                cluster.fault("pause", instance=node, duration_s=lasts)
            case 4:
                cluster.fault(chance.choice(["stop_apply", "slow_disk"]), instance=node, duration_s=lasts)
            case 5:
                cluster.configure(sync_replicas=chance.choice([1, 2]), sync_method=chance.choice(["any", "first"]))
            case 6:
                cluster.configure(synchronous_commit=chance.choice(["on", "remote_apply"]))
            case 7:
                cluster.configure(instances=chance.choice([3, 4, 5]))
            case _:
                cluster.configure(failover=chance.choice([True, True, False]))
    cluster.clear()
    cluster.configure(failover=True)
    return cluster.run(cluster.simulation.now / 1e6 + 12_000)
