"""The record of a run in buckets of equal length: counts, latency percentiles, how busy each block was."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from playground.blocks.registry import kinds
from playground.builder import Model
from playground.catalogue import catalogue
from playground.engine.block import Block
from playground.engine.histogram import Histogram
from playground.engine.outcomes import OUTCOME_COUNT, OUTCOMES
from playground.execution.counts import Counts
from playground.protocol.design import Design

BUCKETS_WANTED = 600
BUCKET_NS_MIN = 50_000_000
NICE = (1, 2, 5)
LOOKS = 10
"""How often in a bucket a figure is looked at whose highest value counts."""
PERCENTILES = (("p50_ms", 0.5), ("p95_ms", 0.95), ("p99_ms", 0.99))


def bucket_length_ns(until_ns: int) -> int:
    """The length of a bucket: 1, 2 or 5 times a power of ten, so that a run has about 600 of them."""
    wanted = max(BUCKET_NS_MIN, until_ns // BUCKETS_WANTED)
    power = 10_000_000
    while True:
        for factor in NICE:
            if factor * power >= wanted:
                return factor * power
        power *= 10


class Totals(Counts):
    """The whole design's counters at one time, its clients' latencies, and how long what each block has was held."""

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        self.latency = merged(root.histogram for root in self.roots)
        self.blocks = dict(model.blocks)
        self.held = {
            name: [station.busy_integral() for station in block.resources()] for name, block in model.blocks.items()
        }


def merged(histograms: Iterable[Histogram]) -> Histogram:
    """The sum of some histograms, as one of its own.

    Histograms are handed over, never their columns: compiled code keeps a column that it is called with from here for good (decision 91).
    """
    whole = Histogram()
    for histogram in histograms:
        whole.include(histogram)
    return whole


def watched(model: Model, design: Design, *, highest: bool = False) -> dict[str, float | None]:
    """What each figure that ``design`` watches (``highest``: for its highest value) reads now, None where there is none, by target and
    metric."""
    kind_of = {block.id: block.kind for block in design.blocks}
    found: dict[str, float | None] = {}
    for it in design.watch:
        if highest and it.show != "highest":
            continue
        if it.target in model.blocks:
            block = model.blocks[it.target]
            declared = (*catalogue().common_metrics, *kinds()[kind_of[it.target]].spec.metrics)
            values = [*block.common_metrics(), *block.metrics()]
        elif it.target in model.edges:
            declared, values = catalogue().edge.metrics, model.edges[it.target].metrics()
        else:
            declared, values = (), []
        names = [metric.name for metric in declared]
        found[f"{it.target}.{it.metric}"] = values[names.index(it.metric)] if it.metric in names else None
    return found


class History:
    """Columns by name, one value a whole bucket; bucket i covers (i, i + 1] times ``bucket_ns``."""

    def __init__(self, model: Model, bucket_ns: int) -> None:
        self.bucket_ns = bucket_ns
        self.columns: dict[str, list[float | None]] = {}
        self.length = 0
        self._before = Totals(model)
        self._highest: dict[str, float] = {}

    @property
    def offered_per_s(self) -> float:
        """How often requests came in the last recorded bucket."""
        column = self.columns.get("offered")
        return (column[-1] or 0.0) * 1e9 / self.bucket_ns if column else 0.0

    def next_boundary_ns(self, now_ns: int) -> int:
        """The end of the bucket that ``now_ns`` lies in."""
        return (now_ns // self.bucket_ns + 1) * self.bucket_ns

    def next_look_ns(self, design: Design, now_ns: int) -> int:
        """When it has to do something next: at the end of the bucket, or before where ``design`` watches a highest value."""
        if any(it.show == "highest" for it in design.watch):
            step = self.bucket_ns // LOOKS
            return (now_ns // step + 1) * step
        return self.next_boundary_ns(now_ns)

    def look(self, model: Model, design: Design, now_ns: int) -> None:
        """Note what is highest in this bucket, and record it where it is whole now. At other times than these, at which a viewer's pace or
        a pause lets the run stand, nothing is noted: the record is the same however the run got there."""
        if now_ns % (self.bucket_ns // LOOKS) != 0:
            return
        for name, value in watched(model, design, highest=True).items():
            if value is not None and value > self._highest.get(name, -math.inf):
                self._highest[name] = value
        if now_ns % self.bucket_ns == 0:
            self.record(model, design, now_ns)
            self._highest = {}

    def rebase(self, model: Model) -> None:
        """The run stands somewhere else now, at a bucket's end; what was recorded stays, since it will come again as it was."""
        self._before = Totals(model)
        self._highest = {}

    def record(self, model: Model, design: Design, now_ns: int) -> None:
        """The bucket that ends now is whole; ``design`` is what runs."""
        bucket = now_ns // self.bucket_ns - 1
        now = Totals(model)
        before, self._before = self._before, now
        if bucket != self.length:
            return
        values: dict[str, float | None] = {
            "offered": now.offered - before.offered,
            "completed": now.completed - before.completed,
            "failed": now.failed - before.failed,
        }
        for name, fraction in PERCENTILES:
            ns = now.latency.percentile_since(before.latency, fraction)
            values[name] = round(ns / 1e6, 6) if ns >= 0 else None
        completed = now.completed - before.completed
        values["mean_ms"] = (
            round((now.latency.total - before.latency.total) / completed / 1e6, 6) if completed else None
        )
        for reason in range(1, OUTCOME_COUNT):
            if now.failures[reason]:
                values[f"failed.{OUTCOMES[reason]}"] = now.failures[reason] - before.failures[reason]
        for name, block in model.blocks.items():
            values[f"in_flight.{name}"] = float(block.in_flight)
            if block.capacity() > 0:
                values[f"queue.{name}"] = block.queue()
                here_before = before.blocks.get(name) is block
                held_before = before.held[name] if here_before else [0.0] * len(now.held[name])
                values[f"utilisation.{name}"] = round(self._busiest(block, now.held[name], held_before), 6)
        values.update({f"watch.{name}": value for name, value in watched(model, design).items()})
        values.update({f"highest.{name}": self._highest.get(name) for name in watched(model, design, highest=True)})
        self._append(values)

    def _busiest(self, block: Block, held: list[float], held_before: list[float]) -> float:
        """The share of the bucket's time for which the busiest of a block's resources was held; where some of it is being given up, what
        there will be is all in use."""
        shares = [
            (now - before) / station.capacity() / self.bucket_ns
            for station, now, before in zip(block.resources(), held, held_before, strict=True)
            if station.capacity() > 0
        ]
        return min(1.0, max(shares))

    def _append(self, values: dict[str, float | None]) -> None:
        for name, value in values.items():
            column = self.columns.setdefault(name, [])
            if len(column) < self.length:
                # New since: a failure that had not happened before counts as none, a block that was not there as nothing.
                column.extend([0 if name.startswith("failed.") else None] * (self.length - len(column)))
            column.append(value)
        self.length += 1

    def cut(self, now_ns: int) -> None:
        """Forget the buckets that end after ``now_ns``: another future begins."""
        self.length = min(self.length, now_ns // self.bucket_ns)
        for column in self.columns.values():
            del column[self.length :]
        # A failure or a block that came up in the future that is gone was never there.
        self.columns = {name: column for name, column in self.columns.items() if _says_something(name, column)}

    def last(self, name: str, now_ns: int) -> float | None:
        """The value of the last whole bucket before ``now_ns``."""
        column = self.columns.get(name, [])
        bucket = now_ns // self.bucket_ns - 1
        return column[bucket] if 0 <= bucket < len(column) else None

    def columns_from(self, first: int) -> dict[str, Any]:
        """All columns from bucket ``first`` on, each as long as the others."""
        first = min(first, self.length)
        columns = {
            name: (column + [None] * (self.length - len(column)))[first:] for name, column in self.columns.items()
        }
        return {"bucket_ns": self.bucket_ns, "first": first, "columns": columns}


def _says_something(name: str, column: list[float | None]) -> bool:
    """Whether a run that went no further than ``column`` would have it."""
    if name.startswith("failed."):
        return any(column)
    if "." in name:
        return any(value is not None for value in column)
    return bool(column)
