"""What the load balancer declares."""

from __future__ import annotations

from playground.blocks.declare import CRASH, PAUSE, REFUSE, REGION, prices
from playground.protocol.catalogue import BlockSpec, Cells, CellState, Choice, Metric, Param, Port, Rule

BALANCING = (
    Param(
        name="algorithm",
        label="Algorithm",
        kind="choice",
        default="two_choices",
        choices=(
            Choice(value="round_robin", label="Round robin", help="one after the other"),
            Choice(value="weighted", label="Weighted", help="round robin in proportion to the edges' weights"),
            Choice(value="random", label="Random", help="any, all alike"),
            Choice(value="least_connections", label="Least connections", help="the one with the fewest calls of ours"),
            Choice(value="two_choices", label="Choice of two", help="the less loaded of two drawn at random"),
            Choice(value="ring_hash", label="Ring hash", help="consistent hashing: each target has its keys"),
            Choice(value="maglev", label="Maglev", help="a hash table that is even, and changes little"),
            Choice(value="modulo", label="Hash mod N", help="simple; nearly all keys move when N changes"),
        ),
        help="How the next target is chosen. A target is one instance.",
    ),
    Param(
        name="tries",
        label="Targets tried",
        kind="integer",
        default=1,
        minimum=1,
        maximum=10,
        help="A call that a target refuses, or that dies with it, is sent to another until so many were tried.",
    ),
    Param(
        name="slow_start_s",
        label="Slow start",
        kind="number",
        default=None,
        nullable=True,
        unit="s",
        minimum=0.1,
        maximum=3_600.0,
        help="A target that comes, or is well again, gets a tenth of its share at first and all of it after this time. "
        "Hashes and cookies take no notice.",
    ),
)

HASHES: dict[str, tuple[bool | int | float | str | None, ...]] = {"algorithm": ("ring_hash", "maglev", "modulo")}

HASHING = (
    Param(
        name="hash_on",
        label="Hash of",
        kind="choice",
        default="user",
        choices=(
            Choice(value="user", label="User", help="all calls of a user to one target"),
            Choice(value="key", label="Item", help="all calls for an item to one target"),
        ),
        help="What decides where a call goes.",
        group="Hashing",
        shown_when=HASHES,
    ),
    Param(
        name="virtual_nodes",
        label="Virtual nodes",
        kind="integer",
        default=200,
        minimum=1,
        maximum=100_000,
        help="Points of each target on the ring: more of them are more even. All targets share a million at most.",
        group="Hashing",
        shown_when={"algorithm": ("ring_hash",)},
    ),
    Param(
        name="bounded_loads",
        label="Bounded loads",
        kind="number",
        default=None,
        nullable=True,
        minimum=1.0,
        maximum=100.0,
        help="No target is given more than so many times the mean of calls out there; what is over goes to the next one. Off: no bound.",
        group="Hashing",
        shown_when=HASHES,
    ),
)

STICKINESS = (
    Param(
        name="sticky",
        label="Sticky sessions",
        kind="choice",
        default="none",
        choices=(
            Choice(value="none", label="None", help="every call is by itself"),
            Choice(value="cookie", label="Cookie", help="the target that answered a user first"),
            Choice(value="ip_hash", label="IP hash", help="the target that the user's address hashes to"),
        ),
        help="What keeps a user at one target. When that target is out, its users move, and only they.",
        group="Stickiness",
    ),
    Param(
        name="cookies_max",
        label="Cookies kept",
        kind="integer",
        default=100_000,
        minimum=1,
        maximum=4_000_000,
        help="Users whose cookies are remembered here; past this number the longest unused one is forgotten.",
        group="Stickiness",
        shown_when={"sticky": ("cookie",)},
    ),
)

PROBES_ON: dict[str, tuple[bool | int | float | str | None, ...]] = {"probes": (True,)}


def switch(name: str, label: str, text: str, *, default: bool = True) -> Param:
    """A yes or no about probes."""
    return Param(
        name=name, label=label, kind="boolean", default=default, help=text, group="Probes", shown_when=PROBES_ON
    )


