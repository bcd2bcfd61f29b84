"""Workers with a first-come, first-served queue in front: the queueing heart of servers, pools, disks and cores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from librt.vecs import vec
from mypy_extensions import i64

from playground.engine.columns import filled, grown, zeros
from playground.engine.state import State

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation

STARTED: Final = 0
QUEUED: Final = 1
FULL: Final = 2
"""What became of a call that was offered."""


@final
class Station(State):
    """``instances`` separate groups of ``workers``, each with its own queue of at most ``queue_max`` calls (-1: unbounded).

    A worker that took a call is held until :meth:`release`. A call stands in at most one queue at a time. ``serving`` instances count
    in the utilisation: all, unless the owner says otherwise.
    """

    def __init__(self, simulation: Simulation, instances: i64, workers: i64, queue_max: i64) -> None:
        self.simulation = simulation
        self.instances: i64 = instances
        self.serving: i64 = instances
        self.workers: i64 = workers
        self.queue_max: i64 = queue_max
        self.busy: vec[i64] = zeros(instances)
        self.waiting: vec[i64] = zeros(instances)
        self.head: vec[i64] = filled(instances, -1)
        self.tail: vec[i64] = filled(instances, -1)
        self.busy_all: i64 = 0
        self.waiting_all: i64 = 0
        self.changed: i64 = 0
        self.busy_area: float = 0.0
        self.waiting_area: float = 0.0
        self.worker_area: float = 0.0
        self.starts: i64 = 0
        self.waits: i64 = 0
        self.waited_ns: float = 0.0

    def resize(self, instances: i64, workers: i64, queue_max: i64) -> None:
        """Take new sizes. Held workers stay held, instances that are no more finish what they have; more workers take
        calls as the owner pulls them."""
        self.settle()
        # Never shorter than before: those that are no more may still hold calls.
        if instances > len(self.busy):
            self.busy = grown(self.busy, instances)
            self.waiting = grown(self.waiting, instances)
            self.head = grown(self.head, instances, -1)
            self.tail = grown(self.tail, instances, -1)
        self.instances = instances
        self.serving = instances
        self.workers = workers
        self.queue_max = queue_max

    def serve_with(self, serving: i64) -> None:
        """So many instances have workers at work from now on: others are switched off, or still starting."""
        self.settle()
        self.serving = serving

    def settle(self) -> None:
        """Bring the time integrals up to now."""
        now = self.simulation.now
        span = float(now - self.changed)
        self.busy_area += float(self.busy_all) * span
        self.waiting_area += float(self.waiting_all) * span
        self.worker_area += float(self.workers * self.serving) * span
        self.changed = now

    def offer(self, call: i64, instance: i64) -> i64:
        """Give a call to instance ``instance``: it starts, queues, or finds the queue full."""
        if self.busy[instance] < self.workers:
            self.settle()
            self.busy[instance] += 1
            self.busy_all += 1
            self.starts += 1
            self.simulation.calls.started[call] = self.simulation.now
            return STARTED
        if self.queue_max >= 0 and self.waiting[instance] >= self.queue_max:
            return FULL
        self.settle()
        calls = self.simulation.calls
        tail = self.tail[instance]
        calls.next[call] = -1
        calls.previous[call] = tail
        if tail >= 0:
            calls.next[tail] = call
        else:
            self.head[instance] = call
        self.tail[instance] = call
        calls.queued[call] = self.simulation.now
        calls.started[call] = -1
        self.waiting[instance] += 1
        self.waiting_all += 1
        return QUEUED

    def take(self, instance: i64) -> bool:
        """Hold a worker of ``instance`` for something that is no call, until :meth:`release`; False where none is free."""
        if self.busy[instance] >= self.workers:
            return False
        self.settle()
        self.busy[instance] += 1
        self.busy_all += 1
        return True

    def release(self, instance: i64) -> None:
        """A worker of ``instance`` is free again; :meth:`pull` may give it the next call."""
        self.settle()
        self.busy[instance] -= 1
        self.busy_all -= 1

    def pull(self, instance: i64) -> i64:
        """Start the next waiting call on a free worker; its handle, or -1 when none waits or none is free."""
        if self.waiting[instance] == 0 or self.busy[instance] >= self.workers:
            return -1
        call = self.head[instance]
        self.remove(call, instance)
        self.busy[instance] += 1
        self.busy_all += 1
        self.starts += 1
        self.waits += 1
        simulation = self.simulation
        self.waited_ns += float(simulation.now - simulation.calls.queued[call])
        simulation.calls.started[call] = simulation.now
        return call

    def remove(self, call: i64, instance: i64) -> None:
        """Take a waiting call out of its queue."""
        self.settle()
        calls = self.simulation.calls
        before = calls.previous[call]
        after = calls.next[call]
        if before >= 0:
            calls.next[before] = after
        else:
            self.head[instance] = after
        if after >= 0:
            calls.previous[after] = before
        else:
            self.tail[instance] = before
        self.waiting[instance] -= 1
        self.waiting_all -= 1

    def clear(self, instance: i64) -> None:
        """Forget everything at ``instance`` (it crashed)."""
        self.settle()
        self.busy_all -= self.busy[instance]
        self.waiting_all -= self.waiting[instance]
        self.busy[instance] = 0
        self.waiting[instance] = 0
        self.head[instance] = -1
        self.tail[instance] = -1

    def utilisation(self) -> float:
        """Busy workers over all workers, averaged since the start. Reading it changes nothing, nor does reading the integrals."""
        span = float(self.simulation.now - self.changed)
        workers = self.worker_area + float(self.workers * self.serving) * span
        return self.busy_integral() / workers if workers > 0.0 else 0.0

    def capacity(self) -> float:
        """Workers that there are, of all instances that serve."""
        return float(self.workers * self.serving)

    def busy_integral(self) -> float:
        """Time integral of busy workers, in worker-ns."""
        return self.busy_area + float(self.busy_all) * float(self.simulation.now - self.changed)

    def waiting_integral(self) -> float:
        """Time integral of waiting calls, in call-ns."""
        return self.waiting_area + float(self.waiting_all) * float(self.simulation.now - self.changed)
