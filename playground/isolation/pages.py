"""How many row versions PostgreSQL puts on a page, and how many the lab follows it to.

Sizes are those of htup_details.h and bufpage.h: 8 KB pages with a header of 24 bytes, a pointer of 4 bytes to each version, which has
a header of 24 bytes and 4 for each column, in steps of 8.
"""

from __future__ import annotations

from typing import Final

PAGE_BYTES: Final = 8192
PAGE_HEADER_BYTES: Final = 24
POINTER_BYTES: Final = 4
ROW_HEADER_BYTES: Final = 24
COLUMN_BYTES: Final = 4
ALIGNMENT_BYTES: Final = 8
ALL_IN_ONE_LEAF: Final = 2**32
"""More keys than there are: the index of a table of one page has one leaf page, which takes 407 entries, whatever their keys are."""


def bytes_per_row(columns: int) -> int:
    """What a version takes on its page, pointer included."""
    row = ROW_HEADER_BYTES + COLUMN_BYTES * columns
    return POINTER_BYTES + -(-row // ALIGNMENT_BYTES) * ALIGNMENT_BYTES


def rows_per_page(columns: int) -> int:
    """How many versions fit on a page."""
    return (PAGE_BYTES - PAGE_HEADER_BYTES) // bytes_per_row(columns)


def versions_max(columns: int) -> int:
    """How many versions a table can have before PostgreSQL may do what the lab doesn't.

    Once less than a tenth of a page is free (heap_page_prune_opt), whoever comes by takes dead versions out of it and their places are used
    again; on a full page an update finds no place beside the old version, goes to another page, and enters its key into the index anew.
    """
    free = PAGE_BYTES - PAGE_HEADER_BYTES - POINTER_BYTES - PAGE_BYTES // 10
    return free // bytes_per_row(columns)
