"""What the API gateway declares."""

from __future__ import annotations

from playground.blocks.declare import RATE_PER_S_MAX, REGION, SHARED_FAULTS, duration, prices
from playground.protocol.catalogue import BlockSpec, Cells, CellState, Choice, Metric, Param, Port

LIMIT, ANSWER, WORK = "Limit", "Answer", "Own work"
BUCKET: dict[str, tuple[bool | int | float | str | None, ...]] = {"algorithm": ("token_bucket",)}
WINDOW: dict[str, tuple[bool | int | float | str | None, ...]] = {"algorithm": ("sliding_window", "fixed_window")}
LEAKY: dict[str, tuple[bool | int | float | str | None, ...]] = {"algorithm": ("leaky_bucket",)}
BOTH: dict[str, tuple[bool | int | float | str | None, ...]] = {"scope": ("both",)}

SPEC = BlockSpec(
    kind="api_gateway",
    title="API gateway",
    category="Edge",
    icon="shield-check",
    summary="Lets requests in as often as a limit allows",
    order=15,
    params=(
        Param(
            name="algorithm",
            label="Algorithm",
            kind="choice",
            default="token_bucket",
            choices=(
                Choice(value="token_bucket", label="Token bucket", help="a constant rate, and bursts up to a size"),
                Choice(value="leaky_bucket", label="Leaky bucket", help="a queue that lets one out at equal distances"),
                Choice(
                    value="sliding_window", label="Sliding window", help="never more than so many in any window's time"
                ),
                Choice(
                    value="fixed_window", label="Fixed window", help="so many in each window; twice at its boundary"
                ),
            ),
            help="What decides whether a request may come in.",
            group=LIMIT,
        ),
        Param(
            name="scope",
            label="Counts",
            kind="choice",
            default="user",
            choices=(
                Choice(value="user", label="Each user", help="a greedy user harms nobody else"),
                Choice(value="global", label="All together", help="protects what is behind it"),
                Choice(value="both", label="Both", help="each user, and then all together"),
            ),
            help="Whose requests are counted together.",
            group=LIMIT,
        ),
        Param(
            name="limit_per_s",
            label="Limit",
            kind="number",
            default=10.0,
            unit="per_s",
            minimum=0.001,
            maximum=RATE_PER_S_MAX,
            help="Requests per second that may come in, of each user or of all together. A window takes one at least.",
            group=LIMIT,
        ),
        Param(
            name="burst",
            label="Burst",
            kind="integer",
            default=20,
            minimum=1,
            maximum=1_000_000,
            help="Tokens that a bucket holds: so many requests may come at once after a pause.",
            group=LIMIT,
            shown_when=BUCKET,
        ),
        Param(
            name="total_limit_per_s",
            label="Limit of all",
            kind="number",
            default=1000.0,
            unit="per_s",
            minimum=0.001,
            maximum=RATE_PER_S_MAX,
            help="Requests per second of all users together.",
            group=LIMIT,
            shown_when=BOTH,
        ),
        Param(
            name="total_burst",
            label="Burst of all",
            kind="integer",
            default=200,
            minimum=1,
            maximum=1_000_000,
            help="Tokens that the bucket of all users together holds.",
            group=LIMIT,
            shown_when={**BOTH, **BUCKET},
        ),
        Param(
            name="window_s",
            label="Window",
            kind="number",
            default=1.0,
            unit="s",
            minimum=0.001,
            maximum=86_400.0,
            help="The time within which requests are counted; the limit times this is how many may come in it.",
            group=LIMIT,
            shown_when=WINDOW,
        ),
        Param(
            name="queue_max",
            label="Longest queue",
            kind="integer",
            default=50,
            minimum=0,
            maximum=1_000_000,
            help="Requests that wait in a leaky bucket; one more is turned away.",
            group=LIMIT,
            shown_when=LEAKY,
        ),
        Param(
            name="retry_after",
            label="Send Retry-After",
            kind="boolean",
            default=True,
            help="A request that is turned away is told when to come again. Off: it has to guess.",
            group=ANSWER,
        ),
        *duration(
            "processing",
            "Processing",
            "Time that the gateway itself takes for a request that it lets in.",
            mean=0.2,
            distribution="constant",
            group=WORK,
        ),
        *prices(per_hour=0.02, per_million=1.0),
        REGION,
    ),
    ports=(
        Port(name="in", label="Requests", direction="in", type="http", help="Requests from clients."),
        Port(
            name="out",
            label="Upstream",
            direction="out",
            type="http",
            help="Where requests go that are let in.",
            minimum=1,
            maximum=1,
        ),
    ),
    metrics=(
        Metric(name="admitted", label="Let in", kind="counter", help="Requests that were let in.", headline=True),
        Metric(
            name="limited",
            label="Limited",
            kind="counter",
            help="Requests that were turned away with a 429.",
            headline=True,
        ),
        Metric(name="shaped", label="Held back", kind="gauge", help="Requests that wait in leaky buckets."),
        Metric(
            name="users_limited",
            label="Users limited",
            kind="gauge",
            help="Different users that were turned away within a second, of this one and the one before the larger.",
            headline=True,
        ),
        Metric(name="users", label="Users", kind="gauge", help="Users that are kept apart, 65,536 at most."),
        Metric(
            name="least_left_percent",
            label="Least left",
            kind="gauge",
            unit="%",
            help="What the one of the latest 64 users with the least has left: of tokens, of the window or of places.",
        ),
    ),
    faults=SHARED_FAULTS,
    cells=Cells(
        label="Users",
        help="The first 64 users that came, each by what is left of its limit.",
        states=(
            CellState(name="free", label="More than half left", look="good"),
            CellState(name="half", label="Less than half left", look="fading"),
            CellState(name="none", label="Nothing left", look="bad"),
        ),
        marked="being limited",
    ),
)
