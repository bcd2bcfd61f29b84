"""Small blocks to put behind and in front of an edge, and the few lines that wire them up."""

from __future__ import annotations

import random
from typing import Any, TypeVar

from playground.engine.block import Block
from playground.engine.edge import Edge
from playground.engine.outcomes import OK, OVERLOADED, READ, as_upstream
from playground.engine.params import Params
from playground.engine.simulation import Simulation
from playground.engine.snapshot import Snapshot
from playground.engine.state import State
from playground.engine.station import FULL, STARTED, Station

US = 1_000
MS = 1_000_000
SECOND = 1_000_000_000
EVER = 1 << 60

EDGE_DEFAULTS: dict[str, object] = {
    "latency_distribution": "constant",
    "latency_mean_ms": 0.0,
    "latency_cv": 0.5,
    "bandwidth_mbit_per_s": None,
    "loss_percent": 0.0,
    "weight": 1,
    "timeout_ms": None,
    "retries": 0,
    "backoff_ms": 0.0,
    "backoff_max_ms": 10_000.0,
    "jitter": "none",
    "cancel_on_timeout": False,
    "honour_retry_after": True,
    "propagate_deadline": False,
    "retry_budget_percent": None,
    "breaker": False,
    "breaker_failures_percent": 50.0,
    "breaker_minimum_calls": 20,
    "breaker_window_s": 10.0,
    "breaker_open_s": 5.0,
    "breaker_probes": 3,
}

SomeBlock = TypeVar("SomeBlock", bound=Block)


def edge_params(**changes: object) -> Params:
    """Parameters of an edge that does nothing but carry, with some changed."""
    unknown = changes.keys() - EDGE_DEFAULTS.keys()
    assert not unknown, unknown
    return Params({**EDGE_DEFAULTS, **changes})


def add(simulation: Simulation, kind: type[SomeBlock], name: str, **attributes: object) -> SomeBlock:
    """A block of a kind, with attributes of its own."""
    block = kind(simulation, len(simulation.blocks), name)
    for attribute, value in attributes.items():
        assert hasattr(block, attribute), attribute
        setattr(block, attribute, value)
    simulation.blocks.append(block)
    return block


def wire(caller: Block, callee: Block, **changes: object) -> Edge:
    """An edge from one block to another."""
    simulation = caller.simulation
    edge = Edge(simulation, len(simulation.edges), f"{caller.name} - {callee.name}", caller, callee)
    simulation.edges.append(edge)
    edge.configure(edge_params(**changes))
    caller.out.setdefault("out", []).append(edge)
    caller.wired()
    return edge


def run(simulation: Simulation, until: int) -> None:
    """Run to a virtual time."""
    assert simulation.advance(until, EVER)


def next_time(simulation: Simulation) -> int:
    """When the next event happens."""
    return simulation.queue.time[simulation.queue.head]


def drain(simulation: Simulation) -> None:
    """Run until nothing is left to happen."""
    while simulation.queue.pending() > 0:
        run(simulation, next_time(simulation))


def inject(block: Block | Edge, fault: str, **params: object) -> None:
    """Do a fault; it lasts until cleared unless a duration is given."""
    absent = {"crash": "restart_after_s"}.get(fault, "duration_s")
    block.inject(fault, Params({absent: None, **params}))


class Sender(Block):
    """Sends when told to, and writes down every answer: (time, outcome, number of the request)."""

    def __init__(self, simulation: Simulation, index: int, name: str) -> None:
        super().__init__(simulation, index, name)
        self.answers: list[tuple[int, int, int]] = []
        self.sent = 0
        self.request_bytes = 0
        self.every_ns = 0
        self.left = 0
        self.keys = 0
        self.gaps = self.stream("gaps")
        self.key_stream = self.stream("keys")

    def send(self, key: int = 0, instance: int = -1) -> int:
        """Send a request; its handle."""
        trace = self.simulation.tracer.root()
        call = self.out["out"][0].call(-1, READ, key, 0, instance, self.request_bytes, trace)
        self.calls.step[call] = self.sent
        self.sent += 1
        return call

    def send_every(self, every_ns: int, count: int) -> None:
        """Send ``count`` requests as a Poisson process with this mean gap."""
        self.every_ns, self.left = every_ns, count
        self.timer(int(self.gaps.exponential(float(every_ns))), 0, 0)

    def on_timer(self, tag: int, argument: int) -> None:
        if self.left > 0:
            self.left -= 1
            self.send(self.key_stream.below(self.keys) if self.keys > 0 else 0)
            self.timer(int(self.gaps.exponential(float(self.every_ns))), 0, 0)

    def on_reply(self, call: int) -> None:
        self.answers.append((self.simulation.now, self.calls.outcome[call], self.calls.step[call]))

    @property
    def outcomes(self) -> list[int]:
        return [outcome for _, outcome, _ in self.answers]

    @property
    def times(self) -> list[int]:
        return [time for time, _, _ in self.answers]


