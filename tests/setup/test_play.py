"""`play` from outside: its port, its second start, its end. Each test runs the real command with data of its own."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from playground import settings
from playground.setup import ports, steps
from playground.setup.paths import PROJECT


def start(data: Path, *options: str) -> subprocess.Popen[str]:
    """The command that `manage.py play` ends in, without the set-up before it: that is done when tests run."""
    variables = {"DJANGO_SETTINGS_MODULE": "playground.settings", "PLAYGROUND_DATA_DIR": str(data)}
    return subprocess.Popen(
        [sys.executable, "-m", "django", "play", "--no-browser", *options],
        cwd=PROJECT,
        # No build may start because of a test.
        env={**os.environ, **variables, "PLAYGROUND_ENGINE": "interpreted"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def address(server: subprocess.Popen[str]) -> str:
    """The URL that a server announces; fails with what it said instead."""
    assert server.stdout is not None
    said = ""
    for line in server.stdout:
        said += line
        if found := re.search(r"is at (http://\S+)", line):
            return found[1]
    pytest.fail(f"no address: {said}")


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((ports.HOST, 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def server(tmp_path: Path, free_port: int) -> Iterator[subprocess.Popen[str]]:
    process = start(tmp_path, "--port", str(free_port))
    yield process
    process.kill()
    process.communicate()


def test_play_announces_where_it_answers_and_ends_on_sigterm(server: subprocess.Popen[str], free_port: int) -> None:
    url = address(server)
    assert url == f"http://127.0.0.1:{free_port}/"
    with urllib.request.urlopen(url, timeout=20) as answer:
        assert answer.status == 200
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    server.send_signal(signal.SIGTERM)
    assert server.wait(15) == 0


def test_a_second_play_on_the_same_data_is_told_where_the_first_is(
    server: subprocess.Popen[str], tmp_path: Path
) -> None:
    url = address(server)
    second = start(tmp_path)
    said, _ = second.communicate(timeout=30)
    assert second.returncode == 1
    assert url in said
    assert "PLAYGROUND_DATA_DIR" in said


def test_a_port_that_was_asked_for_and_is_taken_is_an_error_that_says_what_to_do() -> None:
    with socket.socket() as other:
        other.bind((ports.HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(steps.StepFailed, match=f"(?s)127.0.0.1:{port} failed.*already in use.*--port {port + 1}"):
            ports.listening(port)


def test_a_port_that_cannot_exist_is_refused() -> None:
    with pytest.raises(steps.StepFailed, match="between 1 and 65535"):
        ports.listening(70000)


def test_the_next_free_port_is_taken_and_said_aloud(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as other:
        other.bind((ports.HOST, 0))
        other.listen()
        taken = other.getsockname()[1]
        monkeypatch.setattr(ports, "FIRST_PORT", taken)
        with ports.listening(None) as free:
            found = free.getsockname()[1]
    assert found > taken
    assert capsys.readouterr().out == f"Port {taken} is taken: using {found}.\n"


def test_the_secret_key_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    path = tmp_path / "secret_key"
    first = settings._kept_secret_key(path)
    assert len(first) >= 50
    assert settings._kept_secret_key(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["secret_key"]


def test_manage_py_runs_other_commands_from_anywhere(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, PROJECT / "manage.py", "check"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
