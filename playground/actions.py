"""What can be done to a run: whether an action fits what runs, and the drawing that runs after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from playground.blocks.edge import EDGE
from playground.catalogue import check_design, check_rules, check_weights, spec_of
from playground.parameters import check_params, filled
from playground.protocol.catalogue import Fault, Scalar
from playground.protocol.design import Action, Block, Design, Edge, Intervention, SetParam
from playground.protocol.errors import InputError, shown

Drawn = TypeVar("Drawn", Block, Edge)


def check_action(design: Design, action: Action) -> None:
    """Raise :class:`InputError` for an action that can't be done to a run of ``design``."""
    if action.type == "edit":
        check_design(action.design)
        return
    block = next((block for block in design.blocks if block.id == action.target), None)
    edge = next((edge for edge in design.edges if edge.id == action.target), None)
    if block is None and edge is None:
        raise InputError.single(
            "unknown_target",
            f"there is no block or edge {shown(action.target)!r} in what runs",
            where="action.target",
            value=shown(action.target),
            accepted="the id of a block or an edge",
        )
    spec = EDGE if block is None else spec_of(block)
    owner = f"edge {action.target!r}" if block is None else f"block {action.target!r}"
    target_block = action.target if block is not None else None
    if action.type == "set_param":
        given = {action.param: action.value}
        problems = list(check_params(spec.params, given, owner=owner, where=f"[{action.target}]", block=target_block))
        if not problems:
            changed = after(design, action)
            if block is not None:
                problems = list(check_rules(next(other for other in changed.blocks if other.id == block.id)))
            else:
                problems = list(check_weights(changed))
        if problems:
            raise InputError(problems)
    elif action.type == "fault":
        fault = _fault(spec.faults, action.fault, owner, target_block)
        given = action.params
        problems = list(
            check_params(
                fault.params,
                given,
                owner=f"fault {fault.name!r} of {owner}",
                where=f"[{action.target}]",
                block=target_block,
            )
        )
        if problems:
            raise InputError(problems)
        if block is not None:
            _check_instance(block, action.params.get("instance"))


def _check_instance(block: Block, instance: Scalar) -> None:
    count = filled(spec_of(block).params, block.params).get("instances", 1)
    if isinstance(instance, (int, float)) and isinstance(count, (int, float)) and instance >= count:
        raise InputError.single(
            "parameter",
            f"block {block.id!r} has {count} instances, so there is no instance {shown(instance)}",
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
