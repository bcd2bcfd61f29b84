"""Runs other programs one step at a time, quietly, and says what went wrong and what to do when one fails."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from playground.setup.paths import LOGS, PROJECT

# What is shown of a failed program's output: some name the cause first, most name it last.
FIRST_LINES = 8
LAST_LINES = 20


class StepFailed(Exception):
    """A step of the set-up failed; the message has what failed, its output's ends, and what to do."""

    def __init__(self, what: str, *, advice: str, output: str = "", log: Path | None = None) -> None:
        self.what = what
        self.output = output
        lines = output.strip().splitlines()
        if len(lines) > FIRST_LINES + LAST_LINES:
            lines = [*lines[:FIRST_LINES], "...", *lines[-LAST_LINES:]]
        parts = [f"{what} failed."]
        if lines:
            parts.append("\n".join(f"    {line}" for line in lines))
        if log is not None:
            parts.append(f"All of its output: {log}")
        parts.append(f"What to do: {advice}")
        super().__init__("\n".join(parts))


def say(text: str, *, end: str = "\n") -> None:
    """Tell the user, at once: a pipe buffers otherwise, and silence looks like a hang."""
    print(text, end=end, flush=True)


def run(
    what: str,
    command: Sequence[str | Path],
    *,
    advice: str,
    cwd: Path = PROJECT,
    env: Mapping[str, str] | None = None,
    seconds: float = 1800,
    logs: Path = LOGS,
) -> str:
    """Run a program to its end, its output into a log; says `what` before and how long it took after.

    `env` is added to this process's environment. Returns the output. Raises StepFailed when the program isn't there,
    exits with anything but 0, or takes longer than `seconds`.
    """
    logs.mkdir(parents=True, exist_ok=True)
    log = logs / (re.sub(r"[^a-z0-9]+", "-", what.lower()).strip("-") + ".log")
    say(f"- {what} ...", end="")
    began = time.monotonic()
    with log.open("w+", encoding="utf-8", errors="replace") as out:
        problem = _wait(command, out.fileno(), cwd, {**os.environ, **(env or {})}, seconds)
        out.seek(0)
        output = out.read()
    if problem:
        say(" failed")
        raise StepFailed(what, advice=advice, output=f"{output}\n{problem}", log=log)
    say(f" {time.monotonic() - began:.1f} s")
    return output


def _wait(command: Sequence[str | Path], out: int, cwd: Path, env: Mapping[str, str], seconds: float) -> str:
    """Run to the end; an empty string when all went well, else what went wrong."""
    try:
        # A session of its own: on a time-out or Ctrl-C the program's own children go as well.
        child = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        return f"{command[0]}: {error.strerror}"
    try:
        code = child.wait(seconds)
    except subprocess.TimeoutExpired:
        end_group(child)
        return f"{command[0]}: not done after {seconds:.0f} s"
    except BaseException:
        end_group(child)
        raise
    return f"{command[0]}: exit code {code}" if code else ""


def end_group(child: subprocess.Popen[bytes], grace_seconds: float = 5) -> None:
    """End a child that leads its own session, and its children; first politely, then not."""
    for end in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, end)
        except ProcessLookupError:
            break
        try:
            child.wait(grace_seconds)
            break
        except subprocess.TimeoutExpired:
            continue
    child.wait()


def reported(work: Callable[[], int]) -> int:
    """Run `work`; a step that fails becomes its message on stderr and exit code 1, Ctrl-C becomes 130."""
    try:
        return work()
    except StepFailed as failure:
        print(f"\n{failure}", file=sys.stderr, flush=True)
        return 1
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr, flush=True)
        return 130
