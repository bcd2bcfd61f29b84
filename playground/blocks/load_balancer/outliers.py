"""Outlier ejection as Envoy has it, by failures in a row: "Outlier detection", envoyproxy.io, architecture overview.

A target that fails so many calls in a row is ejected at once, for base time x times ejected lately. A sweep takes back those whose
time is over, and forgives one ejection of those that were well since the last sweep. At most a share of all targets is out, but one may
always be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from librt.vecs import vec
from mypy_extensions import i64

from playground.blocks.load_balancer.targets import carried
from playground.engine.calls import LOCAL
from playground.engine.columns import zeros
from playground.engine.outcomes import BAD_REQUEST, EXPIRED, OK, RATE_LIMITED, REMOVED, SIGNED_OUT
from playground.engine.state import State

if TYPE_CHECKING:
    from playground.blocks.load_balancer.targets import Targets
    from playground.engine.block import Block
    from playground.engine.params import Params

SWEEP: Final = 0
"""Timer tag."""

NOT_LISTED: Final = 1 << 60
"""Later than any time."""


def is_server_error(outcome: i64) -> bool:
    """Whether an outcome is what HTTP calls 5xx, or no answer at all: not 400, 401, 429, or what the caller itself had given up."""
    if outcome == BAD_REQUEST:
        return False
    return not (
        outcome == OK or outcome == RATE_LIMITED or outcome == SIGNED_OUT or outcome == EXPIRED or outcome == REMOVED
    )


class Outliers(State):
    """Counts failures in a row by row of ``targets``, and writes ejections into it."""

    def __init__(self, block: Block, targets: Targets) -> None:
        self.block = block
        self.targets = targets
        self.on: bool = False
        self.consecutive: i64 = 1
        self.interval_ns: i64 = 1
        self.base_ns: i64 = 1
        self.longest_ns: i64 = 1
        self.most_percent: float = 0.0
        self.sweep_due: i64 = -1
        # By row: server errors in a row; how many times the base time the next ejection but one lasts.
        self.errors: vec[i64] = vec[i64]()
        self.times: vec[i64] = vec[i64]()
        # When it was listed, ns.
        self.listed_at: vec[i64] = vec[i64]()

    def configure(self, params: Params) -> None:
        """Take parameters; switched off, all ejected ones are back."""
        self.consecutive = params.integer("consecutive_5xx")
        self.interval_ns = params.ns("outlier_interval_s")
        self.base_ns = params.ns("base_ejection_s")
        self.longest_ns = max(params.ns("max_ejection_s"), self.base_ns)
        self.most_percent = params.number("max_ejected_percent")
        self.on = params.flag("outlier_ejection")
        if not self.on:
            self.clear()
        elif self.sweep_due < 0 and self.block.crashed[0] == 0:
            self.wait_for_sweep()

    def stop(self) -> None:
        """The balancer has crashed: nobody sweeps."""
        self.sweep_due = -1
        self.clear()

    def resume(self) -> None:
        """Its process runs again."""
        if self.on:
            self.wait_for_sweep()

    def clear(self) -> None:
        """Forget errors and ejections."""
        targets = self.targets
        self.errors = zeros(targets.count)
        self.times = zeros(targets.count)
        row: i64 = 0
        while row < targets.count:
            targets.ejected_at[row] = -1
            row += 1
        targets.changed = True

    def relist(self) -> None:
        """The list of targets has changed. What is listed no more is forgotten, its ejection as well, as Envoy forgets a host that has left
        its cluster: whoever is listed there next is another process, and it takes no place of those that may be out."""
        targets = self.targets
        self.errors = carried(self.errors, targets.came_from, 0)
        self.times = carried(self.times, targets.came_from, 0)
        self.listed_at = carried(self.listed_at, targets.came_from, NOT_LISTED)
        row: i64 = 0
        while row < targets.count:
            if targets.listed[row] == 0:
                self.errors[row] = 0
                self.times[row] = 0
                self.listed_at[row] = NOT_LISTED
                targets.ejected_at[row] = -1
            elif self.listed_at[row] == NOT_LISTED:
                self.listed_at[row] = self.block.now()
            row += 1

    def record(self, row: i64, outcome: i64, flags: i64, began: i64) -> None:
        """A call to a target, made at ``began``, has ended. One that was made to a process that has left the list since says nothing of
        whoever is listed there next."""
        if began < self.listed_at[row]:
            return
        if not is_server_error(outcome):
            self.errors[row] = 0
            return
        # Without leaving the balancer it says nothing of the target.
        if flags & LOCAL != 0:
            return
        self.errors[row] += 1
        if self.errors[row] >= self.consecutive:
            self.errors[row] = 0
            self.eject(row)

    def eject(self, row: i64) -> None:
        """Send a target nothing for a while, unless too many are out."""
        targets = self.targets
        if targets.ejected_at[row] >= 0 or targets.listed[row] == 0:
            return
        out = self.ejected()
        if out > 0 and 100.0 * float(out + 1) > self.most_percent * float(targets.listed_all):
            return
        targets.ejected_at[row] = self.block.now()
        if self.times[row] < 1 or self.times[row] * self.base_ns < self.longest_ns:
            self.times[row] += 1
        targets.changed = True
        failed = f"{self.consecutive} calls to it failed in a row" if self.consecutive > 1 else "A call to it failed"
        text = f"{failed}. It gets none for {float(self.lasts(row)) / 1e9:g} s at least."
        self.block.note("ejected", "warning", f"{targets.label(row)} ejected by {self.block.label}", text)

    def ejected(self) -> i64:
        """Targets that are out now."""
        out: i64 = 0
        row: i64 = 0
        while row < self.targets.count:
            if self.targets.ejected_at[row] >= 0:
                out += 1
            row += 1
        return out

    def lasts(self, row: i64) -> i64:
        """How long a target's present ejection lasts, ns."""
        length = self.base_ns * self.times[row]
        return length if length < self.longest_ns else self.longest_ns

    def wait_for_sweep(self) -> None:
        """Set the timer."""
        self.sweep_due = self.block.now() + self.interval_ns
        self.block.timer(self.interval_ns, SWEEP, 0)

    def sweep(self) -> None:
        """Take back those whose time is over; forgive the others one ejection."""
        now = self.block.now()
        if self.sweep_due < 0 or now < self.sweep_due:
            return
        self.sweep_due = -1
        if not self.on:
            return
        self.wait_for_sweep()
        targets = self.targets
        row: i64 = 0
        while row < targets.count:
            begun = targets.ejected_at[row]
            if begun < 0:
                if self.times[row] > 0:
                    self.times[row] -= 1
            elif now - begun >= self.lasts(row):
                targets.ejected_at[row] = -1
                targets.changed = True
                title = f"{targets.label(row)} is back at {self.block.label}"
                self.block.note("ejection_over", "good", title, "Its ejection is over; it gets calls again.")
            row += 1
