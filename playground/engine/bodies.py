"""What messages carry that does not fit into columns: a page of rows, a link to the next one.

A call names a body by a number (``token`` of a request, ``advice`` of an answer), as a message names its attachment. Whoever receives a
body gives it back; those whose call was lost or given up are swept up when they are old. A number is never used twice, so a late reader
finds nothing rather than somebody else's.
"""

from __future__ import annotations

from typing import Final, final

from librt.vecs import vec
from mypy_extensions import i64

from playground.engine.state import State

PLACE_BITS: Final = 24
PLACE_MASK: Final = (1 << PLACE_BITS) - 1
KEPT_NS: Final = 60_000_000_000
"""A body that nobody has asked for so long belongs to a call that nobody waits for."""


@final
class Body(State):
    """``rows``: keys in the order of a page. ``prices``: 0 in the order of keys, else by price, of which there are so many
    (:func:`~playground.engine.row_order.sort_key`). ``upto``: the sort key up to which the page goes, the rows after which come next;
    ``more``: whether there were any. ``at``: when it was read, ns; ``rank``: how many rows stood before it then; ``examined``: rows that
    were looked at for it. ``here``, ``next``: links. ``unread``: pages of the table that were not in memory."""

    def __init__(self) -> None:
        self.number: i64 = 0
        self.at: i64 = 0
        self.rows: vec[i64] = vec[i64]()
        self.prices: i64 = 0
        self.upto: i64 = 0
        self.more: bool = False
        self.rank: i64 = 0
        self.examined: i64 = 0
        self.unread: i64 = 0
        self.here: str = ""
        self.next: str = ""


@final
class Bodies(State):
    """All bodies under way."""

    def __init__(self) -> None:
        self.all: list[Body] = []
        self.free: list[int] = []
        self.made: i64 = 0

    def take(self, now: i64) -> Body:
        """An empty one; its ``number`` is what a call carries (above 0)."""
        if len(self.free) == 0:
            self.sweep(now)
        if len(self.free) == 0:
            self.all.append(Body())
            self.free.append(len(self.all) - 1)
        place: i64 = self.free.pop()
        body = self.all[place]
        self.made += 1
        body.number = self.made << PLACE_BITS | place
        body.at = now
        body.rows = vec[i64]()
        body.prices = 0
        body.upto = 0
        body.more = False
        body.rank = 0
        body.examined = 0
        body.unread = 0
        body.here = ""
        body.next = ""
        return body

    def find(self, number: i64) -> Body | None:
        """The body of that number; None where it is under way no more."""
        place = number & PLACE_MASK
        if number <= 0 or place >= len(self.all):
            return None
        body = self.all[place]
        return body if body.number == number else None

    def give_back(self, body: Body) -> None:
        """It was read by whom it was for."""
        self.free.append(int(body.number & PLACE_MASK))
        body.number = 0

    def sweep(self, now: i64) -> None:
        """Take back what nobody has asked for."""
        # As many again before the next look, so that looking costs little.
        for body in self.all:
            if body.number != 0 and body.at < now - KEPT_NS:
                self.give_back(body)
        if len(self.free) == 0:
            missing = len(self.all)
            while missing > 0 and len(self.all) < PLACE_MASK:
                self.free.append(len(self.all))
                self.all.append(Body())
                missing -= 1
