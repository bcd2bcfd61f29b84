"""The same script on a real PostgreSQL, with the same rule for sessions that wait.

Whether a statement waits is asked of the server (pg_blocking_pids), on a connection of its own; and no step is taken before the deadlock
check of everyone who waits has passed, so that whoever closes a cycle is the one to be ended. The server should have a
``deadlock_timeout`` of some milliseconds; the runner sets it where it may, and waits as long as it is.
"""

from __future__ import annotations

import select
import time
from dataclasses import dataclass, field
from typing import Any

import networkx
import psycopg
from psycopg import pq

from playground.engine.mvcc.terms import LEVELS
from playground.isolation.stepping import FAILS, FINISHED, POSTPONED, WAITS, Outcome
from playground.isolation.syntax import Begin, Script
from playground.isolation.verifying import LIMIT_S, NotCompared

SETTINGS = (
    # So that the plan is the one that the lab has: see playground.isolation.planning.
    "set enable_bitmapscan = off",
    "set enable_indexonlyscan = off",
    "set client_min_messages = error",
    # Nothing of ours takes long by itself; a lock of somebody else's must not hold us up for ever.
    "set lock_timeout = '60s'",
)
SCHEMA = "playground_isolation_"
"""And the monitor's process id: several may compare at once."""
DEADLOCK_TIMEOUT_MS = 5
SLACK_S = 0.008
"""How late the timer of a deadlock check may be on a busy machine."""
GIVES_UP_S = 30.0
CONNECT_S = 10


@dataclass
class Session:
    """One connection."""

    name: str
    connection: psycopg.Connection[Any]
    current: int | None = None
    postponed: list[int] = field(default_factory=list)

    @property
    def pid(self) -> int:
        """The server process behind it."""
        return self.connection.info.backend_pid


