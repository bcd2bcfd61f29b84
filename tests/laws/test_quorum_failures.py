"""What quorums don't save from, and what mends it: partial writes, sloppy quorums, clocks, siblings, hints, repair, anti-entropy.

G. DeCandia et al., "Dynamo: Amazon's highly available key-value store", SOSP 2007; single requests at chosen nodes and moments.
"""

from __future__ import annotations

import pytest

from playground.protocol.catalogue import Scalar
from tests.laws.quorums import QUIET, Bench, steady

ONE_MS: dict[str, Scalar] = {
    **steady(1.0),
    **QUIET,
    "suspect_after_ms": 20,
    "request_timeout_ms": 100,
    "probe_every_s": 0.5,
}


# ---- too few replicas


@pytest.mark.parametrize("sloppy", [False, True])
def test_too_few_replicas_fail_by_name_within_the_timeout_and_at_once_when_it_is_known(sloppy: bool) -> None:
    bench = Bench(instances=3, sloppy_quorum=sloppy, **ONE_MS)
    first, second, third = bench.nodes_of()
    bench.fault("crash", instance=second, restart_after_s=5)
    bench.fault("crash", instance=third, restart_after_s=5)
    write, read = bench.write(node=first), bench.read(node=first)
    bench.reach(100)
    for number in (write, read):
        assert (bench.answer(number).outcome, bench.answer(number).at_ms) == ("unavailable", 100)
    again = bench.write(node=first)
    bench.reach(101)
    assert (bench.answer(again).outcome, bench.answer(again).at_ms) == ("unavailable", 100)
    assert bench.metric("unavailable") == 3
    bench.reach(6_000)
    late = bench.write(node=first)
    bench.reach(6_010)
    assert bench.answer(late).outcome == "ok", "they are back, and a probe has found that out"


def test_a_partial_write_fails_for_its_client_and_is_seen_later_all_the_same() -> None:
    bench = Bench(instances=3, hinted_handoff=False, read_quorum=1, **ONE_MS)
    first, second, third = bench.nodes_of()
    bench.fault("partition", instance=first, count=1, duration_s=0.5)
    write = bench.write(node=first)
    bench.reach(200)
    assert bench.answer(write).outcome == "unavailable"
    assert bench.metric("partial_writes") == 1 and bench.held(first) == [2]
    assert bench.held(second) == bench.held(third) == [1]
    assert "got 1 of 2 acknowledgements" in bench.texts("partial_write")[0]
    read = bench.read(node=first)
    bench.reach(300)
    assert bench.answer(read).version == 2, "on that side of the partition it is there"
    assert bench.metric("partial_seen") == 1 and bench.metric("reads_stale") == 0


# ---- sloppy quorums and hints


def outage(**params: Scalar) -> Bench:
    """Two of a key's three replicas are down while version 2 is written with W = 2 on the first one and a stand-in."""
    bench = Bench(instances=6, replicas=3, read_quorum=2, write_quorum=2, sloppy_quorum=True, **{**ONE_MS, **params})
    first, second, third, *_ = bench.nodes_of()
    for node in (second, third):
        bench.fault("crash", instance=node, restart_after_s=1)
    write = bench.write(node=first)
    bench.reach(90)
    assert bench.answer(write).outcome == "ok"
    # 20 ms until the two are missed, 2 ms for the stand-ins.
    assert bench.answer(write).at_ms == 22
    return bench


