"""Expressions of WHERE and SET, parsed by precedence into functions over a row of whole numbers."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence

from playground.isolation.reading import Reader
from playground.isolation.syntax import Expression, Row, Token
from playground.isolation.tokens import NUMBER_MAX, syntax_error

COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
MIRRORED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
DEPTH_MAX = 50


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


class ExpressionParser:
    """Parses expressions over the columns of one table from a reader of tokens."""

    def __init__(self, reader: Reader, columns: Sequence[str]) -> None:
        self.reader = reader
        self.columns = list(columns)
        self.depth = 0

    def condition(self) -> Expression:
        """``a OR b``: the lowest precedence."""
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise syntax_error(self.reader.next, f"at most {DEPTH_MAX} expressions inside one another")
        left = self.conjunction()
        while self.reader.take_word("or"):
            left = either(left, self.conjunction())
        self.depth -= 1
        return left

    def conjunction(self) -> Expression:
        """``a AND b``."""
        left = self.negation()
        while self.reader.take_word("and"):
            left = both(left, self.negation())
        return left

    def negation(self) -> Expression:
        """``NOT a``."""
        if self.reader.take_word("not"):
            return negated(self.negation())
        return self.comparison()

    def comparison(self) -> Expression:
        """``a < b``, ``a BETWEEN b AND c``, ``a IN (b, c)``."""
        left = self.addition()
        token = self.reader.next
        if token.text in COMPARISONS:
            self.reader.advance()
            return compared(left, token.text, self.addition())
        if self.reader.take_word("between"):
            low = self.addition()
            self.reader.expect_word("and")
            return both(compared(left, ">=", low), compared(left, "<=", self.addition()))
        if self.reader.take_word("in"):
            return self.membership(left)
        return left

    def membership(self, left: Expression) -> Expression:
        """``a IN (1, 2)``."""
        self.reader.expect_sign("(")
        values = [self.constant()]
        while self.reader.take_sign(","):
            values.append(self.constant())
        self.reader.expect_sign(")")
        taken = frozenset(values)
        text = f"{left.text} in ({', '.join(map(str, values))})"
        among = (left.text, tuple(sorted(taken))) if left.text in self.columns else None
        return Expression(text, lambda row: int(left.of(row) in taken), among=among)

    def constant(self) -> int:
        """A whole number, or an expression of whole numbers alone."""
        token = self.reader.next
        value = self.addition().constant
        if value is None:
            raise syntax_error(token, "a whole number")
        return value

    def addition(self) -> Expression:
        """``a + b``, ``a - b``."""
        left = self.product()
        while self.reader.next.text in ("+", "-"):
            token = self.reader.advance()
            left = in_range(calculated(left, token.text, self.product()), token)
        return left

    def product(self) -> Expression:
        """``a * b``, ``a / 2``, ``a % 2``."""
        left = self.operand()
        while self.reader.next.text in ("*", "/", "%"):
            sign = self.reader.advance().text
            token = self.reader.next
            right = self.operand()
            if sign != "*" and not right.constant:
                # So that no statement can fail by dividing by zero.
                raise syntax_error(token, "a number other than 0 to divide by")
            left = in_range(calculated(left, sign, right), token)
        return left

    def operand(self) -> Expression:
        """A number, a column, ``-a``, ``(a)``."""
        token = self.reader.next
        if self.reader.take_sign("-"):
            return calculated(number(0), "-", self.operand(), shown="-")
        if self.reader.take_sign("("):
            inner = self.condition()
            self.reader.expect_sign(")")
            return Expression(
                f"({inner.text})", inner.of, inner.comparison, inner.conjuncts, inner.among, inner.constant
            )
        if token.kind == "number":
            self.reader.advance()
            return number(int(token.text))
        if token.kind == "word" and token.text.lower() in self.columns:
            self.reader.advance()
            return column(token.text.lower(), self.columns.index(token.text.lower()))
        raise syntax_error(token, f"a number, a column ({', '.join(self.columns)}), NOT or (")


def number(value: int) -> Expression:
    """A constant."""
    return Expression(str(value), lambda row: value, constant=value)


def column(name: str, place: int) -> Expression:
    """A column's value."""
    return Expression(name, lambda row: row[place])


def calculated(left: Expression, sign: str, right: Expression, shown: str = "") -> Expression:
    """Arithmetic on two expressions."""
    work = ARITHMETIC[sign]
    text = f"{shown}{right.text}" if shown else f"{left.text} {sign} {right.text}"
    if left.constant is not None and right.constant is not None:
        value = work(left.constant, right.constant)
        return Expression(text, lambda row: value, constant=value)
    return Expression(text, lambda row: work(left.of(row), right.of(row)))


def in_range(expression: Expression, token: Token) -> Expression:
    """It, unless it is a constant beyond what an INT holds. Raises InputError."""
    if abs(expression.constant or 0) > NUMBER_MAX:
        raise syntax_error(token, f"arithmetic that stays within {NUMBER_MAX}", f"{expression.text!r}")
    return expression


def compared(left: Expression, sign: str, right: Expression) -> Expression:
    """A comparison; one of a column with a constant is remembered for the plan."""
    test = COMPARISONS[sign]
    kept = None
    if sign in MIRRORED:
        if right.constant is not None and left.text.isidentifier():
            kept = (left.text, sign, right.constant)
        elif left.constant is not None and right.text.isidentifier():
            kept = (right.text, MIRRORED[sign], left.constant)
    return Expression(
        f"{left.text} {sign} {right.text}", lambda row: int(test(left.of(row), right.of(row))), comparison=kept
    )


def both(left: Expression, right: Expression) -> Expression:
    """AND."""
    parts = (left.conjuncts or (left,)) + (right.conjuncts or (right,))
    return Expression(f"{left.text} and {right.text}", lambda row: int(left.of(row) and right.of(row)), conjuncts=parts)


def either(left: Expression, right: Expression) -> Expression:
    """OR."""
    return Expression(f"{left.text} or {right.text}", lambda row: int(left.of(row) or right.of(row)))


def negated(inner: Expression) -> Expression:
    """NOT."""
    return Expression(f"not {inner.text}", lambda row: int(not inner.of(row)))


def always(row: Row) -> int:
    """No WHERE clause: true of every row."""
    return 1
