"""What PostgreSQL's planner takes a scan, and a look-up of an IN list, of a small table that was never analysed to cost.

The formulas are those of costsize.c (cost_seqscan, cost_index, index_pages_fetched), selfuncs.c (btcostestimate, genericcostestimate) and
pathnode.c (compare_path_costs_fuzzily), with the server's default settings.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, log2
from typing import Final, NamedTuple

PAGES: Final = 10
"""A table that was never analysed is taken to have ten pages (table_block_relation_estimate_size)."""
USABLE: Final = 8168
OVERHEAD: Final = 28
INT_BYTES: Final = 4
SEQUENTIAL_PAGE: Final = 1.0
RANDOM_PAGE: Final = 4.0
TUPLE: Final = 0.01
INDEX_TUPLE: Final = 0.005
OPERATOR: Final = 0.0025
PAGE_VISIT: Final = 50 * OPERATOR
HASHED_FROM: Final = 9
FUZZ: Final = 1.01
ONE_SIDE: Final = 1 / 3
TWO_SIDES: Final = 0.005


class Bounds(NamedTuple):
    """Comparisons of the key that the index serves beside the list: how many, and which share of the rows is taken to meet them."""

    number: int
    share: float


def bounds_of(signs: Sequence[str]) -> Bounds:
    """Those with these signs: a third for bounds on one side, 0.5 % between two (DEFAULT_INEQ_SEL, DEFAULT_RANGE_INEQ_SEL)."""
    sides = {sign[0] for sign in signs}
    return Bounds(len(signs), (1.0, ONE_SIDE, TWO_SIDES)[len(sides)])


def tuples(columns: int) -> int:
    """How many rows the planner takes such a table to have, whatever it has: full pages."""
    return PAGES * (USABLE // (columns * INT_BYTES + OVERHEAD))


def pages_fetched(rows: int, pages: int) -> float:
    """How many of a table's pages that many rows are on (Mackert and Lohman)."""
    return min(ceil(2.0 * pages * rows / (2.0 * pages + rows)), pages)


def is_list_looked_up(constants: int, columns: int, condition: int, rest: int, bounds: Bounds, has_leaf: bool) -> bool:
    """Whether an IN list of the primary key is looked up in its index, rather than the table scanned.

    ``condition`` is what the whole WHERE clause costs a row, ``rest`` what it does without that of the index; both in halves of an
    operator. ``has_leaf``: an index in which nothing was ever entered has one page, else two.
    """
    rows = tuples(columns)
    build = constants * OPERATOR if constants >= HASHED_FROM else 0.0
    scan = build + PAGES * SEQUENTIAL_PAGE + rows * (TUPLE + condition / 2 * OPERATOR)
    descent = ceil(log2(rows)) * OPERATOR + PAGE_VISIT
    look_up = pages_fetched(constants, 2 if has_leaf else 1) * RANDOM_PAGE
    look_up += constants * (INDEX_TUPLE + (1 + bounds.number) * OPERATOR + descent)
    found = max(1, round(constants * bounds.share))
    look_up += pages_fetched(found, PAGES) * RANDOM_PAGE + found * (TUPLE + rest / 2 * OPERATOR)
    # Of two that cost about the same, the one that begins sooner is kept: the scan.
    return look_up * FUZZ < scan or (look_up <= scan * FUZZ and descent * FUZZ < build)
