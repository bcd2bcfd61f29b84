"""What the cache declares."""

from __future__ import annotations

from playground.blocks.cache.spec_params import FRESHNESS_PARAMS, NODE_PARAMS, REBUILD_PARAMS, WRITE_PARAMS
from playground.blocks.declare import REGION, SHARED_FAULTS, duration, prices
from playground.engine.limits import STORE_KEYS_MAX
from playground.engine.stores import POLICIES
from playground.protocol.catalogue import (
    BlockSpec,
    Cells,
    CellState,
    Choice,
    Fault,
    HandOver,
    Look,
    Metric,
    Need,
    Param,
    Port,
    Rule,
)

SIZE, SERVING = "Size", "Serving"
POLICY_WORDS = {
    "lru": ("LRU", "throws out what was not used for the longest time"),
    "lfu": ("LFU", "throws out what was used least often"),
    "fifo": ("FIFO", "throws out what has been in for the longest time"),
}

KEY = Param(
    name="key",
    label="Key",
    kind="integer",
    default=1,
    minimum=1,
    maximum=2_000_000_000,
    help="Its number; 1 is the most popular one.",
)
LOOKS: tuple[tuple[str, Look], ...] = (
    ("empty", "empty"),
    ("fresh", "good"),
    ("past its soft TTL", "fading"),
    ("expired", "bad"),
    ("being rebuilt", "locked"),
    ("known not to exist", "absent"),
    ("not in the store yet", "busy"),
)
"""In the order of ``states.STATES``."""

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
            help="Items that fit in each node.",
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
        *FRESHNESS_PARAMS,
        *REBUILD_PARAMS,
        *WRITE_PARAMS,
        *NODE_PARAMS,
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
            help="Operations at once, of each node.",
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
            help="Operations that wait for a thread of a node; one more is turned away. Off: any number.",
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
        Port(
            name="store",
            label="Store",
            direction="out",
            type="sql",
            help="What it reads from and writes to, through or behind.",
            maximum=1,
        ),
        Port(
            name="queue",
            label="Queue",
            direction="out",
            type="queue",
            help="What it writes behind to instead of the store.",
            maximum=1,
        ),
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
        Metric(
            name="latest_rebuilds",
            label="Latest crowd",
            kind="gauge",
            help="Rebuilds that the latest crowd of readers of one key (20 or more) cost.",
        ),
        Metric(name="rebuilds", label="Rebuilds", kind="counter", help="Reads that went to load the item."),
        Metric(name="waits", label="Waits", kind="counter", help="Reads that were told to wait for another's rebuild."),
        Metric(name="early_rebuilds", label="Early", kind="counter", help="Rebuilds ahead of time, by chance."),
        Metric(name="refreshes", label="Refreshes", kind="counter", help="Background refreshes of soft-stale items."),
        Metric(name="stale_hits", label="Soft-stale hits", kind="counter", help="Hits past the soft time to live."),
        Metric(
            name="stale_served",
            label="Stale answers",
            kind="counter",
            help="Hits whose version was not the store's present one any more: it was replaced there, or lost by a SQL database. "
            "A quorum store's lost write stays the one that reads miss.",
        ),
        Metric(
            name="mean_staleness_ms",
            label="Staleness",
            kind="gauge",
            unit="ms",
            help="How long ago the store's present version had been committed when a stale one was served, on average.",
        ),
        Metric(
            name="negative_hits",
            label="Negative hits",
            kind="counter",
            help='Reads answered by a cached "there is none".',
        ),
        Metric(
            name="invisible",
            label="Invisible",
            kind="counter",
            help='Reads that were told "there is none" of an item that there is.',
        ),
        Metric(
            name="locks",
            label="Locks",
            kind="gauge",
            help="Locks and leases given, those that ran out unseen included.",
        ),
        Metric(
            name="locks_expired",
            label="Locks expired",
            kind="counter",
            help="Locks that ran out before they were given back.",
        ),
        Metric(
            name="late_unlocks",
            label="Late",
            kind="counter",
            help="Rebuilds that came back when the lock was another's.",
        ),
        Metric(
            name="locks_freed_wrongly",
            label="Freed wrongly",
            kind="counter",
            help="Locks that somebody deleted who did not hold them.",
        ),
        Metric(name="leases_refused", label="Refused sets", kind="counter", help="Sets whose lease was void."),
        Metric(name="writes", label="Writes", kind="counter", help="Writes that came through here."),
        Metric(
            name="unwritten",
            label="Unwritten",
            kind="gauge",
            help="Items whose last write is not on its way to the store yet.",
        ),
        Metric(name="flushed", label="Flushed", kind="counter", help="Writes behind that the store has taken."),
        Metric(
            name="coalesced",
            label="Coalesced",
            kind="counter",
            help="Writes that replaced one that was still unwritten.",
        ),
        Metric(
            name="lost_writes",
            label="Lost writes",
            kind="counter",
            help="Acknowledged writes that will never reach the store.",
        ),
        Metric(name="hot_keys", label="Hot keys", kind="gauge", help="Keys that are kept on several nodes."),
        Metric(
            name="sessions_lost",
            label="Sessions lost",
            kind="counter",
            help="Sessions kept here for servers that went with its memory, and that somebody would still have come with.",
        ),
    ),
    faults=(
        Fault(name="flush", label="Flush", help="All items are gone at once.", momentary=True),
        Fault(
            name="age_key",
            label="Age one key",
            help="One item is as old as its soft time to live; who reads it next has it refreshed.",
            params=(KEY,),
            momentary=True,
        ),
        Fault(
            name="expire_key",
            label="Expire one key",
            help="One item is gone; who reads it next has to load it.",
            params=(KEY,),
            momentary=True,
        ),
        *SHARED_FAULTS,
    ),
    rules=(
        Rule(
            lesser="soft_ttl_s",
            greater="ttl_s",
            help="an item that is gone can't be served while it is refreshed.",
        ),
    ),
    needs=(
        Need(ports=("store",), when={"mode": ("read_through",)}, help="it reads through to a store"),
        Need(ports=("store",), when={"write_policy": ("through",)}, help="it writes through to a store"),
        Need(
            ports=("store", "queue"),
            when={"write_policy": ("behind",)},
            help="it writes behind to a store, or to a queue",
        ),
    ),
    hands_over=(
        HandOver(
            port="queue",
            ports=("store",),
            when={"write_policy": ("behind",)},
            help="writes behind that go into a queue are done by a worker with a store, or they would be lost",
        ),
    ),
    cells=Cells(
        label="Keys",
        help="The 64 most popular keys, the first one top left.",
        states=tuple(CellState(name=name, label=name[0].upper() + name[1:], look=look) for name, look in LOOKS),
        marked="asked for last",
    ),
)
