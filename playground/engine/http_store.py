"""What an HTTP cache keeps in mind: stored answers with their validators, and which keys it is asking its origin for."""

from __future__ import annotations

from typing import Final, final

from librt.vecs import vec
from mypy_extensions import i64

from playground.engine.calls import Calls
from playground.engine.columns import grown, zeros
from playground.engine.outcomes import ABSENT, BAD_REQUEST, BUY, CREATE, DELETE, OK, RATE_LIMITED, SIGNED_OUT, WRITE
from playground.engine.people import OWN_MASK
from playground.engine.state import State
from playground.engine.stores import LRU, Evicting, KeyIndex

EMPTY: Final = 0
FRESH: Final = 1
REVALIDATING: Final = 2
EXPIRED: Final = 3
NEGATIVE: Final = 4
"""What a stored answer is good for: none there; served as it is; served while it is revalidated; not without asking; says that the
item does not exist. Numbers of the cells on a card."""

NO_VALIDATOR: Final = 0
"""In the place of a validator: the answer has none, or the question is not conditional. Validators are positive."""

NOT_MODIFIED_BYTES: Final = 100
"""A 304: a status line and headers, no body."""

PRIVATE_KEY_BITS: Final = 33
PRIVATE_KEY_MASK: Final = (1 << PRIVATE_KEY_BITS) - 1


def is_unsafe(operation: i64) -> bool:
    """Whether a request changes its item, so that a copy of it is good no more (RFC 9111, 4.4)."""
    return operation == WRITE or operation == BUY or operation == CREATE or operation == DELETE


def is_failure(outcome: i64) -> bool:
    """Whether the origin failed (a 5xx, or no answer at all): a refusal of this very caller (401, 429) is none (RFC 5861, 4)."""
    return outcome != OK and outcome != SIGNED_OUT and outcome != RATE_LIMITED and outcome != BAD_REQUEST


def private_key(user: i64, key: i64) -> i64:
    """One number for ``key`` (below 2**33) in the browser of ``user`` (the low 30 bits tell browsers apart), no two alike; neighbours lie
    far apart."""
    user &= OWN_MASK
    return user << PRIVATE_KEY_BITS | ((key + user * 2654435769) & PRIVATE_KEY_MASK)


def is_copy_of(number: i64, key: i64) -> bool:
    """Whether ``number`` is somebody's private key for ``key``."""
    return private_key(number >> PRIVATE_KEY_BITS, key) == number


@final
class HttpStore(State):
    """Stored answers, the least recently used evicted first, and the requests to the origin that callers wait for.

    Of an answer: its version (ABSENT: a 404), when the origin made it, until when it is fresh, its validator (0: none), its bytes.
    A fetch is one request to the origin for one key; those who wait for it stand in a queue, by the calls' ``next`` and ``previous``.
    """

    def __init__(self, capacity: i64) -> None:
        self.items = Evicting(capacity, LRU)
        self.validator: vec[i64] = zeros(64)
        self.bytes: vec[i64] = zeros(64)
        self.fetches = KeyIndex()
        self.free: i64 = -1
        self.made: i64 = 0
        self.head: vec[i64] = zeros(16)
        self.tail: vec[i64] = zeros(16)

    def put(self, key: i64, version: i64, made_at: i64, fresh_until: i64, validator: i64, size: i64) -> i64:
        """Store an answer in the place of the one that is there, if any. The entry."""
        entry = self.items.put(key, version, made_at, fresh_until)
        if entry >= len(self.validator):
            self.validator = grown(self.validator, 2 * entry)
            self.bytes = grown(self.bytes, 2 * entry)
        self.validator[entry] = validator
        self.bytes[entry] = size
        return entry

    def freshen(self, entry: i64, made_at: i64, fresh_until: i64) -> None:
        """The origin has said that a stored answer is still good (304)."""
        self.items.filled_at[entry] = made_at
        self.items.expires[entry] = fresh_until
        self.items.touch(entry)

    def forget(self, key: i64) -> bool:
        """Drop the stored answer of ``key``; True when there was one."""
        entry = self.items.find(key)
        if entry < 0:
            return False
        self.items.remove(entry)
        return True

    def clear(self) -> None:
        """Forget all, waiting calls included."""
        self.items.clear()
        self.fetches.clear()
        self.free = -1
        self.made = 0

    def state(self, key: i64, now: i64, while_revalidate_ns: i64) -> i64:
        """What the stored answer of ``key`` is good for now."""
        entry = self.items.find(key)
        if entry < 0:
            return EMPTY
        past = now - self.items.expires[entry]
        if self.items.version[entry] == ABSENT:
            return NEGATIVE if past < 0 else EXPIRED
        if past < 0:
            return FRESH
        return REVALIDATING if past < while_revalidate_ns else EXPIRED

    # ---- requests to the origin

    def fetch_of(self, key: i64) -> i64:
        """The fetch of ``key`` that is under way, -1 when there is none."""
        return self.fetches.find(key)

    def begin(self, key: i64) -> i64:
        """Enter a fetch of ``key``, which must not be under way."""
        fetch = self.free
        if fetch >= 0:
            self.free = self.head[fetch]
        else:
            fetch = self.made
            self.made += 1
            if fetch >= len(self.head):
                self.head = grown(self.head, 2 * fetch)
                self.tail = grown(self.tail, 2 * fetch)
        self.head[fetch] = -1
        self.tail[fetch] = -1
        self.fetches.put(key, fetch)
        return fetch

    def join(self, calls: Calls, fetch: i64, call: i64) -> None:
        """Let ``call`` wait for a fetch."""
        tail = self.tail[fetch]
        calls.next[call] = -1
        calls.previous[call] = tail
        if tail >= 0:
            calls.next[tail] = call
        else:
            self.head[fetch] = call
        self.tail[fetch] = call

    def leave(self, calls: Calls, fetch: i64, call: i64) -> None:
        """``call`` waits no longer; the fetch goes on."""
        before = calls.previous[call]
        after = calls.next[call]
        if before >= 0:
            calls.next[before] = after
        else:
            self.head[fetch] = after
        if after >= 0:
            calls.previous[after] = before
        else:
            self.tail[fetch] = before

    def end(self, key: i64) -> i64:
        """The fetch of ``key`` is over; the first of those who wait for it (the others by ``next``), -1 when nobody does."""
        fetch = self.fetches.find(key)
        first = self.head[fetch]
        self.fetches.drop(key)
        self.head[fetch] = self.free
        self.free = fetch
        return first
