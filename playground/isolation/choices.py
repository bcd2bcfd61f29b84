"""What several sessions do at once has no order on a server: the choices that a run of the lab makes there, and how to try all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

GOES_ON = "went on before"
LOOKS = "looked for a deadlock before"
FASTER = "whose turn on a row came was faster than who had it"


@dataclass
class Choice:
    """Which of ``count`` was taken in a step, 0 being the usual one, and in words what that means, where it is another."""

    step: int
    count: int
    taken: int
    told: str = ""


class Choices:
    """The choices of one run, in order: the first are ``planned``, those after them the usual ones."""

    def __init__(self, planned: Sequence[int] = ()) -> None:
        self.planned = list(planned)
        self.made: list[Choice] = []

    def choose(self, step: int, count: int) -> Choice:
        """The next choice."""
        place = len(self.made)
        made = Choice(step, count, self.planned[place] if place < len(self.planned) else 0)
        self.made.append(made)
        return made

    def first_of(self, step: int, names: Sequence[str], what: str) -> int:
        """Who of several is first: a place in ``names``; usually the first."""
        if len(names) == 1:
            return 0
        made = self.choose(step, len(names))
        if made.taken:
            made.told = f"{names[made.taken]} {what} {', '.join(names[: made.taken])}"
        return made.taken

    def told(self) -> str:
        """In words all that are not the usual ones."""
        return "; ".join(f"in step {made.step + 1} {made.told}" for made in self.made if made.told)

    def following(self) -> list[int] | None:
        """The plan of the next run, when all that begin as this one did have been tried; None when there is no other."""
        for place in reversed(range(len(self.made))):
            last = self.made[place]
            if last.taken + 1 < last.count:
                return [made.taken for made in self.made[:place]] + [last.taken + 1]
        return None
