"""What a statement on its way through a machine asks of those who know about logs, nodes and transactions."""

from __future__ import annotations

from mypy_extensions import i64, mypyc_attr

from playground.blocks.sql_database.node import Node
from playground.engine.block import Block
from playground.engine.bodies import Body
from playground.engine.outcomes import OK


@mypyc_attr(allow_interpreted_subclasses=True)
class Asking(Block):
    """Each of these is answered by one of the classes that stand on the machine."""

    def commit(self, call: i64, node: Node) -> None:
        """Make a statement's change safe, then :meth:`finish` it."""
        raise AssertionError("the durable database says how")

    def write_back(self, node: Node) -> None:
        """A checkpoint writes its next pages: a channel of the disk is taken."""
        raise AssertionError("the checkpointing database says how")

    def version_at(self, node: Node, key: i64) -> i64:
        """The version of ``key`` that a node sees, ABSENT where there is none."""
        raise AssertionError("the replicated database says how")

    def log_end(self) -> i64:
        """Where the log ends for those who read it along."""
        raise AssertionError("the durable database says how")

    def look_back(self, call: i64, node: Node, version: i64) -> None:
        """A read is about to be answered by a node that may not have everything."""
        raise AssertionError("the reading database says how")

    def look_back_page(self, call: i64, node: Node, body: Body) -> None:
        """The same for a page of a list."""
        raise AssertionError("the reading database says how")

    def answer_with(self, call: i64) -> i64:
        """The outcome of a statement that went well: whether its caller can hear of it."""
        return OK

    def open_purchase(self, call: i64) -> None:
        """A purchase has its connection: its transaction begins."""
        raise AssertionError("the selling database says how")

    def run_purchase(self, call: i64) -> None:
        """A core has worked on a purchase's present statement."""
        raise AssertionError("the selling database says how")

    def go_on_buying(self, call: i64) -> None:
        """A purchase's next statement has arrived, or it need not wait any more."""
        raise AssertionError("the selling database says how")

    def leave_purchase(self, call: i64) -> None:
        """A purchase's caller has cancelled it."""
        raise AssertionError("the selling database says how")
