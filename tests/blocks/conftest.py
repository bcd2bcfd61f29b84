"""What the contract of all blocks is held against: every kind that the registry finds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from playground.blocks.registry import Kind, kinds
from playground.catalogue import catalogue
from playground.protocol.catalogue import Fault, Param


@pytest.fixture(params=list(kinds()))
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each kind of block in turn."""
    return kinds()[request.param]


def params_declared() -> Iterator[tuple[str, Param]]:
    """Every parameter of every kind, and of edges under the name "edge"."""
    for name, found in kinds().items():
        yield from ((name, param) for param in found.spec.params)
    yield from (("edge", param) for param in catalogue().edge.params)


def faults_declared() -> Iterator[tuple[str, Fault]]:
    """Every fault of every kind, and of edges under the name "edge"."""
    for name, found in kinds().items():
        yield from ((name, fault) for fault in found.spec.faults)
    yield from (("edge", fault) for fault in catalogue().edge.faults)
