"""How the instances of an app server stand: in cells on its card, in words in the inspector, in figures."""

from __future__ import annotations

from mypy_extensions import i64

from playground.blocks.app_server.life import Life
from playground.blocks.app_server.probing import wants_traffic
from playground.blocks.app_server.states import (
    CELL_DEADLOCKED,
    CELL_MARK,
    CELL_NOT_READY,
    CELL_OF_STATE,
    CELLS_MAX,
    DOWN,
    DRAINING,
    READY,
    STARTING,
    STATES,
    STOPPING,
    WARMING,
    refuses,
)


def health(life: Life) -> float:
    """0 well, 1 impaired, 2 nobody there; instances that are off, or start or stop as they should, impair nothing."""
    owner = life.owner
    serving: i64 = 0
    impaired = owner.stalling or len(owner.active) > 0
    instance: i64 = 0
    while instance < owner.instances:
        if owner.down[instance] == 0:
            serving += 1
            if owner.slow[instance] != 1.0:
                impaired = True
        elif refuses(life.state[instance]) == 0:
            impaired = True
        instance += 1
    if owner.removed or serving == 0:
        return 2.0
    return 1.0 if impaired else 0.0


def cells(life: Life) -> list[int]:
    """One for each instance; marked where requests wait for a worker."""
    found: list[int] = []
    instance: i64 = 0
    while instance < life.owner.instances and instance < CELLS_MAX:
        marked = life.station.waiting[instance] > 0
        found.append(int(cell(life, instance)) + (CELL_MARK if marked else 0))
        instance += 1
    return found


def cell(life: Life, instance: i64) -> i64:
    """The number of the cell's state."""
    state = life.state[instance]
    if life.standstill.stuck[instance] != 0:
        return CELL_DEADLOCKED
    if (state == READY or state == WARMING) and life.standstill.unready[instance] != 0:
        return CELL_NOT_READY
    return CELL_OF_STATE[state]


def words(life: Life, instance: i64) -> str:
    """The state in words."""
    if life.standstill.stuck[instance] != 0:
        return "deadlocked"
    state = STATES[life.state[instance]]
    return f"{state}, not ready" if cell(life, instance) == CELL_NOT_READY else state


def metrics(life: Life) -> list[float]:
    """In the order of ``spec_life.METRICS``."""
    number = life.number
    wanting: i64 = 0
    instance: i64 = 0
    while instance < life.owner.instances:
        if life.standstill.stuck[instance] == 0 and life.owner.down[instance] == 0 and wants_traffic(life, instance):
            wanting += 1
        instance += 1
    return [
        float(life.running()),
        float(wanting),
        float(number[STARTING]),
        float(number[WARMING]),
        float(number[DRAINING] + number[STOPPING]),
        float(life.standstill.stuck_all),
        float(number[DOWN]),
    ]
