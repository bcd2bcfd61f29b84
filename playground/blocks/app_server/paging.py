"""Links to pages of a list, as a server gives them out and understands them: a page's number, a key, or a cursor.

``page=N``: the N-th page, 1 the first, found by counting (OFFSET). ``after=K``: the rows after key K. ``cursor=P.T``: the same, P the
position in base64url and T its HMAC (RFC 2104, with SHA-256) under a secret that all instances share: callers can neither read a meaning
into it nor make one. A cursor is good when it is, letter for letter, the one that the server would give out for its position, so
that other spellings of the same bytes are refused as well.

A list sorted by price has price and id in its links, ``after=P,K``, since many rows have one price. Without the id as tie-breaker it is the
price alone, and then the next page begins after all rows with that price (``<``), or with them (``<=``).
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, Final, final

from mypy_extensions import i64

from playground.engine.bodies import Body
from playground.engine.calls import ANSWERED, TOLD
from playground.engine.outcomes import BY_COUNT, BY_KEY, BY_PRICE, WITH_ID
from playground.engine.params import Params
from playground.engine.row_order import ID_BITS, ID_MASK, sort_key
from playground.engine.state import State

if TYPE_CHECKING:
    from playground.engine.block import Block

OFFSET: Final = 0
KEYSET: Final = 1
CURSOR: Final = 2
PAGINATIONS: Final = ["offset", "keyset", "cursor"]

NEWEST: Final = 0
PRICE: Final = 1
SORTS: Final = ["newest", "price"]

ID: Final = 0
NONE: Final = 1
NONE_INCLUSIVE: Final = 2
TIE_BREAKERS: Final = ["id", "none", "none_inclusive"]

PRICE_MAX: Final = 1 << 16
ID_MAX: Final = ID_MASK
KEY_MAX: Final = 1 << 53
PAGE_MAX: Final = 1 << 32
TAG_BYTES: Final = 16
"""Of a tag's 32 bytes so many are sent: 128 bits, which is what RFC 2104 asks for at least (half of the hash)."""

GONE: Final = "(gone)"
QUIET_NS: Final = 10_000_000_000


def number_of(text: str, most: int) -> int:
    """The whole number that a text is, in its usual spelling; -1 where it is none, or above ``most``."""
    if not text.isascii() or not text.isdigit() or (len(text) > 1 and text[0] == "0") or len(text) > 20:
        return -1
    found = int(text)
    return found if found <= most else -1