class Server:
    """Connections to a server, kept from script to script, and a schema of their own. Use as a context manager.

    ``limit_s`` is how long a script may take. Raises NotCompared.
    """

    def __init__(self, dsn: str, is_indexed: bool = True, limit_s: float = LIMIT_S) -> None:
        self.dsn = dsn
        self.is_indexed = is_indexed
        self.limit_s = limit_s
        self.timeout_s = 1.0
        self.sessions: dict[str, Session] = {}
        self.names: dict[int, str] = {}
        self.schema = "pg_temp"
        self.monitor = self.connect()
        try:
            self.make_schema()
        except BaseException:
            self.monitor.close()
            raise

    def make_schema(self) -> None:
        """The schema, and nothing left of those whose users were cut off. Raises NotCompared."""
        gone = (
            f"select nspname from pg_namespace where nspname ~ '^{SCHEMA}[0-9]+$' and not exists "
            f"(select from pg_stat_activity where nspname = '{SCHEMA}' || pid and pid <> pg_backend_pid())"
        )
        self.schema = f"{SCHEMA}{self.monitor.info.backend_pid}"
        try:
            for (name,) in self.monitor.execute(gone).fetchall():
                self.monitor.execute(f"drop schema if exists {name} cascade")
            self.monitor.execute(f"create schema {self.schema}")
            self.monitor.execute(f"set search_path to {self.schema}")
        except psycopg.Error as error:
            raise NotCompared(f"PostgreSQL: {str(error).strip()}") from error

    def connect(self) -> psycopg.Connection[Any]:
        """One more connection, as the lab wants it. Raises NotCompared."""
        try:
            connection = psycopg.connect(self.dsn, autocommit=True, connect_timeout=CONNECT_S, prepare_threshold=None)
            for setting in (f"set search_path to {self.schema}", *SETTINGS):
                connection.execute(setting)
            if not self.is_indexed:
                connection.execute("set enable_indexscan = off")
            try:
                connection.execute(f"set deadlock_timeout = '{DEADLOCK_TIMEOUT_MS}ms'")
            except psycopg.errors.InsufficientPrivilege:
                connection.rollback()
            row = connection.execute("select setting::int from pg_settings where name = 'deadlock_timeout'").fetchone()
        except psycopg.Error as error:
            raise NotCompared(f"PostgreSQL: {str(error).strip()}") from error
        self.timeout_s = float(row[0]) / 1000 if row else 1.0
        return connection

    def close(self) -> None:
        """End all connections, and drop the schema."""
        for session in self.sessions.values():
            session.connection.close()
        self.monitor.execute(f"drop schema if exists {self.schema} cascade")
        self.monitor.close()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, script: Script, level: str = "read committed") -> tuple[list[Outcome], dict[str, list[list[int]]]]:
        """Run a script: what became of each statement, and the committed rows at its end, by table in the order of the heap."""
        try:
            self.prepare(script)
            run = ServerRun(self, script, level)
            run.run()
            rows = self.final_rows(script)
        except psycopg.Error as error:
            raise NotCompared(f"PostgreSQL: {str(error).strip()}") from error
        finally:
            self.reset()
        return run.outcomes, rows

    def prepare(self, script: Script) -> None:
        """The script's tables as it wants them, and a connection for each session."""
        names = [
            row[0]
            for row in self.monitor.execute("select tablename from pg_tables where schemaname = %s", (self.schema,))
        ]
        for name in names:
            self.monitor.execute(f'drop table "{name}"')
        for table in script.tables:
            columns = ", ".join(
                f'"{name}" int' + (" primary key" if not place else " not null")
                for place, name in enumerate(table.columns)
            )
            self.monitor.execute(f'create table "{table.name}" ({columns})')
            if table.rows:
                rows = ", ".join("(" + ", ".join(map(str, row)) + ")" for row in table.rows)
                self.monitor.execute(f'insert into "{table.name}" values {rows}')
        for name in script.sessions:
            if name not in self.sessions:
                self.sessions[name] = Session(name, self.connect())
        self.names = {session.pid: name for name, session in self.sessions.items()}

    def reset(self) -> None:
        """End whatever is still going on."""
        for name, session in list(self.sessions.items()):
            session.postponed, session.current = [], None
            if session.connection.closed or session.connection.info.transaction_status != pq.TransactionStatus.IDLE:
                session.connection.close()
                del self.sessions[name]
        # A closed connection's transaction goes on until its server process notices.
        deadline = time.monotonic() + GIVES_UP_S
        gone = [pid for pid, name in self.names.items() if name not in self.sessions]
        while gone and time.monotonic() < deadline:
            self.monitor.execute("select pg_terminate_backend(pid) from unnest(%s::int[]) pid", (gone,))
            alive = self.monitor.execute("select pid from pg_stat_activity where pid = any(%s)", (gone,)).fetchall()
            gone = [pid for (pid,) in alive]

    def final_rows(self, script: Script) -> dict[str, list[list[int]]]:
        """What is committed, in the order of the heap."""
        return {
            table.name: [list(row) for row in self.monitor.execute(f'select * from "{table.name}" order by ctid')]
            for table in script.tables
        }


