"""The pipe between web process and worker: each message is MessagePack behind its length, four bytes, big-endian.

Every message is a map. From the web process it has ``op``, from a worker ``ev``; the fields of each are listed in ``worker`` and
``pool``. Both ends are ours and of one version, so nothing here is validated but the size.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgpack

from playground.workers.limits import PIPE_MESSAGE_BYTES_MAX

LENGTH_BYTES = 4


def pack(message: dict[str, Any]) -> bytes:
    """``message`` with its length in front; raises ``ValueError`` for one over the limit."""
    body: bytes = msgpack.packb(message, use_bin_type=True)
    if len(body) > PIPE_MESSAGE_BYTES_MAX:
        raise ValueError(f"a message of {len(body)} bytes; at most {PIPE_MESSAGE_BYTES_MAX} go through the pipe")
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


class Unframer:
    """Collects bytes as they come and gives whole messages out."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        """Every message that is complete with ``data``; raises ``ValueError`` for one over the limit."""
        self._buffer += data
        while len(self._buffer) >= LENGTH_BYTES:
            size = int.from_bytes(self._buffer[:LENGTH_BYTES], "big")
            if size > PIPE_MESSAGE_BYTES_MAX:
                raise ValueError(f"a message of {size} bytes; at most {PIPE_MESSAGE_BYTES_MAX} go through the pipe")
            if len(self._buffer) < LENGTH_BYTES + size:
                return
            body = bytes(self._buffer[LENGTH_BYTES : LENGTH_BYTES + size])
            del self._buffer[: LENGTH_BYTES + size]
            yield msgpack.unpackb(body, raw=False, strict_map_key=False)
