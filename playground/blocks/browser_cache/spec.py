"""What the browser cache declares."""

from __future__ import annotations

from playground.blocks.declare import HTTP_CACHE_METRICS, PURGE, REGION, http_cache_cells, prices
from playground.engine.limits import STORE_KEYS_MAX
from playground.protocol.catalogue import BlockSpec, Param, Port

SIZE, FRESHNESS = "Size", "Freshness"

SPEC = BlockSpec(
    kind="browser_cache",
    title="Browser cache",
    category="Edge",
    icon="app-window",
    summary="What users have already is not sent again",
    order=12,
    params=(
        Param(
            name="capacity_items",
            label="Capacity",
            kind="integer",
            default=100_000,
            minimum=1,
            maximum=STORE_KEYS_MAX,
            help="Copies that fit in the browsers of all users together; the least recently used one goes when they are full.",
            group=SIZE,
        ),
        Param(
            name="max_age_s",
            label="Max age",
            kind="number",
            default=0.0,
            unit="s",
            minimum=0.0,
            maximum=864_000.0,
            help="How long a copy is fresh after it was made at the origin (Cache-Control: max-age); 0: every read asks about it.",
            group=FRESHNESS,
        ),
        Param(
            name="stale_while_revalidate_s",
            label="Stale while revalidate",
            kind="number",
            default=None,
            nullable=True,
            unit="s",
            minimum=0.0,
            maximum=864_000.0,
            help="So long past its freshness a copy is still shown at once, while one request in the background asks about it.",
            group=FRESHNESS,
        ),
        *prices(),
        REGION,
    ),
    ports=(
        Port(name="in", label="Users", direction="in", type="http", help="What users want to see."),
        Port(
            name="origin",
            label="Origin",
            direction="out",
            type="http",
            help="Where browsers get what they do not have: a CDN, a balancer, a server.",
            minimum=1,
            maximum=1,
        ),
    ),
    metrics=HTTP_CACHE_METRICS,
    # It is many machines and does no work: it can neither die nor be slow as one.
    faults=(PURGE,),
    cells=http_cache_cells("The 64 most popular items, in the browser of the first user who came."),
)
