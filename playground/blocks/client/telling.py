"""What is told one by one: the latest rows that a reader was shown twice, or never."""

from __future__ import annotations

from typing import Final, final

from librt.vecs import vec
from mypy_extensions import i64

from playground.engine.columns import zeros
from playground.engine.state import State
from playground.engine.words import counted

KEPT: Final = 20


def were(number: i64) -> str:
    """``1 row was``, ``2 rows were``."""
    return f"{counted(number, 'row')} {'was' if number == 1 else 'were'}"


@final
class Told(State):
    """A ring of them. ``first``: the page of the walk on which the row was shown first (0: on none); ``page``: the one on which it came
    again, or which began past it; what was inserted and deleted before it between these."""

    def __init__(self) -> None:
        self.number: i64 = 0
        self.row: vec[i64] = zeros(KEPT)
        self.user: vec[i64] = zeros(KEPT)
        self.first: vec[i64] = zeros(KEPT)
        self.page: vec[i64] = zeros(KEPT)
        self.inserted: vec[i64] = zeros(KEPT)
        self.deleted: vec[i64] = zeros(KEPT)

    def add(self, row: i64, user: i64, first: i64, page: i64, inserted: i64, deleted: i64) -> None:
        """One more."""
        place = self.number % KEPT
        self.number += 1
        self.row[place] = row
        self.user[place] = user
        self.first[place] = first
        self.page[place] = page
        self.inserted[place] = inserted
        self.deleted[place] = deleted

    def latest(self) -> str:
        """How it came to the latest one."""
        return self.sentence((self.number - 1) % KEPT)

    def sentence(self, place: i64) -> str:
        """How it came to that, in words."""
        page = self.page[place]
        first = self.first[place]
        came = f"{were(self.inserted[place])} inserted and {self.deleted[place]} deleted before it"
        if self.inserted[place] == 0 and self.deleted[place] == 0:
            how = "began with all of its rows again" if first > 0 else "passed by the rest of its rows"
            return f"Nothing came or went before it. The link to page {page} of their walk had no more than a price in it, and {how}."
        if self.inserted[place] < 0:
            came = "So many rows came or went before it that they are not counted,"
        elif self.deleted[place] == 0:
            came = f"{were(self.inserted[place])} inserted before it"
        elif self.inserted[place] == 0:
            came = f"{were(self.deleted[place])} deleted before it"
        if first > 0:
            return f"{came} between page {first} and page {page} of their walk, so it moved back, and came again."
        return (
            f"{came} between page {page - 1} and page {page} of their walk, so it moved up, past where the page begins."
        )

    def rows(self) -> list[object]:
        """The latest ones, newest first."""
        found: list[object] = []
        number = self.number - 1
        while number >= 0 and number >= self.number - KEPT:
            place = number % KEPT
            what = "shown twice" if self.first[place] > 0 else "never shown"
            found.append(
                {
                    "id": int(number),
                    "line": f"Row {self.row[place]} {what} to user {self.user[place]}",
                    "says": self.sentence(place),
                }
            )
            number -= 1
        return found