def test_a_sloppy_quorum_is_stale_although_r_and_w_overlap_until_its_hints_are_handed_over() -> None:
    bench = outage(probe_every_s=3)
    first, second, third, fourth, fifth, sixth = bench.nodes_of()
    assert bench.metric("hints_held") == 2
    # Back, and no hint handed over yet; the first one is cut off, so that the other two answer.
    bench.reach(1_100)
    bench.fault("partition", instance=first, count=1, duration_s=0.5)
    read = bench.read(node=sixth)
    bench.reach(1_200)
    assert bench.answer(read).outcome == "ok" and bench.answer(read).version == 1
    assert bench.metric("reads_stale") == 1
    assert "still holds a hint of it" in bench.texts("stale_read")[0]
    assert "missed version 2" in bench.texts("stale_read")[0]
    bench.reach(4_000)
    assert bench.metric("hints_held") == 0 and bench.metric("hints_delivered") == 2
    assert bench.held(second) == bench.held(third) == [2]
    again = bench.read(node=sixth)
    bench.reach(4_100)
    assert bench.answer(again).version == 2 and bench.metric("reads_stale") == 1
    assert any("handoff to node" in title for title in bench.titles())
    assert fourth != fifth


def test_hints_do_not_count_unless_the_quorum_is_sloppy() -> None:
    bench = Bench(instances=6, replicas=3, **ONE_MS)
    first, second, third, *_ = bench.nodes_of()
    for node in (second, third):
        bench.fault("crash", instance=node, restart_after_s=1)
    write = bench.write(node=first)
    bench.reach(900)
    assert bench.answer(write).outcome == "unavailable"
    assert bench.metric("hints_held") == 2 and bench.metric("partial_writes") == 1
    bench.reach(3_000)
    assert bench.held(second) == bench.held(third) == [2], "handed over all the same"


def test_hints_are_dropped_after_their_window() -> None:
    bench = outage(hint_window_s=0.6, probe_every_s=0.2)
    bench.reach(550)
    assert bench.metric("hints_held") == 2
    bench.reach(900)
    assert bench.metric("hints_held") == 0 and bench.metric("hints_gone") == 2
    bench.reach(5_000)
    assert bench.metric("hints_delivered") == 0
    assert bench.held(bench.nodes_of()[1]) == [1]


def test_hints_are_handed_over_at_their_rate() -> None:
    bench = Bench(instances=4, replicas=3, handoff_per_s=10, keys=100, **{**ONE_MS, "probe_every_s": 0.1})
    down = 0
    bench.fault("crash", instance=down, restart_after_s=1)
    for key in range(1, 101):
        bench.write(key, node=1)
    bench.reach(1_000)
    held = bench.metric("hints_held")
    assert held > 50 and len({bench.nodes_of(key)[3] for key in range(1, 101)}) > 1
    bench.reach(3_150)
    # Three nodes hold them, ten a second each, from the first probe after the restart on.
    assert 3 * 20 <= bench.metric("hints_delivered") <= 3 * 22
    bench.reach(20_000)
    assert bench.metric("hints_delivered") == held


# ---- last write wins


def test_last_write_wins_drops_one_of_two_concurrent_writes() -> None:
    bench = Bench(instances=3, **ONE_MS)
    one = bench.write(node=0)
    bench.reach(0.5)
    two = bench.write(node=1)
    bench.reach(10)
    assert [bench.answer(it).outcome for it in (one, two)] == ["ok", "ok"]
    assert [bench.held(node) for node in range(3)] == [[3], [3], [3]], "the later one is everywhere, the other nowhere"
    assert bench.metric("writes_dropped") == 1 and bench.metric("writes_lost_skew") == 0
    bench.reach(20)
    bench.write(node=0)
    bench.reach(30)
    assert bench.metric("writes_dropped") == 1, "one that comes after the other is no conflict"


def test_the_wrong_write_wins_where_clocks_differ_and_every_read_is_stale() -> None:
    bench = Bench(instances=3, clock_offsets="0, -50, 0", **ONE_MS)
    one = bench.write(node=0)
    bench.reach(30)
    two = bench.write(node=1)
    bench.reach(40)
    assert [bench.answer(it).version for it in (one, two)] == [2, 3], "both acknowledged, one long after the other"
    assert [bench.held(node) for node in range(3)] == [[2], [2], [2]]
    assert bench.metric("writes_lost_skew") == 1 and bench.metric("writes_dropped") == 0
    read = bench.read()
    bench.reach(50)
    assert bench.answer(read).version == 2 and bench.metric("reads_stale") == 1
    assert "gave it the later time" in bench.texts("stale_read")[0]
    # Once the clock has passed the older write's stamp, writes of that node count again.
    bench.reach(100)
    bench.write(node=1)
    bench.reach(110)
    assert bench.held(0) == [4] and bench.metric("writes_lost_skew") == 1


