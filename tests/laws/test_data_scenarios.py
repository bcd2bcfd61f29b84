"""The scenarios of logs, replicas and leaders: what each loses or misses without its fix, and what it comes to with it."""

from __future__ import annotations

import pytest

from playground.templates_store import templates
from tests.laws.test_scenarios import both, side, titles
from tests.sketch import figures, metric, named, run, with_params


def test_users_do_not_see_their_own_writes_at_replicas_and_do_at_the_leader_for_a_while() -> None:
    plain, mended = both("read-your-writes", 25.0)
    assert metric(plain, "db", "own_write_missed") > 100
    assert any("doesn't see their own write" in title for title in titles(plain))
    assert metric(mended, "db", "own_write_missed") == 0
    # Others' writes are missed all the same, and most reads still go to replicas.
    assert metric(mended, "db", "stale_reads") > 0
    assert metric(mended, "db", "replica_reads") > 1000
    stale = plain.detail("db")["latest_stale_reads"]
    assert {row["cause"] for row in stale} <= {"network", "apply backlog", "apply stopped"}
    assert all(row["missed_version"] > row["seen_version"] for row in stale)


@pytest.mark.parametrize("way", [1, 2])
def test_own_writes_are_seen_by_the_two_other_ways_as_well(way: int) -> None:
    switch = templates()["read-your-writes"].scenario.design.switches[way]
    settings = {it.param: it.value for it in switch.on}
    execution = run(with_params(side("read-your-writes", False, 25.0), named("db"), **settings))
    assert metric(execution, "db", "own_write_missed") == 0
    assert metric(execution, "db", "replica_reads") > 4000
    if "reads" in settings:
        assert metric(execution, "db", "position_waits") > 100
    else:
        assert metric(execution, "db", "stale_reads") <= 2, "of who reads at one while the other applies"


@pytest.mark.parametrize("seed", [1, 2])
def test_an_asynchronous_failover_loses_what_was_on_its_way_and_a_synchronous_one_nothing(seed: int) -> None:
    plain, mended = both("failover", 50.0, seed)
    # 150 writes/s x (80 ms + a flush there); Poisson.
    assert 3 <= metric(plain, "db", "lost_writes") <= 30
    assert metric(mended, "db", "lost_writes") == 0
    for execution in (plain, mended):
        assert 20 + 1 <= metric(execution, "db", "leaderless_s") <= 30 + 1
        assert metric(execution, "db", "timeline") == 2
        assert metric(execution, "db", "no_leader") > 50
    assert metric(mended, "users", "recent_p99_ms") > 160
    assert any("acknowledged writes lost" in title for title in titles(plain))


def test_an_unfenced_leader_takes_writes_that_vanish_and_a_fenced_one_takes_none() -> None:
    plain, mended = both("split-brain", 85.0)
    assert 1000 < metric(plain, "db", "split_brain_writes") < 1900
    assert metric(plain, "db", "discarded") >= metric(plain, "db", "split_brain_writes")
    assert metric(mended, "db", "split_brain_writes") == 0
    said = titles(plain)
    assert any("still takes writes" in title for title in said)
    assert any("drops" in title for title in said)
    assert any("demotes itself" in title for title in titles(mended))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_crash_before_the_flush_loses_at_most_three_rounds_of_the_writer_and_after_it_nothing(seed: int) -> None:
    plain, mended = both("crash-commit", 55.0, seed)
    crashes = 3
    assert 0 < metric(plain, "db", "lost_writes") <= crashes * 3 * 0.2 * 200
    assert metric(mended, "db", "lost_writes") == 0
    assert figures(mended, "db")["commits_per_flush"] > 1
    assert metric(mended, "db", "recoveries") == crashes
