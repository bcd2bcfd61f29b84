# mypyc: interpreted
"""Snapshots: copies of everything that a run's state is made of, and the way back to them.

One generic walker finds the state: it starts at the simulation and follows every attribute of every :class:`State`. Objects are
restored in place, so references between them stay true; objects made after the snapshot become unreachable again.
"""

from __future__ import annotations

from typing import Any

from librt.vecs import vec
from mypy_extensions import i64, u8

from playground.engine.params import Params
from playground.engine.state import State

ATOMS = (int, float, str, bool, bytes, type(None), tuple, Params)
COLUMNS = (type(vec[i64]()), type(vec[float]()), type(vec[u8]()))


class Snapshot:
    """The state of all objects reachable from ``root`` at the time it was made. ``size`` is about its bytes."""

    def __init__(self, root: State) -> None:
        self.size = 0
        self._kept: list[tuple[State, list[tuple[str, Any]]]] = []
        waiting: list[State] = [root]
        seen: set[int] = {id(root)}
        while waiting:
            owner = waiting.pop()
            kept = []
            for name in attribute_names(owner):
                value = getattr(owner, name)
                self._find(value, waiting, seen)
                kept.append((name, self._copy(value, owner, name)))
            self._kept.append((owner, kept))

    def restore(self) -> None:
        """Put every object back to what it was. The snapshot stays good for further use."""
        for owner, kept in self._kept:
            for name, value in kept:
                setattr(owner, name, self._copy(value, owner, name))

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

    def _copy(self, value: Any, owner: State, name: str) -> Any:
        if isinstance(value, ATOMS) or isinstance(value, State):
            return value
        if isinstance(value, COLUMNS):
            self.size += 8 * len(value)
            return value[:]
        if isinstance(value, list):
            self.size += 8 * len(value)
            return [self._copy(item, owner, name) for item in value]
        if isinstance(value, dict):
            self.size += 64 * len(value)
            return {key: self._copy(item, owner, name) for key, item in value.items()}
        raise TypeError(f"{type(owner).__name__}.{name} holds a {type(value).__name__}, which a snapshot cannot copy; use numbers, columns, lists, dicts or a State")


def attribute_names(owner: State) -> list[str]:
    """Names of all attributes of ``owner``, compiled or interpreted, in a fixed order."""
    names: dict[str, None] = {}
    for kind in type(owner).__mro__:
        for name in getattr(kind, "__mypyc_attrs__", ()):
            if not name.startswith("__"):
                names[name] = None
    names.update(dict.fromkeys(getattr(owner, "__dict__", {})))
    return sorted(names)
