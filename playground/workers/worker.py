"""The main loop of one engine process: ``python -m playground.workers.worker FD``, FD being its end of a socket pair.

It owns runs and nothing else: no Django, no database, no network. From the web process come maps with ``op``:

============ ====================================================================================================
``create``   run, scenario, script (what it does by itself), play, resume (null, or {now_ns, furthest_ns, speed, frame,
             watchers}): own this run
``request``  run, who, actor, message: a viewer message, to be answered to ``who``
``watch``    run, viewers: how many look on; nobody gets frames of a run that nobody watches
``resume``   run, play, resume: go on as ``create`` would, from what this worker has replayed of the run in silence
``release``  run: say ``released`` and drop it, for it moves elsewhere
``end``      run: drop it
============ ====================================================================================================

It says, as maps with ``ev``: ``ready``, ``beat`` (once a second); of a run ``created`` or ``uncreated``, ``frame``, ``state``,
``layout``, ``drawing``, ``happened``, ``log`` (its intervention log: keep so many, then add the entry), ``answer``,
``released``, ``ended``.
The process ends when its pipe does, so it can't outlive the server.
"""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import selectors
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playground import native
from playground.protocol.design import Scenario, parse_interventions
from playground.protocol.errors import InputError, Problem
from playground.workers import framing, limits
from playground.workers.paced import PacedRun

PAGE_BYTES = resource.getpagesize()
WAIT_S_MAX = 1.0
NICENESS = 5


