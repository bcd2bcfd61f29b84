"""Parameters of the quorum store: latencies, failures, repair, conflicts."""

from __future__ import annotations

from playground.blocks.declare import DISTRIBUTION_CHOICES, duration
from playground.blocks.quorum_store.states import SIBLINGS_MAX
from playground.protocol.catalogue import Choice, Param

LEGS, FAILURES, REPAIR, CONFLICTS = "Latencies", "Failures", "Repair", "Conflicts"

FITS = (
    Choice(
        value="lnkd_ssd",
        label="LinkedIn, SSD",
        help="as measured: 91 % about 0.26 ms, 9 % exponential, 0.6 ms",
    ),
    Choice(
        value="lnkd_disk",
        label="LinkedIn, disk",
        help="as measured for writes: 38 % a heavy tail from 1 ms on, 62 % exponential, 5.5 ms",
    ),
)
"""Bailis et al., VLDB 2012, table 3; the numbers are in ``engine/streams.py``."""


def leg(prefix: str, letter: str, text: str) -> tuple[Param, ...]:
    """A one-way latency of the WARS model, with the measured ones to choose from."""
    mean, distribution, cv = duration(prefix, f"{letter}", text, mean=0.5, distribution="lnkd_ssd", group=LEGS)
    named = f"{prefix}_distribution"
    usual = tuple(choice.value for choice in DISTRIBUTION_CHOICES)
    return (
        distribution.model_copy(update={"choices": (*FITS, *DISTRIBUTION_CHOICES), "help": text}),
        mean.model_copy(update={"shown_when": {named: usual}}),
        cv,
    )


LEG_PARAMS = (
    *leg("write", "W", "From the coordinator to a replica, for a write, the replica's work included."),
    *leg("ack", "A", "Of a replica's acknowledgement of a write to the coordinator."),
    *leg("read", "R", "From the coordinator to a replica, for a read, the replica's work included."),
    *leg("response", "S", "Of a replica's answer to a read to the coordinator."),
)

FAILURE_PARAMS = (
    Param(
        name="suspect_after_ms",
        label="A node is missed after",
        kind="number",
        default=100.0,
        unit="ms",
        minimum=0.1,
        maximum=60_000.0,
        help="A coordinator that hears nothing from a node for so long goes past it until it hears from it again.",
        group=FAILURES,
    ),
    Param(
        name="request_timeout_ms",
        label="Request timeout",
        kind="number",
        default=500.0,
        unit="ms",
        minimum=0.1,
        maximum=60_000.0,
        help="A request that has no quorum by then fails as unavailable.",
        group=FAILURES,
    ),
    Param(
        name="probe_every_s",
        label="Probe every",
        kind="number",
        default=1.0,
        unit="s",
        minimum=0.01,
        maximum=3600.0,
        help="How often a node asks those that it misses whether they are there.",
        group=FAILURES,
    ),
    Param(
        name="sloppy_quorum",
        label="Sloppy quorum",
        kind="boolean",
        default=False,
        help="Nodes behind the replicas stand in for those out of reach: their hints count towards W, and reads ask them too.",
        group=FAILURES,
    ),
    Param(
        name="hinted_handoff",
        label="Hinted handoff",
        kind="boolean",
        default=True,
        help="The next node keeps a write for a replica that is out of reach. A sloppy quorum does so anyway.",
        group=FAILURES,
    ),
    Param(
        name="hint_window_s",
        label="Hints are kept for",
        kind="number",
        default=10_800.0,
        nullable=True,
        unit="s",
        minimum=0.01,
        maximum=864_000.0,
        help="A hint that is older is dropped. Off: never.",
        group=FAILURES,
    ),
    Param(
        name="handoff_per_s",
        label="Handed over",
        kind="number",
        default=1000.0,
        unit="per_s",
        minimum=0.1,
        maximum=1_000_000.0,
        help="Hints that one node hands over to another in a second.",
        group=FAILURES,
    ),
    Param(
        name="crash_loses_disk",
        label="A crash loses the disk",
        kind="boolean",
        default=False,
        help="Whether a node that crashes comes back empty.",
        group=FAILURES,
    ),
)

REPAIR_PARAMS = (
    Param(
        name="read_repair",
        label="Read repair",
        kind="choice",
        default="all",
        choices=(
            Choice(value="off", label="Off", help="reads change nothing"),
            Choice(value="answered", label="Those that answered", help="the R replicas whose answers the client got"),
            Choice(value="all", label="All that were asked", help="in the background, once all have answered"),
        ),
        help="Which replicas are sent the newest version when a read shows that they don't have it.",
        group=REPAIR,
    ),
    Param(
        name="anti_entropy_every_s",
        label="Anti-entropy every",
        kind="number",
        default=60.0,
        nullable=True,
        unit="s",
        minimum=0.1,
        maximum=864_000.0,
        help="How often each node compares what it holds with the next other one. Off: never.",
        group=REPAIR,
    ),
    Param(
        name="anti_entropy_per_s",
        label="Keys exchanged",
        kind="number",
        default=100.0,
        unit="per_s",
        minimum=0.1,
        maximum=1_000_000.0,
        help="Keys in a second that two nodes which compare give each other.",
        group=REPAIR,
    ),
)

CONFLICT_PARAMS = (
    Param(
        name="conflicts",
        label="Conflicts",
        kind="choice",
        default="last_write_wins",
        choices=(
            Choice(
                value="last_write_wins",
                label="Last write wins",
                help="the version with the latest time stamp stays, by the clocks of the nodes that coordinated",
            ),
            Choice(
                value="version_vectors",
                label="Version vectors",
                help=f"versions that knew nothing of one another stay side by side, at most {SIBLINGS_MAX}",
            ),
        ),
        help="What becomes of two versions of a key. A change restarts the block.",
        group=CONFLICTS,
        live=False,
    ),
    Param(
        name="clock_offsets",
        label="Clocks are off by",
        kind="text",
        default="0",
        pattern=r"-?[0-9]{1,7}(\.[0-9]{1,3})?(, ?-?[0-9]{1,7}(\.[0-9]{1,3})?){0,31}",
        pattern_help="milliseconds, node by node, with commas between, such as 0, 50, -20",
        help="What each node's clock differs by, in ms, from the first node on; nodes without a number go right.",
        group=CONFLICTS,
        shown_when={"conflicts": ("last_write_wins",)},
    ),
    Param(
        name="context",
        label="Writers know",
        kind="choice",
        default="read",
        choices=(
            Choice(
                value="read",
                label="What they have read",
                help="a write begins with a read, and replaces what that returned",
            ),
            Choice(value="none", label="Nothing", help="every write is another sibling"),
        ),
        help="The context that a write carries.",
        group=CONFLICTS,
        shown_when={"conflicts": ("version_vectors",)},
    ),
)
