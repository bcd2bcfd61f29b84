"""REST routes of the isolation lab. They keep nothing: every request carries its script, and how far to take it."""

from __future__ import annotations

import asyncio
import threading
from functools import cache
from importlib.util import find_spec
from typing import Any

from django.http import HttpRequest
from ninja import Router

from playground.engine.mvcc.terms import LEVELS
from playground.isolation.lab import DEFAULT_LEVELS, DIALECTS, Options, options
from playground.isolation.parsing import parse
from playground.isolation.results import run_until
from playground.isolation.schedules import shuffled
from playground.isolation.sources import templates
from playground.isolation.syntax import Insert, Script
from playground.isolation.verifying import NotCompared, database_url, verified
from playground.protocol import lab
from playground.protocol.errors import InputError
from playground.refusals import TooMany

COMPARISON_S_MAX = 20.0
"""How long a page may keep the PostgreSQL busy."""
comparing = threading.Lock()
router = Router(tags=["lab"])


@router.get("/lab", response=lab.LabOffer)
def offer(request: HttpRequest) -> lab.LabOffer:
    """The scripts that come with the lab, the databases and levels that it has."""
    return lab.LabOffer(
        templates=list(_templates()),
        dialects=[
            lab.LabDialect(name=name, title=title, default_level=DEFAULT_LEVELS[name])
            for name, title in DIALECTS.items()
        ],
        levels=list(LEVELS),
        can_compare=database_url() is not None and find_spec("psycopg") is not None,
    )


@router.post("/lab/run", response=lab.LabAnswer, by_alias=True)
async def run(request: HttpRequest, body: lab.LabScript) -> Any:
    """Take the first steps of a script: outcomes, versions, locks, waits, dependencies, anomalies so far; or say what is wrong with it."""
    try:
        script, chosen = _wanted(body)
    except InputError as error:
        return {"result": None, "problems": error.problems}
    return {"result": await asyncio.to_thread(run_until, script, chosen, body.steps), "problems": []}


@router.post("/lab/compare", response=lab.LabCompared, by_alias=True)
async def compare(request: HttpRequest, body: lab.LabScript) -> Any:
    """Run a whole script in the lab and on the PostgreSQL that DATABASE_URL names, one page at a time."""
    script, chosen = _wanted(body)
    dsn = database_url()
    if dsn is None or chosen.dialect != "postgresql":
        raise InputError.single(
            "not_comparable",
            "there is no server to compare with",
            accepted="the dialect postgresql, and a DATABASE_URL that begins with postgresql://",
        )
    return await asyncio.to_thread(_compared, dsn, script, chosen)


def _compared(dsn: str, script: Script, chosen: Options) -> dict[str, Any]:
    if not comparing.acquire(blocking=False):
        raise TooMany.single("busy", "another comparison is under way; try again in a moment")
    try:
        found = verified(dsn, script, chosen, COMPARISON_S_MAX)
    except NotCompared as error:
        raise InputError.single("not_compared", str(error)) from error
    finally:
        comparing.release()
    differences = [{name: one[name] for name in ("statement", "session", "what")} for one in found["differences"]]
    return {**found, "differences": differences, "lab": run_until(script, chosen)}


def _wanted(body: lab.LabScript) -> tuple[Script, Options]:
    """The script in the order that is asked for, and how to run it. Raises InputError, also for what a page may not ask for."""
    chosen = options(body.dialect, body.level)
    script = parse(body.script)
    inserted = [step.command.rows for step in script.steps if isinstance(step.command, Insert)]
    rows = sum(map(len, [*inserted, *(table.rows for table in script.tables)]))
    for what, count, most in (
        ("statements", len(script.steps), lab.SCRIPT_STATEMENTS_MAX),
        ("rows", rows, lab.SCRIPT_ROWS_MAX),
    ):
        if count > most:
            accepted = f"at most {most} on the page; manage.py isolation takes more"
            raise InputError.single("too_many", f"the script has {count} {what}", value=str(count), accepted=accepted)
    return (script if body.shuffle is None else shuffled(script, body.shuffle)), chosen


@cache
def _templates() -> tuple[lab.LabTemplate, ...]:
    return tuple(
        lab.LabTemplate(name=one.name, title=one.title, group=one.group, text=one.text) for one in templates().values()
    )
