"""Conditions as PostgreSQL's planner makes them simpler: constants folded, NOT pushed down, what is there twice in an OR taken out.

The rules are those of eval_const_expressions (clauses.c), canonicalize_qual (prepqual.c) and order_qual_clauses (createplan.c). They decide
which plan a statement has, and which part of a condition comes first, and so which of two errors, or none, a row gives.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence

from playground.isolation.syntax import BOOLEAN, Expression, Row

COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
NEGATED = {"=": "<>", "<>": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
HASHED_FROM = 9
"""An IN list of so many constants is looked up in a hash table (MIN_ARRAY_SIZE_FOR_HASHED_SAOP)."""
OPERATOR = 2
"""The cost of an operator, in halves of one: an IN list costs half of one for each constant."""


def quotient(one: int, other: int) -> int:
    """Division as SQL has it: towards zero."""
    whole = abs(one) // abs(other)
    return whole if (one < 0) == (other < 0) else -whole


def remainder(one: int, other: int) -> int:
    """What is left, with the sign of the dividend."""
    return one - other * quotient(one, other)


ARITHMETIC: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": quotient,
    "%": remainder,
}


def number(value: int) -> Expression:
    """A constant."""
    return Expression(str(value), lambda row, top: value, shape=str(value), constant=value)


def truth(value: bool) -> Expression:
    """A condition that is the same for every row."""
    text = "true" if value else "false"
    return Expression(text, lambda row, top: int(value), BOOLEAN, text, constant=int(value))


def column(name: str, place: int) -> Expression:
    """A column's value."""
    return Expression(name, lambda row, top: row[place], shape=name, column=name)


def calculated(left: Expression, sign: str, right: Expression, shown: str = "") -> Expression:
    """Arithmetic on two expressions; what a server's number can't hold is an OverflowError, between two operators as well."""
    work = ARITHMETIC[sign]
    text = f"{shown}{right.text}" if shown else f"{left.text} {sign} {right.text}"
    if left.constant is not None and right.constant is not None:
        value = work(left.constant, right.constant)
        return Expression(text, lambda row, top: value, shape=str(value), constant=value)

    def value_of(row: Row, top: int) -> int:
        value = work(left.of(row, top), right.of(row, top))
        if not -top <= value < top:
            raise OverflowError(text)
        return value

    return Expression(
        text, value_of, shape=f"({sign} {left.shape} {right.shape})", cost=left.cost + right.cost + OPERATOR
    )


def compared(left: Expression, sign: str, right: Expression) -> Expression:
    """A comparison of two numbers, or of two truths."""
    sign = "<>" if sign == "!=" else sign
    test = COMPARISONS[sign]
    if left.constant is not None and right.constant is not None:
        return truth(test(left.constant, right.constant))
    if left.kind == BOOLEAN and sign in ("=", "<>"):
        for one, other in ((left, right), (right, left)):
            if one.constant is not None:
                return other if bool(one.constant) == (sign == "=") else negated(other)
    return Expression(
        f"{left.text} {sign} {right.text}",
        lambda row, top: int(test(left.of(row, top), right.of(row, top))),
        BOOLEAN,
        f"({sign} {left.shape} {right.shape})",
        left.cost + right.cost + OPERATOR,
        sign=sign,
        sides=(left, right),
    )


def member(left: Expression, values: tuple[int, ...], is_in: bool = True) -> Expression:
    """``a IN (1, 2)``, or that it is none of them. A list of one is a comparison."""
    if len(values) == 1:
        return compared(left, "=" if is_in else "<>", number(values[0]))
    taken = frozenset(values)
    if left.constant is not None:
        return truth((left.constant in taken) == is_in)
    shown = ", ".join(map(str, values))
    return Expression(
        f"{left.text} {'' if is_in else 'not '}in ({shown})",
        lambda row, top: int((left.of(row, top) in taken) == is_in),
        BOOLEAN,
        f"({'in' if is_in else 'not in'} {left.shape} {shown})",
        left.cost + (len(values) if len(values) < HASHED_FROM else 2 * OPERATOR),
        listed=(left, values, is_in),
    )


