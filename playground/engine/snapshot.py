# mypyc: interpreted
# ruff: noqa: ERA001
"""Snapshots: copies of everything that a run's state is made of, and the way back to them.

One generic walker finds the state: it starts at the simulation and follows every attribute of every :class:`State`. Objects are
restored in place, so references between them stay true; objects made after the snapshot become unreachable again.
A list or dict that two of them share is one again after the way back; columns belong to one owner.
"""

from __future__ import annotations

from typing import Any

from librt.vecs import vec
from mypy_extensions import i64, u8

from playground.engine.params import Params
from playground.engine.state import State

ATOMS = (int, float, str, bool, bytes, type(None), Params)
COLUMNS = (type(vec[i64]()), type(vec[float]()), type(vec[u8]()))


class Snapshot:
    """The state of all objects reachable from ``root`` at the time it was made. ``size`` is about its bytes."""

    def __init__(self, root: State) -> None:
        self._kept: list[tuple[State, list[tuple[str, Any]]]] = []
        waiting: list[State] = [root]
        seen: set[int] = {id(root)}
        copies: dict[int, tuple[Any, Any]] = {}
        while waiting:
            owner = waiting.pop()
            kept = []
            for name in attribute_names(owner):
                value = getattr(owner, name)
                self._find(value, waiting, seen)
                kept.append((name, copy_of(value, copies, owner, name)))
            self._kept.append((owner, kept))
        self.size = sum((64 if isinstance(copy, dict) else 8) * len(copy) for _, copy in copies.values())

    def restore(self) -> None:
        """Put every object back to what it was. The snapshot stays good for further use."""
        copies: dict[int, tuple[Any, Any]] = {}
        for owner, kept in self._kept:
            for name, value in kept:
                setattr(owner, name, copy_of(value, copies, owner, name))
            # An interpreted object can have got attributes since.
            for name in set(getattr(owner, "__dict__", ())).difference(name for name, _ in kept):
                delattr(owner, name)

    def _find(self, value: Any, waiting: list[State], seen: set[int]) -> None:
        if isinstance(value, State):
            if id(value) not in seen:
                seen.add(id(value))
                waiting.append(value)
        elif isinstance(value, list):
            for item in value:
                if not isinstance(item, ATOMS):
                    self._find(item, waiting, seen)
        elif isinstance(value, dict):
            for item in value.values():
                if not isinstance(item, ATOMS):
                    self._find(item, waiting, seen)


def copy_of(value: Any, copies: dict[int, tuple[Any, Any]], owner: State, name: str) -> Any:
    """A copy of an attribute's value, down to its States, which stay what they are. Raises TypeError for what cannot be copied.

    ``copies`` has those already made by the id of the original, which it keeps alive so that no other gets that id.
    """
    if isinstance(value, State) or is_atom(value):
        return value
    if id(value) in copies:
        return copies[id(value)][1]
    if isinstance(value, COLUMNS):
        copies[id(value)] = (value, value[:])
    elif isinstance(value, list):
        items: list[Any] = []
        copies[id(value)] = (value, items)
        items.extend(copy_of(item, copies, owner, name) for item in value)
    elif isinstance(value, dict):
        entries: dict[Any, Any] = {}
        copies[id(value)] = (value, entries)
        entries.update((key, copy_of(item, copies, owner, name)) for key, item in value.items())
    else:
        raise TypeError(
            f"{type(owner).__name__}.{name} holds a {type(value).__name__}, which a snapshot cannot copy; "
            "use numbers, columns, lists, dicts or a State"
        )
    return copies[id(value)][1]


def is_atom(value: Any) -> bool:
    """Whether ``value`` can never change, so that it needs no copy."""
    if isinstance(value, tuple):
        return all(is_atom(item) for item in value)
    return isinstance(value, ATOMS)


def attribute_names(owner: State) -> list[str]:
    """Names of all attributes of ``owner``, compiled or interpreted, in a fixed order."""
    names: dict[str, None] = {}
    for kind in type(owner).__mro__:
        for name in getattr(kind, "__mypyc_attrs__", ()):
            if not name.startswith("__"):
                names[name] = None
    names.update(dict.fromkeys(getattr(owner, "__dict__", {})))
    return sorted(names)
