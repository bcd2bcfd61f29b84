"""The load generator of ``manage.py bench stream``: many viewers in one process that acknowledge every frame.

``python -m playground.bench.stream_load JSON``, JSON being {"port", "paths": [socket path ...], "cookie", "warm_s", "measure_s"}; it prints
one JSON object: frames that each viewer got, per second, and the delays from the server's stamp (frame key ``w``) to receipt, ms.

The client side of RFC 6455 is written out here, as little of it as is needed: a client library takes more of a core for
200 viewers than the server does, and on a small machine that would be measured instead.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
import time
from functools import partial
from typing import Any

import msgpack

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
HELLO = b'{"type":"hello","version":1}'


def client_frame(opcode: int, payload: bytes) -> bytes:
    """One unfragmented frame; the masking key is zero, which leaves the payload as it is. At most 125 bytes."""
    return bytes((0x80 | opcode, 0x80 | len(payload), 0, 0, 0, 0)) + payload


class Viewer(asyncio.Protocol):
    """One viewer. It counts frames while ``measuring``; ``delays`` (ms) is shared by all."""

    def __init__(self, path: str, port: int, cookie: str, delays: list[float]) -> None:
        self._request = (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\nCookie: {cookie}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n\r\n"
        )
        self._delays = delays
        self._buffer = bytearray()
        self._open = False
        self.frames = 0
        self.measuring = False
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the socket."""
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport
        transport.write(self._request.encode())

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the server hung up."""
        self.lost = True

    def data_received(self, data: bytes) -> None:
        """Take every whole frame out of what came."""
        now = time.monotonic()
        self._buffer += data
        if not self._open:
            head, found, rest = bytes(self._buffer).partition(b"\r\n\r\n")
            if not found:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                raise RuntimeError(f"the server refused the socket: {head[:200]!r}")
            self._open = True
            self._buffer = bytearray(rest)
            self._transport.write(client_frame(TEXT, HELLO))
        while (message := self._whole_message()) is not None:
            opcode, payload = message
            if opcode == BINARY:
                self._drawn(msgpack.unpackb(payload), now)
            elif opcode == PING:
                self._transport.write(client_frame(PONG, payload))

    def close(self) -> None:
        """Hang up."""
        self._transport.write(client_frame(CLOSE, b""))
        self._transport.close()

    def _drawn(self, frame: dict[str, Any], now: float) -> None:
        self._transport.write(client_frame(TEXT, b'{"type":"ack","frame":%d}' % frame["n"]))
        if self.measuring:
            self.frames += 1
            self._delays.append((now - frame["w"]) * 1000)

    def _whole_message(self) -> tuple[int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        size, start = buffer[1], 2
        if size >= 126:
            start = 4 if size == 126 else 10
            if len(buffer) < start:
                return None
            size = int.from_bytes(buffer[2:start], "big")
        if len(buffer) < start + size:
            return None
        message = buffer[0] & 0x0F, bytes(buffer[start : start + size])
        del buffer[: start + size]
        return message


def _same(viewer: Viewer) -> Viewer:
    return viewer


async def load(order: dict[str, Any]) -> dict[str, Any]:
    """All viewers at once; raises ``RuntimeError`` when the server hangs up on one."""
    delays: list[float] = []
    loop = asyncio.get_running_loop()
    viewers = [Viewer(path, order["port"], order["cookie"], delays) for path in order["paths"]]
    for viewer in viewers:
        await loop.create_connection(partial(_same, viewer), "127.0.0.1", order["port"])
    await asyncio.sleep(order["warm_s"])
    for viewer in viewers:
        viewer.measuring = True
    began = time.monotonic()
    await asyncio.sleep(order["measure_s"])
    took = time.monotonic() - began
    for viewer in viewers:
        viewer.measuring = False
    lost = sum(viewer.lost for viewer in viewers)
    for viewer in viewers:
        viewer.close()
    if lost or not delays:
        raise RuntimeError(f"the server hung up on {lost} of {len(viewers)} viewers, {len(delays)} frames came")
    rates = [viewer.frames / took for viewer in viewers]
    delays.sort()
    return {
        "frames_per_s": round(sum(rates) / len(rates), 2),
        "frames_per_s_min": round(min(rates), 2),
        "p50_ms": round(delays[len(delays) // 2], 2),
        "p99_ms": round(delays[int(len(delays) * 0.99)], 2),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(load(json.loads(sys.argv[1])))))
