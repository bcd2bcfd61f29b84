"""Users who look at what they have just written: the reads that "read your writes" is about."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from playground.engine.params import Params
from playground.engine.state import State
from playground.engine.stores import FIFO, Evicting
from playground.engine.streams import Stream

USERS_MAX: Final = 1 << 17
"""So many users' last items are remembered, those of the latest writers."""


@final
class OwnItems(State):
    """The item that each user wrote last, as far as the write was acknowledged."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.share: float = 0.0
        self.last = Evicting(USERS_MAX, FIFO)

    def configure(self, params: Params) -> None:
        """How many reads are of that sort."""
        self.share = params.number("own_reads_percent") / 100.0
        if self.share <= 0.0:
            self.last.clear()

    def wrote(self, user: i64, key: i64) -> None:
        """A write was acknowledged."""
        self.last.put(user, key, 0, 0)

    def key_for(self, user: i64, key: i64) -> i64:
        """What a read of ``user`` asks for instead of ``key``."""
        entry = self.last.find(user)
        if entry < 0 or self.stream.uniform() >= self.share:
            return key
        return self.last.version[entry]
