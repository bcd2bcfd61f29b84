"""What the databases that an index follows hold at this moment, from the rows themselves and not from their logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mypy_extensions import i64

if TYPE_CHECKING:
    from playground.blocks.search_index.feed import Feed
    from playground.blocks.search_index.index import Index
    from playground.engine.block import Block


def most_first_keys(feeds: list[Feed]) -> i64:
    """Items 1 to this were there at the start, in the database that has most of them."""
    most: i64 = 0
    for feed in feeds:
        holder = feed.edge.callee.authority_below()
        if holder is not None and holder.first_keys() > most:
            most = holder.first_keys()
    return most


def learn_truth(items: Index, feeds: list[Feed]) -> None:
    """What was changed before anybody read their logs, or by databases that are others now; nothing of it is shown yet."""
    items.forget(most_first_keys(feeds))
    for feed in feeds:
        holder = feed.edge.callee.authority_below()
        if holder is not None:
            teller = teller_for(holder)
            for key in holder.changed_keys():
                items.learn(key, teller.row_version(key))


def teller_for(holder: Block) -> Block:
    """Who says which version of a row counts: a router before its shards, one of which may still have a row that others serve now."""
    for edge in holder.into:
        teller = None if edge.removed else edge.caller.authority()
        if teller is not None:
            return teller
    return holder