class Worker:
    """Runs many :class:`PacedRun` on one thread, each in slices, with requests read between any two of them."""

    def __init__(self, pipe: socket.socket) -> None:
        self.pipe = pipe
        self.pipe.setblocking(False)
        self.selector = selectors.DefaultSelector()
        self.selector.register(pipe, selectors.EVENT_READ)
        self.unframer = framing.Unframer()
        self.unsent = bytearray()
        self.runs: dict[str, PacedRun] = {}
        self.open = True
        self._next_beat = 0.0
        self._left = False
        self._ops: dict[str, Callable[[dict[str, Any]], None]] = {
            "create": self._create,
            "request": self._request,
            "watch": self._watch,
            "resume": self._resume,
            "release": self._release,
            "end": self._end,
        }

    def main(self) -> None:
        """Work until the pipe closes."""
        self.say({"ev": "ready", "pid": os.getpid(), "engine": native.mode()})
        while self.open:
            wall = time.monotonic()
            due = [run for run in self.runs.values() if run.due(wall) <= wall]
            self._wait(0.0 if due else self._patience(wall))
            budget = min(limits.SLICE_S_MAX, limits.ROUND_S_MAX / max(len(due), 1))
            for run in due:
                if run.id in self.runs:
                    self._slice(run, budget)
                self._wait(0.0)
            self._beat(time.monotonic())

    def say(self, event: dict[str, Any]) -> None:
        """Queue ``event`` for the web process and send what goes."""
        self.unsent += framing.pack(event)
        self._send()

    # ---- the pipe

    def _patience(self, wall: float) -> float:
        soonest = min((run.due(wall) for run in self.runs.values()), default=wall + WAIT_S_MAX)
        return max(0.0, min(soonest, self._next_beat) - wall)

    def _wait(self, timeout: float) -> None:
        """Read and do what came, waiting up to ``timeout`` seconds for it."""
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.unsent else 0)
        self.selector.modify(self.pipe, wanted)
        for _, ready in self.selector.select(timeout):
            if ready & selectors.EVENT_WRITE:
                self._send()
            if ready & selectors.EVENT_READ:
                self._read()

    def _read(self) -> None:
        try:
            data = self.pipe.recv(1 << 18)
        except BlockingIOError:
            return
        except ConnectionError:
            data = b""
        if not data:
            self.open = False
            return
        for message in self.unframer.feed(data):
            self._ops[message["op"]](message)

    def _send(self) -> None:
        if not self.unsent:
            return
        try:
            sent = self.pipe.send(self.unsent)
        except BlockingIOError:
            return
        except ConnectionError:
            self.open = False
            return
        del self.unsent[:sent]

    def _flush(self, run: PacedRun) -> None:
        out, run.teller.out = run.teller.out, []
        for event in out:
            # A frame is worth nothing once the next one is there; all else must arrive.
            if event["ev"] == "frame" and len(self.unsent) > limits.PIPE_FRAMES_WAITING_BYTES_MAX:
                continue
            self.say(event)
        if len(self.unsent) > limits.PIPE_WAITING_BYTES_MAX:
            raise SystemExit("the web process doesn't read what this worker says")

    # ---- what is asked

    def _create(self, message: dict[str, Any]) -> None:
        run_id = message["run"]
        try:
            scenario = Scenario.model_validate(message["scenario"])
            script = parse_interventions(message["script"])
            run = PacedRun(run_id, scenario, script, play=message["play"], engine=native.mode())
            run.begin(message["resume"])
        except InputError as error:
            self._uncreated(run_id, error.problems)
        except (Exception, MemoryError) as error:
            traceback.print_exc()
            problem = Problem(code="engine", message=f"the engine could not build this design: {error!r}")
            self._uncreated(run_id, [problem])
        else:
            self.runs[run_id] = run
            self._flush(run)

    def _uncreated(self, run_id: str, problems: list[Problem]) -> None:
        self.say({"ev": "uncreated", "run": run_id, "problems": [problem.model_dump() for problem in problems]})

    def _request(self, message: dict[str, Any]) -> None:
        run = self.runs.get(message["run"])
        if run is None:
            return
        with self._guarded(run):
            run.request(message["who"], message["actor"], message["message"])
        self._flush(run)

    def _watch(self, message: dict[str, Any]) -> None:
        run = self.runs.get(message["run"])
        if run is not None:
            run.watch(message["viewers"])

    def _resume(self, message: dict[str, Any]) -> None:
        run = self.runs.get(message["run"])
        if run is not None:
            run.playing = message["play"]
            run.begin(message["resume"])
            self._flush(run)

    def _release(self, message: dict[str, Any]) -> None:
        run = self._let_go(message["run"])
        if run is not None:
            self._flush(run)
            self.say({"ev": "released", "run": run.id, "state": run.state(), "frame": run.frame_number})

    def _end(self, message: dict[str, Any]) -> None:
        self._let_go(message["run"])

    def _let_go(self, run_id: str) -> PacedRun | None:
        """Drop a run. It is a circle of blocks and snapshots, up to some hundred megabytes, which the next beat collects."""
        self._left = True
        return self.runs.pop(run_id, None)

    # ---- computing

    def _slice(self, run: PacedRun, budget: float) -> None:
        before = resident_bytes()
        with self._guarded(run):
            run.slice(time.monotonic(), budget)
        after = resident_bytes()
        run.memory_bytes += after - before
        self._flush(run)
        if run.memory_bytes > limits.RUN_MEMORY_BYTES_MAX:
            self._evict(run, f"memory: the run took more than {limits.RUN_MEMORY_BYTES_MAX >> 20} MiB")
        elif after > limits.WORKER_MEMORY_BYTES_MAX:
            largest = max(self.runs.values(), key=lambda candidate: candidate.memory_bytes)
            self._evict(
                largest, f"memory: its engine process took more than {limits.WORKER_MEMORY_BYTES_MAX >> 20} MiB"
            )

    @contextlib.contextmanager
    def _guarded(self, run: PacedRun) -> Any:
        """A run that raises ends by name; its neighbours go on."""
        try:
            yield
        except MemoryError:
            self._evict(run, "memory: the engine process has no more to give")
        except Exception as error:
            traceback.print_exc()
            run.fail("engine_error", f"{type(error).__name__}: {error}")

    def _evict(self, run: PacedRun, reason: str) -> None:
        if self._let_go(run.id) is not None:
            run.teller.out.clear()
            self.say({"ev": "ended", "run": run.id, "reason": reason})

    def _beat(self, wall: float) -> None:
        if wall >= self._next_beat:
            self._next_beat = wall + 1.0
            if self._left:
                self._left = False
                gc.collect()
            self.say({"ev": "beat", "rss_bytes": resident_bytes()})


def resident_bytes() -> int:
    """Memory that this process holds now; 0 where the system doesn't tell (outside Linux)."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES
    except OSError:
        return 0


def main() -> None:
    """Start on the socket whose descriptor is the first argument."""
    # Ctrl-C reaches the whole process group; the server decides, and its end closes the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # When cores are short the web process goes first: a run that is a little slower is shown by its speed, a socket that
    # stutters looks broken.
    os.nice(NICENESS)
    # A backstop above the checked limits: mappings that are reserved and never touched count here as well.
    ceiling = 2 * limits.WORKER_MEMORY_BYTES_MAX
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (ceiling, resource.getrlimit(resource.RLIMIT_AS)[1]))
    Worker(socket.socket(fileno=int(sys.argv[1]))).main()


if __name__ == "__main__":
    main()
