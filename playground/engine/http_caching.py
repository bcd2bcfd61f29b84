"""How an HTTP cache works, whoever it belongs to: freshness, validation, stale answers within bounds, one request for many.

RFC 9111 (HTTP caching), RFC 9110 (validators, If-None-Match, 304), RFC 5861 (stale-while-revalidate, stale-if-error).

An answer's ``verdict`` carries its age in ns (the header Age), its ``advice`` the validator; a request's ``token`` the validator of the
copy that the caller has (If-None-Match, If-Modified-Since).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mypy_extensions import i64, mypyc_attr

from playground.engine.calls import ABANDONED, ANSWERED, NOT_MODIFIED, STALE, TOLD
from playground.engine.http_figures import HttpCacheFigures
from playground.engine.http_store import NO_VALIDATOR, NOT_MODIFIED_BYTES, HttpStore, is_copy_of, is_failure, is_unsafe
from playground.engine.outcomes import (
    ABSENT,
    NO_UPSTREAM,
    OK,
    RATE_LIMITED,
    READ,
    as_upstream,
)
from playground.engine.params import Params
from playground.engine.queue import REPLY
from playground.engine.stores import slot_hash
from playground.engine.streams import CONSTANT, Duration
from playground.engine.words import counted

if TYPE_CHECKING:
    from playground.engine.edge import Edge
    from playground.engine.simulation import Simulation

LOOKING: Final = 0
WAITING: Final = 1
ASKING: Final = 2
PASSING: Final = 3
"""Marks of a call: it is being looked up; waits for the fetch in its ``memo``; has asked the origin by itself; is none of the cache's
business and has gone through."""


@mypyc_attr(allow_interpreted_subclasses=True)
class HttpCache(HttpCacheFigures):
    """Reads of items are answered from what is stored as long as that may be; all else goes through to the origin.

    Each instance is a cache of its own; a user belongs to one of them. A subclass sets the parameters in ``configure`` and ends that
    with :meth:`resize`.
    """

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.work_stream = self.stream("looking up")
        self.hit_time = Duration(CONSTANT, 0.0, 1.0)
        self.origin: Edge | None = None
        self.collapse: bool = False
        self.max_age_ns: i64 = 0
        self.negative_ns: i64 = -1

    def resize(self, instances: i64, capacity: i64) -> None:
        """Take sizes: caches that are no more lose what they held, those that are new are empty."""
        for returning in range(int(self.instances), min(int(instances), len(self.stores))):
            # What the one before put in while it finished is not in the memory of the one that comes.
            self.stores[returning].items.clear()
        self.set_instances(instances)
        while len(self.stores) < instances:
            self.stores.append(HttpStore(capacity))
        instance: i64 = 0
        for store in self.stores:
            if instance >= instances:
                store.items.clear()
            elif store.items.capacity != capacity:
                store.items.resize(capacity)
            instance += 1  # noqa: SIM113

    def wired(self) -> None:
        """Find the origin."""
        origins = self.out["origin"]
        self.origin = origins[0] if len(origins) > 0 else None

    def choose_instance(self, call: i64) -> None:
        """A user belongs to one instance; while that is down, to the next one that is up (as anycast has it)."""
        count = self.instances
        instance: i64 = 0
        if count > 1:
            instance = (slot_hash(self.calls.user[call]) >> 7) % count
            tried: i64 = 0
            while tried < count and self.down[instance] != 0:
                instance = (instance + 1) % count
                tried += 1
        self.calls.instance[call] = instance

    # ---- a call's way through

    def on_call(self, call: i64) -> None:
        """Look it up, which may take time."""
        self.calls.mark[call] = LOOKING
        ns = self.hit_time.draw(self.work_stream)
        if ns > 0:
            self.work(call, ns)
        else:
            self.on_work(call)

    def on_work(self, call: i64) -> None:
        """Answer from what is stored, or turn to the origin."""
        if self.calls.operation[call] == READ:
            self.look_up(call)
        else:
            self.pass_on(call)

    def look_up(self, call: i64) -> None:
        """A read: fresh, stale but good enough to be served while it is revalidated, or the origin's business."""
        calls = self.calls
        now = self.simulation.now
        user = calls.user[call]
        instance = calls.instance[call]
        if self.shown_user < 0:
            self.shown_user = user
        if instance == 0 and (not self.private or user == self.shown_user):
            self.last_key = calls.key[call]
        store = self.stores[instance]
        key = self.item_key(user, calls.key[call])
        items = store.items
        entry = items.find(key)
        if entry >= 0:
            past = now - items.expires[entry]
            if past >= 0 and items.version[entry] == ABSENT:
                items.remove(entry)
                entry = -1
            elif past < 0 or past < self.while_revalidate_ns:
                self.recent.add(now, True)
                self.hits += 1
                items.touch(entry)
                if past >= 0:
                    self.stale_served += 1
                    if store.fetch_of(key) < 0:
                        store.begin(key)
                        self.ask(call, instance, -1, store.validator[entry])
                self.saved += store.bytes[entry]
                self.answer(call, store, entry, past >= 0)
                return
        self.recent.add(now, False)
        if entry < 0:
            self.misses += 1
        self.turn_to_origin(call, store, key, store.validator[entry] if entry >= 0 else NO_VALIDATOR)

    def turn_to_origin(self, call: i64, store: HttpStore, key: i64, validator: i64) -> None:
        """Ask the origin, or wait with those who have asked for the same item already."""
        calls = self.calls
        instance = calls.instance[call]
        if not self.collapse:
            calls.mark[call] = ASKING
            self.ask(call, instance, call, validator)
            return
        fetch = store.fetch_of(key)
        calls.mark[call] = WAITING
        if fetch >= 0:
            self.collapsed += 1
            calls.memo[call] = fetch
            store.join(calls, fetch, call)
            return
        fetch = store.begin(key)
        calls.memo[call] = fetch
        store.join(calls, fetch, call)
        self.ask(call, instance, -1, validator)

    def ask(self, like: i64, instance: i64, parent: i64, validator: i64) -> None:
        """Ask the origin for the item that ``like`` is about, for ``parent`` or (-1) for all who wait; conditionally, where there is
        a ``validator``. A request that many wait for is nobody's child: it outlives any of them."""
        origin = self.origin
        calls = self.calls
        key = calls.key[like]
        user = calls.user[like]
        if origin is None:
            self.settle_failure(self.stores[instance], self.item_key(user, key), parent, NO_UPSTREAM, -1)
            return
        self.fetches += 1
        made = origin.call(parent, READ, key, user, -1, calls.request_bytes[like], calls.trace[like])
        calls.step[made] = instance
        calls.data[made] = self.lives[instance]
        self.hand_on(like, made)
        # With nothing to compare too: who is told so knows that a cache asks, and gives the answer its validator.
        calls.tell(made, validator, calls.extra[like] if calls.flags[like] & TOLD != 0 else 0)

    def pass_on(self, call: i64) -> None:
        """Let a call that is no read of an item through."""
        origin = self.origin
        self.calls.mark[call] = PASSING
        if origin is None:
            self.reply(call, NO_UPSTREAM, 0, 0)
            return
        self.send_on(origin, call, -1)

    # ---- the origin's answer

    def on_reply(self, call: i64) -> None:
        """The origin has answered, or failed to."""
        calls = self.calls
        parent = calls.parent[call]
        if calls.operation[call] != READ:
            self.on_passed(call, parent)
            return
        instance = calls.step[call]
        if calls.data[call] != self.lives[instance]:
            # Whoever asked has died since, and those who waited with them.
            return
        store = self.stores[instance]
        key = self.item_key(calls.user[call], calls.key[call])
        if calls.outcome[call] != OK:
            if parent < 0 and not is_failure(calls.outcome[call]):
                self.each_for_itself(store, key, call)
            else:
                self.settle_failure(store, key, parent, calls.outcome[call], call)
            return
        self.from_origin += calls.reply_bytes[call]
        self.note_origin_back()
        asked_with = calls.token[call] if calls.flags[call] & TOLD != 0 else NO_VALIDATOR
        entry: i64 = -1
        if calls.flags[call] & NOT_MODIFIED != 0 and asked_with > NO_VALIDATOR:
            entry = store.items.find(key)
            if entry < 0 or store.validator[entry] != asked_with:
                # What it confirms is gone, so its body has to be fetched after all.
                self.ask(call, instance, parent, NO_VALIDATOR)
                return
            self.revalidated += 1
            if store.bytes[entry] > calls.reply_bytes[call]:
                self.saved += store.bytes[entry] - calls.reply_bytes[call]
            made_at = self.made_at(call)
            store.freshen(entry, made_at, made_at + self.max_age_ns)
        else:
            if asked_with > NO_VALIDATOR:
                self.refreshed += 1
            entry = self.keep(store, key, call)
        self.settle(store, key, parent, entry, call)

    def made_at(self, call: i64) -> i64:
        """When the origin made this answer, taken to be as early as it can be: asked for then, less its age (RFC 9111, 4.2.3)."""
        calls = self.calls
        age: i64 = calls.verdict[call] if calls.flags[call] & ANSWERED != 0 else 0
        return calls.sent[call] - age

    def keep(self, store: HttpStore, key: i64, call: i64) -> i64:
        """Store an answer; its entry, -1 where it is not kept."""
        calls = self.calls
        version = calls.version[call]
        made_at = self.made_at(call)
        if version == ABSENT:
            if self.negative_ns < 0:
                store.forget(key)
                return -1
            return store.put(key, ABSENT, made_at, made_at + self.negative_ns, NO_VALIDATOR, calls.reply_bytes[call])
        validator: i64 = calls.advice[call] if calls.flags[call] & ANSWERED != 0 else NO_VALIDATOR
        return store.put(key, version, made_at, made_at + self.max_age_ns, validator, calls.reply_bytes[call])

    def settle(self, store: HttpStore, key: i64, parent: i64, entry: i64, call: i64) -> None:
        """Answer those who wait: with what is stored now, else with the origin's answer itself."""
        calls = self.calls
        stale = calls.flags[call] & STALE != 0
        waiter = parent if parent >= 0 else store.end(key)
        while waiter >= 0:
            after: i64 = calls.next[waiter] if parent < 0 else -1
            if entry >= 0:
                self.answer(waiter, store, entry, stale)
            else:
                self.egress += calls.reply_bytes[call]
                self.reply(waiter, OK, calls.version[call], calls.reply_bytes[call])
            waiter = after

    def settle_failure(self, store: HttpStore, key: i64, parent: i64, outcome: i64, call: i64) -> None:
        """The origin has failed: a stale answer that is not too old stands in, else those who wait fail as well."""
        calls = self.calls
        entry = store.items.find(key)
        past: i64 = 0
        if entry >= 0:
            past = self.simulation.now - store.items.expires[entry]
            if store.items.version[entry] == ABSENT or not is_failure(outcome):
                entry = -1
            elif past >= 0 and past >= self.if_error_ns:
                entry = -1
        waiter = parent if parent >= 0 else store.end(key)
        while waiter >= 0:
            after: i64 = calls.next[waiter] if parent < 0 else -1
            if entry >= 0:
                self.saved += store.bytes[entry]
                if past >= 0:
                    self.stale_if_error += 1
                    self.note_stand_in(calls.key[waiter], past)
                self.answer(waiter, store, entry, past >= 0)
            else:
                self.refuse(waiter, outcome, call)
            waiter = after

    def refuse(self, waiter: i64, outcome: i64, call: i64) -> None:
        """Answer as the origin answered ``call`` (-1: nobody was asked), with when to come again where it said so."""
        calls = self.calls
        if outcome == RATE_LIMITED and call >= 0 and calls.flags[call] & ANSWERED != 0:
            calls.advise(waiter, calls.verdict[call], calls.advice[call])
        self.reply(waiter, as_upstream(outcome), 0, 0)

    def each_for_itself(self, store: HttpStore, key: i64, call: i64) -> None:
        """The origin refused whoever asked for all: that is no answer to the others, so each of them asks."""
        calls = self.calls
        entry = store.items.find(key)
        validator: i64 = store.validator[entry] if entry >= 0 else NO_VALIDATOR
        told = False
        waiter = store.end(key)
        while waiter >= 0:
            after = calls.next[waiter]
            if not told and calls.user[waiter] == calls.user[call]:
                told = True
                self.refuse(waiter, calls.outcome[call], call)
            else:
                calls.mark[waiter] = ASKING
                self.ask(waiter, calls.instance[waiter], waiter, validator)
            waiter = after

    def answer(self, call: i64, store: HttpStore, entry: i64, stale: bool) -> None:
        """Answer with what is stored; without its body where the caller has the same copy."""
        calls = self.calls
        version = store.items.version[entry]
        size = store.bytes[entry]
        source = self.source()
        if source is not None and version != 0 and source.current_version(calls.key[call]) != version:
            self.outdated += 1
        if version != ABSENT:
            validator = store.validator[entry]
            if calls.flags[call] & TOLD != 0 and validator > NO_VALIDATOR and calls.token[call] == validator:
                calls.flags[call] |= NOT_MODIFIED
                self.not_modified += 1
                if size > NOT_MODIFIED_BYTES:
                    self.spared += size - NOT_MODIFIED_BYTES
                size = NOT_MODIFIED_BYTES
            if stale:
                calls.flags[call] |= STALE
            calls.advise(call, self.simulation.now - store.items.filled_at[entry], validator)
        self.egress += size
        self.reply(call, OK, version, size)

    def on_passed(self, call: i64, parent: i64) -> None:
        """What went through has come back; an item that was changed this way is stored no longer."""
        calls = self.calls
        if calls.outcome[call] == OK:
            self.egress += calls.reply_bytes[call]
            self.from_origin += calls.reply_bytes[call]
            if is_unsafe(calls.operation[call]):
                key = self.item_key(calls.user[call], calls.key[call])
                if self.stores[calls.instance[parent]].forget(key):
                    self.invalidated += 1
        self.reply_like(parent, call)

    # ---- faults

    def concerned(self, kind: i64, argument: i64) -> i64:
        """The answer to a request that many wait for is for the instance that made it."""
        calls = self.calls
        if kind == REPLY and calls.parent[argument] < 0 and calls.flags[argument] & ABANDONED == 0:
            return calls.step[argument]
        return super().concerned(kind, argument)

    def on_cancel(self, call: i64) -> None:
        """Nobody waits for this one any more; the request to the origin, if there are others who do, goes on."""
        if self.calls.mark[call] == WAITING:
            self.stores[self.calls.instance[call]].leave(self.calls, self.calls.memo[call], call)

    def on_crash(self, instance: i64) -> None:
        """What it held is gone."""
        if instance < len(self.stores):
            self.stores[instance].clear()

    def on_fault(self, fault: str, params: Params) -> bool:
        """``purge``: drop one item, or all, wherever they are."""
        if fault != "purge":
            return False
        key = params.integer("key")
        dropped: i64 = 0
        for store in self.stores:
            if key < 0:
                dropped += store.items.size
                store.items.clear()
            elif not self.private:
                dropped += 1 if store.forget(key) else 0
            else:
                for held in store.items.in_order():
                    if is_copy_of(held, key):
                        dropped += 1 if store.forget(held) else 0
        what = "Everything" if key < 0 else f"Key {key}"
        self.note(
            "purge", "warning", f"{what} purged from {self.label}", f"{counted(dropped, 'copy is', 'copies are')} gone."
        )
        return True
