"""The base of commands that print something: for people or, with ``--json``, for programs; and that never end in a traceback.

Exit codes: 0 done; 1 something broke while it was done; 2 what was given is wrong (as argparse has it); 130 Ctrl-C; 143 terminated.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandParser

from playground.protocol.errors import InputError, Problem

EXIT_BROKEN = 1
EXIT_WRONG_INPUT = 2
EXIT_TERMINATED = 143


class Broken(Exception):
    """It could not be done, and the input is not to blame; the message is for people."""


class ReportingCommand(BaseCommand):
    """A subclass overrides :meth:`arguments` and :meth:`report`, whose answer is printed.

    Problems go to stderr, one a line: ``command: what is wrong; accepted: what would be``; under ``--json`` as one object
    ``{"problems": [...]}`` in the shape that the API uses.
    """

    requires_system_checks = ()
    as_json = False

    def arguments(self, parser: ArgumentParser) -> None:
        """Declare further arguments."""

    def report(self, as_json: bool, options: dict[str, Any]) -> str:
        """Do it; the text to print, empty where it printed itself. Raises :class:`InputError` or :class:`Broken`."""
        raise NotImplementedError

    def add_arguments(self, parser: CommandParser) -> None:
        """``--json``, and what the command has of its own."""
        parser.add_argument(
            "--json", action="store_true", dest="as_json", help="print one JSON object, and nothing else"
        )
        self.arguments(parser)

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """A parser that reports as the command does."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        self.name = subcommand
        if getattr(self, "_called_from_command_line", False):
            parser.error = self.refuse_usage  # type: ignore[method-assign]
        return parser

    def run_from_argv(self, argv: list[str]) -> None:
        """Begin, from a command line."""
        self.as_json = "--json" in argv
        if threading.current_thread() is threading.main_thread():
            # As an exception, so that whatever was begun is ended.
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(EXIT_TERMINATED))
        super().run_from_argv(argv)

    def handle(self, *args: Any, as_json: bool, **options: Any) -> None:
        """Print the report, or what is wrong; exits with 1 or 2 then."""
        self.as_json = as_json
        try:
            text = self.report(as_json, options)
        except InputError as error:
            self.refuse(error.problems, EXIT_WRONG_INPUT)
        except Broken as error:
            self.refuse([Problem(code="broken", message=str(error))], EXIT_BROKEN)
        except MemoryError:
            self.refuse([Problem(code="memory", message="there is not enough memory for it")], EXIT_BROKEN)
        except Exception as error:
            if options["traceback"]:
                raise
            what = f"a mistake in the program: {type(error).__name__}: {error}"
            self.refuse([Problem(code="internal", message=f"{what}; --traceback says where")], EXIT_BROKEN)
        if text:
            self.print(text)

    def print(self, text: str) -> None:
        """Write to stdout; characters that it can't show are escaped, and nobody reading any more is no error."""
        stream = getattr(self.stdout, "_out", sys.stdout)
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
        try:
            self.stdout.write(text, ending="" if text.endswith("\n") else "\n")
            self.stdout.flush()
        except BrokenPipeError:
            # `| head` has seen enough. Python would flush once more at its end, and complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def refuse(self, problems: Sequence[Problem], code: int) -> NoReturn:
        """Write problems to stderr and exit with ``code``."""
        if self.as_json:
            told = {"problems": [problem.model_dump() for problem in problems]}
            self.stderr.write(json.dumps(told), style_func=str)
        else:
            for problem in problems:
                # Many messages say already what would be taken.
                is_said = not problem.accepted or problem.accepted in problem.message
                accepted = "" if is_said else f"; accepted: {problem.accepted}"
                self.stderr.write(f"{self.name}: {printable(problem.message + accepted)}")
        raise SystemExit(code)

    def refuse_usage(self, message: str) -> NoReturn:
        """What argparse calls for arguments that it doesn't know, or misses."""
        accepted = f"python3 manage.py {self.name} --help says what"
        self.refuse([Problem(code="usage", message=message, accepted=accepted)], EXIT_WRONG_INPUT)


def printable(text: str) -> str:
    """``text`` in one line, without what a terminal would take for a command."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
