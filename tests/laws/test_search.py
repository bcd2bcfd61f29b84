"""A search index that follows a database: how far behind, how often wrong, how it falls back and catches up, what a rebuild costs."""

from __future__ import annotations

from collections import Counter
from math import exp

import pytest

from playground.engine.changes import CHANGES_KEPT_MAX, ChangeLog
from playground.execution import Execution
from playground.protocol.catalogue import Scalar
from playground.protocol.design import EditDesign, Scenario
from tests.laws.intervals import assert_agrees, runs
from tests.laws.shards import QUICK, ROOMY, reach, resharded, shard
from tests.sketch import SECOND, Shape, block, clear, edge, fault, figures, metric, scenario, set_param, unaccounted

Params = dict[str, Scalar]
SEEDS = range(31, 43)
ROWS = 10_000
EVEN: Params = {"keys": ROWS, "key_choice": "uniform", "arrivals": "poisson"}


def follows(name: str) -> Shape:
    """The edge along which the index reads a database's log."""
    made = edge("search", name, "changes", **QUICK)
    return {**made, "to": {"block": name, "port": "log"}}


def searched(
    *,
    writes_per_s: float,
    lists_per_s: float = 200,
    mix: Params | None = None,
    search: Params | None = None,
    db: Params | None = None,
    seed: int = 1,
    until_s: float = 60.0,
) -> Scenario:
    """Writers and readers of lists at one server, its store, and an index beside it. Nothing runs full but what a test is about."""
    usual: Params = {"threads": 1_000, "query_mean_ms": 1, "poll_ms": 1, "index_mean_us": 1}
    writers: Params = {**EVEN, "rate_per_s": writes_per_s, "read_weight": 0, "write_weight": 1, **(mix or {})}
    readers: Params = {**EVEN, "rate_per_s": lists_per_s, "read_weight": 0, "write_weight": 0, "list_weight": 1}
    blocks = [
        block("writers", "client", **writers),
        block("readers", "client", **readers),
        block("app", "app_server", workers=100_000, before_mean_ms=0),
        block("search", "search_index", **{**usual, **(search or {})}),
        block("db", "sql_database", **{**ROOMY, "rows": ROWS, "buffer_rows": ROWS, **(db or {})}),
    ]
    edges = [
        edge("writers", "app", **QUICK),
        edge("readers", "app", **QUICK),
        edge("app", "search", "search", **QUICK),
        edge("app", "db", "store", **QUICK),
        follows("db"),
    ]
    return scenario(blocks, edges, seed=seed, until_s=until_s)


def quiet(execution: Execution, for_s: float = 10.0) -> None:
    """No more writes for a while."""
    execution.act(set_param("writers", "rate_per_s", 0.001), "test")
    reach(execution, execution.now_ns / SECOND + for_s)


def assert_shows_the_truth(execution: Execution) -> None:
    """All that the index shows is what its database holds."""
    items = execution.model.blocks["search"].items
    store = execution.model.blocks["app"].source()
    assert items.index.size > 100 and items.differing == 0
    for entry in range(items.index.size):
        version = store.row_version(items.key[entry])
        assert max(items.shown[entry], 0) == max(version, 0), f"item {items.key[entry]}"


def assert_knows_all(execution: Execution) -> None:
    """The index has heard of every row that its database changed."""
    items = execution.model.blocks["search"].items
    store = execution.model.blocks["app"].source()
    known = {int(items.key[entry]) for entry in range(items.index.size)}
    changed = {int(key) for key in store.changed_keys() if store.row_version(int(key)) != (1 if key <= ROWS else 0)}
    assert len(changed) > 50 and changed <= known


def expected_wrong(execution: Execution, writes_per_s: float, refresh_s: float) -> float:
    """How often a list differs, its term's changes being Poisson and the latest refresh a time uniform in (0, ``refresh_s``) ago.

    P(any at rate r) = 1 - (1 - e^-r) / r with r per interval; popular terms are those with many items, which change more often too.
    """
    term_of = execution.model.blocks["search"].items.term_of
    sizes = Counter(term_of(key) for key in range(1, ROWS + 1))
    rates = {term: writes_per_s * refresh_s * size / ROWS for term, size in sizes.items()}
    return sum(size / ROWS * (1 - (1 - exp(-rates[term])) / rates[term]) for term, size in sizes.items())


