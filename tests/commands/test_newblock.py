"""``manage.py newblock``, and the skeleton that it copies."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from playground import native
from playground.blocks import registry
from playground.blocks.registry import Kind
from playground.engine.snapshot import Snapshot
from playground.execution import Execution
from playground.headless import simulate
from playground.management import skeleton
from playground.management.commands import newblock
from playground.management.skeleton import new_block
from playground.protocol.design import Intervention, Scenario, parse_design, parse_scenario
from playground.protocol.errors import InputError
from playground.setup.paths import PROJECT
from tests.commands.shell import inside

SECOND = 1_000_000_000
NAME = "ticket_gate"


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kind]:
    """A new kind of block, made in a temporary package and known to the registry as long as the test lasts."""
    package = tmp_path / "newcomers"
    new_block(NAME, package)
    for folder in (package, package / NAME):
        (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    importlib.invalidate_caches()
    kind = registry.load(package / NAME, "newcomers")
    monkeypatch.setitem(registry.kinds(), NAME, kind)
    yield kind
    for name in set(sys.modules) - before:
        if name.startswith("newcomers"):
            del sys.modules[name]


def example(kind: Kind, **more: object) -> Scenario:
    scenario: Scenario = parse_scenario({"design": kind.example(), **more})
    return scenario


def test_the_skeleton_is_no_kind_of_block() -> None:
    assert skeleton.SKELETON.is_dir()
    assert skeleton.SKELETON not in registry.folders()
    assert not {"skeleton", "_skeleton"} & set(registry.kinds())
    assert not any("skeleton" in name for name in native.compiled_sources())
    assert "skeleton" not in inside("blocks").out


def test_the_names_are_put_in(gate: Kind) -> None:
    assert (gate.spec.kind, gate.spec.title) == (NAME, "Ticket gate")
    assert gate.behaviour.__name__ == "TicketGate"
    assert not any("skeleton" in path.read_text().lower() for path in gate.folder.iterdir() if path.is_file())


def test_lines_to_change_are_marked() -> None:
    marked = {path.name for path in skeleton.SKELETON.iterdir() if path.is_file() and "REPLACE" in path.read_text()}
    assert marked == {"spec.py", "behaviour.py", "doc.md", "example.json"}


def test_a_new_block_works_in_a_design(gate: Kind) -> None:
    result = simulate(example(gate), until_s=20)
    figures = result.blocks["it"].metrics
    answered = sum(figures[name] for name in ("completed", "failed", "in_flight"))  # type: ignore[misc]
    assert figures["offered"] == answered > 3000
    assert figures["over_limit"] > 0 and figures["queue_full"] > 0  # type: ignore[operator]
    # 190 calls/s of 10 ms and 2 ms on three workers.
    assert figures["utilisation"] == pytest.approx(0.8, abs=0.05)


def test_a_new_block_counts_to_its_limit_in_each_second(gate: Kind) -> None:
    design = gate.example()
    design["blocks"][0]["params"] = {"rate_per_s": 1000, "arrivals": "even"}
    design["blocks"][1]["params"] = {"limit_per_s": 100, "workers": 1000}
    figures = simulate({"design": design}, until_s=10).blocks["it"].metrics
    assert figures["completed"] == pytest.approx(1000, abs=2)


def test_the_faults_of_a_new_block_overlap_and_end(gate: Kind) -> None:
    def throttle(at_s: float, to: int, seconds: float) -> dict[str, object]:
        action = {
            "type": "fault",
            "target": "it",
            "fault": "throttle",
            "params": {"to_per_s": to, "duration_s": seconds},
        }
        return {"at_ns": int(at_s * SECOND), "action": action}

    log = [throttle(2, 50, 6), throttle(4, 0, 2)]
    execution = Execution(example(gate, until_s=20, interventions=log), recorded=False)
    block = execution.model.blocks["it"]

    def completed_until(second: float) -> int:
        before = int(block.completed)
        execution.advance(int(second * SECOND))
        return int(block.completed) - before

    completed_until(3)
    assert completed_until(4) <= 51
    assert completed_until(5) + completed_until(6) <= 4  # those that were in
    completed_until(7)
    assert 45 <= completed_until(8) <= 51
    completed_until(9)
    assert completed_until(10) > 150


def test_a_new_block_can_be_sought(gate: Kind) -> None:
    crash = Intervention.model_validate(
        {
            "at_ns": 3 * SECOND,
            "action": {"type": "fault", "target": "it", "fault": "crash", "params": {"restart_after_s": 1}},
        }
    )
    straight = Execution(example(gate, until_s=6, interventions=[crash]))
    straight.advance(6 * SECOND)
    there_and_back = Execution(example(gate, until_s=6, interventions=[crash]))
    there_and_back.advance(5 * SECOND)
    there_and_back.seek(2 * SECOND)
    there_and_back.advance(6 * SECOND)
    assert there_and_back.model.simulation.trace_hash() == straight.model.simulation.trace_hash()
    assert Snapshot(straight.model.simulation).size > 0


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("client", "already"), ("edge", "edge.py"), ("registry", "registry.py"), ("_skeleton", "snake_case"),
        ("TicketGate", "snake_case"), ("ticket-gate", "snake_case"), ("ticket gate", "snake_case"), ("", "snake_case"),
        ("../gate", "snake_case"), ("2gates", "snake_case"), ("gate_", "snake_case"), ("gäte", "snake_case"),
        ("x" * 41, "snake_case"), ("class", "Python"), ("none", "Python"), ("block", "Block"), ("station", "Station"),
    ],
)  # fmt: skip
def test_a_bad_or_taken_name_is_refused(name: str, reason: str) -> None:
    before = sorted(path.name for path in registry.FOLDER.iterdir())
    done = inside("newblock", name)
    assert done.code == 2 and done.out == ""
    assert reason in done.err and "accepted: a name in snake_case" in done.err
    assert sorted(path.name for path in registry.FOLDER.iterdir()) == before


def test_a_name_may_contain_the_skeletons(tmp_path: Path) -> None:
    new_block("skeleton_key", tmp_path)
    assert "class SkeletonKey(Block)" in (tmp_path / "skeleton_key" / "behaviour.py").read_text()
    assert json.loads((tmp_path / "skeleton_key" / "example.json").read_text())["blocks"][1]["kind"] == "skeleton_key"


def test_a_block_is_made_once(tmp_path: Path) -> None:
    new_block(NAME, tmp_path)
    with pytest.raises(InputError, match="already"):
        new_block(NAME, tmp_path)


def test_the_command_says_what_is_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newblock, "new_block", lambda name: new_block(name, tmp_path / "playground" / "blocks"))
    monkeypatch.setattr(newblock, "PROJECT", tmp_path)
    done = inside("newblock", NAME)
    assert done.code == 0
    for words in (f"made playground/blocks/{NAME}/spec.py", "simulate", "tests/blocks", "codegen", "add-a-block.md"):
        assert words in done.out
    assert len(inside("newblock", "other_gate", "--json").json["files"]) == 4


def test_a_new_block_passes_the_checks_on_code(tmp_path: Path) -> None:
    made = new_block(NAME, tmp_path)
    python = [str(path) for path in made if path.suffix == ".py"]
    ruff = Path(sys.executable).parent / "ruff"
    for words in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [ruff, *words, "--config", PROJECT / "pyproject.toml", *python], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout


def test_the_example_is_a_design_that_can_be_kept(gate: Kind) -> None:
    assert parse_design(gate.example()).blocks[1].kind == NAME
