"""Numbers that the quorum store's modules share: messages, timers, states of requests, cells, bounds."""

from __future__ import annotations

from typing import Final

STORE: Final = 0
STORED: Final = 1
ASK: Final = 2
ANSWER: Final = 3
HINT: Final = 4
REPAIR: Final = 5
HAND_OVER: Final = 6
HANDED_OVER: Final = 7
PING: Final = 8
PONG: Final = 9
EXCHANGE: Final = 10
"""Messages between nodes: keep this version (W), done (A); what do you hold (R), this (S); keep this for somebody who is out of reach (W,
answered by A); you are behind, take this (W, no answer); here is what I kept for you (W), thank you (A); are you there (R), yes (S); anti-
entropy found that we differ, take this (W, no answer)."""

BRINGING: Final = (STORE, HINT, REPAIR, HAND_OVER, EXCHANGE)
"""Those that bring a version to a node."""

LEG_W: Final = 0
LEG_A: Final = 1
LEG_R: Final = 2
LEG_S: Final = 3
LEG_OF: Final = [LEG_W, LEG_A, LEG_R, LEG_S, LEG_W, LEG_W, LEG_W, LEG_A, LEG_R, LEG_S, LEG_W]
"""Which one-way latency a message takes, by its kind."""

MESSAGE_TIMER: Final = 0
SUSPECT_TIMER: Final = 1
EXPIRE_TIMER: Final = 2
TICK_TIMER: Final = 3
PUMP_TIMER: Final = 4
ROUND_TIMER: Final = 5
SESSION_TIMER: Final = 6
"""Tags: a message arrives; a request has waited long enough for its replicas, or for its quorum; probes and hints are looked after; a hint
is handed over; a round of anti-entropy begins, a key of one is exchanged."""

READING: Final = 0
WRITING: Final = 1
CONTEXT: Final = 2
"""What a request is: a read, a write, the read that a write with context begins with."""

OPEN: Final = 0
DONE: Final = 1
DEAD: Final = 2
"""A request waits for its quorum; was answered (or given up); its coordinator died."""

UNDECIDED: Final = 0
ACKED: Final = 1
FAILED: Final = 2
LOST: Final = 3
"""A version: its write is under way; was acknowledged; its client was told that it failed, or nothing; it was acknowledged, and nobody has
it any more."""

INITIAL: Final = 0
"""The version that every item has at the start, on all its replicas."""

NODES_MAX: Final = 32
REPLICAS_MAX: Final = 7
ROWS_MAX: Final = 14
"""Nodes that one request can turn to: each replica, and a stand-in for each."""

SIBLINGS_MAX: Final = 8
"""Versions of one key that a node keeps side by side; one more, and the oldest goes (Riak's ``max_siblings`` is 100)."""

RING_POINTS: Final = 64
"""Points of each node on the ring."""

LAST_WRITE_WINS: Final = 0
VECTORS: Final = 1
CONFLICTS: Final = ["last_write_wins", "version_vectors"]

REPAIR_OFF: Final = 0
REPAIR_ANSWERED: Final = 1
REPAIR_ALL: Final = 2
REPAIRS: Final = ["off", "answered", "all"]

KEY_BYTES: Final = 60

CELLS: Final = 48
CELL_UNTOUCHED: Final = 0
CELL_AGREE: Final = 1
CELL_DIFFER: Final = 2
CELL_MISSING: Final = 3
CELL_HINT: Final = 4
CELL_SIBLINGS: Final = 5
CELL_MARK: Final = 128

QUIET_NS: Final = 5_000_000_000
LONG_QUIET_NS: Final = 20_000_000_000
"""So long the same kind of moment is not named again; the second one for what is a matter of course under load."""

STALE_KEPT: Final = 256
STALE_SHOWN: Final = 20
"""Stale reads whose stories are kept, and how many of them the inspector lists."""
