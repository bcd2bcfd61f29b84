"""Who has signed in: the sessions that users hold, as their browsers keep them in a cookie."""

from __future__ import annotations

from typing import Final, final

from librt.vecs import append, vec
from mypy_extensions import i64

from playground.blocks.client.crowd import Crowd
from playground.engine.block import Block
from playground.engine.calls import ANSWERED, Calls
from playground.engine.outcomes import OK, SIGN_IN, SIGNED_OUT
from playground.engine.params import Params
from playground.engine.state import State
from playground.engine.stores import KeyIndex
from playground.engine.words import often

SIGNED_IN_MAX: Final = 1 << 20
"""Users whose sessions are remembered: one more, and whoever signed in first has to do so again."""

QUIET_NS: Final = 10_000_000_000


@final
class SignedIn(State):
    """The session of each user who has signed in, and a ring of sign-ins in their order, which bounds their number."""

    def __init__(self, owner: Block) -> None:
        self.owner = owner
        self.enabled: bool = False
        self.session = KeyIndex()
        self.ring_user: vec[i64] = vec[i64]()
        self.ring_session: vec[i64] = vec[i64]()
        self.place: i64 = 0
        self.sign_ins: i64 = 0
        self.signed_out: i64 = 0
        self.noted_at: i64 = -QUIET_NS

    def configure(self, params: Params, users: i64, crowd: Crowd | None) -> None:
        """Whether users sign in at all; switched off, they forget their sessions. Whoever isn't among the first ``users`` (closed loop: in
        the ``crowd``) is gone, and presents nothing."""
        self.enabled = params.flag("sign_in")
        if not self.enabled and self.session.size > 0:
            self.session.clear()
        index: i64 = 0
        while index < len(self.ring_user) and self.session.size > 0:
            user = self.ring_user[index]
            if not crowd.has(user) if crowd is not None else user >= users:
                self.leave(user)
            index += 1

    def leave(self, user: i64) -> None:
        """``user`` is gone for good, and their cookie with them."""
        if self.session.find(user) >= 0:
            self.session.drop(user)

    def session_of(self, user: i64) -> i64:
        """The session that ``user`` presents, -1 when not signed in."""
        return self.session.find(user)

    def presents(self, user: i64, session: i64) -> bool:
        """Whether that is the session that ``user`` presents."""
        return self.enabled and self.session.find(user) == session

    def hear(self, calls: Calls, call: i64, user: i64) -> bool:
        """Take note of an answer to ``user``: a session that a server didn't know is over. True where one has begun."""
        if calls.outcome[call] == SIGNED_OUT:
            self.throw_out(user, calls.session_of(call))
        if calls.operation[call] != SIGN_IN or calls.outcome[call] != OK:
            return False
        # A server that keeps no sessions tells none.
        told = calls.flags[call] & ANSWERED != 0
        self.enter(user, calls.advice[call] if told else 0)
        return True

    def enter(self, user: i64, session: i64) -> None:
        """``user`` has signed in; an older session of theirs is forgotten."""
        self.sign_ins += 1
        if self.session.find(user) >= 0:
            self.session.drop(user)
        if len(self.ring_user) < SIGNED_IN_MAX:
            self.ring_user = append(self.ring_user, user)
            self.ring_session = append(self.ring_session, session)
        else:
            first = self.ring_user[self.place]
            if self.session.find(first) == self.ring_session[self.place]:
                self.session.drop(first)
            self.ring_user[self.place] = user
            self.ring_session[self.place] = session
            self.place = (self.place + 1) % SIGNED_IN_MAX
        self.session.put(user, session)

    def throw_out(self, user: i64, session: i64) -> None:
        """A server did not know this session: its user is signed out, unless a newer session is there by now."""
        if self.session.find(user) != session:
            return
        self.session.drop(user)
        self.signed_out += 1
        owner = self.owner
        now = owner.simulation.now
        if now - self.noted_at >= QUIET_NS:
            self.noted_at = now
            text = f"A server didn't know their session; so far that happened {often(self.signed_out)}."
            owner.note("signed_out", "bad", f"Users of {owner.label} are being logged out", text)