class Echo(Block):
    """Answers at once: OK, or with ``outcome``."""

    def __init__(self, simulation: Simulation, index: int, name: str) -> None:
        super().__init__(simulation, index, name)
        self.outcome = OK
        self.reply_bytes = 0
        self.arrivals: list[int] = []
        self.took: list[int] = []

    def on_call(self, call: int) -> None:
        self.arrivals.append(self.simulation.now)
        self.took.append(self.calls.instance[call])
        self.reply(call, self.outcome, 1, self.reply_bytes)


class Slow(Block):
    """Works on each call for ``service_ns``, on any number at once, and writes down when each was done."""

    def __init__(self, simulation: Simulation, index: int, name: str) -> None:
        super().__init__(simulation, index, name)
        self.service_ns = 10 * MS
        self.outcome = OK
        self.done: list[int] = []
        self.dropped = 0
        self.events: list[str] = []

    def on_call(self, call: int) -> None:
        self.work(call, self.service_ns)

    def on_work(self, call: int) -> None:
        self.done.append(self.simulation.now)
        self.reply(call, self.outcome, 1, 0)

    def on_cancel(self, call: int) -> None:
        self.dropped += 1

    def on_crash(self, instance: int) -> None:
        self.events.append(f"crash {instance}")

    def on_restart(self, instance: int) -> None:
        self.events.append(f"restart {instance}")


class BlackHole(Block):
    """Takes calls and never answers."""

    def on_call(self, call: int) -> None:
        pass


QUEUED, WORKING, ASKING = 0, 1, 2


class Worker(Block):
    """Workers with a queue, who work on a call, then ask every callee behind them, holding on meanwhile.

    ``hasty``: it answers with the first answer that it gets, and lets the other callees be.
    """

    def __init__(self, simulation: Simulation, index: int, name: str) -> None:
        super().__init__(simulation, index, name)
        self.station = Station(simulation, 1, 4, 8)
        self.times = self.stream("service")
        self.mean_ns = 2 * MS
        self.hasty = False
        self.late = 0
        self.dropped_children = 0

    def size(self, instances: int, workers: int, queue_max: int) -> None:
        self.set_instances(instances)
        self.station.resize(instances, workers, queue_max)

    def on_call(self, call: int) -> None:
        self.calls.mark[call] = QUEUED
        became = self.station.offer(call, self.calls.instance[call])
        if became == FULL:
            self.reply(call, OVERLOADED, 0, 0)
        elif became == STARTED:
            self.begin(call)

    def begin(self, call: int) -> None:
        self.calls.mark[call] = WORKING
        self.work(call, int(self.times.exponential(float(self.mean_ns))))

    def on_work(self, call: int) -> None:
        calls = self.calls
        edges = self.out.get("out", [])
        calls.mark[call] = ASKING
        calls.memo[call] = len(edges)
        if not edges:
            self.end(call, OK)
        for edge in edges:
            edge.call(call, READ, calls.key[call], 0, -1, 100, calls.trace[call])

    def on_reply(self, call: int) -> None:
        calls = self.calls
        parent = calls.parent[call]
        if parent < 0:
            self.late += 1
            return
        calls.memo[parent] -= 1
        outcome = calls.outcome[call]
        if self.hasty:
            self.end(parent, as_upstream(outcome))
        elif outcome != OK:
            self.drop_children(parent)
            self.end(parent, as_upstream(outcome))
        elif calls.memo[parent] == 0:
            self.end(parent, OK)

    def on_abandoned(self, call: int) -> None:
        self.dropped_children += 1

    def end(self, call: int, outcome: int) -> None:
        instance = self.calls.instance[call]
        self.station.release(instance)
        self.reply(call, outcome, 1, 500)
        self.pull(instance)

    def pull(self, instance: int) -> None:
        call = self.station.pull(instance)
        while call >= 0:
            self.begin(call)
            call = self.station.pull(instance)

    def on_cancel(self, call: int) -> None:
        instance = self.calls.instance[call]
        if self.calls.mark[call] == QUEUED:
            self.station.remove(call, instance)
        else:
            self.station.release(instance)
            self.pull(instance)

    def on_crash(self, instance: int) -> None:
        self.station.clear(instance)


