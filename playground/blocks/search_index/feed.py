"""How far the changes of one database have come: read, being indexed, indexed, visible."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mypy_extensions import i64

from playground.engine.state import State

if TYPE_CHECKING:
    from playground.engine.changes import ChangeLog
    from playground.engine.edge import Edge


class Feed(State):
    """Positions in a database's log: ``visible`` <= ``indexed`` <= ``assigned`` <= ``fetched`` <= its end."""

    def __init__(self, edge: Edge, log: ChangeLog | None) -> None:
        self.edge = edge
        self.log = log
        self.slot: i64 = log.open() if log is not None else -1
        self.serial: i64 = 0
        self.polling: bool = False
        # Only the latest timer counts, so that a log that is read early for once isn't read twice as often from then on.
        self.alarm: i64 = 0
        # Too much waits for indexers: the next bulk that is done has it read on.
        self.held_up: bool = False
        self.fetched: i64 = 0
        self.assigned: i64 = 0
        self.indexed: i64 = 0
        self.visible: i64 = 0
        # Up to here it is known what is true; for figures alone.
        self.observed: i64 = 0
        self.begin_at_end()

    def begin_at_end(self) -> None:
        """All that was committed so far comes by another way, or is known."""
        log = self.log
        if log is None:
            return
        end = log.end
        self.fetched = end
        self.assigned = end
        self.indexed = end
        self.visible = end
        self.observed = end
        # A slot that was lost is as good as new at the end.
        log.confirm(self.slot, end)

    def fall_back(self) -> None:
        """What was not visible yet is gone, and comes again."""
        self.serial += 1
        self.polling = False
        self.held_up = False
        self.fetched = self.visible
        self.assigned = self.visible
        self.indexed = self.visible

    def backlog(self) -> i64:
        """Changes that were read and wait for an indexer."""
        return self.fetched - self.assigned

    def behind(self) -> i64:
        """Changes that are committed and not visible."""
        return self.log.end - self.visible if self.log is not None else 0

    def lag_ns(self, now: i64) -> i64:
        """How long ago the oldest of them was committed; 0 without any."""
        log = self.log
        if log is None or log.end == self.visible:
            return 0
        # Where the log has lost it, it is older than the oldest that is left.
        position = self.visible if self.visible >= log.start else log.start
        return now - log.time_at(position)

    def close(self) -> None:
        """Read no more."""
        self.serial += 1
        if self.log is not None:
            self.log.close(self.slot)
            self.log = None
