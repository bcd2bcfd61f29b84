"""Which engine a process runs: compiled by mypyc where a build fits the sources, interpreted where none does.

The engine and the blocks' behaviours are ordinary Python. `manage.py compile` turns them into extension modules
outside the source tree:

    .build/native/<hash>/manifest.json            which sources went in, with which interpreter and librt
    .build/native/<hash>/playground/engine/*.so   one shim a module
    .build/native/<hash>/*__mypyc.*.so            the code of all of them; the shims import it
    .build/native/status.json                     what the builder is doing, or why it failed

`install()`, called when `playground.engine` is imported, puts a finder in front of Python's own that serves the newest
build whose engine sources are all unchanged. Blocks know nothing of one another, so each behaviour is judged
by itself: one that was edited, or is new, runs interpreted inside the compiled engine until the next build.

PLAYGROUND_ENGINE decides: `auto` (default), `compiled` (an error where no build fits), `interpreted`.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import sysconfig
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from importlib.metadata import PackageNotFoundError, version
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Literal, TypedDict

PROJECT = Path(__file__).resolve().parent.parent
BUILDS = PROJECT / ".build" / "native"
STATUS = "status.json"
MANIFEST = "manifest.json"
# The name under which mypyc's shims import the code of the whole group.
GROUP = "playground_engine"
# How modules become a build: another way to compile them is another build.
RECIPE = PROJECT / "playground" / "setup" / "mypyc_group.py"
# In a module's first lines: leave this one to the interpreter.
INTERPRETED_MARK = "# mypyc: interpreted"
MARK_LINES = 5

ENGINE_VARIABLE = "PLAYGROUND_ENGINE"
CHOICES = ("auto", "compiled", "interpreted")

Mode = Literal["compiled", "interpreted"]


class NoUsableBuild(ImportError):
    """PLAYGROUND_ENGINE=compiled, and no build fits the sources and this interpreter."""


class Status(TypedDict):
    """What an engine process started now would run, and what the builder is doing.

    mode      how it would run
    hash      the build it would use, None when interpreted
    building  a builder is at work
    progress  its share done, 0 to 1, guessed from the time the last build took; None when not building
    error     why the last build of these very sources failed, None when it didn't
    """

    mode: Mode
    hash: str | None
    building: bool
    progress: float | None
    error: str | None


@dataclass(frozen=True)
class Build:
    """One finished build: its hash, its folder, and what its manifest says.

    `engine` maps every engine source (path in the project) to its SHA-256, `modules` every compiled module to the
    SHA-256 of its source, `files` every importable name to its file inside `folder`.
    """

    hash: str
    folder: Path
    toolchain: dict[str, str]
    engine: dict[str, str]
    modules: dict[str, str]
    files: dict[str, str]


class CompiledFinder(MetaPathFinder):
    """Serves the compiled modules of one build, and only those; Python's own finders do the rest."""

    def __init__(self, build_hash: str, files: Mapping[str, Path]) -> None:
        self.hash = build_hash
        self.files = dict(files)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of the extension module `fullname`, None for a module that isn't in the build."""
        file = self.files.get(fullname)
        if file is None:
            return None
        return spec_from_file_location(fullname, file, loader=ExtensionFileLoader(fullname, str(file)))


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def engine_sources(project: Path = PROJECT) -> list[Path]:
    """Every source of the engine, compiled or not: mypyc copies constants across modules, so all of them count."""
    return sorted((project / "playground" / "engine").rglob("*.py"))


def compiled_sources(project: Path = PROJECT) -> dict[str, Path]:
    """Module name to source of everything that a build compiles, in order of name."""
    blocks = (project / "playground" / "blocks").glob("*/*.py")
    sources = [path for path in engine_sources(project) if path.name != "__init__.py"]
    # What a block declares (spec.py, spec_*.py) is read once; how it behaves may lie in several modules.
    sources += [path for path in blocks if path.parent.name[0] != "_" and not path.name.startswith(("spec", "__"))]
    named = {".".join(path.relative_to(project).with_suffix("").parts): path for path in sources}
    return {name: named[name] for name in sorted(named) if not _is_marked_interpreted(named[name])}


def toolchain() -> dict[str, str]:
    """What a build must have in common with the process that loads it: the interpreter's ABI, librt's version, and how it was made.

    An empty version of librt means that it isn't installed; no build fits that.
    """
    try:
        librt = version("librt")
    except PackageNotFoundError:
        librt = ""
    return {"abi": str(sysconfig.get_config_var("SOABI")), "librt": librt, "recipe": digest(RECIPE)[:16]}


