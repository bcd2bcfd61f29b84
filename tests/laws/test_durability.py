"""Commits, flushes, crashes and replay. Sources: PostgreSQL, "Reliability and the Write-Ahead Log", wal_writer_delay, commit_delay,
"WAL Configuration" (checkpoints)."""

from __future__ import annotations

import random

import pytest

from playground.blocks.sql_database.spec import SPEC
from playground.engine.outcomes import CRASHED, OK, READ, WRITE
from playground.protocol.catalogue import Scalar
from tests.engine.parts import MS, SECOND
from tests.laws.clusters import Cluster


def test_a_commit_is_acknowledged_after_its_record_is_flushed() -> None:
    cluster = Cluster()
    cluster.write(10, 1)
    cluster.run(10.999)
    assert cluster.answers(WRITE) == [] and cluster.db.current_version(1) == 1
    cluster.run(11)
    (answer,) = cluster.answers(WRITE)
    assert (answer["outcome"], answer["version"], answer["at"]) == (OK, 2, 11 * MS)
    assert cluster.db.current_version(1) == 2 and cluster.db.written_at(1) == 11 * MS


def test_commits_that_are_ready_at_a_flush_share_it() -> None:
    # The first goes at once; the nine that come during its flush share the next one.
    cluster = Cluster()
    for number in range(10):
        cluster.write(10 + number / 100, 1 + number)
    cluster.run(20)
    assert [it["at"] / MS for it in cluster.answers(WRITE)] == [11.0] + [12.0] * 9
    assert (cluster.db.flushes, cluster.db.flushed_records) == (2, 10)


def test_a_commit_delay_lets_more_commits_share_a_flush_and_each_waits_for_it() -> None:
    cluster = Cluster(commit_delay_us=500.0)
    for number in range(10):
        cluster.write(10 + number / 100, 1 + number)
    cluster.run(20)
    assert [it["at"] / MS for it in cluster.answers(WRITE)] == [11.5] * 10
    assert cluster.db.flushes == 1


def test_one_flush_at_a_time_commits_as_many_as_ask() -> None:
    # 5,000 writes a second, 1,000 flushes: a queue of single flushes would never end.
    cluster = Cluster()
    cluster.writes(0, 1000, 0.2)
    cluster.run(1010)
    assert len(cluster.answers(WRITE)) == 5000
    assert 990 <= cluster.db.flushes <= 1002
    assert max(it["at"] - it["began"] for it in cluster.answers(WRITE)) <= 2 * MS


def crashed(at_ms: float, seed: int, **params: object) -> Cluster:
    """2,000 writes a second of random keys until the machine dies; it is back a second later."""
    chance = random.Random(seed)
    cluster = Cluster(seed=seed, commit_distribution="exponential", **params)  # type: ignore[arg-type]
    at = 0.0
    while at < at_ms + 5:
        cluster.write(at, chance.randint(1, 1000), chance.randint(1, 9))
        at += chance.expovariate(2.0)
    cluster.run(at_ms)
    cluster.fault("crash", restart_after_s=1.0)
    return cluster.run(at_ms + 1500)


def test_no_acknowledged_write_is_lost_over_200_random_crash_times() -> None:
    chance = random.Random(7)
    in_doubt = 0
    for seed in range(200):
        cluster = crashed(chance.uniform(5, 60), seed)
        assert cluster.db.lost.total == 0 and cluster.behind_the_truth() == {}
        crashed_calls = [it for it in cluster.answers(WRITE) if it["outcome"] == CRASHED]
        in_doubt += len(crashed_calls)
        # Exactly the flushed prefix survives: some of those who were not answered are in it.
        log = cluster.db.log
        assert log.end == log.visible == cluster.db.nodes[0].flushed
    assert in_doubt > 200


