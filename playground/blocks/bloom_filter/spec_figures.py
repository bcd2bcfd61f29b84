"""The figures and cells that the Bloom filter declares."""

from __future__ import annotations

from playground.protocol.catalogue import Cells, CellState, Metric

CELLS = Cells(
    label="Bits",
    help="Its bits (counters, slots) in 64 equal parts. A Bloom filter is at its best when half of them are set.",
    states=(
        CellState(name="empty", label="Empty", look="empty"),
        CellState(name="few", label="Few set", look="good"),
        CellState(name="half", label="About half set, as planned", look="first"),
        CellState(name="most", label="More set than planned", look="bad"),
    ),
    marked="Where the id that was looked up last falls.",
)

METRICS = (
    Metric(name="checked", label="Looked up", kind="counter", help="Ids that were looked up."),
    Metric(
        name="rejected",
        label="Kept away",
        kind="counter",
        help='Answers "certainly not": nobody had to ask cache or database.',
        headline=True,
    ),
    Metric(name="passed", label="Passed", kind="counter", help='Answers "perhaps".'),
    Metric(
        name="unfiltered", label="Unfiltered", kind="counter", help="Passed without a look: not in use, or not built."
    ),
    Metric(
        name="false_positives",
        label="False positives",
        kind="counter",
        help="Ids that don't exist and were passed, deleted ones that are still in among them.",
    ),
    Metric(
        name="false_negatives",
        label="False negatives",
        kind="counter",
        help="Ids that exist and were kept away: nobody has told the filter of them, or not yet. Of those it was told of: none.",
    ),
    Metric(
        name="observed_percent",
        label="False positives",
        kind="gauge",
        unit="%",
        help="Of the ids that don't exist and were looked up since it was built, the share that was passed.",
        headline=True,
    ),
    Metric(
        name="predicted_percent",
        label="By the formula",
        kind="gauge",
        unit="%",
        help="The share of false positives that theory gives for what is in now.",
        headline=True,
    ),
    Metric(name="elements", label="Ids", kind="gauge", help="Ids that are in.", maximum_metric="planned"),
    Metric(name="planned", label="Planned", kind="gauge", help="Ids that it is sized for."),
    Metric(name="fill_percent", label="Filled", kind="gauge", unit="%", help="Bits (counters, slots) that are set."),
    Metric(name="bits", label="Bits", kind="gauge", help="Bits of memory that it takes, or would take."),
    Metric(name="megabytes", label="Memory", kind="gauge", unit="MB", help="The same in megabytes of 8,000,000 bits."),
    Metric(name="adds", label="Entered", kind="counter", help="Ids that it was told are new."),
    Metric(
        name="adds_refused",
        label="Full",
        kind="counter",
        help="Ids that found no place in a cuckoo filter, new ones or when it was built.",
    ),
    Metric(name="removals", label="Taken out", kind="counter", help="Ids that it was told are gone."),
    Metric(
        name="removals_refused",
        label="Not taken out",
        kind="counter",
        help="Ids that are gone, but stay in a standard filter until it is rebuilt.",
    ),
    Metric(name="rebuilds", label="Rebuilds", kind="counter", help="Times that it was built anew."),
    Metric(name="rebuilding", label="Rebuilding", kind="gauge", help="1 while a new one is being built."),
)
