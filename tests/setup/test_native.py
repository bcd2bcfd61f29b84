"""The finder that serves the compiled engine: `playground.native` and `playground.setup.engine_build`.

The builds here are made of a toy project's own sources, which takes seconds; the first test really compiles.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from playground import native
from playground.setup import engine_build, steps

REPOSITORY = Path(__file__).resolve().parent.parent.parent

ENGINE = """
from mypy_extensions import i64, mypyc_attr

@mypyc_attr(allow_interpreted_subclasses=True)
class Block:
    def on_call(self, call: i64) -> i64:
        return call

def drive(block: Block, calls: i64) -> i64:
    total: i64 = 0
    i: i64 = 0
    while i < calls:
        total += block.on_call(i)
        i += 1
    return total
"""
BEHAVIOUR = """
from mypy_extensions import i64
from playground.engine.toy import Block

class Doubling(Block):
    def on_call(self, call: i64) -> i64:
        return 2 * call
"""
REPORT = """
import json
import playground.engine.toy as toy
from playground import native
import importlib
files, sums = {}, {}
for kind in %r:
    module = importlib.import_module(f"playground.blocks.{kind}.behaviour")
    files[kind], sums[kind] = module.__file__, toy.drive(module.Doubling(), 10)
print(json.dumps({"mode": native.mode(), "engine": toy.__file__, "files": files, "sums": sums}))
"""


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def make_project(root: Path) -> Path:
    """A project of one engine module and one block, with the real finder in it."""
    package = root / "playground"
    for folder in (package, package / "blocks", package / "blocks" / "one"):
        write(folder / "__init__.py", "")
    write(package / "engine" / "__init__.py", "from playground import native\n\nnative.install()\n")
    write(package / "engine" / "toy.py", ENGINE)
    write(package / "blocks" / "one" / "behaviour.py", BEHAVIOUR)
    shutil.copy(REPOSITORY / "playground" / "native.py", package / "native.py")
    shutil.copytree(REPOSITORY / "playground" / "setup", package / "setup")
    return root


def builds_of(project: Path) -> Path:
    return project / ".build" / "native"


def report(project: Path, *kinds: str, engine: str = "auto") -> dict[str, object]:
    """What a fresh process of the project sees when it imports the engine and the blocks `kinds`."""
    answer = subprocess.run(
        [sys.executable, "-c", REPORT % (kinds,)],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(project), native.ENGINE_VARIABLE: engine},
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A toy project with a finished build; copy it before changing anything."""
    project = make_project(tmp_path_factory.mktemp("compiled"))
    engine_build.build(project, builds_of(project))
    return project


@pytest.fixture
def project(compiled: Path, tmp_path: Path) -> Path:
    """A copy of the compiled toy project that a test may change."""
    return Path(shutil.copytree(compiled, tmp_path / "project"))


def test_a_fresh_process_runs_the_compiled_engine_and_blocks(compiled: Path) -> None:
    seen = report(compiled, "one")
    assert seen["mode"] == "compiled"
    assert str(seen["engine"]).endswith(".so")
    assert str(seen["files"]["one"]).endswith(".so")
    assert seen["sums"] == {"one": 90}


def test_interpreted_is_what_you_get_when_you_ask_for_it(compiled: Path) -> None:
    seen = report(compiled, "one", engine="interpreted")
    assert seen["mode"] == "interpreted"
    assert str(seen["engine"]).endswith("toy.py")
    assert seen["sums"] == {"one": 90}


def test_a_newcomers_block_runs_interpreted_inside_the_compiled_engine(project: Path) -> None:
    write(project / "playground" / "blocks" / "newcomer" / "__init__.py", "")
    write(project / "playground" / "blocks" / "newcomer" / "behaviour.py", BEHAVIOUR)
    seen = report(project, "one", "newcomer")
    assert str(seen["engine"]).endswith(".so")
    assert str(seen["files"]["one"]).endswith(".so")
    assert str(seen["files"]["newcomer"]).endswith("behaviour.py")
    assert seen["sums"] == {"one": 90, "newcomer": 90}


def test_an_edited_block_runs_as_edited(project: Path) -> None:
    write(project / "playground" / "blocks" / "one" / "behaviour.py", BEHAVIOUR.replace("2 * call", "3 * call"))
    seen = report(project, "one")
    assert str(seen["engine"]).endswith(".so")
    assert str(seen["files"]["one"]).endswith("behaviour.py")
    assert seen["sums"] == {"one": 135}


def test_a_block_of_which_one_module_was_edited_or_added_runs_interpreted_as_a_whole(project: Path) -> None:
    # Compiled modules of one folder know the layout of one another's classes.
    write(project / "playground" / "blocks" / "one" / "parts.py", '"""Another module."""\n')
    assert str(report(project, "one")["files"]["one"]).endswith("behaviour.py")


