"""Pages of a list while rows come and go: what each way to find them looks at, repeats and skips; and links that nobody can make up.

Sources: PostgreSQL's manual, "LIMIT and OFFSET" (rows that an OFFSET passes over are computed all the same); M. Winand, "We need tool
support for keyset pagination"; RFC 2104 (HMAC).
"""

from __future__ import annotations

from math import log2

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.engine.outcomes import BAD_REQUEST, OK
from tests.engine.parts import MS, inject, run
from tests.laws.pages import Library

BY_KEY = ["keyset", "cursor"]


# ---- what is looked at


@pytest.mark.parametrize(("page", "examined"), [(1, 20), (2, 40), (50, 1_000), (2_500, 50_000)])
def test_an_offset_examines_all_rows_before_the_page_and_the_page(page: int, examined: int) -> None:
    library = Library("offset", rows=60_000)
    outcome, rows, here, following, looked_at = library.page(f"page={page}")
    first = 60_000 - 20 * (page - 1)
    assert (outcome, rows) == (OK, list(range(first, first - 20, -1)))
    assert (here, following) == (f"page={page}", f"page={page + 1}") and looked_at == examined


@pytest.mark.parametrize("pagination", BY_KEY)
def test_a_key_examines_the_page_and_the_way_down_the_index(pagination: str) -> None:
    library = Library(pagination, rows=60_000)
    library.page("page=2500")
    rows, following, looked_at = library.actor.pages[-1][1], library.actor.pages[-1][3], library.actor.pages[-1][4]
    assert looked_at == 50_000, "nothing is known of a page number but that it has to be counted"
    for _ in range(3):
        _, after, here, following, looked_at = library.page(following)
        assert after == list(range(rows[-1] - 1, rows[-1] - 21, -1))
        assert looked_at == pytest.approx(20 + log2(60_000), abs=1)
        assert library.page(here)[1] == after, "the link to a page leads to that page"
        rows = after


def test_what_a_page_costs_grows_with_its_depth_by_offset_alone() -> None:
    took = {}
    for pagination in ("offset", "keyset"):
        library = Library(pagination, rows=60_000, row_scan_us=0.3)
        after = "after={}" if pagination == "keyset" else "page={}"
        for page in (1, 100, 2_500):
            library.page(after.format(60_001 - 20 * (page - 1) if pagination == "keyset" else page))
        took[pagination] = library.db.detail()["pages_of_lists_by_depth"]
    # 50,000 rows at 0.3 µs each are 15 ms of a core.
    assert [row["time_per_page_ms"] for row in took["offset"]] == pytest.approx([0.006, 0.6, 15], abs=0.001)
    assert [row["time_per_page_ms"] for row in took["keyset"]] == pytest.approx([0.011] * 3, abs=0.001)


def test_rows_that_are_counted_past_are_read_from_the_table_page_by_page() -> None:
    library = Library("offset", rows=1_000, buffer_rows=100, row_bytes=2_000)
    # 8 KiB hold three such rows: 1,000 rows are 334 pages. In memory are the 100 most popular rows, the oldest of this list.
    library.page("page=50")
    assert (library.db.listing.table_pages, library.db.listing.unread) == (334, 300)
    library.page("page=1")
    assert (library.db.listing.table_pages, library.db.listing.unread) == (341, 307)
    library.page("page=1")
    assert library.db.listing.unread == 307, "the rows of a page stay in memory"


# ---- duplicates and skips


@pytest.mark.parametrize("inserts", [1, 3, 19])
def test_an_offset_shows_one_row_again_for_each_row_inserted_before_the_place(inserts: int) -> None:
    library = Library("offset")
    library.set_readers()
    walk = library.walk()
    first = library.turn(walk)
    for number in range(inserts):
        library.do("create", 1_001 + number)
    second = library.turn(walk)
    assert second[:inserts] == first[-inserts:], "the last rows of the page before"
    assert (library.readers.duplicates, library.readers.skips) == (inserts, 0)
    told = library.readers.told.rows()[0]
    assert f"{inserts} row{'s were' if inserts > 1 else ' was'} inserted before it" in told["says"]


@pytest.mark.parametrize("deletes", [1, 3, 19])
def test_an_offset_passes_by_one_row_for_each_row_deleted_before_the_place(deletes: int) -> None:
    library = Library("offset")
    library.set_readers(walk_pages=2)
    walk = library.walk()
    first = library.turn(walk)
    for row in first[:deletes]:
        library.do("delete", row)
    second = library.turn(walk)
    assert second[0] == first[-1] - 1 - deletes
    assert (library.readers.duplicates, library.readers.skips) == (0, deletes) and library.actor.over == [walk]
    told = library.readers.told.rows()[0]
    assert "never shown" in told["line"] and f"{deletes} row" in told["says"] and "deleted before it" in told["says"]


