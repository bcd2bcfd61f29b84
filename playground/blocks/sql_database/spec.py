"""What the SQL database declares."""

from __future__ import annotations

from playground.blocks.declare import REGION, SHARED_FAULTS, duration, prices
from playground.blocks.sql_database.spec_buying import BUYING_METRICS, BUYING_PARAMS
from playground.blocks.sql_database.spec_cluster import (
    CLUSTER_FAULTS,
    FAILOVER_PARAMS,
    READ_PARAMS,
    REPLICA_PARAMS,
    RULES,
)
from playground.blocks.sql_database.spec_figures import CLUSTER_METRICS, LOG_METRICS, MACHINE_METRICS, NODE_CELLS
from playground.blocks.sql_database.spec_log import LOG_PARAMS
from playground.engine.limits import STORE_KEYS_MAX
from playground.protocol.catalogue import BlockSpec, Param, Port

CONNECTIONS, COMPUTING, DISK, DATA = "Connections", "Computing", "Disk", "Data"


SPEC = BlockSpec(
    kind="sql_database",
    title="SQL database",
    category="Data",
    icon="database",
    summary="Keeps the truth: a leader, its log, and replicas that follow it",
    order=50,
    params=(
        Param(
            name="pool",
            label="Connections",
            kind="integer",
            default=100,
            minimum=1,
            maximum=1_000_000,
            help="Statements at once, at each node. A statement holds a connection from its start to its answer.",
            group=CONNECTIONS,
        ),
        Param(
            name="queue_max",
            label="Longest queue",
            kind="integer",
            default=None,
            nullable=True,
            minimum=0,
            maximum=1_000_000,
            help="Statements that wait for a connection; one more is turned away. Off: any number.",
            group=CONNECTIONS,
        ),
        *duration("query", "Computing", "Time that a core needs for one statement.", mean=1.0, group=COMPUTING),
        Param(
            name="cores",
            label="Cores",
            kind="integer",
            default=16,
            minimum=1,
            maximum=1_000_000,
            help="Statements that compute at once, at each node.",
            group=COMPUTING,
        ),
        Param(
            name="list_cost",
            label="A list costs",
            kind="number",
            default=5.0,
            unit="statements",
            minimum=0.01,
            maximum=100_000.0,
            help="Computing for a page of a list, as a multiple of a statement on one row.",
            group=COMPUTING,
        ),
        *duration("disk_read", "Disk read", "Time to read a row that is not in memory.", mean=0.5, group=DISK),
        Param(
            name="disk_channels",
            label="Disk channels",
            kind="integer",
            default=32,
            minimum=1,
            maximum=100_000,
            help="Reads of rows that the disk does at once; the log is flushed beside them.",
            group=DISK,
        ),
        Param(
            name="rows",
            label="Rows",
            kind="integer",
            default=100_000,
            minimum=1,
            maximum=1_000_000_000,
            help="Items that exist at the start: numbers 1 to this. Others are absent until they are created.",
            group=DATA,
        ),
        Param(
            name="buffer_rows",
            label="Rows in memory",
            kind="integer",
            default=50_000,
            minimum=1,
            maximum=STORE_KEYS_MAX,
            help="Rows that fit into the buffer pool; the least recently used one goes first.",
            group=DATA,
        ),
        Param(
            name="warm",
            label="Warm at the start",
            kind="boolean",
            default=True,
            help="Whether the buffer pool holds the most popular rows at the start. A change restarts the block.",
            group=DATA,
            live=False,
        ),
        Param(
            name="row_bytes",
            label="Size of a row",
            kind="integer",
            default=2048,
            unit="bytes",
            minimum=0,
            maximum=1_000_000_000,
            help="Bytes of one item.",
            group=DATA,
        ),
        Param(
            name="list_rows",
            label="Rows of a page",
            kind="integer",
            default=20,
            minimum=1,
            maximum=100_000,
            help="Rows in the answer to a list.",
            group=DATA,
        ),
        *LOG_PARAMS,
        *REPLICA_PARAMS,
        *READ_PARAMS,
        *FAILOVER_PARAMS,
        *BUYING_PARAMS,
        *prices(per_hour=0.8),
        REGION,
    ),
    ports=(
        Port(
            name="in",
            label="Statements",
            direction="in",
            type="sql",
            help="Reads, writes, lists, purchases, rows created and deleted.",
        ),
        Port(
            name="log",
            label="Log",
            direction="in",
            type="changes",
            help="Who reads its changes along, in the order of their commits.",
        ),
    ),
    metrics=(*MACHINE_METRICS, *LOG_METRICS, *CLUSTER_METRICS, *BUYING_METRICS),
    faults=(*CLUSTER_FAULTS, *SHARED_FAULTS),
    rules=RULES,
    cells=NODE_CELLS,
)
