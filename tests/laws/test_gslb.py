"""Which region a request goes to, how long it takes there, and how long a dead region is still asked: what resolvers have cached ends with
its TTL (RFC 1035, 3.2.1), the health checks need their probes, and anycast has no cache at all (RFC 4786)."""

from __future__ import annotations

import pytest

from playground.catalogue import check_design
from playground.execution import Execution
from playground.protocol.catalogue import Scalar
from playground.protocol.design import Scenario
from playground.protocol.errors import InputError
from tests.laws.intervals import assert_agrees
from tests.sketch import (
    MS,
    SECOND,
    at,
    block,
    clear,
    edge,
    fault,
    in_use,
    metric,
    run,
    scenario,
    set_param,
    unaccounted,
)

ACCESS_MS = 10.0
RATE_PER_S = 400
RESOLVERS = 400
ASK_AGAIN_S = RESOLVERS / RATE_PER_S
"""Mean time from the end of an answer's TTL until the next request of that resolver: it asks only then."""

SEEDS = range(1, 9)
CRASH_S = 1.0
DETECTED_S_MAX = 3 * 30 + 1
"""Three probes in a row, one each 30 s, of which the last one is refused within a second."""


def world(
    regions: tuple[str, ...] = ("eu", "us"),
    *,
    client: str | None = "eu",
    rate_per_s: float = RATE_PER_S,
    seed: int = 1,
    until_s: float = 10.0,
    weights: dict[str, int] | None = None,
    **params: Scalar,
) -> Scenario:
    """Clients in one region, and a balancer with a server in each of several; only the ways take time."""
    blocks = [
        block("users", "client", rate_per_s=rate_per_s, region=client, users=1_000_000, write_weight=0),
        block("dns", "gslb", **{"resolvers": RESOLVERS, **params}),
    ]
    edges = [edge("users", "dns", latency_mean_ms=ACCESS_MS)]
    for region in regions:
        blocks += [
            block(region, "load_balancer", region=region),
            block(f"{region}-app", "app_server", region=region, before_mean_ms=0),
        ]
        weight = (weights or {}).get(region, 1)
        edges += [edge("dns", region, latency_mean_ms=0.001, weight=weight), edge(region, f"{region}-app")]
    return scenario(blocks, edges, seed=seed, until_s=until_s)


def sent_to(execution: Execution, region: str) -> float:
    """Requests that went to a region so far."""
    return metric(execution, f"dns--{region}", "offered")


def share(execution: Execution, region: str, from_s: float, to_s: float) -> float:
    """The share of the requests between two moments that went to a region."""
    regions = [name.split("--")[1] for name in execution.model.edges if name.startswith("dns--")]
    execution.advance(round(from_s * SECOND))
    before = {it: sent_to(execution, it) for it in regions}
    execution.advance(round(to_s * SECOND))
    sent = {it: sent_to(execution, it) - before[it] for it in regions}
    return sent[region] / sum(sent.values())


def found_dead_s(execution: Execution) -> float:
    """Let the region eu die, and run until the health checks have found out; when that was."""
    execution.advance(round(CRASH_S * SECOND))
    execution.act(fault("eu", "crash"), "test")
    for moment in range(2, 200):
        execution.advance(moment * SECOND)
        dead = [it for it in execution.take_notables() if it.kind == "region_dead"]
        if dead:
            assert dead[0].title == "eu found dead"
            return dead[0].at_ns / SECOND
    raise AssertionError("nobody found out")


# ---- how far away


@pytest.mark.parametrize(
    ("where", "expected_ms"), [(("eu", "us"), 20.0), (("us",), 120.0), (("asia",), 250.0), (("us", "asia"), 120.0)]
)
def test_berlin_is_20_ms_from_its_own_region_and_120_ms_from_the_us(where: tuple[str, ...], expected_ms: float) -> None:
    # The access takes 10 ms each way, the ocean 100 ms there and back.
    execution = run(world(where, rate_per_s=100))
    assert metric(execution, "users", "recent_p50_ms") == pytest.approx(expected_ms, rel=0.05)
    assert metric(execution, "dns", "mean_rtt_ms") == expected_ms - 20.0
    assert metric(execution, "dns", "share_own_region_percent") == (100.0 if "eu" in where else 0.0)


