"""What the app server declares about the life of its instances, autoscaling and sessions."""

from __future__ import annotations

from playground.blocks.declare import INSTANCE, TEN_DAYS_S, duration, lasting
from playground.engine.limits import INSTANCES_MAX
from playground.protocol.catalogue import Cells, CellState, Choice, Fault, Metric, Need, Param, Port, Rule

LIFE, SCALING, SESSIONS = "Life", "Autoscaling", "Sessions"
SCALES: dict[str, tuple[bool | int | float | str | None, ...]] = {"autoscale": (True,)}


def seconds(
    name: str, label: str, default: float, text: str, group: str, *, minimum: float = 0.0, most: float = 86_400.0
) -> Param:
    """A time of an instance's life."""
    return Param(
        name=name,
        label=label,
        kind="number",
        default=default,
        unit="s",
        minimum=minimum,
        maximum=most,
        help=text,
        group=group,
        shown_when=SCALES if group == SCALING else {},
    )


def switch(name: str, label: str, text: str, group: str = LIFE) -> Param:
    """Something that is off unless it is switched on."""
    return Param(name=name, label=label, kind="boolean", default=False, help=text, group=group)


def bound(name: str, label: str, default: int, text: str) -> Param:
    """A bound of autoscaling."""
    return Param(
        name=name,
        label=label,
        kind="integer",
        default=default,
        minimum=1,
        maximum=INSTANCES_MAX,
        help=text,
        group=SCALING,
        shown_when=SCALES,
    )


LIFE_PARAMS = (
    *duration(
        "start",
        "Start",
        "Time from the start of an instance's process until it listens; calls to it are refused meanwhile.",
        mean=0.0,
        unit="s",
        distribution="constant",
        group=LIFE,
        maximum=86_400.0,
    ),
    seconds(
        "warm_up_s",
        "Warm-up",
        0.0,
        "Time after the start in which it is slow: cold caches, code not compiled yet.",
        LIFE,
    ),
    Param(
        name="warm_up_factor",
        label="Cold is slower by",
        kind="number",
        default=5.0,
        minimum=1.0,
        maximum=1000.0,
        help="How many times as long work takes when warm-up begins; falls evenly to 1 until it ends.",
        group=LIFE,
    ),
    switch(
        "ready_when_warm",
        "Ready when warm",
        "Readiness says no until it is warm. Off: it takes traffic as soon as it listens.",
    ),
    switch(
        "cold_start", "Starts cold", "Instances have to start and to warm up when the run begins. Off: they are warm."
    ),
    seconds(
        "restart_time_s",
        "Restart",
        1.0,
        "Time from a restart that a liveness probe or a rolling restart orders until the new process begins to start.",
        LIFE,
        minimum=0.001,
    ),
    seconds(
        "drain_s",
        "Draining",
        5.0,
        "An instance that has to stop is no longer listed, and serves for so long what is on its way to it; then it finishes and stops.",
        LIFE,
    ),
    switch(
        "probe_needs_worker",
        "Probes need a worker",
        "A probe waits for a free worker as a request does, so overload looks like death.",
    ),
    Param(
        name="overloaded_not_ready",
        label="Not ready above",
        kind="integer",
        default=None,
        nullable=True,
        minimum=0,
        maximum=1_000_000,
        help="Readiness says no while more requests than this wait at an instance. Off: it never minds.",
        group=LIFE,
    ),
)

SCALING_PARAMS = (
    switch(
        "autoscale",
        "Autoscaling",
        "The number of instances follows the load; they begin with what is set above.",
        SCALING,
    ),
    bound("instances_min", "At least", 1, "Never fewer instances than this."),
    bound("instances_max", "At most", 10, "Never more instances than this."),
    Param(
        name="target_utilisation_percent",
        label="Target utilisation",
        kind="number",
        default=70.0,
        unit="%",
        minimum=1.0,
        maximum=100.0,
        help="Share of busy workers that it aims at: desired = instances x utilisation / target, rounded up.",
        group=SCALING,
        shown_when=SCALES,
    ),
    seconds(
        "evaluate_every_s",
        "Looks every",
        15.0,
        "Time between two decisions; each looks at the time since the last.",
        SCALING,
        minimum=0.1,
    ),
    seconds("cool_down_s", "Cool-down", 300.0, "It scales in to the highest of what it wanted in this time.", SCALING),
)

