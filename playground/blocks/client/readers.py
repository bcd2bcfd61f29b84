"""Readers who walk through a list, page after page, by the links that the answers carry; and what each was shown twice, or never.

Links are opaque to them, as HTTP's rel="next" is (RFC 8288): whether one has a page number, a key or a signed cursor in it is the
server's choice. A row that is shown a second time in one walk is a duplicate. A row that existed from the walk's first page to its end,
stands between the first and the last row shown, and was not shown, is a skip. Both are found by comparing rows, those shown with those
that the database has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from librt.vecs import append, vec
from mypy_extensions import i64

from playground.blocks.client.telling import Told
from playground.engine.bodies import Body
from playground.engine.calls import ANSWERED
from playground.engine.durations import whole_ns
from playground.engine.outcomes import BAD_REQUEST, OK
from playground.engine.params import Params
from playground.engine.row_order import sort_key
from playground.engine.state import State
from playground.engine.stores import KeyIndex

if TYPE_CHECKING:
    from playground.engine.block import Block

WALKS_MAX: Final = 50_000
"""Walks at once; whoever would begin one more looks at the first page alone."""

TRIES_MAX: Final = 3
QUIET_NS: Final = 10_000_000_000
LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@final
class Walk(State):
    """One reader's walk. ``began``: when its first page was read in the database; ``at``: the same of each page; ``last``: the lowest sort
    key shown, in an order that ``prices`` says (as in a body); ``shown``: the page on which each row was first shown; ``missed``: by turns
    a row that was passed by, and the page past it."""

    def __init__(self) -> None:
        self.user: i64 = 0
        self.closed: bool = False
        self.open: bool = False
        self.link: str = ""
        self.altered: bool = False
        self.failed: i64 = 0
        self.pages: i64 = 0
        self.began: i64 = 0
        self.last: i64 = 0
        self.prices: i64 = 0
        self.at: vec[i64] = vec[i64]()
        self.shown = KeyIndex()
        self.missed: vec[i64] = vec[i64]()


def altered(link: str, place: int, letter: int) -> str:
    """The link with another letter at a place (a digit for a digit, where it is a plain number)."""
    kind, _, value = link.partition("=")
    letters = LETTERS if kind == "cursor" else "0123456789"
    place %= len(value)
    letter %= len(letters)
    if letters[letter] == value[place]:
        letter = (letter + 1) % len(letters)
    return f"{kind}={value[:place]}{letters[letter]}{value[place + 1 :]}"


@final
class Readers(State):
    """All walks of one client."""

    def __init__(self, owner: Block) -> None:
        self.owner = owner
        self.gap_stream = owner.stream("time on a page")
        self.alter_stream = owner.stream("altered links")
        self.enabled: bool = False
        self.first_page: i64 = 1
        self.pages_wanted: i64 = 1
        self.gap_ns: float = 0.0
        self.altering: float = 0.0
        # Where walks begin: the link of an earlier visit, at first a page number that somebody has typed.
        self.bookmark: str = ""
        self.walks: list[Walk] = []
        self.free: list[int] = []
        self.told = Told()
        self.begun: i64 = 0
        self.ended: i64 = 0
        self.pages: i64 = 0
        self.duplicates: i64 = 0
        self.skips: i64 = 0
        self.altered: i64 = 0
        self.altered_refused: i64 = 0
        self.altered_answered: i64 = 0
        self.twice_noted_at: i64 = -QUIET_NS
        self.never_noted_at: i64 = -QUIET_NS
        self.answered_noted_at: i64 = -QUIET_NS

    def configure(self, params: Params) -> None:
        """How far they read, from where, and how fast."""
        self.enabled = params.text("lists") == "walk"
        self.pages_wanted = params.integer("walk_pages")
        self.gap_ns = params.number("walk_gap_s") * 1e9
        self.altering = params.number("altered_links_percent") / 100.0
        first = params.integer("walk_from")
        if first != self.first_page:
            self.first_page = first
            self.forget_bookmark()

    def forget_bookmark(self) -> None:
        """Walks begin by page number again."""
        self.bookmark = f"page={self.first_page}" if self.first_page > 1 else ""

    # ---- a walk

    def begin(self, user: i64, closed: bool) -> i64:
        """A reader sets out; the number of the walk, -1 where there are too many."""
        if len(self.free) == 0:
            if len(self.walks) >= WALKS_MAX:
                return -1
            self.walks.append(Walk())
            self.free.append(len(self.walks) - 1)
        number: i64 = self.free.pop()
        walk = self.walks[number]
        walk.user = user
        walk.closed = closed
        walk.open = True
        walk.link = self.bookmark
        walk.altered = False
        walk.failed = 0
        walk.pages = 0
        walk.began = 0
        walk.last = 0
        walk.at = vec[i64]()
        walk.shown.clear()
        walk.missed = vec[i64]()
        self.begun += 1
        return number

    def ask(self, number: i64) -> i64:
        """The body with the link that a reader follows now, sometimes altered; 0 for the list's first page."""
        walk = self.walks[number]
        link = walk.link
        walk.altered = False
        if link == "":
            return 0
        if self.altering > 0.0 and self.alter_stream.uniform() < self.altering:
            walk.altered = True
            self.altered += 1
            link = altered(link, int(self.alter_stream.below(1_000)), int(self.alter_stream.below(64)))
        body = self.owner.simulation.bodies.take(self.owner.simulation.now)
        body.next = link
        return body.number

    def on_page(self, call: i64) -> i64:
        """A page, or a failure, has come: how long the reader looks at it before the next one, ns; -1 where the walk is over."""
        owner = self.owner
        calls = owner.calls
        bodies = owner.simulation.bodies
        number = calls.data[call]
        walk = self.walks[number]
        outcome = calls.outcome[call]
        asked = bodies.find(calls.token[call])
        if asked is not None and calls.attempt[call] == 1 and outcome == OK:
            # Nobody else can still be looking at it.
            bodies.give_back(asked)
        body = bodies.find(calls.advice[call]) if outcome == OK and calls.flags[call] & ANSWERED != 0 else None
        if walk.altered:
            self.count_altered(outcome, walk)
            if body is not None:
                bodies.give_back(body)
            return self.pause()
        if outcome != OK:
            walk.failed += 1
            if outcome == BAD_REQUEST:
                # The server makes its links in another way since.
                self.forget_bookmark()
            if outcome == BAD_REQUEST or walk.failed >= TRIES_MAX:
                self.end(number)
                return -1
            return self.pause()
        self.pages += 1
        if body is None:
            self.end(number)
            return -1
        walk.failed = 0
        self.look_at(walk, body)
        if walk.pages == 1 and self.first_page > 1:
            self.bookmark = body.here
        walk.link = body.next
        bodies.give_back(body)
        if walk.link == "" or walk.pages >= self.pages_wanted:
            self.end(number)
            return -1
        return self.pause()

    def pause(self) -> i64:
        """How long a reader looks at a page."""
        return whole_ns(self.gap_stream.exponential(self.gap_ns)) if self.gap_ns > 0.0 else 0

    def count_altered(self, outcome: i64, walk: Walk) -> None:
        """An altered link was refused, or followed."""
        if outcome == BAD_REQUEST:
            self.altered_refused += 1
        elif outcome == OK:
            self.altered_answered += 1
            owner = self.owner
            if owner.simulation.now - self.answered_noted_at >= QUIET_NS:
                self.answered_noted_at = owner.simulation.now
                text = (
                    f"It was made from {walk.link[:60]}. A link that is not signed leads wherever somebody wants it to."
                )
                owner.note("altered_answered", "warning", f"A link that {owner.label} altered is answered", text)

    def look_at(self, walk: Walk, body: Body) -> None:
        """Compare a page with what this reader has been shown, and with what stands between."""
        page = walk.pages
        rows = body.rows
        if page == 0:
            walk.began = body.at
            walk.prices = body.prices
        walk.pages += 1
        walk.at = append(walk.at, body.at)
        index: i64 = 0
        while index < len(rows):
            row = rows[index]
            before = walk.shown.find(row)
            if before >= 0:
                self.shown_twice(walk, row, before, page)
            else:
                walk.shown.put(row, page)
            index += 1
        lowest = body.upto
        if page == 0:
            walk.last = lowest
            return
        begins = sort_key(rows[0], body.prices) if len(rows) > 0 else lowest if body.more else 0
        if begins < walk.last:
            self.pass_by(walk, begins)
        if lowest < walk.last:
            walk.last = lowest

    def pass_by(self, walk: Walk, begins: i64) -> None:
        """Remember the rows between the last one shown and where a page begins, as far as they have stood there all the time."""
        source = self.owner.source()
        if source is None:
            return
        between = source.stood_between(walk.last, begins, walk.began, walk.prices)
        index: i64 = 0
        while index < len(between):
            if walk.shown.find(between[index]) < 0:
                walk.missed = append(append(walk.missed, between[index]), walk.pages - 1)
            index += 1

    def end(self, number: i64) -> bool:
        """The walk is over: what it passed by, and was there all the time, was skipped. Whether it was one of the closed loop's."""
        walk = self.walks[number]
        source = self.owner.source()
        index: i64 = 0
        while index < len(walk.missed):
            row = walk.missed[index]
            if walk.shown.find(row) < 0 and source is not None and source.has_stood(row, walk.began):
                self.never_shown(walk, row, walk.missed[index + 1])
            index += 2
        self.ended += 1
        walk.open = False
        walk.shown.clear()
        self.free.append(int(number))
        return walk.closed

    # ---- what is told

    def changes(self, walk: Walk, row: i64, first: i64, second: i64) -> tuple[i64, i64]:
        """How many rows before ``row`` were inserted, and deleted, between two pages of a walk."""
        source = self.owner.source()
        if source is None:
            return 0, 0
        return source.changed_before(sort_key(row, walk.prices), walk.at[first], walk.at[second], walk.prices)

    def shown_twice(self, walk: Walk, row: i64, first: i64, page: i64) -> None:
        """A row that this reader has seen already."""
        self.duplicates += 1
        inserted, deleted = self.changes(walk, row, first, page)
        self.told.add(row, walk.user, first + 1, page + 1, inserted, deleted)
        owner = self.owner
        if owner.simulation.now - self.twice_noted_at >= QUIET_NS:
            self.twice_noted_at = owner.simulation.now
            title = f"Row {row} shown twice to one reader"
            owner.note("row_twice", "warning", title, self.told.latest())

    def never_shown(self, walk: Walk, row: i64, page: i64) -> None:
        """A row that was there all the time, and that this reader was not shown."""
        self.skips += 1
        inserted, deleted = self.changes(walk, row, page - 1, page)
        self.told.add(row, walk.user, 0, page + 1, inserted, deleted)
        owner = self.owner
        if owner.simulation.now - self.never_noted_at >= QUIET_NS:
            self.never_noted_at = owner.simulation.now
            title = f"Row {row} never shown to one reader"
            owner.note("row_skipped", "warning", title, self.told.latest())

    def metrics(self) -> list[float]:
        """In the order of ``spec_walks.METRICS``."""
        return [
            float(self.pages),
            float(self.duplicates),
            float(self.skips),
            float(self.begun - self.ended),
            float(self.altered),
            float(self.altered_refused),
            float(self.altered_answered),
        ]

    def detail(self) -> dict[str, object]:
        """The walks, and the rows that were shown twice or never."""
        link = self.bookmark if self.bookmark else "the first page"
        found: dict[str, object] = {
            "readers": {
                "begin_at": link,
                "walks_over": int(self.ended),
                "pages": int(self.pages),
                "rows_shown_twice": int(self.duplicates),
                "rows_never_shown": int(self.skips),
            }
        }
        if self.told.number > 0:
            found["latest_rows_shown_twice_or_never"] = self.told.rows()
        return found
