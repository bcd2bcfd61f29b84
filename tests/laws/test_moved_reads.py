"""What users read of rows that have just moved to a cluster: their own writes, however far its replicas are.

Terry et al., "Session Guarantees for Weakly Consistent Replicated Data" (1994): "read your writes" is a promise of the session.
"""

from __future__ import annotations

import pytest
from librt.vecs import vec
from mypy_extensions import i64

from playground.engine.outcomes import READ
from tests.engine.parts import MS
from tests.laws.clusters import Cluster

WRITER, READER, KEY = 3, 5, 7


def taken(reads: str, told: int = 1) -> Cluster:
    """A row that user 3 wrote elsewhere, at 5 ms, has come at 10 ms; the replica applies it 200 ms after."""
    cluster = Cluster(instances=2, reads=reads, apply_mean_ms=200.0, after_write_s=1.0, wait_max_ms=900.0)
    cluster.run(10)
    cluster.db.take_row(KEY, 4, 5 * MS, 4, vec[i64](), 2 * (WRITER + 1) + told)
    cluster.run(15)
    cluster.db.serve_rows(vec[i64]([KEY]), cluster.db.log_position())
    return cluster


@pytest.mark.parametrize("reads", ["wait_for_position", "leader_after_write", "bounded_staleness"])
@pytest.mark.parametrize("user", [WRITER, READER])
def test_who_has_written_a_row_or_read_it_elsewhere_sees_it_here(reads: str, user: int) -> None:
    cluster = taken(reads)
    cluster.read(20, KEY, user=user)
    cluster.run(2_000)
    (answer,) = cluster.answers(READ)
    assert answer["version"] == 4 and cluster.db.stale.total == 0


@pytest.mark.parametrize(("user", "own"), [(WRITER, 1), (READER, 0)])
def test_a_replica_that_lacks_a_moved_row_misses_its_writers_write_since_they_wrote_it(user: int, own: int) -> None:
    cluster = taken("any_replica")
    cluster.read(20, KEY, user=user)
    cluster.run(2_000)
    assert (cluster.db.stale.total, cluster.db.stale.own) == (1, own)
    (row,) = cluster.db.detail()["latest_stale_reads"]
    assert row["by_user"] == WRITER and row["committed_s"] == 0.005
    assert "copied from another database" in row["says"] and ("the reader's own write" in row["says"]) == bool(own)


def test_a_row_keeps_its_writer_from_shard_to_shard_and_when_its_last_version_is_taken_back() -> None:
    cluster = taken("any_replica")
    assert cluster.db.written_by(KEY) == 2 * (WRITER + 1) + 1
    cluster.write(20, KEY, user=READER)
    cluster.run(40)
    assert cluster.db.written_by(KEY) == 2 * (READER + 1) + 1
    cluster.db.take_back(cluster.db.log.end - 1, 0)
    assert cluster.db.written_by(KEY) == 2 * (WRITER + 1) + 1