class ServerRun:
    """One run of a script on a server."""

    def __init__(self, server: Server, script: Script, level: str) -> None:
        self.server = server
        self.script = script
        self.level = LEVELS[LEVELS.index(level)]
        self.sessions = {name: server.sessions[name] for name in script.sessions}
        self.outcomes = [Outcome(index, step.session) for index, step in enumerate(script.steps)]
        self.step = 0
        self.deadline = time.monotonic() + server.limit_s

    def run(self) -> None:
        """All steps. Raises NotCompared when they take too long."""
        for index, step in enumerate(self.script.steps):
            self.check_time()
            self.step = index
            session = self.sessions[step.session]
            if session.current is not None or session.postponed:
                session.postponed.append(index)
                self.outcomes[index].status = POSTPONED
            else:
                self.send(session, index)
            self.settle()

    def check_time(self) -> None:
        """Raises NotCompared when the script's time is up."""
        if time.monotonic() > self.deadline:
            raise NotCompared(f"PostgreSQL: the script was not done within {self.server.limit_s:g} s")

    def send(self, session: Session, index: int) -> None:
        """Give a statement to the server, and don't wait for its answer."""
        step = self.script.steps[index]
        text = step.text
        if isinstance(step.command, Begin):
            is_first = session.connection.pgconn.transaction_status == pq.TransactionStatus.IDLE
            text = begin_text(step.command, self.level if is_first else None)
        elif session.connection.pgconn.transaction_status == pq.TransactionStatus.IDLE:
            session.connection.execute(f"set default_transaction_isolation = '{self.level}'")
        session.current = index
        session.connection.pgconn.send_query(text.encode())

    def settle(self) -> None:
        """Until everyone has answered or is seen to wait, with nothing postponed that could run."""
        while True:
            waiting = self.observe()
            ready = [one for one in self.sessions.values() if one.postponed and one.current is None]
            if not ready:
                break
            first = min(ready, key=lambda one: one.postponed[0])
            self.send(first, first.postponed.pop(0))
        for session, names in waiting:
            assert session.current is not None
            outcome = self.outcomes[session.current]
            outcome.status = WAITS
            if not outcome.waited_for or outcome.waited_for[-1][1] != names:
                outcome.waited_for.append((self.step, names))

    def observe(self) -> list[tuple[Session, tuple[str, ...]]]:
        """Collect answers until two looks, a deadlock check apart, see the same sessions wait for the same others."""
        deadline = min(self.deadline, time.monotonic() + GIVES_UP_S)
        before: list[tuple[Session, tuple[str, ...]]] | None = None
        while True:
            busy = self.collect(0.0005 if before is None else 0.0)
            if not busy:
                return []
            seen = self.blocked(busy)
            if seen is not None and seen == before and not has_cycle(seen):
                return seen
            self.check_time()
            if time.monotonic() > deadline:
                raise NotCompared(
                    "PostgreSQL: a statement neither ended nor waited for another of the sessions in time"
                )
            if seen is not None:
                # The check of whoever waits has to pass; an answer that comes meanwhile ends the look.
                self.collect(self.server.timeout_s + SLACK_S)
            before = seen

    def collect(self, timeout_s: float) -> list[Session]:
        """Take the answers that are there or come until then; the sessions that still owe one."""
        busy = [one for one in self.sessions.values() if one.current is not None]
        if not busy:
            return []
        readable, _, _ = select.select([one.connection.pgconn.socket for one in busy], [], [], timeout_s)
        for session in busy:
            connection = session.connection.pgconn
            if connection.socket in readable:
                connection.consume_input()
                if not connection.is_busy():
                    self.take(session)
        return [one for one in self.sessions.values() if one.current is not None]

    def blocked(self, busy: list[Session]) -> list[tuple[Session, tuple[str, ...]]] | None:
        """Whom each waits for; None while one of them is at work."""
        asked = [one.pid for one in busy]
        rows = self.server.monitor.execute(
            "select pg_blocking_pids(pid) from unnest(%s::int[]) with ordinality as t (pid, n) order by n", (asked,)
        ).fetchall()
        if any(not pids for (pids,) in rows):
            return None
        names = self.server.names
        return [
            (one, tuple(sorted({names[pid] for pid in pids if pid in names})))
            for one, (pids,) in zip(busy, rows, strict=True)
        ]

    def take(self, session: Session) -> None:
        """Take the answer of a statement."""
        assert session.current is not None
        outcome = self.outcomes[session.current]
        connection = session.connection.pgconn
        result = connection.get_result()
        while connection.get_result() is not None:
            pass
        assert result is not None
        session.current = None
        outcome.step_done = self.step
        if result.status in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
            outcome.status = FINISHED
            outcome.tag = (result.command_status or b"").decode()
            outcome.columns = tuple((result.fname(place) or b"").decode() for place in range(result.nfields))
            outcome.rows = [
                [
                    None if (value := result.get_value(row, place)) is None else int(value)
                    for place in range(result.nfields)
                ]
                for row in range(result.ntuples)
            ]
        else:
            outcome.status = FAILS
            fields = pq.DiagnosticField
            outcome.code = (result.error_field(fields.SQLSTATE) or b"").decode()
            outcome.message = (result.error_field(fields.MESSAGE_PRIMARY) or b"").decode()
            outcome.detail = (result.error_field(fields.MESSAGE_DETAIL) or b"").decode()


def begin_text(command: Begin, level: str | None) -> str:
    """BEGIN as it is sent; ``level``: where it names none."""
    text, level = "begin", command.level or level
    text += f" isolation level {level}" if level is not None else ""
    if command.is_read_only is not None:
        text += " read only" if command.is_read_only else " read write"
    return text


def has_cycle(waiting: list[tuple[Session, tuple[str, ...]]]) -> bool:
    """Whether some wait for one another: the server has yet to find the deadlock, however late its timer is."""
    graph = networkx.DiGraph((session.name, name) for session, names in waiting for name in names)
    return not networkx.is_directed_acyclic_graph(graph)
