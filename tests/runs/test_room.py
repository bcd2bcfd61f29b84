"""Durable events are numbered once, told once, and told again to those who come back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from playground.protocol.design import Design, Scenario
from playground.runs.room import Room
from playground.runs.viewer import Viewer

DESIGN = Design(name="empty").model_dump(mode="json", by_alias=True)
STATE = {"type": "state", "playing": False, "speed": 1.0, "now_ns": 0, "furthest_ns": 0, "until_ns": 1}


@pytest.fixture
def room() -> Room:
    created = {"design": DESIGN, "seed": 1, "layout": {"type": "layout", "epoch": 1}, "state": dict(STATE)}
    return Room("run", "A run", "somebody", Scenario(design=Design()), created)


def join(room: Room, after: int = 0) -> Viewer:
    viewer = Viewer(str(len(room.viewers) + 1), "owner", True)
    room.join(viewer, after, "1")
    return viewer


def told(viewer: Viewer, kind: str = "happened") -> list[dict[str, Any]]:
    messages = []
    while (item := viewer.take()) is not None:
        messages.append(json.loads(item))
    return [message for message in messages if message["type"] == kind]


def happened(room: Room, key: str | None, at_ns: int, what: str = "notable", **more: Any) -> None:
    room.hear({"ev": "happened", "run": "run", "key": key, "event": {"at_ns": at_ns, "what": what, **more}})


def test_events_are_numbered_from_one_without_gaps(room: Room) -> None:
    viewer = join(room)
    for at_ns in (10, 20, 30):
        happened(room, f"n:{at_ns}", at_ns)
    assert [event["seq"] for event in told(viewer)] == [1, 2, 3]


def test_returning_viewer_gets_what_it_missed_and_nothing_else(room: Room) -> None:
    for at_ns in (10, 20, 30):
        happened(room, f"n:{at_ns}", at_ns)
    assert [event["seq"] for event in told(join(room, after=1))] == [2, 3]


def test_replay_tells_nothing_twice(room: Room) -> None:
    viewer = join(room)
    for _ in range(2):
        happened(room, "n:10", 10)
        happened(room, "i:0", 15, "intervention")
    assert [event["at_ns"] for event in told(viewer)] == [10, 15]


def test_what_was_cut_off_by_a_branch_may_happen_again(room: Room) -> None:
    viewer = join(room)
    happened(room, "n:10", 10)
    happened(room, "n:30", 30)
    happened(room, "i:0", 30, "intervention")
    room.hear({"ev": "log", "run": "run", "keep": 0, "entries": [], "at_ns": 20, "seed": 1, "base": None})
    happened(room, "n:10", 10)
    happened(room, "n:30", 30)
    happened(room, "i:0", 20, "intervention")
    assert [event["at_ns"] for event in told(viewer)] == [10, 30, 30, 30, 20]


def test_drawing_goes_to_viewers_after_a_jump_alone(room: Room) -> None:
    viewer = join(room)
    other = {**DESIGN, "name": "other"}
    room.hear({"ev": "drawing", "run": "run", "at_ns": 5, "jumped": False, "design": other})
    assert told(viewer, "drawing") == []
    room.hear({"ev": "drawing", "run": "run", "at_ns": 1, "jumped": True, "design": DESIGN})
    assert [message["design"]["name"] for message in told(viewer, "drawing")] == ["empty"]


def test_answer_goes_to_the_one_who_asked(room: Room) -> None:
    asked, other = join(room), join(room)
    room.hear({"ev": "answer", "run": "run", "who": asked.name, "text": '{"type": "accepted", "ref": "a"}'})
    assert told(asked, "accepted") and not told(other, "accepted")


def test_state_counts_the_viewers(room: Room) -> None:
    first = join(room)
    join(room)
    room.hear({"ev": "state", "run": "run", "state": dict(STATE)})
    assert told(first, "state")[-1]["viewers"] == 2


def test_viewers_know_while_a_run_is_brought_back(room: Room) -> None:
    viewer = join(room)
    told(viewer)
    room.hear({"ev": "orphaned", "run": "run"})
    assert [state["restoring"] for state in told(viewer, "state")] == [True]
    room.hear({"ev": "state", "run": "run", "state": dict(STATE)})
    assert [state["restoring"] for state in told(viewer, "state")] == [True]
    happened(room, None, 0, "restored")
    room.hear({"ev": "state", "run": "run", "state": dict(STATE)})
    assert [state["restoring"] for state in told(viewer, "state")] == [False]
