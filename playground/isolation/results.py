"""A script's result: everything that a page needs to draw it, and the same schedule on a server beside it."""

from __future__ import annotations

import time
from math import inf
from typing import TYPE_CHECKING, Any

from playground.engine.mvcc.terms import LEVELS, STATES
from playground.isolation.anomalies import Anomaly
from playground.isolation.choices import Choices
from playground.isolation.history import Dependency
from playground.isolation.lab import DIALECTS, Lab, Options
from playground.isolation.stepping import AHEAD, FAILS, Outcome, Stepper
from playground.isolation.syntax import Script
from playground.isolation.verifying import NotCompared

if TYPE_CHECKING:
    from playground.isolation.server import Server

TRIES_MAX = 8**4
"""How many ways of going on at once are tried before the lab and a server are said to differ."""
COMPARED = ("status", "columns", "rows", "tag", "code", "message", "waited_for", "step_done")
"""What has to be the same on a server, statement by statement."""


def run(script: Script, chosen: Options) -> dict[str, Any]:
    """Run a script to its end, and say everything about it; docs/guides/isolation.md has the shape."""
    lab = Lab(script, chosen)
    lab.run()
    return {**described(lab), "steps": lab.states, "unfinished": lab.unfinished()}


def run_until(script: Script, chosen: Options, steps: int | None = None) -> dict[str, Any]:
    """Run the first steps of a script, all by default: as :func:`run`, but with the state then alone, and what came of it so far.

    ``step`` is how many were taken and ``state`` what is the case after them; statements whose turn has not come are ``ahead``.
    """
    lab = Lab(script, chosen, keeps_states=False)
    lab.run(steps)
    is_over = lab.stepper.step == len(script.steps)
    unfinished = lab.unfinished() if is_over else []
    return {**described(lab), "step": lab.stepper.step, "state": lab.state(), "unfinished": unfinished}


def described(lab: Lab) -> dict[str, Any]:
    """What can be said of a script at any step."""
    script, chosen = lab.script, lab.options
    return {
        "dialect": chosen.dialect,
        "server": DIALECTS[chosen.dialect],
        "level": chosen.level_name(),
        "script": script.text(),
        "sessions": script.sessions,
        "tables": {table.name: list(table.columns) for table in script.tables},
        "statements": [statement_of(lab, outcome) for outcome in lab.stepper.outcomes],
        "transactions": [transaction_of(lab, number) for number in lab.transactions],
        "final": lab.stepper.final_rows(),
        "dependencies": [edge_of(lab, edge) for edge in lab.edges()],
        "anomalies": [anomaly_of(lab, one) for one in lab.anomalies()],
        "serialization_failures": failures_of(lab),
    }


def statement_of(lab: Lab, outcome: Outcome) -> dict[str, Any]:
    """One statement and what became of it."""
    step = lab.script.steps[outcome.index]
    error = {"code": outcome.code, "message": outcome.message, "detail": outcome.detail} if outcome.code else None
    return {
        "index": outcome.index,
        "line": step.line,
        "session": step.session,
        "text": step.text,
        "status": outcome.status or AHEAD,
        "columns": list(outcome.columns),
        "rows": outcome.rows,
        "tag": outcome.tag,
        "error": error,
        "notice": outcome.notice,
        "waits": [{"step": at, "for": list(names)} for at, names in outcome.waited_for],
        "step_done": outcome.step_done,
        "plan": lab.plans.get(outcome.index),
    }


def transaction_of(lab: Lab, number: int) -> dict[str, Any]:
    """One transaction: who, when, at which level, and how it ended."""
    transaction = lab.transactions[number]
    session, begun = lab.stepper.transactions[number]
    return {
        "name": lab.name(number),
        "session": session,
        "level": LEVELS[int(transaction.level)],
        "is_read_only": bool(transaction.is_read_only),
        "xid": int(transaction.xid) or None,
        "begun_with": begun,
        "ended_in_step": lab.ended.get(number),
        "state": STATES[int(transaction.state)],
    }


def edge_of(lab: Lab, edge: Dependency) -> dict[str, Any]:
    """One edge of the dependency graph."""
    return {
        "from": lab.name(edge.before),
        "to": lab.name(edge.after),
        "kind": edge.kind,
        "table": edge.table,
        "key": edge.key,
        "is_by_predicate": edge.is_by_predicate,
        "statement": edge.statement if edge.statement >= 0 else None,
    }


def anomaly_of(lab: Lab, anomaly: Anomaly) -> dict[str, Any]:
    """One anomaly and its cycle."""
    return {
        "name": anomaly.name,
        "title": anomaly.title,
        "transactions": [lab.name(number) for number in anomaly.transactions],
        "statements": list(anomaly.statements),
        "where": anomaly.where,
        "cycle": [edge_of(lab, edge) for edge in anomaly.cycle],
    }


