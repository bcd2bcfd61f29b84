"""The checks that are programs of their own, so that `manage.py test` is the only command anybody has to know."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from playground.setup import frontend
from playground.setup.paths import FRONTEND, PROJECT

# Console scripts stand beside the interpreter that runs the tests.
TOOLS = Path(sys.executable).parent


def passes(command: Sequence[str | Path], cwd: Path = PROJECT, env: Mapping[str, str] | None = None) -> None:
    """Fail with everything that the program said unless it exits with 0."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))}:\n{done.stdout}{done.stderr}"


def test_the_python_code_follows_the_rules_of_ruff() -> None:
    passes([TOOLS / "ruff", "check", "--output-format", "concise", "."])


def test_every_type_is_right_by_mypy() -> None:
    passes([TOOLS / "mypy", "--cache-dir", PROJECT / ".build" / "mypy"])


def test_imports_point_one_way() -> None:
    passes([TOOLS / "lint-imports", "--cache-dir", PROJECT / ".build" / "import-linter"])


@pytest.mark.parametrize(
    ("what", "command"),
    [
        ("generated files are what their sources give", ["codegen", "--check"]),
        ("every change of a model has its migration", ["makemigrations", "--check", "--dry-run"]),
        ("Django finds nothing wrong with the project", ["check", "--fail-level", "WARNING"]),
    ],
)
def test_management_check(what: str, command: list[str]) -> None:
    passes([sys.executable, "manage.py", *command])


@pytest.mark.parametrize("script", ["lint", "typecheck", "test"])
def test_the_page_passes_npm_run(script: str) -> None:
    passes(["npm", "run", script], cwd=FRONTEND, env=frontend.ensure_node())
