"""Who rebuilds an item that many miss at once. One expired key, 10,000 reads/s, a rebuild of 200 ms: about 2,000 rebuilds without help,
1 with a lock (SET key value NX EX, as the Redis manual has it), 1 in the background with a soft time to live (RFC 5861's
stale-while-revalidate)."""

from __future__ import annotations

import pytest

from playground import theory
from playground.execution import Execution
from tests.laws.caches import Params, counted, queries, reach, second_server, shop
from tests.laws.intervals import poisson_bounds
from tests.sketch import at, fault, metric, set_param, unaccounted

RATE = 10_000.0
REBUILD_MS = 200.0
EXPIRES_S = 0.1


def expired(cache: Params, *, seed: int = 1, how: str = "expire_key", app: Params | None = None) -> Execution:
    """The key expires at 0.1 s; run until all of it is over."""
    drawing = shop(
        rate_per_s=RATE,
        query_ms=REBUILD_MS,
        cache=cache,
        app=app,
        seed=seed,
        interventions=[at(EXPIRES_S, fault("cache", how, key=1))],
    )
    return reach(Execution(drawing, recorded=False), 0.4)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_without_help_arrival_rate_times_rebuild_time_callers_rebuild(seed: int) -> None:
    execution = expired({}, seed=seed)
    low, high = poisson_bounds(theory.stampede(RATE, REBUILD_MS / 1000))
    assert low <= queries(execution) <= high
    assert counted(execution, "rebuilds") == queries(execution) == counted(execution, "largest_stampede")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_with_a_lock_exactly_one_rebuilds_and_the_others_wait_for_it(seed: int) -> None:
    execution = expired({"rebuild": "lock", "lock_poll_ms": 20}, seed=seed)
    assert queries(execution) == counted(execution, "rebuilds") == 1
    assert counted(execution, "stampedes") == 0
    low, high = poisson_bounds(theory.stampede(RATE, REBUILD_MS / 1000))
    assert low <= counted(execution, "waits") + 1 <= high
    assert counted(execution, "waits") == counted(execution, "rebuild_waits", "app")
    assert counted(execution, "failed", "users") == 0
    (noted,) = [it for it in execution.take_notables() if it.kind == "collapsed"]
    assert noted.title.startswith("Key 1 rebuilt once for")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_with_a_soft_ttl_exactly_one_refreshes_in_the_background_and_nobody_waits(seed: int) -> None:
    # Between the soft and the hard time to live the old value is served at the latency of a hit.
    execution = expired({"ttl_s": 60, "soft_ttl_s": 30}, seed=seed, how="age_key")
    assert queries(execution) == counted(execution, "refreshes") == counted(execution, "refreshes", "app") == 1
    assert counted(execution, "rebuilds") == counted(execution, "misses") == 0
    low, high = poisson_bounds(theory.stampede(RATE, REBUILD_MS / 1000))
    assert low <= counted(execution, "stale_hits") <= high
    assert counted(execution, "stale_answers", "users") == counted(execution, "stale_hits")
    assert metric(execution, "users", "recent_p99_ms") < 0.01
    assert execution.model.blocks["users"].histogram.percentile(1.0) < 10_000


@pytest.mark.parametrize("seed", [1, 2])
def test_past_the_hard_ttl_callers_block(seed: int) -> None:
    # Nobody reads until the key has been past its hard time to live for a while; then 10,000/s do.
    drawing = shop(
        rate_per_s=0.001,
        query_ms=REBUILD_MS,
        cache={"ttl_s": 1, "soft_ttl_s": 0.5},
        seed=seed,
        interventions=[at(1.5, set_param("users", "rate_per_s", RATE))],
    )
    execution = reach(Execution(drawing, recorded=False), 1.8)
    low, high = poisson_bounds(theory.stampede(RATE, REBUILD_MS / 1000))
    assert low <= queries(execution) == counted(execution, "misses") <= high
    assert counted(execution, "stale_hits") == counted(execution, "refreshes") == 0
    worst = execution.model.blocks["users"].histogram.percentile(1.0)
    assert worst == pytest.approx(REBUILD_MS * 1e6, rel=0.05)


def test_a_read_that_waits_too_long_for_anothers_rebuild_reads_the_store_itself() -> None:
    execution = expired({"rebuild": "lock", "lock_poll_ms": 20}, app={"rebuild_wait_ms": 100})
    given_up = counted(execution, "waits_given_up", "app")
    assert queries(execution) == 1 + given_up
    low, high = poisson_bounds(theory.stampede(RATE, 0.1))
    assert low <= given_up <= high