def test_lists_are_wrong_as_often_as_their_term_has_changed_since_the_refresh() -> None:
    made = runs(searched(writes_per_s=50, search={"terms": 100}), SEEDS)
    wrong = [metric(it, "search", "stale_answers") / metric(it, "search", "answers") for it in made]
    # The number of writes scatters from seed to seed, and a list's chance with it: what is left over has mean 0.
    over = [
        share - expected_wrong(it, metric(it, "db", "commits") / 60, 1) for share, it in zip(wrong, made, strict=True)
    ]
    expected = expected_wrong(made[0], 50, 1)
    assert expected == pytest.approx(0.2144, abs=0.001)
    assert_agrees([expected + it for it in over], expected, narrow=0.03)
    for it in made:
        told = metric(it, "readers", "stale_answers")
        assert told == pytest.approx(metric(it, "search", "stale_answers"), abs=10), "the answer says so"


@pytest.mark.parametrize("refresh_ms", [200, 1_000, 5_000])
def test_a_shorter_refresh_interval_makes_lists_fresher(refresh_ms: int) -> None:
    search = {"terms": 100, "refresh_ms": refresh_ms}
    made = runs(searched(writes_per_s=20, search=search), range(1, 4))
    wrong = sum(metric(it, "search", "stale_answers") for it in made) / sum(
        metric(it, "search", "answers") for it in made
    )
    assert wrong == pytest.approx(expected_wrong(made[0], 20, refresh_ms / 1_000), rel=0.1, abs=0.004)


def test_a_list_holds_what_is_deleted_and_lacks_what_is_new_until_the_refresh() -> None:
    mix = {"write_weight": 0, "create_weight": 1, "delete_weight": 1, "unknown_choice": "uniform"}
    execution = reach(Execution(searched(writes_per_s=100, mix=mix), recorded=False), 20)
    seen = figures(execution, "search")
    assert seen["with_deleted"] > 50 and seen["without_new"] > 50 and seen["with_old"] == 0
    assert seen["stale_answers"] <= seen["with_deleted"] + seen["without_new"] < 1.1 * seen["stale_answers"]
    quiet(execution)
    assert_shows_the_truth(execution)


def test_an_index_that_is_written_faster_than_it_indexes_falls_behind_and_catches_up() -> None:
    # Two indexers at 1 ms an item: 2,000/s. At 3,000/s a second's writes take 1.5 s: the lag grows by a third of a second each second.
    search = {"indexers": 2, "index_mean_us": 1_000, "refresh_ms": 100, "bulk_max": 50, "behind_s": 2}
    execution = reach(Execution(searched(writes_per_s=3_000, lists_per_s=20, search=search), recorded=False), 15)
    assert metric(execution, "search", "lag_ms") == pytest.approx(15_000 * (1 - 2_000 / 3_000), rel=0.08)
    behind = metric(execution, "search", "lag_changes")
    assert behind == pytest.approx(15 * 1_000, rel=0.08)
    assert metric(execution, "search", "indexed") == pytest.approx(15 * 2_000, rel=0.02)
    assert metric(execution, "search", "backlog") <= 8_192 + 2_048, "what it doesn't read the log keeps"
    execution.act(set_param("writers", "rate_per_s", 500), "test")
    # 1,500/s are left for the backlog.
    reach(execution, 15 + 0.9 * behind / 1_500)
    assert metric(execution, "search", "lag_changes") > 500
    reach(execution, 15 + 1.15 * behind / 1_500)
    assert metric(execution, "search", "lag_ms") < 400
    said = [it.kind for it in execution.take_notables()]
    assert said == ["index_behind", "index_caught_up"]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_after_crashes_of_index_and_database_searches_see_all_that_was_committed(seed: int) -> None:
    mix = {"write_weight": 2, "create_weight": 1, "delete_weight": 1}
    drawing = searched(writes_per_s=500, mix=mix, search={"index_mean_us": 500, "bulk_max": 20}, seed=seed)
    execution = reach(Execution(drawing, recorded=False), 2.2)
    for moment, name in enumerate(("search", "db", "search")):
        execution.act(fault(name, "crash", restart_after_s=0.7), "test")
        reach(execution, 3.3 + moment)
    assert metric(execution, "app", "searches_failed") > 50
    quiet(execution)
    assert metric(execution, "search", "rebuilds") == 0
    assert_shows_the_truth(execution)
    assert unaccounted(execution) == []


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_rebuild_reads_every_row_makes_the_database_feel_it_and_ends_with_the_truth(seed: int) -> None:
    mix = {"write_weight": 2, "create_weight": 1, "delete_weight": 1}
    db = {"cores": 4, "disk_channels": 1, "row_bytes": 100_000}
    search = {"scan_rows": 500, "index_mean_us": 500}
    execution = reach(
        Execution(searched(writes_per_s=300, mix=mix, db=db, search=search, seed=seed), recorded=False), 5
    )
    wrong = metric(execution, "search", "stale_answers")
    busy = execution.model.blocks["db"].disk.busy_integral() / 5e9
    execution.act(fault("search", "rebuild"), "test")
    began = execution.now_ns
    while metric(execution, "search", "built_percent") < 100:
        reach(execution, execution.now_ns / SECOND + 0.1)
    took_ns = execution.now_ns - began
    # 10,000 rows at 0.25 ms by two indexers.
    assert 2.5 <= took_ns / SECOND < 5
    assert metric(execution, "search", "incomplete") == pytest.approx(200 * took_ns / SECOND, rel=0.2)
    assert metric(execution, "search", "stale_answers") - wrong >= metric(execution, "search", "incomplete")
    loaded = (execution.model.blocks["db"].disk.busy_integral() - 5e9 * busy) / took_ns
    assert loaded > 1.5 * busy
    quiet(execution)
    assert_shows_the_truth(execution)
    assert [it.kind for it in execution.take_notables()][:2] == ["rebuild", "rebuilt"]