@pytest.mark.parametrize("seed", range(20))
def test_with_commits_that_wait_for_nothing_exactly_the_unflushed_tail_is_lost(seed: int) -> None:
    cluster = crashed(random.Random(seed).uniform(450, 950), seed, synchronous_commit="off")
    delay_ms = 200.0
    acked = [it for it in cluster.answers(WRITE) if it["outcome"] == OK]
    # Versions of a key are committed in their order, and nothing was written since.
    lost = [it for it in acked if cluster.db.current_version(it["key"]) < it["version"]]
    assert len(lost) == cluster.db.lost.total > 0
    rows = cluster.db.detail()["latest_lost_writes"]
    assert isinstance(rows, list)
    assert {(row["key"], row["version"], row["user"]) for row in rows} <= {
        (it["key"], it["version"], it["user"]) for it in lost
    }
    assert all(row["lost_by"] == "crash before the flush" for row in rows)
    assert cluster.titles("lost_writes") == [f"{len(lost)} acknowledged writes lost at db"]
    # They are the newest ones, and no older than three delays, which is PostgreSQL's bound.
    oldest = min(it["at"] for it in lost)
    assert cluster.noted("crash")[0] * 1e9 - oldest <= 3 * delay_ms * MS
    assert all(it["at"] < oldest for it in acked if it not in lost)


def test_a_read_sees_what_was_acknowledged_without_a_flush_and_not_after_the_crash() -> None:
    cluster = Cluster(synchronous_commit="off")
    cluster.write(10, 1)
    cluster.read(20, 1)
    cluster.read(2000, 1)
    cluster.run(30)
    cluster.fault("crash", restart_after_s=0.5)
    cluster.run(2010)
    assert [it["version"] for it in cluster.answers(READ)] == [2, 1]
    # The number is never given out again: a cache that holds the lost version can't take another write for it.
    cluster.write(2020, 1)
    cluster.run(2030)
    assert cluster.answers(WRITE)[-1]["version"] == 3


@pytest.mark.parametrize("records", [100, 200, 400])
def test_recovery_takes_as_long_as_the_log_since_the_last_checkpoint_takes_to_replay(records: int) -> None:
    # 1,000,000 bytes of log a record, 100 MB/s: 10 ms each.
    cluster = Cluster(row_bytes=1_000_000 - 60, checkpoint_log_mb=1_000_000.0)
    cluster.writes(0, records, 1)
    cluster.run(records + 100)
    cluster.fault("crash", restart_after_s=1.0)
    for probe in range(0, 6000, 10):
        cluster.read(records + 100 + probe, 1)
    cluster.run(records + 7000)
    served = next(it["began"] for it in cluster.answers(READ) if it["outcome"] == OK)
    expected = (records + 100 + 1000 + 10 * records) * MS
    assert expected <= served <= expected + 10 * MS
    recovery = [metric.name for metric in SPEC.metrics].index("recovery_s")
    assert cluster.db.metrics()[recovery] == pytest.approx(records / 100)


CHECKPOINTS: list[dict[str, Scalar]] = [
    {"checkpoint_log_mb": 50.0},
    {"checkpoint_every_s": 1.0, "checkpoint_log_mb": 1_000_000.0},
]


@pytest.mark.parametrize("params", CHECKPOINTS)
@pytest.mark.parametrize("crash_ms", [3_100, 3_500, 3_780, 3_950, 4_300])
def test_a_checkpoint_by_time_or_by_volume_bounds_recovery_once_all_its_pages_are_written(
    params: dict[str, Scalar], crash_ms: int
) -> None:
    # A checkpoint each second (50 records of 1 MB), written over 0.9 s of it; 10 ms of replay a record.
    cluster = Cluster(row_bytes=1_000_000 - 60, disk_read_mean_ms=0.1, **params)
    cluster.writes(0, 6_000, 20)
    cluster.run(crash_ms)
    began, inside = divmod(crash_ms, 1_000)
    # What began at this second is done 0.9 s later; until then the one before counts.
    done = began if inside >= 920 else began - 1
    assert cluster.db.checkpoints == done
    cluster.fault("crash", restart_after_s=1.0)
    cluster.run(crash_ms + 4_000)
    assert cluster.db.last_recovery_ns / MS == pytest.approx((crash_ms - 1_000 * done) / 20 * 10, abs=45)
    assert cluster.behind_the_truth() == {}


