"""Sampled calls: every n-th request is followed through the tree. What is sampled changes nothing in the run."""

from __future__ import annotations

from typing import Final, final

from librt.vecs import vec
from mypy_extensions import i64

from playground.engine.calls import AT_CALLEE, Calls
from playground.engine.columns import zeros
from playground.engine.limits import HOPS_KEPT, REMARKS_KEPT, SPANS_KEPT
from playground.engine.state import State

HOP_FIELDS: Final = 9
LOOKS: Final = ["ordinary", "not modified", "stale", "absent"]
"""What an answer was, in a hop's last column."""
SPAN_FIELDS: Final = 13
"""Columns of a span: trace, call serial, parent serial, edge, operation, key, attempt, sent, arrived, started, replied, ended, outcome."""

REMARK_FIELDS: Final = 3
"""Columns of a remark: call serial, index of the block that makes it, its number there (see ``Block.remarked``)."""


@final
class Tracer(State):
    """Three rings: hops (one message each, for the particles), spans (one call each, for "where did the time go"), and remarks on calls."""

    def __init__(self) -> None:
        self.every: i64 = 1
        self.roots: i64 = 0
        self.hops: vec[i64] = zeros(HOPS_KEPT * HOP_FIELDS)
        self.hops_seen: i64 = 0
        self.spans: vec[i64] = zeros(SPANS_KEPT * SPAN_FIELDS)
        self.spans_seen: i64 = 0
        self.remarks: vec[i64] = zeros(REMARKS_KEPT * REMARK_FIELDS)
        self.remarks_seen: i64 = 0

    def root(self) -> i64:
        """The trace number of the next request: its ordinal when it is sampled, else 0."""
        self.roots += 1
        if self.roots % self.every == 0:
            return self.roots
        return 0

    def hop(
        self,
        trace: i64,
        edge: i64,
        direction: i64,
        left: i64,
        arrives: i64,
        outcome: i64,
        operation: i64,
        attempt: i64,
        look: i64,
    ) -> None:
        """Keep one message."""
        at: i64 = (self.hops_seen % HOPS_KEPT) * HOP_FIELDS
        hops = self.hops
        hops[at] = trace
        hops[at + 1] = edge
        hops[at + 2] = direction
        hops[at + 3] = left
        hops[at + 4] = arrives
        hops[at + 5] = outcome
        hops[at + 6] = operation
        hops[at + 7] = attempt
        hops[at + 8] = look
        self.hops_seen += 1

    def span(self, calls: Calls, call: i64, now: i64, outcome: i64) -> None:
        """Keep one call as its caller saw it end."""
        at: i64 = (self.spans_seen % SPANS_KEPT) * SPAN_FIELDS
        spans = self.spans
        parent = calls.parent[call]
        arrived = calls.arrived[call]
        sent = calls.sent[call]
        here = calls.flags[call] & AT_CALLEE
        spans[at] = calls.trace[call]
        spans[at + 1] = calls.serial[call]
        spans[at + 2] = calls.serial[parent] if parent >= 0 else -1
        spans[at + 3] = calls.edge[call]
        spans[at + 4] = calls.operation[call]
        spans[at + 5] = calls.key[call]
        spans[at + 6] = calls.attempt[call]
        spans[at + 7] = sent
        spans[at + 8] = arrived
        started = calls.started[call]
        spans[at + 9] = started if arrived >= 0 and started >= arrived else -1
        replied = calls.replied[call]
        spans[at + 10] = replied if here == 0 and arrived >= 0 and replied >= arrived else -1
        spans[at + 11] = now
        spans[at + 12] = outcome
        self.spans_seen += 1

    def remark(self, serial: i64, block: i64, number: i64) -> None:
        """Keep that a block has something to say about a call: what, it knows by ``number``."""
        at: i64 = (self.remarks_seen % REMARKS_KEPT) * REMARK_FIELDS
        remarks = self.remarks
        remarks[at] = serial
        remarks[at + 1] = block
        remarks[at + 2] = number
        self.remarks_seen += 1
