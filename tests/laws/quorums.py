"""A quorum store with a caller of its own, who sends single requests to chosen nodes at chosen moments, or series of trials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from librt.vecs import vec
from mypy_extensions import i64

from playground.blocks.edge import EDGE
from playground.blocks.registry import kinds
from playground.engine.block import Block
from playground.engine.edge import Edge
from playground.engine.outcomes import OUTCOMES, READ, WRITE
from playground.engine.params import Params
from playground.engine.simulation import Simulation
from playground.parameters import filled
from playground.protocol.catalogue import Scalar
from tests.sketch import MS

SSD: dict[str, Scalar] = {}
"""All four legs as measured on solid-state disks: the default."""

DISK: dict[str, Scalar] = {"write_distribution": "lnkd_disk"}

QUIET: dict[str, Scalar] = {"read_repair": "off", "anti_entropy_every_s": None}
"""Nothing but the requests themselves changes a replica."""


def legs(**means_ms: float) -> dict[str, Scalar]:
    """Exponential legs with these means, ms."""
    found: dict[str, Scalar] = {}
    for name, mean in means_ms.items():
        found |= {f"{name}_distribution": "exponential", f"{name}_mean_ms": mean}
    return found


def steady(ms: float) -> dict[str, Scalar]:
    """Every message takes so long."""
    found: dict[str, Scalar] = {}
    for name in ("write", "ack", "read", "response"):
        found |= {f"{name}_distribution": "constant", f"{name}_mean_ms": ms}
    return found


@dataclass
class Answer:
    """What came back: by which way it ended, the version, and when, ms."""

    outcome: str
    version: int
    at_ms: float


class Caller(Block):
    """Keeps the answers to its requests, by number."""

    def __init__(self, simulation: Simulation, index: int, name: str) -> None:
        super().__init__(simulation, index, name)
        self.answers: list[Any] = []
        self.link: Any = None

    def ask(self, operation: int, key: int, node: int) -> int:
        """Send a request to a node (-1: any); its number."""
        call = self.link.call(-1, operation, key, 1, node, 100, 0)
        self.calls.data[call] = len(self.answers)
        self.answers.append(None)
        return len(self.answers) - 1

    def on_reply(self, call: int) -> None:
        calls = self.calls
        outcome = OUTCOMES[calls.outcome[call]]
        self.answers[calls.data[call]] = Answer(outcome, calls.version[call], self.simulation.now / MS)


class Trials(Caller):
    """Writes a new key each time, and reads it some times after the acknowledgement, once for each of ``delays`` (ns)."""

    def __init__(self, simulation: Simulation, index: int, name: str) -> None:
        super().__init__(simulation, index, name)
        self.delays: list[int] = []
        self.fresh: list[int] = []
        self.every = 0
        self.left = 0
        self.key = 0

    def begin(self, trials: int, delays_ms: list[float], every_ms: float) -> None:
        """So many trials, one every ``every_ms``."""
        self.delays = [round(delay * MS) for delay in delays_ms]
        self.fresh = [0 for _ in delays_ms]
        self.left = trials
        self.every = round(every_ms * MS)
        self.timer(0, 31, 0)

    def read(self, key: int, tag: int) -> None:
        # The table of calls may grow while one is made.
        call = self.link.call(-1, READ, key, 1, -1, 100, 0)
        self.calls.step[call] = tag

    def on_timer(self, tag: int, argument: int) -> None:
        if tag < 31:
            self.read(argument, tag)
            return
        self.key += 1
        self.left -= 1
        self.link.call(-1, WRITE, self.key, 1, -1, 100, 0)
        if self.left > 0:
            self.timer(self.every, 31, 0)

    def on_reply(self, call: int) -> None:
        calls = self.calls
        if calls.operation[call] == READ:
            self.fresh[calls.step[call]] += calls.version[call] == 2
            return
        assert calls.outcome[call] == 0
        for tag, delay in enumerate(self.delays):
            if delay == 0:
                self.read(calls.key[call], tag)
            else:
                self.timer(delay, tag, calls.key[call])


class Bench:
    """A store, a caller, and the wire between them, which takes no time."""

    def __init__(self, *, seed: int = 1, caller: type[Caller] = Caller, **params: Scalar) -> None:
        simulation = Simulation(seed)
        kind = kinds()["quorum_store"]
        self.simulation = simulation
        self.store: Any = kind.behaviour(simulation, 0, "store")
        self.params = filled(kind.spec.params, params)
        unknown = params.keys() - self.params.keys()
        assert not unknown, unknown
        self.store.configure(Params(dict(self.params)))
        self.caller = caller(simulation, 1, "caller")
        simulation.blocks += [self.store, self.caller]
        link = Edge(simulation, 0, "link", self.caller, self.store)
        instant: dict[str, Scalar] = {"latency_distribution": "constant", "latency_mean_ms": 0.0, "timeout_ms": None}
        link.configure(Params(dict(filled(EDGE.params, instant))))
        simulation.edges.append(link)
        self.caller.link = link
        self.store.started()
        self.names = [metric.name for metric in kind.spec.metrics]

    def set(self, **params: Scalar) -> None:
        """Change parameters while it runs."""
        self.params |= params
        self.store.configure(Params(dict(self.params)))

    def reach(self, ms: float) -> None:
        """Go on to this moment."""
        assert self.simulation.advance(round(ms * MS), 1 << 60)

    def write(self, key: int = 1, node: int = -1) -> int:
        return self.caller.ask(WRITE, key, node)

    def read(self, key: int = 1, node: int = -1) -> int:
        return self.caller.ask(READ, key, node)

    def answer(self, number: int) -> Answer:
        """What came back; it must have."""
        found = self.caller.answers[number]
        assert isinstance(found, Answer), "no answer yet"
        return found

    def metric(self, name: str) -> float:
        return float(self.store.metrics()[self.names.index(name)])

    def nodes_of(self, key: int = 1) -> list[int]:
        """All nodes in the order in which the key prefers them."""
        at = self.store.ring.first_point(key) * self.store.nodes
        return [int(self.store.order[at + place]) for place in range(self.store.nodes)]

    def fault(self, name: str, **params: Scalar) -> None:
        spec = next(it for it in kinds()["quorum_store"].spec.faults if it.name == name)
        self.store.inject(name, Params(dict(filled(spec.params, params))))

    def held(self, node: int, key: int = 1) -> list[int]:
        """The versions that a node holds of a key."""
        room = vec[i64]([0] * self.store.ledger.width)
        count = self.store.replicas[node].read(key, room, 0)
        return sorted(int(self.store.ledger.number[room[place]]) for place in range(count))

    def titles(self) -> list[str]:
        return [entry[4] for entry in self.simulation.notables]

    def texts(self, kind: str) -> list[str]:
        return [entry[5] for entry in self.simulation.notables if entry[1] == kind]


def trials(
    count: int,
    delays_ms: list[float],
    *,
    every_ms: float = 0.5,
    after_ms: float = 2_000,
    seed: int = 1,
    **params: Scalar,
) -> tuple[Bench, list[int]]:
    """Run a series; the bench, and how many reads were fresh at each delay."""
    bench = Bench(seed=seed, caller=Trials, keys=count + 1, **{**QUIET, **params})
    caller = bench.caller
    assert isinstance(caller, Trials)
    caller.begin(count, delays_ms, every_ms)
    bench.reach(count * every_ms + after_ms)
    assert caller.left == 0 and bench.metric("reads") == count * len(delays_ms)
    return bench, caller.fresh
