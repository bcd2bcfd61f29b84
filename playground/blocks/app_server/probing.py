"""What an instance tells those who probe it, and the faults that make it tell something else."""

from __future__ import annotations

from mypy_extensions import i64

from playground.blocks.app_server.life import Life
from playground.blocks.app_server.states import READY, RESTART, STOPPING, WARMING
from playground.engine.outcomes import NOT_READY, OK, OVERLOADED, PROBE_READINESS
from playground.engine.params import Params
from playground.engine.station import FULL, STARTED


def begin_fault(life: Life, fault: str, params: Params) -> bool:
    """``deadlock``, ``not_ready`` and ``drain``; False for all others."""
    if fault == "drain":
        instance = params.integer("instance")
        if instance < 0:
            life.rolling.begin()
        elif instance < life.owner.instances:
            life.drain(instance, RESTART)
        return True
    if fault != "deadlock" and fault != "not_ready":
        return False
    life.standstill.begin(fault, params.integer("instance"), params)
    settle(life)
    return True


def end_fault(life: Life, fault: str) -> None:
    """A deadlock or a spell of saying no has ended by itself, or was cleared."""
    was_stuck = life.standstill.stuck_all
    settle(life)
    life.standstill.note_end(fault, was_stuck)


def settle(life: Life) -> None:
    """Apply the faults that hold now to every instance."""
    instance: i64 = 0
    while instance < len(life.state):
        if life.standstill.settle(instance, life.state[instance]):
            for call in life.standstill.taken_out(instance):
                answer(life, call)
        if life.state[instance] == STOPPING and life.standstill.stuck[instance] != 0:
            # What it had to finish it never would: it is killed, as at the end of its draining.
            life.tick(instance, 0)
        instance += 1
    life.recount()


def probe(life: Life, call: i64) -> None:
    """Answer a probe by the state: now, when a worker is free, or (deadlocked) when the process dies."""
    instance = life.owner.calls.instance[call]
    if life.standstill.stuck[instance] != 0:
        life.standstill.hold_probe(call)
        return
    if life.probe_needs_worker:
        became = life.station.offer(call, instance)
        if became == FULL:
            life.owner.answer_probe(call, OVERLOADED)
            return
        if became != STARTED:
            return
        life.station.release(instance)
    answer(life, call)


def answer(life: Life, call: i64) -> None:
    """Tell a probe how the instance is."""
    calls = life.owner.calls
    well = calls.key[call] != PROBE_READINESS or wants_traffic(life, calls.instance[call])
    life.owner.answer_probe(call, OK if well else NOT_READY)


def wants_traffic(life: Life, instance: i64) -> bool:
    """What the readiness probe is told."""
    state = life.state[instance]
    if state == WARMING and life.ready_when_warm:
        return False
    if life.waiting_max >= 0 and life.station.waiting[instance] > life.waiting_max:
        return False
    return (state == READY or state == WARMING) and life.standstill.unready[instance] == 0
