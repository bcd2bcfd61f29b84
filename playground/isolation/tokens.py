"""From the text of a script to its tokens, and the one error that there is for a script."""

from __future__ import annotations

import re

from playground.isolation.syntax import Token
from playground.protocol.errors import InputError, shown

PATTERN = re.compile(
    r"(?P<space>[ \t\r\f]+)|(?P<comment>--[^\n]*|\#[^\n]*)|(?P<newline>\n)|(?P<number>[0-9]+)|(?P<word>[A-Za-z_][A-Za-z_0-9]*)"
    r"|(?P<sign><>|!=|<=|>=|[-+*/%=<>(),;:])"
)
END = "end"
NUMBER_MAX = 2**31 - 1
DIGITS_MAX = 10
CHARACTERS_MAX = 100_000


def syntax_error(token: Token, accepted: str, found: str | None = None) -> InputError:
    """An error at a token, naming line, column, token, and what would be taken there."""
    what = found or ("the end of the script" if token.kind == END else repr(shown(token.text)))
    return InputError.single(
        "syntax",
        f"line {token.line}, column {token.column}: {what} can't stand here",
        where=f"line {token.line}, column {token.column}",
        value=shown(token.text) or None,
        accepted=accepted,
    )


def type_error(token: Token, message: str, code: str, accepted: str) -> InputError:
    """An error of types at a token, in a server's words, with its SQLSTATE."""
    return InputError.single(
        "type",
        f"line {token.line}, column {token.column}, {shown(token.text)!r}: {message} (PostgreSQL's error {code})",
        where=f"line {token.line}, column {token.column}",
        value=shown(token.text) or None,
        accepted=accepted,
    )


def tokens_of(text: str) -> list[Token]:
    """All tokens, line ends included, and the end. Raises InputError for a character that no token has, or a text too long."""
    if len(text) > CHARACTERS_MAX:
        raise InputError.single(
            "too_long", f"the script has {len(text):,} characters", accepted=f"at most {CHARACTERS_MAX:,}"
        )
    found: list[Token] = []
    place, line, start = 0, 1, 0
    while place < len(text):
        match = PATTERN.match(text, place)
        column = place - start + 1
        if match is None:
            raise syntax_error(
                Token("character", text[place], line, column), "words, whole numbers, and the signs of SQL"
            )
        kind = str(match.lastgroup)
        if kind == "newline":
            found.append(Token("newline", "\n", line, column))
            line, start = line + 1, match.end()
        elif kind == "comment":
            check_comment(Token(kind, match[0], line, column), text[start:place])
        elif kind != "space":
            token = Token(kind, match[0], line, column)
            if kind == "number" and (len(match[0].lstrip("0")) > DIGITS_MAX or int(match[0]) > NUMBER_MAX):
                raise syntax_error(token, f"a whole number up to {NUMBER_MAX}")
            if kind == "word" and place and text[place - 1].isdigit():
                # PostgreSQL 15 has it so: "trailing junk after numeric literal".
                raise syntax_error(token, "a space or a sign after the number")
            found.append(token)
        place = match.end()
    found.append(Token(END, "", line, place - start + 1))
    return found


def check_comment(token: Token, before: str) -> None:
    """Raises InputError for what one server takes for a comment and the other for signs; ``before`` is the line up to there."""
    if not before.strip():
        return
    if token.text[0] == "#":
        what = "a comment that begins with -- (# begins one only at a line's start: elsewhere it is PostgreSQL's XOR)"
        raise syntax_error(token, what, "'#'")
    if len(token.text) > 2 and not token.text[2].isspace():
        raise syntax_error(token, "a space after -- (without one, MySQL takes it for two minus signs)", "'--'")
