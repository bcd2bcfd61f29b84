"""Reads: answered after the first R replicas, with what is newest among these; repair of those that were behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from librt.vecs import vec
from mypy_extensions import i64, mypyc_attr

from playground.blocks.quorum_store.states import (
    ANSWER,
    CONTEXT,
    DONE,
    FAILED,
    INITIAL,
    KEY_BYTES,
    LONG_QUIET_NS,
    OPEN,
    QUIET_NS,
    READING,
    REPAIR,
    REPAIR_ALL,
    REPAIR_ANSWERED,
    REPAIR_OFF,
    REPAIRS,
    ROWS_MAX,
    SIBLINGS_MAX,
    STORE,
    VECTORS,
    WRITING,
)
from playground.blocks.quorum_store.telling import DISK_LOST, HINTED, OUTVOTED, SOMEWHERE, StaleReads
from playground.blocks.quorum_store.writing import Writing
from playground.engine.calls import STALE
from playground.engine.columns import zeros
from playground.engine.histogram import Histogram
from playground.engine.outcomes import ABSENT, OK, UNAVAILABLE
from playground.engine.params import Params
from playground.engine.recent import RecentRatio

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation


def bit(node: i64) -> i64:
    """A set of nodes with that one in it."""
    one: i64 = 1
    return one << node


@mypyc_attr(allow_interpreted_subclasses=True)
class Reading(Writing):
    """Answers, whether they are stale (which only we know), and read repair."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.read_repair: i64 = REPAIR_OFF
        self.item_bytes: i64 = 0
        self.read_latency = Histogram()
        self.recent = RecentRatio()
        self.reads: i64 = 0
        self.stale = StaleReads()
        self.partial_seen: i64 = 0
        self.sibling_reads: i64 = 0
        self.repairs: i64 = 0
        self.last_stale_key: i64 = -1
        # Versions of one key are read into here while a story is told.
        self.room: vec[i64] = zeros(SIBLINGS_MAX)

    def configure_reading(self, params: Params) -> None:
        """Whom to repair."""
        self.read_repair = REPAIRS.index(params.text("read_repair"))
        self.item_bytes = params.integer("item_bytes")

    def begin_read(self, call: i64, node: i64, kind: i64) -> None:
        """Read for ``call`` from ``node``: to answer it, or to write with what was read as context."""
        requests = self.requests
        key = self.calls.key[call]
        work = requests.take(kind, call, node, key, self.simulation.now)
        counting = self.choose(work, self.replica_count if self.ask_all else self.read_quorum, self.sloppy)
        if counting < self.read_quorum:
            requests.release(work)
            self.refuse(call, node, key, counting, self.read_quorum)
            return
        self.calls.memo[call] = work
        requests.needed[work] = self.read_quorum
        requests.expected[work] = self.ledger.newest_of(key)
        self.launch(work)

    def on_ask(self, message: i64) -> None:
        """A replica says what it holds; one that stands in for others, what it keeps for them as well."""
        messages = self.messages
        key = messages.key[message]
        node = messages.goal[message]
        at = message * messages.width
        count: i64 = 0
        if messages.about[message] < 0:
            count = self.replicas[node].read(key, messages.slots, at)
        elif self.hints.held_by[node] > 0:
            place = self.ring.first_point(key) * self.nodes
            count = self.hints.read(node, key, self.order, place, self.replica_count, messages.slots, at)
        messages.count[message] = count
        messages.turn(message, ANSWER)
        self.send(message)

    def on_answer(self, message: i64) -> None:
        """One more of them has answered."""
        messages = self.messages
        requests = self.requests
        work = messages.work[message]
        at = work * ROWS_MAX + messages.row[message]
        count = messages.count[message]
        index: i64 = 0
        while index < count:
            requests.row_slots[at * requests.width + index] = messages.slots[message * messages.width + index]
            index += 1
        messages.release(message)
        requests.row_seen[at] = count
        requests.answered[at] = 1
        requests.got[work] += 1
        self.learn(work, at)
        if requests.state[work] == OPEN and requests.got[work] == requests.needed[work]:
            self.conclude(work)
        if requests.state[work] == DONE and requests.got[work] == requests.rows[work]:
            self.repair_late(work)
        self.let_go(work)

    def learn(self, work: i64, at: i64) -> None:
        """Merge what a row answered into what was read."""
        requests = self.requests
        width = requests.width
        index: i64 = 0
        while index < requests.row_seen[at]:
            requests.seen[work] = self.ledger.merge(
                requests.slots, work * width, requests.seen[work], requests.row_slots[at * width + index]
            )
            index += 1

    def conclude(self, work: i64) -> None:
        """Enough have answered."""
        requests = self.requests
        requests.state[work] = DONE
        call = requests.call[work]
        if call >= 0:
            if requests.kind[work] == CONTEXT:
                self.begin_write(call, requests.node[work], work)
            else:
                self.answer(work, call)
        if self.read_repair == REPAIR_ANSWERED:
            self.repair(work)

    def answer(self, work: i64, call: i64) -> None:
        """Tell the client; siblings come together, and count as the latest of them."""
        requests = self.requests
        ledger = self.ledger
        base = work * requests.width
        count = requests.seen[work]
        found = ledger.latest(requests.slots, base, count)
        now = self.simulation.now
        self.reads += 1
        expected = requests.expected[work]
        stale = expected != INITIAL and not ledger.holds(requests.slots, base, count, expected)
        if expected == INITIAL and count == 0 and 1 <= requests.key[work] <= self.items:
            stale = True
        self.recent.add(now, stale)
        if stale:
            self.tell_stale(work, call, found)
        if found >= 0 and ledger.state[found] == FAILED:
            self.partial_seen += 1
        if count > 1:
            self.sibling_reads += 1
            if not self.quiet("siblings", LONG_QUIET_NS):
                text = f"A read returned {count} versions that knew nothing of one another. A write with context merges them."
                self.note("siblings", "warning", f"{self.label}: siblings of key {requests.key[work]}", text)
        self.read_latency.add(now - self.calls.arrived[call])
        if found < 0 or ledger.deleted[found] != 0:
            self.reply(call, OK, ABSENT, KEY_BYTES)
        else:
            self.reply(call, OK, ledger.number[found], self.item_bytes * count)

    # ---- staleness

    def tell_stale(self, work: i64, call: i64, found: i64) -> None:
        """A read returned less than the newest write acknowledged before it began: count it, keep its story, name it now and then."""
        requests = self.requests
        ledger = self.ledger
        expected = requests.expected[work]
        key = requests.key[work]
        trace = self.calls.trace[call]
        got: i64 = ledger.number[found] if found >= 0 else 0
        age = requests.began[work] - ledger.acked[expected]
        number = self.stale.add(self.simulation.now, key, got, ledger.number[expected], age, trace if trace > 0 else 0)
        self.explain(work, found, number)
        self.last_stale_key = key
        self.calls.flags[call] |= STALE
        self.remark(call, number)
        if not self.quiet("stale", QUIET_NS):
            self.note("stale_read", "warning", f"{self.label}: stale read of key {key}", self.stale.sentence(number))

    def explain(self, work: i64, found: i64, number: i64) -> None:
        """Note which nodes answered, and what became of the version that the read missed."""
        requests = self.requests
        ledger = self.ledger
        expected = requests.expected[work]
        key = requests.key[work]
        answered: i64 = 0
        stood_in: i64 = 0
        keeper: i64 = -1
        owner: i64 = 0
        row: i64 = 0
        while row < requests.rows[work]:
            at = work * ROWS_MAX + row
            goal = requests.goal[at]
            if requests.answered[at] != 0:
                answered |= bit(goal)
                if requests.stands_for[at] >= 0:
                    stood_in |= bit(goal)
            holder: i64 = 0
            while holder < self.nodes and keeper < 0 and self.hints.held_for[goal] > 0:
                hint = self.hints.find(holder, goal, key)
                if hint >= 0 and self.hints.has(hint, expected):
                    keeper = holder
                    owner = goal
                holder += 1
            row += 1
        if expected == INITIAL:
            self.stale.explain(number, answered, stood_in, DISK_LOST, 0, 0)
        elif found >= 0 and self.conflicts != VECTORS and ledger.wins(found, expected):
            self.stale.explain(number, answered, stood_in, OUTVOTED, bit(ledger.by[found]), 0)
        elif keeper >= 0:
            self.stale.explain(number, answered, stood_in, HINTED, bit(keeper), bit(owner))
        else:
            held, coming = self.holders_of(key, expected), self.coming_to(key, expected)
            self.stale.explain(number, answered, stood_in, SOMEWHERE, held, coming)

    def holders_of(self, key: i64, slot: i64) -> i64:
        """The nodes that hold a version of a key, or a newer one; a bit each."""
        nodes: i64 = 0
        node: i64 = 0
        while node < self.nodes:
            if self.ledger.holds(self.room, 0, self.replicas[node].read(key, self.room, 0), slot):
                nodes |= bit(node)
            node += 1
        return nodes

    def coming_to(self, key: i64, slot: i64) -> i64:
        """The nodes to which a version of a key is on its way; a bit each."""
        messages = self.messages
        nodes: i64 = 0
        message: i64 = 0
        while message < messages.made:
            if messages.kind[message] == STORE and messages.key[message] == key:
                at = message * messages.width
                if self.ledger.holds(messages.slots, at, messages.count[message], slot):
                    nodes |= bit(messages.goal[message])
            message += 1
        return nodes

    def remarked(self, number: i64) -> str:
        """What a stale read missed, in words."""
        return self.stale.story(number)

    # ---- read repair

    def repair_late(self, work: i64) -> None:
        """All have answered, or had their time: bring those up to date that are behind the newest of all."""
        if self.read_repair == REPAIR_ALL and self.requests.repaired[work] == 0:
            self.requests.repaired[work] = 1
            self.repair(work)

    def repair(self, work: i64) -> None:
        """Send what was read to the replicas among the answers that didn't have it."""
        requests = self.requests
        messages = self.messages
        width = requests.width
        row: i64 = 0
        while row < requests.rows[work]:
            at = work * ROWS_MAX + row
            if requests.answered[at] != 0 and requests.stands_for[at] < 0 and self.behind(work, at):
                message = messages.take(REPAIR, requests.node[work], requests.goal[at], requests.key[work])
                messages.load(message, requests.slots, work * width, requests.seen[work])
                self.repairs += 1
                self.send(message)
            row += 1

    def behind(self, work: i64, at: i64) -> bool:
        """Whether a row answered with less than was read altogether."""
        requests = self.requests
        width = requests.width
        index: i64 = 0
        while index < requests.seen[work]:
            slot = requests.slots[work * width + index]
            place: i64 = 0
            while place < requests.row_seen[at] and requests.row_slots[at * width + place] != slot:
                place += 1
            if place == requests.row_seen[at] and slot != INITIAL:
                return True
            index += 1
        return requests.row_seen[at] == 0 and requests.seen[work] > 0

    # ---- time

    def on_waited(self, work: i64) -> None:
        """Replicas had their time: repair with what has come."""
        if self.requests.kind[work] == READING and self.requests.state[work] == DONE:
            self.repair_late(work)

    def on_failed(self, work: i64) -> None:
        """Too few have answered in time."""
        requests = self.requests
        if requests.kind[work] == WRITING:
            self.fail_write(work)
            return
        call = requests.call[work]
        if call >= 0:
            self.unavailable += 1
            self.tell_unavailable(requests.node[work], requests.key[work], requests.got[work], requests.needed[work])
            self.calls.memo[call] = -1
            self.reply(call, UNAVAILABLE, 0, 0)
