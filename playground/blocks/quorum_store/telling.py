"""Stale reads told one by one: what each missed, how long before it had been acknowledged, which nodes answered, and where it was."""

from __future__ import annotations

from typing import Final, final

from librt.vecs import vec
from mypy_extensions import i64

from playground.blocks.quorum_store.states import STALE_KEPT, STALE_SHOWN
from playground.engine.columns import zeros
from playground.engine.state import State

DISK_LOST: Final = 0
OUTVOTED: Final = 1
HINTED: Final = 2
SOMEWHERE: Final = 3
REASONS: Final = ["disk lost", "a clock was ahead", "hint not delivered", "not there yet"]
"""Why a read missed a write: replicas began anew without it; an older version has the later time stamp; a stand-in still keeps it; it had
not reached those that answered."""


def names(nodes: i64) -> str:
    """The nodes of a bit set."""
    return ", ".join(f"node {node + 1}" for node in range(int(nodes).bit_length()) if int(nodes) >> node & 1)


@final
class StaleReads(State):
    """Reads that missed an acknowledged write: how many, and the latest ``STALE_KEPT`` of them, a column a fact.

    Sets of nodes are bits: those that ``answered``, those among them that ``stood_in`` for others, those that ``held`` the missed version
    (or a newer one) when the read was answered, those it was ``coming`` to.
    """

    def __init__(self) -> None:
        self.total: i64 = 0
        self.age_ns: float = 0.0
        self.at: vec[i64] = zeros(STALE_KEPT)
        self.key: vec[i64] = zeros(STALE_KEPT)
        self.seen: vec[i64] = zeros(STALE_KEPT)
        self.missed: vec[i64] = zeros(STALE_KEPT)
        self.age: vec[i64] = zeros(STALE_KEPT)
        self.answered: vec[i64] = zeros(STALE_KEPT)
        self.stood_in: vec[i64] = zeros(STALE_KEPT)
        self.reason: vec[i64] = zeros(STALE_KEPT)
        self.held: vec[i64] = zeros(STALE_KEPT)
        self.coming: vec[i64] = zeros(STALE_KEPT)
        self.trace: vec[i64] = zeros(STALE_KEPT)

    def add(self, now: i64, key: i64, seen: i64, missed: i64, age: i64, trace: i64) -> i64:
        """Count a read that gave version ``seen`` (0: nothing) instead of ``missed``, acknowledged ``age`` ns before it began; the number
        of its story. ``trace``: its request's, or 0."""
        place = self.total % STALE_KEPT
        self.total += 1
        self.age_ns += float(age)
        self.at[place] = now
        self.key[place] = key
        self.seen[place] = seen
        self.missed[place] = missed
        self.age[place] = age
        self.trace[place] = trace
        return self.total - 1

    def explain(self, number: i64, answered: i64, stood_in: i64, reason: i64, held: i64, coming: i64) -> None:
        """Through which nodes it came, and why (``reason`` one of ``REASONS``)."""
        place = number % STALE_KEPT
        self.answered[place] = answered
        self.stood_in[place] = stood_in
        self.reason[place] = reason
        self.held[place] = held
        self.coming[place] = coming

    def why(self, place: i64) -> str:
        """Where the version was that a read missed."""
        held = names(self.held[place])
        coming = names(self.coming[place])
        reason = self.reason[place]
        if reason == DISK_LOST:
            return "Their disks were lost, and nobody has given them the item again."
        if reason == OUTVOTED:
            return f"It had been written earlier, but the clock of {held} gave it the later time: it wins for good."
        if reason == HINTED:
            return f"A stand-in ({held}) still holds a hint of it for {coming}."
        if held == "" and coming == "":
            return "No replica has it any more."
        where = f"It, or a newer one, is on {held}" if held != "" else "No replica has it yet"
        where += f", and on its way to {coming}." if coming != "" else ". What was sent to the others did not arrive."
        late = names(self.held[place] & self.answered[place])
        return f"{where} It came to {late} after the answer had left." if late != "" else where

    def sentence(self, number: i64) -> str:
        """What a stale read missed, in words; empty where it is not kept any more."""
        if number < 0 or number >= self.total or number < self.total - STALE_KEPT:
            return ""
        place = number % STALE_KEPT
        read = f"version {self.seen[place]}" if self.seen[place] > 0 else "nothing"
        stand_ins = names(self.stood_in[place])
        who = names(self.answered[place]) + (f" ({stand_ins} for others)" if stand_ins != "" else "")
        return (
            f"It got {read} and missed version {self.missed[place]}, acknowledged {float(self.age[place]) / 1e6:.3g} ms before it began. "
            f"Answered: {who}. {self.why(place)}"
        )

    def story(self, number: i64) -> str:
        """The same for whoever doesn't know yet which key it is about."""
        told = self.sentence(number)
        return f"Stale read of key {self.key[number % STALE_KEPT]}. {told}" if told != "" else ""

    def rows(self) -> list[object]:
        """The latest ones, newest first."""
        found: list[object] = []
        number = self.total - 1
        while number >= 0 and number >= self.total - STALE_SHOWN:
            place = number % STALE_KEPT
            found.append(
                {
                    "id": int(number),
                    "line": f"Key {self.key[place]}, {names(self.answered[place])}: {REASONS[self.reason[place]]}",
                    "says": self.story(number),
                    "trace": int(self.trace[place]),
                    "at_s": float(self.at[place]) / 1e9,
                    "key": int(self.key[place]),
                    "read_version": int(self.seen[place]),
                    "missed_version": int(self.missed[place]),
                    "age_ms": float(self.age[place]) / 1e6,
                    "answered": names(self.answered[place]),
                    "cause": REASONS[self.reason[place]],
                    "on": names(self.held[place]),
                    "on_its_way_to": names(self.coming[place]),
                }
            )
            number -= 1
        return found
