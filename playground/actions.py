"""What can be done to a run: whether an action fits what runs, and the drawing that runs after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from playground.blocks.edge import EDGE
from playground.catalogue import check_design, spec_of
from playground.parameters import check_params, filled
from playground.protocol.catalogue import BlockSpec, EdgeSpec, Fault, Scalar
from playground.protocol.design import Action, Block, Design, Edge, Intervention, SetParam
from playground.protocol.errors import InputError, shown
from playground.relations import check_setting

Drawn = TypeVar("Drawn", Block, Edge)


def check_action(design: Design, action: Action) -> None:
    """Raise :class:`InputError` for an action that can't be done to a run of ``design``, which is sound.

    A parameter is held against all that it goes together with, as in a drawing: several that only go together are set by one edit.
    """
    if action.type == "edit":
        check_design(action.design)
        return
    block, spec, owner = _target(design, action.target)
    if action.type == "set_param":
        check_value(design, action)
        problems = list(check_setting(after(design, action), action.target))
        if problems:
            raise InputError(problems)
    elif action.type == "fault":
        name = None if block is None else block.id
        fault = _fault(spec.faults, action.fault, owner, name)
        problems = list(
            check_params(
                fault.params,
                action.params,
                owner=f"fault {fault.name!r} of {owner}",
                where=f"[{action.target}]",
                block=name,
            )
        )
        if problems:
            raise InputError(problems)
        if block is not None:
            _check_instance(block, action.params.get("instance"))


def check_value(design: Design, action: SetParam) -> None:
    """Raise :class:`InputError` where ``design`` has no such parameter, or this one doesn't take the value, whatever the others are."""
    block, spec, owner = _target(design, action.target)
    given = {action.param: action.value}
    name = None if block is None else block.id
    problems = list(check_params(spec.params, given, owner=owner, where=f"[{action.target}]", block=name))
    if problems:
        raise InputError(problems)


def _target(design: Design, target: str) -> tuple[Block | None, BlockSpec | EdgeSpec, str]:
    """The block called ``target`` (None for an edge), what is declared about it, and how a message calls it."""
    block = next((block for block in design.blocks if block.id == target), None)
    if block is not None:
        return block, spec_of(block), f"block {target!r}"
    if any(edge.id == target for edge in design.edges):
        return None, EDGE, f"edge {target!r}"
    raise InputError.single(
        "unknown_target",
        f"there is no block or edge {shown(target)!r} in what runs",
        where="action.target",
        value=shown(target),
        accepted="the id of a block or an edge",
    )


def _check_instance(block: Block, instance: Scalar) -> None:
    """Whether there can be such an instance. Whether it is switched on when the fault comes, only the run knows."""
    values = filled(spec_of(block).params, block.params)
    scales = values.get("autoscale") is True
    count = values["instances_max"] if scales else values.get("instances", 1)
    if isinstance(instance, (int, float)) and isinstance(count, (int, float)) and instance >= count:
        raise InputError.single(
            "parameter",
            f"block {block.id!r} has {'at most ' if scales else ''}{count} instances, so there is no instance {shown(instance)}",
            where=f"[{block.id}].instance",
            block=block.id,
            parameter="instance",
            value=shown(instance),
            accepted=f"0 to {int(count) - 1}, or null (all of them)",
        )


def after(design: Design, action: Action) -> Design:
    """The drawing that runs once ``action`` was done to a run of ``design``."""
    if action.type == "edit":
        return action.design
    if action.type != "set_param":
        return design
    return design.model_copy(
        update={
            "blocks": [_with_param(block, action) for block in design.blocks],
            "edges": [_with_param(edge, action) for edge in design.edges],
        }
    )


def _with_param(thing: Drawn, action: SetParam) -> Drawn:
    if thing.id != action.target:
        return thing
    return thing.model_copy(update={"params": {**thing.params, action.param: action.value}})


def check_log(design: Design, log: Sequence[Intervention]) -> None:
    """Raise :class:`InputError` for the first entry of an intervention log that can't be done to a run that begins as ``design``."""
    for index, entry in enumerate(log):
        try:
            check_action(design, entry.action)
        except InputError as error:
            raise InputError(
                [
                    problem.model_copy(update={"message": f"interventions[{index}]: {problem.message}"})
                    for problem in error.problems
                ]
            ) from None
        design = after(design, entry.action)


def fitting(design: Design, log: Sequence[Intervention]) -> list[Intervention]:
    """The entries of an intervention log that can still be done, in their order, to a run of ``design``."""
    fit = []
    for entry in log:
        try:
            check_action(design, entry.action)
        except InputError:
            continue
        fit.append(entry)
        design = after(design, entry.action)
    return fit


def _fault(faults: Sequence[Fault], name: str, owner: str, block: str | None) -> Fault:
    found = next((fault for fault in faults if fault.name == name), None)
    if found is None:
        raise InputError.single(
            "unknown_fault",
            f"{owner} knows no fault {shown(name)!r}",
            where="action.fault",
            block=block,
            value=shown(name),
            accepted=", ".join(fault.name for fault in faults) or "none",
        )
    return found
