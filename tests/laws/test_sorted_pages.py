"""Lists sorted by a column that isn't unique: what a keyset without a unique tie-breaker passes by or repeats, and what each index costs.

M. Winand, "We need tool support for keyset pagination" (a deterministic order needs a unique column at its end); PostgreSQL's manual,
"Indexes and ORDER BY", and its incremental sort.
"""

from __future__ import annotations

from itertools import pairwise
from math import log2
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.engine.outcomes import BAD_REQUEST, OK
from playground.engine.row_order import PriceOrder, price_of, sort_key
from tests.laws.pages import Library

WAYS = ["offset", "keyset", "cursor"]
INDEXES = ["price_id", "price", "none"]


def by_price(way: str, tie: str = "id", shards: int = 0, rows: int = 1_000, prices: int = 70, **db: object) -> Library:
    """A list of 1,000 rows, dearest first, with 14 or 15 rows of each price."""
    server = {"list_sort": "price", "tie_breaker": tie}
    return Library(way, server=server, shards=shards, rows=rows, prices=prices, **db)  # type: ignore[arg-type]


def sorted_rows(rows: int, prices: int) -> list[int]:
    return sorted(range(1, rows + 1), key=lambda row: (-price_of(row, prices), -row))


def walked(library: Library, most: int = 200) -> list[list[int]]:
    """All pages from the first one on."""
    outcome, rows, _, following, _ = library.page("")
    pages = [rows]
    while following and len(pages) < most:
        outcome, rows, _, following, _ = library.page(following)
        assert outcome == OK
        pages.append(rows)
    return pages


@pytest.mark.parametrize("shards", [0, 4])
@pytest.mark.parametrize("way", WAYS)
def test_with_the_id_as_tie_breaker_each_row_is_shown_once_in_the_order_of_both(way: str, shards: int) -> None:
    pages = walked(by_price(way, shards=shards))
    assert [row for page in pages for row in page] == sorted_rows(1_000, 70)


@pytest.mark.parametrize("shards", [0, 4])
@pytest.mark.parametrize("way", ["keyset", "cursor"])
def test_without_a_tie_breaker_less_than_skips_the_rest_of_the_rows_with_the_price_at_the_pages_end(
    way: str, shards: int
) -> None:
    library = by_price(way, "none", shards)
    pages = walked(library)
    expected = sorted_rows(1_000, 70)
    shown = [row for page in pages for row in page]
    assert len(shown) == len(set(shown)) and shown == [row for row in expected if row in set(shown)]
    for page, following in pairwise(pages):
        # The last page may be empty: the rows that were to come after the one before it were of that price.
        assert not following or price_of(following[0], 70) == price_of(page[-1], 70) - 1, (
            "it begins with the next price"
        )
    lost = set(expected) - set(shown)
    # 20 rows a page are one price and a part of the next one, whose rest is lost.
    assert len(lost) > 200
    assert {price_of(row, 70) for row in lost} <= {price_of(page[-1], 70) for page in pages if page}


@pytest.mark.parametrize("shards", [0, 4])
def test_without_a_tie_breaker_less_or_equal_repeats_rows_and_stands_still_where_one_price_fills_a_page(
    shards: int,
) -> None:
    pages = walked(by_price("keyset", "none_inclusive", shards))
    shown = [row for page in pages for row in page]
    assert set(shown) == set(range(1, 1_001)) and len(shown) > 1_200
    for page, following in pairwise(pages):
        again = [row for row in page if price_of(row, 70) == price_of(page[-1], 70)]
        assert following[: len(again)] == again
    # 25 rows of each price, 20 on a page: the next page is the same one.
    stuck = walked(by_price("keyset", "none_inclusive", shards, prices=40), most=5)
    assert len(stuck) == 5 and all(page == stuck[0] for page in stuck)


@pytest.mark.parametrize("tie", ["none", "none_inclusive"])
def test_a_unique_column_needs_no_tie_breaker(tie: str) -> None:
    pages = walked(by_price("keyset", tie, rows=900, prices=900))
    shown = [row for page in pages for row in page]
    assert set(shown) == set(range(1, 901))
    assert len(shown) - 900 == (0 if tie == "none" else len(pages) - 1), "<= shows the last row of a page again"


@pytest.mark.parametrize(
    ("tie", "twice", "never"), [("id", False, False), ("none", False, True), ("none_inclusive", True, False)]
)
def test_readers_find_out_what_they_were_shown_twice_or_never(tie: str, twice: bool, never: bool) -> None:
    library = by_price("cursor", tie)
    walk = library.walk()
    library.readers.pages_wanted = 5
    for _ in range(5):
        library.turn(walk)
    counted = (library.readers.duplicates, library.readers.skips)
    shown = [row for page in library.actor.pages for row in page[1]]
    first = sort_key(shown[-1], 70)
    missed = [row for row in sorted_rows(1_000, 70) if sort_key(row, 70) > first and row not in set(shown)]
    assert counted == (len(shown) - len(set(shown)), len(missed))
    assert (counted[0] > 0, counted[1] > 0) == (twice, never)
    if tie != "id":
        assert "no more than a price in it" in library.readers.told.latest()