def test_clients_without_a_region_are_where_the_parameter_says() -> None:
    execution = run(world(client=None, clients_region="us", rate_per_s=100))
    assert sent_to(execution, "eu") == 0 < sent_to(execution, "us")


def test_the_table_of_round_trips_can_be_changed_while_it_runs() -> None:
    execution = Execution(world(("us", "asia"), rate_per_s=100, ttl_s=1, lookup_ms=0, until_s=20), recorded=False)
    assert share(execution, "us", 0, 3) == 1.0
    execution.act(set_param("dns", "rtt_eu_asia_ms", 60), "test")
    assert share(execution, "asia", 10, 15) == 1.0
    assert metric(execution, "users", "recent_p50_ms") == pytest.approx(80.0, rel=0.05)


# ---- a region dies


def test_the_share_sent_to_a_dead_region_falls_linearly_over_one_ttl_after_detection() -> None:
    # A resolver's answer is as old as chance has it when the region is found dead. Those that ask late (nobody wanted an answer) make the
    # line end a little lower: (TTL - t) / (TTL + mean time until somebody asks).
    measured: dict[float, list[float]] = {0.25: [], 0.5: [], 0.75: []}
    for seed in SEEDS:
        execution = Execution(world(seed=seed, until_s=300), recorded=False)
        detected_s = found_dead_s(execution)
        assert CRASH_S + 60 < detected_s < CRASH_S + DETECTED_S_MAX
        for part, shares in measured.items():
            middle_s = detected_s + 60 * part
            shares.append(share(execution, "eu", middle_s - 1.5, middle_s + 1.5))
        # One TTL after detection nobody goes there any more; that is never later than 30 s x 3 + 60 s = 150 s (and the last probe's time).
        assert share(execution, "eu", detected_s + 60.1, CRASH_S + 180) == 0.0
        assert detected_s + 60 <= CRASH_S + 151
    for part, shares in measured.items():
        assert_agrees(shares, 60 * (1 - part) / (60 + ASK_AGAIN_S), narrow=0.1)


def test_until_detection_all_clients_of_a_dead_region_are_sent_there_and_fail_by_name() -> None:
    execution = Execution(world(until_s=300), recorded=False)
    detected_s = found_dead_s(execution)
    failures = execution.model.blocks["users"].failures_by_reason()
    assert failures.keys() == {"refused"}
    assert failures["refused"] == pytest.approx(RATE_PER_S * (detected_s - CRASH_S), rel=0.05)
    # Every request that was sent to it counts as sent to the dead, whether the checks knew or not.
    assert metric(execution, "dns", "to_dead") == pytest.approx(failures["refused"], abs=RATE_PER_S)


def test_moving_resolvers_are_named_at_detection_half_way_and_at_the_end() -> None:
    execution = Execution(world(until_s=400), recorded=False)
    detected_s = found_dead_s(execution)
    execution.advance(round((detected_s + 70) * SECOND))
    moments = {it.kind: it for it in execution.take_notables() if it.target == "dns"}
    assert (moments["half_moved"].at_ns / SECOND - detected_s) == pytest.approx(30, abs=5)
    assert (moments["all_moved"].at_ns / SECOND - detected_s) == pytest.approx(60, abs=8)
    assert metric(execution, "dns", "resolvers_on_dead_percent") == 0
    execution.act(clear("eu"), "test")
    execution.advance(execution.now_ns + 100 * SECOND)
    (back,) = [it for it in execution.take_notables() if it.kind == "region_back"]
    assert 60 < back.at_ns / SECOND - (detected_s + 70) < DETECTED_S_MAX
    assert share(execution, "eu", detected_s + 70 + 91 + 65, detected_s + 70 + 91 + 67) == 1.0


def test_resolvers_that_ignore_the_ttl_go_on_sending_their_share_to_a_dead_region() -> None:
    shares = []
    for seed in SEEDS:
        # For ten days: nothing that they have cached ends while this runs.
        drawing = world(seed=seed, until_s=300, ignore_ttl_percent=20, ignored_ttl_s=604_800)
        execution = Execution(drawing, recorded=False)
        detected_s = found_dead_s(execution)
        shares.append(share(execution, "eu", detected_s + 65, detected_s + 75))
        moved = [it for it in execution.take_notables() if it.kind == "all_moved"]
        assert [it.detail for it in moved] == [f"{RESOLVERS // 5} go on sending there: they ignore the TTL."]
        assert metric(execution, "dns", "resolvers_on_dead_percent") == 20.0
    assert_agrees(shares, 0.2)


