"""JSON as RFC 8259 means it, with limits: no NaN, no infinities, no duplicate keys, no bombs of brackets.

Python's own parser accepts ``NaN``, lets the last of two equal keys win, turns ``1e999`` into infinity and recurses once a
bracket. Each of these would change a design silently or end the process, so all are refused with a position.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from playground.protocol.errors import InputError, Problem, shown

DOCUMENT_BYTES_MAX = 4 * 1024 * 1024
NESTING_MAX = 32
INTEGER_CHARACTERS_MAX = 20
PROBLEMS_MAX = 50


@dataclass
class Flaw:
    """Stands in the place of a value that JSON can't have, until it is known where that is."""

    code: str
    message: str
    value: str
    accepted: str


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
    flaws: list[Flaw] = []

    def noted(value: Any) -> Any:
        if isinstance(value, Flaw):
            flaws.append(value)
        return value

    try:
        parsed = json.loads(
            text,
            object_pairs_hook=lambda pairs: _object(pairs, flaws),
            parse_constant=lambda name: noted(_constant(name)),
            parse_float=lambda digits: noted(_number(digits)),
            parse_int=lambda digits: noted(_integer(digits)),
        )
    except json.JSONDecodeError as error:
        raise InputError.single(
            "syntax",
            f"the {what} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}",
            where=f"line {error.lineno}, column {error.colno}",
        ) from None
    if flaws:
        raise InputError([_problem(flaw, path) for flaw, path in _flawed(parsed, ())][:PROBLEMS_MAX])
    return parsed


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


def _object(pairs: list[tuple[str, Any]], flaws: list[Flaw]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                text = f"the key {shown(key)!r} stands twice in one object"
                made[key] = Flaw("duplicate_key", text, shown(key), "each key once")
                flaws.append(made[key])
            seen.add(key)
    return made


def _constant(name: str) -> Flaw:
    return Flaw("not_a_number", f"{name} is not a JSON number", name, "a finite number")


def _number(text: str) -> float | Flaw:
    value = float(text)
    if math.isfinite(value):
        return value
    return Flaw("not_finite", f"the number {shown(text)} is too large to represent", shown(text), "a finite number")


def _integer(text: str) -> int | Flaw:
    if len(text) <= INTEGER_CHARACTERS_MAX:
        return int(text)
    message = f"the integer {shown(text)} has {len(text)} digits"
    return Flaw("not_finite", message, shown(text), f"an integer of at most {INTEGER_CHARACTERS_MAX - 1} digits")


def _flawed(value: Any, path: tuple[str, ...]) -> Iterator[tuple[Flaw, tuple[str, ...]]]:
    """Every flaw in ``value`` with the way to it; an item of a list goes by its id where it has one."""
    if isinstance(value, Flaw):
        yield value, path
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _flawed(inner, (*path, shown(key)))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            name = inner.get("id") if isinstance(inner, dict) else None
            yield from _flawed(inner, (*path, f"[{shown(name) if isinstance(name, str) else index}]"))


def _problem(flaw: Flaw, path: tuple[str, ...]) -> Problem:
    where = ".".join(path).replace(".[", "[")
    parents = list(pairwise(path))
    return Problem(
        code=flaw.code,
        message=f"{where}: {flaw.message}" if where else flaw.message,
        where=where,
        block=next((item[1:-1] for parent, item in parents if parent == "blocks"), None),
        parameter=next((name for parent, name in parents if parent == "params"), None),
        value=flaw.value,
        accepted=flaw.accepted,
    )