def stormy_design(seed: int, requests: int = 300) -> Simulation:
    """A client, two services and two stores behind them, every policy of every edge drawn at random from ``seed``."""
    chance = random.Random(seed)
    simulation = Simulation(seed)
    client = add(simulation, Sender, "client", keys=50, request_bytes=200)
    front = add(simulation, Worker, "front", mean_ns=1 * MS)
    back = add(simulation, Worker, "back", mean_ns=2 * MS, hasty=chance.random() < 0.5)
    stores = [add(simulation, Worker, name, mean_ns=4 * MS) for name in ("store", "replica")]
    for block in (front, back, *stores):
        block.size(chance.randint(1, 3), chance.randint(1, 4), chance.choice([-1, 0, 3, 20]))
    for caller, callee in [(client, front), (front, back), (front, stores[0]), (back, stores[0]), (back, stores[1])]:
        wire(caller, callee, **random_policies(chance))
    client.send_every(chance.choice([1, 3, 5]) * MS, requests)
    return simulation


def random_policies(chance: random.Random) -> dict[str, Any]:
    """Any combination of what an edge can do."""
    return {
        "latency_distribution": chance.choice(["constant", "exponential", "lognormal"]),
        "latency_mean_ms": chance.choice([0.0, 0.2, 3.0]),
        "bandwidth_mbit_per_s": chance.choice([None, 1.0, 100.0]),
        "loss_percent": chance.choice([0.0, 0.0, 1.0, 20.0]),
        "timeout_ms": chance.choice([None, 3.0, 10.0, 50.0]),
        "retries": chance.choice([0, 1, 3]),
        "backoff_ms": chance.choice([0.0, 2.0, 20.0]),
        "backoff_max_ms": chance.choice([1.0, 30.0]),
        "jitter": chance.choice(["none", "full", "equal"]),
        "cancel_on_timeout": chance.random() < 0.6,
        "propagate_deadline": chance.random() < 0.5,
        "retry_budget_percent": chance.choice([None, None, 10.0]),
        "breaker": chance.random() < 0.4,
        "breaker_minimum_calls": 5,
        "breaker_window_s": 0.2,
        "breaker_open_s": 0.05,
        "breaker_probes": chance.choice([1, 3]),
    }


def random_fault(simulation: Simulation, chance: random.Random) -> None:
    """Something bad happens somewhere, for a while or until it is cleared."""
    lasting = chance.choice([0.001, 0.02, 0.1, None])
    if chance.random() < 0.6:
        block = chance.choice(simulation.blocks[1:])
        instance = chance.randrange(-1, block.instances)
        fault = chance.choice(["crash", "refuse", "pause", "slow_down"])
        if fault == "crash":
            inject(block, fault, instance=instance, restart_after_s=lasting)
        else:
            inject(block, fault, instance=instance, duration_s=lasting, factor=chance.choice([0.5, 3.0]))
    else:
        edge = chance.choice(simulation.edges)
        fault = chance.choice(["latency", "loss", "partition"])
        inject(edge, fault, duration_s=lasting, add_ms=20.0, percent=50.0)


def clear_all_faults(simulation: Simulation) -> None:
    """Everything is well again."""
    for target in [*simulation.blocks, *simulation.edges]:
        target.clear_faults()


def fingerprint(simulation: Simulation) -> list[object]:
    """All that a run's state is made of, as plain values that compare, without the places of objects in memory."""
    return [
        (type(owner).__name__, [(name, plain(value)) for name, value in kept])
        for owner, kept in Snapshot(simulation)._kept
    ]


def plain(value: object) -> object:
    if isinstance(value, State):
        return type(value).__name__
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if type(value).__name__.startswith("vec"):
        return list(value)  # type: ignore[call-overload]
    return value
