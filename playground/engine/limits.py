"""Every limit of the engine, by name. A run that hits one stops with that name and keeps its results so far."""

from __future__ import annotations

from typing import Final

BLOCKS_MAX: Final = 2_000
EDGES_MAX: Final = 10_000
INSTANCES_MAX: Final = 1_000
CALLS_IN_FLIGHT_MAX: Final = 1 << 21
EVENTS_PENDING_MAX: Final = 1 << 23
STORE_KEYS_MAX: Final = 1 << 22
FILTER_BITS_MAX: Final = 1 << 23
FILTER_IDS_MAX: Final = 1 << 20
NOTABLES_MAX: Final = 5_000
CELLS_MAX: Final = 128
"""Cells on one card."""
SPANS_KEPT: Final = 4_096
HOPS_KEPT: Final = 1_024
REMARKS_KEPT: Final = 256
SNAPSHOT_BYTES_MAX: Final = 256 * 1024 * 1024
SNAPSHOTS_MAX: Final = 64
TRANSPORT_GIVES_UP_NS: Final = 924_600_000_000
"""After this a silent connection ends by itself: 15 retransmissions of TCP on Linux (tcp_retries2), 924.6 s."""

LIMITS: Final = {
    "blocks": BLOCKS_MAX,
    "edges": EDGES_MAX,
    "instances": INSTANCES_MAX,
    "calls_in_flight": CALLS_IN_FLIGHT_MAX,
    "events_pending": EVENTS_PENDING_MAX,
    "store_keys": STORE_KEYS_MAX,
    "filter_bits": FILTER_BITS_MAX,
    "filter_ids": FILTER_IDS_MAX,
    "notables": NOTABLES_MAX,
    "snapshot_bytes": SNAPSHOT_BYTES_MAX,
}
"""All of them, as the catalogue reports them."""
