"""The project's own Python environment, `.venv`: made when missing, filled when the requirement files changed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from playground.setup import hashing, steps
from playground.setup.paths import PROJECT, VENV, VENV_PYTHON

RUNTIME = "requirements.txt"
DEVELOPMENT = "requirements-dev.txt"
STAMPS = hashing.Stamps(VENV / "playground-installed.json")

NO_PIP = (
    "this Python can make no environment with pip in it. Any one of these helps: install the package that has venv and "
    "ensurepip (Debian, Ubuntu: apt-get install python3-venv), or install uv (https://docs.astral.sh/uv/) so that it is "
    "on PATH; then run the same command again."
)
NO_PACKAGES = (
    "see that this machine reaches a package index (pip's own configuration and PIP_* variables are honoured), then run "
    "the same command again; what was fetched is kept."
)


def requirement_files(name: str, project: Path = PROJECT) -> list[Path]:
    """The requirement file and those that it includes with `-r`, the included ones first."""
    path = project / name
    included = re.findall(r"^-r\s+(\S+)", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [*(found for inner in included for found in requirement_files(inner, project)), path]


def pinned(name: str, project: Path = PROJECT) -> dict[str, str]:
    """Package to exact version, of a requirement file and what it includes."""
    lines = "\n".join(path.read_text(encoding="utf-8") for path in requirement_files(name, project))
    return dict(re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==([^\s;#]+)", lines, flags=re.MULTILINE))


def imports_here(name: str = RUNTIME) -> bool:
    """Whether every package of a requirement file is installed for the interpreter that runs this."""
    try:
        return all(version(package) for package in pinned(name))
    except PackageNotFoundError:
        return False


def ensure(name: str) -> Path:
    """Have `.venv` with the packages of a requirement file in it; returns its python.

    Does nothing when the stamp says that these very files were installed. Raises StepFailed.
    """
    interpreter = _version_of(VENV_PYTHON)
    if interpreter is None:
        _make()
        interpreter = _version_of(VENV_PYTHON)
    hashes = {
        path.name: hashing.of_files(requirement_files(path.name), str(interpreter)) for path in requirement_files(name)
    }
    done = STAMPS.read()
    if done.get(name) != hashes[name]:
        _install(["-r", PROJECT / name], f"Installing the packages of {name}")
        STAMPS.write(**hashes)
    return VENV_PYTHON


def ensure_package(requirement: str) -> None:
    """Have one more package in `.venv`, pinned as `name==version`. Raises StepFailed."""
    if STAMPS.read().get(requirement) != "installed":
        _install([requirement], f"Installing {requirement}")
        STAMPS.write(**{requirement: "installed"})


def _version_of(python: Path) -> str | None:
    """`3.11` and the like; None when it doesn't start, as after an upgrade of the Python it was made from."""
    ask = "import sys, encodings; print('%d.%d' % sys.version_info[:2])"
    try:
        answer = subprocess.run([python, "-I", "-c", ask], capture_output=True, text=True, timeout=60, check=False)
    except OSError:
        return None
    return answer.stdout.strip() or None


def _make() -> None:
    """Make `.venv` by the first way that works: uv, venv with pip, venv that borrows this Python's pip."""
    what = "Making the environment .venv"
    ways: list[Sequence[str | Path]] = []
    if uv := shutil.which("uv"):
        ways.append([uv, "venv", "--quiet", "--clear", "--python", sys.executable, VENV])
    if find_spec("ensurepip") and find_spec("venv"):
        ways.append([sys.executable, "-m", "venv", "--clear", VENV])
    if find_spec("pip") and find_spec("venv"):
        ways.append([sys.executable, "-m", "venv", "--clear", "--without-pip", VENV])
    if not ways:
        _install_debian_venv(what)
        ways.append([sys.executable, "-m", "venv", "--clear", VENV])
    for number, command in enumerate(ways, start=1):
        try:
            steps.run(what, command, advice=NO_PIP)
            return
        except steps.StepFailed:
            if number == len(ways):
                raise
            steps.say("  trying another way")


def _install_debian_venv(what: str) -> None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise steps.StepFailed(what, output=f"{sys.executable} has neither ensurepip nor pip", advice=NO_PIP)
    apt_install("python3-venv", advice=NO_PIP)


def apt_install(*packages: str, advice: str) -> None:
    """Install Debian packages, as root. Raises StepFailed with the advice."""
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    steps.run("Reading Debian's package lists", ["apt-get", "update"], advice=advice, env=quiet, seconds=300)
    command = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    steps.run(f"Installing Debian's {' '.join(packages)}", command, advice=advice, env=quiet, seconds=900)


def _install(what_to_install: Sequence[str | Path], step: str) -> None:
    """Run an installer over `.venv`: uv if it is there and gets through, else some pip."""
    if uv := shutil.which("uv"):
        try:
            steps.run(
                f"{step} with uv", [uv, "pip", "install", "--python", VENV_PYTHON, *what_to_install], advice=NO_PACKAGES
            )
            return
        except steps.StepFailed:
            # uv doesn't read pip's configuration: where an index is configured for pip alone, pip gets through.
            steps.say("  uv did not get through; trying pip")
    steps.run(step, [*_pip(), "install", *what_to_install], advice=NO_PACKAGES)


def _pip() -> list[str | Path]:
    """The command for a pip that installs into `.venv`: its own, or this interpreter's."""
    quiet = ["--disable-pip-version-check", "--no-input"]
    own = subprocess.run([VENV_PYTHON, "-I", "-m", "pip", "--version"], capture_output=True, check=False)
    if own.returncode == 0:
        return [VENV_PYTHON, "-m", "pip", *quiet]
    if find_spec("pip"):
        return [sys.executable, "-m", "pip", "--python", VENV_PYTHON, *quiet]
    steps.run("Giving .venv a pip", [VENV_PYTHON, "-m", "ensurepip"], advice=NO_PIP)
    return [VENV_PYTHON, "-m", "pip", *quiet]
