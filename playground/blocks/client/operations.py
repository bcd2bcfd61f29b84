"""What requests ask for: the mix of operations, which items are asked for, and which of these don't exist."""

from __future__ import annotations

from typing import Final, final

from mypy_extensions import i64

from playground.engine.outcomes import BUY, CREATE, DELETE, LIST, READ, WRITE
from playground.engine.params import Params
from playground.engine.state import State
from playground.engine.streams import Stream, Zipf

UNIFORM: Final = 0
ZIPF: Final = 1
HOT: Final = 2
KEY_CHOICES: Final = ["uniform", "zipf", "hot"]


@final
class Mix(State):
    """Draws operations and keys. Items 1 to ``keys`` exist, 1 being the most popular one; ids beyond don't, until they are created."""

    def __init__(self, operations: Stream, keys: Stream) -> None:
        self.operation_stream = operations
        self.key_stream = keys
        # Cumulative shares; the rest are reads.
        self.write_below: float = 0.0
        self.list_below: float = 0.0
        self.buy_below: float = 0.0
        self.create_below: float = 0.0
        self.delete_below: float = 0.0
        self.unknown: float = 0.0
        self.unknown_anything: bool = False
        self.unknown_next: bool = False
        self.created: i64 = 0
        self.unknown_keys: i64 = 1
        self.keys: i64 = 1
        self.key_choice: i64 = UNIFORM
        self.write_anything: bool = False
        self.hot_keys: i64 = 1
        self.hot_share: float = 0.0
        self.zipf = Zipf(1, 1.0)

    def configure(self, params: Params) -> None:
        """Take weights and popularity."""
        weights = [params.number(f"{name}_weight") for name in ("read", "write", "list", "buy", "create", "delete")]
        total = sum(weights)
        self.write_below = weights[1] / total
        self.list_below = self.write_below + weights[2] / total
        self.buy_below = self.list_below + weights[3] / total
        self.create_below = self.buy_below + weights[4] / total
        self.delete_below = self.create_below + weights[5] / total
        self.unknown = params.number("unknown_percent") / 100.0
        self.unknown_anything = params.text("unknown_choice") == "uniform"
        self.unknown_next = params.text("unknown_choice") == "next"
        self.unknown_keys = params.integer("unknown_keys")
        self.keys = params.integer("keys")
        self.key_choice = KEY_CHOICES.index(params.text("key_choice"))
        self.write_anything = params.text("write_choice") == "uniform"
        self.hot_keys = params.integer("hot_keys")
        if self.hot_keys >= self.keys:
            self.hot_keys = self.keys
        self.hot_share = params.number("hot_share_percent") / 100.0
        ranked: i64 = self.keys - self.hot_keys if self.key_choice == HOT else self.keys
        self.zipf = Zipf(ranked if ranked > 0 else 1, params.number("zipf_exponent"))

    def operation(self) -> i64:
        """What the next request asks for."""
        if self.delete_below <= 0.0:
            return READ
        drawn = self.operation_stream.uniform()
        if drawn < self.write_below:
            return WRITE
        if drawn < self.list_below:
            return LIST
        if drawn < self.buy_below:
            return BUY
        if drawn < self.create_below:
            return CREATE
        return DELETE if drawn < self.delete_below else READ

    def key_for(self, operation: i64) -> i64:
        """The item that it asks for. Created are ids that reads of unknown ones ask for, so that these find them afterwards."""
        if operation == CREATE:
            self.created += 1
            return self.keys + self.created if self.unknown_next else self.unknown_key()
        if (operation == WRITE or operation == DELETE) and self.write_anything:
            return 1 + self.key_stream.below(self.keys)
        if self.unknown <= 0.0 or operation != READ:
            return self.popular_key()
        key = self.popular_key()
        if self.operation_stream.uniform() >= self.unknown:
            return key
        if self.unknown_next:
            # The newest one is the most popular.
            return self.keys + self.created + 1 - key if key <= self.created else self.keys + 1
        return self.random_unknown_key() if self.unknown_anything else key + self.keys

    def unknown_key(self) -> i64:
        """An id that did not exist at the start."""
        return self.random_unknown_key() if self.unknown_anything else self.keys + self.popular_key()

    def random_unknown_key(self) -> i64:
        """Any of ``unknown_keys`` ids beyond the items, all alike."""
        return self.keys + 1 + self.key_stream.below(self.unknown_keys)

    def popular_key(self) -> i64:
        """A key from 1 (the most popular one) to ``keys``."""
        stream = self.key_stream
        if self.key_choice == UNIFORM:
            return 1 + stream.below(self.keys)
        if self.key_choice == ZIPF:
            return self.zipf.draw(stream)
        if stream.uniform() < self.hot_share or self.hot_keys >= self.keys:
            return 1 + stream.below(self.hot_keys) if self.hot_keys > 1 else 1
        return self.hot_keys + self.zipf.draw(stream)

    def percentages(self) -> dict[str, object]:
        """The mix, for people."""
        return {
            "reads_percent": round(100.0 * (1.0 - self.delete_below), 3),
            "writes_percent": round(100.0 * self.write_below, 3),
            "lists_percent": round(100.0 * (self.list_below - self.write_below), 3),
            "purchases_percent": round(100.0 * (self.buy_below - self.list_below), 3),
            "creations_percent": round(100.0 * (self.create_below - self.buy_below), 3),
            "deletions_percent": round(100.0 * (self.delete_below - self.create_below), 3),
        }
