"""Lists that wait for their shards: until when, and what is known of those that haven't answered."""

from __future__ import annotations

from typing import final

from librt.vecs import append, vec
from mypy_extensions import i64

from playground.engine.state import State


@final
class Waits(State):
    """Slots for timers, each with the call it is about. A slot is free again when its timer has rung, never before."""

    def __init__(self) -> None:
        self.call: vec[i64] = vec[i64]()
        self.serial: vec[i64] = vec[i64]()
        self.free: list[int] = []

    def take(self, call: i64, serial: i64) -> i64:
        """A slot for a call, which ``serial`` tells from a later one with the same handle."""
        if len(self.free) > 0:
            slot: i64 = self.free.pop()
            self.call[slot] = call
            self.serial[slot] = serial
            return slot
        self.call = append(self.call, call)
        self.serial = append(self.serial, serial)
        return len(self.call) - 1

    def give_back(self, slot: i64) -> i64:
        """The timer has rung; the call."""
        self.free.append(int(slot))
        return self.call[slot]
