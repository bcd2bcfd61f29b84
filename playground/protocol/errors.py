"""One error shape for all bad input: what is wrong, where, with which value, and what would be accepted."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

VALUE_SHOWN_CHARACTERS_MAX = 80
SCALARS = {"bool": "bool_type", "int": "int_type", "float": "float_type", "str": "string_type"}
"""What pydantic reports of a value that is none of these, type by type."""


class Problem(BaseModel):
    """One thing that is wrong with an input.

    ``where`` is a path a person can follow (``blocks[cache].params.ttl_s``); ``block`` and ``parameter`` are set when the
    problem belongs to one; ``value`` is a short rendering of what was given; ``accepted`` says what would be taken.
    """

    model_config = ConfigDict(extra="forbid")

    code: str
    message: str
    where: str = ""
    block: str | None = None
    parameter: str | None = None
    value: str | None = None
    accepted: str | None = None


class InputError(ValueError):
    """Raised for input that cannot be taken; carries every problem that was found, at least one."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("; ".join(problem.message for problem in problems))

    @classmethod
    def single(cls, code: str, message: str, **more: Any) -> Self:
        """An error with exactly one problem."""
        return cls([Problem(code=code, message=message, **more)])


def shown(value: object) -> str:
    """A short, printable rendering of ``value`` for an error message (never more than 80 characters)."""
    text = repr(value) if not isinstance(value, str) else value
    text = "".join(
        character if character.isprintable() else "\ufffd" for character in text[: VALUE_SHOWN_CHARACTERS_MAX + 1]
    )
    return text if len(text) <= VALUE_SHOWN_CHARACTERS_MAX else text[: VALUE_SHOWN_CHARACTERS_MAX - 1] + "\u2026"


def from_validation(error: ValidationError, root: str = "") -> InputError:
    """Turn pydantic's report into ours, path and offending value included."""
    problems = []
    told = set()
    for entry in error.errors(include_url=False)[:50]:
        steps = [str(step) for step in entry["loc"]]
        if steps and SCALARS.get(steps[-1]) == entry["type"]:
            problem = _no_scalar(".".join(part for part in [root, *steps[:-1]] if part), steps[-2], entry["input"])
            if problem.where not in told:
                told.add(problem.where)
                problems.append(problem)
            continue
        where = ".".join(part for part in [root, *steps] if part)
        message = entry["msg"].removeprefix("Value error, ")
        if entry["type"] == "extra_forbidden":
            message = "unknown field"
        given = None if entry["type"] == "missing" else shown(entry.get("input"))
        text = f"{where}: {message}" + (f" (given {given})" if given is not None else "")
        accepted = accepted_by(entry.get("ctx", {}))
        problems.append(Problem(code=entry["type"], message=text, where=where, value=given, accepted=accepted))
    return InputError(problems)


def _no_scalar(where: str, name: str, given: object) -> Problem:
    accepted = "a number, a text, true, false or null"
    return Problem(
        code="scalar",
        message=f"{where} = {shown(given)} is no single value; it takes {accepted}",
        where=where,
        parameter=name,
        value=shown(given),
        accepted=accepted,
    )


def accepted_by(context: dict[str, Any]) -> str | None:
    """What a field takes, from the context that pydantic gives to its report; None where that says nothing."""
    for key in ("expected_tags", "expected"):
        if key in context:
            return f"one of {context[key]}"
    words = {
        "ge": "at least",
        "gt": "more than",
        "le": "at most",
        "lt": "less than",
        "min_length": "a length of at least",
        "max_length": "a length of at most",
        "pattern": "text that matches",
    }
    limits = [f"{word} {context[key]}" for key, word in words.items() if key in context]
    return " and ".join(limits) or None
