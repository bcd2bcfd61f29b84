"""What the app server declares about purchases: the SQL that it writes, and what it does when the database aborts them."""

from __future__ import annotations

from playground.blocks.declare import duration
from playground.protocol.catalogue import Choice, Metric, Param

PURCHASES = "Purchases"

BUYING_PARAMS = (
    Param(
        name="buys",
        label="A purchase is",
        kind="choice",
        default="item",
        choices=(
            Choice(
                value="item", label="One of an item", help="reads a row and writes it: stock - 1, while there is some"
            ),
            Choice(
                value="off_call",
                label="Going off call",
                help="reads the rows of both who are on call in a team, and takes one off while the other one is on",
            ),
        ),
        help="What the transaction does. Only a database whose items have a stock looks at that.",
        group=PURCHASES,
    ),
    Param(
        name="buy_method",
        label="How it buys",
        kind="choice",
        default="read_then_write",
        choices=(
            Choice(
                value="read_then_write",
                label="Read, then write",
                help="SELECT stock; UPDATE SET stock = what it had read - 1",
            ),
            Choice(
                value="for_update",
                label="SELECT ... FOR UPDATE",
                help="the same, and the row is locked from the SELECT on",
            ),
            Choice(
                value="atomic",
                label="Atomic UPDATE",
                help="UPDATE SET stock = stock - 1 WHERE stock >= 1, in one statement",
            ),
            Choice(
                value="optimistic",
                label="Version check",
                help="SELECT stock, version; UPDATE ... WHERE version = the one that it had read; else once more",
            ),
            Choice(
                value="row_by_row",
                label="FOR UPDATE, row by row",
                help="where it reads two rows, its own is locked first, then the other: two who do so can deadlock",
            ),
        ),
        help="The SQL that the application writes.",
        group=PURCHASES,
    ),
    *duration(
        "buy_think",
        "Between statements",
        "Time that the application takes between the SELECT and the UPDATE of a purchase; the network's comes on top.",
        mean=5.0,
        group=PURCHASES,
    ),
    Param(
        name="buy_retries",
        label="Tries again",
        kind="integer",
        default=3,
        minimum=0,
        maximum=100,
        help="How often a purchase that the database aborted, or whose version check failed, is tried again from its BEGIN.",
        group=PURCHASES,
    ),
    Param(
        name="buy_backoff_ms",
        label="Back-off",
        kind="number",
        default=10.0,
        unit="ms",
        minimum=0.0,
        maximum=60_000.0,
        help="Before the first new try it waits a random time up to this, up to twice as long before each further one.",
        group=PURCHASES,
    ),
)

BUYING_METRICS = (
    Metric(name="bought", label="Bought", kind="counter", help="Purchases that were made."),
    Metric(
        name="sold_out",
        label="Sold out",
        kind="counter",
        help="Purchases that found nothing left: an answer, not a failure.",
    ),
    Metric(
        name="buys_aborted", label="Purchases aborted", kind="counter", help="Purchases that were aborted at every try."
    ),
    Metric(
        name="buys_retried", label="Purchases retried", kind="counter", help="New tries of purchases that were aborted."
    ),
)
