"""What is left behind where something changes while something else stands still, or its people go."""

from __future__ import annotations

import pytest

from playground.execution import Execution
from tests.engine.parts import SECOND
from tests.sketch import at, block, edge, fault, metric, scenario, set_param


@pytest.mark.parametrize("whole", [False, True])
def test_writes_behind_come_to_the_store_although_nodes_stood_still_while_their_number_changed(whole: bool) -> None:
    drawing = scenario(
        [
            block("users", "client", rate_per_s=300, keys=60, read_weight=50, write_weight=50, users=50),
            block("app", "app_server", workers=500, before_mean_ms=1, writes="cache"),
            block("cache", "cache", instances=3, write_policy="behind", capacity=1_000),
            block("db", "sql_database", rows=60, buffer_rows=60),
        ],
        [
            edge("users", "app"),
            edge("app", "cache", "cache"),
            edge("app", "db", "store"),
            edge("cache", "db", "store"),
        ],
        until_s=60,
        interventions=[
            at(10, fault("cache", "pause", instance=None if whole else 2, duration_s=0.3 if whole else 1.0)),
            at(10.2 if whole else 10.5, set_param("cache", "instances", 4 if whole else 2)),
            at(20, set_param("cache", "instances", 3)),
            at(30, set_param("users", "write_weight", 0)),
        ],
    )
    execution = Execution(drawing, recorded=False)
    execution.advance(60 * SECOND)
    assert metric(execution, "cache", "lost_writes") == 0
    assert metric(execution, "cache", "unwritten") == 0
    cache, db = execution.model.blocks["cache"], execution.model.blocks["db"]
    promised = cache.promised  # type: ignore[attr-defined]
    given = {key: int(promised.version[promised.find(key)]) for key in range(1, 61) if promised.find(key) >= 0}
    assert len(given) > 30
    assert {key: it for key, it in given.items() if it > db.current_version(key)} == {}


def test_users_who_are_no_more_lose_no_session() -> None:
    drawing = scenario(
        [
            block("users", "client", rate_per_s=30, users=60, sign_in=True, key_choice="uniform", keys=100),
            block("app", "app_server", sessions="local", before_mean_ms=1),
        ],
        [edge("users", "app")],
        until_s=130,
        interventions=[
            at(60, set_param("users", "users", 3)),
            at(100, fault("app", "crash", instance=None, restart_after_s=1.0)),
        ],
    )
    execution = Execution(drawing, recorded=False)
    execution.advance(99 * SECOND)
    assert metric(execution, "users", "signed_in") <= 3
    execution.advance(101 * SECOND)
    assert metric(execution, "app", "sessions_lost") <= 3


def test_sessions_that_are_thrown_away_with_the_place_they_were_kept_in_are_lost() -> None:
    drawing = scenario(
        [
            block("users", "client", rate_per_s=30, users=60, sign_in=True, key_choice="uniform", keys=100),
            block("app", "app_server", sessions="local", before_mean_ms=1),
        ],
        [edge("users", "app")],
        until_s=130,
        interventions=[at(60, set_param("app", "sessions", "none"))],
    )
    execution = Execution(drawing, recorded=False)
    execution.advance(59 * SECOND)
    held = metric(execution, "users", "signed_in")
    execution.advance(61 * SECOND)
    assert metric(execution, "app", "sessions_lost") == pytest.approx(held, abs=3) and held > 50
