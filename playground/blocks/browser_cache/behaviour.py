"""The caches of browsers: private ones, a user's copy serves that user alone."""

from __future__ import annotations

from mypy_extensions import i64

from playground.engine.http_caching import HttpCache
from playground.engine.params import Params
from playground.engine.simulation import Simulation


class BrowserCache(HttpCache):
    """The browsers of one population of users."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.private = True

    def configure(self, params: Params) -> None:
        """Sizes, and how long copies are good (those that are stored stay as they are)."""
        self.max_age_ns = params.ns("max_age_s")
        self.while_revalidate_ns = params.ns("stale_while_revalidate_s")
        self.resize(1, params.integer("capacity_items"))
