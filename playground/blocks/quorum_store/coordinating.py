"""What a coordinator does for reads and writes alike: whom it turns to, and when it gives up on whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mypy_extensions import i64, mypyc_attr

from playground.blocks.quorum_store.agreeing import Agreeing
from playground.blocks.quorum_store.states import (
    ASK,
    DONE,
    EXPIRE_TIMER,
    HINT,
    OPEN,
    QUIET_NS,
    ROWS_MAX,
    STORE,
    SUSPECT_TIMER,
    WRITING,
)
from playground.engine.outcomes import UNAVAILABLE
from playground.engine.params import Params

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation


@mypyc_attr(allow_interpreted_subclasses=True)
class Coordinating(Agreeing):
    """Rows of a request are the nodes it turned to: its key's replicas, and stand-ins for those that are out of reach."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.read_quorum: i64 = 1
        self.write_quorum: i64 = 1
        self.ask_all: bool = True
        self.turn: i64 = 0
        self.give_up_ns: i64 = 1
        self.unavailable: i64 = 0

    def configure_coordinating(self, params: Params) -> None:
        """How many, and how long."""
        self.replica_count = params.integer("replicas")
        self.read_quorum = params.integer("read_quorum")
        self.write_quorum = params.integer("write_quorum")
        self.ask_all = params.text("read_from") == "all"
        self.give_up_ns = params.ns("request_timeout_ms")

    def choose(self, work: i64, wanted: i64, hints: bool) -> i64:
        """Fill the rows of a request: ``wanted`` replicas of its key, and (with ``hints``) who stands in for those out of reach.

        Returns how many of them count. Requests that don't need all replicas begin with another one each time.
        """
        requests = self.requests
        node = requests.node[work]
        count = self.replica_count
        at = self.ring.first_point(requests.key[work]) * self.nodes
        requests.point[work] = at
        requests.spare[work] = count
        begin: i64 = 0
        if wanted < count:
            begin = self.turn % count
            self.turn += 1
        counting: i64 = 0
        place: i64 = 0
        while place < count and requests.rows[work] < wanted:
            replica = self.order[at + (begin + place) % count]
            if not self.suspects(node, replica):
                requests.turn_to(work, replica, -1)
                counting += 1
            elif hints and self.stand_in(work, replica) >= 0 and self.sloppy:
                counting += 1
            place += 1
        return counting

    def stand_in(self, work: i64, replica: i64) -> i64:
        """Turn to the next node behind the key's replicas that seems to be there; its row, -1 when there is none."""
        requests = self.requests
        node = requests.node[work]
        at = requests.point[work]
        while requests.spare[work] < self.nodes and requests.rows[work] < ROWS_MAX:
            other = self.order[at + requests.spare[work]]
            requests.spare[work] += 1
            if not self.suspects(node, other):
                return requests.turn_to(work, other, replica)
        return -1

    def another_replica(self, work: i64) -> i64:
        """Turn to a replica that was not asked yet; its row, -1 when there is none."""
        requests = self.requests
        place: i64 = 0
        while place < self.replica_count and requests.rows[work] < ROWS_MAX:
            other = self.order[requests.point[work] + place]
            if not self.suspects(requests.node[work], other) and not requests.asked(work, other):
                return requests.turn_to(work, other, -1)
            place += 1
        return -1

    def launch(self, work: i64) -> None:
        """Send a request to all its rows, and wait."""
        requests = self.requests
        row: i64 = 0
        requests.held[work] += 1
        while row < requests.rows[work]:
            self.send_row(work, row)
            row += 1
        # It is kept until then, whatever its answers do: an answer that is late must not meet another request in its place.
        self.timer(self.suspect_ns, SUSPECT_TIMER, work)

    def send_row(self, work: i64, row: i64) -> None:
        """Ask one node, or give it what is written."""
        requests = self.requests
        messages = self.messages
        at = work * ROWS_MAX + row
        owner = requests.stands_for[at]
        kind: i64 = ASK
        if requests.kind[work] == WRITING:
            kind = STORE if owner < 0 else HINT
        message = messages.take(kind, requests.node[work], requests.goal[at], requests.key[work])
        messages.work[message] = work
        messages.row[message] = row
        messages.about[message] = owner
        if requests.kind[work] == WRITING:
            messages.load(message, requests.slots, work * requests.width, requests.seen[work])
        requests.held[work] += 1
        self.send(message)

    # ---- time

    def on_suspect_timer(self, work: i64) -> None:
        """Who has not answered by now is out of reach: others are asked instead, or keep a hint."""
        requests = self.requests
        node = requests.node[work]
        if self.waits(node, SUSPECT_TIMER, work):
            return
        if requests.state[work] == OPEN or requests.state[work] == DONE:
            row: i64 = 0
            rows = requests.rows[work]
            while row < rows:
                at = work * ROWS_MAX + row
                other = requests.goal[at]
                if requests.answered[at] == 0:
                    if self.heard[node * self.nodes + other] < requests.began[work]:
                        self.suspect(node, other)
                    self.replace(work, row)
                row += 1
            if requests.state[work] == OPEN:
                requests.held[work] += 1
                self.timer(self.give_up_ns - self.suspect_ns, EXPIRE_TIMER, work)
            self.on_waited(work)
        self.let_go(work)

    def replace(self, work: i64, row: i64) -> None:
        """Somebody in the place of a node that didn't answer: to keep a hint for it, or to be asked."""
        requests = self.requests
        at = work * ROWS_MAX + row
        reading = requests.kind[work] != WRITING
        if reading and requests.state[work] != OPEN:
            return
        owner = requests.stands_for[at]
        if owner < 0:
            owner = requests.goal[at]
        made: i64 = -1
        if reading:
            made = self.another_replica(work)
        if made < 0 and (self.sloppy or (self.hinted and not reading)):
            made = self.stand_in(work, owner)
        if made >= 0:
            self.send_row(work, made)

    def on_waited(self, work: i64) -> None:
        """The time for replicas is over."""

    def on_expire_timer(self, work: i64) -> None:
        """The time for the whole is over."""
        requests = self.requests
        if self.waits(requests.node[work], EXPIRE_TIMER, work):
            return
        if requests.state[work] == OPEN:
            requests.state[work] = DONE
            self.on_failed(work)
        self.let_go(work)

    def on_failed(self, work: i64) -> None:
        """Too few have answered."""
        raise AssertionError("reads and writes differ")

    def refuse(self, call: i64, node: i64, key: i64, there: i64, needed: i64) -> None:
        """Say that too few nodes are within reach, without trying."""
        self.unavailable += 1
        self.tell_unavailable(node, key, there, needed)
        self.calls.memo[call] = -1
        self.reply(call, UNAVAILABLE, 0, 0)

    def tell_unavailable(self, node: i64, key: i64, there: i64, needed: i64) -> None:
        """Name it, now and then."""
        if not self.quiet("unavailable", QUIET_NS):
            text = (
                f"Node {node + 1} coordinates a request for key {key}: {there} of the {needed} answers that it needs."
            )
            self.note("unavailable", "bad", f"{self.label}: too few replicas answer", text)
