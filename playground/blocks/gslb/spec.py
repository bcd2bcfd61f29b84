"""What the GSLB declares."""

from __future__ import annotations

from playground.blocks.declare import REGION_CHOICES, lasting, prices
from playground.engine.regions import REGION_PLACES, ROUND_TRIP_MS
from playground.protocol.catalogue import (
    BlockSpec,
    Cells,
    CellState,
    Choice,
    Fault,
    Metric,
    Param,
    Port,
    Rule,
    Scalar,
)

RESOLVERS_MAX = 10_000
"""Of each region."""

CHECKS, DNS, MATRIX = "Health checks", "Resolvers", "Round trips"
CHECKING: dict[str, tuple[Scalar, ...]] = {"health_checks": (True,)}
BY_DNS: dict[str, tuple[Scalar, ...]] = {"policy": ("geo", "latency", "weighted", "failover")}


def seconds(
    name: str,
    label: str,
    default: float,
    bounds: tuple[float, float],
    text: str,
    group: str,
    shown_when: dict[str, tuple[Scalar, ...]],
) -> Param:
    """A number of seconds."""
    return Param(
        name=name,
        label=label,
        kind="number",
        default=default,
        unit="s",
        minimum=bounds[0],
        maximum=bounds[1],
        help=text,
        group=group,
        shown_when=shown_when,
    )


def probes(name: str, label: str, text: str) -> Param:
    """So many probes in a row."""
    return Param(
        name=name,
        label=label,
        kind="integer",
        default=3,
        minimum=1,
        maximum=100,
        help=text,
        group=CHECKS,
        shown_when=CHECKING,
    )


def priced() -> tuple[Param, ...]:
    """What DNS is billed by: queries, since the requests themselves do not pass through it."""
    return tuple(
        param.model_copy(
            update={"label": "Price per million queries", "help": "What answering a million DNS queries costs."}
        )
        if param.name == "price_per_million"
        else param
        for param in prices(per_hour=0.005, per_million=0.4)
    )


ROUTING = (
    Param(
        name="policy",
        label="Routing",
        kind="choice",
        default="geo",
        choices=(
            Choice(value="geo", label="GeoDNS", help="the clients' own region, else the nearest by the table below"),
            Choice(value="latency", label="Latency", help="the lowest round trip: the table, and what its probes took"),
            Choice(value="weighted", label="Weighted", help="drawn by the edges' weights for each DNS answer"),
            Choice(value="failover", label="Failover", help="the highest weight that is healthy"),
            Choice(value="anycast", label="Anycast", help="one address, which the network takes to the nearest region"),
        ),
        help="Which region is the answer. An edge with weight 0 is never answered.",
    ),
    Param(
        name="clients_region",
        label="Clients without a region",
        kind="choice",
        default="eu",
        choices=REGION_CHOICES,
        help="Where clients are that don't say where they stand.",
    ),
    Param(
        name="when_all_dead",
        label="When all are dead",
        kind="choice",
        default="fail",
        choices=(
            Choice(value="fail", label="Answer with none", help="requests fail as having no upstream"),
            Choice(value="answer_all", label="Answer as if all were well", help="the checks may be what is broken"),
        ),
        help="What is answered when no region is healthy.",
    ),
    seconds(
        "convergence_s",
        "Route convergence",
        10.0,
        (0.0, 600.0),
        "Time until the network has learned that a region is withdrawn, or announced again.",
        "General",
        {"policy": ("anycast",)},
    ),
)

HEALTH = (
    Param(
        name="health_checks",
        label="Health checks",
        kind="boolean",
        default=True,
        help="Probe each region, and answer with healthy ones alone.",
        group=CHECKS,
    ),
    seconds("probe_interval_s", "Every", 30.0, (5.0, 3600.0), "Time between two probes of a region.", CHECKS, CHECKING),
    seconds(
        "probe_timeout_s",
        "Probe timeout",
        1.0,
        (0.01, 30.0),
        "A probe that has no answer by then has failed.",
        CHECKS,
        CHECKING,
    ),
    probes("probe_threshold", "Dead after", "Failed probes in a row after which a region counts as dead."),
    probes("recover_threshold", "Back after", "Good probes in a row after which a dead region is back."),
)

