"""What the app server declares."""

from __future__ import annotations

from playground.blocks.app_server import spec_buying as buying
from playground.blocks.app_server import spec_data as data
from playground.blocks.app_server import spec_life as life
from playground.blocks.declare import REGION, SHARED_FAULTS, duration, prices
from playground.engine.limits import INSTANCES_MAX
from playground.protocol.catalogue import BlockSpec, Choice, Metric, Param, Port

SIZE, WORK, PROGRAM, ANSWERS = "Size", "Own work", data.PROGRAM, "Answers"

SPEC = BlockSpec(
    kind="app_server",
    title="App server",
    category="Compute",
    icon="server",
    summary="Does the work of a request, with a pool of workers",
    order=30,
    params=(
        Param(
            name="instances",
            label="Instances",
            kind="integer",
            default=1,
            minimum=1,
            maximum=INSTANCES_MAX,
            help="Servers of this sort, each with workers and a queue of its own.",
            group=SIZE,
        ),
        Param(
            name="workers",
            label="Workers",
            kind="integer",
            default=100,
            minimum=1,
            maximum=1_000_000,
            help="Requests that one instance works on at once. A worker is held until the answer, all waiting included.",
            group=SIZE,
        ),
        Param(
            name="queue_max",
            label="Longest queue",
            kind="integer",
            default=1000,
            nullable=True,
            minimum=0,
            maximum=1_000_000,
            help="Requests that wait for a worker of an instance; one more is turned away as overloaded. Off: any number.",
            group=SIZE,
        ),
        Param(
            name="drop_expired",
            label="Drop what expired",
            kind="boolean",
            default=False,
            help="A request whose caller has stopped waiting is dropped when its turn comes, instead of being worked on in vain.",
            group=SIZE,
        ),
        *duration(
            "before",
            "Work before",
            "Time that a worker computes before it calls anybody.",
            mean=10.0,
            group=WORK,
        ),
        *duration(
            "after",
            "Work after",
            "Time that a worker computes on what came back.",
            mean=0.0,
            distribution="constant",
            group=WORK,
        ),
        Param(
            name="services_order",
            label="Services",
            kind="choice",
            default="sequence",
            choices=(
                Choice(value="sequence", label="One after the other"),
                Choice(value="parallel", label="All at once", help="as slow as the slowest of them"),
            ),
            help="How other services that are wired to it are called.",
            group=PROGRAM,
        ),
        *data.PARAMS,
        *buying.BUYING_PARAMS,
        Param(
            name="response_bytes",
            label="Size of an item",
            kind="integer",
            default=2048,
            unit="bytes",
            minimum=0,
            maximum=1_000_000_000,
            help="Bytes of an answer with one item.",
            group=ANSWERS,
        ),
        Param(
            name="list_items",
            label="Items on a page",
            kind="integer",
            default=20,
            minimum=1,
            maximum=10_000,
            help="Items in the answer to a list.",
            group=ANSWERS,
        ),
        Param(
            name="pagination",
            label="Pagination",
            kind="choice",
            default="offset",
            choices=(
                Choice(
                    value="offset",
                    label="Offset",
                    help="a page has a number; the store counts past all rows before it, as many as there are by then",
                ),
                Choice(
                    value="keyset",
                    label="Keyset",
                    help="the link to the next page has the key of the last row shown; the store seeks it in its index",
                ),
                Choice(
                    value="cursor",
                    label="Cursor",
                    help="the same, and the link is signed (HMAC): one that was altered is refused",
                ),
            ),
            help="How the links to a list's pages are made, and so how a page is found. A page number that comes in is always counted.",
            group=ANSWERS,
        ),
        Param(
            name="list_sort",
            label="Lists sorted by",
            kind="choice",
            default="newest",
            choices=(
                Choice(value="newest", label="Newest first", help="ORDER BY id DESC"),
                Choice(value="price", label="Dearest first", help="ORDER BY price DESC: many rows have the same price"),
            ),
            help="The order of a list's rows in the database.",
            group=ANSWERS,
        ),
        Param(
            name="tie_breaker",
            label="Tie-breaker",
            kind="choice",
            default="id",
            choices=(
                Choice(
                    value="id",
                    label="The id",
                    help="ORDER BY price DESC, id DESC; the next page is WHERE (price, id) < (p, i): every row has one place",
                ),
                Choice(
                    value="none",
                    label="None, <",
                    help="the next page is WHERE price < p: the rest of the rows with price p is never shown",
                ),
                Choice(
                    value="none_inclusive",
                    label="None, <=",
                    help="the next page is WHERE price <= p: rows with price p come again, for ever where they fill a page",
                ),
            ),
            help="What tells rows of one price apart, in the order and in the link to the next page (pages by number: in the order).",
            group=ANSWERS,
            shown_when={"list_sort": ("price",)},
        ),
        Param(
            name="validators",
            label="Validators",
            kind="choice",
            default="etag",
            choices=(
                Choice(value="none", label="None", help="every answer has its item in it"),
                Choice(value="etag", label="ETag", help="differs for each version"),
                Choice(
                    value="last_modified",
                    label="Last-Modified",
                    help="the second of the last change: two changes within one second look like one",
                ),
            ),
            help="What callers can ask by whether their copy is still good. If it is, the answer is a 304 without the item.",
            group=ANSWERS,
        ),
        *life.LIFE_PARAMS,
        *life.SCALING_PARAMS,
        *life.SESSION_PARAMS,
        *prices(per_hour=0.1),
        REGION,
    ),
    ports=(
        Port(
            name="in",
            label="Requests",
            direction="in",
            type="http",
            help="Requests from clients, balancers, other servers.",
        ),
        *data.PORTS,
        life.SESSION_PORT,
        Port(
            name="services", label="Services", direction="out", type="http", help="Other services that a request needs."
        ),
    ),
    metrics=(
        Metric(
            name="workers_busy",
            label="Busy",
            kind="gauge",
            help="Workers held, waiting for callees included.",
            headline=True,
            maximum_metric="workers",
        ),
        Metric(name="workers", label="Workers", kind="gauge", help="Workers of all instances."),
        Metric(name="rejected", label="Turned away", kind="counter", help="Requests that found the queue full."),
        Metric(
            name="expired", label="Dropped", kind="counter", help="Requests dropped because nobody waited any more."
        ),
        Metric(name="bypassed", label="Past the cache", kind="counter", help="Reads whose cache didn't answer."),
        Metric(name="waited", label="Had to wait", kind="counter", help="Requests that a worker took from the queue."),
        Metric(
            name="mean_wait_ms",
            label="Mean wait",
            kind="gauge",
            unit="ms",
            help="For a worker, of those that had to wait.",
        ),
        *life.METRICS,
        *data.METRICS,
        *buying.BUYING_METRICS,
    ),
    faults=(*SHARED_FAULTS, *life.FAULTS),
    rules=life.RULES,
    needs=(*life.NEEDS, *data.NEEDS),
    hands_over=data.HANDS_OVER,
    cells=life.CELLS,
)