def test_all_modules_of_a_block_are_compiled_but_for_what_it_declares(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    for name in ("parts", "spec", "spec_parts"):
        write(project / "playground" / "blocks" / "one" / f"{name}.py", '"""A module."""\n')
    of_one = [name.rpartition(".")[2] for name in native.compiled_sources(project) if ".one." in name]
    assert of_one == ["behaviour", "parts"]


def test_a_build_of_other_engine_sources_is_refused(project: Path) -> None:
    write(project / "playground" / "engine" / "toy.py", ENGINE.replace("total: i64 = 0", "total: i64 = 1"))
    seen = report(project, "one")
    assert seen["mode"] == "interpreted"
    assert seen["sums"] == {"one": 91}


def test_a_build_for_another_interpreter_is_refused(project: Path) -> None:
    [manifest] = builds_of(project).glob(f"*/{native.MANIFEST}")
    content = json.loads(manifest.read_text())
    content["toolchain"]["abi"] = "cpython-39-elsewhere"
    manifest.write_text(json.dumps(content))
    assert native.usable_build(project, builds_of(project)) is None


def test_going_back_to_sources_that_were_built_finds_their_build_again(project: Path) -> None:
    toy = project / "playground" / "engine" / "toy.py"
    write(toy, ENGINE + "\n# edited\n")
    assert native.usable_build(project, builds_of(project)) is None
    write(toy, ENGINE)
    assert native.usable_build(project, builds_of(project)) is not None


def test_asking_for_compiled_without_a_build_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = make_project(tmp_path)
    monkeypatch.setenv(native.ENGINE_VARIABLE, "compiled")
    monkeypatch.setattr(native, "installed", lambda: None)
    with pytest.raises(native.NoUsableBuild, match=r"python3 manage\.py compile"):
        native.install(project, builds_of(project))


def test_an_unknown_choice_names_the_known_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(native.ENGINE_VARIABLE, "fast")
    with pytest.raises(ValueError, match=r"PLAYGROUND_ENGINE='fast'.*auto, compiled, interpreted"):
        native.choice()


def test_a_marked_module_and_the_skeleton_are_left_to_the_interpreter(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    write(project / "playground" / "engine" / "marked.py", f'"""A module."""\n{native.INTERPRETED_MARK}\n')
    write(project / "playground" / "blocks" / "_skeleton" / "behaviour.py", BEHAVIOUR)
    assert list(native.compiled_sources(project)) == ["playground.blocks.one.behaviour", "playground.engine.toy"]


def test_a_marked_module_still_belongs_to_what_must_be_unchanged(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    before = native.source_hash(project)
    write(project / "playground" / "engine" / "marked.py", f"{native.INTERPRETED_MARK}\n")
    assert native.source_hash(project) != before


def test_a_block_that_does_not_compile_leaves_a_status_that_names_its_line(project: Path) -> None:
    write(project / "playground" / "blocks" / "bad" / "__init__.py", "")
    write(project / "playground" / "blocks" / "bad" / "behaviour.py", BEHAVIOUR.replace("2 * call", '"many"'))
    with pytest.raises(steps.StepFailed, match=r"bad/behaviour\.py:7"):
        engine_build.build(project, builds_of(project))
    status = native.status(project, builds_of(project))
    assert "bad/behaviour.py:7" in str(status["error"])
    assert status["building"] is False
    assert status["mode"] == "compiled", "the engine itself is still what was built before"


def test_the_error_of_a_build_is_forgotten_once_the_sources_change(project: Path) -> None:
    builds = builds_of(project)
    failed = {"state": "failed", "source_hash": native.source_hash(project), "error": "no"}
    (builds / native.STATUS).write_text(json.dumps(failed))
    assert native.status(project, builds)["error"] == "no"
    write(project / "playground" / "blocks" / "one" / "behaviour.py", BEHAVIOUR + "\n# mended\n")
    assert native.status(project, builds)["error"] is None


def test_status_shows_progress_while_a_builder_lives_and_not_after_it_died(project: Path) -> None:
    builds = builds_of(project)
    began = {"state": "building", "started": 0, "expected_seconds": 10.0, "source_hash": "", "error": None}
    (builds / native.STATUS).write_text(json.dumps({**began, "pid": os.getpid()}))
    status = native.status(project, builds)
    assert status["building"]
    assert status["progress"] == 0.97, "never done before it is done"
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (builds / native.STATUS).write_text(json.dumps({**began, "pid": ended.pid}))
    assert native.status(project, builds)["building"] is False


def test_a_build_that_is_there_is_not_made_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_build, "_build", lambda *_: pytest.fail("built again"))
    engine_build.build(project, builds_of(project))


def test_only_the_newest_builds_are_kept(tmp_path: Path) -> None:
    for number, name in enumerate(["oldest", "older", "newest"]):
        write(
            tmp_path / name / native.MANIFEST,
            json.dumps({part: {} for part in ["toolchain", "engine", "modules", "files"]}),
        )
        os.utime(tmp_path / name / native.MANIFEST, (number, number))
    write(tmp_path / "unfinished-x" / "half", "")
    engine_build._prune(tmp_path, "newest")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["newest", "older"]


def test_headers_that_are_missing_are_said_by_their_path(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho cc; echo {tmp_path}\n")
    python.chmod(0o755)
    with pytest.raises(steps.StepFailed, match=str(tmp_path / "Python.h")):
        engine_build.compiler_environment(python)


def test_no_compiler_is_said_with_the_packages_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(steps.StepFailed, match="apt-get install gcc python3-dev"):
        engine_build.compiler_environment()
