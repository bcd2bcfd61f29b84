"""What parameters and faults allow together may take longer than 2**63 ns: it then takes longer than any run, and breaks none.

Compiled whole numbers wrap where interpreted ones grow, so the figures below must not depend on which of the two runs.
"""

from __future__ import annotations

from typing import Any

import pytest

from playground.engine.durations import LONGEST_NS, whole_ns
from playground.execution import Execution
from playground.protocol.design import Intervention
from tests.sketch import at, block, edge, fault, figures, run, scenario, unaccounted


def ran(*drawing: Any, interventions: list[Intervention] | None = None) -> Execution:
    blocks = [thing for thing in drawing if "kind" in thing]
    edges = [thing for thing in drawing if "kind" not in thing]
    execution = run(scenario(blocks, edges, until_s=10, interventions=interventions or []))
    assert unaccounted(execution) == []
    return execution


@pytest.mark.parametrize("ns", [float(LONGEST_NS), 1e19, 1e300, float("inf"), float("nan")])
def test_what_is_too_long_for_a_number_lasts_longer_than_any_run(ns: float) -> None:
    assert whole_ns(ns) == LONGEST_NS
    assert whole_ns(12.9) == 12


def test_slow_downs_upon_slow_downs_hold_a_call_for_longer_than_the_run() -> None:
    execution = ran(
        block("users", "client", rate_per_s=10),
        block("app", "app_server", before_mean_ms=600_000, before_distribution="constant"),
        edge("users", "app"),
        interventions=[at(second, fault("app", "slow_down", factor=100_000)) for second in (1.0, 2.0, 3.0)],
    )
    assert figures(execution, "app")["in_flight"] == figures(execution, "app")["offered"] > 50


def test_a_list_may_cost_more_than_a_run_has_time() -> None:
    execution = ran(
        block("users", "client", rate_per_s=10, read_weight=0, list_weight=1),
        block("app", "app_server"),
        block("db", "sql_database", query_mean_ms=60_000, query_distribution="lognormal", query_cv=20, list_cost=1e5),
        edge("users", "app"),
        edge("app", "db", port="store"),
        interventions=[at(1.0, fault("db", "slow_down", factor=100_000))],
    )
    assert figures(execution, "db")["completed"] == 0


def test_a_client_slowed_down_without_end_asks_no_more() -> None:
    execution = ran(
        block("users", "client", rate_per_s=0.001),
        block("app", "app_server"),
        edge("users", "app"),
        interventions=[at(0.1, fault("users", "spike", factor=0.01)) for _ in range(8)],
    )
    assert figures(execution, "users")["offered"] == 0


def test_a_line_with_more_on_it_than_it_ever_carries_delivers_nothing_early() -> None:
    execution = ran(
        block("users", "client", rate_per_s=1_000, request_bytes=1_000_000_000),
        block("app", "app_server"),
        edge("users", "app", bandwidth_mbit_per_s=0.001),
    )
    assert figures(execution, "users")["in_flight"] == figures(execution, "users")["offered"] > 9_000
    assert figures(execution, "app")["offered"] == 0
