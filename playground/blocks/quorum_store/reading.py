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
    STALE_KEPT,
    STORE,
    VECTORS,
    WRITING,
)
from playground.blocks.quorum_store.writing import Writing
from playground.engine.columns import zeros
from playground.engine.histogram import Histogram
from playground.engine.outcomes import ABSENT, OK, UNAVAILABLE
from playground.engine.params import Params
from playground.engine.recent import RecentRatio

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation


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
        self.reads_stale: i64 = 0
        self.stale_ns: float = 0.0
        self.partial_seen: i64 = 0
        self.sibling_reads: i64 = 0
        self.repairs: i64 = 0
        self.last_stale_key: i64 = -1
        # The latest stale reads, four numbers each: when, the key, the version that was returned, the newest acknowledged one.
        self.stories: vec[i64] = zeros(4 * STALE_KEPT)
        self.stories_told: i64 = 0

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
            self.note_stale(work, found)
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

    def note_stale(self, work: i64, found: i64) -> None:
        """A read returned less than the newest write acknowledged before it began: count it, keep its story, name it now and then."""
        requests = self.requests
        ledger = self.ledger
        expected = requests.expected[work]
        key = requests.key[work]
        age_ns = requests.began[work] - ledger.acked[expected]
        self.reads_stale += 1
        self.stale_ns += float(age_ns)
        self.last_stale_key = key
        got: i64 = ledger.number[found] if found >= 0 else 0
        at = 4 * (self.stories_told % STALE_KEPT)
        self.stories_told += 1
        self.stories[at] = self.simulation.now
        self.stories[at + 1] = key
        self.stories[at + 2] = got
        self.stories[at + 3] = ledger.number[expected]
        if self.quiet("stale", QUIET_NS):
            return
        read = f"version {got}" if got > 0 else "nothing"
        text = (
            f"It got {read} and missed version {ledger.number[expected]}, acknowledged {float(age_ns) / 1e6:.3g} ms before it began. "
            f"Answered: {self.who_answered(work)}. {self.why_stale(work, found)}"
        )
        self.note("stale_read", "warning", f"{self.label}: stale read of key {key}", text)

    def who_answered(self, work: i64) -> str:
        """The nodes whose answers a read was made of."""
        requests = self.requests
        names: list[str] = []
        row: i64 = 0
        while row < requests.rows[work]:
            at = work * ROWS_MAX + row
            if requests.answered[at] != 0:
                text = f"node {requests.goal[at] + 1}"
                if requests.stands_for[at] >= 0:
                    text += f" (for node {requests.stands_for[at] + 1})"
                names.append(text)
            row += 1
        return ", ".join(names)

    def why_stale(self, work: i64, found: i64) -> str:
        """What became of the version that a read missed."""
        requests = self.requests
        ledger = self.ledger
        expected = requests.expected[work]
        key = requests.key[work]
        if expected == INITIAL:
            return "Their disks were lost, and nobody has given them the item again."
        if found >= 0 and self.conflicts != VECTORS and ledger.wins(found, expected):
            return f"It had been written earlier, but node {ledger.by[found] + 1}'s clock gave it the later time: it wins for good."
        row: i64 = 0
        while row < requests.rows[work]:
            at = work * ROWS_MAX + row
            holder: i64 = 0
            while holder < self.nodes:
                hint = self.hints.find(holder, requests.goal[at], key)
                if hint >= 0 and self.hints.has(hint, expected):
                    return f"Node {holder + 1} still holds a hint of it for node {requests.goal[at] + 1}."
                holder += 1
            row += 1
        held = self.holders_of(key, expected)
        coming = self.coming_to(key, expected)
        if held == "" and coming == "":
            return "No replica has it any more."
        where = f"It, or a newer one, is on {held}" if held != "" else "No replica has it yet"
        return (
            f"{where}, and on its way to {coming}."
            if coming != ""
            else f"{where}. What was sent to the others did not arrive."
        )

    def holders_of(self, key: i64, slot: i64) -> str:
        """The nodes that hold a version of a key, or a newer one."""
        names: list[str] = []
        room = zeros(self.ledger.width)
        for node, replica in enumerate(self.replicas):
            if self.ledger.holds(room, 0, replica.read(key, room, 0), slot):
                names.append(f"node {node + 1}")
        return ", ".join(names)

    def coming_to(self, key: i64, slot: i64) -> str:
        """The nodes to which a version of a key is on its way."""
        messages = self.messages
        names: list[str] = []
        message: i64 = 0
        while message < messages.made:
            if messages.kind[message] == STORE and messages.key[message] == key:
                at = message * messages.width
                if self.ledger.holds(messages.slots, at, messages.count[message], slot):
                    names.append(f"node {messages.goal[message] + 1}")
            message += 1
        return ", ".join(sorted(set(names)))

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
