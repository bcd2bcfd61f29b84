"""Lasting faults of a block or an edge."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from playground.engine.state import State

DOWN: Final = 0
REFUSING: Final = 1
PAUSED: Final = 2
"""States that a fault puts an instance in."""


@final
class Fault(State):
    """One fault that goes on: its name, the instance it concerns (-1: all), and a number of its own (a factor, say).

    ``slots`` is how many instances there were when it began: those that come later are well, and its end leaves them alone.
    """

    def __init__(self, name: str, instance: i64, value: float) -> None:
        self.name = name
        self.instance: i64 = instance
        self.value: float = value
        self.serial: i64 = 0
        self.slots: i64 = 0
