"""Whether what is set in a drawing goes together: within a block, between a block and its connections, and across a connection."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from playground.blocks.edge import EDGE
from playground.blocks.registry import kinds
from playground.parameters import filled
from playground.protocol.catalogue import BlockSpec, HandOver, Need, Rule, Scalar
from playground.protocol.design import Block, Design
from playground.protocol.errors import Problem

Callees = dict[tuple[str, str], list[Block]]
"""By block and out port: the blocks that are connected there."""


def callees_of(design: Design) -> Callees:
    """Who is called from each out port. Edges from or to nowhere are left out."""
    by_id = {block.id: block for block in design.blocks}
    callees: Callees = defaultdict(list)
    for edge in design.edges:
        if edge.from_.block in by_id and edge.to.block in by_id:
            callees[edge.from_.block, edge.from_.port].append(by_id[edge.to.block])
    return callees


def check_setting(design: Design, target: str) -> Iterator[Problem]:
    """A problem for each relation that doesn't hold, of those that a parameter of ``target`` (a block or an edge) can have broken.

    ``design`` is sound but for that: its kinds, its edges and all values by themselves.
    """
    if any(edge.id == target for edge in design.edges):
        yield from check_weights(design)
        return
    ends = [(edge.from_.block, edge.to.block) for edge in design.edges]
    connected = {name for pair in ends for name in pair}
    callers = {caller for caller, callee in ends if callee == target}
    callees = callees_of(design)
    for block in design.blocks:
        if block.id == target:
            yield from check_rules(block)
        if block.id in connected and (block.id == target or block.id in callers):
            yield from check_needs(block, callees)


def check_rules(block: Block) -> Iterator[Problem]:
    """A problem for each declared relation between the block's own parameters that doesn't hold."""
    spec = kinds()[block.kind].spec
    values = filled(spec.params, block.params)
    for rule in spec.rules:
        problem = _broken(rule, block, values)
        if problem is not None:
            yield problem
    for group in spec.any_above_zero:
        if any(values[name] for name in group.params):
            continue
        names = ", ".join(group.params)
        yield Problem(
            code="rule",
            message=f"block {block.id!r} ({spec.title}): {names} are all 0; {group.help}",
            where=f"blocks[{block.id}].params.{group.params[0]}",
            block=block.id,
            parameter=group.params[0],
            value="0",
            accepted=f"a number above 0 for at least one of {names}",
        )


def _broken(rule: Rule, block: Block, values: dict[str, Scalar]) -> Problem | None:
    """What is wrong where a rule doesn't hold. A parameter that is off is in nobody's way."""
    if not _holds(rule.when, values) or not all(values[name] for name in rule.above_zero):
        return None
    names = [rule.lesser, *rule.plus] if rule.lesser else []
    if values[rule.greater] is None or any(values[name] is None for name in names):
        return None
    low = sum(float(values[name] or 0.0) for name in names) if names else rule.least
    high = float(values[rule.greater] or 0.0)
    if low < high or (low == high and not rule.strict):
        return None
    under = ", ".join(f"with {name} = {values[name]} " for name in [*rule.when, *rule.above_zero])
    if names:
        subject, blamed = " + ".join(names), rule.lesser
        value, bound = f"{low:g}", f"{'less than' if rule.strict else 'at most'} {rule.greater} = {high:g}"
    else:
        subject, blamed = rule.greater, rule.greater
        value, bound = f"{high:g}", f"{'more than' if rule.strict else 'at least'} {low:g}"
    title = kinds()[block.kind].spec.title
    return Problem(
        code="rule",
        message=f"block {block.id!r} ({title}): {under}{subject} = {value} has to be {bound}; {rule.help}",
        where=f"blocks[{block.id}].params.{blamed}",
        block=block.id,
        parameter=blamed,
        value=value,
        accepted=bound,
    )


def check_needs(block: Block, callees: Callees) -> Iterator[Problem]:
    """A problem for each connection that a connected block's parameters ask for and that isn't there, or leads to what is set otherwise."""
    spec = kinds()[block.kind].spec
    values = filled(spec.params, block.params)
    for need in spec.needs:
        if not _holds(need.when, values):
            continue
        found = [callee for port in need.ports for callee in callees.get((block.id, port), ())]
        if not found:
            yield _missing(block, spec, need, values)
        for callee in found:
            yield from _check_callee(block, spec, need, values, callee)
    for job in spec.hands_over:
        if _holds(job.when, values) and _is_on(block, job, callees):
            yield from _check_hand_over(block, spec, job, values, callees)


def _missing(block: Block, spec: BlockSpec, need: Need, values: dict[str, Scalar]) -> Problem:
    labels = " or ".join(repr(port.label) for port in spec.ports if port.name in need.ports)
    return Problem(
        code="missing_edge",
        message=f"block {block.id!r} ({spec.title}): with {_set_to(need, values)} its port {labels} needs a connection; {need.help}",
        where=f"blocks[{block.id}]",
        block=block.id,
        parameter=next(iter(need.when)),
        value="0",
        accepted=f"a connection from its port {labels}",
    )


def _check_callee(
    block: Block, spec: BlockSpec, need: Need, values: dict[str, Scalar], callee: Block
) -> Iterator[Problem]:
    """A problem for each parameter of the callee that has a value with which it is of no use here."""
    theirs = filled(kinds()[callee.kind].spec.params, callee.params)
    for name, wanted in need.callee.items():
        if name not in theirs or theirs[name] in wanted:
            continue
        first = next(iter(need.when))
        words = " or ".join(str(value) for value in wanted)
        yield Problem(
            code="rule",
            message=f"block {block.id!r} ({spec.title}): {_set_to(need, values)} takes {name} = {words} at block {callee.id!r}, "
            f"which has {name} = {theirs[name]}; {need.help}",
            where=f"blocks[{block.id}].params.{first}",
            block=block.id,
            parameter=first,
            value=str(values[first]),
            accepted=f"{name} = {words} at block {callee.id!r}, or another {first} here",
        )


def _is_on(block: Block, job: HandOver, callees: Callees) -> bool:
    """Whether the callees whose parameters make such jobs are there, with these on."""
    return all(
        any(
            filled(kinds()[callee.kind].spec.params, callee.params).get(name) is not None
            for callee in callees.get((block.id, port), ())
        )
        for port, name in job.on.items()
    )


def doers_of(queue: Block, callees: Callees) -> list[Block]:
    """Who does in the end what is handed to ``queue``: whom it calls later, in place of who asked. What it gives up is not done."""
    later = [port.name for port in kinds()[queue.kind].spec.ports if port.deferred]
    return [doer for port in later for doer in callees.get((queue.id, port), ())]


def _check_hand_over(
    block: Block, spec: BlockSpec, job: HandOver, values: dict[str, Scalar], callees: Callees
) -> Iterator[Problem]:
    """A problem for each block that is to do such jobs and lacks a connection for it, or has one that leads elsewhere."""
    why = "".join(f"{name} = {values[name]}, " for name in job.when)
    for queue in callees.get((block.id, job.port), ()):
        for doer in doers_of(queue, callees):
            for name in job.ports:
                port = kinds()[doer.kind].spec.port(name)
                found = callees.get((doer.id, name), [])
                wanted = [callee.id for callee in callees.get((block.id, name), ())] if name in job.same else []
                if port is None or (found and not wanted) or any(callee.id in wanted for callee in found):
                    continue
                leads = f"leads to {found[0].id!r}" if found else "is not connected"
                to = f" to block {wanted[0]!r}" if wanted else ""
                yield Problem(
                    code="missing_edge",
                    message=f"block {block.id!r} ({spec.title}): {why}{job.help}; by way of {queue.id!r} that is block {doer.id!r}, "
                    f"whose port {port.label!r} {leads}",
                    where=f"blocks[{doer.id}]",
                    block=block.id,
                    parameter=next(iter(job.when), None),
                    value=f"{doer.id}.{name}",
                    accepted=f"a connection from port {port.label!r} of block {doer.id!r}{to}",
                )


def check_weights(design: Design) -> Iterator[Problem]:
    """A problem for each port that spreads calls over edges of which none weighs anything."""
    weights: dict[tuple[str, str], list[float]] = {}
    usual = {param.name: param.default for param in EDGE.params}["weight"]
    for edge in design.edges:
        weight = edge.params.get("weight", usual)
        if isinstance(weight, (int, float)):
            weights.setdefault((edge.from_.block, edge.from_.port), []).append(weight)
    for block in design.blocks:
        kind = kinds().get(block.kind)
        for port in kind.spec.ports if kind is not None else ():
            of_port = weights.get((block.id, port.name), [])
            if port.weighted and of_port and not any(of_port):
                yield Problem(
                    code="weights",
                    message=f"block {block.id!r}: all connections of its port {port.label!r} have weight 0, so nothing could go anywhere",
                    where=f"blocks[{block.id}]",
                    block=block.id,
                    value="0",
                    accepted="a weight above 0 on at least one of them",
                )


def _holds(when: dict[str, tuple[Scalar, ...]], values: dict[str, Scalar]) -> bool:
    return all(values[name] in wanted for name, wanted in when.items())


def _set_to(need: Need, values: dict[str, Scalar]) -> str:
    return ", ".join(f"{name} = {values[name]}" for name in need.when)
