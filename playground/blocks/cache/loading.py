"""What comes into a cache: put in by a caller, or loaded by itself from the store behind it, for a reader or in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mypy_extensions import i64, mypyc_attr

from playground.blocks.cache.states import KEY_BYTES, LOADED, LOADING, NODE_BITS, NODE_MASK, RELOADED, SMALL_BYTES
from playground.blocks.cache.writing import WritingCache
from playground.engine.calls import ANSWERED
from playground.engine.outcomes import ABSENT, MISS, OK, READ, as_upstream
from playground.engine.recent import RecentRatio

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation


@mypyc_attr(allow_interpreted_subclasses=True)
class Loading(WritingCache):
    """Read-through, and what a set does."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.read_through: bool = False
        # Whether an answer says no more than the version.
        self.plain: bool = True
        self.hits: i64 = 0
        self.misses: i64 = 0
        self.expired: i64 = 0
        self.stale_hits: i64 = 0
        self.negative_hits: i64 = 0
        self.sets: i64 = 0
        self.deletes: i64 = 0
        self.recent = RecentRatio()

    def load(self, call: i64, key: i64, token: i64) -> None:
        """Read-through: fetch from the store; the lock's token goes with it."""
        calls = self.calls
        store = self.store
        if store is None:
            self.reply(call, OK, MISS, SMALL_BYTES)
            return
        calls.mark[call] = LOADING
        calls.memo[call] = token
        made = store.call(call, READ, key, calls.user[call], -1, KEY_BYTES, calls.trace[call])
        calls.step[made] = LOADED

    def reload(self, call: i64, key: i64, token: i64) -> None:
        """Read-through: fetch from the store while the reader is answered."""
        calls = self.calls
        store = self.store
        if store is None:
            return
        made = store.call(-1, READ, key, calls.user[call], -1, KEY_BYTES, calls.trace[call])
        calls.step[made] = RELOADED
        # The token names the node; without the flag TOLD the store does not see it.
        calls.token[made] = token
        number = calls.instance[call]
        calls.data[made] = self.life_of(number) << NODE_BITS | number

    def on_loaded(self, parent: i64, call: i64) -> None:
        """Read-through: the item has come for a reader."""
        calls = self.calls
        key = calls.key[parent]
        number = calls.instance[parent]
        outcome = calls.outcome[call]
        token = calls.memo[parent]
        # What a miss tells its caller to do is done here already.
        calls.flags[parent] &= ~ANSWERED
        if outcome != OK:
            if token > 0:
                self.unlock(number, key, token)
            self.reply(parent, as_upstream(outcome), 0, 0)
            return
        version = self.newest(number, key, calls.version[call])
        self.take(number, key, version, token, self.simulation.now - calls.began[call])
        self.reply(parent, OK, version, self.item_bytes if version > 0 else SMALL_BYTES)

    def on_reloaded(self, call: i64) -> None:
        """Read-through: a background refresh is done, unless its node has died since."""
        calls = self.calls
        stamp = calls.data[call]
        number = stamp & NODE_MASK
        if self.life_of(number) != stamp >> NODE_BITS:
            return
        key = calls.key[call]
        if calls.outcome[call] != OK:
            self.unlock(number, key, calls.token[call])
            return
        self.take(number, key, calls.version[call], calls.token[call], self.simulation.now - calls.began[call])

    def newest(self, number: i64, key: i64, version: i64) -> i64:
        """What is unwritten here, where that is later than the ``version`` that comes from the store."""
        if not self.holds or version <= 0:
            return version
        unwritten = self.unwritten(key, number)
        return unwritten if unwritten > version else version

    def take(self, number: i64, key: i64, version: i64, token: i64, took: i64) -> bool:
        """Put in what was loaded or written, and give its lock back; False where its lease was void."""
        node = self.nodes[number]
        if token > 0:
            if self.refuses(number, key, token):
                return False
        elif not self.plain:
            if self.comes_late(number, key, took):
                node.remove(key)
                self.changed_at(key, number)
                return False
            if took < 0:
                self.void(number, key)
        version = self.newest(number, key, version)
        now = self.simulation.now
        if version == ABSENT and self.negative_ns < 0:
            node.remove(key)
        else:
            self.sets += 1
            node.put(
                key, version, now, self.end_of(self.negative_ns, now) if version == ABSENT else self.expiry(now), took
            )
        if token > 0:
            self.use_up(number, key, token)
        self.changed_at(key, number)
        self.note_filled(key, version == ABSENT)
        return True
