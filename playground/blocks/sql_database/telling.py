"""What is told one by one: acknowledged writes that were lost, and stale reads with what they missed; the latest of each, in rings."""

from __future__ import annotations

from typing import final

from librt.vecs import vec
from mypy_extensions import i64

from playground.blocks.sql_database.log import Log, writer_of
from playground.blocks.sql_database.states import CAUSES, COPIED, KEPT, LOSSES, SHOWN
from playground.engine.columns import zeros
from playground.engine.outcomes import ABSENT
from playground.engine.people import People
from playground.engine.state import State


def seconds(ns: i64) -> float:
    """Rounded to microseconds, for people."""
    return round(float(ns) / 1e9, 6)


@final
class Lost(State):
    """Acknowledged writes that are in no legitimate history: how many in all and in which way, and the latest ``KEPT`` of them."""

    def __init__(self, people: People) -> None:
        self.people = people
        self.total: i64 = 0
        self.ways: vec[i64] = zeros(len(LOSSES))
        self.key: vec[i64] = zeros(KEPT)
        self.version: vec[i64] = zeros(KEPT)
        self.position: vec[i64] = zeros(KEPT)
        self.acked: vec[i64] = zeros(KEPT)
        self.user: vec[i64] = zeros(KEPT)
        self.way: vec[i64] = zeros(KEPT)
        self.at: vec[i64] = zeros(KEPT)
        self.is_sale: vec[i64] = zeros(KEPT)

    def add(self, log: Log, position: i64, now: i64, how: i64) -> None:
        """Count one."""
        place = self.total % KEPT
        slot = log.slot(position)
        self.total += 1
        self.ways[how] += 1
        version = log.version[slot]
        self.key[place] = log.key[slot]
        self.version[place] = version if version > 0 else -version
        self.position[place] = position
        self.acked[place] = log.acked[slot]
        self.user[place] = writer_of(log.user[slot])
        self.way[place] = how
        self.at[place] = now
        self.is_sale[place] = 0

    def mark_sale(self) -> None:
        """The one counted last was a purchase."""
        self.is_sale[(self.total - 1) % KEPT] = 1

    def what(self, place: i64) -> str:
        """A lost write, in a few words."""
        return f"{'a sale, ' if self.is_sale[place] != 0 else ''}version {self.version[place]} of key {self.key[place]}"

    def sentence(self, number: i64) -> str:
        """How a write was lost, in words."""
        place = number % KEPT
        return (
            f"Lost: {self.what(place)}, written {self.people.by(self.user[place])} at position "
            f"{self.position[place]}. It was acknowledged at {seconds(self.acked[place])} s and is in no legitimate history since "
            f"{seconds(self.at[place])} s. Why: {LOSSES[self.way[place]]}."
        )

    def rows(self) -> list[object]:
        """The latest ones, newest first."""
        found: list[object] = []
        number = self.total - 1
        while number >= 0 and number >= self.total - SHOWN:
            place = number % KEPT
            found.append(
                {
                    "id": int(number),
                    "line": f"{'Sale of key' if self.is_sale[place] != 0 else 'Key'} {self.key[place]}, "
                    f"version {self.version[place]}: {LOSSES[self.way[place]]}",
                    "says": self.sentence(number),
                    "key": int(self.key[place]),
                    "version": int(self.version[place]),
                    "position": int(self.position[place]),
                    "user": self.people.who(self.user[place]),
                    "acknowledged_s": seconds(self.acked[place]),
                    "lost_by": LOSSES[self.way[place]],
                    "lost_s": seconds(self.at[place]),
                }
            )
            number -= 1
        return found


