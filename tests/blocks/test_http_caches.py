"""What is particular to CDN and browser cache: points of presence, purges, cells, and what becomes of those who wait."""

from __future__ import annotations

import pytest

from playground.engine.http_store import is_failure
from playground.engine.outcomes import OUTCOME_COUNT, OUTCOMES
from playground.execution import Execution
from tests.laws.edge_designs import browsers, cdn, chain, database, during, readers, shop, to
from tests.sketch import at, fault, metric, quieten, set_param, unaccounted

EMPTY, FRESH, STALE, EXPIRED, NEGATIVE, MARKED = 0, 1, 2, 3, 4, 128


def cells(execution: Execution, name: str) -> list[int]:
    return list(execution.model.blocks[name].cells())


def test_a_dead_points_users_reach_the_next_one() -> None:
    crash = at(2, fault("cdn", "crash", instance=0))
    execution = chain(
        readers(rate_per_s=1_000, users=1_000),
        cdn(max_age_s=1_000, points=3, hit_time_mean_ms=0),
        shop(),
        interventions=[crash],
    )
    to(execution, 5)
    assert metric(execution, "users", "failed") == 0
    assert metric(execution, "cdn", "keys") == 2
    assert metric(execution, "cdn", "origin_requests") == 3


def test_all_points_dead_refuse_by_name() -> None:
    crash = at(2, fault("cdn", "crash"))
    execution = to(chain(readers(rate_per_s=100), cdn(points=3), shop(), interventions=[crash]), 5)
    assert execution.model.blocks["users"].failures_by_reason() == {"refused": pytest.approx(300, abs=3)}


@pytest.mark.parametrize("cache", ["cdn", "browsers"])
def test_a_purge_of_one_key_leaves_the_others(cache: str) -> None:
    layer = cdn(max_age_s=1_000, points=2) if cache == "cdn" else browsers(max_age_s=1_000)
    execution = to(chain(readers(rate_per_s=1_000, keys=5, users=20), layer, shop()), 3)
    copies = metric(execution, cache, "keys")
    assert copies == (10 if cache == "cdn" else 100)
    execution.act(fault(cache, "purge", key=2), "test")
    assert metric(execution, cache, "keys") == copies - copies / 5
    noted = execution.take_notables()[-1]
    assert noted.title == f"Key 2 purged from {cache}" and f"{copies / 5:.0f} copies" in noted.detail
    execution.act(fault(cache, "purge"), "test")
    assert metric(execution, cache, "keys") == 0
    to(execution, 6)
    assert metric(execution, cache, "keys") == copies


def test_cells_show_how_the_most_popular_items_age() -> None:
    users = readers(rate_per_s=1_000, keys=3)
    layer = cdn(max_age_s=1, stale_while_revalidate_s=1, negative_ttl_s=2)
    execution = to(chain(users, layer, shop(), database(rows=2)), 0.9)
    state = [cell & ~MARKED for cell in cells(execution, "cdn")]
    assert state == [FRESH, FRESH, NEGATIVE] + 61 * [EMPTY]
    assert len([cell for cell in cells(execution, "cdn") if cell & MARKED]) == 1
    quieten(execution)
    # The last fetch was before 0.95 s; what nobody asks for is not revalidated.
    to(execution, 1.98)
    assert [cell & ~MARKED for cell in cells(execution, "cdn")][:3] == [STALE, STALE, NEGATIVE]
    to(execution, 2.98)
    assert [cell & ~MARKED for cell in cells(execution, "cdn")][:3] == [EXPIRED, EXPIRED, EXPIRED]


def test_cells_of_browsers_are_one_users() -> None:
    execution = to(chain(readers(rate_per_s=100, keys=60, users=30), browsers(max_age_s=1_000), shop()), 2)
    shown = [cell & ~MARKED for cell in cells(execution, "browsers")]
    # One user of 30 has asked for 6 or 7 of 60 items.
    assert 1 <= shown.count(FRESH) <= 20
    assert shown.count(FRESH) + shown.count(EMPTY) == 64


