"""A cache with real keys: what it holds, how old that is, and what it throws out, decide whether a read hits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mypy_extensions import i64

from playground.blocks.cache.sessions import SESSION_BYTES, SessionTable
from playground.engine.block import Block
from playground.engine.outcomes import (
    CACHE_DELETE,
    CACHE_GET,
    CACHE_SET,
    MISS,
    OK,
    OVERLOADED,
    READ,
    SESSION_GET,
    SESSION_SET,
    as_upstream,
)
from playground.engine.params import Params
from playground.engine.recent import RecentRatio
from playground.engine.station import FULL, STARTED, Station
from playground.engine.stores import FIFO, POLICIES, Evicting
from playground.engine.streams import CONSTANT, Duration

if TYPE_CHECKING:
    from playground.engine.edge import Edge
    from playground.engine.simulation import Simulation

WAITING: Final = 0
SERVING: Final = 1
LOADING: Final = 2
"""Marks of a call: it waits for a thread, is on one, or (read-through) waits for the store without one."""

NEVER: Final = 1 << 62
SMALL_BYTES: Final = 60
KEY_BYTES: Final = 100
STAMPEDE_FROM: Final = 20
"""So many rebuilds of one key at once are named a stampede."""

QUIET_NS: Final = 1_000_000_000
REBUILDS_KEPT: Final = 65_536


class Cache(Block):
    """Look-aside: callers ask, load what is missing and put it in. Read-through: it loads from the store behind it by itself."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.work_stream = self.stream("operations")
        self.jitter_stream = self.stream("ttl jitter")
        self.warm_stream = self.stream("age at the start")
        self.operation = Duration(CONSTANT, 0.0, 1.0)
        self.station = Station(simulation, 1, 1, -1)
        self.pool = self.station
        self.items = Evicting(1, 0)
        # Keys that are being loaded: version counts the loads since filled_at.
        self.rebuilds = Evicting(REBUILDS_KEPT, FIFO)
        self.sessions = SessionTable()
        self.read_through: bool = False
        self.store: Edge | None = None
        self.ttl_ns: i64 = -1
        self.ttl_jitter: float = 0.0
        self.item_bytes: i64 = 0
        self.warm: i64 = 0
        self.hits: i64 = 0
        self.misses: i64 = 0
        self.expired: i64 = 0
        self.sets: i64 = 0
        self.deletes: i64 = 0
        self.stampedes: i64 = 0
        self.largest_stampede: i64 = 0
        self.noted_at: i64 = -QUIET_NS
        self.noted_count: i64 = 0
        self.recent = RecentRatio()

    def configure(self, params: Params) -> None:
        """Sizes, times to live (those of items that are in stay as they are), mode."""
        self.station.resize(1, params.integer("threads"), params.integer("queue_max"))
        params.set_duration(self.operation, "operation")
        policy: i64 = POLICIES.index(params.text("eviction"))
        capacity = params.integer("capacity")
        if policy != self.items.policy:
            self.items = reordered(self.items, policy, capacity)
        elif capacity != self.items.capacity:
            self.items.resize(capacity)
        self.ttl_ns = params.ns("ttl_s")
        self.ttl_jitter = params.number("ttl_jitter_percent") / 100.0
        self.item_bytes = params.integer("item_bytes")
        self.read_through = params.text("mode") == "read_through"
        self.warm = params.integer("warm_keys")
        self.pull()

    def wired(self) -> None:
        """The store behind it, for reading through."""
        stores = self.out["store"]
        self.store = stores[0] if len(stores) > 0 else None

    def started(self) -> None:
        """Fill it with the most popular keys, 1 to ``warm_keys``, of all ages."""
        count = self.warm
        if count > self.items.capacity:
            count = self.items.capacity
        now = self.simulation.now
        key = count
        while key >= 1:
            # The least popular first, so that least recently used means least popular.
            age = 0.0
            if self.ttl_ns >= 0:
                age = self.warm_stream.uniform() * float(self.ttl_ns)
            self.items.put(key, 1, now - i64(age), self.expiry(now - i64(age)))
            key -= 1

    def expiry(self, now: i64) -> i64:
        """When an item that is put in now expires."""
        if self.ttl_ns < 0:
            return NEVER
        ttl = self.ttl_ns
        if self.ttl_jitter > 0.0:
            ttl = i64(float(ttl) * (1.0 + self.ttl_jitter * (2.0 * self.jitter_stream.uniform() - 1.0)))
        return now + ttl

    # ---- a call's way through

    def on_call(self, call: i64) -> None:
        """Wait for a thread, or take one."""
        self.calls.mark[call] = WAITING
        became = self.station.offer(call, 0)
        if became == FULL:
            self.reply(call, OVERLOADED, 0, 0)
        elif became == STARTED:
            self.serve(call)
        else:
            self.note_queue(self.station.waiting_all, self.station.workers, "threads")

    def serve(self, call: i64) -> None:
        """A thread works on a call."""
        self.calls.mark[call] = SERVING
        ns = self.operation.draw(self.work_stream)
        if ns > 0:
            self.work(call, ns)
        else:
            self.on_work(call)

    def on_work(self, call: i64) -> None:
        """The operation takes effect now."""
        calls = self.calls
        operation = calls.operation[call]
        key = calls.key[call]
        self.station.release(0)
        if operation == CACHE_GET:
            self.get(call, key)
        elif operation == CACHE_SET:
            self.put(key, calls.data[call])
            self.reply(call, OK, calls.data[call], SMALL_BYTES)
        elif operation == SESSION_GET or operation == SESSION_SET:
            found = self.sessions.serve(calls, call, self.simulation.now)
            self.reply(call, OK, found, SESSION_BYTES if found > 0 else SMALL_BYTES)
        else:
            assert operation == CACHE_DELETE
            self.deletes += 1
            self.remove(key)
            self.reply(call, OK, 0, SMALL_BYTES)
        self.pull()

    def get(self, call: i64, key: i64) -> None:
        """A hit is answered; a miss is reported, or (read-through) loaded."""
        items = self.items
        now = self.simulation.now
        entry = items.find(key)
        if entry >= 0 and items.expires[entry] <= now:
            self.expired += 1
            items.remove(entry)
            entry = -1
        self.recent.add(now, entry >= 0)
        if entry >= 0:
            self.hits += 1
            items.touch(entry)
            self.reply(call, OK, items.version[entry], self.item_bytes)
            return
        self.misses += 1
        self.note_miss(key)
        store = self.store
        if not self.read_through or store is None:
            self.reply(call, OK, MISS, SMALL_BYTES)
            return
        calls = self.calls
        calls.mark[call] = LOADING
        store.call(call, READ, key, calls.user[call], -1, KEY_BYTES, calls.trace[call])

    def on_reply(self, call: i64) -> None:
        """Read-through: the store has answered."""
        calls = self.calls
        parent = calls.parent[call]
        outcome = calls.outcome[call]
        if outcome != OK:
            self.reply(parent, as_upstream(outcome), 0, 0)
            return
        version = calls.version[call]
        if version > 0:
            self.put(calls.key[parent], version)
        self.reply(parent, OK, version, self.item_bytes if version > 0 else SMALL_BYTES)

    def put(self, key: i64, version: i64) -> None:
        """Put an item in."""
        self.sets += 1
        now = self.simulation.now
        self.items.put(key, version, now, self.expiry(now))
        self.note_filled(key)

    def remove(self, key: i64) -> None:
        """Take an item out, if it is in."""
        entry = self.items.find(key)
        if entry >= 0:
            self.items.remove(entry)

    def pull(self) -> None:
        """Let free threads take waiting calls."""
        while True:
            call = self.station.pull(0)
            if call < 0:
                break
            self.serve(call)
        self.note_queue(self.station.waiting_all, self.station.workers, "threads")

    # ---- stampedes

    def note_miss(self, key: i64) -> None:
        """Somebody goes to rebuild ``key``; count them until it is in."""
        rebuilds = self.rebuilds
        entry = rebuilds.find(key)
        if entry < 0:
            rebuilds.put(key, 1, self.simulation.now, 0)
        else:
            rebuilds.version[entry] += 1

    def note_filled(self, key: i64) -> None:
        """The first rebuild has put the key in: when many had begun, that was a stampede, and this is its size."""
        rebuilds = self.rebuilds
        entry = rebuilds.find(key)
        if entry < 0:
            return
        count = rebuilds.version[entry]
        began = rebuilds.filled_at[entry]
        rebuilds.remove(entry)
        if count < STAMPEDE_FROM:
            return
        self.stampedes += 1
        if count > self.largest_stampede:
            self.largest_stampede = count
        # A flush makes a stampede on every popular key: name the first, and those that are clearly larger.
        now = self.simulation.now
        if now - self.noted_at < QUIET_NS and 2 * count < 3 * self.noted_count:
            return
        self.noted_at = now
        self.noted_count = count
        took = float(self.simulation.now - began) / 1e6
        self.note(
            "stampede",
            "bad",
            f"Stampede on key {key}: {count} rebuilds",
            f"Key {key} was not in {self.label}; {count} callers went to rebuild it in the {took:.0f} ms until it was.",
        )

    # ---- faults

    def on_cancel(self, call: i64) -> None:
        """Free the place in the queue, or the thread."""
        mark = self.calls.mark[call]
        if mark == WAITING:
            self.station.remove(call, 0)
        elif mark == SERVING:
            self.station.release(0)
            self.pull()

    def on_crash(self, instance: i64) -> None:
        """What it held is gone."""
        self.station.clear(0)
        self.items.clear()
        self.rebuilds.clear()
        self.sessions.kept.clear()

    def on_fault(self, fault: str, params: Params) -> bool:
        """``flush`` empties it, ``expire_key`` lets one key expire."""
        if fault == "flush":
            count = self.items.size
            self.items.clear()
            self.sessions.kept.clear()
            self.note("flush", "warning", f"{self.label} flushed", f"{count} keys are gone; their next reads miss.")
            return True
        if fault == "expire_key":
            key = params.integer("key")
            held = self.items.find(key) >= 0
            self.remove(key)
            self.note("expired", "info", f"Key {key} expired", "Its next read misses." if held else "It was not in.")
            return True
        return False

    # ---- figures

    def metrics(self) -> list[float]:
        """See ``spec.py``."""
        return [
            self.recent.percent(),
            float(self.items.size),
            float(self.items.capacity),
            float(self.hits),
            float(self.misses),
            float(self.expired),
            float(self.items.evicted),
            float(self.sets),
            float(self.deletes),
            float(self.stampedes),
            float(self.largest_stampede),
        ]

    def detail(self) -> dict[str, object]:
        """What it holds and what is being rebuilt."""
        now = self.simulation.now
        rows: list[object] = []
        for key in range(1, 11):
            entry = self.items.find(key)
            if entry >= 0:
                left = self.items.expires[entry]
                rows.append(
                    {
                        "key": key,
                        "version": int(self.items.version[entry]),
                        "age_s": round(float(now - self.items.filled_at[entry]) / 1e9, 3),
                        "expires_in_s": "never" if left == NEVER else round(float(left - now) / 1e9, 3),
                    }
                )
        return {"most_popular_keys": rows, "keys_being_rebuilt": int(self.rebuilds.size)}


def reordered(items: Evicting, policy: i64, capacity: i64) -> Evicting:
    """The same items under another policy, the next to be evicted first; what is known of their use is lost."""
    made = Evicting(capacity, policy)
    made.evicted = items.evicted
    for key in items.in_order():
        entry = items.find(key)
        made.put(key, items.version[entry], items.filled_at[entry], items.expires[entry])
    return made
