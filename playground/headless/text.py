"""Results and declarations as text for a terminal: aligned tables, and nothing that a terminal could take for a command."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from playground.catalogue import catalogue
from playground.headless.models import Estimate, Figures, Number, Run, Study, Verdict
from playground.protocol.design import Scenario
from playground.protocol.errors import shown

Figure = Number | Estimate
NOTABLES_SHOWN = 20
GAP = "  "

BLOCK_COLUMNS = (
    ("calls/s", "rate", 1.0),
    ("failed", "failed", 1.0),
    ("in flight", "mean_in_flight", 1.0),
    ("busy %", "utilisation", 100.0),
    ("waiting", "queue", 1.0),
    ("mean ms", "mean_ms", 1.0),
    ("p99 ms", "p99_ms", 1.0),
)
EDGE_COLUMNS = (
    ("calls/s", "rate", 1.0),
    ("failed", "failed", 1.0),
    ("retried", "retried", 1.0),
    ("timeouts", "timeouts", 1.0),
    ("lost", "lost", 1.0),
    ("mean ms", "mean_ms", 1.0),
    ("p99 ms", "p99_ms", 1.0),
)
VERDICTS = {True: "met", False: "MISSED", None: "nothing measured"}
LATENCIES = (("mean", "mean"), ("p50", "p50"), ("p95", "p95"), ("p99", "p99"), ("p99.9", "p999"))


def number(value: float) -> str:
    """Four digits or so; whole numbers with all of theirs."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def figure(value: Figure, factor: float = 1.0) -> str:
    """A figure of one run or of several; a dash where nothing was measured."""
    if value is None:
        return "-"
    if not isinstance(value, Estimate):
        return number(value * factor)
    if value.mean is None:
        return "-"
    half_width = f" ±{number(float(f'{value.ci95 * factor:.2g}'))}" if value.ci95 else ""
    part = f" ({value.replications} runs)" if value.replications is not None else ""
    return number(float(f"{value.mean * factor:.5g}")) + half_width + part


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1) -> list[str]:
    """Lines of a table; the first ``left`` columns are aligned to the left, the others to the right."""
    cells = [list(head), *(list(row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    return [
        GAP
        + GAP.join(
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]


def report(result: Run | Study, scenario: Scenario, engine: str) -> str:
    """Everything that a run gave, for reading."""
    parts = [_head(result, scenario, engine), _totals(result), _blocks(result), _edges(result), _own_figures(result)]
    parts += [_slo(result), _theory(result)]
    if isinstance(result, Run):
        parts.append(_notables(result))
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _head(result: Run | Study, scenario: Scenario, engine: str) -> list[str]:
    name = shown(scenario.design.name)
    if isinstance(result, Study):
        seeds = f"seeds {result.seed} to {result.seed + result.replications - 1}"
        hashes = f"traces {result.trace_hash[0]} and {result.replications - 1} more"
        each = " each; ± is the 95 % confidence interval's half width"
        wall, seconds = result.wall_seconds.mean, result.virtual_seconds.mean
    else:
        seeds, hashes, each = f"seed {result.seed}", f"trace {result.trace_hash}", ""
        wall, seconds = result.wall_seconds, result.virtual_seconds
    speed = f", {number((seconds or 0) / wall)} x real time" if wall else ""
    lines = [
        f"{name}: {figure(result.virtual_seconds)} virtual seconds, {seeds}{each}",
        f"{figure(result.events)} events in {figure(result.wall_seconds)} s{speed} "
        f"(engine {result.engine_version}, {engine})",
        f"design {result.design_hash}, {hashes}",
    ]
    if result.stopped is not None:
        part = f" in {result.stopped.replications} of the runs" if result.stopped.replications is not None else ""
        lines.append(f"STOPPED{part} at {number(result.stopped.at)} s: the limit {result.stopped.reason} was reached")
    late = sum(entry.at_ns > scenario.until_s * 1e9 for entry in scenario.interventions)
    if late:
        lines.append(f"{late} of {len(scenario.interventions)} interventions lie after the end and did not happen")
    return lines


def _totals(result: Run | Study) -> list[str]:
    totals = result.totals
    failures = [f"{reason} {figure(count)}" for reason, count in totals.failures.items()]
    return [
        "Requests",
        f"  offered {figure(totals.offered)} ({figure(totals.rate)}/s), completed {figure(totals.completed)} "
        f"({figure(totals.goodput)}/s), failed {figure(totals.failed)}, in flight at the end {figure(totals.in_flight)}",
        "  latency in ms: " + ", ".join(f"{word} {figure(getattr(totals.latency, name))}" for word, name in LATENCIES),
        *(["  failures: " + ", ".join(failures)] if failures else []),
        f"  cost: {figure(totals.cost_per_hour)} units an hour on average",
    ]


def _plain(metrics: Figures[Number] | Figures[Estimate], name: str) -> Figure:
    value = metrics.get(name)
    return None if isinstance(value, dict) else value


def _blocks(result: Run | Study) -> list[str]:
    rows = [
        [name, block.kind, *(figure(_plain(block.metrics, column), factor) for _, column, factor in BLOCK_COLUMNS)]
        for name, block in result.blocks.items()
    ]
    return ["Blocks", *table(["id", "kind", *(title for title, _, _ in BLOCK_COLUMNS)], rows, left=2)]


def _edges(result: Run | Study) -> list[str]:
    rows = [
        [name, *(figure(_plain(metrics, column), factor) for _, column, factor in EDGE_COLUMNS)]
        for name, metrics in result.edges.items()
    ]
    return ["Edges", *table(["id", *(title for title, _, _ in EDGE_COLUMNS)], rows)]


def _own_figures(result: Run | Study) -> list[str]:
    """What only blocks of this kind report, by the names that JSON has, and why their calls failed."""
    rows = []
    specs = {spec.kind: spec for spec in catalogue().blocks}
    for name, block in result.blocks.items():
        names = [metric.name for metric in specs[block.kind].metrics]
        words = [f"{metric} {figure(_plain(block.metrics, metric))}" for metric in names]
        failures = block.metrics.get("failures")
        if isinstance(failures, dict):
            words += [f"failed as {reason} {figure(count)}" for reason, count in failures.items()]
        rows.append([name, ", ".join(words)])
    return ["Figures of their own", *table(["id", ""], rows, left=2)]


def _slo(result: Run | Study) -> list[str]:
    rows = [_verdict(verdict) for verdict in result.slo]
    return ["Objectives", *table(["metric", "of", "wanted", "measured", ""], rows, left=3)] if rows else []


def _verdict(verdict: Verdict[Number] | Verdict[Estimate]) -> list[str]:
    wanted = (
        f"at most {number(verdict.at_most)}"
        if verdict.at_most is not None
        else f"at least {number(verdict.at_least or 0)}"
    )
    part = f" (met in {verdict.replications} runs)" if verdict.replications is not None else ""
    return [verdict.metric, verdict.block or "all", wanted, figure(verdict.value), VERDICTS[verdict.met] + part]


def _theory(result: Run | Study) -> list[str]:
    rows = [[row.name, row.formula, figure(row.expected), figure(row.measured), row.unit] for row in result.theory]
    return ["Theory beside it", *table(["", "formula", "expected", "measured", ""], rows, left=2)] if rows else []


def _notables(result: Run) -> list[str]:
    if not result.notables:
        return []
    lines = [
        f"  {told.at_ns / 1e9:>10.3f} s  {shown(told.title)}. {shown(told.detail)}"
        for told in result.notables[:NOTABLES_SHOWN]
    ]
    more = len(result.notables) - NOTABLES_SHOWN
    return ["Notable moments", *lines, *([f"  and {more} more"] if more > 0 else [])]
