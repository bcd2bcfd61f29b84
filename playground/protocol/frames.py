"""Frames: what changes many times a second, packed as numbers (MessagePack, binary WebSocket messages).

A frame is a map with short keys:

========== ============ =====================================================================================
key        type         meaning
========== ============ =====================================================================================
``n``      int          frame number, growing; gaps are normal
``e``      int          epoch: which ``layout`` message describes the rows
``t``      int          virtual time, ns
``f``      int          furthest virtual time reached, ns
``ev``     int          engine events so far
``sp``     float        speed reached lately, virtual seconds per second
``b``      bin          float64 little-endian, the blocks' metric rows one behind another, in layout order
``ed``     bin          float64 little-endian, edges x edge metrics
``tot``    map          offered, completed, failed (cumulative), in_flight, p50_ms, p95_ms, p99_ms (of the last bucket), rate_per_s,
                        failed_by {outcome: n}, cost (neutral units so far, of deleted blocks too)
``h``      bin          float64 little-endian, sampled hops, 9 numbers each: trace, edge index, direction (0 call, 1 reply), left ns,
                        arrives ns, outcome index (-1 under way), operation index, attempt, look of the answer (0 ordinary, 1 not modified,
                        2 stale, 3 absent)
``c``      map          block id: bin, one byte a cell of the blocks that declare some: the number of its state, + 128 where it is marked
``bk``     int          number of whole history buckets recorded so far (compare with what you hold, ask for the rest)
========== ============ =====================================================================================
"""

from __future__ import annotations

from typing import Any

import msgpack
from typing_extensions import TypedDict

HOP_FIELDS = 9
FRAME_BYTES_MAX = 1024 * 1024


class FrameTotals(TypedDict):
    """The whole design in a frame (key ``tot``): counters since time 0, gauges of the last bucket."""

    offered: int
    completed: int
    failed: int
    in_flight: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    rate_per_s: float
    failed_by: dict[str, int]
    cost: float


class Frame(TypedDict):
    """One frame as it is packed; the module's table says what each key means."""

    n: int
    e: int
    t: int
    f: int
    ev: int
    sp: float
    b: bytes
    ed: bytes
    tot: FrameTotals
    h: bytes
    c: dict[str, bytes]
    bk: int


def pack_frame(frame: dict[str, Any]) -> bytes:
    """``frame`` (keys as in the module's table) as bytes."""
    packed: bytes = msgpack.packb(frame, use_bin_type=True)
    return packed


def unpack_frame(data: bytes) -> dict[str, Any]:
    """The frame in ``data``; for tests and Python viewers."""
    frame: dict[str, Any] = msgpack.unpackb(data, raw=False)
    return frame
