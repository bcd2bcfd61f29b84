"""What is still under way at a node when it is left behind."""

from __future__ import annotations

from collections import Counter

from playground.blocks.sql_database.states import COPYING
from playground.engine.outcomes import CRASHED, READ
from tests.laws.clusters import Cluster
from tests.laws.test_cluster_changes import QUICK, assert_writes_are_taken


def test_a_read_under_way_at_a_node_that_is_left_behind_does_not_look_for_log_that_is_gone() -> None:
    # Node 2 applies nothing; its reads take 30 ms each, and of the log they would need nothing is kept past 100 records.
    cluster = Cluster(instances=2, reads="any_replica", log_kept_records=100, query_mean_ms=30.0, **QUICK)
    cluster.writes(0, 2_000, 1, keys=7)
    for number in range(200):
        cluster.read(100 + number * 5.0, 1 + number % 7)
    cluster.run(200)
    cluster.fault("stop_apply", instance=1, duration_s=5.0)
    node = cluster.db.nodes[1]
    while not node.behind:
        cluster.run(cluster.simulation.now / 1e6 + 0.5)
        assert cluster.simulation.now < 1e9
    now = int(cluster.simulation.now)
    assert node.role == COPYING
    told = [it for it in cluster.answers(READ) if it["node"] == 1 and it["at"] > now - 600_000]
    assert Counter(it["outcome"] for it in told)[CRASHED] >= 5, "it is stopped, and so is what it was doing"
    assert_writes_are_taken(cluster, 5_000, 6_000)
    assert node.applied == cluster.db.log.end
