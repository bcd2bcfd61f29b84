"""A cache with real keys: what it holds, how old that is, and what it throws out, decide whether a read hits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mypy_extensions import i64

from playground.blocks.cache import report
from playground.blocks.cache.loading import Loading
from playground.blocks.cache.node import Node
from playground.blocks.cache.sessions import SESSION_BYTES
from playground.blocks.cache.states import (
    AROUND,
    FLUSH_TIMER,
    FREE,
    HELD,
    LOADED,
    NEVER,
    RELOADED,
    SERVING,
    SMALL_BYTES,
    WAITING,
    WRITTEN,
)
from playground.engine.calls import STALE, TOLD
from playground.engine.outcomes import (
    ABSENT,
    CACHE_DELETE,
    CACHE_GET,
    CACHE_SET,
    CACHE_UNLOCK,
    CACHE_WRITE,
    MISS,
    OK,
    OVERLOADED,
    SESSION_GET,
    SESSION_SET,
    VERDICT_REBUILD,
    VERDICT_REFRESH,
)
from playground.engine.params import Params
from playground.engine.station import FULL, STARTED
from playground.engine.streams import CONSTANT, Duration
from playground.engine.words import counted

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation


class Cache(Loading):
    """Look-aside: callers ask, load what is missing and put it in. Read-through: it loads from the store behind it by itself."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.work_stream = self.stream("operations")
        self.operation = Duration(CONSTANT, 0.0, 1.0)

    def configure(self, params: Params) -> None:
        """Sizes, times to live (those of items that are in stay as they are), mode, policies."""
        self.configure_memory(params)
        self.configure_rebuilding(params)
        self.configure_writing(params)
        params.set_duration(self.operation, "operation")
        self.read_through = params.text("mode") == "read_through"
        self.settle_plain()
        self.pull_all()

    def settle_plain(self) -> None:
        """Whether a read takes the short way: nothing but hit or miss is at stake, and nothing is unwritten."""
        self.plain = (
            self.rebuild == FREE
            and self.soft_ns < 0
            and self.beta < 0.0
            and self.negative_ns < 0
            and self.write_policy == AROUND
            and not self.holds
        )

    def wired(self) -> None:
        """The store behind it, for reading and writing through, and the queue for writing behind."""
        stores = self.out["store"]
        queues = self.out["queue"]
        self.store = stores[0] if len(stores) > 0 else None
        self.queue_edge = queues[0] if len(queues) > 0 else None

    # ---- a call's way through

    def on_call(self, call: i64) -> None:
        """Wait for a thread, or take one."""
        calls = self.calls
        calls.mark[call] = WAITING
        became = self.station.offer(call, calls.instance[call])
        if became == FULL:
            self.reply(call, OVERLOADED, 0, 0)
        elif became == STARTED:
            self.serve(call)
        else:
            self.note_queue(self.station.waiting_all, self.station.workers * self.instances, "threads")

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
        number = calls.instance[call]
        node = self.nodes[number]
        node.served += 1
        self.station.release(number)
        if operation == CACHE_GET:
            self.last_key = key
            self.last_node = number
            self.get(call, node, key)
        elif operation == CACHE_SET:
            self.set_item(call, node, key)
        elif operation == SESSION_GET or operation == SESSION_SET:
            found = node.sessions.serve(calls, call, self.simulation.now)
            if operation == SESSION_SET and number >= self.instances:
                # A node that was taken out does what it has, and will not be asked for this one.
                self.sessions_lost += 1
            self.reply(call, OK, found, SESSION_BYTES if found > 0 else SMALL_BYTES)
        elif operation == CACHE_WRITE:
            self.write(call, node, key)
        elif operation == CACHE_UNLOCK:
            self.unlock(number, key, calls.token[call])
            self.reply(call, OK, 0, SMALL_BYTES)
        else:
            assert operation == CACHE_DELETE
            self.deletes += 1
            self.void(number, key)
            if calls.data[call] == ABSENT:
                self.drop_unwritten(node, key)
            else:
                self.write_first(node, number, key)
            node.remove(key)
            self.changed_at(key, number)
            self.reply(call, OK, 0, SMALL_BYTES)
        self.pull(number)

    # ---- reads

    def get(self, call: i64, node: Node, key: i64) -> None:
        """A hit is answered; a miss is reported, or (read-through) loaded."""
        items = node.items
        now = self.simulation.now
        entry = items.find(key)
        if entry >= 0 and items.expires[entry] <= now:
            self.expired += 1
            items.remove(entry)
            entry = -1
        if not self.plain:
            self.get_by_policy(call, node, key, entry)
            return
        self.recent.add(now, entry >= 0)
        if entry >= 0:
            self.hits += 1
            items.touch(entry)
            version = items.version[entry]
            self.observe(node, key, version)
            self.reply(call, OK, version, self.item_bytes if version != ABSENT else SMALL_BYTES)
            return
        self.misses += 1
        self.note_miss(key)
        if self.read_through and self.store is not None:
            self.load(call, key, 0)
        else:
            self.reply(call, OK, MISS, SMALL_BYTES)

    def get_by_policy(self, call: i64, node: Node, key: i64, entry: i64) -> None:
        """A read where more is at stake than hit or miss. One that asks again, after it waited, is counted already."""
        calls = self.calls
        now = self.simulation.now
        again = calls.flags[call] & TOLD != 0 and calls.extra[call] > 0
        if entry < 0:
            unwritten = self.unwritten(key, calls.instance[call])
            if unwritten > 0:
                # Thrown out, or too old, but the store does not have it yet.
                entry = node.put(key, unwritten, now, self.expiry(now), -1)
        if not again:
            self.recent.add(now, entry >= 0)
            if entry >= 0:
                self.hits += 1
            else:
                self.misses += 1
        if entry >= 0:
            node.items.touch(entry)
            self.hit(call, node, key, entry)
            return
        token = self.on_miss(call, key, again)
        if token >= 0 and self.read_through and self.store is not None:
            self.load(call, key, token)
        else:
            self.reply(call, OK, MISS, SMALL_BYTES)

    def hit(self, call: i64, node: Node, key: i64, entry: i64) -> None:
        """Answer with what is held; the reader may have to rebuild it early, or to refresh it in the background."""
        version = node.items.version[entry]
        self.observe(node, key, version)
        if version == ABSENT:
            self.negative_hits += 1
            self.reply(call, OK, ABSENT, SMALL_BYTES)
            return
        if self.soft_ns >= 0 and self.soft_end(node, entry) <= self.simulation.now:
            self.stale_hits += 1
            self.calls.flags[call] |= STALE
            token = self.take_lock(self.calls.instance[call], key)
            if token > 0:
                self.note_refresh(key)
                if self.read_through:
                    self.reload(call, key, token)
                else:
                    self.calls.advise(call, VERDICT_REFRESH | self.kept, token)
        elif self.beta >= 0.0 and self.wants_early(node, entry):
            token = self.take_lock(self.calls.instance[call], key) if self.rebuild != FREE else 0
            if token > 0 or self.rebuild == FREE:
                self.early += 1
                if self.read_through and self.store is not None:
                    self.note_miss(key)
                    self.load(call, key, token)
                    return
                self.note_miss(key)
                self.calls.advise(call, VERDICT_REBUILD | self.kept, token)
        self.reply(call, OK, version, self.item_bytes)

    def on_reply(self, call: i64) -> None:
        """The store (or the queue) has answered."""
        calls = self.calls
        step = calls.step[call]
        if step == LOADED:
            self.on_loaded(calls.parent[call], call)
        elif step == RELOADED:
            self.on_reloaded(call)
        elif step == WRITTEN:
            self.on_written(calls.parent[call], call)
        else:
            self.on_flushed(call)
            if not self.holds and not self.plain:
                self.settle_plain()

    # ---- sets

    def set_item(self, call: i64, node: Node, key: i64) -> None:
        """A caller puts an item in, or that there is none."""
        calls = self.calls
        version = calls.data[call]
        number = calls.instance[call]
        token: i64 = 0
        took: i64 = -1
        if calls.flags[call] & TOLD != 0:
            token = calls.token[call]
            took = calls.extra[call]
        if version == MISS:
            version = self.promise(node, key)
        if not self.take(number, key, version, token, took):
            version = MISS
        self.reply(call, OK, version, SMALL_BYTES)

    def on_timer(self, tag: i64, argument: i64) -> None:
        """Time to write behind."""
        assert tag == FLUSH_TIMER
        self.flush(argument)

    def pull(self, number: i64) -> None:
        """Let free threads of a node take waiting calls."""
        station = self.station
        while True:
            call = station.pull(number)
            if call < 0:
                break
            self.serve(call)
        self.note_queue(station.waiting_all, station.workers * self.instances, "threads")

    def pull_all(self) -> None:
        """As :meth:`pull`, of all nodes."""
        number: i64 = 0
        while number < self.instances:
            self.pull(number)
            number += 1

    # ---- faults

    def on_cancel(self, call: i64) -> None:
        """Free the place in the queue, or the thread."""
        mark = self.calls.mark[call]
        number = self.calls.instance[call]
        if mark == WAITING:
            self.station.remove(call, number)
        elif mark == SERVING:
            self.station.release(number)
            self.pull(number)
        elif mark == HELD:
            self.forget_held(call, -1)

    def on_crash(self, instance: i64) -> None:
        """What a node held is gone; others take over its keys, where that is switched on."""
        self.station.clear(instance)
        self.forget_held(-1, instance)
        if instance < len(self.nodes):
            self.lose(instance)
        self.loading.clear()
        self.settle_members()
        self.hand_over()

    def on_restart(self, instance: i64) -> None:
        """The node takes its keys back, empty but for what the others were to write of them."""
        self.settle_members()
        self.hand_over()

    def on_fault(self, fault: str, params: Params) -> bool:
        """``flush`` empties it, ``expire_key`` lets one key expire, ``age_key`` brings one to the end of its soft time to live."""
        if fault == "flush":
            count: i64 = 0
            for number, node in enumerate(self.nodes):
                count += node.items.size
                self.lose(number)
            self.note(
                "flush",
                "warning",
                f"{self.label} flushed",
                f"{counted(count, 'key is', 'keys are')} gone; the next read of each misses.",
            )
            return True
        if fault == "expire_key":
            key = params.integer("key")
            held = False
            for node in self.nodes:
                held = node.remove(key) or held
            self.note("expired", "info", f"Key {key} expired", "Its next read misses." if held else "It was not in.")
            return True
        if fault == "age_key":
            self.age(params.integer("key"))
            return True
        return False

    def age(self, key: i64) -> None:
        """Make ``key`` as old as its soft time to live."""
        held = False
        for node in self.nodes:
            entry = node.items.find(key)
            ends = self.soft_end(node, entry) if entry >= 0 else NEVER
            left = ends - self.simulation.now
            if ends == NEVER or left <= 0:
                continue
            held = True
            node.items.filled_at[entry] -= left
            if node.items.expires[entry] != NEVER:
                node.items.expires[entry] -= left
        text = (
            "Its next read gets the old value, and refreshes it."
            if held
            else "It was not in, or has no soft time to live."
        )
        self.note("aged", "info", f"Key {key} is past its soft TTL", text)

    # ---- figures

    def metrics(self) -> list[float]:
        """See ``report.py``."""
        return report.metrics(self)

    def cells(self) -> list[int]:
        """The most popular keys."""
        return report.cells(self)

    def detail(self) -> dict[str, object]:
        """What it holds and what is being rebuilt."""
        found: dict[str, object] = {
            "most_popular_keys": report.key_rows(self),
            "keys_being_rebuilt": int(self.loading.size),
            "failures": self.failures_by_reason(),
        }
        if self.instances > 1:
            found["nodes"] = report.node_rows(self)
        if self.hot_replicas > 1:
            found["hot_keys"] = report.hot_rows(self)
        return found
