"""Packed columns: the arrays in which all hot state lives.

A column is a ``librt`` vec. It indexes like a C array when compiled, copies with ``column[:]`` at memory speed (that is what a
snapshot is made of), and works unchanged when this code is interpreted.
"""

from __future__ import annotations

from librt.vecs import append, vec
from mypy_extensions import i64


def zeros(length: i64) -> vec[i64]:
    """A column of ``length`` zeros."""
    column = vec[i64](capacity=length)
    index: i64 = 0
    while index < length:
        column = append(column, 0)
        index += 1
    return column


def filled(length: i64, value: i64) -> vec[i64]:
    """A column of ``length`` times ``value``."""
    column = vec[i64](capacity=length)
    index: i64 = 0
    while index < length:
        column = append(column, value)
        index += 1
    return column


def grown(column: vec[i64], length: i64, value: i64 = 0) -> vec[i64]:
    """A copy of ``column``, lengthened to ``length`` with ``value``."""
    longer = vec[i64](capacity=length)
    index: i64 = 0
    present: i64 = len(column)
    while index < length:
        longer = append(longer, column[index] if index < present else value)
        index += 1
    return longer


def float_zeros(length: i64) -> vec[float]:
    """A column of ``length`` floating zeros."""
    column = vec[float](capacity=length)
    index: i64 = 0
    while index < length:
        column = append(column, 0.0)
        index += 1
    return column
