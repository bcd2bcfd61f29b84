"""Which bucket a key is in and which shard a bucket lives on; and how buckets are dealt when shards come and go.

Keys are never moved one by one: they lie in buckets (Redis Cluster's slots, Citus' shards, MongoDB's chunks), and a scheme says where a
bucket has its home. A scheme by hash is as good for buckets as for keys, since a bucket is a hash itself.
"""

from __future__ import annotations

from typing import Final, final

from librt.vecs import append, vec
from mypy_extensions import i64

from playground.blocks.shard_router.states import CONSISTENT, HASH, RANGE
from playground.engine.columns import filled, zeros
from playground.engine.hashing import Ring, hash_32
from playground.engine.state import State

SALT: Final = 0x51AD


@final
class Layout(State):
    """One way to lay keys out. ``done`` says of each bucket whether its rows are where this layout wants them, ``done_at`` since which
    :attr:`KeyMap.turn` of the map (0: from the layout's first moment on)."""

    def __init__(self, scheme: i64, buckets: i64) -> None:
        self.scheme: i64 = scheme
        self.buckets: i64 = buckets
        # Of a layout by range: the last key of each range but the last one, ascending.
        self.splits: vec[i64] = vec[i64]()
        self.home: vec[i64] = filled(buckets, -1)
        self.done: vec[i64] = filled(buckets, 1)
        self.done_at: vec[i64] = zeros(buckets)
        self.moved: vec[i64] = zeros(buckets)
        self.left: i64 = 0

    def bucket(self, key: i64) -> i64:
        """The bucket of a key."""
        if self.scheme != RANGE:
            return hash_32(key, SALT) % self.buckets
        low: i64 = 0
        high: i64 = len(self.splits)
        splits = self.splits
        while low < high:
            middle = (low + high) >> 1
            if splits[middle] < key:
                low = middle + 1
            else:
                high = middle
        return low

    def is_like(self, other: Layout) -> bool:
        """Whether both put every key into the bucket of the same number."""
        if self.buckets != other.buckets or (self.scheme == RANGE) != (other.scheme == RANGE):
            return False
        index: i64 = 0
        while index < len(self.splits):
            if self.splits[index] != other.splits[index]:
                return False
            index += 1
        return True

    def twin(self) -> Layout:
        """The same, to be changed by itself."""
        made = Layout(self.scheme, self.buckets)
        made.splits = self.splits
        made.home = self.home[:]
        made.done = self.done[:]
        made.done_at = self.done_at[:]
        made.moved = self.moved[:]
        made.left = self.left
        return made

    def first_key(self, bucket: i64) -> i64:
        """The first key of a range."""
        return self.splits[bucket - 1] + 1 if bucket > 0 else 1

    def last_key(self, bucket: i64, highest: i64) -> i64:
        """The last key of a range, ``highest`` being the last one that was there from the start."""
        end = self.splits[bucket] if bucket < len(self.splits) else highest
        return end if end < highest else highest


@final
class Past(State):
    """The layouts that served before the map's turn ``until``, when some of them were forgotten."""

    def __init__(self, until: i64, layouts: list[Layout]) -> None:
        self.until: i64 = until
        self.layouts = layouts


@final
class KeyMap(State):
    """Where keys are served now: by the newest layout where a bucket is done, else by the one that it replaces, and so on.

    ``turn`` counts what has changed in it. Whoever asks several shards one question notes it, and hears from :meth:`owner_at` who served
    a key then. MongoDB sends the version of its routing table along, and filters a shard's rows by the chunks that it had then.
    """

    def __init__(self) -> None:
        self.layouts: list[Layout] = []
        self.turn: i64 = 0
        # Oldest first.
        self.pasts: list[Past] = []

    def newest(self) -> Layout:
        """The layout that everything is to have."""
        return self.layouts[len(self.layouts) - 1]

    def owner(self, key: i64) -> i64:
        """The shard that serves a key."""
        index: i64 = len(self.layouts) - 1
        while index > 0:
            layout = self.layouts[index]
            bucket = layout.bucket(key)
            if layout.done[bucket] != 0:
                return layout.home[bucket]
            index -= 1
        layout = self.layouts[0]
        return layout.home[layout.bucket(key)]

    def owner_at(self, key: i64, turn: i64) -> i64:
        """The shard that served a key at an earlier turn."""
        if turn == self.turn:
            return self.owner(key)
        layouts = self.layouts
        for past in self.pasts:
            if turn < past.until:
                layouts = past.layouts
                break
        index: i64 = len(layouts) - 1
        while index > 0:
            layout = layouts[index]
            bucket = layout.bucket(key)
            if layout.done[bucket] != 0 and layout.done_at[bucket] <= turn:
                return layout.home[bucket]
            index -= 1
        layout = layouts[0]
        return layout.home[layout.bucket(key)]

    def cut_over(self, bucket: i64) -> None:
        """From now on the newest layout serves a bucket."""
        layout = self.newest()
        self.turn += 1
        layout.done[bucket] = 1
        layout.done_at[bucket] = self.turn
        layout.moved[bucket] = 1
        layout.left -= 1

    def settle(self, oldest: i64) -> None:
        """Forget layouts that serve nothing any more, and let one take over what a like one has done. Nobody asks for a turn before
        ``oldest``."""
        newest = self.newest()
        count = len(self.layouts)
        if count < 2:
            return
        older = self.layouts[count - 2]
        if newest.left != 0 and not older.is_like(newest):
            return
        self.turn += 1
        self.pasts = [past for past in self.pasts if past.until > oldest]
        if oldest < self.turn:
            self.pasts.append(Past(self.turn, self.layouts))
        if newest.left == 0:
            self.layouts = [newest]
            return
        older = older.twin()
        bucket: i64 = 0
        while bucket < newest.buckets:
            if newest.done[bucket] != 0:
                older.home[bucket] = newest.home[bucket]
                if older.done[bucket] == 0:
                    older.done[bucket] = 1
                    older.left -= 1
                older.done_at[bucket] = 0
            bucket += 1
        older.scheme = newest.scheme
        older.moved = newest.moved
        self.layouts = [*self.layouts[: count - 2], older]


