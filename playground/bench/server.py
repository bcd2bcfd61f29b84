"""The real server in a process of its own, and a small client for it: what benchmarks and tests talk to."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

from playground.protocol.messages import SOCKET_BYTES_MAX

PROJECT = Path(__file__).resolve().parent.parent.parent
START_S_MAX = 60.0
STOP_S_MAX = 10.0
LOOK_S = 0.05


@dataclass
class LiveServer:
    """A server that runs: ``url`` without a slash at the end, ``log`` the file that has its output."""

    port: int
    pid: int
    data_dir: Path
    log: Path

    @property
    def url(self) -> str:
        """Where its pages are."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def socket_url(self) -> str:
        """Where its sockets are."""
        return f"ws://127.0.0.1:{self.port}"

    def visitor(self) -> Visitor:
        """A client with cookies of its own, as a browser that has opened the page."""
        visitor = Visitor(self)
        visitor.get("/")
        return visitor

    def worker_pids(self) -> list[int]:
        """The engine processes that it has at the moment."""
        listed = subprocess.run(["ps", "-o", "pid=,args=", "--ppid", str(self.pid)], capture_output=True, text=True)
        found = [line.split(None, 1) for line in listed.stdout.splitlines()]
        return [int(pid) for pid, command in found if "playground.workers.worker" in command]


@dataclass
class Answer:
    """An HTTP answer: status and body, ``json`` parsed."""

    status: int
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass
class Visitor:
    """A small HTTP client that keeps cookies and sends the CSRF token, as the page does."""

    server: LiveServer
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str) -> Answer:
        """GET ``path``."""
        return self.send("GET", path)

    def post(self, path: str, body: Any = None) -> Answer:
        """POST ``body`` as JSON."""
        return self.send("POST", path, json.dumps(body).encode())

    def send(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """Any request; ``body`` goes out as it is."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        token = {"X-CSRFToken": self.cookies.get("csrftoken", ""), "Content-Type": "application/json"}
        connection.request(method, path, body, {"Cookie": cookie, **token, **headers})
        response = connection.getresponse()
        for name, value in response.getheaders():
            if name.lower() == "set-cookie":
                self.cookies.update({key: morsel.value for key, morsel in SimpleCookie(value).items()})
        answer = Answer(response.status, response.read())
        connection.close()
        return answer

    def headers(self) -> dict[str, str]:
        """What a socket of this browser sends along."""
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def serving(folder: Path, **environment: str) -> Iterator[LiveServer]:
    """The server with its data in ``folder`` and these further variables, for as long as the context lasts.

    Raises ``RuntimeError`` with the server's own words where it doesn't answer within a minute.
    """
    folder.mkdir(parents=True, exist_ok=True)
    variables = {**os.environ, "PLAYGROUND_DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "playground.settings"}
    variables.update(environment)
    migrate = [sys.executable, "-m", "django", "migrate", "--verbosity", "0"]
    subprocess.run(migrate, cwd=PROJECT, env=variables, check=True, timeout=START_S_MAX)
    port = free_port()
    log = folder / "server.log"
    command = [sys.executable, "-m", "daphne", "-b", "127.0.0.1", "-p", str(port)]
    for limit in ("--websocket-max-message-size", "--websocket-max-frame-size"):
        command += [limit, str(SOCKET_BYTES_MAX)]
    command.append("playground.asgi:application")
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=PROJECT, env=variables, stdout=output, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + START_S_MAX
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not start:\n{log.read_text()[-4000:]}")
            time.sleep(LOOK_S)
        yield LiveServer(port, process.pid, folder, log)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(port: int) -> bool:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/api/templates")
        return connection.getresponse().status == 200
    except OSError:
        return False
