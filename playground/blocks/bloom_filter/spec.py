"""What the Bloom filter declares."""

from __future__ import annotations

from playground.blocks.bloom_filter.spec_figures import CELLS, METRICS
from playground.blocks.declare import REGION, SHARED_FAULTS, duration, prices
from playground.engine.filters import VARIANTS
from playground.protocol.catalogue import BlockSpec, Choice, Fault, Param, Port

SIZE, SERVING, REBUILDING = "Size", "Serving", "Rebuilding"
VARIANT_WORDS = {
    "standard": ("Bloom", "one bit a position; ids can't be taken out"),
    "counting": ("Counting Bloom", "a counter of four bits a position, so four times the memory; ids can be taken out"),
    "cuckoo": ("Cuckoo", "fingerprints in buckets of four; ids can be taken out, and it can be full"),
}

SPEC = BlockSpec(
    kind="bloom_filter",
    title="Bloom filter",
    category="Memory",
    icon="filter",
    summary="Knows which ids can't exist, in a few bits each",
    order=45,
    params=(
        Param(
            name="enabled",
            label="In use",
            kind="boolean",
            default=True,
            help='Off: it says "perhaps" to everything, as if there were no filter. It is told of new ids nonetheless.',
            group=SERVING,
        ),
        Param(
            name="variant",
            label="Kind",
            kind="choice",
            default="standard",
            choices=tuple(
                Choice(value=name, label=VARIANT_WORDS[name][0], help=VARIANT_WORDS[name][1]) for name in VARIANTS
            ),
            help="How it remembers ids. A change of this or of its size rebuilds it.",
            group=SIZE,
        ),
        Param(
            name="expected",
            label="Planned ids",
            kind="integer",
            default=100_000,
            minimum=1,
            maximum=2_000_000_000,
            help="How many ids it is sized for. With more in it the rate of false positives climbs.",
            group=SIZE,
        ),
        Param(
            name="size_by",
            label="Sized by",
            kind="choice",
            default="bits",
            choices=(
                Choice(value="bits", label="Bits per id", help="the rate of false positives follows"),
                Choice(value="rate", label="Target rate", help="the bits follow: m = -n ln p / (ln 2)^2"),
            ),
            help="What its size follows from. Hashes are as many as serve best, k = m/n ln 2.",
            group=SIZE,
        ),
        Param(
            name="bits_per_element",
            label="Bits per id",
            kind="number",
            default=10.0,
            minimum=1.0,
            maximum=64.0,
            help="Positions for each planned id: bits, or counters of four bits. Of a cuckoo filter: bits of memory.",
            group=SIZE,
            shown_when={"size_by": ("bits",)},
        ),
        Param(
            name="target_rate_percent",
            label="Target rate",
            kind="number",
            default=1.0,
            unit="%",
            minimum=1e-6,
            maximum=50.0,
            help="False positives among ids that don't exist, with all planned ids in. None at all would take endless bits.",
            group=SIZE,
            shown_when={"size_by": ("rate",)},
        ),
        Param(
            name="filled_with",
            label="Ids at the start",
            kind="integer",
            default=None,
            nullable=True,
            minimum=0,
            maximum=1_000_000_000,
            help="It holds ids 1 to this at the start; off: those that the database behind has. A change restarts the block.",
            group=SIZE,
            live=False,
        ),
        *duration(
            "lookup",
            "Look-up",
            "Time that one operation takes a thread.",
            mean=5.0,
            unit="us",
            distribution="constant",
            group=SERVING,
        ),
        Param(
            name="threads",
            label="Threads",
            kind="integer",
            default=8,
            minimum=1,
            maximum=1024,
            help="Operations at once.",
            group=SERVING,
        ),
        Param(
            name="queue_max",
            label="Longest queue",
            kind="integer",
            default=None,
            nullable=True,
            minimum=0,
            maximum=1_000_000,
            help="Operations that wait for a thread; one more is turned away. Off: any number.",
            group=SERVING,
        ),
        Param(
            name="rebuild_s",
            label="A rebuild takes",
            kind="number",
            default=5.0,
            unit="s",
            minimum=0.001,
            maximum=864_000.0,
            help="Time to read all ids from the database and enter them into a new filter, while the old one serves.",
            group=REBUILDING,
        ),
        Param(
            name="rebuild_every_s",
            label="Rebuilt every",
            kind="number",
            default=None,
            nullable=True,
            unit="s",
            minimum=1.0,
            maximum=864_000.0,
            help="How often a rebuild begins by itself; off: when asked for, and after a crash.",
            group=REBUILDING,
        ),
        *prices(per_hour=0.05),
        REGION,
    ),
    ports=(
        Port(
            name="in",
            label="Questions",
            direction="in",
            type="filter",
            help="Whether an id can exist; ids that are new, and ids that are gone.",
        ),
    ),
    metrics=METRICS,
    faults=(
        Fault(
            name="rebuild",
            label="Rebuild",
            help="Begins to read all ids anew; when that is done, deleted ids are gone, and false positives are others.",
            momentary=True,
        ),
        *SHARED_FAULTS,
    ),
    cells=CELLS,
)
