"""What the shard router reports, and what its cells mean."""

from __future__ import annotations

from playground.protocol.catalogue import Cells, CellState, Metric

METRICS = (
    Metric(
        name="workers_busy",
        label="Busy",
        kind="gauge",
        help="Workers held, waiting for shards included.",
        headline=True,
        maximum_metric="workers",
    ),
    Metric(name="workers", label="Workers", kind="gauge", help="Workers there are."),
    Metric(name="rejected", label="Turned away", kind="counter", help="Calls that found the queue full."),
    Metric(name="shards", label="Shards", kind="gauge", help="Shards that are connected."),
    Metric(
        name="hottest_shard_percent",
        label="Hottest shard",
        kind="gauge",
        unit="%",
        help="Share of all operations on rows that the busiest shard got in the last second or two.",
        headline=True,
    ),
    Metric(
        name="imbalance",
        label="Imbalance",
        kind="gauge",
        help="What the busiest shard got over the mean of all: 1 when all get the same.",
    ),
    Metric(
        name="hottest_key_percent",
        label="Hottest key",
        kind="gauge",
        unit="%",
        help="Share of the key that was asked for most often of late, no less than this (64 counters, space-saving).",
    ),
    Metric(name="single", label="To one shard", kind="counter", help="Operations on a row: they go to one shard."),
    Metric(name="scattered", label="To all shards", kind="counter", help="Lists: they go to all shards."),
    Metric(name="fan_out", label="Fan-out", kind="gauge", help="Shards that a list was sent to, on average."),
    Metric(name="partial", label="Partial answers", kind="counter", help="Lists answered without some shards."),
    Metric(
        name="too_deep",
        label="Too deep",
        kind="counter",
        help="Pages by number that were refused: each shard would have had to give more than 10,000 rows.",
    ),
    Metric(
        name="missing",
        label="Shards missing",
        kind="counter",
        help="Shards' parts that were missing in answers, or kept a list from being answered.",
    ),
    Metric(
        name="nowhere",
        label="Nowhere to go",
        kind="counter",
        help="Operations on rows of a shard that isn't connected, and lists without any shard.",
    ),
    Metric(name="buckets_all", label="Buckets there are", kind="gauge", help="Pieces that the rows are divided into."),
    Metric(
        name="buckets_left",
        label="To move",
        kind="gauge",
        help="Buckets that are not yet where the present layout wants them.",
        headline=True,
        maximum_metric="buckets_all",
    ),
    Metric(
        name="moved_percent",
        label="Rows that move",
        kind="gauge",
        unit="%",
        help="Share of all rows that the latest reshard has to move.",
    ),
    Metric(name="reshards", label="Reshards", kind="counter", help="Times that rows had to move."),
    Metric(name="moved_buckets", label="Buckets moved", kind="counter", help="Buckets that were cut over."),
    Metric(name="moved_rows", label="Rows copied", kind="counter", help="Rows written to another shard."),
    Metric(
        name="caught_up",
        label="Rows caught up",
        kind="counter",
        help="Rows copied because they had been written, before or while their bucket moved.",
    ),
    Metric(name="held", label="Writes waiting", kind="gauge", help="Writes that wait for a cut-over now."),
    Metric(name="held_all", label="Writes held", kind="counter", help="Writes that had to wait for a cut-over."),
    Metric(
        name="longest_cut_over_ms",
        label="Longest cut-over",
        kind="gauge",
        unit="ms",
        help="The longest time that writes to a bucket waited.",
    ),
    Metric(
        name="cut_overs_late",
        label="Cut-overs given up",
        kind="counter",
        help="Cut-overs that took too long, so that writes went on and it was tried again.",
    ),
    Metric(
        name="rolled_back",
        label="Rolled back",
        kind="counter",
        help="Moves that failed: the old shard goes on serving.",
    ),
    Metric(
        name="orphaned",
        label="Past the router",
        kind="counter",
        help="Commits on the old shard after the cut-over, of writes that didn't come through here: nobody reads them.",
    ),
)

CELLS = Cells(
    label="Buckets",
    help="The buckets in order, several to a cell where there are many; the most urgent state of them shows.",
    states=(
        CellState(name="home", label="At home", look="good"),
        CellState(name="moved", label="Moved by the latest reshard", look="second"),
        CellState(name="to_move", label="Is to move", look="fading"),
        CellState(name="lost", label="Its shard is not connected", look="absent"),
        CellState(name="copying", label="Being copied", look="busy"),
        CellState(name="cut_over", label="Cut over: writes wait", look="locked"),
    ),
    marked="The hottest key of late is in it.",
)
