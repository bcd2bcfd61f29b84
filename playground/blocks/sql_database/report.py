"""How the database stands: in figures, in cells on its card (a cell for each node), in words in the inspector."""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

from playground.blocks.sql_database import buying_report
from playground.blocks.sql_database.buying import Buying
from playground.blocks.sql_database.failover import Electing
from playground.blocks.sql_database.node import Node
from playground.blocks.sql_database.states import (
    CAUSES,
    DOWN,
    LEADER,
    LEVELS,
    LOSSES,
    PROMOTING,
    REPLICA,
    ROLES,
)
from playground.blocks.sql_database.telling import seconds

CELL_LEADER: Final = 0
CELL_IN_STEP: Final = 1
CELL_BEHIND: Final = 2
CELL_STOPPED: Final = 3
CELL_CUT: Final = 4
CELL_PROMOTING: Final = 5
CELL_COMING: Final = 6
CELL_SPLIT: Final = 7
CELL_DOWN: Final = 8
CELL_MARK: Final = 128

BEHIND_NS: Final = 100_000_000
"""A replica that misses a write for longer than this is drawn as one that is behind."""


def cell(db: Electing, node: Node) -> int:
    """What a node is drawn as."""
    role = node.role
    if role == DOWN:
        return CELL_DOWN
    if role == LEADER:
        return CELL_LEADER if node.fork is None else CELL_SPLIT
    if role == PROMOTING:
        return CELL_PROMOTING
    if role != REPLICA:
        return CELL_COMING
    if node.cut:
        return CELL_CUT
    if node.apply_stopped:
        return CELL_STOPPED
    return CELL_BEHIND if db.lag_ns(node) > BEHIND_NS else CELL_IN_STEP


def cells(db: Electing) -> list[int]:
    """The nodes, 1 first; the one that holds the lease is marked."""
    found: list[int] = []
    for node in db.nodes:
        if node.number < db.instances:
            found.append(cell(db, node) + (CELL_MARK if db.clustered and node.number == db.holder else 0))
    return found


def longest_lag(db: Electing) -> tuple[int, float]:
    """The largest lag of a replica: records, ms."""
    records: i64 = 0
    ns: i64 = 0
    for node in db.nodes:
        if node.number >= db.instances or node.number == db.leader:
            continue
        lag = db.lag(node)
        if lag > records:
            records = lag
        late = db.lag_ns(node)
        if late > ns:
            ns = late
    return int(records), float(ns) / 1e6


def taking_writes(db: Electing) -> int:
    """Nodes that take writes: two of them are a split brain."""
    found = 0
    for node in db.nodes:
        if node.role == LEADER and node.number < db.instances:
            found += 1
    return found


def log_mb(db: Electing) -> float:
    """The log that the leader (or the first node) would have to replay now, in MB."""
    return db.log_bytes(db.nodes[db.leader if db.leader >= 0 else 0]) / 1e6


def metrics(db: Buying) -> list[float]:
    """In the order of ``spec.py``."""
    held = 0
    for node in db.nodes:
        held += int(node.buffer.size)
    return [
        float(db.connections.busy_all),
        float(db.connections.workers * db.instances),
        float(db.cores.busy_all),
        float(db.cores.workers * db.instances),
        float(db.cores.waiting_all),
        float(db.disk.busy_all),
        float(db.disk.waiting_all),
        db.recent.percent(),
        float(held),
        float(db.buffer_hits),
        float(db.buffer_misses),
        float(db.commits),
        float(db.absent),
        float(db.rejected),
        float(db.created),
        float(db.deleted),
        *db.listing.metrics(),
        *log_metrics(db),
        *cluster_metrics(db),
        *buying_report.metrics(db),
    ]


def log_metrics(db: Electing) -> list[float]:
    """In the order of ``spec_figures.LOG_METRICS``."""
    shared = float(db.flushed_records) / float(db.flushes) if db.flushes > 0 else 0.0
    return [
        float(db.flushes),
        shared,
        log_mb(db),
        float(db.checkpoints),
        float(db.written_back),
        float(db.recoveries),
        float(db.last_recovery_ns) / 1e9,
        float(db.lost.total),
    ]


