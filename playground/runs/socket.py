"""The live socket ``/ws/runs/<run>/``, speaking ``protocol/messages.py``.

A plain ASGI application behind Channels' routing and session middleware: Channels' consumer classes look after old database
connections, in a thread, once for every message, and viewers acknowledge thirty frames a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
import secrets
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from autobahn.exception import Disconnected

from playground.owners import owner_of
from playground.protocol import PROTOCOL_VERSION
from playground.protocol.errors import InputError
from playground.protocol.messages import MESSAGE_BYTES_MAX, parse_viewer_data
from playground.protocol.strict_json import loads
from playground.runs.hub import Hub, hub, refused
from playground.runs.room import Room
from playground.runs.viewer import Viewer

log = logging.getLogger(__name__)

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

CLOSED_FOREIGN, CLOSED_GONE, CLOSED_TOO_SLOW = 4403, 4404, 4408
# What a page sends thirty times a second, recognised without a parser; every other spelling goes the long way.
ACK = re.compile(r'\{"type":"ack","frame":(\d{1,15})\}')


async def live_socket(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """One viewer's connection, from its opening to its end."""
    await receive()
    if not same_origin(scope):
        await send({"type": "websocket.close", "code": CLOSED_FOREIGN})
        return
    await send({"type": "websocket.accept"})
    the_hub = hub()
    room = the_hub.rooms.get(scope["url_route"]["kwargs"]["run"])
    if room is None:
        ended = {"type": "ended", "reason": "the server does not have it any more"}
        await send({"type": "websocket.send", "text": json.dumps(ended)})
        await send({"type": "websocket.close", "code": CLOSED_GONE})
        return
    await Connection(the_hub, room, owner_of(scope["session"]), send).serve(receive)


def same_origin(scope: dict[str, Any]) -> bool:
    """Whether a browser opened the socket from a page of this very server; a client that names no origin is no browser's page."""
    headers = dict(scope["headers"])
    origin = headers.get(b"origin")
    return origin is None or urlsplit(origin.decode("latin-1")).netloc == headers.get(b"host", b"").decode("latin-1")


def ref_of(data: Any) -> str | None:
    """The ``ref`` of a message that may be wrong in every other way, so that its sender knows which one was refused."""
    ref = data.get("ref") if isinstance(data, dict) else None
    return ref if isinstance(ref, str) and len(ref) <= 64 else None


class Connection:
    """Reads what one viewer asks and, in a task of its own, sends what waits for it."""

    def __init__(self, the_hub: Hub, room: Room, owner: str | None, send: Send) -> None:
        self.hub = the_hub
        self.room = room
        self.owner = owner
        self.send = send
        self.viewer: Viewer | None = None
        self.sender: asyncio.Task[None] | None = None

    async def serve(self, receive: Receive) -> None:
        """Until the viewer goes, or is sent away."""
        try:
            while (message := await receive())["type"] == "websocket.receive":
                text = message.get("text")
                acknowledged = ACK.fullmatch(text) if text and self.viewer else None
                if acknowledged and self.viewer:
                    self.viewer.heard()
                    self.viewer.acknowledge(int(acknowledged[1]))
                else:
                    await self._take(text)
        finally:
            await self._leave()

    async def _leave(self) -> None:
        if self.viewer is not None:
            self.hub.leave(self.room, self.viewer)
        if self.sender is not None:
            self.sender.cancel()
            # Whatever was being sent when the viewer went has nobody to reach.
            with contextlib.suppress(asyncio.CancelledError, Disconnected):
                await self.sender

    async def _take(self, text: str | None) -> None:
        """Do what one message asks, or refuse it; the socket stays open either way."""
        ref: str | None = None
        try:
            if text is None:
                raise InputError.single(
                    "binary", "a viewer's messages are text; this one is binary", accepted="a JSON object as text"
                )
            if self.viewer is not None:
                self.viewer.heard()
            data = loads(text, bytes_max=MESSAGE_BYTES_MAX, what="message")
            ref = ref_of(data)
            self._do(parse_viewer_data(data))
        except InputError as error:
            answer = refused(ref, error)
            if self.viewer is None:
                await self.send({"type": "websocket.send", "text": answer})
            else:
                self.viewer.put(answer)

    def _do(self, message: Any) -> None:
        if message.type == "hello":
            self._hello(message)
            return
        if self.viewer is None:
            raise InputError.single(
                "hello_first", f"the first message is hello, not {message.type}", value=message.type, accepted="hello"
            )
        if message.type == "ack":
            self.viewer.acknowledge(message.frame)
            return
        if not message.type.startswith("ask_") and not self.viewer.may_control:
            raise InputError.single(
                "not_yours",
                f"you watch this run and can't {message.type} it: another browser started it",
                value=message.type,
                accepted="a run of your own (fork it), or its control token in hello",
            )
        self.hub.request(self.room, self.viewer, message.model_dump(mode="json", by_alias=True))

    def _hello(self, message: Any) -> None:
        if message.version != PROTOCOL_VERSION:
            raise InputError.single(
                "version",
                f"this server speaks version {PROTOCOL_VERSION} of the protocol, not {message.version}",
                where="message.version",
                value=str(message.version),
                accepted=str(PROTOCOL_VERSION),
            )
        if self.viewer is not None:
            raise InputError.single("hello_twice", "this socket has said hello already", accepted="hello once a socket")
        owns = self.owner is not None and self.owner == self.room.owner
        holds_token = message.control is not None and secrets.compare_digest(
            message.control.encode(), self.room.control.encode()
        )
        viewer = self.hub.new_viewer("owner" if owns else "guest", owns or holds_token)
        self.hub.join(self.room, viewer, message.after)
        self.viewer = viewer
        self.sender = asyncio.create_task(self._send_what_waits(viewer), name=f"sender of viewer {viewer.name}")

    async def _send_what_waits(self, viewer: Viewer) -> None:
        while True:
            while (item := viewer.take()) is not None:
                kind = "bytes" if isinstance(item, bytes) else "text"
                await self.send({"type": "websocket.send", kind: item})
            if viewer.ended or viewer.overflowing:
                code = CLOSED_GONE if viewer.ended else CLOSED_TOO_SLOW
                await self.send({"type": "websocket.close", "code": code})
                return
            await viewer.woken.wait()
