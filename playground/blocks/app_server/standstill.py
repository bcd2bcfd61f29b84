"""Deadlocks, and instances that say no: liveness and readiness differ in what they are told.

A deadlocked process still takes connections in, but whoever works in it waits for ever: requests and probes get no answer until it is
restarted, which is what a liveness probe is for. One that is not ready works, and asks for no traffic: restarting it would not help.
"""

from __future__ import annotations

from typing import final

from librt.vecs import append, vec
from mypy_extensions import i64

from playground.blocks.app_server.states import HELD, HELD_FAILED, LIFE_TIMER, PROBES_HELD_MAX, is_alive
from playground.engine.block import Block
from playground.engine.columns import grown
from playground.engine.faults import Fault
from playground.engine.outcomes import CRASHED, REFUSED
from playground.engine.params import Params
from playground.engine.queue import CALL, TIMER
from playground.engine.state import State


@final
class Standstill(State):
    """Which of ``owner``'s instances are deadlocked (``stuck``) or say that they are not ready, and the probes that wait in the former.

    The engine's pause does the standing still: work and answers are held back; new calls come in all the same.
    """

    def __init__(self, owner: Block) -> None:
        self.owner = owner
        # Columns by instance; faults up to the number in ``freed`` concern its present process no more.
        self.stuck: vec[i64] = vec[i64]()
        self.unready: vec[i64] = vec[i64]()
        self.freed: vec[i64] = vec[i64]()
        self.stuck_all: i64 = 0
        self.held: vec[i64] = vec[i64]()

    def resize(self, count: i64) -> None:
        """There are ``count`` instances now; columns never get shorter."""
        if count > len(self.stuck):
            self.stuck = grown(self.stuck, count)
            self.unready = grown(self.unready, count)
            self.freed = grown(self.freed, count)

    def concerns(self, fault: Fault, instance: i64) -> bool:
        """Whether a fault is about ``instance``."""
        return fault.instance == instance or (fault.instance < 0 and instance < fault.slots)

    def begin(self, fault: str, instance: i64, params: Params) -> None:
        """Enter a ``deadlock`` or ``not_ready``, and name it."""
        owner = self.owner
        which = owner.label if instance < 0 else owner.label_of(instance)
        if fault == "deadlock":
            text = "Its workers wait for one another: no answer to anything, probes included, until it is restarted."
            owner.note("deadlock", "bad", f"Deadlock in {which}", text)
        else:
            text = "It is alive and says that it wants no traffic."
            owner.note("not_ready", "warning", f"{which} is not ready", text)
        owner.begin_fault(Fault(fault, instance, 0.0), params.ns("duration_s"))

    def note_end(self, fault: str, was_stuck: i64) -> None:
        """Name the end of one; ``was_stuck`` instances were deadlocked before."""
        owner = self.owner
        if fault == "not_ready":
            owner.note("ready", "good", f"{owner.label} is ready again", "It wants traffic.")
        elif self.stuck_all < was_stuck:
            owner.note(
                "deadlock_over", "good", f"Deadlock in {owner.label} is over", "Its workers go on where they stood."
            )

    def settle(self, instance: i64, state: i64) -> bool:
        """Apply the faults that hold now to an instance in ``state``; True when it came out of a deadlock."""
        owner = self.owner
        stuck = False
        unready = False
        for fault in owner.active:
            if self.concerns(fault, instance):
                if fault.name == "deadlock":
                    stuck = stuck or fault.serial > self.freed[instance]
                elif fault.name == "not_ready":
                    unready = True
        self.unready[instance] = 1 if unready else 0
        if stuck and is_alive(state) and self.stuck[instance] == 0:
            self.stuck[instance] = 1
            self.stuck_all += 1
            owner.paused[instance] += 1
            if owner.paused[instance] == 1:
                owner.freeze(instance)
        elif not stuck and self.stuck[instance] != 0:
            self.come_loose(instance)
            return True
        return False

    def come_loose(self, instance: i64) -> None:
        """A deadlock ends: what stood still goes on, unless its process is gone."""
        owner = self.owner
        self.stuck[instance] = 0
        self.stuck_all -= 1
        owner.paused[instance] -= 1
        if owner.paused[instance] == 0:
            owner.thaw(instance)

    def died(self, instance: i64) -> None:
        """The process is gone, and its deadlock with it; its held probes see the connection reset."""
        self.freed[instance] = self.owner.fault_serial
        for call in self.taken_out(instance):
            self.owner.answer_probe(call, CRASHED)
        if self.stuck[instance] != 0:
            self.come_loose(instance)
            self.forget_faults()

    def forget_faults(self) -> None:
        """Take out the deadlocks that no instance is in any more."""
        kept: list[Fault] = []
        for fault in self.owner.active:
            holds = fault.name != "deadlock"
            instance: i64 = 0
            while instance < len(self.stuck) and not holds:
                holds = self.stuck[instance] != 0 and self.concerns(fault, instance)
                instance += 1
            if holds:
                kept.append(fault)
        self.owner.active = kept

    # ---- what comes meanwhile

    def lets_through(self, kind: i64, tag: i64, argument: i64) -> bool:
        """Whether an event happens although a deadlock holds: new calls come in, and time goes on for those who start instances."""
        if kind == TIMER:
            return tag >= LIFE_TIMER
        if kind != CALL:
            return False
        owner = self.owner
        calls = owner.calls
        if calls.instance[argument] < 0:
            owner.choose_instance(argument)
        instance = calls.instance[argument]
        return instance < len(self.stuck) and self.stuck[instance] != 0 and owner.paused[instance] == 1

    def takes_hold(self, call: i64) -> bool:
        """A worker has taken ``call``; True when the deadlock has it as well."""
        calls = self.owner.calls
        if self.stuck[calls.instance[call]] == 0:
            return False
        calls.mark[call] = HELD
        # Held back by the engine until the deadlock ends, as all of this instance's work is.
        self.owner.work(call, 0)
        return True

    def holds(self, call: i64, outcome: i64) -> bool:
        """A call made on behalf of ``call`` has timed out; True when nobody there can take notice of it yet."""
        calls = self.owner.calls
        if self.stuck[calls.instance[call]] == 0:
            return False
        self.owner.drop_children(call)
        calls.mark[call] = HELD_FAILED
        calls.outcome[call] = outcome
        self.owner.work(call, 0)
        return True

    def hold_probe(self, call: i64) -> None:
        """A probe waits in vain."""
        if len(self.held) >= PROBES_HELD_MAX:
            # The socket's backlog is full.
            self.owner.answer_probe(call, REFUSED)
        else:
            self.held = append(self.held, call)

    def taken_out(self, instance: i64) -> list[i64]:
        """The probes that wait at ``instance``, which are answered now."""
        held = self.held
        self.held = vec[i64]()
        found: list[i64] = []
        for call in held:
            if self.owner.calls.instance[call] == instance:
                found.append(call)
            else:
                self.held = append(self.held, call)
        return found
