"""Designs with a message queue in them, and where its messages are."""

from __future__ import annotations

from playground.execution import Execution
from playground.protocol.catalogue import Scalar
from playground.protocol.design import Action, Scenario
from tests.sketch import (
    Shape,
    at,
    block,
    edge,
    figures,
    scenario,
)

WORK: dict[str, Scalar] = {"work_distribution": "constant"}


def published(caller: str, queue: str, **params: Scalar) -> Shape:
    """An edge along which requests become messages."""
    return {**edge(caller, queue, **params), "to": {"block": queue, "port": "requests"}}


def queued(
    *, rate: float, queue: dict[str, Scalar], worker: dict[str, Scalar], until_s: float = 20, arrivals: str = "even"
) -> Scenario:
    """Producers, a queue and workers."""
    return scenario(
        [
            block("users", "client", rate_per_s=rate, arrivals=arrivals, write_weight=0),
            block("queue", "queue", store_mean_ms=0.1, store_distribution="constant", **queue),
            block("workers", "worker", **{**WORK, **worker}),
        ],
        [published("users", "queue"), edge("queue", "workers", "workers")],
        until_s=until_s,
    )


def doing(drawing: Scenario, *acts: tuple[float, Action]) -> Scenario:
    return drawing.model_copy(update={"interventions": [at(seconds, action) for seconds, action in acts]})


def unexplained(execution: Execution, name: str) -> float:
    """Messages that were accepted and are nowhere."""
    have = figures(execution, name)
    places = ("acknowledged", "depth", "unacknowledged", "dead", "moving", "moved", "dropped", "lost")
    return have["accepted"] - sum(have[place] for place in places)
