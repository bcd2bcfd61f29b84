"""Serve the playground and open it: the part of `manage.py play` that runs inside the environment."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import webbrowser
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from daphne.server import Server  # first of all: it chooses Twisted's reactor
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from playground import native
from playground.setup import engine_build, locks, ports, steps
from playground.setup.paths import PROJECT
from playground.setup.start import play_arguments

WEBSOCKET_CLOSE_SECONDS = 2


class Command(BaseCommand):
    """Migrates, compiles the engine in the background, serves on 127.0.0.1, opens the page; ends with Ctrl-C."""

    help = "Set everything up, serve the playground on 127.0.0.1 and open it in the browser."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--port and --no-browser."""
        play_arguments(parser)

    def handle(self, *args: Any, port: int | None, no_browser: bool, **options: Any) -> None:
        """Serve until a signal ends it. Raises CommandError when it can't listen, or runs already."""
        claim = self._claim()
        try:
            listening = ports.listening(port)
        except steps.StepFailed as failure:
            raise CommandError(str(failure)) from failure
        call_command("migrate", verbosity=0, interactive=False)
        # Loads the application, and with it whatever would fail at the first request.
        from playground.asgi import application

        url = f"http://{ports.HOST}:{listening.getsockname()[1]}/"
        claim.write(f"{url} (process {os.getpid()})")
        with _engine_builder():
            Server(
                application=application,
                endpoints=[f"fd:fileno={listening.fileno()}"],
                application_close_timeout=WEBSOCKET_CLOSE_SECONDS,
                websocket_max_message_size=settings.DAPHNE_WEBSOCKET_MAX_MESSAGE_SIZE,
                websocket_max_frame_size=settings.DAPHNE_WEBSOCKET_MAX_FRAME_SIZE,
                ready_callable=lambda: self._announce(url, no_browser),
            ).run()
        self.stdout.write("The playground has ended.")

    def _claim(self) -> locks.Claim:
        try:
            return locks.Claim(settings.DATA_DIR / "play.lock")
        except locks.AlreadyRunning as other:
            raise CommandError(
                f"The playground runs already with the data in {settings.DATA_DIR}: {other.words or 'starting up'}. "
                "Open that page, or end that process, or give a second one data of its own: "
                "PLAYGROUND_DATA_DIR=/some/folder python3 manage.py play"
            ) from other

    def _announce(self, url: str, no_browser: bool) -> None:
        steps.say(f"The playground is at {url} (Ctrl-C ends it)")
        if not no_browser and _has_screen():
            # A thread: some browsers keep their caller waiting, and the server has to go on.
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()


def _has_screen() -> bool:
    """Whether a browser window can open; without one, `webbrowser` would start a text browser in this terminal."""
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


@contextmanager
def _engine_builder() -> Iterator[None]:
    """While the body runs, compile the engine in a process of its own, if that is wanted and not done yet."""
    if native.choice() == "interpreted" or engine_build.is_current():
        yield
        return
    log = engine_build.background_log()
    steps.say(f"Compiling the engine in the background; until then it runs interpreted, slower. Log: {log}")
    with log.open("wb") as out:
        builder = subprocess.Popen(
            [sys.executable, PROJECT / "manage.py", "compile", "--background"],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield
    finally:
        steps.end_group(builder)
