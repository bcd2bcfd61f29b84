"""The habits that no linter knows: what may be how long, what may not be left in the tree, what the documents say."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from django.core.management import get_commands

from playground.setup.paths import PROJECT

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 400
# A longer file or function gives its reason where it begins, in a sentence with this word.
REASON = re.compile(r"\blong(er)?\b", re.IGNORECASE)
REASON_LINES = 12

UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
SKIPPED = re.compile(
    r"pytest\.(mark\.)?(skip|xfail|importorskip)|@unittest\.skip|\b(it|test|describe)\.(skip|todo|only)\("
)
# The one skip there may be: a comparison with a server that can't be had. It warns, and in CI it fails instead.
MAY_SKIP = {"tests/postgres.py"}
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)#\s]+)(?:#[^)]*)?\)")
IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
COMMAND = re.compile(r"manage\.py ([a-z_]+)")
# What manage.py knows beside Django's commands.
SET_UP_COMMANDS = {"play", "test", "help"}


@cache
def files(*suffixes: str) -> list[Path]:
    """Every file of the project with one of the suffixes: known to git, or new and not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    present = [PROJECT / name for name in listed if name.endswith(suffixes)]
    return [
        path for path in present if path.exists() and "generated" not in path.parts and "migrations" not in path.parts
    ]


def named(path: Path) -> str:
    return str(path.relative_to(PROJECT))


def long_functions(path: Path) -> Iterator[str]:
    """The functions of a Python file that don't fit a screen, their docstrings not counted."""
    source = path.read_text(encoding="utf-8")
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            start, end = node.lineno, node.end_lineno or node.lineno
            first = node.body[0]
            is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
            if is_docstring and first.end_lineno is not None:
                start += first.end_lineno - first.lineno + 1
            if end - start + 1 > FUNCTION_LINES_MAX and not REASON.search(
                "\n".join(lines[node.lineno - 2 : start + REASON_LINES])
            ):
                yield f"{named(path)}:{node.lineno} {node.name}: {end - start + 1} lines"


def test_a_function_fits_a_screen() -> None:
    found = [line for path in files(".py") for line in long_functions(path)]
    assert not found, "split them, or say at their top why they are longer:\n" + "\n".join(found)


def test_a_file_fits_a_sitting() -> None:
    found = []
    for path in files(".py", ".ts", ".tsx", ".css"):
        lines = path.read_text(encoding="utf-8").splitlines()
        if len(lines) > FILE_LINES_MAX and not REASON.search("\n".join(lines[:REASON_LINES])):
            found.append(f"{named(path)}: {len(lines)} lines")
    assert not found, "split them, or say at their top why they are longer:\n" + "\n".join(found)


def test_nothing_is_left_unfinished() -> None:
    found = [
        f"{named(path)}:{number}: {line.strip()}"
        for path in files(".py", ".ts", ".tsx", ".css", ".html", ".toml", ".md")
        if path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if UNFINISHED.search(line)
    ]
    assert not found, "\n".join(found)


def test_no_test_is_skipped() -> None:
    found = [
        f"{named(path)}:{number}: {line.strip()}"
        for path in files(".py", ".ts", ".tsx")
        if path != Path(__file__) and named(path) not in MAY_SKIP
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if SKIPPED.search(line)
    ]
    assert not found, "\n".join(found)


def test_every_link_in_a_document_leads_somewhere() -> None:
    found = [
        f"{named(path)}: {target}"
        for path in files(".md")
        for target in LINK.findall(path.read_text(encoding="utf-8"))
        if not re.match(r"[a-z]+:", target) and not (path.parent / target).exists()
    ]
    assert not found, "\n".join(found)


def test_every_picture_in_a_document_is_there_and_described() -> None:
    found = [
        f"{named(path)}: {target}"
        for path in files(".md")
        for text, target in IMAGE.findall(path.read_text(encoding="utf-8"))
        if not text or not (path.parent / target).exists()
    ]
    assert not found, "\n".join(found)


def test_every_command_that_a_document_names_exists() -> None:
    known = {*get_commands(), *SET_UP_COMMANDS}
    found = [
        f"{named(path)}: manage.py {command}"
        for path in files(".md")
        for command in COMMAND.findall(path.read_text(encoding="utf-8"))
        if command not in known
    ]
    assert not found, "\n".join(found)


def readme() -> str:
    return (PROJECT / "README.md").read_text(encoding="utf-8")


def test_the_readmes_first_screen_is_the_two_commands_and_a_picture() -> None:
    first_screen = "\n".join(readme().splitlines()[:25])
    assert "python3 manage.py play" in first_screen
    assert "python3 manage.py test" in first_screen
    assert IMAGE.search(first_screen)


def test_the_readmes_map_names_every_part_of_the_tree() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    folders = {Path(name).parts[1] for name in listed if name.startswith("playground/") and len(Path(name).parts) > 2}
    folders |= {Path(name).parts[0] for name in listed if len(Path(name).parts) > 1 and not name.startswith(".")}
    assert sorted(folder for folder in folders if f"{folder}/" not in readme()) == []


def test_every_setting_that_the_code_reads_is_documented() -> None:
    read: set[str] = set()
    for path in files(".py"):
        if path.is_relative_to(PROJECT / "playground"):
            read |= set(re.findall(r'"(PLAYGROUND_[A-Z_]+)"', path.read_text(encoding="utf-8")))
    assert sorted(name for name in read if name not in readme()) == []
