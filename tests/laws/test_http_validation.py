"""Copies that are asked about instead of fetched again: If-None-Match, If-Modified-Since, 304 (RFC 9110, 8.8 and 13.1)."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from playground.execution import Execution
from tests.laws.edge_designs import browsers, cdn, chain, database, during, readers, shop, to, writers
from tests.sketch import at, metric, set_param

ITEM_BYTES, NOT_MODIFIED_BYTES = 2_000, 100


class Second(NamedTuple):
    """What crossed the edge to the server within a second, when all users had the item."""

    requests: float
    bytes_back: float
    not_modified: float


def a_second_of_35000_reads(validators: str, writes_per_s: float = 0.0) -> Second:
    """The seed's numbers: an item of 2 KB, 35,000 reads a second by users who have it already; a server without chance."""
    users = readers(rate_per_s=35_000, users=10)
    beside = [(writers(rate_per_s=writes_per_s), "shop")] if writes_per_s else []
    store = (database(),) if writes_per_s else ()
    execution = chain(users, browsers(max_age_s=0), shop(validators=validators), *store, beside=beside)
    to(execution, 0.5)
    names = (("shop", "offered"), ("browsers--shop", "bytes_back"), ("browsers", "revalidated"))
    before = [metric(execution, *it) for it in names]
    to(execution, 1.5)
    return Second(*(metric(execution, *it) - was for it, was in zip(names, before, strict=True)))


def test_a_304_has_no_body_so_bytes_fall_and_origin_requests_do_not() -> None:
    before, after = (a_second_of_35000_reads(it) for it in ("none", "etag"))
    # Arrivals lie whole nanoseconds apart: 35,000 to one or two of them. 70 MB/s are 560 Mbit/s.
    assert before == (pytest.approx(35_000, abs=2), pytest.approx(70e6, abs=2 * ITEM_BYTES), 0)
    assert 8 * before.bytes_back / 1e6 == pytest.approx(560, rel=1e-4)
    assert after.requests == before.requests
    assert after.not_modified == pytest.approx(35_000, abs=2)
    assert after.bytes_back == after.not_modified * NOT_MODIFIED_BYTES
    assert 8 * after.bytes_back / 1e6 == pytest.approx(28, rel=1e-4)


def test_what_has_changed_comes_with_its_body() -> None:
    # Ten users fetch the new version once after each of five writes; all else is a 304.
    second = a_second_of_35000_reads("etag", writes_per_s=5)
    changed = second.requests - 5 - second.not_modified
    # Those who ask again while their first new copy is on its way get a body as well: 10 users x 3,500/s x the way of 2 ms.
    assert 5 * 10 <= changed <= 5 * 10 * (1 + 3_500 * 0.003)
    full, small = changed * ITEM_BYTES, second.not_modified * NOT_MODIFIED_BYTES
    # Those that are on their way when the second begins and ends need not be alike.
    assert second.bytes_back == pytest.approx(full + small, abs=5 * ITEM_BYTES)


@pytest.mark.parametrize("validators", ["etag", "last_modified"])
def test_within_max_age_there_is_no_request_at_all(validators: str) -> None:
    execution = chain(readers(rate_per_s=100), browsers(max_age_s=2), shop(validators=validators))
    assert during(execution, "browsers", "origin_requests", 1, 19) == 9
    assert metric(execution, "browsers", "revalidated") == 9


def test_browser_caches_are_private_and_a_cdn_is_shared() -> None:
    def copies(cache: str) -> Execution:
        layer = browsers(max_age_s=1_000) if cache == "browsers" else cdn(max_age_s=1_000)
        return to(chain(readers(rate_per_s=1_000, users=40, keys=3), layer, shop()), 5)

    private, shared = copies("browsers"), copies("cdn")
    assert metric(private, "browsers", "keys") == 40 * 3
    assert metric(shared, "cdn", "keys") == 3
    assert metric(shared, "cdn", "origin_requests") == 3
    # A user who asks twice before the first answer is there asks the server twice.
    assert 40 * 3 <= metric(private, "browsers", "origin_requests") <= 40 * 3 + 5


