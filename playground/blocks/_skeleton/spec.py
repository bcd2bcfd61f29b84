"""What this kind of block declares."""

# Lines with REPLACE are yours to change; the other comments say why something is as it is, and may go.

from __future__ import annotations

from playground.blocks.declare import REGION, SHARED_FAULTS, duration, lasting, prices
from playground.protocol.catalogue import BlockSpec, Fault, Metric, Param, Port

# The name, unit, bounds and help of a parameter stand here and nowhere else: form, API, TypeScript types and checks derive from it.
SPEC = BlockSpec(
    kind="skeleton",
    title="Skeleton",
    category="Compute",  # REPLACE: Traffic, Edge, Compute, Memory or Data, its place in the palette
    icon="box",  # REPLACE: the name of an icon at lucide.dev
    summary="Takes a call, works, answers",  # REPLACE: a few words for the palette
    params=(
        # A name ends in its unit where it has one (_ms, _s, _percent, _per_s, _bytes): `Params.ns("..._ms")` reads it.
        Param(
            name="workers",
            label="Workers",
            kind="integer",
            default=8,
            minimum=1,
            maximum=100_000,
            help="Calls that are worked on at once.",
        ),
        # Nullable: null in a design, "off" on the page, -1 in behaviour.py.
        Param(
            name="queue_max",
            label="Longest queue",
            kind="integer",
            default=100,
            nullable=True,
            minimum=0,
            maximum=1_000_000,
            help="Calls that wait for a worker; one more is turned away as overloaded. Off: any number.",
        ),
        Param(
            name="limit_per_s",
            label="Rate limit",
            kind="integer",
            default=None,
            nullable=True,
            unit="per_s",
            minimum=1,
            maximum=10_000_000,
            help="Calls taken in each second; those beyond are turned away until the next second begins. Off: no limit.",
        ),
        # A duration is three parameters: mean, distribution, variation.
        *duration("work", "Work", "Time that a worker needs for a call.", mean=5.0),  # REPLACE
        *prices(per_hour=0.1),
        REGION,
    ),
    ports=(
        # Ports connect where the types are equal: http, cache, sql, or a new word of yours.
        Port(name="in", label="Requests", direction="in", type="http", help="Calls to be worked on."),
        Port(name="next", label="Next", direction="out", type="http", help="Whom it calls after its work.", maximum=1),
    ),
    # In the order of `metrics()` in behaviour.py. Counters only grow; gauges are values of the moment.
    metrics=(
        Metric(
            name="workers_busy",
            label="Busy",
            kind="gauge",
            help="Workers held, waiting for the next one included.",
            headline=True,
            maximum_metric="workers",
        ),
        Metric(name="workers", label="Workers", kind="gauge", help="Workers there are."),
        Metric(name="over_limit", label="Over the limit", kind="counter", help="Calls turned away by the rate limit."),
        Metric(name="queue_full", label="Queue full", kind="counter", help="Calls turned away by a full queue."),
    ),
    # Crash, slow down, pause and refuse come for free. One of its own is done by `on_fault`.
    faults=(
        Fault(
            name="throttle",  # REPLACE, or delete it with `on_fault`, `on_fault_end` and `settle_throttle`
            label="Throttle",
            help="The rate limit falls to so many calls a second.",
            params=(
                Param(
                    name="to_per_s",
                    label="Limit",
                    kind="integer",
                    default=10,
                    unit="per_s",
                    minimum=0,
                    maximum=10_000_000,
                    help="Calls taken in each second while it lasts.",
                ),
                lasting(10.0),
            ),
        ),
        *SHARED_FAULTS,
    ),
)
