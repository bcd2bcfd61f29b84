"""Builds the compiled engine that `playground.native` serves: whole, once per state of the sources, beside them.

The sources are copied first, so that an edit during the build can't end up half in it, and the result is renamed into
place, so that nobody ever sees half a build. Compiling a part alone is faster and crashed mypyc on a rebuild.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playground import native
from playground.setup import environment, locks, steps
from playground.setup.paths import LOGS, PROJECT

KEPT_BUILDS = 2
# Before there was any build: what one takes for each thousand source lines on a machine of 2026.
SECONDS_PER_THOUSAND_LINES = 4.0
ABOUT_COMPILING = "import sysconfig as s; print(s.get_config_var('CC') or 'cc'); print(s.get_path('include'))"
ADVICE_COMPILER = (
    "install a C compiler and Python's headers (Debian, Ubuntu: apt-get install gcc python3-dev; Fedora: dnf install gcc "
    "python3-devel; macOS: xcode-select --install). `play` works without them, with the engine interpreted: slower, same "
    "results."
)
STEP = "Compiling the engine (about a minute)"


def compiler_environment(python: str | Path = sys.executable) -> dict[str, str]:
    """The environment in which setuptools finds a C compiler for extensions of `python`.

    Raises StepFailed when there is no compiler, or no Python.h.
    """
    asked = subprocess.run(
        [python, "-c", ABOUT_COMPILING], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    configured, include = os.environ.get("CC") or asked[0], Path(asked[1])
    program = configured.split()[0]
    found = next((name for name in (program, "cc", "gcc", "clang") if shutil.which(name)), None)
    if found is None:
        raise steps.StepFailed("Looking for a C compiler (cc, gcc, clang)", advice=ADVICE_COMPILER)
    if not (include / "Python.h").exists():
        raise steps.StepFailed(f"Looking for Python's headers ({include / 'Python.h'})", advice=ADVICE_COMPILER)
    return {} if found == program else {"CC": found, "LDSHARED": f"{found} -shared"}


def ensure_compiler(python: Path) -> None:
    """Have a C compiler and the headers of `python`, installed if this is root on Debian. Raises StepFailed."""
    try:
        compiler_environment(python)
    except steps.StepFailed:
        if os.geteuid() != 0 or not shutil.which("apt-get"):
            raise
        environment.apt_install("gcc", "libc6-dev", "python3-dev", advice=ADVICE_COMPILER)
        compiler_environment(python)


def background_log() -> Path:
    """Where a build in the background writes."""
    LOGS.mkdir(parents=True, exist_ok=True)
    return LOGS / "compile-in-background.log"


def is_current(project: Path = PROJECT, builds: Path = native.BUILDS) -> bool:
    """Whether a build of exactly the present sources is there."""
    return (builds / native.source_hash(project) / native.MANIFEST).exists()


def build(project: Path = PROJECT, builds: Path = native.BUILDS) -> native.Build:
    """Compile the engine and the blocks as they are now, unless that is done already; returns the build.

    Raises StepFailed, with the compilers' output, when the sources don't compile.
    """
    builds.mkdir(parents=True, exist_ok=True)
    with locks.held(builds / "lock", while_waiting="Another build of the engine is under way: waiting for it."):
        wanted = native.source_hash(project)
        if not is_current(project, builds):
            with _reported(builds, wanted, _expected_seconds(project, builds)):
                _build(project, builds, wanted)
            _prune(builds, wanted)
    return next(build for build in native.finished_builds(builds) if build.hash == wanted)


def _build(project: Path, builds: Path, wanted: str) -> None:
    environment = compiler_environment()
    with tempfile.TemporaryDirectory(prefix="unfinished-", dir=builds) as temporary:
        sources, output = Path(temporary, "sources"), Path(temporary, "output")
        _copy_sources(project, sources)
        if native.source_hash(sources) != wanted:
            raise steps.StepFailed(STEP, output="The sources changed meanwhile.", advice="start it again.")
        modules = native.compiled_sources(sources)
        steps.run(
            STEP,
            [sys.executable, "-m", "playground.setup.mypyc_group", sources, output, *modules],
            advice="mend the lines named above, or play on: the engine runs interpreted as long as it doesn't compile.",
            cwd=project,
            env=environment,
            logs=builds.parent / "log",
        )
        _write_manifest(sources, output, modules)
        output.rename(builds / wanted)


def _copy_sources(project: Path, sources: Path) -> None:
    for path in (project / "playground").rglob("*.py"):
        copy = sources / path.relative_to(project)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)


def _write_manifest(sources: Path, output: Path, modules: dict[str, Path]) -> None:
    files = {}
    for library in output.rglob("*.so"):
        relative = library.relative_to(output)
        # playground/engine/clock.cpython-311-x86_64-linux-gnu.so is playground.engine.clock
        files[".".join((*relative.parent.parts, relative.name.split(".")[0]))] = str(relative)
    manifest = {
        "toolchain": native.toolchain(),
        "engine": {str(path.relative_to(sources)): native.digest(path) for path in native.engine_sources(sources)},
        "modules": {name: native.digest(path) for name, path in modules.items()},
        "files": files,
    }
    (output / native.MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n", encoding="utf-8")


@contextmanager
def _reported(builds: Path, wanted: str, expected_seconds: float) -> Iterator[None]:
    """Keep the status file true while the body builds; see `native.status`."""
    began = time.time()
    report: dict[str, object] = {
        "state": "building",
        "pid": os.getpid(),
        "source_hash": wanted,
        "started": began,
        "expected_seconds": round(expected_seconds, 1),
        "error": None,
    }
    _write_status(builds, report)
    try:
        yield
    except BaseException as error:
        said = str(error) if isinstance(error, steps.StepFailed) else f"ended by {type(error).__name__}"
        _write_status(builds, {**report, "state": "failed", "error": said})
        raise
    seconds = round(time.time() - began, 1)
    _write_status(builds, {**report, "state": "done", "seconds": seconds})


def _write_status(builds: Path, report: dict[str, object]) -> None:
    draft = builds / f"{native.STATUS}.{os.getpid()}"
    draft.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    draft.replace(builds / native.STATUS)


def _expected_seconds(project: Path, builds: Path) -> float:
    """What the last build took, else a guess from the number of lines."""
    report = native.read_status(builds)
    for key in ("seconds", "expected_seconds"):
        last = report.get(key)
        if isinstance(last, (int, float)) and last > 0:
            return float(last)
    lines = sum(len(path.read_bytes().splitlines()) for path in native.compiled_sources(project).values())
    return 5.0 + SECONDS_PER_THOUSAND_LINES * lines / 1000


def _prune(builds: Path, wanted: str) -> None:
    """Delete all but the newest builds, and what an interrupted build left behind."""
    kept = {wanted, *(build.hash for build in native.finished_builds(builds)[:KEPT_BUILDS])}
    for folder in builds.iterdir():
        if folder.is_dir() and folder.name not in kept:
            shutil.rmtree(folder, ignore_errors=True)
