"""What waits to be sent to one viewer: durable messages in order, and of state and frames only the newest."""

from __future__ import annotations

import asyncio
from collections import deque

from playground.workers.limits import FRAMES_UNACKNOWLEDGED_MAX, OUTBOX_MESSAGES_MAX, UNHEARD_BYTES_MAX


class Viewer:
    """One socket that has said hello to a run.

    ``woken`` is set whenever there may be something to take. A viewer that reads slowly skips frames instead of queueing them; one that
    reads nothing at all is ``overflowing`` in the end, and is to be closed: it comes back with the last ``seq`` that it has.
    """

    def __init__(self, name: str, actor: str, may_control: bool) -> None:
        self.name = name
        self.actor = actor
        self.may_control = may_control
        self.woken = asyncio.Event()
        self.overflowing = False
        self.ended = False
        self._outbox: deque[str] = deque()
        self._state: str | None = None
        self._frame: tuple[int, bytes] | None = None
        self._unacknowledged: deque[int] = deque()
        self._unheard_bytes = 0

    def put(self, text: str) -> None:
        """Queue a message that must arrive, behind those before it."""
        if len(self._outbox) >= OUTBOX_MESSAGES_MAX:
            self.overflowing = True
        else:
            self._outbox.append(text)
        self.woken.set()

    def put_state(self, text: str) -> None:
        """Replace the state that waits to be sent."""
        self._state = text
        self.woken.set()

    def put_frame(self, number: int, data: bytes) -> None:
        """Replace the frame that waits to be sent."""
        self._frame = (number, data)
        if len(self._unacknowledged) < FRAMES_UNACKNOWLEDGED_MAX:
            self.woken.set()

    def heard(self) -> None:
        """The viewer said something, so it is alive and reads."""
        if self._unheard_bytes >= UNHEARD_BYTES_MAX:
            self.woken.set()
        self._unheard_bytes = 0

    def acknowledge(self, number: int) -> None:
        """The viewer drew frame ``number``; those before it count as drawn or skipped."""
        waiting = self._unacknowledged
        while waiting and waiting[0] <= number:
            waiting.popleft()
        if self._frame is not None:
            self.woken.set()

    def take(self) -> str | bytes | None:
        """The next thing to send: messages first, then state, then a frame; None when there is nothing, or all must wait."""
        self.woken.clear()
        if self._unheard_bytes >= UNHEARD_BYTES_MAX:
            return None
        if self._outbox:
            return self._counted(self._outbox.popleft())
        if self._state is not None:
            text, self._state = self._state, None
            return self._counted(text)
        if self._frame is not None and len(self._unacknowledged) < FRAMES_UNACKNOWLEDGED_MAX:
            (number, data), self._frame = self._frame, None
            self._unacknowledged.append(number)
            return data
        return None

    def _counted(self, text: str) -> str:
        self._unheard_bytes += len(text)
        return text
