"""What is still under way at a node, or waits for it, when it is left behind or taken away; and who watches it."""

from __future__ import annotations

from collections import Counter

from playground.blocks.sql_database.behaviour import SqlDatabase
from playground.blocks.sql_database.states import COPYING, LOOP, NODE_MASK, REPLICA
from playground.engine.outcomes import CRASHED, OK, READ
from playground.engine.queue import TIMER
from playground.execution import Execution
from tests.laws.clusters import Cluster
from tests.laws.test_cluster_changes import QUICK, assert_writes_are_taken
from tests.sketch import MS, SECOND, Shape, block, edge, fault, scenario


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


def test_nobody_follows_the_log_for_pages_of_a_node_that_is_out_of_service() -> None:
    # Both nodes are asked for pages; then node 2 applies nothing, and of the log it would need nothing is kept past 100 records.
    writers: Shape = {"rate_per_s": 1_000, "keys": 50, "read_weight": 0, "write_weight": 10, "list_weight": 1}
    store: Shape = {**QUICK, "instances": 2, "reads": "any_replica", "log_kept_records": 100, "row_scan_us": 0.1}
    drawing = scenario(
        [
            block("users", "client", lists="walk", **writers),
            block("app", "app_server", workers=1_000),
            block("db", "sql_database", **store),
        ],
        [edge("users", "app"), edge("app", "db", "store")],
    )
    execution = Execution(drawing, recorded=False)
    db = execution.model.blocks["db"]
    assert isinstance(db, SqlDatabase) and execution.advance(SECOND) and db.listing.orders[1].built
    execution.act(fault("db", "stop_apply", instance=1, duration_s=1.0), "test")
    while not db.nodes[1].behind:
        assert execution.advance(execution.now_ns + MS)
    assert not db.listing.orders[1].built and db.listing.orders[0].built
    assert execution.advance(8 * SECOND)
    assert db.nodes[1].role == REPLICA and db.listing.orders[1].built


def loops(cluster: Cluster) -> Counter[int]:
    """The agents' loops that are set, by node."""
    queue = cluster.simulation.queue
    queue.gather()
    found: Counter[int] = Counter()
    for index in range(queue.tail):
        order, what = int(queue.order[index]), int(queue.what[index])
        if order & 7 == TIMER and order >> 3 & 31 == LOOP and what >> 32 == cluster.db.index:
            found[what & 0xFFFFFFFF & NODE_MASK] += 1
    return found


def test_a_node_that_goes_and_comes_back_at_once_has_one_agent() -> None:
    cluster = Cluster(instances=3, **QUICK)
    for number in range(60):
        cluster.run(1_000 + number * 330)
        cluster.configure(instances=(1, 3, 2, 3)[number % 4])
        cluster.run(cluster.simulation.now / 1e6 + 5 * number)
        cluster.configure(instances=3)
        assert loops(cluster) == {0: 1, 1: 1, 2: 1}


def test_a_leader_that_lost_what_it_had_not_flushed_may_be_elected_again() -> None:
    # It becomes a cluster's, and dies before its agent has looked: what was known of it may be no more than was on disk.
    late = {"synchronous_commit": "off", "wal_writer_delay_ms": 200.0, "failover_lag_mb": 0.0}
    cluster = Cluster(instances=1, **{**QUICK, **late})
    cluster.writes(0, 1_100, 5)
    cluster.run(1_150)
    cluster.configure(instances=2)
    cluster.fault("partition", instance=1, callers="none", duration_s=0.5)
    cluster.fault("crash_leader", restart_after_s=3.0)
    assert cluster.db.lost.total > 10
    assert_writes_are_taken(cluster, 8_000, 9_000)


def test_a_read_that_waits_for_a_position_goes_on_where_its_node_is_made_the_leader() -> None:
    # Node 1 follows and applies nothing. A user writes, reads at node 1, and waits; then node 2 is taken away.
    cluster = Cluster(instances=2, reads="wait_for_position", wait_max_ms=60_000.0, **QUICK).run(500)
    cluster.fault("crash", instance=0, restart_after_s=5.0)
    cluster.run(12_000)
    assert cluster.db.leader == 1
    cluster.fault("stop_apply", instance=0, duration_s=60.0)
    cluster.write(12_100, 7, user=3)
    cluster.read(12_200, 7, user=3)
    cluster.run(13_000)
    assert cluster.answers(READ) == [] and cluster.db.position_waits == 1
    cluster.configure(instances=1)
    cluster.run(13_001)
    (found,) = cluster.answers(READ)
    assert (found["outcome"], found["version"]) == (OK, 2)
