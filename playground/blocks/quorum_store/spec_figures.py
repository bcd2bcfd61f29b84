"""What the quorum store reports, and the faults that it has of its own."""

from __future__ import annotations

from playground.blocks.declare import SHARED_FAULTS, lasting
from playground.blocks.quorum_store.states import NODES_MAX
from playground.protocol.catalogue import Cells, CellState, Fault, Metric, Param


def counter(name: str, label: str, text: str) -> Metric:
    """A figure that only grows."""
    return Metric(name=name, label=label, kind="counter", help=text)


def gauge(name: str, label: str, unit: str, text: str, *, headline: bool = False) -> Metric:
    """A figure as it is now."""
    return Metric(name=name, label=label, kind="gauge", unit=unit, help=text, headline=headline)


METRICS = (
    gauge(
        "stale_percent",
        "Stale",
        "%",
        "Share of reads, in the last second or two, that returned less than the newest write acknowledged before they began.",
        headline=True,
    ),
    Metric(
        name="nodes_up",
        label="Nodes",
        kind="gauge",
        help="Nodes that are up and missed by nobody.",
        headline=True,
        maximum_metric="nodes",
    ),
    gauge("nodes", "Nodes there are", "", "Nodes there are."),
    counter("reads", "Reads", "Reads that were answered."),
    counter(
        "reads_stale",
        "Stale reads",
        "Reads that returned less than the newest write that had been acknowledged before they began.",
    ),
    gauge("stale_share_percent", "Stale, of all", "%", "Share of stale reads since the start."),
    gauge(
        "formula_percent",
        "Stale by formula",
        "%",
        "C(N-W, R) / C(N, R): what it would be if each read came before a write went beyond its W replicas, and any R answered.",
    ),
    gauge(
        "mean_staleness_ms",
        "Age of what was missed",
        "ms",
        "How long before a stale read the write that it missed had been acknowledged, on average.",
    ),
    gauge("read_p50_ms", "Read p50", "ms", "Median latency of reads since the start."),
    gauge("read_p99_ms", "Read p99", "ms", "99th percentile of the latency of reads since the start."),
    gauge("read_p999_ms", "Read p99.9", "ms", "99.9th percentile of the latency of reads since the start."),
    gauge("write_p50_ms", "Write p50", "ms", "Median latency of writes since the start."),
    gauge("write_p99_ms", "Write p99", "ms", "99th percentile of the latency of writes since the start."),
    gauge("write_p999_ms", "Write p99.9", "ms", "99.9th percentile of the latency of writes since the start."),
    counter("writes", "Writes", "Writes that were sent to replicas."),
    counter("writes_acked", "Acknowledged", "Writes that W nodes had in time."),
    counter("partial_writes", "Partial writes", "Writes that failed, and are on some replicas all the same."),
    counter("partial_seen", "Partial writes read", "Reads that returned a write which its client was told had failed."),
    counter(
        "unavailable", "Unavailable", "Requests that failed because too few nodes were in reach, or answered in time."
    ),
    counter(
        "writes_lost", "Writes lost", "Acknowledged writes that were dropped or lost, for any of the reasons below."
    ),
    counter(
        "writes_dropped",
        "Dropped: concurrent",
        "Acknowledged writes dropped in favour of one written at the same time.",
    ),
    counter(
        "writes_lost_skew", "Lost: clocks", "Acknowledged writes that lost to an earlier one because clocks differ."
    ),
    counter(
        "writes_lost_disk", "Lost: copies", "Acknowledged writes whose last copy went with a disk, or with a hint."
    ),
    counter(
        "sibling_reads", "Reads of siblings", "Reads that returned several versions, none of which knew of the others."
    ),
    counter(
        "siblings_dropped", "Siblings dropped", "Versions that a node dropped because a key had too many siblings."
    ),
    gauge("hints_held", "Hints", "", "Writes that nodes keep for others that are out of reach.", headline=True),
    counter("hints_taken", "Hints taken", "Keys of which a node began to keep a write for another one."),
    counter("hints_delivered", "Hints delivered", "Hints that their owners have got."),
    counter("hints_gone", "Hints gone", "Hints dropped after their window, or lost with a disk."),
    counter("repairs", "Read repairs", "Versions sent to replicas that had answered a read with less."),
    counter("keys_exchanged", "Keys exchanged", "Keys in which anti-entropy found two nodes to differ."),
    counter("messages", "Messages", "Messages sent between nodes."),
    counter("messages_lost", "Messages lost", "Messages that found their node cut off or dead."),
)

NODE = Param(
    name="instance",
    label="Node",
    kind="integer",
    default=0,
    minimum=0,
    maximum=NODES_MAX - 1,
    help="Which node, counted from 0.",
)

FAULTS = (
    *SHARED_FAULTS,
    Fault(
        name="partition",
        label="Partition",
        help="Cuts nodes off from the others, while clients still reach both sides.",
        params=(
            NODE,
            Param(
                name="count",
                label="How many",
                kind="integer",
                default=1,
                minimum=1,
                maximum=NODES_MAX,
                help="So many nodes, from that one on, stay together on the other side.",
            ),
            lasting(),
        ),
    ),
    Fault(
        name="lose_disk",
        label="Lose a disk",
        help="A node that stays up loses all that it holds, its hints for others included.",
        params=(NODE,),
        momentary=True,
    ),
)

CELLS = Cells(
    label="Keys",
    help="The first 48 keys, the first one top left: how their replicas stand to one another.",
    states=(
        CellState(name="untouched", label="As at the start", look="empty"),
        CellState(name="agree", label="All replicas agree", look="good"),
        CellState(name="differ", label="Some replicas are behind", look="fading"),
        CellState(name="missing", label="No replica has the newest acknowledged write", look="bad"),
        CellState(name="hint", label="A hint waits for one of them", look="locked"),
        CellState(name="siblings", label="Siblings", look="busy"),
    ),
    marked="The key of the latest stale read.",
)
