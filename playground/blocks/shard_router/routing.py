"""Where a key goes, and what is true of it there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from librt.vecs import append, vec
from mypy_extensions import i64, mypyc_attr

from playground.blocks.shard_router.layout import KeyMap
from playground.blocks.shard_router.shards import Shards
from playground.engine.block import Block
from playground.engine.outcomes import ABSENT

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation


@mypyc_attr(allow_interpreted_subclasses=True)
class Routing(Block):
    """The map of keys to shards. It is the authority on all items, since it knows whose word counts for each."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.shards = Shards(self)
        self.map = KeyMap()

    def truth(self, key: i64) -> Block | None:
        """The authority of the shard that serves ``key`` now; None where that isn't connected."""
        if len(self.map.layouts) == 0:
            return None
        return self.shards.authority(self.map.owner(key))

    def authority(self) -> Block | None:
        """Itself, on behalf of its shards."""
        return self

    def current_version(self, key: i64) -> i64:
        """The committed version of ``key`` on the shard that serves it, ABSENT where there is none."""
        shard = self.truth(key)
        return shard.current_version(key) if shard is not None else ABSENT

    def written_at(self, key: i64) -> i64:
        """When that was committed, ns."""
        shard = self.truth(key)
        return shard.written_at(key) if shard is not None else 0

    def row_version(self, key: i64) -> i64:
        """As the shard that serves ``key`` has it."""
        shard = self.truth(key)
        return shard.row_version(key) if shard is not None else 0

    def may_come(self, key: i64, version: i64) -> bool:
        """As the shard that serves ``key`` says."""
        shard = self.truth(key)
        return shard is None or shard.may_come(key, version)

    def first_keys(self) -> i64:
        """Items 1 to this were there at the start."""
        most: i64 = 0
        shard: i64 = 0
        while shard < len(self.shards.there):
            found = self.shards.authority(shard)
            if found is not None and found.first_keys() > most:
                most = found.first_keys()
            shard += 1
        return most

    def stood_between(self, above: i64, below: i64, since: i64, prices: i64) -> vec[i64]:
        """Rows between two keys that have existed since a moment, on the shards that serve them."""
        rows = vec[i64]()
        shard: i64 = 0
        while shard < len(self.shards.there):
            holder = self.shards.authority(shard)
            if holder is not None:
                found = holder.stood_between(above, below, since, prices)
                index: i64 = 0
                while index < len(found):
                    if self.map.owner(found[index]) == shard:
                        rows = append(rows, found[index])
                    index += 1
            shard += 1
        return rows

    def has_stood(self, key: i64, since: i64) -> bool:
        """Whether a row has existed since a moment, on the shard that serves it."""
        shard = self.truth(key)
        return shard is not None and shard.has_stood(key, since)

    def changed_before(self, key: i64, since: i64, until: i64, prices: i64) -> tuple[i64, i64]:
        """How many rows before ``key`` were inserted, and deleted, on all shards."""
        inserted: i64 = 0
        deleted: i64 = 0
        shard: i64 = 0
        while shard < len(self.shards.there):
            holder = self.shards.authority(shard)
            if holder is not None:
                some, others = holder.changed_before(key, since, until, prices)
                if some < 0:
                    return -1, -1
                inserted += some
                deleted += others
            shard += 1
        return inserted, deleted

    def changed_keys(self) -> vec[i64]:
        """Every key that was ever written or deleted, from the shard that serves it."""
        keys = vec[i64]()
        shard: i64 = 0
        while shard < len(self.shards.there):
            found = self.shards.authority(shard)
            if found is not None:
                changed = found.changed_keys()
                index: i64 = 0
                while index < len(changed):
                    if self.map.owner(changed[index]) == shard:
                        keys = append(keys, changed[index])
                    index += 1
            shard += 1
        return keys