def test_who_waits_may_leave_and_the_fetch_goes_on_for_the_others() -> None:
    impatient = readers("impatient", rate_per_s=200)
    users = readers(rate_per_s=200)
    execution = chain(users, cdn(max_age_s=1_000), shop(500), beside=[(impatient, "cdn")])
    execution.act(set_param("impatient--cdn", "timeout_ms", 50), "test")
    execution.act(set_param("impatient--cdn", "cancel_on_timeout", True), "test")
    to(execution, 0.45)
    assert metric(execution, "impatient", "failed") > 50
    assert execution.model.blocks["cdn"].cancelled > 50
    to(execution, 2)
    assert metric(execution, "users", "failed") == 0
    assert metric(execution, "cdn", "origin_requests") == 1
    assert unaccounted(execution) == []


def test_who_waits_at_a_point_that_dies_is_told_and_the_late_answer_is_nobodys() -> None:
    crash = at(0.2, fault("cdn", "crash", restart_after_s=0.1))
    execution = chain(
        readers(rate_per_s=100), cdn(max_age_s=1_000, hit_time_mean_ms=0), shop(500), interventions=[crash]
    )
    to(execution, 0.25)
    assert execution.model.blocks["users"].failures_by_reason()["crashed"] == pytest.approx(19, abs=1)
    # The answer to what was asked before the crash, at 0.51 s, is not stored: memory is new.
    to(execution, 0.7)
    assert metric(execution, "cdn", "keys") == 0
    to(execution, 2)
    assert metric(execution, "cdn", "origin_requests") == 2
    assert metric(execution, "cdn", "keys") == 1
    quieten(execution)
    to(execution, 50)
    assert unaccounted(execution) == []


def test_an_answer_waits_for_a_point_that_stands_still() -> None:
    pause = at(0.1, fault("cdn", "pause", instance=0, duration_s=1.0))
    users = readers(rate_per_s=1_000, users=1_000)
    layer = cdn(max_age_s=1_000, points=2, hit_time_mean_ms=0)
    execution = to(chain(users, layer, shop(200), interventions=[pause]), 1.0)
    # The other point has got its answer.
    assert metric(execution, "cdn", "keys") == 1
    assert metric(to(execution, 1.2), "cdn", "keys") == 2


def test_who_is_refused_does_not_get_those_refused_who_wait_with_it() -> None:
    # Guests never sign in, so the server sends them away (401). Users who wait for the request that a guest made ask by themselves.
    layers = (readers(rate_per_s=500, users=20, sign_in=True), cdn(max_age_s=0), shop(50, sessions="local"))
    execution = chain(*layers, beside=[(readers("guests", rate_per_s=500), "cdn")])
    assert during(execution, "users", "sign_ins", 1, 5) == 0
    assert metric(execution, "users", "failed") == 0
    refused = execution.model.blocks["guests"].failures_by_reason()
    assert list(refused) == ["signed_out"] and refused["signed_out"] > 20
    assert unaccounted(execution) == []


def test_a_refusal_of_this_caller_is_no_failure_that_stale_answers_stand_in_for() -> None:
    spared = [OUTCOMES[outcome] for outcome in range(OUTCOME_COUNT) if not is_failure(outcome)]
    assert spared == ["ok", "rate_limited", "signed_out", "bad_request"]


def test_without_an_origin_reads_and_writes_fail_by_name() -> None:
    execution = to(chain(readers(rate_per_s=100, write_weight=50, read_weight=50), cdn(), shop()), 1)
    execution.model.blocks["cdn"].out["origin"].clear()
    execution.model.blocks["cdn"].wired()
    to(execution, 70)
    assert "no_upstream" in execution.model.blocks["users"].failures_by_reason()
    quieten(execution)
    to(execution, 90)
    assert unaccounted(execution) == []
    assert metric(execution, "users", "in_flight") == 0