def cluster_metrics(db: Electing) -> list[float]:
    """In the order of ``spec_figures.CLUSTER_METRICS``."""
    records, late_ms = longest_lag(db)
    stale = db.stale
    waited = db.waited_ns / float(db.position_waits) / 1e6 if db.position_waits > 0 else 0.0
    leaderless = db.leaderless_ns
    if db.leaderless_since >= 0:
        leaderless += db.simulation.now - db.leaderless_since
    return [
        float(records),
        late_ms,
        float(db.replica_reads),
        float(stale.total),
        stale.age_ns / float(stale.total) / 1e6 if stale.total > 0 else 0.0,
        *(float(stale.causes[index]) for index in range(len(CAUSES))),
        float(stale.own),
        float(db.position_waits),
        waited,
        float(db.fallbacks),
        float(db.commits_waiting()),
        float(taking_writes(db)),
        float(db.timeline),
        float(db.failovers),
        float(leaderless) / 1e9,
        float(db.no_leader),
        float(db.split_writes),
        float(db.discarded),
    ]


def node_rows(db: Electing) -> list[object]:
    """Each node: what it is, how far it has come, how busy it is."""
    rows: list[object] = []
    for node in db.nodes:
        number = node.number
        if number >= db.instances:
            continue
        row: dict[str, object] = {
            "node": int(number) + 1,
            "role": "takes writes without being the leader"
            if node.role == LEADER and not node.plain
            else ROLES[node.role],
            "written": int(node.written),
            "flushed": int(node.flushed),
            "applied": int(node.applied),
            "connections": int(db.connections.busy[number]),
            "waiting": int(db.connections.waiting[number]),
            "cores_busy": int(db.cores.busy[number]),
            "disk_busy": int(db.disk.busy[number]),
            "rows_in_memory": int(node.buffer.size),
            "reads": int(node.reads),
            "flushes": int(node.flushes),
            "replay_after_crash_s": round(db.log_bytes(node) * db.replay_ns_per_byte / 1e9, 3),
        }
        if db.clustered:
            row["lag_records"] = int(db.lag(node))
            row["lag_s"] = seconds(db.lag_ns(node))
            row["stale_reads"] = int(node.stale)
            row["cut_off"] = node.cut
            row["apply_stopped"] = node.apply_stopped
        fork = node.fork
        if fork is not None:
            row["forked_at"] = int(fork.start)
            row["records_of_its_own"] = int(fork.log.end - fork.start)
        rows.append(row)
    return rows


def detail(db: Buying) -> dict[str, object]:
    """Its parts, its nodes, the lease, and what was lost or stale."""
    found: dict[str, object] = {}
    if db.selling:
        found["transactions"] = buying_report.detail(db)
    if db.listing.pages > 0:
        found["pages_of_lists_by_depth"] = db.listing.detail()
    found |= {
        "connections": {"held": int(db.connections.busy_all), "waiting": int(db.connections.waiting_all)},
        "cores": {"busy": int(db.cores.busy_all), "waiting": int(db.cores.waiting_all)},
        "disk": {"busy": int(db.disk.busy_all), "waiting": int(db.disk.waiting_all)},
        "rows_written": int(db.rows.versions.index.size),
        "synchronous_commit": LEVELS[db.level],
        "log": {"position": int(db.log.end), "committed": int(db.log.visible), "kept_from": int(db.log.base) + 1},
        "nodes": node_rows(db),
        "failures": db.failures_by_reason(),
    }
    if db.lost.total > 0:
        found["lost_writes"] = {LOSSES[way]: int(db.lost.ways[way]) for way in range(len(LOSSES))}
        found["latest_lost_writes"] = db.lost.rows()
    if db.clustered:
        if db.automatic:
            left = db.expires - db.simulation.now
            found["lease"] = {
                "holder": int(db.holder) + 1,
                "expires_in_s": seconds(left if left > 0 else 0),
                "timeline": int(db.timeline),
            }
            if db.counted:
                found["may_be_elected"] = {
                    "last_leader": int(db.last_leader) + 1,
                    "or_the_furthest_of": f"{db.enough} of node {', '.join([str(it + 1) for it in db.members])}",
                }
        if db.stale.total > 0:
            found["stale_reads"] = {CAUSES[cause]: int(db.stale.causes[cause]) for cause in range(len(CAUSES))}
            found["latest_stale_reads"] = db.stale.rows()
    return found
