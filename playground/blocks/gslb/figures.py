"""What is shown of resolvers and regions. Looking draws nothing and changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mypy_extensions import i64

from playground.blocks.gslb.resolvers import REGION_COUNT, Resolvers
from playground.blocks.gslb.targets import ANYCAST, POLICIES, Targets
from playground.engine.regions import REGIONS

if TYPE_CHECKING:
    from playground.engine.edge import Edge

CELLS_MAX: Final = 120
MARKED: Final = 128
TARGETS_SHOWN_MAX: Final = 50


def dead_percent(targets: Targets, resolvers: Resolvers, anycast: bool) -> float:
    """Percent of the resolvers that point to a region that is not healthy."""
    if anycast or resolvers.counted == 0:
        return 0.0
    there: i64 = 0
    target: i64 = 0
    while target < targets.count:
        if targets.healthy[target] == 0:
            there += resolvers.pointing[target]
        target += 1
    return 100.0 * float(there) / float(resolvers.counted)


def cells_of(targets: Targets, resolvers: Resolvers, anycast: bool, answer_all: bool) -> list[int]:
    """A sample of the resolvers of each region that has clients: the region that each points to, marked where it ignores the TTL.

    Under anycast there are none, and the cells stand for clients: where the network takes them.
    """
    regions = [region for region in range(REGION_COUNT) if resolvers.seen[region] != 0]
    made: list[int] = []
    for region in regions:
        count = min(CELLS_MAX // len(regions), int(resolvers.size))
        nearest = int(targets.choose(ANYCAST, region, answer_all))
        for place in range(count):
            resolver = region * int(resolvers.size) + place * int(resolvers.size) // count
            target = nearest if anycast else int(resolvers.target[resolver])
            state = min(target, 3) + 1 if target >= 0 else 0
            made.append(state + MARKED if not anycast and resolvers.ignores(resolver) else state)
    return made


def detail_of(targets: Targets, resolvers: Resolvers, policy: i64) -> dict[str, object]:
    """Each region: what the checks say of it, and how many of the resolvers point to it."""
    rows: list[object] = []
    for target in range(min(int(targets.count), TARGETS_SHOWN_MAX)):
        edge: Edge = targets.edges[target]
        region = f" ({edge.callee.region.upper()})" if edge.callee.region else ""
        row: dict[str, object] = {
            "region": f"{edge.callee.label}{region}",
            "state": "healthy" if targets.healthy[target] != 0 else "dead",
        }
        if targets.probe_ns[target] >= 0:
            row["probe_ms"] = round(float(targets.probe_ns[target]) / 1e6, 2)
        if policy == ANYCAST:
            row["announced"] = targets.announced[target] != 0
        elif resolvers.counted > 0:
            row["resolvers_percent"] = round(100.0 * float(resolvers.pointing[target]) / float(resolvers.counted), 1)
        rows.append(row)
    clients = [REGIONS[region].upper() for region in range(REGION_COUNT) if resolvers.seen[region] != 0]
    return {"routing": POLICIES[policy], "clients_in": ", ".join(clients), "regions": rows}
