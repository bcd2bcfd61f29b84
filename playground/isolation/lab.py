"""The lab: a script in, everything that happened out, as a structure of texts, numbers, lists and dicts that is JSON as it stands.

Its shape is documented in docs/guides/isolation.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from playground.engine.mvcc.database import Database
from playground.engine.mvcc.innodb import InnoDB
from playground.engine.mvcc.postgresql import PostgreSQL
from playground.engine.mvcc.record_locks import KINDS, SUPREMUM
from playground.engine.mvcc.ssi import HEAP, described
from playground.engine.mvcc.table import Table
from playground.engine.mvcc.terms import (
    COMMITTED,
    DEPENDENCIES,
    LEVELS,
    LOCK_MODES,
    NEVER,
    NOTHING,
    PENDING,
    UPDATE,
)
from playground.engine.mvcc.transaction import TABLES_MAX, Transaction
from playground.isolation.anomalies import Anomaly, anomalies_of
from playground.isolation.history import START, Dependency, History
from playground.isolation.planning import PATH_NAMES, LabStatement
from playground.isolation.stepping import FAILS, Outcome, Session, Stepper
from playground.isolation.syntax import Script, Select
from playground.protocol.errors import InputError

DIALECTS: Final = {"postgresql": "PostgreSQL 15", "mysql": "MySQL 8.0 InnoDB"}
DEFAULT_LEVELS: Final = {"postgresql": "read committed", "mysql": "repeatable read"}

WAITS_ON: Final = ["", "end of transaction", "turn on a row", "record lock"]


@dataclass(frozen=True)
class Options:
    """How a script is run. ``level``: of a BEGIN that names none, None: the dialect's own. ``is_indexed`` off: no plan uses an index."""

    dialect: str = "postgresql"
    level: str | None = None
    is_indexed: bool = True

    def database(self) -> Database:
        """A new, empty database."""
        return PostgreSQL() if self.dialect == "postgresql" else InnoDB()

    def level_name(self) -> str:
        """The level of a BEGIN that names none."""
        return DEFAULT_LEVELS[self.dialect] if self.level is None else self.level


def options(dialect: str = "postgresql", level: str | None = None, is_indexed: bool = True) -> Options:
    """Checked options. Raises InputError for a dialect or level that there is not."""
    if dialect not in DIALECTS:
        raise InputError.single(
            "dialect", f"there is no dialect {dialect!r}", where="dialect", value=dialect, accepted=", ".join(DIALECTS)
        )
    if level is not None:
        level = " ".join(level.lower().replace("-", " ").replace("_", " ").split())
        if level not in LEVELS:
            raise InputError.single(
                "level",
                f"there is no isolation level {level!r}",
                where="level",
                value=level,
                accepted=", ".join(LEVELS),
            )
    return Options(dialect, level, is_indexed)


