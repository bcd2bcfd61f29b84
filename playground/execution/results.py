"""The results of a run: totals, every block and edge, objectives, theory beside. Rates per second, latencies in ms."""

from __future__ import annotations

from typing import Any

from playground.blocks.registry import kinds
from playground.builder import Model
from playground.catalogue import catalogue
from playground.engine.block import Block
from playground.engine.edge import Edge
from playground.engine.histogram import Histogram
from playground.engine.outcomes import OUTCOME_COUNT
from playground.execution.comparison import theory_of
from playground.execution.counts import Counts, by_reason, cost_of
from playground.execution.history import History, merged
from playground.protocol.design import Design, Slo, design_hash

LATENCIES = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("p999", 0.999))

Figures = dict[str, Any]


def results_of(
    model: Model, design: Design, series: History, *, seed: int, engine_version: str, wall_s: float
) -> Figures:
    """Everything, in the shape of ``manage.py simulate --json``."""
    simulation = model.simulation
    seconds = float(simulation.now) / 1e9
    kind_of = {block.id: block.kind for block in design.blocks}
    totals = totals_of(model, seconds)
    stopped = {"reason": simulation.stopped, "at": seconds} if simulation.stopped else None
    return {
        "engine_version": engine_version,
        "design_hash": design_hash(design),
        "seed": seed,
        "trace_hash": simulation.trace_hash(),
        "virtual_seconds": seconds,
        "wall_seconds": round(wall_s, 6),
        "events": int(simulation.events),
        "stopped": stopped,
        "totals": totals,
        "blocks": {
            name: {"kind": kind_of[name], "metrics": block_figures(model.blocks[name], kind_of[name], seconds)}
            for name in sorted(model.blocks)
        },
        "edges": {name: edge_figures(model.edges[name], seconds) for name in sorted(model.edges)},
        "slo": [verdict(slo, model, totals, seconds) for slo in design.slo],
        "theory": theory_of(model, design, seconds, series),
    }


def latencies(histogram: Histogram) -> Figures:
    """Mean and percentiles in ms; null where nothing was measured."""
    number = int(histogram.number)
    found: Figures = {"mean": float(histogram.total) / number / 1e6 if number else None}
    for name, fraction in LATENCIES:
        ns = histogram.percentile(fraction)
        found[name] = ns / 1e6 if ns >= 0 else None
    return found


def totals_of(model: Model, seconds: float) -> Figures:
    """The whole design, as its clients saw it."""
    counts = Counts(model)
    roots = counts.roots
    cost = cost_of(model)
    return {
        "offered": counts.offered,
        "completed": counts.completed,
        "failed": counts.failed,
        "in_flight": counts.in_flight,
        "rate": counts.offered / seconds if seconds else 0.0,
        "goodput": counts.completed / seconds if seconds else 0.0,
        "latency": latencies(merged(root.histogram for root in roots)),
        "failures": by_reason(counts.failures),
        "cost": cost,
        "cost_per_hour": cost * 3600.0 / seconds if seconds else 0.0,
    }


def block_figures(block: Block, kind: str, seconds: float) -> Figures:
    """A block's own figures, and what follows from them over the whole run."""
    names = [metric.name for metric in (*catalogue().common_metrics, *kinds()[kind].spec.metrics)]
    found: Figures = dict(zip(names, [*block.common_metrics(), *block.metrics()], strict=True))
    found["rate"] = float(block.offered) / seconds if seconds else 0.0
    found["goodput"] = float(block.completed) / seconds if seconds else 0.0
    found["mean_in_flight"] = block.in_flight_integral() / seconds / 1e9 if seconds else 0.0
    if block.capacity() > 0 and seconds:
        found["utilisation"] = block.utilisation()
    if block.histogram.number:
        spread = latencies(block.histogram)
        found.update({f"{name}_ms": value for name, value in spread.items()})
    found["failures"] = block.failures_by_reason()
    return found


def edge_figures(edge: Edge, seconds: float) -> Figures:
    """An edge's own figures, and the latency that its caller saw, retries included."""
    names = [metric.name for metric in catalogue().edge.metrics]
    found: Figures = dict(zip(names, edge.metrics(), strict=True))
    found["rate"] = float(edge.offered) / seconds if seconds else 0.0
    if edge.histogram.number:
        spread = latencies(edge.histogram)
        found.update({f"{name}_ms": value for name, value in spread.items()})
    found["failures"] = by_reason(edge.failures[reason] for reason in range(OUTCOME_COUNT))
    return found


def verdict(slo: Slo, model: Model, totals: Figures, seconds: float) -> Figures:
    """Whether an objective is met over the run so far; null before there is anything to judge by."""
    if slo.block is None:
        latency, completed, failed = totals["latency"], totals["completed"], totals["failed"]
    else:
        block = model.blocks[slo.block]
        latency = latencies(block.histogram)
        completed, failed = int(block.completed), int(block.failed)
    value: float | None
    if slo.metric == "availability_percent":
        ended = completed + failed
        value = 100.0 * completed / ended if ended else None
    elif slo.metric == "goodput_per_s":
        value = completed / seconds if seconds else None
    else:
        value = latency[slo.metric.removesuffix("_ms")]
    met = None
    if value is not None:
        met = value <= slo.at_most if slo.at_most is not None else value >= (slo.at_least or 0.0)
    return {
        "metric": slo.metric,
        "block": slo.block,
        "at_most": slo.at_most,
        "at_least": slo.at_least,
        "value": value,
        "met": met,
    }
