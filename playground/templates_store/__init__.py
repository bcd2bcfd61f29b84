"""The designs that come with the playground: a JSON file each, beside this one, named as in their address ``/t/<name>``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from playground.protocol.design import Scenario, parse_scenario
from playground.protocol.strict_json import loads

FOLDER = Path(__file__).resolve().parent
FIRST = (
    "catalogue",
    "stampede",
    "cache-lock",
    "soft-hard-ttl",
    "negative-caching",
    "bloom-filter",
    "without-sticky",
    "with-sticky",
    "liveness-readiness",
    "gslb",
    "read-your-writes",
    "failover",
    "split-brain",
    "crash-commit",
    "two-buyers",
    "write-skew",
    "hot-shard",
    "reshard",
    "conditional-requests",
    "deep-page",
    "quorum",
    "metastable",
    "mm1",
    "mmc",
)
"""The gallery's order; whatever is not named here follows by name."""


@dataclass(frozen=True)
class Template:
    """A scenario with a title and a sentence about it."""

    name: str
    title: str
    summary: str
    scenario: Scenario


@cache
def templates() -> dict[str, Template]:
    """Every template by its name, in the order of the gallery."""
    found = {path.stem: loads(path.read_bytes(), what=path.name) for path in FOLDER.glob("*.json")}
    order = sorted(found, key=lambda name: (FIRST.index(name) if name in FIRST else len(FIRST), name))
    return {
        name: Template(name, found[name]["title"], found[name]["summary"], parse_scenario(found[name]["scenario"]))
        for name in order
    }
