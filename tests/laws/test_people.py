"""User 7 of Berlin is not user 7 of Boston: whatever keeps users apart keeps those of different clients apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from playground.engine.people import own_number
from playground.execution import Execution
from playground.protocol.catalogue import Scalar
from playground.protocol.design import EditDesign, Scenario
from tests.execution.test_edits import edited, without
from tests.sketch import SECOND, Shape, block, edge, figures, metric, run, scenario

USERS: dict[str, Scalar] = {"rate_per_s": 100, "users": 20, "keys": 20, "write_weight": 0, "session_requests": 1}


def of_two(
    *behind: Shape,
    links: list[Shape],
    until_s: float = 60,
    names: tuple[str, str] = ("berlin", "boston"),
    **both: Scalar,
) -> Scenario:
    """Two clients of 20 users, who call the first block behind them."""
    shapes = [block(name, "client", **{**USERS, **both}) for name in names]
    first = behind[0]["id"]
    return scenario([*shapes, *behind], [*(edge(name, first) for name in names), *links], until_s=until_s)


def users_seen(execution: Execution) -> set[int]:
    """The users who have come to the gateway so far."""
    kept = execution.model.blocks["gateway"].users
    return {int(kept.key[slot]) for slot in range(kept.made)}


def test_a_browser_holds_what_its_own_user_has_fetched() -> None:
    caches = [block("browsers", "browser_cache", max_age_s=3600), block("app", "app_server", workers=100)]
    execution = run(of_two(*caches, links=[edge("browsers", "app", "origin")], until_s=200))
    # Two times 20 users, 20 items each; a few were asked for twice before the first answer came.
    assert 800 <= metric(execution, "app", "completed") <= 810


def test_a_flood_from_one_client_leaves_the_users_of_another_alone() -> None:
    blocks = [block("gateway", "api_gateway"), block("app", "app_server", instances=20, workers=200)]
    drawing = of_two(*blocks, links=[edge("gateway", "app")], until_s=10)
    flood = [it.model_copy(update={"params": {**it.params, "rate_per_s": 20_000}}) if it.id == "boston" else it
             for it in drawing.design.blocks]  # fmt: skip
    execution = run(drawing.model_copy(update={"design": drawing.design.model_copy(update={"blocks": flood})}))
    assert execution.model.blocks["boston"].failures_by_reason()["rate_limited"] > 100_000
    assert execution.model.blocks["berlin"].failures_by_reason() == {}
    assert figures(execution, "gateway")["users"] == 40
    # Who it was is told by the number that the client calls them by, and whose they are.
    (note, *_) = [it for it in execution.take_notables() if it.kind == "rate_limited"]
    assert note.detail.split(" asked")[0] in {f"User {own} of boston" for own in range(20)}
    busiest = execution.detail("gateway")["busiest_users"][0]["user"]
    assert busiest in {f"{own} of boston" for own in range(20)}


def test_each_of_them_has_a_cookie_and_a_session_of_their_own() -> None:
    blocks = [block("lb", "load_balancer", sticky="cookie"), block("app", "app_server", instances=3, sessions="local")]
    execution = run(of_two(*blocks, links=[edge("lb", "app")], sign_in=True))
    assert sum(execution.model.blocks["lb"].targets.tied) == 40
    for name in ("berlin", "boston"):
        assert figures(execution, name)["signed_in"] == 20
        assert figures(execution, name)["signed_out"] == 0


def test_another_clients_user_of_the_same_number_has_not_written_what_one_reads() -> None:
    # All write in Berlin and all read in Boston, from replicas far behind: stale for all, and nobody misses a write of their own.
    db = block("db", "sql_database", instances=2, reads="any_replica", rows=20, apply_mean_ms=50)
    drawing = of_two(block("app", "app_server", workers=100), db, links=[edge("app", "db", "store")], until_s=20)
    mixes: dict[str, dict[str, Scalar]] = {"berlin": {"read_weight": 0, "write_weight": 1}, "boston": {}}
    blocks = [it.model_copy(update={"params": {**it.params, **mixes.get(it.id, {})}}) for it in drawing.design.blocks]
    execution = run(drawing.model_copy(update={"design": drawing.design.model_copy(update={"blocks": blocks})}))
    stale = execution.model.blocks["db"].stale
    assert stale.total > 100
    assert stale.own == 0
    rows = execution.detail("db")["latest_stale_reads"]
    assert all(row["by_user"].endswith(" of berlin") and row["read_by_user"].endswith(" of boston") for row in rows)


def test_what_a_cache_writes_behind_is_nobodys_own_write() -> None:
    # One user of Berlin, the first of all, reads what Boston's write into a cache; replicas are far behind.
    one = {**USERS, "users": 1}
    blocks = [
        block("berlin", "client", **one),
        block("boston", "client", **{**one, "read_weight": 0, "write_weight": 1}),
        block("readers", "app_server", workers=100),
        block("writers", "app_server", workers=100, writes="cache"),
        block("cache", "cache", write_policy="behind", flush_every_ms=100),
        block("db", "sql_database", instances=2, reads="any_replica", rows=20, apply_mean_ms=50),
    ]
    links = [edge("berlin", "readers"), edge("boston", "writers"), edge("readers", "db", "store")]
    links += [edge("writers", "cache", "cache"), edge("cache", "db", "store")]
    execution = run(scenario(blocks, links, until_s=20))
    stale = execution.model.blocks["db"].stale
    assert stale.total > 100
    assert stale.own == 0
    (row, *_) = execution.detail("db")["latest_stale_reads"]
    assert (row["by_user"], row["read_by_user"]) == ("nobody", "0 of berlin")
    assert ", by a cache that writes behind), committed" in row["says"]


# ---- numbers for life


def guarded(*names: str) -> Scenario:
    """Clients of 20 users each at a gateway."""
    blocks = [
        *(block(name, "client", **USERS) for name in names),
        block("gateway", "api_gateway"),
        block("app", "app_server"),
    ]
    return scenario(blocks, [*(edge(name, "gateway") for name in names), edge("gateway", "app")], until_s=100)


def test_a_lone_clients_users_have_the_numbers_that_it_gives_them() -> None:
    assert users_seen(run(guarded("berlin"), until_s=5)) == set(range(20))


def take_boston_out(data: dict[str, Any]) -> None:
    without(data, "boston")


def add_one_whose_id_comes_first(data: dict[str, Any]) -> None:
    data["blocks"].append(block("a", "client", **USERS))
    data["edges"].append(edge("a", "gateway"))


@pytest.mark.parametrize(("change", "new"), [(take_boston_out, 0), (add_one_whose_id_comes_first, 20)])
def test_whoever_comes_or_goes_while_it_runs_all_others_keep_their_numbers(
    change: Callable[[dict[str, Any]], None], new: int
) -> None:
    execution = run(guarded("berlin", "boston"), until_s=5)
    first = users_seen(execution)
    assert sorted(own_number(user) for user in first) == sorted([*range(20), *range(20)])
    edit, back = edited(execution.design, change), EditDesign(design=execution.design)
    execution.act(edit, "test")
    execution.advance(10 * SECOND)
    then = users_seen(execution)
    assert then > first if new else then == first
    assert len(then) == 40 + new
    # Who is put back is who they were, and so is one who comes and goes several times.
    for seconds, action in ((15, back), (20, edit), (25, back)):
        execution.act(action, "test")
        execution.advance(seconds * SECOND)
        assert users_seen(execution) == then
    assert metric(execution, "boston", "completed") > 100
