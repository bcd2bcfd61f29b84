"""How a cache stands: in cells on its card, in words in the inspector."""

from __future__ import annotations

from mypy_extensions import i64

from playground.blocks.cache.loading import Loading
from playground.blocks.cache.rebuilding import Rebuilding
from playground.blocks.cache.states import (
    CELL_DIRTY,
    CELL_EMPTY,
    CELL_EXPIRED,
    CELL_FRESH,
    CELL_LOCKED,
    CELL_MARK,
    CELL_NEGATIVE,
    CELL_SOFT,
    CELLS,
    LOCAL,
    NEVER,
    STATES,
)
from playground.engine.outcomes import ABSENT

ROWS = 12


def node_of(cache: Rebuilding, key: i64) -> i64:
    """The node whose copy of ``key`` is shown: its own, or where each server has one the node that was asked last."""
    if cache.instances == 1:
        return 0
    if cache.placement == LOCAL:
        return cache.last_node if cache.last_node < cache.instances else 0
    owner = cache.ring.owner(key)
    return owner if owner >= 0 else 0


def cell(cache: Rebuilding, key: i64) -> i64:
    """The state of one key."""
    node = cache.nodes[node_of(cache, key)]
    now = cache.simulation.now
    lock = node.locks.find(key)
    if lock >= 0 and node.locks.expires[lock] > now:
        return CELL_LOCKED
    if node.unwritten(key) > 0:
        return CELL_DIRTY
    entry = node.items.find(key)
    if entry < 0:
        return CELL_EMPTY
    if node.items.expires[entry] <= now:
        return CELL_EXPIRED
    if node.items.version[entry] == ABSENT:
        return CELL_NEGATIVE
    return CELL_SOFT if cache.soft_end(node, entry) <= now else CELL_FRESH


def cells(cache: Rebuilding) -> list[int]:
    """The most popular keys, 1 first; the one asked for last is marked."""
    found: list[int] = []
    key: i64 = 1
    while key <= CELLS:
        found.append(int(cell(cache, key)) + (CELL_MARK if key == cache.last_key else 0))
        key += 1
    return found


def seconds(ns: i64) -> float:
    """Rounded to milliseconds, for people."""
    return round(float(ns) / 1e9, 3)


def key_rows(cache: Rebuilding) -> list[object]:
    """The most popular keys that are held: version held and true one, age, what is left."""
    now = cache.simulation.now
    source = cache.source()
    rows: list[object] = []
    key: i64 = 1
    while key <= ROWS:
        number = node_of(cache, key)
        node = cache.nodes[number]
        entry = node.items.find(key)
        if entry >= 0:
            held = node.items.version[entry]
            row: dict[str, object] = {
                "key": int(key),
                "state": STATES[cell(cache, key)],
                "version": "none" if held == ABSENT else int(held),
                "age_s": seconds(now - node.items.filled_at[entry]),
            }
            if source is not None:
                present = source.current_version(key)
                row["true_version"] = "none" if present == ABSENT else int(present)
            ends = node.items.expires[entry]
            row["expires_in_s"] = "never" if ends == NEVER else seconds(ends - now)
            if cache.soft_ns >= 0:
                row["soft_in_s"] = seconds(cache.soft_end(node, entry) - now)
            if cache.instances > 1:
                row["node"] = int(number)
            rows.append(row)
        key += 1
    return rows


def node_rows(cache: Rebuilding) -> list[object]:
    """What each of the first nodes holds."""
    rows: list[object] = []
    number: i64 = 0
    while number < cache.instances and number < 32:
        node = cache.nodes[number]
        rows.append(
            {
                "node": int(number),
                "keys": int(node.items.size),
                "operations": int(node.served),
                "unwritten": int(node.dirty.size),
                "busy": int(cache.station.busy[number]),
                "state": "down" if cache.crashed[number] > 0 else "up",
            }
        )
        number += 1
    return rows


def hot_rows(cache: Rebuilding) -> list[int]:
    """The keys that are hot now."""
    hot = cache.hot
    found: list[int] = []
    slot: i64 = 0
    while slot < hot.size:
        if hot.hot[slot] != 0:
            found.append(int(hot.key[slot]))
        slot += 1
    return found


def metrics(cache: Loading) -> list[float]:
    """In the order of ``spec.py``."""
    keys: i64 = 0
    room: i64 = 0
    evicted: i64 = 0
    locks: i64 = 0
    for number, node in enumerate(cache.nodes):
        evicted += node.items.evicted
        if number < cache.instances:
            keys += node.items.size
            room += node.items.capacity
            locks += node.locks.size
    stale_ms = cache.stale_ns / float(cache.stale_served) / 1e6 if cache.stale_served > 0 else 0.0
    return [
        cache.recent.percent(),
        float(keys),
        float(room),
        float(cache.hits),
        float(cache.misses),
        float(cache.expired),
        float(evicted),
        float(cache.sets),
        float(cache.deletes),
        float(cache.stampedes),
        float(cache.largest_stampede),
        float(cache.latest_rebuilds),
        float(cache.rebuilds),
        float(cache.waits),
        float(cache.early),
        float(cache.refreshes),
        float(cache.stale_hits),
        float(cache.stale_served),
        stale_ms,
        float(cache.negative_hits),
        float(cache.invisible),
        float(locks),
        float(cache.locks_expired),
        float(cache.late_sets),
        float(cache.freed_wrongly),
        float(cache.leases_refused),
        float(cache.writes),
        float(cache.dirty),
        float(cache.flushed),
        float(cache.coalesced),
        float(cache.lost_writes),
        float(cache.hot.hot_all),
        float(cache.sessions_lost),
    ]
