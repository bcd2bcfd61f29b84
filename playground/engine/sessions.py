"""Sessions in somebody's memory, by number: whose each is, and how many are of use to anybody."""

from __future__ import annotations

from mypy_extensions import i64

from playground.engine.people import People
from playground.engine.stores import Evicting


def in_use(kept: Evicting, people: People, now: i64) -> i64:
    """Sessions in ``kept`` (the version is the user) whose time is not over and that their users would present: who has signed in anew
    since, or has signed out, has no use for the one before, so it can't be lost."""
    count: i64 = 0
    entry: i64 = 0
    while entry < kept.made:
        if kept.key[entry] >= 0 and kept.expires[entry] > now and people.presents(kept.version[entry], kept.key[entry]):
            count += 1
        entry += 1
    return count
