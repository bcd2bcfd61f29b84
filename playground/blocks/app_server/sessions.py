"""Sessions that each instance keeps in its own memory: what sticky sessions are for, and what a crash loses.

A session has a number of its own, as a cookie carries it, and every sign-in makes a new one (as Django cycles the session's key at login):
one that another instance began is unknown here, whoever's it is.
"""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from playground.engine.block import Block
from playground.engine.params import Params
from playground.engine.sessions import in_use
from playground.engine.state import State
from playground.engine.stores import LRU, Evicting
from playground.engine.words import counted

NONE: Final = 0
LOCAL: Final = 1
STORE: Final = 2
KEPT: Final = ["none", "local", "store"]
"""Nobody is asked who they are; each instance remembers those who signed in at it; a store remembers them for all."""

SESSION_BYTES: Final = 500
QUIET_NS: Final = 10_000_000_000


@final
class Sessions(State):
    """``mode`` one of ``KEPT``. Local sessions: a bounded set for each instance; the one not used for longest gives way."""

    def __init__(self, owner: Block) -> None:
        self.owner = owner
        self.mode: i64 = NONE
        self.most: i64 = 1
        self.ttl_ns: i64 = 0
        self.held: list[Evicting] = []
        self.begun: i64 = 0
        self.missed: i64 = 0
        self.lost: i64 = 0
        self.missed_noted_at: i64 = -QUIET_NS

    def configure(self, params: Params) -> None:
        """Where sessions are kept; another place begins with none, but those that servers hold move to a store, each when it is used."""
        mode: i64 = KEPT.index(params.text("sessions"))
        self.most = params.integer("sessions_max")
        self.ttl_ns = params.ns("session_ttl_s")
        if mode != self.mode and not (mode == STORE and self.mode == LOCAL):
            # Those of instances that were taken out before were lost then.
            for instance in range(min(len(self.held), int(self.owner.instances))):
                self.leave(instance)
            self.held = []
        self.mode = mode
        if mode == LOCAL:
            for kept in self.held:
                kept.resize(self.most)
            while len(self.held) < self.owner.instances:
                self.held.append(Evicting(self.most, LRU))

    def begin(self, instance: i64, session: i64, user: i64) -> None:
        """``instance`` remembers a session of ``user`` from now on; one that only finishes what it has will not be asked for it."""
        now = self.owner.simulation.now
        if instance >= self.owner.instances:
            self.lost += 1
            return
        self.held[instance].put(session, user, now, now + self.ttl_ns)

    def knows(self, instance: i64, session: i64) -> bool:
        """Whether ``instance`` knows this session; being used renews it. One that was taken out before there were any knows none."""
        if instance >= len(self.held):
            return False
        kept = self.held[instance]
        entry = kept.find(session)
        if entry < 0:
            return False
        now = self.owner.simulation.now
        if kept.expires[entry] <= now:
            kept.remove(entry)
            return False
        kept.touch(entry)
        kept.expires[entry] = now + self.ttl_ns
        return True

    def hand_over(self, instance: i64, session: i64) -> None:
        """The store has this session now: ``instance`` forgets it."""
        if instance < len(self.held):
            kept = self.held[instance]
            entry = kept.find(session)
            if entry >= 0:
                kept.remove(entry)

    def miss(self, instance: i64) -> None:
        """A request came with a session that is not known."""
        self.missed += 1
        now = self.owner.simulation.now
        if now - self.missed_noted_at >= QUIET_NS:
            self.missed_noted_at = now
            label = self.owner.label_of(instance)
            text = "The session began elsewhere, was lost or has expired; the user has to sign in again."
            self.owner.note("session_missed", "warning", f"{label} doesn't know a session", text)

    def forget(self, instance: i64) -> None:
        """``instance`` has lost its memory."""
        if instance >= len(self.held):
            return
        if instance < self.owner.instances:
            self.leave(instance)
        self.held[instance].clear()

    def leave(self, instance: i64) -> None:
        """Nobody will ask ``instance`` any more, though what it has under way still finds its sessions: they are lost now."""
        if instance >= len(self.held):
            return
        lost = self.presented(instance)
        self.lost += lost
        if lost > 0:
            text = "Its memory alone had them; their users have to sign in again."
            title = f"{counted(lost, 'session')} lost with {self.owner.label_of(instance)}"
            self.owner.note("sessions_lost", "bad", title, text)

    def drop(self, instance: i64) -> None:
        """What ``instance`` held in an earlier life is gone, and counted."""
        if instance < len(self.held):
            self.held[instance].clear()

    def presented(self, instance: i64) -> i64:
        """Sessions in the memory of ``instance`` that somebody would still come with."""
        simulation = self.owner.simulation
        return in_use(self.held[instance], simulation.people, simulation.now)

    def size(self) -> i64:
        """Sessions that instances hold, those that nobody comes with any more (expired unnoticed, or replaced) included."""
        total: i64 = 0
        for instance, kept in enumerate(self.held):
            if instance < self.owner.instances:
                total += kept.size
        return total
