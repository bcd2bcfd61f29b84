"""An edge: the network between two blocks, and the caller's policies on it.

Latency, bandwidth, loss and partitions are the network's; timeout, retries, budget, breaker and cancellation are the
caller's. Because they sit here, every caller has them.

This file is longer than most: a call's record passes from hand to hand in it, and who lets go of it when is seen only
with all hands in view.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from librt.vecs import vec
from mypy_extensions import i64

from playground.engine.breaker import Breaker, RetryBudget
from playground.engine.calls import (
    ABANDONED,
    ANSWERED,
    CANCEL_SENT,
    CANCELLED,
    GIVING_UP,
    LINKED,
    LOCAL,
    LOST,
    NOT_MODIFIED,
    PINNED,
    PROBING,
    RETURNED,
    SIGNED,
    STALE,
    TOLD,
    WAITING_RETRY,
    Calls,
)
from playground.engine.columns import zeros
from playground.engine.durations import LONGEST_NS, whole_ns
from playground.engine.faults import Fault
from playground.engine.histogram import Histogram
from playground.engine.limits import TRANSPORT_GIVES_UP_NS
from playground.engine.outcomes import (
    ABSENT,
    BREAKER_OPEN,
    CONNECTION_LOST,
    EXPIRED,
    OK,
    OUTCOME_COUNT,
    PROBE,
    PROBE_BYTES,
    RATE_LIMITED,
    REMOVED,
    TIMEOUT,
    may_retry,
)
from playground.engine.params import Params
from playground.engine.queue import CALL, CANCEL, EDGE, FAULT, REPLY
from playground.engine.regions import one_way_ns
from playground.engine.state import State
from playground.engine.streams import CONSTANT, Duration, Stream

if TYPE_CHECKING:
    from playground.engine.block import Block
    from playground.engine.simulation import Simulation

DEADLINE: Final = 0
RETRY: Final = 1
GIVE_UP: Final = 2
"""Tags of an edge's timers."""

JITTERS: Final = ["none", "full", "equal"]
"""Back-off jitter: the delay itself; uniform in (0, delay); half the delay plus uniform in (0, half).

M. Brooker, AWS Architecture Blog, 2015.
"""


