"""Validators of items, and the answer to those who have the same item already (RFC 9110, 8.8 and 13.1)."""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

from playground.engine.block import Block
from playground.engine.calls import NOT_MODIFIED
from playground.engine.http_store import NO_VALIDATOR, NOT_MODIFIED_BYTES

UNCONDITIONAL: Final = 0
ETAG: Final = 1
LAST_MODIFIED: Final = 2
VALIDATORS: Final = ["none", "etag", "last_modified"]

SECOND_NS: Final = 1_000_000_000


def validator_of(kind: i64, source: Block | None, key: i64, version: i64) -> i64:
    """The validator of ``version`` of an item, NO_VALIDATOR where it has none.

    An ETag differs for each version. Last-Modified is the second of the commit, so it can't tell two commits within one second apart (a
    weak validator). A version that is not the present one (a cache had it) goes without: when it was committed is not known any more.
    """
    if kind == UNCONDITIONAL or version <= 0:
        return NO_VALIDATOR
    if kind == ETAG:
        return version
    if source is None:
        return 1
    if source.current_version(key) != version:
        return NO_VALIDATOR
    return 1 + source.written_at(key) // SECOND_NS


def conditional_size(block: Block, call: i64, kind: i64, size: i64) -> i64:
    """Give the answer to a cache's read its validator; its bytes, which are few where the caller has the same item (304)."""
    calls = block.calls
    source = block.source() if kind == LAST_MODIFIED else None
    validator = validator_of(kind, source, calls.key[call], calls.version[call])
    if validator == NO_VALIDATOR:
        return size
    calls.advise(call, 0, validator)
    if calls.token[call] != validator:
        return size
    calls.flags[call] |= NOT_MODIFIED
    return NOT_MODIFIED_BYTES
