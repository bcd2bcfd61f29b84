"""Messages that were accepted and are not done yet, in columns and in four lists: the memory of a message queue."""

from __future__ import annotations

from typing import Final, final

from librt.vecs import vec
from mypy_extensions import i64

from playground.engine.columns import filled, grown, zeros
from playground.engine.state import State

WAITING: Final = 0
DELAYED: Final = 1
WORKED_ON: Final = 2
DEAD: Final = 3
LISTS: Final = 4
"""Where a message is: it waits for a worker; waits out its delay before it is delivered again; was delivered and not answered yet; was
given up."""


@final
class Messages(State):
    """A message is an entry of these columns, in exactly one list.

    ``number`` says in which order they were accepted; ``delivery`` is the number of the delivery that it is in, 0 for none; ``due`` is when
    its delay or its delivery ends, ns; ``deliveries`` says how often it was delivered; ``edge`` and ``instance`` to whom it was.
    """

    def __init__(self) -> None:
        self.made: i64 = 0
        self.free: i64 = -1
        self.numbers: i64 = 0
        self.head: vec[i64] = filled(LISTS, -1)
        self.tail: vec[i64] = filled(LISTS, -1)
        self.count: vec[i64] = zeros(LISTS)
        self.place: vec[i64] = zeros(64)
        self.number: vec[i64] = zeros(64)
        self.operation: vec[i64] = zeros(64)
        self.key: vec[i64] = zeros(64)
        self.user: vec[i64] = zeros(64)
        self.size: vec[i64] = zeros(64)
        self.trace: vec[i64] = zeros(64)
        self.told: vec[i64] = zeros(64)
        self.token: vec[i64] = zeros(64)
        self.extra: vec[i64] = zeros(64)
        self.accepted_at: vec[i64] = zeros(64)
        self.deliveries: vec[i64] = zeros(64)
        self.delivery: vec[i64] = zeros(64)
        self.due: vec[i64] = zeros(64)
        self.edge: vec[i64] = zeros(64)
        self.instance: vec[i64] = zeros(64)
        self.before: vec[i64] = zeros(64)
        self.after: vec[i64] = zeros(64)

    def add(self, operation: i64, key: i64, user: i64, size: i64, trace: i64, now: i64) -> i64:
        """A new message in no list yet; its entry."""
        entry = self.free
        if entry >= 0:
            self.free = self.after[entry]
        else:
            entry = self.made
            self.made += 1
            if entry >= len(self.key):
                self.grow(2 * entry)
        self.renumber(entry)
        self.operation[entry] = operation
        self.key[entry] = key
        self.user[entry] = user
        self.size[entry] = size
        self.trace[entry] = trace
        self.told[entry] = 0
        self.accepted_at[entry] = now
        self.deliveries[entry] = 0
        self.delivery[entry] = 0
        return entry

    def renumber(self, entry: i64) -> None:
        """Let it be the youngest."""
        self.numbers += 1
        self.number[entry] = self.numbers

    def tell(self, entry: i64, token: i64, extra: i64) -> None:
        """Let it carry what its call carried."""
        self.told[entry] = 1
        self.token[entry] = token
        self.extra[entry] = extra

    def forget(self, entry: i64) -> None:
        """Forget one that is in no list."""
        self.delivery[entry] = 0
        self.after[entry] = self.free
        self.free = entry

    def put_last(self, entry: i64, place: i64) -> None:
        """Enter at the end of a list."""
        self.link(entry, place, self.tail[place])

    def put_by_age(self, entry: i64, place: i64) -> None:
        """Enter where its number says. It was there before and is among the oldest, so this looks from the front."""
        following = self.head[place]
        while following >= 0 and self.number[following] < self.number[entry]:
            following = self.after[following]
        self.link(entry, place, self.before[following] if following >= 0 else self.tail[place])

    def put_by_due(self, entry: i64, place: i64) -> None:
        """Enter where ``due`` says. All wait equally long unless the parameter has changed, so this looks from behind."""
        before = self.tail[place]
        while before >= 0 and self.due[before] > self.due[entry]:
            before = self.before[before]
        self.link(entry, place, before)

    def link(self, entry: i64, place: i64, before: i64) -> None:
        """Enter behind ``before`` (-1: in front of all)."""
        after = self.after[before] if before >= 0 else self.head[place]
        self.before[entry] = before
        self.after[entry] = after
        if before >= 0:
            self.after[before] = entry
        else:
            self.head[place] = entry
        if after >= 0:
            self.before[after] = entry
        else:
            self.tail[place] = entry
        self.place[entry] = place
        self.count[place] += 1

    def take_out(self, entry: i64) -> None:
        """Take out of its list."""
        place = self.place[entry]
        before = self.before[entry]
        after = self.after[entry]
        if before >= 0:
            self.after[before] = after
        else:
            self.head[place] = after
        if after >= 0:
            self.before[after] = before
        else:
            self.tail[place] = before
        self.count[place] -= 1

    def clear(self) -> None:
        """Forget all; numbers go on."""
        entry: i64 = 0
        while entry < self.made:
            self.delivery[entry] = 0
            entry += 1
        self.made = 0
        self.free = -1
        self.head = filled(LISTS, -1)
        self.tail = filled(LISTS, -1)
        self.count = zeros(LISTS)

    def grow(self, length: i64) -> None:
        """Lengthen the columns."""
        self.place = grown(self.place, length)
        self.number = grown(self.number, length)
        self.operation = grown(self.operation, length)
        self.key = grown(self.key, length)
        self.user = grown(self.user, length)
        self.size = grown(self.size, length)
        self.trace = grown(self.trace, length)
        self.told = grown(self.told, length)
        self.token = grown(self.token, length)
        self.extra = grown(self.extra, length)
        self.accepted_at = grown(self.accepted_at, length)
        self.deliveries = grown(self.deliveries, length)
        self.delivery = grown(self.delivery, length)
        self.due = grown(self.due, length)
        self.edge = grown(self.edge, length)
        self.instance = grown(self.instance, length)
        self.before = grown(self.before, length)
        self.after = grown(self.after, length)
