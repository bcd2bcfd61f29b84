"""Hashes that mix, a ring that moves no key without need, a Maglev table, bounds on loads."""

from __future__ import annotations

import random
from collections import Counter
from math import ceil

import pytest
from librt.vecs import vec
from mypy_extensions import i64

from playground.engine.hashing import (
    MAGLEV_SLOTS,
    RING_POINTS_MAX,
    Maglev,
    Ring,
    hash_32,
    hash_62,
    identity_of,
    remainder,
    scrambled,
    share_max,
)

KEYS = range(20_000)


def column(values: object) -> vec[i64]:
    return vec[i64](values)  # type: ignore[call-overload, no-any-return]


def servers(count: int) -> list[int]:
    return [identity_of("server", number) for number in range(count)]


def ring_of(count: int, virtual_nodes: int = 200) -> Ring:
    ring = Ring(virtual_nodes)
    ring.set_members(column(servers(count)), virtual_nodes)
    return ring


def maglev_of(count: int, down: tuple[int, ...] = ()) -> Maglev:
    made = Maglev(MAGLEV_SLOTS)
    made.fill(column(servers(count)), column([0 if number in down else 1 for number in range(count)]))
    return made


# ---- hashes


def test_scrambling_is_the_published_function() -> None:
    def published(x: int) -> int:
        x ^= x >> 16
        x = x * 0x7FEB352D % 2**32
        x ^= x >> 15
        x = x * 0x846CA68B % 2**32
        return x ^ x >> 16

    chance = random.Random(1)
    for value in [0, 1, 2**31, 2**32 - 1, *(chance.randrange(2**32) for _ in range(5_000))]:
        assert scrambled(value) == published(value)


def test_hashes_stay_within_their_bits_for_all_keys_there_can_be() -> None:
    for key in (0, 1, 2**31, 2**32, 2**53, 2**62 - 1, 2**63 - 1):
        for salt in (0, 1, 2**32 - 1):
            assert 0 <= hash_32(key, salt) < 2**32
            assert 0 <= hash_62(key, salt) < 2**62


@pytest.mark.parametrize("stride", [1, 64, 1 << 20, 1 << 32, 1 << 40])
def test_keys_that_differ_in_few_bits_spread_evenly(stride: int) -> None:
    # Chi-squared with 255 degrees of freedom: 330 is passed once in a thousand times.
    for shift in (0, 24, 54):
        buckets = Counter(hash_62(number * stride, 0) >> shift & 255 for number in KEYS)
        expected = len(KEYS) / 256
        assert sum((buckets[it] - expected) ** 2 / expected for it in range(256)) < 330


def test_another_salt_is_another_hash() -> None:
    same = sum(hash_32(key, 1) % 16 == hash_32(key, 2) % 16 for key in KEYS)
    assert same / len(KEYS) == pytest.approx(1 / 16, abs=0.01)


def test_identities_depend_on_name_and_number_alone() -> None:
    assert identity_of("a", 0) == identity_of("a", 0)
    assert len({identity_of(name, number) for name in ("a", "b", "ab") for number in range(1_000)}) == 3_000


# ---- the ring


def test_a_key_belongs_to_the_first_point_behind_it() -> None:
    ring = ring_of(5, 20)
    points = sorted((hash_62(identity, n + 1) >> 20, m) for m, identity in enumerate(servers(5)) for n in range(20))
    for key in range(2_000):
        place = hash_62(key, 0) >> 20
        owner = next((m for at, m in points if at >= place), points[0][1])
        assert ring.owner(key) == owner


def test_successive_owners_differ_and_the_first_one_owns_the_key() -> None:
    ring = ring_of(6)
    for key in range(500):
        found = list(ring.owners(key, 3))
        assert len(set(found)) == 3
        assert found[0] == ring.owner(key)
        assert sorted(ring.owners(key, 99)) == list(range(6))


def test_a_member_that_is_down_loses_its_keys_alone_and_gets_them_back() -> None:
    ring = ring_of(6)
    before = [ring.owner(key) for key in KEYS]
    second = [list(ring.owners(key, 2))[1] for key in KEYS]
    ring.set_up(2, False)
    for key, owner, after in zip(KEYS, before, second, strict=True):
        assert ring.owner(key) == (after if owner == 2 else owner)
        assert 2 not in list(ring.owners(key, 6))
    ring.set_up(2, True)
    assert [ring.owner(key) for key in KEYS] == before


def test_members_that_are_taken_out_leave_the_numbers_of_others_alone() -> None:
    ring = ring_of(4)
    before = [ring.owner(key) for key in KEYS]
    added = ring.add(identity_of("new", 0))
    assert added == 4
    assert all(ring.owner(key) in (owner, added) for key, owner in zip(KEYS, before, strict=True))
    ring.remove(added)
    assert [ring.owner(key) for key in KEYS] == before
    ring.remove(1)
    assert all(ring.owner(key) == owner for key, owner in zip(KEYS, before, strict=True) if owner != 1)
    ring.set_up(1, True)
    assert 1 not in {ring.owner(key) for key in KEYS}


def test_a_ring_on_which_nobody_is_up_gives_no_owner() -> None:
    ring = ring_of(2)
    for member in (0, 1):
        ring.set_up(member, False)
    assert ring.owner(7) == -1
    assert list(ring.owners(7, 2)) == []
    assert Ring(10).owner(7) == Ring(10).owner_below(7, column([]), 1) == -1


def test_a_ring_has_at_most_a_million_points() -> None:
    ring = ring_of(3, 1_000_000_000)
    assert ring.points_each() == RING_POINTS_MAX // 3
    assert len(ring.points) <= RING_POINTS_MAX


# ---- Maglev


@pytest.mark.parametrize("count", [1, 3, 10, 100])
def test_maglev_slots_are_even_to_one(count: int) -> None:
    shares = list(maglev_of(count).shares(count))
    assert sum(shares) == MAGLEV_SLOTS
    assert max(shares) - min(shares) <= 1


def test_maglev_leaves_out_who_is_down() -> None:
    table = maglev_of(5, down=(1, 3))
    assert {table.owner(key) for key in KEYS} == {0, 2, 4}
    assert maglev_of(2, down=(0, 1)).owner(1) == -1


# ---- bounded loads


@pytest.mark.parametrize("factor", [1.0, 1.25, 2.0])
@pytest.mark.parametrize("table", [ring_of(7, 50), maglev_of(7)], ids=["ring", "maglev"])
def test_bounded_loads_keep_every_member_within_its_share(table: Ring | Maglev, factor: float) -> None:
    chance = random.Random(3)
    load = column([0] * 7)
    for total in range(1, 3_000):
        limit = share_max(factor, total, 7)
        assert limit == max(1, ceil(round(factor * total / 7, 9)))
        # Nine of ten keys are the same one.
        member = table.owner_below(chance.choice([1] * 9 + [chance.randrange(10**9)]), load, limit)
        load[member] += 1
        assert max(load) <= limit


def test_bounded_loads_change_nothing_while_there_is_room() -> None:
    ring, table = ring_of(7), maglev_of(7)
    empty = column([0] * 7)
    for key in range(1_000):
        assert ring.owner_below(key, empty, 1) == ring.owner(key)
        assert table.owner_below(key, empty, 1) == table.owner(key)
    assert ring.owner_below(1, column([5] * 7), 5) == table.owner_below(1, column([5] * 7), 5) == -1


def test_the_remainder_is_even() -> None:
    found = Counter(remainder(key, 7) for key in KEYS)
    assert max(found.values()) / min(found.values()) < 1.08
