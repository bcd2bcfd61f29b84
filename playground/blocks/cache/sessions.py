"""Sessions in a cache: whoever keeps them here is asked by all servers alike. They are apart from its items, and lost with its memory."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from playground.engine.calls import TOLD, Calls
from playground.engine.outcomes import MISS, SESSION_SET
from playground.engine.people import People
from playground.engine.sessions import in_use
from playground.engine.state import State
from playground.engine.stores import LRU, Evicting

SESSIONS_MAX: Final = 1 << 20
SESSION_BYTES: Final = 500
LASTS_NS: Final = 1_800_000_000_000
"""How long a session lasts unused, unless the call says (its token, ns); half an hour, as PHP and most frameworks have it."""


@final
class SessionTable(State):
    """Sessions by number, as Redis keeps them with SETEX and GETEX: being looked up renews one."""

    def __init__(self) -> None:
        self.kept = Evicting(SESSIONS_MAX, LRU)

    def presented(self, people: People, now: i64) -> i64:
        """Those that somebody would still come with."""
        return in_use(self.kept, people, now)

    def serve(self, calls: Calls, call: i64, now: i64) -> i64:
        """Do a SESSION_GET or SESSION_SET; 1 when the session is here now, else MISS."""
        kept = self.kept
        session = calls.key[call]
        lasts = calls.token[call] if calls.flags[call] & TOLD != 0 else LASTS_NS
        if calls.operation[call] == SESSION_SET:
            kept.put(session, calls.user[call], now, now + lasts)
            return 1
        entry = kept.find(session)
        if entry < 0:
            return MISS
        if kept.expires[entry] <= now:
            kept.remove(entry)
            return MISS
        kept.touch(entry)
        kept.expires[entry] = now + lasts
        return 1
