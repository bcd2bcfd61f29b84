"""Kept moments of a run: snapshots at growing distances, within a bound of memory.

They begin close together; when they take too much, every other one is dropped and the distance doubles.
"""

from __future__ import annotations

import bisect
from typing import Any

from playground.engine.limits import SNAPSHOT_BYTES_MAX, SNAPSHOTS_MAX
from playground.engine.snapshot import Snapshot
from playground.engine.state import State


class Moment:
    """A snapshot of the engine and what belongs to it outside."""

    def __init__(self, root: State, at_ns: int, extras: dict[str, Any]) -> None:
        self.at_ns = at_ns
        self.extras = extras
        self._snapshot = Snapshot(root)
        self.size = self._snapshot.size

    def restore(self) -> None:
        """Put the engine back to this moment."""
        self._snapshot.restore()


class Moments:
    """The kept moments of one run, in order of time; the first one, at time 0, always stays."""

    def __init__(self, until_ns: int, bucket_ns: int) -> None:
        self.moments: list[Moment] = []
        buckets = max(1, until_ns // SNAPSHOTS_MAX // bucket_ns)
        self.distance_ns = buckets * bucket_ns

    def wants(self, at_ns: int) -> bool:
        """Whether a moment at ``at_ns`` (a bucket's end) should be kept."""
        if at_ns % self.distance_ns != 0:
            return False
        place = bisect.bisect_left([moment.at_ns for moment in self.moments], at_ns)
        return place == len(self.moments) or self.moments[place].at_ns != at_ns

    def keep(self, moment: Moment) -> None:
        """Keep ``moment``, and make room where all of them take too much."""
        self.moments.append(moment)
        self.moments.sort(key=lambda moment: moment.at_ns)
        while len(self.moments) > 2 and (
            len(self.moments) > SNAPSHOTS_MAX or sum(moment.size for moment in self.moments) > SNAPSHOT_BYTES_MAX
        ):
            self.distance_ns *= 2
            self.moments = [moment for moment in self.moments if moment.at_ns % self.distance_ns == 0]

    def nearest(self, at_ns: int) -> Moment | None:
        """The last moment that is not after ``at_ns``."""
        place = bisect.bisect_right([moment.at_ns for moment in self.moments], at_ns)
        return self.moments[place - 1] if place else None

    def cut(self, at_ns: int) -> None:
        """Forget what lies after ``at_ns``; a moment is kept before its own interventions, so that the one at ``at_ns`` stays true."""
        self.moments = [moment for moment in self.moments if moment.at_ns <= at_ns]