def conjunction(sides: Sequence[Expression]) -> Expression:
    """AND, flat; from left to right until one is false."""
    parts = [part for side in sides for part in side.conjuncts or (side,) if part.constant != 1]
    if any(part.constant == 0 for part in parts):
        return truth(False)
    if len(parts) < 2:
        return parts[0] if parts else truth(True)
    return Expression(
        " and ".join(f"({part.text})" if part.alternatives else part.text for part in parts),
        lambda row, top: int(all(part.of(row, top) for part in parts)),
        BOOLEAN,
        f"(and {' '.join(part.shape for part in parts)})",
        sum(part.cost for part in parts),
        conjuncts=tuple(parts),
    )


def disjunction(sides: Sequence[Expression]) -> Expression:
    """OR, flat; from left to right until one is true."""
    parts = [part for side in sides for part in side.alternatives or (side,) if part.constant != 0]
    if any(part.constant == 1 for part in parts):
        return truth(True)
    if len(parts) < 2:
        return parts[0] if parts else truth(False)
    return Expression(
        " or ".join(part.text for part in parts),
        lambda row, top: int(any(part.of(row, top) for part in parts)),
        BOOLEAN,
        f"(or {' '.join(part.shape for part in parts)})",
        sum(part.cost for part in parts),
        alternatives=tuple(parts),
    )


def negated(inner: Expression) -> Expression:
    """NOT, as far down as it goes."""
    if inner.conjuncts:
        return disjunction([negated(part) for part in inner.conjuncts])
    if inner.alternatives:
        return conjunction([negated(part) for part in inner.alternatives])
    if inner.constant is not None:
        return truth(not inner.constant)
    if inner.listed is not None:
        left, values, is_in = inner.listed
        return member(left, values, not is_in)
    return compared(inner.sides[0], NEGATED[inner.sign], inner.sides[1])


def canonical(condition: Expression) -> Expression:
    """The condition with what all sides of an OR have in common taken out of it: ``(a and b) or (a and c)`` is ``a and (b or c)``."""
    if condition.conjuncts:
        return conjunction([canonical(part) for part in condition.conjuncts])
    if not condition.alternatives:
        return condition
    sides = [canonical(part) for part in condition.alternatives]
    lists = [side.conjuncts or (side,) for side in sides]
    shapes = [{part.shape for part in parts} for parts in lists]
    common: dict[str, Expression] = {}
    # A side that is no AND has one part: it is the only one that all can have.
    for part in min(lists, key=len):
        if all(part.shape in its for its in shapes):
            common.setdefault(part.shape, part)
    if not common:
        return disjunction(sides)
    rest = [[part for part in parts if part.shape not in common] for parts in lists]
    if not all(rest):
        return conjunction(list(common.values()))
    return conjunction([*common.values(), disjunction([conjunction(parts) for parts in rest])])


def ordered(condition: Expression) -> Expression:
    """An AND with its cheapest sides first. Of those that cost the same equalities come last: they are made anew from what equals what."""
    parts = condition.conjuncts
    if not parts:
        return condition
    return conjunction(sorted(parts, key=lambda part: (part.cost, part.sign == "=")))


def equalities(parts: Sequence[Expression]) -> dict[str, int] | None:
    """What each expression (by its shape) must equal by the equalities of an AND, where that is a constant; None: two at once."""
    groups: list[tuple[set[str], set[int]]] = []
    for part in parts:
        if part.sign != "=" or part.sides[0].kind == BOOLEAN:
            continue
        shapes = {side.shape for side in part.sides if side.constant is None}
        values = {side.constant for side in part.sides if side.constant is not None}
        apart = []
        for group in groups:
            if group[0] & shapes:
                shapes |= group[0]
                values |= group[1]
            else:
                apart.append(group)
        groups = [*apart, (shapes, values)]
    if any(len(values) > 1 for _, values in groups):
        return None
    return {shape: value for shapes, values in groups for value in values for shape in shapes}
