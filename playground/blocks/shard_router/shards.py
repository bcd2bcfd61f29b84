"""The shards that a router knows, and how much each of them is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from librt.vecs import append, vec
from mypy_extensions import i64

from playground.blocks.shard_router.states import HOT_FROM, QUIET_NS, SHARDS_MAX
from playground.engine.columns import zeros
from playground.engine.hashing import identity_of
from playground.engine.hot_keys import HotKeys
from playground.engine.recent import WINDOW_NS
from playground.engine.state import State

if TYPE_CHECKING:
    from playground.engine.block import Block
    from playground.engine.edge import Edge


class Shards(State):
    """Columns by shard. A shard keeps its number for good, so one that is taken away and put back finds its buckets."""

    def __init__(self, owner: Block) -> None:
        self.owner = owner
        self.number: dict[str, int] = {}
        self.edge: list[Edge | None] = []
        self.label: list[str] = []
        self.identity: vec[i64] = vec[i64]()
        # Connected; connected and with a weight above 0, so that buckets come to it.
        self.there: vec[i64] = vec[i64]()
        self.takes: vec[i64] = vec[i64]()
        self.there_all: i64 = 0
        # Operations on single rows: since the start, in the present second, in the one before.
        self.asked: vec[i64] = vec[i64]()
        self.now: vec[i64] = vec[i64]()
        self.before: vec[i64] = vec[i64]()
        self.now_all: i64 = 0
        self.before_all: i64 = 0
        self.window: i64 = 0
        self.keys = HotKeys()
        self.hot_factor: float = 2.0
        self.hot: i64 = -1
        self.hot_noted_at: i64 = -QUIET_NS

    def connect(self, edges: list[Edge]) -> bool:
        """List the shards behind ``edges``; whether any has come, gone, or taken or lost its weight."""
        changed = False
        there = zeros(len(self.there))
        takes = zeros(len(self.takes))
        for edge in edges:
            name = edge.callee.name
            if name not in self.number:
                if len(self.edge) >= SHARDS_MAX:
                    continue
                self.number[name] = len(self.edge)
                self.edge.append(None)
                self.label.append(name)
                self.identity = append(self.identity, identity_of(name, 0))
                self.asked = append(self.asked, 0)
                self.now = append(self.now, 0)
                self.before = append(self.before, 0)
                self.there = append(self.there, 0)
                self.takes = append(self.takes, 0)
                there = append(there, 0)
                takes = append(takes, 0)
            shard: i64 = self.number[name]
            self.edge[shard] = edge
            self.label[shard] = edge.callee.label
            there[shard] = 1
            takes[shard] = 1 if edge.weight > 0 else 0
        self.there_all = 0
        index: i64 = 0
        while index < len(there):
            if there[index] == 0:
                self.edge[index] = None
            if there[index] != self.there[index] or takes[index] != self.takes[index]:
                changed = True
            self.there_all += there[index]
            index += 1
        self.there = there
        self.takes = takes
        return changed

    def members(self) -> vec[i64]:
        """The shards that take buckets, in order of their numbers."""
        found = vec[i64]()
        shard: i64 = 0
        while shard < len(self.takes):
            if self.takes[shard] != 0:
                found = append(found, shard)
            shard += 1
        return found

    def authority(self, shard: i64) -> Block | None:
        """Who holds the truth behind a shard's edge; None where the shard isn't connected."""
        edge = self.edge[shard]
        return edge.callee.authority_below() if edge is not None else None

    # ---- how much each is asked for

    def count(self, shard: i64, key: i64, now: i64) -> None:
        """An operation on a row goes to a shard."""
        if now // WINDOW_NS != self.window:
            self.turn(now)
        self.asked[shard] += 1
        self.now[shard] += 1
        self.now_all += 1
        self.keys.add(key)

    def turn(self, now: i64) -> None:
        """A second is over: look for a hot shard, halve what is known of keys."""
        follows = now // WINDOW_NS == self.window + 1
        count: i64 = len(self.now)
        self.before = self.now if follows else zeros(count)
        self.before_all = self.now_all if follows else 0
        self.now = zeros(count)
        self.now_all = 0
        self.window = now // WINDOW_NS
        self.keys.settle(now, 101.0)
        if self.before_all >= HOT_FROM:
            self.look_for_hot(now)

    def look_for_hot(self, now: i64) -> None:
        """Say when one shard gets many times its part, and when that is over."""
        shard = self.hottest(self.before)
        part = float(self.before[shard]) * float(self.there_all) / float(self.before_all)
        if self.hot >= 0 and (shard != self.hot or part < 0.75 * self.hot_factor):
            self.owner.note("hot_shard_over", "good", f"{self.label[self.hot]} is no hot shard any more", "")
            self.hot = -1
        if self.hot < 0 and self.there_all > 1 and part >= self.hot_factor and now - self.hot_noted_at >= QUIET_NS:
            self.hot = shard
            self.hot_noted_at = now
            share = 100.0 * float(self.before[shard]) / float(self.before_all)
            key = self.keys.hottest_key()
            key_share = self.keys.hottest_percent()
            why = f"Key {key} alone is {key_share:.0f} % of them." if key_share >= 5.0 else "No single key makes it so."
            self.owner.note(
                "hot_shard",
                "warning",
                f"{self.label[shard]} is a hot shard",
                f"It gets {share:.0f} % of all operations on rows, {part:.1f} times its part. {why}",
            )

    def hottest(self, column: vec[i64]) -> i64:
        """The shard with the highest count; 0 when there is none."""
        found: i64 = 0
        shard: i64 = 1
        while shard < len(column):
            if column[shard] > column[found]:
                found = shard
            shard += 1
        return found

    def recent(self) -> vec[i64]:
        """Operations by shard in the last second or two."""
        total = self.now[:]
        shard: i64 = 0
        while shard < len(total):
            total[shard] += self.before[shard]
            shard += 1
        return total

    def figures(self) -> list[float]:
        """The hottest shard's share, %, of the last second or two; the highest over the mean; the hottest key's share, %."""
        total = self.recent()
        everything = float(self.now_all + self.before_all)
        if everything <= 0.0:
            return [0.0, 0.0, 0.0]
        highest = float(total[self.hottest(total)])
        return [100.0 * highest / everything, highest * float(self.there_all) / everything, self.keys.hottest_percent()]