def threshold(name: str, label: str, text: str, default: int) -> Param:
    """How many probes in a row it takes."""
    return Param(
        name=name,
        label=label,
        kind="integer",
        default=default,
        minimum=1,
        maximum=1_000,
        help=text,
        group="Probes",
        shown_when=PROBES_ON,
    )


PROBES = (
    Param(
        name="probes",
        label="Probes",
        kind="boolean",
        default=False,
        help="Whether targets are asked how they are, as Kubernetes does. Off: all of them get calls.",
        group="Probes",
    ),
    Param(
        name="route_by",
        label="Traffic goes by",
        kind="choice",
        default="readiness",
        choices=(
            Choice(value="readiness", label="Readiness", help="to those that say they are ready"),
            Choice(value="liveness", label="Liveness", help="to those that are alive, ready or not"),
            Choice(value="nothing", label="Nothing", help="to all that are listed"),
        ),
        help="Which verdict decides who gets calls.",
        group="Probes",
        shown_when=PROBES_ON,
    ),
    switch("readiness", "Readiness probe", "Asks whether it wants traffic. Failing takes traffic away, nothing else."),
    switch("liveness", "Liveness probe", "Asks whether it is alive."),
    switch("liveness_restarts", "Restart on failure", "Whether a failed liveness or startup probe orders a restart."),
    switch(
        "startup", "Startup probe", "Whether a new or restarted target has to pass a probe before the others begin."
    ),
    Param(
        name="probe_period_s",
        label="Period",
        kind="number",
        default=10.0,
        unit="s",
        minimum=1.0,
        maximum=3_600.0,
        help="Time from one liveness or readiness probe of a target to the next; the first comes at any moment of it.",
        group="Probes",
        shown_when=PROBES_ON,
    ),
    Param(
        name="probe_timeout_s",
        label="Timeout",
        kind="number",
        default=1.0,
        unit="s",
        minimum=0.001,
        maximum=10.0,
        help="A probe that is not answered within this time has failed.",
        group="Probes",
        shown_when=PROBES_ON,
    ),
    threshold("failure_threshold", "Failures", "Failed probes in a row that turn a verdict to no.", 3),
    threshold("success_threshold", "Successes", "Readiness probes in a row that turn it back to yes.", 1),
    Param(
        name="startup_period_s",
        label="Startup period",
        kind="number",
        default=10.0,
        unit="s",
        minimum=0.1,
        maximum=3_600.0,
        help="Time from one startup probe to the next.",
        group="Probes",
        shown_when={**PROBES_ON, "startup": (True,)},
    ),
    Param(
        name="startup_threshold",
        label="Startup failures",
        kind="integer",
        default=30,
        minimum=1,
        maximum=1_000,
        help="Failed startup probes in a row after which it is taken never to come up.",
        group="Probes",
        shown_when={**PROBES_ON, "startup": (True,)},
    ),
)

EJECTS: dict[str, tuple[bool | int | float | str | None, ...]] = {"outlier_ejection": (True,)}


def ejection_seconds(name: str, label: str, text: str, default: float) -> Param:
    """A duration of outlier ejection."""
    return Param(
        name=name,
        label=label,
        kind="number",
        default=default,
        unit="s",
        minimum=0.1,
        maximum=86_400.0,
        help=text,
        group="Outliers",
        shown_when=EJECTS,
    )


