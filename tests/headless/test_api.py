"""The typed API over runs without a page."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from playground.headless import Estimate, InputError, Run, Study, simulate
from playground.headless.running import run_seeds
from playground.headless.sources import Source, prepared, split, value_of
from playground.protocol.catalogue import Choice, Param, Scalar
from playground.protocol.design import Design, Scenario, parse_design
from playground.setup.paths import PROJECT

GUIDE = PROJECT / "docs" / "guides" / "simulate.md"
DESIGN: dict[str, Any] = {
    "blocks": [
        {"id": "users", "kind": "client", "params": {"rate_per_s": 50}},
        {"id": "a", "kind": "app_server", "params": {"workers": 2}},
        {"id": "a.b", "kind": "app_server", "params": {"workers": 2}},
    ],
    "edges": [
        {"id": "e", "from": {"block": "users", "port": "out"}, "to": {"block": "a", "port": "in"}},
        {"id": "a.b.c", "from": {"block": "a", "port": "services"}, "to": {"block": "a.b", "port": "in"}},
    ],
}


def scenario() -> Scenario:
    return Scenario(design=parse_design(DESIGN), until_s=3)


def test_one_seed_gives_numbers() -> None:
    result = simulate(scenario())
    assert isinstance(result, Run)
    assert isinstance(result.totals.latency.p99, float) and isinstance(result.totals.offered, int)
    assert result.blocks["a"].kind == "app_server"
    assert result.edges["e"]["offered"] == result.totals.offered


def test_several_seeds_give_estimates() -> None:
    result = simulate(scenario(), replications=2)
    assert isinstance(result, Study)
    assert result.totals.latency.p99.ci95 is not None
    assert len(result.trace_hash) == result.replications == 2


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_the_number_of_processes_changes_nothing(processes: int) -> None:
    def without_time(runs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{name: value for name, value in run.items() if name != "wall_seconds"} for run in runs]

    here = [simulate(scenario(), seed=seed).trace_hash for seed in (1, 2, 3)]
    runs = run_seeds(scenario(), [1, 2, 3], processes)
    assert [run["trace_hash"] for run in without_time(runs)] == here
    assert [run["seed"] for run in runs] == [1, 2, 3]


def test_a_source_is_a_file_its_content_a_design_a_scenario_or_a_template(tmp_path: Path) -> None:
    path = tmp_path / "design.json"
    path.write_text(json.dumps(DESIGN), encoding="utf-8")
    design = parse_design(DESIGN)
    sources: list[Source] = [path, str(path), DESIGN, {"design": DESIGN}, design, Scenario(design=design)]
    assert len({simulate(source, until_s=1).trace_hash for source in sources}) == 1
    assert simulate("template:mm1", until_s=1).design_hash != simulate(design, until_s=1).design_hash


def test_changes_are_checked_and_leave_the_source_as_it_was() -> None:
    design = parse_design(DESIGN)
    result = simulate(design, until_s=1, changes={"a.workers": 5, "e.timeout_ms": 1.0})
    assert result.blocks["a"].metrics["workers"] == 5
    assert design == parse_design(DESIGN)
    with pytest.raises(InputError, match=r"block 'a': workers = 0 is too small; it takes a whole number from 1"):
        simulate(design, changes={"a.workers": 0})
    with pytest.raises(InputError, match="is a list"):
        simulate(design, changes={"a.workers": [1]})  # type: ignore[dict-item]


def test_changes_are_held_against_one_another_when_all_of_them_are_made() -> None:
    weights = {"users.read_weight": 0, "users.write_weight": 0, "users.list_weight": 1}
    hashes = {simulate(DESIGN, until_s=1, changes=dict(order)).trace_hash for order in permutations(weights.items())}
    assert len(hashes) == 1
    del weights["users.list_weight"]
    with pytest.raises(InputError, match="are all 0"):
        simulate(DESIGN, until_s=1, changes=weights)


def test_interventions_are_added_to_those_of_the_scenario() -> None:
    crash = {"at_ns": 1_000_000_000, "action": {"type": "fault", "target": "a", "fault": "crash", "params": {}}}
    clear = {"at_ns": 2_000_000_000, "action": {"type": "clear_faults", "target": "a"}}
    with_crash = simulate({"design": DESIGN, "interventions": [crash]}, until_s=3)
    both = simulate({"design": DESIGN, "interventions": [crash]}, until_s=3, interventions=[clear])
    assert both.blocks["a"].metrics["health"] == 0 and with_crash.blocks["a"].metrics["health"] == 2


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a.workers", ("a", "workers")),
        ("a.b.workers", ("a.b", "workers")),
        ("a.b.c.timeout_ms", ("a.b.c", "timeout_ms")),
        ("e.timeout_ms", ("e", "timeout_ms")),
    ],
)
def test_the_longest_known_id_is_the_target(path: str, found: tuple[str, str]) -> None:
    assert split(parse_design(DESIGN), path) == found


@pytest.mark.parametrize("path", ["", "a", "b.workers", "aa.workers", ".workers"])
def test_a_path_without_a_known_id_or_parameter_is_refused(path: str) -> None:
    with pytest.raises(InputError):
        split(parse_design(DESIGN), path)


NUMBER = Param(name="n", label="", kind="number", default=1, help="")
TEXT = Param(name="t", label="", kind="text", default="", help="")
CHOICE = Param(name="c", label="", kind="choice", default="off", help="", choices=(Choice(value="off", label=""),))


@pytest.mark.parametrize(
    ("text", "param", "value"),
    [
        ("9", NUMBER, 9), ("1e3", NUMBER, 1000.0), ("true", NUMBER, True), ("off", NUMBER, None), ("null", NUMBER, None),
        ("NaN", NUMBER, "NaN"), ("1e999", NUMBER, "1e999"), ("[1]", NUMBER, "[1]"), ('"x"', NUMBER, "x"), ("x", NUMBER, "x"),
        ("9", None, 9), ("9", TEXT, "9"), ("true", TEXT, "true"), ('"9"', TEXT, "9"), ("a=b", TEXT, "a=b"), ("off", TEXT, None),
        ("off", CHOICE, "off"), ("null", CHOICE, None), ("", NUMBER, ""),
    ],
)  # fmt: skip
def test_a_written_value_is_json_or_else_text(text: str, param: Param | None, value: Scalar) -> None:
    found = value_of(text, param)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize("given", [0, -1, float("nan"), float("inf"), 604_801, True, "x", None])
def test_a_length_is_within_the_horizon(given: Any) -> None:
    if given is None:
        assert prepared(DESIGN, until_s=None).until_s == 60
        return
    with pytest.raises(InputError, match="it takes a number from 1e-09 to 604800 s"):
        simulate(DESIGN, until_s=given)


def test_a_design_that_cannot_be_built_is_refused_from_another_process_as_well() -> None:
    with pytest.raises(InputError, match="no client"):
        run_seeds(Scenario(design=Design()), [1, 2], 2)


def test_results_do_not_change_and_print_briefly() -> None:
    assert str(Estimate(mean=1.23456789, ci95=0.0456)) == "1.23457 ± 0.046"
    assert str(Estimate(mean=2.0, ci95=None, replications=1)) == "2"
    assert str(Estimate(mean=None, ci95=None, replications=0)) == "not measured"
    with pytest.raises(ValueError, match="frozen"):
        Estimate(mean=1.0, ci95=0.0).mean = 2.0  # type: ignore[misc]


def test_it_needs_no_django() -> None:
    code = "import sys; import playground.headless, playground.headless.replica; sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=False).returncode == 0


@pytest.mark.parametrize("number", [0, 1])
def test_the_guides_examples_run_and_say_what_the_guide_says(tmp_path: Path, number: int) -> None:
    text = GUIDE.read_text(encoding="utf-8")
    example, says = re.findall(r"```python\n(.*?)```\n+.*?```text\n(.*?)```", text, re.DOTALL)[number]
    script = tmp_path / "example.py"
    script.write_text(example, encoding="utf-8")
    # As a plain script, from elsewhere: no guard, no settings, no folder to stand in.
    environment = {"PYTHONPATH": str(PROJECT), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == says
