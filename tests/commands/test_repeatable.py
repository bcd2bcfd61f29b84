"""The law of replay from a command line: what changes a trace, and what must not."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from tests.commands.shell import inside, shell
from tests.commands.sketches import small, written
from tests.sketch import quick_or_slow


def trace(path: Path, *words: str) -> str:
    done = inside("simulate", path, "--until", "3", "--json", *words)
    assert done.code == 0, done.err
    found: str = done.json["trace_hash"]
    return found


def figures(found: dict[str, Any]) -> dict[str, Any]:
    """Everything but the time that it took."""
    return {name: value for name, value in found.items() if name != "wall_seconds"}


@pytest.mark.parametrize("hash_seed", quick_or_slow(["0", "1", "random"], ["1"]))
def test_a_seed_gives_the_same_figures_in_every_process(tmp_path: Path, hash_seed: str) -> None:
    path = written(tmp_path / "small.json", small())
    here = inside("simulate", path, "--until", "3", "--json").json
    there = shell("simulate", path, "--until", "3", "--json", PYTHONHASHSEED=hash_seed).json
    assert figures(there) == figures(here)


def permuted(value: Any, generator: random.Random) -> Any:
    """The same JSON with the keys of every object in another order."""
    if isinstance(value, dict):
        names = list(value)
        generator.shuffle(names)
        return {name: permuted(value[name], generator) for name in names}
    if isinstance(value, list):
        return [permuted(item, generator) for item in value]
    return value


def reordered(design: dict[str, Any], generator: random.Random) -> dict[str, Any]:
    for name in ("blocks", "edges"):
        generator.shuffle(design[name])
    return design


def moved(design: dict[str, Any], generator: random.Random) -> dict[str, Any]:
    for block in design["blocks"]:
        block["position"] = {"x": generator.randrange(1000), "y": generator.randrange(1000)}
    return design


def relabelled(design: dict[str, Any], generator: random.Random) -> dict[str, Any]:
    design["name"], design["description"] = "Another", "Words"
    for block in design["blocks"]:
        block["label"] = f"Block {generator.random()}"
    return design


@pytest.mark.parametrize("change", [permuted, reordered, moved, relabelled])
def test_what_is_for_people_changes_no_trace(tmp_path: Path, change: Any) -> None:
    before = trace(written(tmp_path / "before.json", small()))
    for seed in range(3):
        changed = change(small(), random.Random(seed))
        assert trace(written(tmp_path / "after.json", changed)) == before


def test_another_seed_parameter_or_id_changes_the_trace(tmp_path: Path) -> None:
    path = written(tmp_path / "small.json", small())
    renamed = written(tmp_path / "renamed.json", path.read_text(encoding="utf-8").replace("users", "people"))
    traces = [trace(path), trace(path, "--seed", "2"), trace(path, "--set", "app.1.before_mean_ms=21"), trace(renamed)]
    assert len(set(traces)) == 4


def test_a_default_that_is_written_out_changes_no_trace(tmp_path: Path) -> None:
    path = written(tmp_path / "small.json", small())
    assert trace(path, "--set", "in.jitter=none") == trace(path)
