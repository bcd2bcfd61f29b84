"""``manage.py bench engine``: how fast the engine is, beside SimPy and Ciw on the same queue, and how that changes with a design's size.

One process at a time, so that they don't disturb one another; the three simulators take turns, so that a busy minute of the machine meets
all of them, and the median of each counts.
"""

from __future__ import annotations

import importlib.util
import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

# The engine's import decides how it runs.
import playground.engine  # noqa: F401
from playground import native
from playground.bench import engine_load
from playground.bench.server import PROJECT

HOW_TO_GET = "not installed; `pip install -r requirements-dev.txt` brings it"
OTHERS = ("simpy", "ciw")


@dataclass(frozen=True)
class Plan:
    """How long everything is measured, in wall seconds, and how often."""

    one_hop_s: float = 2.0
    repeats: int = 5
    catalogue_s: float = 8.0
    blocks_s: float = 1.5
    blocks_repeats: int = 3
    blocks: tuple[int, ...] = (10, 30, 100, 300, 1000)


def run(as_json: bool, plan: Plan | None = None) -> dict[str, Any]:
    """Measure, print as one JSON object or as text, and return the object.

    ``{engine, cpus, missing, one_hop: {ours_rps, simpy_rps, ciw_rps, ratio_simpy, ratio_ciw},
    catalogue: {events_per_s, requests_per_s, x_realtime, rss_mb, process_rss_mb}, data: the same,
    by_blocks: [{blocks, events_per_s}]}``; ``engine`` is compiled or interpreted; a simulator that isn't installed has null, and
    ``missing`` says how to get it. ``rss_mb`` is the memory that the run added to the process. Raises ``RuntimeError`` where a
    measurement fails.
    """
    plan = plan or Plan()
    result: dict[str, Any] = {"engine": native.mode(), "cpus": os.cpu_count(), "missing": {}}
    tell = _silent if as_json else print
    tell(f"The engine runs {result['engine']}" + _advice(result["engine"]))
    result["one_hop"] = one_hop(plan, result["missing"])
    tell(_one_hop_text(result["one_hop"], result["missing"]))
    result["catalogue"] = catalogue(plan)
    tell(f"Product catalogue: {_load_text(result['catalogue'])}")
    result["data"] = catalogue(plan, "data")
    tell(f"The same on 4 shards x 4 nodes, purchases at SERIALIZABLE, recorded: {_load_text(result['data'])}")
    result["by_blocks"] = by_blocks(plan)
    for row in result["by_blocks"]:
        tell(f"{row['blocks']:>5} blocks  {row['events_per_s']:>10,} events/s")
    if as_json:
        print(json.dumps(result))
    return result


def one_hop(plan: Plan, missing: dict[str, str]) -> dict[str, Any]:
    """Requests completed per wall second on M/M/c; enters into ``missing`` what isn't installed."""
    present = ["ours"]
    for name in OTHERS:
        if importlib.util.find_spec(name) is None:
            missing[name] = HOW_TO_GET
        else:
            present.append(name)
    rates: dict[str, list[float]] = {name: [] for name in present}
    for _ in range(plan.repeats):
        for name in present:
            measured = measure(name, plan.one_hop_s)
            rates[name].append(measured["requests"] / measured["wall_s"])
    found: dict[str, Any] = {
        f"{name}_rps": round(statistics.median(rates[name])) if name in rates else None for name in ("ours", *OTHERS)
    }
    found["ratio_simpy"] = round(found["ours_rps"] / found["simpy_rps"], 1) if found["simpy_rps"] else None
    found["ratio_ciw"] = round(found["ours_rps"] / found["ciw_rps"], 1) if found["ciw_rps"] else None
    return found


def catalogue(plan: Plan, what: str = "catalogue") -> dict[str, Any]:
    """The product catalogue, headless; or (``data``) with all that a data layer has."""
    measured = measure(what, plan.catalogue_s)
    return {
        "events_per_s": round(measured["events"] / measured["wall_s"]),
        "requests_per_s": round(measured["requests"] / measured["wall_s"]),
        "x_realtime": round(measured["virtual_s"] / measured["wall_s"], 2),
        "rss_mb": round(measured["added_mb"], 1),
        "process_rss_mb": round(measured["process_mb"], 1),
    }


def by_blocks(plan: Plan) -> list[dict[str, Any]]:
    """Events per second by the number of blocks, with the same traffic in all of them together."""
    rates: dict[int, list[float]] = {blocks: [] for blocks in plan.blocks}
    for _ in range(plan.blocks_repeats):
        for blocks in plan.blocks:
            measured = measure("groups", plan.blocks_s, blocks=blocks)
            rates[blocks].append(measured["events"] / measured["wall_s"])
    return [{"blocks": blocks, "events_per_s": round(statistics.median(found))} for blocks, found in rates.items()]


def measure(what: str, seconds: float, **more: Any) -> dict[str, Any]:
    """One measurement in a process of its own; see :mod:`playground.bench.engine_load`."""
    order = json.dumps({"what": what, "seconds": seconds, **more})
    done = subprocess.run(
        [sys.executable, "-m", "playground.bench.engine_load", order], cwd=PROJECT, capture_output=True, text=True
    )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise RuntimeError(f"the measurement {what!r} failed: {last}")
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def _silent(text: str) -> None:
    """Say nothing."""


def _advice(engine: str) -> str:
    return "" if engine == "compiled" else ": `python3 manage.py compile` makes it about 20 times as fast"


def _one_hop_text(found: dict[str, Any], missing: dict[str, str]) -> str:
    lines = [
        f"M/M/{engine_load.SERVERS} at {engine_load.ARRIVALS_PER_S:,.0f}/s, {engine_load.SERVICE_MEAN_S * 1e3:g} ms:",
        f"  this engine  {found['ours_rps']:>10,} requests/s",
    ]
    for name, title in (("simpy", "SimPy"), ("ciw", "Ciw")):
        if name in missing:
            lines.append(f"  {title:<11}  {missing[name]}")
        else:
            lines.append(
                f"  {title:<11}  {found[f'{name}_rps']:>10,} requests/s; this engine does {found[f'ratio_{name}']} times as many"
            )
    return "\n".join(lines)


def _load_text(found: dict[str, Any]) -> str:
    return (
        f"{found['events_per_s']:,} events/s, {found['requests_per_s']:,} requests/s, "
        f"{found['x_realtime']} x real time, {found['rss_mb']} MB added ({found['process_rss_mb']} MB in all)"
    )
