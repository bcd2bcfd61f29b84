"""What a filter is told, and what it does when it is told too much: each item once, and full is full.

B. Fan et al., "Cuckoo filter", CoNEXT 2014, section 4: a cuckoo filter holds at most 2b copies of a fingerprint, and a delete is only safe
for what was entered.
"""

from __future__ import annotations

import pytest

from playground.engine.outcomes import ABSENT
from playground.execution import Execution
from playground.protocol.catalogue import Scalar
from playground.protocol.design import Scenario
from tests.sketch import SECOND, block, edge, fault, figures, run, scenario, set_param

Params = dict[str, Scalar]

DELETES = pytest.mark.parametrize("variant", ["counting", "cuckoo"])


def told(
    variant: str,
    *,
    client: Params,
    wire: Params | None = None,
    rows: int = 500,
    until_s: float = 10.0,
    **filter_: Scalar,
) -> Scenario:
    """Users who create, delete and read at a server that keeps a filter of the ids in its database."""
    users: Params = {"rate_per_s": 1_000, "keys": 500, "write_weight": 0, "unknown_percent": 50}
    return scenario(
        [
            block("users", "client", **{**users, **client}),
            block("app", "app_server", workers=10_000, before_mean_ms=0.1),
            block("filter", "bloom_filter", **{"variant": variant, "expected": 5_000, "rebuild_s": 2, **filter_}),
            block("db", "sql_database", rows=rows, buffer_rows=1_000, pool=10_000, cores=1_000, query_mean_ms=1),
        ],
        [edge("users", "app"), edge("app", "filter", "filter"), edge("app", "db", "store", **(wire or {}))],
        until_s=until_s,
    )


@pytest.mark.parametrize("variant", ["standard", "counting", "cuckoo"])
def test_an_item_that_is_created_again_is_not_entered_again(variant: str) -> None:
    # Popular ids are created over and over: a cuckoo filter has room for eight copies of one.
    execution = run(told(variant, client={"read_weight": 80, "create_weight": 20}))
    found, store = figures(execution, "filter"), figures(execution, "db")
    assert store["commits"] > 1_500 > 3 * store["created"] > 600
    assert found["adds"] == pytest.approx(store["created"], abs=3)
    assert found["elements"] == 500 + found["adds"]
    # Those few whose readers came between the store and the filter.
    assert found["adds_refused"] == 0 and found["false_negatives"] < 10


@DELETES
def test_what_is_created_and_deleted_many_times_is_in_once_or_not_at_all(variant: str) -> None:
    client: Params = {"read_weight": 60, "create_weight": 20, "delete_weight": 20, "keys": 50, "unknown_percent": 50}
    execution = run(told(variant, client=client, target_rate_percent=0.001, size_by="rate"))
    found, store = figures(execution, "filter"), figures(execution, "db")
    assert found["removals"] == pytest.approx(store["deleted"], abs=3)
    assert found["elements"] == pytest.approx(500 + store["created"] - store["deleted"], abs=3)
    assert found["false_negatives"] < 10


def test_a_second_attempt_that_finds_its_own_item_tells_the_filter_of_it() -> None:
    # Three in ten messages are lost. Where it was the answer, the first attempt has made the row: nobody else will tell the filter of it.
    client: Params = {"read_weight": 90, "create_weight": 10, "unknown_choice": "uniform", "unknown_keys": 3_000}
    lossy: Params = {"loss_percent": 30, "timeout_ms": 50, "retries": 8}
    execution = run(told("standard", client=client, wire=lossy))
    found, store = figures(execution, "filter"), figures(execution, "db")
    assert found["adds"] >= store["created"] - 10
    assert found["false_negatives"] < 0.05 * found["checked"]


@pytest.mark.parametrize(
    ("expected", "bits"), [pytest.param(250, 10.0, id="too small"), pytest.param(1_000, 2.0, id="two bits")]
)
def test_a_cuckoo_filter_that_is_built_of_too_many_ids_counts_those_without_a_place_and_says_that_it_is_full(
    expected: int, bits: float
) -> None:
    asked: Params = {"unknown_percent": 0, "keys": 1_000, "key_choice": "uniform"}
    drawing = told("cuckoo", client=asked, expected=expected, bits_per_element=bits, rows=1_000, until_s=8.0)
    execution = Execution(drawing, recorded=False)
    assert execution.advance(4 * SECOND)
    found = figures(execution, "filter")
    assert found["adds_refused"] == 1_000 - found["elements"] > 0
    assert found["false_negatives"] > 50
    detail = execution.model.blocks["filter"].detail()
    assert f"full; {found['adds_refused']:.0f} ids found no place when it was built" in str(detail["state"])
    (noted,) = [it for it in execution.take_notables() if it.kind == "filter_full"]
    assert f"1000 ids, and {found['adds_refused']:.0f} of them" in noted.detail
    # A rebuild tries all of them again, with other hashes.
    execution.act(fault("filter", "rebuild"), "test")
    assert execution.advance(8 * SECOND)
    again = figures(execution, "filter")
    assert again["adds_refused"] == found["adds_refused"] + 1_000 - again["elements"] > found["adds_refused"]


@pytest.mark.parametrize("after", ["standard", "counting", "cuckoo"])
@pytest.mark.parametrize("before", ["standard", "counting", "cuckoo"])
def test_an_id_deleted_while_a_filter_of_another_kind_is_built_is_in_none_that_can_take_ids_out(
    before: str, after: str
) -> None:
    # Deletes from the beginning to the end; from 3 s to 6 s both filters are there.
    client: Params = {
        "rate_per_s": 400,
        "keys": 2_000,
        "key_choice": "uniform",
        "read_weight": 90,
        "delete_weight": 10,
        "unknown_percent": 0,
    }
    drawing = told(before, client=client, rows=2_000, until_s=12.0, rebuild_s=3, bits_per_element=20)
    execution = Execution(drawing, recorded=False)
    assert execution.advance(3 * SECOND)
    execution.act(set_param("filter", "variant", after), "test")
    assert execution.advance(7 * SECOND)
    filter_ = execution.model.blocks["filter"].filter  # type: ignore[attr-defined]
    db = execution.model.blocks["db"]
    gone = {key for key in range(1, 2_001) if db.current_version(key) == ABSENT}
    assert len(gone) > 200
    kept = {key for key in gone if filter_.contains(key)}
    if after == "standard":
        # None but those that were gone before it was begun.
        assert len(kept) > 100
    else:
        # One or two are gone from the store, and the filter has not heard of it yet.
        assert len(kept) <= 2 and filter_.elements <= 2_000 - len(gone) + 2
    assert all(filter_.contains(key) for key in range(1, 2_001) if key not in gone)
