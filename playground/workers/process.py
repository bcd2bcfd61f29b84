"""One engine process as the web process sees it: started, talked to, listened to, ended."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from playground.workers import framing, limits

log = logging.getLogger(__name__)

COMMAND = (sys.executable, "-m", "playground.workers.worker")
CHUNK_BYTES = 1 << 18
END_S_MAX = 3.0

Event = dict[str, Any]


class WorkerProcess:
    """A worker and the socket pair to it.

    ``on_event`` gets every message that it says, in order; ``on_death`` is called once, when it is gone. Both are called in the loop
    that :meth:`start` was awaited in.
    """

    def __init__(
        self,
        on_event: Callable[[WorkerProcess, Event], None],
        on_death: Callable[[WorkerProcess], None],
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._on_event = on_event
        self._on_death = on_death
        self._command = command
        self.engine = "interpreted"
        self.ready = asyncio.Event()
        self.alive = False
        self.heard = time.monotonic()
        self._process: subprocess.Popen[bytes] | None = None
        self._listener: asyncio.Task[None] | None = None
        self._writer: asyncio.StreamWriter | None = None

    @property
    def pid(self) -> int | None:
        """The process id, None before the start."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Start the process; raises ``OSError`` where that can't be done, ``TimeoutError`` where it doesn't report."""
        ours, theirs = socket.socketpair()
        with theirs:
            # Popen returns as soon as the child has begun; asyncio's own subprocesses want a child watcher of the main thread.
            self._process = subprocess.Popen(  # noqa: ASYNC220
                [*self._command, str(theirs.fileno())], pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL
            )
        reader, self._writer = await asyncio.open_connection(sock=ours)
        self.alive = True
        self.heard = time.monotonic()
        self._listener = asyncio.create_task(self._listen(reader), name=f"engine worker {self.pid}")
        async with asyncio.timeout(limits.WORKER_START_S_MAX):
            await self.ready.wait()
        if not self.alive:
            raise OSError("the engine worker ended before it was ready; its output says why")

    def send(self, message: Event) -> bool:
        """Send ``message``; False when the worker is gone or reads so slowly that it can't be taken."""
        if not self.alive or self._writer is None:
            return False
        if self._writer.transport.get_write_buffer_size() > limits.PIPE_WAITING_BYTES_MAX:
            return False
        self._writer.write(framing.pack(message))
        return True

    def kill(self) -> None:
        """End a process that hangs; its death is noticed in the usual way."""
        if self._process:
            self._process.kill()

    async def close(self) -> None:
        """End the process in peace and wait for it."""
        self.alive = False
        if self._listener:
            self._listener.cancel()
        if self._writer:
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()
        await self._reap()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        unframer = framing.Unframer()
        try:
            while data := await reader.read(CHUNK_BYTES):
                self.heard = time.monotonic()
                for event in unframer.feed(data):
                    self._hear(event)
        except ConnectionResetError:
            pass  # It died with something unread; whoever replaces it says so.
        except (OSError, ValueError):
            log.exception("the pipe to engine worker %s broke", self.pid)
        self.alive = False
        self.kill()
        await self._reap()
        self.ready.set()
        self._on_death(self)

    def _hear(self, event: Event) -> None:
        if event["ev"] == "ready":
            self.engine = event["engine"]
            self.ready.set()
            return
        try:
            self._on_event(self, event)
        except Exception:
            # One event that can't be dealt with must not cost the worker, and every run on it, its listener.
            log.exception("an event of engine worker %s was lost: %s", self.pid, event.get("ev"))

    async def _reap(self) -> None:
        process = self._process
        if process is None:
            return
        try:
            await asyncio.to_thread(process.wait, END_S_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            await asyncio.to_thread(process.wait)
