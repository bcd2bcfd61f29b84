"""The one function that scripts, notebooks and ``manage.py simulate`` call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, overload

from playground.headless.combining import combined
from playground.headless.models import Run, Study
from playground.headless.running import run_once, run_seeds
from playground.headless.sources import REPLICATIONS_MAX, SEED_MAX, Log, Source, number_of, prepared
from playground.protocol.catalogue import Scalar

Changes = Mapping[str, Scalar] | Sequence[str]
"""Values by ``"<block or edge id>.<parameter>"``, or texts ``"<id>.<parameter>=<value>"``."""


@overload
def simulate(
    source: Source,
    *,
    until_s: float | None = None,
    seed: int | None = None,
    replications: Literal[1] = 1,
    changes: Changes = (),
    interventions: Log = (),
    processes: int | None = None,
) -> Run: ...
@overload
def simulate(
    source: Source,
    *,
    until_s: float | None = None,
    seed: int | None = None,
    replications: int,
    changes: Changes = (),
    interventions: Log = (),
    processes: int | None = None,
) -> Run | Study: ...
def simulate(
    source: Source,
    *,
    until_s: float | None = None,
    seed: int | None = None,
    replications: int = 1,
    changes: Changes = (),
    interventions: Log = (),
    processes: int | None = None,
) -> Run | Study:
    """Run ``source`` from 0 to ``until_s`` virtual seconds (default: what it says itself, else 60) and return its figures.

    ``source`` is ``"template:NAME"``, a JSON file with a design or a scenario, its parsed content, a ``Design`` or a ``Scenario``.
    ``changes`` set parameters before the start, ``{"arrivals.rate_per_s": 9}``; ``interventions`` (a file, or a list) are added to those of
    the scenario. With more than one of ``replications`` the seeds ``seed``, ``seed`` + 1, ... run in ``processes`` processes at once
    (default: one a core) and every figure is an estimate with its 95 % confidence interval.

    The same source, seed, changes and interventions give the same figures and the same trace hash, always; ``wall_seconds`` alone differs.
    A run that comes to a limit of the engine keeps its figures so far and says so in ``stopped``.

    Raises :class:`InputError` with everything that is wrong with what was given, :class:`ReplicationFailed` where a process dies.
    """
    scenario = prepared(source, until_s=until_s, seed=seed, changes=changes, interventions=interventions)
    count = int(number_of("replications", replications, whole=True, minimum=1, maximum=REPLICATIONS_MAX))
    if count == 1:
        return Run.model_validate(run_once(scenario))
    last = scenario.seed + count - 1
    number_of(f"the seed of replication {count}", last, whole=True, minimum=0, maximum=SEED_MAX)
    return combined(run_seeds(scenario, range(scenario.seed, last + 1), processes))
