"""All runs of this web process: made, watched, steered, ended. Frames go from here straight into the sockets' mailboxes."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import secrets
import time
import weakref
from collections import defaultdict, deque
from typing import Any

from django.conf import settings

from playground.protocol.design import Scenario
from playground.protocol.errors import InputError
from playground.refusals import TooMany
from playground.runs.room import Room
from playground.runs.viewer import Viewer
from playground.workers import limits
from playground.workers.pool import EnginePool

log = logging.getLogger(__name__)

SWEEP_S = 0.5


class Hub:
    """The rooms of all runs, and the engine pool behind them. Everything happens in one event loop."""

    def __init__(self, pool_workers: int = limits.WORKERS) -> None:
        self.rooms: dict[str, Room] = {}
        self.pool = EnginePool(self._hear, pool_workers)
        # What runs say between their birth and the moment that their room stands.
        self._early: dict[str, list[dict[str, Any]]] = {}
        self._names = itertools.count(1)
        self._created: dict[str, deque[float]] = defaultdict(deque)
        self._recounted: set[str] = set()
        self._sweeper: asyncio.Task[None] | None = None

    async def create(self, scenario: Scenario, title: str, owner: str, *, play: bool) -> Room:
        """A new run of ``scenario`` for ``owner``; raises :class:`InputError` for a design that can't run, :class:`TooMany` at a limit."""
        self._check_rate(owner)
        self._make_room_for(owner)
        run_id = secrets.token_urlsafe(9).replace("-", "a").replace("_", "b")
        early = self._early[run_id] = []
        try:
            created = await self.pool.create(run_id, scenario, play=play)
        finally:
            del self._early[run_id]
        room = Room(run_id, title, owner, scenario, created)
        self.rooms[run_id] = room
        for event in early:
            self._hear(event)
        if self._sweeper is None:
            self._sweeper = asyncio.create_task(self._sweep(), name="sweeper of runs")
        return room

    def scenario_of(self, run_id: str) -> Scenario:
        """What a run began with, and its log as it is now."""
        return Scenario.model_validate(self.pool.runs[run_id].scenario)

    def end(self, run_id: str, reason: str) -> None:
        """End a run and tell its viewers why."""
        self.pool.end(run_id)
        self._hear({"ev": "ended", "run": run_id, "reason": reason})

    def join(self, room: Room, viewer: Viewer, after: int) -> None:
        """Let ``viewer`` watch; raises :class:`TooMany` when too many do."""
        if len(room.viewers) >= limits.VIEWERS_PER_RUN_MAX and viewer.name not in room.viewers:
            raise TooMany.single(
                "too_many_viewers",
                f"{limits.VIEWERS_PER_RUN_MAX} viewers watch this run",
                accepted=f"at most {limits.VIEWERS_PER_RUN_MAX}",
            )
        room.join(viewer, after, engine_version())
        self.pool.watch(room.id, len(room.viewers))
        self._recounted.add(room.id)

    def leave(self, room: Room, viewer: Viewer) -> None:
        """Forget ``viewer``."""
        room.leave(viewer)
        self.pool.watch(room.id, len(room.viewers))
        self._recounted.add(room.id)

    def request(self, room: Room, viewer: Viewer, message: dict[str, Any]) -> None:
        """Hand a request on; the run answers it, or it is refused here when there is nobody to take it."""
        if not self.pool.request(room.id, viewer.name, viewer.actor, message):
            raise TooMany.single(
                "engine_away",
                "the run is being brought back on another engine process",
                accepted="the same in a second",
            )

    def new_viewer(self, actor: str, may_control: bool) -> Viewer:
        """A viewer with a name of its own in this process."""
        return Viewer(str(next(self._names)), actor, may_control)

    async def close(self) -> None:
        """End everything."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sweeper
        await self.pool.close()

    # ---- limits

    def _check_rate(self, owner: str) -> None:
        wall = time.monotonic()
        made = self._created[owner]
        while made and made[0] < wall - 60:
            made.popleft()
        if len(made) >= limits.RUNS_CREATED_PER_MINUTE_MAX:
            raise TooMany.single(
                "too_many_runs",
                f"you have started {len(made)} runs within a minute",
                accepted=f"{limits.RUNS_CREATED_PER_MINUTE_MAX} a minute",
            )
        made.append(wall)

    def _make_room_for(self, owner: str) -> None:
        """At a limit, the run that has been left for the longest time gives way to the new one; its owner's own, at the owner's."""
        own = [room for room in self.rooms.values() if room.owner == owner]
        if len(own) >= limits.RUNS_PER_OWNER_MAX and not self._end_longest_left(own, "you started newer runs"):
            raise TooMany.single(
                "too_many_runs",
                f"you watch {len(own)} runs at once",
                accepted=f"at most {limits.RUNS_PER_OWNER_MAX}; close a tab",
            )
        everybodys = list(self.rooms.values())
        if len(everybodys) >= self.pool.capacity:
            # Where all are watched the pool itself refuses.
            self._end_longest_left(everybodys, "nobody watched it, and its place was needed")

    def _end_longest_left(self, rooms: list[Room], reason: str) -> bool:
        left = [room for room in rooms if not room.viewers]
        if left:
            self.end(min(left, key=lambda room: room.seen).id, reason)
        return bool(left)

    async def _sweep(self) -> None:
        """End runs that nobody watches any more, and tell viewers (not at each arrival, but soon) how many they are."""
        while True:
            await asyncio.sleep(SWEEP_S)
            wall = time.monotonic()
            for room in list(self.rooms.values()):
                if not room.viewers and wall - room.seen > limits.RUN_IDLE_S_MAX:
                    self.end(room.id, f"nobody watched it for {limits.RUN_IDLE_S_MAX / 60:.0f} minutes")
            recounted, self._recounted = self._recounted, set()
            for run_id in recounted & self.rooms.keys():
                self.rooms[run_id].tell_state()
            for owner in [owner for owner, made in self._created.items() if made[-1] < wall - 60]:
                del self._created[owner]

    # ---- events

    def _hear(self, event: dict[str, Any]) -> None:
        if event["run"] in self._early:
            self._early[event["run"]].append(event)
        room = self.rooms.get(event["run"])
        if room is None:
            return
        room.hear(event)
        if event["ev"] == "ended":
            del self.rooms[room.id]


_hubs: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = weakref.WeakKeyDictionary()


def hub() -> Hub:
    """The hub of the running event loop, made on first use. A server has one loop, hence one hub."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub(settings.PLAYGROUND_WORKERS)
    return _hubs[loop]


def engine_version() -> str:
    """The version of the engine that this server runs."""
    from playground.catalogue import catalogue

    return catalogue().engine_version


def refused(ref: str | None, error: InputError) -> str:
    """The answer to a request that can't be taken."""
    problems = [problem.model_dump() for problem in error.problems]
    return json.dumps({"type": "refused", "ref": ref, "problems": problems})
