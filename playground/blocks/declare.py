"""What specs are made of: parameters that come in sets, the figures and faults that all blocks share.

A ``spec.py`` imports this and ``playground.protocol.catalogue``; nothing here knows any kind of block.
"""

from __future__ import annotations

from playground.engine.regions import REGION_PLACES, REGIONS
from playground.protocol.catalogue import Choice, Fault, Metric, Param

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