class Lab:
    """One script, stepped; ``states`` has the state before the first step and after each (nothing with ``keeps_states`` off)."""

    def __init__(
        self, script: Script, chosen: Options, exempt: frozenset[int] = frozenset(), *, keeps_states: bool = True
    ) -> None:
        self.script = script
        self.keeps_states = keeps_states
        self.options = chosen
        self.database = chosen.database()
        self.history = History(self.database)
        self.ended: dict[int, int] = {}
        self.plans: dict[int, str] = {}
        self.names: dict[int, str] = {}
        self.states: list[dict[str, Any]] = []
        self.stepper = Stepper(
            script,
            self.database,
            chosen.level_name(),
            is_indexed=chosen.is_indexed,
            watch=self.watch,
            exempt=exempt,
        )
        if keeps_states:
            self.states.append(self.state())

    def watch(self, index: int, session: Session, statement: LabStatement, has_failed: bool) -> None:
        """A statement is done, or has failed in a transaction that goes on."""
        assert session.transaction is not None
        if not has_failed:
            self.plans[index] = PATH_NAMES[statement.path]
        self.history.note(index, session.transaction, statement, has_failed)

    def run(self, until: int | None = None) -> None:
        """All steps that are left, or those up to a number of steps."""
        last = len(self.script.steps) if until is None else min(until, len(self.script.steps))
        while self.stepper.step < last:
            self.advance()

    def advance(self) -> None:
        """The next step."""
        self.stepper.advance()
        for number, transaction in self.transactions.items():
            self.history.know(transaction)
            if number not in self.ended and self.database.has_ended(transaction):
                self.ended[number] = self.stepper.step - 1
        if self.keeps_states:
            self.states.append(self.state())

    @property
    def transactions(self) -> dict[int, Transaction]:
        """All that were begun, by number."""
        return {int(one.number): one for one in self.stepper.begun}

    # Names

    def name(self, number: int) -> str:
        """What a transaction is called: its session, and which of that session's it is when it isn't the first."""
        if number == START:
            return "start"
        if number not in self.names:
            session = self.stepper.transactions[number][0]
            earlier = sum(its == session and other < number for other, (its, _) in self.stepper.transactions.items())
            self.names[number] = f"{session}/{earlier + 1}" if earlier else session
        return self.names[number]

    def maker(self, xid: int) -> str:
        """The name of the transaction with an xid."""
        return self.name(self.history.numbers.get(xid, START))

    # What is the case now

    def state(self) -> dict[str, Any]:
        """Versions, locks and waits after the steps so far."""
        return {
            "versions": {name: self.versions(table) for name, table in self.stepper.tables.items()},
            "row_locks": self.record_locks()
            or [lock for table in self.stepper.tables.values() for lock in self.row_locks(table)],
            "waits": self.waits(),
            **self.serializability(),
        }

    def versions(self, table: Table) -> list[dict[str, Any]]:
        """All versions of a table in the order of the heap."""
        return [
            {
                "position": position,
                "row": table.row(position),
                "made_by": self.maker(int(table.made_by[position])),
                "made": made_state(int(table.made_at[position])),
                "ended_by": self.maker(int(table.ended_by[position])) if table.ended_at[position] != NEVER else None,
                "ended": made_state(int(table.ended_at[position])) if table.ended_at[position] != NEVER else None,
                "newer": int(table.newer[position]) if table.newer[position] >= 0 else None,
            }
            for position in range(int(table.size))
        ]

    def row_locks(self, table: Table) -> list[dict[str, Any]]:
        """Who has locked which version how; updates and deletes lock as well."""
        found = []
        for position in range(int(table.size)):
            for lock in table.locks_on(position):
                found.append(self.row_lock(table, position, lock.xid, LOCK_MODES[lock.mode]))
            if table.ended_at[position] == PENDING:
                mode = LOCK_MODES[int(table.ended_mode[position])]
                found.append(self.row_lock(table, position, int(table.ended_by[position]), mode))
        return found

    def row_lock(self, table: Table, position: int, xid: int, mode: str) -> dict[str, Any]:
        """One row lock."""
        return {
            "table": table.name,
            "position": position,
            "key": int(table.key(position)),
            "by": self.maker(xid),
            "mode": mode,
            "is_granted": True,
        }

    def record_locks(self) -> list[dict[str, Any]]:
        """InnoDB's locks on records and gaps, and the requests for them."""
        database = self.database
        if not isinstance(database, InnoDB):
            return []
        return [
            {
                "table": database.tables[record % TABLES_MAX].name,
                "position": None,
                "key": record // TABLES_MAX if record // TABLES_MAX != SUPREMUM else None,
                "by": self.name(int(lock.transaction.number)),
                "mode": f"{'X' if lock.mode == UPDATE else 'S'} {KINDS[lock.kind]}",
                "is_granted": lock.is_granted,
            }
            for record, queue in sorted(database.locks.queues.items())
            for lock in queue
        ]

    def waits(self) -> list[dict[str, Any]]:
        """Who waits for whom, and for what: the other's end, or a turn on a row."""
        return [
            {
                "session": session.name,
                "statement": session.current,
                "for": list(self.stepper.names(self.database.blockers(session.transaction))),
                "what": WAITS_ON[int(session.transaction.waits)],
            }
            for session in self.stepper.sessions.values()
            if session.transaction is not None and session.current is not None and session.transaction.waits != NOTHING
        ]

    def serializability(self) -> dict[str, Any]:
        """SIREAD locks and rw-conflicts of the serializable transactions that are still of interest."""
        database = self.database
        if not isinstance(database, PostgreSQL):
            return {"siread_locks": [], "rw_conflicts": [], "doomed": []}
        tracked = [*database.ssi.active.values(), *database.ssi.finished]
        locks = []
        for one in tracked:
            for held in sorted(one.locks):
                granularity, table, what, place = described(held)
                name = database.tables[table].name + ("" if what == HEAP else "_pkey")
                locks.append(
                    {"by": self.name(int(one.number)), "on": name, "granularity": granularity, "number": place}
                )
        conflicts = [
            {"reader": self.name(int(one.number)), "writer": self.name(int(other.number))}
            for one in tracked
            for other in one.conflicts_out
        ]
        doomed = [self.name(int(one.number)) for one in tracked if one.is_doomed]
        return {"siread_locks": locks, "rw_conflicts": conflicts, "doomed": doomed}

    # What came of it

    def committed(self) -> set[int]:
        """Numbers of the transactions that committed."""
        return {number for number, transaction in self.transactions.items() if transaction.state == COMMITTED}

    def edges(self) -> list[Dependency]:
        """Dependencies between those that committed."""
        return self.history.dependencies(self.committed())

    def anomalies(self) -> list[Anomaly]:
        """What they come to."""
        selects = {place for place, step in enumerate(self.script.steps) if isinstance(step.command, Select)}
        is_over = self.stepper.step == len(self.script.steps)
        return anomalies_of(self.edges(), self.history.dirty_reads(self.committed(), is_over), selects)

    def serialization_failures(self) -> list[tuple[int, Outcome]]:
        """Transactions that serializable snapshot isolation ended, each with the statement that failed."""
        return [
            (number, outcome)
            for number, transaction in self.transactions.items()
            if transaction.message == DEPENDENCIES
            for outcome in self.stepper.outcomes
            if outcome.status == FAILS and outcome.message == DEPENDENCIES and self.owns(number, outcome.index)
        ]

    def owns(self, number: int, index: int) -> bool:
        """Whether a statement is of a transaction: of its session, after its BEGIN, before the session's next transaction."""
        session, begun = self.stepper.transactions[number]
        if self.script.steps[index].session != session or index < begun:
            return False
        later = [at for name, at in self.stepper.transactions.values() if name == session and at > begun]
        return index < min(later, default=len(self.script.steps))

    def unfinished(self) -> list[dict[str, str]]:
        """Sessions whose transaction the script never ends, and why that matters: it is rolled back then."""
        found = []
        locks = self.state()["row_locks"]
        for session in self.stepper.sessions.values():
            transaction = session.transaction
            if transaction is None or self.database.has_ended(transaction):
                continue
            reason = "the script ended before its transaction did, which was rolled back"
            if session.current is not None:
                others = ", ".join(self.stepper.names(self.database.blockers(transaction)))
                reason += f"; it was waiting for {others} in line {self.script.steps[session.current].line}"
            name = self.name(int(transaction.number))
            held = [f"{lock['table']} {lock['key']} {lock['mode']}" for lock in locks if lock["by"] == name]
            if held:
                reason += "; it held " + ", ".join(dict.fromkeys(held))
            found.append({"session": session.name, "reason": reason})
        return found


def made_state(number: int) -> str:
    """What a commit number says."""
    return "rolled back" if number == NEVER else "in progress" if number >= PENDING else "committed"
