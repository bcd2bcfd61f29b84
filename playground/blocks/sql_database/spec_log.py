"""The parameters of log and commits: what a commit waits for, how the log is flushed, how far a crash sets a node back."""

from __future__ import annotations

from playground.blocks.declare import TEN_DAYS_S, duration
from playground.protocol.catalogue import Choice, Param

LOG = "Log and commits"

LOG_PARAMS = (
    Param(
        name="synchronous_commit",
        label="A commit waits for",
        kind="choice",
        default="on",
        choices=(
            Choice(value="off", label="Nothing", help="acknowledged at once, flushed by the WAL writer a little later"),
            Choice(value="local", label="Own disk", help="the leader has flushed it, whatever replicas have"),
            Choice(
                value="remote_write", label="Replicas: written", help="and the synchronous replicas have received it"
            ),
            Choice(value="on", label="Replicas: on disk", help="and the synchronous replicas, if any, have flushed it"),
            Choice(
                value="remote_apply", label="Replicas: visible", help="and they have applied it: reads there see it"
            ),
        ),
        help="When a write is acknowledged (synchronous_commit). Where no replica is synchronous, 'on' is the leader's own disk.",
        group=LOG,
    ),
    *duration(
        "commit",
        "Flush",
        "Time to flush the log to the disk. Commits that are ready meanwhile share the next one.",
        mean=1.0,
        group=LOG,
    ),
    Param(
        name="commit_delay_us",
        label="Commit delay",
        kind="number",
        default=0.0,
        unit="us",
        minimum=0.0,
        maximum=100_000.0,
        help="How long a leader waits before a flush so that more commits share it (commit_delay).",
        group=LOG,
    ),
    Param(
        name="wal_writer_delay_ms",
        label="WAL writer every",
        kind="number",
        default=200.0,
        unit="ms",
        minimum=1.0,
        maximum=10_000.0,
        help="With commits that wait for nothing: how often the log is flushed (wal_writer_delay).",
        group=LOG,
        shown_when={"synchronous_commit": ("off",)},
    ),
    Param(
        name="checkpoint_every_s",
        label="Checkpoint every",
        kind="number",
        default=300.0,
        unit="s",
        minimum=1.0,
        maximum=TEN_DAYS_S,
        help="After a crash the log since the last checkpoint is replayed; each writes back all changed pages (checkpoint_timeout).",
        group=LOG,
    ),
    Param(
        name="checkpoint_log_mb",
        label="Checkpoint after",
        kind="number",
        default=1024.0,
        unit="MB",
        minimum=0.01,
        maximum=1_000_000.0,
        help="A checkpoint is made earlier when so much log has come since the last one (max_wal_size).",
        group=LOG,
    ),
    Param(
        name="replay_rate_mb",
        label="Replay",
        kind="number",
        default=100.0,
        unit="MB/s",
        minimum=0.001,
        maximum=100_000.0,
        help="How fast a node replays its log after a crash, before it serves again.",
        group=LOG,
    ),
)
