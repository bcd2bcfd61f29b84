"""What a router shows: cells, figures, and where its shards stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mypy_extensions import i64

from playground.blocks.shard_router.states import (
    CELL_COPYING,
    CELL_CUT_OVER,
    CELL_HOME,
    CELL_LOST,
    CELL_MARK,
    CELL_MOVED,
    CELL_TO_MOVE,
    CELLS_MAX,
    RANGE,
    SCHEMES,
)
from playground.engine.columns import zeros
from playground.engine.recent import WINDOW_NS

if TYPE_CHECKING:
    from playground.blocks.shard_router.behaviour import ShardRouter

ROWS_SHOWN = 32


def state_of(router: ShardRouter, bucket: i64) -> i64:
    """How a bucket of the newest layout stands."""
    layout = router.map.newest()
    if router.locked[bucket] != 0:
        return CELL_CUT_OVER
    if router.under_way[bucket] != 0:
        return CELL_COPYING
    if layout.done[bucket] == 0:
        return CELL_LOST if router.stuck[bucket] != 0 else CELL_TO_MOVE
    if router.shards.there[layout.home[bucket]] == 0:
        return CELL_LOST
    return CELL_MOVED if layout.moved[bucket] != 0 else CELL_HOME


def cells(router: ShardRouter) -> list[int]:
    """The buckets, several to a cell where there are many: the most urgent state counts. Marked is where the hottest key lies."""
    if len(router.map.layouts) == 0:
        return []
    layout = router.map.newest()
    count: i64 = layout.buckets if layout.buckets < CELLS_MAX else CELLS_MAX
    states = zeros(count)
    bucket: i64 = 0
    while bucket < layout.buckets:
        cell = bucket * count // layout.buckets
        state = state_of(router, bucket)
        if state > states[cell]:
            states[cell] = state
        bucket += 1
    key = router.shards.keys.hottest_key()
    if key > 0:
        states[layout.bucket(key) * count // layout.buckets] += CELL_MARK
    found: list[int] = []
    cell = 0
    while cell < count:
        found.append(int(states[cell]))
        cell += 1
    return found


def metrics(router: ShardRouter) -> list[float]:
    """In the order of ``spec_figures.METRICS``."""
    station = router.station
    layouts = len(router.map.layouts)
    left: i64 = router.map.newest().left if layouts > 0 else 0
    fan_out = float(router.fanned_out) / float(router.scattered) if router.scattered > 0 else 0.0
    return [
        float(station.busy_all),
        float(station.workers),
        float(router.rejected),
        float(router.shards.there_all),
        *router.shards.figures(),
        float(router.single),
        float(router.scattered),
        fan_out,
        float(router.partial),
        float(router.too_deep),
        float(router.missing),
        float(router.nowhere),
        float(router.map.newest().buckets) if layouts > 0 else 0.0,
        float(left),
        router.moved_percent(),
        float(router.reshards),
        float(router.moved_buckets),
        float(router.moved_rows),
        float(router.caught_up),
        float(router.held),
        float(router.held_all),
        float(router.longest_cut_over) / 1e6,
        float(router.cut_overs_late),
        float(router.rolled_back),
        float(router.orphaned),
    ]


def detail(router: ShardRouter) -> dict[str, object]:
    """Shards with their rates and buckets, the scheme, the reshard under way."""
    shards = router.shards
    if len(router.map.layouts) == 0:
        return {"shards": []}
    layout = router.map.newest()
    buckets = zeros(len(shards.there))
    bucket: i64 = 0
    while bucket < layout.buckets:
        if layout.done[bucket] != 0:
            buckets[layout.home[bucket]] += 1
        bucket += 1
    recent = shards.recent()
    span = float(router.simulation.now % WINDOW_NS) + (float(WINDOW_NS) if shards.before_all > 0 else 0.0)
    rows: list[object] = []
    shard: i64 = 0
    while shard < len(shards.there) and shard < ROWS_SHOWN:
        rows.append(
            {
                "shard": int(shard),
                "name": shards.label[shard],
                "per_s": round(float(recent[shard]) * 1e9 / span, 1) if span > 0.0 else 0.0,
                "asked": int(shards.asked[shard]),
                "buckets": int(buckets[shard]),
                "state": "gone"
                if shards.there[shard] == 0
                else "takes buckets"
                if shards.takes[shard] != 0
                else "gives buckets away",
            }
        )
        shard += 1
    found: dict[str, object] = {
        "scheme": SCHEMES[layout.scheme],
        "shards": rows,
        "hottest_key": int(shards.keys.hottest_key()),
        "reshard": {
            "under_way": router.resharding,
            "buckets_left": int(layout.left),
            "rows_planned": int(router.planned_rows),
            "rows_copied": int(router.rows_done),
        },
        "failures": router.failures_by_reason(),
    }
    if layout.scheme == RANGE:
        found["split_points"] = [int(layout.splits[index]) for index in range(min(len(layout.splits), ROWS_SHOWN))]
    return found
