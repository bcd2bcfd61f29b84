"""The real server as a fixture, and the one way in which tests wait.

Channels' live-server test case shares the test's process and database and fails with both; a subprocess is what people run.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from playground.bench.server import LiveServer, serving

T = TypeVar("T")


def eventually(get: Callable[[], T], *, within_s: float = 10.0, what: str = "the condition") -> T:
    """The first true value of ``get()``; fails when there is none in time. The one place where tests wait by the clock."""
    deadline = time.monotonic() + within_s
    while not (value := get()):
        assert time.monotonic() < deadline, f"{what} did not come true within {within_s} s"
        time.sleep(0.02)
    return value


@pytest.fixture(scope="session")
def live_server_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """One real server for the whole session (and each xdist worker), for tests that don't break it."""
    with serving(tmp_path_factory.mktemp("live")) as server:
        yield server


@pytest.fixture
def own_server_process(tmp_path: Path) -> Iterator[LiveServer]:
    """A real server for one test alone, which may do to it what it likes."""
    with serving(tmp_path / "own") as server:
        yield server


@pytest.fixture(autouse=True)
def quiet_server_log(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test may pass while the server it used logged a traceback; one that provokes some says so: ``allowed_tracebacks``."""
    name = next((name for name in ("live_server_process", "own_server_process") if name in request.fixturenames), None)
    server: LiveServer | None = request.getfixturevalue(name) if name else None
    before = server.log.stat().st_size if server else 0
    yield
    if server and not request.node.get_closest_marker("allowed_tracebacks"):
        with server.log.open("rb") as log:
            log.seek(before)
            said = log.read().decode(errors="replace")
        assert not re.search(r"^Traceback", said, re.MULTILINE), f"the server logged:\n{said[-4000:]}"


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker that :func:`quiet_server_log` looks at."""
    config.addinivalue_line("markers", "allowed_tracebacks: the server may log tracebacks in this test")
