"""Expressions of WHERE and SET, parsed by precedence into functions over a row of whole numbers, their types checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from playground.isolation.algebra import (
    ARITHMETIC,
    COMPARISONS,
    calculated,
    column,
    compared,
    conjunction,
    disjunction,
    member,
    negated,
    number,
)
from playground.isolation.reading import Reader
from playground.isolation.syntax import BOOLEAN, INTEGER, Expression, Row, Token
from playground.isolation.tokens import NUMBER_MAX, syntax_error, type_error

DEPTH_MAX = 50
SIGNS_MAX = 300
UNKNOWN_OPERATOR = "42883"
WRONG_TYPE = "42804"


class ExpressionParser:
    """Parses expressions over the columns of one table from a reader of tokens."""

    def __init__(self, reader: Reader, columns: Sequence[str]) -> None:
        self.reader = reader
        self.columns = list(columns)
        self.depth = 0
        self.signs = 0

    def deeper(self) -> None:
        """One expression more inside another. Raises InputError for too many."""
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise syntax_error(self.reader.next, f"at most {DEPTH_MAX} expressions inside one another")

    def sign(self) -> Token:
        """The next sign of arithmetic. Raises InputError for too many."""
        self.signs += 1
        if self.signs > SIGNS_MAX:
            raise syntax_error(self.reader.next, f"at most {SIGNS_MAX} signs of arithmetic in a statement")
        return self.reader.advance()

    def condition(self) -> Expression:
        """``a OR b``: the lowest precedence."""
        self.deeper()
        token = self.reader.next
        sides = [self.conjunction()]
        while self.reader.is_word("or"):
            check_boolean(sides[-1], "OR", token, self.reader)
            self.reader.advance()
            token = self.reader.next
            sides.append(check_boolean(self.conjunction(), "OR", token, self.reader))
        self.depth -= 1
        return disjunction(sides) if len(sides) > 1 else sides[0]

    def conjunction(self) -> Expression:
        """``a AND b``."""
        token = self.reader.next
        sides = [self.negation()]
        while self.reader.is_word("and"):
            check_boolean(sides[-1], "AND", token, self.reader)
            self.reader.advance()
            token = self.reader.next
            sides.append(check_boolean(self.negation(), "AND", token, self.reader))
        return conjunction(sides) if len(sides) > 1 else sides[0]

    def negation(self) -> Expression:
        """``NOT a``."""
        if self.reader.take_word("not"):
            token = self.reader.next
            self.deeper()
            inner = check_boolean(self.negation(), "NOT", token, self.reader)
            self.depth -= 1
            return negated(inner)
        return self.comparison()

    def comparison(self) -> Expression:
        """``a < b``, ``a [NOT] BETWEEN b AND c``, ``a [NOT] IN (b, c)``."""
        left = self.addition()
        token = self.reader.next
        if token.text in COMPARISONS or token.text == "!=":
            self.reader.advance()
            return self.compare(left, token.text, self.addition(), token)
        is_negated = self.reader.take_word("not")
        if is_negated and not self.reader.is_word("between", "in"):
            raise syntax_error(self.reader.next, "BETWEEN or IN")
        if self.reader.take_word("between"):
            low = self.compare(left, ">=", self.addition(), token)
            self.reader.expect_word("and")
            found = conjunction([low, self.compare(left, "<=", self.addition(), token)])
        elif self.reader.take_word("in"):
            found = self.membership(left, token)
        else:
            return left
        return negated(found) if is_negated else found

    def compare(self, left: Expression, sign: str, right: Expression, token: Token) -> Expression:
        """A comparison of two of a kind. Raises InputError for others."""
        check_operator(left, sign, right, token, left.kind)
        return compared(left, sign, right)

    def membership(self, left: Expression, token: Token) -> Expression:
        """``a IN (1, 2)``."""
        check_operator(left, "=", number(0), token)
        self.reader.expect_sign("(")
        values = [self.constant()]
        while self.reader.take_sign(","):
            values.append(self.constant())
        self.reader.expect_sign(")")
        return member(left, tuple(values))

    def constant(self) -> int:
        """A whole number, or an expression of whole numbers alone."""
        token = self.reader.next
        value = self.addition()
        if value.constant is None or value.kind != INTEGER:
            raise syntax_error(token, "a whole number")
        return value.constant

    def addition(self) -> Expression:
        """``a + b``, ``a - b``."""
        left = self.product()
        while self.reader.next.text in ("+", "-"):
            token = self.sign()
            right = self.product()
            check_operator(left, token.text, right, token)
            left = in_range(calculated(left, token.text, right), token)
        return left

    def product(self) -> Expression:
        """``a * b``, ``a / 2``, ``a % 2``."""
        left = self.operand()
        while self.reader.next.text in ("*", "/", "%"):
            between = self.sign()
            sign, token = between.text, self.reader.next
            right = self.operand()
            check_operator(left, sign, right, between)
            if sign != "*" and not right.constant:
                # So that no statement can fail by dividing by zero.
                raise syntax_error(token, "a number other than 0 to divide by")
            left = in_range(calculated(left, sign, right), token)
        return left

    def operand(self) -> Expression:
        """A number, a column, ``-a``, ``(a)``."""
        token = self.reader.next
        if self.reader.take_sign("-"):
            self.deeper()
            right = self.operand()
            self.depth -= 1
            if right.kind != INTEGER:
                raise type_error(token, "operator does not exist: - boolean", UNKNOWN_OPERATOR, "a number after -")
            return calculated(number(0), "-", right, shown="-")
        if self.reader.take_sign("("):
            inner = self.condition()
            self.reader.expect_sign(")")
            return replace(inner, text=f"({inner.text})")
        if token.kind == "number":
            self.reader.advance()
            return number(int(token.text))
        if token.kind == "word" and token.text.lower() in self.columns:
            self.reader.advance()
            return column(token.text.lower(), self.columns.index(token.text.lower()))
        raise syntax_error(token, f"a number, a column ({', '.join(self.columns)}), NOT or (")


def check_operator(left: Expression, sign: str, right: Expression, token: Token, kind: str = INTEGER) -> None:
    """Raises InputError unless both sides are of a kind."""
    if left.kind != kind or right.kind != kind:
        what = f"operator does not exist: {left.kind} {sign} {right.kind}"
        of_both = "two numbers" + (" or two conditions" if sign not in ARITHMETIC else "")
        raise type_error(token, what, UNKNOWN_OPERATOR, of_both)


def check_boolean(expression: Expression, word: str, token: Token, reader: Reader) -> Expression:
    """It, if it is true or false. Raises InputError for a number: PostgreSQL takes none for a condition.

    Where it goes on with something else (``value IS NULL``), that is what can't stand there.
    """
    if expression.kind != BOOLEAN:
        if not reader.at_end_of_part():
            raise syntax_error(reader.next, f"a comparison ({', '.join(COMPARISONS)}), [NOT] BETWEEN or [NOT] IN")
        what = f"argument of {word} must be type boolean, not type integer"
        raise type_error(token, what, WRONG_TYPE, "a comparison, such as value > 10")
    return expression


def in_range(expression: Expression, token: Token) -> Expression:
    """It, unless it is a constant beyond what an INT holds. Raises InputError."""
    if abs(expression.constant or 0) > NUMBER_MAX:
        raise syntax_error(token, f"arithmetic that stays within {NUMBER_MAX}", f"{expression.text!r}")
    return expression


def always(row: Row, top: int) -> int:
    """No WHERE clause: true of every row."""
    return 1
