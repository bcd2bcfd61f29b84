"""What is told of an HTTP cache: counters, the cells on its card, its notable moments. How it works is in ``http_caching.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mypy_extensions import i64, mypyc_attr

from playground.engine.block import Block
from playground.engine.http_store import EMPTY, HttpStore, private_key
from playground.engine.recent import RecentRatio
from playground.engine.words import counted, time_text

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation

CELLS: Final = 64
"""So many of the most popular keys are drawn."""

QUIET_NS: Final = 10_000_000_000
STATES: Final = ["empty", "fresh", "stale, revalidating", "expired", "does not exist"]


@mypyc_attr(allow_interpreted_subclasses=True)
class HttpCacheFigures(Block):
    """What an HTTP cache holds and has counted. ``private``: each user has a copy of their own."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.stores: list[HttpStore] = []
        self.private: bool = False
        self.while_revalidate_ns: i64 = -1
        self.if_error_ns: i64 = -1
        # What the card shows: the first instance, of a private cache the browser of the first user who came.
        self.shown_user: i64 = -1
        self.last_key: i64 = -1
        # Since when stale answers stand in for a failing origin, -1: they don't.
        self.failing_since: i64 = -1
        self.failing_noted_at: i64 = -QUIET_NS
        self.failing_served: i64 = 0
        # Figures.
        self.hits: i64 = 0
        self.misses: i64 = 0
        self.fetches: i64 = 0
        self.revalidated: i64 = 0
        self.refreshed: i64 = 0
        self.not_modified: i64 = 0
        self.stale_served: i64 = 0
        self.stale_if_error: i64 = 0
        self.outdated: i64 = 0
        self.collapsed: i64 = 0
        self.invalidated: i64 = 0
        self.egress: i64 = 0
        self.from_origin: i64 = 0
        self.saved: i64 = 0
        self.spared: i64 = 0
        self.recent = RecentRatio()

    def item_key(self, user: i64, key: i64) -> i64:
        """Under which number an item is stored."""
        return private_key(user, key) if self.private else key

    def held(self) -> i64:
        """Items stored in all instances."""
        total: i64 = 0
        for store in self.stores:
            total += store.items.size
        return total

    def metrics(self) -> list[float]:
        """See ``HTTP_CACHE_METRICS``."""
        capacity: i64 = 0
        evicted: i64 = 0
        for store in self.stores:
            evicted += store.items.evicted
            capacity = store.items.capacity
        return [
            self.recent.percent(),
            float(self.held()),
            float(capacity * self.instances),
            float(self.hits),
            float(self.misses),
            float(self.fetches),
            float(self.revalidated),
            float(self.refreshed),
            float(self.not_modified),
            float(self.stale_served),
            float(self.stale_if_error),
            float(self.outdated),
            float(self.collapsed),
            float(self.invalidated),
            float(evicted),
            float(self.egress),
            float(self.from_origin),
            float(self.saved),
            float(self.spared),
        ]

    def cells(self) -> list[int]:
        """How the most popular keys stand in the first instance, of private caches in the browser of the first user who came."""
        now = self.simulation.now
        store = self.stores[0]
        user: i64 = self.shown_user if self.shown_user >= 0 else 0
        cells: list[int] = []
        for key in range(1, CELLS + 1):
            state = int(store.state(self.item_key(user, key), now, self.while_revalidate_ns))
            cells.append(state + 128 if key == self.last_key else state)
        return cells

    def detail(self) -> dict[str, object]:
        """The most popular items that are stored, as :meth:`cells` draws them."""
        now = self.simulation.now
        store = self.stores[0]
        user: i64 = self.shown_user if self.shown_user >= 0 else 0
        rows: list[object] = []
        for key in range(1, 11):
            number = self.item_key(user, key)
            state = store.state(number, now, self.while_revalidate_ns)
            if state == EMPTY:
                continue
            entry = store.items.find(number)
            rows.append(
                {
                    "key": key,
                    "version": int(store.items.version[entry]),
                    "state": STATES[state],
                    "age_s": round(float(now - store.items.filled_at[entry]) / 1e9, 3),
                    "fresh_for_s": round(float(store.items.expires[entry] - now) / 1e9, 3),
                }
            )
        return {
            "most_popular_keys": rows,
            "being_fetched": int(sum([int(it.fetches.size) for it in self.stores])),
            "failures": self.failures_by_reason(),
        }

    # ---- moments

    def note_stand_in(self, key: i64, past: i64) -> None:
        """Say that stale answers stand in for a failing origin, and not again within ten virtual seconds."""
        self.failing_served += 1
        now = self.simulation.now
        if self.failing_since >= 0:
            return
        self.failing_since = now
        if now - self.failing_noted_at < QUIET_NS:
            return
        self.failing_noted_at = now
        self.note(
            "stale_if_error",
            "warning",
            f"{self.label} serves stale: its origin fails",
            f"Key {key} is {time_text(past)} past its freshness; it may be served for {float(self.if_error_ns) / 1e9:g} s.",
        )

    def note_origin_back(self) -> None:
        """The origin has answered; say so when stale answers stood in for it."""
        if self.failing_since < 0:
            return
        if self.failing_noted_at == self.failing_since:
            took = time_text(self.simulation.now - self.failing_since)
            text = f"{counted(self.failing_served, 'stale answer')} stood in for it within {took}."
            self.note("origin_back", "good", f"The origin of {self.label} answers again", text)
        self.failing_since = -1
        self.failing_served = 0
