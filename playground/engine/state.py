"""Marks what a snapshot must hold."""

from __future__ import annotations

from mypy_extensions import mypyc_attr


@mypyc_attr(allow_interpreted_subclasses=True)
class State:
    """Base of every object whose attributes change while a run goes on.

    The snapshot walker copies each attribute of every :class:`State` that it can reach from the simulation: numbers,
    strings, columns, and lists or dicts of these. Anything else in an attribute is refused when the first snapshot is
    taken, so that nothing is forgotten silently.
    """