def test_rows_that_came_or_went_during_a_walk_are_no_skips() -> None:
    library = Library("offset")
    library.set_readers(walk_pages=3)
    walk = library.walk()
    library.turn(walk)
    library.do("create", 1_001)
    library.do("delete", 1_000)
    library.do("delete", 999)
    library.do("delete", 980)  # passed by, as 979 is, and then gone
    library.turn(walk)
    assert library.readers.skips == 0, "it is told at the end of the walk"
    library.do("delete", 979)
    library.turn(walk)
    assert library.actor.over == [walk] and library.readers.duplicates == 0
    # 979 was passed by as well, and then deleted; when it went, 958 moved up, past where page 3 begins, and stands there still.
    assert [row["line"] for row in library.readers.told.rows()] == ["Row 958 never shown to user 0"]
    assert library.readers.skips == 1


CHANGES = st.lists(
    st.lists(
        st.tuples(st.sampled_from(["create", "delete", "delete the last row shown"]), st.integers(0, 120)), max_size=6
    ),
    min_size=1,
    max_size=4,
)


def walk_through(
    pagination: str, changes: list[list[tuple[str, int]]], shards: int = 0
) -> tuple[Library, int, set[int]]:
    """A walk with changes between its pages: what was shown twice, and never, found from outside."""
    library = Library(pagination, rows=160, shards=shards)
    library.set_readers(walk_pages=len(changes) + 1)
    there = set(range(1, 161))
    walk = library.walk()
    shown = list(library.turn(walk))
    throughout = set(there)
    for some in changes:
        for what, value in some:
            ordered = sorted(there)
            key = max(there) + 1 if what == "create" else shown[-1] if "last" in what else ordered[value % len(ordered)]
            library.do("create" if what == "create" else "delete", key)
            if what == "create":
                there.add(key)
            else:
                there.discard(key)
                throughout.discard(key)
        shown += library.turn(walk)
    assert library.actor.over == [walk]
    return library, len(shown) - len(set(shown)), {row for row in throughout if row > min(shown)} - set(shown)


@settings(max_examples=60, deadline=None)
@given(changes=CHANGES)
def test_what_is_counted_for_an_offset_is_what_a_look_from_outside_finds(changes: list[list[tuple[str, int]]]) -> None:
    library, twice, never = walk_through("offset", changes)
    assert (library.readers.duplicates, library.readers.skips) == (twice, len(never))


@pytest.mark.parametrize("pagination", BY_KEY)
@settings(max_examples=60, deadline=None)
@given(changes=CHANGES)
def test_by_key_nothing_that_was_there_throughout_is_shown_twice_or_never(
    pagination: str, changes: list[list[tuple[str, int]]]
) -> None:
    library, twice, never = walk_through(pagination, changes)
    assert (twice, never) == (0, set()) and (library.readers.duplicates, library.readers.skips) == (0, 0)


@pytest.mark.parametrize("pagination", BY_KEY)
def test_the_row_that_a_link_points_to_may_be_deleted(pagination: str) -> None:
    library = Library(pagination)
    _, rows, _, following, _ = library.page("page=1")
    library.do("delete", rows[-1])
    library.do("delete", rows[-1] - 1)
    assert library.page(following)[1] == list(range(rows[-1] - 2, rows[-1] - 22, -1))


def test_a_replica_lists_the_rows_that_it_has() -> None:
    library = Library("keyset", instances=2, reads="any_replica", ship_mean_ms=1_000, ship_distribution="constant")
    library.do("create", 1_001)
    library.do("delete", 999)
    assert library.page("page=1")[1][:3] == [1_000, 999, 998]
    run(library.simulation, library.simulation.now + 2_000 * MS)
    assert library.page("page=1")[1][:3] == [1_001, 1_000, 998]


