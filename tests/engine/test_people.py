"""Users of different clients have different numbers, whatever numbers their clients give them."""

from __future__ import annotations

import pytest

from playground.engine.people import NOBODY, OWN_MASK, People, own_number, user_of

OWN = [0, 1, 2, 7, 999, 999_999_999]


def test_the_users_of_the_first_population_have_the_numbers_that_their_client_gives_them() -> None:
    assert [user_of(0, own) for own in OWN] == OWN


def test_no_two_users_have_one_number_and_each_leads_back_to_the_clients_own() -> None:
    numbers = {user_of(population, own): own for population in range(300) for own in OWN}
    assert len(numbers) == 300 * len(OWN)
    assert all(own_number(user) == own for user, own in numbers.items())


@pytest.mark.parametrize("populations", [2, 7, 100, 2_000])
def test_the_low_bits_alone_keep_populations_apart_as_long_as_these_fit_in_a_billion(populations: int) -> None:
    starts = sorted(user_of(population, 0) & OWN_MASK for population in range(populations))
    gaps = [after - before for before, after in zip(starts, [*starts[1:], starts[0] + OWN_MASK + 1], strict=True)]
    # Three-distance theorem: none of the gaps is much smaller than their mean.
    assert min(gaps) > 0.35 * (OWN_MASK + 1) / populations


def test_an_id_keeps_its_number_whoever_comes_later_and_copies_come_after_what_they_are_copies_of() -> None:
    people = People()
    people.register(["client-2", "client"])
    assert people.numbers == {"client": 0, "client-2": 1}
    people.register(["a", "client-2", "client"])
    assert people.numbers == {"client": 0, "client-2": 1, "a": 2}


def test_a_number_that_is_nobodys_is_called_what_it_is() -> None:
    people = People()
    assert people.who(7) == 7 and people.by(7) == "by user 7"
    assert people.who(NOBODY) == "nobody" and people.by(NOBODY) == "by a cache that writes behind"
    assert not People().presents(3, 4)
