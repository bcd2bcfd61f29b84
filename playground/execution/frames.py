"""Frames and their layout: the engine's present figures, packed as numbers."""

from __future__ import annotations

import sys
from array import array
from typing import TYPE_CHECKING, Any

from playground.blocks.registry import kinds
from playground.builder import Model
from playground.catalogue import catalogue
from playground.engine.limits import HOPS_KEPT
from playground.engine.tracing import HOP_FIELDS
from playground.execution.counts import Counts, by_reason, cost_of
from playground.protocol.design import Design
from playground.protocol.messages import BlockLayout, Layout

if TYPE_CHECKING:
    from playground.execution.execution import Execution

HOPS_PER_FRAME_MAX = 250


def layout_of(model: Model, design: Design, epoch: int, bucket_ns: int) -> Layout:
    """Which rows a frame of ``epoch`` has: blocks and edges in order of their ids."""
    common = [metric.name for metric in catalogue().common_metrics]
    kind_of = {block.id: block.kind for block in design.blocks}
    return Layout(
        epoch=epoch,
        blocks=[
            BlockLayout(
                id=name,
                kind=kind_of[name],
                metrics=common + [metric.name for metric in kinds()[kind_of[name]].spec.metrics],
            )
            for name in sorted(model.blocks)
        ],
        edges=sorted(model.edges),
        edge_metrics=[metric.name for metric in catalogue().edge.metrics],
        outcomes=list(catalogue().outcomes),
        bucket_ns=bucket_ns,
    )


def packed(numbers: array[float]) -> bytes:
    """float64, little-endian whatever the machine."""
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def frame_of(execution: Execution) -> dict[str, Any]:
    """The present frame, without its number and the speed that was reached."""
    model, history = execution.model, execution.series
    simulation = model.simulation
    rows = array("d")
    for name in sorted(model.blocks):
        block = model.blocks[name]
        rows.extend(block.common_metrics())
        rows.extend(block.metrics())
    edge_rows = array("d")
    for name in sorted(model.edges):
        edge_rows.extend(model.edges[name].metrics())
    now_ns = execution.now_ns
    counts = Counts(model)
    cells = {name: bytes(model.blocks[name].cells()) for name in sorted(model.blocks) if model.blocks[name].has_cells}
    offered = history.last("offered", now_ns)
    return {
        "n": 0,
        "e": execution.epoch,
        "t": now_ns,
        "f": execution.furthest_ns,
        "ev": int(simulation.events),
        "sp": 0.0,
        "b": packed(rows),
        "ed": packed(edge_rows),
        "tot": {
            "offered": counts.offered,
            "completed": counts.completed,
            "failed": counts.failed,
            "in_flight": counts.in_flight,
            "p50_ms": history.last("p50_ms", now_ns),
            "p95_ms": history.last("p95_ms", now_ns),
            "p99_ms": history.last("p99_ms", now_ns),
            "rate_per_s": (offered or 0.0) * 1e9 / history.bucket_ns,
            "failed_by": by_reason(counts.failures),
            "cost": cost_of(model),
        },
        "h": packed(_hops(execution)),
        "c": cells,
        "bk": history.length,
    }


def _hops(execution: Execution) -> array[float]:
    """The latest sampled hops since the last frame, with edges as the layout counts them."""
    model = execution.model
    tracer = model.simulation.tracer
    place = {int(model.edges[name].index): number for number, name in enumerate(sorted(model.edges))}
    seen = int(tracer.hops_seen)
    first = max(0, seen - HOPS_KEPT, seen - HOPS_PER_FRAME_MAX, min(execution.hops_told, seen))
    execution.hops_told = seen
    told = array("d")
    for number in range(first, seen):
        at = number % HOPS_KEPT * HOP_FIELDS
        fields = [float(tracer.hops[at + index]) for index in range(HOP_FIELDS)]
        edge = place.get(int(fields[1]))
        if edge is not None:
            fields[1] = float(edge)
            told.extend(fields)
    return told
