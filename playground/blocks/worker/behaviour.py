"""Workers that do the jobs a queue hands them: writes to the store, items read anew for the cache, or plain work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mypy_extensions import i64

from playground.engine.block import Block
from playground.engine.calls import TOLD
from playground.engine.outcomes import (
    ABSENT,
    BUY,
    CACHE_DELETE,
    CACHE_SET,
    CREATE,
    DELETE,
    ERROR,
    OK,
    OVERLOADED,
    READ,
    REFRESH,
    WRITE,
    as_upstream,
)
from playground.engine.params import Params
from playground.engine.station import FULL, QUEUED, Station
from playground.engine.streams import CONSTANT, Duration

if TYPE_CHECKING:
    from playground.engine.edge import Edge
    from playground.engine.simulation import Simulation

WAITING: Final = 0
WORKING: Final = 1
CALLING: Final = 2
"""Marks of a job: it waits for a worker, is worked on, waits for store or cache (holding its worker). Memo: when its read began, ns."""

STORE: Final = 0
LOAD: Final = 1
TELL: Final = 2
"""Steps of a call that a worker makes: a write to the store, a read from it, the cache told."""

INVALIDATE: Final = 0
OVERWRITE: Final = 1
LEAVE: Final = 2
AFTER_WRITE: Final = ["invalidate", "update", "nothing"]

SMALL_BYTES: Final = 60
KEY_BYTES: Final = 100
QUIET_NS: Final = 10_000_000_000


class Worker(Block):
    """``instances`` with ``workers`` each. A worker is held from the start of a job to its answer, all waiting included.

    A job may come twice, since a queue delivers at least once. It does no harm: a write carries the version that was promised for it, and
    an item that is read anew is as good the second time.
    """

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.work_stream = self.stream("work")
        self.own_work = Duration(CONSTANT, 0.0, 1.0)
        self.station = Station(simulation, 1, 1, -1)
        self.pool = self.station
        self.after_write: i64 = INVALIDATE
        self.item_bytes: i64 = 0
        self.store: Edge | None = None
        self.cache: Edge | None = None
        self.poisons: i64 = 0
        self.done: i64 = 0
        self.written: i64 = 0
        self.refreshed: i64 = 0
        self.poisoned: i64 = 0
        self.rejected: i64 = 0
        self.unable: i64 = 0
        self.unable_noted_at: i64 = -QUIET_NS

    def configure(self, params: Params) -> None:
        """Take sizes and times; more workers take waiting jobs at once."""
        self.set_instances(params.integer("instances"))
        self.station.resize(self.instances, params.integer("workers"), params.integer("queue_max"))
        params.set_duration(self.own_work, "work")
        self.after_write = AFTER_WRITE.index(params.text("after_write"))
        self.item_bytes = params.integer("item_bytes")
        instance: i64 = 0
        while instance < self.instances:
            self.pull(instance)
            instance += 1

    def wired(self) -> None:
        """Store and cache, where there are any."""
        stores = self.out["store"]
        caches = self.out["cache"]
        self.store = stores[0] if len(stores) > 0 else None
        self.cache = caches[0] if len(caches) > 0 else None

    # ---- a job's way through

    def on_call(self, call: i64) -> None:
        """Take a worker, wait for one, or turn the job away."""
        self.calls.mark[call] = WAITING
        became = self.station.offer(call, self.calls.instance[call])
        if became == FULL:
            self.rejected += 1
            self.reply(call, OVERLOADED, 0, 0)
        elif became == QUEUED:
            self.note_queue(self.station.waiting_all, self.station.workers * self.instances, "workers")
        else:
            self.begin(call)

    def begin(self, call: i64) -> None:
        """A worker starts on a job."""
        self.calls.mark[call] = WORKING
        ns = self.own_work.draw(self.work_stream)
        if ns > 0:
            self.work(call, ns)
        else:
            self.on_work(call)

    def on_work(self, call: i64) -> None:
        """Own work is done: on to the store."""
        calls = self.calls
        operation = calls.operation[call]
        if self.poisons > 0 and self.is_poison(calls.key[call]):
            self.poisoned += 1
            self.end(call, ERROR)
            return
        store = self.store
        calls.mark[call] = CALLING
        calls.memo[call] = self.simulation.now
        if operation == WRITE or operation == BUY or operation == CREATE or operation == DELETE:
            if store is None:
                if calls.flags[call] & TOLD != 0:
                    self.cannot(call, "a write", "store")
                else:
                    self.tell_cache(call)
                return
            made = self.send(store, call, operation, KEY_BYTES if operation == DELETE else self.item_bytes, STORE)
            self.hand_on(call, made)
        elif operation != REFRESH:
            self.end(call, OK)
        elif store is None:
            self.cannot(call, "a refresh", "store")
        elif self.cache is None:
            self.cannot(call, "a refresh", "cache")
        else:
            self.send(store, call, READ, KEY_BYTES, LOAD)

    def cannot(self, call: i64, what: str, lacking: str) -> None:
        """A job that somebody counts on, and no wire to do it by: it fails by name, and it is for the queue to keep it. A drawing with such
        a worker is refused; a dead letter, or what waited when the wire was cut, may still come to one."""
        self.unable += 1
        now = self.simulation.now
        if now - self.unable_noted_at >= QUIET_NS:
            self.unable_noted_at = now
            self.note(
                "no_wire",
                "bad",
                f"{self.label} has no {lacking}",
                f"It was handed {what} of key {self.calls.key[call]}, which fails there however often it is tried.",
            )
        self.end(call, ERROR)

    def send(self, edge: Edge, call: i64, operation: i64, size: i64, step: i64) -> i64:
        """Call store or cache on behalf of a job."""
        calls = self.calls
        made = edge.call(call, operation, calls.key[call], calls.user[call], -1, size, calls.trace[call])
        calls.step[made] = step
        calls.data[made] = calls.version[call]
        return made

    def on_reply(self, call: i64) -> None:
        """Store or cache has answered. A job is done when all of it is: anything else is for the queue to try again."""
        calls = self.calls
        parent = calls.parent[call]
        step = calls.step[call]
        outcome = calls.outcome[call]
        if outcome != OK:
            self.end(parent, as_upstream(outcome))
            return
        if step == TELL:
            self.end(parent, OK)
            return
        calls.version[parent] = calls.version[call]
        if step == STORE:
            self.written += 1
            self.tell_cache(parent)
        else:
            self.refreshed += 1
            self.fill_cache(parent)

    def tell_cache(self, call: i64) -> None:
        """After a write: drop the cached item, replace it, or leave it."""
        cache = self.cache
        calls = self.calls
        if cache is None or self.after_write == LEAVE:
            self.end(call, OK)
        elif self.after_write == INVALIDATE or calls.operation[call] == DELETE:
            made = self.send(cache, call, CACHE_DELETE, KEY_BYTES, TELL)
            if calls.operation[call] == DELETE:
                calls.data[made] = ABSENT
        else:
            made = self.send(cache, call, CACHE_SET, self.item_bytes, TELL)
            calls.tell(made, 0, self.simulation.now - calls.memo[call])

    def fill_cache(self, call: i64) -> None:
        """Put what was read anew into the cache, with the lock's token that the job carries; that there is none is said as well."""
        cache = self.cache
        calls = self.calls
        if cache is None:
            # The wire was cut while the item was read.
            self.cannot(call, "a refresh", "cache")
            return
        token: i64 = calls.token[call] if calls.flags[call] & TOLD != 0 else 0
        size = self.item_bytes if calls.version[call] > 0 else SMALL_BYTES
        made = self.send(cache, call, CACHE_SET, size, TELL)
        calls.tell(made, token, self.simulation.now - calls.memo[call])

    def end(self, call: i64, outcome: i64) -> None:
        """Answer, and let the worker take the next job."""
        instance = self.calls.instance[call]
        if outcome == OK:
            self.done += 1
        self.station.release(instance)
        self.reply(call, outcome, self.calls.version[call], SMALL_BYTES)
        self.pull(instance)

    def pull(self, instance: i64) -> None:
        """Let free workers take waiting jobs."""
        while True:
            call = self.station.pull(instance)
            if call < 0:
                break
            self.begin(call)
        self.note_queue(self.station.waiting_all, self.station.workers * self.instances, "workers")

    def on_cancel(self, call: i64) -> None:
        """Free the place in the queue, or the worker."""
        instance = self.calls.instance[call]
        if self.calls.mark[call] == WAITING:
            self.station.remove(call, instance)
        else:
            self.station.release(instance)
            self.pull(instance)

    # ---- faults

    def on_crash(self, instance: i64) -> None:
        """Workers and what waited for them are gone."""
        self.station.clear(instance)

    def on_fault(self, fault: str, params: Params) -> bool:
        """``poison``: jobs on one key always fail, whoever does them."""
        if fault != "poison":
            return False
        key = params.integer("key")
        self.poisons += 1
        self.note(
            "poison", "warning", f"Key {key} is poison for {self.label}", "Its jobs fail, however often they are tried."
        )
        self.lasting_fault("poison", float(key), params.ns("duration_s"))
        return True

    def on_fault_end(self, fault: str, value: float) -> None:
        """The bug is mended."""
        self.poisons -= 1
        self.note("poison_over", "good", f"{self.label} can do jobs on key {int(value)} again", "")

    def is_poison(self, key: i64) -> bool:
        """Whether jobs on a key fail now."""
        for fault in self.active:  # noqa: SIM110
            if fault.name == "poison" and i64(fault.value) == key:
                return True
        return False

    # ---- figures

    def metrics(self) -> list[float]:
        """See ``spec.py``."""
        return [
            float(self.station.busy_all),
            float(self.station.workers * self.instances),
            float(self.done),
            float(self.written),
            float(self.refreshed),
            float(self.poisoned),
            float(self.rejected),
            float(self.unable),
        ]

    def detail(self) -> dict[str, object]:
        """How the instances stand."""
        rows: list[object] = []
        for instance in range(min(int(self.instances), 32)):
            rows.append(
                {
                    "instance": instance,
                    "busy": int(self.station.busy[instance]),
                    "waiting": int(self.station.waiting[instance]),
                    "state": "down" if self.down[instance] != 0 else "paused" if self.paused[instance] != 0 else "up",
                }
            )
        return {"instances": rows, "failures": self.failures_by_reason()}