# ---- locks whose holder dies, or is slow


def crashed_holder(cache: Params, *, seed: int) -> Execution:
    """The server with all the traffic takes the lock of an expired key, and dies while it rebuilds; another one has come meanwhile."""
    more, wires = second_server("other", 0.001)
    drawing = shop(
        rate_per_s=5_000,
        query_ms=REBUILD_MS,
        cache=cache,
        seed=seed,
        more=more,
        wires=wires,
        interventions=[
            at(0.1, fault("cache", "expire_key", key=1)),
            at(0.11, set_param("other_users", "rate_per_s", 500)),
            at(0.2, fault("app", "crash")),
        ],
    )
    return reach(Execution(drawing, recorded=False), 0.2)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_when_the_lock_holder_crashes_nobody_rebuilds_until_the_lock_expires(seed: int) -> None:
    lock_s = 1.0
    execution = crashed_holder({"rebuild": "lock", "lock_ttl_s": lock_s, "lock_poll_ms": 5}, seed=seed)
    # The lock was taken by the first read after the expiry, at 5,000 reads/s.
    reach(execution, 0.1 + lock_s)
    assert queries(execution) == 1
    assert metric(execution, "cache", "keys") == 0
    assert counted(execution, "in_flight", "other") == counted(execution, "offered", "other") > 300
    reach(execution, 0.1 + lock_s + 0.05)
    assert queries(execution) == 2
    assert counted(execution, "locks_expired") == 1
    assert "lock_expired" in {it.kind for it in execution.take_notables()}
    reach(execution, 0.1 + lock_s + 0.3)
    assert queries(execution) == 2
    assert metric(execution, "cache", "keys") == 1
    assert counted(execution, "in_flight", "other") == 0, "all who waited have been answered"
    assert unaccounted(execution) == []


def slow_holder(owner_check: bool, *, seed: int) -> Execution:
    """A rebuild of 200 ms under a lock of 150 ms; 250 ms after it began the key expires once more."""
    drawing = shop(
        rate_per_s=2_000,
        query_ms=REBUILD_MS,
        cache={"rebuild": "lock", "lock_ttl_s": 0.150, "lock_poll_ms": 1, "lock_owner_check": owner_check},
        seed=seed,
        interventions=[at(0.1, fault("cache", "expire_key", key=1)), at(0.320, fault("cache", "expire_key", key=1))],
    )
    return reach(Execution(drawing, recorded=False), 0.315)


@pytest.mark.parametrize("owner_check", [True, False])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_holder_slower_than_its_lock_makes_two_rebuilds(seed: int, owner_check: bool) -> None:
    execution = slow_holder(owner_check, seed=seed)
    assert queries(execution) == counted(execution, "rebuilds") == 2
    assert counted(execution, "late_unlocks") == 1


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_unconditional_delete_frees_somebody_elses_lock_and_compare_and_delete_does_not(seed: int) -> None:
    # The first holder is done at 0.3 s; the second has the lock from 0.25 to 0.4 s, and the key expires again at 0.32 s.
    careful, careless = (slow_holder(check, seed=seed) for check in (True, False))
    assert counted(careful, "locks_freed_wrongly") == 0
    assert counted(careless, "locks_freed_wrongly") == 1
    assert "lock_freed_wrongly" in {it.kind for it in careless.take_notables()}
    assert "lock_freed_wrongly" not in {it.kind for it in careful.take_notables()}
    for execution in (careful, careless):
        reach(execution, 0.390)
    assert queries(careful) == 2, "the second holder still has its lock"
    assert queries(careless) == 3, "nobody has one, so a third rebuilds"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_lock_is_given_back_when_the_rebuild_fails(seed: int) -> None:
    # The database is down for half a second; the lock would last for a minute.
    drawing = shop(
        rate_per_s=1_000,
        query_ms=10,
        cache={"rebuild": "lock", "lock_ttl_s": 60, "lock_poll_ms": 5},
        seed=seed,
        interventions=[
            at(0.1, fault("db", "crash", restart_after_s=0.5)),
            at(0.1, fault("cache", "expire_key", key=1)),
        ],
    )
    execution = reach(Execution(drawing, recorded=False), 1.0)
    assert counted(execution, "failed", "users") > 100
    assert metric(execution, "cache", "keys") == 1
    assert counted(execution, "locks") == 0
    assert counted(execution, "locks_expired") == 0