@final
class StaleReads(State):
    """Reads that missed a committed write: by cause, and the latest ``KEPT`` of them with the write that they missed."""

    def __init__(self, people: People) -> None:
        self.people = people
        self.total: i64 = 0
        self.causes: vec[i64] = zeros(len(CAUSES))
        self.own: i64 = 0
        self.age_ns: float = 0.0
        self.key: vec[i64] = zeros(KEPT)
        self.seen: vec[i64] = zeros(KEPT)
        self.version: vec[i64] = zeros(KEPT)
        self.position: vec[i64] = zeros(KEPT)
        self.behind: vec[i64] = zeros(KEPT)
        self.committed: vec[i64] = zeros(KEPT)
        self.writer: vec[i64] = zeros(KEPT)
        self.copied: vec[i64] = zeros(KEPT)
        self.reader: vec[i64] = zeros(KEPT)
        self.node: vec[i64] = zeros(KEPT)
        self.cause: vec[i64] = zeros(KEPT)
        self.trace: vec[i64] = zeros(KEPT)
        self.at: vec[i64] = zeros(KEPT)

    def add(
        self, log: Log, position: i64, now: i64, cause: i64, node: i64, reader: i64, seen: i64, behind: i64, trace: i64
    ) -> i64:
        """Count a read through ``node`` that missed the write at ``position``; its number, counted from 0. ``trace``: its request's,
        or 0."""
        place = self.total % KEPT
        slot = log.slot(position)
        version = log.version[slot]
        self.total += 1
        self.causes[cause] += 1
        copied = log.user[slot] <= COPIED
        # A row that was copied has been missing since its own commit.
        committed = log.committed[slot]
        if copied and log.acked[slot] != 0:
            committed = log.acked[slot] if log.acked[slot] > 0 else -log.acked[slot]
        self.age_ns += float(now - committed)
        self.key[place] = log.key[slot]
        self.seen[place] = seen
        self.version[place] = version if version > 0 else ABSENT
        self.position[place] = position
        self.behind[place] = behind
        self.committed[place] = committed
        self.writer[place] = writer_of(log.user[slot])
        self.copied[place] = 1 if copied else 0
        self.reader[place] = reader
        self.node[place] = node
        self.cause[place] = cause
        self.trace[place] = trace
        self.at[place] = now
        return self.total - 1

    def sentence(self, number: i64) -> str:
        """What a stale read missed, in words; empty where it is not kept any more."""
        if number < 0 or number >= self.total or number < self.total - KEPT:
            return ""
        place = number % KEPT
        seen = "no row" if self.seen[place] == ABSENT else f"version {self.seen[place]}"
        missed = "its deletion" if self.version[place] == ABSENT else f"version {self.version[place]}"
        age = float(self.at[place] - self.committed[place]) / 1e6
        whose = self.people.by(self.writer[place])
        if self.copied[place] != 0 and self.writer[place] < 0:
            whose = "copied from another database"
        elif self.writer[place] == self.reader[place]:
            whose = "the reader's own write"
        if self.copied[place] != 0 and self.writer[place] >= 0:
            whose = f"{whose}, copied from another database"
        return (
            f"Stale: node {self.node[place] + 1} answered with {seen} of key {self.key[place]} and missed {missed} "
            f"(position {self.position[place]}, {whose}), committed {age:.3g} ms before. Why: {CAUSES[self.cause[place]]}; "
            f"the node is {self.behind[place]} records behind."
        )

    def rows(self) -> list[object]:
        """The latest ones, newest first."""
        found: list[object] = []
        number = self.total - 1
        while number >= 0 and number >= self.total - SHOWN:
            place = number % KEPT
            found.append(
                {
                    "id": int(number),
                    "line": f"Key {self.key[place]} at node {self.node[place] + 1}: {CAUSES[self.cause[place]]}",
                    "says": self.sentence(number),
                    "trace": int(self.trace[place]),
                    "key": int(self.key[place]),
                    "node": int(self.node[place]) + 1,
                    "seen_version": int(self.seen[place]),
                    "missed_version": int(self.version[place]),
                    "missed_position": int(self.position[place]),
                    "records_behind": int(self.behind[place]),
                    "committed_s": seconds(self.committed[place]),
                    "age_s": seconds(self.at[place] - self.committed[place]),
                    "by_user": self.people.who(self.writer[place]),
                    "read_by_user": self.people.who(self.reader[place]),
                    "cause": CAUSES[self.cause[place]],
                }
            )
            number -= 1
        return found
