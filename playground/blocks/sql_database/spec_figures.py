"""The database's figures and cells, in the order of ``report.py``."""

from __future__ import annotations

from playground.protocol.catalogue import Cells, CellState, Metric

MACHINE_METRICS = (
    Metric(
        name="connections_held",
        label="Connections",
        kind="gauge",
        help="Connections in use.",
        headline=True,
        maximum_metric="connections",
    ),
    Metric(name="connections", label="Pool", kind="gauge", help="Connections there are."),
    Metric(
        name="cores_busy",
        label="Cores",
        kind="gauge",
        help="Cores that compute.",
        headline=True,
        maximum_metric="cores",
    ),
    Metric(name="cores", label="Cores there are", kind="gauge", help="Cores there are."),
    Metric(name="core_queue", label="Wait for a core", kind="gauge", help="Statements that wait for a core."),
    Metric(name="disk_busy", label="On the disk", kind="gauge", help="Reads of rows under way."),
    Metric(name="disk_queue", label="Wait for the disk", kind="gauge", help="Reads of rows that wait."),
    Metric(
        name="buffer_hit_percent",
        label="In memory",
        kind="gauge",
        unit="%",
        help="Share of reads that found their row in memory, in the last second or two.",
    ),
    Metric(name="buffer_rows_held", label="Rows in memory", kind="gauge", help="Rows in the buffer pools."),
    Metric(name="buffer_hits", label="Memory reads", kind="counter", help="Reads that found their row in memory."),
    Metric(name="buffer_misses", label="Disk reads", kind="counter", help="Reads that went to the disk."),
    Metric(name="commits", label="Commits", kind="counter", help="Writes that are committed."),
    Metric(name="absent", label="Not there", kind="counter", help="Statements on an item that doesn't exist."),
    Metric(name="rejected", label="Turned away", kind="counter", help="Statements that found the queue full."),
    Metric(name="created", label="Created", kind="counter", help="Rows that were not there before."),
    Metric(name="deleted", label="Deleted", kind="counter", help="Rows that are gone."),
)

LIST_METRICS = (
    Metric(
        name="rows_per_list",
        label="Rows examined",
        kind="gauge",
        help="Rows that were looked at for a page of a list, on average in the last second or two, those counted past included.",
    ),
    Metric(
        name="list_pages", label="Pages of lists", kind="counter", help="Pages of lists that were read from a place on."
    ),
    Metric(
        name="rows_examined",
        label="Rows examined in all",
        kind="counter",
        help="Rows that were looked at for these, and steps down the index.",
    ),
    Metric(
        name="list_reads",
        label="Pages of the table",
        kind="counter",
        help="Pages of the table, 8 KiB each, that were looked at for these.",
    ),
    Metric(
        name="list_disk_reads",
        label="Not in memory",
        kind="counter",
        help="Those of them that had to be read from the disk.",
    ),
)

LOG_METRICS = (
    Metric(name="flushes", label="Flushes", kind="counter", help="Times that a leader flushed its log."),
    Metric(
        name="commits_per_flush",
        label="Group commit",
        kind="gauge",
        help="Records that a leader's flush made safe, on average.",
    ),
    Metric(
        name="log_mb",
        label="Log to replay",
        kind="gauge",
        unit="MB",
        help="Log of the leader since its last checkpoint: what a crash now would have it replay.",
    ),
    Metric(name="checkpoints", label="Checkpoints", kind="counter", help="Checkpoints of all nodes that are done."),
    Metric(
        name="pages_written_back",
        label="Pages written back",
        kind="counter",
        help="Changed pages that checkpoints have written, each a disk access that reads wait behind.",
    ),
    Metric(name="recoveries", label="Recoveries", kind="counter", help="Times that a node came up after a crash."),
    Metric(
        name="recovery_s",
        label="Last replay",
        kind="gauge",
        unit="s",
        help="How long the last node that came up after a crash replayed its log.",
    ),
    Metric(
        name="lost_writes",
        label="Lost writes",
        kind="counter",
        help="Writes that were acknowledged and are in no leader's history any more: crash, failover, or split brain.",
    ),
)