def test_a_checkpoint_writes_each_changed_page_once_and_evenly_over_nine_tenths_of_the_time_until_the_next() -> None:
    # Seven rows of 1,100 bytes lie on a page: 700 rows, each changed three times within a second, are 100 or 101 pages.
    cluster = Cluster(row_bytes=1_100, checkpoint_every_s=10.0, disk_read_mean_ms=0.1)
    cluster.writes(0, 2_100, 1, keys=700)
    cluster.run(9_990)
    assert cluster.db.written_back == 0 == cluster.db.checkpoints
    for part in (0.25, 0.5, 0.75):
        cluster.run(10_000 + 9_000 * part + 101)
        assert cluster.db.written_back == pytest.approx(101 * part, abs=3)
    cluster.run(19_200)
    assert cluster.db.checkpoints == 1 and cluster.db.written_back in (100, 101)
    cluster.run(60_000)
    assert cluster.db.checkpoints == 1, "nothing has changed since"


def test_more_frequent_checkpoints_make_recovery_shorter_and_write_more_pages() -> None:
    pages, replays = [], []
    for every in (2.0, 5.0, 20.0):
        cluster = Cluster(row_bytes=1_100, checkpoint_every_s=every, replay_rate_mb=0.1)
        cluster.writes(0, 60_000, 10, keys=70)
        cluster.run(59_000)
        pages.append(int(cluster.db.written_back))
        replays.append(cluster.db.log_bytes(cluster.db.nodes[0]))
    assert pages[0] > 2 * pages[1] > 4 * pages[2] > 0
    assert replays[0] < replays[1] < replays[2]


@pytest.mark.parametrize("channels", [1, 4])
def test_reads_from_the_disk_wait_behind_a_checkpoint_and_it_comes_to_its_end_all_the_same(channels: int) -> None:
    waited = []
    for every in (1.0, 600.0):
        cluster = Cluster(
            checkpoint_every_s=every,
            disk_channels=channels,
            disk_read_mean_ms=1.8 * channels,
            buffer_rows=1,
            warm=False,
        )
        cluster.writes(0, 10_000, 5, keys=200)
        # Reads keep 54 % of the disk busy, checkpoints another 36 %.
        for number in range(3_000):
            cluster.read(number * 10 / 3, 300 + number % 600)
        cluster.run(12_000)
        answers = [it["at"] - it["began"] for it in cluster.answers(READ) if it["began"] > 2 * SECOND]
        waited.append(sum(answers) / len(answers) / MS)
        assert cluster.db.checkpoints >= (7 if every == 1.0 else 0)
    assert waited[0] > 1.05 * waited[1]


@pytest.mark.parametrize(
    ("idle_s", "down_s", "replayed"), [(0.1, 0.5, 200), (0.1, 60.0, 200), (1.5, 0.5, 0), (1.5, 60.0, 0)]
)
def test_a_machine_makes_its_checkpoint_while_it_runs_and_not_while_it_is_down(
    idle_s: float, down_s: float, replayed: int
) -> None:
    # 10 ms of replay a record; a checkpoint falls due a second after the one at the start, then with the next second.
    cluster = Cluster(row_bytes=1_000_000 - 60, checkpoint_every_s=1.0, checkpoint_log_mb=1_000_000.0)
    cluster.run(1000)
    cluster.write(1001, 1)
    cluster.writes(1300, 1500, 1)
    cluster.run(1500 + idle_s * 1000)
    cluster.fault("crash", restart_after_s=down_s)
    cluster.run(1500 + (idle_s + down_s) * 1000 + 3000)
    assert cluster.db.last_recovery_ns == pytest.approx(replayed * 10 * MS, abs=10 * MS)
    # The recovery ends with a checkpoint of its own.
    cluster.fault("crash", restart_after_s=0.1)
    cluster.run(1500 + (idle_s + down_s) * 1000 + 3500)
    assert cluster.db.last_recovery_ns == 0


def test_a_paused_database_flushes_when_it_goes_on() -> None:
    cluster = Cluster(instances=2)
    cluster.write(10, 1)
    cluster.run(10.5)
    cluster.fault("pause", instance=0, duration_s=2.0)
    cluster.run(2000)
    assert cluster.answers(WRITE) == []
    cluster.run(2020)
    assert [it["outcome"] for it in cluster.answers(WRITE)] == [OK]


def test_a_slow_disk_stretches_flushes() -> None:
    cluster = Cluster()
    cluster.fault("slow_disk", factor=20.0)
    cluster.write(10, 1)
    cluster.run(29.9)
    assert cluster.answers(WRITE) == []
    cluster.run(30)
    assert len(cluster.answers(WRITE)) == 1
