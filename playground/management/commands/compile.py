"""Compile the engine and the blocks with mypyc now: `manage.py compile`."""

from __future__ import annotations

import os
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from playground.setup import engine_build, steps


class Command(BaseCommand):
    """Builds what `playground.native` serves; says how long it took and what is in it."""

    help = "Compile the engine and the blocks' behaviours with mypyc."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """--background gives way to everything else on the machine."""
        parser.add_argument("--background", action="store_true", help="run at a low priority and list nothing")

    def handle(self, *args: Any, background: bool, **options: Any) -> None:
        """Build unless a build of the present sources is there."""
        if background:
            os.nice(10)
        began = time.monotonic()
        current = engine_build.is_current()
        try:
            build = engine_build.build()
        except steps.StepFailed as failure:
            raise CommandError(str(failure)) from failure
        if background:
            return
        done = "was there already" if current else f"built in {time.monotonic() - began:.1f} s"
        self.stdout.write(f"build {build.hash} {done}: {len(build.modules)} modules")
        for module in build.modules:
            self.stdout.write(f"  {module}")
