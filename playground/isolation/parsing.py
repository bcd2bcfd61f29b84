"""A script's grammar.

create table test (id int primary key, value int);        first the tables, and the rows that are there
insert into test values (1, 10), (2, 20);

T1: begin isolation level repeatable read;                 then the statements of T1 to T4, one a line, in their order
T1: select * from test where id = 1 for update;
T2: begin; update test set value = value + 1 where id = 1;   several on a line are of one session
T1: commit;                                                -- begins a comment; so does # at a line's start
"""

from __future__ import annotations

from playground.engine.mvcc.terms import LEVELS
from playground.isolation.expressions import WRONG_TYPE, ExpressionParser, check_boolean
from playground.isolation.pages import versions_max
from playground.isolation.reading import Reader
from playground.isolation.syntax import (
    INTEGER,
    Begin,
    Command,
    Commit,
    Delete,
    Expression,
    Insert,
    Rollback,
    Script,
    Select,
    Step,
    TableDeclaration,
    Update,
)
from playground.isolation.tokens import END, syntax_error, tokens_of, type_error
from playground.protocol.errors import InputError

SESSIONS = ("t1", "t2", "t3", "t4")
STEPS_MAX = 500
COLUMNS_MAX = 8
TABLES_MAX = 8
STATEMENTS = ("begin", "start", "select", "insert", "update", "delete", "commit", "rollback", "abort", "end")
STATEMENTS_TAKEN = "BEGIN, SELECT, INSERT, UPDATE, DELETE, COMMIT or ROLLBACK"
TYPES = ("int", "integer", "int4")
LOCKS = {
    "update": "FOR UPDATE",
    "share": "FOR SHARE",
    "no": "FOR NO KEY UPDATE",
    "key": "FOR KEY SHARE",
}


def parse(text: str) -> Script:
    """A script. Raises InputError, which names line, column, token, and what would be taken there."""
    return Parser(text).script()


