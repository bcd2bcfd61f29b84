"""Walks through the search index: from + size collects all that comes before, on each shard, and ends at max_result_window; search_after
collects the page, at any depth.

Elasticsearch, "Paginate search results" (``from`` and ``size``, ``search_after``, ``index.max_result_window`` with its 10,000).
"""

from __future__ import annotations

from typing import Any

import pytest

from playground.execution import Execution
from playground.protocol.design import Scenario
from tests.laws.shards import reach
from tests.laws.test_search import ROWS, searched
from tests.sketch import SECOND, fault, figures, metric, named, run, set_param, with_params

SEEDS = (1, 2, 3)


def walks(
    pagination: str, seed: int = 1, writes_per_s: float = 0.001, app: dict[str, Any] | None = None, **readers: Any
) -> Scenario:
    """Readers who walk through an index of 10,000 documents, 20 on a page."""
    search = {"collect_us": 0.1, "query_distribution": "constant", "refresh_ms": 50}
    drawing = searched(writes_per_s=writes_per_s, lists_per_s=10, search=search, seed=seed, until_s=20)
    usual = {"lists": "walk", "walk_pages": 10, "walk_gap_s": 0.1, **readers}
    drawing = with_params(drawing, named("readers"), **usual)
    drawing = with_params(drawing, named("writers"), create_weight=1, delete_weight=1, write_weight=0)
    return with_params(drawing, named("app"), pagination=pagination, list_items=20, **(app or {}))


@pytest.mark.parametrize("pagination", ["offset", "keyset", "cursor"])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_walk_through_the_index_goes_on_page_after_page_and_shows_each_document_once(
    seed: int, pagination: str
) -> None:
    execution = run(walks(pagination, seed))
    found = figures(execution, "readers")
    assert found["pages_shown"] > 1_000 and metric(execution, "search", "pages") >= found["pages_shown"]
    assert found["duplicates"] == found["skips"] == 0
    assert metric(execution, "db", "list_pages") == 0, "the store is not asked"


@pytest.mark.parametrize("shards", [1, 5])
def test_from_and_size_collect_all_before_the_page_on_each_shard_and_search_after_the_page_alone(shards: int) -> None:
    collected = {}
    for pagination in ("offset", "cursor"):
        drawing = with_params(walks(pagination, walk_from=50), named("search"), number_of_shards=shards)
        execution = run(drawing)
        rows = {
            row["depth"]: row["documents_collected_per_page"] for row in execution.detail("search")["pages_by_depth"]
        }
        collected[pagination] = rows["pages 11 to 100"]
    # Pages 50 to 59 of 20 documents: 1,090 on average, from each shard; five of them reach past all that there are for none.
    assert collected["offset"] == pytest.approx(1_090 * shards, rel=0.03)
    # The first reader's first page is counted, since nothing is known of it but its number.
    assert collected["cursor"] == pytest.approx(20 * shards, rel=0.2)


def test_pages_past_max_result_window_are_refused_and_search_after_passes_it() -> None:
    small = {"max_result_window": 200, "collect_us": 0.1}
    stopped = run(with_params(walks("offset", walk_pages=30), named("search"), **small))
    assert metric(stopped, "search", "too_deep") > 20
    # Pages 1 to 10 fit into the window.
    walks_over = metric(stopped, "readers", "pages_shown") / 10
    assert metric(stopped, "search", "too_deep") == pytest.approx(walks_over, rel=0.25)
    assert any("max_result_window 200" in it.detail for it in stopped.take_notables())
    gone_on = run(with_params(walks("cursor", walk_pages=30), named("search"), **small))
    assert metric(gone_on, "search", "too_deep") == 0
    assert metric(gone_on, "readers", "pages_shown") > 20 * walks_over
    assert any(row["depth"] == "pages 11 to 100" for row in gone_on.detail("search")["pages_by_depth"])


@pytest.mark.parametrize("seed", SEEDS)
def test_documents_that_come_and_go_shift_pages_by_number_and_not_those_after_a_key(seed: int) -> None:
    shifted = run(walks("offset", seed, 200, walk_gap_s=0.3))
    assert metric(shifted, "readers", "duplicates") + metric(shifted, "readers", "skips") > 20
    held = run(walks("cursor", seed, 200, walk_gap_s=0.3))
    assert metric(held, "readers", "duplicates") == metric(held, "readers", "skips") == 0


@pytest.mark.parametrize("seed", SEEDS)
def test_a_page_has_the_documents_that_searches_see(seed: int) -> None:
    execution = run(walks("cursor", seed, 300), 8.0)
    items = execution.model.blocks["search"].items
    order = items.visible()
    changed = {int(items.key[entry]): int(items.shown[entry]) for entry in range(items.index.size)}
    expected = [row for row in range(max([ROWS, *changed]), 0, -1) if changed.get(row, 1 if row <= ROWS else 0) > 0]
    assert len(changed) > 500 and [order.at(rank) for rank in range(order.size())] == expected


def test_a_page_while_the_index_is_being_rebuilt_has_what_was_read_so_far() -> None:
    slow = with_params(walks("cursor"), named("search"), index_mean_us=500, indexers=1, scan_rows=500)
    execution = reach(Execution(slow, recorded=False), 3.0)
    execution.act(fault("search", "rebuild"), "test")
    execution.act(set_param("readers", "rate_per_s", 100), "test")
    reach(execution, execution.now_ns / SECOND + 1.5)
    search = execution.model.blocks["search"]
    assert search.rebuilding and 0 < search.scanned < ROWS
    assert search.items.visible().size() == search.scanned
    reach(execution, execution.now_ns / SECOND + 12)
    assert not search.rebuilding and search.items.visible().size() == ROWS


def test_a_rebuild_whose_last_batch_is_not_full_shows_no_document_that_there_is_none_of() -> None:
    slow = with_params(walks("cursor"), named("search"), index_mean_us=500, indexers=1, scan_rows=3_000)
    execution = reach(Execution(slow, recorded=False), 2.0)
    execution.act(fault("search", "rebuild"), "test")
    search = execution.model.blocks["search"]
    while search.scanned < ROWS:
        reach(execution, execution.now_ns / SECOND + 0.05)
    assert search.rebuilding and search.scanned == 12_000
    order = search.items.visible()
    assert order.size() == ROWS and order.at(0) == ROWS
