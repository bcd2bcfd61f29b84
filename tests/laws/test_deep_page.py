"""Readers who walk through a list in a whole design, and the scenario that is made of it."""

from __future__ import annotations

import pytest

from playground.execution import Execution
from playground.protocol.catalogue import Scalar
from tests.laws.pages import Library
from tests.laws.test_scenarios import both, side
from tests.sketch import SECOND, block, edge, metric, scenario, set_param, unaccounted
from tests.sketch import run as run_scenario


def readers(pagination: str, seed: int = 1, until_s: float = 20.0, **walks: Scalar) -> Execution:
    """Readers of a list, and sellers who insert and delete, through a server at a database."""
    usual: dict[str, Scalar] = {
        "rate_per_s": 4,
        "read_weight": 0,
        "write_weight": 0,
        "list_weight": 1,
        "lists": "walk",
        "walk_gap_s": 0.3,
    }
    sellers: dict[str, Scalar] = {
        "rate_per_s": 40,
        "read_weight": 0,
        "write_weight": 0,
        "create_weight": 1,
        "delete_weight": 1,
        "unknown_choice": "next",
        "keys": 5_000,
        "key_choice": "uniform",
    }
    blocks = [
        block("readers", "client", **{**usual, **walks}),
        block("sellers", "client", **sellers),
        block("app", "app_server", workers=1_000, before_mean_ms=0, pagination=pagination),
        block("db", "sql_database", rows=5_000, buffer_rows=10_000, query_mean_ms=0.1, list_cost=1),
    ]
    edges = [edge("readers", "app"), edge("sellers", "app"), edge("app", "db", "store")]
    return run_scenario(scenario(blocks, edges, seed=seed, until_s=until_s))


@pytest.mark.parametrize("loop", ["open", "closed"])
def test_readers_of_a_client_are_shown_rows_twice_and_never_by_offset_alone(loop: str) -> None:
    walks: dict[str, Scalar] = {"walk_from": 100, "walk_pages": 10, "loop": loop, "concurrent_users": 10}
    by_offset, by_key = readers("offset", **walks), readers("keyset", **walks)
    assert metric(by_offset, "readers", "duplicates") > 100 and metric(by_offset, "readers", "skips") > 20
    assert metric(by_key, "readers", "duplicates") == 0 == metric(by_key, "readers", "skips")
    titles = [it.title for it in by_offset.take_notables()]
    assert any("shown twice to one reader" in it for it in titles)
    assert any("never shown to one reader" in it for it in titles)
    assert by_key.take_notables() == []
    for execution in (by_offset, by_key):
        assert metric(execution, "readers", "pages_shown") == metric(execution, "readers", "completed") > 200
        assert metric(execution, "readers", "failed") == 0 == len(unaccounted(execution))
    assert metric(by_offset, "db", "rows_per_list") > 2_000 > 40 > metric(by_key, "db", "rows_per_list") > 20


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_altered_cursor_is_refused_and_other_links_lead_astray(seed: int) -> None:
    signed = readers("cursor", seed, altered_links_percent=30)
    altered_links = metric(signed, "readers", "altered_links")
    assert altered_links > 50 and metric(signed, "readers", "altered_answered") == 0
    assert altered_links - metric(signed, "readers", "altered_refused") <= metric(signed, "readers", "in_flight")
    assert metric(signed, "app", "links_refused") == metric(signed, "readers", "altered_refused")
    assert metric(signed, "readers", "duplicates") == 0, "who is refused goes on by the link as it was given"
    plain = readers("keyset", seed, altered_links_percent=30)
    assert metric(plain, "readers", "altered_answered") > 50
    assert any("altered is answered" in it.title for it in plain.take_notables())


def test_a_walk_ends_where_the_list_does() -> None:
    library = Library("keyset", rows=50)
    library.set_readers()
    walk = library.walk()
    assert [len(library.turn(walk)) for _ in range(3)] == [20, 20, 10] and library.actor.over == [walk]


@pytest.mark.parametrize("pagination", ["offset", "cursor"])
def test_the_same_seed_gives_the_same_pages(pagination: str) -> None:
    first, again = (readers(pagination, 5, 8.0, altered_links_percent=10) for _ in range(2))
    other = readers(pagination, 6, 8.0, altered_links_percent=10)
    assert first.model.simulation.trace_hash() == again.model.simulation.trace_hash()
    assert first.detail("readers") == again.detail("readers") and first.detail("db") == again.detail("db")
    assert first.model.simulation.trace_hash() != other.model.simulation.trace_hash()


def test_lists_that_are_one_request_each_are_what_they_were() -> None:
    execution = readers("cursor", lists="first", rate_per_s=50)
    assert metric(execution, "readers", "completed") > 900
    assert metric(execution, "db", "list_pages") == 0 == metric(execution, "readers", "pages_shown")


# ---- the scenario


@pytest.mark.parametrize("seed", [1, 2])
def test_page_2500_is_slow_and_not_the_same_list_twice_until_links_hold_a_key(seed: int) -> None:
    by_number, by_key = both("deep-page", 20.0, seed)
    depths = {
        it: {row["depth"]: row for row in it.detail("db")["pages_of_lists_by_depth"]} for it in (by_number, by_key)
    }
    # Page 2,500 to 2,507: 50,000 to 50,140 rows.
    assert 50_000 <= depths[by_number]["deeper"]["rows_examined_per_page"] <= 50_140
    assert depths[by_number]["first 10 pages"]["rows_examined_per_page"] <= 60
    assert depths[by_key]["first 10 pages"]["rows_examined_per_page"] == pytest.approx(36, abs=1)
    # The first reader pays for counting once, or those who come while they do.
    assert depths[by_key]["deeper"]["rows_examined_per_page"] < 36 + 3 * 50_000 / depths[by_key]["deeper"]["pages"]
    assert depths[by_number]["deeper"]["time_per_page_ms"] > 15 > 1 > depths[by_key]["deeper"]["time_per_page_ms"]
    p99 = {it: metric(it, "deep", "recent_p99_ms") for it in (by_number, by_key)}
    assert p99[by_number] > 25 > 12 > p99[by_key]
    assert metric(by_number, "deep", "duplicates") > 500 and metric(by_number, "deep", "skips") > 50
    for figure in ("duplicates", "skips"):
        assert metric(by_key, "deep", figure) == 0 == metric(by_key, "shallow", figure)


def test_the_switch_mends_a_deep_page_while_readers_are_on_their_way() -> None:
    execution = Execution(side("deep-page", False, 60), recorded=False)
    assert execution.advance(10 * SECOND)
    execution.act(set_param("app", "pagination", "cursor"), "test")
    assert execution.advance(20 * SECOND)
    before = metric(execution, "deep", "duplicates"), metric(execution, "deep", "skips")
    assert execution.advance(35 * SECOND)
    assert metric(execution, "deep", "duplicates") - before[0] < 60, (
        "of those who were between two pages when it was turned"
    )
    assert metric(execution, "deep", "failed") == 0
    assert metric(execution, "db", "rows_per_list") < 40
    execution.act(set_param("app", "pagination", "offset"), "test")
    assert execution.advance(40 * SECOND)
    assert metric(execution, "db", "rows_per_list") > 10_000 and metric(execution, "deep", "failed") == 0
