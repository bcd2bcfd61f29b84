"""What the cache declares."""

from __future__ import annotations

from playground.blocks.declare import REGION, SHARED_FAULTS, duration, prices
from playground.engine.limits import STORE_KEYS_MAX
from playground.engine.stores import POLICIES
from playground.protocol.catalogue import BlockSpec, Choice, Fault, Metric, Param, Port

SIZE, FRESHNESS, SERVING = "Size", "Freshness", "Serving"
POLICY_WORDS = {
    "lru": ("LRU", "throws out what was not used for the longest time"),
    "lfu": ("LFU", "throws out what was used least often"),
    "fifo": ("FIFO", "throws out what has been in for the longest time"),
}

SPEC = BlockSpec(
    kind="cache",
    title="Cache",
    category="Memory",
    icon="zap",
    summary="Keeps items in memory, for a while",
    order=40,
    params=(
        Param(
            name="mode",
            label="Mode",
            kind="choice",
            default="look_aside",
            choices=(
                Choice(value="look_aside", label="Look-aside", help="callers load what is missing and put it in"),
                Choice(
                    value="read_through", label="Read-through", help="it loads what is missing from the store behind it"
                ),
            ),
            help="Who loads an item that is missing.",
            group=SIZE,
        ),
        Param(
            name="capacity",
            label="Capacity",
            kind="integer",
            default=10_000,
            unit="keys",
            minimum=1,
            maximum=STORE_KEYS_MAX,
            help="Items that fit.",
            group=SIZE,
        ),
        Param(
            name="eviction",
            label="Eviction",
            kind="choice",
            default="lru",
            choices=tuple(
                Choice(value=name, label=POLICY_WORDS[name][0], help=POLICY_WORDS[name][1]) for name in POLICIES
            ),
            help="Which item goes when it is full.",
            group=SIZE,
        ),
        Param(
            name="warm_keys",
            label="Warm at the start",
            kind="integer",
            default=0,
            unit="keys",
            minimum=0,
            maximum=STORE_KEYS_MAX,
            help="The most popular items that it holds at the start, of all ages. A change restarts the block.",
            group=SIZE,
            live=False,
        ),
        Param(
            name="ttl_s",
            label="Time to live",
            kind="number",
            default=60.0,
            nullable=True,
            unit="s",
            minimum=0.001,
            maximum=864_000.0,
            help="How long an item is good after it was put in; off: for ever.",
            group=FRESHNESS,
        ),
        Param(
            name="ttl_jitter_percent",
            label="Jitter",
            kind="number",
            default=0.0,
            unit="%",
            minimum=0.0,
            maximum=100.0,
            help="Time to live is scattered by so much up and down, so that what was put in together doesn't expire together.",
            group=FRESHNESS,
        ),
        *duration(
            "operation",
            "Operation",
            "Time that one operation takes a thread.",
            mean=20.0,
            unit="us",
            distribution="constant",
            group=SERVING,
        ),
        Param(
            name="threads",
            label="Threads",
            kind="integer",
            default=4,
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
            name="item_bytes",
            label="Size of an item",
            kind="integer",
            default=2048,
            unit="bytes",
            minimum=0,
            maximum=1_000_000_000,
            help="Bytes of a hit.",
            group=SERVING,
        ),
        *prices(per_hour=0.15),
        REGION,
    ),
    ports=(
        Port(name="in", label="Operations", direction="in", type="cache", help="Reads, writes and deletes of items."),
        Port(name="store", label="Store", direction="out", type="sql", help="What it reads through to.", maximum=1),
    ),
    metrics=(
        Metric(
            name="hit_percent",
            label="Hits",
            kind="gauge",
            unit="%",
            help="Share of reads that hit, in the last second or two.",
            headline=True,
        ),
        Metric(
            name="keys", label="Keys", kind="gauge", help="Items held.", headline=True, maximum_metric="capacity_keys"
        ),
        Metric(name="capacity_keys", label="Capacity", kind="gauge", help="Items that fit."),
        Metric(name="hits", label="Hits", kind="counter", help="Reads that found their item."),
        Metric(name="misses", label="Misses", kind="counter", help="Reads that did not."),
        Metric(name="expired", label="Expired", kind="counter", help="Items found too old by a read."),
        Metric(name="evicted", label="Evicted", kind="counter", help="Items thrown out to make room."),
        Metric(name="sets", label="Put in", kind="counter", help="Items put in, or replaced."),
        Metric(name="deletes", label="Deletes", kind="counter", help="Invalidations."),
        Metric(
            name="stampedes", label="Stampedes", kind="counter", help="Times that many callers rebuilt one key at once."
        ),
        Metric(name="largest_stampede", label="Largest", kind="gauge", help="Rebuilds in the largest stampede."),
    ),
    faults=(
        Fault(name="flush", label="Flush", help="All items are gone at once.", momentary=True),
        Fault(
            name="expire_key",
            label="Expire one key",
            help="One item is gone; who reads it next has to load it.",
            params=(
                Param(
                    name="key",
                    label="Key",
                    kind="integer",
                    default=1,
                    minimum=1,
                    maximum=2_000_000_000,
                    help="Its number; 1 is the most popular one.",
                ),
            ),
            momentary=True,
        ),
        *SHARED_FAULTS,
    ),
)
