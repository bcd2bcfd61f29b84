"""The result of a script, for people at a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

WIDTH = 60


def report(result: dict[str, Any]) -> str:
    """All of it as text: statements with what became of them, final rows, anomalies, what failed and whether it had to."""
    lines = [f"{result['server']}, {result['level']} unless a BEGIN says otherwise", ""]
    server = result.get("verified")
    texts = [f"{one['session']}: {one['text']}" for one in result["statements"]]
    width = min(WIDTH, max(map(len, texts)))
    for place, (statement, text) in enumerate(zip(result["statements"], texts, strict=True)):
        lines.append(f"{statement['line']:>4}  {text:<{width}}  {outcome(statement)}")
        if server is not None:
            theirs = outcome(server["statements"][place])
            mark = "  " if theirs == outcome(statement) else "!="
            lines.append(f"{'':>4}  {'':<{width}} {mark}{theirs}")
    lines.append("")
    for name, rows in result["final"].items():
        lines.append(f"{name} ({', '.join(result['tables'][name])}) at the end: {rows_text(rows)}")
    lines += ["", *anomalies(result), *failures(result)]
    lines += [f"{one['session']}: {one['reason']}" for one in result["unfinished"]]
    if server is not None:
        lines += ["", *verdict(server)]
    return "\n".join(lines)


def outcome(statement: dict[str, Any]) -> str:
    """What became of a statement, in one line."""
    parts = [f"waits for {', '.join(wait['for'])} (step {wait['step'] + 1})" for wait in statement["waits"]]
    if statement["status"] == "error":
        parts.append(f"ERROR {statement['error']['code']}: {statement['error']['message']}")
    elif statement["status"] == "done":
        shown = rows_text(statement["rows"]) if statement["columns"] else statement["tag"]
        parts.append(shown + (f" (step {statement['step_done'] + 1})" if parts else ""))
    else:
        parts.append(statement["status"] if statement["status"] == "postponed" else "and is never done")
    return ", then ".join(parts)


def rows_text(rows: Sequence[Sequence[int | None]]) -> str:
    """Rows as (1, 10) (2, 20)."""
    return (
        " ".join("(" + ", ".join("null" if value is None else str(value) for value in row) + ")" for row in rows)
        or "no row"
    )


def edge(one: dict[str, Any]) -> str:
    """One dependency."""
    by = " by its condition" if one["is_by_predicate"] else ""
    return f"{one['from']} -{one['kind']}-> {one['to']} ({one['table']} {one['key']}{by})"


def anomalies(result: dict[str, Any]) -> list[str]:
    """The anomalies, each with its cycle."""
    if not result["anomalies"]:
        return ["No anomaly: what committed could have run one after the other."]
    found = []
    for one in result["anomalies"]:
        what = ", ".join(map(edge, one["cycle"])) or f"{one['transactions'][0]} read {one['where']}"
        found.append(f"{one['name']}, {one['title']}: {what}")
    return found


def failures(result: dict[str, Any]) -> list[str]:
    """What serializable snapshot isolation ended, and whether that was needed."""
    found = []
    for one in result["serialization_failures"]:
        would = "; ".join(f"{other['name']}, {other['title']}" for other in one["would_have_been"])
        why = f": without it, {would}" if would else ""
        found.append(f"{one['transaction']} was ended by the checks of SERIALIZABLE, {one['kind']}{why}")
    return found


def verdict(server: dict[str, Any]) -> list[str]:
    """How the server's outcome compares."""
    if server["differences"]:
        return [f"{len(server['differences'])} differences from the server (!=)."]
    order = f" (several went on at once: {server['order']})" if server["order"] else ""
    return [f"The server did the same, statement by statement{order}."]
