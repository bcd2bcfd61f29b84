"""The parameters of a cluster: replicas, where reads go, failover; and the faults that only a cluster has."""

from __future__ import annotations

from playground.blocks.declare import CRASH, INSTANCE, TEN_DAYS_S, duration, lasting
from playground.blocks.sql_database.states import NODES_MAX
from playground.protocol.catalogue import Choice, Fault, Param, Rule

REPLICAS, READS, FAILOVER = "Replicas", "Where reads go", "Failover"

REPLICA_PARAMS = (
    Param(
        name="instances",
        label="Nodes",
        kind="integer",
        default=1,
        minimum=1,
        maximum=NODES_MAX,
        help="The leader and its replicas, each with connections, cores, memory and a disk of its own. The first one leads at the start.",
        group=REPLICAS,
    ),
    Param(
        name="sync_replicas",
        label="Synchronous replicas",
        kind="integer",
        default=0,
        minimum=0,
        maximum=NODES_MAX - 1,
        help="How many replicas a commit waits for, where it waits for any. 0: replication is asynchronous.",
        group=REPLICAS,
    ),
    Param(
        name="sync_method",
        label="Which ones",
        kind="choice",
        default="any",
        choices=(
            Choice(value="any", label="Any (quorum)", help="ANY k: whichever are the first to have it"),
            Choice(
                value="first",
                label="First (priority)",
                help="FIRST k: those with the lowest numbers that are connected",
            ),
        ),
        help="Which replicas a commit waits for (PostgreSQL's synchronous_standby_names).",
        group=REPLICAS,
    ),
    *duration(
        "ship", "Network", "Time that log, or word of its arrival, takes between two nodes.", mean=0.5, group=REPLICAS
    ),
    *duration(
        "apply",
        "Apply",
        "Time in which a replica applies one record. It applies one after the other, so more than 1 / this a second makes it lag.",
        mean=0.2,
        group=REPLICAS,
    ),
    Param(
        name="lag_alarm_s",
        label="Say when it lags by",
        kind="number",
        default=1.0,
        nullable=True,
        unit="s",
        minimum=0.001,
        maximum=TEN_DAYS_S,
        help="A replica that misses a committed write for longer than this is named in the feed; off: none is.",
        group=REPLICAS,
    ),
)

READ_PARAMS = (
    Param(
        name="reads",
        label="Reads go to",
        kind="choice",
        default="leader",
        choices=(
            Choice(value="leader", label="The leader", help="always up to date; replicas only stand by"),
            Choice(value="any_replica", label="Any replica", help="the replicas in turn, however far behind they are"),
            Choice(
                value="leader_after_write",
                label="The leader after a write",
                help="for a while after a user's own write, else any replica",
            ),
            Choice(
                value="wait_for_position",
                label="A replica that has the user's write",
                help="it waits until the replica has applied it, and goes to the leader when that takes too long",
            ),
            Choice(
                value="bounded_staleness",
                label="A replica that is not too far behind",
                help="replicas by their lag; the leader when all are too late",
            ),
        ),
        help="Which node answers a read. Writes go to the leader.",
        group=READS,
    ),
    Param(
        name="after_write_s",
        label="To the leader for",
        kind="number",
        default=2.0,
        unit="s",
        minimum=0.0,
        maximum=TEN_DAYS_S,
        help="How long after a user's write their reads go to the leader; longer than the lag, and they always see it.",
        group=READS,
        shown_when={"reads": ("leader_after_write",)},
    ),
    Param(
        name="wait_max_ms",
        label="Waits at most",
        kind="number",
        default=1000.0,
        unit="ms",
        minimum=0.0,
        maximum=600_000.0,
        help="How long a read waits for the replica to have its user's last write before it goes to the leader.",
        group=READS,
        shown_when={"reads": ("wait_for_position",)},
    ),
    Param(
        name="staleness_max_ms",
        label="Lag at most",
        kind="number",
        default=500.0,
        unit="ms",
        minimum=0.0,
        maximum=600_000.0,
        help="Replicas with a larger lag than this get no reads.",
        group=READS,
        shown_when={"reads": ("bounded_staleness",)},
    ),
)