def even_splits(ranges: i64, highest: i64) -> vec[i64]:
    """Split points that cut keys 1 to ``highest`` into so many equal ranges, fewer where there are fewer keys."""
    if ranges > highest:
        ranges = highest
    splits = vec[i64]()
    index: i64 = 1
    while index < ranges:
        splits = append(splits, highest * index // ranges)
        index += 1
    return splits


def dealt_by_remainder(buckets: i64, shards: vec[i64]) -> vec[i64]:
    """Bucket mod N: nearly every bucket has another home when N changes."""
    home = filled(buckets, -1)
    count: i64 = len(shards)
    bucket: i64 = 0
    while bucket < buckets:
        home[bucket] = shards[bucket % count]
        bucket += 1
    return home


def dealt_by_ring(buckets: i64, shards: vec[i64], identities: vec[i64], virtual_nodes: i64) -> vec[i64]:
    """Each bucket to the shard whose point follows it on the circle; ``identities`` go with ``shards``."""
    ring = Ring(virtual_nodes)
    ring.set_members(identities, virtual_nodes)
    home = filled(buckets, -1)
    bucket: i64 = 0
    while bucket < buckets:
        home[bucket] = shards[ring.owner(bucket)]
        bucket += 1
    return home


def dealt_in_rows(buckets: i64, shards: vec[i64]) -> vec[i64]:
    """The first buckets to the first shard, and so on, equally many to each."""
    home = filled(buckets, -1)
    count: i64 = len(shards)
    bucket: i64 = 0
    while bucket < buckets:
        home[bucket] = shards[bucket * count // buckets]
        bucket += 1
    return home


def dealt_anew(before: vec[i64], takes: vec[i64]) -> vec[i64]:
    """Equally many buckets to each shard that ``takes`` some (by shard, 1 or 0), with as few as can be in another place than ``before``."""
    home = before[:]
    buckets: i64 = len(home)
    has = zeros(len(takes))
    count: i64 = 0
    shard: i64 = 0
    while shard < len(takes):
        count += takes[shard]
        shard += 1
    bucket: i64 = 0
    while bucket < buckets:
        if takes[home[bucket]] != 0:
            has[home[bucket]] += 1
        bucket += 1
    quota = zeros(len(takes))
    longer: i64 = buckets % count
    # Those that have more than their part already keep what doesn't divide evenly.
    turn: i64 = 0
    while turn < 2:
        shard = 0
        while shard < len(takes):
            if takes[shard] != 0 and (quota[shard] == 0 or turn == 1):
                if turn == 0:
                    quota[shard] = buckets // count
                if longer > 0 and quota[shard] == buckets // count and (turn == 1 or has[shard] > buckets // count):
                    quota[shard] += 1
                    longer -= 1
            shard += 1
        turn += 1
    needy: i64 = 0
    bucket = buckets - 1
    while bucket >= 0:
        old = home[bucket]
        if takes[old] == 0 or has[old] > quota[old]:
            while takes[needy] == 0 or has[needy] >= quota[needy]:
                needy += 1
            if takes[old] != 0:
                has[old] -= 1
            home[bucket] = needy
            has[needy] += 1
        bucket -= 1
    return home


def homes(
    scheme: i64,
    before: Layout | None,
    buckets: i64,
    shards: vec[i64],
    identities: vec[i64],
    takes: vec[i64],
    vnodes: i64,
) -> vec[i64]:
    """The home of each bucket. Ranges and directories keep what they can of ``before``, a layout with the same buckets, if there is one."""
    if scheme == HASH:
        return dealt_by_remainder(buckets, shards)
    if scheme == CONSISTENT:
        return dealt_by_ring(buckets, shards, identities, vnodes)
    if before is None:
        return dealt_in_rows(buckets, shards)
    return dealt_anew(before.home, takes)
