"""The Bloom filter as a block: what it keeps away, what it is told, how it is rebuilt, and what a crash costs."""

from __future__ import annotations

import pytest

from playground.blocks.bloom_filter.behaviour import CERTAINLY_NOT, MARKED, PERHAPS, BloomFilter
from playground.blocks.bloom_filter.figures import CROWDED, EMPTY, FEW, PLANNED
from playground.blocks.bloom_filter.spec import SPEC
from playground.blocks.sql_database.behaviour import SqlDatabase
from playground.blocks.sql_database.spec import SPEC as DATABASE
from playground.catalogue import check_design
from playground.engine.block import Block
from playground.engine.outcomes import CREATE, DELETE, ERROR, FILTER_ADD, FILTER_CHECK, FILTER_REMOVE, OK
from playground.engine.params import Params
from playground.engine.simulation import Simulation
from playground.parameters import filled
from playground.protocol.catalogue import Scalar
from playground.protocol.design import parse_design
from playground.protocol.errors import InputError
from tests.engine.parts import MS, SECOND, add, inject, run, wire
from tests.sketch import block, edge, figures, scenario
from tests.sketch import run as run_drawing

FILTER, STORE = 0, 1
NEVER_WRONG: dict[str, Scalar] = {"size_by": "rate", "target_rate_percent": 1e-6}


class Asker(Block):
    """Asks the filter and changes the store, one after the other."""

    def __init__(self, simulation: Simulation, index: int, name: str) -> None:
        super().__init__(simulation, index, name)
        self.outcome = -1
        self.version = -1

    def ask(self, where: int, operation: int, key: int) -> int:
        """The version that it was answered; the outcome is in ``outcome``."""
        self.outcome = -1
        self.out["out"][where].call(-1, operation, key, 0, -1, 0, 0)
        while self.outcome < 0:
            run(self.simulation, self.simulation.now + MS)
        return self.version

    def check(self, *keys: int) -> list[int]:
        return [self.ask(FILTER, FILTER_CHECK, key) for key in keys]

    def create(self, key: int) -> None:
        self.ask(STORE, CREATE, key)
        self.ask(FILTER, FILTER_ADD, key)

    def delete(self, key: int) -> int:
        """Delete an item; the outcome of taking it out of the filter."""
        self.ask(STORE, DELETE, key)
        self.ask(FILTER, FILTER_REMOVE, key)
        return self.outcome

    def on_reply(self, call: int) -> None:
        self.outcome = self.calls.outcome[call]
        self.version = self.calls.version[call]


def configured(found: BloomFilter, **params: Scalar) -> None:
    found.configure(Params(dict(filled(SPEC.params, {"expected": 1000, "rebuild_s": 1.0, **params}))))


def filter_before_a_store(rows: int = 100, **params: Scalar) -> tuple[Asker, BloomFilter]:
    """A filter beside a database with ``rows`` items, and somebody who uses both."""
    simulation = Simulation(1)
    app = add(simulation, Asker, "app")
    found = add(simulation, BloomFilter, "filter")
    store = add(simulation, SqlDatabase, "db")
    store.configure(Params(dict(filled(DATABASE.params, {"rows": rows, "query_mean_ms": 0.1}))))
    configured(found, **params)
    wire(app, found)
    wire(app, store)
    for it in (store, found):
        it.wired()
        it.started()
    return app, found


def told(app: Asker, kind: str) -> list[str]:
    return [detail for _, found, _, _, _, detail in app.simulation.notables if found == kind]


def wait(app: Asker, seconds: float) -> None:
    run(app.simulation, app.simulation.now + round(seconds * SECOND))


@pytest.mark.parametrize("variant", ["standard", "counting", "cuckoo"])
def test_it_begins_with_the_items_of_the_database_and_keeps_others_away(variant: str) -> None:
    app, found = filter_before_a_store(**NEVER_WRONG, variant=variant)
    assert app.check(1, 50, 100) == [PERHAPS] * 3
    assert app.check(101, 0, 10**9) == [CERTAINLY_NOT] * 3
    assert (found.checked, found.passed, found.rejected) == (6, 3, 3)
    assert (found.false_positives, found.false_negatives) == (0, 0)


@pytest.mark.parametrize("variant", ["standard", "counting", "cuckoo"])
def test_a_created_item_is_let_through_and_one_it_was_not_told_of_is_a_false_negative(variant: str) -> None:
    app, found = filter_before_a_store(**NEVER_WRONG, variant=variant)
    app.create(777)
    assert app.check(777) == [PERHAPS]
    app.ask(STORE, CREATE, 888)
    assert app.check(888) == [CERTAINLY_NOT]
    assert found.false_negatives == 1
    assert "888" in told(app, "false_negative")[0]