def test_without_an_index_lists_cost_the_store_and_with_it_none_gets_there() -> None:
    execution = reach(Execution(searched(writes_per_s=10), recorded=False), 5)
    asked = metric(execution, "db", "offered") - metric(execution, "search--db", "attempts")
    assert asked == pytest.approx(50, abs=30)
    # It dies, and the store makes the lists.
    execution.act(fault("search", "crash"), "test")
    reach(execution, 10)
    assert metric(execution, "app", "searches_failed") == pytest.approx(1_000, rel=0.15)
    assert metric(execution, "readers", "failed") == 0
    execution.act(set_param("app", "bypass_cache", False), "test")
    reach(execution, 12)
    assert metric(execution, "readers", "failed") > 300


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_index_over_shards_follows_rows_that_move(seed: int) -> None:
    drawn = searched(writes_per_s=500, mix={"write_weight": 3, "create_weight": 1, "delete_weight": 1}, seed=seed)
    shards = [shard(number, ROWS) for number in (1, 2, 3)]
    kept = [it.model_dump(by_alias=True) for it in drawn.design.blocks if it.id != "db"]
    edges = [it.model_dump(by_alias=True) for it in drawn.design.edges if it.to.block != "db"]
    router = block("router", "shard_router", workers=10_000, buckets=32, batch_rows=200)
    to_shards = [
        edge("router", f"shard-00{number}", "shards", weight=0 if number == 3 else 1, **QUICK) for number in (1, 2, 3)
    ]
    drawing = scenario(
        [*kept, router, *shards],
        [*edges, edge("app", "router", "store", **QUICK), *to_shards, *(follows(it["id"]) for it in shards)],
        seed=seed,
        until_s=60,
    )
    execution = reach(Execution(drawing, recorded=False), 1)
    execution.act(set_param("router--shard-003", "weight", 1), "test")
    resharded(execution)
    assert metric(execution, "router", "caught_up") > 20
    quiet(execution)
    assert metric(execution, "search", "rebuilds") == 0
    assert_shows_the_truth(execution)


@pytest.mark.parametrize("writes_per_s", [1, 20, 2_000])
def test_a_log_is_read_at_its_interval_whatever_is_written_and_whatever_happened(writes_per_s: float) -> None:
    search = {"poll_ms": 100, "index_mean_us": 100}
    execution = reach(Execution(searched(writes_per_s=writes_per_s, search=search), recorded=False), 5)
    for moment in range(5):
        execution.act(fault("search", "crash", restart_after_s=0.05), "test")
        execution.act(fault("search", "rebuild"), "test")
        reach(execution, 6 + moment)
    read = metric(execution, "search--db", "attempts")
    reach(execution, 30)
    assert metric(execution, "search--db", "attempts") - read == pytest.approx(20 / 0.1013, abs=3)


