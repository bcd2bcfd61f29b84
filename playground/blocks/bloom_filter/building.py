"""Builds a filter of the ids that there are."""

from __future__ import annotations

from mypy_extensions import i64

from playground.engine.block import Block
from playground.engine.filter_equivalent import make_filter
from playground.engine.filters import STANDARD, Filter, Size
from playground.engine.outcomes import ABSENT
from playground.engine.stores import KeyIndex


def build(size: Size, salt: i64, first: i64, source: Block | None) -> Filter:
    """A filter with the ids 1 to ``first`` in it; with a ``source``, with those that it has now."""
    missing = KeyIndex()
    created: list[i64] = []
    if source is not None:
        first = source.first_keys()
        for key in source.changed_keys():
            there = source.current_version(key) != ABSENT
            if key <= first and not there:
                missing.put(key, 0)
            elif key > first and there:
                created.append(key)
    if first < 0:
        first = 0
    made = make_filter(size, salt, first)
    made.begin_with(first, missing)
    for key in created:
        if not made.add(key):
            made.refused += 1
    return made


def taken_out(found: Filter, key: i64) -> bool:
    """Take an id out of a filter; False where this kind of filter can't take any out."""
    if found.size.variant == STANDARD:
        return False
    found.remove(key)
    return True
