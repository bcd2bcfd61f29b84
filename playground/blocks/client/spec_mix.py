"""What the client declares about its requests: the operations and the items that they ask for."""

from __future__ import annotations

from playground.protocol.catalogue import Choice, Param

MIX, KEYS = "Operations", "Keys"


def weight(name: str, label: str, default: float, text: str) -> Param:
    """The weight of one operation in the mix."""
    return Param(
        name=f"{name}_weight",
        label=label,
        kind="number",
        default=default,
        minimum=0.0,
        maximum=1e6,
        help=text,
        group=MIX,
    )


OPERATIONS = (
    weight("read", "Reads", 100.0, "Weight of reads of one item. 100 to 1 write is the usual shop."),
    weight("write", "Writes", 1.0, "Weight of writes to one item."),
    weight("list", "Lists", 0.0, "Weight of pages of a list."),
    weight("buy", "Purchases", 0.0, "Weight of transactions that read an item and write it."),
    weight(
        "create", "Creations", 0.0, "Weight of creations of an item, of the ids that reads of unknown ones ask for."
    ),
    weight("delete", "Deletions", 0.0, "Weight of deletions of an item, chosen as written ones are."),
)

WEIGHTS = tuple(param.name for param in OPERATIONS)

MIX_PARAMS = (
    *OPERATIONS,
    Param(
        name="unknown_percent",
        label="Unknown ids",
        kind="number",
        default=0.0,
        unit="%",
        minimum=0.0,
        maximum=100.0,
        help="Share of reads that ask for an id which doesn't exist, unless somebody creates it.",
        group=MIX,
    ),
    Param(
        name="unknown_choice",
        label="Which unknown ids",
        kind="choice",
        default="popularity",
        choices=(
            Choice(value="popularity", label="Popular ones", help="as many as there are items, as popular as these"),
            Choice(value="uniform", label="Random ones", help="all alike, hardly one twice: what an attack looks like"),
            Choice(
                value="next",
                label="Growing ones",
                help="created one after the other, as a sequence or a clock gives them; the newest are read most",
            ),
        ),
        help="Which ids that don't exist at the start are asked for and created.",
        group=MIX,
    ),
    Param(
        name="unknown_keys",
        label="Random ids",
        kind="integer",
        default=1_000_000_000,
        minimum=1,
        maximum=1_000_000_000,
        help="How many ids beyond the items the random ones are drawn from.",
        group=MIX,
        shown_when={"unknown_choice": ("uniform",)},
    ),
    Param(
        name="keys",
        label="Items",
        kind="integer",
        default=100_000,
        minimum=1,
        maximum=1_000_000_000,
        help="How many items there are to ask for. Only those that are asked for take memory.",
        group=KEYS,
    ),
    Param(
        name="key_choice",
        label="Choice",
        kind="choice",
        default="zipf",
        choices=(
            Choice(value="uniform", label="Uniform", help="all alike"),
            Choice(value="zipf", label="Zipf", help="item of rank r as often as r to the power of -exponent"),
            Choice(value="hot", label="Hot items", help="some items take a share, the others share the rest by Zipf"),
        ),
        help="How popular the items are; number 1 is the most popular one.",
        group=KEYS,
    ),
    Param(
        name="zipf_exponent",
        label="Zipf exponent",
        kind="number",
        default=1.0,
        minimum=0.0,
        maximum=5.0,
        help="0: all alike; 1: as words in a text; above: ever fewer take nearly all.",
        group=KEYS,
        shown_when={"key_choice": ("zipf", "hot")},
    ),
    Param(
        name="write_choice",
        label="Written items",
        kind="choice",
        default="same",
        choices=(
            Choice(value="same", label="As they are read", help="popular items are written as often as they are read"),
            Choice(value="uniform", label="All alike", help="as when a catalogue is kept up to date"),
        ),
        help="Which items are written.",
        group=KEYS,
    ),
    Param(
        name="own_reads_percent",
        label="Reads of own writes",
        kind="number",
        default=0.0,
        unit="%",
        minimum=0.0,
        maximum=100.0,
        help="Share of a user's reads that ask for the item which this user wrote last, as after saving a form.",
        group=KEYS,
    ),
    Param(
        name="hot_keys",
        label="Hot items",
        kind="integer",
        default=1,
        minimum=1,
        maximum=1_000_000,
        help="How many items are hot.",
        group=KEYS,
        shown_when={"key_choice": ("hot",)},
    ),
    Param(
        name="hot_share_percent",
        label="Their share",
        kind="number",
        default=20.0,
        unit="%",
        minimum=0.0,
        maximum=100.0,
        help="Share of requests that go to the hot items, all of these alike.",
        group=KEYS,
        shown_when={"key_choice": ("hot",)},
    ),
)
"""Weights of the operations, unknown ids, and how popular items are; read by ``operations.Mix``."""
