"""Cookies: which user is tied to which target. Browsers keep them, so the balancer's crash loses none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mypy_extensions import i64

from playground.engine.columns import zeros
from playground.engine.outcomes import (
    BREAKER_OPEN,
    CONNECTION_LOST,
    CRASHED,
    EXPIRED,
    NO_UPSTREAM,
    REFUSED,
    REMOVED,
    TIMEOUT,
)
from playground.engine.state import State
from playground.engine.stores import LRU, Evicting

if TYPE_CHECKING:
    from playground.blocks.load_balancer.targets import Targets

NO_STICKINESS: Final = 0
COOKIE: Final = 1
IP_HASH: Final = 2
STICKY: Final = ["none", "cookie", "ip_hash"]


def came_from_target(outcome: i64) -> bool:
    """Whether a target gave this answer, so that a cookie came with it."""
    return not (
        outcome == REFUSED
        or outcome == CRASHED
        or outcome == TIMEOUT
        or outcome == CONNECTION_LOST
        or outcome == BREAKER_OPEN
        or outcome == EXPIRED
        or outcome == NO_UPSTREAM
        or outcome == REMOVED
    )


NO_COOKIE: Final = -1


class Cookies(State):
    """One cookie a user, of the latest users at most: it names the target that answered the user first."""

    def __init__(self, targets: Targets) -> None:
        self.targets = targets
        self.held = Evicting(1, LRU)
        self.moved: i64 = 0

    def resize(self, most: i64) -> None:
        """Keep cookies of at most so many users."""
        if most != self.held.capacity:
            self.held.resize(most)
            self.count_anew()

    def clear(self) -> None:
        """Nobody has a cookie any more."""
        self.held.clear()
        self.count_anew()

    def of_user(self, user: i64) -> i64:
        """What the cookie says with which a request of ``user`` comes: the key of a target, or NO_COOKIE."""
        entry = self.held.find(user)
        if entry < 0:
            return NO_COOKIE
        self.held.touch(entry)
        return self.held.version[entry]

    def target_of(self, cookie: i64) -> i64:
        """The row that a cookie names; -1 without a cookie, or when that target takes no calls."""
        row = self.targets.row_of_key(cookie) if cookie != NO_COOKIE else -1
        return row if row >= 0 and self.targets.taking[row] != 0 else -1

    def tie(self, user: i64, row: i64, shown: i64, now: i64) -> None:
        """The target of ``row`` has answered ``user``, with a cookie where the request had ``shown`` none of it. (One that named it already
        is answered without a new one, so what a later answer has set meanwhile stays, as with HAProxy's ``cookie insert``.)"""
        targets = self.targets
        key = targets.key_of(row)
        if key == shown:
            return
        entry = self.held.find(user)
        if entry >= 0:
            if self.held.version[entry] == key:
                return
            self.moved += 1
            self.untie(entry)
        elif self.held.size >= self.held.capacity:
            self.untie(self.held.oldest[self.held.first_group])
        self.held.put(user, key, now, 0)
        targets.tied[row] += 1

    def untie(self, entry: i64) -> None:
        """A cookie is about to name another target, or to go."""
        row = self.targets.row_of_key(self.held.version[entry])
        if row >= 0:
            self.targets.tied[row] -= 1

    def relist(self) -> None:
        """The list of targets has changed: browsers may have cookies for those that are there again."""
        for before in self.targets.came_from:
            if before < 0:
                self.count_anew()
                return

    def count_anew(self) -> None:
        """Count the users of each target."""
        targets = self.targets
        targets.tied = zeros(targets.count)
        entry: i64 = 0
        while entry < self.held.made:
            if self.held.key[entry] >= 0:
                row = targets.row_of_key(self.held.version[entry])
                if row >= 0:
                    targets.tied[row] += 1
            entry += 1
