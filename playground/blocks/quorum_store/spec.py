"""What the quorum store declares."""

from __future__ import annotations

from playground.blocks.declare import REGION, prices
from playground.blocks.quorum_store.spec_figures import CELLS, FAULTS, METRICS
from playground.blocks.quorum_store.spec_params import CONFLICT_PARAMS, FAILURE_PARAMS, LEG_PARAMS, REPAIR_PARAMS
from playground.blocks.quorum_store.states import NODES_MAX, REPLICAS_MAX
from playground.engine.limits import STORE_KEYS_MAX
from playground.protocol.catalogue import BlockSpec, Choice, Param, Port, Rule

QUORUM, DATA = "Quorum", "Data"

SPEC = BlockSpec(
    kind="quorum_store",
    title="Quorum store",
    category="Data",
    icon="boxes",
    summary="Keeps N copies of each key; W of them write, R of them read",
    order=55,
    params=(
        Param(
            name="instances",
            label="Nodes",
            kind="integer",
            default=5,
            minimum=1,
            maximum=NODES_MAX,
            help="Nodes on the ring. A change restarts the block.",
            group=QUORUM,
            live=False,
        ),
        Param(
            name="replicas",
            label="N: replicas",
            kind="integer",
            default=3,
            minimum=1,
            maximum=REPLICAS_MAX,
            help="Nodes that keep a copy of each key: the first ones behind its place on the ring.",
            group=QUORUM,
        ),
        Param(
            name="read_quorum",
            label="R: answers to a read",
            kind="integer",
            default=2,
            minimum=1,
            maximum=REPLICAS_MAX,
            help="Replicas whose answers a read waits for. With R + W > N one of them has every acknowledged write.",
            group=QUORUM,
        ),
        Param(
            name="write_quorum",
            label="W: copies of a write",
            kind="integer",
            default=2,
            minimum=1,
            maximum=REPLICAS_MAX,
            help="Replicas that have to have a write before it is acknowledged. It is sent to all N.",
            group=QUORUM,
        ),
        Param(
            name="read_from",
            label="Reads go to",
            kind="choice",
            default="all",
            choices=(
                Choice(value="all", label="All replicas", help="and the first R to answer count"),
                Choice(value="quorum", label="R replicas", help="and to others when these don't answer"),
            ),
            help="Which replicas a read is sent to.",
            group=QUORUM,
        ),
        Param(
            name="coordinator",
            label="Coordinator",
            kind="choice",
            default="contacted",
            choices=(
                Choice(
                    value="contacted",
                    label="Any node",
                    help="its own copy, if it has one, is as far away as the others",
                ),
                Choice(value="replica", label="A replica of the key", help="its own copy is at hand"),
            ),
            help="Which node a client contacts. With version vectors it is always a replica.",
            group=QUORUM,
        ),
        *LEG_PARAMS,
        *FAILURE_PARAMS,
        *REPAIR_PARAMS,
        *CONFLICT_PARAMS,
        Param(
            name="keys",
            label="Items",
            kind="integer",
            default=100_000,
            minimum=1,
            maximum=STORE_KEYS_MAX,
            help="Items that exist at the start, on all their replicas: numbers 1 to this. Others are absent until they are written.",
            group=DATA,
        ),
        Param(
            name="item_bytes",
            label="Size of an item",
            kind="integer",
            default=2048,
            unit="bytes",
            minimum=0,
            maximum=1_000_000_000,
            help="Bytes of one version of an item.",
            group=DATA,
        ),
        *prices(per_hour=0.2),
        REGION,
    ),
    ports=(
        Port(
            name="in",
            label="Requests",
            direction="in",
            type="sql",
            help="Reads and writes of single items, as a database takes them; lists are an error here.",
        ),
    ),
    metrics=METRICS,
    faults=FAULTS,
    rules=(
        Rule(lesser="replicas", greater="instances", help="each copy of a key is on a node of its own."),
        Rule(lesser="read_quorum", greater="replicas", help="a read can't get more answers than there are replicas."),
        Rule(lesser="write_quorum", greater="replicas", help="a write can't be on more replicas than there are."),
        Rule(
            lesser="suspect_after_ms",
            greater="request_timeout_ms",
            help="a request that has failed can't turn to another node.",
        ),
    ),
    cells=CELLS,
)
