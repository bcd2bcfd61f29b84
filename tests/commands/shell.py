"""How these tests call commands: in this process where that does, as a shell would where a process of its own matters."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from django.core.management import ManagementUtility

from playground.setup.paths import PROJECT

IN_TIME_S = 20.0


@dataclass
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which has to be exactly one JSON value."""
        return json.loads(self.out)

    @property
    def problems(self) -> list[dict[str, Any]]:
        """What ``--json`` said on stderr."""
        told: list[dict[str, Any]] = json.loads(self.err)["problems"]
        return told


def inside(*words: str | Path, stdin: bytes = b"") -> Done:
    """``manage.py`` with these arguments, in this very process."""
    out, err = io.StringIO(), io.StringIO()
    argv = ["manage.py", *map(str, words)]
    before = signal.getsignal(signal.SIGTERM)
    code: object = 0
    try:
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            mock.patch("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin))),
            # Django closes this process's connections after a command.
            mock.patch("django.db.connections.close_all"),
        ):
            ManagementUtility(argv).execute()
    except SystemExit as ended:
        code = ended.code
    finally:
        signal.signal(signal.SIGTERM, before)
    return Done(code if isinstance(code, int) else 0, out.getvalue(), err.getvalue())


def command(words: Sequence[str | Path]) -> list[str]:
    """The command line of ``manage.py`` with these arguments."""
    return [sys.executable, str(PROJECT / "manage.py"), *map(str, words)]


def shell(*words: str | Path, stdin: bytes = b"", cwd: Path = PROJECT, **environment: str) -> Done:
    """``manage.py`` with these arguments, as a process of its own."""
    done = subprocess.run(
        command(words),
        cwd=cwd,
        input=stdin,
        capture_output=True,
        timeout=IN_TIME_S,
        env={**os.environ, **environment},
        check=False,
    )
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())
