"""Compiled and interpreted, the engine is one: the same bits, down to the floats that only figures see."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from playground.native import ENGINE_VARIABLE, PROJECT

PROGRAM = """
import hashlib, random
from parts import MS, fingerprint, random_fault, run, stormy_design
for seed in range(6):
    simulation = stormy_design(seed)
    for step in range(1, 41):
        run(simulation, step * 20 * MS)
        random_fault(simulation, random.Random(seed + step))
    print(simulation.trace_hash(), hashlib.sha256(repr(fingerprint(simulation)).encode()).hexdigest())
"""


def outcome(engine: str) -> str:
    """What the program prints in a process that runs the engine this way."""
    paths = os.pathsep.join([str(PROJECT), str(Path(__file__).parent)])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, ENGINE_VARIABLE: engine, "PYTHONPATH": paths},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_the_engine_gives_the_same_bits_as_it_is_loaded_here_and_interpreted() -> None:
    # Here: compiled where a build fits the sources. A machine without a compiler compares two interpreted runs.
    here = os.environ.get(ENGINE_VARIABLE) or "auto"
    assert outcome(here) == outcome("interpreted")
