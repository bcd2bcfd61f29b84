"""Whether something has to be done again: a hash over what went in, and a stamp file with the last one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path


def of_files(paths: Iterable[Path], *also: str) -> str:
    """SHA-256 in hex over the names, contents and order of the files, and over further words."""
    total = hashlib.sha256("\0".join(also).encode())
    for path in paths:
        total.update(f"\0{path.name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}".encode())
    return total.hexdigest()


def of_tree(root: Path, skipped: Iterable[str]) -> str:
    """SHA-256 in hex over every file below `root`, by path and content; folders named in `skipped` are left out."""
    skip = set(skipped)
    total = hashlib.sha256()
    pending = [root]
    while pending:
        for entry in sorted(pending.pop().iterdir()):
            if entry.name in skip:
                continue
            if entry.is_dir():
                pending.append(entry)
            else:
                content = hashlib.sha256(entry.read_bytes()).hexdigest()
                total.update(f"{entry.relative_to(root)}\0{content}\0".encode())
    return total.hexdigest()


class Stamps:
    """A JSON file of name to hash: what was done, and with which input."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, str]:
        """All stamps; none when the file isn't there or isn't ours."""
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def write(self, **stamps: str) -> None:
        """Add stamps to those that are there; a rename, so that a reader never sees half of it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".draft")
        draft.write_text(json.dumps({**self.read(), **stamps}, indent=1) + "\n", encoding="utf-8")
        draft.replace(self.path)
