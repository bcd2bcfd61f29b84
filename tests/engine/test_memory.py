"""Memory: what a run goes back behind is given back."""

from __future__ import annotations

from playground.engine.columns import zeros
from playground.engine.snapshot import Snapshot
from playground.engine.stores import Versions
from playground.workers.worker import resident_bytes
from tests.sketch import block, edge, run, scenario

ROWS = 1_000_000


def test_going_back_to_a_snapshot_again_and_again_takes_no_more_memory_than_once() -> None:
    versions = Versions()
    versions.key, versions.version, versions.written_at = zeros(ROWS), zeros(ROWS), zeros(ROWS)
    there = Snapshot(versions)
    there.restore()
    before = resident_bytes()
    for _ in range(20):
        there.restore()
    # 24 MB of columns each time.
    assert resident_bytes() - before < 2 * there.size


def test_what_a_run_records_of_its_latencies_takes_no_memory_for_good_but_the_figures() -> None:
    drawing = scenario([block("users", "client"), block("app", "app_server")], [edge("users", "app")], until_s=1)
    execution = run(drawing, recorded=True)
    # A latency of years: 56 kB of counts are compared in each bucket.
    execution.model.blocks["users"].histogram.add(1 << 60)
    series = execution.series
    before = resident_bytes()
    for _ in range(2_000):
        series.record(execution.model, execution.design, (series.length + 1) * series.bucket_ns)
    assert resident_bytes() - before < 30_000_000
