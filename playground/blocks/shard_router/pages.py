"""One page of a list out of a page from each shard.

After a key each shard gives its next rows, and the first of all of these are the page: as many rows from each shard as the page has,
whatever its depth. By number there is no such short cut: any of the rows before the page can be on any shard, so each has to give all of
its first offset + limit rows. Elasticsearch refuses that past 10,000 rows (``index.max_result_window``), and so does this router.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from librt.vecs import append, vec
from mypy_extensions import i64

from playground.engine.bodies import Body
from playground.engine.calls import TOLD, Calls
from playground.engine.outcomes import BY_COUNT, BY_KEY, PAGE_KIND, PAGE_KIND_BITS, PAGE_ORDER
from playground.engine.row_order import sort_key

if TYPE_CHECKING:
    from playground.blocks.shard_router.routing import Routing

WINDOW_ROWS: Final = 10_000


def is_page(calls: Calls, call: i64) -> bool:
    """Whether a list asks for a page, and says how it is found."""
    return calls.flags[call] & TOLD != 0


def counted_past(calls: Calls, call: i64) -> i64:
    """How many rows a page by number has before it; 0 for one after a key."""
    return calls.extra[call] if calls.token[call] & PAGE_KIND == BY_COUNT else 0


def rows_wanted(calls: Calls, call: i64) -> i64:
    """How many rows each shard has to give."""
    return counted_past(calls, call) + (calls.token[call] >> PAGE_KIND_BITS)


def ask(calls: Calls, call: i64, made: i64) -> None:
    """Let ``made``, a shard's part of the list ``call``, say what is wanted of it."""
    if counted_past(calls, call) > 0:
        order = calls.token[call] & PAGE_ORDER
        calls.tell(made, rows_wanted(calls, call) << PAGE_KIND_BITS | order | BY_COUNT, 0)


def ask_after(calls: Calls, call: i64, made: i64, after: i64, wanted: i64) -> None:
    """Let ``made`` ask a shard for the rows after a sort key."""
    calls.tell(made, wanted << PAGE_KIND_BITS | (calls.token[call] & PAGE_ORDER) | BY_KEY, after)


def break_off(page: Body) -> i64:
    """Leave out the rows of which nobody knows what stands between them; how many are left."""
    rows = vec[i64]()
    index: i64 = 0
    while index < len(page.rows) and (not page.more or sort_key(page.rows[index], page.prices) >= page.upto):
        rows = append(rows, page.rows[index])
        index += 1
    page.rows = rows
    return len(rows)


def take_in(router: Routing, page: Body, part: Body, shard: i64, turn: i64) -> None:
    """Add a shard's part: of its rows those that it served when it was asked, at a ``turn`` of the map. A bucket that has been cut over
    since comes from its old shard, which keeps its rows as they were then, and from no other.
    ``page.upto`` is, meanwhile, where the first of the shards that have more rows breaks off: below it nobody knows what comes."""
    rows = vec[i64]()
    prices = part.prices
    page.prices = prices
    mine = page.rows
    theirs = part.rows
    index: i64 = 0
    other: i64 = 0
    while index < len(mine) or other < len(theirs):
        if other >= len(theirs) or (
            index < len(mine) and sort_key(mine[index], prices) > sort_key(theirs[other], prices)
        ):
            rows = append(rows, mine[index])
            index += 1
        else:
            if router.map.owner_at(theirs[other], turn) == shard:
                rows = append(rows, theirs[other])
            other += 1
    page.rows = rows
    page.examined += part.examined
    if part.more:
        page.more = True
        if part.upto > page.upto:
            page.upto = part.upto


def close(page: Body, before: i64, limit: i64) -> None:
    """All parts are in: leave out what is below the first break, and the rows before the page."""
    rows = vec[i64]()
    known: i64 = 0
    index: i64 = 0
    while index < len(page.rows):
        row = page.rows[index]
        if page.more and sort_key(row, page.prices) < page.upto:
            break
        known += 1
        if known > before and len(rows) < limit:
            rows = append(rows, row)
        index += 1
    if known > before + limit or index < len(page.rows):
        page.more = True
    if len(rows) == limit or not page.more:
        page.upto = sort_key(rows[len(rows) - 1], page.prices) if len(rows) > 0 else 0
    page.rank = before
    page.rows = rows