def source_hash(project: Path = PROJECT) -> str:
    """The name of the build that the present sources would give: 16 hex digits."""
    parts = {
        "toolchain": toolchain(),
        "engine": {str(path.relative_to(project)): digest(path) for path in engine_sources(project)},
        "modules": {name: digest(path) for name, path in compiled_sources(project).items()},
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def finished_builds(builds: Path = BUILDS) -> list[Build]:
    """Every build in the folder, the newest first. A folder without a readable manifest is none."""
    found: list[tuple[float, Build]] = []
    for manifest in builds.glob(f"*/{MANIFEST}"):
        try:
            content = json.loads(manifest.read_text(encoding="utf-8"))
            build = Build(hash=manifest.parent.name, folder=manifest.parent, **content)
            found.append((manifest.stat().st_mtime, build))
        except (OSError, ValueError, TypeError):
            continue
    return [build for _, build in sorted(found, key=lambda pair: pair[0], reverse=True)]


def usable_build(project: Path = PROJECT, builds: Path = BUILDS) -> CompiledFinder | None:
    """A finder over the newest build that fits this interpreter and the present engine, None where none does.

    It leaves out the blocks of which some source is no longer what was compiled: the modules of a folder know one another's layout.
    """
    finished = finished_builds(builds)
    if not finished:
        return None
    here = toolchain()
    engine = {str(path.relative_to(project)): digest(path) for path in engine_sources(project)}
    for build in finished:
        if build.toolchain != here or build.engine != engine:
            continue
        present = compiled_sources(project)
        stale = {
            name.rpartition(".")[0]
            for name in build.modules.keys() | present.keys()
            if name not in build.modules or name not in present or digest(present[name]) != build.modules[name]
        }
        files = {name: build.folder / file for name, file in build.files.items()}
        kept = {name: file for name, file in files.items() if name.rpartition(".")[0] not in stale}
        return CompiledFinder(build.hash, kept)
    return None


def choice() -> str:
    """The value of PLAYGROUND_ENGINE. Raises ValueError for one that isn't among the choices."""
    chosen = os.environ.get(ENGINE_VARIABLE) or "auto"
    if chosen not in CHOICES:
        raise ValueError(f"{ENGINE_VARIABLE}={chosen!r} is not known: use one of {', '.join(CHOICES)}")
    return chosen


def installed() -> CompiledFinder | None:
    """The finder that this process uses, None while it has none."""
    return next((finder for finder in sys.meta_path if isinstance(finder, CompiledFinder)), None)


def mode() -> Mode:
    """How the engine of this very process runs."""
    return "compiled" if installed() else "interpreted"


def install(project: Path = PROJECT, builds: Path = BUILDS) -> Mode:
    """Serve the engine compiled from here on, if PLAYGROUND_ENGINE and the builds allow; called twice it does nothing.

    Returns how it will run. Raises NoUsableBuild when it has to be compiled and can't.
    """
    if installed():
        return "compiled"
    chosen = choice()
    if chosen == "interpreted":
        return "interpreted"
    finder = usable_build(project, builds)
    if finder is not None:
        sys.meta_path.insert(0, finder)
        return "compiled"
    if chosen == "compiled":
        failure = read_status(builds).get("error")
        raise NoUsableBuild(
            f"{ENGINE_VARIABLE}=compiled, but no build in {builds} fits the sources of playground/engine and this "
            f"interpreter ({toolchain()['abi']}): run `python3 manage.py compile`, or use {ENGINE_VARIABLE}=auto"
            + (f". The last build failed: {failure}" if failure else "")
        )
    return "interpreted"


def status(project: Path = PROJECT, builds: Path = BUILDS) -> Status:
    """What an engine process started now would run, and what the builder is doing; reads the disk, a few ms."""
    report = read_status(builds)
    building = report.get("state") == "building" and _is_alive(report.get("pid"))
    finder = None if choice() == "interpreted" else usable_build(project, builds)
    error = report.get("error")
    return {
        "mode": "compiled" if finder else "interpreted",
        "hash": finder.hash if finder else None,
        "building": building,
        "progress": _progress(report) if building else None,
        "error": str(error) if error and report.get("source_hash") == source_hash(project) else None,
    }


def read_status(builds: Path = BUILDS) -> dict[str, object]:
    """The builder's last word, as it wrote it; empty when it never ran."""
    try:
        content = json.loads((builds / STATUS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _progress(report: Mapping[str, object]) -> float:
    started, expected = report.get("started"), report.get("expected_seconds")
    if not isinstance(started, (int, float)) or not isinstance(expected, (int, float)) or expected <= 0:
        return 0.0
    # Never 1 before it is done: a build on a busy machine takes longer than the last one did.
    return round(min(0.97, max(0.0, (time.time() - started) / expected)), 3)


def _is_marked_interpreted(path: Path) -> bool:
    with path.open(encoding="utf-8") as file:
        return any(line.strip() == INTERPRETED_MARK for _, line in zip(range(MARK_LINES), file, strict=False))


def _is_alive(pid: object) -> bool:
    if not isinstance(pid, int):
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
