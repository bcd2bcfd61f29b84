"""Numbers that the shard router's modules share: marks, steps, schemes, stages of a move, cells, sizes."""

from __future__ import annotations

from typing import Final

WAITING: Final = 0
ROUTING: Final = 1
CALLING: Final = 2
GATHERING: Final = 3
MERGING: Final = 4
HELD: Final = 5
"""Marks of a call: it waits for a worker; has one that finds out where it goes; waits for its shard; waits for all shards; what they
answered is merged; it is a write that waits for its bucket's cut-over, with its worker."""

BY_KEY: Final = 0
SCATTERED: Final = 1
COPY: Final = 2
PASTE: Final = 3
READ_LOG: Final = 4
"""Steps of a call that the router makes: for one shard, for each of all shards; rows copied out of a shard, into one; a shard's log read.
The last three have no parent."""

HASH: Final = 0
CONSISTENT: Final = 1
RANGE: Final = 2
DIRECTORY: Final = 3
SCHEMES: Final = ["hash", "consistent", "range", "directory"]

BUCKETS_MAX: Final = 16_384
SHARDS_MAX: Final = 1_000
"""As many buckets as Redis Cluster has slots; shards that one router can know in its life."""

IDLE: Final = 0
COPYING: Final = 1
CATCHING_UP: Final = 2
DRAINING: Final = 3
CLOSING: Final = 4
RETRYING: Final = 5
"""Stages of a move: none; rows are copied; what was written meanwhile is; writes wait and those under way end; the rest of the log is
copied while writes wait; it waits to try again."""

CELL_HOME: Final = 0
CELL_MOVED: Final = 1
CELL_TO_MOVE: Final = 2
CELL_LOST: Final = 3
CELL_COPYING: Final = 4
CELL_CUT_OVER: Final = 5
CELL_MARK: Final = 128
CELLS_MAX: Final = 64
"""Cells, by the weight they have in one that stands for several buckets."""

MOVE_TIMER: Final = 1
GATHER_TIMER: Final = 2
CUT_OVER_TIMER: Final = 3
RESUME_TIMER: Final = 4
DRAIN_TIMER: Final = 5
"""Timers: a move's next batch is due, or its next try (argument: move and its serial); a list has waited long enough (argument: slot); a
cut-over has taken too long (as the first); what was rolled back is tried anew (argument: serial); it is looked again
whether the writes under way have ended (as the first)."""

MOVES_BITS: Final = 4
MOVES_MAX: Final = 16
SERIAL_MASK: Final = (1 << 28) - 1
"""A timer's argument: a move's number in the low bits, above it a serial that tells whether it still means this step."""

TRIES_MAX: Final = 3
LOOK_AGAIN_NS: Final = 1_000_000
RETRY_NS: Final = 200_000_000
RESUME_NS: Final = 10_000_000_000
ROUNDS_MAX: Final = 50
CLOSE_BELOW: Final = 32
"""A step is tried so often, so far apart; after a roll-back the reshard goes on so much later. A bucket that after so many rounds of
catching up has not come below so many changes is written faster than it can be copied."""

SMALL_BYTES: Final = 60
KEY_BYTES: Final = 100
ROW_BYTES: Final = 2_048
QUIET_NS: Final = 10_000_000_000
"""So long the same kind of moment is not named again."""

HOT_FROM: Final = 200
"""Below so many operations in a second no shard is called hot."""
