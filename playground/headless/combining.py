"""From the figures of several seeds to estimates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from playground.headless.models import Estimate, Study
from playground.statistics import mean_and_half_width

COUNTS = "failures"
"""Counts by reason name only what happened: a reason that is missing in a run happened no times, and isn't unknown."""

JUDGED = ("metric", "block", "at_most", "at_least")


def combined(runs: Sequence[dict[str, Any]]) -> Study:
    """One study of the results (``Execution.results``) of at least two seeds of the same scenario."""
    first = runs[0]
    return Study(
        engine_version=first["engine_version"],
        design_hash=first["design_hash"],
        seed=first["seed"],
        replications=len(runs),
        trace_hash=[run["trace_hash"] for run in runs],
        stopped=_stopped(runs),
        slo=[_verdict([run["slo"][index] for run in runs]) for index in range(len(first["slo"]))],
        theory=_theory(runs),
        **{
            name: estimated([run[name] for run in runs])
            for name in ("virtual_seconds", "wall_seconds", "events", "totals", "blocks", "edges")
        },
    )


def estimate(values: Sequence[Any]) -> Estimate:
    """The estimate of one figure from what each run gave, None where it gave nothing."""
    there = [float(value) for value in values if value is not None]
    part = len(there) if len(there) < len(values) else None
    if not there:
        return Estimate(mean=None, ci95=None, replications=part)
    mean, half_width = mean_and_half_width(there)
    return Estimate(mean=mean, ci95=half_width, replications=part)


def estimated(values: Sequence[Any]) -> Any:
    """The same structure with an estimate in the place of each number; what some runs lack is missing in these."""
    sample = next((value for value in values if value is not None), None)
    if isinstance(sample, dict):
        there = [value if isinstance(value, dict) else {} for value in values]
        return {
            name: _counts([one.get(name, {}) for one in there])
            if name == COUNTS
            else estimated([one.get(name) for one in there])
            for name in _names(there)
        }
    return sample if isinstance(sample, str) else estimate(values)


def _counts(runs: Sequence[dict[str, Any]]) -> dict[str, Estimate]:
    return {reason: estimate([run.get(reason, 0) for run in runs]) for reason in _names(runs)}


def _names(runs: Iterable[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for run in runs for name in run))


def _stopped(runs: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    stops = [run["stopped"] for run in runs if run["stopped"]]
    if not stops:
        return None
    return {**stops[0], "replications": len(stops) if len(stops) < len(runs) else None}


def _verdict(verdicts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    judged = [verdict["met"] for verdict in verdicts if verdict["met"] is not None]
    met = sum(judged)
    return {
        **{name: verdicts[0][name] for name in JUDGED},
        "value": estimate([verdict["value"] for verdict in verdicts]),
        "met": met == len(verdicts) if judged else None,
        "replications": met if met < len(verdicts) else None,
    }


def _theory(runs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows by name: a formula that says something about some runs only is shown with those."""
    by_run = [{row["name"]: row for row in run["theory"]} for run in runs]
    rows = []
    for name in _names(by_run):
        there = [rows_of[name] for rows_of in by_run if name in rows_of]
        missing = [None] * (len(runs) - len(there))
        measured = {side: estimate([*(row[side] for row in there), *missing]) for side in ("expected", "measured")}
        rows.append({**there[0], **measured})
    return rows