@final
class Paging(State):
    """Reads links and makes them."""

    def __init__(self, owner: Block) -> None:
        self.owner = owner
        self.way: i64 = OFFSET
        self.sort: i64 = NEWEST
        self.tie: i64 = ID
        self.found: i64 = BY_COUNT
        # Everybody who has it can make cursors: a run's own, and the same again for the same seed.
        self.secret = sha256(f"{owner.simulation.seed} {owner.name} cursors".encode()).digest()
        self.signed: i64 = 0
        self.verified: i64 = 0
        self.refused: i64 = 0
        self.noted_at: i64 = -QUIET_NS

    def configure(self, params: Params) -> None:
        """Which links are made from now on; those of another order are understood no more."""
        self.way = PAGINATIONS.index(params.text("pagination"))
        self.sort = SORTS.index(params.text("list_sort"))
        self.tie = TIE_BREAKERS.index(params.text("tie_breaker"))

    def order(self) -> i64:
        """The order of the list, as a request to a store says it."""
        if self.sort == NEWEST:
            return 0
        return BY_PRICE | WITH_ID if self.tie == ID else BY_PRICE

    def written(self, key: i64) -> str:
        """A place in the list as a link has it: a key, or a price and a key, or the price."""
        if self.sort == NEWEST:
            return f"{key}"
        return f"{key >> ID_BITS},{key & ID_MASK}" if self.tie == ID else f"{key >> ID_BITS}"

    def read(self, text: str) -> int:
        """The sort key after which the page begins that a link's text means; -1 where it means none."""
        if self.sort == NEWEST:
            return number_of(text, KEY_MAX)
        price, comma, row = text.partition(",")
        value = i64(number_of(price, PRICE_MAX))
        if value < 0 or (comma == ",") != (self.tie == ID):
            return -1
        if self.tie == ID:
            key = i64(number_of(row, ID_MAX))
            return int(value << ID_BITS | key) if key >= 0 else -1
        # Past all rows with the price, or just before them.
        return int(value << ID_BITS if self.tie == NONE else (value + 1) << ID_BITS)

    def cursor(self, place: str) -> str:
        """The cursor for the rows after a place, see :meth:`written`."""
        position = f"{SORTS[self.sort]}|{place}".encode()
        tag = hmac.digest(self.secret, position, "sha256")[:TAG_BYTES]
        return f"{urlsafe_b64encode(position).decode()}.{urlsafe_b64encode(tag).decode()}"

    def position_of(self, cursor: str) -> int:
        """The sort key that a cursor stands for; -1 where this server never made it."""
        if not cursor.isascii():
            return -1
        try:
            position = urlsafe_b64decode(cursor.partition(".")[0]).decode("ascii")
        except ValueError:
            return -1
        order, _, text = position.partition("|")
        key = self.read(text) if order == SORTS[self.sort] else -1
        if key < 0 or not hmac.compare_digest(self.cursor(text), cursor):
            return -1
        return key

    def position(self, call: i64, items: i64) -> i64:
        """Where the page begins that ``call`` asks for, and in ``found`` how: past so many rows, or after that key. -1 where its link is
        refused."""
        link = self.link_of(call)
        kind, _, value = link.partition("=")
        place = -1
        self.found = BY_KEY
        if link == "":
            place = 0
            self.found = BY_COUNT if self.way == OFFSET else BY_KEY
        elif kind == "page":
            # A page number is found by counting, whatever the way: nothing else is known of that page. The first one is.
            place = number_of(value, PAGE_MAX) - 1
            self.found = BY_COUNT if self.way == OFFSET or place > 0 else BY_KEY
            place = place * int(items) if place > 0 else place
        elif kind == "after" and self.way != CURSOR:
            place = self.read(value)
        elif kind == "cursor":
            place = self.position_of(value)
            if place >= 0:
                self.verified += 1
        if place < 0:
            self.refuse(link)
        return place

    def link_of(self, call: i64) -> str:
        """The link that a request follows; empty for the first page. One whose sender has long given up is no link any more."""
        number = self.owner.calls.token[call]
        if number == 0:
            return ""
        body = self.owner.simulation.bodies.find(number)
        return body.next if body is not None else GONE

    def refuse(self, link: str) -> None:
        """Count a link that this server never gave out, and say so."""
        self.refused += 1
        owner = self.owner
        now = owner.simulation.now
        if now - self.noted_at >= QUIET_NS:
            self.noted_at = now
            text = f"The link {link[:60]} is none that this server gave out: answered with 400, and the database is not asked."
            owner.note("link_refused", "info", f"{owner.label} refuses a link to a page", text)

    def hand_on(self, call: i64, answer: i64, items: i64) -> None:
        """Let the answer to ``call`` carry the page of ``answer``, with links to itself and to the next one."""
        calls = self.owner.calls
        if calls.flags[answer] & ANSWERED == 0 or calls.flags[call] & TOLD == 0:
            return
        body = self.owner.simulation.bodies.find(calls.advice[answer])
        if body is None:
            return
        self.link(body, call, items)
        calls.advise(call, calls.verdict[answer], body.number)

    def link(self, body: Body, call: i64, items: i64) -> None:
        """Give a page its links."""
        if self.way == OFFSET:
            # The next page by number comes after the one that was asked for, whatever was found there.
            asked = self.link_of(call)
            page = int(body.rank // items) + 1
            if asked.startswith("page="):
                page = number_of(asked.partition("=")[2], PAGE_MAX)
            body.here = f"page={page}"
            body.next = f"page={page + 1}" if body.more else ""
            return
        # After the row before its first one, whose place stays whoever comes and goes; without a tie-breaker, after the price before.
        start = body.upto
        if len(body.rows) > 0:
            start = sort_key(body.rows[0], body.prices) + 1
            if self.sort == PRICE and self.tie == NONE:
                start += ID_MASK + 1
        first = self.written(start)
        last = self.written(body.upto)
        if self.way == KEYSET:
            body.here = f"after={first}"
            body.next = f"after={last}" if body.more else ""
            return
        body.here = f"cursor={self.cursor(first)}"
        self.signed += 1
        body.next = ""
        if body.more:
            body.next = f"cursor={self.cursor(last)}"
            self.signed += 1

    def metrics(self) -> list[float]:
        """In the order of ``spec_data.PAGING_METRICS``."""
        return [float(self.signed), float(self.verified), float(self.refused)]

    def words(self) -> str:
        """How a page is found, in words."""
        if self.way == OFFSET:
            return "counting past the rows before it"
        if self.way == KEYSET:
            return "the key of the last row shown"
        return "the key in the signed cursor"
