"""Sends clients to a region. With DNS, resolvers keep an answer until its TTL, and the way to the region is the client's own; with
anycast there is one address, and the network takes each request to the nearest region that is announced."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mypy_extensions import i64

from playground.blocks.gslb.distances import RecentDistances
from playground.blocks.gslb.figures import cells_of, dead_percent, detail_of
from playground.blocks.gslb.notes import note_back, note_dead, note_leaving, note_route
from playground.blocks.gslb.resolvers import GONE, NO_ANSWER, REGION_COUNT, Resolvers
from playground.blocks.gslb.targets import ANYCAST, DIED, POLICIES, RECOVERED, Targets, met_the_dead
from playground.engine.block import Block
from playground.engine.calls import ANSWERED, NOT_MODIFIED, STALE
from playground.engine.columns import zeros
from playground.engine.outcomes import NO_UPSTREAM, OK, PROBE_READINESS, REMOVED, TIMEOUT, UPSTREAM_TIMEOUT
from playground.engine.params import Params
from playground.engine.regions import REGION_NUMBERS, ROUND_TRIP_MS

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation

LOOKING: Final = 1
GOING: Final = 2
COMING: Final = 3
"""Marks of a call: its resolver asks; it is on its way to the region; the answer is on its way back."""

LOOKED: Final = 0
PROBES: Final = 1
ROUTES: Final = 2
"""Timers: a resolver's query has been answered, or not (argument: the resolver); the next round of probes (argument: its serial, older ones
are void); the network has learned what a region announces (argument: the edge)."""


class Gslb(Block):
    """What is in a resolver's cache, or in the network's routes, is not the balancer's any more: it has no instance that could crash.

    A call's ``memo`` is the clients' region, then where it goes ('number of the edge' * 256 + 'region'), then how it ended.
    """

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.age_stream = self.stream("ages of cached answers")
        self.phase_stream = self.stream("phase of the probes")
        self.targets = Targets(self.stream("weighted answers"))
        self.resolvers = Resolvers()
        self.distances = RecentDistances()
        self.policy: i64 = 0
        self.clients_region: i64 = 0
        self.answer_all: bool = False
        self.convergence_ns: i64 = 0
        self.checks: bool = False
        self.interval_ns: i64 = 0
        self.probe_timeout_ns: i64 = 0
        self.dead_after: i64 = 1
        self.back_after: i64 = 1
        self.probe_serial: i64 = 0
        self.lookup_ns: i64 = 0
        self.lookup_timeout_ns: i64 = 0
        self.failure_ns: i64 = 0
        self.serve_stale: bool = False
        self.begun: bool = False
        self.seeded: bool = False
        self.outage: bool = False
        self.to_dead: i64 = 0
        self.resolutions: i64 = 0
        self.unresolved: i64 = 0
        self.stale_answers: i64 = 0
        self.probes_sent: i64 = 0

    def configure(self, params: Params) -> None:
        """Take parameters. Answers that resolvers hold keep the TTL they came with; another number of resolvers are other resolvers."""
        self.policy = POLICIES.index(params.text("policy"))
        self.clients_region = REGION_NUMBERS[params.text("clients_region")]
        self.answer_all = params.text("when_all_dead") == "answer_all"
        self.convergence_ns = params.ns("convergence_s")
        for (here, there), _ in ROUND_TRIP_MS.items():
            ns = params.ns(f"rtt_{here}_{there}_ms")
            first = REGION_NUMBERS[here]
            second = REGION_NUMBERS[there]
            self.targets.round_trips[first * REGION_COUNT + second] = ns
            self.targets.round_trips[second * REGION_COUNT + first] = ns
        self.configure_checks(params)
        resolvers = self.resolvers
        resolvers.ttl_ns = params.ns("ttl_s")
        resolvers.ignored_ns = params.ns("ignored_ttl_s")
        resolvers.ignore_share = params.number("ignore_ttl_percent") / 100.0
        self.lookup_ns = params.ns("lookup_ms")
        self.lookup_timeout_ns = params.ns("lookup_timeout_s")
        self.failure_ns = params.ns("failure_ttl_s")
        self.serve_stale = params.flag("serve_stale")
        size = params.integer("resolvers")
        if size != resolvers.size:
            resolvers.resize(size)
            self.seeded = False
            self.seed()
        self.settle_populations()

    def configure_checks(self, params: Params) -> None:
        """Health checks; another interval begins a new round."""
        checks = params.flag("health_checks")
        interval = params.ns("probe_interval_s")
        anew = checks != self.checks or interval != self.interval_ns
        self.checks = checks
        self.interval_ns = interval
        self.probe_timeout_ns = params.ns("probe_timeout_s")
        self.dead_after = params.integer("probe_threshold")
        self.back_after = params.integer("recover_threshold")
        if not checks:
            self.targets.trust()
        if anew and self.begun:
            self.begin_probing()

    def wired(self) -> None:
        """List the regions anew; resolvers go on pointing to those that are still there."""
        places = self.targets.rewire(self.out["out"], len(self.simulation.edges), self.simulation.now)
        self.resolvers.renumber(places)
        self.seed()
        self.settle_populations()

    def started(self) -> None:
        """Resolvers have asked before; the first probe comes at some time within an interval."""
        self.begun = True
        self.seed()
        self.settle_populations()
        self.begin_probing()

    def seed(self) -> None:
        """Give each resolver an answer whose age is anything up to the time that it keeps one: they never asked all at once."""
        if self.seeded or not self.begun or self.targets.count == 0:
            return
        self.seeded = True
        now = self.simulation.now
        resolvers = self.resolvers
        resolver: i64 = 0
        while resolver < len(resolvers.target):
            target = self.answer(resolver // resolvers.size)
            resolvers.seed(resolver, target, now, self.age_stream.uniform())
            resolver += 1

    def settle_populations(self) -> None:
        """Find out where clients are, and count their resolvers."""
        seen = zeros(REGION_COUNT)
        for edge in self.into:
            if not edge.removed:
                seen[REGION_NUMBERS.get(edge.caller.region, self.clients_region)] = 1
        self.resolvers.seen = seen
        self.resolvers.recount(self.targets.count)

    # ---- a request

    def on_call(self, call: i64) -> None:
        """A client has a request. Under anycast it goes off at once, else its resolver has to know where to."""
        region = REGION_NUMBERS.get(self.edge_of(call).caller.region, self.clients_region)
        if self.resolvers.seen[region] == 0:
            self.settle_populations()
        self.calls.memo[call] = region
        if self.policy == ANYCAST:
            self.go(call, region, self.answer(region))
        else:
            self.resolve(call, region)

    def resolve(self, call: i64, region: i64) -> None:
        """Ask the client's resolver: it knows, or it asks and everybody waits, or it has been told nothing a moment ago."""
        resolvers = self.resolvers
        now = self.simulation.now
        resolver = resolvers.of_user(region, self.calls.user[call])
        if resolvers.is_fresh(resolver, now):
            self.go(call, region, resolvers.target[resolver])
        elif resolvers.answer_at[resolver] >= now:
            self.calls.mark[call] = LOOKING
            self.work(call, resolvers.answer_at[resolver] - now)
        elif resolvers.retry_at[resolver] > now:
            if self.serve_stale and resolvers.may_serve_stale(resolver, now):
                self.stale_answers += 1
                self.go(call, region, resolvers.target[resolver])
            else:
                self.go(call, region, NO_ANSWER)
        else:
            self.resolutions += 1
            ns = self.lookup_timeout_ns if self.outage else self.lookup_ns
            resolvers.answer_at[resolver] = now + ns
            self.timer(ns, LOOKED, resolver)
            self.calls.mark[call] = LOOKING
            self.work(call, ns)

    def answer(self, region: i64) -> i64:
        """What DNS answers to resolvers in a region, or where the network takes their clients; ``NO_ANSWER`` without a healthy one."""
        return self.targets.choose(self.policy, region, self.answer_all)

    def looked(self, resolver: i64) -> None:
        """A query has been answered, or given up."""
        resolvers = self.resolvers
        now = self.simulation.now
        # Void where these are other resolvers by now.
        if resolver >= len(resolvers.target) or resolvers.answer_at[resolver] != now:
            return
        resolvers.answer_at[resolver] = -1
        if self.outage:
            resolvers.retry_at[resolver] = now + self.failure_ns
            return
        left = resolvers.target[resolver]
        target = self.answer(resolver // resolvers.size)
        if target == NO_ANSWER:
            resolvers.retry_at[resolver] = now + self.failure_ns
        resolvers.put(resolver, target, now)
        if left >= 0 and self.targets.leaving[left] > 0:
            note_leaving(self, self.targets, resolvers, left)

    def go(self, call: i64, region: i64, target: i64) -> None:
        """Set off to a region; the way there takes half of the round trip."""
        if target < 0:
            self.unresolved += 1
            self.reply(call, REMOVED if target == GONE else NO_UPSTREAM, 0, 0)
            return
        targets = self.targets
        round_trip = targets.round_trip(region, target)
        there = targets.region(target)
        self.distances.add(self.simulation.now, there < 0 or there == region, round_trip)
        self.calls.memo[call] = targets.edges[target].index << 8 | region
        if round_trip > 1:
            self.calls.mark[call] = GOING
            self.work(call, round_trip // 2)
        else:
            self.arrive(call)

    def arrive(self, call: i64) -> None:
        """The request has come to the region."""
        calls = self.calls
        edge = self.simulation.edges[calls.memo[call] >> 8]
        if edge.removed:
            self.unresolved += 1
            self.reply(call, REMOVED, 0, 0)
            return
        target = self.targets.place[edge.index]
        made = self.send_on(edge, call, -1)
        calls.data[made] = self.targets.round_trip(calls.memo[call] & 255, target) // 2
        # Whether it is known to come to a dead region; found out at the answer otherwise.
        calls.step[made] = 0
        if self.targets.healthy[target] == 0 or self.targets.is_silent(target):
            calls.step[made] = 1
            self.to_dead += 1

    def on_work(self, call: i64) -> None:
        """The resolver has its answer, or one of the two ways is over."""
        calls = self.calls
        mark = calls.mark[call]
        if mark == LOOKING:
            region = calls.memo[call]
            if self.policy == ANYCAST:
                self.go(call, region, self.answer(region))
            else:
                self.resolve(call, region)
        elif mark == GOING:
            self.arrive(call)
        else:
            outcome = calls.memo[call]
            if outcome == OK:
                self.reply(call, OK, calls.version[call], calls.reply_bytes[call])
            else:
                self.reply(call, outcome, 0, 0)

    def on_reply(self, call: i64) -> None:
        """The region has answered; the way back takes as long as the way there."""
        calls = self.calls
        parent = calls.parent[call]
        outcome = calls.outcome[call]
        if calls.step[call] == 0 and met_the_dead(outcome):
            self.to_dead += 1
        back = calls.data[call]
        # No `as_upstream`: a name server tells where to go and is not in the way. The user meets the region itself, alive or dead.
        calls.memo[parent] = UPSTREAM_TIMEOUT if outcome == TIMEOUT else outcome
        calls.version[parent] = calls.version[call]
        calls.reply_bytes[parent] = calls.reply_bytes[call]
        calls.verdict[parent] = calls.verdict[call]
        calls.advice[parent] = calls.advice[call]
        calls.flags[parent] |= calls.flags[call] & (NOT_MODIFIED | STALE | ANSWERED)
        calls.mark[parent] = COMING
        if back > 0:
            self.work(parent, back)
        else:
            self.on_work(parent)

    # ---- health checks

    def begin_probing(self) -> None:
        """Void the round that is due, and begin anew."""
        self.probe_serial += 1
        if self.checks:
            ns = i64(self.phase_stream.uniform() * float(self.interval_ns))
            self.timer(ns, PROBES, self.probe_serial & 0xFFFFFFFF)

    def on_timer(self, tag: i64, argument: i64) -> None:
        """See the tags."""
        if tag == LOOKED:
            self.looked(argument)
        elif tag == PROBES:
            if self.checks and not self.removed and argument == self.probe_serial & 0xFFFFFFFF:
                self.timer(self.interval_ns, PROBES, argument)
                target: i64 = 0
                while target < self.targets.count:
                    self.probes_sent += 1
                    instance = self.targets.next_instance(target)
                    self.targets.edges[target].probe(instance, PROBE_READINESS, self.probe_timeout_ns)
                    target += 1
        else:
            self.converge(self.targets.place[argument])

    def on_probed(self, call: i64) -> None:
        """A region has answered a probe, or not."""
        calls = self.calls
        targets = self.targets
        target = targets.place[calls.edge[call]]
        if target < 0 or not self.checks:
            return
        now = self.simulation.now
        good = calls.outcome[call] == OK
        silent = now - targets.well_at[target]
        became = targets.probed(target, good, now - calls.sent[call], now, self.back_after if good else self.dead_after)
        if became == DIED:
            there = self.resolvers.pointing[target] if self.policy != ANYCAST else 0
            targets.leaving[target] = there
            targets.half_left[target] = 0
            note_dead(self, targets, target, self.dead_after, silent, there, self.resolvers.counted)
        elif became == RECOVERED:
            targets.leaving[target] = 0
            note_back(self, targets, target, self.back_after)
        if became == DIED or became == RECOVERED:
            targets.due_at[target] = now + self.convergence_ns
            self.timer(self.convergence_ns, ROUTES, calls.edge[call])

    def converge(self, target: i64) -> None:
        """The network has learned what a region announces; void where that has changed meanwhile."""
        targets = self.targets
        if target < 0 or targets.due_at[target] != self.simulation.now:
            return
        targets.due_at[target] = -1
        if targets.announced[target] == targets.healthy[target]:
            return
        targets.announced[target] = targets.healthy[target]
        if self.policy == ANYCAST:
            note_route(self, targets, target)

    # ---- faults and figures

    def on_fault(self, fault: str, params: Params) -> bool:
        """``dns_outage``: queries get no answer."""
        if fault != "dns_outage":
            return False
        self.lasting_fault("dns_outage", 0.0, params.ns("duration_s"))
        self.outage = True
        text = "No query is answered. What resolvers have cached goes on until its TTL."
        self.note("dns_outage", "bad", f"DNS outage at {self.label}", text)
        return True

    def on_fault_end(self, fault: str, value: float) -> None:
        """An outage is over, unless another one goes on."""
        self.outage = len(self.active) > 0
        if not self.outage:
            self.note("dns_back", "good", f"{self.label} answers queries again", "")

    def billed_calls(self) -> i64:
        """Queries: requests do not pass through it."""
        return self.resolutions

    def metrics(self) -> list[float]:
        """See ``spec.py``."""
        return [
            self.distances.own_percent(),
            self.distances.mean_ms(),
            float(self.to_dead),
            dead_percent(self.targets, self.resolvers, self.policy == ANYCAST),
            float(self.targets.healthy_all()),
            float(self.targets.count),
            float(self.resolutions),
            float(self.unresolved),
            float(self.stale_answers),
            float(self.probes_sent),
        ]

    def cells(self) -> list[int]:
        """See ``figures.py``."""
        return cells_of(self.targets, self.resolvers, self.policy == ANYCAST, self.answer_all)

    def detail(self) -> dict[str, object]:
        """See ``figures.py``."""
        return detail_of(self.targets, self.resolvers, self.policy)
