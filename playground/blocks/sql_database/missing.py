"""What a read at a replica missed: the write, whose it was, through which node and why. Rows one by one, and pages of a list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mypy_extensions import i64, mypyc_attr

from playground.blocks.sql_database.log import writer_of
from playground.blocks.sql_database.node import Node
from playground.blocks.sql_database.replication import Replicated
from playground.blocks.sql_database.states import QUIET_NS
from playground.blocks.sql_database.telling import StaleReads
from playground.engine.bodies import Body
from playground.engine.calls import STALE
from playground.engine.outcomes import ABSENT, BY_COUNT, PAGE_KIND
from playground.engine.row_order import sort_key

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation


@mypyc_attr(allow_interpreted_subclasses=True)
class Missing(Replicated):
    """A read is stale exactly when a committed write to what it read lies past the position that its node has applied."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.stale = StaleReads(simulation.people)
        self.own_noted_at: i64 = -QUIET_NS

    def version_at(self, node: Node, key: i64) -> i64:
        """The version of ``key`` that a node sees, ABSENT where there is none."""
        fork = node.fork
        version: i64 = 0
        if fork is not None:
            version = fork.version_at(key, node.applied)
        if version == 0:
            version = self.rows.version_at(self.log, key, node.view())
        if version == 0:
            return ABSENT if key > self.row_count or key < 1 else 1
        return version if version > 0 else ABSENT

    def look_back(self, call: i64, node: Node, version: i64) -> None:
        """A node answers that is not the legitimate leader: say what it missed, if it missed anything."""
        key = self.calls.key[call]
        here = node.view()
        if here >= self.log.visible:
            return
        position = self.rows.first_missed(self.log, key, here)
        if position != 0:
            own = self.missed_own(key, here, self.calls.user[call], self.calls.arrived[call])
            self.missed(call, node, position, version, own)

    def look_back_page(self, call: i64, node: Node, body: Body) -> None:
        """The same for a page: it misses whatever was written, since, to the rows from its first to its last, or inserted among them."""
        log = self.log
        calls = self.calls
        user = calls.user[call]
        position = node.view() + 1
        first: i64 = 0
        own = False
        while position <= log.visible and not own:
            slot = log.slot(position)
            if self.shows_on(call, body, log.key[slot], log.version[slot] < 0 or log.before[slot] < 0):
                if first == 0:
                    first = position
                if writer_of(log.user[slot]) == user and log.acked[slot] > 0 and log.acked[slot] <= calls.arrived[call]:
                    own = True
                    first = position
            position += 1
        if first != 0:
            self.missed(call, node, first, self.version_at(node, log.key[log.slot(first)]), own)

    def shows_on(self, call: i64, body: Body, key: i64, comes_or_goes: bool) -> bool:
        """Whether a write to ``key`` shows on a page. Rows with the largest sort keys come first: whatever is inserted or deleted before a
        page that is found by counting moves what is on it."""
        rows = body.rows
        place = sort_key(key, body.prices)
        if body.more and len(rows) > 0 and place < sort_key(rows[len(rows) - 1], body.prices):
            return False
        if self.calls.token[call] & PAGE_KIND == BY_COUNT:
            return body.rank == 0 or comes_or_goes or (len(rows) > 0 and place <= sort_key(rows[0], body.prices))
        after = self.calls.extra[call]
        return after <= 0 or place < after

    def missed(self, call: i64, node: Node, position: i64, version: i64, own: bool) -> None:
        """A read gave ``version`` and missed the write at ``position``."""
        calls = self.calls
        log = self.log
        now = self.simulation.now
        user = calls.user[call]
        node.stale += 1
        behind = log.visible - node.view()
        cause = self.cause(node, position)
        trace = calls.trace[call]
        number = self.stale.add(
            log, position, now, cause, node.number, user, version, behind, trace if trace > 0 else 0
        )
        if own:
            self.stale.own += 1
            self.note_own(number, user)
        calls.flags[call] |= STALE
        self.remark(call, number)

    def note_own(self, number: i64, user: i64) -> None:
        """Say that somebody doesn't see what they have just written, and not again within ten virtual seconds."""
        now = self.simulation.now
        if now - self.own_noted_at >= QUIET_NS:
            self.own_noted_at = now
            title = f"User {self.simulation.people.who(user)} doesn't see their own write at {self.label}"
            self.note("own_write_missed", "bad", title, self.stale.sentence(number))

    def missed_own(self, key: i64, here: i64, user: i64, arrived: i64) -> bool:
        """Whether ``user`` had been told of a write of their own to ``key``, past ``here``, before this read arrived."""
        log = self.log
        position = self.rows.last[self.rows.versions.index.find(key)]
        while position > here:
            slot = log.slot(position)
            if writer_of(log.user[slot]) == user and log.acked[slot] > 0 and log.acked[slot] <= arrived:
                return True
            position = log.previous[slot]
        return False

    def remarked(self, number: i64) -> str:
        """What was remarked about a call, in words."""
        return self.stale.sentence(number)
