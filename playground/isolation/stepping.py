"""A script, stepped statement by statement through the core.

A session that waits takes no further statement: what the script has for it meanwhile is postponed, and run as soon as it waits no
more, before the next step. The same rule is kept on a real server, see :mod:`playground.isolation.server`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from playground.engine.mvcc.database import Database
from playground.engine.mvcc.innodb import InnoDB
from playground.engine.mvcc.statement import Statement
from playground.engine.mvcc.table import Table
from playground.engine.mvcc.terms import (
    ACTIVE,
    ACTIVE_TRANSACTION,
    DONE,
    ERROR,
    FAILED,
    FAILED_TRANSACTION,
    IN_FAILED_TRANSACTION,
    LEVEL_TOO_LATE,
    LEVELS,
    NOTHING,
    REPEATABLE_READ,
    WAITING,
    WRITES_TOO_LATE,
    level_of,
)
from playground.engine.mvcc.transaction import Transaction
from playground.isolation.choices import FASTER, GOES_ON, LOOKS, Choices
from playground.isolation.pages import ALL_IN_ONE_LEAF, rows_per_page, versions_max
from playground.isolation.planning import LabStatement
from playground.isolation.syntax import Begin, Command, Commit, Delete, Insert, Rollback, Script, Select, Update

POSTPONED: Final = "postponed"
WAITS: Final = "waits"
FINISHED: Final = "done"
FAILS: Final = "error"
AHEAD: Final = "ahead"


@dataclass
class Outcome:
    """What became of one statement: nothing yet, ``done``, ``error``, or it still ``waits`` or is ``postponed``.

    ``rows`` are those that a SELECT returned; ``tag`` is what the server says was done (``UPDATE 1``). ``waited_for`` has, for every time
    it had to wait, the step at which that began and the sessions it waited for.
    """

    index: int
    session: str
    status: str = ""
    columns: tuple[str, ...] = ()
    rows: list[list[int | None]] = field(default_factory=list)
    tag: str = ""
    code: str = ""
    message: str = ""
    detail: str = ""
    waited_for: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    step_done: int | None = None
    notice: str = ""


@dataclass
class Session:
    """One session: its transaction, the statement that it waits in, those postponed."""

    name: str
    transaction: Transaction | None = None
    is_implicit: bool = False
    current: int | None = None
    statement: LabStatement | None = None
    postponed: list[int] = field(default_factory=list)


class Stepper:
    """Steps a script; ``outcomes`` has what became of each statement so far.

    ``level`` is that of a BEGIN that names none. ``choices`` are those between sessions that do something at once.
    ``is_indexed`` off: plans never use the index. Transactions whose
    numbers are in ``exempt`` run at REPEATABLE READ at most: what would have been without the checks of SERIALIZABLE. ``watch`` is told of
    each statement that is done, or has failed (True) in a transaction that goes on, before its session does.
    """

    def __init__(
        self,
        script: Script,
        database: Database,
        level: str = "read committed",
        *,
        choices: Choices | None = None,
        is_indexed: bool = True,
        watch: Callable[[int, Session, LabStatement, bool], None] | None = None,
        exempt: frozenset[int] = frozenset(),
    ) -> None:
        self.script = script
        self.database = database
        self.level = level_of(level)
        self.choices = choices or Choices()
        self.is_indexed = is_indexed
        self.watch = watch
        self.exempt = exempt
        self.begun: list[Transaction] = []
        self.tables: dict[str, Table] = {}
        self.full: set[str] = set()
        for declared in script.tables:
            width = len(declared.columns)
            table = database.create_table(declared.name, list(declared.columns), ALL_IN_ONE_LEAF, rows_per_page(width))
            for row in declared.rows:
                table.load(list(row), 1)
            self.tables[declared.name] = table
        self.sessions = {name: Session(name) for name in script.sessions}
        self.outcomes = [Outcome(index, step.session) for index, step in enumerate(script.steps)]
        self.transactions: dict[int, tuple[str, int]] = {}
        self.step = 0

    def run(self) -> None:
        """All steps that are left."""
        while self.step < len(self.script.steps):
            self.advance()

    def advance(self) -> None:
        """The next step, and everything that it sets in motion."""
        index = self.step
        hands_over = self.choices.choose(index, 2)
        self.database.hands_over = hands_over.taken == 1
        session = self.sessions[self.script.steps[index].session]
        if session.current is not None or session.postponed:
            session.postponed.append(index)
            self.outcomes[index].status = POSTPONED
        else:
            self.execute(session, index)
        if self.settle() < 2:
            # Nobody did anything at once with another.
            hands_over.count = 1
        elif hands_over.taken:
            hands_over.told = FASTER
        self.tell_full(index)
        self.step += 1

    def tell_full(self, index: int) -> None:
        """Say in which step a table came to have more versions than the lab can follow PostgreSQL with."""
        if isinstance(self.database, InnoDB):
            return
        for name, table in self.tables.items():
            most = versions_max(int(table.width))
            if table.size > most and name not in self.full:
                self.full.add(name)
                told = f"{name} has more than {most} row versions now: from here on PostgreSQL, which reuses dead ones' places, may differ"
                self.outcomes[index].notice = "; ".join(filter(None, (self.outcomes[index].notice, told)))

    def settle(self) -> int:
        """Let everyone go on who can, and run what was postponed for them; how many went on or began to wait.

        Of several that may go on usually the one goes first that waited longest, and of several that begin to wait who began first is the
        first to look for a deadlock.
        """
        moved = 0
        while True:
            moved += bool(self.database.waits.ready or self.database.waits.begun)
            ready = self.database.waits.ready
            if ready:
                transaction = ready.pop(self.first_of(ready, GOES_ON))
                session = self.session_of(transaction)
                if session.statement is not None:
                    session.statement.goes_on(self.database.commits)
                self.after(session, self.database.resume(transaction))
                continue
            begun = self.database.waits.begun
            if begun:
                # All have come to rest: their deadlock_timeout passes.
                transaction = begun.pop(self.first_of(begun, LOOKS))
                if transaction.waits != NOTHING:
                    self.after(self.session_of(transaction), self.database.check_deadlock(transaction))
                continue
            waiting = [one for one in self.sessions.values() if one.postponed and one.current is None]
            if not waiting:
                break
            first = min(waiting, key=lambda one: one.postponed[0])
            self.execute(first, first.postponed.pop(0))
        for session in self.sessions.values():
            self.note_waiting(session)
        return moved

    def first_of(self, transactions: list[Transaction], what: str) -> int:
        """Which of some transactions is first to do something: a place in the list."""
        names = [self.session_of(one).name for one in transactions]
        return self.choices.first_of(self.step, names, what)

    def note_waiting(self, session: Session) -> None:
        """Keep whom a session waits for, if that is news."""
        if session.current is None or session.transaction is None:
            return
        outcome = self.outcomes[session.current]
        names = self.names(self.database.blockers(session.transaction))
        if not outcome.waited_for or outcome.waited_for[-1][1] != names:
            outcome.waited_for.append((self.step, names))

    def names(self, transactions: Iterable[Transaction]) -> tuple[str, ...]:
        """The sessions that some transactions are of, in order."""
        return tuple(sorted({self.session_of(one).name for one in transactions}))

    def session_of(self, transaction: Transaction) -> Session:
        """The session that a transaction is of."""
        return list(self.sessions.values())[int(transaction.owner)]

    def execute(self, session: Session, index: int) -> None:
        """Run a statement of a session that doesn't wait."""
        command = self.script.steps[index].command
        outcome = self.outcomes[index]
        session.current = index
        if isinstance(command, Begin):
            self.begin(session, outcome, command)
        elif isinstance(command, Commit | Rollback):
            self.end(session, outcome, isinstance(command, Commit))
        else:
            if session.transaction is None:
                self.new_transaction(session, self.level, False, index)
                session.is_implicit = True
                self.begun[-1].is_autocommit = True
            transaction = session.transaction
            assert transaction is not None
            table = self.tables[command.table]
            session.statement = LabStatement(command, table, self.is_indexed, isinstance(self.database, InnoDB))
            session.statement.goes_on(self.database.commits)
            self.after(session, self.database.run(transaction, session.statement))

    def new_transaction(self, session: Session, level: int, is_read_only: bool, index: int) -> None:
        """Begin one for a session."""
        owner = list(self.sessions).index(session.name)
        if len(self.begun) + 1 in self.exempt:
            level = min(level, REPEATABLE_READ)
        session.transaction = self.database.begin(level, is_read_only, owner)
        self.transactions[int(session.transaction.number)] = (session.name, index)
        self.begun.append(session.transaction)

    def begin(self, session: Session, outcome: Outcome, command: Begin) -> None:
        """BEGIN. In a transaction PostgreSQL takes its options as SET TRANSACTION's; MySQL commits that transaction first."""
        transaction = session.transaction
        if transaction is not None and isinstance(self.database, InnoDB):
            self.database.commit(transaction)
            outcome.notice = "the transaction in progress was committed"
            transaction = session.transaction = None
        if transaction is not None:
            outcome.notice = "there is already a transaction in progress"
            if not self.set_options(transaction, command):
                outcome.notice = ""
                self.failed(session, transaction)
                return
        else:
            level = self.level if command.level is None else LEVELS.index(command.level)
            self.new_transaction(session, level, bool(command.is_read_only), outcome.index)
        self.done(session, "BEGIN")

    def set_options(self, transaction: Transaction, command: Begin) -> bool:
        """What SET TRANSACTION does in PostgreSQL (variable.c). False: the transaction has failed, as its first query came before."""
        fail = self.database.fail
        if transaction.state == FAILED:
            fail(transaction, IN_FAILED_TRANSACTION, FAILED_TRANSACTION)
            return False
        has_read = transaction.command > 0
        if command.level is not None:
            level = LEVELS.index(command.level)
            if int(transaction.number) in self.exempt:
                level = min(level, REPEATABLE_READ)
            if level != transaction.level and has_read:
                fail(transaction, ACTIVE_TRANSACTION, LEVEL_TOO_LATE)
                return False
            transaction.level = level
        if command.is_read_only is not None:
            if not command.is_read_only and transaction.is_read_only and has_read:
                fail(transaction, ACTIVE_TRANSACTION, WRITES_TOO_LATE)
                return False
            transaction.is_read_only = command.is_read_only
        return True

    def end(self, session: Session, outcome: Outcome, is_commit: bool) -> None:
        """COMMIT or ROLLBACK."""
        transaction = session.transaction
        if transaction is None:
            outcome.notice = "there is no transaction in progress"
            self.done(session, "COMMIT" if is_commit else "ROLLBACK")
            return
        has_failed = transaction.state == FAILED
        status = self.database.commit(transaction) if is_commit else self.database.abort(transaction)
        session.transaction = None
        if status == ERROR:
            self.failed(session, transaction)
        else:
            self.done(session, "COMMIT" if is_commit and not has_failed else "ROLLBACK")

    def after(self, session: Session, status: int) -> None:
        """A statement was run, or went on."""
        transaction, statement = session.transaction, session.statement
        assert transaction is not None and statement is not None and session.current is not None
        outcome = self.outcomes[session.current]
        if status == WAITING:
            outcome.status = WAITS
            return
        if status == DONE:
            if self.watch is not None:
                self.watch(outcome.index, session, statement, False)
            fill_result(outcome, statement.command, statement)
            if session.is_implicit:
                session.is_implicit, session.transaction = False, None
                if self.database.commit(transaction) == ERROR:
                    outcome.rows, outcome.columns = [], ()
                    self.failed(session, transaction)
                    return
            self.done(session, outcome.tag)
        else:
            if session.is_implicit:
                self.database.abort(transaction)
                session.is_implicit, session.transaction = False, None
            elif self.database.has_ended(transaction):
                session.transaction = None
            elif transaction.state == ACTIVE and self.watch is not None:
                # MySQL: only the statement has failed.
                self.watch(outcome.index, session, statement, True)
            self.failed(session, transaction)

    def done(self, session: Session, tag: str) -> None:
        """The session's statement is done."""
        assert session.current is not None
        outcome = self.outcomes[session.current]
        outcome.status, outcome.tag, outcome.step_done = FINISHED, tag, self.step
        session.current = session.statement = None

    def failed(self, session: Session, transaction: Transaction) -> None:
        """The session's statement failed."""
        assert session.current is not None
        outcome = self.outcomes[session.current]
        outcome.status, outcome.step_done, outcome.tag = FAILS, self.step, ""
        outcome.code, outcome.message, outcome.detail = transaction.error, transaction.message, transaction.detail
        session.current = session.statement = None

    def final_rows(self) -> dict[str, list[list[int]]]:
        """The committed rows of every table, in the order of the heap."""
        return {name: [table.row(position) for position in table.live()] for name, table in self.tables.items()}


def fill_result(outcome: Outcome, command: Command, statement: Statement) -> None:
    """Rows and tag of a statement that is done."""
    table = statement.table
    if isinstance(command, Select):
        rows = [table.row(position) for position in statement.found]
        places = [table.columns.index(name) for name in command.columns] if command.aggregate != "count" else []
        if command.aggregate == "count":
            outcome.columns, outcome.rows = ("count",), [[len(rows)]]
        elif command.aggregate == "sum":
            outcome.columns, outcome.rows = ("sum",), [[sum(row[places[0]] for row in rows) if rows else None]]
        else:
            outcome.columns = command.columns
            outcome.rows = [[row[place] for place in places] for row in rows]
        outcome.tag = f"SELECT {len(outcome.rows)}"
    elif isinstance(command, Insert):
        outcome.tag = f"INSERT 0 {statement.count}"
    elif isinstance(command, Update):
        outcome.tag = f"UPDATE {statement.count}"
    elif isinstance(command, Delete):
        outcome.tag = f"DELETE {statement.count}"
