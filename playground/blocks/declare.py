"""What specs are made of: parameters that come in sets, the figures and faults that all blocks share.

A ``spec.py`` imports this and ``playground.protocol.catalogue``; nothing here knows any kind of block.
"""

from __future__ import annotations

from playground.engine.regions import REGION_PLACES, REGIONS
from playground.protocol.catalogue import Cells, CellState, Choice, Fault, Metric, Param

TEN_DAYS_S = 864_000.0
RATE_PER_S_MAX = 10_000_000.0

DISTRIBUTION_CHOICES = (
    Choice(value="constant", label="Constant", help="always the mean"),
    Choice(value="exponential", label="Exponential", help="memoryless: many short, few long"),
    Choice(value="uniform", label="Uniform", help="anything from 0 to twice the mean, equally likely"),
    Choice(value="lognormal", label="Lognormal", help="skewed, as measured service times mostly are"),
    Choice(value="pareto", label="Pareto", help="heavy tail: rare ones take very long"),
)


def duration(
    prefix: str,
    label: str,
    text: str,
    *,
    mean: float,
    unit: str = "ms",
    distribution: str = "exponential",
    cv: float = 1.0,
    group: str = "General",
    minimum: float = 0.0,
    maximum: float = 600_000.0,
    shown_when: dict[str, tuple[bool | int | float | str | None, ...]] | None = None,
) -> tuple[Param, ...]:
    """The three parameters of a random duration, read by ``Params.set_duration(duration, prefix)``."""
    shown = shown_when or {}
    return (
        Param(
            name=f"{prefix}_mean_{unit}",
            label=label,
            kind="number",
            default=mean,
            unit=unit,
            minimum=minimum,
            maximum=maximum,
            help=text,
            group=group,
            shown_when=shown,
        ),
        Param(
            name=f"{prefix}_distribution",
            label=f"{label}: distribution",
            kind="choice",
            default=distribution,
            choices=DISTRIBUTION_CHOICES,
            help=f"How {label.lower()} scatters around its mean.",
            group=group,
            shown_when=shown,
        ),
        Param(
            name=f"{prefix}_cv",
            label=f"{label}: variation",
            kind="number",
            default=cv,
            minimum=0.01,
            maximum=20.0,
            help="Standard deviation divided by the mean; matters to lognormal and Pareto alone.",
            group=group,
            shown_when={**shown, f"{prefix}_distribution": ("lognormal", "pareto")},
        ),
    )


REGION_CHOICES = tuple(
    Choice(value=region, label=region.upper(), help=f"as far away as {REGION_PLACES[region]}") for region in REGIONS
)

REGION = Param(
    name="region",
    label="Region",
    kind="choice",
    default=None,
    nullable=True,
    choices=REGION_CHOICES,
    help="Where it stands. Calls between two regions take the round trip between these in addition; off: beside everything.",
    group="Place",
)


PRICES = ("price_per_hour", "price_per_million", "price_per_gb")
"""Names of the parameters that :func:`prices` makes."""


def prices(*, per_hour: float = 0.0, per_million: float = 0.0, per_gb: float = 0.0) -> tuple[Param, ...]:
    """What a block costs, in neutral units, so that designs can be compared; with these defaults."""
    texts = (
        ("Price per hour", "What one instance costs in an hour, in neutral units.", per_hour, 1e6),
        ("Price per million calls", "What a million calls to it cost.", per_million, 1e6),
        ("Price per GB out", "What a gigabyte of its answers costs.", per_gb, 1e6),
    )
    return tuple(
        Param(
            name=name,
            label=label,
            kind="number",
            default=default,
            unit="units",
            minimum=0.0,
            maximum=most,
            help=text,
            group="Cost",
        )
        for name, (label, text, default, most) in zip(PRICES, texts, strict=True)
    )


def lasting(seconds: float | None = None, *, text: str = "How long it lasts; off: until faults are ended.") -> Param:
    """How long a fault lasts."""
    return Param(
        name="duration_s",
        label="Duration",
        kind="number",
        default=seconds,
        nullable=True,
        unit="s",
        minimum=0.001,
        maximum=TEN_DAYS_S,
        help=text,
    )


INSTANCE = Param(
    name="instance",
    label="Instance",
    kind="integer",
    default=None,
    nullable=True,
    minimum=0,
    maximum=999,
    help="Which instance, counted from 0; off: all of them.",
)

CRASH = Fault(
    name="crash",
    label="Crash",
    help="Dies: calls in it fail as crashed, new ones are refused, what it kept in memory is gone. Comes back when the time is over.",
    params=(
        INSTANCE,
        Param(
            name="restart_after_s",
            label="Restarts after",
            kind="number",
            default=None,
            nullable=True,
            unit="s",
            minimum=0.001,
            maximum=TEN_DAYS_S,
            help="Time until it is up again; off: until faults are ended.",
        ),
    ),
)
SLOW_DOWN = Fault(
    name="slow_down",
    label="Slow down",
    help="All its work takes longer by a factor, the rest of what is under way included.",
    params=(
        INSTANCE,
        Param(
            name="factor",
            label="Factor",
            kind="number",
            default=10.0,
            minimum=0.001,
            maximum=100_000.0,
            help="How many times as long work takes.",
        ),
        lasting(),
    ),
)
PAUSE = Fault(
    name="pause",
    label="Pause",
    help="Nothing in it moves, as in a long garbage collection or a frozen machine; callers see silence. Then it goes on.",
    params=(INSTANCE, lasting(1.0)),
)
REFUSE = Fault(
    name="refuse",
    label="Refuse",
    help="Turns new calls away at once; those that are in go on.",
    params=(INSTANCE, lasting()),
)
SHARED_FAULTS = (CRASH, SLOW_DOWN, PAUSE, REFUSE)
"""What can be done to every block that serves calls."""

