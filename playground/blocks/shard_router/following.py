"""What is written to the shards while a reshard is under way: each one's change log is followed, as VReplication follows a binary log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from librt.vecs import append, vec
from mypy_extensions import i64, mypyc_attr

from playground.blocks.shard_router.dirty import Dirty
from playground.blocks.shard_router.routing import Routing

if TYPE_CHECKING:
    from playground.engine.changes import ChangeLog
    from playground.engine.simulation import Simulation


@mypyc_attr(allow_interpreted_subclasses=True)
class Following(Routing):
    """``dirty``: by bucket of the newest layout, the rows that are to be copied off the shards that serve them."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.dirty = Dirty(1)
        # By shard: its change log, and the slot in it, -1 for none; keys of ``SAMPLES`` that it served when the reshard began.
        self.log: list[ChangeLog | None] = []
        self.slot: vec[i64] = vec[i64]()
        # How many of its stray versions were looked at.
        self.strays_seen: vec[i64] = vec[i64]()
        self.sampled: vec[i64] = vec[i64]()
        self.orphaned: i64 = 0

    def stop_moves(self) -> None:
        """Roll back what is being moved."""
        raise AssertionError("moving says how")

    def follow_all(self) -> None:
        """Open a slot in every shard's change log, and list what was ever written there."""
        self.slot = vec[i64]()
        self.strays_seen = vec[i64]()
        self.log = []
        self.follow_new()

    def follow_new(self) -> None:
        """The same for shards that are not followed yet: they may have come, or begun anew, while the reshard is under way."""
        shard: i64 = 0
        while shard < len(self.shards.there):
            holder = self.shards.authority(shard)
            log = holder.change_log() if holder is not None else None
            if shard >= len(self.log):
                self.log.append(log)
                self.slot = append(self.slot, -1)
                self.strays_seen = append(self.strays_seen, 0)
                if shard >= len(self.sampled):
                    # Nothing that is to be moved lay there.
                    self.sampled = append(self.sampled, 0)
                self.open_log(shard)
            elif log is not None and log is not self.log[shard]:
                # Another database stands there now: it knows nothing of what was given, and all that was taken from it was another one's.
                self.stop_moves()
                old = self.log[shard]
                if old is not None:
                    old.close(self.slot[shard])
                self.log[shard] = log
                self.open_log(shard)
            shard += 1

    def open_log(self, shard: i64) -> None:
        """Open a slot in a shard's change log, if it has one, and list what was ever written there."""
        holder = self.shards.authority(shard)
        log = self.log[shard]
        if holder is None or log is None:
            return
        self.slot[shard] = log.open()
        self.strays_seen[shard] = len(holder.strayed_keys(0))
        for key in holder.changed_keys():
            self.mark(shard, key)

    def mark(self, shard: i64, key: i64) -> None:
        """Something is known of a row at a shard: it is to be copied, where the shard serves it still and is to give it away."""
        layout = self.map.newest()
        bucket = layout.bucket(key)
        if layout.done[bucket] == 0 and layout.home[bucket] != shard and self.map.owner(key) == shard:
            self.dirty.add(bucket, key)

    def follow(self, shard: i64, end: i64) -> bool:
        """Take note of what a shard's log holds up to position ``end``; False where it has lost what was to be read."""
        log = self.log[shard]
        if log is None or log.is_lost(self.slot[shard]):
            return False
        layout = self.map.newest()
        position = log.position(self.slot[shard])
        while position < end:
            key = log.key_at(position)
            bucket = layout.bucket(key)
            if layout.done[bucket] != 0:
                if layout.home[bucket] != shard and log.undone_at(position) == 0:
                    # It went past the router: nobody reads it here any more.
                    self.orphaned += 1
            else:
                self.mark(shard, key)
            position += 1
        log.confirm(self.slot[shard], end)
        self.follow_strays(shard)
        return True

    def follow_strays(self, shard: i64) -> None:
        """A version that a shard gave to a write which nobody will ever see is in no log, and must not be given again on a new shard."""
        holder = self.shards.authority(shard)
        if holder is None:
            return
        strayed = holder.strayed_keys(self.strays_seen[shard])
        for key in strayed:
            self.mark(shard, key)
        self.strays_seen[shard] += len(strayed)

    def unfollow(self) -> None:
        """No log is read any more."""
        shard: i64 = 0
        while shard < len(self.slot):
            log = self.log[shard]
            if log is not None:
                log.close(self.slot[shard])
            shard += 1
        self.log = []
        self.slot = vec[i64]()
