"""From wall time to virtual time: how far a run should be by now, and how fast it has really been.

Pacing decides when the engine computes, never what: a run reaches the same states at every speed.
"""

from __future__ import annotations

from collections import deque

from playground.workers.limits import CATCH_UP_S_MAX

REACHED_OVER_S = 1.0


class Pace:
    """The pace of one playing run. Wall times are monotonic seconds, virtual times nanoseconds."""

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self._wall = 0.0
        self._virtual = 0
        self._marks: deque[tuple[float, int]] = deque()

    def start(self, wall: float, now_ns: int) -> None:
        """Count from here: after play, a new speed or a jump in virtual time."""
        self._wall, self._virtual = wall, now_ns
        self._marks.clear()
        self._marks.append((wall, now_ns))

    def target_ns(self, wall: float, now_ns: int) -> int:
        """Where the run should be at ``wall``; a run that can't keep up is asked for a bounded stretch only."""
        target = self._virtual + int((wall - self._wall) * self.speed * 1e9)
        behind_max = int(CATCH_UP_S_MAX * self.speed * 1e9)
        if target - now_ns > behind_max:
            self._wall, self._virtual = wall, now_ns + behind_max
            target = self._virtual
        return max(target, now_ns)

    def mark(self, wall: float, now_ns: int) -> None:
        """Note where the run is, for :meth:`reached`."""
        self._marks.append((wall, now_ns))
        while len(self._marks) > 2 and self._marks[1][0] <= wall - REACHED_OVER_S:
            self._marks.popleft()

    def reached(self) -> float:
        """Virtual seconds per second over the last second, 0 before there is anything to compare."""
        (wall_first, first), (wall_last, last) = self._marks[0], self._marks[-1]
        return (last - first) / 1e9 / (wall_last - wall_first) if wall_last > wall_first else 0.0
