"""How a server reads an item: filter, cache, store; who rebuilds what the cache has not, who waits, what is refreshed in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mypy_extensions import i64, mypyc_attr

from playground.blocks.app_server.paging import Paging
from playground.blocks.app_server.steps import (
    CHECK,
    FILL,
    FORGET,
    HAND_OVER,
    HAS_COPY,
    HAS_TOKEN,
    INSTANCE_BITS,
    INSTANCE_MASK,
    KEEPS_ABSENT,
    KEY_BYTES,
    LOAD,
    LOOK_UP,
    MEMO_BITS,
    PAST_CACHE,
    RELOAD,
    SEARCH,
    SMALL_BYTES,
    WAITED,
)
from playground.blocks.app_server.writing import Writing
from playground.engine.calls import ANSWERED, STALE, TOLD
from playground.engine.outcomes import (
    ABSENT,
    BAD_REQUEST,
    CACHE_GET,
    CACHE_SET,
    CACHE_UNLOCK,
    FILTER_CHECK,
    LIST,
    MISS,
    OK,
    PAGE_KIND_BITS,
    READ,
    REFRESH,
    VERDICT_ABSENT_KEPT,
    VERDICT_KIND,
    VERDICT_REBUILD,
    VERDICT_REFRESH,
    VERDICT_WAIT,
    as_upstream,
)
from playground.engine.params import Params

if TYPE_CHECKING:
    from playground.engine.edge import Edge
    from playground.engine.simulation import Simulation


@mypyc_attr(allow_interpreted_subclasses=True)
class Program(Writing):
    """Reads, and with :class:`Writing` all that a request does with data. ``call_data`` begins it, ``on_data`` goes on."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.wait_max_ns: i64 = 0
        self.filtered: i64 = 0
        self.rebuild_waits: i64 = 0
        self.waits_given_up: i64 = 0
        self.refreshes: i64 = 0
        self.searches_failed: i64 = 0
        self.list_items: i64 = 1
        self.paging = Paging(self)

    def configure_program(self, params: Params) -> None:
        """What is done with the data."""
        self.configure_writing(params)
        self.wait_max_ns = params.ns("rebuild_wait_ms")
        self.list_items = params.integer("list_items")
        self.paging.configure(params)

    # ---- reading

    def call_data(self, call: i64) -> None:
        """Services are done: on to filter, cache and store."""
        calls = self.calls
        operation = calls.operation[call]
        # It counted services; from here on see PAST_CACHE and the others.
        calls.memo[call] = 0
        if operation == READ:
            if self.filter is not None:
                self.send(self.filter, call, FILTER_CHECK, KEY_BYTES, CHECK)
            else:
                self.look_up(call)
        elif operation == LIST and self.search is not None:
            self.search_page(call)
        elif operation == LIST:
            self.list_page(call)
        else:
            self.write(call)

    def look_up(self, call: i64) -> None:
        """Ask the cache; without one, read from the store."""
        cache = self.cache
        if cache is None:
            self.load(call, READ)
            return
        made = self.send(cache, call, CACHE_GET, KEY_BYTES, LOOK_UP)
        if self.calls.memo[call] & WAITED != 0:
            # The same read, asking again.
            self.calls.tell(made, 0, 1)

    def list_page(self, call: i64) -> None:
        """Have the store make a list: its first rows, or the page that a link leads to."""
        store = self.store
        if store is None or self.calls.flags[call] & TOLD == 0:
            self.load(call, LIST)
        else:
            self.ask_for_page(store, call, LOAD)

    def search_page(self, call: i64) -> None:
        """Have the search index make a list. It has no prices: pages in their order are the store's."""
        search = self.search
        assert search is not None
        if self.calls.flags[call] & TOLD == 0:
            self.send(search, call, LIST, KEY_BYTES, SEARCH)
        elif self.paging.order() == 0:
            self.ask_for_page(search, call, SEARCH)
        elif self.store is not None:
            self.list_page(call)
        else:
            self.send(search, call, LIST, KEY_BYTES, SEARCH)

    def ask_for_page(self, callee: Edge, call: i64, step: i64) -> None:
        """Ask for the page that a link leads to."""
        position = self.paging.position(call, self.list_items)
        if position < 0:
            self.refuse_link(call)
            return
        made = self.send(callee, call, LIST, KEY_BYTES, step)
        self.calls.tell(made, self.list_items << PAGE_KIND_BITS | self.paging.order() | self.paging.found, position)

    def refuse_link(self, call: i64) -> None:
        """Answer with 400, in an event of its own: a queue full of these must not be worked off in one breath."""
        raise AssertionError("the app server says how")

    def load(self, call: i64, operation: i64) -> None:
        """Read from the store; without one the server makes the item itself."""
        if self.store is not None:
            self.send(self.store, call, operation, KEY_BYTES, LOAD)
            return
        self.calls.version[call] = 1
        self.fill_cache(call, 0)

    def on_data(self, parent: i64, call: i64, step: i64, outcome: i64) -> None:
        """A callee has answered about data."""
        calls = self.calls
        if step == LOOK_UP:
            self.on_look_up(parent, call, outcome)
        elif step == LOAD:
            if outcome != OK:
                self.give_back(parent)
                if calls.memo[parent] & HAS_COPY != 0:
                    self.conclude(parent)
                else:
                    self.end(parent, as_upstream(outcome))
            else:
                calls.version[parent] = calls.version[call]
                # Known to be out of date: so is what is made of it.
                calls.flags[parent] |= calls.flags[call] & STALE
                if calls.operation[parent] == LIST:
                    self.paging.hand_on(parent, call, self.list_items)
                self.fill_cache(parent, self.simulation.now - calls.began[call])
        elif step == FILL:
            # The item is here; that the cache could not be told is no failure of the request.
            self.conclude(parent)
        elif step == SEARCH:
            self.on_searched(parent, call, outcome)
        elif step == CHECK:
            self.on_check(parent, outcome, calls.version[call])
        elif step == RELOAD:
            self.on_reloaded(call, outcome)
        elif step == HAND_OVER:
            if outcome != OK:
                self.unlock(call)
        elif step != FORGET:
            self.on_written(parent, call, step, outcome)

    def on_searched(self, parent: i64, call: i64, outcome: i64) -> None:
        """The search index has answered; when it hasn't, the store makes the list."""
        calls = self.calls
        if outcome == OK:
            calls.flags[parent] |= calls.flags[call] & STALE
            self.paging.hand_on(parent, call, self.list_items)
            self.conclude(parent)
            return
        if outcome == BAD_REQUEST:
            # Nothing is wrong with the index: the page is one that it does not give.
            self.end(parent, BAD_REQUEST)
            return
        self.searches_failed += 1
        if self.bypass and self.store is not None:
            self.list_page(parent)
        else:
            self.end(parent, as_upstream(outcome))

    def on_check(self, parent: i64, outcome: i64, answer: i64) -> None:
        """The filter has answered: certainly not, or perhaps. One that fails is passed by."""
        if outcome == OK and answer == 0:
            self.filtered += 1
            self.calls.version[parent] = ABSENT
            self.conclude(parent)
            return
        if outcome != OK:
            self.filter_failed += 1
        self.look_up(parent)

    def on_look_up(self, parent: i64, call: i64, outcome: i64) -> None:
        """The cache has answered: a hit, a miss, who is to rebuild, or nothing at all."""
        calls = self.calls
        if outcome != OK:
            if self.bypass:
                self.bypassed += 1
                # It just failed, so it is not filled afterwards either.
                calls.memo[parent] = PAST_CACHE
                self.load(parent, READ)
            else:
                self.end(parent, as_upstream(outcome))
            return
        version = calls.version[call]
        if calls.flags[call] & (ANSWERED | STALE) != 0:
            self.on_verdict(parent, call, version)
        elif version == MISS:
            self.load(parent, READ)
        else:
            calls.version[parent] = version
            self.conclude(parent)

    def on_verdict(self, parent: i64, call: i64, version: i64) -> None:
        """The cache says with its answer what is to be done."""
        calls = self.calls
        verdict: i64 = 0
        advice: i64 = 0
        if calls.flags[call] & ANSWERED != 0:
            verdict = calls.verdict[call]
            advice = calls.advice[call]
        kind = verdict & VERDICT_KIND
        kept: i64 = KEEPS_ABSENT if verdict & VERDICT_ABSENT_KEPT != 0 else 0
        if kind == VERDICT_WAIT:
            self.wait_for_rebuild(parent, advice, kept)
        elif kind == VERDICT_REBUILD or version == MISS:
            calls.memo[parent] = kept
            if kind == VERDICT_REBUILD and advice > 0:
                calls.memo[parent] = advice << MEMO_BITS | HAS_TOKEN | kept
            if version > 0:
                calls.memo[parent] |= HAS_COPY
                calls.version[parent] = version
            self.load(parent, READ)
        else:
            calls.version[parent] = version
            calls.flags[parent] |= calls.flags[call] & STALE
            if kind == VERDICT_REFRESH:
                self.refresh(parent, advice)
            self.conclude(parent)

    def wait_for_rebuild(self, call: i64, ns: i64, kept: i64) -> None:
        """Somebody else rebuilds the item: ask again in ``ns``. Whoever has waited too long reads it himself."""
        calls = self.calls
        now = self.simulation.now
        memo = calls.memo[call]
        began: i64 = now
        if memo & WAITED != 0:
            began = memo >> MEMO_BITS
        else:
            self.rebuild_waits += 1
        left = began + self.wait_max_ns - now
        if left <= 0:
            self.waits_given_up += 1
            calls.memo[call] = kept
            self.load(call, READ)
            return
        calls.memo[call] = began << MEMO_BITS | WAITED
        self.wait(call, ns if ns < left else left)

    def fill_cache(self, call: i64, took_ns: i64) -> None:
        """Put what was read into the cache (that there is none, where it keeps that), unless the cache is being passed by."""
        calls = self.calls
        cache = self.cache
        memo = calls.memo[call]
        if cache is None or calls.operation[call] != READ or memo & PAST_CACHE != 0:
            self.conclude(call)
            return
        if calls.version[call] > 0 or memo & KEEPS_ABSENT != 0:
            size = self.response_bytes if calls.version[call] > 0 else SMALL_BYTES
            made = self.send(cache, call, CACHE_SET, size, FILL)
            calls.tell(made, memo >> MEMO_BITS if memo & HAS_TOKEN != 0 else 0, took_ns)
            return
        self.give_back(call)
        self.conclude(call)

    def give_back(self, call: i64) -> None:
        """Let others rebuild what this call could not."""
        memo = self.calls.memo[call]
        cache = self.cache
        if memo & HAS_TOKEN != 0 and cache is not None:
            made = self.say(cache, call, CACHE_UNLOCK, KEY_BYTES)
            self.calls.tell(made, memo >> MEMO_BITS, 0)

    # ---- in the background

    def refresh(self, call: i64, token: i64) -> None:
        """Have the item of ``call`` loaded anew while its reader is answered: by the queue's workers, where there are some, or here."""
        calls = self.calls
        queue = self.queue_edge
        store = self.store
        self.refreshes += 1
        key = calls.key[call]
        user = calls.user[call]
        trace = calls.trace[call]
        instance = calls.instance[call]
        if queue is not None:
            made = queue.call(-1, REFRESH, key, user, -1, KEY_BYTES, trace)
            calls.step[made] = HAND_OVER
            calls.tell(made, token, 0)
        elif store is not None:
            made = store.call(-1, READ, key, user, -1, KEY_BYTES, trace)
            calls.step[made] = RELOAD
            # Columns of the caller's own: without the flag TOLD the store does not see them.
            calls.token[made] = token
            calls.data[made] = self.lives[instance] << INSTANCE_BITS | instance
        else:
            cache = self.cache
            if cache is not None:
                made = self.say(cache, call, CACHE_SET, self.response_bytes)
                calls.data[made] = 1
                calls.tell(made, token, 0)

    def on_reloaded(self, call: i64, outcome: i64) -> None:
        """The background read is done: the cache takes it, unless the instance that asked has died since."""
        calls = self.calls
        stamp = calls.data[call]
        cache = self.cache
        if cache is None or self.lives[stamp & INSTANCE_MASK] != stamp >> INSTANCE_BITS:
            return
        if outcome != OK:
            self.unlock(call)
            return
        version = calls.version[call]
        size = self.response_bytes if version > 0 else SMALL_BYTES
        made = cache.call(-1, CACHE_SET, calls.key[call], calls.user[call], -1, size, calls.trace[call])
        calls.step[made] = FORGET
        calls.data[made] = version
        calls.tell(made, calls.token[call], self.simulation.now - calls.began[call])

    def unlock(self, call: i64) -> None:
        """A background refresh, ``call``, has failed: give back what it held."""
        calls = self.calls
        cache = self.cache
        if cache is not None and calls.token[call] > 0:
            made = cache.call(-1, CACHE_UNLOCK, calls.key[call], calls.user[call], -1, KEY_BYTES, calls.trace[call])
            calls.step[made] = FORGET
            calls.tell(made, calls.token[call], 0)

    # ---- figures

    def data_metrics(self) -> list[float]:
        """In the order of ``spec_data.METRICS`` and ``spec_buying.BUYING_METRICS``."""
        return [
            float(self.filtered),
            float(self.filter_failed),
            float(self.rebuild_waits),
            float(self.waits_given_up),
            float(self.refreshes),
            float(self.queued_writes),
            float(self.searches_failed),
            *self.paging.metrics(),
            *self.buying.metrics(),
        ]

    def data_steps(self, operation: i64) -> list[str]:
        """What an operation does with data, in words."""
        if operation != READ and operation != LIST:
            return self.write_steps(operation)
        cache = self.cache.callee.label if self.cache is not None else ""
        store = self.store.callee.label if self.store is not None else ""
        if operation == LIST:
            if self.search is not None:
                past = f"; if it doesn't answer, list {store}" if self.bypass and store else ""
                return [f"search {self.search.callee.label}{past}"]
            return [f"list {store}, a page by {self.paging.words()}"] if store else []
        steps: list[str] = []
        if self.filter is not None:
            steps.append(f'ask {self.filter.callee.label}, answer "there is none" if it is sure')
        if cache:
            steps.append(f"read {cache}" + (f"; on a miss read {store} and fill {cache}" if store else ""))
        elif store:
            steps.append(f"read {store}")
        return steps
