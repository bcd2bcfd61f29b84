"""Startup, liveness and readiness probes as Kubernetes has them: "Configure Liveness, Readiness and Startup Probes", kubernetes.io.

Each target is asked every period from a random phase on, once for each kind of probe. A verdict turns after so many failures (or
successes) in a row. Until its startup probe has succeeded, a target is asked nothing else.

Who orders restarts sees a process begin, as the kubelet sees a container, and begins anew with it: a container that restarts is not ready
until its probes say so. That a process or its machine is gone is only found out by asking.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from librt.vecs import vec
from mypy_extensions import i64

from playground.blocks.load_balancer.targets import BY_LIVENESS, BY_READINESS, INSTANCE_BITS, INSTANCE_MASK, carried
from playground.engine.outcomes import OK, PROBE_LIVENESS, PROBE_READINESS, PROBE_STARTUP
from playground.engine.state import State
from playground.engine.words import counted, often

if TYPE_CHECKING:
    from playground.blocks.load_balancer.targets import Targets
    from playground.engine.block import Block
    from playground.engine.params import Params
    from playground.engine.streams import Stream

PROBE_TIMERS: Final = 1
"""Timer tags of the three kinds of probes begin here. Their argument is the target's key."""

NEVER: Final = -1


class Prober(State):
    """Asks the targets how they are, and writes what it believes into ``targets``."""

    def __init__(self, block: Block, targets: Targets, stream: Stream) -> None:
        self.block = block
        self.targets = targets
        self.stream = stream
        self.on: bool = False
        self.startup: bool = False
        self.liveness: bool = False
        self.readiness: bool = False
        self.restarts: bool = False
        self.period_ns: i64 = 1
        self.timeout_ns: i64 = 1
        self.startup_period_ns: i64 = 1
        self.failure_threshold: i64 = 1
        self.success_threshold: i64 = 1
        self.startup_threshold: i64 = 1
        # By row. When the next probe of each kind is due (ns; an older timer is void); failures in a row of each kind; readiness
        # successes in a row; when the last answer came, ns; a number that old probes don't have.
        self.startup_due: vec[i64] = vec[i64]()
        self.liveness_due: vec[i64] = vec[i64]()
        self.readiness_due: vec[i64] = vec[i64]()
        self.startup_failures: vec[i64] = vec[i64]()
        self.liveness_failures: vec[i64] = vec[i64]()
        self.readiness_failures: vec[i64] = vec[i64]()
        self.successes: vec[i64] = vec[i64]()
        self.answered_at: vec[i64] = vec[i64]()
        self.era: vec[i64] = vec[i64]()
        self.eras: i64 = 0
        # Answers to probes of earlier eras than this are those of a process that is gone.
        self.oldest: i64 = 0
        # Whether the row was listed when it was last looked at.
        self.known: vec[i64] = vec[i64]()
        self.failed: i64 = 0

    def configure(self, params: Params) -> None:
        """Take parameters; what is believed of the targets stays until a probe says otherwise."""
        self.period_ns = params.ns("probe_period_s")
        self.timeout_ns = params.ns("probe_timeout_s")
        self.failure_threshold = params.integer("failure_threshold")
        self.success_threshold = params.integer("success_threshold")
        self.startup_period_ns = params.ns("startup_period_s")
        self.startup_threshold = params.integer("startup_threshold")
        self.restarts = params.flag("liveness_restarts")
        startup = params.flag("startup")
        liveness = params.flag("liveness")
        readiness = params.flag("readiness")
        on = params.flag("probes")
        if (on, startup, liveness, readiness) == (self.on, self.startup, self.liveness, self.readiness):
            return
        self.on, self.startup, self.liveness, self.readiness = on, startup, liveness, readiness
        row: i64 = 0
        while row < len(self.era):
            self.forget(row)
            if not startup or not on:
                self.targets.starting[row] = 0
            if not liveness or not on:
                self.targets.alive[row] = 1
            if not readiness or not on:
                self.targets.ready[row] = 1
            if on and self.targets.listed[row] != 0:
                self.begin(row)
            row += 1

    def relist(self) -> None:
        """The list of targets has changed: look after the new ones, stop asking those that are gone."""
        targets = self.targets
        came_from = targets.came_from
        self.startup_due = carried(self.startup_due, came_from, NEVER)
        self.liveness_due = carried(self.liveness_due, came_from, NEVER)
        self.readiness_due = carried(self.readiness_due, came_from, NEVER)
        self.startup_failures = carried(self.startup_failures, came_from, 0)
        self.liveness_failures = carried(self.liveness_failures, came_from, 0)
        self.readiness_failures = carried(self.readiness_failures, came_from, 0)
        self.successes = carried(self.successes, came_from, 0)
        self.answered_at = carried(self.answered_at, came_from, NEVER)
        self.era = carried(self.era, came_from, 0)
        self.known = carried(self.known, came_from, 0)
        row: i64 = 0
        while row < targets.count:
            if targets.listed[row] != self.known[row]:
                self.known[row] = targets.listed[row]
                self.forget(row)
                if targets.listed[row] != 0 and self.on:
                    # What is there when the run begins has been there before, as what is there when a crash of the balancer is over.
                    if self.block.now() > 0 and self.block.crashed[0] == 0:
                        self.await_start(row)
                    else:
                        self.begin(row)
            row += 1

    def forget(self, row: i64) -> None:
        """Count from 0, and ignore timers and answers of before."""
        self.eras += 1
        self.era[row] = self.eras
        self.startup_due[row] = NEVER
        self.liveness_due[row] = NEVER
        self.readiness_due[row] = NEVER
        self.startup_failures[row] = 0
        self.liveness_failures[row] = 0
        self.readiness_failures[row] = 0
        self.successes[row] = 0

    def stop(self) -> None:
        """The balancer has crashed: nobody asks, and answers that are on their way find nobody."""
        self.eras += 1
        self.oldest = self.eras
        row: i64 = 0
        while row < len(self.era):
            self.forget(row)
            self.answered_at[row] = NEVER
            row += 1

    def resume(self) -> None:
        """Its process runs again: ask all that are listed."""
        row: i64 = 0
        while row < len(self.era):
            if self.on and self.targets.listed[row] != 0:
                self.begin(row)
            row += 1

    def await_start(self, row: i64) -> None:
        """A target is new, or is being restarted: it isn't ready, and where there is a startup probe nothing else is asked before."""
        targets = self.targets
        self.forget(row)
        targets.changed = True
        targets.alive[row] = 1
        targets.ready[row] = 0 if self.readiness else 1
        targets.starting[row] = 1 if self.startup else 0
        self.begin(row)

    def started_anew(self, row: i64) -> None:
        """The target had crashed, and another process starts in its place: what the probes of the old one said is void."""
        targets = self.targets
        if not self.on or targets.listed[row] == 0:
            return
        was_well = targets.is_healthy(row)
        self.await_start(row)
        if was_well and not targets.is_healthy(row):
            text = f"Its process begins anew: no calls from {self.block.label} until its probes succeed."
            self.block.note("not_ready", "bad", f"{targets.label(row)} is not ready", text)

    def begin(self, row: i64) -> None:
        """Ask from a random phase on; while the balancer is down there is nobody to do it."""
        if self.block.crashed[0] > 0:
            return
        if self.targets.starting[row] != 0:
            self.schedule(row, PROBE_STARTUP, self.phase(self.startup_period_ns))
            return
        if self.liveness:
            self.schedule(row, PROBE_LIVENESS, self.phase(self.period_ns))
        if self.readiness:
            self.schedule(row, PROBE_READINESS, self.phase(self.period_ns))

    def phase(self, period_ns: i64) -> i64:
        """Any moment of a period."""
        return i64(self.stream.uniform() * float(period_ns))

    def schedule(self, row: i64, kind: i64, ns: i64) -> None:
        """Let the next probe of a kind be due in ``ns``."""
        due = self.block.now() + ns
        if kind == PROBE_STARTUP:
            self.startup_due[row] = due
        elif kind == PROBE_LIVENESS:
            self.liveness_due[row] = due
        else:
            self.readiness_due[row] = due
        self.block.timer(ns, PROBE_TIMERS + kind, self.targets.key_of(row))

    def ring(self, kind: i64, key: i64) -> None:
        """A probe is due: send it, and wait for the next."""
        targets = self.targets
        row = targets.row_of_key(key)
        if row < 0:
            return
        due = self.startup_due[row]
        if kind == PROBE_LIVENESS:
            due = self.liveness_due[row]
        elif kind == PROBE_READINESS:
            due = self.readiness_due[row]
        if due < 0 or due > self.block.now():
            return
        self.schedule(row, kind, self.startup_period_ns if kind == PROBE_STARTUP else self.period_ns)
        edge = targets.edges[targets.edge[row]]
        call = edge.probe(key & INSTANCE_MASK, kind, self.timeout_ns)
        self.block.calls.data[call] = self.era[row]

    def on_probed(self, call: i64) -> None:
        """A probe was answered, or not in time."""
        calls = self.block.calls
        if calls.data[call] < self.oldest:
            return
        row = self.targets.row_of_key(calls.edge[call] << INSTANCE_BITS | calls.instance[call])
        well = calls.outcome[call] == OK
        if not well:
            self.failed += 1
        if row < 0 or self.era[row] != calls.data[call]:
            return
        self.answered_at[row] = self.block.now()
        kind = calls.key[call]
        if kind == PROBE_STARTUP:
            self.on_startup(row, well)
        elif kind == PROBE_LIVENESS:
            self.on_liveness(row, well)
        else:
            self.on_readiness(row, well)

    def on_startup(self, row: i64, well: bool) -> None:
        """The first success opens the gate for the other two; too many failures mean that it never comes up."""
        targets = self.targets
        if well:
            self.forget(row)
            targets.starting[row] = 0
            targets.changed = True
            self.begin(row)
            return
        self.startup_failures[row] += 1
        if self.startup_failures[row] >= self.startup_threshold:
            self.startup_failures[row] = 0
            if self.restarts:
                self.restart(row, f"It did not start within {counted(self.startup_threshold, 'probe')}.")

    def on_liveness(self, row: i64, well: bool) -> None:
        """Too many failures in a row: it is taken for dead, and restarted where that is ordered."""
        targets = self.targets
        if well:
            self.liveness_failures[row] = 0
            if targets.alive[row] == 0:
                targets.alive[row] = 1
                targets.changed = True
                if targets.route_by == BY_LIVENESS:
                    self.note_ready(row)
            return
        self.liveness_failures[row] += 1
        if self.liveness_failures[row] < self.failure_threshold:
            return
        if self.restarts:
            self.restart(
                row,
                f"Its liveness probe failed {often(self.failure_threshold)}{' in a row' if self.failure_threshold > 1 else ''}.",
            )
        elif targets.alive[row] != 0:
            targets.alive[row] = 0
            targets.changed = True
            if targets.route_by == BY_LIVENESS:
                self.note_not_ready(row, "liveness", self.failure_threshold)

    def restart(self, row: i64, why: str) -> None:
        """Order a restart; whatever comes up has to start first."""
        targets = self.targets
        if targets.ready[row] != 0 and targets.route_by == BY_READINESS:
            self.note_not_ready(row, "liveness", self.failure_threshold)
        self.await_start(row)
        targets.edges[targets.edge[row]].callee.order_restart(targets.instance[row], why)

    def on_readiness(self, row: i64, well: bool) -> None:
        """Whether it gets traffic; nothing else follows from readiness."""
        targets = self.targets
        if well:
            self.readiness_failures[row] = 0
            self.successes[row] += 1
            if targets.ready[row] == 0 and self.successes[row] >= self.success_threshold:
                targets.ready[row] = 1
                targets.changed = True
                # An active check that finds it well ends an ejection, as Envoy's successful_active_health_check_uneject_host has it.
                targets.ejected_at[row] = -1
                if targets.route_by == BY_READINESS:
                    self.note_ready(row)
            return
        self.successes[row] = 0
        self.readiness_failures[row] += 1
        if targets.ready[row] != 0 and self.readiness_failures[row] >= self.failure_threshold:
            targets.ready[row] = 0
            targets.changed = True
            if targets.route_by == BY_READINESS:
                self.note_not_ready(row, "readiness", self.failure_threshold)

    def note_not_ready(self, row: i64, probe: str, failures: i64) -> None:
        """Say that a target gets no more traffic."""
        failed = counted(failures, f"{probe} probe") + (" failed in a row" if failures > 1 else " failed")
        text = f"{failed}. It gets no new calls from {self.block.label}."
        self.block.note("not_ready", "bad", f"{self.targets.label(row)} is not ready", text)

    def note_ready(self, row: i64) -> None:
        """Say that a target gets traffic."""
        self.block.note("ready", "good", f"{self.targets.label(row)} is ready", f"{self.block.label} sends it calls.")

    def failures_in_a_row(self, row: i64) -> i64:
        """The most that any of its probes failed in a row up to now."""
        most = self.startup_failures[row]
        if self.liveness_failures[row] > most:
            most = self.liveness_failures[row]
        return self.readiness_failures[row] if self.readiness_failures[row] > most else most
