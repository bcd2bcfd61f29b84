"""Measure: ``manage.py bench engine``, ``bench stream``, ``bench canvas``."""

from __future__ import annotations

import importlib
from argparse import ArgumentParser
from typing import Any

from playground.management.reporting import Broken, ReportingCommand

WHAT = {
    "engine": "the engine beside SimPy and Ciw, the catalogue plain and on a sharded data layer, many blocks: about 90 s",
    "stream": "frames to many viewers of a real server: about a minute",
    "canvas": "frames per second of the page in a headless Chromium: about a minute",
}


class Command(ReportingCommand):
    """Runs one of the benchmarks in :mod:`playground.bench`, which print for themselves."""

    help = "Measure " + "; ".join(f"{name}: {text}" for name, text in WHAT.items()) + "."

    def arguments(self, parser: ArgumentParser) -> None:
        """Which one."""
        parser.add_argument("what", choices=WHAT, help="what is measured")

    def report(self, as_json: bool, options: dict[str, Any]) -> str:
        """Measure and print; raises :class:`Broken` where it can't be measured."""
        what = options["what"]
        try:
            importlib.import_module(f"playground.bench.{what}").run(as_json)
        except ModuleNotFoundError as error:
            raise Broken(f"bench {what} needs {error.name}: `pip install -r requirements-dev.txt` brings it") from error
        except RuntimeError as error:
            raise Broken(f"bench {what}: {error}") from error
        return ""
