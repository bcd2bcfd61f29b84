"""What the Bloom filter shows: its figures, its cells, and how full a cell is."""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

from playground.engine.filters import BUCKET_SLOTS, CUCKOO, CUCKOO_LOAD, VARIANTS, Filter
from playground.protocol.catalogue import Cells, CellState, Metric

EMPTY: Final = 0
FEW: Final = 1
PLANNED: Final = 2
CROWDED: Final = 3

CELLS = Cells(
    label="Bits",
    help="Its bits (counters, slots) in 64 equal parts. A Bloom filter is at its best when half of them are set.",
    states=(
        CellState(name="empty", label="Empty", look="empty"),
        CellState(name="few", label="Few set", look="good"),
        CellState(name="half", label="About half set, as planned", look="fading"),
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
    Metric(name="adds_refused", label="Full", kind="counter", help="New ids that found no place in a cuckoo filter."),
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


def cell_state(found: Filter, cell: i64) -> int:
    """How full a cell is, beside what was planned: half of the bits, or 95 % of the slots."""
    level = found.level(cell)
    cuckoo = found.size.variant == CUCKOO
    planned = CUCKOO_LOAD if cuckoo else 0.5
    if level <= 0.0:
        return EMPTY
    if level < 0.6 * planned:
        return FEW
    return CROWDED if level > (0.99 if cuckoo else 0.6) else PLANNED


def shape(found: Filter) -> dict[str, object]:
    """Sizes and formula, for the inspector."""
    size = found.size
    words: dict[str, object] = {
        "kind": VARIANTS[size.variant],
        "bits": f"{size.bits:,} real bits"
        if found.is_real()
        else f"stands for {size.bits:,} bits; outcomes by id as real bits give them",
        "positions_m": int(size.positions),
        "ids_n": int(found.elements),
        "planned_ids": int(size.expected),
        "predicted_percent": round(100.0 * size.rate(found.elements), 6),
        "predicted_when_full_percent": round(100.0 * size.rate(size.expected), 6),
    }
    if size.variant == CUCKOO:
        words["fingerprint_bits_f"] = int(size.fingerprint_bits)
        words["formula"] = f"1 - (1 - 1/(2^f - 1))^({2 * BUCKET_SLOTS} n/m)"
    else:
        words["hashes_k"] = int(size.hashes)
        words["formula"] = "(1 - e^(-kn/m))^k"
    return words
