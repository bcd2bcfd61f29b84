"""Autoscaling as Kubernetes' HorizontalPodAutoscaler does it: as many instances as bring the utilisation to its target.

Kubernetes, "Horizontal Pod Autoscaling": desired = ceil(current x utilisation / target), nothing within a tolerance of 10 %, instances that
are not ready count as idle where it would scale out, and it scales in only to the highest recommendation of the stabilisation window.
"""

from __future__ import annotations

from math import ceil
from typing import Final, final

from mypy_extensions import i64

from playground.blocks.app_server.life import Life
from playground.blocks.app_server.states import DOWN, GO_OFF, OFF, READY, SCALING_TIMER, STARTING, WARMING
from playground.engine.params import Params
from playground.engine.state import State

TOLERANCE: Final = 0.1


@final
class Autoscaler(State):
    """Decides every ``every_ns`` how many of the instances run. ``enabled`` is False where their number is a parameter."""

    def __init__(self, life: Life) -> None:
        self.life = life
        self.enabled: bool = False
        self.least: i64 = 1
        self.most: i64 = 1
        self.target: float = 1.0
        self.every_ns: i64 = 1
        self.cool_down_ns: i64 = 0
        self.serial: i64 = 0
        self.begun: bool = False
        self.area: float = 0.0
        self.looked_at: i64 = 0
        # Recommendations of the window, falling: one that is not above a later one decides nothing any more.
        self.advised: list[int] = []
        self.advised_at: list[int] = []
        self.utilisation: float = 0.0
        self.desired: i64 = 0
        self.scaled_out: i64 = 0
        self.scaled_in: i64 = 0

    def configure(self, params: Params) -> None:
        """Bounds, target, times; switched on while a run goes on, it looks at the time from then on."""
        was = self.enabled
        self.enabled = params.flag("autoscale")
        self.least = params.integer("instances_min")
        self.most = params.integer("instances_max")
        self.target = params.number("target_utilisation_percent") / 100.0
        every = params.ns("evaluate_every_s")
        self.cool_down_ns = params.ns("cool_down_s")
        changed = every != self.every_ns or self.enabled != was
        self.every_ns = every
        if self.begun and changed:
            self.begin()

    def at_first(self, instances: i64) -> i64:
        """How many of ``instances`` run to begin with."""
        if instances < self.least:
            return self.least
        return instances if instances < self.most else self.most

    def begin(self) -> None:
        """Look again after ``every_ns``; timers that are set already are void."""
        self.begun = True
        self.serial += 1
        self.desired = self.current()
        self.advised = []
        self.advised_at = []
        if self.enabled:
            self.recommend(self.desired)
            self.look_again()

    def look_again(self) -> None:
        """Begin the next interval."""
        station = self.life.station
        self.area = station.busy_integral()
        self.looked_at = self.life.owner.simulation.now
        self.life.owner.timer(self.every_ns, SCALING_TIMER, self.serial & 0xFFFFFFFF)

    def on_timer(self, argument: i64) -> None:
        """An interval is over."""
        if argument == self.serial & 0xFFFFFFFF and not self.life.owner.removed:
            self.evaluate()
            self.look_again()

    def current(self) -> i64:
        """Instances that are there to stay."""
        life = self.life
        count: i64 = 0
        instance: i64 = 0
        while instance < life.owner.instances:
            if life.state[instance] != OFF and not life.is_leaving(instance):
                count += 1
            instance += 1
        return count

    def ready(self) -> i64:
        """Those of them whose utilisation counts."""
        number = self.life.number
        return number[READY] + (0 if self.life.ready_when_warm else number[WARMING])

    def wanted(self, current: i64) -> i64:
        """What the utilisation of the last interval asks for, within the bounds."""
        life = self.life
        span = float(life.owner.simulation.now - self.looked_at)
        # Work in units of instances that do nothing else.
        load = (life.station.busy_integral() - self.area) / (float(life.station.workers) * span)
        ready = self.ready()
        unready = life.number[STARTING] + life.number[DOWN] + (life.number[WARMING] if life.ready_when_warm else 0)
        wanted = current
        if ready > 0:
            self.utilisation = load / float(ready)
            ratio = self.utilisation / self.target
            if unready > 0 and ratio > 1.0:
                everybody = ready + unready
                ratio = load / float(everybody) / self.target
                if ratio > 1.0 + TOLERANCE:
                    needed = rounded_up(ratio * float(everybody))
                    wanted = needed if needed > current else current
            elif ratio > 1.0 + TOLERANCE or ratio < 1.0 - TOLERANCE:
                wanted = rounded_up(ratio * float(ready))
        if wanted < self.least:
            return self.least
        return wanted if wanted < self.most else self.most

    def evaluate(self) -> None:
        """Compare what is there with what is wanted; scale out at once, in only after the cool-down."""
        current = self.current()
        wanted = self.wanted(current)
        highest = self.recommend(wanted)
        self.desired = current
        if wanted > current:
            self.desired = wanted
            self.scale_out(current, wanted)
        elif highest < current:
            self.desired = highest
            self.scale_in(current, highest)

    def recommend(self, wanted: i64) -> i64:
        """Enter a recommendation; the highest one of the window."""
        now = int(self.life.owner.simulation.now)
        count = int(wanted)
        while len(self.advised) > 0 and self.advised[-1] <= count:
            self.advised.pop()
            self.advised_at.pop()
        self.advised.append(count)
        self.advised_at.append(now)
        while self.advised_at[0] < now - self.cool_down_ns:
            self.advised.pop(0)
            self.advised_at.pop(0)
        return i64(self.advised[0])

    def note(self, kind: str, current: i64, wanted: i64, text: str) -> None:
        """Name a scaling."""
        owner = self.life.owner
        way = "out" if wanted > current else "in"
        busy = f"{100.0 * self.utilisation:.0f} % of its workers were busy, {100.0 * self.target:.0f} % are wanted."
        owner.note(kind, "info", f"{owner.label} scales {way} from {current} to {wanted}", f"{busy} {text}")

    def scale_out(self, current: i64, wanted: i64) -> None:
        """Start the instances that are missing."""
        self.scaled_out += 1
        self.note("scaled_out", current, wanted, "New instances start.")
        life = self.life
        missing: i64 = wanted - current
        instance: i64 = 0
        while instance < life.owner.instances and missing > 0:
            if life.state[instance] == OFF and life.owner.crashed[instance] == 0:
                life.start(instance)
                missing -= 1
            instance += 1

    def scale_in(self, current: i64, wanted: i64) -> None:
        """Let the newest instances drain."""
        self.scaled_in += 1
        self.note("scaled_in", current, wanted, "The newest drain.")
        life = self.life
        surplus: i64 = current - wanted
        while surplus > 0:
            newest: i64 = -1
            instance: i64 = 0
            while instance < life.owner.instances:
                stays = life.state[instance] != OFF and not life.is_leaving(instance)
                if stays and (newest < 0 or life.born[instance] >= life.born[newest]):
                    newest = instance
                instance += 1
            if newest < 0:
                return
            life.drain(newest, GO_OFF)
            surplus -= 1


def rounded_up(value: float) -> i64:
    """The next whole number, with a little patience for rounding errors."""
    return i64(ceil(value - 1e-9))
