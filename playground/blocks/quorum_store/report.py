"""What the store reports: figures, cells, and what the inspector shows."""

from __future__ import annotations

from math import comb
from typing import TYPE_CHECKING

from mypy_extensions import i64

from playground.blocks.quorum_store.ledger import same_set
from playground.blocks.quorum_store.states import (
    CELL_AGREE,
    CELL_DIFFER,
    CELL_HINT,
    CELL_MARK,
    CELL_MISSING,
    CELL_SIBLINGS,
    CELL_UNTOUCHED,
    CELLS,
    INITIAL,
)
from playground.engine.columns import zeros

if TYPE_CHECKING:
    from playground.blocks.quorum_store.reading import Reading
    from playground.engine.histogram import Histogram

ROWS = 12
STATES = ["as at the start", "agree", "differ", "newest missing", "hint waits", "siblings"]


def formula_percent(replicas: int, read_quorum: int, write_quorum: int) -> float:
    """Probability that a read misses a write that exactly W of N replicas have, when the R that answer are any: C(N-W, R) / C(N, R).

    Bailis et al., VLDB 2012, equation 1; in percent.
    """
    if min(read_quorum, write_quorum) < 1 or max(read_quorum, write_quorum) > replicas:
        return 0.0
    return 100.0 * comb(replicas - write_quorum, read_quorum) / comb(replicas, read_quorum)


def milliseconds(histogram: Histogram, fraction: float) -> float:
    """A percentile, ms; 0 before there is any."""
    ns = histogram.percentile(fraction)
    return ns / 1e6 if ns >= 0.0 else 0.0


def metrics(store: Reading) -> list[float]:
    """In the order of ``spec_figures.METRICS``."""
    up: i64 = 0
    node: i64 = 0
    while node < store.nodes:
        if store.crashed[node] == 0 and store.suspected_by[node] == 0:
            up += 1
        node += 1
    lost = store.dropped_concurrent + store.lost_to_skew + store.lost_with_disk
    formula = formula_percent(int(store.replica_count), int(store.read_quorum), int(store.write_quorum))
    return [
        store.recent.percent(),
        float(up),
        float(store.nodes),
        float(store.reads),
        float(store.stale.total),
        100.0 * float(store.stale.total) / float(store.reads) if store.reads > 0 else 0.0,
        formula,
        store.stale.age_ns / float(store.stale.total) / 1e6 if store.stale.total > 0 else 0.0,
        milliseconds(store.read_latency, 0.5),
        milliseconds(store.read_latency, 0.99),
        milliseconds(store.read_latency, 0.999),
        milliseconds(store.write_latency, 0.5),
        milliseconds(store.write_latency, 0.99),
        milliseconds(store.write_latency, 0.999),
        float(store.writes),
        float(store.writes_acked),
        float(store.partial_writes),
        float(store.partial_seen),
        float(store.unavailable),
        float(lost),
        float(store.dropped_concurrent),
        float(store.lost_to_skew),
        float(store.lost_with_disk),
        float(store.sibling_reads),
        float(store.ledger.overflowed),
        float(store.hints.size),
        float(store.hints_taken),
        float(store.hints_delivered),
        float(store.hints_expired + store.hints_lost),
        float(store.repairs),
        float(store.keys_exchanged),
        float(store.messages_sent),
        float(store.messages_lost),
    ]


def state_of(store: Reading, key: i64) -> int:
    """How the copies of a key stand to one another."""
    if store.ledger.index.find(key) < 0 and not any(replica.wiped for replica in store.replicas):
        return CELL_UNTOUCHED
    width = store.ledger.width
    newest = store.ledger.newest_of(key)
    at = store.ring.first_point(key) * store.nodes
    first = zeros(width)
    other = zeros(width)
    had = False
    same = True
    siblings = False
    hinted = False
    count: i64 = 0
    place: i64 = 0
    while place < store.replica_count:
        node = store.order[at + place]
        replica = store.replicas[node]
        here = replica.read(key, other, 0)
        if place == 0:
            count = replica.read(key, first, 0)
        same = same and same_set(first, 0, count, other, 0, here)
        had = had or store.ledger.holds(other, 0, here, newest) or newest == INITIAL
        siblings = siblings or here > 1
        holder: i64 = 0
        while holder < store.nodes and store.hints.held_for[node] > 0:
            hinted = hinted or store.hints.find(holder, node, key) >= 0
            holder += 1
        place += 1
    if hinted:
        return CELL_HINT
    if not had:
        return CELL_MISSING
    if not same:
        return CELL_DIFFER
    return CELL_SIBLINGS if siblings else CELL_AGREE


def cells(store: Reading) -> list[int]:
    """The first keys; the one of the latest stale read is marked."""
    found: list[int] = []
    key: i64 = 1
    while key <= CELLS:
        state = state_of(store, key)
        found.append(state + CELL_MARK if key == store.last_stale_key else state)
        key += 1
    return found


def versions_text(store: Reading, node: i64, key: i64) -> str:
    """What a node holds of a key: version numbers."""
    held = zeros(store.ledger.width)
    count = store.replicas[node].read(key, held, 0)
    names = sorted(int(store.ledger.number[held[index]]) for index in range(count))
    return " and ".join(str(name) for name in names) if names else "nothing"


def key_rows(store: Reading) -> list[object]:
    """The first keys, copy by copy."""
    rows: list[object] = []
    key: i64 = 1
    while key <= ROWS:
        at = store.ring.first_point(key) * store.nodes
        held: dict[str, str] = {}
        place: i64 = 0
        while place < store.replica_count:
            node = store.order[at + place]
            held[f"node {node + 1}"] = versions_text(store, node, key)
            place += 1
        newest = store.ledger.number[store.ledger.newest_of(key)]
        rows.append(
            {"key": int(key), "state": STATES[state_of(store, key)], "newest_acknowledged": int(newest), "held": held}
        )
        key += 1
    return rows


def node_rows(store: Reading) -> list[object]:
    """Each node: whether it is there, what it holds, who misses it."""
    rows: list[object] = []
    node: i64 = 0
    while node < store.nodes:
        state = "down" if store.crashed[node] > 0 else "stalled" if store.paused[node] > 0 else "up"
        rows.append(
            {
                "node": int(node) + 1,
                "state": state,
                "side": int(store.group[node]) + 1,
                "missed_by": int(store.suspected_by[node]),
                "keys_written": int(store.replicas[node].size),
                "hints_kept": int(store.hints.held_by[node]),
                "hints_for_it": int(store.hints.held_for[node]),
                "clock_off_ms": float(store.clock_off[node]) / 1e6,
            }
        )
        node += 1
    return rows


def detail(store: Reading) -> dict[str, object]:
    """Nodes, keys, the latest stale reads."""
    return {
        "nodes": node_rows(store),
        "keys": key_rows(store),
        "latest_stale_reads": store.stale.rows(),
        "versions_held": int(store.ledger.capacity - store.ledger.free_count),
        "failures": store.failures_by_reason(),
    }
