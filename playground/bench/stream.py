"""``manage.py bench stream``: what a viewer gets of thirty frames a second, with few and many of them.

A real server, the catalogue playing on it, and one load process on the same machine. The delay is from the moment at which
the worker packed a frame to its receipt by the viewer, so pipe, hub, socket and the load generator's own queue are all in it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from playground.bench.server import PROJECT, Visitor, serving

VIEWERS = (1, 50, 200)
RUNS = 10
TEMPLATE = "catalogue"
WARM_S = 3.0
MEASURE_S = 8.0


def run(as_json: bool) -> dict[str, Any]:
    """Measure and return ``{viewers: [{n, frames_per_s, frames_per_s_min, p50_ms, p99_ms}], ten_runs: {...}}``.

    Prints a row for each measurement, or the whole as JSON where ``as_json``; raises ``RuntimeError`` where the
    server doesn't start or hangs up.
    """
    result: dict[str, Any] = {"viewers": []}
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder), PLAYGROUND_FRAME_STAMP="1") as server:
        visitor = server.visitor()
        run_id, socket = _start_run(visitor)
        for n in VIEWERS:
            row = {"n": n, **_load([socket] * n, visitor)}
            result["viewers"].append(row)
            if not as_json:
                print(_line(f"{n} viewers of 1 run", row))
        visitor.send("DELETE", f"/api/runs/{run_id}")
        # An owner may have fewer runs at once than we need, so each has one of its own.
        owners = [server.visitor() for _ in range(RUNS)]
        sockets = [_start_run(owner)[1] for owner in owners]
        result["ten_runs"] = {"runs": RUNS, **_load(sockets, visitor)}
        if not as_json:
            print(_line(f"{RUNS} runs, 1 viewer each", result["ten_runs"]))
    if as_json:
        print(json.dumps(result))
    return result


def _start_run(visitor: Visitor) -> tuple[str, str]:
    answer = visitor.post("/api/runs", {"template": TEMPLATE, "play": True})
    if answer.status != 201:
        raise RuntimeError(f"the template {TEMPLATE!r} could not be run: {answer.body.decode()}")
    return answer.json["id"], answer.json["socket"]


def _load(paths: list[str], visitor: Visitor) -> dict[str, Any]:
    order = {
        "port": visitor.server.port,
        "paths": paths,
        "cookie": visitor.headers()["Cookie"],
        "warm_s": WARM_S,
        "measure_s": MEASURE_S,
    }
    command = [sys.executable, "-m", "playground.bench.stream_load", json.dumps(order)]
    timeout = 60 + WARM_S + MEASURE_S
    done = subprocess.run(command, cwd=PROJECT, check=True, timeout=timeout, stdout=subprocess.PIPE, text=True)
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def _line(what: str, row: dict[str, Any]) -> str:
    return (
        f"{what:>22}: {row['frames_per_s']:5.1f} frames/s each (slowest {row['frames_per_s_min']:.1f}), "
        f"delay p50 {row['p50_ms']:.1f} ms, p99 {row['p99_ms']:.1f} ms"
    )
