"""The users of a closed loop who are there: each has a number of their own, and goes for good."""

from __future__ import annotations

from typing import final

from mypy_extensions import i64

from playground.engine.state import State
from playground.engine.stores import KeyIndex


@final
class Crowd(State):
    """Users by number, in the order in which they came; a number is given once."""

    def __init__(self) -> None:
        self.there = KeyIndex()
        self.following: i64 = 0

    def size(self) -> i64:
        """How many are there."""
        return self.there.size

    def enter(self) -> i64:
        """One more comes; their number."""
        user = self.following
        self.following += 1
        self.there.put(user, 1)
        return user

    def leave(self, user: i64) -> None:
        """``user``, who is there, is gone for good."""
        self.there.drop(user)

    def has(self, user: i64) -> bool:
        """Whether ``user`` is there."""
        return self.there.find(user) >= 0
