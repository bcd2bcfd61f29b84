"""What the app server declares about the data of a request: filter, cache, store and queue."""

from __future__ import annotations

from playground.protocol.catalogue import Choice, HandOver, Metric, Need, Param, Port

PROGRAM = "Program"

PARAMS = (
    Param(
        name="writes",
        label="Writes go",
        kind="choice",
        default="store",
        choices=(
            Choice(value="store", label="To the store", help="write-around: the store first, then the cache is told"),
            Choice(value="cache", label="To the cache", help="it writes through, or behind, as it is set"),
            Choice(
                value="queue",
                label="Into the queue",
                help="write-behind: the cache shows the new version at once, a worker writes it to the store later",
            ),
        ),
        help="Where a write is sent. Purchases, creations and deletions always go to the store.",
        group=PROGRAM,
    ),
    Param(
        name="after_write",
        label="Cache after a write",
        kind="choice",
        default="invalidate",
        choices=(
            Choice(value="invalidate", label="Invalidate", help="delete the item, the next read loads it"),
            Choice(value="update", label="Update", help="put the new version in"),
            Choice(value="nothing", label="Leave it", help="stale until its time to live is over"),
        ),
        help="What happens to the cached item once the store has the new version.",
        group=PROGRAM,
        shown_when={"writes": ("store",)},
    ),
    Param(
        name="after_create",
        label="Cache after a creation",
        kind="choice",
        default="invalidate",
        choices=(
            Choice(value="invalidate", label="Invalidate", help='delete the cached "there is none"'),
            Choice(value="update", label="Update", help="put the new item in"),
            Choice(value="nothing", label="Leave it", help='invisible while "there is none" is cached'),
        ),
        help="What happens in the cache once the store has a new item.",
        group=PROGRAM,
    ),
    Param(
        name="rebuild_wait_ms",
        label="Wait for a rebuild",
        kind="number",
        default=5_000.0,
        unit="ms",
        minimum=0.0,
        maximum=600_000.0,
        help="How long a read waits, with its worker, while another one rebuilds the item; then it reads from the store itself.",
        group=PROGRAM,
    ),
    Param(
        name="bypass_cache",
        label="Go past a dead cache",
        kind="boolean",
        default=True,
        help="When cache or search doesn't answer, read from the store. Off: the request fails.",
        group=PROGRAM,
    ),
)

PORTS = (
    Port(
        name="filter",
        label="Filter",
        direction="out",
        type="filter",
        help="Who is asked first whether an item can exist at all.",
        maximum=1,
    ),
    Port(
        name="cache",
        label="Cache",
        direction="out",
        type="cache",
        help="Where it looks before it reads.",
        maximum=1,
    ),
    Port(
        name="store",
        label="Store",
        direction="out",
        type="sql",
        help="Where items are read and written.",
        maximum=1,
    ),
    Port(
        name="search",
        label="Search",
        direction="out",
        type="search",
        help="Where lists and searches go; without it, to the store.",
        maximum=1,
    ),
    Port(
        name="queue",
        label="Queue",
        direction="out",
        type="queue",
        help="Where it leaves background refreshes, and writes that go into the queue.",
        maximum=1,
    ),
)

NEEDS = (
    Need(
        ports=("cache",),
        when={"writes": ("cache",)},
        callee={"write_policy": ("through", "behind")},
        help="its writes go to a cache that writes them to the store; one that is written around refuses them",
    ),
    Need(ports=("queue",), when={"writes": ("queue",)}, help="its writes go into a queue"),
)

HANDS_OVER = (
    HandOver(
        port="queue",
        ports=("store",),
        when={"writes": ("queue",)},
        help="writes that go into the queue are done by a worker with a store, or they would be lost",
    ),
    HandOver(
        port="queue",
        ports=("store", "cache"),
        on={"cache": "soft_ttl_s"},
        same=("cache",),
        help="items past their soft TTL are refreshed by the queue's workers, which read them from a store into the same cache",
    ),
)

METRICS = (
    Metric(
        name="filtered", label="Filtered", kind="counter", help="Reads that the filter answered: there is no such item."
    ),
    Metric(
        name="filter_failed", label="Filter failed", kind="counter", help="Filter operations that were not answered."
    ),
    Metric(
        name="rebuild_waits", label="Waited for a rebuild", kind="counter", help="Reads that let another one rebuild."
    ),
    Metric(
        name="waits_given_up",
        label="Waited in vain",
        kind="counter",
        help="Reads that waited too long for another's rebuild and read from the store.",
    ),
    Metric(name="refreshes", label="Refreshes", kind="counter", help="Background refreshes that it began."),
    Metric(name="queued_writes", label="Queued", kind="counter", help="Writes that the queue has taken."),
    Metric(
        name="searches_failed",
        label="Past the search",
        kind="counter",
        help="Lists that the search index didn't answer; the store made them where that is allowed.",
    ),
    Metric(name="cursors_signed", label="Cursors signed", kind="counter", help="Cursors that it gave out."),
    Metric(
        name="cursors_verified",
        label="Cursors verified",
        kind="counter",
        help="Cursors that came back as they were given out.",
    ),
    Metric(
        name="links_refused",
        label="Links refused",
        kind="counter",
        help="Links to pages that it never gave out: altered cursors, and what can't be read. Answered with 400.",
    ),
)
