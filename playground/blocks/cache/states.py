"""Numbers that the cache's modules share: marks, steps, rebuild policies, ways to write, cells, sizes."""

from __future__ import annotations

from typing import Final

WAITING: Final = 0
SERVING: Final = 1
LOADING: Final = 2
HELD: Final = 3
"""Marks of a call: it waits for a thread, is on one, waits for the store without one, or for the write before it to get there."""

LOADED: Final = 0
RELOADED: Final = 1
WRITTEN: Final = 2
FLUSHED: Final = 3
"""Steps of calls that the cache makes: a read-through for a caller, one in the background, a write-through, a write behind."""

FREE: Final = 0
LOCK: Final = 1
LEASE: Final = 2
REBUILDING: Final = ["free", "lock", "lease"]

AROUND: Final = 0
THROUGH: Final = 1
BEHIND: Final = 2
WRITING: Final = ["around", "through", "behind"]

SHARED: Final = 0
LOCAL: Final = 1
PLACEMENTS: Final = ["shared", "local"]

CELL_EMPTY: Final = 0
CELL_FRESH: Final = 1
CELL_SOFT: Final = 2
CELL_EXPIRED: Final = 3
CELL_LOCKED: Final = 4
CELL_NEGATIVE: Final = 5
CELL_DIRTY: Final = 6
CELL_MARK: Final = 128
CELLS: Final = 64
STATES: Final = [
    "empty",
    "fresh",
    "past its soft TTL",
    "expired",
    "being rebuilt",
    "known not to exist",
    "not in the store yet",
]

NEVER: Final = 1 << 62
UNBOUNDED: Final = 1 << 40
SMALL_BYTES: Final = 60
KEY_BYTES: Final = 100
STAMPEDE_FROM: Final = 20
"""So many rebuilds of one key at once are named a stampede."""

QUIET_NS: Final = 1_000_000_000
LONG_QUIET_NS: Final = 10_000_000_000
"""So long the same kind of moment is not named again."""

REBUILDS_KEPT: Final = 65_536
NODES_MAX: Final = 256
NODE_BITS: Final = 8
NODE_MASK: Final = 255
"""A token is a serial number and, in these bits, the node that gave it."""

FLUSH_TIMER: Final = 1
