"""What the worker declares."""

from __future__ import annotations

from playground.blocks.declare import REGION, SHARED_FAULTS, duration, lasting, prices
from playground.engine.limits import INSTANCES_MAX
from playground.protocol.catalogue import BlockSpec, Choice, Fault, Metric, Param, Port

SIZE, WORK, PROGRAM = "Size", "Own work", "Program"

SPEC = BlockSpec(
    kind="worker",
    title="Worker",
    category="Compute",
    icon="cog",
    summary="Does the jobs that a queue hands it",
    order=35,
    params=(
        Param(
            name="instances",
            label="Instances",
            kind="integer",
            default=1,
            minimum=1,
            maximum=INSTANCES_MAX,
            help="Machines of this sort; the queue hands jobs to each of them.",
            group=SIZE,
        ),
        Param(
            name="workers",
            label="Workers",
            kind="integer",
            default=4,
            minimum=1,
            maximum=100_000,
            help="Jobs that one instance does at once. A worker is held until the job is done, all waiting included.",
            group=SIZE,
        ),
        Param(
            name="queue_max",
            label="Longest queue",
            kind="integer",
            default=1000,
            nullable=True,
            minimum=0,
            maximum=1_000_000,
            help="Jobs that wait for a worker of an instance; one more is turned away. Off: any number.",
            group=SIZE,
        ),
        *duration("work", "Work", "Time that a worker computes on a job.", mean=10.0, group=WORK),
        Param(
            name="after_write",
            label="Cache after a write",
            kind="choice",
            default="invalidate",
            choices=(
                Choice(value="invalidate", label="Invalidate", help="delete the item, the next read loads it"),
                Choice(value="update", label="Update", help="put the new version in"),
                Choice(value="nothing", label="Leave it", help="the cache has the new version already"),
            ),
            help="What happens to the cached item once the store has the new version.",
            group=PROGRAM,
        ),
        Param(
            name="item_bytes",
            label="Size of an item",
            kind="integer",
            default=2048,
            unit="bytes",
            minimum=0,
            maximum=1_000_000_000,
            help="Bytes of an item that is written or put into the cache.",
            group=PROGRAM,
        ),
        *prices(per_hour=0.05),
        REGION,
    ),
    ports=(
        Port(name="in", label="Jobs", direction="in", type="job", help="Jobs from a queue."),
        Port(
            name="store",
            label="Store",
            direction="out",
            type="sql",
            help="Where items are written, and read for the cache.",
            maximum=1,
        ),
        Port(
            name="cache",
            label="Cache",
            direction="out",
            type="cache",
            help="What is told of writes, and filled with items that were read anew.",
            maximum=1,
        ),
    ),
    metrics=(
        Metric(
            name="workers_busy",
            label="Busy",
            kind="gauge",
            help="Workers held, waiting for callees included.",
            headline=True,
            maximum_metric="workers",
        ),
        Metric(name="workers", label="Workers", kind="gauge", help="Workers of all instances."),
        Metric(name="done", label="Done", kind="counter", help="Jobs done, each time anew.", headline=True),
        Metric(name="written", label="Written", kind="counter", help="Writes that the store has taken."),
        Metric(name="refreshed", label="Read anew", kind="counter", help="Items read from the store for the cache."),
        Metric(name="poisoned", label="Poison", kind="counter", help="Jobs that failed on a poisonous key."),
        Metric(name="rejected", label="Turned away", kind="counter", help="Jobs that found the queue full."),
        Metric(
            name="unable",
            label="Without a wire",
            kind="counter",
            help="Writes promised to somebody and refreshes that failed for want of a store or a cache.",
        ),
    ),
    faults=(
        *SHARED_FAULTS,
        Fault(
            name="poison",
            label="Poison",
            help="Jobs on one key always fail, as those that meet a bug do; the queue tries them again and then gives up.",
            params=(
                Param(
                    name="key",
                    label="Key",
                    kind="integer",
                    default=1,
                    minimum=1,
                    maximum=1_000_000_000,
                    help="The key whose jobs fail.",
                ),
                lasting(),
            ),
        ),
    ),
)
