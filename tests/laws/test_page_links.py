"""Links to pages: which are followed, and which are refused. RFC 2104 (HMAC), RFC 8288 (web linking)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.blocks.app_server.spec import SPEC as SERVER
from playground.blocks.client.readers import LETTERS, altered
from playground.engine.outcomes import BAD_REQUEST
from tests.laws.pages import Library, params_of


def test_a_cursor_that_was_altered_is_refused_wherever_and_however() -> None:
    library = Library("cursor")
    _, rows, _, following, _ = library.page("page=1")
    asked = library.db.offered
    value = following.removeprefix("cursor=")
    for place in range(len(value)):
        for letter in LETTERS + "=.+/ ":
            if letter != value[place]:
                link = f"cursor={value[:place]}{letter}{value[place + 1 :]}"
                assert library.server.paging.position_of(link.removeprefix("cursor=")) == -1, link
    for place in (0, 5, len(value) - 1):
        assert library.page(altered(following, place, 3))[0] == BAD_REQUEST
    assert library.db.offered == asked, "the database is not asked"
    assert library.server.paging.refused == 3
    assert library.page(following)[1][0] == rows[-1] - 1, "the cursor itself is good all the same"


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=60))
def test_no_text_is_a_cursor_but_one_that_was_given_out(text: str) -> None:
    paging = Library("cursor").server.paging
    assert paging.position_of(text) == -1


@settings(max_examples=100, deadline=None)
@given(key=st.integers(0, 1 << 53), seed=st.integers(1, 1_000))
def test_a_cursor_means_its_key_to_whoever_has_the_secret_and_nothing_to_others(key: int, seed: int) -> None:
    mine, other = Library("cursor", seed=seed).server.paging, Library("cursor", seed=seed + 1).server.paging
    assert (
        mine.position_of(mine.cursor(mine.written(key))) == key
        and other.position_of(mine.cursor(mine.written(key))) == -1
    )
    spelled_otherwise = mine.cursor(mine.written(key)).rstrip("=")
    assert mine.position_of(spelled_otherwise) == (key if spelled_otherwise == mine.cursor(mine.written(key)) else -1)


@pytest.mark.parametrize(
    "link",
    ["after=1000", "page=0", "page=-1", "page=", "page=01", "page=1e3", "page=99999999999", "cursor=", "nonsense", "?"],
)
def test_a_link_that_says_nothing_is_refused(link: str) -> None:
    library = Library("cursor")
    outcome, rows, *_ = library.page(link)
    assert (outcome, rows, library.db.offered, library.server.paging.refused) == (BAD_REQUEST, [], 0, 1)


def test_a_link_without_a_signature_leads_wherever_somebody_wants_it_to() -> None:
    library = Library("keyset")
    following = library.page("page=1")[3]
    assert following == "after=981"
    assert library.page(altered(following, 0, 3))[1][0] == 380


def test_readers_follow_links_of_another_way_as_far_as_the_server_understands_them() -> None:
    library = Library("offset")
    library.set_readers(walk_from=3)
    walk = library.walk()
    rows = library.turn(walk)
    library.server.configure(params_of(SERVER, {**library.server_params, "pagination": "keyset"}))
    library.do("create", 1_001)
    # The link in the reader's hand has a number; the one that comes with this page has a key.
    assert library.turn(walk)[0] == rows[-1] and library.readers.duplicates == 1
    library.do("create", 1_002)
    library.turn(walk)
    assert library.readers.duplicates == 1
    library.server.configure(params_of(SERVER, {**library.server_params, "pagination": "cursor"}))
    library.do("turn", walk)
    assert library.actor.pages[-1][0] == BAD_REQUEST and library.actor.over == [walk]
    assert library.readers.bookmark == "page=3", "whoever sets out now begins by number"
