"""What stands for a filter that is too large to hold does what the real one does, id by id in distribution: past its capacity, with ids
that are entered twice, and with ids that are taken out without being in.

L. Fan et al., "Summary cache", 2000 (counters of four bits stay at 15); B. Fan et al., "Cuckoo filter", CoNEXT 2014, section 3 (a delete of
what was not entered takes another's fingerprint) and 4 (short fingerprints fill up early).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from playground.engine.filter_equivalent import COPIES_MAX, Equivalent, cuckoo_room, make_filter
from playground.engine.filters import COUNTING, CUCKOO, STANDARD, Filter, cuckoo_size, size_by_bits
from playground.engine.stores import KeyIndex

IDS = 3_000
STRANGERS = range(10**6, 10**6 + 20_000)
SALTS = [1_000_003 * salt for salt in range(1, 7)]
NOTHING = KeyIndex()


def members_lost(made: Filter) -> float:
    """The share of ids that were entered, and are said not to be in."""
    return sum(not made.contains(key) for key in range(1, IDS + 1)) / IDS


def strangers_passed(made: Filter) -> float:
    return sum(made.contains(key) for key in STRANGERS) / len(STRANGERS)


def both(
    variant: int, bits: float, does: Callable[[Filter], Any], ids: int = IDS, salts: int = 6
) -> tuple[list[Any], list[Any]]:
    """What ``does`` finds with the real filter and with what stands for it, under several salts."""
    size = size_by_bits(variant, IDS, bits)
    found: list[list[Any]] = []
    for maker in (make_filter, Equivalent):
        rows = []
        for salt in SALTS[:salts]:
            made = maker(size, salt)
            made.begin_with(ids, NOTHING)
            rows.append(does(made))
        found.append(rows)
    return found[0], found[1]


def means(rows: list[Any]) -> list[float]:
    return [sum(column) / len(column) for column in zip(*rows, strict=True)]


@pytest.mark.parametrize(
    ("variant", "bits", "removals"),
    [
        (COUNTING, 5.0, 4_000),
        (COUNTING, 10.0, 20_000),
        (COUNTING, 2.0, 1_000),
        (CUCKOO, 7.0, 8_000),
        (CUCKOO, 11.0, 20_000),
    ],
)
def test_taking_out_what_was_never_in_costs_as_many_members(variant: int, bits: float, removals: int) -> None:
    def does(made: Filter) -> tuple[float, ...]:
        taken = sum(made.remove(key) for key in STRANGERS[:removals])
        return taken / 100, members_lost(made), strangers_passed(made), made.elements / IDS, made.fill()

    real, stands = both(variant, bits, does)
    expected = means(real)
    # Each that is taken for a member costs one in a cuckoo filter, and several in a counting one.
    assert expected[0] > 0.1 and expected[1] > 0.02
    assert means(stands) == pytest.approx(expected, rel=0.12, abs=0.003)


@pytest.mark.parametrize("variant", [COUNTING, CUCKOO], ids=["counting", "cuckoo"])
def test_a_member_that_was_lost_is_in_again_when_it_is_entered_again(variant: int) -> None:
    def does(made: Filter) -> tuple[float, ...]:
        for key in STRANGERS:
            made.remove(key)
        lost = members_lost(made)
        for key in range(1, IDS + 1):
            if not made.contains(key):
                assert made.add(key)
                assert made.contains(key)
        return lost, members_lost(made), strangers_passed(made), made.elements / IDS

    real, stands = both(variant, 8.0, does)
    assert means(real)[0] > 0.05 and means(real)[1] < 0.01
    assert means(stands) == pytest.approx(means(real), rel=0.15, abs=0.005)


@pytest.mark.parametrize("variant", [STANDARD, COUNTING, CUCKOO], ids=["standard", "counting", "cuckoo"])
def test_ids_that_are_entered_twice_do_not_raise_the_rate(variant: int) -> None:
    def does(made: Filter) -> tuple[float, ...]:
        for key in range(1, 501):
            made.add(key)
        once = strangers_passed(made)
        for key in range(1, 501):
            assert made.remove(key) or variant == STANDARD
        return once, strangers_passed(made), members_lost(made), made.elements / IDS, made.fill()

    real, stands = both(variant, 8.0, does, ids=2_000)
    # Of the ids that were asked for, a third was never entered.
    assert means(stands) == pytest.approx(means(real), rel=0.1, abs=0.002)


@pytest.mark.parametrize(("copies", "stays"), [(14, 0), (15, 1), (20, 1)])
def test_an_id_that_was_counted_to_15_can_not_be_taken_out_any_more(copies: int, stays: int) -> None:
    # In a filter so empty that no position is shared.
    size = size_by_bits(COUNTING, 10_000, 12.0)
    for made in (make_filter(size, 7), Equivalent(size, 7)):
        for _ in range(copies):
            made.add(42)
        for _ in range(copies):
            assert made.remove(42)
        assert made.contains(42) == bool(stays)
        assert made.elements == 0


def test_the_ninth_copy_of_an_id_fills_a_cuckoo_filter_until_one_is_taken_out() -> None:
    size = cuckoo_size(5_000, 12)
    for made in (make_filter(size, 11), Equivalent(size, 11)):
        made.begin_with(100, NOTHING)
        for _ in range(COPIES_MAX + 1):
            assert made.add(777) and made.contains(777)
        assert made.is_full() and not made.add(778) and not made.add(777)
        # Room elsewhere is no help.
        assert made.remove(5) and made.is_full()
        assert made.remove(777) and not made.is_full()
        assert made.add(778) and made.contains(778)
        assert made.elements == 100 + COPIES_MAX


@pytest.mark.parametrize("bits", [10.0, 3.0])
def test_a_cuckoo_filter_that_is_built_of_twice_its_ids_leaves_the_later_ones_out(bits: float) -> None:
    def does(made: Filter) -> tuple[float, ...]:
        early = sum(made.contains(key) for key in range(1, 1_001)) / 1_000
        late = sum(made.contains(key) for key in range(5_001, 6_001)) / 1_000
        assert made.is_full() and not made.add(10**9)
        assert made.refused == 6_000 - made.elements
        return early, late, strangers_passed(made), made.elements / 6_000

    real, stands = both(CUCKOO, bits, does, ids=6_000)
    assert all(row[0] == 1.0 for row in stands)
    assert means(stands) == pytest.approx(means(real), rel=0.25, abs=0.02)


def test_ids_that_are_gone_make_room_for_later_ones_when_a_full_one_is_built() -> None:
    gone = KeyIndex()
    for key in [*range(1, 501), 2_000, 3_500, 5_999]:
        gone.put(key, 0)
    made = Equivalent(cuckoo_size(3_000, 25), 1_000_003)
    made.begin_with(6_000, gone)
    room = made.room
    assert (made.elements, made.refused) == (room, 6_000 - 503 - room)
    entered = [key for key in range(1, 6_001) if made.contains(key)]
    assert entered == [key for key in range(501, room + 503) if key not in (2_000, 3_500)][:room]


@pytest.mark.parametrize("fingerprint_bits", [2, 3, 8])
def test_short_fingerprints_fill_up_as_early(fingerprint_bits: int) -> None:
    size = cuckoo_size(20_000, fingerprint_bits)
    real, stands = [], []
    for salt in range(1, 17):
        made = make_filter(size, salt * 7919)
        key = 1
        while made.add(key):
            key += 1
        real.append(made.elements / size.positions)
        stands.append(cuckoo_room(size, salt * 104_729) / size.positions)
    assert sum(stands) / 16 == pytest.approx(sum(real) / 16, rel=0.15)


def test_counters_of_a_filter_that_was_far_too_full_stay_set() -> None:
    def does(made: Filter) -> tuple[float, ...]:
        for key in range(1, 20 * IDS + 1):
            made.remove(key)
        return made.fill(), strangers_passed(made)

    real, stands = both(COUNTING, 10.0, does, ids=20 * IDS, salts=2)
    assert means(real)[0] > 0.2
    assert means(stands) == pytest.approx(means(real), rel=0.1, abs=0.01)
