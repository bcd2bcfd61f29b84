"""Where `manage.py` begins: get ready what the command needs, then go on inside the project's environment."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from playground.setup import browser, engine_build, environment, frontend, locks, ports, postgres, steps
from playground.setup.paths import BUILD, PROJECT, VENV, VENV_PYTHON

SETTINGS = "playground.settings"
OLDEST_PYTHON = (3, 11)
WAITING = "Another set-up of this project is under way: waiting for it."


def main(arguments: Sequence[str]) -> int:
    """Do what `manage.py ARGUMENTS` asks; returns the exit code, or goes on in another program and doesn't return."""
    if sys.version_info < OLDEST_PYTHON:
        print("The playground needs Python 3.11 or newer; this is " + sys.version.split()[0], file=sys.stderr)
        return 1
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", SETTINGS)
    # A terminated set-up must end its children as Ctrl-C does, instead of leaving npm behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    command = arguments[0] if arguments else ""
    work = {"play": play, "test": test, "bench": bench}.get(command, other)
    return steps.reported(lambda: work(arguments))


def play(arguments: Sequence[str]) -> int:
    """Environment and page; then the `play` command, which migrates, compiles in the background and serves."""
    options = play_arguments(argparse.ArgumentParser(prog="manage.py play")).parse_args(arguments[1:])
    if options.port is not None:
        # A busy port should be said now, not after a minute of installing.
        ports.listening(options.port).close()
    with locks.held(BUILD / "setup.lock", while_waiting=WAITING):
        environment.ensure(environment.RUNTIME)
        postgres.ensure_client()
        frontend.ensure_bundle()
    _continue_with([VENV_PYTHON, "-m", "django", *arguments])


def play_arguments(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """The options of `play`, for the set-up and for the Django command alike."""
    parser.add_argument("--port", type=int, help=f"listen here; default: {ports.FIRST_PORT} or the next free one")
    parser.add_argument("--no-browser", action="store_true", help="don't open the page")
    return parser


def test(arguments: Sequence[str]) -> int:
    """Everything the tests need, the engine compiled, a browser and a PostgreSQL included; then pytest with the arguments."""
    with locks.held(BUILD / "setup.lock", while_waiting=WAITING):
        python = environment.ensure(environment.DEVELOPMENT)
        frontend.ensure_packages()
        frontend.ensure_bundle()
        chromium = browser.ensure()
        server = postgres.ensure()
        engine_build.ensure_compiler(python)
        steps.run(engine_build.STEP, [python, "manage.py", "compile"], advice="mend what it names above.")
    found = {browser.VARIABLE: chromium, **({} if server is None else {postgres.VARIABLE: str(server)})}
    _continue_with([python, "-m", "pytest", *arguments[1:]], found)


def bench(arguments: Sequence[str]) -> int:
    """What is measured needs the other simulators, a browser, and above all the compiled engine; in an environment of one's own
    it is taken as it is."""
    if Path(sys.prefix).resolve() != VENV and not environment.imports_here():
        with contextlib.redirect_stdout(sys.stderr), locks.held(BUILD / "setup.lock", while_waiting=WAITING):
            python = environment.ensure(environment.DEVELOPMENT)
            frontend.ensure_bundle()
            chromium = browser.ensure()
            engine_build.ensure_compiler(python)
            steps.run(engine_build.STEP, [python, "manage.py", "compile"], advice="mend what it names above.")
        _exec([VENV_PYTHON, PROJECT / "manage.py", *arguments], {browser.VARIABLE: chromium})
    return other(arguments)


def other(arguments: Sequence[str]) -> int:
    """Any other Django command: in this interpreter if it has the packages, else in `.venv`."""
    if not environment.imports_here():
        if Path(sys.prefix).resolve() != VENV:
            # Standard output is the command's own: a program may be reading it.
            with contextlib.redirect_stdout(sys.stderr), locks.held(BUILD / "setup.lock", while_waiting=WAITING):
                environment.ensure(environment.RUNTIME)
            _exec([VENV_PYTHON, PROJECT / "manage.py", *arguments], {})
        raise steps.StepFailed(
            "Finding the packages of requirements.txt in .venv", advice="delete .venv and run the same command again."
        )
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    from django.core.management import execute_from_command_line

    execute_from_command_line([str(PROJECT / "manage.py"), *arguments])
    return 0


def _continue_with(command: Sequence[object], variables: dict[str, str] | None = None) -> NoReturn:
    """Become a program that runs in the project's folder."""
    os.chdir(PROJECT)
    _exec(command, variables or {})


def _exec(command: Sequence[object], variables: dict[str, str]) -> NoReturn:
    sys.stdout.flush()
    words = [str(word) for word in command]
    os.execve(words[0], words, {**os.environ, **variables})
