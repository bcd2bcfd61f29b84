"""A content delivery network: shared HTTP caches at the edge, one at each point of presence."""

from __future__ import annotations

from playground.engine.http_caching import HttpCache
from playground.engine.params import Params


class Cdn(HttpCache):
    """Each instance is a point of presence with a cache of its own."""

    def configure(self, params: Params) -> None:
        """Sizes, how long answers are good (those that are stored stay as they are), what a look-up takes."""
        self.max_age_ns = params.ns("max_age_s")
        self.while_revalidate_ns = params.ns("stale_while_revalidate_s")
        self.if_error_ns = params.ns("stale_if_error_s")
        self.negative_ns = params.ns("negative_ttl_s")
        self.collapse = params.flag("collapse")
        params.set_duration(self.hit_time, "hit_time")
        self.resize(params.integer("points"), params.integer("capacity_items"))
