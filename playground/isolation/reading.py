"""A place in a list of tokens, with the ways to take the next one."""

from __future__ import annotations

from collections.abc import Sequence

from playground.isolation.names import check_name
from playground.isolation.syntax import Token
from playground.isolation.tokens import END, syntax_error


class Reader:
    """Tokens, taken one after the other; line ends count only where :meth:`at_line_end` asks for them."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = tokens
        self.place = 0

    @property
    def next(self) -> Token:
        """The next token that isn't a line end."""
        place = self.place
        while self.tokens[place].kind == "newline":
            place += 1
        return self.tokens[place]

    def is_done(self) -> bool:
        """Whether nothing but the end is left."""
        return self.next.kind == END

    def advance(self) -> Token:
        """Take the next token, whatever it is."""
        while self.tokens[self.place].kind == "newline":
            self.place += 1
        token = self.tokens[self.place]
        if token.kind != END:
            self.place += 1
        return token

    def is_word(self, *words: str) -> bool:
        """Whether the next token is one of the words, in any case."""
        return self.next.kind == "word" and self.next.text.lower() in words

    def take_word(self, word: str) -> bool:
        """Take a word if it is the next token."""
        if self.is_word(word):
            self.advance()
            return True
        return False

    def expect_word(self, *words: str) -> str:
        """Take one of the words; raises InputError for anything else."""
        if not self.is_word(*words):
            raise syntax_error(self.next, " or ".join(word.upper() for word in words))
        return self.advance().text.lower()

    def take_sign(self, sign: str) -> bool:
        """Take a sign if it is the next token."""
        if self.next.kind == "sign" and self.next.text == sign:
            self.advance()
            return True
        return False

    def expect_sign(self, sign: str) -> None:
        """Take a sign; raises InputError for anything else."""
        if not self.take_sign(sign):
            raise syntax_error(self.next, sign)

    def expect_name(self, what: str) -> str:
        """Take a name, in small letters; raises InputError for anything else, and for what PostgreSQL takes for no name."""
        if self.next.kind != "word":
            raise syntax_error(self.next, what)
        check_name(self.next, what)
        return self.advance().text.lower()

    def at_end_of_part(self) -> bool:
        """Whether an expression may end here: at a line's end, before a sign that closes it, AND, OR or FOR."""
        token = self.tokens[self.place]
        return token.kind in ("newline", END) or token.text.lower() in (";", ")", ",", "and", "or", "for")

    def end_of_statement(self) -> None:
        """Take the semicolon, or stand at a line's end. Raises InputError where something else follows."""
        if self.tokens[self.place].kind in ("newline", END):
            return
        token = self.tokens[self.place]
        if token.text != ";":
            raise syntax_error(token, "; or the end of the line")
        self.place += 1

    def text_between(self, start: int, end: int) -> str:
        """The tokens from ``start`` to before ``end``, as SQL."""
        words = [token for token in self.tokens[start:end] if token.kind != "newline"]
        text = ""
        for before, token in zip([None, *words], words, strict=False):
            glued = before is None or before.text == "(" or token.text in (",", ")", ";")
            glued = glued or (token.text == "(" and before is not None and before.text.lower() in ("count", "sum"))
            text += token.text if glued else f" {token.text}"
        return text
