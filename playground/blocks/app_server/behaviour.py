"""Servers that do a request's work: their own, and that of the services, cache and store they call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mypy_extensions import i64

from playground.blocks.app_server.probing import answer
from playground.blocks.app_server.program import Program
from playground.blocks.app_server.sessions import NONE, SESSION_BYTES, STORE
from playground.blocks.app_server.states import HELD, HELD_FAILED
from playground.blocks.app_server.steps import KEY_BYTES, MOVE, SERVICE, SESSION, SMALL_BYTES
from playground.blocks.app_server.validators import UNCONDITIONAL, VALIDATORS, conditional_size
from playground.engine.calls import PROBING, SIGNED, TOLD
from playground.engine.outcomes import (
    BAD_REQUEST,
    BUY,
    CREATE,
    DELETE,
    EXPIRED,
    LIST,
    NO_UPSTREAM,
    OK,
    OPERATIONS,
    OVERLOADED,
    READ,
    SESSION_GET,
    SESSION_SET,
    SIGN_IN,
    SIGNED_OUT,
    WRITE,
    as_upstream,
)
from playground.engine.params import Params
from playground.engine.station import FULL, QUEUED
from playground.engine.streams import CONSTANT, Duration

if TYPE_CHECKING:
    from playground.engine.edge import Edge
    from playground.engine.simulation import Simulation

WAITING: Final = 0
BEFORE: Final = 1
CALLING: Final = 2
AFTER: Final = 3
UNKNOWN: Final = 4
POLLING: Final = 5
"""Marks of a call: it waits for a worker, is worked on before its calls, waits for a callee (holding its worker), is worked on after; comes
with a session that is not known; will ask the cache, or buy, again. Those of ``states.py`` follow."""

SHOWN: Final = [READ, LIST, WRITE, BUY, CREATE, DELETE]
"""Operations whose program the inspector shows."""


class AppServer(Program):
    """``instances`` servers with a worker pool each. A worker is held from the start of a request to its answer, all waiting included."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.before_stream = self.stream("work before its calls")
        self.after_stream = self.stream("work after its calls")
        self.before = Duration(CONSTANT, 0.0, 1.0)
        self.after = Duration(CONSTANT, 0.0, 1.0)
        self.drop_expired: bool = False
        self.parallel: bool = False
        self.validators: i64 = UNCONDITIONAL
        self.services: list[Edge] = []
        self.session_store: Edge | None = None
        self.rejected: i64 = 0
        self.expired: i64 = 0

    def configure(self, params: Params) -> None:
        """Take sizes and times; more workers take waiting calls at once."""
        self.configure_life(params)
        params.set_duration(self.before, "before")
        params.set_duration(self.after, "after")
        self.drop_expired = params.flag("drop_expired")
        self.parallel = params.text("services_order") == "parallel"
        self.configure_program(params)
        self.validators = VALIDATORS.index(params.text("validators"))
        instance: i64 = 0
        while instance < self.instances:
            if self.life.standstill.stuck[instance] == 0:
                self.pull(instance)
            instance += 1

    def wired(self) -> None:
        """Derive the program from what is wired."""
        self.services = list(self.out["services"])
        self.wire_data()
        self.session_store = self.only("sessions")

    # ---- a call's way through

    def on_call(self, call: i64) -> None:
        """Take a worker, wait for one, or turn the call away."""
        calls = self.calls
        calls.mark[call] = WAITING
        became = self.station.offer(call, calls.instance[call])
        if became == FULL:
            self.rejected += 1
            self.reply(call, OVERLOADED, 0, 0)
        elif became == QUEUED:
            self.note_queue(self.station.waiting_all, self.station.workers * self.station.serving, "workers")
        elif not self.lively or not self.life.standstill.takes_hold(call):
            self.begin(call)

    def begin(self, call: i64) -> None:
        """A worker starts on a call."""
        self.calls.mark[call] = BEFORE
        self.calls.memo[call] = 0
        self.calls.version[call] = 0
        ns = self.before.draw(self.before_stream)
        if self.lively:
            ns = self.life.stretch(call, ns)
        if ns > 0:
            self.work(call, ns)
        else:
            self.call_services(call)

    def on_work(self, call: i64) -> None:
        """Own work is done."""
        mark = self.calls.mark[call]
        if mark == BEFORE:
            self.call_services(call)
        elif mark == AFTER:
            self.end(call, OK)
        elif mark == UNKNOWN:
            self.end(call, SIGNED_OUT)
        elif mark == POLLING:
            self.calls.mark[call] = CALLING
            if self.calls.operation[call] == BUY:
                self.save(call)
            else:
                self.look_up(call)
        elif mark == HELD:
            self.begin(call)
        else:
            # HELD_FAILED
            self.end(call, as_upstream(self.calls.outcome[call]))

    def call_services(self, call: i64) -> None:
        """Call the services: the first one, or all at once; with none, go on. ``memo`` counts those called, or those still out."""
        calls = self.calls
        if self.sessions.mode != NONE and calls.mark[call] == BEFORE and not self.admits(call):
            return
        calls.mark[call] = CALLING
        count: i64 = len(self.services)
        if count == 0:
            self.go_on(call)
        elif self.parallel:
            calls.memo[call] = count
            index: i64 = 0
            while index < count:
                self.ask_service(call, self.services[index])
                index += 1
        else:
            calls.memo[call] = 1
            self.ask_service(call, self.services[0])

    def ask_service(self, call: i64, edge: Edge) -> None:
        """Call one service on behalf of ``call``."""
        calls = self.calls
        size = calls.request_bytes[call]
        made = edge.call(call, calls.operation[call], calls.key[call], calls.user[call], -1, size, calls.trace[call])
        calls.step[made] = SERVICE
        if calls.flags[call] & SIGNED != 0:
            calls.present(made, calls.session[call])

    def admits(self, call: i64) -> bool:
        """Whether the user's session is known here: then the request may go on. Else it waits for the store, signs in, or is refused."""
        calls = self.calls
        sessions = self.sessions
        signs_in = calls.operation[call] == SIGN_IN
        if sessions.mode == STORE:
            calls.mark[call] = CALLING
            kept = self.session_store
            if kept is None:
                calls.mark[call] = HELD_FAILED
                calls.outcome[call] = NO_UPSTREAM
                self.work(call, 0)
                return False
            operation = SESSION_SET if signs_in else SESSION_GET
            # A sign-in makes a session with a number of its own.
            session = calls.serial[call] if signs_in else calls.session_of(call)
            size = SESSION_BYTES if signs_in else KEY_BYTES
            made = kept.call(call, operation, session, calls.user[call], -1, size, calls.trace[call])
            calls.step[made] = SESSION
            calls.tell(made, sessions.ttl_ns, 0)
            return False
        if signs_in:
            sessions.begin(calls.instance[call], calls.serial[call], calls.user[call])
            self.welcome(call)
            return False
        if sessions.knows(calls.instance[call], calls.session_of(call)):
            return True
        self.refuse_user(call)
        return False

    def welcome(self, call: i64) -> None:
        """A session has begun: the answer carries its number."""
        self.sessions.begun += 1
        self.calls.advise(call, 0, self.calls.serial[call])
        self.conclude(call)

    def refuse_user(self, call: i64) -> None:
        """Nobody knows this session."""
        self.sessions.miss(self.calls.instance[call])
        self.calls.mark[call] = UNKNOWN
        # An event of its own: a queue full of these must not be worked off in one breath.
        self.work(call, 0)

    def refuse_link(self, call: i64) -> None:
        """The request asks for a page by a link that nobody gave out."""
        self.calls.mark[call] = HELD_FAILED
        self.calls.outcome[call] = BAD_REQUEST
        self.work(call, 0)

    def on_session(self, call: i64, outcome: i64, version: i64) -> None:
        """The session store has answered."""
        if outcome != OK:
            self.end(call, as_upstream(outcome))
        elif self.calls.operation[call] == SIGN_IN:
            self.welcome(call)
        elif version > 0:
            # Also where it was put there by a call whose answer was lost on the way.
            self.sessions.hand_over(self.calls.instance[call], self.calls.session_of(call))
            self.call_services(call)
        elif self.sessions.knows(self.calls.instance[call], self.calls.session_of(call)):
            self.move_session(call)
        else:
            self.refuse_user(call)

    def move_session(self, call: i64) -> None:
        """The session began before sessions had a store: put it there. Until that has it, this server does."""
        kept = self.session_store
        if kept is None:
            self.refuse_user(call)
            return
        calls = self.calls
        made = kept.call(
            call, SESSION_SET, calls.session_of(call), calls.user[call], -1, SESSION_BYTES, calls.trace[call]
        )
        calls.step[made] = MOVE
        calls.tell(made, self.sessions.ttl_ns, 0)

    def go_on(self, call: i64) -> None:
        """Services are done: on to the data, unless a sign-in at a server without sessions wants none."""
        if self.calls.operation[call] == SIGN_IN:
            self.conclude(call)
        else:
            self.call_data(call)

    def on_reply(self, call: i64) -> None:
        """A callee has answered."""
        calls = self.calls
        parent = calls.parent[call]
        step = calls.step[call]
        outcome = calls.outcome[call]
        if self.lively and parent >= 0 and self.life.standstill.holds(parent, outcome):
            return
        if step == MOVE:
            if outcome == OK:
                self.sessions.hand_over(calls.instance[parent], calls.session_of(parent))
            self.call_services(parent)
        elif step == SESSION:
            self.on_session(parent, outcome, calls.version[call])
        elif step == SERVICE:
            self.on_service(parent, outcome, call)
        else:
            self.on_data(parent, call, step, outcome)

    def wait(self, call: i64, ns: i64) -> None:
        """Hold the worker for ``ns``, then ask the cache again, or buy again."""
        self.calls.mark[call] = POLLING
        self.work(call, ns)

    def on_service(self, parent: i64, outcome: i64, call: i64) -> None:
        """A service has answered: one failure fails the request, and nobody waits for the others."""
        calls = self.calls
        if outcome != OK:
            self.drop_children(parent)
            self.end(parent, as_upstream(outcome))
            return
        if calls.version[call] > calls.version[parent]:
            calls.version[parent] = calls.version[call]
        if self.parallel:
            calls.memo[parent] -= 1
            if calls.memo[parent] <= 0:
                self.go_on(parent)
        elif calls.memo[parent] < len(self.services):
            calls.memo[parent] += 1
            self.ask_service(parent, self.services[calls.memo[parent] - 1])
        else:
            self.go_on(parent)

    def conclude(self, call: i64) -> None:
        """All calls are made: the work after them, then the answer."""
        ns = self.after.draw(self.after_stream)
        if self.lively:
            ns = self.life.stretch(call, ns)
        if ns > 0:
            self.calls.mark[call] = AFTER
            self.work(call, ns)
        else:
            self.end(call, OK)

    def end(self, call: i64, outcome: i64) -> None:
        """Answer, and let the worker take the next call."""
        calls = self.calls
        instance = calls.instance[call]
        size: i64 = 0
        if outcome == OK:
            operation = calls.operation[call]
            size = SMALL_BYTES
            if operation == READ and calls.version[call] >= 0:
                size = self.response_bytes
                # Only a cache of HTTP does anything with a validator; nobody else is given one.
                if calls.flags[call] & TOLD != 0 and self.validators != UNCONDITIONAL:
                    size = conditional_size(self, call, self.validators, size)
            elif operation == LIST:
                size = self.response_bytes * self.list_items
        self.station.release(instance)
        self.reply(call, outcome, calls.version[call], size)
        self.pull(instance)
        if self.lively:
            self.life.has_finished(instance)

    def pull(self, instance: i64) -> None:
        """Let free workers take waiting calls; those that nobody waits for any more are dropped, where that is switched on."""
        station = self.station
        calls = self.calls
        while True:
            call = station.pull(instance)
            if call < 0:
                break
            if calls.flags[call] & PROBING != 0:
                station.release(instance)
                answer(self.life, call)
                continue
            deadline = calls.deadline[call]
            if self.drop_expired and deadline > 0 and deadline <= self.simulation.now:
                self.expired += 1
                station.release(instance)
                self.reply(call, EXPIRED, 0, 0)
            else:
                self.begin(call)
        self.note_queue(station.waiting_all, station.workers * station.serving, "workers")

    def on_cancel(self, call: i64) -> None:
        """Free the place in the queue, or the worker."""
        instance = self.calls.instance[call]
        if self.calls.mark[call] == WAITING:
            self.station.remove(call, instance)
        else:
            self.station.release(instance)
            self.pull(instance)
        if self.lively:
            self.life.has_finished(instance)

    # ---- figures

    def metrics(self) -> list[float]:
        """See ``spec.py``."""
        station = self.station
        waited = station.waited_ns / float(station.waits) / 1e6 if station.waits > 0 else 0.0
        return [
            float(station.busy_all),
            float(station.workers * station.serving),
            float(self.rejected),
            float(self.expired),
            float(self.bypassed),
            float(station.waits),
            waited,
            *self.life_metrics(),
            *self.data_metrics(),
        ]

    def program(self, operation: i64) -> str:
        """The steps of an operation, in words."""
        steps: list[str] = ["work"]
        names = [edge.callee.label for edge in self.services]
        if len(names) > 0:
            steps.append((" and " if self.parallel else ", then ").join(names))
        steps.extend(self.data_steps(operation))
        steps.append("work, answer")
        return " → ".join(steps)

    def detail(self) -> dict[str, object]:
        """The program of each operation, and how the instances stand."""
        return {
            "program": {OPERATIONS[operation]: self.program(operation) for operation in SHOWN},
            "instances": self.instance_rows(),
            "failures": self.failures_by_reason(),
        }
