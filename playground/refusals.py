"""Refusals of the REST API besides bad input, each with the problem that it tells."""

from __future__ import annotations

from typing import Any, Self

from playground.protocol.errors import InputError


class NotThere(InputError):
    """What was asked for is not there (404)."""

    @classmethod
    def named(cls, what: str, name: str) -> Self:
        """There is no ``what`` called ``name``."""
        return cls.single("not_found", f"there is no {what} {name!r}", value=name)


class NotYours(InputError):
    """What was asked for belongs to another browser (403)."""


class TooMany(InputError):
    """A limit was hit; the same may be asked again later (429)."""


class Conflicting(InputError):
    """A save builds on an old version (409); ``content`` is the whole answer."""

    def __init__(self, content: dict[str, Any]) -> None:
        super().__init__([])
        self.content = content
