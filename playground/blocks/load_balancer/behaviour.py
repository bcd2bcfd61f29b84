"""Spreads requests over the instances of what is behind it, and keeps an eye on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mypy_extensions import i64

from playground.blocks.load_balancer.choosing import ALGORITHMS, RING_HASH, WEIGHTED, Chooser
from playground.blocks.load_balancer.health import PROBE_TIMERS, Prober
from playground.blocks.load_balancer.outliers import SWEEP, Outliers
from playground.blocks.load_balancer.stickiness import (
    COOKIE,
    NO_COOKIE,
    NO_STICKINESS,
    STICKY,
    Cookies,
    came_from_target,
)
from playground.blocks.load_balancer.targets import BY_NOTHING, ROUTES, VERDICTS, Targets
from playground.engine.block import Block
from playground.engine.hashing import hash_62
from playground.engine.outcomes import CRASHED, NO_UPSTREAM, NOT_READY, OK, PROBE_READINESS, REFUSED
from playground.engine.params import Params
from playground.engine.words import counted

if TYPE_CHECKING:
    from playground.engine.edge import Edge
    from playground.engine.simulation import Simulation

CELLS_MAX: Final = 128
MARKED: Final = 128
ROWS_SHOWN: Final = 50


class LoadBalancer(Block):
    """A target is one instance behind one edge.

    The balancer knows of each how many of its own calls are out there, what its probes say, and how its own calls ended.
    """

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.targets = Targets(self)
        self.chooser = Chooser(self.targets, self.stream("choice of target"))
        self.prober = Prober(self, self.targets, self.stream("phases of probes"))
        self.outliers = Outliers(self, self.targets)
        self.cookies = Cookies(self.targets)
        self.tries: i64 = 1
        self.sticky: i64 = NO_STICKINESS
        self.by_key: bool = False
        self.forwarded: i64 = 0
        self.elsewhere: i64 = 0
        self.panicking: bool = False

    def configure(self, params: Params) -> None:
        """Take parameters; cookies and what is known of the targets stay."""
        targets = self.targets
        chooser = self.chooser
        chooser.algorithm = ALGORITHMS.index(params.text("algorithm"))
        chooser.bounded = params.number("bounded_loads")
        chooser.virtual_nodes = params.integer("virtual_nodes")
        self.tries = params.integer("tries")
        self.by_key = params.text("hash_on") == "key"
        self.sticky = STICKY.index(params.text("sticky"))
        self.cookies.resize(params.integer("cookies_max"))
        if self.sticky != COOKIE:
            self.cookies.clear()
        targets.ramp_ns = params.ns("slow_start_s")
        targets.panic_percent = params.number("panic_percent")
        targets.route_by = ROUTES.index(params.text("route_by")) if params.flag("probes") else BY_NOTHING
        self.prober.configure(params)
        self.outliers.configure(params)
        targets.changed = True
        self.settle(True)

    def wired(self) -> None:
        """List the targets anew; what is out there stays counted."""
        self.targets.relist(self.out["out"])
        self.cookies.relist()
        self.prober.relist()
        self.outliers.relist()
        self.settle(True)

    def settle(self, anew: bool) -> None:
        """After a verdict has changed: who takes calls now. ``anew``: the hash tables are brought up to it in any case."""
        targets = self.targets
        if not targets.changed:
            return
        before = targets.taking
        tied = self.sticky == COOKIE
        was: list[i64] = (
            [row for row in range(targets.count) if before[row] != 0 and targets.tied[row] > 0] if tied else []
        )
        if targets.settle() or anew:
            self.chooser.prepare()
        for row in was:
            if targets.taking[row] == 0:
                many = targets.tied[row]
                text = f"{counted(many, 'session is', 'sessions are')} tied to it; each moves with its next request."
                self.note("sessions_moved", "warning", f"Sessions leave {targets.label(row)}", text)
        if targets.panic != self.panicking:
            self.panicking = targets.panic
            self.note_panic()

    def note_panic(self) -> None:
        """Say that panic begins or ends."""
        healthy = self.targets.healthy_all
        well = f"{healthy} of {counted(self.targets.listed_all, 'target')} {'is' if healthy == 1 else 'are'} well"
        if self.panicking:
            text = f"{well}: calls go to all of them, those that seem dead included."
            self.note("panic", "bad", f"{self.label} panics", text)
        else:
            self.note("panic_over", "good", f"{self.label} panics no more", f"{well}; calls go to these alone.")

    # ---- calls

    def on_call(self, call: i64) -> None:
        """Send it on."""
        calls = self.calls
        calls.mark[call] = 1
        calls.memo[call] = self.cookies.of_user(calls.user[call]) if self.sticky == COOKIE else NO_COOKIE
        self.forward(call)

    def forward(self, call: i64) -> None:
        """Send ``call`` to a target; without any it fails by name."""
        row = self.choose(call)
        if row < 0:
            self.reply(call, NO_UPSTREAM, 0, 0)
            return
        targets = self.targets
        targets.outstanding[row] += 1
        self.forwarded += 1
        self.send_on(targets.edges[targets.edge[row]], call, targets.instance[row])

    def choose(self, call: i64) -> i64:
        """The row of the target for a call; -1 where there is none."""
        calls = self.calls
        attempt = calls.mark[call]
        # Who was turned away at the target that it is tied to is sent to whoever the algorithm says.
        if self.sticky != NO_STICKINESS and attempt == 1:
            row = (
                self.cookies.target_of(calls.memo[call])
                if self.sticky == COOKIE
                else self.chooser.home_of(calls.user[call])
            )
            if row >= 0:
                return row
        key = calls.key[call] if self.by_key else calls.user[call]
        if attempt > 1:
            key = hash_62(key, attempt)
        return self.chooser.choose(self.simulation.now, key)

    def take_off(self, call: i64) -> i64:
        """A call is no longer out there; the row of its target, -1 when that is gone."""
        calls = self.calls
        row = self.targets.row_of(calls.edge[call], calls.instance[call])
        if row >= 0 and self.targets.outstanding[row] > 0:
            self.targets.outstanding[row] -= 1
        return row

    def on_reply(self, call: i64) -> None:
        """Hand the answer on, or try another target where one could not even take the call."""
        row = self.take_off(call)
        calls = self.calls
        outcome = calls.outcome[call]
        parent = calls.parent[call]
        if row >= 0:
            if self.outliers.on:
                self.outliers.record(row, outcome, calls.flags[call], calls.began[call])
                self.settle(False)
            if self.sticky == COOKIE and came_from_target(outcome):
                self.cookies.tie(calls.user[call], row, calls.memo[parent], self.simulation.now)
        if (outcome == REFUSED or outcome == CRASHED) and calls.mark[parent] < self.tries:
            calls.mark[parent] += 1
            self.elsewhere += 1
            self.forward(parent)
            return
        self.reply_like(parent, call)

    def on_abandoned(self, call: i64) -> None:
        """A call that is out there lost its parent: it doesn't count any more."""
        self.take_off(call)

    # ---- health

    def on_timer(self, tag: i64, argument: i64) -> None:
        """A probe or a sweep is due; while it is down there is nobody who would do it."""
        if self.removed or self.is_down():
            return
        if tag == SWEEP:
            self.outliers.sweep()
            self.settle(False)
        else:
            self.prober.ring(tag - PROBE_TIMERS, argument)

    def on_process_start(self, edge: Edge, instance: i64) -> None:
        """A target that had crashed begins anew."""
        row = self.targets.row_of(edge.index, instance)
        if row >= 0 and not self.is_down():
            self.prober.started_anew(row)
            self.settle(False)

    def uses(self, edge: Edge, instance: i64) -> bool:
        """Whether a target is well."""
        row = self.targets.row_of(edge.index, instance)
        return row < 0 or self.targets.healthy[row] != 0

    def on_probed(self, call: i64) -> None:
        """A probe has ended; one that was sent before a crash concerns nobody any more."""
        if not self.is_down():
            self.prober.on_probed(call)
            self.settle(False)

    def on_probe(self, call: i64) -> None:
        """The balancer itself is asked: it is ready as long as one target is well."""
        asked_ready = self.calls.key[call] == PROBE_READINESS
        self.answer_probe(call, NOT_READY if asked_ready and self.targets.healthy_all == 0 else OK)

    def on_crash(self, instance: i64) -> None:
        """What it knew of its targets was in memory: for the process that follows all are as when the run began."""
        self.prober.stop()
        self.outliers.stop()
        self.begin_anew()

    def on_restart(self, instance: i64) -> None:
        """A fresh process: it counts errors from 0 and probes from new phases on."""
        if not self.removed:
            self.begin_anew()
            self.prober.resume()
            self.outliers.resume()

    def begin_anew(self) -> None:
        """Know nothing of the targets but the list of them."""
        self.targets.trust()
        self.chooser.begin_anew()
        self.panicking = self.targets.panic

    def is_down(self) -> bool:
        """Whether its process is gone. It has one instance."""
        return self.crashed[0] > 0

    # ---- figures

    def metrics(self) -> list[float]:
        """See ``spec.py``."""
        targets = self.targets
        most: i64 = 0
        total: i64 = 0
        row: i64 = 0
        while row < targets.count:
            here = targets.outstanding[row]
            total += here
            if here > most:
                most = here
            row += 1
        spread = float(most) * float(targets.listed_all) / float(total) if total > 0 else 1.0
        return [
            float(self.forwarded),
            float(targets.listed_all),
            float(most),
            spread,
            float(self.elsewhere),
            float(targets.healthy_all),
            float(self.prober.failed),
            float(targets.ejected_all),
            float(self.cookies.moved),
            1.0 if targets.panic else 0.0,
        ]

    def cells(self) -> list[int]:
        """One for each target: its verdict; marked where it takes calls in panic alone."""
        targets = self.targets
        shown = min(int(targets.count), CELLS_MAX)
        return [
            int(targets.verdict(row)) + (MARKED if targets.taking[row] != 0 and targets.healthy[row] == 0 else 0)
            for row in range(shown)
        ]

    def detail(self) -> dict[str, object]:
        """The targets, one a row: what is known of them, calls out there, their part of new calls."""
        targets = self.targets
        now = self.simulation.now
        weights: list[float] = []
        for row in range(targets.count):
            base = float(targets.weight[row]) if self.chooser.algorithm == WEIGHTED else 1.0
            weights.append(base * float(targets.factor(row, now)) if targets.taking[row] != 0 else 0.0)
        total = sum(weights)
        rows: list[object] = []
        for row in range(min(int(targets.count), ROWS_SHOWN)):
            shown: dict[str, object] = {
                "target": targets.label(row),
                "out_there": int(targets.outstanding[row]),
                "verdict": VERDICTS[targets.verdict(row)],
                "weight_percent": round(100.0 * weights[row] / total, 2) if total > 0.0 else 0.0,
            }
            if self.prober.on:
                probed_at = self.prober.answered_at[row]
                shown["probes_failed_in_a_row"] = int(self.prober.failures_in_a_row(row))
                shown["last_probe_age_s"] = round(float(now - probed_at) / 1e9, 3) if probed_at >= 0 else None
            if self.outliers.on:
                begun = targets.ejected_at[row]
                until = round(float(begun + self.outliers.lasts(row)) / 1e9, 3) if begun >= 0 else None
                shown["errors_in_a_row"] = int(self.outliers.errors[row])
                shown["ejected_until_s"] = until
            if self.sticky == COOKIE:
                shown["sessions"] = int(targets.tied[row])
            rows.append(shown)
        found: dict[str, object] = {
            "algorithm": ALGORITHMS[self.chooser.algorithm].replace("_", " "),
            "panic": bool(targets.panic),
            "targets": rows,
        }
        if self.chooser.algorithm == RING_HASH:
            found["points_a_target"] = int(self.chooser.ring.points_each())
        return found