def test_a_standard_filter_refuses_to_take_an_item_out_and_says_so_once_in_ten_seconds() -> None:
    app, found = filter_before_a_store(**NEVER_WRONG)
    assert [app.delete(key) for key in (1, 2, 3)] == [ERROR] * 3
    assert app.check(1, 2, 3) == [PERHAPS] * 3
    # They exist no more, so these were false positives.
    assert (found.removals_refused, found.removals, found.false_positives) == (3, 0, 3)
    assert len(told(app, "removal_refused")) == 1
    wait(app, 10)
    app.delete(4)
    assert len(told(app, "removal_refused")) == 2


@pytest.mark.parametrize("variant", ["counting", "cuckoo"])
def test_counting_and_cuckoo_filters_take_an_item_out(variant: str) -> None:
    app, found = filter_before_a_store(**NEVER_WRONG, variant=variant)
    assert app.delete(1) == OK
    assert app.check(1, 2) == [CERTAINLY_NOT, PERHAPS]
    app.create(1)
    assert app.check(1) == [PERHAPS]
    assert (found.removals, found.removals_refused, found.false_negatives) == (1, 0, 0)


def test_the_old_filter_serves_until_the_new_one_is_built_which_then_has_what_came_meanwhile() -> None:
    app, found = filter_before_a_store(**NEVER_WRONG)
    app.delete(1)
    inject(found, "rebuild")
    app.create(500)
    wait(app, 0.9)
    assert found.building is not None
    assert app.check(1, 500) == [PERHAPS, PERHAPS]
    wait(app, 0.2)
    assert (found.building, found.rebuilds) == (None, 1)
    assert app.check(1, 500, 2) == [CERTAINLY_NOT, PERHAPS, PERHAPS]
    assert found.filter.elements == 100
    assert "100 ids are in, 101 were before" in told(app, "rebuilt")[0]


def test_it_is_rebuilt_as_often_as_set() -> None:
    app, found = filter_before_a_store(rebuild_every_s=5.0)
    wait(app, 30.5)
    assert found.rebuilds == 5
    configured(found, rebuild_every_s=2.0)
    wait(app, 10.5)
    assert found.rebuilds == 5 + 1 + 4
    configured(found)
    wait(app, 100)
    assert found.rebuilds == 11


def test_a_rebuild_draws_new_hashes_so_other_ids_are_false_positives() -> None:
    app, found = filter_before_a_store(1000, bits_per_element=3.0)
    asked = range(2_000, 2_400)
    before = [key for key in asked if app.check(key) == [PERHAPS]]
    assert before == [key for key in asked if app.check(key) == [PERHAPS]]
    inject(found, "rebuild")
    wait(app, 2)
    after = [key for key in asked if app.check(key) == [PERHAPS]]
    assert len(before) > 50 and len(after) > 50
    assert before != after


def test_another_size_is_built_while_the_old_one_serves() -> None:
    app, found = filter_before_a_store(1000, bits_per_element=2.0)
    configured(found, bits_per_element=20.0)
    assert found.filter.size.positions == 2_000
    wait(app, 2)
    assert found.filter.size.positions == 20_000
    configured(found, bits_per_element=20.0, threads=3)
    assert found.building is None


def test_after_a_crash_it_says_perhaps_to_everything_until_it_is_rebuilt() -> None:
    app, found = filter_before_a_store(**NEVER_WRONG)
    app.create(500)
    inject(found, "crash", restart_after_s=1.0)
    wait(app, 1.1)
    assert app.check(1, 500, 10**8) == [PERHAPS] * 3
    assert (found.unfiltered, found.false_negatives) == (3, 0)
    assert told(app, "filter_empty") != []
    assert found.cells() == [EMPTY] * 64
    app.create(600)
    wait(app, 1)
    assert app.check(1, 500, 600, 10**8) == [PERHAPS] * 3 + [CERTAINLY_NOT]


def test_a_crash_during_a_rebuild_does_not_bring_the_half_built_one_into_use() -> None:
    app, found = filter_before_a_store(**NEVER_WRONG)
    inject(found, "rebuild")
    inject(found, "crash", restart_after_s=0.5)
    wait(app, 1.1)
    assert not found.ready
    wait(app, 0.5)
    assert found.ready and found.rebuilds == 1


def test_out_of_use_it_passes_everything_and_still_learns() -> None:
    app, found = filter_before_a_store(**NEVER_WRONG, enabled=False)
    app.create(500)
    assert app.check(1, 10**8) == [PERHAPS] * 2
    configured(found, **NEVER_WRONG)
    assert app.check(1, 500, 10**8) == [PERHAPS, PERHAPS, CERTAINLY_NOT]


def test_it_says_when_it_holds_more_ids_than_planned() -> None:
    app, found = filter_before_a_store(100, expected=101)
    app.create(200)
    assert told(app, "past_capacity") == []
    app.create(300)
    app.create(400)
    (detail,) = told(app, "past_capacity")
    assert "sized for 101" in detail
    assert found.metrics()[7] > 100 * found.filter.size.rate(101)