@pytest.mark.parametrize("way", ["keyset", "offset"])
@pytest.mark.parametrize("index", INDEXES)
@pytest.mark.parametrize("tie", ["id", "none"])
def test_what_a_page_by_price_examines_depends_on_the_index(tie: str, index: str, way: str) -> None:
    """60,000 rows, 600 of each of 100 prices; the page after the 30,010th row."""
    library = by_price(way, tie, rows=60_000, prices=100, price_index=index)
    boundary = sorted_rows(60_000, 100)[30_009]
    price = price_of(boundary, 100)
    if way == "offset":
        link, before = "page=1501", 30_000
    elif tie == "id":
        link, before = f"after={price},{boundary}", 30_010
    else:
        link, before = f"after={price}", 30_600
    outcome, rows, _, _, examined = library.page(link)
    assert outcome == OK and rows == sorted_rows(60_000, 100)[before : before + 20]
    descent = log2(60_000) if way == "keyset" and index != "none" else 0
    if index == "none":
        expected = 60_000
    elif index == "price" and tie == "id":
        # All rows of the price at the boundary are read, to sort them by their ids.
        expected = 600 if way == "keyset" else 30_600
    else:
        expected = 20 if way == "keyset" else before + 20
    assert examined == pytest.approx(expected + descent, abs=1)


@pytest.mark.parametrize("way", ["keyset", "cursor"])
@pytest.mark.parametrize("tie", ["id", "none"])
def test_links_of_another_order_and_made_up_cursors_are_refused(tie: str, way: str) -> None:
    library = by_price(way, tie)
    following = library.page("")[3]
    assert library.page(following)[0] == OK
    kind, _, value = following.partition("=")
    bad = ["after=x", "after=1,2,3", "after=01,2", "after=,", "after=-1,5", "after=99999999,5", "cursor=AAAA.BBBB"]
    bad += ["after=5" if tie == "id" else "after=5,5", f"{kind}={value[:-6]}xx=="]
    for link in bad:
        assert library.page(link)[0] == BAD_REQUEST, link
    newest = Library(way)
    assert newest.page(following)[0] == BAD_REQUEST or (way == "keyset" and tie == "none")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 300), st.integers(1, 40), st.integers(0, 2**31))
def test_an_order_by_price_is_the_rows_sorted_by_price_and_id(full: int, prices: int, seed: int) -> None:
    order = PriceOrder(full, prices)
    there = set(range(1, full + 1))
    chance = Random(seed)
    for _ in range(100):
        row = chance.randint(1, 400)
        if row in there:
            there.remove(row)
            order.drop(row)
        else:
            there.add(row)
            order.put(row)
    expected = sorted(there, key=lambda row: -sort_key(row, prices))
    assert order.all == len(there) and list(order.rows(0, 1_000)) == expected
    for _ in range(20):
        key = sort_key(chance.randint(1, 420), prices) + chance.randint(-1, 1)
        assert order.rank(key) == sum(sort_key(row, prices) > key for row in there)
        rank = chance.randint(0, max(len(expected) - 1, 0))
        if expected:
            equal = [at for at, row in enumerate(expected) if price_of(row, prices) == price_of(expected[rank], prices)]
            assert (order.up_to_group(rank), order.past_group(rank)) == (equal[0], equal[-1] + 1)


@pytest.mark.parametrize("way", WAYS)
def test_rows_that_come_and_go_leave_a_keyset_by_price_and_id_without_duplicates_or_skips(way: str) -> None:
    library = by_price(way)
    walk = library.walk()
    library.readers.pages_wanted = 12
    chance = Random(5)
    there = set(range(1, 1_001))
    for turn in range(12):
        library.turn(walk)
        for _ in range(6):
            row = 1_001 + 70 * turn + chance.randint(0, 69) if chance.random() < 0.5 else chance.choice(sorted(there))
            if row in there:
                there.remove(row)
                library.do("delete", row)
            else:
                there.add(row)
                library.do("create", row)
    wrong = library.readers.duplicates + library.readers.skips
    assert (wrong > 0) == (way == "offset")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("prices", [0, 10])
def test_exactly_the_pages_at_a_replica_are_stale_on_which_a_write_that_it_lacks_shows(way: str, prices: int) -> None:
    late: dict[str, object] = {"instances": 2, "reads": "any_replica", "ship_mean_ms": 600_000.0}
    if prices == 0:
        library = Library(way, rows=200, **late)  # type: ignore[arg-type]
    else:
        library = by_price(way, rows=200, prices=prices, **late)
    stale = library.db.stale
    pages = walked(library)
    place = {row: number for number, rows in enumerate(pages) for row in rows}
    assert stale.total == 0 and len(pages) == 10
    for row in (150, 37, 200, 1):
        library.do("write", row)
    before = stale.total
    walked(library)
    assert stale.total - before == len({place[row] for row in (150, 37, 200, 1)})
    library.do("delete", 101)
    before = stale.total
    walked(library)
    seen = {place[row] for row in (150, 37, 200, 1)}
    # A row that is gone moves every page after it where these are found by counting.
    seen |= set(range(place[101], 10)) if way == "offset" else {place[101]}
    assert stale.total - before == len(seen)
