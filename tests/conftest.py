"""What all tests share."""

from __future__ import annotations

import gc
import time

pytest_plugins = ["tests.live", "tests.postgres"]

COLLECT_EVERY_S = 4.0
"""A run is a circle of blocks, edges and snapshots, up to some hundred megabytes; the collector counts objects, so it comes too late."""

_collected_at = time.monotonic()


def pytest_runtest_teardown() -> None:
    """Let go of the runs of the tests before, now and then."""
    global _collected_at
    if time.monotonic() - _collected_at > COLLECT_EVERY_S:
        gc.collect()
        _collected_at = time.monotonic()