def test_anycast_has_no_ttl_all_requests_go_elsewhere_at_once() -> None:
    execution = Execution(world(until_s=300, policy="anycast", convergence_s=10), recorded=False)
    detected_s = found_dead_s(execution)
    assert share(execution, "eu", detected_s + 1, detected_s + 9.9) == 1.0
    assert share(execution, "eu", detected_s + 10.1, detected_s + 30) == 0.0
    assert [it.kind for it in execution.take_notables() if it.target == "dns"] == ["withdrawn"]
    assert metric(execution, "dns", "resolutions") == 0


def test_without_health_checks_a_dead_region_is_the_answer_for_ever() -> None:
    execution = Execution(world(until_s=400, health_checks=False), recorded=False)
    execution.advance(SECOND)
    execution.act(fault("eu", "crash"), "test")
    assert share(execution, "eu", 1, 400) == 1.0
    assert metric(execution, "dns", "probes") == 0


def test_a_region_that_answers_no_probe_is_found_dead_like_one_that_refuses() -> None:
    # A partition: probes and requests are lost, and the probes' timeout says so.
    execution = Execution(world(until_s=200, probe_interval_s=5, ttl_s=5), recorded=False)
    execution.advance(SECOND)
    execution.act(fault("dns--eu", "partition"), "test")
    execution.advance(18 * SECOND)
    (dead,) = [it for it in execution.take_notables() if it.kind == "region_dead"]
    assert 1 + 10 + 1 <= dead.at_ns / SECOND <= 1 + 15 + 1
    assert share(execution, "eu", 25, 30) == 0.0


@pytest.mark.parametrize("policy", ["geo", "latency", "weighted", "failover", "anycast"])
def test_when_all_regions_are_dead_requests_fail_by_name_and_nothing_hangs(policy: str) -> None:
    drawing = world(until_s=2_000, policy=policy, probe_interval_s=5, ttl_s=5, rate_per_s=50)
    execution = Execution(drawing, recorded=False)
    execution.advance(SECOND)
    for region in ("eu", "us"):
        execution.act(fault(region, "crash"), "test")
    execution.advance(40 * SECOND)
    users = execution.model.blocks["users"]
    before = users.failures_by_reason()
    execution.advance(60 * SECOND)
    after = users.failures_by_reason()
    assert after.keys() == {"refused", "no_upstream"}
    assert after["refused"] == before["refused"]
    assert after["no_upstream"] - before["no_upstream"] == pytest.approx(20 * 50, rel=0.2)
    assert metric(execution, "dns", "regions_healthy") == 0
    execution.act(set_param("users", "rate_per_s", 0.001), "test")
    execution.advance(61 * SECOND)
    assert unaccounted(execution) == []
    assert in_use(execution) == 0


def test_when_all_are_dead_dns_may_answer_as_if_all_were_well() -> None:
    drawing = world(until_s=100, when_all_dead="answer_all", probe_interval_s=5, ttl_s=5)
    execution = Execution(drawing, recorded=False)
    execution.advance(SECOND)
    # The checks alone are broken: what they probe refuses, and is back before they have noticed that.
    for region in ("eu", "us"):
        execution.act(fault(region, "refuse", duration_s=20), "test")
    execution.advance(20 * SECOND)
    assert metric(execution, "dns", "regions_healthy") == 0
    assert share(execution, "eu", 21.5, 25) == 1.0
    assert metric(execution, "dns", "unresolved") == 0


# ---- policies


def test_weighted_shares_follow_the_weights() -> None:
    shares = []
    for seed in SEEDS:
        drawing = world(seed=seed, until_s=40, policy="weighted", ttl_s=1, weights={"eu": 3, "us": 1})
        shares.append(share(Execution(drawing, recorded=False), "eu", 0, 40))
    assert_agrees(shares, 0.75)


