"""The shape of results: of one run, where figures are numbers, and of several seeds, where each is an estimate."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer

from playground.protocol.messages import Notable

Number = int | float | None
"""A figure of one run; None where nothing was measured."""


class Shape(BaseModel):
    """Base of all results: they don't change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Counted(Shape):
    """Something that may hold in a part of the replications: ``replications`` says in how many, and is left out where in all."""

    replications: int | None = None

    @model_serializer(mode="wrap")
    def _without_what_is_usual(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = handler(self)
        if self.replications is None:
            written.pop("replications", None)
        return written


class Estimate(Counted):
    """A figure over several seeds: its mean and the half width of the 95 % confidence interval (Student's t).

    Where a figure was measured in a part of the runs alone (the latency of a block that some runs never called), ``replications`` counts
    these, and the mean is theirs. ``ci95`` is None where fewer than two measured it.
    """

    mean: float | None
    ci95: float | None

    def __str__(self) -> str:
        if self.mean is None:
            return "not measured"
        # Two digits of an uncertainty say all that it can.
        return f"{self.mean:.6g}" + (f" ± {float(f'{self.ci95:.2g}'):g}" if self.ci95 is not None else "")


F = TypeVar("F")
Figures = dict[str, F | dict[str, F]]
"""Figures by name, as the block's ``spec.py`` declares them; ``failures`` are counts by reason."""


class Latency(Shape, Generic[F]):
    """Milliseconds, as the clients saw them."""

    mean: F
    p50: F
    p95: F
    p99: F
    p999: F


class Totals(Shape, Generic[F]):
    """The whole design as its clients saw it: counts, rates per second, latencies in ms, failed requests by reason.

    ``cost`` in neutral units so far, ``cost_per_hour`` on average over the run.
    """

    offered: F
    completed: F
    failed: F
    in_flight: F
    rate: F
    goodput: F
    latency: Latency[F]
    failures: dict[str, F]
    cost: F
    cost_per_hour: F


class BlockResult(Shape, Generic[F]):
    """One block."""

    kind: str
    metrics: Figures[F]


class Verdict(Counted, Generic[F]):
    """An objective. Of several seeds it is met where every one of them met it; ``replications`` counts those that did."""

    metric: str
    block: str | None
    at_most: float | None
    at_least: float | None
    value: F
    met: bool | None


class TheoryRow(Shape, Generic[F]):
    """What a closed form gives, and what was measured."""

    name: str
    formula: str
    expected: F
    measured: F
    unit: str


class Stopped(Counted):
    """The limit that a run came to, and when (virtual seconds). Of several seeds: of the first that came to one."""

    reason: str
    at: float


class Result(Shape, Generic[F]):
    """What :class:`Run` and :class:`Study` have in common. ``wall_seconds`` is the engine's time for one run."""

    engine_version: str
    design_hash: str
    seed: int
    virtual_seconds: F
    wall_seconds: F
    events: F
    stopped: Stopped | None
    totals: Totals[F]
    blocks: dict[str, BlockResult[F]]
    edges: dict[str, Figures[F]]
    slo: list[Verdict[F]]
    theory: list[TheoryRow[F]]


class Run(Result[Number]):
    """The results of one seed."""

    trace_hash: str
    notables: list[Notable]


class Study(Result[Estimate]):
    """The results of ``replications`` runs with the seeds ``seed``, ``seed`` + 1, ...; ``trace_hash`` has theirs in this order."""

    replications: int
    trace_hash: list[str]
