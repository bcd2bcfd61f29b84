"""How many keys move when an eleventh server comes. D. Karger et al., "Consistent hashing and random trees", STOC 1997;
D. Eisenbud et al., "Maglev", NSDI 2016; V. Mirrokni et al., "Consistent hashing with bounded loads", SODA 2018."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from statistics import fmean

import pytest
from librt.vecs import vec
from mypy_extensions import i64

from playground.engine.hashing import MAGLEV_SLOTS, Maglev, Ring, identity_of, remainder

KEYS = range(20_000)
IDEAL = 1 / 11
FLEETS = ["app", "web", "cache", "eu", "us", "shop", "a", "b"]
"""Each name places ten servers anew, as a seed would."""


def identities(fleet: str, count: int) -> vec[i64]:
    return vec[i64]([identity_of(fleet, number) for number in range(count)])


def ring(fleet: str, count: int) -> Callable[[int], int]:
    made = Ring(200)
    made.set_members(identities(fleet, count), 200)
    return made.owner


def maglev(fleet: str, count: int) -> Callable[[int], int]:
    made = Maglev(MAGLEV_SLOTS)
    made.fill(identities(fleet, count), vec[i64]([1] * count))
    return made.owner


def moved(before: Callable[[int], int], after: Callable[[int], int], keys: range = KEYS) -> tuple[float, float]:
    """The shares of keys that move at all, and that move to one of the ten old servers."""
    pairs = [(before(key), after(key)) for key in keys]
    return (
        fmean(old != new for old, new in pairs),
        fmean(old != new and new != 10 for old, new in pairs),
    )


def test_a_ring_moves_a_new_servers_share_of_keys_and_none_to_an_old_server() -> None:
    found = [moved(ring(fleet, 10), ring(fleet, 11)) for fleet in FLEETS]
    assert [to_old for _, to_old in found] == [0] * len(FLEETS)
    # 200 points a server: one server's share scatters by 1 / sqrt(200) = 7 % of itself.
    assert all(share == pytest.approx(IDEAL, rel=0.25) for share, _ in found)
    assert 0.09 <= fmean(share for share, _ in found) <= 0.10


def test_hash_mod_n_moves_ten_keys_of_eleven() -> None:
    # 200,000 keys: the share scatters by 0.0006.
    share, to_old = moved(lambda key: remainder(key, 10), lambda key: remainder(key, 11), range(200_000))
    assert share == pytest.approx(10 / 11, abs=0.002)
    assert to_old > 0.8


def test_maglev_moves_little_more_than_a_new_servers_share() -> None:
    for fleet in FLEETS[:4]:
        share, to_old = moved(maglev(fleet, 10), maglev(fleet, 11))
        assert IDEAL - 0.01 <= share <= IDEAL + 0.03
        # The price of its evenness: a few keys move between old servers.
        assert 0 < to_old < 0.03


def test_maglev_spreads_keys_more_evenly_than_a_ring() -> None:
    def unevenness(owner: Callable[[int], int]) -> float:
        counts = Counter(owner(key) for key in KEYS)
        return max(counts.values()) / (len(KEYS) / 10) - 1

    rings = [unevenness(ring(fleet, 10)) for fleet in FLEETS]
    tables = [unevenness(maglev(fleet, 10)) for fleet in FLEETS]
    # 2,000 keys a server scatter by 2.2 % by themselves, so the largest of ten lies about 3.5 % above the mean.
    assert max(tables) < 0.07
    assert fmean(rings) > 2 * fmean(tables)