def test_failover_goes_to_the_highest_weight_that_is_healthy_wherever_the_client_is() -> None:
    weights = {"eu": 1, "us": 10, "asia": 5}
    drawing = world(("eu", "us", "asia"), until_s=100, policy="failover", ttl_s=5, probe_interval_s=5, weights=weights)
    execution = Execution(drawing, recorded=False)
    assert share(execution, "us", 0, 5) == 1.0
    execution.act(fault("us", "crash"), "test")
    assert share(execution, "asia", 30, 35) == 1.0


def test_a_region_with_weight_0_is_never_the_answer() -> None:
    execution = Execution(world(weights={"eu": 0}), recorded=False)
    assert share(execution, "us", 0, 5) == 1.0


def test_latency_routing_leaves_a_region_to_which_the_way_is_slow_and_comes_back() -> None:
    drawing = world(until_s=600, policy="latency", ttl_s=5, probe_interval_s=5)
    execution = Execution(drawing, recorded=False)
    assert share(execution, "eu", 0, 20) == 1.0
    # 200 ms more each way; the moving average of the probes takes 0.3 of that: 120 ms more than the ocean's 100 ms.
    execution.act(fault("dns--eu", "latency", add_ms=200), "test")
    assert share(execution, "eu", 32, 40) == 0.0
    assert metric(execution, "dns", "mean_rtt_ms") == 100.0
    execution.act(clear("dns--eu"), "test")
    assert share(execution, "eu", 120, 125) == 1.0


def test_geo_routing_stays_with_a_slow_region() -> None:
    execution = Execution(world(until_s=60, ttl_s=5, probe_interval_s=5), recorded=False)
    execution.act(fault("dns--eu", "latency", add_ms=200), "test")
    assert share(execution, "eu", 32, 40) == 1.0


# ---- resolvers


@pytest.mark.parametrize("ttl_s", [2, 5, 10, 20])
def test_a_lower_ttl_raises_dns_queries_as_one_over_ttl(ttl_s: int) -> None:
    # Each resolver asks, keeps the answer for its TTL, and asks at the first request after that.
    cycle_s = ttl_s + ASK_AGAIN_S
    rates = []
    for seed in SEEDS:
        execution = Execution(world(seed=seed, until_s=200, ttl_s=ttl_s, lookup_ms=0), recorded=False)
        execution.advance(3 * ttl_s * SECOND)
        before = metric(execution, "dns", "resolutions")
        # Whole cycles: those of many resolvers keep in step for long.
        span_s = cycle_s * round(80 / cycle_s)
        execution.advance(execution.now_ns + round(span_s * SECOND))
        rates.append((metric(execution, "dns", "resolutions") - before) / span_s)
    assert_agrees(rates, RESOLVERS / cycle_s)


def test_dns_is_billed_by_queries_and_not_by_requests() -> None:
    execution = run(world(until_s=40, ttl_s=1, price_per_hour=0, price_per_million=1_000_000, price_per_gb=0))
    assert metric(execution, "dns", "cost") == pytest.approx(metric(execution, "dns", "resolutions"))
    assert metric(execution, "dns", "resolutions") < metric(execution, "dns", "offered") / 1.5


def test_requests_that_find_the_answer_expired_wait_for_the_lookup_and_ask_once() -> None:
    # One resolver, 100 requests/s, a lookup of 500 ms: about 50 wait for each query.
    drawing = world(until_s=61, rate_per_s=100, resolvers=1, ttl_s=1, lookup_ms=500)
    execution = run(drawing)
    # A query each 1.5 s: the TTL of the answer begins when it has come.
    assert metric(execution, "dns", "resolutions") == pytest.approx(61 / 1.51, rel=0.05)
    slowest = execution.model.blocks["users"].histogram.percentile(1.0) / MS
    assert 500 < slowest < 550
    waiting = execution.model.blocks["users"].histogram.percentile(0.66) / MS
    assert waiting < 30 < execution.model.blocks["users"].histogram.percentile(0.75) / MS


