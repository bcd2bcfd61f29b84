"""What a purchase is made of, in the words that an application and its database share.

An application that buys writes the SQL: how it reads and changes the row is its choice, and it takes time of its own between statements.
The request of a purchase carries that (``token``, ``extra``); whoever has no notion of stock does not look at it.
"""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

READ_THEN_WRITE: Final = 0
FOR_UPDATE: Final = 1
ATOMIC: Final = 2
OPTIMISTIC: Final = 3
ROW_BY_ROW: Final = 4
METHODS: Final = ["read_then_write", "for_update", "atomic", "optimistic", "row_by_row"]
METHOD_BITS: Final = 3
METHOD_MASK: Final = 7
"""SELECT, then UPDATE to what was computed from it; the same with the SELECT ... FOR UPDATE; one UPDATE ... WHERE stock >= 1; SELECT, then
UPDATE ... WHERE version = the one that was read; SELECT ... FOR UPDATE of each row by itself, the one that it will write first."""

ITEM: Final = 0
OFF_CALL: Final = 1
KINDS: Final = ["item", "off_call"]
"""One of an item that is in stock: reads and writes one row. One of two people on call goes off call, allowed while the other one is on
call: reads two rows, writes one."""


def packed(method: i64, kind: i64) -> i64:
    """How it buys and what, as a request carries it."""
    return kind << METHOD_BITS | method
