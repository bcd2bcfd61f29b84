"""A block whose instances live: they start, warm up, drain, scale and keep sessions. The app server's work stands on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mypy_extensions import i64, mypyc_attr

from playground.blocks.app_server import probing, report
from playground.blocks.app_server.autoscaling import Autoscaler
from playground.blocks.app_server.life import Life
from playground.blocks.app_server.sessions import Sessions
from playground.blocks.app_server.states import LIFE_TIMER, OFF, SCALING_TIMER
from playground.engine.block import Block
from playground.engine.params import Params
from playground.engine.station import Station

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation


@mypyc_attr(allow_interpreted_subclasses=True)
class LivingBlock(Block):
    """Hands to ``life``, ``scaler`` and ``sessions`` what the engine says that concerns them. ``station`` holds the workers."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.station = Station(simulation, 1, 1, -1)
        self.pool = self.station
        # Whether some instance is not as it always is, so that calls have to look.
        self.lively: bool = False
        self.life = Life(self, self.station)
        self.scaler = Autoscaler(self.life)
        self.sessions = Sessions(self)

    def configure_life(self, params: Params) -> None:
        """Numbers and times; live instances come and go as the new numbers ask for."""
        instances = params.integer("instances")
        self.life.configure(params)
        self.scaler.configure(params)
        scaler = self.scaler
        self.set_instances(scaler.most if scaler.enabled else instances)
        self.station.resize(self.instances, params.integer("workers"), params.integer("queue_max"))
        least = scaler.least if scaler.enabled else instances
        self.life.resize(scaler.at_first(instances) if scaler.enabled and not self.life.begun else least, least)
        self.sessions.configure(params)

    def started(self) -> None:
        """Time begins."""
        self.life.begin()
        self.scaler.begin()

    def on_timer(self, tag: i64, argument: i64) -> None:
        """A state's time is over, or the next decision of the autoscaler is due."""
        if tag == LIFE_TIMER:
            self.life.on_timer(argument)
        elif tag == SCALING_TIMER:
            self.scaler.on_timer(argument)

    def on_probe(self, call: i64) -> None:
        """Answer by the instance's state."""
        probing.probe(self.life, call)

    def listed(self, instance: i64) -> bool:
        """Callers find those that run or start, and those that crashed, but not those that are off, drain, or wait for their restart."""
        return instance >= len(self.life.listed) or self.life.listed[instance] != 0

    def is_off(self, instance: i64) -> bool:
        """Autoscaling has not started it, or has stopped it."""
        return instance < len(self.life.state) and self.life.state[instance] == OFF

    def choose_instance(self, call: i64) -> None:
        """In turn; those that are off, start or leave are passed over."""
        turn = self.next_instance
        if self.life.passed_over != 0:
            turn = self.life.in_turn(turn)
        self.next_instance = turn + 1 if turn + 1 < self.instances else 0
        self.calls.instance[call] = turn

    def stall(self, kind: i64, tag: i64, argument: i64, owner: i64) -> bool:
        """A deadlock holds back work and answers, but new calls come in."""
        if self.life.standstill.stuck_all != 0 and self.life.standstill.lets_through(kind, tag, argument):
            return False
        return super().stall(kind, tag, argument, owner)

    def order_restart(self, instance: i64, why: str) -> None:
        """Restart an instance that doesn't answer, unless it is off or ends by itself."""
        if self.listed(instance):
            super().order_restart(instance, why)

    def on_crash(self, instance: i64) -> None:
        """Its state, workers, queue and sessions are gone."""
        self.life.died(instance)
        self.station.clear(instance)
        self.sessions.forget(instance)

    def on_restart(self, instance: i64) -> None:
        """The process starts."""
        self.life.restarted(instance)

    def on_fault(self, fault: str, params: Params) -> bool:
        """``deadlock``, ``not_ready`` and ``drain``."""
        return probing.begin_fault(self.life, fault, params)

    def on_fault_end(self, fault: str, value: float) -> None:
        """One of these is over."""
        probing.end_fault(self.life, fault)

    # ---- figures

    def billed_instances(self) -> i64:
        """Those that are not switched off are paid for."""
        return self.life.running()

    def health(self) -> float:
        """See ``report.py``."""
        return report.health(self.life)

    def cells(self) -> list[int]:
        """One for each instance."""
        return report.cells(self.life)

    def life_metrics(self) -> list[float]:
        """In the order of ``spec_life.METRICS``."""
        scaler = self.scaler
        return [
            *report.metrics(self.life),
            float(scaler.desired if scaler.enabled else self.instances),
            100.0 * scaler.utilisation,
            float(scaler.scaled_out),
            float(scaler.scaled_in),
            float(self.life.drained),
            float(self.sessions.size()),
            float(self.sessions.begun),
            float(self.sessions.missed),
            float(self.sessions.lost),
        ]

    def instance_rows(self) -> list[object]:
        """How the first instances stand, for the inspector."""
        rows: list[object] = []
        for instance in range(min(int(self.instances), 32)):
            row: dict[str, object] = {
                "instance": instance,
                "busy": int(self.station.busy[instance]),
                "waiting": int(self.station.waiting[instance]),
                "state": report.words(self.life, instance),
            }
            if len(self.sessions.held) > instance:
                row["sessions"] = int(self.sessions.held[instance].size)
            rows.append(row)
        return rows
