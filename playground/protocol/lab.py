"""The isolation lab below ``/api/lab``: a script of concurrent transactions in, what became of it after so many steps out.

docs/guides/isolation.md has the language of scripts and the meaning of every part. A syntax error has its place in ``where``
(``line 3, column 14``) and the token in ``value``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from playground.protocol.errors import Problem
from playground.protocol.rest import Rest

SCRIPT_CHARACTERS_MAX = 20_000
SCRIPT_STATEMENTS_MAX = 120
SCRIPT_ROWS_MAX = 50
"""What the page may ask of the server at once; ``manage.py isolation`` takes more."""
SHUFFLE_SEED_MAX = 2**53
Row = list[int | None]


class LabTemplate(Rest):
    """A script that comes with the lab; ``group`` is a heading to list it under."""

    name: str
    title: str
    group: str
    text: str


class LabDialect(Rest):
    """A database that the lab can be."""

    name: str
    title: str
    default_level: str


class LabOffer(Rest):
    """What there is to choose from, and whether a PostgreSQL is configured to compare with."""

    templates: list[LabTemplate]
    dialects: list[LabDialect]
    levels: list[str]
    can_compare: bool


class LabScript(Rest):
    """Body of ``POST /api/lab/run`` and ``/api/lab/compare``.

    ``level`` is that of every BEGIN that names none, null: the dialect's own. ``shuffle`` is the seed of a random order that keeps each
    session's own, null: the script's order. ``steps`` is how many statements are taken, null: all.
    """

    script: Annotated[str, Field(max_length=SCRIPT_CHARACTERS_MAX)]
    dialect: str = "postgresql"
    level: str | None = None
    shuffle: Annotated[int, Field(ge=0, le=SHUFFLE_SEED_MAX)] | None = None
    steps: Annotated[int, Field(ge=0)] | None = None


class LabError(Rest):
    """What the database said: SQLSTATE, message, detail."""

    code: str
    message: str
    detail: str


class LabWait(Rest):
    """From ``step`` on a statement waited for the sessions ``for``."""

    step: int
    sessions: Annotated[list[str], Field(alias="for")]


class LabOutcome(Rest):
    """What became of a statement: ``rows`` of a SELECT, ``tag`` of anything else (``UPDATE 1``), in which step it was done."""

    status: Literal["ahead", "done", "error", "waits", "postponed"]
    columns: list[str]
    rows: list[Row]
    tag: str
    error: LabError | None
    waits: list[LabWait]
    step_done: int | None


class LabStatement(LabOutcome):
    """One statement of the script, in the order of steps; ``line`` is where it stands, ``plan`` how its rows were found."""

    index: int
    line: int
    session: str
    text: str
    notice: str
    plan: str | None


class LabTransaction(Rest):
    """A transaction: ``name`` is its session's, ``T1/2`` for its second one; ``begun_with`` a statement, ``ended_in_step`` a step."""

    name: str
    session: str
    level: str
    is_read_only: bool
    xid: int | None
    begun_with: int
    ended_in_step: int | None
    state: str


class LabVersion(Rest):
    """A version of a row: who made it and who ended it, each ``in progress``, ``committed`` or ``rolled back``; ``newer`` replaced it."""

    position: int
    row: list[int]
    made_by: str
    made: str
    ended_by: str | None
    ended: str | None
    newer: int | None


class LabRowLock(Rest):
    """A lock on a version (PostgreSQL: ``position``) or on a record and the gap before it (InnoDB: ``key``, null: behind the last)."""

    table: str
    position: int | None
    key: int | None
    by: str
    mode: str
    is_granted: bool


class LabWaiting(Rest):
    """A session that waits now, for which others, and for what."""

    session: str
    statement: int
    sessions: Annotated[list[str], Field(alias="for")]
    what: str


class LabReadLock(Rest):
    """What a serializable transaction is taken to have read (SIREAD): a tuple, a page or a relation."""

    by: str
    on: str
    granularity: str
    number: int


class LabConflict(Rest):
    """``reader`` read what ``writer`` changed."""

    reader: str
    writer: str


class LabState(Rest):
    """What is the case after a step."""

    versions: dict[str, list[LabVersion]]
    row_locks: list[LabRowLock]
    waits: list[LabWaiting]
    siread_locks: list[LabReadLock]
    rw_conflicts: list[LabConflict]
    doomed: list[str]


class LabDependency(Rest):
    """An edge of the dependency graph: ``before`` must come before ``after``. ``statement`` is the one that read, null for ww."""

    before: Annotated[str, Field(alias="from")]
    after: Annotated[str, Field(alias="to")]
    kind: Literal["ww", "wr", "rw"]
    table: str
    key: int
    is_by_predicate: bool
    statement: int | None


class LabAnomaly(Rest):
    """What went wrong, by its name in the literature and in words, with its cycle (none for a dirty read)."""

    name: str
    title: str
    transactions: list[str]
    statements: list[int]
    where: str
    cycle: list[LabDependency]


class LabFailure(Rest):
    """A transaction that the checks of SERIALIZABLE ended: needed, or cautious, and which anomalies there would have been without."""

    transaction: str
    statement: int
    kind: str
    reason: str
    would_have_been: list[LabAnomaly]


class LabUnfinished(Rest):
    """A session whose transaction the script never ends, and what was done about it."""

    session: str
    reason: str


class LabResult(Rest):
    """A script after ``step`` of its statements."""

    dialect: str
    server: str
    level: str
    script: str
    sessions: list[str]
    tables: dict[str, list[str]]
    statements: list[LabStatement]
    transactions: list[LabTransaction]
    step: int
    state: LabState
    final: dict[str, list[list[int]]]
    dependencies: list[LabDependency]
    anomalies: list[LabAnomaly]
    serialization_failures: list[LabFailure]
    unfinished: list[LabUnfinished]


class LabAnswer(Rest):
    """The answer to ``POST /api/lab/run``: a result, or what is wrong with the script, which may still be in the middle of being typed."""

    result: LabResult | None
    problems: list[Problem]


class LabDifference(Rest):
    """Where the lab and the server differ."""

    statement: int | None
    session: str | None
    what: str


class LabCompared(Rest):
    """The same schedule in the lab and on a PostgreSQL, whole; ``order`` is set where several went on at once in an unusual one."""

    lab: LabResult
    statements: list[LabOutcome]
    final: dict[str, list[list[int]]]
    order: str
    differences: list[LabDifference]
