"""What a run has to say: frames, layout, series, results, notable moments, traces. They agree with one another."""

from __future__ import annotations

import json
import math
import random
from array import array
from typing import Any

import pytest

from playground.blocks.registry import kinds
from playground.catalogue import catalogue
from playground.engine.limits import CELLS_MAX
from playground.execution import Execution
from playground.execution.history import BUCKETS_WANTED, LOOKS, bucket_length_ns
from playground.protocol.catalogue import Scalar
from playground.protocol.design import EditDesign, Scenario, Watch
from playground.protocol.errors import InputError
from playground.protocol.frames import HOP_FIELDS, pack_frame, unpack_frame
from playground.protocol.messages import Span
from playground.templates_store import templates
from tests.execution.variants import EVERY, finished, short_scenarios
from tests.sketch import MS, SECOND, Shape, at, block, edge, example, fault, figures, metric, run, scenario, set_param


def unpacked(data: bytes) -> array[float]:
    numbers = array("d")
    numbers.frombytes(data)
    return numbers


@EVERY
def test_a_frame_unpacks_to_the_rows_of_its_layout(name: str) -> None:
    execution = finished(short_scenarios()[name])
    layout = execution.layout()
    frame = unpack_frame(pack_frame(execution.frame()))
    assert (frame["e"], frame["t"], frame["f"]) == (layout.epoch, execution.now_ns, execution.furthest_ns)
    rows = unpacked(frame["b"])
    assert len(rows) == sum(len(it.metrics) for it in layout.blocks)
    start = 0
    for it in layout.blocks:
        row = dict(zip(it.metrics, rows[start : start + len(it.metrics)], strict=True))
        assert row == figures(execution, it.id)
        start += len(it.metrics)
    edge_rows = unpacked(frame["ed"])
    wide = len(layout.edge_metrics)
    assert len(edge_rows) == len(layout.edges) * wide
    for number, edge_name in enumerate(layout.edges):
        assert edge_rows[number * wide] == metric(execution, edge_name, layout.edge_metrics[0])
    hops = unpacked(frame["h"])
    assert len(hops) % HOP_FIELDS == 0
    for number in range(len(hops) // HOP_FIELDS):
        at = number * HOP_FIELDS
        trace, which, direction, left, arrives, outcome, _, attempt, look = hops[at : at + HOP_FIELDS]
        assert trace > 0 and 0 <= which < len(layout.edges) and direction in (0, 1)
        assert left < arrives and attempt >= 1
        assert (outcome == -1) == (direction == 0) and outcome < len(layout.outcomes)
        assert look in range(4)
    declared = {it.id for it in layout.blocks if kinds()[it.kind].spec.cells is not None}
    assert set(frame["c"]) == declared
    for it in layout.blocks:
        cells = kinds()[it.kind].spec.cells
        if cells is not None:
            shown = frame["c"][it.id]
            assert len(shown) <= CELLS_MAX and all(cell & 127 < len(cells.states) for cell in shown)


@EVERY
def test_the_results_are_json_and_agree_with_the_frame(name: str) -> None:
    execution = finished(short_scenarios()[name])
    results = json.loads(json.dumps(execution.results(), allow_nan=False))
    totals, frame = results["totals"], execution.frame()["tot"]
    for figure in ("offered", "completed", "failed", "in_flight"):
        assert totals[figure] == frame[figure]
    assert totals["failures"] == frame["failed_by"]
    assert totals["offered"] == totals["completed"] + totals["failed"] + totals["in_flight"] > 0
    assert sum(totals["failures"].values()) == totals["failed"]
    latency = totals["latency"]
    assert latency["p50"] <= latency["p95"] <= latency["p99"] <= latency["p999"]
    assert results["virtual_seconds"] == execution.until_ns / SECOND
    assert set(results["blocks"]) == {it.id for it in execution.design.blocks}
    for it in execution.design.blocks:
        found = results["blocks"][it.id]
        assert found["kind"] == it.kind
        assert found["metrics"]["offered"] == execution.model.blocks[it.id].offered
        assert sum(found["metrics"]["failures"].values()) == found["metrics"]["failed"]
    assert set(results["edges"]) == {it.id for it in execution.design.edges}


@EVERY
def test_the_series_are_equally_long_and_add_up_to_the_totals(name: str) -> None:
    execution = finished(short_scenarios()[name])
    history = execution.history(0)
    columns, bucket_ns = history["columns"], history["bucket_ns"]
    buckets = execution.until_ns // bucket_ns
    assert {len(column) for column in columns.values()} == {buckets}
    whole = Execution(short_scenarios()[name])
    whole.advance(buckets * bucket_ns)
    totals = whole.results()["totals"]
    for figure in ("offered", "completed", "failed"):
        assert sum(columns[figure]) == totals[figure]
    for reason in catalogue().outcomes[1:]:
        assert sum(columns.get(f"failed.{reason}", [])) == totals["failures"].get(reason, 0)
    for it in execution.design.blocks:
        assert len(columns[f"in_flight.{it.id}"]) == buckets
    for name_of, column in columns.items():
        if name_of.startswith("utilisation."):
            # None: of a pool that is switched off.
            assert all(value is None or 0 <= value <= 1 for value in column)
    rest = execution.history(buckets - 1)
    assert rest["first"] == buckets - 1
    assert {key: column[-1:] for key, column in columns.items()} == rest["columns"]
    assert execution.history(buckets + 5)["first"] == buckets


@pytest.mark.parametrize("until_s", [0.001, 0.5, 10, 59, 60, 3_600, 604_800])
def test_a_run_has_about_600_buckets_of_a_round_length(until_s: float) -> None:
    until_ns = round(until_s * SECOND)
    length = bucket_length_ns(until_ns)
    assert str(length).rstrip("0") in ("1", "2", "5")
    assert length >= 50_000_000
    assert until_ns / length <= BUCKETS_WANTED
    assert until_ns / length > BUCKETS_WANTED / 3 or length == 50_000_000


def test_utilisation_of_a_bucket_is_the_share_of_worker_time_that_was_held() -> None:
    drawing = scenario(
        [
            block("users", "client", rate_per_s=20, arrivals="even", write_weight=0),
            block("app", "app_server", workers=2, before_mean_ms=25, before_distribution="constant"),
        ],
        [edge("users", "app", latency_mean_ms=1e-6)],
        until_s=2,
    )
    columns = finished(drawing).history(0)["columns"]
    # One request every 50 ms holds one of two workers for 25 ms; buckets are 50 ms long.
    assert columns["utilisation.app"][1:] == [pytest.approx(0.25, abs=1e-5)] * 39


def test_a_pool_that_was_made_smaller_is_all_in_use_and_no_more_than_that() -> None:
    users = block("users", "client", rate_per_s=400, write_weight=0)
    app = block("app", "app_server", instances=10, workers=10, before_mean_ms=200, before_distribution="constant")
    drawing = scenario([users, app], [edge("users", "app")], until_s=3)
    smaller = drawing.model_copy(update={"interventions": [at(1, set_param("app", "instances", 1))]})
    column = finished(smaller).history(0)["columns"]["utilisation.app"]
    assert max(column[:20]) < 1 == max(column[20:])


def asked_by_many(callee: Shape, port: str) -> Scenario:
    """Twenty even requests a second that each call ``callee``, for two seconds: buckets are 50 ms long."""
    users = block("users", "client", rate_per_s=20, arrivals="even", write_weight=0)
    front = block("front", "app_server", workers=100, before_mean_ms=1e-6, after_mean_ms=1e-6)
    hops = [edge("users", "front", latency_mean_ms=1e-6), edge("front", callee["id"], port, latency_mean_ms=1e-6)]
    return scenario([users, front, callee], hops, until_s=2)


@pytest.mark.parametrize(
    ("params", "share"),
    [
        # 25 ms of every 50 on one of two cores; the connection is held for as long, one of a hundred.
        ({"pool": 100, "cores": 2}, 0.25),
        ({"pool": 1, "cores": 2}, 0.5),
        # 5 ms of a disk for each row that is not in memory, and the cores are many.
        (
            {
                "pool": 100,
                "cores": 100,
                "query_mean_ms": 1,
                "buffer_rows": 1,
                "disk_read_mean_ms": 5,
                "disk_channels": 1,
            },
            0.1,
        ),
    ],
)
def test_a_database_is_as_busy_as_the_busiest_of_what_it_has(params: dict[str, Scalar], share: float) -> None:
    constant = {"query_mean_ms": 25, "query_distribution": "constant", "disk_read_distribution": "constant"}
    store = block("db", "sql_database", **{"disk_read_mean_ms": 0.001, **constant, **params})
    execution = finished(asked_by_many(store, "store"))
    column = execution.history(0)["columns"]["utilisation.db"]
    assert column[1:] == [pytest.approx(share, abs=1e-3)] * 39
    assert execution.results()["blocks"]["db"]["metrics"]["utilisation"] == pytest.approx(share, rel=0.03)


@pytest.mark.parametrize("after_s", [0.51, 0.5])
def test_who_takes_the_place_and_the_name_of_another_block_has_a_record_of_its_own(after_s: float) -> None:
    servers = block("it", "app_server", workers=2, before_mean_ms=25, before_distribution="constant")
    store = block("it", "sql_database", query_mean_ms=25, query_distribution="constant", cores=2, warm=True)
    before, after = asked_by_many(servers, "services"), asked_by_many(store, "store")
    drawing = before.model_copy(update={"interventions": [at(after_s, EditDesign(design=after.design))]})
    column = finished(drawing).history(0)["columns"]["utilisation.it"]
    assert all(0 <= share <= 0.5 for share in column)
    assert column[1:10] == [pytest.approx(0.25, abs=1e-5)] * 9
    assert column[12:] == [pytest.approx(0.25, abs=1e-3)] * 28


@pytest.mark.parametrize(
    ("slo", "met"),
    [
        ({"metric": "p99_ms", "at_most": 1_000}, True),
        ({"metric": "p50_ms", "at_most": 1}, False),
        ({"metric": "mean_ms", "block": "app", "at_least": 5}, True),
        ({"metric": "availability_percent", "at_least": 99.9}, True),
        ({"metric": "goodput_per_s", "at_least": 60}, False),
        ({"metric": "goodput_per_s", "block": "app", "at_most": 60}, True),
    ],
)
def test_an_objective_is_judged_by_what_was_measured(slo: dict[str, Any], met: bool) -> None:
    drawing = scenario(
        [block("users", "client", rate_per_s=50), block("app", "app_server", before_mean_ms=10)],
        [edge("users", "app")],
        until_s=20,
        slo=[slo],
    )
    execution = Execution(drawing)
    (verdict,) = execution.results()["slo"]
    assert verdict["met"] is None and verdict["value"] is None, "there is nothing to judge by yet"
    execution.advance(execution.until_ns)
    (verdict,) = execution.results()["slo"]
    assert verdict["met"] is met
    assert math.isfinite(verdict["value"])


def test_a_notable_moment_is_told_once_and_again_after_going_back_behind_it() -> None:
    log = [at(1, fault("cache", "flush")), at(2, fault("cache", "flush"))]
    execution = Execution(example("app_server").model_copy(update={"interventions": log}))
    execution.advance(execution.until_ns)
    told = [(it.kind, it.at_ns) for it in execution.take_notables()]
    assert [it for it in told if it[0] == "flush"] == [("flush", SECOND), ("flush", 2 * SECOND)]
    assert execution.take_notables() == []
    execution.seek(SECOND + SECOND // 2)
    execution.advance(execution.until_ns)
    assert [it.at_ns for it in execution.take_notables() if it.kind == "flush"] == [2 * SECOND]


# ---- traces


def traced() -> tuple[Execution, list[list[Span]]]:
    """A recorded run of the example with services, cache and store, and its traces that are whole."""
    execution = run(example("app_server"), until_s=3, recorded=True)
    sampled = execution.model.simulation.tracer.roots
    stories = [execution.trace(number) for number in range(1, int(sampled) + 1)]
    return execution, [spans for spans in stories if any(it.caller == "users" for it in spans)]


def test_the_spans_of_a_sampled_request_form_a_tree() -> None:
    _, stories = traced()
    assert len(stories) > 100
    for spans in stories:
        roots = [it for it in spans if it.parent < 0]
        # What is refreshed in the background has no parent: its request is answered long before.
        assert {"users"} <= {it.caller for it in roots} <= {"users", "shop", "jobs"}
        calls = {it.call for it in spans}
        assert all(it.parent in calls for it in spans if it.parent >= 0)
    # Services, cache and store are all in it.
    assert {it.callee for spans in stories for it in spans} >= {"shop", "prices", "reviews", "cache", "db", "filter"}


def test_the_times_of_a_span_are_in_order_and_lie_within_its_callers() -> None:
    _, stories = traced()
    for spans in stories:
        for it in spans:
            steps = [moment for moment in (it.sent, it.arrived, it.started, it.replied, it.ended) if moment >= 0]
            assert steps == sorted(steps), it
            if it.outcome == "ok":
                assert it.arrived > it.sent and it.replied >= it.started >= it.arrived and it.ended > it.replied
        served = {it.call: it for it in spans if it.parent < 0 and it.outcome == "ok"}
        for it in spans:
            if it.parent in served:
                parent = served[it.parent]
                assert parent.started <= it.sent and it.ended <= parent.replied


def test_a_trace_that_was_not_sampled_or_is_long_gone_is_empty() -> None:
    execution, _ = traced()
    assert execution.trace(0) == execution.trace(10**9) == []


def test_the_detail_of_a_block_that_is_not_there_is_refused_by_name() -> None:
    with pytest.raises(InputError) as refused:
        run(example("cache"), until_s=0.1).detail("nobody")
    assert refused.value.problems[0].code == "unknown_block"
    assert "nobody" in str(refused.value)


def test_a_mean_beside_theory_says_how_sure_it_is_and_holds_the_law() -> None:
    execution = finished(templates()["mm1"].scenario)
    rows = {row["name"]: row for row in execution.results()["theory"]}
    mean = rows["Time in the system, mean"]
    # By batch means over half an hour: narrow enough to mean something, wide enough to hold W = 0.5 s.
    assert 0.01 < mean["ci"] < 0.15
    assert abs(mean["measured"] - 0.5) < 1.5 * mean["ci"]


def test_what_a_design_watches_is_recorded_as_it_reads_at_the_end_of_each_bucket() -> None:
    drawing = templates()["cache-lock"].scenario.model_copy(update={"until_s": 0.4})
    execution = Execution(drawing)
    bucket = execution.series.bucket_ns
    read: dict[str, list[float]] = {f"watch.{it.target}.{it.metric}": [] for it in drawing.design.watch}
    highest: list[float] = []
    while execution.now_ns < execution.until_ns:
        looks = []
        for _ in range(LOOKS):
            execution.advance(execution.now_ns + bucket // LOOKS)
            looks.append(metric(execution, "shoppers", "recent_p99_ms"))
        highest.append(max(looks))
        for it in drawing.design.watch:
            read[f"watch.{it.target}.{it.metric}"].append(metric(execution, it.target, it.metric))
    columns = execution.history(0)["columns"]
    assert {name: columns[name] for name in read} == read
    assert columns["highest.shoppers.recent_p99_ms"] == highest != columns["watch.shoppers.recent_p99_ms"]
    assert "highest.cache.rebuilds" not in columns
    assert read["watch.cache.rebuilds"][-1] > 0
    # Going back and on again leaves the record as it was.
    execution.seek(bucket)
    execution.advance(execution.until_ns)
    assert execution.history(0)["columns"] == columns


def test_the_record_of_a_highest_value_is_the_same_at_any_pace() -> None:
    # A viewer's frames, a pause or a step stop a run at any time; what is highest is looked at ten times a bucket all the same.
    drawing = scenario(
        [block("users", "client", rate_per_s=300), block("app", "app_server", workers=8, before_mean_ms=5)],
        [edge("users", "app")],
        until_s=8,
    )
    watch = [Watch(target="app", metric="in_flight", label="In flight", show="highest")]
    drawing = drawing.model_copy(update={"design": drawing.design.model_copy(update={"watch": watch})})
    at_once = Execution(drawing)
    at_once.advance(at_once.until_ns)
    chance = random.Random(1)
    in_frames = Execution(drawing)
    while in_frames.now_ns < in_frames.until_ns:
        in_frames.advance(in_frames.now_ns + chance.randrange(1, 30 * MS))
        if chance.random() < 0.02:
            in_frames.seek(in_frames.now_ns - chance.randrange(SECOND))
        if chance.random() < 0.1:
            in_frames.step(chance.randrange(1, 20))
    name = "highest.app.in_flight"
    assert in_frames.history(0)["columns"][name] == at_once.history(0)["columns"][name]
    assert in_frames.history(0) == at_once.history(0)
