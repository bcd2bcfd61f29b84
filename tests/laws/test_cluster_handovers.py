"""Who leads after a leader that was taken away, what nodes that come have, and what neither may do before it is its turn."""

from __future__ import annotations

from collections import Counter

import pytest

from playground.blocks.sql_database.states import PROMOTING
from playground.engine.outcomes import OUTCOMES, WRITE
from playground.protocol.catalogue import Scalar
from tests.laws.clusters import Cluster
from tests.laws.test_cluster_changes import QUICK, assert_writes_are_taken
from tests.laws.test_cluster_storms import hold_together


def led_by_the_last_of_three(**params: Scalar) -> Cluster:
    """Both others were away and are back."""
    cluster = Cluster(instances=3, **{**QUICK, **params}).run(1_000)
    cluster.fault("crash", instance=0, restart_after_s=10.0)
    cluster.fault("crash", instance=1, restart_after_s=8.0)
    cluster.run(16_000)
    assert cluster.db.leader == 2
    return cluster


def test_log_that_is_let_go_while_a_node_is_away_does_not_keep_it_from_following_when_it_is_back() -> None:
    cluster = Cluster(instances=4, reads="any_replica", log_kept_records=300, **QUICK)
    cluster.writes(0, 9_000, 2)
    cluster.run(1_000)
    cluster.configure(instances=3)
    cluster.fault("stop_apply", instance=1, duration_s=2.0)
    cluster.run(4_000)
    assert cluster.titles("left_behind") == ["Node 2 of db is too far behind"], "who is away is not spoken of"
    cluster.configure(instances=4)
    cluster.run(9_500)
    assert {int(node.applied) for node in cluster.db.nodes} == {int(cluster.db.log.end)}


@pytest.mark.parametrize("fault", ["crash", None])
def test_a_node_that_is_left_alone_takes_nothing_before_it_leads(fault: str | None) -> None:
    # Node 1 is being promoted when node 2 is taken away; perhaps it dies before it leads.
    cluster = Cluster(instances=2, **{**QUICK, "promote_s": 3.0}).run(500)
    cluster.fault("crash", instance=0, restart_after_s=5.0)
    cluster.run(12_000)
    cluster.fault("crash", instance=1, restart_after_s=60.0)
    while cluster.db.nodes[0].role != PROMOTING:
        cluster.run(cluster.simulation.now / 1e6 + 10)
        assert cluster.simulation.now < 20e9
    now = cluster.simulation.now / 1e6
    cluster.configure(instances=1)
    cluster.writes(now + 10, now + 100, 10)
    cluster.run(now + 200)
    assert Counter(OUTCOMES[it["outcome"]] for it in cluster.answers(WRITE)) == {"no_leader": 9}
    if fault is not None:
        cluster.fault(fault, instance=0, restart_after_s=0.5)
    assert_writes_are_taken(cluster, now + 5_000, now + 6_000)
    assert cluster.db.log.end == len(cluster.all_acknowledged())


def test_a_leader_has_applied_what_it_has_and_no_more() -> None:
    # It still applies, 20 ms a record, when it is handed the rest.
    cluster = led_by_the_last_of_three(apply_mean_ms=20.0)
    cluster.writes(16_000, 16_200, 5)
    cluster.run(16_205)
    assert cluster.db.nodes[0].applied < cluster.db.nodes[0].written and cluster.db.nodes[0].applying
    cluster.configure(instances=1)
    for moment in range(16_206, 16_300):
        cluster.run(moment)
        hold_together(cluster)
    assert_writes_are_taken(cluster, 17_000, 18_000)


