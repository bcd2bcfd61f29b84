"""Runs come to an end when nobody wants them any more, and give way when there are too many."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from playground.protocol.design import Design, Scenario
from playground.protocol.errors import InputError
from playground.refusals import TooMany
from playground.runs import hub as hubs
from playground.runs.hub import Hub
from playground.workers import limits

WAIT_S_MAX = 10.0


class NoEngine:
    """Takes the place of the engine pool: runs are born at once and never say anything."""

    capacity = 100

    def __init__(self) -> None:
        self.ended: list[str] = []

    async def create(self, run_id: str, scenario: Scenario, *, play: bool) -> dict[str, Any]:
        return {
            "design": scenario.design.model_dump(mode="json", by_alias=True),
            "seed": scenario.seed,
            "layout": {"type": "layout"},
            "state": {"type": "state", "now_ns": 0, "furthest_ns": 0},
        }

    def watch(self, run_id: str, viewers: int) -> None:
        """Nothing to do."""

    def request(self, *_: Any) -> bool:
        return False

    def end(self, run_id: str) -> None:
        self.ended.append(run_id)

    async def close(self) -> None:
        """Nothing to do."""


@pytest.fixture
async def hub(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hub]:
    monkeypatch.setattr(hubs, "SWEEP_S", 0.01)
    monkeypatch.setattr(hubs, "engine_version", lambda: "1")
    the_hub = Hub()
    the_hub.pool = NoEngine()  # type: ignore[assignment]
    yield the_hub
    await the_hub.close()


async def start(hub: Hub, owner: str = "somebody") -> Any:
    return await hub.create(Scenario(design=Design()), "A run", owner, play=False)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S_MAX):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_run_that_nobody_watches_ends_and_one_that_is_watched_stays(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    left, watched = await start(hub), await start(hub)
    hub.join(watched, hub.new_viewer("owner", True), 0)
    monkeypatch.setattr(limits, "RUN_IDLE_S_MAX", 0.0)
    await until(lambda: left.id not in hub.rooms)
    assert watched.id in hub.rooms and hub.pool.ended == [left.id]  # type: ignore[attr-defined]


async def test_owner_who_watches_as_many_runs_as_allowed_is_refused_another(hub: Hub) -> None:
    for _ in range(limits.RUNS_PER_OWNER_MAX):
        hub.join(await start(hub), hub.new_viewer("owner", True), 0)
    with pytest.raises(TooMany, match=f"you watch {limits.RUNS_PER_OWNER_MAX} runs"):
        await start(hub)
    assert await start(hub, "somebody else")


async def test_full_server_ends_the_run_that_was_left_first(hub: Hub) -> None:
    hub.pool.capacity = 3  # type: ignore[misc]
    rooms = [await start(hub, f"owner {index}") for index in range(3)]
    hub.join(rooms[0], hub.new_viewer("owner", True), 0)
    await start(hub, "the fourth")
    assert [room.id in hub.rooms for room in rooms] == [True, False, True]


async def test_starting_runs_without_end_is_stopped_by_name(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RUNS_CREATED_PER_MINUTE_MAX", 3)
    for _ in range(3):
        await start(hub)
    with pytest.raises(TooMany, match="3 runs within a minute"):
        await start(hub)


async def test_viewers_over_the_limit_are_refused(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "VIEWERS_PER_RUN_MAX", 2)
    room = await start(hub)
    for _ in range(2):
        hub.join(room, hub.new_viewer("guest", False), 0)
    with pytest.raises(TooMany, match="2 viewers watch this run"):
        hub.join(room, hub.new_viewer("guest", False), 0)


async def test_viewers_hear_how_many_they_are(hub: Hub) -> None:
    room = await start(hub)
    first = hub.new_viewer("owner", True)
    hub.join(room, first, 0)
    while first.take():
        pass
    hub.join(room, hub.new_viewer("guest", False), 0)
    async with asyncio.timeout(WAIT_S_MAX):
        await first.woken.wait()
    told = first.take()
    assert isinstance(told, str) and '"viewers": 2' in told


async def test_request_that_no_worker_can_take_is_refused_by_name(hub: Hub) -> None:
    room = await start(hub)
    with pytest.raises(InputError) as refused:
        hub.request(room, hub.new_viewer("owner", True), {"type": "play"})
    assert refused.value.problems[0].code == "engine_away"