def failures_of(lab: Lab) -> list[dict[str, Any]]:
    """Transactions that serializable snapshot isolation ended, and whether that was needed.

    The script is run once more with that transaction exempt from the checks. Where it then becomes part of a cycle of dependencies, its end
    was needed; where it doesn't, the checks were cautious: they see pages and relations, not rows, and two conflicts in a row, not cycles.
    """
    found = []
    for number, outcome in lab.serialization_failures():
        without = Lab(lab.script, lab.options, frozenset({number}), keeps_states=False)
        without.run()
        cycles = [one for one in without.anomalies() if number in one.transactions]
        has_committed = number in without.committed()
        kind = "needed" if cycles else "cautious" if has_committed else "it would have failed or waited otherwise"
        found.append(
            {
                "transaction": lab.name(number),
                "statement": outcome.index,
                "kind": kind,
                "reason": outcome.detail,
                "would_have_been": [anomaly_of(without, one) for one in cycles],
            }
        )
    return found


def compare(script: Script, chosen: Options, server: Server) -> dict[str, Any]:
    """Run a script on a server too: both outcomes side by side.

    What several transactions do at once after one wait has no order; where the server took another than the lab, ``order`` says so and the
    lab's outcome in that order is what is compared. Raises NotCompared when the server and that take longer than its ``limit_s``.
    """
    deadline = time.monotonic() + server.limit_s
    outcomes, final = server.run(script, chosen.level_name())
    order, stepper = matching(script, chosen, outcomes, final, deadline)
    differences = [
        {
            "statement": mine.index,
            "session": mine.session,
            "what": name,
            "lab": plain(getattr(mine, name)),
            "server": plain(getattr(theirs, name)),
        }
        for mine, theirs in zip(stepper.outcomes, outcomes, strict=True)
        for name in COMPARED
        if getattr(mine, name) != getattr(theirs, name)
    ]
    rows = stepper.final_rows()
    differences += [
        {"statement": None, "session": None, "what": f"final rows of {name}", "lab": rows[name], "server": final[name]}
        for name in rows
        if not same_rows(stepper, name, final[name])
    ]
    return {
        "statements": [
            {
                "status": theirs.status,
                "columns": list(theirs.columns),
                "rows": theirs.rows,
                "tag": theirs.tag,
                "error": {"code": theirs.code, "message": theirs.message, "detail": theirs.detail}
                if theirs.status == FAILS
                else None,
                "waits": [{"step": at, "for": list(names)} for at, names in theirs.waited_for],
                "step_done": theirs.step_done,
            }
            for theirs in outcomes
        ],
        "final": final,
        "order": order,
        "differences": differences,
    }


def matching(
    script: Script, chosen: Options, outcomes: list[Outcome], final: dict[str, list[list[int]]], deadline: float = inf
) -> tuple[str, Stepper]:
    """The order, in words, in which the lab's outcome is the server's, and that outcome; the usual order when there is none.

    Every choice between sessions that did something at once is tried, as far as the lab agrees with the server until then. Raises
    NotCompared when that is not done at ``deadline`` (``time.monotonic``).
    """

    def stepper_of(choices: Choices) -> Stepper:
        return Stepper(script, chosen.database(), chosen.level_name(), is_indexed=chosen.is_indexed, choices=choices)

    plan: list[int] | None = []
    for _ in range(TRIES_MAX):
        if plan is None:
            break
        if time.monotonic() > deadline:
            raise NotCompared("what several sessions did at once has more orders than could be tried in time")
        choices = Choices(plan)
        stepper = stepper_of(choices)
        while stepper.step < len(script.steps):
            stepper.advance()
            if not agrees(stepper, outcomes):
                break
        else:
            if all(same_rows(stepper, name, rows) for name, rows in final.items()):
                return choices.told(), stepper
        plan = choices.following()
    usual = stepper_of(Choices())
    usual.run()
    return "", usual


def same_rows(stepper: Stepper, name: str, rows: list[list[int]]) -> bool:
    """Whether a table of the lab ends with these rows: in this order, unless several sessions did something at once. These change rows side
    by side on a server, and whose new version comes to lie first is seen nowhere else."""
    mine = stepper.final_rows()[name]
    if any(choice.count > 1 for choice in stepper.choices.made):
        return sorted(mine) == sorted(rows)
    return mine == rows


def agrees(stepper: Stepper, outcomes: list[Outcome]) -> bool:
    """Whether the lab, as far as it has come, and a server agree in everything that is compared."""
    last = stepper.step - 1
    for mine, theirs in zip(stepper.outcomes, outcomes, strict=True):
        if theirs.step_done is not None and theirs.step_done <= last:
            if any(getattr(mine, name) != getattr(theirs, name) for name in COMPARED):
                return False
        elif mine.step_done is not None or mine.waited_for != [one for one in theirs.waited_for if one[0] <= last]:
            return False
    return True


def plain(value: Any) -> Any:
    """Tuples as lists, for JSON."""
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value