@final
class Edge(State):
    """One connection from a caller's out port to a callee's in port."""

    def __init__(self, simulation: Simulation, index: i64, name: str, caller: Block, callee: Block) -> None:
        self.simulation = simulation
        self.calls: Calls = simulation.calls
        self.index: i64 = index
        self.name = name
        self.caller = caller
        self.callee = callee
        self.caller_index: i64 = caller.index
        self.callee_index: i64 = callee.index
        callee.into.append(self)
        self.removed: bool = False
        seed = simulation.seed
        self.latency_stream = Stream(seed, name, "latency")
        self.loss_stream = Stream(seed, name, "loss")
        self.jitter_stream = Stream(seed, name, "back-off jitter")
        # Network.
        self.latency = Duration(CONSTANT, 1_000.0, 1.0)
        self.region_ns: i64 = 0
        self.fixed_ns: i64 = -1
        self.ns_per_byte: float = 0.0
        self.line_free_out: i64 = 0
        self.line_free_back: i64 = 0
        self.loss: float = 0.0
        # Whether a message can get lost at all now.
        self.lossy: bool = False
        self.weight: i64 = 1
        # Policies.
        self.timeout_ns: i64 = -1
        self.retries: i64 = 0
        self.backoff_ns: i64 = 0
        self.backoff_max_ns: i64 = 0
        self.jitter: i64 = 0
        self.cancel: bool = False
        self.honour: bool = True
        self.propagate: bool = False
        self.budget = RetryBudget()
        self.breaker = Breaker()
        # Faults.
        self.extra_ns: i64 = 0
        self.extra_loss: float = 0.0
        self.partitions: i64 = 0
        self.active: list[Fault] = []
        self.fault_serial: i64 = 0
        # Calls that may time out, in order of deadline.
        self.first_deadline: i64 = -1
        self.last_deadline: i64 = -1
        self.armed_at: i64 = -1
        # Figures.
        self.offered: i64 = 0
        self.attempts: i64 = 0
        self.completed: i64 = 0
        self.failed: i64 = 0
        self.abandoned: i64 = 0
        self.in_flight: i64 = 0
        self.retried: i64 = 0
        self.timeouts: i64 = 0
        self.lost: i64 = 0
        self.late_replies: i64 = 0
        self.refused_by_breaker: i64 = 0
        self.bytes_out: i64 = 0
        self.bytes_back: i64 = 0
        self.failures: vec[i64] = zeros(OUTCOME_COUNT)
        self.histogram = Histogram()
        self.last_timeout_note: i64 = -1

    def configure(self, params: Params) -> None:
        """Take parameters, at the start or while running; what is in flight keeps the deadline it was given."""
        params.set_duration(self.latency, "latency")
        self.settle_region()
        bandwidth = params.number("bandwidth_mbit_per_s")
        self.ns_per_byte = 8_000.0 / bandwidth if bandwidth > 0.0 else 0.0
        self.loss = params.number("loss_percent") / 100.0
        self.settle_loss()
        self.weight = params.integer("weight")
        self.timeout_ns = params.ns("timeout_ms")
        self.retries = params.integer("retries")
        self.backoff_ns = params.ns("backoff_ms")
        self.backoff_max_ns = params.ns("backoff_max_ms")
        self.jitter = JITTERS.index(params.text("jitter"))
        self.cancel = params.flag("cancel_on_timeout")
        self.honour = params.flag("honour_retry_after")
        self.propagate = params.flag("propagate_deadline")
        ratio = params.number("retry_budget_percent")
        self.budget.enabled = ratio >= 0.0
        self.budget.ratio = ratio / 100.0
        breaker = self.breaker
        enabled = params.flag("breaker")
        if enabled != breaker.enabled or params.ns("breaker_window_s") != breaker.window_ns:
            breaker.reset()
        breaker.enabled = enabled
        breaker.threshold = params.number("breaker_failures_percent") / 100.0
        breaker.minimum = params.integer("breaker_minimum_calls")
        breaker.window_ns = params.ns("breaker_window_s")
        breaker.open_ns = params.ns("breaker_open_s")
        breaker.probes = params.integer("breaker_probes")

    def settle_region(self) -> None:
        """One of the two ends stands somewhere else now."""
        self.region_ns = one_way_ns(self.caller.region, self.callee.region)
        self.settle_latency()

    def settle_loss(self) -> None:
        """Loss or partitions have changed."""
        self.lossy = self.partitions > 0 or self.loss + self.extra_loss > 0.0

    def settle_latency(self) -> None:
        """Keep the latency as one number when nothing about it is random."""
        latency = self.latency
        extra = self.region_ns + self.extra_ns
        self.fixed_ns = i64(latency.mean_ns) + extra if latency.kind == CONSTANT else -1

    # ---- caller's side

    def call(
        self, parent: i64, operation: i64, key: i64, user: i64, instance: i64, request_bytes: i64, trace: i64
    ) -> i64:
        """Send a call; its handle. ``parent`` is the call being worked on (-1: none), ``instance`` the wanted one (-1: any)."""
        calls = self.calls
        call = calls.take()
        calls.edge[call] = self.index
        calls.parent[call] = parent
        calls.operation[call] = operation
        calls.key[call] = key
        calls.user[call] = user
        calls.instance[call] = instance
        calls.request_bytes[call] = request_bytes
        calls.trace[call] = trace
        calls.began[call] = self.simulation.now
        if instance >= 0:
            calls.flags[call] = PINNED
        if parent >= 0:
            calls.adopt(parent, call)
        self.offered += 1
        self.in_flight += 1
        if self.budget.enabled:
            self.budget.earn()
        self.dispatch(call)
        return call

    def dispatch(self, call: i64) -> None:
        """Send one attempt."""
        simulation = self.simulation
        calls = self.calls
        now = simulation.now
        calls.sent[call] = now
        calls.arrived[call] = -1
        deadline: i64 = 0
        if self.propagate:
            parent = calls.parent[call]
            if parent >= 0:
                deadline = calls.deadline[parent]
                if deadline > 0 and deadline <= now:
                    self.answer_locally(call, EXPIRED)
                    return
        if self.breaker.enabled and not self.breaker.admits(now):
            self.refused_by_breaker += 1
            self.answer_locally(call, BREAKER_OPEN)
            return
        self.attempts += 1
        if self.timeout_ns > 0 and (deadline == 0 or now + self.timeout_ns < deadline):
            deadline = now + self.timeout_ns
        calls.deadline[call] = deadline
        if deadline > 0:
            self.link(call)
        self.launch(call)

    def launch(self, call: i64) -> None:
        """Put the message on the network."""
        simulation = self.simulation
        calls = self.calls
        now = simulation.now
        size = calls.request_bytes[call]
        self.bytes_out += size
        if self.lossy and self.loses():
            self.lose(call)
            return
        latency = self.fixed_ns
        if latency < 0:
            latency = self.latency.draw(self.latency_stream) + self.region_ns + self.extra_ns
        at = now + latency
        if self.ns_per_byte > 0.0:
            self.line_free_out = self.line_free_after(self.line_free_out, size)
            at = self.line_free_out + latency
        if calls.trace[call] > 0:
            simulation.tracer.hop(
                calls.trace[call], self.index, 0, now, at, -1, calls.operation[call], calls.attempt[call], 0
            )
        simulation.queue.push(at, CALL, 0, self.callee_index, call)

    def probe(self, instance: i64, kind: i64, timeout_ns: i64) -> i64:
        """Ask one instance how it is (``kind`` one of ``PROBES``), past the caller's policies; the answer goes to ``Block.on_probed``.

        A probe is no request: it is counted nowhere but in the edge's bytes.
        """
        calls = self.calls
        now = self.simulation.now
        call = calls.take()
        calls.edge[call] = self.index
        calls.parent[call] = -1
        calls.operation[call] = PROBE
        calls.key[call] = kind
        calls.user[call] = 0
        calls.instance[call] = instance
        calls.request_bytes[call] = PROBE_BYTES
        calls.trace[call] = 0
        calls.began[call] = now
        calls.sent[call] = now
        calls.arrived[call] = -1
        calls.deadline[call] = now + timeout_ns
        calls.flags[call] = PINNED | PROBING
        self.link(call)
        self.launch(call)
        return call

    def line_free_after(self, free: i64, size: i64) -> i64:
        """When a line that is free from ``free`` on has taken a message of ``size`` bytes that is sent now."""
        now = self.simulation.now
        if free < now:
            free = now
        free += whole_ns(float(size) * self.ns_per_byte)
        return free if free < LONGEST_NS else LONGEST_NS

    def answer_locally(self, call: i64, outcome: i64) -> None:
        """End an attempt that never leaves the caller, as an event of its own, so that callers are never re-entered."""
        calls = self.calls
        calls.deadline[call] = 0
        calls.outcome[call] = outcome
        calls.flags[call] |= LOCAL
        self.simulation.queue.push(self.simulation.now, REPLY, 0, self.caller_index, call)

    def loses(self) -> bool:
        """Whether the network drops the message that is being sent; asked only where it is ``lossy``."""
        if self.partitions > 0:
            return True
        loss = self.loss + self.extra_loss
        return loss > 0.0 and self.loss_stream.uniform() < loss

    def lose(self, call: i64) -> None:
        """The message is gone. Whoever waits learns of it by timeout, or, without one, when the transport gives up."""
        self.lost += 1
        calls = self.calls
        calls.flags[call] |= LOST
        if calls.flags[call] & (LINKED | ABANDONED) == 0:
            calls.flags[call] |= GIVING_UP
            self.simulation.queue.push(self.simulation.now + TRANSPORT_GIVES_UP_NS, EDGE, GIVE_UP, self.index, call)

    def link(self, call: i64) -> None:
        """Enter a call into the list of deadlines. All share one timeout, so it nearly always goes to the end."""
        calls = self.calls
        deadline = calls.deadline[call]
        before = self.last_deadline
        while before >= 0 and calls.deadline[before] > deadline:
            before = calls.earlier[before]
        after = calls.later[before] if before >= 0 else self.first_deadline
        calls.earlier[call] = before
        calls.later[call] = after
        if before >= 0:
            calls.later[before] = call
        else:
            self.first_deadline = call
        if after >= 0:
            calls.earlier[after] = call
        else:
            self.last_deadline = call
        calls.flags[call] |= LINKED
        if self.armed_at < 0 or deadline < self.armed_at:
            self.armed_at = deadline
            self.simulation.queue.push(deadline, EDGE, DEADLINE, self.index, 0)

    def unlink(self, call: i64) -> None:
        """Take a call out of the list of deadlines."""
        calls = self.calls
        before = calls.earlier[call]
        after = calls.later[call]
        if before >= 0:
            calls.later[before] = after
        else:
            self.first_deadline = after
        if after >= 0:
            calls.earlier[after] = before
        else:
            self.last_deadline = before
        calls.flags[call] &= ~LINKED

    def on_timer(self, tag: i64, argument: i64) -> None:
        """One of this edge's timers rings."""
        if tag == DEADLINE:
            self.on_deadline()
        elif tag == RETRY:
            self.calls.flags[argument] &= ~WAITING_RETRY
            if self.calls.flags[argument] & ABANDONED != 0:
                self.calls.release(argument)
            else:
                self.dispatch(argument)
        else:
            calls = self.calls
            calls.flags[argument] &= ~GIVING_UP
            if calls.flags[argument] & ABANDONED != 0:
                calls.release(argument)
            else:
                calls.flags[argument] &= ~LOST
                calls.outcome[argument] = CONNECTION_LOST
                if self.breaker.enabled:
                    self.record(argument, True)
                self.settle(argument)

    def on_deadline(self) -> None:
        """Time out every call whose deadline has come, then wait for the next."""
        now = self.simulation.now
        # Earlier than now: the caller stood still when it was due.
        if self.armed_at <= now:
            self.armed_at = -1
        calls = self.calls
        first = self.first_deadline
        while first >= 0 and calls.deadline[first] <= now:
            self.unlink(first)
            self.time_out(first)
            first = self.first_deadline
        if first >= 0 and (self.armed_at < 0 or calls.deadline[first] < self.armed_at):
            self.armed_at = calls.deadline[first]
            self.simulation.queue.push(self.armed_at, EDGE, DEADLINE, self.index, 0)

    def time_out(self, call: i64) -> None:
        """The caller stops waiting for this attempt; the callee's work on it goes on unless it is cancelled."""
        calls = self.calls
        gone = calls.flags[call] & LOST != 0
        if calls.flags[call] & PROBING != 0:
            calls.flags[call] |= ABANDONED
            calls.outcome[call] = TIMEOUT
            self.caller.on_probed(call)
            self.leave(call, gone)
            return
        self.timeouts += 1
        self.caller.note_timeout(self)
        if self.breaker.enabled:
            self.record(call, True)
        if self.again(call, TIMEOUT):
            if calls.trace[call] > 0:
                self.simulation.tracer.span(calls, call, self.simulation.now, TIMEOUT)
            fresh = self.renewed(call)
            calls.attempt[fresh] += 1
            self.leave(call, gone)
            self.retry(fresh, 0)
            return
        calls.flags[call] |= ABANDONED
        self.finish(call, TIMEOUT)
        self.leave(call, gone)

    def renewed(self, call: i64) -> i64:
        """A new record that takes the place of ``call`` at its caller; the old one belongs to the callee and the network alone."""
        calls = self.calls
        fresh = calls.take()
        calls.edge[fresh] = self.index
        calls.parent[fresh] = calls.parent[call]
        calls.step[fresh] = calls.step[call]
        calls.data[fresh] = calls.data[call]
        calls.began[fresh] = calls.began[call]
        calls.sent[fresh] = calls.sent[call]
        calls.arrived[fresh] = -1
        calls.attempt[fresh] = calls.attempt[call]
        calls.operation[fresh] = calls.operation[call]
        calls.key[fresh] = calls.key[call]
        calls.user[fresh] = calls.user[call]
        calls.session[fresh] = calls.session[call]
        calls.request_bytes[fresh] = calls.request_bytes[call]
        calls.trace[fresh] = calls.trace[call]
        calls.token[fresh] = calls.token[call]
        calls.extra[fresh] = calls.extra[call]
        calls.flags[fresh] = calls.flags[call] & (PINNED | TOLD | SIGNED | PROBING)
        calls.instance[fresh] = calls.instance[call] if calls.flags[fresh] & PINNED != 0 else -1
        calls.disown(call)
        if calls.parent[fresh] >= 0:
            calls.adopt(calls.parent[fresh], fresh)
        return fresh

    def leave(self, call: i64, gone: bool) -> None:
        """Let go of an attempt that may still be on its way or at the callee; tell the callee where the edge cancels."""
        calls = self.calls
        calls.flags[call] |= ABANDONED
        if gone:
            if calls.flags[call] & GIVING_UP == 0:
                calls.release(call)
        elif self.cancel and calls.flags[call] & (LOCAL | CANCELLED) == 0:
            if self.lossy and self.loses():
                self.lost += 1
                return
            calls.flags[call] |= CANCEL_SENT
            self.tell_callee(call, 0)
        elif self.callee.minds_hang_ups and calls.flags[call] & (LOCAL | CANCELLED) == 0:
            calls.flags[call] |= CANCEL_SENT
            self.tell_callee(call, 1)

    def tell_callee(self, call: i64, tag: i64) -> None:
        """Let the callee hear that nobody waits for ``call``: 0, its caller cancels it; 1, its connection is closed."""
        latency = self.fixed_ns
        if latency < 0:
            latency = self.latency.draw(self.latency_stream) + self.region_ns + self.extra_ns
        self.simulation.queue.push(self.simulation.now + latency, CANCEL, tag, self.callee_index, call)

    def again(self, call: i64, outcome: i64) -> bool:
        """Whether another attempt is to be made; counts it."""
        calls = self.calls
        if calls.attempt[call] > self.retries or not may_retry(outcome):
            return False
        if self.propagate:
            parent = calls.parent[call]
            if parent >= 0 and calls.deadline[parent] > 0 and calls.deadline[parent] <= self.simulation.now:
                return False
        if self.budget.enabled and not self.budget.spend():
            return False
        self.retried += 1
        return True

    def retry(self, call: i64, at_least_ns: i64) -> None:
        """Send the next attempt, after the back-off, and not before ``at_least_ns`` have passed."""
        delay = self.backoff_ns
        if delay <= 0 and at_least_ns <= 0:
            self.dispatch(call)
            return
        doublings: i64 = self.calls.attempt[call] - 2
        while doublings > 0 and delay < self.backoff_max_ns:
            delay *= 2
            doublings -= 1
        if delay > self.backoff_max_ns:
            delay = self.backoff_max_ns
        if self.jitter == 1:
            delay = i64(self.jitter_stream.uniform() * float(delay))
        elif self.jitter == 2:
            delay = delay // 2 + i64(self.jitter_stream.uniform() * float(delay) * 0.5)
        if delay < at_least_ns:
            delay = at_least_ns
        self.calls.flags[call] |= WAITING_RETRY
        self.simulation.queue.push(self.simulation.now + delay, EDGE, RETRY, self.index, call)

    def on_reply(self, call: i64) -> None:
        """A reply has come back to the caller."""
        calls = self.calls
        flags = calls.flags[call]
        if flags & (ABANDONED | PROBING) != 0:
            if flags & ABANDONED == 0:
                if flags & LINKED != 0:
                    self.unlink(call)
                self.caller.on_probed(call)
                calls.release(call)
                return
            if flags & PROBING == 0:
                self.late_replies += 1
            if flags & CANCEL_SENT != 0:
                calls.flags[call] |= RETURNED
            else:
                calls.release(call)
            return
        if flags & LINKED != 0:
            self.unlink(call)
        if self.breaker.enabled and flags & LOCAL == 0:
            self.record(call, calls.outcome[call] != OK)
        self.settle(call)

    def settle(self, call: i64) -> None:
        """An attempt has ended: try again, or hand the outcome to the caller."""
        calls = self.calls
        outcome = calls.outcome[call]
        if outcome != OK and self.again(call, outcome):
            if calls.trace[call] > 0:
                self.simulation.tracer.span(calls, call, self.simulation.now, outcome)
            wanted: i64 = 0
            if outcome == RATE_LIMITED and self.honour and calls.flags[call] & ANSWERED != 0:
                # HTTP's Retry-After.
                wanted = calls.advice[call]
            # The next attempt finds the record as a fresh one would be.
            calls.flags[call] &= PINNED | TOLD | SIGNED
            if calls.flags[call] & PINNED == 0:
                calls.instance[call] = -1
            calls.mark[call] = 0
            calls.version[call] = 0
            calls.attempt[call] += 1
            self.retry(call, wanted)
            return
        self.finish(call, outcome)
        calls.release(call)

    def finish(self, call: i64, outcome: i64) -> None:
        """Hand the outcome to the caller, once."""
        calls = self.calls
        self.in_flight -= 1
        if outcome == OK:
            self.completed += 1
            self.histogram.add(self.simulation.now - calls.began[call])
        else:
            self.failed += 1
            self.failures[outcome] += 1
        if calls.trace[call] > 0:
            self.simulation.tracer.span(calls, call, self.simulation.now, outcome)
        calls.disown(call)
        calls.outcome[call] = outcome
        self.caller.on_reply(call)

    def record(self, call: i64, failure: bool) -> None:
        """Tell the breaker how an attempt ended; say so when its state changed."""
        breaker = self.breaker
        if breaker.is_stale(self.calls.sent[call]):
            return
        if breaker.record(self.simulation.now, failure):
            self.caller.note_breaker(self)

    def abandon(self, call: i64) -> None:
        """The caller is gone or was cancelled itself: nobody waits for this call any more."""
        calls = self.calls
        flags = calls.flags[call]
        if flags & ABANDONED != 0:
            return
        if flags & LINKED != 0:
            self.unlink(call)
        if self.breaker.enabled and flags & (LOCAL | WAITING_RETRY) == 0:
            self.breaker.give_back(calls.sent[call])
        self.in_flight -= 1
        self.abandoned += 1
        self.caller.on_abandoned(call)
        calls.disown(call)
        if flags & WAITING_RETRY != 0:
            calls.flags[call] |= ABANDONED
        else:
            self.leave(call, flags & LOST != 0)

    def cut(self, call: i64) -> None:
        """The edge is deleted with this call on it: its caller sees the connection reset."""
        calls = self.calls
        flags = calls.flags[call]
        if flags & (ABANDONED | LOCAL) != 0:
            return
        if flags & LINKED != 0:
            self.unlink(call)
        fresh = self.renewed(call)
        calls.flags[call] |= ABANDONED
        if flags & LOST != 0 and flags & GIVING_UP == 0:
            calls.release(call)
        self.answer_locally(fresh, REMOVED)

    # ---- faults

    def inject(self, fault: str, params: Params) -> None:
        """Do a fault: ``latency`` (add_ms), ``loss`` (percent) or ``partition``, until duration_s has passed or it is cleared."""
        value = 0.0
        if fault == "latency":
            value = float(params.ns("add_ms"))
        elif fault == "loss":
            value = params.number("percent") / 100.0
        self.fault_serial += 1
        made = Fault(fault, -1, value)
        made.serial = self.fault_serial
        self.active.append(made)
        self.apply(made, 1.0)
        duration = params.ns("duration_s")
        if duration >= 0:
            self.simulation.queue.push(self.simulation.now + duration, FAULT, 1, self.index, made.serial)

    def apply(self, fault: Fault, sign: float) -> None:
        """Begin (sign 1) or end (sign -1) a fault's effect, and say so."""
        between = f"{self.caller.label} and {self.callee.label}"
        severity = "warning" if sign > 0.0 else "good"
        if fault.name == "latency":
            self.extra_ns += i64(sign * fault.value)
            self.settle_latency()
            title = f"Slow network between {between}" if sign > 0.0 else f"Network between {between} is quick again"
        elif fault.name == "loss":
            self.extra_loss += sign * fault.value
            title = f"Messages lost between {between}" if sign > 0.0 else f"No more loss between {between}"
        else:
            self.partitions += 1 if sign > 0.0 else -1
            severity = "bad" if sign > 0.0 else "good"
            title = f"Partition between {between}" if sign > 0.0 else f"Partition between {between} healed"
        self.settle_loss()
        self.simulation.note(fault.name, severity, self.name, title, "")

    def end_fault(self, serial: i64) -> None:
        """End a lasting fault, unless it was cleared before."""
        index: i64 = 0
        while index < len(self.active):
            fault = self.active[index]
            if fault.serial == serial:
                del self.active[index]
                self.apply(fault, -1.0)
                return
            index += 1

    def clear_faults(self) -> None:
        """End all lasting faults now."""
        while len(self.active) > 0:
            self.end_fault(self.active[len(self.active) - 1].serial)

    def retire(self) -> None:
        """The edge is deleted from the drawing: callers of what is on it see a reset."""
        self.removed = True
        calls = self.calls
        call: i64 = 0
        while call < calls.capacity:
            if calls.edge[call] == self.index:
                self.cut(call)
            call += 1

    # ---- figures

    def metrics(self) -> list[float]:
        """Figures in the order of the edge's specification."""
        return [
            float(self.offered),
            float(self.attempts),
            float(self.completed),
            float(self.failed),
            float(self.retried),
            float(self.timeouts),
            float(self.lost),
            float(self.in_flight),
            float(self.bytes_out),
            float(self.bytes_back),
            float(self.breaker.state),
        ]

    # ---- callee's side

    def send_reply(self, call: i64) -> None:
        """Carry the callee's answer (already in the call's columns) back to the caller."""
        simulation = self.simulation
        calls = self.calls
        size = calls.reply_bytes[call]
        self.bytes_back += size
        if self.lossy and self.loses():
            if calls.flags[call] & ABANDONED != 0:
                self.lost += 1
                if calls.flags[call] & CANCEL_SENT != 0:
                    calls.flags[call] |= RETURNED
                else:
                    calls.release(call)
            else:
                self.lose(call)
            return
        now = simulation.now
        latency = self.fixed_ns
        if latency < 0:
            latency = self.latency.draw(self.latency_stream) + self.region_ns + self.extra_ns
        at = now + latency
        if self.ns_per_byte > 0.0:
            self.line_free_back = self.line_free_after(self.line_free_back, size)
            at = self.line_free_back + latency
        if calls.trace[call] > 0:
            flags = calls.flags[call]
            look: i64 = 1 if flags & NOT_MODIFIED != 0 else 2 if flags & STALE != 0 else 0
            if look == 0 and calls.version[call] == ABSENT:
                look = 3
            simulation.tracer.hop(
                calls.trace[call],
                self.index,
                1,
                now,
                at,
                calls.outcome[call],
                calls.operation[call],
                calls.attempt[call],
                look,
            )
        simulation.queue.push(at, REPLY, 0, self.caller_index, call)
