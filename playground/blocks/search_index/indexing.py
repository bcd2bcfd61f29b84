"""From a database's log into the index: read along, indexed in bulks, visible at the next refresh; or everything anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from librt.vecs import vec
from mypy_extensions import i64, mypyc_attr

from playground.blocks.search_index.feed import Feed
from playground.blocks.search_index.index import Index
from playground.blocks.search_index.states import (
    BULK_TIMER,
    INDEXERS_MAX,
    KEY_BYTES,
    POLL,
    POLL_TIMER,
    QUIET_NS,
    REFRESH_TIMER,
    RETRY_NS,
    SCAN,
    SCAN_TIMER,
    SERIAL_MASK,
    SLOT_BITS,
    SLOT_MASK,
)
from playground.blocks.search_index.truth import learn_truth, most_first_keys
from playground.engine.block import Block
from playground.engine.columns import filled, zeros
from playground.engine.durations import whole_ns
from playground.engine.outcomes import COPY_OUT, LOG_READ, OK
from playground.engine.params import Params
from playground.engine.streams import CONSTANT, Duration

if TYPE_CHECKING:
    from playground.engine.simulation import Simulation


@mypyc_attr(allow_interpreted_subclasses=True)
class Indexing(Block):
    """A feed for each database. Changes of one feed become visible in the order of their commits."""

    def __init__(self, simulation: Simulation, index: i64, name: str) -> None:
        super().__init__(simulation, index, name)
        self.index_stream = self.stream("indexing")
        self.index_time = Duration(CONSTANT, 0.0, 1.0)
        self.items = Index()
        self.feeds: list[Feed] = []
        self.begun: bool = False
        self.poll_ns: i64 = 1
        self.poll_max: i64 = 1
        self.backlog_max: i64 = 1
        self.bulk_max: i64 = 1
        self.refresh_ns: i64 = 1
        self.refresh_serial: i64 = 0
        self.indexers: i64 = 1
        self.indexing: i64 = 0
        # By slot: which feed's changes, from and to which position; a serial; -1 for a feed that is none.
        self.bulk_feed: vec[i64] = filled(INDEXERS_MAX, -1)
        self.bulk_from: vec[i64] = zeros(INDEXERS_MAX)
        self.bulk_to: vec[i64] = zeros(INDEXERS_MAX)
        self.bulk_serial: vec[i64] = zeros(INDEXERS_MAX)
        self.rebuilding: bool = False
        self.scan_serial: i64 = 0
        self.scanned: i64 = 0
        self.scan_batch: i64 = 1
        self.shown_entries: i64 = 0
        self.behind_ns: i64 = -1
        self.is_behind: bool = False
        self.lost_noted_at: i64 = -QUIET_NS
        # Figures.
        self.indexed_all: i64 = 0
        self.refreshes: i64 = 0
        self.rebuilds: i64 = 0

    def configure_indexing(self, params: Params) -> None:
        """Intervals and sizes; what is under way goes on as it began."""
        params.set_duration(self.index_time, "index")
        self.poll_ns = params.ns("poll_ms")
        self.poll_max = params.integer("poll_max")
        self.backlog_max = params.integer("backlog_max")
        self.bulk_max = params.integer("bulk_max")
        self.scan_batch = params.integer("scan_rows")
        self.behind_ns = params.ns("behind_s")
        self.indexers = params.integer("indexers")
        if params.integer("terms") != self.items.terms:
            self.items.set_terms(params.integer("terms"))
        every = params.ns("refresh_ms")
        if every != self.refresh_ns:
            self.refresh_ns = every
            if self.begun:
                self.next_refresh()
        if self.begun:
            self.assign()

    def connect(self) -> None:
        """Follow the databases that are connected; one that comes later has to be read from its beginning."""
        kept: list[Feed] = []
        edges = list(self.out["changes"])
        for feed in self.feeds:
            if feed.edge in edges:
                kept.append(feed)
            else:
                feed.close()
        known = [feed.edge for feed in kept]
        fresh = False
        for edge in edges:
            if edge not in known:
                holder = edge.callee.authority_below()
                log = holder.change_log() if holder is not None else None
                feed = Feed(edge, log)
                kept.append(feed)
                fresh = True
        if len(kept) != len(self.feeds) or fresh:
            self.drop_bulks()
            self.feeds = kept
            for feed in kept:
                feed.fall_back()
            if self.begun and len(kept) > 0:
                self.rebuild("Another database is connected.")
        elif self.begun and len(kept) > 0 and most_first_keys(self.feeds) != self.items.first_keys:
            # The table is larger or smaller, as if it had been from the start; it is in the index as well.
            if self.rebuilding:
                self.rebuild("Its table has another size.")
            else:
                self.items.begin_with(most_first_keys(self.feeds))

    def begin(self) -> None:
        """The first reads and the first refresh. At the start the index holds what its databases hold."""
        self.begun = True
        self.items.begin_with(most_first_keys(self.feeds))
        self.next_refresh()
        self.poll_all()

    # ---- reading along

    def poll_all(self) -> None:
        """Read every log."""
        number: i64 = 0
        while number < len(self.feeds):
            self.poll(number)
            number += 1

    def poll(self, number: i64) -> None:
        """Read a log, unless that is being done already or too much waits."""
        if number >= len(self.feeds) or self.crashed[0] > 0:
            return
        feed = self.feeds[number]
        log = feed.log
        feed.held_up = feed.backlog() >= self.backlog_max
        if feed.polling or log is None or feed.held_up:
            return
        if log.is_lost(feed.slot):
            if not self.rebuilding:
                self.rebuild(f"{feed.edge.callee.label} has thrown away changes that were not read yet.")
            return
        feed.polling = True
        feed.alarm += 1
        made = feed.edge.call(-1, LOG_READ, 0, 0, -1, KEY_BYTES, 0)
        self.calls.step[made] = POLL
        self.calls.data[made] = feed.serial << SLOT_BITS | number
        self.calls.tell(made, feed.fetched, self.poll_max)

    def on_polled(self, call: i64) -> None:
        """A log was read: what it held waits for an indexer."""
        calls = self.calls
        data = calls.data[call]
        number = data & SLOT_MASK
        if number >= len(self.feeds) or self.feeds[number].serial != data >> SLOT_BITS:
            return
        feed = self.feeds[number]
        if calls.edge[call] != feed.edge.index:
            # Another database is followed in this place since, and each feed counts its own serials.
            return
        feed.polling = False
        log = feed.log
        if calls.outcome[call] != OK or log is None:
            self.wait(number, self.poll_ns if self.poll_ns > RETRY_NS else RETRY_NS)
            return
        end = calls.version[call]
        full = end - feed.fetched >= self.poll_max
        feed.fetched = feed.fetched + self.poll_max if full else end
        log.confirm(feed.slot, feed.visible)
        self.assign()
        if full:
            self.poll(number)
        if not feed.polling:
            self.wait(number, self.poll_ns)

    def wait(self, number: i64, ns: i64) -> None:
        """Read a log again after so long."""
        feed = self.feeds[number]
        feed.alarm += 1
        self.timer(ns, POLL_TIMER, (feed.alarm & SERIAL_MASK) << SLOT_BITS | number)

    def on_poll_timer(self, argument: i64) -> None:
        """It is time, unless the log was read since."""
        number = argument & SLOT_MASK
        if number < len(self.feeds) and self.feeds[number].alarm & SERIAL_MASK == argument >> SLOT_BITS:
            self.poll(number)

    def assign(self) -> None:
        """Give waiting changes, those of the longest backlog first, to free indexers."""
        while self.indexing < self.indexers and self.crashed[0] == 0:
            number: i64 = -1
            index: i64 = 0
            while index < len(self.feeds):
                if self.feeds[index].backlog() > 0 and (
                    number < 0 or self.feeds[index].backlog() > self.feeds[number].backlog()
                ):
                    number = index
                index += 1
            if number < 0:
                return
            feed = self.feeds[number]
            count = feed.backlog() if feed.backlog() < self.bulk_max else self.bulk_max
            slot: i64 = 0
            while self.bulk_feed[slot] >= 0:
                slot += 1
            self.bulk_feed[slot] = number
            self.bulk_from[slot] = feed.assigned
            self.bulk_to[slot] = feed.assigned + count
            feed.assigned += count
            self.indexing += 1
            self.timer(self.time_for(count), BULK_TIMER, (self.bulk_serial[slot] & SERIAL_MASK) << SLOT_BITS | slot)

    def time_for(self, count: i64) -> i64:
        """How long one indexer needs for so many items."""
        return whole_ns(float(self.index_time.draw(self.index_stream)) * float(count) * self.slow[0])

    def on_bulk(self, argument: i64) -> None:
        """A bulk is indexed. It is visible at the refresh after all before it are indexed too."""
        slot = argument & SLOT_MASK
        if self.bulk_feed[slot] < 0 or argument >> SLOT_BITS != self.bulk_serial[slot] & SERIAL_MASK:
            return
        number = self.bulk_feed[slot]
        feed = self.feeds[number]
        self.bulk_feed[slot] = -1
        self.bulk_serial[slot] += 1
        self.indexing -= 1
        self.indexed_all += self.bulk_to[slot] - self.bulk_from[slot]
        feed.indexed = feed.assigned
        slot = 0
        while slot < INDEXERS_MAX:
            if self.bulk_feed[slot] == number and self.bulk_from[slot] < feed.indexed:
                feed.indexed = self.bulk_from[slot]
            slot += 1
        self.assign()
        if feed.held_up:
            self.poll(number)

    def drop_bulks(self) -> None:
        """What is being indexed is lost."""
        slot: i64 = 0
        while slot < INDEXERS_MAX:
            if self.bulk_feed[slot] >= 0:
                self.bulk_feed[slot] = -1
                self.bulk_serial[slot] += 1
            slot += 1
        self.indexing = 0

    # ---- visible

    def next_refresh(self) -> None:
        """Set the timer, the one that is set being void."""
        self.refresh_serial += 1
        self.timer(self.refresh_ns, REFRESH_TIMER, self.refresh_serial & SERIAL_MASK)

    def observe(self) -> None:
        """Take note of what is true by now, for the figures."""
        for feed in self.feeds:
            log = feed.log
            if log is not None:
                position = feed.observed if feed.observed > log.start else log.start
                while position < log.end:
                    self.items.observe(log.key_at(position), log.version_at(position), log.undone_at(position))
                    position += 1
                feed.observed = log.end

    def refresh(self) -> None:
        """What is indexed is visible from now on; while it is down nobody makes anything visible."""
        if self.crashed[0] > 0:
            self.next_refresh()
            return
        self.observe()
        self.refreshes += 1
        lag: i64 = 0
        for feed in self.feeds:
            log = feed.log
            if log is not None:
                position = feed.visible if feed.visible > log.start else log.start
                while position < feed.indexed:
                    self.items.show(log.key_at(position), log.version_at(position), log.undone_at(position))
                    position += 1
                feed.visible = feed.indexed
                if feed.lag_ns(self.simulation.now) > lag:
                    lag = feed.lag_ns(self.simulation.now)
        self.note_lag(lag)
        self.next_refresh()

    def note_lag(self, lag: i64) -> None:
        """Say when searches see what was true some time ago, and when that is over."""
        if not self.is_behind and self.behind_ns > 0 and lag >= self.behind_ns:
            self.is_behind = True
            behind: i64 = 0
            for feed in self.feeds:
                behind += feed.behind()
            text = f"{behind} changes are not visible yet. More is written than its indexers can take, or they stand still."
            self.note("index_behind", "warning", f"{self.label} is {float(lag) / 1e9:.1f} s behind", text)
        elif self.is_behind and (lag < self.behind_ns // 2 or self.behind_ns <= 0):
            self.is_behind = False
            self.note("index_caught_up", "good", f"{self.label} has caught up", "")

    # ---- everything anew

    def rebuild(self, why: str) -> None:
        """Begin with an empty index: read all rows, and meanwhile keep what changes."""
        self.rebuilds += 1
        self.rebuilding = True
        self.scan_serial += 1
        self.scanned = 0
        self.shown_entries = 0
        self.drop_bulks()
        for feed in self.feeds:
            feed.fall_back()
            feed.begin_at_end()
        learn_truth(self.items, self.feeds)
        self.note(
            "rebuild", "warning", f"{self.label} is being rebuilt", f"{why} Until then lists lack what isn't read yet."
        )
        self.scan()
        self.poll_all()

    def scan(self) -> None:
        """Read the next rows, off the databases in turn."""
        if len(self.feeds) == 0 or self.crashed[0] > 0:
            return
        feed = self.feeds[self.scanned // self.scan_batch % len(self.feeds)]
        made = feed.edge.call(-1, COPY_OUT, 0, 0, -1, KEY_BYTES, 0)
        self.calls.step[made] = SCAN
        self.calls.data[made] = self.scan_serial
        self.calls.tell(made, self.scan_batch, 0)

    def on_scanned(self, call: i64) -> None:
        """Rows have come: all indexers take them."""
        if self.calls.data[call] != self.scan_serial or not self.rebuilding:
            return
        wait: i64 = RETRY_NS
        if self.calls.outcome[call] == OK:
            self.scanned += self.scan_batch
            self.indexed_all += self.scan_batch
            wait = self.time_for(self.scan_batch) // self.indexers
            self.show_share()
        self.timer(wait, SCAN_TIMER, self.scan_serial & SERIAL_MASK)

    def show_share(self) -> None:
        """Of the items that were ever changed, show as large a share as was read of all."""
        self.observe()
        first = self.items.first_keys
        self.items.read_upto = self.scanned if self.scanned < first else first
        share = float(self.scanned) / float(self.items.first_keys) if self.items.first_keys > 0 else 1.0
        wanted = i64(share * float(self.items.index.size)) if share < 1.0 else self.items.index.size
        while self.shown_entries < wanted:
            self.items.show_true(self.shown_entries)
            self.shown_entries += 1

    def on_scan_timer(self) -> None:
        """Go on, or it is done."""
        if self.scanned < self.items.first_keys:
            self.scan()
            return
        self.show_share()
        self.rebuilding = False
        self.note("rebuilt", "good", f"{self.label} is rebuilt", f"{self.scanned} rows were read.")

    def on_timer(self, tag: i64, argument: i64) -> None:
        """See the tags."""
        if tag == POLL_TIMER:
            self.on_poll_timer(argument)
        elif tag == BULK_TIMER:
            self.on_bulk(argument)
        elif tag == REFRESH_TIMER:
            if argument == self.refresh_serial & SERIAL_MASK:
                self.refresh()
        elif self.rebuilding and argument == self.scan_serial & SERIAL_MASK:
            self.on_scan_timer()