# ---- version vectors


@pytest.mark.parametrize("same_node", [False, True])
def test_version_vectors_keep_both_of_two_concurrent_writes_and_the_next_one_merges_them(same_node: bool) -> None:
    bench = Bench(instances=3, conflicts="version_vectors", **ONE_MS)
    first, second, _ = bench.nodes_of()
    bench.write(node=first)
    bench.write(node=first if same_node else second)
    bench.reach(20)
    assert [bench.held(node) for node in range(3)] == [[2, 3], [2, 3], [2, 3]]
    assert bench.metric("writes_lost") == 0
    read = bench.read()
    bench.reach(30)
    assert bench.metric("sibling_reads") == 1 and bench.metric("reads_stale") == 0
    assert bench.answer(read).version == 3
    bench.write(node=second)
    bench.reach(50)
    assert [bench.held(node) for node in range(3)] == [[4], [4], [4]]
    later = bench.read()
    bench.reach(60)
    assert bench.answer(later).version == 4 and bench.metric("sibling_reads") == 1


def test_writes_without_context_pile_up_as_siblings_up_to_a_bound() -> None:
    bench = Bench(instances=3, conflicts="version_vectors", context="none", **ONE_MS)
    for turn in range(12):
        bench.write(node=turn % 3)
        bench.reach(20 * (turn + 1))
    assert all(len(bench.held(node)) == 8 for node in range(3))
    assert bench.metric("siblings_dropped") > 0


def test_both_sides_of_a_partition_write_and_both_versions_survive_it() -> None:
    bench = Bench(instances=4, conflicts="version_vectors", sloppy_quorum=True, write_quorum=1, read_quorum=1, **ONE_MS)
    first, second, *_ = bench.nodes_of()
    bench.fault("partition", instance=first, count=1, duration_s=1)
    bench.write(node=first)
    bench.write(node=second)
    bench.reach(900)
    assert bench.held(first) == [2] and bench.held(second) == [3]
    bench.set(anti_entropy_every_s=0.5)
    bench.reach(5_000)
    assert bench.held(first) == bench.held(second) == [2, 3]


# ---- repair


def behind(**params: Scalar) -> Bench:
    """The third replica was down while version 2 was written, and is back. No hints."""
    bench = Bench(instances=3, hinted_handoff=False, **{**ONE_MS, **params})
    third = bench.nodes_of()[2]
    bench.fault("crash", instance=third, restart_after_s=1)
    bench.write(node=bench.nodes_of()[0])
    bench.reach(2_000)
    assert bench.held(third) == [1]
    return bench


@pytest.mark.parametrize("mode", ["off", "answered", "all"])
def test_read_repair_freshens_the_replicas_that_it_touched_and_only_when_it_is_on(mode: str) -> None:
    bench = behind(read_repair=mode, read_quorum=3)
    third = bench.nodes_of()[2]
    read = bench.read()
    bench.reach(2_100)
    assert bench.answer(read).version == 2
    assert bench.held(third) == ([1] if mode == "off" else [2])
    assert bench.metric("repairs") == (0 if mode == "off" else 1)


@pytest.mark.parametrize("mode", ["answered", "all"])
def test_read_repair_of_those_that_answered_leaves_a_late_one_alone(mode: str) -> None:
    bench = behind(read_repair=mode, read_quorum=2)
    third = bench.nodes_of()[2]
    bench.fault("slow_down", instance=third, factor=5, duration_s=None)
    bench.read(node=bench.nodes_of()[0])
    bench.reach(2_100)
    assert bench.held(third) == ([1] if mode == "answered" else [2])


