"""What is to move where: a new layout beside the present one, the rows of each bucket, and what is written to them meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from librt.vecs import append, vec
from mypy_extensions import i64, mypyc_attr

from playground.blocks.shard_router.dirty import Dirty
from playground.blocks.shard_router.following import Following
from playground.blocks.shard_router.layout import Layout, even_splits, homes
from playground.blocks.shard_router.states import DIRECTORY, HASH, RANGE, SCHEMES
from playground.engine.columns import zeros
from playground.engine.params import Params

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation

SAMPLES = 512
"""So many keys, evenly spread, say how much of a bucket lies on which shard where its layout can't."""


def by_table(scheme: i64) -> bool:
    """Whether a table says where a bucket has its home, and no formula."""
    return scheme == RANGE or scheme == DIRECTORY


@mypyc_attr(allow_interpreted_subclasses=True)
class Planning(Following):
    """A reshard is planned bucket by bucket. Each shard's change log is followed while it lasts."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.scheme: i64 = HASH
        self.buckets: i64 = 1
        self.splits_text = ""
        self.key_space: i64 = -1
        self.virtual_nodes: i64 = 1
        # By shard: whether it took buckets when they were dealt last.
        self.dealt_to: vec[i64] = vec[i64]()
        # The reshard under way: which one it is, whether there is one.
        self.epoch: i64 = 0
        self.resharding: bool = False
        # By bucket of the newest layout: writes under way; 1 + the number of the move that keeps writes waiting; whether it is being moved;
        # whether it can't be.
        self.writing: vec[i64] = zeros(1)
        self.locked: vec[i64] = zeros(1)
        self.under_way: vec[i64] = zeros(1)
        self.stuck: vec[i64] = zeros(1)
        self.rows_before: i64 = 0
        self.planned_rows: i64 = 0
        self.planned_buckets: i64 = 0
        self.rows_done: i64 = 0
        self.reshards: i64 = 0
        self.began_at: i64 = 0

    def configure_plan(self, params: Params) -> None:
        """How keys are to be laid out."""
        self.scheme = SCHEMES.index(params.text("scheme"))
        self.buckets = params.integer("buckets")
        self.splits_text = params.text("split_points")
        self.key_space = params.integer("key_space")
        self.virtual_nodes = params.integer("virtual_nodes")

    # ---- for the modules above

    def oldest_list(self) -> i64:
        """The map's turn at which the oldest of the lists under way was scattered; the one after the present where there is none."""
        raise AssertionError("the router says how")

    def count_writes(self) -> None:
        """Count the writes that are under way now, bucket by bucket."""
        raise AssertionError("the router says how")

    def pump(self) -> None:
        """Go on moving."""
        raise AssertionError("moving says how")

    # ---- the plan

    def desired(self) -> Layout:
        """The layout that parameters and shards ask for now, as near to the newest one as it can be."""
        buckets = self.buckets
        splits = vec[i64]()
        if self.scheme == RANGE:
            splits = self.split_points()
            buckets = len(splits) + 1
        made = Layout(self.scheme, buckets)
        made.splits = splits
        before: Layout | None = None
        if len(self.map.layouts) > 0 and self.map.newest().is_like(made):
            before = self.map.newest()
        shards = self.shards
        members = shards.members()
        identities = vec[i64]()
        index: i64 = 0
        while index < len(members):
            identities = append(identities, shards.identity[members[index]])
            index += 1
        made.home = homes(made.scheme, before, buckets, members, identities, shards.takes, self.virtual_nodes)
        if before is not None and by_table(made.scheme) and by_table(before.scheme) and self.dealt_for_these():
            # Who ordered a bucket to another shard wants it to stay there.
            made.home = before.home[:]
        if before is not None:
            # Nothing can be copied off a shard that isn't there: its buckets wait for it.
            index = 0
            while index < buckets:
                if before.done[index] != 0 and shards.there[before.home[index]] == 0:
                    made.home[index] = before.home[index]
                index += 1
        return made

    def dealt_for_these(self) -> bool:
        """Whether the shards that take buckets are those that the newest layout was dealt to."""
        takes = self.shards.takes
        if len(takes) != len(self.dealt_to):
            return False
        shard: i64 = 0
        while shard < len(takes):
            if takes[shard] != self.dealt_to[shard]:
                return False
            shard += 1
        return True

    def split_points(self) -> vec[i64]:
        """As given, else as many equal ranges as there are buckets."""
        if self.splits_text == "":
            highest = self.key_space if self.key_space > 0 else self.first_keys()
            return even_splits(self.buckets, highest if highest > 0 else 1)
        splits = vec[i64]()
        for text in self.splits_text.split(","):
            splits = append(splits, int(text))
        return splits

    def replan(self, bucket_ordered: i64 = -1, shard_ordered: i64 = -1) -> None:
        """Parameters or shards have changed, or somebody wants a bucket on another shard: find out what has to move, and begin."""
        if len(self.shards.members()) == 0:
            return
        if len(self.map.layouts) == 0:
            self.map.layouts.append(self.desired())
            self.resize(self.map.newest().buckets)
            self.dealt_to = self.shards.takes[:]
            return
        wanted = self.desired()
        if bucket_ordered >= 0:
            wanted.home[bucket_ordered] = shard_ordered
        newest = self.map.newest()
        like = newest.is_like(wanted)
        if like and self.same_homes(newest, wanted):
            newest.scheme = wanted.scheme
            if self.resharding:
                self.follow_new()
                self.forget_stuck()
                self.pump()
            elif newest.left > 0:
                self.begin(newest)
            return
        self.stop_moves()
        self.end()
        self.map.settle(self.oldest_list())
        wanted = self.desired()
        if bucket_ordered >= 0:
            wanted.home[bucket_ordered] = shard_ordered
        self.dealt_to = self.shards.takes[:]
        newest = self.map.newest()
        like = newest.is_like(wanted)
        bucket: i64 = 0
        while bucket < wanted.buckets:
            stays = like and newest.done[bucket] != 0 and newest.home[bucket] == wanted.home[bucket]
            wanted.done[bucket] = 1 if stays else 0
            wanted.done_at[bucket] = newest.done_at[bucket] if stays else 0
            wanted.left += 0 if stays else 1
            bucket += 1
        self.map.layouts.append(wanted)
        if wanted.left == 0:
            self.map.settle(self.oldest_list())
            self.resize(wanted.buckets)
        else:
            self.begin(wanted)

    def move_by_order(self, bucket: i64, shard: i64) -> None:
        """Give one bucket another home, where a table decides about that."""
        shards = self.shards
        reason = ""
        if len(self.map.layouts) == 0 or bucket >= self.map.newest().buckets:
            reason = "there is no such bucket"
        elif shard >= len(shards.there) or shards.there[shard] == 0:
            reason = f"there is no shard {shard}"
        elif not by_table(self.map.newest().scheme):
            reason = f"a formula ({SCHEMES[self.map.newest().scheme]}) says where it belongs, and no table"
        elif self.map.newest().home[bucket] == shard:
            reason = "it has its home there"
        if reason == "":
            self.note("move_ordered", "info", f"Bucket {bucket} is to move to {shards.label[shard]}", "")
            self.replan(bucket, shard)
        else:
            self.note("move_ordered", "warning", f"Bucket {bucket} doesn't move to shard {shard}", f"For {reason}.")

    def same_homes(self, one: Layout, other: Layout) -> bool:
        """Whether two like layouts want every bucket at the same place."""
        bucket: i64 = 0
        while bucket < one.buckets:
            if one.home[bucket] != other.home[bucket]:
                return False
            bucket += 1
        return True

    def resize(self, buckets: i64) -> None:
        """Columns for so many buckets, all quiet; what was counted in the old ones counts no more."""
        self.epoch += 1
        self.writing = zeros(buckets)
        self.locked = zeros(buckets)
        self.under_way = zeros(buckets)
        self.stuck = zeros(buckets)
        self.dirty = Dirty(buckets)

    def forget_stuck(self) -> None:
        """What couldn't be moved may be movable now."""
        self.stuck = zeros(len(self.stuck))

    def begin(self, layout: Layout) -> None:
        """Begin a reshard towards ``layout``: follow every shard's log, and list the rows that were ever written."""
        self.reshards += 1
        self.resharding = True
        self.began_at = self.simulation.now
        self.resize(layout.buckets)
        layout.moved = zeros(layout.buckets)
        self.sample()
        self.follow_all()
        self.planned_buckets = layout.left
        self.planned_rows = 0
        self.rows_done = 0
        bucket: i64 = 0
        while bucket < layout.buckets:
            if layout.done[bucket] == 0:
                rows = self.rows_by_shard(layout, bucket)
                shard: i64 = 0
                while shard < len(rows):
                    self.planned_rows += rows[shard]
                    shard += 1
            bucket += 1
        self.count_writes()
        self.note(
            "reshard_begun",
            "info",
            f"{self.label} reshards",
            f"{layout.left} of {layout.buckets} buckets, {self.moved_percent():.0f} % of all rows, get another home.",
        )
        self.pump()

    def moved_percent(self) -> float:
        """Of all rows, how many the latest reshard has to move, %."""
        return 100.0 * float(self.planned_rows) / float(self.rows_before) if self.rows_before > 0 else 0.0

    def sample(self) -> None:
        """Find out how the rows lie over the shards now."""
        self.rows_before = self.first_keys()
        self.sampled = zeros(len(self.shards.there))
        number: i64 = 0
        while number < SAMPLES:
            self.sampled[self.map.owner(1 + number * self.rows_before // SAMPLES)] += 1
            number += 1

    def end(self) -> None:
        """The reshard is over, or given up for another one."""
        self.resharding = False
        self.unfollow()

    # ---- the rows of a bucket

    def base_home(self, layout: Layout, bucket: i64) -> i64:
        """The one shard that has all of a bucket now; -1 where several may have some of it."""
        below: i64 = len(self.map.layouts) - 2
        if below < 0:
            return -1
        base = self.map.layouts[below]
        return base.home[bucket] if base.is_like(layout) and base.done[bucket] != 0 else -1

    def rows_of(self, layout: Layout, bucket: i64) -> i64:
        """Rows of a bucket that were there from the start: of a range its length, of a hash's bucket its even share."""
        rows = self.rows_before
        if layout.scheme == RANGE:
            length = layout.last_key(bucket, rows) - layout.first_key(bucket) + 1
            return length if length > 0 else 0
        return (bucket + 1) * rows // layout.buckets - bucket * rows // layout.buckets

    def rows_by_shard(self, layout: Layout, bucket: i64) -> vec[i64]:
        """Of a bucket's rows, how many come from each shard."""
        count: i64 = len(self.shards.there)
        found = zeros(count)
        rows = self.rows_of(layout, bucket)
        base = self.base_home(layout, bucket)
        if base >= 0:
            found[base] = rows if base != layout.home[bucket] else 0
            return found
        hits = self.sampled
        total: i64 = SAMPLES
        if layout.scheme == RANGE:
            total = SAMPLES if rows > SAMPLES else rows
            hits = zeros(count)
            number: i64 = 0
            while number < total:
                hits[self.map.owner(layout.first_key(bucket) + number * rows // total)] += 1
                number += 1
        shard: i64 = 0
        while shard < count and total > 0:
            if shard != layout.home[bucket]:
                found[shard] = rows * hits[shard] // total
                if found[shard] == 0 and hits[shard] > 0 and self.shards.there[shard] == 0:
                    # Its part is less than a row on average, and nobody can look whether one of its rows is among these.
                    found[shard] = 1
            shard += 1
        return found
