"""Every limit of live runs, by name, in one place. What hits one is refused or ended with that name."""

from __future__ import annotations

WORKERS = 2
"""Engine processes that a server starts (setting ``PLAYGROUND_WORKERS``)."""

RUNS_PER_WORKER_MAX = 16
RUNS_PER_OWNER_MAX = 8
RUNS_CREATED_PER_MINUTE_MAX = 120

RUN_IDLE_S_MAX = 600.0
"""A run that nobody watches for so long is ended."""

RUN_DEATHS_MAX = 3
"""A run whose worker died so often is ended instead of being brought back once more."""

RUN_MEMORY_BYTES_MAX = 768 * 1024 * 1024
WORKER_MEMORY_BYTES_MAX = 2 * 1024 * 1024 * 1024

WORKER_SILENT_S_MAX = 20.0
"""A worker that says nothing for so long (it says something every second) hangs, and is killed."""

WORKER_START_S_MAX = 60.0
RUN_CREATE_S_MAX = 60.0

SLICE_S_MAX = 0.010
"""The longest that a run computes before its neighbours and its viewers' requests get a turn."""

ROUND_S_MAX = 0.030
"""The longest that all runs of a worker together should take for one slice each."""

FRAMES_PER_S = 30
UNWATCHED_TICKS_PER_S = 5

CATCH_UP_S_MAX = 0.25
"""How much wall time a run may be behind its pace and still catch up; older debt is forgotten."""

REQUESTS_WAITING_MAX = 1_000
"""Requests that wait for a seek to end, a run."""

PIPE_MESSAGE_BYTES_MAX = 64 * 1024 * 1024
PIPE_WAITING_BYTES_MAX = 64 * 1024 * 1024
PIPE_FRAMES_WAITING_BYTES_MAX = 1024 * 1024
"""With more than this unread by the web process a worker makes no frames, only durable messages."""

VIEWERS_PER_RUN_MAX = 500
FRAMES_UNACKNOWLEDGED_MAX = 4
OUTBOX_MESSAGES_MAX = 2_000
UNHEARD_BYTES_MAX = 4 * 1024 * 1024
"""What is sent to a viewer that says nothing before its messages wait in its outbox."""

DURABLE_EVENTS_MAX = 20_000
"""Durable events that a run keeps for viewers that come back."""
