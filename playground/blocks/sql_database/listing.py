"""Pages of a list: rows in the order of their keys, newest first, found by counting past others (OFFSET) or by seeking a key.

PostgreSQL, "LIMIT and OFFSET": the rows skipped by an OFFSET clause still have to be computed inside the server. An index seek goes down
the tree once, so that a page after a key costs its own rows and about log2 of the table's (M. Winand, "We need tool support for keyset
pagination"). A statement sees the rows as they are when it begins to compute (a snapshot), at its node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from librt.vecs import append, vec
from mypy_extensions import i64

from playground.blocks.sql_database.node_order import CHANGES_KEPT, NodeOrder
from playground.blocks.sql_database.states import ROW_OVERHEAD_BYTES
from playground.engine.bodies import Body
from playground.engine.calls import ANSWERED, TOLD
from playground.engine.columns import zeros
from playground.engine.outcomes import BY_COUNT, BY_PRICE, LIST, PAGE_KIND, PAGE_KIND_BITS, WITH_ID
from playground.engine.recent import WINDOW_NS
from playground.engine.row_order import PriceOrder, RowOrder, sort_key
from playground.engine.state import State
from playground.engine.stores import KeyIndex

if TYPE_CHECKING:
    from playground.blocks.sql_database.machine import Machine
    from playground.blocks.sql_database.node import Node

PAGE_BYTES: Final = 8192
"""What a table is read in (PostgreSQL's block)."""

ASKED_LATELY_NS: Final = 60_000_000_000
"""For so long after the last page that somebody asked for, the log is followed."""

PRICE_INDEXES: Final = ["price_id", "price", "none"]
ON_PRICE: Final = 1
NO_INDEX: Final = 2
"""What an index says of the order by price: all of it; rows of one price lie in no order of their ids; nothing."""

DEPTHS: Final = ["first 10 pages", "pages 11 to 100", "pages 101 to 1,000", "deeper"]


@final
class Listing(State):
    """Answers pages of lists for all nodes. Orders are followed when somebody asks for a page, and only then: a database without such lists
    does nothing for them."""

    def __init__(self, owner: Machine) -> None:
        self.owner = owner
        self.orders: list[NodeOrder] = []
        self.row_scan_ns: float = 0.0
        self.prices: i64 = 1
        self.price_index: i64 = 0
        # Figures.
        self.pages: i64 = 0
        self.examined: i64 = 0
        self.table_pages: i64 = 0
        self.unread: i64 = 0
        self.window: i64 = 0
        self.recent_lists: i64 = 0
        self.recent_rows: i64 = 0
        self.before_lists: i64 = 0
        self.before_rows: i64 = 0
        self.depth_lists: vec[i64] = zeros(len(DEPTHS))
        self.depth_rows: vec[i64] = zeros(len(DEPTHS))
        self.depth_ns: list[float] = [0.0] * len(DEPTHS)

    # ---- which rows a node sees

    def order_of(self, node: Node) -> NodeOrder:
        """The rows that ``node`` sees now: what its log says since the last time is added, or all is looked up anew."""
        owner = self.owner
        while len(self.orders) <= node.number:
            self.orders.append(NodeOrder())
        kept = self.orders[node.number]
        kept.asked = owner.simulation.now
        self.follow(kept, node)
        return kept

    def catch_up(self) -> None:
        """The log is about to be trimmed: follow it where somebody has asked lately, and may ask again."""
        for node in self.owner.nodes:
            if node.number < len(self.orders):
                kept = self.orders[node.number]
                # Who is out of service may need log that is gone already, and begins with other rows.
                if kept.asked < self.owner.simulation.now - ASKED_LATELY_NS or not node.is_up():
                    kept.built = False
                elif kept.built:
                    self.follow(kept, node)

    def follow(self, kept: NodeOrder, node: Node) -> None:
        """Bring an order up to what its node has applied."""
        owner = self.owner
        cuts = owner.times_cut()
        fork = node.fork
        log = node.log
        known = (
            kept.built
            and kept.order.full == owner.row_count
            and kept.cuts == cuts
            and kept.life == node.life
            and kept.forked == (fork is not None)
            and kept.upto <= node.applied
            and kept.upto >= log.base
            and (fork is None or kept.upto >= fork.start)
        )
        if not known:
            self.build(kept, node)
            kept.cuts = cuts
            kept.life = node.life
            kept.forked = fork is not None
        else:
            position = kept.upto + 1
            while position <= node.applied:
                slot = log.slot(position)
                at = log.committed[slot]
                if log.version[slot] > 0:
                    kept.bear(log.key[slot], at)
                else:
                    kept.bury(log.key[slot], at)
                position += 1
        kept.upto = node.applied

    def build(self, kept: NodeOrder, node: Node) -> None:
        """Look up every row that was ever written."""
        owner = self.owner
        kept.built = True
        kept.order = RowOrder(owner.row_count)
        kept.priced = None
        kept.born = KeyIndex()
        kept.changes = 0
        kept.since = owner.simulation.now
        versions = owner.rows.versions
        entry: i64 = 0
        while entry < versions.index.size:
            key = versions.key[entry]
            version = owner.current_version(key) if node.plain else owner.version_at(node, key)
            if version > 0:
                if kept.order.put(key):
                    kept.born.put(key, versions.written_at[entry])
            else:
                kept.order.drop(key)
            entry += 1

    # ---- a page

    def is_page(self, call: i64) -> bool:
        """Whether a statement asks for a page, and says how it is found."""
        calls = self.owner.calls
        return calls.operation[call] == LIST and calls.flags[call] & TOLD != 0

    def read(self, call: i64, node: Node) -> float:
        """Find the rows of a page; how long a core takes for what has to be looked at, ns."""
        owner = self.owner
        calls = owner.calls
        kept = self.order_of(node)
        token = calls.token[call]
        if token & BY_PRICE != 0:
            return self.read_by_price(call, node, kept)
        order = kept.order
        limit = token >> PAGE_KIND_BITS
        if limit <= 0:
            limit = owner.list_rows
        body = owner.simulation.bodies.take(owner.simulation.now)
        size = order.size()
        descent: i64 = 0
        if token & PAGE_KIND == BY_COUNT:
            body.rank = calls.extra[call] if calls.extra[call] < size else size
            body.examined = body.rank
        else:
            after = calls.extra[call]
            # Those before that row and, if it is still there, the row itself.
            body.rank = order.rank(after - 1) if after > 0 else 0
            body.upto = after
            # Comparisons on the way down an index: each halves what is left.
            while size >> descent > 0:
                descent += 1
            body.examined = descent
        rows = vec[i64]()
        first = body.rank
        while len(rows) < limit and first + len(rows) < size:
            rows = append(rows, order.at(first + len(rows)))
        body.rows = rows
        body.examined += len(rows)
        body.more = first + len(rows) < size
        if len(rows) > 0:
            body.upto = rows[len(rows) - 1]
        skipped: i64 = body.rank if token & PAGE_KIND == BY_COUNT else 0
        per_page = self.rows_of_a_page()
        looked = skipped + len(rows)
        self.table_pages += (looked + per_page - 1) // per_page
        body.unread = self.pages_not_in_memory(node, order, first - skipped, looked, per_page)
        self.unread += body.unread
        return self.answer(call, body)

    def answer(self, call: i64, body: Body) -> float:
        """The page goes with the answer; how long a core takes for what was looked at, ns."""
        calls = self.owner.calls
        calls.verdict[call] = 0
        calls.advice[call] = body.number
        calls.flags[call] |= ANSWERED
        self.count(body.examined)
        return float(body.examined) * self.row_scan_ns

    def read_by_price(self, call: i64, node: Node, kept: NodeOrder) -> float:
        """The same, dearest first. The rows of such a page lie anywhere in the table, so each is looked up by itself.

        Without an index all rows are read and sorted. One on the price alone gives rows of one price in no order of their ids: with the
        id as tie-breaker all rows of each price that the page touches are read and sorted (PostgreSQL's incremental sort).
        """
        owner = self.owner
        calls = owner.calls
        token = calls.token[call]
        order = kept.by_price(self.prices, owner.rows.versions)
        size = order.all
        limit = token >> PAGE_KIND_BITS
        body = owner.simulation.bodies.take(owner.simulation.now)
        body.prices = self.prices
        by_count = token & PAGE_KIND == BY_COUNT
        after = calls.extra[call]
        if by_count:
            body.rank = after if after < size else size
        else:
            body.rank = order.rank(after - 1) if after > 0 else 0
            body.upto = after
        rows = order.rows(body.rank, limit if limit > 0 else owner.list_rows)
        end = body.rank + len(rows)
        body.rows = rows
        body.more = end < size
        if len(rows) > 0:
            body.upto = sort_key(rows[len(rows) - 1], self.prices)
        begin: i64 = 0 if by_count else body.rank
        if self.price_index == NO_INDEX:
            body.examined = size
            per_page = self.rows_of_a_page()
            self.table_pages += (size + per_page - 1) // per_page
            body.unread = self.pages_not_in_memory(node, kept.order, 0, size, per_page)
        else:
            if self.price_index == ON_PRICE and token & WITH_ID != 0:
                begin = order.up_to_group(begin)
                end = order.past_group(end - 1) if end > begin else end
            body.examined = end - begin
            self.table_pages += end - begin
            body.unread = self.rows_not_in_memory(node, order, begin, end - begin)
            while not by_count and size > 0:
                # Comparisons on the way down the index.
                body.examined += 1
                size //= 2
        self.unread += body.unread
        return self.answer(call, body)

    def rows_not_in_memory(self, node: Node, order: PriceOrder, first: i64, number: i64) -> i64:
        """How many of these rows are not in the node's buffer."""
        buffer = node.buffer
        if buffer.size >= order.all:
            return 0
        missing: i64 = 0
        for row in order.rows(first, number):
            if buffer.find(row) < 0:
                missing += 1
        return missing

    def rows_of_a_page(self) -> i64:
        """How many rows lie on a page of the table."""
        fit = PAGE_BYTES // (self.owner.row_bytes + ROW_OVERHEAD_BYTES)
        return fit if fit > 1 else 1

    def pages_not_in_memory(self, node: Node, order: RowOrder, first: i64, number: i64, per_page: i64) -> i64:
        """How many of the table's pages with ``number`` rows from rank ``first`` on hold a row that is not in the node's buffer."""
        buffer = node.buffer
        if buffer.size >= order.size():
            return 0
        missing: i64 = 0
        last_page: i64 = -1
        index: i64 = 0
        while index < number:
            page = (first + index) // per_page
            if page != last_page and buffer.find(order.at(first + index)) < 0:
                missing += 1
                last_page = page
            index += 1
        return missing

    def count(self, examined: i64) -> None:
        """Count a page and the rows that were looked at for it."""
        self.pages += 1
        self.examined += examined
        window = self.owner.simulation.now // WINDOW_NS
        if window != self.window:
            follows = window == self.window + 1
            self.before_lists = self.recent_lists if follows else 0
            self.before_rows = self.recent_rows if follows else 0
            self.recent_lists = 0
            self.recent_rows = 0
            self.window = window
        self.recent_lists += 1
        self.recent_rows += examined

    def finished(self, call: i64) -> i64:
        """A page goes out: count what it cost at its depth. How many rows are in it."""
        owner = self.owner
        body = owner.simulation.bodies.find(owner.calls.advice[call])
        if body is None:
            return 0
        number: i64 = len(body.rows)
        page = body.rank // (number if number > 0 else owner.list_rows)
        depth: i64 = 0 if page < 10 else 1 if page < 100 else 2 if page < 1_000 else 3
        self.depth_lists[depth] += 1
        self.depth_rows[depth] += body.examined
        self.depth_ns[depth] += float(owner.simulation.now - owner.calls.arrived[call])
        return number

    # ---- what was there

    def stood_between(self, node: Node, above: i64, below: i64, since: i64, prices: i64) -> vec[i64]:
        """Rows with sort keys between these two that exist, and have existed ever since."""
        kept = self.order_of(node)
        found = vec[i64]()
        if prices > 0:
            order = kept.by_price(prices, self.owner.rows.versions)
            first = order.rank(above - 1)
            for row in order.rows(first, order.rank(below) - first):
                if kept.has_stood(row, since):
                    found = append(found, row)
            return found
        rank = kept.order.rank(above - 1)
        end = kept.order.rank(below)
        while rank < end:
            key = kept.order.at(rank)
            if kept.has_stood(key, since):
                found = append(found, key)
            rank += 1
        return found

    def changed_before(self, node: Node, key: i64, since: i64, until: i64, prices: i64) -> tuple[i64, i64]:
        """How many rows that stand before a sort key were inserted between two moments, and how many deleted; -1 where that isn't kept."""
        kept = self.order_of(node)
        inserted: i64 = 0
        deleted: i64 = 0
        number = kept.changes - 1
        while True:
            if number < 0 or number <= kept.changes - 1 - CHANGES_KEPT:
                # What came before this isn't kept.
                if number >= 0 or since < kept.since:
                    return -1, -1
                break
            place = number % CHANGES_KEPT
            at = kept.changed_at[place]
            if at <= since:
                break
            changed = kept.changed_key[place]
            if at <= until and changed > 0 and sort_key(changed, prices) > key:
                inserted += 1
            elif at <= until and changed < 0 and sort_key(-changed, prices) > key:
                deleted += 1
            number -= 1
        return inserted, deleted

    # ---- figures

    def examined_lately(self) -> float:
        """Rows that were looked at for a page, on average, in the last second or two."""
        lists = self.recent_lists + self.before_lists
        return float(self.recent_rows + self.before_rows) / float(lists) if lists > 0 else 0.0

    def metrics(self) -> list[float]:
        """In the order of ``spec_figures.LIST_METRICS``."""
        return [
            self.examined_lately(),
            float(self.pages),
            float(self.examined),
            float(self.table_pages),
            float(self.unread),
        ]

    def detail(self) -> list[object]:
        """What a page costs by its depth."""
        rows: list[object] = []
        depth: i64 = 0
        while depth < len(DEPTHS):
            lists = self.depth_lists[depth]
            if lists > 0:
                rows.append(
                    {
                        "depth": DEPTHS[depth],
                        "pages": int(lists),
                        "rows_examined_per_page": round(float(self.depth_rows[depth]) / float(lists), 1),
                        "time_per_page_ms": round(self.depth_ns[depth] / float(lists) / 1e6, 3),
                    }
                )
            depth += 1
        return rows
