"""The life of an app server's instances: off, starting, warming up, ready, draining, deadlocked, down.

The states are those of a pod: Kubernetes, "Pod Lifecycle" and "Configure Liveness, Readiness and Startup Probes". An instance that is off
or starting has no process that listens, so calls to it are refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from librt.vecs import vec
from mypy_extensions import i64

from playground.blocks.app_server.rolling import Rolling
from playground.blocks.app_server.standstill import Standstill
from playground.blocks.app_server.states import (
    DOWN,
    DRAINING,
    GO_OFF,
    LEFT,
    LIFE_TIMER,
    OFF,
    READY,
    RESTART,
    STARTING,
    STATES,
    STOPPING,
    WARMING,
    refuses,
)
from playground.engine.calls import PROBING
from playground.engine.columns import grown, zeros
from playground.engine.outcomes import CRASHED
from playground.engine.params import Params
from playground.engine.state import State
from playground.engine.station import Station
from playground.engine.streams import CONSTANT, Duration
from playground.engine.words import time_text

if TYPE_CHECKING:
    from playground.blocks.app_server.living import LivingBlock


@final
class Life(State):
    """The states of ``owner``'s instances, in columns by instance. Its ``lively`` is False while a call needs no look at them."""

    def __init__(self, owner: LivingBlock, station: Station) -> None:
        self.owner = owner
        self.station = station
        self.standstill = Standstill(owner)
        self.start_stream = owner.stream("start of an instance")
        self.start_time = Duration(CONSTANT, 0.0, 1.0)
        self.warm_ns: i64 = 0
        self.warm_factor: float = 1.0
        self.ready_when_warm: bool = False
        self.cold: bool = False
        self.drain_ns: i64 = 0
        self.probe_needs_worker: bool = False
        self.waiting_max: i64 = -1
        # So many are never off for good: what the parameter says, or what autoscaling has at least.
        self.least: i64 = 0
        self.begun: bool = False
        # Columns.
        self.state: vec[i64] = vec[i64]()
        self.since: vec[i64] = vec[i64]()
        self.serial: vec[i64] = vec[i64]()
        self.born: vec[i64] = vec[i64]()
        self.after_drain: vec[i64] = vec[i64]()
        # Whether callers that keep a list find it there. A crash announces nothing; who drains is taken out when that begins.
        self.listed: vec[i64] = vec[i64]()
        # How many instances are in each state.
        self.number: vec[i64] = zeros(len(STATES))
        self.passed_over: i64 = 0
        self.rolling = Rolling(self)
        self.drained: i64 = 0

    def configure(self, params: Params) -> None:
        """Times and what probes say; an instance that is starting, warming up or draining keeps the time it was given."""
        params.set_duration(self.start_time, "start")
        self.warm_ns = params.ns("warm_up_s")
        self.warm_factor = params.number("warm_up_factor")
        self.ready_when_warm = params.flag("ready_when_warm")
        self.cold = params.flag("cold_start")
        self.drain_ns = params.ns("drain_s")
        self.probe_needs_worker = params.flag("probe_needs_worker")
        self.waiting_max = params.integer("overloaded_not_ready")
        self.owner.restart_ns = params.ns("restart_time_s")

    def resize(self, wanted: i64, least: i64) -> None:
        """The owner has as many instances as it says; at least ``wanted`` of them have to run now and ``least`` from now on, the others may
        be off."""
        count = self.owner.instances
        have: i64 = len(self.state)
        if count > have:
            self.state = grown(self.state, count)
            self.since = grown(self.since, count)
            self.serial = grown(self.serial, count)
            self.born = grown(self.born, count)
            self.standstill.resize(count)
            self.after_drain = grown(self.after_drain, count)
            self.listed = grown(self.listed, count)
        self.least = least
        index: i64 = 0
        while index < len(self.state):
            state = self.state[index]
            if index >= count:
                if state != LEFT:
                    self.become(index, LEFT)
                    self.owner.sessions.leave(index)
            elif state == LEFT:
                if self.begun:
                    # Another process than the one that was here before, whose sessions were lost when it left.
                    self.owner.sessions.drop(index)
                    self.owner.crash(index)
                self.become(index, OFF)
            index += 1
        self.fill(wanted)
        self.recount()
        if self.rolling.instance >= count:
            self.rolling.go_on()

    def fill(self, wanted: i64) -> None:
        """Let ``wanted`` instances be there to stay, as far as there are any that can: those that were to be switched off stay, those that
        are off start. One that finishes what it has, or is off and crashed, has its turn when that is over."""
        count = self.owner.instances
        staying: i64 = 0
        index: i64 = 0
        while index < count:
            if self.state[index] != OFF and not self.is_leaving(index):
                staying += 1
            index += 1
        index = 0
        while index < count and staying < wanted:
            if self.is_leaving(index) and self.state[index] == DRAINING:
                self.become(index, READY)
                staying += 1
                self.rolling.is_ready(index)
            elif self.state[index] == OFF and self.owner.crashed[index] == 0:
                if self.begun:
                    self.start(index)
                else:
                    self.become(index, READY)
                staying += 1
            index += 1

    def begin(self) -> None:
        """The run begins: instances are warm, or have to start first."""
        self.begun = True
        if not self.cold:
            return
        index: i64 = 0
        while index < self.owner.instances:
            if self.state[index] == READY:
                self.start(index)
            index += 1

    # ---- from one state to the next

    def become(self, instance: i64, state: i64) -> None:
        """Enter a state; timers of the one before are void."""
        owner = self.owner
        owner.settle_cost()
        old = self.state[instance]
        self.state[instance] = state
        self.since[instance] = owner.simulation.now
        self.serial[instance] += 1
        if old != LEFT:
            self.number[old] -= 1
        if state != LEFT:
            self.number[state] += 1
        owner.down[instance] += refuses(state) - refuses(old)
        self.recount()
        if state == WARMING or state == READY:
            self.enlist(instance, 1)
        elif state != STARTING and state != DOWN:
            self.enlist(instance, 0)

    def enlist(self, instance: i64, there: i64) -> None:
        """Put an instance into the list that callers see (1), or take it out (0): they learn of it at once, as of a pod's endpoint."""
        if self.listed[instance] != there:
            self.listed[instance] = there
            if self.begun:
                self.owner.announce()

    def recount(self) -> None:
        """Bring up to date what the hot path and the figures look at."""
        number = self.number
        self.passed_over = number[OFF] + number[STARTING] + number[DRAINING] + number[STOPPING]
        self.owner.lively = number[WARMING] + number[STOPPING] + self.standstill.stuck_all > 0
        self.station.serve_with(self.owner.instances - number[OFF] - number[STARTING])
        self.owner.settle_faults()

    def tick(self, instance: i64, ns: i64) -> None:
        """Let ``on_timer`` look at this instance's state in ``ns``."""
        self.owner.timer(ns, LIFE_TIMER, (self.serial[instance] & 0x3FFFFF) << 10 | instance)

    def on_timer(self, argument: i64) -> None:
        """A state's time is over, unless it has ended before."""
        instance = argument & 1023
        if argument >> 10 != self.serial[instance] & 0x3FFFFF or self.owner.removed:
            return
        state = self.state[instance]
        if state == STARTING and self.listed[instance] == 0:
            self.launch(instance)
        elif state == STARTING:
            self.warm_up(instance)
        elif state == WARMING:
            self.be_ready(instance)
        elif state == DRAINING:
            self.end_drain(instance)
        elif state == READY:
            self.rolling.is_ready(instance)
        elif state == STOPPING and (self.is_empty(instance) or self.standstill.stuck[instance] != 0):
            self.stop(instance)

    def start(self, instance: i64) -> None:
        """Start an instance's process."""
        self.standstill.freed[instance] = self.owner.fault_serial
        self.born[instance] = self.owner.simulation.now
        self.launch(instance)

    def launch(self, instance: i64) -> None:
        """The process begins: callers find it in their lists, though nobody listens there until it has started."""
        owner = self.owner
        ns = self.start_time.draw(self.start_stream)
        if ns > 0:
            self.become(instance, STARTING)
            self.tick(instance, ns)
            self.enlist(instance, 1)
            if owner.simulation.now > 0:
                text = f"Nobody listens there for {time_text(ns)}."
                owner.note("starting", "info", f"{owner.label_of(instance)} starts", text)
        else:
            self.warm_up(instance)

    def warm_up(self, instance: i64) -> None:
        """The process listens."""
        if self.warm_ns > 0:
            self.become(instance, WARMING)
            self.tick(instance, self.warm_ns)
        else:
            self.be_ready(instance)

    def be_ready(self, instance: i64) -> None:
        """It is warm; a rolling restart goes on with the next one."""
        took = self.owner.simulation.now - self.born[instance]
        self.become(instance, READY)
        if took > 0:
            owner = self.owner
            owner.note("ready", "good", f"{owner.label_of(instance)} is ready", f"{time_text(took)} after its start.")
        self.rolling.is_ready(instance)

    def drain(self, instance: i64, then: i64) -> None:
        """Tell an instance to stop: callers find it no more, what comes all the same is served for the draining time, and it finishes all.

        Kubernetes, "Pod Lifecycle", termination of pods: out of the endpoints at once, while the process still works.
        """
        state = self.state[instance]
        if state == STARTING or state == DOWN:
            if then == GO_OFF:
                self.become(instance, OFF)
                self.rolling.is_gone(instance)
            return
        if state != WARMING and state != READY:
            return
        self.after_drain[instance] = then
        self.become(instance, DRAINING)
        owner = self.owner
        text = "It is taken out of the lists of its callers, and finishes what it has."
        owner.note("drain", "info", f"{owner.label_of(instance)} drains", text)
        if self.drain_ns > 0:
            self.tick(instance, self.drain_ns)
        else:
            self.end_drain(instance)

    def end_drain(self, instance: i64) -> None:
        """The draining time is over: no new calls. A deadlocked one would never finish, so it is killed."""
        if self.is_empty(instance) or self.standstill.stuck[instance] != 0:
            self.stop(instance)
        else:
            self.become(instance, STOPPING)

    def has_finished(self, instance: i64) -> None:
        """A call at ``instance`` has ended; where that was the last one of an instance that is past its draining, it stops next."""
        if self.state[instance] == STOPPING and self.is_empty(instance):
            self.tick(instance, 0)

    def is_empty(self, instance: i64) -> bool:
        """Whether no call is at ``instance``."""
        return self.station.busy[instance] + self.station.waiting[instance] == 0

    def is_leaving(self, instance: i64) -> bool:
        """Whether ``instance`` drains in order to be switched off."""
        state = self.state[instance]
        return (state == DRAINING or state == STOPPING) and self.after_drain[instance] == GO_OFF

    def stop(self, instance: i64) -> None:
        """The process ends, and with it all that it had in memory."""
        owner = self.owner
        self.drained += 1
        self.become(instance, OFF)
        owner.crash(instance)
        if self.after_drain[instance] == RESTART:
            # Callers find it again when the new process begins, and who probes it begins anew with that.
            self.born[instance] = owner.simulation.now
            self.become(instance, STARTING)
            self.tick(instance, owner.restart_ns)
        else:
            self.rolling.is_gone(instance)
            self.fill(self.least)

    def died(self, instance: i64) -> None:
        """Its process is gone: by a crash, or because it was stopped. Called before the station forgets its queue."""
        calls = self.owner.calls
        waiting = self.station.head[instance]
        while waiting >= 0:
            following = calls.next[waiting]
            if calls.flags[waiting] & PROBING != 0:
                self.owner.answer_probe(waiting, CRASHED)
            waiting = following
        self.standstill.died(instance)
        state = self.state[instance]
        if self.is_leaving(instance):
            self.become(instance, OFF)
            self.rolling.is_gone(instance)
        elif state != OFF and state != LEFT:
            self.become(instance, DOWN)
        self.recount()

    def restarted(self, instance: i64) -> None:
        """A crash is over: the process starts, with cold caches; also one that was put back, or was to stay, while the crash held."""
        if self.state[instance] == DOWN:
            self.start(instance)
        else:
            self.fill(self.least)

    # ---- what calls meet

    def stretch(self, call: i64, ns: i64) -> i64:
        """How long ``ns`` of work takes: while an instance warms up, longer by a factor that falls linearly to 1."""
        instance = self.owner.calls.instance[call]
        if self.state[instance] != WARMING or self.warm_ns <= 0:
            return ns
        left = 1.0 - float(self.owner.simulation.now - self.since[instance]) / float(self.warm_ns)
        if left <= 0.0:
            return ns
        return i64(float(ns) * (1.0 + (self.warm_factor - 1.0) * left))

    def in_turn(self, instance: i64) -> i64:
        """The first instance from ``instance`` on that is neither off nor starting nor leaving; without any, one that still serves."""
        count = self.owner.instances
        serving: i64 = -1
        step: i64 = 0
        while step < count:
            found = (instance + step) % count
            state = self.state[found]
            if state == WARMING or state == READY or state == DOWN:
                return found
            if state == DRAINING and serving < 0:
                serving = found
            step += 1
        return serving if serving >= 0 else instance

    def running(self) -> i64:
        """Instances that are not off."""
        return self.owner.instances - self.number[OFF]
