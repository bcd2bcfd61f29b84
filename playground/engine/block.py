"""The base of every block: what the engine calls, what a behaviour calls, and the faults that all blocks share.

A behaviour overrides ``on_call``, ``on_reply``, ``on_work``, ``on_timer`` and ``configure``. It sends calls along its edges, answers calls
with :meth:`Block.reply`, and lets time pass with :meth:`Block.work` (for a call) and :meth:`Block.timer` (for itself). It must answer every
call that it receives, once, and never before ``on_call`` was entered.

This file is longer than most: mypyc compiles one class in one piece, and faults reach into every part of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from librt.vecs import append, vec
from mypy_extensions import i64, mypyc_attr

from playground.engine.calls import (
    ABANDONED,
    ANSWERED,
    AT_CALLEE,
    CANCEL_SENT,
    CANCELLED,
    NOT_MODIFIED,
    PROBING,
    RETURNED,
    SIGNED,
    STALE,
    TOLD,
    WORKING,
    Calls,
)
from playground.engine.changes import ChangeLog
from playground.engine.columns import grown, zeros
from playground.engine.durations import whole_ns
from playground.engine.faults import DOWN, PAUSED, REFUSING, Fault
from playground.engine.histogram import Histogram
from playground.engine.outcomes import CRASHED, OK, OUTCOME_COUNT, OUTCOMES, PROBE_BYTES, REFUSED, as_upstream
from playground.engine.params import Params
from playground.engine.queue import CALL, CANCEL, EDGE, FAULT, REPLY, TIMER, WORK
from playground.engine.state import State
from playground.engine.station import Station
from playground.engine.streams import Stream
from playground.engine.words import counted

if TYPE_CHECKING:
    from playground.engine.edge import Edge
    from playground.engine.simulation import Simulation

EVERY_INSTANCE: Final = -1


@mypyc_attr(allow_interpreted_subclasses=True)
class Block(State):
    """One block of a running design. ``out`` maps each out port to its edges, in order of their ids.

    Faults overlap, so ``down`` (crashed or refusing), ``crashed`` and ``paused`` count, instance by instance, how many
    hold; ``slow`` is the product of the slow-downs.
    """

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        self.simulation = simulation
        self.calls: Calls = simulation.calls
        self.index: i64 = index
        self.name = name
        # What people call it, in sentences alone; streams and trace know the name, which is the block's id.
        self.label = name
        self.region = ""
        self.removed: bool = False
        # Whether it wants to hear, by ``on_hang_up``, that a caller that doesn't cancel has closed its connection.
        self.minds_hang_ups: bool = False
        self.is_root: bool = False
        self.out: dict[str, list[Edge]] = {}
        # Edges that end here, past ones included.
        self.into: list[Edge] = []
        self.has_cells: bool = False
        # What its workers (connections ...) are held in: a behaviour that has some says which Station it is.
        self.pool: Station | None = None
        self.instances: i64 = 1
        self.next_instance: i64 = 0
        self.slots: i64 = 1
        # How often each instance has lost its memory: what was begun in an earlier life concerns it no more.
        self.lives: vec[i64] = zeros(1)
        # Where the true versions of its items are; looked up once for each wiring.
        self.source_block: Block | None = None
        self.source_wiring: i64 = -1
        self.looking_below: bool = False
        # Cost: what was spent under earlier prices, and how many calls and bytes these have paid for.
        self.spent: float = 0.0
        self.calls_paid: i64 = 0
        self.bytes_paid: float = 0.0
        self.price_per_hour: float = 0.0
        self.price_per_million: float = 0.0
        self.price_per_gb: float = 0.0
        self.restart_ns: i64 = 1_000_000_000
        self.instances_area: float = 0.0
        self.instances_changed: i64 = simulation.now
        # Faults.
        self.impaired: bool = False
        self.stalling: bool = False
        self.down: vec[i64] = zeros(1)
        self.crashed: vec[i64] = zeros(1)
        self.paused: vec[i64] = zeros(1)
        self.slow: list[float] = [1.0]
        self.active: list[Fault] = []
        self.fault_serial: i64 = 0
        self.stalled: vec[i64] = vec[i64]()
        # Figures.
        self.offered: i64 = 0
        self.completed: i64 = 0
        self.failed: i64 = 0
        self.cancelled: i64 = 0
        self.in_flight: i64 = 0
        self.changed: i64 = 0
        self.area: float = 0.0
        self.residence: float = 0.0
        self.failures: vec[i64] = zeros(OUTCOME_COUNT)
        self.histogram = Histogram()
        self.queue_noted: bool = False
        self.queue_noted_at: i64 = -1

    # ---- for behaviours to override

    def configure(self, params: Params) -> None:
        """Take parameters, at the start and whenever one changes."""

    def wired(self) -> None:
        """The edges in ``out`` have changed (also called once before the start)."""

    def started(self) -> None:
        """The block begins to live: schedule first timers here."""

    def on_call(self, call: i64) -> None:
        """A call has arrived; answer it now or later."""
        raise AssertionError(f"{self.name} takes no calls")

    def on_reply(self, call: i64) -> None:
        """A call that this block made has ended: read outcome, parent, step; the record is gone afterwards."""

    def on_probe(self, call: i64) -> None:
        """A probe has arrived at an instance that is up; :meth:`answer_probe` it, now or later. The call's key says what is asked."""
        self.answer_probe(call, OK)

    def on_probed(self, call: i64) -> None:
        """A probe that this block sent has ended: read edge, instance, key (what was asked) and outcome."""

    def on_membership(self, edge: Edge) -> None:
        """The instances behind ``edge`` that want to be called have become others."""
        self.wired()

    def on_process_start(self, edge: Edge, instance: i64) -> None:
        """An instance behind ``edge`` had crashed, and its process begins anew: what was known of the one before holds no more."""

    def uses(self, edge: Edge, instance: i64) -> bool:
        """Whether this caller sends calls to ``instance`` behind ``edge``: who goes by probes does when these say so."""
        return True

    def listed(self, instance: i64) -> bool:
        """Whether ``instance`` is among those that callers find here (a server that is switched off, or drains, is not)."""
        return True

    def is_off(self, instance: i64) -> bool:
        """Whether ``instance`` is switched off, so that there is nothing that a fault could happen to."""
        return False

    def presents(self, user: i64, session: i64) -> bool:
        """Of a client: whether its user ``user`` (its own number) would present ``session`` with their next request."""
        return False

    def authority(self) -> Block | None:
        """This block, where it decides which version of an item is the present one (a database); else None."""
        return None

    def current_version(self, key: i64) -> i64:
        """Of an authority: the present version of ``key``, ABSENT where there is none."""
        return 1

    def written_at(self, key: i64) -> i64:
        """Of an authority: when the present version of ``key`` was committed, ns; 0 for one that was there from the start."""
        return 0

    def first_keys(self) -> i64:
        """Of an authority: its items were 1 to this at the start."""
        return 0

    def changed_keys(self) -> vec[i64]:
        """Of an authority: every key that was written or deleted since, each once; :meth:`current_version` says which are there."""
        return vec[i64]()

    def row_version(self, key: i64) -> i64:
        """Of an authority: as :meth:`current_version`, a deleted row's last version negative, 0 where there never was one."""
        return 0

    def issued_version(self, key: i64) -> i64:
        """Of an authority: the highest version that a write to ``key`` was ever given, be it lost since."""
        return 0

    def may_come(self, key: i64, version: i64) -> bool:
        """Of an authority: whether a version later than the present one may be the present one yet, and is not lost."""
        return True

    def strayed_keys(self, after: i64) -> vec[i64]:
        """Of an authority: the keys of versions that writes were given and that name nothing in what is served (any more): lost, or given
        on a branch. One entry for each, in the order in which that was known, from number ``after`` on."""
        return vec[i64]()

    def stock_declared(self) -> tuple[i64, i64]:
        """Of an authority: how many there are of each item at the start, -1 where nobody looks at stock; for how long a lot of them is on
        sale, ns, -1 for ever. Rows move only between those that declare the same."""
        return -1, -1

    def stock_rows(self, key: i64) -> vec[i64]:
        """Of an authority: what commits have sold of an item, for :meth:`take_row`; empty where nothing was."""
        return vec[i64]()

    def take_row(self, key: i64, version: i64, at: i64, issued: i64, stock: vec[i64], by: i64) -> bool:
        """Of an authority: have a row as another one holds it (:meth:`row_version`, committed at ``at``; :meth:`issued_version`;
        :meth:`stock_rows`; :meth:`written_by`). False where nobody can take it now.
        It is safe when :meth:`secure` says so for the :meth:`log_position` after it."""
        return False

    def written_by(self, key: i64) -> i64:
        """Of an authority: who wrote the committed version of ``key``: twice the user's number after the next (0: nobody), and 1 more where
        they were told of it."""
        return 0

    def serve_rows(self, keys: vec[i64], position: i64) -> None:
        """Of an authority: serve rows from now on that it was given, with its log up to ``position``."""

    def leave_rows(self, keys: vec[i64]) -> None:
        """Of an authority: another one serves these rows from now on."""

    def log_position(self) -> i64:
        """Of an authority: where its log ends, what is not committed yet included."""
        return 0

    def secure(self, position: i64) -> bool:
        """Of an authority: whether all up to ``position`` is committed and on disk, and at so many replicas that no failover takes it
        back. What isn't flushed yet gets flushed."""
        return True

    def times_cut(self) -> i64:
        """Of an authority: how often its log has lost its end, by a crash or a failover. Rows that it had taken may be gone since."""
        return 0

    def change_log(self) -> ChangeLog | None:
        """Of an authority: its changes in the order of their commits, where it publishes them."""
        return None

    def stood_between(self, above: i64, below: i64, since: i64, prices: i64) -> vec[i64]:
        """Of an authority: rows with sort keys between ``above`` and ``below`` that have existed ever since ``since``, ns, in any order; of
        sort keys and ``prices``, see :func:`~playground.engine.row_order.sort_key`."""
        return vec[i64]()

    def has_stood(self, key: i64, since: i64) -> bool:
        """Of an authority: whether a row exists, and has existed ever since ``since``."""
        return False

    def changed_before(self, key: i64, since: i64, until: i64, prices: i64) -> tuple[i64, i64]:
        """Of an authority: how many rows with sort keys above ``key`` were inserted after ``since`` up to ``until``, and how many
        deleted; -1 where that isn't kept."""
        return 0, 0

    def cells(self) -> list[int]:
        """What is drawn on the card, cell by cell: the number of a declared state, + 128 where the cell is marked."""
        return []

    def on_abandoned(self, call: i64) -> None:
        """A call that this block made is dropped with the call that it was made for: stop counting it. No reply will come."""

    def on_work(self, call: i64) -> None:
        """Work begun with :meth:`work` is done."""

    def on_timer(self, tag: i64, argument: i64) -> None:
        """A timer set with :meth:`timer` rings."""

    def on_cancel(self, call: i64) -> None:
        """The caller wants no answer any more: free what the call holds (the engine drops its children and its record)."""

    def on_hang_up(self, call: i64) -> None:
        """The caller has closed the connection that ``call`` came by, without cancelling it; only where ``minds_hang_ups`` is set."""

    def on_crash(self, instance: i64) -> None:
        """``instance`` has lost everything that it kept in memory; its calls are answered by the engine."""

    def on_restart(self, instance: i64) -> None:
        """``instance`` is up again."""

    def on_fault(self, fault: str, params: Params) -> bool:
        """Do a fault of this kind of block's own; False when it is not one."""
        return False

    def on_fault_end(self, fault: str, value: float) -> None:
        """A lasting fault begun with :meth:`lasting_fault` ends."""

    def metrics(self) -> list[float]:
        """The block's own figures, in the order of its specification."""
        return []

    def busy(self) -> float:
        """Workers (or connections ...) held now."""
        return float(self.pool.busy_all) if self.pool is not None else 0.0

    def capacity(self) -> float:
        """Workers (or connections ...) there are; 0 without a pool."""
        return self.pool.capacity() if self.pool is not None else 0.0

    def queue(self) -> float:
        """Calls that wait for one."""
        return float(self.pool.waiting_all) if self.pool is not None else 0.0

    def resources(self) -> list[Station]:
        """What calls hold and wait for in here: the pool, and what an owner has behind it. The block is as busy as the busiest of them."""
        return [self.pool] if self.pool is not None else []

    def utilisation(self) -> float:
        """Share held of the busiest of :meth:`resources`, averaged since the start, whatever their sizes were meanwhile; 0 without any."""
        highest = 0.0
        for station in self.resources():
            share = station.utilisation()
            if share > highest:
                highest = share
        return highest

    def remarked(self, number: i64) -> str:
        """What this block had to say about a call, by the number that it gave :meth:`remark`; empty where it knows no more."""
        return ""

    def detail(self) -> dict[str, object]:
        """Inner state for the inspector: small, JSON-ready."""
        return {}

    # ---- for behaviours to call

    def stream(self, purpose: str) -> Stream:
        """A random stream of this block's own for ``purpose``."""
        return Stream(self.simulation.seed, self.name, purpose)

    def now(self) -> i64:
        """Virtual time, ns."""
        return self.simulation.now

    def edge_of(self, call: i64) -> Edge:
        """The edge along which ``call`` goes."""
        return self.simulation.edges[self.calls.edge[call]]

    def work(self, call: i64, ns: i64) -> None:
        """Be busy with ``call`` for ``ns``, then ``on_work``. Pauses and slow-downs stretch it."""
        if self.impaired:
            ns = whole_ns(float(ns) * self.slow[self.calls.instance[call] if self.calls.instance[call] > 0 else 0])
        simulation = self.simulation
        self.calls.flags[call] |= WORKING
        simulation.queue.push(simulation.now + ns, WORK, 0, self.index, call)

    def timer(self, ns: i64, tag: i64, argument: i64) -> None:
        """Ring ``on_timer(tag, argument)`` in ``ns``; tag 0 .. 31, argument 0 .. 2**32 - 1."""
        simulation = self.simulation
        simulation.queue.push(simulation.now + ns, TIMER, tag, self.index, argument)

    def reply(self, call: i64, outcome: i64, version: i64, size: i64) -> None:
        """Answer a call: outcome, the version of what was read or written, bytes of the answer.

        Calls made on its behalf that are still out live on without a parent (-1): a quorum has its majority, a hedge
        its first answer. Who wants none of their replies calls :meth:`drop_children` first.
        """
        calls = self.calls
        now = self.simulation.now
        if calls.child[call] >= 0:
            calls.orphan(call)
        stay = now - calls.arrived[call]
        self.area += float(self.in_flight) * float(now - self.changed)
        self.changed = now
        self.in_flight -= 1
        self.residence += float(stay)
        if outcome == OK:
            self.completed += 1
            self.histogram.add(stay)
        else:
            self.failed += 1
            self.failures[outcome] += 1
        calls.flags[call] &= ~AT_CALLEE
        calls.outcome[call] = outcome
        calls.version[call] = version
        calls.reply_bytes[call] = size
        calls.replied[call] = now
        self.simulation.edges[calls.edge[call]].send_reply(call)

    def send_on(self, edge: Edge, call: i64, instance: i64) -> i64:
        """Send ``call`` on along ``edge`` as it is, with all that it carries, to ``instance`` (-1: any); the handle of what was sent."""
        calls = self.calls
        made = edge.call(
            call,
            calls.operation[call],
            calls.key[call],
            calls.user[call],
            instance,
            calls.request_bytes[call],
            calls.trace[call],
        )
        self.hand_on(call, made)
        return made

    def hand_on(self, call: i64, made: i64) -> None:
        """Let ``made``, a call on behalf of ``call``, carry what ``call`` carries."""
        calls = self.calls
        flags = calls.flags[call] & (TOLD | SIGNED)
        if flags == 0:
            return
        calls.flags[made] |= flags
        calls.session[made] = calls.session[call]
        calls.token[made] = calls.token[call]
        calls.extra[made] = calls.extra[call]

    def reply_like(self, call: i64, answer: i64) -> None:
        """Answer ``call`` with what its callee answered, ``answer`` being the call that has just ended."""
        calls = self.calls
        outcome = calls.outcome[answer]
        flags = calls.flags[answer] & (NOT_MODIFIED | STALE | ANSWERED)
        if flags != 0:
            calls.flags[call] |= flags
            calls.verdict[call] = calls.verdict[answer]
            calls.advice[call] = calls.advice[answer]
        if outcome == OK:
            self.reply(call, OK, calls.version[answer], calls.reply_bytes[answer])
        else:
            self.reply(call, as_upstream(outcome), 0, 0)

    def answer_probe(self, call: i64, outcome: i64) -> None:
        """Answer a probe, once: OK, or why not."""
        calls = self.calls
        calls.outcome[call] = outcome
        calls.version[call] = 0
        calls.reply_bytes[call] = PROBE_BYTES
        calls.replied[call] = self.simulation.now
        self.simulation.edges[calls.edge[call]].send_reply(call)

    def is_in_use(self, instance: i64) -> bool:
        """Whether all callers send calls to ``instance``."""
        used = True
        for edge in self.into:
            used = used and (edge.removed or edge.caller.uses(edge, instance))
        return used

    def announce(self) -> None:
        """Tell the callers that other instances than before want to be called."""
        for edge in self.into:
            if not edge.removed:
                edge.caller.on_membership(edge)

    def label_of(self, instance: i64) -> str:
        """What people call an instance: by a number where there are several."""
        return self.label if self.instances == 1 and instance <= 0 else f"{self.label} {instance + 1}"

    def tell_process_start(self, instance: i64) -> None:
        """Tell the callers that ``instance`` is another process from now on, listening or not."""
        for edge in self.into:
            if not edge.removed:
                edge.caller.on_process_start(edge, instance)

    def source(self) -> Block | None:
        """The authority on the items that come through here: the first one down its own edges, else down its callers'."""
        wiring = self.simulation.wiring
        if self.source_wiring != wiring:
            self.source_wiring = wiring
            found = self.authority_below()
            if found is None:
                for edge in self.into:
                    if found is None and not edge.removed:
                        found = edge.caller.authority_below()
            self.source_block = found
        return self.source_block

    def authority_below(self) -> Block | None:
        """The authority that this block is, or the first one that its calls can come to."""
        found = self.authority()
        # By way of a queue they may come back to this block.
        if found is not None or self.looking_below:
            return found
        self.looking_below = True
        for edges in self.out.values():
            for edge in edges:
                if found is None:
                    found = edge.callee.authority_below()
        self.looking_below = False
        return found

    def order_restart(self, instance: i64, why: str) -> None:
        """Restart an instance whose liveness probe failed, as an orchestrator does: it dies, and is back after ``restart_ns``."""
        if self.crashed[instance] > 0:
            return
        self.note(
            "restart_ordered",
            "warning",
            f"{self.label_of(instance)} is being restarted",
            f"{why} It is back in {float(self.restart_ns) / 1e9:g} s.",
        )
        self.begin_fault(Fault("crash", instance, 0.0), self.restart_ns)

    def set_prices(self, per_hour: float, per_million: float, per_gb: float) -> None:
        """Take what it costs from now on, in neutral units: an instance for an hour, a million calls, a gigabyte that it answers with."""
        if per_hour == self.price_per_hour and per_million == self.price_per_million and per_gb == self.price_per_gb:
            return
        self.settle_prices()
        self.price_per_hour = per_hour
        self.price_per_million = per_million
        self.price_per_gb = per_gb

    def billed_instances(self) -> i64:
        """Instances that are paid for now."""
        return self.instances

    def settle_cost(self) -> None:
        """Bring the instance-hours up to now; called before their number changes."""
        now = self.simulation.now
        self.instances_area += float(self.billed_instances()) * float(now - self.instances_changed)
        self.instances_changed = now

    def settle_prices(self) -> None:
        """Enter what has been used so far at the present prices; called before these change."""
        self.spent = self.cost()
        self.instances_area = 0.0
        self.instances_changed = self.simulation.now
        self.calls_paid = self.billed_calls()
        self.bytes_paid = self.egress_bytes()

    def billed_calls(self) -> i64:
        """Calls since the start that are paid for."""
        return self.offered

    def egress_bytes(self) -> float:
        """Bytes of all answers that it gave."""
        total = 0.0
        for edge in self.into:
            total += float(edge.bytes_back)
        return total

    def cost(self) -> float:
        """What it has cost since the start, each use at the price of its time, up to when it was deleted; looking changes nothing."""
        if self.removed:
            return self.spent
        span = float(self.simulation.now - self.instances_changed)
        hours = (self.instances_area + float(self.billed_instances()) * span) / 3.6e12
        calls = float(self.billed_calls() - self.calls_paid) * self.price_per_million / 1e6
        egress = (self.egress_bytes() - self.bytes_paid) * self.price_per_gb / 1e9
        return self.spent + (hours * self.price_per_hour + calls + egress)

    def note(self, kind: str, severity: str, title: str, detail: str) -> None:
        """Name a notable moment of this block."""
        self.simulation.note(kind, severity, self.name, title, detail)

    def remark(self, call: i64, number: i64) -> None:
        """Have something to say about ``call`` to whoever follows its request: :meth:`remarked` says what, when asked."""
        if self.calls.trace[call] > 0:
            self.simulation.tracer.remark(self.calls.serial[call], self.index, number)

    def note_queue(self, waiting: i64, full: i64, what: str) -> None:
        """Say when as many calls wait as ``full`` can take (ten at least), and when the queue has gone; not again within ten virtual
        seconds, since a busy pool fills and drains all the time. ``what`` they are called."""
        if self.queue_noted:
            if waiting == 0:
                self.queue_noted = False
                self.note("pool_free", "good", f"Queue at {self.label} gone", f"No call waits for {what} any more.")
        elif waiting >= full and waiting >= 10:
            now = self.simulation.now
            if self.queue_noted_at < 0 or now - self.queue_noted_at > 10_000_000_000:
                self.queue_noted = True
                self.queue_noted_at = now
                self.note(
                    "pool_full",
                    "warning",
                    f"All {what} busy at {self.label}",
                    f"{waiting} calls wait, {counted(full, 'is', 'are')} being served.",
                )

    # ---- the engine's side

    def receive(self, call: i64) -> None:
        """A call has arrived."""
        calls = self.calls
        if calls.flags[call] & (CANCELLED | PROBING) != 0:
            if calls.flags[call] & CANCELLED != 0:
                calls.release(call)
            else:
                self.receive_probe(call)
            return
        now = self.simulation.now
        calls.arrived[call] = now
        # Worked on from now, unless a station lets it wait.
        calls.started[call] = now
        calls.flags[call] |= AT_CALLEE
        self.offered += 1
        self.area += float(self.in_flight) * float(now - self.changed)
        self.changed = now
        self.in_flight += 1
        if calls.instance[call] < 0:
            self.choose_instance(call)
        if self.impaired and self.turns_away(call):
            return
        self.on_call(call)

    def receive_probe(self, call: i64) -> None:
        """A probe has arrived. It is counted nowhere."""
        calls = self.calls
        calls.arrived[call] = self.simulation.now
        if self.removed or calls.instance[call] >= self.instances or self.down[calls.instance[call]] != 0:
            self.answer_probe(call, REFUSED)
        else:
            self.on_probe(call)

    def choose_instance(self, call: i64) -> None:
        """Give a call whose caller did not mind to the instances in turn."""
        if self.instances == 1:
            self.calls.instance[call] = 0
        else:
            self.calls.instance[call] = self.next_instance
            self.next_instance = (self.next_instance + 1) % self.instances

    def turns_away(self, call: i64) -> bool:
        """Refuse a call to an instance that is down or refusing; True when it was."""
        if self.removed or self.down[self.calls.instance[call]] != 0:
            self.reply(call, REFUSED, 0, 0)
            return True
        return False

    def cancel(self, call: i64) -> None:
        """Drop a call on its caller's request."""
        calls = self.calls
        now = self.simulation.now
        self.area += float(self.in_flight) * float(now - self.changed)
        self.changed = now
        self.in_flight -= 1
        self.cancelled += 1
        self.residence += float(now - calls.arrived[call])
        self.drop_children(call)
        self.on_cancel(call)
        flags = (calls.flags[call] & ~AT_CALLEE) | CANCELLED
        calls.flags[call] = flags
        if flags & WORKING == 0:
            calls.release(call)

    def drop_children(self, call: i64) -> None:
        """Stop waiting for everything that was called on behalf of ``call``."""
        calls = self.calls
        child = calls.child[call]
        while child >= 0:
            self.simulation.edges[calls.edge[child]].abandon(child)
            child = calls.child[call]

    def note_timeout(self, edge: Edge) -> None:
        """Say that timeouts have begun on an edge, at most once in ten virtual seconds."""
        now = self.simulation.now
        if edge.last_timeout_note < 0 or now - edge.last_timeout_note > 10_000_000_000:
            limit = f"{float(edge.timeout_ns) / 1e6:g} ms" if edge.timeout_ns > 0 else "their deadline allows"
            self.note(
                "timeouts",
                "bad",
                f"Timeouts at {self.label}",
                f"Calls to {edge.callee.label} take longer than {limit}.",
            )
        edge.last_timeout_note = now

    def note_breaker(self, edge: Edge) -> None:
        """Say that an edge's circuit breaker has opened or closed."""
        if edge.breaker.state == 1:
            text = "Too many attempts failed; calls fail at once until it tries again."
            self.note("breaker_open", "warning", f"Breaker to {edge.callee.label} opened", text)
        else:
            self.note("breaker_closed", "good", f"Breaker to {edge.callee.label} closed", "Its trial calls succeeded.")

    def set_instances(self, count: i64) -> None:
        """Take the number of instances; those that are new are up."""
        self.settle_cost()
        if count > self.slots:
            self.down = grown(self.down, count)
            self.crashed = grown(self.crashed, count)
            self.paused = grown(self.paused, count)
            self.lives = grown(self.lives, count)
            while len(self.slow) < count:
                self.slow.append(1.0)
            self.slots = count
        self.instances = count
        self.next_instance = 0

    def inject(self, fault: str, params: Params) -> None:
        """Do a fault: one of the block's own, or one that all blocks share."""
        if self.on_fault(fault, params):
            return
        instance = params.integer("instance") if "instance" in params.values else EVERY_INSTANCE
        if fault == "crash":
            self.begin_fault(Fault(fault, instance, 0.0), params.ns("restart_after_s"))
        elif fault == "refuse":
            self.begin_fault(Fault(fault, instance, 0.0), params.ns("duration_s"))
        elif fault == "pause":
            self.begin_fault(Fault(fault, instance, 0.0), params.ns("duration_s"))
        else:
            assert fault == "slow_down", fault
            self.begin_fault(Fault(fault, instance, params.number("factor")), params.ns("duration_s"))

    def lasting_fault(self, fault: str, value: float, duration_ns: i64) -> None:
        """Keep a fault of the block's own until ``duration_ns`` has passed (-1: until cleared)."""
        self.begin_fault(Fault(fault, EVERY_INSTANCE, value), duration_ns)

    def begin_fault(self, fault: Fault, duration_ns: i64) -> None:
        """Enter a lasting fault, apply it, and schedule its end."""
        self.fault_serial += 1
        fault.serial = self.fault_serial
        fault.slots = self.slots
        self.active.append(fault)
        if fault.name == "crash":
            self.each_instance(fault, DOWN, 1)
        elif fault.name == "refuse":
            self.each_instance(fault, REFUSING, 1)
        elif fault.name == "pause":
            self.each_instance(fault, PAUSED, 1)
        elif fault.name == "slow_down":
            self.change_pace(fault, fault.value)
        self.settle_faults()
        if duration_ns >= 0:
            simulation = self.simulation
            simulation.queue.push(simulation.now + duration_ns, FAULT, 0, self.index, fault.serial)

    def end_fault(self, serial: i64) -> None:
        """End a lasting fault, unless it was cleared before."""
        index: i64 = 0
        while index < len(self.active):
            fault = self.active[index]
            if fault.serial == serial:
                del self.active[index]
                if fault.name == "crash":
                    self.each_instance(fault, DOWN, -1)
                elif fault.name == "refuse":
                    self.each_instance(fault, REFUSING, -1)
                elif fault.name == "pause":
                    self.each_instance(fault, PAUSED, -1)
                elif fault.name == "slow_down":
                    self.change_pace(fault, 1.0 / fault.value)
                else:
                    self.on_fault_end(fault.name, fault.value)
                self.settle_faults()
                return
            index += 1

    def clear_faults(self) -> None:
        """End all lasting faults now."""
        while len(self.active) > 0:
            self.end_fault(self.active[len(self.active) - 1].serial)

    def each_instance(self, fault: Fault, state: i64, change: i64) -> None:
        """Apply the beginning (1) or end (-1) of a fault state to one instance or to all that there were when it began."""
        instance = fault.instance
        which: i64 = instance if instance >= 0 else 0
        end: i64 = instance + 1 if instance >= 0 and instance < fault.slots else fault.slots
        which_text = "" if self.instances == 1 or instance < 0 else f" (instance {instance + 1})"
        if state == DOWN:
            if change > 0:
                self.note(
                    "crash", "bad", f"{self.label} crashed{which_text}", "Its calls are lost, new ones are refused."
                )
            else:
                self.note(
                    "restart", "good", f"{self.label} restarted{which_text}", "It is up again, with empty memory."
                )
        elif state == PAUSED:
            self.note(
                "pause" if change > 0 else "resume",
                "warning" if change > 0 else "good",
                f"{self.label} {'stalls' if change > 0 else 'goes on'}{which_text}",
                "Nothing in it moves; calls pile up." if change > 0 else "It works through what has piled up.",
            )
        else:
            self.note(
                "refuse" if change > 0 else "accept",
                "warning" if change > 0 else "good",
                f"{self.label} {'turns calls away' if change > 0 else 'takes calls again'}{which_text}",
                "What is in it goes on." if change > 0 else "",
            )
        while which < end:
            if state == DOWN:
                self.down[which] += change
                self.crashed[which] += change
                if change > 0 and self.crashed[which] == 1:
                    self.crash(which)
                elif change < 0 and self.crashed[which] == 0:
                    self.on_restart(which)
                    self.tell_process_start(which)
            elif state == REFUSING:
                self.down[which] += change
            else:
                self.paused[which] += change
                if change > 0 and self.paused[which] == 1:
                    self.freeze(which)
                elif change < 0 and self.paused[which] == 0:
                    self.thaw(which)
            which += 1

    def settle_faults(self) -> None:
        """Recompute the flags that the hot path looks at."""
        impaired = self.removed
        stalling = False
        index: i64 = 0
        while index < self.slots:
            if self.down[index] != 0 or self.slow[index] != 1.0:
                impaired = True
            if self.paused[index] != 0:
                stalling = True
            index += 1
        self.impaired = impaired
        self.stalling = stalling

    def health(self) -> float:
        """0 well, 1 impaired (slow, paused, refusing or some instances down), 2 every instance down."""
        down: i64 = 0
        index: i64 = 0
        while index < self.instances:
            if self.down[index] != 0:
                down += 1
            index += 1
        if self.removed or (down > 0 and down == self.instances):
            return 2.0
        return 1.0 if self.impaired or self.stalling or len(self.active) > 0 else 0.0

    # ---- work in progress under faults: rare, so these walk the whole queue or table

    def belongs(self, call: i64, instance: i64) -> bool:
        """Whether ``call`` is being worked on by ``instance`` (-1: any) of this block."""
        return instance < 0 or self.calls.instance[call] == instance

    def concerns(self, fault: Fault, call: i64) -> bool:
        """Whether ``call`` is being worked on by an instance that ``fault`` is about."""
        instance = self.calls.instance[call]
        return instance == fault.instance or (fault.instance < 0 and instance < fault.slots)

    def crash(self, instance: i64) -> None:
        """``instance`` dies: work stops, callers see a reset, callees' answers find nobody."""
        self.lives[instance] += 1
        self.take_work(instance, False)
        self.forget_stalled_work(instance)
        calls = self.calls
        edges = self.simulation.edges
        self.on_crash(instance)
        call: i64 = 0
        while call < calls.capacity:
            edge = calls.edge[call]
            if (
                edge >= 0
                and calls.flags[call] & AT_CALLEE != 0
                and edges[edge].callee_index == self.index
                and self.belongs(call, instance)
            ):
                self.drop_children(call)
                self.reply(call, CRASHED, 0, 0)
            call += 1

    def take_work(self, instance: i64, keep: bool) -> None:
        """Remove this instance's pending work from the queue; with ``keep``, into ``stalled`` with its place in order and the time left."""
        queue = self.simulation.queue
        queue.gather()
        calls = self.calls
        stays = zeros(queue.tail)
        index: i64 = 0
        while index < queue.tail:
            what = queue.what[index]
            call = what & 0xFFFFFFFF
            mine = queue.order[index] & 7 == WORK and what >> 32 == self.index and self.belongs(call, instance)
            if not mine:
                stays[index] = 1
            elif keep:
                self.put_aside(queue.order[index], call, queue.time[index] - self.simulation.now)
            elif calls.flags[call] & CANCELLED != 0:
                calls.release(call)
            else:
                calls.flags[call] &= ~WORKING
            index += 1
        queue.rebuild(stays)

    def put_aside(self, order: i64, what: i64, remaining: i64) -> None:
        """Keep one stalled event; one that comes from the queue keeps its sequence number in ``order``."""
        self.stalled = append(self.stalled, order)
        self.stalled = append(self.stalled, what)
        self.stalled = append(self.stalled, remaining)

    def freeze(self, instance: i64) -> None:
        """``instance`` stops moving: its work keeps the time that it still needs."""
        self.take_work(instance, True)

    def stall(self, kind: i64, tag: i64, argument: i64, owner: i64) -> bool:
        """Hold back an event for an instance that does not move; False when it concerns another."""
        if kind == CALL and self.calls.instance[argument] < 0:
            self.choose_instance(argument)
        instance = self.concerned(kind, argument)
        if instance < 0:
            index: i64 = 0
            while index < self.instances:
                if self.paused[index] == 0:
                    return False
                index += 1
        elif instance >= self.slots or self.paused[instance] == 0:
            return False
        self.put_aside(tag << 3 | kind, owner << 32 | argument if kind == EDGE else argument, 0)
        return True

    def concerned(self, kind: i64, argument: i64) -> i64:
        """The instance that an event is for; -1 when it is for the block as a whole."""
        calls = self.calls
        if kind == CALL or kind == WORK or kind == CANCEL:
            return calls.instance[argument]
        if kind == REPLY:
            parent = calls.parent[argument]
            return calls.instance[parent] if parent >= 0 and calls.flags[argument] & ABANDONED == 0 else -1
        return -1

    def thaw(self, instance: i64) -> None:
        """``instance`` moves again: what was held back happens now, in its order; work goes on where it stopped."""
        held = self.stalled
        self.stalled = vec[i64]()
        simulation = self.simulation
        index: i64 = 0
        while index < len(held):
            order = held[index]
            what = held[index + 1]
            remaining = held[index + 2]
            kind = order & 7
            concerned = self.concerned(kind, what)
            if concerned >= 0 and concerned != instance:
                self.put_aside(order, what, remaining)
            elif order >> 8 > 0:
                simulation.queue.place(simulation.now + remaining, order, self.index << 32 | what)
            elif kind == EDGE:
                simulation.queue.push(simulation.now, EDGE, (order >> 3) & 31, what >> 32, what & 0xFFFFFFFF)
            else:
                simulation.queue.push(simulation.now + remaining, kind, (order >> 3) & 31, self.index, what)
            index += 3

    def forget_stalled_work(self, instance: i64) -> None:
        """Work that a pause had set aside dies with its instance."""
        held = self.stalled
        self.stalled = vec[i64]()
        calls = self.calls
        index: i64 = 0
        while index < len(held):
            call = held[index + 1]
            if held[index] & 7 == WORK and self.belongs(call, instance):
                if calls.flags[call] & CANCELLED != 0:
                    calls.release(call)
                else:
                    calls.flags[call] &= ~WORKING
            else:
                self.put_aside(held[index], call, held[index + 2])
            index += 3

    def change_pace(self, fault: Fault, factor: float) -> None:
        """Work takes ``factor`` times as long from now on, the rest of what is under way (or held back by a pause) included."""
        instance = fault.instance
        first: i64 = instance if instance >= 0 else 0
        end: i64 = instance + 1 if instance >= 0 and instance < fault.slots else fault.slots
        which: i64 = first
        while which < end:
            pace = self.slow[which] * factor
            self.slow[which] = 1.0 if pace > 0.999999 and pace < 1.000001 else pace
            which += 1
        queue = self.simulation.queue
        queue.gather()
        now = self.simulation.now
        stays = zeros(queue.tail)
        index: i64 = 0
        while index < queue.tail:
            stays[index] = 1
            what = queue.what[index]
            if queue.order[index] & 7 == WORK and what >> 32 == self.index and self.concerns(fault, what & 0xFFFFFFFF):
                queue.time[index] = now + whole_ns(float(queue.time[index] - now) * factor)
            index += 1
        queue.rebuild(stays)
        index = 0
        while index < len(self.stalled):
            if self.stalled[index] & 7 == WORK and self.concerns(fault, self.stalled[index + 1]):
                self.stalled[index + 2] = whole_ns(float(self.stalled[index + 2]) * factor)
            index += 3
        if first >= end:
            return
        title = f"{self.label} runs at its usual pace" if factor < 1.0 else f"{self.label} slows down"
        self.note(
            "pace",
            "good" if factor < 1.0 else "warning",
            title,
            f"Its work now takes {self.slow[first]:.3g} times as long.",
        )

    def retire(self) -> None:
        """The block is deleted from the drawing: its calls end, new ones are refused."""
        self.settle_prices()
        self.removed = True
        index: i64 = 0
        while index < self.slots:
            self.crash(index)
            if self.paused[index] > 0:
                self.paused[index] = 0
                self.thaw(index)
            index += 1
        self.active = []
        self.settle_faults()

    def common_metrics(self) -> list[float]:
        """The figures that every block reports, in the order of ``COMMON_METRICS``."""
        return [
            self.health(),
            float(self.offered),
            float(self.completed),
            float(self.failed),
            float(self.in_flight),
            self.busy(),
            self.capacity(),
            self.queue(),
            self.cost(),
        ]

    def in_flight_integral(self) -> float:
        """Time integral of calls in flight since the start, in call-ns; looking changes nothing."""
        return self.area + float(self.in_flight) * float(self.simulation.now - self.changed)

    def failures_by_reason(self) -> dict[str, int]:
        """Failed calls by outcome, only those that occurred."""
        return {
            OUTCOMES[index]: int(self.failures[index]) for index in range(OUTCOME_COUNT) if self.failures[index] > 0
        }

    def returned(self, call: i64) -> bool:
        """Whether nobody waits for this call's answer any more."""
        return self.calls.flags[call] & (ABANDONED | RETURNED | CANCEL_SENT) != 0