@pytest.mark.parametrize("replaced", ["search", "db"])
def test_an_index_that_comes_later_or_gets_another_database_learns_what_that_holds(replaced: str) -> None:
    mix = {"write_weight": 2, "create_weight": 1, "delete_weight": 1}
    execution = reach(Execution(searched(writes_per_s=300, mix=mix), recorded=False), 5)
    drawn = execution.design
    blocks = [it for it in drawn.blocks if it.id != replaced]
    edges = [it for it in drawn.edges if replaced not in (it.from_.block, it.to.block)]
    if replaced == "db":
        # An index without a database can't be drawn.
        edges = [it for it in edges if it.to.block != "search"]
        blocks = [it for it in blocks if it.id != "search"]
    execution.act(EditDesign(design=drawn.model_copy(update={"blocks": blocks, "edges": edges})), "test")
    reach(execution, 6)
    execution.act(EditDesign(design=drawn), "test")
    assert execution.model.blocks["search"].rebuilding
    reach(execution, 8)
    quiet(execution)
    assert_shows_the_truth(execution)
    assert_knows_all(execution)


def test_a_database_that_begins_anew_with_other_versions_is_what_the_index_shows() -> None:
    execution = reach(Execution(searched(writes_per_s=1_000), recorded=False), 15)
    # Not a live parameter: the database begins anew, at version 1 of every row, behind the same index.
    execution.act(set_param("db", "warm", False), "test")
    reach(execution, 17)
    quiet(execution)
    assert_shows_the_truth(execution)
    assert_knows_all(execution)


def test_a_table_of_another_size_is_in_the_index_as_in_the_database() -> None:
    execution = reach(Execution(searched(writes_per_s=100), recorded=False), 3)
    execution.act(set_param("db", "rows", 2 * ROWS), "test")
    execution.act(set_param("writers", "keys", 2 * ROWS), "test")
    reach(execution, 6)
    quiet(execution)
    assert_shows_the_truth(execution)
    items = execution.model.blocks["search"].items
    assert items.first_keys == 2 * ROWS and items.visible().size() == 2 * ROWS


def test_what_was_seen_before_it_was_flushed_and_is_lost_is_known_to_be_lost() -> None:
    # Versions that readers see and no log has yet; a rebuild reads them off the rows, and the crash takes them back.
    db = {"synchronous_commit": "off", "wal_writer_delay_ms": 10_000}
    execution = reach(Execution(searched(writes_per_s=200, db=db), recorded=False), 2)
    execution.act(fault("search", "rebuild"), "test")
    reach(execution, 4)
    execution.act(fault("db", "crash", restart_after_s=0.1), "test")
    quiet(execution)
    assert metric(execution, "db", "lost_writes") > 100
    assert_shows_the_truth(execution)


def test_an_index_that_is_down_makes_nothing_visible_and_ends_no_rebuild() -> None:
    # All rows in one batch, which its indexers then work on for long.
    drawing = searched(writes_per_s=10, search={"scan_rows": ROWS, "index_mean_us": 1_000})
    execution = reach(Execution(drawing, recorded=False), 2)
    execution.act(fault("search", "rebuild"), "test")
    search = execution.model.blocks["search"]
    while search.scanned < ROWS:
        reach(execution, execution.now_ns / SECOND + 0.01)
    assert search.rebuilding
    execution.act(fault("search", "crash", restart_after_s=None), "test")
    refreshes = metric(execution, "search", "refreshes")
    execution.take_notables()
    reach(execution, 30)
    assert search.rebuilding and metric(execution, "search", "refreshes") == refreshes
    assert [it.kind for it in execution.take_notables() if it.target == "search"] == []
    execution.act(clear("search"), "test")
    reach(execution, 60)
    assert not search.rebuilding and metric(execution, "search", "refreshes") > refreshes
    assert_shows_the_truth(execution)


# ---- the log that is read along


def test_a_log_keeps_what_its_slowest_reader_needs_and_nothing_more() -> None:
    log = ChangeLog()
    log.add(7, 2, 100)
    assert (log.start, log.end) == (1, 1), "nobody reads"
    slow, quick = log.open(), log.open()
    for number in range(3_000):
        log.add(number, number + 2, number)
    log.confirm(quick, 3_001)
    assert (log.start, log.end) == (1, 3_001)
    assert [log.key_at(it) for it in (1, 1_500, 3_000)] == [0, 1_499, 2_999]
    log.confirm(slow, 2_000)
    assert log.start == 2_000
    log.close(slow)
    assert log.start == log.end == 3_001
    assert log.open() == slow, "a slot that is free is taken again"


def test_a_reader_that_lies_too_far_behind_loses_its_slot() -> None:
    log = ChangeLog()
    slot = log.open()
    for number in range(CHANGES_KEPT_MAX):
        log.add(number, 2, number)
    assert not log.is_lost(slot) and log.key_at(0) == 0
    log.add(5, 3, 5)
    assert log.is_lost(slot) and log.end - log.start == CHANGES_KEPT_MAX
