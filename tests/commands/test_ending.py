"""How ``manage.py simulate`` ends before its end: Ctrl-C, termination, a reader that has gone, a process that died."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from playground.headless import running, simulating
from playground.protocol.design import Scenario
from playground.setup.paths import PROJECT
from tests.commands.shell import command, inside
from tests.commands.sketches import small, written
from tests.live import eventually

LONG = ("template:metastable", "--until", "604800")
IN_TIME_S = 10.0
STARTED_S = 30.0


def children(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(word) for word in listed.stdout.split()]


def alive(pid: int) -> bool:
    # A zombie has ended; whoever inherited it may take its time.
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return bool(state.stdout.strip()) and not state.stdout.startswith("Z")


def cpu_s(pid: int) -> float:
    """Processor seconds of a process so far: 00:00:02 on Linux, 0:02.51 on macOS."""
    told = subprocess.run(["ps", "-o", "time=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    seconds = 0.0
    for part in told.strip().split(":"):
        seconds = 60 * seconds + float(part or 0)
    return seconds


@contextmanager
def started(*words: str) -> Iterator[subprocess.Popen[str]]:
    """``simulate`` with these arguments, as the leader of a session of its own."""
    process = subprocess.Popen(
        command(["simulate", *words]),
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def is_simulating(pid: int) -> Callable[[], bool]:
    """Whether it has worked for longer than a start takes: it runs then."""
    return lambda: cpu_s(pid) >= 2


@pytest.mark.parametrize(
    ("sent", "code"), [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow)]
)
def test_a_run_ends_cleanly_on_a_signal(sent: signal.Signals, code: int) -> None:
    with started(*LONG, "--json") as process:
        eventually(is_simulating(process.pid), within_s=STARTED_S, what="the run's work")
        process.send_signal(sent)
        out, err = process.communicate(timeout=IN_TIME_S)
        assert process.returncode == code
        assert out == "" and "Traceback" not in err


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (signal.SIGINT, 130),
        pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow),
        pytest.param(signal.SIGKILL, -9, marks=pytest.mark.slow),
    ],
)
def test_replications_end_with_the_command(sent: signal.Signals, code: int) -> None:
    with started(*LONG, "--replications", "4") as process:
        replicas: list[int] = []
        eventually(
            lambda: (
                len(replicas := children(process.pid)) >= min(2, os.cpu_count() or 1)
                and all(is_simulating(pid)() for pid in replicas)
            ),
            within_s=STARTED_S,
            what="the replications' work",
        )
        replicas = children(process.pid)
        process.send_signal(sent)
        _, err = process.communicate(timeout=IN_TIME_S)
        assert process.returncode == code
        assert "Traceback" not in err
        eventually(lambda: not any(alive(pid) for pid in replicas), within_s=IN_TIME_S, what="their end")


def test_a_replication_that_dies_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "COMMAND", ("/bin/sh", "-c", "echo out of luck >&2; exit 9"))
    done = inside("simulate", written(tmp_path / "small.json", small()), "--until", "1", "--replications", "2")
    assert done.code == 1 and done.out == ""
    assert done.err == "simulate: the process that ran seed 1 ended with code 9: out of luck\n"


@pytest.mark.parametrize("words", [[], ["--json"]])
def test_a_mistake_in_a_block_is_said_in_one_line_and_shown_on_request(
    monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    def mistaken(scenario: Scenario) -> None:
        raise AssertionError("forgot to answer")

    monkeypatch.setattr(simulating, "run_once", mistaken)
    done = inside("simulate", "template:mm1", "--until", "5", *words)
    assert done.code == 1 and done.out == "" and "Traceback" not in done.err
    assert "AssertionError: forgot to answer; --traceback says where" in done.err
    with pytest.raises(AssertionError, match="forgot"):
        inside("simulate", "template:mm1", "--until", "5", "--traceback", *words)


@pytest.mark.parametrize("words", [("blocks",), ("templates", "--json"), ("simulate", "template:mm1", "--until", "5")])
def test_a_reader_that_has_gone_is_no_error(words: tuple[str, ...]) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(command(words), cwd=PROJECT, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (0, "")