def test_a_cuckoo_filter_that_is_full_says_so_and_answers_with_an_error() -> None:
    app, found = filter_before_a_store(62, variant="cuckoo", expected=60)
    key = 1000
    while found.adds_refused == 0:
        app.create(key)
        key += 1
    assert app.outcome == ERROR
    assert told(app, "filter_full") != []
    # What it was told of and took is in.
    assert app.check(*range(1, 63), *range(1000, key - 1)) == [PERHAPS] * (62 + key - 1001)


def test_cells_show_how_full_it_is_and_where_the_last_id_falls() -> None:
    app, found = filter_before_a_store(1000)
    assert set(found.cells()) <= {PLANNED, CROWDED, FEW} and found.cells().count(PLANNED) > 55
    app.check(42)
    marked = {cell for cell, state in enumerate(found.cells()) if state >= MARKED}
    detail = found.detail()["last_id"]
    assert isinstance(detail, dict)
    assert marked == {at * 64 // 10_000 for at in detail["positions"]}
    assert len(detail["positions"]) == 7 and detail["said"] == "perhaps"
    _, crowded = filter_before_a_store(3000)
    assert crowded.cells().count(CROWDED) > 55
    _, empty = filter_before_a_store(filled_with=0)
    assert set(empty.cells()) == {EMPTY}


def test_beyond_the_limit_it_says_that_it_stands_for_bits() -> None:
    app, found = filter_before_a_store(100_000_000, expected=100_000_000)
    assert app.check(1, 100_000_000, 1_500_000_000) == [PERHAPS, PERHAPS, CERTAINLY_NOT]
    assert found.detail()["bits"] == "stands for 1,000,000,000 bits; outcomes by id as real bits give them"
    assert found.metrics()[12] == 125.0
    assert set(found.cells()) <= {PLANNED, PLANNED + MARKED}
    _, small = filter_before_a_store(100)
    assert small.detail()["bits"] == "10,000 real bits"


@pytest.mark.parametrize("variant", ["standard", "counting", "cuckoo"])
def test_random_ids_come_neither_to_the_cache_nor_to_the_database(variant: str) -> None:
    drawing = scenario(
        [
            block(
                "attack",
                "client",
                rate_per_s=2000,
                write_weight=0,
                unknown_percent=100,
                unknown_choice="uniform",
                keys=10_000,
            ),
            block("app", "app_server", workers=100),
            block("filter", "bloom_filter", variant=variant, expected=10_000),
            block("cache", "cache"),
            block("db", "sql_database", rows=10_000),
        ],
        [
            edge("attack", "app"),
            edge("app", "filter", "filter"),
            edge("app", "cache", "cache"),
            edge("app", "db", "store"),
        ],
    )
    execution = run_drawing(drawing)
    found = figures(execution, "filter")
    assert found["checked"] > 15_000
    assert found["rejected"] == found["checked"] - found["false_positives"] > 0.98 * found["checked"]
    assert abs(figures(execution, "cache")["offered"] - found["false_positives"]) <= 5
    assert abs(figures(execution, "db")["absent"] - found["false_positives"]) <= 5
    assert found["observed_percent"] == pytest.approx(100 * found["false_positives"] / found["checked"])
    assert figures(execution, "attack")["not_found"] == pytest.approx(found["checked"], abs=20)


@pytest.mark.parametrize(
    ("param", "value", "accepted"),
    [
        ("target_rate_percent", 0, "1e-06"),
        ("target_rate_percent", 100, "50"),
        ("expected", 10**12, "2000000000"),
        ("filled_with", 10**12, "1000000000"),
        ("bits_per_element", 0, "1"),
    ],
)
def test_a_size_that_cannot_be_is_refused_with_what_would_be_accepted(param: str, value: int, accepted: str) -> None:
    blocks = [block("users", "client"), block("app", "app_server"), block("filter", "bloom_filter", **{param: value})]
    design = {"blocks": blocks, "edges": [edge("users", "app"), edge("app", "filter", "filter")]}
    with pytest.raises(InputError) as refused:
        check_design(parse_design(design))
    (problem,) = refused.value.problems
    assert (problem.block, problem.parameter) == ("filter", param)
    assert f"{value:g}" in problem.message or str(value) in problem.message
    assert problem.accepted is not None and accepted in problem.accepted.replace(",", "")


def test_deleting_what_is_not_there_takes_nothing_out() -> None:
    # Its bits would be those of others.
    drawing = scenario(
        [
            block("users", "client", rate_per_s=200, read_weight=0, write_weight=0, delete_weight=100, keys=20),
            block("app", "app_server"),
            block("filter", "bloom_filter", variant="counting", expected=20),
            block("db", "sql_database", rows=20),
        ],
        [edge("users", "app"), edge("app", "filter", "filter"), edge("app", "db", "store")],
    )
    execution = run_drawing(drawing)
    assert figures(execution, "db")["deleted"] == figures(execution, "filter")["removals"] == 20
    assert figures(execution, "filter")["elements"] == 0
    assert figures(execution, "users")["not_found"] > 1000
