"""Runs one scenario here, or several seeds of it in processes of their own.

The processes are plain ones (``python -m playground.headless.replica``) and no ``multiprocessing`` pool: these either copy a process
that has threads, or import the caller's script once more; and they leave workers behind when the caller is killed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from playground.execution import Execution
from playground.protocol.design import Scenario
from playground.protocol.errors import InputError, Problem

PROJECT = Path(__file__).resolve().parent.parent.parent
COMMAND = (sys.executable, "-m", "playground.headless.replica")

SLICE_EVENTS = 20_000
"""Compiled code hears no signal: so many events (5 ms compiled, 0.2 s interpreted) may pass until it is asked for one."""

WORDS_KEPT = 400


class ReplicationFailed(RuntimeError):
    """A process that ran a replication has ended without results; the message says how."""


def run_once(scenario: Scenario, between: Callable[[], None] | None = None) -> dict[str, Any]:
    """``Execution.results`` of the whole run, ``notables`` added; ``between`` is called now and then and may raise to end it."""
    execution = Execution(scenario, recorded=False)
    while not execution.advance(execution.until_ns, SLICE_EVENTS) and not execution.stopped:
        if between is not None:
            between()
    return {**execution.results(), "notables": [told.model_dump() for told in execution.take_notables()]}


def run_seeds(scenario: Scenario, seeds: Sequence[int], processes: int | None = None) -> list[dict[str, Any]]:
    """The results of each seed, in order of ``seeds``; ``processes`` at once (default: one a core).

    Raises :class:`InputError` for a scenario that can't be built, :class:`ReplicationFailed` where a process dies. Whatever ends it, its
    processes end with it.
    """
    count = max(1, min(len(seeds), processes or os.cpu_count() or 1))
    shares = [list(seeds[index::count]) for index in range(count)]
    with ExitStack() as stack:
        replicas = [stack.enter_context(Replica(share)) for share in shares]
        for replica in replicas:
            replica.order(scenario)
        by_seed = {run["seed"]: run for replica in replicas for run in replica.results()}
    return [by_seed[seed] for seed in seeds]


@dataclass
class Replica:
    """A process that runs some seeds, one after the other; a context that ends it.

    Its answers go into a file, since nobody reads while all of them work. Its input stays open: when it ends, so has who wanted results.
    """

    seeds: list[int]

    def __enter__(self) -> Replica:
        self._stack = ExitStack()
        self._answers: IO[bytes] = self._stack.enter_context(tempfile.TemporaryFile())
        self._words: IO[bytes] = self._stack.enter_context(tempfile.TemporaryFile())
        paths = os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH")]))
        self._process = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=self._answers,
            stderr=self._words,
            env={**os.environ, "PYTHONPATH": paths},
            # A session of its own: Ctrl-C is for who started it, and that ends it.
            start_new_session=True,
        )
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdin is not None:
            # Nothing may be left to write, or nobody to read it.
            with suppress(BrokenPipeError):
                self._process.stdin.close()
        self._stack.close()

    def order(self, scenario: Scenario) -> None:
        """Tell it what to do."""
        assert self._process.stdin is not None
        line = json.dumps({"scenario": scenario.model_dump(mode="json", by_alias=True), "seeds": self.seeds}) + "\n"
        # One that has died takes no order; results() will say of what.
        with suppress(BrokenPipeError):
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()

    def results(self) -> list[dict[str, Any]]:
        """Wait for all its results."""
        code = self._process.wait()
        self._answers.seek(0)
        answers = [json.loads(line) for line in self._answers] if code == 0 else []
        for answer in answers:
            if "problems" in answer:
                raise InputError([Problem(**problem) for problem in answer["problems"]])
        if len(answers) != len(self.seeds):
            self._words.seek(0)
            words = self._words.read().decode(errors="replace").strip()[-WORDS_KEPT:]
            last = words.splitlines()[-1] if words else "it said nothing"
            raise ReplicationFailed(
                f"the process that ran seed {', '.join(map(str, self.seeds[:5]))} ended with code {code}: {last}"
            )
        return answers
