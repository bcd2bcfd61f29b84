"""Which port `play` listens on."""

from __future__ import annotations

import socket
from collections.abc import Iterable

from playground.setup import steps

HOST = "127.0.0.1"
FIRST_PORT = 8000
PORTS_TRIED = 100


def listening(port: int | None) -> socket.socket:
    """A bound socket on the port asked for, or on 8000 or the next free one when none is.

    Raises StepFailed, which names the port, when the one asked for is taken or can't be had.
    """
    if port is not None:
        return _asked(port)
    return _first_free(range(FIRST_PORT, FIRST_PORT + PORTS_TRIED))


def _asked(port: int) -> socket.socket:
    what = f"Listening on {HOST}:{port}"
    if not 0 <= port <= 65535:
        raise steps.StepFailed(what, advice="ask for a port between 1 and 65535, as in `play --port 8123`.")
    try:
        return _bound(port)
    except OSError as error:
        raise steps.StepFailed(
            what,
            output=error.strerror or str(error),
            advice=f"end the program that has port {port}, ask for another (`play --port {min(port + 1, 65535)}`), or "
            "leave --port away: then the next free one is taken.",
        ) from error


def _first_free(ports: Iterable[int]) -> socket.socket:
    for port in ports:
        try:
            free = _bound(port)
        except OSError:
            continue
        if port != FIRST_PORT:
            steps.say(f"Port {FIRST_PORT} is taken: using {port}.")
        return free
    raise steps.StepFailed(
        f"Finding a free port from {FIRST_PORT} to {FIRST_PORT + PORTS_TRIED - 1}",
        advice="name one that is free, as in `play --port 9000`.",
    )


def _bound(port: int) -> socket.socket:
    new = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        # A port that a server left a moment ago counts as free; one that a server listens on does not.
        new.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        new.bind((HOST, port))
        new.listen(128)
    except OSError:
        new.close()
        raise
    return new
