"""What a client asks for: shares of the operations, popular ids and random ones that don't exist, and what came of it."""

from __future__ import annotations

from collections import Counter

import pytest

from playground.blocks.client.operations import Mix
from playground.blocks.client.spec import SPEC
from playground.engine.outcomes import BUY, CREATE, DELETE, LIST, READ, WRITE
from playground.engine.params import Params
from playground.engine.streams import Stream
from playground.parameters import filled
from playground.protocol.catalogue import Scalar
from tests.laws.intervals import poisson_bounds
from tests.sketch import block, edge, figures, run, scenario

REQUESTS = 20_000


def drawn(**params: Scalar) -> list[tuple[int, int]]:
    """Requests as (operation, key)."""
    mix = Mix(Stream(1, "users", "operations"), Stream(1, "users", "keys"))
    mix.configure(Params(dict(filled(SPEC.params, params))))
    found = []
    for _ in range(REQUESTS):
        operation = mix.operation()
        found.append((operation, mix.key_for(operation)))
    return found


def test_operations_come_in_proportion_to_their_weights() -> None:
    weights = {READ: 40, WRITE: 10, LIST: 20, BUY: 5, CREATE: 15, DELETE: 10}
    names = {READ: "read", WRITE: "write", LIST: "list", BUY: "buy", CREATE: "create", DELETE: "delete"}
    counts = Counter(operation for operation, _ in drawn(**{f"{names[it]}_weight": weights[it] for it in weights}))
    for operation, weight in weights.items():
        low, high = poisson_bounds(REQUESTS * weight / 100)
        assert low <= counts[operation] <= high, names[operation]


def test_what_weighs_nothing_is_never_asked_for() -> None:
    assert {operation for operation, _ in drawn(write_weight=0)} == {READ}
    assert {operation for operation, _ in drawn(read_weight=0, write_weight=0, list_weight=0.001)} == {LIST}


@pytest.mark.parametrize("choice", ["popularity", "uniform"])
def test_creations_are_of_ids_that_unknown_reads_ask_for(choice: str) -> None:
    found = drawn(
        keys=50, create_weight=100, unknown_percent=50, unknown_choice=choice, unknown_keys=200, write_choice="uniform"
    )
    created = {key for operation, key in found if operation == CREATE}
    unknown = {key for operation, key in found if operation == READ and key > 50}
    assert created == unknown
    assert (min(created), max(created)) == (51, 100 if choice == "popularity" else 250)
    assert max(key for operation, key in found if operation in (WRITE, DELETE)) <= 50


def test_popular_unknown_ids_come_again_and_random_ones_hardly_ever() -> None:
    popular = drawn(write_weight=0, unknown_percent=100, keys=1000)
    random = drawn(write_weight=0, unknown_percent=100, keys=1000, unknown_choice="uniform")
    assert {key > 1000 for _, key in popular} == {key > 1000 for _, key in random} == {True}
    assert len({key for _, key in popular}) <= 1000
    assert len({key for _, key in random}) > 0.999 * REQUESTS
    assert max(key for _, key in random) <= 1000 + 10**9


def test_the_largest_numbers_stay_below_two_to_the_31() -> None:
    found = drawn(write_weight=0, unknown_percent=100, keys=10**9, unknown_choice="uniform")
    assert min(key for _, key in found) > 10**9 and max(key for _, key in found) < 1 << 31


def test_which_known_items_are_read_does_not_depend_on_the_unknown_ones() -> None:
    params = {"write_weight": 0, "keys": 1000}
    known = [key for _, key in drawn(**params)]
    mixed = [key for _, key in drawn(**params, unknown_percent=30)]
    assert all(key in (same, same + 1000) for key, same in zip(mixed, known, strict=True))


def test_answers_are_counted_by_what_they_say() -> None:
    execution = run(
        scenario(
            [
                block("users", "client", rate_per_s=200, write_weight=0, unknown_percent=25, keys=1000),
                block("app", "app_server", workers=100),
                block("db", "sql_database", rows=1000),
            ],
            [edge("users", "app"), edge("app", "db", "store")],
        )
    )
    found = figures(execution, "users")
    assert found["found"] + found["not_found"] == found["completed"] > 1000
    assert found["not_found"] == pytest.approx(figures(execution, "db")["absent"], abs=2)
    low, high = poisson_bounds(found["completed"] * 0.25)
    assert low <= found["not_found"] <= high