def test_a_write_drops_the_writers_own_copy_alone() -> None:
    # One of the ten writes, instead of reading, in the millisecond of one request; evenly spaced ones begin anew with each change.
    one_write = [
        at(5.0, set_param("users", "write_weight", 1_000)),
        at(5.0, set_param("users", "read_weight", 0)),
        at(5.0015, set_param("users", "read_weight", 1_000)),
        at(5.0015, set_param("users", "write_weight", 0)),
    ]
    users = readers(rate_per_s=1_000, users=10, read_weight=1_000, write_weight=0)
    execution = to(chain(users, browsers(max_age_s=1_000), shop(), database(), interventions=one_write), 9.9)
    assert metric(execution, "db", "commits") == 1
    assert metric(execution, "browsers", "invalidated") == 1
    # The nine others keep what was true until 5 s.
    assert metric(execution, "browsers", "out_of_date") == pytest.approx(4_900 * 0.9, rel=0.05)
    assert metric(execution, "browsers", "misses") == pytest.approx(11, abs=3)


def test_a_cdn_gives_304s_to_browsers_without_asking_the_origin() -> None:
    execution = chain(readers(rate_per_s=1_000, users=10), browsers(max_age_s=0), cdn(max_age_s=100), shop())
    to(execution, 1)
    assert during(execution, "cdn", "not_modified", 1, 2) == 1_000
    assert during(execution, "cdn", "egress_bytes", 2, 3) == 1_000 * NOT_MODIFIED_BYTES
    assert during(execution, "cdn", "spared_bytes", 3, 4) == 1_000 * (ITEM_BYTES - NOT_MODIFIED_BYTES)
    assert metric(execution, "cdn", "origin_requests") == 1
    assert metric(execution, "cdn", "origin_bytes") == ITEM_BYTES


def test_bytes_add_up_at_a_cdn() -> None:
    execution = to(chain(readers(rate_per_s=1_000, keys=20), cdn(max_age_s=1), shop()), 10.5)
    assert metric(execution, "cdn", "egress_bytes") == metric(execution, "users--cdn", "bytes_back")
    assert metric(execution, "cdn", "origin_bytes") == metric(execution, "cdn--shop", "bytes_back")
    asked, confirmed = metric(execution, "cdn", "origin_requests"), metric(execution, "cdn", "revalidated")
    assert metric(execution, "cdn", "origin_bytes") == (asked - confirmed) * ITEM_BYTES + confirmed * NOT_MODIFIED_BYTES


# ---- weak validators


def two_writes(validators: str, apart_s: float) -> Execution:
    """An item read ten times a second with max age 0, and written twice from 2.1 s on."""
    writer = writers(rate_per_s=0.001)
    log = [
        at(2.1 - apart_s, set_param("writers", "rate_per_s", 1 / apart_s)),
        at(2.1 + 1.5 * apart_s, set_param("writers", "rate_per_s", 0.001)),
    ]
    layers = (readers(rate_per_s=10), browsers(max_age_s=0), shop(validators=validators), database())
    return chain(*layers, beside=[(writer, "shop")], interventions=log)


def test_last_modified_is_blind_to_a_second_change_within_one_second() -> None:
    # Written at 2.1 s and 2.5 s, read in between: both versions are of second 2, so the first one is confirmed for ever.
    execution = to(two_writes("last_modified", 0.4), 12.05)
    assert metric(execution, "db", "commits") == 2
    assert metric(execution, "browsers", "out_of_date") == pytest.approx(95, abs=2)
    assert metric(execution, "browsers", "refreshed") == 1


def test_last_modified_sees_changes_in_different_seconds() -> None:
    execution = to(two_writes("last_modified", 1.0), 12.05)
    assert metric(execution, "db", "commits") == 2
    assert metric(execution, "browsers", "out_of_date") == 0
    assert metric(execution, "browsers", "refreshed") == 2


def test_an_etag_sees_every_change() -> None:
    execution = to(two_writes("etag", 0.4), 12.05)
    assert metric(execution, "db", "commits") == 2
    assert metric(execution, "browsers", "out_of_date") == 0
    assert metric(execution, "browsers", "refreshed") == 2
