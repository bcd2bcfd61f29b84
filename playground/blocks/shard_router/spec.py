"""What the shard router declares."""

from __future__ import annotations

from playground.blocks.declare import REGION, SHARED_FAULTS, duration, prices
from playground.blocks.shard_router import spec_params
from playground.blocks.shard_router.spec_figures import CELLS, METRICS
from playground.blocks.shard_router.states import BUCKETS_MAX, SHARDS_MAX
from playground.protocol.catalogue import BlockSpec, Fault, Param, Port

SIZE = "Size"

SPEC = BlockSpec(
    kind="shard_router",
    title="Shard router",
    category="Data",
    icon="split",
    summary="Sends each row's operations to its shard, lists to all of them, and moves rows when shards come or go",
    order=52,
    params=(
        *spec_params.PARAMS[:1],
        Param(
            name="workers",
            label="Workers",
            kind="integer",
            default=1_000,
            minimum=1,
            maximum=1_000_000,
            help="Calls at once. A worker is held until the answer, all waiting for shards included.",
            group=SIZE,
        ),
        Param(
            name="queue_max",
            label="Longest queue",
            kind="integer",
            default=None,
            nullable=True,
            minimum=0,
            maximum=1_000_000,
            help="Calls that wait for a worker; one more is turned away. Off: any number.",
            group=SIZE,
        ),
        *duration("route", "Routing", "Time to parse a statement and find its shard.", mean=0.1, group=SIZE),
        *spec_params.PARAMS[1:],
        *prices(per_hour=0.2),
        REGION,
    ),
    ports=(
        Port(name="in", label="Statements", direction="in", type="sql", help="What a database would be asked."),
        Port(
            name="shards",
            label="Shards",
            direction="out",
            type="sql",
            help="The databases that share the rows. One with weight 0 gives its rows away; new ones get their part.",
            minimum=1,
            maximum=SHARDS_MAX,
            weighted=True,
        ),
    ),
    metrics=METRICS,
    faults=(
        *SHARED_FAULTS,
        Fault(
            name="move",
            label="Move a bucket",
            help="Gives a bucket another home, as an operator does with a hot one. By range and by directory alone.",
            params=(
                Param(
                    name="bucket",
                    label="Bucket",
                    kind="integer",
                    default=0,
                    minimum=0,
                    maximum=BUCKETS_MAX - 1,
                    help="Which bucket, counted from 0.",
                ),
                Param(
                    name="shard",
                    label="To shard",
                    kind="integer",
                    default=1,
                    minimum=0,
                    maximum=SHARDS_MAX - 1,
                    help="Which shard, counted from 0 in the order in which they were connected.",
                ),
            ),
            momentary=True,
        ),
    ),
    cells=CELLS,
)
