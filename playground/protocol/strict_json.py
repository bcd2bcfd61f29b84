"""JSON as RFC 8259 means it, with limits: no NaN, no infinities, no duplicate keys, no bombs of brackets.

Python's own parser accepts ``NaN``, lets the last of two equal keys win, turns ``1e999`` into infinity and recurses once a
bracket. Each of these would change a design silently or end the process, so all are refused with a position.
"""

from __future__ import annotations

import json
import math
from typing import Any

from playground.protocol.errors import InputError, shown

DOCUMENT_BYTES_MAX = 4 * 1024 * 1024
NESTING_MAX = 32


def loads(text: str | bytes, *, bytes_max: int = DOCUMENT_BYTES_MAX, what: str = "document") -> Any:
    """Parse ``text``; raise :class:`InputError` naming what is wrong and where."""
    size = len(text) if isinstance(text, bytes) else len(text.encode("utf-8", "surrogatepass"))
    if size > bytes_max:
        raise InputError.single(
            "too_large",
            f"the {what} has {size:,} bytes; at most {bytes_max:,} are accepted",
            value=f"{size} bytes",
            accepted=f"at most {bytes_max} bytes",
        )
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError.single(
                "encoding", f"the {what} is not UTF-8 (byte {error.start})", accepted="UTF-8"
            ) from None
    _check_nesting(text, what)
    try:
        return json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_number, parse_int=_integer
        )
    except json.JSONDecodeError as error:
        raise InputError.single(
            "syntax",
            f"the {what} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}",
            where=f"line {error.lineno}, column {error.colno}",
        ) from None


def _check_nesting(text: str, what: str) -> None:
    depth, in_string, escaped = 0, False, False
    for position, character in enumerate(text):
        if in_string:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                in_string = False
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            if depth > NESTING_MAX:
                raise InputError.single(
                    "nesting",
                    f"the {what} nests deeper than {NESTING_MAX} brackets at character {position}",
                    where=f"character {position}",
                    accepted=f"at most {NESTING_MAX} levels",
                )
        elif character in "]}":
            depth -= 1


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise InputError.single(
                    "duplicate_key",
                    f"the key {shown(key)!r} stands twice in one object",
                    value=shown(key),
                    accepted="each key once",
                )
            seen.add(key)
    return made


def _constant(name: str) -> Any:
    raise InputError.single("not_a_number", f"{name} is not a JSON number", value=name, accepted="a finite number")


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise InputError.single(
            "not_finite",
            f"the number {shown(text)} is too large to represent",
            value=shown(text),
            accepted="a finite number",
        )
    return value


def _integer(text: str) -> int:
    if len(text) > 20:
        raise InputError.single(
            "not_finite",
            f"the integer {shown(text)} has {len(text)} digits",
            value=shown(text),
            accepted="an integer of at most 19 digits",
        )
    return int(text)
