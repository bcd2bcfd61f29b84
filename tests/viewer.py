"""A viewer for tests: one live socket that keeps everything it was sent and acknowledges frames as the page does."""

from __future__ import annotations

import contextlib
import itertools
import json
import time
from collections.abc import Callable
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from playground.bench.server import LiveServer, Visitor
from playground.protocol import PROTOCOL_VERSION
from playground.protocol.frames import unpack_frame

Message = dict[str, Any]
WAIT_S_MAX = 20.0


class LiveViewer:
    """A connected viewer; ``texts`` and ``frames`` are what came, in order. Use it as a context manager."""

    def __init__(
        self, server: LiveServer, socket: str, visitor: Visitor | None = None, *, acknowledges: bool = True
    ) -> None:
        headers = visitor.headers() if visitor else {}
        self.socket: ClientConnection = connect(
            server.socket_url + socket, additional_headers=headers, origin=server.url, max_size=None, compression=None
        )
        self.acknowledges = acknowledges
        self.texts: list[Message] = []
        self.frames: list[Message] = []
        self._refs = itertools.count(1)

    def __enter__(self) -> LiveViewer:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def hello(self, after: int = 0, **more: Any) -> Message:
        """Say hello and return the welcome."""
        self.say(type="hello", version=PROTOCOL_VERSION, after=after, **more)
        return self.until(lambda message: message["type"] == "welcome")

    def say(self, **message: Any) -> None:
        """Send one message."""
        self.socket.send(json.dumps(message))

    def ask(self, **message: Any) -> Message:
        """Send one request and return its answer: accepted, refused, or the thing asked for."""
        ref = f"r{next(self._refs)}"
        self.say(**message, ref=ref)
        return self.until(lambda answer: answer.get("ref") == ref)

    def act(self, **action: Any) -> Message:
        """Intervene and return the answer."""
        return self.ask(type="act", action=action)

    def until(self, wanted: Callable[[Message], bool]) -> Message:
        """The next text message that is ``wanted``; fails when it doesn't come."""
        deadline = time.monotonic() + WAIT_S_MAX
        while time.monotonic() < deadline:
            message = self.receive(deadline)
            if message is not None and wanted(message):
                return message
        raise AssertionError(f"no such message came; the last ones: {json.dumps(self.texts[-5:])[:2000]}")

    def state(self, wanted: Callable[[Message], bool]) -> Message:
        """The next state that is ``wanted``."""
        return self.until(lambda message: message["type"] == "state" and wanted(message))

    def frame(self, wanted: Callable[[Message], bool] = lambda _: True) -> Message:
        """The next frame that is ``wanted``."""
        deadline, seen = time.monotonic() + WAIT_S_MAX, len(self.frames)
        while time.monotonic() < deadline:
            self.receive(deadline)
            for frame in self.frames[seen:]:
                if wanted(frame):
                    return frame
            seen = len(self.frames)
        raise AssertionError(f"no such frame came; {len(self.frames)} others did")

    def receive(self, deadline: float) -> Message | None:
        """Take one message; a text is returned, a frame is kept and acknowledged."""
        try:
            data = self.socket.recv(timeout=max(0.0, deadline - time.monotonic()))
        except TimeoutError:
            return None
        if isinstance(data, bytes):
            frame = unpack_frame(data)
            self.frames.append(frame)
            if self.acknowledges:
                # The server may have closed by now; what it said before is still to be read.
                with contextlib.suppress(ConnectionClosed):
                    self.socket.send('{"type":"ack","frame":%d}' % frame["n"])
            return None
        message: Message = json.loads(data)
        self.texts.append(message)
        return message

    def closed_with(self) -> int | None:
        """Read until the server closes; the close code, None where it hung up without one."""
        deadline = time.monotonic() + WAIT_S_MAX
        try:
            while True:
                self.receive(deadline)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None

    def happened(self, what: str, at_ns: int | None = None) -> Message:
        """The first durable event of this sort (and time), come or still to come."""

        def wanted(message: Message) -> bool:
            return message.get("what") == what and at_ns in (None, message["at_ns"])

        return next((event for event in self.durable() if wanted(event)), None) or self.until(wanted)

    def durable(self) -> list[Message]:
        """The durable events that came, in order."""
        return [message for message in self.texts if message["type"] == "happened"]