def test_a_users_requests_go_by_one_resolver() -> None:
    execution = Execution(world(rate_per_s=200, policy="weighted", ttl_s=60), recorded=False)
    resolvers = execution.model.blocks["dns"].resolvers  # type: ignore[attr-defined]
    for user in range(1000):
        found = resolvers.of_user(1, user)
        assert found == resolvers.of_user(1, user)
        assert RESOLVERS <= found < 2 * RESOLVERS


# ---- DNS itself fails


def outage(**params: Scalar) -> Execution:
    """DNS does not answer from 10 s to 110 s."""
    drawing = world(until_s=200, ttl_s=60, **params)
    drawing = drawing.model_copy(update={"interventions": [at(10, fault("dns", "dns_outage", duration_s=100))]})
    return Execution(drawing, recorded=False)


def failed_share(execution: Execution, from_s: float, to_s: float) -> float:
    users = execution.model.blocks["users"]
    execution.advance(round(from_s * SECOND))
    failed, completed = users.failed, users.completed
    execution.advance(round(to_s * SECOND))
    assert set(users.failures_by_reason()) <= {"no_upstream"}
    failed, completed = users.failed - failed, users.completed - completed
    return failed / (failed + completed)


def test_in_a_dns_outage_cached_answers_go_on_until_their_ttl_and_then_requests_fail_by_name() -> None:
    execution = outage()
    assert failed_share(execution, 0, 10) == 0.0
    # A half of the answers has ended after half of a TTL (and the resolvers have given up after 1.8 s).
    assert failed_share(execution, 40, 43) == pytest.approx(0.5, abs=0.1)
    assert failed_share(execution, 75, 100) == 1.0
    # Each resolver asks again at the latest when it has given up, and has kept the failure for 5 s.
    assert failed_share(execution, 110 + 5.1, 150) == 0.0
    kinds = [it.kind for it in execution.take_notables() if it.target == "dns"]
    assert kinds == ["dns_outage", "dns_back"]


def test_resolvers_that_serve_stale_answers_let_all_requests_through_a_dns_outage() -> None:
    execution = outage(serve_stale=True)
    assert failed_share(execution, 0, 180) == 0.0
    assert metric(execution, "dns", "stale_answers") > 30 * RATE_PER_S
    # Those that wait while a resolver tries to ask wait for its 1.8 s.
    assert execution.model.blocks["users"].histogram.percentile(1.0) / SECOND == pytest.approx(1.82, rel=0.05)


def test_anycast_needs_no_dns() -> None:
    assert failed_share(outage(policy="anycast"), 0, 150) == 0.0


# ---- changes of the drawing, pictures, bad input


def test_cells_show_which_region_each_resolver_points_to_and_mark_those_that_ignore_the_ttl() -> None:
    execution = Execution(world(until_s=300, ignore_ttl_percent=25, ttl_s=5, probe_interval_s=5), recorded=False)
    eu, us = 1, 2
    cells = execution.model.blocks["dns"].cells()
    assert len(cells) == 120
    assert {cell & 127 for cell in cells} == {eu}
    assert sum(cell >= 128 for cell in cells) == pytest.approx(30, abs=1)
    execution.act(fault("eu", "crash"), "test")
    execution.advance(40 * SECOND)
    cells = execution.model.blocks["dns"].cells()
    assert {cell for cell in cells if cell < 128} == {us}
    assert eu + 128 in cells


@pytest.mark.parametrize(
    ("params", "weights", "code", "named"),
    [
        ({}, {"eu": 0, "us": 0}, "weights", "weight 0"),
        ({"probe_timeout_s": 20, "probe_interval_s": 10}, None, "rule", "probe_timeout_s = 20"),
        ({"ttl_s": 0}, None, "parameter", "ttl_s"),
        ({"ttl_s": None}, None, "parameter", "ttl_s"),
        ({"resolvers": 1_000_000_000}, None, "parameter", "resolvers"),
        ({"rtt_us_eu_ms": -1}, None, "parameter", "rtt_us_eu_ms"),
    ],
)
def test_bad_input_is_refused_with_the_reason(
    params: dict[str, Scalar], weights: dict[str, int] | None, code: str, named: str
) -> None:
    with pytest.raises(InputError) as refused:
        check_design(world(weights=weights, **params).design)
    (problem,) = refused.value.problems
    assert problem.code == code
    assert named in problem.message and "dns" in problem.message
    assert problem.accepted
