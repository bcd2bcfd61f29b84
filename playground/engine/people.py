"""Who is who: every user of a design has a number that nobody else has, whichever client block they belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from mypy_extensions import i64

from playground.engine.state import State

if TYPE_CHECKING:
    from playground.engine.block import Block

OWN_BITS: Final = 30
OWN_MASK: Final = (1 << OWN_BITS) - 1
SPREAD: Final = 663_608_941
"""2**30 divided by the golden ratio: steps of it lie far apart in the circle of 2**30 numbers, however many are taken (three-distance
theorem). So the low 30 bits alone tell people apart, too, while all populations together are less than about 400 million."""


NOBODY: Final = -1
"""The user of a call that is made for nobody in particular."""


def user_of(population: i64, own: i64) -> i64:
    """The number in the design of the user whom their client calls ``own`` (below 2**30); the two are the same in population 0."""
    return population << OWN_BITS | ((own + population * SPREAD) & OWN_MASK)


def own_number(user: i64) -> i64:
    """What a user's own client calls them."""
    return (user - (user >> OWN_BITS) * SPREAD) & OWN_MASK


@final
class People(State):
    """The populations of a run, one for each client block that there was. A block's id keeps its population's number for the whole run,
    taken out and put back included, so nobody's number changes when others come and go."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        # By number: the present block of each population, or its last one. None until it was made.
        self.clients: list[Block | None] = []

    def register(self, names: list[str]) -> None:
        """Give numbers to the clients of these ids that have none yet. Shorter ids first: a copy that the page adds to a drawing
        (``client-2``) comes after those that were there."""
        for name in sorted(names, key=lambda it: (len(it), it)):
            if name not in self.numbers:
                self.numbers[name] = len(self.clients)
                self.clients.append(None)

    def enter(self, client: Block) -> i64:
        """``client`` is the block from which its population comes from now on; the population's number."""
        self.register([client.name])
        number = self.numbers[client.name]
        self.clients[number] = client
        return number

    def home_of(self, user: i64) -> Block | None:
        """The client block of a user; None for a number that is nobody's."""
        population: i64 = user >> OWN_BITS
        return self.clients[population] if population >= 0 and population < len(self.clients) else None

    def presents(self, user: i64, session: i64) -> bool:
        """Whether ``user``, who is still there, would present ``session`` with their next request: no newer one has taken its place."""
        client = self.home_of(user)
        return client is not None and not client.removed and client.presents(own_number(user), session)

    def who(self, user: i64) -> int | str:
        """What people call a user: the client's own number, and whose it is where there are several clients."""
        if user < 0:
            return "nobody"
        client = self.home_of(user)
        if client is None:
            return int(user)
        own = int(own_number(user))
        return own if len(self.clients) == 1 else f"{own} of {client.label}"

    def by(self, user: i64) -> str:
        """Who wrote something, in a sentence: a cache that writes behind writes for nobody, who has long been answered."""
        return f"by user {self.who(user)}" if user >= 0 else "by a cache that writes behind"
