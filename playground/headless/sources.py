"""What to run: a scenario from a file, a template or an object, with changes on top; everything wrong is an :class:`InputError`."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from playground.actions import after, check_log, check_value
from playground.blocks.edge import EDGE
from playground.catalogue import check_design, spec_of
from playground.protocol.catalogue import Param, Scalar
from playground.protocol.design import (
    HORIZON_S_MAX,
    Design,
    Intervention,
    Scenario,
    SetParam,
    parse_interventions,
    parse_scenario,
)
from playground.protocol.errors import VALUE_SHOWN_CHARACTERS_MAX, InputError, shown
from playground.protocol.strict_json import DOCUMENT_BYTES_MAX, loads
from playground.templates_store import templates

Source = str | Path | Design | Scenario | Mapping[str, Any]
"""``template:NAME``, a file (``-``: standard input) or its parsed content, a design, or a scenario."""

Log = str | Path | Sequence[Intervention | Mapping[str, Any]]
"""A file with an intervention log, or the log."""

TEMPLATE = "template:"
STANDARD_INPUT = "-"
UNTIL_S_MIN = 1e-9
SEED_MAX = 2**53
REPLICATIONS_MAX = 1_000


def scenario_of(source: Source) -> Scenario:
    """The scenario that ``source`` stands for; a bare design is one with the usual settings (seed 1, 60 s)."""
    if isinstance(source, Scenario):
        return source
    if isinstance(source, Design):
        return Scenario(design=source)
    if isinstance(source, Mapping):
        return parse_scenario(dict(source))
    if isinstance(source, str) and source.startswith(TEMPLATE):
        return _template(source.removeprefix(TEMPLATE))
    return parse_scenario(read_json(source, "design"))


def _template(name: str) -> Scenario:
    found = templates().get(name)
    if found is None:
        raise InputError.single(
            "unknown_template",
            f"there is no template {shown(name)!r}",
            value=shown(name),
            accepted=", ".join(templates()),
        )
    return found.scenario


def read_json(path: str | Path, what: str) -> Any:
    """The JSON in a file, ``-`` being standard input; ``what`` it is called in a message."""
    name = "standard input" if str(path) == STANDARD_INPUT else shown_path(str(path))
    try:
        if str(path) == STANDARD_INPUT:
            content = _bounded(sys.stdin.buffer, name)
        else:
            with open(path, "rb") as file:
                content = _bounded(file, name)
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError.single(
            "unreadable",
            f"the {what} {name!r} can't be read: {reason}",
            value=name,
            accepted=f"a JSON file, {STANDARD_INPUT} for standard input"
            + (f", or {TEMPLATE}NAME" if what == "design" else ""),
        ) from None
    return loads(content, what=f"{what} {name!r}")


def shown_path(path: str) -> str:
    """A path for a message: of a long one its end, which tells files apart."""
    return shown(path if len(path) <= VALUE_SHOWN_CHARACTERS_MAX else "\u2026" + path[1 - VALUE_SHOWN_CHARACTERS_MAX :])


def _bounded(file: IO[bytes], name: str) -> bytes:
    content = file.read(DOCUMENT_BYTES_MAX + 1)
    if len(content) > DOCUMENT_BYTES_MAX:
        raise InputError.single(
            "too_large",
            f"{name!r} has more than {DOCUMENT_BYTES_MAX:,} bytes",
            value=name,
            accepted=f"at most {DOCUMENT_BYTES_MAX} bytes",
        )
    return content


def interventions_of(log: Log) -> list[Intervention]:
    """The interventions of a log, checked for their form."""
    if isinstance(log, str | Path):
        return parse_interventions(read_json(log, "intervention log"))
    return [entry if isinstance(entry, Intervention) else parse_interventions([dict(entry)])[0] for entry in log]


# ---- numbers


def number_of(name: str, given: object, *, whole: bool, minimum: float, maximum: float, unit: str = "") -> float:
    """``given`` (a number, or one as text) within bounds (inclusive); ``name`` is how a message calls it."""
    accepted = f"{'a whole number' if whole else 'a number'} from {minimum:.15g} to {maximum:.15g}{unit}"
    value: float | None = None
    if isinstance(given, str):
        with suppress(ValueError):
            value = int(given) if whole else float(given)
    elif isinstance(given, int | float) and not isinstance(given, bool):
        value = given
    # Written so that NaN, which compares with nothing, is refused.
    if value is None or not minimum <= value <= maximum or (whole and value != int(value)):
        raise InputError.single(
            "option",
            f"{name}: {shown(given)} is not accepted; it takes {accepted}",
            where=name,
            parameter=name,
            value=shown(given),
            accepted=accepted,
        )
    return int(value) if whole else value


def prepared(
    source: Source,
    *,
    until_s: object = None,
    seed: object = None,
    changes: Mapping[str, Scalar] | Sequence[str] = (),
    interventions: Log = (),
) -> Scenario:
    """The scenario to run: as ``source`` has it, with other figures where given, changed parameters and further interventions.

    ``changes`` are values by ``"<block or edge id>.<parameter>"``, or texts ``"<id>.<parameter>=<value>"``.
    """
    update: dict[str, Any] = {}
    if until_s is not None:
        update["until_s"] = number_of(
            "until", until_s, whole=False, minimum=UNTIL_S_MIN, maximum=HORIZON_S_MAX, unit=" s"
        )
    if seed is not None:
        update["seed"] = number_of("seed", seed, whole=True, minimum=0, maximum=SEED_MAX)
    scenario = scenario_of(source)
    design = scenario.design
    if isinstance(changes, Mapping):
        actions = [action_of(design, path, value) for path, value in changes.items()]
    else:
        actions = [action_from_text(design, text) for text in changes]
    for action in actions:
        # What they are beside one another is looked at when all of them are there, so that their order means nothing.
        check_value(design, action)
        design = after(design, action)
    log = sorted([*scenario.interventions, *interventions_of(interventions)], key=lambda entry: entry.at_ns)
    check_design(design)
    check_log(design, log)
    return scenario.model_copy(update={**update, "design": design, "interventions": log})


# ---- changed parameters


def action_of(design: Design, path: str, value: Scalar) -> SetParam:
    """The action that gives ``value`` to ``path``, ``"<block or edge id>.<parameter>"``."""
    target, param = split(design, path)
    if not isinstance(value, bool | int | float | str | None):
        raise InputError.single(
            "parameter",
            f"{shown(path)}: {shown(value)} is a {type(value).__name__}",
            block=target,
            parameter=param,
            value=shown(value),
            accepted="a number, a text, true, false or null",
        )
    return SetParam(target=target, param=param, value=value)


def action_from_text(design: Design, text: str) -> SetParam:
    """The action of ``"<block or edge id>.<parameter>=<value>"``, the value as JSON, else as text; ``null`` or ``off`` is off."""
    path, equals, written = text.partition("=")
    if not equals:
        raise InputError.single(
            "option",
            f"set: {shown(text)!r} gives no value",
            where="set",
            value=shown(text),
            accepted="<block or edge id>.<parameter>=<value>",
        )
    target, name = split(design, path)
    return SetParam(target=target, param=name, value=value_of(written, param_of(design, target, name)))


def split(design: Design, path: str) -> tuple[str, str]:
    """Target and parameter of a path. Ids may contain dots, so the longest known id that it begins with is the target."""
    ids = [block.id for block in design.blocks] + [edge.id for edge in design.edges]
    found = max((name for name in ids if path.startswith(name + ".")), key=len, default=None)
    if found is not None:
        return found, path[len(found) + 1 :]
    wanted = path.rpartition(".")[0] or path
    near = difflib.get_close_matches(wanted, ids, 5, 0.4)
    known = path in ids
    raise InputError.single(
        "option" if known else "unknown_target",
        f"set: {shown(path)!r} names no parameter" if known else f"set: there is no block or edge {shown(wanted)!r}",
        where="set",
        value=shown(path),
        accepted="<block or edge id>.<parameter>=<value>" if known else _listed(near or ids),
    )


def _listed(names: Iterable[str], most: int = 12) -> str:
    names = list(names)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def param_of(design: Design, target: str, name: str) -> Param | None:
    """The declaration of a parameter of a block or an edge; None for one that isn't known, or a block of an unknown kind."""
    block = next((block for block in design.blocks if block.id == target), None)
    if block is None:
        return next((param for param in EDGE.params if param.name == name), None)
    return spec_of(block).param(name)


def value_of(text: str, param: Param | None) -> Scalar:
    """A value as written on a command line; texts and choices may stand there without quotes, whatever they look like."""
    choices = {choice.value for choice in param.choices} if param else set()
    if text in ("null", "off") and text not in choices:
        return None
    is_text = param is not None and param.kind in ("text", "choice")
    if is_text and not text.startswith('"'):
        return text
    try:
        value = loads(text, what="value")
    except InputError:
        return text
    return value if isinstance(value, bool | int | float | str) else text
