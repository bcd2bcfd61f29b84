"""What rows in bulk cost a database: a copy reads or writes many in one go, and its log is read in one go."""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

from playground.engine.outcomes import COPY_IN, COPY_OUT, LOG_READ

ROWS_PER_STATEMENT: Final = 100
"""Rows of a copy that compute as long as one statement: neither parsed nor planned, no answer each."""

BYTES_PER_ACCESS: Final = 262_144
"""What one access to the disk brings or takes when rows lie one behind the other: PostgreSQL's ring for bulk reads, 256 KiB. The same
ring keeps a copy from driving the popular rows out of the buffer pool."""

CHANGE_BYTES: Final = 120
"""One change in the log, as a logical decoder gives it."""


def copies(operation: i64) -> bool:
    """Whether an operation copies rows out or in."""
    return operation == COPY_OUT or operation == COPY_IN


def concerns_rows(operation: i64) -> bool:
    """Whether somebody copies rows or reads the log along: who does so looks at the timeline that the consensus store names, and leaves a
    leader of another one alone."""
    return operation == LOG_READ or copies(operation)


def statements(rows: i64) -> float:
    """How many statements' computing a copy of ``rows`` takes, one at least."""
    return 1.0 + float(rows) / float(ROWS_PER_STATEMENT)


def accesses(size: i64) -> float:
    """How many accesses to the disk a copy of ``size`` bytes takes, one at least."""
    whole: i64 = (size + BYTES_PER_ACCESS - 1) // BYTES_PER_ACCESS
    return float(whole) if whole > 1 else 1.0


def log_bytes(end: i64, position: i64, most: i64) -> i64:
    """Bytes of an answer with the log from ``position`` to its ``end``, at most ``most`` changes."""
    count = end - position
    if count > most:
        count = most
    return CHANGE_BYTES * (count + 1 if count > 0 else 1)
