"""An engine pool with real worker processes, and ways to make these misbehave."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from playground.protocol.design import Scenario
from playground.templates_store import templates
from playground.workers.pool import EnginePool

WAIT_S_MAX = 60.0
# A worker that does first what the test says, then what every worker does.
WORKER = "from playground.workers import limits, paced, worker\n{prepare}\nworker.main()"

Event = dict[str, Any]
MakePool = Callable[..., Awaitable["Pool"]]


class Pool:
    """An :class:`EnginePool` with everything that it said."""

    def __init__(self, workers: int, prepare: str) -> None:
        command = (sys.executable, "-c", WORKER.format(prepare=prepare))
        self.events: list[Event] = []
        self._said = asyncio.Condition()
        self.pool = EnginePool(self._hear, workers, command)
        self._tasks: set[asyncio.Task[None]] = set()

    def _hear(self, event: Event) -> None:
        self.events.append(event)
        task = asyncio.create_task(self._wake())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _wake(self) -> None:
        async with self._said:
            self._said.notify_all()

    async def until(self, wanted: Callable[[Event], bool], *, since: int = 0) -> Event:
        """The first event that is ``wanted``, said or still to come."""
        async with asyncio.timeout(WAIT_S_MAX), self._said:
            while True:
                found = next((event for event in self.events[since:] if wanted(event)), None)
                if found is not None:
                    return found
                await self._said.wait()

    async def state(self, run: str, wanted: Callable[[Event], bool], *, since: int = 0) -> Event:
        """The first state of ``run`` that is ``wanted``."""
        event = await self.until(
            lambda event: event["run"] == run and event["ev"] == "state" and wanted(event["state"]), since=since
        )
        return event["state"]

    async def reached(self, run: str, at_ns: int, *, since: int = 0) -> None:
        """Wait until ``run`` is at ``at_ns`` or beyond."""
        await self.until(
            lambda event: event["run"] == run and event["ev"] == "frame" and event["now_ns"] >= at_ns, since=since
        )

    async def ask(self, run: str, **message: Any) -> Event:
        """Send a viewer message and return its answer."""
        since, ref = len(self.events), f"r{len(self.events)}"
        assert self.pool.request(run, "viewer", "owner", {**message, "ref": ref})

        def answers(event: Event) -> bool:
            return event["run"] == run and event["ev"] == "answer" and json.loads(event["text"])["ref"] == ref

        answer: Event = json.loads((await self.until(answers, since=since))["text"])
        return answer

    async def results(self, run: str) -> Event:
        """The run's results so far."""
        answer = await self.ask(run, type="ask_results")
        results: Event = answer["results"]
        return results

    async def run_to_its_end(self, run: str) -> str:
        """Play at full speed until the run is over; its trace hash."""
        since = len(self.events)
        await self.ask(run, type="speed", factor=1000)
        await self.ask(run, type="play")
        await self.state(run, lambda state: not state["playing"] and state["now_ns"] >= state["until_ns"], since=since)
        trace_hash: str = (await self.results(run))["trace_hash"]
        return trace_hash


@pytest.fixture
async def make_pool() -> AsyncIterator[MakePool]:
    """Make a pool of so many workers; ``prepare`` is Python that each of them runs first."""
    made: list[Pool] = []

    async def make(workers: int = 1, prepare: str = "") -> Pool:
        pool = Pool(workers, prepare)
        made.append(pool)
        await pool.pool.start()
        return pool

    yield make
    for pool in made:
        await pool.pool.close()


@pytest.fixture
def scenario() -> Scenario:
    """A small run of twelve virtual seconds."""
    return templates()["mm1"].scenario.model_copy(update={"until_s": 12.0, "interventions": []})
