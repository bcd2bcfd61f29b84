"""What the Bloom filter shows of itself while it runs: how full a cell is, and sizes with their formula."""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

from playground.engine.filters import BUCKET_SLOTS, CUCKOO, CUCKOO_LOAD, VARIANTS, Filter

EMPTY: Final = 0
FEW: Final = 1
PLANNED: Final = 2
CROWDED: Final = 3


def cell_state(found: Filter, cell: i64) -> int:
    """How full a cell is, beside what was planned: half of the bits, or 95 % of the slots."""
    level = found.level(cell)
    cuckoo = found.size.variant == CUCKOO
    planned = CUCKOO_LOAD if cuckoo else 0.5
    if level <= 0.0:
        return EMPTY
    if level < 0.6 * planned:
        return FEW
    return CROWDED if level > (0.99 if cuckoo else 0.6) else PLANNED


def state(found: Filter, ready: bool) -> str:
    """How a filter stands, in words."""
    if not ready:
        return "lost, says perhaps to all"
    without = f"; {found.refused:,} ids found no place when it was built" if found.refused > 0 else ""
    return ("built, and full" if found.is_full() else "built") + without


def last_id(found: Filter, key: i64, said: str) -> dict[str, object]:
    """The id that was looked up last, and where it falls."""
    return {"id": int(key), "positions": [int(position) for position in found.positions(key)], "said": said}


def shape(found: Filter, ready: bool) -> dict[str, object]:
    """How it stands, sizes and formula, for the inspector."""
    size = found.size
    words: dict[str, object] = {
        "kind": VARIANTS[size.variant],
        "state": state(found, ready),
        "bits": f"{size.bits:,} real bits"
        if found.is_real()
        else f"stands for {size.bits:,} bits; outcomes by id as real bits give them",
        "positions_m": int(size.positions),
        "ids_n": int(found.elements),
        "planned_ids": int(size.expected),
        "predicted_percent": round(100.0 * size.rate(found.elements), 6),
        "predicted_when_full_percent": round(100.0 * size.rate(size.expected), 6),
    }
    if size.variant == CUCKOO:
        words["fingerprint_bits_f"] = int(size.fingerprint_bits)
        words["formula"] = f"1 - (1 - 1/(2^f - 1))^({2 * BUCKET_SLOTS} n/m)"
    else:
        words["hashes_k"] = int(size.hashes)
        words["formula"] = "(1 - e^(-kn/m))^k"
    return words
