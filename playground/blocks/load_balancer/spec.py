"""What the load balancer declares."""

from __future__ import annotations

from playground.blocks.declare import CRASH, PAUSE, REFUSE, REGION, prices
from playground.protocol.catalogue import BlockSpec, Choice, Metric, Param, Port

SPEC = BlockSpec(
    kind="load_balancer",
    title="Load balancer",
    category="Edge",
    icon="split",
    summary="Spreads requests over servers",
    order=20,
    params=(
        Param(
            name="algorithm",
            label="Algorithm",
            kind="choice",
            default="two_choices",
            choices=(
                Choice(value="round_robin", label="Round robin", help="one after the other"),
                Choice(value="weighted", label="Weighted", help="round robin in proportion to the edges' weights"),
                Choice(value="random", label="Random", help="any, all alike"),
                Choice(
                    value="least_connections", label="Least connections", help="the one with the fewest calls of ours"
                ),
                Choice(value="two_choices", label="Choice of two", help="the less loaded of two drawn at random"),
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
        *prices(per_hour=0.03, per_million=0.01),
        REGION,
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
    ),
    # It does no work of its own that could be slowed down.
    faults=(CRASH, PAUSE, REFUSE),
)