@pytest.mark.parametrize("pagination", ["offset", *BY_KEY])
def test_a_page_at_a_replica_is_stale_where_a_committed_write_shows_on_it_and_only_there(pagination: str) -> None:
    library = Library(pagination, instances=2, reads="any_replica", ship_mean_ms=2_000, ship_distribution="constant")
    stale = library.db.stale
    _, _, _, second, _ = library.page("page=1")
    _, _, _, third, _ = library.page(second)
    assert stale.total == 0
    library.do("write", 950)
    library.page("page=1")
    library.page(second)
    assert stale.total == 0, "row 950 is on the third page"
    library.page(third)
    assert stale.total == stale.own == 1 and "missed version 2 (position 1, the reader's own write)" in stale.sentence(
        0
    )
    library.do("create", 1_001)
    library.page("page=1")
    assert stale.total == stale.own == 2 and "no row of key 1001 and missed version" in stale.sentence(1)
    # By count the new row would push another one onto the page; after a key it doesn't.
    library.page(second)
    assert stale.total == (3 if pagination == "offset" else 2)
    run(library.simulation, library.simulation.now + 3_000 * MS)
    for link in ("page=1", second, third):
        library.page(link)
    assert stale.total == (3 if pagination == "offset" else 2)


@pytest.mark.parametrize("gap_ms", [0, 600])
def test_a_list_that_waits_for_its_users_position_has_their_own_row(gap_ms: int) -> None:
    library = Library("keyset", instances=2, reads="wait_for_position", ship_mean_ms=500, ship_distribution="constant")
    library.do("create", 1_001)
    run(library.simulation, library.simulation.now + gap_ms * MS)
    asked = library.simulation.now
    library.actor.link = "page=1"
    library.actor.plan.append(("follow", 0))
    library.actor.timer(0, 0, len(library.actor.plan) - 1)
    run(library.simulation, asked + 1_000 * MS)
    assert library.actor.pages[-1][1][:2] == [1_001, 1_000]
    assert library.db.position_waits == (1 if gap_ms == 0 else 0) and library.db.stale.total == 0


def test_a_list_after_a_failover_has_the_rows_of_the_new_leader() -> None:
    library = Library("keyset", instances=2, ship_mean_ms=1_000, ship_distribution="constant", promote_s=1.0)
    library.do("create", 1_001)
    assert library.page("page=1")[1][0] == 1_001
    inject(library.db, "crash", instance=0)
    run(library.simulation, library.simulation.now + 60_000 * MS)
    assert library.page("page=1")[1][0] == 1_000, "the creation had not reached the one that leads now"
    library.do("create", 1_002)
    assert library.page("page=1")[1][:2] == [1_002, 1_000]


# ---- on shards


@pytest.mark.parametrize("shards", [1, 4])
@pytest.mark.parametrize("pagination", ["offset", *BY_KEY])
def test_shards_together_list_what_one_database_lists(pagination: str, shards: int) -> None:
    library = Library(pagination, shards=shards, rows=200)
    alone = Library(pagination, rows=200)
    for table in (library, alone):
        for key in (201, 202):
            table.do("create", key)
        for key in (200, 190, 50):
            table.do("delete", key)
    links = ["", ""]
    seen: list[int] = []
    for _ in range(30):
        (outcome, rows, _, links[0], _), (_, same, _, links[1], _) = library.page(links[0]), alone.page(links[1])
        assert outcome == OK and rows == same
        seen += rows
        if not links[0]:
            break
    assert seen == sorted({*range(1, 203)} - {200, 190, 50}, reverse=True)


def test_a_deep_page_by_number_is_refused_by_a_router_and_one_after_a_key_is_not() -> None:
    library = Library("offset", shards=2, rows=60_000)
    assert library.page("page=500")[:2] == (OK, list(range(50_020, 50_000, -1)))
    assert [db.listing.examined for db in library.dbs] == [10_000, 10_000], "each gives all of its first rows"
    assert library.page("page=501")[0] == BAD_REQUEST and library.router.too_deep == 1
    assert "refuses a deep page by number" in library.simulation.notables[-1][4]
    assert library.page("after=10001")[1] == list(range(10_000, 9_980, -1))


@settings(max_examples=25, deadline=None)
@given(changes=CHANGES)
def test_on_shards_too_nothing_is_shown_twice_or_never_by_key(changes: list[list[tuple[str, int]]]) -> None:
    library, twice, never = walk_through("keyset", changes, shards=3)
    assert (twice, never) == (0, set()) and (library.readers.duplicates, library.readers.skips) == (0, 0)


@settings(max_examples=25, deadline=None)
@given(changes=CHANGES)
def test_on_shards_too_what_is_counted_for_an_offset_is_what_a_look_finds(changes: list[list[tuple[str, int]]]) -> None:
    library, twice, never = walk_through("offset", changes, shards=3)
    assert (library.readers.duplicates, library.readers.skips) == (twice, len(never))
