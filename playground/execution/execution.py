"""A run: advanced in slices, intervened in, sought back and forth, always to the same states.

The law that everything here keeps: the state at a virtual time follows from engine version, design, seed and the log of interventions
before it, never from how it was got there. So an intervention happens after all events of its moment, snapshots are taken between
moments, and whoever looks changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from playground.actions import after, check_action, check_log, fitting
from playground.builder import Model, apply_edit, build
from playground.catalogue import catalogue, spec_of
from playground.engine import ENGINE_VERSION
from playground.engine.params import Params
from playground.execution.frames import frame_of, layout_of
from playground.execution.history import History, bucket_length_ns
from playground.execution.moments import Moment, Moments
from playground.execution.results import results_of
from playground.execution.traces import spans_of
from playground.parameters import filled
from playground.protocol.design import SCENARIO, Action, Design, Intervention, Scenario
from playground.protocol.errors import InputError, shown
from playground.protocol.messages import Layout, Notable, Span

EVENTS_UNLIMITED = 1 << 60
NEVER = 1 << 60
SAMPLED_PER_S = 300.0
"""Requests that are followed hop by hop, per second of the viewer's time."""


class Execution:
    """One run of a scenario. ``recorded`` keeps series and snapshots for viewers; a headless run does without.

    ``script``: what the scenario does by itself, where its log lacks some of that because it didn't fit for a while (a run that is brought
    back from its log); else it is what the log has of it. Raises :class:`InputError` for a scenario that can't run.
    """

    def __init__(
        self, scenario: Scenario, *, recorded: bool = True, script: Sequence[Intervention] | None = None
    ) -> None:
        self.until_ns = round(scenario.until_s * 1e9)
        self.seed = scenario.seed
        self.recorded = recorded
        self.wall_s = 0.0
        self.log: list[Intervention] = sorted(scenario.interventions, key=lambda entry: entry.at_ns)
        self.branched: list[Intervention] = []
        """The interventions that the last :meth:`act` dropped, since they lay in a future that is gone."""
        self.script = [entry for entry in (self.log if script is None else script) if entry.actor == SCENARIO]
        """What the scenario does by itself, in each run of it."""
        self.hops_told = 0
        self.speed = scenario.speed
        self._base = scenario.design
        self._epochs = 0
        check_log(self._base, self.log)
        self._start()

    def _start(self) -> None:
        self.model: Model = build(self._base, self.seed)
        self.design: Design = self._base
        self.applied = 0
        self.furthest_ns = 0
        self._settled_ns = 0
        self._settled_events = 0
        self._told = 0
        self._new_epoch()
        self.series = History(self.model, bucket_length_ns(self.until_ns))
        self._moments = Moments(self.until_ns, self.series.bucket_ns)
        self._follow()
        if self.recorded:
            self._keep_moment()
        self._apply_due()

    # ---- where it is

    @property
    def now_ns(self) -> int:
        """Virtual time."""
        return int(self.model.simulation.now)

    @property
    def stopped(self) -> dict[str, Any] | None:
        """Why the engine goes no further (the limit that was hit), None while it can."""
        reason = self.model.simulation.stopped
        return {"reason": reason, "at_ns": self.now_ns} if reason else None

    # ---- going on

    def advance(self, until_ns: int, events_max: int = EVENTS_UNLIMITED) -> bool:
        """Run to ``until_ns`` (at most the run's end), at most about ``events_max`` events; True when it was reached."""
        until_ns = min(until_ns, self.until_ns)
        simulation = self.model.simulation
        began = time.perf_counter()
        last = int(simulation.events) + events_max
        reached = True
        # A run that was stopped between two events of one moment is not settled there yet.
        while reached and self._settled_ns < until_ns:
            target = self._next_stop(until_ns)
            reached = simulation.advance(target, max(0, last - int(simulation.events)))
            self.furthest_ns = max(self.furthest_ns, self.now_ns)
            if reached:
                self._settle()
        self.wall_s += time.perf_counter() - began
        return reached

    def step(self, events: int) -> None:
        """Run exactly ``events`` events, or to the end of the run."""
        self.advance(self.until_ns, events)

    def set_speed(self, speed: float) -> None:
        """Somebody looks on at this speed: follow as many requests as can be seen at it."""
        self.speed = speed
        self._follow()

    def _next_stop(self, until_ns: int) -> int:
        """The next moment at which something has to be done between events."""
        stop = until_ns
        if self.recorded:
            stop = min(stop, self.series.next_look_ns(self.design, self._settled_ns))
        if self.applied < len(self.log):
            stop = min(stop, max(self.log[self.applied].at_ns, self._settled_ns))
        return max(stop, self.now_ns)

    def _settle(self) -> None:
        """All events up to now have happened: record it, then the interventions of this moment."""
        at_ns = self.now_ns
        if self.recorded and at_ns > self._settled_ns:
            self.series.look(self.model, self.design, at_ns)
            if at_ns % self.series.bucket_ns == 0:
                self._follow()
                if self._moments.wants(at_ns):
                    self._keep_moment()
        self._settled_ns = at_ns
        self._settled_events = int(self.model.simulation.events)
        self._apply_due()

    def _follow(self) -> None:
        """Follow so many requests that a viewer sees enough at this speed. What is sampled changes nothing in the run."""
        if not self.recorded:
            self.model.simulation.tracer.every = NEVER
            return
        rate = self.series.offered_per_s
        wanted = SAMPLED_PER_S / max(self.speed, 1e-9)
        self.model.simulation.tracer.every = max(1, int(rate / wanted))

    # ---- interventions

    def act(self, action: Action, actor: str) -> Intervention:
        """Intervene now; raises :class:`InputError` for what can't be done.

        Interventions behind now are dropped, but for the scenario's own: a server that it lets crash at 20 s crashes in every
        future in which it is there.
        """
        # All events of this very moment come first, so that a replay arrives at the same order.
        self.advance(self.now_ns)
        if int(self.model.simulation.events) != self._settled_events:
            # What was done at this moment has had consequences in it already; a replay would do both first.
            self.advance(self.now_ns + 1)
        check_action(self.design, action)
        self._check_on(action)
        entry = Intervention(at_ns=self.now_ns, actor=actor, action=action)
        before = self._moment() if action.type == "edit" else None
        try:
            self._apply(entry)
        except InputError:
            if before is not None:
                self._restore(before)
            raise
        later = self.log[self.applied :]
        # From the script, not from the log: what didn't fit for a while (its block was taken out and came back) fits again.
        kept = fitting(self.design, [other for other in self.script if other.at_ns > entry.at_ns])
        self.branched = [other for other in later if not any(other is one for one in kept)]
        self.log[self.applied :] = [entry, *kept]
        self.applied += 1
        self.furthest_ns = self.now_ns
        self.series.cut(self.now_ns)
        self._moments.cut(self.now_ns)
        return entry

    def _check_on(self, action: Action) -> None:
        """Raise :class:`InputError` for a fault of an instance that is switched off."""
        if action.type != "fault" or action.target not in self.model.blocks:
            return
        instance = action.params.get("instance")
        block: Any = self.model.blocks[action.target]
        if isinstance(instance, (int, float)) and block.is_off(int(instance)):
            there = [str(other) for other in range(int(block.instances)) if not block.is_off(other)]
            raise InputError.single(
                "instance_off",
                f"block {action.target!r}: instance {instance} is switched off now, so nothing can happen to it",
                where=f"[{action.target}].instance",
                block=action.target,
                parameter="instance",
                value=str(instance),
                accepted=f"one that runs ({', '.join(there)}), or null (all of them)",
            )

    def _apply_due(self) -> None:
        while self.applied < len(self.log) and self.log[self.applied].at_ns <= self._settled_ns:
            self._apply(self.log[self.applied])
            self.applied += 1

    def _apply(self, entry: Intervention) -> None:
        action = entry.action
        if action.type in ("edit", "set_param"):
            changed = after(self.design, action)
            apply_edit(self.model, self.design, changed)
            self.design = changed
            if action.type == "edit":
                self._new_epoch()
        else:
            self._fault(action)

    def _fault(self, action: Any) -> None:
        thing: Any = self.model.blocks.get(action.target) or self.model.edges[action.target]
        if action.type == "clear_faults":
            thing.clear_faults()
            return
        block = next((block for block in self.design.blocks if block.id == action.target), None)
        faults = spec_of(block).faults if block else catalogue().edge.faults
        fault = next(fault for fault in faults if fault.name == action.fault)
        values = filled(fault.params, action.params)
        instance = values.get("instance")
        if block is not None and isinstance(instance, (int, float)) and thing.is_off(int(instance)):
            title = f"{fault.label} of {thing.label_of(int(instance))} comes to nothing"
            thing.note("fault_missed", "info", title, "This instance is switched off now.")
            return
        thing.inject(fault.name, Params(dict(values)))

    def _new_epoch(self) -> None:
        self._epochs += 1
        self.epoch = self._epochs

    # ---- going back

    def seek(self, at_ns: int) -> None:
        """Go to the nearest kept moment not after ``at_ns``; :meth:`advance` goes the rest of the way."""
        moment = self._moments.nearest(at_ns)
        if moment is None or (self.now_ns <= at_ns and moment.at_ns <= self.now_ns):
            return
        self._restore(moment)
        self.series.rebase(self.model)
        self._follow()
        self._apply_due()

    def _restore(self, moment: Moment) -> None:
        moment.restore()
        extras = moment.extras
        self.model.blocks = dict(extras["blocks"])
        self.model.edges = dict(extras["edges"])
        self.design, self.applied, self.epoch = extras["design"], extras["applied"], extras["epoch"]
        self._settled_ns = moment.at_ns
        self._settled_events = int(self.model.simulation.events)
        self._told = min(self._told, len(self.model.simulation.notables))

    def _moment(self) -> Moment:
        extras = {
            "blocks": dict(self.model.blocks),
            "edges": dict(self.model.edges),
            "design": self.design,
            "applied": self.applied,
            "epoch": self.epoch,
        }
        return Moment(self.model.simulation, self.now_ns, extras)

    def _keep_moment(self) -> None:
        self._moments.keep(self._moment())

    def reset(self, seed: int | None = None) -> None:
        """Back to time 0 with the scenario's own log, the present drawing as the first one; under another seed where one is given."""
        self.seed = self.seed if seed is None else seed
        self._base = self.design
        self.log = fitting(self._base, self.script)
        self.branched = []
        self.wall_s = 0.0
        self._start()

    # ---- what it has to say

    def layout(self) -> Layout:
        """How to read the frames of this epoch."""
        return layout_of(self.model, self.design, self.epoch, self.series.bucket_ns)

    def frame(self) -> dict[str, Any]:
        """The present figures in the shape of ``protocol/frames.py``; number and speed are the caller's to fill in."""
        return frame_of(self)

    def take_notables(self) -> list[Notable]:
        """The notable moments since the last call."""
        notables = self.model.simulation.notables
        new = notables[self._told :]
        self._told = len(notables)
        return [
            Notable(kind=kind, severity=severity, target=target or None, title=title, detail=detail, at_ns=at_ns)
            for at_ns, kind, severity, target, title, detail in new
        ]

    def history(self, first: int) -> dict[str, Any]:
        """The recorded series from bucket ``first`` on, in the shape of the ``history`` message."""
        return self.series.columns_from(first)

    def trace(self, trace: int) -> list[Span]:
        """All spans that were kept of one sampled request."""
        return spans_of(self.model.simulation, trace)

    def detail(self, block: str) -> dict[str, Any]:
        """A block's inner state; raises :class:`InputError` for one that isn't there."""
        found = self.model.blocks.get(block)
        if found is None:
            raise InputError.single(
                "unknown_block",
                f"there is no block {shown(block)!r} in what runs",
                where="message.block",
                value=shown(block),
                accepted="the id of a block",
            )
        return dict(found.detail())

    def results(self) -> dict[str, Any]:
        """The results so far, in the shape of ``manage.py simulate --json``."""
        return results_of(
            self.model, self.design, self.series, seed=self.seed, engine_version=ENGINE_VERSION, wall_s=self.wall_s
        )
