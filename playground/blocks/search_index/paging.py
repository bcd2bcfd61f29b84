"""Pages of the index's documents, newest first: from + size, or search_after.

Elasticsearch, "Paginate search results": for ``from`` + ``size`` each shard collects its first from + size documents, since any of them
may come before the page, and whoever asked sorts them all; past ``index.max_result_window`` that is refused. ``search_after`` has the sort
values of the last document shown: each shard collects ``size`` documents after those, at any depth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from librt.vecs import append, vec
from mypy_extensions import i64

from playground.blocks.search_index.states import QUIET_NS
from playground.engine.calls import ANSWERED, TOLD
from playground.engine.columns import zeros
from playground.engine.outcomes import BY_COUNT, PAGE_KIND, PAGE_KIND_BITS
from playground.engine.params import Params
from playground.engine.recent import WINDOW_NS
from playground.engine.state import State

if TYPE_CHECKING:
    from playground.blocks.search_index.indexing import Indexing

DEPTHS: Final = ["first 10 pages", "pages 11 to 100", "deeper"]


@final
class Pages(State):
    """Finds pages, and says what they cost."""

    def __init__(self, owner: Indexing) -> None:
        self.owner = owner
        self.window: i64 = 10_000
        self.shards: i64 = 1
        self.collect_ns: float = 0.0
        # Figures.
        self.pages: i64 = 0
        self.collected: i64 = 0
        self.too_deep: i64 = 0
        self.noted_at: i64 = -QUIET_NS
        self.second: i64 = 0
        self.now_pages: i64 = 0
        self.now_collected: i64 = 0
        self.before_pages: i64 = 0
        self.before_collected: i64 = 0
        self.depth_pages: vec[i64] = zeros(len(DEPTHS))
        self.depth_collected: vec[i64] = zeros(len(DEPTHS))

    def configure(self, params: Params) -> None:
        """How deep pages by number may go, on how many shards, and what a document costs."""
        self.window = params.integer("max_result_window")
        self.shards = params.integer("number_of_shards")
        self.collect_ns = params.number("collect_us") * 1_000.0

    def is_page(self, call: i64) -> bool:
        """Whether a search asks for a page, and says how it is found."""
        return self.owner.calls.flags[call] & TOLD != 0

    def refuses(self, call: i64) -> bool:
        """Whether from + size is past the window; says so."""
        owner = self.owner
        calls = owner.calls
        if calls.token[call] & PAGE_KIND != BY_COUNT:
            return False
        wanted = calls.extra[call] + (calls.token[call] >> PAGE_KIND_BITS)
        if wanted <= self.window:
            return False
        self.too_deep += 1
        now = owner.simulation.now
        if now - self.noted_at >= QUIET_NS:
            self.noted_at = now
            text = f"from + size is {wanted:,}, max_result_window {self.window:,}: answered with 400. search_after has no such limit."
            owner.note("too_deep", "warning", f"{owner.label} refuses a deep page", text)
        return True

    def read(self, call: i64) -> float:
        """Find the documents of a page; how long a thread takes to collect all that is looked at for it, ns."""
        owner = self.owner
        calls = owner.calls
        order = owner.items.visible()
        size = order.size()
        limit = calls.token[call] >> PAGE_KIND_BITS
        by_count = calls.token[call] & PAGE_KIND == BY_COUNT
        place = calls.extra[call]
        body = owner.simulation.bodies.take(owner.simulation.now)
        if by_count:
            body.rank = place if place < size else size
        else:
            body.rank = order.rank(place - 1) if place > 0 else 0
            body.upto = place
        rows = vec[i64]()
        while len(rows) < limit and body.rank + len(rows) < size:
            rows = append(rows, order.at(body.rank + len(rows)))
        body.rows = rows
        body.more = body.rank + len(rows) < size
        if len(rows) > 0:
            body.upto = rows[len(rows) - 1]
        # Each shard gives as many as it has; together no more than there are.
        wanted = self.shards * (place + limit if by_count else limit)
        there = size if by_count else size - body.rank
        body.examined = wanted if wanted < there else there
        calls.advise(call, 0, body.number)
        self.count(body.examined, body.rank // limit if limit > 0 else 0)
        return float(body.examined) * self.collect_ns

    def count(self, collected: i64, page: i64) -> None:
        """Count a page."""
        self.pages += 1
        self.collected += collected
        depth: i64 = 0 if page < 10 else 1 if page < 100 else 2
        self.depth_pages[depth] += 1
        self.depth_collected[depth] += collected
        second = self.owner.simulation.now // WINDOW_NS
        if second != self.second:
            follows = second == self.second + 1
            self.before_pages = self.now_pages if follows else 0
            self.before_collected = self.now_collected if follows else 0
            self.now_pages = 0
            self.now_collected = 0
            self.second = second
        self.now_pages += 1
        self.now_collected += collected

    def drop(self, call: i64) -> None:
        """A page whose search is given up goes nowhere."""
        calls = self.owner.calls
        if calls.flags[call] & ANSWERED != 0:
            body = self.owner.simulation.bodies.find(calls.advice[call])
            if body is not None:
                self.owner.simulation.bodies.give_back(body)

    def metrics(self) -> list[float]:
        """In the order of ``spec_figures.PAGE_METRICS``."""
        lately = self.now_pages + self.before_pages
        each = float(self.now_collected + self.before_collected) / float(lately) if lately > 0 else 0.0
        return [each, float(self.pages), float(self.collected), float(self.too_deep)]

    def detail(self) -> list[object]:
        """What a page costs by its depth."""
        rows: list[object] = []
        depth: i64 = 0
        while depth < len(DEPTHS):
            pages = self.depth_pages[depth]
            if pages > 0:
                each = round(float(self.depth_collected[depth]) / float(pages), 1)
                rows.append({"depth": DEPTHS[depth], "pages": int(pages), "documents_collected_per_page": each})
            depth += 1
        return rows
