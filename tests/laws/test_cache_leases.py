"""Leases: R. Nishtala et al., "Scaling Memcache at Facebook", NSDI 2013, section 3.2.1. One token a key in 10 s; a delete voids it, and a
set with a void token is refused, so that what was read before a change is not put in after it."""

from __future__ import annotations

import pytest

from playground.execution import Execution
from playground.protocol.design import Scenario
from tests.laws.caches import Params, counted, queries, reach, second_server, shop
from tests.sketch import at, fault, metric, run


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_key_has_one_lease_in_ten_seconds(seed: int) -> None:
    # The server that has the lease dies: the next one is given 10 s after the first.
    more, wires = second_server("other", 30.0, app={"workers": 100_000})
    drawing = shop(
        rate_per_s=1_000,
        query_ms=500,
        cache={"rebuild": "lease", "lock_poll_ms": 100},
        more=more,
        wires=wires,
        seed=seed,
        until_s=20,
        interventions=[at(0.1, fault("cache", "expire_key", key=1)), at(0.5, fault("app", "crash"))],
    )
    execution = reach(Execution(drawing, recorded=False), 10.1)
    assert queries(execution) == counted(execution, "rebuilds") == 1
    reach(execution, 10.3)
    assert queries(execution) == counted(execution, "rebuilds") == 2
    reach(execution, 11)
    assert metric(execution, "cache", "keys") == 1
    assert counted(execution, "in_flight", "other") == 0


def test_a_set_whose_lease_a_delete_has_voided_is_refused() -> None:
    # The rebuild begins at 0.1 s and takes 200 ms; at 0.2 s somebody changes the item, which is deleted here.
    writer: Params = {"write_weight": 1, "read_weight": 0, "arrivals": "even"}
    more, wires = second_server("writers", 5.0, client=writer)
    drawing = shop(
        rate_per_s=500,
        query_ms=0.001,
        db={"query_mean_ms": 0.05},
        cache={"rebuild": "lease", "lock_poll_ms": 5},
        more=more,
        wires=wires,
        interventions=[at(0.1, fault("cache", "expire_key", key=1)), at(0.1, fault("app--db", "latency", add_ms=75))],
    )
    execution = reach(Execution(drawing, recorded=False), 2.0)
    assert counted(execution, "leases_refused") >= 1
    assert "lease_refused" in {it.kind for it in execution.take_notables()}


def churned(seed: int, **app: float) -> Scenario:
    """One item that is read 40 times and changed 5 times a second; a read from the store takes 20 ms."""
    writer: Params = {"write_weight": 1, "read_weight": 0}
    more, wires = second_server("writers", 5.0, client=writer)
    return shop(
        rate_per_s=40,
        query_ms=20,
        app=app,
        cache={"rebuild": "lease", "lock_poll_ms": 200},
        more=more,
        wires=wires,
        seed=seed,
        until_s=35,
    )


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_changes_that_void_a_lease_do_not_bring_the_next_one_forward(seed: int) -> None:
    # The first change is within the first second or two; from then on a token in 10 s, whether the last one was voided or used.
    execution = reach(Execution(churned(seed), recorded=False), 35)
    assert counted(execution, "deletes") > 100
    assert counted(execution, "rebuilds") == 4
    # Everybody who came meanwhile has waited, for 10 s at most, and asked again.
    assert counted(execution, "waits") > 800
    assert metric(execution, "users", "failed") == 0
    assert counted(execution, "waits_given_up", "app") == 0
    assert metric(execution, "users", "recent_p99_ms") < 10_500


@pytest.mark.parametrize("seed", [1, 2])
def test_who_waits_in_vain_reads_for_all_who_wait_and_puts_in_nothing_that_has_changed_since(seed: int) -> None:
    execution = reach(Execution(churned(seed, rebuild_wait_ms=1_000), recorded=False), 35)
    given_up = counted(execution, "waits_given_up", "app")
    # One second after a change one does, or two until the first of them has the item; then all others are answered from it.
    assert 15 < given_up < 0.1 * metric(execution, "app", "offered")
    assert counted(execution, "rebuilds") == 4
    assert counted(execution, "leases_refused") > 3
    assert counted(execution, "stale_served") == 0


def raced(rebuild: str, seed: int) -> Execution:
    """Readers and writers of one item; a read from the store takes up to 100 ms to come back, a write is quick."""
    writer: Params = {"write_weight": 1, "read_weight": 0}
    more, wires = second_server("writers", 4.0, client=writer)
    slow = {"latency_mean_ms": 20, "latency_distribution": "exponential"}
    drawing = shop(
        rate_per_s=300,
        query_ms=0.05,
        # Leases so short that readers don't wait for the next one most of the time.
        cache={"rebuild": rebuild, "lock_poll_ms": 20, "lease_s": 0.15},
        more=more,
        wires=wires,
        seed=seed,
        until_s=30,
    )
    edges = [it.model_copy(update={"params": slow}) if it.id == "app--db" else it for it in drawing.design.edges]
    return run(drawing.model_copy(update={"design": drawing.design.model_copy(update={"edges": edges})}))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_leases_keep_out_what_was_read_before_a_change_and_set_after_it(seed: int) -> None:
    free, leased = raced("free", seed), raced("lease", seed)
    # Whoever read before the change and sets after it leaves the old version in, until the next change.
    assert counted(free, "stale_served") > 100
    assert metric(free, "cache", "mean_staleness_ms") > 20
    # Every change here is committed and deleted within the same instant, so nothing stale is ever served.
    assert counted(leased, "stale_served") == 0
    assert counted(leased, "leases_refused") > 10