SESSION_PARAMS = (
    Param(
        name="sessions",
        label="Sessions",
        kind="choice",
        default="none",
        choices=(
            Choice(value="none", label="None", help="nobody is asked who they are"),
            Choice(
                value="local", label="In memory", help="each instance knows those who signed in at it, until it dies"
            ),
            Choice(value="store", label="In a store", help="asked with each request; all instances know the same"),
        ),
        help="Where it keeps who has signed in. Whoever comes with a session that it doesn't know is signed out.",
        group=SESSIONS,
    ),
    Param(
        name="sessions_max",
        label="Most sessions",
        kind="integer",
        default=100_000,
        minimum=1,
        maximum=1_000_000,
        help="Sessions in one instance's memory; one more, and the one that was not used for longest is forgotten.",
        group=SESSIONS,
        shown_when={"sessions": ("local",)},
    ),
    Param(
        name="session_ttl_s",
        label="Session ends after",
        kind="number",
        default=1800.0,
        unit="s",
        minimum=0.001,
        maximum=TEN_DAYS_S,
        help="Time without a request after which a session ends.",
        group=SESSIONS,
        shown_when={"sessions": ("local", "store")},
    ),
)

RULES = (
    Rule(
        lesser="instances_min",
        greater="instances_max",
        help="there can't be more of them at least than at most",
    ),
)

NEEDS = (Need(ports=("sessions",), when={"sessions": ("store",)}, help="its sessions are kept in a store"),)

SESSION_PORT = Port(
    name="sessions",
    label="Sessions",
    direction="out",
    type="cache",
    help="Where sessions are kept, if in a store.",
    maximum=1,
)

METRICS = (
    Metric(name="instances", label="Instances", kind="gauge", help="Instances that are not switched off."),
    Metric(name="instances_ready", label="Ready", kind="gauge", help="Instances that want traffic."),
    Metric(name="instances_starting", label="Starting", kind="gauge", help="Instances whose process starts."),
    Metric(
        name="instances_warming",
        label="Warming up",
        kind="gauge",
        help="Instances that are slow because they are cold.",
    ),
    Metric(
        name="instances_draining",
        label="Draining",
        kind="gauge",
        help="Instances that finish what they have, and stop.",
    ),
    Metric(
        name="instances_deadlocked",
        label="Deadlocked",
        kind="gauge",
        help="Instances in which nothing moves until a restart.",
    ),
    Metric(
        name="instances_down", label="Down", kind="gauge", help="Instances that crashed, or wait for their restart."
    ),
    Metric(name="instances_desired", label="Desired", kind="gauge", help="Instances that autoscaling aims at."),
    Metric(
        name="scaling_utilisation_percent",
        label="Utilisation seen",
        kind="gauge",
        unit="%",
        help="Busy workers of those that are ready, as autoscaling last saw it.",
    ),
    Metric(name="scaled_out", label="Scaled out", kind="counter", help="Times that instances were added."),
    Metric(name="scaled_in", label="Scaled in", kind="counter", help="Times that instances were taken away."),
    Metric(name="drained", label="Drained", kind="counter", help="Instances that stopped after they were drained."),
    Metric(name="sessions", label="Sessions", kind="gauge", help="Sessions in the instances' memory."),
    Metric(name="sessions_begun", label="Sessions begun", kind="counter", help="Sign-ins."),
    Metric(
        name="sessions_missed", label="Sessions missed", kind="counter", help="Requests whose session wasn't known."
    ),
    Metric(
        name="sessions_lost",
        label="Sessions lost",
        kind="counter",
        help="Sessions that instances had in memory when they died or were taken out, and that somebody would still have come with.",
    ),
)

CELLS = Cells(
    label="Instances",
    help="One cell for each instance: where it is in its life.",
    states=(
        CellState(name="off", label="Off", look="empty"),
        CellState(name="starting", label="Starting", look="busy"),
        CellState(name="warming", label="Warming up", look="fading"),
        CellState(name="ready", label="Ready", look="good"),
        CellState(name="not_ready", label="Not ready", look="second"),
        CellState(name="draining", label="Draining", look="third"),
        CellState(name="deadlocked", label="Deadlocked", look="locked"),
        CellState(name="down", label="Down", look="bad"),
    ),
    marked="requests wait for a worker there",
)

FAULTS = (
    Fault(
        name="deadlock",
        label="Deadlock",
        help="Its workers wait for one another: no request and no probe gets an answer, until it is restarted or the time is over.",
        params=(INSTANCE, lasting()),
    ),
    Fault(
        name="not_ready",
        label="Not ready",
        help="Alive and working, but its readiness probe says no, as while it replays a log.",
        params=(INSTANCE, lasting(30.0)),
    ),
    Fault(
        name="drain",
        label="Rolling restart",
        help="Drains, stops and starts again, without losing a request; of all instances one after the other.",
        params=(INSTANCE,),
        momentary=True,
    ),
)