CLUSTER_METRICS = (
    Metric(
        name="lag_records",
        label="Lag",
        kind="gauge",
        help="Committed records that the slowest replica has not applied.",
    ),
    Metric(
        name="lag_ms",
        label="Lag in time",
        kind="gauge",
        unit="ms",
        help="For how long a committed write has been missing at the slowest replica.",
    ),
    Metric(name="replica_reads", label="Reads at replicas", kind="counter", help="Reads that went to a replica."),
    Metric(
        name="stale_reads",
        label="Stale reads",
        kind="counter",
        help="Reads whose node had not applied a write to that row which was committed.",
    ),
    Metric(
        name="stale_age_ms",
        label="Staleness",
        kind="gauge",
        unit="ms",
        help="How long ago the write had been committed that a stale read missed, on average.",
    ),
    Metric(name="stale_network", label="Stale: network", kind="counter", help="The write was still on its way there."),
    Metric(
        name="stale_backlog",
        label="Stale: apply backlog",
        kind="counter",
        help="The write had arrived there, and others were to be applied before it.",
    ),
    Metric(
        name="stale_stopped",
        label="Stale: apply stopped",
        kind="counter",
        help="The write had arrived there, and nothing was being applied.",
    ),
    Metric(name="stale_partition", label="Stale: partition", kind="counter", help="The node was cut off."),
    Metric(
        name="stale_forked",
        label="Stale: forked",
        kind="counter",
        help="The node was on a timeline that the write is not on.",
    ),
    Metric(
        name="own_write_missed",
        label="Own write missed",
        kind="counter",
        help="Stale reads that missed a write of the very user who read, acknowledged before (read-your-writes violations).",
    ),
    Metric(
        name="position_waits",
        label="Waits for a position",
        kind="counter",
        help="Reads that waited until a replica had their user's last write.",
    ),
    Metric(
        name="position_wait_ms",
        label="Mean wait",
        kind="gauge",
        unit="ms",
        help="How long these waited, on average.",
    ),
    Metric(
        name="fallbacks",
        label="Back to the leader",
        kind="counter",
        help="Reads that waited as long as allowed and then went to the leader.",
    ),
    Metric(
        name="commits_waiting",
        label="Commits waiting",
        kind="gauge",
        help="Commits that are flushed at the leader and wait for replicas.",
    ),
    Metric(name="leaders", label="Take writes", kind="gauge", help="Nodes that take writes; 2: split brain."),
    Metric(
        name="timeline", label="Timeline", kind="gauge", help="Counts the leaders that there were, one after the other."
    ),
    Metric(name="failovers", label="Failovers", kind="counter", help="Times that another leader was elected."),
    Metric(
        name="leaderless_s",
        label="Without a leader",
        kind="counter",
        unit="s",
        help="Time in which there was no leader.",
    ),
    Metric(
        name="no_leader",
        label="No leader",
        kind="counter",
        help="Statements that failed because no node which their caller reached was the leader.",
    ),
    Metric(
        name="split_brain_writes",
        label="Split-brain writes",
        kind="counter",
        help="Writes that a node acknowledged after another one had been elected.",
    ),
    Metric(
        name="discarded",
        label="Discarded",
        kind="counter",
        help="Records of old leaders that were thrown away when they came back.",
    ),
)

NODE_CELLS = Cells(
    label="Nodes",
    help="What each node is, the first one top left.",
    states=(
        CellState(name="leader", label="Leader", look="first"),
        CellState(name="in_step", label="Replica, in step (less than 0.1 s behind)", look="good"),
        CellState(name="behind", label="Replica, behind", look="fading"),
        CellState(name="stopped", label="Replica that doesn't apply its log", look="locked"),
        CellState(name="cut", label="Replica, cut off", look="absent"),
        CellState(name="promoting", label="Being promoted", look="second"),
        CellState(name="coming", label="Replaying its log, rewinding, or being copied", look="busy"),
        CellState(name="split", label="Takes writes without being the leader", look="third"),
        CellState(name="down", label="Down", look="bad"),
    ),
    marked="holds the lease",
)