RESOLVERS = (
    Param(
        name="resolvers",
        label="Resolvers",
        kind="integer",
        default=200,
        minimum=1,
        maximum=RESOLVERS_MAX,
        help="Caching DNS resolvers in each region of clients. Each user has one of them, by a hash.",
        group=DNS,
        shown_when=BY_DNS,
    ),
    seconds("ttl_s", "TTL", 60.0, (1.0, 604_800.0), "How long a resolver may keep an answer.", DNS, BY_DNS),
    Param(
        name="ignore_ttl_percent",
        label="Ignore the TTL",
        kind="number",
        default=0.0,
        unit="%",
        minimum=0.0,
        maximum=100.0,
        help="Resolvers that keep answers longer than the TTL says.",
        group=DNS,
        shown_when=BY_DNS,
    ),
    seconds(
        "ignored_ttl_s",
        "They keep answers",
        3600.0,
        (1.0, 604_800.0),
        "How long these keep an answer at least.",
        DNS,
        BY_DNS,
    ),
    Param(
        name="lookup_ms",
        label="Lookup",
        kind="number",
        default=20.0,
        unit="ms",
        minimum=0.0,
        maximum=60_000.0,
        help="Time that a resolver takes to ask; requests that need its answer wait so long.",
        group=DNS,
        shown_when=BY_DNS,
    ),
    seconds(
        "lookup_timeout_s",
        "Lookup timeout",
        1.8,
        (0.01, 60.0),
        "After this a resolver gives up on DNS servers that don't answer (RFC 8767 advises 1.8 s).",
        DNS,
        BY_DNS,
    ),
    seconds(
        "failure_ttl_s",
        "Keeps a failure",
        5.0,
        (1.0, 300.0),
        "How long a resolver that got no answer asks no more (RFC 9520: from 1 s to 5 minutes).",
        DNS,
        BY_DNS,
    ),
    Param(
        name="serve_stale",
        label="Serve stale",
        kind="boolean",
        default=False,
        help="While DNS does not answer, resolvers go on with the last answer, up to a day past its TTL (RFC 8767).",
        group=DNS,
        shown_when=BY_DNS,
    ),
)

ROUND_TRIPS = tuple(
    Param(
        name=f"rtt_{here}_{there}_ms",
        label=f"{here.upper()} - {there.upper()}",
        kind="number",
        default=float(ms),
        unit="ms",
        minimum=0.0,
        maximum=10_000.0,
        help=f"Round trip between clients and a region ({REGION_PLACES[here]} - {REGION_PLACES[there]}), beside the edges' own latency. "
        "Of this block alone: edges between two regions have fixed ones.",
        group=MATRIX,
    )
    for (here, there), ms in ROUND_TRIP_MS.items()
)

CELLS = Cells(
    label="Resolvers",
    help="A sample of the resolvers, those of one region of clients after those of another: the region that each one's answer points to.",
    states=(
        CellState(name="none", label="no answer", look="empty"),
        CellState(name="first", label="first region", look="first", callee=0),
        CellState(name="second", label="second region", look="second", callee=1),
        CellState(name="third", label="third region", look="third", callee=2),
        CellState(name="fourth", label="fourth region or further", look="fourth", callee=3),
    ),
    marked="ignores the TTL",
)

METRICS = (
    Metric(
        name="share_own_region_percent",
        label="In own region",
        kind="gauge",
        unit="%",
        help="Requests of the last seconds that went to the region they came from.",
        headline=True,
    ),
    Metric(
        name="mean_rtt_ms",
        label="Distance",
        kind="gauge",
        unit="ms",
        help="Mean round trip between a request's region and the one it went to, of the last seconds.",
        headline=True,
    ),
    Metric(
        name="to_dead",
        label="Sent to the dead",
        kind="counter",
        help="Requests sent to a region that the checks call dead, that is cut off or stands still, or where something dead failed them.",
        headline=True,
    ),
    Metric(
        name="resolvers_on_dead_percent",
        label="Resolvers on dead ones",
        kind="gauge",
        unit="%",
        help="Resolvers whose latest answer is a region that the checks call dead.",
    ),
    Metric(
        name="regions_healthy",
        label="Regions healthy",
        kind="gauge",
        help="Regions that the checks call healthy.",
        maximum_metric="regions",
        full_is_well=True,
    ),
    Metric(name="regions", label="Regions", kind="gauge", help="Regions there are."),
    Metric(name="resolutions", label="DNS queries", kind="counter", help="Queries that resolvers sent."),
    Metric(name="unresolved", label="No answer", kind="counter", help="Requests that failed for want of a region."),
    Metric(
        name="stale_answers", label="Stale answers", kind="counter", help="Requests sent by an answer past its TTL."
    ),
    Metric(name="probes", label="Probes", kind="counter", help="Health probes sent."),
)

SPEC = BlockSpec(
    kind="gslb",
    title="GSLB / DNS",
    category="Edge",
    icon="earth",
    summary="Sends clients to a region: by DNS and its caches, or by anycast",
    order=18,
    params=(*ROUTING, *HEALTH, *RESOLVERS, *ROUND_TRIPS, *priced()),
    ports=(
        Port(
            name="in",
            label="Requests",
            direction="in",
            type="http",
            help="Requests of clients. They are in the region of the block that sends them.",
        ),
        Port(
            name="out",
            label="Regions",
            direction="out",
            type="http",
            help="One block for each region, such as its load balancer; its parameter Region says where it is.",
            minimum=1,
            weighted=True,
        ),
    ),
    metrics=METRICS,
    faults=(
        Fault(
            name="dns_outage",
            label="DNS outage",
            help="DNS queries get no answer. What resolvers have cached goes on until its TTL.",
            params=(lasting(),),
        ),
    ),
    rules=(
        Rule(
            lesser="probe_timeout_s",
            greater="probe_interval_s",
            help="a probe has to end before the next one is sent.",
            when=CHECKING,
        ),
        Rule(
            lesser="ttl_s",
            greater="ignored_ttl_s",
            help="resolvers that ignore the TTL keep answers longer than it says, not shorter.",
            when=BY_DNS,
            above_zero=("ignore_ttl_percent",),
        ),
    ),
    cells=CELLS,
)
