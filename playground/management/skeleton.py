"""A new kind of block, made from ``playground/blocks/_skeleton``."""

from __future__ import annotations

import ast
import keyword
import re
from pathlib import Path

from playground.protocol.errors import InputError, shown

SKELETON = Path(__file__).resolve().parent.parent / "blocks" / "_skeleton"
FORM = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
NAME_CHARACTERS_MAX = 40
ACCEPTED = (
    f"a name in snake_case of at most {NAME_CHARACTERS_MAX} characters that no other kind has, such as rate_limiter"
)


def class_name(name: str) -> str:
    """``rate_limiter`` is ``RateLimiter``."""
    return "".join(word.capitalize() for word in name.split("_"))


def title(name: str) -> str:
    """``rate_limiter`` is ``Rate limiter``."""
    return name.replace("_", " ").capitalize()


def refusal(name: str, blocks: Path) -> str | None:
    """Why there can't be a new kind called ``name`` in the folder ``blocks``; None when there can."""
    if len(name) > NAME_CHARACTERS_MAX or not FORM.fullmatch(name):
        return "is not a name in snake_case"
    if keyword.iskeyword(name) or keyword.iskeyword(class_name(name)):
        return "is a word of Python's own"
    if (blocks / name).exists():
        return "is a kind of block already"
    if (blocks / f"{name}.py").exists():
        return f"is taken by the module {name}.py"
    if class_name(name) in imported():
        return f"is taken: its class {class_name(name)} would hide the one that it needs"
    return None


def imported() -> set[str]:
    """The names that the skeleton's behaviour imports."""
    tree = ast.parse((SKELETON / "behaviour.py").read_text(encoding="utf-8"))
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }


def new_block(name: str, blocks: Path = SKELETON.parent) -> list[Path]:
    """Make ``blocks/name`` and return its files; raises :class:`InputError` for a name that can't be taken."""
    reason = refusal(name, blocks)
    if reason is not None:
        raise InputError.single("name", f"{shown(name)!r} {reason}", where="name", value=shown(name), accepted=ACCEPTED)
    replacements = {"SkeletonBlock": class_name(name), "Skeleton": title(name), "skeleton": name}
    folder = blocks / name
    folder.mkdir(parents=True)
    made = []
    for source in sorted(SKELETON.iterdir()):
        if source.is_file():
            text = source.read_text(encoding="utf-8")
            # In one go: a new name may contain an old one.
            text = re.sub("|".join(replacements), lambda found: replacements[found[0]], text)
            (folder / source.name).write_text(text, encoding="utf-8")
            made.append(folder / source.name)
    return made
