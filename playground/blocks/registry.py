"""Finds the kinds of blocks: every folder beside this file with a ``spec.py``. Nobody edits a list.

A folder holds ``spec.py`` (``SPEC``), ``behaviour.py`` (one subclass of :class:`Block`), ``doc.md`` (shown in the inspector and the
palette) and ``example.json`` (a small design with the block in it, which the contract tests run).
"""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

# Before any behaviour: the engine's import decides whether behaviours are served compiled.
import playground.engine  # noqa: F401
from playground.engine.block import Block
from playground.protocol.catalogue import BlockSpec

FOLDER = Path(__file__).resolve().parent
PACKAGE = "playground.blocks"


@dataclass(frozen=True)
class Kind:
    """One kind of block: what it declares (``doc.md`` included), how it behaves, and a small design that shows it."""

    spec: BlockSpec
    behaviour: type[Block]
    folder: Path

    def example(self) -> dict[str, Any]:
        """The design in ``example.json``."""
        read: dict[str, Any] = json.loads((self.folder / "example.json").read_text(encoding="utf-8"))
        return read


def folders(root: Path = FOLDER) -> Iterator[Path]:
    """The folders of all kinds, in order of name; those that begin with an underscore are none."""
    for spec in sorted(root.glob("*/spec.py")):
        if not spec.parent.name.startswith("_"):
            yield spec.parent


def load(folder: Path, package: str = PACKAGE) -> Kind:
    """The kind in ``folder``; raises ``ValueError`` naming what is missing or doubled in it."""
    name = folder.name
    spec = importlib.import_module(f"{package}.{name}.spec").SPEC
    module = importlib.import_module(f"{package}.{name}.behaviour")
    own = [
        found
        for _, found in inspect.getmembers(module, inspect.isclass)
        if issubclass(found, Block) and found is not Block and found.__module__ == module.__name__
    ]
    if len(own) != 1:
        raise ValueError(f"{folder}/behaviour.py defines {len(own)} blocks; exactly one is expected")
    if not isinstance(spec, BlockSpec) or spec.kind != name:
        raise ValueError(f"{folder}/spec.py: SPEC is a BlockSpec whose kind is the folder's name, {name!r}")
    doc = (folder / "doc.md").read_text(encoding="utf-8").strip()
    return Kind(spec.model_copy(update={"doc": doc}), own[0], folder)


@cache
def kinds() -> dict[str, Kind]:
    """Every kind by its name, in the order of the palette."""
    found = [load(folder) for folder in folders()]
    found.sort(key=lambda kind: (kind.spec.order, kind.spec.kind))
    return {kind.spec.kind: kind for kind in found}
