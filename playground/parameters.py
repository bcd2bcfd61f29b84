"""Parameters as they are given: whether a declaration takes them, and what stands for those that are left out."""

from __future__ import annotations

import difflib
import itertools
import math
import re
from collections.abc import Iterable, Iterator, Sequence

from playground.protocol.catalogue import Param, Scalar
from playground.protocol.errors import Problem, shown


def accepted_by(param: Param) -> str:
    """What a parameter takes, in words."""
    unit = f" {param.unit}" if param.unit else ""
    off = ", or null (off)" if param.nullable else ""
    if param.kind == "boolean":
        return "true or false" + off
    if param.kind == "choice":
        return "one of " + ", ".join(choice.value for choice in param.choices) + off
    if param.kind == "text":
        return (param.pattern_help or "text") + off
    what = "a whole number" if param.kind == "integer" else "a number"
    bounds = []
    if param.minimum is not None:
        bounds.append(f"from {param.minimum:.15g}")
    if param.maximum is not None:
        bounds.append(f"{'to' if bounds else 'up to'} {param.maximum:.15g}")
    return " ".join([what, *bounds]) + unit + off


def refusal(param: Param, value: Scalar) -> str | None:
    """Why ``param`` doesn't take ``value``; None when it does."""
    if value is None:
        return None if param.nullable else "can't be off"
    if param.kind == "boolean":
        return None if isinstance(value, bool) else "is not a yes or no"
    if param.kind == "choice":
        return None if value in {choice.value for choice in param.choices} else "is not one of the choices"
    if param.kind == "text":
        if not isinstance(value, str):
            return "is not a text"
        if param.pattern is not None and not re.fullmatch(param.pattern, value):
            return "doesn't have the right form"
        if param.ascending and (fallen := first_fall(value)):
            return f"is not ascending ({fallen[1]} after {fallen[0]})"
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "is not a number"
    if isinstance(value, float) and not math.isfinite(value):
        # Neither too small nor too large by comparison, and nothing to compute with.
        return "is not a finite number"
    if param.kind == "integer" and value != int(value):
        return "is not a whole number"
    if param.minimum is not None and value < param.minimum:
        return "is too small"
    if param.maximum is not None and value > param.maximum:
        return "is too large"
    return None


def first_fall(text: str) -> tuple[int, int] | None:
    """The first number of a list that is not larger than the one before it, behind that one; None when all are."""
    numbers = [int(part) for part in text.split(",") if part]
    return next(((before, number) for before, number in itertools.pairwise(numbers) if number <= before), None)


def check_params(
    declared: Sequence[Param], given: dict[str, Scalar], *, owner: str, where: str, block: str | None
) -> Iterator[Problem]:
    """A problem for each given parameter that is unknown or not accepted. ``owner`` is how a message calls the thing."""
    by_name = {param.name: param for param in declared}
    for name, value in given.items():
        param = by_name.get(name)
        if param is None:
            near = difflib.get_close_matches(name, by_name, 3, 0.5)
            yield Problem(
                code="unknown_parameter",
                message=f"{owner} has no parameter {shown(name)!r}" + (f"; is {near[0]!r} meant?" if near else ""),
                where=f"{where}.params.{shown(name)}",
                block=block,
                parameter=shown(name),
                value=shown(value),
                accepted=", ".join(near or sorted(by_name)),
            )
            continue
        reason = refusal(param, value)
        if reason is not None:
            # A text in the place of a number shows that it is one; a choice or a name needs no quotes.
            is_text = isinstance(value, str) and param.kind in ("number", "integer", "boolean")
            written = f"'{shown(value)}'" if is_text else shown(value)
            yield Problem(
                code="parameter",
                message=f"{owner}: {name} = {written} {reason}; it takes {accepted_by(param)}",
                where=f"{where}.params.{name}",
                block=block,
                parameter=name,
                value=shown(value),
                accepted=accepted_by(param),
            )


def filled(declared: Iterable[Param], given: dict[str, Scalar]) -> dict[str, Scalar]:
    """Every declared parameter: as given, else its default."""
    return {param.name: given.get(param.name, param.default) for param in declared}
