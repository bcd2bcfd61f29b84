"""A real PostgreSQL for the tests that compare with one."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator

import pytest

from playground.isolation.server import Server
from playground.setup import postgres


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Connections to a server of our own. Where none can be had the test is skipped, loudly; in CI it fails."""
    if postgres.programs() is None:
        if os.environ.get("CI"):
            pytest.fail(f"there is no PostgreSQL server: {postgres.ADVICE}")
        warnings.warn(f"NOT COMPARED WITH A REAL POSTGRESQL: {postgres.ADVICE}", stacklevel=1)
        pytest.skip("there is no PostgreSQL server")
    with postgres.server() as dsn, Server(dsn) as connected:
        yield connected
