"""Packed columns: the arrays in which all hot state lives.

A column is a ``librt`` vec. It indexes like a C array when compiled, copies with ``column[:]`` at memory speed (that is what a
snapshot is made of), and works unchanged when this code is interpreted.
"""

from __future__ import annotations

from librt.vecs import append, extend, vec
from mypy_extensions import i64


def zeros(length: i64) -> vec[i64]:
    """A column of ``length`` zeros."""
    return filled(length, 0)


def filled(length: i64, value: i64) -> vec[i64]:
    """A column of ``length`` times ``value``."""
    column = vec[i64](capacity=length)
    if length > 0:
        column = append(column, value)
    # Doubling copies whole blocks of memory; long columns are made and lengthened all the time.
    present: i64 = len(column)
    while present < length:
        missing: i64 = length - present
        column = extend(column, column[: present if present < missing else missing])
        present = len(column)
    return column


def grown(column: vec[i64], length: i64, value: i64 = 0) -> vec[i64]:
    """A copy of ``column``, lengthened to ``length`` with ``value``; one that is longer is cut."""
    present: i64 = len(column)
    if present >= length:
        return column[:length]
    return extend(column[:], filled(length - present, value))


def float_zeros(length: i64) -> vec[float]:
    """A column of ``length`` floating zeros."""
    column = vec[float](capacity=length)
    index: i64 = 0
    while index < length:
        column = append(column, 0.0)
        index += 1
    return column
