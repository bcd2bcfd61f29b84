"""Transactions whose application has crashed or no longer waits. Source: PostgreSQL's manual, ``client_connection_check_interval``: a
server that runs a statement looks for its client when it answers; one that waits for the next one reads the end of the connection."""

from __future__ import annotations

import pytest

from playground.execution import Execution
from playground.protocol.catalogue import Scalar
from playground.protocol.design import InjectFault, Scenario, SetParam
from tests.sketch import at, block, edge, metric, scenario


def one_row(think_ms: float, timeout_ms: float, sharded: bool = False, **app: Scalar) -> Scenario:
    """60 buyers a second of one item, FOR UPDATE; there is enough of it for all."""
    program = {"workers": 4_000, "queue_max": 5_000, "before_mean_ms": 1, "buy_method": "for_update", "buy_retries": 0}
    think: dict[str, Scalar] = {"buy_think_mean_ms": think_ms, "buy_think_distribution": "constant"}
    traffic: dict[str, Scalar] = {"key_choice": "uniform", "read_weight": 0, "write_weight": 0, "buy_weight": 1}
    stock: dict[str, Scalar] = {"rows": 10, "stock": 10_000_000, "pool": 4_000, "query_mean_ms": 0.2}
    blocks = [
        block("users", "client", rate_per_s=60, users=5_000, keys=1, **traffic),
        block("app", "app_server", **program, **think, **app),
        block("db", "sql_database", **stock),
    ]
    wire = {"timeout_ms": timeout_ms, "latency_mean_ms": 0.5, "latency_distribution": "constant"}
    edges = [edge("users", "app", timeout_ms=timeout_ms + 200)]
    if sharded:
        blocks.append(block("router", "shard_router", workers=10_000))
        edges += [edge("app", "router", "store", **wire), edge("router", "db", "shards")]
    else:
        edges.append(edge("app", "db", "store", **wire))
    return scenario(blocks, edges, until_s=40)


@pytest.mark.parametrize("sharded", [False, True])
def test_a_transaction_whose_application_is_gone_is_rolled_back_when_the_server_hears_of_it(sharded: bool) -> None:
    drawing = one_row(20_000, 600_000, sharded)
    crash = InjectFault(target="app", fault="crash", params={"restart_after_s": 1.0})
    quick = SetParam(target="app", param="buy_think_mean_ms", value=1.0)
    drawing.interventions.extend([at(5, crash), at(5.5, quick)])
    execution = Execution(drawing, recorded=False)
    execution.advance(4_900_000_000)
    assert metric(execution, "db", "lock_queue") > 250 and metric(execution, "db", "bought") == 0
    # The holder thought; the others get the lock one after the other, and find nobody to tell.
    execution.advance(5_500_000_000)
    assert metric(execution, "db", "open_transactions") == 0 == metric(execution, "db", "lock_queue")
    assert metric(execution, "db", "hung_up") == metric(execution, "db", "purchases")
    execution.advance(10_000_000_000)
    assert metric(execution, "db", "bought") > 200


def test_buyers_who_time_out_leave_the_lock_to_those_who_still_wait() -> None:
    # 25 ms of thinking, two round trips, a flush: at most 35 a second can buy, and 60 come. First come, first served: who gets the lock
    # has waited for almost a second, and some hang up with it; but no one who has hung up keeps it.
    execution = Execution(one_row(25, 1_000), recorded=False)
    bought = []
    for until_s in (10, 20, 30, 40):
        execution.advance(until_s * 1_000_000_000)
        bought.append(metric(execution, "db", "bought") - sum(bought))
    assert all(170 < it < 370 for it in bought), bought
    assert metric(execution, "db", "hung_up") > 500
    assert metric(execution, "db", "lock_queue") < 100
