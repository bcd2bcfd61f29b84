"""Memory: what a run goes back behind is given back."""

from __future__ import annotations

from playground.engine.columns import zeros
from playground.engine.snapshot import Snapshot
from playground.engine.stores import Versions
from playground.workers.worker import resident_bytes

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
