"""A search index beside a database: lists and searches are answered from it, as it was some time ago."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mypy_extensions import i64

from playground.blocks.search_index.indexing import Indexing
from playground.blocks.search_index.paging import Pages
from playground.blocks.search_index.states import POLL, SEARCHING, SMALL_BYTES, WAITING
from playground.engine.calls import STALE
from playground.engine.durations import whole_ns
from playground.engine.outcomes import BAD_REQUEST, OK, OVERLOADED
from playground.engine.params import Params
from playground.engine.station import FULL, QUEUED, Station
from playground.engine.streams import CONSTANT, Duration

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation


class SearchIndex(Indexing):
    """Threads that search, and beside them indexers that follow the databases' changes."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.query_stream = self.stream("searching")
        self.query = Duration(CONSTANT, 0.0, 1.0)
        self.station = Station(simulation, 1, 1, -1)
        self.pool = self.station
        self.page_bytes: i64 = 0
        self.pages = Pages(self)
        self.rejected: i64 = 0
        self.answers: i64 = 0
        self.stale: i64 = 0
        self.with_ghosts: i64 = 0
        self.with_gaps: i64 = 0
        self.with_outdated: i64 = 0
        self.incomplete: i64 = 0

    def configure(self, params: Params) -> None:
        """Take sizes and times; more threads take waiting searches at once."""
        self.station.resize(1, params.integer("threads"), params.integer("queue_max"))
        params.set_duration(self.query, "query")
        self.page_bytes = params.integer("page_bytes")
        self.pages.configure(params)
        self.configure_indexing(params)
        self.pull()

    def wired(self) -> None:
        """Follow the databases that are connected."""
        self.connect()

    def started(self) -> None:
        """It begins to follow its databases; in a run that goes on already, with a copy of them."""
        self.begin()
        if self.simulation.now > 0 and len(self.feeds) > 0:
            self.rebuild("It is new here.")

    # ---- a search's way through

    def on_call(self, call: i64) -> None:
        """Take a thread, wait for one, or be turned away."""
        if self.pages.is_page(call) and self.pages.refuses(call):
            self.reply(call, BAD_REQUEST, 0, 0)
            return
        self.calls.mark[call] = WAITING
        became = self.station.offer(call, 0)
        if became == FULL:
            self.rejected += 1
            self.reply(call, OVERLOADED, 0, 0)
        elif became == QUEUED:
            self.note_queue(self.station.waiting_all, self.station.workers, "threads")
        else:
            self.begin_search(call)

    def begin_search(self, call: i64) -> None:
        """A thread searches."""
        self.calls.mark[call] = SEARCHING
        ns = self.query.draw(self.query_stream)
        if self.pages.is_page(call):
            ns += whole_ns(self.pages.read(call))
        self.work(call, ns)

    def on_work(self, call: i64) -> None:
        """The page is found: answer, and take note of what is wrong with it."""
        self.answers += 1
        if self.is_wrong(call):
            self.stale += 1
            self.calls.flags[call] |= STALE
        self.station.release(0)
        self.reply(call, OK, 0, SMALL_BYTES + self.page_bytes)
        self.pull()

    def is_wrong(self, call: i64) -> bool:
        """Whether the list of a term differs from what it would be in the database now."""
        self.observe()
        index = self.items
        if self.rebuilding:
            self.incomplete += 1
        if index.differing == 0:
            return self.rebuilding
        term = index.term_of(self.calls.key[call])
        if index.ghosts[term] > 0:
            self.with_ghosts += 1
        if index.lacking[term] > 0:
            self.with_gaps += 1
        if index.outdated[term] > 0:
            self.with_outdated += 1
        return self.rebuilding or index.ghosts[term] + index.lacking[term] + index.outdated[term] > 0

    def pull(self) -> None:
        """Let free threads take waiting searches."""
        while True:
            call = self.station.pull(0)
            if call < 0:
                break
            self.begin_search(call)
        self.note_queue(self.station.waiting_all, self.station.workers, "threads")

    def on_cancel(self, call: i64) -> None:
        """Free the place in the queue, or the thread."""
        if self.calls.mark[call] == WAITING:
            self.station.remove(call, 0)
        else:
            self.pages.drop(call)
            self.station.release(0)
            self.pull()

    def on_reply(self, call: i64) -> None:
        """A database has answered."""
        if self.calls.step[call] == POLL:
            self.on_polled(call)
        else:
            self.on_scanned(call)

    # ---- faults

    def on_crash(self, instance: i64) -> None:
        """What was visible is on its disk; what was not comes again from the logs. A rebuild begins anew."""
        self.station.clear(0)
        self.drop_bulks()
        # Rows that are on their way to the process that is gone, and its timer, concern the next one no more.
        self.scan_serial += 1
        for feed in self.feeds:
            feed.fall_back()
        if self.removed:
            for feed in self.feeds:
                feed.close()

    def on_restart(self, instance: i64) -> None:
        """Go on reading."""
        if self.rebuilding:
            self.rebuild("It had crashed in the middle of it.")
        else:
            self.poll_all()

    def on_fault(self, fault: str, params: Params) -> bool:
        """``rebuild``: the index is thrown away and built from the databases."""
        if fault != "rebuild":
            return False
        self.rebuild("It was thrown away, by order.")
        return True

    # ---- figures

    def metrics(self) -> list[float]:
        """See ``spec.py``."""
        behind: i64 = 0
        backlog: i64 = 0
        lag: i64 = 0
        for feed in self.feeds:
            behind += feed.behind()
            backlog += feed.backlog()
            if feed.lag_ns(self.simulation.now) > lag:
                lag = feed.lag_ns(self.simulation.now)
        first = self.items.first_keys
        built = 100.0
        if self.rebuilding:
            built = 100.0 * float(self.scanned) / float(first) if self.scanned < first else 99.9
        return [
            float(self.station.busy_all),
            float(self.station.workers),
            float(self.rejected),
            float(lag) / 1e6,
            float(behind),
            float(backlog),
            float(self.indexing),
            float(self.indexers),
            float(self.indexed_all),
            float(self.refreshes),
            float(self.answers),
            float(self.stale),
            float(self.with_ghosts),
            float(self.with_gaps),
            float(self.with_outdated),
            float(self.incomplete),
            float(self.rebuilds),
            built,
            *self.pages.metrics(),
        ]

    def detail(self) -> dict[str, object]:
        """How far each database's changes have come."""
        rows: list[object] = []
        for feed in self.feeds:
            end = feed.log.end if feed.log is not None else 0
            rows.append(
                {
                    "database": feed.edge.callee.label,
                    "log_end": int(end),
                    "read": int(feed.fetched),
                    "indexed": int(feed.indexed),
                    "visible": int(feed.visible),
                    "lag_ms": round(float(feed.lag_ns(self.simulation.now)) / 1e6, 3),
                }
            )
        found: dict[str, object] = {
            "feeds": rows[:32],
            "rebuilding": self.rebuilding,
            "failures": self.failures_by_reason(),
        }
        if self.pages.pages > 0:
            found["pages_by_depth"] = self.pages.detail()
        return found
