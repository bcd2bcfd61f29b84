"""Where requests come from: an open loop of arrivals, or a closed loop of users who wait for each answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mypy_extensions import i64

from playground.blocks.client.crowd import Crowd
from playground.blocks.client.daily_curve import Day
from playground.blocks.client.operations import Mix
from playground.blocks.client.own_items import OwnItems
from playground.blocks.client.readers import Readers
from playground.blocks.client.sign_in import SignedIn
from playground.engine.block import Block
from playground.engine.calls import NOT_MODIFIED, STALE
from playground.engine.durations import whole_ns
from playground.engine.limits import CALLS_IN_FLIGHT_MAX
from playground.engine.outcomes import ABSENT, LIST, OK, READ, SIGN_IN, WRITE
from playground.engine.params import Params
from playground.engine.people import own_number, user_of
from playground.engine.recent import RecentLatency
from playground.engine.streams import CONSTANT, Duration

if TYPE_CHECKING:
    from playground.engine.edge import Edge
    from playground.engine.simulation import Simulation

ARRIVAL: Final = 0
SESSION: Final = 1
THINK: Final = 2
BURST: Final = 3
PAGE: Final = 4
"""Timers: the next arrival (argument: its serial, older ones are void); a session's next request (argument: user); a closed loop's user has
thought (argument: user); a burst begins or ends (argument: its serial); a reader turns the page (argument: the walk)."""

THINK_NS_MIN: Final = 1_000
"""Not even a machine asks again in the same moment; a request that fails at once would be asked for ever in it."""

OPEN: Final = 0
CLOSED: Final = 1
WALKING: Final = 2
"""Steps: which loop a request belongs to, and whether it is a page of a walk (whose number is its ``data``)."""


class Client(Block):
    """Users. In the open loop arrivals are Poisson, thinned where a daily curve lowers the rate (Lewis and Shedler 1979)."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.arrival_stream = self.stream("arrivals")
        self.thinning_stream = self.stream("daily curve")
        self.burst_stream = self.stream("bursts")
        self.session_stream = self.stream("sessions")
        self.user_stream = self.stream("users")
        self.mix = Mix(self.stream("operations"), self.stream("keys"))
        self.own_items = OwnItems(self.stream("own items"))
        self.signed_in = SignedIn(self)
        self.readers = Readers(self)
        self.think_stream = self.stream("think times")
        self.closed: bool = False
        self.rate: float = 1.0
        self.steady: bool = False
        self.day = Day()
        self.burst_factor: float = 1.0
        self.burst_every_ns: float = -1.0
        self.burst_mean_ns: float = 0.0
        self.bursting: bool = False
        self.burst_serial: i64 = 0
        self.spikes: float = 1.0
        self.session_requests: float = 1.0
        self.session_gap_ns: float = 0.0
        # Which users these are, of all that the design has; its own numbers of them begin with 0.
        self.people: i64 = simulation.people.enter(self)
        self.users: i64 = 1
        self.concurrent: i64 = 1
        self.crowd = Crowd()
        self.running: bool = False
        self.thinking: i64 = 0
        self.think = Duration(CONSTANT, 0.0, 1.0)
        self.request_bytes: i64 = 0
        self.serial: i64 = 0
        self.begun: bool = False
        self.target: Edge | None = None
        self.found: i64 = 0
        self.not_found: i64 = 0
        self.stale_answers: i64 = 0
        self.not_modified: i64 = 0
        self.recent = RecentLatency(self.histogram)

    def configure(self, params: Params) -> None:
        """Rates, mix, keys and users; a changed rate counts from the next arrival on, which is drawn anew (the process has no memory)."""
        self.closed = params.text("loop") == "closed"
        self.rate = params.number("rate_per_s")
        self.steady = params.text("arrivals") == "even"
        self.day.configure(params)
        self.burst_factor = params.number("burst_factor")
        had_bursts = self.burst_every_ns > 0.0
        self.burst_every_ns = params.number("burst_every_s") * 1e9
        self.burst_mean_ns = params.number("burst_mean_s") * 1e9
        self.session_requests = params.number("session_requests")
        self.session_gap_ns = params.number("session_gap_s") * 1e9
        self.users = params.integer("users")
        self.concurrent = params.integer("concurrent_users")
        params.set_duration(self.think, "think")
        self.mix.configure(params)
        self.own_items.configure(params)
        self.signed_in.configure(params, self.users, self.crowd if self.closed else None)
        self.readers.configure(params)
        self.request_bytes = params.integer("request_bytes")
        if self.begun:
            if had_bursts != (self.burst_every_ns > 0.0):
                self.bursting = False
                # The timer that is set is void from here on.
                self.burst_serial += 1
                if not had_bursts:
                    self.next_burst()
            self.restart()

    def started(self) -> None:
        """The first arrivals."""
        self.begun = True
        if self.burst_every_ns > 0.0:
            self.next_burst()
        self.restart()

    def wired(self) -> None:
        """A client that had nobody to call begins when it has."""
        edges = self.out["out"]
        self.target = edges[0] if len(edges) > 0 else None
        if self.begun and not self.running:
            self.restart()

    def restart(self) -> None:
        """Forget the next arrival and draw another; bring the closed loop to its number of users."""
        self.serial += 1
        self.running = not self.removed and self.target is not None
        if not self.running:
            return
        if not self.closed:
            self.next_arrival()
            return
        while self.crowd.size() < self.wanted():
            self.pause_then_ask(self.crowd.enter())

    # ---- open loop

    def ceiling(self) -> float:
        """The highest rate that the present state allows, per second."""
        rate = self.rate * self.spikes
        return rate * self.burst_factor if self.bursting else rate

    def next_arrival(self) -> None:
        """Schedule the next arrival (of a session, where sessions have several requests)."""
        mean = 1e9 * self.session_requests / self.ceiling()
        gap = mean if self.steady else self.arrival_stream.exponential(mean)
        self.timer(whole_ns(gap), ARRIVAL, self.serial & 0xFFFFFFFF)

    def next_burst(self) -> None:
        """Schedule the beginning or the end of a burst."""
        mean = self.burst_mean_ns if self.bursting else self.burst_every_ns
        self.timer(i64(self.burst_stream.exponential(mean)), BURST, self.burst_serial & 0xFFFFFFFF)

    def on_timer(self, tag: i64, argument: i64) -> None:
        """An arrival, a session's next request, a user who has thought, a burst."""
        if tag == ARRIVAL:
            if argument != self.serial & 0xFFFFFFFF or self.closed:
                return
            if self.target is None:
                self.running = False
                return
            self.next_arrival()
            if self.day.daily and self.thinning_stream.uniform() >= self.day.level(self.simulation.now):
                return
            user: i64 = self.user_stream.below(self.users) if self.users > 1 else 0
            self.ask(user)
            self.go_on(user)
        elif tag == SESSION:
            if not self.closed and self.target is not None:
                self.ask(argument)
                self.go_on(argument)
        elif tag == THINK:
            self.thinking -= 1
            if not self.closed or self.crowd.size() > self.wanted() or self.target is None:
                self.depart(argument)
                self.running = self.target is not None
            else:
                self.ask(argument)
        elif tag == PAGE:
            self.turn_page(argument)
        elif argument == self.burst_serial & 0xFFFFFFFF and not self.removed:
            self.on_burst()

    def go_on(self, user: i64) -> None:
        """A session has a geometric number of requests: after each, chance decides whether another follows."""
        if self.session_requests > 1.0 and self.session_stream.uniform() >= 1.0 / self.session_requests:
            self.timer(i64(self.session_stream.exponential(self.session_gap_ns)), SESSION, user)

    def on_burst(self) -> None:
        """A burst begins or ends."""
        self.bursting = not self.bursting
        self.next_burst()
        if self.bursting:
            self.note("burst", "info", f"Burst at {self.label}", f"Requests come {self.burst_factor:g} times as often.")
        self.restart()

    # ---- closed loop

    def wanted(self) -> i64:
        """How many users the closed loop should have: a spike brings more, though never more than a run may have calls."""
        return i64(min(float(self.concurrent) * self.spikes, float(CALLS_IN_FLIGHT_MAX)))

    def pause_then_ask(self, user: i64) -> None:
        """Let a user of the closed loop think."""
        self.thinking += 1
        ns = self.think.draw(self.think_stream)
        self.timer(ns if ns > THINK_NS_MIN else THINK_NS_MIN, THINK, user)

    # ---- requests

    def ask(self, user: i64) -> None:
        """Send one request of ``user``, who signs in first where that is wanted."""
        session: i64 = 0
        if self.signed_in.enabled:
            session = self.signed_in.session_of(user)
            if session < 0:
                self.send(SIGN_IN, 1, user, 0)
                return
        operation = self.mix.operation()
        key = self.mix.key_for(operation)
        if operation == READ and self.own_items.share > 0.0:
            key = self.own_items.key_for(user, key)
        if operation == LIST and self.readers.enabled:
            walk = self.readers.begin(user, self.closed)
            if walk >= 0:
                self.turn_page(walk)
                return
        self.send(operation, key, user, session)

    def turn_page(self, walk: i64) -> None:
        """A reader asks for the next page of a walk."""
        readers = self.readers
        user = readers.walks[walk].user
        if self.target is None:
            self.walked(readers.end(walk), user)
            return
        session = self.signed_in.session_of(user) if self.signed_in.enabled else 0
        call = self.send(LIST, 1, user, session)
        self.calls.step[call] = WALKING | (CLOSED if readers.walks[walk].closed else OPEN)
        self.calls.data[call] = walk
        self.calls.tell(call, readers.ask(walk), 0)

    def walked(self, closed: bool, user: i64) -> None:
        """A walk is over: a user of the closed loop goes on with something else."""
        if closed and self.closed:
            self.pause_then_ask(user)
        elif closed:
            self.depart(user)
        elif self.closed and not self.is_there(user):
            # One of the open loop that was switched off, who had a request under way.
            self.signed_in.leave(user)

    def depart(self, user: i64) -> None:
        """A user of the closed loop is gone for good, cookie included, unless the open loop has the same user."""
        self.crowd.leave(user)
        if not self.is_there(user):
            self.signed_in.leave(user)

    def is_there(self, user: i64) -> bool:
        """Whether ``user`` is one of those who ask now."""
        return self.crowd.has(user) if self.closed else user < self.users

    def send(self, operation: i64, key: i64, user: i64, session: i64) -> i64:
        """Send a request that presents ``session`` (0: none); its handle."""
        now = self.simulation.now
        self.offered += 1
        self.area += float(self.in_flight) * float(now - self.changed)
        self.changed = now
        self.in_flight += 1
        trace = self.simulation.tracer.root()
        target = self.target
        assert target is not None
        call = target.call(-1, operation, key, user_of(self.people, user), -1, self.request_bytes, trace)
        self.calls.step[call] = CLOSED if self.closed else OPEN
        if session > 0:
            self.calls.present(call, session)
        return call

    def on_reply(self, call: i64) -> None:
        """A request has ended, one way or the other."""
        calls = self.calls
        now = self.simulation.now
        self.area += float(self.in_flight) * float(now - self.changed)
        self.changed = now
        self.in_flight -= 1
        stay = now - calls.began[call]
        self.residence += float(stay)
        outcome = calls.outcome[call]
        if outcome == OK:
            self.completed += 1
            self.recent.add(now)
            self.histogram.add(stay)
            self.count_answer(call)
        else:
            self.failed += 1
            self.failures[outcome] += 1
        if self.signed_in.enabled and self.has_signed_in(call):
            return
        step = calls.step[call]
        if step & WALKING != 0:
            gap = self.readers.on_page(call)
            if gap >= 0:
                self.timer(gap if gap > THINK_NS_MIN else THINK_NS_MIN, PAGE, calls.data[call])
                return
        self.walked(step & CLOSED != 0, own_number(calls.user[call]))

    def has_signed_in(self, call: i64) -> bool:
        """Take note of a session that began, or that a server didn't know; True when the user goes on at once to what they came for."""
        calls = self.calls
        user = own_number(calls.user[call])
        began = self.signed_in.hear(calls, call, user)
        goes_on = began and self.target is not None and self.closed == (calls.step[call] == CLOSED)
        if goes_on:
            self.ask(user)
        return goes_on

    def count_answer(self, call: i64) -> None:
        """What a good answer says about its item."""
        calls = self.calls
        flags = calls.flags[call]
        if calls.version[call] == ABSENT:
            self.not_found += 1
        elif calls.operation[call] == READ:
            self.found += 1
        elif calls.operation[call] == WRITE and self.own_items.share > 0.0:
            self.own_items.wrote(own_number(calls.user[call]), calls.key[call])
        if flags & STALE != 0:
            self.stale_answers += 1
        if flags & NOT_MODIFIED != 0:
            self.not_modified += 1

    def presents(self, user: i64, session: i64) -> bool:
        """Whether that is the session in the cookie of ``user``."""
        return self.is_there(user) and self.signed_in.presents(user, session)

    # ---- faults and figures

    def on_fault(self, fault: str, params: Params) -> bool:
        """``spike``: requests come ``factor`` times as often, or so many times the users come."""
        if fault != "spike":
            return False
        factor = params.number("factor")
        self.spikes *= factor
        self.lasting_fault("spike", factor, params.ns("duration_s"))
        what = f"{factor:g} times the users are there." if self.closed else f"Requests come {factor:g} times as often."
        self.note("spike", "warning", f"Traffic spike at {self.label}", what)
        self.restart()
        return True

    def on_fault_end(self, fault: str, value: float) -> None:
        """The spike is over."""
        self.spikes /= value
        if self.spikes > 0.999999 and self.spikes < 1.000001:
            self.spikes = 1.0
        self.note("spike_over", "good", f"Spike at {self.label} is over", "All is as before it.")
        self.restart()

    def health(self) -> float:
        """A client is never down; a fault on it shows."""
        return 1.0 if self.stalling or len(self.active) > 0 else 0.0

    def metrics(self) -> list[float]:
        """See ``spec.py``."""
        return [
            float(self.offered),
            self.recent.percentile(0.5) / 1e6,
            self.recent.percentile(0.99) / 1e6,
            0.0 if self.closed else self.ceiling() * self.day.level(self.simulation.now),
            float(self.crowd.size()) if self.closed else 0.0,
            float(self.thinking),
            float(self.found),
            float(self.not_found),
            float(self.stale_answers),
            float(self.not_modified),
            float(self.signed_in.session.size),
            float(self.signed_in.sign_ins),
            float(self.signed_in.signed_out),
            *self.readers.metrics(),
        ]

    def detail(self) -> dict[str, object]:
        """What it asks for, in words and numbers."""
        return {
            "loop": "closed" if self.closed else "open",
            "bursting": self.bursting,
            "mix": self.mix.percentages(),
            "keys": int(self.mix.keys),
            "failures": self.failures_by_reason(),
            **(self.readers.detail() if self.readers.enabled else {}),
        }