class Parser:
    """Recursive descent over the tokens of one script."""

    def __init__(self, text: str) -> None:
        self.reader = Reader(tokens_of(text))
        self.tables: dict[str, TableDeclaration] = {}
        self.steps: list[Step] = []

    def script(self) -> Script:
        """All of it."""
        reader = self.reader
        while not reader.is_done():
            if reader.take_sign(";"):
                continue
            if reader.is_word(*SESSIONS):
                self.session()
            elif self.steps:
                raise syntax_error(reader.next, "a session (T1: to T4:), or the end of the script")
            elif reader.take_word("create"):
                self.create_table()
            elif reader.take_word("insert"):
                self.first_rows()
            else:
                raise syntax_error(reader.next, "CREATE TABLE, INSERT, or a session (T1: to T4:)")
        if not self.steps:
            raise syntax_error(reader.next, "at least one statement of a session, such as T1: begin;")
        return Script(tuple(self.tables.values()), tuple(self.steps))

    def create_table(self) -> None:
        """``CREATE TABLE name (id INT PRIMARY KEY, value INT)``."""
        reader = self.reader
        reader.expect_word("table")
        token = reader.next
        name = reader.expect_name("the table's name")
        if name in self.tables or len(self.tables) == TABLES_MAX:
            raise syntax_error(token, f"up to {TABLES_MAX} tables, each with a name of its own")
        reader.expect_sign("(")
        columns: list[str] = []
        while True:
            token = reader.next
            columns.append(reader.expect_name("a column's name"))
            if columns[-1] in columns[:-1] or len(columns) > COLUMNS_MAX:
                raise syntax_error(token, f"up to {COLUMNS_MAX} columns, each with a name of its own")
            reader.expect_word(*TYPES)
            if len(columns) == 1:
                reader.expect_word("primary")
                reader.expect_word("key")
            elif reader.take_word("not"):
                reader.expect_word("null")
            if not reader.take_sign(","):
                break
        reader.expect_sign(")")
        reader.end_of_statement()
        self.tables[name] = TableDeclaration(name, tuple(columns))

    def first_rows(self) -> None:
        """An INSERT before all sessions."""
        token = self.reader.next
        insert = self.insert()
        self.reader.end_of_statement()
        table = self.tables[insert.table]
        rows = table.rows + insert.rows
        most = versions_max(len(table.columns))
        if len(rows) > most:
            why = (
                f"a table of {len(table.columns)} columns has up to {most} rows: the lab follows PostgreSQL as long as they take less than "
                "nine tenths of one page"
            )
            raise syntax_error(token, why, f"an INSERT that makes it {len(rows)} rows")
        if len({row[0] for row in rows}) < len(rows):
            raise syntax_error(token, f"rows each with a {table.columns[0]} of its own", "this INSERT")
        self.tables[insert.table] = TableDeclaration(table.name, table.columns, rows)

    def session(self) -> None:
        """``T1: statement; statement``."""
        reader = self.reader
        name = reader.advance().text.upper()
        reader.expect_sign(":")
        while True:
            start, token = reader.place, reader.next
            command = self.command()
            text = reader.text_between(start, reader.place)
            reader.end_of_statement()
            if len(self.steps) == STEPS_MAX:
                raise syntax_error(token, f"at most {STEPS_MAX} statements")
            self.steps.append(Step(name, command, text, token.line))
            if reader.tokens[reader.place].kind in ("newline", END):
                return

    def command(self) -> Command:
        """One statement of a session."""
        reader = self.reader
        if not reader.is_word(*STATEMENTS):
            raise syntax_error(reader.next, STATEMENTS_TAKEN)
        word = reader.advance().text.lower()
        if word in ("begin", "start"):
            return self.begin(word)
        if word == "select":
            return self.select()
        if word == "insert":
            return self.insert()
        if word == "update":
            return self.update()
        if word == "delete":
            reader.expect_word("from")
            table = self.table()
            return Delete(table.name, self.where(table))
        return Commit() if word in ("commit", "end") else Rollback()

    def begin(self, word: str) -> Begin:
        """``BEGIN [TRANSACTION] [ISOLATION LEVEL level] [READ ONLY]``."""
        reader = self.reader
        if word == "start":
            reader.expect_word("transaction")
        else:
            reader.take_word("transaction")
        level: str | None = None
        is_read_only: bool | None = None
        while reader.is_word("isolation", "read"):
            if reader.take_word("isolation"):
                reader.expect_word("level")
                level = self.level()
            else:
                reader.advance()
                is_read_only = reader.expect_word("only", "write") == "only"
            if reader.take_sign(",") and not reader.is_word("isolation", "read"):
                raise syntax_error(reader.next, "ISOLATION LEVEL or READ after the comma")
        return Begin(level, is_read_only)

    def level(self) -> str:
        """``READ COMMITTED`` and so on."""
        first = self.reader.expect_word("read", "repeatable", "serializable")
        if first == "read":
            return "read " + self.reader.expect_word("committed", "uncommitted")
        if first == "repeatable":
            return "repeatable " + self.reader.expect_word("read")
        return first

    def table(self) -> TableDeclaration:
        """The name of a table that there is."""
        token = self.reader.next
        name = self.reader.expect_name("a table's name")
        if name not in self.tables:
            accepted = ", ".join(self.tables) or "a table that CREATE TABLE declared before"
            raise syntax_error(token, accepted)
        return self.tables[name]

    def select(self) -> Select:
        """``SELECT * | columns | count(*) | sum(column) FROM table [WHERE ...] [FOR ...]``."""
        reader = self.reader
        start = reader.next
        names: list[str] = []
        aggregate = None
        if reader.is_word("count", "sum"):
            aggregate = reader.advance().text.lower()
            reader.expect_sign("(")
            names.append("*" if aggregate == "count" and reader.take_sign("*") else reader.expect_name("a column"))
            reader.expect_sign(")")
        else:
            names.append("*" if reader.take_sign("*") else reader.expect_name("*, a column, COUNT(*) or SUM(column)"))
            while names != ["*"] and reader.take_sign(","):
                names.append(reader.expect_name("a column"))
        reader.expect_word("from")
        table = self.table()
        if aggregate != "count" or names != ["*"]:
            self.check_columns(table, names, start.line, start.column)
        columns = table.columns if names == ["*"] else tuple(names)
        where = self.where(table)
        lock = None
        if reader.is_word("for"):
            if aggregate is not None:
                raise syntax_error(reader.next, "no row lock: it is not allowed with COUNT and SUM")
            lock = self.lock()
        return Select(table.name, columns, aggregate, where, lock)

    def check_columns(self, table: TableDeclaration, names: list[str], line: int, column: int) -> None:
        """Raises InputError for a column that the table hasn't."""
        for name in names:
            if name != "*" and name not in table.columns:
                raise InputError.single(
                    "syntax",
                    f"line {line}, column {column}: {table.name} has no column {name!r}",
                    where=f"line {line}, column {column}",
                    value=name,
                    accepted=", ".join(table.columns),
                )

    def lock(self) -> str:
        """``FOR UPDATE`` and so on."""
        reader = self.reader
        reader.expect_word("for")
        word = reader.expect_word("update", "share", "no", "key")
        if word == "no":
            reader.expect_word("key")
            reader.expect_word("update")
        elif word == "key":
            reader.expect_word("share")
        return LOCKS[word]

    def insert(self) -> Insert:
        """``INSERT INTO table [(all columns)] VALUES (1, 2), ...``."""
        reader = self.reader
        reader.take_word("insert")
        reader.expect_word("into")
        table = self.table()
        if reader.take_sign("("):
            for place, name in enumerate(table.columns):
                if place:
                    reader.expect_sign(",")
                reader.expect_word(name)
            reader.expect_sign(")")
        reader.expect_word("values")
        rows = [self.row(table)]
        while reader.take_sign(","):
            rows.append(self.row(table))
        return Insert(table.name, tuple(rows))

    def row(self, table: TableDeclaration) -> tuple[int, ...]:
        """``(1, 10)``."""
        reader = self.reader
        reader.expect_sign("(")
        values: list[int] = []
        for place, name in enumerate(table.columns):
            if place:
                reader.expect_sign(",")
            token = reader.next
            value = ExpressionParser(reader, ()).constant()
            if place == 0 and value < 0:
                raise syntax_error(token, f"a {name} of 0 or more")
            values.append(value)
        reader.expect_sign(")")
        return tuple(values)

    def update(self) -> Update:
        """``UPDATE table SET column = expression, ... [WHERE ...]``."""
        reader = self.reader
        table = self.table()
        reader.expect_word("set")
        assignments: list[tuple[str, Expression]] = []
        while True:
            token = reader.next
            name = reader.expect_name("a column")
            if name not in table.columns[1:]:
                accepted = f"a column that is not the primary key: {', '.join(table.columns[1:]) or 'there is none'}"
                raise syntax_error(token, accepted)
            if any(name == before for before, _ in assignments):
                raise syntax_error(token, "each column once")
            reader.expect_sign("=")
            token = reader.next
            value = ExpressionParser(reader, table.columns).addition()
            if value.kind != INTEGER:
                what = f'column "{name}" is of type integer but expression is of type boolean'
                raise type_error(token, what, WRONG_TYPE, "a number")
            assignments.append((name, value))
            if not reader.take_sign(","):
                break
        return Update(table.name, tuple(assignments), self.where(table))

    def where(self, table: TableDeclaration) -> Expression | None:
        """``[WHERE condition]``."""
        if not self.reader.take_word("where"):
            return None
        token = self.reader.next
        return check_boolean(ExpressionParser(self.reader, table.columns).condition(), "WHERE", token, self.reader)


__all__ = ["LEVELS", "Parser", "parse"]