FAILOVER_PARAMS = (
    Param(
        name="failover",
        label="Automatic failover",
        kind="boolean",
        default=True,
        help="With replicas: another leader is elected when the leader's lease expires. Off: it has to come back by itself.",
        group=FAILOVER,
    ),
    Param(
        name="fencing",
        label="Fencing",
        kind="boolean",
        default=True,
        help="A leader that can't renew its lease demotes itself before it expires. Off: it goes on taking writes.",
        group=FAILOVER,
        shown_when={"failover": (True,)},
    ),
    Param(
        name="lease_ttl_s",
        label="Lease",
        kind="number",
        default=30.0,
        unit="s",
        minimum=0.1,
        maximum=TEN_DAYS_S,
        help="How long a leader leads after it last renewed its lease in the consensus store (Patroni's ttl).",
        group=FAILOVER,
        shown_when={"failover": (True,)},
    ),
    Param(
        name="loop_wait_s",
        label="Renewed every",
        kind="number",
        default=10.0,
        unit="s",
        minimum=0.01,
        maximum=TEN_DAYS_S,
        help="How often each node's agent looks, and the leader's renews the lease (loop_wait).",
        group=FAILOVER,
        shown_when={"failover": (True,)},
    ),
    Param(
        name="retry_timeout_s",
        label="Tries for",
        kind="number",
        default=10.0,
        unit="s",
        minimum=0.01,
        maximum=TEN_DAYS_S,
        help="How long an agent that can't reach the store goes on trying before it demotes its leader (retry_timeout).",
        group=FAILOVER,
        shown_when={"failover": (True,)},
    ),
    Param(
        name="failover_lag_mb",
        label="Candidates lag at most",
        kind="number",
        default=1.0,
        unit="MB",
        minimum=0.0,
        maximum=1_000_000.0,
        help="A replica that misses more log than this of what the leader was known to have is not elected (maximum_lag_on_failover).",
        group=FAILOVER,
        shown_when={"failover": (True,)},
    ),
    Param(
        name="promote_s",
        label="Promotion",
        kind="number",
        default=1.0,
        unit="s",
        minimum=0.0,
        maximum=3600.0,
        help="Time from a replica's election, and once it has applied all its log, until it takes writes.",
        group=FAILOVER,
        shown_when={"failover": (True,)},
    ),
    Param(
        name="rewind_s",
        label="Rewind",
        kind="number",
        default=3.0,
        unit="s",
        minimum=0.0,
        maximum=TEN_DAYS_S,
        help="Time that an old leader needs to drop what the new one never had, before it follows (pg_rewind).",
        group=FAILOVER,
        shown_when={"failover": (True,)},
    ),
)

RULES = (
    Rule(
        lesser="sync_replicas",
        greater="instances",
        strict=True,
        help="the leader is no replica of itself, so a commit can wait for one less than there are nodes.",
    ),
    Rule(
        lesser="loop_wait_s",
        plus=("retry_timeout_s",),
        greater="lease_ttl_s",
        strict=True,
        help="a lease that expires before it is renewed, or before a leader that can't renew it has stepped down, makes two leaders.",
    ),
    Rule(
        least=1,
        lesser="",
        greater="sync_replicas",
        when={"synchronous_commit": ("remote_write", "remote_apply")},
        help="there is no replica that such a commit could wait for.",
    ),
)

CLUSTER_FAULTS = (
    Fault(
        name="crash_leader",
        label="Crash the leader",
        help="Whichever node leads dies, and with it all of its log that is not flushed. Comes back when the time is over.",
        params=tuple(param for param in CRASH.params if param.name != "instance"),
    ),
    Fault(
        name="stop_apply",
        label="Stop applying",
        help="Replicas receive and keep the log, and apply none of it: reads there get older and older.",
        params=(INSTANCE, lasting()),
    ),
    Fault(
        name="slow_disk",
        label="Slow disk",
        help="Flushes and reads of rows take longer by a factor.",
        params=(
            INSTANCE,
            Param(
                name="factor",
                label="Factor",
                kind="number",
                default=10.0,
                minimum=0.001,
                maximum=100_000.0,
                help="How many times as long the disk takes.",
            ),
            lasting(),
        ),
    ),
    Fault(
        name="partition",
        label="Cut off",
        help="One node reaches neither the others nor the store of the lease.",
        params=(
            Param(
                name="instance",
                label="Instance",
                kind="integer",
                default=None,
                nullable=True,
                minimum=0,
                maximum=999,
                help="Which node, counted from 0; off: the leader.",
            ),
            Param(
                name="callers",
                label="Callers that reach it",
                kind="choice",
                default="zone",
                choices=(
                    Choice(value="none", label="None", help="all callers are on the other side"),
                    Choice(value="zone", label="Those in its zone", help="and these reach no other node"),
                    Choice(value="all", label="All", help="only the nodes' own network is cut"),
                ),
                help="Callers' instances stand beside the nodes in turn, in order of their connections: the first beside node 1.",
            ),
            lasting(),
        ),
    ),
)
