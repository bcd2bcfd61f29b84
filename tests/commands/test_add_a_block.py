"""``docs/guides/add-a-block.md``, followed to the letter in a copy of the project."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from playground.setup.paths import PROJECT

GUIDE = PROJECT / "docs" / "guides" / "add-a-block.md"
FENCE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COPIED = ("manage.py", "pyproject.toml", "requirements.txt", "requirements-dev.txt")
STEP_S = 100


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """What the guide's commands need of the project; its own files stay as they are."""
    for name in COPIED:
        shutil.copy(PROJECT / name, tmp_path / name)
    for folder in ("playground", "tests", "frontend/src/generated"):
        shutil.copytree(PROJECT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "e2e"))
    return tmp_path


def steps() -> Iterator[tuple[str, str]]:
    """The guide's steps in their order: a file's path and content, or "" and a command."""
    for language, path, content in FENCE.findall(GUIDE.read_text(encoding="utf-8")):
        if path:
            yield path, content
        elif language == "console":
            yield from (("", line.removeprefix("$ ")) for line in content.splitlines())


def carried_out(line: str, project: Path) -> str:
    """Run one of the guide's commands; ``manage.py test`` without the set-up that it begins with. Returns what it printed."""
    words = line.split()
    assert words[:2] == ["python3", "manage.py"], line
    words = ["-m", "pytest", "-q", *words[3:]] if words[2] == "test" else words[1:]
    # Nothing is compiled in the copy.
    environment = {**os.environ, "PLAYGROUND_ENGINE": "interpreted", "PLAYGROUND_DATA_DIR": str(project / "var")}
    done = subprocess.run(
        [sys.executable, *words],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=STEP_S,
        check=False,
    )
    assert done.returncode == 0, f"{line}:\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.slow
def test_the_guide_makes_a_block_that_works(project: Path) -> None:
    printed: dict[str, str] = {}
    files = []
    for path, content in steps():
        if path:
            files.append(path)
            assert (project / path).exists(), f"the guide changes {path} before it is there"
            (project / path).write_text(content, encoding="utf-8")
        else:
            printed[content] = carried_out(content, project)
    assert [Path(path).name for path in files] == ["spec.py", "behaviour.py", "doc.md", "example.json"]
    assert any("manage.py test" in line and "passed" in said for line, said in printed.items())
    table = next(said for line, said in printed.items() if "--replications" in line)
    row = next(line.split() for line in table.splitlines() if line.split()[:2] == ["resizer", "image_resizer"])
    # Little: 450/s x 2 MB x 20 ms of 30 workers are 60 %.
    columns = [word for word in row if not word.startswith("±")]
    assert 58 < float(columns[5]) < 62
    said = carried_out(f"python3 manage.py simulate {files[-1]} --until 10 --json", project)
    figures = json.loads(said)["blocks"]["resizer"]["metrics"]
    assert figures["resized_bytes"] == 2_000_000 * figures["completed"] > 0
    generated = (project / "frontend" / "src" / "generated" / "catalogue.ts").read_text(encoding="utf-8")
    assert "image_resizer" in generated
    python = [str(project / path) for path in files if path.endswith(".py")]
    ruff = Path(sys.executable).parent / "ruff"
    done = subprocess.run([ruff, "check", *python], cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_guide_names_everything_that_a_block_may_override() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    source = (PROJECT / "playground" / "engine" / "block.py").read_text(encoding="utf-8")
    section = source[source.index("# ---- for behaviours to override") : source.index("# ---- for behaviours to call")]
    assert [name for name in re.findall(r"def (\w+)\(", section) if f"`{name}" not in text] == []
