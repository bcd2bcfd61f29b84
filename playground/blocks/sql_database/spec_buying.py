"""The parameters and figures of purchases that are transactions: what is sold, in which dialect, at which isolation level."""

from __future__ import annotations

from playground.blocks.declare import TEN_DAYS_S
from playground.protocol.catalogue import Choice, Metric, Param

TRANSACTIONS = "Transactions"

BUYING_PARAMS = (
    Param(
        name="stock",
        label="Stock",
        kind="integer",
        default=None,
        nullable=True,
        minimum=0,
        maximum=1_000_000_000,
        help="How many there are of each item; purchases are transactions then, statement by statement. Off: nobody looks at stock. "
        "A change restarts the block.",
        group=TRANSACTIONS,
        live=False,
    ),
    Param(
        name="lot_s",
        label="A new lot every",
        kind="number",
        default=None,
        nullable=True,
        unit="s",
        minimum=1.0,
        maximum=TEN_DAYS_S,
        help="So often as many of each item are on sale anew, in a row of their own (the next show's seats, the next shift). Off: never. "
        "A change restarts the block.",
        group=TRANSACTIONS,
        live=False,
    ),
    Param(
        name="dialect",
        label="Dialect",
        kind="choice",
        default="postgresql",
        choices=(
            Choice(value="postgresql", label="PostgreSQL", help="snapshots where the first updater wins; SSI"),
            Choice(value="mysql", label="MySQL InnoDB", help="read views, and locks on what is newest"),
        ),
        help="Whose transactions these are. The levels have the same names and mean other things. A change restarts the block.",
        group=TRANSACTIONS,
        live=False,
    ),
    Param(
        name="isolation",
        label="Isolation",
        kind="choice",
        default="read_committed",
        choices=(
            Choice(value="read_uncommitted", label="READ UNCOMMITTED", help="in PostgreSQL it is READ COMMITTED"),
            Choice(
                value="read_committed", label="READ COMMITTED", help="each statement sees what is committed by then"
            ),
            Choice(value="repeatable_read", label="REPEATABLE READ", help="one snapshot for the whole transaction"),
            Choice(value="serializable", label="SERIALIZABLE", help="as if one came after the other"),
        ),
        help="The level of transactions that begin from now on.",
        group=TRANSACTIONS,
    ),
    Param(
        name="deadlock_timeout_s",
        label="Deadlock timeout",
        kind="number",
        default=1.0,
        unit="s",
        minimum=0.001,
        maximum=3600.0,
        help="How long one waits for a lock before it looks whether it is in a deadlock (deadlock_timeout). InnoDB looks at once.",
        group=TRANSACTIONS,
        shown_when={"dialect": ("postgresql",)},
    ),
    Param(
        name="lock_timeout_s",
        label="Lock timeout",
        kind="number",
        default=None,
        nullable=True,
        unit="s",
        minimum=0.001,
        maximum=3600.0,
        help="Who has waited so long for a lock is aborted. PostgreSQL's lock_timeout is off, innodb_lock_wait_timeout 50 s.",
        group=TRANSACTIONS,
    ),
)

BUYING_METRICS = (
    Metric(name="open_transactions", label="Open", kind="gauge", help="Purchases between BEGIN and their end."),
    Metric(name="lock_queue", label="Wait for a lock", kind="gauge", help="Purchases that wait for a lock now."),
    Metric(name="purchases", label="Purchases", kind="counter", help="Purchases that began, each attempt by itself."),
    Metric(name="bought", label="Bought", kind="counter", help="Purchases that are committed."),
    Metric(
        name="sold_out",
        label="Sold out",
        kind="counter",
        help="Purchases that found nothing left, or the other one off call.",
    ),
    Metric(
        name="oversold",
        label="Oversold",
        kind="counter",
        help="Commits that sold more of an item than there was of it.",
    ),
    Metric(
        name="lost_updates",
        label="Lost updates",
        kind="gauge",
        help="How many more were sold than the stock fell by, since two had read the same number and both wrote one less: the sum over "
        "all rows of sold - (stock at first - stock now).",
    ),
    Metric(
        name="rule_broken",
        label="Rule broken",
        kind="counter",
        help="Teams in which nobody is on call any more, though everybody looked whether somebody was (write skew).",
    ),
    Metric(
        name="serialization_failures",
        label="Serialization failures",
        kind="counter",
        help="Purchases that were aborted because they could not be serialized (SQLSTATE 40001).",
    ),
    Metric(
        name="deadlocks",
        label="Deadlocks",
        kind="counter",
        help="Purchases that were aborted as victims of a deadlock (40P01, 1213).",
    ),
    Metric(
        name="lock_timeouts",
        label="Lock timeouts",
        kind="counter",
        help="Purchases that were aborted because they had waited too long for a lock (55P03, 1205).",
    ),
    Metric(
        name="changed_since",
        label="Changed since",
        kind="counter",
        help="Optimistic purchases whose row had another version than the one they had read.",
    ),
    Metric(
        name="hung_up",
        label="Cut short",
        kind="counter",
        help="Purchases that ended because their caller, or the node, was gone.",
    ),
    Metric(
        name="sales_lost",
        label="Sales lost",
        kind="counter",
        help="Purchases whose buyers were told so, and which a crash, a failover or a split brain left in no legitimate history.",
    ),
    Metric(name="lock_waits", label="Lock waits", kind="counter", help="Statements that had to wait for a lock."),
    Metric(
        name="lock_wait_ms",
        label="Mean lock wait",
        kind="gauge",
        unit="ms",
        help="How long such a statement waited, on average.",
    ),
    Metric(
        name="row_versions",
        label="Dead versions",
        kind="gauge",
        help="Old versions of rows that are sold from, until vacuum.",
    ),
)
