"""The states that an app server's instance can be in, and the numbers that stand for them."""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

LEFT: Final = 0
OFF: Final = 1
STARTING: Final = 2
WARMING: Final = 3
READY: Final = 4
DRAINING: Final = 5
STOPPING: Final = 6
DOWN: Final = 7
STATES: Final = ["left", "off", "starting", "warming up", "ready", "draining", "finishing", "down"]
"""No more among the instances (it finishes what it has); switched off; its process starts; alive with cold caches; well; told to stop;
past its draining time, with calls that it still finishes; crashed."""

CELL_OFF: Final = 0
CELL_STARTING: Final = 1
CELL_WARMING: Final = 2
CELL_READY: Final = 3
CELL_NOT_READY: Final = 4
CELL_DRAINING: Final = 5
CELL_DEADLOCKED: Final = 6
CELL_DOWN: Final = 7
CELL_OF_STATE: Final = [0, 0, 1, 2, 3, 5, 5, 7]
CELL_MARK: Final = 128
CELLS_MAX: Final = 128
"""Numbers of the states that the specification's cells declare."""

GO_OFF: Final = 0
RESTART: Final = 1
"""What a drained instance does."""

LIFE_TIMER: Final = 24
SCALING_TIMER: Final = 25
"""Tags of timers; those of the data program are below. The argument of the first is instance + 1024 x serial of the state."""

HELD: Final = 100
HELD_FAILED: Final = 101
"""Marks of a call at a deadlocked instance: it has a worker that does nothing; a call made for it has failed meanwhile."""

LOOK_AGAIN_NS: Final = 100_000_000
"""Time between two looks of a rolling restart at whether an instance has calls again."""

PROBES_HELD_MAX: Final = 1024


def refuses(state: i64) -> i64:
    """1 for a state in which nobody listens, else 0. A crash counts for itself."""
    return 1 if state == OFF or state == STARTING or state == STOPPING else 0


def is_alive(state: i64) -> bool:
    """Whether there is a process that works."""
    return state == WARMING or state == READY or state == DRAINING or state == STOPPING
