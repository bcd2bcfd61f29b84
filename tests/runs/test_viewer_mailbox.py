"""What waits for one viewer: everything durable in order, of frames and states the newest alone."""

from __future__ import annotations

import pytest

from playground.runs.viewer import Viewer
from playground.workers import limits


@pytest.fixture
def viewer() -> Viewer:
    return Viewer("1", "owner", True)


def everything(viewer: Viewer) -> list[str | bytes]:
    taken = []
    while (item := viewer.take()) is not None:
        taken.append(item)
    return taken


def test_newest_frame_replaces_the_one_that_waits(viewer: Viewer) -> None:
    for number in range(1, 6):
        viewer.put_frame(number, b"%d" % number)
    assert everything(viewer) == [b"5"]


def test_messages_go_before_state_and_state_before_the_frame(viewer: Viewer) -> None:
    viewer.put_frame(1, b"frame")
    viewer.put_state("old state")
    viewer.put_state("state")
    viewer.put("first")
    viewer.put("second")
    assert everything(viewer) == ["first", "second", "state", b"frame"]


def test_unacknowledged_frames_stop_the_stream_until_one_is_acknowledged(viewer: Viewer) -> None:
    taken = []
    for number in range(1, 20):
        viewer.put_frame(number, b"%d" % number)
        taken += everything(viewer)
    assert taken == [b"%d" % number for number in range(1, 1 + limits.FRAMES_UNACKNOWLEDGED_MAX)]
    viewer.acknowledge(1)
    assert viewer.woken.is_set()
    assert everything(viewer) == [b"19"]


def test_viewer_that_says_nothing_keeps_its_messages_waiting_and_gets_them_when_it_does(viewer: Viewer) -> None:
    big = "x" * (limits.UNHEARD_BYTES_MAX // 2)
    for text in (big, big, "later"):
        viewer.put(text)
    assert everything(viewer) == [big, big]
    viewer.heard()
    assert viewer.woken.is_set()
    assert everything(viewer) == ["later"]


def test_full_outbox_marks_the_viewer_as_too_slow(viewer: Viewer) -> None:
    for _ in range(limits.OUTBOX_MESSAGES_MAX):
        viewer.put("x")
    assert not viewer.overflowing
    viewer.put("one more")
    assert viewer.overflowing
