"""What an HTTP cache keeps in mind: stored answers and who waits for which fetch."""

from __future__ import annotations

import random

from playground.engine.calls import Calls
from playground.engine.http_store import (
    EMPTY,
    EXPIRED,
    FRESH,
    NEGATIVE,
    REVALIDATING,
    HttpStore,
    is_copy_of,
    private_key,
)
from playground.engine.outcomes import ABSENT
from playground.engine.people import user_of


def waiting(store: HttpStore, calls: Calls, key: int) -> list[int]:
    """Who waits for the fetch of ``key``, which ends with this."""
    found, call = [], int(store.end(key))
    while call >= 0:
        found.append(call)
        call = int(calls.next[call])
    return found


def test_no_two_users_and_keys_have_the_same_private_number() -> None:
    users = [
        0,
        1,
        2,
        3,
        999_999_998,
        999_999_999,
        *(user_of(population, own) for population in (1, 2, 99) for own in (0, 1, 7)),
    ]
    keys = [1, 2, 3, 1_999_999_999, 2_000_000_000, 4_294_967_296, 8_589_934_591]
    numbers = {private_key(user, key): (user, key) for user in users for key in keys}
    assert len(numbers) == len(users) * len(keys)
    assert all(0 <= number < 2**63 for number in numbers)
    for number, (_, own) in numbers.items():
        assert [key for key in keys if is_copy_of(number, key)] == [own]


def test_the_states_of_an_answer_follow_from_its_age() -> None:
    store = HttpStore(10)
    assert store.state(1, 0, 50) == EMPTY
    store.put(1, 7, 0, 100, 7, 2_000)
    store.put(2, ABSENT, 0, 100, 0, 60)
    ages = [0, 99, 100, 149, 150]
    assert [store.state(1, age, 50) for age in ages] == [FRESH, FRESH, REVALIDATING, REVALIDATING, EXPIRED]
    assert [store.state(1, age, -1) for age in ages] == [FRESH, FRESH, EXPIRED, EXPIRED, EXPIRED]
    assert [store.state(2, age, 50) for age in ages] == [NEGATIVE, NEGATIVE, EXPIRED, EXPIRED, EXPIRED]
    store.freshen(int(store.items.find(1)), 150, 250)
    assert store.state(1, 200, 50) == FRESH
    assert store.forget(1) and not store.forget(1)
    assert store.state(1, 200, 50) == EMPTY


def test_the_least_recently_used_answer_goes_and_columns_follow_their_entries() -> None:
    store = HttpStore(200)
    for key in range(1, 1_001):
        store.put(key, key, 0, 10, 3 * key, 5 * key)
    assert [key for key in range(1, 1_001) if store.items.find(key) >= 0] == list(range(801, 1_001))
    for key in range(801, 1_001):
        entry = store.items.find(key)
        assert (store.items.version[entry], store.validator[entry], store.bytes[entry]) == (key, 3 * key, 5 * key)


def test_those_who_wait_for_a_fetch_are_told_in_order_whoever_left_meanwhile() -> None:
    chance = random.Random(5)
    store, calls = HttpStore(10), Calls(1024)
    expected: dict[int, list[int]] = {}
    fetch_of: dict[int, int] = {}
    for _ in range(5_000):
        key = chance.randint(1, 40)
        what = chance.random()
        if key not in expected:
            assert store.fetch_of(key) == -1
            expected[key], fetch_of[key] = [], int(store.begin(key))
        elif what < 0.6:
            call = int(calls.take())
            store.join(calls, fetch_of[key], call)
            expected[key].append(call)
        elif what < 0.85 and expected[key]:
            call = chance.choice(expected[key])
            store.leave(calls, fetch_of[key], call)
            expected[key].remove(call)
            calls.release(call)
        elif what > 0.95:
            found = waiting(store, calls, key)
            assert found == expected.pop(key)
            for call in found:
                calls.release(call)
        assert store.fetches.size == len(expected)
    assert len({fetch_of[key] for key in expected}) == len(expected)
