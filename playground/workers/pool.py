"""The engine workers of one web process: where each run lives, and how it comes back when its worker dies.

A run's whole future follows from its scenario, seed and intervention log (the law of replay), so the pool keeps these and
nothing else: a run whose worker died, or which moves from an interpreted to a compiled engine, is built anew elsewhere,
run forward as fast as possible to where it was, and goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from playground import native
from playground.protocol.design import Scenario
from playground.protocol.errors import InputError, Problem
from playground.workers import limits
from playground.workers.process import COMMAND, Event, WorkerProcess

log = logging.getLogger(__name__)

CHECK_S = 1.0
NATIVE_CHECK_S = 3.0
RESTART_S_MAX = 10.0


@dataclass
class Placement:
    """What brings a run back: its scenario as first given (with the log it has by now), and where it was when last heard of.

    ``script``: the interventions as first given. The log lacks those of the scenario's own that don't fit the drawing just now, and they
    happen again when it is one that they fit.
    """

    id: str
    scenario: dict[str, Any]
    script: list[dict[str, Any]]
    worker: WorkerProcess | None
    born: asyncio.Future[Event]
    playing: bool = False
    speed: float = 1.0
    now_ns: int = 0
    furthest_ns: int = 0
    frame: int = 0
    watchers: int = 0
    deaths: int = 0
    log_changes: int = 0
    heir: WorkerProcess | None = None
    """The worker that replays the run in silence while ``worker`` still carries it on."""
    caught_up: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def resume(self) -> dict[str, Any]:
        """The ``resume`` of a ``create``: how far to run forward, where to go back to, and from which frame number on to count."""
        return {
            "now_ns": self.now_ns,
            "furthest_ns": self.furthest_ns,
            "speed": self.speed,
            "frame": self.frame,
            "watchers": self.watchers,
        }


class EnginePool:
    """Starts ``workers`` processes on first use and keeps that many alive.

    ``on_event`` gets what a run says (``created``, ``frame``, ``state``, ``layout``, ``drawing``, ``happened``, ``log``, ``answer``,
    ``ended``). Everything here happens in one event loop.
    """

    def __init__(
        self, on_event: Callable[[Event], None], workers: int = limits.WORKERS, command: Sequence[str] = COMMAND
    ) -> None:
        self._on_event = on_event
        self._wanted = workers
        self._command = command
        self.workers: list[WorkerProcess] = []
        self.runs: dict[str, Placement] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._starting = asyncio.Lock()
        self._closed = False
        self._retry_s = 0.5

    @property
    def capacity(self) -> int:
        """How many runs its workers carry at most."""
        return self._wanted * limits.RUNS_PER_WORKER_MAX

    # ---- runs

    async def create(self, run_id: str, scenario: Scenario, *, play: bool) -> Event:
        """Place a new run; returns its ``created`` event, raises :class:`InputError` for what can't be built or placed."""
        await self.start()
        dumped = scenario.model_dump(mode="json", by_alias=True)
        born: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        placement = Placement(
            run_id, dumped, list(dumped["interventions"]), None, born, playing=play, speed=scenario.speed
        )
        worker = self._least_loaded()
        if worker is None:
            raise InputError.single(
                "server_full",
                f"all {len(self.workers)} engine processes carry {limits.RUNS_PER_WORKER_MAX} runs each",
                accepted="a new run when one has ended",
            )
        self.runs[run_id] = placement
        self._place(placement, worker, resume=None)
        try:
            async with asyncio.timeout(limits.RUN_CREATE_S_MAX):
                return await born
        except TimeoutError:
            raise InputError.single(
                "too_slow", f"the engine did not build this design within {limits.RUN_CREATE_S_MAX:.0f} s"
            ) from None
        finally:
            if not born.done() or born.cancelled() or born.exception():
                self.end(run_id)

    def request(self, run_id: str, who: str, actor: str, message: dict[str, Any]) -> bool:
        """Hand a viewer message on to the run; False when it can't be taken just now (its worker is being replaced)."""
        placement = self.runs.get(run_id)
        if placement is None or placement.worker is None:
            return False
        return placement.worker.send({"op": "request", "run": run_id, "who": who, "actor": actor, "message": message})

    def watch(self, run_id: str, viewers: int) -> None:
        """Say how many watch the run: frames are made only for somebody."""
        placement = self.runs.get(run_id)
        if placement is not None:
            placement.watchers = viewers
            if placement.worker is not None:
                placement.worker.send({"op": "watch", "run": run_id, "viewers": viewers})

    def end(self, run_id: str) -> None:
        """Drop the run."""
        placement = self.runs.pop(run_id, None)
        if placement is not None and placement.worker is not None:
            placement.worker.send({"op": "end", "run": run_id})

    # ---- workers

    async def start(self) -> None:
        """Have all workers running; does nothing when they are. Raises ``OSError`` where none can be started."""
        if self._closed:
            raise OSError("the engine pool is closed")
        async with self._starting:
            if not self.workers:
                started = await asyncio.gather(
                    *(self._start_one() for _ in range(self._wanted)), return_exceptions=True
                )
                failures = [result for result in started if isinstance(result, BaseException)]
                if not self.workers:
                    raise OSError(f"no engine worker could be started: {failures[0]}")
                self._keep(self._watch_over())

    async def close(self) -> None:
        """End every worker and every task of the pool."""
        self._closed = True
        for task in list(self._tasks):
            task.cancel()
        workers, self.workers = self.workers, []
        await asyncio.gather(*(worker.close() for worker in workers))
        self.runs.clear()

    async def _start_one(self) -> WorkerProcess:
        worker = WorkerProcess(self._hear, self._died, self._command)
        await worker.start()
        self.workers.append(worker)
        return worker

    def _least_loaded(self) -> WorkerProcess | None:
        """The worker with the fewest playing runs, then the fewest runs, of those with room; a compiled one if there is any."""

        def load(worker: WorkerProcess) -> tuple[bool, int, int]:
            own = [placement for placement in self.runs.values() if placement.worker is worker]
            return worker.engine != "compiled", sum(placement.playing for placement in own), len(own)

        loads = [(load(worker), index) for index, worker in enumerate(self.workers) if worker.alive]
        roomy = [(key, index) for key, index in loads if key[2] < limits.RUNS_PER_WORKER_MAX]
        return self.workers[min(roomy)[1]] if roomy else None

    def _place(self, placement: Placement, worker: WorkerProcess, resume: dict[str, Any] | None) -> None:
        placement.worker = worker
        worker.send(self._creation(placement, play=placement.playing, resume=resume))
        worker.send({"op": "watch", "run": placement.id, "viewers": placement.watchers})

    def _creation(self, placement: Placement, *, play: bool, resume: dict[str, Any] | None) -> Event:
        return {
            "op": "create",
            "run": placement.id,
            "scenario": placement.scenario,
            "script": placement.script,
            "play": play,
            "resume": resume,
        }

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        """Run ``work`` in the background; an unreferenced task may vanish, and a failed one must be heard of."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception():
            log.error("a task of the engine pool failed", exc_info=task.exception())

    async def _watch_over(self) -> None:
        """Kill workers that hang, and move runs over when a compiled engine is there."""
        next_native = time.monotonic() + NATIVE_CHECK_S
        while True:
            await asyncio.sleep(CHECK_S)
            wall = time.monotonic()
            for worker in self.workers:
                if worker.alive and wall - worker.heard > limits.WORKER_SILENT_S_MAX:
                    log.error("engine worker %s says nothing for %.0f s: killed", worker.pid, wall - worker.heard)
                    worker.kill()
            if wall >= next_native:
                next_native = wall + NATIVE_CHECK_S
                await self._use_compiled_engine()

    # ---- bringing runs back

    def _died(self, worker: WorkerProcess) -> None:
        if worker in self.workers:
            self.workers.remove(worker)
        orphans = [placement for placement in self.runs.values() if placement.worker is worker]
        for placement in orphans:
            placement.worker = None
            placement.released.set()
            if placement.born.done():
                self._on_event({"ev": "orphaned", "run": placement.id})
        for placement in self.runs.values():
            if placement.heir is worker:
                placement.heir = None
                placement.caught_up.set()
        if not self._closed:
            log.error("engine worker %s died with %d runs: replacing it", worker.pid, len(orphans))
            self._keep(self._replace(orphans))

    async def _replace(self, orphans: list[Placement]) -> None:
        while len(self.workers) < self._wanted:
            try:
                await self._start_one()
                self._retry_s = 0.5
            except (OSError, TimeoutError) as error:
                log.error("a new engine worker could not be started: %s", error)
                await asyncio.sleep(self._retry_s)
                self._retry_s = min(2 * self._retry_s, RESTART_S_MAX)
        for placement in orphans:
            placement.deaths += 1
            if placement.deaths >= limits.RUN_DEATHS_MAX:
                self._end_by_name(
                    placement, f"its engine process died {placement.deaths} times while it carried this run"
                )
            else:
                self._bring_back(placement)

    def _bring_back(self, placement: Placement) -> None:
        if placement.id not in self.runs:
            return
        worker = self._least_loaded()
        if worker is None:
            self._end_by_name(placement, "no engine process had room for it when its own died")
        else:
            self._place(placement, worker, placement.resume() if placement.born.done() else None)

    def _end_by_name(self, placement: Placement, reason: str) -> None:
        if self.runs.pop(placement.id, None) is not None:
            if not placement.born.done():
                placement.born.set_exception(InputError([Problem(code="engine", message=reason)]))
            self._on_event({"ev": "ended", "run": placement.id, "reason": reason})

    async def _use_compiled_engine(self) -> None:
        """Once a build fits, put a compiled worker in every interpreted one's place and move its runs over."""
        old = [worker for worker in self.workers if worker.alive and worker.engine == "interpreted"]
        if not old or (await asyncio.to_thread(native.status))["mode"] != "compiled":
            return
        for worker in old:
            new = await self._start_one()
            if new.engine != "compiled":
                self.workers.remove(new)
                await new.close()
                return
            self.workers.remove(worker)
            own = [placement for placement in self.runs.values() if placement.worker is worker]
            for placement in own:
                await self._move(placement, worker)
            await worker.close()

    async def _move(self, placement: Placement, old: WorkerProcess) -> None:
        """Bring a run to another worker while ``old`` carries it on, then hand it over; viewers miss a moment at most."""
        heir = self._least_loaded()
        if heir is None or placement.worker is not old:
            return
        changes = placement.log_changes
        placement.heir = heir
        placement.caught_up.clear()
        heir.send(self._creation(placement, play=False, resume={**placement.resume(), "watchers": 0}))
        await self._patiently(placement.caught_up, limits.RUN_CREATE_S_MAX)
        placement.heir = None
        placement.released.clear()
        old.send({"op": "release", "run": placement.id})
        await self._patiently(placement.released, limits.WORKER_SILENT_S_MAX)
        if placement.worker is not old or placement.id not in self.runs:
            heir.send({"op": "end", "run": placement.id})
        elif placement.log_changes == changes and placement.caught_up.is_set() and heir.alive:
            placement.worker = heir
            heir.send({"op": "resume", "run": placement.id, "play": placement.playing, "resume": placement.resume()})
        else:
            # Somebody intervened meanwhile (or the replay took too long): what was replayed is not this run any more.
            heir.send({"op": "end", "run": placement.id})
            placement.worker = None
            self._bring_back(placement)

    async def _patiently(self, event: asyncio.Event, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await event.wait()

    # ---- what workers say

    def _hear(self, worker: WorkerProcess, event: Event) -> None:
        placement = self.runs.get(event.get("run", ""))
        if placement is None:
            return
        kind = event["ev"]
        if placement.heir is worker and kind == "happened" and event["event"]["what"] == "restored":
            placement.caught_up.set()
        if placement.worker is not worker:
            return
        if kind == "created" and not placement.born.done():
            placement.born.set_result(event)
            return
        if kind == "uncreated":
            self._not_created(placement, event)
            return
        if kind in ("frame", "state", "released"):
            self._note_place(placement, event)
        elif kind == "log":
            self._note_log(placement, event)
        elif kind == "ended":
            self.runs.pop(placement.id, None)
        if kind != "released":
            self._on_event(event)

    def _not_created(self, placement: Placement, event: Event) -> None:
        problems = [Problem(**problem) for problem in event["problems"]]
        if placement.born.done():
            self._end_by_name(placement, f"it could not be brought back: {problems[0].message}")
        else:
            placement.born.set_exception(InputError(problems))

    def _note_place(self, placement: Placement, event: Event) -> None:
        if event["ev"] == "frame":
            placement.now_ns, placement.furthest_ns = event["now_ns"], event["furthest_ns"]
            placement.frame = max(placement.frame, event["n"])
            return
        state = event["state"]
        placement.now_ns, placement.furthest_ns = state["now_ns"], state["furthest_ns"]
        placement.playing, placement.speed = state["playing"], state["speed"]
        if event["ev"] == "released":
            placement.frame = max(placement.frame, event["frame"])
            placement.released.set()

    def _note_log(self, placement: Placement, event: Event) -> None:
        placement.log_changes += 1
        scenario = placement.scenario
        del scenario["interventions"][event["keep"] :]
        scenario["interventions"].extend(event["entries"])
        if event["base"] is not None:
            scenario["design"] = event["base"]
        scenario["seed"] = event["seed"]
