"""Run a script of concurrent transactions: ``manage.py isolation template:two-buyers --level "repeatable read"``."""

from __future__ import annotations

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import CommandParser

from playground.isolation.lab import DIALECTS, options
from playground.isolation.results import run
from playground.isolation.schedules import shuffled
from playground.isolation.sources import script_of, templates
from playground.isolation.text import report
from playground.isolation.verifying import NotCompared, database_url, verified
from playground.management.reporting import Broken, ReportingCommand
from playground.protocol.errors import InputError

HELP = """Run a script of concurrent transactions: what each statement returned, whom it waited for, why it failed, and what went wrong."""
EPILOG = """
A script declares tables and rows, and then has the statements of sessions T1 to T4, one a line, in their order:

    create table test (id int primary key, value int);
    insert into test values (1, 10), (2, 20);
    T1: begin isolation level repeatable read;
    T2: begin;
    T1: select * from test where id = 1 for update;
    T2: update test set value = value + 1 where value >= 10;
    T1: commit;
    T2: commit;

docs/guides/isolation.md has the rest, and the shape of what --json prints. Scripts that come with it:
"""
SEED_MAX = 2**53


class Command(ReportingCommand):
    """A thin layer over :mod:`playground.isolation`."""

    help = HELP

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """With an example and the templates at the end of the help."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.epilog = EPILOG + "\n".join(
            f"    template:{one.name:<24} {one.title.replace('%', '%%')}" for one in templates().values()
        )
        return parser

    def arguments(self, parser: ArgumentParser) -> None:
        """What is run, and how."""
        parser.add_argument("script", help="a file, - for standard input, or template:NAME")
        parser.add_argument("--dialect", default="postgresql", help=", ".join(DIALECTS) + "; default: postgresql")
        parser.add_argument(
            "--level", metavar="L", help="isolation level of every BEGIN that names none; default: the dialect's own"
        )
        parser.add_argument("--shuffle", metavar="SEED", help="a random order that keeps each session's own")
        parser.add_argument("--no-index", action="store_true", help="plans scan the table, whatever the condition")
        parser.add_argument(
            "--verify",
            metavar="DSN",
            help="run it on this PostgreSQL too (in a schema of its own) and compare; default: DATABASE_URL where that is one",
        )

    def report(self, as_json: bool, options_given: dict[str, Any]) -> str:
        """The result, as text or as JSON."""
        chosen = options(options_given["dialect"], options_given["level"], not options_given["no_index"])
        script = script_of(options_given["script"])
        if options_given["shuffle"] is not None:
            script = shuffled(script, seed_of(options_given["shuffle"]))
        result = run(script, chosen)
        dsn = options_given["verify"] or database_url()
        if options_given["verify"] and chosen.dialect != "postgresql":
            raise InputError.single("verify", "--verify compares with a PostgreSQL", accepted="--dialect postgresql")
        if dsn and chosen.dialect == "postgresql":
            try:
                result["verified"] = verified(dsn, script, chosen)
            except NotCompared as error:
                raise Broken(str(error)) from error
        return json.dumps(result) if as_json else report(result)


def seed_of(given: str) -> int:
    """The seed of a shuffle. Raises InputError."""
    if not given.isdecimal() or int(given) > SEED_MAX:
        raise InputError.single("seed", f"--shuffle {given!r} is no seed", value=given, accepted=f"0 to {SEED_MAX}")
    return int(given)