@pytest.mark.parametrize("who", ["the node", "the leader"])
def test_a_copy_needs_a_leader_that_moves_and_can_be_reached_from_where_it_is_made(who: str) -> None:
    cluster = Cluster(instances=3, failover=False, **QUICK)
    cluster.writes(0, 3_000, 5)
    cluster.run(1_000)
    if who == "the node":
        cluster.fault("partition", instance=2, callers="none", duration_s=4.0)
    else:
        cluster.fault("pause", instance=0, duration_s=4.0)
    cluster.configure(instances=2)
    cluster.run(1_500)
    cluster.configure(instances=3)
    for moment in range(1_500, 5_000, 100):
        cluster.run(moment)
        assert cluster.db.nodes[2].written == 0 and not cluster.db.nodes[2].is_up()
    cluster.run(12_000)
    assert cluster.db.nodes[2].applied == cluster.db.log.end and cluster.db.nodes[2].connected


def test_of_nodes_that_are_all_down_the_one_that_has_most_goes_on() -> None:
    # Node 1 went long ago, node 2 has all, and dies a moment before the leader, which is taken away.
    cluster = led_by_the_last_of_three()
    cluster.writes(16_000, 18_000, 5)
    cluster.run(16_500)
    cluster.fault("crash", instance=0, restart_after_s=6.0)
    cluster.run(17_990)
    cluster.fault("crash", instance=1, restart_after_s=1.0)
    cluster.fault("crash", instance=2, restart_after_s=60.0)
    here = cluster.db.nodes[1].written
    cluster.configure(instances=2)
    assert cluster.db.leader == 1 and cluster.db.log.end == here and all(it > here for it in cluster.lost_positions())
    assert_writes_are_taken(cluster, 30_000, 31_000)


def test_where_a_node_that_is_up_has_as_much_nobody_waits_for_one_that_is_down() -> None:
    cluster = led_by_the_last_of_three()
    cluster.configure(sync_replicas=1)
    cluster.writes(16_000, 18_000, 5)
    cluster.run(19_000)
    cluster.fault("crash", instance=0, restart_after_s=120.0)
    cluster.fault("crash", instance=2, restart_after_s=120.0)
    cluster.run(19_100)
    cluster.configure(instances=2, sync_replicas=0)
    assert cluster.db.leader == 1 and cluster.db.lost.total == 0
    assert_writes_are_taken(cluster, 25_000, 26_000)
    assert cluster.behind_the_truth() == {}


@pytest.mark.parametrize("trouble", ["partition", "pause"])
def test_a_leader_hands_over_to_a_node_that_can_lead_where_there_is_one(trouble: str) -> None:
    # Nothing was written of late, so both others have the same; node 1 can't be reached.
    cluster = led_by_the_last_of_three()
    cluster.writes(16_000, 17_000, 5)
    cluster.run(18_000)
    if trouble == "partition":
        cluster.fault("partition", instance=0, callers="none", duration_s=60.0)
    else:
        cluster.fault("pause", instance=0, duration_s=60.0)
    cluster.configure(instances=2)
    assert_writes_are_taken(cluster, 18_010, 19_000)
    assert cluster.db.leader == 1 and cluster.db.lost.total == 0


def test_who_may_stand_is_measured_by_what_the_new_leader_has() -> None:
    # 1,900 records were at the leader alone, more than anybody may lack who stands for election. It is taken away, and the next one dies.
    cluster = Cluster(instances=4, **QUICK).run(1_000)
    for number in range(3):
        cluster.fault("crash", instance=number, restart_after_s=10.0 - number)
    cluster.run(16_000)
    assert cluster.db.leader == 3
    for number in range(3):
        cluster.fault("partition", instance=number, callers="none", duration_s=1.9)
    cluster.writes(16_000, 17_900, 1)
    cluster.run(17_899)
    cluster.fault("crash", instance=3, restart_after_s=60.0)
    cluster.run(17_901)
    cluster.configure(instances=3)
    assert cluster.db.leader == 0 and len(cluster.lost_positions()) > 1_000
    cluster.fault("crash", instance=0, restart_after_s=60.0)
    assert_writes_are_taken(cluster, 25_000, 26_000)