def test_anti_entropy_moves_the_keys_that_differ_and_no_others_at_its_rate() -> None:
    bench = Bench(instances=3, keys=500, hinted_handoff=False, **ONE_MS)
    bench.fault("crash", instance=2, restart_after_s=1)
    for key in range(1, 101):
        bench.write(key, node=0)
    bench.reach(1_000)
    bench.set(anti_entropy_every_s=5, anti_entropy_per_s=100)
    bench.reach(5_900)
    assert bench.metric("keys_exchanged") == 0
    bench.reach(6_500)
    behind_now = sum(bench.held(2, key) == [1] for key in range(1, 101))
    # Nodes 1 and 2 each compare with node 3 or it with them, a hundred keys a second.
    assert 0 < behind_now < 60
    bench.reach(30_000)
    assert all(bench.held(2, key) == [2] for key in range(1, 101))
    # Two pairs find them at the same time, and each exchanges them.
    assert 100 <= bench.metric("keys_exchanged") <= 200


def test_a_lost_disk_is_filled_again_and_takes_the_last_copies_with_it() -> None:
    # W = 1, and the one copy is gone before the others got theirs.
    params: dict[str, Scalar] = {**ONE_MS, "coordinator": "replica", "write_mean_ms": 15.0}
    bench = Bench(instances=3, write_quorum=1, keys=50, hinted_handoff=False, **params)
    first, second, third = bench.nodes_of()
    for node in (second, third):
        bench.fault("partition", instance=node, count=1, duration_s=0.5)
    write = bench.write(node=first)
    bench.reach(10)
    assert bench.answer(write).outcome == "ok"
    bench.fault("lose_disk", instance=first)
    assert bench.metric("writes_lost_disk") == 1
    bench.reach(1_000)
    assert all(bench.held(first, key) == [] for key in range(1, 51))
    bench.set(anti_entropy_every_s=0.2, anti_entropy_per_s=10_000)
    bench.reach(3_000)
    assert all(bench.held(first, key) == [1] for key in range(1, 51))
    read = bench.read()
    bench.reach(3_100)
    assert bench.answer(read).version == 1 and bench.metric("reads_stale") == 1, "what is lost is missed for ever"


# ---- nodes that stand still, and coordinators


def test_a_node_that_stalls_is_missed_and_answers_when_it_goes_on() -> None:
    bench = Bench(instances=4, replicas=3, **ONE_MS)
    first, second, third, _ = bench.nodes_of()
    bench.fault("pause", instance=third, duration_s=1)
    write = bench.write(node=first)
    bench.reach(500)
    assert bench.answer(write).at_ms == 2 and bench.held(third) == [1]
    assert bench.store.suspects(first, third) and not bench.store.suspects(second, third)
    assert bench.metric("nodes_up") == 3
    bench.reach(3_000)
    assert bench.held(third) == [2] and not bench.store.suspects(first, third)
    assert bench.metric("nodes_up") == 4


def test_a_replica_that_coordinates_has_its_own_copy_at_hand() -> None:
    bench = Bench(instances=5, coordinator="replica", read_quorum=1, write_quorum=1, **ONE_MS)
    write, read = bench.write(), bench.read()
    bench.reach(10)
    assert bench.answer(write).at_ms == bench.answer(read).at_ms == 0
    bench.set(coordinator="contacted")
    read = bench.read()
    bench.reach(20)
    assert bench.answer(read).at_ms == 12


def test_versions_that_nobody_holds_are_forgotten() -> None:
    bench = Bench(instances=3, **ONE_MS)
    for turn in range(4_000):
        bench.write(turn % 5 + 1)
        bench.reach(turn + 1)
    assert bench.store.ledger.capacity <= 512
    assert bench.answer(3_999 - 5).version > 790
