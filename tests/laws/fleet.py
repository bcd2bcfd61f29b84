"""A load balancer by itself, in front of servers whose health is what a test says."""

from __future__ import annotations

from playground.blocks.load_balancer.behaviour import LoadBalancer
from playground.blocks.load_balancer.spec import SPEC
from playground.engine.block import Block
from playground.engine.outcomes import NOT_READY, OK, PROBE_LIVENESS, PROBE_STARTUP, READ, SIGN_IN, SIGNED_OUT
from playground.engine.params import Params
from playground.engine.simulation import Simulation
from playground.parameters import filled
from playground.protocol.catalogue import Scalar
from tests.engine.parts import EVER, SECOND, Sender, add, wire


class Servers(Block):
    """Instances that are started, alive and ready as a test sets them, and write down who asked them what.

    ``forgetful``: a user who has not signed in at an instance since its last crash is signed out there.
    """

    def __init__(self, simulation: Simulation, index: int, name: str) -> None:
        super().__init__(simulation, index, name)
        self.service_ns = 0
        self.outcome = OK
        self.forgetful = False
        self.probe_ns = 0
        self.starts_in_ns = 0
        # By instance.
        self.is_started: list[bool] = []
        self.is_alive: list[bool] = []
        self.is_ready: list[bool] = []
        self.off: list[bool] = []
        self.failing: list[bool] = []
        self.sessions: list[list[int]] = []
        self.took: list[int] = []
        # What happened: (time, instance, user), (time, instance, kind of probe), (time, instance).
        self.calls_seen: list[tuple[int, int, int]] = []
        self.probes_seen: list[tuple[int, int, int]] = []
        self.restarts: list[tuple[int, int]] = []
        self.finished = 0

    def size(self, count: int) -> None:
        """Have so many instances, the new ones well."""
        self.set_instances(count)
        while len(self.is_ready) < count:
            for column in (self.is_started, self.is_alive, self.is_ready):
                column.append(True)
            for column in (self.off, self.failing):
                column.append(False)
            self.sessions.append([])
            self.took.append(0)
        self.announce()

    def listed(self, instance: int) -> bool:
        return not self.off[instance]

    def on_probe(self, call: int) -> None:
        kind, instance = self.calls.key[call], self.calls.instance[call]
        self.probes_seen.append((self.simulation.now, instance, kind))
        if self.probe_ns > 0:
            self.timer(self.probe_ns, 1, call)
        else:
            self.answer_as_is(call)

    def answer_as_is(self, call: int) -> None:
        kind, instance = self.calls.key[call], self.calls.instance[call]
        states = {PROBE_STARTUP: self.is_started, PROBE_LIVENESS: self.is_alive}.get(kind, self.is_ready)
        self.answer_probe(call, OK if states[instance] else NOT_READY)

    def on_call(self, call: int) -> None:
        calls, instance = self.calls, self.calls.instance[call]
        self.calls_seen.append((self.simulation.now, instance, calls.user[call]))
        self.took[instance] += 1
        if self.service_ns > 0:
            self.work(call, self.service_ns)
        else:
            self.on_work(call)

    def on_work(self, call: int) -> None:
        self.finished += 1
        calls, instance, user = self.calls, self.calls.instance[call], self.calls.user[call]
        outcome = self.outcome
        if calls.operation[call] == SIGN_IN:
            self.sessions[instance].append(user)
        elif self.forgetful and user not in self.sessions[instance]:
            outcome = SIGNED_OUT
        elif self.failing[instance] or not self.is_started[instance] or not self.is_ready[instance]:
            outcome = NOT_READY
        self.reply(call, outcome, 1, 100)

    def on_crash(self, instance: int) -> None:
        self.sessions[instance] = []

    def on_restart(self, instance: int) -> None:
        self.restarts.append((self.simulation.now, instance))
        self.is_alive[instance] = True
        self.is_started[instance] = self.starts_in_ns == 0
        if self.starts_in_ns > 0:
            self.timer(self.starts_in_ns, 0, self.lives[instance] << 10 | instance)

    def on_timer(self, tag: int, argument: int) -> None:
        if tag == 1:
            self.answer_as_is(argument)
        elif argument >> 10 == self.lives[argument & 1023]:
            self.is_started[argument & 1023] = True


class Users(Sender):
    """Sends for whom a test says; writes down (time, outcome, user)."""

    def send_for(self, user: int, operation: int = READ, key: int = 0) -> None:
        self.out["out"][0].call(-1, operation, key, user, -1, 100, 0)

    def on_reply(self, call: int) -> None:
        self.answers.append((self.simulation.now, self.calls.outcome[call], self.calls.user[call]))


class Fleet:
    """Users, a balancer and ``count`` servers, wired by a network that takes no time."""

    def __init__(self, count: int, *, seed: int = 1, edge: dict[str, object] | None = None, **params: Scalar) -> None:
        self.simulation = Simulation(seed)
        self.params = params
        self.users = add(self.simulation, Users, "users")
        self.lb = add(self.simulation, LoadBalancer, "lb")
        self.servers = add(self.simulation, Servers, "servers")
        self.servers.size(count)
        self.lb.out["out"] = []
        self.set()
        self.to_lb = wire(self.users, self.lb)
        self.to_servers = wire(self.lb, self.servers, **(edge or {}))

    def set(self, **changes: Scalar) -> None:
        """Give the balancer its parameters, some of them changed."""
        self.params = {**self.params, **changes}
        self.lb.configure(self.lb_params())

    def lb_params(self) -> Params:
        """The balancer's parameters."""
        return Params(dict(filled(SPEC.params, self.params)))

    def run(self, seconds: float) -> None:
        """Run to a time."""
        assert self.simulation.advance(round(seconds * SECOND), EVER)

    def call(self, user: int, operation: int = READ, key: int = 0) -> int:
        """One call and all that comes of it; how it ended."""
        answered = len(self.users.answers)
        self.users.send_for(user, operation, key)
        while len(self.users.answers) == answered:
            self.simulation.advance(self.simulation.now + 60 * SECOND, 1)
        return self.users.answers[-1][1]

    def server_of(self, user: int) -> int:
        """The instance that takes a call of this user."""
        assert self.call(user) == OK
        return self.servers.calls_seen[-1][1]

    def ready(self) -> list[int]:
        """The instances that get calls."""
        return [row for row in range(self.lb.targets.count) if self.lb.targets.taking[row]]

    def metric(self, name: str) -> float:
        """A figure of the balancer."""
        return self.lb.metrics()[[metric.name for metric in SPEC.metrics].index(name)]

    def notes(self, kind: str) -> list[tuple[float, str]]:
        """Notables of a kind: (seconds, title)."""
        return [(note[0] / SECOND, note[4]) for note in self.simulation.notables if note[1] == kind]
