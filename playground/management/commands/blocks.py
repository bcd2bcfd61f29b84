"""Print every kind of block with its parameters and bounds: ``manage.py blocks``."""

from __future__ import annotations

import difflib
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from playground.catalogue import catalogue
from playground.headless.text import table
from playground.management.reporting import ReportingCommand
from playground.parameters import accepted_by
from playground.protocol.catalogue import BlockSpec, Fault, Metric, Param, Scalar
from playground.protocol.errors import InputError, shown


class Command(ReportingCommand):
    """The catalogue, all of it or some kinds; ``--json``: as the API has it (all of it)."""

    help = "Print every kind of block: parameters with their units, defaults and bounds, ports, metrics, faults."

    def arguments(self, parser: ArgumentParser) -> None:
        """Which kinds."""
        parser.add_argument(
            "kinds", nargs="*", metavar="KIND", help="only these kinds; 'edge' is what every connection has"
        )

    def report(self, as_json: bool, options: dict[str, Any]) -> str:
        """The catalogue as text or JSON; raises :class:`InputError` for a kind that isn't there."""
        known = catalogue()
        parts = {spec.kind: block_text(spec) for spec in known.blocks}
        parts["edge"] = edge_text()
        wanted = options["kinds"]
        for kind in wanted:
            if kind not in parts:
                near = difflib.get_close_matches(kind, parts, 3, 0.5)
                raise InputError.single(
                    "unknown_kind",
                    f"there is no kind of block {shown(kind)!r}",
                    value=shown(kind),
                    accepted=", ".join(near or parts),
                )
        if as_json:
            blocks = tuple(spec for spec in known.blocks if not wanted or spec.kind in wanted)
            return known.model_copy(update={"blocks": blocks}).model_dump_json()
        common = ["", "Every block reports", *metric_lines(known.common_metrics)] if not wanted else []
        limits = [
            "",
            "Limits",
            *table(["name", "at most"], [[name, f"{most:,}"] for name, most in known.limits.items()]),
        ]
        return "\n\n".join(parts[kind] for kind in wanted or parts) + "\n".join(
            ["", *common, *([] if wanted else limits)]
        )


def block_text(spec: BlockSpec) -> str:
    """One kind of block."""
    ports = [
        [port.name, port.direction, port.type, count(port.minimum, port.maximum), port.help] for port in spec.ports
    ]
    return "\n".join(
        [
            f"{spec.kind}: {spec.title} ({spec.category}). {spec.summary}.",
            *section("Parameters", param_lines(spec.params)),
            *section("Ports", table(["name", "", "type", "edges", ""], ports, left=5) if ports else []),
            *section("Metrics of its own", metric_lines(spec.metrics)),
            *section("Faults", fault_lines(spec.faults)),
        ]
    )


def edge_text() -> str:
    """What every connection has."""
    edge = catalogue().edge
    return "\n".join(
        [
            "edge: a connection, with the caller's policies on it.",
            *section("Parameters", param_lines(edge.params)),
            *section("Metrics", metric_lines(edge.metrics)),
            *section("Faults", fault_lines(edge.faults)),
        ]
    )


def section(title: str, lines: Sequence[str]) -> list[str]:
    """Lines under a title; nothing where there are none."""
    return [f" {title}", *lines] if lines else []


def param_lines(params: Sequence[Param]) -> list[str]:
    """Each parameter with its default, what it takes, and its help."""
    rows = [[param.name, default(param), accepted_by(param), param.help + restart(param)] for param in params]
    return table(["name", "default", "takes", ""], rows, left=4) if rows else []


def restart(param: Param) -> str:
    """A note for a parameter that can't change while a run goes on."""
    return "" if param.live else " (not while it runs)"


def default(param: Param) -> str:
    """A parameter's default with its unit."""
    return written(param.default) + (f" {param.unit}" if param.unit and param.default is not None else "")


def written(value: Scalar) -> str:
    """A value as ``--set`` takes it."""
    if value is None:
        return "off"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def count(minimum: int, maximum: int | None) -> str:
    """How many edges a port takes."""
    if maximum is None:
        return f"{minimum} or more"
    return str(minimum) if minimum == maximum else f"{minimum} to {maximum}"


def metric_lines(metrics: Sequence[Metric]) -> list[str]:
    """Each metric with its kind, unit and help."""
    rows = [[metric.name, metric.kind, metric.unit, metric.help] for metric in metrics]
    return table(["name", "kind", "unit", ""], rows, left=4) if rows else []


def fault_lines(faults: Sequence[Fault]) -> list[str]:
    """Each fault with its help, and its parameters under it."""
    lines = []
    for fault in faults:
        lines.append(f"  {fault.name}: {fault.help}")
        lines += [f"    {param.name} = {default(param)}: {accepted_by(param)}. {param.help}" for param in fault.params]
    return lines
