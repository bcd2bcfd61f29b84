"""How a server changes items: in the store, through the cache, or by way of a queue; and who is told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mypy_extensions import i64, mypyc_attr

from playground.blocks.app_server.buying import Purchases
from playground.blocks.app_server.living import LivingBlock
from playground.blocks.app_server.steps import (
    AFTER_CREATE,
    AFTER_WRITE,
    ENQUEUE,
    FORGET,
    INVALIDATE,
    KEY_BYTES,
    LEAVE,
    PROMISE,
    RECORD,
    SAVE,
    THROUGH,
    TO_CACHE,
    TO_QUEUE,
    TO_STORE,
    UPDATE,
    WRITES,
)
from playground.engine.calls import ANSWERED
from playground.engine.outcomes import (
    ABORTED,
    ABSENT,
    BUY,
    CACHE_DELETE,
    CACHE_SET,
    CACHE_WRITE,
    CREATE,
    DELETE,
    FILTER_ADD,
    FILTER_REMOVE,
    MISS,
    OK,
    VERDICT_CREATED,
    WRITE,
    as_upstream,
)
from playground.engine.params import Params

if TYPE_CHECKING:
    from playground.engine.edge import Edge
    from playground.engine.simulation import Simulation


@mypyc_attr(allow_interpreted_subclasses=True)
class Writing(LivingBlock):
    """Writes, purchases, creations and deletions. ``conclude`` and ``end`` are the app server's: work after all calls, and the answer."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.filter: Edge | None = None
        self.cache: Edge | None = None
        self.store: Edge | None = None
        self.queue_edge: Edge | None = None
        self.search: Edge | None = None
        self.response_bytes: i64 = 0
        self.after_write: i64 = INVALIDATE
        self.after_create: i64 = INVALIDATE
        self.writes: i64 = TO_STORE
        self.bypass: bool = True
        self.bypassed: i64 = 0
        self.filter_failed: i64 = 0
        self.queued_writes: i64 = 0
        self.buying = Purchases(self.stream("between statements"), self.stream("back-off of purchases"))

    def configure_writing(self, params: Params) -> None:
        """Where writes go, and what the cache hears of them."""
        self.response_bytes = params.integer("response_bytes")
        self.after_write = AFTER_WRITE.index(params.text("after_write"))
        self.after_create = AFTER_CREATE.index(params.text("after_create"))
        self.writes = WRITES.index(params.text("writes"))
        self.bypass = params.flag("bypass_cache")
        self.buying.configure(params)

    def wire_data(self) -> None:
        """Look up filter, cache, store and queue, where these are wired."""
        self.filter = self.only("filter")
        self.cache = self.only("cache")
        self.store = self.only("store")
        self.queue_edge = self.only("queue")
        self.search = self.only("search")

    def only(self, port: str) -> Edge | None:
        """The edge at a port that takes one."""
        edges = self.out[port]
        return edges[0] if len(edges) > 0 else None

    def conclude(self, call: i64) -> None:
        """All calls are made."""
        raise AssertionError("the app server says how")

    def end(self, call: i64, outcome: i64) -> None:
        """Answer the request."""
        raise AssertionError("the app server says how")

    def wait(self, call: i64, ns: i64) -> None:
        """Hold the worker for ``ns``, then go on: ask the cache again, or buy again."""
        raise AssertionError("the app server says how")

    def send(self, edge: Edge, call: i64, operation: i64, size: i64, step: i64) -> i64:
        """Call somebody on behalf of ``call``; a message to the cache carries the version that is known. Its handle."""
        calls = self.calls
        made = edge.call(call, operation, calls.key[call], calls.user[call], -1, size, calls.trace[call])
        calls.step[made] = step
        calls.data[made] = calls.version[call]
        return made

    def say(self, edge: Edge, call: i64, operation: i64, size: i64) -> i64:
        """As :meth:`send`, without waiting for an answer."""
        calls = self.calls
        made = edge.call(-1, operation, calls.key[call], calls.user[call], -1, size, calls.trace[call])
        calls.step[made] = FORGET
        calls.data[made] = calls.version[call]
        return made

    def write(self, call: i64) -> None:
        """Change an item: by way of cache or queue where that is set and wired, else in the store."""
        operation = self.calls.operation[call]
        if operation == WRITE:
            cache = self.cache
            if self.writes == TO_CACHE and cache is not None:
                self.send(cache, call, CACHE_WRITE, self.response_bytes, THROUGH)
                return
            if self.writes == TO_QUEUE and self.queue_edge is not None:
                if cache is None:
                    self.enqueue(call, 0)
                else:
                    # No version: the cache gives it the next one, so that two writers at once get two.
                    self.calls.version[call] = MISS
                    self.send(cache, call, CACHE_SET, self.response_bytes, PROMISE)
                return
        self.save(call)

    def save(self, call: i64) -> None:
        """Change an item in the store."""
        store = self.store
        if store is None:
            self.conclude(call)
            return
        operation = self.calls.operation[call]
        size = KEY_BYTES if operation == DELETE else self.response_bytes
        wanted = operation if operation == BUY or operation == CREATE or operation == DELETE else WRITE
        made = self.send(store, call, wanted, size, SAVE)
        if wanted == BUY:
            self.calls.tell(made, self.buying.request(), self.buying.think_ns())

    def enqueue(self, call: i64, promised: i64) -> None:
        """Hand the write to the queue; the store will give it the version that the cache shows already, or a later one."""
        queue = self.queue_edge
        if queue is None:
            # The wire was cut since.
            self.save(call)
            return
        made = self.send(queue, call, WRITE, self.response_bytes, ENQUEUE)
        self.calls.tell(made, promised, 0)

    def on_written(self, parent: i64, call: i64, step: i64, outcome: i64) -> None:
        """A callee has answered about a change."""
        calls = self.calls
        version = calls.version[call]
        if step == UPDATE:
            # The change is safe in the store; that the cache could not be told is no failure of the request.
            self.conclude(parent)
        elif step == RECORD:
            if outcome != OK:
                self.filter_failed += 1
            self.tell_cache(parent)
        elif step == SAVE:
            if outcome != OK:
                self.end(parent, as_upstream(outcome))
            elif calls.operation[parent] == BUY:
                self.on_purchase(parent, call, version)
            else:
                calls.version[parent] = version
                self.record(parent, call)
        elif step == THROUGH:
            self.on_through(parent, outcome, version)
        elif step == PROMISE:
            if outcome != OK:
                self.bypassed += 1
            calls.version[parent] = version if outcome == OK else MISS
            self.enqueue(parent, calls.version[parent])
        else:
            self.on_enqueued(parent, outcome)

    def on_purchase(self, parent: i64, call: i64, version: i64) -> None:
        """The store has answered a purchase: made, nothing left, or aborted, which may be tried again (``memo`` counts the tries)."""
        calls = self.calls
        buying = self.buying
        if version > 0 and calls.flags[call] & ANSWERED == 0:
            buying.bought += 1
            calls.version[parent] = version
            self.record(parent, call)
        elif calls.flags[call] & ANSWERED == 0 or buying.is_settled(calls.verdict[call]):
            # Sold out, or there is no such item: an answer that the user gets, and nothing that a cache has to hear of.
            buying.sold_out += 1
            calls.version[parent] = version
            self.conclude(parent)
        elif calls.memo[parent] < buying.retries:
            calls.memo[parent] += 1
            buying.retried += 1
            self.wait(parent, buying.wait_ns(calls.memo[parent]))
        else:
            buying.aborted += 1
            self.end(parent, ABORTED)

    def on_through(self, parent: i64, outcome: i64, version: i64) -> None:
        """The cache has taken the write, or has not."""
        if outcome == OK:
            self.calls.version[parent] = version
            self.conclude(parent)
        elif self.bypass:
            self.bypassed += 1
            self.save(parent)
        else:
            self.end(parent, as_upstream(outcome))

    def on_enqueued(self, parent: i64, outcome: i64) -> None:
        """The queue has taken the write. If it has not, what the cache shows will never be true."""
        if outcome == OK:
            self.queued_writes += 1
            self.conclude(parent)
            return
        cache = self.cache
        if cache is not None and self.calls.version[parent] != MISS:
            self.say(cache, parent, CACHE_DELETE, KEY_BYTES)
        self.end(parent, as_upstream(outcome))

    def is_new(self, call: i64, saved: i64) -> bool:
        """Whether the item may not have been there before the store's answer, ``saved``. A second attempt finds what the first one made,
        if only the answer to that was lost: in doubt it is new, since an item that the filter isn't told of is kept from its readers."""
        calls = self.calls
        if calls.flags[saved] & ANSWERED != 0 and calls.verdict[saved] == VERDICT_CREATED:
            return True
        return calls.attempt[saved] > 1 or calls.attempt[call] > 1

    def record(self, call: i64, saved: i64) -> None:
        """Tell the filter which items there are now that weren't before the store's answer, ``saved``, or no more; then the cache."""
        known = self.filter
        operation = self.calls.operation[call]
        if known is not None and operation == CREATE and self.is_new(call, saved):
            # Where it was in already, a counting filter would count it twice, and a cuckoo filter fill up with its fingerprints.
            self.send(known, call, FILTER_ADD, KEY_BYTES, RECORD)
        elif known is not None and operation == DELETE and self.calls.version[call] != ABSENT:
            # Only what was in may be taken out: what wasn't shares its bits with others.
            self.send(known, call, FILTER_REMOVE, KEY_BYTES, RECORD)
        else:
            self.tell_cache(call)

    def tell_cache(self, call: i64) -> None:
        """After a change: drop the cached item (or "there is none"), replace it, or leave it to its TTL."""
        cache = self.cache
        operation = self.calls.operation[call]
        after = self.after_write
        if operation == CREATE:
            after = self.after_create
        elif operation == DELETE:
            after = INVALIDATE
        if cache is None or after == LEAVE:
            self.conclude(call)
        elif after == INVALIDATE:
            made = self.send(cache, call, CACHE_DELETE, KEY_BYTES, UPDATE)
            if operation == DELETE:
                # There is nothing any more that a cache which writes behind could have to write.
                self.calls.data[made] = ABSENT
        else:
            self.send(cache, call, CACHE_SET, self.response_bytes, UPDATE)

    def write_steps(self, operation: i64) -> list[str]:
        """The steps of a change, in words."""
        cache = self.cache.callee.label if self.cache is not None else ""
        store = self.store.callee.label if self.store is not None else ""
        known = self.filter.callee.label if self.filter is not None else ""
        queue = self.queue_edge.callee.label if self.queue_edge is not None else ""
        if operation == WRITE and cache and self.writes == TO_CACHE:
            return [
                f"write through {cache}" + (f"; if it doesn't answer, write {store}" if self.bypass and store else "")
            ]
        if operation == WRITE and queue and self.writes == TO_QUEUE:
            return [*([f"update {cache}"] if cache else []), f"leave the write with {queue}"]
        if not store:
            return []
        verbs = {CREATE: "create in", DELETE: "delete from", BUY: "buy from"}
        steps = [f"{verbs.get(operation, 'write')} {store}"]
        after = self.after_create if operation == CREATE else INVALIDATE if operation == DELETE else self.after_write
        if known and (operation == CREATE or operation == DELETE):
            steps.append(f"{'enter in' if operation == CREATE else 'take out of'} {known}")
        if cache and after != LEAVE:
            steps.append(f"{'invalidate' if after == INVALIDATE else 'update'} {cache}")
        return steps
