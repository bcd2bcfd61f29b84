"""Numbers that the search index's modules share."""

from __future__ import annotations

from typing import Final

WAITING: Final = 0
SEARCHING: Final = 1
"""Marks of a call: it waits for a thread, is on one."""

POLL: Final = 0
SCAN: Final = 1
"""Steps of a call that the index makes: a database's log read, its rows read for a rebuild."""

POLL_TIMER: Final = 1
BULK_TIMER: Final = 2
REFRESH_TIMER: Final = 3
SCAN_TIMER: Final = 4
"""Timers: a log is to be read (argument: the feed's alarm and its number); a bulk is indexed (argument: its slot and serial); what was
indexed is to be seen (argument: serial); the next rows of a rebuild are due (argument: serial)."""

SLOT_BITS: Final = 8
SLOT_MASK: Final = 255
INDEXERS_MAX: Final = 256
TERMS_MAX: Final = 1_000_000
SERIAL_MASK: Final = (1 << 24) - 1

SAME: Final = 0
GHOST: Final = 1
LACKING: Final = 2
OUTDATED: Final = 3
"""How an item stands in the index: as in the database; deleted there; new there; changed there."""

KEY_BYTES: Final = 100
SMALL_BYTES: Final = 200
RETRY_NS: Final = 1_000_000_000
QUIET_NS: Final = 10_000_000_000
"""A log or a scan that failed is asked again after so long; the same kind of moment isn't named again before the other."""
