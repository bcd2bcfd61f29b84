"""Run a design without the page: ``manage.py simulate template:catalogue --until 60``."""

from __future__ import annotations

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import CommandParser

from playground import native
from playground.engine import ENGINE_VERSION
from playground.headless import ReplicationFailed, simulate
from playground.headless.sources import REPLICATIONS_MAX, number_of, prepared
from playground.headless.text import report
from playground.management.reporting import Broken, ReportingCommand

HELP = """Run a design and print its figures: the whole, every block and edge, objectives, theory beside it, notable moments."""
EPILOG = """
--json prints one object: engine_version, design_hash, seed, trace_hash, virtual_seconds, wall_seconds, events,
stopped (null, or {reason, at}), totals, blocks, edges, slo, theory, notables. Rates are per second, latencies in ms.
With --replications K > 1 every figure is {mean, ci95}: the mean over the seeds N, N+1, ... and the half width of
its 95 % confidence interval; one that was measured in a part of the runs has "replications", their number;
trace_hash is the list of the runs' hashes, and there are no notables.

Exit codes: 0 done (also when a limit of the engine stopped the run: see "stopped"); 1 it broke (a process died, a
mistake in a block: --traceback shows where); 2 something that was given is wrong; both are said on stderr, with
--json as {"problems": [...]}; 130 Ctrl-C; 143 terminated.
"""


class Command(ReportingCommand):
    """A thin layer over :func:`playground.headless.simulate`."""

    help = HELP

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """With the shape of the output at the end of the help."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.epilog = EPILOG
        return parser

    def arguments(self, parser: ArgumentParser) -> None:
        """What is run, and how. Values are checked by the API, which says of each what it takes."""
        parser.add_argument(
            "design", help="a JSON file with a design or a scenario, - for standard input, or template:NAME"
        )
        parser.add_argument(
            "--until", metavar="S", help="virtual seconds to run; default: what the scenario says, else 60"
        )
        parser.add_argument("--seed", metavar="N", help="default: the scenario's, else 1")
        parser.add_argument(
            "--replications",
            metavar="K",
            default="1",
            help="run the seeds N, N+1, ... N+K-1 and give confidence intervals",
        )
        parser.add_argument(
            "--set",
            metavar="ID.PARAM=VALUE",
            dest="changes",
            action="append",
            default=[],
            help="change a parameter of a block or an edge before the start; null or off switches off; may be repeated",
        )
        parser.add_argument(
            "--intervene", metavar="LOG.json", help="a list of interventions, added to those of the scenario"
        )

    def report(self, as_json: bool, options: dict[str, Any]) -> str:
        """The figures, as text or as JSON."""
        scenario = prepared(
            options["design"],
            until_s=options["until"],
            seed=options["seed"],
            changes=options["changes"],
            interventions=options["intervene"] or (),
        )
        replications = number_of(
            "replications", options["replications"], whole=True, minimum=1, maximum=REPLICATIONS_MAX
        )
        if scenario.engine_version not in (None, ENGINE_VERSION):
            self.stderr.write(
                f"simulate: made with engine {scenario.engine_version}, this is {ENGINE_VERSION}: figures may differ",
                style_func=self.style.WARNING,
            )
        try:
            result = simulate(scenario, replications=int(replications))
        except ReplicationFailed as failure:
            raise Broken(str(failure)) from failure
        return result.model_dump_json() if as_json else report(result, scenario, native.mode())
