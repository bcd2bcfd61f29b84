"""Who rebuilds an item that is missing or old: everybody, one with a lock, one with a lease; early, or in the background."""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING

from mypy_extensions import i64, mypyc_attr

from playground.blocks.cache.memory import Memory
from playground.blocks.cache.node import Node
from playground.blocks.cache.states import (
    FREE,
    LEASE,
    LONG_QUIET_NS,
    NEVER,
    NODE_BITS,
    QUIET_NS,
    REBUILDING,
    REBUILDS_KEPT,
    STAMPEDE_FROM,
)
from playground.engine.outcomes import VERDICT_ABSENT_KEPT, VERDICT_NOTHING, VERDICT_REBUILD, VERDICT_WAIT
from playground.engine.params import Params
from playground.engine.stores import FIFO, Evicting
from playground.engine.words import often, time_text

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation


@mypyc_attr(allow_interpreted_subclasses=True)
class Rebuilding(Memory):
    """Locks as SET key token NX PX takes them; leases as in R. Nishtala et al., "Scaling Memcache at Facebook", NSDI 2013, section 3.2.1;
    early rebuilds as in A. Vattani, F. Chierichetti and K. Lowenstein, "Optimal probabilistic cache stampede prevention", VLDB 2015."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.early_stream = self.stream("early rebuilds")
        self.rebuild: i64 = FREE
        self.lock_ns: i64 = 1
        self.lease_ns: i64 = 1
        self.owner_check: bool = True
        self.poll_ns: i64 = 1
        self.beta: float = -1.0
        self.soft_ns: i64 = -1
        # The soft time to live as a share of the hard one: what scatters one scatters the other.
        self.soft_share: float = 1.0
        self.kept: i64 = 0
        self.tokens: i64 = 0
        # Keys that are being loaded: version counts the loads since filled_at, expires those who wait.
        self.loading = Evicting(REBUILDS_KEPT, FIFO)
        self.rebuilds: i64 = 0
        self.waits: i64 = 0
        self.early: i64 = 0
        self.refreshes: i64 = 0
        self.locks_expired: i64 = 0
        self.freed_wrongly: i64 = 0
        self.late_sets: i64 = 0
        self.leases_refused: i64 = 0
        self.stampedes: i64 = 0
        self.largest_stampede: i64 = 0
        self.latest_rebuilds: i64 = 0
        self.noted_at: i64 = -QUIET_NS
        self.noted_count: i64 = 0
        self.spared_noted_at: i64 = -LONG_QUIET_NS
        self.in_vain_noted_at: i64 = -LONG_QUIET_NS
        self.lock_noted_at: i64 = -LONG_QUIET_NS
        self.wrong_noted_at: i64 = -LONG_QUIET_NS
        self.lease_noted_at: i64 = -LONG_QUIET_NS
        self.refresh_noted_at: i64 = -LONG_QUIET_NS

    def configure_rebuilding(self, params: Params) -> None:
        """Times and the policy; locks that are held stay held."""
        self.rebuild = REBUILDING.index(params.text("rebuild"))
        self.lock_ns = params.ns("lock_ttl_s")
        self.lease_ns = params.ns("lease_s")
        self.owner_check = params.flag("lock_owner_check")
        self.poll_ns = params.ns("lock_poll_ms")
        self.beta = params.number("early_beta")
        self.soft_ns = params.ns("soft_ttl_s")
        self.soft_share = float(self.soft_ns) / float(self.ttl_ns) if self.ttl_ns > 0 else 1.0
        self.kept = VERDICT_ABSENT_KEPT if self.negative_ns >= 0 else 0

    # ---- locks and leases

    def take_lock(self, number: i64, key: i64) -> i64:
        """Take the lock (or lease) of ``key`` at the node that keeps it; its token, 0 while somebody else has it."""
        number = self.home(key, number)
        locks = self.nodes[number].locks
        now = self.simulation.now
        if self.rebuild == LEASE and self.is_spent(number, key):
            return 0
        entry = locks.find(key)
        if entry >= 0:
            if locks.expires[entry] > now:
                return 0
            self.note_lock_expired(key, now - locks.filled_at[entry])
        self.tokens += 1
        token: i64 = self.tokens << NODE_BITS | number
        locks.put(key, token, now, now + (self.lease_ns if self.rebuild == LEASE else self.lock_ns))
        return token

    def unlock(self, number: i64, key: i64, token: i64) -> None:
        """The holder of ``token`` is done. Without the owner check it deletes the lock whoever has it by now."""
        locks = self.nodes[self.home(key, number)].locks
        entry = locks.find(key)
        if entry < 0:
            return
        if locks.version[entry] == token:
            locks.remove(entry)
            return
        self.late_sets += 1
        if self.owner_check or self.rebuild == LEASE:
            return
        held = locks.expires[entry] > self.simulation.now
        locks.remove(entry)
        if held:
            self.note_freed_wrongly(key)

    def is_spent(self, number: i64, key: i64) -> bool:
        """Whether the time of the last lease, used or voided, is not over."""
        spent = self.nodes[number].spent
        entry = spent.find(key)
        if entry < 0:
            return False
        if spent.expires[entry] > self.simulation.now:
            return True
        spent.remove(entry)
        return False

    def use_up(self, number: i64, key: i64, token: i64) -> None:
        """The holder of ``token`` has put the item in: a lock is free, a lease is used."""
        if self.rebuild == LEASE:
            node = self.nodes[self.home(key, number)]
            self.spend(node, key, node.locks.find(key))
        else:
            self.unlock(number, key, token)

    def spend(self, node: Node, key: i64, entry: i64) -> None:
        """A lease is worth nothing any more. It counts all the same for when the next one is given: it is the rate at which tokens are
        returned that is limited, whatever becomes of them."""
        ends = node.locks.expires[entry]
        node.locks.remove(entry)
        node.spent.put(key, 0, -1, ends)

    def void(self, number: i64, key: i64) -> None:
        """The item has changed: a lease for it that is out is worth nothing any more."""
        if self.rebuild != LEASE:
            return
        node = self.nodes[self.home(key, number)]
        entry = node.locks.find(key)
        if entry >= 0:
            self.spend(node, key, entry)
        entry = node.spent.find(key)
        if entry >= 0:
            node.spent.filled_at[entry] = self.simulation.now

    def refuses(self, number: i64, key: i64, token: i64) -> bool:
        """Whether a set comes with a lease that was voided or replaced."""
        if self.rebuild != LEASE:
            return False
        locks = self.nodes[self.home(key, number)].locks
        entry = locks.find(key)
        if entry >= 0 and locks.version[entry] == token:
            return False
        self.note_refused(key)
        return True

    def comes_late(self, number: i64, key: i64, took: i64) -> bool:
        """Whether a set without a lease, by somebody who waited in vain and then read for ``took`` ns, began before a change."""
        if self.rebuild != LEASE or took < 0:
            return False
        spent = self.nodes[self.home(key, number)].spent
        entry = spent.find(key)
        if entry < 0 or spent.filled_at[entry] < self.simulation.now - took:
            return False
        self.note_refused(key)
        return True

    def note_refused(self, key: i64) -> None:
        """A set that came too late is refused."""
        self.leases_refused += 1
        now = self.simulation.now
        if now - self.lease_noted_at >= LONG_QUIET_NS:
            self.lease_noted_at = now
            text = (
                "It was deleted, or its lease replaced, while the caller rebuilt it: what the caller read may be stale."
            )
            self.note("lease_refused", "good", f"{self.label} refused a late set of key {key}", text)

    # ---- what a read is told

    def on_miss(self, call: i64, key: i64, again: bool) -> i64:
        """Nothing is held: say who rebuilds. The token of a lock that the reader has now, 0 for none, -1 when it is to wait."""
        calls = self.calls
        if self.rebuild == FREE:
            self.note_miss(key)
            if self.kept != 0:
                calls.advise(call, VERDICT_NOTHING | self.kept, 0)
            return 0
        token = self.take_lock(calls.instance[call], key)
        if token > 0:
            self.note_miss(key)
            calls.advise(call, VERDICT_REBUILD | self.kept, token)
            return token
        if not again:
            self.waits += 1
            waiting = self.loading.find(key)
            if waiting >= 0:
                self.loading.expires[waiting] += 1
        calls.advise(call, VERDICT_WAIT | self.kept, self.poll_ns)
        return -1

    def soft_end(self, node: Node, entry: i64) -> i64:
        """When an item's soft time to live ends; NEVER without one."""
        if self.soft_ns < 0:
            return NEVER
        items = node.items
        began = items.filled_at[entry]
        if self.ttl_ns < 0 or items.expires[entry] == NEVER:
            return began + self.soft_ns
        return began + i64(float(items.expires[entry] - began) * self.soft_share)

    def wants_early(self, node: Node, entry: i64) -> bool:
        """Whether this read rebuilds ahead of time: when -beta x delta x ln(U) is at least the time left."""
        ends = node.items.expires[entry]
        delta = node.took[entry]
        if ends == NEVER or delta <= 0:
            return False
        ahead = -self.beta * float(delta) * log(self.early_stream.uniform())
        return ahead >= float(ends - self.simulation.now)

    # ---- what is named

    def note_miss(self, key: i64) -> None:
        """Somebody goes to rebuild ``key``; count them until it is in."""
        self.rebuilds += 1
        loading = self.loading
        entry = loading.find(key)
        if entry < 0:
            loading.put(key, 1, self.simulation.now, 0)
        else:
            loading.version[entry] += 1

    def note_filled(self, key: i64, absent: bool) -> None:
        """The first rebuild has put the key in: when many had begun, that was a stampede, and this is its size. Where the store has no such
        item (``absent``) nothing was rebuilt: they have all asked for what isn't there."""
        loading = self.loading
        entry = loading.find(key)
        if entry < 0:
            return
        count = loading.version[entry]
        waited = loading.expires[entry]
        began = loading.filled_at[entry]
        loading.remove(entry)
        now = self.simulation.now
        took = float(now - began) / 1e6
        if count + waited >= STAMPEDE_FROM:
            self.latest_rebuilds = count
        if count < STAMPEDE_FROM:
            if waited >= STAMPEDE_FROM and now - self.spared_noted_at >= LONG_QUIET_NS:
                self.spared_noted_at = now
                self.note(
                    "collapsed",
                    "good",
                    f"Key {key} {'looked up' if absent else 'rebuilt'} {often(count)} for {waited + count} readers",
                    f"The others waited at most {took:.0f} ms, instead of going to the store.",
                )
            return
        if absent:
            self.note_asked_in_vain(key, count, took)
            return
        self.stampedes += 1
        if count > self.largest_stampede:
            self.largest_stampede = count
        # A flush makes a stampede on every popular key: name the first, and those that are clearly larger.
        if now - self.noted_at < QUIET_NS and 2 * count < 3 * self.noted_count:
            return
        self.noted_at = now
        self.noted_count = count
        self.note(
            "stampede",
            "bad",
            f"Stampede on key {key}: {count} rebuilds",
            f"Key {key} was not in {self.label}; {count} callers went to rebuild it in the {took:.0f} ms until it was.",
        )

    def note_asked_in_vain(self, key: i64, count: i64, took_ms: float) -> None:
        """Many have asked the store for one id at once, and it has no such item."""
        now = self.simulation.now
        if now - self.in_vain_noted_at < LONG_QUIET_NS:
            return
        self.in_vain_noted_at = now
        self.note(
            "asked_in_vain",
            "warning",
            f"Key {key} doesn't exist: {count} lookups at once",
            f"{self.label} held no answer; {count} callers asked the store in the {took_ms:.0f} ms until it said that there is none.",
        )

    def note_lock_expired(self, key: i64, held_ns: i64) -> None:
        """A lock that nobody gave back has run out, and the next reader takes it."""
        self.locks_expired += 1
        now = self.simulation.now
        if now - self.lock_noted_at < LONG_QUIET_NS:
            return
        self.lock_noted_at = now
        self.note(
            "lock_expired",
            "warning",
            f"The lock of key {key} ran out",
            "Its holder died, or needs longer than the lock lasts. "
            f"Another reader takes it, {time_text(held_ns)} after it was taken.",
        )

    def note_freed_wrongly(self, key: i64) -> None:
        """A slow holder has deleted the lock that somebody else has by now."""
        self.freed_wrongly += 1
        now = self.simulation.now
        if now - self.wrong_noted_at < LONG_QUIET_NS:
            return
        self.wrong_noted_at = now
        self.note(
            "lock_freed_wrongly",
            "bad",
            f"Somebody else's lock of key {key} deleted",
            "A holder that was slower than its lock deleted it without looking whose it is; one more can rebuild now.",
        )

    def note_refresh(self, key: i64) -> None:
        """One reader refreshes, all others get the old value meanwhile."""
        self.refreshes += 1
        now = self.simulation.now
        if now - self.refresh_noted_at < LONG_QUIET_NS:
            return
        self.refresh_noted_at = now
        self.note(
            "refresh",
            "info",
            f"Key {key} is refreshed in the background",
            "Its soft time to live is over: readers get the old value at once, and one refresh is under way.",
        )