COMMON_METRICS = (
    Metric(name="health", label="Health", kind="gauge", help="0 well, 1 impaired, 2 every instance down."),
    Metric(
        name="offered", label="Offered", kind="counter", help="Calls that arrived (of a client: requests that it sent)."
    ),
    Metric(name="completed", label="Completed", kind="counter", help="Calls that were answered well."),
    Metric(name="failed", label="Failed", kind="counter", help="Calls that were answered with a failure."),
    Metric(name="in_flight", label="In flight", kind="gauge", help="Calls that have arrived and are not answered yet."),
    Metric(
        name="busy", label="Busy", kind="gauge", help="Workers or connections that are held.", maximum_metric="capacity"
    ),
    Metric(
        name="capacity", label="Capacity", kind="gauge", help="Workers or connections there are; 0 where it has none."
    ),
    Metric(name="queue", label="Waiting", kind="gauge", help="Calls that wait for a worker or a connection."),
    Metric(
        name="cost",
        label="Cost",
        kind="counter",
        unit="units",
        help="What it has cost since the start, in neutral units.",
    ),
)
"""What every block reports in front of its own figures, in the order of ``Block.common_metrics``."""

PURGE = Fault(
    name="purge",
    label="Purge",
    help="Drops an item, or everything that is stored; the next reads go to the origin.",
    params=(
        Param(
            name="key",
            label="Key",
            kind="integer",
            default=None,
            nullable=True,
            minimum=1,
            maximum=2_000_000_000,
            help="Which item; off: all of them.",
        ),
    ),
    momentary=True,
)

HTTP_CACHE_METRICS = (
    Metric(
        name="hit_percent",
        label="Hits",
        kind="gauge",
        unit="%",
        help="Share of reads that did not have to wait for the origin, in the last second or two.",
        headline=True,
    ),
    Metric(
        name="keys",
        label="Items",
        kind="gauge",
        help="Items stored.",
        headline=True,
        maximum_metric="capacity_keys",
    ),
    Metric(name="capacity_keys", label="Capacity", kind="gauge", help="Items that fit."),
    Metric(name="hits", label="Hits", kind="counter", help="Reads that did not have to wait for the origin."),
    Metric(name="misses", label="Misses", kind="counter", help="Reads of items that were not stored."),
    Metric(name="origin_requests", label="To the origin", kind="counter", help="Reads sent to the origin."),
    Metric(
        name="revalidated",
        label="Revalidated",
        kind="counter",
        help="Times that the origin said: what you have is still good (304).",
    ),
    Metric(
        name="refreshed",
        label="Replaced",
        kind="counter",
        help="Times that the origin was asked about a stored item and sent another one (200).",
    ),
    Metric(
        name="not_modified",
        label="304 given",
        kind="counter",
        help="Reads whose caller has the same copy, answered without a body.",
    ),
    Metric(
        name="stale_served",
        label="Served stale",
        kind="counter",
        help="Reads answered past freshness while the item was revalidated in the background.",
    ),
    Metric(
        name="stale_if_error",
        label="Stale on error",
        kind="counter",
        help="Reads answered past freshness because the origin failed.",
    ),
    Metric(
        name="out_of_date",
        label="Out of date",
        kind="counter",
        help="Reads answered with a version of which the database had a newer one.",
    ),
    Metric(
        name="collapsed",
        label="Collapsed",
        kind="counter",
        help="Reads that waited for a request to the origin that another one had made.",
    ),
    Metric(
        name="invalidated", label="Invalidated", kind="counter", help="Items dropped because a write went through here."
    ),
    Metric(name="evicted", label="Evicted", kind="counter", help="Items thrown out to make room."),
    Metric(name="egress_bytes", label="Egress", kind="counter", unit="bytes", help="Bytes of all answers given."),
    Metric(
        name="origin_bytes", label="From the origin", kind="counter", unit="bytes", help="Bytes that the origin sent."
    ),
    Metric(
        name="saved_bytes",
        label="Origin saved",
        kind="counter",
        unit="bytes",
        help="Bytes that the origin did not have to send: answered from here, or confirmed by a 304.",
    ),
    Metric(
        name="spared_bytes",
        label="Callers spared",
        kind="counter",
        unit="bytes",
        help="Bytes that callers did not have to be sent, since they got a 304.",
    ),
)
"""What every HTTP cache reports, in the order of ``HttpCacheFigures.metrics``."""


def http_cache_cells(text: str) -> Cells:
    """The cells of an HTTP cache, in the order of ``HttpStore.state``; ``text`` says whose copies they are."""
    return Cells(
        label="Most popular items",
        help=text,
        states=(
            CellState(name="empty", label="Not stored", look="empty"),
            CellState(name="fresh", label="Fresh", look="good"),
            CellState(name="stale", label="Stale, served while revalidated", look="fading"),
            CellState(name="expired", label="Past its time: the origin is asked first", look="bad"),
            CellState(name="negative", label="Known not to exist", look="absent"),
        ),
        marked="The item that was asked for last.",
    )
