"""How a server buys: the SQL that it writes, and new tries of what the database aborted."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from playground.engine.durations import whole_ns
from playground.engine.outcomes import VERDICT_SOLD_OUT
from playground.engine.params import Params
from playground.engine.purchases import ITEM, KINDS, METHODS, READ_THEN_WRITE, packed
from playground.engine.state import State
from playground.engine.streams import CONSTANT, Duration, Stream

BACKOFF_DOUBLINGS: Final = 10


@final
class Purchases(State):
    """Its settings, its streams, and how purchases ended: each one bought, sold out, aborted at every try, or failed on its way."""

    def __init__(self, think_stream: Stream, backoff_stream: Stream) -> None:
        self.think_stream = think_stream
        self.backoff_stream = backoff_stream
        self.think = Duration(CONSTANT, 0.0, 1.0)
        self.kind: i64 = ITEM
        self.method: i64 = READ_THEN_WRITE
        self.retries: i64 = 0
        self.backoff_ns: i64 = 0
        self.bought: i64 = 0
        self.sold_out: i64 = 0
        self.aborted: i64 = 0
        self.retried: i64 = 0

    def configure(self, params: Params) -> None:
        """What is bought and how."""
        params.set_duration(self.think, "buy_think")
        self.kind = KINDS.index(params.text("buys"))
        self.method = METHODS.index(params.text("buy_method"))
        self.retries = params.integer("buy_retries")
        self.backoff_ns = params.ns("buy_backoff_ms")

    def request(self) -> i64:
        """What the request carries of it."""
        return packed(self.method, self.kind)

    def think_ns(self) -> i64:
        """How long the application takes between two statements."""
        return self.think.draw(self.think_stream)

    def wait_ns(self, tries: i64) -> i64:
        """How long it waits before another try, having made ``tries``: at random up to a time that doubles (full jitter)."""
        most = float(self.backoff_ns)
        doubled: i64 = 1
        while doubled < tries and doubled <= BACKOFF_DOUBLINGS:
            most *= 2.0
            doubled += 1
        return whole_ns(most * self.backoff_stream.uniform())

    def metrics(self) -> list[float]:
        """In the order of ``spec_buying.BUYING_METRICS``."""
        return [float(self.bought), float(self.sold_out), float(self.aborted), float(self.retried)]

    def is_settled(self, verdict: i64) -> bool:
        """Whether a store's verdict is its last word (nothing left), or a new try may do better."""
        return verdict == VERDICT_SOLD_OUT