OUTLIERS = (
    Param(
        name="outlier_ejection",
        label="Outlier ejection",
        kind="boolean",
        default=False,
        help="Whether a target whose calls fail one after the other gets none for a while, as Envoy does.",
        group="Outliers",
    ),
    Param(
        name="consecutive_5xx",
        label="Errors in a row",
        kind="integer",
        default=5,
        minimum=1,
        maximum=1_000,
        help="So many failed calls in a row eject a target.",
        group="Outliers",
        shown_when=EJECTS,
    ),
    ejection_seconds(
        "outlier_interval_s", "Sweep", "Time between sweeps, which take back those whose time is over.", 10.0
    ),
    ejection_seconds("base_ejection_s", "Ejection", "How long it is out, times how often it was ejected lately.", 30.0),
    ejection_seconds("max_ejection_s", "Longest ejection", "No ejection is longer than this, or than the base.", 300.0),
    Param(
        name="max_ejected_percent",
        label="Ejected at most",
        kind="number",
        default=10.0,
        unit="%",
        minimum=0.0,
        maximum=100.0,
        help="Share of all targets that may be out at once; one always may.",
        group="Outliers",
        shown_when=EJECTS,
    ),
    Param(
        name="panic_percent",
        label="Panic below",
        kind="number",
        default=50.0,
        nullable=True,
        unit="%",
        minimum=0.0,
        maximum=100.0,
        help="With a smaller share of targets well, calls go to all of them, dead ones included: few are not flooded. Off or 0: never.",
        group="Panic",
    ),
)

SPEC = BlockSpec(
    kind="load_balancer",
    title="Load balancer",
    category="Edge",
    icon="split",
    summary="Spreads requests over servers",
    order=20,
    params=(
        *BALANCING,
        *HASHING,
        *STICKINESS,
        *PROBES,
        *OUTLIERS,
        *prices(per_hour=0.03, per_million=0.01),
        REGION,
    ),
    rules=(
        Rule(
            lesser="probe_timeout_s",
            greater="probe_period_s",
            help="a probe has to be over before the next one begins.",
            when=PROBES_ON,
        ),
        Rule(
            lesser="probe_timeout_s",
            greater="startup_period_s",
            help="a startup probe has to be over before the next one begins.",
            when={**PROBES_ON, "startup": (True,)},
        ),
    ),
    ports=(
        Port(name="in", label="Requests", direction="in", type="http", help="Requests to be spread."),
        Port(
            name="out",
            label="Targets",
            direction="out",
            type="http",
            help="Servers, or further load balancers.",
            minimum=1,
            weighted=True,
        ),
    ),
    metrics=(
        Metric(name="forwarded", label="Forwarded", kind="counter", help="Calls sent to targets.", headline=True),
        Metric(name="targets", label="Targets", kind="gauge", help="Instances behind it."),
        Metric(name="most_out", label="Most on one", kind="gauge", help="Calls out there on the most loaded target."),
        Metric(
            name="spread",
            label="Spread",
            kind="gauge",
            help="The most loaded target's calls over the mean: 1 is perfectly even.",
            headline=True,
        ),
        Metric(
            name="elsewhere",
            label="Sent elsewhere",
            kind="counter",
            help="Calls sent to another target after a refusal.",
        ),
        Metric(
            name="eligible",
            label="Well",
            kind="gauge",
            help="Targets that are listed, well by the probes, and not ejected.",
            headline=True,
            maximum_metric="targets",
            full_is_well=True,
        ),
        Metric(name="probes_failed", label="Probes failed", kind="counter", help="Probes that were not answered well."),
        Metric(name="ejected", label="Ejected", kind="gauge", help="Targets that outlier ejection keeps out now."),
        Metric(
            name="sessions_moved",
            label="Sessions moved",
            kind="counter",
            help="Users whose cookie names another target than before.",
        ),
        Metric(
            name="panic",
            label="Panic",
            kind="gauge",
            help="1 while calls go to all targets because too few are well.",
        ),
    ),
    cells=Cells(
        label="Targets",
        help="What is known of each target.",
        states=(
            CellState(name="ready", label="ready", look="good"),
            CellState(name="starting", label="starting: its startup probe has not succeeded yet", look="first"),
            CellState(name="not_ready", label="not ready: gets no calls", look="absent"),
            CellState(name="dead", label="dead: its liveness probe failed", look="bad"),
            CellState(name="ejected", label="ejected: too many failures in a row", look="locked"),
            CellState(name="draining", label="draining: what is in it finishes", look="fading"),
            CellState(name="slow_start", label="slow start: gets a part of its share", look="busy"),
            CellState(name="switched_off", label="switched off: not listed", look="empty"),
        ),
        marked="gets calls in panic alone",
    ),
    # It does no work of its own that could be slowed down.
    faults=(CRASH, PAUSE, REFUSE),
)
